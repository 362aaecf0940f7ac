"""Drawings of single questions about the method. Draws, never computes a result; needs no torch."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from .figures import COLOURS, GREY, NAMES, STYLE

__all__ = ["certificate", "departures", "key_question", "speed"]

AXES = {"n": "samples n", "d": "features d", "k": "classes K"}
WAYS = {
    "exact": "exact method",
    "authors": "authors' objective",
    "plain": "one plain transport",
    "by_class": "one, by class",
}


def key_question(table: pd.DataFrame, reference: str) -> np.ndarray:
    """Draw accuracy and loss of each task, the reference at the top, with bars of two standard errors.

    Args:
        table: rows of ``probing.probe``; one or two heads a task.
        reference: which of the targets is the reference; a line carries its value down to the others.
    """
    tasks = list(dict.fromkeys(table["target"]))
    place = {task: -k for k, task in enumerate(tasks)}
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(1, 2, figsize=(7.2, 0.9 + 0.42 * len(tasks)), sharey=True)
        for ax, name in zip(axes, ("accuracy", "loss"), strict=True):
            for head, rows in table.groupby("head", sort=False):
                best = head == "best"
                colour, y = COLOURS[0 if best else 1], rows["target"].map(place) + (0.0 if best else -0.22)
                ax.errorbar(
                    rows[name],
                    y,
                    xerr=2 * rows[f"{name}_se"],
                    fmt="o" if best else "D",
                    color=colour,
                    markersize=5,
                    capsize=2,
                    label="best head" if best else "zero-shot head",
                )
            rows = table[table["head"] == "best"]
            guess = 1 / rows["k_target"] if name == "accuracy" else rows["log_k"]
            ax.plot(guess, rows["target"].map(place), "|", color=GREY, markersize=11, label="guessing")
            here = rows.loc[rows["target"] == reference, name].iloc[0]
            ax.axvline(here, color=COLOURS[0], linewidth=0.8, linestyle=":")
            ax.set_xlabel(
                "accuracy on the test part" if name == "accuracy" else "loss on the test part (nats)"
            )
            ax.set_xlim(left=0)
        axes[0].set_xlim(0, 1.02)
        labels = [f"{NAMES.get(t, t)}{' (reference)' if t == reference else ''}" for t in tasks]
        axes[0].set_yticks([place[t] for t in tasks], labels)
        axes[1].legend(fontsize=8, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, borderpad=0)
        plt.tight_layout()
    return axes


def speed(table: pd.DataFrame) -> np.ndarray:
    """Draw time (above) and peak memory (below) against n, d and K, one line a way, on logarithmic axes.

    Args:
        table: rows of ``timing.measure`` with a column series: "n", "d" or "k", whichever grows.
    """
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(2, 3, figsize=(7.6, 4.8), sharex="col", sharey="row")
        for column, (name, label) in enumerate(AXES.items()):
            rows = table[table["series"] == name]
            for k, (way, text) in enumerate(WAYS.items()):
                part = pd.DataFrame(rows[rows["what"] == way]).sort_values(by=name)
                for ax, value in zip(axes[:, column], ("seconds", "peak_mb"), strict=True):
                    ax.plot(
                        part[name],
                        part[value],
                        "o-",
                        color=COLOURS[k],
                        markersize=3,
                        linewidth=1.2,
                        label=text,
                    )
            ticks = sorted(rows[name].unique())
            for ax in axes[:, column]:
                ax.set(xscale="log", yscale="log")
                ax.set_xticks(ticks, [str(t) for t in ticks], fontsize=8)
                ax.minorticks_off()
                ax.grid(axis="y", color=GREY, alpha=0.25, linewidth=0.5)
            axes[1, column].set_xlabel(label)
        low, high = (float(table["peak_mb"].quantile(q)) for q in (0, 1))
        memory = [m for m in (250, 500, 1000, 2000, 4000, 8000) if low / 2 < m < 2 * high]
        axes[1, 0].set_yticks(memory, [str(m) for m in memory])
        axes[0, 0].set_ylabel("seconds")
        axes[1, 0].set_ylabel("peak memory (MB)")
        axes[0, 0].figure.legend(
            *axes[0, 0].get_legend_handles_labels(),
            loc="upper center",
            ncols=4,
            fontsize=8,
            columnspacing=1.2,
        )
        plt.tight_layout(rect=(0, 0, 1, 0.94))
    return axes


def certificate(table: pd.DataFrame) -> np.ndarray:
    """Draw bounds against losses, both over log K: on the sample (left) and on new samples (right).

    Args:
        table: rows of ``checking.check``; colours are ground costs, marks are what was learned.
    """
    marks = {"fixed_all": "x", "learned_a": "^", "learned_all": "o"}
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(1, 2, figsize=(7.4, 3.9), sharey=True)
        for ax, value in zip(axes, ("loss", "loss_new"), strict=True):
            for k, (metric, rows) in enumerate(table.groupby("metric", sort=False)):
                for mode, part in rows.groupby("mode", sort=False):
                    ax.scatter(
                        part[value] / part["log_k"],
                        part["bound"] / part["log_k"],
                        s=16,
                        marker=marks[str(mode)],
                        color=COLOURS[k],
                        alpha=0.7,
                        linewidths=0.9 if mode == "fixed_all" else 0,
                        label=f"{NAMES.get(str(metric))}, {NAMES.get(str(mode))}",
                    )
            top = float((table[value] / table["log_k"]).max()) * 1.05
            ax.plot([0, top], [0, top], color=GREY, linewidth=1)
            ax.axhline(1, color=GREY, linewidth=0.8, linestyle=":")
            ax.set(
                xlim=(0, top), xlabel=f"loss on {'the sample' if value == 'loss' else 'new samples'} / log K"
            )
            ax.annotate("log K", (0, 1), (3, 2), textcoords="offset points", fontsize=8, color=GREY)
        axes[0].set_ylabel("bound / log K")
        axes[0].set_ylim(bottom=0)
        axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="upper center", ncols=3, fontsize=8)
        plt.tight_layout(rect=(0, 0, 1, 0.87))
    return axes


def departures(table: pd.DataFrame, titles: dict[str, str]) -> np.ndarray:
    """Draw one panel a departure: the number as published and as corrected, a line a run, log K where it is a bound.

    Args:
        table: columns panel, x ("published", "corrected", or a label cost), line (which run), group, value, log_k.
        titles: of the panels, in their order.
    """
    with plt.rc_context(STYLE):
        rows = -(-len(titles) // 3)
        _, axes = plt.subplots(rows, 3, figsize=(7.6, 2.5 * rows), squeeze=False)
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
            ax.set_title(title, fontsize=9)
            if number < 2:  # the groups of the others are those of the second
                low, high = ax.get_ylim()
                ax.set_ylim(low, high + 0.35 * (high - low))  # room for the key above the lines
                ax.legend(fontsize=7, loc="upper left", borderpad=0.1)
        for ax in axes.flat[len(titles) :]:
            ax.set_axis_off()
        plt.tight_layout()
    return axes
