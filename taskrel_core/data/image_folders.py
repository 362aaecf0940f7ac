"""Images of one's own: a folder {train,test}/<class>/<file>, classes and files in order of name."""

import hashlib
import struct
import warnings
import zlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from .._registry import MissingAsset
from ..assets.content import file_fingerprint

__all__ = ["SPLITS", "ImageFolder", "Pictures", "square"]


SPLITS = ("train", "test")
RECIPE = "1"  # raise when images are decoded or cropped in another way
LARGEST = 224  # side, pixels, beyond which no encoder here looks

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


class Pictures(Mapping[str, np.ndarray]):
    """A mapping of x_train, y_train, x_test, y_test made of image files: uint8 (n, s, s, 3), labels int64.

    Every image is turned into RGB (transparent parts white), scaled so that its shorter side has s pixels, and
    cropped to the centre. Only what is asked for is decoded. Memory: 3 s^2 bytes an image.
    """

    @property
    @abstractmethod
    def side(self) -> int:
        """Side s of the square pictures, pixels."""

    @abstractmethod
    def files(self, split: str) -> list[tuple[Path, int]]:
        """Return every file of a split with its label, in canonical order."""

    def pick(self, files: Sequence[tuple[Path, int]]) -> np.ndarray:
        """Return the pictures in some of the files, uint8 (n, s, s, 3).

        Raises:
            ValueError: a file is no image.
        """
        images = np.empty((len(files), self.side, self.side, 3), np.uint8)
        for k, (path, _) in enumerate(tqdm(files, desc="pictures", leave=False, delay=2)):
            images[k] = _image(path, self.side)
        return images

    def labels(self, split: str) -> np.ndarray:
        """Return the labels of a split, int64 (n,)."""
        return np.array([label for _, label in self.files(split)], np.int64)

    def __getitem__(self, name: str) -> np.ndarray:
        kind, _, split = name.partition("_")
        if kind not in ("x", "y") or split not in SPLITS:
            raise KeyError(name)
        return self.labels(split) if kind == "y" else self.pick(self.files(split))

    def __iter__(self) -> Iterator[str]:
        return (f"{kind}_{split}" for kind in "xy" for split in SPLITS)

    def __len__(self) -> int:
        return 2 * len(SPLITS)


@dataclass(frozen=True, eq=False)
class ImageFolder(Pictures):
    """The pictures of a folder {train,test}/<class>/<file>.

    Their side is the largest shorter side in the folder, at most 224, so small images stay small.

    Raises:
        MissingAsset: there is no such folder.
        ValueError: train and test have different classes, a split holds no file, or a file is no image.
    """

    root: Path

    def __post_init__(self) -> None:
        for split in SPLITS:
            if not (self.root / split).is_dir():
                raise MissingAsset(
                    f"'folder:{self.root}' needs the folder {self.root / split} with one folder of images a class"
                )
        found = {s: sorted(p.name for p in (self.root / s).iterdir() if p.is_dir()) for s in SPLITS}
        if found["train"] != found["test"] or not found["train"]:
            odd = sorted(set(found["train"]) ^ set(found["test"])) or "no class at all"
            raise ValueError(
                f"{self.root} must have the same class folders in train and test, got {odd} in one of them only; "
                "make the folders agree"
            )

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the class folders, sorted."""
        return tuple(sorted(p.name for p in (self.root / "train").iterdir() if p.is_dir()))

    @property
    def version(self) -> str:
        """Fingerprint of names and contents of all files; read again only when a size or time has changed."""
        files = [p for split in SPLITS for p, _ in self.files(split)]
        stats = [p.stat() for p in files]
        return _fingerprint(self.root, tuple(files), tuple((s.st_size, s.st_mtime_ns) for s in stats))

    def files(self, split: str) -> list[tuple[Path, int]]:
        """Return every file of a split with its label, in order of class, then name."""
        folders = [(self.root / split / name, k) for k, name in enumerate(self.classes)]
        files = [(p, k) for folder, k in folders for p in sorted(folder.iterdir()) if p.is_file()]
        if not files:
            raise ValueError(f"{self.root / split} holds no image; put images into its class folders")
        return files

    @property
    def side(self) -> int:
        """Side of the square pictures, pixels."""
        return self._side

    @cached_property
    def _side(self) -> int:
        files = [path for split in SPLITS for path, _ in self.files(split)]
        bar = tqdm(files, desc=f"sizes in {self.root.name}", leave=False, delay=2)
        return min(max(_shorter_side(path) for path in bar), LARGEST)


@lru_cache(8)
def _fingerprint(root: Path, files: tuple[Path, ...], stats: tuple[tuple[int, int], ...]) -> str:  # noqa: ARG001
    digest = hashlib.sha256(f"{RECIPE} {LARGEST}\n".encode())
    for path in files:
        digest.update(f"{path.relative_to(root).as_posix()} {file_fingerprint(path)}\n".encode())
    return digest.hexdigest()


def _open(path: Path) -> Image.Image:
    # A picture beyond PIL's limit is refused here, where PIL itself only warns up to twice that size.
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return Image.open(path)


def _shorter_side(path: Path) -> int:
    try:
        with _open(path) as image:
            return min(image.size)
    except UNREADABLE as error:
        raise _refused(path, error) from error


def _image(path: Path, side: int) -> np.ndarray:
    try:
        with _open(path) as image:
            return square(image, side)
    except UNREADABLE as error:
        raise _refused(path, error) from error


def square(image: Image.Image, side: int) -> np.ndarray:
    """Return a picture as uint8 (side, side, 3): RGB, transparent parts white, scaled and cropped to the centre."""
    image.draft("RGB", (side, side))  # JPEG: decode no larger than needed
    rgba = image.convert("RGBA")
    rgb = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    scale = side / min(rgb.size)
    width, height = (max(round(length * scale), side) for length in rgb.size)
    left, top = (width - side) // 2, (height - side) // 2
    return np.asarray(rgb.resize((width, height)).crop((left, top, left + side, top + side)))


def _refused(path: Path, error: Exception) -> ValueError:
    return ValueError(f"{path} is not a readable image ({error}); remove or repair it")
