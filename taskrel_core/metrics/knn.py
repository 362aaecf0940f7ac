"""Accuracy of the nearest neighbours, each sample left out in turn."""

import numpy as np
from jaxtyping import Float, Int

from .._validation import check_count
from ._class_statistics import EPS, centred, in_span, indicator
from .base import TARGET, metric

BLOCK = 1000  # rows of distances held at a time


@metric("knn", TARGET, "cover1967nearest", invariant=("shift", "scale", "rotation"))
def knn(z: Float[np.ndarray, "n d"], y: Int[np.ndarray, " n"], *, neighbours: int = 5) -> float:
    """Return the leave-one-out accuracy of the nearest neighbours' majority, from 0 to 1; higher is better.

    Euclidean distances. Samples as far as the last neighbour vote too, and classes with equally many votes count in
    equal parts, so that nothing depends on the order of samples or classes. Saturated at 1 where each class lies apart.
    Invariant under z -> c z + b and rotations.

    Args:
        z: features, (n, d).
        y: labels, (n,).
        neighbours: how many vote, at most n - 1; our choice.
    """
    votes_of = min(check_count(neighbours, "neighbours"), len(y) - 1)
    x, onehot, right = in_span(centred(z)), indicator(y), 0.0
    squares = (x**2).sum(1)
    for start in range(0, len(x), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(x)))
        distances = squares[rows, None] + squares - 2 * (x[rows] @ x.T)
        distances[rows - start, rows] = np.inf
        last = np.partition(distances, votes_of - 1, axis=1)[:, [votes_of - 1]]
        rounding = 1e-9 * np.abs(last) + 16 * EPS * squares[rows, None]
        votes = (distances <= last + rounding) @ onehot
        most = votes == votes.max(1, keepdims=True)
        right += float((most[rows - start, y[rows]] / most.sum(1)).sum())
    return right / len(y)
