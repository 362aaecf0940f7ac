"""The study's statistics: against plain loops, on tables whose answer is known, and the coverage of the intervals."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression

from taskrel_core.analysis.resampling import interactions, permutations, resample, residuals, whole
from taskrel_core.analysis.study import (
    differences,
    fisher,
    interaction_correlations,
    leave_one_family_out,
    mean_correlations,
    partial_correlations,
    per_target,
)
from tests.analysis.tables import named, table


def small(seed=0, **kwargs):
    """A table with two scores, a control and three missing cells."""
    rng = np.random.default_rng(seed)
    cells = table(rng, 9, 5, per_family=2, **kwargs)
    other = cells.truth + rng.normal(size=cells.truth.shape)
    control = cells.truth + rng.normal(size=cells.truth.shape)
    control[8, 4] = np.nan
    return cells.with_score("y", other).with_score("c", control).leave_out([("e0", "t1"), ("e3", "t3")])


def taken(cells, name, drawn, i):
    """Score and truth of one resample, encoders and targets repeated as often as it holds them."""
    rows, columns = (np.repeat(np.arange(len(n[i])), n[i]) for n in (drawn.encoders, drawn.targets))
    return cells.scores[name][rows][:, columns], cells.truth[rows][:, columns]


def plain_r(x, y):
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    return stats.pearsonr(x, y).statistic if np.ptp(x) > 1e-9 and np.ptp(y) > 1e-9 else np.nan


def plain_mean(x, y):
    return np.nanmean([plain_r(x[:, t], y[:, t]) for t in range(x.shape[1])])


def plain_interaction(x, y):
    """Residuals of a regression on dummies of encoders and targets, each target scaled first."""
    known = np.isfinite(x) & np.isfinite(y)
    places = np.argwhere(known)
    design = np.hstack([np.eye(x.shape[0])[places[:, 0]], np.eye(x.shape[1])[places[:, 1]]])
    left = []
    for value in (x, y):
        scaled = value / np.nanstd(np.where(known, value, np.nan), axis=0)
        left.append(
            scaled[known] - LinearRegression(fit_intercept=False).fit(design, scaled[known]).predict(design)
        )
    return np.corrcoef(*left)[0, 1]


def test_each_target_is_as_scipy_says():
    cells = small()
    lines = per_target(cells).set_index(["score", "target"])
    assert len(lines) == 3 * 5
    for (score, target), line in lines.iterrows():
        t = cells.targets.index(target)
        known = np.isfinite(cells.truth[:, t]) & np.isfinite(cells.scores[score][:, t])
        x, y = cells.scores[score][known, t], cells.truth[known, t]
        assert line["n"] == known.sum()
        found = stats.pearsonr(x, y)
        assert line["pearson"] == pytest.approx(found.statistic, abs=1e-12)
        assert (line["low"], line["high"]) == pytest.approx(tuple(found.confidence_interval(0.95)), abs=1e-12)
        assert line["weighted_tau"] == pytest.approx(stats.weightedtau(x, y).statistic, abs=1e-12)
        assert line["regret"] == pytest.approx(y.max() - y[x.argmax()], abs=1e-12)
        assert line["rel_at_1"] == pytest.approx(y[x.argmax()] / y.max(), abs=1e-12)


def test_encoders_that_tie_at_the_top_are_chosen_with_equal_chance():
    truth = np.array([[0.2], [0.6], [0.8], [0.4]])
    line = per_target(named(truth, {"x": np.array([[3.0], [3.0], [1.0], [0.0]])})).iloc[0]
    assert line["regret"] == pytest.approx(0.8 - 0.4)
    assert line["rel_at_1"] == pytest.approx(0.5)


@pytest.mark.parametrize("r", [np.nan, 1.0, -1.0])
def test_what_has_no_correlation_has_none(r):
    """A constant score, and two encoders; a perfect score has no width."""
    truth = np.arange(5.0)[:, None] / 5
    score = np.full((5, 1), 0.3) if np.isnan(r) else r * truth
    row = mean_correlations(named(truth, {"x": score}), resamples=50).loc["x"]
    assert row["mean_r"] == pytest.approx(r, nan_ok=True)
    assert [row["low"], row["high"]] == pytest.approx([r, r], nan_ok=True)
    assert row["targets"] == (0 if np.isnan(r) else 1)
    assert np.isnan(row["p"]) == np.isnan(r)
    few = per_target(named(truth[:2], {"x": score[:2]})).iloc[0]
    assert np.isnan(few["weighted_tau"])


@pytest.mark.parametrize("by", ["encoder", "family"])
def test_intervals_are_those_of_plain_loops(by):
    cells, times = small(), 60
    drawn = resample(cells, times, 3, by)
    each, between = ({name: [] for name in cells.scores} for _ in range(2))
    for i in range(times):
        for name in cells.scores:
            x, y = taken(cells, name, drawn, i)
            each[name].append(plain_mean(x, y))
            between[name].append(plain_interaction(x, y))
    mean, inter = (f(cells, times, 3, by) for f in (mean_correlations, interaction_correlations))
    for found, values, column, plain in (
        (mean, each, "mean_r", plain_mean),
        (inter, between, "interaction_r", plain_interaction),
    ):
        for name in cells.scores:
            row = found.loc[name]
            assert row[column] == pytest.approx(plain(cells.scores[name], cells.truth), abs=1e-9)
            assert [row["low"], row["high"]] == pytest.approx(
                np.nanpercentile(values[name], [2.5, 97.5]), abs=1e-6
            )
    gap = differences(cells, ["y", "c"], times, 3, by)
    best = "y" if mean.loc["y", "mean_r"] > mean.loc["c", "mean_r"] else "c"
    assert set(gap["control"]) == {best}
    assert gap.loc[best, ["difference", "low", "high"]].tolist() == [0.0, 0.0, 0.0]
    paired = np.array(each["x"]) - np.array(each[best])
    assert gap.loc["x", ["low", "high"]].tolist() == pytest.approx(np.percentile(paired, [2.5, 97.5]))


def test_families_are_resampled_whole_and_targets_too():
    cells = small()
    drawn = resample(cells, 200, by="family")
    families = np.array(cells.families)
    for family in set(families):
        assert (np.ptp(drawn.encoders[:, families == family], axis=1) == 0).all()
    assert (drawn.targets.sum(1) == 5).all()
    assert (resample(cells, 200).encoders.sum(1) == 9).all()
    with pytest.raises(ValueError, match="by must be 'encoder' or 'family', got 'target'"):
        resample(cells, by="target")


def test_p_values_are_those_of_plain_loops():
    cells = small(r=0.2)
    orders = permutations(9, 80, 5)
    mean, inter = (f(cells, 80, 5)["p"] for f in (mean_correlations, interaction_correlations))
    for name, x in cells.scores.items():
        null = [plain_mean(x, cells.truth[order]) for order in orders]
        assert mean[name] == (1 + np.sum(np.abs(null) >= abs(plain_mean(x, cells.truth)))) / 81
        known = (np.isfinite(x) & np.isfinite(cells.truth)).astype(float)
        scaled = [v / np.nanstd(np.where(known > 0, v, np.nan), axis=0) for v in (x, cells.truth)]
        a, b = (residuals(v, known) for v in scaled)

        def r(order, a=a, b=b, known=known):
            both = (known > 0) & (known[order] > 0)
            return (a * b[order])[both].sum() / np.sqrt((a[both] ** 2).sum() * (b[order][both] ** 2).sum())

        null = [r(order) for order in orders]
        assert inter[name] == (1 + np.sum(np.abs(null) >= abs(r(np.arange(9))))) / 81


def test_a_partial_correlation_is_that_of_residuals():
    cells = small()
    found = partial_correlations(cells, "c", 60, 3)
    drawn = resample(cells, 60, 3)

    def plain(x, y, c):
        values = []
        for t in range(x.shape[1]):
            known = np.isfinite(x[:, t] + y[:, t] + c[:, t])
            line = c[known, t][:, None]
            left = [v[known, t] - LinearRegression().fit(line, v[known, t]).predict(line) for v in (x, y)]
            values.append(plain_r(*left))
        return np.nanmean(values)

    for name in ("x", "y"):
        x, c = cells.scores[name], cells.scores["c"]
        assert found.loc[name, "partial_r"] == pytest.approx(plain(x, cells.truth, c), abs=1e-9)
        values = []
        for i in range(60):
            (a, b), (k, _) = taken(cells, name, drawn, i), taken(cells, "c", drawn, i)
            values.append(plain(a, b, k))
        assert found.loc[name, ["low", "high"]].tolist() == pytest.approx(
            np.nanpercentile(values, [2.5, 97.5]), abs=1e-6
        )
    assert np.isnan(found.loc["c", "partial_r"])
    for call in (lambda: partial_correlations(cells, "z"), lambda: differences(cells, ["c", "z"])):
        with pytest.raises(ValueError, match="control must be one of x, y, c, got 'z'"):
            call()


def test_a_score_that_sees_no_match_has_no_interaction():
    """One number per encoder, with a scale and an offset of each target; the cell's own part has r 1."""
    rng = np.random.default_rng(0)
    main, cell = rng.normal(size=(20, 1)), rng.normal(size=(20, 6))
    cells = named(
        main + cell, {"quality": 2 * main + np.arange(6), "match": residuals(cell, np.ones((20, 6)))}
    )
    noisy = cells.with_score("noisy", main + 1e-3 * rng.normal(size=(20, 6)))
    found = interaction_correlations(noisy, 50)
    assert np.isnan(found.loc["quality", "interaction_r"])
    assert found.loc["match", "interaction_r"] > 0.97  # not 1: each target is scaled by its whole spread
    assert abs(found.loc["noisy", "interaction_r"]) < 0.3
    assert mean_correlations(noisy, 50).loc["quality", "mean_r"] > 0.5


