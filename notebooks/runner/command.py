"""The command line of ``notebooks/run.py``: which pages to run, on how many processes, what to print."""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from . import assets
from .imports import ROOT
from .pages import reason, result, state, status, write_json
from .places import own_runs, page_folder, stem_of
from .plan import Plan, make
from .reading import Refused, assignments, close


def main(arguments: list[str]) -> int:
    """Parse the command line, run, report; 0 if every page is there, 1 if one failed, 2 if the request is wrong."""
    args = _parser().parse_args(arguments)
    out = Path(
        args.out or (ROOT / ".cache/book-smoke" if args.profile == "smoke" else ROOT / "book")
    ).resolve()
    try:
        _look_at_environment()
        os.chdir(ROOT)  # relative paths mean the same here and in the notebooks
        stems = _choose(args.only)
        given = assignments(args.set)
        plans = [make(stem, args.profile, given) for stem in stems]
    except Refused as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if args.names:
        print("\n".join(p.name for p in plans))
        return 0
    if args.why:
        print("\n".join(f"{p.name}: {reason(p, out)}" for p in plans))
        own = [name for name in own_runs(out) if stem_of(name) in stems and not given]
        print("".join(f"{name}: {status(name, out)['reason']}\n" for name in own), end="")
        return 0
    if args.profile == "paper" and _assets_missing(plans):
        return 2
    try:
        _make_room(out, plans)
    except Refused as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    _notice(out)
    todo, failed = [p for p in plans if args.force or args.fresh or state(p, out) != "current"], 0
    print(
        f"{len(plans) - len(todo)} of {len(plans)} pages cached, {len(todo)} to run (profile {args.profile})"
    )
    if todo:
        failed = _run_all(todo, out, max(1, min(args.jobs or os.cpu_count() or 1, len(todo))), args)
    write_json(out / "executed/_run/pages.json", {stem: status(stem, out) for stem in _choose("")})
    _report([p.name for p in plans], out, bool(args.only))
    return 1 if failed else 0


def _look_at_environment() -> None:
    """Refuse TASKREL variables that cannot be used, and make their paths those that the user meant here."""
    environment = assets.package("environment")
    if environment is None:
        return
    try:
        environment.check()
    except ValueError as error:
        raise Refused(str(error)) from error
    for name in ("TASKREL_CACHE", "TASKREL_DATA", "TASKREL_RESULTS"):
        if os.environ.get(name):
            os.environ[name] = str(Path(os.environ[name]).expanduser().resolve())


def _make_room(out: Path, plans: list[Plan]) -> None:
    """Make the folders of the pages, or refuse one that cannot be written."""
    try:
        for name in ("executed", *(p.name for p in plans)):
            folder = page_folder(name, out) / "_run"
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
    except OSError as error:
        raise Refused(
            f"the pages are put into {out}, which cannot be written ({error.strerror}); copy the project to a folder of "
            "your own, or say where: python notebooks/run.py --out FOLDER, then python book/build.py --out FOLDER"
        ) from error


def _report(asked: list[str], out: Path, shown: bool) -> None:
    """Print the state of the pages asked for, and their results if ``shown``."""
    for name in asked:
        now = status(name, out)
        if now["state"] != "current":
            print(f"  {name} is {now['state']}: {_short(now['reason'])}")
        elif shown:
            print("\n".join([f"{name}:", *(f"  {line}" for line in result(name, out))]))


def _assets_missing(plans: list[Plan]) -> bool:
    """Fetch every data set and encoder that the parameters name; print one list of those that cannot be had."""
    texts = [text for plan in plans for text in assets.words(plan.parts["parameters"])]
    command = [sys.executable, "-m", "taskrel_core", "--needed", "--", *dict.fromkeys(texts)]
    return subprocess.run(command, cwd=ROOT).returncode != 0


def _notice(out: Path) -> None:
    """Keep what STAND-IN.txt in TASKREL_DATA says, for the top of every page: its files are not the real ones."""
    given = os.environ.get("TASKREL_DATA")
    source, kept = Path(given or "").expanduser() / "STAND-IN.txt", out / "executed/_run/notice.txt"
    if given and source.is_file():
        kept.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    else:
        kept.unlink(missing_ok=True)


