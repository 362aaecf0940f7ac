"""Networks of timm and torchvision by name, ``timm:NAME`` and ``torchvision:NAME``, without their weights.

The last layer, which gives the classes, is taken off: what went into it are the features.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn

from .._registry import MissingAsset, UnknownName, did_you_mean
from ..assets.sources import Source, SourceFailed, web
from ..assets.torchvision_import import import_torchvision
from .preprocessing import Preset

LIBRARIES = ("timm", "torchvision")
FIXED = ("vit_", "maxvit")  # torchvision's networks that take pictures of one size only


@dataclass(frozen=True)
class Sized:
    """The preprocessing of a library, for pictures of whatever side its network is to take."""

    make: Callable[[int], Callable[[Any], Any]]

    def __call__(self, images: np.ndarray, size: int) -> np.ndarray:
        """Return images uint8 (n, h, w[, 3]) as float32 (n, 3, size, size)."""
        return Preset(partial(self.make, size))(images, size)


@dataclass(frozen=True)
class Architecture:
    """A network of a library.

    Attributes:
        name: LIBRARY:NAME.
        version: of the library, which may change the network or its random weights.
        make: returns the whole network with its head, weights at random.
        behead: takes the head off, in place.
        dim: width of the features.
        side: of the pictures that its published weights were trained on.
        fixed: whether it takes no other side.
        normalization: from images and side to what the network takes.
        licence: of the published weights.
        sources: of the published weights.
        origin: where they come from, in words.
    """

    name: str
    version: str
    make: Callable[[], nn.Module]
    behead: Callable[[nn.Module], nn.Module]
    dim: int
    side: int
    fixed: bool
    normalization: Sized
    licence: str
    sources: tuple[Source, ...]
    origin: str

    def network(self, seed: int = 0) -> nn.Module:
        """Return the whole network with random weights, a function of the seed, in evaluation mode."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.make().eval()

    def trunk(self, seed: int = 0) -> nn.Module:
        """Return the same without its head."""
        return self.behead(self.network(seed))


@lru_cache(64)
def architecture(name: str) -> Architecture | None:
    """Return the architecture LIBRARY:NAME, or None for a name of another kind.

    Raises:
        MissingAsset: the library is not installed.
        UnknownName: it has no such network.
    """
    library, _, kind = name.partition(":")
    if library not in LIBRARIES:
        return None
    return _timm(name, kind) if library == "timm" else _torchvision(name, kind)


def _timm(name: str, kind: str) -> Architecture:
    timm = _library("timm")
    known = timm.list_models()
    if kind.partition(".")[0] not in known:
        raise UnknownName(
            f"unknown encoder {name!r}{did_you_mean(name, [f'timm:{k}' for k in known])}; timm has {len(known)} networks: "
            "timm.list_models()"
        )
    try:
        make = partial(timm.create_model, kind, pretrained=False)
        with torch.random.fork_rng(devices=[]):
            net = make()
    except (RuntimeError, ValueError) as error:  # an unknown tag of weights
        raise UnknownName(f"unknown encoder {name!r}: timm says {error}") from error
    about, sources, origin = net.pretrained_cfg, (), "nowhere: timm publishes no weights of it"
    if about.get("hf_hub_id"):
        origin = f"https://huggingface.co/{about['hf_hub_id']}"
        sources = (Source(f"download {origin}", partial(_from_hub, about["hf_hub_id"])),)
    return Architecture(
        name=name,
        version=f"timm {timm.__version__}",
        make=make,
        behead=_without_timm_head,
        dim=getattr(net, "head_hidden_size", None) or net.num_features,
        side=about["input_size"][-1],
        fixed=bool(about.get("fixed_input_size")),
        normalization=Sized(partial(_timm_transform, dict(about))),
        licence=about.get("license") or "see its card at timm",
        sources=sources,
        origin=origin,
    )


def _without_timm_head(net: Any) -> nn.Module:
    net.reset_classifier(0)
    return net


def _timm_transform(about: dict[str, Any], side: int) -> Callable[[Any], Any]:
    data = _library("timm").data
    wanted = data.resolve_data_config({"input_size": (3, side, side)}, pretrained_cfg=about)
    return data.create_transform(**wanted, is_training=False)


def _from_hub(identifier: str, scratch: Any) -> Any:
    from pathlib import Path
    from urllib.request import urlopen

    with urlopen(
        "https://huggingface.co", timeout=10
    ):  # where it does not answer, its client would try for minutes
        pass
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return Path(hf_hub_download(identifier, "model.safetensors", cache_dir=str(scratch)))
    except HfHubHTTPError as error:
        raise SourceFailed(str(error)) from error


def _torchvision(name: str, kind: str) -> Architecture:
    vision = _library("torchvision")
    known = vision.models.list_models(module=vision.models)
    if kind not in known:
        near = did_you_mean(name, [f"torchvision:{k}" for k in known])
        raise UnknownName(f"unknown encoder {name!r}{near}; torchvision has {', '.join(known)}")
    make, weights = partial(_untrained, kind), vision.models.get_model_weights(kind).DEFAULT
    with torch.device("meta"), torch.random.fork_rng(devices=[]):
        head = _last(make())[1]
    prefix = weights.url.rpartition("-")[2].partition(".")[0]  # the start of the sha256
    return Architecture(
        name=name,
        version=f"torchvision {vision.__version__}",
        make=make,
        behead=_without_last,
        dim=head.in_features if isinstance(head, nn.Linear) else head.in_channels,
        side=weights.transforms.keywords["crop_size"],
        fixed=kind.startswith(FIXED),
        normalization=Sized(partial(_vision_transform, weights.transforms)),
        licence="BSD-3-Clause; see torchvision's list",
        sources=(web(weights.url, prefix),),
        origin=weights.url,
    )


def _untrained(kind: str) -> nn.Module:
    # Two old networks would else draw their weights for minutes, and warn.
    more = {"init_weights": True} if kind in ("googlenet", "inception_v3") else {}
    return import_torchvision().models.get_model(kind, weights=None, **more)


def _last(net: nn.Module) -> tuple[str, Any]:
    """The layer that gives the 1,000 classes: the last that has so many outputs."""
    outputs = (
        (n, m, getattr(m, "out_features", getattr(m, "out_channels", 0))) for n, m in net.named_modules()
    )
    return [(name, layer) for name, layer, out in outputs if out == 1000][-1]


def _without_last(net: nn.Module) -> nn.Module:
    place, _, attribute = _last(net)[0].rpartition(".")
    setattr(net.get_submodule(place), attribute, nn.Identity())
    return net


def _vision_transform(published: Any, side: int) -> Callable[[Any], Any]:
    crop = published.keywords["crop_size"]
    resize = published.keywords.get("resize_size", round(crop * 256 / 224))
    return published(crop_size=side, resize_size=max(round(resize * side / crop), side))


def _library(name: str) -> ModuleType:
    vision = import_torchvision()  # first: where it has to be repaired, timm's own import would fail
    if name == "torchvision":
        return vision
    try:
        import timm
    except ImportError as error:
        raise MissingAsset(
            "encoders timm:... need timm; install it: python -m pip install 'taskrel[paper]', in this folder '.[paper]'"
        ) from error
    return timm
