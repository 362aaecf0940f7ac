"""What each correction of the published objective changes."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from .style import COLOURS, STYLE


def departures(table: pd.DataFrame, titles: dict[str, str]) -> np.ndarray:
    """Draw one panel per departure: the number as published and as corrected, a line per run.

    Args:
        table: columns panel, x ("published", "corrected", or a label cost), line (which run), group, value, log_k.
        titles: of the panels, in their order.
    """
    with plt.rc_context(STYLE):
        rows = -(-len(titles) // 2)
        figure, axes = plt.subplots(rows, 2, figsize=(5.2, 2.7 * rows + 0.5), squeeze=False)
        figure.set_layout_engine("constrained", h_pad=0.1)
        for number, (ax, (panel, title)) in enumerate(zip(axes.flat, titles.items(), strict=False)):
            part = pd.DataFrame(table[table["panel"] == panel])
            numeric = pd.api.types.is_numeric_dtype(part["x"].infer_objects())
            order = list(dict.fromkeys(part["x"]))
            colours = COLOURS[:2] if number else COLOURS[2:4]  # the first panel has groups of its own
            for colour, (group, runs) in zip(colours, part.groupby("group", sort=False), strict=False):
                for _, run in runs.groupby("line", sort=False):
                    x = run["x"].astype(float) if numeric else run["x"].map(order.index)
                    ax.plot(x, run["value"], "o-", color=colour, markersize=3, linewidth=0.9, alpha=0.6)
                if not number:  # runs differ much: their mean
                    mean = runs.assign(x=runs["x"].astype(float)).groupby("x")["value"].mean()
                    ax.plot(mean.index, mean, "-", color=colour, lw=2.5)
                ax.plot([], [], "o-", color=colour, markersize=3, linewidth=0.9, label=str(group))
            if numeric:
                ax.set(xscale="log", xlabel="label cost")
            else:
                ax.set_xticks(range(len(order)), order)
                ax.margins(x=0.25)
            ax.set_ylabel("nats" if number else "fraction")
            ax.set_title(title.replace(", ", ",\n").replace(" with", "\nwith"))
            if not number:  # its groups are its own, those of the others are above all panels
                ax.set(ylim=(-0.05, 1.6), yticks=[0, 0.25, 0.5, 0.75, 1])
                ax.legend(loc="upper left", borderpad=0.1, handlelength=1.2)
        for ax in axes.flat[len(titles) :]:
            ax.set_axis_off()
        keys = axes.flat[min(1, len(titles) - 1)].get_legend_handles_labels()
        figure.legend(*keys, loc="outside upper left", ncols=2)
    return axes
