"""What the explore page offers: the rows that the pages kept, unchanged, each with its place among the encoders."""

import json

import explore
import pandas as pd
import pytest

BOUND = {
    "reference": "mnist", "target": "digits", "encoder": "lenet", "epochs": 10, "metric": "one_sided", "tau": 0.2,
    "mode": "learned_all", "labels": "true", "n": 100, "seed": 3, "log_k": 2.302585, "reweighted_loss": 1.5,
    "label_mismatch": 0.25, "distribution_mismatch": 0.5, "lipschitz": 0.2, "bound": 2.0, "bound_euclidean": 3.0,
    "bound_one_sided": 2.0, "loss": 1.75, "transferability": 1.25, "accuracy": 0.5, "head_accuracy": 0.75,
    "certified": True,
}  # fmt: skip
SCORE = {
    "reference": "tiny_imagenet", "k_reference": 10, "target": "cifar10", "labels": "logit", "share": 1.0, "part": 1,
    "draw": 2, "size": None, "seed": 0, "n": 1200, "log_k": 2.302585, "calibrated": None, "one_sided": None,
}  # fmt: skip


@pytest.fixture
def found(tmp_path):
    """The rows of two pages, one of bounds and one of scores."""
    made = tmp_path / "_generated"
    made.mkdir()
    pd.DataFrame([BOUND]).to_csv(made / "rows.03_fig_small_gap.csv", index=False)
    trainings = {"target": "digits", "encoder": "lenet", "fine_tuned": 0.5}  # no bound: not for this page
    pd.DataFrame([trainings]).to_csv(made / "rows.20_fig_trainings.csv", index=False)
    values = {"good": (1.0, 0.9, 5.0), "middle": (3.0, 0.8, 4.0), "bad": (2.0, 0.7, 4.0)}
    rows = [
        {
            **SCORE,
            "encoder": name,
            "paper": paper,
            "logit": paper,
            "logme": logme,
            "fine_tuned": tuned,
            "probe": 0.5,
        }
        for name, (paper, tuned, logme) in values.items()
    ]
    pd.DataFrame(rows).to_csv(made / "rows.06_tab_correlation.csv", index=False)
    return explore.collected(tmp_path)


def test_a_row_of_the_method_shows_terms_that_add_up_to_its_bound(found):
    row = next(row for row in found["rows"] if row["page"] == "03_fig_small_gap")
    assert row["terms"] == [1.5, 0.25, 0.25]
    assert sum(row["terms"]) == row["bound"] == 2.0
    assert row["chain"] == {"Euclidean": 3.0, "one-sided": 2.0}
    assert row["truth"] == {"loss of the transformed classifier": 1.75, "loss of the best head": 1.25}
    assert (row["encoder"], row["tau"], row["labels"], row["draw"]) == (
        "LeNet, 10 epochs",
        "0.2",
        "true",
        "3",
    )
    assert row["learns"] == "A, B, prior D"


def test_a_row_of_scores_becomes_a_row_for_each_form_that_it_has(found):
    rows = [row for row in found["rows"] if row["page"] == "06_tab_correlation"]
    assert len(rows) == 6  # three encoders, two forms
    assert {(row["transport"], row["tau"]) for row in rows} == {
        ("Euclidean", "0.02"),
        ("logit, held out", "8 / √d"),
    }
    assert {row["labels"] for row in rows} == {"pseudo, by logit"}
    assert {row["draw"] for row in rows} == {"2, part 1"}
    cell = found["cells"][rows[0]["cell"]]
    assert cell["accuracies"] == {"accuracy, fine-tuned end to end": 0.9, "accuracy of a linear probe": 0.5}
    assert cell["scores"] == {"LogME": 5.0}


def test_places_go_the_way_of_each_score(found):
    places = [cell["ranks"] for cell in found["cells"]]
    assert [place["relatedness, Euclidean, tau 0.02"] for place in places] == [1, 3, 2]  # lower is better
    assert [place["LogME"] for place in places] == [1, 2.5, 2.5]  # higher is better
    assert [cell["true_rank"] for cell in found["cells"]] == [1, 2, 3]
    assert {cell["of"] for cell in found["cells"]} == {3}


def test_rows_with_terms_and_the_lowest_bound_for_log_k_come_first(tmp_path):
    made = tmp_path / "_generated"
    made.mkdir()
    rows = [
        BOUND | change
        for change in ({"seed": 1}, {"seed": 2, "bound": 1.9}, {"seed": 3, "bound": 1.8, "certified": False})
    ]
    pd.DataFrame(rows).to_csv(made / "rows.03_fig_small_gap.csv", index=False)
    assert [row["draw"] for row in explore.collected(tmp_path)["rows"]] == ["2", "1", "3"]


def test_a_row_has_chance_where_its_page_kept_it_and_is_placed_by_it(tmp_path):
    made = tmp_path / "_generated"
    made.mkdir()
    rows = [BOUND | {"seed": 1, "chance": 2.2}, BOUND | {"seed": 2, "chance": 2.25}, BOUND | {"seed": 3}]
    pd.DataFrame(rows).to_csv(made / "rows.16_rank_encoders.csv", index=False)
    rows = explore.collected(tmp_path)["rows"]
    assert [(row["draw"], row.get("chance")) for row in rows] == [("3", None), ("2", 2.25), ("1", 2.2)]


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ((), "none yet"),
        (("13_your_task",), "13"),
        (("03_a", "05_b", "04_c", "09_d"), "03 to 05 and 09"),
        (("01_a", "02_b", "16_c"), "01, 02 and 16"),
    ],
)
def test_pages_are_named_by_their_numbers(pages, words):
    assert explore.listed(pages) == words


@pytest.mark.xdist_group("book")
def test_the_book_carries_the_rows_of_its_pages(book):
    text = (book / "explore-rows.js").read_text(encoding="utf-8")
    assert text.startswith("window.TASKREL = ")
    found = json.loads(text.removeprefix("window.TASKREL = ").rstrip(";\n"))
    pages = {row["page"] for row in found["rows"]}
    kept = {path.name[5:-4] for path in (book.parents[1] / "_generated").glob("rows.*.csv")}
    assert pages == kept
    assert {"03_fig_small_gap", "04_fig_task_pairs", "06_tab_correlation", "13_your_task"} <= pages
    assert found["fields"] == list(explore.FIELDS)
    said = f"Bounds and scores behind pages {explore.listed(pages)}: choose a row"
    assert said in (book / "explore.html").read_text(encoding="utf-8")
