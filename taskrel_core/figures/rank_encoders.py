"""Encoders in the order in which to take them, how that changes with a setting, and what following a score costs."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .names import WAY_KINDS, named
from .style import COLOURS, GREY, KIND_COLOURS, STYLE


def encoder_label(name: str) -> str:
    """Return what an encoder is called on an axis: of a file its own name alone."""
    return name.rpartition("/")[2] if name.startswith(("features:", "file:")) else named(name)


def ranked_encoders(table: pd.DataFrame) -> np.ndarray:
    """Draw the cross-validated probe with one standard error, and the bound against chance, one line per encoder.

    Args:
        table: as ``rank`` returns it; the first line is on top.
    """
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(2, 1, figsize=(5.2, 2.2 + 0.6 * len(table)), sharey=True, layout="constrained")
        y = np.arange(len(table))
        error = np.sqrt(table["probe"] * (1 - table["probe"]) / table["n"])
        axes[0].errorbar(table["probe"], y, xerr=error, fmt="o", color=KIND_COLOURS["control"], lw=1.5)
        axes[0].axvline(float(table["largest_class"].max()), color=GREY, ls="--", lw=1)
        axes[0].set_xlabel(
            "accuracy of the probe, cross-validated\n(bar: one standard error; dashed: largest class)"
        )
        axes[1].plot(table["bound"], y, "s", color=KIND_COLOURS["relatedness"])
        chance = float(table["chance"].max())
        axes[1].axvline(chance, color=GREY, ls="--", lw=1)
        far = np.nanmax([chance, *table["bound"]]) * 1.05
        axes[1].axvspan(chance, far, color=GREY, alpha=0.15, lw=0)
        axes[1].set_xlim(right=far)
        axes[1].set_xlabel("certified bound on the loss, nats\n(shaded: above chance, vacuous)")
        for ax in axes:
            ax.set_yticks(y, [encoder_label(name) for name in table["name"]])
        axes[0].invert_yaxis()
        axes[0].set_title("best first")
    return axes


def sweep(table: pd.DataFrame, score: str, label: str) -> Axes:
    """Draw one score of every encoder over the settings of a sweep.

    Args:
        table: columns name, setting (text), the score; settings in the order of their lines.
        score: column to draw.
        label: of its axis.
    """
    settings = list(dict.fromkeys(table["setting"]))
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(5.2, 3.2 + 0.12 * table["name"].nunique()), layout="constrained")
        for k, (name, rows) in enumerate(table.groupby("name", sort=False)):
            place = [settings.index(s) for s in rows["setting"]]
            ax.plot(
                place,
                rows[score],
                marker="os^Dvp"[k // len(COLOURS) % 6],
                ms=4,
                lw=1.2,
                color=COLOURS[k % len(COLOURS)],
                label=encoder_label(str(name)),
            )
        ax.set_xticks(range(len(settings)), settings, rotation=20 if len(settings) > 2 else 0, ha="right")
        ax.set_ylabel(label)
        ax.legend(loc="lower left", bbox_to_anchor=(-0.1, 1), ncols=2)
    return ax


def regret(table: pd.DataFrame, names: Mapping[str, str]) -> Axes:
    """Draw what following each way to choose costs in accuracy, with its interval, the cheapest on top.

    Args:
        table: as ``analysis.advice.regrets`` returns it.
        names: what readers call each way.
    """
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(5.2, 1.2 + 0.28 * len(table)), layout="constrained")
        y, mean = np.arange(len(table)), 100 * table["regret"]
        ends = [np.maximum(mean - 100 * table["low"], 0), np.maximum(100 * table["high"] - mean, 0)]
        colours = [KIND_COLOURS[WAY_KINDS.get(way, "other metric")] for way in table["way"]]
        ax.hlines(y, mean - ends[0], mean + ends[1], colors=colours, lw=1.4)
        ax.scatter(mean, y, c=colours, s=36, zorder=3)
        ax.set_yticks(y, [names[way] for way in table["way"]])
        ax.invert_yaxis()
        ax.set_xlim(left=0)
        ax.set_xlabel("accuracy lost against the best encoder,\npoints (bar: 95 % CI)")
    return ax
