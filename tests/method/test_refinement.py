"""Joint refinement: never a larger bound, still tau-Lipschitz, consistent with the result, and bounded work."""

from itertools import combinations, pairwise

import numpy as np
import ot
import pytest
import torch

from taskrel_core import relatedness
from taskrel_core.method import refinement
from taskrel_core.method.head import fit_head
from taskrel_core.method.problem import Problem
from taskrel_core.method.settings import ExactSettings
from tests.generators import gaussian_task, turned_copy

SHAPES = [(3, 3, 4), (5, 3, 6), (2, 4, 5), (4, 4, 2), (3, 2, 1)]


def pair(k_r, k_t, d):
    """Two unrelated tasks of one width."""
    return gaussian_task(60, d, k_r, seed=k_r + d), gaussian_task(45, d, k_t, seed=100 + k_t, separation=1.0)


@pytest.fixture
def unrefined(monkeypatch):
    """Run ``relatedness`` without the last step."""

    def run(*arguments, **settings):
        with monkeypatch.context() as patch:
            patch.setattr(
                "taskrel_core.method.solve.refine_jointly", lambda problem, end, tau: (problem.head, end)
            )
            return relatedness(*arguments, **settings)

    return run


@pytest.mark.parametrize(("shape", "tau"), list(zip(SHAPES, [0.02, 0.5, 20.0, 0.5, 0.5], strict=True)))
def test_never_larger_still_lipschitz_certified_and_in_order(shape, tau, unrefined):
    reference, target = pair(*shape)
    before = unrefined(reference, target, tau, metric="one_sided")
    after = relatedness(reference, target, tau, metric="one_sided")
    assert after.bound <= before.bound
    gaps = [float((v - w).norm()) for v, w in combinations(after.head.weight, 2)]
    assert max(gaps) <= tau * (1 + 1e-12)
    assert after.certified
    assert after.loss <= after.bound + 1e-9
    assert {k: v for k, v in after.chain.items() if k != "one_sided"} == {
        k: v for k, v in before.chain.items() if k != "one_sided"
    }
    assert after.chain["one_sided"] == pytest.approx(after.bound, rel=1e-14)
    assert all(b <= a + 1e-12 for a, b in pairwise(after.chain.values()))


def test_unrelated_tasks_gain(unrefined):
    reference, target = pair(4, 4, 6)
    before, after = (run(reference, target, 0.5, metric="one_sided") for run in (unrefined, relatedness))
    assert after.bound < before.bound - 0.02


@pytest.mark.parametrize("shape", SHAPES[1:3])
def test_the_terms_are_those_of_the_head_and_transform_that_are_returned(shape):
    reference, target = pair(*shape)  # all classes present in the target
    r = relatedness(reference, target, 0.5, metric="one_sided")
    used, B, prior = r.transform.prior > 0, r.transform.B, r.transform.prior
    losses = r.head.losses(reference.z, reference.labels)
    by_class = [float(losses[reference.labels == j].mean()) * float(prior[j]) for j in used.nonzero()[:, 0]]
    assert r.reweighted_loss == pytest.approx(sum(by_class), rel=1e-9)
    seen, pulled = r.head.logits(reference.z), r.head.logits(r.transform.pull_back(target.z))
    total = 0.0
    for i in range(target.n_classes):
        mass = (prior * B[i] / target.prior[i] / torch.bincount(reference.labels))[reference.labels]
        b = pulled[target.labels == i]
        difference = b[None] - seen[:, None]
        cost = difference[:, :, used].amax(2) - difference[:, :, used & (B[i] > 0)].amin(2)
        kept = mass > 0
        weight = (mass[kept] / mass[kept].sum()).numpy()
        total += float(target.prior[i]) * ot.emd2(weight, ot.unif(len(b)), cost[kept].contiguous().numpy())
    assert r.distribution_mismatch == pytest.approx(total, rel=1e-8)


def test_the_same_again():
    reference, target = pair(4, 4, 6)
    first, second = (relatedness(reference, target, 0.3, metric="one_sided") for _ in range(2))
    assert first.bound == second.bound
    assert torch.equal(first.head.weight, second.head.weight)
    assert torch.equal(first.transform.A, second.transform.A)


@pytest.mark.parametrize(
    "settings",
    [
        {"metric": "logit"},
        {"metric": "one_sided", "mode": "learned_a"},
        {"metric": "one_sided", "mode": "fixed_all"},
        {"metric": "one_sided", "measure": "held_out"},
        {"metric": "one_sided", "labels": "pseudo"},
    ],
)
def test_other_forms_keep_the_best_head_on_the_reference(settings, monkeypatch):
    def refuse(*_):
        raise AssertionError("refined jointly")

    monkeypatch.setattr("taskrel_core.method.solve.refine_jointly", refuse)
    assert np.isfinite(relatedness(*pair(3, 3, 4), 0.3, **settings).bound)


def test_a_copy_and_a_head_that_sees_nothing_are_left_alone(unrefined):
    reference = gaussian_task(60, 5, 4, seed=1)
    target, _ = turned_copy(reference, seed=2)
    single = gaussian_task(20, 5, 1, seed=3)
    for a, b in ((reference, target), (single, target)):
        before, after = (run(a, b, 0.3, metric="one_sided") for run in (unrefined, relatedness))
        assert torch.equal(after.head.weight, before.head.weight)
        assert after.bound == before.bound


@pytest.mark.parametrize(("work", "steps"), [(1, ExactSettings.least_steps), (10**15, 6 * 5)])
def test_the_work_is_bounded(work, steps, monkeypatch):
    reference, target = pair(4, 4, 6)
    counted, slope = [], refinement._Joint.slope
    monkeypatch.setattr(refinement._Joint, "slope", lambda *a: counted.append(1) or slope(*a))
    settings = ExactSettings(joint_work=work, joint_steps=6, joint_rounds=5)
    problem = Problem(reference, target, fit_head(reference, 0.5), settings)
    start = problem.evaluate(torch.eye(4, dtype=torch.float64), problem.identity(), "euclidean")
    for metric in ("span", "logit", "one_sided"):
        start = problem.in_span(start, metric)
    _, end = refinement.refine_jointly(problem, start, 0.5)
    assert end.bound <= start.bound
    assert len(counted) <= steps
    assert len(counted) >= steps - 5
