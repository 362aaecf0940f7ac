"""Parameters of the real notebooks: what their declarations allow, what is refused and how, and what the page's key asks."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import jupytext
import numpy as np
import pytest
from PIL import Image
from runner import assets, plan
from runner.parameters import chosen, declared, filled
from runner.reading import Refused

from taskrel_core import ENCODERS
from taskrel_core.experiments.rank import default_encoders

ROOT = Path(__file__).resolve().parents[2]
STEMS = {path.stem[:2]: path.stem for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.py"))}


def values(number, profile="embedded", **given):
    source = jupytext.read(ROOT / f"notebooks/{STEMS[number]}.py")
    return chosen(STEMS[number], declared(source, STEMS[number]), profile, given)[0]


@pytest.fixture
def pictures(tmp_path):
    """A folder of six tiny pictures in two classes, train and test."""
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            folder = tmp_path / "mine" / split / name
            folder.mkdir(parents=True)
            for k in range(3):
                Image.fromarray(rng.integers(0, 255, (40, 40, 3), np.uint8)).save(folder / f"{k}.png")
    return tmp_path / "mine"


@pytest.mark.parametrize(
    ("number", "given", "message"),
    [
        ("13", {"tau": "0"}, "tau must be > 0, got 0.0"),
        ("13", {"tau": "-1e-3"}, "tau must be > 0, got -0.001"),
        ("13", {"tau": "nan"}, "tau must be finite, got nan"),
        ("13", {"tau": "0.1, 0"}, "each item of tau must be > 0, got 0.0"),
        ("13", {"tau": "0.1, 0.1"}, "tau must have each item once, got 0.1 2 times"),
        ("13", {"tau": "[]"}, "tau must have at least one item, got []"),
        ("13", {"tau": "low"}, "tau must be float, got 'low'"),
        (
            "13",
            {"target": "features:/nope.npz"},
            "target must be a data set: 'features:/nope.npz' is not there: no such",
        ),
        ("13", {"target": "features:/a.npy+/b.npy"}, "is not there: no such path /a.npy"),
        ("13", {"target": "unlabelled:/nope@3"}, "'unlabelled:/nope@3' is not there: no such path /nope"),
        (
            "13",
            {"target": "features:{root}/README.md"},
            "features:FILE must name FILE.npz, or Z.npy+Y.npy, got",
        ),
        ("13", {"encoder": "file:/nope.pt@timm:resnet18"}, "is not there: no such path /nope.pt"),
        ("16", {"encoders": "timm:resnet1"}, "unknown encoder 'timm:resnet1' (did you mean 'timm:resnet1"),
        ("02", {"turn": "inf"}, "turn must be finite, got inf"),
        ("02", {"turn": "400"}, "turn must be <= 360, got 400.0"),
        ("13", {"seed": "-1"}, "seed must be a seed, 0 to 4294967295, got -1"),
        ("04", {"seed": "4294967296"}, "seed must be a seed, 0 to 4294967295, got 4294967296"),
        ("13", {"n_target": "0"}, "n_target must be >= 1, got 0"),
        ("01", {"n_test": "-5"}, "n_test must be >= 1, got -5"),
        ("06", {"k_reference": "1"}, "k_reference must be >= 2, got 1"),
        ("07", {"shares": "0.5, 2"}, "each item of shares must be <= 1, got 2.0"),
        (
            "13",
            {"labels": "psuedo"},
            "labels must be one of true, pseudo, got 'psuedo' (did you mean 'pseudo'?)",
        ),
        (
            "09",
            {"metric": "onesided"},
            "metric must be one of euclidean, span, logit, one_sided, got 'onesided' (did you mean 'one_sided'?)",
        ),
        (
            "13",
            {"encoder": "lenett"},
            "encoder must be an encoder: unknown encoder 'lenett' (did you mean 'lenet'?)",
        ),
        (
            "06",
            {"rates": "{squeezenett: 1e-4}"},
            "each name in rates must be a trainable encoder: unknown encoder 'squeezenett' (did you mean 'squeezenet'?)",
        ),
        ("06", {"rates": "{squeezenet: 0}"}, "each item of rates must be > 0, got 0.0"),
        ("06", {"rates": "{squeezenet: 1e-4}"}, "rates must have 3 or more, got 1: {'squeezenet': 0.0001}"),
        (
            "17",
            {"encoders": "small:resnet/mnist"},
            "encoders must have 3 or more, got 1: ['small:resnet/mnist']",
        ),
        (
            "05",
            {"unrelated": "[kmnist, digits]"},
            "unrelated must have no item of related, got 'digits' in both; drop it",
        ),
        (
            "06",
            {"rates": "{lenet: 1e-4}"},
            "'lenet' has no network that can be trained further; those that have: ",
        ),
        ("08", {"rates": "{random_net@bfloat16: 1e-4}"}, "random_net@bfloat16"),
        (
            "01",
            {"zero_shot": "on"},
            "zero_shot=true needs encoder=clip:..., got 'efficientnet_lite0'; change one of",
        ),
        ("11", {"encoder": "lenett@bfloat16"}, "unknown encoder 'lenett"),
        (
            "01",
            {"targets": "mnist, fashon_mnist"},
            "each item of targets must be a data set: unknown data set 'fashon_mnist' (did you mean 'fashion_mnist'?)",
        ),
        ("03", {"pairs": "mnist > digit"}, "unknown data set 'digit' (did you mean 'digits'?)"),
        (
            "03",
            {"pairs": "mnist>digits"},
            "each item of pairs must be 'reference > target', with spaces around",
        ),
        ("10", {"pair": "mnist"}, "pair must be 'reference > target', with spaces around one >, got 'mnist'"),
        (
            "13",
            {"target": "folder:/nope"},
            "target must be a data set: 'folder:/nope' is not there: no such path",
        ),
        ("04", {"tasks": "mnist, digits, folder:nowhere"}, "'folder:nowhere' is not there: no such path"),
        ("13", {"target": "folder:{root}/README.md"}, "must name a folder, {root}/README.md is a file"),
        ("13", {"reference": "{root}/book"}, "write folder:{root}/book for pictures of your own"),
        ("05", {"related": "some/pictures"}, "write folder:some/pictures for pictures of your own"),
        ("14", {"facts": "nowhere"}, "facts must be a folder that is there, got 'nowhere'"),
        ("03", {"seeds": "[]"}, "seeds must have at least one item, got []"),
        ("04", {"tasks": "mnist"}, "tasks must have 3 or more, got 1: ['mnist']"),
        ("15", {"pair": "mnist"}, "pair must have 2 items, got 1: ['mnist']"),
        ("12", {"n": ""}, "n must have at least one item, got []"),
        ("11", {"seeds": "0, 0"}, "seeds must have each item once, got 0 2 times"),
        (
            "03",
            {"pairs": "[mnist > digits, digits > mnist]", "encoders": "lenet"},
            "encoders must have one item per item of pairs, which has 2, got 1: ['lenet']",
        ),
        (
            "03",
            {"encoders": "lenet, pca"},
            "encoders must have one item per item of pairs, which has 3, got 2",
        ),
        ("06", {"sizes": "{m: 60}"}, "sizes has no 'm'; it has n, n_test, epochs"),
        (
            "15",
            {"large": "{k_refrence: 9}"},
            "has no 'k_refrence'; it has n, n_reference, d, k, k_reference (did you",
        ),
        ("06", {"sizes": "{n: 0}"}, "each item of sizes must be >= 1, got 0"),
        ("06", {"sizes": "{n: many}"}, "sizes: n must be int, got 'many'"),
        ("06", {"sizes": "{n: 1, n: 2}"}, "sizes must have each name once, got 'n' twice"),
        ("06", {"sizes": "[1, 2, 3]"}, "sizes must be dict[str, int], got '[1, 2, 3]'"),
        ("06", {"sizes": "60"}, "sizes must be dict[str, int], written {name: value}, got '60'"),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_the_readers_own_names(number, given, message):
    given = {name: text.replace("{root}", str(ROOT)) for name, text in given.items()}
    with pytest.raises(Refused) as caught:
        values(number, **given)
    assert message.replace("{root}", str(ROOT)) in str(caught.value)
    assert f"notebooks/{STEMS[number]}.py, from the command line: " in str(caught.value)


@pytest.mark.parametrize(
    ("number", "given", "name", "expected"),
    [
        ("06", {"sizes": "{n: 60}"}, "sizes", {"n": 60, "n_test": 1000, "epochs": 2}),
        ("12", {"usual": "k: 3"}, "usual", {"n": 2000, "d": 256, "k": 3}),
        ("01", {"rates": "{squeezenet: 1e-4}"}, "rates", {"squeezenet": 1e-4}),
        ("01", {"zero_shot": "yes", "encoder": "clip:RN50/openai"}, "zero_shot", True),
        ("03", {"pairs": "mnist > digits"}, "encoders", ["lenet"]),
        ("13", {"n_target": "1e3"}, "n_target", 1000),
        ("13", {"tau": "0.02, 0.1"}, "tau", [0.02, 0.1]),
        ("13", {"tau": "[0.5]"}, "tau", [0.5]),
        ("13", {"target": "mnist, digits"}, "target", ["mnist", "digits"]),
        ("16", {"tau": "0.5"}, "tau", [0.5]),
        ("13", {"seed": "012"}, "seed", 12),
        ("06", {"floors": "[]"}, "floors", []),
    ],
)
def test_what_can_be_is_read_and_completed(number, given, name, expected):
    assert values(number, **given)[name] == expected


def test_a_dict_keeps_what_the_profile_sets_where_the_command_line_sets_another_part():
    assert values("06", "smoke", sizes="{n: 61}")["sizes"] == {"n": 61, "n_test": 40, "epochs": 1}


@pytest.mark.parametrize(
    "line", ["n: int = 3  # [> nothing] how many", "n: int = 3  # [at least 1] how many"]
)
def test_a_rule_that_is_none_is_refused(line):
    notebook = jupytext.reads(f'# %% tags=["parameters"]\n{line}\n', "py:percent")
    with pytest.raises(Refused, match=r"the line of n must be understood: .* is no rule"):
        declared(notebook, "it")


@pytest.mark.parametrize("word", ["tau=0", "encoder=lenett", "target=folder:/nope"])
def test_a_refusal_takes_less_than_two_seconds_and_starts_no_kernel(word, tmp_path):
    assets.names()  # kept from here on
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [
        sys.executable,
        "notebooks/run.py",
        "--only",
        "13",
        "--out",
        str(tmp_path / "book"),
        "--set",
        word,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 2
    assert word.partition("=")[0] in done.stderr
    assert (
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2
    )  # of the processor, also when busy
    assert not (tmp_path / "book").exists()


@pytest.mark.parametrize(
    ("number", "given"),
    [
        ("13", {"target": "folder:{}"}),
        ("03", {"pairs": "folder:{} > digits"}),
        ("09", {"pairs": "[mnist > digits, mnist > folder:{}]"}),
        ("01", {"targets": "[mnist, folder:{}]"}),
        ("15", {"pair": "mnist, folder:{}"}),
        ("10", {"pair": "folder:{} > mnist"}),
    ],
)
def test_the_key_follows_the_pictures_wherever_their_folder_is_named(pictures, number, given):
    def key():
        return plan.make(
            STEMS[number], "embedded", {n: text.format(pictures) for n, text in given.items()}
        ).key

    first = key()
    assert key() == first
    picture = pictures / "train/cat/0.png"
    Image.new("RGB", (40, 40), "red").save(picture)
    assert key() != first


def test_every_data_set_and_encoder_of_every_profile_is_in_the_key_of_its_page():
    for stem in STEMS.values():
        for profile in ("embedded", "paper", "smoke"):
            made = plan.make(stem, profile)
            known = {name for kind in assets.names().values() for name in kind}
            asked = filled(made.declared, made.parts["parameters"])
            assert set(assets.words(asked)) & known == set(made.parts["data"]) & known


def test_an_empty_list_stands_for_the_encoders_that_its_rule_names():
    small = [name for name in ENCODERS if name.startswith("small:")]
    for number, name, expected in (
        ("17", "encoders", small),
        ("19", "tested", small),
        ("16", "encoders", default_encoders()),
    ):
        made = plan.make(STEMS[number], "embedded")
        assert made.parts["parameters"][name] == []
        assert {n: made.parts["data"][n] for n in expected} == {n: ENCODERS[n].version for n in expected}
        chosen = ["small:resnet/mnist", "small:resnet/tiny_1", "small:resnet/random"]
        some = plan.make(STEMS[number], "embedded", {name: f"[{', '.join(chosen)}]"}).parts["data"]
        assert {n for n in some if n in expected} == {n for n in chosen if n in expected}


def test_names_of_dicts_count_and_what_is_not_here_is_not_fetched(monkeypatch, tmp_path):
    monkeypatch.setenv("TASKREL_CACHE", str(tmp_path))
    monkeypatch.delenv("TASKREL_DATA", raising=False)
    found = assets.versions(
        {"rates": {"random_net@bfloat16": 1.0}, "pair": "svhn > digits", "title": "mnist, no"}
    )
    assert set(found) == {"random_net@bfloat16", "svhn", "digits"}
    assert found["svhn"] == "not here"
    assert "TASKREL_OFFLINE" not in os.environ
    assert not list(tmp_path.rglob("*svhn*"))
