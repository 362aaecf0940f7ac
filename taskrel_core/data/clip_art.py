"""Clip-art by subject: drawings of many hands in folders, as a Debian package carries them.

A class is a folder of the package's first level that gathers drawings of one kind of thing, with the folders in it, if
at least 60 drawings remain. No classes are: collections by use (computer: icons; shapes; signs_and_symbols; special;
unsorted; recreation: mostly playing cards) and maps (geography). In transportation, road signs and symbols are left out.
"""

import hashlib
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ..assets.sources import SourceFailed, debian, local
from .datasets import SPLITS, register_arrays
from .pictures import as_rgb, open_image

SUBJECTS = ("animals", "buildings", "food", "office", "people", "plants", "tools", "transportation")
SIGNS = ("roadsigns", "aiga-symbols")  # folders
SIDE = 64  # pixels
TOO_LARGE = (Image.DecompressionBombWarning, Image.DecompressionBombError)
TEST_SHARE = 1 / 3
BLANK = 245  # grey from which on a pixel is taken for paper
FILE = "openclipart-png.deb"


def read_clip_art(folder: Path) -> dict[str, np.ndarray]:
    """Return the drawings in the unpacked package, uint8 (n, 64, 64, 3), on white, and their labels.

    Links to other drawings, repeated drawings and the dozen that are beyond PIL's limit of size are left out. Drawings
    whose names begin with the same word (home, pizza, ...) are often variants of one another, so they are in one part.
    Of each class the words that come first by their hash are the test part, until that has a third of the drawings.

    Raises:
        SourceFailed: a folder is missing.
    """
    parts: dict[str, list] = {f"{key}_{split}": [] for key in "xy" for split in SPLITS}
    seen: set[bytes] = set()
    for label, subject in enumerate(SUBJECTS):
        for split, drawings in zip(SPLITS, _split(_by_word(_found(folder, subject), seen)), strict=True):
            parts[f"x_{split}"] += drawings
            parts[f"y_{split}"] += [label] * len(drawings)
    return {key: np.array(values, np.uint8) for key, values in parts.items()}


def _found(folder: Path, subject: str) -> list[Path]:
    root = folder / "usr" / "share" / "openclipart" / "png" / subject
    if not root.is_dir():
        raise SourceFailed(f"no folder {subject} in the package")
    files = sorted(path for path in root.rglob("*.png") if not path.is_symlink())
    return [path for path in files if not set(path.relative_to(root).parts) & set(SIGNS)]


def _by_word(files: list[Path], seen: set[bytes]) -> dict[str, list[np.ndarray]]:
    groups = defaultdict(list)
    for path in files:
        try:
            with open_image(path) as image:
                drawing = _on_paper(as_rgb(image))
        except TOO_LARGE:
            continue
        if drawing is not None and drawing.tobytes() not in seen:
            seen.add(drawing.tobytes())
            groups[re.split(r"[\W\d_]", path.stem)[0]].append(drawing)
    return groups


def _on_paper(picture: Image.Image) -> np.ndarray | None:
    """Cut off the paper around a drawing, make it a square again, and scale it; None where there is only paper."""
    box = Image.fromarray(np.asarray(picture.convert("L")) < BLANK).getbbox()
    if box is None:
        return None
    return np.asarray(ImageOps.pad(picture.crop(box), (SIDE, SIDE), color="white"))


def _split(groups: dict[str, list[np.ndarray]]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    wanted = TEST_SHARE * sum(map(len, groups.values()))
    train: list[np.ndarray] = []
    test: list[np.ndarray] = []
    for word in sorted(groups, key=lambda word: hashlib.sha256(word.encode()).digest()):
        (test if len(test) < wanted else train).extend(groups[word])
    return train, test


register_arrays(
    "clip_art",
    SUBJECTS,
    "public domain",
    "clip-art by subject, eight folders of a Debian package, 64x64; split by us",
    [local(FILE), debian("openclipart-png")],
    read_clip_art,
    "0c2751a38b1662a056aab9d9a8d3b8d18ffbc87ff0cfaf5c2f1fe501f653cde9",
    f"{FILE} (the Debian package)",
    optional=True,
)
