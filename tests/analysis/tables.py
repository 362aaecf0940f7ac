"""Simulated tables of encoders by targets whose components and correlations are known."""

import numpy as np

from taskrel_core.analysis.cells import Cells


def table(
    rng, encoders=12, targets=6, r=0.5, shared=0.35, spread=0.0, seeds=1, noise=0.0, per_family=1, scale=1.0
) -> Cells:
    """Truth: encoder + cell (variances ``shared`` and the rest) + target + noise of seeds; score "x": r with it.

    Encoders of a family have one main effect. ``scale``: of the columns of truth and score, their ratio from first to
    last.
    """

    def field():
        main = rng.normal(size=(-(-encoders // per_family), 1)).repeat(per_family, 0)[:encoders]
        return np.sqrt(shared) * main + np.sqrt(1 - shared) * rng.normal(size=(encoders, targets))

    each = np.tanh(np.arctanh(r) + spread * rng.normal(size=targets))
    truth, units = field(), np.geomspace(1, scale, targets)
    score = units * (each * truth + np.sqrt(1 - each**2) * field()) + 5 * rng.normal(size=targets)
    runs = (units * truth + 3 * rng.normal(size=targets))[:, :, None] + noise * rng.normal(
        size=(encoders, targets, seeds)
    )
    return named(runs, {"x": score}, [f"family {i // per_family}" for i in range(encoders)])


def named(runs, scores, families=None) -> Cells:
    """Cells of arrays, (E, T) or (E, T, seeds), with names of no meaning."""
    runs = np.asarray(runs, float).reshape(*np.shape(runs)[:2], -1)
    encoders = tuple(f"e{i}" for i in range(len(runs)))
    return Cells(
        encoders, tuple(f"t{i}" for i in range(runs.shape[1])), tuple(families or encoders), runs, scores
    )


def components(rng, encoders, targets, seeds, sd):
    """Runs from random effects with the deviations ``sd``: encoder, target, interaction, seed, noise."""
    e, t, s = encoders, targets, seeds
    shapes = {
        "encoder": (e, 1, 1),
        "target": (1, t, 1),
        "interaction": (e, t, 1),
        "seed": (1, t, s),
        "noise": (e, t, s),
    }
    return sum(sd[name] * rng.normal(size=shape) for name, shape in shapes.items()) + np.zeros((e, t, s))
