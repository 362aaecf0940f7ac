"""What the table of small encoders says, in sentences: text with numbers that a page shows."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from .cells import Cells
from .few_shot import own_domain, verdicts
from .power import smallest_r
from .reliability import interaction_ceiling, kendall_w, noise_ceiling, shared_part, variance_split
from .resampling import bracketed, interval_text
from .study import fisher, leave_one_family_out
from .verdicts import by_interval, of_interval

PAPER = "euclidean"
ONE_WIDTH = "encoders of one width"
DRAWN = (
    *(
        PAPER,
        "euclidean_loss",
        "euclidean_transport",
        "one_sided",
        "one_sided_loss",
        "one_sided_logit",
        "components_16",
    ),
    *("probe", "knn", "static_ranker", "reference_accuracy", "log_width", "log_parameters"),
)  # in figures, beside the best other metrics


def finding(
    table: pd.DataFrame, encoders: int, targets: int, what: str = ONE_WIDTH, given: pd.Series | None = None
) -> str:
    """Say how the Euclidean bound correlates with accuracy, and how its classifier's loss and its transport term do.

    Args:
        table: as ``few_shot.summary`` returns it.
        encoders: how many.
        targets: how many.
        what: the encoders in words.
        given: row of ``partial_correlations`` given the log width, where encoders differ in width.
    """
    paper, loss, transport = (table.loc[name] for name in (PAPER, "euclidean_loss", "euclidean_transport"))
    reading = ", and outweighs it" if loss["low"] > 0 > transport["high"] and paper["mean_r"] < 0 else ""
    return (
        f"Over {encoders} {what} and {_of_targets(targets)}, the Euclidean bound (the authors' setting) has mean r = "
        f"{_signed(paper)} (95 % CI; positive: as claimed).{_given_width(paper, given)} For the match of encoder and target, r "
        f"= {interval_text(paper, 'interaction_r', 'interaction_')}. The loss of the classifier that it bounds has "
        f"{interval_text(loss)}. The transport term that it adds has {interval_text(transport)}{reading}."
    )


def short(table: pd.DataFrame, encoders: int, targets: int, given: pd.Series | None = None) -> str:
    """Say the same in few words, without the parts of the bound, beside a probe.

    Args:
        table: as for ``finding``, with the probe.
        encoders: how many.
        targets: how many.
        given: as for ``finding``.
    """
    paper, probe = table.loc[PAPER], table.loc["probe"]
    return (
        f"over {encoders} encoders and {_of_targets(targets)}, mean r = {_signed(paper)} (95 % CI; positive: as claimed)."
        f"{_given_width(paper, given)} Match of encoder and target: {interval_text(paper, 'interaction_r', 'interaction_')}. "
        f"Cross-validated probe: {interval_text(probe)}"
    )


def _signed(row: pd.Series) -> str:
    """The mean r of a score with its interval, and the sign that this interval tells."""
    sign = by_interval(row["low"], row["high"], "positive", "negative", "of no clear sign")
    return f"{interval_text(row)}, {sign}"


def _given_width(paper: pd.Series, given: pd.Series | None) -> str:
    """What the partial r given the log width adds to the sign of the mean r: a text that begins with a blank, or none."""
    if given is None:
        return ""
    if np.isnan(given["low"]):  # few encoders, or all of one width
        return " Given the log width of the features, r has no interval, so the sign is inconclusive."
    first, second = (of_interval(row["low"], row["high"]) for row in (paper, given))
    reading = "."
    if first != second:
        open_end = " This interval contains 0, so an effect of width is not excluded and"
        reading = f".{open_end if second == 'inconclusive' else ' The two intervals disagree, so'} the sign is inconclusive."
    return f" Given the log width of the features, r = {interval_text(given, 'partial_r')}{reading}"


def best_of_each_kind(table: pd.DataFrame, names: Mapping[str, str]) -> str:
    """Name the best form of relatedness, the best other metric and the best control, with their mean r.

    Args:
        table: as for ``finding``, with a column kind.
        names: what readers call each score.
    """
    kinds = {"relatedness": "form of relatedness", "other metric": "other metric", "control": "control"}
    rows = {words: pd.DataFrame(table[table["kind"] == kind]) for kind, words in kinds.items()}
    best = {words: part.loc[part["mean_r"].idxmax()] for words, part in rows.items() if len(part)}
    return ". The ".join(
        f"best {words} is {names.get(str(row.name), str(row.name))}, {interval_text(row)}"
        for words, row in best.items()
    )


def telling(table: pd.DataFrame, others: int = 4) -> pd.DataFrame:
    """Return the rows that a figure shows, in their order: forms, the parts of their bounds, controls, the best other metrics.

    Args:
        table: as for ``best_of_each_kind``.
        others: how many other metrics.
    """
    best = pd.DataFrame(table[table["kind"] == "other metric"]).nlargest(others, "mean_r").index
    return pd.DataFrame(table[table.index.isin([*DRAWN, *best])])


def places(table: pd.DataFrame) -> str:
    """Say where the Euclidean bound and its classifier's loss stand among all scores of the table, best first."""
    order = list(table.sort_values(by="mean_r", ascending=False).index)
    bound, loss = (order.index(name) + 1 for name in (PAPER, f"{PAPER}_loss"))
    return f"The Euclidean bound is number {bound} of {len(order)} scores, the loss of its own classifier number {loss}"


