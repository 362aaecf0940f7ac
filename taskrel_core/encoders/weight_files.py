"""Torch checkpoints of other projects as tensors, and networks that take them; no code in a file is run."""

import pickle
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

COUNTER = "num_batches_tracked"  # of batch normalisation; does not affect the function
REASON = 400  # letters of a library's message that are quoted
# What torch's reader of tensors raises on other files: its unpickler walks through whatever bytes there are.
UNREADABLE = (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    OSError,
    AttributeError,
    LookupError,
    ValueError,
    TypeError,
)


def load_in_order(net: nn.Module, tensors: Sequence[Tensor], origin: str) -> None:
    """Give ``net`` the weights ``tensors``, one for each entry of its state but the counters of batch normalisation.

    Raises:
        ValueError: as ``load_by_name``; also where their number differs.
    """
    names = [name for name in net.state_dict() if not name.endswith(COUNTER)]
    if len(names) != len(tensors):
        raise ValueError(
            f"{origin} must hold the {len(names)} weights of its network, got {len(tensors)}; "
            "use the version of the package that is pinned"
        )
    load_by_name(net, dict(zip(names, tensors, strict=True)), origin)


def load_by_name(net: nn.Module, weights: Mapping[str, Tensor], origin: str) -> None:
    """Give ``net`` the weights of the same names, in float32, and put it into evaluation mode.

    Args:
        net: may be on the device "meta", without memory of its own.
        weights: one for each entry of the network's state; counters of batch normalisation may be absent.
        origin: of the weights, for the message.

    Raises:
        ValueError: a name is missing, unexpected, or of another shape.
    """
    counters = {k: torch.zeros((), dtype=torch.int64) for k in net.state_dict() if k.endswith(COUNTER)}
    floats = {k: v.float() if isinstance(v, Tensor) else v for k, v in weights.items()}
    try:
        net.load_state_dict(floats | counters, assign=True)
    except RuntimeError as error:
        found = " ".join(str(error).split())[:REASON]
        raise ValueError(
            f"{origin} must hold exactly the weights of its network ({found}); download the published file again"
        ) from error
    net.eval()


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return what a torch checkpoint holds; no code in it is run.

    Raises:
        ValueError: it is damaged, or holds objects other than tensors and plain containers.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", UserWarning
            )  # of a pickle of another protocol, which is refused anyway
            found = torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise ValueError(
            f"{path} cannot be read without running code that is in it, or is damaged ({reason}); where you trust "
            "it, load it elsewhere and save its tensors alone: torch.save(state_dict, file)"
        ) from error
    if not isinstance(found, dict):
        raise ValueError(
            f"{path} must hold a dict of tensors, got {type(found).__name__}; see its project's page"
        )
    return found


def read_torch(path: Path, leave_out: str = COUNTER) -> list[Tensor]:
    """Return the tensors of a torch checkpoint in its order, without counters and names that begin with ``leave_out``."""
    return [
        value
        for key, value in read_checkpoint(path).items()
        if not key.endswith(COUNTER) and not key.startswith(leave_out)
    ]
