"""Image files as square pictures of one size, decoded when they are asked for."""

import struct
import warnings
import zlib
from abc import abstractmethod
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from .datasets import Dataset, parts_of

__all__ = ["UNREADABLE", "ImageFiles", "open_image", "read_square", "refused"]


# What PIL raises on files that are no images, or broken ones, or too large to be meant.
UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


class ImageFiles(Dataset):
    """A data set of image files, as uint8 (n, s, s, 3).

    Every image is turned into RGB (transparent parts white), scaled so that its shorter side has s pixels, and
    cropped to the centre. Only what is asked for is decoded. Memory: 3 s^2 bytes per image.
    """

    @property
    @abstractmethod
    def side(self) -> int:
        """Side s of the square pictures, pixels."""

    @abstractmethod
    def files(self, split: str) -> list[tuple[Path, int]]:
        """Return every file of "train" or "test" with its label, in canonical order."""

    def labels(self, split: str) -> np.ndarray:  # noqa: D102
        return np.array([label for part in parts_of(split) for _, label in self.files(part)], np.int64)

    def images(self, split: str, rows: np.ndarray) -> np.ndarray:  # noqa: D102
        files = [path for part in parts_of(split) for path, _ in self.files(part)]
        images = np.empty((len(rows), self.side, self.side, 3), np.uint8)
        for k, row in enumerate(tqdm(rows, desc="pictures", leave=False, delay=2)):
            images[k] = read_square(files[row], self.side)
        return images


def open_image(file: Path | BytesIO) -> Image.Image:
    """Open a picture; one beyond PIL's limit is refused, where PIL itself only warns up to twice that size."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return Image.open(file)


def read_square(file: Path | BytesIO, side: int, name: object = None) -> np.ndarray:
    """Return the picture in a file as uint8 (side, side, 3).

    Raises:
        ValueError: it cannot be read; the message names the file, or ``name``.
    """
    try:
        with open_image(file) as image:
            return _square(image, side)
    except UNREADABLE as error:
        raise refused(name or file, error) from error


def _square(image: Image.Image, side: int) -> np.ndarray:
    """Return a picture as uint8 (side, side, 3): RGB, transparent parts white, scaled and cropped to the centre."""
    image.draft("RGB", (side, side))  # JPEG: decode no larger than needed
    rgba = image.convert("RGBA")
    rgb = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    scale = side / min(rgb.size)
    width, height = (max(round(length * scale), side) for length in rgb.size)
    left, top = (width - side) // 2, (height - side) // 2
    return np.asarray(rgb.resize((width, height)).crop((left, top, left + side, top + side)))


def refused(path: object, error: Exception) -> ValueError:
    """Return the error that names a file which PIL cannot read."""
    return ValueError(f"{path} is not a readable image ({error}); remove or repair it")
