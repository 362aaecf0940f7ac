"""What a notebook shows on its page: numbered figures and tables with their data as files, and numbers for prose.

Figures are files and a MyST ``{figure}``, so that other pages can refer to them (``{numref}`fig-<name>```). In Jupyter, and
where the notebook is run as a script, they are shown as they are, and the files go to ``.cache/by-hand``.
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import myst_nb
import numpy as np
import pandas as pd
from IPython import get_ipython
from IPython.display import Markdown, display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from taskrel_core.analysis import verdicts

ROOT = Path(__file__).resolve().parents[1]
LONG = 14  # rows of a table that are all seen
FIRST = 9  # rows of a longer one that are seen until the others are asked for
if "TASKREL_PAGE_DIR" not in os.environ:  # not the runner: what it sets, for this kernel
    os.environ.setdefault("TASKREL_RESULTS", str(ROOT / "book" / "results"))
    if Path.cwd() == ROOT / "notebooks":
        os.chdir(ROOT)


def figure(
    axes: Axes | np.ndarray, name: str, table: pd.DataFrame | None = None, *, alt: str, caption: str
) -> None:
    """Write the figure as SVG, PDF and PNG, its data as CSV, and show it numbered, as ``fig-<name>``.

    Args:
        axes: one or several of the figure; saved with a transparent ground, so that it suits light and dark pages.
        name: letters, digits and hyphens; unique in the book.
        table: the tidy table that was drawn, or None.
        alt: what one sees, for those who do not see it.
        caption: MyST text under the figure.

    Raises:
        ValueError: alt or caption is empty, or the name has other characters.
    """
    _check(name, caption)
    caption = caption[:1].upper() + caption[1:]
    if len(alt.split()) < 3:
        raise ValueError(f"alt must describe the figure in words, got {alt!r}; say what one sees")
    fig, folder = np.ravel(np.asarray(axes, dtype=object))[0].figure, _folder()
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": name}):
        for kind, how in (
            ("svg", {"transparent": True, "metadata": {"Date": None}}),
            ("pdf", {"facecolor": "white", "metadata": {"CreationDate": None}}),
            ("png", {"facecolor": "white"}),
        ):
            part = folder / f".{name}.{kind}.part"
            fig.savefig(part, format=kind, dpi=200, bbox_inches="tight", **how)
            os.replace(part, folder / f"{name}.{kind}")
    links = [f"{{download}}`{kind.upper()} <../_generated/{name}.{kind}>`" for kind in ("svg", "pdf", "png")]
    links.append(f"{{explore}}`{_page()}`")
    if table is not None:
        links.insert(0, _csv(table, name))
    show = _show if _on_page() else _by_hand(fig, f"{_line(caption)} (figure: {folder / name}.png)")
    show(
        f":::{{figure}} ../_generated/{name}.svg\n:name: fig-{name}\n:alt: {_line(alt)}\n:class: ink\n\n"
        f"{_line(caption)} ({', '.join(links)})\n:::"
    )
    mpl.pyplot.close(fig)


def table(
    frame: pd.DataFrame,
    name: str,
    caption: str,
    floatfmt: str = "{:.3f}",
    *,
    data: pd.DataFrame | None = None,
    file: str | None = None,
    fold: slice | None = None,
) -> None:
    """Write the table as ``tab-<name>.csv`` and show it numbered, as ``tab-<name>``.

    Args:
        frame: shown without its index; text cells and headings are MyST, so maths works.
        name: letters, digits and hyphens; unique in the book.
        caption: MyST text above the table.
        floatfmt: how numbers with a fraction are shown; missing ones are a dash.
        data: what the file holds, where that is more than is shown.
        file: its name without the ending, where it is not ``tab-<name>``.
        fold: rows that a browser shows when they are asked for; of more than 14 rows, those from the tenth on.
            ``slice(8, -1)`` leaves the first eight and the last in view, ``slice(0, 0)`` all.

    Raises:
        TypeError: fold is no slice of whole numbers.
        ValueError: caption is empty, the name has other characters, or the fold leaves no row in view.
    """
    _check(name, caption)
    folded = _folded(fold, len(frame))

    def cell(value: Any) -> str:
        if pd.api.types.is_scalar(value) and pd.isna(value):
            return "–"
        text = floatfmt.format(value) if isinstance(value, float) else str(value)
        text = re.sub(r"(\[[-+\d.]+),\s+(?=[-+\d.]+\])", r"\1,&nbsp;", text)  # an interval stays on one line
        return _line(re.sub(r"^-(0(\.0*)?)$", r"\1", text)).replace(
            "|", r"\|"
        )  # no minus before a rounded zero

    right = [is_numeric_dtype(kind) and not is_bool_dtype(kind) for kind in frame.dtypes]
    head = "| " + " | ".join(cell(column) for column in frame.columns) + " |"
    rule = "| " + " | ".join("---:" if number else "---" for number in right) + " |"
    rows = ["| " + " | ".join(cell(value) for value in row) + " |" for row in frame.itertuples(index=False)]
    lines = "\n".join([head, rule, *rows])
    # Not under the bare name: a figure may have the same, and other data.
    link = _csv(frame if data is None else data, file or f"tab-{name}")
    text = f"{_line(caption)} ({link})"
    show = _show if _on_page() else _by_hand(frame, _line(caption))
    options = f":name: tab-{name}\n" + (f":class: {folded}\n" if folded else "")
    show(f":::{{table}} {text}\n{options}\n{lines}\n:::")


def slider(frame: pd.DataFrame, name: str) -> None:
    """Write the table as ``<name>.csv`` and, in the book, show its numbers under a slider for tau.

    Args:
        frame: columns tau, pair, chance, best head, and one for the bound under each cost.
        name: letters, digits and hyphens; unique in the book.
    """
    _check(name, name)
    _csv(frame, name)
    if _on_page():
        _show(f":::{{slider}} ../_generated/{name}.csv\n:::")


def glue(name: str, text: str) -> None:
    """Keep a formatted number, so that prose on any page can quote it: ``{glue}`executed/NB.ipynb::name```.

    Raises:
        TypeError: text is not a string: another page cannot format it.
    """
    if not isinstance(text, str):
        raise TypeError(
            f"text must be a formatted string, got {type(text).__name__} {text!r}; write f'{{value:.2f}}'"
        )
    if _on_page():
        myst_nb.glue(name, _Plain(text), display=False)
    else:
        print(f"{name}: {text}")
    path = _folder() / f"glue.{_page()}.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    _write(path, json.dumps({**known, name: text}, indent=1, ensure_ascii=False) + "\n")


def verdict(found: str | dict[str, str], rule: str) -> None:
    """Keep the verdict of the page and the rule behind it.

    Args:
        found: one of the seven verdicts, or one for each aspect.
        rule: in words, when each verdict is given.

    Raises:
        ValueError: a verdict is none of the seven, or the rule is empty.
    """
    text = found if isinstance(found, str) else verdicts.joined(found)
    verdicts.split(text)
    if not rule.strip():
        raise ValueError("rule must not be empty; say in words when each verdict is given")
    glue("rule", _line(rule))
    glue("verdict", text)


def rows(frame: pd.DataFrame) -> None:
    """Keep the rows behind the page as CSV, so that the explore page offers them, and as JSON lines.

    Args:
        frame: rows of experiments, or of scores (then with the accuracies ``fine_tuned`` and ``probe`` beside them).
    """
    _write(_folder() / f"rows.{_page()}.csv", frame.to_csv(index=False))
    _write(_folder() / f"rows.{_page()}.jsonl", frame.to_json(orient="records", lines=True))


class _Plain(str):
    """Text whose representation has no quotes, since that is what glue shows."""

    __slots__ = ()
    __repr__ = str.__str__


def _check(name: str, caption: str) -> None:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ValueError(f"name must be small letters, digits and single hyphens, got {name!r}")
    if not caption.strip():
        raise ValueError("caption must not be empty; say what the figure or table shows")


def _folded(fold: slice | None, rows: int) -> str:
    """Return the class that tells the browser which of the rows to fold; "" where it is to fold none.

    A run with other parameters may have fewer rows: a fold beyond them folds nothing.
    """
    if fold is None:
        fold = slice(FIRST, None) if rows > LONG else slice(0, 0)
    way_out = "write slice(8, -1), or slice(0, 0) to fold nothing"
    if not isinstance(fold, slice):
        raise TypeError(f"fold must be a slice of rows, got {type(fold).__name__} {fold!r}; {way_out}")
    if not all(end is None or type(end) is int for end in (fold.start, fold.stop)):
        raise TypeError(f"fold must begin and end at whole numbers, got {fold}; {way_out}")
    if fold.step not in (None, 1):
        raise ValueError(f"fold must be rows that follow each other, got {fold}; {way_out}")
    start, stop, _ = fold.indices(rows)
    if 0 < rows == stop - start:
        raise ValueError(f"fold must leave a row in view, got {fold} of {rows} rows; {way_out}")
    return f"fold-{start}-{stop}" if start < stop else ""


def _csv(table: pd.DataFrame, name: str) -> str:
    """Write the data and return the link."""
    _write(_folder() / f"{name}.csv", table.to_csv(index=False))
    return f"{{download}}`data as CSV <../_generated/{name}.csv>`"


def _line(text: str) -> str:
    return " ".join(text.split())


def _show(text: str) -> None:
    display(Markdown(text))


def _on_page() -> bool:
    """Whether the runner makes a page of this, which the book's builder will read."""
    return "TASKREL_PAGE_DIR" in os.environ


def _by_hand(thing: Figure | pd.DataFrame, caption: str) -> Callable[[str], None]:
    """Return what shows a figure or a table without the book: in Jupyter as such, on a terminal as text."""

    def show(_: str) -> None:
        if get_ipython() is not None:
            display(thing, Markdown(caption))
        elif isinstance(thing, pd.DataFrame):
            print(f"\n{caption}\n{thing.to_string(index=False)}\n")
        else:
            print(caption)

    return show


def _page() -> str:
    """Name of the notebook, which the runner says."""
    return os.environ.get("TASKREL_PAGE_NAME", "notebook")


def _folder() -> Path:
    """Where the files go: the runner says; by hand, where the book does not look."""
    folder = Path(os.environ.get("TASKREL_PAGE_DIR") or ROOT / ".cache" / "by-hand")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)
