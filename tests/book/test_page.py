"""What a notebook puts on its page: files, MyST text, and what is refused."""

import json

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import page
import pandas as pd
import pytest

TABLE = pd.DataFrame({"tau": [-0.02, np.nan], "n": [3, 4], "who": ["a|b", None], r"$\tau$": [True, False]})


@pytest.fixture
def shown(monkeypatch, tmp_path):
    """Texts that the page would display; files go to ``tmp_path``."""
    texts = []
    monkeypatch.setenv("TASKREL_PAGE_DIR", str(tmp_path / "made"))
    monkeypatch.setenv("TASKREL_PAGE_NAME", "01_fig_first")
    monkeypatch.setattr(page, "_show", texts.append)
    with mpl.rc_context({"backend": "agg"}):
        yield texts


def drawn():
    _, axes = plt.subplots(figsize=(2, 2))
    axes.plot([0, 1], [1, 0])
    return axes


def test_a_figure_becomes_files_and_a_numbered_directive(shown, tmp_path):
    axes = drawn()
    page.figure(axes, "small-gap", table=TABLE, alt="A line that\nfalls", caption="It falls.")
    files = sorted(path.name for path in (tmp_path / "made").iterdir())
    assert files == [f"small-gap.{kind}" for kind in ("csv", "pdf", "png", "svg")]
    assert shown == [
        ":::{figure} ../_generated/small-gap.svg\n:name: fig-small-gap\n:alt: A line that falls\n:class: ink\n\n"
        "It falls. ({download}`data as CSV <../_generated/small-gap.csv>`, "
        "{download}`SVG <../_generated/small-gap.svg>`, {download}`PDF <../_generated/small-gap.pdf>`, "
        "{download}`PNG <../_generated/small-gap.png>`, {explore}`01_fig_first`)\n:::"
    ]
    read = pd.read_csv(tmp_path / "made/small-gap.csv")
    assert list(read.columns) == list(TABLE.columns)
    assert not plt.fignum_exists(axes.figure.number)


def test_the_same_figure_gives_the_same_bytes_and_no_ground(shown, tmp_path):
    def made():
        page.figure(drawn(), "line", alt="A falling line", caption="It falls.")
        return [(tmp_path / f"made/line.{kind}").read_bytes() for kind in ("svg", "pdf")]

    first = made()
    assert first == made()
    assert b"#ffffff" not in first[0]
    assert b"<text" not in first[0]  # outlines: looks the same where the typeface is missing


def test_one_of_several_axes_leads_to_the_whole_figure(shown, tmp_path):
    fig, axes = plt.subplots(1, 2, figsize=(2, 2))
    page.figure(axes, "both", alt="Two empty panels", caption="Nothing.")
    assert (tmp_path / "made/both.svg").exists()
    assert not plt.fignum_exists(fig.number)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alt": " "}, "alt must describe the figure in words, got ' '; say what one sees"),
        ({"alt": "figure"}, "alt must describe the figure in words, got 'figure'"),
        ({"caption": ""}, "caption must not be empty"),
        ({"name": "Small gap"}, "name must be small letters, digits and single hyphens, got 'Small gap'"),
        ({"name": "../x"}, "name must be small letters"),
    ],
)
def test_a_figure_without_words_or_with_a_strange_name_is_refused(shown, tmp_path, change, message):
    words = {"name": "line", "alt": "A falling line", "caption": "It falls."} | change
    axes = drawn()
    with pytest.raises(ValueError, match=message):
        page.figure(axes, words.pop("name"), **words)
    plt.close(axes.figure)
    assert not (tmp_path / "made").exists()


def test_a_table_is_formatted_numbered_and_kept_as_data(shown, tmp_path):
    page.table(TABLE, "ours", "Our numbers", floatfmt="{:.1f}")
    assert shown == [
        ":::{table} Our numbers ({download}`data as CSV <../_generated/tab-ours.csv>`)\n:name: tab-ours\n\n"
        "| tau | n | who | $\\tau$ |\n| ---: | ---: | --- | --- |\n"
        "| 0.0 | 3 | a\\|b | True |\n| – | 4 | – | False |\n:::"
    ]
    assert (tmp_path / "made/tab-ours.csv").read_text().splitlines()[1] == "-0.02,3,a|b,True"


