"""What a ranking of encoders advises, how far its scores agree, and what following each of them costs in accuracy."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from .accuracy import select_learning_rate
from .cells import Cells
from .few_shot import STATIC as STATIC_RANKER
from .few_shot import study_cells
from .report import compared

FEW = 10  # our choice: samples of the smallest class below which a ranking comes with a warning
AGREED = 0.5  # our choice: Kendall's W below which the scores are said to disagree
RANDOM, STATIC = "random", "static"  # picking any encoder; the best on the other targets


def concordance(table: pd.DataFrame, scores: Sequence[str]) -> float:
    """Return Kendall's W of the orders that the scores give, 0 to 1; NaN of fewer than two scores or three encoders.

    Args:
        table: one line per encoder with its place by each score, ``place_<score>``.
        scores: names of scores; those without places do not count.
    """
    places = table[[f"place_{name}" for name in scores]].dropna(axis=1).rank().to_numpy()
    n, m = places.shape
    if n < 3 or m < 2:
        return float("nan")
    return float(12 * ((places.sum(1) - m * (n + 1) / 2) ** 2).sum() / (m**2 * (n**3 - n)))


def recommendation(table: pd.DataFrame, names: Mapping[str, str]) -> str:
    """Say which encoder to take, which others may be as good, and what the bound certifies.

    Args:
        table: as ``rank`` returns it.
        names: what readers call each score.
    """
    best, by, n = table.iloc[0], str(table["by"].iloc[0]), int(table["n"].iloc[0])
    said = f"Take {best['name']}, the first of {len(table)} by {names[by]}"
    if by in ("probe", "knn"):
        error = np.sqrt(table[by] * (1 - table[by]) / n)
        close = float(best[by]) - table[by] <= np.sqrt(error**2 + error.iloc[0] ** 2)
        said += f". Its accuracy on {n} samples is {best[by]:.1%} (standard error {error.iloc[0]:.1%})"
        others = list(table.loc[close, "name"])[1:]
        if others:
            said += f". Within one standard error of the difference, so perhaps as good: {_listed(others)}"
    return f"{said}. {_certificate(best)}"


def _certificate(best: pd.Series) -> str:
    if bool(pd.isna(best["bound"])):
        return "Without a reference there is no bound"
    relation, bound, chance = compared(float(best["bound"]), float(best["chance"]))
    certified = "certified" if bool(best["certified"]) else "not certified"
    vacuous = "" if relation == "below" else ", so it is vacuous"
    said = f"Its bound on the loss after transfer is {bound} nats on these samples ({certified})"
    return f"{said}. This is {relation} chance, {chance}{vacuous}"


def cautions(table: pd.DataFrame, names: Mapping[str, str], scores: Sequence[str]) -> list[str]:
    """Return what makes a ranking unsure, one sentence each; none where nothing does.

    Args:
        table: as ``rank`` returns it.
        names: what readers call each score.
        scores: names of the scores that should agree.
    """
    best, found = table.iloc[0], []
    w = concordance(table, scores)
    firsts = {name: table["name"][table[f"place_{name}"] == 1].tolist() for name in scores}
    against = {name: first for name, first in firsts.items() if first and best["name"] not in first}
    if w < AGREED or len(against) > len(scores) / 2:
        said = "; ".join(f"{names[name]} puts {_listed(first)} first" for name, first in against.items())
        found.append(f"The scores disagree (Kendall's W {w:.2f}): {said or 'on the other encoders'}")
    if best["smallest_class"] < FEW:
        found.append(
            f"The target is small: its smallest class has {best['smallest_class']} samples, {best['n']} in all; give {FEW} or "
            "more of each"
        )
    if best["probe"] <= best["largest_class"]:
        found.append(
            f"No encoder predicts the target: the probe's {best['probe']:.1%} are no more than the largest class, "
            f"{best['largest_class']:.1%}"
        )
    if best["probe"] == 1:
        found.append(
            "The first encoder's probe makes no error, so this target does not tell good encoders apart"
        )
    if best["labels"] == "pseudo":
        right = best["label_accuracy"]
        known = (
            "how many are right is not known"
            if pd.isna(right)
            else f"{right:.0%} of the first encoder's are right"
        )
        found.append(
            f"The labels are pseudo-labels of each encoder's own transformed classifier; {known}. Probe, LogME and k-NN then "
            "measure how well these labels fit, the bound is an estimate"
        )
    return found


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def advice(
    scores: pd.DataFrame,
    trainings: pd.DataFrame,
    accuracies: pd.DataFrame,
    higher_is_better: Mapping[str, bool],
) -> pd.DataFrame:
    """Return what each way to choose says of every encoder on every target, beside what fine-tuning reached there.

    Args:
        scores: rows of ``Scoring``; those of one cell are averaged.
        trainings: rows of ``FineTuning``; their accuracies on held-back samples, of the probe before it and after it, are
            two of the ways.
        accuracies: as ``select_learning_rate`` returns them.
        higher_is_better: the scores that are asked for, and whether more is better.

    Returns:
        Columns target, encoder, way, value (more is better), fine_tuned.
    """
    cell = ["target", "encoder"]
    cells = scores.astype(dict.fromkeys(higher_is_better, float)).groupby(cell)
    signs = [1 if more else -1 for more in higher_is_better.values()]
    wide = cells[list(higher_is_better)].mean().mul(signs, axis=1)
    held = trainings.merge(accuracies[[*cell, "lr"]], on=[*cell, "lr"]).groupby(cell)
    truth = pd.Series(accuracies.set_index(cell)["fine_tuned"])
    above = truth - truth.groupby("target").transform("mean")
    total, count = (pd.Series(above.groupby("encoder").transform(how)) for how in ("sum", "count"))
    ways = {"probe": held["probe_validation"].mean(), "fine_tuning": held["validation"].mean()}
    ways |= {STATIC: (total - above) / (count - 1), "fine_tuned": truth}
    wide = wide.join(pd.DataFrame(ways), how="inner").reset_index()
    return wide.melt([*cell, "fine_tuned"], var_name="way", value_name="value").dropna()


def study_advice(cells: Cells, trainings: pd.DataFrame, scores: Sequence[str]) -> pd.DataFrame:
    """Return the same for a study of few-shot accuracies, so that both are judged alike.

    Args:
        cells: as ``study_cells`` returns them; accuracies are means over the seeds.
        trainings: its rows of ``FewShot``; the accuracy of the first seed on held-back samples, after one fine-tuning of
            every encoder, is one of the ways.
        scores: names of the scores that are asked for; those that the study lacks are left out.

    Returns:
        As ``advice``.
    """
    cell = ["target", "encoder"]
    ways = {name: cells.scores[name] for name in scores if name in cells.scores}
    ways[STATIC] = cells.scores[STATIC_RANKER]
    frame = partial(pd.DataFrame, index=list(cells.encoders), columns=list(cells.targets))
    wide = {name: frame(value) for name, value in (ways | {"fine_tuned": cells.truth}).items()}
    table = pd.concat({name: value.stack() for name, value in wide.items()}, axis=1).rename_axis(cell[::-1])
    first = trainings[trainings["seed"] == trainings["seed"].min()].set_index(cell)
    table = table.reset_index().join(pd.DataFrame({"fine_tuning": first["validation"]}), on=cell)
    return table.melt([*cell, "fine_tuned"], var_name="way", value_name="value").dropna()


def study_regrets(
    trainings: pd.DataFrame, scores: pd.DataFrame, higher_is_better: Mapping[str, bool]
) -> pd.DataFrame:
    """Return ``regrets`` of a study from its rows of ``FewShot``, at any learning rates, and ``FewShotScores``."""
    cell = ["target", "encoder", "lr"]
    kept = trainings.merge(select_learning_rate(trainings)[cell], on=cell)
    cells = study_cells(kept, scores, higher_is_better)
    return regrets(study_advice(cells, kept, list(higher_is_better)))


def regrets(table: pd.DataFrame, resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Return what following each way to choose costs: the best encoder's accuracy less that of the one it picks.

    Args:
        table: as ``advice`` returns it.
        resamples: bootstrap samples, of encoders and targets together.
        seed: of the samples.

    Returns:
        Columns way, regret (mean over targets, accuracy in 0..1), low, high (95 %), worst, hits (targets on which the
        best was picked), targets, encoders; the smallest regret first. ``random`` picks any encoder.
    """
    lines, rng = [], np.random.default_rng(seed)
    for way, rows in table.groupby("way", sort=False):
        wide = rows.pivot(index="target", columns="encoder", values=["value", "fine_tuned"]).dropna(axis=1)
        value, truth = wide["value"].to_numpy(float), wide["fine_tuned"].to_numpy(float)
        lines.append({"way": way, **_regret(value, truth, resamples, rng)})
        if not any(line["way"] == RANDOM for line in lines):
            lines.append({"way": RANDOM, **_regret(None, truth, resamples, rng)})
    return pd.DataFrame(lines).sort_values("regret", kind="stable").reset_index(drop=True)


