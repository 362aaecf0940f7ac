"""eq-transferability: the least loss of a tau-Lipschitz linear softmax head, against an independent solver."""

import numpy as np
import pytest
from scipy.optimize import minimize

from taskrel_core import transferability
from tests.generators import gaussian_task


@pytest.mark.parametrize("tau", [0.1, 0.5, 50.0])
def test_no_other_head_of_the_class_does_better(tau):
    task = gaussian_task(40, 2, 3, seed=1, separation=0.7)
    z, y = task.z.numpy(), task.labels.numpy()

    def loss(x):
        logits = z @ x[:6].reshape(3, 2).T + x[6:]
        return np.mean(np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(y)), y])

    pairs = [(0, 1), (0, 2), (1, 2)]
    inside = [
        {
            "type": "ineq",
            "fun": lambda x, j=j, k=k: tau**2 - np.sum((x[2 * j : 2 * j + 2] - x[2 * k : 2 * k + 2]) ** 2),
        }
        for j, k in pairs
    ]
    start = np.random.default_rng(0).normal(size=9) * 0.01
    other = minimize(loss, start, method="SLSQP", constraints=inside, options={"maxiter": 500, "ftol": 1e-12})
    ours = transferability(task, tau)
    assert ours.head.lipschitz <= tau
    assert ours.loss == pytest.approx(other.fun, abs=2e-6)
