"""The three transformations R -> R' -> R'' -> R''': class prior, label map, features.

======  ==========  ==========  =====================================================
symbol  code        shape       meaning
======  ==========  ==========  =====================================================
D       ``prior``   (K_R,)      P_R'(y), the class prior of R'
B       ``B``       (K_T, K_R)  B_ij = P(y_R'' = i | y_R' = j), columns sum to 1
A       ``A``       (d, d)      z''' = A z + b
A^-1    ``A_inv``   (d, d)      its exact inverse
b       ``b``       (d,)        shift
pi, q   ``q``       (K_T, K_R)  pi_ij = P_T(i) q_ij, rows of q sum to 1
======  ==========  ==========  =====================================================
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from .._validation import as_features, check_same_width

FLOOR = 1e-4  # our choice: smallest singular value of a pull-back, so that A exists


@dataclass(frozen=True, eq=False)
class Transform:
    """What takes the reference task to R''' (symbols: head of this module)."""

    A: Float[Tensor, "d d"]
    A_inv: Float[Tensor, "d d"]
    b: Float[Tensor, " d"]
    B: Float[Tensor, "kt kr"]
    prior: Float[Tensor, " kr"]
    basis: Float[Tensor, "d w"] | None = None  # orthonormal; A moves their span alone; None: all

    def apply(self, z: Any) -> Float[Tensor, "n d"]:
        """Return z''' = A z + b of reference features, (n, d)."""
        z = as_features(z)
        check_same_width(z, self.A, "z", "the transform")
        return z @ self.A.T + self.b

    def pull_back(self, z: Any) -> Float[Tensor, "n d"]:
        """Return A^-1 (z - b) of target features, (n, d): the point as the reference's head sees it."""
        z = as_features(z)
        check_same_width(z, self.A, "z", "the transform")
        return (z - self.b) @ self.A_inv.T


def label_coupling(q: Float[Tensor, "kt kr"], target_prior: Float[Tensor, " kt"]) -> tuple[Tensor, Tensor]:
    """Return prior (K_R,) and B (K_T, K_R) of the coupling pi_ij = P_T(i) q_ij, so that B prior = P_T exactly.

    A reference class that feeds no target class has prior 0 and, by convention, a uniform column of B
    (``eq-coupling``).
    """
    pi = target_prior[:, None] * q
    prior = pi.sum(0)
    uniform = torch.full_like(pi, 1.0 / len(pi))
    return prior, torch.where(prior > 0, pi / torch.where(prior > 0, prior, 1.0), uniform)


def map_to_q(sigma: list[int], k_r: int) -> Float[Tensor, "kt kr"]:
    """Return the one-hot q of a class map: reference class sigma[i] feeds target class i."""
    return torch.eye(k_r, dtype=torch.float64)[torch.tensor(sigma)]


def random_map(target_present: Tensor, reference_present: Tensor, seed: int) -> list[int]:
    """Return a random class map that uses each present reference class about equally often (mode ``fixed_all``).

    Args:
        target_present: mask (K_T,) of the classes in the sample.
        reference_present: mask (K_R,).
        seed: of the draw.
    """
    generator = torch.Generator().manual_seed(seed)
    usable = reference_present.nonzero()[:, 0]
    order: list[int] = []
    while len(order) < len(target_present):
        order += usable[torch.randperm(len(usable), generator=generator)].tolist()
    present = iter(order[: int(target_present.sum())])
    return [next(present) if here else int(usable[0]) for here in target_present.tolist()]


@dataclass(frozen=True, eq=False)
class PullBack:
    """Coordinates E z of the reference and M z + m of the target, in which transport is measured.

    Without E they are all of z, of which an orthogonal M turns the first r and leaves the rest.
    """

    E: Tensor | None  # (p, d), orthonormal rows
    M: Tensor  # (p, d), singular values at most 1; (r, r), orthogonal, without E
    m: Tensor  # (p,), or (d,) without E

    def of_reference(self, z: Tensor) -> Tensor:
        """Return what transport sees of reference features, (n, p)."""
        return z if self.E is None else z @ self.E.T

    def of_target(self, z: Tensor) -> Tensor:
        """Return what transport sees of target features, (n, p)."""
        return self.turn(z) + self.m

    def turn(self, z: Tensor) -> Tensor:
        """Return M z, (n, p)."""
        r = self.M.shape[1]
        return z @ self.M.T if r == z.shape[1] else torch.cat([z[:, :r] @ self.M.T, z[:, r:]], dim=1)

    def along(self, rows: Tensor) -> Tensor:
        """Return rows of coefficients of E z as rows of coefficients of the target's z."""
        if self.E is not None:
            return (rows @ self.E.T) @ self.M
        r = len(self.M)
        return torch.cat([rows[:, :r] @ self.M, rows[:, r:]], dim=1)


