"""A copy of the project with a book of few pages: what is true of any build is tested there, in seconds."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOC = """format: jb-book
root: index
parts:
  - chapters:
      - glob: executed/*
      - file: status
  - caption: Your runs
    chapters:
      - glob: runs/*
"""
FILES = (
    "Makefile",
    "requirements.lock",
    "requirements.sha256",
    "pyproject.toml",
    "install.py",
    "CITATION.cff",
)


def copied(folder: Path) -> Callable[..., subprocess.CompletedProcess]:
    """Put the copy into a folder; return what calls its Makefile there."""
    made = shutil.ignore_patterns("_build", "__pycache__", "executed", "_generated", "runs")
    for name in ("book", "notebooks", "taskrel_core"):
        shutil.copytree(ROOT / name, folder / name, ignore=made)
    (folder / "book/_toc.yml").write_text(TOC)
    (folder / "book/index.md").write_text("# A small book\n\n{doc}`status`\n")
    (folder / "book/status.md").write_text("# Status\n\n```{run-status}\n```\n")
    (folder / "tests").mkdir()
    for name in (*FILES, "tests/faults.yml"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("stamp", "fetched"):  # all is installed and fetched
        (folder / name).touch()

    def make(*words: str, **kwargs) -> subprocess.CompletedProcess:
        command = ["make", f"VENV={Path(sys.executable).parents[1]}", "STAMP=stamp", "FETCHED=fetched"]
        return subprocess.run([*command, *words], cwd=folder, capture_output=True, text=True, **kwargs)

    return make
