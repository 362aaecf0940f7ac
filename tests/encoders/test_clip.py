"""CLIP by name, tested with a small architecture that is made known to open_clip through its own list."""

import re
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from PIL import Image

from taskrel_core import ENCODERS, MissingAsset, zero_shot_head
from taskrel_core._registry import UnknownName
from taskrel_core.assets.torchvision_import import import_torchvision
from taskrel_core.encoders.clip import LISTED, TEMPLATES, clip
from tests import tiny_checkpoints as tiny

import_torchvision()
import open_clip  # noqa: E402
from open_clip import pretrained  # noqa: E402

NAME = "clip:tiny-clip/test"
ABOUT = {"hf_hub": "nowhere/tiny/", "mean": (0.4, 0.5, 0.6), "std": (0.2, 0.25, 0.3), "quick_gelu": True}
ABOUT |= {"interpolation": "bicubic", "resize_mode": "shortest"}
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 80, 80, 3), np.uint8)


def unreachable(address, timeout):
    raise OSError(f"{address} does not answer")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("TASKREL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TASKREL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("taskrel_core.encoders.clip.urlopen", unreachable)
    tiny.tiny_clip(open_clip, tmp_path)
    monkeypatch.setitem(pretrained._PRETRAINED, "tiny-clip", {"test": ABOUT})
    return tmp_path / "data"


def model(seed=0):
    torch.manual_seed(seed)
    return open_clip.create_model("tiny-clip", force_quick_gelu=True).eval()


@pytest.fixture
def saved(folder):
    """A model whose weights lie in TASKREL_DATA."""
    net = model()
    torch.save(net.state_dict(), folder / "clip_tiny-clip_test.pt")
    return net


def seen(images=IMAGES):
    """Shorter side to 64, bicubic, minus the published mean, over the deviation: by hand."""
    small = [np.asarray(Image.fromarray(i).resize((64, 64), Image.Resampling.BICUBIC)) for i in images]
    x = torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).float() / 255
    mean, deviation = (torch.tensor(ABOUT[key])[:, None, None] for key in ("mean", "std"))
    return (x - mean) / deviation


def test_features_are_the_normalised_embeddings_with_its_own_preparation(saved):
    with torch.inference_mode():
        z = saved.encode_image(seen())
    wanted = (z / z.norm(dim=1, keepdim=True)).numpy()
    entry = ENCODERS[NAME]
    assert (entry.dim, entry.input_size) == (32, 64)
    np.testing.assert_allclose(entry.features(IMAGES), wanted, atol=1e-5)
    trained = entry.module()
    z = trained(entry.prepare(IMAGES))
    np.testing.assert_allclose(z.detach(), wanted, atol=1e-5)
    z.square().mul(torch.arange(32)).sum().backward()
    assert all(weight.grad is not None for weight in trained.parameters())


def test_safetensors_do_as_well(saved, folder):
    from safetensors.torch import save_file

    wanted = ENCODERS[NAME].features(IMAGES)
    (folder / "clip_tiny-clip_test.pt").unlink()
    save_file(
        {k: v.contiguous().clone() for k, v in saved.state_dict().items()},
        folder / "clip_tiny-clip_test.safetensors",
    )
    np.testing.assert_array_equal(ENCODERS[NAME].features(IMAGES), wanted)


def test_what_open_clip_downloads_is_kept_as_tensors(saved, folder, tmp_path, monkeypatch):
    wanted = ENCODERS[NAME].features(IMAGES)
    (folder / "clip_tiny-clip_test.pt").rename(tmp_path / "open_clip_pytorch_model.bin")
    asked = []

    def download(about, cache_dir):
        asked.append(about)
        return str(tmp_path / "open_clip_pytorch_model.bin")

    monkeypatch.setattr(open_clip, "download_pretrained", download)
    monkeypatch.setattr("taskrel_core.encoders.clip.urlopen", lambda address, timeout: nullcontext())
    for _ in range(2):
        np.testing.assert_array_equal(ENCODERS[NAME].features(IMAGES), wanted)
    assert asked == [ABOUT]
    assert [path.name for path in (tmp_path / "cache" / "weights").iterdir()] == [
        "clip_tiny-clip_test.safetensors"
    ]


def test_the_zero_shot_head_gives_clips_own_probabilities(saved):
    names = ["tabby_cat", "dog", "sports car"]
    head = zero_shot_head(NAME, names)
    tokenize = open_clip.get_tokenizer("tiny-clip")
    with torch.inference_mode():
        z = torch.nn.functional.normalize(saved.encode_image(seen()), dim=1)
        rows = []
        for name in ("tabby cat", "dog", "sports car"):
            said = saved.encode_text(tokenize([t.format(name) for t in TEMPLATES]), normalize=True)
            rows.append(torch.nn.functional.normalize(said.mean(0), dim=0))
        wanted = (saved.logit_scale.exp() * z @ torch.stack(rows).T).softmax(1)
    found = head.probabilities(ENCODERS[NAME].features(IMAGES))
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    gaps = torch.pdist(head.weight)
    assert head.lipschitz == pytest.approx(float(gaps.max()))


def test_a_head_needs_names_and_places_for_them(saved):
    with pytest.raises(ValueError, match="class_names must hold a name"):
        zero_shot_head(NAME, [])
    with pytest.raises(ValueError, match=r"templates a text with \{\}"):
        zero_shot_head(NAME, ["cat"], ["a photo"])
    with pytest.raises(
        UnknownName, match="encoder must have a text tower, got 'resnet18'; give clip:MODEL/PRETRAINED"
    ):
        zero_shot_head("resnet18", ["cat"])


def test_an_unknown_pair_names_the_nearest():
    with pytest.raises(UnknownName, match=r"unknown encoder 'clip:ViT-B-32/opnai'; .*clip:ViT-B-32/openai"):
        ENCODERS["clip:ViT-B-32/opnai"]
    assert clip("resnet18") is None


def test_missing_weights_are_told_with_origin_and_place():
    with pytest.raises(MissingAsset) as error:
        ENCODERS[NAME].features(IMAGES)
    for part in (NAME, "clip_tiny-clip_test.safetensors", "nowhere/tiny/", "TASKREL_DATA", "does not answer"):
        assert part in str(error.value)


def test_weights_of_another_model_are_refused_by_name(saved, folder):
    state = saved.state_dict()
    state.pop("text_projection")
    state["strange"] = torch.zeros(1)
    torch.save(state, folder / "clip_tiny-clip_test.pt")
    with pytest.raises(
        ValueError, match=r"is not a state dict of 'clip:tiny-clip/test'.*text_projection.*strange"
    ):
        ENCODERS[NAME].features(IMAGES)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_an_archive_with_code_is_refused_and_not_run(folder):
    class Doubled(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 2 * x

    torch.jit.trace(Doubled(), torch.ones(1)).save(str(folder / "clip_tiny-clip_test.pt"))
    with pytest.raises(ValueError, match="take open_clip's safetensors copy instead"):
        ENCODERS[NAME].features(IMAGES)


def test_loading_preserves_the_random_numbers_of_the_caller(saved):
    torch.manual_seed(3)
    wanted = torch.rand(2)
    torch.manual_seed(3)
    ENCODERS[NAME].features(IMAGES)
    torch.testing.assert_close(torch.rand(2), wanted)


@pytest.mark.parametrize("name", LISTED)
def test_those_listed_are_what_open_clip_says(name):
    entry, found = ENCODERS[name], clip(name)
    assert (entry.dim, entry.input_size) == (found.dim, found.input_size) == LISTED[name]
    assert re.fullmatch(r"clip_[\w.-]+", found.file)
