"""Projected subgradient steps at fixed plans: on the pull-back, then on head and pull-back together.

At a fixed plan the cost is convex in the pull-back M z + m, and so is the set of those that keep the loss
tau-Lipschitz. The bound holds for every tau-Lipschitz head, so the best head on the reference is only where the joint
steps start. Plans are solved again after the steps, and only what exact terms confirm is kept.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .. import environment
from .head import Head, squared_gaps
from .problem import Problem, Solution
from .transform import PullBack, clip_spectrum, label_coupling, shrink
from .transport import Plan


def refine_pull_back(problem: Problem, solution: Solution, metric: str) -> Solution:
    """Return the best of ``solution``, one under ``metric``, and what steps on its pull-back lead to."""
    best = solution
    if best.pull.E is None or len(best.pull.E) == 0:  # the head is constant: nothing to gain
        return best
    size, stale = problem.settings.pull_back_size, 0
    for _ in range(problem.settings.pull_back_rounds):
        step = problem.evaluate(best.q, _moved_pull_back(problem, best, metric, size), metric)
        if step.bound > best.bound * (1 - problem.settings.slack):
            size, stale = 0.3 * size, stale + 1
        best = min(best, step, key=lambda s: s.bound)
        if stale > 1:
            break
    return best


def refine_jointly(problem: Problem, solution: Solution, tau: float) -> tuple[Head, Solution]:
    """Return head and solution of a smaller one-sided bound, or the ones given if none is found.

    Args:
        problem: the tasks, and the head to start from.
        solution: a solution under ``one_sided``, with that head.
        tau: Lipschitz constant that the head may have, nats per unit of feature.
    """
    best, E, settings = (problem.head, solution), solution.pull.E, problem.settings
    if E is None or len(E) == 0 or solution.plan.value <= settings.head_gap:  # a copy: nothing left to gain
        return best
    joint = _Joint(problem, solution, tau)
    work = (len(problem.reference) + len(problem.target)) * E.numel()
    most = settings.joint_rounds * settings.joint_steps
    steps = min(max(settings.joint_work // work, settings.least_steps), most)
    rounds = max(-(-steps // settings.joint_steps), 4)  # to correct a step too long
    place, size = joint.start(E), settings.joint_size
    for _ in range(rounds):
        moved = joint.moved(place, best[1].plan, steps // rounds, size)
        found = joint.evaluate(moved)
        if found[1].bound < best[1].bound and found[1].plan.exact:
            best, place = found, moved
        else:
            size *= 0.3
    return best


class _Extremes:
    """Where the difference of a pair is largest and, among the columns that its mask allows, smallest.

    Args:
        mask: (p, q), or None to allow all columns.
    """

    def __init__(self, mask: Tensor | None):
        self.mask = mask
        # Where a single column is allowed, there is no choice.
        self.lowest = None if mask is None or (mask.sum(1) > 1).any() else mask.int().argmax(1)

    def __call__(self, difference: Tensor) -> tuple[Tensor, Tensor]:
        """Return the columns (p,) of both; with +1 and -1 there, a subgradient of the cost."""
        highest = difference.argmax(1)
        if self.lowest is not None:
            return highest, self.lowest
        open_to = difference if self.mask is None else torch.where(self.mask, difference, torch.inf)
        return highest, open_to.argmin(1)


def _moved_pull_back(problem: Problem, solution: Solution, metric: str, size: float) -> PullBack:
    """The solution's pull-back after Adam's steps of falling size on the cost at its plan, on the user's device."""
    pull, plan, settings = solution.pull, solution.plan, problem.settings
    prior, B = label_coupling(solution.q, problem.prior)
    used, device = prior > 0, environment.device()
    V = pull.of_reference(
        problem.centred_rows(used)
    )  # rows of coefficients of E z, whose values are compared
    mask = (B[:, used] > 0)[problem.target.labels[plan.target]] if metric == "one_sided" else None
    extremes = _Extremes(None if mask is None else mask.to(device))
    both, s_r = torch.cat([pull.M, pull.m[:, None]], dim=1), pull.of_reference(problem.reference.z)
    both, s_r, V, z, mass, chosen = (
        x.to(device) for x in (both, s_r[plan.source], V, problem.target.z, plan.mass[:, None], plan.target)
    )
    allowed = settings.pull_back_work // (z.numel() * len(both))
    steps = min(max(allowed, settings.least_steps), settings.pull_back_steps)
    # Rows of M have norm at most 1, so its entries are of the order of d ** -0.5.
    sizes = torch.full_like(both, size / z.shape[1] ** 0.5)
    sizes[:, -1] = size * float(s_r.std())
    first, second, v_r = torch.zeros_like(both), torch.zeros_like(both), s_r @ V.T
    for step in range(1, steps + 1):
        s_t = z @ both[:, :-1].T + both[:, -1]
        if metric == "span":
            slope = s_t[chosen] - s_r
            slope = mass * slope / slope.norm(dim=1, keepdim=True).clamp(min=1e-300)
        else:
            highest, lowest = extremes((s_t @ V.T)[chosen] - v_r)
            slope = mass * (V[highest] - V[lowest])
        slope = torch.zeros_like(s_t).index_add_(0, chosen, slope)
        slope = torch.cat([slope.T @ z, slope.sum(0)[:, None]], dim=1)
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2  # Adam's averages
        now = sizes * (1 - 0.98 * step / steps) / (1 - 0.9**step)
        both = both - now * first / ((second / (1 - 0.999**step)).sqrt() + 1e-12)
        both[:, :-1] = shrink(both[:, :-1])
    both = both.cpu()
    return PullBack(pull.E, clip_spectrum(both[:, :-1]), both[:, -1].clone())


