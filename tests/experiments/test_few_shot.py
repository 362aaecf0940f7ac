"""Few-shot fine-tuning and the scores of the same samples, on small packaged data."""

import math
from dataclasses import asdict, replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from taskrel_core import BASELINES, DATASETS, ENCODERS, Task
from taskrel_core import relatedness as full_relatedness
from taskrel_core.experiments.few_shot import FewShot, _parts, trained
from taskrel_core.experiments.few_shot_scores import COMPONENTS, GROUPS, FewShotScores, components
from taskrel_core.experiments.scored import SCORED
from taskrel_core.extraction import features, few_per_class, sample_classes, standardise
from tests.generators import FEW_TURNS

TRAINING = FewShot("digits", "small:mobilenet/random", per_class=10, n_test=300, lr=1.5e-3)
SCORING = FewShotScores(
    "glyphs_digits",
    "digits",
    "small:mobilenet/mnist",
    "euclidean",
    per_class=5,
    k_reference=3,
    n_reference=60,
)
relatedness = partial(full_relatedness, settings=FEW_TURNS)


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    for module in ("few_shot_scores", "scoring"):
        monkeypatch.setattr(f"taskrel_core.experiments.{module}.relatedness", relatedness)


@pytest.fixture(scope="module")
def rows():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("taskrel_core.experiments.few_shot_scores.relatedness", relatedness)
        return {group: replace(SCORING, group=group).compute() for group in GROUPS}


@pytest.fixture(scope="module")
def tasks():
    kept = sample_classes("glyphs_digits", 3, 0)
    reference = features("glyphs_digits", "small:mobilenet/mnist", n=60, classes=kept)
    images, y = few_per_class(DATASETS["digits"], "train", 5, 0)
    return reference, Task(ENCODERS["small:mobilenet/mnist"].features(images), y, 10)


def test_further_seeds_train_at_the_rate_that_held_back_samples_select(monkeypatch):
    """Rate 1e-3 has the best validation on one target, 1e-2 ties with it and is larger on the other."""
    asked = []
    validation = {("a", 1e-4): 0.1, ("a", 1e-3): 0.9, ("a", 1e-2): 0.2}
    validation |= {("b", 1e-4): 0.1, ("b", 1e-3): 0.5, ("b", 1e-2): 0.5}

    def pretended(rows):
        rows = [asdict(row) | {"validation": validation[row.target, row.lr]} for row in rows]
        asked.append(rows)
        return pd.DataFrame(rows)

    monkeypatch.setattr("taskrel_core.experiments.few_shot.run", pretended)
    found = trained([("a", "e"), ("b", "e")], [1e-4, 1e-3, 1e-2], [7, 8, 9], per_class=3)
    assert len(asked[0]) == 6
    assert {row["seed"] for row in asked[0]} == {7}
    assert found.groupby("target")["lr"].unique().map(list).to_dict() == {"a": [1e-3], "b": [1e-2]}
    assert found.groupby("target")["seed"].apply(list).to_dict() == {"a": [7, 8, 9], "b": [7, 8, 9]}
    assert len(trained([("a", "e")], [1e-3], [7])) == 1


def test_each_class_gives_its_first_samples_in_the_order_of_larger_samples():
    data = DATASETS["digits"]
    few, many = (few_per_class(data, "train", n, 3) for n in (4, 9))
    assert np.bincount(few[1]).tolist() == [4] * 10
    seen = {image.tobytes() for image in many[0]}
    assert {image.tobytes() for image in few[0]} < seen
    assert not np.array_equal(few[1], few_per_class(data, "train", 4, 4)[1])


def test_one_sample_in_five_of_each_class_is_held_back_and_none_is_in_two_parts():
    x, y = _parts(TRAINING)
    assert np.bincount(y["validation"]).tolist() == [2] * 10
    assert np.bincount(y["train"]).tolist() == [8] * 10
    held = {image.numpy().tobytes() for image in x["validation"]}
    assert not held & {image.numpy().tobytes() for image in x["train"]}
    again, _ = _parts(replace(TRAINING, seed=1))
    assert torch.equal(again["test"], x["test"])
    assert not torch.equal(again["train"], x["train"])


def test_training_beats_the_probe_it_starts_from_and_a_seed_gives_the_same_again():
    row, again = TRAINING.compute(), TRAINING.compute()
    assert row["fine_tuned"] > row["probe"] + 2 * row["fine_tuned_se"]
    assert {k: v for k, v in row.items() if k != "seconds"} == {
        k: v for k, v in again.items() if k != "seconds"
    }
    still = replace(TRAINING, lr=1e-12).compute()
    assert (still["fine_tuned"], still["validation"]) == (row["probe"], row["probe_validation"])


