"""From the rows of few-shot trainings and scores to the cells of a study, and what they say of each score."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from ..metrics.ncti_pool import pool_index
from .cells import Cells, read_cells, static_ranker
from .study import differences, interaction_correlations, mean_correlations, partial_correlations
from .verdicts import of_interval

# Targets from the domain that a pre-training has seen, if not the same pictures: handwritten digits, glyphs, emoji.
OWN_DOMAIN = {
    "cifar10": ("cifar10",),
    "fashion_mnist": ("fashion_mnist",),
    "mnist": ("mnist", "mnist_m", "digits", "usps", "glyphs_digits"),
    "glyphs_latin": ("glyphs_latin", "glyphs_greek", "glyphs_cyrillic", "glyphs_digits"),
    "emoji_twemoji": ("emoji_twemoji", "emoji_noto"),
}
STATIC = "static_ranker"
PROBE = "probe"


def pretraining(encoder: str) -> str:
    """Return the pre-training in the name of a small encoder, ``small:architecture/pretraining``."""
    return encoder.partition("/")[2] or encoder


def study_cells(
    trainings: pd.DataFrame,
    scores: pd.DataFrame,
    higher_is_better: Mapping[str, bool],
    family: Mapping[str, str] | Callable[[str], str] = pretraining,
) -> Cells:
    """Return the cells of few-shot rows, with the static ranker, and NCTI where its parts are among the scores.

    Args:
        trainings: rows of ``FewShot`` at one learning rate per cell, as ``trained`` returns them.
        scores: rows of ``FewShotScores``, of any groups. A score that calls itself saturated in a cell has no value there.
        higher_is_better: of each column of theirs that is a score.
        family: of each encoder.
    """
    if "ncti_ncc" in scores:
        scores = scores.assign(ncti=_ncti(scores))
    truth = trainings.assign(truth=trainings["fine_tuned"], family=trainings["encoder"].map(family))
    named = [name for name in higher_is_better if name in scores]
    saturated = {name: scores.get(f"saturated_{name}") for name in named}
    usable = {name: scores[name].mask(flag.eq(True)) for name, flag in saturated.items() if flag is not None}
    long = scores.assign(**usable).melt(["encoder", "target"], named, var_name="score").dropna(subset="value")
    cells = read_cells(truth, long, higher_is_better)
    return cells.with_score(STATIC, static_ranker(cells))


def seconds_of(scores: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """Return how long each score took once features were there, median over cells in seconds; NaN where nothing was timed.

    Args:
        scores: rows of ``FewShotScores``.
        names: of scores. A part of a bound takes as long as the bound, NCTI as long as its three parts together.
    """
    medians = scores.filter(regex="^seconds_").median()
    timed = {str(name).removeprefix("seconds_"): float(seconds) for name, seconds in medians.items()}

    def one(name: str) -> float:
        whole = max((known for known in timed if name.startswith(known)), key=len, default="")
        parts = [timed[known] for known in timed if known.startswith("ncti_")] if name == "ncti" else []
        return float(sum(parts)) if parts else timed.get(whole, float("nan"))

    return pd.Series({name: one(name) for name in names}, dtype=float)


def _ncti(scores: pd.DataFrame) -> pd.Series:
    """NCTI of each row that has its parts, over the encoders on the row's target."""
    index, parts = pd.Series(float("nan"), scores.index), ["ncti_ncc", "ncti_seli", "ncti_vc"]
    for _, rows in scores.dropna(subset=parts).groupby("target"):
        index[rows.index] = pool_index(*(rows[name] for name in parts))
    return index


def candidate_cells(trainings: pd.DataFrame, rows: pd.DataFrame) -> Cells:
    """Return the cells of candidates: the bound as a score, and the loss of its classifier as "<candidate> loss".

    Args:
        trainings: rows of ``FewShot``, as in ``study_cells``.
        rows: rows of ``Candidate``.
    """
    spec = ["directions", "n_directions", "strength", "measure"]
    names = rows[spec].astype({"strength": int}).astype(str).agg(" ".join, axis=1)
    cells = rows[["encoder", "target"]]
    long = pd.concat(
        [
            cells.assign(score=names, value=rows["bound"]),
            cells.assign(score=names + " loss", value=rows["loss"]),
        ]
    )
    return study_cells(
        trainings,
        long.pivot_table(index=["encoder", "target"], columns="score", values="value").reset_index(),
        dict.fromkeys([*names.unique(), *(names + " loss").unique()], False),
    )


