"""Put the rows behind a page into ``book/results``: ``python notebooks/ship.py 06_tab_correlation [file name]``.

For rows too costly to compute in ``make reproduce``. The page must have run here; rows that it computed are taken from this
machine's cache, those that it found shipped keep their line. Rows that another file ships already are left to it.
"""

import json
import sys
from pathlib import Path

from runner.imports import ROOT
from runner.places import page_folder, stem_of

from taskrel_core import environment
from taskrel_core.experiments.store import RowStore

KEPT = ("commit", "python", "versions", "cpu", "device", "started")


def main(stem: str = "", name: str = "") -> int:
    """Ship the rows of a page to ``<name or stem>.jsonl`` and say how many; 1 if the page or a row is not there."""
    made = page_folder(stem, ROOT / "book") / f"{stem}.json"
    folder, name = ROOT / "book/results", name or stem_of(stem)
    if not made.exists():
        print(f"error: page {stem!r} has not run; make notebook NB={stem or 'NAME'}", file=sys.stderr)
        return 1
    page = json.loads(made.read_text(encoding="utf-8"))
    others = {key for path in _others(folder, name) for key in _keys(path)}
    keys = [key for key in page["row_keys"] if key not in others]
    store = RowStore(environment.cache_dir() / "rows", None)
    try:
        path = store.ship(name, keys, folder, {fact: page[fact] for fact in KEPT if fact in page})
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(
        f"{path.relative_to(ROOT)}: {len(keys)} rows, {len(page['row_keys']) - len(keys)} more in other files"
    )
    return 0


def _others(folder: Path, stem: str) -> list[Path]:
    return [path for path in sorted(folder.glob("*.jsonl")) if path.stem != stem]


def _keys(path: Path) -> list[str]:
    return [json.loads(line)["key"] for line in path.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
