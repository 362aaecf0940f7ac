"""The paper's encoders but CLIP: torchvision's networks, and checkpoints in the formats that others published.

A file in TASKREL_DATA is used where it lies; else torchvision's and those with a stable address are downloaded. All
are read as tensors, never as code, and matched to the network name by name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from .. import environment
from ..assets.cache import keep_file
from ..assets.content import file_fingerprint
from ..assets.sources import web
from ..assets.torchvision_import import import_torchvision
from .base import IMAGENET, Encoder, Normalize, register
from .preprocessing import Preset
from .weight_files import load_by_name, read_checkpoint


@dataclass(frozen=True, kw_only=True, eq=False)
class PublishedFile(Encoder):
    """An encoder whose weights are a large published file, fetched only on request; its content is the version."""

    input_size: int = 224

    @property
    def version(self) -> str:
        """What determines the features: the sha256 of the weights at hand."""
        return fingerprint(self.path())

    @property
    def candidates(self) -> tuple[str, ...]:
        """Names under which the file is looked for."""
        return (self.file,)

    def present(self) -> Path | None:
        """Return the weights file of TASKREL_DATA, or the one fetched before, or None."""
        folders = [environment.data_dir(), environment.cache_dir() / "weights"]
        places = (folder / name for name in self.candidates for folder in folders if folder is not None)
        return next((path for path in places if path.is_file()), None)

    def path(self) -> Path:
        """Return the weights file: the one present, else a download kept in the cache."""
        return self.present() or self.download()

    def download(self) -> Path:
        """Return the file in the cache, downloaded; raise MissingAsset with instructions where that fails."""
        raise NotImplementedError


def fingerprint(path: Path) -> str:
    """Return the sha256 of a file; it is read again only when its size or time has changed."""
    stat = path.stat()
    return _fingerprint(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(64)
def _fingerprint(path: Path, size: int, time: int) -> str:  # noqa: ARG001
    return file_fingerprint(path)


@dataclass(frozen=True)
class CheckpointLayout:
    """Where the weights are in a file: below entry ``root``, under names that start with ``prefix``.

    Names that start with one of ``ignored`` belong to other parts; any other name is an error.
    """

    root: str | None = None
    prefix: str = ""
    ignored: tuple[str, ...] = ()

    def extract(self, found: Mapping[str, Any], origin: str) -> dict[str, Tensor]:
        """Return the network's weights by its own names.

        Raises:
            ValueError: there is no such entry, or a name that the format does not know.
        """
        inside = found if self.root is None else found.get(self.root)
        if not isinstance(inside, Mapping):
            raise ValueError(
                f"{origin} must have an entry {self.root!r} with its weights, got {sorted(found)[:5]}"
            )
        own = {key: value for key, value in inside.items() if not key.startswith(self.ignored)}
        unexpected = sorted(key for key in own if not key.startswith(self.prefix))
        if unexpected:
            raise ValueError(
                f"{origin} must hold names that start with {self.prefix!r}, unexpected: {unexpected[:4]}"
            )
        return {key.removeprefix(self.prefix): value for key, value in own.items()}


PLAIN = CheckpointLayout()
MOCO_V3 = CheckpointLayout(
    "state_dict",
    "module.base_encoder.",
    ("module.base_encoder.fc.", "module.momentum_encoder.", "module.predictor."),
)
SWAV = CheckpointLayout(None, "module.", ("module.projection_head.", "module.prototypes."))
SIMCLR = CheckpointLayout("state_dict", "", ("fc.",))
MAE = CheckpointLayout("model", "", ("decoder_", "mask_token"))
ROBUST = CheckpointLayout("model", "module.model.", ("module.normalizer.", "module.attacker."))


def _torchvision(kind: str) -> nn.Module:
    return getattr(import_torchvision().models, kind)(weights=None)


def _timm_vit() -> nn.Module:
    """The trunk of ViT-B/16 with timm's names, which MAE uses; features are the class token after the last norm."""
    import_torchvision()
    from timm.models import create_model

    return create_model("vit_base_patch16_224", num_classes=0, global_pool="token")


def _preset(**other: Any) -> Preset:
    """Shorter side to 256, the middle 224 x 224, ImageNet's mean and deviation, unless ``other`` says otherwise."""
    return Preset(lambda: import_torchvision().models.ResNet50_Weights.IMAGENET1K_V1.transforms(**other))


