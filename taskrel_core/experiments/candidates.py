"""Candidates for a form of relatedness that is a certified bound and predicts accuracy: the search, one candidate a row.

A candidate says on which directions of the features the bound is computed, how many, at which tau, and under which ground
cost. All choices look at reference and target features only, never at an accuracy after fine-tuning.

==========  =========================================================================================================
directions  what the features are before the bound
==========  =========================================================================================================
all         all of them, each domain standardised by itself
own         each domain on its own leading principal components, of unit variance
joint       both on the leading components of both samples together, each domain standardised before and after
classes     both on the leading discriminants of the reference (its class means, whitened by the spread within
            classes, Ledoit and Wolf's estimate), each domain standardised before and after
==========  =========================================================================================================
"""

import time
from dataclasses import asdict, dataclass
from typing import Any

import torch
from sklearn.covariance import ledoit_wolf
from torch import Tensor

from .._validation import check_choice, check_count, check_positive
from ..extraction import standardise
from ..method.solve import relatedness
from ..task import Task
from .few_shot_scores import components, few_shot_tasks
from .row import Row

DIRECTIONS = ("all", "own", "joint", "classes")


@dataclass(frozen=True)
class Candidate(Row):
    """One candidate on one cell.

    Attributes:
        directions: one of DIRECTIONS.
        n_directions: how many, at most; "all" ignores it.
        strength: tau times the square root of the number of features that are left: 8 for the other forms.
        metric: ground cost of the bound.
        measure: "in_sample" (certified) or "held_out".
        per_class, k_reference, draw, n_reference, seed: as in ``FewShotScores``.
    """

    kind = "Candidate"
    version = 1

    reference: str
    target: str
    encoder: str
    directions: str = "own"
    n_directions: int = 16
    strength: float = 8.0
    metric: str = "one_sided"
    measure: str = "in_sample"
    per_class: int = 20
    k_reference: int = 10
    draw: int = 0
    n_reference: int = 500
    seed: int = 0

    def compute(self) -> dict[str, Any]:
        """Compute the row: the bound and its terms in nats, loss and accuracy of the transformed classifier, seconds.

        Raises:
            KeyError: an unknown name.
            ValueError: an unknown choice, or a number out of range.
            MissingAsset: data or weights are not on this machine.
        """
        s = self
        check_choice(s.directions, "directions", DIRECTIONS)
        check_count(s.n_directions, "n_directions")
        check_positive(s.strength, "strength")
        reference, target = few_shot_tasks(s)
        started = time.perf_counter()
        reference, target = standardise(*_projected(s, reference, target))
        tau = s.strength / reference.d**0.5
        r = relatedness(reference, target, tau, metric=s.metric, measure=s.measure, seed=s.seed)
        loss, accuracy = r.evaluate(target.z, target.labels)
        return {
            **asdict(s),
            "bound": r.bound,
            "reweighted": r.reweighted_loss,
            "mismatch": r.label_mismatch,
            "transport": r.tau * r.distribution_mismatch,
            "certified": r.certified,
            "loss": loss,
            "accuracy": accuracy,
            "d": reference.d,
            "seconds": time.perf_counter() - started,
        }


def parse(text: str) -> dict[str, Any]:
    """Return the fields of a candidate from "directions n strength measure", for instance "own 16 8 in_sample".

    Raises:
        ValueError: not four words, or one that is no number where one must be.
    """
    words = text.split()
    try:
        directions, n, strength, measure = words
        return {
            "directions": directions,
            "n_directions": int(n),
            "strength": float(strength),
            "measure": measure,
        }
    except ValueError:
        raise ValueError(
            f"a candidate must be directions, how many, strength and measure, such as 'own 16 8 in_sample', got {text!r}"
        ) from None


def _projected(s: Candidate, reference: Task, target: Task) -> tuple[Task, Task]:
    """Both tasks on the directions of the candidate."""
    if s.directions == "all":
        return reference, target
    if s.directions == "own":
        return components(reference, s.n_directions), components(target, s.n_directions)
    reference, target = standardise(reference, target)
    if s.directions == "joint":
        _, _, rows = torch.linalg.svd(torch.cat([reference.z, target.z]), full_matrices=False)
        basis = rows[: s.n_directions].T
    else:
        basis = _discriminants(reference, s.n_directions)
    return tuple(Task(t.z @ basis, t.y, t.n_classes, t.name) for t in (reference, target))  # pyright: ignore[reportReturnType]


def _discriminants(task: Task, n: int) -> Tensor:
    """Directions that tell the classes of a task apart, (d, n), best first."""
    means = torch.stack([task.z[task.labels == k].mean(0) for k in torch.unique(task.labels)])
    within = torch.from_numpy(ledoit_wolf((task.z - means[task.labels]).numpy())[0])
    root = torch.linalg.cholesky(within)
    between = torch.linalg.solve_triangular(root, (means - means.mean(0)).T, upper=False)
    left, _, _ = torch.linalg.svd(between, full_matrices=False)
    return torch.linalg.solve_triangular(root.T, left[:, : min(n, len(means) - 1)], upper=True)
