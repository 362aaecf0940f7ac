"""Correlations and means with an interval; rows that are related are resampled together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

__all__ = ["Correlation", "correlate", "marked", "mean_interval"]


SAME = 1e-9  # our choice: values that differ by less, relatively, are the same up to rounding

_KINDS = {
    "pearson": lambda x, y: stats.pearsonr(x, y).statistic,
    "kendall": lambda x, y: stats.kendalltau(x, y).statistic,
    "weighted_kendall": lambda x, y: stats.weightedtau(x, y).statistic,
}


@dataclass(frozen=True)
class Correlation:
    """A correlation, its 95 % interval and the number of rows; NaN where one side is constant up to rounding."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        """Return the form that the book quotes: value [low, high], n."""
        return f"{self.value:+.2f} [{self.low:+.2f}, {self.high:+.2f}], n = {self.n}"


def correlate(
    x: ArrayLike,
    y: ArrayLike,
    *,
    kind: str = "pearson",
    groups: ArrayLike | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Correlation:
    """Return the correlation of x and y with a percentile bootstrap interval (95 %).

    Args:
        x: values, (n,).
        y: values, (n,).
        kind: "pearson", "kendall" or "weighted_kendall" (``scipy.stats.weightedtau``, symmetric ranks).
        groups: rows of one group are drawn together, for instance all pairs with one reference; default single rows.
        resamples: bootstrap draws; draws in which one side is constant are left out.
        seed: of the draws.

    Raises:
        ValueError: lengths differ, a value is not finite, or fewer than 3 rows.
    """
    if kind not in _KINDS:  # not _checks, which imports torch
        raise ValueError(f"kind must be one of {', '.join(_KINDS)}, got {kind!r}; choose one of them")
    a, b = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if a.shape != b.shape or a.ndim != 1 or len(a) < 3:
        raise ValueError(
            f"x and y must have one length of at least 3, got {a.shape} and {b.shape}; give paired values"
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("x and y must be finite, got NaN or infinity; drop such rows and say how many")
    statistic = _KINDS[kind]
    if any(np.ptp(x) <= SAME * np.abs(x).max() for x in (a, b)):
        return Correlation(float("nan"), float("nan"), float("nan"), len(a))
    labels = np.arange(len(a)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    times, rng = labels.max() + 1, np.random.default_rng(seed)
    drawn = [np.bincount(rng.integers(times, size=times), minlength=times) for _ in range(resamples)]
    counts = np.array(drawn)[:, labels]  # how often each row is in each draw
    varied = [np.ptp(np.where(counts > 0, x, x[counts.argmax(1), None]), axis=1) > 0 for x in (a, b)]
    counts = counts[varied[0] & varied[1]]
    draws = (
        _pearson(a, b, counts)
        if kind == "pearson"
        else [statistic(np.repeat(a, n), np.repeat(b, n)) for n in counts]
    )
    low, high = np.percentile(draws, [2.5, 97.5])
    return Correlation(float(statistic(a, b)), float(low), float(high), len(a))


def mean_interval(
    values: ArrayLike, groups: ArrayLike, resamples: int = 2000, seed: int = 0
) -> tuple[float, float, float]:
    """Return the mean over groups of their means, and the ends of its percentile bootstrap interval (95 %).

    Args:
        values: values, (n,); 0 and 1 for a share.
        groups: what each is of, (n,), for instance a pair of tasks drawn several times; whole groups are resampled.
        resamples: bootstrap draws.
        seed: of the draws.

    Raises:
        ValueError: lengths differ, or a value is not finite.
    """
    x, names = np.asarray(values, dtype=float), np.asarray(groups)
    if x.shape != names.shape[:1] or not np.isfinite(x).all():
        raise ValueError(
            f"values must be finite numbers, one a group's name, got shape {x.shape} for {len(names)} names; "
            "drop rows without a value and say how many"
        )
    labels = np.unique(names, return_inverse=True)[1]
    means = np.bincount(labels, x) / np.bincount(labels)
    mean = float(means.mean())
    if np.ptp(means) == 0:
        return mean, mean, mean
    found = stats.bootstrap(
        (means,), np.mean, n_resamples=resamples, method="percentile", rng=np.random.default_rng(seed)
    )
    return mean, float(found.confidence_interval.low), float(found.confidence_interval.high)


def marked(text: str, sign: str) -> str:
    """Return a correlation's text, in bold (MyST) where it does not begin with the right ``sign``, "+" or "-"."""
    return text if text[:1] in ("", sign) else f"**{text}**"


def _pearson(a: np.ndarray, b: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Pearson of each draw, (m,), from how often it holds each row, (m, n)."""
    weight = counts / counts.sum(1, keepdims=True)
    x, y = (
        value - (weight @ value)[:, None] for value in ((a - a.mean()) / a.std(), (b - b.mean()) / b.std())
    )
    return (weight * x * y).sum(1) / np.sqrt((weight * x**2).sum(1) * (weight * y**2).sum(1))
