"""The bound of one task under each cost, that of the last one split into its terms."""

import math

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from .names import TERMS, named
from .style import GREY, STYLE, TERM_COLOURS, vacuous

LINES = {"transferability": "best head", "loss": "transformed classifier", "chance": "chance"}


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
                ax.barh(y, float(row.bound), height=0.55, color=GREY, lw=0)
                continue
            start = 0.0
            for name, colour, width in zip(TERMS.values(), TERM_COLOURS, terms, strict=True):
                ax.barh(y, width, left=start, height=0.55, color=colour, lw=0, label=name)
                start += width
        _lines(ax, {name: float(last[column]) for column, name in LINES.items()})
        labels = [f"{named(str(row.metric))}\n{row.bound:.2f}" for row in table.itertuples()]
        ax.set_yticks(range(len(table)), labels)
        ax.set(xlim=(0, top), ylim=(len(table) - 0.5, -0.5), xlabel="nats (shaded: above chance, vacuous)")
        ax.legend(
            title=f"terms of the {named(last['metric'])} bound",
            loc="upper left",
            bbox_to_anchor=(-0.2, -0.2),
            alignment="left",
        )
    return ax


def _lines(ax: Axes, losses: dict[str, float]) -> None:
    """A vertical line for each loss that is known, its label above the axes; the rightmost lowest, so that no line meets one."""
    known = sorted(
        ((x, name) for name, x in losses.items() if not math.isnan(x)), reverse=True
    )  # without labels only chance
    for k, (x, name) in enumerate(known):
        style = {"best head": ":", "chance": "--"}.get(name, "-")
        ax.axvline(x, color="black", lw=1.3, ls=style)
        ax.annotate(
            f"{name} {x:.2f}", (x, 1.0), (5, 2 + 13 * k), ("data", "axes fraction"), "offset points", va="bottom",
            arrowprops={"arrowstyle": "-", "color": GREY, "lw": 0.8, "shrinkA": 0, "shrinkB": 0, "relpos": (0, 0.5)},
        )  # fmt: skip
