"""What others printed: accuracies, scores and correlations, and whether they follow from one another."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from .correlation import correlate

LIBRARY = "thuml/Transfer-Learning-Library@c4aa59e model_selection"  # accuracies and scores; its README has correlations
SFDA = "TencentARC/SFDA@3b7edf7 group 1 (supervised)"  # accuracies of the same encoders
SFDA_README = "TencentARC/SFDA@3b7edf7 README"  # weighted taus alone, so nothing to compute them from
POSTER_SIGNS = {"pactran": -1, "ours": -1}  # the right sign of r; of all others it is +1

_SCORES = {
    "logme": "LogME",
    "leep": "LEEP",
    "nce": "NCE",
    "hscore": "HScore",
}  # in the columns, in the README
_TARGETS = {"oxfordiiitpets": "pets", "stanfordcars": "cars"}
_MODELS = {"mnasnet": "mnasnet1_0"}


def read_published(folder: str | Path) -> pd.DataFrame:
    """Return the published numbers, with one name for each encoder and target.

    Args:
        folder: where ``published-transfer-scores.csv`` is.

    Returns:
        Columns source, name (of the encoder or of the score), target, quantity, value.

    Raises:
        ValueError: a column is missing, a value is not a number, or a line is repeated.
    """
    columns = ("source", "model_or_score", "target", "quantity", "value")
    table = _read(Path(folder) / "published-transfer-scores.csv", columns)
    plain = table["model_or_score"].str.lower().str.replace(" ", "_")
    printed = table["quantity"].str.startswith("published")
    table["model_or_score"] = table["model_or_score"].where(printed, plain.replace(_MODELS))
    table["target"] = table["target"].replace(_TARGETS)
    return table.rename(columns={"model_or_score": "name"})


def read_poster(folder: str | Path) -> pd.DataFrame:
    """Return the poster's tables: columns table, target, column, pearson.

    Args:
        folder: where ``poster-tables.csv`` is.

    Raises:
        ValueError: as ``read_published``.
    """
    return _read(Path(folder) / "poster-tables.csv", ("table", "target", "column", "pearson"))


def accuracies(facts: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return accuracy after fine-tuning by encoder (rows) and target (columns), as a source printed it, in percent."""
    return _wide(facts, source, "accuracy")


