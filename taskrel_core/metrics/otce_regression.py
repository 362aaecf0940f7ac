"""The regression of OTCE: accuracy from the two distances of a pair of tasks. Needs no torch."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

__all__ = ["fit_otce"]


def fit_otce(table: Float[np.ndarray, "m 3"]) -> Callable[[float, float], float]:
    """Return the function (W_D, W_T) -> predicted accuracy, fitted to rows (W_D, W_T, accuracy)."""
    mean, deviation = table[:, :2].mean(0), table[:, :2].std(0)
    deviation[deviation <= 1e-12 * np.abs(mean)] = (
        np.inf
    )  # a distance that is the same for all explains nothing
    hats = (table[:, :2] - mean) / deviation
    level = table[:, 2].mean()  # the hats have mean 0, so this is the intercept
    slopes = np.linalg.lstsq(hats, table[:, 2] - level, rcond=None)[0]
    return lambda w_d, w_t: float(level + slopes @ ((np.array([w_d, w_t]) - mean) / deviation))
