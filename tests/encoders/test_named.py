"""Every way to name an encoder that is not registered keeps the same laws; files that are programs are refused."""

import importlib.util
import pickle
import re
import struct
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from taskrel_core import DATASETS, ENCODERS, MissingAsset, features
from taskrel_core.encoders.architectures import architecture
from taskrel_core.encoders.named import RANDOM
from taskrel_core.encoders.own_files import read_weights

TIMM, VISION = "timm:mobilenetv3_small_050", "torchvision:squeezenet1_1"
RUNTIME = importlib.util.find_spec("onnxruntime") is not None
NEEDS_RUNTIME = pytest.mark.skipif(not RUNTIME, reason="onnxruntime, the extra onnx, is not installed")
RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (10, 40, 32, 3), np.uint8)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKREL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TASKREL_OFFLINE", "1")
    return tmp_path


def trained(net, classes=7):
    """A network with another head and weights of its own, as after training."""
    whole = architecture(net).network(seed=5)
    for name, layer in list(whole.named_modules()):
        if getattr(layer, "out_features", getattr(layer, "out_channels", 0)) == 1000:
            place, _, last = name.rpartition(".")
            new = (
                nn.Linear(layer.in_features, classes)
                if isinstance(layer, nn.Linear)
                else nn.Conv2d(layer.in_channels, classes, 1)
            )
            setattr(whole.get_submodule(place), last, new)
    return whole


