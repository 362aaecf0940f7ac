"""The paper profile: one list of what is missing, and a run on stand-ins in the true formats, labelled as such."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from bs4 import BeautifulSoup

from taskrel_core import environment
from taskrel_core.assets.torchvision_import import import_torchvision
from tests import tiny_checkpoints, tiny_sets
from tests.small_book import copied

ROOT = Path(__file__).resolve().parents[2]
NOTICE = "Stand-in data: no number on these pages says anything about the real tasks."
SMALL = '{"n": 60, "n_test": 90, "epochs": 1}'
RATES = '{"resnet18": 0.0002, "resnet18_l2_eps0.05": 0.0002, "resnet18_l2_eps1": 0.0002}'
FEW = f'targets=["cifar10_full"] rates={RATES} k_reference=5 n_reference=60 seeds=[0] sizes={SMALL}'
RUNS = {"13": "n_reference=60 n_target=60 encoder=resnet18 reference=imagenet target=pets"}
LONGER = {
    "01": f'{FEW} draws=[0] tasks=["cifar10_full", "kmnist"] n=30 n_test=20',
    "03": 'pairs=["imagenet > pets", "kmnist > usps"] encoders=["resnet18", "lenet"] epochs=1 n_reference=60 n_target=60',
    "04": 'tasks=["kmnist", "usps", "emnist_letters"] epochs=1 n_reference=60 n_target=60',
    "05": 'reference=kmnist related=["usps"] unrelated=["emnist_letters"] steps=[0, 1] n_reference=60 n_target=60',
    "06": f'{FEW} draws=[0] large={{"n": 60, "d": 16, "k": 3}}',
    "07": f"{FEW} shares=[0.5, 1.0] parts=[0]",
    "08": FEW,
    "09": 'pairs=["kmnist > usps"] epochs=1 n_reference=60 n_target=60',
}  # with RUNS, every page that the paper profile sets
EVERY = [*RUNS.items(), *(pytest.param(*item, marks=pytest.mark.slow) for item in LONGER.items())]


def run(*arguments, data, cache):
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TASKREL_")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**kept, "TASKREL_DATA": str(data), "TASKREL_CACHE": str(cache), "no_proxy": "*"},
    )


def put_clip(data):
    """600 MB, so only where a page reads them."""
    import open_clip

    torch.manual_seed(0)
    net = open_clip.create_model("ViT-B-32", force_quick_gelu=True)
    torch.save(net.state_dict(), data / "clip_ViT-B-32_openai.pt")


def make_page(number, given, stand_ins):
    """Make one page from the stand-ins; at once where that was done before."""
    if number == "01" and not (stand_ins / "data/clip_ViT-B-32_openai.pt").exists():
        put_clip(stand_ins / "data")
    done = run(
        "notebooks/run.py", "--profile", "paper", "--only", number, "--out", str(stand_ins / "book"), "--set", given,
        data=stand_ins / "data", cache=stand_ins / "cache",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory):
    """A folder that holds what the runs need, tiny, under the real names; what packages carry is linked from the cache."""
    root = tmp_path_factory.mktemp("stand-ins")
    data, cache = root / "data", root / "cache"
    for folder in (data, cache):
        folder.mkdir()
    for name in ("pets", "dtd", "aircraft", "imagenet", "kmnist", "usps", "emnist_letters"):
        (tiny_sets.WRITE_IMAGES | tiny_sets.WRITE_ARRAYS)[name](data)
    rng = np.random.default_rng(0)
    arrays = {f"y_{s}": np.arange(90) % 10 for s in ("train", "test")}
    for split in (
        "train",
        "test",
    ):  # classes differ a little in brightness, so that encoders differ in accuracy
        light = 60 + 14 * arrays[f"y_{split}"] + rng.normal(0, 25, 90)
        noise = rng.normal(0, 40, (90, 32, 32, 3))
        arrays[f"x_{split}"] = np.clip(light[:, None, None, None] + noise, 0, 255).astype(np.uint8)
    np.savez(data / "cifar10_full.npz", **arrays)
    tiny_checkpoints.supervised(data, "resnet18")
    for eps in ("0.05", "1"):
        tiny_checkpoints.robust(data, eps)
    import_torchvision()
    (data / "STAND-IN.txt").write_text(NOTICE)
    return root


def test_without_its_assets_it_stops_with_one_list(tmp_path):
    done = run(
        "notebooks/run.py", "--profile", "paper", "--only", "06", data=tmp_path, cache=tmp_path / "cache"
    )
    if done.returncode == 0:
        pytest.skip("this machine reaches the sources")
    assert done.returncode == 2
    assert "are missing:" in done.stderr
    for name in ("imagenet", "pets", "dtd", "aircraft", "resnet152", "moco_v3_resnet50", "clip:RN50/openai"):
        assert f"* {name}: " in done.stderr
    for part in ("oxford-iiit-pet", "image-net.org", "r-50-1000ep.pth.tar", "TASKREL_DATA"):
        assert part in done.stderr
    assert "run the same command again" in done.stderr
    assert not (tmp_path / "executed").exists()


def test_every_page_that_the_profile_sets_runs_on_stand_ins():
    pages = yaml.safe_load((ROOT / "notebooks/params/paper.yml").read_text(encoding="utf-8"))
    assert {page[:2] for page in pages} == {*RUNS, *LONGER}


@pytest.mark.xdist_group("paper")
@pytest.mark.parametrize(("number", "given"), EVERY)
def test_it_runs_on_stand_ins(number, given, stand_ins):
    make_page(number, given, stand_ins)
    assert list((stand_ins / "book/runs").glob(f"{number}_*.ipynb"))


@pytest.mark.slow
@pytest.mark.xdist_group("paper")
def test_the_zero_shot_head_stands_beside_the_best_one(stand_ins):
    make_page("01", LONGER["01"], stand_ins)
    (path,) = (stand_ins / "book/runs").rglob("one-encoder.csv")
    table = pd.read_csv(path)
    assert set(table["head"]) == {"best", "zero_shot"}
    assert list(dict.fromkeys(table["target"])) == ["cifar10_full", "kmnist"]
    assert (table["profile"] == "paper").all()


@pytest.mark.xdist_group("paper")
def test_the_book_says_that_it_was_made_from_stand_ins(stand_ins, tmp_path):
    for number, given in RUNS.items():
        make_page(number, given, stand_ins)
    make = copied(tmp_path)
    shutil.copytree(stand_ins / "book/executed/_run", tmp_path / "book/executed/_run")
    done = make("book")
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("index", "status"):
        soup = BeautifulSoup((tmp_path / f"book/_build/html/{name}.html").read_text(), "html.parser")
        assert NOTICE in soup.select_one(".bd-header-announcement").get_text()
    assert environment.data_dir() is None or not (environment.data_dir() / "STAND-IN.txt").exists()
