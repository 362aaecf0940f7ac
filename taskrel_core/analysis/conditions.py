"""How a score's correlation with accuracy changes when it sees less: fewer samples, or pseudo-labels for labels."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from .cells import Cells
from .few_shot import STATIC
from .few_shot_report import PAPER
from .resampling import interval_of, interval_text, resample, whole
from .study import resampled_r
from .verdicts import of_interval, of_stability


def changes(
    cells: Mapping[str, Sequence[Cells]], resamples: int = 2000, seed: int = 0, by: str = "family"
) -> pd.DataFrame:
    """Return the mean correlation of each score under each condition, and its change from the first condition.

    Args:
        cells: by condition, of each sample that scores were given: the same encoders, targets and accuracies, with the scores
            that this condition gives. r is averaged over the samples.
        resamples: bootstrap samples of encoders and targets together, the same for every condition.
        seed: of the samples.
        by: as in ``resample``.

    Returns:
        Columns score, condition, mean_r, low, high, change, change_low, change_high, intervals of 95 %; one row per score
        and condition. Scores without a value under some condition are left out.

    Raises:
        ValueError: conditions of other encoders or targets.
    """
    first = next(iter(cells.values()))[0]
    if any(
        (each.encoders, each.targets) != (first.encoders, first.targets)
        for of in cells.values()
        for each in of
    ):
        raise ValueError(
            "cells must have the same encoders and targets under every condition, in the same order; take them from the same "
            "trainings"
        )
    drawn = [whole(first), resample(first, resamples, seed, by)]
    found = {
        name: pd.DataFrame(
            np.mean([np.hstack([resampled_r(each, some) for some in drawn]) for each in samples], axis=0).T,
            columns=list(samples[0].scores),
        )
        for name, samples in cells.items()
    }
    common = [s for s in first.scores if all(s in rs and np.isfinite(rs[s][0]) for rs in found.values())]
    base = next(iter(found.values()))[common]
    parts = []
    for condition, rs in found.items():
        values = {"mean_r": rs[common], "change": rs[common] - base}
        part = pd.DataFrame({"score": common, "condition": condition})
        for (name, value), prefix in zip(values.items(), ("", "change_"), strict=True):
            low, high, _ = interval_of(first, value.to_numpy()[1:].T)
            part = part.assign(**{name: value.iloc[0].to_numpy(), f"{prefix}low": low, f"{prefix}high": high})
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def condition_verdicts(table: pd.DataFrame) -> dict[str, str]:
    """Judge sign and stability of the Euclidean form under each condition but the first.

    Args:
        table: as ``changes`` returns it.

    Returns:
        "sign", by the interval of the mean r, and "stability", by that of its change; "sign with <condition>" and so on where
        there are several conditions.
    """
    found, rows = {}, table[table["score"] == PAPER].iloc[1:]
    for row in rows.to_dict("records"):
        where = f" with {row['condition']}" if len(rows) > 1 else ""
        found[f"sign{where}"] = of_interval(row["low"], row["high"])
        found[f"stability{where}"] = of_stability(row["change_low"], row["change_high"])
    return found


def stability_verdicts(table: pd.DataFrame, forms: Mapping[str, str]) -> dict[str, str]:
    """Judge the change of each form's mean r under the last condition.

    Args:
        table: as ``changes`` returns it.
        forms: names of scores, and what readers call each.

    Returns:
        "<name> stability", without "the" and "form", by the interval of the change.
    """
    rows = _last(table)
    return {
        f"{name.removeprefix('the ').removesuffix(' form')} stability": of_stability(
            rows["change_low"][form], rows["change_high"][form]
        )
        for form, name in forms.items()
    }


def from_first_to_last(table: pd.DataFrame, forms: Mapping[str, str]) -> str:
    """Say how each form's mean r changes from the first condition to the last; positive is as claimed.

    Args:
        table: as ``changes`` returns it.
        forms: names of scores, and what readers call each.
    """
    parts = []
    for form, name in forms.items():
        rows = table[table["score"] == form]
        change = interval_text(rows.iloc[-1], "change", "change_")
        parts.append(f"{name} changes by {change} from {rows['mean_r'].iloc[0]:+.2f}")
    conditions = list(dict.fromkeys(table["condition"]))
    return (
        f"From {conditions[0]} to {conditions[-1]}, mean r (positive: as claimed) of {'. That of '.join(parts)}. Brackets: "
        "95 % CI."
    )


def below_zero(table: pd.DataFrame, score: str) -> bool:
    """Whether the mean r of a score is on the wrong side of 0 under the first and the last condition.

    Args:
        table: as ``changes`` returns it.
        score: its name.
    """
    rows = table[table["score"] == score]["mean_r"]
    return bool(rows.iloc[0] < 0 and rows.iloc[-1] < 0)


def finding(table: pd.DataFrame) -> str:
    """Say of how many scores the correlation changes for sure under the last condition, and in which direction.

    Args:
        table: as ``changes`` returns it.
    """
    rows = _last(table).drop(index=STATIC, errors="ignore")
    falls, rises = rows[rows["change_high"] < 0], rows[rows["change_low"] > 0]
    said = (
        f"With {rows['condition'].iloc[0]} the correlation of {len(falls)} of {len(rows)} scores falls and that of {len(rises)} "
        "rises, beyond what resampling explains."
    )
    negative = (
        len(rises) and (rises["mean_r"] < 0).all()
    )  # the change is positive, so it was below that before
    return said + " Those that rise are negative and move towards 0." * bool(negative)


def told(table: pd.DataFrame, names: Mapping[str, str], scores: Sequence[str]) -> str:
    """Say the mean r of some scores under each condition, and by how much it changes.

    Args:
        table: as ``changes`` returns it.
        names: what readers call each score.
        scores: which of them.
    """
    sentences = []
    for score in scores:
        first, *others = (row for _, row in table[table["score"] == score].iterrows())
        sentences.append(
            f"{names.get(score, score)}: mean r is {interval_text(first)} with {first['condition']}."
        )
        sentences += [
            f"With {row['condition']} it is {interval_text(row)}, a change of {interval_text(row, 'change', 'change_')}."
            for row in others
        ]
    return " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences)


def side_by_side(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Return one row per score: its mean r under each condition and how much it changes, as text with 95 % CI.

    Args:
        table: as ``changes`` returns it.
        names: what readers call each score.
    """
    lines = []
    for score, rows in table.groupby("score", sort=False):
        line = {"score": names.get(str(score), str(score))}
        line |= {str(row["condition"]): interval_text(row) for _, row in rows.iterrows()}
        for _, row in rows.iloc[1:].iterrows():
            change = "change" if len(rows) == 2 else f"change with {row['condition']}"
            line[change] = interval_text(row, "change", "change_")
        lines.append(line)
    return pd.DataFrame(lines)


def _last(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the last condition, by score."""
    return table[table["condition"] == table["condition"].iloc[-1]].set_index("score")
