"""Tiny stand-ins for the paper's data sets, in the true formats on disk. Every picture has the one colour of its class."""

import bz2
import hashlib
import pickle
import struct
from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image

EACH = {"train": 3, "test": 2}  # pictures per class


def colour(label: int) -> np.ndarray:
    """A colour for each label, far from those of its neighbours."""
    label = int(label)
    return np.array([(37 * label) % 256, (91 * label + 40) % 256, 255 - (53 * label) % 256], np.uint8)


def grey(label: int) -> int:
    """A grey for each label."""
    return 5 + 9 * int(label)


def labels(k: int, split: str) -> np.ndarray:
    """Labels 0..k-1 in turn."""
    return np.tile(np.arange(k), EACH[split])


def photograph(path: Path, label: int, size: tuple[int, int] = (60, 40)) -> None:
    """Write a picture that is wider than high."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, tuple(int(c) for c in colour(label))).save(path, quality=95)


def picture(path: Path, size=(8, 8), colour=(200, 10, 10), mode: str = "RGB") -> None:
    """Write a picture of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path)


def lines(path: Path, rows: list[str]) -> None:
    """Write a list file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def pets(root: Path) -> None:
    """Breeds whose names do not sort as their numbers do; in each list: file, number from 1, species, breed number."""
    top, count = root / "oxford-iiit-pet", 0
    for split, name in (("train", "trainval"), ("test", "test")):
        rows = []
        for label in labels(37, split):
            count += 1
            stem = f"Breed_{'z' if label % 2 else 'a'}_{label:02d}_{count}"
            photograph(top / "images" / f"{stem}.jpg", label)
            rows.append(f"{stem} {label + 1} {1 + label % 2} 1")
        lines(top / "annotations" / f"{name}.txt", rows)


def dtd(root: Path) -> None:
    """Three lists of split 1, each with every class."""
    top, count = root / "dtd/dtd", 0
    for part in ("train", "val", "test"):
        rows = []
        for label in np.tile(np.arange(47), 2 if part == "test" else 1 if part == "val" else 2):
            count += 1
            name = f"texture{label:02d}/texture{label:02d}_{count:04d}.jpg"
            photograph(top / "images" / name, int(label))
            rows.append(name)
        lines(top / "labels" / f"{part}1.txt", rows)


def aircraft(root: Path) -> None:
    """Variants with blanks and strokes in their names; files by number."""
    top, count, names = root / "fgvc-aircraft-2013b/data", 0, [f"Maker {k} type/{k:03d}" for k in range(100)]
    lines(top / "variants.txt", names)
    for split, part in (("train", "trainval"), ("test", "test")):
        rows = []
        for label in labels(100, split):
            count += 1
            photograph(top / "images" / f"{count:07d}.jpg", label)
            rows.append(f"{count:07d} {names[label]}")
        lines(top / f"images_variant_{part}.txt", rows)


def imagenet(root: Path) -> None:
    """One folder per class, named by its WordNet number."""
    for split, part in (("train", "train"), ("test", "val")):
        for k, label in enumerate(np.tile(np.arange(1000), 2 if split == "train" else 1)):
            photograph(root / f"imagenet/{part}/n{10_000_000 + label}/{split}_{k}.JPEG", label, (12, 8))


def idx(path: Path, array: np.ndarray) -> None:
    """Write an array as LeCun's idx format has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(head + array.astype(np.uint8).tobytes())


