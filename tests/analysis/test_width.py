"""A score that only reads the width of the features is found out; and the sentences and tables about it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from taskrel_core.analysis.cells import Cells
from taskrel_core.analysis.correlation import within
from taskrel_core.analysis.encoder_report import (
    against_controls,
    answer,
    beside_poster,
    overview,
    power_text,
    sign_judged,
    signed,
    width_table,
)
from taskrel_core.analysis.resampling import interval_text
from taskrel_core.analysis.study import mean_correlations
from taskrel_core.analysis.verdicts import of_interval
from taskrel_core.analysis.width import SIZE, STATIC, WIDTH, encoder_cells, of_width, sign_verdict
from taskrel_core.experiments.scoring import SCORES

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "book/results/06_tab_correlation.jsonl"


@pytest.fixture(scope="module")
def shipped():
    """The cells of the page, from the rows that the repository ships."""
    rows = [json.loads(line)["row"] for line in SHIPPED.read_text().splitlines()]
    given = yaml.safe_load((ROOT / "notebooks/params/embedded.yml").read_text())["06_tab_correlation"]
    encoders = [name for name in given["rates"] if name not in given["floors"]]
    trainings = pd.DataFrame([row for row in rows if "fine_tuned" in row])
    trainings = trainings[trainings["lr"] == trainings["encoder"].map(given["rates"])]
    scores = pd.DataFrame([row for row in rows if "paper" in row])
    asked = [name for name in SCORES if name in scores and scores[name].notna().any()]
    return encoder_cells(trainings, scores, asked, SCORES, encoders)


def test_the_euclidean_score_follows_width_and_its_sign_is_open(shipped):
    found = of_width(shipped, "paper")
    assert (found.encoders, found.width) == (5, 1280)
    assert -found.with_width == pytest.approx(0.98, abs=0.005)  # of the score as it is, lower is better
    assert found.width_alone == pytest.approx(0.50, abs=0.005)
    assert -found.equal[0] == pytest.approx(-0.09, abs=0.005)
    assert sign_verdict(found) == "inconclusive"


def test_joint_intervals_permutations_and_the_static_ranker(shipped):
    table = mean_correlations(shipped)
    assert table.loc["logit", ["mean_r", "low", "high"]].tolist() == pytest.approx(
        [0.82, 0.50, 0.96], abs=0.03
    )
    assert table.loc["logit", "p"] < 0.002
    assert table.loc["paper", "p"] == pytest.approx(0.08, abs=0.01)
    assert table.loc[STATIC, "mean_r"] == pytest.approx(0.77, abs=0.005)


def test_a_score_of_width_alone_has_no_sign_among_encoders_of_one_width():
    rng = np.random.default_rng(0)
    width = np.array([256] * 3 + [1280] * 6)
    names = [f"e{k}" for k in range(9)]
    lines = [
        {"encoder": e, "target": t, "seed": 0, "d": d, "fine_tuned": 0.3 + d / 4000 + 0.02 * rng.normal()}
        for t in ("one", "two", "three") for e, d in zip(names, width, strict=True)
    ]  # fmt: skip
    rows = pd.DataFrame(lines)
    rows["logme"] = np.log(rows["d"]) + 1e-3 * rng.normal(size=len(rows))
    parameters: dict[str, int | None] = {name: 10 ** (k + 3) for k, name in enumerate(names)} | {"e8": None}
    cells = encoder_cells(rows, rows, ["logme"], {"logme": True}, names, parameters)
    assert cells.scores[SIZE][:3, 1] == pytest.approx(np.log([1e3, 1e4, 1e5]))
    assert np.isnan(cells.scores[SIZE][8]).all()
    found = of_width(cells, "logme", resamples=400)
    assert found.with_width > 0.99
    assert mean_correlations(cells, resamples=200).loc["logme", "mean_r"] > 0.9
    assert sign_verdict(found) == "inconclusive"
    assert (cells.scores[WIDTH][:, 0] == np.log(width)).all()


def test_what_is_said_has_the_sign_of_the_poster(shipped):
    names = {name: name for name in shipped.scores}
    kinds = {"form": ["paper", "logit"], "control": ["reference_accuracy", STATIC]}
    text = answer(shipped, kinds, names)
    assert "Of the forms of relatedness, logit correlates most strongly (+0.82 [" in text
    assert "We find no evidence that it differs from the control" in text
    assert "; at equal width (5 encoders) it has +0.09 [-0.95, +1.00]. Of the forms" in text
    assert "). With so few encoders" in text
    assert sign_judged(shipped) == (
        "The sign is judged at equal width, where the Euclidean form has +0.09 [-0.95, +1.00]."
    )
    few = np.exp(shipped.scores[WIDTH][:, 0]).round() < 1280
    assert (
        sign_judged(shipped.keep(few)) == "With so few encoders the sign cannot be judged apart from width."
    )
    few[np.flatnonzero(~few)[:2]] = True
    assert sign_judged(shipped.keep(few)).startswith("The sign is judged given log width, where")
    assert overview(shipped).loc["logit", "low"] > 0
    table = signed(overview(shipped), SCORES)
    assert table.loc["logit", "high"] < 0 < table.loc["reference_accuracy", "low"]
    poster = pd.DataFrame(
        {"sign": "+", "pets": "+0.80", "mean": "+0.89", "printed": "+0.90"}, index=["logit", "new"]
    )
    beside = beside_poster(poster, table, names)
    assert list(beside) == ["score", "mean, poster", "mean, ours [95 % CI]", "pets"]
    assert beside.iloc[0]["mean, ours [95 % CI]"].startswith("-0.82 [-0.9")
    assert beside.iloc[1].tolist() == ["new", "+0.90", "not run", "+0.80"]
    lines = width_table(shipped, ["paper", "hscore"], names).set_index("score")
    assert lines.loc["paper", "r with log d"] == pytest.approx(-0.98, abs=0.005)
    assert lines.loc["hscore"].iloc[1] == "constant"
    assert "8 encoders and 5 targets detects a true mean r of 0." in power_text(
        shipped, "logit", "logit", tables=8
    )


def test_few_encoders_have_no_interval_and_no_verdict():
    truth = np.random.default_rng(0).normal(size=(4, 3))
    names = tuple("abcd")
    few = Cells(names, tuple("xyz"), names, truth[..., None], {"against": -truth})
    row = mean_correlations(few, resamples=50).loc["against"]
    assert row["mean_r"] == pytest.approx(-1)
    assert np.isnan([row["low"], row["high"]]).all()
    assert interval_text(row) == "-1.00 [no interval]"
    assert of_interval(row["low"], row["high"]) == "inconclusive"
    more = Cells(tuple("abcde"), tuple("xyz"), tuple("abcde"), np.vstack([truth, -truth[:1]])[..., None], {})
    more = more.with_score("against", -more.truth)
    assert mean_correlations(more, resamples=50).loc["against", "high"] == pytest.approx(-1)


def test_scores_are_counted_against_the_best_control():
    truth = np.random.default_rng(0).normal(size=(12, 4))
    noise = np.random.default_rng(1).normal(size=(3, 12, 4))
    scores = {
        "same": truth,
        "against": -truth,
        "close": truth + 2 * noise[0],
        "control": truth + 2 * noise[1],
    }
    names = tuple(f"e{k}" for k in range(12))
    cells = Cells(names, tuple("abcd"), names, truth[..., None], scores)
    text = against_controls(cells, ["control"], {}, resamples=200)
    assert text.startswith(
        "Of 3 scores 1 correlates better and 1 worse than the best of 1 controls (control), by the"
    )
    assert text.endswith("; the other 1 cannot be distinguished from it.")
    alone = Cells(
        names, tuple("abcd"), names, truth[..., None], {"control": truth, "close": truth + 1e-3 * noise[0]}
    )
    assert against_controls(alone, ["control"], {}, resamples=50).startswith(
        "Of 1 scores none correlates better"
    )


def test_a_correlation_between_groups_is_gone_within_them():
    groups = np.repeat([0, 1, 2], 4)
    x = 10 * groups + np.tile([0, 1, 0, 1], 3)
    y = 10 * groups + np.tile([0, 0, 1, 1], 3)
    assert within(x, y, groups).value == pytest.approx(0.0, abs=1e-12)
