"""Results that must not move unnoticed: bounds of fixed problems, and the keys under which rows are found."""

import json
from pathlib import Path

import pytest

from taskrel_core.experiments.candidates import Candidate
from taskrel_core.experiments.certificate import Certificate
from taskrel_core.experiments.departures import Departure
from taskrel_core.experiments.few_shot import FewShot
from taskrel_core.experiments.few_shot_scores import FewShotScores
from taskrel_core.experiments.fine_tuning import FineTuning
from taskrel_core.experiments.linear_heads import LinearHead
from taskrel_core.experiments.part import Part
from taskrel_core.experiments.ranking import Ranked
from taskrel_core.experiments.relatedness import Experiment
from taskrel_core.experiments.row import Row
from taskrel_core.experiments.scoring import Scoring
from taskrel_core.experiments.separation import Separation
from taskrel_core.experiments.speed import Timing
from tests.pinned.problems import problems, solve

HERE = Path(__file__).parent
PINS = json.loads((HERE / "relatedness.json").read_text(encoding="utf-8"))
KEYS = json.loads((HERE / "keys.json").read_text(encoding="utf-8"))
ROWS = {
    "Candidate": Candidate("fashion_mnist", "digits", "random_net"),
    "Checking": Certificate("mnist", "digits", "lenet"),
    "Departure": Departure("planted"),
    "Experiment": Experiment("fashion_mnist", "digits", "pca"),
    "FewShot": FewShot("digits", "random_net"),
    "FewShotScores": FewShotScores("fashion_mnist", "digits", "random_net", "euclidean"),
    "FineTuning": FineTuning("digits", "random_net", lr=3e-5),
    "Part": Part("fashion_mnist", "digits", "pca", share=0.5),
    "Probing": LinearHead("digits", "random_net"),
    "Ranked": Ranked("digits", "random_net", "fashion_mnist"),
    "Scoring": Scoring("fashion_mnist", "emoji_noto", "random_net"),
    "Separation": Separation("digits", "random_net"),
    "Timing": Timing("exact"),
}
TOLERANCE = 1e-2  # of the bound: a search that meets rounding elsewhere may end a little lower or higher


def test_every_problem_is_pinned():
    assert set(PINS["problems"]) == set(problems())


@pytest.mark.parametrize("name", PINS["problems"])
def test_a_bound_is_no_higher_than_its_pin(name):
    pin, found = PINS["problems"][name], solve(problems()[name])
    assert found["certified"] == pin["certified"]
    assert found["bound"] <= pin["bound"] * (1 + TOLERANCE)
    assert list(found["chain"]) == list(pin["chain"])


def kinds(base: type[Row]) -> set[str]:
    """Names of all kinds of row, those that are special cases of others too."""
    return {kind.kind for kind in base.__subclasses__()}.union(*map(kinds, base.__subclasses__()))


def test_every_kind_of_row_is_pinned():
    assert kinds(Row) == set(KEYS) == set(ROWS)


@pytest.mark.parametrize("kind", KEYS)
def test_a_row_is_found_under_its_old_key(kind):
    assert ROWS[kind].key == KEYS[kind]
