"""The paper's data sets, which no package carries: torchvision reads them from its own folders, or downloads them.

Small images become arrays, as those of the other data sets do. Larger ones stay files, and only those that are asked
for are decoded. Where a folder of torchvision's layout lies in TASKREL_DATA, nothing is downloaded.
"""

import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np

from .. import environment
from .._registry import MissingAsset
from ..assets.sources import Source, SourceFailed, local
from ..assets.torchvision_import import import_torchvision
from .archives import CIFAR
from .datasets import DATASETS, SPLITS, read_npz, register_arrays
from .pictures import ImageFiles

DIGITS = tuple("0123456789")
SIDE = 256  # pixels: of which the encoders of the paper profile see the middle 224, or a smaller copy
RECIPE = "1"  # raise when lists are read in another way


def _from_torchvision(kind: str, root: Path, **how: Any) -> Any:
    """Return a data set of torchvision.

    Raises:
        SourceFailed: its files are not there, are damaged, or cannot be downloaded.
    """
    try:
        return getattr(import_torchvision().datasets, kind)(root, **how)
    except (RuntimeError, FileNotFoundError) as error:  # no mirror answers, or a file is missing
        raise SourceFailed(str(error)) from error


@dataclass(frozen=True)
class TorchvisionArrays:
    """How torchvision reads a data set of small images.

    Attributes:
        kind: its class in torchvision.
        folder: what it reads, below TASKREL_DATA.
        megabytes: to download.
        parts: arguments for the train and the test part.
        upright: from its array to (n, h, w[, 3]).
        first: smallest label.
    """

    kind: str
    folder: str
    megabytes: int
    parts: tuple[dict[str, Any], dict[str, Any]] = ({"train": True}, {"train": False})
    upright: Callable[[np.ndarray], np.ndarray] = lambda images: images
    first: int = 0

    def register(
        self,
        name: str,
        classes: tuple[str, ...],
        licence: str,
        origin: str,
        packages: Sequence[Source] = (),
        decode: Callable[[Path], Mapping[str, np.ndarray]] = read_npz,
        sha256: str | None = None,
        shipped: str | None = None,
    ) -> None:
        """Register it, with packages before the download; torchvision checks the files that it reads."""
        sources = [
            local(f"{name}.npz"),
            Source(f"local files {self.folder}", self._local, remote=False),
            *packages,
            Source(f"torchvision download {self.kind}", lambda scratch: self._npz(scratch, scratch, True)),
        ]
        by_hand = f"{name}.npz, or torchvision's {self.folder} (about {self.megabytes} MB)"
        demand = {"optional": not packages, "on_request": not packages and self.megabytes > 10}
        register_arrays(name, classes, licence, origin, sources, decode, sha256, by_hand, shipped, **demand)

    def _local(self, scratch: Path) -> Path:
        root = environment.data_dir()
        if root is None:
            raise SourceFailed("TASKREL_DATA is not set")
        return self._npz(root, scratch, download=False)

    def _npz(self, root: Path, scratch: Path, download: bool) -> Path:
        """Write both parts as an npz file; torchvision checks its files' sums before it reads them."""
        kept = {}
        for split, part in zip(SPLITS, self.parts, strict=True):
            found = _from_torchvision(self.kind, root, download=download, **part)
            labels = np.asarray(found.targets if hasattr(found, "targets") else found.labels)
            kept[f"x_{split}"] = np.ascontiguousarray(self.upright(np.asarray(found.data)))
            kept[f"y_{split}"] = (labels - self.first).astype(np.uint8)
        np.savez(scratch / "it.npz", allow_pickle=False, **kept)
        return scratch / "it.npz"


