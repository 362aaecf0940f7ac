"""From a tidy table to axes. Draws, never computes a result, never saves; needs no torch.

Colours are Okabe and Ito's, safe for colour-blind readers; ink is black on a transparent ground, which the book
turns around in dark mode.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

__all__ = [
    "COLOURS",
    "GREY",
    "NAMES",
    "STYLE",
    "ablation",
    "better_encoder",
    "named",
    "small_gap",
    "task_pairs",
    "transformation",
    "your_task",
]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
GREY = "#777777"
TERMS = {
    "reweighted_loss": "re-weighted reference loss",
    "label_mismatch": "label mismatch",
    "transport": "distribution mismatch",
}
NAMES = {
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-MNIST",
    "digits": "digits 8x8",
    "usps": "USPS",
    "glyphs_latin": "Latin glyphs",
    "glyphs_greek": "Greek glyphs",
    "glyphs_digits": "digit glyphs",
    "glyphs_cyrillic": "Cyrillic glyphs",
    "imagenet": "ImageNet",
    "cifar10_full": "CIFAR-10",
    "svhn": "SVHN",
    "kmnist": "KMNIST",
    "emnist_letters": "EMNIST letters",
    "emoji_noto": "Noto emoji",
    "emoji_twemoji": "Twemoji",
    "euclidean": "Euclidean",
    "span": "span",
    "logit": "logit",
    "one_sided": "one-sided",
    "lenet": "LeNet",
    "pca": "pixel PCA",
    "efficientnet_lite0": "EfficientNet-Lite0",
    "efficientnet_lite1": "EfficientNet-Lite1",
    "efficientnet_lite2": "EfficientNet-Lite2",
    "efficientnet_lite0_random": "Lite0, random weights",
    "squeezenet": "SqueezeNet 1.1",
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v2_dogs": "MobileNetV2, dogs",
    "resnet50_thin": "ResNet50-thin",
    "vgg16": "VGG16 trunk",
    "random_net": "random net",
    "tiny_imagenet": "Tiny-ImageNet",
    "cifar10": "CIFAR-10",
    "dtd10": "DTD-10",
    "flowers5": "Flowers-5",
    "aircraft": "Aircraft",
    "caltech101": "Caltech-101",
    "cars": "Cars",
    "cifar100": "CIFAR-100",
    "dtd": "DTD",
    "pets": "Pets",
    "sun397": "SUN397",
    "fixed_all": "FixedAll",
    "learned_a": "LearnedA",
    "learned_all": "LearnedAll",
}


def named(name: str) -> str:
    """Return what readers call a data set, an encoder, a metric or a mode; its own name where there is no other."""
    return "your pictures" if name.startswith("folder:") else NAMES.get(name, name)


STYLE = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
    "svg.hashsalt": "taskrel",
}


def transformation(table: pd.DataFrame) -> np.ndarray:
    """Draw the chain R, R', R'', R''', T of a 2-D problem, one panel a step.

    Args:
        table: columns step, x, y, label, weight (share of the class prior, sizes the dot), in the steps' order.
    """
    steps = list(dict.fromkeys(table["step"]))
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(1, len(steps), figsize=(2.5 * len(steps), 2.9), sharex=True, sharey=True)
        for ax, step in zip(axes, steps, strict=True):
            part = table[table["step"] == step]
            for k, (label, rows) in enumerate(part.groupby("label", sort=False)):
                colour = COLOURS[int(rows["colour"].iloc[0])]
                ax.scatter(rows["x"], rows["y"], s=9 * rows["weight"], color=colour, alpha=0.55, linewidths=0)
                ax.annotate(
                    str(label),
                    (rows["x"].mean(), rows["y"].mean() + rows["y"].std() + 0.4 * (k % 2)),
                    ha="center",
                    va="bottom",
                    fontsize=9,
                    color=colour,
                    weight="bold",
                )
            ax.set_title(step)
            ax.set(xticks=[], yticks=[], aspect="equal")
    return axes


def small_gap(table: pd.DataFrame) -> Axes:
    """Draw each row's three terms as a stacked bar, its transferability beside it, log K and FixedAll as marks.

    Args:
        table: columns pair, metric, reweighted_loss, label_mismatch, transport, transferability, log_k, fixed_all;
            where rows are repeated over seeds, bars are means and a line spans the smallest to the largest bound.
    """
    keys = list(dict.fromkeys(zip(table["pair"], table["metric"], strict=True)))
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(7.2, 0.46 * len(keys) + 1.6))
        for position, (pair, metric) in enumerate(keys):
            rows = table[(table["pair"] == pair) & (table["metric"] == metric)]
            left = 0.0
            for k, term in enumerate(TERMS):
                width = float(rows[term].mean())
                ax.barh(position, width, left=left, height=0.5, color=COLOURS[k], alpha=0.85)
                left += width
            ax.plot([rows["bound"].min(), rows["bound"].max()], [position, position], color="black", lw=1.4)
            ax.plot(
                [rows["transferability"].mean()] * 2,
                [position - 0.36, position + 0.36],
                color="black",
                lw=2.4,
            )
            ax.plot(rows["log_k"].iloc[0], position, marker="|", ms=16, color=GREY, mew=1.2, ls="none")
            ax.plot(
                rows["fixed_all"].mean(), position, marker="D", ms=4, mfc="none", color=COLOURS[4], ls="none"
            )
        ax.set_yticks(range(len(keys)), [f"{p}\n{named(m)}" for p, m in keys], fontsize=8)
        ax.invert_yaxis()
        ax.set_xlabel("nats (lower is better)")
        _legend_of_terms(ax)
    return ax


def _legend_of_terms(ax: Axes) -> None:
    """A key above the axes: bars for terms, marks for the yardsticks."""
    handles = [plt.Rectangle((0, 0), 1, 1, color=COLOURS[k], alpha=0.85) for k in range(len(TERMS))]
    handles += [
        plt.Line2D([], [], color="black", lw=2.4),
        plt.Line2D([], [], marker="|", ms=12, color=GREY, ls="none"),
        plt.Line2D([], [], marker="D", ms=4, mfc="none", color=COLOURS[4], ls="none"),
    ]
    names = [*TERMS.values(), "transferability (best head)", "log K (guessing)", "FixedAll bound"]
    ax.legend(handles, names, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=8, borderaxespad=0.2)


def task_pairs(table: pd.DataFrame, metrics: Sequence[str]) -> np.ndarray:
    """Draw the bound against transferability, a panel a metric, a colour a reference; the diagonal is a tight bound.

    Args:
        table: columns reference, target, transferability, log_k and bound_<metric> of each metric; rows with a
            normalised loss (divided by log K) are comparable between tasks of different K.
        metrics: panels, left to right.
    """
    references = list(dict.fromkeys(table["reference"]))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(metrics), figsize=(3.7 * len(metrics), 3.6), squeeze=False)
        for ax, metric in zip(axes[0], metrics, strict=True):
            for k, reference in enumerate(references):
                rows = table[table["reference"] == reference]
                x, y = rows["transferability"] / rows["log_k"], rows[f"bound_{metric}"] / rows["log_k"]
                marker = "os^Dvp*"[k % 7]
                label = NAMES.get(reference, reference)
                ax.scatter(
                    x, y, s=26, marker=marker, color=COLOURS[k % len(COLOURS)], label=label, alpha=0.85
                )
            low = float((table["transferability"] / table["log_k"]).min())
            ax.plot([low, 1], [low, 1], color=GREY, lw=0.8)
            ax.axhline(1, color=GREY, lw=0.8, ls="--")
            ax.annotate(
                "log K: guessing", (low, 1), xytext=(0, 3), textcoords="offset points", fontsize=8, color=GREY
            )
            ax.set_title(f"{NAMES.get(metric, metric)} cost")
            ax.set_xlabel("transferability / log K")
        axes[0][0].set_ylabel("bound / log K")
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(
            handles,
            labels,
            title="reference",
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            ncols=4,
            fontsize=8,
        )
    return axes[0]


def better_encoder(table: pd.DataFrame) -> np.ndarray:
    """Draw transferability and bound of each target while the encoder improves on the reference.

    Args:
        table: columns target, related, epochs, seed, reference_accuracy, transferability, bound, log_k.
    """
    targets = list(dict.fromkeys(table["target"]))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, 2, figsize=(7.4, 3.6), sharex=True)
        for ax, column in zip(axes, ("transferability", "bound"), strict=True):
            for k, target in enumerate(targets):
                rows = table[table["target"] == target].groupby("epochs")
                value = rows[column].agg(["mean", "min", "max"]) / rows["log_k"].first().to_frame().to_numpy()
                x = rows["reference_accuracy"].mean()
                ax.plot(
                    x,
                    value["mean"],
                    marker="os^Dvp"[k % 6],
                    ms=4,
                    color=COLOURS[k],
                    label=named(target),
                )
                ax.fill_between(x, value["min"], value["max"], color=COLOURS[k], alpha=0.18, lw=0)
            ax.axhline(1, color=GREY, lw=0.8, ls="--")
            ax.set_xlabel("accuracy on the reference")
            ax.set_title(f"{column} / log K")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(
            handles, labels, title="target", loc="upper center", bbox_to_anchor=(0.5, 0), ncols=4, fontsize=8
        )
    return axes


def ablation(table: pd.DataFrame) -> Axes:
    """Draw the bound of FixedAll, LearnedA and LearnedAll of each pair, joined by a line.

    Args:
        table: columns pair, mode, bound, log_k (means over seeds), low, high.
    """
    pairs = list(dict.fromkeys(table["pair"]))
    modes = list(dict.fromkeys(table["mode"]))
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(6.4, 0.42 * len(pairs) + 1.4))
        for position, pair in enumerate(pairs):
            rows = table[table["pair"] == pair].set_index("mode").loc[modes]
            ax.plot(rows["bound"], [position] * len(modes), color=GREY, lw=1)
            for k, mode in enumerate(modes):
                row, label = rows.loc[mode], NAMES.get(mode, mode) if position == 0 else None
                ax.plot([row["low"], row["high"]], [position] * 2, color=COLOURS[k], lw=3, alpha=0.4)
                ax.plot(row["bound"], position, "osD"[k % 3], color=COLOURS[k], label=label, ms=6)
            ax.plot(rows["log_k"].iloc[0], position, marker="|", ms=14, color=GREY, ls="none")
        ax.set_yticks(range(len(pairs)), pairs, fontsize=8)
        ax.invert_yaxis()
        ax.set_xlabel("bound in nats (grey tick: log K)")
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=8)
    return ax


def your_task(table: pd.DataFrame) -> Axes:
    """Draw the bound of one pair under each ground cost, with loss, transferability and log K as lines.

    Args:
        table: columns metric, bound; one row of loss, transferability, log_k repeated.
    """
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(6.4, 2.6))
        for position, row in enumerate(table.itertuples()):
            ax.barh(position, row.bound, color=COLOURS[position], alpha=0.85, height=0.55)
            ax.annotate(
                f"{row.bound:.3f}",
                (row.bound, position),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
            )
        marks = (("transferability", "best head"), ("loss", "h_R'''"), ("log_k", "log K"))
        for k, (column, name) in enumerate(marks):
            x = float(table[column].iloc[0])
            ax.axvline(x, color=(GREY, "black", GREY)[k], lw=1.2, ls=(":", "-", "--")[k])
            ax.annotate(
                name,
                (x, 1.0),  # outside the axes, where data coordinates would hide it
                xycoords=("data", "axes fraction"),
                fontsize=8,
                ha="center",
                va="bottom",
                xytext=(0, 2 + 9 * k),
                textcoords="offset points",
            )
        ax.set_yticks(range(len(table)), [named(m) for m in table["metric"]])
        ax.invert_yaxis()
        ax.set_xlabel("nats")
    return ax
