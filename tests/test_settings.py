"""The environment that a run gets: TASKREL variables that cannot be used, one cache, and what make clears."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import torch
from jupyter_client.manager import start_new_kernel

from taskrel_core import __main__, environment
from tests.notebooks.test_runner import page, project, run  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]
NO_CUDA = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
WRONG = [
    ("TASKREL_JOBS", "x", "TASKREL_JOBS must be a whole number of at least 1, got 'x'"),
    ("TASKREL_JOBS", "0", "TASKREL_JOBS must be a whole number of at least 1, got '0'"),
    ("TASKREL_JOBS", "1.5", "TASKREL_JOBS must be a whole number of at least 1, got '1.5'"),
    ("TASKREL_DEVICE", "gpu", "TASKREL_DEVICE must be one of cpu, cuda, mps, xpu, or one with its number"),
    ("TASKREL_DEVICE", "cuda:x", "TASKREL_DEVICE must be one of cpu, cuda, mps, xpu, or one with its number"),
    pytest.param(
        *("TASKREL_DEVICE", "cuda", "TASKREL_DEVICE must be a device of this machine, got 'cuda'"),
        marks=NO_CUDA,
    ),
    ("TASKREL_DEVICE", "cuda:97", "TASKREL_DEVICE must be a device of this machine, got 'cuda:97'"),
    ("TASKREL_CACHE", "/proc/x", "TASKREL_CACHE must be a folder that can be written, got '/proc/x'"),
    (
        "TASKREL_CACHE",
        __file__,
        f"TASKREL_CACHE must be a folder that can be written, got '{__file__}' (File exists)",
    ),
    ("TASKREL_CACHE", f"{__file__}/c", "TASKREL_CACHE must be a folder that can be written"),
    (
        "TASKREL_DATA",
        "/nowhere",
        "TASKREL_DATA must be a folder with files of your own, got '/nowhere', no such folder",
    ),
    (
        "TASKREL_DATA",
        __file__,
        f"TASKREL_DATA must be a folder with files of your own, got '{__file__}', a file",
    ),
    ("TASKREL_BACKEND", "slurm", "TASKREL_BACKEND must be one of loky, dask, got 'slurm'"),
    (
        "TASKREL_SCHEDULER",
        "tcp://host:1",
        "TASKREL_SCHEDULER needs a backend that has one, got 'tcp://host:1'",
    ),
    ("TASKREL_FRESH", "maybe", "TASKREL_FRESH must be 1 or 0, got 'maybe'"),
    ("TASKREL_DEVCE", "cuda", "TASKREL_DEVCE is no variable of this project; did you mean TASKREL_DEVICE?"),
]


@pytest.mark.parametrize(("name", "value", "message"), WRONG)
def test_a_variable_that_cannot_be_used_is_refused_by_name(monkeypatch, name, value, message):
    for known in ("TASKREL_BACKEND", "TASKREL_SCHEDULER"):
        monkeypatch.delenv(known, raising=False)
    environment.check()
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError) as caught:
        environment.check()
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) > len(message) or "did you mean" in message  # the way out


def test_all_complaints_come_at_once_and_before_anything_runs(project):  # noqa: F811
    shutil.copy(ROOT / "taskrel_core/environment.py", project / "taskrel_core")
    wrong = {"TASKREL_JOBS": "x", "TASKREL_DATA": "/nowhere", "TASKREL_CACHE": "/proc/x"}
    done = run(project, env={**os.environ, **wrong})
    assert done.returncode == 2
    assert [line.split()[0] for line in done.stderr.removeprefix("error: ").splitlines()] == [
        "TASKREL_JOBS",
        "TASKREL_DATA",
        "TASKREL_CACHE",
    ]
    assert not (project / "book/executed").exists()
    done = run(project, "-j", "x")
    assert (done.returncode, "JOBS must be a whole number of at least 1, got 'x'" in done.stderr) == (2, True)


def test_relative_folders_of_the_user_are_those_of_where_the_command_was_typed(project):  # noqa: F811
    shutil.copy(ROOT / "taskrel_core/environment.py", project / "taskrel_core")
    with open(project / "notebooks/01_tab_first.py", "a") as file:
        file.write('pathlib.Path("said").write_text(os.environ["TASKREL_CACHE"])\n')
    (project / "elsewhere").mkdir()
    command = [sys.executable, str(project / "notebooks/run.py")]
    subprocess.run(
        command, cwd=project / "elsewhere", env={**os.environ, "TASKREL_CACHE": "mine"}, check=True
    )
    assert (project / "said").read_text() == str(project / "elsewhere/mine")


@pytest.mark.parametrize("where", [".", "notebooks", "book", "/tmp"])
def test_there_is_one_cache_wherever_python_runs(where):
    kept = {k: v for k, v in os.environ.items() if k != "TASKREL_CACHE"}
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from taskrel_core import environment as e; print(e.cache_dir())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / where, env=kept, capture_output=True, text=True
    )
    assert done.stdout.strip() == str(ROOT / ".cache")


def test_the_page_says_where_its_rows_were_computed_also_those_from_the_cache(project):  # noqa: F811
    """Rows of the CPU stay the CPU's, whatever TASKREL_DEVICE says when they are looked up."""
    for module in ("environment.py", "experiments"):
        (project / "taskrel_core" / module).symlink_to(ROOT / "taskrel_core" / module)
    for module in ("assets", "_registry.py"):
        (project / "taskrel_core" / module).symlink_to(ROOT / "taskrel_core" / module)
    code = """# %%
import pathlib
from taskrel_core import environment
from taskrel_core.assets.content import content_key
from taskrel_core.experiments.store import RowStore

store, key = RowStore(pathlib.Path(environment.cache_dir() / "rows"), log=environment.row_log()), content_key({"k": n})
store.find(key) or store.put(key, {"k": n})
if pathlib.Path("other").exists():
    store._log = environment.row_log()
    store.find(content_key({"k": 5}))
"""
    notebook = project / "notebooks/01_tab_first.py"
    notebook.write_text(notebook.read_text().partition("# %%\n")[0] + code)

    def device(*words, **more):
        settings = {**os.environ, "TASKREL_CACHE": str(project / "kept"), **more}
        done = run(project, "--force", "--set", *words, env=settings)
        assert done.returncode == 0, done.stdout + done.stderr
        newest = max((project / "book/runs").glob("*.ipynb"), key=lambda path: path.stat().st_mtime)
        return json.loads(newest.read_text())["metadata"]["taskrel"]["device"]

    assert device("n=5") == "cpu"
    kept = next((project / "kept/rows").rglob("*.json"))
    kept.write_text(kept.read_text().replace('"device": "cpu"', '"device": "cuda:1"'))
    assert device("n=5") == "cuda:1"
    (project / "other").touch()
    assert device("n=6") == "cpu (1 rows), cuda:1 (1 rows)"
    kept.write_text(kept.read_text().replace('"provenance": {"device": "cuda:1"}, ', ""))
    (project / "other").unlink()
    assert device("n=5") == "not recorded"


