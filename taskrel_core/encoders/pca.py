"""Principal components of pixels, a floor: what an encoder reaches that looks at nothing but grey values."""

import numpy as np

from .base import OURS, Encode, FittedEncoder, TrainingSample, register
from .preprocessing import grey

DIM, SIDE = 64, 28


def principal_components(sample: TrainingSample) -> Encode:
    """Return the projection of images on the 64 leading principal components of the sample's grey 28x28 pixels."""
    pixels = _pixels(sample.images)
    mean = pixels.mean(0)
    # Signs of singular vectors are arbitrary: fixed by the largest entry.
    components = np.linalg.svd(pixels - mean, full_matrices=False)[2][:DIM]
    signs = np.sign(components[np.arange(len(components)), np.abs(components).argmax(1)])
    basis = np.zeros((DIM, SIDE * SIDE), np.float32)
    basis[: len(components)] = components * signs[:, None]
    return lambda images: (_pixels(images) - mean) @ basis.T


def _pixels(images: np.ndarray) -> np.ndarray:
    return grey(images, SIDE).reshape(-1, SIDE * SIDE)


register(
    FittedEncoder(
        name="pca",
        dim=DIM,
        source_task="none: pixels",
        licence=OURS,
        input_size=SIDE,
        recipe="pca-1",
        learn=principal_components,
    )
)
