"""Weights in the files of other libraries (Keras, ONNX, TensorFlow, pickles), read as arrays; no graph or code is run.

Each function returns the tensors in the order in which the torch network of ``networks`` has them.
"""

import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..assets.pickles import read_pickled_arrays

NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def read_squeezenet(path: Path) -> list[Tensor]:
    """Return SqueezeNet's kernels and biases, body then head, from a pickled dict layer -> [HWIO kernel, bias].

    Raises:
        pickle.UnpicklingError: the file holds something else than arrays.
    """
    layers = read_pickled_arrays(path.read_bytes())
    parts = ("squeeze1x1", "expand1x1", "expand3x3")
    order = ["conv1", *(f"fire{k}/{part}" for k in range(2, 10) for part in parts), "conv10"]
    return [t for name in order for t in (_oihw(layers[name][0]), torch.from_numpy(layers[name][1]))]


def _hdf5(file: Path | BytesIO) -> dict[str, np.ndarray]:
    """Return all arrays of an HDF5 file by their place in it."""
    import h5py

    arrays: dict[str, np.ndarray] = {}

    def keep(place: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[place] = np.asarray(item)

    with h5py.File(file) as opened:
        opened.visititems(keep)
    return arrays


def read_keras_mobilenet(path: Path) -> list[Tensor]:
    """Return the trunk of a Keras MobileNetV2 from an .h5 file, in the order of torchvision's."""
    names = [("Conv1", "bn_Conv1"), *_of_block("expanded_conv", ("depthwise", "project"))]
    for k in range(1, 17):
        names += _of_block(f"block_{k}", ("expand", "depthwise", "project"))
    names.append(("Conv_1", "Conv_1_bn"))
    found = _hdf5(path)
    arrays = {tuple(place.removesuffix(":0").split("/")[-2:]): array for place, array in found.items()}
    tensors = []
    for convolution, norm in names:
        depthwise = convolution.endswith("depthwise")
        # Later versions of Keras call the kernel of a depthwise convolution so, earlier ones by its kind.
        kernel = "depthwise_kernel" if (convolution, "depthwise_kernel") in arrays else "kernel"
        tensors.append(_oihw(arrays[convolution, kernel], depthwise))
        tensors += [torch.from_numpy(arrays[norm, part]) for part in NORM]
    return tensors


def read_keras_archive(path: Path) -> list[Tensor]:
    """Return kernels and normalisations of the one network inside a .keras archive, in the order of its layers.

    The archive names its arrays by kind and number of their layer, and lists the layers in its configuration.
    """
    with zipfile.ZipFile(path) as archive:
        layers = json.loads(archive.read("config.json"))["config"]["layers"]
        arrays = _hdf5(BytesIO(archive.read("model.weights.h5")))
    (inner,) = (layer["config"]["layers"] for layer in layers if "layers" in layer["config"])
    tensors = []
    seen: dict[str, int] = defaultdict(int)
    for kind in (layer["class_name"] for layer in inner):
        name = {"Conv2D": "conv2d", "BatchNormalization": "batch_normalization"}.get(kind)
        if name is None:
            continue
        number = f"_{seen[name]}" if seen[name] else ""
        seen[name] += 1
        place = f"layers/functional/layers/{name}{number}/vars"
        if kind == "Conv2D":
            tensors.append(_oihw(arrays[f"{place}/0"]))
        else:
            tensors += [torch.from_numpy(arrays[f"{place}/{k}"]) for k in range(len(NORM))]
    return tensors


def read_keras_vgg(path: Path) -> list[Tensor]:
    """Return kernels and biases of VGG16 from an HDF5 file with blocks 1 to 5, each a sequence of layers."""
    arrays = _hdf5(path)
    pattern = re.compile(r"block(\d)/layers/conv2d_?(\d*)/vars/(\d)")
    found = {place: pattern.fullmatch(place) for place in arrays}
    order = {place: tuple(int(k or 0) for k in match.groups()) for place, match in found.items() if match}
    return [_oihw(arrays[place]) for place in sorted(order, key=lambda place: order[place])]


def read_onnx(path: Path, kinds: Sequence[str] = ("Conv",), count: int | None = None) -> list[Tensor]:
    """Return the stored inputs of an ONNX graph's nodes, in its order; biases are flat.

    Args:
        path: of the file.
        kinds: of the nodes.
        count: of the tensors, from the start; None: all.
    """
    nodes, stored = _onnx(path)
    wanted = [name for node in nodes if node.op_type in kinds for name in node.input[1:] if name in stored]
    tensors = [stored[name] for name in wanted[:count]]
    return [t.flatten() if t.shape[:1] == (1,) and t.ndim == 4 else t for t in tensors]


def read_onnx_vit(path: Path) -> list[Tensor]:
    """Return the vision transformer of an ONNX graph, its scales of layers multiplied into the weights before them."""
    nodes, stored = _onnx(path)
    stored = {name.removeprefix("backbone."): tensor for name, tensor in stored.items()}
    # The graph stores factors of matrices without a name; the node that multiplies has one.
    factors = {node.output[0]: node.input[1] for node in nodes if node.op_type == "MatMul"}
    places = next(node for node in nodes if node.op_type == "Reshape" and node.input[0].startswith("onnx::"))
    token = next(node for node in nodes if node.op_type == "Concat" and node.input[0].startswith("onnx::"))
    patches = "embeddings.patch_embeddings.projection"
    tensors = [stored["embeddings.cls_token"], stored[token.input[0]], stored[places.input[0]]]
    tensors += [stored[f"{patches}.weight"], stored[f"{patches}.bias"]]
    for layer in range(12):
        block = f"encoder.layer.{layer}"

        def linear(name: str, scale: str = "", block: str = block) -> tuple[Tensor, Tensor]:
            where = (
                f"/backbone/{block.replace('encoder.', 'encoder/')}/{name.replace('.', '/')}/MatMul_output_0"
            )
            by = stored[f"{block}.{scale}.lambda1"] if scale else torch.ones(1)
            return stored[factors[where]].T * by[:, None], stored[f"{block}.{name}.bias"] * by

        def norm(name: str, block: str = block) -> list[Tensor]:
            return [stored[f"{block}.{name}.{part}"] for part in ("weight", "bias")]

        inside = [linear(f"attention.attention.{name}") for name in ("query", "key", "value")]
        tensors += [*norm("norm1"), *(torch.cat(parts) for parts in zip(*inside, strict=True))]
        tensors += [*linear("attention.output.dense", "layer_scale1"), *norm("norm2")]
        tensors += [*linear("mlp.fc1"), *linear("mlp.fc2", "layer_scale2")]
    return [*tensors, stored["layernorm.weight"], stored["layernorm.bias"]]


def _onnx(path: Path) -> tuple[Sequence, dict[str, Tensor]]:
    """Return the nodes of an ONNX graph, and its stored tensors by name."""
    import onnx

    graph = onnx.load(path).graph
    arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    return graph.node, {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}


def read_tensorflow_mobilenet(path: Path) -> list[Tensor]:
    """Return MobileNetV1 and its head from the constants of a TensorFlow graph, without the head's background class."""
    arrays = dict(_constants(memoryview(path.read_bytes())))
    tensors = []
    for k in range(14):
        for kind in ("depthwise", "pointwise") if k else ("",):
            layer = f"MobilenetV1/Conv2d_{k}" + (f"_{kind}" if kind else "")
            name = "depthwise_weights" if kind == "depthwise" else "weights"
            tensors.append(_oihw(arrays[f"{layer}/{name}"], kind == "depthwise"))
            tensors += [torch.from_numpy(arrays[f"{layer}/BatchNorm/{part}"]) for part in NORM]
    head = "MobilenetV1/Logits/Conv2d_1c_1x1"
    return [
        *tensors,
        _oihw(arrays[f"{head}/weights"])[1:, :, 0, 0],
        torch.from_numpy(arrays[f"{head}/biases"][1:]),
    ]


# Numbers of the fields of TensorFlow's messages: a graph's node; a node's name, kind and attributes; of an attribute the
# key, the value, and in it the tensor; of a tensor the type, the shape and the bytes; of a shape the lengths.
NODE, NAME, KIND, ATTRIBUTE, KEY, VALUE, TENSOR = 1, 1, 2, 5, 1, 2, 8
TYPE, SHAPE, BYTES, DIMENSION, LENGTH, FLOAT = 1, 2, 4, 2, 1, 1


def _constants(graph: memoryview) -> Iterator[tuple[str, np.ndarray]]:
    """Yield names and values of a TensorFlow graph's constants that are arrays of float32."""
    for field, node in _fields(graph):
        facts = list(_fields(node)) if field == NODE else []
        if (KIND, b"Const") not in facts:
            continue
        attributes = [dict(_fields(value)) for key, value in facts if key == ATTRIBUTE]
        (value,) = (pair[VALUE] for pair in attributes if pair[KEY] == b"value")
        tensor = dict(_fields(dict(_fields(value))[TENSOR]))
        if tensor.get(TYPE) == FLOAT and BYTES in tensor:
            shape = [dict(_fields(size))[LENGTH] for key, size in _fields(tensor[SHAPE]) if key == DIMENSION]
            yield bytes(dict(facts)[NAME]).decode(), np.frombuffer(tensor[BYTES], "<f4").reshape(shape).copy()


def _fields(message: memoryview) -> Iterator[tuple[int, Any]]:
    """Yield number and value of each field of a protocol buffer: a number, or bytes."""
    place = 0

    def number() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(message):
        field, wire = divmod(number(), 8)
        if wire == 0:
            yield field, number()
            continue
        length = {1: 8, 2: None, 5: 4}[wire]
        length = number() if length is None else length
        yield field, message[place : place + length]
        place += length


def _of_block(block: str, parts: Sequence[str]) -> list[tuple[str, str]]:
    return [(f"{block}_{part}", f"{block}_{part}_BN") for part in parts]


def _oihw(kernel: np.ndarray, depthwise: bool = False) -> Tensor:
    """Turn a kernel (h, w, in, out), depthwise (h, w, channels, 1), into torch's order; a bias stays."""
    order = {1: (0,), 4: (2, 3, 0, 1) if depthwise else (3, 2, 0, 1)}[kernel.ndim]
    return torch.from_numpy(np.ascontiguousarray(kernel.transpose(order)))
