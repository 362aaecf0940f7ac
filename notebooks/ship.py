"""Put the rows behind a page into ``book/results``: ``python notebooks/ship.py 06_tab_correlation``.

For rows too dear to compute in ``make reproduce``. The page must have run here, so that its rows are in this machine's
cache; each line says where it comes from. Rows that another file ships already are left to it.
"""

import json
import sys
from pathlib import Path

from runner.plan import ROOT

from taskrel_core import config
from taskrel_core.store import RowStore

KEPT = ("commit", "python", "versions", "cpu", "device", "started")


def main(stems: list[str]) -> int:
    """Ship the rows of each page and say how many; 1 if a page or a row is not there."""
    folder = ROOT / "book/results"
    for stem in stems:
        made = ROOT / f"book/executed/{stem}.json"
        if not made.exists():
            print(f"error: page {stem} has not run; make notebook NB={stem}", file=sys.stderr)
            return 1
        page = json.loads(made.read_text(encoding="utf-8"))
        others = {key for path in _others(folder, stem) for key in _keys(path)}
        keys = [key for key in page["row_keys"] if key not in others]
        store = RowStore(config.cache_dir() / "rows", None)
        try:
            path = store.ship(stem, keys, folder, {name: page[name] for name in KEPT if name in page})
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
    sys.exit(main(sys.argv[1:]))
