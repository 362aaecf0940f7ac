"""The small encoders: their files and cards, and the training that makes them again."""

import json
from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from taskrel_core import DATASETS, ENCODERS
from taskrel_core.assets.content import file_fingerprint
from taskrel_core.encoders.small import CARDS, FOLDER, PREFIX, file_name
from taskrel_core.encoders.small_networks import NETWORKS
from taskrel_core.experiments.pretraining import (
    OBJECTIVES,
    RECIPES,
    Pretraining,
    _attacked,
    _material,
    _moved,
    _view,
    train,
)
from taskrel_core.experiments.zoo import compare, main, recipe_of, ship, trained

IMAGES = DATASETS["digits"].images("test", np.arange(5))
PACKAGED = {"fashion_mnist", "mnist", "glyphs_latin", "emoji_twemoji"}
TINY = Pretraining("mobilenet", "digits", epochs=1, n=64, batch=32)


def weights(trunk):
    return torch.cat([value.flatten().float() for value in trunk.state_dict().values()])


def test_every_weights_file_has_a_card_and_the_sha256_on_it():
    files = {path.name: path for path in FOLDER.glob("*.safetensors")}
    assert set(files) == {file_name(name) for name in CARDS}
    for name, card in CARDS.items():
        assert file_fingerprint(files[file_name(name)]) == card["sha256"], name
    assert sum(path.stat().st_size for path in files.values()) < 25e6


def test_each_architecture_has_the_same_pretrainings_four_of_them_from_packages():
    pairs = [name.split("/") for name in CARDS]
    assert set(Counter(architecture for architecture, _ in pairs)) == set(NETWORKS)
    lists = [{p for a, p in pairs if a == architecture} for architecture in NETWORKS]
    assert all(each == lists[0] for each in lists)
    assert len(lists[0]) >= 11
    assert {CARDS[f"resnet/{name}"]["source"] for name in lists[0]} > PACKAGED


@pytest.mark.parametrize("name", CARDS)
def test_a_card_tells_the_recipe_in_the_code_and_what_came_of_it(name):
    card, recipe = CARDS[name], recipe_of(name)
    told = json.loads(json.dumps(asdict(recipe)))
    assert {key: card[key] for key in told} == told
    assert card["source_task"] == recipe.summary == ENCODERS[PREFIX + name].source_task
    if recipe.source:
        source = DATASETS[recipe.source]
        assert (card["source_version"], card["source_licence"]) == (source.version, source.licence)
        assert card["steps"] == recipe.epochs * -(-card["images"] // recipe.batch)
        assert 0 < card["final_loss"] < card["first_losses"][0]
        assert card["seconds"] > 0


@pytest.mark.parametrize("name", CARDS)
def test_features_are_finite_and_gradients_reach_every_weight(name):
    encoder = ENCODERS[PREFIX + name]
    net = encoder.module()
    z = net(encoder.prepare(IMAGES))
    np.testing.assert_allclose(z.detach(), encoder.features(IMAGES), rtol=1e-4, atol=1e-4)
    assert z.shape == (5, 256)
    assert z.std(0).max() > 0.01
    z.square().sum().backward()
    assert sum(weight.numel() for weight in net.parameters()) == CARDS[name]["parameters"]
    for key, weight in net.named_parameters():
        assert weight.dtype == torch.float32
        assert torch.isfinite(weight.grad).all(), key


def test_other_weights_than_those_pinned_are_refused():
    encoder = ENCODERS["small:resnet/random"]
    other = replace(encoder, card={**encoder.card, "sha256": "0" * 64})
    with pytest.raises(
        ValueError, match=r"resnet-random\.safetensors has sha256 .*, but 0{64} is pinned; install"
    ):
        other.features(IMAGES)
    assert other.version != encoder.version


def test_an_unknown_small_encoder_is_told_the_nearest_and_all_others_only_that_there_are_some():
    with pytest.raises(
        KeyError, match=r"did you mean 'small:resnet/cifar10'\?\); known: .*small:mobilenet/mnist"
    ):
        ENCODERS["small:resnet/cifar1"]
    with pytest.raises(
        KeyError, match=r"unknown encoder 'nosuch'; known: (.(?!small:r))*lenet, .*, small:\.\.\."
    ):
        ENCODERS["nosuch"]


def test_shipped_random_weights_are_made_again_up_to_rounding():
    for architecture in NETWORKS:
        trunk, _ = train(recipe_of(f"{architecture}/random"))
        shipped = ENCODERS[f"small:{architecture}/random"].module()
        torch.testing.assert_close(weights(shipped), weights(trunk), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("architecture", NETWORKS)
def test_training_starts_as_the_card_tells(architecture):
    card = CARDS[f"{architecture}/glyphs_latin"]  # rendered here, from typefaces of a package
    _, facts = train(recipe_of(f"{architecture}/glyphs_latin"), steps=3)
    assert (facts["steps"], facts["images"]) == (3, card["images"])
    assert facts["first_losses"] == pytest.approx(card["first_losses"], rel=1e-3)


@pytest.mark.slow
def test_a_whole_training_gives_the_features_of_the_shipped_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKREL_CACHE", str(tmp_path))
    name = "mobilenet/glyphs_latin"
    *_, correlation = compare(name, trained(name))
    assert (
        correlation > 0.9
    )  # 1 on one machine; elsewhere sums are rounded differently, and training amplifies it


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_each_objective_is_the_same_training_again_and_another_with_another_seed(objective):
    recipe = replace(TINY, objective=objective)
    one, two, other = (train(r) for r in (recipe, recipe, replace(recipe, seed=1)))
    assert torch.equal(weights(one[0]), weights(two[0]))
    assert one[1]["first_losses"] == two[1]["first_losses"] != other[1]["first_losses"]
    assert one[1]["steps"] == 2
    assert not one[0].training


def test_training_leaves_random_numbers_and_threads_as_they_were():
    torch.manual_seed(7)
    wanted, threads = torch.rand(3), torch.get_num_threads()
    torch.manual_seed(7)
    train(replace(TINY, attack=1.0))
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.rand(3), wanted)


def test_training_lowers_the_loss():
    _, facts = train(replace(TINY, n=256, epochs=8))
    assert facts["final_loss"] < 0.5 * facts["first_losses"][0]
    assert facts["final_accuracy"] > 0.7


def test_the_adversary_stays_in_its_ball_and_raises_the_loss():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 5))
    x, y = torch.rand(40, 3, 32, 32) - 0.5, torch.arange(40) % 5
    moved = _attacked(net, x, y, 2.0)
    assert (moved - x).flatten(1).norm(dim=1).max() <= 2 + 1e-4
    loss = torch.nn.functional.cross_entropy
    assert loss(net(moved), y) > loss(net(x), y) + 0.1
    assert _attacked(net, torch.ones_like(x), y, 2.0).abs().max() <= 1


