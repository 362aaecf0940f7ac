"""How far the classes lie apart in the target's features: H-score, SFDA, TransRate, GBC.

All are functions of features ``z`` (n, d) and labels ``y`` (n,) that use every class of 0..K-1; none changes its
arguments.
"""

import warnings

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int
from scipy.special import softmax
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.decomposition import PCA

from ._checks import Real, check_choice, check_count, check_positive
from .scatter import EPS, centred, class_sums, in_span, within

__all__ = ["SaturatedScore", "gbc", "hscore", "hscore_shrunk", "sfda", "transrate"]


class SaturatedScore(UserWarning):
    """The score is at the end of its range whatever the features say, so it cannot rank them."""


def hscore(z: Float[np.ndarray, "n d"], y: Int[np.ndarray, " n"]) -> float:
    """Return tr(pinv(cov z) cov(E[z|y])), from 0 to min(K - 1, rank); higher is better.

    The trace is the squared length of the class means in an orthonormal basis of the centred features: a
    rank-revealing QR, and no covariance is inverted. Invariant under z -> z A + b for every invertible A.

    Warns:
        SaturatedScore: n <= d; the features then fit any labels and the score is K - 1 unless they are degenerate.
    """
    _warn_if_few(z, "hscore", "BASELINES['hscore_shrunk'] is meant for such samples")
    x = centred(z)
    factors = scipy.linalg.qr(x, mode="economic", pivoting=True, check_finite=False)
    basis, triangle = (np.asarray(factor) for factor in factors[:2])
    scale = np.linalg.norm(z, axis=0).max()  # of z, not of x: what centring cancels leaves rounding errors
    rank = int((np.abs(np.diag(triangle)) > max(z.shape) * EPS * scale).sum())
    sums = class_sums(basis[:, :rank], y)
    return float((sums**2 / np.bincount(y)[:, None]).sum())


def hscore_shrunk(z: Float[np.ndarray, "n d"], y: Int[np.ndarray, " n"]) -> float:
    """Return the H-score with a Ledoit-Wolf covariance, tr(S^-1 (1 - a) cov(E[z|y])); higher is better.

    S = (1 - a) C + a tr(C)/d I, C the covariance over n, a the shrinkage of Ledoit and Wolf; the covariance of the
    class means is over n - 1, as in the authors' definition, so that K - 1 may be exceeded by a factor n / (n - 1).
    Invariant under z -> c z + b and rotations. Constant features score 0.
    """
    n, d = z.shape
    x = centred(z)
    level = float((x**2).sum()) / (n * d)
    if level == 0.0:
        return 0.0
    x /= np.sqrt(level)  # now tr(C)/d = 1; the shrinkage is the same
    a = float(ledoit_wolf_shrinkage(x, assume_centered=True))
    x = in_span(x)
    sums = class_sums(x, y) / np.sqrt(np.bincount(y))[:, None]
    solved = _solve_shrunk((1 - a) / n * (x.T @ x), a, sums.T)
    return float((1 - a) / (n - 1) * (sums.T * solved).sum())


def sfda(z: Float[np.ndarray, "n d"], y: Int[np.ndarray, " n"]) -> float:
    """Return the mean probability of the true class after self-challenge, in (0, 1]; higher is better.

    As released, in two passes. (1) A linear discriminant with within-class covariance S shrunk by
    l = max(exp(-5 s), 1e-10), S~ = (1 - l) S + l tr(S)/d I, where s is the largest eigenvalue of S by the released
    power iteration. (2) The probabilities go through a second softmax; each row moves to
    q x + (1 - q) (mean of the other classes' means), q that of its class; the discriminant is fitted again with the
    same l. All d directions of the generalised eigenproblem together are S~^-1.
    Depends on the scale of z through s; invariant under shifts.

    Warns:
        SaturatedScore: n <= d, or the score is 1 to 1e-9, as for separable classes.
    """
    few = _warn_if_few(z, "sfda", "give more samples than features, or reduce the features by PCA")
    d = z.shape[1]
    x = centred(z)
    ones = np.ones(d)
    if len(x) < d:
        # the released start of the power iteration, seen in the basis that in_span works in
        basis, triangle = np.linalg.qr(x.T)
        x, ones = triangle.T, basis.T @ ones
    shrinkage = max(np.exp(-5 * _largest_eigenvalue(within(x, y), ones)), 1e-10)
    q = softmax(_discriminant(x, y, shrinkage, d), axis=1)[np.arange(len(y)), y][:, None]
    means = class_sums(x, y) / np.bincount(y)[:, None]
    others = (means.sum(0) - means) / (len(means) - 1)
    x = q * x + (1 - q) * others[y]
    score = float(_discriminant(x, y, shrinkage, d)[np.arange(len(y)), y].mean())
    if not few and score > 1 - 1e-9:
        warnings.warn(
            "sfda is 1 to 1e-9: the classes are separable and the score cannot rank them; "
            "give more samples or harder classes",
            SaturatedScore,
            stacklevel=2,
        )
    return score


def _largest_eigenvalue(residual: np.ndarray, start: np.ndarray) -> float:
    """Largest eigenvalue of residual' residual / n: as released, |S v| with v = S^6 1 normalised."""
    n = len(residual)
    v, bound = start, float((residual**2).sum()) / n  # the trace
    if bound == 0.0:
        return 0.0
    for _ in range(6):
        following = residual.T @ (residual @ v) / n
        size = float(np.linalg.norm(following))
        if size <= 1e-10 * bound * np.linalg.norm(v):  # the start is in the null space: no power of S helps
            return float(scipy.linalg.svdvals(residual, check_finite=False)[0] ** 2) / n
        v = following / size
    return float(np.linalg.norm(residual.T @ (residual @ v))) / n


