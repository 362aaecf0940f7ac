"""Features as tasks: which samples, what is kept, what a damaged file says; laws of standardising a pair."""

import numpy as np
import pytest
import torch

from taskrel_core import DATASETS, ENCODERS, Task
from taskrel_core import extraction as module
from taskrel_core.encoders import callables
from taskrel_core.encoders.base import Encoder
from taskrel_core.extraction import features, sample_classes, source_posteriors, standardise

FEW = {"fitted_on": "digits", "encoder_n": 100, "epochs": 1}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKREL_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def toy(monkeypatch):
    """An encoder whose only feature is the sum of the pixels; it counts the images that it was given."""
    seen = []

    class Toy(Encoder):
        def features(self, images, size=None):
            seen.append(len(images))
            return images.reshape(len(images), -1).sum(1, keepdims=True, dtype=np.int64)

        def posteriors(self, images, size=None):
            first = self.features(images)[:, 0] / 1e6
            return np.stack([first, 1 - first], 1)

    facts = {"source_task": "none", "licence": "none", "input_size": 8, "recipe": "toy", "has_head": True}
    entry = Toy(name="toy", dim=1, **facts)
    for place in (module, callables):
        monkeypatch.setattr(place, "ENCODERS", {**ENCODERS, "toy": entry})
    return seen


def test_samples_are_the_start_of_one_seeded_permutation(toy):
    images, labels = DATASETS["digits"].load("train")
    order = np.random.default_rng(3).permutation(len(labels))[:20]
    task = features("digits", "toy", n=20, seed=3)
    assert (task.name, task.n_classes, task.z.dtype) == ("digits", 10, torch.float64)
    np.testing.assert_array_equal(task.y, labels[order])
    np.testing.assert_array_equal(task.z[:, 0], images[order].sum((1, 2)))
    fewer = features("digits", "toy", n=8, seed=3)
    torch.testing.assert_close(fewer.z, task.z[:8], rtol=0, atol=0)
    assert not torch.equal(features("digits", "toy", n=20, seed=4).z, task.z)


def test_none_or_more_than_there_are_is_all(toy):
    n = len(DATASETS["digits"].load("test")[1])
    assert len(features("digits", "toy", split="test")) == n
    assert len(features("digits", "toy", split="test", n=10**6)) == n
    assert len(features("digits", "toy", split="all")) == 1797


def test_classes_are_chosen_and_renumbered(toy):
    task = features("digits", "toy", n=30, classes=[7, 2])
    assert (task.n_classes, len(task)) == (2, 30)
    images, labels = DATASETS["digits"].load("train")
    sums = {7: set(images[labels == 7].sum((1, 2))), 2: set(images[labels == 2].sum((1, 2)))}
    assert all(int(z) in sums[(7, 2)[int(y)]] for z, y in zip(task.z[:, 0], task.y, strict=True))
    whole = features("digits", "toy")
    kept = whole.z[(whole.y == 7) | (whole.y == 2)][:30]
    torch.testing.assert_close(task.z, kept, rtol=0, atol=0)


def test_features_are_computed_once_for_the_same_content(toy):
    first = features("digits", "toy", n=20)
    again = features("digits", "toy", n=20)
    assert toy == [20]
    torch.testing.assert_close(first.z, again.z, rtol=0, atol=0)
    for other in ({"n": 21}, {"n": 20, "seed": 1}, {"n": 20, "split": "test"}, {"n": 20, "classes": [0, 1]}):
        features("digits", "toy", **other)
    features("glyphs_digits", "toy", n=20)
    assert len(toy) == 6


def test_a_fitted_encoder_is_fitted_on_the_reference_named():
    own = features("glyphs_digits", "pca", n=50, encoder_n=100)
    same = features("glyphs_digits", "pca", n=50, encoder_n=100, fitted_on="glyphs_digits")
    other = features("glyphs_digits", "pca", n=50, **FEW)
    torch.testing.assert_close(own.z, same.z, rtol=0, atol=0)
    assert not torch.allclose(own.z, other.z)
    torch.testing.assert_close(own.y, other.y, rtol=0, atol=0)


def test_epochs_of_lenet_are_part_of_the_key_and_of_one_training(cache):
    at = [
        features("glyphs_digits", "lenet", n=20, fitted_on="digits", encoder_n=100, epochs=e)
        for e in (0, 1, 2)
    ]
    assert len(list((cache / "features").iterdir())) == 3
    assert len(list((cache / "weights" / "lenet").iterdir())) == 3  # states 0, 1, 2 of one training
    assert not torch.allclose(at[0].z, at[1].z)
    assert not torch.allclose(at[1].z, at[2].z)


