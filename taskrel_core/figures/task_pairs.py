"""Bound against transferability over pairs of tasks."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from .names import named
from .style import GREY, STYLE, colour_of, vacuous


def task_pairs(table: pd.DataFrame, metrics: Sequence[str]) -> Axes:
    """Draw the bound against transferability on one scale, a colour per reference; on the diagonal a bound is tight.

    Args:
        table: columns reference, target, transferability, chance and bound_<metric> of each metric; divided by the loss
            of chance, rows are comparable between tasks of different K.
        metrics: the last is drawn filled, the others hollow.
    """
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(5.2, 6.2), layout="constrained")
        for reference, rows in table.groupby("reference", sort=False):
            colour, marker = colour_of(str(reference))
            for metric in metrics:
                filled = metric == metrics[-1]
                x, y = rows["transferability"] / rows["chance"], rows[f"bound_{metric}"] / rows["chance"]
                label = named(str(reference)) if filled else None
                face = colour if filled else "none"
                ax.scatter(x, y, s=34, marker=marker, edgecolors=colour, facecolors=face, label=label)
        low = float((table["transferability"] / table["chance"]).min()) - 0.03
        top = max(float((table[f"bound_{m}"] / table["chance"]).max()) for m in metrics) + 0.05
        ax.plot([low, 1], [low, 1], color=GREY, lw=1)
        ax.annotate("y = x", (low, low), (16, 2), textcoords="offset points", fontsize=10)
        vacuous(ax, 1.0, top, "y")
        ax.text(low, 1.0, " vacuous: above chance", va="bottom", fontsize=10)
        ax.set(
            xlim=(low, 1.02),
            ylim=(low, top),
            xlabel="loss of the best head / chance",
            ylabel="bound / chance",
        )
        title = f"filled: {named(metrics[-1])} cost; hollow: {', '.join(named(m) for m in metrics[:-1])}"
        ax.legend(
            title=title, loc="lower left", bbox_to_anchor=(-0.1, 1), ncols=2, fontsize=10, title_fontsize=10
        )
    return ax
