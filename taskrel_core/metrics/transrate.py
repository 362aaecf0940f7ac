"""TransRate: the coding rate of all features minus that of one class."""

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int

from .._validation import Real, check_choice, check_positive
from ._class_statistics import centred
from .base import TARGET, metric


@metric("transrate", TARGET, "huang2022frustratingly", invariant=("shift", "rotation"))
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
    fractions = np.full(len(counts), 1 / len(counts)) if weights == "uniform" else counts / len(y)
    rates = [_coding_rate(x[y == label], eps) for label in range(len(counts))]
    return _coding_rate(x, eps) - float(fractions @ np.array(rates))


def _coding_rate(x: np.ndarray, eps: float) -> float:
    """1/2 log det(I + x'x / (n eps)): by Cholesky, by singular values where the identity would be lost in rounding."""
    if (x**2).sum() > 1e8 * len(x) * eps:
        sizes = np.linalg.svd(x / (len(x) * eps) ** 0.5, compute_uv=False)
        return float(np.log1p(sizes**2).sum()) / 2
    gram = x @ x.T if len(x) < x.shape[1] else x.T @ x
    gram /= len(x) * eps
    gram.flat[:: len(gram) + 1] += 1.0
    return float(np.log(np.diag(scipy.linalg.cholesky(gram, check_finite=False))).sum())