def test_every_group_gives_its_scores_and_their_seconds(rows):
    named = {"one_sided", "held_out", "euclidean", "calibrated", "reference_accuracy", "knn", "probe", "otdd"}
    named |= {*SCORED, "sfda_pca", "hscore_pca", *(f"components_{n}" for n in COMPONENTS)}
    found = {name: value for row in rows.values() for name, value in row.items()}
    for name in named:
        assert math.isfinite(found[name]), name
        assert name == "reference_accuracy" or found[f"seconds_{name}"] >= 0


def test_forms_are_what_their_table_says(rows, tasks):
    reference, target = standardise(*tasks)
    r = relatedness(reference, target, 0.02)
    row = rows["euclidean"]
    assert row["euclidean"] == pytest.approx(r.bound, rel=1e-6)
    assert row["euclidean"] == pytest.approx(
        row["euclidean_reweighted"]
        + row["euclidean_mismatch"]
        + row["euclidean_tau"] * row["euclidean_transport"]
    )
    assert row["euclidean_loss"] == pytest.approx(r.loss, rel=1e-6)
    assert row["euclidean_accuracy"] == r.accuracy
    inside = relatedness(reference, target, 8 / 16, metric="one_sided")
    assert rows["one_sided"]["one_sided"] == pytest.approx(inside.bound, rel=1e-6)
    assert rows["one_sided"]["one_sided_certified"]
    assert not rows["held_out"]["held_out_certified"]
    assert (
        rows["one_sided"]["one_sided_loss"]
        <= rows["one_sided"]["one_sided"]
        <= rows["one_sided"]["one_sided_logit"]
    )


def test_components_are_the_leading_ones_of_each_domain_with_unit_variance(rows, tasks):
    few = [components(task, 8) for task in tasks]
    for task, found in zip(tasks, few, strict=True):
        x = task.z - task.z.mean(0)
        _, axes = torch.linalg.eigh(x.T @ x)
        signs = (found.z * (x @ axes[:, -8:].flip(1))).sum(0) / found.z.square().sum(0)
        torch.testing.assert_close(signs.abs(), torch.ones(8, dtype=torch.float64))
    r = relatedness(*standardise(*few), 8 / 8**0.5, metric="one_sided")
    assert rows["components_8"]["components_8"] == pytest.approx(r.bound, rel=1e-6)
    assert rows["components_8"]["components_8_certified"]


def test_metrics_see_the_plain_features(rows, tasks):
    _, target = tasks
    for group, name in (("published", "logme"), ("neighbours", "knn"), ("neighbours", "probe")):
        assert rows[group][name] == pytest.approx(BASELINES[name](target=target), rel=1e-6)


def test_the_effective_rank_is_between_one_and_the_number_of_samples(rows, tasks):
    reference, target = standardise(*tasks)
    shares = np.linalg.eigvalsh((target.z @ target.z.T).numpy()).clip(0)
    shares = shares[shares > 1e-12 * shares.sum()] / shares.sum()
    assert rows["controls"]["effective_rank"] == pytest.approx(
        np.exp(-(shares * np.log(shares)).sum()), rel=1e-6
    )
    assert 1 < rows["controls"]["effective_rank"] < len(target)
    assert len(reference) == 60


@pytest.mark.parametrize("group", ["euclidean", "published", "neighbours"])
def test_with_pseudo_labels_no_score_reads_a_label(group, monkeypatch):
    setting = replace(SCORING, group=group, labels="logit")
    honest = setting.compute()

    def shuffled(*args):
        images, y = few_per_class(*args)
        return images, np.random.default_rng(1).permutation(y)

    monkeypatch.setattr("taskrel_core.experiments.few_shot_scores.few_per_class", shuffled)
    blind = setting.compute()
    for name, value in honest.items():
        if not name.startswith("seconds"):
            assert blind[name] == value, name


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (replace(SCORING, group="all"), "group must be one of euclidean, .*, got 'all'"),
        (replace(SCORING, labels="none"), "labels must be one of true, paper, logit, got 'none'"),
        (replace(SCORING, per_class=1), "per_class must be at least 2, got 1"),
        (replace(TRAINING, per_class=1), "per_class must be at least 2, got 1"),
        (replace(TRAINING, lr=0.0), "lr must be"),
        (replace(TRAINING, epochs=0), "epochs must be"),
    ],
)
def test_what_cannot_be_is_refused_by_name(row, message):
    with pytest.raises(ValueError, match=message):
        row.compute()
