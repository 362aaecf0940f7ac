"""Best head and bound while an encoder is trained, beside a control that learns permuted labels."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from .names import named
from .style import GREY, STYLE, colour_of

PANELS = {"loss": "loss / chance", "head_accuracy": "accuracy of\nbest head"}


def better_encoder(table: pd.DataFrame, fall: pd.DataFrame) -> tuple[Axes, np.ndarray]:
    """Draw how much further than the control's the loss of each target decreases, and beneath how it got there.

    A row each, coloured, beside the control, grey and hollow. Lines are means over seeds, bands their range. The bound is drawn
    thin above the loss that it bounds; not of the control.

    Args:
        table: columns target, related, control, epochs, seed, reference_accuracy, transferability, bound, head_accuracy,
            chance.
        fall: columns target, related, beyond (decrease beyond the control's); one row per seed.

    Returns:
        The panel of decreases, and axes, (targets, 2): loss, accuracy.
    """
    table = table.assign(
        loss=table["transferability"] / table["chance"], bound_relative=table["bound"] / table["chance"]
    )
    targets = list(dict.fromkeys(table["target"]))
    learned = table[~table["control"]]
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(5.2, 1.85 * len(targets) + 2.3), layout="constrained")
        grid = figure.add_gridspec(2, 1, height_ratios=[0.3 * len(targets) + 0.6, 1.55 * len(targets)])
        top = figure.add_subplot(grid[0])
        _decreases(top, fall, targets)
        axes = grid[1].subgridspec(len(targets), 2).subplots(sharex=True, sharey="col", squeeze=False)
        for row, target in zip(axes, targets, strict=True):
            _target(row, pd.DataFrame(table[table["target"] == target]))
        epochs = learned.groupby("epochs")["reference_accuracy"].mean()
        for ax in axes[-1]:
            ax.set_xticks(range(len(epochs)), [f"{e}\n{a:.2f}" for e, a in epochs.items()])
            ax.set_xlabel("epochs, and accuracy\non the reference")
        for column, label in zip(axes.T, PANELS.values(), strict=True):
            for ax in column:
                ax.set_ylabel(label)
        _key(axes[0, 0])
    return top, axes


def _decreases(ax: Axes, fall: pd.DataFrame, targets: list[str]) -> None:
    """One line per target: the mean decrease beyond the control's and its range over seeds."""
    for y, target in enumerate(targets):
        beyond, (colour, marker) = fall.loc[fall["target"] == target, "beyond"], colour_of(target)
        ax.plot([beyond.min(), beyond.max()], [y, y], color=colour, lw=2)
        ax.plot(beyond.mean(), y, marker, ms=8, color=colour)
    related = set(fall.loc[fall["related"], "target"])
    ax.set_yticks(
        range(len(targets)), [f"{named(t)} ({'related' if t in related else 'unrelated'})" for t in targets]
    )
    ax.axvline(0, color=GREY, lw=0.8)
    ax.set(ylim=(len(targets) - 0.5, -0.5), xlabel="decrease of loss / chance beyond the control's")


def _target(row: np.ndarray, table: pd.DataFrame) -> None:
    """One target's panels."""
    name, own, control = str(table["target"].iloc[0]), table[~table["control"]], table[table["control"]]
    (colour, marker), kind = colour_of(name), "related" if bool(np.all(table["related"])) else "unrelated"
    row[0].set_title(f"{named(name)} ({kind})")
    for ax, column in zip(row, PANELS, strict=True):
        _line(ax, control, column, GREY, "o", mfc="none", ls="--", label="control: random labels")
        _line(ax, own, column, colour, marker, label="encoder that learns the reference")
    _line(row[0], own, "bound_relative", colour, "", lw=0.9, label="bound on its loss")


def _line(ax: Axes, rows: pd.DataFrame, column: str, colour: str, marker: str, **more: str | float) -> None:
    """Draw the mean over seeds with their range as a band, at the places of the epochs in their order."""
    value = rows.groupby(["epochs", "seed"])[column].mean().groupby("epochs").agg(["mean", "min", "max"])
    x = np.arange(len(value))
    ax.plot(x, value["mean"], marker=marker, ms=5, color=colour, **more)
    ax.fill_between(x, value["min"], value["max"], color=colour, alpha=0.18, lw=0)


def _key(ax: Axes) -> None:
    """The kinds of lines, above all panels; black, since each target has its own colour."""
    lines, labels = ax.get_legend_handles_labels()
    marks = []
    for line in lines:
        colour = GREY if line.get_color() == GREY else "black"
        face = "none" if colour == GREY else colour
        marks.append(
            Line2D(
                [], [], color=colour, ls=line.get_ls(), lw=line.get_lw(), marker=line.get_marker(), mfc=face
            )
        )
    ax.figure.legend(marks, labels, loc="outside upper left")
