"""Any encoder in mixed precision, ``NAME@bfloat16``: for features and posteriors only, never for the method."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from .. import environment

__all__ = ["PRECISIONS", "mixed"]


PRECISIONS = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def mixed(entry: Any, precision: str) -> Any:
    """Return an encoder's entry whose network runs in torch's mixed precision; it cannot be trained.

    Args:
        entry: an ``Encoder``; it stays as it is.
        precision: name in PRECISIONS.
    """

    def lower(run: Callable[..., Any]) -> Callable[..., Any]:
        def at_lower_precision(*args: Any) -> Any:
            with torch.autocast(environment.device().partition(":")[0], PRECISIONS[precision]):
                return run(*args)

        return at_lower_precision

    return replace(
        entry,
        name=f"{entry.name}@{precision}",
        stamp=lambda: f"{entry.version}-{precision}",
        build=lambda fit, size=None: lower(entry.build(fit, size)),
        posteriors=lower(entry.posteriors) if entry.posteriors else None,
        trunk=None,
        look=None,
    )
