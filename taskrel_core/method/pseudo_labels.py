"""Pseudo-labels: where labelling starts, and which of the labellings passed through is kept (``eq-pseudo``)."""

import torch
from torch import Tensor

from ..task import Task
from .bound import Relatedness
from .head import Head

__all__ = ["first_labels", "implausible"]


def first_labels(target: Task, head: Head, seed: int) -> list[Tensor]:
    """Return pseudo-labels to start from: what h_R says with A = I, and clusters of the target's features."""
    from sklearn.cluster import KMeans  # here: its import takes seconds, and only unlabelled targets need it

    said = head.logits(target.z).argmax(1)
    classes, counts = torch.unique(said, return_counts=True)
    largest = classes[counts.argsort(descending=True)][: target.n_classes]
    logits = head.logits(target.z)[:, largest]
    k = min(target.n_classes, len(torch.unique(target.z, dim=0)))
    clusters = KMeans(k, n_init=4, random_state=seed).fit_predict(target.z.numpy())
    return [logits.argmax(1), torch.from_numpy(clusters).long()]


def implausible(result: Relatedness) -> tuple[int, float]:
    """Return by what pseudo-labels are ranked, least first: minus the classes used, then bound less entropy of the labels, nats.

    Bounds of different labels can't be compared as they are: one class for all samples has no loss at all.
    """
    share = torch.bincount(result.target_labels).double() / len(result.target_labels)
    return -int((share > 0).sum()), result.bound + float(torch.xlogy(share, share).sum())
