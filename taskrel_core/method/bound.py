"""The three terms of the bound, their sum, and what certifies it (``eq-bound``)."""

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .head import Head
from .transform import Transform


def reweighted_loss(class_losses: Float[Tensor, " kr"], prior: Float[Tensor, " kr"]) -> float:
    """Return E_R[C(y) l(h_R(z), y)] = sum_j P_R'(j) L_j, in nats (``eq-reweighted``).

    Args:
        class_losses: L_j, mean loss of h_R on reference class j; not read where the prior is 0.
        prior: P_R'(y).
    """
    used = prior > 0
    return float((prior[used] * class_losses[used]).sum())


def label_mismatch(prior: Float[Tensor, " kr"], B: Float[Tensor, "kt kr"]) -> float:
    """Return H(Y_R''|Y_R') = - sum_j P_R'(j) sum_i B_ij log B_ij, in nats, with 0 log 0 = 0 (``eq-entropy``)."""
    return max(float(-(prior * torch.xlogy(B, B).sum(0)).sum()), 0.0) + 0.0


def loss_constant(head: Head, A_inv: Float[Tensor, "d d"]) -> float:
    """Return max_jk ||(w_j - w_k) A^-1||, the Lipschitz constant of z -> -log h_R'''(z)_y (``eq-lipschitz``)."""
    return Head(head.weight @ A_inv, head.bias).lipschitz


def is_certified(
    head: Head, transform: Transform, target_prior: Float[Tensor, " kt"], constant: float, exact: bool
):
    """Return whether the sum of the terms is proven to lie above the loss of h_R''' on the sample.

    Asks for: the constant of ``head`` behind A^-1 at most ``constant``; A_inv the inverse of A; B with columns
    that sum to 1; B P_R' = P_T; every transport solved to proven optimality.
    """
    identity = torch.eye(len(transform.A), dtype=torch.float64)
    return bool(
        exact
        and loss_constant(head, transform.A_inv) <= constant * (1 + 1e-9) + 1e-12
        and torch.allclose(transform.A @ transform.A_inv, identity, rtol=0, atol=1e-8)
        and torch.allclose(
            transform.B.sum(0), torch.ones(len(transform.prior), dtype=torch.float64), rtol=0, atol=1e-12
        )
        and torch.allclose(transform.B @ transform.prior, target_prior, rtol=0, atol=1e-12)
    )


@dataclass(frozen=True, eq=False)
class Relatedness:
    """The bound on the target's loss after transfer, its terms, and the transformation that gives them.

    ``bound`` = ``reweighted_loss`` + ``label_mismatch`` + ``tau`` * ``distribution_mismatch`` (nats; lower means
    more related). An upper bound on the *loss of this sample*; on new data it is an estimate like any other.
    """

    reweighted_loss: float  # nats
    label_mismatch: float  # nats
    distribution_mismatch: float  # units of the metric: features, or nats for logit and one_sided
    tau: float  # nats per unit of the metric; 1 for logit and one_sided
    certified: bool
    transform: Transform
    head: Head  # h_R; classes that R' does not use have probability 0
    metric: str
    method: str
    target_labels: Int[Tensor, " n"] = field(
        repr=False
    )  # the labels that the bound is about (true or pseudo)
    loss: float = math.nan  # of h_R''' on the target sample, nats
    accuracy: float = math.nan  # of h_R''' on the target sample
    chain: dict[str, float] = field(default_factory=dict)  # bound under each metric up to this one, nats

    @property
    def bound(self) -> float:
        """The sum of the three terms, in nats."""
        return self.reweighted_loss + self.label_mismatch + self.tau * self.distribution_mismatch

    def classifier(self, z: Any) -> Float[Tensor, "n kt"]:
        """Return h_R'''(z) = B h_R(A^-1 (z - b)) of target features, probabilities (n, K_T)."""
        return self.log_classifier(z).exp()

    def evaluate(self, z: Any, labels: Int[Tensor, " n"]) -> tuple[float, float]:
        """Return mean loss (nats) and accuracy of the transformed classifier on samples z, (n, d), with labels 0..K_T - 1."""
        log_h = self.log_classifier(z)
        loss = float(-log_h.gather(1, labels[:, None]).mean())
        return loss, float((log_h.argmax(1) == labels).double().mean())

    def log_classifier(self, z: Any) -> Float[Tensor, "n kt"]:
        """Return log h_R'''(z), (n, K_T), without underflow."""
        used = self.transform.prior > 0  # only these: a loss above MASKED would see the others
        log_h = torch.log_softmax(self.head.logits(self.transform.pull_back(z))[:, used], dim=1)
        rows = torch.log(self.transform.B[:, used])
        return torch.stack([torch.logsumexp(log_h + row, dim=1) for row in rows], dim=1)