@dataclass(frozen=True, eq=False)
class _Place:
    """Where the joint steps are: the rows tau U E + c of the used classes, and the pull-back M z + m on the span of E."""

    U: Tensor  # (k, p), its rows at most 1 apart
    E: Tensor  # (p, d), orthonormal rows
    M: Tensor  # (p, d), singular values at most 1
    m: Tensor  # (p,)
    c: Tensor  # (k,), nats

    def parts(self) -> list[Tensor]:
        """Return what moves, in the order of the arguments."""
        return [self.U, self.E, self.M, self.m, self.c]

    def on(self, device: str) -> "_Place":
        """Return the same on a device."""
        return _Place(*(part.to(device) for part in self.parts()))


class _Joint:
    """The one-sided bound in head and pull-back, at a fixed label map."""

    def __init__(self, problem: Problem, solution: Solution, tau: float):
        self.problem, self.solution, self.tau = problem, solution, tau
        prior, B = label_coupling(solution.q, problem.prior)
        self.used = prior > 0
        y, z = problem.reference.labels, problem.reference.z
        rows = self.used[y].nonzero()[:, 0]
        row = torch.zeros(len(y), dtype=torch.long)  # of a reference sample among those of used classes
        row[rows] = torch.arange(len(rows))
        weight = (prior / torch.bincount(y, minlength=len(prior)).clamp(min=1))[y[rows], None]
        place = self.used.cumsum(0)[y[rows]] - 1  # of the sample's class among those used
        onehot = torch.zeros(len(rows), int(self.used.sum()), dtype=torch.float64)
        onehot[torch.arange(len(rows)), place] = 1.0
        mask = (B[:, self.used] > 0)[problem.target.labels]
        self.z_r, self.z_t, self.row, self.weight, self.onehot, self.mask = (
            x.to(environment.device()) for x in (z[rows], problem.target.z, row, weight, onehot, mask)
        )

    def start(self, E: Tensor) -> _Place:
        """Return the place of the problem's head and the solution's pull-back, which lies on the span of E."""
        head, pull = self.problem.head.restrict(self.used.nonzero()[:, 0]), self.solution.pull
        U = (head.weight - head.weight.mean(0)) @ E.T / self.tau
        return _Place(U / max(Head(U, head.bias).lipschitz, 1.0), E, pull.M, pull.m, head.bias)

    def evaluate(self, place: _Place) -> tuple[Head, Solution]:
        """Return the head of a place, and the terms there, with exact plans."""
        left, _, right = torch.linalg.svd(place.E, full_matrices=False)
        E, used, given = left @ right, self.used, self.problem
        weight = given.head.weight.new_zeros(len(used), E.shape[1])
        bias = weight.new_zeros(len(used))
        weight[used], bias[used] = self.tau * place.U @ E, place.c
        head = Head(weight, bias).mask_classes(~used)
        excess = max(head.lipschitz / (self.tau * (1 - 1e-14)), 1.0)
        head = Head(head.weight / excess, head.bias)
        pull = PullBack(E, clip_spectrum(place.M), place.m)
        return head, given.with_head(head).evaluate(self.solution.q, pull, "one_sided")

    def moved(self, place: _Place, plan: Plan, steps: int, size: float) -> _Place:
        """Return the place after this many steps at a plan, of sizes that fall to almost 0.

        Adam's averages, the second one over all entries of a part, so that no rotation of the features matters.
        """
        place, plan = place.on(environment.device()), plan.on(environment.device())
        root, spread = self.z_t.shape[1] ** 0.5, float((self.z_r @ place.E.T).std())
        # Rows of U, E and M have norms of about 1 at most; m is a shift in the span, c one of logits.
        scales = [2 / len(place.U) ** 0.5, 2 / root, 1 / root, spread, self.tau * spread]
        first = [torch.zeros_like(part) for part in place.parts()]
        second = [part.new_zeros(()) for part in first]
        extremes = _Extremes(self.mask[plan.target])
        for step in range(1, steps + 1):
            now, parts = size * (1 - 0.98 * step / steps) / (1 - 0.9**step), []
            for k, (part, slope) in enumerate(
                zip(place.parts(), self.slope(place, plan, extremes), strict=True)
            ):
                first[k] = 0.9 * first[k] + 0.1 * slope
                second[k] = 0.999 * second[k] + 0.001 * slope.square().mean()
                usual = (second[k] / (1 - 0.999**step)).sqrt() + 1e-12
                parts.append(part - now * scales[k] * first[k] / usual)
            place = _allowed(*parts)
        return place.on("cpu")

    def slope(self, place: _Place, plan: Plan, extremes: _Extremes) -> list[Tensor]:
        """Return a subgradient of re-weighted loss plus transport in the parts of a place."""
        U, x_r, x_t = self.tau * place.U, self.z_r @ place.E.T, self.z_t @ place.M.T + place.m
        logits, source, mass = x_r @ U.T, self.row[plan.source], plan.mass[:, None]
        highest, lowest = extremes((x_t @ U.T)[plan.target] - logits[source])
        of_logits = self.weight * (torch.softmax(logits + place.c, dim=1) - self.onehot)
        moved, apart = mass * (U[highest] - U[lowest]), mass * (x_t[plan.target] - x_r[source])
        of_x_r = (of_logits @ U).index_add_(0, source, -moved)
        of_x_t = torch.zeros_like(x_t).index_add_(0, plan.target, moved)
        of_U = (of_logits.T @ x_r).index_add_(0, highest, apart).index_add_(0, lowest, -apart)
        of_U = self.tau * _tangent(of_U, place.U)
        return [of_U, of_x_r.T @ self.z_r, of_x_t.T @ self.z_t, of_x_t.sum(0), of_logits.sum(0)]


def _tangent(slope: Tensor, U: Tensor) -> Tensor:
    """Slope in U of what scales U back where two of its rows are more than 1 apart and growing would pay."""
    gaps = squared_gaps(U)
    i, j = divmod(int(gaps.argmax()), len(U))
    outward = -float((slope * U).sum())
    if float(gaps[i, j]) < 1 - 2e-9 or outward <= 0:
        return slope
    slope = slope.clone()
    slope[i] += outward * (U[i] - U[j])
    slope[j] -= outward * (U[i] - U[j])
    return slope


def _allowed(U: Tensor, E: Tensor, M: Tensor, m: Tensor, c: Tensor) -> _Place:
    """The nearest place in scale: rows of U at most 1 apart, those of E orthonormal, no expansion in M."""
    U = U - U.mean(0)
    values, vectors = torch.linalg.eigh(E @ E.T)
    E = (vectors * values.clamp(min=1e-12).rsqrt()) @ vectors.T @ E
    return _Place(U / max(float(squared_gaps(U).max()), 1.0) ** 0.5, E, shrink(M), m, c)
