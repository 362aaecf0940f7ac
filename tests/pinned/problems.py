"""Fixed problems whose bounds are pinned: every metric, mode, measure and kind of label, with fewer, as many and more classes."""

from typing import Any

from taskrel_core import Task, relatedness
from tests.generators import gaussian_task, turned_copy

SHAPES = {"fewer": (3, 5), "equal": (4, 4), "more": (6, 3)}  # K_R against K_T


def problems() -> dict[str, dict[str, Any]]:
    """Return the arguments of ``relatedness`` by the name of each problem."""
    found: dict[str, dict[str, Any]] = {}
    for shape, (k_r, k_t) in SHAPES.items():
        pair = _pair(k_r, k_t)
        for metric in ("euclidean", "span", "logit", "one_sided"):
            found[f"{shape}-{metric}"] = pair | {"tau": 0.3, "metric": metric}
        for mode in ("fixed_all", "learned_a"):
            found[f"{shape}-{mode}"] = pair | {"tau": 0.3, "metric": "one_sided", "mode": mode}
        found[f"{shape}-held-out"] = pair | {"tau": 0.3, "metric": "one_sided", "measure": "held_out"}
        unlabelled = pair | {"target": Task(pair["target"].z, None, k_t), "labels": "pseudo"}
        found[f"{shape}-pseudo"] = unlabelled | {"tau": 0.3, "metric": "logit"}
    found["equal-small-tau"] = _pair(4, 4) | {"tau": 0.02}
    found["equal-large-tau"] = _pair(4, 4) | {"tau": 2.0, "metric": "one_sided"}
    copy = turned_copy(gaussian_task(80, 6, 4, 3), 5)[0]
    found["turned-copy"] = {"reference": gaussian_task(80, 6, 4, 3), "target": copy, "tau": 0.3}
    shares = [0.55, 0.25, 0.15, 0.05]
    unbalanced = {"reference": gaussian_task(90, 6, 4, 7, prior=shares), "target": gaussian_task(70, 6, 4, 8)}
    found["unbalanced"] = unbalanced | {"tau": 0.3, "metric": "one_sided"}
    wide = {"reference": gaussian_task(50, 300, 3, 11), "target": gaussian_task(40, 300, 3, 12)}
    found["wide-euclidean"] = wide | {"tau": 0.02}
    found["wide-one-sided"] = wide | {"tau": 0.3, "metric": "one_sided"}
    found["gradient-fixed"] = _pair(4, 4) | {"tau": 0.3, "method": "gradient", "mode": "fixed_all"}
    return found


def solve(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the terms, the bound and the certificate."""
    r = relatedness(**arguments)
    terms = {
        name: getattr(r, name)
        for name in ("reweighted_loss", "label_mismatch", "distribution_mismatch", "tau")
    }
    return terms | {"bound": r.bound, "certified": r.certified, "chain": r.chain}


def _pair(k_r: int, k_t: int) -> dict[str, Any]:
    return {"reference": gaussian_task(90, 6, k_r, k_r), "target": gaussian_task(60, 6, k_t, 10 + k_t)}
