"""One cell of the correlation table, on small packaged data: every score, its meaning, and what it may see."""

import math
from functools import partial

import numpy as np
import pytest
import torch

from taskrel_core import relatedness as full_relatedness
from taskrel_core.experiments.scored import SCORED
from taskrel_core.experiments.scoring import FORMS, SCORES, Scoring, agreement, calibrated_tau, our_tau
from taskrel_core.extraction import features, sample_classes, standardise
from taskrel_core.method.head import fit_head
from taskrel_core.task import Task
from tests.generators import FEW_TURNS

pytestmark = pytest.mark.xdist_group("scores")

# What is tested holds after any search.
relatedness = partial(full_relatedness, settings=FEW_TURNS)
SMALL = {"k_reference": 3, "n_reference": 60, "n_target": 60}


@pytest.fixture(scope="module", autouse=True)
def few_steps():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("taskrel_core.experiments.scoring.relatedness", relatedness)
        yield


@pytest.fixture(scope="module")
def cell():
    return Scoring("glyphs_digits", "digits", "random_net", certified=True, **SMALL).compute()


@pytest.fixture(scope="module")
def tasks():
    kept = sample_classes("glyphs_digits", 3, 0)
    shared = {"fitted_on": "glyphs_digits"}
    reference = features("glyphs_digits", "random_net", n=60, classes=kept, **shared)
    return standardise(reference, features("digits", "random_net", n=60, **shared))


def test_every_score_has_a_value_and_a_time(cell):
    assert set(SCORES) >= {*FORMS, *SCORED, "reference_accuracy", "log_tau"}
    for name in SCORES:
        assert math.isfinite(cell[name]), name
    for name in (*FORMS, *SCORED, "log_tau"):
        assert cell[f"seconds_{name}"] >= 0


def test_the_forms_are_what_their_table_says(cell, tasks):
    reference, target = tasks
    tau = 8 / reference.d**0.5
    assert our_tau(reference) == pytest.approx(tau)
    assert cell["paper"] == pytest.approx(relatedness(reference, target, 0.02).bound, rel=1e-9)
    for metric in ("logit", "one_sided"):
        held = relatedness(reference, target, tau, metric=metric, measure="held_out")
        assert cell[metric] == pytest.approx(held.bound, rel=1e-9)
        assert not held.certified
    inside = relatedness(reference, target, tau, metric="one_sided")
    assert cell["one_sided_in"] == pytest.approx(inside.bound, rel=1e-9)
    assert inside.certified
    assert cell["one_sided_in"] <= cell["logit_in"] + 1e-9


def test_the_calibrated_head_has_half_of_log_k_left(tasks):
    reference, _ = tasks
    head = fit_head(reference, calibrated_tau(reference), 1e-3)
    loss = float(head.losses(reference.z, reference.labels).mean())
    assert loss == pytest.approx(0.5 * math.log(3), abs=0.02)


def test_calibration_undoes_the_scale_of_the_features(tasks):
    reference, _ = tasks
    larger = Task(10 * reference.z, reference.y, reference.n_classes)
    assert calibrated_tau(larger) == pytest.approx(calibrated_tau(reference) / 10, rel=0.05)


def test_a_share_takes_some_of_each_class_and_no_score_sees_more(monkeypatch):
    seen = {}

    def spy(reference, target, *args, **kwargs):
        seen.setdefault("targets", []).append(target)
        return relatedness(reference, target, *args, **kwargs)

    monkeypatch.setattr("taskrel_core.experiments.scoring.relatedness", spy)
    row = Scoring("glyphs_digits", "digits", "random_net", share=0.1, baselines="none", **SMALL).compute()
    counts = torch.bincount(seen["targets"][0].labels, minlength=10)
    assert (counts >= 2).all()
    assert row["n"] == int(counts.sum()) < 30
    assert all(len(t) == row["n"] for t in seen["targets"])


def test_other_parts_are_other_samples():
    rows = [
        Scoring(
            "glyphs_digits", "digits", "random_net", share=0.1, part=k, baselines="none", **SMALL
        ).compute()
        for k in (0, 1)
    ]
    assert rows[0]["n"] == rows[1]["n"]
    assert rows[0]["paper"] != rows[1]["paper"]
    assert rows[0]["reference_accuracy"] == rows[1]["reference_accuracy"]


@pytest.mark.parametrize("labeller", [pytest.param("paper", marks=pytest.mark.slow), "logit"])
def test_with_pseudo_labels_no_score_reads_a_label(labeller, monkeypatch):
    true = features("digits", "random_net", n=60, fitted_on="glyphs_digits")

    def shuffled(name, *args, **kwargs):
        task = features(name, *args, **kwargs)
        order = np.random.default_rng(1).permutation(len(task))
        return Task(task.z, task.y[order], task.n_classes, task.name) if name == "digits" else task

    setting = Scoring("glyphs_digits", "digits", "random_net", labels=labeller, **SMALL)
    honest = setting.compute()
    monkeypatch.setattr("taskrel_core.experiments.scoring.features", shuffled)
    blind = setting.compute()
    assert len(true) == 60
    for name in SCORES:
        assert honest[name] == blind[name], name
    assert 1 / 10 <= honest["label_accuracy"] <= 1


def test_agreement_is_up_to_the_names_of_the_classes():
    target = Task(np.zeros((6, 2)), [0, 0, 1, 1, 2, 2], 3)
    assert agreement(torch.tensor([2, 2, 0, 0, 1, 1]), target) == 1.0
    assert agreement(torch.tensor([2, 2, 0, 0, 1, 0]), target) == pytest.approx(5 / 6)
    assert agreement(torch.tensor([0, 0, 0, 0, 0, 0]), target) == pytest.approx(2 / 6)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"share": 0.0}, "share must be"),
        ({"labels": "none"}, "labels must be"),
        ({"baselines": "some"}, "baselines must be"),
    ],
)
def test_a_setting_out_of_range_is_named(bad, message):
    with pytest.raises(ValueError, match=message):
        Scoring("glyphs_digits", "digits", "random_net", **{**SMALL, **bad}).compute()


def test_without_a_head_of_its_own_the_source_is_a_probe_on_the_reference(cell):
    assert cell["posteriors"] == "probe"
    source = Scoring("glyphs_digits", "digits", "random_net", baselines="source", **SMALL).compute()
    assert source["leep"] == cell["leep"]
    assert source["logme"] is None
