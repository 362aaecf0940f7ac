"""Files and rows by their content: keys, sha256, and atomic writes."""

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that replaces it at the end, or is deleted if an error comes first."""
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


def content_key(fields: Mapping[str, Any]) -> str:
    """Return the sha256, 64 hex digits, of ``fields`` as JSON with sorted names.

    Args:
        fields: everything that determines a result; JSON values, tuples and numpy scalars. Order is irrelevant.

    Raises:
        TypeError: a value has no JSON form.
        ValueError: a number is not finite.
    """
    return hashlib.sha256(canonical_json(fields, "fields").encode()).hexdigest()


def canonical_json(value: Any, name: str) -> str:
    """The JSON of a value, the same for the same content: sorted names, no blanks, numpy scalars as plain numbers."""
    try:
        return json.dumps(
            value, sort_keys=True, separators=(",", ":"), default=partial(_plain, name), allow_nan=False
        )
    except ValueError as error:
        raise ValueError(
            f"{name} must hold finite numbers, got {value!r}; write None for a missing value"
        ) from error


def _plain(name: str, item: Any) -> Any:
    if hasattr(item, "item") and getattr(item, "ndim", None) == 0:
        return item.item()
    raise TypeError(
        f"{name} must hold JSON values, got {type(item).__name__} {item!r}; turn it into numbers, text or lists"
    )
