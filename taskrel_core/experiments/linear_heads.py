"""Accuracy and loss of a head on one task's test part: the numbers that the paper's key question compares."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch

from .._validation import check_choice
from ..data.datasets import DATASETS
from ..encoders.clip import zero_shot_head
from ..extraction import features, standardise
from ..method.head import Head, transferability
from ..task import Task
from .row import Row

HEADS = ("best", "zero_shot")


@dataclass(frozen=True)
class LinearHead(Row):
    """One row: which head on which task.

    Attributes:
        target: data set.
        encoder: name in ENCODERS.
        head: "best": the best tau-Lipschitz head of the train part, on features standardised by it; "zero_shot": the
            head of CLIP's text tower on plain features, for which no picture is used.
        tau: Lipschitz constant of the best head, nats per unit of feature.
        n: samples of the train part; n_test: of the test part.
        seed: of their draw.
    """

    kind = "Probing"
    version = 2

    target: str
    encoder: str
    head: str = "best"
    tau: float = 0.2  # authors' code, small scale
    n: int = 600  # our choice
    n_test: int = 400  # our choice
    seed: int = 0

    def compute(self) -> dict[str, Any]:
        """Return the row: accuracy in 0..1 and loss in nats on the test part, each with its standard error.

        Raises:
            KeyError, MissingAsset, ValueError: as ``features``; also for a head that is unknown or has no text tower.
        """
        s = self
        check_choice(s.head, "head", HEADS)
        shared = {"encoder": s.encoder, "seed": s.seed}
        test = features(s.target, split="test", n=s.n_test, **shared)
        if s.head == "best":
            train = features(s.target, split="train", n=s.n, **shared)
            train, test = standardise(train, test, how="joint")
            head = transferability(train, s.tau).head
        else:
            head = zero_shot_head(s.encoder, DATASETS[s.target].class_names)
        return {
            **asdict(s),
            **_measured(head, test),
            "k_target": test.n_classes,
            "chance": test.chance,
            "largest_class": float(test.prior.max()),
            "log_k": math.log(test.n_classes),
        }


def _measured(head: Head, test: Task) -> dict[str, float]:
    losses = head.losses(test.z, test.labels)
    right = (head.logits(test.z).argmax(1) == test.labels).double()
    return {
        "accuracy": float(right.mean()),
        "accuracy_se": _error(right),
        "loss": float(losses.mean()),
        "loss_se": _error(losses),
        "lipschitz": head.lipschitz,
        "n_tested": len(test),
    }


def _error(values: torch.Tensor) -> float:
    return float(values.std(correction=0)) / math.sqrt(len(values))
