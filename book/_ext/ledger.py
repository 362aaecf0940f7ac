"""The directives ``{ledger}``, ``{measured}``, ``{shown}`` and ``{claim}``: claims beside what the pages measured.

Each notebook's page gets a ``{claim}`` under its heading, so that it opens with what was claimed and what was found.
"""

import json
from pathlib import Path
from typing import Any, ClassVar

import yaml
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ABSENT = "not run for this copy of the book"
AGAIN = "**Make it again** with another value, for instance, in the project's folder (`make reproduce` brings the default back):"


class Ledger(SphinxDirective):
    """A table of ``ledger.yml``: what was claimed, what its page found, and the verdict that the page's code gave."""

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()
        source = Path(self.env.srcdir)
        self.env.note_dependency(str(source / "ledger.yml"))
        lines = ["| claim | source | here | verdict |", "| --- | --- | --- | --- |"]
        for entry in yaml.safe_load((source / "ledger.yml").read_text(encoding="utf-8")):
            page = entry.get("page")
            found = measured(source, page) if page else {}
            ours = found.get("ours", entry.get("ours", ABSENT))
            verdict = found.get("verdict", entry.get("verdict", ABSENT))
            if page and (source / "executed" / f"{page}.ipynb").exists():
                ours += f" ({{doc}}`page <executed/{page}>`)"
            if page and _record(source, page).get("given"):
                ours += " **with parameters of your own**"
            cells = (entry["claim"], entry["source"], ours, f"**{verdict}**")
            lines.append("| " + " | ".join(" ".join(str(cell).split()) for cell in cells) + " |")
        return self.parse_text_to_nodes("\n".join(lines))


class Measured(SphinxDirective):
    """Text with ``<page:name>`` replaced by what that page glued."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()
        return self.parse_text_to_nodes(filled(Path(self.env.srcdir), "\n".join(self.content)))


class Shown(SphinxDirective):
    """A figure of another page, named by page and figure, over text filled as in Measured; the text alone if it was not run."""

    required_arguments = 2
    has_content = True
    option_spec: ClassVar = {"alt": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()
        source, (page, name) = Path(self.env.srcdir), self.arguments
        text = " ".join(filled(source, "\n".join(self.content)).split())
        if (source / "_generated" / f"{name}.svg").exists():
            head = f":::{{figure}} _generated/{name}.svg\n:alt: {self.options['alt']}\n:class: ink\n"
            text = f"{head}\n{text} ({{doc}}`page <executed/{page}>`)\n:::"
        return self.parse_text_to_nodes(text)


def filled(source: Path, text: str) -> str:
    """Return the text with each ``<page:name>`` replaced by what that page glued."""
    for part in [p.split(">")[0] for p in text.split("<")[1:] if ":" in p.split(">")[0]]:
        page, name = part.split(":", 1)
        text = text.replace(f"<{part}>", measured(source, page).get(name, f"({ABSENT})"))
    return text


class Claim(SphinxDirective):
    """What was claimed, what the page found, the verdict, and the line that makes it with other parameters."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()
        source, page = Path(self.env.srcdir), self.arguments[0]
        found = measured(source, page)
        entries = yaml.safe_load((source / "ledger.yml").read_text(encoding="utf-8"))
        entries = [entry for entry in entries if entry.get("page") == page]
        claims = [f"{entry['claim']} ({entry['source']})" for entry in entries]
        again = next((entry["again"] for entry in entries if "again" in entry), "")
        said = [f"**Claimed**: {claim}." for claim in claims]
        said += [f"**Here**: {found['ours']}."] if "ours" in found else []
        said += [f"**Verdict**: {found['verdict']}."] if claims and "verdict" in found else []
        said += [AGAIN, _command(source, page, again)]
        text = "\n\n".join(said)
        return self.parse_text_to_nodes(f"::::{{admonition}} In short\n:class: tip\n\n{text}\n::::")


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


def _record(source: Path, page: str) -> dict[str, Any]:
    """What the runner noted of a page; empty if it was not run."""
    path = source / "executed" / f"{page}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def put_claims(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the claim under a notebook's first cell, which holds its heading and what it asks."""
    if docname.startswith("executed/"):
        notebook = json.loads(source[0])
        text = f":::{{claim}} {docname.removeprefix('executed/')}\n:::"
        cell = {"cell_type": "markdown", "id": "claim", "metadata": {}, "source": text}
        notebook["cells"].insert(1, cell)
        source[0] = json.dumps(notebook)


def measured(source: Path, page: str) -> dict[str, str]:
    """Return what a page glued, by name; empty if it was not run."""
    path = source / "_generated" / f"glue.{page}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("claim", Claim)
    app.connect("source-read", put_claims)
    app.add_directive("ledger", Ledger)
    app.add_directive("measured", Measured)
    app.add_directive("shown", Shown)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
