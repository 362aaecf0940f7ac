"""Bounds against losses, on the sample and on new data."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from .names import named
from .style import COLOURS, GREY, STYLE


def certificate(table: pd.DataFrame) -> np.ndarray:
    """Draw bounds against losses, both over the loss of chance: on the sample (left) and on new samples (right).

    Args:
        table: rows of ``Certificate``; colours are ground costs, marks are what was learned.
    """
    marks = {"fixed_all": "x", "learned_a": "^", "learned_all": "o"}
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(1, 2, figsize=(7.4, 3.9), sharey=True)
        for ax, value in zip(axes, ("loss", "loss_new"), strict=True):
            for k, (metric, rows) in enumerate(table.groupby("metric", sort=False)):
                for mode, part in rows.groupby("mode", sort=False):
                    ax.scatter(
                        part[value] / part["chance"],
                        part["bound"] / part["chance"],
                        s=16,
                        marker=marks[str(mode)],
                        color=COLOURS[k],
                        alpha=0.7,
                        linewidths=0.9 if mode == "fixed_all" else 0,
                        label=f"{named(str(metric))}, {named(str(mode))}",
                    )
            top = float((table[value] / table["chance"]).max()) * 1.05
            ax.plot([0, top], [0, top], color=GREY, linewidth=1)
            ax.axhline(1, color=GREY, linewidth=0.8, linestyle=":")
            ax.set(
                xlim=(0, top), xlabel=f"loss on {'the sample' if value == 'loss' else 'new samples'} / chance"
            )
            ax.annotate("chance", (0, 1), (3, 2), textcoords="offset points", fontsize=8, color=GREY)
        axes[0].set_ylabel("bound / chance")
        axes[0].set_ylim(bottom=0)
        axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="upper center", ncols=3, fontsize=8)
        plt.tight_layout(rect=(0, 0, 1, 0.87))
    return axes
