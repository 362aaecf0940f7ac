"""The bound under each variant of the transformation."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from .names import named
from .style import COLOURS, GREY, STYLE, vacuous


def ablation(table: pd.DataFrame) -> Axes:
    """Draw the bound of FixedAll, LearnedA and LearnedAll of each pair, joined by a line; above chance is shaded.

    Args:
        table: columns pair, mode, bound, chance (means over seeds), low, high.
    """
    pairs = list(dict.fromkeys(table["pair"]))
    modes = list(dict.fromkeys(table["mode"]))
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(5.2, 0.55 * len(pairs) + 1.6), layout="constrained")
        for position, pair in enumerate(pairs):
            rows = table[table["pair"] == pair].set_index("mode").loc[modes]
            ax.plot(rows["bound"], [position] * len(modes), color=GREY, lw=1)
            for k, mode in enumerate(modes):
                row, label = rows.loc[mode], named(mode) if position == 0 else None
                ax.plot([row["low"], row["high"]], [position] * 2, color=COLOURS[k], lw=3, alpha=0.4)
                ax.plot(row["bound"], position, "osD"[k % 3], color=COLOURS[k], label=label, ms=6)
        ax.set_yticks(range(len(pairs)), [pair.replace(" → ", " →\n") for pair in pairs])
        ax.set_ylim(len(pairs) - 0.5, -0.5)
        vacuous(ax, float(table["chance"].mean()), ax.get_xlim()[1])
        ax.set_xlabel("bound in nats (shaded: above chance)")
        ax.legend(loc="lower left", bbox_to_anchor=(-0.2, 1), ncols=3, columnspacing=1)
    return ax
