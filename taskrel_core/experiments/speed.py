"""Time and memory of the parts of the method on planted problems, each measured in a process of its own.

A row says where it was measured. Machines differ and are noisy: compare rows of one machine, and quote ratios.
"""

import math
import os
import platform
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from typing import Any

import ot
import torch
from joblib import delayed
from joblib.externals.loky import get_reusable_executor

from .. import environment
from .._validation import check_choice, check_count
from ..extraction import standardise
from ..method.settings import GradientSettings
from ..method.solve import relatedness
from ..method.transport import ClassProblem, solve_class
from ..metrics.base import BASELINES
from ..task import Task
from .row import Row
from .scored import SCORED
from .workers import workers

LABEL_COST = 1e3  # of the plain transport, against its largest distance: no optimal plan pays it
SEPARATION = 0.7  # spread of class means, against a deviation of 1 inside a class


@dataclass(frozen=True)
class Timing(Row):
    """One measurement.

    Attributes:
        what: "exact" (``relatedness``, Euclidean), "one_sided" (the same, one-sided, tau = 0.2), "authors" (their
            objective, ``steps`` measured and taken up to all), "plain" (one transport over all points),
            "by_class" (the same value by one transport per class), "metrics" (all of SCORED; the source's head is one of its
            class means; the value is how many they are), "cluster" (``rows`` calls of "exact" on
            ``workers`` Dask workers of this machine), or "processes" (the same in as many plain processes).
        n: samples of the target; n_reference: of the reference, None: as many.
        d: features.
        k: classes of the target; k_reference: of the reference, None: as many.
        threads: of torch and the solvers.
    """

    kind = "Timing"
    version = 2

    what: str
    n: int = 2000
    d: int = 256
    k: int = 10
    n_reference: int | None = None
    k_reference: int | None = None
    steps: int = 20
    rows: int = 12
    workers: int = 1
    threads: int = 1
    seed: int = 0

    def compute(self) -> dict[str, Any]:
        """Return the row: seconds of wall time, peak memory of the process in MB, the value found, and the machine.

        The value is None where it is infinite: the authors' objective may report that after few steps.

        Raises:
            ValueError: an unknown ``what``, or a size below 1.
        """
        s = self
        check_choice(s.what, "what", tuple(WHAT))
        for name in ("n", "d", "k", "steps", "rows", "workers", "threads"):
            check_count(getattr(s, name), name)
        with ProcessPoolExecutor(1, get_context("spawn")) as alone:
            found = alone.submit(_inside, s).result()
        return {
            **asdict(s),
            **found,
            "cpu": f"{platform.machine()}, {os.cpu_count()} cores",
            "device": environment.device(),
        }


