"""Laws that every baseline keeps, over the whole registry: one that is added is tested without an edit here."""

import inspect
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import softmax

from taskrel_core import BASELINES, Task
from taskrel_core.metrics.base import SaturatedScore
from taskrel_core.metrics.hscore import hscore
from taskrel_core.metrics.otce import ot_nce, otce_distances
from taskrel_core.metrics.sfda import sfda
from tests.generators import rotation

EVERY = pytest.mark.parametrize("name", BASELINES)
NEEDS = [(name, one) for name, metric in BASELINES.items() for one in metric.needs]
PAIRS = [name for name, metric in BASELINES.items() if "reference" in metric.needs]
ON_POSTERIORS = [name for name, metric in BASELINES.items() if "source_posteriors" in metric.needs]
SATURATED = {"hscore": 3.0, "sfda": 1.0}  # where n <= d, and the value that they have there
BIBLIOGRAPHY = Path(__file__).parents[2] / "book" / "references.bib"


def problem(separation: float = 1.0, n: int = 120, d: int = 6, k: int = 4, scale: float = 1.0) -> dict:
    """Target and reference with classes at the same places, and posteriors that are as sure as they lie apart."""
    rng = np.random.default_rng(0)
    means = separation * rng.normal(size=(k, d))
    tasks = []
    for size in (n, n + 10):
        y = rng.permutation(np.arange(size) % k)
        tasks.append(Task(scale * (means[y] + rng.normal(size=(size, d))), y, k))
    logits = rng.normal(size=(n, 6)) + separation * np.eye(k, 6)[tasks[0].labels.numpy()]
    return {"target": tasks[0], "reference": tasks[1], "source_posteriors": softmax(logits, axis=1)}


