"""How much a correlation changes between conditions, on tables with a known answer."""

import numpy as np
import pandas as pd
import pytest

from taskrel_core.analysis.cells import Cells
from taskrel_core.analysis.conditions import (
    below_zero,
    changes,
    condition_verdicts,
    finding,
    from_first_to_last,
    side_by_side,
    stability_verdicts,
    told,
)
from taskrel_core.analysis.verdicts import of_stability

E, T = 30, 8


def cells(truth, seed: int, **noise: float) -> Cells:
    """Scores that are the accuracy and independent noise of a given size."""
    rng = np.random.default_rng(seed)
    scores = {name: truth + size * rng.normal(size=truth.shape) for name, size in noise.items()}
    names = tuple(f"e{i}" for i in range(len(truth)))
    return Cells(names, tuple(f"t{i}" for i in range(truth.shape[1])), names, truth[..., None], scores)


@pytest.fixture(scope="module")
def truth():
    return np.random.default_rng(0).normal(size=(E, T))


@pytest.fixture(scope="module")
def table(truth):
    full = cells(truth, 1, euclidean=0.1, probe=0.5, absent=1.0)
    few = cells(truth, 2, euclidean=0.1, probe=3.0)
    turned = cells(-truth, 3, euclidean=0.1, probe=0.5)
    turned = Cells(full.encoders, full.targets, full.families, full.runs, turned.scores)
    return changes({"all": [full], "few": [few], "turned": [turned]}, resamples=200)


def test_changes_are_those_that_were_planted(table):
    assert set(table["score"]) == {"euclidean", "probe"}
    at = table.set_index(["score", "condition"])
    assert at.loc[("euclidean", "all"), "mean_r"] > 0.98
    assert (table.query("condition == 'all'")[["change", "change_low", "change_high"]] == 0).all(axis=None)
    # r = 1 / sqrt(1 + noise^2)
    assert at.loc[("probe", "few"), "change"] == pytest.approx(1 / 10**0.5 - 1 / 1.25**0.5, abs=0.1)
    assert at.loc[("euclidean", "turned"), "change"] == pytest.approx(-2, abs=0.05)
    assert (table["low"] <= table["mean_r"]).all()
    assert (table["change_low"] <= table["change"]).all()
    assert (table["change"] <= table["change_high"]).all()


def test_paired_resamples_make_the_interval_of_a_change_that_is_none_narrow(truth):
    full = cells(truth, 1, euclidean=2.0)
    row = changes({"a": [full], "b": [full]}, resamples=200).iloc[1]
    assert row["high"] - row["low"] > 0.1
    assert row["change_low"] == row["change_high"] == 0


def test_the_interval_covers_a_change_of_nothing(truth):
    """Two samples of one score: 95 % of intervals hold 0, in 100 tables at least 85 (p < 1e-4 otherwise)."""
    held = 0
    for seed in range(100):
        pair = {name: [cells(truth, 1000 + 2 * seed + i, euclidean=1.0)] for i, name in enumerate("ab")}
        row = changes(pair, resamples=100).iloc[1]
        held += row["change_low"] <= 0 <= row["change_high"]
    assert held >= 85


def test_verdicts_and_text_tell_sign_and_stability_apart(table):
    assert condition_verdicts(table) == {
        "sign with few": "supported",
        "stability with few": "supported",
        "sign with turned": "not supported",
        "stability with turned": "not supported",
    }
    assert set(condition_verdicts(table.query("condition != 'few'"))) == {"sign", "stability"}
    text = told(table, {"euclidean": "relatedness"}, ["euclidean", "probe"])
    first = table.query("score == 'euclidean' and condition == 'all'")["mean_r"].item()
    assert text.startswith(f"Relatedness: mean r is {first:+.2f} [")
    assert "] with all. With few it is " in text
    assert text.count(".") > 10
    assert ", a change of " in text
    assert "With turned it is " in text


def test_conditions_stand_side_by_side(table):
    shown = side_by_side(table, {"euclidean": "relatedness"})
    assert list(shown) == ["score", "all", "few", "turned", "change with few", "change with turned"]
    assert shown["score"].iloc[0] == "relatedness"
    row = table.query("score == 'euclidean' and condition == 'few'").iloc[0]
    assert shown["few"].iloc[0] == f"{row['mean_r']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}]"
    assert shown["change with few"].iloc[0].startswith(f"{row['change']:+.2f} [")
    assert list(side_by_side(table.query("condition != 'few'"), {}))[-1] == "change"


def test_the_finding_counts_what_falls_and_what_rises_for_sure(table):
    said = "With turned the correlation of 2 of 2 scores falls and that of 0 rises, beyond what resampling explains."
    assert finding(table) == said
    unsure = table.assign(change_low=-0.1, change_high=0.1)
    assert "of 0 of 2 scores falls and that of 0 rises" in finding(unsure)
    rising = table.assign(change_low=0.1, change_high=0.2, mean_r=-0.3)
    assert finding(rising).endswith(
        "that of 2 rises, beyond what resampling explains. Those that rise are negative and move towards 0."
    )
    rising.loc[rising.index[-1], "mean_r"] = 0.1
    assert finding(rising).endswith("beyond what resampling explains.")


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.1, 0.1, "supported"),
        (-0.2, 0.05, "inconclusive"),
        (0.11, 0.3, "not supported"),
        (-1.0, -0.2, "not supported"),
    ],
)
def test_stability_is_judged_by_the_whole_interval(low, high, verdict):
    assert of_stability(low, high) == verdict


def test_other_encoders_under_a_condition_are_refused(truth):
    with pytest.raises(
        ValueError, match="cells must have the same encoders and targets under every condition"
    ):
        changes({"a": [cells(truth, 1, euclidean=1.0)], "b": [cells(truth[1:], 1, euclidean=1.0)]})


def test_r_is_averaged_over_the_samples_of_a_condition(truth):
    one, other = (cells(truth, seed, euclidean=noise) for seed, noise in ((1, 0.3), (2, 2.0)))
    each = [changes({"a": [one], "b": [sample]}, resamples=50).iloc[1]["mean_r"] for sample in (one, other)]
    both = changes({"a": [one], "b": [one, other]}, resamples=50).iloc[1]
    assert both["mean_r"] == pytest.approx(np.mean(each))
    assert both["change"] == pytest.approx(np.mean(each) - each[0])


def test_a_form_is_told_from_first_to_last_and_judged_by_its_change(table):
    few = table[table["condition"] != "turned"]
    names = {"euclidean": "relatedness", "probe": "the probe"}
    assert stability_verdicts(few, names) == {
        "relatedness stability": "supported",
        "probe stability": "not supported",
    }
    row = few.query("score == 'euclidean' and condition == 'few'").iloc[0]
    text = from_first_to_last(few, names)
    assert text.startswith("From all to few, mean r (positive: as claimed) of relatedness changes by ")
    ends = f"[{row['change_low']:+.2f}, {row['change_high']:+.2f}]"
    assert f"{ends} from +1.00. That of the probe changes by -" in text
    assert text.endswith(". Brackets: 95 % CI.")


def test_the_wrong_side_is_that_of_the_first_and_the_last_condition():
    table = pd.DataFrame({"score": ["a", "a", "b", "b"], "mean_r": [-0.6, -0.1, -0.6, 0.1]})
    assert below_zero(table, "a")
    assert not below_zero(table, "b")
