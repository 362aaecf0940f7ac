"""Correlations when less of the target's data is seen."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from .names import SCORE_NAMES
from .style import GREY, KIND_COLOURS, STYLE


def limited_data(table: pd.DataFrame, kinds: Mapping[str, str]) -> Axes:
    """Draw mean r with accuracy against the fraction of the target's samples, one line per score, the second of a kind dashed.

    Args:
        table: columns target, score, share, pearson (mean over samples of the share; positive: as claimed), low, high (their
            range).
        kinds: of each score, a key of KIND_COLOURS.
    """
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(5.2, 5.0), layout="constrained")
        for k, (score, kind) in enumerate(kinds.items()):
            rows = (
                table[table["score"] == score]
                .groupby("share")[["pearson", "low", "high"]]
                .mean()
                .sort_index()
            )
            colour, again = KIND_COLOURS[kind], kind in list(kinds.values())[:k]
            style = {"ls": "--", "mfc": "white"} if again else {"ls": "-"}
            name = SCORE_NAMES.get(score, score)
            ax.plot(rows.index, rows["pearson"], label=name, color=colour, marker="os^D"[k % 4], **style)
            ax.fill_between(rows.index, rows["low"], rows["high"], color=colour, alpha=0.2, lw=0)
        ax.axhline(0, color=GREY, lw=0.8)
        ticks = sorted(set(table["share"]))
        ax.set(xscale="log", ylim=(-1.05, 1.05), xlabel="fraction of the target's samples, %")
        ax.set_xticks(ticks, [f"{100 * tick:g}" for tick in ticks])
        ax.minorticks_off()
        ax.set_ylabel("mean r with accuracy (positive: as claimed)")
        ax.legend(loc="lower left", bbox_to_anchor=(-0.1, 1))
    return ax
