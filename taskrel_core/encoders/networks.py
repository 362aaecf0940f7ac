"""Networks that others trained, without their weights: each is the maps of its last layer, and a head where it has one.

Unless stated, networks are made on torch's device "meta": no memory, no random numbers; ``weights.filled`` makes them real.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from .. import environment
from ..assets.torchvision_import import import_torchvision
from .preprocessing import check_images

__all__ = [
    "Trunk",
    "batched",
    "lite",
    "mobilenet_v2",
    "random_lite",
    "random_net",
    "resnet50_thin",
    "squeezenet",
    "vgg16",
]


Parts = tuple[
    nn.Module, nn.Module | None
]  # maps (n, 3, h, w) -> (n, d, h', w'), head (n, d, h', w') -> (n, classes)

VGG16 = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # width and convolutions of each block
THIN = ((32, 3), (64, 4), (128, 6), (256, 3))  # inner width and blocks of each stage
META = torch.device("meta")


def random_net() -> nn.Module:
    """Return two fixed random convolutions: grey images (n, 1, 28, 28) in [-1, 1] -> features (n, 256)."""
    generator = torch.Generator().manual_seed(0)
    layers: list[nn.Module] = []
    for inside, outside in ((1, 32), (32, 64)):
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            layer = nn.Conv2d(inside, outside, 5, bias=False)
            layer.weight.copy_(
                torch.randn(layer.weight.shape, generator=generator) * (2 / (25 * inside)) ** 0.5
            )
        layers += [layer, nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten()).eval()


class Trunk(nn.Module):
    """Features (n, d) of prepared images (n, 3, h, w): the mean of the maps over their positions."""

    def __init__(self, maps: nn.Module):
        super().__init__()
        self.maps = maps

    def forward(self, x: Tensor) -> Tensor:
        """Return features, (n, d)."""
        return self.maps(x).mean((2, 3))


class _LiteMaps(nn.Module):
    """EfficientNet-Lite up to its last map; padded by the size of the input, as TensorFlow does it."""

    def __init__(self, name: str):
        super().__init__()
        from efficientnet_lite_pytorch import EfficientNet

        self.net = EfficientNet.from_name(name, image_size=None)
        self.net._fc = nn.Identity()  # the head is a part of its own

    def forward(self, x: Tensor) -> Tensor:
        return self.net.extract_features(x)


def lite(k: int) -> Parts:
    """Return EfficientNet-Lite k (0, 1, 2) and its 1000-way head."""
    with META:
        head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000))
        return _LiteMaps(f"efficientnet-lite{k}"), head


def random_lite(seed: int = 0) -> nn.Module:
    """Return the maps of EfficientNet-Lite0 with random weights that preserve the variance, in evaluation mode.

    With the start that the network's own code gives it, the features would all but vanish (standard deviation 1e-9).
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        maps = _LiteMaps("efficientnet-lite0")
        for name, layer in maps.named_modules():
            if isinstance(layer, nn.Conv2d):
                # No ReLU follows a projection.
                nn.init.kaiming_normal_(layer.weight, nonlinearity="linear" if "project" in name else "relu")
    return maps.eval()


def squeezenet() -> Parts:
    """Return SqueezeNet 1.1 and its 1000-way head."""
    with META:
        maps = import_torchvision().models.squeezenet1_1(weights=None).features
        return maps, nn.Sequential(nn.Conv2d(512, 1000, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def mobilenet_v2(keras: bool = False) -> Parts:
    """Return the trunk of MobileNetV2; ``keras`` pads and normalises as Keras does it."""
    with META:
        maps = import_torchvision().models.mobilenet_v2(weights=None).features
    if keras:
        for module in list(maps.modules()):
            if isinstance(module, nn.BatchNorm2d):
                module.eps = 1e-3
            elif isinstance(module, nn.Sequential) and getattr(module[0], "stride", None) == (2, 2):
                module[0].padding = (0, 0)
                module.insert(0, _PadBefore())
    return maps, None


class _PadBefore(nn.Module):
    """Zeros around a map for a 3x3 convolution of stride 2: after it, and before it where the size is odd."""

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        return F.pad(x, (width % 2, 1, height % 2, 1))


def vgg16() -> Parts:
    """Return the convolutions of VGG16, up to the last pooling."""
    layers: list[nn.Module] = []
    inside = 3
    with META:
        for width, depth in VGG16:
            for _ in range(depth):
                layers += [nn.Conv2d(inside, width, 3, padding=1), nn.ReLU()]
                inside = width
            layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers), None


class _Bottleneck(nn.Module):
    """1x1 (with the stride), 3x3, 1x1, added to the input; its normalisation is folded into the convolutions."""

    def __init__(self, inside: int, width: int, stride: int):
        super().__init__()
        outside = 4 * width
        self.shortcut = nn.Identity() if inside == outside else nn.Conv2d(inside, outside, 1, stride)
        self.branch = nn.Sequential(
            nn.Conv2d(inside, width, 1, stride),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, outside, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.branch(x) + self.shortcut(x))


def resnet50_thin() -> Parts:
    """Return a ResNet-50 of half the width, its normalisation folded in, as the graph of its file has it."""
    with META:
        layers: list[nn.Module] = [
            nn.Conv2d(3, 64, 7, 2, padding=3),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, ceil_mode=True),
        ]
        inside = 64
        for stage, (width, blocks) in enumerate(THIN):
            for block in range(blocks):
                layers.append(_Bottleneck(inside, width, 2 if stage and not block else 1))
                inside = 4 * width
    return nn.Sequential(*layers), None


def batched(
    net: Callable[[Tensor], Tensor],
    images: np.ndarray,
    name: str,
    size: int = 512,
    prepare: Callable[[np.ndarray], np.ndarray] = lambda part: part,
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
            batch = torch.from_numpy(np.ascontiguousarray(prepare(images[start : start + size])))
            parts.append(net(batch.to(environment.device())).float().cpu().numpy())
    return np.concatenate(parts)
