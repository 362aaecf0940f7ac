"""Which reference class each target class draws from, found without knowing how the target's axes are turned.

The search looks at class means only. With the best rotation the squared distance of the matched means is
``var_T + var_R(s) - 2 ||sum_i P_T(i) t_i r_s(i)^T||_*`` (nuclear norm, ``eq-surrogate``), which no rotation of
either side changes. It proposes; ``fit`` solves the best proposals and keeps the smallest certified bound.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

__all__ = ["MapProblem", "propose"]


@dataclass(frozen=True, eq=False)
class MapProblem:
    """Class means, losses and priors of the classes present; reference classes as columns.

    Args:
        t: centred means of the target classes, (K_T, d), weighted mean 0.
        r: means of the reference classes, (K_R, d), in a fixed frame.
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
        """Return the same problem in coordinates of the span of each side's means: inner products are kept."""
        t, r = (
            torch.linalg.qr(x.T).R.T if x.shape[1] > len(x) else x for x in (self.t, self.r - self.r.mean(0))
        )
        width = max(t.shape[1], r.shape[1])
        t, r = (torch.nn.functional.pad(x, (0, width - x.shape[1])) for x in (t, r))
        return MapProblem(t, r, self.prior, self.losses, self.tau)

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
        mass = torch.zeros(len(maps), len(self.r), dtype=self.t.dtype)
        mass.scatter_add_(1, maps, self.prior.expand(len(maps), -1))
        return (self.prior * torch.log(mass.gather(1, maps) / self.prior)).sum(1)


def propose(problem: MapProblem, identity: list[int], starts: int, keep: int, seed: int) -> list[list[int]]:
    """Return up to ``keep`` different class maps, the most promising first.

    Each start turns the target's means at random, then alternates between the best assignment and the best
    rotation; the distinct ends are improved by swaps, and all are ranked by the surrogate.

    Args:
        problem: means, losses, priors.
        identity: the map found with A = I, one of the starts of the swaps.
        starts: random starts; fewer are made where there are very many classes.
        keep: how many maps to return.
        seed: of the starts.
    """
    small = problem.reduced()
    generator = torch.Generator().manual_seed(seed)
    width = small.t.shape[1]
    found = {tuple(identity)}
    for _ in range(max(min(starts, 20_000 // len(small.t) ** 2), 5)):
        rotation = torch.linalg.qr(torch.randn(width, width, generator=generator, dtype=small.t.dtype)).Q
        found.add(tuple(_alternate(small, rotation)))
    maps = torch.tensor(sorted(found))
    order = small.surrogate(maps).argsort()
    ends = {tuple(_swap(small, maps[k].tolist())) for k in order[: 4 * keep].tolist()}
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
            entropy = _xlogx(others + prior[i]) - _xlogx(others)
            sigma[i] = int((cost[i] + entropy).argmin())
        if (sigma == before).all():
            break
    return [int(j) for j in sigma]


def _alternate(problem: MapProblem, rotation: Tensor) -> list[int]:
    """Assignment and rotation in turn until the map stays."""
    sigma: list[int] = []
    shift = torch.zeros(problem.r.shape[1], dtype=problem.r.dtype)
    for _ in range(30):
        new = assign(problem, torch.cdist(problem.t, (problem.r - shift) @ rotation.T))
        if new == sigma:
            break
        sigma = new
        matched = problem.r[sigma]
        shift = problem.prior @ matched
        U, _, Vh = torch.linalg.svd((problem.prior[:, None] * problem.t).T @ (matched - shift))
        rotation = U @ Vh
    return sigma


def _swap(problem: MapProblem, sigma: list[int], budget: int = 3000) -> list[int]:
    """Steepest descent over swaps of two target classes and moves to another reference class."""
    best, value = sigma, float(problem.surrogate(torch.tensor([sigma])))
    for _ in range(20):
        moves = _neighbours(best, len(problem.r), problem.one_to_one)[:budget]
        if not moves:
            break
        values = problem.surrogate(torch.tensor(moves))
        k = int(values.argmin())
        if float(values[k]) >= value - 1e-12:
            break
        best, value = moves[k], float(values[k])
    return best


def _neighbours(sigma: list[int], k_r: int, one_to_one: bool) -> list[list[int]]:
    """All maps one swap or one move away."""
    moves = []
    for i in range(len(sigma)):
        for k in range(i):
            if sigma[i] != sigma[k]:
                swapped = list(sigma)
                swapped[i], swapped[k] = sigma[k], sigma[i]
                moves.append(swapped)
        for j in range(k_r):
            if j != sigma[i] and not (one_to_one and j in sigma):
                moves.append([*sigma[:i], j, *sigma[i + 1 :]])
    return moves


def _xlogx(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x * np.log(np.where(x > 0, x, 1.0)), 0.0)
