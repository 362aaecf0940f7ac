"""From data set and encoder to a task, with the cache of features, and the standardisation of a pair of tasks."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from . import config
from ._checks import check_choice, check_count, check_same_width
from .assets import atomic
from .datasets import DATASETS
from .encoders import ENCODERS, Encoder, Fit
from .store import content_key
from .tasks import Task

__all__ = ["features", "standardise"]


def features(
    dataset: str,
    encoder: str,
    *,
    split: str = "train",
    n: int | None = None,
    seed: int = 0,
    fitted_on: str | None = None,
    encoder_n: int = 5000,
    epochs: int = 10,
) -> Task:
    """Return the features of a data set as a task, not standardised.

    Args:
        dataset: name in DATASETS, or ``folder:PATH``.
        encoder: name in ENCODERS.
        split: "train", "test" or "all".
        n: samples: the first n of one seeded permutation of the split, so fewer are always a subset; None: all.
        seed: of that permutation, and of a fitted encoder.
        fitted_on: the data set that a fitted encoder (LeNet, PCA) learns from; default ``dataset`` itself.
        encoder_n: samples of that data set's train part that it learns from.
        epochs: of LeNet.

    Raises:
        KeyError: an unknown name.
        MissingAsset: data or weights are not on this machine.
        ValueError: a damaged file in the cache.
    """
    data, entry = DATASETS[dataset], ENCODERS[encoder]
    seed = check_count(seed, "seed", 0)
    wanted: dict[str, Any] = {
        "data": data.version,
        "split": split,
        "n": n,
        "seed": seed,
        "encoder": entry.version,
    }
    source = None
    if entry.fitted:
        source = DATASETS[fitted_on or dataset]
        wanted |= {
            "fitted_on": source.version,
            "encoder_n": check_count(encoder_n, "encoder_n"),
            "epochs": epochs,
        }
    path = config.cache_dir() / "features" / f"{content_key(wanted)[:32]}.npz"
    if not path.exists():
        images, labels = _sample(*data.load(split), n, seed)
        fit = None if source is None else _fit(entry, source, encoder_n, seed, epochs)
        z = entry.build(fit)(images)
        with atomic(path) as scratch:
            np.savez(scratch, z=z.astype(np.float32), y=labels)
    z, y = _read(path)
    return Task(z, y, data.n_classes, dataset)


def standardise(reference: Task, target: Task, how: str = "own", scale: bool = False) -> tuple[Task, Task]:
    """Return both tasks with features of mean 0 and standard deviation 1; constant columns become 0.

    Args:
        reference: reference task.
        target: target task of the same width.
        how: "own": each by its own statistics (authors' code; an affine alignment of its own); "joint": both by
            the reference's; "none".
        scale: divide by sqrt(d), so that the norm of a sample does not grow with the width.
    """
    check_choice(how, "how", ("own", "joint", "none"))
    check_same_width(target.z, reference.z, "target.z", "reference.z")
    divisor = reference.d**0.5 if scale else 1.0
    result = []
    for task in (reference, target):
        by = task if how == "own" else reference
        mean, deviation = by.z.mean(0), by.z.std(0, correction=0)
        flat = deviation <= 1e-12 * by.z.abs().amax(0).clamp(min=1e-300)
        z = task.z if how == "none" else (task.z - mean) / torch.where(flat, torch.inf, deviation)
        result.append(Task(z / divisor, task.y, task.n_classes, task.name))
    return result[0], result[1]


def _sample(
    images: np.ndarray, labels: np.ndarray, n: int | None, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order if n is None else order[: check_count(n, "n")]
    return images[order], labels[order]


def _fit(entry: Encoder, source: Any, n: int, seed: int, epochs: int) -> Fit:
    images, labels = _sample(*source.load("train"), n, seed)
    key = content_key({"encoder": entry.version, "data": source.version, "n": n, "seed": seed})
    return Fit(images, labels, source.n_classes, seed, check_count(epochs, "epochs", 0), key)


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as data:
            return data["z"], data["y"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is damaged ({error}); delete it and run again") from error
