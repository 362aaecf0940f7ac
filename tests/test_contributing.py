"""The recipes of CONTRIBUTING.md, each in the one file that it names, in a copy of the package."""

import re
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", TEXT, re.DOTALL))
USES = {
    "taskrel_core/encoders/thumbnail.py": "features('digits', 'thumbnail', n=20).z.shape == (20, 49)",
    "taskrel_core/data/bars.py": "features('bars', 'pca', n=50, fitted_on='bars').n_classes == 2",
    "taskrel_core/metrics/spread.py": "BASELINES['spread'](target=features('digits', 'random_net', n=50)) > 0",
}


def run(folder, *command):
    done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A folder that Python looks into first, with the package, the tests' helpers and the notebooks in it."""
    for name in ("taskrel_core", "notebooks"):
        copytree(ROOT / name, tmp_path / name, ignore=ignore_patterns("__pycache__"))
    (tmp_path / "tests").mkdir()
    for name in ("tests/generators.py", "requirements.lock"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def put(folder, name):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(FILES[name], encoding="utf-8")


@pytest.mark.parametrize("name", USES)
def test_one_file_is_enough_for_a_new_entry(name, copy):
    put(copy, name)
    run(copy, "-c", f"from taskrel_core import BASELINES, features\nassert {USES[name]}")


def test_one_file_is_enough_for_a_new_figure(copy):
    name = next(name for name in FILES if name.startswith("notebooks/"))
    put(copy, name)
    run(copy, "notebooks/run.py", "--profile", "smoke", "--only", Path(name).stem, "--out", str(copy / "out"))
    assert list((copy / "out").rglob("*.svg"))


def test_one_file_is_enough_for_the_test_of_an_equation(copy):
    name = next(name for name in FILES if name.startswith("tests/equations/"))
    put(copy, name)
    run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", name)


def test_each_recipe_is_one_of_these():
    assert len(FILES) == len(USES) + 2 == TEXT.count("\n## ")
