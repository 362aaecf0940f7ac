"""Scores of an encoder on the few samples per class that ``FewShot`` trains on, in groups that are rows of their own.

A group that is added later leaves the rows of the others as they are. Forms of relatedness (each domain standardised by
itself unless said otherwise; ``our_tau`` is 8 / sqrt(d)):

==============  =================================================================================================
group           what it computes
==============  =================================================================================================
euclidean       Euclidean bound at tau = 0.02 of the authors' large-scale scripts, in sample: the paper's form
calibrated      the same at the tau where the head's loss on the reference is half of log K_R
one_sided       logit and one-sided bounds at our_tau, in sample: certified
held_out        the same, measured on samples that were held out: an estimate
components_N    as one_sided, each domain on its own N leading principal components of unit variance
published       the metrics of others: those of the central table, and those on principal components
neighbours      nearest neighbours, cross-validated probe, OTDD
recent          TMI, WDJE and the three parts of NCTI, which ``study_cells`` adds up over the encoders
controls        accuracy on the reference; spread of the target's features; the Euclidean form under permuted labels
==============  =================================================================================================

Beside a bound stand its terms and the loss and accuracy of the transformed classifier on the sample.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from .._validation import check_choice, check_count
from ..data.datasets import DATASETS
from ..encoders.base import ENCODERS
from ..extraction import features, few_per_class, sample_classes, standardise
from ..method.bound import Relatedness
from ..method.solve import relatedness
from ..metrics.base import BASELINES
from ..task import Task
from .row import Row
from .scored import SCORED
from .scoring import (
    PAPER_TAU,
    REDUCED,
    calibrated_tau,
    held_out_accuracy,
    measured,
    our_tau,
    probe_posteriors,
    pseudo_labels,
    reduced,
)

COMPONENTS = (8, 16, 32)
RECENT = ("tmi", "wdje", "ncti_ncc", "ncti_seli", "ncti_vc")
Columns = dict[str, Any]


@dataclass(frozen=True)
class FewShotScores(Row):
    """One group of scores of one encoder on one target.

    Attributes:
        reference: data set of which ``k_reference`` classes, sampled with ``draw``, are the reference task.
        group: name in GROUPS.
        per_class: target samples per class that the scores see, the first of those that ``FewShot`` trains on.
        labels: "true", or "paper" or "logit": who labels the target instead, as in ``Scoring``.
        n_reference: reference samples of these classes, at most.
        seed: of the target's samples, as in ``FewShot``.
    """

    kind = "FewShotScores"
    version = 1

    reference: str
    target: str
    encoder: str
    group: str
    per_class: int = 20
    labels: str = "true"
    k_reference: int = 10
    draw: int = 0
    n_reference: int = 500
    seed: int = 0

    def compute(self) -> Columns:
        """Compute the row: a column per score, its parts beside it, and ``seconds_<name>``.

        Raises:
            KeyError: an unknown name.
            ValueError: an unknown group or way to label, or a number out of range.
            MissingAsset: data or weights are not on this machine.
        """
        s = self
        check_choice(s.group, "group", tuple(GROUPS))
        check_choice(s.labels, "labels", ("true", "paper", "logit"))
        check_count(s.per_class, "per_class", 2)
        reference, target = few_shot_tasks(s)
        row: Columns = {**asdict(s), "n": len(target), "d": target.d, "k_target": target.n_classes}
        row |= {"chance": target.chance}
        if s.labels != "true":
            rows, labels = pseudo_labels(s, *standardise(reference, target))
            target = Task(target.z[rows], labels[rows], target.n_classes, target.name)
        return row | GROUPS[s.group](s, reference, target)


def few_shot_tasks(s: Any) -> tuple[Task, Task]:
    """Return reference and few-shot target as the encoder gives them; s: a row with the fields that say which."""
    kept = sample_classes(s.reference, s.k_reference, s.draw)
    reference = features(s.reference, s.encoder, n=s.n_reference, classes=kept)
    data = DATASETS[s.target]
    images, y = few_per_class(data, "train", s.per_class, s.seed)
    return reference, Task(ENCODERS[s.encoder].features(images), y, data.n_classes, s.target)


def _form(
    name: str, tau: Callable[[Task], float], s: FewShotScores, reference: Task, target: Task, **how: Any
) -> Columns:
    """A bound by name, its terms, and the transformed classifier's loss and accuracy."""
    started = time.perf_counter()
    reference, target = standardise(reference, target)
    r = relatedness(reference, target, tau(reference), seed=s.seed, **how)
    seconds = time.perf_counter() - started
    chain = {f"{name}_{metric}": r.chain[metric] for metric in ("span", "logit") if metric in r.chain}
    return {name: r.bound, **chain, **_parts(name, r, target), f"seconds_{name}": seconds}


