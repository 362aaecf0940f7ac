"""What a page depends on: parameters, the code that it imports, the lock, the data; and one key of it all."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
from nbformat import NotebookNode

from . import assets
from .imports import ROOT, imported
from .parameters import Parameter, chosen, declared, filled
from .places import OWN
from .reading import written


@dataclass(frozen=True)
class Plan:
    """One notebook with the values that it will run with."""

    stem: str
    notebook: NotebookNode
    profile: str
    declared: dict[str, Parameter]
    given: dict[str, Any]  # from the command line, where it differs from what the profile has
    injected: dict[str, Any]  # all that differ from the notebook's defaults
    parts: dict[str, Any]  # everything that the result depends on
    text: str  # hash of the source with its prose

    @property
    def key(self) -> str:
        """Hash of all parts: equal keys, equal pages."""
        return digest(json.dumps(self.parts, sort_keys=True, default=str).encode())

    @property
    def name(self) -> str:
        """Name of the page: the notebook's, or one that the parameters of one's own make; safe in paths and addresses."""
        if not self.given:
            return self.stem
        given = sorted(self.given.items())
        words = re.findall(
            r"[a-z0-9]+", " ".join(f"{name}={written(value)}" for name, value in given).lower()
        )
        unique = digest(json.dumps([self.profile, given], sort_keys=True).encode())[:8]
        return OWN.join([self.stem, "-".join(words)[:24].strip("-"), unique])


def make(
    stem: str,
    profile: str,
    given: dict[str, str] | None = None,
    values: dict[str, Any] | None = None,
    download: bool = False,
) -> Plan:
    """Return the plan of one notebook.

    Args:
        stem: name of the notebook.
        profile: a file of ``notebooks/params``.
        given: parameters as text, from the command line.
        values: parameters that were read already.
        download: fetch data that the page's key asks for.

    Raises:
        Refused: a parameter is unknown, or its value not what the notebook declares.
    """
    source = ROOT / "notebooks" / f"{stem}.py"
    notebook = jupytext.read(source)
    known = declared(notebook, stem)
    merged, asked = chosen(stem, known, profile, given, values)
    usual, _ = chosen(stem, known, profile)
    asked = {name: value for name, value in asked.items() if value != usual[name]}
    injected = {name: value for name, value in merged.items() if value != known[name].default}
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    files = sorted(imported("\n".join(cell.source for cell in code)))
    parts = {
        "notebook": digest(json.dumps([[c.source, c.metadata] for c in code], sort_keys=True).encode()),
        "parameters": merged,
        "modules": {path.relative_to(ROOT).as_posix(): file_hash(path) for path in files},
        "requirements.lock": file_hash(ROOT / "requirements.lock"),
        "shipped rows": {
            path.name: file_hash(path) for path in sorted((ROOT / "book/results").glob("*.jsonl"))
        },
        "data": assets.versions(filled(known, merged), download),
    }
    return Plan(stem, notebook, profile, known, asked, injected, parts, file_hash(source))


def file_hash(path: Path) -> str:
    """Return the sha256 of a file's content."""
    return digest(path.read_bytes())


def digest(data: bytes) -> str:
    """Return the sha256 of ``data``, 64 hex digits."""
    return hashlib.sha256(data).hexdigest()