def procrustes(
    source: Float[Tensor, "p r"],
    target: Float[Tensor, "p r"],
    weight: Float[Tensor, " p"],
    flip: bool = False,
) -> tuple[Float[Tensor, "r r"], Float[Tensor, " r"]]:
    """Return the orthogonal A and the shift b of least sum of weight * ||A source + b - target||^2.

    Args:
        source: points of the reference, one per pair.
        target: points of the target.
        weight: weight of each pair, not negative.
        flip: mirror the direction that the pairs say least about, for a start on the other side.
    """
    weight = weight / weight.sum()
    centre_s, centre_t = weight @ source, weight @ target
    A = _polar(((target - centre_t) * weight[:, None]).T @ (source - centre_s), flip)
    return A, centre_t - A @ centre_s


def leading_frame(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"], leading: int, most: int = 500) -> Tensor:
    """Return an orthonormal frame (d, d) whose first ``leading`` columns hold most of the spread of both samples.

    Found from at most ``most`` evenly spaced points of each; in it, A can turn the first coordinates alone, which
    is exact, and far cheaper for wide features.
    """
    some = [x[:: -(-len(x) // most)] for x in (a, b)]
    both = torch.cat([x - x.mean(0) for x in some])
    directions = torch.linalg.eigh(both @ both.T).eigenvectors[:, -leading:]
    return torch.linalg.qr(both.T @ directions, mode="complete").Q


def clip_spectrum(M: Float[Tensor, "r d"]) -> Float[Tensor, "r d"]:
    """Return M with its singular values moved into [FLOOR, 1], so that the pull-back keeps the loss tau-Lipschitz."""
    U, S, Vh = torch.linalg.svd(M, full_matrices=False)
    return (U * S.clamp(FLOOR, 1.0 - 1e-14)) @ Vh


def shrink(M: Float[Tensor, "r d"]) -> Float[Tensor, "r d"]:
    """Return M with singular values above 1 set to 1, by the small (r, r) eigenproblem."""
    values, U = torch.linalg.eigh(M @ M.T)
    factor = values.clamp(min=1.0).rsqrt()
    return M if float(factor.min()) == 1.0 else (U * factor) @ U.T @ M


def complete(
    M: Float[Tensor, "r d"], m: Float[Tensor, " r"], E: Float[Tensor, "r d"]
) -> tuple[Float[Tensor, "d d"], Float[Tensor, "d d"], Float[Tensor, " d"], Float[Tensor, "d w"]]:
    """Return A, A_inv and b whose pull-back has the coordinates M z + m on the span of E (``eq-completion``).

    On the complement of the span the pull-back is an isometry, so ||A_inv||_2 = max(||M||_2, 1). Outside the rows of M and
    E, whose basis is the fourth value, it is the identity.

    Args:
        M: linear part in the coordinates of the span, singular values in (0, 1].
        m: shift in those coordinates.
        E: orthonormal rows that span the differences of the head's rows.
    """
    r = len(M)
    U, S, Vh = torch.linalg.svd(M, full_matrices=False)
    basis = torch.linalg.qr(torch.cat([Vh, E]).T).Q
    rows, span = Vh @ basis, E @ basis  # (r, w)
    right = torch.linalg.qr(rows.T, mode="complete").Q[:, r:]  # complement of the rows of M, (w, w - r)
    left = torch.linalg.qr(span.T, mode="complete").Q[:, r:]  # complement of the span, (w, w - r)
    A_inv = span.T @ (U * S) @ rows + left @ right.T
    A = (rows.T / S) @ U.T @ span + right @ left.T
    return embed(A, basis), embed(A_inv, basis), -(Vh.T / S) @ (U.T @ m), basis


def embed(inner: Float[Tensor, "w w"], basis: Float[Tensor, "d w"]) -> Float[Tensor, "d d"]:
    """Return the map that is ``inner`` on the span of the orthonormal columns of ``basis``, and the identity outside it."""
    eye = torch.eye(len(basis), dtype=basis.dtype)
    return eye + basis @ (inner - eye[: len(inner), : len(inner)]) @ basis.T


def _polar(cross: Tensor, flip: bool) -> Tensor:
    """The orthogonal matrix nearest to ``cross``; with ``flip`` the nearest on the other side of the mirror."""
    U, _, Vh = torch.linalg.svd(cross)
    if flip:
        U[:, -1] *= -1
    return U @ Vh
