"""Pseudo-labels: where labelling starts, and which of the labellings passed through is kept (``eq-pseudo``)."""

import torch
from torch import Tensor

from ..task import Task
from .bound import Relatedness
from .head import Head
from .threads import one_thread


def first_labels(target: Task, head: Head, seed: int) -> list[Tensor]:
    """Return pseudo-labels to start from: those of h_R with A = I and aligned means, and clusters of the target's features."""
    from sklearn.cluster import KMeans  # here: its import takes seconds, and only unlabelled targets need it

    logits = head.trusted_logits(target.z)
    classes, counts = torch.unique(logits.argmax(1), return_counts=True)
    largest = classes[counts.argsort(descending=True)][: target.n_classes]
    k = min(target.n_classes, len(torch.unique(target.z, dim=0)))
    with one_thread():  # again: of the libraries that came with the import too
        means = KMeans(k, n_init=4, random_state=seed)  # pyright: ignore[reportArgumentType]
        clusters = means.fit_predict(target.z.numpy())
    return [logits[:, largest].argmax(1), torch.from_numpy(clusters).long()]


def implausible(result: Relatedness) -> tuple[int, float]:
    """Return a sort key, smaller is better: minus the number of classes used, then bound less entropy of the labels, nats.

    Bounds of different labels are not comparable: one class for all samples has no loss at all.
    """
    fractions = torch.bincount(result.target_labels).double() / len(result.target_labels)
    return -int((fractions > 0).sum()), result.bound + float(torch.xlogy(fractions, fractions).sum())