def _parts(name: str, r: Relatedness, target: Task) -> Columns:
    loss, accuracy = r.evaluate(target.z, target.labels)
    return {
        f"{name}_reweighted": r.reweighted_loss,
        f"{name}_mismatch": r.label_mismatch,
        f"{name}_transport": r.distribution_mismatch,
        f"{name}_certified": r.certified,
        f"{name}_tau": r.tau,
        f"{name}_loss": loss,
        f"{name}_accuracy": accuracy,
    }


def _on_components(n: int, s: FewShotScores, reference: Task, target: Task) -> Columns:
    few = [components(task, n) for task in (reference, target)]
    return _form(f"components_{n}", our_tau, s, *few, metric="one_sided")


def components(task: Task, n: int) -> Task:
    """Return the task on its own leading principal components, not scaled."""
    x = task.z - task.z.mean(0)
    U, S, _ = torch.linalg.svd(x, full_matrices=False)
    return Task(U[:, :n] * S[:n], task.y, task.n_classes, task.name)


def _metrics(names: tuple[str, ...], s: FewShotScores, reference: Task, target: Task) -> Columns:  # noqa: ARG001
    row: Columns = {}
    posteriors = probe_posteriors(*standardise(reference, target))
    for name in names:
        row |= measured(
            name, BASELINES[name], target=target, reference=reference, source_posteriors=posteriors
        )
    return row


def _published(s: FewShotScores, reference: Task, target: Task) -> Columns:
    return _metrics(SCORED, s, reference, target) | reduced(target)


def _controls(s: FewShotScores, reference: Task, target: Task) -> Columns:
    r, t = standardise(reference, target)
    spectrum = torch.linalg.svdvals(t.z) ** 2
    share = spectrum / spectrum.sum()
    order = np.random.default_rng(s.seed).permutation(len(target))
    permuted = Task(target.z, target.labels[torch.from_numpy(order)], target.n_classes, target.name)
    return {
        "reference_accuracy": held_out_accuracy(r, our_tau(r), s.seed),
        "effective_rank": float(torch.exp(-torch.special.xlogy(share, share).sum())),  # Roy and Vetterli 2007
        **_form("permuted", lambda _: PAPER_TAU, s, reference, permuted),
    }


GROUPS: Mapping[str, Callable[[FewShotScores, Task, Task], Columns]] = {
    "euclidean": partial(_form, "euclidean", lambda _: PAPER_TAU),
    "calibrated": partial(_form, "calibrated", calibrated_tau),
    "one_sided": partial(_form, "one_sided", our_tau, metric="one_sided"),
    "held_out": partial(_form, "held_out", our_tau, metric="one_sided", measure="held_out"),
    **{f"components_{n}": partial(_on_components, n) for n in COMPONENTS},
    "published": _published,
    "neighbours": partial(_metrics, ("knn", "probe", "otdd")),
    "recent": partial(_metrics, RECENT),
    "controls": _controls,
}

# Every column that is a score, by what it is, and whether more of it is better.
FORMS = dict.fromkeys(
    [
        "euclidean",
        "calibrated",
        "one_sided_logit",
        "one_sided",
        "held_out_logit",
        "held_out",
        *(f"components_{n}" for n in COMPONENTS),
    ],
    False,
)
PARTS = dict.fromkeys(
    ["euclidean_transport", "euclidean_reweighted", "euclidean_loss", "one_sided_loss", "components_16_loss"],
    False,
)
METRICS = {  # OTCE differs from OT-NCE by a regression on the accuracies of other tasks, which is not made here
    **{
        name: BASELINES[name].higher_is_better
        for name in (*SCORED, "knn", "probe", "otdd", "tmi", "wdje")
        if name != "otce"
    },
    "ncti": True,  # of the pool of encoders
    **{name: BASELINES[metric].higher_is_better for name, (metric, _) in REDUCED.items()},
}
CONTROLS = {
    "reference_accuracy": True,
    "permuted": False,
    "permuted_transport": False,
    "effective_rank": True,
}
SCORES = {**FORMS, **PARTS, **METRICS, **CONTROLS}
BASICS = ("probe", "knn")  # what anyone can do with the target's samples: controls, though they are metrics
KINDS = {
    **dict.fromkeys(FORMS, "relatedness"),
    **dict.fromkeys(PARTS, "part of it"),
    **dict.fromkeys(METRICS, "other metric"),
    **dict.fromkeys([*CONTROLS, *BASICS], "control"),
}
