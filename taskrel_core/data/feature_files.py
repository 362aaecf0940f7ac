"""Features of one's own as a data set: ``features:FILE.npz``, ``features:Z.npy+Y.npy``, either with ``@K``.

FILE.npz holds ``z`` (n, d) and ``y`` (n,), and may hold ``split`` (n,) of "train" and "test"; without it every row is
of the train part. Labels are whole numbers of any kind, or texts; classes are numbered in their sorted order. Without
``y`` the features are unlabelled, and ``@K`` says how many classes they have. Nothing in a file is run, nothing is
unpacked, and every file is looked at before it is read.
"""

import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np

from .._registry import MissingAsset
from .._validation import check_count
from ..assets.content import content_key, file_fingerprint
from .datasets import OPENERS, Dataset
from .image_folders import TEST, TRAIN
from .pictures import shown

RECIPE = "1"  # raise when the same file gives other features or labels
BOMB, SMALL = 100, 1 << 28  # an array may not unpack to more than so many times the file, once beyond 256 MB
COUNT = re.compile(r"(.+)@(\d+)")
HOLDS = "z (n, d), y (n,) and, where there is one, split (n,)"


class FeatureFile(Dataset):
    """Features that are stored in files, with the labels and the parts of the samples.

    Raises:
        MissingAsset: there is no such file.
        ValueError: it holds something else, or the arrays do not fit together; the message names the file.
    """

    licence = "your own"

    def __init__(self, name: str, files: tuple[Path, ...], n_classes: int | None) -> None:
        self.name, self._files = name, files
        where = " and ".join(shown(str(path)) for path in files)
        self.origin = f"stored features, {where}"
        arrays = _read(files)
        self._z = _features(arrays["z"], where)
        n = len(self._z)
        self._train = _in_train(arrays.get("split"), n, where)
        classes, self._y = _labels(arrays.get("y"), n, n_classes, where)
        self._classes = classes
        self.labelled = "y" in arrays

    @property
    def class_names(self) -> tuple[str, ...]:
        """The labels as text, in sorted order."""
        return self._classes

    @property
    def version(self) -> str:
        """Fingerprint of the content of the files."""
        return content_key({"recipe": RECIPE, "files": [_fingerprint(*_state(path)) for path in self._files]})

    def labels(self, split: str) -> np.ndarray:  # noqa: D102
        return self._y[self._rows(split)]

    def images(self, split: str, rows: np.ndarray) -> np.ndarray:  # noqa: ARG002, D102
        raise ValueError(
            f"{self.name} holds features, no pictures, so no encoder can look at it; take it as reference or target "
            "of features of the same encoder, or give folder:PATH"
        )

    def stored(self, split: str, rows: np.ndarray) -> np.ndarray:
        """Return some rows of a split, float32 (len(rows), d); float64 where the file has it."""
        return self._z[self._rows(split)[rows]]

    def _rows(self, split: str) -> np.ndarray:
        found = {"train": self._train, "test": ~self._train, "all": np.ones_like(self._train)}
        if split not in found:
            raise ValueError(f"split must be one of train, test, all, got {split!r}; choose one of them")
        if not found[split].any():
            raise ValueError(
                f"{self.name} has no rows of the {split} part; give its file an array split of 'train' and 'test'"
            )
        return found[split].nonzero()[0]


def _read(files: tuple[Path, ...]) -> dict[str, np.ndarray]:
    if len(files) == 2:
        return {key: _array(path) for key, path in zip("zy", files, strict=True)}
    (path,) = files
    if path.suffix == ".npy":
        return {"z": _array(path)}
    with _refusing(path), path.open("rb") as file, zipfile.ZipFile(file) as archive:
        _check_members(archive, path)
        with np.load(file, allow_pickle=False) as data:
            found = {key: data[key] for key in ("z", "y", "split") if key in data.files}
            names = data.files
    if "z" not in found:
        raise ValueError(
            f"{shown(str(path))} must hold {HOLDS}, got {', '.join(names) or 'nothing'}; "
            "save it by np.savez(file, z=features, y=labels)"
        )
    return found


