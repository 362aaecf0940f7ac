"""Networks with fixed random weights that preserve the variance: floors for the trained ones."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from .base import OURS, Encoder, register
from .networks import LiteMaps, Trunk
from .packaged import LITE
from .preprocessing import grey


@dataclass(frozen=True, kw_only=True, eq=False)
class RandomEncoder(Encoder):
    """An encoder whose weights are a function of a seed."""

    make: Callable[[], nn.Module] = field(repr=False)
    source_task: str = "none: random"
    licence: str = OURS

    def load(self) -> tuple[nn.Module, None]:
        """Return the trunk; there is no head."""
        return self.make(), None


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


def random_lite(seed: int = 0) -> nn.Module:
    """Return EfficientNet-Lite0 with random weights, images (n, 3, h, w) -> features (n, 1280), in evaluation mode.

    With the initialisation of the network's own code the features would all but vanish (standard deviation 1e-9).
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        maps = LiteMaps("efficientnet-lite0")
        for name, layer in maps.named_modules():
            if isinstance(layer, nn.Conv2d):
                # No ReLU follows a projection.
                nn.init.kaiming_normal_(layer.weight, nonlinearity="linear" if "project" in name else "relu")
    return Trunk(maps).eval()


def _centred(images: np.ndarray, side: int) -> np.ndarray:
    return grey(images, side) * 2 - 1


register(
    RandomEncoder(
        name="random_net",
        dim=256,
        input_size=28,
        recipe="random-1",
        make=random_net,
        normalization=_centred,
        batch=512,
    )
)
register(
    RandomEncoder(
        name="efficientnet_lite0_random",
        dim=1280,
        input_size=96,
        native_size=96,
        recipe="random-lite-1",
        make=random_lite,
        normalization=LITE,
    )
)
