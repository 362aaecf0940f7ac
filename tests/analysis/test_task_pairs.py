"""Bounds over pairs of tasks against a baseline that knows no reference, and what page 04 prints of the shipped rows."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from taskrel_core.analysis.task_pairs import against_baseline, caveat, judged, with_baseline

SHIPPED = Path(__file__).resolve().parents[2] / "book/results/04_fig_task_pairs.jsonl"


@pytest.fixture(scope="module")
def shipped():
    """Pairs with the encoder of each reference, and with one encoder, as the page joins them."""
    rows = pd.DataFrame([json.loads(line)["row"] for line in SHIPPED.read_text().splitlines()])
    alone, learns = rows["class_distance"].notna(), rows["encoder"] == "lenet"
    return [
        with_baseline(rows[~alone & chosen].dropna(axis=1, how="all"), rows[alone & chosen], on)
        for chosen, on in ((learns, ["reference", "target"]), (~learns, ["target"]))
    ]


def simulated(extra):
    """Six targets of different difficulty, three references; the score adds ``extra`` of the reference's part of the loss."""
    rng = np.random.default_rng(2)
    easy, match = rng.normal(size=6), rng.normal(size=(6, 3))
    lines = [
        {"target": t, "reference": r, "class_distance": -easy[t], "chance": 2.0, "loss": easy[t] + 0.2 * match[t, r]}
        | {"score": easy[t] + 0.2 * extra * match[t, r] + 0.01 * rng.normal()}
        for t in range(6) for r in range(3)
    ]  # fmt: skip
    return pd.DataFrame(lines)


def test_a_score_of_difficulty_alone_says_nothing_given_the_baseline():
    found = against_baseline(simulated(0.0), ["score"], {"loss": "loss"}).set_index("score")
    assert found.loc["score", "pearson"] > 0.9
    assert found.loc["class_distance", "pearson"] < -0.9
    assert found.loc["score", "given_low"] < 0
    assert judged([found.loc["score"]]) == "supported with caveat"


def test_a_score_of_the_match_says_more_than_the_baseline():
    table = simulated(1.0)
    found = against_baseline(table, ["score"], {"loss": "loss"}).set_index("score").loc["score"]
    left = [
        side - np.polyval(np.polyfit(table["class_distance"], side, 1), table["class_distance"])
        for side in (table["score"], table["loss"])
    ]
    assert found["given"] == pytest.approx(stats.pearsonr(*left).statistic, abs=1e-9)
    assert found["given_low"] > 0
    assert found["within_low"] > 0
    assert judged([found]) == "supported"


def test_the_verdict_asks_the_first_setting_for_r_and_all_for_the_partial_r():
    def line(low, given_low):
        return pd.Series({"low": low, "high": low + 0.1, "given_low": given_low})

    assert judged([line(0.9, 0.5), line(-0.5, 0.1)]) == "supported"
    assert judged([line(0.9, 0.5), line(0.9, -0.1)]) == "supported with caveat"
    assert judged([line(0.9, 0.5), line(0.9, np.nan)]) == "supported with caveat"
    assert judged([line(-0.5, 0.5)]) == "not supported"
    assert judged([line(-0.05, 0.5)]) == "inconclusive"


def test_a_pair_without_its_target_is_named():
    alone = pd.DataFrame({"target": ["a"], "class_distance": 1.0, "loss": 1.0, "loss_new": 1.0})
    with pytest.raises(ValueError, match="got none for 'b'"):
        with_baseline(pd.DataFrame({"target": ["a", "b"]}), alone, ["target"])


def test_the_page_prints_what_follows_from_the_shipped_rows(shipped):
    losses, score = {"best": "sample", "best_new": "test"}, "bound_one_sided"
    learned, same = (
        against_baseline(table, [score], more).set_index(["score", "loss"])
        for table, more in zip(shipped, (losses, losses | {"loss_new": "transformed"}), strict=True)
    )
    r = ["pearson", "low", "high"]
    assert learned.loc[(score, "sample"), r].tolist() == pytest.approx([0.99, 0.98, 1.0], abs=0.005)
    assert learned.loc[("class_distance", "sample"), "pearson"] == pytest.approx(-0.98, abs=0.005)
    given = ["given", "given_low", "given_high"]
    assert learned.loc[(score, "sample"), given].tolist() == pytest.approx([0.73, 0.55, 0.92], abs=0.02)
    assert learned.loc[(score, "test"), given].tolist() == pytest.approx([-0.19, -0.37, 0.23], abs=0.02)
    assert same.loc[(score, "sample"), "given"] == pytest.approx(0.86, abs=0.01)
    assert same.loc[(score, "transformed"), "within"] == pytest.approx(0.34, abs=0.01)
    both = [found.loc[(score, "sample")] for found in (learned, same)]
    assert both[1]["given_low"] < 0
    assert judged(both) == "supported with caveat"
    assert caveat({"own": both[0], "one fixed": both[1]}).startswith(
        "Caveat: given the baseline, the interval of r is not above 0 with one fixed (+0.86 [-0."
    )
    assert caveat({"own": both[0]}) == ""
    ratio = shipped[0]["bound_euclidean"] / shipped[0]["chance"]
    assert (shipped[0][score] < shipped[0]["chance"]).all()
    assert (ratio > 1).all()


@pytest.mark.parametrize("name", ["transferability", "best"])
def test_both_kinds_of_row_are_of_one_sample(shipped, name):
    rows = [json.loads(line)["row"] for line in SHIPPED.read_text().splitlines()]
    of_kind = pd.DataFrame([row for row in rows if name in row])
    table = shipped[name == "best"]
    both = table.merge(of_kind[["reference", "target", name]].rename(columns={name: "own"}))
    assert len(both) == 30
    assert both["best"].tolist() == pytest.approx(both["own"].tolist(), rel=2e-3)
