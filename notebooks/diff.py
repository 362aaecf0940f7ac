"""Say whether two runs of a notebook agree: ``python notebooks/diff.py 03_fig_small_gap OTHER``; 1 if they do not.

OTHER is a run of your own by its name, or the folder or the archive of another book. Tolerances are those by which rows
of another machine are judged: numbers with a standard error beside them may differ by three standard errors of the
difference, scores of other metrics by 0.1 %, everything else by 1 %; a rounded number by one unit of its last place
more. Seconds and memory are not compared.
"""

import argparse
import sys
from math import hypot
from pathlib import Path
from typing import Any

import pandas as pd
from runner import compare
from runner.compare import Run
from runner.imports import ROOT
from runner.reading import Refused, written

from taskrel_core.experiments.scoring import FORMS, SCORES

SOLVED = (
    "log_tau",
    "reference_accuracy",
)  # searched to 1 %; a few samples on the other side of a head within its gap
OTHER_SCORES = {name for name in SCORES if name not in FORMS}
MOST = 20  # differences that are printed


def main(arguments: list[str]) -> int:
    """Print what differs and return 0 if the runs agree, 1 if not, 2 if there are no two such runs."""
    parser = argparse.ArgumentParser("diff.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", default=str(ROOT / "book"), help="the book's folder (default: book)")
    parser.add_argument("runs", nargs=2, help="a page, a run of your own, another book's folder or archive")
    args = parser.parse_args(arguments)
    out, words = Path(args.out).resolve(), args.runs
    try:
        if not all(words):
            raise Refused("name two runs: make diff A=03_fig_small_gap B=...")
        a, b = _found(words, out)
    except Refused as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    settings = compare.settings(a, b)
    for label, run in (("A", a), ("B", b)):
        print(f"{label}: {run.name}, commit {run.record['commit']}, made {run.record['started'][:16]}")
        print(f"   {run.glued.get('ours', run.glued.get('answer', ''))}")
    for name, values in settings.items():
        print(f"{name}: {' | '.join(written(value) for value in values)}")
    seen, found = 0, []
    for file in compare.files(a, b):
        count, lines = differences(a.table(file), b.table(file), settings)
        seen, found = seen + count, [*found, *(f"{file}: {line}" for line in lines)]
    verdicts = [run.glued.get("verdict", "none") for run in (a, b)]
    found += [f"verdict: {' | '.join(verdicts)}"] if verdicts[0] != verdicts[1] else []
    print("\n".join(found[:MOST]), end="\n" if found else "")
    more = f", of which {MOST} are shown" if len(found) > MOST else ""
    print(f"{seen} numbers compared; {len(found)} differences beyond the tolerances{more}")
    return 1 if found else 0


def _found(words: list[str], out: Path) -> list[Run]:
    """The two runs; one that is named as a folder or an archive is of the other's notebook."""
    stem = ""
    for word in words:
        try:
            stem = stem or compare.find(word, out).record["stem"]
        except Refused:
            continue
    runs = [compare.find(word, out, stem) for word in words]
    stems = [run.record["stem"] for run in runs]
    if stems[0] != stems[1]:
        raise Refused(f"A and B must be runs of one notebook, got {stems[0]} and {stems[1]}")
    return runs


def differences(a: pd.DataFrame, b: pd.DataFrame, settings: dict) -> tuple[int, list[str]]:
    """Return how many numbers two tables have in common, and a line for each that differs by more than it may."""
    _, one, other = compare.matched(a, b, settings)
    alone = {"A": one.keys() - other.keys(), "B": other.keys() - one.keys()}
    found = [f"{len(keys)} lines only in {label}" for label, keys in alone.items() if keys]
    count = 0
    for key in filter(other.__contains__, one):
        left, right = one[key], other[key]
        for column in left:
            these, those = compare.numbers(left[column]), compare.numbers(right[column])
            count += min(len(these), len(those))
            near = len(these) == len(those) and all(
                abs(x - y) <= tolerance(column, left, right, x, y) + 1.001 * max(unit, other)
                for (x, unit), (y, other) in zip(these, those, strict=True)
            )
            if not near:
                where = ", ".join(map(str, [*key[:-1], *([key[-1]] if key[-1] else []), column]))
                found.append(f"{where}: {_shown(left[column])} | {_shown(right[column])}")
    return count, found


def tolerance(column: str, left: dict[str, Any], right: dict[str, Any], x: float, y: float) -> float:
    """Return how far two values of a column may be apart."""
    errors = [row.get(f"{column}_se") for row in (left, right)]
    if all(error is not None and pd.notna(error) for error in errors):
        return 3 * hypot(*map(float, errors))
    if column in SOLVED:
        return 0.01
    return (1e-3 if column in OTHER_SCORES else 1e-2) * max(abs(x), abs(y), 1e-3)


def _shown(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