def score(name, given, **options):
    """The value without a word about saturation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SaturatedScore)
        return BASELINES[name](**given, **options)


def moved(given, change):
    """The same problem, all features changed alike."""
    tasks = {
        side: Task(change(given[side].z), given[side].y, given[side].n_classes)
        for side in ("target", "reference")
    }
    return given | tasks


@EVERY
def test_declares_itself(name):
    metric = BASELINES[name]
    assert metric.name == name
    assert "target" in metric.needs
    assert set(metric.needs) <= {"target", "reference", "source_posteriors"}
    assert f"{{{metric.citation}," in BIBLIOGRAPHY.read_text(encoding="utf-8")
    documented = inspect.getdoc(metric.compute)
    assert "is better" in documented
    assert all(f"{option}:" in documented for option in metric.options if name != "ot_nce")


@EVERY
def test_labels_are_names(name):
    given = problem()
    renamed = Task(given["target"].z, torch.tensor([2, 0, 3, 1])[given["target"].labels], 4)
    assert score(name, given | {"target": renamed}) == pytest.approx(score(name, given), rel=1e-7)


@EVERY
def test_order_of_samples_is_no_matter(name):
    given = problem()
    order, other = (torch.from_numpy(np.random.default_rng(1).permutation(n)) for n in (120, 130))
    turned = {
        "target": given["target"].take(order),
        "reference": given["reference"].take(other),
        "source_posteriors": given["source_posteriors"][order.numpy()],
    }
    assert score(name, turned) == pytest.approx(score(name, given), rel=1e-7)


@EVERY
def test_changes_nothing_and_repeats_itself(name):
    given = problem()
    before = [given[s].z.clone() for s in ("target", "reference")], given["source_posteriors"].copy()
    first = score(name, given)
    assert isinstance(first, float)
    assert score(name, given) == first
    assert torch.equal(given["target"].z, before[0][0])
    assert torch.equal(given["reference"].z, before[0][1])
    assert np.array_equal(given["source_posteriors"], before[1])


@pytest.mark.parametrize("compute", [hscore, sfda, *(BASELINES[n].compute for n in BASELINES)])
def test_functions_leave_arrays_as_they_are(compute):
    given = problem(n=30, d=40)
    arrays = {
        "z": given["target"].z.numpy(),
        "y": given["target"].labels.numpy(),
        "z_reference": given["reference"].z.numpy(),
        "y_reference": given["reference"].labels.numpy(),
        "posteriors": given["source_posteriors"],
    }
    wanted = {k: v for k, v in arrays.items() if k in inspect.signature(compute).parameters}
    for array in wanted.values():
        array.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SaturatedScore)
        assert np.isfinite(compute(**wanted))


# A distance of two tasks, a spread within each class, and how alike the probabilities of a class are, at chance too.
NOT_OF_SEPARATION = {"otdd", "tmi", "ncti_vc"}


@pytest.mark.parametrize("name", sorted(set(BASELINES) - NOT_OF_SEPARATION))
def test_better_separated_classes_score_better(name):
    """But an accuracy that is 1 stays there."""
    values = np.array([score(name, problem(separation)) for separation in (0.1, 1.0, 2.0, 4.0)])
    steps = np.diff(values) * (1 if BASELINES[name].higher_is_better else -1)
    assert ((steps > 0) | ((values[1:] == 1.0) & (values[:-1] == 1.0))).all(), values


def test_otdd_is_a_distance():
    """Zero to itself, and to a copy moved by b twice |b|^2: once for the samples, once for their classes."""
    target = problem()["target"]
    assert score("otdd", {"target": target, "reference": target}) == pytest.approx(0.0, abs=1e-12)
    for size in (1e-4, 1.0, 1e4):
        there = Task(target.z + size, target.y, 4)
        distance = score("otdd", {"target": target, "reference": there})
        assert distance == pytest.approx(2 * 6 * size**2, rel=1e-6)
        assert score("otdd", {"target": there, "reference": target}) == pytest.approx(distance)


def test_nearest_neighbours_vote_in_equal_parts_where_they_tie():
    """On constant features all are equally near: the largest class wins, or all of them in equal parts."""
    z = np.zeros((6, 2))
    assert BASELINES["knn"](target=Task(z, [0, 0, 0, 0, 1, 1], 2)) == pytest.approx(4 / 6)
    assert BASELINES["knn"](target=Task(np.arange(4.0)[:, None], [0, 1, 1, 0], 2), neighbours=2) == 0.25


# But for the start of the power iteration, and for the scale of single features.
NEARLY = {("sfda", "rotation"): 1e-4, ("probe", "rotation"): 0.05, ("wdje", "rotation"): 0.1}
MOVES = {
    "shift": lambda z: z + 10.0 * torch.arange(1.0, z.shape[1] + 1),
    "scale": lambda z: z * 0.004,
    "rotation": lambda z: z @ rotation(z.shape[1], seed=1),
}


@EVERY
@pytest.mark.parametrize("move", MOVES)
def test_moves_of_the_features(name, move):
    given = problem()
    value, after = score(name, given), score(name, moved(given, MOVES[move]))
    if move in BASELINES[name].invariant or (name, move) in NEARLY:
        assert after == pytest.approx(value, rel=NEARLY.get((name, move), 1e-7))
    else:  # nor does nleep keep its value under a rotation: its mixture starts elsewhere
        assert abs(after - value) > 1e-4 * abs(value)


def test_hscore_takes_any_invertible_map():
    given = problem()
    mix = torch.from_numpy(np.random.default_rng(4).normal(size=(6, 6)))
    assert score("hscore", moved(given, lambda z: z @ mix)) == pytest.approx(score("hscore", given), rel=1e-8)


def test_domain_difference_is_in_squared_units():
    given = problem()
    w_d, w_t = otce_distances(given["reference"], given["target"])
    scaled = moved(given, lambda z: 3 * z + 1)
    assert otce_distances(scaled["reference"], scaled["target"]) == pytest.approx((9 * w_d, w_t))


@pytest.mark.parametrize(("name", "argument"), NEEDS)
def test_refuses_nan(name, argument):
    given = problem()
    if argument == "source_posteriors":
        given[argument][3, 0] = np.nan
    else:
        given[argument].z[3, 0] = torch.nan
    with pytest.raises(ValueError, match=rf"{argument}.*must be finite.*row 3"):
        BASELINES[name](**given)


@pytest.mark.parametrize(("name", "argument"), [pair for pair in NEEDS if pair[1] != "target"])
def test_asks_for_what_it_needs(name, argument):
    with pytest.raises(ValueError, match=f"{name} needs {argument}, got None; give {argument}="):
        BASELINES[name](**(problem() | {argument: None}))


@EVERY
def test_unknown_option(name):
    with pytest.raises(TypeError, match=f"{name} has no option 'colour'; (known: |it has none)"):
        BASELINES[name](**problem(), colour=3)


@EVERY
def test_refuses_a_single_class(name):
    given = problem()
    given["target"] = Task(given["target"].z, torch.full((120,), 2), 4)
    with pytest.raises(ValueError, match="target must have samples of at least 2 classes, got class 2 only"):
        BASELINES[name](**given)


@EVERY
def test_refuses_no_labels(name):
    given = problem()
    given["target"] = Task(given["target"].z, None, 4)
    with pytest.raises(ValueError, match="labels are needed"):
        BASELINES[name](**given)


@EVERY
def test_classes_without_samples_do_not_count(name):
    given = problem()
    gaps = {side: Task(given[side].z, 2 * given[side].labels + 1, 12) for side in ("target", "reference")}
    assert score(name, given | gaps) == score(name, given)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *((name, {}) for name in ON_POSTERIORS),
        *(("pactran", {"variant": variant}) for variant in ("gaussian", "dirichlet", "gamma")),
    ],
)
def test_source_classes_without_mass_add_nothing(name, options):
    given = problem()
    value = score(name, given, **options)
    wider = np.hstack([np.zeros((120, 1)), given["source_posteriors"], np.zeros((120, 3))])
    assert np.isfinite(value)
    assert score(name, given | {"source_posteriors": wider}, **options) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("name", ON_POSTERIORS)
def test_posteriors_must_be_probabilities(name):
    given = problem()
    for wrong, words in (
        (given["source_posteriors"] * 2, "rows that sum to 1.*sums from 2 to 2"),
        (given["source_posteriors"] - 0.5, "values from -0.497"),
        (given["source_posteriors"][:9], "one row per sample of target, 120, got 9"),
    ):
        with pytest.raises(ValueError, match=f"source_posteriors must .*{words}"):
            BASELINES[name](**(given | {"source_posteriors": wrong}))


def test_conjugate_forms_need_posteriors():
    given = problem() | {"source_posteriors": None}
    with pytest.raises(ValueError, match="pactran needs source_posteriors for variant='gamma'"):
        BASELINES["pactran"](**given, variant="gamma")


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_need_one_width(name):
    given = problem() | {"reference": problem(d=5)["reference"]}
    with pytest.raises(ValueError, match="target and reference must have the same width, got 6 and 5"):
        BASELINES[name](**given)


@pytest.mark.parametrize("name", sorted(set(BASELINES) - set(SATURATED)))
@pytest.mark.parametrize("n", [30, 40])
def test_few_samples_saturate_no_other(name, n):
    """A warning is an error under the tests' settings."""
    assert np.isfinite(BASELINES[name](**problem(n=n, d=40)))


