"""The cells of a study: encoders by targets, the accuracy that each reached, and what each score said."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float


@dataclass(frozen=True, eq=False)
class Cells:
    """Accuracies and scores of every encoder on every target, NaN where a cell is missing or left out.

    Attributes:
        encoders: names, of the E rows.
        targets: names, of the T columns.
        families: of each encoder, for instance its pre-training.
        runs: accuracy of each seed, (E, T, seeds).
        scores: by name, (E, T), turned so that more is claimed to be better.
    """

    encoders: tuple[str, ...]
    targets: tuple[str, ...]
    families: tuple[str, ...]
    runs: Float[np.ndarray, "e t s"]
    scores: dict[str, Float[np.ndarray, "e t"]]

    @property
    def truth(self) -> Float[np.ndarray, "e t"]:
        """Mean accuracy over seeds, (E, T)."""
        ran = np.isfinite(self.runs)
        total, times = np.where(ran, self.runs, 0.0).sum(2), ran.sum(2)
        return np.where(times > 0, total / np.maximum(times, 1), np.nan)

    @property
    def values(self) -> Float[np.ndarray, "n e t"]:
        """All scores, (scores, E, T), in the order of their names."""
        return np.array([self.scores[name] for name in self.scores]).reshape(-1, *self.runs.shape[:2])

    def keep(self, rows: Bool[np.ndarray, " e"]) -> "Cells":
        """Return the cells of some encoders, rows True."""
        names, families = (
            tuple(np.array(value, object)[rows].tolist()) for value in (self.encoders, self.families)
        )
        scores = {name: value[rows] for name, value in self.scores.items()}
        return replace(self, encoders=names, families=families, runs=self.runs[rows], scores=scores)

    def leave_out(self, pairs: Iterable[tuple[str, str]]) -> "Cells":
        """Return the same without the cells of some (encoder, target), for instance those seen in pre-training."""
        runs = self.runs.copy()
        for encoder, target in pairs:
            runs[self.encoders.index(encoder), self.targets.index(target)] = np.nan
        return replace(self, runs=runs)

    def with_score(self, name: str, values: Float[np.ndarray, "e t"]) -> "Cells":
        """Return the same with one more score, (E, T), of which more is claimed to be better."""
        return replace(self, scores=self.scores | {name: values})


def read_cells(truth: pd.DataFrame, scores: pd.DataFrame, higher_is_better: Mapping[str, bool]) -> Cells:
    """Return the cells of tidy tables; encoders and targets are those of ``truth``, in its order.

    Args:
        truth: columns encoder, target, seed, truth (accuracy); family, where families matter. One row per training.
        scores: columns encoder, target, score, value; rows of one cell are averaged, and cells without truth ignored.
        higher_is_better: of each score; the others are multiplied by -1.

    Raises:
        ValueError: no rows, a training twice, or a score that ``higher_is_better`` does not name.
    """
    if truth.empty or truth.duplicated(["encoder", "target", "seed"]).any():
        raise ValueError(
            "truth must have one row per encoder, target and seed, got "
            f"{'none' if truth.empty else 'a training twice'}; select one learning rate per cell first"
        )
    unknown = sorted(set(scores["score"]) - set(higher_is_better))
    if unknown:
        raise ValueError(
            f"higher_is_better must name every score, got none for {', '.join(unknown)}; say True or False for each"
        )
    encoders, targets = truth["encoder"].unique().tolist(), truth["target"].unique().tolist()
    runs = [
        rows.pivot(index="encoder", columns="target", values="truth").reindex(encoders, columns=targets)
        for _, rows in truth.groupby("seed")
    ]
    tables = {}
    for name in scores["score"].unique().tolist():
        rows = scores[scores["score"] == name].astype({"value": float})
        wide = rows.pivot_table(index="encoder", columns="target", values="value")
        tables[name] = (1 if higher_is_better[name] else -1) * wide.reindex(
            encoders, columns=targets
        ).to_numpy(float)
    named = truth.drop_duplicates("encoder").set_index("encoder")
    families = named["family"] if "family" in named else named.index.to_series()
    stacked = np.stack([table.to_numpy(float) for table in runs], axis=2)
    return Cells(tuple(encoders), tuple(targets), tuple(families.tolist()), stacked, tables)


def static_ranker(cells: Cells) -> Float[np.ndarray, "e t"]:
    """Return a control that never sees the target: each encoder's mean accuracy on the *other* targets, (E, T).

    Accuracies are counted from the mean of their target, so that a missing cell favours nobody.
    """
    seen = np.isfinite(cells.truth)
    above = np.where(seen, cells.truth, 0.0)
    above = np.where(seen, above - above.sum(0) / np.maximum(seen.sum(0), 1), 0.0)
    others = seen.sum(1, keepdims=True) - seen
    total = above.sum(1, keepdims=True) - above
    return np.where(others > 0, total / np.maximum(others, 1), np.nan)
