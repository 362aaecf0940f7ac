"""Where rows are computed: processes of this machine, or the workers of a Dask or Ray cluster, always through joblib.

A worker puts each row into its own cache at once, and the caller keeps it too where that is another file system. So a
run that is killed loses the rows under way, and one row is never computed by two workers unless one of them died.
"""

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from joblib import Parallel, parallel_config

from . import config
from .registry import MissingAsset

__all__ = ["workers"]

PATIENCE = 60  # seconds to wait for the first worker of a cluster


@contextmanager
def workers(jobs: int) -> Iterator[Callable[..., Any]]:
    """Give what runs joblib's delayed calls and yields their results in order.

    Args:
        jobs: processes on this machine; a cluster that runs already has its own number.

    Raises:
        ValueError: ``TASKREL_BACKEND`` is unknown.
        MissingAsset: the package of the backend is not installed.
        OSError: nothing answers at ``TASKREL_SCHEDULER``.
    """
    kind = config.backend()
    if kind == "loky":
        yield Parallel(jobs, return_as="generator")
        return
    with _cluster(kind, jobs):
        yield Parallel(-1, return_as="generator", batch_size=1, pre_dispatch="all")


@contextmanager
def _cluster(kind: str, jobs: int) -> Iterator[None]:
    package, extra, connect = {"dask": ("distributed", "cluster", _dask), "ray": ("ray", "ray", _ray)}[kind]
    if importlib.util.find_spec(package) is None:
        raise MissingAsset(
            f"TASKREL_BACKEND={kind} needs {package}; install it: python -m pip install 'taskrel[{extra}]', in this "
            f"folder '.[{extra}]'"
        )
    with connect(jobs):
        yield


@contextmanager
def _dask(jobs: int) -> Iterator[None]:
    from distributed import Client, LocalCluster

    address = config.scheduler()
    cluster = None if address else LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=None)
    with Client(address or cluster, timeout=PATIENCE) as client:
        client.wait_for_workers(1, timeout=PATIENCE)
        with parallel_config("dask", client=client, wait_for_workers_timeout=PATIENCE):
            yield
    if cluster is not None:
        cluster.close()


@contextmanager
def _ray(jobs: int) -> Iterator[None]:
    import ray  # pyright: ignore[reportMissingImports]
    from ray.util.joblib import register_ray  # pyright: ignore[reportMissingImports]

    register_ray()
    address = config.scheduler()
    with ray.init(address=address) if address else ray.init(num_cpus=jobs), parallel_config("ray"):
        yield
