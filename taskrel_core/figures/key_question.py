"""Accuracy on the reference against accuracy on targets: of several encoders, and of one."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .names import named
from .panels import apart
from .style import COLOURS, GREY, STYLE, colour_of


def key_question(table: pd.DataFrame) -> np.ndarray:
    """Draw accuracy on the target after fine-tuning against accuracy on the reference, a panel per target.

    An encoder is at the same place in all panels, so that it is named once, above, at a line through them.

    Args:
        table: columns target, encoder, reference_accuracy, fine_tuned.
    """
    targets = list(dict.fromkeys(table["target"]))
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(
            len(targets),
            1,
            figsize=(5.2, 1.45 * len(targets) + 2.4),
            sharex=True,
            squeeze=False,
            layout="constrained",
        )
        for ax, target in zip(axes[:, 0], targets, strict=True):
            rows = table[table["target"] == target]
            colour, marker = colour_of(str(target))
            for x in rows["reference_accuracy"]:
                ax.axvline(x, color=GREY, lw=0.6)
            ax.plot(rows["reference_accuracy"], rows["fine_tuned"], marker, color=colour, ms=7)
            ax.margins(0.06, 0.15)
            ax.set_ylabel(named(str(target)))
        _name_places(axes[0, 0], table.groupby("encoder", sort=False)["reference_accuracy"].mean())
        axes[-1, 0].set_xlabel("accuracy on the reference")
        axes[0, 0].figure.supylabel("accuracy after fine-tuning on", fontsize=10)
    return axes[:, 0]


def _name_places(ax: Axes, places: pd.Series) -> None:
    """Write upright names above the axes, each joined to its place."""
    low, high = float(places.min()), float(places.max())
    room = max(high - low, 1e-3)
    ends = apart((places - low) / room, 0.055)
    ends = (
        0.06 + 0.88 * ends - max(0.06 + 0.88 * ends.max() - 0.98, 0)
    )  # fractions of the axes, which have margins
    for end, (name, x) in zip(ends, places.items(), strict=True):
        ax.annotate(
            named(str(name)), (x, 1), (end, 1.14), ("data", "axes fraction"), "axes fraction", rotation=90,
            ha="center", va="bottom",
            arrowprops={"arrowstyle": "-", "color": GREY, "lw": 0.6, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip


def one_encoder(table: pd.DataFrame, reference: str) -> np.ndarray:
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
        axes[0].legend(loc="lower left", bbox_to_anchor=(-0.3, 1.0), ncols=3, borderpad=0)
        plt.tight_layout()
    return axes
