"""Numbers that others printed: read whole, and recomputed the same by another route."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from taskrel_core.published import (
    LIBRARY,
    SFDA,
    accuracies,
    poster,
    poster_means,
    published,
    recomputed,
    tables_agree,
)

FACTS = Path(__file__).parents[1] / "notebooks/facts"


@pytest.fixture(scope="module")
def facts():
    return published(FACTS)


@pytest.fixture(scope="module")
def table(facts):
    return recomputed(facts, resamples=50)


def test_each_correlation_is_numpys(facts, table):
    own = accuracies(facts, LIBRARY)
    for row in table.itertuples():
        scores = facts[(facts["quantity"] == row.score) & (facts["target"] == row.target)].set_index("name")[
            "value"
        ]
        expected = np.corrcoef(scores.to_numpy(), own.loc[scores.index, row.target].to_numpy())[0, 1]
        assert row.pearson == pytest.approx(expected, abs=1e-12)
        assert row.n == len(scores) == 10
        assert row.low <= row.pearson <= row.high
        assert row.agrees == (abs(expected - row.printed) < 0.01)


def test_what_does_not_follow_is_two_targets_and_one_copied_column(facts, table):
    wrong = table[~table["agrees"]]
    assert set(wrong["target"]) == {"aircraft", "pets", "dtd"}
    assert list(wrong[wrong["target"] == "dtd"]["score"]) == ["nce"]
    dtd = facts[(facts["source"] == LIBRARY) & (facts["target"] == "dtd")].pivot(
        index="name", columns="quantity", values="value"
    )
    assert (dtd["nce"] == dtd["logme"]).all()


def test_the_same_ten_encoders_are_in_both_sources(facts):
    own, other = accuracies(facts, LIBRARY), accuracies(facts, SFDA)
    assert len(own) == 10
    assert set(own.index) <= set(other.index)
    assert set(own.columns) <= set(other.columns)
    assert not own.isna().any().any()


def test_the_accuracy_tables_disagree(facts):
    agreement = tables_agree(facts, resamples=50).set_index("target")["pearson"]
    assert agreement["dtd"] == pytest.approx(0.54, abs=0.01)
    assert agreement["cars"] == pytest.approx(0.92, abs=0.01)


def test_the_posters_averages_are_means_of_its_cells():
    means = poster_means(poster(FACTS)).set_index("score")
    assert (abs(means["mean"] - means["printed"]) < 0.01).all()
    assert means.loc["ours", "mean"] == pytest.approx((-0.77 - 0.97 - 0.72) / 3)
    assert means.loc["leep", "mean"] > -means.loc["ours", "mean"]
    assert set(means.index[means["expected"] == "-"]) == {"ours", "pactran"}
    assert means.loc["logme", "right"] == 2


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
        published(tmp_path)
    assert str(path) in str(error.value)
