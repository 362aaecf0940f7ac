"""Encoders by name: images in, features out. Foreign weights are read without running foreign code.

Example:
    >>> from taskrel_core import DATASETS, ENCODERS
    >>> images, _ = DATASETS["digits"].load("test")
    >>> ENCODERS["random_net"].build(None, None)(images[:2]).shape == (2, ENCODERS["random_net"].dim)
    True
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .. import environment
from .._registry import Registry
from .._validation import check_count
from .checkpoints import CHECKPOINTS, Checkpoint
from .clip import LISTED, Clip, clip
from .lenet import train_lenet
from .mixed_precision import PRECISIONS, mixed
from .networks import Trunk, batched, random_lite, random_net
from .packaged import LITE, NON_COMMERCIAL, ZOO, Packaged, Undisclosed
from .preprocessing import grey

__all__ = ["ENCODERS", "Encoder", "Fit"]


Encode = Callable[[np.ndarray], np.ndarray]
SMALLEST = 32  # side, pixels: the networks halve it five times


@dataclass(frozen=True, eq=False)
class Fit:
    """The reference sample that a fitted encoder learns from, and how."""

    images: np.ndarray  # uint8 (n, h, w[, 3])
    labels: np.ndarray  # int64 (n,)
    n_classes: int
    seed: int
    epochs: int
    key: str  # content key of all this, names the cached weights


@dataclass(frozen=True)
class Encoder:
    """An entry of ENCODERS.

    Three ways to use it; ``images`` are uint8 (n, h, w) or (n, h, w, 3) of any side, and ``size`` is the side in
    pixels that they are resized to, ``input_size`` where it is None:

    - ``build(fit, size)(images)``: float32 features (n, dim), without gradients. ``fit`` is the reference sample of
      an encoder that learns (``fitted``), else None. Raises MissingAsset where the weights are not on this machine,
      ValueError where an encoder that learns got no ``fit``, or ``side`` refuses the size.
    - ``posteriors(images, size)``: probabilities (n, classes of the source task) of an encoder that comes with its
      head; ``posteriors`` is None for the others.
    - ``module()`` and ``prepare(images, size)``, for fine-tuning: a new torch module with gradients, and the images
      as it wants them. In evaluation mode ``module()(prepare(images, size))`` are the features.

    Attributes:
        dim: width d of the features.
        source_task: what it was trained on.
        licence: of the weights.
        input_size: side of the images that it looks at unless asked for another.
        native_size: side of the images that it was trained on; None if it takes ``input_size`` only.
        weights: the sha256 that is pinned, or "" where the weights are no file or the file at hand is the version.
        file: returns the path of the weights, fetched if need be; None where there is no file.
        fitted: it learns from the reference first.
    """

    name: str
    dim: int
    source_task: str
    licence: str
    input_size: int
    stamp: str | Callable[[], str] = field(repr=False)
    fitted: bool
    build: Callable[..., Encode] = field(repr=False)
    posteriors: Callable[..., np.ndarray] | None = field(default=None, repr=False)
    native_size: int | None = None
    weights: str = ""
    trunk: Callable[[], nn.Module] | None = field(default=None, repr=False)
    look: Callable[[np.ndarray, int], np.ndarray] | None = field(default=None, repr=False)
    file: Callable[[], Path] | None = field(default=None, repr=False)

    @property
    def version(self) -> str:
        """What determines the features: the sha256 of the weights, and how they are used.

        Raises:
            MissingAsset: it depends on a file that is not on this machine.
        """
        return self.stamp() if callable(self.stamp) else self.stamp

    def side(self, size: int | None) -> int:
        """Return the side in pixels that images are resized to if ``size`` is asked for.

        Raises:
            ValueError: it is below 32, or another than the only one that this encoder takes.
        """
        if size is None or size == self.input_size:
            return self.input_size
        if self.native_size is None:
            takes = f"size must be {self.input_size} for encoder {self.name!r}"
            raise ValueError(f"{takes}, which takes no other, got {size}; leave it out")
        return check_count(size, "size", SMALLEST)

    def module(self) -> nn.Module:
        """Return a new trunk to train: prepared images (n, c, side, side) -> features (n, dim).

        It is on the CPU, in evaluation mode, all its weights take gradients, and no other call shares them.

        Raises:
            ValueError: the encoder cannot be trained further (it learns from a reference, or is run as it is).
            MissingAsset: the weights are not on this machine.
        """
        return self._trainable(self.trunk)()

    def prepare(self, images: np.ndarray, size: int | None = None) -> Tensor:
        """Return images uint8 (n, h, w[, 3]) as ``module()`` wants them, float32 (n, c, side, side).

        Raises:
            ValueError: ``images`` or ``size`` are not possible, or the encoder has no trainable trunk.
        """
        look = self._trainable(self.look)
        return torch.from_numpy(np.ascontiguousarray(look(images, self.side(size))))

    def _trainable(self, part: Any) -> Any:
        if part is None:
            able = ", ".join(name for name in ENCODERS if ENCODERS[name].trunk)
            raise ValueError(f"encoder must have a trainable trunk, got {self.name!r}; those that do: {able}")
        return part


ENCODERS: Registry = Registry("encoder", resolve=lambda name: _resolve(name))
OURS = "MIT (ours)"


def _made(name: str, make: Callable[..., Encode], **facts: Any) -> Encoder:
    """An entry whose ``build`` checks the size, then calls ``make(fit, side)``."""

    def build(fit: Fit | None, size: int | None = None) -> Encode:
        return make(fit, entry.side(size))

    entry = Encoder(name, build=build, **facts)
    return entry


def _register(name: str, **facts: Any) -> Callable[[Callable[..., Encode]], Callable[..., Encode]]:
    def store(make: Callable[..., Encode]) -> Callable[..., Encode]:
        ENCODERS.register(name)(_made(name, make, **facts))
        return make

    return store


@_register(
    "lenet",
    dim=200,
    source_task="the reference itself",
    licence=OURS,
    input_size=28,
    stamp="lenet-2",
    fitted=True,
)
def _lenet(fit: Fit | None, size: int) -> Encode:
    """LeNet of the authors' small-scale study, trained on the reference; features after the last hidden layer."""
    fit = _needs(fit, "lenet")
    trunk = train_lenet(grey(fit.images, size), fit.labels, fit.n_classes, fit.seed, fit.epochs, fit.key)
    return lambda images: batched(trunk, images, "LeNet", 512, lambda part: grey(part, size))


