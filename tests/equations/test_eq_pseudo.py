"""eq-pseudo: the labels that the bound speaks of are those of the transformed classifier, a fixed point."""

import torch

from taskrel_core import Task, relatedness
from tests.generators import gaussian_task


def test_pseudo_labels_are_the_classifiers_own():
    reference, full = (
        gaussian_task(120, 5, 3, seed=8, separation=4.0),
        gaussian_task(90, 5, 3, seed=9, separation=4.0),
    )
    r = relatedness(reference, Task(full.z, None, 3), 1.0, labels="pseudo")
    assert torch.equal(r.classifier(full.z).argmax(1), r.target_labels)
    assert not r.certified
    # The clusters are far apart: up to names, the pseudo-labels are the classes.
    table = torch.zeros(3, 3).index_put_((r.target_labels, full.labels), torch.ones(90), accumulate=True)
    assert float(table.max(0).values.sum()) / 90 > 0.95
