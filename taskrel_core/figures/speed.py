"""Seconds of the method and of the published objective."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from .style import COLOURS, GREY, STYLE

AXES = {"n": "samples n", "d": "features d", "k": "classes K"}

WAYS = {
    "exact": "exact method",
    "authors": "published objective (dashed: extrapolated)",
    "plain": "one transport, all points",
    "by_class": "one transport, class by class",
}


def speed(table: pd.DataFrame) -> np.ndarray:
    """Draw time (above) and peak memory (below) against n, d and K, one line per way, on logarithmic axes.

    Args:
        table: rows of ``Timing`` with a column series: "n", "d" or "k", whichever grows.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(2, 3, figsize=(5.2, 6.4), sharex="col", sharey="row")
        for column, (name, label) in enumerate(AXES.items()):
            rows = table[table["series"] == name]
            for k, (way, text) in enumerate(WAYS.items()):
                part = pd.DataFrame(rows[rows["what"] == way]).sort_values(by=name)
                for ax, value in zip(axes[:, column], ("seconds", "peak_mb"), strict=True):
                    hollow = (
                        {"mfc": "none", "ls": "--"}
                        if way == "authors" and value == "seconds"
                        else {"ls": "-"}
                    )
                    ax.plot(
                        part[name], part[value], "o", color=COLOURS[k], ms=4, lw=1.2, label=text, **hollow
                    )
            ticks = sorted(rows[name].unique())
            for ax in axes[:, column]:
                ax.set(xscale="log", yscale="log")
                ax.set_xticks(
                    ticks,
                    [str(t) if t % 1000 else f"{t // 1000}k" for t in ticks],
                    rotation=90,
                )
                ax.minorticks_off()
                ax.grid(axis="y", color=GREY, alpha=0.25, linewidth=0.5)
            axes[1, column].set_xlabel(label)
        axes[0, 0].yaxis.set_major_formatter("{x:g}")
        low, high = (float(table["peak_mb"].quantile(q)) for q in (0, 1))
        memory = [m for m in (250, 500, 1000, 2000, 4000, 8000) if low / 2 < m < 2 * high]
        axes[1, 0].set_yticks(memory, [str(m) for m in memory])
        axes[0, 0].set_ylabel("seconds")
        axes[1, 0].set_ylabel("peak memory (MB)")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper center", ncols=1)
        plt.tight_layout(rect=(0, 0, 1, 0.85))
    return axes
