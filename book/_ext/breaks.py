"""No line breaks inside a number: before a per cent sign, inside an interval, or between maths and its punctuation."""

import re

from docutils import nodes
from sphinx.application import Sphinx

NOT_IN = (nodes.literal, nodes.literal_block, nodes.raw, nodes.math, nodes.math_block)
KEPT = (
    (r"(\[[-+−]?[\d.]+(?:\s?%)?),\s+(?=[-+−]?[\d.]+(?:\s?%)?\])", "\\1,\N{NO-BREAK SPACE}"),
    (
        r"(?<=\d)\s?%(\s(?=CI\b))?",
        lambda found: "\N{NO-BREAK SPACE}%" + "\N{NO-BREAK SPACE}" * bool(found[1]),
    ),
)


def keep(_app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Put no-break spaces into the text of a page, and a box around inline maths and the punctuation beside it."""
    for maths in list(doctree.findall(nodes.math)):
        _box(maths)
    for text in list(doctree.findall(nodes.Text)):
        kept = str(text)
        for pattern, meant in KEPT:
            kept = re.sub(pattern, meant, kept)
        if kept != text and not isinstance(text.parent, NOT_IN):
            text.parent.replace(text, nodes.Text(kept))


def _box(maths: nodes.math) -> None:
    """Move maths into a box with the bracket before it and the marks after it."""
    parent, k = maths.parent, maths.parent.index(maths)
    before, after = parent[k - 1] if k else "", parent[k + 1] if k + 1 < len(parent) else ""
    opening = re.search(r"[(\[]?$", before if isinstance(before, nodes.Text) else "")[0]
    closing = re.match(r"[^\w\s([]*", after if isinstance(after, nodes.Text) else "")[0]
    if not opening + closing:
        return
    if opening:
        parent[k - 1] = nodes.Text(before[:-1])
    if closing:
        parent[k + 1] = nodes.Text(after[len(closing) :])
    box = nodes.inline("", "", nodes.Text(opening), maths.deepcopy(), nodes.Text(closing), classes=["nobr"])
    parent[k] = box


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-resolved", keep)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
