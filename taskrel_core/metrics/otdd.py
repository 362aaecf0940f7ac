"""OTDD: the optimal transport distance between two labelled data sets."""

import numpy as np
from jaxtyping import Float, Int

from ._class_statistics import class_sums, within
from .base import PAIR, metric
from .otce import optimal_plan, subsample


@metric("otdd", PAIR, "alvarez2020geometric", higher_is_better=False, invariant=("shift", "rotation"))
def otdd(
    z_reference: Float[np.ndarray, "m d"],
    y_reference: Int[np.ndarray, " m"],
    z: Float[np.ndarray, "n d"],
    y: Int[np.ndarray, " n"],
    *,
    samples: int | None = 1000,
    seed: int = 0,
) -> float:
    """Return the optimal transport distance of two labelled samples, in squared units of z; lower is better.

    The cost of a pair is |z_r - z|^2 + W_2^2 of the two classes as Gaussians, |m - m'|^2 + tr(S + S' - 2 (S S')^1/2)
    with biased covariances. The transport is exact, so the distance of a task to itself is 0 and no entropic bias has to
    be subtracted. z -> c z multiplies it by c^2; invariant under shifts and rotations of both sides. It compares two
    tasks and does not ask whether classes can be separated.

    Args:
        z_reference: features of the reference, (m, d).
        y_reference: its labels, (m,).
        z: features of the target, (n, d).
        y: its labels, (n,).
        samples: take at most this many at random from each side; None: all of them.
        seed: of this random choice, which does not depend on the order of the samples.
    """
    z_reference, y_reference = subsample(z_reference, y_reference, samples, seed)
    z, y = subsample(z, y, samples, seed)
    middle = z.mean(0)
    z_reference, z = z_reference - middle, z - middle
    _, y_reference = np.unique(y_reference, return_inverse=True)  # a class may have lost all its samples
    _, y = np.unique(y, return_inverse=True)
    between = _class_distances(z_reference, y_reference, z, y)[y_reference[:, None], y]
    rows, columns, mass = optimal_plan(z_reference, z, between)
    return float(mass @ (((z_reference[rows] - z[columns]) ** 2).sum(1) + between[rows, columns]))


def _class_distances(
    z_reference: np.ndarray, y_reference: np.ndarray, z: np.ndarray, y: np.ndarray
) -> Float[np.ndarray, "kr k"]:
    """W_2^2 of the classes as Gaussians; tr (S S')^1/2 is the nuclear norm of X X'^T, S = X^T X."""
    sides = []
    for features, labels in ((z_reference, y_reference), (z, y)):
        counts = np.bincount(labels)
        roots = within(features, labels) / np.sqrt(counts)[labels][:, None]
        means = class_sums(features, labels) / counts[:, None]
        # As many rows as features are enough, and leave S as it is.
        factors = [np.asarray(np.linalg.qr(roots[labels == c], mode="r")) for c in range(len(counts))]
        sides.append(list(zip(means, factors, strict=True)))
    return np.array([[_gaussian_distance(*one, *other) for other in sides[1]] for one in sides[0]])


def _gaussian_distance(
    mean: np.ndarray, root: np.ndarray, other_mean: np.ndarray, other: np.ndarray
) -> float:
    spread = (root**2).sum() + (other**2).sum() - 2 * np.linalg.svd(root @ other.T, compute_uv=False).sum()
    return float(((mean - other_mean) ** 2).sum() + max(spread, 0.0))
