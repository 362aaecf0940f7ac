"""Bound against the loss of the best head over pairs of tasks, and a baseline that knows no reference beneath it."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from .names import named
from .style import GREY, STYLE, colour_of, vacuous


def task_pairs(settings: Mapping[str, pd.DataFrame], metrics: Sequence[str]) -> np.ndarray:
    """Draw bound against loss on one equal scale, a panel per setting; beneath each the distance of class means.

    Args:
        settings: by title; columns target, best (loss of the best head), chance, class_distance and bound_<metric> of each
            metric. Divided by the loss of chance, rows are comparable between tasks of different K.
        metrics: the last is drawn filled, the others hollow. On the diagonal a bound is tight.

    Returns:
        Axes, (2, settings).
    """
    tables = [table.assign(x=table["best"] / table["chance"]) for table in settings.values()]
    low = min(float(table["x"].min()) for table in tables) - 0.06
    top = max(float((t[f"bound_{m}"] / t["chance"]).max()) for t in tables for m in metrics) + 0.06
    height = 2.1 * (top - low) / (1.05 - low)  # inches of the upper panels, 2.1 wide
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            2,
            len(tables),
            figsize=(5.2, height + 3.4),
            sharey="row",
            squeeze=False,
            height_ratios=[height, 1.7],
        )
        figure.set_layout_engine("constrained", h_pad=0.12)
        for (upper, lower), title, table in zip(axes.T, settings, tables, strict=True):
            _bounds(upper, table, metrics, top)
            upper.set(
                xlim=(low, 1.05), ylim=(low, top), title=title, aspect="equal", xlabel="best head / chance"
            )
            _baseline(lower, table)
        axes[0, 0].set_ylabel("bound / chance")
        axes[1, 0].set_ylabel("best head / chance")
        _key(figure, dict.fromkeys(str(target) for table in tables for target in table["target"]), metrics)
    return axes


def _bounds(ax: Axes, table: pd.DataFrame, metrics: Sequence[str], top: float) -> None:
    for target, rows in table.groupby("target", sort=False):
        colour, marker = colour_of(str(target))
        for metric in metrics:
            face = colour if metric == metrics[-1] else "none"
            y = rows[f"bound_{metric}"] / rows["chance"]
            ax.scatter(rows["x"], y, s=30, marker=marker, edgecolors=colour, facecolors=face)
    last = table[f"bound_{metrics[-1]}"] / table["chance"]
    ax.text(
        0.97,
        0.02,
        f"{named(metrics[-1])}:\nr = {table['x'].corr(last):+.2f}",
        ha="right",
        transform=ax.transAxes,
    )
    ax.axline((1, 1), slope=1, color=GREY, lw=1)
    vacuous(ax, 1.0, top, "y")
    ax.annotate("y = x", (1, 1), (-2, -34), textcoords="offset points", ha="right")
    ax.annotate("vacuous", (0.03, 1), (0, 2), ("axes fraction", "data"), textcoords="offset points")


def _baseline(ax: Axes, table: pd.DataFrame) -> None:
    for target, rows in table.groupby("target", sort=False):
        colour, marker = colour_of(str(target))
        ax.scatter(rows["class_distance"], rows["x"], s=30, marker=marker, color=colour)
    r = table["class_distance"].corr(table["x"])
    ax.set(xlabel="distance of class means", title=f"no reference: r = {r:+.2f}")


def _key(figure: plt.Figure, targets: Sequence[str] | Mapping[str, None], metrics: Sequence[str]) -> None:
    """A mark for each target, and what filled and hollow mean, above the panels."""
    shown = [(*colour_of(target), colour_of(target)[0], named(target)) for target in targets]
    shown += [(GREY, "o", GREY if m == metrics[-1] else "none", f"{named(m)} cost") for m in metrics]
    marks = [
        Line2D([], [], color=colour, marker=marker, mfc=face, ls="", label=label)
        for colour, marker, face, label in shown
    ]
    figure.legend(
        handles=marks, title="target (colour) and cost (filling)", loc="outside upper left", ncols=2
    )
