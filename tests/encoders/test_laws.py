"""Laws that every registered encoder keeps, and known answers of each."""

import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch

from taskrel_core import DATASETS, ENCODERS, MissingAsset, encoders, environment
from taskrel_core.encoders.base import Encoder, TrainingSample, _loaded, register
from taskrel_core.encoders.checkpoints import PublishedFile
from taskrel_core.encoders.lenet import LeNet, train_lenet
from taskrel_core.encoders.preprocessing import Normalization, grey

LARGE = [name for name, entry in ENCODERS.items() if isinstance(entry, PublishedFile)]


def grouped(names):
    return [pytest.param(name, marks=pytest.mark.xdist_group(f"encoder-{name}")) for name in names]


# Small encoders are alike: one of each architecture stands for all here.
NAMES = [name for name in ENCODERS if not name.startswith("small:") or name.endswith("/glyphs_latin")]
EVERY = grouped(NAMES)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch, request):
    """A cache of its own for what is trained; downloaded weights stay where they are."""
    if not any(entry.file and name in request.node.name for name, entry in ENCODERS.items()):
        monkeypatch.setenv("TASKREL_CACHE", str(tmp_path))
    return tmp_path


def sample(n=200, split="train"):
    images, labels = DATASETS["glyphs_digits"].load(split)
    return images[:n], labels[:n]


def fit(n=200, seed=0, epochs=1, key="k" * 64):
    images, labels = sample(n)
    return TrainingSample(images, labels, 10, seed, epochs, key)


def ready(name, **settings):
    """The encoder, fitted where it needs to be; skips where its weights are missing."""
    entry = ENCODERS[name]
    if name in LARGE and entry.present() is None:
        pytest.skip(f"hundreds of megabytes: fetch {name} by python -m taskrel_core {name}")
    if entry.opt_in and not (environment.cache_dir() / "weights" / entry.file).exists():
        pytest.skip(f"its licence is {entry.licence!r}: fetch {name} by python -m taskrel_core {name}")
    if entry.file:
        try:
            entry.path()
        except MissingAsset as error:
            pytest.skip(str(error))
    return entry.fit(fit(**settings)) if entry.fitted else entry


def built(name, **settings):
    return ready(name, **settings).features


@pytest.mark.parametrize("name", EVERY)
def test_features_are_finite_numbers_of_the_width_stated(name):
    images, _ = sample(4, "test")
    kept = images.copy()
    z = built(name)(images)
    assert z.shape == (4, ENCODERS[name].dim)
    assert z.dtype == np.float32
    assert np.isfinite(z).all()
    np.testing.assert_array_equal(images, kept)
    assert z.std(axis=0).max() > 0.01  # different images differ
    assert 0.01 < np.abs(z).mean() < 100


