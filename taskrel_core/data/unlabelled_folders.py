"""Pictures without labels, ``unlabelled:PATH@K``: all pictures of a folder, and how many classes they are of.

For ``labels="pseudo"``. What is a picture, ``folder_scan`` says; every picture is of the train part.
"""

import os
from pathlib import Path

import numpy as np

from .datasets import OPENERS, parts_of
from .feature_files import COUNT
from .folder_scan import Scan
from .image_folders import ImageFolder, check_folder
from .pictures import examples, shown


class UnlabelledFolder(ImageFolder):
    """The pictures of a folder, of ``n_classes`` classes that nobody says.

    Raises:
        MissingAsset: there is no such folder.
        ValueError: everything in it that must be mended.
    """

    labelled = False

    def __init__(self, name: str, root: Path, n_classes: int) -> None:
        self.name, self.root, self._k = name, root, n_classes
        check_folder(root)
        self._scan = Scan(root)
        pictures = self._scan.pictures_in(root)
        self.layout = "one folder of pictures without labels"
        self.origin = f"{shown(str(root))}: {self.layout}"
        complaints = {what: names for what, names in self._scan.complaints.items() if names}
        if not pictures:
            complaints["no picture; put the pictures into the folder itself, not into others inside it"] = [
                root.name
            ]
        if complaints:
            lines = [f"\n- {what} ({len(names)}): {examples(names)}" for what, names in complaints.items()]
            raise ValueError(f"{shown(str(root))} cannot be read as a folder of pictures:{''.join(lines)}")
        self._classes = {"train": {"unlabelled": pictures}, "test": {"unlabelled": []}}

    @property
    def class_names(self) -> tuple[str, ...]:
        """Numbers in place of names."""
        return tuple(f"class {k}" for k in range(self._k))

    def labels(self, split: str) -> np.ndarray:
        """Return -1 for every picture of a split."""
        n = sum(len(self._classes[part]["unlabelled"]) for part in parts_of(split))
        if not n:
            raise ValueError(f"{self.name} has no {split} part, all its pictures are of the train part")
        return np.full(n, -1)


def _open(name: str) -> UnlabelledFolder:
    text = name.partition(":")[2].strip()
    match = COUNT.fullmatch(text)
    if match is None or int(match[2]) < 2:
        raise ValueError(
            f"unlabelled:PATH@K must say the folder and of how many classes its pictures are, at least 2, got {text!r}; "
            "for instance unlabelled:/pictures@5"
        )
    return UnlabelledFolder(name, Path(os.path.abspath(os.path.expanduser(match[1]))), int(match[2]))


OPENERS["unlabelled"] = _open
