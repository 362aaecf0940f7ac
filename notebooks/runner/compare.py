"""Two runs of one notebook side by side: their parameters, and the numbers of their files, line by line.

Lines belong together by their texts (reference, target, cost, ...), seed and draw; what is left is compared, also numbers
inside texts, such as intervals.
"""

import io
import json
import re
import zipfile
from collections.abc import Container
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

from .places import files_folder, own_runs, page_folder
from .reading import Refused, close

LAYOUTS = (("executed", "_generated"), ("pages", "figures"), ("book/executed", "book/_generated"))
ORDER = ("seed", "draw", "part")  # numbers that say which line it is
NEVER = re.compile(r"seconds|per minute|_mb$|against one|^(origin|profile|cpu|device)$")  # of machine and day
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
Lines = dict[tuple, dict[str, Any]]  # each by its texts and its place among lines with the same


@dataclass(frozen=True)
class Run:
    """What a run left: its record, and the folder of its files (which may be in a zip)."""

    name: str
    record: dict[str, Any]
    folder: Path | zipfile.Path

    @cached_property
    def glued(self) -> dict[str, str]:
        """The texts that the page quotes, by name."""
        path = self.folder / f"glue.{self.record['stem']}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def table(self, file: str) -> pd.DataFrame:
        """Return one of the files of numbers."""
        return pd.read_csv(io.StringIO((self.folder / file).read_text(encoding="utf-8")), low_memory=False)


def of_book(name: str, out: Path) -> Run | None:
    """Return a page's run in the book's folder ``out``, None where it was not run."""
    path = page_folder(name, out) / f"{name}.json"
    if not path.exists():
        return None
    return Run(name, json.loads(path.read_text(encoding="utf-8")), files_folder(name, out))


def find(word: str, out: Path, stem: str = "") -> Run:
    """Return the run that a user named.

    Args:
        word: a page of the book ``out`` by name or number, one of your own, or a folder or an archive of another book.
        out: the book's folder.
        stem: the notebook that is looked for in another book.

    Raises:
        Refused: there is no such run.
    """
    book = {path.stem for path in (out / "executed").glob("[0-9]*.json")}
    name = Path(word).name if not Path(word).is_dir() else word
    name = re.sub(r"\.(py|ipynb|html|json)$", "", name)
    found = {one for one in book | {*own_runs(out)} if one == name} or {
        one for one in book if one[:2] == name
    }
    run = of_book(found.pop(), out) if found else None
    if run is not None:
        return run
    if Path(word).expanduser().exists():
        return _elsewhere(Path(word).expanduser(), stem)
    known = [*sorted(book), *own_runs(out)]
    listing = "\n  ".join(known) or "none: make notebook NB=..."
    raise Refused(f"there is no run {word!r}{close(word, known)}; runs here are\n  {listing}")


def _elsewhere(path: Path, stem: str) -> Run:
    """The run of a notebook in the folder or the archive (``make archive``) of another book."""
    place = zipfile.Path(path) if zipfile.is_zipfile(path) else path
    for pages, files in LAYOUTS:
        record = place / pages / f"{stem}.json"
        if stem and record.exists():
            return Run(str(path), json.loads(record.read_text(encoding="utf-8")), place / files)
    raise Refused(
        f"{path} holds no run of {stem or 'a notebook'}; name a page and the folder or archive of another book, "
        "as in A=03_fig_small_gap B=/path/to/book"
    )


def settings(a: Run, b: Run) -> dict[str, tuple[Any, Any]]:
    """Return the parameters, the profile among them, that differ."""
    first, second = (run.record["parameters"] for run in (a, b))
    names = dict.fromkeys([*first, *second])
    return {n: (first.get(n), second.get(n)) for n in names if first.get(n) != second.get(n)}


def files(a: Run, b: Run) -> list[str]:
    """Return the files of numbers that both have."""
    return sorted(name for name in {*a.record["files"]} & {*b.record["files"]} if name.endswith(".csv"))


def matched(a: pd.DataFrame, b: pd.DataFrame, setting: Container[str]) -> tuple[list[str], Lines, Lines]:
    """Return the columns that say what a line is of, and the lines of both tables by these; no columns of machine and day.

    Args:
        a: a table.
        b: the same of the other run.
        setting: parameters that differ; a column of that name does not say which lines belong together.
    """
    columns = [name for name in a if name in b and name not in setting and not NEVER.search(name)]
    said = [name for name in columns if name in ORDER or (_is_text(a[name]) and _is_text(b[name]))]
    names = [
        name for name in said if len({*a[name].astype(str), *b[name].astype(str)}) > 1
    ]  # not what all have
    tables = []
    for table in (a, b):
        keys = table[names].astype(str)
        place = keys.groupby(names).cumcount() if names else pd.Series(range(len(table)), table.index)
        index = keys.assign(**{"": place}).itertuples(index=False, name=None)
        rest = table.loc[:, [name for name in columns if name not in said]]
        tables.append(dict(zip(index, rest.to_dict("records"), strict=True)))
    return names, *tables


def _is_text(column: Any) -> bool:
    """Whether a column holds words: none of its cells is a number, or begins with one."""
    words = column.dropna().astype(str)
    return not is_numeric_dtype(column) and not words.str.match(r"\W*\d").any()


def numbers(cell: Any) -> list[tuple[float, float]]:
    """Return the numbers in a cell, each with the unit of its last place: 0 where it is not rounded."""
    if isinstance(cell, str):
        return [(float(text), _unit(text)) for text in NUMBER.findall(cell)]
    return [] if pd.isna(cell) else [(float(cell), 0.0)]


def _unit(text: str) -> float:
    mantissa, _, power = text.partition("e")
    return 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
