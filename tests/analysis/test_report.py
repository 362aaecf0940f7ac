"""Sentences filled from the table of correlations: which score they name, and the numbers in them."""

import pandas as pd
import pytest

from taskrel_core.analysis.report import (
    compared,
    costs,
    in_tens,
    large_costs,
    pictures_read,
)


def test_costs_are_medians_and_a_score_without_values_does_not_count():
    scores = pd.DataFrame({"paper": [1.0] * 3, "one_sided": 1.0, "logme": 1.0, "absent": None})
    scores = scores.assign(seconds_paper=[1.0, 2.0, 9.0], seconds_one_sided=4.0, seconds_logme=0.5)
    scores = scores.assign(seconds_absent=100.0, seconds_features=100.0)
    text = costs(scores, pd.DataFrame({"seconds": [20.0]}), ["paper", "one_sided"])
    assert (
        "the Euclidean form takes 2.0 s, logit and one-sided together 4.0 s, all other scores together 0.5 s"
        in text
    )
    assert "One fine-tuning takes 20 s: the Euclidean form costs 10.0% of it, logit and one-sided 20%" in text


def test_large_costs_are_set_against_fine_tuning_on_as_many_pictures():
    timing = {"what": "exact", "n": 1000, "d": 64, "k": 5, "threads": 2, "seconds": 1.0, "value": 10.0}
    row = {
        "seconds": 30.0,
        "seconds_probe": 10.0,
        "n_train": 100,
        "epochs": 2,
    }  # 0.1 s for a picture and epoch
    text = large_costs(pd.Series(timing), pd.Series({**timing, "seconds": 3.0}), pd.DataFrame([row]))
    assert "(1,000 samples per task, 64 features, 5 classes; planted, 2 threads)" in text
    assert "the Euclidean form takes 1.0 s, all 10 other metrics 3.0 s" in text
    assert "for 2 epochs would take 200 s, of which the Euclidean form is 0.5%" in text


@pytest.mark.parametrize(
    ("value", "level", "said"),
    [
        (0.216, 0.1985, ("above", "0.216", "0.199")),
        (1.0986122, 1.0986123, ("below", "1.0986122", "1.0986123")),  # never "1.099 below 1.099"
        (1.09861, 1.09879, ("below", "1.0986", "1.0988")),
        (1.0986122887, 1.0986122887 * (1 + 1e-12), ("equal to", "1.099", "1.099")),
        (0.0, 0.0, ("equal to", "0.000", "0.000")),
    ],
)
def test_what_is_said_of_two_numbers_can_be_seen_in_them(value, level, said):
    assert compared(value, level) == said


def test_what_was_read_of_a_folder_is_said_with_what_was_skipped_and_the_balance():
    balance = {"n": 120, "largest": 0.95, "entropy": 0.1984, "log_k": 0.6931}
    summary = {
        "layout": "train/ and test/",
        "skipped": [
            {"kind": "hidden", "count": 1, "examples": [".x"]},
            {"kind": "no picture", "count": 5, "examples": list("abcde")},
        ],
        "pictures": [{"class": "cups", "train": 9, "test": 2}, {"class": "red", "train": 9, "test": 3}],
        "both": {"count": 0, "examples": []},
        "balance": {"train": balance},
    }
    text = pictures_read(summary)
    assert text.startswith(
        "train/ and test/. Skipped: hidden (1: .x); no picture (5: a, b, c, ...). Fewer than 3 training or test pictures: cups. "
        "The largest class holds 95% of 120 training pictures"
    )
    assert text.endswith("is 0.198 nats (log K 0.693)")
    assert "Skipped: nothing." in pictures_read(summary | {"skipped": []})
    assert "Warning" not in text
    both = {"count": 4, "examples": ["test/cups/a.png", "b", "c", "d"]}
    assert (
        "Warning: test pictures that are training pictures too (4: test/cups/a.png, b, c, ...); what is measured on the test "
        "part is too good, remove them from one part."
    ) in pictures_read(summary | {"both": both})


def test_large_numbers_have_a_power_of_ten():
    assert [in_tens(value) for value in (0.0, 1.0, 100.0, 1e4, 1e8, 2.5e5, 1e10)] == [
        "0",
        "1",
        "100",
        "10⁴",
        "10⁸",
        "2.5·10⁵",
        "10¹⁰",
    ]
