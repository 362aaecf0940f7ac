"""Noise ceilings, Kendall's W and the variance split: tables whose components are known."""

import numpy as np
import pytest
from scipy import stats

from taskrel_core.analysis.reliability import (
    interaction_ceiling,
    kendall_w,
    noise_ceiling,
    shared_part,
    variance_split,
)
from taskrel_core.analysis.resampling import interactions, whole
from taskrel_core.analysis.study import per_target
from tests.analysis.tables import components, named, table

SD = {"encoder": 1.0, "target": 2.0, "interaction": 0.7, "seed": 0.9, "noise": 0.5}


def test_reliability_is_the_intraclass_correlation_of_the_mean():
    """McGraw and Wong's ICC(C, k) from mean squares of a two-way analysis of variance."""
    rng = np.random.default_rng(0)
    runs = components(rng, 8, 2, 3, SD)
    found = noise_ceiling(named(runs, {}))
    for t in range(2):
        x = runs[:, t]
        between = 3 * x.mean(1).var(ddof=1)
        error = ((x - x.mean(1, keepdims=True) - x.mean(0) + x.mean()) ** 2).sum() / (7 * 2)
        row = found.loc[f"t{t}"]
        assert row["reliability"] == pytest.approx((between - error) / between, rel=1e-9)
        assert row["ceiling"] == pytest.approx(np.sqrt((between - error) / between), rel=1e-9)
        assert row["seed_sd"] == pytest.approx(np.sqrt(error), rel=1e-9)
        assert row["sd"] == pytest.approx(x.mean(1).std(ddof=1))
        assert (row["encoders"], row["seeds"]) == (8, 3)


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_the_ceiling_is_what_the_noise_free_accuracy_reaches(missing):
    """On many encoders; a seed that is good for all of them changes nothing, nor do seeds that some lack."""
    rng = np.random.default_rng(1)
    clean = components(rng, 3000, 4, 1, SD | {"seed": 0.0, "noise": 0.0})
    runs = clean + components(rng, 3000, 4, 3, dict.fromkeys(SD, 0.0) | {"seed": 0.9, "noise": 0.8})
    runs[rng.random(runs.shape) < missing] = np.nan
    clean = np.where(np.isfinite(runs).any(2), clean[:, :, 0], np.nan)
    cells = named(runs, {"clean": clean})
    found = noise_ceiling(cells)["ceiling"].to_numpy()
    if missing:  # seeds that are good for all now differ between encoders by which they lack
        assert (found >= per_target(cells)["pearson"].to_numpy() - 0.01).all()
    else:
        assert found == pytest.approx(per_target(cells)["pearson"].to_numpy(), abs=0.01)
        assert interaction_ceiling(cells) == pytest.approx(
            interactions(clean[None], cells.truth, whole(cells))[0, 0], abs=0.01
        )


def test_ceilings_of_missing_cells_and_of_several_sizes_are_recovered_on_average():
    rng = np.random.default_rng(2)
    found, expected = [], []
    for _ in range(100):
        clean = components(rng, 20, 6, 1, SD | {"seed": 0.0, "noise": 0.0})
        runs = clean + components(rng, 20, 6, 3, dict.fromkeys(SD, 0.0) | {"noise": 1.0})
        runs[rng.random((20, 6)) < 0.1] = np.nan
        cells = named(runs, {"clean": clean[:, :, 0]})
        found.append((noise_ceiling(cells)["ceiling"].mean(), interaction_ceiling(cells)))
        r = interactions(cells.values, cells.truth, whole(cells))[0, 0]
        expected.append((per_target(cells)["pearson"].mean(), r))
    assert np.mean(found, axis=0) == pytest.approx(np.mean(expected, axis=0), abs=0.02)


def test_one_seed_says_nothing_of_noise_and_noise_alone_has_no_ceiling():
    rng = np.random.default_rng(3)
    one = named(rng.normal(size=(5, 3)), {})
    assert noise_ceiling(one)[["reliability", "ceiling", "seed_sd"]].isna().all(axis=None)
    assert np.isnan(interaction_ceiling(one))
    noise = rng.normal(size=(5, 3, 4))
    noise += 1e-3 * np.arange(5)[:, None, None] - noise.mean(2, keepdims=True)  # means that hardly differ
    alone = named(noise, {})
    assert (noise_ceiling(alone)["reliability"] < 0).all()
    assert (noise_ceiling(alone)["ceiling"] == 0).all()
    assert interaction_ceiling(alone) == 0.0


