"""The numbers of the pages of few-shot studies, computed again from the shipped rows in another way."""

import json
from functools import cache
from pathlib import Path

import jupytext
import numpy as np
import pandas as pd
import pytest
from runner.parameters import declared
from scipy import stats

from taskrel_core import ENCODERS
from taskrel_core.analysis.conditions import changes
from taskrel_core.analysis.few_shot import candidate_cells, candidate_summary, study_cells, summary
from taskrel_core.analysis.few_shot_report import spread
from taskrel_core.analysis.study import mean_correlations
from taskrel_core.experiments.few_shot_scores import SCORES

pytestmark = pytest.mark.xdist_group("study_pages")
ROOT = Path(__file__).resolve().parents[2]
SMALL = "17_tab_small_encoders"
TABLES = [SMALL, "20_tab_packaged_encoders"]
CELL = ["target", "encoder"]
Table = dict[tuple[str, str], float]


@cache
def given(page: str) -> dict:
    """The parameters of a page."""
    notebook = jupytext.read(ROOT / f"notebooks/{page}.py")
    return {name: parameter.default for name, parameter in declared(notebook, page).items()}


@cache
def shipped() -> tuple[pd.DataFrame, ...]:
    """All shipped rows of trainings, scores and candidates."""
    lines = [
        line for path in (ROOT / "book/results").glob("*.jsonl") for line in path.read_text().splitlines()
    ]
    rows = [json.loads(line)["row"] for line in lines]
    kinds = (("n_train", "per_class"), ("group",), ("directions",))
    return tuple(pd.DataFrame([row for row in rows if all(name in row for name in kind)]) for kind in kinds)


def of_page(frame: pd.DataFrame, page: str, **fields) -> pd.DataFrame:
    """The rows that a page asks for."""
    asked = given(page) | given(page).get("sizes", {})
    encoders = asked.get("encoders") or [name for name in ENCODERS if name.startswith("small:")]
    same = ("per_class", "epochs", "batch", "n_test", "reference", "k_reference", "n_reference")
    fields = {name: asked[name] for name in same if name in asked and name in frame} | fields
    kept = frame["target"].isin(asked["targets"]) & frame["encoder"].isin(encoders)
    for name, value in fields.items():
        kept &= frame[name] == value
    return pd.DataFrame(frame[kept])


def selected(page: str) -> pd.DataFrame:
    """The trainings at the learning rate with the best validation of the first seed."""
    rows = of_page(shipped()[0], page)
    rows = rows[rows["lr"].isin(given(page)["rates"]) & rows["seed"].isin(given(page)["seeds"])]
    kept = []
    for _, cell in rows.groupby(CELL, sort=False):
        first = cell[cell["seed"] == given(page)["seeds"][0]]
        best = max(zip(first["validation"], first["lr"], strict=True))[1]
        kept.append(cell[cell["lr"] == best])
    return pd.concat(kept)


def values(scores: pd.DataFrame, name: str) -> Table:
    """A score in each cell, turned so that more is claimed to be better; nothing where it calls itself saturated."""
    if name == "ncti":
        return pooled(scores)
    flag = f"saturated_{name}"
    rows = scores[scores[name].notna()]
    rows = rows[~rows[flag].eq(True)] if flag in rows else rows
    turned = 1 if SCORES[name] else -1
    return {
        (t, e): turned * float(x) for t, e, x in zip(rows["target"], rows["encoder"], rows[name], strict=True)
    }


def pooled(scores: pd.DataFrame) -> Table:
    """NCTI: on each target, each part from 0 for the worst encoder to 1 for the best, added up, less 1."""
    found: Table = {}
    for target, rows in scores[scores["group"] == "recent"].groupby("target"):
        parts = rows.set_index("encoder")[["ncti_ncc", "ncti_seli", "ncti_vc"]].astype(float)
        total = parts.apply(lambda part: (part - part.min()) / (part.max() - part.min())).sum(axis=1) - 1
        found |= {(str(target), str(encoder)): value for encoder, value in total.items()}
    return found


