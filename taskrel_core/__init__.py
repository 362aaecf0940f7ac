"""Task-relatedness: an upper bound on the loss of a target task after transfer, computed on a reference task.

A room imports only from rooms below its own::

    experiments  one kind of row a file     analysis  rows to numbers     figures  table to axes
    extraction   data set x encoder -> Task, and its cache
    metrics      other people's scores      encoders  pictures to features      data  names to pictures and labels
    method       the paper: head, transform, transport, bound, and the search for the smallest bound
    assets       files by content, and where they come from       task  features, labels, classes
    environment | _validation | _registry

The public names below are imported when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._registry import MissingAsset
    from .data.datasets import DATASETS
    from .encoders.base import ENCODERS
    from .encoders.clip import zero_shot_head
    from .experiments.rank import rank
    from .extraction import features
    from .method.head import transferability
    from .method.solve import relatedness
    from .metrics.base import BASELINES
    from .task import Task

__all__ = [
    "BASELINES",
    "DATASETS",
    "ENCODERS",
    "MissingAsset",
    "Task",
    "features",
    "rank",
    "relatedness",
    "transferability",
    "zero_shot_head",
]

_HOME = {
    "BASELINES": "metrics.base",
    "DATASETS": "data.datasets",
    "ENCODERS": "encoders.base",
    "MissingAsset": "_registry",
    "Task": "task",
    "features": "extraction",
    "rank": "experiments.rank",
    "relatedness": "method.solve",
    "transferability": "method.head",
    "zero_shot_head": "encoders.clip",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    except ModuleNotFoundError as error:
        message = (
            f"{name} needs {error.name}, which an extra brings; install it: pip install 'taskrel[images]'"
        )
        raise ModuleNotFoundError(message, name=error.name) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return [*globals(), *_HOME]
