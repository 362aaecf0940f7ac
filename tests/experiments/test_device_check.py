"""make gpu: its parts run on the device that they are given, differences are seen, and no GPU is no error."""

import os
from functools import partial

import numpy as np
import pytest
import torch

from taskrel_core import relatedness
from taskrel_core.experiments import device_check
from tests.generators import FEW_STEPS
from tests.pretended import Pretended


def part(value, name="heads", tolerance=1e-3):
    """A part that gives a value on the CPU and another on the device."""

    def compute():
        return np.array([value if os.environ["TASKREL_DEVICE"] == "cpu" else 1.0])

    return device_check.Part(name, compute, tolerance, "as the test says")


@pytest.fixture
def gpu(monkeypatch):
    """A device by name, of which nothing is asked but its name."""
    monkeypatch.setattr(device_check, "found", lambda: "cuda")
    monkeypatch.setattr(device_check, "_name", lambda device: "a card")


def test_parts_that_agree_are_told_with_their_times(gpu, capsys, monkeypatch):
    monkeypatch.setenv("TASKREL_DEVICE", "cuda:7")
    assert device_check.main([part(1.0005)]) == 0
    told = capsys.readouterr().out
    assert "heads        equal: 5.0e-04 of at most 1.0e-03 (as the test says); cuda" in told
    assert os.environ["TASKREL_DEVICE"] == "cuda:7"


@pytest.mark.parametrize("value", [1.01, float("nan")])
def test_a_part_that_differs_is_named(gpu, capsys, value):
    assert device_check.main([part(1.0, "features"), part(value)]) == 1
    told = capsys.readouterr()
    assert "heads        DIFFERENT" in told.out
    assert told.err == "error: cuda and CPU differ in heads\n"


def test_accuracies_are_compared_as_they_are():
    here, there = np.array([0.2]), np.array([0.3])
    assert device_check.difference(here, there) == pytest.approx(0.5)
    assert device_check.difference(here, there, absolute=True) == pytest.approx(0.1)
    assert device_check.difference(np.ones(2), np.ones(3)) == float("inf")


@pytest.mark.skipif(torch.cuda.is_available() or torch.xpu.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_it_says_so_and_what_to_do(capsys, monkeypatch):
    monkeypatch.delenv("TASKREL_DEVICE", raising=False)
    assert device_check.main() == 0
    assert "no GPU: torch" in (told := capsys.readouterr().out)
    assert "run make gpu again" in told


def test_heads_and_refinement_run_on_the_device_and_agree(monkeypatch):
    monkeypatch.setattr(device_check, "relatedness", partial(relatedness, settings=FEW_STEPS))
    made = {one.name: one for one in device_check.parts(n=60, d=6, k=3, images=60)}
    assert list(made) == ["heads", "refinement", "features", "fine-tuning"]
    monkeypatch.setenv("TASKREL_DEVICE", "cpu")
    with Pretended() as mode:
        for name in ("heads", "refinement"):
            before = mode.calls
            assert device_check.compared(made[name], "cuda")
            assert mode.calls > before + 100


def test_features_and_fine_tuning_compute_what_is_compared(monkeypatch):
    monkeypatch.setenv("TASKREL_DEVICE", "cpu")
    made = {one.name: one for one in device_check.parts(images=24)}
    features = made["features"].compute()
    assert features.shape == (24, 1280)
    assert device_check.difference(features, features) == 0
    assert 0 <= made["fine-tuning"].compute()[0] <= 1
