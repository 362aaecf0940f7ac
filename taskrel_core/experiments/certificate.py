"""Bounds against losses: on the sample, where the bounds are certified, and on new samples, where they are not."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch

from .._validation import check_count
from ..extraction import features, standardise
from ..method.head import transferability
from ..method.solve import relatedness
from ..task import Task
from .row import Row


@dataclass(frozen=True)
class Certificate(Row):
    """One row: a bound of one form, and the loss that it bounds.

    Attributes:
        reference, target, encoder: names; the encoder learns from the reference where it learns.
        tau: Lipschitz constant, nats per unit of feature.
        metric, mode: as in ``relatedness``.
        n_reference, n_target: samples of the train parts; n_new: of the target's test part, which nothing was fitted to.
        n_fit, epochs: of a fitted encoder.
    """

    kind = "Checking"
    version = 2

    reference: str
    target: str
    encoder: str = "lenet"
    tau: float = 0.2  # authors' code, small scale
    metric: str = "one_sided"
    mode: str = "learned_all"
    n_reference: int = 500  # our choice
    n_target: int = 500  # our choice
    n_new: int = 500  # our choice
    n_fit: int = 5000  # our choice
    epochs: int = 10  # our choice
    seed: int = 0

    def compute(self) -> dict[str, Any]:
        """Return the row: the bound under each metric up to the one asked for, and the losses of h_R''', in nats.

        ``loss`` is that of the classifier on the target sample, ``loss_new`` on the test part with its standard error; ``best``
        is what the best tau-Lipschitz head reaches on the sample.
        """
        s = self
        check_count(s.n_new, "n_new")
        shared = {"fitted_on": s.reference, "seed": s.seed, "encoder_n": s.n_fit, "epochs": s.epochs}
        raw = features(s.target, s.encoder, split="train", n=s.n_target, **shared)
        new = features(s.target, s.encoder, split="test", n=s.n_new, **shared)
        reference = features(s.reference, s.encoder, split="train", n=s.n_reference, **shared)
        reference, target = standardise(reference, raw)
        _, new = standardise(
            raw, new, how="joint"
        )  # by the target sample's statistics, as the classifier is used
        r = relatedness(reference, target, s.tau, metric=s.metric, mode=s.mode, seed=s.seed)
        losses = _losses(r.log_classifier(new.z), new)
        return {
            **asdict(s),
            "bound": r.bound,
            **{f"bound_{metric}": value for metric, value in r.chain.items()},
            "certified": r.certified,
            "loss": r.loss,
            "loss_new": float(losses.mean()),
            "loss_new_se": float(losses.std(correction=0)) / math.sqrt(len(new)),
            "best": transferability(target, s.tau).loss,
            "chance": target.chance,
            "log_k": math.log(target.n_classes),
            "n_tested": len(new),
        }


def _losses(log_h: torch.Tensor, task: Task) -> torch.Tensor:
    return -log_h.gather(1, task.labels[:, None])[:, 0]
