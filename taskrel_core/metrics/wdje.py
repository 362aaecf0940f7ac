"""WDJE: another upper bound on the loss after transfer, from the Wasserstein distances of features and of labels."""

from itertools import zip_longest

import numpy as np
from jaxtyping import Float, Int

from .._validation import Real, check_positive
from .base import PAIR, metric
from .otce import optimal_plan, subsample
from .probe import probe


@metric("wdje", PAIR, "zhan2023transfer", higher_is_better=False, invariant=("scale",))
def wdje(
    z_reference: Float[np.ndarray, "m d"],
    y_reference: Int[np.ndarray, " m"],
    z: Float[np.ndarray, "n d"],
    y: Int[np.ndarray, " n"],
    *,
    strength: Real = 0.5,
    samples: int | None = 1000,
    seed: int = 0,
) -> float:
    """Return the bound e + L (l W_x + M exp(-l)) + W_y on the target's loss; lower is better.

    As released with the paper, for a target that is labelled throughout: rows of z divided by their norms; W_x the exact
    transport cost of the two samples, in squared units; L = |Z|_2 (K - 1) / (K n) the Lipschitz constant, from the
    target's largest singular value; M = log K; W_y the transport cost of one-hot labels. Our choices: e, the source
    model's error, is that of a cross-validated linear probe on the reference; W_y = sum |p_i - q_i| of the class shares,
    both in descending order, as no class of one task is a class of the other. L is at most 1 / sqrt(n), so e is what
    differs between encoders: it says little more than how well the reference is learned. Invariant under z -> c z, and
    under rotations as nearly as the probe.

    Args:
        z_reference: features of the reference, (m, d).
        y_reference: its labels, (m,).
        z: features of the target, (n, d).
        y: its labels, (n,).
        strength: l, which weighs the distance of the features against the loss that a distance of 0 leaves open.
        samples: take at most this many at random from each side; None: all of them.
        seed: of this random choice and of the probe's folds.
    """
    check_positive(strength, "strength")
    classes, error = int(y.max()) + 1, 1 - probe(z_reference, y_reference, seed=seed)
    shares = [np.sort(np.bincount(labels) / len(labels))[::-1] for labels in (y_reference, y)]
    of_labels = sum(abs(p - q) for p, q in zip_longest(*shares, fillvalue=0.0))
    source, target = (
        _unit_rows(subsample(*side, samples, seed)[0]) for side in ((z_reference, y_reference), (z, y))
    )
    rows, columns, mass = optimal_plan(source, target)
    of_features = float(mass @ ((source[rows] - target[columns]) ** 2).sum(1))
    lipschitz = float(np.linalg.norm(target, 2)) * (classes - 1) / (classes * len(target))
    return error + lipschitz * (strength * of_features + np.log(classes) * np.exp(-strength)) + of_labels


def _unit_rows(z: np.ndarray) -> np.ndarray:
    """Each row divided by its norm; a row of zeros as it is."""
    norms = np.linalg.norm(z, axis=1, keepdims=True)
    return z / np.where(norms > 0, norms, 1.0)
