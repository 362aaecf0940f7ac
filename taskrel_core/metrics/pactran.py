"""PACTran: a PAC-Bayes bound on the loss after transfer, in its Gaussian, Dirichlet and Gamma forms."""

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int
from scipy.special import digamma, gammaln, logsumexp

from .._validation import Real, check_choice, check_count, check_positive
from ._class_statistics import EPS, centred, class_sums, in_span, indicator
from .base import TARGET, metric

PACTRAN_GRID = ((10.0, 1000.0), (10.0, 100.0), (1.0, 100.0), (1.0, 10.0), (0.1, 10.0), (0.1, 1.0))


def pactran_gaussian(
    z: Float[np.ndarray, "n d"], y: Int[np.ndarray, " n"], lam: Real = 1.0, prior: Real = 100.0
) -> float:
    """Return PACTran's bound with a Gaussian prior, in nats; lower is better.

    E + K d s2 / (2 lam n) log(lam n / (K d) h + 1e-10), where E is the least mean cross-entropy of a linear softmax
    head on centred features plus |W|^2 / (2 lam n), the bias free, and h the summed diagonal of the Hessian: of the
    *summed* losses, p (1 - p) x^2 for the weights and p (1 - p) for the biases, and 1 / (lam n) a weight, as released.
    E is convex and is minimised to 1e-13 of its value, so no random start and no number of rounds enter. Invariant
    under shifts and rotations; z -> c z is lam -> c^2 lam in E, and a factor c^2 of x^2 in h.

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
    loss, spread = _ridge_head(x, y, 1.0 / (lam * n))
    weights = spread.shape[1] * d
    curvature = spread.sum(1) @ ((x**2).sum(1) + 1) + weights / (lam * n)
    return float(loss + weights * s2 / (2 * lam * n) * np.log(lam * n / weights * curvature + 1e-10))


def _ridge_head(x: np.ndarray, y: np.ndarray, ridge: float) -> tuple[float, np.ndarray]:
    """Least mean cross-entropy + ridge/2 |W|^2 of a linear softmax head, and p (1 - p) of its probabilities, (n, K).

    Newton's method in principal axes, each scaled by the curvature that it has at most; axes along which x varies by
    rounding only are left out. The ridge falls to its value by tens, from where it outweighs the loss, so that each
    start is near the optimum sought.
    """
    n, k = len(y), int(y.max()) + 1
    x = x @ scipy.linalg.eigh(x.T @ x / n, check_finite=False, driver="evd")[1]
    power = (x**2).mean(0)
    kept = power > (max(x.shape) * EPS) ** 2 * power.max()
    x, power = x[:, kept], power[kept]
    squares = 1 / (power / k + ridge)
    head = _Head(np.hstack([x * np.sqrt(squares), np.ones((n, 1))]), y)
    theta = np.zeros((len(squares) + 1, k))
    theta[-1] = np.log(np.bincount(y) / n)
    penalty = np.append(ridge * squares, 0.0)[:, None]  # the biases are free
    for tens in range(int(np.log10(max(power.max(initial=0.0) / k / ridge, 1.0))), -1, -1):
        theta = head.minimise(theta, 10.0**tens * penalty, 0.1 if tens else 1e-7)
    value, p, wrong = head.loss(theta, penalty)
    p[head.true] *= wrong
    return value, np.where(head.true, p, p * (1 - p))


class _Head:
    """Softmax regression of y on ``x`` (n, r + 1), its last column ones.

    All is relative to the true class, so that what a nearly perfect fit leaves keeps its digits. Steps are in float32,
    what they aim at is not.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray):
        self.x, self.y, self.true = x, y, indicator(y).astype(bool)
        self.single, self.squares = x.astype(np.float32), (x**2).astype(np.float32)

    def loss(self, theta: np.ndarray, penalty: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Mean cross-entropy + penalty/2 theta^2, the probabilities (n, K), and those of all wrong classes (n,)."""
        logits = self.x @ theta
        logits -= logits[self.true][:, None]
        wrong = logsumexp(np.where(self.true, -np.inf, logits), axis=1)
        losses = np.logaddexp(0.0, wrong)
        value = float(losses.mean()) + 0.5 * float((penalty * theta**2).sum())
        return value, np.exp(logits - losses[:, None]), np.exp(wrong - losses)

    def minimise(self, theta: np.ndarray, penalty: np.ndarray, tolerance: float) -> np.ndarray:
        """Return the optimum up to ``tolerance``: distance in the norm of the Hessian's diagonal over sqrt(loss)."""
        value, p, wrong = self.loss(theta, penalty)
        for _ in range(100):
            errors = p.copy()
            errors[self.true] = -wrong
            slope = self.x.T @ errors / len(p) + penalty * theta
            step, distance = self._newton(p, wrong, slope, penalty)
            if distance <= tolerance * min(value, 1.0) ** 0.5:
                return theta - step
            gain = 1e-4 * float((slope * step).sum())
            least, before = 1e-20 * value, value * (1 + 1e-14)
            value, p, wrong = self.loss(theta - step, penalty)
            while value > before - gain and gain > least:
                step, gain = step / 2, gain / 2
                value, p, wrong = self.loss(theta - step, penalty)
            theta = theta - step
        return theta

    def _newton(
        self, p: np.ndarray, wrong: np.ndarray, slope: np.ndarray, penalty: np.ndarray
    ) -> tuple[np.ndarray, float]:
        """Newton's step by conjugate gradients, the more exact the nearer the optimum, and how near that is."""
        size = float(np.abs(slope).max()) or 1.0
        curvature = p * np.where(self.true, wrong[:, None], 1 - p) / len(p)
        unit = max(float(curvature.max()), float(penalty.max()))
        curvature, penalty, residual = (
            array.astype(np.float32) for array in (curvature / unit, penalty / unit, slope / size)
        )
        right = p[self.true].astype(np.float32)[:, None]
        others = np.where(self.true, 0.0, p / (unit * len(p))).astype(np.float32)
        spread = np.float32(unit * len(p))
        diagonal = np.maximum(self.squares.T @ curvature + penalty, np.float32(1e-12))
        direction = residual / diagonal
        first = left = float((residual * direction).sum())
        distance = size * (first / unit) ** 0.5
        step = np.zeros_like(residual)
        for _ in range(60):
            if left <= min(0.01, distance) * first:
                break
            moved = self.single @ direction
            moved -= moved[self.true][:, None]
            mean = (others * moved).sum(1, keepdims=True)
            image = others * (moved - spread * mean)
            image[self.true] = -(right * mean)[:, 0]
            image = self.single.T @ image + penalty * direction
            curved = float((direction * image).sum())
            if curved <= 1e-7 * float((direction**2 * diagonal).sum()):
                break  # rounding alone: along a shift of all biases nothing changes
            length = left / curved
            step += length * direction
            residual -= length * image
            scaled = residual / diagonal
            last, left = left, float((residual * scaled).sum())
            direction = scaled + left / last * direction
        return size / unit * step.astype(np.float64), distance


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
    logs = np.log(posteriors, out=np.full_like(posteriors, -np.inf), where=posteriors > 0)
    relative = log_weight - logsumexp(log_weight + logs, axis=1, keepdims=True)
    q = np.exp(relative + logs)
    return q, float((q * relative).sum())


@metric("pactran", TARGET, "ding2022pactran", higher_is_better=False, invariant=("shift", "rotation"))
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
