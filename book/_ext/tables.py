"""What tables need beyond the theme: a button for long ones, and links from parameters to the names that they take."""

import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

FOLD = re.compile(r"fold-\d+-\d+")  # of page.table: the first row that is folded, and the first one after it
ALLOWED = 3  # the column of a parameter's rule
KINDS = re.compile("(data set|encoder)")  # words of a rule, whose names have a section each on that page:
ASSETS = "assets"


def load(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], doctree: Any) -> None:
    """Load ``fold.js`` on a page with a table to fold."""
    tables = doctree.findall(nodes.table) if doctree is not None else ()
    if any(FOLD.fullmatch(name) for table in tables for name in table["classes"]):
        context["body"] += f'<script defer src="{context["pathto"]("fold.js", 1)}"></script>'


def link(app: Sphinx, doctree: nodes.document) -> None:
    """Let "data set" and "encoder" in the rule of a parameter lead to the lists of them, in a book that has these."""
    if ASSETS not in app.env.found_docs:
        return
    for rule in list(_rules(doctree)):
        parts = [
            _to_list(part) if k % 2 else nodes.Text(part) for k, part in enumerate(KINDS.split(rule.astext()))
        ]
        rule.children = []
        rule += parts


def _rules(doctree: nodes.document) -> Iterator[nodes.literal]:
    """The rules of the parameters of a page."""
    for table in doctree.findall(nodes.table):
        if "provenance" in table["classes"]:
            for row in table.findall(nodes.row):
                if len(row) > ALLOWED:
                    yield from row[ALLOWED].findall(nodes.literal)


def _to_list(kind: str) -> nodes.Node:
    """A link to the section of the data sets or of the encoders."""
    to = {"refdomain": "std", "reftype": "ref", "refexplicit": True, "refwarn": True}
    target = kind.replace(" ", "-") + "s"
    return addnodes.pending_xref("", nodes.inline("", kind), reftarget=target, **to)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the passes."""
    app.connect("doctree-read", link)
    app.connect("html-page-context", load)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
