"""From pages to rows to files, and the checklist: what the records of the runs say, unchanged."""

import json

import provenance
import pytest
from bs4 import BeautifulSoup

pytestmark = pytest.mark.xdist_group("book")
MADE = {
    "seeds": {"seeds": [0, 2]}, "files": [], "seconds": 90.0, "peak_memory_mb": 1500, "cpu": "a processor, 2 cores",
    "parts": {"data": {"digits": "d" * 64, "moco_v3_resnet50": "m" * 64}, "shipped rows": {"03.jsonl": "s" * 64}},
}  # fmt: skip


@pytest.fixture
def source(tmp_path):
    """A book of two pages that share a row, which a file ships."""
    (tmp_path / "executed").mkdir()
    (tmp_path / "results").mkdir()
    pages = {
        "03_fig_one": MADE | {"row_keys": ["a1", "b2"], "files": ["rows.03_fig_one.csv"]},
        "04_tab_two": MADE | {"row_keys": ["b2", "c3"], "seeds": {"seed": 5}},
    }
    for stem, made in pages.items():
        (tmp_path / f"executed/{stem}.json").write_text(json.dumps(made | {"stem": stem}))
    (tmp_path / "results/03.jsonl").write_text('{"key": "b2", "row": {}}\n{"key": "e5", "row": {}}\n')
    return tmp_path


def test_a_page_leads_to_its_rows_and_files_and_each_file_back(source):
    directive = provenance.Provenance.__new__(provenance.Provenance)
    lines = directive.text(source).splitlines()
    assert (
        "| {doc}`03 <executed/03_fig_one>` | 0, 2 | {download}`2 <_generated/rows.03_fig_one.csv>` | `03.jsonl` (1) "
        "| `digits`, `moco_v3_resnet50` |"
    ) in lines
    assert any(
        line.startswith("| {doc}`04 <executed/04_tab_two>` | 5 | 2 | `03.jsonl` (1) |") for line in lines
    )
    both = "{doc}`03 <executed/03_fig_one>`, {doc}`04 <executed/04_tab_two>`"
    assert f"| `03.jsonl` | `ssssssssssss` | MIT (this project) | {both} |" in lines
    assert f"| `digits` | `dddddddddddd` | CC BY 4.0 (UCI; Alpaydin, Kaynak) | {both} |" in lines


def test_a_page_made_before_a_file_was_shipped_names_no_such_file(source):
    made = provenance.records(source)
    for record in made:
        record["parts"]["shipped rows"] = {}
    assert "03.jsonl" not in provenance._files(made, provenance.shipped_rows(source))


def test_numbers_of_the_checklist_are_those_of_the_records(source):
    known = provenance.totals(provenance.records(source), provenance.shipped_rows(source))
    assert known == {
        "pages": "2", "rows": "3", "shipped": "1", "minutes": "3", "memory": "1.5", "machines": "a processor, 2 cores",
        "seeds": "0, 2, 5", "single": "{doc}`04 <executed/04_tab_two>`", "files": "2", "unlicensed": "none",
        "noncommercial": "`moco_v3_resnet50`",
    }  # fmt: skip


def test_small_encoders_are_counted_and_folders_are_no_data_sets(source):
    made = provenance.records(source)
    small = {"small:resnet/tiny_3": "1" * 64, "small:resnet/random": "2" * 64, "notebooks/facts": "3" * 64}
    made[0]["parts"] = made[0]["parts"] | {"data": {"digits": "d" * 64} | small}
    known = provenance.totals(made, {})
    assert known["files"] == "4"
    assert known["noncommercial"] == "`small:resnet/tiny_3`, `moco_v3_resnet50`"
    told = provenance._page(made[0], {})
    assert told.endswith("| `digits`, `notebooks/facts`, 2 {ref}`small encoders <small-encoders>` |")


def test_the_checklist_answers_fifteen_questions(book):
    page = BeautifulSoup((book / "checklist.html").read_text(encoding="utf-8"), "html.parser")
    answers = [item.get_text() for item in page.select("article ol > li")]
    assert len(answers) == 15
    assert all(
        any(word in answer for word in ("Yes.", "Partly.", "No.", "Not applicable.")) for answer in answers
    )
    assert "<" not in "".join(answers)


def test_the_status_page_lists_rows_and_files_of_every_page(book):
    page = BeautifulSoup((book / "status.html").read_text(encoding="utf-8"), "html.parser")
    tables = page.select("#from-page-to-rows-to-files table")
    assert len(tables) == 2
    made = provenance.records(book.parents[1])
    assert len(tables[0].select("tbody tr")) == len(made) > 10
    names = {row.td.get_text() for row in tables[1].select("tbody tr")}
    assert names >= {name for record in made for name in record["parts"]["data"]}
