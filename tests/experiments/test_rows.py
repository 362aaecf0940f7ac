"""The rows of single figures: heads on new samples, bounds against the truth, time and memory."""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from taskrel_core import Task, transferability
from taskrel_core import relatedness as full_relatedness
from taskrel_core.experiments.certificate import Certificate
from taskrel_core.experiments.linear_heads import LinearHead
from taskrel_core.experiments.scored import SCORED
from taskrel_core.experiments.speed import Timing, planted
from taskrel_core.extraction import features, standardise
from tests.generators import FEW_TURNS

CHECK = Certificate("glyphs_digits", "digits", "random_net", n_reference=120, n_target=100, n_new=150)
relatedness = partial(full_relatedness, settings=FEW_TURNS)


@pytest.fixture(scope="module")
def check():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("taskrel_core.experiments.certificate.relatedness", relatedness)
        return {
            mode: replace(CHECK, mode=mode).compute() for mode in ("fixed_all", "learned_a", "learned_all")
        }


def test_a_probe_is_the_best_head_on_the_test_part_in_the_coordinates_of_the_train_part():
    row = LinearHead("digits", "random_net", tau=0.2, n=200, n_test=150).compute()
    train = features("digits", "random_net", split="train", n=200)
    test = features("digits", "random_net", split="test", n=150)
    mean, deviation = train.z.mean(0), train.z.std(0, correction=0)
    deviation[deviation == 0] = torch.inf
    fitted = transferability(Task((train.z - mean) / deviation, train.y, 10), 0.2).head
    seen, y = (test.z - mean) / deviation, test.y
    right = (fitted.logits(seen).argmax(1) == y).double()
    assert row["accuracy"] == pytest.approx(float(right.mean()))
    assert row["accuracy_se"] == pytest.approx(math.sqrt(row["accuracy"] * (1 - row["accuracy"]) / 150))
    assert row["loss"] == pytest.approx(float(fitted.losses(seen, y).mean()), rel=1e-6)
    assert row["lipschitz"] <= 0.2
    assert row["log_k"] == pytest.approx(math.log(10))


def test_a_probe_refuses_an_unknown_head():
    with pytest.raises(ValueError, match="head must be one of best, zero_shot, got 'last'"):
        LinearHead("digits", "random_net", head="last").compute()


def test_a_checked_bound_is_that_of_the_method_and_its_losses_those_of_its_classifier(check):
    row = check["learned_all"]
    reference = features("glyphs_digits", "random_net", n=120)
    raw = features("digits", "random_net", n=100)
    new = features("digits", "random_net", split="test", n=150)
    ours, target = standardise(reference, raw)
    r = relatedness(ours, target, CHECK.tau, metric="one_sided")
    assert row["bound"] == pytest.approx(r.bound, rel=1e-4)
    assert row["certified"]
    assert row["loss"] == pytest.approx(r.loss, rel=1e-3)
    assert row["loss"] <= row["bound"] + 1e-9
    _, moved = standardise(raw, new, how="joint")
    h = r.classifier(moved.z).gather(1, new.y[:, None])[:, 0]
    assert row["loss_new"] == pytest.approx(float(-h.log().mean()), rel=1e-3)
    assert row["loss_new_se"] == pytest.approx(float(h.log().std(correction=0)) / math.sqrt(150), rel=1e-2)
    assert row["best"] <= row["loss"] + 1e-6


@pytest.mark.parametrize("mode", ["fixed_all", "learned_a"])
def test_learning_less_gives_a_larger_bound(mode, check):
    assert check[mode]["bound"] > check["learned_all"]["bound"] + 0.1


def test_the_planted_problem_has_its_sizes_and_related_classes():
    reference, target = planted(Timing("exact", n=60, d=8, k=4, n_reference=90, k_reference=6))
    assert (len(reference), reference.n_classes, len(target), target.n_classes) == (90, 6, 60, 4)
    assert reference.d == target.d == 8
    np.testing.assert_allclose(target.prior, 0.25)


def test_both_plain_transports_have_the_same_value_and_are_measured_alone():
    sizes = {"n": 80, "d": 8, "k": 3}
    plain, by_class = (Timing(what, **sizes).compute() for what in ("plain", "by_class"))
    assert plain["value"] == pytest.approx(by_class["value"], rel=1e-9)
    for row in (plain, by_class):
        assert 0 < row["seconds"] < 60
        assert 50 < row["peak_mb"] < 5000
        assert row["cpu"]


@pytest.mark.filterwarnings("ignore::taskrel_core.metrics.base.SaturatedScore")
def test_all_metrics_are_timed_together():
    row = Timing("metrics", n=80, d=8, k=4).compute()
    assert row["value"] == len(SCORED)
    assert 0 < row["seconds"] < 60


def test_a_timing_refuses_what_it_cannot_measure():
    with pytest.raises(
        ValueError,
        match="what must be one of exact, one_sided, authors, plain, by_class, metrics, cluster, processes, got 'guess'",
    ):
        Timing("guess").compute()
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        Timing("exact", n=0).compute()
