"""One cell of the correlation table: every score of one encoder on one target, from the same samples.

Each form of relatedness is fixed here, before any accuracy is looked at, and is the same for all targets:

=============  ==================================================================================================
form           definition (all: own standardisation of each domain, as the authors' code; lower is better)
=============  ==================================================================================================
paper          Euclidean bound at tau = 0.02 of the authors' large-scale scripts, in sample
calibrated     the same at the tau where the head's loss on the reference is half of log K_R
logit          features / sqrt(d), tau = 8, transport in nats through the head, measured on held-out samples
one_sided      as logit, with the sharper one-sided cost
logit_in       as logit, in sample: the certified bound
one_sided_in   as one_sided, in sample: the certified bound
=============  ==================================================================================================

Two controls look at no target: the accuracy of the head on the reference, and log of the calibrated tau. Two baselines
are saturated where samples are fewer than features; they are computed on principal components as well (``REDUCED``).
"""

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from scipy.optimize import brentq, linear_sum_assignment
from torch import Tensor

from .._validation import check_choice
from ..encoders.base import ENCODERS
from ..extraction import features, sample_classes, source_posteriors, standardise
from ..method.head import fit_head
from ..method.solve import relatedness
from ..metrics.base import BASELINES, Baseline, SaturatedScore
from ..metrics.otce import otce_distances
from ..task import Task
from .fine_tuning import PROBE_C
from .row import Row
from .scored import SCORED

PAPER_TAU = 0.02  # authors' code, large scale
FORMS = ("paper", "calibrated", "logit", "one_sided", "logit_in", "one_sided_in")
REDUCED = {"sfda_pca": ("sfda", 128), "hscore_pca": ("hscore", 64)}  # first study: how many components

# Every column that is a score, and whether more of it is better.
SCORES: dict[str, bool] = {
    **dict.fromkeys(FORMS, False),
    "reference_accuracy": True,
    "log_tau": False,
    **{name: BASELINES[name].higher_is_better for name in SCORED},
    **{name: BASELINES[metric].higher_is_better for name, (metric, _) in REDUCED.items()},
}


@dataclass(frozen=True)
class Scoring(Row):
    """Which encoder, reference and target, and how much of each.

    Attributes:
        k_reference: classes of the reference, drawn with ``draw``; None: all.
        n_reference: reference samples of these classes, at most.
        n_target: samples of the target's train part: the first n of the order that ``FineTuning`` takes its own from.
        share: of each class of these samples, at least 2 of them, in (0, 1]: how much the scores may see.
        part: which share, drawn with this seed.
        labels: "true", or who labels the target instead: "paper" (the transformed classifier of the Euclidean form
            at tau = 0.02) or "logit" (that of ours). Every score then reads those labels.
        certified: whether the in-sample forms are computed as well.
        baselines: which of the other metrics are computed: "all", "none", or those that look at a "source", which
            alone change with the draw of its classes.
        size: side of the images in pixels; None: the encoder's ``input_size``.
        seed: of the samples, and of what is drawn on the way.
    """

    kind = "Scoring"
    version = 1

    reference: str
    target: str
    encoder: str
    k_reference: int | None = 10  # our choice
    draw: int = 0
    n_reference: int = 1000  # our choice
    n_target: int = 1200  # our choice
    share: float = 1.0
    part: int = 0
    labels: str = "true"
    certified: bool = False
    baselines: str = "all"
    size: int | None = None
    seed: int = 0

    def compute(self) -> dict[str, Any]:
        """Compute the row: a column for each name of SCORES, None where it has none, and ``seconds_<name>``.

        Raises:
            KeyError: an unknown name.
            ValueError: a share out of (0, 1], an unknown way to label.
            MissingAsset: data or weights are not on this machine.
        """
        s, row, started = self, dict.fromkeys(SCORES), time.perf_counter()
        check_choice(s.labels, "labels", ("true", "paper", "logit"))
        check_choice(s.baselines, "baselines", ("all", "source", "none"))
        reference, target = _tasks(s)
        rows = part_of(target.labels, s.share, s.part)
        target = target.take(rows)
        row["seconds_features"] = time.perf_counter() - started
        row |= {**asdict(s), "n": len(target), "d": target.d, "k_target": target.n_classes}
        row["log_k"] = math.log(target.n_classes)
        if s.labels != "true":
            kept, y = pseudo_labels(s, *standardise(reference, target))
            row["label_accuracy"] = agreement(y, target)
            rows, target = rows[kept], Task(target.z[kept], y[kept], target.n_classes, target.name)
        plain = standardise(reference, target)
        row |= _forms(s, *plain)
        if s.baselines != "none":
            row |= _baselines(s, reference, target, _posteriors(s, rows, *plain))
        return row


