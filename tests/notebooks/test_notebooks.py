"""Every notebook: its form, its parameters in each profile, and a run in the smoke profile."""

import ast
import re
from pathlib import Path

import jupytext
import pytest
import yaml
from runner import plan
from runner.parameters import declared

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.py"))
PROFILES = sorted(path.stem for path in (ROOT / "notebooks/params").glob("*.yml"))
each = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


def code_cells(source):
    return [cell for cell in jupytext.read(source).cells if cell.cell_type == "code"]


def calls(source, name):
    nodes = ast.walk(ast.parse("\n".join(cell.source for cell in code_cells(source))))
    return [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) == name]


def test_there_are_notebooks_and_their_numbers_differ():
    numbers = [path.name[:2] for path in SOURCES]
    assert numbers
    assert len(set(numbers)) == len(numbers)


def test_the_profiles_are_known_and_name_notebooks():
    assert PROFILES == ["embedded", "paper", "smoke"]
    stems = {path.stem for path in SOURCES}
    for profile in PROFILES:
        values = yaml.safe_load((ROOT / f"notebooks/params/{profile}.yml").read_text()) or {}
        assert set(values) <= stems, profile


@each
def test_form(source):
    assert re.fullmatch(r"\d\d(_fig|_tab)?(_[a-z0-9]+)+", source.stem)
    text = source.read_text()
    assert "# %%" in text
    first = jupytext.read(source).cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    for cell in code_cells(source):
        lines = [
            line for line in cell.source.splitlines() if line.strip() and not line.strip().startswith("#")
        ]
        parameters = "parameters" in cell.metadata.get("tags", [])  # a line each, however many
        assert parameters or len(lines) <= 15, (
            f"a cell of {len(lines)} lines: move some of it into the package\n{cell.source}"
        )
        for node in ast.walk(ast.parse(cell.source)):
            kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
            named = isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Lambda)
            assert not isinstance(node, kinds), f"a function or class belongs into the package: {node.name}"
            assert not named, f"a named function belongs into the package: {ast.unparse(node)}"


@each
def test_the_name_says_what_is_shown(source):
    figures, tables = len(calls(source, "page.figure")), len(calls(source, "page.table"))
    if "_fig_" in source.stem:
        assert figures >= 1
    elif "_tab_" in source.stem:
        assert tables >= 1
    assert figures + tables >= 1


@each
def test_parameters_have_types_and_comments(source):
    cells = code_cells(source)
    tagged = [number for number, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", [])]
    assert tagged == [0], "the first code cell, and only it, is tagged parameters"
    found = declared(jupytext.read(source), source.stem)
    assert found["profile"].hint == "str"
    assert not [name for name, p in found.items() if len(p.meaning) < 3]
    assert not [name for name, p in found.items() if not p.rule and p.hint != "bool"], (
        "say what it may be: [> 0]"
    )


@each
@pytest.mark.parametrize("profile", ["embedded", "paper", "smoke"])
def test_each_profile_sets_known_parameters_of_the_right_type(source, profile):
    assert plan.make(source.stem, profile).parts["parameters"]["profile"] == profile


@pytest.mark.xdist_group("book")  # whose worker makes the pages
@each
def test_runs_in_the_smoke_profile(source, smoke_folder, smoke_pages):
    assert (smoke_folder / "executed" / f"{source.stem}.ipynb").exists(), smoke_pages[1]


@pytest.mark.xdist_group("book")
def test_the_smoke_profile_ends_without_an_error(smoke_pages):
    assert smoke_pages[0] == 0, smoke_pages[1]
