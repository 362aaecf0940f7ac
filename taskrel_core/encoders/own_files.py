"""Weights files of one's own as tensors: looked at before they are read, and nothing in them is run.

Safetensors and state dicts of torch are read. TorchScript archives and other pickles are programs; they are refused, with
the way to convert them.
"""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .weight_files import read_checkpoint

CONVERT = "where you trust it, load it elsewhere and save its tensors alone: safetensors.torch.save_file(net.state_dict(), file)"
NESTS = ("state_dict", "model_state_dict", "model", "net")  # under which trainers keep the weights
PREFIXES = ("module.", "_orig_mod.", "model.", "backbone.", "encoder.")  # that they put before every name


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file or a state dict by name; prefixes that all names share are dropped.

    Raises:
        ValueError: it is something else than its name says, a program, damaged, or holds no tensors.
    """
    kind = content_of(path)
    if path.suffix == ".safetensors" and kind != "safetensors":
        raise ValueError(f"{path} must be safetensors as its name says, got {kind}; {CONVERT}")
    whole: Mapping[str, Any] = _read_safetensors(path) if kind == "safetensors" else read_checkpoint(path)
    nests = (whole[name] for name in NESTS if isinstance(whole.get(name), Mapping))
    found = next(nests, whole)
    tensors = {name: value for name, value in found.items() if isinstance(value, Tensor)}
    if not tensors:
        raise ValueError(f"{path} must hold tensors by name, got {sorted(found)[:5]}; save net.state_dict()")
    for _ in PREFIXES:
        prefix = next((p for p in PREFIXES if all(name.startswith(p) for name in tensors)), "")
        tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
    return tensors


def content_of(path: Path) -> str:
    """Return what a file is by its content: "safetensors", "a state dict" (perhaps) or "something else".

    Raises:
        ValueError: it is a TorchScript archive, or an archive that would unpack to more than it is, or elsewhere.
    """
    with path.open("rb") as file:
        start = file.read(9)
        if start.startswith(b"PK"):
            _check_archive(path)
            return "a state dict"
    if start[8:] == b"{" and int.from_bytes(start[:8], "little") < path.stat().st_size:
        return "safetensors"
    return "a state dict" if start.startswith(b"\x80") else "something else"


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path} is damaged ({error}); copy it again") from error
    names = [member.filename for member in members]
    if any(name.endswith("constants.pkl") or "/code/" in name for name in names):
        raise ValueError(f"{path} is a TorchScript archive, which is a program, and is not loaded; {CONVERT}")
    odd = [name for name in names if name.startswith("/") or "\\" in name or ".." in Path(name).parts]
    if odd:
        raise ValueError(f"{path} holds {odd[0]!r}, which leads out of the archive; {CONVERT}")
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError(f"{path} is a compressed archive, which torch does not write; {CONVERT}")


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError as error:
        raise ValueError(
            f"{path} needs safetensors; install it: python -m pip install 'taskrel[paper]'"
        ) from error
    try:
        return load_file(path)
    except (SafetensorError, json.JSONDecodeError, RuntimeError) as error:
        raise ValueError(f"{path} is damaged ({error}); copy it again") from error


def parameters(tensors: Mapping[str, Tensor]) -> int:
    """Return how many numbers the tensors hold, those that count batches apart."""
    return sum(value.numel() for value in tensors.values() if value.dtype != torch.int64)
