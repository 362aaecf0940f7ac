"""Laws of scale and of offset, and hard features, over the whole registry: NumPy's warnings are errors here."""

import mpmath
import numpy as np
import pytest
import torch
from scipy.special import softmax

from taskrel_core import BASELINES, Task
from taskrel_core.metrics.otce import otce_distances
from tests.metrics.definitions import DEFINITIONS
from tests.metrics.test_laws import EVERY, many_classes, moved, problem, score

SCALES = (1e-8, 1e-4, 1e2, 1e6, 1e8)
OFFSETS = (1e-8, 1.0, 1e4, 1e8)


def expected(name, law, given, changed):
    """The value before the change if the metric declares that it keeps it, else the second definition's after it."""
    if law in BASELINES[name].invariant:
        return score(name, given)
    return DEFINITIONS[name](changed["target"], changed["reference"], changed["source_posteriors"])


@EVERY
@pytest.mark.parametrize("c", SCALES)
def test_scale(name, c):
    given = problem()
    scaled = moved(given, lambda z: c * z)
    assert score(name, scaled) == pytest.approx(expected(name, "scale", given, scaled), rel=1e-7, abs=1e-9)


@EVERY
@pytest.mark.parametrize("c", [1.0, 1e8])
@pytest.mark.parametrize("offset", OFFSETS)
def test_offset(name, offset, c):
    """Relative to the features' own scale; what they lose at 1e8 is their ninth digit."""
    given = moved(problem(), lambda z: c * z)
    shifted = moved(given, lambda z: z + c * offset)
    assert score(name, shifted) == pytest.approx(expected(name, "shift", given, shifted), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", ["ot_nce", "otce"])
@pytest.mark.parametrize("offset", OFFSETS)
def test_offset_of_one_side(name, offset):
    """The optimal transport does not depend on how far apart the two sides are."""
    given = problem()
    far = given | {"reference": Task(given["reference"].z + offset, given["reference"].y, 4)}
    assert score(name, far) == pytest.approx(score(name, given), rel=1e-9)


@pytest.mark.parametrize("c", SCALES)
def test_otce_takes_distances_in_any_unit(c):
    given = problem()
    table = np.array([(1.0, 0.5, 0.7), (2.0, 0.4, 0.6), (4.0, 1.0, 0.3), (3.0, 0.1, 0.8)])
    value = score("otce", given, auxiliary=table)
    scaled = moved(given, lambda z: c * z)
    assert score("otce", scaled, auxiliary=table * [c**2, 1.0, 1.0]) == pytest.approx(value, rel=1e-9)
    assert otce_distances(scaled["reference"], scaled["target"])[0] == pytest.approx(
        c**2 * otce_distances(given["reference"], given["target"])[0], rel=1e-9
    )


@pytest.mark.parametrize("c", [1.0, *SCALES])
def test_pactran_where_a_line_separates(c):
    """Two classes on a line, mirror images: one unknown, which bisection finds to 40 digits."""
    points = np.array([-3.0, -1.0, -0.5, 0.5, 1.0, 3.0])
    value = BASELINES["pactran"](target=Task(c * points[:, None], (points > 0).astype(int), 2))
    with mpmath.workdps(40):
        n, x = len(points), [mpmath.mpf(c) * abs(point) for point in points.tolist()]

        def wrong(w):  # probability of the wrong class; the weights are w and -w
            return [1 / (1 + mpmath.exp(2 * w * size)) for size in x]

        low, high = mpmath.mpf(0), mpmath.mpf(10) ** 12
        for _ in range(200):
            w = (low + high) / 2
            slope = 2 * w / n - sum(2 * size * p for size, p in zip(x, wrong(w), strict=True)) / n
            low, high = (w, high) if slope < 0 else (low, w)
        loss = -sum(mpmath.log(1 - p) for p in wrong(w)) / n + w**2 / n
        curvature = sum(2 * p * (1 - p) * (size**2 + 1) for size, p in zip(x, wrong(w), strict=True))
        bound = loss + mpmath.mpf(200) / (2 * n) * mpmath.log(n / 2 * (curvature + 2 / n) + 1e-10)
    assert value == pytest.approx(float(bound), rel=1e-9)


@pytest.mark.parametrize("scale", [1e4, 1e8])
def test_transrate_of_few_directions(scale):
    """Rank one at a large scale: beside its square the identity of the other directions is below rounding."""
    line = moved(problem(), lambda z: scale * z[:, :1] @ torch.ones(1, 6, dtype=torch.float64))
    x, y = (line["target"].z - line["target"].z.mean(0)).numpy(), line["target"].labels.numpy()
    rates = [
        0.5 * np.log1p((x[rows] ** 2).sum() / (rows.sum() * 1e-4)) for rows in (y == c for c in range(4))
    ]
    whole = 0.5 * np.log1p((x**2).sum() / (len(x) * 1e-4))
    assert score("transrate", line) == pytest.approx(whole - np.mean(rates), rel=1e-9)


def constant(value):
    return lambda z: torch.full_like(z, value)


HARD = {
    "zero": constant(0.0),
    "constant": constant(0.1),
    "far and constant": constant(1e8 + 0.1),
    "a constant column": lambda z: torch.cat([z, torch.full((len(z), 1), 1e8, dtype=z.dtype)], dim=1),
    "rank one": lambda z: z[:, :1] @ torch.ones(1, 6, dtype=z.dtype),
    "columns twice": lambda z: torch.cat([z, z], dim=1),
    "few rows, often": lambda z: z[torch.arange(len(z)) % 7],
    "a row per class": lambda z: z[torch.arange(len(z)) % 4],
    "a far sample": lambda z: torch.cat([z[:-1], 1e8 * z[-1:]]),
    "integers": torch.round,
    "zeros and few others": lambda z: torch.relu(z - 2),
    "badly conditioned": lambda z: z * torch.logspace(0, -12, z.shape[1], dtype=z.dtype),
    "one column": lambda z: z[:, :1],
    "more columns than rows": lambda z: torch.cat([z + shift for shift in range(30)], dim=1) ** 2,
}


@EVERY
@pytest.mark.parametrize("kind", HARD)
def test_hard_features_have_a_value(name, kind):
    hard = moved(problem(), HARD[kind])
    values = {c: score(name, moved(hard, lambda z, c=c: c * z)) for c in (1e-90, 1e-8, 1.0, 1e8, 1e90)}
    assert np.isfinite(list(values.values())).all(), values


@EVERY
@pytest.mark.parametrize("c", [1e-8, 1.0, 1e8])
def test_smallest_samples_have_a_value(name, c):
    """Two samples, alike or not, and a class for each sample."""
    for z in ([[1.0, 2.0], [1.0, 2.0]], [[1.0, 2.0], [3.0, 2.0]]):
        two = Task(c * np.array(z), [0, 1], 2)
        assert np.isfinite(
            score(name, {"target": two, "reference": two, "source_posteriors": [[0.5, 0.5]] * 2})
        )
    for n, d in ((40, 60), (9, 1), (12, 12)):
        assert np.isfinite(score(name, moved(many_classes(n, d, n), lambda z: c * z)))


@EVERY
def test_constant_features_say_nothing_wherever_they_are(name):
    given = problem()
    at_zero, far = (score(name, moved(given, constant(value))) for value in (0.0, 1e8 + 0.1))
    if "shift" in BASELINES[name].invariant:
        assert far == at_zero
    else:  # a constant column is a bias: the class frequencies
        assert far >= at_zero


def test_transport_of_a_single_point_pairs_labels_at_random():
    given = problem()
    point = Task(torch.ones(130, 6), given["reference"].y, 4)
    prior = given["target"].prior
    assert score("ot_nce", given | {"reference": point}) == pytest.approx(float((prior * prior.log()).sum()))


@EVERY
@pytest.mark.parametrize("c", [5e-324, 1e-200, 1e200, 1e307])
def test_sizes_whose_squares_are_no_numbers_are_refused(name, c):
    ones = moved(problem(), lambda z: c * z.sign())
    with pytest.raises(
        ValueError, match=r"target.z must be 0 or have its largest absolute value from 1e-100 to"
    ):
        BASELINES[name](**ones)


@pytest.mark.parametrize(
    ("name", "options"),
    [("leep", {}), ("nce", {}), ("pactran", {"variant": "dirichlet"}), ("pactran", {"variant": "gamma"})],
)
def test_posteriors_that_are_nearly_certain(name, options):
    """Probabilities down to the smallest numbers there are, and 0."""
    logits = np.random.default_rng(0).normal(size=(120, 5)) * 400
    given = problem() | {"source_posteriors": softmax(logits, axis=1)}
    hard = problem() | {"source_posteriors": np.eye(5)[logits.argmax(1)]}
    assert score(name, given, **options) == pytest.approx(score(name, hard, **options), rel=0.1)
