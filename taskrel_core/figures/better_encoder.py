"""Best head and bound while an encoder is trained, beside a control that learns permuted labels."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .names import named
from .panels import label_ends
from .style import GREY, STYLE, colour_of

PANELS = {
    "loss": "loss of the best head / chance",
    "bound_relative": "bound / chance",
    "head_accuracy": "accuracy of the best head",
}
CONTROL = {True: "random labels, mean of related targets", False: "random labels, mean of unrelated targets"}
HEIGHT = 3.1  # inches of a panel


def better_encoder(table: pd.DataFrame) -> np.ndarray:
    """Draw each target while the encoder improves on the reference, unrelated targets dashed, the control grey and hollow.

    The control is drawn as two lines, means over related and over unrelated targets; its bound is not shown.

    Args:
        table: columns target, related, control, epochs, seed, reference_accuracy, transferability, bound, head_accuracy,
            chance.
    """
    table = table.assign(
        loss=table["transferability"] / table["chance"], bound_relative=table["bound"] / table["chance"]
    )
    learned, control = table[~table["control"]], table[table["control"]]
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(3, 1, figsize=(5.0, 3 * HEIGHT), sharex=True, layout="constrained")
        for ax, (column, label) in zip(axes, PANELS.items(), strict=True):
            ends, lines = {}, []
            for target, rows in learned.groupby("target", sort=False):
                colour, marker = colour_of(str(target))
                lines.append(_line(ax, rows, column, colour, marker))
                ends[named(str(target))] = (float(lines[-1].iloc[-1]), colour)
            _epochs(ax, _x(learned), lines)
            if column != "bound_relative":
                lines = [
                    _line(ax, rows, column, GREY, "o", mfc="none", label=CONTROL[bool(related)])
                    for related, rows in control.groupby("related")
                ]
                _epochs(ax, _x(control).iloc[-1:], [max(lines, key=lambda line: line.iloc[-1])])
            ax.set(ylabel=label)
            ax.set_xlim(right=_x(learned).max() + 0.35 * np.ptp(_x(table)))
            label_ends(ax, float(_x(learned).iloc[-1]), ends, 72 * HEIGHT * 0.8)
        axes[0].legend(loc="lower left", bbox_to_anchor=(-0.15, 1), fontsize=10, reverse=True)
        axes[-1].set_xlabel("accuracy on the reference")
    return axes


def _x(rows: pd.DataFrame) -> pd.Series:
    return pd.Series(rows.groupby("epochs")["reference_accuracy"].mean())


def _line(ax: Axes, rows: pd.DataFrame, column: str, colour: str, marker: str, **more: str) -> pd.Series:
    """Draw the mean over targets and seeds with the range over seeds as a band, and return the mean by epochs."""
    seeds = rows.groupby(["epochs", "seed"])[column].mean()
    value, x = seeds.groupby("epochs").agg(["mean", "min", "max"]), _x(rows)
    ls = "-" if bool(np.all(rows["related"])) else "--"
    ax.plot(x, value["mean"], marker=marker, ms=5, color=colour, ls=ls, **more)
    ax.fill_between(x, value["min"], value["max"], color=colour, alpha=0.18, lw=0)
    return pd.Series(value["mean"])


def _epochs(ax: Axes, x: pd.Series, lines: list[pd.Series]) -> None:
    """Write each number of epochs above the highest line."""
    for epochs, place in x.items():
        high = max(line[epochs] for line in lines)
        ax.annotate(
            f"{epochs}",
            (place, high),
            (0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=9.5,
            color=GREY,
        )
