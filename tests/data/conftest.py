"""A folder of pictures that folders and archives are tested on."""

import pytest

from tests.tiny_sets import picture


@pytest.fixture
def folder(tmp_path):
    """Two classes of plain pictures, of several kinds and sizes."""
    root = tmp_path / "mine"
    picture(root / "train/b/2.png", (8, 12), (0, 0, 255))
    picture(root / "train/b/10.png", (8, 8), 77, "L")
    picture(root / "train/a/x.png", (16, 10), (255, 0, 0, 0), "RGBA")
    picture(root / "test/a/y.png")
    picture(root / "test/b/z.jpg")
    return root
