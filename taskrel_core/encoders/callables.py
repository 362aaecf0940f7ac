"""Encoders of one's own in Python, and what is asked of every encoder that the tests of this project have not seen."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from .base import ENCODERS, Encode, Encoder
from .packaged import TORCH

AGAIN = 8  # pictures that are encoded twice, to see whether the features are the same
SIDE = 224  # of the pictures that a module is given, unless another is asked for


@dataclass(frozen=True, kw_only=True, eq=False)
class ModuleEncoder(Encoder):
    """A torch module: pictures float32 (n, 3, side, side), normalised by ImageNet's mean and deviation -> features (n, d)."""

    net: nn.Module = field(repr=False)

    def load(self) -> tuple[nn.Module, None]:
        """Return a copy of the module in evaluation mode."""
        return copy.deepcopy(self.net).eval(), None


@dataclass(frozen=True, kw_only=True, eq=False)
class CallableEncoder(Encoder):
    """Any function of pictures uint8 (n, h, w[, 3])."""

    call: Callable[[np.ndarray], Any] = field(repr=False)

    def features(self, images: np.ndarray, size: int | None = None) -> np.ndarray:  # noqa: ARG002
        """Return what the function gives, as an array."""
        z = self.call(images)
        return np.asarray(z.detach().cpu() if isinstance(z, torch.Tensor) else z)


def as_encoder(value: Any) -> Encoder:
    """Return an encoder: a name in ENCODERS, a torch module, or a function of pictures.

    Raises:
        KeyError: an unknown name.
        TypeError: it is none of these.
    """
    if isinstance(value, str):
        return ENCODERS[value]
    facts = {
        "dim": 0,
        "source_task": "your own",
        "licence": "your own",
        "input_size": SIDE,
        "native_size": SIDE,
    }
    name = getattr(value, "__name__", type(value).__name__)
    if isinstance(value, nn.Module):
        return ModuleEncoder(name=name, net=value, normalization=TORCH, **facts)
    if callable(value):
        return CallableEncoder(name=name, call=value, **facts)
    raise TypeError(
        f"encoder must be a name, a torch.nn.Module or a function of pictures, got {type(value).__name__}; "
        f"names are {', '.join(sorted(ENCODERS))}"
    )


def checked(entry: Encoder, size: int | None = None) -> Encode:
    """Return the features function of an encoder; what it gives is looked at unless this project's tests did so.

    Raises (the function that is returned):
        ValueError: it gives something else than finite numbers (n, d) of one width, or not the same when asked again.
    """
    run = partial(entry.features, size=size)
    if entry.name in set(ENCODERS):
        return run
    widths: set[int] = set()

    def looked_at(images: np.ndarray) -> np.ndarray:
        try:
            z = run(images)
        except (RuntimeError, AssertionError, IndexError, TypeError) as error:
            raise ValueError(
                f"encoder {entry.name!r} failed on pictures {images.shape} ({' '.join(str(error).split())[:300]}); "
                "where it needs another size, give size="
            ) from error
        _check(entry, z, images)
        widths.add(z.shape[1])
        if len(widths) > 1:
            raise ValueError(f"encoder {entry.name!r} must give features of one width, got {sorted(widths)}")
        few = run(images[:AGAIN])
        if not np.allclose(few, z[:AGAIN], rtol=1e-2, atol=1e-3 * max(float(np.abs(z).max()), 1e-30)):
            raise ValueError(
                f"encoder {entry.name!r} must give the same features when asked again and in another batch, got a difference "
                f"of {np.abs(few - z[:AGAIN]).max():.2g}; put it into evaluation mode, or seed what is random in it"
            )
        return z

    return looked_at


def _check(entry: Encoder, z: Any, images: np.ndarray) -> None:
    if not isinstance(z, np.ndarray) or z.ndim != 2 or len(z) != len(images) or z.dtype.kind not in "fiu":
        shape = f"{z.dtype} {z.shape}" if isinstance(z, np.ndarray) else type(z).__name__
        raise ValueError(
            f"encoder {entry.name!r} must give features ({len(images)}, d) of {len(images)} pictures, got {shape}; of maps "
            "take the mean over positions"
        )
    if not np.isfinite(z).all():
        rows = (~np.isfinite(z)).any(1)
        raise ValueError(
            f"encoder {entry.name!r} must give finite features, got NaN or infinity for {rows.sum()} of {len(z)} pictures; "
            "look at its weights and at its normalisation"
        )
