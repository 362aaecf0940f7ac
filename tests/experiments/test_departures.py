"""The published objective's departures: each switch does what it says, and the label cost decides the map."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from taskrel_core import relatedness
from taskrel_core.experiments.departures import Departure, _implied, _weighted, planted_map
from taskrel_core.method.head import fit_head
from taskrel_core.method.published_objective import _class_losses, _Free, _objective
from taskrel_core.method.settings import GradientSettings
from tests.generators import gaussian_task

STILL = GradientSettings(steps=0)


def test_without_the_soft_max_the_prior_starts_where_the_reference_is():
    reference, target, _ = planted_map(60, seed=0)
    soft, plain = (
        relatedness(
            reference, target, 0.2, method="gradient", gradient=replace(STILL, soft_prior=on)
        ).transform.prior
        for on in (True, False)
    )
    torch.testing.assert_close(plain, reference.prior)
    torch.testing.assert_close(soft, torch.softmax(reference.prior, 0))


def test_squares_are_taken_only_where_asked_for():
    # Two points a side, one class: the plan is the nearer pairing, and the rest of the objective is the same for both.
    reference, target = gaussian_task(8, 2, 2, seed=1), gaussian_task(8, 2, 2, seed=2)
    losses = _class_losses(reference, fit_head(reference, 0.3))
    eye, half = torch.eye(2, dtype=torch.float64), torch.zeros(2, 2, dtype=torch.float64)
    free = _Free(eye, eye, torch.zeros(2, dtype=torch.float64), half, torch.log(reference.prior))
    values = {}
    for weight in (0.0, 2.0):
        for squared in (True, False):
            settings = GradientSettings(weight_transport=weight, squared=squared, label_cost=0.0, batch=100)
            generator = torch.Generator().manual_seed(0)
            values[weight, squared] = float(
                _objective(free, True, reference, target, losses, settings, generator)
            )
    assert values[0.0, True] == values[0.0, False]
    squared, plain = ((values[2.0, on] - values[0.0, on]) / 2 for on in (True, False))
    import ot

    order = torch.Generator().manual_seed(0)
    picked = [torch.randperm(8, generator=order) for _ in range(2)]
    a, b = (task.z[rows] for task, rows in zip((reference, target), picked, strict=True))
    distance = torch.cdist(a, b).numpy()
    plan = ot.emd(np.full(8, 1 / 8), np.full(8, 1 / 8), distance)
    assert plain == pytest.approx(float((plan * distance).sum()), rel=1e-6)
    assert squared == pytest.approx(float((plan * distance**2).sum()), rel=1e-6)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_label_cost_decides_the_map(seed):
    small = Departure(label_cost=1.0, balanced=True, n=120, steps=150, seed=seed).compute()
    large = Departure(label_cost=1e6, balanced=True, n=120, steps=150, seed=seed).compute()
    assert small["recovered"] == 1.0
    assert large["from_start"] == 1.0
    assert large["recovered"] < 1.0


def test_corrections_are_what_they_say():
    row = Departure(label_cost=1.0, balanced=True, n=120, steps=60).compute()
    assert row["with_shares"] == pytest.approx(row["reported"])  # equal shares: 1 / K is the share
    assert row["constant_in_z"] > 0
    distance = (row["with_inverse"] - row["reported"]) / (row["constant_in_z"] - row["constant"])
    assert distance > 0  # what both constants are multiplied with


def test_shares_weigh_the_distances():
    reference, target, _ = planted_map(120, seed=3)
    r = relatedness(
        reference, target, 0.2, method="gradient", gradient=GradientSettings(steps=40, label_cost=1.0)
    )
    hard = r.transform.B.argmax(0)[reference.labels]
    if len(torch.unique(hard)) == target.n_classes:
        assert _weighted(r, reference, target) > 0
    else:
        assert _weighted(r, reference, target) == float("inf")


def test_the_implied_map_is_the_nearest_assignment():
    found = _implied(4, 4, seed=5)
    assert sorted(found) == [0, 1, 2, 3]
    start = torch.softmax(
        torch.rand((4, 4), generator=torch.Generator().manual_seed(5), dtype=torch.float64), 0
    ).numpy()
    from itertools import permutations

    best = max(permutations(range(4)), key=lambda p: sum(start[p[j], j] for j in range(4)))
    assert tuple(found) == best


def test_planted_shares_are_as_said():
    reference, target, truth = planted_map(210, seed=0)
    np.testing.assert_allclose(reference.prior, np.arange(1, 7) / 21, atol=1e-9)
    np.testing.assert_allclose(target.prior[torch.from_numpy(truth)], reference.prior, atol=1e-9)
