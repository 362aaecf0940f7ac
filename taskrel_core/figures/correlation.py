"""How scores correlate with fine-tuned accuracy."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .names import SCORE_NAMES, named
from .panels import apart, name_scores
from .style import COLOURS, GREY, KIND_COLOURS, STYLE, colour_of


def score_correlations(mean: pd.DataFrame, each: pd.DataFrame, judged: str = "paper") -> Axes:
    """Draw each score's mean r with its interval over small dots, one per target; positive is as claimed.

    Args:
        mean: columns score, kind (a key of KIND_COLOURS), mean_r, low, high; the best first.
        each: columns score, target, pearson, oriented alike.
        judged: score whose row is shaded.
    """
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(5.2, 0.4 * len(mean) + 1.2), layout="constrained")
        for y, row in enumerate(mean.to_dict("records")):
            colour, dots = KIND_COLOURS[row["kind"]], each[each["score"] == row["score"]]["pearson"]
            ax.plot(dots, [y] * len(dots), "o", ms=3, color="black", alpha=0.45, zorder=3)
            ax.plot([row["low"], row["high"]], [y, y], color=colour, lw=2)
            ax.plot(row["mean_r"], y, "o", ms=8, color=colour)
        ax.axvline(0, color=GREY, lw=0.8)
        name_scores(ax, mean["score"], mean["kind"], judged)
        ax.set(xlim=(-1.02, 1.02), ylim=(len(mean) - 0.4, -0.6), xticks=[-1, -0.5, 0, 0.5, 1])
        ax.set_xlabel("correlation with accuracy\nwrong sign  ←    →  as claimed")
    return ax


def score_scatter(table: pd.DataFrame, scores: Sequence[str], widths: Mapping[str, int]) -> np.ndarray:
    """Draw accuracy against score, a panel per score; both are means over targets of standardised values.

    Args:
        table: columns target, encoder, score, value (oriented: more is better), fine_tuned; trained encoders only.
        scores: panels, from the top.
        widths: of each encoder's features; sizes the mark.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(len(scores), 1, figsize=(5.2, 3.3 * len(scores)), squeeze=False)
        figure.set_layout_engine("constrained", h_pad=0.12)
        for ax, score in zip(axes[:, 0], scores, strict=True):
            part = pd.DataFrame(table[table["score"] == score])
            groups = part.groupby("target")[["value", "fine_tuned"]]
            unit = (part[["value", "fine_tuned"]] - groups.transform("mean")) / groups.transform("std")
            mean = pd.DataFrame(unit.groupby(part["encoder"]).mean())
            sizes = [0.12 * widths[str(encoder)] for encoder in mean.index]
            ax.scatter(mean["value"], mean["fine_tuned"], s=sizes, color=COLOURS[0], alpha=0.8)
            low, high = float(mean["fine_tuned"].min()), float(mean["fine_tuned"].max())
            room = max(high - low, 1e-3)
            heights = apart((mean["fine_tuned"] - low) / room, 0.09)
            heights += 0.5 - (heights.min() + heights.max()) / 2  # centred on the panel
            for height, (encoder, x, y) in zip(
                heights, mean[["value", "fine_tuned"]].itertuples(), strict=True
            ):
                ax.annotate(
                    named(str(encoder)), (x, y), (1.04, height), "data", "axes fraction", va="center",
                    arrowprops={"arrowstyle": "-", "color": GREY, "lw": 0.6, "shrinkA": 0, "shrinkB": 3, "relpos": (0, 0.5)},
                )  # fmt: skip
            ax.margins(0.1, 0.15)
            ax.set(title=SCORE_NAMES.get(score, score), ylabel="accuracy (std.)")
        axes[-1, 0].set_xlabel("score (std.), better to the right; size of the mark: width")
    return axes[:, 0]


def accuracies_reached(table: pd.DataFrame, encoders: Sequence[str]) -> Axes:
    """Draw what each encoder reached on each target, joined with the probe that it started from.

    Args:
        table: columns target, encoder, fine_tuned, fine_tuned_se, probe.
        encoders: in the order of the rows.
    """
    targets = list(dict.fromkeys(table["target"]))
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(5.2, 0.62 * len(encoders) + 1.6), layout="constrained")
        for k, target in enumerate(targets):
            rows = table[table["target"] == target].set_index("encoder").reindex(encoders)
            y = np.arange(len(encoders)) + 0.15 * (k - (len(targets) - 1) / 2)
            colour, marker = colour_of(str(target))
            ax.hlines(y, rows["probe"], rows["fine_tuned"], color=colour, lw=1, alpha=0.6)
            ax.plot(rows["fine_tuned"], y, marker, ms=5, color=colour, label=named(str(target)))
            ax.plot(rows["probe"], y, marker, color=colour, mfc="none", ms=4)
        ax.set_yticks(range(len(encoders)), [named(e).replace(", ", ",\n") for e in encoders])
        ax.set(xlim=(0, 1), ylim=(len(encoders) - 0.4, -0.6), xlabel="test accuracy (hollow: probe)")
        ax.legend(loc="lower left", bbox_to_anchor=(-0.4, 1), ncols=2)
    return ax
