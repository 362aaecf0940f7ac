"""Every metric against its second definition, and its options against definitions of their own."""

import warnings
from itertools import product

import mpmath
import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment, minimize
from scipy.special import digamma, gammaln, log_softmax, softmax
from threadpoolctl import threadpool_info, threadpool_limits

from taskrel_core import BASELINES, Task
from taskrel_core.metrics.base import Baseline, SaturatedScore
from taskrel_core.metrics.ncti_pool import pool_index
from taskrel_core.metrics.otce import otce_distances
from taskrel_core.metrics.pactran import PACTRAN_GRID, pactran_dirichlet
from tests.generators import gaussian_task
from tests.metrics.definitions import DEFINITIONS, coupling, gbc, logme, pactran, sfda, tmi

AGREE = 1e-6
KINDS = ("well-conditioned", "n < d", "rank-deficient", "imbalanced", "separable")


def problem(kind: str, seed: int = 0) -> tuple[Task, Task, np.ndarray]:
    """Target, reference and source posteriors, small enough for loops; the reference is of another size."""
    n, d, k, separation, prior = {
        "well-conditioned": (90, 6, 4, 0.5, None),
        "n < d": (24, 40, 3, 0.5, None),
        "rank-deficient": (90, 4, 4, 0.5, None),
        "imbalanced": (90, 5, 3, 0.6, [0.85, 0.1, 0.05]),
        "separable": (60, 5, 3, 8.0, None),
    }[kind]
    target = gaussian_task(n, d, k, seed, separation, prior)
    reference = gaussian_task(40, d, 5, seed + 1, separation)
    rng = np.random.default_rng(seed)
    if kind == "rank-deficient":
        mix = rng.normal(size=(d, 9))
        target, reference = (
            Task(task.z.numpy() @ mix, task.y, task.n_classes) for task in (target, reference)
        )
    logits = rng.normal(size=(n, 7)) + 2 * rng.normal(size=(k, 7))[target.labels.numpy()]
    return target, reference, softmax(logits, axis=1)