def _regret(
    value: np.ndarray | None, truth: np.ndarray, resamples: int, rng: np.random.Generator
) -> dict[str, float]:
    def lost(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        part = truth[np.ix_(rows, columns)]
        if value is None:
            return part.max(1) - part.mean(1)
        return part.max(1) - part[np.arange(len(rows)), value[np.ix_(rows, columns)].argmax(1)]

    t, e = truth.shape
    each = lost(np.arange(t), np.arange(e))
    sampled = [
        lost(rng.integers(t, size=t), np.unique(rng.integers(e, size=e))).mean() for _ in range(resamples)
    ]
    low, high = np.percentile(sampled, [2.5, 97.5])
    found = {"regret": float(each.mean()), "low": float(low), "high": float(high), "worst": float(each.max())}
    hits = np.nan if value is None else int((each == 0).sum())
    return found | {"hits": hits, "targets": t, "encoders": e}


def experience(
    table: pd.DataFrame, names: Mapping[str, str], by: str, reference: str = "reference_accuracy"
) -> str:
    """Say what following one way to choose cost on the book's targets, beside others.

    Args:
        table: as ``regrets`` returns it.
        names: what readers call each way.
        by: the way that is followed; one that ``table`` lacks is told as such.
        reference: the control that looks at no target.
    """
    lines = table.set_index("way")
    if by not in lines.index:
        return f"How well {names[by]} picks was not tried on the book's targets"

    def told(way: str) -> str:
        low, point, high = (100 * lines.loc[way, name] for name in ("low", "regret", "high"))
        return f"{point:.1f} points (95 % CI {low:.1f} to {high:.1f})"

    others = [way for way in lines.index if way not in (by, reference, RANDOM)][:3]
    others += [way for way in (reference, RANDOM) if way != by]
    line = lines.loc[by]
    return (
        f"On the book's {line['targets']:.0f} targets and {line['encoders']:.0f} encoders, choosing by the {names[by]} lost "
        f"{told(by)} of fine-tuned accuracy against the best encoder. Other ways: "
        f"{'; '.join(f'{names[way]}, {told(way)}' for way in others)}"
    )
