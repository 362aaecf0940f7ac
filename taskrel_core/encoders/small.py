"""Small encoders that differ by what they were pre-trained on, and little else: ``small:resnet/rotation``.

Three architectures of one width, each with the same list of pre-trainings. The package carries their weights, and a
card for each (``small_weights/cards.json``) with the recipe and what came of it; ``make zoo`` trains them again.

Example:
    >>> from taskrel_core import ENCODERS
    >>> encoder = ENCODERS["small:resnet/emoji_twemoji"]
    >>> encoder.dim, encoder.input_size, encoder.source_task
    (256, 32, 'emoji_twemoji, 24 epochs')
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load
from torch import nn

from ..assets.content import file_fingerprint
from .base import OURS, Encoder, register
from .small_networks import DIM, NETWORKS, SIDE, prepared
from .weight_files import load_by_name

__all__ = ["CARDS", "FOLDER", "PREFIX", "Small", "file_name", "network"]

PREFIX = "small:"
FOLDER = Path(__file__).with_name("small_weights")
CARDS: Mapping[str, Mapping[str, Any]] = json.loads((FOLDER / "cards.json").read_text(encoding="utf-8"))


def file_name(name: str) -> str:
    """Return the name of the weights file of ``architecture/pretraining``."""
    return f"{name.replace('/', '-')}.safetensors"


def network(architecture: str, path: Path) -> nn.Module:
    """Return a trunk with the weights of a file, float32, in evaluation mode.

    Raises:
        ValueError: they are not those of the architecture.
    """
    with torch.device("meta"):  # no memory, no random numbers
        net = NETWORKS[architecture]()
    load_by_name(net, load(path.read_bytes()), str(path))
    return net


@dataclass(frozen=True, kw_only=True, eq=False)
class Small(Encoder):
    """An encoder whose weights are in this package.

    Attributes:
        card: its recipe, data, cost, and the sha256 of its weights.
    """

    card: Mapping[str, Any] = field(repr=False)
    batch: int = 256

    @property
    def version(self) -> str:
        """The pinned sha256 of the weights, and how they are used."""
        return f"{self.card['sha256']}-{self.recipe}"

    def path(self) -> Path:
        """Return the weights file.

        Raises:
            ValueError: it does not have the pinned sha256.
        """
        path, wanted = FOLDER / file_name(self.name.removeprefix(PREFIX)), self.card["sha256"]
        found = file_fingerprint(path)
        if found != wanted:
            raise ValueError(f"{path} has sha256 {found}, but {wanted} is pinned; install the package again")
        return path

    def load(self) -> tuple[nn.Module, None]:
        """Return the trunk in float32; there is no head."""
        return network(self.card["architecture"], self.path()), None


for _name, _card in CARDS.items():
    register(
        Small(
            name=PREFIX + _name,
            dim=DIM,
            source_task=_card["source_task"],
            licence=f"{OURS}; data: {_card['source_licence']}" if _card["source_licence"] else OURS,
            input_size=SIDE,
            recipe="1",  # raise it when images are prepared, or features taken, in another way
            normalization=prepared,
            card=_card,
        )
    )