@_register("pca", dim=64, source_task="none: pixels", licence=OURS, input_size=28, stamp="pca-1", fitted=True)
def _pca(fit: Fit | None, size: int) -> Encode:
    """The 64 leading principal components of grey 28x28 pixels of the reference: a floor."""
    pixels = grey(_needs(fit, "pca").images, size).reshape(-1, size * size)
    mean = pixels.mean(0)
    # Signs of singular vectors are arbitrary: fixed by the largest entry.
    components = np.linalg.svd(pixels - mean, full_matrices=False)[2][:64]
    signs = np.sign(components[np.arange(len(components)), np.abs(components).argmax(1)])
    basis = np.zeros((64, size * size), np.float32)
    basis[: len(components)] = components * signs[:, None]
    return lambda images: (grey(images, size).reshape(-1, size * size) - mean) @ basis.T


def _centred(images: np.ndarray, size: int) -> np.ndarray:
    return grey(images, size) * 2 - 1


@_register(
    "random_net",
    dim=256,
    source_task="none: random",
    licence=OURS,
    input_size=28,
    stamp="random-1",
    fitted=False,
    trunk=random_net,
    look=_centred,
)
def _random_net(fit: Fit | None, size: int) -> Encode:  # noqa: ARG001
    """Two fixed random convolutions with ReLU and pooling, variance-preserving: a floor."""
    net = random_net().to(environment.device())
    return lambda images: batched(net, images, "random net", 512, lambda part: _centred(part, size))


