"""``make gpu``: whether a GPU gives what the CPU gives, for each part that runs there, and how long both take.

The device is ``TASKREL_DEVICE``, else the first that torch finds. Everything is made here or carried by packages, so nothing
is downloaded. Exit codes: 0 equal within the tolerances, or no GPU at hand; 1 some part differs.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from .. import environment
from ..data.datasets import DATASETS
from ..encoders.base import ENCODERS
from ..method.head import transferability
from ..method.solve import relatedness
from ..task import Task
from .fine_tuning import FineTuning

KINDS = ("cuda", "xpu")  # Apple's mps has no double precision, in which the method computes
NONE = (
    "no GPU: torch {version} finds none of {kinds} here, so there is nothing to compare; the CPU computes everything. "
    "On a machine with a GPU, with a build of torch that knows it, run make gpu again"
)


@dataclass(frozen=True)
class Part:
    """One thing that runs on a device.

    Attributes:
        compute: what is compared, an array.
        tolerance: largest difference that is allowed, as a fraction of the largest value (of 1 for accuracies).
        why: where the tolerance comes from.
    """

    name: str
    compute: Callable[[], np.ndarray]
    tolerance: float
    why: str


def parts(n: int = 2000, d: int = 256, k: int = 20, images: int = 1200) -> list[Part]:
    """The parts: n samples of d features in k classes for the method, so many images for the networks."""
    reference, target = _planted(n, d, k, 0), _planted(n, d, k, 1)
    pictures = DATASETS["digits"].load("train")[0][:images]
    tested = min(500, images)
    tuning = FineTuning("digits", "efficientnet_lite0_random", epochs=1, n=images, n_test=tested, size=64)
    noise = 3 * (2 * 0.25 / tested) ** 0.5

    def head() -> np.ndarray:
        return np.array([transferability(target, 0.2).loss])

    def bounds() -> np.ndarray:
        return np.array(list(relatedness(reference, target, 0.2, metric="one_sided").chain.values()))

    def encoded() -> np.ndarray:
        return ENCODERS["efficientnet_lite0_random"].features(pictures, 64)

    def tuned() -> np.ndarray:
        return np.array([tuning.compute()["fine_tuned"]])

    return [
        Part("heads", head, 1e-6, "the gap that the fit is solved to"),
        Part("refinement", bounds, 1e-2, "sums in another order may end a search elsewhere"),
        Part("features", encoded, 5e-3, "convolutions in TF32 keep 10 bits"),
        Part("fine-tuning", tuned, noise, "three standard errors of the difference of two runs"),
    ]


def main(names: list[Part] | None = None) -> int:
    """Print a line for each part and return the exit code."""
    device = found()
    if device is None:
        print(NONE.format(version=torch.__version__, kinds=", ".join(KINDS)))
        return 0
    print(f"{device}: {_name(device)}, torch {torch.__version__}")
    differing = [part.name for part in names or parts() if not compared(part, device)]
    if differing:
        print(f"error: {device} and CPU differ in {', '.join(differing)}", file=sys.stderr)
    return 1 if differing else 0


def found() -> str | None:
    """The device to compare with the CPU, or None."""
    environment.check()
    if (named := environment.device()) != "cpu":
        return named
    return next((kind for kind in KINDS if torch.get_device_module(kind).is_available()), None)


def compared(part: Part, device: str) -> bool:
    """Compute a part on both, print difference and times, and return whether they agree."""
    with on(device):
        part.compute()  # once for the device's start
        there, seconds = _timed(part)
    with on("cpu"):
        here, cpu = _timed(part)
    apart = difference(here, there, absolute=part.name == "fine-tuning")
    agree = bool(apart <= part.tolerance)
    words = f"{part.name:12} {'equal' if agree else 'DIFFERENT'}: {apart:.1e} of at most {part.tolerance:.1e} ({part.why})"
    print(
        f"{words}; {device} {seconds:.2f} s, CPU {cpu:.2f} s, {cpu / seconds:.1f} times as long", flush=True
    )
    return agree


def difference(here: np.ndarray, there: np.ndarray, absolute: bool = False) -> float:
    """The largest difference, as a fraction of the largest value of the CPU; infinite where one is no number."""
    if here.shape != there.shape or not (np.isfinite(here).all() and np.isfinite(there).all()):
        return float("inf")
    return float(np.abs(here - there).max() / (1.0 if absolute else max(np.abs(here).max(), 1e-300)))


@contextmanager
def on(device: str) -> Iterator[None]:
    """Let everything run on a device for a while."""
    before = os.environ.get("TASKREL_DEVICE")
    os.environ["TASKREL_DEVICE"] = device
    try:
        yield
    finally:
        os.environ.pop("TASKREL_DEVICE")
        os.environ |= {} if before is None else {"TASKREL_DEVICE": before}


def _timed(part: Part) -> tuple[np.ndarray, float]:
    started = time.perf_counter()
    return part.compute(), time.perf_counter() - started


def _name(device: str) -> str:
    return torch.get_device_module(device.partition(":")[0]).get_device_name(device)


def _planted(n: int, d: int, k: int, seed: int) -> Task:
    """Unit Gaussians around k random means, balanced."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % k
    return Task(0.7 * rng.normal(size=(k, d))[y] + rng.normal(size=(n, d)), y, k)


if __name__ == "__main__":
    sys.exit(main())
