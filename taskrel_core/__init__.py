"""Task-relatedness: an upper bound on the loss of a target task after transfer, computed on a reference task.

The modules are the stages of the data flow, from the files to the figure:

    config registry _checks -> tasks store assets -> datasets encoders -> features
    -> head transform wasserstein -> bound -> class_map gradient -> fit -> pipeline figures
"""

from jaxtyping import install_import_hook

with install_import_hook("taskrel_core", "beartype.beartype"):
    from .baselines import BASELINES
    from .datasets import DATASETS
    from .encoders import ENCODERS
    from .fit import relatedness
    from .head import transferability, zero_shot_head
    from .registry import MissingAsset
    from .tasks import Task

__all__ = [
    "BASELINES",
    "DATASETS",
    "ENCODERS",
    "MissingAsset",
    "Task",
    "relatedness",
    "transferability",
    "zero_shot_head",
]
