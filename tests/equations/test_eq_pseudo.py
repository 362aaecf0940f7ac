"""eq-pseudo: where clusters are clear, the labels that the bound speaks of are those of the transformed classifier."""

import numpy as np
import torch

from taskrel_core import Task, relatedness
from tests.generators import turned_copy


def test_pseudo_labels_are_the_classifiers_own():
    rng = np.random.default_rng(8)
    corners, y = 6 * np.eye(5)[:3] * [[1], [2], [3]], np.repeat(np.arange(3), [40, 25, 25])
    reference, sample = (Task(corners[y] + rng.normal(size=(90, 5)), y, 3) for _ in range(2))
    full, _ = turned_copy(sample, seed=9)
    r = relatedness(reference, Task(full.z, None, 3), 1.0, labels="pseudo")
    A_inv, b, B = r.transform.A_inv, r.transform.b, r.transform.B
    h_R = torch.softmax((full.z - b) @ A_inv.T @ r.head.weight.T + r.head.bias, dim=1)
    assert torch.equal((h_R @ B.T).argmax(1), r.target_labels)
    assert not r.certified
    # The clusters are far apart: up to names, the pseudo-labels are the classes.
    table = torch.zeros(3, 3).index_put_((r.target_labels, full.labels), torch.ones(90), accumulate=True)
    assert float(table.max(0).values.sum()) == 90
