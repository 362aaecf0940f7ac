"""``make bench``: the exact method beside the authors' objective and a plain transport, side by side in one run.

Machines differ and are noisy: quote the ratios. ``--steps`` shortens the authors' objective (published: 2001), whose
time then grows in proportion; ``--largest`` ends the series over n earlier.
"""

import argparse
import math
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import ot
import torch

from taskrel_core import Task, relatedness, transferability
from taskrel_core.extraction import features, standardise
from taskrel_core.method.settings import GradientSettings
from taskrel_core.method.transport import ClassProblem, solve_class


def main(arguments: list[str]) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=GradientSettings.steps, help="of the authors' objective")
    parser.add_argument("--largest", type=int, default=8000, help="samples a side in the series over n")
    args = parser.parse_args(arguments)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    reference = features("fashion_mnist", "lenet", n=3000)
    target = features("digits", "lenet", split="all", fitted_on="fashion_mnist")
    reference, target = standardise(reference, target)
    print(
        f"LeNet features, Fashion-MNIST -> digits: {len(reference)} x {len(target)} points, {target.d} features"
    )
    for tau in (0.02, 0.2):
        certified_costs(reference, target, tau)
    against_gradient(reference, target, args.steps)
    over_n(args.largest)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return seconds and result."""
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


def certified_costs(reference: Task, target: Task, tau: float) -> None:
    """The four certified bounds beside the best head and log K."""
    seconds, r = timed(lambda: relatedness(reference, target, tau, metric="one_sided"))
    best = transferability(target, tau)
    bounds = ", ".join(f"{metric} {value:.3f}" for metric, value in r.chain.items())
    print(f"tau {tau}: {bounds}; best head {best.loss:.3f}, log K {math.log(target.n_classes):.3f}")
    print(
        f"  one-sided above the best head by {r.bound - best.loss:.3f}, certified {r.certified}, {seconds:.1f} s"
    )


def against_gradient(reference: Task, target: Task, steps: int) -> None:
    """Exact (Euclidean) against the authors' objective: time, bound, accuracy of the transformed classifier."""
    seconds, exact = timed(lambda: relatedness(reference, target, 0.02))
    settings = GradientSettings(steps=steps)
    slow, published = timed(
        lambda: relatedness(reference, target, 0.02, method="gradient", gradient=settings)
    )
    print(
        f"exact:    {seconds:8.1f} s  bound {exact.bound:.3f} certified {exact.certified}, accuracy {exact.accuracy:.3f}"
    )
    print(
        f"authors': {slow:8.1f} s  reported {published.bound:.3f} certified {published.certified}, "
        f"accuracy {published.accuracy:.3f}, {steps} steps"
    )
    at_full = slow * GradientSettings.steps / max(steps, 1)
    print(
        f"ratio {slow / seconds:.0f} at {steps} steps; in proportion at {GradientSettings.steps}: {at_full / seconds:.0f}"
    )


def over_n(largest: int) -> None:
    """One transport a class against a single transport over all points, same value, growing n."""
    n = 500
    while n <= largest:
        reference = features("fashion_mnist", "lenet", n=n)
        target = features("mnist", "lenet", n=n, fitted_on="fashion_mnist")
        reference, target = standardise(reference, target)
        by_class, w = timed(lambda r=reference, t=target: class_wise(r, t))
        plain, w_plain = timed(lambda r=reference, t=target: single(r, t))
        print(
            f"n {n:5d}: by class {by_class:7.2f} s, single {plain:8.2f} s, ratio {plain / by_class:5.1f}; W {w:.6f} {w_plain:.6f}"
        )
        n *= 2


def class_wise(reference: Task, target: Task) -> float:
    """W with an infinite cost of changing the label, one problem a class (class i to class i)."""
    total = 0.0
    for i in range(target.n_classes):
        source, points = ((task.labels == i).nonzero()[:, 0] for task in (reference, target))
        weight = torch.full((len(source),), 1.0 / len(source), dtype=torch.float64)
        problem = ClassProblem(i, float(target.prior[i]), source, weight, points)
        total += solve_class(problem, reference.z, target.z, "euclidean").value
    return total


def single(reference: Task, target: Task) -> float:
    """The same by one transport over all points, with a label cost that no optimal plan pays."""
    cost = torch.cdist(reference.z, target.z)
    label_cost = 1e3 * float(cost.max())
    cost = cost + label_cost * (reference.labels[:, None] != target.labels[None, :])
    a = (target.prior / reference.prior)[reference.labels] / len(reference)
    b = torch.full((len(target),), 1.0 / len(target), dtype=torch.float64)
    return float(ot.emd2(a.numpy(), b.numpy(), cost.numpy(), numItermax=20_000_000))


if __name__ == "__main__":
    main(sys.argv[1:])
