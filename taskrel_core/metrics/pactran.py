"""PACTran: a PAC-Bayes bound on the loss after transfer, in its Gaussian, Dirichlet and Gamma forms."""

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int
from scipy.special import digamma, gammaln, log_softmax, logsumexp

from .._validation import Real, check_choice, check_count, check_positive
from ._class_statistics import centred, class_sums, in_span, indicator
from .base import TARGET, metric

__all__ = ["PACTRAN_GRID", "pactran", "pactran_dirichlet", "pactran_gamma", "pactran_gaussian"]


PACTRAN_GRID = ((10.0, 1000.0), (10.0, 100.0), (1.0, 100.0), (1.0, 10.0), (0.1, 10.0), (0.1, 1.0))


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


def pactran_dirichlet(
    posteriors: Float[np.ndarray, "n ks"], y: Int[np.ndarray, " n"], prior: Real = 1.0, rounds: int = 10
) -> float:
    """Return PACTran's bound with a Dirichlet prior for each source class, in nats over K; lower is better.

    P(y|z) has the prior a0 = prior times the class frequencies; q ~ S exp(E log P(y|z)) is the variational posterior
    of z, a = a0 + sum_n 1[y_n = y] q_n. The bound is sum_n KL(q_n | S_n) + sum_z log B(a0) - log B(a_z), B the
    normaliser of the Dirichlet density. As released: a fixed number of rounds, and the sum is divided by n K.

    Args:
        posteriors: S, (n, K_S).
        y: labels, (n,).
        prior: weight of the prior, in samples.
        rounds: of the fixed point.
    """
    counts = np.bincount(y)
    a0 = check_positive(prior, "prior") * counts[:, None] / len(y)  # (K, 1)
    q, entropy, a = posteriors, 0.0, a0 + class_sums(posteriors, y)
    for _ in range(check_count(rounds, "rounds")):
        a = a0 + class_sums(q, y)
        q, entropy = _responsibilities(posteriors, (digamma(a) - digamma(a.sum(0)))[y])
    prior_constant = gammaln(a0.sum()) - gammaln(a0).sum()
    constants = gammaln(a.sum(0)) - gammaln(a).sum(0)  # (K_S,)
    return float(entropy - (prior_constant - constants).sum()) / (len(y) * len(counts))


def pactran_gamma(
    posteriors: Float[np.ndarray, "n ks"], y: Int[np.ndarray, " n"], prior: Real = 1.0, rounds: int = 10
) -> float:
    """Return PACTran's bound with Gamma priors of rate 1 on unnormalised P(y|z); lower is better.

    As ``pactran_dirichlet`` with the normaliser bounded by its tangent, which adds sum_n (log l_n - 1),
    l_n = sum_z S_nz sum_y a_yz; divided by n K, plus 1, as released.
    """
    counts = np.bincount(y)
    a0 = check_positive(prior, "prior") * counts[:, None] / len(y)
    q, entropy, a = posteriors, 0.0, a0 + class_sums(posteriors, y)
    for _ in range(check_count(rounds, "rounds")):
        a = a0 + class_sums(q, y)
        q, entropy = _responsibilities(posteriors, digamma(a)[y])
    tangent = float(np.log(posteriors @ a.sum(0)).sum()) - len(y)
    return (float((gammaln(a0) - gammaln(a)).sum()) + entropy + tangent) / (len(y) * len(counts)) + 1.0


def _responsibilities(posteriors: np.ndarray, log_weight: np.ndarray) -> tuple[np.ndarray, float]:
    """Rows proportional to S exp(log_weight), (n, K_S), and their summed divergence from S, nats."""
    log_norm = logsumexp(log_weight, axis=1, b=posteriors, keepdims=True)
    q = posteriors * np.exp(log_weight - log_norm)
    return q, float((q * (log_weight - log_norm)).sum())


@metric("pactran", TARGET, "ding2022pactran", higher_is_better=False)
def pactran(
    z: np.ndarray,
    y: np.ndarray,
    posteriors: np.ndarray | None = None,
    *,
    variant: str = "gaussian",
    lam: Real = 1.0,
    prior: Real | None = None,
) -> float:
    """Return PACTran's bound on the loss after transfer, its own sign: lower is better.

    Args:
        z: features, (n, d); used by the Gaussian form.
        y: labels, (n,).
        posteriors: of the source model, (n, K_S); used by the two other forms.
        variant: "gaussian", "dirichlet" or "gamma".
        lam: of the Gaussian form, one of 10, 1, 0.1 as released.
        prior: of the Gaussian form its variance times d, one of 1000, 100, 10, 1 as released (the pairs are
            PACTRAN_GRID), default 100; of the others the weight of the prior, default 1.
    """
    check_choice(variant, "variant", ("gaussian", "dirichlet", "gamma"))
    if variant == "gaussian":
        return pactran_gaussian(z, y, lam, 100.0 if prior is None else prior)
    if posteriors is None:
        raise ValueError(
            f"pactran needs source_posteriors for variant={variant!r}, got None; give source_posteriors=, "
            "class probabilities of the source model, (n, K_S), or variant='gaussian'"
        )
    form = {"dirichlet": pactran_dirichlet, "gamma": pactran_gamma}[variant]
    return form(posteriors, y, 1.0 if prior is None else prior)
