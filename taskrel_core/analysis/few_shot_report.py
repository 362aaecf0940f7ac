"""What the table of small encoders says, in sentences: text with numbers that a page shows."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from .cells import Cells
from .few_shot import interval_text
from .power import smallest_r
from .reliability import kendall_w, noise_ceiling, shared_part
from .study import fisher, leave_one_family_out

PAPER = "euclidean"
ONE_WIDTH = "encoders of one width"


def finding(
    table: pd.DataFrame, names: Mapping[str, str], encoders: int, targets: int, what: str = ONE_WIDTH
) -> str:
    """Say what the Euclidean form, the best form, the best other score and the parts of the bound do.

    Args:
        table: as ``few_shot.summary`` returns it, with a column kind.
        names: what readers call each score.
        encoders: how many.
        targets: how many.
        what: the encoders in words.
    """
    paper = table.loc[PAPER]
    direction = (
        "in the claimed direction"
        if paper["low"] > 0
        else "in the wrong direction"
        if paper["high"] < 0
        else "in no direction that we can tell"
    )
    best = {"relatedness": "form of relatedness", "other metric": "other metric", "control": "control"}
    picked = []
    for kind, words in best.items():
        rows = table[table["kind"] == kind]
        if len(rows):
            name = str(rows["mean_r"].idxmax())
            picked.append(
                f"The best {words}, picked after the fact, is {names.get(name, name)}: {interval_text(rows.loc[name])}."
            )
    loss, transport = table.loc["euclidean_loss"], table.loc["euclidean_transport"]
    reading = (
        ["What the bound is about predicts accuracy; the transport term undoes it."]
        if loss["low"] > 0 > transport["high"]
        else []
    )
    sentences = [
        f"Over {encoders} {what} and {targets} targets, relatedness with the Euclidean cost (the paper's setting) correlates "
        f"with accuracy {direction}.",
        f"Its mean r is {interval_text(paper)} (brackets: 95 % CI; positive: as claimed).",
        f"The loss of the transformed classifier, which the bound bounds, has {interval_text(loss)}.",
        f"The transport term, which the bound adds, has {interval_text(transport)}.",
    ]
    return " ".join([*sentences, *reading, *picked])


def headline(table: pd.DataFrame, encoders: int, targets: int, what: str = "small " + ONE_WIDTH) -> str:
    """Say in two sentences, for the front page, how the Euclidean form, its classifier's loss and a probe correlate.

    Args:
        table: as for ``finding``.
        encoders: how many.
        targets: how many.
        what: the encoders in words.
    """
    paper, loss, probe = (interval_text(table.loc[name]) for name in (PAPER, f"{PAPER}_loss", "probe"))
    return (
        f"over {encoders} {what} and {targets} targets the Euclidean form has mean r = {paper} with few-shot accuracy "
        f"(95 % CI, positive: as claimed). Without the transport term, the loss of its classifier has {loss}; a cross-validated "
        f"probe has {probe}"
    )


def limits(cells: Cells, table: pd.DataFrame, tables: int = 100, families: str = "pre-trainings") -> str:
    """Say what the table can tell: agreement of targets, noise of seeds, power, families and own domains left out.

    Args:
        cells: the table, with the Euclidean form among its scores.
        table: as ``few_shot.summary`` returns it.
        tables: simulated, for the power.
        families: what the families of encoders are, in words.
    """
    several, targets = len(set(cells.families)), len(cells.targets)
    parts = []
    if targets > 1 and len(cells.encoders) > 2:
        agreement = kendall_w(cells)
        parts.append(
            f"Kendall's W of the accuracies is {agreement.w:.2f} over {targets} targets (1: every target orders the encoders "
            "alike)."
        )
    ceiling = noise_ceiling(cells)["ceiling"].dropna()
    if len(ceiling):
        parts.append(
            f"The noise of the seeds limits any score to r = {ceiling.min():.2f} to {ceiling.max():.2f}, by target."
        )
    if targets > 1 and several > 3:
        least = smallest_r(several, targets, shared_part(cells), tables=tables, resamples=200)
        left = leave_one_family_out(cells).loc[PAPER]
        parts.append(
            f"With the {several} {families} as independent, a true mean r of {least:.2f} is told from 0 with power 0.8. "
            f"Without any one of them, the mean r of the Euclidean form lies from {left['lowest']:+.2f} (without "
            f"{left['lowest_without']}) to {left['highest']:+.2f} (without {left['highest_without']})."
        )
    paper = table.loc[PAPER]
    parts.append(
        f"Its mean r less that of the best control ({_words(paper['control'])}) is "
        f"{interval_text(paper, 'difference', 'difference_')}. Without the cells of an encoder's own domain it is "
        f"{paper['without_own']:+.2f}."
    )
    return " ".join(parts)


def cost(seconds: pd.Series, training: float, names: Mapping[str, str], scores: Sequence[str]) -> str:
    """Say how long some scores take in a cell, once features are there, and a fine-tuning beside them.

    Args:
        seconds: by score, as ``seconds_of`` returns it.
        training: seconds of one fine-tuning.
        names: what readers call each score.
        scores: which are told; those without a time are left out.
    """
    known = {name: float(seconds[name]) for name in scores if name in seconds}
    timed = [f"{names.get(name, name)} {spent:.2g} s" for name, spent in known.items() if np.isfinite(spent)]
    return (
        f"Once the features are there, a score of one cell takes (median, one core of a machine that did other work as well): "
        f"{'; '.join(timed)}. One fine-tuning at one learning rate takes {training:.2g} s."
    )


def spread(cells: pd.DataFrame, means: pd.DataFrame) -> str:
    """Say what the transport term follows: the spread of the features, and itself under permuted labels.

    Args:
        cells: columns target, encoder, transport, permuted_transport, effective_rank, accuracy; one row per cell.
        means: the same, the mean of each encoder over targets.
    """
    rank = np.log(means["effective_rank"])
    of_spread, of_accuracy = (float(np.corrcoef(rank, means[c])[0, 1]) for c in ("transport", "accuracy"))
    each = [
        float(np.corrcoef(rows["transport"], rows["permuted_transport"])[0, 1])
        for _, rows in cells.groupby("target")
    ]
    ends = [fisher(r, len(means)) for r in (of_spread, of_accuracy)]
    blind = ends[1][0] < 0 < ends[1][1]
    return (
        "The distribution mismatch grows with how many directions an encoder's features fill, and is in part not about the task: "
        f"over {len(means)} encoders its correlation with the log effective rank is {of_spread:+.2f} "
        f"[{ends[0][0]:+.2f}, {ends[0][1]:+.2f}] (95 % CI), and with the same term under permuted labels {np.mean(each):+.2f} in "
        f"the mean over targets (range {min(each):+.2f} to {max(each):+.2f}). The rank itself correlates with accuracy by "
        f"{of_accuracy:+.2f} [{ends[1][0]:+.2f}, {ends[1][1]:+.2f}]"
        + (", so that spread alone does not explain the negative r of the Euclidean form." if blind else ".")
    )


def searched_for(
    candidates: pd.DataFrame, last: pd.DataFrame, name: str, goal: float = 0.8, match: float = 0.5
) -> str:
    """Say what the search found and how the frozen form did on the last targets.

    Args:
        candidates: index candidate, or "<candidate> loss" for the loss of its classifier; columns mean_r, low, high,
            interaction_r.
        last: rows of ``few_shot.summary``, the frozen form first.
        name: what readers call it.
        goal: mean r that was wanted.
        match: match r that was wanted.
    """
    losses = candidates.index.str.endswith(" loss")
    bounds = candidates[~losses]
    reach = bounds[(bounds["mean_r"] >= goal) & (bounds["interaction_r"] >= match)]
    best = bounds.loc[bounds["mean_r"].idxmax()]
    frozen, control = last.iloc[0], last["control"].iloc[0]
    met = "meets" if frozen["mean_r"] >= goal and frozen["interaction_r"] >= match else "misses"
    return (
        f"{len(reach) or 'None'} of {len(bounds)} candidate bounds reach{'' if len(reach) > 1 else 'es'} a mean r of {goal} and "
        f"a match r of {match} on the targets that the search saw; the best, {best.name}, has {interval_text(best)} (95 % CI). "
        f"The form that was frozen, {name}, has on the last targets a mean r of {interval_text(frozen)} and a match r of "
        f"{interval_text(frozen, 'interaction_r', 'interaction_')}: it {met} the goal there. Its mean r less that of the best "
        f"control ({_words(control)}) is {interval_text(frozen, 'difference', 'difference_')}."
    )


def _words(control: str) -> str:
    """A control as a reader calls it."""
    return {"knn": "nearest neighbours", "probe": "cross-validated probe"}.get(
        control, control.replace("_", " ")
    )
