"""Task-relatedness: the smallest certified bound found by alternating exact plans and closed-form steps.

In order: the best tau-Lipschitz head on the reference; class maps proposed without regard to rotation; for the
best of them, exact class-wise transport and weighted Procrustes in turn; for the sharper ground costs, from
there on, a pull-back of the span that the head can see. A later metric starts where the one before ended, so
its bound is never larger. Under the last one, the head itself moves at the end.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .._validation import Checked, Real, check_choice, check_count, check_positive, check_same_width
from ..task import Task, check_task, split, subsample
from .alternation import soften, solve_euclidean
from .bound import Relatedness, is_certified
from .class_map import MapProblem, assign, propose
from .frame import find_frame, rounded, rounded_down
from .head import Head, fit_head
from .problem import Problem, Solution
from .pseudo_labels import first_labels, implausible
from .published_objective import run_published_objective
from .refinement import refine_jointly, refine_pull_back
from .settings import ExactSettings, GradientSettings
from .threads import one_thread
from .transform import Transform, label_coupling, map_to_q, random_map
from .transport import METRICS

METHODS = ("exact", "gradient")
LARGEST_SEED = 2**32 - 1  # that scikit-learn takes
MODES = ("fixed_all", "learned_a", "learned_all")


@one_thread()
def relatedness(
    reference: Checked[Task],
    target: Checked[Task],
    tau: Real = 0.02,
    *,
    method: Checked[str] = "exact",
    metric: Checked[str] = "euclidean",
    mode: Checked[str] = "learned_all",
    labels: Checked[str] = "true",
    measure: Checked[str] = "in_sample",
    seed: Checked[int] = 0,
    settings: Checked[ExactSettings] = ExactSettings(),  # noqa: B008  frozen
    gradient: Checked[GradientSettings] = GradientSettings(),  # noqa: B008  frozen
) -> Relatedness:
    """Return the bound on the target's loss after transfer from the reference, with its three terms.

    Args:
        reference: labelled reference task; its head and its samples carry the bound.
        target: target task, same feature width.
        tau: Lipschitz constant of the loss that the head h_R may have, nats per unit of feature.
        method: "exact" (certified) or "gradient" (the authors' published objective; Euclidean, never certified).
        metric: ground cost: "euclidean" (the paper's), "span", "logit" or "one_sided", each at most the one before.
        mode: "fixed_all" (random class map, A = I), "learned_a" (that map, A and b learned) or "learned_all".
        labels: "true", or "pseudo" to leave the target's labels unread: the transformed classifier labels them.
        measure: "in_sample" (the certificate) or "held_out": fitted on one part of each sample, measured on the
            other; an estimate, not certified.
        seed: of the class-map search, the fixed map, the split and the authors' batches.
        settings: of ``method="exact"``; they change how near the smallest bound the search comes, and its time.
        gradient: of ``method="gradient"``.

    Returns:
        Terms in nats (the mismatch in the unit of the metric), their sum, the certificate and the classifier.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: a value out of range, widths that differ, labels that are missing.

    Example:
        A target that is the reference, shifted: the map is found, and nothing is left to transport.

        >>> z = torch.randn(90, 4, generator=torch.Generator().manual_seed(0)).double()
        >>> y = torch.arange(90) % 3
        >>> z += 3 * torch.eye(4)[y]
        >>> r = relatedness(Task(z, y, 3), Task(z + 1, y, 3), tau=0.5)
        >>> r.certified, round(r.distribution_mismatch, 6), round(r.label_mismatch, 6)
        (True, 0.0, 0.0)
    """
    for value, name, choices in (
        (method, "method", METHODS),
        (metric, "metric", METRICS),
        (mode, "mode", MODES),
        (labels, "labels", ("true", "pseudo")),
        (measure, "measure", ("in_sample", "held_out")),
    ):
        check_choice(value, name, choices)
    _check_tasks(reference, target, labels)
    for value, name, kind in (
        (settings, "settings", ExactSettings),
        (gradient, "gradient", GradientSettings),
    ):
        if not isinstance(value, kind):
            raise TypeError(
                f"{name} must be {kind.__name__}, got {type(value).__name__}; leave it out, or make one"
            )
    tau, seed = check_positive(tau, "tau"), check_count(seed, "seed", 0, LARGEST_SEED)
    if method == "gradient" and (metric != "euclidean" or measure != "in_sample"):
        raise ValueError(
            f"method='gradient' knows metric='euclidean' and measure='in_sample' only, got metric={metric!r} and "
            f"measure={measure!r}; use method='exact'"
        )
    solve = _pseudo_labelled if labels == "pseudo" else _labelled
    call = _Call(tau, method, metric, mode, measure, seed, settings, gradient)
    if method == "gradient":  # as published, in the caller's coordinates
        return solve(call, reference, target)
    frame = find_frame(reference, target, settings)
    call = replace(call, tau=rounded_down(tau * frame.unit), shift=frame.shift())
    return frame.leave(solve(call, *frame.enter(reference, target)))


@dataclass(frozen=True, eq=False)
class _Call:
    """The checked arguments of one call of ``relatedness``, less the tasks; tau in the coordinates of these."""

    tau: float
    method: str
    metric: str
    mode: str
    measure: str
    seed: int
    settings: ExactSettings
    gradient: GradientSettings
    shift: Tensor | None = None  # (d,), of the pull-back where A = I and b = 0; None for 0


def _labelled(call: _Call, reference: Task, target: Task, head: Head | None = None) -> Relatedness:
    """Result for a target with labels; a head that is given stays as it is."""
    if call.measure == "held_out":
        return _held_out(call, reference, target, head)
    if call.method == "gradient":
        head = head or _reference_head(call, reference)
        return _published(call, Problem(reference, target, head, call.settings))
    searched = _searched(call, reference, target, head)
    chain, last = _chain(call, searched), searched.head
    measured = Problem(reference, target, searched.head, call.settings)
    if head is None and (call.metric, call.mode) == ("one_sided", "learned_all"):
        last, chain["one_sided"] = refine_jointly(searched, chain["one_sided"], call.tau)
    return _result(call, measured, chain, last, certify=True)


def _held_out(call: _Call, reference: Task, target: Task, head: Head | None) -> Relatedness:
    """Fitted on one part of each sample, measured on the other."""
    fit_r, test_r = split(reference, call.settings.held_out_reference, call.seed)
    fit_t, test_t = split(target, call.settings.held_out_target, call.seed)
    searched = _searched(call, fit_r, fit_t, head)
    measured = Problem(test_r, test_t, searched.head, call.settings)
    return _result(call, measured, _chain(call, searched), searched.head, certify=False)


def _searched(call: _Call, reference: Task, target: Task, head: Head | None) -> Problem:
    """The problem on which the search runs."""
    reference, target = rounded(reference), rounded(target)
    return Problem(reference, target, head or _reference_head(call, reference), call.settings)


def _pseudo_labelled(call: _Call, reference: Task, target: Task) -> Relatedness:
    """Result for a target without labels: fit, label with h_R''', and again, from two starts."""
    head = _reference_head(call, rounded(reference))
    in_sample, passed = replace(call, measure="in_sample"), []
    for y in first_labels(rounded(target), head, call.seed):
        for _ in range(call.settings.pseudo_rounds):
            fitted = _labelled(in_sample, reference, target.replaced(target.z, y), head)
            passed.append(replace(fitted, certified=False))
            new = fitted.log_classifier(target.z).argmax(1)
            if torch.equal(new, y):
                break
            y = new
    best = min(passed, key=implausible)
    if call.measure == "held_out":
        return _labelled(call, reference, target.replaced(target.z, best.target_labels))
    return best


def _chain(call: _Call, problem: Problem) -> dict[str, Solution]:
    """Smallest bound over class maps and pull-backs, under each metric up to the one asked for."""
    present = problem.prior > 0, problem.reference.prior > 0
    fixed = map_to_q(random_map(*present, call.seed), problem.reference.n_classes)
    # The fixed map is carried along, moved and unmoved, so that learning more never gives a larger bound.
    plain, rounds = problem.evaluate(fixed, problem.identity(call.shift), "euclidean"), call.settings.rounds
    ends = [] if call.mode == "fixed_all" else [solve_euclidean(problem, fixed, rounds)]
    if call.mode == "learned_all":
        found = [solve_euclidean(problem, q, rounds) for q in _best_maps(call, problem)]
        ends += [soften(problem, min(*found, *ends, key=lambda s: s.bound)), *found]
        ends = [ends[0], *sorted(ends[1:], key=lambda s: s.bound)[: call.settings.solve_keep]]
    chain = {"euclidean": min([plain, *ends], key=lambda s: s.bound)}
    for metric in METRICS[1 : METRICS.index(call.metric) + 1]:
        plain = problem.in_span(plain, metric)
        ends = [refine_pull_back(problem, problem.in_span(s, metric), metric) for s in ends]
        chain[metric] = min(plain, *ends, key=lambda s: s.bound) if ends else plain
    return chain


def _best_maps(call: _Call, problem: Problem) -> list[Tensor]:
    """The proposed class maps with the smallest bounds on a part of the samples, which tells them apart."""
    settings = call.settings
    reference = subsample(problem.reference, settings.probe_samples, call.seed)
    target = subsample(problem.target, settings.probe_samples, call.seed)
    small = Problem(reference, target, problem.head, settings)
    maps = _proposed_maps(call, problem)
    bounds = [solve_euclidean(small, q, settings.probe_rounds).bound for q in maps]
    return [maps[k] for k in sorted(range(len(maps)), key=bounds.__getitem__)[: settings.solve_keep]]


def _proposed_maps(call: _Call, problem: Problem) -> list[Tensor]:
    """The class maps that the search proposes, as one-hot q over all classes."""
    rows_t = [i for i, rows in enumerate(problem.rows_t) if len(rows)]
    rows_r = [j for j, rows in enumerate(problem.rows_r) if len(rows)]
    t, r = problem.means
    losses = problem.class_losses(problem.reference.prior > 0)[rows_r]
    prior = problem.prior[rows_t]
    of_means = MapProblem(t - prior @ t, r[rows_r], prior, losses, call.tau)
    identity = assign(of_means, torch.cdist(t, r[rows_r]))
    keep = max(min(call.settings.map_keep, call.settings.map_classes // len(rows_t)), 2)
    found = [identity, *propose(of_means, identity, keep, call.settings, call.seed)]
    maps = []
    for short in dict.fromkeys(tuple(s) for s in found):
        sigma = [rows_r[0]] * problem.target.n_classes
        for i, j in zip(rows_t, short, strict=True):
            sigma[i] = rows_r[j]
        maps.append(map_to_q(sigma, problem.reference.n_classes))
    return maps


def _result(
    call: _Call, problem: Problem, found: dict[str, Solution], last: Head, certify: bool
) -> Relatedness:
    """Public result: what was found under each metric, measured on a problem; ``last`` is the head of the last one."""
    chain = {name: problem.evaluate(s.q, s.pull, name) for name, s in found.items()}
    chain["euclidean"] = problem.without_cancellation(chain["euclidean"])
    if last is not problem.head:
        problem = problem.with_head(last)
        chain[call.metric] = problem.evaluate(found[call.metric].q, found[call.metric].pull, call.metric)
    solution = chain[call.metric]
    prior, B = label_coupling(solution.q, problem.prior)
    A, A_inv, b, basis = problem.transform(solution)
    transform = Transform(A, A_inv, b, B, prior, basis)
    constant = call.tau if call.metric in ("logit", "one_sided") else solution.constant
    used = problem.head.restrict((prior > 0).nonzero()[:, 0])
    certified = certify and is_certified(used, transform, problem.prior, constant, solution.plan.exact)
    terms = (solution.reweighted, solution.mismatch, solution.plan.value, solution.constant)
    head, labels = problem.head.mask_classes(prior == 0), problem.target.labels
    result = Relatedness(*terms, certified, transform, head, call.metric, call.method, labels)
    bounds = {metric: step.bound for metric, step in chain.items()}
    return _with_loss(replace(result, chain=bounds), problem.target)


def _published(call: _Call, problem: Problem) -> Relatedness:
    """Report of the authors' objective, with the head's own constant, as they measure it (A^-1 left out)."""
    reference, target, head = problem.reference, problem.target, problem.head
    q = map_to_q(random_map(problem.prior > 0, reference.prior > 0, call.seed), reference.n_classes)
    end = run_published_objective(reference, target, head, call.mode, q, call.gradient, call.seed)
    terms = (end.reweighted, end.mismatch, end.distance, head.lipschitz)
    result = Relatedness(*terms, False, end.transform, head, call.metric, call.method, target.labels)
    return _with_loss(result, target)


def _reference_head(call: _Call, reference: Task) -> Head:
    return fit_head(reference, call.tau, call.settings.head_gap * max(math.log(reference.n_classes), 1.0))


def _with_loss(result: Relatedness, target: Task) -> Relatedness:
    loss, accuracy = result.evaluate(target.z, result.target_labels)
    return replace(result, loss=loss, accuracy=accuracy)


def _check_tasks(reference: Checked[Task], target: Checked[Task], labels: str) -> None:
    for task, name in ((reference, "reference"), (target, "target")):
        check_task(task, name)
    if reference.y is None:
        raise ValueError("reference must have labels, got y=None; pseudo-labels are for the target only")
    if target.y is None and labels == "true":
        raise ValueError("target has y=None, but labels='true' reads its labels; use labels='pseudo'")
    check_same_width(target.z, reference.z, "target.z", "reference.z")
