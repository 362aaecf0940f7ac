"""What is a class and what is a picture in a folder: decided by names and first bytes, so that a look takes a second.

- Hidden and system names (``.x``, ``._x``, ``~$x``, ``Thumbs.db``, ``__MACOSX``, ...) are skipped and counted.
- A file is a picture if its content says so, whatever its name. What only its name calls a picture, what ends too
  early, and formats that Pillow does not read (HEIC, camera raw, SVG) are complaints. Any other file is skipped.
- A folder inside a class is a complaint if it holds a picture or another folder, else it is skipped.
- A folder with pictures is a class of its name in Unicode's composed form; two names of one form are one class.
- Links are followed; a link to a folder that it lies in is skipped.

All complaints are collected, so that they can be told at once.
"""

import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from .pictures import UNREADABLE, open_image, shown

LOOK = 1000  # entries of a folder inside a class that are looked at
HOPELESS = 5000  # entries without a picture after which a folder is not looked at any further
TRAILERS = 20  # whole pictures with other bytes after their end, after which such an end arouses no suspicion

SYSTEM = {
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "#recycle", "$recycle.bin"),
    *("lost+found", "system volume information", "__pycache__", "@__thumb", "@recycle", "@tmp", "#snapshot"),
}
UNREAD = {".heic", ".heif", ".dng", ".nef", ".cr2", ".cr3", ".arw", ".orf", ".rw2", ".raf", ".svg"}
HEIC = (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypmif1")
# What Pillow registers beyond pictures: documents, videos, scientific data.
NO_PICTURES = {".pdf", ".ps", ".eps", ".mpg", ".mpeg", ".h5", ".hdf", ".grib", ".bufr", ".wmf", ".emf"}
# First bytes of the usual kinds; what stands near the end of a whole file; first bytes that texts may have as well.
ENDS = {b"\xff\xd8\xff": b"\xff\xd9", b"\x89PNG\r\n\x1a\n": b"IEND", b"GIF8": b"\0;"}
STARTS = (*ENDS, b"RIFF", b"II*\0", b"MM\0*", b"\xff\x4f\xff\x51", b"8BPS", b"qoif")
WEAK = (b"BM", b"P", b"\0\0", b"DDS ", b"II+\0", b"MM\0+")

NOT_A_PICTURE = "not a picture"
ODD_END = "a picture that may be cut off"
UNREAD_FORMAT = "in a format that Pillow does not read, convert them to PNG or JPEG"


class Picture(NamedTuple):
    """A picture of a class: where it is, its name in composed form, and what tells whether it changed."""

    path: str
    name: str
    size: int
    mtime_ns: int


@dataclass
class Scan:
    """What was found below a root; names are relative to it.

    Attributes:
        root: the folder of the user.
        skipped: names by kind.
        complaints: names by what is wrong and how to mend it.
    """

    root: Path
    skipped: dict[str, list[str]] = field(default_factory=dict)
    complaints: dict[str, list[str]] = field(default_factory=dict)
    seen: int = 0
    pictures: int = 0
    trailers: int = 0

    def skip(self, kind: str, path: str | Path) -> None:
        """Note a name that is passed over."""
        self.skipped.setdefault(kind, []).append(self.relative(path))

    def complain(self, what: str, path: str | Path, reason: object = "") -> None:
        """Note a name that must be mended."""
        reason = f" ({reason})" if reason else ""
        self.complaints.setdefault(what, []).append(f"{self.relative(path)}{reason}")

    def relative(self, path: str | Path) -> str:
        """Return a path below the root as it can be printed."""
        return shown(os.path.relpath(path, self.root))

    def entries(self, folder: Path) -> tuple[list[os.DirEntry], list[os.DirEntry]]:
        """Return the folders and the files in a folder that are neither hidden nor the system's, in order of name."""
        folders, files = [], []
        for entry in self._visible(folder):
            (folders if _is_folder(entry) else files).append(entry)
        return sorted(folders, key=_by_name), sorted(files, key=_by_name)

    def classes(self, folders: list[os.DirEntry], files: list[os.DirEntry]) -> dict[str, list[Picture]]:
        """Return the pictures of every class among the folders of a part, by the name of the class."""
        self.loose(files)
        found: dict[str, list[Picture]] = {}
        for entry in folders:
            pictures = (
                [] if self._look() or self._leads_back(entry) else list(self._pictures(Path(entry.path)))
            )
            found.setdefault(shown(composed(entry.name)), []).extend(pictures)
        for name in sorted(name for name, pictures in found.items() if not pictures):
            self.skipped.setdefault("class without pictures", []).append(name)
        return {name: sorted(found[name], key=_in_order) for name in sorted(found) if found[name]}

    def pictures_in(self, folder: Path) -> list[Picture]:
        """Return the pictures that lie in a folder itself, in order of name."""
        return sorted(self._pictures(folder), key=_in_order)

    def loose(self, files: list[os.DirEntry]) -> None:
        """Note the files beside class folders or parts."""
        for entry in files:
            picture = _named_picture(entry.name)
            self.skip("picture outside a class folder" if picture else "file that is no picture", entry.path)

    @property
    def hopeless(self) -> bool:
        """Whether so much was seen without a picture that this is another folder than was meant."""
        return self.seen > HOPELESS and not self.pictures

    def _pictures(self, folder: Path) -> Iterator[Picture]:
        folders, files = self.entries(folder)
        for entry in files:
            picture = None if self._look() else self._picture(entry)
            if picture:
                self.pictures += 1
                yield picture
        for entry in folders:
            if not self._look() and not self._leads_back(entry):
                self._nested(Path(entry.path))

    def _look(self) -> bool:
        """Count one more name; whether it is one too many."""
        self.seen += 1
        return self.hopeless

    def _nested(self, folder: Path) -> None:
        names = [(entry, _is_folder(entry)) for entry in islice(self._visible(folder), LOOK)]
        pictures = sum(_named_picture(entry.name) for entry, is_folder in names if not is_folder)
        if pictures or any(is_folder for _, is_folder in names):
            reason = f"{pictures} picture{'s' * (pictures != 1)}" if pictures else "more folders"
            self.complain("folders inside a class, move their pictures up into it", folder, reason)
        else:
            self.skip("folder without pictures inside a class", folder)

    def _picture(self, entry: os.DirEntry) -> Picture | None:
        try:
            stat = entry.stat()
            picture = Picture(entry.path, composed(entry.name), stat.st_size, stat.st_mtime_ns)
            if not entry.is_file():  # a pipe, a device
                return self.skip("file that is no picture", entry.path)
            verdict = _verdict(picture)
            if verdict == ODD_END:
                verdict = _decoded(picture) if self.trailers < TRAILERS else None
                self.trailers += verdict is None
        except OSError as error:  # a link to nowhere, no permission
            verdict = error.strerror or str(error) if _named_picture(entry.name) else NOT_A_PICTURE
        else:
            if verdict is None:
                return picture
        if verdict == NOT_A_PICTURE:
            return self.skip("file that is no picture", entry.path)
        if verdict == UNREAD_FORMAT:
            return self.complain(UNREAD_FORMAT, entry.path)
        return self.complain("not readable as images, remove or repair them", entry.path, verdict)

    def _visible(self, folder: Path) -> Iterator[os.DirEntry]:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if _is_system(entry.name):
                        self.skip("hidden or system name", entry.path)
                    else:
                        yield entry
        except OSError as error:
            self.complain("folders that cannot be opened, change their permissions", folder, error.strerror)

    def _leads_back(self, entry: os.DirEntry) -> bool:
        back = entry.is_symlink() and Path(os.path.realpath(entry.path)) in (
            place := Path(os.path.realpath(os.path.dirname(entry.path))),
            *place.parents,
        )
        if back:
            self.skip("link to a folder that it lies in", entry.path)
        return back


@lru_cache(1 << 18)
def _verdict(file: Picture) -> str | None:
    """None if a file is a picture by its first and last bytes, else what it is."""
    named, size = _named_picture(file.name), file.size
    start, end = _both_ends(file.path, size)
    if _ending(file.name) in UNREAD or start[4:12] in HEIC:
        return UNREAD_FORMAT
    if named and start.startswith(STARTS):
        return None if _whole(start, end, size) else ODD_END
    if not named and not start.startswith((*STARTS, *WEAK)):
        return NOT_A_PICTURE
    try:
        with open_image(Path(file.path)):
            return None if _whole(start, end, size) else ODD_END
    except UNREADABLE as error:
        reason = "not the content of a picture" if isinstance(error, UnidentifiedImageError) else str(error)
        return (reason if size else "empty") if named else NOT_A_PICTURE


def _both_ends(path: str, size: int) -> tuple[bytes, bytes]:
    if not size:  # such are files of the kernel, and reading one may wait for ever
        return b"", b""
    with open(path, "rb") as file:
        start = file.read(16)
        file.seek(max(size - 64, 0))
        return start, file.read(64)


def _whole(start: bytes, end: bytes, size: int) -> bool:
    """Whether the last bytes are those of a whole file of its kind, where that can be told."""
    if start.startswith(b"RIFF"):
        return int.from_bytes(start[4:8], "little") + 8 <= size
    return next((mark in end for head, mark in ENDS.items() if start.startswith(head)), True)


@lru_cache(1 << 12)
def _decoded(file: Picture) -> str | None:
    """None if a picture can be decoded, else what is wrong."""
    try:
        with open_image(Path(file.path)) as image:
            image.draft("RGB", (8, 8))
            image.load()
    except UNREADABLE as error:
        return str(error)
    return None


def _is_system(name: str) -> bool:
    """Whether a name is hidden, or one that systems and tools leave behind."""
    return name.startswith((".", "~$")) or name.casefold() in SYSTEM


def composed(name: str) -> str:
    """Return a name in Unicode's composed form, which keyboards give; macOS writes some in the decomposed one."""
    return unicodedata.normalize("NFC", name)


@lru_cache(1)
def _endings() -> frozenset[str]:
    return frozenset(Image.registered_extensions()) - NO_PICTURES | UNREAD


def _ending(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _named_picture(name: str) -> bool:
    return _ending(name) in _endings()


def _by_name(entry: os.DirEntry) -> str:
    return composed(entry.name)


def _in_order(picture: Picture) -> tuple[str, bytes]:
    return picture.name, os.fsencode(picture.path)


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
