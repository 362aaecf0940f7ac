"""Each public name has an example that runs (pytest collects those of all modules), and so does the tutorial."""

import doctest
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import taskrel_core

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def examples() -> str:
    """The code of all examples in the package's docstrings."""
    finder, code = doctest.DocTestFinder(), []
    for module in walk_packages(taskrel_core.__path__, "taskrel_core."):
        for test in finder.find(import_module(module.name)):
            code += [example.source for example in test.examples]
    return "\n".join(code)


@pytest.mark.parametrize("name", taskrel_core.__all__)
def test_each_public_name_has_an_example(name, examples):
    assert re.search(rf"\b{name}\b", examples)


def test_the_tutorial_prints_what_it_says_in_ten_lines():
    page = (ROOT / "book/tutorial.md").read_text(encoding="utf-8")
    code, said = (re.search(rf"```{kind}\n(.*?)```", page, re.DOTALL).group(1) for kind in ("python", "text"))
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    number = r"\d+\.\d+"
    assert re.sub(number, "#", done.stdout) == re.sub(number, "#", said)
    for here, there in zip(re.findall(number, done.stdout), re.findall(number, said), strict=True):
        assert float(here) == pytest.approx(float(there), abs=0.02)


def test_the_tutorial_ranks_features_in_files(tmp_path, monkeypatch):
    page = (ROOT / "book/tutorial.md").read_text(encoding="utf-8")
    monkeypatch.setenv("TASKREL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    code = "\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    first, second = [line for line in done.stdout.splitlines() if "features:" in line]
    assert "all.npz" in first
    assert "few.npz" in second
