"""Candidates for a form that predicts: what each of their directions is, on small packaged data."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from taskrel_core import DATASETS, ENCODERS, Task
from taskrel_core import relatedness as full_relatedness
from taskrel_core.experiments.candidates import DIRECTIONS, Candidate, _discriminants, _projected, parse
from taskrel_core.extraction import features, few_per_class, sample_classes, standardise
from tests.generators import FEW_TURNS

ROW = Candidate(
    "glyphs_digits",
    "digits",
    "small:mobilenet/mnist",
    n_directions=5,
    per_class=4,
    k_reference=3,
    n_reference=60,
)
relatedness = partial(full_relatedness, settings=FEW_TURNS)


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr("taskrel_core.experiments.candidates.relatedness", relatedness)


@pytest.fixture(scope="module")
def tasks():
    kept = sample_classes("glyphs_digits", 3, 0)
    reference = features("glyphs_digits", ROW.encoder, n=60, classes=kept)
    images, y = few_per_class(DATASETS["digits"], "train", 4, 0)
    return reference, Task(ENCODERS[ROW.encoder].features(images), y, 10)


@pytest.mark.parametrize("directions", DIRECTIONS)
def test_a_candidate_is_the_bound_on_its_directions(directions, tasks):
    row = replace(ROW, directions=directions, strength=4.0).compute()
    reference, target = standardise(*_projected(replace(ROW, directions=directions), *tasks))
    r = relatedness(reference, target, 4 / reference.d**0.5, metric="one_sided")
    assert row["bound"] == pytest.approx(r.bound, rel=1e-6)
    assert row["bound"] == pytest.approx(row["reweighted"] + row["mismatch"] + row["transport"])
    assert row["certified"]
    assert row["loss"] == pytest.approx(r.loss, rel=1e-6)
    assert row["loss"] <= row["bound"] + 1e-9
    assert row["d"] == {"all": 256, "own": 5, "joint": 5, "classes": 2}[directions]


def test_joint_directions_are_those_of_both_samples(tasks):
    reference, target = _projected(replace(ROW, directions="joint"), *tasks)
    both = torch.cat([task.z for task in standardise(*tasks)])
    values = torch.linalg.eigvalsh(both.T @ both).flip(0)[:5]
    found = torch.cat([reference.z, target.z])
    torch.testing.assert_close((found.T @ found).diagonal(), values)


def test_discriminants_find_the_one_direction_that_tells_classes_apart():
    rng = torch.Generator().manual_seed(0)
    y = torch.arange(200) % 2
    z = torch.randn(200, 4, generator=rng).double() * torch.tensor([10.0, 1.0, 1.0, 1.0])
    z[:, 2] += 3 * y  # small beside the first coordinate, large beside its own spread
    direction = _discriminants(Task(z, y, 2), 3)
    assert direction.shape == (4, 1)
    assert direction.abs()[:, 0].argmax() == 2
    assert direction.abs()[0, 0] < 0.05 * direction.abs()[2, 0]


def test_a_text_is_read_as_a_candidate_or_refused():
    assert parse("own 16 8 held_out") == {
        "directions": "own",
        "n_directions": 16,
        "strength": 8.0,
        "measure": "held_out",
    }
    for text in ("own 16 8", "own many 8 in_sample"):
        with pytest.raises(ValueError, match=r"a candidate must be directions, how many.*got 'own"):
            parse(text)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"directions": "some"}, "directions must be one of all, own, joint, classes, got 'some'"),
        ({"n_directions": 0}, "n_directions must be"),
        ({"strength": 0.0}, "strength must be"),
    ],
)
def test_what_cannot_be_is_refused_by_name(bad, message):
    with pytest.raises(ValueError, match=message):
        replace(ROW, **bad).compute()
