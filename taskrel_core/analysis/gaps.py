"""Gaps between bound and transferability, against what a bound below chance may be off, over values of tau."""

from collections.abc import Sequence

import pandas as pd

from .verdicts import of_gap

COSTS = ("euclidean", "one_sided")


def gaps(rows: pd.DataFrame, costs: Sequence[str] = COSTS) -> pd.DataFrame:
    """Return one line per row and cost, with the gap and its ratio to chance minus transferability.

    Args:
        rows: rows of ``Experiment`` with a column ``pair``; those of the mode "fixed_all" give the column ``fixed_all``.
        costs: each with a column ``bound_<cost>``.

    Returns:
        The rows that learn, with columns metric (the cost), bound, gap (nats), ratio (0: tight, 1 and more: vacuous) and
        fixed_all (nats; missing where no such row has the same pair, seed and tau), sorted by pair, metric, tau and seed.
    """
    same, fixed = ["pair", "seed", "tau"], rows["mode"] == "fixed_all"
    parts = []
    for cost in costs:
        bound = f"bound_{cost}"
        nothing = rows.loc[fixed, [*same, "bound_euclidean"]].drop_duplicates()
        nothing = nothing.rename(columns={"bound_euclidean": "fixed_all"})
        part = rows[~fixed].assign(metric=cost, bound=rows.loc[~fixed, bound])
        parts.append(part.merge(nothing, on=same, how="left", validate="many_to_one"))
    table = pd.concat(parts, ignore_index=True)
    table["gap"] = table["bound"] - table["transferability"]
    table["ratio"] = table["gap"] / (table["chance"] - table["transferability"])
    return table.sort_values(["pair", "metric", "tau", "seed"], ignore_index=True)


def over_tau(table: pd.DataFrame) -> pd.DataFrame:
    """Return the mean, smallest and largest ratio of each cost and tau over pairs and seeds, and the fraction below chance."""
    below = table.assign(below=table["ratio"] < 1)
    return below.groupby(["metric", "tau"]).agg(
        mean=("ratio", "mean"), low=("ratio", "min"), high=("ratio", "max"), below=("below", "mean")
    )


def gap_verdicts(table: pd.DataFrame, tau: float) -> dict[str, str]:
    """Judge the ratios of each cost at ``tau``; what is supported there but not at every other tau has a caveat.

    Args:
        table: as ``gaps`` returns it.
        tau: the one at which the claim is made.
    """
    found = {}
    for cost, part in over_tau(table).groupby("metric"):
        at = {t: of_gap(low, high) for (_, t), low, high in part[["low", "high"]].itertuples()}
        everywhere = set(at.values()) == {"supported"}
        found[str(cost)] = "supported with caveat" if at[tau] == "supported" and not everywhere else at[tau]
    return found
