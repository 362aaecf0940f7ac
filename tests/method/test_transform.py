"""The transformation: known maps, random maps that use classes evenly, and what the parts refuse."""

import numpy as np
import pytest
import torch

from taskrel_core.method.transform import Transform, label_coupling, map_to_q, random_map
from tests.generators import rotation


def test_a_class_map_is_one_hot_and_gives_a_hard_label_map():
    q = map_to_q([2, 0, 2], 4)
    assert q.sum(1).tolist() == [1.0, 1.0, 1.0]
    assert q.argmax(1).tolist() == [2, 0, 2]
    prior, B = label_coupling(q, torch.tensor([0.5, 0.3, 0.2]).double())
    np.testing.assert_allclose(prior, [0.3, 0.0, 0.7, 0.0])
    np.testing.assert_allclose(B[:, 2], [5 / 7, 0, 2 / 7])
    np.testing.assert_allclose(B[:, [1, 3]], 1 / 3)  # unused: uniform by convention


@pytest.mark.parametrize(("k_t", "k_r"), [(3, 5), (5, 5), (7, 3)])
@pytest.mark.parametrize("seed", range(5))
def test_a_random_map_uses_present_classes_about_equally(k_t, k_r, seed):
    t_present, r_present = torch.ones(k_t, dtype=torch.bool), torch.ones(k_r, dtype=torch.bool)
    t_present[1], r_present[0] = False, False
    sigma = random_map(t_present, r_present, seed)
    assert sigma == random_map(t_present, r_present, seed)
    used = np.bincount([j for j, here in zip(sigma, t_present, strict=True) if here], minlength=k_r)
    assert used[0] == 0
    assert used[1:].max() - used[1:].min() <= 1


def test_random_maps_differ_between_seeds():
    here = torch.ones(6, dtype=torch.bool)
    assert len({tuple(random_map(here, here, seed)) for seed in range(10)}) > 5


def test_apply_and_pull_back_undo_each_other_and_refuse_other_widths():
    A, b = rotation(3, 0), torch.arange(3).double()
    t = Transform(A, A.T.contiguous(), b, torch.eye(2).double(), torch.full((2,), 0.5).double())
    z = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    before = z.copy()
    np.testing.assert_allclose(t.pull_back(t.apply(z)), z, atol=1e-7)
    np.testing.assert_array_equal(z, before)
    for move in (t.apply, t.pull_back):
        with pytest.raises(ValueError, match="z and the transform must have the same width, got 2 and 3"):
            move(np.eye(2))
        with pytest.raises(ValueError, match="z must be finite"):
            move([[0.0, np.nan, 1.0]])
