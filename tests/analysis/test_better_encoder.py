"""Improvement and specificity of a better encoder: made-up rows, and the numbers of the page from the shipped ones."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from taskrel_core.analysis.better_encoder import caveat, decreases, effects, interval, said, verdicts_of

ROOT = Path(__file__).resolve().parents[2]
RELATED = ["digits", "glyphs_digits"]


def rows(learned, control, noise=0.0):
    """Rows of four targets, two of them related, whose loss falls from 2 by what is given, times chance, which is 2."""
    rng, lines = np.random.default_rng(0), []
    for seed in range(5):
        for k, target in enumerate(["digits", "glyphs_digits", "fashion_mnist", "glyphs_latin"]):
            for is_control, fall in ((False, learned[k]), (True, control[k])):
                for epochs in (0, 10):
                    loss = 2 - 2 * (fall + noise * rng.normal()) * (epochs > 0)
                    right = 0.5 + (0.1 + k / 10) * (epochs > 0)
                    shared = {"target": target, "related": k < 2, "seed": seed, "control": is_control}
                    lines.append(
                        shared
                        | {"epochs": epochs, "transferability": loss, "bound": loss + 1, "chance": 2.0}
                        | {"head_accuracy": right}
                    )
    return pd.DataFrame(lines)


def test_decreases_are_relative_to_chance_and_the_controls_are_taken_off():
    fall = decreases(rows([0.5, 0.25, 0.25, 0.25], [0.25, 0.0, 0.125, 0.0])).set_index(["target", "seed"])
    assert fall.loc[("digits", 3), ["learned", "control", "beyond", "bound"]].tolist() == [
        0.5,
        0.25,
        0.25,
        0.5,
    ]
    found = effects(fall.reset_index())
    assert len(found) == 5
    assert found.loc[0].tolist() == pytest.approx([0.375, 0.25, 0.125, 0.0625, 0.25, 0.0625, 0.15, 0.35])


@pytest.mark.parametrize(
    ("learned", "control", "verdicts"),
    [
        ([0.5, 0.5, 0.1, 0.1], [0, 0, 0, 0], ("supported", "supported")),
        (
            [0.5, 0.2, 0.1, 0.3],
            [0, 0, 0, 0],
            ("supported", "supported with caveat"),
        ),  # one unrelated target gains more
        (
            [0.5, 0.5, 0.1, 0.1],
            [0.4, 0.4, 0, 0],
            ("supported", "inconclusive"),
        ),  # so much any training brings
        ([0.2, 0.2, 0.5, 0.5], [0, 0, 0, 0], ("supported", "not supported")),
        ([-0.2, -0.2, -0.5, -0.5], [0, 0, 0, 0], ("not supported", "supported")),
    ],
)
def test_improvement_and_specificity_are_judged_apart(learned, control, verdicts):
    assert tuple(verdicts_of(decreases(rows(learned, control, noise=0.01))).values()) == verdicts


def test_the_interval_is_students_and_of_one_seed_there_is_none():
    values = pd.Series([0.1, 0.2, 0.3])
    assert interval(values) == pytest.approx(
        (0.2 - 4.3027 * 0.1 / 3**0.5, 0.2 + 4.3027 * 0.1 / 3**0.5), abs=1e-5
    )
    assert said(values) == "0.20 (95 % CI -0.05 to 0.45)"
    assert said(values[:1]) == "0.10 (one seed, no interval)"
    assert (
        verdicts_of(decreases(rows([0.5] * 4, [0.0] * 4).query("seed == 0")))["improvement (loss)"]
        == "inconclusive"
    )


def test_no_caveat_without_one():
    assert caveat(decreases(rows([0.5, 0.5, 0.1, 0.1], [0.0] * 4, noise=0.01)), {}) == ""


@pytest.fixture(scope="module")
def shipped():
    """The table of the page, from the rows that the repository ships."""
    lines = (ROOT / "book/results/05_fig_better_encoder.jsonl").read_text().splitlines()
    found = pd.DataFrame(json.loads(line)["row"] for line in lines)
    control = found["encoder"] == "lenet_shuffled"
    start = found[found["epochs"] == 0]
    found = pd.concat([found.assign(control=control), start.assign(control=True)], ignore_index=True)
    return found.assign(related=found["target"].isin(RELATED))


def test_the_numbers_of_the_page_follow_from_the_shipped_rows(shipped):
    fall = decreases(shipped)
    found = effects(fall)
    assert len(found) >= 5
    mean = found.mean().round(2).to_dict()
    assert mean == {
        "related": 0.14,
        "unrelated": 0.09,
        "control_related": 0.0,
        "control_unrelated": 0.01,
        "beyond": 0.14,
        "specificity": 0.05,
        "accuracy_related": 0.03,
        "accuracy_unrelated": 0.0,
    }
    assert said(found["specificity"]) == "0.05 (95 % CI 0.05 to 0.06)"
    assert verdicts_of(fall) == {"improvement (loss)": "supported", "specificity": "supported with caveat"}
    assert caveat(fall, {"glyphs_latin": "Latin"}) == (
        "Caveat: beyond the control the loss decreases by 0.13 on Latin (unrelated) and by 0.11 on digits (related)"
    )


def test_the_decreases_of_the_page_are_those_of_the_shipped_losses(shipped):
    relative = shipped["transferability"] / shipped["chance"]
    by = relative.groupby([shipped["control"], shipped["epochs"], shipped["target"]]).mean()
    fall = decreases(shipped).groupby("target")[["learned", "control", "beyond"]].mean()
    for target, line in fall.iterrows():
        assert line["learned"] == pytest.approx(by[False, 0, target] - by[False, 10, target])
        assert line["beyond"] == pytest.approx(by[True, 10, target] - by[False, 10, target])
