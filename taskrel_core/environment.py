"""The only reader of the environment: every ``TASKREL_*`` variable."""

import difflib
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

BACKENDS = ("loky", "dask")
DEVICES = ("cpu", "cuda", "mps", "xpu")
TRUE, FALSE = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")
KNOWN = [
    f"TASKREL_{name}"
    for name in (
        *(
            "BACKEND",
            "CACHE",
            "DATA",
            "DEVICE",
            "FRESH",
            "JOBS",
            "OFFLINE",
            "RESULTS",
            "ROW_LOG",
            "SCHEDULER",
        ),
        *("PAGE_DIR", "PAGE_NAME", "ROOT"),  # of the notebooks and the book
    )
]
ROOT = Path(__file__).resolve().parents[1]


def cache_dir() -> Path:
    """Root of everything that can be computed or fetched again.

    ``TASKREL_CACHE``, where relative from the working directory; else ``.cache`` of the project's folder, or of the
    working directory where the package was installed without the project.
    """
    value = os.environ.get("TASKREL_CACHE")
    home = ROOT if (ROOT / "notebooks").is_dir() else Path()
    return (Path(value).expanduser() if value else home / ".cache").resolve()


def data_dir() -> Path | None:
    """Folder in which the user put files that no source delivers (``TASKREL_DATA``), or None."""
    return _path("TASKREL_DATA")


def results_dir() -> Path | None:
    """Folder of the rows that the project ships (``TASKREL_RESULTS``), or None."""
    return _path("TASKREL_RESULTS")


def row_log() -> Path | None:
    """File that collects the origin of every row looked up (``TASKREL_ROW_LOG``), or None."""
    return _path("TASKREL_ROW_LOG")


def device() -> str:
    """Where encoders run, heads are fitted and the method takes its steps (``TASKREL_DEVICE``, else ``cpu``).

    Raises:
        ValueError: it is no name of a device; whether the machine has it, ``check`` says.
    """
    value = os.environ.get("TASKREL_DEVICE") or "cpu"
    if not re.fullmatch(rf"({'|'.join(DEVICES)})(:\d+)?", value):
        raise ValueError(
            f"TASKREL_DEVICE must be one of {', '.join(DEVICES)}, or one with its number as in cuda:1, got {value!r}; "
            "a GPU of NVIDIA or AMD is cuda, and unset it is cpu"
        )
    return value


def backend() -> str:
    """What computes rows in parallel: ``TASKREL_BACKEND``, "loky" (processes of this machine) unless set.

    Raises:
        ValueError: it is none of those known.
    """
    value = os.environ.get("TASKREL_BACKEND") or "loky"
    if value not in BACKENDS:
        raise ValueError(
            f"TASKREL_BACKEND must be one of {', '.join(BACKENDS)}, got {value!r}; unset it for loky"
        )
    return value


def scheduler() -> str | None:
    """Address of a cluster that runs already (``TASKREL_SCHEDULER``, such as tcp://host:8786), or None."""
    return os.environ.get("TASKREL_SCHEDULER") or None


def jobs() -> int:
    """Rows computed at a time in one process (``TASKREL_JOBS``, else 1).

    Raises:
        ValueError: it is no whole number of at least 1.
    """
    value = os.environ.get("TASKREL_JOBS") or "1"
    if not re.fullmatch(r"\d{1,6}", value.strip()) or int(value) < 1:
        raise ValueError(
            f"TASKREL_JOBS must be a whole number of at least 1, got {value!r}; set it to a number of processes, or unset it"
        )
    return int(value)


def fresh() -> bool:
    """Whether shipped rows are computed again (``TASKREL_FRESH=1``)."""
    return _switch("TASKREL_FRESH")


def offline() -> bool:
    """Whether nothing is downloaded (``TASKREL_OFFLINE=1``)."""
    return _switch("TASKREL_OFFLINE")


def check() -> None:
    """Look at all variables at once, and at what they need, before anything is computed.

    Raises:
        ValueError: some cannot be used; one line each names the variable, what came and the way out.
    """
    complaints = []
    looks: tuple[Callable[[], Any], ...] = (jobs, backend, fresh, offline, _check_scheduler, _check_device)
    for look in (*looks, _check_data, _check_cache, _check_names):
        try:
            look()
        except ValueError as error:
            complaints.append(str(error))
    if complaints:
        raise ValueError("\n".join(complaints))


def _check_device() -> None:
    name = device()
    kind, _, number = name.partition(":")
    if kind == "cpu":
        return
    import torch  # here: the other variables need none

    try:
        module = torch.get_device_module(kind)
        there = module.is_available() and int(number or 0) < module.device_count()
    except (AttributeError, RuntimeError):
        there = False
    if not there:
        raise ValueError(
            f"TASKREL_DEVICE must be a device of this machine, got {name!r}, which torch {torch.__version__} does not "
            "find; unset it to compute on the CPU"
        )


def _check_scheduler() -> None:
    if scheduler() and os.environ.get("TASKREL_BACKEND", "loky") in ("", "loky"):
        raise ValueError(
            f"TASKREL_SCHEDULER needs a backend that has one, got {scheduler()!r} and no TASKREL_BACKEND; set "
            f"TASKREL_BACKEND={BACKENDS[1]}, or unset it"
        )


def _check_data() -> None:
    folder = data_dir()
    if folder is not None and not folder.is_dir():
        what = "a file" if folder.exists() else "no such folder"
        raise ValueError(
            f"TASKREL_DATA must be a folder with files of your own, got {str(folder)!r}, {what}; make it, or unset it"
        )


def _check_cache() -> None:
    folder = cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"TASKREL_CACHE must be a folder that can be written, got {str(folder)!r} ({error.strerror}); set it to one "
            "that can, or unset it for .cache in the project's folder"
        ) from error


def _check_names() -> None:
    for name in os.environ:
        near = difflib.get_close_matches(name, KNOWN, 1, 0.85)
        if name.startswith("TASKREL_") and name not in KNOWN and near:
            raise ValueError(
                f"{name} is no variable of this project; did you mean {near[0]}? Rename or unset it"
            )


def _path(name: str) -> Path | None:
    value = os.environ.get(name)
    return Path(value).expanduser().resolve() if value else None


def _switch(name: str) -> bool:
    value = os.environ.get(name, "").strip().lower()
    if value not in TRUE + FALSE:
        raise ValueError(f"{name} must be 1 or 0, got {value!r}; unset it for 0")
    return value in TRUE