@pytest.mark.parametrize("damage", ["cut", "text", "empty"])
def test_a_damaged_file_of_features_is_named(cache, toy, damage):
    features("digits", "toy", n=20)
    (path,) = (cache / "features").iterdir()
    whole = path.read_bytes()
    path.write_bytes({"cut": whole[:-30], "text": b"hello", "empty": b""}[damage])
    with pytest.raises(ValueError, match=rf"{path.name} is damaged \(.*\); delete it and run again") as error:
        features("digits", "toy", n=20)
    assert str(path) in str(error.value)
    path.unlink()
    features("digits", "toy", n=20)
    assert path.read_bytes() == whole


def test_an_error_leaves_nothing_behind(cache, toy, monkeypatch):
    monkeypatch.setattr(np, "savez", lambda path, **arrays: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        features("digits", "toy", n=20)
    assert not list((cache / "features").iterdir())


def test_bad_arguments_are_named(toy):
    for arguments, message in (
        ({"split": "val"}, "split must be one of train, test, all, got 'val'"),
        ({"n": 0}, "n must be at least 1, got 0"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"classes": [3, 10]}, "classes must be labels below 10 of 'digits', got 10"),
        ({"classes": [3, 3]}, r"classes must be different labels, at least one, got \[3, 3\]; or give None"),
        ({"classes": []}, r"classes must be different labels, at least one, got \[\]"),
    ):
        with pytest.raises(ValueError, match=message):
            features("digits", "toy", **arguments)
    with pytest.raises(ValueError, match="encoder_n must be at least 1, got 0"):
        features("digits", "pca", encoder_n=0)
    with pytest.raises(ValueError, match="epochs must be at least 0, got -1"):
        features("digits", "lenet", epochs=-1)
    with pytest.raises(KeyError, match="unknown data set 'nosuch'; known: "):
        features("nosuch", "toy")


def test_classes_may_be_given_by_name():
    named = features("fashion_mnist", "random_net", n=30, classes=["sandal", 0, "bag"])
    by_label = features("fashion_mnist", "random_net", n=30, classes=[5, 0, 8])
    np.testing.assert_array_equal(named.z, by_label.z)
    np.testing.assert_array_equal(named.y, by_label.y)
    with pytest.raises(
        ValueError, match=r"labels or names of 'fashion_mnist', got 'sock'; its names are .*bag"
    ):
        features("fashion_mnist", "random_net", n=30, classes=["sock"])


def test_classes_are_sampled_by_seed_and_fewer_are_among_more():
    kept = sample_classes("tiny_imagenet", 10, seed=3)  # needs no data
    assert len(set(kept)) == 10
    assert kept == tuple(sorted(kept)) == sample_classes("tiny_imagenet", 10, seed=3)
    assert kept != sample_classes("tiny_imagenet", 10, seed=4)
    assert set(kept) < set(sample_classes("tiny_imagenet", 50, seed=3))
    assert sample_classes("digits", 10, seed=1) == tuple(range(10))
    with pytest.raises(
        ValueError, match="k must be at most the 10 classes of 'digits', got 11; ask for fewer"
    ):
        sample_classes("digits", 11)
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        sample_classes("digits", 0)


def test_sampled_classes_are_those_of_the_task():
    labels = sample_classes("digits", 3, seed=2)
    task = features("digits", "random_net", classes=labels, n=40)
    images, all_labels = DATASETS["digits"].load("train")
    assert task.n_classes == 3
    z = features("digits", "random_net")
    whole = all_labels[np.random.default_rng(0).permutation(len(images))]
    kept = np.isin(whole, labels)
    torch.testing.assert_close(task.z, z.z[torch.from_numpy(kept)][:40])
    np.testing.assert_array_equal(np.array(labels)[task.y], whole[kept][:40])


def test_a_size_makes_other_features_and_the_usual_one_the_same():
    usual = features("digits", "efficientnet_lite0_random", n=5)
    same = features("digits", "efficientnet_lite0_random", n=5, size=96)
    other = features("digits", "efficientnet_lite0_random", n=5, size=64)
    torch.testing.assert_close(same.z, usual.z, rtol=0, atol=0)
    assert (other.z - usual.z).abs().max() > 0.01
    with pytest.raises(ValueError, match="size must be 28 for encoder 'pca', which takes no other, got 64"):
        features("digits", "pca", size=64)


def test_an_unknown_encoder_is_named():
    for ask in (features, source_posteriors):
        with pytest.raises(KeyError, match=r"unknown encoder 'nosuch'; known: .*lite0, .*lenet, .*pca"):
            ask("digits", "nosuch")


def test_source_posteriors_have_the_rows_of_the_features(toy):
    for arguments in ({"n": 20}, {"n": 10, "seed": 2, "split": "test"}, {"n": 10, "classes": [4, 5]}):
        p = source_posteriors("digits", "toy", **arguments)
        z = features("digits", "toy", **arguments).z
        assert p.dtype == torch.float64
        torch.testing.assert_close(p, torch.cat([z / 1e6, 1 - z / 1e6], dim=1))


def test_an_encoder_without_a_head_has_no_source_posteriors():
    message = (
        "encoder must bring a head for source posteriors, got 'pca'; those that do: .*efficientnet_lite0"
    )
    with pytest.raises(ValueError, match=message):
        source_posteriors("digits", "pca")


