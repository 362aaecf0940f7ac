"""Numbers that others printed: read whole, and recomputed the same by another route."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from taskrel_core.analysis.published import (
    LIBRARY,
    SFDA,
    _difference,
    _slack,
    _tau,
    accuracies,
    compare_accuracies,
    largest_gap_first,
    poster_means,
    poster_table,
    read_poster,
    read_published,
    recompute,
)

FACTS = Path(__file__).parents[2] / "notebooks/facts"


@pytest.fixture(scope="module")
def facts():
    return read_published(FACTS)


@pytest.fixture(scope="module")
def table(facts):
    return recompute(facts, resamples=50)


def test_each_correlation_is_numpys(facts, table):
    own, other = accuracies(facts, LIBRARY), accuracies(facts, SFDA)
    for row in table.itertuples():
        scores = facts[(facts["quantity"] == row.score) & (facts["target"] == row.target)].set_index("name")[
            "value"
        ]
        expected = np.corrcoef(scores.to_numpy(), own.loc[scores.index, row.target].to_numpy())[0, 1]
        assert row.pearson == pytest.approx(expected, abs=1e-12)
        assert row.n == len(scores) == 10
        assert row.low <= row.pearson <= row.high
        assert row.agrees == (abs(expected - row.printed) < 0.01)  # the gaps are below 0.01 or above 0.1
        assert row.tau_agrees == row.agrees
        assert row.other == pytest.approx(
            stats.linregress(scores, other.loc[scores.index, row.target]).rvalue
        )
        assert row.difference == pytest.approx(row.pearson - row.other)
        assert row.difference_low <= row.difference <= row.difference_high


def test_the_table_has_the_columns_that_it_promises(table):
    words = set(re.findall(r"\w+", recompute.__doc__.partition("Returns:")[2]))
    assert set(table.columns) <= words
    assert len(table.columns) == 21


def test_the_page_prints_what_follows_from_the_published_columns(facts):
    """The numbers of page 14, with its 2,000 resamples; ends of intervals to within what resampling moves."""
    table = recompute(facts)
    assert (len(table), int((table["agrees"] & table["tau_agrees"]).sum())) == (32, 23)
    worst = largest_gap_first(table).iloc[0]
    assert (worst["target"], worst["score"]) == ("pets", "leep")
    assert abs(worst["printed"] - worst["pearson"]) == pytest.approx(0.60, abs=0.005)
    assert int((table["pearson"] * table["other"] < 0).sum()) == 3
    best = table.groupby("target")[["pearson", "other"]].idxmax()
    assert int((best["pearson"] != best["other"]).sum()) == 2
    apart = table[(table["difference_low"] > 0) | (table["difference_high"] < 0)]
    assert {("cars", "logme"), ("sun397", "logme"), ("sun397", "hscore")} == set(
        zip(apart["target"], apart["score"], strict=True)
    )
    assert int((table["low"] > 0).sum()) == pytest.approx(24, abs=1)
    assert int((table["other_low"] > 0).sum()) == pytest.approx(22, abs=1)
    assert (table["high"] - table["low"]).median() == pytest.approx(0.61, abs=0.02)


def test_what_is_printed_farthest_from_what_follows_comes_first():
    table = pd.DataFrame({"score": list("abc"), "mean": [0.5, 0.2, -0.1], "printed": [0.5, -0.3, 0.1]})
    sorted_table = largest_gap_first(table, "mean")
    assert sorted_table["score"].tolist() == ["b", "c", "a"]
    assert sorted_table.index.tolist() == [0, 1, 2]


def test_weighted_tau_by_its_definition():
    """Pairs weighted by 1/(rank+1) of both, rank 0 the largest; once by the ranks of each side, then the mean."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 7))
    both = []
    for z in (x, y):
        weight = 1 / (1 + np.argsort(np.argsort(-z)))
        pairs = [(i, j) for i in range(7) for j in range(i)]
        w = np.array([weight[i] + weight[j] for i, j in pairs])
        s = np.array([np.sign((x[i] - x[j]) * (y[i] - y[j])) for i, j in pairs])
        both.append((w * s).sum() / w.sum())
    value, least, most = _tau(x, y, seed=0)
    assert value == pytest.approx(np.mean(both))
    assert least <= value <= most


def test_rounding_moves_r_no_further_than_its_slack():
    rng = np.random.default_rng(1)
    x, y = (np.round(rng.normal(size=10), digits) for digits in (2, 1))
    r, slack = np.corrcoef(x, y)[0, 1], _slack(x, y)
    signs = rng.choice([-1, 1], size=(3000, 2, 10))
    moved = [abs(np.corrcoef(x + 0.005 * a, y + 0.05 * b)[0, 1] - r) for a, b in signs]
    assert max(moved) < 1.05 * slack  # it is of first order
    assert max(moved) > 0.4 * slack


