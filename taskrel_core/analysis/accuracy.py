"""Accuracy after fine-tuning, at the learning rate that validation data select."""

import pandas as pd


def select_learning_rate(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per (target, encoder): mean accuracy over seeds at the learning rate that held-back samples select.

    Args:
        rows: rows of ``FineTuning``; seeds that were not trained at the selected rate do not count.

    Returns:
        Columns target, encoder, lr, fine_tuned, fine_tuned_se, probe, seeds, seconds; the standard error is the
        larger of that between seeds and that of the test sample.
    """
    if rows.empty:
        raise ValueError("rows must hold at least one training, got none; run some first")
    first = rows[rows["seed"] == rows["seed"].min()]
    best = (
        pd.DataFrame(first)
        .sort_values(["validation", "lr"])
        .groupby(["target", "encoder"], sort=False)
        .tail(1)
    )
    kept = rows.merge(best[["target", "encoder", "lr"]], on=["target", "encoder", "lr"])
    table = kept.groupby(["target", "encoder", "lr"], as_index=False).agg(
        fine_tuned=("fine_tuned", "mean"),
        spread=("fine_tuned", "sem"),
        fine_tuned_se=("fine_tuned_se", "mean"),
        probe=("probe", "mean"),
        seeds=("seed", "nunique"),
        n_train=("n_train", "max"),
        seconds=("seconds", "mean"),
    )
    table["fine_tuned_se"] = table[["spread", "fine_tuned_se"]].max(axis=1)
    return table.drop(columns="spread")
