"""Words of the glossary in the text: the first on each page leads to its entry and shows its meaning on hover."""

import re
from collections.abc import Iterator

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

GLOSSARY = "glossary"
# Not inside these: titles and captions are short, links lead elsewhere already, code is no prose, nor is what others wrote.
NOT_IN = (
    nodes.title,
    nodes.caption,
    nodes.reference,
    nodes.literal,
    nodes.literal_block,
    nodes.raw,
    nodes.citation,
    addnodes.desc,
)


def remember(app: Sphinx, doctree: nodes.document) -> None:
    """Keep what the glossary says."""
    for entry in doctree.findall(nodes.definition_list_item):
        if isinstance(entry.parent.parent, addnodes.glossary):
            told = entry[-1].deepcopy()
            for other in list(told.findall(addnodes.pending_xref)):
                if other["refdomain"] == "cite":
                    other.parent.remove(other)
            meaning = re.sub(r" (?=[:,.;])", "", " ".join(told.astext().split()))
            for term in entry.findall(nodes.term):
                app.env.taskrel_words[term.astext()] = (meaning, term["ids"][0])


def link(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Turn the first of each word on a page into a link with a title."""
    left = dict(app.env.taskrel_words)
    if docname == GLOSSARY or not left or "html" not in app.builder.name:
        return
    words = "|".join(re.escape(word) for word in sorted(left, key=len, reverse=True))
    # "By chance" and "chance alone" are not the chance of the glossary.
    pattern = re.compile(rf"(?<![\w-])(?!(?<=\bby\s)chance\b|chance\salone)({words})(?![\w-])")
    home = app.builder.get_relative_uri(docname, GLOSSARY).partition("#")[0]
    for text in list(_prose(doctree)):
        parts, end = list[nodes.Node](), 0
        for found in pattern.finditer(text.astext()):
            meaning, anchor = left.pop(found[1], ("", ""))
            if meaning:
                to = {
                    "refuri": f"{home}#{anchor}",
                    "reftitle": meaning,
                    "internal": True,
                    "classes": ["term"],
                }
                parts += [
                    nodes.Text(text.astext()[end : found.start()]),
                    nodes.reference("", found[1], **to),
                ]
                end = found.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(text.astext()[end:])])


def _prose(doctree: nodes.document) -> Iterator[nodes.Text]:
    """Text of paragraphs."""
    for paragraph in doctree.findall(nodes.paragraph):
        for text in paragraph.findall(nodes.Text):
            above = text.parent
            while above is not None and not (isinstance(above, NOT_IN) or "verdict" in above["classes"]):
                above = above.parent
            if above is None:
                yield text


def start(app: Sphinx) -> None:
    app.env.taskrel_words = {}


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the passes; the words are kept in the environment of one process."""
    app.connect("builder-inited", start)
    app.connect("doctree-read", remember)
    app.connect("doctree-resolved", link)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
