"""What an encoder is, and ENCODERS, where each file of this folder registers those of one kind.

Example:
    >>> from taskrel_core import DATASETS, ENCODERS
    >>> images, _ = DATASETS["digits"].load("test")
    >>> ENCODERS["random_net"].features(images[:2]).shape == (2, ENCODERS["random_net"].dim)
    True
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from .. import environment
from .._registry import Registry
from .._validation import check_count
from .preprocessing import check_images

SMALLEST = 32  # side, pixels: the networks halve it five times
OURS, IMAGENET = "MIT (ours)", "ImageNet-1k"
Encode = Callable[[np.ndarray], np.ndarray]  # images -> features
Normalize = Callable[[np.ndarray, int], np.ndarray]  # images, side -> float32 (n, c, side, side)


def _resolve(name: str) -> "Encoder | None":
    """The encoder of ``clip:MODEL/PRETRAINED`` or a name of ``named``, or any encoder @bfloat16 or @float16, or None."""
    from .clip import clip
    from .mixed_precision import mixed
    from .named import named

    return mixed(name) or clip(name) or named(name)


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
class Encoder:
    """An entry of ENCODERS. A subclass that is a torch network defines ``load``, any other defines ``features``.

    ``images`` are uint8 (n, h, w) or (n, h, w, 3) of any side; ``size`` is the side in pixels that they are resized to,
    ``input_size`` where it is None.

    Attributes:
        name: in ENCODERS.
        dim: width d of the features.
        source_task: what it was trained on.
        licence: of the weights.
        input_size: side of the images unless another is asked for.
        native_size: side of the images that it was trained on; None if it takes ``input_size`` only.
        recipe: version of our own code that determines the features.
        file: name of the weights file in TASKREL_DATA, or "" where there is none.
        family: its architecture, where others share it: those of one family resemble one another.
        opt_in: its licence is not stated or forbids commercial use, so it is fetched only where it is named.
        has_head: it comes with the head of its source task, so ``posteriors`` is possible.
        fitted: it learns from a sample of the reference before it gives features.
        normalization: from images and side to what the network takes; None if it is no network that can be trained.
        batch: images in a batch.
    """

    name: str
    dim: int
    source_task: str
    licence: str
    input_size: int
    native_size: int | None = None
    recipe: str = ""
    file: str = ""
    family: str = ""
    opt_in: bool = False
    has_head: bool = False
    fitted: bool = False
    normalization: Normalize | None = field(default=None, repr=False)
    batch: int = 32

    @property
    def version(self) -> str:
        """What determines the features: the sha256 of the weights, and how they are used.

        Raises:
            MissingAsset: it depends on a file that is not on this machine.
        """
        return self.recipe

    @property
    def trainable(self) -> bool:
        """Whether ``module`` and ``prepare`` are possible."""
        return self.normalization is not None

    def path(self) -> Path:
        """Return the weights file, fetched if need be.

        Raises:
            MissingAsset: no source delivered it.
            ValueError: the encoder has no such file, or it does not have the pinned sha256.
        """
        raise ValueError(f"encoder must have a weights file, got {self.name!r}; see `file`")

    def load(self) -> tuple[nn.Module, nn.Module | None]:
        """Return two functions of prepared images: the features (n, dim), and the class scores (n, K_S) or None.

        Both are new, in evaluation mode, and take gradients; they may share weights.

        Raises:
            MissingAsset: the weights are not on this machine.
            ValueError: the file is damaged, or holds other weights than its network's.
        """
        raise NotImplementedError(f"{type(self).__name__} must define load() or features()")

    def skeleton(self) -> nn.Module:
        """Return the trunk for its shapes: its weights may be missing. Without the weights file where that is possible."""
        return self.load()[0]

    def fit(self, sample: TrainingSample) -> "Encoder":  # noqa: ARG002
        """Return the encoder fitted on ``sample``: itself unless ``fitted``."""
        return self

    def features(self, images: np.ndarray, size: int | None = None) -> np.ndarray:
        """Return features, float32 (n, dim), without gradients.

        Raises:
            MissingAsset: the weights are not on this machine.
            ValueError: ``images`` or ``size`` are not possible, or ``fit`` has to come first.
        """
        return self._run(0, images, size)

    def posteriors(self, images: np.ndarray, size: int | None = None) -> np.ndarray:
        """Return probabilities of the classes of the source task, float32 (n, K_S); ImageNet's in the usual order.

        Raises:
            MissingAsset, ValueError: as ``features``; also ValueError without ``has_head``.
        """
        self.check_has_head()
        return self._run(1, images, size)

    def module(self) -> nn.Module:
        """Return a new trunk to train: prepared images (n, c, side, side) -> features (n, dim).

        It is on the CPU, in evaluation mode, all its weights take gradients, and no other call shares them.

        Raises:
            MissingAsset: the weights are not on this machine.
            ValueError: the encoder is not ``trainable``.
        """
        self._check_trainable()
        return self.load()[0]

    def prepare(self, images: np.ndarray, size: int | None = None) -> Tensor:
        """Return images as ``module()`` takes them, float32 (n, c, side, side).

        Raises:
            ValueError: ``images`` or ``size`` are not possible, or the encoder is not ``trainable``.
        """
        normalize = self._check_trainable()
        return torch.from_numpy(np.ascontiguousarray(normalize(images, self.side(size))))

    def side(self, size: int | None) -> int:
        """Return the side in pixels that images are resized to if ``size`` is asked for.

        Raises:
            ValueError: it is below 32, or another than the only one that this encoder takes.
        """
        if size is None or size == self.input_size:
            return self.input_size
        if self.native_size is None:
            rule = f"size must be {self.input_size} for encoder {self.name!r}, which takes no other"
            raise ValueError(f"{rule}, got {size}; leave it out")
        return check_count(size, "size", SMALLEST)

    def check_has_head(self) -> None:
        """Raise ValueError, with the names of encoders that have one, unless it comes with a head."""
        if not self.has_head:
            able = ", ".join(name for name, encoder in ENCODERS.items() if encoder.has_head)
            rule = "encoder must bring a head for source posteriors"
            raise ValueError(f"{rule}, got {self.name!r}; those that do: {able}")

    def _check_trainable(self) -> Normalize:
        if self.normalization is None:
            able = ", ".join(name for name, encoder in ENCODERS.items() if encoder.trainable)
            raise ValueError(f"encoder must have a trainable trunk, got {self.name!r}; those that do: {able}")
        return self.normalization

    def _run(self, which: int, images: np.ndarray, size: int | None) -> np.ndarray:
        side = self.side(size)
        net = _loaded(self, self.version, environment.device())[which]
        return batched(net, images, self.name, self.batch, lambda part: self.prepare(part, side))


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
    encode: Encode | None = field(default=None, repr=False)
    fitted: bool = True

    def fit(self, sample: TrainingSample) -> "FittedEncoder":
        """Return the encoder fitted on ``sample``."""
        return replace(self, encode=self.learn(sample))

    def features(self, images: np.ndarray, size: int | None = None) -> np.ndarray:
        """Return features, float32 (n, dim), of an encoder that ``fit`` returned."""
        self.side(size)
        if self.encode is None:
            rule = f"encoder {self.name!r} is fitted on a reference, got none"
            raise ValueError(f"{rule}; give fitted_on=<data set>, or call fit(sample) first")
        return self.encode(images)


@lru_cache(maxsize=1)  # rows that follow one another mostly share their encoder
def _loaded(encoder: Encoder, version: str, device: str) -> tuple[nn.Module, nn.Module]:  # noqa: ARG001
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
