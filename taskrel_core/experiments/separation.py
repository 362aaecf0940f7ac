"""What a target tells without any reference: how far its class means lie apart, and the loss of its best head."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch

from .._validation import check_count
from ..extraction import features, standardise
from ..method.head import transferability
from ..task import Task
from .row import Row


@dataclass(frozen=True)
class Separation(Row):
    """One row: a target as one encoder sees it.

    Attributes:
        target: data set.
        encoder: name in ENCODERS.
        reference: the data set that the encoder learns from where it learns; "" for any other.
        tau: Lipschitz constant of the best head, nats per unit of feature.
        n_target: samples of the train part; n_new: of the test part, which nothing was fitted to.
        n_fit, epochs: of an encoder that learns.
        seed: of the samples and of the encoder.
    """

    kind = "Separation"
    version = 1

    target: str
    encoder: str = "lenet"
    reference: str = ""
    tau: float = 0.2  # authors' code, small scale
    n_target: int = 1000  # our choice
    n_new: int = 1000  # our choice
    n_fit: int = 5000  # our choice
    epochs: int = 10  # our choice
    seed: int = 0

    def compute(self) -> dict[str, Any]:
        """Return the row: ``class_distance`` in units of the standardised features, losses of the best head in nats.

        ``loss`` is that of the best tau-Lipschitz head on the sample that it was fitted on, ``loss_new`` on the test part, with
        its standard error.
        """
        s = self
        check_count(s.n_new, "n_new")
        shared = {"fitted_on": s.reference or None, "seed": s.seed, "encoder_n": s.n_fit, "epochs": s.epochs}
        train = features(s.target, s.encoder, split="train", n=s.n_target, **shared)
        test = features(s.target, s.encoder, split="test", n=s.n_new, **shared)
        train, test = standardise(train, test, how="joint")
        found = transferability(train, s.tau)
        losses = found.head.losses(test.z, test.labels)
        return {
            **asdict(s),
            "class_distance": class_distance(train),
            "loss": found.loss,
            "loss_new": float(losses.mean()),
            "loss_new_se": float(losses.std(correction=0)) / math.sqrt(len(test)),
            "chance": train.chance,
            "chance_new": test.chance,
            "n": len(train),
            "n_tested": len(test),
            "d": train.d,
        }


def class_distance(task: Task) -> float:
    """Return the mean Euclidean distance of the class means, over all pairs of classes that the sample has.

    In the unit of the features; 0 for a sample of one class.
    """
    means = torch.stack([task.z[task.labels == k].mean(0) for k in torch.unique(task.labels).tolist()])
    return float(torch.pdist(means).mean()) if len(means) > 1 else 0.0
