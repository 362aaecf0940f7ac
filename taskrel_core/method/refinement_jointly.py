"""The last step of the sharpest cost: the head h_R itself moves, together with the pull-back.

The bound holds for every tau-Lipschitz head, the best one on the reference is only where the search starts. Head
and pull-back take subgradient steps on the bound at the exact plans, the plans are solved again, and what is
returned is the best that exact terms have confirmed. Nothing here can make a bound wrong.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .. import environment
from .alternation import Solution, Solver
from .head import Head
from .refinement import slopes
from .settings import EXACT
from .transform import PullBack, clip_spectrum, coupling, shrink
from .transport import Plan

__all__ = ["tune"]


def tune(solver: Solver, solution: Solution, tau: float) -> tuple[Solver, Solution]:
    """Return head (in its solver) and solution of a smaller one-sided bound, or the ones given if none is found.

    Args:
        solver: the tasks, and the head to start from.
        solution: a solution under ``one_sided``, with that head.
        tau: Lipschitz constant that the head may have, nats per unit of feature.
    """
    best, E = (solver, solution), solution.pull.E
    if E is None or len(E) == 0 or solution.plan.value <= EXACT.head_gap:  # a copy: nothing left to gain
        return best
    descent = _Descent(solver, solution, tau)
    work = (len(solver.reference) + len(solver.target)) * E.numel()
    steps = min(max(EXACT.tune_work // work, EXACT.descent_least), EXACT.tune_rounds * EXACT.tune_steps)
    rounds = max(-(-steps // EXACT.tune_steps), EXACT.sharpen_rounds)  # so that a step too long can be mended
    place, rate = descent.start(E), EXACT.tune_rate
    for _ in range(rounds):
        moved = descent.descend(place, best[1].plan, steps // rounds, rate)
        found = descent.solve(moved)
        if found[1].bound < best[1].bound and found[1].plan.exact:
            best, place = found, moved
        else:
            rate *= 0.3
    return best


@dataclass(frozen=True, eq=False)
class _Place:
    """Where the descent is: the rows tau U E + c of the used classes, and the pull-back M z + m on the span of E."""

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


class _Descent:
    """Subgradient steps on the one-sided bound at fixed label map and plan."""

    def __init__(self, solver: Solver, solution: Solution, tau: float):
        self.solver, self.solution, self.tau = solver, solution, tau
        prior, B = coupling(solution.q, solver.prior)
        self.used = prior > 0
        y, z = solver.reference.labels, solver.reference.z
        rows = self.used[y].nonzero()[:, 0]
        row = torch.zeros(len(y), dtype=torch.long)  # of a reference sample among those of used classes
        row[rows] = torch.arange(len(rows))
        weight = (prior / torch.bincount(y, minlength=len(prior)).clamp(min=1))[y[rows], None]
        onehot = torch.eye(len(prior), dtype=torch.float64)[y[rows]][:, self.used]
        mask = (B[:, self.used] > 0)[solver.target.labels]
        self.z_r, self.z_t, self.row, self.weight, self.onehot, self.mask = (
            x.to(environment.device()) for x in (z[rows], solver.target.z, row, weight, onehot, mask)
        )

    def start(self, E: Tensor) -> _Place:
        """Return the place of the solver's head and the solution's pull-back, which lies on the span of E."""
        head, pull = self.solver.head.only(self.used.nonzero()[:, 0]), self.solution.pull
        U = (head.weight - head.weight.mean(0)) @ E.T / self.tau
        return _Place(U / max(Head(U, head.bias).lipschitz, 1.0), E, pull.M, pull.m, head.bias)

    def solve(self, place: _Place) -> tuple[Solver, Solution]:
        """Return the head of a place in a solver of its own, and the terms there, with exact plans."""
        left, _, right = torch.linalg.svd(place.E, full_matrices=False)
        E, used = left @ right, self.used
        weight = self.solver.head.weight.new_zeros(len(used), E.shape[1])
        bias = weight.new_zeros(len(used))
        weight[used], bias[used] = self.tau * place.U @ E, place.c
        head = Head(weight, bias).silence(~used)
        excess = max(head.lipschitz / (self.tau * (1 - 1e-14)), 1.0)
        solver = Solver(self.solver.reference, self.solver.target, Head(head.weight / excess, head.bias))
        pull = PullBack(E, clip_spectrum(place.M), place.m)
        return solver, solver.evaluate(self.solution.q, pull, "one_sided")

    def descend(self, place: _Place, plan: Plan, steps: int, rate: float) -> _Place:
        """Return the place after so many steps at a plan, of sizes that fall to almost 0.

        Adam's averages, the second one over all entries of a part, so that no turn of the features matters.
        """
        place, plan = place.on(environment.device()), plan.on(environment.device())
        root, spread = self.z_t.shape[1] ** 0.5, float((self.z_r @ place.E.T).std())
        # Rows of U, E and M have norms of about 1 at most; m is a shift in the span, c one of logits.
        scales = [2 / len(place.U) ** 0.5, 2 / root, 1 / root, spread, self.tau * spread]
        first = [torch.zeros_like(part) for part in place.parts()]
        second = [part.new_zeros(()) for part in first]
        for step in range(1, steps + 1):
            size, moved = rate * (1 - 0.98 * step / steps) / (1 - 0.9**step), []
            for k, (part, slope) in enumerate(zip(place.parts(), self._slope(place, plan), strict=True)):
                first[k] = 0.9 * first[k] + 0.1 * slope
                second[k] = 0.999 * second[k] + 0.001 * slope.square().mean()
                usual = (second[k] / (1 - 0.999**step)).sqrt() + 1e-12
                moved.append(part - size * scales[k] * first[k] / usual)
            place = _allowed(*moved)
        return place.on("cpu")

    def _slope(self, place: _Place, plan: Plan) -> list[Tensor]:
        """Subgradient of re-weighted loss plus transport in the parts of a place."""
        U, x_r, x_t = self.tau * place.U, self.z_r @ place.E.T, self.z_t @ place.M.T + place.m
        logits, source = x_r @ U.T, self.row[plan.source]
        of_r = self.weight * (torch.softmax(logits + place.c, dim=1) - self.onehot)
        of_c, difference = of_r.sum(0), (x_t @ U.T)[plan.target] - logits[source]
        moved = plan.mass[:, None] * slopes(difference, "one_sided", self.mask[plan.target])
        of_r = of_r.index_add(0, source, -moved)
        of_t = U.new_zeros(len(x_t), len(U)).index_add_(0, plan.target, moved)
        of_U = self.tau * _tangent(of_r.T @ x_r + of_t.T @ x_t, place.U)
        return [of_U, (of_r @ U).T @ self.z_r, (of_t @ U).T @ self.z_t, (of_t @ U).sum(0), of_c]


def _tangent(slope: Tensor, U: Tensor) -> Tensor:
    """Slope in U of what scales U back where two of its rows are more than 1 apart and growing would pay."""
    gaps = torch.cdist(U, U, compute_mode="donot_use_mm_for_euclid_dist")
    i, j = divmod(int(gaps.argmax()), len(U))
    outward = -float((slope * U).sum())
    if float(gaps[i, j]) < 1 - 1e-9 or outward <= 0:
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
    return _Place(U / max(float(torch.pdist(U).max()), 1.0), E, shrink(M), m, c)
