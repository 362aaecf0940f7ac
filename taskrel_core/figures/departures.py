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
        _, axes = plt.subplots(rows, 2, figsize=(5.4, 2.9 * rows), squeeze=False)
        for number, (ax, (panel, title)) in enumerate(zip(axes.flat, titles.items(), strict=False)):
            part = pd.DataFrame(table[table["panel"] == panel])
            numeric = pd.api.types.is_numeric_dtype(part["x"].infer_objects())
            order = list(dict.fromkeys(part["x"]))
            for k, (group, runs) in enumerate(part.groupby("group", sort=False)):
                for _, run in runs.groupby("line", sort=False):
                    x = run["x"].astype(float) if numeric else run["x"].map(order.index)
                    ax.plot(x, run["value"], "o-", color=COLOURS[k], markersize=3, linewidth=0.9, alpha=0.75)
                ax.plot([], [], "o-", color=COLOURS[k], markersize=3, linewidth=0.9, label=str(group))
            if numeric:
                ax.set(xscale="log", xlabel="label cost")
            else:
                ax.set_xticks(range(len(order)), order)
                ax.margins(x=0.25)
            ax.set_title(title.replace(", ", ",\n").replace(" with", "\nwith"), fontsize=10)
            if number < 2:  # the groups of the others are those of the second
                low, high = ax.get_ylim()
                ax.set_ylim(low, high + 0.35 * (high - low))  # room for the key above the lines
                ax.legend(fontsize=10, loc="upper left", borderpad=0.1)
        for ax in axes.flat[len(titles) :]:
            ax.set_axis_off()
        plt.tight_layout()
    return axes
