"""From rows of few-shot trainings and scores to what a page says of them, on tables with a known answer."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from taskrel_core.analysis.few_shot import (
    STATIC,
    candidate_cells,
    candidate_summary,
    own_domain,
    pretraining,
    seconds_of,
    study_cells,
    summary,
    verdicts,
)
from taskrel_core.analysis.few_shot_report import (
    best_of_each_kind,
    cost,
    finding,
    headline,
    limits,
    places,
    searched_for,
    short,
    spread,
    telling,
)

ENCODERS = [
    f"small:{a}/{p}" for p in ("random", "mnist", "tiny_3", "rotation", "cifar10", "masked") for a in "ab"
]
TARGETS = ["usps", "cifar10", "dtd10", "flowers5"]


@pytest.fixture(scope="module")
def rows():
    """Accuracy has parts of encoder and match; one score is the accuracy, one its negative, one only the encoder's part."""
    rng = np.random.default_rng(0)
    quality = rng.normal(size=len(ENCODERS))
    trainings, scores = [], []
    for target in TARGETS:
        match = rng.normal(size=len(ENCODERS))
        for i, encoder in enumerate(ENCODERS):
            truth = 0.5 + 0.05 * (quality[i] + match[i])
            for seed in (0, 1):
                accuracy = truth + 0.001 * rng.normal()
                trainings.append({"target": target, "encoder": encoder, "seed": seed, "fine_tuned": accuracy})
            cell = {"target": target, "encoder": encoder}
            scores.append(
                cell
                | {
                    "euclidean": truth, "euclidean_loss": -truth, "euclidean_transport": 1 + truth,
                    "reference_accuracy": quality[i],
                }
            )  # fmt: skip
            scores.append(cell | {"probe": truth + 0.05 * rng.normal(), "other": rng.normal()})
    return pd.DataFrame(trainings), pd.DataFrame(scores)


HIGHER = {
    "euclidean": False,
    "euclidean_loss": False,
    "euclidean_transport": False,
    "reference_accuracy": True,
    "probe": True,
    "absent": True,
}


@pytest.fixture(scope="module")
def cells(rows):
    return study_cells(*rows, HIGHER)


@pytest.fixture(scope="module")
def table(cells):
    return summary(cells, ["probe", STATIC], resamples=200)


def test_cells_hold_mean_accuracies_and_only_known_scores(cells, rows):
    trainings, scores = rows
    best = trainings.groupby(["encoder", "target"])["fine_tuned"].mean()
    for i, encoder in enumerate(cells.encoders):
        for t, target in enumerate(cells.targets):
            assert cells.truth[i, t] == pytest.approx(best[encoder, target])
    assert set(cells.scores) == {*HIGHER, STATIC} - {"absent"}
    assert set(cells.families) == {"random", "mnist", "tiny_3", "rotation", "cifar10", "masked"}
    named = study_cells(trainings, scores, HIGHER, {name: name[6] for name in ENCODERS})
    assert named.families == tuple("ab" * 6)


def test_a_saturated_score_has_no_value(rows):
    trainings, scores = rows
    flags = scores["target"].eq("usps") & scores["probe"].notna()
    cells = study_cells(
        trainings, scores.assign(saturated_probe=flags.where(scores["probe"].notna(), None)), HIGHER
    )
    known = np.isfinite(cells.scores["probe"])
    assert not known[:, cells.targets.index("usps")].any()
    assert known[:, cells.targets.index("dtd10")].all()


def test_a_summary_tells_sign_quality_and_match_apart(table):
    assert (
        table.loc["euclidean", "mean_r"] < -0.99
    )  # lower is claimed to be better, and it is the accuracy itself
    assert table.loc["euclidean_loss", "mean_r"] > 0.99
    assert table.loc["euclidean_loss", "interaction_r"] > 0.95
    assert table.loc["reference_accuracy", "mean_r"] > 0.4
    assert table.loc["reference_accuracy", "interaction_r"] == pytest.approx(0, abs=1e-6)
    assert table.loc[STATIC, "interaction_r"] == 0
    assert table.loc["euclidean_loss", "partial_r"] > 0.9
    assert table.loc["euclidean_loss", "regret"] == pytest.approx(0, abs=0.005)
    assert table.loc["probe", "difference"] == 0
    assert (table["control"] == "probe").all()
    assert (table["low"] <= table["mean_r"]).all()


def test_own_domains_are_left_out_by_pretraining(cells):
    pairs = own_domain(cells)
    assert set(pairs) == {(f"small:{a}/mnist", "usps") for a in "ab"} | {
        (f"small:{a}/cifar10", "cifar10") for a in "ab"
    }
    assert pretraining("small:resnet/tiny_3") == "tiny_3"
    assert pretraining("vgg16") == "vgg16"