def test_the_unit_of_a_target_is_no_matter():
    rng = np.random.default_rng(0)
    cells = small()
    units, offsets = np.geomspace(1e-3, 1e3, 5), rng.normal(size=5)
    moved = named(units[::-1] * cells.truth, {name: units * x + offsets for name, x in cells.scores.items()})
    for f in (mean_correlations, interaction_correlations):
        columns = [f(cells, 40).columns[0], "low", "high", "p"]
        pd.testing.assert_frame_equal(f(moved, 40)[columns], f(cells, 40)[columns], rtol=1e-7)


def test_leaving_a_family_out_is_the_mean_r_of_the_others():
    cells = small()
    found = leave_one_family_out(cells)
    families = np.array(cells.families)
    for name in cells.scores:
        each = {
            f: plain_mean(cells.scores[name][families != f], cells.truth[families != f])
            for f in set(families)
        }
        row = found.loc[name]
        assert row["mean_r"] == pytest.approx(plain_mean(cells.scores[name], cells.truth))
        assert (row["lowest"], row["highest"]) == pytest.approx((min(each.values()), max(each.values())))
        assert each[row["lowest_without"]] == pytest.approx(row["lowest"])
        assert each[row["highest_without"]] == pytest.approx(row["highest"])
    with pytest.raises(ValueError, match="at least 2 families of encoders, got 'one' only"):
        leave_one_family_out(named(np.eye(3), {}, ["one"] * 3))


