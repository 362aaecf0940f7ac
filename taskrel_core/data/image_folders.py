"""Images of one's own: a folder {train,test}/<class>/<file>, classes and files in order of name."""

import hashlib
from functools import cached_property, lru_cache
from pathlib import Path

from tqdm import tqdm

from .._registry import MissingAsset
from ..assets.content import file_fingerprint
from .datasets import OPENERS, SPLITS
from .pictures import UNREADABLE, ImageFiles, open_image, refused

__all__ = ["ImageFolder"]


RECIPE = "1"  # raise when images are decoded or cropped in another way
LARGEST = 224  # side, pixels, beyond which no encoder here looks


class ImageFolder(ImageFiles):
    """The pictures of a folder {train,test}/<class>/<file>.

    Their side is the largest shorter side in the folder, at most 224, so small images stay small.

    Raises:
        MissingAsset: there is no such folder.
        ValueError: train and test have different classes, a split holds no file, or a file is no image.
    """

    licence = "your own"

    def __init__(self, name: str, root: Path) -> None:
        self.name, self.root, self.origin = name, root, str(root)
        for split in SPLITS:
            if not (self.root / split).is_dir():
                raise MissingAsset(
                    f"'folder:{self.root}' needs the folder {self.root / split} with one folder of images per class"
                )
        found = {s: sorted(p.name for p in (self.root / s).iterdir() if p.is_dir()) for s in SPLITS}
        if found["train"] != found["test"] or not found["train"]:
            odd = sorted(set(found["train"]) ^ set(found["test"])) or "no class at all"
            raise ValueError(
                f"{self.root} must have the same class folders in train and test, got {odd} in one of them only; "
                "make the folders agree"
            )

    @property
    def class_names(self) -> tuple[str, ...]:
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
        folders = [(self.root / split / name, k) for k, name in enumerate(self.class_names)]
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


def _shorter_side(path: Path) -> int:
    try:
        with open_image(path) as image:
            return min(image.size)
    except UNREADABLE as error:
        raise refused(path, error) from error


OPENERS["folder"] = lambda name: ImageFolder(name, Path(name.removeprefix("folder:")).expanduser().resolve())
