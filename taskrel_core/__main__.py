"""``python -m taskrel_core [NAME ...]``: fetch data sets and weights, say where each came from or why it is missing.

With ``--needed`` it fetches what the words name, ignores words that name nothing, and prints one list of what is missing.

Exit codes: 0 all is here; 1 something that was asked for by name, or that a package carries, is missing or cannot be
used; 2 a name is unknown, or with --needed something is missing.
"""

import argparse
import logging
import sys
import time
from typing import Any

from tqdm import tqdm

from . import environment
from ._registry import MissingAsset, UnknownName, did_you_mean
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


def main(words: list[str]) -> int:
    """Fetch the named assets, by default all but ASKED_FOR, opt-in and large published weights; return the exit code."""
    args = _parser().parse_args(words)
    try:
        environment.check()
    except ValueError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    if args.needed:
        return _needed(args.names)
    weights = [name for name, encoder in ENCODERS.items() if encoder.file]
    known = sorted([*DATASETS, *ENCODERS])
    try:
        fetches = {name: _fetch(name) for name in args.names}
    except (MissingAsset, ValueError, OSError) as error:  # a folder or file of the user's own
        sys.stderr.write(f"error: {error}\n")
        return 1
    for name in (name for name, fetch in fetches.items() if fetch is None):
        if name in ENCODERS:
            sys.stderr.write(f"{name!r} has no file to fetch: it is made from code\n")
        else:
            sys.stderr.write(
                f"unknown asset {name!r}{did_you_mean(name, known)}; known: {', '.join(known)}\n"
            )
        return 2
    packaged = [
        name for name in weights if not (isinstance(ENCODERS[name], PublishedFile) or ENCODERS[name].opt_in)
    ]
    names = args.names or [*(name for name in DATASETS if name not in ASKED_FOR), *packaged]
    missing = [name for name in names if not _brought(name, bool(args.names))]
    return int(any(args.names or not _optional(name) for name in missing))


def _parser() -> argparse.ArgumentParser:
    about, _, codes = (__doc__ or "").partition("Exit codes:")
    parser = argparse.ArgumentParser(
        "python -m taskrel_core",
        description=about.splitlines()[0].partition(": ")[2].capitalize(),
        epilog=f"Exit codes: {' '.join(codes.split())}",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a data set, an encoder, or folder:PATH")
    parser.add_argument(
        "--needed", action="store_true", help="ignore words that name nothing; list what is missing"
    )
    return parser


def _brought(name: str, by_name: bool) -> bool:
    """Fetch one asset, print where it came from or why it is missing, and return whether it is here."""
    heard, log = _Listener(), logging.getLogger("taskrel_core.assets")
    heard.last = "at hand"
    log.addHandler(heard)
    log.setLevel(logging.INFO)
    started = time.perf_counter()
    try:
        _fetch(name)()
    except (MissingAsset, ValueError, OSError) as error:
        optional = " (optional)" if _optional(name) and not by_name else ""
        sys.stdout.write(f"{name:20} missing{optional}\n{error}\n")
        return False
    else:
        sys.stdout.write(f"{name:20} ready    {time.perf_counter() - started:5.1f} s  {heard.last}\n")
        return True
    finally:
        log.removeHandler(heard)
        sys.stdout.flush()


def _optional(name: str) -> bool:
    """Whether no package carries it: torchvision downloads it, or it is a file that you put down."""
    return name in DATASETS and DATASETS[name].optional


def _fetch(name: str) -> Any:
    """What brings an asset to this machine, or None where the name is none."""
    if name in DATASETS or name.startswith("folder:"):
        return DATASETS[name].fetch
    try:
        return ENCODERS[name].path if ENCODERS[name].file else lambda: None  # made from code
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
