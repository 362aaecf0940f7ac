"""The lock for every Python and system that the project names: it resolves there, from wheels, file by file as locked."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
HASHES = (ROOT / "requirements.sha256").read_text(encoding="utf-8")
PIN = re.compile(r"^([A-Za-z0-9._-]+==\S+(?: ; .*?)?)(?: \\)?$", re.MULTILINE)
CUDA = re.compile(r"cuda-|nvidia-|triton")  # which the CUDA build of torch brings itself
FREE = ("torch", "torchvision")  # each of their builds has files of its own
PYTHONS = ("3.11.0", "3.12.0", "3.13.0", "3.14.0")
SYSTEMS = (
    "x86_64-manylinux_2_28",
    "aarch64-manylinux_2_28",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
)
NO_REGISTRY = "error sending request|Could not connect|dns error|Failed to fetch|network connectivity"


def uv(*words: str, **more: str) -> str:
    """What uv prints; the test is skipped where no registry answers."""
    tool = shutil.which("uv", path=str(Path(sys.executable).parent))
    assert tool, "run make .venv"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    kept |= {"UV_PYTHON_DOWNLOADS": "never", "UV_HTTP_RETRIES": "1", **more}
    done = subprocess.run([tool, *words], capture_output=True, text=True, cwd=ROOT, env=kept)
    if done.returncode != 0 and re.search(NO_REGISTRY, done.stderr):
        pytest.skip("no package registry can be reached")
    assert done.returncode == 0, done.stderr
    return done.stdout


def resolved(python: str, system: str, *more: str) -> set[str]:
    command = ["pip", "compile", "--no-config", "--quiet", "--no-header", "--no-annotate", *more]
    command += ["--only-binary", ":all:", "--python-version", python, "--python-platform", system]
    return set(uv(*command, MACOSX_DEPLOYMENT_TARGET="14.0").split())  # torch's wheels ask for it


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_resolves_from_wheels_and_lacks_nothing(python, system):
    found = resolved(python, system, "--constraint", "requirements.sha256", "requirements.lock")
    pins = {pin.partition(" ")[0] for pin in PIN.findall(LOCK)}
    assert not {pin for pin in found - pins if not CUDA.match(pin)}
    assert {pin for pin in pins if pin.startswith("torch==")} <= found


def test_the_lowest_versions_that_the_library_allows_fit_together():
    found = resolved("3.11.0", SYSTEMS[0], "--resolution", "lowest-direct", "pyproject.toml")
    for line in PROJECT["dependencies"]:
        name, low = re.match(r"([\w-]+)>=([\d.]+)", line).groups()
        pin = next(pin for pin in found if pin.startswith(f"{name.lower()}=="))
        assert SpecifierSet(f"=={low}").contains(pin.partition("==")[2])


def test_every_python_of_the_project_is_tried_and_none_else():
    allowed = SpecifierSet(PROJECT["requires-python"])
    minors = {f"3.{minor}" for minor in range(30) if f"3.{minor}.0" in allowed}
    assert minors == {python.rpartition(".")[0] for python in PYTHONS}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert minors == set(
        re.findall(r"3\.\d+", re.search(r"^PYTHONS := (.*)", makefile, re.MULTILINE).group(1))
    )
    low, high = re.search(r"FITS := .*?\(3, (\d+)\) <= .* <= \(3, (\d+)\)", makefile).groups()
    assert minors == {f"3.{minor}" for minor in range(int(low), int(high) + 1)}
    assert all(f"python{minor}" in makefile for minor in minors)


def test_each_file_is_locked_by_its_sha256_unless_the_builds_are_many():
    locked = {pin for pin in PIN.findall(LOCK) if pin.partition("==")[0] not in FREE}
    assert set(PIN.findall(HASHES)) == locked, "run make lock"
    blocks = re.split(r"\n(?=\S)", HASHES.strip())
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", block) for block in blocks)


def test_the_lock_holds_no_part_of_the_cuda_build():
    assert not [pin for pin in PIN.findall(LOCK) if CUDA.match(pin)]


def test_no_setting_of_uv_names_a_python_for_which_it_would_then_install():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["uv"]
    assert settings.keys() == {"pip"}
    assert settings["pip"].keys() == {"no-emit-package"}
