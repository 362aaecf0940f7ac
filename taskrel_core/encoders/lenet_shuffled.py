"""A control for LeNet: the same network and training, with the labels of the sample permuted.

What its features gain over the random start is what any training brings; what LeNet gains beyond that is due to the labels.
"""

from dataclasses import replace

import numpy as np

from .base import OURS, Encode, FittedEncoder, TrainingSample, register
from .lenet import SIDE, train_lenet


def train_on_permuted_labels(sample: TrainingSample) -> Encode:
    """Return the feature function of a LeNet trained on a sample whose labels are permuted with its seed.

    The fractions of the classes stay; the start, 0 epochs, is LeNet's of the same seed.

    Raises:
        ValueError: the cached state is damaged; the message names the file.
    """
    labels = np.random.default_rng(sample.seed).permutation(sample.labels)
    return train_lenet(replace(sample, labels=labels, key=f"shuffled-{sample.key}"))


register(
    FittedEncoder(
        name="lenet_shuffled",
        dim=200,
        source_task="the reference, its labels permuted",
        licence=OURS,
        input_size=SIDE,
        recipe="lenet-2-shuffled-1",
        learn=train_on_permuted_labels,
    )
)
