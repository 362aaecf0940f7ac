"""Colours and style of all figures.

Colours are Okabe and Ito's, safe for colour-blind readers, the two lightest darkened: each has a contrast of 3:1 on a white
page and, as the book inverts it, on a dark one. Letters need 4.5:1, which ``ink`` gives. Black ink is on a transparent ground.
"""

from matplotlib.axes import Axes

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#C48700", "#3A97CC", "#000000")
INKS = ("#0072B2", "#C25500", "#00805D", "#A8527F", "#8F6300", "#1F77A8", "#000000")
GREY = "#757575"
TERM_COLOURS = (COLOURS[0], COLOURS[2], COLOURS[1])  # re-weighted loss, label mismatch, distribution mismatch
METRIC_COLOURS = {"euclidean": COLOURS[1], "span": COLOURS[5], "logit": COLOURS[2], "one_sided": COLOURS[0]}
KIND_COLOURS = {
    "relatedness": COLOURS[0],
    "part of it": COLOURS[3],
    "other metric": COLOURS[2],
    "control": GREY,
}

STYLE = {
    "font.size": 10.4,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "axes.titlelocation": "left",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
    "svg.hashsalt": "taskrel",
}


def ink(colour: str) -> str:
    """Return a shade of a colour that letters can have; any other colour as it is."""
    return INKS[COLOURS.index(colour)] if colour in COLOURS else colour


def marker_of(k: int) -> tuple[str, str]:
    """Return colour and marker of the k-th of several data sets."""
    return COLOURS[k % len(COLOURS)], "os^DvpX"[k % 7]


def colour_of(name: str) -> tuple[str, str]:
    """Return colour and marker of a data set or an encoder, the same on every page."""
    known = FIXED.get(name)
    return marker_of(known if known is not None else sum(name.encode()))


FIXED = {
    "cifar10": 0, "dtd10": 1, "flowers5": 2, "emoji_noto": 3, "fashion_mnist": 4, "mnist": 0, "digits": 1,
    "glyphs_digits": 2, "glyphs_latin": 3, "glyphs_greek": 6, "usps": 1, "svhn": 3, "kmnist": 5,
}  # fmt: skip


def vacuous(ax: Axes, chance: float, top: float, axis: str = "x") -> None:
    """Shade where a bound is above chance, and say so.

    Args:
        ax: the axes.
        chance: where it begins.
        top: where it ends.
        axis: "x" or "y".
    """
    span, line = (ax.axvspan, ax.axvline) if axis == "x" else (ax.axhspan, ax.axhline)
    span(chance, top, color=GREY, alpha=0.15, lw=0)
    line(chance, color=GREY, lw=1, ls="--")
