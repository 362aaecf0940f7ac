"""Sentences on bounds and losses: counts, targets, and an interval only where targets differ."""

import pandas as pd

from taskrel_core.analysis.certificate import violations


def runs(above):
    """Two runs of each target; whether the loss of each exceeds its bound."""
    lines = [(target, 1.0, 1.0 + (1 if over else -1)) for target, both in above.items() for over in both]
    return pd.DataFrame(lines, columns=["target", "bound", "loss_new"])


def test_whole_targets_are_resampled():
    table = runs({"a": [True, True], "b": [True, True], "c": [False] * 2, "d": [False] * 2, "e": [False] * 2})
    said = violations(table, {"a": "A"}, "which moved")
    assert said == (
        "in 4 of 10 runs: 2 of 2 on A and 2 of 2 on b (which moved), none on the other 3 targets. With the 5 targets resampled, "
        "the fraction is 0.40 (95 % CI 0.00 to 0.80)"
    )


def test_a_count_alone_where_no_target_differs():
    assert violations(runs({"a": [False] * 2, "b": [False] * 2}), {}) == "in 0 of 4 runs"
    both = violations(runs({"a": [True, False], "b": [False, True]}), {})
    assert both == "in 2 of 4 runs: 1 of 2 on a and 1 of 2 on b"
