"""Stored features: what is taken, and what is refused by name before anything of it runs."""

import io
import pickle
import re
import zipfile

import numpy as np
import pytest

from taskrel_core import DATASETS, MissingAsset, features, relatedness
from taskrel_core.data import feature_files
from tests.tiny_sets import picture

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(12, 3))
Y = np.arange(12) % 3


def save(folder, name="mine.npz", **arrays):
    np.savez(folder / name, **arrays)
    return f"features:{folder / name}"


class Evil:
    ran = False

    def __reduce__(self):
        return (exec, ("from tests.data import test_feature_files as t; t.Evil.ran = True",))


@pytest.mark.parametrize(
    ("y", "names", "labels"),
    [
        (Y, ("0", "1", "2"), Y),
        (Y + 1, ("1", "2", "3"), Y),
        (Y * 10 - 5, ("-5", "5", "15"), Y),
        (Y.astype(np.float32), ("0", "1", "2"), Y),
        (Y.astype(np.uint8)[:, None], ("0", "1", "2"), Y),
        (np.array(["cat", "ant", "bee"])[Y], ("ant", "bee", "cat"), np.array([2, 0, 1])[Y]),
        (np.array([b"cat", b"ant", "bée".encode()])[Y], ("ant", "bée", "cat"), np.array([2, 0, 1])[Y]),
        (Y > 0, ("False", "True"), (Y > 0).astype(int)),
    ],
)
def test_labels_of_any_plain_kind_become_classes(tmp_path, y, names, labels):
    name = save(tmp_path, z=Z, y=y)
    assert DATASETS[name].class_names == names
    np.testing.assert_array_equal(DATASETS[name].labels("train"), labels)
    task = features(name)
    assert (len(task), task.d, task.n_classes, task.name) == (12, 3, len(names), name)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32, np.uint8, ">f4"])
def test_numbers_of_any_real_type_are_taken(tmp_path, dtype):
    z = np.round(np.abs(Z) * 8).astype(dtype)
    task = features(save(tmp_path, z=z, y=Y), n=12, seed=0)
    order = np.random.default_rng(0).permutation(12)
    np.testing.assert_array_equal(task.z.numpy(), z[order].astype(float))
    np.testing.assert_array_equal(task.labels.numpy(), Y[order])


def test_parts_of_the_file_are_the_parts_of_the_data_set(tmp_path):
    split = np.where(np.arange(12) < 8, "Train", "val")
    data = DATASETS[save(tmp_path, z=Z, y=Y, split=split)]
    np.testing.assert_array_equal(data.labels("train"), Y[:8])
    np.testing.assert_array_equal(data.stored("test", np.array([1])), Z[[9]])
    assert len(features(data.name, split="all")) == 12
    assert sorted(features(data.name, classes=["1", "2"]).labels.tolist()) == [0, 0, 0, 1, 1]


def test_without_parts_every_row_trains_and_the_test_part_is_refused(tmp_path):
    name = save(tmp_path, z=Z, y=Y)
    assert len(features(name)) == 12
    with pytest.raises(
        ValueError, match=r"mine\.npz has no rows of the test part; give its file an array split"
    ):
        features(name, split="test")


def test_arrays_in_two_files_are_the_same_task(tmp_path):
    np.save(tmp_path / "z.npy", Z)
    np.save(tmp_path / "labels.npy", Y)
    pair = features(f"features:{tmp_path}/z.npy+{tmp_path}/labels.npy")
    one = features(save(tmp_path, z=Z, y=Y))
    np.testing.assert_array_equal(pair.z, one.z)
    np.testing.assert_array_equal(pair.labels, one.labels)


