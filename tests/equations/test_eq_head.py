"""eq-head: any tau-Lipschitz head gives a bound, and the search finds the head that a closed form says is the best."""

import math

import pytest
import torch

from taskrel_core import Task, relatedness
from taskrel_core.method.head import Head, transferability
from taskrel_core.method.problem import Problem
from taskrel_core.method.settings import ExactSettings
from taskrel_core.method.transform import PullBack, clip_spectrum
from tests.generators import gaussian_task, rotation


@pytest.mark.parametrize("seed", range(8))
def test_every_lipschitz_head_and_contraction_give_a_bound(seed):
    g = torch.Generator().manual_seed(seed)
    reference, target = gaussian_task(60, 5, 3, seed=seed), gaussian_task(45, 5, 3, seed=50 + seed)
    E = rotation(5, seed)[:2].contiguous()
    raw = Head(torch.randn(3, 2, generator=g, dtype=torch.float64) @ E, torch.randn(3, generator=g).double())
    head = Head(raw.weight * 0.7 / raw.lipschitz, raw.bias)
    M = clip_spectrum(torch.randn(2, 5, generator=g, dtype=torch.float64))
    m = torch.randn(2, generator=g, dtype=torch.float64)
    q = torch.eye(3, dtype=torch.float64)[torch.randperm(3, generator=g)]
    end = Problem(reference, target, head, ExactSettings()).evaluate(q, PullBack(E, M, m), "one_sided")
    logits = (target.z @ M.T + m) @ (head.weight @ E.T).T + head.bias
    loss = torch.nn.functional.cross_entropy(logits, q.argmax(1)[target.labels])
    assert end.bound >= float(loss) - 1e-9
    assert end.bound >= transferability(target, 0.7).loss - 2e-6


@pytest.mark.parametrize(("a", "b"), [(2.0, 1.5), (1.5, 1.0), (3.0, 2.8)])
def test_two_points_a_class_have_the_closed_form(a, b):
    # Reference at -a and a, target at -b and b. With slope s the sum is log(1 + exp(-s a)) + s (a - b), least where
    # exp(s a) = b / (a - b); the best head on the reference has the largest slope that tau allows.
    y = torch.tensor([0, 1]).repeat(10)
    sign = (2.0 * y - 1).double()[:, None]
    s = math.log(b / (a - b)) / a
    least = math.log1p(math.exp(-s * a)) + s * (a - b)
    r = relatedness(Task(a * sign, y, 2), Task(b * sign, y, 2), 2 * s, metric="one_sided")
    assert r.bound == pytest.approx(least, abs=1e-3)
    assert r.bound >= least - 1e-9
    assert r.chain["logit"] > least + 0.02
