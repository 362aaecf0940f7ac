"""The alternation at the heart of the exact method: exact plans at fixed A, a closed-form A at fixed plans.

Every iterate is a certified bound of its own; the smallest is kept. Nothing here can make a bound wrong.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .bound import label_mismatch, loss_constant, reweighted_loss
from .config import EXACT
from .head import Head
from .tasks import Task
from .transform import clip_spectrum, complete, coupling, procrustes, shrink
from .wasserstein import ClassProblem, Plan, solve_class

__all__ = ["PullBack", "Solution", "Solver"]


@dataclass(frozen=True, eq=False)
class PullBack:
    """Coordinates E z of the reference and M z + m of the target, in which transport is measured."""

    E: Tensor  # (p, d), orthonormal rows
    M: Tensor  # (p, d), singular values at most 1
    m: Tensor  # (p,)


@dataclass(frozen=True, eq=False)
class Solution:
    """One iterate: label map, pull-back, plan and terms."""

    q: Tensor  # (K_T, K_R)
    pull: PullBack
    plan: Plan
    reweighted: float
    mismatch: float
    constant: float  # nats per unit of the metric

    @property
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
        self._basis: Tensor | None = None

    def start(self) -> PullBack:
        """Return the pull-back of A = I, b = 0."""
        eye = torch.eye(self.reference.d, dtype=torch.float64)
        return PullBack(eye, eye, torch.zeros(self.reference.d, dtype=torch.float64))

    def evaluate(self, q: Tensor, pull: PullBack, metric: str) -> Solution:
        """Return the terms at a label map and a pull-back, with exact plans."""
        prior, B = coupling(q, self.prior)
        used = prior > 0
        x_r, x_t = self._seen(pull, used, metric)
        allowed = B[:, used] > 0 if metric == "one_sided" else None
        plans = [solve_class(p, x_r, x_t, metric, allowed) for p in self._problems(q)]
        log_h = torch.log_softmax(self.logits.masked_fill(~used, -torch.inf), dim=1)
        losses = torch.stack([-log_h[rows, j].mean() for j, rows in enumerate(self.rows_r)])
        constant = 1.0
        if metric in ("euclidean", "span"):
            used_head = self.head.only(used.nonzero()[:, 0])
            linear = pull.E.T @ pull.M if metric == "span" else pull.M
            constant = loss_constant(used_head, linear) if metric == "euclidean" else used_head.lipschitz
        return Solution(
            q, pull, Plan.join(plans), reweighted_loss(losses, prior), label_mismatch(prior, B), constant
        )

    def euclidean(self, q: Tensor, rounds: int) -> Solution:
        """Return the best solution of the Euclidean cost with an orthogonal A, from the better of two starts."""
        straight = self.turn(self.evaluate(q, self.start(), "euclidean"), 1)
        start = min(straight, self._turned_start(q), key=lambda s: s.bound)
        return self.turn(start, rounds)

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
        if not torch.equal(pull.E, E):  # from the whole space to the span
            pull = PullBack(E, E @ (pull.E.T @ pull.M), E @ (pull.E.T @ pull.m))
        best = self.evaluate(solution.q, pull, metric)
        if not learn or len(pull.E) == 0:
            return best
        for _ in range(EXACT.sharpen_rounds):
            step = self.evaluate(best.q, self._descend(best, metric), metric)
            done = step.bound > best.bound * (1 - EXACT.slack)
            best = min(best, step, key=lambda s: s.bound)
            if done:
                break
        return best

    def soften(self, solution: Solution, metric: str) -> Solution:
        """Let target classes draw a share from a second reference class where that lowers the bound."""
        best = solution
        for i, j in self._second_sources(solution):
            for share in (0.1, 0.3):
                q = best.q.clone()
                q[i] *= 1 - share
                q[i, j] += share
                best = min(best, self.evaluate(q, best.pull, metric), key=lambda s: s.bound)
        return best

    def transform(self, solution: Solution) -> tuple[Tensor, Tensor, Tensor]:
        """Return A, A_inv, b of a solution."""
        pull, eye = solution.pull, self.start().E
        if torch.equal(pull.E, eye) and torch.allclose(pull.M @ pull.M.T, eye, atol=1e-12):
            return pull.M.T.contiguous(), pull.M, -pull.M.T @ pull.m
        if len(pull.E) == 0:  # the head looks at nothing: any A will do
            return eye, eye, torch.zeros(len(eye), dtype=eye.dtype)
        return complete(pull.M, pull.m, pull.E)

    def _seen(self, pull: PullBack, used: Tensor, metric: str) -> tuple[Tensor, Tensor]:
        """What the ground cost compares: features, span coordinates, or logits of the used classes."""
        x_r, x_t = self.reference.z @ pull.E.T, self.target.z @ pull.M.T + pull.m
        if metric in ("euclidean", "span"):
            return x_r, x_t
        V = self._centred_rows(used) @ pull.E.T
        return x_r @ V.T, x_t @ V.T

    def _centred_rows(self, used: Tensor) -> Tensor:
        """Rows of W of the used classes less their mean, which no softmax and no difference of classes can see."""
        rows = self.head.weight[used]
        return rows - rows.mean(0)

    def _problems(self, q: Tensor) -> list[ClassProblem]:
        problems = []
        for i, rows in enumerate(self.rows_t):
            if len(rows) == 0:
                continue
            sources = [j for j in range(q.shape[1]) if q[i, j] > 0]
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
        source, target = self.reference.z[plan.source], self.target.z[plan.target]
        cost, (A, b) = plan.cost, (self.start().E, self.start().m)
        for _ in range(passes):
            weight = plan.mass / cost.clamp(min=1e-6 * float(cost.max()) + 1e-12)
            A, b = procrustes(source, target, weight, self._subspace(), flip)
            cost = (source @ A.T + b - target).norm(dim=1)
        return PullBack(self.start().E, A.T, -A.T @ b)

    def _turned_start(self, q: Tensor) -> Solution:
        """A start that no turn of the axes changes: plans in the span of the class means, aligned there."""
        present = self.prior > 0
        t = torch.stack([self.target.z[r].mean(0) for r in self.rows_t if len(r)])
        means = torch.stack(
            [self.reference.z[r].mean(0) if len(r) else self.reference.z[0] for r in self.rows_r]
        )
        r, weight = q[present] @ means, self.prior[present]
        shift_t, shift_r = weight @ t, weight @ r
        U, S, Vh = torch.linalg.svd(((t - shift_t) * weight[:, None]).T @ (r - shift_r), full_matrices=False)
        kept = 1e-9 * max(float(S.max()), 1e-300) < S
        U, Vh = U[:, kept], Vh[kept]
        x_r, x_t = (self.reference.z - shift_r) @ Vh.T, (self.target.z - shift_t) @ U
        plan = Plan.join([solve_class(p, x_r, x_t, "euclidean") for p in self._problems(q)])
        sides = [self.evaluate(q, self._procrustes(plan, flip=flip), "euclidean") for flip in (False, True)]
        return min(sides, key=lambda s: s.bound)

    def _subspace(self) -> Tensor | None:
        """For wide features, the leading directions of both samples; A turns only these (exact, and far cheaper)."""
        if self.reference.d <= EXACT.full_turn:
            return None
        if self._basis is None:
            both = torch.cat([x - x.mean(0) for x in (self.reference.z, self.target.z)])
            vectors = torch.linalg.eigh(both.T @ both).eigenvectors
            self._basis = vectors[:, -EXACT.full_turn :]
        return self._basis

    def _descend(self, solution: Solution, metric: str) -> PullBack:
        """Projected subgradient steps on the true cost at the solution's plan, a convex problem in M and m."""
        plan, pull, (prior, B) = solution.plan, solution.pull, coupling(solution.q, self.prior)
        used = prior > 0
        V = torch.eye(len(pull.E), dtype=torch.float64)
        if metric in ("logit", "one_sided"):
            V = self._centred_rows(used) @ pull.E.T
        mask = (B[:, used] > 0)[self.target.labels[plan.target]] if metric == "one_sided" else None
        s_r, z = self.reference.z[plan.source] @ pull.E.T, self.target.z
        # Rows of M have norm at most 1, so its entries are of the order of d ** -0.5.
        rates = torch.full((len(pull.M), self.target.d + 1), EXACT.descent_rate / self.target.d**0.5).double()
        rates[:, -1] = EXACT.descent_rate * float(s_r.std())
        both = torch.cat([pull.M, pull.m[:, None]], dim=1)
        first, second = torch.zeros_like(both), torch.zeros_like(both)
        for step in range(1, EXACT.descent + 1):
            s_t = z @ both[:, :-1].T + both[:, -1]
            slope = plan.mass[:, None] * (_slopes((s_t[plan.target] - s_r) @ V.T, metric, mask) @ V)
            slope = torch.zeros_like(s_t).index_add_(0, plan.target, slope)
            slope = torch.cat([slope.T @ z, slope.sum(0)[:, None]], dim=1)
            first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2  # Adam's averages
            size = rates * (1 - 0.98 * step / EXACT.descent) / (1 - 0.9**step)
            both = both - size * first / ((second / (1 - 0.999**step)).sqrt() + 1e-12)
            both[:, :-1] = shrink(both[:, :-1])
        return PullBack(pull.E, clip_spectrum(both[:, :-1]), both[:, -1].clone())

    def _second_sources(self, solution: Solution) -> list[tuple[int, int]]:
        """The most promising pairs (target class, further reference class), by class means in the pull-back."""
        x_r = self.reference.z @ solution.pull.E.T
        x_t = self.target.z @ solution.pull.M.T + solution.pull.m
        log_h = torch.log_softmax(self.logits, dim=1)
        scores = []
        for i, rows in enumerate(self.rows_t):
            for j, others in enumerate(self.rows_r):
                if len(rows) and len(others) and solution.q[i, j] == 0:
                    distance = (x_r[others].mean(0) - x_t[rows].mean(0)).norm()
                    gain = self.prior[i] * (self.head.lipschitz * distance - log_h[others, j].mean())
                    scores.append((float(gain), i, j))
        return [(i, j) for _, i, j in sorted(scores)[: EXACT.second_sources]]


def _slopes(difference: Tensor, metric: str, mask: Tensor | None) -> Tensor:
    """Subgradient of each pair's cost in its difference, (p, q)."""
    if metric == "span":
        return difference / difference.norm(dim=1, keepdim=True).clamp(min=1e-300)
    lowest = difference if mask is None else torch.where(mask, difference, torch.inf)
    slope = torch.zeros_like(difference).scatter_(1, difference.argmax(1, keepdim=True), 1.0)
    return slope.scatter_add_(1, lowest.argmin(1, keepdim=True), torch.full_like(slope[:, :1], -1.0))
