"""Colours and style of all figures.

Colours are Okabe and Ito's, safe for colour-blind readers; ink is black on a transparent ground, which the book
inverts in dark mode.
"""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
GREY = "#777777"

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


def marker_of(k: int) -> tuple[str, str]:
    """Return colour and marker of the k-th of several data sets."""
    return COLOURS[k % len(COLOURS)], "os^Dvp"[k % 6]
