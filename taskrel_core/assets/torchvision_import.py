"""The one place that imports torchvision, whose import fails with some CPU builds of torch."""

import importlib
import sys
from types import ModuleType

import torch

_LIBRARY: list[torch.library.Library] = []  # kept alive: the operators go with it


def import_torchvision() -> ModuleType:
    """Return torchvision; where its compiled operators do not fit this torch, define the missing names first.

    Only the operators' names are defined, so calling one still fails; nothing here calls them.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    for name in [m for m in sys.modules if m.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    if not _LIBRARY:
        library = torch.library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _LIBRARY.append(library)
    return importlib.import_module("torchvision")
