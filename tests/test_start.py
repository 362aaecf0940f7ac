"""A start on machines as they are: odd folders, other people's variables, no locale, no home, no git, no right to write."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.notebooks.test_runner import edit, page, project, run  # noqa: F401
from tests.test_install import ROOT, fitting, make, program

ODD = "a b'c\"d $HOME `e` é ü 画"
NOWHERE = "/dev/null/nowhere"  # neither there nor to be made, not by root either
SURROUNDINGS = {
    "no locale": {"LANG": "C", "LC_ALL": "C"},
    "no home": {"HOME": None},
    "a home that cannot be written": {"HOME": NOWHERE, "XDG_CACHE_HOME": None, "XDG_CONFIG_HOME": None},
    "an active environment": {"VIRTUAL_ENV": NOWHERE, "CONDA_PREFIX": NOWHERE, "CONDA_DEFAULT_ENV": "base"},
    "settings of pip": {"PIP_TARGET": NOWHERE, "PIP_USER": "1", "PIP_REQUIRE_VIRTUALENV": "1"},
    "settings of Jupyter": {
        f"JUPYTER_{name}": NOWHERE
        for name in ("CONFIG_DIR", "CONFIG_PATH", "DATA_DIR", "RUNTIME_DIR", "PATH")
    },
    "settings of other tools": {
        "MPLBACKEND": "nosuch",
        "MPLCONFIGDIR": NOWHERE,
        "MATPLOTLIBRC": NOWHERE,
        "IPYTHONDIR": NOWHERE,
    },
}


def surrounded(case, **more):
    """The environment of this process as changed by a case of SURROUNDINGS."""
    changed = {**os.environ, **SURROUNDINGS[case], **more}
    return {name: value for name, value in changed.items() if value is not None}


@pytest.fixture
def odd(project, tmp_path_factory):  # noqa: F811
    """The small project in a folder with blanks, quotes and letters outside ASCII, and a notebook that draws."""
    folder = tmp_path_factory.mktemp("odd") / ODD
    shutil.copytree(project, folder)
    drawing = "import json\nimport matplotlib.pyplot as plt\n\nplt.figure()\nprint('é 画')\n"
    edit(folder / "notebooks/01_tab_first.py", "import json\n", drawing)
    return folder


@pytest.mark.parametrize("case", SURROUNDINGS)
def test_a_page_is_made_in_any_folder_and_any_surroundings(odd, case):
    done = run(odd, env=surrounded(case))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "é 画" in str(page(odd)["cells"])


@pytest.mark.parametrize("case", SURROUNDINGS)
def test_make_sets_up_in_any_folder_and_any_surroundings(tmp_path, case):
    folder = tmp_path / ODD
    folder.mkdir()
    fitting(folder, "python3.11")
    done = make(folder, **{name: value for name, value in SURROUNDINGS[case].items() if value is not None})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "installing --with uv" in done.stdout
    code = "import sys; sys.stdout.buffer.write(sys.path[-1].encode())"
    command = [folder / ".venv/bin/python", "-c", code]
    shown = subprocess.run(command, env={"LC_ALL": "C"}, capture_output=True, check=True).stdout.decode()
    assert shown == str(folder.resolve() / "notebooks")


def test_jupyterlab_opens_in_any_folder_and_not_by_its_script(tmp_path):
    """A quote in the path breaks the scripts that pip writes."""
    folder = tmp_path / ODD
    folder.mkdir()
    for name in ("requirements.lock", "requirements.sha256", "pyproject.toml", "install.py", "stamp"):
        (folder / name).touch()
    shutil.copy(ROOT / "Makefile", folder)
    program(folder, "python", 'echo "$PYTHONPATH" "$@"')
    words = ["make", "STAMP=stamp", "VENV=.", "lab", "LABOPTIONS=--no-browser"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"{folder}/notebooks:{folder} -m jupyterlab --notebook-dir={folder} --no-browser" in done.stdout


def test_without_git_the_commit_is_unknown(odd, tmp_path):
    done = run(odd, env={**os.environ, "PATH": str(tmp_path)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert page(odd)["metadata"]["taskrel"]["commit"] == "unknown"


def test_a_user_without_a_name_and_a_home_makes_a_page(odd):
    """Such as one of a container that is started with a number for its user."""
    other = ["unshare", "--user", "--map-user=12345"]
    if shutil.which("unshare") is None or subprocess.run([*other, "true"], capture_output=True).returncode:
        pytest.skip("no user of another number can be had here: unshare --user")
    for path in (odd, *odd.rglob("*")):
        path.chmod(0o777)  # where this test is root's, its files are not the other user's
    kept = {name: value for name, value in os.environ.items() if name != "HOME"}
    command = [*other, sys.executable, "notebooks/run.py"]
    done = subprocess.run(command, cwd=odd, env=kept, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert page(odd)


@pytest.fixture(scope="module")
def as_others():
    """What to put before a command so that it cannot write where others could not either; root can write everywhere."""
    if os.geteuid() != 0:
        return []
    words = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if shutil.which("setpriv") is None or subprocess.run([*words, "true"], capture_output=True).returncode:
        pytest.skip("root can write everywhere, and setpriv cannot take that right away here")
    return words


def closed(folder):
    """Take away the right to write in a folder and all below it."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o555 if path.is_dir() else 0o444)


def opened(folder):
    for path in (folder, *folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)


def test_a_checkout_that_cannot_be_written_says_what_to_do(as_others, odd, tmp_path):
    kept = {**os.environ, "TASKREL_CACHE": str(tmp_path / "cache")}
    command = [*as_others, sys.executable, "notebooks/run.py"]
    closed(odd)
    refused = subprocess.run(command, cwd=odd, env=kept, capture_output=True, text=True)
    elsewhere = ["--out", str(tmp_path / "book")]
    done = subprocess.run([*command, *elsewhere], cwd=odd, env=kept, capture_output=True, text=True)
    opened(odd)
    assert refused.returncode == 2
    assert refused.stderr.startswith(
        f"error: the pages are put into {odd.resolve() / 'book'}, which cannot be written"
    )
    assert "copy the project to a folder of your own, or say where:" in refused.stderr
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "book/executed/01_tab_first.ipynb").is_file()


def test_make_says_that_a_folder_cannot_be_written(as_others, tmp_path):
    fitting(tmp_path, "python3.11")
    make(tmp_path)  # puts all files there
    shutil.rmtree(tmp_path / ".venv")
    closed(tmp_path)
    done = subprocess.run([*as_others, "make", ".venv"], cwd=tmp_path, capture_output=True, text=True)
    opened(tmp_path)
    assert done.returncode != 0
    assert (
        "error: this folder cannot be written, and .venv and the book are made in it; copy it" in done.stderr
    )
