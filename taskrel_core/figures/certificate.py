"""Bounds against losses, on the sample and on test data."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from .names import named
from .style import GREY, STYLE, colour_of


def certificate(table: pd.DataFrame) -> np.ndarray:
    """Draw bounds against losses, both over the loss of chance: on the sample (above) and on test samples (below).

    Args:
        table: rows of ``Certificate``; colours are targets.
    """
    loss, new, bound = (table[c] / table["chance"] for c in ("loss", "loss_new", "bound"))
    low, high = float(min(loss.min(), bound.min())) - 0.05, float(max(1.0, new.max(), bound.max())) + 0.05
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(2, 1, figsize=(5.2, 8.0), sharex=True, layout="constrained")
        for ax, value, where in zip(
            axes, (loss, new), ("the sample: guaranteed", "test samples"), strict=True
        ):
            for target in dict.fromkeys(table["target"]):
                here = table["target"] == target
                colour, marker = colour_of(str(target))
                ax.scatter(
                    value[here],
                    bound[here],
                    s=30,
                    marker=marker,
                    color=colour,
                    alpha=0.8,
                    label=named(target),
                )
            ax.plot([low, high], [low, high], color=GREY, lw=1)
            ax.fill_between([low, high], [low, low], [low, high], color=GREY, alpha=0.15, lw=0)
            ax.text(high, low, "loss above the bound ", ha="right", va="bottom")
            ax.set(xlim=(low, high), ylim=(low, 1.05), title=f"Loss on {where}", ylabel="bound / chance")
        axes[1].set_xlabel("loss / chance")
        figure.legend(
            *axes[0].get_legend_handles_labels(),
            loc="outside upper left",
            ncols=2,
            title="target",
        )
    return axes
