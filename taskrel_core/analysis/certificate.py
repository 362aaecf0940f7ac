"""Bounds against losses in sentences: in how many runs the loss exceeds the bound, and on which targets."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from .correlation import mean_interval


def violations(runs: pd.DataFrame, names: Mapping[str, str], where: str = "") -> str:
    """Say in how many runs the loss on test samples exceeds the bound, with an interval over targets.

    Args:
        runs: rows of ``Certificate``.
        names: what readers call each target.
        where: what the targets of such runs have in common, for instance "whose test typefaces differ"; "" for nothing.

    Returns:
        Text such as "in 3 of 4 runs: 2 of 2 on digits and 1 of 2 on USPS"; then, where targets differ, the 95 % interval of
        the fraction, whole targets resampled.
    """
    above = runs["loss_new"] > runs["bound"]
    each = above.groupby(runs["target"], sort=False).agg(["sum", "size"])
    found, others = each[each["sum"] > 0], int((each["sum"] == 0).sum())
    text = f"in {int(above.sum())} of {len(runs)} runs"
    if found.empty:
        return text
    parts = [f"{k} of {n} on {names.get(str(target), str(target))}" for target, k, n in found.itertuples()]
    text += f": {' and '.join(parts)}{f' ({where})' if where else ''}"
    text += f", none on the other {others} target{'s' * (others > 1)}" if others else ""
    if np.ptp(each["sum"] / each["size"]) == 0:
        return text
    mean, low, high = mean_interval(above, runs["target"].tolist())
    return f"{text}. With the {len(each)} targets resampled, the fraction is {mean:.2f} (95 % CI {low:.2f} to {high:.2f})"
