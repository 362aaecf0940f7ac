"""What others printed: accuracies, scores and correlations, and whether they follow from one another."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from .correlation import correlate

__all__ = [
    "LIBRARY",
    "POSTER_SIGNS",
    "SFDA",
    "accuracies",
    "poster",
    "poster_means",
    "published",
    "recomputed",
    "tables_agree",
]

LIBRARY = "thuml/Transfer-Learning-Library@c4aa59e model_selection"  # accuracies and scores; its README has correlations
SFDA = "TencentARC/SFDA@3b7edf7 group 1 (supervised)"  # accuracies of the same encoders
POSTER_SIGNS = {"pactran": -1, "ours": -1}  # the right sign of r; of all others it is +1
ROUNDING = 0.01  # our choice: what the printed digits of scores and accuracies may move r by
_SCORES = {
    "logme": "LogME",
    "leep": "LEEP",
    "nce": "NCE",
    "hscore": "HScore",
}  # as scores, and as their README has them
_TARGETS = {"oxfordiiitpets": "pets", "stanfordcars": "cars"}
_MODELS = {"mnasnet": "mnasnet1_0"}


def published(folder: str | Path = "notebooks/facts") -> pd.DataFrame:
    """Return the published numbers, with one name for each encoder and target.

    Args:
        folder: where ``published-transfer-scores.csv`` is.

    Returns:
        Columns source, name (of the encoder or of the score), target, quantity, value.

    Raises:
        ValueError: a column is missing, a value is not a number, or a line is repeated.
    """
    table = _read(
        Path(folder) / "published-transfer-scores.csv",
        ("source", "model_or_score", "target", "quantity", "value"),
    )
    plain = table["model_or_score"].str.lower().str.replace(" ", "_")
    printed = table["quantity"].str.startswith("published")
    table["model_or_score"] = table["model_or_score"].where(printed, plain.replace(_MODELS))
    table["target"] = table["target"].replace(_TARGETS)
    return table.rename(columns={"model_or_score": "name"})


def poster(folder: str | Path = "notebooks/facts") -> pd.DataFrame:
    """Return the poster's tables: columns table, target, column, pearson.

    Raises:
        ValueError: as ``published``.
    """
    return _read(Path(folder) / "poster-tables.csv", ("table", "target", "column", "pearson"))


def accuracies(facts: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return accuracy after fine-tuning by encoder (rows) and target (columns), as a source printed it, in percent."""
    rows = facts[(facts["source"] == source) & (facts["quantity"] == "accuracy")]
    return rows.pivot(index="name", columns="target", values="value")


def recomputed(facts: pd.DataFrame, resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Return the correlations of the library's scores with its own accuracies and with those of the other source.

    Args:
        facts: as ``published`` returns them.
        resamples: bootstrap draws, of encoders.
        seed: of the draws.

    Returns:
        Columns target, score, n, pearson, low, high, printed (the library's own r), agrees (within ROUNDING),
        weighted_tau, printed_tau, other, other_low, other_high (r with the accuracies of the other source).
    """
    own, other = accuracies(facts, LIBRARY), accuracies(facts, SFDA)
    lines = []
    for target in own:
        for score, name in _SCORES.items():
            rows = facts[(facts["quantity"] == score) & (facts["target"] == target)].set_index("name")[
                "value"
            ]
            mine = correlate(rows, own[target][rows.index], resamples=resamples, seed=seed)
            tau = correlate(
                rows, own[target][rows.index], kind="weighted_kendall", resamples=10, seed=seed
            ).value
            theirs = correlate(rows, other[target][rows.index], resamples=resamples, seed=seed)
            printed = {
                q: _printed(facts, f"published {q}", str(target), name) for q in ("pearson", "weighted tau")
            }
            line = {
                "target": target,
                "score": score,
                "n": mine.n,
                "pearson": mine.value,
                "low": mine.low,
                "high": mine.high,
            }
            line |= {"printed": printed["pearson"], "agrees": abs(mine.value - printed["pearson"]) < ROUNDING}
            line |= {"weighted_tau": tau, "printed_tau": printed["weighted tau"]}
            lines.append(line | {"other": theirs.value, "other_low": theirs.low, "other_high": theirs.high})
    return pd.DataFrame(lines)


def tables_agree(facts: pd.DataFrame, resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Return how far the two tables of accuracies of the same encoders agree: target, pearson, low, high, n."""
    own, other = accuracies(facts, LIBRARY), accuracies(facts, SFDA)
    lines = []
    for target in own:
        r = correlate(own[target], other[target][own.index], resamples=resamples, seed=seed)
        lines.append({"target": target, "pearson": r.value, "low": r.low, "high": r.high, "n": r.n})
    return pd.DataFrame(lines)


def _printed(facts: pd.DataFrame, quantity: str, target: str, name: str) -> float:
    rows = facts[(facts["source"] == f"{LIBRARY} README") & (facts["quantity"] == quantity)]
    return float(rows[(rows["target"] == target) & (rows["name"] == name)]["value"].iloc[0])


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """The file with exactly these columns, the last of them finite numbers, no line twice."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if tuple(table.columns) != columns:
        raise ValueError(
            f"{path} must have the columns {', '.join(columns)}, got {', '.join(table.columns)}; "
            "take it from the repository again"
        )
    values = pd.to_numeric(table[columns[-1]], errors="coerce")
    if not np.isfinite(values).all():
        line = int(np.flatnonzero(~np.isfinite(values))[0]) + 2
        raise ValueError(
            f"{path} must hold numbers in {columns[-1]}, got {table[columns[-1]][line - 2]!r} in line {line}; "
            "take it from the repository again"
        )
    if table[list(columns[:-1])].duplicated().any():
        line = int(np.flatnonzero(table[list(columns[:-1])].duplicated())[0]) + 2
        raise ValueError(
            f"{path} must have each entry once, got line {line} again; take it from the repository again"
        )
    return table.assign(**{columns[-1]: values})


def poster_means(table: pd.DataFrame, signs: Mapping[str, int] | None = None) -> pd.DataFrame:
    """Return the poster's averages beside ours of its own cells.

    Args:
        table: as ``poster`` returns it.
        signs: the right sign of r where it is not +1; default ``POSTER_SIGNS``.

    Returns:
        Columns score, expected, mean (ours), printed, right (cells with the expected sign), of (cells).
    """
    signs = POSTER_SIGNS if signs is None else signs
    cells = table[(table["table"] == "correlation") & (table["target"] != "average")]
    printed = table[(table["table"] == "correlation") & (table["target"] == "average")].set_index("column")[
        "pearson"
    ]
    lines = []
    for score, rows in cells.groupby("column", sort=False):
        sign = signs.get(str(score), 1)
        line = {"score": score, "expected": "+" if sign > 0 else "-", "mean": rows["pearson"].mean()}
        lines.append(
            line
            | {"printed": printed[score], "right": int((sign * rows["pearson"] > 0).sum()), "of": len(rows)}
        )
    return pd.DataFrame(lines)
