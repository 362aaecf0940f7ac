"""The paper's encoders but CLIP: torchvision's networks, and checkpoints in the formats that others published.

A file in TASKREL_DATA is used where it lies; else torchvision's and those with a stable address are downloaded. All
are read as tensors, never as code, and matched to the network name by name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .. import environment
from ..assets.cache import keep_file
from ..assets.content import file_fingerprint
from ..assets.sources import web
from ..assets.torchvision_import import import_torchvision
from .preprocessing import Preset
from .weight_files import matched, read_checkpoint

__all__ = ["CHECKPOINTS", "Checkpoint", "Layout", "at_hand", "fingerprint"]


SIDE = 224  # pixels: what all of them were trained on


@dataclass(frozen=True)
class Layout:
    """Where in a file the weights are: below entry ``root``, names start with ``prefix``; the rest must be known."""

    root: str | None = None
    prefix: str = ""
    known: tuple[str, ...] = ()  # how the names begin that are no part of the network

    def state(self, found: Mapping[str, Any], origin: str) -> dict[str, Tensor]:
        """Return the network's weights by its own names.

        Raises:
            ValueError: there is no such entry, or a name that the format does not know.
        """
        inside = found if self.root is None else found.get(self.root)
        if not isinstance(inside, Mapping):
            raise ValueError(
                f"{origin} must have an entry {self.root!r} with its weights, got {sorted(found)[:5]}"
            )
        ours = {key: value for key, value in inside.items() if not key.startswith(self.known or ("\0",))}
        strange = sorted(key for key in ours if not key.startswith(self.prefix))
        if strange:
            raise ValueError(
                f"{origin} must hold names that start with {self.prefix!r}, unexpected: {strange[:4]}"
            )
        return {key.removeprefix(self.prefix): value for key, value in ours.items()}


PLAIN = Layout()

MOCO_V3 = Layout(
    "state_dict",
    "module.base_encoder.",
    ("module.base_encoder.fc.", "module.momentum_encoder.", "module.predictor."),
)

SWAV = Layout(None, "module.", ("module.projection_head.", "module.prototypes."))
SIMCLR = Layout("state_dict", "", ("fc.",))
MAE = Layout("model", "", ("decoder_", "mask_token"))
ROBUST = Layout("model", "module.model.", ("module.normalizer.", "module.attacker."))


def _torchvision(kind: str) -> nn.Module:
    return getattr(import_torchvision().models, kind)(weights=None)


def _timm_vit() -> nn.Module:
    """The trunk of ViT-B/16 with timm's names, which MAE uses; features are the class token after the last norm."""
    import_torchvision()
    from timm.models import create_model

    return create_model("vit_base_patch16_224", num_classes=0, global_pool="token")


def _preset(**other: Any) -> Preset:
    """Shorter side to 256, the middle 224 x 224, ImageNet's mean and deviation, unless ``other`` says otherwise."""

    def make() -> Callable[..., Any]:
        weights = import_torchvision().models.ResNet50_Weights.IMAGENET1K_V1
        return weights.transforms(**{k: v() if callable(v) else v for k, v in other.items()})

    return Preset(make)


def _bicubic() -> Any:
    from torchvision.transforms import InterpolationMode

    return InterpolationMode.BICUBIC


@dataclass(frozen=True)
class Checkpoint:
    """An encoder whose weights are a published file; ``head`` says whether it brings its 1000-way head."""

    name: str
    file: str
    url: str
    dim: int
    net: Callable[[], nn.Module]
    last: str  # attribute of the network that is its head; "" where it has none
    layout: Layout
    licence: str
    source_task: str
    megabytes: int
    head: bool = False
    look: Preset = _preset()  # noqa: RUF009
    size: int = SIDE
    fetched: bool = True  # the address answers with this very file

    def present(self) -> Path | None:
        """Return the weights file of TASKREL_DATA, or the one fetched before, or None."""
        return at_hand(self.file)

    def path(self) -> Path:
        """Return the weights file: the one present, else a download kept in the cache.

        Raises:
            MissingAsset: there is none.
        """
        given = self.present()
        if given is not None:
            return given
        prefix = self.file.rpartition("-")[2].partition(".")[0] if self.layout is PLAIN else None
        hint = (
            f"Encoder {self.name!r} needs {self.file} (about {self.megabytes} MB), from {self.url}. Put it into a "
            "folder, under this name, and set TASKREL_DATA to that folder."
        )
        return keep_file(self.file, [web(self.url, prefix)] if self.fetched else [], None, hint)

    @property
    def version(self) -> str:
        """What determines the features: the weights at hand."""
        return fingerprint(self.path())

    def load(self) -> tuple[nn.Module, nn.Module | None]:
        """Return trunk, images (n, 3, 224, 224) -> features (n, dim), and head, features -> scores (n, 1000), or None.

        Raises:
            MissingAsset: as ``path``.
            ValueError: the file is damaged, or holds other weights than its network's.
        """
        with torch.device("meta"), torch.random.fork_rng(devices=[]):
            net = self.net()
        head = getattr(net, self.last) if self.last else None
        if self.last and not self.head:
            setattr(net, self.last, nn.Identity())
        path = self.path()
        matched(net, self.layout.state(read_checkpoint(path), str(path)), str(path))
        if self.head:
            setattr(net, self.last, nn.Identity())
        return net.eval(), head if self.head else None

    def scores(self) -> nn.Module:
        """Return the trunk with its head, images -> scores (n, 1000)."""
        trunk, head = self.load()
        assert head is not None
        return nn.Sequential(trunk, head)


