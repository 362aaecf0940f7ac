"""Words of the glossary in the text: the first on each page leads to its entry and shows its meaning on hover."""

import re
from collections.abc import Iterator

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

GLOSSARY = "glossary"
# Not inside these: titles and captions are short, links lead elsewhere already, code is no prose.
NOT_IN = (
    nodes.title,
    nodes.caption,
    nodes.reference,
    nodes.literal,
    nodes.literal_block,
    nodes.raw,
    addnodes.desc,
)


def remember(app: Sphinx, doctree: nodes.document) -> None:
    """Keep what the glossary says."""
    for entry in doctree.findall(nodes.definition_list_item):
        if isinstance(entry.parent.parent, addnodes.glossary):
            meaning = " ".join(entry[-1].astext().split())
            for term in entry.findall(nodes.term):
                _kept(app.env)[term.astext()] = (meaning, term["ids"][0])


def link(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Turn the first of each word on a page into a link with a title."""
    kept = _kept(app.env)
    if docname == GLOSSARY or not kept or "html" not in app.builder.name:
        return
    left = dict(kept)
    words = "|".join(re.escape(word) for word in sorted(kept, key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w-])({words})(?![\w-])")
    home = app.builder.get_relative_uri(docname, GLOSSARY)
    for text in list(_prose(doctree)):
        parts, end = list[nodes.Node](), 0
        for found in pattern.finditer(text.astext()):
            meaning, anchor = left.pop(found[1], (None, ""))
            if meaning:
                parts.append(nodes.Text(text.astext()[end : found.start()]))
                uri = f"{home.partition('#')[0]}#{anchor}"
                parts.append(
                    nodes.reference(
                        "", found[1], refuri=uri, reftitle=meaning, internal=True, classes=["term"]
                    )
                )
                end = found.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(text.astext()[end:])])


def _prose(doctree: nodes.document) -> Iterator[nodes.Text]:
    """Text of paragraphs."""
    for paragraph in doctree.findall(nodes.paragraph):
        for text in paragraph.findall(nodes.Text):
            if not any(isinstance(above, NOT_IN) for above in _above(text)):
                yield text


def _above(node: nodes.Node) -> Iterator[nodes.Node]:
    """What a node is in, from the inside out."""
    while (node := node.parent) is not None:
        yield node


def _kept(env: BuildEnvironment) -> dict[str, tuple[str, str]]:
    if not hasattr(env, "taskrel_words"):
        env.taskrel_words = {}
    return env.taskrel_words


def setup(app: Sphinx) -> dict[str, bool]:
    """Register both passes; the words are kept in the environment of one process."""
    app.connect("doctree-read", remember)
    app.connect("doctree-resolved", link)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
