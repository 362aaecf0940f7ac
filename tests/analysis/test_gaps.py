"""The gap against what a bound below chance may be off: made-up rows, and the numbers of the page from the shipped ones."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from taskrel_core.analysis.gaps import gap_verdicts, gaps, over_tau

SHIPPED = Path(__file__).resolve().parents[2] / "book/results/03_fig_small_gap.jsonl"
ROW = {"pair": "a", "seed": 0, "tau": 0.02, "mode": "learned_all", "transferability": 1.0, "chance": 2.0}


def rows(**bounds):
    """One row per tau of ``bounds``, "t0_02": (Euclidean, one-sided)."""
    return pd.DataFrame(
        ROW | {"tau": float(tau[1:].replace("_", ".")), "bound_euclidean": e, "bound_one_sided": o}
        for tau, (e, o) in bounds.items()
    )


def test_a_ratio_is_0_at_the_best_head_and_1_at_chance():
    table = gaps(rows(t0_02=(2.0, 1.0)))
    assert table["metric"].tolist() == ["euclidean", "one_sided"]
    assert table["ratio"].tolist() == [1.0, 0.0]
    assert table["gap"].tolist() == [1.0, 0.0]


def test_what_learns_nothing_is_beside_the_row_of_the_same_pair_seed_and_tau():
    nothing = rows(t0_02=(3.0, 2.5)).assign(mode="fixed_all")
    table = gaps(pd.concat([rows(t0_02=(2.0, 1.5), t0_5=(2.0, 1.5)), nothing]))
    assert table["fixed_all"].tolist() == pytest.approx([3.0, np.nan] * 2, nan_ok=True)
    assert len(table) == 4


def test_the_sweep_has_mean_range_and_fraction_below_chance():
    more = rows(t0_02=(1.5, 1.4)).assign(pair="b")
    found = over_tau(gaps(pd.concat([rows(t0_02=(2.5, 1.2)), more]))).loc[("euclidean", 0.02)]
    assert found.tolist() == [1.0, 0.5, 1.5, 0.5]


@pytest.mark.parametrize(
    ("other", "verdict"),
    [(1.25, "supported"), (1.75, "supported with caveat"), (3.0, "supported with caveat")],
)
def test_what_is_small_at_one_tau_alone_has_a_caveat(other, verdict):
    table = gaps(rows(t0_02=(2.5, 1.25), t0_5=(1.0, other)))
    assert gap_verdicts(table, 0.02) == {"euclidean": "not supported", "one_sided": verdict}


@pytest.fixture(scope="module")
def shipped():
    """The rows of the page, and the taus at which it measures."""
    found = pd.DataFrame(json.loads(line)["row"] for line in SHIPPED.read_text().splitlines())
    return found.assign(pair=found["reference"] + " > " + found["target"])


def test_the_numbers_of_the_page_follow_from_the_shipped_rows(shipped):
    table = gaps(shipped)
    at = over_tau(table).xs(0.02, level="tau")
    assert at["mean"].to_dict() == pytest.approx({"euclidean": 1.61, "one_sided": 0.28}, abs=0.005)
    assert at["below"].to_dict() == {"euclidean": 0.0, "one_sided": 1.0}
    learned = shipped[shipped["mode"] == "learned_all"]
    by_hand = (learned["bound_one_sided"] - learned["transferability"]) / (
        learned["chance"] - learned["transferability"]
    )
    ratios = table[table["metric"] == "one_sided"]
    assert ratios["ratio"].mean() == pytest.approx(by_hand.mean())
    assert learned["certified"].all()


def test_the_sweep_of_the_page_follows_from_the_shipped_rows(shipped):
    table = gaps(shipped)
    mean = over_tau(table)["mean"].unstack("metric").round(2)
    assert mean["euclidean"].to_dict() == {0.02: 1.61, 0.05: 1.63, 0.1: 1.71, 0.2: 1.95, 0.5: 3.01, 1.0: 5.06}
    assert mean["one_sided"].to_dict() == {0.02: 0.28, 0.05: 0.28, 0.1: 0.28, 0.2: 0.27, 0.5: 0.22, 1.0: 0.16}
    assert gap_verdicts(table, 0.02) == {"euclidean": "not supported", "one_sided": "supported"}
