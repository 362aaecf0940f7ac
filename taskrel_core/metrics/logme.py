"""LogME: the marginal likelihood of a linear model of the labels."""

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int

from ._class_statistics import EPS, indicator
from .base import TARGET, metric


@metric("logme", TARGET, "you2021logme", invariant=("scale", "rotation"))
def logme(z: Float[np.ndarray, "n d"], y: Int[np.ndarray, " n"]) -> float:
    """Return the mean over classes of max log p(1[y=c] | z) / n, in nats per sample; higher is better.

    The model is ridge regression, weights N(0, I/a), noise N(0, 1/b). Given t = a/b the best b is n / R(t), R the
    ridge objective, so one number per class is left: the best t is found on a grid from e = min(EPS s^2, r^2 / 1000)
    to 1e8 s^2 (s the largest singular value of z, r the least above rounding) and by bisection, to rounding. The
    determinant is over all d directions, so n < d is right. Where no t is best the limit counts: noise alone as
    t -> inf (labels that the features do not explain), interpolation as t -> 0 where n directions fit every label.
    Labels that are exactly linear in fewer features have unbounded evidence; theirs is the value at t = e. No centring
    and no bias: invariant under z -> c z and rotations, not under shifts.
    """
    n = len(y)
    onehot = indicator(y)
    noise_alone = 0.5 * (np.log(n / onehot.sum(0)) - np.log(2 * np.pi) - 1)
    u, power = _left_vectors(z)
    if len(power) == 0:
        return float(noise_alone.mean())
    aligned = u.T @ onehot
    rest = ((onehot - u @ aligned) ** 2).sum(0) * (len(power) < n)
    aligned **= 2
    best = np.maximum(noise_alone, _best_evidence(power, aligned, rest, n))
    if len(power) == n:
        fit = (aligned / power[:, None]).sum(0)
        best = np.maximum(best, 0.5 * (-np.log(power).mean() - np.log(2 * np.pi * fit / n) - 1))
    return float(best.mean())


def _left_vectors(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Left singular vectors of z, (n, r), and squared singular values over the largest, (r,); only these matter.

    By the Gram matrix, twice as fast, where the features are so well conditioned that nothing is lost.
    """
    wide = len(z) < z.shape[1]
    power, vectors = scipy.linalg.eigh(z @ z.T if wide else z.T @ z, check_finite=False, driver="evd")
    if power[0] > 1e-8 * power[-1]:
        return vectors if wide else z @ (vectors / np.sqrt(power)), power / power[-1]
    u, s, _ = scipy.linalg.svd(z, full_matrices=False, check_finite=False)
    keep = s > max(z.shape) * EPS * s[0]
    return u[:, keep], (s[keep] / s[0]) ** 2 if keep.any() else s[keep]


def _best_evidence(power: np.ndarray, aligned: np.ndarray, rest: np.ndarray, n: int) -> np.ndarray:
    """Largest evidence per sample of each class over t, (K,).

    Args:
        power: squared singular values of z, (r,).
        aligned: squared coordinates of the one-hot labels in the left singular vectors, (r, K).
        rest: squared length of what is left of them, (K,).
        n: samples.
    """

    def evidence(complexity: np.ndarray, ridge: np.ndarray) -> np.ndarray:
        return -0.5 * (complexity / n + np.log(2 * np.pi * ridge / n) + 1)

    least = np.log(min(EPS, 1e-3 * power.min()))
    log_t = np.linspace(least, np.log(1e8), 160 + int(3 * (np.log(EPS) - least)))
    t = np.exp(log_t)[:, None]
    grid = evidence(
        np.log1p(power / t).sum(1)[:, None], (t / (t + power)) @ aligned + rest
    )  # (160 or more, K)
    top = grid.argmax(0)
    low, high = log_t[np.maximum(top - 1, 0)], log_t[np.minimum(top + 1, len(log_t) - 1)]
    for _ in range(50):
        middle = (low + high) / 2
        t = np.exp(middle)
        fraction = power[:, None] / (t + power[:, None])  # (r, K)
        ridge = ((1 - fraction) * aligned).sum(0) + rest
        rising = fraction.sum(0) * ridge > n * (fraction * (1 - fraction) * aligned).sum(0)
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    t = np.exp((low + high) / 2)
    ridge = (t / (t + power[:, None]) * aligned).sum(0) + rest
    return np.maximum(grid.max(0), evidence(np.log1p(power[:, None] / t).sum(0), ridge))
