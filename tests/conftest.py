"""The book under test: all notebooks in the smoke profile and the pages built from them, once for all workers."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from filelock import FileLock
from jaxtyping import install_import_hook

# Types and shapes are checked at each call, in every module: so this comes before anything of the package is imported.
assert "taskrel_core" not in sys.modules
install_import_hook("taskrel_core", "beartype.beartype")

collect_ignore = ["book/validate_crate.py"]  # a script that is run where its validator is installed

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("TASKREL_JOBS", "1")  # rows of the smoke profile are smaller than a process's start


FAULTS = {entry["test"] for entry in yaml.safe_load((ROOT / "tests/faults.yml").read_text())}
OUTCOMES: dict[str, str] = {}


def pytest_runtest_logreport(report):
    """Remember how the tests of faults end; one that has several cases passes if none fails."""
    test = report.nodeid.removeprefix("tests/").partition("[")[0].partition("@")[0]
    if test in FAULTS and (report.when == "call" or report.outcome != "passed"):
        worse = ["passed", "skipped", "failed"]
        OUTCOMES[test] = max(OUTCOMES.get(test, "passed"), report.outcome, key=worse.index)


def pytest_sessionfinish(session):
    """Keep the outcomes for the status page; with several workers, only their controller has them all."""
    if OUTCOMES and not os.environ.get("PYTEST_XDIST_WORKER"):
        path = ROOT / "book/executed/_run/faults.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        old = json.loads(path.read_text()) if path.exists() else {}
        day = time.strftime("%Y-%m-%d")
        new = old | {test: f"{outcome} on {day}" for test, outcome in OUTCOMES.items()}
        path.with_suffix(".part").write_text(json.dumps(new, indent=1))
        path.with_suffix(".part").replace(path)


@pytest.fixture(scope="session")
def smoke_folder(tmp_path_factory):
    """Where the smoke profile's pages go; one folder for all workers of a test run."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "book"


def made(folder, *commands):
    """Run commands that write into a folder; return what they said, and the first exit code that is not 0."""
    said = ""
    for command in commands:
        words = [sys.executable, *command, "--out", str(folder)]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
        said += done.stdout + done.stderr
        if done.returncode != 0:
            return done.returncode, said
    return 0, said


PAGES = ["notebooks/run.py", "--profile", "smoke", "--jobs", "2"]


@pytest.fixture(scope="session")
def smoke_pages(smoke_folder):
    """Exit code and words of the run that made the smoke profile's pages; the first worker that asks makes them."""
    smoke_folder.mkdir(exist_ok=True)
    kept = smoke_folder / "said.json"
    with FileLock(smoke_folder.with_suffix(".lock")):
        if not kept.exists():
            kept.write_text(json.dumps(made(smoke_folder, PAGES)))
        return json.loads(kept.read_text())


@pytest.fixture(scope="session")
def book(smoke_folder, smoke_pages):
    """The built book of the smoke profile, a folder of html."""
    code, said = smoke_pages
    own = [*PAGES, "--only", "13", "--set", "tau=0.5"]  # a page with parameters of one's own
    with FileLock(smoke_folder.with_suffix(".lock")):
        code, said = (code, said) if code else made(smoke_folder, own, ["book/build.py"])
    assert code == 0, said
    return smoke_folder / "_build" / "html"
