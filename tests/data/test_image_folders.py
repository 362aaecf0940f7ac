"""Folders of one's own: which pictures are read, as which pixels, what is skipped, and what is refused in which words."""

import math
import os
import re
import shutil
import time
import unicodedata

import numpy as np
import pytest
from PIL import Image

from taskrel_core import DATASETS, MissingAsset
from taskrel_core.data import folder_scan, image_folders
from tests.tiny_sets import picture


def opened(root):
    return DATASETS[f"folder:{root}"]


def filled(root, parts=("train", "test"), classes=("cat", "dog"), n=3):
    """Write n pictures of its own grey per class and part."""
    for part in parts:
        for k, name in enumerate(classes):
            for j in range(n):
                picture(root / part / name / f"{j}.png", colour=(60 * k + 20, 60 * k + 20, 10 * j))
    return root


def sizes(root):
    return {row["class"]: (row["train"], row["test"]) for row in opened(root).summary()["pictures"]}


def skipped(root):
    return {row["kind"]: row["count"] for row in opened(root).summary()["skipped"]}


def refused(root):
    with pytest.raises(ValueError) as error:
        opened(root)
    return str(error.value)


# What is read, and in which order


def test_a_folder_is_read_in_order_of_name(folder):
    entry = opened(folder)
    images, labels = entry.load("train")
    assert (entry.class_names, entry.n_classes) == (("a", "b"), 2)
    assert images.shape == (3, 10, 10, 3)  # the largest shorter side
    assert labels.tolist() == [0, 1, 1]
    corner = [tuple(int(v) for v in image[0, 0]) for image in images]
    assert corner == [(255, 255, 255), (77, 77, 77), (0, 0, 255)]  # clear is white; "10.png" before "2.png"
    assert entry.load("all")[1].tolist() == [0, 1, 1, 0, 1]


def test_large_images_are_made_smaller_and_cropped_to_the_centre(tmp_path):
    wide = np.zeros((300, 900, 3), np.uint8)
    wide[:, 300:600] = 255
    for split in ("train", "test"):
        (tmp_path / split / "a").mkdir(parents=True)
        Image.fromarray(wide).save(tmp_path / split / "a" / "wide.png")
    images, _ = opened(tmp_path).load("test")
    assert images.shape == (1, 224, 224, 3)
    assert images[0, :, 4:-4].min() > 240


# The version


def test_the_version_of_a_folder_follows_names_and_contents(folder):
    picture(folder / "test/b/more.png")
    picture(folder / "test/a/more.png")
    versions = [opened(folder).version]
    picture(folder / "test/a/y.png", colour=(1, 2, 3))
    versions.append(opened(folder).version)
    (folder / "test/a/y.png").rename(folder / "test/a/w.png")
    versions.append(opened(folder).version)
    (folder / "test/a/w.png").rename(folder / "test/b/w.png")
    versions.append(opened(folder).version)
    assert len(set(versions)) == 4
    (folder / "test/b/w.png").touch()
    assert opened(folder).version == versions[-1]


@pytest.mark.parametrize(
    "place", ["beside.bin", "train/notes.txt", "test/cat/.DS_Store", "train/dog/films.mp4", "more/x"]
)
def test_what_is_not_read_is_not_hashed(tmp_path, place):
    before = opened(filled(tmp_path)).version
    (tmp_path / place).parent.mkdir(exist_ok=True)
    with (tmp_path / place).open("wb") as file:
        file.truncate(1 << 40)  # a file of this size would take an hour
    assert opened(tmp_path).version == before


def test_the_version_follows_what_a_linked_folder_holds(tmp_path):
    filled(tmp_path / "real")
    (tmp_path / "mine").mkdir()
    for part in ("train", "test"):
        (tmp_path / "mine" / part).symlink_to(tmp_path / "real" / part)
    before = opened(tmp_path / "mine").version
    assert before == opened(tmp_path / "real").version
    picture(tmp_path / "real/train/dog/0.png", colour=(9, 9, 9))
    assert opened(tmp_path / "mine").version == opened(tmp_path / "real").version != before


