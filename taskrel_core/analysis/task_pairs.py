"""Pairs of tasks: does the bound say more of a loss than how far apart the target's classes lie?"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from .correlation import correlate, within
from .resampling import interval_text
from .verdicts import of_interval

BASELINE = "class_distance"


def with_baseline(pairs: pd.DataFrame, alone: pd.DataFrame, on: Sequence[str]) -> pd.DataFrame:
    """Return the pairs with what their target tells without the reference: ``class_distance``, ``best`` and ``best_new``.

    Args:
        pairs: rows of ``Experiment`` or ``Certificate``.
        alone: rows of ``Separation``, whose losses become ``best`` (of the sample) and ``best_new`` (test part).
        on: columns that name the features of a target: the target, and the reference where the encoder learns from it.

    Raises:
        ValueError: a pair whose target was not measured.
    """
    kept = pd.DataFrame(alone[[*on, BASELINE]]).assign(best=alone["loss"], best_new=alone["loss_new"])
    old = [name for name in (BASELINE, "best", "best_new") if name in pairs]
    table = pairs.drop(columns=old).merge(kept, on=list(on), how="left", validate="many_to_one")
    missing = table.loc[table[BASELINE].isna(), "target"].tolist()
    if missing:
        raise ValueError(
            f"alone must hold every target of the pairs, got none for {missing[0]!r}; add its row"
        )
    return table


def against_baseline(
    table: pd.DataFrame, scores: Sequence[str], losses: Mapping[str, str], seed: int = 0
) -> pd.DataFrame:
    """Return r of each score with each loss, given the baseline, and within targets; whole targets are resampled.

    Args:
        table: as ``with_baseline`` returns it. Scores and losses, in nats, are divided by the loss of chance.
        scores: columns, bounds.
        losses: columns, and what readers call each.
        seed: of the resamples.

    Returns:
        Columns loss, score; pearson, low, high; given, given_low, given_high (partial r given the baseline); within,
        within_low, within_high (NaN where the loss does not change with the reference). A line for the baseline has r alone.
    """
    lines, groups = [], table["target"]
    for column, name in losses.items():
        loss = table[column] / table["chance"]
        for score in scores:
            value = table[score] / table["chance"]
            r = correlate(value, loss, groups=groups, seed=seed)
            given = correlate(value, loss, given=table[BASELINE], groups=groups, seed=seed)
            inside = within(value, loss, groups, seed=seed)
            line = {"loss": name, "score": score, "pearson": r.value, "low": r.low, "high": r.high}
            line |= {"given": given.value, "given_low": given.low, "given_high": given.high}
            lines.append(
                line | {"within": inside.value, "within_low": inside.low, "within_high": inside.high}
            )
        r = correlate(table[BASELINE], loss, groups=groups, seed=seed)
        lines.append({"loss": name, "score": BASELINE, "pearson": r.value, "low": r.low, "high": r.high})
    return pd.DataFrame(lines)


def judged(lines: Sequence[pd.Series]) -> str:
    """Judge the same correlation in several settings, the first of which is the poster's.

    Args:
        lines: lines of ``against_baseline``.

    Returns:
        "supported" if the 95 % interval of r in the first, and that of the partial r in all, lies above 0; "supported with
        caveat" if only the first does; "not supported" if it lies below 0; else "inconclusive".
    """
    found = of_interval(lines[0]["low"], lines[0]["high"])
    beyond = np.array([line["given_low"] for line in lines], dtype=float)
    return "supported with caveat" if found == "supported" and not (beyond > 0).all() else found


def caveat(lines: Mapping[str, pd.Series]) -> str:
    """Say why ``judged`` has a caveat, as a sentence; "" where it has none.

    Args:
        lines: lines of ``against_baseline`` by setting, in the order of ``judged``.
    """
    if judged(list(lines.values())) != "supported with caveat":
        return ""
    unclear = [
        f"{name} ({interval_text(line, 'given', 'given_')})"
        for name, line in lines.items()
        if not float(line["given_low"]) > 0
    ]
    return f"Caveat: given the baseline, the interval of r is not above 0 with {' and '.join(unclear)}"
