"""Glyph tasks: letters and figures in free typefaces that matplotlib's wheel carries. Printed, not handwritten.

The train part is drawn from DejaVu's faces, the test part from STIX's, so that no face is in both.
"""

import hashlib
import importlib.util
from functools import cache, partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .._registry import MissingAsset
from .datasets import DATASETS, ArrayDataset

ALPHABETS = {
    "digits": ("0123456789", "printed figures 0-9, 28x28"),
    "latin": ("ABDEGHKMRS", "ten printed Latin capitals, 28x28"),
    "greek": ("αβγδζθλμξψ", "ten printed Greek letters, 28x28"),
    "cyrillic": ("БДЖИЛФЦЩЮЯ", "ten printed Cyrillic capitals, 28x28"),
}

RECIPE = "1"  # raise when the drawing changes: features and rows are then computed again
SIZE, SUPERSAMPLE = 28, 4
_SANS = ("DejaVuSans", "DejaVuSansMono", "DejaVuSerif")
_SLANTED = {"DejaVuSans": "Oblique", "DejaVuSansMono": "Oblique", "DejaVuSerif": "Italic"}
TRAIN_FACES = tuple(f"{f}{s}" for f in _SANS for s in ("", "-Bold", f"-{_SLANTED[f]}", f"-Bold{_SLANTED[f]}"))
TEST_FACES = ("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta")
COPIES = {"train": 50, "test": 30}  # drawings of each letter in each face


def typefaces_fingerprint(alphabet: str) -> str:
    """Return the sha256 of the faces' files, the letters and the recipe.

    The drawing itself may differ in the last grey level between FreeType versions, so it is not what is pinned.
    """
    digest = hashlib.sha256(f"{RECIPE} {ALPHABETS[alphabet][0]} {COPIES}".encode())
    for face in (*TRAIN_FACES, *TEST_FACES):
        digest.update(_path(face).read_bytes())
    return digest.hexdigest()


def render(letters: str) -> dict[str, np.ndarray]:
    """Return x_train, y_train, x_test, y_test: uint8 (n, 28, 28), white on black, and labels.

    Each drawing is turned, slanted, scaled and moved a little at random, with a fixed seed.
    """
    arrays = {}
    for split, faces, seed in (("train", TRAIN_FACES, 0), ("test", TEST_FACES, 1)):
        rng = np.random.default_rng(seed)
        fonts = [ImageFont.truetype(str(_path(face)), 18 * SUPERSAMPLE) for face in faces]
        count = COPIES[split] * len(fonts)
        images = [_draw(letter, fonts[k % len(fonts)], rng) for letter in letters for k in range(count)]
        labels = np.repeat(np.arange(len(letters), dtype=np.uint8), count)
        order = rng.permutation(len(labels))
        arrays |= {f"x_{split}": np.stack(images)[order], f"y_{split}": labels[order]}
    return arrays


@cache
def _typefaces() -> Path:
    """Folder of the faces; found without importing matplotlib, since nothing that computes needs drawing."""
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None:
        raise MissingAsset("glyph tasks need the typefaces of matplotlib; install it: pip install matplotlib")
    return Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"


def _path(face: str) -> Path:
    path = _typefaces() / f"{face}.ttf"
    if not path.is_file():
        raise MissingAsset(
            f"glyph tasks need the typeface {path}, which this matplotlib lacks; "
            "install the one in requirements.lock"
        )
    return path


def _draw(letter: str, font: ImageFont.FreeTypeFont, rng: np.random.Generator) -> np.ndarray:
    side = SIZE * SUPERSAMPLE
    image = Image.new("L", (side, side), 0)
    ImageDraw.Draw(image).text((side / 2, side / 2), letter, fill=255, font=font, anchor="mm")
    turn, slant = np.deg2rad(rng.uniform(-12, 12)), rng.uniform(-0.2, 0.2)
    grow_x, grow_y = rng.uniform(0.8, 1.2, 2)
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.array([[cos, -sin], [sin, cos]]) @ np.array([[1, slant], [0, 1]]) @ np.diag([grow_x, grow_y])
    shift = rng.uniform(-2, 2, 2) * SUPERSAMPLE
    centre = np.array([side / 2, side / 2])
    offset = centre - matrix @ (centre + shift)
    coefficients = (*matrix[0], offset[0], *matrix[1], offset[1])
    moved = image.transform((side, side), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR)
    return np.asarray(moved.resize((SIZE, SIZE), Image.Resampling.BOX))


for _alphabet, (_letters, _origin) in ALPHABETS.items():
    DATASETS.register(f"glyphs_{_alphabet}")(
        ArrayDataset(
            f"glyphs_{_alphabet}",
            tuple(_letters),
            "typefaces: Bitstream Vera and public domain (DejaVu), SIL OFL 1.1 (STIX)",
            _origin,
            cache(partial(render, _letters)),
            cache(partial(typefaces_fingerprint, _alphabet)),
        )
    )