def test_an_interval_in_a_table_stays_on_one_line(shown, tmp_path):
    page.table(pd.DataFrame({"r": ["+0.73 [+0.33, -0.93]", "a, b"]}), "intervals", "Some")
    assert "| +0.73 [+0.33,&nbsp;-0.93] |\n| a, b |" in shown[0]
    assert "[+0.33, -0.93]" in (tmp_path / "made/tab-intervals.csv").read_text()


@pytest.mark.parametrize(
    ("rows", "fold", "expected"),
    [
        (14, None, ""),
        (15, None, "fold-9-15"),
        (30, slice(0, 0), ""),
        (30, slice(8, -1), "fold-8-29"),
        (5, slice(2, 4), "fold-2-4"),
        (5, slice(8, -1), ""),  # a run with other parameters, which has fewer rows
    ],
)
def test_rows_of_a_long_table_are_folded_by_its_class(shown, rows, fold, expected):
    page.table(pd.DataFrame({"n": range(rows)}), "long", "Many", fold=fold)
    options = [line for line in shown[0].splitlines() if line.startswith(":class:")]
    assert options == [f":class: {expected}"] * bool(expected)
    assert "\n\n| n |" in shown[0]


@pytest.mark.parametrize(
    ("fold", "error", "message"),
    [
        (9, TypeError, r"fold must be a slice of rows, got int 9; write slice\(8, -1\), or slice\(0, 0\) to"),
        (slice("a", None), TypeError, "fold must begin and end at whole numbers, got slice"),
        (slice(0, 9, 2), ValueError, "fold must be rows that follow each other, got slice"),
        (slice(0, None), ValueError, "fold must leave a row in view, got .* of 20 rows; write"),
    ],
)
def test_a_fold_that_is_no_part_of_the_rows_is_refused(shown, tmp_path, fold, error, message):
    with pytest.raises(error, match=message):
        page.table(pd.DataFrame({"n": range(20)}), "long", "Many", fold=fold)
    assert not (tmp_path / "made").exists()


def test_glued_text_is_kept_beside_the_page(shown, tmp_path, monkeypatch):
    glued = {}
    monkeypatch.setattr(page.myst_nb, "glue", lambda name, value, display: glued.update({name: repr(value)}))
    page.glue("loss", "1.25 nats")
    page.glue("tau", "0.02")
    assert glued == {"loss": "1.25 nats", "tau": "0.02"}
    kept = json.loads((tmp_path / "made/glue.01_fig_first.json").read_text())
    assert kept == {"loss": "1.25 nats", "tau": "0.02"}
    with pytest.raises(TypeError, match=r"text must be a formatted string, got float 1\.25; write f'"):
        page.glue("loss", 1.25)


def test_by_hand_results_are_printed_and_nothing_reaches_the_book(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("TASKREL_PAGE_DIR", raising=False)
    monkeypatch.setattr(page, "ROOT", tmp_path)
    page.table(TABLE, "mine", "What was found")
    page.glue("ours", "the bound is 1.25")
    with mpl.rc_context({"backend": "agg"}):
        page.figure(drawn(), "line", alt="A falling line", caption="It falls.")
    told = capsys.readouterr().out
    assert "What was found\n  tau  n who" in told
    assert "ours: the bound is 1.25\n" in told
    assert f"It falls. (figure: {tmp_path}/.cache/by-hand/line.png)" in told
    assert ":::" not in told
    assert not (tmp_path / "book").exists()


def test_the_rows_of_a_page_are_kept_as_csv_and_as_json_lines(shown, tmp_path):
    page.rows(TABLE[["tau", "n"]])
    made = tmp_path / "made"
    pd.testing.assert_frame_equal(pd.read_csv(made / "rows.01_fig_first.csv"), TABLE[["tau", "n"]])
    lines = (made / "rows.01_fig_first.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"tau": -0.02, "n": 3}, {"tau": None, "n": 4}]


def test_a_slider_has_its_data_beside_the_page(shown, tmp_path):
    page.slider(TABLE, "gap-tau")
    assert shown == [":::{slider} ../_generated/gap-tau.csv\n:::"]
    assert list(pd.read_csv(tmp_path / "made/gap-tau.csv").columns) == list(TABLE.columns)
