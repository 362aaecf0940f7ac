"""The slider for tau: what of a file reaches the page, and what is refused."""

import pandas as pd
import pytest
import slider

TABLE = pd.DataFrame(
    {
        "tau": [0.2, 0.02, 0.02], "pair": ["a → b", "a → b", "c → d"], "chance": [2.0, 2.0, 2.5],
        "best head": [1.0, 1.5, 2.0], "Euclidean": [3.0, 2.5, 2.25], "one-sided": [1.25, 1.75, 2.125],
    }
)  # fmt: skip


def test_each_tau_has_its_pairs_with_the_gap_ratio_of_each_cost(tmp_path):
    TABLE.to_csv(tmp_path / "gap.csv", index=False)
    first, last = slider.slides(tmp_path / "gap.csv")
    assert (first["tau"], last["tau"]) == (0.02, 0.2)
    assert [pair["pair"] for pair in first["pairs"]] == ["a → b", "c → d"]
    (pair,) = last["pairs"]
    assert (pair["best"], pair["chance"]) == (1.0, 2.0)
    found = [(bound["cost"], bound["bound"], bound["ratio"]) for bound in pair["bounds"]]
    assert found == [("Euclidean", 3.0, 2.0), ("one-sided", 1.25, 0.25)]
    assert len({bound["colour"] for bound in pair["bounds"]} - {""}) == 2


def test_a_missing_column_is_named(tmp_path):
    TABLE.drop(columns="best head").to_csv(tmp_path / "gap.csv", index=False)
    with pytest.raises(ValueError, match=r"gap\.csv must have the columns tau, pair, .*, has no best head"):
        slider.slides(tmp_path / "gap.csv")