def _discriminant(x: np.ndarray, y: np.ndarray, shrinkage: float, d: int) -> np.ndarray:
    """Class probabilities of the linear discriminant with shrunk within-class covariance, (n, K)."""
    counts = np.bincount(y)
    x = x - x.mean(0)  # changes no probability, and keeps the numbers small
    residual = within(x, y)
    level = float((residual**2).sum()) / (len(x) * d)
    if level == 0.0:  # each class is one point
        level = 1e-30 * float((x**2).sum()) / (len(x) * d) or 1.0
    scatter = (1 - shrinkage) / len(x) * (residual.T @ residual)
    means = class_sums(x, y) / counts[:, None]
    solved = _solve_shrunk(scatter, shrinkage * level, means.T)  # (d, K)
    return softmax(x @ solved - 0.5 * (means * solved.T).sum(1) + np.log(counts / len(x)), axis=1)


def _solve_shrunk(scatter: np.ndarray, ridge: float, right: np.ndarray) -> np.ndarray:
    """Return (scatter + ridge I)^-1 right; by eigenvalues where rounding may make the sum indefinite."""
    if ridge > 1e-6 * np.trace(scatter):
        whole = scatter + ridge * np.eye(len(scatter))
        return scipy.linalg.solve(whole, right, assume_a="pos", check_finite=False)
    values, vectors = scipy.linalg.eigh(scatter, driver="evd", check_finite=False)
    values = np.maximum(values, 0.0) + ridge
    inverse = np.divide(1.0, values, out=np.zeros_like(values), where=values > len(values) * EPS * 1e-10)
    return vectors @ (inverse[:, None] * (vectors.T @ right))


def transrate(
    z: Float[np.ndarray, "n d"], y: Int[np.ndarray, " n"], *, eps: Real = 1e-4, weights: str = "uniform"
) -> float:
    """Return the coding rate of all features minus that of one class, in nats; higher is better.

    R(Z) = 1/2 log det(I + Z'Z / (n eps)), Z centred as a whole, also within a class. Depends on the scale of z
    through eps; invariant under shifts and rotations.

    Args:
        z: features, (n, d).
        y: labels, (n,).
        eps: distortion, in squared units of z.
        weights: of the classes: "uniform", 1/K, as in the listing of the paper, or "prior", n_k / n.
    """
    eps = check_positive(eps, "eps")
    check_choice(weights, "weights", ("uniform", "prior"))
    x, counts = centred(z), np.bincount(y)
    shares = np.full(len(counts), 1 / len(counts)) if weights == "uniform" else counts / len(y)
    rates = [_coding_rate(x[y == label], eps) for label in range(len(counts))]
    return _coding_rate(x, eps) - float(shares @ np.array(rates))


def _coding_rate(x: np.ndarray, eps: float) -> float:
    gram = x @ x.T if len(x) < x.shape[1] else x.T @ x
    gram /= len(x) * eps
    gram.flat[:: len(gram) + 1] += 1.0
    return float(np.log(np.diag(scipy.linalg.cholesky(gram, check_finite=False))).sum())


def gbc(
    z: Float[np.ndarray, "n d"],
    y: Int[np.ndarray, " n"],
    *,
    covariance: str = "spherical",
    pca: int | None = 64,
) -> float:
    """Return minus the summed overlap of all ordered pairs of classes, exp(-Bhattacharyya distance); <= 0.

    Higher is better. Classes are Gaussians with biased variances of at least 1e-4 (squared units of z). Spherical:
    one variance s a class, the mean over the features, and the term 1/2 log(s / sqrt(s_i s_j)) counts once, not once
    a feature, as released. Depends on the scale of z through the floor; invariant under shifts.

    Args:
        z: features, (n, d).
        y: labels, (n,).
        covariance: "spherical" or "diagonal" (of the principal axes).
        pca: principal components to keep first, exactly computed; None for the features as they are.
    """
    check_choice(covariance, "covariance", ("spherical", "diagonal"))
    x = centred(z)
    if pca is not None and check_count(pca, "pca") < min(x.shape):
        x = PCA(pca, svd_solver="full" if x.shape[0] < x.shape[1] else "covariance_eigh").fit_transform(x)
    counts = np.bincount(y)[:, None]
    means = class_sums(x, y) / counts
    variances = class_sums(within(x, y) ** 2, y) / counts
    if covariance == "spherical":
        variances = variances.mean(1, keepdims=True)
    variances = np.maximum(variances, 1e-4)
    overlap = 0.0
    for mean, variance in zip(means, variances, strict=True):
        middle = (variances + variance) / 2
        distance = ((means - mean) ** 2 / middle).sum(1) / 8
        distance += 0.5 * np.log(middle / np.sqrt(variances * variance)).sum(1)
        overlap += float(np.exp(-distance).sum()) - 1.0  # less the class with itself
    return -overlap


def _warn_if_few(z: np.ndarray, name: str, way_out: str) -> bool:
    n, d = z.shape
    if n <= d:
        warnings.warn(
            f"{name} is saturated: with n = {n} samples of d = {d} features it is at its largest whatever "
            f"the labels; {way_out}",
            SaturatedScore,
            stacklevel=3,
        )
    return n <= d