@pytest.mark.parametrize("ties", [False, True])
def test_kendalls_w_is_the_mean_rank_correlation(ties):
    rng = np.random.default_rng(4)
    truth = rng.normal(size=(9, 1)) + rng.normal(size=(9, 5))
    truth = np.round(truth) if ties else truth
    found = kendall_w(named(truth, {}))
    ranks = stats.rankdata(truth, axis=0)
    if not ties:
        pairs = np.corrcoef(ranks.T)[np.triu_indices(5, 1)]
        assert found.w == pytest.approx((4 * pairs.mean() + 1) / 5)
    groups = [np.unique(column, return_counts=True)[1] for column in truth.T]
    correction = sum((counts**3 - counts).sum() for counts in groups)
    spread = ((ranks.sum(1) - ranks.sum() / 9) ** 2).sum()
    assert found.w == pytest.approx(12 * spread / (25 * (9**3 - 9) - 5 * correction))
    assert found.p == pytest.approx(stats.chi2.sf(5 * 8 * found.w, 8))
    assert (found.encoders, found.targets) == (9, 5)


def test_kendalls_w_at_its_ends_and_without_incomplete_encoders():
    up = np.arange(6.0)
    assert kendall_w(named(np.array([up, up**3, up - 9]).T, {})).w == pytest.approx(1.0)
    assert kendall_w(named(np.array([up, -up]).T, {})).w == pytest.approx(0.0)
    assert np.isnan(kendall_w(named(np.ones((4, 3)), {})).w)
    lacking = np.array([up, up]).T
    lacking[5, 1] = np.nan
    assert kendall_w(named(lacking, {})).encoders == 5
    lacking[2:, 1] = np.nan
    with pytest.raises(ValueError, match="at least 3 encoders with all of at least 2 targets, got 2 and 2"):
        kendall_w(named(lacking, {}))


def test_the_variance_components_are_recovered():
    """On average over tables: each estimate is unbiased where it is not cut at 0."""
    rng = np.random.default_rng(5)
    found = [variance_split(components(rng, 30, 10, 3, SD)) for _ in range(150)]
    mean = sum(found) / len(found)
    error = np.std([split.to_numpy() for split in found], axis=0) / 150**0.5
    for (name, value), se in zip(mean.items(), error, strict=True):
        assert value == pytest.approx(SD[name] ** 2, abs=4 * se), name


def test_components_that_are_not_there_are_nought():
    rng = np.random.default_rng(6)
    split = variance_split(components(rng, 40, 8, 3, dict.fromkeys(SD, 0.0) | {"encoder": 1.0}))
    assert split["encoder"] > 0.5
    assert split.drop("encoder").to_numpy() == pytest.approx(np.zeros(4), abs=1e-12)


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        (np.ones((1, 3, 2)), "got 1, 3 and 2 with 0 trainings missing"),
        (np.array([[[1.0, np.nan], [1, 2]]] * 2), "got 2, 2 and 2 with 2 trainings missing"),
    ],
)
def test_a_split_needs_a_whole_table(runs, words):
    with pytest.raises(ValueError, match=words):
        variance_split(runs)


@pytest.mark.parametrize("part", [0.0, 0.35, 1.0])
def test_the_part_that_targets_share_is_recovered(part):
    rng = np.random.default_rng(7)
    found = [shared_part(table(rng, 40, 10, shared=part, scale=100.0)) for _ in range(40)]
    assert np.mean(found) == pytest.approx(part, abs=0.04)


def test_a_target_on_which_all_are_equal_says_nothing_of_what_targets_share():
    truth = np.arange(5.0)[:, None] * [1, 2, 0]
    assert shared_part(named(truth, {})) == pytest.approx(1.0)
    assert np.isnan(shared_part(named(truth[:, 2:], {})))
