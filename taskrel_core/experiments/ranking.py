"""One line of a ranking: the scores and the certified bound of one encoder, or of stored features, on a target."""

import math
import time
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from .._validation import check_choice
from ..data.datasets import DATASETS
from ..encoders.callables import as_encoder
from ..extraction import features, n_parameters, standardise
from ..method.settings import ExactSettings
from ..method.solve import relatedness
from ..metrics.base import BASELINES
from ..task import Task
from .row import Row
from .scoring import agreement, our_tau, part_of

REFERENCE = "emoji_twemoji"  # our choice: pictures in colour that a package carries
METRICS = ("probe", "logme", "knn")
TERMS = ("reweighted_loss", "label_mismatch", "distribution_mismatch")

# Our choice: a third of the time of the default settings, for bounds that are some per cent larger, and certified too.
QUICK = ExactSettings(
    map_starts=20,
    map_keep=2,
    solve_keep=1,
    rounds=4,
    second_sources=1,
    pull_back_rounds=1,
    pull_back_steps=20,
    joint_rounds=6,
)


@dataclass(frozen=True)
class Ranked(Row):
    """One encoder, or the features that one gave, on one target.

    Attributes:
        target: data set, or stored features.
        encoder: name of the encoder; "" where the features are stored.
        reference: data set, or features stored by the same encoder; "" for none, then there is no bound.
        tau: Lipschitz constant, nats per unit of feature; None: 8 / sqrt(d).
        labels: "true", or "pseudo": the transformed classifier labels the target, and every score reads its labels.
        n_target, n_reference: samples of the train parts, at most.
        share: of each class of the target's samples, in (0, 1], at least 2.
        size: side of the pictures in pixels; None: the encoder's ``input_size``.
        seed: of the samples and of the search.
    """

    kind = "Ranked"
    version = 1

    target: str
    encoder: str = ""
    reference: str = REFERENCE
    tau: float | None = None
    labels: str = "true"
    n_target: int = 500  # our choice
    n_reference: int = 500  # our choice
    share: float = 1.0
    size: int | None = None
    seed: int = 0

    def compute(self) -> dict[str, Any]:
        """Compute the row.

        ``bound`` is the certified one-sided bound of features standardised each by its own task, in nats, ``loss`` and
        ``accuracy`` those of the classifier that it bounds. ``probe`` and ``knn`` are cross-validated accuracies,
        ``logme`` is nats per sample. A score that cannot be had is None.

        Raises:
            KeyError, MissingAsset: as ``features``.
            ValueError: as ``features``; also a target of one class, and true labels of a target that has none.
        """
        return measured(self, self.encoder or None)


def measured(s: Ranked, encoder: Any) -> dict[str, Any]:
    """Return the row of ``s``, of an encoder that need have no name."""
    check_choice(s.labels, "labels", ("true", "pseudo"))
    started = time.perf_counter()
    shared = {"encoder": encoder, "size": s.size, "seed": s.seed, "fitted_on": s.reference or s.target}
    target = features(s.target, n=s.n_target, **shared)
    reference = features(s.reference, n=s.n_reference, **shared) if s.reference else None
    target, true = _labelled(s, target)
    row = {**asdict(s), **_facts(s, encoder, target), "seconds_features": time.perf_counter() - started}
    started = time.perf_counter()
    row |= dict.fromkeys((*TERMS, "bound", "loss", "accuracy", "certified", "tau_used", "label_accuracy"))
    if reference is not None:
        found, y = _related(s, *standardise(reference, target))
        row |= found
        target = target if y is None else Task(target.z, y, target.n_classes, target.name)
        if y is not None and true is not None:
            row["label_accuracy"] = agreement(y, true)
    row["seconds_bound"] = time.perf_counter() - started
    started = time.perf_counter()
    several = len(target.labels.unique()) > 1  # pseudo-labels may all be the same
    row |= {name: BASELINES[name](target=target) if several else None for name in METRICS}
    return row | _sample(target) | {"seconds_scores": time.perf_counter() - started}


def _labelled(s: Ranked, target: Task) -> tuple[Task, Task | None]:
    """The target's samples that the scores see, and the same with their true labels where these are known."""
    if (target.y is None and s.labels == "true") or (s.labels == "pseudo" and not s.reference):
        raise ValueError(
            f"labels must be 'true' and known, or 'pseudo' with a reference that gives them, got labels={s.labels!r} and "
            f"reference={s.reference!r} for {s.target!r}"
        )
    if target.y is None:
        return target, None
    target = target.take(part_of(target.labels, s.share, s.seed))
    classes = len(target.labels.unique())
    if classes < 2:
        raise ValueError(
            f"target {s.target!r} must have samples of at least 2 classes, got {classes} in {len(target)} samples; give more "
            "samples, or pictures of another class"
        )
    return (Task(target.z, None, target.n_classes, target.name) if s.labels == "pseudo" else target), target


def _related(s: Ranked, reference: Task, target: Task) -> tuple[dict[str, Any], Tensor | None]:
    """The bound and what belongs to it, and the labels that the target got where it has none."""
    tau = our_tau(reference) if s.tau is None else s.tau
    r = relatedness(reference, target, tau, metric="one_sided", labels=s.labels, seed=s.seed, settings=QUICK)
    row = {name: getattr(r, name) for name in (*TERMS, "bound", "certified", "loss", "accuracy")}
    return row | {"tau_used": tau}, r.target_labels if s.labels == "pseudo" else None


def _facts(s: Ranked, encoder: Any, target: Task) -> dict[str, Any]:
    facts = {
        "metric": "one_sided",
        "name": s.encoder or s.target,
        "d": target.d,
        "log_k": math.log(target.n_classes),
    }
    if encoder is None:
        return facts | {"parameters": None, "licence": DATASETS[s.target].licence}
    return facts | {"parameters": n_parameters(encoder), "licence": as_encoder(encoder).licence}


def _sample(target: Task) -> dict[str, Any]:
    counts = target.labels.bincount(minlength=target.n_classes)
    present = counts[counts > 0]
    return {
        "n": len(target),
        "k": len(present),
        "smallest_class": int(present.min()),
        "chance": target.chance,
        "largest_class": float(counts.max()) / len(target),
    }
