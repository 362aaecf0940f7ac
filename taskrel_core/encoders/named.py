"""Encoders that are not registered but can be named.

====================================  =================================================================================
``timm:NAME``, ``torchvision:NAME``   a network of the library with the weights that it publishes, downloaded on request
``timm:NAME@random``, ...             the same with random weights, a function of a fixed seed
``file:PATH@timm:NAME``, ...          the same with weights of one's own: safetensors, or a state dict of torch
``file:PATH.onnx``                    an ONNX graph, run by onnxruntime
====================================  =================================================================================
"""

import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from torch import nn

from .._registry import MissingAsset
from ..assets.cache import keep_file
from ..assets.content import content_key
from .architectures import LIBRARIES, Architecture, architecture
from .base import Encoder
from .checkpoints import PublishedFile, fingerprint
from .onnx_files import onnx_encoder
from .own_files import read_weights
from .random_networks import RandomEncoder
from .weight_files import load_by_name

RANDOM = "@random"


@dataclass(frozen=True, kw_only=True, eq=False)
class LibraryEncoder(PublishedFile):
    """A network of a library with the weights that the library publishes; ``file`` is without its suffix."""

    net: Architecture = field(repr=False)

    @property
    def version(self) -> str:
        """What determines the features: the weights at hand and the library."""
        return content_key({"weights": super().version, "library": self.net.version})

    @property
    def candidates(self) -> tuple[str, ...]:
        """Names under which the file is looked for."""
        return tuple(self.file + suffix for suffix in (".safetensors", ".pth", ".pt", ".bin"))

    def download(self) -> Path:
        """Return the published file in the cache, downloaded."""
        hint = (
            f"Encoder {self.name!r} needs its weights, from {self.net.origin}. Put them into a folder as "
            f"{self.file}.safetensors or .pth, and set TASKREL_DATA to that folder; {self.name}{RANDOM} needs none."
        )
        suffix = ".safetensors" if self.net.name.startswith("timm:") else ".pth"
        return keep_file(self.file + suffix, self.net.sources, None, hint)

    def load(self) -> tuple[nn.Module, None]:
        """Return the trunk."""
        return _with_weights(self.net, self.path()), None


@dataclass(frozen=True, kw_only=True, eq=False)
class FileEncoder(Encoder):
    """A network of a library with weights of one's own, which may have been trained with another head."""

    net: Architecture = field(repr=False)
    place: Path

    @property
    def version(self) -> str:
        """What determines the features: the file and the library."""
        return content_key(
            {"weights": fingerprint(self.path()), "net": self.net.name, "library": self.net.version}
        )

    def path(self) -> Path:
        """Return the file."""
        return self.place

    def load(self) -> tuple[nn.Module, None]:
        """Return the trunk."""
        return _with_weights(self.net, self.path()), None


def _with_weights(net: Architecture, path: Path) -> nn.Module:
    """The trunk of an architecture with the weights of a file; those of its head, of however many classes, do not count."""
    whole = net.network()
    names = set(whole.state_dict())
    trunk = net.behead(whole)
    head = names - set(trunk.state_dict())
    weights = {name: value for name, value in read_weights(path).items() if name not in head}
    load_by_name(trunk, weights, str(path))
    return trunk


@lru_cache(32)  # one object for one name, so that its network stays loaded
def _from_library(name: str) -> Encoder | None:
    plain = name.removesuffix(RANDOM)
    net = architecture(plain)
    if net is None:
        return None
    shared = _shared(name, net)
    if plain != name:
        recipe = content_key({"net": net.name, "library": net.version, "seed": 0})
        return RandomEncoder(**shared, recipe=recipe, make=net.trunk)
    where = name.replace(":", "_").replace("/", "_")
    return LibraryEncoder(**shared, net=net, file=where, source_task="see its library", licence=net.licence)


def _shared(name: str, net: Architecture) -> dict:
    native = None if net.fixed else net.side
    facts = {"dim": net.dim, "input_size": net.side, "native_size": native}
    return {"name": name, "normalization": net.normalization, **facts}


def named(name: str) -> Encoder | None:
    """Return the encoder of one of the names of this module, or None for a name of another kind.

    Raises:
        MissingAsset: there is no such file, or the library is not installed.
        UnknownName: the library has no such network.
        ValueError: a file whose architecture is not named, or a file that is no such thing.
    """
    kind, _, rest = name.partition(":")
    if kind in LIBRARIES:
        return _from_library(name)
    if kind != "file":
        return None
    place, _, arch = rest.rpartition("@")
    if not place or arch.partition(":")[0] not in LIBRARIES:
        place, arch = rest, ""
    path = Path(os.path.abspath(os.path.expanduser(place)))
    if not path.is_file():
        raise MissingAsset(f"file:PATH must name a file, got {path}, which is not there")
    if path.suffix == ".onnx":
        return onnx_encoder(name, path, fingerprint(path))
    net = architecture(arch) if arch else None
    if net is None:
        raise ValueError(
            f"file:PATH must say which network the weights are of, got {name!r}; for instance {name}@timm:resnet18, or "
            "@torchvision:resnet18; a file PATH.onnx needs none"
        )
    return _of_file(name, path, net)


@lru_cache(32)
def _of_file(name: str, path: Path, net: Architecture) -> FileEncoder:
    facts = {"source_task": "your own", "licence": "your own"}
    return FileEncoder(**_shared(name, net), **facts, net=net, place=path)
