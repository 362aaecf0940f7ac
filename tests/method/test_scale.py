"""Neither the unit nor the origin of the features matters: the same bound, with everything in the caller's units."""

from functools import cache

import pytest
import torch

from taskrel_core import Task, relatedness, transferability
from taskrel_core.method.settings import ExactSettings
from taskrel_core.method.transport import METRICS
from tests.generators import FEW_STEPS, gaussian_task

# Of a search on features with 8 digits left; joint steps on head and map may end in another local minimum.
NEAR = {"euclidean": 1e-6, "span": 0.02, "logit": 0.02, "one_sided": 0.1}
SCALES = [1e-8, 1e-3, 3.0, 1e5, 1e8]
FORMS = [{"metric": metric} for metric in METRICS] + [
    {"metric": "one_sided", "mode": "fixed_all"},
    {"metric": "one_sided", "mode": "learned_a"},
    {"metric": "one_sided", "measure": "held_out"},
    {"metric": "logit", "labels": "pseudo"},
]


def pair(d=6):
    """Two unrelated tasks, not centred."""
    return gaussian_task(60, d, 4, seed=1), gaussian_task(50, d, 3, seed=2, separation=1.0)


def changed(task: Task, scale: float = 1.0, shift: float = 0.0) -> Task:
    return Task(scale * task.z + shift, task.y, task.n_classes)


@cache
def plain_result(form: tuple[tuple[str, str], ...], tau=0.3, d=6, settings: ExactSettings = FEW_STEPS):
    """The result in the plain unit, at the plain origin, once for all others."""
    return relatedness(*pair(d), tau, **dict(form), settings=settings)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: "-".join(form.values()))
def test_the_bound_does_not_depend_on_the_unit(form, scale):
    reference, target = pair()
    plain = plain_result(tuple(form.items()))
    r = relatedness(
        changed(reference, scale), changed(target, scale), 0.3 / scale, **form, settings=FEW_STEPS
    )
    assert r.certified == plain.certified
    assert r.bound == pytest.approx(plain.bound, rel=1e-9)
    assert r.chain == pytest.approx(plain.chain, rel=1e-9)
    assert r.loss == pytest.approx(plain.loss, rel=1e-6)
    unit = scale if form["metric"] in ("euclidean", "span") else 1.0
    assert r.distribution_mismatch == pytest.approx(unit * plain.distribution_mismatch, rel=1e-9)
    assert torch.allclose(r.transform.b, scale * plain.transform.b, rtol=1e-6, atol=1e-6 * scale)
    assert torch.allclose(r.head.weight * scale, plain.head.weight, rtol=1e-6, atol=1e-6)
    assert torch.allclose(r.classifier(scale * target.z), plain.classifier(target.z), atol=1e-6)


@pytest.mark.parametrize("scale", SCALES)
def test_wide_features_have_no_unit_either(scale):
    reference, target = pair(d=300)
    plain = plain_result((("metric", "logit"),), tau=0.02, d=300)
    r = relatedness(
        changed(reference, scale), changed(target, scale), 0.02 / scale, metric="logit", settings=FEW_STEPS
    )
    assert r.bound == pytest.approx(plain.bound, rel=1e-9)
    assert r.certified


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("of_reference", "of_target"), [(1e3, 1e3), (1e8, 1e8), (1e6, -1e6), (0.0, 1e8)])
def test_the_bound_does_not_depend_on_the_origin(metric, of_reference, of_target):
    reference, target = pair()
    plain = plain_result((("metric", metric),), settings=ExactSettings())
    moved = changed(reference, shift=of_reference), changed(target, shift=of_target)
    r = relatedness(*moved, 0.3, metric=metric)
    assert r.certified
    assert r.bound == pytest.approx(plain.bound, rel=NEAR[metric])
    assert r.loss <= r.bound + 1e-6
    log_h = torch.log(r.classifier(moved[1].z)).gather(1, target.labels[:, None])
    assert float(-log_h.mean()) == pytest.approx(r.loss, rel=1e-5)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("shift", [0.0, 1e3, 1e8])
def test_the_best_head_has_neither_unit_nor_origin(scale, shift):
    _, target = pair()
    plain = transferability(target, 0.3)
    found = transferability(changed(target, scale, scale * shift), 0.3 / scale)
    assert found.loss == pytest.approx(plain.loss, abs=3e-6)
    assert found.accuracy == plain.accuracy


def test_points_that_are_all_the_same_have_no_spread():
    one = Task([[7.0, 7.0]] * 4, [0, 1, 0, 1], 2)
    r = relatedness(one, one, 0.5, metric="one_sided")
    assert r.certified
    assert r.bound == pytest.approx(0.6931471805599453)