def onnx_file(path, shape=("n", 3, 32, 32), last=False):
    """The mean over positions of a 1x1 convolution, as a graph."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    c = shape[3] if last else shape[1]
    weight = numpy_helper.from_array(
        np.random.default_rng(1).normal(size=(5, c, 1, 1)).astype(np.float32), "w"
    )
    nodes = [helper.make_node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2])] if last else []
    nodes += [helper.make_node("Conv", ["t" if last else "x", "w"], ["z"])]
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    made = helper.make_tensor_value_info("z", TensorProto.FLOAT, ("n", 5, None, None))
    graph = helper.make_graph(nodes, "g", [given], [made], [weight])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return f"file:{path}"


def state_dict(folder):
    torch.save(
        {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in trained(VISION).state_dict().items()}},
        folder / "a.pt",
    )
    return f"file:{folder}/a.pt@{VISION}"


def tensors(folder):
    from safetensors.torch import save_file

    save_file(trained(TIMM).state_dict(), folder / "a.safetensors")
    return f"file:{folder}/a.safetensors@{TIMM}"


WAYS = {
    "timm, random": lambda folder: TIMM + RANDOM,
    "torchvision, random": lambda folder: VISION + RANDOM,
    "mixed precision": lambda folder: f"{VISION}{RANDOM}@bfloat16",
    "state dict": state_dict,
    "safetensors": tensors,
    "onnx": lambda folder: onnx_file(folder / "a.onnx"),
    "onnx, channels last, one picture at a time": lambda folder: onnx_file(
        folder / "b.onnx", (1, 32, 32, 3), True
    ),
    "onnx, grey, any size": lambda folder: onnx_file(folder / "c.onnx", ("n", 1, "h", "w")),
}
EACH = [pytest.param(way, id=way, marks=NEEDS_RUNTIME if way.startswith("onnx") else ()) for way in WAYS]


@pytest.mark.parametrize("way", EACH)
def test_features_are_finite_of_the_width_stated_and_the_same_alone_and_in_a_batch(way, cache):
    entry = ENCODERS[WAYS[way](cache)]
    assert entry.name == WAYS[way](cache)
    side = entry.side(64) if entry.native_size else None
    kept = PICTURES.copy()
    z = entry.features(PICTURES, side)
    assert (z.shape, z.dtype) == ((10, entry.dim), np.float32)
    assert np.isfinite(z).all()
    assert z.std(0).max() > 0
    np.testing.assert_array_equal(PICTURES, kept)
    np.testing.assert_array_equal(ENCODERS[entry.name].features(PICTURES, side), z)
    close = 0.05 if "mixed" in way else 1e-4
    alone = np.concatenate([entry.features(PICTURES[k : k + 1], side) for k in (0, 9)])
    np.testing.assert_allclose(z[[0, 9]], alone, rtol=close, atol=close * np.abs(z).max())


@pytest.mark.parametrize("way", EACH)
def test_a_task_is_made_of_them_and_kept(way, cache, monkeypatch):
    name = WAYS[way](cache)
    size = 64 if ENCODERS[name].native_size else None
    task = features("digits", name, n=20, size=size)
    assert (len(task), task.d) == (20, ENCODERS[name].dim)
    monkeypatch.setattr(type(ENCODERS[name]), "features", lambda *a, **k: pytest.fail("it is in the cache"))
    np.testing.assert_array_equal(features("digits", name, n=20, size=size).z, task.z)


@pytest.mark.parametrize("way", EACH)
def test_an_encoder_has_a_version_which_no_other_has(way, cache):
    entry = ENCODERS[WAYS[way](cache)]
    others = {
        ENCODERS[make(cache)].version
        for key, make in WAYS.items()
        if key != way and (RUNTIME or "onnx" not in key)
    }
    assert entry.version == ENCODERS[entry.name].version
    assert entry.version not in others
    assert entry.licence
    assert entry.source_task


def test_weights_of_ones_own_are_those_of_the_network(cache):
    net = trained(VISION)
    torch.save(net.state_dict(), cache / "a.pt")
    own = ENCODERS[f"file:{cache}/a.pt@{VISION}"]
    trunk = architecture(VISION).behead(architecture(VISION).network(seed=5)).eval()
    with torch.inference_mode():
        expected = trunk(own.prepare(PICTURES, 64)).numpy()
    np.testing.assert_allclose(own.features(PICTURES, 64), expected, rtol=1e-4, atol=1e-4)
    assert not np.allclose(own.features(PICTURES, 64), ENCODERS[VISION + RANDOM].features(PICTURES, 64))


def test_a_changed_file_is_another_encoder(cache):
    name, before = state_dict(cache), None
    before = ENCODERS[name].version, ENCODERS[name].features(PICTURES, 64)
    torch.save({k: v + 1 for k, v in trained(VISION).state_dict().items()}, cache / "a.pt")
    assert ENCODERS[name].version != before[0]
    assert not np.allclose(ENCODERS[name].features(PICTURES, 64), before[1])


def test_published_weights_that_are_put_down_are_used_and_else_asked_for(cache, monkeypatch):
    with pytest.raises(
        MissingAsset, match=rf"torchvision_squeezenet1_1\.safetensors or \.pth, .*{VISION}@random needs none"
    ):
        features("digits", VISION, n=5)
    with pytest.raises(
        MissingAsset, match=r"from https://huggingface\.co/timm/mobilenetv3_small_050\.lamb_in1k\. Put"
    ):
        features("digits", TIMM, n=5)
    monkeypatch.setenv("TASKREL_DATA", str(cache))
    torch.save(architecture(VISION).network(seed=5).state_dict(), cache / "torchvision_squeezenet1_1.pth")
    assert features("digits", VISION, n=5, size=64).d == 512


class Evil:
    ran = False

    def __reduce__(self):
        return (exec, ("from tests.encoders import test_named as t; t.Evil.ran = True",))


def script(path):
    torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)).save(str(path))


def compressed(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(1 << 20))


def leading_out(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("/etc/data.pkl", b"0")


BAD = {
    "a pickle": (
        lambda p: p.write_bytes(pickle.dumps(Evil())),
        "cannot be read without running code that is in it",
    ),
    "a module": (lambda p: torch.save(nn.Linear(2, 2), p), "save its tensors alone"),
    "a pickle in an archive": (lambda p: torch.save({"a": Evil()}, p), "cannot be read without running code"),
    "TorchScript": (
        script,
        "is a TorchScript archive, which is a program, and is not loaded; where you trust it",
    ),
    "a zip bomb": (compressed, "is a compressed archive, which torch does not write"),
    "paths": (leading_out, "holds '/etc/data.pkl', which leads out of the archive"),
    "half a file": (lambda p: p.write_bytes(b"PK\3\4"), "is damaged"),
    "no tensors": (lambda p: torch.save({"a": 3}, p), "must hold tensors by name, got ['a']"),
    "another network": (
        lambda p: torch.save(nn.Linear(2, 2).state_dict(), p),
        "must hold exactly the weights of its net",
    ),
    "text": (lambda p: p.write_text("hello"), "or is damaged"),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("way", BAD)
@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_a_file_that_is_something_else_is_refused_and_nothing_in_it_runs(way, suffix, cache):
    make, message = BAD[way]
    make(cache / f"a.{suffix}")
    with pytest.raises(ValueError, match=rf"a\.{suffix}") as caught:
        ENCODERS[f"file:{cache}/a.{suffix}@{VISION}"].features(PICTURES)
    said = str(caught.value)
    assert message in said or "must be safetensors as its name says, got" in said
    assert not Evil.ran


def test_a_header_of_safetensors_that_lies_is_refused(cache):
    path = cache / "a.safetensors"
    path.write_bytes(
        struct.pack("<Q", 60) + b'{"a":{"dtype":"F32","shape":[999999999],"data_offsets":[0,4]}}' + bytes(8)
    )
    with pytest.raises(ValueError, match=r"a\.safetensors is damaged"):
        read_weights(path)


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("timm:resnet1", KeyError, "unknown encoder 'timm:resnet1' (did you mean 'timm:resnet1"),
        ("timm:resnet18.nowhere", KeyError, "unknown encoder 'timm:resnet18.nowhere'"),
        ("torchvision:resnet1", KeyError, "(did you mean 'torchvision:resnet18'?)"),
        ("file:{}/no.pt@timm:resnet18", MissingAsset, "no.pt, which is not there"),
        ("file:{}/it.pt", ValueError, "must say which network the weights are of, got"),
        ("file:{}/it.pt@timm:nothing", KeyError, "unknown encoder 'timm:nothing'"),
    ],
)
def test_a_name_that_names_nothing_is_refused(name, kind, message, cache):
    (cache / "it.pt").touch()
    with pytest.raises(kind, match=re.escape(message)):
        ENCODERS[name.format(cache)]


@NEEDS_RUNTIME
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (
            ("n", 3, 32, 48),
            r"must take one batch of square pictures, .* got 1 inputs, the first \['n', 3, 32, 48\]",
        ),
        (("n", 4, 32, 32), r"the first \['n', 4, 32, 32\]"),
    ],
)
def test_a_graph_that_takes_no_pictures_is_refused(shape, message, cache):
    with pytest.raises(ValueError, match=message):
        ENCODERS[onnx_file(cache / "a.onnx", shape)]


@NEEDS_RUNTIME
@pytest.mark.parametrize("content", [pickle.dumps(Evil()), b"", b"hello"])
def test_what_is_no_graph_is_refused(content, cache):
    (cache / "a.onnx").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.onnx is no ONNX (file|graph)"):
        ENCODERS[f"file:{cache}/a.onnx"]
    assert not Evil.ran


@NEEDS_RUNTIME
@pytest.mark.parametrize("place", ["/etc/passwd", "../passwd"])
def test_a_graph_that_reads_another_file_is_refused(cache, place):
    import onnx

    onnx_file(cache / "a.onnx")
    model = onnx.load(cache / "a.onnx")
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], place)
    (cache / "a.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ValueError, match=f"reads '{place}', which is not beside it"):
        ENCODERS[f"file:{cache}/a.onnx"]


@pytest.mark.skipif(RUNTIME, reason="onnxruntime is installed")
def test_without_onnxruntime_the_extra_is_named(cache):
    (cache / "a.onnx").touch()
    with pytest.raises(
        MissingAsset, match=r"needs onnxruntime; install it: python -m pip install 'taskrel\[onnx\]'"
    ):
        ENCODERS[f"file:{cache}/a.onnx"]


def digits(encoder, n=20, **more):
    return features("digits", encoder, n=n, **more)


def test_a_module_or_a_function_is_an_encoder():
    net = nn.Sequential(
        nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout()
    )
    assert digits(net, size=32).d == 5
    assert net.training  # it was not changed
    task = digits(lambda images: images.reshape(len(images), -1) / 16)
    images, labels = DATASETS["digits"].load("train")
    order = np.random.default_rng(0).permutation(len(labels))[:20]
    np.testing.assert_allclose(task.z, images[order].reshape(20, -1) / np.float32(16))
    np.testing.assert_array_equal(task.labels, labels[order])


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (
            lambda x: np.full((len(x), 3), np.nan),
            "must give finite features, got NaN or infinity for 20 of 20 pictures",
        ),
        (
            lambda x: np.random.default_rng().normal(size=(len(x), 3)),
            "must give the same features when asked again",
        ),
        (lambda x: x, "must give features (20, d) of 20 pictures, got uint8 (20, 8, 8)"),
        (lambda x: np.zeros((3, 4)), "got float64 (3, 4)"),
        (lambda x: "hello", "got <U5 ()"),
        (lambda x: torch.zeros(2) @ torch.zeros(3), "failed on pictures (20, 8, 8)"),
        (nn.Sequential(nn.Flatten(), nn.Linear(7, 3)), "encoder 'Sequential' failed on pictures (20, 8, 8)"),
        (
            nn.Sequential(nn.Conv2d(3, 5, 3)),
            "got float32 (20, 5, 222, 222); of maps take the mean over positions",
        ),
    ],
)
def test_an_encoder_that_misbehaves_is_named(encoder, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        digits(encoder)


def test_an_encoder_that_needs_larger_pictures_is_named_with_the_way_out():
    net = nn.Sequential(nn.Conv2d(3, 5, 48), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(ValueError, match=r"encoder 'Sequential' failed on pictures .* give size="):
        digits(net, size=32)
    assert digits(net, size=48).d == 5


def test_weights_that_are_not_finite_are_named_with_their_file(cache):
    weights = trained(VISION).state_dict()
    next(iter(weights.values())).fill_(torch.nan)
    torch.save(weights, cache / "a.pt")
    with pytest.raises(
        ValueError, match=r"a\.pt@.* must give finite features, got NaN or infinity for 5 of 5"
    ):
        digits(f"file:{cache}/a.pt@{VISION}", n=5, size=64)


def test_an_encoder_that_changes_its_width_is_named(monkeypatch):
    monkeypatch.setattr("taskrel_core.extraction.CHUNK", 10)
    widths = iter([3, 3, 4, 4])
    with pytest.raises(ValueError, match=r"must give features of one width, got \[3, 4\]"):
        digits(lambda x: np.zeros((len(x), next(widths))))


def test_what_is_no_encoder_is_refused():
    with pytest.raises(
        TypeError, match=r"encoder must be a name, a torch\.nn\.Module or a function of pictures, got int;"
    ):
        digits(3)
