"""LEEP: the log likelihood of the labels given the source classes that a source model predicts."""

import numpy as np
from jaxtyping import Float, Int

from ._class_statistics import class_sums
from .base import POSTERIORS, metric


@metric("leep", POSTERIORS, "nguyen2020leep", invariant=("shift", "scale", "rotation"))
def leep(posteriors: Float[np.ndarray, "n ks"], y: Int[np.ndarray, " n"]) -> float:
    """Return the mean log of sum_z P(y|z) S(z|x), in nats, <= 0; higher is better.

    P(y, z) is the mean of the posteriors S over the samples of class y. A source class without mass adds nothing.
    """
    joint = class_sums(posteriors, y) / len(y)  # (K, K_S)
    mass = joint.sum(0)
    conditional = np.divide(joint, mass, out=np.zeros_like(joint), where=mass > 0)
    expected = np.einsum("nz,nz->n", posteriors, conditional[y])
    return float(np.log(expected).mean())
