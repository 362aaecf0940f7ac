"""Other transferability scores by name, with one signature, each on its own scale and sign.

Example:
    >>> from taskrel_core import BASELINES, Task
    >>> target = Task([[0.0], [0.1], [1.0], [1.2]], [0, 0, 1, 1], n_classes=2)
    >>> BASELINES["logme"].higher_is_better, BASELINES["logme"].needs
    (True, ('target',))
    >>> BASELINES["leep"](target=target, source_posteriors=[[0.9, 0.1]] * 2 + [[0.1, 0.9]] * 2) > -0.5
    True
"""

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._registry import Registry
from .._validation import as_features, check_same_width
from ..method.threads import one_thread
from ..task import Task

BASELINES = Registry("baseline", room=__package__ or "")
TARGET, POSTERIORS, PAIR = ("target",), ("target", "source_posteriors"), ("target", "reference")
SMALLEST, LARGEST = 1e-100, 1e100  # sizes of features whose squares, and their sums, keep their digits


class SaturatedScore(UserWarning):
    """The score is at the end of its range whatever the features are, so it cannot rank them."""


@dataclass(frozen=True, eq=False)
class Baseline:
    """A score of a target for a source, called with keywords: ``BASELINES["leep"](target=..., source_posteriors=...)``.

    Args:
        name: in BASELINES.
        compute: the function behind it, on arrays; its docstring has the formula, its keyword-only arguments are the
            options.
        needs: which of target, reference, source_posteriors are used; the others may be given all the same.
        higher_is_better: whether a larger score predicts better transfer.
        citation: key in the book's list of references.
        invariant: changes of all features alike that leave the score as it is: of "shift" (z + b), "scale" (c z) and
            "rotation".
    """

    name: str
    compute: Callable[..., float]
    needs: tuple[str, ...]
    higher_is_better: bool
    citation: str
    invariant: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[str, ...]:
        """Names of the further keyword arguments."""
        parameters = inspect.signature(self.compute).parameters.values()
        return tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)

    def __call__(
        self, *, target: Task, reference: Task | None = None, source_posteriors: Any = None, **options: Any
    ) -> float:
        """Return the score; nothing that is given is changed.

        Args:
            target: the labelled target task, at least two classes in the sample. Classes without samples do not count.
            reference: the labelled reference task, its features from the same encoder as the target's.
            source_posteriors: class probabilities of a source model on the target's samples, (n, K_S).
            options: see the docstring of ``compute``.

        Raises:
            ValueError: something that is needed is missing, not finite, of a wrong shape, or of a single class.
            TypeError: an option that this baseline does not have.
        """
        unknown = [name for name in options if name not in self.options]
        if unknown:
            known = f"known: {', '.join(self.options)}" if self.options else "it has none"
            raise TypeError(f"{self.name} has no option {unknown[0]!r}; {known}")
        arrays: dict[str, np.ndarray] = {}
        arrays["z"], arrays["y"] = labelled_arrays(target, "target")
        if "reference" in self.needs:
            other: Task = self._given(reference, "reference", "a labelled Task from the same encoder")
            check_same_width(target.z, other.z, "target", "reference")
            arrays["z_reference"], arrays["y_reference"] = labelled_arrays(other, "reference")
        if "source_posteriors" in self.needs or source_posteriors is not None:
            arrays["posteriors"] = self._posteriors(source_posteriors, len(target))
        wanted = inspect.signature(self.compute).parameters
        with one_thread():
            return float(self.compute(**{k: v for k, v in arrays.items() if k in wanted}, **options))

    def _given(self, value: Any, name: str, what: str) -> Any:
        if value is None:
            raise ValueError(f"{self.name} needs {name}, got None; give {name}=, {what}")
        return value

    def _posteriors(self, value: Any, n: int) -> np.ndarray:
        """Checked class probabilities, a new array (n, K_S)."""
        value = self._given(value, "source_posteriors", "class probabilities of the source model, (n, K_S)")
        array = as_features(value, "source_posteriors").numpy()
        if len(array) != n:
            raise ValueError(
                f"source_posteriors must have one row per sample of target, {n}, got {len(array)}; "
                "give the source model's probabilities on the target's samples"
            )
        if array.min() < 0 or np.abs(array.sum(1) - 1).max() > 1e-3:
            raise ValueError(
                "source_posteriors must hold probabilities, rows that sum to 1, got values from "
                f"{array.min():.3g} and sums from {array.sum(1).min():.3g} to {array.sum(1).max():.3g}; "
                "take the softmax of logits, in float64"
            )
        return array


def labelled_arrays(task: Task, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Features, a new array (n, d), and labels 0..K-1 without gaps, (n,); at least two classes."""
    z = as_features(task.z, f"{name}.z").numpy()
    classes, y = np.unique(task.labels.numpy(), return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            f"{name} must have samples of at least 2 classes, got class {classes[0]} only; give samples of another"
        )
    size = float(np.abs(z).max())
    if size and not SMALLEST <= size <= LARGEST:
        raise ValueError(
            f"{name}.z must be 0 or have its largest absolute value from {SMALLEST} to {LARGEST}, so that squares keep "
            f"their digits, got {size:.3g}; multiply the features by a constant"
        )
    return z, y


def metric(
    name: str,
    needs: tuple[str, ...],
    citation: str,
    higher_is_better: bool = True,
    invariant: tuple[str, ...] = (),
) -> Callable[[Callable[..., float]], Callable[..., float]]:
    """Return a decorator that registers a function on arrays as ``BASELINES[name]``; the arguments are as in Baseline.

    The function may take z, y (of the target), z_reference, y_reference, posteriors, and options as keyword-only
    arguments.
    """

    def store(compute: Callable[..., float]) -> Callable[..., float]:
        BASELINES.register(name)(Baseline(name, compute, needs, higher_is_better, citation, invariant))
        return compute

    return store


def warn_if_few(z: np.ndarray, name: str, way_out: str) -> bool:
    """Return whether samples are no more than features, and warn that the score is then saturated."""
    n, d = z.shape
    if n <= d:
        warnings.warn(
            f"{name} is saturated: with n = {n} samples of d = {d} features it is at its largest whatever "
            f"the labels; {way_out}",
            SaturatedScore,
            stacklevel=3,
        )
    return n <= d
