"""Exact transport, one small problem per target class, under four ground costs (``eq-mismatch``, ``eq-costs``).

An infinite cost of changing the label splits the transport from P_R''' to P_T into one problem for each target
class: its points against the points of the reference classes that feed it.
"""

import warnings
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass

import numpy as np
import ot
import torch
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from torch import Tensor

METRICS = ("euclidean", "span", "logit", "one_sided")
CHUNK = 2_000_000  # numbers held at a time while costs are filled in
PAIRS = 10_000  # pairs computed at a time


@dataclass(frozen=True, eq=False)
class ClassProblem:
    """The transport problem of target class ``label``: which points, with which mass."""

    label: int
    prior: float  # P_T(label)
    source: Int[Tensor, " m"]  # rows of the reference
    weight: Float[Tensor, " m"]  # their mass, sums to 1
    target: Int[Tensor, " n"]  # rows of the target, of mass 1/n each


@dataclass(frozen=True, eq=False)
class Plan:
    """A coupling as a list of pairs; ``exact`` says that the solver proved it optimal."""

    source: Int[Tensor, " p"]
    target: Int[Tensor, " p"]
    mass: Float[Tensor, " p"]
    cost: Float[Tensor, " p"]
    exact: bool = True

    @property
    def value(self) -> float:
        """Mean cost of the coupling, in the unit of the ground cost."""
        return float((self.mass * self.cost).sum())

    def on(self, device: str) -> "Plan":
        """Return the same on a device."""
        parts = (x.to(device) for x in (self.source, self.target, self.mass, self.cost))
        return Plan(*parts, exact=self.exact)

    def replaced(self, kept: Tensor, plan: "Plan") -> "Plan":
        """Return the pairs of the mask ``kept`` and those of another plan."""
        parts = (
            torch.cat([getattr(self, name)[kept], getattr(plan, name)])
            for name in ("source", "target", "mass", "cost")
        )
        return Plan(*parts, exact=self.exact and plan.exact)


class FixedDistances:
    """Squared distances over the coordinates that A shifts but does not turn, computed once for all shifts.

    |r - t - m|^2 = |r - t|^2 - 2 m.r + 2 m.t + |m|^2, the first kept for the points of each class problem.

    Args:
        r: these coordinates of the reference.
        t: the same of the target.
    """

    def __init__(self, r: Float[Tensor, "nr p"], t: Float[Tensor, "nt p"]):
        self.r, self.t = r, t
        self.known: dict[bytes, Tensor] = {}  # squares by the points they are of
        self.of_r, self.of_t, self.of_both = r.new_zeros(len(r)), t.new_zeros(len(t)), r.new_zeros(())

    def shift(self, m: Float[Tensor, " p"]) -> "FixedDistances":
        """Return the same with the target's points moved by ``m`` from where they began."""
        moved = copy(self)
        moved.of_r, moved.of_t, moved.of_both = 2 * (self.r @ m), 2 * (self.t @ m), m @ m
        return moved

    def block(self, rows: Int[Tensor, " a"], columns: Int[Tensor, " b"]) -> Float[Tensor, "a b"]:
        """Return the squared distances between points of the reference and of the target, up to rounding."""
        key = rows.numpy().tobytes() + b"|" + columns.numpy().tobytes()
        if key not in self.known:
            self.known[key] = torch.cdist(self.r[rows], self.t[columns]).square_()
        return self.known[key] - self.of_r[rows, None] + (self.of_t[columns] + self.of_both)

    def squares(self, rows: Int[Tensor, " p"], columns: Int[Tensor, " p"]) -> Float[Tensor, " p"]:
        """Return the squared distances of pairs of points as they began."""
        parts = zip(rows.split(PAIRS), columns.split(PAIRS), strict=True)
        return torch.cat([(self.r[a] - self.t[b]).square_().sum(1) for a, b in parts])

    def pairs(
        self, squares: Float[Tensor, " p"], rows: Int[Tensor, " p"], columns: Int[Tensor, " p"]
    ) -> Float[Tensor, " p"]:
        """Return them after the shift."""
        return squares - self.of_r[rows] + self.of_t[columns] + self.of_both


def solve_class(problem: ClassProblem, x_ref: Tensor, x_tgt: Tensor, metric: str) -> Plan:
    """Return the cheapest coupling of one class; see ``solve_classes``."""
    return solve_classes([problem], x_ref, x_tgt, metric)


def solve_classes(
    problems: list[ClassProblem],
    x_ref: Tensor,
    x_tgt: Tensor,
    metric: str,
    allowed: Tensor | None = None,
    fixed: FixedDistances | None = None,
) -> Plan:
    """Return the cheapest coupling of each class, as one plan; masses of a class sum to P_T(label).

    Args:
        problems: the points of each class and their masses.
        x_ref: what the ground cost sees of all reference points, (n_R, p): features, span coordinates, or logits.
        x_tgt: the same of the pulled-back target points, (n_T, p).
        metric: one of METRICS.
        allowed: for ``one_sided``, whether B_ij > 0, (K_T, p).
        fixed: for ``euclidean``, coordinates that are not in ``x_ref`` and ``x_tgt``.
    """
    parts, exact = [], True
    for p, cost in zip(problems, _cost_blocks(problems, x_ref, x_tgt, metric, allowed, fixed), strict=True):
        uniform = np.full(len(p.target), 1.0 / len(p.target))
        rows, columns, mass, proven = _cheapest(cost, p.weight.numpy(), uniform)
        pairs = p.source.numpy()[rows], p.target.numpy()[columns]
        parts.append((*pairs, np.full(len(rows), p.label), p.prior * mass, cost[rows, columns]))
        exact = exact and proven
    source, target, label, mass, cost = (
        torch.from_numpy(np.concatenate(x)) for x in zip(*parts, strict=True)
    )
    if fixed is None:  # without the rounding of distances from inner products
        mask = None if allowed is None else allowed[label]
        cost = pair_costs(x_ref[source], x_tgt[target], metric, mask)
    return Plan(source, target, mass, cost, exact)


