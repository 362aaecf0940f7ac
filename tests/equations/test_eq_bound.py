"""eq-bound: the sum of the terms lies above the loss of h_R''' and above the best head's, for each metric and shape."""

import pytest

from taskrel_core import relatedness, transferability
from tests.generators import gaussian_task


@pytest.mark.parametrize("metric", ["euclidean", "span", "logit", "one_sided"])
@pytest.mark.parametrize(("k_r", "k_t"), [(3, 3), (5, 3), (2, 4)])
@pytest.mark.parametrize("tau", [0.05, 1.0])
def test_the_sum_bounds_both_losses(metric, k_r, k_t, tau):
    reference, target = gaussian_task(70, 6, k_r, seed=k_r), gaussian_task(50, 6, k_t, seed=10 + k_t)
    r = relatedness(reference, target, tau, metric=metric)
    loss = -r.classifier(target.z).log().gather(1, target.labels[:, None]).mean()
    assert r.bound == r.reweighted_loss + r.label_mismatch + r.tau * r.distribution_mismatch
    assert r.certified
    assert r.bound >= float(loss) - 1e-9
    if bool(((r.transform.B[:, r.transform.prior > 0] > 0).sum(1) == 1).all()):
        assert r.bound >= transferability(target, tau).loss - 2e-6
