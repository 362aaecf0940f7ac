"""What an encoder is, and ENCODERS, where each kind is registered by its own file in this folder.

Example:
    >>> from taskrel_core import DATASETS, ENCODERS
    >>> images, _ = DATASETS["digits"].load("test")
    >>> ENCODERS["random_net"].features(images[:2]).shape == (2, ENCODERS["random_net"].dim)
    True
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from .. import environment
from .._registry import Registry
from .._validation import check_count
from .preprocessing import check_images

__all__ = [
    "ENCODERS",
    "IMAGENET",
    "OURS",
    "Encoder",
    "FittedEncoder",
    "NetworkEncoder",
    "TrainingSample",
    "batched",
    "register",
]


SMALLEST = 32  # side, pixels: the networks halve it five times
OURS, IMAGENET = "MIT (ours)", "ImageNet-1k"
Encode = Callable[[np.ndarray], np.ndarray]


def _resolve(name: str) -> "Encoder | None":
    """The encoder of ``clip:MODEL/PRETRAINED``, or any encoder @bfloat16 or @float16, or None."""
    from .clip import clip
    from .mixed_precision import mixed

    return mixed(name) or clip(name)


ENCODERS = Registry("encoder", resolve=_resolve, room=__package__)


@dataclass(frozen=True, eq=False)
class TrainingSample:
    """The reference sample that a fitted encoder learns from, and how."""

    images: np.ndarray  # uint8 (n, h, w[, 3])
    labels: np.ndarray  # int64 (n,)
    n_classes: int
    seed: int
    epochs: int
    key: str  # content key of all this but the epochs, names the cached weights


@dataclass(frozen=True, kw_only=True, eq=False)
class Encoder(ABC):
    """An entry of ENCODERS.

    ``images`` are uint8 (n, h, w) or (n, h, w, 3) of any side; ``size`` is the side in pixels that they are resized to,
    ``input_size`` where it is None. What is not possible for an encoder raises ValueError and names those for which it is.

    Attributes:
        name: in ENCODERS.
        dim: width d of the features.
        source_task: what it was trained on.
        licence: of the weights.
        input_size: side of the images unless another is asked for.
        native_size: side of the images that it was trained on; None if it takes ``input_size`` only.
        recipe: version of our own code that determines the features.
        file: name of the weights file in TASKREL_DATA, or "" where there is none.
        has_head: it comes with the head of its source task, so ``posteriors`` is possible.
        fitted: it learns from a sample of the reference before it gives features.
        trainable: ``module`` and ``prepare`` are possible.
    """

    name: str
    dim: int
    source_task: str
    licence: str
    input_size: int
    native_size: int | None = None
    recipe: str = ""
    file: str = ""
    has_head: bool = False
    fitted: bool = False
    trainable: ClassVar[bool] = False

    @property
    def version(self) -> str:
        """What determines the features: the sha256 of the weights, and how they are used.

        Raises:
            MissingAsset: it depends on a file that is not on this machine.
        """
        return self.recipe

    def path(self) -> Path:
        """Return the weights file, fetched if need be.

        Raises:
            MissingAsset: no source delivered it.
            ValueError: there is no such file, or it has not the pinned sha256.
        """
        raise self._refusal("have a weights file", [name for name, e in ENCODERS.items() if e.file])

    def side(self, size: int | None) -> int:
        """Return the side in pixels that images are resized to if ``size`` is asked for.

        Raises:
            ValueError: it is below 32, or another than the only one that this encoder takes.
        """
        if size is None or size == self.input_size:
            return self.input_size
        if self.native_size is None:
            raise ValueError(
                f"size must be {self.input_size} for encoder {self.name!r}, which takes no other, got {size}; leave it out"
            )
        return check_count(size, "size", SMALLEST)

    def fit(self, sample: TrainingSample) -> "Encoder":  # noqa: ARG002
        """Return the encoder that has learnt from ``sample``: itself unless ``fitted``."""
        return self

    @abstractmethod
    def features(self, images: np.ndarray, size: int | None = None) -> np.ndarray:
        """Return features, float32 (n, dim), without gradients.

        Raises:
            MissingAsset: the weights are not on this machine.
            ValueError: ``images`` or ``size`` are not possible, or ``fit`` has to come first.
        """

    def posteriors(self, images: np.ndarray, size: int | None = None) -> np.ndarray:  # noqa: ARG002
        """Return probabilities of the classes of the source task, float32 (n, K_S).

        Raises:
            MissingAsset, ValueError: as ``features``; also ValueError without ``has_head``.
        """
        self.check_has_head()
        raise NotImplementedError

    def module(self) -> nn.Module:
        """Return a new trunk to train: prepared images (n, c, side, side) -> features (n, dim).

        It is on the CPU, in evaluation mode, all its weights take gradients, and no other call shares them.

        Raises:
            MissingAsset: the weights are not on this machine.
            ValueError: the encoder is not ``trainable``.
        """
        raise self._not_trainable()

    def prepare(self, images: np.ndarray, size: int | None = None) -> Tensor:  # noqa: ARG002
        """Return images as ``module()`` wants them, float32 (n, c, side, side).

        Raises:
            ValueError: ``images`` or ``size`` are not possible, or the encoder is not ``trainable``.
        """
        raise self._not_trainable()

    def check_has_head(self) -> None:
        """Raise ValueError unless ``has_head``."""
        if not self.has_head:
            able = [name for name, e in ENCODERS.items() if e.has_head]
            raise self._refusal("bring a head for source posteriors", able)

    def _not_trainable(self) -> ValueError:
        return self._refusal("have a trainable trunk", [name for name, e in ENCODERS.items() if e.trainable])

    def _refusal(self, rule: str, able: list[str]) -> ValueError:
        return ValueError(f"encoder must {rule}, got {self.name!r}; those that do: {', '.join(able)}")


def register(encoder: Encoder) -> None:
    """Store an encoder in ENCODERS under its name.

    Raises:
        ValueError: the name is taken.
    """
    ENCODERS.register(encoder.name)(encoder)


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedEncoder(Encoder):
    """An encoder that learns from a sample of the reference: ``learn(sample)`` is the function images -> features."""

    learn: Callable[[TrainingSample], Encode] = field(repr=False)
    learnt: Encode | None = field(default=None, repr=False)
    fitted: bool = True

    def fit(self, sample: TrainingSample) -> "FittedEncoder":
        """Return the encoder that has learnt from ``sample``."""
        return replace(self, learnt=self.learn(sample))

    def features(self, images: np.ndarray, size: int | None = None) -> np.ndarray:
        """Return features, float32 (n, dim), of an encoder that ``fit`` returned."""
        self.side(size)
        if self.learnt is None:
            raise ValueError(
                f"encoder {self.name!r} is fitted on a reference, got none; call fit(sample) first, or give fitted_on=<data set>"
            )
        check_images(images)
        return self.learnt(images)


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkEncoder(Encoder):
    """An encoder that is a torch network; a subclass defines ``load``.

    Attributes:
        normalization: from images and side in pixels to float32 (n, c, side, side).
        batch: images in a batch.
    """

    normalization: Callable[[np.ndarray, int], np.ndarray] = field(repr=False)
    batch: int = 32
    trainable: ClassVar[bool] = True

    @abstractmethod
    def load(self) -> tuple[nn.Module, nn.Module | None]:
        """Return two functions of prepared images: the features (n, dim), and the class scores (n, K_S) or None.

        Both are new, in evaluation mode, and take gradients; they may share weights.

        Raises:
            MissingAsset: the weights are not on this machine.
            ValueError: the file is damaged, or holds other weights than its network's.
        """

    def features(self, images: np.ndarray, size: int | None = None) -> np.ndarray:
        """Return features, float32 (n, dim), without gradients."""
        return self._run(0, images, size)

    def posteriors(self, images: np.ndarray, size: int | None = None) -> np.ndarray:
        """Return probabilities of the classes of the source task, float32 (n, K_S); ImageNet's in the usual order."""
        self.check_has_head()
        return self._run(1, images, size)

    def module(self) -> nn.Module:
        """Return a new trunk to train: prepared images (n, c, side, side) -> features (n, dim)."""
        return self.load()[0]

    def prepare(self, images: np.ndarray, size: int | None = None) -> Tensor:
        """Return images as ``module()`` wants them, float32 (n, c, side, side)."""
        return torch.from_numpy(np.ascontiguousarray(self.normalization(images, self.side(size))))

    def _run(self, which: int, images: np.ndarray, size: int | None) -> np.ndarray:
        side = self.side(size)
        net = _loaded(self, self.version, environment.device())[which]
        return batched(net, images, self.name, self.batch, lambda part: self.prepare(part, side))


