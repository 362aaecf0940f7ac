"""The rows that the project ships: whole, findable, and what this machine computes anew."""

import importlib
import json
import math
import pkgutil
from dataclasses import fields
from pathlib import Path

import pytest

from taskrel_core import experiments
from taskrel_core.experiments.fine_tuning import FineTuning
from taskrel_core.experiments.row import Row
from taskrel_core.experiments.scoring import FORMS, SCORES, Scoring
from taskrel_core.experiments.store import RowStore, _entry

pytestmark = pytest.mark.xdist_group("results")
RESULTS = Path(__file__).parents[2] / "book/results"
# Cheap, and from packages alone.
SAMPLE = [
    FineTuning("fashion_mnist", "random_net", lr=3e-5),
    FineTuning("emoji_noto", "random_net", lr=3e-5),
    Scoring("fashion_mnist", "emoji_noto", "random_net"),
]
# Calibrated tau is searched to 1 %; a head within its gap may put a few samples of the reference on the other side.
SOLVED = {"log_tau": 0.01, "reference_accuracy": 0.01}


def shipped() -> dict[str, dict]:
    return RowStore(Path("nowhere"), RESULTS).shipped()


def kinds() -> list[type[Row]]:
    """Every kind of row that the package has."""
    for module in pkgutil.iter_modules(experiments.__path__, "taskrel_core.experiments."):
        importlib.import_module(module.name)
    return Row.__subclasses__()


def setting(row: dict):
    kind = max(
        (kind for kind in kinds() if {f.name for f in fields(kind)} - {"profile"} <= set(row)),
        key=lambda k: len(fields(k)),
    )
    return kind(**{f.name: row[f.name] for f in fields(kind)})


def test_every_shipped_row_is_whole_and_current():
    rows = shipped()
    assert rows
    for key, row in rows.items():
        assert setting(row).key == key, f"{setting(row)} has another key now; ship its page again"


def test_every_shipped_row_says_where_it_comes_from():
    for path in RESULTS.glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert {"commit", "versions"} <= set(json.loads(line)["provenance"])


def noise(name: str, row: dict) -> float:
    """How far a number may lie from the shipped one on another machine."""
    if name in ("fine_tuned", "probe"):
        return 3 * math.sqrt(2) * row[f"{name}_se"]  # two runs, three of their standard errors
    if name in SOLVED:
        return SOLVED[name]
    share = (
        1e-2 if name in FORMS else 1e-3
    )  # of a search that follows one of many heads within the gap, or of rounding
    return share * max(abs(row[name]), 1e-3)


def disagreements(old: dict, new: dict) -> list[str]:
    names = [n for n in ("fine_tuned", "probe", *SCORES) if old.get(n) is not None]
    return [n for n in names if abs(old[n] - new[n]) > noise(n, old)]


@pytest.fixture(scope="module")
def anew():
    return {s: s.compute() for s in SAMPLE}


@pytest.mark.parametrize("one", SAMPLE, ids=lambda s: f"{type(s).__name__}-{s.target}-{s.encoder}")
def test_a_sample_computed_anew_agrees_with_what_is_shipped(one, anew):
    old = shipped()[one.key]
    assert disagreements(old, anew[one]) == []


@pytest.mark.parametrize("one", SAMPLE, ids=lambda s: f"{type(s).__name__}-{s.target}-{s.encoder}")
def test_the_audit_sees_an_altered_number(one, anew, tmp_path):
    key, row = one.key, shipped()[one.key]
    name = "fine_tuned" if isinstance(one, FineTuning) else "paper"
    altered = {**row, name: row[name] + 1.5 * noise(name, row) + abs(anew[one][name] - row[name])}
    (tmp_path / "altered.jsonl").write_text(_entry(key, altered, {}), encoding="utf-8")
    found = RowStore(Path("nowhere"), tmp_path).shipped()[
        key
    ]  # with a sum of its own: no damage, only a wrong number
    assert disagreements(found, anew[one]) == [name]
