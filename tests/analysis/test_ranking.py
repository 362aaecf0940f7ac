"""The table of correlations: against plain numpy and SciPy, and where it must say that it does not know."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from taskrel_core.analysis.ranking import (
    correlations,
    format_intervals,
    join_scores,
    mean_r,
    oriented,
    otce_predictions,
    over_targets,
    saturation,
)

ENCODERS = ["a", "b", "c", "d", "e"]


def _rows(seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores of two draws and accuracies, on two targets."""
    rng = np.random.default_rng(seed)
    cells = [(t, e) for t in ("one", "two") for e in ENCODERS]
    accuracies = pd.DataFrame(cells, columns=["target", "encoder"])
    accuracies["fine_tuned"], accuracies["probe"] = rng.uniform(0.2, 0.9, (2, len(cells)))
    draws = [
        pd.DataFrame(cells, columns=["target", "encoder"]).assign(
            draw=draw, good=accuracies["fine_tuned"] * 2 + 0.01 * draw, loss=rng.normal(size=len(cells))
        )
        for draw in (0, 1)
    ]
    scores = pd.concat(draws, ignore_index=True)
    scores["otce_w_d"], scores["otce_w_t"] = rng.uniform(1, 9, len(scores)), rng.uniform(0, 2, len(scores))
    return scores, accuracies


HIGHER = {"good": True, "loss": False}


def test_draws_are_averaged_and_a_score_that_one_draw_lacks_is_not_lost():
    scores, accuracies = _rows()
    scores.loc[scores["draw"] == 1, "good"] = None
    table = join_scores(scores, accuracies, ["good", "loss"])
    assert len(table) == 2 * 2 * len(ENCODERS)
    first = scores[scores["draw"] == 0].set_index(["target", "encoder"])
    both = scores.groupby(["target", "encoder"])["loss"].mean()
    for row in table.itertuples():
        expected = first["good"] if row.score == "good" else both
        assert row.value == pytest.approx(float(expected[row.target, row.encoder]), rel=1e-14)


def test_each_cell_is_scipys_pearson_and_weighted_tau():
    scores, accuracies = _rows()
    table = join_scores(scores, accuracies, ["good", "loss"])
    cells = correlations(table, HIGHER, {"all": ENCODERS, "some": ENCODERS[:4]})
    assert len(cells) == 2 * 2 * 2
    for cell in cells.itertuples():
        kept = table[(table["target"] == cell.target) & (table["score"] == cell.score)]
        kept = kept[kept["encoder"].isin(ENCODERS if cell.encoders == "all" else ENCODERS[:4])]
        sign = 1 if cell.score == "good" else -1
        assert cell.expected == ("+" if sign > 0 else "-")
        assert cell.n == len(kept)
        assert cell.pearson == pytest.approx(
            stats.pearsonr(kept["value"], kept["fine_tuned"]).statistic, abs=1e-12
        )
        tau = stats.weightedtau(sign * kept["value"], kept["fine_tuned"]).statistic
        assert cell.weighted_kendall == pytest.approx(tau, abs=1e-12)
        assert cell.low <= cell.pearson <= cell.high
        chosen = kept.loc[(sign * kept["value"]).idxmax(), "fine_tuned"]
        assert cell.rel_at_1 == pytest.approx(chosen / kept["fine_tuned"].max(), rel=1e-12)


def test_a_score_that_is_the_accuracy_itself_is_perfect():
    scores, accuracies = _rows()
    cells = correlations(join_scores(scores, accuracies, ["good"]), HIGHER, {"all": ENCODERS})
    assert cells["pearson"].to_numpy() == pytest.approx(1.0)
    assert cells["weighted_kendall"].to_numpy() == pytest.approx(1.0)
    assert cells["rel_at_1"].to_numpy() == pytest.approx(1.0)


def test_two_encoders_have_no_correlation_and_a_constant_score_neither():
    scores, accuracies = _rows()
    few = correlations(join_scores(scores, accuracies, ["good"]), HIGHER, {"two": ENCODERS[:2]})
    assert few["pearson"].isna().all()
    assert (few["n"] == 2).all()
    flat = correlations(join_scores(scores.assign(good=1.0), accuracies, ["good"]), HIGHER, {"all": ENCODERS})
    assert flat["pearson"].isna().all()


