"""GBC: how much Gaussian classes overlap, by the Bhattacharyya coefficient."""

import numpy as np
from jaxtyping import Float, Int
from sklearn.decomposition import PCA

from .._validation import check_choice, check_count
from ._class_statistics import centred, class_sums, within
from .base import TARGET, metric


@metric("gbc", TARGET, "pandy2022transferability", invariant=("shift", "rotation"))
def gbc(
    z: Float[np.ndarray, "n d"],
    y: Int[np.ndarray, " n"],
    *,
    covariance: str = "spherical",
    pca: int | None = 64,
) -> float:
    """Return minus the summed overlap of all ordered pairs of classes, exp(-Bhattacharyya distance); <= 0.

    Higher is better. Classes are Gaussians with biased variances of at least 1e-4 (squared units of z). Spherical:
    one variance s per class, the mean over the features, and the term 1/2 log(s / sqrt(s_i s_j)) counts once, not
    once per feature, as released. Depends on the scale of z through the floor; invariant under shifts and rotations
    (the diagonal form if pca is not None).

    Args:
        z: features, (n, d).
        y: labels, (n,).
        covariance: "spherical" or "diagonal" (of the principal axes).
        pca: principal components to keep first, exactly computed; None for the features as they are.
    """
    check_choice(covariance, "covariance", ("spherical", "diagonal"))
    x = centred(z)
    if pca is not None and check_count(pca, "pca") < min(x.shape) and x.any():
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
        distance += 0.5 * np.log(middle / (np.sqrt(variances) * np.sqrt(variance))).sum(1)
        overlap += float(np.exp(-distance).sum()) - 1.0  # less the class with itself
    return -overlap
