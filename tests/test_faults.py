"""What a reproducer's machine can do to a run: nothing lost, nothing mixed, nothing executed, each a clear message.

The other faults have tests beside what they hit; ``FAULTS`` lists all of them, and the status page shows the list.
"""

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from taskrel_core.assets.content import content_key, read_arrays, write_arrays
from taskrel_core.experiments.store import RowStore
from tests.notebooks.test_runner import HEAD, PARAMETERS, edit, page, project, run, start  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]
FAULTS = yaml.safe_load((ROOT / "tests/faults.yml").read_text())
KEY = content_key({"a": 1})
SLOW = """
# %%
import pathlib
import time

from runner_rows import put

for k in range(40):
    put(k)
    time.sleep(0.02)
pathlib.Path("ended").touch()
"""
ROWS = f"""
import pathlib
import sys

sys.path.insert(0, {str(ROOT)!r})
from taskrel_core.assets.content import content_key
from taskrel_core.experiments.store import RowStore

def put(k):
    store, key = RowStore(pathlib.Path("rows")), content_key({{"k": k}})
    if store.find(key) is None:
        store.put(key, {{"k": k}})
"""


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f["fault"][:40])
def test_each_fault_has_a_test_of_its_name(fault):
    file, name = fault["test"].split("::")
    assert f"def {name}(" in (ROOT / "tests" / file).read_text(), f"no test {name} in {file}"


@pytest.mark.parametrize("turn", range(3))
def test_kill_9_at_a_random_moment_loses_nothing(project, turn):  # noqa: F811
    (project / "notebooks/01_tab_first.py").write_text(HEAD + PARAMETERS + SLOW)
    (project / "notebooks/runner_rows.py").write_text(ROWS)
    for name in ("Makefile", "pyproject.toml", "install.py", "requirements.sha256"):
        shutil.copy(ROOT / name, project)
    for name in (
        "stamp",
        "fetched",
    ):  # all is installed and fetched; one page without a book stands for the book
        (project / name).write_text("")
    venv = f"VENV={Path(sys.executable).parents[1]}"
    command = ["make", venv, "STAMP=stamp", "FETCHED=fetched", "BUILD=:", "reproduce"]
    environment = {**os.environ, "PYTHONPATH": str(project / "notebooks")}
    first = subprocess.Popen(
        command, cwd=project, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    time.sleep(random.Random(seed).uniform(0.5, 9))
    os.killpg(first.pid, signal.SIGKILL)  # make, the runner, all at once
    first.wait()
    time.sleep(1)  # notebooks run in sessions of their own and end with the runner
    kept = sorted((project / "rows").glob("*/*.json"))
    before = {path: path.read_bytes() for path in kept}
    for path in kept:
        RowStore(project / "rows").find(path.stem)  # whole
    assert not list((project / "book/executed").glob("*.ipynb")) or page(project)["metadata"]["taskrel"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert page(project)["metadata"]["taskrel"]
    assert len(list((project / "rows").glob("*/*.json"))) == 40
    assert {path: path.read_bytes() for path in kept} == before
    assert not list((project / "book").rglob("*.part*"))


def limited(bytes_: int):
    """Make writes beyond a size fail, as they do on a full disk."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))

    return limit


def test_a_full_disk_leaves_the_old_file_and_no_half_one(tmp_path):
    path = tmp_path / "it.npz"
    write_arrays(path, {"x": np.arange(10)})
    code = (
        "import sys, numpy as np, pathlib; from taskrel_core.assets.content import write_arrays; "
        "write_arrays(pathlib.Path(sys.argv[1]), {'x': np.zeros(10**6)})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=ROOT,
        preexec_fn=limited(100_000),
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "File too large" in done.stderr
    np.testing.assert_array_equal(read_arrays(path)["x"], np.arange(10))
    assert [p.name for p in tmp_path.iterdir()] == ["it.npz"]


def test_a_really_full_file_system_is_told_and_the_run_goes_on_after_room_was_made(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = shutil.which("mount") and os.geteuid() == 0
    if (
        not mounted
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(small)]).returncode
    ):
        pytest.skip("a small file system can be mounted by root only")
    try:
        (small / "filler").write_bytes(bytes(200 * 1024))
        with pytest.raises(OSError, match="No space left"):
            write_arrays(small / "it.npz", {"x": np.zeros(10**5)})
        assert [p.name for p in small.iterdir()] == ["filler"]
        (small / "filler").unlink()
        write_arrays(small / "it.npz", {"x": np.zeros(10)})
        assert read_arrays(small / "it.npz")["x"].shape == (10,)
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_cache_is_named(tmp_path):
    store = RowStore(tmp_path / "rows")
    store.put(KEY, {"a": 1})
    for folder in (tmp_path / "rows", tmp_path / "rows" / KEY[:2]):
        folder.chmod(0o500)
    assert store.find(KEY) is not None
    with pytest.raises(PermissionError, match="rows"):
        store.put(content_key({"a": 2}), {"a": 2})


def test_a_cache_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "rows").write_text("a file where the folder should be")
    with pytest.raises((NotADirectoryError, FileExistsError), match="rows"):
        RowStore(tmp_path / "rows").put(KEY, {"a": 1})


def test_a_clock_that_went_back_changes_nothing(project):  # noqa: F811
    assert run(project).returncode == 0
    old = time.time() - 10 * 365 * 86400
    for path in project.rglob("*"):
        if path.is_file():
            os.utime(path, (old, old))
    again = run(project)
    assert "1 of 1 pages cached, 0 to run" in again.stdout  # keys are of contents
    edit(project / "notebooks/01_tab_first.py", "{n} {tau}", "{n}, {tau}")
    os.utime(project / "notebooks/01_tab_first.py", (old - 1, old - 1))
    assert "0 of 1 pages cached, 1 to run" in run(project).stdout  # an older time does not hide a change


def test_two_runs_at_once_of_the_whole_book_make_each_page_once(project):  # noqa: F811
    shutil.copy(project / "notebooks/01_tab_first.py", project / "notebooks/02_tab_second.py")
    runs = [start(project), start(project)]
    outputs = [process.communicate(timeout=120)[0] for process in runs]
    assert [process.returncode for process in runs] == [0, 0], outputs
    assert sum(text.count(" done (") for text in outputs) == 2
    assert sorted(path.name for path in (project / "book/executed").glob("*.ipynb")) == [
        "01_tab_first.ipynb",
        "02_tab_second.ipynb",
    ]
