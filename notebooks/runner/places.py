"""Where pages lie in a book's folder: the book's own, and those with parameters of one's own.

A run with parameters that differ from the profile's is a page beside the book's, never instead of it. Its name is the
notebook's, the beginning of its parameters and a hash of them all, with ``--`` between.
"""

from pathlib import Path

OWN = "--"  # in no notebook's name


def stem_of(name: str) -> str:
    """Return the notebook of a page."""
    return name.partition(OWN)[0]


def page_folder(name: str, out: Path) -> Path:
    """Return where a page and its record lie in the book's folder ``out``."""
    return out / ("runs" if OWN in name else "executed")


def files_folder(name: str, out: Path) -> Path:
    """Return where the figures, tables and glued texts of a page lie."""
    return out / "runs" / name if OWN in name else out / "_generated"


def own_runs(out: Path) -> list[str]:
    """Return the names of the pages with parameters of one's own."""
    return sorted(path.stem for path in (out / "runs").glob(f"*{OWN}*.ipynb"))


def published_folder(out: Path) -> Path:
    """Return the book's folder without runs of one's own: ``out`` where there are none, else that of a copy."""
    return out / "_build/published" if own_runs(out) else out
