"""The authors' objective on tiny problems: it goes down, it repeats by seed, and it never claims a certificate."""

import math
from dataclasses import replace

import pytest
import torch

from taskrel_core import relatedness
from taskrel_core.method.head import fit_head
from taskrel_core.method.published_objective import _class_losses, _Free, _objective
from taskrel_core.method.settings import GradientSettings
from tests.generators import gaussian_task

SHORT = GradientSettings(steps=60, batch=10**6, label_cost=10.0)


def objective_at(r, reference, target, tau):
    """The objective at the end of a run in mode learned_all, over the whole samples."""
    t = r.transform
    free = _Free(t.A, t.A_inv, t.b, torch.log(t.B), torch.log(t.prior))
    losses = _class_losses(reference, fit_head(reference, tau))
    return float(_objective(free, True, reference, target, losses, SHORT, torch.Generator().manual_seed(0)))


def test_steps_lower_the_objective():
    reference, target = gaussian_task(30, 3, 2, seed=1), gaussian_task(24, 3, 2, seed=2)
    ends = [
        relatedness(reference, target, 0.3, method="gradient", gradient=replace(SHORT, steps=steps))
        for steps in (0, 20, 60)
    ]
    values = [objective_at(r, reference, target, 0.3) for r in ends]
    assert values[0] > values[1] > values[2]


@pytest.mark.parametrize("mode", ["fixed_all", "learned_a", "learned_all"])
def test_never_certified_even_where_it_is_a_bound(mode):
    task = gaussian_task(20, 2, 2, seed=0)
    r = relatedness(task, task, 0.3, method="gradient", mode=mode, gradient=replace(SHORT, steps=3))
    assert r.certified is False
    assert r.method == "gradient"
    assert r.bound == r.reweighted_loss + r.label_mismatch + r.tau * r.distribution_mismatch


def test_runs_repeat_by_seed_and_differ_between_seeds():
    reference, target = gaussian_task(20, 2, 3, seed=1), gaussian_task(20, 2, 3, seed=2)
    runs = [relatedness(reference, target, 0.3, method="gradient", seed=s, gradient=SHORT) for s in (1, 1, 2)]
    assert torch.equal(runs[0].transform.A, runs[1].transform.A)
    assert not torch.equal(runs[0].transform.A, runs[2].transform.A)


def test_the_learned_tensors_are_plain_numbers():
    task = gaussian_task(20, 2, 2, seed=0)
    r = relatedness(task, task, 0.3, method="gradient", gradient=replace(SHORT, steps=3))
    t = r.transform
    assert [x.numpy().shape for x in (t.A, t.A_inv, t.b, t.B, t.prior)] == [
        (2, 2),
        (2, 2),
        (2,),
        (2, 2),
        (2,),
    ]


def test_the_inverse_is_only_encouraged():
    reference, target = gaussian_task(30, 3, 2, seed=1), gaussian_task(24, 3, 2, seed=2)
    t = relatedness(reference, target, 0.3, method="gradient", gradient=SHORT).transform
    slip = float((t.A @ t.A_inv - torch.eye(3, dtype=torch.float64)).abs().max())
    assert 1e-6 < slip < 0.5


def test_a_target_class_that_nothing_feeds_makes_the_report_infinite():
    # One reference class can carry one hard label only; the second target class gets none.
    reference, target = gaussian_task(5, 2, 1, seed=3), gaussian_task(10, 2, 2, seed=0)
    r = relatedness(reference, target, 0.3, method="gradient", gradient=replace(SHORT, steps=2))
    assert r.distribution_mismatch == math.inf


@pytest.mark.parametrize("bad", [{"metric": "logit"}, {"measure": "held_out"}])
def test_what_it_cannot_do_is_refused(bad):
    task = gaussian_task(10, 2, 2, seed=0)
    with pytest.raises(ValueError, match=r"method='gradient' knows metric='euclidean' .* use method='exact'"):
        relatedness(task, task, 0.3, method="gradient", **bad)
