"""eq-labelmap: drawing a label from h_R and passing it through B gives the probabilities B h_R."""

import numpy as np
import torch

from taskrel_core import relatedness
from tests.generators import gaussian_task


def test_mapped_probabilities_are_those_of_mapped_draws():
    reference, target = gaussian_task(90, 3, 2, seed=2), gaussian_task(60, 3, 4, seed=3)
    r = relatedness(reference, target, 1.0)
    point = target.z[:1]
    p = r.head.probabilities(r.transform.pull_back(point))[0].numpy()
    rng, B = np.random.default_rng(0), r.transform.B.numpy()
    assert np.allclose(B.sum(0), 1)
    drawn = [rng.choice(4, p=B[:, rng.choice(2, p=p / p.sum())]) for _ in range(20_000)]
    share = np.bincount(drawn, minlength=4) / len(drawn)
    assert np.allclose(share, r.classifier(point)[0].numpy(), atol=4 * 0.5 / 20_000**0.5)
    assert torch.allclose(r.classifier(target.z).sum(1), torch.ones(60, dtype=torch.float64))
