"""The sum of NCTI's three parts over a pool of encoders."""

import numpy as np
from numpy.typing import ArrayLike


def pool_index(ncc: ArrayLike, seli: ArrayLike, vc: ArrayLike) -> np.ndarray:
    """Return NCTI of each encoder of a pool on one target, (n,), from -1 to 2; higher is better.

    The sum of the three parts, each scaled from 0 (worst of the pool) to 1 (best), less 1, as released; so it depends on
    which encoders are compared. A part that is the same for all adds 0 to each.

    Args:
        ncc: ``ncti_ncc`` of each encoder, (n,).
        seli: ``ncti_seli``, (n,).
        vc: ``ncti_vc``, (n,).

    Raises:
        ValueError: a value is not finite, or lengths differ.
    """
    parts = [np.asarray(part, dtype=float) for part in (ncc, seli, vc)]
    if len({part.shape for part in parts}) > 1 or not all(np.isfinite(part).all() for part in parts):
        raise ValueError(
            f"ncc, seli and vc must be finite, one value per encoder, got shapes {[part.shape for part in parts]}; "
            "leave out encoders that lack one"
        )
    spans = [np.ptp(part) for part in parts]
    scaled = [(part - part.min()) / (span or 1.0) for part, span in zip(parts, spans, strict=True)]
    return np.sum(scaled, axis=0) - 1.0
