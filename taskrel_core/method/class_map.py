"""Which reference class feeds each target class, found without knowing how the target's axes are rotated.

The search looks at class means only. With the best rotation the squared distance of the matched means is
``var_T + var_R(s) - 2 ||sum_i P_T(i) t_i r_s(i)^T||_*`` (nuclear norm, ``eq-surrogate``), which no rotation of
either side changes. It proposes; ``solve`` compares the best proposals and keeps the smallest certified bound.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from scipy.special import xlogy
from torch import Tensor

from .settings import ExactSettings

CHUNK = 2_000_000  # numbers held at a time while many maps are compared


@dataclass(frozen=True, eq=False)
class MapProblem:
    """Class means, losses and priors of the classes present; reference classes as columns.

    Args:
        t: centred means of the target classes, (K_T, p), weighted mean 0.
        r: means of the reference classes, (K_R, p'), in a fixed frame.
        prior: P_T, (K_T,), sums to 1.
        losses: L_j of the reference classes, (K_R,), nats.
        tau: nats per unit of feature.
    """

    t: Tensor
    r: Tensor
    prior: Tensor
    losses: Tensor
    tau: float

    @property
    def one_to_one(self) -> bool:
        """Whether every target class can have a reference class of its own."""
        return len(self.r) >= len(self.t)

    def reduced(self) -> "MapProblem":
        """Return the same problem in coordinates of the span of each side's means: inner products are kept.

        The two sides may differ in width then, and a rotation is that part of it which takes one span to the other.
        """
        t, r = (
            torch.linalg.qr(x.T).R.T if x.shape[1] > len(x) else x for x in (self.t, self.r - self.r.mean(0))
        )
        return MapProblem(t, r, self.prior, self.losses, self.tau)

    def distances(self, rotation: Tensor, shift: Tensor) -> Tensor:
        """Return the distances of the target's means to the shifted and rotated means of the reference, (K_T, K_R)."""
        r = self.r - shift
        squared = (self.t**2).sum(1)[:, None] + (r**2).sum(1) - 2 * (self.t @ rotation) @ r.T
        return squared.clamp(min=0).sqrt()

    def surrogate(self, maps: Tensor) -> Tensor:
        """Return the surrogate bound of a batch of class maps (m, K_T), in nats; lower is better."""
        weight = self.prior[None, :, None]
        matched = self.r[maps]  # (m, K_T, d)
        matched = matched - (weight * matched).sum(1, keepdim=True)
        cross = (weight * self.t[None]).transpose(1, 2) @ matched
        squared = (self.prior @ (self.t**2).sum(1)) + (weight * matched**2).sum((1, 2))
        squared = squared - 2 * torch.linalg.svdvals(cross).sum(1)
        loss = (self.prior * self.losses[maps]).sum(1)
        return loss + self.tau * squared.clamp(min=0).sqrt() + self.mismatch(maps)

    def mismatch(self, maps: Tensor) -> Tensor:
        """Return the label mismatch of class maps, (m,), in nats; 0 where no reference class is used twice."""
        parts = []
        for part in maps.split(max(CHUNK // len(self.r), 1)):
            mass = self.t.new_zeros(len(part), len(self.r))
            mass.scatter_add_(1, part, self.prior.expand(len(part), -1))
            parts.append((self.prior * torch.log(mass.gather(1, part) / self.prior)).sum(1))
        return torch.cat(parts)


def propose(
    problem: MapProblem, identity: list[int], keep: int, settings: ExactSettings, seed: int
) -> list[list[int]]:
    """Return up to ``keep`` different class maps, the most promising first.

    Each start rotates the target's means at random, then alternates between the best assignment and the best
    rotation; the distinct ends are improved by swaps, and all are ranked by the surrogate.

    Args:
        problem: means, losses, priors.
        identity: the map found with A = I, one of the starts of the swaps.
        keep: how many maps to return.
        settings: number of random starts, fewer where there are very many classes, and work of the search.
        seed: of the starts.
    """
    small = problem.reduced()
    generator = torch.Generator().manual_seed(seed)
    of_t, of_r = small.t.shape[1], small.r.shape[1]
    width = max(of_t, of_r)
    found = {tuple(identity)}
    for _ in range(max(min(settings.map_starts, 20_000 // len(small.t) ** 2), 5)):
        rotation = torch.linalg.qr(torch.randn(width, width, generator=generator, dtype=small.t.dtype)).Q
        found.add(tuple(_alternate(small, rotation[:of_t, :of_r])))
    maps = torch.tensor(sorted(found))
    order = small.surrogate(maps).argsort()
    swaps = settings.map_work // (min(of_t, of_r) ** 2 * width)
    improved = max(min(4 * keep, len(order), swaps // 1000), 1)
    ends = {tuple(_swap(small, maps[k].tolist(), swaps // improved)) for k in order[:improved].tolist()}
    ranked = torch.tensor(sorted(ends | found))  # ends of equal means differ in what the search cannot see
    return [ranked[k].tolist() for k in small.surrogate(ranked).argsort()[:keep].tolist()]


def assign(problem: MapProblem, distance: Tensor) -> list[int]:
    """Return the class map of least sum of P_T(i) (L_j + tau distance_ij), plus the label mismatch."""
    cost = (problem.prior[:, None] * (problem.losses[None, :] + problem.tau * distance)).numpy()
    if problem.one_to_one:
        return [int(j) for j in linear_sum_assignment(cost)[1]]
    sigma, prior = cost.argmin(1), problem.prior.numpy()
    for _ in range(20):
        before = sigma.copy()
        for i in range(len(sigma)):
            others = np.bincount(np.delete(sigma, i), np.delete(prior, i), cost.shape[1])
            # Mass x joining mass m of a class raises the entropy sum from m log m to (m + x) log (m + x).
            entropy = xlogy(others + prior[i], others + prior[i]) - xlogy(others, others)
            sigma[i] = int((cost[i] + entropy).argmin())
        if (sigma == before).all():
            break
    return [int(j) for j in sigma]


def _alternate(problem: MapProblem, rotation: Tensor) -> list[int]:
    """Assignment and rotation in turn until the map stays."""
    sigma: list[int] = []
    shift = torch.zeros(problem.r.shape[1], dtype=problem.r.dtype)
    for _ in range(30):
        new = assign(problem, problem.distances(rotation, shift))
        if new == sigma:
            break
        sigma = new
        rotation, shift = _rotation(problem, sigma)
    return sigma


def _swap(problem: MapProblem, sigma: list[int], budget: int, rounds: int = 20) -> list[int]:
    """Steepest descent over swaps of two target classes and moves to another reference class.

    Where ``budget`` does not allow all of them, only those that look best with the rotation kept are tried.
    """
    best, value = sigma, float(problem.surrogate(torch.tensor([sigma])))
    most = max(budget // 10, 1)  # few descents are longer than ten rounds
    for _ in range(rounds):
        moves = _moves(best, problem)
        if moves.shape[1] > most:
            moves = moves[:, _kept_rotation(problem, best, moves).argsort()[:most]]
        if not moves.numel():
            break
        i, a, k, b = moves
        maps, rows = torch.tensor(best).repeat(len(i), 1), torch.arange(len(i))
        maps[rows, i], maps[rows, k] = a, b
        values = problem.surrogate(maps)
        at = int(values.argmin())
        if float(values[at]) >= value - 1e-12:
            break
        best, value = maps[at].tolist(), float(values[at])
    return best


def _moves(sigma: list[int], problem: MapProblem) -> Tensor:
    """All swaps and moves, columns (i, a, k, b): target class i goes to a, and k to b; i = k where only one moves."""
    here = torch.tensor(sigma)
    i, k = torch.triu_indices(len(sigma), len(sigma), 1)
    i, k = (x[here[i] != here[k]] for x in (i, k))
    free = torch.ones(len(sigma), len(problem.r), dtype=torch.bool)
    if problem.one_to_one:
        free[:, here] = False
    j, a = (free & (torch.arange(len(problem.r)) != here[:, None])).nonzero(as_tuple=True)
    return torch.cat([torch.stack([i, here[k], k, here[i]]), torch.stack([j, a, j, a])], dim=1)


def _kept_rotation(problem: MapProblem, sigma: list[int], moves: Tensor) -> Tensor:
    """How much each of the ``moves`` adds to the cost of ``sigma``, (m,), with the rotation that is best for it."""
    rotation, shift = _rotation(problem, sigma)
    cost = problem.prior[:, None] * (problem.losses + problem.tau * problem.distances(rotation, shift))
    here, (i, a, k, b), prior = torch.tensor(sigma), moves, problem.prior
    added = cost - cost.gather(1, here[:, None])
    total = added[i, a] + torch.where(i == k, 0.0, added[k, b])
    if problem.one_to_one:
        return total
    # Mass x goes from one reference class to another: the entropy sum has m log m of each.
    mass = cost.new_zeros(len(problem.r)).index_add_(0, here, prior)
    x, old, new = prior[i] - torch.where(i == k, 0.0, prior[k]), mass[here[i]], mass[a]
    return total + _xlogx(old - x) - _xlogx(old) + _xlogx(new + x) - _xlogx(new)


def _rotation(problem: MapProblem, sigma: list[int]) -> tuple[Tensor, Tensor]:
    """Best rotation of the reference's means for a class map, and their centre."""
    matched = problem.r[sigma]
    shift = problem.prior @ matched
    cross = (problem.prior[:, None] * problem.t).T @ (matched - shift)
    U, _, Vh = torch.linalg.svd(cross, full_matrices=False)
    return U @ Vh, shift


def _xlogx(x: Tensor) -> Tensor:
    """x log x; what rounding left below 0 counts as 0."""
    return torch.xlogy(x.clamp(min=0), x.clamp(min=0))
