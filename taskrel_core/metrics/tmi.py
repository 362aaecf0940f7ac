"""TMI: how widely each class is spread in the features."""

import warnings

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import KDTree
from scipy.special import digamma

from .._validation import Real, check_count, check_positive
from ._class_statistics import centred
from .base import TARGET, SaturatedScore, metric


@metric("tmi", TARGET, "xu2023fast", invariant=("shift",))
def tmi(
    z: Float[np.ndarray, "n d"], y: Int[np.ndarray, " n"], *, neighbours: int = 3, floor: Real = 1.0
) -> float:
    """Return the entropy of the features given the label, H(Z | Y) = sum_c n_c / n H_c, in nats; higher is better.

    H_c is Kozachenko and Leonenko's estimate from each sample's distance r to its k-th neighbour of the same class, in
    the maximum norm: digamma(n_c) - digamma(k) + d mean log(2 max(r, floor)). As the authors released it, but for the
    weighted sum of the paper where the code also divides by the number of classes, and for classes of k samples or
    fewer, which take k = n_c - 1 here and are left out there; a lone sample adds 0. The claim is that features that
    spread within a class adapt better: it does not ask whether classes can be separated, and grows with d. The floor is
    in units of z, so the score depends on the scale; it is saturated where no distance is above it.

    Args:
        z: features, (n, d).
        y: labels, (n,).
        neighbours: k.
        floor: smallest distance that counts, in units of z; 1 as released.

    Warns:
        SaturatedScore: no distance is above the floor.
    """
    check_count(neighbours, "neighbours")
    check_positive(floor, "floor")
    x, total, spread = centred(z), 0.0, False
    for members in (x[y == c] for c in range(int(y.max()) + 1)):
        n, k = len(members), min(neighbours, len(members) - 1)
        if k == 0:
            continue
        distances = KDTree(members).query(members, k + 1, p=np.inf)[0][
            :, -1
        ]  # the first is the sample itself
        spread = spread or bool((distances > floor).any())
        logs = np.log(2 * np.maximum(distances, floor))
        total += n * float(digamma(n) - digamma(k) + z.shape[1] * logs.mean())
    if not spread:
        warnings.warn(
            f"tmi is saturated: no sample is further than floor = {floor:g} from its neighbours, so it depends on the "
            "number of features alone; give features in other units, or a smaller floor",
            SaturatedScore,
            stacklevel=2,
        )
    return total / len(y)
