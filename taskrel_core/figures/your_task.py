"""The bound of one task under each cost, that of the last one split into its terms."""

import math

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from .names import TERMS, named
from .style import COLOURS, GREY, STYLE, vacuous

LINES = {"transferability": "best head", "loss": "transformed classifier", "chance": "chance"}
SHADES = (1.0, 0.65, 0.35)  # of one colour: the terms from the left


def your_task(table: pd.DataFrame) -> Axes:
    """Draw the bound of one pair under each ground cost, with the losses beside it; above chance is shaded.

    Args:
        table: columns metric, bound, and the same in each row: loss, transferability, chance, and the terms of the last
            bound, reweighted_loss and label_mismatch; the distribution mismatch is the rest of it.
    """
    last = table.iloc[-1]
    terms = [float(last["reweighted_loss"]), float(last["label_mismatch"])]
    terms.append(float(last["bound"]) - sum(terms))
    top = 1.16 * max(float(table["bound"].max()), float(last["chance"]))
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(5.2, 4.0), layout="constrained")
        vacuous(ax, float(last["chance"]), top)
        for y, row in enumerate(table.itertuples()):
            if y < len(table) - 1:  # a bound whose terms are not shown
                ax.barh(y, float(row.bound), height=0.55, color=GREY, alpha=0.45, lw=0)
                continue
            start = 0.0
            for name, shade, width in zip(TERMS.values(), SHADES, terms, strict=True):
                ax.barh(y, width, left=start, height=0.55, color=COLOURS[0], alpha=shade, lw=0, label=name)
                start += width
        _lines(ax, {name: float(last[column]) for column, name in LINES.items()}, top)
        labels = [f"{named(str(row.metric))}\n{row.bound:.2f}" for row in table.itertuples()]
        ax.set_yticks(range(len(table)), labels)
        ax.set(xlim=(0, top), ylim=(len(table) - 0.5, -0.5), xlabel="nats (shaded: above chance, vacuous)")
        ax.legend(
            title=f"terms of the {named(last['metric'])} bound",
            loc="upper left",
            bbox_to_anchor=(-0.2, -0.2),
            fontsize=10,
            alignment="left",
        )
    return ax


def _lines(ax: Axes, losses: dict[str, float], top: float) -> None:
    """A vertical line for each loss that is known, its label on a line of its own above the axes."""
    known = {
        name: x for name, x in losses.items() if not math.isnan(x)
    }  # of a target without labels only chance
    for k, (name, x) in enumerate(known.items()):
        style = {"best head": ":", "chance": "--"}.get(name, "-")
        ax.axvline(x, color=GREY if name != "transformed classifier" else "black", lw=1.3, ls=style)
        ax.annotate(
            f"{name} {x:.2f}", (x, 1.0), (0, 2 + 13 * k), ("data", "axes fraction"), textcoords="offset points",
            ha="left" if x < 0.6 * top else "right", va="bottom", fontsize=10,
        )  # fmt: skip
