"""The package as pip installs it: its wheel, alone with what it declares, and what importing it costs."""

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import distribution
from pathlib import Path
from shutil import copytree

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for room in ("method", "metrics", "analysis")
    for path in (ROOT / "taskrel_core" / room).glob("*.py")
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy so that no build folder is left in the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    copytree(
        ROOT / "taskrel_core",
        folder / "source/taskrel_core",
        ignore=lambda _, names: [n for n in names if n == "__pycache__"],
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (folder / "source" / name).write_bytes((ROOT / name).read_bytes())
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        folder,
    ]
    done = subprocess.run([*command, folder / "source"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def alone(wheel, tmp_path_factory):
    """A folder with the wheel's content and the declared dependencies, and theirs: no extra, nothing else."""
    folder = tmp_path_factory.mktemp("alone")
    wanted, seen = [Requirement(line) for line in DECLARED], set()
    while wanted:
        one = wanted.pop()
        if one.name in seen or (one.marker and not one.marker.evaluate({"extra": ""})):
            continue
        seen.add(one.name)
        found = distribution(one.name)
        wanted += [Requirement(line) for line in found.requires or ()]
        for top in {file.parts[0] for file in found.files} - {"..", "__pycache__"}:
            if not (folder / top).exists():
                (folder / top).symlink_to(found.locate_file(top))
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def python(code: str, folder: Path) -> str:
    """What the code prints in a Python that sees its standard library and the folder only."""
    start = f"import sys; sys.path.append({str(folder)!r})\n"
    command = [sys.executable, "-I", "-S", "-c", start + code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_every_module_and_the_small_weights_and_says_that_it_is_typed(wheel):
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("taskrel_core/")}
    files = [
        *(ROOT / "taskrel_core").rglob("*.py"),
        *(ROOT / "taskrel_core/encoders/small_weights").iterdir(),
    ]
    assert held == {str(path.relative_to(ROOT)) for path in files} | {"taskrel_core/py.typed"}


def test_the_example_of_the_readme_runs_without_the_extras(alone):
    example = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    printed = python(example.group(1), alone).split()
    *terms, certified, loss = printed
    assert certified == "True"
    assert all(float(term) >= 0 for term in terms)
    assert float(terms[0]) >= float(loss)


@pytest.mark.parametrize("missing", ["PIL", "matplotlib", "torchvision", "yaml", "beartype", "h5py", "onnx"])
def test_the_environment_of_these_tests_lacks_the_extras(alone, missing):
    assert not list(alone.glob(f"{missing}*"))


def test_method_metrics_and_analysis_need_no_extra(alone):
    code = f"import importlib\nfor name in {MODULES}: importlib.import_module(name)\n"
    python(code + "from taskrel_core import BASELINES\nassert len(BASELINES) > 5", alone)


def test_what_needs_an_extra_names_it(alone):
    code = (
        "try:\n    from taskrel_core import features\nexcept ModuleNotFoundError as error:\n    print(error)"
    )
    assert "pip install 'taskrel[images]'" in python(code, alone)


def test_importing_the_package_loads_nothing_else(alone):
    code = "import taskrel_core\nprint(*{name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names)"
    assert set(python(code, alone).split()) <= {"taskrel_core", "__main__"}


def test_importing_the_package_takes_at_most_a_third_more_than_importing_torch():
    def seconds(name):
        code = f"import time; start = time.perf_counter(); import {name}; print(time.perf_counter() - start)"
        runs = [
            subprocess.run([sys.executable, "-c", code], capture_output=True, check=True) for _ in range(3)
        ]
        return min(float(run.stdout) for run in runs)

    assert seconds("taskrel_core") <= 1.3 * seconds("torch")


@pytest.mark.parametrize("room", ["figures", "analysis"])
def test_drawing_and_analysing_load_no_torch(room):
    names = [f"taskrel_core.{room}.{path.stem}" for path in (ROOT / "taskrel_core" / room).glob("*.py")]
    code = f"import importlib, sys\nfor name in {names}: importlib.import_module(name)\n"
    command = [sys.executable, "-c", code + "sys.exit('torch' in sys.modules or 'ot' in sys.modules)"]
    assert subprocess.run(command, capture_output=True).returncode == 0
