"""The paper's data sets, which no package carries: torchvision reads them from its own folders, or downloads them.

Small images become arrays, as those of the other data sets do. Photographs stay files, and only those that are asked
for are decoded. Where a folder of torchvision's layout lies in TASKREL_DATA, nothing is downloaded.
"""

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np

from .. import environment
from .._registry import MissingAsset
from ..assets.sources import Source, SourceFailed
from ..assets.torchvision_import import import_torchvision
from .archives import CIFAR
from .image_folders import SPLITS, Pictures

__all__ = ["PHOTOGRAPHS", "SMALL", "Photographs", "Small", "from_torchvision", "small_sources"]


SIDE = 256  # pixels: of which the encoders of the paper profile see the middle 224, or a smaller copy
RECIPE = "1"  # raise when lists are read in another way


@dataclass(frozen=True)
class Small:
    """A data set of small images that torchvision reads: its class there, and how its two parts are asked for."""

    kind: str
    licence: str
    origin: str
    megabytes: int
    folder: str  # that torchvision reads, below TASKREL_DATA
    classes: tuple[str, ...]
    parts: tuple[dict[str, Any], dict[str, Any]] = ({"train": True}, {"train": False})
    upright: Callable[[np.ndarray], np.ndarray] = lambda images: images
    first: int = 0  # its smallest label


DIGITS = tuple("0123456789")

CIFAR100 = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant
flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree
motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate
poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider
squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
wardrobe whale willow_tree wolf woman worm
"""

SMALL = {
    "usps": Small(
        "USPS",
        "none stated; cite Hull 1994",
        "handwritten digits from envelopes, 16x16",
        8,
        "usps.bz2, usps.t.bz2",
        DIGITS,
    ),
    "cifar10_full": Small(
        "CIFAR10",
        "none stated; cite Krizhevsky 2009",
        "photographs of ten kinds of things, all 50000 + 10000, 32x32",
        170,
        "cifar-10-batches-py",
        CIFAR,
    ),
    "cifar100": Small(
        "CIFAR100",
        "none stated; cite Krizhevsky 2009",
        "photographs of a hundred kinds of things, 50000 + 10000, 32x32",
        169,
        "cifar-100-python",
        tuple(CIFAR100.split()),
    ),
    "svhn": Small(
        "SVHN",
        "non-commercial; cite Netzer et al. 2011",
        "house numbers, the middle digit, 73257 + 26032, 32x32",
        246,
        "train_32x32.mat, test_32x32.mat",
        DIGITS,
        ({"split": "train"}, {"split": "test"}),
        lambda images: images.transpose(0, 2, 3, 1),
    ),
    "kmnist": Small(
        "KMNIST",
        "CC BY-SA 4.0 (CODH)",
        "cursive Japanese letters, 60000 + 10000, 28x28",
        21,
        "KMNIST/raw",
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    ),
    "emnist_letters": Small(
        "EMNIST",
        "none stated; cite Cohen et al. 2017",
        "handwritten Latin letters of either case, 124800 + 20800, 28x28; turned upright",
        562,
        "EMNIST/raw",
        tuple(ascii_lowercase),
        ({"split": "letters", "train": True}, {"split": "letters", "train": False}),
        lambda images: images.transpose(0, 2, 1),  # stored with rows and columns exchanged
        1,
    ),
}


def small_sources(name: str) -> list[Source]:
    """Return the sources of a set of SMALL: torchvision's own files in TASKREL_DATA, then its download."""

    def at_hand(scratch: Path) -> Path:
        root = environment.data_dir()
        if root is None:
            raise SourceFailed("TASKREL_DATA is not set")
        return _arrays_of(SMALL[name], root, scratch, download=False)

    def fetched(scratch: Path) -> Path:
        return _arrays_of(SMALL[name], scratch, scratch, download=True)

    label = SMALL[name].folder
    return [
        Source(f"local files {label}", at_hand),
        Source(f"torchvision download {SMALL[name].kind}", fetched),
    ]


def _arrays_of(entry: Small, root: Path, scratch: Path, download: bool) -> Path:
    """Write both parts of a set as an npz file; torchvision checks its files' sums before it reads them."""
    kept = {}
    for split, part in zip(SPLITS, entry.parts, strict=True):
        found = from_torchvision(entry.kind, root, download=download, **part)
        images, labels = (
            np.asarray(found.data),
            np.asarray(getattr(found, "targets", getattr(found, "labels", None))),
        )
        kept[f"x_{split}"] = np.ascontiguousarray(entry.upright(images))
        kept[f"y_{split}"] = (labels - entry.first).astype(np.uint8)
    np.savez(scratch / "it.npz", allow_pickle=False, **kept)
    return scratch / "it.npz"


def from_torchvision(kind: str, root: Path, **how: Any) -> Any:
    """Return a data set of torchvision.

    Raises:
        SourceFailed: its files are not there, are damaged, or cannot be downloaded.
    """
    try:
        return getattr(import_torchvision().datasets, kind)(root, **how)
    except (RuntimeError, FileNotFoundError) as error:  # no mirror answers, or a file is missing
        raise SourceFailed(str(error)) from error