def score(name, target, reference, posteriors, **options):
    """The module's value; that it is saturated is tested elsewhere."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SaturatedScore)
        return BASELINES[name](target=target, reference=reference, source_posteriors=posteriors, **options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", BASELINES)
def test_agrees_with_a_second_definition(name, kind):
    given = problem(kind)
    assert score(name, *given) == pytest.approx(DEFINITIONS[name](*given), rel=AGREE, abs=AGREE)


def test_every_baseline_has_a_second_definition():
    assert set(DEFINITIONS) == set(BASELINES)


@pytest.mark.parametrize("kind", KINDS)
def test_sfda_with_the_least_shrinkage(kind):
    """Features of large scale have shrinkage 1e-10; where classes overlap in all of d that is no saturation."""
    target, reference, posteriors = problem(kind)
    given = Task(target.z * 4, target.y, target.n_classes), reference, posteriors
    assert score("sfda", *given) == pytest.approx(sfda(*given), abs=AGREE)


def test_logme_is_right_where_no_ridge_is_best():
    """Noise alone for labels that n < d features do not explain; interpolation where they explain all of them."""
    rng = np.random.default_rng(3)
    y = np.arange(20) % 2
    noise_alone = -0.5 * (np.log(2 * np.pi * 0.5) + 1)
    constant = Task(np.zeros((20, 30)), y, 2)
    assert BASELINES["logme"](target=constant) == pytest.approx(noise_alone, abs=1e-12)
    wide = rng.normal(size=(20, 2000))  # nearly orthogonal rows of one length: a ridge changes nothing
    for z in (wide, np.eye(20)):
        power = np.linalg.eigvalsh(z @ z.T)
        fits = [(y == c) @ np.linalg.solve(z @ z.T, y == c) / 20 for c in (0, 1)]
        limit = -np.mean([0.5 * (np.log(power).mean() + np.log(2 * np.pi * fit) + 1) for fit in fits])
        found = BASELINES["logme"](target=Task(z, y, 2))
        assert found >= max(limit, noise_alone) - 1e-12
        assert found == pytest.approx(logme(Task(z, y, 2), None, None), abs=AGREE)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("least", [1e-3, 2e-4, 5e-5, 1e-6])
def test_logme_of_ill_conditioned_features(kind, least):
    target, reference, posteriors = problem(kind)
    z = target.z * torch.logspace(0, np.log10(least), target.d, dtype=torch.float64)
    given = Task(z, target.y, target.n_classes), reference, posteriors
    assert score("logme", *given) == pytest.approx(logme(*given), abs=AGREE)


@pytest.mark.parametrize(("lam", "prior"), PACTRAN_GRID)
@pytest.mark.parametrize("kind", ["well-conditioned", "n < d", "separable"])
def test_pactran_over_the_released_grid(kind, lam, prior):
    given = problem(kind)
    value = score("pactran", *given, lam=lam, prior=prior)
    assert value == pytest.approx(pactran(*given, lam=lam, prior=prior), rel=AGREE)


def dirichlet_constant(a):
    """Log of the normaliser of a Dirichlet density."""
    return gammaln(a.sum()) - gammaln(a).sum()


def released_loops(target, posteriors, variant, prior=1.0, rounds=10):
    """Dirichlet and Gamma forms sample by sample, source class by source class, as released."""
    y, k, (n, sources) = target.labels.tolist(), target.n_classes, posteriors.shape
    a0 = prior * np.bincount(y, minlength=k) / n
    q = posteriors.copy()
    for _ in range(rounds):
        a = np.tile(a0, (sources, 1))
        for i in range(n):
            a[:, y[i]] += q[i]
        for i in range(n):
            log_q = np.log(posteriors[i]) + digamma(a[:, y[i]])
            q[i] = softmax(log_q - (digamma(a.sum(1)) if variant == "dirichlet" else 0.0))
    divergence = (q * np.log(q / posteriors)).sum()
    if variant == "dirichlet":
        return (divergence + sum(dirichlet_constant(row) - dirichlet_constant(a0) for row in a)) / (n * k)
    tangent = sum(np.log((posteriors[i] * a.sum(1)).sum()) - 1 for i in range(n))
    return ((gammaln(a0) - gammaln(a)).sum() + divergence + tangent) / (n * k) + 1


@pytest.mark.parametrize("variant", ["dirichlet", "gamma"])
@pytest.mark.parametrize("prior", [0.3, 5.0])
@pytest.mark.parametrize("kind", KINDS)
def test_pactran_on_posteriors(kind, prior, variant):
    target, reference, posteriors = problem(kind)
    value = score("pactran", target, reference, posteriors, variant=variant, prior=prior)
    assert value == pytest.approx(released_loops(target, posteriors, variant, prior), rel=AGREE)


def test_the_dirichlet_form_bounds_the_evidence():
    """Brute force: all 3^7 ways to assign source classes give the evidence, which a converged bound is above."""
    rng = np.random.default_rng(0)
    y, posteriors = np.array([0, 1, 0, 0, 1, 1, 0]), softmax(rng.normal(size=(7, 3)), axis=1)
    a0, evidence = np.bincount(y) / 7, 0.0
    for assigned in product(range(3), repeat=7):
        counts = np.zeros((3, 2))
        np.add.at(counts, (assigned, y), 1)
        log_p = sum(dirichlet_constant(a0) - dirichlet_constant(a0 + row) for row in counts)
        evidence += np.exp(log_p) * posteriors[np.arange(7), assigned].prod()
    bound = pactran_dirichlet(posteriors, y, rounds=500) * 14
    assert -np.log(evidence) <= bound <= -np.log(evidence) + 2.0


@pytest.mark.parametrize("pca", [3, 64])
@pytest.mark.parametrize("kind", KINDS)
def test_gbc_of_principal_axes(kind, pca):
    given = problem(kind)
    assert score("gbc", *given, pca=pca) == pytest.approx(gbc(*given, pca=pca), rel=AGREE)
    if pca == 3:  # of the diagonal form, in axes that both know up to sign
        value = score("gbc", *given, pca=3, covariance="diagonal")
        assert value == pytest.approx(gbc(*given, diagonal=True, pca=3), rel=AGREE)


def test_transrate_weighs_the_classes_as_asked():
    given = problem("imbalanced")
    target = given[0]
    rate = {c: transrate_of(target.z - target.z.mean(0), target.labels == c) for c in range(target.n_classes)}
    whole = transrate_of(target.z - target.z.mean(0), target.labels >= 0)
    expected = whole - sum(float(target.prior[c]) * rate[c] for c in rate)
    assert score("transrate", *given, weights="prior") == pytest.approx(expected, rel=AGREE)


def transrate_of(x, rows):
    """Coding rate from singular values."""
    x = x[rows].numpy()
    return 0.5 * np.log1p(np.linalg.svd(x, compute_uv=False) ** 2 / (len(x) * 1e-4)).sum()


@pytest.mark.parametrize("kind", KINDS)
def test_otce_is_a_regression(kind):
    """On unstandardised distances by the normal equations, to 40 digits; the distances from the linear programme."""
    target, reference, posteriors = problem(kind)
    others = [problem(kind, seed=s)[0] for s in range(5, 10)]
    accuracies = [0.5, 0.7, 0.65, 0.9, 0.4]
    table = [
        (*otce_distances(reference, other), accuracy)
        for other, accuracy in zip(others, accuracies, strict=True)
    ]
    for row, other in zip(table, others, strict=True):
        assert row[:2] == pytest.approx(coupling(other, reference), rel=AGREE, abs=AGREE)
    with mpmath.workdps(40):
        design = mpmath.matrix([[1, w_d, w_t] for w_d, w_t, _ in table])
        fitted = mpmath.lu_solve(design.T * design, design.T * mpmath.matrix(accuracies))
        w_d, w_t = coupling(target, reference)
        expected = float(fitted[0] + fitted[1] * w_d + fitted[2] * w_t)
    assert score("otce", target, reference, posteriors, auxiliary=table) == pytest.approx(expected, abs=AGREE)


def test_transport_of_equal_sizes_is_an_assignment():
    reference, target = gaussian_task(70, 5, 3, seed=0), gaussian_task(70, 5, 4, seed=1)
    cost = ((reference.z[:, None] - target.z[None]) ** 2).sum(-1).numpy()
    rows, columns = linear_sum_assignment(cost)
    pairs = list(zip(reference.labels[rows].tolist(), target.labels[columns].tolist(), strict=True))
    shares = [pairs.count(pair) / 70 for pair in set(pairs)]
    entropy = -(np.array(shares) * np.log(shares)).sum() + (reference.prior * reference.prior.log()).sum()
    assert otce_distances(reference, target) == pytest.approx((cost[rows, columns].mean(), float(entropy)))


def test_pactran_is_at_the_optimum_for_many_features():
    """A bigger head than Newton's method with the whole Hessian can do: L-BFGS from another start, float64 throughout."""
    target = gaussian_task(300, 60, 12, seed=0, separation=0.25)
    z, y, k = target.z.numpy() @ np.diag(10.0 ** np.linspace(1, -3, 60)), target.labels.numpy(), 12
    x, ridge = np.hstack([z - z.mean(0), np.ones((300, 1))]), np.repeat([1 / 3000] * 60 + [0.0], k)

    def loss(theta):
        log_p = log_softmax(x @ theta.reshape(61, k), axis=1)
        slope = x.T @ (np.exp(log_p) - np.eye(k)[y]) / 300
        return -log_p[np.arange(300), y].mean() + 0.5 * (
            ridge * theta**2
        ).sum(), slope.ravel() + ridge * theta

    start = np.random.default_rng(0).normal(size=61 * k) * 0.03
    options = {"maxiter": 20000, "maxfun": 40000, "ftol": 0.0, "gtol": 1e-10, "maxcor": 50}
    found = minimize(loss, start, method="L-BFGS-B", jac=True, options=options)
    p = softmax(x @ found.x.reshape(61, k), axis=1)
    curvature = ((x**2).T @ (p * (1 - p))).sum() + 60 * k / 3000
    expected = found.fun + k * 100 / (2 * 3000) * np.log(3000 / (k * 60) * curvature + 1e-10)
    assert BASELINES["pactran"](target=Task(z, y, k), lam=10.0) == pytest.approx(expected, rel=AGREE)


