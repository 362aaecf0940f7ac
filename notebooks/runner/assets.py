"""Data sets and encoders that parameters name: is there such a one, and which version of it is here."""

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from .imports import ROOT
from .reading import Refused, close

REGISTRIES = {"data set": "DATASETS", "encoder": "ENCODERS"}
PREFIXES = {"data set": ("folder:", "features:", "unlabelled:"), "encoder": ("file:",)}  # of a path
AFTER = re.compile(r"@(\d+|(timm|torchvision):\S*|bfloat16|float16)$")


def package(module: str = "") -> ModuleType | None:
    """This project's own taskrel_core, or a module of it; None where it has none."""
    if module and not (ROOT / "taskrel_core" / f"{module.replace('.', '/')}.py").exists():
        return None  # an installed package of this name may have it
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    return import_module(f"taskrel_core.{module}" if module else "taskrel_core")


@cache
def names() -> dict[str, list[str]]:
    """The registered names by kind; kept in the cache, since to import the registries takes seconds."""
    parts = ("data", "encoders", "experiments/rank.py", "_registry.py", "__init__.py")
    rooms = [ROOT / "taskrel_core" / part for part in parts]
    files = sorted(path for room in rooms for path in (room.rglob("*.py") if room.is_dir() else [room]))
    here = [Path(__file__), *files]
    code = hashlib.sha256(b"".join(path.read_bytes() for path in here if path.exists())).hexdigest()
    environment = package("environment")
    kept = environment.cache_dir() / "names.json" if environment else None
    try:
        found = json.loads(kept.read_text(encoding="utf-8")) if kept else {}
    except (OSError, ValueError):
        found = {}
    if found.get("code") == code:
        return found["names"]
    found = {kind: list(registry) for kind in REGISTRIES if (registry := _registry(kind)) is not None}
    if "encoder" in found:
        found["trainable encoder"] = [name for name, entry in _registry("encoder").items() if entry.trainable]
        found["small encoders"] = [name for name in found["encoder"] if name.startswith("small:")]
        ranking = package("experiments.rank")
        found["free encoders"] = ranking.default_encoders() if ranking else []
    if kept:
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            part = kept.with_name(f".{kept.name}.{os.getpid()}")
            part.write_text(json.dumps({"code": code, "names": found}), encoding="utf-8")
            os.replace(part, kept)
        except OSError:
            pass  # then it is made again
    return found


def refusal(kind: str, name: str) -> str:
    """Say why a name is none of this kind, "" if it is one; only names with a colon or @ need the registries."""
    known = names().get(kind)
    if kind == "trainable encoder":
        why = refusal("encoder", name)
        if why or known is None or name in known:
            return why
        if name not in names()["encoder"] and _registry("encoder")[name].trainable:
            return ""
        return f"{name!r} has no network that can be trained further; those that have: {', '.join(known)}"
    if known is None or name in known:
        return ""
    for prefix in PREFIXES[kind]:
        text = name.removeprefix(prefix)
        # Stored features may be in two files, and other names say more after an @.
        parts = (
            [text]
            if prefix == "folder:"
            else AFTER.sub("", text).split("+" if prefix == "features:" else "\n")
        )
        paths = [ROOT / Path(part).expanduser() for part in parts]
        if name.startswith(prefix) and (absent := [path for path in paths if not path.exists()]):
            return f"{name!r} is not there: no such path {absent[0]}"
        if name.startswith(prefix) and prefix == "folder:" and not paths[0].is_dir():
            return f"{name!r} must name a folder, {paths[0]} is a file"
    if ":" in name or "@" in name:
        try:
            _registry(kind)[name]
        except (KeyError, ValueError, RuntimeError, OSError) as error:
            return str(error)
        return ""
    path = ROOT / Path(name).expanduser()
    if kind == "data set" and ("/" in name or path.is_dir()):
        return f"{name!r} is a path; write folder:{name} for pictures of your own"
    return f"unknown {kind} {name!r}{close(name, known)}; known: {', '.join(sorted(known))}"


def versions(parameters: Any, download: bool = False) -> dict[str, str]:
    """Return the version of every data set and encoder, and the content of every folder of the project, that is named.

    Args:
        parameters: values of a notebook; names may stand anywhere in them, also as "reference > target".
        download: fetch what has no pinned version and is not here; otherwise it counts as "not here".

    Raises:
        Refused: a folder of the user's own cannot be used.
    """
    found, known = {}, {name for registered in names().values() for name in registered}
    for word in sorted(set(words(parameters))):
        name, version = word.removeprefix("folder:"), ""
        if word in known or ((":" in word or "@" in word) and known):
            with _offline(not download):
                version = _version(word)
        elif ("/" in word or name != word) and (ROOT / name).is_dir():
            version = _content(ROOT / name)
        found |= {name: version} if version else {}
    return found


def _version(word: str) -> str:
    """The version of a data set or encoder; "not here" where its files are missing, "" where the word names neither."""
    base: Any = package("_registry")
    for kind in REGISTRIES:
        try:
            return _registry(kind)[word].version
        except base.UnknownName:
            continue
        except (base.MissingAsset, ValueError, OSError) as error:
            if word.startswith(PREFIXES[kind]):
                raise Refused(f"{word}: {error}") from error
            return "not here" if isinstance(error, base.MissingAsset) else "cannot be read"
    return ""


def words(value: Any) -> Iterator[str]:
    """Yield every text in a parameter value, names of dicts included, with "a > b" taken apart."""
    if isinstance(value, str):
        yield from value.split(" > ")
    elif isinstance(value, dict | list):
        for item in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from words(item)


def _registry(kind: str) -> Any:
    """DATASETS or ENCODERS, or None in a project without them."""
    return getattr(package(), REGISTRIES[kind], None)


@contextmanager
def _offline(wanted: bool) -> Iterator[None]:
    """Let nothing be downloaded while a page is only looked at."""
    before = os.environ.get("TASKREL_OFFLINE")
    if wanted:
        os.environ["TASKREL_OFFLINE"] = "1"
    try:
        yield
    finally:
        if wanted:
            os.environ.pop("TASKREL_OFFLINE")
        if wanted and before is not None:
            os.environ["TASKREL_OFFLINE"] = before


def _content(folder: Path) -> str:
    """Hash of names and contents of the files in a folder of the project."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return total.hexdigest()
