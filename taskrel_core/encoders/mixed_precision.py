"""Any encoder in mixed precision, ``NAME@bfloat16``: for features and posteriors only, never for the method."""

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch

from .. import environment
from .base import ENCODERS, Encoder, TrainingSample

PRECISIONS = {"bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, kw_only=True, eq=False)
class MixedPrecision(Encoder):
    """An encoder whose network runs in torch's mixed precision; it cannot be trained."""

    whole: Encoder
    precision: str

    @property
    def version(self) -> str:
        """What determines the features."""
        return f"{self.whole.version}-{self.precision}"

    def path(self) -> Path:
        """Return the weights file, fetched if need be."""
        return self.whole.path()

    def fit(self, sample: TrainingSample) -> "MixedPrecision":
        """Return the encoder fitted on ``sample`` in full precision."""
        return replace(self, whole=self.whole.fit(sample))

    def features(self, images: np.ndarray, size: int | None = None) -> np.ndarray:
        """Return features, float32 (n, dim), without gradients."""
        with self._autocast():
            return self.whole.features(images, size)

    def posteriors(self, images: np.ndarray, size: int | None = None) -> np.ndarray:
        """Return probabilities of the classes of the source task, float32 (n, K_S)."""
        self.check_has_head()
        with self._autocast():
            return self.whole.posteriors(images, size)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(environment.device().partition(":")[0], PRECISIONS[self.precision])


def mixed(name: str) -> MixedPrecision | None:
    """Return the encoder of ``NAME@PRECISION``, or None for a name of another kind."""
    base, _, precision = name.rpartition("@")
    if not base or precision not in PRECISIONS:
        return None
    whole = ENCODERS[base]
    facts = {f.name: getattr(whole, f.name) for f in fields(Encoder)}
    facts |= {"name": name, "normalization": None}  # not trainable
    return MixedPrecision(**facts, whole=whole, precision=precision)
