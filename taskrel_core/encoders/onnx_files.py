"""ONNX graphs of one's own, ``file:PATH.onnx``, run by onnxruntime (the extra ``onnx``) on the CPU.

A graph takes one batch of pictures, (n, c, h, w) or (n, h, w, c) of 1 or 3 channels, normalised by ImageNet's mean and
deviation (grey: 0 to 1). Its first output is the features, (n, d), or maps, whose mean over positions is taken.
"""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from .._registry import MissingAsset
from .base import Encoder
from .packaged import TORCH
from .preprocessing import check_images, grey

SIDE = 224  # of the pictures, where the graph takes any


@dataclass(frozen=True, kw_only=True, eq=False)
class OnnxEncoder(Encoder):
    """A graph, and how it takes pictures."""

    session: Any = field(repr=False)
    channels: int
    last: bool  # whether channels come last
    fixed_batch: int | None

    def features(self, images: np.ndarray, size: int | None = None) -> np.ndarray:
        """Return features, float32 (n, dim)."""
        check_images(images)
        side = self.side(size)
        step = self.fixed_batch or self.batch
        parts = [self._run_batch(images[k : k + step], side, step) for k in range(0, len(images), step)]
        return np.concatenate(parts)

    def _run_batch(self, images: np.ndarray, side: int, step: int) -> np.ndarray:
        x = TORCH(images, side) if self.channels == 3 else grey(images, side)
        if self.fixed_batch:  # the graph takes no fewer
            x = np.concatenate([x, np.repeat(x[-1:], step - len(x), 0)])
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)) if self.last else x
        given = self.session.get_inputs()[0].name
        z = self.session.run([self.session.get_outputs()[0].name], {given: x})[0]
        z = z.reshape(*z.shape[:2], -1).mean(2) if z.ndim > 2 else z
        return z[: len(images)].astype(np.float32)


@lru_cache(8)
def onnx_encoder(name: str, path: Path, version: str) -> OnnxEncoder:
    """Return the encoder of an ONNX file.

    Args:
        name: by which it was asked for.
        path: the file.
        version: sha256 of its content.

    Raises:
        MissingAsset: onnxruntime is not installed.
        ValueError: the file is no ONNX graph, reads files elsewhere, or does not take pictures.
    """
    try:
        import onnxruntime  # pyright: ignore[reportMissingImports]  an extra
    except ImportError as error:
        raise MissingAsset(
            f"{name} needs onnxruntime; install it: python -m pip install 'taskrel[onnx]', in this folder '.[onnx]'"
        ) from error
    _check_graph(path)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is raised as well
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own types, which derive from Exception alone
        raise ValueError(f"{path} is no ONNX graph that onnxruntime can run ({str(error)[:300]})") from error
    inputs = session.get_inputs()
    batch, channels, last, side = _shape(inputs[0].shape, len(inputs), path)
    facts = {"source_task": "your own", "licence": "your own", "recipe": f"onnx-1-{version}"}
    native = None if side else SIDE
    shape = {
        "channels": channels,
        "last": last,
        "fixed_batch": batch,
        "input_size": side or SIDE,
        "native_size": native,
    }
    entry = OnnxEncoder(name=name, dim=1, session=session, **facts, **shape)
    return replace(entry, dim=entry.features(np.zeros((1, 8, 8), np.uint8)).shape[1])


def _check_graph(path: Path) -> None:
    """Refuse what is no graph, and a graph that reads its weights from outside of its folder."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        graph = onnx.load(path, load_external_data=False).graph
    except DecodeError as error:
        raise ValueError(
            f"{path} is no ONNX file ({error}); export one: torch.onnx.export(net, pictures, file)"
        ) from error
    if not graph.input:
        raise ValueError(
            f"{path} is no ONNX file with a graph; export one: torch.onnx.export(net, pictures, file)"
        )
    for tensor in graph.initializer:
        place = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
        if place != Path(place).name:
            raise ValueError(
                f"{path} reads {place!r}, which is not beside it; export it with its weights inside"
            )


def _shape(shape: list[Any], inputs: int, path: Path) -> tuple[int | None, int, bool, int | None]:
    """Batch, channels, whether they come last, and side, the first and the last None where any will do."""
    sizes = [size if isinstance(size, int) else None for size in shape]
    last = len(sizes) == 4 and sizes[1] not in (1, 3) and sizes[3] in (1, 3)
    fits = inputs == 1 and len(sizes) == 4
    channels, sides = (
        (sizes[3] if last else sizes[1], sizes[1:3] if last else sizes[2:]) if fits else (None, [])
    )
    if channels not in (1, 3) or sides[0] != sides[1]:
        raise ValueError(
            f"{path} must take one batch of square pictures, (n, 3, h, w) or (n, h, w, 3), got {inputs} inputs, the first "
            f"{shape}; export it so"
        )
    return sizes[0], channels, last, sides[0]
