"""The directives ``{ledger}`` and ``{measured}``: claims beside what the pages measured, filled from their records."""

import json
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ABSENT = "not run for this copy of the book"


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
            cells = (entry["claim"], entry["source"], ours, f"**{verdict}**")
            lines.append("| " + " | ".join(" ".join(str(cell).split()) for cell in cells) + " |")
        return self.parse_text_to_nodes("\n".join(lines))


class Measured(SphinxDirective):
    """Text with ``<page:name>`` replaced by what that page glued."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()
        text = "\n".join(self.content)
        for part in [p.split(">")[0] for p in text.split("<")[1:] if ":" in p.split(">")[0]]:
            page, name = part.split(":", 1)
            text = text.replace(f"<{part}>", measured(Path(self.env.srcdir), page).get(name, f"({ABSENT})"))
        return self.parse_text_to_nodes(text)


def measured(source: Path, page: str) -> dict[str, str]:
    """Return what a page glued, by name; empty if it was not run."""
    path = source / "_generated" / f"glue.{page}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("ledger", Ledger)
    app.add_directive("measured", Measured)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