def test_features_without_labels_are_a_target_for_pseudo_labels(tmp_path):
    reference, target = save(tmp_path, "r.npz", z=Z + 3 * np.eye(3)[Y], y=Y), save(tmp_path, z=Z)
    with pytest.raises(ValueError, match=r"mine\.npz holds no labels y; add them, or say how many classes"):
        features(target)
    task = features(f"{target}@3")
    assert (task.y, task.n_classes) == (None, 3)
    assert relatedness(features(reference), task, 0.5, labels="pseudo").bound > 0
    with pytest.raises(
        ValueError, match=r"classes must be None for 'features:.*@3', whose labels are not known"
    ):
        features(f"{target}@3", classes=[0, 1])


def test_a_changed_file_is_read_again_and_has_another_version(tmp_path):
    name = save(tmp_path, z=Z, y=Y)
    before = DATASETS[name].version
    assert DATASETS[name].version == before
    save(tmp_path, z=Z[:11], y=Y[:11])
    assert DATASETS[name].version != before
    assert len(features(name)) == 11


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"z": Z, "y": Y[:11]}, "must have as many rows, got 12 of z and 11 of y; one label per row"),
        ({"z": Z, "y": Y, "split": np.full(3, "train")}, "got 12 of z and shape (3,) of split"),
        (
            {"z": Z, "y": Y, "split": np.full(12, "dev")},
            "must hold the texts 'train' and 'test' (or 'val'), got 'dev'",
        ),
        (
            {"z": Z, "y": Y, "split": np.zeros(12)},
            "must hold the texts 'train' and 'test' (or 'val'), got 'float64'",
        ),
        (
            {"z": np.where(np.arange(12)[:, None] == 4, np.nan, Z), "y": Y},
            "NaN or infinity in 1 of 12 rows, first in row 4",
        ),
        (
            {"z": np.full((12, 3), np.inf, np.float16), "y": Y},
            "NaN or infinity in 12 of 12 rows, first in row 0",
        ),
        ({"z": Z[:, 0], "y": Y}, "must have shape (n, d) with n, d >= 1, got (12,)"),
        ({"z": Z.reshape(3, 4, 3), "y": Y}, "got (3, 4, 3); one row per sample"),
        ({"z": Z[:0], "y": Y[:0]}, "with n, d >= 1, got (0, 3)"),
        ({"z": Z + 1j, "y": Y}, "must hold real numbers, got complex128"),
        ({"z": Z.astype(str), "y": Y}, "must hold real numbers, got <U"),
        (
            {"z": Z, "y": np.eye(3)[Y]},
            "must have shape (n,), got (12, 3); one-hot labels become classes by y.argmax(1)",
        ),
        ({"z": Z, "y": Y + 0.5}, "must hold whole numbers or text, got float64 such as 0.5"),
        ({"z": Z, "y": np.full(12, np.nan)}, "must hold whole numbers or text, got float64 such as nan"),
        (
            {"x": Z, "labels": Y},
            "must hold z (n, d), y (n,) and, where there is one, split (n,), got x, labels;",
        ),
        (
            {"z": Z, "y": np.array([Evil()] * 12)},
            "it holds Python objects, which are programs; labels become text",
        ),
        ({"z": np.array([[Evil()]] * 12), "y": Y}, "it holds Python objects, which are programs"),
    ],
)
def test_what_cannot_be_is_refused_with_the_rule_and_the_file(tmp_path, arrays, message):
    name = save(tmp_path, **arrays)
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        features(name)
    assert "mine.npz" in str(caught.value)
    assert not Evil.ran


