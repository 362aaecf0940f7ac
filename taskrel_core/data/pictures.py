"""Image files as square pictures of one size, decoded when they are asked for."""

import struct
import warnings
import zlib
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image
from tqdm import tqdm

from .datasets import Dataset, parts_of

T = TypeVar("T")
EXAMPLES = 10  # names that a message quotes

TIFF_BITS, TIFF_COLOURS = 258, 262  # numbers of its tags: bits per channel; 0: white is 0

# What each EXIF orientation asks for.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

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

    Every image is turned into RGB, scaled so that its shorter side has s pixels, and cropped to the centre. Only what
    is asked for is decoded. Memory: 3 s^2 bytes per image.

    - Transparent parts are white. Of several frames or pages the first is read.
    - 16 bits per channel: 65535 is white (4095 where a TIFF has 12).
    - 32-bit integers: 255 is white if no pixel is larger, else 65535, and always 65535 in PGM; larger ones are refused.
    - Floating point: 1 is white if no pixel is larger, else 255; larger or negative ones, NaN and infinity are refused.

    Attributes:
        upright: whether pictures are turned as their EXIF orientation says; published sets are read without.
    """

    upright = False

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
        decoded = read_all(
            [files[row] for row in rows], lambda i: _square(i, self.side, self.upright), "pictures"
        )
        for k, image in enumerate(decoded):
            images[k] = image
        return images


def read_all(files: Sequence[Path], read: Callable[[Image.Image], T], what: str) -> Iterator[T]:
    """Yield what ``read`` makes of the picture in each file.

    Raises:
        ValueError: at the end, if files cannot be read; it names them all.
    """
    failed = []
    for file in tqdm(files, desc=what, leave=False, delay=2):
        try:
            with open_image(file) as image:
                yield read(image)
        except UNREADABLE as error:
            failed.append(f"{shown(str(file))} is not a readable image ({error})")
    if failed:
        count = f"{len(failed)} files: " if len(failed) > 1 else ""
        raise ValueError(f"{count}{examples(failed)}; remove or repair {'them' if count else 'it'}")


def open_image(file: Path | BytesIO) -> Image.Image:
    """Open a picture; one beyond PIL's limit is refused, where PIL itself only warns up to twice that size."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return Image.open(file)


def read_square(content: bytes, side: int, name: str) -> np.ndarray:
    """Return the picture in a file's content as uint8 (side, side, 3).

    Raises:
        ValueError: it cannot be read; the message says ``name``.
    """
    try:
        with open_image(BytesIO(content)) as image:
            return _square(image, side)
    except UNREADABLE as error:
        raise ValueError(f"{name} is not a readable image ({error})") from error


def _square(image: Image.Image, side: int, upright: bool = False) -> np.ndarray:
    """Return a picture as uint8 (side, side, 3): RGB, scaled and cropped to the centre."""
    image.draft("RGB", (side, side))  # JPEG: decode no larger than needed
    image.load()  # here and not later: TIFF is turned by it
    rgb = as_rgb(image)
    if upright and _orientation(image) in TURNS:
        rgb = rgb.transpose(TURNS[_orientation(image)])
    scale = side / min(rgb.size)
    width, height = (max(round(length * scale), side) for length in rgb.size)
    left, top = (width - side) // 2, (height - side) // 2
    return np.asarray(rgb.resize((width, height)).crop((left, top, left + side, top + side)))


def as_rgb(image: Image.Image) -> Image.Image:
    """Return a picture in 8-bit RGB, transparent parts white, by the rule of ``ImageFiles``."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_eight_bits(image)).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def _eight_bits(image: Image.Image) -> np.ndarray:
    """Scale pixels of more than 8 bits, grey, to uint8."""
    pixels, tags = np.asarray(image), getattr(image, "tag_v2", {})
    low, high = float(pixels.min()), float(pixels.max())
    if image.mode == "F":
        white = 1 if high <= 1 else 255
    elif image.mode == "I" and image.format != "PPM" and high <= 255:
        white = 255
    else:
        white = 4095 if tags.get(TIFF_BITS) == (12,) else 65535
    if not (low >= 0 and high <= white):
        rule = "0 to 1 or 0 to 255" if image.mode == "F" else "0 to 65535"
        raise ValueError(f"its pixels must be {rule}, got {low:g} to {high:g}; scale them")
    scaled = np.rint(pixels * (255 / white)).astype(np.uint8)
    return 255 - scaled if tags.get(TIFF_COLOURS) == 0 else scaled


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 where there is none that can be read."""
    try:
        return image.getexif().get(0x0112, 1)
    except UNREADABLE:
        return 1


def shown(name: str) -> str:
    """Return a name that can be printed, also where its bytes are no text."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def examples(names: list[str]) -> str:
    """Return the first names of a list, and how many there are more."""
    more = f" and {len(names) - EXAMPLES} more" if len(names) > EXAMPLES else ""
    return ", ".join(names[:EXAMPLES]) + more
