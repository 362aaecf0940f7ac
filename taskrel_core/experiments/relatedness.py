"""One row of relatedness: the bound, its terms and transferability of a pair of tasks."""

import math
import time
from dataclasses import asdict, dataclass
from typing import Any

from ..extraction import features, standardise
from ..method.bound import Relatedness
from ..method.head import transferability
from ..method.settings import GradientSettings
from ..method.solve import relatedness
from ..task import Task
from .row import Row

LABELLED = ("loss", "accuracy", "transferability", "head_accuracy")  # what only labels can tell


@dataclass(frozen=True)
class Experiment(Row):
    """One row: which tasks, which encoder, which form of the bound, how much data."""

    kind = "Experiment"
    version = 7

    reference: str
    target: str
    encoder: str = "lenet"
    tau: float = 0.02  # authors' code, large scale
    method: str = "exact"
    metric: str = "one_sided"  # its row also holds the bound under every metric before it
    mode: str = "learned_all"
    labels: str = "true"
    measure: str = "in_sample"
    standardise: str = "own"  # authors' code
    n_reference: int = 3000  # our choice
    n_target: int = 1800  # our choice
    n_fit: int = 5000  # our choice: samples that a fitted encoder (LeNet, PCA) learns from
    epochs: int = 10  # our choice: of LeNet on the reference
    steps: int = 2001  # authors' code: of method="gradient"
    seed: int = 0

    def raw(self) -> tuple[Task, Task]:
        """Return reference and target as the encoder gives them."""
        shared = {
            "fitted_on": self.reference,
            "seed": self.seed,
            "encoder_n": self.n_fit,
            "epochs": self.epochs,
        }
        reference = features(self.reference, self.encoder, split="train", n=self.n_reference, **shared)
        target = features(self.target, self.encoder, split="train", n=self.n_target, **shared)
        return reference, target

    def tasks(self) -> tuple[Task, Task]:
        """Return the standardised reference and target."""
        return standardise(*self.raw(), how=self.standardise)

    def beyond(self, r: Relatedness) -> dict[str, Any]:  # noqa: ARG002
        """Return what the row says of samples that the bound is not about; none here."""
        return {}

    def compute(self) -> dict[str, Any]:
        """Return the row: terms and bounds in nats, the certificate, transferability, accuracies, sizes and seconds.

        Of a target without labels what needs them is None, and chance is that of its pseudo-labels.
        """
        e, started = self, time.perf_counter()
        reference, target = e.tasks()
        loaded = time.perf_counter()
        choices = {name: getattr(e, name) for name in ("metric", "mode", "labels", "measure", "method")}
        gradient = GradientSettings(steps=e.steps)
        r = relatedness(reference, target, e.tau, **choices, seed=e.seed, gradient=gradient)
        fitted = time.perf_counter()
        known = target.y is not None
        return {
            **asdict(e),
            "reweighted_loss": r.reweighted_loss,
            "label_mismatch": r.label_mismatch,
            "distribution_mismatch": r.distribution_mismatch,
            "lipschitz": r.tau,
            "bound": r.bound,
            **{f"bound_{metric}": value for metric, value in r.chain.items()},
            "certified": r.certified,
            **(_against_labels(r, target, e.tau) if known else dict.fromkeys(LABELLED)),
            **e.beyond(r),
            # Of the best head: r.head may have moved.
            "reference_accuracy": transferability(reference, e.tau).accuracy,
            "chance": (target if known else target.replaced(target.z, r.target_labels)).chance,
            "log_k": math.log(target.n_classes),
            "k_reference": reference.n_classes,
            "k_target": target.n_classes,
            "n": len(target),
            "d": target.d,
            "seconds": fitted - loaded,
            "seconds_features": loaded - started,
            "seconds_head": time.perf_counter() - fitted,
        }


def _against_labels(r: Relatedness, target: Task, tau: float) -> dict[str, float]:
    t = transferability(target, tau)
    return dict(zip(LABELLED, (*r.evaluate(target.z, target.labels), t.loss, t.accuracy), strict=True))
