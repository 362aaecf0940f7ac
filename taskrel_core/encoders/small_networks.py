"""Three small networks of one width: images (n, 3, 32, 32) -> features (n, 256).

Of .14 to .34 M parameters: small enough that a dozen pre-trainings of each are shipped, and trained again in an hour.
"""

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from .preprocessing import Normalization

__all__ = ["DIM", "NETWORKS", "SIDE", "prepared"]

DIM = 256  # width of the features
SIDE = 32  # of the images, pixels
prepared = Normalization(
    127.5, 127.5
)  # images uint8 (n, h, w[, 3]) of any side -> (n, 3, SIDE, SIDE) in [-1, 1]


class _Residual(nn.Module):
    """relu(body(x) + shortcut(x)), or without the ReLU."""

    def __init__(self, body: nn.Module, shortcut: nn.Module | None = None, relu: bool = True):
        super().__init__()
        self.body, self.shortcut, self.relu = body, shortcut or nn.Identity(), relu

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, h, w) to what ``body`` gives."""
        y = self.body(x) + self.shortcut(x)
        return nn.functional.relu(y) if self.relu else y


def _conv(inside: int, outside: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    padding = 0 if stride == kernel else kernel // 2  # patches do not overlap the border
    layer = nn.Conv2d(inside, outside, kernel, stride, padding, groups=groups, bias=False)
    nn.init.kaiming_normal_(layer.weight)
    return nn.Sequential(layer, nn.BatchNorm2d(outside))


def _block(inside: int, outside: int, stride: int) -> nn.Module:
    """Return the basic block of a ResNet (He et al. 2016)."""
    body = nn.Sequential(_conv(inside, outside, 3, stride), nn.ReLU(), _conv(outside, outside, 3))
    return _Residual(body, _conv(inside, outside, 1, stride) if inside != outside else None)


def _inverted(inside: int, outside: int, stride: int, expand: int = 4) -> nn.Module:
    """Return the inverted residual of MobileNetV2 (Sandler et al. 2018)."""
    wide = inside * expand
    body = nn.Sequential(
        _conv(inside, wide, 1),
        nn.ReLU(),
        _conv(wide, wide, 3, stride, wide),
        nn.ReLU(),
        _conv(wide, outside, 1),
    )
    return _Residual(body, relu=False) if inside == outside else body


def _mixer(width: int, kernel: int = 3) -> nn.Module:
    """Return a layer of ConvMixer (Trockman and Kolter 2022), with batch normalisation before the ReLU."""
    depthwise = nn.Sequential(_conv(width, width, kernel, groups=width), nn.ReLU())
    return nn.Sequential(_Residual(depthwise, relu=False), _conv(width, width, 1), nn.ReLU())


def _pooled(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def resnet() -> nn.Sequential:
    """Return a ResNet of three basic blocks, .34 M parameters."""
    return _pooled(
        _conv(3, 32, 3, 2), nn.ReLU(), _block(32, 32, 1), _block(32, 64, 2), _block(64, 128, 2),
        _conv(128, DIM, 1), nn.ReLU(),
    )  # fmt: skip


def mobilenet() -> nn.Sequential:
    """Return a MobileNetV2 of five inverted residuals, .14 M parameters."""
    return _pooled(
        _conv(3, 24, 3, 2), nn.ReLU(), _inverted(24, 32, 2), _inverted(32, 32, 1), _inverted(32, 64, 2),
        _inverted(64, 64, 1), _inverted(64, 96, 1), _conv(96, DIM, 1), nn.ReLU(),
    )  # fmt: skip


def convmixer() -> nn.Sequential:
    """Return a ConvMixer of four layers on patches of 4x4 pixels, .22 M parameters."""
    width = 192
    layers = (_mixer(width) for _ in range(4))
    return _pooled(_conv(3, width, 4, 4), nn.ReLU(), *layers, _conv(width, DIM, 1), nn.ReLU())


NETWORKS: Mapping[str, Callable[[], nn.Sequential]] = {
    "resnet": resnet,
    "mobilenet": mobilenet,
    "convmixer": convmixer,
}
