"""Correlations per target under resampled or permuted encoders, all resamples at once.

Arrays are x, y (scores or truth): (..., E, T) with NaN for missing cells; w: how often a resample holds each encoder,
(m, E); v: each target, (m, T).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from .cells import Cells

CONSTANT = 1e-12  # variance, beside 1 on the whole table, below which a resample is constant up to rounding


@dataclass(frozen=True)
class Resamples:
    """How often each resample holds each encoder, (m, E), and each target, (m, T)."""

    encoders: Int[np.ndarray, "m e"]
    targets: Int[np.ndarray, "m t"]


def resample(cells: Cells, resamples: int = 2000, seed: int = 0, by: str = "encoder") -> Resamples:
    """Return bootstrap samples of encoders **and** targets, chosen independently of each other.

    The two-way ("pigeonhole") bootstrap of a table whose rows and columns are both samples of larger populations (Owen,
    2007). It is the same for all scores, so that differences of scores are paired.

    Args:
        cells: the table.
        resamples: how many.
        seed: of the samples.
        by: "encoder", or "family" to resample whole families, where encoders of one family resemble each other.

    Raises:
        ValueError: another ``by``.
    """
    if by not in ("encoder", "family"):
        raise ValueError(f"by must be 'encoder' or 'family', got {by!r}; say what is resampled as a whole")
    rng, names = np.random.default_rng(seed), cells.encoders if by == "encoder" else cells.families
    labels = np.unique(np.array(names), return_inverse=True)[1]
    groups, targets = labels.max() + 1, len(cells.targets)
    counts = rng.multinomial(groups, np.full(groups, 1 / groups), size=resamples)[:, labels]
    return Resamples(counts, rng.multinomial(targets, np.full(targets, 1 / targets), size=resamples))


def whole(cells: Cells) -> Resamples:
    """Return the table itself as the only resample."""
    return Resamples(np.ones((1, len(cells.encoders)), int), np.ones((1, len(cells.targets)), int))


def standardised(x: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return x, (..., E, T), with mean 0 and deviation 1 over the known encoders; 0 where unknown or constant."""
    times = np.maximum(known.sum(-2, keepdims=True), 1)
    value = np.where(known, x, 0.0)
    centred = np.where(known, value - value.sum(-2, keepdims=True) / times, 0.0)
    deviation = np.sqrt((centred**2).sum(-2, keepdims=True) / times)
    varied = deviation > 1e-9 * np.abs(value).max(-2, keepdims=True)
    return np.where(varied, centred / np.where(varied, deviation, 1.0), 0.0)


def correlations(x: np.ndarray, y: np.ndarray, w: Int[np.ndarray, "m e"]) -> Float[np.ndarray, "... m t"]:
    """Return Pearson's r of x and y over encoders, (..., E, T) each, for each resample and target: (..., m, T).

    NaN where one of them is constant in the resample.
    """
    known = np.isfinite(x) & np.isfinite(y)
    a, b = standardised(x, known), standardised(y, known)
    return _pearson(*(w @ field for field in (known.astype(float), a, b, a * a, b * b, a * b)))


def partial(xy: np.ndarray, xc: np.ndarray, yc: np.ndarray) -> np.ndarray:
    """Return (r_xy - r_xc r_yc) / sqrt((1 - r_xc^2) (1 - r_yc^2)), arrays of one shape; NaN where c alone determines x or y."""
    left = (1 - xc**2) * (1 - yc**2)
    return np.where(left > 1e-9, (xy - xc * yc) / np.sqrt(np.where(left > 1e-9, left, 1.0)), np.nan)


def permuted_correlations(
    x: Float[np.ndarray, "n e t"], y: Float[np.ndarray, "e t"], orders: Int[np.ndarray, "m e"]
) -> Float[np.ndarray, "n m t"]:
    """Return r of each score with the truth whose encoders are permuted, jointly over all targets: (n, m, T)."""
    known, seen = np.isfinite(x), np.isfinite(y)
    a, b = standardised(x, known), standardised(y, seen)[orders]
    seen = seen[orders].astype(float)
    pairs = ((known, seen), (a, seen), (known, b), (a * a, seen), (known, b * b), (a, b))
    return _pearson(*(np.einsum("net,met->nmt", one, other, optimize=True) for one, other in pairs))


def permutations(n: int, times: int, seed: int) -> Int[np.ndarray, "m n"]:
    """Return random orders of n items, (times, n)."""
    return np.random.default_rng(seed).permuted(np.tile(np.arange(n), (times, 1)), axis=1)


def over_targets(r: Float[np.ndarray, "... m t"], v: Int[np.ndarray, "_ t"]) -> Float[np.ndarray, "... m"]:
    """Return the mean of r over the targets of each resample, those without r left out; NaN where none has it."""
    weight = np.where(np.isfinite(r), v, 0)
    total, times = (weight * np.where(np.isfinite(r), r, 0.0)).sum(-1), weight.sum(-1)
    return np.where(times > 0, total / np.maximum(times, 1), np.nan)


