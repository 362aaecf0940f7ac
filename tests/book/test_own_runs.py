"""Pages of runs with parameters of one's own: numbers beside the book's, titles, and links that fit where they lie."""

import json
import re

import ledger
import own_runs
import pandas as pd
import pytest

NAME = "03_gap--tau-0-1--1a2b3c4d"
BOOK = pd.DataFrame(
    {"pair": ["a", "b"], "bound": [1.0, 2.5], "r": ["+0.7 [+0.1, +0.9]", "+0.8"], "seconds": [1.0, 2.0]}
)


def put(folder, record, table, **glued):
    """A run: its record beside its page, its files."""
    record.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    tau = 0.1 if "--" in record.stem else 0.02
    made = {"stem": "03_gap", "parameters": {"tau": tau, "who": "a|b`c"}, "files": ["tab-gap.csv"]}
    record.write_text(json.dumps(made))
    table.to_csv(folder / "tab-gap.csv", index=False)
    (folder / "glue.03_gap.json").write_text(json.dumps(glued))


@pytest.fixture
def source(tmp_path):
    """A book's folder with a run of one's own."""
    table = BOOK.assign(bound=[1.0, 3.0], seconds=[5.0, 6.0]).iloc[::-1]
    glued = {"ours": "it is | that", "verdict": "supported", "rule": "never", "gap_ratio": "0.5"}
    put(tmp_path / "runs" / NAME, tmp_path / f"runs/{NAME}.json", table, **glued)
    return tmp_path


def test_both_runs_are_side_by_side(source):
    book = {"ours": "it is this", "verdict": "not supported", "rule": "never"}
    put(source / "_generated", source / "executed/03_gap.json", BOOK, **book)
    text = own_runs.beside(source, NAME)
    assert "A run of {doc}`../executed/03_gap` with parameters of your own" in text
    for line in (
        "| `tau` | `` 0.1 `` | `` 0.02 `` |",
        r"| finding | it is \| that | it is this |",
        "| verdict | {verdict}`supported` | {verdict}`not supported` |",
        "| gap ratio | 0.5 | – |",
        "| `pair` | `bound` | `r` |",
        "| b | 3 (2.5) | +0.8 |",
        "| a | 1 | +0.7 [+0.1, +0.9] |",
    ):
        assert f"{line}\n" in text
    assert "never" not in text
    assert "who" not in text  # the same in both


def test_without_the_books_page_there_is_no_link_to_it(source):
    assert own_runs.beside(source, NAME) == (
        "A run with parameters of your own. The book's page was not run for this copy of the book."
    )


def test_links_labels_and_files_are_those_of_the_run():
    text = (
        ":::{figure} ../_generated/gap.svg\n:name: fig-gap\n(CSV <../_generated/gap.csv>, {explore}`03_gap`)\n:::\n"
        "{doc}`06 <06_tab_correlation>` {doc}`../theory`"
    )
    assert own_runs.moved(text, NAME) == (
        f":::{{figure}} {NAME}/gap.svg\n:name: 1a2b3c4d-fig-gap\n(CSV <{NAME}/gap.csv>)\n:::\n"
        "{doc}`06 <../executed/06_tab_correlation>` {doc}`../theory`"
    )


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ({"tau": 0.1, "seeds": [0, 1]}, "# 03 with `` tau=0.1 seeds=[0, 1] ``"),
        ({"who": "`x`\n# y"}, "# 03 with `` who='x' # y ``"),
        ({"who": "x" * 100}, f"# 03 with `` who={'x' * 56}… ``"),
    ],
)
def test_the_title_has_the_parameters_whatever_they_hold(given, title):
    cells = [{"cell_type": "markdown", "source": text} for text in ("# A page\n\nSome method.", "the end")]
    page = own_runs.own_page({"cells": cells, "metadata": {"taskrel": {"given": given}}}, NAME)
    assert page[0]["source"] == title
    assert page[1]["source"] == f":::{{claim}} {NAME}\n:::\n\n:::{{beside}} {NAME}\n:::"
    assert {
        "cell_type": "markdown",
        "id": "reproduce",
        "metadata": {},
        "source": f"## Reproduce\n\n:::{{again}} {NAME}\n:::",
    } in page


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"tau": 0.1, "seeds": [0, 1]}, 'P="tau=0.1 seeds=[0, 1]"'),
        ({"who": "a$b"}, "P='who=a$b'"),
    ],
)
def test_a_run_of_ones_own_has_its_line_and_what_it_took(tmp_path, given, line):
    made = {
        "given": given,
        "profile": "smoke",
        "seconds": 12.4,
        "rows": {"computed": 0, "cached": 2, "shipped": 3},
    }
    (tmp_path / "runs").mkdir()
    (tmp_path / f"runs/{NAME}.json").write_text(json.dumps(made))
    text = ledger.again(tmp_path, NAME)
    command = f"make notebook NB=03_gap PROFILE=smoke {line}"
    assert text.startswith(f"```bash\n{command}\n```\n\nMaking this page took 12 s. 5 rows: ")
    assert (
        "5 rows: 2 read from the cache, 3 shipped with the repository. With an empty `.cache/rows`, " in text
    )
    assert text.endswith(f"`` {command} FRESH=1 `` computes every row again.")
    assert ledger.AGAIN not in text


