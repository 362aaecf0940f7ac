"""The terms of the bound beside transferability."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from .names import TERMS, named
from .style import COLOURS, GREY, STYLE


def small_gap(table: pd.DataFrame) -> Axes:
    """Draw each row's three terms as a stacked bar, its transferability beside it, chance and FixedAll as marks.

    Args:
        table: columns pair, metric, reweighted_loss, label_mismatch, transport, transferability, chance, fixed_all;
            where rows are repeated over seeds, bars are means and a line spans the smallest to the largest bound.
    """
    keys = list(dict.fromkeys(zip(table["pair"], table["metric"], strict=True)))
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(7.2, 0.46 * len(keys) + 1.6))
        for position, (pair, metric) in enumerate(keys):
            rows = table[(table["pair"] == pair) & (table["metric"] == metric)]
            left = 0.0
            for k, term in enumerate(TERMS):
                width = float(rows[term].mean())
                ax.barh(position, width, left=left, height=0.5, color=COLOURS[k], alpha=0.85)
                left += width
            ax.plot([rows["bound"].min(), rows["bound"].max()], [position, position], color="black", lw=1.4)
            head, ends = [rows["transferability"].mean()] * 2, [position - 0.36, position + 0.36]
            ax.plot(head, ends, color="black", lw=2.4)
            ax.plot(rows["chance"].mean(), position, "|", ms=16, color=GREY, mew=1.2)
            ax.plot(rows["fixed_all"].mean(), position, "D", ms=4, mfc="none", color=COLOURS[4])
        ax.set_yticks(range(len(keys)), [f"{p}\n{named(m)}" for p, m in keys], fontsize=8)
        ax.invert_yaxis()
        ax.set_xlabel("nats (lower is better)")
        _legend(ax)
    return ax


def _legend(ax: Axes) -> None:
    """A key above the axes: bars for terms, marks for what the bound is compared with."""
    handles = [plt.Rectangle((0, 0), 1, 1, color=COLOURS[k], alpha=0.85) for k in range(len(TERMS))]
    handles += [
        plt.Line2D([], [], color="black", lw=2.4),
        plt.Line2D([], [], marker="|", ms=12, color=GREY, ls="none"),
        plt.Line2D([], [], marker="D", ms=4, mfc="none", color=COLOURS[4], ls="none"),
    ]
    names = [*TERMS.values(), "transferability (best head)", "chance", "FixedAll bound"]
    ax.legend(handles, names, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=8, borderaxespad=0.2)
