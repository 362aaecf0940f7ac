"""Accuracy of a linear probe on samples that it was not fitted to."""

import warnings

import numpy as np
from jaxtyping import Float, Int
from sklearn.linear_model import LogisticRegression

from .._validation import Real, check_count, check_positive
from ._class_statistics import canonical_order, centred
from .base import TARGET, metric


@metric("probe", TARGET, "alain2017understanding", invariant=("shift", "scale"))
def probe(
    z: Float[np.ndarray, "n d"],
    y: Int[np.ndarray, " n"],
    *,
    strength: Real = 0.003,
    folds: int = 5,
    seed: int = 0,
) -> float:
    """Return the cross-validated accuracy of a logistic regression, from 0 to 1; higher is better.

    Each fold is predicted by a fit to the others. Features are standardised one by one, so the score is invariant under
    z -> c z + b, and under rotations only nearly. Saturated at 1 where each class lies apart.

    Args:
        z: features, (n, d).
        y: labels, (n,).
        strength: inverse of the penalty, on |W|^2 / 2 beside the summed loss; default as for the probes of fine-tuning.
        folds: how many, at most n. Each has about the same number of samples of each class.
        seed: of the folds, which do not depend on the order of the samples.
    """
    check_positive(strength, "strength")
    fold = folds_of(
        z, y, min(check_count(folds, "folds", least=2), len(y)), check_count(seed, "seed", least=0)
    )
    x = centred(z)
    deviation = np.abs(x).max(0)
    x /= np.where(deviation > 0, deviation, 1.0)
    deviation = x.std(0)
    x /= np.where(deviation > 0, deviation, 1.0)
    if len(x) < x.shape[1]:  # the fit sees inner products only: as many coordinates as samples hold them all
        x = np.linalg.qr(x.T).R.T
    return sum(_right(x, y, fold == part, float(strength)) for part in range(int(fold.max()) + 1)) / len(y)


def folds_of(z: np.ndarray, y: np.ndarray, folds: int, seed: int) -> Int[np.ndarray, " n"]:
    """Return the fold of each sample: class after class in random order, dealt in turn."""
    order = canonical_order(z)[np.random.default_rng(seed).permutation(len(y))]
    first = np.unique(y[order], return_index=True)[
        1
    ]  # classes by first appearance: their numbers do not matter
    fold = np.empty(len(y), dtype=np.int64)
    fold[order[np.argsort(first[y[order]], kind="stable")]] = np.arange(len(y)) % folds
    return fold


def _right(x: np.ndarray, y: np.ndarray, held: np.ndarray, strength: float) -> int:
    """How many held-out samples a fit to the others predicts."""
    known = y[~held]
    if (known == known[0]).all():
        return int((y[held] == known[0]).sum())
    with warnings.catch_warnings():
        # The score is defined by at most 1,000 rounds, and few samples per class are no regression problem.
        warnings.simplefilter("ignore", UserWarning)
        fitted = LogisticRegression(C=strength, max_iter=1000, tol=1e-6).fit(x[~held], known)
    return int((fitted.predict(x[held]) == y[held]).sum())
