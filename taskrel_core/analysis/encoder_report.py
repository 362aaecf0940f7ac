"""What the table of fine-tuned encoders says: tables and sentences with numbers that a page shows.

Correlations are printed with the sign that the score itself has, as on the poster: negative is right for relatedness.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from .cells import Cells
from .power import smallest_r
from .reliability import shared_part
from .resampling import residuals, standardised
from .study import differences, mean_correlations
from .width import SIZE, STATIC, WIDTH, of_width

FEW = 15  # our choice: encoders below which the finding says that a percentile bootstrap covers less than it should
COLUMNS = ("mean_r", "low", "high", "fisher_low", "fisher_high")


def signed(table: pd.DataFrame, higher_is_better: Mapping[str, bool]) -> pd.DataFrame:
    """Return the table of ``mean_correlations`` with each score's own sign; interval ends change places with it.

    Args:
        table: index score, oriented so that positive is as claimed.
        higher_is_better: of each score; those that it does not name are.
    """
    shown = table.copy()
    for name in shown.index[[not higher_is_better.get(str(score), True) for score in shown.index]]:
        r, low, high, first, last = (float(value) for value in table.loc[name, list(COLUMNS)])
        shown.loc[name, list(COLUMNS)] = [-r, -high, -low, -last, -first]
    return shown


def interval(row: pd.Series, name: str = "mean_r", low: str = "low", high: str = "high") -> str:
    """Return ``r [low, high]`` as text."""
    return f"{row[name]:+.2f} [{row[low]:+.2f}, {row[high]:+.2f}]"


def overview(cells: Cells, higher_is_better: Mapping[str, bool]) -> pd.DataFrame:
    """Return one row per score, strongest first: mean r with both intervals, p, regret, rel@1.

    Args:
        cells: of trained encoders, with the controls of ``encoder_cells``.
        higher_is_better: of each score.
    """
    table = mean_correlations(cells)
    order = table.sort_values(by="mean_r", ascending=False).index
    return signed(table, higher_is_better).loc[order].dropna(subset=["mean_r"])


def width_table(
    cells: Cells, scores: Sequence[str], higher_is_better: Mapping[str, bool], names: Mapping[str, str]
) -> pd.DataFrame:
    """Return what log width explains of some scores, each with its own sign.

    Args:
        cells: as for ``overview``.
        scores: their names.
        higher_is_better: of each score.
        names: what readers call each.
    """
    lines = []
    for score in scores:
        found, sign = of_width(cells, score), 1 if higher_is_better.get(score, True) else -1

        def text(value: tuple[float, float, float], sign: int = sign) -> str:
            if not np.isfinite(value[0]):
                return "constant"
            low, high = sorted((sign * value[1], sign * value[2]))
            return f"{sign * value[0]:+.2f} [{low:+.2f}, {high:+.2f}]"

        lines.append(
            {
                "score": names.get(score, score),
                "r with log d": sign * found.with_width,
                f"r, {found.encoders} encoders with d = {found.width:,}": text(found.equal),
                "r given log d": text(found.partial),
            }
        )
    return pd.DataFrame(lines)


def answer(
    cells: Cells,
    kinds: Mapping[str, Sequence[str]],
    names: Mapping[str, str],
    higher_is_better: Mapping[str, bool],
) -> str:
    """Say which form of relatedness is strongest, whether it beats the best control, and what the paper's setting does.

    Args:
        cells: as for ``overview``.
        kinds: scores by kind: the forms of relatedness, "paper" among them, first; then the controls.
        names: what readers call each score.
        higher_is_better: of each score.
    """
    table = overview(cells, higher_is_better)
    forms, controls = ([score for score in list(kinds.values())[k] if score in table.index] for k in (0, 1))
    form = next(str(score) for score in table.index if score in forms)
    gap = differences(cells, controls).loc[form]
    better = "does better than" if gap["low"] > 0 else "differs from"
    evidence = "It" if gap["low"] > 0 else "We find no evidence that it"
    width = of_width(cells, "paper")
    equal = width.equal[0]
    narrow = (
        " With so few encoders a bootstrap interval is somewhat too narrow; the table has Fisher's beside it."
        if len(cells.encoders) < FEW
        else ""
    )
    return (
        f"Over {len(cells.encoders)} trained encoders and {len(cells.targets)} targets, the "
        f"{names[form].removeprefix('relatedness, ')} form of relatedness correlates most strongly with fine-tuned accuracy "
        f"(mean r = {interval(table.loc[form])}, 95 % CI; chosen after the fact). {evidence} {better} the control "
        f"{names[str(gap['control'])]}, which sees no target (difference {interval(gap, 'difference')}, 95 % CI). The "
        f"Euclidean cost (the paper's setting) has mean r = {interval(table.loc['paper'])}, 95 % CI; it correlates with the "
        f"log width of the features by {-width.with_width:+.2f}, and at equal width ({width.encoders} encoders) its mean r is "
        f"{-equal:+.2f}.{narrow}"
    )


def against_controls(cells: Cells, controls: Sequence[str], resamples: int = 2000) -> str:
    """Say how many scores correlate with accuracy better than the best control, which sees no target, beyond resampling.

    Args:
        cells: as for ``overview``.
        controls: names of scores.
        resamples: bootstrap samples of encoders and targets.
    """
    gaps = differences(cells, controls, resamples).drop(index=list(controls)).dropna(subset="difference")
    better, worse = int((gaps["low"] > 0).sum()), int((gaps["high"] < 0).sum())
    control = gaps["control"].iloc[0].replace("_", " ")
    return (
        f"Of {len(gaps)} scores {better or 'none'} correlate{'s' if better < 2 else ''} better than the best control "
        f"({control}) and {worse or 'none'} worse, beyond what resampling explains; {len(gaps) - better - worse} cannot be "
        "distinguished from it."
    )


def power_text(cells: Cells, score: str, tables: int = 60) -> str:
    """Say which correlation the table could tell from 0, and how much of a score is about the match.

    Args:
        cells: as for ``overview``.
        score: whose variance is split.
        tables: simulated.
    """
    least = smallest_r(
        len(cells.encoders), len(cells.targets), shared_part(cells), tables=tables, resamples=200
    )
    value = cells.scores[score]
    known = np.isfinite(value)
    unit = standardised(value, known)
    share = (residuals(unit, known.astype(float)) ** 2).sum() / (unit**2).sum()
    found = (
        f"a true mean r of {least:.2f} or more" if np.isfinite(least) else "not even a true mean r of 0.99"
    )
    return (
        f"A table of {len(cells.encoders)} encoders and {len(cells.targets)} targets detects {found} with power 0.8 "
        f"(simulated). Of the variance of this score within targets, {share:.0%} is a match of encoder and target; the rest "
        "ranks encoders alike on every target"
    )


def beneath(targets: Sequence[str], summary: pd.DataFrame, score: str) -> dict[str, str]:
    """Return the cells beneath a row of the poster's table: its targets were not run here, the mean is ours.

    Args:
        targets: columns of the poster's table, the last its mean.
        summary: as ``overview`` returns it.
        score: name of the row.
    """
    cells = dict.fromkeys(targets, "not run")
    known = score in summary.index
    return cells | {targets[-1]: interval(summary.loc[score]) if known else "not run"}


def widths(scores: pd.DataFrame) -> dict[str, int]:
    """Return the width of each encoder's features, from rows of ``Scoring``."""
    return {str(encoder): int(d) for encoder, d in scores.groupby("encoder")["d"].first().items()}


CONTROLS = ("reference_accuracy", STATIC, WIDTH, SIZE, "log_tau")
