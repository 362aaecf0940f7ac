"""Task-relatedness: the smallest certified bound found by alternating exact plans and closed-form steps.

In order: the best tau-Lipschitz head on the reference; class maps proposed without regard to rotation; for the
best of them, exact class-wise transport and weighted Procrustes in turn; for the sharper ground costs, from
there on, a pull-back of the span that the head can see. A later metric starts where the one before ended, so
its bound is never larger. Under the last one, the head itself moves at the end.
"""

import math
from dataclasses import replace

import torch
from torch import Tensor

from .._validation import Real, check_choice, check_count, check_positive, check_same_width
from ..task import Task, split, thin
from .alternation import Solution, Solver
from .bound import Relatedness, is_certified
from .class_map import MapProblem, assign, propose
from .head import Head, fit_head
from .pseudo_labels import first_labels, implausible
from .published_objective import descend
from .refinement_jointly import tune
from .settings import EXACT, GRADIENT, GradientConfig
from .transform import Transform, coupling, leading_frame, map_to_q, random_map
from .transport import METRICS

__all__ = ["relatedness"]


METHODS = ("exact", "gradient")
MODES = ("fixed_all", "learned_a", "learned_all")


def relatedness(
    reference: Task,
    target: Task,
    tau: Real = 0.02,
    *,
    method: str = "exact",
    metric: str = "euclidean",
    mode: str = "learned_all",
    labels: str = "true",
    measure: str = "in_sample",
    seed: int = 0,
    gradient: GradientConfig = GRADIENT,
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
        gradient: settings of ``method="gradient"``.

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
    tau, seed = check_positive(tau, "tau"), check_count(seed, "seed", 0)
    if method == "gradient" and (metric != "euclidean" or measure != "in_sample"):
        raise ValueError(
            f"method='gradient' knows metric='euclidean' and measure='in_sample' only, got metric={metric!r} and "
            f"measure={measure!r}; use method='exact'"
        )
    frame = None
    if method == "exact" and reference.d > EXACT.full_turn:
        frame = leading_frame(reference.z, target.z, EXACT.leading)
        reference, target = (Task(t.z @ frame, t.y, t.n_classes, t.name) for t in (reference, target))
    run = _Run(tau, method, metric, mode, measure, seed, gradient)
    result = run.pseudo(reference, target) if labels == "pseudo" else run.labelled(reference, target)
    return result if frame is None else _out_of_frame(result, frame)


class _Run:
    """One call of ``relatedness``: its settings, and the few ways to go through them."""

    def __init__(
        self,
        tau: float,
        method: str,
        metric: str,
        mode: str,
        measure: str,
        seed: int,
        gradient: GradientConfig,
    ):
        self.tau, self.method, self.metric, self.mode = tau, method, metric, mode
        self.measure, self.seed, self.gradient = measure, seed, gradient

    def labelled(self, reference: Task, target: Task, head: Head | None = None) -> Relatedness:
        """Bound for a target with labels; a head that is given stays as it is."""
        if self.measure == "held_out":
            fit_r, test_r = split(reference, EXACT.held_out_reference, self.seed)
            fit_t, test_t = split(target, EXACT.held_out_target, self.seed)
            fitted = Solver(fit_r, fit_t, head or _reference_head(fit_r, self.tau))
            measured = Solver(test_r, test_t, fitted.head)
            chain = {name: measured.evaluate(s.q, s.pull, name) for name, s in self.solve(fitted).items()}
            chain["euclidean"] = measured.exactly(chain["euclidean"])
            return self.result(measured, chain, certify=False)
        solver = Solver(reference, target, head or _reference_head(reference, self.tau))
        if self.method == "gradient":
            return self.descent(solver)
        chain = self.solve(solver)
        if head is None and (self.metric, self.mode) == ("one_sided", "learned_all"):
            solver, chain["one_sided"] = tune(solver, chain["one_sided"], self.tau)
        return self.result(solver, chain, certify=True)

    def solve(self, solver: Solver) -> dict[str, Solution]:
        """Smallest bound over class maps and pull-backs, under each metric up to the one asked for."""
        present = solver.prior > 0, solver.reference.prior > 0
        fixed = map_to_q(random_map(*present, self.seed), solver.reference.n_classes)
        # The fixed map is carried along, moved and unmoved: what more is learned can then never look like a loss.
        plain = solver.evaluate(fixed, solver.start(), "euclidean")
        ends = [] if self.mode == "fixed_all" else [solver.euclidean(fixed, EXACT.rounds)]
        if self.mode == "learned_all":
            found = [solver.euclidean(q, EXACT.rounds) for q in self.best_maps(solver)]
            ends += [solver.soften(min(*found, *ends, key=lambda s: s.bound)), *found]
            ends = [ends[0], *sorted(ends[1:], key=lambda s: s.bound)[: EXACT.solve_keep]]
        chain = {"euclidean": solver.exactly(min([plain, *ends], key=lambda s: s.bound))}
        for metric in METRICS[1 : METRICS.index(self.metric) + 1]:
            plain = solver.sharpen(plain, metric, learn=False)
            ends = [solver.sharpen(s, metric, learn=True) for s in ends]
            chain[metric] = min(plain, *ends, key=lambda s: s.bound) if ends else plain
        return chain

    def best_maps(self, solver: Solver) -> list[Tensor]:
        """The proposed class maps with the smallest bounds on a part of the samples, which tells them apart."""
        small = Solver(
            thin(solver.reference, EXACT.probe_samples, self.seed),
            thin(solver.target, EXACT.probe_samples, self.seed),
            solver.head,
        )
        first = [
            (small.euclidean(q, EXACT.probe_rounds).bound, k, q) for k, q in enumerate(self.maps(solver))
        ]
        return [q for _, _, q in sorted(first, key=lambda entry: entry[:2])[: EXACT.solve_keep]]

    def maps(self, solver: Solver) -> list[Tensor]:
        """The class maps that the search proposes, as one-hot q over all classes."""
        rows_t = [i for i, rows in enumerate(solver.rows_t) if len(rows)]
        rows_r = [j for j, rows in enumerate(solver.rows_r) if len(rows)]
        t, r = solver.means
        class_losses = solver.class_losses(solver.reference.prior > 0)[rows_r]
        prior = solver.prior[rows_t]
        problem = MapProblem(t - prior @ t, r[rows_r], prior, class_losses, self.tau)
        identity = assign(problem, torch.cdist(t, r[rows_r]))
        keep = max(min(EXACT.map_keep, EXACT.map_classes // len(rows_t)), 2)
        found = [identity, *propose(problem, identity, EXACT.map_starts, keep, self.seed)]
        maps = []
        for short in dict.fromkeys(tuple(s) for s in found):
            sigma = [rows_r[0]] * solver.target.n_classes
            for i, j in zip(rows_t, short, strict=True):
                sigma[i] = rows_r[j]
            maps.append(map_to_q(sigma, solver.reference.n_classes))
        return maps

    def result(self, solver: Solver, chain: dict[str, Solution], certify: bool) -> Relatedness:
        """Public result of the last solution of a chain."""
        solution = chain[self.metric]
        prior, B = coupling(solution.q, solver.prior)
        transform = Transform(*solver.transform(solution), B, prior)
        constant = self.tau if self.metric in ("logit", "one_sided") else solution.constant
        used = solver.head.only((prior > 0).nonzero()[:, 0])
        certified = certify and is_certified(used, transform, solver.prior, constant, solution.plan.exact)
        terms = (solution.reweighted, solution.mismatch, solution.plan.value, solution.constant)
        head, labels = solver.head.silence(prior == 0), solver.target.labels
        result = Relatedness(*terms, certified, transform, head, self.metric, self.method, labels)
        bounds = {metric: step.bound for metric, step in chain.items()}
        return _with_loss(replace(result, chain=bounds), solver.target)

    def descent(self, solver: Solver) -> Relatedness:
        """Report of the authors' objective, with the head's own constant, as they measure it (A^-1 left out)."""
        fixed = random_map(solver.prior > 0, solver.reference.prior > 0, self.seed)
        q = map_to_q(fixed, solver.reference.n_classes)
        end = descend(solver.reference, solver.target, solver.head, self.mode, q, self.gradient, self.seed)
        terms = (end.reweighted, end.mismatch, end.distance, solver.head.lipschitz)
        return _with_loss(
            Relatedness(
                *terms, False, end.transform, solver.head, self.metric, self.method, solver.target.labels
            ),
            solver.target,
        )

    def pseudo(self, reference: Task, target: Task) -> Relatedness:
        """Bound for a target without labels: fit, label with h_R''', and again, from two starts out of the features."""
        head = _reference_head(reference, self.tau)
        passed = []
        for y in first_labels(target, head, self.seed):
            for _ in range(EXACT.pseudo_rounds):
                guess = Task(target.z, y, target.n_classes, target.name)
                fitted = replace(
                    _Run(**{**vars(self), "measure": "in_sample"}).labelled(reference, guess, head),
                    certified=False,
                )
                new = fitted.log_classifier(target.z).argmax(1)
                passed.append(fitted)
                if torch.equal(new, y):
                    break
                y = new
        best = min(passed, key=implausible)
        if self.measure == "held_out":
            return self.labelled(reference, Task(target.z, best.target_labels, target.n_classes, target.name))
        return best


def _reference_head(reference: Task, tau: float) -> Head:
    return fit_head(reference, tau, EXACT.head_gap * max(math.log(reference.n_classes), 1.0))


def _out_of_frame(result: Relatedness, frame: Tensor) -> Relatedness:
    """The same result in the coordinates of the caller, where it was found in those of ``frame`` (d, d)."""
    t, head = result.transform, result.head
    A, A_inv = (_turned_back(matrix, frame) for matrix in (t.A, t.A_inv))
    transform = replace(t, A=A, A_inv=A_inv, b=frame @ t.b)
    return replace(result, transform=transform, head=Head(head.weight @ frame.T, head.bias))


def _turned_back(matrix: Tensor, frame: Tensor) -> Tensor:
    """frame matrix frame^T, (d, d), by its leading block where it is the identity elsewhere."""
    eye = torch.eye(len(matrix), dtype=matrix.dtype)
    rest = matrix - eye
    touched = rest.abs().sum(0) + rest.abs().sum(1) > 0
    part = frame[:, touched]
    return eye + part @ rest[touched][:, touched] @ part.T


def _with_loss(result: Relatedness, target: Task) -> Relatedness:
    log_h = result.log_classifier(target.z)
    y = result.target_labels
    loss = float(-log_h.gather(1, y[:, None]).mean())
    return replace(result, loss=loss, accuracy=float((log_h.argmax(1) == y).double().mean()))


def _check_tasks(reference: Task, target: Task, labels: str) -> None:
    for task, name in ((reference, "reference"), (target, "target")):
        if not isinstance(task, Task):
            raise TypeError(
                f"{name} must be a taskrel_core.Task, got {type(task).__name__}; make one: Task(z, y, n_classes=...)"
            )
    if reference.y is None:
        raise ValueError("reference must have labels, got y=None; pseudo-labels are for the target only")
    if target.y is None and labels == "true":
        raise ValueError("target has y=None, but labels='true' reads its labels; use labels='pseudo'")
    check_same_width(target.z, reference.z, "target.z", "reference.z")
