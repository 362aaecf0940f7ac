"""What training an encoder on the reference brings to targets, beside the same training on permuted labels.

Losses are those of the best tau-Lipschitz head, divided by the loss of chance; a decrease is positive.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from .verdicts import of_interval


def decreases(table: pd.DataFrame) -> pd.DataFrame:
    """Return how loss, bound and accuracy change from the first to the last measured epoch, one line per target and seed.

    Args:
        table: rows of ``Experiment`` with the columns ``related`` and ``control``: whether the target is related to the
            reference, and whether the encoder learns permuted labels.

    Returns:
        Columns target, related, seed, learned and control (decrease of the best head's loss / chance), beyond (learned minus
        control), and bound (decrease of bound / chance, of the encoder that learns).
    """
    keys = ["target", "related", "seed"]

    def fall(control: bool, value: pd.Series) -> pd.Series:
        rows = table.assign(value=value)[table["control"] == control]
        by_epoch = rows.pivot(index=keys, columns="epochs", values="value")
        return by_epoch.iloc[:, 0] - by_epoch.iloc[:, -1]

    loss, bound = (table[column] / table["chance"] for column in ("transferability", "bound"))
    learned, control = fall(False, loss), fall(True, loss)
    found = {
        "learned": learned,
        "control": control,
        "beyond": learned - control,
        "bound": fall(False, bound),
        "accuracy": -fall(False, table["head_accuracy"]),
    }
    return pd.DataFrame(found).reset_index()


def effects(fall: pd.DataFrame) -> pd.DataFrame:
    """Return what is judged, mean over targets, one line per seed.

    Args:
        fall: as ``decreases`` returns it.

    Returns:
        Columns related, unrelated (decrease on those targets), control_related, control_unrelated (of the control),
        beyond (learned minus control, on related targets), specificity (beyond, less the same on unrelated targets), and
        accuracy_related, accuracy_unrelated (rise of the best head's accuracy).
    """
    means = (
        fall.groupby(["seed", "related"])[["learned", "control", "beyond", "accuracy"]]
        .mean()
        .unstack("related")
    )
    return pd.DataFrame(
        {
            "related": means["learned"][True],
            "unrelated": means["learned"][False],
            "control_related": means["control"][True],
            "control_unrelated": means["control"][False],
            "beyond": means["beyond"][True],
            "specificity": means["beyond"][True] - means["beyond"][False],
            "accuracy_related": means["accuracy"][True],
            "accuracy_unrelated": means["accuracy"][False],
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
    """Judge improvement of the loss on related targets, and its specificity against the control.

    Args:
        fall: as ``decreases`` returns it.

    Returns:
        "improvement (loss)": by the interval of the decrease on related targets. "specificity": by the interval of that
        column of ``effects``; supported only with caveat where some unrelated target gains as much beyond the control, in its
        mean over seeds, as some related one.
    """
    found, (related, unrelated) = effects(fall), _beyond(fall)
    verdicts = {
        "improvement (loss)": of_interval(*interval(found["related"])),
        "specificity": of_interval(*interval(found["specificity"])),
    }
    if verdicts["specificity"] == "supported" and related.min() <= unrelated.max():
        verdicts["specificity"] = "supported with caveat"
    return verdicts


def caveat(fall: pd.DataFrame, names: Mapping[str, str]) -> str:
    """Say why specificity has a caveat, as a sentence; "" where it has none.

    Args:
        fall: as ``decreases`` returns it.
        names: what readers call each target.
    """
    if verdicts_of(fall)["specificity"] != "supported with caveat":
        return ""
    related, unrelated = _beyond(fall)
    least, most = str(related.idxmin()), str(unrelated.idxmax())
    return (
        f"Caveat: beyond the control the loss decreases by {unrelated.max():.2f} on {names.get(most, most)} (unrelated) and by "
        f"{related.min():.2f} on {names.get(least, least)} (related)"
    )


def _beyond(fall: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Decrease beyond the control of each related and each unrelated target, mean over seeds."""
    means = pd.Series(fall.groupby(["related", "target"])["beyond"].mean())
    return pd.Series(means.loc[True]), pd.Series(means.loc[False])
