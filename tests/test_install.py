"""Setting up: uv by the settings of pip, pip where uv cannot, and words where no Python fits."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import install

ROOT = Path(__file__).resolve().parents[1]
LISTED = """:env:.find-links='/wheels /more'
:env:.index-url='https://variable.invalid/simple'
global.cert='/ca.pem'
global.extra-index-url='https://one.invalid/simple\\nhttps://two.invalid/simple'
global.index-url='https://file.invalid/simple'
install.constraint="/o'hara/limits.txt"
freeze.timeout='3'
"""


def test_the_settings_of_pip_hold_for_uv():
    said = install.uv_environment(
        install.pip_settings(LISTED), {"HOME": "/home/me", "UV_PREFIX": "/elsewhere"}
    )
    assert said == {
        "HOME": "/home/me",
        "SSL_CERT_FILE": "/ca.pem",
        "UV_CONSTRAINT": "/o'hara/limits.txt",
        "UV_DEFAULT_INDEX": "https://variable.invalid/simple",
        "UV_FIND_LINKS": "/wheels,/more",
        "UV_INDEX": "https://one.invalid/simple https://two.invalid/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_what_is_said_to_uv_itself_wins():
    assert install.uv_environment({"index-url": "a"}, {"UV_DEFAULT_INDEX": "b"})["UV_DEFAULT_INDEX"] == "b"


def test_uv_itself_is_locked_by_its_sha256():
    hashes = (ROOT / "requirements.sha256").read_text(encoding="utf-8")
    lines = install.block(hashes, "uv").splitlines()
    assert lines[0].startswith("uv==")
    assert len(lines) > 5
    assert all("--hash=sha256:" in line for line in lines[1:])


@pytest.fixture
def calls(monkeypatch):
    """The commands that the installer runs, none of which is carried out."""
    seen = []

    def run(command, *_, **__):
        seen.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    return seen


def test_uv_installs_the_lock_checked_and_the_project(calls):
    assert install.main([]) == 0
    assert calls[0][1:3] == ["-m", "pip"]
    assert calls[0][-2] == "-r"  # the pin of uv with its hashes
    *_, lock, project = calls
    assert {str(install.LOCK), "-c", str(install.HASHES)} < set(lock)
    assert {"--editable", str(ROOT), "--no-deps"} < set(project)
    assert all(sys.executable in command for command in (lock, project))


def test_pip_installs_where_uv_cannot_and_says_so(calls, monkeypatch, capsys):
    def broken():
        raise subprocess.CalledProcessError(2, "uv", stderr="noise\nerror: no wheel for this machine\n")

    monkeypatch.setattr(install, "with_uv", broken)
    assert install.main([]) == 0
    assert (
        "uv cannot install here (error: no wheel for this machine); pip does it instead"
        in capsys.readouterr().err
    )
    lock, project = calls
    assert lock[1:3] == ["-m", "pip"]
    assert lock[-2:] == ["-r", str(install.LOCK)]
    assert project[-2:] == ["--editable", str(ROOT)]


def test_a_file_that_is_not_the_locked_one_is_refused_by_pip_too(calls, monkeypatch, capsys):
    def other(command, *_, **__):
        calls.append(command)
        return subprocess.CompletedProcess(
            command, 1, "", "error: x\n  cause: Hash mismatch for `six==1.16.0`"
        )

    monkeypatch.setattr(subprocess, "run", other)
    assert install.main([]) == 1
    assert len(calls) == 1
    assert (
        "Hash mismatch for `six==1.16.0`\nThis file is not the one that was locked" in capsys.readouterr().err
    )


def test_without_a_place_to_keep_files_uv_keeps_none(calls, monkeypatch):
    monkeypatch.setattr(install, "can_be_written", lambda folder: False)
    install.main([])
    assert "--no-cache" in calls[-1]


def test_a_folder_that_cannot_be_made_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    assert install.can_be_written(tmp_path / "new/folder")
    assert not install.can_be_written(tmp_path / "file/folder")


def make(folder, *words, **more):
    """``make .venv`` where the only programs are the shell's own and those in ``folder``/bin."""
    for name in ("Makefile", "requirements.lock", "requirements.sha256", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    (folder / "install.py").write_text(
        "import sys; print('installing', *sys.argv[1:], 'by', sys.version_info[:2])"
    )
    programs = folder / "bin"
    for name in ("sh", "make", "rm", "touch", "ln", "mkdir"):
        if not (programs / name).exists():
            (programs / name).symlink_to(shutil.which(name))
    kept = {"PATH": str(programs), "HOME": str(folder), **more}
    command = ["make", "SHELL=/bin/sh", ".venv", *words]
    return subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True)


def fitting(folder, name):
    """A Python in ``folder``/bin that fits; its environments hold a link to this one, and no package."""
    packages = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    made = f'mkdir -p "$3/bin" "$3/{packages}" && ln -s {sys.executable} "$3/bin/python"'
    settings = f"home = {Path(sys._base_executable).parent}\\ninclude-system-site-packages = false\\n"
    made += f' && printf "{settings}" > "$3/pyvenv.cfg"'
    program(folder, name, f'if [ "$2" = venv ]; then {made}; else exec {sys.executable} "$@"; fi')


def program(folder, name, text):
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / "bin" / name).chmod(0o755)


def test_the_first_python_that_fits_is_taken(tmp_path):
    program(tmp_path, "python3.11", "exit 1")  # such as the stand-in of a version manager
    fitting(tmp_path, "python3.13")
    done = make(tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"installing --with uv by {tuple(sys.version_info[:2])}" in done.stdout
    assert (tmp_path / ".venv/.installed").exists()
    assert "installing --with pip" in make(tmp_path, "INSTALLER=pip", "-B").stdout


def test_without_a_fitting_python_make_says_which_ones_fit(tmp_path):
    program(tmp_path, "python3", 'if [ "$1" = --version ]; then echo Python 3.9.2; else exit 1; fi')
    done = make(tmp_path)
    assert done.returncode != 0
    assert "error: Python 3.11, 3.12, 3.13 or 3.14 is needed, found Python 3.9.2; install one" in done.stderr
    assert "make PYTHON=/path/to/python" in done.stderr
    assert "uv venv" not in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_where_uv_is_it_is_offered(tmp_path):
    program(tmp_path, "uv", "exit 1")
    assert "uv venv --seed --python 3.11 .venv" in make(tmp_path).stderr


def test_a_python_can_be_named(tmp_path):
    program(tmp_path, "python3.11", "exit 1")
    fitting(tmp_path, "mine")
    done = make(tmp_path, f"PYTHON={tmp_path}/bin/mine")
    assert done.returncode == 0, done.stderr
    done = make(tmp_path, "PYTHON=/nowhere/python", "VENV=other")
    assert "error: Python 3.11, 3.12, 3.13 or 3.14 is needed, found" in done.stderr


def test_an_environment_of_another_python_is_made_anew(tmp_path):
    fitting(tmp_path, "python3.12")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/old").touch()
    (tmp_path / ".venv/bin/python").write_text("#!/bin/sh\nexit 1\n")
    assert make(tmp_path).returncode == 0
    assert not (tmp_path / ".venv/old").exists()