def pair(seed=0, n=(40, 30), d=5):
    """A reference and a target with different means, spreads and one constant column."""
    rng = np.random.default_rng(seed)
    made = []
    for k, rows in enumerate(n):
        z = rng.normal(size=(rows, d)) * rng.uniform(0.5, 3, d) + 10 * k + rng.normal(size=d)
        z[:, 2] = 1e6 + 0.1
        made.append(Task(z, rng.integers(0, 3, rows), 3, f"task {k}"))
    return made


def moments(task):
    return task.z.mean(0), task.z.std(0, correction=0)


VARYING = [0, 1, 3, 4]


def test_own_gives_each_task_mean_0_and_deviation_1_and_constants_0():
    for task in standardise(*pair(), how="own"):
        mean, deviation = moments(task)
        torch.testing.assert_close(mean, torch.zeros_like(mean), atol=1e-12, rtol=0)
        torch.testing.assert_close(deviation[VARYING], torch.ones(4, dtype=torch.float64))
        torch.testing.assert_close(task.z[:, 2], torch.zeros(len(task), dtype=torch.float64), atol=0, rtol=0)


def test_joint_uses_the_moments_of_the_reference_for_both():
    reference, target = pair()
    mean, deviation = moments(reference)
    new_reference, new_target = standardise(reference, target, how="joint")
    for old, new in ((reference, new_reference), (target, new_target)):
        wanted = ((old.z - mean) / deviation)[:, VARYING]
        torch.testing.assert_close(new.z[:, VARYING], wanted)
        assert (new.z[:, 2] == 0).all()
    assert new_target.z[:, 0].mean().abs() > 1  # the shift between the tasks stays


def test_none_changes_nothing():
    reference, target = pair()
    for old, new in zip((reference, target), standardise(reference, target, "none"), strict=True):
        torch.testing.assert_close(new.z, old.z, rtol=0, atol=0)


def test_labels_names_and_inputs_stay():
    reference, target = pair()
    kept = reference.z.clone(), target.z.clone()
    unlabelled = Task(target.z, None, 3, "unlabelled")
    for how in ("own", "joint", "none"):
        new = standardise(reference, unlabelled, how)
        assert [task.name for task in new] == ["task 0", "unlabelled"]
        assert torch.equal(new[0].y, reference.y)
        assert new[1].y is None
    assert torch.equal(reference.z, kept[0])
    assert torch.equal(target.z, kept[1])


def test_standardising_twice_changes_nothing_more():
    once = standardise(*pair(), how="own")
    for one, two in zip(once, standardise(*once, how="own"), strict=True):
        torch.testing.assert_close(two.z, one.z)


def test_a_pair_that_does_not_fit_is_refused():
    reference, target = pair()
    with pytest.raises(
        ValueError, match="how must be one of own, joint, none, got 'both'; choose one of them"
    ):
        standardise(reference, target, how="both")
    narrow = Task(target.z[:, :4], target.y, 3)
    with pytest.raises(ValueError, match=r"target\.z and reference\.z must have the same width, got 4 and 5"):
        standardise(reference, narrow)


def test_no_more_than_a_chunk_of_pictures_is_in_memory(monkeypatch):
    whole = features("digits", "random_net", n=300)
    asked = []
    original = type(DATASETS["digits"]).images

    def counted(self, split, rows):
        asked.append(len(rows))
        return original(self, split, rows)

    monkeypatch.setattr(type(DATASETS["digits"]), "images", counted)
    monkeypatch.setattr(module, "CHUNK", 128)
    monkeypatch.setattr(module, "read_arrays", lambda path: kept[path])
    kept = {}
    monkeypatch.setattr(module, "write_arrays", lambda path, arrays: kept.update({path: arrays}))
    monkeypatch.setenv("TASKREL_CACHE", "/nonexistent")
    again = features("digits", "random_net", n=300)
    assert asked == [128, 128, 44]
    torch.testing.assert_close(again.z, whole.z, rtol=1e-6, atol=1e-6)
    assert torch.equal(again.y, whole.y)


def test_features_in_mixed_precision_are_near_and_have_a_key_of_their_own():
    exact, mixed = (features("digits", f"random_net{at}", n=60) for at in ("", "@bfloat16"))
    assert mixed.z.shape == exact.z.shape
    gap = float((mixed.z - exact.z).norm() / exact.z.norm())
    assert 1e-5 < gap < 0.05
    assert ENCODERS["random_net@bfloat16"].version == f"{ENCODERS['random_net'].version}-bfloat16"
    with pytest.raises(ValueError, match="encoder must have a trainable trunk, got 'random_net@bfloat16'"):
        ENCODERS["random_net@bfloat16"].module()
    with pytest.raises(KeyError, match="unknown encoder 'random_net@int4'"):
        ENCODERS["random_net@int4"]
