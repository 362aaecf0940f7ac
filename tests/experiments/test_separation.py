"""What a target tells alone, and the bound from a part of its samples."""

from functools import partial

import numpy as np
import pytest
import torch

from taskrel_core import relatedness as full_relatedness
from taskrel_core.experiments.part import Part, seen
from taskrel_core.experiments.relatedness import Experiment
from taskrel_core.experiments.separation import Separation, class_distance
from taskrel_core.extraction import features, standardise
from taskrel_core.task import Task
from tests.generators import FEW_TURNS

SMALL = {"encoder": "random_net", "n_target": 80}
PAIR = {"reference": "glyphs_digits", "target": "digits", "n_reference": 60, "tau": 0.2, **SMALL}
relatedness = partial(full_relatedness, settings=FEW_TURNS)


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr("taskrel_core.experiments.relatedness.relatedness", relatedness)


def test_the_distance_of_class_means_is_the_mean_over_pairs_of_present_classes():
    z = np.array([[0.0, 0.0], [0.0, 2.0], [3.0, 1.0], [0.0, 5.0]])
    assert class_distance(Task(z, [0, 0, 1, 3], 5)) == pytest.approx((3 + 4 + 5) / 3)
    assert class_distance(Task(z, [1, 1, 1, 1], 2)) == 0.0


def test_the_best_head_is_that_of_the_pair_and_new_samples_are_standardised_as_the_sample_is():
    row, pair = Separation("digits", n_new=50, **SMALL).compute(), Experiment(**PAIR).compute()
    assert row["loss"] == pytest.approx(pair["transferability"], rel=1e-9)
    assert row["chance"] == pytest.approx(pair["chance"], rel=1e-12)
    assert row["n_tested"] == 50
    assert row["loss"] < row["loss_new"] < 2 * row["chance"]


def test_a_part_is_a_fraction_of_each_class_and_the_bound_is_about_it_alone():
    row = seen(share=0.5, **PAIR).compute()
    y = features("digits", "random_net", n=80).labels
    assert row["n"] == sum(max(round(0.5 * int(c)), 2) for c in torch.bincount(y))
    assert row["n"] + row["n_rest"] == 80
    assert row["loss"] <= row["bound"]
    assert row["certified"]


def test_samples_left_out_are_standardised_as_those_of_the_bound():
    part = Part(**PAIR, share=0.5)
    _, raw = part.raw()
    whole = features("digits", "random_net", n=80)
    seen_rows = (whole.z[:, None] == raw.z[None]).all(-1).any(1)
    rest = standardise(raw, whole.take((~seen_rows).nonzero()[:, 0]), how="joint")[1]

    r = relatedness(*part.tasks(), 0.2, metric="one_sided", seed=0)
    found = part.beyond(r)
    assert (found["loss_rest"], found["accuracy_rest"]) == pytest.approx(r.evaluate(rest.z, rest.labels))
    assert found["n_rest"] == len(rest) == 80 - len(raw)


def test_the_whole_is_the_row_that_it_always_was():
    assert seen(share=1.0, **PAIR).key == Experiment(**PAIR).key
    assert seen(share=0.5, **PAIR).key != Experiment(**PAIR).key


@pytest.mark.parametrize("share", [0.0, 1.5])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(ValueError, match="share must be above 0 and at most 1"):
        seen(share=share, **PAIR).compute()


def test_a_part_needs_labels_to_take_it_of_each_class(monkeypatch):
    unlabelled = Task(torch.zeros(4, 2), None, 2)
    monkeypatch.setattr(Experiment, "raw", lambda _: (unlabelled, unlabelled))
    with pytest.raises(
        ValueError, match=r"share must be 1 for 'digits', whose labels are not known.*n_target"
    ):
        seen(share=0.5, **PAIR).compute()
