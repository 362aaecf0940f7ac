"""Every check of a value that a caller gives: the message names the argument, the rule, what came, the way out."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = [
    "Real",
    "as_features",
    "as_labels",
    "check_choice",
    "check_count",
    "check_positive",
    "check_same_width",
]


Real = float | int | np.integer | np.floating  # what a caller may give for a number: tau=1 is no mistake


def as_features(z: Any, name: str = "z") -> Tensor:
    """Return ``z`` as a new float64 tensor of shape (n, d); refuse what is not finite numbers in two axes."""
    array = _as_tensor(z, name)
    if array.ndim != 2 or array.shape[0] == 0 or array.shape[1] == 0:
        raise ValueError(
            f"{name} must have shape (n, d) with n, d >= 1, got {tuple(array.shape)}; "
            "give one row of features a sample, for instance z.reshape(len(z), -1)"
        )
    if array.is_complex():
        raise TypeError(
            f"{name} must hold real numbers, got {array.dtype}; take the real part or the modulus"
        )
    array = array.detach().to(device="cpu", dtype=torch.float64, copy=True).contiguous()
    if not torch.isfinite(array).all():
        bad = int((~torch.isfinite(array)).any(dim=1).nonzero()[0, 0])
        raise ValueError(
            f"{name} must be finite, got NaN or infinity (first in row {bad}); drop or repair such rows"
        )
    return array


def as_labels(y: Any, n: int, n_classes: int, name: str = "y") -> Tensor:
    """Return ``y`` as a new int64 tensor of shape (n,) with values 0..n_classes-1."""
    array = _as_tensor(y, name)
    if array.ndim != 1 or array.shape[0] != n:
        raise ValueError(
            f"{name} must have shape ({n},), one label a row of z, got {tuple(array.shape)}; "
            "one-hot labels become classes by y.argmax(1)"
        )
    if array.is_floating_point() or array.is_complex() or array.dtype == torch.bool:
        raise TypeError(f"{name} must hold integers, got {array.dtype}; convert with y.astype('int64')")
    array = array.detach().to(device="cpu", dtype=torch.int64, copy=True)
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= n_classes:
        raise ValueError(
            f"{name} must lie in 0..{n_classes - 1} (n_classes={n_classes}), got values from {low} to {high}; "
            "number the classes from 0, for instance with np.unique(y, return_inverse=True)[1]"
        )
    return array


def check_count(value: Any, name: str, least: int = 1) -> int:
    """Return ``value`` as an int of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer of at least {least}, got {value!r}; give a whole number")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}; give a larger whole number")
    return int(value)


def check_positive(value: Any, name: str) -> float:
    """Return ``value`` as a finite float above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} must be a number above 0, got {value!r}; give for instance {name}=0.02")
    if not np.isfinite(value) or value <= 0:
        raise ValueError(f"{name} must be finite and above 0, got {value}; give for instance {name}=0.02")
    return float(value)


def check_choice(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """Return ``value`` if it is one of ``choices``."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}; choose one of them")
    return value


def check_same_width(z: Tensor, other: Tensor, name: str, other_name: str) -> None:
    """Refuse two feature arrays of different width."""
    if z.shape[1] != other.shape[1]:
        raise ValueError(
            f"{name} and {other_name} must have the same width, got {z.shape[1]} and {other.shape[1]}; "
            "take the features of both from one encoder"
        )


def _as_tensor(value: Any, name: str) -> Tensor:
    if isinstance(value, Tensor):
        return value
    try:
        array = np.asarray(value)
        if array.dtype == object:
            raise ValueError("a ragged or mixed list")
        return torch.from_numpy(np.ascontiguousarray(array).copy())
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name} must be a numpy array or a torch tensor of numbers, got {type(value).__name__} ({error}); "
            f"convert it with np.asarray({name}, dtype=...)"
        ) from None