@pytest.mark.parametrize(
    ("low", "high", "sign", "strength"),
    [
        (0.1, 0.5, "supported", "not supported"),
        (-0.5, -0.1, "not supported", "not supported"),
        (-0.2, 0.9, "inconclusive", "inconclusive"),
        (0.85, 0.95, "supported", "supported"),
    ],
)
def test_verdicts_follow_from_intervals(low, high, sign, strength):
    row = pd.Series({"low": low, "high": high, "interaction_low": -0.1, "interaction_high": 0.1})
    assert verdicts(row) == {"sign": sign, "strength": strength, "match": "inconclusive"}


@pytest.mark.parametrize(
    ("row", "given", "sign", "strength"),
    [
        ((-0.8, -0.3), (-0.9, -0.1), "not supported", "not supported"),
        ((-0.8, -0.3), (-0.9, 0.1), "inconclusive", "not supported"),
        ((0.85, 0.95), (0.1, 0.9), "supported", "inconclusive"),
    ],
)
def test_a_verdict_is_given_only_where_it_stands_given_the_width(row, given, sign, strength):
    whole = pd.Series({"low": row[0], "high": row[1], "interaction_low": 0.1, "interaction_high": 0.2})
    found = verdicts(whole, pd.Series({"low": given[0], "high": given[1]}))
    assert found == {"sign": sign, "strength": strength, "match": "supported"}


def test_the_finding_names_the_direction_and_what_outweighs_it(table):
    assert headline(table, 12, 4).startswith("no, the correlation is negative (mean r = -1.00 [")
    assert (
        "over 12 encoders of one width and 4 targets). There, the mean r of a cross-validated probe is +"
        in headline(table, 12, 4)
    )
    text = finding(table, 12, 4)
    assert text.startswith(
        "Over 12 encoders of one width and 4 targets, the Euclidean bound (the authors' setting) has mean r = -1"
    )
    assert "], negative (95 % CI; positive: as claimed). For the match" in text
    assert text.endswith(", and outweighs it.")
    for sentence in re.split(r"(?<=[.]) (?=[A-Z])", text):
        assert len(re.findall(r"(?<![\[,\d] )[-+]\d\.\d+ \[", sentence)) <= 1
    turned = table.copy()
    turned.loc["euclidean", ["mean_r", "low", "high"]] = (0.9, 0.8, 0.95)
    text = finding(turned, 12, 4)
    assert "has mean r = +0.90 [+0.80, +0.95], positive (95 % CI" in text
    assert "outweighs" not in text
    assert headline(turned, 12, 4).startswith("yes, the correlation is positive (mean r = +0.90")
    turned.loc["euclidean", ["mean_r", "low", "high"]] = (0.1, -0.2, 0.3)
    assert "has mean r = +0.10 [-0.20, +0.30], of no clear sign (95 % CI" in finding(turned, 12, 4)
    assert headline(turned, 12, 4).startswith("no evidence that it does (mean r = +0.10")


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        ((-0.92, -0.1), "r = -0.75 [-0.92, -0.10]."),
        (
            (-0.92, 0.07),
            "r = -0.75 [-0.92, +0.07]. This interval contains 0, so an effect of width is not excluded and the sign is "
            "inconclusive.",
        ),
        ((0.1, 0.9), "r = -0.75 [+0.10, +0.90]. The two intervals disagree, so the sign is inconclusive."),
    ],
)
def test_what_the_width_leaves_of_the_sign_is_said_as_the_verdict_has_it(table, ends, told):
    turned = table.copy()
    turned.loc["euclidean", ["mean_r", "low", "high"]] = (-0.7, -0.86, -0.28)
    given = pd.Series({"partial_r": -0.75, "low": ends[0], "high": ends[1]})
    for text in (finding(turned, 15, 8, "real encoders", given), short(turned, 15, 8, given)):
        assert "mean r = -0.70 [-0.86, -0.28], negative (95 % CI; positive: as claimed). Given" in text
        assert f" Given the log width of the features, {told} " in text
    unsure = verdicts(turned.loc["euclidean"], given)["sign"] == "inconclusive"
    alike = pd.Series({"partial_r": np.nan, "low": np.nan, "high": np.nan})  # all of one width
    assert "the log width of the features, r has no interval, so the sign" in short(turned, 15, 8, alike)
    assert unsure == ("the sign is inconclusive" in told)
    assert headline(turned, 15, 8, "real encoders", given).startswith("no evidence" if unsure else "no, the")


