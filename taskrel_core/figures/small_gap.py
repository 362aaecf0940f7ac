"""How far the bound lies above transferability, beside chance, and how that depends on tau."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .names import named
from .style import COLOURS, METRIC_COLOURS, STYLE, vacuous


def small_gap(table: pd.DataFrame, tau: float) -> np.ndarray:
    """Draw above one line per pair at ``tau``, below the gap ratio of all pairs against tau; where it is vacuous is shaded.

    Args:
        table: columns pair, metric, tau, transferability, bound, chance, fixed_all, ratio; repeated over seeds, of which
            means are drawn.
        tau: of the upper panel.
    """
    at = table[table["tau"] == tau]
    with plt.rc_context(STYLE):
        upper = 0.62 * at["pair"].nunique() + 2.1
        size, ratios = (5.2, upper + 3.2), {"height_ratios": [upper, 3.2]}
        _, axes = plt.subplots(2, 1, figsize=size, layout="constrained", gridspec_kw=ratios)
        _pairs(axes[0], at)
        _over_tau(axes[1], table)
    return axes


def _pairs(ax: Axes, table: pd.DataFrame) -> None:
    """One line per pair: transferability, the bound under each cost with its range, FixedAll."""
    pairs = list(dict.fromkeys(table["pair"]))
    chance = float(table["chance"].mean())
    top = float(max(table["bound"].max(), table["fixed_all"].max())) + 0.03
    vacuous(ax, chance, top)
    for position, pair in enumerate(pairs):
        of_pair = table[table["pair"] == pair]
        label = {} if position else {"label": "best head (transferability)"}
        ax.plot(of_pair["transferability"].mean(), position, "|", ms=18, mew=3, color="black", **label)
        label = {} if position else {"label": "nothing learned (FixedAll)"}
        ax.plot(of_pair["fixed_all"].mean(), position, "D", mfc="none", mew=1.8, color=COLOURS[4], **label)
        for metric, rows in of_pair.groupby("metric", sort=False):
            colour = METRIC_COLOURS[str(metric)]
            label = {} if position else {"label": f"bound, {named(str(metric))} cost"}
            ax.plot([rows["bound"].min(), rows["bound"].max()], [position] * 2, color=colour, lw=2)
            ax.plot(rows["bound"].mean(), position, "o", ms=8, color=colour, **label)
    ax.set_yticks(range(len(pairs)), [pair.replace(" → ", " →\n").split(", ")[0] for pair in pairs])
    ax.text(chance, -0.72, "  vacuous: above chance", va="center")
    ax.set(
        ylim=(len(pairs) - 0.5, -1.0),
        xlim=(None, top),
        xlabel=f"nats (lower is better), tau = {table['tau'].iloc[0]:g}",
    )
    ax.legend(loc="lower left", bbox_to_anchor=(-0.3, 1), ncols=1)


def _over_tau(ax: Axes, table: pd.DataFrame) -> None:
    """The gap ratio against tau, one line per cost with its range over pairs and seeds."""
    for metric, rows in table.groupby("metric", sort=False):
        ratio, colour = rows.groupby("tau")["ratio"].agg(["mean", "min", "max"]), METRIC_COLOURS[str(metric)]
        ax.plot(ratio.index, ratio["mean"], "o-", ms=5, color=colour)
        ax.fill_between(ratio.index, ratio["min"], ratio["max"], color=colour, alpha=0.18, lw=0)
        place, text = (ratio.index[0], ratio["max"].iloc[0]), f"{named(str(metric))} cost"
        ax.annotate(text, place, (0, 5), textcoords="offset points")
    low, top = float(table["ratio"].min()) / 1.5, max(float(table["ratio"].max()) * 1.3, 1.5)
    vacuous(ax, 1.0, top, "y")
    taus = sorted(table["tau"].unique())
    ax.text(taus[-1], 1.0, "vacuous: above chance", va="bottom", ha="right")
    ax.set(xscale="log", yscale="log", ylim=(low, top), xlabel="tau, nats per unit of feature")
    ax.set_ylabel("gap / (chance - best head)")
    ax.set_xticks(taus, [f"{tau:g}" for tau in taus])
    ratios = [ratio for ratio in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20) if low < ratio < top]
    ax.set_yticks(ratios, [f"{ratio:g}" for ratio in ratios])
    ax.minorticks_off()
