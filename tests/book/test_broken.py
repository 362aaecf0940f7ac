"""A broken part fails the build, and what make clean removes; in a book of few pages."""

import pytest

from tests.small_book import copied


@pytest.fixture
def copy(tmp_path):
    """The folder of a small book, and a way to call its Makefile."""
    return tmp_path, copied(tmp_path)


def test_make_clean_removes_only_ones_own_runs_where_it_is_told_so(copy):
    folder, make = copy
    for name in ("runs", "executed"):
        (folder / "book" / name).mkdir()
        (folder / "book" / name / "13_your_task.ipynb").touch()
    assert make("clean", "RUNS=1").returncode == 0
    assert not (folder / "book/runs").exists()
    assert (folder / "book/executed/13_your_task.ipynb").exists()
    (folder / "book/runs").mkdir()
    assert make("clean").returncode == 0
    assert (folder / "book/runs").exists()
    assert not (folder / "book/executed").exists()


def test_a_broken_reference_fails_the_build(copy):
    folder, make = copy
    with open(folder / "book/index.md", "a", encoding="utf-8") as file:
        file.write("\nSee {ref}`nowhere-at-all`.\n")
    done = make("book")
    assert done.returncode != 0
    (warning,) = (line for line in done.stderr.splitlines() if "WARNING" in line)
    assert "nowhere-at-all" in warning
    assert "error: the book has broken parts" in done.stderr


def test_a_broken_notebook_fails_reproduce_and_the_rest_is_made(copy):
    folder, make = copy
    for source in (folder / "notebooks").glob("[0-9][0-9]_*.py"):
        source.unlink()
    cells = (
        '# %% [markdown]\n# # {}\n\n# %% tags=["parameters"]\nprofile: str = "embedded"  # size\n\n# %%\n{}\n'
    )
    (folder / "notebooks/01_tab_good.py").write_text(cells.format("Good", "1 + 1"))
    (folder / "notebooks/02_tab_bad.py").write_text(cells.format("Bad", "1 / 0"))
    done = make("reproduce")
    assert done.returncode != 0
    assert "notebooks/02_tab_bad.py: ZeroDivisionError: division by zero (cell 2; see" in done.stdout
    assert (folder / "book/executed/01_tab_good.ipynb").exists()
    assert not (folder / "book/executed/02_tab_bad.ipynb").exists()
    assert (folder / "book/_build/html/executed/01_tab_good.html").exists()
    assert "ZeroDivisionError" in (folder / "book/_build/html/status.html").read_text()
    assert "Your runs" not in (folder / "book/_build/html/index.html").read_text()  # there are none
