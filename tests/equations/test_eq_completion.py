"""eq-completion: a contraction of the span becomes an invertible map whose inverse is no expansion."""

import pytest
import torch

from taskrel_core.method.transform import clip_spectrum, complete
from tests.generators import rotation


@pytest.mark.parametrize(("r", "d"), [(1, 4), (3, 7), (3, 9), (4, 4)])
def test_coordinates_norm_and_inverse(r, d):
    g = torch.Generator().manual_seed(r)
    E = rotation(d, d)[:r].contiguous()
    M = clip_spectrum(2 * torch.randn(r, d, generator=g, dtype=torch.float64))
    m, z = (
        torch.randn(r, generator=g, dtype=torch.float64),
        torch.randn(50, d, generator=g, dtype=torch.float64),
    )
    A, A_inv, b, basis = complete(M, m, E)
    assert torch.allclose((z - b) @ A_inv.T @ E.T, z @ M.T + m, atol=1e-9)
    assert torch.allclose(A @ A_inv, torch.eye(d, dtype=torch.float64), atol=1e-9)
    assert float(torch.linalg.matrix_norm(A_inv, 2)) <= 1 + 1e-12
    outside = z - z @ basis @ basis.T
    assert torch.allclose(outside @ A.T, outside, atol=1e-12)
