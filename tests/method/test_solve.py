"""relatedness from end to end: known copies, orders between modes and metrics, labels unread, and every refusal."""

from itertools import pairwise

import numpy as np
import ot
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.metrics import adjusted_rand_score

from taskrel_core import Task, relatedness, transferability
from taskrel_core.method.head import fit_head
from taskrel_core.method.problem import Problem
from taskrel_core.method.settings import ExactSettings
from taskrel_core.method.transport import METRICS
from tests.generators import gaussian_task, turned_copy

MODES = ("fixed_all", "learned_a", "learned_all")


def random_pair(seed):
    """Two unrelated small tasks of one width."""
    rng = np.random.default_rng(seed)
    d, k_r, k_t = rng.integers(2, 6), rng.integers(2, 5), rng.integers(2, 5)
    reference = gaussian_task(int(rng.integers(12, 30)), int(d), int(k_r), seed, separation=1.0)
    return reference, gaussian_task(int(rng.integers(12, 30)), int(d), int(k_t), seed + 1000, separation=1.0)


@pytest.mark.parametrize("metric", METRICS)
def test_a_turned_shifted_renamed_copy_is_recognised(metric):
    reference = gaussian_task(60, 5, 4, seed=1)
    target, new = turned_copy(reference, seed=2)
    r = relatedness(reference, target, 0.3, metric=metric)
    assert r.distribution_mismatch == pytest.approx(0.0, abs=1e-6)
    assert r.label_mismatch == 0.0
    assert r.transform.B.argmax(0).tolist() == new.tolist()
    assert r.bound == pytest.approx(
        transferability(target, 0.3).loss, abs=4e-4
    )  # as near as h_R is to the best
    if metric == "euclidean":
        np.testing.assert_allclose(r.transform.apply(reference.z), target.z, atol=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_each_metric_is_at_most_the_one_before(seed):
    reference, target = random_pair(seed)
    r = relatedness(reference, target, 0.4, metric="one_sided", seed=seed)
    assert list(r.chain) == list(METRICS)
    values = list(r.chain.values())
    assert all(after <= before + 1e-12 for before, after in pairwise(values))
    assert r.chain["one_sided"] == pytest.approx(r.bound, rel=1e-14)
    assert r.tau == 1.0


@pytest.mark.parametrize("seed", range(12))
def test_more_freedom_never_gives_a_larger_euclidean_bound(seed):
    reference, target = random_pair(seed)
    fixed, learned_a, learned_all = (
        relatedness(reference, target, 0.4, mode=m, seed=seed).bound for m in MODES
    )
    assert learned_all <= learned_a <= fixed


@pytest.mark.parametrize("seed", range(4))
def test_a_soft_label_map_transports_the_mass_it_says(seed):
    # Weights rounded to float32 would show here at 1e-8.
    reference, target = random_pair(seed)
    problem = Problem(reference, target, fit_head(reference, 0.4), ExactSettings())
    q = torch.tensor(
        np.random.default_rng(seed).dirichlet(np.ones(reference.n_classes), size=target.n_classes)
    )
    value = problem.evaluate(q, problem.identity(), "euclidean").plan.value
    by_hand = 0.0
    for i in range(target.n_classes):
        points = target.z[target.labels == i].numpy()
        n_j = np.bincount(reference.y.numpy())
        mass = q[i].numpy()[reference.y.numpy()] / n_j[reference.y.numpy()]
        cost = cdist(reference.z.numpy(), points)
        by_hand += float(target.prior[i]) * ot.emd2(mass / mass.sum(), ot.unif(len(points)), cost)
    assert value == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize("metric", ["euclidean", "one_sided"])
def test_renaming_the_targets_classes_changes_nothing(metric):
    reference, target = random_pair(3)
    names = torch.randperm(target.n_classes, generator=torch.Generator().manual_seed(0))
    renamed = Task(target.z, names[target.y], target.n_classes)
    before, after = (relatedness(reference, t, 0.4, metric=metric) for t in (target, renamed))
    assert after.bound == pytest.approx(before.bound, rel=2e-3)  # the search may end in another near-best map
    np.testing.assert_allclose(after.transform.B.sum(0), 1.0, atol=1e-12)


def test_inputs_stay_as_they_are_and_arrays_and_tensors_agree():
    reference, target = random_pair(0)
    arrays = [x.numpy().copy() for x in (reference.z, reference.y, target.z, target.y)]
    kept = [x.copy() for x in arrays]
    from_numpy = relatedness(
        Task(arrays[0], arrays[1], reference.n_classes), Task(arrays[2], arrays[3], target.n_classes), 0.3
    )
    assert all(np.array_equal(a, b) for a, b in zip(arrays, kept, strict=True))
    assert from_numpy.bound == relatedness(reference, target, 0.3).bound
    assert from_numpy.transform.A.dtype == from_numpy.head.weight.dtype == torch.float64


def test_a_seed_gives_the_same_again_and_leaves_the_callers_random_numbers_alone():
    reference, target = random_pair(1)
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    first, second = (relatedness(reference, target, 0.3, metric="one_sided", seed=4) for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert first.bound == second.bound
    assert torch.equal(first.transform.A, second.transform.A)


@pytest.mark.parametrize("metric", ["euclidean", "one_sided"])
@pytest.mark.parametrize("tau", [0.3, 0.02])
def test_clusters_of_an_unlabelled_target_are_found(metric, tau):
    # The smallest bound alone would label all samples alike, at no loss.
    rng = np.random.default_rng(0)
    corners, y = 12 * np.eye(5)[:4] * [[1], [2], [3], [4]], np.repeat(np.arange(4), [9, 12, 10, 8])
    reference, sample = (Task(corners[y] + rng.normal(size=(39, 5)), y, 4) for _ in range(2))
    target, _ = turned_copy(sample, seed=3)
    r = relatedness(reference, Task(target.z, None, 4), tau, metric=metric, labels="pseudo")
    assert adjusted_rand_score(target.y.numpy(), r.target_labels.numpy()) == 1.0
    assert r.certified is False


def test_pseudo_labels_do_not_read_the_true_ones():
    reference, target = random_pair(2)
    shuffled = Task(target.z, target.y.flip(0), target.n_classes)
    runs = [relatedness(reference, t, 0.3, labels="pseudo") for t in (target, shuffled)]
    assert torch.equal(runs[0].target_labels, runs[1].target_labels)
    assert runs[0].bound == runs[1].bound


@pytest.mark.parametrize("metric", METRICS)
def test_held_out_is_an_estimate_and_never_certified(metric):
    reference, target = gaussian_task(60, 3, 3, seed=1), gaussian_task(60, 3, 3, seed=2)
    r = relatedness(reference, target, 0.3, metric=metric, measure="held_out")
    assert r.certified is False
    assert np.isfinite(r.bound)
    assert len(r.target_labels) < len(target)  # only the part that measures


def test_held_out_needs_two_samples_a_class():
    reference, target = gaussian_task(20, 2, 2, seed=1), Task(np.eye(3), [0, 0, 1], 2, "thin")
    with pytest.raises(
        ValueError, match=r"needs at least 2 samples of each class, got 1 of class 1 in task 'thin'"
    ):
        relatedness(
            Task(np.random.default_rng(0).normal(size=(20, 3)), reference.y, 2), target, measure="held_out"
        )


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("method", "exact, gradient"),
        ("metric", "euclidean, span, logit, one_sided"),
        ("mode", "fixed_all, learned_a, learned_all"),
        ("labels", "true, pseudo"),
        ("measure", "in_sample, held_out"),
    ],
)
def test_unknown_names_are_refused_with_the_known_ones(name, known):
    task = gaussian_task(10, 2, 2, seed=0)
    with pytest.raises(ValueError, match=f"{name} must be one of {known}, got 'best'; choose one of them"):
        relatedness(task, task, **{name: "best"})


@pytest.mark.parametrize("tau", [0, -0.5, float("nan")])
def test_tau_must_be_above_0(tau):
    task = gaussian_task(10, 2, 2, seed=0)
    with pytest.raises(
        ValueError, match=r"tau must be finite and above 0, got .*; give for instance tau=0.02"
    ):
        relatedness(task, task, tau)


def test_tasks_that_do_not_fit_are_refused():
    task, wide = gaussian_task(10, 2, 2, seed=0), gaussian_task(10, 3, 2, seed=0)
    blank = Task(task.z, None, 2)
    with pytest.raises(ValueError, match=r"target.z and reference.z must have the same width, got 3 and 2"):
        relatedness(task, wide)
    with pytest.raises(
        ValueError, match="reference must have labels, got y=None; pseudo-labels are for the target"
    ):
        relatedness(blank, task)
    with pytest.raises(
        ValueError, match=r"target has y=None, but labels='true' reads .*; use labels='pseudo'"
    ):
        relatedness(task, blank)
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        relatedness(task, task, seed=-1)
