"""Image data sets by name, each from several sources with one fingerprint; ``folder:PATH`` for one of your own.

A data set is added in one file of this folder: an entry of a table there, or a new file that registers it.

Example:
    >>> from taskrel_core import DATASETS
    >>> images, labels = DATASETS["digits"].load("test")
    >>> images.shape[1:], images.dtype.name, sorted(set(labels.tolist()))
    ((8, 8), 'uint8', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from .._registry import MissingAsset, Registry, UnknownName
from .._validation import check_choice
from ..assets.cache import keep_arrays
from ..assets.content import array_fingerprint
from ..assets.sources import Source

SPLITS = ("train", "test")
Arrays = Mapping[str, np.ndarray]
BY_HAND = "By hand: put {file} into a folder and set TASKREL_DATA to it."
NPZ = "{name}.npz (uint8 arrays x_train, y_train, x_test, y_test)"


class Dataset(ABC):
    """A labelled image data set with a fixed train and test part.

    Attributes:
        name: in DATASETS.
        licence: its own, in short.
        origin: what it is, in one line.
        optional: no package carries it, or one for Debian only.
        on_request: too large to be fetched unless it is named.
        labelled: its labels are known; else they are -1.
    """

    name: str
    licence: str
    origin: str
    optional: bool = False
    on_request: bool = False
    labelled: bool = True

    @property
    @abstractmethod
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes; where the data's own files list them, they are read.

        Raises:
            MissingAsset: these files are not on this machine.
        """

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    @abstractmethod
    def version(self) -> str:
        """Fingerprint of the content, 64 hex digits."""

    def load(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Return images uint8 (n, h, w[, 3]) and labels int64 (n,) of "train", "test" or "all".

        Raises:
            ValueError: an unknown split, a damaged file in the cache, an image that cannot be read.
            MissingAsset: no source delivered the data.
        """
        labels = self.labels(split)
        return self.images(split, np.arange(len(labels))), labels

    @abstractmethod
    def labels(self, split: str) -> np.ndarray:
        """Return the labels of a split, int64 (n,); no picture is read for them."""

    @abstractmethod
    def images(self, split: str, rows: np.ndarray) -> np.ndarray:
        """Return some images of a split, uint8 (len(rows), h, w[, 3]); of image files only these are decoded."""

    def fetch(self) -> None:
        """Bring it to this machine, where it is not yet."""
        self.labels("all")


@dataclass(frozen=True)
class ArrayDataset(Dataset):
    """A data set of arrays in memory.

    Args:
        arrays: returns x_train, y_train, x_test, y_test: images uint8 (n, h, w) grey or (n, h, w, 3), labels integer.
        pinned: fingerprint of these arrays, or a function that makes one of what they are made of; None: of the arrays.
    """

    name: str
    classes: tuple[str, ...]
    licence: str
    origin: str
    arrays: Callable[[], Arrays] = field(repr=False)
    pinned: str | Callable[[], str] | None = None
    shipped: str | None = None
    optional: bool = False
    on_request: bool = False

    @property
    def class_names(self) -> tuple[str, ...]:  # noqa: D102
        return self.classes

    @property
    def version(self) -> str:  # noqa: D102
        pinned = self.pinned() if callable(self.pinned) else self.pinned
        if self.shipped and not self._at_hand:
            return self.shipped
        return pinned or array_fingerprint(self.arrays())

    @cached_property
    def _at_hand(self) -> bool:
        """Whether some source delivers it; looked at once, since each look may ask a server."""
        try:
            self.arrays()
        except MissingAsset:
            return False
        return True

    def labels(self, split: str) -> np.ndarray:  # noqa: D102
        return self._joined("y", split).astype(np.int64)

    def images(self, split: str, rows: np.ndarray) -> np.ndarray:  # noqa: D102
        return self._joined("x", split)[rows]

    def fetch(self) -> None:  # noqa: D102
        self.arrays()

    def _joined(self, key: str, split: str) -> np.ndarray:
        parts = parts_of(split)
        arrays = self.arrays()
        return np.concatenate([arrays[f"{key}_{part}"] for part in parts])


def parts_of(split: str) -> tuple[str, ...]:
    """Return the parts of "train", "test" or "all"."""
    check_choice(split, "split", (*SPLITS, "all"))
    return SPLITS if split == "all" else (split,)


# What comes before the colon in a name such as ``folder:PATH``, and the function from the whole name to its data set.
OPENERS: dict[str, Callable[[str], Dataset]] = {}


def _open(name: str) -> Dataset | None:
    kind, colon, _ = name.partition(":")
    if colon and kind.lower() in OPENERS:
        return OPENERS[kind.lower()](name)
    if "/" in name or Path(name).is_dir():
        raise UnknownName(f"unknown data set {name!r}; a folder of pictures is given as folder:{name}")
    return None


DATASETS: Registry = Registry("data set", _open, room=__package__)


def register_arrays(
    name: str,
    classes: tuple[str, ...],
    licence: str,
    origin: str,
    sources: Sequence[Source],
    decode: Callable[[Path], Arrays],
    sha256: str | None,
    by_hand: str = NPZ,
    shipped: str | None = None,
    **demand: bool,
) -> None:
    """Register a data set whose decoded arrays are kept in the cache.

    Args:
        name, classes, licence, origin: as in ``Dataset``.
        sources: in the order to try them.
        decode: from what a source delivers to x_train, y_train, x_test, y_test.
        sha256: of these arrays; None: the copy found is the version.
        by_hand: the file that a user can put down, for the message where no source answers.
        shipped: the version that shipped rows were computed with, under which they are found where no copy is at hand.
        demand: ``optional`` and ``on_request`` of ``Dataset``.
    """
    hint = BY_HAND.format(file=by_hand.format(name=name))
    arrays = cache(lambda: keep_arrays(name, sources, decode, sha256, hint))
    DATASETS.register(name)(ArrayDataset(name, classes, licence, origin, arrays, sha256, shipped, **demand))


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Return x_train, y_train, x_test, y_test of an npz file, labels uint8.

    Raises:
        ValueError: images are not uint8 (n, h, w[, 3]), or labels are not one per image.
    """
    with np.load(path, allow_pickle=False) as data:
        arrays = {f"{key}_{split}": data[f"{key}_{split}"] for key in "xy" for split in SPLITS}
    for split in SPLITS:
        images, labels = arrays[f"x_{split}"], arrays[f"y_{split}"]
        if images.dtype != np.uint8 or images.ndim not in (3, 4) or labels.shape != images.shape[:1]:
            raise ValueError(
                f"x_{split} must be uint8 images (n, h, w) with one label each in y_{split}, "
                f"got {images.dtype} {images.shape} and {labels.shape}"
            )
        arrays[f"y_{split}"] = labels.astype(np.uint8)
    return arrays
