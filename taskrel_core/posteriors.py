"""Baselines that read class posteriors of a source model: LEEP, NCE, and PACTran's conjugate forms; NLEEP makes its own.

All are functions of ``posteriors`` (n, K_S), rows that sum to 1, and labels ``y`` (n,) that use every class of
0..K-1. No array is larger than n x K_S or K x K_S, and none of the arguments is changed.
"""

import warnings

import numpy as np
from jaxtyping import Float, Int
from scipy.special import digamma, gammaln, logsumexp, rel_entr
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from ._checks import Real, check_choice, check_count, check_positive
from .scatter import canonical_order, centred, class_sums

__all__ = ["leep", "nce", "nleep", "pactran_dirichlet", "pactran_gamma"]


def leep(posteriors: Float[np.ndarray, "n ks"], y: Int[np.ndarray, " n"]) -> float:
    """Return the mean log of sum_z P(y|z) S(z|x), in nats, <= 0; higher is better.

    P(y, z) is the mean of the posteriors S over the samples of class y. A source class without mass adds nothing.
    """
    joint = class_sums(posteriors, y) / len(y)  # (K, K_S)
    mass = joint.sum(0)
    conditional = np.divide(joint, mass, out=np.zeros_like(joint), where=mass > 0)
    expected = np.einsum("nz,nz->n", posteriors, conditional[y])
    return float(np.log(expected).mean())


def nce(posteriors: Float[np.ndarray, "n ks"], y: Int[np.ndarray, " n"]) -> float:
    """Return the negative conditional entropy -H(Y|Z), in nats, <= 0; higher is better.

    Z is the likeliest source class of a sample (the first of several), so P(y, z) holds shares of samples.
    """
    shape = (int(y.max()) + 1, posteriors.shape[1])
    cells = np.ravel_multi_index((y, posteriors.argmax(1)), shape)
    joint = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape) / len(y)
    return float(rel_entr(joint, joint.sum(0)).sum())


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


def nleep(
    z: Float[np.ndarray, "n d"],
    y: Int[np.ndarray, " n"],
    *,
    components: int | None = None,
    variance: Real = 0.8,
    covariance: str = "diag",
    seed: int = 0,
) -> float:
    """Return LEEP with the posteriors of a Gaussian mixture fitted to the features, in nats, <= 0; higher is better.

    The features are reduced to the principal components that hold ``variance`` of the variance, then brought to mean
    variance 1, so the score does not change under z -> c z + b. The mixture starts from k-means and runs at most 100
    rounds. The start is random: over seeds the score varies by 1 to 10 %.

    Args:
        z: features, (n, d).
        y: labels, (n,).
        components: of the mixture; None: the paper's 5 K, but at most n // 10, so that ten samples share one.
        variance: share of the variance to keep, above 0 and below 1.
        covariance: "diag", or "full" as in other code, which for so few samples a component is singular and slow.
        seed: of the mixture's start. The samples are put into an order of their own first, so that theirs is no seed.

    Raises:
        ValueError: an option out of range.
    """
    check_choice(covariance, "covariance", ("diag", "full"))
    if not 0 < check_positive(variance, "variance") < 1:
        raise ValueError(f"variance must be below 1, got {variance}; give a share such as variance=0.8")
    k = int(y.max()) + 1
    m = max(min(5 * k, len(y) // 10), 1) if components is None else check_count(components, "components")
    if m > len(y):
        raise ValueError(f"components must be at most n = {len(y)}, got {m}; give fewer components")
    order = canonical_order(z)
    x, y = centred(z[order]), y[order]
    if not x.any():
        return leep(np.ones((len(y), 1)), y)  # constant features: one component
    solver = "covariance_eigh" if x.shape[0] >= x.shape[1] else "full"
    x = PCA(variance, svd_solver=solver).fit_transform(x)
    x /= np.sqrt((x**2).mean())
    mixture = GaussianMixture(m, covariance_type=covariance, random_state=check_count(seed, "seed", least=0))
    with warnings.catch_warnings():
        # The score is defined by at most 100 rounds; k-means warns of repeated rows.
        warnings.simplefilter("ignore", ConvergenceWarning)
        posteriors = mixture.fit(x).predict_proba(x)
    return leep(posteriors, y)
