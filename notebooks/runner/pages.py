"""The executed pages on disk: their records, whether they are current, and what changed since."""

import json
import os
from pathlib import Path
from typing import Any

from .plan import Plan, Refused, make


def record(stem: str, out: Path) -> dict[str, Any]:
    """Return the provenance kept in an executed page, or an empty one."""
    path = out / "executed" / f"{stem}.ipynb"
    try:
        return json.loads(path.read_text(encoding="utf-8"))["metadata"]["taskrel"]
    except (FileNotFoundError, KeyError, json.JSONDecodeError):
        return {}


def state(plan: Plan, out: Path) -> str:
    """Return "current", "prose" (only text around the code changed), or "stale"."""
    old = record(plan.stem, out)
    whole = all((out / "_generated" / name).exists() for name in old.get("files", []))
    if old.get("key") != plan.key or not whole:
        return "stale"
    return "current" if old.get("text") == plan.text else "prose"


def reason(plan: Plan, out: Path) -> str:
    """Say in words which part of the key changed."""
    old = record(plan.stem, out).get("parts")
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


def status(stem: str, out: Path) -> dict[str, str]:
    """What the status page says of a notebook: is its page current, and if not, why."""
    old, why = record(stem, out), "it was not asked for yet"
    if old:
        try:
            why = reason(make(stem, old["profile"], values=old["given"]), out)
        except Refused as error:
            why = str(error).splitlines()[0]
        if why == "up to date":
            return {"state": "current", "reason": why}
    failure = out / "executed/_run" / f"{stem}.failed.json"
    if failure.exists():
        return {"state": "failed", "reason": json.loads(failure.read_text(encoding="utf-8"))["reason"]}
    return {"state": "older" if old else "not run", "reason": why}


def write_json(path: Path, value: Any) -> None:
    """Write so that a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    os.replace(part, path)
