"""Correlations and means with an interval; rows that are related are resampled together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

SAME = 1e-9  # our choice: values that differ by less, relatively, are the same up to rounding


@dataclass(frozen=True)
class Correlation:
    """Pearson's r, its 95 % interval and the number of rows; NaN where one side is constant up to rounding."""

    value: float
    low: float
    high: float
    n: int


def correlate(
    x: ArrayLike,
    y: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Correlation:
    """Return Pearson's correlation of x and y with a percentile bootstrap interval (95 %).

    Args:
        x: values, (n,).
        y: values, (n,).
        groups: rows of one group are resampled together, for instance all pairs with one reference; default single rows.
        resamples: bootstrap samples; those in which one side is constant are left out.
        seed: of the samples.

    Raises:
        ValueError: lengths differ, a value is not finite, or fewer than 3 rows.
    """
    a, b = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if a.shape != b.shape or a.ndim != 1 or len(a) < 3:
        raise ValueError(
            f"x and y must have one length of at least 3, got {a.shape} and {b.shape}; give paired values"
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("x and y must be finite, got NaN or infinity; drop such rows and say how many")
    if any(np.ptp(side) <= SAME * np.abs(side).max() for side in (a, b)):
        return Correlation(float("nan"), float("nan"), float("nan"), len(a))
    labels = np.arange(len(a)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    times, rng = labels.max() + 1, np.random.default_rng(seed)
    samples = [np.bincount(rng.integers(times, size=times), minlength=times) for _ in range(resamples)]
    counts = np.array(samples)[:, labels]  # how often each row is in each sample
    varied = [np.ptp(np.where(counts > 0, x, x[counts.argmax(1), None]), axis=1) > 0 for x in (a, b)]
    low, high = np.percentile(_pearson(a, b, counts[varied[0] & varied[1]]), [2.5, 97.5])
    return Correlation(float(stats.pearsonr(a, b).statistic), float(low), float(high), len(a))


def within(
    x: ArrayLike, y: ArrayLike, groups: ArrayLike, resamples: int = 2000, seed: int = 0
) -> Correlation:
    """Return Pearson's r after the mean of each group is removed from both sides, whole groups resampled.

    Args:
        x: values, (n,).
        y: values, (n,).
        groups: what each is of, (n,), for instance the target of a pair of tasks.
        resamples: bootstrap samples.
        seed: of the samples.
    """
    names = np.unique(np.asarray(groups), return_inverse=True)[1]

    def centred(value: ArrayLike) -> np.ndarray:
        side = np.asarray(value, dtype=float)
        return side - (np.bincount(names, side) / np.bincount(names))[names]

    return correlate(centred(x), centred(y), groups=groups, resamples=resamples, seed=seed)


def mean_interval(
    values: ArrayLike, groups: ArrayLike, resamples: int = 2000, seed: int = 0
) -> tuple[float, float, float]:
    """Return the mean over groups of their means, and the ends of its percentile bootstrap interval (95 %).

    Args:
        values: values, (n,); 0 and 1 for a fraction.
        groups: what each is of, (n,), for instance a pair of tasks with several seeds; whole groups are resampled.
        resamples: bootstrap samples.
        seed: of the samples.

    Raises:
        ValueError: lengths differ, or a value is not finite.
    """
    x, names = np.asarray(values, dtype=float), np.asarray(groups)
    if x.shape != names.shape[:1] or not np.isfinite(x).all():
        raise ValueError(
            f"values must be finite numbers, one per group's name, got shape {x.shape} for {len(names)} names; "
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


def _pearson(a: np.ndarray, b: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Pearson of each bootstrap sample, (m,), from how often it holds each row, (m, n)."""
    weight = counts / counts.sum(1, keepdims=True)
    x, y = (
        value - (weight @ value)[:, None] for value in ((a - a.mean()) / a.std(), (b - b.mean()) / b.std())
    )
    return (weight * x * y).sum(1) / np.sqrt((weight * x**2).sum(1) * (weight * y**2).sum(1))
