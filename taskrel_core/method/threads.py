"""The number of threads of the method and of the metrics: one, restored to the caller's afterwards.

Measured, the many small operations of the method are slower in a team of threads than in one thread, by a factor of 1.3
on a quiet machine and of 10 on a busy one; independent calls run side by side in processes instead. With one thread
always, results depend neither on the machine's number of cores nor on the caller's settings.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import torch
from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Run a block, or as a decorator a function, in one thread of torch, BLAS and OpenMP."""
    before = torch.get_num_threads()
    with _controller("sklearn.cluster" in sys.modules).limit(limits=1):
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)


@lru_cache
def _controller(sklearn: bool) -> ThreadpoolController:  # noqa: ARG001  it loads libraries of its own
    """What controls the libraries that are loaded; finding them takes 10 ms, so that it is done once."""
    return ThreadpoolController()
