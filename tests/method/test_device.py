"""TASKREL_DEVICE: heads and the steps of the method run there, and give what they give on the CPU."""

import pytest
import torch

from taskrel_core import Task, relatedness, transferability
from tests.generators import FEW_STEPS
from tests.pretended import Pretended


@pytest.fixture
def pair():
    g = torch.Generator().manual_seed(0)
    means = 1.5 * torch.randn(4, 5, generator=g, dtype=torch.float64)
    y = torch.arange(32) % 4
    z = means[y] + torch.randn(32, 5, generator=g, dtype=torch.float64)
    return Task(z, y, 4), Task(z.flip(1)[:24] + 0.3, y[:24] % 3, 3)


@pytest.fixture
def cuda(monkeypatch):
    """The device of the settings is one that only pretends."""
    monkeypatch.setenv("TASKREL_DEVICE", "cuda")
    with Pretended() as mode:
        yield mode


def test_the_best_head_is_fitted_on_the_device(pair, cuda, monkeypatch):
    there = transferability(pair[1], 0.5)
    assert cuda.calls > 100
    monkeypatch.setenv("TASKREL_DEVICE", "cpu")
    before, here = cuda.calls, transferability(pair[1], 0.5)
    assert cuda.calls == before
    assert there.loss == here.loss
    assert torch.equal(there.head.weight, here.head.weight)


def test_the_method_takes_its_steps_on_the_device(pair, cuda, monkeypatch):
    there = relatedness(*pair, 0.5, metric="one_sided", settings=FEW_STEPS)  # by way of every other metric
    on_device = cuda.calls
    assert there.certified
    monkeypatch.setenv("TASKREL_DEVICE", "cpu")
    here = relatedness(*pair, 0.5, metric="one_sided", settings=FEW_STEPS)
    assert on_device > 500
    assert cuda.calls == on_device
    assert there.chain == here.chain
    assert torch.equal(there.transform.A, here.transform.A)


@pytest.mark.parametrize(
    "mix", [lambda x: x.to("cuda") + x, lambda x: x.to("cuda") @ x, lambda x: x.to("cuda").numpy()]
)
def test_the_pretended_device_refuses_what_a_real_one_refuses(cuda, mix):
    with pytest.raises((RuntimeError, TypeError), match="device"):
        mix(torch.ones(2, 2))
