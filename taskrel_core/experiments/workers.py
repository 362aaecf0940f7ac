"""Where rows are computed: processes of this machine, or the workers of a Dask cluster.

A worker puts each row into its own cache at once, and the caller keeps it too where that is another file system. So a
run that is killed loses the rows under way, and one row is never computed by two workers unless one of them died.
"""

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from joblib import Parallel, parallel_config

from .. import environment
from .._registry import MissingAsset

PATIENCE = 60  # seconds to wait for the first worker of a cluster

# What Dask sets for its workers gives memory back after every step of the method, and asking for it again makes two
# workers a third slower: keep up to this many bytes, and take blocks below the second number from them.
KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": 2**29, "MALLOC_MMAP_THRESHOLD_": 2**25}


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
    if environment.backend() == "loky":
        yield Parallel(jobs, return_as="generator")
        return
    if importlib.util.find_spec("distributed") is None:
        raise MissingAsset(
            "TASKREL_BACKEND=dask needs distributed; install it: python -m pip install 'taskrel[cluster]', in this "
            "folder '.[cluster]'"
        )
    with _dask(jobs) as parallel:
        yield parallel


@contextmanager
def _dask(jobs: int) -> Iterator[Callable[..., Any]]:
    import dask
    from distributed import Client, LocalCluster

    address, cluster = environment.scheduler(), None
    if not address:
        kept = {f"distributed.nanny.pre-spawn-environ.{name}": value for name, value in KEEP_MEMORY.items()}
        unread = {"distributed.worker.profile.enabled": False}  # of a profile
        with dask.config.set(kept | unread):
            cluster = LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=None)
    with Client(address or cluster, timeout=PATIENCE) as client:
        client.wait_for_workers(1, timeout=PATIENCE)
        with parallel_config("dask", client=client, wait_for_workers_timeout=PATIENCE):
            yield Parallel(-1, return_as="generator", batch_size=1, pre_dispatch="all")
    if cluster is not None:
        cluster.close()
