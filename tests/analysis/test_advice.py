"""What a ranking advises, when it warns, and what following a score costs, on tables whose answers are known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from taskrel_core.analysis.accuracy import select_learning_rate
from taskrel_core.analysis.advice import (
    advice,
    cautions,
    concordance,
    experience,
    recommendation,
    regrets,
    study_advice,
    study_regrets,
)
from taskrel_core.analysis.few_shot import study_cells
from taskrel_core.experiments.rank import book_rows, default_encoders, ordered, study_rows
from taskrel_core.figures.names import WAY_NAMES

ROOT = Path(__file__).resolve().parents[2]
SCORES = ["probe", "logme", "knn", "bound"]


def table(**more):
    rows = pd.DataFrame(
        {"name": list("abc"), "probe": [0.9, 0.89, 0.5], "logme": [3.0, 2.0, 1.0], "knn": [0.8, 0.7, 0.6]}
    )
    rows = rows.assign(
        bound=[1.0, 1.5, 2.5], loss=[0.1, 0.2, 0.3], seconds_features=1, seconds_bound=2, seconds_scores=3
    )
    rows = rows.assign(
        chance=2.0, log_k=2.1, certified=True, d=1, parameters=1, licence="MIT", labels="true", n=100, k=8
    )
    rows = rows.assign(smallest_class=12, largest_class=0.2, label_accuracy=np.nan)
    return ordered(rows.assign(**more))


def test_agreement_is_1_of_one_order_and_0_of_opposite_ones():
    assert concordance(table(), SCORES) == pytest.approx(1)
    assert concordance(table(logme=[1, 2, 3]), ["probe", "logme"]) == pytest.approx(0)
    assert np.isnan(concordance(table().iloc[:2], SCORES))
    assert concordance(table(bound=np.nan), SCORES) == pytest.approx(1)


def test_the_recommendation_names_the_first_its_certainty_and_what_is_as_good():
    said = recommendation(table(), WAY_NAMES)
    assert said.startswith(
        "Take a, the first of 3 by cross-validated probe. Its accuracy on 100 samples is 90.0% (standard error 3.0%). Within one"
    )
    assert "perhaps as good: b. Its bound" in said
    assert said.endswith("is 1.000 nats on these samples (certified). This is below chance, 2.000")
    assert "so it is vacuous" in recommendation(table(bound=2.5), WAY_NAMES)
    assert recommendation(table(bound=np.nan), WAY_NAMES).endswith("Without a reference there is no bound")
    assert "as good" not in recommendation(table(probe=[0.9, 0.5, 0.4]), WAY_NAMES)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"logme": [1, 2, 3], "knn": [0.1, 0.2, 0.3], "bound": [3, 2, 1]},
            "The scores disagree (Kendall's W 0.25): LogME puts c first",
        ),
        (
            {"smallest_class": 3},
            "The target is small: its smallest class has 3 samples, 100 in all; give 10 or more",
        ),
        (
            {"largest_class": 0.95},
            "No encoder predicts the target: the probe's 90.0% are no more than the largest class, 95.0%",
        ),
        ({"probe": [1.0, 0.9, 0.8]}, "The first encoder's probe makes no error"),
        (
            {"labels": "pseudo"},
            "how many are right is not known. Probe, LogME and k-NN then measure how well",
        ),
        ({"labels": "pseudo", "label_accuracy": 0.7}, "70% of the first encoder's are right"),
    ],
)
def test_what_makes_a_ranking_unsure_is_said(more, message):
    assert cautions(table(), WAY_NAMES, SCORES) == []
    assert cautions(table(bound=np.nan), WAY_NAMES, SCORES) == []
    (said,) = cautions(table(**more), WAY_NAMES, SCORES)
    assert message in said


def cells(value, truth, way="logme"):
    """A table of advice of one way: targets by encoders."""
    value, truth = np.asarray(value, float), np.asarray(truth, float)
    t, e = (i.ravel() for i in np.indices(value.shape))
    rows = pd.DataFrame({"target": t, "encoder": e, "value": value.ravel(), "fine_tuned": truth.ravel()})
    return rows.assign(way=way)


def test_regret_is_what_the_pick_lacks_of_the_best():
    truth = [[0.9, 0.8, 0.7], [0.5, 0.6, 0.4]]
    found = regrets(cells([[3, 2, 1], [3, 2, 1]], truth), resamples=200).set_index("way")
    assert found.loc["logme", "regret"] == pytest.approx(0.05)
    assert found.loc["logme", "worst"] == pytest.approx(0.1)
    assert (found.loc["logme", "hits"], found.loc["logme", "targets"], found.loc["logme", "encoders"]) == (
        1,
        2,
        3,
    )
    assert found.loc["random", "regret"] == pytest.approx(0.1)
    assert found.loc["logme", "low"] <= 0.05 <= found.loc["logme", "high"]
    perfect = regrets(cells(truth, truth), resamples=200).set_index("way").loc["logme"]
    assert (perfect["regret"], perfect["low"], perfect["high"], perfect["hits"]) == (0, 0, 0, 2)


def test_ways_are_turned_so_that_more_is_better_and_averaged_over_repetitions():
    scores = pd.DataFrame({"target": "t", "encoder": ["a", "a", "b", "b"], "bound": [1.0, 3.0, 5.0, 7.0]})
    runs = pd.DataFrame(
        {"target": ["t", "t", "u", "u"], "encoder": ["a", "b"] * 2, "lr": 1.0, "seed": 0, "seconds": 1.0}
    )
    runs = runs.assign(fine_tuned=[0.5, 0.9, 0.8, 0.6], fine_tuned_se=0.1, probe=0.1, n_train=5)
    runs = runs.assign(validation=[0.2, 0.3, 0.4, 0.5], probe_validation=[0.7, 0.6, 0.5, 0.4])
    long = advice(scores, runs, select_learning_rate(runs), {"bound": False}).set_index(["way", "encoder"])
    assert long["value"]["bound"].to_dict() == {"a": -2, "b": -6}
    assert long["value"]["probe"].to_dict() == {"a": 0.7, "b": 0.6}
    assert long["value"]["fine_tuning"].to_dict() == {"a": 0.2, "b": 0.3}
    assert long["fine_tuned"]["probe"].to_dict() == {"a": 0.5, "b": 0.9}


def test_a_study_is_judged_like_the_tables_of_the_book():
    """Two targets of two encoders: a score that picks the best, one that picks the other; fine-tuning picks one of each."""
    runs = pd.DataFrame(
        {"target": list("ttuu") * 2, "encoder": list("abab") * 2, "seed": [0] * 4 + [1] * 4, "lr": 1.0}
    )
    runs = runs.assign(
        fine_tuned=[0.5, 0.8, 0.9, 0.6] * 2, validation=[0.1, 0.2, 0.3, 0.4, 9.0, 0.0, 9.0, 0.0]
    )
    scored = pd.DataFrame({"target": list("ttuu"), "encoder": list("abab"), "good": [1.0, 2, 2, 1]})
    study = study_cells(runs, scored.assign(bad=scored["good"]), {"good": True, "bad": False})
    found = regrets(study_advice(study, runs, ["good", "bad", "absent"]), 100).set_index("way")
    wanted = {"good": 0, "bad": 0.3, "fine_tuning": 0.15, "static": 0.3}
    assert found["regret"].drop("random").to_dict() == pytest.approx(wanted)
    assert (found["targets"] == 2).all()


def test_experience_tells_the_way_that_is_followed_beside_others():
    found = regrets(
        pd.concat(
            [
                cells([[3, 2, 1]] * 2, [[0.9, 0.8, 0.7], [0.5, 0.6, 0.4]], w)
                for w in ("probe", "reference_accuracy")
            ]
        ),
        100,
    )
    said = experience(found, WAY_NAMES, "probe")
    assert said.startswith(
        "On the book's 2 targets and 3 encoders, choosing by the cross-validated probe lost 5.0 points (95 % CI"
    )
    assert said.count("cross-validated probe") == 1
    assert experience(found, WAY_NAMES, "reference_accuracy").count("reference accuracy") == 1
    assert "reference accuracy, 5.0 points" in said
    assert experience(found, WAY_NAMES, "knn") == "How well k-NN picks was not tried on the book's targets"


def test_the_advice_of_the_book_is_of_its_shipped_rows(monkeypatch):
    monkeypatch.setenv("TASKREL_RESULTS", str(ROOT / "book/results"))
    monkeypatch.delenv("TASKREL_FRESH", raising=False)
    scores, trainings = book_rows()
    encoders = default_encoders()
    whole = scores[(scores["share"] == 1) & (scores["labels"] == "true") & scores["encoder"].isin(encoders)]
    kept = trainings[trainings["encoder"].isin(encoders)]
    asked = {"paper": False, "logit": False, "reference_accuracy": True}
    found = regrets(advice(whole, kept, select_learning_rate(kept), asked), 100).set_index("way")
    assert (found["targets"] == 5).all()
    assert (found["encoders"] == 8).all()
    assert found.loc["probe", "regret"] < found.loc["random", "regret"] < found.loc["paper", "regret"]


def test_the_advice_of_the_studies_is_of_their_shipped_rows(monkeypatch):
    monkeypatch.setenv("TASKREL_RESULTS", str(ROOT / "book/results"))
    monkeypatch.delenv("TASKREL_FRESH", raising=False)
    for name, (scores, trainings) in study_rows().items():
        assert set(scores["labels"]) == {"true"}, name
        found = study_regrets(trainings, scores, {"probe": True, "euclidean": False}).set_index("way")
        assert (found["targets"] == scores["target"].nunique()).all(), name
        assert (found["encoders"] == scores["encoder"].nunique()).all(), name
        assert found.loc["probe", "regret"] < found.loc["random", "regret"], name


def test_without_shipped_rows_their_folder_is_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("TASKREL_RESULTS", str(tmp_path))
    with pytest.raises(ValueError, match="TASKREL_RESULTS must be the folder of rows that the project ships"):
        book_rows()
