"""The directives ``{run-status}`` and ``{fault-report}``: how the pages were made, and how the tests of faults ended."""

import json
from collections.abc import Container
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from ledger import ORIGINS, called, origins, shipped_rows
from listings import ROOT
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

# Columns of the table of pages, and how each is set.
COLUMNS = {"page": "---", "state": "---", "profile": "---", "seconds": "---:", "memory (MB)": "---:"}
COLUMNS |= {f"rows ({', '.join(ORIGINS)})": "---", "commit": "---", "made": "---"}
SAID_ONCE = ("state", "profile", "commit")  # where they are the same for all pages


class RunStatus(SphinxDirective):
    """Which pages were made when, from what and where, and which were not and why, from the runner's records."""

    def run(self) -> list[nodes.Node]:
        folder = Path(self.env.srcdir) / "executed"
        self.env.note_reread()
        pages = dict(sorted(_read(folder / "_run/pages.json").items()))
        records = {path.stem: _read(path) for path in sorted(folder.glob("*.json"))}
        if not pages:
            return self.parse_text_to_nodes("No notebook was run for this copy of the book.")
        late = [(stem, now) for stem, now in pages.items() if now["state"] != "current"]
        notes = "\n".join(
            f"- {called(stem)} ({now['state']}): {_verbatim(now['reason'])}" for stem, now in late
        )
        shipped = shipped_rows(Path(self.env.srcdir))
        return self.parse_text_to_nodes(
            f"{_table(pages, records, shipped)}\n\n{notes}\n\n{_versions(records)}"
        )


class FaultReport(SphinxDirective):
    """A table of ``tests/faults.yml``: what can go wrong, what then happens, and how its test last ended here."""

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()
        ended = _read(Path(self.env.srcdir) / "executed/_run/faults.json")
        lines = ["| what goes wrong | what then happens | its test, here |", "| --- | --- | --- |"]
        for entry in yaml.safe_load((ROOT / "tests/faults.yml").read_text(encoding="utf-8")):
            last = ended.get(entry["test"], "not run in this copy")
            lines.append(f"| {entry['fault']} | {entry['then']} | {last} |")
        return self.parse_text_to_nodes("\n".join([":::{table}", ":class: stack dated", "", *lines, ":::"]))


def _table(pages: dict[str, Any], records: dict[str, Any], shipped: Container[str]) -> str:
    """A line for each page; what all pages have in common is said once, above them."""
    rows = [_row(stem, now["state"], records.get(stem), shipped) for stem, now in pages.items()]
    common = {name: rows[0][name] for name in SAID_ONCE if len({row[name] for row in rows}) == 1}
    names = [name for name in COLUMNS if name not in common]
    lines = [names, [COLUMNS[name] for name in names], *([row[name] for name in names] for row in rows)]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    said = ", ".join(f"{name} {value}" for name, value in common.items() if value)
    above = f"All pages: {said}.\n\n" if said else ""
    return f"{above}:::{{table}}\n:class: run-status dated\n\n{body}\n:::"


def _row(stem: str, state: str, made: dict[str, Any] | None, shipped: Container[str]) -> dict[str, str]:
    """One page's cells by the name of their column."""
    if made is None:
        return dict.fromkeys(COLUMNS, "") | {"page": called(stem), "state": state}
    cells = [f"{{doc}}`{called(stem)} <executed/{stem}>`", state, made["profile"], f"{made['seconds']:.1f}"]
    counts = origins(made, shipped)
    rows = ", ".join(str(counts[origin]) for origin in ORIGINS)
    cells += [str(made["peak_memory_mb"]), rows, made["commit"], made["started"][:16].replace("T", " ")]
    return dict(zip(COLUMNS, cells, strict=True))


def _versions(records: dict[str, Any]) -> str:
    """Versions and machines, each once with the pages that they hold for."""
    found: dict[str, list[str]] = {}
    for stem, made in records.items():
        versions = ", ".join(f"{name} {number}" for name, number in made["versions"].items())
        where = (
            f"{made['cpu']}, device {made['device']}, {made['system']}; Python {made['python']}, {versions}"
        )
        found.setdefault(where.replace("|", "/"), []).append(stem.split("_")[0])
    lines = "".join(f"| {', '.join(pages)} | {where} |\n" for where, pages in found.items())
    return f"| pages | machine and versions |\n| --- | --- |\n{lines}"


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _verbatim(text: str) -> str:
    """Text of an error message, as it is: no markup, one line."""
    plain = " ".join(text.split()).replace("`", "'").replace("|", "/")
    return f"`` {plain} ``"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("run-status", RunStatus)
    app.add_directive("fault-report", FaultReport)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