CIFAR100 = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant
flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree
motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate
poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider
squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
wardrobe whale willow_tree wolf woman worm
"""

TorchvisionArrays("USPS", "usps.bz2, usps.t.bz2", 8).register(
    "usps",
    DIGITS,
    "none stated; cite Hull 1994",
    "handwritten digits from envelopes, 16x16",
    shipped="d55332346f91450ae51aa0e008e830533d86c952139fa21934bda75c45ee43cd",
)
TorchvisionArrays("CIFAR10", "cifar-10-batches-py", 170).register(
    "cifar10_full",
    CIFAR,
    "none stated; cite Krizhevsky 2009",
    "photographs of ten kinds of things, all 50000 + 10000, 32x32",
)
TorchvisionArrays("CIFAR100", "cifar-100-python", 169).register(
    "cifar100",
    tuple(CIFAR100.split()),
    "none stated; cite Krizhevsky 2009",
    "photographs of a hundred kinds of things, 50000 + 10000, 32x32",
)
TorchvisionArrays(
    "SVHN",
    "train_32x32.mat, test_32x32.mat",
    246,
    ({"split": "train"}, {"split": "test"}),
    lambda images: images.transpose(0, 2, 3, 1),
).register(
    "svhn",
    DIGITS,
    "non-commercial; cite Netzer et al. 2011",
    "house numbers, the middle digit, 73257 + 26032, 32x32",
)
TorchvisionArrays("KMNIST", "KMNIST/raw", 21).register(
    "kmnist",
    ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    "CC BY-SA 4.0 (CODH)",
    "cursive Japanese letters, 60000 + 10000, 28x28",
)
TorchvisionArrays(
    "EMNIST",
    "EMNIST/raw",
    562,
    ({"split": "letters", "train": True}, {"split": "letters", "train": False}),
    lambda images: images.transpose(0, 2, 1),  # stored with rows and columns exchanged
    1,
).register(
    "emnist_letters",
    tuple(ascii_lowercase),
    "none stated; cite Cohen et al. 2017",
    "handwritten Latin letters of either case, 124800 + 20800, 28x28; turned upright",
)


@dataclass(frozen=True, eq=False)
class TorchvisionImages(ImageFiles):
    """A data set of image files, listed by torchvision; they are decoded when they are asked for.

    Raises:
        MissingAsset: it is not on this machine and torchvision could not download it.
        ValueError: a picture cannot be read.
    """

    name: str
    kind: str  # its class in torchvision
    folder: str  # below TASKREL_DATA, or below the cache
    k: int  # classes
    licence: str
    origin: str
    megabytes: int
    parts: tuple[tuple[dict[str, Any], ...], tuple[dict[str, Any], ...]]
    downloads: bool = True
    names: Callable[[], tuple[str, ...]] | None = None  # of the classes, where its folders have other names
    listed: Callable[..., list[tuple[Path, int]]] | None = (
        None  # files and labels, where torchvision gives none
    )
    optional: bool = True
    on_request: bool = True

    @property
    def side(self) -> int:  # noqa: D102
        return SIDE

    @property
    def class_names(self) -> tuple[str, ...]:  # noqa: D102
        return tuple(self._lists["classes"]) if self.names is None else self.names()

    @property
    def version(self) -> str:
        """Fingerprint of the lists: names, labels and sizes of all files; their contents are not read for it."""
        return self._version

    @cached_property
    def _version(self) -> str:
        digest = hashlib.sha256(f"{self.kind} {RECIPE} {SIDE}\n".encode())
        for split in SPLITS:
            for path, label in self.files(split):
                digest.update(f"{split} {path.name} {label} {path.stat().st_size}\n".encode())
        return digest.hexdigest()

    def files(self, split: str) -> list[tuple[Path, int]]:
        """Return every file of a split with its label, in the order of the published lists."""
        return self._lists[split]

    @cached_property
    def _lists(self) -> dict[str, list]:
        root = self._root()
        lists: dict[str, list] = {}
        try:
            for split, parts in zip(SPLITS, self.parts, strict=True):
                found = [self._part(root, **part) for part in parts]
                lists[split] = [pair for _, pairs in found for pair in pairs]
                lists["classes"] = found[0][0]
        except SourceFailed as error:
            raise ValueError(f"{root / self.folder} is not whole ({error}); unpack it again") from error
        if len(lists["classes"]) != self.k:
            raise ValueError(
                f"{root / self.folder} must hold {self.k} classes, got {len(lists['classes'])}; unpack it again"
            )
        return lists

    def _part(self, root: Path, below: str = "", **how: Any) -> tuple[list[str], list[tuple[Path, int]]]:
        """Names of the classes, and files with their labels: a loader that does not decode gives the path."""
        if self.listed is not None:
            return _from_torchvision(self.kind, root, **how).classes, self.listed(root, **how)
        part = _from_torchvision(self.kind, root / below, loader=Path, **how)
        return part.classes, [part[k] for k in range(len(part))]

    def _root(self) -> Path:
        """The folder that torchvision reads, downloaded in one step if it is nowhere."""
        given, kept = environment.data_dir(), environment.cache_dir() / "torchvision"
        for root in (given, kept):
            if root is not None and (root / self.folder).is_dir():
                return root
        if not self.downloads or environment.offline():
            offline = "TASKREL_OFFLINE is set"
            raise MissingAsset(
                self._missing(offline if self.downloads else "it cannot be downloaded without an account")
            )
        kept.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept, prefix=".fetch-", ignore_cleanup_errors=True) as scratch:
            try:
                _from_torchvision(self.kind, Path(scratch), download=True, **self.parts[0][0])
            except (SourceFailed, OSError) as error:
                raise MissingAsset(self._missing(str(error))) from error
            (Path(scratch) / self.folder).rename(kept / self.folder)
        return kept

    def _missing(self, reason: str) -> str:
        return (
            f"{self.kind} is not on this machine ({reason}). Put the unpacked folder {self.folder} (about "
            f"{self.megabytes} MB; {self.origin}) into a folder and set TASKREL_DATA to that one"
        )


def _pets(root: Path, split: str) -> list[tuple[Path, int]]:
    """Files and labels of the Pets' own list, which torchvision reads without a choice of loader."""
    folder = root / "oxford-iiit-pet"
    rows = (folder / "annotations" / f"{split}.txt").read_text(encoding="utf-8").splitlines()
    fields = [row.split() for row in rows]
    return [(folder / "images" / f"{stem}.jpg", int(label) - 1) for stem, label, *_ in fields]


