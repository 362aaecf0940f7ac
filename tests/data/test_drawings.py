"""Silhouettes and clip-art, from tiny copies of their packages: what is kept, what is split how, what is refused."""

import gzip
import pickle

import numpy as np
import pytest
from PIL import Image, ImageDraw

from taskrel_core.assets.sources import SourceFailed
from taskrel_core.data.animals import read_silhouettes
from taskrel_core.data.clip_art import SUBJECTS, read_clip_art


def package(folder, images, labels):
    below = folder / "animal_mnist" / "data" / "Animal_MNIST"
    below.mkdir(parents=True)
    for key, value in (("data", images), ("label", labels)):
        with gzip.open(below / f"animal_{key}_version_3.gz", "wb") as file:
            pickle.dump(value, file)
    return folder


def test_silhouettes_are_kept_once_and_a_quarter_is_for_the_test(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (800, 28, 28), np.uint8)
    images[400:600] = images[:200]
    arrays = read_silhouettes(package(tmp_path, images, np.arange(800) % 10))
    kept = np.concatenate([arrays["x_train"], arrays["x_test"]])
    assert len(np.unique(kept.reshape(600, -1), axis=0)) == 600
    assert 110 < len(arrays["x_test"]) < 190
    place = {image.tobytes(): k for k, image in reversed(list(enumerate(images)))}
    for split in ("train", "test"):
        assert [place[image.tobytes()] % 10 for image in arrays[f"x_{split}"]] == arrays[
            f"y_{split}"
        ].tolist()


def test_silhouettes_that_are_no_arrays_are_refused_and_nothing_runs(tmp_path):
    with pytest.raises(SourceFailed, match=r"asks for \w+\.system, which is no part of an array"):
        read_silhouettes(package(tmp_path, Runs(), np.zeros(1)))
    with pytest.raises(SourceFailed, match=r"animal_data_version_3\.gz"):
        read_silhouettes(tmp_path / "empty")


class Runs:
    """A pickle that would run a command."""

    def __reduce__(self):
        import os

        return os.system, ("exit 1",)


def drawing(path, colour, box=(10, 20, 40, 30), size=(100, 80)):
    """Draw a filled box on clear paper; its side decides what it looks like once it is scaled."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle(box, fill=colour)
    image.save(path)


@pytest.fixture
def clip_art(tmp_path):
    """Nine groups of three drawings per class, of one colour per group, in two folders."""
    root = tmp_path / "usr" / "share" / "openclipart" / "png"
    for label, subject in enumerate(SUBJECTS):
        for group in range(9):
            for k in range(3):
                name = f"{'abcdefghi'[group]}word_{k}.png"
                below = root / subject / "sub" if group % 2 else root / subject
                drawing(below / name, (20 * label, 20 * group, 100), (10, 20, 40, 30 + 7 * k))
    return tmp_path


def test_drawings_of_one_word_are_in_one_part_and_a_third_is_for_the_test(clip_art):
    arrays = read_clip_art(clip_art)
    groups = {}
    for split, n in (("train", 18), ("test", 9)):
        images, y = arrays[f"x_{split}"], arrays[f"y_{split}"]
        assert np.bincount(y).tolist() == [n] * 8
        for image, label in zip(images, y, strict=True):
            red, green, _ = (int(c) for c in image[32, 32])
            assert red == 20 * label
            groups.setdefault((label, green), set()).add(split)
    assert len(groups) == 72
    assert all(len(parts) == 1 for parts in groups.values())


def test_paper_is_cut_off_links_copies_signs_and_blank_ones_left_out(clip_art):
    before = read_clip_art(clip_art)
    root = clip_art / "usr" / "share" / "openclipart" / "png" / "food"
    (root / "link.png").symlink_to(root / "aword_0.png")
    drawing(root / "copy.png", (40, 0, 100), (60, 40, 90, 50))  # as aword_0 once its paper is cut off
    drawing(root / "blank.png", (255, 255, 255))
    drawing(clip_art / "usr/share/openclipart/png/transportation/roadsigns/sign.png", (200, 200, 0))
    after = read_clip_art(clip_art)
    for key in before:
        np.testing.assert_array_equal(after[key], before[key])
    wide = before["x_train"][before["y_train"] == 2][0]
    assert wide.shape == (64, 64, 3)
    assert (wide[0] == 255).all()  # padded to a square above
    assert (wide[32, :4] < 200).all()  # and touching the left side


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(SourceFailed, match="no folder animals in the package"):
        read_clip_art(tmp_path)
