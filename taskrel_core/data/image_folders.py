"""Pictures of one's own, ``folder:PATH``: a folder of class folders, with parts to train and to test or without.

PATH holds ``train`` and ``test`` in any case, or ``train`` and one of ``val``, ``valid``, ``validation`` instead of
``test``, each with one folder per class; or ``train`` alone, or the class folders themselves: then a fifth of each
class, at least one picture where it has two, is the test part, chosen by a hash of class and file name. A class has
pictures in both parts. ``folder_scan`` says what is a class and what is a picture.
"""

import hashlib
import math
import os
from contextlib import suppress
from difflib import get_close_matches
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from .._registry import MissingAsset
from ..assets.content import file_fingerprint
from .datasets import OPENERS, SPLITS
from .folder_scan import HOPELESS, Picture, Scan
from .pictures import ImageFiles, examples, read_all, shown

RECIPE = "2"  # raise when images are decoded or cropped in another way
LARGEST = 224  # side, pixels, beyond which no encoder here looks
TRAIN = ("train", "training")
TEST = ("test", "testing", "val", "valid", "validation")  # the first that is there
BY_NAME = "a fifth of each class, chosen by file name, is the test part"

Classes = dict[str, list[Picture]]


class ImageFolder(ImageFiles):
    """The pictures of a folder, by the rules of this module and of ``folder_scan``.

    Their side is the largest shorter side in the folder, at most 224, so small images stay small.

    Raises:
        MissingAsset: there is no such folder.
        ValueError: everything in it that must be mended.
    """

    licence = "your own"
    upright = True

    def __init__(self, name: str, root: Path) -> None:
        self.name, self.root = name, root
        check_folder(root)
        self._scan = Scan(root)
        self.layout, train, test = self._parts()
        self.origin = f"{shown(str(root))}: {self.layout}"
        self._check(train, test)
        if test is None:
            train, test = _split(train)
        self._classes: dict[str, Classes] = {"train": train, "test": test}

    def _parts(self) -> tuple[str, Classes, Classes | None]:
        """The layout in words, and the classes of the train and the test part; None: not yet split."""
        scan = self._scan
        folders, files = scan.entries(self.root)
        train, test = (_named(folders, names) for names in (TRAIN, TEST))
        if train is None and test is None:
            return f"no parts; {BY_NAME}", scan.classes(folders, files), None
        scan.loose(files)
        parts = [part for part in (train, test) if part]
        names = [part.name.casefold() for part in parts]
        for entry in folders:
            if entry not in parts and entry.name.casefold() in names:
                scan.complain("folders for one part, keep one", entry.path)
            elif entry not in parts:
                scan.skip("folder beside the parts", entry.path)
        found = [scan.classes(*scan.entries(Path(part.path))) for part in parts]
        layout = " and ".join(shown(part.name) for part in parts)
        if len(parts) == 2:
            return layout, found[0], found[1]
        return f"{layout} alone; {BY_NAME}", found[0] if train else {}, None

    def _check(self, train: Classes, test: Classes | None) -> None:
        """Raise one error with all that must be mended."""
        complaints = dict(self._scan.complaints)
        if self._scan.hopeless:
            complaints = {f"no picture among the first {HOPELESS} names; is this the right folder?": []}
        elif not train:
            complaints = {f"no class with pictures to train on; {_hint(self.root)}": []} | complaints
        elif test is not None and train.keys() != test.keys():
            for part, names in (("train", train.keys() - test), ("test", test.keys() - train)):
                if names:
                    complaints[f"classes with pictures in the {part} part only, make the parts agree"] = (
                        sorted(names)
                    )
        if complaints:
            lines = [
                f"\n- {what} ({len(names)}): {examples(names)}" if names else f"\n- {what}"
                for what, names in complaints.items()
            ]
            raise ValueError(
                f"{shown(str(self.root))} cannot be read as folders of pictures:{''.join(lines)}"
            )

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, sorted."""
        return tuple(self._classes["train"])

    @property
    def version(self) -> str:
        """Fingerprint of names and contents of all pictures; read again only when a size or time has changed."""
        digest = hashlib.sha256(f"{RECIPE} {LARGEST}\n".encode())
        for split in SPLITS:
            for name, pictures in self._classes[split].items():
                for picture in pictures:
                    digest.update(os.fsencode(f"{split}/{name}/{picture.name} {_content(picture)}\n"))
        return digest.hexdigest()

    def files(self, split: str) -> list[tuple[Path, int]]:
        """Return every file of a split with its label, in order of class, then name."""
        classes = self._classes[split].values()
        return [(Path(picture.path), label) for label, pictures in enumerate(classes) for picture in pictures]

    @property
    def side(self) -> int:
        """Side of the square pictures, pixels."""
        return self._side

    @cached_property
    def _side(self) -> int:
        files = [path for split in SPLITS for path, _ in self.files(split)]
        return min(max(read_all(files, lambda image: min(image.size), "sizes")), LARGEST)

    def summary(self) -> dict[str, Any]:
        """Return what was read of the folder and what was not, as plain values.

        Returns:
            ``layout``: the rule that made the parts, in words. ``pictures``: one dict per class, with ``class``,
            ``train``, ``test``, the latter two numbers of pictures. ``skipped``: one dict per kind, with ``kind``,
            ``count``, ``examples`` (at most 10 names). ``both``: the test pictures that are training pictures too, byte
            by byte, of whatever class: ``count``, ``examples``. ``balance``: for ``train`` and ``test`` a dict with ``n``,
            ``largest`` (fraction of the largest class), ``entropy`` of the class fractions and ``log_k``, nats.
        """
        counts = {
            split: {name: len(found) for name, found in self._classes[split].items()} for split in SPLITS
        }
        return {
            "layout": self.layout,
            "pictures": [{"class": name} | {s: counts[s][name] for s in SPLITS} for name in self.class_names],
            "skipped": [
                {"kind": kind, "count": len(names), "examples": sorted(names)[:10]}
                for kind, names in sorted(self._scan.skipped.items())
            ],
            "both": {"count": len(both := self._in_both()), "examples": sorted(both)[:10]},
            "balance": {split: _balance(list(counts[split].values())) for split in SPLITS},
        }

    def _in_both(self) -> list[str]:
        """Names of the test pictures whose bytes a training picture has."""
        train, test = ([p for found in self._classes[s].values() for p in found] for s in SPLITS)
        seen = {_content(picture) for picture in train}
        return [self._scan.relative(picture.path) for picture in test if _content(picture) in seen]


def check_folder(root: Path) -> None:
    """Refuse what is no folder, with what may have been meant."""
    if os.path.isdir(root):
        return
    if os.path.exists(root):
        raise ValueError(
            f"folder:PATH must name a folder, got the file {shown(str(root))}; give the folder it lies in"
        )
    parent = next(path for path in root.parents if os.path.isdir(path))
    with suppress(OSError):
        names = [entry.name for entry in islice(os.scandir(parent), HOPELESS)]
        for near in get_close_matches(root.relative_to(parent).parts[0], names, 1):
            raise MissingAsset(_missing(root, f"did you mean folder:{parent / near}?"))
    raise MissingAsset(_missing(root, f"the nearest folder above it is {parent}"))


def _missing(root: Path, way_out: str) -> str:
    return shown(f"folder:PATH must name a folder, got {root}, which is not there; {way_out}")


def _hint(root: Path) -> str:
    """What may have been meant by a folder without pictures in class folders."""
    folders, files = Scan(root).entries(root)
    for entry in folders[:100]:
        if _named(Scan(root).entries(Path(entry.path))[0], TRAIN):
            return shown(f"{entry.name} holds train: give folder:{entry.path}")
    if len(folders) == 1 and not _named(folders, TEST) and Scan(root).entries(Path(folders[0].path))[0]:
        return shown(f"its only folder holds others: give folder:{folders[0].path}")
    if files and not folders:
        return "put the pictures into one folder per class"
    return "PATH must hold train and test, or one folder of pictures per class"


def _named(folders: list[os.DirEntry], names: tuple[str, ...]) -> os.DirEntry | None:
    """The folder with the first of some names, in any case."""
    return next((entry for name in names for entry in folders if entry.name.casefold() == name), None)


def _split(classes: Classes) -> tuple[Classes, Classes]:
    """Divide every class by a hash of class and file name: a fifth to test, at least one of two."""
    train, test = {}, {}
    for name, pictures in classes.items():
        ranked = sorted(pictures, key=lambda p: hashlib.sha256(os.fsencode(f"{name}/{p.name}")).digest())
        chosen = set(ranked[: max(round(len(ranked) / 5), 1) if len(ranked) > 1 else 0])
        train[name] = [picture for picture in pictures if picture not in chosen]
        test[name] = [picture for picture in pictures if picture in chosen]
    return train, test


def _balance(counts: list[int]) -> dict[str, int | float]:
    n = sum(counts)
    entropy = sum(count / n * math.log(n / count) for count in counts if count)
    return {
        "n": n,
        "largest": max(counts) / n if n else math.nan,
        "entropy": entropy,
        "log_k": math.log(len(counts)),
    }


@lru_cache(1 << 18)
def _content(picture: Picture) -> str:
    return file_fingerprint(Path(picture.path))


def _folder(name: str) -> ImageFolder:
    _, _, path = name.partition(":")
    if not path.strip():
        raise ValueError("folder:PATH must name a folder, got no path; write it after the colon")
    return ImageFolder(name, Path(os.path.abspath(os.path.expanduser(path))))


OPENERS["folder"] = _folder
