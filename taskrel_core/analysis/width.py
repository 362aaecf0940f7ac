"""Whether a score ranks encoders or only reads the width of their features."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from .cells import Cells, read_cells, static_ranker
from .resampling import FEWEST, correlations, whole
from .study import mean_correlations, mean_r, partial_correlations
from .verdicts import of_interval

STATIC, WIDTH, SIZE = "static_ranker", "log_width", "log_parameters"


def encoder_cells(
    trainings: pd.DataFrame,
    scores: pd.DataFrame,
    columns: Sequence[str],
    higher_is_better: Mapping[str, bool],
    encoders: Sequence[str],
    parameters: Mapping[str, int | None] | None = None,
) -> Cells:
    """Return the cells of fine-tuned encoders with controls that see no target: static ranker, log width, log parameters.

    Args:
        trainings: rows of ``FineTuning``, one learning rate per cell.
        scores: rows of ``Scoring``; those of one cell are averaged.
        columns: names of the scores.
        higher_is_better: of each score.
        encoders: which are kept, in this order.
        parameters: of each encoder, None where it is not known; None: without that control.
    """
    kept = trainings[trainings["encoder"].isin(list(encoders))]
    truth = kept[["encoder", "target", "seed"]].assign(truth=kept["fine_tuned"])
    long = scores.melt(["encoder", "target"], columns, var_name="score").dropna(subset="value")
    cells = read_cells(truth, long[long["encoder"].isin(list(encoders))], higher_is_better)
    width = np.log(scores.groupby("encoder")["d"].first().loc[list(cells.encoders)].to_numpy(float))
    cells = cells.with_score(STATIC, static_ranker(cells))
    cells = cells.with_score(WIDTH, np.repeat(width[:, None], len(cells.targets), axis=1))
    if parameters is None:
        return cells
    size = np.log([parameters[name] or np.nan for name in cells.encoders])
    return cells.with_score(SIZE, np.repeat(size[:, None], len(cells.targets), axis=1))


class OfWidth(NamedTuple):
    """What width explains of a score; correlations are means over targets, oriented so that positive is as claimed."""

    with_width: float  # of the score with log width
    width_alone: float  # of log width with accuracy
    partial: tuple[float, float, float]  # given log width, with its 95 % interval
    encoders: int  # that share the most common width
    width: int
    equal: tuple[float, float, float]  # among those, with its 95 % interval


def of_width(cells: Cells, score: str, resamples: int = 2000, seed: int = 0) -> OfWidth:
    """Return what log width explains of a score.

    Args:
        cells: as ``encoder_cells`` returns them.
        score: its name.
        resamples: bootstrap samples of encoders and targets.
        seed: of the samples.
    """
    cells = replace(
        cells, scores={name: cells.scores[name] for name in (score, WIDTH)}
    )  # no other is resampled
    wide = cells.scores[WIDTH]
    both = correlations(cells.scores[score][None], wide, whole(cells).encoders)
    log_width = wide[:, 0]
    values, times = np.unique(log_width, return_counts=True)
    rows = log_width == values[times.argmax()]
    alone = mean_r(cells)[list(cells.scores).index(WIDTH)]
    partial = partial_correlations(cells, WIDTH, resamples, seed).loc[score, ["partial_r", "low", "high"]]
    equal = mean_correlations(cells.keep(rows), resamples, seed).loc[score, ["mean_r", "low", "high"]]
    first, second = (tuple(float(v) for v in found) for found in (partial, equal))
    size = round(float(np.exp(values[times.argmax()])))
    return OfWidth(
        float(np.nanmean(both)), float(alone), (first[0], first[1], first[2]), int(rows.sum()), size,
        (second[0], second[1], second[2]),
    )  # fmt: skip


def judged(found: OfWidth) -> tuple[str, tuple[float, float, float]]:
    """Return where the sign of a score is judged, in words, and its r there with its interval.

    Among encoders of one width, or given log width where too few share one for an interval.
    """
    return ("at equal width", found.equal) if found.encoders >= FEWEST else ("given log width", found.partial)


def sign_verdict(found: OfWidth) -> str:
    """Judge the sign of a score where width cannot explain it."""
    return of_interval(*judged(found)[1][1:])
