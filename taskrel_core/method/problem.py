"""The terms of the bound at one label map and one pull-back: what every search evaluates.

Each evaluation is a certified bound of its own, so no search over them can make a bound wrong.
"""

from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from ..task import Task
from .bound import label_mismatch, reweighted_loss
from .head import Head
from .settings import ExactSettings
from .transform import PullBack, complete, label_coupling
from .transport import ClassProblem, FixedDistances, Plan, pair_costs, solve_classes


@dataclass(frozen=True, eq=False)
class Solution:
    """One evaluation: label map, pull-back, plan and terms."""

    q: Tensor  # (K_T, K_R)
    pull: PullBack
    plan: Plan
    reweighted: float
    mismatch: float
    constant: float  # nats per unit of the metric

    @cached_property
    def bound(self) -> float:
        """Sum of the terms, nats."""
        return self.reweighted + self.mismatch + self.constant * self.plan.value


class Problem:
    """The two samples and the head: everything in the bound but the label map and the pull-back.

    Args:
        reference: labelled reference sample.
        target: target sample, with true or pseudo labels.
        head: h_R over all reference classes.
        settings: of the searches.
    """

    def __init__(self, reference: Task, target: Task, head: Head, settings: ExactSettings):
        self.reference, self.target, self.head, self.settings = reference, target, head, settings
        self.prior = target.prior
        self.rows_r = [(reference.labels == j).nonzero()[:, 0] for j in range(reference.n_classes)]
        self.rows_t = [(target.labels == i).nonzero()[:, 0] for i in range(target.n_classes)]
        self.logits = head.trusted_logits(reference.z)
        self.leading = reference.d if reference.d <= settings.full_turn else settings.leading
        # What an orthogonal A turns; it only shifts the rest.
        self.lead_r, self.lead_t = (task.z[:, : self.leading].contiguous() for task in (reference, target))

        self._known: dict[Tensor, list[ClassProblem]] = {}  # by label map

    def with_head(self, head: Head) -> "Problem":
        """Return the same problem with another head."""
        other = copy(self)
        other.head, other.logits = head, head.trusted_logits(self.reference.z)
        return other

    @cached_property
    def fixed(self) -> FixedDistances | None:
        """Distances over the coordinates that an orthogonal A does not turn."""
        if self.leading == self.reference.d:
            return None
        parts = (task.z[:, self.leading :].contiguous() for task in (self.reference, self.target))
        return FixedDistances(*parts)

    @cached_property
    def means(self) -> tuple[Tensor, Tensor]:
        """Means of the present classes of the target, and of all of the reference's: any point for absent ones."""
        t, r = self.target.z, self.reference.z
        return (
            torch.stack([t[rows].mean(0) for rows in self.rows_t if len(rows)]),
            torch.stack([r[rows].mean(0) if len(rows) else r[0] for rows in self.rows_r]),
        )

    def identity(self, shift: Tensor | None = None) -> PullBack:
        """Return the pull-back of A = I that moves the target's points by ``shift``, (d,)."""
        zeros = torch.zeros(self.reference.d, dtype=torch.float64)
        return PullBack(None, torch.eye(self.leading, dtype=torch.float64), zeros if shift is None else shift)

    def evaluate(self, q: Tensor, pull: PullBack, metric: str) -> Solution:
        """Return the terms at a label map and a pull-back, with the exact plan."""
        return self.with_plan(q, pull, metric, self.plan(q, pull, metric))

    def plan(self, q: Tensor, pull: PullBack, metric: str, only: int | None = None) -> Plan:
        """Return the exact plan of all target classes that are present, or of one alone."""
        prior, B = label_coupling(q, self.prior)
        used = prior > 0
        x_r, x_t = self._compared(pull, used, metric)
        allowed = B[:, used] > 0 if metric == "one_sided" else None
        fixed = self.fixed.shift(pull.m[self.leading :]) if pull.E is None and self.fixed else None
        problems = self.class_problems(q) if only is None else [self._class_problem(q, only)]
        return solve_classes(problems, x_r, x_t, metric, allowed, fixed)

    def with_plan(self, q: Tensor, pull: PullBack, metric: str, plan: Plan) -> Solution:
        """Return the terms at a label map and a pull-back, with the plan given."""
        prior, B = label_coupling(q, self.prior)
        used = prior > 0
        losses = self.class_losses(used)
        constant = 1.0
        if metric in ("euclidean", "span"):
            head = self.head.restrict(used.nonzero()[:, 0])
            seen = Head(pull.along(head.weight), head.bias)
            constant = (seen if metric == "euclidean" else head).lipschitz
        return Solution(q, pull, plan, reweighted_loss(losses, prior), label_mismatch(prior, B), constant)

    def class_losses(self, used: Tensor) -> Tensor:
        """Return L_j of the classes of the mask ``used``, (K_R,), the softmax over these alone; 0 for the others."""
        y, logits = self.reference.labels, self.logits
        if not used.all():
            rows = used[y]
            y, logits = y[rows], logits[rows][:, used]
        place = used.cumsum(0)[y] - 1
        losses = torch.logsumexp(logits, dim=1) - logits.gather(1, place[:, None])[:, 0]
        total = losses.new_zeros(len(used)).index_add_(0, y, losses)
        return total / torch.bincount(y, minlength=len(used)).clamp(min=1)

    def class_problems(self, q: Tensor) -> list[ClassProblem]:
        """Return the transport problem of each target class that is present; kept for each label map."""
        if q not in self._known:
            self._known[q] = [self._class_problem(q, i) for i, rows in enumerate(self.rows_t) if len(rows)]
        return self._known[q]

    def without_cancellation(self, solution: Solution) -> Solution:
        """Return a Euclidean solution with the cost of each pair computed from all coordinates of its two points."""
        if not self.fixed:
            return solution
        z, plan = solution.pull.of_target(self.target.z), solution.plan
        cost = pair_costs(self.reference.z[plan.source], z[plan.target], "euclidean")
        return replace(solution, plan=replace(plan, cost=cost))

    def in_span(self, solution: Solution, metric: str) -> Solution:
        """Return the solution measured under the next sharper ``metric``, in the span that the head sees."""
        pull = solution.pull
        if pull.E is None:  # from the whole space to the span
            E = self._span(solution.q)
            pull = PullBack(E, pull.along(E), E @ pull.m)
        return self.evaluate(solution.q, pull, metric)

    def transform(self, solution: Solution) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return A, A_inv, b of a solution, and a basis (d, w) of what A moves."""
        pull, eye = solution.pull, torch.eye(self.reference.d, dtype=torch.float64)
        if pull.E is None:
            A_inv = pull.turn(eye).T.contiguous()
            return A_inv.T.contiguous(), A_inv, -A_inv.T @ pull.m, eye[:, : self.leading]
        if len(pull.E) == 0:  # the head is constant: any A will do
            return eye, eye, torch.zeros(len(eye), dtype=eye.dtype), eye[:, :0]
        return complete(pull.M, pull.m, pull.E)

    def centred_rows(self, used: Tensor) -> Tensor:
        """Return the rows of W of the used classes less their mean, which no softmax can see."""
        rows = self.head.weight[used]
        return rows - rows.mean(0)

    def _class_problem(self, q: Tensor, label: int) -> ClassProblem:
        rows = [self.rows_r[j] for j in q[label].nonzero()[:, 0].tolist()]
        masses = q[label][q[label] > 0].tolist()
        parts = zip(masses, rows, strict=True)
        mass = torch.cat([torch.full((len(r),), q_ij / len(r), dtype=torch.float64) for q_ij, r in parts])
        return ClassProblem(
            label, float(self.prior[label]), torch.cat(rows), mass / mass.sum(), self.rows_t[label]
        )

    def _compared(self, pull: PullBack, used: Tensor, metric: str) -> tuple[Tensor, Tensor]:
        """What the ground cost compares: features, span coordinates, or logits of the used classes."""
        if pull.E is None:
            return self.lead_r, self.lead_t @ pull.M.T + pull.m[: self.leading]
        x_r, x_t = pull.of_reference(self.reference.z), pull.of_target(self.target.z)
        if metric in ("euclidean", "span"):
            return x_r, x_t
        V = pull.of_reference(self.centred_rows(used))
        return x_r @ V.T, x_t @ V.T

    def _span(self, q: Tensor) -> Tensor:
        """Orthonormal rows that span the differences of the used rows of W, (r, d)."""
        rows = self.centred_rows(label_coupling(q, self.prior)[0] > 0)
        _, S, Vh = torch.linalg.svd(rows, full_matrices=False)
        return Vh[1e-12 * max(float(S.max()), 1e-300) < S]