def test_a_picture_is_moved_by_a_few_pixels_and_its_border_repeated():
    torch.manual_seed(0)
    x = torch.zeros(200, 3, 32, 32)
    x[:, :, 10, 20] = 1
    where = _moved(x)[:, 0].flatten(1).argmax(1)
    rows, columns = where // 32, where % 32
    assert (int(rows.min()), int(rows.max())) == (6, 14)
    assert (int(columns.min()), int(columns.max())) == (16, 24)
    assert _moved(x).sum() == 600  # one pixel in three channels each
    assert torch.equal(_moved(torch.ones(2, 3, 32, 32)), torch.ones(2, 3, 32, 32))


def test_views_are_crops_of_the_picture():
    torch.manual_seed(0)
    ramp = torch.linspace(-1, 1, 32).expand(50, 3, 32, 32)
    rises = _view(ramp).diff(dim=3)
    assert rises.min() > -1e-5
    assert rises.max() <= 1.4 * 2 / 31 + 1e-5  # no larger than the picture, at the strongest contrast


def test_labels_are_replaced_at_the_rate_asked_for_and_classes_are_renumbered():
    clean = _material(replace(TINY, n=1000))
    noisy = _material(replace(TINY, n=1000, noise=0.6))
    assert torch.equal(clean[0], noisy[0])
    assert float((clean[1] != noisy[1]).float().mean()) == pytest.approx(0.6 * 0.9, abs=0.05)
    pictures, labels, k = _material(replace(TINY, classes=(3, 7)))
    assert (k, sorted(set(labels.tolist())), pictures.dtype) == (2, [0, 1], torch.uint8)


def test_summaries_tell_recipes_apart():
    for architecture in NETWORKS:
        assert len({recipe_of(f"{architecture}/{name}").summary for name in RECIPES}) == len(RECIPES)


def test_shipping_adds_to_the_cards_and_training_is_not_repeated(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKREL_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "package"
    folder.mkdir()
    for name in ("mobilenet/random", "resnet/random"):
        path = trained(name)
        stamp = path.stat().st_mtime_ns
        ship({name: trained(name)}, folder)
        assert path.stat().st_mtime_ns == stamp
    cards = json.loads((folder / "cards.json").read_text())
    assert list(cards) == ["resnet/random", "mobilenet/random"]  # in the order of the recipes
    for name, card in cards.items():
        assert card["sha256"] == file_fingerprint(folder / file_name(name))


def test_the_command_compares_with_the_package_and_refuses_unknown_names(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TASKREL_CACHE", str(tmp_path))
    assert main(["mobilenet/random"]) == 0
    assert "correlation 1.0000" in capsys.readouterr().out
    assert main(["vgg"]) == 2
    assert (
        "must be ARCHITECTURE/PRETRAINING, got 'vgg'; architectures: resnet, mobilenet"
        in capsys.readouterr().err
    )
