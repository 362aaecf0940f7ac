"""Handwritten digits of 8x8 pixels, which scikit-learn carries."""

from pathlib import Path

import numpy as np

from ..assets.sources import Source
from .datasets import register_arrays


def _decode(_: Path) -> dict[str, np.ndarray]:
    from sklearn.datasets import load_digits

    pixels, target = load_digits(return_X_y=True)
    images = (np.asarray(pixels).reshape(-1, 8, 8) * (255 / 16)).round().astype(np.uint8)
    labels = np.asarray(target).astype(np.uint8)
    test = np.arange(len(labels)) % 4 == 0  # there is no official split: every fourth picture tests
    return {
        f"{key}_{split}": array[rows]
        for split, rows in (("train", ~test), ("test", test))
        for key, array in (("x", images), ("y", labels))
    }


register_arrays(
    "digits",
    tuple("0123456789"),
    "CC BY 4.0 (UCI; Alpaydin, Kaynak)",
    "handwritten digits, 8x8, of scikit-learn",
    [Source("scikit-learn", lambda scratch: scratch, remote=False)],
    _decode,
    "6fb51e8570a9176ba48f3ce4a20b0b7cfdc8d7abe36e6be9596474b6e658875c",
)
