"""The directive ``{package-modules}``: the public names of each module, in the order of pyproject.toml's layers."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class PackageModules(SphinxDirective):
    """One section a module, from the docstrings."""

    def run(self) -> list[nodes.Node]:
        root = Path(os.environ.get("TASKREL_ROOT") or Path(__file__).resolve().parents[2])
        self.env.note_reread()
        settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
            "importlinter"
        ]
        layers = next(
            contract["layers"] for contract in settings["contracts"] if contract["type"] == "layers"
        )
        text = ""
        for name in (part.strip() for layer in reversed(layers) for part in layer.split("|")):
            if not name.startswith("_"):
                text += f"## {name}\n\n```{{eval-rst}}\n.. automodule:: taskrel_core.{name}\n   :members:\n```\n\n"
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def plain_bars(_app: Sphinx, _what: str, _name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    """Let docstrings write |z| for a norm: in reStructuredText bars would be a substitution."""
    for number, line in enumerate(lines):
        parts = re.split(r"(``.*?``)", line)
        lines[number] = "".join(part if part.startswith("``") else part.replace("|", r"\|") for part in parts)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", plain_bars)
    app.add_directive("package-modules", PackageModules)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
