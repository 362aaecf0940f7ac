"""Labels that several figures share."""

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from scipy.optimize import isotonic_regression

from .names import SCORE_NAMES
from .style import KIND_COLOURS, ink


def apart(places: ArrayLike, gap: float) -> np.ndarray:
    """Return places of labels at least ``gap`` apart, in the order of the given ones, moved as little as possible.

    Least squares: places less their rank times the gap must not fall.
    """
    value = np.asarray(places, dtype=float)
    order = np.argsort(value, kind="stable")
    steps = gap * np.arange(len(value))
    moved = np.empty_like(value)
    moved[order] = isotonic_regression(value[order] - steps).x + steps
    return moved


def name_scores(ax: Axes, scores: Iterable[str], kinds: Iterable[str], judged: str) -> None:
    """Name the rows of a figure after scores, in the colour of their kind, the one that is judged in bold on a shaded row.

    Args:
        ax: the axes; row k is at height k.
        scores: names of the rows, from the top.
        kinds: of each, keys of KIND_COLOURS.
        judged: one of the scores.
    """
    names = [str(score) for score in scores]
    ax.set_yticks(range(len(names)), [SCORE_NAMES.get(name, name) for name in names])
    for label, kind in zip(ax.get_yticklabels(), kinds, strict=True):
        label.set_color(ink(KIND_COLOURS[kind]) if kind != "control" else "black")
    for y in [k for k, name in enumerate(names) if name == judged]:
        ax.axhspan(y - 0.5, y + 0.5, color=KIND_COLOURS["relatedness"], alpha=0.15, lw=0)
        ax.get_yticklabels()[y].set_fontweight("bold")
