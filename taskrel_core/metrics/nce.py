"""NCE: minus the conditional entropy of the labels given the most probable source class."""

import numpy as np
from jaxtyping import Float, Int
from scipy.special import rel_entr

from .base import POSTERIORS, metric


@metric("nce", POSTERIORS, "tran2019transferability", invariant=("shift", "scale", "rotation"))
def nce(posteriors: Float[np.ndarray, "n ks"], y: Int[np.ndarray, " n"]) -> float:
    """Return the negative conditional entropy -H(Y|Z), in nats, <= 0; higher is better.

    Z is the most probable source class of a sample (the first of several); P(y, z) holds fractions of samples.
    """
    shape = (int(y.max()) + 1, posteriors.shape[1])
    cells = np.ravel_multi_index((y, posteriors.argmax(1)), shape)
    joint = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape) / len(y)
    return float(rel_entr(joint, joint.sum(0)).sum())
