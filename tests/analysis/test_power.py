"""Power against Fisher's formula where there is one, and against tables simulated otherwise."""

import numpy as np
import pytest
from scipy import stats

from taskrel_core.analysis.power import power, simulate, smallest_r
from taskrel_core.analysis.reliability import shared_part
from taskrel_core.analysis.study import mean_correlations, per_target
from tests.analysis.tables import table


def fisher_power(r, encoders):
    return stats.norm.cdf(np.arctanh(r) * np.sqrt(encoders - 3) - stats.norm.ppf(0.975))


@pytest.mark.parametrize("test", ["interval", "permutation"])
@pytest.mark.parametrize(("targets", "shared"), [(1, 0.5), (6, 1.0)])
def test_where_targets_repeat_each_other_power_is_fishers(targets, shared, test):
    found = power(0.4, 36, targets, shared, test=test, tables=300, resamples=300)
    assert found == pytest.approx(fisher_power(0.4, 36), abs=0.1)


def test_it_agrees_with_a_study_of_other_tables():
    """Tables with scales and offsets of each target, seen through the function that a page calls."""
    rng, size = np.random.default_rng(20), {"encoders": 20, "targets": 6, "shared": 0.6, "spread": 0.2}
    rows = [mean_correlations(table(rng, r=0.35, scale=10.0, **size), 300, i).iloc[0] for i in range(200)]
    told = np.mean([row["low"] > 0 or row["high"] < 0 for row in rows])
    assert power(0.35, tables=200, resamples=300, **size) == pytest.approx(told, abs=0.1)
    found = np.mean([row["p"] <= 0.05 for row in rows])
    assert power(0.35, test="permutation", tables=200, resamples=300, **size) == pytest.approx(found, abs=0.1)


def test_no_correlation_is_seen_as_often_as_the_level_says():
    for test in ("interval", "permutation"):
        assert power(0.0, 36, 6, 0.8, test=test, tables=300, resamples=300) <= 0.1


def test_the_smallest_r_has_the_power_asked_for():
    found = smallest_r(36, 1, 0.5, tables=200, resamples=200)
    expected = np.tanh((stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) / np.sqrt(33))
    assert found == pytest.approx(expected, abs=0.05)
    assert power(found, 36, 1, 0.5, tables=200, resamples=200) >= 0.8
    assert smallest_r(36, 6, 0.2, tables=50, resamples=100) < found
    assert np.isnan(smallest_r(4, 1, 0.5, goal=0.99, test="permutation", tables=20, resamples=100))


def test_simulated_tables_are_as_asked():
    rng = np.random.default_rng(0)
    cells = simulate(-0.6, 4000, 5, 0.3, 0.0, rng)
    assert per_target(cells)["pearson"].to_numpy() == pytest.approx(np.full(5, -0.6), abs=0.05)
    assert shared_part(cells) == pytest.approx(0.3, abs=0.03)
    spread = [per_target(simulate(0.5, 500, 5, 0.3, 0.3, rng))["pearson"].to_numpy() for _ in range(60)]
    assert np.arctanh(np.ravel(spread)).std() == pytest.approx(0.3, abs=0.04)


def test_an_unknown_test_is_refused():
    with pytest.raises(
        ValueError, match="test must be 'interval' or 'permutation', got 'f'; name what is to tell"
    ):
        power(0.5, 10, 2, 0.5, test="f")
