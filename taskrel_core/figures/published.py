"""What others printed: r beside what they print, and the poster's cells."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .style import COLOURS, GREY, STYLE, marker_of


def against_printed(table: pd.DataFrame) -> np.ndarray:
    """Draw r as recomputed and as printed, a panel per score, a row per target; where the two differ a bar joins them.

    Args:
        table: columns target, score (as shown), pearson, low, high, printed, agrees; targets in the order of the rows.
    """
    scores, targets = list(dict.fromkeys(table["score"])), list(dict.fromkeys(table["target"]))
    y = np.arange(len(targets))
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(
            -(-len(scores) // 2), 2, figsize=(5.2, 6.2), sharex=True, sharey=True, squeeze=False,
            layout="constrained",
        )  # fmt: skip
        for ax, score in zip(axes.flat, scores, strict=False):
            rows = table[table["score"] == score].set_index("target").loc[targets]
            far = ~rows["agrees"].to_numpy(bool)
            own, printed = (rows[name].to_numpy(float) for name in ("pearson", "printed"))
            ax.hlines(y, rows["low"], rows["high"], color=GREY, lw=1)
            ax.hlines(y[far], own[far], printed[far], color=COLOURS[1], lw=4, alpha=0.6, label="they differ")
            ax.plot(printed, y, "|", color="black", ms=12, mew=2, label="r as printed")
            ax.plot(own, y, "o", color=COLOURS[0], ms=5, label="r of the printed columns, 95 % CI")
            ax.axvline(0, color=GREY, lw=0.8)
            ax.set(xlim=(-1.03, 1.03), xticks=[-1, -0.5, 0, 0.5, 1])
            ax.set_title(f"{score}: {int(far.sum())} of {len(far)} differ")
            ax.set_yticks(y, targets)
        for ax in axes[-1]:
            ax.set_xlabel("Pearson's r")
        axes.flat[0].invert_yaxis()
        axes.flat[0].figure.legend(
            *axes.flat[0].get_legend_handles_labels(), loc="outside upper left", reverse=True
        )
    return axes


def against_two_tables(table: pd.DataFrame, agreement: pd.DataFrame) -> np.ndarray:
    """Draw r with the accuracies of both sources, a panel per score, a row per target; then how far the sources agree.

    Args:
        table: columns target, score (as shown), pearson, low, high, other, other_low, other_high.
        agreement: columns target (as shown), pearson, low, high; its targets in the order of the rows.
    """
    scores, targets = list(dict.fromkeys(table["score"])), list(agreement["target"])
    y = np.arange(len(targets))
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(
            -(-(len(scores) + 2) // 2), 2, figsize=(5.2, 7.8), sharex=True, sharey=True, layout="constrained"
        )
        for ax, score in zip(axes.flat, scores, strict=False):
            rows = table[table["score"] == score].set_index("target").loc[targets]
            for columns, marker, colour, up in (
                (("pearson", "low", "high"), "o", COLOURS[0], 0.17),
                (("other", "other_low", "other_high"), "s", COLOURS[1], -0.17),
            ):
                _intervals(ax, rows[list(columns)].to_numpy(), y - up, marker, colour)
            ax.set_title(score)
        last = axes.flat[len(scores)]
        rows = agreement.set_index("target").loc[targets, ["pearson", "low", "high"]]
        _intervals(last, rows.to_numpy(), y, "D", COLOURS[2])
        last.set_title("the two accuracy tables")
        for ax in axes.flat[: len(scores) + 1]:
            ax.axvline(0, color=GREY, lw=0.8)
            ax.set(xlim=(-1.03, 1.03), xticks=[-1, -0.5, 0, 0.5, 1])
            ax.set_yticks(y, targets)
        for ax in axes.flat[len(scores) - 1 : len(scores) + 1]:  # the lowest of each column
            ax.tick_params(labelbottom=True)
            ax.set_xlabel("Pearson's r")
        axes.flat[0].invert_yaxis()
        _key(axes.flat[len(scores) + 1])
    return axes


def _intervals(ax: Axes, rows: np.ndarray, y: np.ndarray, marker: str, colour: str) -> None:
    """Marks with their intervals; rows hold value, low, high."""
    ax.hlines(y, rows[:, 1], rows[:, 2], color=colour, lw=1.3, alpha=0.65)
    ax.plot(rows[:, 0], y, marker, color=colour, ms=4.5)


def _key(ax: Axes) -> None:
    """The empty panel explains the marks."""
    ax.axis("off")
    lines = (
        ("o", COLOURS[0], "r with the library's accuracies"),
        ("s", COLOURS[1], "r with those of SFDA's code"),
        ("D", COLOURS[2], "r of the two tables"),
    )
    for k, (marker, colour, text) in enumerate(lines):
        place, height = ax.transAxes, 0.86 - 0.16 * k
        ax.plot(0.02, height, marker, color=colour, ms=5, transform=place, clip_on=False)
        ax.text(0.08, height, text, va="center", transform=place)
    ax.text(0.02, 0.22, "lines: 95 % intervals", va="center", transform=ax.transAxes)


def poster_cells(cells: pd.DataFrame, means: pd.DataFrame) -> Axes:
    """Draw the poster's correlations times their right sign, so that right is good, with the averages recomputed and printed.

    Args:
        cells: columns target (as shown), score, pearson.
        means: columns score, name (as shown), expected, mean, printed; in the order of the rows.
    """
    targets = list(dict.fromkeys(cells["target"]))
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(3.55, 0.42 * len(means) + 1.5))
        for y, row in enumerate(means.itertuples()):
            sign, own = (1 if row.expected == "+" else -1), cells[cells["score"] == row.score]
            for k, target in enumerate(targets):
                x, label = sign * own.loc[own["target"] == target, "pearson"], target if y == 0 else None
                (colour, marker), place = marker_of(k), y + 0.2 * (k - (len(targets) - 1) / 2)
                ax.plot(x, [place], marker, color=colour, ms=5, label=label)
            ax.plot(sign * row.mean, y, "|", color="black", ms=18, mew=2, zorder=1)
            for x, value in ((1.22, row.mean), (1.72, row.printed)):
                ax.text(x, y, f"{value:+.2f}".replace("-", "−"), va="center", ha="center")
        for x, text in ((1.22, "mean"), (1.72, "printed")):
            ax.text(x, -0.8, text, va="center", ha="center", weight="bold")
        ax.axvspan(-1.03, 0, color=GREY, alpha=0.13, lw=0)
        ax.text(-1.0, len(means) - 0.55, "wrong sign", va="bottom")
        names = [f"{row.name} ({row.expected.replace('-', '−')})" for row in means.itertuples(index=False)]
        ax.set_yticks(range(len(means)), names)
        ax.set(xlim=(-1.03, 1.03), ylim=(len(means) - 0.45, -0.6), xticks=[-1, -0.5, 0, 0.5, 1])
        ax.set_xlabel("Pearson's r times its right sign\n(bar: mean of the row)")
        where = {"loc": "lower left", "bbox_to_anchor": (0, 1.03), "borderaxespad": 0, "handletextpad": 0.1}
        ax.legend(**where, ncols=len(targets))
    return ax
