"""The search for the class map: it finds a planted map however the target is turned, and the best of all small ones."""

from itertools import permutations, product

import numpy as np
import pytest
import torch

from taskrel_core.method.class_map import MapProblem, assign, propose
from taskrel_core.method.settings import ExactSettings
from tests.generators import rotation


def planted(k_t, k_r, d, seed, noise=0.05):
    """Reference means, and target means that are some of them turned, shifted and disturbed."""
    rng = np.random.default_rng(seed)
    r = torch.tensor(rng.normal(size=(k_r, d)))
    sigma = rng.permutation(k_r)[:k_t].tolist()
    t = r[sigma] @ rotation(d, seed).T + noise * torch.tensor(rng.normal(size=(k_t, d)))
    prior = torch.tensor(rng.dirichlet(np.full(k_t, 20.0)))
    return MapProblem(t - prior @ t, r, prior, torch.zeros(k_r).double(), 1.0), sigma


@pytest.mark.parametrize(("k_t", "k_r", "d"), [(4, 4, 10), (8, 8, 20), (5, 9, 6), (10, 10, 64)])
@pytest.mark.parametrize("seed", range(3))
def test_a_planted_map_comes_first(k_t, k_r, d, seed):
    problem, sigma = planted(k_t, k_r, d, seed)
    assert (
        propose(problem, list(range(k_t)), keep=3, settings=ExactSettings(map_starts=60), seed=0)[0] == sigma
    )


@pytest.mark.parametrize(("k_t", "k_r"), [(4, 4), (3, 5), (4, 2)])
@pytest.mark.parametrize("seed", range(3))
def test_nothing_better_exists_among_all_maps(k_t, k_r, seed):
    rng = np.random.default_rng(seed)
    t, r, prior = rng.normal(size=(k_t, 3)), rng.normal(size=(k_r, 3)), rng.dirichlet(np.ones(k_t))
    problem = MapProblem(*map(torch.tensor, (t - prior @ t, r, prior, rng.random(k_r))), 0.7)
    first = propose(
        problem,
        [0] * k_t if k_r < k_t else list(range(k_t)),
        keep=2,
        settings=ExactSettings(map_starts=60),
        seed=0,
    )[0]
    every = permutations(range(k_r), k_t) if k_r >= k_t else product(range(k_r), repeat=k_t)
    values = problem.surrogate(torch.tensor(list(every)))
    assert float(problem.surrogate(torch.tensor([first]))) == pytest.approx(float(values.min()), abs=1e-12)


def test_proposals_differ_and_repeat_by_seed():
    problem, _ = planted(6, 8, 5, seed=4, noise=1.0)
    found = propose(problem, list(range(6)), keep=5, settings=ExactSettings(map_starts=30), seed=1)
    assert found == propose(problem, list(range(6)), keep=5, settings=ExactSettings(map_starts=30), seed=1)
    assert len({tuple(s) for s in found}) == len(found) == 5
    assert all(len(set(s)) == 6 for s in found)


def test_assignment_weighs_losses_distances_and_the_mismatch():
    prior = torch.tensor([0.5, 0.5]).double()
    zeros = torch.zeros(2, 1).double()
    roomy = MapProblem(zeros, zeros, prior, torch.tensor([0.0, 1.0]).double(), 2.0)
    assert assign(roomy, torch.tensor([[0.0, 5.0], [0.1, 0.0]]).double()) == [0, 1]
    assert assign(roomy, torch.tensor([[5.0, 0.0], [0.0, 5.0]]).double()) == [1, 0]
    # Three targets, two sources: sharing costs entropy, so the third goes where it is nearest.
    tight = MapProblem(
        torch.zeros(3, 1).double(), zeros, torch.full((3,), 1 / 3).double(), torch.zeros(2).double(), 2.0
    )
    assert assign(tight, torch.tensor([[0.0, 9.0], [9.0, 0.0], [9.0, 0.5]]).double()) == [0, 1, 1]
    same = torch.zeros(3, 2).double()
    assert sorted(np.bincount(assign(tight, same), minlength=2)) == [1, 2]