def _run_all(plans: list[Plan], out: Path, jobs: int, args: argparse.Namespace) -> int:
    """Run the plans on ``jobs`` processes, show progress, and return how many failed."""
    began: dict[str, float] = {}
    live: list[subprocess.Popen] = []
    done = failed = 0
    tty, total = sys.stdout.isatty(), len(plans)
    pool = ThreadPoolExecutor(jobs)
    futures: set[Future] = {pool.submit(_start, p, out, jobs, args, began, live) for p in plans}
    try:
        while futures:
            ready, futures = wait(futures, timeout=1, return_when=FIRST_COMPLETED)
            for future in ready:
                line, ok = future.result()
                done, failed = done + 1, failed + (not ok)
                print(f"\r\033[K[{done}/{total}] {line}" if tty else f"[{done}/{total}] {line}", flush=True)
            if tty and futures:
                running = (f"{stem} {time.monotonic() - at:.0f} s" for stem, at in list(began.items()))
                print(f"\r\033[K[{done}/{total}] running: {', '.join(running)}"[:150], end="", flush=True)
    except KeyboardInterrupt:
        for process in live:
            process.kill()
        print("\ninterrupted: finished pages are kept, the same command goes on from here", file=sys.stderr)
        os._exit(130)
    pool.shutdown()
    return failed


def _start(
    p: Plan, out: Path, jobs: int, args: argparse.Namespace, began: dict, live: list
) -> tuple[str, bool]:
    """Run one notebook in a process of its own, which ends when this one does, and return what to print."""
    began[p.name] = time.monotonic()
    if not sys.stdout.isatty():
        sys.stdout.write(f"  {p.name} is running\n")  # one write: threads do not mix within a line
        sys.stdout.flush()
    job = {"stem": p.stem, "name": p.name, "profile": p.profile, "given": p.given, "out": str(out)}
    job |= {"jobs": jobs, "force": args.force or args.fresh, "fresh": args.fresh}
    log = page_folder(p.name, out) / "_run" / f"{p.name}.log"
    with open(log, "ab") as stderr:
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "runner.worker"]
        process = subprocess.Popen(
            command,
            stdin=pipe,
            stdout=pipe,
            stderr=stderr,
            text=True,
            encoding="utf-8",
            cwd=ROOT / "notebooks",
        )
        live.append(process)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()  # and left open: its end tells the worker that this process is gone
        answer = process.stdout.read().strip().splitlines()
        process.wait()
    live.remove(process)
    seconds = time.monotonic() - began.pop(p.name)
    if process.returncode != 0 or not answer:
        last = (log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["no message"])[-1]
        why = f"its process ended with {process.returncode}: {last}"
        write_json(log.with_name(f"{p.name}.failed.json"), {"reason": why})
        return f"notebooks/{p.stem}.py: {why}", False
    result = json.loads(answer[-1])
    return (f"{p.name} {result['text']} in {seconds:.1f} s" if result["ok"] else result["text"]), result["ok"]


def _short(reason: str, most: int = 3) -> str:
    """The first few causes; ``--why`` lists them all."""
    causes = reason.split(", ")
    return ", ".join(causes[:most]) + (f" and {len(causes) - most} more" if len(causes) > most else "")


def _choose(only: str) -> list[str]:
    """Return the stems of the notebooks asked for: whole names, numbers or file names; all if none is named."""
    known = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.py"))
    chosen = []
    for word in filter(None, re.split(r"[\s,]+", only)):
        name = Path(word).name.removesuffix(".py")
        found = [stem for stem in known if stem == name or stem.split("_")[0] == name]
        if not found:
            meant = close(name, known) or close(name, [stem[3:] for stem in known])
            raise Refused(f"there is no notebook {word!r}{meant}; known are\n  " + "\n  ".join(known))
        chosen += found
    return sorted(set(chosen)) or known


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"JOBS must be a whole number of at least 1, got {text!r}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("run.py", description="Run the notebooks whose inputs changed.")
    parser.add_argument(
        "--profile", default="embedded", help="a file of notebooks/params (default: embedded)"
    )
    parser.add_argument("--only", default="", help="notebooks, by name or number, with commas (default: all)")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="parameters of your own")
    parser.add_argument("--force", action="store_true", help="run pages that are up to date, too")
    parser.add_argument("--fresh", action="store_true", help="compute shipped rows again")
    parser.add_argument(
        "-j", "--jobs", type=_count, default=0, help="notebooks at once (default: one per core)"
    )
    parser.add_argument(
        "--why", action="store_true", help="say what changed since each page was made; run nothing"
    )
    parser.add_argument("--names", action="store_true", help="say which pages that would make; run nothing")
    parser.add_argument(
        "--out", default="", help="book folder for the pages (default: book; smoke has its own)"
    )
    return parser
