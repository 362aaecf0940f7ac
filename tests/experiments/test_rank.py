"""``rank``: the order, the numbers of a line, stored features, sweeps, and targets that no ranking can be made of."""

import math
import re

import numpy as np
import pandas as pd
import pytest
import torch

from taskrel_core import BASELINES, ENCODERS, Task, features, rank, relatedness
from taskrel_core.encoders.packaged import Packaged
from taskrel_core.experiments.rank import ORDERS, default_encoders, ordered, sweep
from taskrel_core.experiments.ranking import QUICK, Ranked
from taskrel_core.experiments.relatedness import LABELLED, Experiment
from taskrel_core.extraction import n_parameters, standardise

RNG = np.random.default_rng(0)
Y = np.arange(60) % 3
CLEAR, NOISE = 4 * np.eye(5)[Y] + RNG.normal(size=(60, 5)), RNG.normal(size=(60, 4))
FEW = {"n": 60, "n_reference": 60, "jobs": 1}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKREL_CACHE", str(tmp_path / "cache"))
    return tmp_path


def stored(folder, name, z, y=Y, **more):
    np.savez(folder / f"{name}.npz", z=z, y=y, **more)
    return f"features:{folder}/{name}.npz"


def test_a_line_holds_what_the_scores_say_of_the_same_samples():
    table = rank("digits", ["random_net"], reference="glyphs_digits", **FEW)
    line = table.iloc[0]
    target, reference = (features(name, "random_net", n=60) for name in ("digits", "glyphs_digits"))
    for name in ("probe", "logme", "knn"):
        assert line[name] == pytest.approx(BASELINES[name](target=target))
    pair = standardise(reference, target)
    r = relatedness(*pair, 8 / target.d**0.5, metric="one_sided", settings=QUICK)
    assert (line["bound"], line["loss"], line["certified"]) == (
        pytest.approx(r.bound),
        pytest.approx(r.loss),
        True,
    )
    assert line["bound"] >= line["loss"]
    assert (line["chance"], line["log_k"]) == (pytest.approx(target.chance), pytest.approx(math.log(10)))
    assert (line["d"], line["n"], line["k"]) == (256, 60, 10)
    assert line["parameters"] == sum(p.numel() for p in ENCODERS["random_net"].load()[0].parameters())


def test_the_best_by_the_score_asked_for_is_first_and_places_are_of_each_score():
    rows = pd.DataFrame(
        {"name": list("abc"), "probe": [0.5, 0.9, 0.7], "logme": [3, 1, 2], "knn": 0.5, "labels": "true"}
    )
    rows = rows.assign(
        bound=[1.0, 3.0, 2.0], loss=[0.1, 0.2, 0.3], seconds_features=1, seconds_bound=2, seconds_scores=3
    )
    rows = rows.assign(chance=1, log_k=1, certified=True, d=1, parameters=1, licence="MIT")
    assert ordered(rows)["name"].tolist() == ["b", "c", "a"]
    assert ordered(rows, "bound")["name"].tolist() == ["a", "c", "b"]
    assert ordered(rows.assign(labels="pseudo"))["name"].tolist() == ["a", "c", "b"]
    assert ordered(rows)["place_bound"].tolist() == [3, 2, 1]
    assert ordered(rows)["place_knn"].tolist() == [1, 1, 1]
    assert ordered(rows)["seconds"].tolist() == [6, 6, 6]
    with pytest.raises(
        ValueError, match="by must be a score that the lines have, got 'bound', which needs a reference"
    ):
        ordered(rows.assign(bound=np.nan), "bound")


def test_stored_features_of_several_encoders_are_ranked_with_a_bound_where_there_is_a_reference(cache):
    good, bad = stored(cache, "good", CLEAR), stored(cache, "bad", NOISE)
    table = rank([bad, good], jobs=1)
    assert table["name"].tolist() == [good, bad]
    assert table["bound"].isna().all()
    assert table["probe"].iloc[0] > 0.9
    both = rank(
        [bad, good], reference=[stored(cache, "r_bad", NOISE), stored(cache, "r_good", CLEAR)], jobs=1
    )
    assert both.set_index("name").loc[good, "bound"] < both.set_index("name").loc[bad, "bound"]
    assert both["certified"].all()