def test_a_figure_shows_what_is_judged_the_controls_and_the_best_other_metrics():
    names = ["a", "b", "euclidean", "c", "probe", "unknown_control"]
    rows = pd.DataFrame({"mean_r": [0.9, 0.8, -0.5, 0.1, 0.7, 0.6]}, index=names)
    rows["kind"] = ["other metric", "other metric", "relatedness", "other metric", "control", "control"]
    assert list(telling(rows, others=2).index) == ["a", "b", "euclidean", "probe"]
    rows.loc["euclidean_loss"] = (0.85, "part of it")
    assert places(rows) == (
        "The Euclidean bound is number 7 of 7 scores, the loss of its own classifier number 2"
    )
    rows = rows.assign(low=0.0, high=1.0)
    assert best_of_each_kind(rows, {"a": "A"}) == (
        "best form of relatedness is euclidean, -0.50 [+0.00, +1.00]. The best other metric is A, +0.90 [+0.00, +1.00]. The best "
        "control is probe, +0.70 [+0.00, +1.00]"
    )


def test_limits_tell_agreement_noise_power_and_families(cells, table):
    text = limits(cells, table, {"mnist": "MNIST"}, tables=4)
    assert "Euclidean bound less that of the best control (cross-validated probe) is -1." in text
    assert "Kendall's W" in text
    assert "With the 6 pre-trainings as independent" in text
    assert "lies between -1.00 (without" in text
    assert "Without the cells of an encoder's own domain, the mean r of the Euclidean bound is -1.00." in text
    strangers = replace(cells, encoders=tuple(f"e{k}" for k in range(len(cells.encoders))))
    assert "own domain" not in limits(strangers, table, {}, tables=1)


def test_limits_tell_how_much_of_the_variance_is_the_match(cells, table):
    rng = np.random.default_rng(2)
    shape = cells.runs.shape
    own, match = rng.normal(size=(shape[0], 1, 1)), rng.normal(size=(*shape[:2], 1))
    little = 1e-6 * rng.normal(size=shape)
    said = [limits(replace(cells, runs=truth + little), table, {}, tables=1) for truth in (own, match)]
    assert "0 % (0 to 0 %) belongs to the match of encoder and target and 100 % (100 to 100 %)" in said[0]
    shares = [float(text) for text in re.findall(r"(\d+) % \(", said[1])]
    assert shares[0] > 75 > 25 > shares[1]
    assert "would have a match r of 1.00" in said[1]


def test_spread_says_what_the_transport_follows():
    rng = np.random.default_rng(1)
    rank = np.exp(rng.normal(size=30))
    rows = [
        {
            "target": t,
            "effective_rank": r,
            "transport": np.log(r),
            "permuted_transport": np.log(r),
            "accuracy": -np.log(r),
        }
        for t in "ab"
        for r in rank
    ]
    cells = pd.DataFrame(rows)
    paper = pd.Series({"mean_r": -0.3, "low": -0.6, "high": 0.1})
    text = spread(cells, cells[cells["target"] == "a"], paper)
    assert text.startswith("The distribution mismatch grows with the effective rank")
    assert (
        "Over 30 encoders and 2 targets its correlation with the log effective rank is +1.00 [+1.00, +1.00]"
        in text
    )
    assert "permuted labels is +1.00 on average over targets (range +1.00 to +1.00)" in text
    assert text.endswith("with accuracy by -1.00 [-1.00, -1.00].")
    mixed = cells.assign(accuracy=np.random.default_rng(2).normal(size=60))
    assert "Euclidean bound here, -0.30 [-0.60, +0.10]." in spread(
        mixed, mixed[mixed["target"] == "a"], paper
    )
    told = spread(mixed, mixed[mixed["target"] == "a"], paper.abs())
    assert "does not explain" not in told


def test_candidates_are_scores_by_their_own_name_with_the_loss_beside(rows):
    trainings, scores = rows
    cells = scores.dropna(subset="euclidean")
    spec = {"directions": "own", "n_directions": 16, "strength": 8.0, "measure": "in_sample"}
    candidates = cells[["encoder", "target"]].assign(
        **spec, bound=cells["euclidean"], loss=-cells["euclidean"]
    )
    study = candidate_cells(trainings, candidates)
    assert set(study.scores) == {"own 16 8 in_sample", "own 16 8 in_sample loss", STATIC}
    np.testing.assert_allclose(study.scores["own 16 8 in_sample"], -study.scores["own 16 8 in_sample loss"])
    assert np.corrcoef(study.scores["own 16 8 in_sample"][:, 0], study.truth[:, 0])[0, 1] < -0.99
    told = candidate_summary(study, 50)
    assert list(told.index) == ["own 16 8 in_sample", "own 16 8 in_sample loss"]
    assert told.loc["own 16 8 in_sample loss", "mean_r"] > 0.99
    assert told.loc["own 16 8 in_sample loss", "interaction_r"] > 0.95


