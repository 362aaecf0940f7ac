"""How well each score ranks encoders: from rows of scores and of accuracies to the table of correlations."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from ..metrics.otce_regression import fit_otce
from .correlation import Correlation, correlate, mean_interval
from .resampling import bracketed


def join_scores(scores: pd.DataFrame, accuracies: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return one line per (target, encoder, score): columns target, encoder, score, value, fine_tuned, probe.

    Args:
        scores: rows of ``Scoring``; those of one (target, encoder) differ in the classes of the reference, and are averaged.
        accuracies: as ``select_learning_rate`` returns them.
        columns: names of the scores; one that is missing in some rows is averaged over the others.
    """
    long = scores.melt(["target", "encoder"], columns, "score", "value").dropna(subset="value")
    long["value"] = long["value"].astype(float)
    means = long.groupby(["target", "encoder", "score"], as_index=False, sort=False)["value"].mean()
    return with_accuracies(means, accuracies)


def with_accuracies(table: pd.DataFrame, accuracies: pd.DataFrame) -> pd.DataFrame:
    """Return the table with columns fine_tuned and probe beside each target and encoder; without those that have none."""
    return table.merge(accuracies[["target", "encoder", "fine_tuned", "probe"]], on=["target", "encoder"])


def correlations(
    table: pd.DataFrame,
    higher_is_better: Mapping[str, bool],
    sets: Mapping[str, Sequence[str]],
    truth: str = "fine_tuned",
    seed: int = 0,
) -> pd.DataFrame:
    """Return the correlation of each score with accuracy on each target, for each set of encoders.

    Args:
        table: as ``join_scores`` returns it.
        higher_is_better: of each score; a score of which less is better should have a negative Pearson.
        sets: names of sets of encoders, and who is in each.
        truth: column of ``table`` that the scores are to predict.
        seed: of the bootstrap.

    Returns:
        Columns encoders, target, score, expected (sign), pearson, low, high (95 %, encoders resampled), n,
        weighted_kendall (oriented: 1 is best), rel_at_1 (accuracy of the encoder chosen, over that of the best).
        NaN where fewer than 3 encoders have the score, or it is the same for all.

    Raises:
        ValueError: on every target all encoders have the same accuracy.
    """
    if table.groupby("target")[truth].nunique().lt(2).to_numpy().all():
        raise ValueError(
            f"{truth} must differ between encoders on at least one target, got one value on each; take more encoders "
            "or test images"
        )
    lines = []
    for name, members in sets.items():
        kept = table[table["encoder"].isin(list(members))]
        for _, rows in kept.groupby(["target", "score"], sort=False):
            target, score = rows["target"].iloc[0], rows["score"].iloc[0]
            sign = 1 if higher_is_better[str(score)] else -1
            line = {"encoders": name, "target": target, "score": score, "expected": "+" if sign > 0 else "-"}
            lines.append(line | _agreement(rows["value"].to_numpy(), rows[truth].to_numpy(), sign, seed))
    return pd.DataFrame(lines)


def _agreement(value: np.ndarray, truth: np.ndarray, sign: int, seed: int) -> dict[str, float]:
    nan, n = float("nan"), len(value)
    r = correlate(value, truth, seed=seed) if n >= 3 else Correlation(nan, nan, nan, n)
    tau = nan if np.isnan(r.value) else float(stats.weightedtau(sign * value, truth).statistic)
    best = float(truth[int(np.argmax(sign * value))] / truth.max())
    shown = {"pearson": r.value, "low": r.low, "high": r.high, "n": r.n}
    return shown | {"weighted_kendall": tau, "rel_at_1": best}


def over_targets(table: pd.DataFrame, resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Return the mean over targets of each score's correlation, its interval from resampling whole targets.

    Args:
        table: as ``correlations`` returns it.
        resamples: bootstrap samples.
        seed: of the samples.

    Returns:
        Columns encoders, score, expected, pearson, low, high, targets, weighted_kendall, rel_at_1.
    """
    lines = []
    for _, rows in table.groupby(["encoders", "score"], sort=False):
        encoders, score = rows["encoders"].iloc[0], rows["score"].iloc[0]
        r = rows["pearson"].dropna().tolist()
        mean, low, high = mean_interval(r, range(len(r)), resamples, seed) if r else (np.nan,) * 3
        line = {"encoders": encoders, "score": score, "expected": rows["expected"].iloc[0]}
        line |= {"pearson": mean, "low": low, "high": high, "targets": len(r)}
        lines.append(line | rows[["weighted_kendall", "rel_at_1"]].mean().to_dict())
    return pd.DataFrame(lines)


def mean_r(
    table: pd.DataFrame,
    higher_is_better: Mapping[str, bool],
    encoders: Sequence[str],
    truth: str = "fine_tuned",
) -> pd.Series:
    """Return each score's mean r over targets, oriented so that positive is as claimed; arguments as for ``correlations``."""
    each = correlations(table, higher_is_better, {"these": encoders}, truth)
    return pd.Series(over_targets(oriented(each)).set_index("score")["pearson"])


def oriented(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of ``correlations`` or ``over_targets`` with r and its interval times the sign that r should have."""
    turned = table["expected"] == "-"
    ends = {"pearson": -table["pearson"], "low": -table["high"], "high": -table["low"], "expected": "+"}
    return table.assign(**{name: table[name].mask(turned, value) for name, value in ends.items()})


def saturation(scores: pd.DataFrame) -> pd.Series:
    """Return, for each score that says when it is saturated, the fraction of rows of ``Scoring`` in which it is."""
    said = scores.filter(regex="^saturated_").rename(columns=lambda name: name.removeprefix("saturated_"))
    return pd.Series({name: said[name].dropna().astype(bool).mean() for name in said})


def format_intervals(rows: pd.DataFrame) -> list[str]:
    """Return each row's ``r [low, high]`` as text, empty where there is no r."""
    known = zip(rows["pearson"], rows["low"], rows["high"], strict=True)
    return ["" if np.isnan(r) else bracketed(r, low, high) for r, low, high in known]


def otce_predictions(scores: pd.DataFrame, accuracies: pd.DataFrame) -> pd.Series:
    """Return the OTCE score of each row: the accuracy that its W_D and W_T predict, learned on the other targets.

    Args:
        scores: rows of ``Scoring`` with the columns otce_w_d and otce_w_t.
        accuracies: as ``select_learning_rate`` returns them.

    Returns:
        One value for each row of ``scores``, None where fewer than 3 rows of other targets have an accuracy.
    """
    known = scores[["target", "encoder", "otce_w_d", "otce_w_t"]].reset_index(drop=True)
    known = known.merge(accuracies[["target", "encoder", "fine_tuned"]], how="left", on=["target", "encoder"])
    values = []
    for row in known.itertuples():
        others = known[(known["target"] != row.target) & known["fine_tuned"].notna()]
        table = others[["otce_w_d", "otce_w_t", "fine_tuned"]].to_numpy(dtype=np.float64)
        values.append(fit_otce(table)(row.otce_w_d, row.otce_w_t) if len(table) >= 3 else None)
    return pd.Series(values, index=scores.index, dtype=object)
