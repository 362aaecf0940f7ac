"""Colours and style of all figures.

Colours are Okabe and Ito's, safe for colour-blind readers; ink is black on a transparent ground, which the book
turns around in dark mode.
"""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

__all__ = ["COLOURS", "GREY", "STYLE"]


COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
GREY = "#777777"

TERMS = {
    "reweighted_loss": "re-weighted reference loss",
    "label_mismatch": "label mismatch",
    "transport": "distribution mismatch",
}


STYLE = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
    "svg.hashsalt": "taskrel",
}


def legend_of_terms(ax: Axes) -> None:
    """A key above the axes: bars for terms, marks for the yardsticks."""
    handles = [plt.Rectangle((0, 0), 1, 1, color=COLOURS[k], alpha=0.85) for k in range(len(TERMS))]
    handles += [
        plt.Line2D([], [], color="black", lw=2.4),
        plt.Line2D([], [], marker="|", ms=12, color=GREY, ls="none"),
        plt.Line2D([], [], marker="D", ms=4, mfc="none", color=COLOURS[4], ls="none"),
    ]
    names = [*TERMS.values(), "transferability (best head)", "log K (guessing)", "FixedAll bound"]
    ax.legend(handles, names, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=8, borderaxespad=0.2)
