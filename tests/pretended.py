"""A pretended accelerator: tensors on it live in the CPU's memory, yet meeting one of the CPU's raises, as on a real one."""

from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

CUDA = torch.device("cuda")
DEVICE_OF = torch.Tensor.device.__get__
INDEXING = (torch.Tensor.__getitem__, torch.Tensor.__setitem__)  # takes places from the CPU everywhere


class Pretended(TorchFunctionMode):
    """While it is entered, ``"cuda"`` is a device; ``calls`` counts what was computed there."""

    calls = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func == DEVICE_OF:
            return CUDA if away(args[0]) else func(*args)
        asked = torch.device(kwargs.pop("device")) if "device" in kwargs else None
        if func in (torch.Tensor.to, torch.Tensor.cpu):
            return moved(func, args, kwargs, asked)
        if func is torch.Tensor.numpy and away(args[0]):
            raise TypeError("can't convert a tensor on the device to numpy")
        tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
        there = [away(x) for x in tensors if x.ndim]  # a single number of the CPU goes anywhere
        if any(there) and not all(there) and func not in INDEXING:
            raise RuntimeError(f"{func.__name__} got tensors on two devices")
        on = asked == CUDA if asked else any(away(x) for x in tensors)
        self.calls += on
        return marked(func(*args, **kwargs), on)


def away(x: torch.Tensor) -> bool:
    """Whether a tensor is on the device."""
    return getattr(x, "_away", False)


def moved(func: Any, args: Any, kwargs: Any, asked: torch.device | None) -> Any:
    """What ``to`` and ``cpu`` return."""
    if func is torch.Tensor.cpu:
        return marked(args[0].clone(), False) if away(args[0]) else args[0]
    if asked is None and len(args) > 1 and isinstance(args[1], str | torch.device):
        asked, args = torch.device(args[1]), (args[0], *args[2:])
    on = away(args[0]) if asked is None else asked == CUDA
    out = func(*args, **kwargs) if len(args) > 1 or kwargs else args[0]
    return marked(out.clone() if on != away(args[0]) else out, on)


def marked(out: Any, on: bool) -> Any:
    """The result of a call, on the device or off it."""
    for x in tree_leaves(out):
        if isinstance(x, torch.Tensor):
            x._away = on
    return out
