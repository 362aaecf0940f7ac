"""Hypothesis hunts for counter-examples to the bound, over every metric, mode and shape of problem."""

import math
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, logsumexp

from taskrel_core import Task, transferability
from taskrel_core import relatedness as full_relatedness
from taskrel_core.method.transport import METRICS
from tests.generators import FEW_STEPS

EXAMPLES = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)  # where minutes do not count, the slow test below takes 1,000 other ones each time


# No setting may make the bound wrong, so the search for counter-examples takes few steps of everything.
relatedness = partial(full_relatedness, settings=FEW_STEPS)


@st.composite
def tasks(draw, d: int, name: str) -> Task:
    """A small task: imbalanced, with duplicates, constant columns, one-sample and absent classes, any scale."""
    k, n = draw(st.integers(1, 5)), draw(st.integers(1, 30))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    z = rng.normal(size=(n, d)) * 10.0 ** draw(st.integers(-2, 2))
    y = rng.choice(k, size=n, p=rng.dirichlet(np.full(k, draw(st.sampled_from([0.3, 1.0, 10.0])))))
    z = z + draw(st.sampled_from([0.0, 1.0, 5.0])) * rng.normal(size=(k, d))[y] * np.abs(z).mean()
    if draw(st.booleans()):
        z[:, 0] = 1.0
    if draw(st.booleans()):
        z[n // 2 :] = z[0]
    return Task(z, y, k, name)


@st.composite
def problems(draw) -> tuple[Task, Task, float]:
    """A reference and a target of one width, and a tau."""
    d = draw(st.integers(1, 6))
    return draw(tasks(d, "reference")), draw(tasks(d, "target")), 10.0 ** draw(st.floats(-3, 1.5))


def loss_of(r, target: Task) -> float:
    """The loss of h_R''' from its definition, by another route than the package's; in logs, which do not underflow."""
    u = (target.z - r.transform.b) @ r.transform.A_inv.T
    log_h = log_softmax((u @ r.head.weight.T + r.head.bias).numpy(), axis=1)
    with np.errstate(divide="ignore"):
        log_B = np.log(r.transform.B.numpy())
    return float(-logsumexp(log_h + log_B[target.labels.numpy()], axis=1).mean())


@pytest.mark.parametrize("metric", METRICS)
@given(problem=problems())
@EXAMPLES
def test_no_loss_lies_above_its_bound(metric, problem):
    hold(metric, *problem)


@pytest.mark.slow
@pytest.mark.parametrize("metric", METRICS)
@given(problem=problems())
@settings(EXAMPLES, max_examples=1000, derandomize=False)
def test_no_loss_lies_above_its_bound_on_other_problems_each_time(metric, problem):
    hold(metric, *problem)


def hold(metric, reference, target, tau):
    """The bound's laws on one problem."""
    r = relatedness(reference, target, tau, metric=metric)
    loss = loss_of(r, target)
    assert r.certified
    assert math.isfinite(r.bound)
    assert min(r.reweighted_loss, r.label_mismatch, r.distribution_mismatch) >= 0
    assert r.bound >= loss - 1e-8 * (1 + abs(loss))
    values = list(r.chain.values())
    assert all(b <= a + 1e-8 * (1 + abs(a)) for a, b in pairwise(values))
    used = r.transform.prior > 0
    if bool(((r.transform.B[:, used] > 0).sum(1) <= 1).all()):
        assert r.bound >= transferability(target, tau).loss - 1e-5 * (1 + tau)


@given(problem=problems())
@settings(EXAMPLES, max_examples=25)
def test_full_settings_keep_the_law(problem):
    reference, target, tau = problem
    r = full_relatedness(reference, target, tau, metric="one_sided")
    assert r.certified
    assert r.bound >= loss_of(r, target) - 1e-8 * (1 + abs(r.loss))


@pytest.mark.parametrize("mode", ["fixed_all", "learned_a"])
@given(problem=problems(), seed=st.integers(0, 5))
@settings(EXAMPLES, max_examples=60)
def test_fixed_maps_are_bounds_too(mode, problem, seed):
    reference, target, tau = problem
    r = relatedness(reference, target, tau, metric="one_sided", mode=mode, seed=seed)
    assert r.certified
    assert r.bound >= loss_of(r, target) - 1e-8 * (1 + abs(r.loss))


@given(problem=problems())
@settings(EXAMPLES, max_examples=25)
def test_learning_more_never_hurts_under_any_metric(problem):
    reference, target, tau = problem
    modes = ("fixed_all", "learned_a", "learned_all")
    fixed, moved, all_ = (
        relatedness(reference, target, tau, metric="one_sided", mode=m).chain for m in modes
    )
    for metric in METRICS:
        assert moved[metric] <= fixed[metric] + 1e-8 * (1 + fixed[metric])
        assert all_[metric] <= moved[metric] + 1e-8 * (1 + moved[metric])


@given(problem=problems())
@settings(EXAMPLES, max_examples=60)
def test_what_the_certificate_stands_on(problem):
    reference, target, tau = problem
    r = relatedness(reference, target, tau)
    transform, used = r.transform, r.transform.prior > 0
    rows = r.head.weight[used] @ transform.A_inv
    gaps = (rows[:, None] - rows[None]).norm(dim=2)
    assert float(gaps.max()) <= tau * (1 + 1e-9)
    assert torch.allclose(transform.B @ transform.prior, target.prior, atol=1e-12)
    assert torch.allclose(transform.A @ transform.A_inv, torch.eye(target.d, dtype=torch.float64), atol=1e-8)
    assert r.method == "exact"
    assert r.loss <= r.bound + 1e-9