def test_a_content_is_read_again_only_when_size_or_time_changed(tmp_path, monkeypatch):
    read = []
    true = image_folders.file_fingerprint
    monkeypatch.setattr(image_folders, "file_fingerprint", lambda path: read.append(path.name) or true(path))
    filled(tmp_path)
    first = opened(tmp_path).version
    assert len(read) == 12
    assert opened(tmp_path).version == first
    assert len(read) == 12
    picture(tmp_path / "train/cat/1.png", colour=(3, 4, 5))
    assert opened(tmp_path).version != first
    assert read[12:] == ["1.png"]


# Pixels


def grey(path, mode, array, **how):
    """Write grey pixels of a mode, in both parts."""
    for part in ("train", "test"):
        (path / part / "a").mkdir(parents=True, exist_ok=True)
        file = path / part / "a" / f"x.{how.get('kind', 'tiff')}"
        if how.get("kind") == "pgm":
            file.write_bytes(b"P5 %d %d 65535\n" % array.shape[::-1] + array.astype(">u2").tobytes())
        else:
            image = Image.fromarray(array)
            assert image.mode == mode
            image.save(file)
    return path


RAMP = np.linspace(0, 1, 64).reshape(8, 8)


@pytest.mark.parametrize(
    ("mode", "array", "kind"),
    [
        ("I;16", (RAMP * 65535).astype(np.uint16), "png"),
        ("I;16", (RAMP * 65535).astype(np.uint16), "tiff"),
        ("I;16", (RAMP * 30000).astype(np.uint16), "tiff"),  # not stretched: 65535 is white
        ("I;16B", (RAMP * 65535).astype(">u2"), "tiff"),
        ("I", (RAMP * 65535).astype(np.int32), "tiff"),
        ("I", (RAMP * 200).astype(np.int32), "tiff"),
        ("", (RAMP * 200).astype(np.int32), "pgm"),  # nearly black: a PGM says what white is
        ("F", RAMP.astype(np.float32), "tiff"),
        ("F", (RAMP * 255).astype(np.float32), "tiff"),
        ("L", (RAMP * 255).astype(np.uint8), "png"),
    ],
)
def test_every_depth_is_scaled_by_its_range(tmp_path, mode, array, kind):
    high = float(array.max())
    white = {"L": 255, "F": 1 if high <= 1 else 255}.get(mode, 255 if mode == "I" and high <= 255 else 65535)
    images, _ = opened(grey(tmp_path, mode, array, kind=kind)).load("train")
    wanted = np.repeat(array[..., None] * (255 / white), 3, 2)
    assert np.abs(images[0] - wanted).max() <= 1


@pytest.mark.parametrize(
    ("array", "rule"),
    [
        (np.full((8, 8), 70000, np.int32), "0 to 65535, got 70000 to 70000"),
        (np.full((8, 8), -3, np.int32), "0 to 65535, got -3 to -3"),
        (np.full((8, 8), 300, np.float32), "0 to 1 or 0 to 255, got 300 to 300"),
        (np.full((8, 8), np.nan, np.float32), "0 to 1 or 0 to 255, got nan to nan"),
        (np.full((8, 8), -0.5, np.float32), "0 to 1 or 0 to 255, got -0.5 to -0.5"),
    ],
)
def test_pixels_beyond_their_range_are_refused_by_name(tmp_path, array, rule):
    entry = opened(grey(tmp_path, Image.fromarray(array).mode, array))
    with pytest.raises(
        ValueError, match=rf"train/a/x\.tiff is not a readable image \(its pixels must be {rule}; scale"
    ):
        entry.load("train")


def test_a_tiff_in_which_white_is_0_is_read_so(tmp_path):
    for part in ("train", "test"):
        (tmp_path / part / "a").mkdir(parents=True)
        Image.fromarray((RAMP * 65535).astype(np.uint16)).save(tmp_path / part / "a/x.tif", tiffinfo={262: 0})
    images, _ = opened(tmp_path).load("train")
    assert np.abs(images[0, ..., 0] - 255 * (1 - RAMP)).max() <= 1


CLEAR = (0, 0, 255, 0)


