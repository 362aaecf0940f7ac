"""Pages of runs with parameters of one's own: the directive ``{beside}``, and the form of such a page.

It has the book's page beside its numbers; figures and labels are its own, and the rest is arranged as a page of the book.
"""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
from ledger import FromPages, arranged, badges
from runner import compare
from runner.compare import Run
from runner.places import stem_of
from runner.reading import literal, written
from sphinx.application import Sphinx

MOST = 60  # characters of parameters in a title
SHORT = 20  # lines of tables that are shown without being asked for
UNSAID = ("rule", "answer")  # what the finding above says already
SAID = {"ours": "finding"}


class Beside(FromPages):
    """What a run of one's own is, and its numbers beside those of the book's page."""

    required_arguments = 1

    def text(self, source: Path) -> str:
        return beside(source, self.arguments[0])


def beside(source: Path, name: str) -> str:
    """Return the MyST text that puts the book's numbers beside those of a run in the book's folder ``source``."""
    own, book = compare.of_book(name, source), compare.of_book(stem_of(name), source)
    if own is None or book is None:
        return "A run with parameters of your own. The book's page was not run for this copy of the book."
    link = f"{{doc}}`../executed/{book.name}`"
    head = f"A run of {link} with parameters of your own; that page and its verdict stay as they are."
    tables = _tables(own, book)
    opened = ":open:\n" if tables.count("\n") < SHORT else ""
    fold = (
        f"````{{dropdown}} Tables, the book's values in brackets where they differ\n{opened}\n{tables}\n````"
    )
    return "\n\n".join([head, _said(own, book), *([fold] if tables else [])])


def _said(own: Run, book: Run) -> str:
    """Parameters that differ and glued texts of both pages, as a table."""
    lines = [["", "this run", "the book"]]
    lines += [[f"`{n}`", *map(literal, both)] for n, both in compare.settings(own, book).items()]
    for name in [name for name in own.glued if name not in UNSAID]:
        both = [run.glued.get(name, "–") for run in (own, book)]
        shown = [badges(text) for text in both] if name == "verdict" else both
        lines.append([SAID.get(name, name.replace("_", " ")), *shown])
    return _table(lines)


def _tables(own: Run, book: Run) -> str:
    """Each table of the page whose lines the book's has, too."""
    setting, shown = compare.settings(own, book), []
    for file in compare.files(own, book):
        if file.startswith("tab-") and (lines := _both(own.table(file), book.table(file), setting)):
            shown.append(_table(lines))
    return "\n\n".join(shown)


def _both(own: pd.DataFrame, book: pd.DataFrame, setting: dict[str, Any]) -> list[list[str]]:
    """Lines of both tables as texts, numbers of the second in brackets where they differ; none if no line is in both."""
    names, one, other = compare.matched(own, book, setting)
    if not one.keys() & other.keys():
        return []
    lines = [[f"`{name}`" for name in [*names, *next(iter(one.values()))]]]
    for key, values in one.items():
        beside = other.get(key, {})
        cells = [_cell(value, beside.get(name, value)) for name, value in values.items()]
        lines.append([*map(str, key[:-1]), *cells])
    return lines


def _cell(own: Any, book: Any) -> str:
    one, other = (f"{value:.3g}" if isinstance(value, float) else str(value) for value in (own, book))
    return one.replace("nan", "–") if one == other else f"{one} ({other})".replace("nan", "–")


def _table(lines: list[list[str]]) -> str:
    rows = [
        "| " + " | ".join(" ".join(cell.replace("|", r"\|").split()) for cell in line) + " |"
        for line in lines
    ]
    return "\n".join([rows[0], "|" + " --- |" * len(lines[0]), *rows[1:]])


def moved(text: str, name: str) -> str:
    """Return a notebook's text as it is read in the folder of one's own runs, with labels that no other page has."""
    text = text.replace("../_generated/", f"{name}/")
    text = re.sub(r"<(\d\d_\w+)>", r"<../executed/\1>", text)
    text = re.sub(r", \{explore\}`\w+`", "", text)  # which offers the book's rows
    return re.sub(r":name: (fig|tab)-", rf":name: {name.rpartition('-')[2]}-\1-", text)


def own_page(notebook: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the cells of a page of one's own: those of a page of the book, under a title that has the parameters."""
    cells = arranged(notebook["cells"], name)
    given = " ".join(f"{n}={written(v)}" for n, v in notebook["metadata"]["taskrel"]["given"].items())
    short = given if len(given) <= MOST else f"{given[:MOST]}…"
    parts = {cell.get("id"): cell for cell in cells}
    parts["heading"]["source"] = f"# {name[:2]} with {literal(short)}"
    parts["claim"]["source"] += f"\n\n:::{{beside}} {name}\n:::"
    return cells


def arrange(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the cells of a run of one's own in the order of a page."""
    if docname.startswith("runs/"):
        name = docname.removeprefix("runs/")
        notebook = json.loads(moved(source[0], name))
        notebook["cells"] = own_page(notebook, name)
        source[0] = json.dumps(notebook)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive and the form of pages."""
    app.connect("source-read", arrange)
    app.add_directive("beside", Beside)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
