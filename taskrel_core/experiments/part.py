"""The bound from a fraction of the target's samples, and what it misses: the loss on the samples left out."""

from dataclasses import dataclass
from typing import Any

import torch

from ..extraction import standardise
from ..method.bound import Relatedness
from ..task import Task
from .relatedness import Experiment
from .scoring import part_of


@dataclass(frozen=True)
class Part(Experiment):
    """One row of ``Experiment`` that sees a fraction of the target's samples.

    Attributes:
        share: of each class of the ``n_target`` samples, at least 2 of them, in (0, 1], at random by ``seed``.
    """

    kind = "Part"
    version = 1

    share: float = 1.0

    def raw(self) -> tuple[Task, Task]:
        """Return the reference, and the fraction of the target, as the encoder gives them.

        Raises:
            ValueError: a share out of (0, 1], or a target whose labels are not known.
        """
        reference, target = super().raw()
        return reference, target.take(self._rows(target))

    def beyond(self, r: Relatedness) -> dict[str, Any]:
        """Return ``loss_rest`` (nats) and ``accuracy_rest`` of the transformed classifier on the samples left out.

        They are standardised as the samples of the bound are. None where none is left out.
        """
        reference, target = super().raw()
        rows = self._rows(target)
        left = torch.ones(len(target), dtype=torch.bool)
        left[rows] = False
        found: tuple[float | None, float | None] = (None, None)
        if left.any():
            by = target.take(rows) if self.standardise == "own" else reference
            how = "none" if self.standardise == "none" else "joint"
            rest = standardise(by, target.take(left.nonzero()[:, 0]), how=how)[1]
            found = r.evaluate(rest.z, rest.labels)
        return {"loss_rest": found[0], "accuracy_rest": found[1], "n_rest": int(left.sum())}

    def _rows(self, target: Task) -> torch.Tensor:
        if target.y is None:
            raise ValueError(
                f"share must be 1 for {self.target!r}, whose labels are not known, got {self.share}; give fewer samples by "
                "n_target instead"
            )
        return part_of(target.labels, self.share, self.seed)


def seen(share: float, **fields: Any) -> Experiment:
    """Return the row that sees this fraction of the target: an ``Experiment`` where it is all, else a ``Part``."""
    return Experiment(**fields) if share == 1 else Part(**fields, share=share)
