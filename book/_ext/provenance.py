"""The directives ``{provenance}``, from pages to rows to files, and ``{recorded}``, prose with numbers of the runs.

Both are made from the records that ``notebooks/run.py`` keeps beside the executed notebooks.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ledger import FromPages, shipped_rows

from taskrel_core import DATASETS, ENCODERS
from taskrel_core.encoders.small import PREFIX

PAGES = (
    "| page | seeds | rows | of them shipped in | data sets and encoders |\n| --- | --- | --- | --- | --- |\n"
)
NONE = "–"  # of a file of one's own
NOT_FREE = "non-commercial|CC BY-NC|for research"
FILES = "| file | version (sha256) | licence | pages |\n| --- | --- | --- | --- |\n"


class Provenance(FromPages):
    """Two tables: what each page was made from, and which pages each file went into."""

    def text(self, source: Path) -> str:
        made, shipped = records(source), shipped_rows(source)
        if not made:
            return "No notebook was run for this copy of the book."
        pages = "\n".join(_page(record, shipped) for record in made)
        files = _stacked(f"{FILES}{_files(made, shipped)}")
        return f"{_stacked(f'{PAGES}{pages}')}\n\nAnd from each file to the pages:\n\n{files}"


class Recorded(FromPages):
    """Text with ``<name>`` replaced by a number of ``totals``."""

    has_content = True

    def text(self, source: Path) -> str:
        known = totals(records(source), shipped_rows(source))
        return re.sub(r"<([a-z]+)>", lambda found: known[found[1]], "\n".join(self.content))


def records(source: Path) -> list[dict[str, Any]]:
    """Return what the runner kept of each page, in the order of their names."""
    return [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted((source / "executed").glob("*.json"))
    ]


def totals(made: list[dict[str, Any]], shipped: dict[str, str]) -> dict[str, str]:
    """Return numbers of all runs together, as text.

    Args:
        made: records of the pages.
        shipped: file of each shipped row.
    """
    keys = {key for record in made for key in record["row_keys"]}
    names = {name: licence_of(name) for record in made for name in record["parts"]["data"]}
    names = {name: text for name, text in names.items() if text != NONE}  # folders of files are neither
    return {
        "pages": str(len(made)),
        "rows": f"{len(keys):,}",
        "shipped": f"{len(keys & shipped.keys()):,}",
        "minutes": f"{sum(record['seconds'] for record in made) / 60:.0f}",
        "memory": f"{max((record['peak_memory_mb'] for record in made), default=0) / 1000:.1f}",
        "machines": "; ".join(dict.fromkeys(record["cpu"] for record in made)) or "none",
        "seeds": _joined(_seeds(*made)),
        "single": _joined(_link(record) for record in made if len(_seeds(record)) == 1),
        "files": str(len(names)),
        "unlicensed": _together(name for name, text in names.items() if "none stated" in text),
        "noncommercial": _together(name for name, text in names.items() if re.search(NOT_FREE, text)),
    }


def licence_of(name: str) -> str:
    """Return the licence of a data set or an encoder, as its registry states it; a dash for a file of one's own."""
    for registry in (DATASETS, ENCODERS):
        if name in list(registry):
            return registry[name].licence
    return NONE


def _page(record: dict[str, Any], shipped: dict[str, str]) -> str:
    """One page's line."""
    stem, keys = record["stem"], record["row_keys"]
    where = Counter(shipped[key] for key in keys if key in shipped)
    kept = f"rows.{stem}.csv"
    rows = f"{{download}}`{len(keys)} <_generated/{kept}>`" if kept in record["files"] else str(len(keys))
    shown = _joined(f"`{name}` ({number})" for name, number in where.items())
    cells = [
        _link(record),
        _joined(_seeds(record)),
        rows,
        shown,
        _together(record["parts"]["data"]),
    ]
    return f"| {' | '.join(cells)} |"


def _files(made: list[dict[str, Any]], shipped: dict[str, str]) -> str:
    """The lines of the files: shipped rows, data sets, encoders."""
    found: dict[str, tuple[str, str, list[str]]] = {}
    for record in made:
        parts = record["parts"]
        used = {shipped[key] for key in record["row_keys"] if key in shipped} & set(parts["shipped rows"])
        versions = {name: parts["shipped rows"][name] for name in sorted(used)} | parts["data"]
        for name, version in versions.items():
            licence = "MIT (this project)" if name in used else licence_of(name)
            found.setdefault(name, (version[:12], licence, []))[2].append(_link(record))
    return "\n".join(
        f"| `{name}` | `{version}` | {licence} | {_joined(pages)} |"
        for name, (version, licence, pages) in found.items()
    )


def _stacked(table: str) -> str:
    """A table whose rows are blocks on a phone."""
    return f":::{{table}}\n:class: stack\n\n{table}\n:::"


def _link(record: dict[str, Any]) -> str:
    return f"{{doc}}`{record['stem'][:2]} <executed/{record['stem']}>`"


def _seeds(*made: dict[str, Any]) -> list[int]:
    """All seeds of some pages."""
    values = [value for record in made for value in record["seeds"].values()]
    return sorted({seed for value in values for seed in (value if isinstance(value, list) else [value])})


def _together(names: Iterable[str]) -> str:
    """Names of data sets and encoders, small encoders but counted where there are several."""
    names = list(names)
    small = [name for name in names if name.startswith(PREFIX)]
    if len(small) < 2:
        return _joined(f"`{name}`" for name in names)
    others = [f"`{name}`" for name in names if name not in small]
    return _joined([*others, f"{len(small)} {{ref}}`small encoders <small-encoders>`"])


def _joined(words: Iterable[Any]) -> str:
    return ", ".join(map(str, words)) or "none"


def setup(app: Any) -> dict[str, bool]:
    app.add_directive("provenance", Provenance)
    app.add_directive("recorded", Recorded)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
