"""eq-authors: the objective at the start, from its formula with a plan of our own, and one step that lowers it."""

import numpy as np
import ot
import pytest
import torch

from taskrel_core.method.head import fit_head
from taskrel_core.method.published_objective import _class_losses, _objective, _start
from taskrel_core.method.settings import GradientSettings
from tests.generators import gaussian_task


def test_value_at_the_start():
    reference, target = gaussian_task(40, 3, 2, seed=1), gaussian_task(40, 3, 2, seed=2)
    head, config = fit_head(reference, 0.5), GradientSettings(batch=1000, label_cost=10.0)
    free = _start(
        reference, target, torch.eye(2, dtype=torch.float64), False, torch.Generator().manual_seed(0)
    )
    value = _objective(
        free,
        False,
        reference,
        target,
        _class_losses(reference, head),
        config,
        torch.Generator().manual_seed(0),
    )
    # Fixed map, A = I: only the transport term is left, over all points (the batch is larger than the sample).
    y, y_t = (free.B.T[reference.labels]).numpy(), np.eye(2)[target.labels.numpy()]
    z, z_t = reference.z.numpy(), target.z.numpy()
    plain = ot.dist(z, z_t, "euclidean") + 10 * ot.dist(y, y_t, "euclidean")
    plan = ot.emd(np.full(40, 1 / 40), np.full(40, 1 / 40), plain)
    expected = 2 * np.sum(plan * (ot.dist(z, z_t) + 10 * ot.dist(y, y_t)))
    assert float(value) == pytest.approx(expected, rel=1e-9)
