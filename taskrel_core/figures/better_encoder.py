"""Bound and transferability while an encoder is trained."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from .names import named
from .style import GREY, STYLE, colour_of


def better_encoder(table: pd.DataFrame) -> np.ndarray:
    """Draw transferability and bound of each target while the encoder improves on the reference, unrelated targets dashed.

    Args:
        table: columns target, related, epochs, seed, reference_accuracy, transferability, bound, chance.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(2, 1, figsize=(5.2, 7.0), sharex=True, layout="constrained")
        for ax, column in zip(axes, ("transferability", "bound"), strict=True):
            for target, part in table.groupby("target", sort=False):
                rows = part.groupby("epochs")
                value = rows[column].agg(["mean", "min", "max"]) / rows["chance"].mean().to_frame().to_numpy()
                x, (colour, marker) = rows["reference_accuracy"].mean(), colour_of(str(target))
                style = {
                    "marker": marker,
                    "ms": 5,
                    "color": colour,
                    "ls": "-" if bool(np.all(part["related"])) else "--",
                }
                ax.plot(x, value["mean"], label=named(str(target)), **style)
                ax.fill_between(x, value["min"], value["max"], color=colour, alpha=0.18, lw=0)
            ax.axhline(1, color=GREY, lw=0.8, ls=":")
            ax.set_ylabel(f"{column} / chance")
        axes[1].set_xlabel("accuracy on the reference, over epochs")
        figure.legend(
            *axes[0].get_legend_handles_labels(), title="target (solid: related, dashed: unrelated)", loc="outside upper left",
            ncols=2, fontsize=10, title_fontsize=10,
        )  # fmt: skip
    return axes
