"""The bound under each variant of the transformation."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from .names import named
from .style import COLOURS, GREY, METRIC_COLOURS, STYLE, vacuous

MODES = {
    "fixed_all": (COLOURS[4], "D", "none"),
    "learned_a": (COLOURS[3], "s", COLOURS[3]),
    "learned_all": (METRIC_COLOURS["euclidean"], "o", METRIC_COLOURS["euclidean"]),
}  # colour, marker, face; as in the figure of the small gap


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
            for mode in modes:
                row, label = rows.loc[mode], named(mode) if position == 0 else None
                colour, marker, face = MODES[mode]
                ax.plot([row["low"], row["high"]], [position] * 2, color=colour, lw=3, alpha=0.4)
                ax.plot(row["bound"], position, marker, color=colour, mfc=face, label=label, ms=6)
        ax.set_yticks(range(len(pairs)), [pair.replace(" → ", " →\n") for pair in pairs])
        ax.set_ylim(len(pairs) - 0.5, -0.5)
        top = ax.get_xlim()[1]
        vacuous(ax, float(table["chance"].mean()), top)
        ax.set_xlim(right=top)
        ax.set_xlabel("bound in nats (shaded: above chance)")
        ax.legend(loc="lower left", bbox_to_anchor=(-0.2, 1), ncols=3, columnspacing=1)
    return ax
