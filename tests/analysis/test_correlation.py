"""Correlations and their intervals against a plain loop over SciPy."""

import numpy as np
import pytest
from scipy import stats

from taskrel_core.analysis.correlation import correlate, mean_interval, within

RNG = np.random.default_rng(3)
X = RNG.normal(size=11)
Y = X + RNG.normal(size=11)


def plain(members, resamples, seed=0):
    rng, draws = np.random.default_rng(seed), []
    for _ in range(resamples):
        rows = np.concatenate([members[g] for g in rng.integers(len(members), size=len(members))])
        if np.ptp(X[rows]) > 0 and np.ptp(Y[rows]) > 0:
            draws.append(stats.pearsonr(X[rows], Y[rows]).statistic)
    return np.percentile(draws, [2.5, 97.5])


@pytest.mark.parametrize("groups", [None, [0, 0, 0, 1, 1, 2, 3, 3, 3, 3, 4]])
def test_value_and_interval_are_those_of_a_plain_loop(groups):
    labels = np.arange(11) if groups is None else np.array(groups)
    members = [np.flatnonzero(labels == g) for g in range(labels.max() + 1)]
    r = correlate(X, Y, groups=groups, resamples=150)
    assert r.value == pytest.approx(stats.pearsonr(X, Y).statistic, abs=1e-12)
    assert [r.low, r.high] == pytest.approx(plain(members, 150), abs=1e-9)
    assert r.n == 11


def test_a_partial_correlation_is_that_of_what_the_given_leaves_over():
    given = X + RNG.normal(size=11)
    left = [side - np.polyval(np.polyfit(given, side, 1), given) for side in (X, Y)]
    r = correlate(X, Y, given=given, resamples=200)
    assert r.value == pytest.approx(stats.pearsonr(*left).statistic, abs=1e-12)
    assert r.low < r.value < r.high


def test_what_is_given_may_leave_nothing_over():
    assert np.isnan(correlate(X, Y, given=3 * X - 1, resamples=20).value)


def test_within_groups_there_is_no_correlation_with_what_is_constant_in_them():
    groups = np.repeat([0, 1, 2], 3)
    r = within(RNG.normal(size=9), groups * 0.1 + 0.7, groups, resamples=20)
    assert np.isnan([r.value, r.low, r.high]).all()


def test_draws_in_which_one_side_is_constant_are_left_out():
    r = correlate([1, 1, 1, 2], [1, 2, 3, 4])
    assert np.isfinite([r.low, r.high]).all()


def test_scale_and_a_large_offset_do_not_matter():
    plain_one, moved = correlate(X, Y), correlate(1e4 + 1e-3 * X, 5 * Y - 7)
    assert [moved.value, moved.low, moved.high] == pytest.approx(
        [plain_one.value, plain_one.low, plain_one.high], abs=1e-5
    )


@pytest.mark.parametrize("rest", [0.0, 1e-12])
def test_a_side_that_is_constant_up_to_rounding_has_no_correlation(rest):
    r = correlate(np.ones(5) + rest * np.arange(5) ** 2, np.arange(5))
    assert np.isnan([r.value, r.low, r.high]).all()


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([1, 2], [1, 2], "length of at least 3"),
        ([1, 2, 3], [1, 2], "one length"),
        ([1, 2, np.nan], [1, 2, 3], "must be finite"),
    ],
)
def test_what_cannot_be_correlated_is_refused(x, y, message):
    with pytest.raises(ValueError, match=message):
        correlate(x, y)


def test_a_mean_has_the_interval_of_its_groups():
    rng = np.random.default_rng(0)
    means = rng.normal(size=200)
    groups = np.repeat(np.arange(200), 5)
    mean, low, high = mean_interval(np.repeat(means, 5), groups)
    error = 1.96 * means.std() / 200**0.5  # of the groups: five copies of each say nothing more
    assert mean == pytest.approx(means.mean())
    assert (high - low) / 2 == pytest.approx(error, rel=0.1)
    assert low < mean < high


def test_groups_count_alike_whatever_their_size():
    assert mean_interval([0.0, 0.0, 0.0, 1.0], ["a", "a", "a", "b"])[0] == 0.5


def test_a_mean_of_equal_groups_has_no_width():
    assert mean_interval([2.0, 2.0], ["a", "b"]) == (2.0, 2.0, 2.0)


@pytest.mark.parametrize("values", [[1.0], [1.0, float("nan")]])
def test_a_mean_refuses_what_has_no_value(values):
    with pytest.raises(ValueError, match="values must be finite numbers, one per group"):
        mean_interval(values, ["a", "b"])
