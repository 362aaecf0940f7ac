"""eq-lipschitz: no pair of points breaks the constant, some pair comes near it, whatever the label and B."""

import pytest
import torch

from taskrel_core.method.bound import loss_constant
from taskrel_core.method.head import Head
from tests.generators import random_stochastic, rotation


@pytest.mark.parametrize("seed", range(5))
def test_no_pair_of_points_breaks_it(seed):
    g = torch.Generator().manual_seed(seed)
    head = Head(
        torch.randn(4, 3, generator=g, dtype=torch.float64), torch.randn(4, generator=g, dtype=torch.float64)
    )
    A_inv = rotation(3, seed) @ torch.diag(torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64))
    B, z = random_stochastic(3, 4, seed), 5 * torch.randn(3000, 3, generator=g, dtype=torch.float64)
    step = torch.randn(3000, 3, generator=g, dtype=torch.float64)

    def losses(points):
        return -torch.log(head.probabilities(points @ A_inv.T) @ B.T)

    slope = (losses(z + step) - losses(z)).abs() / step.norm(dim=1, keepdim=True)
    assert float(slope.max()) <= loss_constant(head, A_inv) * (1 + 1e-9)


def test_it_is_reached():
    head = Head(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]).double(), torch.zeros(2).double())
    far = torch.tensor([[30.0, 0.0], [31.0, 0.0]]).double()
    loss = head.losses(far, torch.tensor([1, 1]))
    eye = torch.eye(2, dtype=torch.float64)
    assert float(loss[1] - loss[0]) == pytest.approx(loss_constant(head, eye), rel=1e-9)
