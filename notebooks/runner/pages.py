"""The executed pages on disk: their records, whether they are current, and what changed since."""

import csv
import json
import os
from pathlib import Path
from typing import Any

from .imports import ROOT
from .places import files_folder, page_folder, stem_of
from .plan import Plan, make
from .reading import Refused

# What a page of one's own is read for, in the order in which it is printed; the first name that a row has.
NUMBERS = {
    "bound": ("bound",),
    "chance": ("chance", "entropy"),
    "log K": ("log_k",),
    "certified": ("certified",),
    "loss": ("loss",),
    "best head": ("transferability",),
    "accuracy": ("accuracy",),
    "best head's accuracy": ("head_accuracy",),
}
MOST = 12  # rows whose numbers are printed


def record(name: str, out: Path) -> dict[str, Any]:
    """Return the provenance kept in an executed page, or an empty one."""
    path = page_folder(name, out) / f"{name}.ipynb"
    try:
        return json.loads(path.read_text(encoding="utf-8"))["metadata"]["taskrel"]
    except (FileNotFoundError, KeyError, json.JSONDecodeError):
        return {}


def state(plan: Plan, out: Path) -> str:
    """Return "current", "prose" (only text around the code changed), or "stale"."""
    old = record(plan.name, out)
    whole = all((files_folder(plan.name, out) / file).exists() for file in old.get("files", []))
    if old.get("key") != plan.key or not whole:
        return "stale"
    return "current" if old.get("text") == plan.text else "prose"


def reason(plan: Plan, out: Path) -> str:
    """Say in words which part of the key changed."""
    old = record(plan.name, out).get("parts")
    if old is None:
        return "no page yet"
    changed = []
    for part, value in json.loads(json.dumps(plan.parts)).items():
        before = old.get(part)
        if isinstance(value, dict) and isinstance(before, dict):
            names = [name for name in {**before, **value} if before.get(name) != value.get(name)]
            show = part == "parameters"
            changed += [
                f"{n} {before.get(n)!r} -> {value.get(n)!r}" if show else f"{part}: {n}" for n in names
            ]
        elif value != before:
            changed.append(part)
    words = {"current": "up to date", "prose": "only prose changed", "stale": "a figure file is missing"}
    return f"changed: {', '.join(changed)}" if changed else words[state(plan, out)]


def status(name: str, out: Path) -> dict[str, str]:
    """Say of a page, the book's or one's own, whether it is current, and if not, why."""
    old, why = record(name, out), "it was not asked for yet"
    if old:
        why = _changed(name, old, out)
        if why == "up to date":
            return {"state": "current", "reason": why}
    failure = page_folder(name, out) / "_run" / f"{name}.failed.json"
    if failure.exists():
        return {"state": "failed", "reason": json.loads(failure.read_text(encoding="utf-8"))["reason"]}
    return {"state": "older" if old else "not run", "reason": why}


def _changed(name: str, old: dict[str, Any], out: Path) -> str:
    """Say what changed since a page was made; the book's page has the parameters of its profile, whatever it was made with."""
    stem = stem_of(name)
    if not (ROOT / "notebooks" / f"{stem}.py").exists():
        return f"there is no notebook {stem} any more"
    try:
        plan = make(stem, old["profile"], values=None if name == stem else old["given"])
    except Refused as error:
        return str(error).splitlines()[0]
    return reason(plan, out) if plan.name == name else "its parameters are those of the book's page now"


def result(name: str, out: Path) -> list[str]:
    """Return what a page says, as lines for the terminal: its answer, the main numbers of its rows, where it is."""
    folder, stem, lines = files_folder(name, out), stem_of(name), []
    glue = folder / f"glue.{stem}.json"
    said = json.loads(glue.read_text(encoding="utf-8")) if glue.exists() else {}
    asked = ("answer",) if "answer" in said else ("ours", "verdict")
    lines += [said[glued] for glued in asked if glued in said]
    table = folder / f"rows.{stem}.csv"
    if table.exists():
        with open(table, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        lines += [_numbers(row) for row in rows[:MOST] if "bound" in row]
        lines += [f"and {len(rows) - MOST} more rows in {table}"] if len(rows) > MOST else []
    return [*lines, f"page: {page_folder(name, out) / f'{name}.ipynb'}"]


def _numbers(row: dict[str, str]) -> str:
    """One row: what it is of, and its main numbers."""
    what = " > ".join(row[name] for name in ("reference", "target") if row.get(name))
    given = [f"{name} {row[name]}" for name in ("encoder", "tau", "mode", "labels", "seed") if row.get(name)]
    found = {
        label: next((row[name] for name in names if row.get(name)), "") for label, names in NUMBERS.items()
    }
    return f"{', '.join([what, *given])}: {', '.join(f'{k} {_short(v)}' for k, v in found.items() if v)}"


def _short(text: str) -> str:
    """Three decimals of a number; other text as it is, but yes and no."""
    try:
        return f"{float(text):.3f}"
    except ValueError:
        return {"True": "yes", "False": "no"}.get(text, text)


def write_json(path: Path, value: Any) -> None:
    """Write so that a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    os.replace(part, path)
