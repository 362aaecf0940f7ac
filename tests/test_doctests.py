"""The examples in the docstrings, and the tutorial's code: each is run, and says what it prints."""

import ast
import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

import taskrel_core

ROOT = Path(__file__).resolve().parents[1]


def examples():
    """The docstrings of the package that hold an example, by name."""
    found = {}
    for path in sorted((ROOT / "taskrel_core").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
        for node in ast.walk(tree):
            text = ast.get_docstring(node) if isinstance(node, kinds) else None
            if text and ">>>" in text:
                found[f"{path.stem}.{getattr(node, 'name', '')}"] = (path.stem, text)
    return found


EXAMPLES = examples()


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_of_a_docstring_says_what_it_prints(name):
    module, text = EXAMPLES[name]
    known = dict(vars(sys.modules[f"taskrel_core.{module}"]))
    test = doctest.DocTestParser().get_doctest(text, known, name, f"taskrel_core/{module}.py", 0)
    said = []
    result = doctest.DocTestRunner().run(test, out=said.append)
    assert result.attempted
    assert not result.failed, "".join(said)


@pytest.mark.parametrize("name", taskrel_core.__all__)
def test_each_public_name_has_an_example(name):
    code = "\n".join(
        example.source
        for _, text in EXAMPLES.values()
        for example in doctest.DocTestParser().get_examples(text)
    )
    assert re.search(rf"\b{name}\b", code)


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