def _tasks(s: Scoring) -> tuple[Task, Task]:
    """Features as the encoder gives them."""
    kept = None if s.k_reference is None else sample_classes(s.reference, s.k_reference, s.draw)
    shared = {"size": s.size, "seed": s.seed, "fitted_on": s.reference}
    reference = features(s.reference, s.encoder, n=s.n_reference, classes=kept, **shared)
    return reference, features(s.target, s.encoder, n=s.n_target, **shared)


def part_of(y: Tensor, share: float, seed: int) -> Tensor:
    """Return rows that make the same share of each class, at least 2 where there are 2, at random, in ascending order.

    Raises:
        ValueError: a share out of (0, 1].
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must be above 0 and at most 1, got {share}; give for instance share=0.1")
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    classes = (order[y[order] == k] for k in torch.unique(y).tolist())
    return torch.cat([rows[: max(round(share * len(rows)), 2)] for rows in classes]).sort().values


def pseudo_labels(s: Any, reference: Task, target: Task) -> tuple[Tensor, Tensor]:
    """Return rows whose pseudo-class has two samples at least, and the pseudo-labels of all; s: a row with labels, seed."""
    tau, metric = (PAPER_TAU, "euclidean") if s.labels == "paper" else (our_tau(reference), "logit")
    unlabelled = Task(target.z, None, target.n_classes, target.name)
    y = relatedness(reference, unlabelled, tau, metric=metric, labels="pseudo", seed=s.seed).target_labels
    return (torch.bincount(y)[y] >= 2).nonzero()[:, 0], y


def _forms(s: Scoring, reference: Task, target: Task) -> dict[str, Any]:
    """All forms of relatedness and the controls, of standardised features."""
    row: dict[str, Any] = {}

    def clocked(name: str, call: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        value = call()
        row[f"seconds_{name}"] = time.perf_counter() - started
        return value

    tau = clocked("log_tau", lambda: calibrated_tau(reference))
    for name, at in (("paper", PAPER_TAU), ("calibrated", tau)):
        row[name] = clocked(name, lambda at=at: relatedness(reference, target, at, seed=s.seed).bound)
    for suffix, measure in (("", "held_out"), ("_in", "in_sample"))[: 1 + s.certified]:
        how = {"metric": "one_sided", "measure": measure, "seed": s.seed}
        r = clocked(
            "one_sided" + suffix, lambda how=how: relatedness(reference, target, our_tau(reference), **how)
        )
        row |= {f"{metric}{suffix}": r.chain[metric] for metric in ("logit", "one_sided")}
        row["seconds_logit" + suffix] = row["seconds_one_sided" + suffix]  # found on the way to it
    accuracy = held_out_accuracy(reference, our_tau(reference), s.seed)
    return row | {"log_tau": math.log(tau), "reference_accuracy": accuracy}


def our_tau(reference: Task) -> float:
    """Return 8 / sqrt(d): a head of tau = 8 on features divided by sqrt(d), whose norm does not grow with d."""
    return 8 / reference.d**0.5


def calibrated_tau(reference: Task, share: float = 0.5) -> float:
    """Return the tau, nats per unit of feature, at which the best head's loss on the reference is ``share`` of log K.

    Our definition (first study): it makes heads on features of different width and scale equally sure.
    """
    goal, start = share * math.log(reference.n_classes), 1.0 / reference.d**0.5

    @cache  # the search asks again at its ends, and each answer is a fit
    def excess(log_tau: float) -> float:
        tau = math.exp(log_tau)
        return float(fit_head(reference, tau, 0.01).losses(reference.z, reference.labels).mean()) - goal

    low, high = math.log(start), math.log(8 * start)
    while excess(low) < 0:
        low -= 1.0
    while excess(high) > 0 and high < math.log(1e4 * start):
        high += 1.0
    return math.exp(brentq(excess, low, high, xtol=0.01)) if excess(high) <= 0 else math.exp(high)


def held_out_accuracy(reference: Task, tau: float, seed: int, share: float = 0.4) -> float:
    """Return the accuracy of the head on the samples of the reference that it was not fitted on."""
    order = np.random.default_rng(seed).permutation(len(reference))
    cut = int(share * len(order))
    test, fit = (reference.take(torch.from_numpy(rows)) for rows in (order[:cut], order[cut:]))
    return fit_head(fit, tau, 0.001).accuracy(test.z, test.labels)


def agreement(labels: Tensor, target: Task) -> float:
    """Share of samples whose pseudo-label is the true one under the best renaming of the classes."""
    table = torch.zeros(target.n_classes, target.n_classes)
    table.index_put_((labels, target.labels), torch.ones(len(target)), accumulate=True)
    rows, columns = linear_sum_assignment(-table.numpy())
    return float(table[rows, columns].sum()) / len(target)


def _baselines(s: Scoring, reference: Task, target: Task, posteriors: np.ndarray) -> dict[str, Any]:
    """All other metrics, of features as the encoder gives them."""
    row: dict[str, Any] = {"posteriors": "encoder" if ENCODERS[s.encoder].has_head else "probe"}
    for name in SCORED:
        metric = BASELINES[name]
        if s.baselines == "source" and metric.needs == ("target",):
            continue
        row |= measured(name, metric, target=target, reference=reference, source_posteriors=posteriors)
    if s.baselines == "all":
        row |= reduced(target)
    w_d, w_t = otce_distances(reference, target)
    # For the regression of OTCE, which needs other targets' rows.
    return row | {"otce_w_d": w_d, "otce_w_t": w_t}


def reduced(target: Task) -> dict[str, Any]:
    """Return the metrics of REDUCED on the leading principal components of the target's features."""
    started, row = time.perf_counter(), dict[str, Any]()
    x = target.z - target.z.mean(0)
    U, S, _ = torch.linalg.svd(x, full_matrices=False)
    found = time.perf_counter() - started
    for name, (metric, components) in REDUCED.items():
        few = Task(U[:, :components] * S[:components], target.y, target.n_classes, target.name)
        row |= measured(name, BASELINES[metric], target=few)
        row[f"seconds_{name}"] += found
    return row


def measured(name: str, metric: Baseline, **given: Any) -> dict[str, Any]:
    """Return what a metric says, how long it took, and whether it called itself saturated."""
    started = time.perf_counter()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", SaturatedScore)
        value = metric(**given)
    saturated = any(issubclass(w.category, SaturatedScore) for w in said)
    return {name: value, f"seconds_{name}": time.perf_counter() - started, f"saturated_{name}": saturated}


def _posteriors(s: Scoring, rows: Tensor, reference: Task, target: Task) -> np.ndarray:
    """What the encoder's own head says of the target, (n, K_S), or a probe on the reference where it brings none."""
    if ENCODERS[s.encoder].has_head:
        given = source_posteriors(s.target, s.encoder, n=s.n_target, size=s.size, seed=s.seed)
        return given[rows].numpy()
    return probe_posteriors(reference, target)


def probe_posteriors(reference: Task, target: Task) -> np.ndarray:
    """Return what a probe fitted on the reference says of the target, (n, K_R)."""
    from sklearn.linear_model import LogisticRegression  # here: its import takes seconds

    fitted = LogisticRegression(C=PROBE_C, max_iter=1000).fit(reference.z.numpy(), reference.labels.numpy())
    return fitted.predict_proba(target.z.numpy())