@pytest.mark.parametrize(
    ("name", "image", "wanted"),
    [
        ("x.png", Image.new("1", (8, 8), 1), (255, 255, 255)),
        ("x.png", Image.new("LA", (8, 8), (9, 0)), (255, 255, 255)),
        ("x.png", Image.new("LA", (8, 8), (9, 255)), (9, 9, 9)),
        ("x.png", Image.new("RGBA", (8, 8), CLEAR), (255, 255, 255)),
        ("x.jpg", Image.new("CMYK", (8, 8), (0, 255, 255, 0)), (255, 0, 0)),
        ("x.tif", Image.new("CMYK", (8, 8), (255, 0, 255, 0)), (0, 255, 0)),
        ("x.tif", Image.new("LAB", (8, 8), (255, 128, 128)), (255, 255, 255)),
        ("x.bmp", Image.new("P", (8, 8), 3), None),
    ],
)
def test_modes_become_rgb(tmp_path, name, image, wanted):
    for part in ("train", "test"):
        (tmp_path / part / "a").mkdir(parents=True)
        image.save(tmp_path / part / "a" / name)
    found = opened(tmp_path).load("train")[0][0, 0, 0].astype(int)
    wanted = image.convert("RGB").getpixel((0, 0)) if wanted is None else wanted
    assert np.abs(found - wanted).max() <= 3  # JPEG


def test_a_palette_with_a_clear_colour_is_white_there(tmp_path):
    image = Image.new("P", (8, 8), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(0, (0, 0, 4, 8))
    for part in ("train", "test"):
        for name, clear in (("gif", {"transparency": 0}), ("png", {"transparency": 0})):
            (tmp_path / part / name).mkdir(parents=True)
            image.save(tmp_path / part / name / f"x.{name}", **clear)
    for found in opened(tmp_path).load("train")[0]:
        assert found[0, 0].tolist() == [255, 255, 255]
        assert found[0, 7].tolist() == [0, 0, 255]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpg", "png", "tif", "webp"])
def test_pictures_are_turned_as_their_exif_orientation_says(tmp_path, orientation, kind):
    upright = np.zeros((32, 32, 3), np.uint8)
    upright[:16, :16], upright[:16, 16:], upright[16:, :16] = (250, 0, 0), (0, 250, 0), (0, 0, 250)
    stored = {  # what a camera stores of it, by the orientation that it notes
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: np.rot90(upright, 2).transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    for part in ("train", "test"):
        (tmp_path / part / "a").mkdir(parents=True)
        lossless = {"lossless": True} if kind == "webp" else {}
        Image.fromarray(np.ascontiguousarray(stored)).save(
            tmp_path / part / f"a/x.{kind}", exif=exif, **lossless
        )
    found = opened(tmp_path).load("train")[0][0]
    for y, x in ((8, 8), (8, 24), (24, 8), (24, 24)):
        assert np.abs(found[y, x].astype(int) - upright[y, x]).max() < 12


@pytest.mark.parametrize("kind", ["gif", "webp", "tif", "png"])
def test_of_several_frames_the_first_is_read(tmp_path, kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ((200, 0, 0), (0, 200, 0), (0, 0, 200))]
    for part in ("train", "test"):
        (tmp_path / part / "a").mkdir(parents=True)
        how = {"lossless": True} if kind == "webp" else {}
        frames[0].save(tmp_path / part / f"a/x.{kind}", save_all=True, append_images=frames[1:], **how)
    assert opened(tmp_path).load("train")[0][0, 0, 0].tolist() == [200, 0, 0]


# What is a class and what is a picture


@pytest.mark.parametrize(
    "name",
    [
        ".ipynb_checkpoints",
        "__MACOSX",
        "@eaDir",
        ".git",
        "$RECYCLE.BIN",
        "System Volume Information",
        "__pycache__",
    ],
)
def test_folders_of_systems_and_tools_are_no_classes(tmp_path, name):
    filled(tmp_path)
    for part in ("train", "test"):
        picture(tmp_path / part / name / "x.png")
    picture(tmp_path / "train/cat" / name / "x.png")  # nor complaints inside a class
    assert sizes(tmp_path) == {"cat": (3, 3), "dog": (3, 3)}
    assert skipped(tmp_path) == {"hidden or system name": 3}


@pytest.mark.parametrize(
    "name", [".DS_Store", "Thumbs.db", "desktop.ini", "._0.png", "ehthumbs.db", ".gitkeep", "Icon\r"]
)
def test_files_of_systems_are_skipped_and_counted(tmp_path, name):
    filled(tmp_path)
    for place in ("train/cat", "test/dog", "train"):
        (tmp_path / place / name).write_bytes(b"\0\5\26\7")
    assert sizes(tmp_path) == {"cat": (3, 3), "dog": (3, 3)}
    assert skipped(tmp_path) == {"hidden or system name": 3}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels.csv", b"a,b\n"),
        ("notes.txt", b"BMW, the make\n"),
        ("README", b"P5 is what this begins with"),
        ("film.mp4", b"\0\0\0\x20ftypisom"),
        ("paper.pdf", b"%PDF-1.4"),
        ("empty", b""),
        ("data.h5", b"\x89HDF\r\n\x1a\n"),
    ],
)
def test_files_that_are_no_pictures_are_skipped_and_counted(tmp_path, name, content):
    filled(tmp_path)
    for place in ("train/cat", "train", "."):
        (tmp_path / place / name).write_bytes(content)
    assert sizes(tmp_path) == {"cat": (3, 3), "dog": (3, 3)}
    assert skipped(tmp_path) == {"file that is no picture": 3}