def test_the_interval_of_a_difference_is_of_the_same_draws():
    rng = np.random.default_rng(2)
    x, a, b = rng.normal(size=(3, 12))
    assert _difference(x, a, a, 200, 0) == (0, 0)
    draws = np.random.default_rng(5).integers(12, size=(300, 12))
    each = [np.corrcoef(x[d], a[d])[0, 1] - np.corrcoef(x[d], b[d])[0, 1] for d in draws]
    assert _difference(x, a, b, 300, 5) == pytest.approx(np.percentile(each, [2.5, 97.5]))


def test_what_does_not_follow_is_two_targets_and_one_copied_column(facts, table):
    wrong = table[~table["agrees"]]
    assert set(wrong["target"]) == {"aircraft", "pets", "dtd"}
    assert list(wrong[wrong["target"] == "dtd"]["score"]) == ["nce"]
    dtd = facts[(facts["source"] == LIBRARY) & (facts["target"] == "dtd")].pivot(
        index="name", columns="quantity", values="value"
    )
    assert (dtd["nce"] == dtd["logme"]).all()
    copies = table[table["copy_of"] != ""]
    assert copies[["target", "score", "copy_of"]].to_numpy().tolist() == [["dtd", "nce", "logme"]]


def test_only_two_of_sfdas_taus_have_a_score_of_that_name(table):
    assert set(table[table["sfda_tau"].notna()]["score"]) == {"logme", "leep"}
    row = table[(table["target"] == "aircraft") & (table["score"] == "leep")].iloc[0]
    assert row["sfda_tau"] == -0.234


def test_the_same_ten_encoders_are_in_both_sources(facts):
    own, other = accuracies(facts, LIBRARY), accuracies(facts, SFDA)
    assert len(own) == 10
    assert set(own.index) <= set(other.index)
    assert set(own.columns) <= set(other.columns)
    assert not own.isna().any().any()


def test_the_accuracy_tables_disagree(facts):
    agreement = compare_accuracies(facts, resamples=50).set_index("target")["pearson"]
    assert agreement["dtd"] == pytest.approx(0.54, abs=0.01)
    assert agreement["cars"] == pytest.approx(0.92, abs=0.01)


def test_the_posters_averages_are_means_of_its_cells():
    means = poster_means(read_poster(FACTS)).set_index("score")
    assert means["agrees"].all()
    assert means.loc["leep", "mean"] == pytest.approx((0.80 + 0.96 + 0.92) / 3)
    assert (
        means.loc["leep", "printed"] == 0.90
    )  # 0.893: not to two digits, but within what rounded cells allow
    assert means.loc["ours", "mean"] == pytest.approx((-0.77 - 0.97 - 0.72) / 3)
    assert means.loc["leep", "mean"] > -means.loc["ours", "mean"]
    assert set(means.index[means["expected"] == "-"]) == {"ours", "pactran"}
    wrong = set(means.index[means["right"] < means["of"]])
    assert wrong == {"logme", "nce", "pactran", "hscore"}
    turned = poster_means(read_poster(FACTS), signs={})
    assert set(turned["expected"]) == {"+"}


def test_the_posters_table_has_its_cells():
    shown = poster_table(read_poster(FACTS))
    assert list(shown.columns) == ["sign", "pets", "dtd", "aircraft", "mean", "printed"]
    assert shown.loc["leep"].tolist() == ["+", "+0.80", "+0.96", "+0.92", "+0.89", "+0.90"]
    assert shown.loc["ours"].tolist() == ["-", "-0.77", "-0.97", "-0.72", "-0.82", "-0.82"]


def test_an_average_that_does_not_follow_is_seen():
    table = read_poster(FACTS)
    table.loc[(table["target"] == "average") & (table["column"] == "leep"), "pearson"] = 0.91
    means = poster_means(table).set_index("score")
    assert list(means.index[~means["agrees"]]) == ["leep"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda t: t.drop(columns="source"), "must have the columns"),
        (lambda t: t.assign(value=["high", *t["value"][1:]]), "got 'high' in line 2"),
        (lambda t: pd.concat([t, t.tail(1)]), f"got line {773 + 1} again"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, damage, message):
    shutil.copytree(FACTS, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "published-transfer-scores.csv"
    damage(pd.read_csv(path, dtype=str)).to_csv(path, index=False)
    with pytest.raises(ValueError, match=message) as error:
        read_published(tmp_path)
    assert str(path) in str(error.value)