@lru_cache(maxsize=1)  # rows that follow one another mostly share their encoder
def _loaded(encoder: NetworkEncoder, version: str, device: str) -> tuple[nn.Module, nn.Module]:  # noqa: ARG001
    """Features and posteriors of an encoder as networks on ``device``; nothing trains them further."""
    trunk, scores = encoder.load()
    return trunk.to(device), nn.Sequential(scores or nn.Identity(), nn.Softmax(1)).to(device)


def batched(
    net: Callable[[Tensor], Tensor],
    images: np.ndarray,
    name: str,
    size: int,
    prepare: Callable[[np.ndarray], Tensor],
) -> np.ndarray:
    """Run ``net`` over batches of ``size``, so that memory does not grow with the number of images.

    Args:
        net: from a prepared batch, on the device of the settings, to (n, ...).
        images: uint8 (n, h, w[, 3]).
        name: for the progress bar.
        size: images in a batch.
        prepare: from a batch of images to what ``net`` takes.

    Returns:
        What ``net`` gives, float32 (n, ...).

    Raises:
        ValueError: ``images`` are of another type or shape.
    """
    check_images(images)
    parts = []
    with torch.inference_mode():
        for start in tqdm(range(0, len(images), size), desc=name, leave=False, delay=1):
            batch = prepare(images[start : start + size]).to(environment.device())
            parts.append(net(batch).float().cpu().numpy())
    return np.concatenate(parts)
