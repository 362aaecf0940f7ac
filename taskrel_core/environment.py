"""The only reader of the environment: every ``TASKREL_*`` variable."""

import os
from pathlib import Path

__all__ = [
    "backend",
    "cache_dir",
    "data_dir",
    "device",
    "fresh",
    "jobs",
    "results_dir",
    "row_log",
    "scheduler",
]


BACKENDS = ("loky", "dask")


def cache_dir() -> Path:
    """Root of everything that can be computed or fetched again (``TASKREL_CACHE``, else ``.cache``)."""
    return Path(os.environ.get("TASKREL_CACHE") or ".cache").expanduser().resolve()


def data_dir() -> Path | None:
    """Folder in which the user put files that no source delivers (``TASKREL_DATA``), or None."""
    value = os.environ.get("TASKREL_DATA")
    return Path(value).expanduser().resolve() if value else None


def device() -> str:
    """Where encoders run, heads are fitted and the method takes its steps (``TASKREL_DEVICE``, else ``cpu``)."""
    return os.environ.get("TASKREL_DEVICE") or "cpu"


def results_dir() -> Path | None:
    """Folder of the rows that the project ships (``TASKREL_RESULTS``), or None."""
    value = os.environ.get("TASKREL_RESULTS")
    return Path(value).expanduser().resolve() if value else None


def fresh() -> bool:
    """Whether shipped rows are computed again (``TASKREL_FRESH=1``)."""
    return os.environ.get("TASKREL_FRESH", "").strip().lower() not in ("", "0", "no", "false")


def row_log() -> Path | None:
    """File that collects the origin of every row looked up (``TASKREL_ROW_LOG``), or None."""
    value = os.environ.get("TASKREL_ROW_LOG")
    return Path(value).expanduser().resolve() if value else None


def backend() -> str:
    """What computes rows in parallel: ``TASKREL_BACKEND``, "loky" (processes of this machine) unless set.

    Raises:
        ValueError: it is none of those known.
    """
    value = os.environ.get("TASKREL_BACKEND") or "loky"
    if value not in BACKENDS:
        raise ValueError(f"TASKREL_BACKEND must be one of {', '.join(BACKENDS)}, got {value!r}")
    return value


def scheduler() -> str | None:
    """Address of a cluster that runs already (``TASKREL_SCHEDULER``, such as tcp://host:8786), or None."""
    return os.environ.get("TASKREL_SCHEDULER") or None


def jobs() -> int:
    """Rows computed at a time in one process (``TASKREL_JOBS``, else 1)."""
    return int(os.environ.get("TASKREL_JOBS") or 1)
