"""The objective that the authors published, re-implemented from its description, for comparison.

Every departure from the theory is kept: plain cost in the plan and squared cost in the objective, transport
weighted by 2, an inverse that is only encouraged, a soft-max over a prior that is a probability vector already.
Its number is a report, not a bound: never certified.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from tqdm import tqdm

from ..task import Task
from .bound import label_mismatch, reweighted_loss
from .head import Head
from .settings import GradientSettings
from .transform import Transform
from .transport import ClassProblem, solve_class, transport


@dataclass(frozen=True, eq=False)
class PublishedRun:
    """End of a run: the transformation (A_inv is the learned stand-in) and the reported terms."""

    transform: Transform
    reweighted: float  # nats
    mismatch: float  # nats
    distance: float  # mean over target classes of class-wise W_1; inf where one no reference class feeds


@dataclass(eq=False)
class _Free:
    """What the optimiser moves, before the soft-maxes."""

    A: Tensor
    A_inv: Tensor
    b: Tensor
    B: Tensor
    D: Tensor

    def label_map(self, learned: bool) -> tuple[Tensor, Tensor]:
        """Return B and D; fixed ones are used as they are."""
        return (torch.softmax(self.B, 0), torch.softmax(self.D, 0)) if learned else (self.B, self.D)


def run_published_objective(
    reference: Task,
    target: Task,
    head: Head,
    mode: str,
    fixed_q: Tensor,
    settings: GradientSettings,
    seed: int,
) -> PublishedRun:
    """Run the published optimisation and report its terms as the authors do.

    Args:
        reference: reference sample.
        target: target sample with (true or pseudo) labels.
        head: h_R.
        mode: "fixed_all", "learned_a" or "learned_all".
        fixed_q: the label map of the first two modes, (K_T, K_R).
        settings: steps, learning rates and weights with their sources.
        seed: of the start of B and of the batches.
    """
    generator = torch.Generator().manual_seed(seed)
    learned = mode == "learned_all"
    free = _start(reference, target, fixed_q, learned, generator)
    if learned and not settings.soft_prior:
        free.D = torch.log(free.D.clamp(min=1e-12))
    if mode == "fixed_all":
        settings = replace(settings, steps=0)
    moved = [free.A, free.A_inv, free.b, *([free.B] if learned else [])]
    groups = [{"params": moved, "lr": settings.lr}]
    if learned:
        groups.append({"params": [free.D], "lr": settings.lr_prior})
    for tensor in (*moved, *([free.D] if learned else [])):
        tensor.requires_grad_()
    optimiser = torch.optim.Adam(groups)
    class_losses = _class_losses(reference, head)
    for _ in tqdm(range(settings.steps), desc="authors' objective", leave=False, mininterval=1.0):
        optimiser.zero_grad()
        _objective(free, learned, reference, target, class_losses, settings, generator).backward()
        optimiser.step()
    with torch.no_grad():
        return _report(free, learned, reference, target, class_losses)


def _start(
    reference: Task, target: Task, fixed_q: Tensor, learned: bool, generator: torch.Generator
) -> _Free:
    eye, zero = torch.eye(reference.d, dtype=torch.float64), torch.zeros(reference.d, dtype=torch.float64)
    if learned:
        shape = (target.n_classes, reference.n_classes)
        B, D = torch.rand(shape, generator=generator, dtype=torch.float64), reference.prior
    else:
        pi = target.prior[:, None] * fixed_q
        D = pi.sum(0)
        B = torch.where(D > 0, pi / torch.where(D > 0, D, 1.0), 1.0 / target.n_classes)
    return _Free(eye.clone(), eye.clone(), zero, B.clone(), D.clone())


def _class_losses(reference: Task, head: Head) -> Tensor:
    """Mean loss of h_R on each reference class; 0 for a class without samples, which has no weight either."""
    losses = head.losses(reference.z, reference.labels)
    total = torch.zeros(reference.n_classes, dtype=torch.float64).index_add_(0, reference.labels, losses)
    return total / (reference.prior * len(reference)).clamp(min=1.0)


def _objective(
    free: _Free,
    learned: bool,
    reference: Task,
    target: Task,
    losses: Tensor,
    settings: GradientSettings,
    g: torch.Generator,
) -> Tensor:
    B, D = free.label_map(learned)
    i, j = _batch(reference, D.detach(), settings.batch, g), _batch(target, target.prior, settings.batch, g)
    z, y = reference.z[i] @ free.A.T + free.b, B.T[reference.labels[i]]
    z_t, y_t = target.z[j], torch.eye(target.n_classes, dtype=torch.float64)[target.labels[j]]
    with torch.no_grad():
        cost = torch.cdist(z, z_t) + settings.label_cost * torch.cdist(y, y_t)
        uniform = [torch.full((len(k),), 1.0 / len(k), dtype=torch.float64) for k in (i, j)]
        plan, _ = transport(cost, *uniform)
    rows, columns = plan.nonzero(as_tuple=True)
    costs = [((a[rows] - b[columns]) ** 2).sum(1) for a, b in ((z, z_t), (y, y_t))]
    features, labels = costs if settings.squared else [(cost + 1e-12).sqrt() for cost in costs]
    total = settings.weight_transport * (plan[rows, columns] @ (features + settings.label_cost * labels))
    if learned:
        present = reference.prior > 0
        total = total - (D * torch.xlogy(B, B).sum(0)).sum() + (D[present] * losses[present]).sum()
        total = total + settings.weight_prior * ((target.prior - B @ D) ** 2).sum()
    eye = torch.eye(len(free.A), dtype=torch.float64)
    inverse = ((free.A @ free.A_inv - eye) ** 2).sum() + ((free.A_inv @ free.A - eye) ** 2).sum()
    return total + settings.weight_inverse * inverse


def _batch(task: Task, fractions: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Rows of a batch with int(size * fraction) of each class, without replacement, at most what there is."""
    order = torch.randperm(len(task), generator=generator)
    y = task.labels[order]
    picked = [order[y == k][: int(size * float(fractions[k]))] for k in range(task.n_classes)]
    rows = torch.cat(picked)
    return rows if len(rows) else order[:1]


def _report(free: _Free, learned: bool, reference: Task, target: Task, losses: Tensor) -> PublishedRun:
    """Terms as the authors report them: hard labels, classes averaged with 1/K."""
    B, D = free.label_map(learned)
    z = reference.z @ free.A.T + free.b
    hard = B.argmax(0)[reference.labels]
    distances = []
    for i in torch.unique(target.labels).tolist():
        source = (hard == i).nonzero()[:, 0]
        if len(source) == 0:
            distances.append(math.inf)
            continue
        weight = torch.full((len(source),), 1.0 / len(source), dtype=torch.float64)
        problem = ClassProblem(i, 1.0, source, weight, (target.labels == i).nonzero()[:, 0])
        distances.append(solve_class(problem, z, target.z, "euclidean").value)
    transform = Transform(free.A.detach(), free.A_inv.detach(), free.b.detach(), B.detach(), D.detach())
    return PublishedRun(
        transform, reweighted_loss(losses, D), label_mismatch(D, B), sum(distances) / len(distances)
    )
