"""SFDA: a regularised linear discriminant with self-challenge, which makes well-separated classes harder."""

import warnings

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int
from scipy.special import softmax

from ._class_statistics import centred, class_sums, power_of_two, solve_shrunk, within
from .base import TARGET, SaturatedScore, metric, warn_if_few


@metric("sfda", TARGET, "shao2022not", invariant=("shift",))
def sfda(z: Float[np.ndarray, "n d"], y: Int[np.ndarray, " n"]) -> float:
    """Return the mean probability of the true class after self-challenge, in (0, 1]; higher is better.

    As released, in two passes. (1) A linear discriminant with within-class covariance S shrunk by
    l = max(exp(-5 s), 1e-10), S~ = (1 - l) S + l tr(S)/d I, where s is the largest eigenvalue of S by the released
    power iteration. (2) The probabilities go through a second softmax; each row moves to
    q x + (1 - q) (mean of the other classes' means), q that of its class; the discriminant is fitted again with the
    same l. All d directions of the generalised eigenproblem together are S~^-1.
    Depends on the scale of z through s; invariant under shifts, and under rotations but for the start of the power
    iteration.

    Warns:
        SaturatedScore: n <= d, or the score is 1 to 1e-9, as for separable classes.
    """
    few = warn_if_few(z, "sfda", "give more samples than features, or reduce the features by PCA")
    d = z.shape[1]
    x = centred(z)
    unit = power_of_two(x)
    x /= unit  # changes no probability, and keeps squares of squares in range
    ones = np.ones(d)
    if len(x) < d:
        # the released start of the power iteration, seen in the basis that in_span works in
        basis, triangle = np.linalg.qr(x.T)
        x, ones = triangle.T, basis.T @ ones
    shrinkage = max(np.exp(-5 * unit**2 * _largest_eigenvalue(within(x, y), ones)), 1e-10)
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
    solved = solve_shrunk(scatter, shrinkage * level, means.T)  # (d, K)
    return softmax(x @ solved - 0.5 * (means * solved.T).sum(1) + np.log(counts / len(x)), axis=1)
