"""How much of the accuracies there is to predict: noise of seeds, agreement of targets, where the variance lies."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy import stats

from .cells import Cells
from .resampling import residuals, standardised


def noise_ceiling(cells: Cells) -> pd.DataFrame:
    """Return the correlation that a score could reach which knew each encoder's accuracy free of the seeds' noise.

    Reliability of the mean over k seeds, ICC(C, k): 1 - noise^2 / (k s^2), with noise^2 the variance of accuracy around
    additive effects of encoder and seed, since a seed that is good or bad for all encoders changes no correlation, and
    s^2 the variance of the means over encoders. The attainable r is its square root, in expectation. (McGraw and Wong,
    1996; where cells have different numbers of seeds, 1/k is their mean.)

    Returns:
        Index target; encoders, seeds (mean number), sd (between encoders), seed_sd (of one training), reliability (below
        0 where seeds differ more than encoders, NaN with one seed), ceiling (sqrt of it, at least 0).
    """
    lines = []
    for t, target in enumerate(cells.targets):
        times, noise = _noise(cells.runs[:, t])
        means = cells.truth[:, t][times > 0]
        sd = float(np.std(means, ddof=1)) if len(means) > 1 else float("nan")
        line = {
            "target": target,
            "encoders": len(means),
            "seeds": times[times > 0].mean() if len(means) else 0.0,
        }
        share = noise * np.mean(1 / times[times > 0]) / sd**2 if sd > 0 else float("nan")
        lines.append(line | {"sd": sd, "seed_sd": noise**0.5, "reliability": 1 - share})
    table = pd.DataFrame(lines).set_index("target")
    return table.assign(ceiling=np.sqrt(table["reliability"].clip(lower=0)))


def interaction_ceiling(cells: Cells) -> float:
    """Return the interaction r that a score could reach which knew each accuracy free of the seeds' noise.

    sqrt(1 - f q / Q): Q the sum of squares of the truth without effects of encoder and target, each target scaled to
    deviation 1; f its degrees of freedom (cells - E - T + 1); q the noise of a mean over seeds in the same scale, in the
    mean over cells. The scale is itself estimated, which (n - 3) / (n - 1) allows for, n encoders of a normal
    distribution. 0 where noise explains all of it; NaN with one seed.
    """
    truth = cells.truth
    known = np.isfinite(truth)
    left = residuals(standardised(truth, known), known.astype(float))
    n, shares = known.sum(0), 1 - noise_ceiling(cells)["reliability"].to_numpy()
    scale = n / (n - 1) * (n - 3) / (n - 1)  # n / (n - 1): "standardised" divides by n
    freedom = known.sum() - known.any(1).sum() - known.any(0).sum() + 1
    explained = 1 - freedom * np.average(shares * scale, weights=n) / (left**2).sum()
    return float(np.sqrt(max(explained, 0.0))) if np.isfinite(explained) else float("nan")


def _noise(runs: Float[np.ndarray, "e s"]) -> tuple[np.ndarray, float]:
    """Trainings of each encoder, (E,), and the variance left by encoders and seeds; NaN where none can be left."""
    ran = np.isfinite(runs)
    freedom = ran.sum() - ran.any(1).sum() - ran.any(0).sum() + 1
    left = residuals(runs, ran.astype(float))
    return ran.sum(1), float((left**2).sum() / freedom) if freedom > 0 else float("nan")


class Agreement(NamedTuple):
    """Kendall's W, its p value, and of how many encoders and targets."""

    w: float
    p: float
    encoders: int
    targets: int


def kendall_w(cells: Cells) -> Agreement:
    """Return Kendall's W of the truth: 1 where all targets order the encoders alike, 0 where they do not agree at all.

    Friedman's statistic over T (E - 1), corrected for ties, and its chi-squared p value; 1/T is expected by chance. It
    is ((T - 1) mean Spearman of pairs of targets + 1) / T. Encoders that lack a target do not count. NaN where every
    target has one accuracy for all.

    Raises:
        ValueError: fewer than 3 encoders or 2 targets are complete.
    """
    truth = cells.truth[np.isfinite(cells.truth).all(1)]
    e, t = truth.shape
    if e < 3 or t < 2:
        raise ValueError(
            f"cells must have at least 3 encoders with all of at least 2 targets, got {e} and {t}; "
            "leave out the targets that encoders lack"
        )
    if (np.ptp(truth, axis=0) == 0).all():
        return Agreement(float("nan"), float("nan"), e, t)
    found = stats.friedmanchisquare(*truth)
    return Agreement(float(found.statistic) / (t * (e - 1)), float(found.pvalue), e, t)


def variance_split(runs: Float[np.ndarray, "e t s"]) -> pd.Series:
    """Return the variance components of accuracy, of one training, in squared units of accuracy.

    Random effects by the analysis of variance: encoder, target, interaction (encoder x target), seed (common to all
    encoders of a target), noise (the rest). An estimate below 0 is 0.

    Args:
        runs: accuracy of each encoder, target and seed.

    Raises:
        ValueError: a training is missing, or fewer than 2 encoders, targets or seeds.
    """
    e, t, s = runs.shape
    if not np.isfinite(runs).all() or min(e, t, s) < 2:
        raise ValueError(
            f"runs must hold every seed of at least 2 encoders, targets and seeds, got {e}, {t} and {s} with "
            f"{(~np.isfinite(runs)).sum()} trainings missing; keep complete encoders and seeds"
        )
    cell, seed = runs.mean(2), runs.mean(0)
    left = runs - cell[:, :, None] - seed[None] + seed.mean(1)[:, None]
    noise = (left**2).sum() / (t * (e - 1) * (s - 1))
    of_seed = e * ((seed - seed.mean(1, keepdims=True)) ** 2).sum() / (t * (s - 1))
    both = s * (residuals(cell, np.ones((e, t))) ** 2).sum() / ((e - 1) * (t - 1))
    of_encoder, of_target = s * t * cell.mean(1).var(ddof=1), s * e * cell.mean(0).var(ddof=1)
    components = {
        "encoder": (of_encoder - both) / (s * t),
        "target": (of_target - both - of_seed + noise) / (s * e),
        "interaction": (both - noise) / s,
        "seed": (of_seed - noise) / e,
        "noise": noise,
    }
    return pd.Series(components).clip(lower=0.0)


def shared_part(cells: Cells) -> float:
    """Return the mean correlation of pairs of targets over encoders, from 0 to 1: 1 where targets repeat each other.

    With targets scaled alike it is the part of the variance within a target that is the encoder's own, as ``power``
    takes it. Targets on which all encoders are equal do not count.
    """
    table = pd.DataFrame(cells.truth).corr().to_numpy()
    pairs = table[np.triu_indices(len(table), 1)]
    return float(np.clip(np.nanmean(pairs), 0.0, 1.0)) if np.isfinite(pairs).any() else float("nan")