def test_what_was_ranked_is_not_computed_again(cache, monkeypatch):
    name = stored(cache, "mine", CLEAR)
    first = rank(name, jobs=1)
    monkeypatch.setattr(Ranked, "compute", lambda self: pytest.fail("it is in the cache"))
    pd.testing.assert_frame_equal(first.drop(columns="origin"), rank(name, jobs=1).drop(columns="origin"))


def test_modules_and_functions_are_ranked_beside_names():
    net = torch.nn.Sequential(
        torch.nn.AvgPool2d(32), torch.nn.Flatten()
    )  # 224 pixels, 49 places in three colours
    table = rank(
        "digits", ["random_net", net, lambda x: x.reshape(len(x), -1) / 16], reference="digits", **FEW
    )
    assert set(table["name"]) == {"random_net", "Sequential", "<lambda>"}
    assert table.set_index("name").loc[["Sequential", "<lambda>"], "d"].tolist() == [147, 64]
    assert table["place"].tolist() == [1, 2, 3]


def test_pseudo_labels_rank_what_has_no_labels_and_say_how_many_are_right(cache):
    known, reference = stored(cache, "known", CLEAR), stored(cache, "r", CLEAR + 1)
    line = rank(known, reference=reference, labels="pseudo", jobs=1).iloc[0]
    assert (line["by"], line["certified"]) == ("bound", False)
    assert line["label_accuracy"] > 0.9
    np.savez(cache / "none.npz", z=CLEAR)
    unknown = rank(f"features:{cache}/none.npz@3", reference=reference, labels="pseudo", jobs=1).iloc[0]
    assert unknown["bound"] == pytest.approx(line["bound"])
    assert pd.isna(unknown["label_accuracy"])
    with pytest.raises(
        ValueError, match="labels must be 'true' and known, or 'pseudo' with a reference that gives them"
    ):
        rank(f"features:{cache}/none.npz@3", reference=reference, jobs=1)


def test_a_bound_of_a_target_without_labels_says_nothing_that_needs_them(cache):
    np.savez(cache / "none.npz", z=CLEAR)
    given = {"reference": stored(cache, "r", CLEAR + 1), "encoder": "pca", "tau": 0.5, "labels": "pseudo"}
    row = Experiment(target=f"features:{cache}/none.npz@3", **given).compute()
    assert [row[name] for name in LABELLED] == [None] * 4
    known = Experiment(target=stored(cache, "known", CLEAR), **given).compute()
    assert row["bound"] == pytest.approx(known["bound"])
    assert known["accuracy"] > 0.9
    assert 0 < row["chance"] <= row["log_k"] == pytest.approx(math.log(3))
    assert not row["certified"]


def test_a_share_is_of_each_class(cache):
    line = rank(stored(cache, "mine", CLEAR), share=0.2, jobs=1).iloc[0]
    assert (line["n"], line["smallest_class"]) == (12, 4)


