"""The alternation at the heart of the exact method: exact plans at fixed A, a closed-form A at fixed plans.

The cost is the Euclidean one, A is orthogonal and b free. The iterate of smallest bound is kept.
"""

import torch
from torch import Tensor

from .problem import Problem, Solution
from .transform import PullBack, procrustes
from .transport import FixedDistances, Plan, solve_classes


def solve_euclidean(problem: Problem, q: Tensor, rounds: int) -> Solution:
    """Return the best solution found with the label map ``q``, from the better of two starts."""
    straight = alternate(problem, problem.evaluate(q, problem.identity(), "euclidean"), 1)
    start = min(straight, _invariant_start(problem, q), key=lambda s: s.bound)
    return alternate(problem, start, rounds)


def alternate(problem: Problem, solution: Solution, rounds: int) -> Solution:
    """Alternate plans and weighted Procrustes until the bound stops falling; return the best iterate."""
    best, current, stale = solution, solution, 0
    for _ in range(rounds):
        current = problem.evaluate(solution.q, _aligned(problem, current.plan), "euclidean")
        stale = 0 if current.bound < best.bound * (1 - problem.settings.slack) else stale + 1
        best = min(best, current, key=lambda s: s.bound)
        if stale >= problem.settings.patience:
            break
    return best


def soften(problem: Problem, solution: Solution) -> Solution:
    """Let target classes take a fraction of a second reference class where that lowers the Euclidean bound."""
    best = solution
    for i, j in _second_sources(problem, solution):
        others = problem.target.labels[best.plan.target] != i  # their pairs stay
        for fraction in (0.1, 0.3):
            q = best.q.clone()
            q[i] *= 1 - fraction
            q[i, j] += fraction
            plan = best.plan.replaced(others, problem.plan(q, best.pull, "euclidean", only=i))
            tried = problem.with_plan(q, best.pull, "euclidean", plan)
            if tried.bound < best.bound:
                best, others = tried, problem.target.labels[plan.target] != i
    return best


def _aligned(problem: Problem, plan: Plan, passes: int = 2, flip: bool = False) -> PullBack:
    """Orthogonal A and b for plain (un-squared) distances: weights plan / distance, re-weighted a few times."""
    source, target, cost = problem.lead_r[plan.source], problem.lead_t[plan.target], plan.cost
    squares = problem.fixed.squares(plan.source, plan.target) if problem.fixed else None
    while True:
        weight = plan.mass / cost.clamp(min=1e-6 * float(cost.max()) + 1e-12)
        A, b = procrustes(source, target, weight, flip)
        m, moved = -A.T @ b, source.new_zeros(0)
        if problem.fixed:
            moved = _mean_of_fixed(problem.fixed, plan, weight / weight.sum())
        passes -= 1
        if passes == 0:
            return PullBack(None, A.T.contiguous(), torch.cat([m, moved]))
        cost = (source - target @ A - m).norm(dim=1)
        if problem.fixed and squares is not None:
            pairs = problem.fixed.shift(moved).pairs(squares, plan.source, plan.target)
            cost = (cost**2 + pairs).clamp(min=0).sqrt()


def _mean_of_fixed(fixed: FixedDistances, plan: Plan, weight: Tensor) -> Tensor:
    """Weighted mean of reference less target over the pairs of a plan, in the coordinates that only shift."""
    of_r, of_t = (torch.zeros(len(x), dtype=torch.float64) for x in (fixed.r, fixed.t))
    of_r.index_add_(0, plan.source, weight)
    of_t.index_add_(0, plan.target, weight)
    return of_r @ fixed.r - of_t @ fixed.t


def _invariant_start(problem: Problem, q: Tensor) -> Solution:
    """A start that no rotation of the features changes: plans in the span of the class means, aligned there."""
    present = problem.prior > 0
    t, means = problem.means
    r, weight = q[present] @ means, problem.prior[present]
    shift_t, shift_r = weight @ t, weight @ r
    # The SVD of the cross-covariance (d, d), of rank K_T at most, from its two thin factors.
    left, right = (torch.linalg.qr(x.T) for x in ((t - shift_t) * weight[:, None], r - shift_r))
    U, S, Vh = torch.linalg.svd(left.R @ right.R.T)
    kept = 1e-9 * max(float(S.max()), 1e-300) < S
    U, Vh = left.Q @ U[:, kept], Vh[kept] @ right.Q.T
    x_r, x_t = problem.reference.z @ Vh.T - shift_r @ Vh.T, problem.target.z @ U - shift_t @ U
    plan = solve_classes(problem.class_problems(q), x_r, x_t, "euclidean")
    sides = (problem.evaluate(q, _aligned(problem, plan, flip=flip), "euclidean") for flip in (False, True))
    return min(sides, key=lambda s: s.bound)


def _second_sources(problem: Problem, solution: Solution) -> list[tuple[int, int]]:
    """The most promising pairs (target class, further reference class), by class means in the pull-back."""
    pull, rows_t, rows_r = solution.pull, problem.rows_t, problem.rows_r
    x_r, x_t = pull.of_reference(problem.reference.z), pull.of_target(problem.target.z)
    t, r = ([k for k, part in enumerate(rows) if len(part)] for rows in (rows_t, rows_r))
    means_t = torch.stack([x_t[rows_t[k]].mean(0) for k in t])
    means_r = torch.stack([x_r[rows_r[k]].mean(0) for k in r])
    losses = problem.class_losses(problem.reference.prior > 0)[r]
    gain = problem.prior[t][:, None] * (problem.head.lipschitz * torch.cdist(means_t, means_r) + losses)
    gain[solution.q[t][:, r] > 0] = torch.inf
    best = gain.flatten().argsort()[: problem.settings.second_sources].tolist()
    return [(t[k // len(r)], r[k % len(r)]) for k in best if gain.flatten()[k] < torch.inf]