@_register(
    "efficientnet_lite0_random",
    dim=1280,
    source_task="none: random",
    licence=OURS,
    input_size=96,
    native_size=96,
    stamp="random-lite-1",
    fitted=False,
    trunk=lambda: Trunk(random_lite()).eval(),
    look=LITE,
)
def _lite_random(fit: Fit | None, size: int) -> Encode:  # noqa: ARG001
    """EfficientNet-Lite0 with random weights, variance-preserving: a floor of the packaged encoders' shape."""
    net = Trunk(random_lite()).eval().to(environment.device())
    return lambda images: batched(net, images, "random Lite0", 32, lambda part: LITE(part, size))


def _from_file(entry: Packaged | Checkpoint | Clip, dim: int, size: int, **more: Any) -> Encoder:
    """The entry of a torch network whose weights are a file."""

    def make(fit: Fit | None, size: int) -> Encode:  # noqa: ARG001
        net = _network(entry, entry.version, environment.device())
        return lambda images: batched(net, images, entry.name, 32, lambda part: entry.look(part, size))

    def posteriors(images: np.ndarray, asked: int | None = None) -> np.ndarray:
        """Probabilities of the 1000 ImageNet classes, in the usual order of their synsets."""
        side = found.side(asked)
        net = nn.Sequential(entry.scores(), nn.Softmax(1)).to(environment.device())
        return batched(net, images, entry.name, 32, lambda part: entry.look(part, side))

    found = _made(
        entry.name,
        make,
        dim=dim,
        source_task=entry.source_task,
        licence=entry.licence,
        input_size=size,
        stamp=lambda: entry.version,
        fitted=False,
        posteriors=posteriors if entry.head else None,
        trunk=lambda: entry.load()[0],
        look=entry.look,
        file=entry.path,
        **more,
    )
    return found


@lru_cache(maxsize=1)  # rows that follow one another mostly share their encoder
def _network(entry: Packaged | Checkpoint | Clip, version: str, device: str) -> nn.Module:  # noqa: ARG001
    """The trunk of an entry where features are computed; nothing trains it further."""
    return entry.load()[0].to(device)


def _undisclosed(entry: Undisclosed) -> Encoder:
    """The entry of an encoder that is run as it is, and only where its licence was accepted."""

    def make(fit: Fit | None, size: int) -> Encode:  # noqa: ARG001
        run = entry.load()

        def net(x: Tensor) -> Tensor:
            return torch.from_numpy(run(x.cpu().numpy()))

        return lambda images: batched(net, images, entry.name, 32, lambda part: entry.look(part, size))

    return _made(
        entry.name,
        make,
        dim=entry.dim,
        source_task=entry.source_task,
        licence=entry.licence,
        input_size=entry.size,
        stamp=lambda: entry.version,
        weights=entry.sha256,
        fitted=False,
        file=entry.path,
    )


def _resolve(name: str) -> Encoder | None:
    """The entry of ``clip:MODEL/PRETRAINED``, or of any encoder @bfloat16 or @float16, or None."""
    base, at, precision = name.rpartition("@")
    if at and precision in PRECISIONS:
        return mixed(ENCODERS[base], precision)
    model = clip(name)
    return _from_file(model, model.dim, model.size) if model else None


for _name, _entry in ZOO.items():
    ENCODERS.register(_name)(
        _from_file(_entry, _entry.dim, _entry.size, native_size=_entry.native_size, weights=_entry.sha256)
    )

for _name, _other in NON_COMMERCIAL.items():
    ENCODERS.register(_name)(_undisclosed(_other))

for _name, _published in CHECKPOINTS.items():
    ENCODERS.register(_name)(_from_file(_published, _published.dim, _published.size))

for _name, (_dim, _size) in LISTED.items():
    ENCODERS.register(_name)(_from_file(Clip(*_name.removeprefix("clip:").split("/")), _dim, _size))


def _needs(fit: Fit | None, name: str) -> Fit:
    if fit is None:
        raise ValueError(f"encoder {name!r} is fitted on a reference, got none; give fitted_on=<data set>")
    return fit
