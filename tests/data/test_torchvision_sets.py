"""The paper's data sets, through their public names, from tiny files in the true formats."""

import numpy as np
import pytest

from taskrel_core import DATASETS, MissingAsset
from taskrel_core.assets.torchvision_import import import_torchvision
from taskrel_core.data import pictures
from taskrel_core.data.torchvision_sets import SIDE
from taskrel_core.extraction import features
from tests.tiny_sets import EACH, WRITE_ARRAYS, WRITE_IMAGES, colour, grey, trusted

CLASSES = {"pets": 37, "dtd": 47, "aircraft": 100, "imagenet": 1000}
GREY = ("usps", "kmnist", "emnist_letters")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty TASKREL_DATA, a cache of its own, and no way out for torchvision."""
    monkeypatch.setenv("TASKREL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TASKREL_CACHE", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    for entry in map(DATASETS.get, WRITE_IMAGES):
        for kept in ("_lists", "_version"):
            monkeypatch.delitem(entry.__dict__, kept, raising=False)

    def offline(*args, **kwargs):
        raise RuntimeError("no network in this test")

    datasets = import_torchvision().datasets
    for module in (
        datasets.oxford_iiit_pet,
        datasets.dtd,
        datasets.fgvc_aircraft,
        datasets.cifar,
        datasets.mnist,
    ):
        monkeypatch.setattr(module, "download_and_extract_archive", offline)
    monkeypatch.setattr(datasets.svhn, "download_url", offline)
    monkeypatch.setattr(datasets.usps, "download_url", offline)
    yield tmp_path / "data"
    for entry in map(DATASETS.get, WRITE_IMAGES):
        for kept in ("_lists", "_version"):
            entry.__dict__.pop(kept, None)


def arrays(name):
    return DATASETS[name].arrays.__wrapped__()  # not what this process read before


@pytest.mark.parametrize("name", WRITE_ARRAYS)
def test_small_images_come_with_their_labels(name, folder, monkeypatch):
    WRITE_ARRAYS[name](folder)
    trusted(folder, monkeypatch, import_torchvision().datasets)
    k, found = DATASETS[name].n_classes, arrays(name)
    for split in EACH:
        images, y = found[f"x_{split}"], found[f"y_{split}"]
        assert images.dtype == y.dtype == np.uint8
        times = 5 if name == "cifar10_full" and split == "train" else 1  # it has five files to train on
        assert np.bincount(y).tolist() == [times * EACH[split]] * k
        for image, label in zip(images, y, strict=True):
            if name in GREY:
                assert np.abs(image[: len(image) // 2].astype(int) - grey(label)).max() <= 1  # upright
                assert image[len(image) // 2 :].max() == 0
            else:
                assert (image == colour(label)).all()


@pytest.mark.parametrize("name", ["cifar100", "svhn"])
def test_a_file_with_another_sum_is_not_read(name, folder, monkeypatch):
    WRITE_ARRAYS[name](folder)  # sums not trusted
    with pytest.raises(MissingAsset, match=rf"(?s){name}.*not found or corrupted.*TASKREL_DATA"):
        arrays(name)


@pytest.mark.parametrize("name", WRITE_IMAGES)
def test_photographs_are_listed_and_only_those_asked_for_are_decoded(name, folder, monkeypatch):
    WRITE_IMAGES[name](folder)
    data = DATASETS[name]
    assert data.n_classes == len(set(data.class_names)) == CLASSES[name]
    read = []
    true = pictures.open_image
    monkeypatch.setattr(pictures, "open_image", lambda file: read.append(file) or true(file))
    for split in EACH:
        labels = data.labels(split)
        each = {"train": 2, "test": 1} if name == "imagenet" else EACH
        assert np.bincount(labels).tolist() == [each[split]] * data.n_classes
        assert not read
        rows = np.random.default_rng(0).permutation(len(labels))[:20]
        images = data.images(split, rows)
        assert images.shape == (20, SIDE, SIDE, 3)
        assert len(read) == 20
        read.clear()
        for image, label in zip(images, labels[rows], strict=True):
            assert np.abs(image.reshape(-1, 3).mean(0) - colour(label)).max() < 4  # JPEG
    assert len(data.version) == 64


def test_the_lists_of_dtd_are_joined_and_pets_keep_their_numbers(folder):
    WRITE_IMAGES["dtd"](folder)
    WRITE_IMAGES["pets"](folder)
    train = [path.name for path, _ in DATASETS["dtd"].files("train")]
    test = {path.name for path, _ in DATASETS["dtd"].files("test")}
    assert len(train) == 3 * 47
    assert not test & set(train)
    assert DATASETS["pets"].class_names[:3] == ("Breed A 00", "Breed Z 01", "Breed A 02")


def test_features_see_photographs_by_class(folder):
    WRITE_IMAGES["aircraft"](folder)
    task = features("aircraft", "random_net", n=12, classes=[3, 50, 7])
    assert (len(task), task.n_classes) == (9, 3)
    assert sorted(task.labels.tolist()) == [0] * 3 + [1] * 3 + [2] * 3
    assert len({tuple(row) for row in task.z.round(decimals=1).tolist()}) == 3  # one colour per class


@pytest.mark.parametrize("name", WRITE_IMAGES)
def test_what_is_missing_is_said_with_the_way_out(name, folder):
    entry = DATASETS[name]
    with pytest.raises(
        MissingAsset, match=rf"(?s)folder {entry.folder} \(about {entry.megabytes} MB.*TASKREL_DATA"
    ):
        DATASETS[name].labels("train")
    assert not list((folder.parent / "cache").rglob(".fetch-*"))


def test_a_folder_that_is_not_whole_is_named(folder):
    WRITE_IMAGES["dtd"](folder)
    (folder / "dtd/dtd/labels/val1.txt").unlink()
    with pytest.raises(ValueError, match=r"(?s)dtd is not whole .*val1\.txt.*unpack it again"):
        DATASETS["dtd"].labels("train")


def test_a_broken_photograph_is_named(folder):
    WRITE_IMAGES["pets"](folder)
    path, _ = DATASETS["pets"].files("test")[4]
    path.write_bytes(path.read_bytes()[:80])
    with pytest.raises(ValueError, match=rf"{path.name} is not a readable image"):
        DATASETS["pets"].load("test")


def test_another_number_of_classes_is_refused(folder):
    WRITE_IMAGES["aircraft"](folder)
    variants = folder / "fgvc-aircraft-2013b/data/variants.txt"
    variants.write_text(variants.read_text() + "One more\n")
    with pytest.raises(ValueError, match="must hold 100 classes, got 101"):
        DATASETS["aircraft"].labels("test")