def mean_r(truth: Table, score: Table) -> float:
    """Mean over targets of Pearson's r over encoders."""
    found = []
    for target in {t for t, _ in truth}:
        pairs = [(truth[c], score[c]) for c in truth if c[0] == target and c in score]
        x, y = np.array(pairs).reshape(-1, 2).T
        if len(pairs) > 2 and np.ptp(y) > 1e-9 * np.abs(y).max():
            found.append(stats.pearsonr(x, y).statistic)
    return float(np.mean(found)) if found else float("nan")


def match_r(truth: Table, score: Table) -> float:
    """Pearson's r of what neither encoder nor target explains, each target first scaled to deviation 1; full tables.

    0 for a score that orders all targets alike.
    """
    sides = []
    for side in (truth, score):
        wide = pd.Series(side).unstack()
        wide = wide.sub(wide.mean(axis=1), axis=0).div(wide.std(axis=1, ddof=0), axis=0)
        sides.append((wide - wide.mean(axis=0)).to_numpy().ravel())
    return float(np.corrcoef(*sides)[0, 1]) if min(np.ptp(side) for side in sides) > 1e-9 else 0.0


def regret(truth: Table, score: Table) -> float:
    """Mean over targets of the best accuracy less that of the encoder that the score puts first."""
    lost = []
    for target in {t for t, _ in truth}:
        cells = [c for c in truth if c[0] == target and c in score]
        top = max(score[c] for c in cells)
        lost.append(max(truth[c] for c in cells) - np.mean([truth[c] for c in cells if score[c] == top]))
    return float(np.mean(lost))


def truth_of(page: str) -> Table:
    return selected(page).groupby(CELL)["fine_tuned"].mean().to_dict()


@pytest.mark.parametrize("page", TABLES)
def test_every_seed_of_every_cell_is_shipped(page):
    asked, trainings = given(page), selected(page)
    encoders = asked["encoders"] or [name for name in ENCODERS if name.startswith("small:")]
    assert len(trainings) == len(asked["targets"]) * len(encoders) * len(asked["seeds"])
    scores = of_page(shipped()[1], page, labels="true")
    counts = scores.groupby("group").size()
    assert (counts[asked["groups"]] == len(asked["targets"]) * len(encoders)).all()


@pytest.mark.parametrize("page", TABLES)
def test_the_tables_of_encoders(page):
    scores = of_page(shipped()[1], page, labels="true")
    families = None if page == SMALL else {name: ENCODERS[name].family for name in given(page)["encoders"]}
    cells = study_cells(selected(page), scores, SCORES, **({"family": families} if families else {}))
    table, truth, complete = summary(cells, ["probe", "knn"], resamples=50), truth_of(page), 0
    for name in set(SCORES) & set(table.index):
        score = values(scores, name)
        assert table.loc[name, "mean_r"] == pytest.approx(mean_r(truth, score), abs=1e-9, nan_ok=True), name
        if len(score) == len(truth):
            assert table.loc[name, "interaction_r"] == pytest.approx(match_r(truth, score), abs=1e-6), name
            assert table.loc[name, "regret"] == pytest.approx(regret(truth, score), abs=1e-9), name
            complete += 1
    assert complete > 15


def test_the_interval_of_the_small_encoders_by_another_bootstrap():
    """Pre-trainings and targets resampled together, in a loop, with another generator; its ends are sure to 0.01."""
    scores, truth = of_page(shipped()[1], SMALL, labels="true", group="euclidean"), truth_of(SMALL)
    wide, score = (pd.Series(side).unstack() for side in (truth, values(scores, "euclidean")))
    family = wide.columns.str.split("/").str[1]
    members = [np.flatnonzero(family == name) for name in family.unique()]
    rng, found = np.random.default_rng(11), []
    for _ in range(4000):
        columns = np.concatenate([members[k] for k in rng.integers(len(members), size=len(members))])
        a, b = (side.to_numpy()[:, columns] for side in (wide, score))
        a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
        r = (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))
        found.append(r[rng.integers(len(r), size=len(r))].mean())
    cells = study_cells(selected(SMALL), scores, {"euclidean": SCORES["euclidean"]})
    row = mean_correlations(cells, resamples=10000, by="family").loc["euclidean"]
    assert (row["low"], row["high"]) == pytest.approx(np.percentile(found, [2.5, 97.5]), abs=0.025)