def _array(path: Path) -> np.ndarray:
    with _refusing(path), path.open("rb") as file:
        return np.lib.format.read_array(file, allow_pickle=False)


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Say of whatever goes wrong in reading which file it was, and how to save it."""
    try:
        yield
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        MemoryError,
        zipfile.BadZipFile,
        NotImplementedError,
    ) as error:
        said = str(error).strip() or type(error).__name__
        if "allow_pickle" in said or "Object arrays" in said:
            said = "it holds Python objects, which are programs; labels become text by y.astype(str)"
        raise ValueError(
            f"{shown(str(path))} cannot be read as arrays ({said}); save it by np.savez(file, z=features, y=labels)"
        ) from error


def _check_members(archive: zipfile.ZipFile, path: Path) -> None:
    """Refuse, before anything is unpacked, names with a path and arrays that are far larger than the file."""
    size = path.stat().st_size
    for member in archive.infolist():
        if member.filename != Path(member.filename).name or "\\" in member.filename:
            raise ValueError(f"its array {member.filename!r} has a path in its name")
        if member.file_size > max(BOMB * size, SMALL):
            raise ValueError(
                f"its array {member.filename!r} would unpack to {member.file_size:,} bytes, {BOMB} times its size and more"
            )


def _features(z: np.ndarray, where: str) -> np.ndarray:
    """The checked features, float32 or float64."""
    if z.ndim != 2 or 0 in z.shape:
        raise ValueError(
            f"z of {where} must have shape (n, d) with n, d >= 1, got {z.shape}; one row per sample: z.reshape(len(z), -1), "
            "or the mean over positions of a map"
        )
    if z.dtype.kind not in "fiu":
        raise ValueError(
            f"z of {where} must hold real numbers, got {z.dtype}; convert it by z.astype('float32')"
        )
    finite = np.isfinite(z).all(1) if z.dtype.kind == "f" else np.ones(len(z), bool)
    if not finite.all():
        raise ValueError(
            f"z of {where} must be finite, got NaN or infinity in {(~finite).sum()} of {len(z)} rows, first in row "
            f"{int(finite.argmin())}; drop or repair them"
        )
    return z if z.dtype == np.float64 else z.astype(np.float32)


def _labels(
    y: np.ndarray | None, n: int, n_classes: int | None, where: str
) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the classes, and the labels 0..K-1; -1 where there are none."""
    if y is None:
        if n_classes is None:
            raise ValueError(
                f"{where} holds no labels y; add them, or say how many classes there are: ...@10"
            )
        check_count(n_classes, "number of classes after @", 2)
        return tuple(f"class {k}" for k in range(n_classes)), np.full(n, -1)
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.ndim != 1:
        raise ValueError(
            f"y of {where} must have shape (n,), got {y.shape}; one-hot labels become classes by y.argmax(1)"
        )
    if len(y) != n:
        raise ValueError(
            f"z and y of {where} must have as many rows, got {n} of z and {len(y)} of y; one label per row"
        )
    if y.dtype.kind == "f":
        if not (np.isfinite(y).all() and (y == np.round(y)).all()):
            raise ValueError(
                f"y of {where} must hold whole numbers or text, got {y.dtype} such as {y[y != np.round(y)][0]}"
            )
        y = y.astype(np.int64)
    if y.dtype.kind not in "iubUS":
        raise ValueError(
            f"y of {where} must hold whole numbers or text, got {y.dtype}; convert it by y.astype(str)"
        )
    names, labels = np.unique(_text(y), return_inverse=True)
    if n_classes is not None and n_classes < len(names):
        raise ValueError(
            f"@{n_classes} says how many classes {where} has, but y has {len(names)}; leave it out"
        )
    more = tuple(f"class {k}, without samples" for k in range(len(names), n_classes or 0))
    return (*(str(name) for name in names), *more), labels.astype(np.int64)


def _in_train(split: np.ndarray | None, n: int, where: str) -> np.ndarray:
    """Whether each row is of the train part."""
    if split is None:
        return np.ones(n, bool)
    if split.shape != (n,):
        raise ValueError(
            f"z and split of {where} must have as many rows, got {n} of z and shape {split.shape} of split"
        )
    words = np.char.lower(_text(split)) if split.dtype.kind in "US" else np.full(n, str(split.dtype))
    train, test = np.isin(words, TRAIN), np.isin(words, TEST)
    if not (train | test).all():
        raise ValueError(
            f"split of {where} must hold the texts 'train' and 'test' (or 'val'), got {str(words[~(train | test)][0])!r}; "
            "for instance np.where(is_train, 'train', 'test')"
        )
    return train


def _text(values: np.ndarray) -> np.ndarray:
    return np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values


def _state(path: Path) -> tuple[Path, int, int]:
    stat = path.stat()
    return path, stat.st_size, stat.st_mtime_ns


@lru_cache(256)
def _fingerprint(path: Path, size: int, time: int) -> str:  # noqa: ARG001
    """The sha256 of a file; read again only when its size or time has changed."""
    return file_fingerprint(path)


@lru_cache(8)
def _opened(name: str, states: tuple[tuple[Path, int, int], ...], n_classes: int | None) -> FeatureFile:
    return FeatureFile(name, tuple(path for path, _, _ in states), n_classes)


def _open(name: str) -> FeatureFile:
    """The data set of ``features:...``; a file that has not changed is read once."""
    text = name.partition(":")[2].strip()
    match = COUNT.fullmatch(text)
    text, n_classes = (match[1], int(match[2])) if match else (text, None)
    files = tuple(Path(os.path.abspath(os.path.expanduser(part))) for part in text.split("+"))
    kinds = [path.suffix for path in files]
    if kinds not in ([".npz"], [".npy"], [".npy", ".npy"]):
        raise ValueError(
            f"features:FILE must name FILE.npz, or Z.npy+Y.npy, got {text!r}; save by np.savez(file, z=, y=)"
        )
    for path in files:
        if not path.is_file():
            parent = next(folder for folder in path.parents if folder.is_dir())
            raise MissingAsset(
                f"features:FILE must name a file, got {shown(str(path))}, which is not there; the nearest folder above "
                f"it is {shown(str(parent))}"
            )
    return _opened(name, tuple(map(_state, files)), n_classes)


OPENERS["features"] = _open
