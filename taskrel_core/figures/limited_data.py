"""Correlations when less of the target's data is seen."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from .names import SCORE_NAMES, named
from .panels import label_axes, panels
from .style import GREY, STYLE, marker_of


def limited_data(table: pd.DataFrame, columns: int = 3) -> np.ndarray:
    """Draw correlation with accuracy against the fraction of the target's samples, a panel per score, a colour per target.

    Args:
        table: columns target, score, share, pearson (mean over draws of the share), low, high (their range).
        columns: panels in a row.
    """
    scores, targets = list(dict.fromkeys(table["score"])), list(dict.fromkeys(table["target"]))
    with plt.rc_context(STYLE):
        figure, axes = panels(len(scores), columns, 2.1)
        for ax, score in zip(axes.flat, scores, strict=False):
            for k, target in enumerate(targets):
                part = pd.DataFrame(table[(table["score"] == score) & (table["target"] == target)])
                part = part.sort_values("share")
                colour, marker = marker_of(k)
                x, label = part["share"], named(target)
                ax.plot(x, part["pearson"], color=colour, marker=marker, ms=3, label=label)
                ax.fill_between(x, part["low"], part["high"], color=colour, alpha=0.2, lw=0)
            ax.axhline(0, color=GREY, lw=0.8)
            ax.set_title(SCORE_NAMES.get(score, score), fontsize=9)
            ax.set(xscale="log", ylim=(-1.05, 1.05))
        ticks = sorted(set(table["share"]))
        axes.flat[0].set_xticks(ticks, [f"{100 * t:g}" for t in ticks], fontsize=8)
        axes.flat[0].minorticks_off()
        label_axes(figure, axes, "share of the target's samples, %", "Pearson r with accuracy")
    return axes
