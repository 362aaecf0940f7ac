"""eq-coupling: prior and B of a coupling are a distribution and a stochastic matrix with B P_R' = P_T."""

import pytest
import torch

from taskrel_core.method.transform import label_coupling
from tests.generators import random_stochastic


@pytest.mark.parametrize(("k_t", "k_r"), [(3, 3), (2, 5), (5, 2)])
def test_masses_agree(k_t, k_r):
    q, target = random_stochastic(k_r, k_t, 3).T.contiguous(), random_stochastic(k_t, 1, 4)[:, 0]
    q[:, 0] = 0  # a reference class that nothing draws from
    q = q / q.sum(1, keepdim=True)
    prior, B = label_coupling(q, target)
    assert torch.allclose(B @ prior, target, atol=1e-15)
    assert torch.allclose(B.sum(0), torch.ones(k_r, dtype=torch.float64))
    assert float(prior[0]) == 0.0
    # Sampling: the joint of (j, i) is pi.
    assert torch.allclose(B * prior, target[:, None] * q, atol=1e-15)
