"""The paper's encoders from files in the formats that were published: the features are those of the library's network."""

import numpy as np
import pytest
import torch
from PIL import Image

from taskrel_core import ENCODERS, MissingAsset
from taskrel_core.encoders.checkpoints import Checkpoint, CheckpointLayout
from tests import tiny_checkpoints as tiny

CHECKPOINTS = [name for name, entry in ENCODERS.items() if isinstance(entry, Checkpoint)]
WRITE = {
    "resnet18": lambda root: tiny.supervised(root, "resnet18"),
    "resnet50": lambda root: tiny.supervised(root, "resnet50"),
    "resnet101": lambda root: tiny.supervised(root, "resnet101"),
    "resnet152": lambda root: tiny.supervised(root, "resnet152"),
    "vit_b_16": lambda root: tiny.supervised(root, "vit_b_16"),
    "moco_v3_resnet50": tiny.moco_v3,
    "swav_resnet50": tiny.swav,
    "simclr_resnet50": tiny.simclr,
    "mae_vit_b_16": tiny.mae,
    "resnet18_l2_eps0.05": lambda root: tiny.robust(root, "0.05"),
}
SCALE = {"simclr_resnet50": (torch.zeros(3), torch.ones(3))}
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 80, 80, 3), np.uint8)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty TASKREL_DATA and a cache of its own."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("TASKREL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TASKREL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "data"


def seen(name, images=IMAGES):
    """Shorter side to 256, the middle 224 pixels, minus mean, over deviation: done by hand with PIL."""
    mean, deviation = SCALE.get(name, (tiny.MEAN, tiny.DEVIATION))
    how = Image.Resampling.BICUBIC if name.startswith("mae") else Image.Resampling.BILINEAR
    large = [np.asarray(Image.fromarray(i).resize((256, 256), how))[16:240, 16:240] for i in images]
    x = torch.from_numpy(np.stack(large)).permute(0, 3, 1, 2).float() / 255
    return (x - mean[:, None, None]) / deviation[:, None, None]


def trunk_of(net):
    """The library's network without its last layer."""
    for last in ("fc", "heads"):
        if hasattr(net, last):
            setattr(net, last, torch.nn.Identity())
    return net


LONG = ("resnet101", "resnet152")  # the same code as resnet50, with more layers


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in LONG else []) for name in WRITE]
)
def test_features_and_posteriors_are_those_of_the_library(name, folder):
    net, entry = WRITE[name](folder), ENCODERS[name]
    x = seen(name)
    with torch.inference_mode():
        scores = net(x[:1]).softmax(1).numpy()
        wanted = trunk_of(net)(x).numpy()
    found = entry.features(IMAGES)
    assert found.shape == (2, entry.dim)
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4 * np.abs(wanted).max())
    np.testing.assert_array_equal(entry.features(IMAGES), found)
    if entry.has_head:
        np.testing.assert_allclose(entry.posteriors(IMAGES[:1]), scores, rtol=1e-3, atol=1e-5)
    assert len(entry.version) == 64
    trained = entry.module()
    z = trained(entry.prepare(IMAGES[:1]))
    np.testing.assert_allclose(z.detach().numpy(), found[:1], rtol=1e-3, atol=1e-4 * np.abs(wanted).max())
    z.sum().backward()
    assert all(weight.grad is not None for weight in trained.parameters())


def test_the_decoder_of_mae_is_left_out(folder):
    net = tiny.mae(folder, decoder=True)
    with torch.inference_mode():
        wanted = net(seen("mae_vit_b_16", IMAGES[:1])).numpy()
    np.testing.assert_allclose(ENCODERS["mae_vit_b_16"].features(IMAGES[:1]), wanted, rtol=1e-3, atol=1e-3)


