"""Build the book from its pages and the executed notebooks: ``python book/build.py [--out DIR] [--pdf] [--force]``.

Skips the build when nothing that the book is made of has changed; prints where it is. A broken reference is an error.
The PDF, and what ``--published`` builds for the archive, leave out runs with parameters of one's own.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from sphinx.ext.apidoc import main as apidoc

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = str(ROOT / "notebooks")
sys.path.insert(0, NOTEBOOKS)
from runner.places import own_runs, page_folder, published_folder  # noqa: E402

SOURCES = ROOT / "book"
ROOMS = Path("_generated/api")  # one page per room of the package
PDF = Path("_build/taskrel.pdf")
MADE = {"executed", "runs", "_generated", "_build"}  # by the runner and by this script


def main(arguments: list[str]) -> int:
    """Build and return the builder's exit code, 0 if there was nothing to do."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--out", default=str(SOURCES), help="book folder with executed/ and _generated/ (default: book)"
    )
    parser.add_argument("--pdf", action="store_true", help="one long page, printed by Chromium")
    parser.add_argument("--published", action="store_true", help="without runs with parameters of one's own")
    parser.add_argument("--page", default="", help="say where these pages are, by name")
    parser.add_argument("--force", action="store_true", help="build even if nothing changed")
    args = parser.parse_args(arguments)
    out = Path(args.out).resolve()
    if out != SOURCES:
        _copy_sources(out)
    source = _published(out) if args.pdf or args.published else out
    done = _build(source, "singlehtml" if args.pdf else "html", args.force)
    if args.pdf and done == 0:  # and then the pages, which link it
        printed = _print(source / "_build/singlehtml/index.html", out / PDF)
        return printed or _build(out, "html", args.force)
    for name in args.page.split() if done == 0 else []:
        path = page_folder(name, out / "_build/html") / f"{name}.html"
        print(f"page: {path}" if path.exists() else f"there is no page {name} in the book")
    return done


def _published(out: Path) -> Path:
    """Return the folder to build from where runs of one's own are left out, a copy of all the rest if there are any."""
    folder, own = published_folder(out), own_runs(out)
    if own:
        print(f"left out, runs with parameters of your own: {len(own)}")
        _copy_sources(folder)
        for name in ("executed", "_generated"):
            shutil.rmtree(folder / name, ignore_errors=True)
            if (out / name).exists():
                shutil.copytree(out / name, folder / name)
        if (out / PDF).exists():
            (folder / PDF).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(out / PDF, folder / PDF)
    return folder


def _build(out: Path, builder: str, force: bool) -> int:
    """Run the builder if it has something to do; print each warning, and where the book is."""
    page, stamp, log = (
        out / "_build" / name for name in (f"{builder}/index.html", f"{builder}.key", f"{builder}.log")
    )
    pdf = out / PDF
    key = _key(out) + (str(pdf.stat().st_mtime) if builder == "html" and pdf.exists() else "")
    if not force and page.exists() and stamp.exists() and stamp.read_text() == key:
        print(f"book: {page} (nothing changed)")
        return 0
    stamp.unlink(missing_ok=True)
    shutil.rmtree(page.parent, ignore_errors=True)  # or pages that left the book would stay
    shutil.rmtree(out / ROOMS, ignore_errors=True)
    layout = ["-t", str(SOURCES / "_ext/apidoc"), "-T", "-q"]
    apidoc([*layout, "-o", str(out / ROOMS), str(ROOT / "taskrel_core")])
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(out)]
    command += ["--path-output", str(out), "--builder", builder, "--all", "-n", "-W", "--keep-going"]
    # Where the directives find tests, package and the runner.
    environment = {**os.environ, "TASKREL_ROOT": str(ROOT)}
    environment["PYTHONPATH"] = os.pathsep.join(
        [NOTEBOOKS, str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    log.parent.mkdir(exist_ok=True)
    log.write_text(done.stdout, encoding="utf-8")
    for line in re.sub(r"\x1b\[[0-9;]*m", "", done.stdout).splitlines():
        if re.search(r"\b(WARNING|ERROR|CRITICAL)\b", line):
            print(line, file=sys.stderr)
    if page.exists():
        print(f"book: {page}")
    if done.returncode != 0 or not page.exists():
        print(f"error: the book has broken parts, see the lines above and {log}", file=sys.stderr)
        return done.returncode or 1
    stamp.write_text(key)
    return 0


def _print(page: Path, target: Path) -> int:
    """Let Chromium print one page; it waits until the mathematics is set."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    if browser is None:
        print(
            f"error: printing needs Chromium, none of {', '.join(names)} is in PATH; install it",
            file=sys.stderr,
        )
        return 1
    command = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    command += ["--disable-background-networking", "--no-first-run", "--virtual-time-budget=20000"]
    target.unlink(missing_ok=True)
    done = subprocess.run(
        [*command, f"--print-to-pdf={target}", page.as_uri()], capture_output=True, text=True
    )
    if not target.exists():
        print(f"error: Chromium did not print: {done.stderr.strip()[-500:]}", file=sys.stderr)
        return 1
    print(f"PDF: {target}")
    return 0


def _copy_sources(out: Path) -> None:
    """Put the written pages beside executed ones that lie elsewhere (the smoke profile's)."""
    out.mkdir(parents=True, exist_ok=True)
    for path in SOURCES.iterdir():
        if path.is_dir() and path.name not in MADE | {"__pycache__"}:
            shutil.copytree(
                path, out / path.name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
            )
        elif path.is_file():
            shutil.copy2(path, out / path.name)


def _key(out: Path) -> str:
    """Hash of everything that the book is made of."""
    total = hashlib.sha256((ROOT / "requirements.lock").read_bytes())
    for path in [
        *sorted((ROOT / "tests/equations").glob("*.py")),
        *sorted((ROOT / "taskrel_core").rglob("*.py")),
        ROOT / "tests/faults.yml",
        ROOT / "notebooks/runner/compare.py",
    ]:
        total.update(path.read_bytes())
    for path in sorted(out.rglob("*")):
        inside = path.relative_to(out)
        made = inside.parts[0] == "_build" or ROOMS in inside.parents or "__pycache__" in inside.parts
        runs = "_run" in inside.parts and inside.name not in ("pages.json", "notice.txt", "faults.json")
        if path.is_file() and not made and not runs:
            total.update(f"{inside.as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