def zipped(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize("member", ["/etc/z.npy", "../z.npy", "a/z.npy", "..\\z.npy"])
def test_a_member_with_a_path_is_refused(tmp_path, member):
    zipped(tmp_path / "mine.npz", {member: npy(Z), "y.npy": npy(Y)})
    with pytest.raises(ValueError, match="has a path in its name"):
        features(f"features:{tmp_path}/mine.npz")


def test_an_archive_that_unpacks_to_far_more_than_it_is_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(feature_files, "SMALL", 1 << 20)
    zipped(tmp_path / "mine.npz", {"z.npy": npy(np.zeros((1000, 1000))), "y.npy": npy(np.zeros(1000, int))})
    monkeypatch.setattr(np, "load", lambda *a, **k: pytest.fail("it was read"))
    with pytest.raises(
        ValueError, match=r"'z\.npy' would unpack to 8,000,128 bytes, 100 times its size and more"
    ):
        features(f"features:{tmp_path}/mine.npz")


@pytest.mark.parametrize("suffix", ["npz", "npy"])
@pytest.mark.parametrize("content", [pickle.dumps(Evil()), b"PK\3\4 no archive", b"", b"hello"])
def test_a_file_that_is_something_else_is_refused(tmp_path, suffix, content):
    (tmp_path / f"mine.{suffix}").write_bytes(content)
    np.save(tmp_path / "y.npy", Y)
    name = f"{tmp_path}/mine.{suffix}" + (f"+{tmp_path}/y.npy" if suffix == "npy" else "")
    with pytest.raises(
        ValueError, match=rf"mine\.{suffix} cannot be read as arrays \(.*save it by np\.savez"
    ):
        features(f"features:{name}")
    assert not Evil.ran


def test_a_header_that_promises_more_than_the_file_holds_is_refused(tmp_path):
    head = npy(Z).replace(b"(12, 3)", b"(9999999999, 9)").replace(b" " * 10 + b"\n", b"  \n")
    head = head[:8] + (len(head) - 10 - 12 * 24).to_bytes(2, "little") + head[10:]
    zipped(tmp_path / "mine.npz", {"z.npy": head, "y.npy": npy(Y)})
    with pytest.raises(ValueError, match=r"mine\.npz cannot be read as arrays"):
        features(f"features:{tmp_path}/mine.npz")


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        (
            "features:{}/nowhere.npz",
            MissingAsset,
            "nowhere.npz, which is not there; the nearest folder above it is",
        ),
        ("features:{}", ValueError, "must name FILE.npz, or Z.npy+Y.npy, got"),
        ("features:{}/a.csv", ValueError, "must name FILE.npz, or Z.npy+Y.npy, got"),
        ("features:", ValueError, "must name FILE.npz, or Z.npy+Y.npy, got ''"),
        ("unlabelled:{}", ValueError, "must say the folder and of how many classes"),
        ("unlabelled:{}@1", ValueError, "at least 2, got"),
        ("unlabelled:{}/no@3", MissingAsset, "which is not there"),
        ("unlabelled:{}@3", ValueError, "no picture; put the pictures into the folder itself"),
    ],
)
def test_a_name_that_names_nothing_is_refused(tmp_path, name, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        DATASETS[name.format(tmp_path)]


def test_stored_features_are_no_pictures(tmp_path):
    name = save(tmp_path, z=Z, y=Y)
    with pytest.raises(ValueError, match="holds features, no pictures, so no encoder can look at it"):
        features("digits", "pca", fitted_on=name)
    with pytest.raises(ValueError, match="encoder must be given for the pictures of 'digits', got None"):
        features("digits")


def test_a_folder_of_pictures_without_labels_is_a_target_for_pseudo_labels(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKREL_CACHE", str(tmp_path / "cache"))
    for k in range(4):
        picture(tmp_path / f"mine/{k}.png", (40, 40), (k * 60, 0, 0))
    (tmp_path / "mine/notes.txt").write_text("no picture")
    name = f"unlabelled:{tmp_path}/mine@3"
    data = DATASETS[name]
    assert (data.labels("train").tolist(), data.n_classes, data.labelled) == ([-1] * 4, 3, False)
    task = features(name, "random_net", n=3)
    assert (len(task), task.y, task.n_classes) == (3, None, 3)
    with pytest.raises(ValueError, match="has no test part, all its pictures are of the train part"):
        features(name, "random_net", split="test")
    picture(tmp_path / "mine/more/1.png", (40, 40), 0)
    with pytest.raises(ValueError, match="folders inside a class, move their pictures up into it"):
        DATASETS[name]
