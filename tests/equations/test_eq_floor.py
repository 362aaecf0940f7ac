"""eq-floor: on balanced classes within a ball no head of the class goes below the floor; a simplex reaches it."""

import math

import pytest
import torch

from taskrel_core import Task, transferability


@pytest.mark.parametrize("tau", [0.1, 0.5, 2.0])
def test_no_head_goes_below(tau):
    g = torch.Generator().manual_seed(0)
    z = torch.randn(60, 4, generator=g, dtype=torch.float64)
    z = z / z.norm(dim=1, keepdim=True)
    y = torch.arange(60) % 3
    assert transferability(Task(z, y, 3), tau).loss >= math.log(1 + 2 * math.exp(-tau)) - 1e-9


def test_two_opposite_points_reach_it():
    z = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    loss = transferability(Task(z, torch.tensor([0, 1]), 2), 0.5).loss
    assert loss == pytest.approx(math.log(1 + math.exp(-0.5)), abs=2e-6)
