"""The packaged encoders: known answers on labelled pictures, normalisation, and what happens with wrong weights."""

import io
import pickle
import subprocess
import sys
import tarfile
from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image

from taskrel_core import ENCODERS, MissingAsset, environment
from taskrel_core.assets.cache import keep_arrays
from taskrel_core.assets.sources import SourceFailed, pypi, sdist
from taskrel_core.encoders import array_files
from taskrel_core.encoders.array_files import read_onnx, read_squeezenet
from taskrel_core.encoders.packaged import CAFFE, LITE, Packaged
from taskrel_core.encoders.preprocessing import Normalization
from taskrel_core.encoders.weight_files import load_in_order

# Top-1 on the 20 pictures, less three: .90, .95, .90, .60, .85 and .85 were seen.
HEADS = {
    "efficientnet_lite0": 0.75,
    "efficientnet_lite1": 0.80,
    "efficientnet_lite2": 0.75,
    "squeezenet": 0.45,
    "mobilenet_v2_torchvision": 0.70,
    "mobilenet_v1": 0.70,
}
PACKAGED = [name for name, entry in ENCODERS.items() if isinstance(entry, Packaged)]
EVERY = [pytest.param(name, marks=pytest.mark.xdist_group(f"encoder-{name}")) for name in PACKAGED]
WITH_HEAD = [pytest.param(name, marks=pytest.mark.xdist_group(f"encoder-{name}")) for name in HEADS]
# Mean and standard deviation over the features of one made picture, and their mean weighted by their place.
KNOWN = {
    "efficientnet_lite0": (0.251178, 0.752214, -0.00334629),
    "efficientnet_lite1": (0.183645, 0.565289, 0.00749736),
    "efficientnet_lite2": (0.194396, 0.543808, 0.0135375),
    "squeezenet": (0.817273, 3.82127, -0.029254),
    "mobilenet_v2": (0.23791, 0.442218, -0.00852929),
    "mobilenet_v2_torchvision": (0.398966, 0.648395, 0.00602628),
    "mobilenet_v2_keras": (0.556966, 0.701193, -0.0160869),
    "mobilenet_v1": (0.0864481, 0.448893, -0.00539234),
    "densenet121": (0.383688, 0.949169, 0.117337),
    "vgg16": (1.6196, 7.50881, 0.0389541),
    "mobilenet_v2_dogs": (0.538796, 0.729341, -0.00242214),
    "mobilenet_v2_documents": (0.265613, 1.03638, -0.0491492),
    "mobilenet_v2_faces": (-0.00153265, 0.128856, 0.00203687),
    "extra_resnet18_anime": (0.30695, 0.332728, 0.0112213),
    "resnet50_thin": (0.680399, 0.932986, 0.0241661),
    "vgg16_edges": (8.84121, 25.3223, 0.346765),
    "lcnet_orientation": (-0.147224, 0.207732, 0.00426121),
    "vit_small_saliency": (0.0242432, 2.49795, -0.0210188),
}
PICTURES = "c009216355aea785ab8dcaa9b0522ddbb137600c4b838cbc073963ca78ddd394"


def pictures():
    """Return the 20 ImageNet pictures of foolbox, 256x256, and their labels, which stand in the files' names."""

    def decode(folder):
        files = sorted((folder / "foolbox" / "data").glob("imagenet_*.jpg"))
        images = [np.asarray(Image.open(f).convert("RGB").resize((256, 256))) for f in files]
        return {"x": np.stack(images), "y": np.array([int(f.stem.split("_")[2]) for f in files])}

    try:
        arrays = keep_arrays("foolbox_imagenet", [pypi("foolbox", "3.3.4")], decode, PICTURES, "")
    except MissingAsset as error:
        pytest.skip(str(error))
    return arrays["x"], arrays["y"]


def present(name):
    entry = ENCODERS[name]
    if entry.opt_in and not (environment.cache_dir() / "weights" / entry.file).exists():
        pytest.skip(f"its licence is {entry.licence!r}: fetch {name} by python -m taskrel_core {name}")
    try:
        return ENCODERS[name].load()
    except MissingAsset as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", WITH_HEAD)
def test_a_head_names_labelled_pictures(name):
    images, labels = pictures()
    present(name)
    p = ENCODERS[name].posteriors(images, ENCODERS[name].native_size)
    assert p.shape == (20, 1000)
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-5)
    assert (p.argmax(1) == labels).mean() >= HEADS[name]
    assert (np.argsort(-p, 1)[:, :5] == labels[:, None]).any(1).mean() >= 0.9


def test_those_that_come_with_a_head_are_known():
    assert {name for name in PACKAGED if ENCODERS[name].has_head} == set(HEADS)


