"""Bound and transferability while an encoder is trained."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from .names import named
from .style import GREY, STYLE, marker_of


def better_encoder(table: pd.DataFrame) -> np.ndarray:
    """Draw transferability and bound of each target while the encoder improves on the reference.

    Args:
        table: columns target, related, epochs, seed, reference_accuracy, transferability, bound, chance.
    """
    targets = list(dict.fromkeys(table["target"]))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, 2, figsize=(7.4, 3.6), sharex=True)
        for ax, column in zip(axes, ("transferability", "bound"), strict=True):
            for k, target in enumerate(targets):
                rows = table[table["target"] == target].groupby("epochs")
                value = rows[column].agg(["mean", "min", "max"]) / rows["chance"].mean().to_frame().to_numpy()
                x, (colour, marker) = rows["reference_accuracy"].mean(), marker_of(k)
                ax.plot(x, value["mean"], marker=marker, ms=4, color=colour, label=named(target))
                ax.fill_between(x, value["min"], value["max"], color=colour, alpha=0.18, lw=0)
            ax.axhline(1, color=GREY, lw=0.8, ls="--")
            ax.set_xlabel("accuracy on the reference")
            ax.set_title(f"{column} / chance")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(
            handles, labels, title="target", loc="upper center", bbox_to_anchor=(0.5, 0), ncols=4, fontsize=8
        )
    return axes
