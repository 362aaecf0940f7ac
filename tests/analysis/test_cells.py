"""From tidy tables to cells, and the ranker that never sees the target."""

import numpy as np
import pandas as pd
import pytest

from taskrel_core.analysis.cells import read_cells, static_ranker
from tests.analysis.tables import named

TRUTH = pd.DataFrame(
    [(e, t, s, 10 * i + j + 0.1 * s, f"{e} net") for i, e in enumerate("ba") for j, t in enumerate("uv") for s in (0, 1)],
    columns=["encoder", "target", "seed", "truth", "family"],
)  # fmt: skip
SCORES = pd.DataFrame(
    [("a", "u", "up", 1.0), ("b", "u", "up", 2.0), ("b", "u", "up", 4.0), ("a", "v", "down", 7), ("c", "u", "up", 9.0)],
    columns=["encoder", "target", "score", "value"],
)  # fmt: skip


def test_tidy_tables_become_cells():
    cells = read_cells(TRUTH, SCORES, {"up": True, "down": False})
    assert (cells.encoders, cells.targets, cells.families) == (("b", "a"), ("u", "v"), ("b net", "a net"))
    assert cells.runs.shape == (2, 2, 2)
    assert cells.truth == pytest.approx(np.array([[0.05, 1.05], [10.05, 11.05]]))
    nan = np.nan
    np.testing.assert_array_equal(cells.scores["up"], [[3.0, nan], [1.0, nan]])
    np.testing.assert_array_equal(cells.scores["down"], [[nan, nan], [nan, -7.0]])
    assert cells.values.shape == (2, 2, 2)


def test_a_seed_that_a_cell_lacks_is_missing_and_the_mean_is_of_the_others():
    cells = read_cells(TRUTH.drop(index=1), SCORES, {"up": True, "down": False})
    assert np.isnan(cells.runs).sum() == 1
    assert cells.truth[0, 0] == 0.0


def test_encoders_without_families_are_their_own():
    cells = read_cells(TRUTH.drop(columns="family"), SCORES, {"up": True, "down": False})
    assert cells.families == cells.encoders


def test_cells_are_left_out_and_encoders_kept():
    cells = read_cells(TRUTH, SCORES, {"up": True, "down": False})
    out = cells.leave_out([("a", "v")])
    assert np.isnan(out.truth).tolist() == [[False, False], [False, True]]
    assert np.isfinite(cells.truth).all()
    kept = cells.keep(np.array([False, True]))
    assert (kept.encoders, kept.families, kept.truth.tolist()) == (("a",), ("a net",), [[10.05, 11.05]])
    assert kept.scores["up"][0, 0] == 1.0


@pytest.mark.parametrize(
    ("truth", "higher", "words"),
    [
        (TRUTH.iloc[:0], {"up": True, "down": False}, "one row per encoder, target and seed, got none"),
        (pd.concat([TRUTH, TRUTH[:1]]), {"up": True, "down": False}, "got a training twice; select one learning"),
        (TRUTH, {"up": True}, "higher_is_better must name every score, got none for down"),
    ],
)  # fmt: skip
def test_tables_that_are_no_cells_are_refused(truth, higher, words):
    with pytest.raises(ValueError, match=words):
        read_cells(truth, SCORES, higher)


def test_the_static_ranker_is_the_mean_over_other_targets_from_their_means():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(5, 4))
    truth[1, 2] = np.nan
    found = static_ranker(named(truth, {}))
    for t in range(4):
        others = [s for s in range(4) if s != t]
        above = truth[:, others] - np.nanmean(truth[:, others], axis=0)
        assert found[:, t] == pytest.approx(np.nanmean(above, axis=1))
    moved = truth.copy()
    moved[:, 0] = rng.normal(size=5)
    assert static_ranker(named(moved, {}))[:, 0] == pytest.approx(found[:, 0])


def test_the_static_ranker_of_a_single_target_knows_nothing():
    assert np.isnan(static_ranker(named([[1.0], [2.0]], {}))).all()
