"""Natural images from a tar in TASKREL_DATA: NAME/{train,test}/<class>/<file>, in order of name."""

import tarfile
from collections.abc import Callable, Iterable
from itertools import compress
from pathlib import Path, PurePosixPath

import numpy as np
from tqdm import tqdm

from ..assets.sources import local
from .datasets import SPLITS, read_npz, register_arrays
from .pictures import read_square

CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

# The 200 ImageNet classes of Tiny-ImageNet by their WordNet numbers: names of the folders in its archive.
NUMBERS = """
01443537 01629819 01641577 01644900 01698640 01742172 01768244 01770393 01774384 01774750 01784675 01855672
01882714 01910747 01917289 01944390 01945685 01950731 01983481 01984695 02002724 02056570 02058221 02074367
02085620 02094433 02099601 02099712 02106662 02113799 02123045 02123394 02124075 02125311 02129165 02132136
02165456 02190166 02206856 02226429 02231487 02233338 02236044 02268443 02279972 02281406 02321529 02364673
02395406 02403003 02410509 02415577 02423022 02437312 02480495 02481823 02486410 02504458 02509815 02666196
02669723 02699494 02730930 02769748 02788148 02791270 02793495 02795169 02802426 02808440 02814533 02814860
02815834 02823428 02837789 02841315 02843684 02883205 02892201 02906734 02909870 02917067 02927161 02948072
02950826 02963159 02977058 02988304 02999410 03014705 03026506 03042490 03085013 03089624 03100240 03126707
03160309 03179701 03201208 03250847 03255030 03355925 03388043 03393912 03400231 03404251 03424325 03444034
03447447 03544143 03584254 03599486 03617480 03637318 03649909 03662601 03670208 03706229 03733131 03763968
03770439 03796401 03804744 03814639 03837869 03838899 03854065 03891332 03902125 03930313 03937543 03970156
03976657 03977966 03980874 03983396 03992509 04008634 04023962 04067472 04070727 04074963 04099969 04118538
04133789 04146614 04149813 04179913 04251144 04254777 04259630 04265275 04275548 04285008 04311004 04328186
04356056 04366367 04371430 04376876 04398044 04399382 04417672 04456115 04465501 04486054 04487081 04501370
04507155 04532106 04532670 04540053 04560804 04562935 04596742 04597913 06596364 07579787 07583066 07614500
07615774 07695742 07711569 07715103 07720875 07734744 07747607 07749582 07753592 07768694 07871810 07873807
07875152 07920052 09193705 09246464 09256479 09332890 09428293 12267677
"""

WNIDS = tuple(f"n{number}" for number in NUMBERS.split())
IMAGENETTE = """
n01440764 n02102040 n02979186 n03000684 n03028079 n03394916 n03417042 n03425413 n03445777 n03888257
"""
TEXTURES = "banded blotchy braided bubbly bumpy chequered cobwebbed cracked crosshatched crystalline"
PACS = ("dog", "elephant", "giraffe", "guitar", "horse", "house", "person")
BREEDS = """
Abyssinian Bengal Birman Bombay British_Shorthair Egyptian_Mau Maine_Coon Persian Ragdoll Russian_Blue Siamese Sphynx
american_bulldog american_pit_bull_terrier basset_hound beagle boxer chihuahua english_cocker_spaniel english_setter
german_shorthaired great_pyrenees havanese japanese_chin keeshond leonberger miniature_pinscher newfoundland pomeranian
pug saint_bernard samoyed scottish_terrier shiba_inu staffordshire_bull_terrier wheaten_terrier yorkshire_terrier
"""


def read_tar(file: str, classes: tuple[str, ...], side: int) -> Callable[[Path], dict[str, np.ndarray]]:
    """Return the function from a tar to x_train, y_train, x_test, y_test, sorted by class, then file.

    Images are uint8 (n, side, side, 3), labels uint8 (n,). Test pictures that are in the train part too are left out.
    The function raises ValueError if the archive is damaged, has other classes, or a picture in it cannot be read.

    Args:
        file: name of the tar.
        classes: names of its folders, sorted.
        side: of the stored pictures, pixels.
    """

    def decode(path: Path) -> dict[str, np.ndarray]:
        parts: dict[str, list] = {f"{key}_{split}": [] for key in "xy" for split in SPLITS}
        with _opened(path) as tar:
            members = {PurePosixPath(m.name).parts[-3:]: m for m in tar.getmembers() if m.isfile()}
            _check(members, file, classes)
            for split, kind, name in tqdm(sorted(members), desc=file, leave=False, delay=2):
                content = tar.extractfile(members[split, kind, name])
                assert content is not None  # it is a file
                parts[f"x_{split}"].append(read_square(content.read(), side, name))
                parts[f"y_{split}"].append(classes.index(kind))
        seen = {picture.tobytes() for picture in parts["x_train"]}
        fresh = [picture.tobytes() not in seen for picture in parts["x_test"]]
        for key in ("x_test", "y_test"):
            parts[key] = list(compress(parts[key], fresh))
        return {key: np.array(values, np.uint8) for key, values in parts.items()}

    return decode


