"""The coordinates in which the exact method works: centred, of unit spread and, where features are wide, rotated.

Neither the unit nor the origin of the features matters to the method, so neither may steer it. The search also runs on
features rounded to GRAIN: it meets ties, and rounding errors of another unit would send it elsewhere. What it finds is
measured on the features as they are.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..task import Task
from .bound import Relatedness
from .head import Head
from .settings import ExactSettings
from .transform import embed, leading_frame

GRAIN = 2.0**-26  # of the spread: below the precision of float32


@dataclass(frozen=True, eq=False)
class Frame:
    """Coordinates rotation^T (z - origin) / unit, with an origin for each task."""

    of_reference: Tensor  # (d,)
    of_target: Tensor  # (d,)
    unit: float
    rotation: Tensor | None  # (d, d), orthogonal; None for the identity

    def enter(self, reference: Task, target: Task) -> tuple[Task, Task]:
        """Return both tasks in these coordinates."""
        z_r, z_t = (
            (z - o) / self.unit for z, o in ((reference.z, self.of_reference), (target.z, self.of_target))
        )
        return reference.replaced(self._rotated(z_r), reference.y), target.replaced(
            self._rotated(z_t), target.y
        )

    def shift(self) -> Tensor:
        """Return the place of the target's origin when seen from the reference's, (d,)."""
        return self._rotated((self.of_target - self.of_reference) / self.unit)

    def leave(self, result: Relatedness) -> Relatedness:
        """Return a result found in these coordinates in those of the caller."""
        t, weight = result.transform, result.head.weight
        A, A_inv, b, basis = t.A, t.A_inv, t.b, t.basis
        if self.rotation is not None:
            basis = torch.eye(len(A), dtype=A.dtype) if basis is None else basis
            A, A_inv = (embed(basis.T @ matrix @ basis, self.rotation @ basis) for matrix in (A, A_inv))
            b, weight, basis = self.rotation @ b, weight @ self.rotation.T, self.rotation @ basis
        b, weight = self.of_target - A @ self.of_reference + self.unit * b, weight / self.unit
        head = Head(weight, result.head.bias - weight @ self.of_reference)
        result = replace(result, transform=replace(t, A=A, A_inv=A_inv, b=b, basis=basis), head=head)
        if result.metric in ("logit", "one_sided"):  # measured in nats
            return result
        mismatch, constant = result.distribution_mismatch * self.unit, result.tau / self.unit
        return replace(result, distribution_mismatch=mismatch, tau=constant)

    def _rotated(self, z: Tensor) -> Tensor:
        return z if self.rotation is None else z @ self.rotation


def find_frame(reference: Task, target: Task, settings: ExactSettings) -> Frame:
    """Return the coordinates for two tasks: the means at 0, the larger of the two spreads 1."""
    mean_r, mean_t = reference.z.mean(0), target.z.mean(0)
    unit = max(_spread(reference.z - mean_r), _spread(target.z - mean_t))
    frame = Frame(mean_r, mean_t, unit or 1.0, None)
    if reference.d <= settings.full_turn:
        return frame
    reference, target = frame.enter(reference, target)
    return replace(frame, rotation=leading_frame(rounded(reference).z, rounded(target).z, settings.leading))


def rounded(task: Task) -> Task:
    """Return the task with its features rounded to GRAIN."""
    return task.replaced((task.z / GRAIN).round() * GRAIN, task.y)


def rounded_down(tau: float) -> float:
    """Return a number at most ``tau``, less by some 1e-9 of it, that rounding errors in ``tau`` do not change."""
    mantissa, exponent = math.frexp(tau)
    return math.ldexp(round(mantissa * 2**30) - 1, exponent - 30)


def _spread(z: Tensor) -> float:
    """Root mean square of centred features, without overflow."""
    largest = float(z.abs().max())
    return largest * float((z / largest).square().mean().sqrt()) if largest > 0 else 0.0
