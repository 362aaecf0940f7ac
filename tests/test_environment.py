"""One list of dependencies: pyproject.toml, the lock, environment.yml and what is installed say the same."""

import os
import re
import tomllib
from importlib.metadata import metadata, version
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.test_lock import PYTHONS

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()
PINS = dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", LOCK, re.MULTILINE))
MARKERS = dict(re.findall(r"^([A-Za-z0-9._-]+)==\S+ ; (.*)$", LOCK, re.MULTILINE))
HERE = sorted(name for name in PINS if name not in MARKERS or Marker(MARKERS[name]).evaluate())

GROUPS = {"dependencies": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
WANTED = [line for group in GROUPS.values() for line in group]


@pytest.mark.parametrize("line", sorted(set(WANTED)))
def test_the_lock_holds_what_the_project_asks_for(line):
    wanted, pins = Requirement(line), {canonicalize_name(name): pin for name, pin in PINS.items()}
    name = canonicalize_name(wanted.name)
    assert name in pins, f"{name} is not in requirements.lock; run make lock"
    assert wanted.specifier.contains(pins[name])


def test_the_lock_holds_versions_that_every_machine_can_have():
    lines = [line for line in LOCK.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert len(lines) == len(PINS)
    assert not [
        line for line in lines if "+" in line or "://" in line or " @ " in line or line.startswith("-")
    ]


@pytest.mark.parametrize("name", HERE)
def test_what_is_installed_is_what_is_locked(name):
    assert version(name).partition("+")[0] == PINS[name], "run make .venv"


@pytest.mark.parametrize("name", HERE)
def test_what_is_locked_takes_every_python_that_the_project_takes(name):
    """The first release of 3.11 too: Debian 12 has 3.11.2."""
    takes = SpecifierSet(metadata(name).get("Requires-Python") or "")
    assert [p for p in PYTHONS if p in takes] == [p for p in PYTHONS if needed(name, p)]


def needed(name: str, python: str) -> bool:
    """Whether a pin that this Python has is also for another one."""
    there = {"python_full_version": python, "python_version": python.rpartition(".")[0]}
    return name not in MARKERS or Marker(MARKERS[name]).evaluate(there)


def test_environment_yml_points_at_the_lock_and_the_same_python():
    parts = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    python = next(part.removeprefix("python=") for part in parts if str(part).startswith("python="))
    assert f"{python}.0" in SpecifierSet(PROJECT["requires-python"])
    assert parts[-2:] == ["pip", {"pip": ["-r requirements.lock", "-e ."]}]


def test_each_dependency_says_why_it_is_there():
    text = (ROOT / "pyproject.toml").read_text()
    blocks = re.findall(rf"^(?:{'|'.join(GROUPS)}) = \[.*\n((?:  .*\n)*)\]", text, re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) == len(WANTED)
    assert not [line for line in lines if not re.search(r'",\s+# \S+', line)]


def test_a_commit_is_checked_as_make_check_does():
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE).group(1)
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert [line.strip() for line in recipe.replace("$(VENV)", ".venv").splitlines()] == [
        hook["entry"] for hook in hooks
    ]


@pytest.mark.xdist_group("together")
def test_tests_of_a_group_stay_on_one_worker(request):
    """The book is built once, by one worker; newer pytest and older xdist lost that without a word."""
    if not os.environ.get("PYTEST_XDIST_WORKER") or request.config.getvalue("loadgroup") is not True:
        pytest.skip("one process, or another way to share the tests")
    assert request.node.nodeid.endswith("@together")