def test_tmi_of_gaussian_classes_is_their_entropy():
    """d/2 log(2 pi e s^2), which the estimate nears as samples grow; and its options."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 4000)
    z = np.array([1.0, 3.0])[y][:, None] * rng.normal(size=(8000, 2)) + 50.0 * y[:, None]
    expected = np.log(2 * np.pi * np.e) + np.log(3.0)  # mean of log s^2 over both classes
    assert BASELINES["tmi"](target=Task(z, y, 2), floor=1e-9) == pytest.approx(expected, abs=0.05)
    target = problem("well-conditioned")[0]
    options = {"neighbours": 5, "floor": 0.5}
    assert BASELINES["tmi"](target=target, **options) == pytest.approx(tmi(target, None, None, **options))


@pytest.mark.parametrize("name", ["ncti_ncc", "ncti_seli", "ncti_vc"])
@pytest.mark.parametrize("scale", [0.1, 0.4])
def test_ncti_where_the_shrinkage_is_neither_small_nor_all(name, scale):
    target, reference, posteriors = problem("imbalanced")
    given = Task(scale * target.z, target.y, target.n_classes), reference, posteriors
    assert score(name, *given) == pytest.approx(DEFINITIONS[name](*given), rel=AGREE, abs=AGREE)


def test_ncti_of_a_pool_is_the_sum_of_scaled_parts():
    found = pool_index([0.5, 0.75, 1.0], [10.0, 40.0, 20.0], [-3.0, -3.0, -3.0])
    assert found.tolist() == pytest.approx([-1.0, 0.5 + 1 - 1, 1 + 1 / 3 - 1])
    assert pool_index([1.0, 0.0], [5.0, 1.0], [-1.0, -2.0]).tolist() == [2.0, -1.0]
    for wrong in ([0.5, np.nan], [0.5]):
        with pytest.raises(ValueError, match="ncc, seli and vc must be finite, one value per encoder"):
            pool_index(wrong, [1.0, 2.0], [1.0, 2.0])


def test_a_metric_runs_in_one_thread_and_restores_the_callers():
    seen = []

    def count(z, y):
        seen.extend(pool["num_threads"] for pool in threadpool_info())
        return 0.0

    counted = Baseline("count", count, ("target",), True, "")
    with threadpool_limits(2):
        before = threadpool_info()
        counted(target=problem("well-conditioned")[0])
        assert threadpool_info() == before
    assert seen
    assert set(seen) == {1}