@pytest.mark.parametrize("name", SATURATED)
@pytest.mark.parametrize("n", [30, 40])
def test_says_when_it_is_saturated(name, n):
    with pytest.warns(SaturatedScore, match=f"{name} is saturated: with n = {n} samples of d = 40") as said:
        value = BASELINES[name](**problem(n=n, d=40))
    assert len(said) == 1
    assert value == pytest.approx(SATURATED[name], abs=1e-3)


def test_tmi_says_when_no_sample_is_above_the_floor():
    given = problem(scale=0.01)
    with pytest.warns(SaturatedScore, match="tmi is saturated: no sample is further than floor = 1 from"):
        value = BASELINES["tmi"](**given)
    assert value == score("tmi", problem(separation=3.0, scale=0.01))
    assert BASELINES["tmi"](**given, floor=1e-9) < value


def test_says_when_the_classes_are_separable():
    with pytest.warns(SaturatedScore, match="the classes are separable"):
        assert BASELINES["sfda"](**problem(separation=60.0)) > 1 - 1e-9


@EVERY
def test_a_lone_sample_of_a_class_is_no_obstacle(name):
    given = problem()
    y = given["target"].labels.clone()
    y[y == 3] = 2
    y[0] = 3
    assert np.isfinite(score(name, given | {"target": Task(given["target"].z, y, 4)}))


@EVERY
def test_a_target_whose_classes_are_points_has_a_value(name):
    """The reference's are not, so that this differs from all features changed alike."""
    target = problem()["target"]
    points = Task(target.z[:4][target.labels], target.y, 4)
    assert np.isfinite(score(name, problem() | {"target": points}))


@EVERY
def test_constant_columns_change_little(name):
    """Features that are the same for all samples say nothing; only where width or origin enter does the value change."""
    given = problem()
    padded = moved(given, lambda z: torch.cat([z, torch.full((len(z), 2), 0.3, dtype=z.dtype)], dim=1))
    value, after = score(name, given), score(name, padded)
    assert np.isfinite(after)
    if name not in ("logme", "pactran", "sfda", "hscore_shrunk", "gbc", "nleep", "tmi", "wdje"):
        assert after == pytest.approx(value, rel=1e-9)


