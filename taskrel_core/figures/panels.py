"""Panels of several figures: their layout and labels."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure


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