@pytest.mark.parametrize("name", ["photo", "photo.tmp", "photo.jpg.1", "PHOTO.JPEG", "a b.Png", "x.png"])
def test_a_picture_is_one_by_its_content(tmp_path, name):
    filled(tmp_path)
    Image.new("RGB", (8, 8)).save(tmp_path / "train/cat" / name, "JPEG")
    assert sizes(tmp_path) == {"cat": (4, 3), "dog": (3, 3)}


@pytest.mark.parametrize(
    "kind", ["bmp", "tga", "ppm", "gif", "webp", "avif", "jp2", "ico", "pcx", "sgi", "qoi", "dds", "tiff"]
)
def test_kinds_of_pictures(tmp_path, kind):
    for part in ("train", "test"):
        picture(tmp_path / part / f"a/x.{kind}", (16, 16), (200, 10, 10))
    assert np.abs(opened(tmp_path).load("train")[0][0, 8, 8].astype(int) - (200, 10, 10)).max() < 12


def test_empty_classes_are_not_counted(tmp_path):
    filled(tmp_path)
    (tmp_path / "train/bird").mkdir()
    for part in ("train", "test"):
        (tmp_path / part / "fish").mkdir()
        (tmp_path / part / "fish/list.txt").write_text("none yet")
    assert opened(tmp_path).n_classes == 2
    assert skipped(tmp_path) == {"class without pictures": 3, "file that is no picture": 2}