def recompute(facts: pd.DataFrame, resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Return the correlations of the library's scores with its own accuracies and with those of the other source.

    All four scores are higher for the better encoder, so none changes its sign.

    Args:
        facts: as ``read_published`` returns them.
        resamples: bootstrap samples, of encoders.
        seed: of the samples.

    Returns:
        Columns target, score, n; pearson, low, high; printed (the library's own r), slack (how far rounding of what is
        printed may move r), agrees; weighted_tau, printed_tau, tau_agrees; copy_of (an earlier score with the same
        values, or ""); other, other_low, other_high (r with the accuracies of the other source); difference,
        difference_low, difference_high (of both r, on the same bootstrap samples); other_tau (weighted tau with the
        other accuracies) and sfda_tau (what the other source printed for its own score of that name).
    """
    own, other = accuracies(facts, LIBRARY), accuracies(facts, SFDA)
    scores = {score: _wide(facts, LIBRARY, score).loc[own.index] for score in _SCORES}
    printed = _wide(facts, f"{LIBRARY} README", "published pearson")
    printed_tau = _wide(facts, f"{LIBRARY} README", "published weighted tau")
    sfda_tau = _wide(facts, SFDA_README, "published weighted tau").reindex(_SCORES.values())
    lines = []
    for target in own:
        mine, theirs = own[target].to_numpy(), other[target][own.index].to_numpy()
        for score, name in _SCORES.items():
            x, earlier = scores[score][target].to_numpy(), list(_SCORES)[: list(_SCORES).index(score)]
            line = {"target": target, "score": score}
            line |= _compared(x, mine, theirs, resamples, seed)
            line |= {"printed": printed.loc[name, target], "printed_tau": printed_tau.loc[name, target]}
            line["agrees"] = abs(line["pearson"] - line["printed"]) <= line["slack"]
            least, most = line.pop("least_tau"), line.pop("largest_tau")
            line["tau_agrees"] = least <= line["printed_tau"] <= most
            line["copy_of"] = next((s for s in earlier if (scores[s][target] == x).all()), "")
            lines.append(line | {"sfda_tau": sfda_tau.loc[name, target]})
    return pd.DataFrame(lines)


def _compared(
    x: np.ndarray, mine: np.ndarray, theirs: np.ndarray, resamples: int, seed: int
) -> dict[str, Any]:
    """One score against the accuracies of its own source and of the other."""
    own, other = (correlate(x, y, resamples=resamples, seed=seed) for y in (mine, theirs))
    line = {"n": own.n, "pearson": own.value, "low": own.low, "high": own.high, "slack": _slack(x, mine)}
    line |= dict(zip(("weighted_tau", "least_tau", "largest_tau"), _tau(x, mine, seed), strict=True))
    line |= {"other": other.value, "other_low": other.low, "other_high": other.high}
    line["difference"] = own.value - other.value
    line["difference_low"], line["difference_high"] = _difference(x, mine, theirs, resamples, seed)
    return line | {"other_tau": stats.weightedtau(x, theirs).statistic}


def compare_accuracies(facts: pd.DataFrame, resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Return how far the two tables of accuracies of the same encoders agree: target, pearson, low, high, n."""
    own, other = accuracies(facts, LIBRARY), accuracies(facts, SFDA)
    lines = []
    for target in own:
        r = correlate(own[target], other[target][own.index], resamples=resamples, seed=seed)
        lines.append({"target": target, "pearson": r.value, "low": r.low, "high": r.high, "n": r.n})
    return pd.DataFrame(lines)


def poster_means(table: pd.DataFrame, signs: Mapping[str, int] | None = None) -> pd.DataFrame:
    """Return the poster's averages beside ours of its own cells.

    Args:
        table: as ``read_poster`` returns it.
        signs: the right sign of r where it is not +1; default ``POSTER_SIGNS``.

    Returns:
        Columns score, expected ("+" or "-"), mean (ours), printed, agrees (within what two digits allow: half a
        hundredth in the cells, and in the average), right (cells with the expected sign), of (cells).
    """
    signs = POSTER_SIGNS if signs is None else signs
    average, shown = table["target"] == "average", table["table"] == "correlation"
    cells, printed = table[shown & ~average], table[shown & average].set_index("column")["pearson"]
    lines = []
    for score, rows in cells.groupby("column", sort=False)["pearson"]:
        sign, mean = signs.get(str(score), 1), rows.mean()
        line = {"score": score, "expected": "+" if sign > 0 else "-", "mean": mean, "printed": printed[score]}
        line["agrees"] = abs(mean - printed[score]) <= 0.01
        lines.append(line | {"right": int((sign * rows > 0).sum()), "of": len(rows)})
    return pd.DataFrame(lines)


def poster_table(table: pd.DataFrame, signs: Mapping[str, int] | None = None) -> pd.DataFrame:
    """Return the poster's correlations as it shows them, a row per score, with the mean of the cells.

    Args:
        table: as ``read_poster`` returns it.
        signs: as for ``poster_means``.

    Returns:
        Index score; columns: sign (the right one), the targets, mean, printed; all numbers as text.
    """
    means = poster_means(table, signs).set_index("score")
    cells = table[(table["table"] == "correlation") & (table["target"] != "average")]
    wide = cells.pivot(index="column", columns="target", values="pearson").loc[means.index]
    shown = wide[list(dict.fromkeys(cells["target"]))].join(means[["mean", "printed"]]).map("{:+.2f}".format)
    shown.insert(0, "sign", means["expected"])
    return shown


def largest_gap_first(table: pd.DataFrame, ours: str = "pearson") -> pd.DataFrame:
    """Return the rows sorted by how far what is printed lies from what was recomputed, farthest first.

    Args:
        table: as ``recompute`` or ``poster_means`` returns it.
        ours: column of the recomputed value.
    """
    gap = np.abs(table["printed"].to_numpy(float) - table[ours].to_numpy(float))
    return table.iloc[np.argsort(-gap, kind="stable")].reset_index(drop=True)


def _wide(facts: pd.DataFrame, source: str, quantity: str) -> pd.DataFrame:
    """One quantity of one source: a row per name, a column per target."""
    rows = facts[(facts["source"] == source) & (facts["quantity"] == quantity)]
    return rows.pivot(index="name", columns="target", values="value")


def _half(x: np.ndarray) -> float:
    """Half of the last digit that any of the numbers shows."""
    return 0.5 * 10.0 ** -max(len(repr(float(v)).partition(".")[2].rstrip("0")) for v in x)


def _slack(x: np.ndarray, y: np.ndarray) -> float:
    """How far r may move, to first order, if each number is off by half of its last digit; r itself has three digits."""
    u, v = ((z - z.mean()) / np.linalg.norm(z - z.mean()) for z in (x, y))
    r = float(u @ v)
    of_x = _half(x) * np.abs(v - r * u).sum() / np.linalg.norm(x - x.mean())
    of_y = _half(y) * np.abs(u - r * v).sum() / np.linalg.norm(y - y.mean())
    return float(of_x + of_y) + 0.0005


def _tau(x: np.ndarray, y: np.ndarray, seed: int, draws: int = 100) -> tuple[float, float, float]:
    """Weighted tau, and the least and largest over samples of the digits that rounding took away; it breaks ties."""
    rng = np.random.default_rng(seed)
    moved = [
        stats.weightedtau(*(z + _half(z) * rng.uniform(-1, 1, len(z)) for z in (x, y))).statistic
        for _ in range(draws)
    ]
    value = float(stats.weightedtau(x, y).statistic)
    return value, min(value, *moved) - 0.0005, max(value, *moved) + 0.0005


def _difference(
    x: np.ndarray, a: np.ndarray, b: np.ndarray, resamples: int, seed: int
) -> tuple[float, float]:
    """The 95 % interval of r(x, a) - r(x, b), on the same bootstrap samples of encoders."""
    rows = np.random.default_rng(seed).integers(len(x), size=(resamples, len(x)))
    x, a, b = (z[rows] - z[rows].mean(1, keepdims=True) for z in (x, a, b))
    kept = (np.ptp(x, 1) > 0) & (np.ptp(a, 1) > 0) & (np.ptp(b, 1) > 0)
    r = [(x * z)[kept].sum(1) / np.sqrt((x**2)[kept].sum(1) * (z**2)[kept].sum(1)) for z in (a, b)]
    low, high = np.percentile(r[0] - r[1], [2.5, 97.5])
    return float(low), float(high)


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """The file with exactly these columns, the last of them finite numbers, no line twice."""
    again = "take it from the repository again"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if tuple(table.columns) != columns:
        raise ValueError(
            f"{path} must have the columns {', '.join(columns)}, got {', '.join(table.columns)}; {again}"
        )
    keys, last = list(columns[:-1]), columns[-1]
    values = np.asarray(pd.to_numeric(table[last], errors="coerce"), dtype=float)
    if not np.isfinite(values).all():
        line = int(np.flatnonzero(~np.isfinite(values))[0]) + 2
        got = table[last][line - 2]
        raise ValueError(f"{path} must hold numbers in {last}, got {got!r} in line {line}; {again}")
    if table[keys].duplicated().any():
        line = int(np.flatnonzero(table[keys].duplicated())[0]) + 2
        raise ValueError(f"{path} must have each entry once, got line {line} again; {again}")
    return table.assign(**{last: values})
