"""Images as encoders take them: checked, resized, normalised."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Normalization:
    """The input normalisation that a network was trained with: values 0..255 minus ``mean``, over ``deviation``.

    Attributes:
        mean: one number, or one per channel in the network's order.
        deviation: the same.
        bgr: channels in the order blue, green, red.
    """

    mean: float | Sequence[float]
    deviation: float | Sequence[float] = 1.0
    bgr: bool = False

    def __call__(self, images: np.ndarray, size: int) -> np.ndarray:
        """Return images uint8 (n, h, w[, 3]) as float32 (n, 3, size, size); other sizes are resampled, bicubic.

        Raises:
            ValueError: ``images`` are of another type or shape.
        """
        check_images(images)
        rgb = (Image.fromarray(i).convert("RGB") for i in images)
        resized = [np.asarray(i.resize((size, size), Image.Resampling.BICUBIC)) for i in rgb]
        x = np.reshape(resized, (-1, size, size, 3))[..., :: -1 if self.bgr else 1].astype(np.float32)
        return ((x - np.float32(self.mean)) / np.float32(self.deviation)).transpose(0, 3, 1, 2)


@dataclass(frozen=True)
class Preset:
    """The preprocessing that a library publishes with its weights; ``make`` returns it, a function of one image."""

    make: Callable[[], Callable[[Image.Image], Any]]

    def __call__(self, images: np.ndarray, size: int) -> np.ndarray:
        """Return images uint8 (n, h, w[, 3]) as float32 (n, 3, size, size).

        Raises:
            ValueError: ``images`` are of another type or shape, or the preprocessing gives another size.
        """
        check_images(images)
        prepare = self.make()
        x = [np.asarray(prepare(Image.fromarray(i).convert("RGB")), np.float32) for i in images]
        if x and x[0].shape != (3, size, size):
            raise ValueError(f"size must be {x[0].shape[-1]}, the side that these weights take, got {size}")
        return np.reshape(x, (-1, 3, size, size)).astype(np.float32)


def grey(images: np.ndarray, size: int) -> np.ndarray:
    """Return images as float32 (n, 1, size, size) in [0, 1]; colours become luminance, other sizes are resampled.

    Raises:
        ValueError: ``images`` are not uint8 (n, h, w[, 3]).
    """
    check_images(images)
    if images.shape[1:] == (size, size):
        return images[:, None].astype(np.float32) / 255
    luminance = (Image.fromarray(i).convert("L") for i in images)
    resized = [np.asarray(i.resize((size, size), Image.Resampling.BILINEAR)) for i in luminance]
    return np.stack(resized)[:, None].astype(np.float32) / 255


def check_images(images: np.ndarray) -> None:
    """Raise ValueError unless ``images`` are uint8 (n, h, w), or (n, h, w, 3)."""
    grey_or_rgb = images.ndim == 3 or (images.ndim == 4 and images.shape[3] == 3)
    if images.dtype != np.uint8 or not grey_or_rgb:
        raise ValueError(
            f"images must be uint8 of shape (n, h, w) or (n, h, w, 3), got {images.dtype} {images.shape}; "
            "scale values to 0..255 and put the colours last"
        )
