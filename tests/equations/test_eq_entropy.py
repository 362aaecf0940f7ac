"""eq-entropy: the label mismatch is the entropy of the joint less that of the prior; 0 for a deterministic map."""

import pytest
import torch
from scipy.stats import entropy

from taskrel_core.method.bound import label_mismatch
from tests.generators import random_stochastic


@pytest.mark.parametrize(("k_t", "k_r", "seed"), [(2, 3, 0), (4, 4, 1), (5, 2, 2)])
def test_chain_rule(k_t, k_r, seed):
    B, prior = random_stochastic(k_t, k_r, seed), random_stochastic(k_r, 1, seed + 9)[:, 0]
    joint = (B * prior).numpy()
    assert label_mismatch(prior, B) == pytest.approx(
        entropy(joint.ravel()) - entropy(prior.numpy()), abs=1e-12
    )


def test_a_map_of_classes_has_none():
    B = torch.eye(3, dtype=torch.float64)[:, [2, 0, 1]]
    assert label_mismatch(torch.full((3,), 1 / 3, dtype=torch.float64), B) == 0.0
