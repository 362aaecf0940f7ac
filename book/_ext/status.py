"""The directive ``{run-status}``: which pages were made when, from what and where, and which were not and why."""

import json
import os
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

HEAD = (
    "| page | state | profile | seconds | memory (MB) | rows (computed, cached, shipped) | commit | made |\n"
)
RULE = "| --- | --- | --- | ---: | ---: | --- | --- | --- |\n"


class RunStatus(SphinxDirective):
    """Two tables from the records that the runner keeps beside the pages."""

    def run(self) -> list[nodes.Node]:
        folder = Path(self.env.srcdir) / "executed"
        self.env.note_reread()
        pages = _read(folder / "_run" / "pages.json")
        records = {path.stem: _read(path) for path in sorted(folder.glob("*.json"))}
        if not pages:
            return self.parse_text_to_nodes("No notebook was run for this copy of the book.")
        lines = "".join(self._line(stem, now, records.get(stem)) for stem, now in sorted(pages.items()))
        late = [f"- `{stem}` ({now['state']}): {_cell(now['reason'])}" for stem, now in sorted(pages.items())]
        late = [line for line, now in zip(late, pages.values(), strict=True) if now["state"] != "current"]
        notes = "\n".join(late) or "Every page is current."
        return self.parse_text_to_nodes(f"{HEAD}{RULE}{lines}\n\n{notes}\n\n{_versions(records)}")

    def _line(self, stem: str, now: dict[str, str], made: dict[str, Any] | None) -> str:
        if made is None:
            return f"| {stem} | {now['state']} | | | | | | |\n"
        rows = ", ".join(str(made["rows"][origin]) for origin in ("computed", "cached", "shipped"))
        own = " (own parameters)" if made["given"] else ""
        cells = [
            f"{{doc}}`{stem} <executed/{stem}>`",
            now["state"],
            made["profile"] + own,
            f"{made['seconds']:.1f}",
        ]
        cells += [str(made["peak_memory_mb"]), rows, made["commit"], made["started"][:16].replace("T", " ")]
        return "| " + " | ".join(cells) + " |\n"


class FaultReport(SphinxDirective):
    """A table of ``tests/faults.yml``: what can go wrong, what then happens, and how its test last ended here."""

    def run(self) -> list[nodes.Node]:
        root = Path(os.environ.get("TASKREL_ROOT") or Path(__file__).resolve().parents[2])
        self.env.note_reread()
        ended = _read(Path(self.env.srcdir) / "executed/_run/faults.json")
        lines = ["| what goes wrong | what then happens | its test, here |", "| --- | --- | --- |"]
        for entry in yaml.safe_load((root / "tests/faults.yml").read_text(encoding="utf-8")):
            last = ended.get(entry["test"], "not run in this copy")
            lines.append(f"| {entry['fault']} | {entry['then']} | {last} |")
        return self.parse_text_to_nodes("\n".join(lines))


def _versions(records: dict[str, Any]) -> str:
    """Versions and machines, each once with the pages that they hold for."""
    found: dict[str, list[str]] = {}
    for stem, made in records.items():
        versions = ", ".join(f"{name} {number}" for name, number in made["versions"].items())
        line = (
            f"{made['cpu']}, device {made['device']}, {made['system']}; Python {made['python']}, {versions}"
        )
        found.setdefault(line, []).append(stem.split("_")[0])
    return "| pages | machine and versions |\n| --- | --- |\n" + "".join(
        f"| {', '.join(pages)} | {line.replace('|', '/')} |\n" for line, pages in found.items()
    )


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _cell(text: str) -> str:
    """Text of an error message, as it is: no markup, one line."""
    plain = " ".join(text.split()).replace("`", "'").replace("|", "/")
    return f"`` {plain} ``"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("run-status", RunStatus)
    app.add_directive("fault-report", FaultReport)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
