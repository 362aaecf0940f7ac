"""Emoji by category: 64x64 drawings of two vendors, as npm packages carry them."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from ..assets.sources import local, npm
from .datasets import SPLITS, register_arrays

CATEGORIES = (
    "Activities",
    "Animals & Nature",
    "Flags",
    "Food & Drink",
    "Objects",
    "People & Body",
    "Smileys & Emotion",
    "Symbols",
    "Travel & Places",
)

# Short names of emoji that are drawn as another one is: families, and flags of territories that fly another's.
REPEATED = re.compile("family.*|(wo)?man-.*(boy|girl)|flag-(bv|cp|dg|ea|hm|mf|sark|sj|um)")


def read_emoji(vendor: str) -> Callable[[Path], dict[str, np.ndarray]]:
    """Return the function from the unpacked npm package to one vendor's drawings, uint8 (n, 64, 64, 3), and labels.

    An emoji is in the same part for both vendors, by a hash of its code. Emoji that repeat another's drawing are left
    out, so that no drawing is in both parts.
    """

    def decode(folder: Path) -> dict[str, np.ndarray]:
        entries = json.loads((folder / "package" / "emoji.json").read_text(encoding="utf-8"))
        parts: dict[str, list] = {f"{key}_{split}": [] for key in "xy" for split in SPLITS}
        for entry in sorted(entries, key=lambda e: e["unified"]):
            path = folder / "package" / "img" / vendor / "64" / entry["image"]
            both = entry["has_img_google"] and entry["has_img_twitter"]
            if entry["category"] not in CATEGORIES or not both or REPEATED.fullmatch(entry["short_name"]):
                continue
            with Image.open(path) as image:
                rgba = image.convert("RGBA").resize((64, 64))
            paper = Image.new("RGBA", rgba.size, "white")
            split = "test" if hashlib.sha256(entry["unified"].encode()).digest()[0] < 64 else "train"
            parts[f"x_{split}"].append(np.asarray(Image.alpha_composite(paper, rgba).convert("RGB")))
            parts[f"y_{split}"].append(CATEGORIES.index(entry["category"]))
        return {k: np.array(v, dtype=np.uint8) for k, v in parts.items()}

    return decode


for _name, _vendor, _licence, _sha in (
    ("noto", "google", "Apache-2.0", "52043cfbcbca6f4eaab7c73a5519008647af13b4166596ed40020a7f0a60fc23"),
    ("twemoji", "twitter", "CC BY 4.0", "31fc7f8f6b4c30e0c0ea278c597a8319a58893093267c00e49e1c56cd974c762"),
):
    _package = f"emoji-datasource-{_vendor}"
    _file = f"{_package}-16.0.0.tgz"
    register_arrays(
        f"emoji_{_name}",
        CATEGORIES,
        _licence,
        "emoji by category, 64x64",
        [local(_file), npm(_package, "16.0.0")],
        read_emoji(_vendor),
        _sha,
        f"{_file} (the npm package)",
    )