def test_resamples_without_a_correlation_are_counted():
    """One encoder of five differs: a resample without it, or of it alone, has none."""
    truth, score = (
        np.array([[1.0], [2.0], [2.0], [2.0], [2.0]]),
        np.array([[1.0], [2.0], [2.5], [3.0], [3.5]]),
    )
    cells = named(truth, {"x": score})
    drawn = resample(cells, 300)
    row = mean_correlations(cells, 300).loc["x"]
    lone = drawn.encoders[:, 0]
    assert row["dropped"] == ((lone == 0) | (lone == 5)).sum() > 50
    assert np.isfinite([row["low"], row["high"]]).all()


COVERAGE = {  # size, r, part of the encoder's own, spread over targets; range of 200 tables' coverage
    "small": ({"encoders": 12, "targets": 6, "r": 0.5, "shared": 0.35}, (0.92, 1.0)),
    "pilot": ({"encoders": 13, "targets": 6, "r": 0.8, "shared": 0.35, "spread": 0.3}, (0.92, 1.0)),
    "zoo P": ({"encoders": 16, "targets": 8, "r": 0.5, "shared": 0.7, "spread": 0.3}, (0.9, 0.99)),
    "zoo S": ({"encoders": 36, "targets": 12, "r": 0.5, "shared": 0.35, "spread": 0.3}, (0.92, 1.0)),
    "null": ({"encoders": 36, "targets": 12, "r": 0.0, "shared": 0.8}, (0.9, 0.99)),
}  # fmt: skip