@dataclass(frozen=True, eq=False)
class Photographs(Pictures):
    """A data set of photographs, listed by torchvision; its pictures are decoded when they are asked for.

    Raises:
        MissingAsset: it is not on this machine and torchvision could not download it.
        ValueError: a picture cannot be read.
    """

    kind: str
    folder: str  # below TASKREL_DATA, or below the cache
    n_classes: int
    licence: str
    origin: str
    megabytes: int
    parts: tuple[tuple[dict[str, Any], ...], tuple[dict[str, Any], ...]]
    downloads: bool = True
    names: Callable[[], tuple[str, ...]] | None = (
        None  # of the classes, where its folders are called otherwise
    )

    @property
    def side(self) -> int:
        """Side of the square pictures, pixels."""
        return SIDE

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in order of their labels."""
        return tuple(self._lists["classes"]) if self.names is None else self.names()

    @cached_property
    def version(self) -> str:
        """Fingerprint of the lists: names, labels and sizes of all files; their contents are not read for it."""
        digest = hashlib.sha256(f"{self.kind} {RECIPE} {SIDE}\n".encode())
        for split in SPLITS:
            for path, label in self.files(split):
                digest.update(f"{split} {path.name} {label} {path.stat().st_size}\n".encode())
        return digest.hexdigest()

    def files(self, split: str) -> list[tuple[Path, int]]:
        """Every file of a split with its label, in the order of the published lists."""
        return self._lists[split]

    @cached_property
    def _lists(self) -> dict[str, list]:
        root = self._root()
        lists: dict[str, list] = {}
        try:
            for split, parts in zip(SPLITS, self.parts, strict=True):
                found = [self._part(root, **part) for part in parts]
                lists[split] = [pair for part in found for pair in _listed(part)]
                lists["classes"] = list(found[0].classes)
        except SourceFailed as error:
            raise ValueError(f"{root / self.folder} is not whole ({error}); unpack it anew") from error
        if len(lists["classes"]) != self.n_classes:
            raise ValueError(
                f"{root / self.folder} must hold {self.n_classes} classes, got {len(lists['classes'])}; unpack it anew"
            )
        return lists

    def _part(self, root: Path, below: str = "", **how: Any) -> Any:
        return from_torchvision(self.kind, root / below, **how)

    def _root(self) -> Path:
        """The folder that torchvision reads, downloaded in one step if it is nowhere."""
        given, kept = environment.data_dir(), environment.cache_dir() / "torchvision"
        for root in (given, kept):
            if root is not None and (root / self.folder).is_dir():
                return root
        if not self.downloads:
            raise MissingAsset(self.missing("it cannot be downloaded without an account"))
        kept.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept, prefix=".fetch-", ignore_cleanup_errors=True) as scratch:
            try:
                from_torchvision(self.kind, Path(scratch), download=True, **self.parts[0][0])
            except (SourceFailed, OSError) as error:
                raise MissingAsset(self.missing(str(error))) from error
            (Path(scratch) / self.folder).rename(kept / self.folder)
        return kept

    def missing(self, reason: str) -> str:
        """Return what to say where the set is not on this machine."""
        return (
            f"{self.kind} is not on this machine ({reason}). Put the unpacked folder {self.folder} (about "
            f"{self.megabytes} MB; {self.origin}) into a folder and set TASKREL_DATA to that one"
        )


def _listed(part: Any) -> list[tuple[Path, int]]:
    """Files and labels of a part, from the lists that torchvision keeps."""
    if hasattr(part, "samples"):
        return [(Path(path), int(label)) for path, label in part.samples]
    files = part._images if hasattr(part, "_images") else part._image_files
    return [(Path(path), int(label)) for path, label in zip(files, part._labels, strict=True)]


def _imagenet_names() -> tuple[str, ...]:
    """ImageNet's classes in words, in order of their synsets, from torchvision's list."""
    return tuple(import_torchvision().models.ResNet50_Weights.IMAGENET1K_V1.meta["categories"])


PHOTOGRAPHS = {
    "pets": Photographs(
        "OxfordIIITPet",
        "oxford-iiit-pet",
        37,
        "CC BY-SA 4.0",
        "cats and dogs by breed, trainval + test of its annotation files",
        800,
        (({"split": "trainval"},), ({"split": "test"},)),
    ),
    "dtd": Photographs(
        "DTD",
        "dtd",
        47,
        "for research; cite Cimpoi et al. 2014",
        "textures, split 1: train and val + test",
        600,
        (({"split": "train"}, {"split": "val"}), ({"split": "test"},)),
    ),
    "aircraft": Photographs(
        "FGVCAircraft",
        "fgvc-aircraft-2013b",
        100,
        "non-commercial research; cite Maji et al. 2013",
        "aircraft by variant, trainval + test",
        2750,
        (({"split": "trainval"},), ({"split": "test"},)),
    ),
    "imagenet": Photographs(
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
}
