"""Every check of a value that a caller gives: the message names the argument, the rule, what came, the way out."""

import math
import numbers
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import numpy as np
import torch
from torch import Tensor

T = TypeVar("T")
if TYPE_CHECKING:
    Checked = Annotated[T, "checked below"]  # a T, for static types
else:

    class Checked:
        """``Checked[T]``: a T, or what the checks below take for one or refuse in their own words.

        A hook that checks annotations at run time lets any value pass.
        """

        def __class_getitem__(cls, kind: type) -> Any:
            """Return the annotation."""
            return kind | Any


Real = Checked[float]  # tau=1 and tau=torch.tensor(0.2) are numbers too


def as_features(z: Any, name: str = "z") -> Tensor:
    """Return ``z`` as a new float64 tensor of shape (n, d); refuse what is not finite numbers in two axes."""
    array = _as_tensor(z, name)
    if array.ndim != 2 or array.shape[0] == 0 or array.shape[1] == 0:
        raise ValueError(
            f"{name} must have shape (n, d) with n, d >= 1, got {tuple(array.shape)}; "
            "give one row of features per sample, for instance z.reshape(len(z), -1)"
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
            f"{name} must have shape ({n},), one label per row of z, got {tuple(array.shape)}; "
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


def check_count(value: Any, name: str, least: int = 1, most: int | None = None) -> int:
    """Return ``value``, an integer of Python, NumPy or torch, as an int of at least ``least`` and at most ``most``."""
    number = _as_number(value)
    if not isinstance(number, int | np.integer):
        raise TypeError(f"{name} must be an integer of at least {least}, got {value!r}; give a whole number")
    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {number}; give a larger whole number")
    if most is not None and number > most:
        raise ValueError(f"{name} must be at most {most}, got {number}; give a smaller whole number")
    return int(number)


def check_positive(value: Any, name: str) -> float:
    """Return ``value``, a number of Python, NumPy or torch, as a finite float above 0."""
    number = _as_number(value)
    if number is None:
        raise TypeError(f"{name} must be a number above 0, got {value!r}; give for instance {name}=0.02")
    try:
        number = float(number)
    except OverflowError:  # an int too large for a float
        number = math.inf
    if not 0 < number < math.inf:
        raise ValueError(f"{name} must be finite and above 0, got {number}; give for instance {name}=0.02")
    return number


def check_choice(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """Return ``value`` if it is one of ``choices``."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}; choose one of them")
    return str(value)


def check_same_width(z: Tensor, other: Tensor, name: str, other_name: str) -> None:
    """Refuse two feature arrays of different width."""
    if z.shape[1] != other.shape[1]:
        raise ValueError(
            f"{name} and {other_name} must have the same width, got {z.shape[1]} and {other.shape[1]}; "
            "take the features of both from one encoder"
        )


def _as_number(value: Any) -> Any:
    """The real number in ``value``, which may be an array or a tensor without axes; None for a bool or anything else."""
    if isinstance(value, np.generic | np.ndarray | Tensor) and value.ndim == 0:
        value = value.item()
    return value if isinstance(value, numbers.Real) and not isinstance(value, bool) else None


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