def halves(k: int, split: str, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Grey pictures of the label's grey in the upper half and black below, and labels."""
    y = labels(k, split)
    images = np.zeros((len(y), side, side), np.uint8)
    images[:, : side // 2] = np.array([grey(label) for label in y])[:, None, None]
    return images, y


def kmnist(root: Path) -> None:
    """Four idx files."""
    for split, stem in (("train", "train"), ("test", "t10k")):
        images, y = halves(10, split, 28)
        idx(root / f"KMNIST/raw/{stem}-images-idx3-ubyte", images)
        idx(root / f"KMNIST/raw/{stem}-labels-idx1-ubyte", y)


def emnist_letters(root: Path) -> None:
    """Pictures with rows and columns exchanged, labels from 1."""
    for split in EACH:
        images, y = halves(26, split, 28)
        idx(root / f"EMNIST/raw/emnist-letters-{split}-images-idx3-ubyte", images.transpose(0, 2, 1))
        idx(root / f"EMNIST/raw/emnist-letters-{split}-labels-idx1-ubyte", y + 1)


def usps(root: Path) -> None:
    """Lines of label and pixels in -1..1, packed by bzip2, labels from 1."""
    for split, name in (("train", "usps.bz2"), ("test", "usps.t.bz2")):
        images, y = halves(10, split, 16)
        rows = [
            f"{label + 1} " + " ".join(f"{k + 1}:{v}" for k, v in enumerate(image.reshape(-1) / 127.5 - 1))
            for image, label in zip(images, y, strict=True)
        ]
        (root / name).write_bytes(bz2.compress("\n".join(rows).encode()))


def svhn(root: Path) -> None:
    """MATLAB files, pixels first, the digit 0 as 10."""
    for split in EACH:
        y = labels(10, split)
        X = np.array([np.tile(colour(label), (32, 32, 1)) for label in y]).transpose(1, 2, 3, 0)
        scipy.io.savemat(root / f"{split}_32x32.mat", {"X": X, "y": np.where(y == 0, 10, y)[:, None]})


def cifar(folder: Path, names: dict[str, str], k: int, key: str, meta: tuple[str, str]) -> None:
    """Pickles of rows of 3072 bytes, channel by channel."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, split in names.items():
        y = labels(k, split)
        data = np.array([np.repeat(colour(label), 1024) for label in y])
        (folder / name).write_bytes(pickle.dumps({"data": data, key: y.tolist()}, protocol=2))
    (folder / meta[0]).write_bytes(pickle.dumps({meta[1]: [f"thing {j}" for j in range(k)]}, protocol=2))


def cifar100(root: Path) -> None:
    """One file per part."""
    names = {"train": "train", "test": "test"}
    cifar(root / "cifar-100-python", names, 100, "fine_labels", ("meta", "fine_label_names"))


def cifar10_full(root: Path) -> None:
    """Five files to train on."""
    names = {f"data_batch_{k}": "train" for k in range(1, 6)} | {"test_batch": "test"}
    cifar(root / "cifar-10-batches-py", names, 10, "labels", ("batches.meta", "label_names"))


def trusted(root: Path, monkeypatch, datasets) -> None:
    """Let torchvision accept the sums of the tiny files, as it accepts those of the real ones."""

    def md5(path: Path) -> str:
        return hashlib.md5(path.read_bytes()).hexdigest()

    for kind in (datasets.CIFAR10, datasets.CIFAR100):
        folder = root / kind.base_folder
        if folder.is_dir():
            for part in ("train_list", "test_list"):
                entries = [[name, md5(folder / name)] for name, _ in getattr(kind, part)]
                monkeypatch.setattr(kind, part, entries)
            monkeypatch.setattr(kind, "meta", {**kind.meta, "md5": md5(folder / kind.meta["filename"])})
    if (root / "train_32x32.mat").is_file():
        found = {
            s: [url, name, md5(root / name)]
            for s, (url, name, _) in datasets.SVHN.split_list.items()
            if s in EACH
        }
        monkeypatch.setattr(datasets.SVHN, "split_list", found)


WRITE_IMAGES = {"pets": pets, "dtd": dtd, "aircraft": aircraft, "imagenet": imagenet}
WRITE_ARRAYS = {
    "usps": usps,
    "cifar10_full": cifar10_full,
    "cifar100": cifar100,
    "svhn": svhn,
    "kmnist": kmnist,
    "emnist_letters": emnist_letters,
}
