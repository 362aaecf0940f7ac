"""eq-surrogate: the closed form is the smallest distance of matched means over all rotations, and no turn changes it."""

import pytest
import torch

from taskrel_core.method.class_map import MapProblem
from tests.generators import rotation


@pytest.mark.parametrize("seed", range(4))
def test_closed_form_is_the_minimum_over_rotations(seed):
    g = torch.Generator().manual_seed(seed)
    t, r = (
        torch.randn(4, 2, generator=g, dtype=torch.float64),
        torch.randn(4, 2, generator=g, dtype=torch.float64),
    )
    prior = torch.softmax(torch.randn(4, generator=g, dtype=torch.float64), 0)
    t, sigma = t - prior @ t, torch.tensor([[2, 0, 3, 1]])
    matched = r[sigma[0]] - prior @ r[sigma[0]]
    best = torch.inf
    for angle in torch.linspace(0, 2 * torch.pi, 20_001, dtype=torch.float64):
        c, s = angle.cos(), angle.sin()
        for flip in (1.0, -1.0):
            A = torch.stack([torch.stack([c, -s * flip]), torch.stack([s, c * flip])])
            best = min(best, float(prior @ ((t - matched @ A.T) ** 2).sum(1)))
    problem = MapProblem(t, r, prior, torch.zeros(4, dtype=torch.float64), 1.0)
    assert float(problem.surrogate(sigma)) ** 2 == pytest.approx(best, rel=1e-6)
    turned = MapProblem(t @ rotation(2, seed), r, prior, problem.losses, 1.0)
    assert float(turned.surrogate(sigma)) == pytest.approx(float(problem.surrogate(sigma)), rel=1e-9)
