"""What the table of correlations says, in sentences: text with numbers that a page shows."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from .ranking import format_intervals, over_targets, strength, strength_difference


def answer(each: pd.DataFrame, kinds: Mapping[str, Sequence[str]], names: Mapping[str, str]) -> str:
    """Say which score is strongest, and whether the best form of relatedness beats the best control.

    Args:
        each: as ``ranking.correlations`` returns it, for one set of encoders.
        kinds: names of kinds of scores, and the scores of each; those that ``each`` lacks do not count. The first kind are
            forms of relatedness, "paper" among them, the second controls.
        names: what readers call each score.
    """
    best, mean, interval = _best(each, kinds)
    leads = max(best, key=lambda kind: strength(mean)[best[kind]])
    listed = "; ".join(
        f"the best {kind} is {names[score]}, {interval[score]}" for kind, score in best.items()
    )
    form, control = list(best.values())[:2]
    gap = strength_difference(each, form, control)
    does = "does" if float(gap["low"].iloc[0]) > 0 else "is not shown to do"
    sign = "the wrong sign" if mean.loc["paper", "pearson"] > 0 else "the right sign"
    return (
        f"The strongest score over the {int(each['n'].max())} trained encoders and {each['target'].nunique()} targets is "
        f"{names[best[leads]]}, of the kind: {leads}. In mean r, {listed}. The best form's strength less that of the best "
        f"control is {format_intervals(gap)[0]}: looking at the target {does} better than not looking "
        f"at it. The paper's form has {interval['paper']}, {sign}. "
        "Which one of a kind is best is picked after the fact."
    )


def comparison(each: pd.DataFrame, kinds: Mapping[str, Sequence[str]], names: Mapping[str, str]) -> str:
    """Say the mean r of the paper's form, the logit form, the best of the last kind, and the reference's accuracy.

    Args:
        each: as for ``answer``.
        kinds: as for ``answer``.
        names: what readers call each score.
    """
    best, _, interval = _best(each, kinds)
    kind, score = list(best.items())[-1]
    return (
        f"mean r over {each['target'].nunique()} targets, {int(each['n'].max())} trained encoders: paper's form "
        f"{interval['paper']}, logit {interval['logit']}; best {kind}, {names[score]}, {interval[score]}; "
        f"reference accuracy alone, which sees no target, {interval['reference_accuracy']}"
    )


def _best(
    each: pd.DataFrame, kinds: Mapping[str, Sequence[str]]
) -> tuple[dict[str, str], pd.DataFrame, dict[str, str]]:
    """The strongest score of each kind, the means over targets, and their intervals as text."""
    mean = over_targets(each).set_index("score")
    power = strength(mean)
    best = {kind: str(power[power.index.isin(scores)].idxmax()) for kind, scores in kinds.items()}
    return best, mean, dict(zip(mean.index, format_intervals(mean), strict=True))


def repetitions(means: Sequence[pd.Series], names: Mapping[str, str]) -> str:
    """Return each score's mean r in each of several repetitions, as ``name r, r, r; name ...``.

    Args:
        means: as ``ranking.mean_r`` returns it, one for each repetition.
        names: what readers call each score.
    """
    return "; ".join(
        f"{names[score]} " + ", ".join(f"{r[score]:+.2f}" for r in means) for score in means[0].index
    )


def costs(scores: pd.DataFrame, accuracies: pd.DataFrame, forms: Sequence[str]) -> str:
    """Say how many seconds the scores took, and what part of a fine-tuning that is.

    Args:
        scores: rows of ``Scoring``, with a column seconds_<name> for each score.
        accuracies: as ``select_learning_rate`` returns them.
        forms: the forms of relatedness; all other scores that are there are added up.
    """
    tuning = float(accuracies["seconds"].median())
    known = [name for name in scores if f"seconds_{name}" in scores and bool(scores[name].notna().any())]
    spent = {name: float(scores[f"seconds_{name}"].median()) for name in known}
    rest = sum(seconds for name, seconds in spent.items() if name not in forms)
    return (
        f"Medians on one thread of a loaded machine, features given: the paper's form {spent['paper']:.1f} s, logit and "
        f"one-sided together {spent['one_sided']:.1f} s, all other scores together {rest:.1f} s; one fine-tuning {tuning:.0f} s. "
        f"The paper's form costs {spent['paper'] / tuning:.1%} of one such short fine-tuning, logit and one-sided together "
        f"{spent['one_sided'] / tuning:.0%}."
    )


def large_costs(paper: pd.Series, others: pd.Series, trainings: pd.DataFrame) -> str:
    """Say what the scores of one large problem cost, and what part of a fine-tuning on as many pictures that is.

    Args:
        paper: row of ``Timing`` of the paper's form.
        others: row of ``Timing`` of all other metrics together.
        trainings: rows of ``FineTuning``; their seconds give those of one picture and epoch.
    """
    seconds = trainings["seconds"] - trainings["seconds_probe"]
    picture = float((seconds / trainings["n_train"] / trainings["epochs"]).median())  # seconds, each epoch
    part, epochs = paper["seconds"] / (picture * paper["n"]), trainings["epochs"].max()  # of one epoch
    return (
        f"One large cell ({paper['n']:,} samples a side, {paper['d']:,} features, {paper['k']} classes; planted, "
        f"{paper['threads']} threads): all {others['value']:.0f} other metrics {others['seconds']:.1f} s, the paper's form "
        f"{paper['seconds']:.1f} s. "
        f"Fine-tuning takes {1000 * picture:.0f} ms a picture and epoch in the median, one thread; on as many pictures the "
        f"paper's form costs {part:.1%} of one epoch, so 1 % of a fine-tuning of {100 * part:.0f} epochs, and "
        f"{part / epochs:.1%} of one of {epochs}, as here."
    )


def compared(value: float, level: float, least: int = 3, most: int = 9) -> tuple[str, str, str]:
    """Return "below", "equal to" or "above", and both numbers as text that shows what was said.

    Args:
        value: a number.
        level: what it is compared with; numbers that agree to 9 digits are equal.
        least: digits after the point that are shown at the least; more where different numbers would look the same.
        most: digits that are shown at most.
    """
    if abs(value - level) <= 1e-9 * max(abs(value), abs(level)):
        return "equal to", f"{level:.{least}f}", f"{level:.{least}f}"
    digits = next((k for k in range(least, most) if f"{value:.{k}f}" != f"{level:.{k}f}"), most)
    return "below" if value < level else "above", f"{value:.{digits}f}", f"{level:.{digits}f}"


def pictures_read(summary: Mapping[str, Any]) -> str:
    """Say how a folder of pictures was read: its parts, what was skipped, and the balance of its classes.

    Args:
        summary: as ``DATASETS["folder:PATH"].summary()`` returns it.
    """
    skipped = ", ".join(f"{kind['kind']} ({kind['count']})" for kind in summary["skipped"]) or "nothing"
    train = summary["balance"]["train"]
    return (
        f"{summary['layout']}. Skipped: {skipped}. The largest class holds {train['largest']:.0%} of {train['n']} training "
        f"pictures; the entropy of the class shares is {train['entropy']:.3f} nats (log K {train['log_k']:.3f})"
    )