def _imagenet_names() -> tuple[str, ...]:
    """ImageNet's classes in words, in order of their synsets, from torchvision's list."""
    return tuple(import_torchvision().models.ResNet50_Weights.IMAGENET1K_V1.meta["categories"])


for _images in (
    TorchvisionImages(
        "pets",
        "OxfordIIITPet",
        "oxford-iiit-pet",
        37,
        "CC BY-SA 4.0",
        "cats and dogs by breed, trainval + test of its annotation files",
        800,
        (({"split": "trainval"},), ({"split": "test"},)),
        listed=_pets,
    ),
    TorchvisionImages(
        "dtd",
        "DTD",
        "dtd",
        47,
        "for research; cite Cimpoi et al. 2014",
        "textures, split 1: train and val + test",
        600,
        (({"split": "train"}, {"split": "val"}), ({"split": "test"},)),
    ),
    TorchvisionImages(
        "aircraft",
        "FGVCAircraft",
        "fgvc-aircraft-2013b",
        100,
        "non-commercial research; cite Maji et al. 2013",
        "aircraft by variant, trainval + test",
        2750,
        (({"split": "trainval"},), ({"split": "test"},)),
    ),
    TorchvisionImages(
        "imagenet",
        "ImageFolder",
        "imagenet",
        1000,
        "ImageNet's terms: non-commercial research",
        "ImageNet-1k as imagenet/train/<wnid> and imagenet/val/<wnid>, from image-net.org",
        150_000,
        (({"below": "imagenet/train"},), ({"below": "imagenet/val"},)),
        downloads=False,
        names=_imagenet_names,
    ),
):
    DATASETS.register(_images.name)(_images)
