"""eq-costs: the four costs are ordered, and each lies above the change of the loss."""

import pytest
import torch

from taskrel_core.method.head import Head
from taskrel_core.method.transport import pair_costs
from tests.generators import random_stochastic


@pytest.mark.parametrize("seed", range(6))
def test_chain_of_inequalities(seed):
    g = torch.Generator().manual_seed(seed)
    head = Head(
        torch.randn(4, 6, generator=g, dtype=torch.float64), torch.randn(4, generator=g, dtype=torch.float64)
    )
    u, v = (3 * torch.randn(2000, 6, generator=g, dtype=torch.float64) for _ in range(2))
    B = random_stochastic(3, 4, seed)
    B[0, 2] = B[1, 1] = 0.0
    B = B / B.sum(0)
    E = torch.linalg.svd(head.weight - head.weight.mean(0), full_matrices=False).Vh[:3]
    span = head.lipschitz * pair_costs(u @ E.T, v @ E.T, "span")
    logit = pair_costs(u @ head.weight.T, v @ head.weight.T, "logit")
    assert (span <= head.lipschitz * pair_costs(u, v, "euclidean") + 1e-12).all()
    assert (logit <= span + 1e-9).all()
    for y in range(3):
        one_sided = pair_costs(u @ head.weight.T, v @ head.weight.T, "one_sided", B[y] > 0)
        change = torch.log(head.probabilities(u) @ B[y]) - torch.log(head.probabilities(v) @ B[y])
        assert (one_sided <= logit + 1e-12).all()
        assert (change <= one_sided + 1e-9).all()
