"""How likely a study of a given size is to see a correlation that is there, by simulation."""

from typing import Any

import numpy as np
from jaxtyping import Float

from .cells import Cells
from .resampling import interval, resample
from .study import permutation_p, resampled_r


def simulate(
    r: float, encoders: int, targets: int, shared: float, spread: float, rng: np.random.Generator
) -> Cells:
    """Return a simulated table with one score, "score", whose correlation with the truth over all encoders is known.

    Truth: sqrt(shared) encoder + sqrt(1 - shared) cell, standard normal; score: r truth + sqrt(1 - r^2) of an
    independent table made in the same way. On target t, atanh r_t = atanh r + ``spread`` times a standard normal.
    """

    def field() -> Float[np.ndarray, "e t"]:
        main, cell = rng.normal(size=(encoders, 1)), rng.normal(size=(encoders, targets))
        return np.sqrt(shared) * main + np.sqrt(1 - shared) * cell

    each = np.tanh(np.arctanh(r) + spread * rng.normal(size=targets))
    truth = field()
    score = each * truth + np.sqrt(1 - each**2) * field()
    names = tuple(f"encoder {i}" for i in range(encoders))
    return Cells(
        names, tuple(f"target {i}" for i in range(targets)), names, truth[:, :, None], {"score": score}
    )


def power(
    r: float,
    encoders: int,
    targets: int,
    shared: float,
    *,
    test: str = "interval",
    spread: float = 0.0,
    tables: int = 200,
    resamples: int = 400,
    seed: int = 0,
) -> float:
    """Return the probability that a study tells the mean r of a score from 0, by simulation.

    Args:
        r: true correlation of score and accuracy over encoders, below 1 in absolute value.
        encoders: how many.
        targets: how many.
        shared: part of the variance within a target that is the encoder's own, 0 to 1, as ``shared_part`` finds it: the
            larger, the more the targets repeat each other.
        test: "interval" (that of ``mean_correlations`` excludes 0) or "permutation" (p at most 0.05).
        spread: deviation of atanh r over targets.
        tables: how many are simulated; the error of the answer is at most 0.5 / sqrt(tables).
        resamples: bootstrap samples, and permutations, of each.
        seed: of the tables.

    Raises:
        ValueError: another test.
    """
    if test not in ("interval", "permutation"):
        raise ValueError(
            f"test must be 'interval' or 'permutation', got {test!r}; name what is to tell r from 0"
        )
    rng, told = np.random.default_rng(seed), 0
    for _ in range(tables):
        cells = simulate(r, encoders, targets, shared, spread, rng)
        if test == "permutation":
            told += bool(permutation_p(cells, resamples, seed)[0] <= 0.05)
        else:
            low, high, _ = interval(resampled_r(cells, resample(cells, resamples, seed)))
            told += bool(low[0] > 0 or high[0] < 0)
    return told / tables


def smallest_r(encoders: int, targets: int, shared: float, goal: float = 0.8, **options: Any) -> float:
    """Return the smallest true r that the study tells from 0 with probability ``goal``, to 0.01; NaN if 0.99 is too small.

    Args:
        encoders: as in ``power``.
        targets: as in ``power``.
        shared: as in ``power``.
        goal: the power, in (0, 1).
        options: of ``power``. The same seed for every r makes the power nearly monotone in it.
    """

    low, high = 0.0, 0.99
    if power(high, encoders, targets, shared, **options) < goal:
        return float("nan")
    while high - low > 0.01:
        middle = (low + high) / 2
        enough = power(middle, encoders, targets, shared, **options) >= goal
        low, high = (low, middle) if enough else (middle, high)
    return high
