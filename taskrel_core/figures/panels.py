"""Panels of several figures: their layout and labels."""

from collections.abc import Iterable, Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from scipy.optimize import isotonic_regression

from .names import SCORE_NAMES
from .style import KIND_COLOURS, ink


def panels(count: int, columns: int, height: float) -> tuple[Figure, np.ndarray]:
    """A grid of ``count`` panels with common axes, the rest of the last row left empty."""
    rows = -(-count // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(2.5 * columns, height * rows), sharex=True, sharey=True
    )
    for ax in axes.flat[count:]:
        ax.set_visible(False)
    return figure, axes


def label_axes(figure: Figure, axes: np.ndarray, x: str, y: str) -> None:
    """Common labels, and the key of the first panel below all."""
    figure.supxlabel(x, fontsize=9)
    figure.supylabel(y, fontsize=9)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=3, fontsize=8)
    figure.tight_layout()


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


def label_ends(ax: Axes, x: float, ends: Mapping[str, tuple[float, str]], points: float) -> None:
    """Write the name of each line to the right of its end, moved where it would overlap another.

    Args:
        ax: axes whose limits and size are final.
        x: where the lines end.
        ends: by name, the height of the end and the colour of the line.
        points: height of the axes.
    """
    low, high = ax.get_ylim()
    step = 12 * (high - low) / points
    places = apart([y for y, _ in ends.values()], step)
    for (name, (_, colour)), y in zip(ends.items(), places, strict=True):
        ax.annotate(
            name, (x, y), (7, 0), textcoords="offset points", va="center", color=ink(colour), fontsize=10
        )


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
