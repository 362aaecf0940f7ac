"""NLEEP: LEEP with a Gaussian mixture of the features in place of a source model."""

import warnings

import numpy as np
from jaxtyping import Float, Int
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from .._validation import Real, check_choice, check_count, check_positive
from ._class_statistics import canonical_order, centred
from .base import TARGET, metric
from .leep import leep


@metric("nleep", TARGET, "li2021ranking", invariant=("shift", "scale"))
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
    rounds. The start is random: over seeds the score varies by 1 to 10 %. Constant features score as one component.

    Args:
        z: features, (n, d).
        y: labels, (n,).
        components: of the mixture; None: the paper's 5 K, but at most n // 10, ten samples for each.
        variance: fraction of the variance to keep, above 0 and below 1.
        covariance: "diag", or "full" as in other code, which with so few samples per component is singular and slow.
        seed: of the mixture's start, which does not depend on the order of the samples.

    Raises:
        ValueError: an option out of range.
    """
    check_choice(covariance, "covariance", ("diag", "full"))
    if not 0 < check_positive(variance, "variance") < 1:
        raise ValueError(f"variance must be below 1, got {variance}; give a fraction such as variance=0.8")
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
