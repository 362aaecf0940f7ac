"""The number of threads of the caller changes no result, and is the caller's own again afterwards."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from threadpoolctl import threadpool_info

from taskrel_core import Task, relatedness, transferability
from taskrel_core.method.settings import GradientSettings
from tests.generators import FEW_STEPS, gaussian_task

FEWER = replace(FEW_STEPS, pseudo_rounds=1, rounds=2, probe_rounds=1)
FORMS = {
    "one_sided": {"metric": "one_sided", "settings": FEWER},
    "pseudo": {"metric": "logit", "labels": "pseudo", "settings": FEWER},
    "gradient": {"method": "gradient", "gradient": GradientSettings(steps=5)},
}
SCRIPT = "from tests.method.test_threads import results; import json; print(json.dumps(results()))"


def pair() -> tuple[Task, Task]:
    """Two tasks large enough that torch and BLAS would share the work among threads."""
    return gaussian_task(400, 150, 4, seed=1), gaussian_task(300, 150, 4, seed=2)


def results() -> dict[str, list[float]]:
    """Every kind of result on one pair of tasks, with the threads that the process has."""
    reference, target = pair()
    found = {}
    for name, form in FORMS.items():
        r = relatedness(reference, target, 0.3, **form)
        found[name] = [r.bound, r.loss, float(r.transform.A.sum()), float(r.head.weight.abs().sum())]
    return found | {"transferability": [transferability(target, 0.3).loss]}


@pytest.fixture(scope="module")
def with_one():
    return results()


def threads() -> dict[str, int]:
    """The number of threads of each library that has any."""
    return {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}


@pytest.mark.parametrize("n", [2, 4])
def test_threads_of_torch_change_no_result_and_are_restored(n, with_one):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(n)
        counts = threads()
        assert results() == with_one
        assert torch.get_num_threads() == n
        assert threads() == counts
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("n", [1, 4])  # with 2 as well above
def test_threads_of_the_environment_change_no_result(n, with_one):
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=os.environ | dict.fromkeys(names, str(n)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout) == with_one


def test_an_error_restores_the_threads_too():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        with pytest.raises(ValueError, match="tau must be"):
            relatedness(*pair(), tau=-1)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
