"""How scores correlate with fine-tuned accuracy."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .names import SCORE_NAMES, named
from .panels import label_axes, panels
from .style import GREY, STYLE, marker_of


def score_correlations(table: pd.DataFrame) -> Axes:
    """Draw each score's correlation with accuracy, a small mark per target with its interval, a bar at their mean.

    Args:
        table: columns target, score, pearson, low, high, one row per (target, score); in the order of the scores.
    """
    scores, targets = list(dict.fromkeys(table["score"])), list(dict.fromkeys(table["target"]))
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(6.4, 0.44 * len(scores) + 1.3))
        for position, score in enumerate(scores):
            rows = table[table["score"] == score].set_index("target")
            for k, target in enumerate(targets):
                if target not in rows.index or np.isnan(rows.loc[target, "pearson"]):
                    continue
                row, y = rows.loc[target], position + 0.13 * (k - (len(targets) - 1) / 2)
                colour, marker = marker_of(k)
                label = named(target) if position == 0 else None
                ax.plot([row["low"], row["high"]], [y, y], color=colour, lw=1.2, alpha=0.6)
                ax.plot(row["pearson"], y, marker, color=colour, ms=4, label=label)
            ax.plot(rows["pearson"].mean(), position, marker="|", ms=18, mew=2, color="black", ls="none")
        ax.axvline(0, color=GREY, lw=0.8)
        ax.set_yticks(range(len(scores)), [SCORE_NAMES.get(s, s) for s in scores], fontsize=9)
        ax.set(xlim=(-1.02, 1.02), ylim=(len(scores) - 0.4, -0.6))
        ax.set_xlabel("Pearson r with accuracy (black bar: mean of the row)")
        ax.legend(loc="lower left", bbox_to_anchor=(-0.3, 1), ncols=3, fontsize=8)
    return ax


def score_scatter(table: pd.DataFrame, scores: Sequence[str], columns: int = 3) -> np.ndarray:
    """Draw accuracy against score, a panel per score, a colour per target; both in standard deviations within the target.

    Args:
        table: columns target, encoder, score, value, fine_tuned, floor (whether the encoder was never trained).
        scores: panels, row by row.
        columns: panels in a row.
    """
    targets = list(dict.fromkeys(table["target"]))
    with plt.rc_context(STYLE):
        figure, axes = panels(len(scores), columns, 2.3)
        for ax, score in zip(axes.flat, scores, strict=False):
            for k, target in enumerate(targets):
                part = table[(table["score"] == score) & (table["target"] == target)]
                x, y = ((part[c] - part[c].mean()) / (part[c].std() or 1.0) for c in ("value", "fine_tuned"))
                (colour, marker), label = marker_of(k), named(target)
                for floor, filled in ((False, colour), (True, "none")):
                    here = part["floor"] == floor
                    name = None if floor else label
                    ax.scatter(x[here], y[here], s=20, marker=marker, color=colour, fc=filled, label=name)
            ax.set_title(SCORE_NAMES.get(score, score), fontsize=9)
        label_axes(figure, axes, "score, in standard deviations", "accuracy, in standard deviations")
    return axes


def accuracies_reached(table: pd.DataFrame, encoders: Sequence[str]) -> Axes:
    """Draw what each encoder reached on each target, and the probe that it started from.

    Args:
        table: columns target, encoder, fine_tuned, fine_tuned_se, probe.
        encoders: in the order of the rows.
    """
    targets = list(dict.fromkeys(table["target"]))
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(6.4, 0.44 * len(encoders) + 1.3))
        for k, target in enumerate(targets):
            rows = table[table["target"] == target].set_index("encoder").reindex(encoders)
            y = np.arange(len(encoders)) + 0.13 * (k - (len(targets) - 1) / 2)
            colour, marker = marker_of(k)
            bars = {"xerr": rows["fine_tuned_se"], "fmt": marker, "ms": 4, "lw": 1.2}
            ax.errorbar(rows["fine_tuned"], y, color=colour, label=named(target), **bars)
            ax.plot(rows["probe"], y, marker, color=colour, mfc="none", ms=4)
        ax.set_yticks(range(len(encoders)), [named(e) for e in encoders], fontsize=9)
        ax.set(xlim=(0, 1), ylim=(len(encoders) - 0.4, -0.6))
        ax.set_xlabel("accuracy on the target's test samples")
        ax.legend(loc="lower left", bbox_to_anchor=(-0.3, 1), ncols=3, fontsize=8)
    return ax
