"""``rank``: which encoder to take for a target, from a few hundred of its pictures or from stored features."""

import os
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import pandas as pd

from .. import environment
from .._validation import Checked, check_choice, check_count, check_positive
from ..data.datasets import DATASETS
from ..encoders.base import ENCODERS
from ..encoders.callables import as_encoder
from ..encoders.packaged import Packaged
from .grid import combinations, differences
from .ranking import REFERENCE, Ranked, measured
from .run import run
from .store import RowStore

# Every score that orders encoders, and whether more of it is better.
ORDERS = {"probe": True, "logme": True, "knn": True, "bound": False, "loss": False}
FRONT = ["place", "name", *ORDERS, "chance", "log_k", "certified", "d", "parameters", "licence", "seconds"]
FREE = ("MIT", "Apache-2.0", "BSD")  # how licences begin that allow any use


def default_encoders() -> list[str]:
    """Return the encoders whose weights packages carry under a licence that allows any use."""
    packaged = (entry for entry in ENCODERS.values() if isinstance(entry, Packaged))
    return [entry.name for entry in packaged if entry.licence.startswith(FREE)]


def rank(
    target: str | Sequence[str],
    encoders: str | Sequence[Any] | None = None,
    *,
    reference: str | Sequence[str] | None = None,
    by: str | None = None,
    tau: Checked[float] | None = None,
    labels: Checked[str] = "true",
    n: Checked[int] = 500,
    n_reference: Checked[int] = 500,
    share: Checked[float] = 1.0,
    size: Checked[int] | None = None,
    seed: Checked[int] = 0,
    jobs: int | None = None,
) -> pd.DataFrame:
    """Return one line per encoder, the one to take first.

    Args:
        target: data set, ``folder:PATH`` or ``unlabelled:PATH@K``; or features stored by several encoders, one
            ``features:FILE.npz`` each, of the same samples.
        encoders: names, torch modules or functions of pictures; None: ``default_encoders()``. Stored features need none.
        reference: data set of the head and the bound; None: a packaged one, Twemoji. With stored features: one file for
            each of the target's, or none, and then there is no bound.
        by: the score that orders the lines: "probe", "logme", "knn", "bound" or "loss". None: the probe, which
            has a standard error (page 16 of the book tells what following each costs); the bound where labels are "pseudo".
        tau: Lipschitz constant, nats per unit of feature; None: 8 / sqrt(d).
        labels: "true" or "pseudo".
        n: target samples; n_reference: reference samples.
        share: of each class of the target's samples.
        size: side of the pictures in pixels.
        seed: of the samples and of the search.
        jobs: encoders at a time; None: one for each core.

    Returns:
        Columns name, place, the scores probe, logme, knn, bound (certified, nats), loss; chance and log_k beside them;
        ``place_<score>``; d, parameters, licence, seconds, and the facts of the sample. A score that cannot be had is NaN.

    Raises:
        KeyError, MissingAsset: as ``features``.
        ValueError: as ``features``; features files of different samples; a target of one class.

    Example:
        >>> from taskrel_core import rank
        >>> table = rank("digits", ["random_net"], reference="glyphs_digits", n=60, n_reference=60)
        >>> table["name"].tolist(), bool(table["certified"].all())
        (['random_net'], True)
    """
    if by is not None:
        check_choice(by, "by", tuple(ORDERS))
    settings = {
        "tau": None if tau is None else check_positive(tau, "tau"),
        "labels": check_choice(labels, "labels", ("true", "pseudo")),
        "share": check_positive(share, "share"),
        "size": None if size is None else check_count(size, "size"),
        "seed": check_count(seed, "seed", 0),
        "n_target": check_count(n, "n"),
        "n_reference": check_count(n_reference, "n_reference"),
    }
    rows, others = candidates(target, encoders, reference, **settings)
    cores = jobs or (environment.jobs() if os.environ.get("TASKREL_JOBS") else os.cpu_count() or 1)
    table = run(rows, jobs=min(cores, max(len(rows), 1))).to_dict("records") if rows else []
    table += [measured(row, encoder) for row, encoder in others]
    return ordered(pd.DataFrame(table), by)


def candidates(
    target: str | Sequence[str],
    encoders: Sequence[Any] | None,
    reference: str | Sequence[str] | None,
    **settings: Any,
) -> tuple[list[Ranked], list[tuple[Ranked, Any]]]:
    """Return the rows of encoders that have names, and of others with the encoders themselves.

    Raises:
        ValueError: names that do not fit together.
    """
    targets = [target] if isinstance(target, str) else list(target)
    stored = [name for name in targets if name.startswith("features:")]
    if stored:
        return _stored(targets, stored, encoders, reference, settings), []
    if len(targets) != 1 or not (reference is None or isinstance(reference, str)):
        raise ValueError(
            f"target and reference must be one data set each, got {target!r} and {reference!r}; call rank for each"
        )
    settings |= {"target": targets[0], "reference": REFERENCE if reference is None else reference}
    chosen = (
        default_encoders()
        if encoders is None
        else [encoders]
        if isinstance(encoders, str)
        else list(encoders)
    )
    if not chosen:
        raise ValueError(
            "encoders must hold at least one, got none; leave it out for those that packages carry"
        )
    named = [Ranked(encoder=encoder, **settings) for encoder in chosen if isinstance(encoder, str)]
    others = [encoder for encoder in chosen if not isinstance(encoder, str)]
    return named, [(Ranked(encoder=as_encoder(encoder).name, **settings), encoder) for encoder in others]


