"""eq-reweighted: the weighted mean over samples is the prior-weighted mean of the classes' losses."""

import pytest

from taskrel_core import relatedness
from tests.generators import gaussian_task


def test_mean_over_samples_equals_sum_over_classes():
    reference, target = (
        gaussian_task(90, 4, 4, seed=6),
        gaussian_task(60, 4, 4, seed=7, prior=[0.5, 0.2, 0.2, 0.1]),
    )
    r = relatedness(reference, target, 0.5)
    C = r.transform.prior / reference.prior
    losses = r.head.losses(reference.z, reference.labels)
    assert r.reweighted_loss == pytest.approx(float((C[reference.labels] * losses).mean()), rel=1e-12)
