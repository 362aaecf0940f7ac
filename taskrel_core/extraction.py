"""From data set and encoder to a task, with the cache of features, and the standardisation of a pair of tasks."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from . import environment
from ._validation import check_choice, check_count, check_same_width
from .assets.content import content_key, read_arrays, write_arrays
from .data.datasets import DATASETS, Dataset
from .data.feature_files import FeatureFile
from .encoders.base import ENCODERS, Encoder, TrainingSample
from .encoders.callables import as_encoder, checked
from .task import Task

CHUNK = 4096  # pictures decoded at a time, a multiple of every encoder's batch: 0.8 GB at 256 x 256


def features(
    dataset: str,
    encoder: Any = None,
    *,
    split: str = "train",
    n: int | None = None,
    seed: int = 0,
    classes: Sequence[int | str] | None = None,
    size: int | None = None,
    fitted_on: str | None = None,
    encoder_n: int = 5000,
    epochs: int = 10,
) -> Task:
    """Return the features of a data set as a task, not standardised.

    Args:
        dataset: name in DATASETS, ``folder:PATH``, ``unlabelled:PATH@K``, or stored features ``features:FILE.npz``.
        encoder: name in ENCODERS or of ``encoders.named``; a torch module, or any function of pictures uint8
            (n, h, w[, 3]), whose features are not kept in the cache. Stored features need none, and ignore it.
        split: "train", "test" or "all".
        n: samples: the first n of one seeded permutation of the split, so fewer are always the start of more;
            None, or more than there are: all.
        seed: of that permutation, and of a fitted encoder.
        classes: labels or names of classes to keep, renumbered in this order, before the n are taken; None: all.
            ``sample_classes`` chooses some.
        size: side in pixels that images are resized to; None: the encoder's ``input_size``.
        fitted_on: the data set that a fitted encoder (LeNet, PCA) learns from; default ``dataset`` itself.
        encoder_n: samples of that data set's train part that it learns from, chosen in the same way.
        epochs: of LeNet; fewer are an earlier point of the same training, 0 its random start.

    Raises:
        KeyError: an unknown name.
        MissingAsset: data or weights are not on this machine.
        ValueError: a damaged file in the cache, an unknown split or class, a size that the encoder does not take.

    Example:
        >>> from taskrel_core import features
        >>> task = features("digits", "random_net", split="test", n=50)
        >>> len(task), task.d, task.n_classes
        (50, 256, 10)
    """
    data = DATASETS[dataset]
    classes = _labels(data, classes)
    if isinstance(data, FeatureFile):
        return _stored(data, split, n, seed, classes)
    if encoder is None:
        raise ValueError(
            f"encoder must be given for the pictures of {dataset!r}, got None; only features:FILE needs none"
        )
    entry = as_encoder(encoder)
    wanted = _wanted(data, entry, split, n, seed, classes, size)
    source = None
    if entry.fitted:
        source = DATASETS[fitted_on or dataset]
        wanted |= {
            "fitted_on": source.version,
            "encoder_n": check_count(encoder_n, "encoder_n"),
            "epochs": check_count(epochs, "epochs", 0),
        }

    def encode() -> dict[str, np.ndarray]:
        ready = entry if source is None else entry.fit(_sample(entry, source, encoder_n, seed, epochs))
        z, labels = _streamed(checked(ready, size), data, split, n, seed, classes)
        return {"z": z.astype(np.float32), "y": labels}

    arrays = _kept(wanted, encode) if isinstance(encoder, str) else encode()
    return _task(data, arrays["z"], arrays["y"], classes)


def _stored(data: FeatureFile, split: str, n: int | None, seed: int, classes: Sequence[int] | None) -> Task:
    """The same of stored features."""
    _wanted_sample(data, split, n, seed, classes)
    order, labels = _order(data, split, n, seed, classes)
    return _task(data, data.stored(split, order), labels, classes)


def _task(data: Dataset, z: np.ndarray, labels: np.ndarray, classes: Sequence[int] | None) -> Task:
    return Task(z, labels if data.labelled else None, len(classes) if classes else data.n_classes, data.name)


def source_posteriors(
    dataset: str,
    encoder: str,
    *,
    split: str = "train",
    n: int | None = None,
    seed: int = 0,
    classes: Sequence[int | str] | None = None,
    size: int | None = None,
) -> Float[Tensor, "n k"]:
    """Return what an encoder's own head says: probabilities of its source classes, (n, K_S), float64.

    The rows are those of ``features`` with the same arguments.

    Raises:
        KeyError, MissingAsset, ValueError: as ``features``; also ValueError if the encoder brings no head.
    """
    data, entry = DATASETS[dataset], ENCODERS[encoder]
    entry.check_has_head()
    classes = _labels(data, classes)
    wanted = _wanted(data, entry, split, n, seed, classes, size) | {"what": "posteriors"}

    def encode() -> dict[str, np.ndarray]:
        return {"p": _streamed(partial(entry.posteriors, size=size), data, split, n, seed, classes)[0]}

    arrays = _kept(wanted, encode)
    return torch.from_numpy(arrays["p"]).double()


def n_parameters(encoder: Any) -> int | None:
    """Return how many weights the network of an encoder has, None where it is no network that can be looked into."""
    entry = as_encoder(encoder)
    if not entry.trainable:
        return None

    def count() -> dict[str, np.ndarray]:
        return {"n": np.array(sum(p.numel() for p in entry.skeleton().parameters()))}

    kept = isinstance(encoder, str)
    found = _kept({"what": "parameters", "encoder": entry.version}, count) if kept else count()
    return int(found["n"])


def sample_classes(dataset: str, k: int, seed: int = 0) -> tuple[int, ...]:
    """Return ``k`` different labels of a data set, sampled with ``seed``, in ascending order, for ``classes``.

    With the same seed, the labels of a smaller ``k`` are among those of a larger one.

    Raises:
        KeyError: an unknown data set.
        ValueError: it has fewer than ``k`` classes.
    """
    data = DATASETS[dataset]
    if check_count(k, "k") > data.n_classes:
        raise ValueError(
            f"k must be at most the {data.n_classes} classes of {dataset!r}, got {k}; ask for fewer"
        )
    order = np.random.default_rng(check_count(seed, "seed", 0)).permutation(data.n_classes)
    return tuple(int(label) for label in sorted(order[:k]))


def standardise(reference: Task, target: Task, how: str = "own") -> tuple[Task, Task]:
    """Return both tasks with features of mean 0 and standard deviation 1; constant columns become 0.

    Args:
        reference: reference task.
        target: target task of the same width.
        how: "own": each by its own statistics (authors' code; an affine alignment of its own); "joint": both by
            the reference's; "none".
    """
    check_choice(how, "how", ("own", "joint", "none"))
    check_same_width(target.z, reference.z, "target.z", "reference.z")
    result = []
    for task in (reference, target):
        by = task if how == "own" else reference
        mean, deviation = by.z.mean(0), by.z.std(0, correction=0)
        flat = deviation <= 1e-12 * by.z.abs().amax(0).clamp(min=1e-300)
        z = task.z if how == "none" else (task.z - mean) / torch.where(flat, torch.inf, deviation)
        result.append(Task(z, task.y, task.n_classes, task.name))
    return result[0], result[1]


def _labels(data: Dataset, classes: Sequence[int | str] | None) -> list[int] | None:
    """The labels of classes, some of which may be given by name."""
    if classes is None:
        return None
    names = {name: label for label, name in enumerate(data.class_names)} if any(map(_text, classes)) else {}
    for name in filter(_text, classes):
        if name not in names:
            raise ValueError(
                f"classes must be labels or names of {data.name!r}, got {name!r}; its names are {', '.join(names)}"
            )
    return [names[c] if isinstance(c, str) else c for c in classes]


def _text(value: int | str) -> bool:
    return isinstance(value, str)


def _wanted(
    data: Dataset,
    entry: Encoder,
    split: str,
    n: int | None,
    seed: int,
    classes: Sequence[int] | None,
    size: int | None,
) -> dict[str, Any]:
    """What determines features, for the content key."""
    side = entry.side(size)
    of_size = {} if entry.native_size is None else {"size": side}  # the others know one size only
    return of_size | _wanted_sample(data, split, n, seed, classes) | {"encoder": entry.version}


def _wanted_sample(
    data: Dataset, split: str, n: int | None, seed: int, classes: Sequence[int] | None
) -> dict[str, Any]:
    """What determines a sample, for the content key."""
    if classes is not None and not data.labelled:
        raise ValueError(
            f"classes must be None for {data.name!r}, whose labels are not known, got {list(classes)}"
        )
    for label in classes or ():
        if check_count(label, "classes", 0) >= data.n_classes:
            raise ValueError(f"classes must be labels below {data.n_classes} of {data.name!r}, got {label}")
    if classes is not None and (len(classes) == 0 or len(set(classes)) < len(classes)):
        raise ValueError(f"classes must be different labels, at least one, got {list(classes)}; or give None")
    return {
        "data": data.version,
        "split": check_choice(split, "split", ("train", "test", "all")),
        "n": None if n is None else check_count(n, "n"),
        "seed": check_count(seed, "seed", 0),
        "classes": None if classes is None else list(classes),
    }


def _kept(wanted: dict[str, Any], compute: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    path = environment.cache_dir() / "features" / f"{content_key(wanted)[:32]}.npz"
    if not path.exists():
        write_arrays(path, compute())
    return read_arrays(path)


def _streamed(
    run: Callable[[np.ndarray], np.ndarray], data: Dataset, split: str, n: int | None, seed: int, classes: Any
) -> tuple[np.ndarray, np.ndarray]:
    """What ``run`` makes of a sample, and its labels; no more than CHUNK pictures are in memory at a time."""
    order, labels = _order(data, split, n, seed, classes)
    parts = [run(data.images(split, order[k : k + CHUNK])) for k in range(0, len(order), CHUNK)]
    return np.concatenate(parts), labels


def sample(
    data: Dataset, split: str, n: int | None, seed: int, classes: Sequence[int] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return images uint8 (n, h, w[, 3]) and labels (n,): the rows of ``features`` with the same arguments."""
    order, labels = _order(data, split, n, seed, classes)
    return data.images(split, order), labels


def few_per_class(
    data: Dataset, split: str, per_class: int, seed: int
) -> tuple[np.ndarray, Int[np.ndarray, " n"]]:
    """Return images and labels of the first ``per_class`` samples of each class, in the order of ``sample``.

    A class with fewer gives all that it has.
    """
    order, labels = _order(data, split, None, seed, None)
    kept = np.sort(np.concatenate([np.flatnonzero(labels == k)[:per_class] for k in range(data.n_classes)]))
    return data.images(split, order[kept]), labels[kept]


def _order(
    data: Dataset, split: str, n: int | None, seed: int, classes: Sequence[int] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the split that make a sample, in its order, and their labels."""
    labels = data.labels(split)
    order = np.random.default_rng(seed).permutation(len(labels))
    if classes is not None:
        new = np.full(data.n_classes, -1)
        new[list(classes)] = np.arange(len(classes))
        labels = new[labels]
        order = order[labels[order] >= 0]
    return order[:n], labels[order[:n]]


def _sample(entry: Encoder, source: Dataset, n: int, seed: int, epochs: int) -> TrainingSample:
    images, labels = sample(source, "train", n, seed)
    key = content_key({"encoder": entry.version, "data": source.version, "n": n, "seed": seed})
    return TrainingSample(images, labels, source.n_classes, seed, epochs, key)