@pytest.mark.parametrize(
    ("y", "n"),
    [(np.r_[np.zeros(59, int), 1], 2), (np.arange(60) % 30, 30), (np.arange(60), 60)],
    ids=["a class of one", "more classes than the reference", "all classes of one"],
)
def test_odd_targets_have_results(cache, y, n):
    line = rank(stored(cache, "odd", CLEAR, y), reference=stored(cache, "r", CLEAR), jobs=1).iloc[0]
    assert line["k"] == n
    assert line["certified"]
    assert line["bound"] >= line["loss"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda f: rank(stored(f, "one", CLEAR, Y * 0), jobs=1),
            "must have samples of at least 2 classes, got 1 in 60 samples",
        ),
        (
            lambda f: rank(stored(f, "p", CLEAR), labels="pseudo", jobs=1),
            "or 'pseudo' with a reference that gives them, got",
        ),
        (lambda f: rank("digits", []), "encoders must hold at least one, got none"),
        (
            lambda f: rank("digits", by="bounds"),
            "by must be one of probe, logme, knn, bound, loss, got 'bounds'",
        ),
        (lambda f: rank("digits", n=0), "n must be at least 1, got 0"),
        (lambda f: rank("digits", tau=-1), "tau must be finite and above 0, got -1"),
        (
            lambda f: rank(stored(f, "s", CLEAR), share=2, jobs=1),
            "share must be above 0 and at most 1, got 2",
        ),
        (
            lambda f: rank(stored(f, "l", CLEAR), labels="psuedo", jobs=1),
            "labels must be one of true, pseudo, got 'psuedo'",
        ),
        (lambda f: rank(["digits", "mnist"]), "target and reference must be one data set each"),
        (
            lambda f: rank(stored(f, "a", CLEAR), ["pca"]),
            "target must be features files only, with no encoders beside them",
        ),
        (
            lambda f: rank([stored(f, "a", CLEAR), stored(f, "b", NOISE[:50], Y[:50])]),
            "must be of the same samples in the same order, got 60 labels in",
        ),
        (
            lambda f: rank([stored(f, "a", CLEAR), stored(f, "b", NOISE)], reference=[stored(f, "r", CLEAR)]),
            "reference must hold one features file for each of the target's 2, got 1",
        ),
        (
            lambda f: rank(stored(f, "a", CLEAR), reference=stored(f, "r", NOISE), jobs=1),
            "must have the same width, got 5 and 4; take the features of both from one encoder",
        ),
    ],
)
def test_what_cannot_be_ranked_is_refused_with_the_rule(cache, call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call(cache)


def test_a_sweep_is_a_ranking_for_every_combination(cache):
    target = stored(cache, "mine", CLEAR)
    tables = sweep([target], [], [], jobs=1, share=[0.5, 1.0], seed=[0, 1], profile=["smoke"])
    assert [t["setting"].iloc[0] for t in tables] == [
        f"share {s}, seed {k}" for s in (0.5, 1.0) for k in (0, 1)
    ]
    assert [len(t) for t in tables] == [1] * 4
    assert [t["n"].iloc[0] for t in tables] == [30, 30, 60, 60]
    (alone,) = sweep([target], [], ["emoji_twemoji"], jobs=1, seed=[0])
    assert alone["setting"].tolist() == ["as asked"]
    pd.testing.assert_series_equal(alone[list(ORDERS)].iloc[0], rank(target, jobs=1)[list(ORDERS)].iloc[0])


def test_the_default_encoders_are_those_of_packages_that_anyone_may_use():
    free = {
        name
        for name in default_encoders()
        if ENCODERS[name].licence.split("-")[0] in ("MIT", "Apache", "BSD")
    }
    assert (
        free == set(default_encoders()) <= {name for name, e in ENCODERS.items() if isinstance(e, Packaged)}
    )
    assert {"efficientnet_lite0", "squeezenet"} <= free


def test_a_number_of_weights_is_counted_once_and_only_where_there_are_some(monkeypatch):
    first = n_parameters("random_net")
    monkeypatch.setattr(type(ENCODERS["random_net"]), "load", lambda self: pytest.fail("it was counted"))
    assert n_parameters("random_net") == first > 0
    assert n_parameters("pca") is None
    assert n_parameters(torch.nn.Linear(3, 4)) == 16


def test_quick_settings_leave_the_bound_certified_and_near(cache):
    reference, target = Task(CLEAR, Y, 3), Task(CLEAR + RNG.normal(size=CLEAR.shape) / 2, Y, 3)
    quick = relatedness(reference, target, 0.5, metric="one_sided", settings=QUICK)
    usual = relatedness(reference, target, 0.5, metric="one_sided")
    assert quick.certified
    assert quick.bound == pytest.approx(usual.bound, rel=0.1)