def _stored(
    targets: list[str],
    stored: list[str],
    encoders: Any,
    reference: str | Sequence[str] | None,
    settings: dict[str, Any],
) -> list[Ranked]:
    """The rows of stored features, one file for each encoder."""
    if len(stored) < len(targets) or encoders:
        raise ValueError(
            f"target must be features files only, with no encoders beside them, got {targets} and {encoders}; the features "
            "are those of their encoders"
        )
    references = [reference] if isinstance(reference, str) else list(reference or [""] * len(stored))
    if len(references) != len(stored):
        raise ValueError(
            f"reference must hold one features file for each of the target's {len(stored)}, got {len(references)}; in the "
            "same order, or leave it out"
        )
    first = DATASETS[stored[0]].labels("train")
    for name in stored[1:]:
        y = DATASETS[name].labels("train")
        if len(y) != len(first) or (y != first).any():
            raise ValueError(
                f"features files of one ranking must be of the same samples in the same order, got {len(first)} labels in "
                f"{stored[0]} and {len(y)} {'others' if len(y) == len(first) else ''} in {name}"
            )
    return [Ranked(target=t, reference=r, **settings) for t, r in zip(stored, references, strict=True)]


def sweep(
    targets: Sequence[str],
    encoders: Sequence[str],
    references: Sequence[str],
    by: str | None = None,
    jobs: int | None = None,
    **lists: Sequence[Any],
) -> list[pd.DataFrame]:
    """Return the ranking under every combination of settings, each as ``rank`` returns it.

    Args:
        targets: data sets, a ranking for each; features files alone are one ranking of as many encoders.
        encoders: names; none: ``default_encoders()``.
        references: data sets; with features files one for each of them, or none.
        by: as for ``rank``.
        jobs: encoders at a time.
        lists: of other fields of ``Ranked``, what each is to be; the first changes slowest.

    Returns:
        Tables with a column ``setting``, what differs between them in words.
    """
    stored = all(name.startswith("features:") for name in targets)
    if stored:  # pictures are no reference for features
        references = [name for name in references if name.startswith("features:")]
        settings = combinations(**lists)
        settings = [{"target": list(targets), "reference": references or None} | one for one in settings]
    else:
        settings = combinations(target=list(targets), reference=list(references) or [REFERENCE], **lists)
    groups = [candidates(encoders=list(encoders) or None, **setting)[0] for setting in settings]
    table = run([row for rows in groups for row in rows], jobs=jobs)
    ends = [0, *accumulate(len(rows) for rows in groups)]
    parts = (table.iloc[start:end] for start, end in pairwise(ends))
    return [
        ordered(part, by).assign(setting=word)
        for part, word in zip(parts, differences(settings), strict=True)
    ]


def book_rows() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the shipped rows of ``Scoring`` with classes of Tiny-ImageNet as reference, and those of ``FineTuning``.

    Raises:
        ValueError: no folder of shipped rows is known, or it has none.
    """
    scores = ("reference_accuracy", "logit", "share")
    scored, trained = _shipped(scores, ("fine_tuned", "n"))
    return pd.DataFrame(scored[scored["reference"] == "tiny_imagenet"]), trained


def study_rows() -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    """Return the shipped rows of ``FewShotScores`` with true labels, and of ``FewShot``, of each few-shot study.

    Returns:
        By "small encoders" and "real encoders".

    Raises:
        ValueError: as ``book_rows``.
    """
    scores, trainings = _shipped(("group", "chance"), ("fine_tuned", "per_class"))
    scores = scores[(scores["labels"] == "true") & (scores["per_class"] == 20)]
    small = {"small encoders": ("tiny_imagenet", True), "real encoders": ("imagenette", False)}
    found = {}
    for name, (reference, wanted) in small.items():
        own = scores[
            (scores["reference"] == reference) & (scores["encoder"].str.startswith("small:") == wanted)
        ]
        both = trainings["encoder"].isin(own["encoder"]) & trainings["target"].isin(own["target"])
        found[name] = (own, trainings[both & (trainings["per_class"] == 20)])
    return {name: rows for name, rows in found.items() if len(rows[0])}


def _shipped(*kinds: tuple[str, ...]) -> list[pd.DataFrame]:
    """All shipped rows that have the columns of each kind."""
    store = RowStore(environment.cache_dir() / "rows", environment.results_dir(), log=environment.row_log())
    found: list[list[dict[str, Any]]] = [[] for _ in kinds]
    for key, row in store.shipped().items():
        for rows, columns in zip(found, kinds, strict=True):
            if all(name in row for name in columns):
                rows.append(row)
                store.note(key, "shipped")
    if not all(found):
        raise ValueError(
            "TASKREL_RESULTS must be the folder of rows that the project ships; set it to book/results"
        )
    return [pd.DataFrame(rows) for rows in found]


def ordered(table: pd.DataFrame, by: str | None = None) -> pd.DataFrame:
    """Return rows of ``Ranked`` with a place by each score, the best by one of them first.

    Args:
        table: rows.
        by: a name in ORDERS; None: the probe, or the bound of pseudo-labels.
    """
    by = by or ("probe" if set(table["labels"]) == {"true"} else "bound")
    table = table.assign(**{name: pd.to_numeric(table[name]) for name in ORDERS})
    if bool(table[by].isna().all()):
        raise ValueError(
            f"by must be a score that the lines have, got {by!r}, which needs a reference; give reference="
        )
    places = {
        f"place_{key}": table[key].rank(ascending=not more, method="min") for key, more in ORDERS.items()
    }
    seconds = table["seconds_features"] + table["seconds_bound"] + table["seconds_scores"]
    places = {key: place.astype("Int64") for key, place in places.items()}  # none where there is no score
    table = table.assign(**places, seconds=seconds, place=places[f"place_{by}"], by=by)
    table = table.sort_values(["place", "place_logme"], kind="stable").reset_index(drop=True)
    return table.reindex(columns=[*FRONT, *(column for column in table if column not in FRONT)])
