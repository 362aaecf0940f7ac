"""What makes which page stale: the files that each real notebook imports, as the runner traces them."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import jupytext
import pytest
from runner.imports import imported

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.py"))
ROOMS = {"BASELINES": "metrics", "DATASETS": "data", "ENCODERS": "encoders"}


def code(source):
    return "\n".join(cell.source for cell in jupytext.read(source).cells if cell.cell_type == "code")


@pytest.fixture(scope="module")
def files():
    """The files that each page depends on, by the page's number."""
    return {path.stem[:2]: imported(code(path)) for path in SOURCES}


def stale(files, module):
    """Numbers of the pages that an edit of a module makes stale."""
    path = ROOT / "taskrel_core" / module
    assert path.is_file()
    return {number for number, depends in files.items() if path in depends}


def test_the_style_of_figures_makes_the_pages_with_a_figure_stale(files):
    assert stale(files, "figures/style.py") == {p.stem[:2] for p in SOURCES if "page.figure(" in code(p)}


def test_every_file_that_draws_imports_the_style_and_nothing_else_does():
    drawing, styled = set(), set()
    for path in [*(ROOT / "taskrel_core").rglob("*.py"), *(ROOT / "notebooks").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        drawing |= {path} if re.search(r"plt\.rc_context|[=(]ink\(", text) else set()
        styled |= {path} if "from .style" in text or "figures.style" in text else set()
    assert len(drawing) > 10
    assert styled == drawing


def test_a_kind_of_row_makes_only_the_pages_that_show_it_stale(files):
    assert stale(files, "experiments/departures.py") == {"10"}
    assert stale(files, "experiments/certificate.py") == {"04", "11"}


def test_the_head_makes_nothing_stale_that_does_not_import_it(files):
    assert "14" not in stale(files, "method/head.py")  # printed numbers only
    assert {"02", "03", "06"} <= stale(files, "method/head.py")


@pytest.mark.parametrize("name", ROOMS)
def test_a_registry_stands_for_its_whole_room(name):
    room = set((ROOT / "taskrel_core" / ROOMS[name]).glob("*.py"))
    assert room <= imported(f"from taskrel_core import {name}")


@pytest.mark.parametrize("number", ["02", "08", "14"])
def test_what_a_notebook_loads_is_what_it_depends_on(files, number):
    """Each module of the package that Python loads for a notebook's import statements is among those traced."""
    source = next(path for path in SOURCES if path.stem.startswith(number))
    nodes = [node for node in ast.parse(code(source)).body if isinstance(node, ast.Import | ast.ImportFrom)]
    lines = "\n".join(ast.unparse(node) for node in nodes)
    shown = "import sys\nprint(*(m.__file__ for n, m in list(sys.modules.items()) if n.startswith('taskrel_core')), sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", f"{lines}\n{shown}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": f"{ROOT / 'notebooks'}:{ROOT}"},
    )
    loaded = {Path(line) for line in done.stdout.split()}
    assert ROOT / "taskrel_core/__init__.py" in loaded
    assert loaded <= files[number]
