"""Rows to a table: looked up by content in the cache, then among the shipped rows, else computed and kept at once.

A killed run loses at most the rows under way. Where shipped rows are to be computed again (``TASKREL_FRESH``), those whose
files are not on this machine stay as shipped.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from joblib import delayed
from tqdm import tqdm

from .. import environment
from .._registry import MissingAsset
from .row import Row
from .store import RowStore, tidy
from .workers import workers


def run(rows: Iterable[Row], jobs: int | None = None) -> pd.DataFrame:
    """Return the tidy table of the rows, in the order asked for.

    Args:
        rows: what to compute; equal ones are computed once.
        jobs: rows at a time on this machine; default ``TASKREL_JOBS``, else 1. With ``TASKREL_BACKEND=dask`` the
            cluster at ``TASKREL_SCHEDULER`` has as many as it has workers.

    Raises:
        MissingAsset: a data set or encoder is not on this machine.
        KeyError: an unknown name.
        ValueError: rows of different profiles in one table.
    """
    wanted = list(rows)
    store, done, missing = _store(environment.row_log()), {}, {}
    for row in dict.fromkeys(wanted):
        key = row.key
        found = store.find(key)
        if found is None:
            missing[row] = key
        else:
            done[row] = found
    with workers(jobs or environment.jobs()) as parallel:
        results = parallel(delayed(_computed)(row, key) for row, key in missing.items())
        bar = tqdm(results, total=len(wanted), initial=len(wanted) - len(missing), desc="rows", leave=False)
        kept = RowStore(store.cache, environment.results_dir()) if environment.fresh() else store
        for (row, key), (values, origin) in zip(missing.items(), bar, strict=True):
            done[row] = _noted(store, kept, key, values, origin)
    return tidy([{**done[row][0], "profile": row.profile, "origin": done[row][1]} for row in wanted])


def _noted(
    store: RowStore, kept: RowStore, key: str, values: dict[str, Any] | MissingAsset, origin: str
) -> tuple[dict[str, Any], str]:
    """What a worker returned, in the store and its log; a shipped row where its files are missing."""
    if isinstance(values, MissingAsset):
        found = kept.find(key)
        if found is None:
            raise values
        values, origin = found
    elif not store.holds(key):  # a worker without our file system
        store.put(key, values)
        return values, origin
    store.note(key, origin)
    return values, origin


def _store(log: Path | None = None) -> RowStore:
    return RowStore(environment.cache_dir() / "rows", environment.results_dir(), environment.fresh(), log)


def _computed(row: Row, key: str) -> tuple[dict[str, Any] | MissingAsset, str]:
    """The row and its origin, in a worker: it keeps the row at once, and takes one that another has put since."""
    store = RowStore(environment.cache_dir() / "rows")
    found = store.find(key)
    if found is not None:
        return found
    try:
        return store.put(key, row.compute()), "computed"
    except MissingAsset as missing:
        return missing, "missing"
