"""Files that the project does not carry: fetched from the first source that answers, checked, kept."""

import logging
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from .. import environment
from .._registry import MissingAsset
from .content import array_fingerprint, atomic, file_fingerprint, read_arrays, write_arrays
from .sources import Source, SourceFailed

LOG = logging.getLogger(__name__)

# Raised where a source is out of reach, or delivers something else than it should.
FAILURES = (SourceFailed, OSError, subprocess.SubprocessError, tarfile.TarError, zipfile.BadZipFile)


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
        MissingAsset: no source answered; the message has the reason of each.
        ValueError: the cached file is damaged, or a source delivered other arrays than those pinned.
    """
    # With the pin in its name, a file of an older pin is not mistaken for a damaged one.
    path = environment.cache_dir() / "data" / f"{name}{'-' + sha256[:12] if sha256 else ''}.npz"
    if not path.exists():

        def keep(found: Path, label: str) -> None:
            try:
                arrays = decode(found)
            except (KeyError, ValueError, EOFError, zlib.error) as error:
                raise SourceFailed(f"its content cannot be read ({error})") from error
            _compare(array_fingerprint(arrays), sha256, f"the arrays of {name!r} from {label}")
            write_arrays(path, arrays)

        _from_first(name, sources, keep, hint)
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
    path = environment.cache_dir() / "weights" / name
    if not path.exists():

        def keep(found: Path, label: str) -> None:
            inside = [p for p in sorted(found.rglob(member)) if p.is_file()] if found.is_dir() else [found]
            if not inside:
                raise SourceFailed(f"no {member} in the package")
            if sha256 is not None:
                _compare(file_fingerprint(inside[0]), sha256, f"the file {name!r} from {label}")
            with atomic(path) as scratch:
                shutil.copyfile(inside[0], scratch)

        _from_first(name, sources, keep, hint)
    if sha256 is not None:
        _compare(file_fingerprint(path), sha256, f"{path} is damaged, delete it and run again: it")
    return path


def _from_first(name: str, sources: Sequence[Source], keep: Callable[[Path, str], None], hint: str) -> None:
    """Pass what the first source that answers delivers to ``keep``."""
    root = environment.cache_dir()
    root.mkdir(parents=True, exist_ok=True)
    tried = []
    for source in sources:
        if source.remote and environment.offline():
            tried.append(f"  {source.label}: TASKREL_OFFLINE is set")
            continue
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
