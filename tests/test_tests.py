"""No test that cannot fail: none returns early, and none has all its checks under an ``if`` that may be false."""

import ast
from pathlib import Path

import pytest

FILES = sorted(Path(__file__).parent.rglob("test_*.py"))
INNER = (ast.FunctionDef, ast.Lambda, ast.ClassDef)


def walk(node):
    """The nodes below, but for those of inner functions."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, INNER):
            yield child
            yield from walk(child)


def is_maybe(node):
    return isinstance(node, ast.If) and not node.orelse


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_test_checks_something(path):
    tests = [f for f in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(f, ast.FunctionDef)]
    for test in (f for f in tests if f.name.startswith("test_")):
        nodes = list(walk(test))
        assert not [n for n in nodes if isinstance(n, ast.Return)], f"{test.name} returns early"
        maybe = {inner for node in nodes if is_maybe(node) for inner in walk(node)}
        checks = [n for n in nodes if isinstance(n, ast.Assert | ast.With | ast.Call)]
        assert [n for n in checks if n not in maybe], f"{test.name} checks nothing where its ifs are false"
