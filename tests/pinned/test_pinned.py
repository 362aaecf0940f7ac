"""Results that must not move unnoticed: bounds of fixed problems, and the keys under which rows are found."""

import json
from pathlib import Path

import pytest

from tests.pinned.problems import problems, solve

HERE = Path(__file__).parent
PINS = json.loads((HERE / "relatedness.json").read_text(encoding="utf-8"))
TOLERANCE = 1e-3  # of the bound: a search that meets rounding elsewhere may end a little lower or higher


def test_every_problem_is_pinned():
    assert set(PINS["problems"]) == set(problems())


@pytest.mark.parametrize("name", PINS["problems"])
def test_a_bound_is_no_higher_than_its_pin(name):
    pin, found = PINS["problems"][name], solve(problems()[name])
    assert found["certified"] == pin["certified"]
    assert found["bound"] <= pin["bound"] * (1 + TOLERANCE)
    assert list(found["chain"]) == list(pin["chain"])