@pytest.mark.parametrize(
    ("r", "told"),
    [
        (0.85, ("On the targets of the search, yes. 1 of 2", "reaches", "above")),
        (0.7, ("No. None of 2", "reaches", "below")),
    ],
)
def test_the_search_is_judged_by_its_goal_and_on_the_last_targets(r, told):
    columns = {"mean_r": [r, 0.2, 0.99], "low": 0.0, "high": 1.0, "interaction_r": 0.6}
    candidates = pd.DataFrame(columns, index=["a", "b", "a loss"])
    last = pd.DataFrame(
        {"mean_r": [r, 0.1, 0.9], "low": 0.1, "high": 0.9, "interaction_r": 0.55, "interaction_low": 0.2,
         "interaction_high": 0.8, "difference": -0.1, "difference_low": -0.2, "difference_high": 0.0, "control": "probe"},
        index=["form", "worse", "logme"],
    )  # fmt: skip
    text = searched_for(
        candidates, last, {"form": "the form", "logme": "LogME"}, ["Digits", "Emoji"], str.upper
    )
    assert text.startswith(
        f"{told[0]} candidate bounds {told[1]} the goal on the targets of the search, a mean r"
    )
    assert (
        "On the last 2 targets (Digits, Emoji), the form fixed after the search (the form) has mean r = "
        in text
    )
    assert text.endswith(" Scores with a higher mean r there: LogME, +0.90 [+0.10, +0.90].")
    assert "worse" not in text
    one = searched_for(candidates, last.iloc[:2], {}, ["Digits"])
    assert "On the last 1 target (Digits), the form fixed after the search (form)" in one
    assert "higher mean r there" not in one
    assert f", {told[2]} the goal" in text
    assert ". The best (A) has mean r = " in text
    assert "(cross-validated probe) is -0.10 [-0.20, +0.00]" in text


def test_ncti_is_added_up_over_the_encoders_of_a_target(rows):
    trainings, scores = rows
    rng = np.random.default_rng(1)
    parts = scores[scores["other"].notna()].assign(
        **{f"ncti_{part}": rng.normal(size=48) for part in ("ncc", "seli", "vc")}
    )
    both = pd.concat([scores, parts.drop(columns=["probe", "other"])], ignore_index=True)
    found = study_cells(trainings, both, HIGHER | {"ncti": True}).scores["ncti"]
    for k, target in enumerate(found.T):
        mine = parts[parts["target"] == study_cells(trainings, scores, HIGHER).targets[k]].set_index(
            "encoder"
        )
        scaled = [(mine[name] - mine[name].min()) / np.ptp(mine[name]) for name in mine.filter(like="ncti_")]
        expected = (scaled[0] + scaled[1] + scaled[2] - 1).reindex(
            study_cells(trainings, both, HIGHER).encoders
        )
        assert target == pytest.approx(expected.to_numpy())


def test_a_part_takes_as_long_as_its_bound_and_ncti_as_its_parts():
    nan = float("nan")
    timed = pd.DataFrame(
        {
            "seconds_euclidean": [1.0, 3.0, 2.0, nan], "seconds_hscore": [0.1, 0.1, 0.1, nan],
            "seconds_hscore_pca": [0.3, 0.3, 0.3, nan], "seconds_ncti_ncc": [nan, nan, nan, 0.5],
            "seconds_ncti_seli": [nan, nan, nan, 0.25],
        }
    )  # fmt: skip
    found = seconds_of(timed, ["euclidean", "euclidean_loss", "hscore", "hscore_pca", "ncti", "log_width"])
    assert found.to_dict() == pytest.approx(
        {
            "euclidean": 2,
            "euclidean_loss": 2,
            "hscore": 0.1,
            "hscore_pca": 0.3,
            "ncti": 0.75,
            "log_width": nan,
        },
        nan_ok=True,
    )


def test_the_cost_names_the_scores_that_were_timed():
    seconds = pd.Series({"euclidean": 1.234, "knn": 0.0123, "log_width": float("nan")})
    text = cost(seconds, 20.4, {"knn": "nearest neighbours"}, ["euclidean", "knn", "log_width", "absent"])
    assert ": euclidean 1.2 s; nearest neighbours 0.012 s. One fine-tuning" in text
    assert text.endswith("takes 20 s.")