@pytest.mark.parametrize("case", COVERAGE)
def test_intervals_cover_the_truth_and_the_null_is_kept(case):
    size, (least, most) = COVERAGE[case]
    rng = np.random.default_rng(11)
    drawn = np.arctanh(size["r"]) + size.get("spread", 0.0) * rng.normal(size=100_000)
    expected, covered, rejected = np.tanh(drawn).mean(), [], []
    for i in range(200):
        row = mean_correlations(table(rng, **size), 300, i).iloc[0]
        covered.append(row["low"] <= expected <= row["high"])
        rejected.append(row["p"] <= 0.05)
    assert least <= np.mean(covered) <= most
    if size["r"] == 0:
        assert 0.01 <= np.mean(rejected) <= 0.1


def test_family_intervals_cover_where_families_alone_differ():
    """Three encoders of a family that are alike: resampling encoders covers too little, whole families enough."""
    rng, covered = np.random.default_rng(5), {"encoder": [], "family": []}
    for i in range(200):
        cells = table(rng, 36, 6, r=0.5, shared=0.9, per_family=3)
        for by, hits in covered.items():
            row = mean_correlations(cells, 300, i, by).iloc[0]
            hits.append(row["low"] <= 0.5 <= row["high"])
    assert np.mean(covered["encoder"]) < 0.85
    assert 0.87 <= np.mean(covered["family"]) <= 0.98


@pytest.mark.parametrize("r", [0.0, 0.5])
def test_interaction_intervals_cover_and_the_null_is_kept(r):
    """They are wide: the two-way bootstrap counts the noise of single cells up to three times."""
    rng, covered, rejected = np.random.default_rng(7), [], []
    for i in range(200):
        row = interaction_correlations(table(rng, 16, 8, r=r, shared=0.5), 200, i).iloc[0]
        covered.append(row["low"] <= r <= row["high"])
        rejected.append(row["p"] <= 0.05)
    assert 0.93 <= np.mean(covered) <= 1.0
    assert (0.01 <= np.mean(rejected) <= 0.1) if r == 0 else np.mean(rejected) > 0.8


def test_partial_and_paired_intervals_cover():
    """Score and control are the truth with equal, independent noise, so that no difference is true."""
    rng, covered = np.random.default_rng(9), {"partial": [], "difference": []}
    for i in range(200):
        cells = table(rng, 24, 8, shared=0.5)
        for name in ("a", "b"):
            cells = cells.with_score(name, cells.truth + rng.normal(size=cells.truth.shape))
        r_xy, r_xc = 0.5**0.5, 0.5
        expected = (r_xy - r_xc * r_xy) / np.sqrt((1 - r_xc**2) * (1 - r_xy**2))
        row = partial_correlations(cells, "b", 300, i).loc["a"]
        covered["partial"].append(row["low"] <= expected <= row["high"])
        gap = differences(cells, ["b"], 300, i).loc["a"]
        covered["difference"].append(gap["low"] <= 0 <= gap["high"])
    assert all(0.92 <= np.mean(hits) <= 1.0 for hits in covered.values())


def test_fisher_has_no_interval_below_four():
    assert fisher(0.5, 3) == (-1.0, 1.0)


def test_interactions_of_a_resample_are_those_of_its_own_table():
    cells = small()
    drawn = resample(cells, 1, 4)
    x, y = taken(cells, "x", drawn, 0)
    repeated = named(y, {"x": x})
    assert interactions(cells.scores["x"][None], cells.truth, drawn)[0, 0] == pytest.approx(
        interactions(x[None], y, whole(repeated))[0, 0], abs=1e-9
    )
