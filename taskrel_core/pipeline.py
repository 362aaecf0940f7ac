"""From an experiment to its row: the one module where data, features, method and store meet.

features -> standardise -> relatedness + transferability -> row. A row is computed once: looked up by content in
the cache, then among the rows that the project ships, else computed and kept at once, so that a killed run loses
at most the rows under way.
"""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from joblib import delayed
from tqdm import tqdm

from . import config
from .backends import workers
from .checking import CHECKING_VERSION, Checking, check
from .datasets import DATASETS
from .departures import DEPARTURES_VERSION, Departure, depart
from .encoders import ENCODERS
from .features import features, standardise
from .finetune import RECIPE, FineTuning, train
from .fit import relatedness
from .head import transferability
from .probing import PROBING_VERSION, Probing, probe
from .scores import SCORES_VERSION, Scoring, score
from .store import RowStore, content_key, tidy
from .tasks import Task
from .timing import TIMING_VERSION, Timing, measure

__all__ = ["STAGE_VERSION", "Experiment", "load", "run"]

STAGE_VERSION = 6  # raise when a change of the method moves numbers: older rows are then computed again


@dataclass(frozen=True)
class Experiment:
    """One row: which tasks, which encoder, which form of the bound, how much data."""

    reference: str
    target: str
    encoder: str = "lenet"
    tau: float = 0.02  # authors' code, large scale
    method: str = "exact"
    metric: str = "one_sided"  # its row also holds the bound under every metric before it
    mode: str = "learned_all"
    labels: str = "true"
    measure: str = "in_sample"
    standardise: str = "own"  # authors' code
    n_reference: int = 3000  # our choice
    n_target: int = 1800  # our choice
    n_fit: int = 5000  # our choice: samples that a fitted encoder (LeNet, PCA) learns from
    epochs: int = 10  # our choice: of LeNet on the reference
    steps: int = 2001  # authors' code: of method="gradient"
    seed: int = 0
    profile: str = "embedded"  # not part of the key: the same row serves every profile that asks for it


Setting = Experiment | FineTuning | Scoring | Probing | Timing | Checking | Departure  # of one row


def run(experiments: Iterable[Setting], jobs: int | None = None) -> pd.DataFrame:
    """Return the tidy table of the rows, one an experiment, in the order asked for.

    Args:
        experiments: what to compute; equal ones are computed once.
        jobs: rows at a time on this machine; default ``TASKREL_JOBS``, else 1. With ``TASKREL_BACKEND=dask`` or
            ``ray`` the cluster at ``TASKREL_SCHEDULER`` has as many as it has workers.

    Raises:
        MissingAsset: a data set or encoder is not on this machine.
        KeyError: an unknown name.
        ValueError: rows of different profiles in one table.
    """
    wanted = list(experiments)
    store, done, missing = _store(config.row_log()), {}, {}
    for e in dict.fromkeys(wanted):
        key = _key(e)
        found = store.find(key)
        if found is None:
            missing[e] = key
        else:
            done[e] = found
    with workers(jobs or config.jobs()) as parallel:
        results = parallel(delayed(_computed)(e, key) for e, key in missing.items())
        bar = tqdm(results, total=len(wanted), initial=len(wanted) - len(missing), desc="rows", leave=False)
        for (e, key), (row, origin) in zip(missing.items(), bar, strict=True):
            if not store.holds(key):  # a worker without our file system
                store.put(key, row)
            else:
                store.note(key, origin)
            done[e] = row, origin
    return tidy([{**done[e][0], "profile": e.profile, "origin": done[e][1]} for e in wanted])


def load(experiment: Experiment) -> tuple[Task, Task]:
    """Return the standardised reference and target of an experiment."""
    e = experiment
    shared = {"fitted_on": e.reference, "seed": e.seed, "encoder_n": e.n_fit, "epochs": e.epochs}
    reference = features(e.reference, e.encoder, split="train", n=e.n_reference, **shared)
    target = features(e.target, e.encoder, split="train", n=e.n_target, **shared)
    return standardise(reference, target, how=e.standardise)


def _store(log: Path | None = None) -> RowStore:
    return RowStore(config.cache_dir() / "rows", config.results_dir(), config.fresh(), log)


def _computed(experiment: Setting, key: str) -> tuple[dict[str, Any], str]:
    """The row and its origin, in a worker: it keeps the row at once, and takes one that another has put since."""
    store = _store()
    found = store.find(key)
    if found is not None:
        return found
    compute, _ = KINDS[type(experiment)]
    return store.put(key, compute(experiment)), "computed"


def _key(experiment: Setting) -> str:
    fields = {k: v for k, v in asdict(experiment).items() if k != "profile"}
    versions = {k: DATASETS[fields[k]].version for k in ("reference", "target") if k in fields}
    if "encoder" in fields:
        versions["encoder"] = ENCODERS[fields["encoder"]].version
    versions["stage"] = KINDS[type(experiment)][1]
    return content_key({"kind": type(experiment).__name__, "experiment": fields, "versions": versions})


def _compute(experiment: Experiment) -> dict[str, Any]:
    e, started = experiment, time.perf_counter()
    reference, target = load(e)
    loaded = time.perf_counter()
    choices = {
        "metric": e.metric,
        "mode": e.mode,
        "labels": e.labels,
        "measure": e.measure,
        "method": e.method,
    }
    gradient = replace(config.GRADIENT, steps=e.steps)
    r = relatedness(reference, target, e.tau, **choices, seed=e.seed, gradient=gradient)
    fitted = time.perf_counter()
    t = transferability(target, e.tau)
    log_h = r.log_classifier(target.z)
    return {
        **asdict(e),
        "reweighted_loss": r.reweighted_loss,
        "label_mismatch": r.label_mismatch,
        "distribution_mismatch": r.distribution_mismatch,
        "lipschitz": r.tau,
        "bound": r.bound,
        **{f"bound_{metric}": value for metric, value in r.chain.items()},
        "certified": r.certified,
        "loss": float(-log_h.gather(1, target.labels[:, None]).mean()),
        "accuracy": float((log_h.argmax(1) == target.labels).double().mean()),
        "transferability": t.loss,
        "head_accuracy": t.accuracy,
        # Of the best head: r.head may have moved.
        "reference_accuracy": transferability(reference, e.tau).accuracy,
        "log_k": math.log(target.n_classes),
        "k_reference": reference.n_classes,
        "k_target": target.n_classes,
        "n": len(target),
        "d": target.d,
        "seconds": fitted - loaded,
        "seconds_features": loaded - started,
        "seconds_head": time.perf_counter() - fitted,
    }


# What can be a row: how it is computed, and the version of that.
KINDS: dict[type, tuple[Callable[[Any], dict[str, Any]], int]] = {
    Experiment: (_compute, STAGE_VERSION),
    FineTuning: (train, RECIPE),
    Scoring: (score, SCORES_VERSION),
    Probing: (probe, PROBING_VERSION),
    Timing: (measure, TIMING_VERSION),
    Checking: (check, CHECKING_VERSION),
    Departure: (depart, DEPARTURES_VERSION),
}
