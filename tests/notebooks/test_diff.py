"""Whether two runs agree: which lines belong together, how far apart numbers may be, and what is said of runs not there."""

import json
import shutil

import diff
import pandas as pd
import pytest
from runner import compare

TABLE = pd.DataFrame(
    {
        "pair": ["a > b", "a > b", "c > d"],
        "seed": [0, 1, 0],
        "bound": [1.0, 2.0, 3.0],
        "logme": [0.5, 0.25, 0.125],
        "fine_tuned": [0.9, 0.8, 0.7],
        "fine_tuned_se": [0.01, 0.01, 0.01],
        "r": ["+0.73 [+0.33, +0.93]", "-0.10", ""],
        "certified": [True, True, False],
        "seconds": [1.0, 2.0, 3.0],
    }
)


def put(out, name, table, verdict="supported", folder=("executed", "_generated"), **parameters):
    """A run in a book's folder."""
    own = "--" in name
    pages, files = (out / "runs", out / "runs" / name) if own else (out / folder[0], out / folder[1])
    stem = name.partition("--")[0]
    pages.mkdir(parents=True, exist_ok=True)
    files.mkdir(parents=True, exist_ok=True)
    record = {
        "stem": stem,
        "parameters": {"profile": "embedded", "tau": 0.1} | parameters,
        "files": [f"tab-{stem[3:]}.csv"],
    }
    record |= {"commit": "abc", "started": "2026-01-01T00:00:00"}
    (pages / f"{name}.json").write_text(json.dumps(record))
    (pages / f"{name}.ipynb").write_text("{}")
    table.to_csv(files / f"tab-{stem[3:]}.csv", index=False)
    (files / f"glue.{stem}.json").write_text(json.dumps({"ours": "one of three", "verdict": verdict}))


def told(capsys, out, *words):
    code = diff.main(["--out", str(out), "--", *map(str, words)])
    return code, capsys.readouterr()


OWN = "03_gap--tau-0-2--12345678"


@pytest.mark.parametrize(
    ("column", "factor", "agree"),
    [
        ("bound", 1.009, True),
        ("bound", 1.02, False),
        ("logme", 1.0009, True),
        ("logme", 1.002, False),
        ("fine_tuned", 1.04, True),  # three standard errors of the difference of two: 0.042
        ("fine_tuned", 1.07, False),
        ("seconds", 100, True),
    ],
)
def test_numbers_may_be_as_far_apart_as_is_said(tmp_path, capsys, column, factor, agree):
    put(tmp_path, "03_gap", TABLE)
    other = TABLE.copy()
    other.loc[1, column] *= factor
    put(tmp_path, OWN, other.iloc[::-1])  # the order of lines does not matter
    code, said = told(capsys, tmp_path, "03_gap", OWN)
    assert code == (0 if agree else 1)
    assert f"{0 if agree else 1} differences beyond the tolerances" in said.out
    if not agree:
        assert f"tab-gap.csv: a > b, 1, {column}: {TABLE[column][1]:g} | {other[column][1]:.6g}" in said.out


def test_numbers_in_texts_words_verdicts_and_lines_count(tmp_path, capsys):
    put(tmp_path, "03_gap", TABLE)
    other = TABLE.iloc[:2].assign(r=["+0.72 [+0.33, +0.93]", "-0.14"], certified=[True, False])
    put(tmp_path, OWN, other, verdict="not supported", tau=0.2)
    code, said = told(capsys, tmp_path, "03", OWN)
    assert code == 1
    assert "tau: 0.1 | 0.2\n" in said.out
    assert "tab-gap.csv: 1 lines only in A\n" in said.out
    assert "a > b, 1, r: -0.10 | -0.14\n" in said.out
    assert "+0.72" not in said.out  # a unit of the last place
    assert "a > b, 1, certified: True | False\n" in said.out
    assert "verdict: supported | not supported\n" in said.out
    assert "4 differences beyond the tolerances" in said.out


def test_a_setting_that_differs_does_not_part_the_lines():
    a, b = (pd.DataFrame({"target": ["x"], "encoder": [name], "bound": [1.0]}) for name in ("one", "two"))
    assert diff.differences(a, b, {"encoder": ("one", "two")}) == (1, [])
    assert diff.differences(a, b, {}) == (0, ["1 lines only in A", "1 lines only in B"])


def test_another_book_may_be_a_folder_or_an_archive(tmp_path, capsys):
    here, there = tmp_path / "here", tmp_path / "there"
    put(here, "03_gap", TABLE)
    put(there, "03_gap", TABLE.assign(bound=[1.0, 2.0, 4.0]), folder=("pages", "figures"))
    packed = shutil.make_archive(str(tmp_path / "book"), "zip", there)
    for place in (there, packed):
        code, said = told(capsys, here, place, "03_gap.py")
        assert code == 1
        assert "c > d, 0, bound: 4 | 3\n" in said.out
    put(there, "03_gap", TABLE)
    assert told(capsys, here, "03_gap", there / "executed" / "..")[0] == 0


def test_what_is_not_there_is_refused_with_what_is(tmp_path, capsys):
    put(tmp_path, "03_gap", TABLE)
    put(tmp_path, "04_pairs", TABLE)
    put(tmp_path, OWN, TABLE)
    for words, message in [
        (
            ("03_gpa", "03"),
            "there is no run '03_gpa' (did you mean '03_gap'?); runs here are\n  03_gap\n  04_pairs\n",
        ),
        (("03", "04"), "A and B must be runs of one notebook, got 03_gap and 04_pairs"),
        (("03", tmp_path / "_generated"), "holds no run of 03_gap; name a page and the folder or archive"),
        (("03", ""), "name two runs: make diff A=03_fig_small_gap B="),
    ]:
        code, said = told(capsys, tmp_path, *words)
        assert code == 2
        assert message in said.err
        assert "Traceback" not in said.err
    assert compare.find("03", tmp_path).name == "03_gap"