@dataclass(frozen=True, kw_only=True, eq=False)
class Checkpoint(PublishedFile):
    """An encoder whose weights are a published torch checkpoint.

    Attributes:
        url: address of the very file, or in words where it comes from.
        megabytes: its size.
        network: makes the network without weights.
        last: attribute of the network that is its head, "" where it has none; with ``has_head`` the file has it too.
        layout: where in the file the weights are.
    """

    url: str
    megabytes: int
    network: Callable[[], nn.Module] = field(repr=False)
    last: str = "fc"
    layout: CheckpointLayout = PLAIN
    normalization: Normalize | None = field(default=_preset(), repr=False)

    def download(self) -> Path:
        """Return the file in the cache, downloaded."""
        # torchvision's names have the start of the sha256.
        prefix = self.file.rpartition("-")[2].partition(".")[0] if self.layout is PLAIN else None
        hint = (
            f"Encoder {self.name!r} needs {self.file} (about {self.megabytes} MB), from {self.url}. Put it into a "
            "folder, under this name, and set TASKREL_DATA to that folder."
        )
        return keep_file(
            self.file, [web(self.url, prefix)] if self.url.startswith("https:") else [], None, hint
        )

    def load(self) -> tuple[nn.Module, nn.Module | None]:
        """Return the network without its head, and with it if the file has the head."""
        with torch.device("meta"), torch.random.fork_rng(devices=[]):
            net = self.network()
        head = getattr(net, self.last) if self.has_head else None
        if self.last and not self.has_head:
            setattr(net, self.last, nn.Identity())
        path = self.path()
        load_by_name(net, self.layout.extract(read_checkpoint(path), str(path)), str(path))
        if head is None:
            return net, None
        setattr(net, self.last, nn.Identity())
        return net, nn.Sequential(net, head)


WIDTH = {"resnet18": 512, "resnet50": 2048, "resnet101": 2048, "resnet152": 2048, "vit_b_16": 768}
TORCHVISION = (  # file, megabytes
    ("resnet18-f37072fd.pth", 45),
    ("resnet50-0676ba61.pth", 98),
    ("resnet101-63fe2227.pth", 171),
    ("resnet152-394f9c45.pth", 230),
    ("vit_b_16-c867db91.pth", 330),
)
ROBUSTNESS = ("0", "0.01", "0.03", "0.05", "0.1", "0.25", "0.5", "1", "3", "5")
META = "https://dl.fbaipublicfiles.com"
UNLABELLED = {"source_task": f"{IMAGENET} without its labels", "licence": "CC BY-NC 4.0"}


def _register(name: str, kind: str, file: str, folder: str, megabytes: int, **facts: Any) -> None:
    """Register a checkpoint in a file at ``folder``: a network of torchvision unless ``facts`` say otherwise."""
    usual = {"dim": WIDTH[kind], "network": partial(_torchvision, kind), "source_task": IMAGENET}
    place = {"file": file, "url": f"{folder}/{file}", "megabytes": megabytes}
    register(Checkpoint(name=name, **(usual | place | facts)))


for _file, _size in TORCHVISION:
    _kind = _file.partition("-")[0]
    _register(
        _kind,
        _kind,
        _file,
        "https://download.pytorch.org/models",
        _size,
        licence="BSD-3-Clause",
        last="heads" if _kind.startswith("vit") else "fc",
        has_head=True,
    )

for _eps in ROBUSTNESS:
    _register(
        f"resnet18_l2_eps{_eps}",
        "resnet18",
        f"resnet18_l2_eps{_eps}.ckpt",
        "https://huggingface.co/madrylab/robust-imagenet-models/resolve/main",
        90,
        source_task=f"{IMAGENET}, trained against L2 perturbations up to {_eps}",
        licence="MIT",
        layout=ROBUST,
        has_head=True,
    )

_register(
    "moco_v3_resnet50",
    "resnet50",
    "r-50-1000ep.pth.tar",
    f"{META}/moco-v3/r-50-1000ep",
    330,
    layout=MOCO_V3,
    **UNLABELLED,
)
_register(
    "swav_resnet50",
    "resnet50",
    "swav_800ep_pretrain.pth.tar",
    f"{META}/deepcluster",
    100,
    layout=SWAV,
    **UNLABELLED,
)
_register(
    "simclr_resnet50",
    "resnet50",
    "resnet50-1x.pth",
    "",
    100,
    url="the TensorFlow checkpoint ResNet50_1x of google-research/simclr, converted to torch",
    layout=SIMCLR,
    normalization=_preset(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)),
    **(UNLABELLED | {"licence": "Apache-2.0"}),
)
_register(
    "mae_vit_b_16",
    "vit_b_16",
    "mae_pretrain_vit_base.pth",
    f"{META}/mae/pretrain",
    330,
    network=_timm_vit,
    last="",
    layout=MAE,
    normalization=_preset(interpolation=Image.Resampling.BICUBIC),
    **UNLABELLED,
)