def test_only_those_with_a_head_have_posteriors():
    with_head = {name for name in CHECKPOINTS if ENCODERS[name].has_head}
    assert with_head == {name for name in CHECKPOINTS if name.startswith(("resnet", "vit"))}
    with pytest.raises(
        ValueError, match="encoder must bring a head for source posteriors, got 'mae_vit_b_16'"
    ):
        ENCODERS["mae_vit_b_16"].posteriors(IMAGES)


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_missing_file_is_told_with_its_name_origin_and_place(name, monkeypatch):
    def unreachable(url, *_, **__):
        raise OSError(f"{url} does not answer")

    monkeypatch.setattr("torch.hub.download_url_to_file", unreachable)
    with pytest.raises(MissingAsset) as error:
        ENCODERS[name].features(IMAGES)
    said, entry = str(error.value), ENCODERS[name]
    for part in (repr(name), entry.file, entry.url, "TASKREL_DATA", f"{entry.megabytes} MB"):
        assert part in said


def changed(folder, change, name="resnet18"):
    net = WRITE[name](folder)
    path = folder / ENCODERS[name].file
    whole = torch.load(path, weights_only=True)
    change(whole)
    torch.save(whole, path)
    return net, path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s.pop("layer1.0.conv1.weight"), r'Missing key.*"layer1\.0\.conv1\.weight"'),
        (lambda s: s.update(extra=torch.zeros(2)), 'Unexpected key.*"extra"'),
        (lambda s: s.update(epoch=5), 'Unexpected key.*"epoch"'),
        (lambda s: s.update({"conv1.weight": torch.zeros(2)}), r"size mismatch for conv1\.weight"),
        (lambda s: [s.pop(k) for k in list(s) if k.startswith("layer2")], r"Missing key.*layer2\.0"),
    ],
)
def test_keys_that_do_not_fit_are_named(folder, change, said):
    _, path = changed(folder, change)
    with pytest.raises(ValueError, match=said) as error:
        ENCODERS["resnet18"].features(IMAGES)
    assert str(path) in str(error.value)
    assert "download the published file again" in str(error.value)


def test_a_name_that_the_format_does_not_know_is_refused(folder):
    changed(folder, lambda s: s["state_dict"].update({"module.queue": torch.zeros(2)}), "moco_v3_resnet50")
    with pytest.raises(
        ValueError, match=r"must hold names that start with 'module.base_encoder.', unexpected: .*queue"
    ):
        ENCODERS["moco_v3_resnet50"].features(IMAGES)


def test_a_file_without_its_entry_is_refused(folder):
    tiny.supervised(folder, "resnet18").state_dict()
    (folder / ENCODERS["resnet18"].file).rename(folder / ENCODERS["resnet18_l2_eps3"].file)
    with pytest.raises(ValueError, match=r"must have an entry 'model' with its weights, got \['bn1"):
        ENCODERS["resnet18_l2_eps3"].features(IMAGES)


def test_counters_of_old_files_may_be_absent(folder):
    net, _ = changed(folder, lambda s: [s.pop(k) for k in list(s) if k.endswith("num_batches_tracked")])
    with torch.inference_mode():
        wanted = trunk_of(net)(seen("resnet18")).numpy()
    np.testing.assert_allclose(ENCODERS["resnet18"].features(IMAGES), wanted, rtol=1e-3, atol=1e-4)


class Malicious:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_code_in_a_file_is_not_run(folder, tmp_path):
    torch.save({"state_dict": Malicious(tmp_path / "ran")}, folder / ENCODERS["moco_v3_resnet50"].file)
    with pytest.raises(ValueError, match="cannot be read without running code") as error:
        ENCODERS["moco_v3_resnet50"].features(IMAGES)
    assert "torch.save(state_dict, file)" in str(error.value)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 broken"])
def test_a_damaged_file_names_itself(folder, content):
    path = folder / ENCODERS["resnet18"].file
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is damaged") as error:
        ENCODERS["resnet18"].features(IMAGES)
    assert str(path) in str(error.value)


def test_other_weights_are_another_version(folder):
    tiny.supervised(folder, "resnet18")
    before = ENCODERS["resnet18"].version
    changed(folder, lambda s: s["conv1.weight"].mul_(2))
    assert ENCODERS["resnet18"].version != before


def test_a_layout_keeps_what_is_the_networks():
    layout = CheckpointLayout("state_dict", "net.", ("head.",))
    state = layout.extract({"state_dict": {"net.a": torch.ones(1), "head.b": torch.ones(1)}}, "it")
    assert list(state) == ["a"]
