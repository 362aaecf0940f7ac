"""What the table of correlations says, in sentences: text with numbers that a page shows."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

FEW = 3  # our choice: pictures of a class in a part below which the class is named


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
        f"Once the features are there, the Euclidean form takes {spent['paper']:.1f} s, logit and one-sided together "
        f"{spent['one_sided']:.1f} s, all other scores together {rest:.1f} s (medians, one thread, a busy machine). One "
        f"fine-tuning takes {tuning:.0f} s: the Euclidean form costs {spent['paper'] / tuning:.1%} of it, logit and one-sided "
        f"{spent['one_sided'] / tuning:.0%}."
    )


def large_costs(paper: pd.Series, others: pd.Series, trainings: pd.DataFrame) -> str:
    """Say what the scores of one large problem cost, and what part of a fine-tuning on as many pictures that is.

    Args:
        paper: row of ``Timing`` of the Euclidean form.
        others: row of ``Timing`` of all other metrics together.
        trainings: rows of ``FineTuning``; their seconds give those of one picture and epoch.
    """
    seconds = trainings["seconds"] - trainings["seconds_probe"]
    picture = float((seconds / trainings["n_train"] / trainings["epochs"]).median())  # seconds, each epoch
    part, epochs = paper["seconds"] / (picture * paper["n"]), trainings["epochs"].max()  # of one epoch
    return (
        f"On one large problem ({paper['n']:,} samples per task, {paper['d']:,} features, {paper['k']} classes; planted, "
        f"{paper['threads']} threads) the Euclidean form takes {paper['seconds']:.1f} s, all {others['value']:.0f} other metrics "
        f"{others['seconds']:.1f} s. Fine-tuning on as many pictures for {epochs} epochs would take "
        f"{picture * paper['n'] * epochs:.0f} s, of which the Euclidean form is {part / epochs:.1%}."
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


def in_tens(value: float) -> str:
    """Return a number as readers write it: "100", and from 10,000 on with a power of ten, "10⁸" or "2.5·10⁵"."""
    if abs(value) < 1e4:
        return f"{value:g}"
    digits, _, power = f"{value:.5e}".partition("e+")  # as many digits as the factor has
    factor = f"{float(digits):g}"
    ten = "10" + str(int(power)).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return ten if factor == "1" else f"{factor}·{ten}"


def left_out(rows: pd.DataFrame) -> str:
    """Say what bounds from a fraction of the samples miss: the loss on the samples left out.

    Args:
        rows: rows of ``Experiment`` and ``Part``, with a column share.
    """
    parts = rows.query("share < 1")
    if "loss_rest" in parts:
        parts = parts.query("loss_rest.notna()")
    if parts.empty or "loss_rest" not in parts:
        return "Here no training sample was left out"
    lines = [
        f"share {row.share:g} ({row.n} samples): bound {row.bound:.2f}, loss on the {int(row.n_rest)} others {row.loss_rest:.2f}"
        for row in parts.itertuples()
    ]
    above = int((parts["loss_rest"] > parts["bound"]).sum())
    return f"Here, {'; '.join(lines)}. On samples left out the loss is above the bound in {above} of {len(parts)} such settings"


def pictures_read(summary: Mapping[str, Any]) -> str:
    """Say how a folder of pictures was read: its parts, what was skipped or is in both parts, small classes, the balance.

    Args:
        summary: as ``DATASETS["folder:PATH"].summary()`` returns it.
    """
    skipped = "; ".join(f"{kind['kind']} ({_counted(kind)})" for kind in summary["skipped"])
    both = summary["both"]
    twice = (
        f" Warning: test pictures that are training pictures too ({_counted(both)}); what is measured on the test part is too "
        "good, remove them from one part."
        if both["count"]
        else ""
    )
    few = [str(line["class"]) for line in summary["pictures"] if min(line["train"], line["test"]) < FEW]
    small = f" Fewer than {FEW} training or test pictures: {', '.join(few)}." if few else ""
    train = summary["balance"]["train"]
    return (
        f"{summary['layout']}. Skipped: {skipped or 'nothing'}.{twice}{small} The largest class holds {train['largest']:.0%} of "
        f"{train['n']} training pictures; the entropy of the class shares is {train['entropy']:.3f} nats (log K "
        f"{train['log_k']:.3f})"
    )


def _counted(names: Mapping[str, Any]) -> str:
    """How many, and the first three."""
    return f"{names['count']}: {', '.join(names['examples'][:3])}{', ...' * (names['count'] > 3)}"
