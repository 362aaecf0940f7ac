"""Which files of the project a notebook's code imports, directly or through one another."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "taskrel_core"


def imported(code: str) -> set[Path]:
    """Return the files of taskrel_core, and the modules beside the notebooks, that ``code`` imports."""
    found: set[Path] = set()
    for module in _named(code):
        beside = ROOT / "notebooks" / f"{module}.py"
        if beside.exists():
            found |= {beside, *imported(beside.read_text(encoding="utf-8"))}
        elif module in _graph().modules:
            for each in (module, *_graph().find_upstream_modules(module)):
                found |= set(_files(each))
    return found


def _named(code: str) -> Iterator[str]:
    """Yield the modules that ``code`` names; a public name of the package stands for the module that it is of."""
    plain = "\n".join("" if re.match(r"\s*[%!]", line) else line for line in code.splitlines())  # no magics
    try:
        tree = ast.parse(plain)
    except SyntaxError:
        return  # it will fail when it runs, and its text is part of the key
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                public = _public().get(alias.name) if node.module == PACKAGE else None
                yield (
                    f"{PACKAGE}.{public}" if public else inside if inside in _graph().modules else node.module
                )


def _files(module: str) -> Iterator[Path]:
    """The file of a module, and those of the packages around it, which Python runs first."""
    parts = module.split(".")
    for k in range(1, len(parts) + 1):
        path = ROOT.joinpath(*parts[:k])
        yield path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def _graph() -> grimp.ImportGraph:
    """Who imports whom in the package; what only type checkers import does not count.

    A registry imports its whole room when it is first used, which no import statement says: the module that makes one is
    given an edge to each module of its room.
    """
    sys.path.insert(0, str(ROOT))  # this project's package, whichever is installed
    try:
        graph = grimp.build_graph(PACKAGE, cache_dir=None, exclude_type_checking_imports=True)
    finally:
        sys.path.remove(str(ROOT))
    for registry in graph.modules:
        file = ROOT.joinpath(*registry.split(".")).with_suffix(".py")
        if file.exists() and "room=__package__" in file.read_text(encoding="utf-8"):
            for module in graph.find_children(registry.rpartition(".")[0]) - {registry}:
                graph.add_import(importer=registry, imported=module)
    return graph


@cache
def _public() -> dict[str, str]:
    """The module of each public name, which the package imports only when the name is used."""
    tree = ast.parse((ROOT / PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id == "_HOME"
        ):
            return ast.literal_eval(node.value)
    return {}
