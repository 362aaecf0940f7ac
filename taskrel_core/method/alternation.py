"""The alternation at the heart of the exact method: exact plans at fixed A, a closed-form A at fixed plans.

Every iterate is a certified bound of its own; the smallest is kept. Nothing here can make a bound wrong.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from ..task import Task
from .bound import label_mismatch, reweighted_loss
from .head import Head
from .refinement import descend
from .settings import EXACT
from .transform import PullBack, complete, coupling, procrustes
from .transport import ClassProblem, Plan, Rest, pair_costs, solve_class

__all__ = ["Solution", "Solver"]


@dataclass(frozen=True, eq=False)
class Solution:
    """One iterate: label map, pull-back, plan and terms."""

    q: Tensor  # (K_T, K_R)
    pull: PullBack
    plans: list[Plan]  # one a class present in the target
    reweighted: float
    mismatch: float
    constant: float  # nats per unit of the metric

    @cached_property
    def plan(self) -> Plan:
        """The plans of all classes together."""
        return Plan.join(self.plans)

    @cached_property
    def bound(self) -> float:
        """Sum of the terms, nats."""
        return self.reweighted + self.mismatch + self.constant * self.plan.value


class Solver:
    """Terms of one (reference, target, head) and the steps that lower their sum.

    Args:
        reference: labelled reference sample.
        target: target sample, with true or pseudo labels.
        head: h_R over all reference classes.
    """

    def __init__(self, reference: Task, target: Task, head: Head):
        self.reference, self.target, self.head = reference, target, head
        self.prior = target.prior
        self.rows_r = [(reference.labels == j).nonzero()[:, 0] for j in range(reference.n_classes)]
        self.rows_t = [(target.labels == i).nonzero()[:, 0] for i in range(target.n_classes)]
        self.logits = head.logits(reference.z)
        self.leading = leading = reference.d if reference.d <= EXACT.full_turn else EXACT.leading
        # What an orthogonal A turns; it only shifts the rest.
        self.lead_r, self.lead_t = (task.z[:, :leading].contiguous() for task in (reference, target))

    @cached_property
    def rest(self) -> Rest | None:
        """Distances over the coordinates that an orthogonal A does not turn."""
        if self.leading == self.reference.d:
            return None
        return Rest(*(task.z[:, self.leading :].contiguous() for task in (self.reference, self.target)))

    @cached_property
    def means(self) -> tuple[Tensor, Tensor]:
        """Means of the target's classes that are present, and of all of the reference's: any point for absent ones."""
        t, r = self.target.z, self.reference.z
        return (
            torch.stack([t[rows].mean(0) for rows in self.rows_t if len(rows)]),
            torch.stack([r[rows].mean(0) if len(rows) else r[0] for rows in self.rows_r]),
        )

    def start(self) -> PullBack:
        """Return the pull-back of A = I, b = 0."""
        zeros = torch.zeros(self.reference.d, dtype=torch.float64)
        return PullBack(None, torch.eye(self.leading, dtype=torch.float64), zeros)

    def evaluate(self, q: Tensor, pull: PullBack, metric: str) -> Solution:
        """Return the terms at a label map and a pull-back, with exact plans."""
        return self._summed(q, pull, metric, self._plans(q, pull, metric))

    def _plans(self, q: Tensor, pull: PullBack, metric: str, classes: list[int] | None = None) -> list[Plan]:
        """Exact plans of the target classes ``classes``, or of all that are present."""
        prior, B = coupling(q, self.prior)
        used = prior > 0
        x_r, x_t = self._seen(pull, used, metric)
        allowed = B[:, used] > 0 if metric == "one_sided" else None
        rest = self.rest.shift(pull.m[self.leading :]) if pull.E is None and self.rest else None
        return [solve_class(p, x_r, x_t, metric, allowed, rest) for p in self._problems(q, classes)]

    def _summed(self, q: Tensor, pull: PullBack, metric: str, plans: list[Plan]) -> Solution:
        """The terms at a label map and a pull-back, with the plans of all classes."""
        prior, B = coupling(q, self.prior)
        used = prior > 0
        losses = self.class_losses(used)
        constant = 1.0
        if metric in ("euclidean", "span"):
            used_head = self.head.only(used.nonzero()[:, 0])
            seen = Head(pull.along(used_head.weight), used_head.bias)
            constant = (seen if metric == "euclidean" else used_head).lipschitz
        return Solution(q, pull, plans, reweighted_loss(losses, prior), label_mismatch(prior, B), constant)

    def class_losses(self, used: Tensor) -> Tensor:
        """Return L_j of the classes of the mask ``used``, with the others dropped from the softmax, and 0 for those."""
        losses, kept = self.logits.new_zeros(len(used)), used.nonzero()[:, 0].tolist()
        for place, j in enumerate(kept):
            log_h = torch.log_softmax(self.logits[self.rows_r[j]][:, used], dim=1)
            losses[j] = -log_h[:, place].mean()
        return losses

    def euclidean(self, q: Tensor, rounds: int) -> Solution:
        """Return the best solution of the Euclidean cost with an orthogonal A, from the better of two starts."""
        straight = self.turn(self.evaluate(q, self.start(), "euclidean"), 1)
        start = min(straight, self._turned_start(q), key=lambda s: s.bound)
        return self.turn(start, rounds)

    def exactly(self, solution: Solution) -> Solution:
        """Return a Euclidean solution with the cost of each pair computed from all coordinates of its two points."""
        if not self.rest:
            return solution
        z, plans = solution.pull.of_target(self.target.z), []
        for p in solution.plans:
            plans.append(replace(p, cost=pair_costs(self.reference.z[p.source], z[p.target], "euclidean")))
        return replace(solution, plans=plans)

    def turn(self, solution: Solution, rounds: int) -> Solution:
        """Alternate plans and weighted Procrustes until the bound stops falling; return the best iterate."""
        best, current, stale = solution, solution, 0
        for _ in range(rounds):
            current = self.evaluate(solution.q, self._procrustes(current.plan), "euclidean")
            stale = 0 if current.bound < best.bound * (1 - EXACT.slack) else stale + 1
            best = min(best, current, key=lambda s: s.bound)
            if stale >= EXACT.patience:
                break
        return best

    def sharpen(self, solution: Solution, metric: str, learn: bool) -> Solution:
        """Start from a solution of the metric before and lower the bound under ``metric``."""
        pull, E = solution.pull, self._span(solution)
        if pull.E is None:  # from the whole space to the span
            pull = PullBack(E, pull.along(E), E @ pull.m)
        best = self.evaluate(solution.q, pull, metric)
        if not learn or len(E) == 0:
            return best
        for _ in range(EXACT.sharpen_rounds):
            step = self.evaluate(best.q, self._descend(best, metric), metric)
            done = step.bound > best.bound * (1 - EXACT.slack)
            best = min(best, step, key=lambda s: s.bound)
            if done:
                break
        return best

    def soften(self, solution: Solution) -> Solution:
        """Let target classes draw a share from a second reference class where that lowers the Euclidean bound."""
        best = solution
        for i, j in self._second_sources(solution):
            place = int((self.prior[:i] > 0).sum())
            for share in (0.1, 0.3):
                q = best.q.clone()
                q[i] *= 1 - share
                q[i, j] += share
                plans = list(best.plans)  # the other classes draw what they drew
                plans[place] = self._plans(q, best.pull, "euclidean", [i])[0]
                best = min(best, self._summed(q, best.pull, "euclidean", plans), key=lambda s: s.bound)
        return best

    def transform(self, solution: Solution) -> tuple[Tensor, Tensor, Tensor]:
        """Return A, A_inv, b of a solution."""
        pull, eye = solution.pull, torch.eye(self.reference.d, dtype=torch.float64)
        if pull.E is None:
            A_inv = pull.turn(eye).T.contiguous()
            return A_inv.T.contiguous(), A_inv, -A_inv.T @ pull.m
        if len(pull.E) == 0:  # the head looks at nothing: any A will do
            return eye, eye, torch.zeros(len(eye), dtype=eye.dtype)
        return complete(pull.M, pull.m, pull.E)

    def _seen(self, pull: PullBack, used: Tensor, metric: str) -> tuple[Tensor, Tensor]:
        """What the ground cost compares: features, span coordinates, or logits of the used classes."""
        if pull.E is None:
            return self.lead_r, self.lead_t @ pull.M.T + pull.m[: self.leading]
        x_r, x_t = pull.of_reference(self.reference.z), pull.of_target(self.target.z)
        if metric in ("euclidean", "span"):
            return x_r, x_t
        V = pull.of_reference(self._centred_rows(used))
        return x_r @ V.T, x_t @ V.T

    def _centred_rows(self, used: Tensor) -> Tensor:
        """Rows of W of the used classes less their mean, which no softmax and no difference of classes can see."""
        rows = self.head.weight[used]
        return rows - rows.mean(0)

    def _problems(self, q: Tensor, classes: list[int] | None = None) -> list[ClassProblem]:
        problems = []
        for i in range(len(q)) if classes is None else classes:
            rows = self.rows_t[i]
            if len(rows) == 0:
                continue
            sources = q[i].nonzero()[:, 0].tolist()
            weight = [
                torch.full((len(self.rows_r[j]),), float(q[i, j]) / len(self.rows_r[j]), dtype=torch.float64)
                for j in sources
            ]
            mass = torch.cat(weight)
            source = torch.cat([self.rows_r[j] for j in sources])
            problems.append(ClassProblem(i, float(self.prior[i]), source, mass / mass.sum(), rows))
        return problems

    def _span(self, solution: Solution) -> Tensor:
        """Orthonormal rows that span the differences of the used rows of W, (r, d)."""
        rows = self._centred_rows(coupling(solution.q, self.prior)[0] > 0)
        _, S, Vh = torch.linalg.svd(rows, full_matrices=False)
        return Vh[1e-12 * max(float(S.max()), 1e-300) < S]

    def _procrustes(self, plan: Plan, passes: int = 2, flip: bool = False) -> PullBack:
        """Orthogonal A and b for plain (un-squared) distances: weights plan / distance, re-weighted a few times."""
        source, target, cost = self.lead_r[plan.source], self.lead_t[plan.target], plan.cost
        M, m = self.start().M, self.start().m
        squares = self.rest.squares(plan.source, plan.target) if self.rest else None
        for _ in range(passes):
            weight = plan.mass / cost.clamp(min=1e-6 * float(cost.max()) + 1e-12)
            A, b = procrustes(source, target, weight, flip)
            M, m = A.T.contiguous(), -A.T @ b
            cost = (source - target @ A - m).norm(dim=1)
            if self.rest:
                moved = self._mean_of_rest(self.rest, plan, weight / weight.sum())
                pairs = self.rest.shift(moved).pairs(squares, plan.source, plan.target)
                cost = (cost**2 + pairs).clamp(min=0).sqrt()
                m = torch.cat([m, moved])
        return PullBack(None, M, m)

    def _mean_of_rest(self, rest: Rest, plan: Plan, weight: Tensor) -> Tensor:
        """Weighted mean of reference less target over the pairs of a plan, in the coordinates that only shift."""
        of_r, of_t = torch.zeros(len(self.reference)).double(), torch.zeros(len(self.target)).double()
        of_r.index_add_(0, plan.source, weight)
        of_t.index_add_(0, plan.target, weight)
        return of_r @ rest.r - of_t @ rest.t

    def _turned_start(self, q: Tensor) -> Solution:
        """A start that no turn of the axes changes: plans in the span of the class means, aligned there."""
        present = self.prior > 0
        t, means = self.means
        r, weight = q[present] @ means, self.prior[present]
        shift_t, shift_r = weight @ t, weight @ r
        # The SVD of the cross-covariance (d, d), of rank K_T at most, by way of its two thin factors.
        left, right = (torch.linalg.qr(x.T) for x in ((t - shift_t) * weight[:, None], r - shift_r))
        U, S, Vh = torch.linalg.svd(left.R @ right.R.T)
        kept = 1e-9 * max(float(S.max()), 1e-300) < S
        U, Vh = left.Q @ U[:, kept], Vh[kept] @ right.Q.T
        x_r, x_t = self.reference.z @ Vh.T - shift_r @ Vh.T, self.target.z @ U - shift_t @ U
        plan = Plan.join([solve_class(p, x_r, x_t, "euclidean") for p in self._problems(q)])
        sides = [self.evaluate(q, self._procrustes(plan, flip=flip), "euclidean") for flip in (False, True)]
        return min(sides, key=lambda s: s.bound)

    def _descend(self, solution: Solution, metric: str) -> PullBack:
        """The solution's pull-back after steps on the true cost at its plan."""
        pull, (prior, B) = solution.pull, coupling(solution.q, self.prior)
        used = prior > 0
        V = torch.eye(len(pull.M), dtype=torch.float64)
        if metric in ("logit", "one_sided"):
            V = pull.of_reference(self._centred_rows(used))
        mask = (B[:, used] > 0)[self.target.labels] if metric == "one_sided" else None
        seen = pull.of_reference(self.reference.z)
        return descend(pull, solution.plan, seen, self.target.z, V, metric, mask)

    def _second_sources(self, solution: Solution) -> list[tuple[int, int]]:
        """The most promising pairs (target class, further reference class), by class means in the pull-back."""
        x_r, x_t = solution.pull.of_reference(self.reference.z), solution.pull.of_target(self.target.z)
        t, r = ([k for k, part in enumerate(rows) if len(part)] for rows in (self.rows_t, self.rows_r))
        means_t, means_r = (
            torch.stack([x[rows[k]].mean(0) for k in kept])
            for x, rows, kept in ((x_t, self.rows_t, t), (x_r, self.rows_r, r))
        )
        losses = self.class_losses(self.reference.prior > 0)[r]
        gain = self.prior[t][:, None] * (self.head.lipschitz * torch.cdist(means_t, means_r) + losses)
        gain[solution.q[t][:, r] > 0] = torch.inf
        best = gain.flatten().argsort()[: EXACT.second_sources].tolist()
        return [(t[k // len(r)], r[k % len(r)]) for k in best if gain.flatten()[k] < torch.inf]
