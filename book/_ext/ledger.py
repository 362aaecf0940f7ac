"""The directives ``{ledger}``, ``{measured}``, ``{shown}`` and ``{claim}``: claims beside what the pages measured.

Each notebook's page gets a ``{claim}`` under its heading, so that it opens with what was claimed and what was found.
"""

import json
import re
from pathlib import Path
from typing import Any, ClassVar

import yaml
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ABSENT = "not run for this copy of the book"
AGAIN = "**Make it again** with another value, for instance, in the project's folder (`make reproduce` brings the default back):"


class FromPages(SphinxDirective):
    """A directive whose text depends on what the pages measured, so that it is read again at each build."""

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()
        return self.parse_text_to_nodes(self.text(Path(self.env.srcdir)))

    def text(self, source: Path) -> str:
        """Return the MyST text; ``source`` is the folder of the book."""
        raise NotImplementedError


class Ledger(FromPages):
    """A table of ``ledger.yml``: what was claimed, what its page found, and the verdict that the page's code gave."""

    def text(self, source: Path) -> str:
        lines = ["| claim | source | here | verdict |", "| --- | --- | --- | --- |"]
        for entry in _entries(source):
            page = entry.get("page", "")
            found = {"ours": ABSENT, "verdict": ABSENT, **entry, **measured(source, page)}
            ours = found["ours"]
            if page and (source / "executed" / f"{page}.ipynb").exists():
                ours += f" ({{doc}}`page <executed/{page}>`)"
            if _record(source, page).get("given"):
                ours += " **with parameters of your own**"
            cells = (entry["claim"], entry["source"], ours, f"**{found['verdict']}**")
            lines.append("| " + " | ".join(" ".join(str(cell).split()) for cell in cells) + " |")
        return "\n".join(lines)


class Measured(FromPages):
    """Text with ``<page:name>`` replaced by what that page glued."""

    has_content = True

    def text(self, source: Path) -> str:
        return filled(source, "\n".join(self.content))


class Shown(FromPages):
    """A figure of another page, named by page and figure, over text filled as in Measured; the text alone if it was not run."""

    required_arguments = 2
    has_content = True
    option_spec: ClassVar = {"alt": directives.unchanged_required}

    def text(self, source: Path) -> str:
        page, name = self.arguments
        text = " ".join(filled(source, "\n".join(self.content)).split())
        if not (source / "_generated" / f"{name}.svg").exists():
            return text
        head = f":::{{figure}} _generated/{name}.svg\n:alt: {self.options['alt']}\n:class: ink\n"
        return f"{head}\n{text} ({{doc}}`page <executed/{page}>`)\n:::"


class Claim(FromPages):
    """What was claimed, what the page found, the verdict, and the line that makes it with other parameters."""

    required_arguments = 1

    def text(self, source: Path) -> str:
        page = self.arguments[0]
        found = measured(source, page)
        entries = [entry for entry in _entries(source) if entry.get("page") == page]
        said = [f"**Claimed**: {entry['claim']} ({entry['source']})." for entry in entries]
        said += [f"**Here**: {found['ours']}."] if "ours" in found else []
        said += [f"**Verdict**: {found['verdict']}."] if entries and "verdict" in found else []
        again = next((entry["again"] for entry in entries if "again" in entry), "")
        text = "\n\n".join([*said, AGAIN, _command(source, page, again)])
        return f"::::{{admonition}} In short\n:class: tip\n\n{text}\n::::"


def _command(source: Path, page: str, again: str) -> str:
    """A line to copy: what the ledger gives, or the parameters of this run with its tau or first number doubled."""
    made = _record(source, page)
    numbers = {k: v for k, v in made.get("parameters", {}).items() if type(v) in (int, float) and v}
    name = "tau" if "tau" in numbers else next(iter(numbers), None)
    if not again and name:
        kept = {k: v if isinstance(v, str) else json.dumps(v) for k, v in made.get("given", {}).items()}
        again = " ".join(f"{k}={v}" for k, v in {**kept, name: f"{2 * numbers[name]:g}"}.items())
    quote = "'" if '"' in again else '"'
    given = f" P={quote}{again}{quote}" if again else ""
    return f"```bash\nmake notebook NB={page}{given}\n```"


def filled(source: Path, text: str) -> str:
    """Return the text with each ``<page:name>`` replaced by what that page glued."""
    return re.sub(
        r"<([^<>:]+):([^<>]+)>", lambda found: measured(source, found[1]).get(found[2], f"({ABSENT})"), text
    )


def measured(source: Path, page: str) -> dict[str, str]:
    """Return what a page glued, by name; empty if it was not run."""
    return _read(source / "_generated" / f"glue.{page}.json")


def _record(source: Path, page: str) -> dict[str, Any]:
    """What the runner noted of a page; empty if it was not run."""
    return _read(source / "executed" / f"{page}.json")


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _entries(source: Path) -> list[dict[str, Any]]:
    return yaml.safe_load((source / "ledger.yml").read_text(encoding="utf-8"))


def put_claims(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the claim under a notebook's first cell, which holds its heading and what it asks."""
    if docname.startswith("executed/"):
        notebook = json.loads(source[0])
        text = f":::{{claim}} {docname.removeprefix('executed/')}\n:::"
        cell = {"cell_type": "markdown", "id": "claim", "metadata": {}, "source": text}
        notebook["cells"].insert(1, cell)
        source[0] = json.dumps(notebook)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", put_claims)
    for directive in (Ledger, Measured, Shown, Claim):
        app.add_directive(directive.__name__.lower(), directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
