"""The linear softmax head whose loss is tau-Lipschitz by construction, and the best such head on a target.

For ``h(z) = softmax(W z + c)`` the gradient of ``-log h(z)_y`` in z is a difference of two convex combinations
of the rows of W, so the loss is Lipschitz with constant ``max_jk ||w_j - w_k||`` for every label
(``eq-lipschitz`` of the theory page).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import minimize
from torch import Tensor

from .. import environment
from .._validation import Checked, Real, as_features, check_positive, check_same_width
from ..task import Task, check_task
from .threads import one_thread

STIFFNESS = 3e-3  # our choice: penalty of the constraint, against the mean square of tau z
MASKED = 1e4  # logits below the others by this much underflow to probability 0 in float64, yet stay finite


@dataclass(frozen=True, eq=False)
class Head:
    """A linear softmax classifier, h(z) = softmax(W z + c).

    Args:
        weight: W, (K, d), nats per unit of z.
        bias: c, (K,), nats.
    """

    weight: Float[Tensor, "k d"]
    bias: Float[Tensor, " k"]

    @property
    def lipschitz(self) -> float:
        """Largest norm of w_j - w_k, a Lipschitz constant of the loss in z for every label (nats per unit)."""
        return float(torch.pdist(self.weight).max()) if len(self.weight) > 1 else 0.0

    def logits(self, z: Any) -> Float[Tensor, "n k"]:
        """Return W z + c, (n, K), in nats."""
        z = as_features(z)
        check_same_width(z, self.weight, "z", "the head")
        return self.trusted_logits(z)

    def trusted_logits(self, z: Tensor) -> Tensor:
        """Return the same for features that were checked before."""
        return z @ self.weight.T + self.bias

    def probabilities(self, z: Any) -> Float[Tensor, "n k"]:
        """Return h(z), (n, K), rows sum to 1."""
        return torch.softmax(self.logits(z), dim=1)

    def losses(self, z: Any, y: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
        """Return -log h(z)_y of every sample, (n,), in nats."""
        return -torch.log_softmax(self.logits(z), dim=1).gather(1, y[:, None])[:, 0]

    def accuracy(self, z: Any, y: Int[Tensor, " n"]) -> float:
        """Return the fraction of samples whose most probable class is their label."""
        return float((self.logits(z).argmax(1) == y).double().mean())

    def restrict(self, used: Int[Tensor, " m"]) -> "Head":
        """Return the head of the classes ``used`` alone, the others dropped from the softmax."""
        return Head(self.weight[used], self.bias[used])

    def mask_classes(self, unused: Tensor) -> "Head":
        """Return the head with the classes of the mask ``unused`` at probability 0, whatever the size of z.

        They get the mean of the other rows: at every z their logit lies MASKED or more below the largest, and no
        two rows are further apart than before.
        """
        weight, bias = self.weight.clone(), self.bias.clone()
        weight[unused] = self.weight[~unused].mean(0)
        bias[unused] = self.bias[~unused].min() - MASKED
        return Head(weight, bias)


@dataclass(frozen=True, eq=False)
class Transferability:
    """The left side of the bound: loss and accuracy of the best tau-Lipschitz linear head on the target sample."""

    loss: float  # nats
    accuracy: float
    head: Head
    tau: float


@one_thread()
def transferability(target: Checked[Task], tau: Real) -> Transferability:
    """Return loss and accuracy of the best linear softmax head with a tau-Lipschitz loss on the target.

    Args:
        target: the target task; measured on the sample it is fitted on, as the bound is.
        tau: largest allowed norm of w_j - w_k, nats per unit of z, above 0.

    Returns:
        The loss in nats (lower is better), the accuracy and the head.

    Raises:
        TypeError: tau is not a number, or the target not a Task.
        ValueError: tau is not above 0, or the target has no labels.

    Example:
        Two points at distance 2, one per class, and a loss that changes by at most 1 nat per unit: -log sigmoid(1).

        >>> found = transferability(Task([[-1.0], [1.0]], [0, 1], 2), tau=1.0)
        >>> round(found.loss, 4), found.accuracy
        (0.3133, 1.0)
    """
    check_task(target, "target")
    tau = check_positive(tau, "tau")
    head = fit_head(target, tau)
    y = target.labels
    return Transferability(float(head.losses(target.z, y).mean()), head.accuracy(target.z, y), head, tau)


@one_thread()
def fit_head(task: Task, tau: Real, gap: float = 1e-6) -> Head:
    """Return the linear softmax head of least mean loss among those with max_jk ||w_j - w_k|| <= tau.

    Loss and constraint are convex, so there is one best loss; an augmented Lagrangian with L-BFGS inside finds
    it, and a last scaling makes the constraint hold to the last bit. Classes absent from the sample get
    probability 0 up to rounding.

    Args:
        task: the sample, (n, d) features.
        tau: the Lipschitz constant, nats per unit of z, above 0.
        gap: stop when the loss is proven to be within this of the best, nats.
    """
    tau = check_positive(tau, "tau")
    present, y = torch.unique(task.labels, return_inverse=True)
    mean = task.z.mean(0)
    # Rows outside the span of the centred features only lengthen w_j - w_k: work inside an orthonormal basis of it.
    z = task.z - mean
    basis = torch.linalg.qr(z.T).Q if z.shape[0] < z.shape[1] else None
    inner = _solve(z if basis is None else z @ basis, y, len(present), tau, gap)
    weight = inner.weight if basis is None else inner.weight @ basis.T
    head = Head(weight, inner.bias - weight @ mean)
    if len(present) == task.n_classes:
        return head
    full = torch.full((task.n_classes,), float(head.bias.min()) - MASKED, dtype=torch.float64)
    full[present] = head.bias
    weights = head.weight.mean(0).repeat(task.n_classes, 1)
    weights[present] = head.weight
    return Head(weights, full)


def _solve(z: Tensor, y: Tensor, k: int, tau: float, gap: float) -> Head:
    """Augmented Lagrangian over U = W / tau (k, d) and c (k,), one multiplier for each pair of classes.

    The inner minimum never exceeds the best loss (weak duality), so its distance to the loss of a head that
    meets the constraint bounds what is left to gain.
    """
    if k == 1:  # nothing to tell apart, and rounding errors must not be scaled up to rows of norm 1
        return Head(torch.zeros(1, z.shape[1], dtype=z.dtype), torch.zeros(1, dtype=z.dtype))
    z, y = tau * z.to(environment.device()), y.to(environment.device())
    onehot = z.new_zeros(len(z), k).scatter_(1, y[:, None], 1.0)
    # L-BFGS wants rows and biases of one scale: x holds scale * U, so that logits change alike with both.
    scale = max(float(z.square().sum(1).mean().sqrt()), 1.0)
    # Steepest descent from W = 0: right for a small tau.
    best, multiplier, penalty = _first(Head(onehot.T @ z / len(z), torch.log(onehot.mean(0))), z, onehot)
    u, c, best_loss = best.weight, best.bias, _loss(best, z, onehot)
    worst_before = value_before = np.inf
    for _ in range(200):
        start, arguments = (
            torch.cat([scale * u.reshape(-1), c]).cpu().numpy(),
            (z, onehot, multiplier, penalty, scale),
        )
        options = {"maxiter": 50, "ftol": 1e-4 * gap, "gtol": 1e-9, "maxcor": 20}
        result = minimize(_lagrangian, start, arguments, "L-BFGS-B", jac=True, options=options)
        u, c = _unpack(result.x, onehot, z, scale)
        excess = squared_gaps(u) - 1.0
        inside = Head(_moved_inside(u), c)
        loss = _loss(inside, z, onehot)
        if loss < best_loss:
            best, best_loss = inside, loss
        if best_loss - result.fun < gap and (result.success or abs(value_before - result.fun) < gap):
            break
        worst = max(float(excess.max()), 0.0)
        multiplier = torch.clamp(multiplier + penalty * excess, min=0.0)
        if result.success and worst > max(0.5 * worst_before, 1e-7):
            penalty *= 4.0
        worst_before, value_before = worst if result.success else worst_before, result.fun
    return Head(best.weight.cpu() * (tau * (1 - 1e-14)), best.bias.cpu())


def _loss(head: Head, z: Tensor, onehot: Tensor) -> float:
    """Mean loss of a head, nats, wherever the samples are."""
    log_p = torch.log_softmax(z @ head.weight.T + head.bias, dim=1)
    return -float((log_p * onehot).sum()) / len(z)


def _first(head: Head, z: Tensor, onehot: Tensor) -> tuple[Head, Tensor, float]:
    """A head that meets the constraint with equality, multipliers, and a penalty of their size.

    At the best head the multipliers sum to minus the slope of the loss along U. Divided evenly among the pairs they
    have the right size, and a penalty in proportion keeps the problem as well conditioned as the loss is.
    """
    k, u = len(head.weight), head.weight - head.weight.mean(0)
    u = u / max(Head(u, head.bias).lipschitz, 1e-300)
    residual = torch.softmax(z @ u.T + head.bias, dim=1) - onehot
    # The loss is convex and 0 at least: at the best head its slope along U is no steeper than from log K.
    steepness = min(-float(((residual.T @ z) * u).sum()) / len(z), math.log(k))
    each = max(steepness, 0.0) / (k * (k - 1))
    penalty = min(max(STIFFNESS * float(z.square().sum(1).mean()), 10 * each, 1e-12), 1.0)
    return Head(u, head.bias), u.new_full((k, k), each).fill_diagonal_(0.0), penalty


def _moved_inside(u: Tensor, passes: int = 10) -> Tensor:
    """Rows moved so that no two are more than 1 apart: pairs that are approach each other, a last scaling does the rest."""
    basis = torch.linalg.qr(u.T) if u.shape[1] > len(u) else None
    x = u if basis is None else basis.R.T
    for _ in range(passes):
        distance = squared_gaps(x).clamp(min=0.0).sqrt()
        if float(distance.max()) <= 1 + 1e-6:
            break
        excess = (1 - 1 / distance).clamp(min=0.0)
        crowd = (excess > 0).sum(1).clamp(min=1)
        pull = 1.5 * excess / (crowd[:, None] + crowd)
        x = x - (pull.sum(1)[:, None] * x - pull @ x)
    moved = x if basis is None else x @ basis.Q.T
    return moved / max(Head(moved, u[:, 0]).lipschitz, 1.0)


def _lagrangian(
    x: np.ndarray, z: Tensor, onehot: Tensor, multiplier: Tensor, penalty: float, scale: float
) -> tuple:
    """Value and gradient of the loss plus the augmented penalty of all pairs of classes."""
    u, c = _unpack(x, onehot, z, scale)
    log_p = torch.log_softmax(z @ u.T + c, dim=1)
    residual = (log_p.exp() - onehot) / len(z)
    force = torch.clamp(penalty * (squared_gaps(u) - 1.0) + multiplier, min=0.0)  # (k, k), symmetric
    value = -(log_p * onehot).sum() / len(z) + ((force**2 - multiplier**2).sum() / (4 * penalty))
    grad_u = residual.T @ z + 2 * (force.sum(1)[:, None] * u - force @ u)
    return float(value), torch.cat([grad_u.reshape(-1) / scale, residual.sum(0)]).cpu().numpy()


def squared_gaps(u: Tensor) -> Tensor:
    """Squared norms of u_j - u_k, (k, k); exactly 0 on the diagonal."""
    gram = u @ u.T
    norms = gram.diagonal()
    return (norms[:, None] + norms[None, :] - 2 * gram).fill_diagonal_(0.0)


def _unpack(x: np.ndarray, onehot: Tensor, z: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """U and c, where the samples are."""
    k, d = onehot.shape[1], z.shape[1]
    vector = torch.from_numpy(np.array(x, dtype=np.float64)).to(z.device)
    return vector[: k * d].reshape(k, d) / scale, vector[k * d :]
