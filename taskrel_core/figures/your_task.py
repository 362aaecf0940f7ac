"""The bound of one task under each metric."""

import math

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from .names import named
from .style import COLOURS, GREY, STYLE


def your_task(table: pd.DataFrame) -> Axes:
    """Draw the bound of one pair under each ground cost, with loss, transferability and chance as lines.

    Args:
        table: columns metric, bound; one row of loss, transferability, chance repeated.
    """
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(6.4, 2.6))
        for position, row in enumerate(table.itertuples()):
            ax.barh(position, row.bound, color=COLOURS[position], alpha=0.85, height=0.55)
            ax.annotate(
                f"{row.bound:.3f}",
                (row.bound, position),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
            )
        marks = (("transferability", "best head"), ("loss", "h_R'''"), ("chance", "chance"))
        for k, (column, name) in enumerate(marks):
            x = float(table[column].iloc[0])
            if math.isnan(x):  # of a target without labels
                continue
            ax.axvline(x, color=(GREY, "black", GREY)[k], lw=1.2, ls=(":", "-", "--")[k])
            ax.annotate(
                name,
                (x, 1.0),  # outside the axes, where data coordinates would hide it
                xycoords=("data", "axes fraction"),
                fontsize=8,
                ha="center",
                va="bottom",
                xytext=(0, 2 + 9 * k),
                textcoords="offset points",
            )
        ax.set_yticks(range(len(table)), [named(m) for m in table["metric"]])
        ax.invert_yaxis()
        ax.set_xlabel("nats")
    return ax
