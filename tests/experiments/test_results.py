"""The rows that the project ships: whole, findable, and what this machine computes again."""

import functools
import importlib
import json
import math
import pkgutil
from dataclasses import fields
from pathlib import Path

import pytest

from taskrel_core import experiments
from taskrel_core.experiments.candidates import Candidate
from taskrel_core.experiments.certificate import Certificate
from taskrel_core.experiments.departures import Departure
from taskrel_core.experiments.few_shot import FewShot
from taskrel_core.experiments.few_shot_scores import FewShotScores
from taskrel_core.experiments.fine_tuning import FineTuning
from taskrel_core.experiments.ranking import Ranked
from taskrel_core.experiments.relatedness import Experiment
from taskrel_core.experiments.row import Row
from taskrel_core.experiments.scoring import FORMS, SCORES, Scoring
from taskrel_core.experiments.separation import Separation
from taskrel_core.experiments.speed import Timing
from taskrel_core.experiments.store import RowStore, _entry

pytestmark = pytest.mark.xdist_group("results")
RESULTS = Path(__file__).parents[2] / "book/results"
# Of each kind, what is cheap and from packages alone.
SAMPLE = [
    FineTuning("emoji_noto", "random_net", lr=3e-5),
    Scoring("fashion_mnist", "emoji_noto", "random_net"),
    Experiment(
        "fashion_mnist", "mnist", "efficientnet_lite0", 0.2, metric="one_sided", n_reference=500, n_target=500
    ),
    Certificate("digits", "glyphs_digits", "lenet", metric="euclidean", mode="fixed_all"),
    Departure("planted", label_cost=1.0, balanced=True),
    Timing("by_class", n=500, d=256, k=10),
    Separation("digits", "small:resnet/tiny_3"),
    FewShot("digits", "small:mobilenet/random"),
    FewShotScores("fashion_mnist", "digits", "small:mobilenet/random", "euclidean"),
    Candidate("fashion_mnist", "digits", "small:mobilenet/random"),
    Ranked("emoji_noto", "squeezenet", "emoji_twemoji"),
]
BOUNDS = ("bound", "bound_euclidean", "bound_span", "bound_logit", "bound_one_sided")
NUMBERS = {  # what is compared: not the seconds
    "FineTuning": ("fine_tuned", "probe"),
    "Scoring": tuple(SCORES),
    "Experiment": (*BOUNDS, "reweighted_loss", "loss", "transferability"),
    "Checking": ("bound", "loss", "loss_new", "best"),
    "Departure": (
        "reported",
        "constant",
        "constant_in_z",
        "with_inverse",
        "with_shares",
        "loss",
        "recovered",
    ),
    "Timing": ("value",),
    "Separation": ("class_distance", "loss", "loss_new"),
    "FewShot": ("fine_tuned", "probe"),
    "FewShotScores": ("euclidean", "euclidean_reweighted", "euclidean_loss"),
    "Candidate": ("bound", "loss"),
    "Ranked": ("bound", "loss", "probe", "logme", "knn"),
}
# Relative, on another machine: a search follows one of many heads within the gap, or steps that round elsewhere; a
# network is trained before; all else is rounding.
SHARE = {
    **{
        "Scoring": 1e-3,
        "Experiment": 1e-2,
        "Checking": 3e-2,
        "Departure": 1e-2,
        "Timing": 1e-6,
        "Separation": 1e-3,
    },
    **{"FewShotScores": 1e-2, "Candidate": 3e-2, "Ranked": 1e-2},
}
# Calibrated tau is searched to 1 %; a head within its gap may put a few samples of the reference on the other side.
SOLVED = {"log_tau": 0.01, "reference_accuracy": 0.01}


@functools.cache
def shipped() -> dict[str, dict]:
    return RowStore(Path("nowhere"), RESULTS).shipped()


@functools.cache
def kinds() -> list[tuple[type[Row], set[str]]]:
    """Every kind of row that the package has, with the names of its fields, most fields first."""
    for module in pkgutil.iter_modules(experiments.__path__, "taskrel_core.experiments."):
        importlib.import_module(module.name)
    found = [(kind, {f.name for f in fields(kind)}) for kind in Row.__subclasses__()]
    return sorted(found, key=lambda pair: -len(pair[1]))


def setting(row: dict):
    kind, names = next((kind, names) for kind, names in kinds() if names - {"profile"} <= row.keys())
    return kind(**{name: row[name] for name in names})


@functools.cache
def settings() -> dict[str, Row]:
    """Each shipped row as an object, by the key that it is shipped under."""
    return {key: setting(row) for key, row in shipped().items()}


def test_every_shipped_row_is_whole_and_current():
    assert settings()
    for key, row in settings().items():
        assert row.key == key, f"{row} has another key now; ship its page again"


def test_every_shipped_row_says_where_it_comes_from():
    for path in RESULTS.glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert {"commit", "versions"} <= set(json.loads(line)["provenance"])


def noise(kind: str, name: str, row: dict) -> float:
    """How far a number may lie from the shipped one on another machine."""
    if kind == "FineTuning":
        return 3 * math.sqrt(2) * row[f"{name}_se"]  # two runs, three of their standard errors
    if kind == "FewShot":
        return 3 * math.sqrt(2) * row["fine_tuned_se"]
    if name in SOLVED:
        return SOLVED[name]
    return (1e-2 if name in FORMS else SHARE[kind]) * max(abs(row[name]), 1e-3)


def disagreements(kind: str, old: dict, new: dict) -> list[str]:
    names = [n for n in NUMBERS[kind] if old.get(n) is not None]
    assert names
    return [n for n in names if abs(old[n] - new[n]) > noise(kind, n, old)]


@pytest.fixture(scope="module")
def computed():
    """Each row of the sample, computed when it is first asked for."""
    return functools.cache(lambda row: row.compute())


def test_the_sample_holds_every_kind_that_is_shipped():
    assert {type(row) for row in SAMPLE} == {type(row) for row in settings().values()}


EACH = pytest.mark.parametrize("one", SAMPLE, ids=lambda row: row.kind)


@EACH
def test_a_row_computed_again_agrees_with_what_is_shipped(one, computed):
    assert disagreements(one.kind, shipped()[one.key], computed(one)) == []


@EACH
def test_the_audit_sees_an_altered_number(one, computed, tmp_path):
    row, name = shipped()[one.key], NUMBERS[one.kind][0]
    off = 1.5 * noise(one.kind, name, row) + abs(computed(one)[name] - row[name])
    entry = _entry(one.key, {**row, name: row[name] + off}, {})
    (tmp_path / "altered.jsonl").write_text(entry, encoding="utf-8")
    found = RowStore(Path("nowhere"), tmp_path).shipped()[one.key]  # its sum is right, its number wrong
    assert disagreements(one.kind, found, computed(one)) == [name]
