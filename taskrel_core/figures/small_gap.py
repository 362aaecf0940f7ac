"""How far the bound lies above transferability, beside chance."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from .names import named
from .style import COLOURS, METRIC_COLOURS, STYLE, vacuous


def small_gap(table: pd.DataFrame) -> Axes:
    """Draw one line per pair: transferability, the bound under each cost with its range, FixedAll; above chance is shaded.

    Args:
        table: columns pair, metric, transferability, bound, chance, fixed_all; repeated over seeds, of which means are drawn.
    """
    pairs = list(dict.fromkeys(table["pair"]))
    chance = float(table["chance"].mean())
    top = float(max(table["bound"].max(), table["fixed_all"].max())) + 0.03
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(5.2, 0.62 * len(pairs) + 2.1), layout="constrained")
        vacuous(ax, chance, top)
        for position, pair in enumerate(pairs):
            of_pair = table[table["pair"] == pair]
            label = {} if position else {"label": "best head (transferability)"}
            ax.plot(of_pair["transferability"].mean(), position, "|", ms=18, mew=3, color="black", **label)
            label = {} if position else {"label": "nothing learned (FixedAll)"}
            ax.plot(of_pair["fixed_all"].mean(), position, "D", mfc="none", color=COLOURS[4], **label)
            for metric, rows in of_pair.groupby("metric", sort=False):
                colour = METRIC_COLOURS[str(metric)]
                label = {} if position else {"label": f"bound, {named(str(metric))} cost"}
                ax.plot([rows["bound"].min(), rows["bound"].max()], [position] * 2, color=colour, lw=2)
                ax.plot(rows["bound"].mean(), position, "o", ms=8, color=colour, **label)
        ax.set_yticks(range(len(pairs)), [pair.replace(" → ", " →\n").split(", ")[0] for pair in pairs])
        ax.text(chance, -0.72, "  vacuous: above chance", va="center", fontsize=10)
        ax.set(ylim=(len(pairs) - 0.5, -1.0), xlim=(None, top), xlabel="nats (lower is better)")
        ax.legend(loc="lower left", bbox_to_anchor=(-0.3, 1), ncols=1, fontsize=10)
    return ax
