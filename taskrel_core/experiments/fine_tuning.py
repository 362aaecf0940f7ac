"""End-to-end fine-tuning of an encoder on a target: the accuracy that transferability scores try to predict.

The recipe, the same for every encoder and target: a head by logistic regression on the standardised features of the
frozen encoder ("probe"), then all weights trained from there with AdamW and a cosine schedule, the statistics of
batch normalisation kept fixed, no augmentation (letters and digits do not survive a flip). One training is one
row; ``select_learning_rate`` takes the learning rate by accuracy on samples that were held back from training.
"""

import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from .. import environment
from .._validation import check_count, check_positive
from ..data.datasets import DATASETS
from ..encoders.base import ENCODERS
from ..extraction import sample
from .row import Row

PROBE_C = 0.003  # first study: inverse strength of the probe's penalty, on standardised features
HELD_BACK = 6  # our choice: one in so many training samples chooses the learning rate


@dataclass(frozen=True)
class FineTuning(Row):
    """One training: which encoder on which target, how, and on how much.

    Attributes:
        n: images of the target's train part, one in ``HELD_BACK`` of which chooses the learning rate.
        n_test: images of its test part, the same for every seed.
        size: side of the images in pixels; None: the encoder's ``input_size``.
        seed: of the draw of the n, of their order and of the batches.
    """

    kind = "FineTuning"
    version = 1

    target: str
    encoder: str
    lr: float = 2e-4  # first study: one of 3e-5 and 2e-4
    epochs: int = 2  # first study
    batch: int = 32  # first study
    weight_decay: float = 0.01  # first study
    n: int = 1200  # our choice
    n_test: int = 1000  # our choice
    size: int | None = None
    seed: int = 0

    def compute(self) -> dict[str, Any]:
        """Fine-tune and return the row: accuracies in 0..1 with their binomial standard error, seconds.

        ``validation`` is the accuracy on the held-back samples, ``fine_tuned`` on the test part; ``probe`` and
        ``probe_validation`` are those of the head on the frozen encoder, where training starts.

        Raises:
            KeyError: an unknown name.
            MissingAsset: data or weights are not on this machine.
            ValueError: the encoder has no trainable trunk, or a number is out of range.
        """
        s, started = self, time.perf_counter()
        for name in ("epochs", "batch", "n", "n_test"):
            check_count(getattr(s, name), name)
        check_positive(s.lr, "lr")
        data, (parts, labels) = DATASETS[s.target], _parts(s)
        with torch.random.fork_rng():
            torch.manual_seed(s.seed)
            trunk = ENCODERS[s.encoder].module().to(environment.device())
            z = {part: _trunk_features(trunk, s, images) for part, images in parts.items()}
            head, converged = fit_probe(z["train"], labels["train"], data.n_classes)
            before = accuracies(head, z, labels)
            ready = time.perf_counter()
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR
            train_epochs(trunk, head, s, _inputs(s, parts["train"]), labels["train"], schedule)
            z = {part: _trunk_features(trunk, s, parts[part]) for part in ("validation", "test")}
            after = accuracies(head, z, labels)
        return {
            **asdict(s),
            "fine_tuned": after["test"],
            "fine_tuned_se": binomial_error(after["test"], len(labels["test"])),
            "validation": after["validation"],
            "probe": before["test"],
            "probe_se": binomial_error(before["test"], len(labels["test"])),
            "probe_validation": before["validation"],
            "probe_converged": converged,
            "n_train": len(labels["train"]),
            "n_tested": len(labels["test"]),
            "k_target": data.n_classes,
            "seconds": time.perf_counter() - started,
            "seconds_probe": ready - started,
        }


