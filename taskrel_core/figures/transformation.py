"""The chain of transformations of a two-dimensional problem."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from .style import COLOURS, STYLE


def transformation(table: pd.DataFrame) -> np.ndarray:
    """Draw the chain R, R', R'', R''', T of a 2-D problem, one panel per step.

    Args:
        table: columns step, x, y, label, colour (index), weight (of the sample, sizes the dot), in the steps' order.
    """
    steps = list(dict.fromkeys(table["step"]))
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(1, len(steps), figsize=(2.5 * len(steps), 2.9), sharex=True, sharey=True)
        for ax, step in zip(axes, steps, strict=True):
            part = table[table["step"] == step]
            for k, (label, rows) in enumerate(part.groupby("label", sort=False)):
                colour = COLOURS[int(rows["colour"].iloc[0])]
                ax.scatter(rows["x"], rows["y"], s=9 * rows["weight"], color=colour, alpha=0.55, linewidths=0)
                ax.annotate(
                    str(label),
                    (rows["x"].mean(), rows["y"].mean() + rows["y"].std() + 0.4 * (k % 2)),
                    ha="center",
                    va="bottom",
                    fontsize=9,
                    color=colour,
                    weight="bold",
                )
            ax.set_title(step)
            ax.set(xticks=[], yticks=[], aspect="equal")
    return axes