def test_a_shipped_row_that_the_cache_had_counts_as_shipped(tmp_path):
    made = {"given": {}, "profile": "embedded", "seconds": 3, "row_keys": ["a", "b", "c"]}
    (tmp_path / "ledger.yml").write_text("[]")
    (tmp_path / "executed").mkdir()
    (tmp_path / "results").mkdir()
    (tmp_path / "results/03.jsonl").write_text('{"key": "a", "row": {}}\n{"key": "b", "row": {}}\n')
    for rows, told in (
        (
            {"computed": 0, "cached": 2, "shipped": 1},
            "3 rows: 1 read from the cache, 2 shipped with the repository. With",
        ),
        (
            {"computed": 1, "cached": 2, "shipped": 0},
            "3 rows: 1 computed for this page, 2 shipped with the repository. With",
        ),
        ({"computed": 3, "cached": 0, "shipped": 0}, "Its 3 rows were all computed for this page. With"),
    ):
        (tmp_path / "executed/03_gap.json").write_text(json.dumps(made | {"rows": rows}))
        assert f"took 3 s. {told}" in ledger.again(tmp_path, "03_gap")


def test_each_part_of_a_rule_has_a_line():
    assert ledger._rules("sign: if r > 0; match: the same") == "\n\n- Sign: if r > 0.\n- Match: the same."
    assert ledger._rules("sign: if r > 0. Stability: if by less than 0.1, else not") == (
        "\n\n- Sign: if r > 0.\n- Stability: if by less than 0.1, else not."
    )
    assert ledger._rules("Improvement (loss), by r: if above 0. Specificity, by d: likewise; else not") == (
        "\n\n- Improvement (loss), by r: if above 0.\n- Specificity, by d: likewise; else not."
    )
    whole = "By r. Supported: above 0. With caveat: by less. Else inconclusive"  # the answers of one rule, not parts
    assert ledger._rules(whole) == f" {whole}."
    assert ledger._rules("supported if r > 0; else not") == " Supported if r > 0; else not."
    assert ledger._rules("") == ""


def test_a_page_of_the_book_has_a_line_with_another_value_after_its_own(tmp_path):
    made = {"given": {}, "profile": "embedded", "seconds": 3, "rows": {}, "parameters": {"n": 5, "tau": 0.1}}
    (tmp_path / "executed").mkdir()
    (tmp_path / "executed/03_gap.json").write_text(json.dumps(made))
    (tmp_path / "ledger.yml").write_text("[]")
    lines = re.findall(r"make notebook .*", ledger.again(tmp_path, "03_gap"))
    assert lines == ["make notebook NB=03_gap", 'make notebook NB=03_gap P="tau=0.2"']
