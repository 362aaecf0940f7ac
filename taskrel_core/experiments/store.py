"""Rows of results by content key: the cache of this machine first, then the rows that the project ships.

A row is a flat mapping of JSON values. Its key is a hash of everything that determines it, so a stale row cannot
be found, and equal experiments of two notebooks are computed once.
"""

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from .. import environment
from ..assets.content import canonical_json, content_key


class RowStore:
    """Rows by content key, one file per row in ``cache``, read-only JSON lines in ``shipped``.

    Args:
        cache: folder of this machine's rows; made when the first row is put.
        shipped: folder of tracked ``*.jsonl`` files, one ``{"key", "row", "provenance", "sha256"}`` a line.
        fresh: ignore shipped rows, so that they are computed again.
        log: file that gets one line ``{"key", "origin"}`` for every row found or put; origin is "computed",
            "cached" or "shipped".
    """

    def __init__(
        self, cache: Path, shipped: Path | None = None, fresh: bool = False, log: Path | None = None
    ):
        self.cache = Path(cache)
        self._shipped_folder = None if fresh or shipped is None else Path(shipped)
        self._shipped: dict[str, dict[str, Any]] | None = None
        self._entries: dict[str, dict[str, Any]] = {}  # shipped rows with their provenance
        self._log = log

    def find(self, key: str) -> tuple[dict[str, Any], str] | None:
        """Return the row and its origin, "cached" or "shipped", or None if it must be computed.

        Raises:
            ValueError: the file that should hold the row is damaged.
        """
        path = self._path(key)
        try:
            found = _verified(path.read_bytes(), key, f"row {path}"), "cached"
        except FileNotFoundError:
            row = self.shipped().get(key)
            if row is None:
                return None
            found = dict(row), "shipped"
        self.note(key, found[1])
        return found

    def device(self, key: str) -> str | None:
        """Return where a row of the cache, else a shipped one, was computed, or None where that was not recorded."""
        path = self._path(key)
        if path.exists():
            entry = _parsed(path.read_bytes(), f"row {path}")
        else:
            self.shipped()  # reads the entries
            entry = self._entries.get(key, {})
        return entry.get("provenance", {}).get("device")

    def holds(self, key: str) -> bool:
        """Return whether the cache has a file for ``key``; it is not read."""
        return self._path(key).exists()

    def put(self, key: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """Keep ``row`` under ``key`` and return it as ``find`` will: numpy scalars and tuples as JSON values.

        Raises:
            TypeError: a value has no JSON form.
            ValueError: a number is not finite; a missing value is None.
        """
        text = _entry(key, row, {"device": environment.device()})
        _write(self._path(key), text)
        self.note(key, "computed")
        return json.loads(text)["row"]

    def ship(self, name: str, keys: Iterable[str], shipped: Path, provenance: Mapping[str, Any]) -> Path:
        """Write the cached rows of ``keys`` to ``<shipped>/<name>.jsonl``, in that order, and return the path.

        A row that the cache lacks, or holds as the file has it already, keeps its line and where it came from.

        Args:
            name: what the rows are, the file's stem.
            keys: content keys, all of them in the cache or in that file.
            shipped: the tracked folder.
            provenance: where the rows come from (commit, versions, machine), kept on every line.

        Raises:
            ValueError: a row is in neither, or a file is damaged.
        """
        target, lines = Path(shipped) / f"{name}.jsonl", []
        before = _lines(target)
        for key in keys:
            path = self._path(key)
            if path.exists():
                row = _verified(path.read_bytes(), key, f"row {path}")
                same = key in before and before[key][0]["row"] == row
                lines.append(before[key][1] if same else _entry(key, row, provenance))
            elif key in before:
                lines.append(before[key][1])
            else:
                raise ValueError(
                    f"keys must all be in the cache {self.cache} or in {target}, got {key}; compute that row first"
                )
        _write(target, "".join(lines))
        return target

    def shipped(self) -> dict[str, dict[str, Any]]:
        """Return all shipped rows by key, an empty mapping if there are none or ``fresh`` was asked for."""
        if self._shipped is None:
            self._shipped = {}
            files = sorted(self._shipped_folder.glob("*.jsonl")) if self._shipped_folder else []
            for path in files:
                for key, (entry, _) in _lines(path).items():
                    self._shipped[key], self._entries[key] = entry["row"], entry
        return self._shipped

    def _path(self, key: str) -> Path:
        if len(key) != 64 or set(key) - set("0123456789abcdef"):
            raise ValueError(f"key must be 64 hex digits, got {key!r}; make it with content_key")
        return self.cache / key[:2] / f"{key}.json"

    def note(self, key: str, origin: str) -> None:
        """Add a line to the log, if there is one; for a row that another process has put."""
        if self._log is not None:
            # One short write in append mode: lines of several processes do not mix.
            with open(self._log, "ab", buffering=0) as file:
                file.write((json.dumps({"key": key, "origin": origin}) + "\n").encode())


def tidy(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows as a table, one line per row, columns in order of first appearance.

    Raises:
        ValueError: the rows come from several profiles, so that numbers of different size would stand side by side.
    """
    rows = [dict(row) for row in rows]
    profiles = sorted({str(row["profile"]) for row in rows if row.get("profile") is not None})
    if len(profiles) > 1:
        raise ValueError(
            f"rows must come from one profile, got {', '.join(profiles)}; run them all in one of these"
        )
    return pd.DataFrame(rows)


def _entry(key: str, row: Mapping[str, Any], provenance: Mapping[str, Any] | None = None) -> str:
    """The line of one row; the checksum covers key and row, not the provenance."""
    plain = json.loads(canonical_json(dict(row), "row"))
    ordered = {name: plain[name] for name in row}
    checksum = content_key({"key": key, "row": plain})
    extra = {} if provenance is None else {"provenance": dict(provenance)}
    return json.dumps({"key": key, "row": ordered, **extra, "sha256": checksum}) + "\n"


def _parsed(text: bytes, where: str) -> dict[str, Any]:
    try:
        entry = json.loads(text)
    except ValueError:  # not JSON, or not UTF-8
        entry = None
    if not isinstance(entry, dict) or not isinstance(entry.get("row"), dict):
        raise ValueError(
            f"{where} is damaged (no JSON entry with a row); delete it and run again to compute it once more"
        )
    return entry


def _verified(text: bytes, key: str, where: str) -> dict[str, Any]:
    """The row in ``text``, once its checksum and key are those expected."""
    return _checked(_parsed(text, where), key, where)["row"]


def _checked(entry: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    """The entry itself, once its checksum and key are those expected."""
    is_ = content_key({"key": entry.get("key"), "row": entry["row"]})
    if entry.get("key") != key or entry.get("sha256") != is_:
        raise ValueError(
            f"{where} is damaged (sha256 {is_}, expected {entry.get('sha256')}); "
            "delete it and run again to compute it once more"
        )
    return entry


def _lines(path: Path) -> dict[str, tuple[dict[str, Any], str]]:
    """The entries of a shipped file by key, each with its line; none where there is no file."""
    found = {}
    for number, line in enumerate(path.read_bytes().splitlines() if path.exists() else [], 1):
        where = f"line {number} of {path}"
        entry = _parsed(line, where)
        key = str(entry.get("key"))
        found[key] = _checked(entry, key, where), line.decode() + "\n"
    return found


def _write(path: Path, text: str) -> None:
    """Write so that a reader sees the old file or the whole new one, even if this process is killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