@pytest.mark.parametrize("name", WITH_HEAD)
def test_posteriors_are_the_head_on_the_maps_at_the_size_of_the_features(name):
    trunk, scores = present(name)
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    with torch.inference_mode():
        maps = trunk.maps(ENCODERS[name].prepare(images))
        by_hand = scores[1](maps).softmax(1)
    np.testing.assert_allclose(ENCODERS[name].posteriors(images), by_hand, atol=1e-5)
    np.testing.assert_allclose(ENCODERS[name].features(images), maps.mean((2, 3)), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", EVERY)
def test_features_of_a_known_picture(name):
    """Features were compared once with those that each package's own code or graph, or Keras, gives: equal to 3e-6 of
    the largest. SqueezeNet and the dogs' network, whose packages bring other tools, answer for themselves: by labels,
    see above, and by a linear probe.
    """
    present(name)
    step = np.arange(64, dtype=np.uint8)
    picture = np.stack(np.broadcast_arrays(4 * step, 4 * step[:, None], step[:, None] ^ step), axis=2)[None]
    z = ENCODERS[name].features(picture)[0]
    by_place = z @ np.linspace(-1, 1, len(z), dtype=np.float32) / len(z)
    np.testing.assert_allclose([z.mean(), z.std(), by_place], KNOWN[name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", EVERY)
def test_the_skeleton_has_the_shapes_of_the_trunk_without_its_weights(name, monkeypatch):
    present(name)
    shapes = [p.shape for p in ENCODERS[name].load()[0].parameters()]
    monkeypatch.setattr(type(ENCODERS[name]), "path", lambda self: pytest.fail("no weights are needed"))
    assert [p.shape for p in ENCODERS[name].skeleton().parameters()] == shapes


@pytest.mark.parametrize("name", EVERY)
def test_versions_hold_the_hash_of_the_weights(name):
    entry = ENCODERS[name]
    assert entry.version.startswith(entry.sha256)
    unclear = entry.licence == "none stated" or "non-commercial" in entry.licence
    assert unclear == entry.opt_in == name.startswith("extra_")


def test_the_zoo_has_families_of_relatives_and_sources_beyond_imagenet():
    zoo = [ENCODERS[name] for name in PACKAGED if not ENCODERS[name].opt_in]
    families = Counter(entry.family for entry in zoo)
    assert "" not in families
    assert families == {
        "MobileNetV2": 6,
        "EfficientNet-Lite": 3,
        "VGG16": 2,
        **dict.fromkeys(["SqueezeNet", "MobileNetV1", "DenseNet", "ResNet", "PP-LCNet", "ViT"], 1),
    }
    assert sum(entry.source_task.startswith("ImageNet-1k") for entry in zoo) == 14
    assert sum(entry.source_task == "ImageNet-1k" for entry in zoo) == 9


@pytest.mark.xdist_group("encoder-vit_small_saliency")
def test_the_vision_transformer_cuts_off_what_is_no_whole_patch():
    present("vit_small_saliency")
    net = ENCODERS["vit_small_saliency"].module()
    x = torch.randn(2, 3, 61, 45, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(net(x), net(x[:, :, :56, :42]))
        assert (net(x) - net(x.flip(2))).abs().max() > 0.1  # it knows where a patch lies


def test_images_are_normalised_as_in_training():
    blue = np.array([[[0, 127, 255]]], np.uint8)[None].repeat(2, 1)
    seen = LITE(blue, 4)
    assert seen.shape == (1, 3, 4, 4)
    np.testing.assert_allclose(seen[0, :, 0, 0], [-127 / 128, 0, 1])
    np.testing.assert_allclose(CAFFE(blue, 4)[0, :, 0, 0], [255 - 104, 127 - 117, 0 - 123])
    mean = Normalization((10.0, 20.0, 30.0), (1.0, 2.0, 4.0))
    np.testing.assert_allclose(mean(blue, 2)[0, :, 1, 1], [-10, 107 / 2, 225 / 4])
    assert LITE(blue[:0], 4).shape == (0, 3, 4, 4)


@pytest.mark.parametrize("name", ["efficientnet_lite0", "squeezenet", "vgg16"])
def test_without_its_weights_an_encoder_says_how_to_get_them(name, tmp_path, monkeypatch):
    monkeypatch.setenv("TASKREL_CACHE", str(tmp_path))
    monkeypatch.delenv("TASKREL_DATA", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    entry = ENCODERS[name]
    with pytest.raises(MissingAsset) as error:
        ENCODERS[name].module()
    text = str(error.value)
    assert text.startswith(f"{entry.file!r} is not on this machine and no source delivered it:\n")
    assert f"local file {entry.file}: TASKREL_DATA is not set" in text
    assert f"{entry.source.label}: python" in text
    assert text.endswith(f"into a folder, as {entry.file}, and set TASKREL_DATA to it.")


def test_weights_may_be_a_file_of_the_user_and_others_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKREL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TASKREL_DATA", str(tmp_path))
    (tmp_path / "mobilenet_v2.pt").write_bytes(b"other")
    with pytest.raises(ValueError, match=r"'mobilenet_v2\.pt' from local file mobilenet_v2\.pt has sha256 "):
        ENCODERS["mobilenet_v2"].module()


class Evil:
    def __reduce__(self):
        return print, ("ran",)


def test_a_pickle_of_anything_but_arrays_is_refused_before_it_runs(tmp_path, capsys):
    path = tmp_path / "weights.pkl"
    path.write_bytes(pickle.dumps({"conv1": Evil()}, protocol=2))
    with pytest.raises(pickle.UnpicklingError, match=r"the file asks for \w+\.print, which is no part of an"):
        read_squeezenet(path)
    assert capsys.readouterr().out == ""


def test_weights_of_another_network_are_refused_by_name():
    net = torch.nn.Linear(2, 3)
    with pytest.raises(
        ValueError, match="toy must hold the 2 weights of its network, got 1; use the version"
    ):
        load_in_order(net, [torch.zeros(3, 2)], "toy")
    with pytest.raises(ValueError, match=r"toy must hold exactly the weights .*size mismatch for weight"):
        load_in_order(net, [torch.zeros(2, 3), torch.zeros(3)], "toy")
    load_in_order(net, [torch.ones(3, 2), torch.zeros(3)], "toy")
    torch.testing.assert_close(net(torch.ones(1, 2)), torch.full((1, 3), 2.0))
    assert not net.training


def test_weights_of_a_graph_come_in_its_order_whatever_the_order_of_the_file(tmp_path):
    import onnx
    from onnx import helper, numpy_helper

    kernels = {name: np.full((1, 2, 1, 1), k, np.float32) for k, name in enumerate("ba")}
    biases = {f"{name}0": np.full(1, 10 + k, np.float32) for k, name in enumerate("ba")}
    nodes = [
        helper.make_node("Conv", ["x", "a", "a0"], ["m"]),
        helper.make_node("Relu", ["m"], ["r"]),
        helper.make_node("Add", ["r", "shift"], ["s"]),
        helper.make_node("Add", ["s", "r"], ["t"]),
        helper.make_node("Conv", ["t", "b", "b0"], ["y"]),
    ]
    shift = {"shift": np.full((1, 3, 1, 1), 7, np.float32)}
    arrays = [numpy_helper.from_array(v, k) for k, v in {**shift, **kernels, **biases}.items()]
    ends = [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, 1, 2, 2]) for n in "xy"]
    path = tmp_path / "g.onnx"
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], arrays)), path)
    assert [t.flatten().tolist() for t in read_onnx(path)] == [[1, 1], [11], [0, 0], [10]]
    found = read_onnx(path, ("Conv", "Add"), count=3)
    assert [t.flatten().tolist() for t in found] == [[1, 1], [11], [7, 7, 7]]
    assert found[2].shape == (3,)  # the bias of a convolution that the graph adds in a step of its own


