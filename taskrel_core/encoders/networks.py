"""Architectures of the packaged encoders, without weights: the maps of the last layer, and a head where there is one.

They are made on torch's device "meta", without memory or random numbers; ``load_in_order`` gives them their weights.
"""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..assets.torchvision_import import import_torchvision

# Maps (n, 3, h, w) -> (n, d, h', w'), and head (n, d, h', w') -> scores (n, K_S).
Parts = tuple[nn.Module, nn.Module | None]

THIN = ((32, 3), (64, 4), (128, 6), (256, 3))  # inner width and blocks of each stage
# Width and stride of each of MobileNetV1's layers; width, side of the kernel and stride of each of PP-LCNet's.
V1 = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
LCNET = (
    *((32, 3, 1), (64, 3, 2), (64, 3, 1), (128, 3, 2), (128, 3, 1), (256, 3, 2)),
    *((256, 5, 1),) * 5,
    *((512, 5, 2), (512, 5, 1)),
)
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
        return LiteMaps(f"efficientnet-lite{k}"), _head(1280)


def _head(width: int) -> nn.Module:
    """A linear head of ImageNet's 1000 classes on the means of the maps."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 1000))


def squeezenet() -> Parts:
    """Return SqueezeNet 1.1 and its 1000-way head."""
    with META:
        maps = import_torchvision().models.squeezenet1_1(weights=None).features
        return maps, nn.Sequential(nn.Conv2d(512, 1000, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def mobilenet_v1() -> Parts:
    """Return MobileNetV1, padded and normalised as TensorFlow does it, and its 1000-way head."""

    def layer(inside: int, outside: int, side: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
        pad = [_PadBefore()] if stride == 2 else []
        padding = 0 if stride == 2 else side // 2
        convolution = nn.Conv2d(inside, outside, side, stride, padding, groups=groups, bias=False)
        return [*pad, convolution, nn.BatchNorm2d(outside, eps=1e-3), nn.ReLU6()]

    with META:
        layers, inside = layer(3, 32, 3, 2), 32
        for outside, stride in V1:
            layers += layer(inside, inside, 3, stride, inside) + layer(inside, outside, 1)
            inside = outside
        return nn.Sequential(*layers), _head(inside)


def mobilenet_v2(keras: bool = False, head: bool = False, folded: bool = False) -> Parts:
    """Return the trunk of MobileNetV2.

    Args:
        keras: pads and normalises as Keras does it.
        head: and its 1000-way head.
        folded: without its last layer and its normalisation, which the convolutions hold; not clipped at 6.
    """
    with META:
        maps = import_torchvision().models.mobilenet_v2(weights=None).features
        if folded:
            maps = _without_norms(maps[:-1])
    if keras:
        for module in list(maps.modules()):
            if isinstance(module, nn.BatchNorm2d):
                module.eps = 1e-3
            elif isinstance(module, nn.Sequential) and getattr(module[0], "stride", None) == (2, 2):
                module[0].padding = (0, 0)
                module.insert(0, _PadBefore())
    with META:
        return maps, _head(1280) if head else None


def _without_norms(net: nn.Module) -> nn.Module:
    """Give each convolution a bias in place of the normalisation after it, and each ReLU6 no upper end."""
    for parent in list(net.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Conv2d):
                child.bias = nn.Parameter(torch.empty(child.out_channels))
            elif isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, nn.Identity())
            elif isinstance(child, nn.ReLU6):
                setattr(parent, name, nn.ReLU())
    return net


def densenet121() -> Parts:
    """Return DenseNet-121, normalised as Keras does it."""
    with META:
        maps = import_torchvision().models.densenet121(weights=None).features
    for module in maps.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1.001e-5
    return nn.Sequential(maps, nn.ReLU()), None


def resnet18() -> Parts:
    """Return ResNet-18, its normalisation folded in."""
    with META:
        net = import_torchvision().models.resnet18(weights=None)
        return _without_norms(nn.Sequential(*list(net.children())[:-2])), None


class _Gate(nn.Module):
    """Scale each channel by a function of all channels' means (squeeze and excitation)."""

    def __init__(self, width: int):
        super().__init__()
        self.inner, self.outer = nn.Conv2d(width, width // 4, 1), nn.Conv2d(width // 4, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * F.hardsigmoid(self.outer(F.relu(self.inner(x.mean((2, 3), keepdim=True)))))


def lcnet() -> Parts:
    """Return PP-LCNet of width 1, up to the last maps before its pooling."""

    def layer(inside: int, outside: int, side: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
        convolution = nn.Conv2d(inside, outside, side, stride, side // 2, groups=groups, bias=False)
        return [convolution, nn.BatchNorm2d(outside), nn.Hardswish()]

    with META:
        layers, inside = layer(3, 16, 3, 2), 16
        for number, (outside, side, stride) in enumerate(LCNET):
            gate = [_Gate(inside)] if number >= len(LCNET) - 2 else []
            layers += [*layer(inside, inside, side, stride, inside), *gate, *layer(inside, outside, 1)]
            inside = outside
        return nn.Sequential(*layers), None


class _VisionTransformer(nn.Module):
    """A vision transformer's class token after the last norm, as a map of one position.

    What is left of a picture that is no whole number of patches is cut off. The embeddings of places, a square grid, are
    interpolated to the grid of the patches.
    """

    def __init__(self, width: int, depth: int, heads: int, patch: int, grid: int):
        super().__init__()
        block = import_torchvision().models.vision_transformer.EncoderBlock
        norm = partial(nn.LayerNorm, eps=1e-6)
        self.grid = grid
        self.token = nn.Parameter(torch.empty(1, 1, width))
        self.token_place = nn.Parameter(torch.empty(1, 1, width))
        self.places = nn.Parameter(torch.empty(1, grid**2, width))
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.blocks = nn.Sequential(*(block(heads, width, 4 * width, 0.0, 0.0, norm) for _ in range(depth)))
        self.norm = norm(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return maps, (n, width, 1, 1)."""
        maps = self.patches(x)
        square = self.places.transpose(1, 2).unflatten(2, (self.grid, self.grid))
        maps = maps + F.interpolate(square, maps.shape[2:], mode="bicubic")
        token = (self.token + self.token_place).expand(len(x), -1, -1)
        tokens = self.blocks(torch.cat([token, maps.flatten(2).transpose(1, 2)], 1))
        return self.norm(tokens[:, 0])[:, :, None, None]


def vit_small() -> Parts:
    """Return ViT-S/14 with the places of DINOv2, 37 x 37."""
    with META:
        return _VisionTransformer(384, 12, 6, 14, 37), None


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
