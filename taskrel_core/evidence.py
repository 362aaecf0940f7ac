"""Baselines from a linear model on the target's features: LogME, a marginal likelihood, and PACTran, a PAC-Bayes bound.

Both are functions of features ``z`` (n, d) and labels ``y`` (n,) that use every class of 0..K-1; neither changes its
arguments.
"""

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int
from scipy.special import log_softmax

from ._checks import Real, check_positive
from .scatter import EPS, centred, in_span, indicator

__all__ = ["PACTRAN_GRID", "logme", "pactran_gaussian"]

PACTRAN_GRID = ((10.0, 1000.0), (10.0, 100.0), (1.0, 100.0), (1.0, 10.0), (0.1, 10.0), (0.1, 1.0))


def logme(z: Float[np.ndarray, "n d"], y: Int[np.ndarray, " n"]) -> float:
    """Return the mean over classes of max log p(1[y=c] | z) / n, in nats a sample; higher is better.

    The model is ridge regression, weights N(0, I/a), noise N(0, 1/b). Given t = a/b the best b is n / R(t), R the
    ridge objective, so one number a class is left: the best t is found on a grid from EPS s^2 to 1e8 s^2 (s the
    largest singular value of z) and by bisection, to rounding. The determinant is over all d directions, so n < d is
    right. Where no t is best the limit counts: noise alone as t -> inf (labels that the features do not explain),
    interpolation as t -> 0 where n directions fit every label. Labels that are exactly linear in fewer features have
    unbounded evidence; theirs is the value at t = EPS s^2. No centring and no bias: invariant under z -> c z, not
    under shifts.
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
    """Largest evidence a sample of each class over t, (K,).

    Args:
        power: squared singular values of z, (r,).
        aligned: squared coordinates of the one-hot labels in the left singular vectors, (r, K).
        rest: squared length of what is left of them, (K,).
        n: samples.
    """

    def evidence(complexity: np.ndarray, ridge: np.ndarray) -> np.ndarray:
        return -0.5 * (complexity / n + np.log(2 * np.pi * ridge / n) + 1)

    log_t = np.linspace(np.log(EPS), np.log(1e8), 160)
    t = np.exp(log_t)[:, None]
    grid = evidence(np.log1p(power / t).sum(1)[:, None], (t / (t + power)) @ aligned + rest)  # (160, K)
    top = grid.argmax(0)
    low, high = log_t[np.maximum(top - 1, 0)], log_t[np.minimum(top + 1, len(log_t) - 1)]
    for _ in range(50):
        middle = (low + high) / 2
        t = np.exp(middle)
        share = power[:, None] / (t + power[:, None])  # (r, K)
        ridge = ((1 - share) * aligned).sum(0) + rest
        rising = share.sum(0) * ridge > n * (share * (1 - share) * aligned).sum(0)
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    t = np.exp((low + high) / 2)
    ridge = (t / (t + power[:, None]) * aligned).sum(0) + rest
    return np.maximum(grid.max(0), evidence(np.log1p(power[:, None] / t).sum(0), ridge))


def pactran_gaussian(
    z: Float[np.ndarray, "n d"], y: Int[np.ndarray, " n"], lam: Real = 1.0, prior: Real = 100.0
) -> float:
    """Return PACTran's bound with a Gaussian prior, in nats; lower is better.

    E + K d s2 / (2 lam n) log(lam n / (K d) h + 1e-10), where E is the least mean cross-entropy of a linear softmax
    head on centred features plus |W|^2 / (2 lam n), the bias free, and h the summed diagonal of the Hessian: of the
    *summed* losses, p (1 - p) x^2 for the weights and p (1 - p) for the biases, and 1 / (lam n) a weight, as released.
    E is convex and is minimised to 1e-13, so no random start and no number of rounds enter. Invariant under
    shifts and rotations, not under z -> c z.

    Args:
        z: features, (n, d).
        y: labels, (n,).
        lam: trade-off between loss and complexity.
        prior: s2 d, the variance of the prior times d. The six pairs (lam, prior) of the released grid are
            PACTRAN_GRID.
    """
    lam, s2 = check_positive(lam, "lam"), check_positive(prior, "prior") / z.shape[1]
    n, d = z.shape
    x = in_span(centred(z))
    loss, p = _ridge_head(x, y, 1.0 / (lam * n))
    weights = p.shape[1] * d
    curvature = (p * (1 - p)).sum(1) @ ((x**2).sum(1) + 1) + weights / (lam * n)
    return float(loss + weights * s2 / (2 * lam * n) * np.log(lam * n / weights * curvature + 1e-10))


def _ridge_head(x: np.ndarray, y: np.ndarray, ridge: float) -> tuple[float, np.ndarray]:
    """Least mean cross-entropy + ridge/2 |W|^2 of a linear softmax head, and its probabilities (n, K).

    Newton's method in principal axes, each scaled by the curvature that it has at most. The ridge falls to its value
    by tens, from where it outweighs the loss, so that each start is near the optimum sought.
    """
    onehot = indicator(y)
    n, k = onehot.shape
    power, axes = scipy.linalg.eigh(x.T @ x / n, check_finite=False, driver="evd")
    squares = 1 / (np.maximum(power, 0.0) / k + ridge)
    head = _Head(np.hstack([(x @ axes) * np.sqrt(squares), np.ones((n, 1))]), onehot)
    theta = np.zeros((len(squares) + 1, k))
    theta[-1] = np.log(onehot.mean(0))
    penalty = np.append(ridge * squares, 0.0)[:, None]  # the biases are free
    for tens in range(int(np.log10(max(power[-1] / k / ridge, 1.0))), -1, -1):
        theta = head.minimise(theta, 10.0**tens * penalty, 0.1 if tens else 1e-7)
    return head.loss(theta, penalty)


class _Head:
    """Softmax regression on ``x`` (n, d + 1), its last column ones. Steps are in float32, what they aim at is not."""

    def __init__(self, x: np.ndarray, onehot: np.ndarray):
        self.x, self.onehot = x, onehot
        self.single, self.squares = x.astype(np.float32), (x**2).astype(np.float32)

    def loss(self, theta: np.ndarray, penalty: np.ndarray) -> tuple[float, np.ndarray]:
        """Mean cross-entropy + penalty/2 theta^2, and the probabilities (n, K)."""
        log_p = log_softmax(self.x @ theta, axis=1)
        fit = -float((log_p * self.onehot).sum()) / len(log_p)
        return fit + 0.5 * float((penalty * theta**2).sum()), np.exp(log_p)

    def minimise(self, theta: np.ndarray, penalty: np.ndarray, tolerance: float) -> np.ndarray:
        """Return the optimum up to ``tolerance``, its distance in the norm of the Hessian's diagonal."""
        value, p = self.loss(theta, penalty)
        for _ in range(100):
            slope = self.x.T @ ((p - self.onehot) / len(p)) + penalty * theta
            step, distance = self._newton(p, slope, penalty)
            if distance <= tolerance:
                break
            gain = 1e-4 * float((slope * step).sum())
            before, (value, p) = value * (1 + 1e-14), self.loss(theta - step, penalty)
            while value > before - gain and gain > 1e-20:
                step, gain = step / 2, gain / 2
                value, p = self.loss(theta - step, penalty)
            theta = theta - step
        return theta

    def _newton(self, p: np.ndarray, slope: np.ndarray, penalty: np.ndarray) -> tuple[np.ndarray, float]:
        """Newton's step by conjugate gradients, the more exact the nearer the optimum, and how near that is."""
        n, size = len(p), np.abs(slope).max() or 1.0
        p, penalty, residual = (array.astype(np.float32) for array in (p, penalty, slope / size))
        diagonal = np.maximum(self.squares.T @ (p * (1 - p) / n) + penalty, np.float32(1e-12))
        direction = residual / diagonal
        first = left = float((residual * direction).sum())
        distance = float(size * np.sqrt(first))
        step = np.zeros_like(residual)
        for _ in range(60):
            if left <= min(0.01, distance) * first:
                break
            moved = p * (self.single @ direction)
            moved -= p * moved.sum(1, keepdims=True)
            image = self.single.T @ moved / n + penalty * direction
            length = left / float((direction * image).sum())
            step += length * direction
            residual -= length * image
            scaled = residual / diagonal
            last, left = left, float((residual * scaled).sum())
            direction = scaled + left / last * direction
        return size * step.astype(np.float64), distance