@pytest.mark.parametrize(
    "name",
    [
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONSAFEPATH",
        "PIP_TARGET",
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
        "JUPYTER_PATH",
    ],
)
def test_make_clears_what_is_meant_for_another_python(name):
    command = ["make", "--eval", "show:; @env", "show"]
    kept = {**os.environ, name: "/foreign", "PIP_USER": "1", "PIP_EXTRA_INDEX_URL": "https://wheels.invalid"}
    shown = subprocess.run(
        command, cwd=ROOT, env=kept, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert not [line for line in shown if line.startswith(f"{name}=")]
    assert "PIP_USER=0" in shown
    assert "PIP_EXTRA_INDEX_URL=https://wheels.invalid" in shown  # the user's wish


def test_lab_says_how_to_bring_jupyterlab_where_it_cannot_be_installed(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("requirements.lock", "requirements.sha256", "pyproject.toml", "install.py", "stamp"):
        (tmp_path / name).touch()
    fake = tmp_path / "venv/bin/python"
    fake.parent.mkdir(parents=True)
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    done = subprocess.run(
        ["make", "STAMP=stamp", "VENV=venv", "lab"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "JupyterLab is not part of the lock; installing it into venv, once" in done.stderr
    assert (
        "error: JupyterLab could not be installed; bring it by hand: venv/bin/python -m pip install"
        in done.stderr
    )


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--help"], 0, "Exit codes: 0 all is here; 1 something that was asked for by name"),
        (["minst"], 2, "unknown asset 'minst' (did you mean 'mnist'?); known: "),
        (["digits", "lenett"], 2, "unknown asset 'lenett' (did you mean 'lenet'?); known: "),
        (["folder:/nope"], 1, "/nope"),
        (["folder:README.md"], 1, "README.md"),
        (["--fetch"], 2, "unrecognized arguments: --fetch"),
        (["digits", "lenet"], 0, "digits               ready"),
        (["usps"], 1, "usps                 missing\n"),
    ],
)
def test_the_packages_command_answers_in_words_and_codes(monkeypatch, capsys, tmp_path, words, code, message):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("TASKREL_OFFLINE", "1")
    if words == ["usps"]:
        monkeypatch.setenv("TASKREL_CACHE", str(tmp_path))
    try:
        found = __main__.main(words)
    except SystemExit as end:  # of argparse
        found = end.code
    out, err = capsys.readouterr()
    assert found == code
    assert " ".join(message.split()) in " ".join((out + err).split())
    assert "Traceback" not in err


def in_a_kernel(folder, code):
    """What code prints in a kernel that was started in ``folder``, as Jupyter does it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with contextlib.chdir(folder):
        manager, client = start_new_kernel(kernel_name="python3", env=kept)
    try:
        told = []
        client.execute_interactive(code, output_hook=told.append, timeout=120)
        return "".join(message["content"].get("text", "") or str(message["content"]) for message in told)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("folder", [".", "notebooks"])
def test_a_kernel_finds_page_the_projects_folder_and_its_one_cache(folder):
    paths = Path(sysconfig.get_path("purelib"), "taskrel_notebooks.pth")
    if folder == "." and not paths.exists():
        pytest.skip("this environment was not set up by make, which lets any kernel find page")
    code = "import page, pathlib, os; from taskrel_core import environment as e; "
    code += "print('in', pathlib.Path.cwd(), 'cache', e.cache_dir(), 'rows', e.results_dir())"
    told = in_a_kernel(ROOT / folder, code)
    home = Path(environment.__file__).parents[1]
    assert f"in {home} cache {home}/.cache rows {home}/book/results" in told


def test_a_notebook_runs_as_a_script_in_its_own_folder_and_prints_its_results():
    done = subprocess.run(
        [sys.executable, "14_tab_published_scores.py"], cwd=ROOT / "notebooks", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "\nverdict: " in done.stdout
    assert "weighted" in done.stdout
    assert ":::" not in done.stdout  # nothing that only the book reads
