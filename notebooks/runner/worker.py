"""Run one notebook and put the page in place; ``command`` starts it and sends the job as a line of JSON."""

import json
import os
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
import papermill
from filelock import FileLock
from papermill.exceptions import PapermillExecutionError

from .imports import ROOT
from .pages import record, state, write_json
from .places import files_folder, page_folder
from .plan import Plan, make
from .provenance import how_made, record_of
from .reading import Refused

FOREIGN = (
    "PYTHONSAFEPATH",
    "PYTHONSTARTUP",
    "PYTHONWARNINGS",
    "PYTHONOPTIMIZE",
    "JUPYTER_PATH",
    "MPLBACKEND",
)
FOREIGN += ("MATPLOTLIBRC", "MPLCONFIGDIR")


def work(job: dict[str, Any]) -> dict[str, Any]:
    """Run the notebook unless another run has just done so; return {"ok", "text"}."""
    out, stem, name = Path(job["out"]), job["stem"], job["name"]
    run_dir = page_folder(name, out) / "_run"
    run_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(run_dir / f"{name}.lock"):
        p = None
        try:
            p = make(stem, job["profile"], values=job["given"])  # as things are now that it is our turn
            if not job["force"] and (now := state(p, out)) != "stale":
                if now == "prose":
                    _refresh(p, out)
                return {"ok": True, "text": "cached" if now == "current" else "cached, its prose renewed"}
            p = make(stem, job["profile"], values=job["given"], download=True)
            made = _execute(p, out, job)
        except Refused as error:
            return {"ok": False, "text": str(error)}
        except (PapermillExecutionError, RuntimeError, TimeoutError) as error:
            reason = _failure(p, out, error) if p else str(error)
            write_json(run_dir / f"{name}.failed.json", {"reason": reason})
            return {"ok": False, "text": f"notebooks/{stem}.py: {reason}"}
        for old in ("failed.json", "failed.ipynb"):
            (run_dir / f"{name}.{old}").unlink(missing_ok=True)
    rows = ", ".join(f"{number} {origin}" for origin, number in made["rows"].items())
    return {"ok": True, "text": f"done (rows: {rows})"}