def headline(
    table: pd.DataFrame, encoders: int, targets: int, what: str = ONE_WIDTH, given: pd.Series | None = None
) -> str:
    """Answer for the front page whether the Euclidean bound predicts accuracy, beside the one-sided bound and a probe.

    Args:
        table: as for ``finding``, with the probe.
        encoders: how many.
        targets: how many.
        what: the encoders in words.
        given: as for ``finding``.
    """
    answers = {
        "supported": "yes, the correlation is positive",
        "not supported": "no, the correlation is negative",
    }
    answer = answers.get(verdicts(table.loc[PAPER], given)["sign"], "no evidence that it does")
    others = {"the one-sided bound (ours)": "one_sided", "a cross-validated probe": "probe"}
    said = [
        f"{words} is {interval_text(table.loc[name])}"
        for words, name in others.items()
        if name in table.index
    ]
    paper = f"{answer} (mean r = {interval_text(table.loc[PAPER])} over {encoders} {what} and {_of_targets(targets)})"
    return f"{paper}. There, the mean r of {', that of '.join(said)}"


def limits(
    cells: Cells,
    table: pd.DataFrame,
    names: Mapping[str, str],
    tables: int = 100,
    families: str = "pre-trainings",
) -> str:
    """Say what the table can tell: agreement of targets, noise of seeds, power, families and own domains left out.

    Args:
        cells: the table, with the Euclidean form among its scores.
        table: as ``few_shot.summary`` returns it.
        names: what readers call each target and family.
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
        least, most = (str(target) for target in (ceiling.idxmin(), ceiling.idxmax()))
        parts.append(
            f"From the noise of the seeds, the largest r that a score can reach is estimated as {ceiling.min():.2f} "
            f"({names.get(least, least)}) to {ceiling.max():.2f} ({names.get(most, most)}); where encoders differ little the "
            "estimate is rough, and an observed r can exceed it."
        )
    if np.isfinite(cells.runs).all() and min(cells.runs.shape) > 1 and len(cells.encoders) > 3:
        parts.append(_variance(cells))
    if targets > 1 and several > 3:
        smallest = smallest_r(several, targets, shared_part(cells), tables=tables, resamples=200)
        left = leave_one_family_out(cells).loc[PAPER]
        low, high = (str(left[end]) for end in ("lowest_without", "highest_without"))
        parts.append(
            f"With the {several} {families} as independent, a true mean r of {smallest:.2f} can be detected with power 0.8. "
            f"Leaving out any one of them, the mean r of the Euclidean bound lies between {left['lowest']:+.2f} (without "
            f"{names.get(low, low)}) and {left['highest']:+.2f} (without {names.get(high, high)})."
        )
    paper = table.loc[PAPER]
    parts.append(
        f"The mean r of the Euclidean bound less that of the best control ({_words(paper['control'])}) is "
        f"{interval_text(paper, 'difference', 'difference_')}."
    )
    if own_domain(cells):
        parts.append(
            "Without the cells of an encoder's own domain, the mean r of the Euclidean bound is "
            f"{paper['without_own']:+.2f}."
        )
    return " ".join(parts)


def _variance(cells: Cells) -> str:
    """Say what part of the variance between encoders on a target is the match and the encoder's own, and what match r can reach.

    Of means over seeds; what a seed does to all encoders of a target alike changes no correlation.
    """
    seeds, targets = cells.runs.shape[2], len(cells.targets)
    every = [cells.runs] + [np.delete(cells.runs, t, axis=1) for t in range(targets) if targets > 2]
    parts = pd.DataFrame([variance_split(runs)[["interaction", "encoder", "noise"]] for runs in every])
    parts["noise"] /= seeds
    shares = 100 * parts.div(parts.sum(axis=1), axis=0)
    match, own = (
        f"{shares[name].iloc[0]:.0f} %"
        + (f" ({shares[name].min():.0f} to {shares[name].max():.0f} %)" if targets > 2 else "")
        for name in ("interaction", "encoder")
    )
    bracket = " (in brackets: range when one target is left out)" if targets > 2 else ""
    return (
        f"Of the variance of accuracy between encoders on a target, {match} belongs to the match of encoder and target and {own} "
        f"to the encoder alone; the rest is noise of the seeds{bracket}. A score that knew each accuracy without this noise "
        f"would have a match r of {interaction_ceiling(cells):.2f}."
    )


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


def spread(cells: pd.DataFrame, means: pd.DataFrame, paper: pd.Series) -> str:
    """Say what the transport term follows: the spread of the features, and itself under permuted labels.

    Args:
        cells: columns target, encoder, transport, permuted_transport, effective_rank, accuracy; one row per cell.
        means: the same, the mean of each encoder over targets.
        paper: row of ``mean_correlations`` of the Euclidean bound over the same cells.
    """
    rank = np.log(means["effective_rank"])
    of_spread, of_accuracy = (float(np.corrcoef(rank, means[c])[0, 1]) for c in ("transport", "accuracy"))
    each = [
        float(np.corrcoef(rows["transport"], rows["permuted_transport"])[0, 1])
        for _, rows in cells.groupby("target")
    ]
    ends = [fisher(r, len(means)) for r in (of_spread, of_accuracy)]
    grows = by_interval(*ends[0], "grows with", "falls with", "does not clearly follow")
    blind = ends[1][0] < 0 < ends[1][1] and float(paper["mean_r"]) < 0
    negative = (
        f", so spread alone does not explain the mean r of the Euclidean bound here, {interval_text(paper)}"
    )
    return (
        f"The distribution mismatch {grows} the effective rank of an encoder's features. Over {len(means)} encoders and "
        f"{_of_targets(len(each))} its correlation with the log effective rank is {bracketed(of_spread, *ends[0])} (95 % CI). "
        f"Its correlation with the same term under permuted labels is {np.mean(each):+.2f} on average over targets (range "
        f"{min(each):+.2f} to {max(each):+.2f}). The effective rank itself correlates with accuracy by "
        f"{bracketed(of_accuracy, *ends[1])}{negative if blind else ''}."
    )


def searched_for(
    candidates: pd.DataFrame,
    last: pd.DataFrame,
    names: Mapping[str, str],
    targets: Sequence[str],
    label: Callable[[str], str] = str,
    goal: float = 0.8,
    match: float = 0.5,
) -> str:
    """Say what the search found and how the form that it chose did on the last targets.

    Args:
        candidates: index candidate, or "<candidate> loss" for the loss of its classifier; columns mean_r, low, high,
            interaction_r.
        last: rows of ``few_shot.summary``, the form that was chosen first.
        names: what readers call each score.
        targets: what readers call the last targets.
        label: what readers call a candidate.
        goal: mean r that was wanted.
        match: match r that was wanted.
    """
    bounds = candidates[~candidates.index.str.endswith(" loss")]
    reach = bounds[(bounds["mean_r"] >= goal) & (bounds["interaction_r"] >= match)]
    best = bounds.loc[bounds["mean_r"].idxmax()]
    chosen, control = last.iloc[0], last["control"].iloc[0]
    met = "above" if chosen["mean_r"] >= goal and chosen["interaction_r"] >= match else "below"
    called = last.assign(name=[names.get(str(score), str(score)) for score in last.index])
    better = called[called["mean_r"] > chosen["mean_r"]]
    more = "; ".join(f"{row['name']}, {interval_text(row)}" for _, row in better.iterrows())
    higher = f" Scores with a higher mean r there: {more}." if more else ""
    return (
        f"{'On the targets of the search, yes' if len(reach) else 'No'}. {len(reach) or 'None'} of {len(bounds)} candidate "
        f"bounds reach{'' if len(reach) > 1 else 'es'} the goal on the targets of the search, a mean r of {goal} and a match r "
        f"of {match}. The best ({label(str(best.name))}) has mean r = {interval_text(best)} (95 % CI). On the last "
        f"{_of_targets(len(targets))} ({', '.join(targets)}), the form fixed after the search ({called['name'].iloc[0]}) has "
        f"mean r = {interval_text(chosen)} and match r = {interval_text(chosen, 'interaction_r', 'interaction_')}, {met} the "
        f"goal. Its mean r less that of the best control ({_words(control)}) is "
        f"{interval_text(chosen, 'difference', 'difference_')}.{higher}"
    )


def _words(control: str) -> str:
    """A control as a reader calls it."""
    return {"knn": "nearest neighbours", "probe": "cross-validated probe"}.get(
        control, control.replace("_", " ")
    )


def _of_targets(number: int) -> str:
    """How many targets, in words."""
    return f"{number} target{'s' * (number != 1)}"
