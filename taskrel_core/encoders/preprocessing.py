"""Pictures as encoders want them: checked, resized, scaled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

__all__ = ["Look", "Preset", "check_images", "grey"]


@dataclass(frozen=True)
class Look:
    """How a network was taught to see: colours in order RGB or BGR, minus ``mean``, divided by ``deviation``.

    ``mean`` and ``deviation`` are of values 0..255, one number or one for each colour in the network's order.
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
        pictures = (Image.fromarray(i).convert("RGB") for i in images)
        resized = [np.asarray(p.resize((size, size), Image.Resampling.BICUBIC)) for p in pictures]
        colours = np.reshape(resized, (-1, size, size, 3))[..., :: -1 if self.bgr else 1].astype(np.float32)
        seen = (colours - np.float32(self.mean)) / np.float32(self.deviation)
        return np.ascontiguousarray(seen.transpose(0, 3, 1, 2))


@dataclass(frozen=True)
class Preset:
    """The preparation that a library publishes with its weights; ``make`` returns it, a function of one picture."""

    make: Callable[[], Callable[[Image.Image], Any]]

    def __call__(self, images: np.ndarray, size: int) -> np.ndarray:
        """Return images uint8 (n, h, w[, 3]) as float32 (n, 3, size, size).

        Raises:
            ValueError: ``images`` are of another type or shape, or the preparation gives another size.
        """
        check_images(images)
        prepare = self.make()
        seen = [np.asarray(prepare(Image.fromarray(i).convert("RGB")), np.float32) for i in images]
        if seen and seen[0].shape != (3, size, size):
            raise ValueError(
                f"size must be {seen[0].shape[-1]}, the side that these weights want, got {size}"
            )
        return np.reshape(seen, (-1, 3, size, size)).astype(np.float32)


def grey(images: np.ndarray, size: int) -> np.ndarray:
    """Return images as float32 (n, 1, size, size) in [0, 1]; colours become luminance, other sizes are resampled.

    Raises:
        ValueError: ``images`` are not uint8 (n, h, w[, 3]).
    """
    check_images(images)
    if images.shape[1:] == (size, size):
        return images[:, None].astype(np.float32) / 255
    resized = [
        Image.fromarray(i).convert("L").resize((size, size), Image.Resampling.BILINEAR) for i in images
    ]
    return np.stack([np.asarray(i) for i in resized])[:, None].astype(np.float32) / 255


def check_images(images: np.ndarray) -> None:
    """Raise ValueError unless ``images`` are uint8 (n, h, w), or (n, h, w, 3)."""
    grey_or_rgb = images.ndim == 3 or (images.ndim == 4 and images.shape[3] == 3)
    if images.dtype != np.uint8 or not grey_or_rgb:
        raise ValueError(
            f"images must be uint8 of shape (n, h, w) or (n, h, w, 3), got {images.dtype} {images.shape}; "
            "scale values to 0..255 and put the colours last"
        )
