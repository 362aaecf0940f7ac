"""Correlations and means with an interval; rows that are related are resampled together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from .resampling import partial

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
    given: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Correlation:
    """Return Pearson's correlation of x and y with a percentile bootstrap interval (95 %).

    Args:
        x: values, (n,).
        y: values, (n,).
        given: c, (n,), or None. With it the partial correlation (r_xy - r_xc r_yc) / sqrt((1 - r_xc^2) (1 - r_yc^2)): what
            x says of y beyond c; NaN where c alone determines one of them.
        groups: rows of one group are resampled together, for instance all pairs with one reference; default single rows.
        resamples: bootstrap samples; those in which one side is constant, or determined by ``given``, are left out.
        seed: of the samples.

    Raises:
        ValueError: lengths differ, a value is not finite, or fewer than 3 rows.
    """
    sides = [np.asarray(side, dtype=float) for side in (x, y, given) if side is not None]
    if len({side.shape for side in sides}) > 1 or sides[0].ndim != 1 or len(sides[0]) < 3:
        shapes = " and ".join(str(side.shape) for side in sides)
        raise ValueError(f"x and y must have one length of at least 3, got {shapes}; give paired values")
    if not all(np.isfinite(side).all() for side in sides):
        raise ValueError("x and y must be finite, got NaN or infinity; drop such rows and say how many")
    a = sides[0]
    if any(np.ptp(side) <= SAME * np.abs(side).max() for side in sides):
        return Correlation(float("nan"), float("nan"), float("nan"), len(a))
    labels = np.arange(len(a)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    times, rng = labels.max() + 1, np.random.default_rng(seed)
    samples = [np.bincount(rng.integers(times, size=times), minlength=times) for _ in range(resamples)]
    counts = np.array(samples)[:, labels]  # how often each row is in each sample
    varied = [np.ptp(np.where(counts > 0, s, s[counts.argmax(1), None]), axis=1) > 0 for s in sides]
    found = _partial(sides, counts[np.all(varied, axis=0)])
    known = found[np.isfinite(found)]
    low, high = np.percentile(known, [2.5, 97.5]) if len(known) else (float("nan"),) * 2
    return Correlation(float(_partial(sides, np.ones((1, len(a))))[0]), float(low), float(high), len(a))


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
        left = side - (np.bincount(names, side) / np.bincount(names))[names]
        return np.where(np.abs(left) <= SAME * np.abs(side).max(), 0.0, left)  # constant up to rounding

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


def _partial(sides: list[np.ndarray], counts: np.ndarray) -> np.ndarray:
    """Pearson of the first two sides in each bootstrap sample, (m,), given the third where there is one."""
    r = _pearson(sides[0], sides[1], counts)
    if len(sides) == 2:
        return r
    return partial(r, *(_pearson(side, sides[2], counts) for side in sides[:2]))


def _pearson(a: np.ndarray, b: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Pearson of each bootstrap sample, (m,), from how often it holds each row, (m, n)."""
    weight = counts / counts.sum(1, keepdims=True)
    x, y = (
        value - (weight @ value)[:, None] for value in ((a - a.mean()) / a.std(), (b - b.mean()) / b.std())
    )
    r = (weight * x * y).sum(1) / np.sqrt((weight * x**2).sum(1) * (weight * y**2).sum(1))
    return np.clip(r, -1.0, 1.0)
