"""What scores see of many small encoders: their quality, the match with a target, and how spread their features are."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from .panels import name_scores
from .style import GREY, KIND_COLOURS, STYLE

SEEN = ListedColormap(
    colormaps["viridis_r"](np.linspace(0.3, 1, 256))
)  # without the tints that a page swallows
MARKS: list[dict[str, Any]] = [
    {"marker": "o", "ms": 5.5, "ls": ""},
    {"marker": "s", "ms": 4.5, "ls": "", "mfc": "white"},
    {"marker": "^", "ms": 5, "ls": "", "mfc": "white"},
]


def quality_and_match(table: pd.DataFrame, line: str, judged: str = "euclidean") -> Axes:
    """Draw each score's mean correlation with accuracy, and what is left when encoder and target means are removed.

    Args:
        table: index score, in the order of the rows; columns kind (a key of KIND_COLOURS), mean_r, low, high,
            interaction_r, interaction_low, interaction_high.
        line: score whose mean correlation is drawn as a vertical line.
        judged: score whose row is shaded.
    """
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(5.2, 0.38 * len(table) + 1.3), layout="constrained")
        for y, row in enumerate(table.to_dict("records")):
            colour = KIND_COLOURS[row["kind"]]
            ax.plot([row["low"], row["high"]], [y - 0.13] * 2, color=colour, lw=1.6)
            ax.plot(row["mean_r"], y - 0.13, "o", color=colour, ms=5.5)
            ax.plot([row["interaction_low"], row["interaction_high"]], [y + 0.17] * 2, color=colour, lw=0.9)
            ax.plot(row["interaction_r"], y + 0.17, "D", color=colour, mfc="white", ms=4)
        ax.axvline(0, color=GREY, lw=0.8)
        ax.axvline(table.loc[line, "mean_r"], color=GREY, lw=0.9, ls=":")
        name_scores(ax, table.index, table["kind"], judged)
        ax.set(xlim=(-1.02, 1.02), ylim=(len(table) - 0.4, -0.7), xticks=[-1, -0.5, 0, 0.5, 1])
        ax.set_xlabel("correlation with accuracy\nwrong sign  ←    →  as claimed")
        ax.plot([], [], "o", color="black", label="over encoders, mean of targets")
        ax.plot([], [], "D", color="black", mfc="white", ms=4, label="match of encoder and target only")
        ax.legend(loc="lower left", bbox_to_anchor=(-0.5, 1))
    return ax


def spread_and_transport(table: pd.DataFrame) -> Axes:
    """Draw the transport term of each encoder against the spread of its features, coloured by accuracy.

    Args:
        table: columns encoder, family (as shown), effective_rank, transport, accuracy; one row per encoder.
    """
    with plt.rc_context(STYLE):
        figure, ax = plt.subplots(figsize=(5.2, 4.4))
        least = float(
            table["accuracy"].quantile(0.05)
        )  # of the colours: one poor encoder would take half of them
        points = ax.scatter(
            table["effective_rank"], table["transport"], c=table["accuracy"], s=36, cmap=SEEN, lw=0, vmin=least
        )  # fmt: skip
        means = table.groupby("family")[["effective_rank", "transport"]].mean()
        middle = pd.DataFrame(means).sort_values("transport")
        ends = pd.concat([middle.head(3), middle.iloc[3:].tail(1)])
        ax.plot(ends["effective_rank"], ends["transport"], "+", color="black", ms=9, mew=1.5)
        free = ((0.4, 0.05, "left"), (0.4, 0.13, "left"), (0.98, 0.21, "right"), (0.98, 0.95, "right"))
        for (right, up, side), (family, x, y) in zip(free, ends.itertuples(), strict=False):
            ax.annotate(
                str(family), (x, y), (right, up), textcoords="axes fraction", ha=side, va="center",
                arrowprops={"arrowstyle": "-", "color": GREY, "lw": 0.8, "shrinkA": 0, "shrinkB": 4, "relpos": (0, 0.5)},
            )  # fmt: skip
        ax.set_xscale("log")
        least, most = (float(end) for end in table["effective_rank"].agg(["min", "max"]))
        ticks = [t for t in (2, 5, 10, 20, 50, 100) if 0.9 * least < t < 1.1 * most]
        ax.set_xticks(ticks, [str(t) for t in ticks])
        ax.minorticks_off()
        ax.set_xlabel("effective rank of the target's features")
        ax.set_ylabel("distribution mismatch W")
        bar = figure.colorbar(points, ax=ax, pad=0.02, extend="min")
        bar.set_label("mean accuracy after fine-tuning")
        bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]
    return ax


def changed_correlations(table: pd.DataFrame, judged: str = "euclidean") -> Axes:
    """Draw each score's mean correlation with accuracy under each condition, joined by a line.

    Args:
        table: columns score (in the order of the rows), condition, kind (a key of KIND_COLOURS), mean_r, low, high.
        judged: score whose row is shaded.
    """
    scores, conditions = table["score"].unique(), table["condition"].unique()
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(5.2, 0.17 * len(conditions) * len(scores) + 1.8), layout="constrained")
        for y, score in enumerate(scores):
            rows = pd.DataFrame(table[table["score"] == score])
            colour = KIND_COLOURS[rows["kind"].iloc[0]]
            places = y + np.linspace(-0.25, 0.25, len(conditions))
            ax.plot(rows["mean_r"], places, "-", color=colour, lw=0.8, alpha=0.6)
            for place, row, mark in zip(places, rows.to_dict("records"), MARKS, strict=False):
                ax.plot([row["low"], row["high"]], [place] * 2, color=colour, lw=1.1)
                ax.plot(row["mean_r"], place, color=colour, zorder=3, **mark)
        ax.axvline(0, color=GREY, lw=0.8)
        kinds = [table.loc[table["score"] == score, "kind"].iloc[0] for score in scores]
        name_scores(ax, scores, kinds, judged)
        ax.set(xlim=(-1.02, 1.02), ylim=(len(scores) - 0.4, -0.7), xticks=[-1, -0.5, 0, 0.5, 1])
        ax.set_xlabel("correlation with accuracy\nwrong sign  ←    →  as claimed")
        for condition, mark in zip(conditions, MARKS, strict=False):
            ax.plot([], [], color="black", label=condition, **mark)
        ax.legend(loc="lower left", bbox_to_anchor=(-0.5, 1))
    return ax