def at_hand(file: str) -> Path | None:
    """Return the file of this name in TASKREL_DATA, else among the weights in the cache, else None."""
    folders = [environment.data_dir(), environment.cache_dir() / "weights"]
    found = (folder / file for folder in folders if folder is not None)
    return next((path for path in found if path.is_file()), None)


def fingerprint(path: Path) -> str:
    """Return the sha256 of a file; read again only when its size or time has changed."""
    stat = path.stat()
    return _fingerprint(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(64)
def _fingerprint(path: Path, size: int, time: int) -> str:  # noqa: ARG001
    return file_fingerprint(path)


IMAGENET = "ImageNet-1k"
UNLABELLED = "ImageNet-1k without its labels"
WIDTH = {"resnet18": 512, "resnet50": 2048, "resnet101": 2048, "resnet152": 2048, "vit_b_16": 768}

FILES = (
    ("resnet18", "resnet18-f37072fd.pth", 45),
    ("resnet50", "resnet50-0676ba61.pth", 98),
    ("resnet101", "resnet101-63fe2227.pth", 171),
    ("resnet152", "resnet152-394f9c45.pth", 230),
    ("vit_b_16", "vit_b_16-c867db91.pth", 330),
)

ROBUSTNESS = ("0", "0.01", "0.03", "0.05", "0.1", "0.25", "0.5", "1", "3", "5")
META = "https://dl.fbaipublicfiles.com/"


def _supervised(kind: str, file: str, megabytes: int) -> Checkpoint:
    return Checkpoint(
        kind,
        file,
        f"https://download.pytorch.org/models/{file}",
        WIDTH[kind],
        partial(_torchvision, kind),
        "heads" if kind.startswith("vit") else "fc",
        PLAIN,
        "BSD-3-Clause",
        IMAGENET,
        megabytes,
        head=True,
    )


def _unlabelled(name: str, file: str, url: str, layout: Layout, licence: str, **other: Any) -> Checkpoint:
    facts = {"dim": 2048, "net": partial(_torchvision, "resnet50"), "last": "fc"} | other
    facts = {"source_task": UNLABELLED, "megabytes": 100} | facts
    return Checkpoint(name, file, url, layout=layout, licence=licence, **facts)


def _robust(eps: str) -> Checkpoint:
    file = f"resnet18_l2_eps{eps}.ckpt"
    return Checkpoint(
        f"resnet18_l2_eps{eps}",
        file,
        f"https://huggingface.co/madrylab/robust-imagenet-models/resolve/main/{file}",
        512,
        partial(_torchvision, "resnet18"),
        "fc",
        ROBUST,
        "MIT",
        f"{IMAGENET}, trained against L2 perturbations up to {eps}",
        90,
        head=True,
    )


CHECKPOINTS = {
    entry.name: entry
    for entry in (
        *(_supervised(*facts) for facts in FILES),
        _unlabelled(
            "moco_v3_resnet50",
            "r-50-1000ep.pth.tar",
            META + "moco-v3/r-50-1000ep/r-50-1000ep.pth.tar",
            MOCO_V3,
            "CC BY-NC 4.0",
            megabytes=330,
        ),
        _unlabelled(
            "swav_resnet50",
            "swav_800ep_pretrain.pth.tar",
            META + "deepcluster/swav_800ep_pretrain.pth.tar",
            SWAV,
            "CC BY-NC 4.0",
        ),
        _unlabelled(
            "simclr_resnet50",
            "resnet50-1x.pth",
            "the TensorFlow checkpoint ResNet50_1x of google-research/simclr, converted to torch",
            SIMCLR,
            "Apache-2.0",
            look=_preset(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)),
            fetched=False,
        ),
        _unlabelled(
            "mae_vit_b_16",
            "mae_pretrain_vit_base.pth",
            META + "mae/pretrain/mae_pretrain_vit_base.pth",
            MAE,
            "CC BY-NC 4.0",
            dim=768,
            net=_timm_vit,
            last="",
            look=_preset(interpolation=_bicubic),
            megabytes=330,
        ),
        *map(_robust, ROBUSTNESS),
    )
}