def _opened(path: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(path)
    except tarfile.TarError as error:
        raise ValueError(f"{path.name} is not a readable tar ({error})") from error


def _check(members: Iterable[tuple[str, ...]], file: str, classes: tuple[str, ...]) -> None:
    wanted = {(split, kind) for split in SPLITS for kind in classes}
    odd = sorted("/".join(pair) for pair in {parts[:-1] for parts in members} ^ wanted)
    if odd:
        raise ValueError(
            f"{file} must hold NAME/{{train,test}}/<class>/<file> for its {len(classes)} classes; "
            f"missing or not expected: {', '.join(odd[:5])}"
        )


def _register(
    name: str, file: str, classes: tuple[str, ...], side: int, licence: str, origin: str, sha256: str
) -> None:
    read = read_tar(file, classes, side)
    by_hand = f"{file} (a tar of NAME/train|test/<class>/<file>)"
    register_arrays(name, classes, licence, origin, [local(file)], read, sha256, by_hand, optional=True)


_register(
    "cifar10",
    "cifar10-jpeg.tar",
    CIFAR,
    32,
    "none stated; cite Krizhevsky 2009",
    "CIFAR-10, 1000 + 200 pictures per class, kept as JPEG and so slightly changed, 32x32",
    "8bebe9735418ca70c63414223dba00305c2c2b614b802de96309d3dc90ddc33b",
)
_register(
    "dtd10",
    "dtd10.tar",
    tuple(TEXTURES.split()),
    128,
    "for research; cite Cimpoi et al. 2014",
    "the first 10 of 47 textures of DTD, not in its own split, shorter side scaled to 128 and cropped",
    "22426be881e1186a945b49377b346f2ab37aed754f37f00df9fb06e187f17b1c",
)
_register(
    "flowers5",
    "flowers5.tar",
    ("daisy", "dandelion", "rose", "sunflower", "tulip"),
    128,
    "none stated; photographs of unknown licence",
    "photographs of five flowers, 128x128; three of the test part that are in the train part too are left out",
    "198a116f53e245341a1ac2c76826a865eac98a9c5720335d23035e52ebee2ba3",
)
_register(
    "tiny_imagenet",
    "tiny-imagenet-200-32px.tar",
    WNIDS,
    32,
    "ImageNet's terms: non-commercial research",
    "the 200 ImageNet classes of Tiny-ImageNet, 100 + 50 pictures per class, at 32x32, not ImageNet's resolution",
    "012d321df31c713bd55a976125861ec2b4af46bce54d90a670577474707e2a46",
)
_register(
    "imagenette",
    "imagenette10-128.tar",
    tuple(IMAGENETTE.split()),
    128,
    "ImageNet's terms: non-commercial research",
    "ten easily told ImageNet classes (Imagenette), 200 + 80 pictures per class of its own parts, 128x128; networks that "
    "learned ImageNet have seen most of them",
    "58c3d488441d404d84d17adaffeb158d73d3883a7926b2c27278ca009fce87b2",
)
_register(
    "pets37",
    "pets37-oxford10.tar",
    tuple(BREEDS.split()),
    192,
    "CC BY-SA 4.0; cite Parkhi et al. 2012",
    "the 37 breeds of the Oxford-IIIT Pets, 7 + 3 pictures per breed, not its own split, shorter side scaled to 192 and "
    "cropped",
    "55b9eb41e4727cdefc1e046a4781a57158c56c3e1016f0ff08c4ea08da3a2b71",
)
for _style, _how, _sha in (
    ("photo", "photographs", "d80ba9a0117fed0b27169950b683a5629d965775a849eab5085d0200ab0c862a"),
    ("art", "paintings", "f7521749a4133a9136a6dfc473dd7096feda3bb8fe71401cab8904597d08052f"),
    ("cartoon", "cartoons", "8715d7bd36720a48653dc0a400bab0662aaefb9df34cba324e917593a4864214"),
):
    _register(
        f"pacs_{_style}",
        f"pacs-{_style}.tar",
        PACS,
        128,
        "none stated; cite Li et al. 2017",
        f"{_how} of the seven kinds of things in PACS, 60 + 30 per class, 128x128",
        _sha,
    )
_register(
    "intel_scenes",
    "intel-scenes6.tar",
    ("buildings", "forest", "glacier", "mountain", "sea", "street"),
    100,
    "none stated; contest of Intel and Analytics Vidhya",
    "photographs of six kinds of scenes, 120 + 60 per class, 100x100",
    "1554fe1fbb4a92fe9674d4d5ebcd477066195436d92074a8117749d5209acd74",
)
register_arrays(
    "mnist_m",
    tuple("0123456789"),
    "code MIT; cite Ganin et al. 2016",
    "digits of MNIST blended into photographs (MNIST-M), 200 + 100 per class, 32x32",
    [local("mnist-m.npz")],
    read_npz,
    "074703a08b2a9e403a743fd6cfe1a92ae5f08e82d8f16f0484bf008ea52eda3e",
    "mnist-m.npz (uint8 arrays x_train, y_train, x_test, y_test)",
    optional=True,
)
