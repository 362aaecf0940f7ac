"""Laws that every registered data set keeps, and known answers of some."""

import re
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from taskrel_core import DATASETS, MissingAsset, environment
from taskrel_core.__main__ import ASKED_FOR
from taskrel_core.assets import torchvision_import as vision
from taskrel_core.assets.content import array_fingerprint
from taskrel_core.data import glyphs
from taskrel_core.data.archives import read_tar
from taskrel_core.data.pictures import ImageFiles
from tests.tiny_sets import picture

IN_PACKAGES = ("digits", "glyphs_digits", "glyphs_latin", "glyphs_greek", "glyphs_cyrillic")
FEW = {"pets37": 3}  # pictures of each class in its test part, where that is small
# One worker per data set, so that two do not fetch the same.
EVERY = [pytest.param(name, marks=pytest.mark.xdist_group(f"data-{name}")) for name in DATASETS]


def loaded(name, split):
    if name == "imagenet":
        pytest.skip(
            "150 GB when decoded at once: its lists and single pictures are tested in test_torchvision_sets.py"
        )
    if isinstance(DATASETS[name], ImageFiles):
        kept = (environment.cache_dir() / "torchvision" / DATASETS[name].folder).is_dir()
    else:
        kept = any(environment.cache_dir().glob(f"data/{name}[.-]*"))
    if name in ASKED_FOR and not kept:
        pytest.skip(f"hundreds of megabytes: fetch it by python -m taskrel_core {name}")
    try:
        return DATASETS[name].load(split)
    except MissingAsset as error:
        if name in IN_PACKAGES:
            raise
        pytest.skip(str(error))


@pytest.mark.parametrize("name", EVERY)
def test_parts_are_images_and_labels(name):
    for split in ("train", "test"):
        images, labels = loaded(name, split)
        assert images.dtype == np.uint8
        assert labels.dtype == np.int64
        assert labels.shape == images.shape[:1]
        assert images.ndim == 3 or images.shape[3:] == (3,)
        assert images.shape[1] == images.shape[2]
        assert images.max() > 200  # the whole range of grey is used
        assert images.min() < 50


@pytest.mark.parametrize("name", EVERY)
def test_every_class_is_in_both_parts(name):
    for split in ("train", "test"):
        _, labels = loaded(name, split)
        counts = np.bincount(labels, minlength=DATASETS[name].n_classes)
        assert len(counts) == DATASETS[name].n_classes
        assert counts.min() >= FEW.get(name, 20)


@pytest.mark.parametrize("name", EVERY)
def test_the_whole_is_train_then_test(name):
    parts = [loaded(name, split) for split in ("train", "test")]
    images, labels = loaded(name, "all")
    np.testing.assert_array_equal(images, np.concatenate([part[0] for part in parts]))
    np.testing.assert_array_equal(labels, np.concatenate([part[1] for part in parts]))


@pytest.mark.parametrize("name", EVERY)
def test_what_is_loaded_may_be_changed_without_harm(name):
    images, labels = loaded(name, "test")
    kept = images.copy(), labels.copy()
    images[:], labels[:] = 0, 0
    again = loaded(name, "test")
    np.testing.assert_array_equal(again[0], kept[0])
    np.testing.assert_array_equal(again[1], kept[1])


@pytest.mark.parametrize("name", EVERY)
def test_no_image_is_in_both_parts(name):
    seen = {image.tobytes() for image in loaded(name, "train")[0]}
    assert not any(image.tobytes() in seen for image in loaded(name, "test")[0])


@pytest.mark.parametrize("name", EVERY)
def test_entries_say_what_they_are(name):
    entry = DATASETS[name]
    loaded(name, "test")
    assert entry.name == name
    assert len(set(entry.class_names)) == entry.n_classes >= 2
    assert entry.licence
    assert entry.origin
    assert re.fullmatch("[0-9a-f]{64}", entry.version)
    assert entry.version == DATASETS[name].version


@pytest.mark.parametrize("name", EVERY)
def test_an_unknown_part_is_refused(name):
    with pytest.raises(
        ValueError, match="split must be one of train, test, all, got 'val'; choose one of them"
    ):
        DATASETS[name].load("val")


def test_versions_differ_and_pins_are_of_the_arrays():
    versions = [DATASETS[name].version for name in IN_PACKAGES]
    assert len(set(versions)) == len(versions)
    assert DATASETS["digits"].version == array_fingerprint(DATASETS["digits"].arrays())


@pytest.mark.parametrize(
    ("name", "n", "mean", "deviation"),
    [("mnist", (60000, 10000), 0.1307, 0.3081), ("fashion_mnist", (60000, 10000), 0.2860, 0.3530)],
)
@pytest.mark.xdist_group("data-known")
def test_known_sizes_and_moments(name, n, mean, deviation):
    images = loaded(name, "train")[0]
    assert (len(images), len(loaded(name, "test")[0])) == n
    assert abs(images.mean() / 255 - mean) < 1e-4
    assert abs(images.std() / 255 - deviation) < 1e-4


