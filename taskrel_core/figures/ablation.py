"""The bound under each mode of the transformation."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from .names import named
from .style import COLOURS, GREY, STYLE


def ablation(table: pd.DataFrame) -> Axes:
    """Draw the bound of FixedAll, LearnedA and LearnedAll of each pair, joined by a line.

    Args:
        table: columns pair, mode, bound, chance (means over seeds), low, high.
    """
    pairs = list(dict.fromkeys(table["pair"]))
    modes = list(dict.fromkeys(table["mode"]))
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(6.4, 0.42 * len(pairs) + 1.4))
        for position, pair in enumerate(pairs):
            rows = table[table["pair"] == pair].set_index("mode").loc[modes]
            ax.plot(rows["bound"], [position] * len(modes), color=GREY, lw=1)
            for k, mode in enumerate(modes):
                row, label = rows.loc[mode], named(mode) if position == 0 else None
                ax.plot([row["low"], row["high"]], [position] * 2, color=COLOURS[k], lw=3, alpha=0.4)
                ax.plot(row["bound"], position, "osD"[k % 3], color=COLOURS[k], label=label, ms=6)
            ax.plot(rows["chance"].iloc[0], position, marker="|", ms=14, color=GREY, ls="none")
        ax.set_yticks(range(len(pairs)), pairs, fontsize=8)
        ax.invert_yaxis()
        ax.set_xlabel("bound in nats (grey tick: chance)")
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=8)
    return ax
