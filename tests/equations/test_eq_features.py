"""eq-features: the inverse is exact, so the moved point gets the verdict of the point it came from."""

import pytest
import torch

from taskrel_core import relatedness
from tests.generators import gaussian_task


@pytest.mark.parametrize("metric", ["euclidean", "span", "logit", "one_sided"])
def test_a_moved_point_is_judged_as_before(metric):
    reference, target = gaussian_task(60, 5, 3, seed=4), gaussian_task(50, 5, 3, seed=5)
    r = relatedness(reference, target, 0.5, metric=metric)
    assert torch.allclose(r.transform.A @ r.transform.A_inv, torch.eye(5, dtype=torch.float64), atol=1e-8)
    moved = r.transform.apply(reference.z)
    assert torch.allclose(r.transform.pull_back(moved), reference.z, atol=1e-7)
    expected = r.head.probabilities(reference.z) @ r.transform.B.T
    assert torch.allclose(r.classifier(moved), expected, atol=1e-7)