def test_an_emoji_is_in_the_same_part_for_both_vendors_and_drawn_differently():
    for split in ("train", "test"):
        noto, twemoji = loaded("emoji_noto", split), loaded("emoji_twemoji", split)
        np.testing.assert_array_equal(noto[1], twemoji[1])
        same = (noto[0] == twemoji[0]).all(axis=(1, 2, 3)).mean()
        assert same < 0.01


def test_usps_comes_from_a_file_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKREL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TASKREL_DATA", str(tmp_path))
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    rng = np.random.default_rng(0)
    arrays = {"x_train": rng.integers(0, 256, (5, 16, 16), np.uint8), "y_train": np.arange(5)}
    arrays |= {"x_test": rng.integers(0, 256, (3, 16, 16), np.uint8), "y_test": np.arange(3)}
    np.savez(tmp_path / "usps.npz", **arrays)
    read = DATASETS["usps"].arrays.__wrapped__()  # not what this process read before
    for key in arrays:
        np.testing.assert_array_equal(read[key], arrays[key])
        assert read[key].dtype == np.uint8
    (tmp_path / "cache/data/usps.npz").unlink()
    np.savez(tmp_path / "usps.npz", **{**arrays, "x_test": arrays["x_test"] / 255})
    with pytest.raises(
        MissingAsset, match=r"local file usps\.npz: .*x_test must be uint8 .*got float64 \(3, 16, 16\)"
    ):
        DATASETS["usps"].arrays.__wrapped__()


def test_train_and_test_glyphs_come_from_different_typefaces():
    paths = {
        split: [glyphs._path(face) for face in faces]
        for split, faces in (("train", glyphs.TRAIN_FACES), ("test", glyphs.TEST_FACES))
    }
    content = {split: {path.read_bytes() for path in found} for split, found in paths.items()}
    assert (len(content["train"]), len(content["test"])) == (12, 4)
    assert not content["train"] & content["test"]


@pytest.mark.parametrize("alphabet", list(glyphs.ALPHABETS))
def test_glyphs_are_drawn_the_same_each_time_and_whole(alphabet):
    letters = glyphs.ALPHABETS[alphabet][0]
    arrays = DATASETS[f"glyphs_{alphabet}"].arrays()
    again = glyphs.render(letters)
    assert array_fingerprint(again) == array_fingerprint(arrays)
    for split in ("train", "test"):
        images = arrays[f"x_{split}"]
        assert images.shape[1:] == (28, 28)
        ink = (images > 127).sum(axis=(1, 2))
        assert ink.min() >= 8  # none is blank
        edge = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1)
        assert (edge.max(axis=1) > 127).mean() < 0.05  # only the widest bold letters reach it


def test_every_face_has_every_letter():
    from PIL import ImageFont

    for face in (*glyphs.TRAIN_FACES, *glyphs.TEST_FACES):
        font = ImageFont.truetype(str(glyphs._path(face)), 40)
        absent = bytes(font.getmask("\uffff"))  # the box that stands for what a face does not have
        drawn = {bytes(font.getmask(letter)) for a in glyphs.ALPHABETS.values() for letter in a[0]}
        assert absent not in drawn, face


def test_the_version_of_glyphs_follows_recipe_letters_and_faces(monkeypatch, tmp_path):
    before = glyphs.typefaces_fingerprint("latin")
    assert before == DATASETS["glyphs_latin"].version
    assert before != glyphs.typefaces_fingerprint("greek")
    monkeypatch.setattr(glyphs, "RECIPE", "other")
    assert glyphs.typefaces_fingerprint("latin") != before
    monkeypatch.undo()
    monkeypatch.setattr(glyphs, "TEST_FACES", glyphs.TEST_FACES[:3])
    assert glyphs.typefaces_fingerprint("latin") != before


def test_a_missing_typeface_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(glyphs, "_typefaces", lambda: tmp_path)
    with pytest.raises(MissingAsset, match=r"need the typeface .*DejaVuSans\.ttf, .*requirements\.lock"):
        glyphs.typefaces_fingerprint("latin")


def packed(folder, name="mine", prefix="mine"):
    path = folder.parent / f"{name}.tar"
    with tarfile.open(path, "w") as tar:
        for file in sorted(folder.rglob("*.*"), reverse=True):
            tar.add(file, f"{prefix}/{file.relative_to(folder)}")
    return path


read_mine = read_tar("mine.tar", ("a", "b"), 8)


