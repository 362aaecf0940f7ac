"""What is kept of a run, and the folded note about it at the end of a page."""

import os
import platform
import re
import resource
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import assets
from .imports import ROOT
from .plan import Plan
from .reading import literal

SHOWN = ("profile", "key", "commit", "seeds", "rows", "seconds", "memory", "started")


SHOWN += ("python", "versions", "device", "cpu")


def record_of(p: Plan, seen: dict[str, str], files: list[str]) -> dict[str, Any]:
    """What is kept of a run: what it depended on, the origin of its rows, the machine."""
    origins, parameters = list(seen.values()), p.parts["parameters"]
    return {
        "stem": p.stem,
        "key": p.key,
        "text": p.text,
        "parts": p.parts,
        "profile": p.profile,
        "parameters": parameters,
        "given": p.given,
        "seeds": {n: v for n, v in parameters.items() if "seed" in n},
        "peak_memory_mb": _peak_memory_mb(),
        "rows": {origin: origins.count(origin) for origin in ("computed", "cached", "shipped")},
        "files": files,
        **_machine(),
        "device": _devices(list(seen)),
    }


def how_made(p: Plan, made: dict[str, Any]) -> str:
    """The end of a page: its parameters, and a fold that says how it was made."""
    lines = ["```{list-table}", ":class: provenance", ":header-rows: 1", ""]
    lines += ["* - parameter", "  - meaning", "  - value", "  - allowed"]
    for name, one in p.declared.items():
        rule = f"{one.hint}, {one.rule}" if one.rule else one.hint
        lines += [f"* - {literal(name)}", f"  - {_plain(one.meaning)}"]
        lines += [f"  - {literal(made['parameters'][name])}", f"  - {literal(rule)}"]
    lines += ["```", ""]
    lines += ["````{dropdown} How this page was made", "```{list-table}", ":class: provenance"]
    shown = made | {"key": made["key"][:16], "memory": f"peak {made['peak_memory_mb']} MB"}
    for name in SHOWN:
        value = shown[name]
        if isinstance(value, dict):
            value = ", ".join(f"{part} {item}" for part, item in value.items()) or "none"
        lines += [f"* - {name}", f"  - {literal(value)}"]
    return "\n".join([*lines, "```", "````"])


def _plain(text: str) -> str:
    """Text of a comment without markup, on one line."""
    return re.sub(r"([\\`*_{}\[\]<>$|#~^])", r"\\\1", " ".join(text.split()))


def _commit() -> tuple[str, str]:
    """The commit of this project and what was changed since; nothing where it is no repository of its own."""

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True).stdout.strip()

    try:
        top = git("rev-parse", "--show-toplevel")
        if not top or Path(top).resolve() != ROOT:  # a copy unpacked inside another repository
            return "", ""
        changed = git("status", "--porcelain", "taskrel_core", "notebooks", "requirements.lock")
        return git("rev-parse", "--short=10", "HEAD"), changed
    except FileNotFoundError:
        return "", ""


def _machine() -> dict[str, Any]:
    """Versions, commit and processor; nothing that names the machine."""
    commit, changed = _commit()
    cpu, info = platform.processor() or platform.machine(), Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line
        ]
        cpu = names[0] if names else cpu
    return {
        "commit": (commit or "unknown") + (", with changes" if changed.strip() else ""),
        "dirty": bool(changed.strip()),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("torch", "POT", "numpy", "scipy", "scikit-learn")},
        "cpu": f"{cpu}, {os.cpu_count()} cores",
        "system": platform.system(),
    }


def _devices(keys: list[str]) -> str:
    """Where the rows of a page were computed, also those from the cache; of a page without rows, where it ran."""
    module, environment = assets.package("experiments.store"), assets.package("environment")
    if environment is None:
        return "cpu"
    if module is None or not keys:
        return environment.device()
    store = module.RowStore(environment.cache_dir() / "rows", environment.results_dir())
    found = [store.device(key) or "not recorded" for key in keys]
    counts = {name: found.count(name) for name in dict.fromkeys(found)}
    return ", ".join(f"{name} ({n} rows)" for name, n in counts.items()) if len(counts) > 1 else found[0]


def _peak_memory_mb() -> int:
    """Largest resident memory of the kernel."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / unit)
