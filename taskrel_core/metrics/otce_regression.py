"""The regression of OTCE: accuracy from the two distances of a pair of tasks. Needs no torch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

AUXILIARY = ("w_d", "w_t", "accuracy")  # columns of the auxiliary tasks


def fit_otce(table: Float[np.ndarray, "m 3"]) -> Callable[[float, float], float]:
    """Return the function (W_D, W_T) -> predicted accuracy, fitted to rows (W_D, W_T, accuracy)."""
    unit = np.abs(table[:, :2]).max(0)
    unit[unit == 0] = 1.0
    distances = table[:, :2] / unit
    mean, deviation = distances.mean(0), distances.std(0)
    deviation[deviation <= 1e-12] = np.inf  # a distance that is the same for all explains nothing
    level = table[:, 2].mean()  # the standardised distances have mean 0, so this is the intercept
    slopes = np.linalg.lstsq((distances - mean) / deviation, table[:, 2] - level, rcond=None)[0]
    return lambda w_d, w_t: float(level + slopes @ ((np.array([w_d, w_t]) / unit - mean) / deviation))


def auxiliary_table(auxiliary: Any) -> np.ndarray:
    """Rows (W_D, W_T, accuracy), (m, 3), float64."""
    if isinstance(auxiliary, pd.DataFrame):
        missing = [column for column in AUXILIARY if column not in auxiliary]
        if missing:
            raise ValueError(
                f"auxiliary must have the columns {', '.join(AUXILIARY)}, got none named {', '.join(missing)}; "
                "rename the columns, or give rows (W_D, W_T, accuracy)"
            )
        auxiliary = auxiliary[list(AUXILIARY)]
    try:
        table = np.array(auxiliary, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"auxiliary must be a table or rows (W_D, W_T, accuracy), got {type(auxiliary).__name__} ({error}); "
            "give for instance [(w_d, w_t, accuracy), ...]"
        ) from None
    if table.ndim != 2 or table.shape[1] != 3 or len(table) < 3:
        raise ValueError(
            f"auxiliary must hold at least 3 tasks of (W_D, W_T, accuracy), got shape {table.shape}; "
            "give more tasks, or none for the score without a fit"
        )
    if not np.isfinite(table).all():
        raise ValueError("auxiliary must be finite, got NaN or infinity; drop such tasks")
    return table
