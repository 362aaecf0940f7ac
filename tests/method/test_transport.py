"""Transport with known answers: sorted samples, translations, Diracs, permutations, Gaussians; POT as second opinion."""

import numpy as np
import ot
import pytest
import torch
from scipy.linalg import sqrtm
from scipy.stats import wasserstein_distance

from taskrel_core.method.transport import (
    METRICS,
    ClassProblem,
    pair_costs,
    solve_class,
    solve_classes,
    transport,
)
from tests.generators import random_stochastic


def whole(a, b, metric="euclidean", prior=1.0, weight=None):
    """The plan of one class made of all of ``a`` and all of ``b``."""
    a, b = torch.as_tensor(a).double(), torch.as_tensor(b).double()
    mass = (
        torch.full((len(a),), 1 / len(a), dtype=torch.float64)
        if weight is None
        else torch.as_tensor(weight).double()
    )
    return solve_class(ClassProblem(0, prior, torch.arange(len(a)), mass, torch.arange(len(b))), a, b, metric)


@pytest.mark.parametrize(("m", "n"), [(1, 1), (1, 7), (6, 1), (5, 5), (9, 4)])
def test_on_a_line_sorted_samples_are_matched(m, n):
    rng = np.random.default_rng(m * 10 + n)
    x, y, w = rng.normal(size=m), rng.normal(size=n), rng.dirichlet(np.ones(m))
    plan = whole(x[:, None], y[:, None], weight=w)
    assert plan.value == pytest.approx(wasserstein_distance(x, y, w), rel=1e-12)
    assert plan.exact


def test_a_translation_costs_its_length_and_a_permutation_nothing():
    x = np.random.default_rng(0).normal(size=(12, 3))
    assert whole(x, x + np.array([3.0, 0.0, 4.0])).value == pytest.approx(5.0, rel=1e-12)
    assert whole(x, x[::-1].copy()).value == 0.0


def test_the_prior_weighs_the_class_and_joining_adds():
    x = np.random.default_rng(0).normal(size=(6, 2))
    plans = [whole(x, x + np.array([1.0, 0.0]), prior=0.25), whole(x, x + np.array([0.0, 2.0]), prior=0.75)]
    both = plans[0].replaced(torch.ones(6, dtype=torch.bool), plans[1])
    assert both.value == pytest.approx(0.25 + 1.5, rel=1e-12)
    assert float(both.mass.sum()) == pytest.approx(1.0, rel=1e-12)
    assert both.exact


def test_a_large_gaussian_sample_comes_near_bures_from_both_sides():
    # W_1 lies between the distance of the means and W_2, which has Bures' closed form.
    rng = np.random.default_rng(0)
    L, M, shift = rng.normal(size=(2, 2)), rng.normal(size=(2, 2)), np.array([4.0, 1.0])
    x, y = rng.normal(size=(700, 2)) @ L.T, rng.normal(size=(700, 2)) @ M.T + shift
    S, T = np.cov(x.T, bias=True), np.cov(y.T, bias=True)
    root = sqrtm(S)
    bures = np.linalg.norm(x.mean(0) - y.mean(0)) ** 2 + np.trace(S + T - 2 * sqrtm(root @ T @ root)).real
    value = whole(x, y).value
    assert np.linalg.norm(x.mean(0) - y.mean(0)) <= value <= 1.03 * bures**0.5


@pytest.mark.parametrize("metric", METRICS)
def test_the_plan_has_the_right_marginals_and_is_no_dearer_than_any_other(metric):
    rng = np.random.default_rng(3)
    x, y, w = rng.normal(size=(7, 4)), rng.normal(size=(5, 4)), rng.dirichlet(np.ones(7))
    plan = whole(x, y, metric, weight=w)
    np.testing.assert_allclose(np.bincount(plan.source, plan.mass, 7), w, atol=1e-14)
    np.testing.assert_allclose(np.bincount(plan.target, plan.mass, 5), 0.2, atol=1e-14)
    i, j = np.indices((7, 5)).reshape(2, -1)
    cost = pair_costs(torch.tensor(x[i]), torch.tensor(y[j]), metric).numpy().reshape(7, 5)
    assert plan.value == pytest.approx(ot.emd2(w, np.full(5, 0.2), cost), rel=1e-10)
    assert plan.value <= (np.outer(w, np.full(5, 0.2)) * cost).sum() + 1e-12


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_scale_changes_nothing_but_the_scale(scale):
    rng = np.random.default_rng(4)
    cost, a, b = rng.random((6, 5)), rng.dirichlet(np.ones(6)), rng.dirichlet(np.ones(5))
    plan, exact = transport(*map(torch.tensor, (scale * cost, a, b)))
    assert exact
    assert (plan.numpy() * cost).sum() == pytest.approx(ot.emd2(a, b, cost), rel=1e-9)


def test_one_sided_reads_the_mask_of_the_label():
    rng = np.random.default_rng(5)
    x, y = (torch.tensor(rng.normal(size=(n, 3))) for n in (6, 4))
    allowed = random_stochastic(2, 3, 0) > 0.5
    problem = ClassProblem(
        1, 1.0, torch.arange(6), torch.full((6,), 1 / 6, dtype=torch.float64), torch.arange(4)
    )
    D = (y[None] - x[:, None]).numpy()
    cost = D.max(2) - D[:, :, allowed[1].numpy()].min(2)
    plan = solve_classes([problem], x, y, "one_sided", allowed)
    assert plan.value == pytest.approx(ot.emd2(ot.unif(6), ot.unif(4), cost), rel=1e-10)


@pytest.mark.parametrize("n", [2, 7, 40])
def test_equal_masses_are_assigned_as_the_simplex_would(n, monkeypatch):
    rng = np.random.default_rng(n)
    cost, mass = torch.from_numpy(rng.random((n, n))), torch.full((n,), 1.0 / n, dtype=torch.float64)
    simplex = ot.emd2(mass.numpy(), mass.numpy(), cost.numpy())
    monkeypatch.setattr(
        "taskrel_core.method.transport.ot.emd", lambda *_, **__: pytest.fail("no need of a simplex")
    )
    plan, exact = transport(cost, mass, mass)
    assert exact
    assert float((plan * cost).sum()) == pytest.approx(simplex, rel=1e-12)
    assert torch.allclose(plan.sum(0), mass, rtol=1e-12)
    assert torch.allclose(plan.sum(1), mass, rtol=1e-12)