@pytest.mark.parametrize("name", EVERY)
def test_an_image_has_the_same_features_alone_and_in_a_batch(name):
    images, _ = sample(6, "test")
    encode = built(name)
    alone = np.concatenate([encode(images[k : k + 1]) for k in (0, 5)])
    np.testing.assert_allclose(encode(images)[[0, 5]], alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", EVERY)
def test_building_twice_gives_the_same_encoder(name):
    images, _ = sample(2, "test")
    np.testing.assert_array_equal(built(name)(images), built(name)(images))


@pytest.mark.parametrize("name", EVERY)
def test_any_size_and_colour_is_taken(name):
    rng = np.random.default_rng(0)
    encode = built(name)
    for shape in ((2, 8, 8), (2, 16, 16, 3), (2, 64, 48, 3)):
        z = encode(rng.integers(0, 256, shape, np.uint8))
        assert z.shape == (2, ENCODERS[name].dim)
        assert np.isfinite(z).all()
    grey_images, _ = sample(2)
    in_colour = np.repeat(grey_images[..., None], 3, axis=3)
    np.testing.assert_allclose(encode(in_colour), encode(grey_images), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", EVERY)
def test_images_of_another_type_or_shape_are_refused(name):
    encode = built(name)
    for bad in (np.zeros((2, 28, 28)), np.zeros((2, 28, 28, 1), np.uint8), np.zeros((28, 28), np.uint8)):
        wanted = re.escape(
            f"images must be uint8 of shape (n, h, w) or (n, h, w, 3), got {bad.dtype} {bad.shape};"
        )
        with pytest.raises(ValueError, match=wanted):
            encode(bad)


@pytest.mark.parametrize("name", EVERY)
def test_entries_say_what_they_are(name):
    entry = ENCODERS[name]
    assert entry.name == name
    assert entry.dim > 1
    assert entry.input_size >= 28
    assert entry.licence
    assert entry.source_task
    if entry.fitted:
        with pytest.raises(
            ValueError, match=f"encoder '{name}' is fitted on a reference, got none; give fitted_on="
        ):
            entry.features(sample(2)[0])


@pytest.mark.parametrize("name", [name for name in ENCODERS if ENCODERS[name].fitted])
def test_a_fitted_encoder_depends_on_its_reference(name):
    images, _ = sample(5, "test")
    one = built(name)(images)
    other_images = np.ascontiguousarray(255 - sample(200)[0])
    other_sample = TrainingSample(other_images, sample(200)[1], 10, 0, 1, "o" * 64)
    other = ENCODERS[name].fit(other_sample).features(images)
    assert np.abs(one - other).max() > 0.05


ONE_SIZE = [name for name in NAMES if ENCODERS[name].native_size is None]
ANY_SIZE = [name for name in NAMES if ENCODERS[name].native_size]
TRAINABLE = [name for name in NAMES if ENCODERS[name].trainable]


@pytest.mark.parametrize("name", ONE_SIZE)
def test_another_size_is_refused_where_only_one_is_possible(name):
    entry = ENCODERS[name]
    message = (
        f"size must be {entry.input_size} for encoder '{name}', which takes no other, got 97; leave it out"
    )
    with pytest.raises(ValueError, match=message):
        entry.features(sample(2)[0], 97)
    assert entry.side(None) == entry.side(entry.input_size) == entry.input_size


@pytest.mark.parametrize("name", grouped(ANY_SIZE))
def test_any_size_from_32_is_taken(name):
    entry = ready(name)
    images, _ = sample(2, "test")
    usual = entry.features(images)
    np.testing.assert_array_equal(entry.features(images, entry.input_size), usual)
    for side in (32, 97):  # 97: every map on the way has an odd side somewhere
        z = entry.features(images, side)
        assert z.shape == usual.shape
        assert np.isfinite(z).all()
        assert np.abs(z - usual).max() > 0.001
    with pytest.raises(ValueError, match="size must be at least 32, got 31"):
        entry.features(images, 31)


@pytest.mark.parametrize("name", [*sorted({*NAMES} - {*TRAINABLE}), "random_net@bfloat16"])
def test_what_cannot_be_trained_is_refused_by_name(name):
    entry = ENCODERS[name]
    message = f"encoder must have a trainable trunk, got '{name}'; .*random_net"
    with pytest.raises(ValueError, match=message):
        entry.module()
    with pytest.raises(ValueError, match=message):
        entry.prepare(sample(2)[0])


@pytest.mark.parametrize("name", grouped(TRAINABLE))
def test_a_module_to_train_gives_the_features_and_takes_gradients(name):
    entry = ready(name)
    images, _ = sample(2, "test")
    wanted = entry.features(images)
    net, x = entry.module(), entry.prepare(images)
    assert (x.dtype, x.shape[0], *x.shape[2:]) == (torch.float32, 2, *[entry.input_size] * 2)
    z = net(x)
    np.testing.assert_allclose(z.detach(), wanted, rtol=1e-4, atol=1e-4)
    z.square().sum().backward()
    weights = dict(net.named_parameters())
    assert weights
    for key, weight in weights.items():
        assert weight.grad is not None, key
        assert torch.isfinite(weight.grad).all(), key
    with torch.no_grad():
        for weight in weights.values():
            weight.add_(1)
    np.testing.assert_array_equal(entry.features(images), wanted)  # the copy was its own
    torch.testing.assert_close(entry.module()(x), z, rtol=1e-4, atol=1e-4)


def test_one_file_is_enough_for_a_new_encoder(tmp_path):
    """The example of the room's docstring, word for word, as a file of its own."""
    (block,) = re.findall(r"such as::\n\n(.*?)\n\nA torch", encoders.__doc__, re.DOTALL)
    (tmp_path / "pixels.py").write_text(textwrap.dedent(block))
    code = f"""if True:
        import taskrel_core.encoders as room
        room.__path__.append({str(tmp_path)!r})
        from taskrel_core import features
        print(features("digits", "pixels", n=5).z.shape, features("digits", "pixels@bfloat16", n=2).z.shape)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "torch.Size([5, 784]) torch.Size([2, 784])"


def test_a_network_needs_load_and_a_normalization_only(monkeypatch):
    class Mine(Encoder):
        def load(self):
            net = torch.nn.Conv2d(3, 8, 7, 4, bias=False)
            torch.nn.init.constant_(net.weight, 0.01)
            return torch.nn.Sequential(net, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()).eval(), None

    facts = {"source_task": "none", "licence": "MIT", "input_size": 64, "recipe": "mine-1"}
    mine = Mine(name="mine", dim=8, normalization=Normalization(127.5, 127.5), **facts)
    monkeypatch.setattr(ENCODERS, "_entries", {**ENCODERS})
    register(mine)
    images, _ = sample(3)
    found = ENCODERS["mine"].features(images)
    torch.testing.assert_close(mine.module()(mine.prepare(images)).detach(), torch.from_numpy(found))
    assert ENCODERS["mine@bfloat16"].version == "mine-1-bfloat16"
    with pytest.raises(ValueError, match="encoder 'mine' is registered already"):
        register(mine)
    with pytest.raises(NotImplementedError, match=r"Encoder must define load\(\) or features\(\)"):
        Encoder(name="empty", dim=1, **facts).features(images)


def test_an_encoder_without_a_file_has_no_path():
    with pytest.raises(ValueError, match="encoder must have a weights file, got 'pca'"):
        ENCODERS["pca"].path()


def test_versions_differ():
    names = [name for name in ENCODERS if name not in LARGE or ENCODERS[name].present()]
    assert len({ENCODERS[name].version for name in names}) == len(names) >= 10


def test_grey_keeps_28_pixel_images_and_takes_the_luminance_of_colours():
    images, _ = sample(3)
    np.testing.assert_array_equal(grey(images, 28), images[:, None].astype(np.float32) / 255)
    red = np.zeros((1, 28, 28, 3), np.uint8)
    red[..., 0] = 255
    np.testing.assert_allclose(grey(red, 28), 76 / 255)  # ITU-R 601: 0.299
    np.testing.assert_allclose(grey(np.full((1, 9, 9), 51, np.uint8), 28), 0.2)


def test_pca_is_the_projection_on_the_leading_components():
    from sklearn.decomposition import PCA

    pixels = sample(200)[0].reshape(200, 784) / 255
    images, _ = sample(50, "test")
    ours = built("pca")(images)
    theirs = PCA(64, svd_solver="full").fit(pixels).transform(images.reshape(50, 784) / 255)
    np.testing.assert_allclose(np.abs(ours[:, :20]), np.abs(theirs[:, :20]), atol=1e-3)
    assert np.linalg.norm(ours) == pytest.approx(np.linalg.norm(theirs), rel=1e-4)


def test_pca_of_few_samples_leaves_the_other_columns_zero():
    z = built("pca", n=10)(sample(5, "test")[0])
    assert np.abs(z[:, :9]).max() > 0.1
    np.testing.assert_array_equal(z[:, 10:], 0)


def test_the_random_net_keeps_the_scale_of_features_near_one():
    z = built("random_net")(DATASETS["digits"].load("train")[0][:100])
    assert 0.1 < np.sqrt((z**2).mean()) < 10


def test_fewer_epochs_are_an_earlier_point_of_the_same_training(cache, monkeypatch):
    images, _ = sample(20, "test")
    at = {epochs: built("lenet", epochs=epochs)(images) for epochs in (2, 0, 1)}
    monkeypatch.setenv("TASKREL_CACHE", str(cache / "other"))
    for epochs in (0, 1, 2):
        np.testing.assert_array_equal(built("lenet", epochs=epochs)(images), at[epochs])
    assert np.abs(at[1] - at[0]).max() > 0.01
    assert np.abs(at[2] - at[1]).max() > 0.01


def test_the_control_starts_as_lenet_and_learns_other_labels():
    images, _ = sample(20, "test")
    start, control = built("lenet", epochs=0)(images), built("lenet_shuffled", epochs=0)(images)
    np.testing.assert_array_equal(start, control)
    assert np.abs(built("lenet", epochs=1)(images) - built("lenet_shuffled", epochs=1)(images)).max() > 0.01


def test_every_epoch_is_kept_and_read_as_plain_weights(cache):
    built("lenet", epochs=2)
    files = sorted((cache / "weights" / "lenet").iterdir())
    assert [path.name for path in files] == [f"{'k' * 24}-{epoch:03d}.pt" for epoch in range(3)]
    state = torch.load(files[2], weights_only=True)
    assert set(state) == set(LeNet(10).state_dict())
    stamp = files[2].stat().st_mtime_ns
    built("lenet", epochs=2)
    assert files[2].stat().st_mtime_ns == stamp


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "other"])
def test_damaged_weights_name_their_file(cache, damage):
    built("lenet", epochs=1)
    path = cache / "weights" / "lenet" / f"{'k' * 24}-001.pt"
    whole = path.read_bytes()
    if damage == "other":
        torch.save({"a": torch.zeros(1)}, path)
    else:
        path.write_bytes({"cut": whole[:1000], "text": b"hello", "empty": b""}[damage])
    with pytest.raises(ValueError, match=r"001\.pt is damaged \(.*\); delete it and run again") as error:
        built("lenet", epochs=1)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("name", EVERY)
def test_building_leaves_random_numbers_and_threads_as_they_were(name):
    images = sample(1)[0]
    built(name)  # skips where its weights are missing
    torch.manual_seed(7)
    wanted = torch.rand(3)
    torch.manual_seed(7)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    _loaded.cache_clear()
    try:
        built(name, key="n" * 64)(images)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(torch.rand(3), wanted, rtol=0, atol=0)


def test_seeds_give_different_networks():
    images, _ = sample(5, "test")
    one, other = built("lenet", key="a" * 64), built("lenet", seed=1, key="b" * 64)
    assert np.abs(one(images) - other(images)).max() > 0.01


def nearest_mean_accuracy(encode):
    """Share of test glyphs, from other typefaces, whose nearest class mean of the train glyphs is their own."""
    (x, y), (x_test, y_test) = sample(600), sample(400, "test")
    z, z_test = encode(x), encode(x_test)
    means = np.stack([z[y == k].mean(0) for k in range(10)])
    return (np.linalg.norm(z_test[:, None] - means, axis=2).argmin(1) == y_test).mean()


def test_training_makes_features_better():
    start = nearest_mean_accuracy(built("lenet", n=1000, epochs=0))
    trained = nearest_mean_accuracy(built("lenet", n=1000, epochs=8))
    assert trained > start + 0.1
    assert trained > 0.6  # a guess is right one time in ten


def test_the_network_is_the_one_of_the_small_scale_study():
    net = LeNet(7)
    shapes = [tuple(p.shape) for p in net.parameters() if p.ndim > 1]
    assert shapes == [(20, 1, 5, 5), (50, 20, 5, 5), (200, 800), (7, 200)]
    z = net.features(torch.rand(3, 1, 28, 28))
    assert z.shape == (3, 200)
    assert (z >= 0).all()  # after the ReLU
    assert net(torch.rand(3, 1, 28, 28)).shape == (3, 7)


def test_constant_images_do_not_divide_by_zero():
    black = np.zeros((20, 28, 28), np.uint8)
    encode = train_lenet(TrainingSample(black, np.arange(20) % 2, 2, 0, 1, "c" * 64))
    assert np.isfinite(encode(black[:2])).all()
