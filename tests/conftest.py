"""The book under test: all notebooks in the smoke profile and the pages built from them, once for all workers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("TASKREL_JOBS", "1")  # rows of the smoke profile are smaller than a process's start


@pytest.fixture(scope="session")
def smoke_folder(tmp_path_factory):
    """Where the smoke profile's pages go; one folder for all workers of a test run."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "book"


@pytest.fixture(scope="session")
def book(smoke_folder):
    """The built book of the smoke profile, a folder of html."""
    smoke_folder.mkdir(exist_ok=True)
    with FileLock(smoke_folder.with_suffix(".lock")):
        for command in (["notebooks/run.py", "--profile", "smoke", "--jobs", "1"], ["book/build.py"]):
            done = subprocess.run(
                [sys.executable, *command, "--out", str(smoke_folder)],
                cwd=ROOT,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stdout + done.stderr
    return smoke_folder / "_build" / "html"
