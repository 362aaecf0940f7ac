"""What the theme has no setting for: pages that need no network, findings of axe-core, and a notice above every page."""

import re
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from ledger import measured
from sphinx.application import Sphinx

from taskrel_core.analysis.verdicts import split

# What is written and what it should be: font preloads, which a browser refuses to a page opened as a file; thebe, which is
# not used and loads itself from elsewhere; and what axe-core found in the browser test.
REPAIRS = (
    (r'<link rel="preload" as="font"[^>]*>\s*', ""),
    (r'<link [^>]*thebe[^>]*>\s*|<script type="text/x-thebe-config">.*?</script>\s*', ""),
    (r"<script>kernelName = [^<]*</script>\s*", ""),
    # The name that is read aloud must hold the words that are seen.
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),
    (r'(search-button-field search-button__button") title="Search" aria-label="Search"[^>]*>', r"\1>"),
    # The arrow beside a page with pages below it has no text.
    (r'<summary>(<span class="toctree-toggle")', r'<summary aria-label="Show the pages below">\1'),
    # A source leads back to its public name, not to the module in which that is defined.
    (r'(api\.html#taskrel_core\.)(?:[a-z_]+\.)+([a-z_]+|[A-Z]\w*(?:\.\w+)*)">', r'\1\2">'),
    # Entries of a bibliography are no list items.
    (r'<div role="list" class="citation-list">', '<div class="citation-list">'),
    # Python scrolls where it is wide, in a box of its own: the theme takes what is not seen at first out of the keyboard's order.
    (
        r'((?:<div class="highlight-python[^>]*>|</h1>)<div class="highlight"><pre>)(.*?)</pre>',
        r'\1<span class="python" tabindex="0" role="group" aria-label="Code, may scroll sideways">\2</span></pre>',
    ),
)
# A table in the box that it scrolls in, with its number if it has one. By keyboard it must be reached, and said what it is.
TABLE = (
    r'<div class="pst-scrollable-table-container">'
    r'(?=\s*<table[^>]*>(?:\s*<caption>\s*<span class="caption-number">(Table \d+))?)'
)


def prepare(app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    """Drop the scripts of thebe, and those that Sphinx below 8.3 adds twice; announce what the runner's notice says."""
    kept = {}
    for script in context.get("script_files", []):
        name, more = getattr(script, "filename", script), getattr(script, "attributes", {})
        key = f"{name} {more.get('body', '')}"
        if "thebe" not in key.lower():
            kept.setdefault(key, script)
    context["script_files"] = list(kept.values())
    notice = Path(app.srcdir) / "executed/_run/notice.txt"
    if notice.exists():  # made from stand-in data: no number may be taken for a result
        context["theme_announcement"] = escape(notice.read_text(encoding="utf-8").strip())


def repair(app: Sphinx, error: Exception | None) -> None:
    """Rewrite the pages of a book that was built."""
    if error is not None or "html" not in app.builder.name:
        return
    for path in Path(app.outdir).rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        for written, meant in REPAIRS:
            page = re.sub(written, meant, page, flags=re.DOTALL)
        page = re.sub(TABLE, _reached, page)
        page = re.sub(OF_WORDS, _named, page, flags=re.DOTALL)
        page = re.sub(CODE_IN_CELL, _breakable, page, flags=re.DOTALL)
        page = re.sub(CHAPTER, _dotted(Path(app.srcdir), path.stem), page)
        path.write_text(page, encoding="utf-8")


def _reached(found: re.Match[str]) -> str:
    name = found[1] or "Table"
    return f'<div class="pst-scrollable-table-container" tabindex="0" role="group" aria-label="{name}, may scroll sideways">'


# A table of words, and those of parameters: on a phone its rows are blocks, whose cells say what their column is.
OF_WORDS = r'<table class="(?:stack|provenance)\b.*?</table>'


def _named(found: re.Match[str]) -> str:
    heads = [
        re.sub("<[^>]+>", "", head).strip() for head in re.findall(r"<th\b.*?</th>", found[0], re.DOTALL)
    ]

    def row(cells: re.Match[str]) -> str:
        names = iter(heads)
        return re.sub("<td", lambda _: f'<td data-label="{next(names)}"', cells[0])

    return re.sub(r"<tr\b.*?</tr>", row, found[0], flags=re.DOTALL) if heads else found[0]


# Words of code in a cell of a table: names may break after these marks and before an ending, nowhere else. What is copied
# stays as it is.
CODE_IN_CELL = r"<td\b.*?</td>"
BREAKS = r"(?<=[_/:,])(?=[^\s_/:,])|(?<=\w)(?=\.[a-z])"


def _breakable(found: re.Match[str]) -> str:
    words = r'<span class="pre">[^<]+'
    return re.sub(words, lambda word: re.sub(BREAKS, "<wbr>", word[0]), found[0])


# An entry of the sidebar: the link to a notebook's page, "#" from itself.
CHAPTER = (
    r'(<li class="toctree-l1[^"]*"><a class="(?:current )?reference internal" '
    r'href="(?:[^"#]*?(\d\d_[a-z0-9_-]+)\.html|#)">)'
)


def _dotted(source: Path, here: str) -> Callable[[re.Match[str]], str]:
    """Return what puts a dot in the colour of its verdict before a page's entry."""

    def dot(found: re.Match[str]) -> str:
        verdict = measured(source, found[2] or here).get("verdict", "")
        names = [name for _, name in split(verdict)] if verdict else []
        return found[1] + "".join(
            f'<span class="dot {name.replace(" ", "-")}" role="img" aria-label="{name}" title="{name}"></span>'
            for name in dict.fromkeys(names)
        )

    return dot


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", prepare, priority=999)
    app.connect("build-finished", repair)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