def _parts(s: FineTuning) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Images and labels of the parts that train, choose and test."""
    data = DATASETS[s.target]
    images, labels = sample(data, "train", s.n, s.seed)
    cut = max(len(labels) // HELD_BACK, 1)
    if len(np.unique(labels[cut:])) < 2:
        raise ValueError(
            f"n must leave images of two classes to train on, one in {HELD_BACK} being held back, got n = {s.n}; give a larger n"
        )
    test_images, test_labels = sample(data, "test", s.n_test, 0)
    return (
        {"validation": images[:cut], "train": images[cut:], "test": test_images},
        {"validation": labels[:cut], "train": labels[cut:], "test": test_labels},
    )


def _trunk_features(trunk: nn.Module, s: FineTuning, images: np.ndarray, batch: int = 64) -> Tensor:
    """Features of images, (n, dim), on the CPU."""
    entry, parts = ENCODERS[s.encoder], []
    with torch.no_grad():
        for k in range(0, len(images), batch):
            parts.append(trunk(entry.prepare(images[k : k + batch], s.size).to(environment.device())).cpu())
    return torch.cat(parts)


def fit_probe(z: Tensor, y: np.ndarray, k: int) -> tuple[nn.Linear, bool]:
    """Logistic regression on standardised features, as a layer on the plain ones, and whether it converged."""
    from sklearn.exceptions import ConvergenceWarning  # here: its import takes seconds
    from sklearn.linear_model import LogisticRegression

    x = z.double().numpy()
    mean, scale = x.mean(0), x.std(0)
    scale[scale < 1e-8 * max(float(scale.max()), 1e-300)] = np.inf  # a constant column says nothing
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        fitted = LogisticRegression(C=PROBE_C, max_iter=1000).fit((x - mean) / scale, y)
    weight, bias = np.zeros((k, x.shape[1])), np.full(k, -1e4)
    rows, shift = fitted.coef_, fitted.intercept_
    if len(rows) == 1:  # two classes: the library keeps one row
        rows, shift = np.concatenate([-rows / 2, rows / 2]), np.concatenate([-shift / 2, shift / 2])
    weight[fitted.classes_], bias[fitted.classes_] = rows / scale, shift - (rows / scale) @ mean
    head = nn.Linear(x.shape[1], k)
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(weight))
        head.bias.copy_(torch.from_numpy(bias))
    return head, not any(issubclass(w.category, ConvergenceWarning) for w in said)


def _inputs(s: FineTuning, images: np.ndarray) -> Callable[[np.ndarray], Tensor]:
    """From rows to what the encoder takes, prepared when it is asked for: all at once may not fit in memory."""
    return lambda rows: ENCODERS[s.encoder].prepare(images[rows], s.size)


def train_epochs(
    trunk: nn.Module,
    head: nn.Linear,
    s: Any,
    inputs: Callable[[np.ndarray], Tensor],
    y: np.ndarray,
    schedule: Callable[..., torch.optim.lr_scheduler.LRScheduler],
) -> None:
    """Train all weights in place.

    Args:
        trunk: encoder. head: the layer on it.
        s: a row with lr, weight_decay, epochs, batch and seed.
        inputs: from rows to what the trunk takes. y: labels of all rows, (n,).
        schedule: from the optimiser and the number of steps to the schedule of its rate.
    """
    order, device = np.random.default_rng(s.seed), environment.device()
    head.to(device)
    weights = [*trunk.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=s.lr, weight_decay=s.weight_decay)
    steps = s.epochs * -(-len(y) // s.batch)
    rates = schedule(optimiser, steps)
    with tqdm(total=steps, desc=f"{s.encoder} on {s.target}", leave=False) as bar:
        for _ in range(s.epochs):
            for rows in np.array_split(order.permutation(len(y)), steps // s.epochs):
                x = inputs(rows).to(device)
                loss = nn.functional.cross_entropy(head(trunk(x)), torch.from_numpy(y[rows]).to(device))
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                rates.step()
                bar.update()
    head.cpu()


def accuracies(head: nn.Linear, z: dict[str, Tensor], labels: dict[str, np.ndarray]) -> dict[str, float]:
    """Accuracy on the parts that were not trained on."""
    return {
        part: float((head(z[part]).argmax(1).numpy() == labels[part]).mean())
        for part in ("validation", "test")
    }


def binomial_error(accuracy: float, n: int) -> float:
    """Return the standard error of an accuracy on n samples."""
    return float(np.sqrt(accuracy * (1 - accuracy) / n))
