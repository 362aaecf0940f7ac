"""A task: features, labels, and how many classes there are."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ._validation import Checked, as_features, as_labels, check_count


@dataclass(frozen=True, eq=False)
class Task:
    """A labelled sample of features, the empirical distribution P(z, y) of one task.

    Args:
        z: features, (n, d), numpy array or tensor of real numbers; copied to float64.
        y: labels, (n,), integers 0..n_classes-1; copied to int64. None for an unlabelled target.
        n_classes: K, classes that the task has; a class may be absent from the sample.
        name: what to call the task in tables and messages.

    Raises:
        TypeError: ``z`` or ``y`` is not an array of numbers, ``n_classes`` not an integer.
        ValueError: wrong shape, a value that is not finite, a label out of range.

    Example:
        >>> task = Task([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1], n_classes=3, name="mine")
        >>> len(task), task.d, task.prior.tolist()  # the third class has no sample
        (3, 2, [0.3333333333333333, 0.6666666666666666, 0.0])
    """

    z: Any
    y: Any
    n_classes: Checked[int]
    name: str = "task"

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "n_classes", check_count(self.n_classes, "n_classes"))
        set_(self, "z", as_features(self.z))
        if self.y is not None:
            set_(self, "y", as_labels(self.y, len(self.z), self.n_classes))

    def __len__(self) -> int:
        """Return the number of samples, n."""
        return self.z.shape[0]

    @property
    def d(self) -> int:
        """Width of the features."""
        return self.z.shape[1]

    @property
    def prior(self) -> Float[Tensor, " k"]:
        """Fraction of each class in the sample, (K,), sums to 1; 0 for an absent class."""
        return torch.bincount(self.labels, minlength=self.n_classes).double() / len(self)

    @property
    def chance(self) -> float:
        """Return the loss of chance in nats, the entropy of the class fractions, log K where all are equal.

        No prediction that ignores the features has a lower mean loss on the sample, so a bound above it says nothing.
        """
        prior = self.prior
        return max(float(-torch.xlogy(prior, prior).sum()), 0.0) + 0.0

    @property
    def labels(self) -> Int[Tensor, " n"]:
        """The labels, or ValueError for an unlabelled task."""
        if self.y is None:
            raise ValueError(
                f"task {self.name!r} has y=None, but labels are needed here; give y, or use labels='pseudo'"
            )
        return self.y

    def take(self, index: Int[Tensor, " m"]) -> "Task":
        """Return the task of the samples at ``index``."""
        return self.replaced(self.z[index], None if self.y is None else self.y[index])

    def replaced(self, z: Tensor, y: Tensor | None) -> "Task":
        """Return the task with other features and labels, trusted: neither checked nor copied."""
        task = object.__new__(Task)
        for name, value in (("z", z), ("y", y), ("n_classes", self.n_classes), ("name", self.name)):
            object.__setattr__(task, name, value)
        return task


def check_task(value: Any, name: str) -> None:
    """Refuse what is no task."""
    if not isinstance(value, Task):
        raise TypeError(
            f"{name} must be a taskrel_core.Task, got {type(value).__name__}; make one: Task(z, y, n_classes=...)"
        )


def split(task: Task, fraction: float, seed: int) -> tuple[Task, Task]:
    """Return a part to fit on and about ``fraction`` to measure on, of each class; a class needs two samples."""
    generator = torch.Generator().manual_seed(seed)
    fit, test = [], []
    for k in torch.unique(task.labels).tolist():
        rows = (task.labels == k).nonzero()[:, 0]
        if len(rows) < 2:
            raise ValueError(
                f"measure='held_out' needs at least 2 samples of each class, got {len(rows)} of class {k} in task "
                f"{task.name!r}; give more samples, or use measure='in_sample'"
            )
        rows = rows[torch.randperm(len(rows), generator=generator)]
        cut = min(max(round(fraction * len(rows)), 1), len(rows) - 1)
        test.append(rows[:cut])
        fit.append(rows[cut:])
    return task.take(torch.cat(fit).sort().values), task.take(torch.cat(test).sort().values)


def subsample(task: Task, most: int, seed: int) -> Task:
    """Return about ``most`` samples, the same number of each class, at random by ``seed``."""
    most = -(-most // task.n_classes)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(task), generator=generator)
    rows = [order[task.labels[order] == k][:most] for k in torch.unique(task.labels).tolist()]
    return task.take(torch.cat(rows).sort().values)
