"""``python -m taskrel_core [NAME ...]``: fetch data sets and weights, say where each came from or why it is missing.

With ``--needed`` it fetches what the words name, ignores words that name nothing, and prints one list of what is missing.
"""

import logging
import sys
import time
from typing import Any

from tqdm import tqdm

from ._registry import MissingAsset, UnknownName
from .data.datasets import DATASETS
from .encoders.base import ENCODERS
from .encoders.checkpoints import PublishedFile

# Hundreds of megabytes that the embedded profile does not need.
ASKED_FOR = tuple(name for name in DATASETS if DATASETS[name].on_request)


class _Listener(logging.Handler):
    """Remembers what was fetched last, and from where."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message."""
        self.last = record.getMessage()


def main(names: list[str]) -> int:
    """Fetch the named assets; return 1 if one that is not optional is missing.

    By default all but ASKED_FOR and the large weights of publications.
    """
    if names[:1] == ["--needed"]:
        return _needed(names[1:])
    weights = [name for name, encoder in ENCODERS.items() if encoder.file]
    packaged = [name for name in weights if not isinstance(ENCODERS[name], PublishedFile)]
    unknown = [name for name in names if _fetch(name) is None]
    if unknown:
        known = ", ".join(sorted([*DATASETS, *weights]))
        sys.stderr.write(f"unknown asset {unknown[0]!r}; known: {known}\n")
        return 2
    heard = _Listener()
    logging.getLogger("taskrel_core.assets").addHandler(heard)
    logging.getLogger("taskrel_core.assets").setLevel(logging.INFO)
    missing = []
    for name in names or [*(name for name in DATASETS if name not in ASKED_FOR), *packaged]:
        started = time.perf_counter()
        heard.last = "at hand"
        try:
            _fetch(name)()
        except MissingAsset as error:
            missing.append(name)
            sys.stdout.write(f"{name:20} missing{' (optional)' if _optional(name) else ''}\n{error}\n")
        else:
            sys.stdout.write(f"{name:20} ready    {time.perf_counter() - started:5.1f} s  {heard.last}\n")
        sys.stdout.flush()
    return int(any(not _optional(name) for name in missing))


def _optional(name: str) -> bool:
    """Whether no package carries it: torchvision downloads it, or it is a file that you put down."""
    return name in DATASETS and DATASETS[name].optional


def _fetch(name: str) -> Any:
    """What brings an asset to this machine, or None where the name is none."""
    if name in DATASETS:
        return DATASETS[name].fetch
    try:
        return ENCODERS[name].path if ENCODERS[name].file else None
    except UnknownName:
        return None


def _needed(words: list[str]) -> int:
    """Fetch the assets among the words; return 2, with one list, if any is missing."""
    missing = {}
    for name in tqdm(list(dict.fromkeys(words)), desc="assets", leave=False):
        try:
            fetch = _fetch(name)
            if fetch is not None:
                fetch()
        except (MissingAsset, ValueError) as error:
            missing[name] = str(error)
    if missing:
        sys.stderr.write(f"{len(missing)} of the assets that this profile needs are missing:\n")
        sys.stderr.writelines(f"\n* {name}: {text}\n" for name, text in missing.items())
        sys.stderr.write("\nPut them where each line says, and run the same command again.\n")
    return 2 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
