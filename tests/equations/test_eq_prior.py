"""eq-prior: the weight C(y) turns the reference's sample into one with the new prior."""

import torch

from taskrel_core import relatedness
from tests.generators import gaussian_task


def test_weighted_class_masses_are_the_new_prior():
    reference, target = (
        gaussian_task(120, 4, 5, seed=0),
        gaussian_task(80, 4, 3, seed=1, prior=[0.6, 0.3, 0.1]),
    )
    prior = relatedness(reference, target, 0.5).transform.prior
    C = prior / reference.prior
    mass = torch.zeros(5, dtype=torch.float64).index_add_(
        0, reference.labels, C[reference.labels] / len(reference)
    )
    assert torch.allclose(mass, prior)
    assert abs(float(prior.sum()) - 1) < 1e-12
