"""Bound against transferability over pairs of tasks."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from .names import named
from .style import GREY, STYLE, marker_of


def task_pairs(table: pd.DataFrame, metrics: Sequence[str]) -> np.ndarray:
    """Draw the bound against transferability, a panel per metric, a colour per reference; the diagonal is a tight bound.

    Args:
        table: columns reference, target, transferability, chance and bound_<metric> of each metric; rows with a
            normalised loss (divided by that of chance) are comparable between tasks of different K.
        metrics: panels, left to right.
    """
    references = list(dict.fromkeys(table["reference"]))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(metrics), figsize=(3.7 * len(metrics), 3.6), squeeze=False)
        for ax, metric in zip(axes[0], metrics, strict=True):
            for k, reference in enumerate(references):
                rows = table[table["reference"] == reference]
                x, y = rows["transferability"] / rows["chance"], rows[f"bound_{metric}"] / rows["chance"]
                colour, marker = marker_of(k)
                ax.scatter(x, y, s=26, marker=marker, color=colour, label=named(reference), alpha=0.85)
            low = float((table["transferability"] / table["chance"]).min())
            ax.plot([low, 1], [low, 1], color=GREY, lw=0.8)
            ax.axhline(1, color=GREY, lw=0.8, ls="--")
            ax.annotate("chance", (low, 1), xytext=(0, 3), textcoords="offset points", fontsize=8, color=GREY)
            ax.set_title(f"{named(metric)} cost")
            ax.set_xlabel("transferability / chance")
        axes[0][0].set_ylabel("bound / chance")
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(
            handles,
            labels,
            title="reference",
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            ncols=4,
            fontsize=8,
        )
    return axes[0]