def test_the_mean_over_targets_is_a_plain_mean_and_its_interval_holds_it():
    scores, accuracies = _rows()
    cells = correlations(join_scores(scores, accuracies, ["good", "loss"]), HIGHER, {"all": ENCODERS})
    mean = over_targets(cells).set_index("score")
    for score, rows in cells.groupby("score"):
        assert mean.loc[score, "pearson"] == pytest.approx(rows["pearson"].mean(), rel=1e-12)
        assert mean.loc[score, "low"] <= mean.loc[score, "pearson"] <= mean.loc[score, "high"]
        assert mean.loc[score, "targets"] == 2


def test_otce_never_reads_the_accuracy_of_the_target_that_it_scores():
    scores, accuracies = _rows()
    before = otce_predictions(scores, accuracies)
    moved = accuracies.copy()
    moved.loc[moved["target"] == "one", "fine_tuned"] += 0.05 * np.arange(len(ENCODERS))
    after = otce_predictions(scores, moved)
    one = (scores["target"] == "one").to_numpy()
    assert list(before[one]) == list(after[one])
    assert not np.allclose(before[~one].astype(float), after[~one].astype(float))


def test_otce_is_least_squares_over_the_other_targets():
    scores, accuracies = _rows()
    values = otce_predictions(scores, accuracies)
    known = scores.merge(accuracies, on=["target", "encoder"])
    others = known[known["target"] == "two"]
    design = np.column_stack([others["otce_w_d"], others["otce_w_t"], np.ones(len(others))])
    weights = np.linalg.solve(design.T @ design, design.T @ others["fine_tuned"].to_numpy())
    row = scores[scores["target"] == "one"].iloc[0]
    assert values.iloc[0] == pytest.approx(float(weights @ [row["otce_w_d"], row["otce_w_t"], 1.0]), rel=1e-8)


def test_otce_without_other_targets_is_unknown():
    scores, accuracies = _rows()
    only = scores[scores["target"] == "one"]
    assert all(value is None for value in otce_predictions(only, accuracies[accuracies["target"] == "one"]))


def test_equal_accuracies_everywhere_are_refused():
    scores, accuracies = _rows()
    table = join_scores(scores, accuracies.assign(fine_tuned=0.5), ["good", "loss"])
    with pytest.raises(ValueError, match="fine_tuned must differ between encoders on at least one target"):
        correlations(table, HIGHER, {"all": ENCODERS})


def test_mean_r_is_that_over_targets_with_its_sign_as_claimed():
    scores, accuracies = _rows()
    table = join_scores(scores, accuracies, ["good", "loss"])
    expected = over_targets(correlations(table, HIGHER, {"all": ENCODERS[:4]}, "probe")).set_index("score")
    found = mean_r(table, HIGHER, ENCODERS[:4], truth="probe")
    assert found["good"] == expected["pearson"]["good"]
    assert found["loss"] == -expected["pearson"]["loss"] != 0


def test_r_and_its_interval_are_turned_where_it_should_be_negative():
    ends = {"low": [0.4, -0.7, -0.5], "high": [0.6, -0.1, 0.1]}
    table = oriented(pd.DataFrame({"pearson": [0.5, -0.5, -0.25], "expected": ["+", "-", "+"], **ends}))
    assert table["pearson"].tolist() == [0.5, 0.5, -0.25]
    assert table["low"].tolist() == [0.4, 0.1, -0.5]
    assert table["high"].tolist() == [0.6, 0.7, 0.1]


def test_saturation_counts_the_rows_that_have_the_score():
    scores = pd.DataFrame({"saturated_a": [True, False, None], "saturated_b": [True, True, True], "a": 1.0})
    assert saturation(scores).to_dict() == {"a": 0.5, "b": 1.0}


def test_an_interval_is_text_and_empty_where_there_is_none():
    nan = float("nan")
    table = pd.DataFrame({"pearson": [0.5, nan], "low": [-0.126, nan], "high": [0.9, nan]})
    assert format_intervals(table) == ["+0.50 [-0.13, +0.90]", ""]
