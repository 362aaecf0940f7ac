"""Weights files of other projects as tensors, and networks that take them; no code in a file is run."""

import pickle
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..assets.pickles import read_pickled_arrays

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


def read_torch(path: Path) -> list[Tensor]:
    """Return the tensors of a torch checkpoint in its order, without the counters of batch normalisation."""
    return [value for key, value in read_checkpoint(path).items() if not key.endswith(COUNTER)]


def read_squeezenet(path: Path) -> list[Tensor]:
    """Return SqueezeNet's kernels and biases, body then head, from a pickled dict layer -> [HWIO kernel, bias].

    Raises:
        pickle.UnpicklingError: the file holds something else than arrays.
    """
    layers = read_pickled_arrays(path.read_bytes())
    parts = ("squeeze1x1", "expand1x1", "expand3x3")
    order = ["conv1", *(f"fire{k}/{part}" for k in range(2, 10) for part in parts), "conv10"]
    return [t for name in order for t in (_oihw(layers[name][0]), torch.from_numpy(layers[name][1]))]


def read_keras_mobilenet(path: Path) -> list[Tensor]:
    """Return the trunk of a Keras MobileNetV2 from an .h5 file, in the order of torchvision's."""
    import h5py

    names = [("Conv1", "bn_Conv1"), *_of_block("expanded_conv", ("depthwise", "project"))]
    for k in range(1, 17):
        names += _of_block(f"block_{k}", ("expand", "depthwise", "project"))
    names.append(("Conv_1", "Conv_1_bn"))
    arrays: dict[tuple[str, ...], np.ndarray] = {}

    def keep(place: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[tuple(place.split("/")[-2:])] = np.asarray(item)

    with h5py.File(path) as file:
        file.visititems(keep)
    tensors = []
    for convolution, norm in names:
        tensors.append(_oihw(arrays[convolution, "kernel"], depthwise=convolution.endswith("depthwise")))
        for part in ("gamma", "beta", "moving_mean", "moving_variance"):
            tensors.append(torch.from_numpy(arrays[norm, part]))
    return tensors


def read_onnx_convolutions(path: Path) -> list[Tensor]:
    """Return kernel and bias of every convolution of an ONNX graph, in its order; the graph is not run."""
    import onnx

    graph = onnx.load(path).graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    wanted = [name for node in graph.node if node.op_type == "Conv" for name in node.input[1:]]
    return [torch.from_numpy(onnx.numpy_helper.to_array(stored[name]).copy()) for name in wanted]


def _of_block(block: str, parts: Sequence[str]) -> list[tuple[str, str]]:
    return [(f"{block}_{part}", f"{block}_{part}_BN") for part in parts]


def _oihw(kernel: np.ndarray, depthwise: bool = False) -> Tensor:
    """Turn a kernel (h, w, in, out), depthwise (h, w, channels, 1), into torch's order."""
    return torch.from_numpy(
        np.ascontiguousarray(kernel.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1)))
    )