def test_an_archive_is_read_in_order_of_name_without_test_pictures_that_are_seen_in_training(folder):
    picture(folder / "test/a/seen.png", (20, 20), (0, 0, 255))  # as train/b/2.png
    arrays = read_mine(packed(folder))
    assert arrays["x_train"].shape == (3, 8, 8, 3)
    assert arrays["y_train"].tolist() == [0, 1, 1]
    assert [tuple(int(v) for v in image[0, 0]) for image in arrays["x_train"]] == [
        (255, 255, 255),
        (77, 77, 77),
        (0, 0, 255),
    ]
    assert arrays["y_test"].tolist() == [0, 1]
    assert len(arrays["x_test"]) == 2


def test_an_archive_that_is_something_else_is_refused(folder):
    (folder / "train/b/2.png").write_bytes(b"hello")
    with pytest.raises(ValueError, match=r"2\.png is not a readable image \("):
        read_mine(packed(folder))
    picture(folder / "test/c/1.png")
    with pytest.raises(ValueError, match=r"for its 2 classes; missing or not expected: test/c$"):
        read_mine(packed(folder))
    (folder / "test/c/1.png").rename(folder / "more.png")
    with pytest.raises(
        ValueError, match=r"mine\.tar must hold NAME/\{train,test\}/<class>/<file> .* not expected: mine$"
    ):
        read_mine(packed(folder))
    (folder.parent / "mine.tar").write_bytes(b"hello")
    with pytest.raises(ValueError, match=r"mine\.tar is not a readable tar \("):
        read_mine(folder.parent / "mine.tar")


TARS = {
    "cifar10": "cifar10-jpeg",
    "dtd10": "dtd10",
    "flowers5": "flowers5",
    "tiny_imagenet": "tiny-imagenet-200-32px",
    "imagenette": "imagenette10-128",
    "pets37": "pets37-oxford10",
    "pacs_photo": "pacs-photo",
    "pacs_art": "pacs-art",
    "pacs_cartoon": "pacs-cartoon",
    "intel_scenes": "intel-scenes6",
}
BY_HAND = {name: rf"{file}\.tar \(a tar of NAME/train\|test/<class>/<file>\)" for name, file in TARS.items()}
BY_HAND |= {
    "mnist_m": r"mnist-m\.npz \(uint8 arrays x_train, y_train, x_test, y_test\)",
    "animal_silhouettes": r"animal_mnist-0\.4-py3-none-any\.whl \(the PyPI package\)",
    "clip_art": r"openclipart-png\.deb \(the Debian package\)",
}


@pytest.mark.parametrize("name", BY_HAND)
def test_data_that_no_source_delivers_name_the_file_to_put_down(name, tmp_path, monkeypatch):
    monkeypatch.setenv("TASKREL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TASKREL_DATA", str(tmp_path))
    monkeypatch.setenv("TASKREL_OFFLINE", "1")
    with pytest.raises(
        MissingAsset, match=rf"By hand: put {BY_HAND[name]} into a folder and set TASKREL_DATA"
    ):
        DATASETS[name].arrays.__wrapped__()


def test_the_reference_task_names_its_classes_by_wordnet_number():
    names = DATASETS["tiny_imagenet"].class_names
    assert len(set(names)) == 200
    assert list(names) == sorted(names)
    assert all(re.fullmatch(r"n\d{8}", name) for name in names)
    assert names[0] == "n01443537"  # goldfish
    assert "32x32" in DATASETS["tiny_imagenet"].origin


TRAP = "import torch\ntorch.library.register_fake('torchvision::nms')(lambda *a: None)\nwhole = True\n"
WHOLE = (
    "import torch\nlib = torch.library.Library('torchvision', 'DEF')\n"
    "lib.define('nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')\nwhole = True\n"
)


def imported(folder: Path, answer: str) -> subprocess.CompletedProcess:
    """Import torchvision in a new process through our function, with ``folder`` searched first."""
    code = (
        f"import sys, importlib.util\nsys.path.insert(0, {str(folder)!r})\n"
        f"spec = importlib.util.spec_from_file_location('vision', {vision.__file__!r})\n"
        "vision = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(vision)\n"
        f"torchvision = vision.import_torchvision()\nprint({answer})\n"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.parametrize(("text", "defined"), [(TRAP, 1), (WHOLE, 0)])
def test_torchvision_is_repaired_only_where_its_operators_are_missing(tmp_path, text, defined):
    (tmp_path / "torchvision.py").write_text(text)
    done = imported(
        tmp_path, "torchvision.whole, len(vision._LIBRARY), vision.import_torchvision() is torchvision"
    )
    assert done.stdout == f"True {defined} True\n", done.stderr


def test_another_failure_of_torchvision_is_not_hidden(tmp_path):
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('something else')")
    done = imported(tmp_path, "torchvision")
    assert done.returncode == 1
    assert "RuntimeError: something else" in done.stderr


def test_the_torchvision_of_this_environment_can_be_imported(tmp_path):
    done = imported(tmp_path, "torchvision.datasets.MNIST")
    assert done.stdout == "<class 'torchvision.datasets.mnist.MNIST'>\n", done.stderr
