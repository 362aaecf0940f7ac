"""Metrics from an optimal transport of reference samples onto target samples: OT-NCE and OTCE.

All are functions of the features and labels of both sides; labels use every class of 0..K-1, no array is changed.
"""

import warnings
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.special import rel_entr

from .._validation import check_count, check_same_width
from ..method.transport import transport
from ..task import Task
from ._class_statistics import canonical_order, centred
from .base import PAIR, labelled_arrays, metric
from .otce_regression import auxiliary_table, fit_otce


def distances(
    z_reference: Float[np.ndarray, "m d"],
    y_reference: Int[np.ndarray, " m"],
    z: Float[np.ndarray, "n d"],
    y: Int[np.ndarray, " n"],
    samples: int | None = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return (W_D, W_T): domain difference in squared units of z, task difference in nats; lower is closer.

    W_D = <P, C> of the exact transport P between the two samples, each with uniform weights, under C = |z_r - z|^2;
    W_T = H(Y | Y_reference) of the labels that P pairs. W_T does not change under a common z -> c z + b, nor under a
    shift of one side. Where one side is a single point every P is optimal and the independent one counts: W_T = H(Y).

    Args:
        z_reference: features of the reference, (m, d).
        y_reference: its labels, (m,).
        z: features of the target, (n, d).
        y: its labels, (n,).
        samples: take at most this many at random from each side, as the papers do; None: all of them.
        seed: of this random choice, which does not depend on the order of the samples.
    """
    z_reference, y_reference = subsample(z_reference, y_reference, samples, seed)
    z, y = subsample(z, y, samples, seed)
    rows, columns, mass = optimal_plan(z_reference, z)
    shape = (int(y_reference.max()) + 1, int(y.max()) + 1)
    cells = np.ravel_multi_index((y_reference[rows], y[columns]), shape)
    joint = np.bincount(cells, mass, minlength=shape[0] * shape[1]).reshape(shape)
    exact = ((z_reference[rows] - z[columns]) ** 2).sum(1)
    return float(mass @ exact), -float(rel_entr(joint, joint.sum(1, keepdims=True)).sum()) + 0.0


def optimal_plan(
    z_reference: np.ndarray, z: np.ndarray, more: np.ndarray | float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and masses of the cheapest coupling of uniform weights under |z_r - z|^2 + more, (m, n)."""
    a, b = centred(z_reference), centred(z)  # the plan does not depend on how far apart the two means are
    cost = np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * (a @ b.T), 0.0) + more
    if not (a.any() and b.any()):
        plan = np.full(cost.shape, 1 / cost.size)
    else:
        weights = (torch.full((size,), 1 / size, dtype=torch.float64) for size in cost.shape)
        found, proven = transport(torch.from_numpy(cost), *weights)
        plan = found.numpy()
        if not proven:
            warnings.warn(
                "the transport stopped before it was proven optimal; give fewer samples",
                RuntimeWarning,
                stacklevel=3,
            )
    rows, columns = plan.nonzero()
    return rows, columns, plan[rows, columns]


def subsample(z: np.ndarray, y: np.ndarray, samples: int | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return at most ``samples`` of the samples, chosen with ``seed`` whatever their order."""
    order = canonical_order(z)
    if samples is not None and len(z) > check_count(samples, "samples"):
        rng = np.random.default_rng(check_count(seed, "seed", least=0))
        order = order[rng.choice(len(z), samples, replace=False)]
    return z[order], y[order]


@metric("ot_nce", PAIR, "tan2021otce", invariant=("shift", "scale", "rotation"))
def ot_nce(
    z_reference: Float[np.ndarray, "m d"],
    y_reference: Int[np.ndarray, " m"],
    z: Float[np.ndarray, "n d"],
    y: Int[np.ndarray, " n"],
    *,
    samples: int | None = 1000,
    seed: int = 0,
) -> float:
    """Return -H(Y | Y_reference) of the labels that an exact transport pairs, in nats, <= 0; higher is better.

    Options as in ``distances``, whose W_T this is with the other sign.
    """
    return -distances(z_reference, y_reference, z, y, samples, seed)[1]


@metric("otce", PAIR, "tan2021otce", invariant=("shift", "scale", "rotation"))
def otce(
    z_reference: Float[np.ndarray, "m d"],
    y_reference: Int[np.ndarray, " m"],
    z: Float[np.ndarray, "n d"],
    y: Int[np.ndarray, " n"],
    *,
    auxiliary: Any = None,
    samples: int | None = 1000,
    seed: int = 0,
) -> float:
    """Return the accuracy that W_D and W_T predict, on the scale of the auxiliary tasks; higher is better.

    accuracy ~ l1 W_D^ + l2 W_T^ + b, fitted by least squares to auxiliary tasks of known accuracy, which are other
    targets from the same source, never the one scored; hats are standardised over the auxiliary tasks (mean 0,
    deviation 1). Without auxiliary tasks the score is OT-NCE, which has the same ingredients and needs no fit.
    Invariant as OT-NCE is; with auxiliary tasks under z -> c z if their W_D is in the same units.

    Args:
        z_reference: features of the reference, (m, d).
        y_reference: its labels, (m,).
        z: features of the target, (n, d).
        y: its labels, (n,).
        auxiliary: at least 3 tasks: a table with the columns w_d, w_t, accuracy, or rows (W_D, W_T, accuracy). The
            distances are those of ``otce_distances`` with the same ``samples`` and ``seed``.
        samples: as in ``distances``.
        seed: as in ``distances``.

    Raises:
        ValueError: fewer than 3 auxiliary tasks, a value that is not finite, a column missing, or the scored target
            is among them.
    """
    w_d, w_t = distances(z_reference, y_reference, z, y, samples, seed)
    if auxiliary is None:
        return -w_t
    table = auxiliary_table(auxiliary)
    if np.isclose(table[:, :2], [w_d, w_t], rtol=1e-9, atol=0).all(1).any():
        raise ValueError(
            "auxiliary must not hold the target that is scored, got a row with its W_D and W_T; "
            "leave that row out: its accuracy is what the score is to predict"
        )
    return fit_otce(table)(w_d, w_t)


def otce_distances(
    reference: Task, target: Task, samples: int | None = 1000, seed: int = 0
) -> tuple[float, float]:
    """Return (W_D, W_T) of a pair of tasks, for the auxiliary tasks of OTCE: squared units of z, and nats.

    Args:
        reference: the labelled source task.
        target: a labelled target, its features from the same encoder.
        samples: as in ``distances``.
        seed: as in ``distances``.
    """
    check_same_width(target.z, reference.z, "target", "reference")
    return distances(
        *labelled_arrays(reference, "reference"),
        *labelled_arrays(target, "target"),
        samples=samples,
        seed=seed,
    )