def _execute(p: Plan, out: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Run the kernel; on success move the figures, the record and the page into place, the page last."""
    home = page_folder(p.name, out)
    part, began, started = home / "_run" / f"{p.name}.part.ipynb", time.monotonic(), datetime.now(UTC)
    with tempfile.TemporaryDirectory(dir=home / "_run", prefix=f"{p.name}.") as folder:
        pages, log = Path(folder) / "pages", Path(folder) / "rows.jsonl"
        pages.mkdir()
        _environment(p, pages, log, job)
        nb = _papermill(p, part)
        seen: dict[str, str] = {}
        for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else []:
            seen.setdefault(json.loads(line)["key"], json.loads(line)["origin"])
        made = record_of(p, seen, sorted(file.name for file in pages.iterdir()))
        made |= {
            "seconds": round(time.monotonic() - began, 1),
            "started": started.isoformat(timespec="seconds"),
        }
        target = files_folder(p.name, out)
        target.mkdir(parents=True, exist_ok=True)
        for file in pages.iterdir():
            os.replace(file, target / file.name)
    nb.metadata.pop("papermill", None)  # it holds this machine's paths
    nb.metadata["taskrel"] = made
    for cell in nb.cells[1:]:  # results first: code but the parameters is folded
        if cell.cell_type == "code" and not {"parameters", "injected-parameters"} & set(
            cell.metadata.get("tags", [])
        ):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-input"]
    nb.cells.append(nbformat.v4.new_markdown_cell(how_made(p, made), metadata={"tags": ["provenance"]}))
    write_json(home / f"{p.name}.json", made | {"row_keys": list(seen)})
    nbformat.write(nb, part)
    os.replace(part, home / f"{p.name}.ipynb")
    return made


def _papermill(p: Plan, part: Path) -> nbformat.NotebookNode:
    """Run the notebook; a kernel that does not start gets a second chance (two may have raced for a port)."""
    for attempt in (1, 2):
        try:
            return papermill.execute_notebook(
                p.notebook,
                str(part),
                parameters=p.injected,
                kernel_name="python3",
                language="python",
                cwd=str(ROOT),
                progress_bar=False,
            )
        except RuntimeError as error:
            if attempt == 2 or ("kernel_info" not in str(error) and "respond" not in str(error)):
                raise
    raise AssertionError("unreachable")


def _environment(p: Plan, pages: Path, log: Path, job: dict[str, Any]) -> None:
    """Set what the kernel inherits: where to put things, one thread per operation, nothing of another Python or profile."""
    for name in FOREIGN:
        os.environ.pop(name, None)
    share = str(max(1, (os.cpu_count() or 1) // job["jobs"]))  # of the cores, with the neighbours
    os.environ.setdefault("TASKREL_JOBS", share)
    os.environ.update(
        IPYTHONDIR=str(pages.parent / "ipython"),
        JUPYTER_PREFER_ENV_PATH="1",
        LOKY_MAX_CPU_COUNT=share,
        OMP_NUM_THREADS="1",
        PYDEVD_DISABLE_FILE_VALIDATION="1",
        PYTHONHASHSEED="0",
        PYTHONPATH=os.pathsep.join([str(ROOT / "notebooks"), str(ROOT)]),
        TASKREL_PAGE_DIR=str(pages),
        TASKREL_PAGE_NAME=p.stem,
        TASKREL_RESULTS=str(ROOT / "book" / "results"),
        TASKREL_ROW_LOG=str(log),
        TQDM_DISABLE="1",  # a bar would stay on the page
    )
    if job["fresh"]:
        os.environ["TASKREL_FRESH"] = "1"


def _failure(p: Plan, out: Path, error: Exception) -> str:
    """Keep the half-run copy under another name and say in one line what happened where."""
    folder = page_folder(p.name, out) / "_run"
    part, kept = (folder / f"{p.name}.{kind}.ipynb" for kind in ("part", "failed"))
    if part.exists():
        os.replace(part, kept)
    if not isinstance(error, PapermillExecutionError):
        return f"{type(error).__name__}: {' '.join(str(error).split())} (see {_shown(kept.with_name(f'{p.name}.log'))})"
    source = [cell.source for cell in p.notebook.cells if cell.cell_type == "code"]
    number = source.index(error.source) + 1 if error.source in source else "of the injected parameters"
    text = f"{error.ename}: {' '.join(str(error.evalue).split())}"
    return f"{text} (cell {number}; see {_shown(kept)})"


def _shown(path: Path) -> Path:
    """A path as one types it from the project's folder."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def _refresh(p: Plan, out: Path) -> None:
    """Put new prose around the outputs of the last run."""
    path = page_folder(p.name, out) / f"{p.name}.ipynb"
    old = nbformat.read(path, as_version=4)
    tagged = {tag: cell for cell in old.cells for tag in cell.metadata.get("tags", [])}
    ran = [
        c
        for c in old.cells
        if c.cell_type == "code" and "injected-parameters" not in c.metadata.get("tags", [])
    ]
    cells = []
    for cell in p.notebook.cells:
        cells.append(ran.pop(0) if cell.cell_type == "code" else cell)
        if "parameters" in cell.metadata.get("tags", []) and "injected-parameters" in tagged:
            cells.append(tagged["injected-parameters"])
    old.cells = [*cells, tagged["provenance"]]
    old.metadata["taskrel"] = made = {**record(p.name, out), "text": p.text}
    facts = path.with_name(f"{p.name}.json")  # it knows the keys of the rows, too
    write_json(facts, (json.loads(facts.read_text(encoding="utf-8")) if facts.exists() else {}) | made)
    part = path.parent / "_run" / f"{p.name}.part.ipynb"
    nbformat.write(old, part)
    os.replace(part, path)


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    line = sys.stdin.readline()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    print(json.dumps(work(json.loads(line))), flush=True)