def test_the_changes_with_little_data():
    page = "21_fig_little_data"
    trainings, truth, scored = selected(page), truth_of(page), shipped()[1]
    few = given(page)["few"]
    rows = {
        "all": of_page(scored, page, labels="true"),
        "few": of_page(scored, page, labels="true", per_class=few),
    }
    rows = {name: part[part["group"].isin(given(page)["groups"])] for name, part in rows.items()}
    table = changes(
        {name: [study_cells(trainings, part, SCORES)] for name, part in rows.items()}, resamples=20
    )
    assert {"euclidean", "logme", "probe"} <= set(table["score"])
    for row in table[table["score"] != "static_ranker"].to_dict("records"):
        own, full = (mean_r(truth, values(rows[name], row["score"])) for name in (row["condition"], "all"))
        assert row["mean_r"] == pytest.approx(own, abs=1e-9), row
        assert row["change"] == pytest.approx(own - full, abs=1e-9), row


def test_the_search():
    asked = given("19_tab_search")
    encoders = [name for name in ENCODERS if name.startswith(f"small:{asked['searched']}/")]
    first, _, rows = shipped()
    chosen = first["target"].isin(asked["development"]) & first["encoder"].isin(encoders)
    chosen &= (
        (first["lr"] == asked["lr"])
        & first["seed"].isin(asked["seeds"])
        & (first["per_class"] == asked["per_class"])
    )
    trainings = first[chosen]
    truth = trainings.groupby(CELL)["fine_tuned"].mean().to_dict()
    table = candidate_summary(candidate_cells(trainings, rows), resamples=20)
    assert len(table) == 2 * len(asked["candidates"])
    for text in asked["candidates"]:
        own = rows[
            (rows["directions"] == text.split()[0])
            & (rows["n_directions"] == int(text.split()[1]))
            & (rows["strength"] == float(text.split()[2]))
            & (rows["measure"] == text.split()[3])
        ]
        for name, column in ((text, "bound"), (f"{text} loss", "loss")):
            score = {(t, e): -x for t, e, x in zip(own["target"], own["encoder"], own[column], strict=True)}
            assert table.loc[name, "mean_r"] == pytest.approx(mean_r(truth, score), abs=1e-9), name


def test_what_the_transport_term_follows():
    page = "18_fig_transport_term"
    trainings = of_page(shipped()[0], page)
    trainings = trainings[(trainings["lr"] == given(page)["lr"]) & (trainings["seed"] == 0)]
    scores = of_page(shipped()[1], page, labels="true")
    columns = {"euclidean": ["euclidean_transport"], "controls": ["effective_rank", "permuted_transport"]}
    parts = [scores[scores["group"] == group].set_index(CELL)[names] for group, names in columns.items()]
    table = parts[0].join(parts[1]).join(trainings.set_index(CELL)["fine_tuned"]).reset_index()
    table = table.rename(columns={"euclidean_transport": "transport", "fine_tuned": "accuracy"})
    means = {  # by encoder, over targets
        name: np.array([np.mean(list(part)) for _, part in table.groupby("encoder")[name]])
        for name in ("transport", "effective_rank", "accuracy")
    }
    bounds = scores[scores["group"] == "euclidean"]
    paper = mean_correlations(study_cells(trainings, bounds, {"euclidean": False}), 20).loc["euclidean"]
    truth = trainings.set_index(CELL)["fine_tuned"].to_dict()
    assert paper["mean_r"] == pytest.approx(mean_r(truth, values(bounds, "euclidean")), abs=1e-9)
    shown = table.groupby("encoder", sort=False).mean(numeric_only=True).reset_index()
    text = spread(table, shown, paper)
    assert f"Euclidean bound here, {paper['mean_r']:+.2f} [" in text
    for name in ("transport", "accuracy"):
        r = stats.pearsonr(np.log(means["effective_rank"]), means[name])
        low, high = r.confidence_interval(0.95)
        assert f"{r.statistic:+.2f} [{low:+.2f}, {high:+.2f}]" in text
