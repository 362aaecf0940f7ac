"""Baselines from a linear model on the target's features: LogME, a marginal likelihood, and PACTran, a PAC-Bayes bound.

Both are functions of features ``z`` (n, d) and labels ``y`` (n,) that use every class of 0..K-1; neither changes its
arguments.
"""

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int
from scipy.optimize import minimize
from scipy.special import logsumexp

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
    u, s, _ = scipy.linalg.svd(z, full_matrices=False, check_finite=False)
    if s[0] == 0.0:
        return float(noise_alone.mean())
    keep = s > max(z.shape) * EPS * s[0]
    u, power = u[:, keep], (s[keep] / s[0]) ** 2  # only s / s[0] matters
    aligned = u.T @ onehot
    rest = ((onehot - u @ aligned) ** 2).sum(0) * (len(power) < n)
    aligned **= 2
    best = np.maximum(noise_alone, _best_evidence(power, aligned, rest, n))
    if len(power) == n:
        fit = (aligned / power[:, None]).sum(0)
        best = np.maximum(best, 0.5 * (-np.log(power).mean() - np.log(2 * np.pi * fit / n) - 1))
    return float(best.mean())


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
    E is convex and is minimised to rounding, so no random start and no number of rounds enter. Invariant under
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

    L-BFGS in principal axes, each scaled by the curvature that it has at most; then a few tens of steps do.
    """
    onehot = indicator(y)
    n, k = onehot.shape
    power, axes = scipy.linalg.eigh(x.T @ x / n, check_finite=False, driver="evd")
    scale = 1 / np.sqrt(np.maximum(power, 0.0) / k + ridge)
    x, penalty = (x @ axes) * scale, ridge * scale[:, None] ** 2

    def head(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        weight, bias = theta[:-k].reshape(-1, k), theta[-k:]
        logits = x @ weight + bias
        return weight, logits - logsumexp(logits, axis=1, keepdims=True)

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        weight, log_p = head(theta)
        residual = (np.exp(log_p) - onehot) / n
        slope = penalty * weight
        value = -float((log_p * onehot).sum()) / n + 0.5 * float((slope * weight).sum())
        return value, np.concatenate([(x.T @ residual + slope).ravel(), residual.sum(0)])

    start = np.concatenate([np.zeros(x.shape[1] * k), np.log(onehot.mean(0))])
    options = {"maxiter": 5000, "maxfun": 10000, "maxcor": 30, "ftol": 0.0, "gtol": 1e-9}
    result = minimize(objective, start, method="L-BFGS-B", jac=True, options=options)
    return float(result.fun), np.exp(head(result.x)[1])