WRONG_OPTIONS = [
    ("pactran", {"variant": "cauchy"}, "variant must be one of gaussian, dirichlet, gamma, got 'cauchy'"),
    ("pactran", {"lam": 0.0}, "lam must be finite and above 0"),
    ("pactran", {"prior": -1.0}, "prior must be finite and above 0"),
    ("pactran", {"variant": "gamma", "prior": np.inf}, "prior must be finite and above 0"),
    ("nleep", {"components": 500}, "components must be at most n = 120, got 500"),
    ("nleep", {"variance": 1.5}, "variance must be below 1, got 1.5"),
    ("nleep", {"covariance": "tied"}, "covariance must be one of diag, full, got 'tied'"),
    ("transrate", {"eps": 0.0}, "eps must be finite and above 0"),
    ("transrate", {"weights": "none"}, "weights must be one of uniform, prior"),
    ("gbc", {"pca": 0}, "pca must be at least 1, got 0"),
    ("gbc", {"covariance": "full"}, "covariance must be one of spherical, diagonal"),
    ("ot_nce", {"samples": 0}, "samples must be at least 1"),
    ("otdd", {"samples": 0}, "samples must be at least 1"),
    ("knn", {"neighbours": 0}, "neighbours must be at least 1, got 0"),
    ("tmi", {"neighbours": 0}, "neighbours must be at least 1, got 0"),
    ("tmi", {"floor": 0.0}, "floor must be finite and above 0"),
    *((f"ncti_{part}", {"components": 0}, "components must be at least 1") for part in ("ncc", "seli", "vc")),
    ("wdje", {"strength": 0.0}, "strength must be finite and above 0"),
    ("wdje", {"samples": 0}, "samples must be at least 1"),
    ("probe", {"folds": 1}, "folds must be at least 2, got 1"),
    ("probe", {"strength": 0.0}, "strength must be finite and above 0"),
    ("otce", {"auxiliary": [(1.0, 1.0, 0.5)]}, "auxiliary must hold at least 3 tasks"),
    ("otce", {"auxiliary": [(1.0, 1.0, np.nan)] * 3}, "auxiliary must be finite"),
    ("otce", {"auxiliary": "abc"}, "auxiliary must be a table or rows"),
    ("otce", {"auxiliary": pd.DataFrame({"w_d": [1.0] * 3})}, "got none named w_t, accuracy"),
]


@pytest.mark.parametrize(("name", "options", "words"), WRONG_OPTIONS)
def test_wrong_options(name, options, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        BASELINES[name](**problem(), **options)


def test_otce_refuses_the_target_it_scores():
    given = problem()
    own = (*otce_distances(given["reference"], given["target"]), 0.9)
    rows = [own, (1.0, 0.5, 0.7), (2.0, 0.4, 0.6)]
    with pytest.raises(ValueError, match="auxiliary must not hold the target that is scored"):
        BASELINES["otce"](**given, auxiliary=rows)
    table = pd.DataFrame([(3.0, 1.0, 0.5), *rows[1:]], columns=["w_d", "w_t", "accuracy"])
    before = table.copy()
    assert np.isfinite(BASELINES["otce"](**given, auxiliary=table))
    pd.testing.assert_frame_equal(table, before)


def test_a_draw_of_samples_has_a_seed():
    given = problem()
    drawn = [BASELINES["ot_nce"](**given, samples=40, seed=seed) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    arrays = [given[side] for side in ("reference", "target")]
    arrays = [array for task in arrays for array in (task.z.numpy(), task.labels.numpy())]
    assert ot_nce(*arrays, samples=None) == BASELINES["ot_nce"](**given)


@EVERY
@pytest.mark.parametrize(("n", "d", "k"), [(30, 1, 2), (4, 3, 2), (40, 60, 40), (9, 1, 9)])
def test_finite_at_the_ends_of_size(name, n, d, k):
    """One feature, a handful of samples, a class for each sample."""
    assert np.isfinite(score(name, problem(n=n, d=d, k=k) if k <= 6 else many_classes(n, d, k)))


def many_classes(n, d, k):
    """A problem with more classes than ``problem`` has source classes."""
    rng = np.random.default_rng(1)
    y = np.arange(n) % k
    tasks = [Task(rng.normal(size=(n, d)), y, k) for _ in range(2)]
    return {
        "target": tasks[0],
        "reference": tasks[1],
        "source_posteriors": softmax(rng.normal(size=(n, 5)), axis=1),
    }


def test_sfda_where_the_power_iteration_starts_in_the_null_space():
    """Columns x and -x have row sums 0; turned into x and x, all the rest is the same."""
    target = problem(d=1)["target"]
    opposed, same = (Task(torch.cat([target.z, sign * target.z], dim=1), target.y, 4) for sign in (-1, 1))
    assert BASELINES["sfda"](target=opposed) == pytest.approx(BASELINES["sfda"](target=same), rel=1e-9)
