"""The directive ``{slider}``: a control for tau, beside a figure, that shows the numbers of a file at each of its taus.

The file is a CSV with the columns tau, pair, chance, best head, and one for the bound under each cost (nats). Without
JavaScript nothing is shown: the static figure holds the same numbers.
"""

import json
from html import escape
from pathlib import Path

import pandas as pd
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from taskrel_core.figures.names import NAMES
from taskrel_core.figures.style import METRIC_COLOURS

FIXED = ["tau", "pair", "chance", "best head"]
COLOURS = {NAMES[metric]: colour for metric, colour in METRIC_COLOURS.items()}


class Slider(SphinxDirective):
    """The control, its data, and the script that joins them; ``slider.js`` fills picture, table and sentence."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        relative, path = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(relative)
        text = json.dumps(slides(Path(path)), ensure_ascii=False).replace("</", r"<\/")
        up = "../" * self.env.docname.count("/")
        body = f"""<section class="slider" aria-label="The gap at other values of tau" hidden>
<label for="slider-tau">tau = <output for="slider-tau"></output> nats per unit of feature</label>
<input type="range" id="slider-tau" min="0" step="1">
<p class="slider-said" role="status"></p>
<div class="slider-picture" aria-hidden="true"></div>
<div class="pst-scrollable-table-container"><table class="table"></table></div>
</section>
<script type="application/json" id="slider-data">{text}</script>
<script defer src="{escape(up)}slider.js"></script>
"""
        return [nodes.raw("", body, format="html")]


def slides(path: Path) -> list[dict]:
    """Return one entry per tau: its pairs with best head, chance, and bound and gap ratio under each cost.

    Raises:
        ValueError: a column is missing.
    """
    table = pd.read_csv(path)
    missing = [name for name in FIXED if name not in table]
    if missing:
        raise ValueError(f"{path.name} must have the columns {', '.join(FIXED)}, has no {', '.join(missing)}")
    costs = [name for name in table if name not in FIXED]
    found = []
    for tau, part in table.groupby("tau"):
        pairs = []
        for line in part.to_dict("records"):
            best, left = line["best head"], line["chance"] - line["best head"]
            bounds = [
                {
                    "cost": cost,
                    "colour": COLOURS.get(cost, ""),
                    "bound": line[cost],
                    "ratio": (line[cost] - best) / left,
                }
                for cost in costs
            ]
            pairs.append({"pair": line["pair"], "best": best, "chance": line["chance"], "bounds": bounds})
        found.append({"tau": tau, "pairs": pairs})
    return found


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("slider", Slider)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
