"""The directive ``{package-modules}``: the public names of each module."""

import os
import re
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
        text = ""
        for path in sorted((root / "taskrel_core").rglob("*.py"), key=lambda path: (len(path.parts), path)):
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            if not path.stem.startswith("_"):
                text += f"## {name}\n\n```{{eval-rst}}\n.. automodule:: {name}\n   :members:\n```\n\n"
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
