"""Fine-tuning with few samples per class: the accuracy that scores of small encoders try to predict.

With many samples every encoder learns an easy task equally well, so pre-training matters only where samples are few. The
recipe, the same for every encoder and target, is that of ``fine_tuning`` but for the schedule (one cycle) and the number
of epochs. One training is one row; ``trained`` takes the learning rate by the samples that were held back.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from .. import environment
from .._validation import check_count, check_positive
from ..data.datasets import DATASETS
from ..encoders.base import ENCODERS
from ..extraction import few_per_class, sample
from .fine_tuning import accuracies, binomial_error, fit_probe, train_epochs
from .row import Row
from .run import run

HELD_BACK = 5  # our choice: one in so many samples of each class chooses the learning rate


@dataclass(frozen=True)
class FewShot(Row):
    """One training: which encoder on which target, how, and on how much.

    Attributes:
        lr: largest learning rate of the cycle, for AdamW.
        per_class: images of each class of the target's train part, one in ``HELD_BACK`` of which chooses the rate.
        n_test: images of its test part, the same for every seed.
        seed: of the choice of images, of their order and of the batches.
    """

    kind = "FewShot"
    version = 1

    target: str
    encoder: str
    lr: float = 5e-4  # pilot study: one of 5e-4 and 1.5e-3
    per_class: int = 20  # pilot study
    epochs: int = 10  # pilot study
    batch: int = 32  # pilot study
    weight_decay: float = 0.01
    n_test: int = 1000
    seed: int = 0

    def compute(self) -> dict[str, Any]:
        """Fine-tune and return the row: accuracies in 0..1 with their binomial standard error, seconds.

        The columns are those of ``FineTuning``.

        Raises:
            KeyError: an unknown name.
            MissingAsset: data or weights are not on this machine.
            ValueError: the encoder has no trainable trunk, or a number is out of range.
        """
        s, started = self, time.perf_counter()
        for name in ("epochs", "batch", "n_test"):
            check_count(getattr(s, name), name)
        check_count(s.per_class, "per_class", 2)  # one to train on, one to choose by
        check_positive(s.lr, "lr")
        data, entry = DATASETS[s.target], ENCODERS[s.encoder]
        x, labels = _parts(s)
        with torch.random.fork_rng():
            torch.manual_seed(s.seed)
            trunk = entry.module().to(environment.device())
            z = {part: _encoded(trunk, images) for part, images in x.items()}
            head, converged = fit_probe(z["train"], labels["train"], data.n_classes)
            before = accuracies(head, z, labels)
            cycle = partial(_one_cycle, lr=s.lr)
            train_epochs(trunk, head, s, lambda rows: x["train"][rows], labels["train"], cycle)
            after = accuracies(
                head, {part: _encoded(trunk, x[part]) for part in ("validation", "test")}, labels
            )
        return {
            **asdict(s),
            "fine_tuned": after["test"],
            "fine_tuned_se": binomial_error(after["test"], len(labels["test"])),
            "validation": after["validation"],
            "probe": before["test"],
            "probe_validation": before["validation"],
            "probe_converged": converged,
            "n_train": len(labels["train"]),
            "n_tested": len(labels["test"]),
            "k_target": data.n_classes,
            "seconds": time.perf_counter() - started,
        }


def trained(
    cells: Iterable[tuple[str, str]], rates: Sequence[float], seeds: Sequence[int], **fixed: Any
) -> pd.DataFrame:
    """Return the trainings of each cell at its own learning rate, one row per seed.

    The first seed trains at every rate; the rate with the best accuracy on its held-back samples (of equal ones the
    largest) is the cell's, at which the further seeds train.

    Args:
        cells: (target, encoder) each.
        rates: learning rates to select from.
        seeds: of the trainings.
        fixed: other fields of ``FewShot``.
    """
    first = run(FewShot(*cell, lr=lr, seed=seeds[0], **fixed) for cell in cells for lr in rates)
    best = (
        first.sort_values(["validation", "lr"])
        .drop_duplicates(["target", "encoder"], keep="last")
        .sort_index()
    )
    chosen = best[["target", "encoder", "lr"]].itertuples(index=False)
    further = [FewShot(t, e, lr=lr, seed=seed, **fixed) for t, e, lr in chosen for seed in seeds[1:]]
    return pd.concat([best, run(further)], ignore_index=True) if further else best


def _parts(s: FewShot) -> tuple[dict[str, Tensor], dict[str, np.ndarray]]:
    """Prepared images and labels of the parts that train, choose and test."""
    data, prepare = DATASETS[s.target], ENCODERS[s.encoder].prepare
    images, y = few_per_class(data, "train", s.per_class, s.seed)
    held = np.zeros(len(y), bool)
    for k in range(data.n_classes):
        rows = np.flatnonzero(y == k)
        held[rows[: max(len(rows) // HELD_BACK, 1)]] = True
    test_images, test_y = sample(data, "test", s.n_test, 0)
    return (
        {"validation": prepare(images[held]), "train": prepare(images[~held]), "test": prepare(test_images)},
        {"validation": y[held], "train": y[~held], "test": test_y},
    )


def _encoded(trunk: torch.nn.Module, x: Tensor) -> Tensor:
    """Features, (n, dim), on the CPU."""
    with torch.no_grad():
        return torch.cat([trunk(part.to(environment.device())).cpu() for part in x.split(256)])


def _one_cycle(
    optimiser: torch.optim.Optimizer, steps: int, lr: float
) -> torch.optim.lr_scheduler.OneCycleLR:
    return torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=steps + 1)
