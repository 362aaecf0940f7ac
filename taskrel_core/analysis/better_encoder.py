"""What training an encoder on the reference brings to targets, beside the same training on permuted labels.

Losses are those of the best tau-Lipschitz head, divided by the loss of chance; a decrease is positive.
"""

import numpy as np
import pandas as pd
from scipy import stats

from .verdicts import of_interval


def decreases(table: pd.DataFrame) -> pd.DataFrame:
    """Return how much loss and bound decrease from the first to the last measured epoch, one line per target and seed.

    Args:
        table: rows of ``Experiment`` with the columns ``related`` and ``control``: whether the target is related to the
            reference, and whether the encoder learns permuted labels.

    Returns:
        Columns target, related, seed, learned and control (decrease of the best head's loss / chance), beyond (learned minus
        control), and bound (decrease of bound / chance, of the encoder that learns).
    """
    keys = ["target", "related", "seed"]

    def fall(control: bool, column: str) -> pd.Series:
        rows = table[table["control"] == control]
        relative = rows.assign(value=rows[column] / rows["chance"]).pivot(
            index=keys, columns="epochs", values="value"
        )
        return relative.iloc[:, 0] - relative.iloc[:, -1]

    learned, control = fall(False, "transferability"), fall(True, "transferability")
    found = {
        "learned": learned,
        "control": control,
        "beyond": learned - control,
        "bound": fall(False, "bound"),
    }
    return pd.DataFrame(found).reset_index()


def effects(fall: pd.DataFrame) -> pd.DataFrame:
    """Return what is judged, mean over targets, one line per seed.

    Args:
        fall: as ``decreases`` returns it.

    Returns:
        Columns related, unrelated (decrease on those targets), control_related, control_unrelated (of the control),
        beyond (learned minus control, on related targets) and specificity: beyond, less the same on unrelated targets.
    """
    means = fall.groupby(["seed", "related"])[["learned", "control", "beyond"]].mean().unstack("related")
    return pd.DataFrame(
        {
            "related": means["learned"][True],
            "unrelated": means["learned"][False],
            "control_related": means["control"][True],
            "control_unrelated": means["control"][False],
            "beyond": means["beyond"][True],
            "specificity": means["beyond"][True] - means["beyond"][False],
        }
    )


def interval(values: pd.Series, level: float = 0.95) -> tuple[float, float]:
    """Return Student's confidence interval of the mean over seeds; (nan, nan) of a single one."""
    n = len(values)
    if n < 2:
        return np.nan, np.nan
    half = float(stats.t.ppf((1 + level) / 2, n - 1) * values.std() / np.sqrt(n))
    return float(values.mean()) - half, float(values.mean()) + half


def said(values: pd.Series) -> str:
    """Return mean and interval as text."""
    low, high = interval(values)
    rest = "one seed, no interval" if np.isnan(low) else f"95 % CI {low:.2f} to {high:.2f}"
    return f"{values.mean():.2f} ({rest})"


def verdicts_of(fall: pd.DataFrame) -> dict[str, str]:
    """Judge improvement on related targets, and its specificity against the control.

    Args:
        fall: as ``decreases`` returns it.

    Returns:
        "improvement": by the interval of the decrease on related targets. "specificity": by the interval of that column of
        ``effects``; supported only with caveat where some unrelated target gains as much beyond the control, in its mean
        over seeds, as some related one.
    """
    found = effects(fall)
    verdicts = {
        "improvement": of_interval(*interval(found["related"])),
        "specificity": of_interval(*interval(found["specificity"])),
    }
    beyond: dict[bool, list[float]] = {True: [], False: []}
    for _, part in fall.groupby("target"):
        beyond[bool(np.all(part["related"]))].append(float(np.mean(part["beyond"])))
    if verdicts["specificity"] == "supported" and min(beyond[True]) <= max(beyond[False]):
        verdicts["specificity"] = "supported with caveat"
    return verdicts
