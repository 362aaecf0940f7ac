"""Pages listed from the project itself: ``{equation-tests}``, ``{registry}``, and docstrings as the package writes them."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = Path(os.environ.get("TASKREL_ROOT") or Path(__file__).resolve().parents[2])


# What an equation is called where its label does not say it.
TITLES = {
    "eq-prior": "Class prior",
    "eq-labelmap": "Label map",
    "eq-features": "Feature map",
    "eq-reweighted": "Re-weighted reference loss",
    "eq-entropy": "Label mismatch",
    "eq-lipschitz": "Lipschitz constant",
    "eq-mismatch": "Distribution mismatch",
    "eq-coupling": "Coupling of the classes",
    "eq-costs": "Four transport costs",
    "eq-completion": "Completion of the feature map",
    "eq-head": "Joint optimisation of head and map",
    "eq-surrogate": "Choice of the class map",
    "eq-pseudo": "Pseudo-labels",
    "eq-authors": "The authors' objective",
    "eq-floor": "Lower bound on the loss",
}


class EquationTests(SphinxDirective):
    """A section for each equation of the theory page that has a test, labelled ``test-<equation>``: its number, then the test."""

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()
        text = ""
        for label, number in numbered(Path(self.env.srcdir, "theory.md").read_text(encoding="utf-8")).items():
            path = ROOT / f"tests/equations/test_{label.replace('-', '_')}.py"
            if path.exists():
                code = path.read_text(encoding="utf-8").strip()
                title = TITLES.get(label, label.removeprefix("eq-").title())
                text += f"(test-{label})=\n## ({number}) {title}\n\n"
                text += f"Equation {{eq}}`{label}`, in `tests/equations/{path.name}`:\n\n"
                text += f"``````{{code-block}} python\n{code}\n``````\n\n"
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def numbered(text: str) -> dict[str, int]:
    """Return the number of each labelled equation of a page, by its label."""
    labels = re.findall(r"^ *\$\$ *\(([\w-]+)\) *$", text, re.MULTILINE)
    return {label: number for number, label in enumerate(labels, 1)}


def name_tests(_app: Sphinx, _docname: str, source: list[str]) -> None:
    """Let a link "test" to the test of an equation of its page say of which."""
    known = numbered(source[0])
    links = r"(?<=\{ref\}`test)(?= <test-([\w-]+)>`)"
    source[0] = re.sub(
        links, lambda found: f" of ({known[found[1]]})" if found[1] in known else "", source[0]
    )


class RegistryTable(SphinxDirective):
    """A table of what a registry holds, ``datasets`` or ``encoders``, or of the cards of the ``small`` encoders."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        from taskrel_core import DATASETS, ENCODERS
        from taskrel_core.encoders.small import CARDS, PREFIX

        if self.arguments[0] == "datasets":
            head = ["name", "what it is", "licence"]
            rows = [(f"`{name}`", data.origin, data.licence) for name, data in DATASETS.items()]
        elif self.arguments[0] == "small":
            head = [
                "name",
                "trained on",
                "weights",
                "CPU seconds",
                "loss",
                "accuracy",
                "licence of the data",
                "sha256",
            ]
            rows = [card_cells(name, card) for name, card in CARDS.items()]
        else:
            head = ["name", "family", "width", "side", "head", "trained on", "licence"]
            others = [e for e in ENCODERS.values() if not e.name.startswith(PREFIX)]
            rows = [
                (
                    f"`{e.name}`",
                    e.family or "–",
                    e.dim,
                    e.input_size,
                    "yes" if e.has_head else "–",
                    e.source_task,
                    e.licence,
                )
                for e in others
            ]
        lines = [head, ["---"] * len(head), *rows]
        body = "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
        return self.parse_text_to_nodes(f":::{{table}}\n:class: stack\n\n{body}\n:::")


def card_cells(name: str, card: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what the table tells of a small encoder; random ones have no loss, some objectives no accuracy."""
    loss, accuracy = (card.get(key) for key in ("final_loss", "final_accuracy"))
    return (
        f"`{name}`",
        card["source_task"],
        f"{card['parameters'] / 1e6:.2f} M",
        f"{card['seconds']:.0f}",
        "" if loss is None else f"{loss:.2f}",
        "" if accuracy is None else f"{accuracy:.2f}",
        card["source_licence"],
        f"`{card['sha256'][:8]}`",
    )


def plain_bars(_app: Sphinx, _what: str, _name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    """Let docstrings write |z| for a norm: in reStructuredText bars would be a substitution."""
    for number, line in enumerate(lines):
        parts = re.split(r"(``.*?``)", line)
        lines[number] = "".join(part if part.startswith("``") else part.replace("|", r"\|") for part in parts)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", plain_bars)
    app.connect("source-read", name_tests)
    app.add_directive("equation-tests", EquationTests)
    app.add_directive("registry", RegistryTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
