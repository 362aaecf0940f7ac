"""Centred features, class sums and shrunk covariances, for several metrics."""

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int

EPS = float(np.finfo(np.float64).eps)


def centred(z: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Return z minus its mean, (n, d); a column that is constant up to rounding becomes exactly 0."""
    x = z - z.mean(0)
    x -= x.mean(0)
    x[:, np.abs(x).max(0) <= 4 * EPS * np.abs(z).max(0)] = 0.0
    return x


def power_of_two(x: Float[np.ndarray, "n d"]) -> float:
    """Return the power of two next above the largest size in x, to divide by without rounding; 1 where all are 0."""
    return float(np.ldexp(1.0, int(np.frexp(np.abs(x).max())[1])))


def in_span(x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n r"]:
    """Return x in an orthonormal basis of its rows where n < d, else x itself: lengths and angles stay."""
    if len(x) >= x.shape[1]:
        return x
    return np.asarray(np.linalg.qr(x.T, mode="r")).T


def class_sums(x: Float[np.ndarray, "n d"], y: Int[np.ndarray, " n"]) -> Float[np.ndarray, "k d"]:
    """Return the sum of the rows of each class, (K, d)."""
    return indicator(y).T @ x


def indicator(y: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n k"]:
    """Return the one-hot labels, (n, K)."""
    return np.eye(int(y.max()) + 1)[y]


def within(x: Float[np.ndarray, "n d"], y: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n d"]:
    """Return each row minus the mean of its class, (n, d)."""
    means = class_sums(x, y) / np.bincount(y)[:, None]
    return x - means[y]


def canonical_order(z: Float[np.ndarray, "n d"]) -> Int[np.ndarray, " n"]:
    """Return the order of the rows by their first feature, ties by the second, and so on.

    It depends neither on the order given nor on the scale and the origin of the features, so that in it a seed always
    selects the same samples.
    """
    rank = np.zeros(len(z), dtype=np.int64)
    for column in z.T:
        order = np.lexsort((column, rank))
        new = (np.diff(rank[order]) > 0) | (np.diff(column[order]) > 0)
        rank[order[1:]] = new.cumsum()
        rank[order[0]] = 0
        if new.all():
            break
    return np.argsort(rank, kind="stable")


def solve_shrunk(scatter: np.ndarray, ridge: float, right: np.ndarray) -> np.ndarray:
    """Return (scatter + ridge I)^-1 right; by eigenvalues where rounding may make the sum indefinite."""
    if ridge > 1e-6 * np.trace(scatter):
        whole = scatter + ridge * np.eye(len(scatter))
        return scipy.linalg.solve(whole, right, assume_a="pos", check_finite=False)
    values, vectors = scipy.linalg.eigh(scatter, driver="evd", check_finite=False)
    values = np.maximum(values, 0.0) + ridge
    kept = values > len(values) * EPS * 1e-10 * values.max()
    inverse = np.divide(1.0, values, out=np.zeros_like(values), where=kept)
    return vectors @ (inverse[:, None] * (vectors.T @ right))
