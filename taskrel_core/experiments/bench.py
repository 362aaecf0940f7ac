"""``make bench``: how long the method takes here, as rows of ``speed``, each in a process of its own.

Machines differ and are noisy: quote the ratios. ``--steps`` is how many steps of the authors' objective are measured;
their time is taken in proportion to all of them. ``--quick`` leaves out the sizes that take longest.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .speed import Timing

SIZES = [(60, 5, 3), (1000, 200, 10), (1000, 64, 50), (1000, 64, 100), (1000, 64, 200), (1000, 64, 500)]
BUSY = "while True: pass"


def main(arguments: list[str]) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=20, help="of the authors' objective, measured")
    parser.add_argument("--quick", action="store_true", help="only the two smallest sizes")
    args = parser.parse_args(arguments)
    sizes = SIZES[:2] if args.quick else SIZES
    against_authors(2000, 256, 10, args.steps)
    print("\none-sided, seconds: one thread, default threads, and one thread beside two busy loops")
    for n, d, k in sizes:
        row = Timing("one_sided", n=n, d=d, k=k)
        one, default = seconds(row), seconds(Timing("one_sided", n=n, d=d, k=k, threads=os.cpu_count() or 1))
        with busy(2):
            loaded = seconds(row)
        times = f"{one:7.2f} {default:7.2f} {loaded:7.2f}; loaded / quiet {loaded / one:.1f}"
        print(f"{k:4d} classes x {n:5d} samples x {d:4d} features: {times}", flush=True)
    torch, package = (import_time(name) for name in ("torch", "taskrel_core"))
    print(f"\nimport torch {torch:.2f} s, import taskrel_core {package:.2f} s")


def against_authors(n: int, d: int, k: int, steps: int) -> None:
    """Exact (Euclidean) against the authors' objective, and one transport per class against one over all points."""
    print(f"{k} classes x {n} samples x {d} features")
    for fast, slow in (("exact", "authors"), ("by_class", "plain")):
        times = [seconds(Timing(what, n=n, d=d, k=k, steps=steps)) for what in (fast, slow)]
        print(
            f"{fast:>8} {times[0]:8.2f} s, {slow:>8} {times[1]:8.2f} s, ratio {times[1] / times[0]:.1f}",
            flush=True,
        )


def seconds(row: Timing) -> float:
    """The seconds of a row."""
    return row.compute()["seconds"]


@contextmanager
def busy(loops: int) -> Iterator[None]:
    """So many processes that use a core each."""
    running = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(loops)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def import_time(name: str, runs: int = 3) -> float:
    """The least seconds that a new interpreter takes to start and import a module."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {name}"], check=True)
        times.append(time.perf_counter() - started)
    return min(times)


if __name__ == "__main__":
    main(sys.argv[1:])