def transport(
    cost: Float[Tensor, "m n"], a: Float[Tensor, " m"], b: Float[Tensor, " n"]
) -> tuple[Float[Tensor, "m n"], bool]:
    """Return an optimal coupling of the masses ``a`` and ``b``, and whether the solver proved it optimal."""
    rows, columns, mass, exact = _cheapest(cost.numpy(), a.numpy(), b.numpy())
    plan = torch.zeros_like(cost)
    plan[rows, columns] = torch.from_numpy(mass)
    return plan, exact


def _cheapest(
    cost: np.ndarray, a: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
    """Rows, columns and masses of an optimal coupling, and whether the solver proved it optimal.

    As many points on either side, all of one mass, are an assignment, which SciPy solves several times faster;
    else POT's network simplex. Any coupling gives a valid bound, so a solver that stopped early makes the bound
    looser, never wrong; the certificate asks for the proof all the same.
    """
    if len(a) == 1 or len(b) == 1:
        rows, columns = np.divmod(np.arange(cost.size), len(b))
        return rows, columns, a[rows] * b[columns], True
    if len(a) == len(b) and (a == a[0]).all() and (b == b[0]).all():
        rows, columns = linear_sum_assignment(cost)
        return rows, columns, b, True
    scale = float(np.abs(cost).max()) or 1.0  # the solver's tolerances are absolute
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # its warning is in the log, read below
        # The dual, which is not read, is left as it is.
        plan, log = ot.emd(a, b, cost / scale, numItermax=20_000_000, log=True, center_dual=False)
    rows, columns = np.nonzero(plan)
    return rows, columns, plan[rows, columns], log["warning"] is None


def pair_costs(
    a: Float[Tensor, "p q"], b: Float[Tensor, "p q"], metric: str, mask: Tensor | None = None
) -> Float[Tensor, " p"]:
    """Return the ground cost from each row of ``a`` (reference) to the same row of ``b`` (target), (p,).

    ``euclidean`` and ``span``: the distance. ``logit``: max_k D_k - min_k D_k with D = b - a, in nats.
    ``one_sided``: max_k D_k - min over the classes of ``mask`` of D_k, in nats; mask (q,), or (p, q) for one per pair.
    """
    difference = b - a
    if metric in ("euclidean", "span"):
        return difference.norm(dim=1)
    lowest = difference if mask is None or metric == "logit" else torch.where(mask, difference, torch.inf)
    return difference.amax(1) - lowest.amin(1)


def _cost_blocks(
    problems: list[ClassProblem],
    x_ref: Tensor,
    x_tgt: Tensor,
    metric: str,
    allowed: Tensor | None,
    fixed: FixedDistances | None,
) -> Iterator[np.ndarray]:
    """The cost matrix of each class, (m, n); of all small classes in one go."""
    sizes = [len(p.source) * len(p.target) for p in problems]
    if fixed is None and sum(sizes) * x_ref.shape[1] <= CHUNK:
        rows = np.concatenate([np.repeat(p.source.numpy(), len(p.target)) for p in problems])
        columns = np.concatenate([np.tile(p.target.numpy(), len(p.source)) for p in problems])
        mask = None if allowed is None else allowed[np.repeat([p.label for p in problems], sizes)]
        flat = pair_costs(x_ref[rows], x_tgt[columns], metric, mask).numpy()
        for p, block in zip(problems, np.split(flat, np.cumsum(sizes)[:-1]), strict=True):
            yield block.reshape(len(p.source), len(p.target))
        return
    for p in problems:
        mask = None if allowed is None else allowed[p.label]
        cost = _cost_matrix(x_ref[p.source], x_tgt[p.target], metric, mask)
        if fixed is not None:
            cost = cost.square_().add_(fixed.block(p.source, p.target)).clamp_(min=0.0).sqrt_()
        yield cost.numpy()


def _cost_matrix(a: Tensor, b: Tensor, metric: str, mask: Tensor | None) -> Tensor:
    """All pairs, (m, n); in parts of the rows, so that memory stays small."""
    if metric in ("euclidean", "span"):
        return torch.cdist(a, b)
    columns, rows = b.T.contiguous(), max(CHUNK // b.numel(), 1)
    low_over = slice(None) if mask is None or metric == "logit" else mask
    parts = []
    for part in a.split(rows):
        difference = columns[:, None, :] - part.T[:, :, None]  # (q, rows, n)
        parts.append(difference.amax(0) - difference[low_over].amin(0))
    return torch.cat(parts)
