"""The directive ``{equation-tests}``: the test of each labelled equation, under the label ``test-<equation>``."""

import os
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class EquationTests(SphinxDirective):
    """One section a file of ``tests/equations``: the equation's number, then the test."""

    def run(self) -> list[nodes.Node]:
        root = Path(os.environ.get("TASKREL_ROOT") or Path(__file__).resolve().parents[2])
        self.env.note_reread()
        text = ""
        for path in sorted((root / "tests/equations").glob("test_*.py")):
            label = path.stem.removeprefix("test_").replace("_", "-")
            code = path.read_text(encoding="utf-8").strip()
            text += f"(test-{label})=\n## {label}\n\nEquation {{eq}}`{label}`, in `tests/equations/{path.name}`:\n\n"
            text += f"``````{{code-block}} python\n{code}\n``````\n\n"
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("equation-tests", EquationTests)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