def residuals(x: Float[np.ndarray, "... e t"], weight: np.ndarray) -> np.ndarray:
    """Return x less the additive effects of encoder and target, by weighted least squares; 0 where the weight is 0.

    In a complete table that is x less the means of its row and column plus the mean of all (double centring). Otherwise
    the row means are removed, and then what columns without their row means explain (Frisch and Waugh, 1933).
    """
    times = weight.sum(-1, keepdims=True)
    share = weight / np.where(times > 0, times, 1)
    left = np.where(weight > 0, x, 0.0)
    left -= (share * left).sum(-1, keepdims=True)
    normal = weight.sum(-2)[..., None] * np.eye(x.shape[-1]) - np.swapaxes(weight, -1, -2) @ share
    inverse = np.linalg.pinv(normal, rcond=1e-10, hermitian=True)  # one effect is free
    effect = inverse @ (weight * left).sum(-2)[..., None]
    left -= np.swapaxes(effect, -1, -2) - share @ effect
    return np.where(weight > 0, left, 0.0)


def interactions(
    x: Float[np.ndarray, "n e t"], y: Float[np.ndarray, "e t"], drawn: Resamples
) -> Float[np.ndarray, "n m"]:
    """Return Pearson's r over all cells of what neither encoder nor target explains, of each score and resample, (n, m).

    Each target's x and y are first divided by their standard deviation over encoders, in the resample, so that no
    target counts more because accuracies or scores spread more on it; then the effects of encoders and targets are
    removed from both (``residuals``). NaN where nothing is left of one of them.
    """
    found, before, truth = [], None, np.empty(0)
    for score in x:
        known = np.isfinite(score) & np.isfinite(y)
        if before is None or (known != before).any():  # scores mostly lack the same cells
            truth, before = _unexplained(y, known, drawn), known
        left, weight = _unexplained(score, known, drawn), _cells_of(drawn, known)
        xx, yy, xy = (
            np.einsum("met,met,met->m", weight, *two) for two in ((left, left), (truth, truth), (left, truth))
        )
        least = CONSTANT * weight.sum((1, 2))
        varied = (xx > least) & (yy > least)
        found.append(np.where(varied, xy / np.sqrt(np.where(varied, xx * yy, 1.0)), np.nan))
    return np.array(found).reshape(len(x), len(drawn.encoders))


def _cells_of(drawn: Resamples, known: np.ndarray) -> np.ndarray:
    """How often each resample holds each cell, (m, E, T)."""
    return (drawn.encoders[:, :, None] * drawn.targets[:, None, :] * known).astype(float)


def _unexplained(x: np.ndarray, known: np.ndarray, drawn: Resamples) -> np.ndarray:
    """Residuals of x, (m, E, T), each target scaled to deviation 1 in the resample."""
    unit, times = standardised(x, known), np.maximum(drawn.encoders @ known, 1)
    mean = drawn.encoders @ unit / times
    spread = drawn.encoders @ unit**2 / times - mean**2
    deviation = np.sqrt(np.where(spread > CONSTANT, spread, np.inf))
    return residuals((unit - mean[:, None]) / deviation[:, None], _cells_of(drawn, known))


FEWEST = 5  # our choice: encoders, or families of them, below which resampling them gives no interval


def bracketed(r: float, low: float, high: float) -> str:
    """Return ``r [low, high]`` as text, and that there is no interval where it has no ends."""
    return (
        f"{r:+.2f} [{low:+.2f}, {high:+.2f}]" if np.isfinite([low, high]).all() else f"{r:+.2f} [no interval]"
    )


def interval_text(row: pd.Series, name: str = "mean_r", prefix: str = "") -> str:
    """Return a value with its 95 % interval as text; the ends are in ``<prefix>low`` and ``<prefix>high``."""
    return bracketed(row[name], row[f"{prefix}low"], row[f"{prefix}high"])


def interval(values: Float[np.ndarray, "... m"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the ends of the percentile interval (95 %) of resampled values, and how many resamples had no value."""
    missing = np.isnan(values)
    none = np.asarray(missing.all(-1))
    ends = np.nanpercentile(np.where(np.expand_dims(none, -1), 0.0, values), [2.5, 97.5], axis=-1)
    low, high = np.where(none, np.nan, ends)
    return low, high, missing.sum(-1)


def interval_of(
    cells: Cells, values: Float[np.ndarray, "... m"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what ``interval`` does, without ends where the cells have too few families of encoders to resample."""
    low, high, dropped = interval(values)
    if len(set(cells.families)) < FEWEST:
        low = high = np.full(low.shape, np.nan)
    return low, high, dropped


def _pearson(
    n: np.ndarray, sx: np.ndarray, sy: np.ndarray, sxx: np.ndarray, syy: np.ndarray, sxy: np.ndarray
):
    """Pearson's r from how many, sums, squares and products."""
    n = np.maximum(n, 1)
    xx, yy, xy = sxx / n - (sx / n) ** 2, syy / n - (sy / n) ** 2, sxy / n - sx * sy / n**2
    varied = (xx > CONSTANT) & (yy > CONSTANT)
    r = xy / np.sqrt(np.where(varied, xx * yy, 1.0))
    return np.where(varied, np.clip(r, -1.0, 1.0), np.nan)
