"""eq-mismatch: transport class by class equals one transport over all points whose plan pays for no label."""

import numpy as np
import ot
import pytest

from taskrel_core import relatedness
from tests.generators import gaussian_task


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_one_big_transport_gives_the_same(seed):
    reference, target = (
        gaussian_task(60, 4, 3, seed),
        gaussian_task(45, 4, 3, seed + 50, prior=[0.2, 0.3, 0.5]),
    )
    r = relatedness(reference, target, 0.5)
    z = r.transform.apply(reference.z).numpy()
    cost = np.linalg.norm(z[:, None] - target.z.numpy()[None], axis=2)
    to = r.transform.B.argmax(0)[reference.labels].numpy()
    cost = cost + 1e4 * (to[:, None] != target.labels.numpy()[None])
    weight = (r.transform.prior / reference.prior)[reference.labels].numpy() / len(reference)
    whole = ot.emd2(weight, np.full(len(target), 1 / len(target)), cost)
    assert r.distribution_mismatch == pytest.approx(whole, rel=1e-9)
