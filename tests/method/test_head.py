"""The head: best in its class, constant kept to the last bit, and at home with every awkward sample."""

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from taskrel_core import Task, relatedness, transferability
from taskrel_core.method.head import MASKED, Head, fit_head
from tests.generators import gaussian_task, rotation


def simplex(k, radius):
    """One sample a class at the corners of a regular simplex around 0."""
    corners = torch.eye(k, dtype=torch.float64) - 1 / k
    return Task(radius * corners / corners[0].norm(), np.arange(k), k)


@pytest.mark.parametrize("k", [2, 3, 6])
@pytest.mark.parametrize("tau", [0.02, 0.5, 5.0])
def test_corners_of_a_simplex_have_a_closed_form(k, tau):
    # W = s corners; corners are r sqrt(2k / (k - 1)) apart, so every gap of logits is tau r sqrt(k / (2 (k - 1))).
    gap = tau * 2.0 * math.sqrt(k / (2 * (k - 1)))
    best = transferability(simplex(k, 2.0), tau)
    assert best.loss == pytest.approx(math.log1p((k - 1) * math.exp(-gap)), abs=2e-6)
    assert best.accuracy == 1.0


def test_a_loose_constraint_gives_plain_logistic_regression():
    task = gaussian_task(120, 3, 3, seed=2, separation=0.5)
    plain = LogisticRegression(C=1e8, tol=1e-10, max_iter=10_000).fit(task.z.numpy(), task.y.numpy())
    log_p = plain.predict_log_proba(task.z.numpy())
    assert transferability(task, 100.0).loss == pytest.approx(
        -log_p[np.arange(120), task.y.numpy()].mean(), abs=3e-6
    )


@pytest.mark.parametrize("tau", [1e-3, 0.02, 1.0, 30.0])
@pytest.mark.parametrize("shape", [(3, 8), (60, 4)])
def test_the_constraint_holds_to_the_last_bit(tau, shape):
    task = gaussian_task(*shape, 3, seed=1)
    W = fit_head(task, tau).weight
    assert max(float((W[j] - W[k]).norm()) for j in range(3) for k in range(j)) <= tau


def test_more_room_never_costs_and_no_room_is_guessing():
    task = gaussian_task(50, 4, 3, seed=3, prior=[0.6, 0.3, 0.1])
    losses = [transferability(task, tau).loss for tau in (1e-6, 0.05, 0.3, 2.0)]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] == pytest.approx(float(-(task.prior * task.prior.log()).sum()), abs=1e-4)


def test_turning_and_shifting_the_features_changes_nothing():
    task = gaussian_task(40, 3, 3, seed=4, separation=0.7)
    turned = Task(task.z @ rotation(3, 1).T + 7, task.y, 3)
    assert transferability(turned, 0.4).loss == pytest.approx(transferability(task, 0.4).loss, abs=2e-6)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_a_sample_of_one_class_costs_nothing(scale):
    # Rounding errors of the class mean were once scaled up to rows of 1e286.
    z = scale * np.random.default_rng(0).normal(size=(7, 6))
    best = transferability(Task(z, np.ones(7, dtype=int), 3), 6.34)
    assert best.loss == 0.0
    assert best.accuracy == 1.0
    assert best.head.weight.abs().max() == 0.0


def test_an_absent_class_gets_probability_0_everywhere():
    task = Task(gaussian_task(30, 2, 2, seed=5).z, np.repeat([0, 3], 15), 5)
    p = fit_head(task, 1.0).probabilities(1e3 * np.random.default_rng(0).normal(size=(200, 2)))
    assert p[:, [1, 2, 4]].max() == 0.0
    np.testing.assert_allclose(p.sum(1), 1.0, atol=1e-12)


def test_masking_holds_where_logits_are_huge():
    # A bias alone would not mask class 2 here: its logit is 3 * 1e5 ahead of the others.
    head = Head(torch.tensor([[1.0], [2.0], [5.0]]).double(), torch.zeros(3).double())
    masked = head.mask_classes(torch.tensor([False, False, True]))
    z = torch.tensor([[1e5], [-1e5], [0.0]])
    assert masked.probabilities(z)[:, 2].max() == 0.0
    np.testing.assert_array_equal(
        masked.probabilities(z)[:, :2], head.restrict(torch.tensor([0, 1])).probabilities(z)
    )
    assert masked.lipschitz <= head.lipschitz
    assert float(masked.logits(z)[2].max() - masked.logits(z)[2, 2]) >= MASKED


def test_the_reported_loss_is_that_of_the_used_classes_even_when_it_is_huge():
    # Losses above MASKED: classes that the label map does not use must not soften them.
    reference, target = gaussian_task(40, 3, 5, seed=0), gaussian_task(30, 3, 3, seed=1)
    far = Task(1e5 * target.z, target.y, 3)
    r = relatedness(reference, far, 2.0, mode="fixed_all", seed=1)
    used = (r.transform.prior > 0).nonzero()[:, 0]
    log_h = torch.log_softmax(r.head.restrict(used).logits(far.z), dim=1) @ r.transform.B[:, used].T
    assert r.loss > MASKED
    assert r.loss == pytest.approx(float(-log_h.gather(1, far.y[:, None]).mean()), rel=1e-12)
    assert r.bound >= r.loss


@pytest.mark.parametrize("tau", [0, -1.0, float("nan"), float("inf")])
def test_tau_must_be_a_positive_number(tau):
    with pytest.raises(
        ValueError, match=r"tau must be finite and above 0, got .*; give for instance tau=0.02"
    ):
        transferability(gaussian_task(10, 2, 2, seed=0), tau)


@pytest.mark.parametrize("tau", [1, np.float32(1), np.int64(1)])
def test_any_kind_of_number_will_do_for_tau(tau):
    task = gaussian_task(10, 2, 2, seed=0)
    assert transferability(task, tau).loss == transferability(task, 1.0).loss
    assert relatedness(task, task, tau).bound == relatedness(task, task, 1.0).bound


def test_tau_must_not_be_a_text():
    with pytest.raises(
        TypeError, match=r"tau must be a number above 0, got '0.1'; give for instance tau=0.02"
    ):
        transferability(gaussian_task(10, 2, 2, seed=0), "0.1")


def test_a_target_without_labels_is_refused_with_the_way_out():
    with pytest.raises(
        ValueError, match="task 'blank' has y=None, but labels are needed here; give y, or use"
    ):
        transferability(Task(np.eye(3), None, 2, "blank"), 0.1)


def test_features_of_another_width_are_refused():
    head = fit_head(gaussian_task(10, 2, 2, seed=0), 1.0)
    with pytest.raises(
        ValueError, match="z and the head must have the same width, got 3 and 2; take the features"
    ):
        head.logits(np.eye(3))


def test_a_steeper_head_is_no_worse_than_a_gentler_one_where_logits_span_thousands():
    far = [[1, 104.6143, 74.1588, 72.3957]] * 7
    z = [[1, -120.5558, -62.6955, -132.0663], [1, 99.8764, -2.1948, 49.588], [1, 14.7064, -90.6943, 177.5389]]
    z += [[1, 94.9349, -5.7855, 61.2862], [1, -34.4403, -49.7372, -11.4773]]
    task = Task([far[0], *z, *far[1:]], [0, 3, 3, 1, 2, 2, 3, 0, 2, 1, 1, 2], 4)
    assert transferability(task, 11.5).loss <= transferability(task, 11.5 / 8).loss + 1e-6