def planted(s: Timing) -> tuple[Task, Task]:
    """Return a reference of Gaussian classes, and a target half of whose classes are turned copies of its own."""
    generator = torch.Generator().manual_seed(s.seed)
    k_r, n_r = s.k_reference or s.k, s.n_reference or s.n
    means = SEPARATION * torch.randn(k_r, s.d, generator=generator, dtype=torch.float64)
    others = SEPARATION * torch.randn(s.k, s.d, generator=generator, dtype=torch.float64)
    half = min(s.k // 2, k_r)
    others[:half] = means[torch.randperm(k_r, generator=generator)[:half]]
    turn = torch.linalg.qr(torch.randn(s.d, s.d, generator=generator, dtype=torch.float64)).Q
    tasks = []
    for centres, n in ((means, n_r), (others, s.n)):
        y = torch.arange(n) % len(centres)
        z = centres[y] + torch.randn(n, s.d, generator=generator, dtype=torch.float64)
        tasks.append(Task(z if centres is means else z @ turn, y, len(centres)))
    return standardise(*tasks)


def _inside(s: Timing) -> dict[str, Any]:
    """What the process of its own does."""
    torch.set_num_threads(s.threads)
    seconds, value = WHAT[s.what](s)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    value = value if math.isfinite(value) else None
    return {"seconds": seconds, "value": value, "peak_mb": peak, "log_k": math.log(s.k)}


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    value = call()
    return time.perf_counter() - started, value


def _exact(s: Timing) -> tuple[float, float]:
    reference, target = planted(s)
    return _timed(lambda: relatedness(reference, target, 0.02).bound)


def _one_sided(s: Timing) -> tuple[float, float]:
    reference, target = planted(s)
    relatedness(*planted(replace(s, n=60, d=5, k=3)), metric="one_sided")  # imports and caches
    return _timed(lambda: relatedness(reference, target, 0.2, metric="one_sided").bound)


def _authors(s: Timing) -> tuple[float, float]:
    reference, target = planted(s)
    few = GradientSettings(steps=s.steps)
    relatedness(
        reference, target, 0.02, method="gradient", gradient=replace(few, steps=1)
    )  # imports and caches
    rest, value = _timed(lambda: relatedness(reference, target, 0.02, method="gradient", gradient=few).bound)
    return rest * GradientSettings.steps / s.steps, value


def _by_class(s: Timing) -> tuple[float, float]:
    reference, target = planted(s)

    def solve() -> float:
        total = 0.0
        for i in range(target.n_classes):
            source, points = ((task.labels == i).nonzero()[:, 0] for task in (reference, target))
            weight = torch.full((len(source),), 1.0 / len(source), dtype=torch.float64)
            problem = ClassProblem(i, float(target.prior[i]), source, weight, points)
            total += solve_class(problem, reference.z, target.z, "euclidean").value
        return total

    return _timed(solve)


def _plain(s: Timing) -> tuple[float, float]:
    reference, target = planted(s)

    def solve() -> float:
        cost = torch.cdist(reference.z, target.z)
        cost = cost + LABEL_COST * cost.max() * (reference.labels[:, None] != target.labels[None, :])
        a = (target.prior / reference.prior)[reference.labels] / len(reference)
        b = torch.full((len(target),), 1.0 / len(target), dtype=torch.float64)
        return float(ot.emd2(a.numpy(), b.numpy(), cost.numpy(), numItermax=20_000_000))

    return _timed(solve)


def _metrics(s: Timing) -> tuple[float, float]:
    reference, target = planted(s)
    means = torch.stack([reference.z[reference.labels == j].mean(0) for j in range(reference.n_classes)])
    posteriors = torch.softmax(target.z @ means.T - means.square().sum(1) / 2, dim=1)
    given = {"reference": reference, "source_posteriors": posteriors.numpy()}
    return _timed(lambda: float(len([BASELINES[name](target=target, **given) for name in SCORED])))


def _cluster(s: Timing) -> tuple[float, float]:
    """Seconds of all the calls, once every worker has imported the package; the value is the mean of the bounds."""
    kind = "dask" if s.what == "cluster" else "loky"
    os.environ |= {"TASKREL_BACKEND": kind, "OMP_NUM_THREADS": str(s.threads)}
    os.environ.pop("TASKREL_SCHEDULER", None)
    each = [replace(s, what="exact", seed=s.seed + k) for k in range(s.rows)]
    with workers(s.workers) as parallel:
        list(parallel(delayed(_exact)(replace(s, n=100)) for _ in range(4 * s.workers)))
        seconds, found = _timed(lambda: list(parallel(delayed(_exact)(e) for e in each)))
    if kind == "loky":
        get_reusable_executor().shutdown(wait=True)  # else its idle processes hold up the end of this one
    return seconds, sum(value for _, value in found) / len(found)


WHAT: dict[str, Callable[[Timing], tuple[float, float]]] = {
    "exact": _exact,
    "one_sided": _one_sided,
    "authors": _authors,
    "plain": _plain,
    "by_class": _by_class,
    "metrics": _metrics,
    "cluster": _cluster,
    "processes": _cluster,
}