def candidate_summary(cells: Cells, resamples: int = 2000) -> pd.DataFrame:
    """Return one row per candidate, its classifier's loss after it: mean and match r with their intervals, and regret.

    Args:
        cells: as ``candidate_cells`` returns them.
        resamples: bootstrap samples of encoders and targets together.
    """
    table = mean_correlations(cells, resamples).drop(index=STATIC, columns="dropped")
    match = interaction_correlations(cells, resamples).rename(columns=lambda c: _prefixed(c, "interaction"))
    order = [
        name for bound in table.index if not bound.endswith(" loss") for name in (bound, f"{bound} loss")
    ]
    return table.join(match.drop(columns="dropped")).loc[order]


def own_domain(cells: Cells) -> list[tuple[str, str]]:
    """Return the cells (encoder, target) whose encoder was pre-trained on the target's own domain."""
    return [
        (encoder, target)
        for encoder in cells.encoders
        for target in cells.targets
        if target in OWN_DOMAIN.get(pretraining(encoder), ())
    ]


def summary(cells: Cells, controls: Sequence[str], by: str = "family", resamples: int = 2000) -> pd.DataFrame:
    """Return one row per score: what it sees of the encoders' quality and of the match of encoder and target.

    Args:
        cells: the table.
        controls: names of scores, the best of which the others are compared with.
        by: what is resampled beside targets, as in ``resample``.
        resamples: bootstrap samples.

    Returns:
        Index score; mean_r with low, high, p, weighted_tau, regret; interaction_r with its interval and p; partial_r
        given the cross-validated probe; difference to the best control; without_own, the mean r where cells of an
        encoder's own domain are left out.
    """
    options = {"resamples": resamples, "by": by}
    mean = mean_correlations(cells, **options).drop(columns="dropped")
    apart = {
        "interaction": interaction_correlations(cells, **options),
        "partial": partial_correlations(cells, PROBE, **options),
        "difference": differences(cells, controls, **options),
    }
    for name, table in apart.items():
        mean = mean.join(
            table.drop(columns="dropped").rename(columns=lambda c, name=name: _prefixed(c, name))
        )
    # A score that orders all targets alike says nothing of a match, nor does the static ranker: its mean over the other
    # targets falls, by construction, where the cell itself is high.
    blind = (mean["interaction_r"].isna() & mean["mean_r"].notna()) | (mean.index == STATIC)
    mean.loc[blind, ["interaction_r", "interaction_low", "interaction_high"]] = 0.0
    without = mean_correlations(cells.leave_out(own_domain(cells)), resamples=2)["mean_r"]
    return mean.assign(without_own=without)


def _prefixed(column: str, name: str) -> str:
    return f"{name}_{column}" if column in ("low", "high", "p") else column


def verdicts(row: pd.Series, given: pd.Series | None = None, goal: float = 0.8) -> dict[str, str]:
    """Judge one score from its row of ``summary``, sign, strength and match apart.

    sign: "supported" if the interval of the mean r lies above 0, "not supported" if it lies below, else "inconclusive".
    strength: the same against ``goal``, the size of the poster's mean (0.8). match: as sign, for the interaction r.

    Args:
        row: of ``summary``.
        given: row of ``partial_correlations`` given the log width, where encoders differ in width. Sign and strength
            are then decided only where both intervals agree.
        goal: what strength is judged against.
    """
    found = {
        "sign": of_interval(row["low"], row["high"]),
        "strength": of_interval(row["low"] - goal, row["high"] - goal),
        "match": of_interval(row["interaction_low"], row["interaction_high"]),
    }
    if given is not None:
        for aspect, level in (("sign", 0.0), ("strength", goal)):
            if of_interval(given["low"] - level, given["high"] - level) != found[aspect]:
                found[aspect] = "inconclusive"
    return found
