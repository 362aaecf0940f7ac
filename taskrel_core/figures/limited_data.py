"""Correlations when less of the target's data is seen."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from .names import SCORE_NAMES
from .style import COLOURS, GREY, STYLE


def limited_data(table: pd.DataFrame, higher_is_better: Mapping[str, bool]) -> Axes:
    """Draw mean r with accuracy against the fraction of the target's samples, one line per score, the claimed sign upwards.

    Args:
        table: columns target, score, share, pearson (mean over samples of the share), low, high (their range).
        higher_is_better: of each score.
    """
    scores = list(dict.fromkeys(table["score"]))
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(5.2, 5.0), layout="constrained")
        for k, score in enumerate(scores):
            sign = 1 if higher_is_better[score] else -1
            rows = (
                table[table["score"] == score]
                .groupby("share")[["pearson", "low", "high"]]
                .mean()
                .sort_index()
            )
            style = {"color": COLOURS[k], "marker": "os^D"[k % 4]}
            ax.plot(rows.index, sign * rows["pearson"], label=SCORE_NAMES.get(score, score), **style)
            ax.fill_between(
                rows.index, sign * rows["low"], sign * rows["high"], color=COLOURS[k], alpha=0.2, lw=0
            )
        ax.axhline(0, color=GREY, lw=0.8)
        ticks = sorted(set(table["share"]))
        ax.set(xscale="log", ylim=(-1.05, 1.05), xlabel="fraction of the target's samples, %")
        ax.set_xticks(ticks, [f"{100 * tick:g}" for tick in ticks])
        ax.minorticks_off()
        ax.set_ylabel("mean r with accuracy (upwards: as claimed)")
        ax.legend(loc="lower left", bbox_to_anchor=(-0.1, 1), fontsize=10)
    return ax
