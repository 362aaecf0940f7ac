"""Architectures of the packaged encoders, without weights: the maps of the last layer, and a head where there is one.

They are made on torch's device "meta", without memory or random numbers; ``load_in_order`` gives them their weights.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..assets.torchvision_import import import_torchvision

# Maps (n, 3, h, w) -> (n, d, h', w'), and head (n, d, h', w') -> scores (n, K_S).
Parts = tuple[nn.Module, nn.Module | None]

THIN = ((32, 3), (64, 4), (128, 6), (256, 3))  # inner width and blocks of each stage
META = torch.device("meta")


class Trunk(nn.Module):
    """Features (n, d) of prepared images (n, 3, h, w): the mean of the maps over their positions."""

    def __init__(self, maps: nn.Module):
        super().__init__()
        self.maps = maps

    def forward(self, x: Tensor) -> Tensor:
        """Return features, (n, d)."""
        return self.maps(x).mean((2, 3))


class LiteMaps(nn.Module):
    """EfficientNet-Lite up to its last map; padded by the size of the input, as TensorFlow does it."""

    def __init__(self, name: str):
        super().__init__()
        from efficientnet_lite_pytorch import EfficientNet

        self.net = EfficientNet.from_name(name, image_size=None)
        for key, layer in self.net.named_children():
            if isinstance(layer, nn.Linear):  # the head is a part of its own
                setattr(self.net, key, nn.Identity())

    def forward(self, x: Tensor) -> Tensor:
        """Return maps, (n, 1280, h', w')."""
        return self.net.extract_features(x)


def lite(k: int) -> Parts:
    """Return EfficientNet-Lite k (0, 1, 2) and its 1000-way head."""
    with META:
        head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000))
        return LiteMaps(f"efficientnet-lite{k}"), head


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
    with META:
        return import_torchvision().models.vgg16(weights=None, init_weights=False).features, None


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
