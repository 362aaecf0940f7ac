"""Projected subgradient steps on a pull-back at fixed plans, where the ground cost looks through the head.

At a fixed plan the cost is convex in the pull-back M z + m, and so is the set of those that keep the loss tau-Lipschitz.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from .. import environment
from .settings import EXACT
from .transform import PullBack, clip_spectrum, shrink
from .transport import Plan

__all__ = ["descend", "slopes"]


def descend(
    pull: PullBack,
    plan: Plan,
    seen: Float[Tensor, "m p"],
    z: Float[Tensor, "n d"],
    V: Float[Tensor, "k p"],
    metric: str,
    mask: Bool[Tensor, "n k"] | None,
) -> PullBack:
    """Return the pull-back after Adam's steps of falling size; they are taken on the device of the settings.

    Args:
        pull: where to start, on the coordinates E of the span.
        plan: pairs of reference and target points, with their mass.
        seen: E z of the reference.
        z: features of the target.
        V: what the cost compares, as rows of coefficients of the span's coordinates.
        metric: "span", "logit" or "one_sided".
        mask: of the one-sided cost, which rows of V each target point's lowest difference is taken over.
    """
    both = torch.cat([pull.M, pull.m[:, None]], dim=1)
    pairs = None if mask is None else mask[plan.target].to(environment.device())
    both, s_r, V, z, mass, chosen = (
        x.to(environment.device()) for x in (both, seen[plan.source], V, z, plan.mass[:, None], plan.target)
    )
    d = z.shape[1]
    steps = min(max(EXACT.descent_work // (z.numel() * len(both)), EXACT.descent_least), EXACT.descent)
    # Rows of M have norm at most 1, so its entries are of the order of d ** -0.5.
    rates = torch.full_like(both, EXACT.descent_rate / d**0.5)
    rates[:, -1] = EXACT.descent_rate * float(s_r.std())
    first, second = torch.zeros_like(both), torch.zeros_like(both)
    for step in range(1, steps + 1):
        s_t = z @ both[:, :-1].T + both[:, -1]
        slope = mass * (slopes((s_t[chosen] - s_r) @ V.T, metric, pairs) @ V)
        slope = torch.zeros_like(s_t).index_add_(0, chosen, slope)
        slope = torch.cat([slope.T @ z, slope.sum(0)[:, None]], dim=1)
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2  # Adam's averages
        size = rates * (1 - 0.98 * step / steps) / (1 - 0.9**step)
        both = both - size * first / ((second / (1 - 0.999**step)).sqrt() + 1e-12)
        both[:, :-1] = shrink(both[:, :-1])
    both = both.cpu()
    return PullBack(pull.E, clip_spectrum(both[:, :-1]), both[:, -1].clone())


def slopes(difference: Tensor, metric: str, mask: Tensor | None) -> Tensor:
    """Subgradient of each pair's cost in its difference, (p, q)."""
    if metric == "span":
        return difference / difference.norm(dim=1, keepdim=True).clamp(min=1e-300)
    lowest = difference if mask is None else torch.where(mask, difference, torch.inf)
    slope = torch.zeros_like(difference).scatter_(1, difference.argmax(1, keepdim=True), 1.0)
    return slope.scatter_add_(1, lowest.argmin(1, keepdim=True), torch.full_like(slope[:, :1], -1.0))
