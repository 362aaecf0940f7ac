"""Rows on a Dask cluster of two worker processes, one of which is killed: nothing lost, nothing twice."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace

import numpy as np
import pytest
from joblib import delayed

from taskrel_core import MissingAsset, environment
from taskrel_core.experiments.linear_heads import LinearHead
from taskrel_core.experiments.run import run
from taskrel_core.experiments.store import RowStore
from taskrel_core.experiments.workers import KEEP_MEMORY, workers

ROWS = [LinearHead("digits", "random_net", seed=seed) for seed in range(6)]
STABLE = ["seed", "accuracy", "loss"]


def started(module, *arguments, **environment):
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TASKREL_")}
    command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments, "--no-dashboard"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, env={**kept, "OMP_NUM_THREADS": "1", **environment}, **quiet)


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and two workers of one thread, each with a cache of its own, as on two machines."""
    file = tmp_path / "scheduler.json"
    processes = [
        started("dask_scheduler", "--port", "0", "--host", "127.0.0.1", "--scheduler-file", str(file))
    ]
    caches = [tmp_path / f"worker{k}" for k in (0, 1)]
    for cache in caches:
        options = ["--scheduler-file", str(file), "--nthreads", "1", "--no-nanny"]
        processes.append(
            started("dask_worker", *options, "--local-directory", str(tmp_path), TASKREL_CACHE=str(cache))
        )
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    from distributed import Client

    with Client(scheduler_file=str(file)) as client:
        client.wait_for_workers(2, timeout=90)
        address = client.scheduler.address
    yield address, processes[1:], caches
    for process in processes:
        process.kill()
        process.wait()


def rows(cache):
    return {path.stem for path in cache.glob("rows/*/*.json")}


@pytest.mark.xdist_group("cluster")
def test_a_killed_worker_loses_nothing_and_nothing_is_computed_twice(cluster, tmp_path, monkeypatch):
    address, workers, caches = cluster
    monkeypatch.setenv("TASKREL_CACHE", str(tmp_path / "mine"))
    monkeypatch.setenv("TASKREL_ROW_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("TASKREL_BACKEND", "dask")
    monkeypatch.setenv("TASKREL_SCHEDULER", address)
    killer = subprocess.Popen(
        [
            sys.executable, "-c",
            "import glob, os, sys, time\n"
            "while not glob.glob(sys.argv[1] + '/rows/*/*.json'): time.sleep(0.02)\n"
            "os.kill(int(sys.argv[2]), 9)\n",
            str(caches[1]), str(workers[1].pid),
        ]
    )  # fmt: skip
    table = run(ROWS)
    assert killer.wait() == 0
    assert workers[1].wait() == -signal.SIGKILL
    assert table["seed"].tolist() == list(range(6))
    assert set(table["origin"]) == {"computed"}
    assert len(rows(tmp_path / "mine")) == 6  # all came back, though the workers' folders are not ours
    one, other = map(rows, caches)
    assert other
    assert one | other <= rows(tmp_path / "mine")
    assert len(one & other) <= 1  # the row that was on its way back when its worker died
    assert not list(tmp_path.glob("*/rows/*/.part-*"))
    log = (tmp_path / "log").read_text().splitlines()
    assert len(log) == 6

    again = run(ROWS)
    assert set(again["origin"]) == {"cached"}
    monkeypatch.setenv("TASKREL_BACKEND", "loky")
    monkeypatch.setenv("TASKREL_CACHE", str(tmp_path / "here"))
    here = run(ROWS[:2])
    np.testing.assert_allclose(here[STABLE], table[STABLE][:2], rtol=1e-5)


@pytest.mark.xdist_group("cluster")
def test_workers_started_here_keep_the_memory_that_they_had(monkeypatch):
    monkeypatch.setenv("TASKREL_BACKEND", "dask")
    monkeypatch.delenv("TASKREL_SCHEDULER", raising=False)
    with workers(1) as parallel:
        found = list(parallel(delayed(os.environ.get)(name) for name in KEEP_MEMORY))
    assert found == [str(value) for value in KEEP_MEMORY.values()]


def test_fresh_rows_whose_files_are_missing_stay_as_shipped_and_others_are_computed(tmp_path, monkeypatch):
    at_hand = LinearHead("digits", "random_net", n=40, n_test=30)
    elsewhere = replace(at_hand, target="cifar10")
    monkeypatch.setenv("TASKREL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TASKREL_DATA", str(tmp_path / "no-data"))
    kept = RowStore(tmp_path / "made")
    for row in (at_hand, elsewhere):
        kept.put(row.key, {**asdict(row), "accuracy": 0.123})
    kept.ship("page", [at_hand.key, elsewhere.key], tmp_path / "shipped", {})
    monkeypatch.setenv("TASKREL_RESULTS", str(tmp_path / "shipped"))
    monkeypatch.setenv("TASKREL_ROW_LOG", str(tmp_path / "log"))
    assert set(run([at_hand, elsewhere])["accuracy"]) == {0.123}
    monkeypatch.setenv("TASKREL_FRESH", "1")
    table = run([elsewhere, at_hand])
    assert table["origin"].tolist() == ["shipped", "computed"]
    assert table["accuracy"][0] == 0.123 != table["accuracy"][1]
    assert [json.loads(line)["origin"] for line in (tmp_path / "log").read_text().splitlines()][-2:] == [
        "shipped",
        "computed",
    ]
    assert not (tmp_path / "cache" / "rows" / elsewhere.key[:2] / f"{elsewhere.key}.json").exists()
    with pytest.raises(MissingAsset, match="cifar10"):
        run([replace(elsewhere, seed=9)])


def test_an_unknown_backend_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("TASKREL_BACKEND", "slurm")
    with pytest.raises(ValueError, match="TASKREL_BACKEND must be one of loky, dask, got 'slurm'"):
        environment.backend()


def test_a_backend_whose_package_is_missing_says_how_to_install_it(monkeypatch):
    monkeypatch.setenv("TASKREL_BACKEND", "dask")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with (
        pytest.raises(
            MissingAsset, match=r"TASKREL_BACKEND=dask needs distributed; .*pip install 'taskrel\[cluster\]'"
        ),
        workers(1),
    ):
        pass


def test_a_scheduler_that_does_not_answer_is_an_error(monkeypatch):
    monkeypatch.setattr("taskrel_core.experiments.workers.PATIENCE", 1)
    monkeypatch.setenv("TASKREL_BACKEND", "dask")
    monkeypatch.setenv("TASKREL_SCHEDULER", "tcp://127.0.0.1:9")
    with pytest.raises(OSError, match="Timed out"), workers(1):
        pass