def test_what_must_be_mended_is_told_at_once(tmp_path):
    filled(tmp_path, classes=("cat", "dog", "cow"))
    for k in range(4):
        picture(tmp_path / f"train/cat/sub/{k}.png")
    picture(tmp_path / "train/dog/deep/er/0.png")
    (tmp_path / "train/dog/empty").mkdir()
    for k in range(13):
        (tmp_path / f"train/cow/{k + 10}.jpg").write_bytes(b"not a picture at all")
    (tmp_path / "test/cow/a.png").write_bytes(b"")
    whole = (tmp_path / "test/cow/0.png").read_bytes()
    (tmp_path / "test/cow/b.png").write_bytes(whole[:40])
    (tmp_path / "test/cow/c.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (tmp_path / "test/cow/d.jpg").symlink_to(tmp_path / "gone.jpg")
    picture(tmp_path / "train/bird/0.png")
    picture(tmp_path / "test/fish/0.png")
    text = refused(tmp_path)
    head, *lines = text.split("\n")
    assert head == f"{tmp_path} cannot be read as folders of pictures:"
    assert lines[0] == (
        "- folders inside a class, move their pictures up into it (2): train/cat/sub (4 pictures), "
        "train/dog/deep (more folders)"
    )
    assert lines[1].startswith(
        "- not readable as images, remove or repair them (16): train/cow/10.jpg (not the content"
    )
    assert lines[1].endswith(" and 6 more")
    assert lines[1].count("train/cow") == 10
    assert (
        lines[2]
        == "- in a format that Pillow does not read, convert them to PNG or JPEG (1): test/cow/c.heic"
    )
    assert lines[3] == "- classes with pictures in the train part only, make the parts agree (1): bird"
    assert lines[4] == "- classes with pictures in the test part only, make the parts agree (1): fish"
    assert len(lines) == 5


@pytest.mark.parametrize("damage", ["text", "cut", "empty", "cut jpeg", "cut gif", "cut webp", "link"])
def test_a_damaged_picture_is_named_before_anything_is_decoded(folder, damage):
    kind = damage.removeprefix("cut ") if " " in damage else "png"
    path = folder / f"train/b/2.{kind}"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(path)
    whole = path.read_bytes()
    path.write_bytes({"text": b"hello", "empty": b""}.get(damage, whole[: len(whole) // 2]))
    if damage == "link":
        path.unlink()
        path.symlink_to(path)
    text = rf"not readable as images, remove or repair them \(1\): train/b/2\.{kind} \(.+\)$"
    assert re.search(text, refused(folder))


def test_what_only_decoding_shows_is_told_at_once(folder):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    for name in ("p", "q"):
        Image.fromarray(noise).save(folder / f"train/b/{name}.png")
        whole = bytearray((folder / f"train/b/{name}.png").read_bytes())
        whole[2000:9000] = bytes(7000)
        (folder / f"train/b/{name}.png").write_bytes(whole)
    with pytest.raises(
        ValueError, match=r"2 files: .*b/p\.png is not .*b/q\.png is not a readable image .*; remove or"
    ):
        opened(folder).load("train")


def test_bytes_after_the_end_of_a_picture_do_no_harm(tmp_path, monkeypatch):
    filled(tmp_path)
    for k in range(30):
        Image.new("RGB", (8, 8)).save(tmp_path / f"train/cat/{k}.jpg")
        with (tmp_path / f"train/cat/{k}.jpg").open("ab") as file:
            file.write(b"a film that the phone took" * 10)
    decoded = []
    true = folder_scan._decoded
    monkeypatch.setattr(folder_scan, "_decoded", lambda file: decoded.append(file) or true(file))
    assert sizes(tmp_path)["cat"] == (33, 3)
    assert len(decoded) == folder_scan.TRAILERS


def test_pictures_beyond_the_limit_of_the_reader_are_refused(folder, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 150)
    with pytest.raises(
        ValueError, match=r"train/a/x\.png is not a readable image \(.*exceeds limit of 150 pixels"
    ):
        opened(folder).load("train")


# Layouts


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "val"),
        ("train", "valid"),
        ("train", "validation"),
        ("Train", "Test"),
        ("TRAIN", "VAL"),
        ("training", "testing"),
    ],
)
def test_parts_may_have_other_names(tmp_path, train, test):
    filled(tmp_path, (train, test))
    assert sizes(tmp_path) == {"cat": (3, 3), "dog": (3, 3)}
    assert opened(tmp_path).summary()["layout"] == f"{train} and {test}"


def test_test_goes_before_val_and_what_is_not_read_is_said(tmp_path):
    filled(tmp_path, ("train", "test"))
    filled(tmp_path, ("val", "docs"), n=9)
    assert sizes(tmp_path) == {"cat": (3, 3), "dog": (3, 3)}
    assert skipped(tmp_path) == {"folder beside the parts": 2}


@pytest.mark.parametrize("parts", [("train",), ("",), ("Training",)])
def test_without_a_test_part_a_fifth_of_each_class_is_chosen_by_name(tmp_path, parts):
    filled(tmp_path / "x", parts, n=10)
    picture(tmp_path / "x" / parts[0] / "one/0.png")
    for k in range(2):
        picture(tmp_path / "x" / parts[0] / f"two/{k}.png")
    assert sizes(tmp_path / "x") == {"cat": (8, 2), "dog": (8, 2), "one": (1, 0), "two": (1, 1)}
    entry = opened(tmp_path / "x")
    assert entry.summary()["layout"].endswith("a fifth of each class, chosen by file name, is the test part")
    assert entry.origin.endswith(entry.layout)
    shutil.copytree(tmp_path / "x", tmp_path / "elsewhere")
    for file in (tmp_path / "elsewhere").rglob("*.png"):
        picture(file, colour=(1, 1, 1))  # other content, other place: the same rows
    names = [[p.name for p, _ in opened(tmp_path / where).files("test")] for where in ("x", "elsewhere")]
    assert names[0] == names[1]
    train, test = (set(entry.files(split)) for split in ("train", "test"))
    assert not train & test
    assert len(train | test) == 23


def test_a_part_under_two_names_is_refused(tmp_path):
    filled(tmp_path, ("train", "Train", "test"))
    assert "folders for one part, keep one (1): train" in refused(tmp_path)


def test_test_alone_is_refused(tmp_path):
    filled(tmp_path, ("test",))
    assert "no class with pictures to train on; PATH must hold train and test, or one folder of" in refused(
        tmp_path
    )


@pytest.mark.parametrize(
    ("build", "hint"),
    [
        (lambda root: filled(root / "pets"), r"pets holds train: give folder:.*/pets\n"),
        (
            lambda root: picture(root / "pets/cat/a.png"),
            r"its only folder holds others: give folder:.*/pets\n",
        ),
        (lambda root: picture(root / "a.png"), "put the pictures into one folder per class$"),
        (
            lambda root: [(root / x).mkdir(parents=True) for x in ("a/b/c", "d")],
            "PATH must hold train and test, or one folder of pictures",
        ),
        (lambda root: root.mkdir(), "PATH must hold train and test, or one folder of pictures per class$"),
    ],
)
def test_a_folder_of_another_layout_is_refused_with_a_hint(tmp_path, build, hint):
    build(tmp_path / "x")
    assert re.search(f"no class with pictures to train on; {hint}", refused(tmp_path / "x"))


# Links and names


def test_links_are_followed_and_loops_end(tmp_path):
    filled(tmp_path / "real", ("pictures",))
    for part in ("train", "test"):
        (tmp_path / "x" / part).mkdir(parents=True)
        for name in ("cat", "dog"):
            (tmp_path / "x" / part / name).symlink_to(tmp_path / "real/pictures" / name)
    (tmp_path / "x/train/round").symlink_to(tmp_path / "x")
    (tmp_path / "x/train/self").symlink_to("self")
    (tmp_path / "real/pictures/cat/up").symlink_to("..")
    assert sizes(tmp_path / "x") == {"cat": (3, 3), "dog": (3, 3)}
    assert skipped(tmp_path / "x")["link to a folder that it lies in"] == 3


def test_composed_and_decomposed_names_are_one_class(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    picture(tmp_path / "train" / composed / "0.png")
    picture(tmp_path / "train" / decomposed / "1.png")
    picture(tmp_path / "test" / decomposed / "é.png")
    filled(tmp_path)
    assert opened(tmp_path).class_names == (composed, "cat", "dog")
    before = opened(tmp_path).version
    assert sizes(tmp_path)[composed] == (2, 1)
    (tmp_path / "test" / decomposed).rename(tmp_path / "test" / composed)
    assert opened(tmp_path).version == before


@pytest.mark.parametrize("part", ["class", "file", "root"])
def test_names_that_are_no_text_do_no_harm(tmp_path, part):
    odd = os.fsdecode(b"caf\xe9")
    root = filled(tmp_path / (odd if part == "root" else "x"))
    for split in ("train", "test"):
        name = {"class": f"{odd}/0.png", "file": f"cat/{odd}.png"}.get(part, "cat/4.png")
        picture(root / split / name)
    entry = opened(root)
    assert len(entry.version) == 64
    f"{entry.class_names} {entry.origin} {entry.summary()}".encode()  # can be printed
    assert len(entry.load("train")[1]) == 7
    (root / "train/dog" / f"{odd}.jpg").write_bytes(b"broken")
    text = refused(root)
    text.encode()
    assert r"train/dog/caf\xe9.jpg (not the content of a picture)" in text


# What is said of a folder, and of a path that is none


def test_a_summary_counts_pictures_and_balance(tmp_path):
    filled(tmp_path, ("train",), ("a", "b"), 6)
    filled(tmp_path, ("train",), ("c",), 36)
    filled(tmp_path, ("test",), ("a", "b", "c"), 2)
    (tmp_path / "train/a/notes.txt").write_text("x")
    found = opened(tmp_path).summary()
    assert found["layout"] == "train and test"
    assert found["pictures"][2] == {"class": "c", "train": 36, "test": 2}
    assert found["skipped"] == [
        {"kind": "file that is no picture", "count": 1, "examples": ["train/a/notes.txt"]}
    ]
    train, test = found["balance"]["train"], found["balance"]["test"]
    assert (train["n"], train["largest"]) == (48, 0.75)
    assert train["entropy"] == pytest.approx(-(0.25 * math.log(0.125) + 0.75 * math.log(0.75)))
    assert test["entropy"] == pytest.approx(test["log_k"]) == pytest.approx(math.log(3))


def test_test_pictures_with_the_bytes_of_a_training_picture_are_counted_whatever_name_and_class(tmp_path):
    filled(tmp_path, ("train",))
    for k, name in enumerate(("cat", "dog")):
        picture(tmp_path / "test" / name / "0.png", colour=(200 + k, 0, 0))
    assert opened(tmp_path).summary()["both"] == {"count": 0, "examples": []}
    shutil.copy(tmp_path / "train/cat/1.png", tmp_path / "test/dog/other.png")
    assert opened(tmp_path).summary()["both"] == {"count": 1, "examples": ["test/dog/other.png"]}


def test_copies_under_other_names_that_a_split_by_name_parts_are_counted(tmp_path):
    filled(tmp_path, ("",), n=10)
    assert opened(tmp_path).summary()["both"]["count"] == 0
    for path, _ in opened(tmp_path).files("test"):
        for k in range(20):
            shutil.copy(path, path.with_name(f"copy {k} of {path.name}"))
    found = opened(tmp_path).summary()
    assert 10 < found["both"]["count"] <= found["balance"]["test"]["n"]
    assert len(found["both"]["examples"]) == 10


@pytest.mark.parametrize(
    ("path", "kind", "text"),
    [
        (
            "nowhere",
            MissingAsset,
            r"folder:PATH must name a folder, got .*/nowhere, which is not there; the nearest",
        ),
        ("picturs/train", MissingAsset, r"got .*/picturs/train, which .*; did you mean folder:.*/pictures\?"),
        ("a/b/c", MissingAsset, r"the nearest folder above it is "),
        ("x" * 300, MissingAsset, r"the nearest folder above it is "),
        (
            "pictures/a.png",
            ValueError,
            r"must name a folder, got the file .*a\.png; give the folder it lies in",
        ),
    ],
)
def test_a_path_that_is_no_folder_is_refused(tmp_path, path, kind, text):
    picture(tmp_path / "pictures/a.png")
    with pytest.raises(kind, match=text):
        opened(tmp_path / path)


@pytest.mark.parametrize("name", ["/some/where", "./here", "~/pictures", "photos/train"])
def test_a_path_without_folder_is_told_how_to_write_it(name):
    with pytest.raises(
        KeyError, match=f"unknown data set '{name}'; a folder of pictures is given as folder:{name}"
    ):
        DATASETS[name]
    with pytest.raises(ValueError, match="folder:PATH must name a folder, got no path"):
        DATASETS["folder: "]


@pytest.mark.parametrize("root", ["/usr", "/", os.path.dirname(os.__file__)])
def test_a_wrong_folder_is_refused_quickly(root):
    started = time.perf_counter()
    text = refused(root)
    assert time.perf_counter() - started < 5  # 2 s on a quiet machine
    assert len(text) < 3000


def test_a_folder_without_pictures_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_scan, "HOPELESS", 50)
    monkeypatch.setattr(image_folders, "HOPELESS", 50)
    for name in "abc":
        (tmp_path / name).mkdir()
        for k in range(40):
            (tmp_path / name / f"{k}.txt").write_text("x")
    assert refused(tmp_path).endswith("\n- no picture among the first 50 names; is this the right folder?")
    picture(tmp_path / "a/0.png")
    assert sizes(tmp_path) == {"a": (1, 0)}
