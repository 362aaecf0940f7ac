"""The chain of transformations of a two-dimensional problem, and the bound that it gives."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .style import COLOURS, GREY, STYLE, TERM_COLOURS, ink

ARROWS = {1: "new prior D →", 2: "label map B →", 3: "feature map A →"}
# Classes of the reference, then of the target; blue, green and orange are the terms of the bound.
CLASSES = (("black", "o"), (GREY, "^"), (GREY, "s"), (COLOURS[3], "o"), (COLOURS[4], "o"))


def transformation(table: pd.DataFrame, terms: pd.DataFrame) -> np.ndarray:
    """Draw the chain R, R', R'', R''', T of a 2-D problem, one panel per step, above the three terms of the bound.

    Args:
        table: columns step, x, y, label, colour (index of CLASSES), weight (of the sample, sizes the dot), in the steps' order.
        terms: columns term, nats; three terms, the bound, the loss of the transformed classifier.
    """
    steps = list(dict.fromkeys(table["step"]))
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(5.2, 6.4), layout="constrained")
        grid = figure.add_gridspec(3, 6, height_ratios=[1, 1, 0.55])
        places = [grid[0, 0:2], grid[0, 2:4], grid[0, 4:6], grid[1, 0:3], grid[1, 3:6]]
        axes = [figure.add_subplot(place) for place in places]
        for number, (ax, step) in enumerate(zip(axes, steps, strict=True)):
            _points(ax, pd.DataFrame(table[table["step"] == step]))
            ax.set_title(f"{ARROWS.get(number, '')}\n{step}")
        _terms(figure.add_subplot(grid[2, :]), terms)
    return np.array([*axes, figure.axes[-1]], dtype=object)


def _points(ax: Axes, part: pd.DataFrame) -> None:
    lowest = min(rows["y"].to_numpy(float).mean() for _, rows in part.groupby("label"))
    for _, rows in part.groupby("label", sort=False):
        colour, marker = CLASSES[int(rows["colour"].iloc[0])]
        size = 7 * rows["weight"]
        ax.scatter(rows["x"], rows["y"], s=size, color=colour, marker=marker, alpha=0.5, linewidths=0)
        y = rows["y"].to_numpy(float)
        below = bool(y.mean() == lowest)
        place = (float(rows["x"].mean()), float(y.min() if below else y.max()))
        ax.annotate(
            str(rows["label"].iloc[0]), place, (0, -2 if below else 2), textcoords="offset points", ha="center",
            va="top" if below else "bottom", color=ink(colour), weight="bold",
        )  # fmt: skip
    ax.set(xticks=[], yticks=[], aspect="equal")
    ax.margins(0.12, 0.25)


def _terms(ax: Axes, terms: pd.DataFrame) -> None:
    """The three terms in a row, and the loss that their sum bounds."""
    left = 0.0
    for (name, width), colour in zip(terms.head(3).itertuples(index=False), TERM_COLOURS, strict=True):
        ax.barh(1, width, left=left, color=colour, height=0.6, label=f"{name}: {width:.2f}")
        left += width
    bound, loss = (float(value) for value in terms["nats"].iloc[-2:])
    ax.barh(0, loss, color=GREY, height=0.6)
    ax.set_yticks([0, 1], [f"loss {loss:.2f}", f"bound {bound:.2f}"])
    ax.set(ylim=(-0.5, 1.5), xlabel="nats")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)
