"""Accuracy on the reference against accuracy on targets."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from .names import named
from .style import COLOURS, GREY, STYLE


def key_question(table: pd.DataFrame, reference: str) -> np.ndarray:
    """Draw accuracy and loss of each task, the reference at the top, with bars of two standard errors.

    Args:
        table: rows of ``LinearHead``; one or two heads per task.
        reference: which of the targets is the reference; a line carries its value down to the others.
    """
    tasks = list(dict.fromkeys(table["target"]))
    place = {task: -k for k, task in enumerate(tasks)}
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(2, 1, figsize=(5.2, 1.8 + 0.8 * len(tasks)))
        for ax, name in zip(axes, ("accuracy", "loss"), strict=True):
            for head, rows in table.groupby("head", sort=False):
                best = head == "best"
                colour, y = COLOURS[0 if best else 1], rows["target"].map(place) + (0.0 if best else -0.22)
                ax.errorbar(
                    rows[name],
                    y,
                    xerr=2 * rows[f"{name}_se"],
                    fmt="o" if best else "D",
                    color=colour,
                    markersize=5,
                    capsize=2,
                    label="best head" if best else "zero-shot head",
                )
            rows = table[table["head"] == "best"]
            chance = rows["largest_class" if name == "accuracy" else "chance"]
            ax.plot(chance, rows["target"].map(place), "|", color=GREY, markersize=11, label="chance")
            here = rows.loc[rows["target"] == reference, name].iloc[0]
            ax.axvline(here, color=COLOURS[0], linewidth=0.8, linestyle=":")
            ax.set_xlabel(
                "accuracy on the test part" if name == "accuracy" else "loss on the test part (nats)"
            )
            ax.set_xlim(left=0)
        axes[0].set_xlim(0, 1.02)
        labels = [f"{named(t)}{' (reference)' if t == reference else ''}" for t in tasks]
        for ax in axes:
            ax.set_yticks([place[t] for t in tasks], labels)
        axes[0].legend(fontsize=10, loc="lower left", bbox_to_anchor=(-0.3, 1.0), ncols=3, borderpad=0)
        plt.tight_layout()
    return axes
