"""NCTI: how near the features are to neural collapse, as three scores that are added up over a pool of encoders.

The index is not a number of one encoder: each part is first scaled to 0..1 over all encoders (``ncti_pool.pool_index``).
"""

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int
from scipy.special import softmax

from .._validation import check_count
from ._class_statistics import EPS, centred, class_sums, power_of_two, within
from .base import TARGET, metric

INVARIANT = ("shift", "rotation")
LEAST = 1e-10  # as released: where the shrinkage is this small, none is applied


@metric("ncti_ncc", TARGET, "wang2023how", invariant=INVARIANT)
def ncti_ncc(z: Float[np.ndarray, "n d"], y: Int[np.ndarray, " n"], *, components: int = 64) -> float:
    """Return NCTI's nearest-centre part: the mean probability of the true class, in (0, 1]; higher is better.

    Probabilities P of a linear discriminant on principal components, its within-class covariance shrunk by
    s = max(exp(-v), 1e-10), v the variance of the first 32 components in squared units of z; at s = 1e-10 none is
    applied, and directions without spread within classes are left out. As released, with scikit-learn's covariances,
    over n. Depends on the scale of z through s. Near 1 where samples are hardly more than components.

    Args:
        z: features, (n, d).
        y: labels, (n,).
        components: principal components that are kept, at most.
    """
    return float(_discriminant(z, y, components)[1][np.arange(len(y)), y].mean())


@metric("ncti_seli", TARGET, "wang2023how", invariant=INVARIANT)
def ncti_seli(z: Float[np.ndarray, "n d"], y: Int[np.ndarray, " n"], *, components: int = 64) -> float:
    """Return NCTI's SELI part: the nuclear norm of the features along K - 1 discriminant axes, >= 0; higher is better.

    The axes are those of ``ncti_ncc``, of unit variance within classes after shrinkage. It grows as sqrt(n).

    Args:
        z: features, (n, d).
        y: labels, (n,).
        components: as in ``ncti_ncc``.
    """
    return float(np.linalg.svd(_discriminant(z, y, components)[0], compute_uv=False).sum())


@metric("ncti_vc", TARGET, "wang2023how", invariant=INVARIANT)
def ncti_vc(z: Float[np.ndarray, "n d"], y: Int[np.ndarray, " n"], *, components: int = 64) -> float:
    """Return NCTI's variability-collapse part, -log sum_c |P_c|_*, P_c the probabilities of class c; higher is better.

    The nuclear norm is least where all samples of a class have the same probabilities, be they right or at chance, so
    alone it does not order encoders by how well classes lie apart. P as in ``ncti_ncc``.

    Args:
        z: features, (n, d).
        y: labels, (n,).
        components: as in ``ncti_ncc``.
    """
    p = _discriminant(z, y, components)[1]
    norms = [np.linalg.svd(p[y == c], compute_uv=False).sum() for c in range(p.shape[1])]
    return -float(np.log(sum(norms)))


def _discriminant(z: np.ndarray, y: np.ndarray, components: int) -> tuple[np.ndarray, np.ndarray]:
    """Samples along the discriminant axes, (n, at most K - 1), and class probabilities, (n, K)."""
    check_count(components, "components")
    x, unit = _principal(z, components)
    n, d = x.shape
    counts = np.bincount(y)
    shrinkage = max(float(np.exp(-(unit**2) * (x[:, :32] ** 2).sum() / (n - 1))), LEAST)
    plain = shrinkage == LEAST
    residual, means = within(x, y), class_sums(x, y) / counts[:, None]
    scatter = residual.T @ residual / n
    between = (means * counts[:, None]).T @ means / n
    level = np.trace(scatter) / max(d, 1)
    if level <= EPS**2 * np.trace(between) / max(d, 1):  # each class is one point, or all are
        level = 1e-30 * np.trace(between) / max(d, 1) or 1.0
        scatter, plain = level * np.eye(d), False
    whitener = _whitener(scatter, 0.0 if plain else shrinkage, level)
    centres = means @ whitener
    logits = x @ whitener @ centres.T - 0.5 * (centres**2).sum(1) + np.log(counts / n)
    # Against the shrunk covariance, the eigenvectors of the between-class covariance, itself shrunk by its trace.
    less = 0.0 if plain else np.trace(between) / max(d, 1) / level
    values, axes = scipy.linalg.eigh(whitener.T @ (between - less * scatter) @ whitener)
    top = slice(None, -len(counts), -1)  # the K - 1 largest
    kept = values[top] > 1e-8 * values[-1:].sum() if plain else slice(None)
    return x @ whitener @ axes[:, top][:, kept], softmax(logits, axis=1)


def _principal(z: np.ndarray, components: int) -> tuple[np.ndarray, float]:
    """Principal components that vary, (n, at most ``components``), and the unit that they are in."""
    x = centred(z)
    unit = power_of_two(x)
    left, sizes, _ = scipy.linalg.svd(x / unit, full_matrices=False, lapack_driver="gesvd")
    kept = int((sizes > max(x.shape) * EPS * sizes[0]).sum())
    return (left * sizes)[:, : min(kept, components)], unit


def _whitener(scatter: np.ndarray, shrinkage: float, level: float) -> np.ndarray:
    """W, (d, r), with W' S W = I for the shrunk covariance S; without shrinkage, of features in their deviations."""
    deviations = np.sqrt(np.diag(scatter)) if shrinkage == 0 else np.ones(len(scatter))
    deviations = np.where(deviations > 0, deviations, 1.0)
    shrunk = (1 - shrinkage) * scatter / np.outer(deviations, deviations)
    values, vectors = scipy.linalg.eigh(shrunk + shrinkage * level * np.eye(len(scatter)))
    kept = values > 1e-8 if shrinkage == 0 else values > 0
    return vectors[:, kept] / np.sqrt(values[kept]) / deviations[:, None]
