"""What the table of fine-tuned encoders says: tables and sentences with numbers that a page shows.

Correlations are oriented, so that positive is as claimed; only beneath the poster's own numbers they have its signs.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from .cells import Cells
from .power import smallest_r
from .reliability import shared_part
from .resampling import bracketed, interval_text, residuals, standardised
from .study import differences, mean_correlations
from .width import SIZE, STATIC, WIDTH, judged, of_width

FEW = 15  # our choice: encoders below which the finding says that a percentile bootstrap covers less than it should
COLUMNS = ("mean_r", "low", "high", "fisher_low", "fisher_high")


def signed(table: pd.DataFrame, higher_is_better: Mapping[str, bool]) -> pd.DataFrame:
    """Return the table of ``mean_correlations`` with each score's own sign, as on the poster: relatedness negative.

    Args:
        table: index score, oriented so that positive is as claimed; interval ends change places with the sign.
        higher_is_better: of each score; those that it does not name are.
    """
    shown = table.copy()
    for name in shown.index[[not higher_is_better.get(str(score), True) for score in shown.index]]:
        r, low, high, first, last = (float(value) for value in table.loc[name, list(COLUMNS)])
        shown.loc[name, list(COLUMNS)] = [-r, -high, -low, -last, -first]
    return shown


def overview(cells: Cells) -> pd.DataFrame:
    """Return one row per score, strongest first: mean r with both intervals, p, regret, rel@1.

    Args:
        cells: of trained encoders, with the controls of ``encoder_cells``.
    """
    return mean_correlations(cells).sort_values(by="mean_r", ascending=False).dropna(subset=["mean_r"])


def width_table(cells: Cells, scores: Sequence[str], names: Mapping[str, str]) -> pd.DataFrame:
    """Return what log width explains of some scores.

    Args:
        cells: as for ``overview``.
        scores: their names.
        names: what readers call each.
    """
    lines = []
    for score in scores:
        found = of_width(cells, score)
        equal, partial = (
            bracketed(r, low, high) if np.isfinite(r) else "constant"
            for r, low, high in (found.equal, found.partial)
        )
        lines.append(
            {
                "score": names.get(score, score),
                "r with log d": found.with_width,
                f"r, {found.encoders} encoders with d = {found.width:,}": equal,
                "r given log d": partial,
            }
        )
    return pd.DataFrame(lines)


def answer(cells: Cells, kinds: Mapping[str, Sequence[str]], names: Mapping[str, str]) -> str:
    """Say what the authors' setting does, which form of relatedness is strongest, and whether that beats the best control.

    Args:
        cells: as for ``overview``.
        kinds: scores by kind: the forms of relatedness, "paper" among them, first; then the controls.
        names: what readers call each score.
    """
    table = overview(cells)
    forms, controls = ([score for score in list(kinds.values())[k] if score in table.index] for k in (0, 1))
    form = next(str(score) for score in table.index if score in forms)
    gap = differences(cells, controls).loc[form]
    better = "does better than" if gap["low"] > 0 else "differs from"
    evidence = "It" if gap["low"] > 0 else "We find no evidence that it"
    narrow = (
        " With so few encoders a bootstrap interval is somewhat too narrow; the table has Fisher's beside it."
        if len(cells.encoders) < FEW
        else ""
    )
    return (
        f"Over {len(cells.encoders)} trained encoders and {len(cells.targets)} targets, the Euclidean cost (the authors' "
        f"setting) has mean r = {interval_text(table.loc['paper'])} with fine-tuned accuracy (95 % CI, positive: as claimed); "
        f"{of_equal_width(cells)}. Of the forms of relatedness, {names[form].removeprefix('relatedness, ')} correlates most "
        f"strongly ({interval_text(table.loc[form])}, chosen after the fact). {evidence} {better} the control "
        f"{names[str(gap['control'])]}, which sees no target (difference {interval_text(gap, 'difference')}).{narrow}"
    )


def of_equal_width(cells: Cells, score: str = "paper") -> str:
    """Say how a score correlates with accuracy among the encoders of the most common width."""
    width = of_width(cells, score)
    return f"at equal width ({width.encoders} encoders) it has {bracketed(*width.equal)}"


def sign_judged(cells: Cells) -> str:
    """Say where the sign of the Euclidean form is judged, and with which result."""
    where, found = judged(of_width(cells, "paper"))
    if not np.isfinite(found).all():
        return "With so few encoders the sign cannot be judged apart from width."
    return f"The sign is judged {where}, where the Euclidean form has {bracketed(*found)}."


def against_controls(
    cells: Cells, controls: Sequence[str], names: Mapping[str, str], resamples: int = 2000
) -> str:
    """Say how many scores correlate with accuracy better than the best control, which sees no target, beyond resampling.

    Args:
        cells: as for ``overview``.
        controls: names of scores.
        names: what readers call each score.
        resamples: bootstrap samples of encoders and targets.
    """
    gaps = differences(cells, controls, resamples).drop(index=list(controls)).dropna(subset="difference")
    better, worse = int((gaps["low"] > 0).sum()), int((gaps["high"] < 0).sum())
    control = names.get(str(gaps["control"].iloc[0]), str(gaps["control"].iloc[0]))
    return (
        f"Of {len(gaps)} scores {better or 'none'} correlate{'s' if better < 2 else ''} better and {worse or 'none'} worse than "
        f"the best of {len(controls)} controls ({control}), by the 95 % CI of the difference; the other "
        f"{len(gaps) - better - worse} cannot be distinguished from it."
    )


def power_text(cells: Cells, score: str, name: str, tables: int = 60) -> str:
    """Say which correlation the table could tell from 0, and how much of a score is about the match.

    Args:
        cells: as for ``overview``.
        score: whose variance is split.
        name: what readers call it.
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
        f"(simulated). Of the variance of {name} within targets, {share:.0%} is a match of encoder and target; the rest "
        "ranks encoders alike on every target"
    )


def beside_poster(poster: pd.DataFrame, summary: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Return one row per score of the poster: its printed mean, ours, and its cells.

    Args:
        poster: as ``poster_table`` returns it, with our names of the scores as index.
        summary: as ``overview`` returns it, with the poster's signs (``signed``).
        names: what readers call each score.
    """
    ours = [interval_text(summary.loc[name]) if name in summary.index else "not run" for name in poster.index]
    means = {
        "score": [names.get(str(name), str(name)) for name in poster.index],
        "mean, poster": poster["printed"],
    }
    return pd.DataFrame(
        means | {"mean, ours [95 % CI]": ours} | dict(poster.drop(columns=["sign", "mean", "printed"]))
    ).reset_index(drop=True)


def widths(scores: pd.DataFrame) -> dict[str, int]:
    """Return the width of each encoder's features, from rows of ``Scoring``."""
    return {str(encoder): int(d) for encoder, d in scores.groupby("encoder")["d"].first().items()}


CONTROLS = ("reference_accuracy", STATIC, WIDTH, SIZE, "log_tau")
