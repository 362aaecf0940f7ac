"""Accuracy on the reference against accuracy on targets: of several encoders, and of one."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from .names import named
from .panels import apart
from .style import COLOURS, GREY, STYLE, colour_of


def key_question(table: pd.DataFrame) -> np.ndarray:
    """Draw accuracy on the target after fine-tuning against accuracy on the reference, a panel per target.

    Args:
        table: columns target, encoder, reference_accuracy, fine_tuned; each panel names its encoders at the right.
    """
    targets = list(dict.fromkeys(table["target"]))
    count = table["encoder"].nunique()
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(
            len(targets),
            1,
            figsize=(5.2, len(targets) * (0.7 + 0.18 * count)),
            sharex=True,
            squeeze=False,
            layout="constrained",
        )
        for ax, target in zip(axes[:, 0], targets, strict=True):
            rows = table[table["target"] == target]
            colour, marker = colour_of(str(target))
            ax.plot(rows["reference_accuracy"], rows["fine_tuned"], marker, color=colour, ms=6)
            low, high = float(rows["fine_tuned"].min()), float(rows["fine_tuned"].max())
            room = max(high - low, 0.01)
            middle, half = (low + high) / 2, 0.56 * room
            ax.set(ylim=(middle - half, middle + half), title=named(str(target)), ylabel="accuracy")
            places = apart((rows["fine_tuned"] - low) / room, 0.85 / max(count - 1, 1))
            places += 0.5 - (places.min() + places.max()) / 2  # centred on the panel
            for place, row in zip(places, rows.itertuples(), strict=True):
                ax.annotate(
                    named(str(row.encoder)), (row.reference_accuracy, row.fine_tuned), (1.04, place),
                    "data", "axes fraction", va="center", fontsize=10,
                    arrowprops={"arrowstyle": "-", "color": GREY, "lw": 0.6, "alpha": 0.7, "shrinkA": 0, "shrinkB": 4},
                )  # fmt: skip
        axes[-1, 0].set_xlabel("accuracy on the reference")
    return axes[:, 0]


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
        axes[0].legend(fontsize=10, loc="lower left", bbox_to_anchor=(-0.3, 1.0), ncols=3, borderpad=0)
        plt.tight_layout()
    return axes