def test_what_a_graph_of_tensorflow_holds_is_read_without_it(tmp_path):
    def field(number, content):
        return bytes([8 * number + 2, len(content)]) + content

    def constant(name, array, kind=b"Const"):
        shape = b"".join(field(2, bytes([8, size])) for size in array.shape)
        tensor = bytes([8, 1]) + field(2, shape) + field(4, array.astype("<f4").tobytes())
        value = field(5, field(1, b"value") + field(2, field(8, tensor)))
        return field(
            1, field(1, name) + field(2, kind) + field(5, field(1, b"dtype") + field(2, b"0\1")) + value
        )

    wanted = np.arange(6.0).reshape(2, 3)
    graph = constant(b"a", wanted) + constant(b"skipped", wanted, b"Add") + constant(b"b", 2 * wanted[0])
    found = dict(array_files._constants(memoryview(graph)))
    assert list(found) == ["a", "b"]
    np.testing.assert_array_equal(found["a"], wanted)
    np.testing.assert_array_equal(found["b"], [0, 2, 4])


def test_a_source_archive_is_fetched_without_running_its_setup(tmp_path, monkeypatch):
    facts = "Metadata-Version: 2.1\nName: made-here\nVersion: 1.0\n"
    ran = tmp_path / "ran"
    files = {
        "made-here-1.0/PKG-INFO": facts,
        "made-here-1.0/setup.py": f"open({str(ran)!r}, 'w')\nimport setuptools\nsetuptools.setup(name='made-here')\n",
        "made-here-1.0/made/data.txt": "seven",
    }
    (tmp_path / "links").mkdir()
    with tarfile.open(tmp_path / "links" / "made-here-1.0.tar.gz", "w:gz") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    found = sdist("made-here", "1.0").get(tmp_path / "one")
    assert (found / "made-here-1.0/made/data.txt").read_text() == "seven"
    assert not ran.exists()
    with pytest.raises(SourceFailed, match=r"ended with 1: ERROR: .*made-here==2\.0"):
        sdist("made-here", "2.0").get(tmp_path / "two")


def test_the_package_loads_none_of_the_readers_until_they_are_needed():
    code = "import sys, taskrel_core; print(sorted({'onnx', 'h5py', 'torchvision'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
