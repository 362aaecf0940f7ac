"""H-score, plain and with a shrunk covariance."""

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int
from sklearn.covariance import ledoit_wolf_shrinkage

from ._class_statistics import EPS, centred, class_sums, in_span, solve_shrunk
from .base import TARGET, metric, warn_if_few


@metric("hscore", TARGET, "bao2019information", invariant=("shift", "scale", "rotation"))
def hscore(z: Float[np.ndarray, "n d"], y: Int[np.ndarray, " n"]) -> float:
    """Return tr(pinv(cov z) cov(E[z|y])), from 0 to min(K - 1, rank); higher is better.

    The trace is the squared length of the class means in an orthonormal basis of the centred features: a
    rank-revealing QR, and no covariance is inverted. Invariant under z -> z A + b for every invertible A.

    Warns:
        SaturatedScore: n <= d; the features then fit any labels and the score is K - 1 unless they are degenerate.
    """
    warn_if_few(z, "hscore", "BASELINES['hscore_shrunk'] is meant for such samples")
    x = centred(z)
    factors = scipy.linalg.qr(x, mode="economic", pivoting=True, check_finite=False)
    basis, triangle = (np.asarray(factor) for factor in factors[:2])
    scale = np.linalg.norm(z, axis=0).max()  # of z, not of x: what centring cancels leaves rounding errors
    rank = int((np.abs(np.diag(triangle)) > max(z.shape) * EPS * scale).sum())
    sums = class_sums(basis[:, :rank], y)
    return float((sums**2 / np.bincount(y)[:, None]).sum())


@metric("hscore_shrunk", TARGET, "ibrahim2022newer", invariant=("shift", "scale", "rotation"))
def hscore_shrunk(z: Float[np.ndarray, "n d"], y: Int[np.ndarray, " n"]) -> float:
    """Return the H-score with a Ledoit-Wolf covariance, tr(S^-1 (1 - a) cov(E[z|y])); higher is better.

    S = (1 - a) C + a tr(C)/d I, C the covariance over n, a the shrinkage of Ledoit and Wolf; the covariance of the
    class means is over n - 1, as in the authors' definition, so that K - 1 may be exceeded by a factor n / (n - 1).
    Invariant under z -> c z + b and rotations. Constant features score 0.
    """
    n, d = z.shape
    x = centred(z)
    level = float((x**2).sum()) / (n * d)
    if level == 0.0:
        return 0.0
    x /= np.sqrt(level)  # now tr(C)/d = 1; the shrinkage is the same
    a = float(ledoit_wolf_shrinkage(x, assume_centered=True))
    x = in_span(x)
    sums = class_sums(x, y) / np.sqrt(np.bincount(y))[:, None]
    solved = solve_shrunk((1 - a) / n * (x.T @ x), a, sums.T)
    return float((1 - a) / (n - 1) * (sums.T * solved).sum())
