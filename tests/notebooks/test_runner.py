"""The notebook runner, on made projects of two tiny notebooks: what it refuses, skips, repeats, and leaves behind."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jupytext
import pytest
from runner.parameters import declared
from runner.places import own_runs, page_folder
from runner.plan import Plan
from runner.reading import assignments, coerce, parse, written

ROOT = Path(__file__).resolve().parents[2]
HEAD = "# %% [markdown]\n# # A page\n\n"
PARAMETERS = """# %% tags=["parameters"]
profile: str = "embedded"  # how much
n: int = 3  # how many
tau: float = 0.5  # nats per unit
names: list[str] = ["a"]  # who
title: str = "none"  # above the table
"""
CODE = """
# %%
import json
import os
import pathlib

from taskrel_core import Task

pathlib.Path(os.environ["TASKREL_PAGE_DIR"], "first.txt").write_text(f"{n} {tau} {names} {title} {Task}")
with open(os.environ["TASKREL_ROW_LOG"], "a") as log:
    for key, origin in (("a", "computed"), ("b", "cached"), ("a", "cached")):
        log.write(json.dumps({"key": key, "origin": origin}) + "\\n")
"""
LAZY = """_HOME = {"Task": "task"}


def __getattr__(name):
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(name)
    return getattr(import_module("taskrel_core." + _HOME[name]), name)
"""
WAITS = """
# %%
import pathlib
import time

pathlib.Path("began").touch()
for _ in range(600):
    if pathlib.Path("go").exists():
        break
    time.sleep(0.1)
"""


@pytest.fixture
def project(tmp_path):
    """A project with the runner, a package of four modules and one notebook."""
    return made_in(tmp_path)


def made_in(tmp_path):
    """Put the project of these tests into a folder."""
    (tmp_path / "book").mkdir()
    (tmp_path / "requirements.lock").write_text("torch==1\n")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/page.py").write_text("")
    shutil.copy(ROOT / "notebooks/run.py", tmp_path / "notebooks")
    shutil.copytree(ROOT / "notebooks/runner", tmp_path / "notebooks/runner")
    (tmp_path / "notebooks/params").mkdir()
    (tmp_path / "notebooks/params/embedded.yml").write_text("")
    (tmp_path / "notebooks/params/smoke.yml").write_text("01_tab_first: {n: 1}\n")
    package = tmp_path / "taskrel_core"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text(LAZY)
    (package / "task.py").write_text("from .inner.check import check\n\nTask = 7\n")
    (package / "inner/__init__.py").write_text("")
    (package / "inner/check.py").write_text("check = 1\n")
    (package / "inner/draw.py").write_text("draw = 2\n")
    (tmp_path / "notebooks/01_tab_first.py").write_text(HEAD + PARAMETERS + CODE)
    return tmp_path


def run(project, *arguments, **kwargs):
    command = [sys.executable, "notebooks/run.py", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120, **kwargs)


def page(project, name="01_tab_first", out="book"):
    return json.loads((page_folder(name, project / out) / f"{name}.ipynb").read_text())


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_page_is_made_with_its_provenance_and_then_cached(project):
    first = run(project)
    assert first.returncode == 0, first.stderr
    assert "01_tab_first done (rows: 1 computed, 1 cached, 0 shipped)" in first.stdout
    made = page(project)["metadata"]["taskrel"]
    record = json.loads((project / "book/executed/01_tab_first.json").read_text())
    assert record.pop("row_keys") == ["a", "b"]
    assert record == made
    assert made["parameters"]["n"] == 3
    assert made["rows"] == {"computed": 1, "cached": 1, "shipped": 0}
    assert set(made["parts"]["modules"]) == {
        f"taskrel_core/{name}.py" for name in ("__init__", "task", "inner/__init__", "inner/check")
    }
    assert (project / "book/_generated/first.txt").read_text() == "3 0.5 ['a'] none 7"
    last = "".join(page(project)["cells"][-1]["source"])
    assert "How this page was made" in last
    assert "* - parameter\n  - meaning\n  - value\n  - allowed\n" in last
    text = (project / "book/executed/01_tab_first.ipynb").read_text()
    assert str(project) not in text
    again = run(project)
    assert again.returncode == 0
    assert "1 of 1 pages cached, 0 to run" in again.stdout


def test_what_changes_the_key_and_what_does_not(project):
    def why():
        return run(project, "--why").stdout.strip()

    run(project)
    assert why() == "01_tab_first: up to date"
    for name in ("task.py", "inner/draw.py"):
        os.utime(project / "taskrel_core" / name)
    edit(project / "taskrel_core/inner/draw.py", "draw = 2", "draw = 2  # not imported by the notebook")
    assert why() == "01_tab_first: up to date"
    edit(project / "taskrel_core/inner/check.py", "check = 1", "check = 2")
    assert why() == "01_tab_first: changed: modules: taskrel_core/inner/check.py"
    edit(project / "requirements.lock", "1", "2")
    edit(project / "notebooks/01_tab_first.py", "n: int = 3", "n: int = 4")
    assert why() == (
        "01_tab_first: changed: notebook, n 3 -> 4, modules: taskrel_core/inner/check.py, requirements.lock"
    )
    assert "[1/1] 01_tab_first done" in run(project).stdout
    assert why() == "01_tab_first: up to date"
    (project / "book/_generated/first.txt").unlink()
    assert why() == "01_tab_first: a figure file is missing"


def test_a_module_imported_by_its_own_name_counts(project):
    edit(
        project / "notebooks/01_tab_first.py",
        "from taskrel_core import Task",
        "import page\nfrom taskrel_core import Task\nfrom taskrel_core.inner import draw",
    )
    run(project)
    modules = page(project)["metadata"]["taskrel"]["parts"]["modules"]
    assert {"taskrel_core/inner/draw.py", "notebooks/page.py"} <= set(modules)


def whole(folder):
    """The content of each file of the book's pages, not of its locks and logs."""
    paths = (path for path in folder.rglob("*") if path.is_file() and "_run" not in path.parts)
    return {path: path.read_bytes() for path in paths if "runs" not in path.parts}


def test_parameters_of_ones_own_make_a_page_beside_the_books(project):
    run(project)
    before = whole(project / "book")
    assert " done (" in run(project, "--only", "01", "--set", "n=5 tau=1").stdout
    (name,) = own_runs(project / "book")
    made = page(project, name)["metadata"]["taskrel"]
    assert made["given"] == {"n": 5, "tau": 1.0}
    assert (project / "book/runs" / name / "first.txt").read_text() == "5 1.0 ['a'] none 7"
    again = run(project, "--only", "01", "--set", "tau=1.0 n=5 title=none")
    assert "1 of 1 pages cached, 0 to run" in again.stdout  # the same parameters, and one that is the default
    assert f"page: {project}/book/runs/{name}.ipynb" in again.stdout
    assert " done (" in run(project, "--only", "01", "--force", "--set", "n=5 tau=1").stdout
    assert own_runs(project / "book") == [name]
    run(project, "--only", "01", "--set", "n=5 tau=2")
    assert len(own_runs(project / "book")) == 2
    assert whole(project / "book") == before
    assert json.loads((project / "book/executed/_run/pages.json").read_text()).keys() == {"01_tab_first"}


def test_parameters_that_are_the_profiles_make_the_books_page(project):
    assert run(project, "--set", "n=3", "--names").stdout == "01_tab_first\n"
    assert run(project, "--set", "n=3").returncode == 0
    assert page(project)["metadata"]["taskrel"]["given"] == {}
    assert run(project, "--profile", "smoke", "--set", "n=1", "--names").stdout == "01_tab_first\n"
    assert run(project, "--profile", "smoke", "--set", "n=3", "--names").stdout.startswith(
        "01_tab_first--n-3--"
    )


def test_stale_runs_of_ones_own_are_listed_and_left_alone(project):
    run(project)
    run(project, "--set", "n=5")
    (name,) = own_runs(project / "book")
    assert run(project, "--why").stdout == f"01_tab_first: up to date\n{name}: up to date\n"
    edit(project / "requirements.lock", "1", "2")
    edit(project / "notebooks/01_tab_first.py", "n: int = 3", "n: int = 5")
    said = run(project, "--why").stdout.splitlines()
    assert said == [
        "01_tab_first: changed: notebook, n 3 -> 5, requirements.lock",
        f"{name}: its parameters are those of the book's page now",
    ]
    edit(project / "notebooks/01_tab_first.py", "n: int = 5", "n: int = 4")
    assert run(project, "--why").stdout.splitlines()[1] == f"{name}: changed: notebook, requirements.lock"
    before = page(project, name)
    assert "0 of 1 pages cached, 1 to run" in run(project).stdout
    assert page(project, name) == before
    edit(project / "notebooks/01_tab_first.py", "n: int = 4", "m: int = 4")
    assert f"{name}: notebooks/01_tab_first.py has no parameter 'n'" in run(project, "--why").stdout


def test_a_run_of_ones_own_that_fails_leaves_the_books_page(project):
    run(project)
    before = whole(project / "book")
    edit(project / "notebooks/01_tab_first.py", "import json\n", "import json\n\nassert n == 3\n")
    done = run(project, "--only", "01", "--set", "n=5")
    assert done.returncode == 1
    assert "AssertionError:  (cell 2; see book/runs/_run/01_tab_first--n-5--" in done.stdout
    assert own_runs(project / "book") == []
    assert whole(project / "book") == before


ODD = [
    "",
    "a'b\"c`d",
    "../../etc/passwd",
    "/home/me/my pictures",
    "c:\\x",
    "日本語",
    "é",
    "a--b",
    "x" * 5000,
    "\n",
    "{{x}} $y$",
]


def test_any_parameter_makes_a_short_safe_name_of_its_own():
    given = [{"title": text} for text in ODD] + [{"names": [text, "a"]} for text in ODD]
    given += [{"n": 1}, {"n": 11}, {"n": 1, "tau": 1.0}, {"seeds": [*range(500)]}, {"seeds": [*range(501)]}]
    names = [Plan("01_tab_first", None, "embedded", {}, one, {}, {}, "").name for one in given]
    assert len(set(names)) == len(names)
    assert not [name for name in names if not re.fullmatch(r"01_tab_first--[a-z0-9-]*--[0-9a-f]{8}", name)]
    assert max(map(len, names)) < 60
    assert Plan("01_tab_first", None, "paper", {}, given[0], {}, {}, "").name not in names


def test_new_prose_is_put_around_the_old_outputs(project):
    run(project, "--set", "n=5")
    (name,) = own_runs(project / "book")
    before = page(project, name)
    edit(project / "notebooks/01_tab_first.py", "# # A page", "# # Another title")
    assert run(project, "--set", "n=5", "--why").stdout.strip() == f"{name}: only prose changed"
    assert "cached, its prose renewed" in run(project, "--set", "n=5").stdout
    after = page(project, name)
    assert "Another title" in "".join(after["cells"][0]["source"])
    assert after["cells"][1:] == before["cells"][1:]
    assert after["metadata"]["taskrel"]["started"] == before["metadata"]["taskrel"]["started"]
    assert run(project, "--set", "n=5", "--why").stdout.strip() == f"{name}: up to date"


def test_the_users_own_folder_is_part_of_the_key(project):
    (project / "mine").mkdir()
    (project / "mine/one.txt").write_text("1")
    run(project, "--set", "names=[folder:mine]")
    assert "up to date" in run(project, "--set", "names=[folder:mine]", "--why").stdout
    (project / "mine/one.txt").write_text("2")
    assert "changed: data: mine" in run(project, "--set", "names=[folder:mine]", "--why").stdout
    (project / "notebooks/facts").mkdir()
    run(project, "--set", "names=[notebooks/facts]")  # a folder of the project counts as it is
    assert "up to date" in run(project, "--set", "names=[notebooks/facts]", "--why").stdout
    (project / "notebooks/facts/a.csv").write_text("a")
    assert (
        "changed: data: notebooks/facts" in run(project, "--set", "names=[notebooks/facts]", "--why").stdout
    )


def test_a_list_may_go_without_brackets(project):
    run(project, "--set", "names=one,two")
    assert "no page yet" in run(project, "--set", "names=[one, two, three]", "--why").stdout
    assert "up to date" in run(project, "--set", "names=[one, two]", "--why").stdout


REFUSED = [
    (
        ["taw=0.1"],
        "notebooks/01_tab_first.py has no parameter 'taw' to be set by the command line; known are (did you mean 'tau'?)",
    ),
    (["n=many"], "notebooks/01_tab_first.py, from the command line: n must be int, got 'many'; it is"),
    (["n=1.5"], "n must be int, got '1.5'"),
    (["n=1.5e0"], "n must be int, got '1.5e0'"),
    (["n=1:30"], "n must be int, got '1:30'"),
    (["n=0x10"], "n must be int, got '0x10'"),
    (["n=true"], "n must be int, got 'true'"),
    (["n="], "n must be int, got ''"),
    (["tau=high"], "tau must be float, got 'high'"),
    (["tau=1/2"], "tau must be float, got '1/2'"),
    (["tau=nan"], "tau must be finite, got nan"),
    (["tau=1e999"], "tau must be finite, got inf"),
    (["names={a: 1}"], "names must be list[str], got '{a: 1}'"),
    (["names=[]"], "names must have at least one item, got []"),
    (["names="], "names must have at least one item, got []"),
    (["names=a,b,a"], "names must have each item once, got 'a' 2 times"),
    (["n=1 n=2"], "n is given twice, '1' and '2'; give it once"),
    (["profile=smoke"], "no parameter 'profile' to be set by the command line; set it by PROFILE="),
    (["nothing"], "parameters are written name=value, got 'nothing'"),
    (["n=2", "and more"], "parameters are written name=value, got 'and more'"),
]
ASKED = """
import contextlib, io, json, sys
sys.path.insert(0, "notebooks")
from runner.command import main
for words in json.loads(sys.argv[1]):
    with contextlib.redirect_stderr(io.StringIO()) as said:
        code = main(["--set", *words])
    print(json.dumps([code, said.getvalue()]))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """A project, and what the runner says of each request there: exit code and errors; one process asks for all."""
    project = made_in(tmp_path_factory.mktemp("refused"))
    command = [sys.executable, "-c", ASKED, json.dumps([words for words, _ in REFUSED])]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    return project, dict(enumerate(map(json.loads, done.stdout.splitlines())))


@pytest.mark.parametrize("number", range(len(REFUSED)), ids=lambda number: " ".join(REFUSED[number][0]))
def test_unknown_and_ill_typed_parameters_are_refused_before_anything_runs(answers, number):
    project, said = answers
    code, errors = said[number]
    message = REFUSED[number][1]
    assert code == 2
    assert message in errors
    if "known are" in message:
        assert "  tau: float = 0.5  # nats per unit" in errors
    assert not (project / "book/executed").exists()


def test_a_refused_request_ends_the_command_with_2(project):
    done = run(project, "--set", "n=many")
    assert (done.returncode, "n must be int, got 'many'" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("n=012", ("n", 12)),
        ("n=1e3", ("n", 1000)),
        ("n=1_000", ("n", 1000)),
        ("n=+7", ("n", 7)),
        ("tau=012", ("tau", 12.0)),
        ("tau=.5", ("tau", 0.5)),
        ("names=yes, no,on", ("names", ["yes", "no", "on"])),
        ("names=[1:30, 012, ~]", ("names", ["1:30", "012", "~"])),
        ("names=['a, b', \"c\", it's]", ("names", ["a, b", "c", "it's"])),
        ("title=a picture #2 of = many", ("title", "a picture #2 of = many")),
        ("title='run n=3 of 5' n=4", ("title", "run n=3 of 5")),
        ("title=null", ("title", "null")),
        ("title=", ("title", "")),
    ],
)
def test_text_is_read_as_the_declared_type_says_and_not_as_yaml_would(typed, read):
    known = declared(jupytext.reads(HEAD + PARAMETERS, "py:percent"), "it")
    text = assignments([typed])[read[0]]
    value = coerce(parse(text, known[read[0]].hint), known[read[0]].hint)
    assert (value, type(value)) == (read[1], type(read[1]))
    assert coerce(parse(written(value), known[read[0]].hint), known[read[0]].hint) == value


def test_a_profile_file_is_read_in_the_same_way(project):
    edit(project / "notebooks/params/smoke.yml", "n: 1", "n: 012, names: [no, 1:30], title: on")
    assert run(project, "--profile", "smoke").returncode == 0
    made = page(project, out=".cache/book-smoke")["metadata"]["taskrel"]["parameters"]
    assert (made["n"], made["names"], made["title"]) == (12, ["no", "1:30"], "on")


def test_unknown_notebooks_and_profiles_are_refused_with_the_known_ones(project):
    done = run(project, "--only", "07")
    assert (done.returncode, "there is no notebook '07'; known are\n  01_tab_first" in done.stderr) == (
        2,
        True,
    )
    done = run(project, "--only", "tab_frist")
    assert "there is no notebook 'tab_frist' (did you mean '01_tab_first'?); known are" in done.stderr
    done = run(project, "--profile", "huge")
    assert (done.returncode, "profile must be one of embedded, smoke, got 'huge'" in done.stderr) == (2, True)
    edit(project / "notebooks/params/smoke.yml", "n: 1", "m: 1")
    done = run(project, "--profile", "smoke")
    assert (done.returncode, "no parameter 'm' to be set by params/smoke.yml" in done.stderr) == (2, True)


def test_a_parameters_cell_without_types_is_refused(project):
    edit(project / "notebooks/01_tab_first.py", "n: int = 3", "n = 3")
    done = run(project)
    assert done.returncode == 2
    assert (
        "the parameters cell must hold lines 'name: type = value  # what it is', got 'n = 3'" in done.stderr
    )


def test_values_are_data_and_never_run(project):
    hostile = """$(touch pwned); `touch pwned` " ' \\ {n} __import__('os').system('touch pwned')"""
    done = run(project, "--set", f"title={hostile} tau=1e-3 names=[x, y]", "n=2")
    assert done.returncode == 0, done.stderr
    (name,) = own_runs(project / "book")
    assert (project / "book/runs" / name / "first.txt").read_text() == f"2 0.001 ['x', 'y'] {hostile} 7"
    assert not (project / "pwned").exists()


def test_text_stays_text_where_text_is_declared(project):
    run(project, "--set", "title=no")
    (name,) = own_runs(project / "book")
    assert page(project, name)["metadata"]["taskrel"]["parameters"]["title"] == "no"


def test_smoke_pages_go_to_a_book_of_their_own(project):
    assert run(project, "--profile", "smoke").returncode == 0
    made = page(project, out=".cache/book-smoke")["metadata"]["taskrel"]
    assert (made["profile"], made["parameters"]["profile"], made["parameters"]["n"]) == ("smoke", "smoke", 1)
    assert not (project / "book/executed").exists()


FOREIGN = {
    "PYTHONSAFEPATH": "1",
    "PYTHONOPTIMIZE": "2",
    "PYTHONWARNINGS": "error",
    "PYTHONSTARTUP": "/nonexistent.py",
    "MPLBACKEND": "module://nonexistent",
    "JUPYTER_PATH": "{folder}",
    "PYTHONPATH": "{folder}",
}


def test_what_is_meant_for_another_python_does_not_reach_a_page(project, tmp_path):
    folder = tmp_path / "foreign"
    (folder / "kernels/python3").mkdir(parents=True)
    (folder / "kernels/python3/kernel.json").write_text('{"argv": ["false"], "display_name": "other"}')
    for module in ("numpy", "yaml", "page"):
        (folder / f"{module}.py").write_text("raise ImportError('of another Python')")
    edit(project / "notebooks/01_tab_first.py", "import json\n", "import json\nimport numpy\nimport page\n")
    foreign = {name: value.format(folder=folder) for name, value in FOREIGN.items()}
    done = run(project, env={**os.environ, **foreign})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "01_tab_first done" in done.stdout


def test_a_copy_inside_another_repository_has_no_commit(project):
    def git(folder, *words):
        who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)

    git(project.parent, "init")
    git(project.parent, "commit", "--allow-empty", "-m", "another project")
    assert run(project).returncode == 0
    assert page(project)["metadata"]["taskrel"]["commit"] == "unknown"
    git(project, "init")
    git(project, "commit", "--allow-empty", "-m", "this one")
    assert run(project, "--force").returncode == 0
    assert len(page(project)["metadata"]["taskrel"]["commit"].partition(",")[0]) == 10


def test_only_pages_asked_for_are_spoken_of_and_their_result_is_printed(project):
    (project / "notebooks/02_tab_second.py").write_text(HEAD + PARAMETERS)
    said = """
(pathlib.Path(os.environ["TASKREL_PAGE_DIR"]) / "glue.01_tab_first.json").write_text('{"ours": "the bound is 1.25"}')
(pathlib.Path(os.environ["TASKREL_PAGE_DIR"]) / "rows.01_tab_first.csv").write_text(
    "reference,target,encoder,bound,log_k,certified,loss,accuracy\\na,b,pca,1.25,2.3026,True,1.0,0.5\\n"
)
"""
    with open(project / "notebooks/01_tab_first.py", "a") as file:
        file.write(said)
    for _ in range(2):  # made, then cached
        done = run(project, "--only", "01")
        assert "02_tab_second" not in done.stdout
        assert "  the bound is 1.25\n" in done.stdout
        line = "  a > b, encoder pca: bound 1.250, log K 2.303, certified yes, loss 1.000, accuracy 0.500\n"
        assert line in done.stdout
        assert f"page: {project}/book/executed/01_tab_first.ipynb" in done.stdout
    assert "the bound is 1.25" not in run(project).stdout  # of many pages, the book is the result


def test_a_failure_is_told_in_one_line_and_the_others_finish(project):
    run(project)
    before = page(project)
    (project / "notebooks/02_tab_second.py").write_text(HEAD + PARAMETERS)
    edit(project / "notebooks/01_tab_first.py", "{Task}", "{task}")
    done = run(project)
    assert done.returncode == 1
    line = next(line for line in done.stdout.splitlines() if line.startswith("[") and "NameError" in line)
    assert line.split("] ")[1] == (
        "notebooks/01_tab_first.py: NameError: name 'task' is not defined "
        "(cell 2; see book/executed/_run/01_tab_first.failed.ipynb)"
    )
    assert page(project, "02_tab_second")["metadata"]["taskrel"]["profile"] == "embedded"
    assert page(project) == before
    folder = project / "book/executed"
    assert sorted(path.name for path in folder.glob("*.ipynb")) == [
        "01_tab_first.ipynb",
        "02_tab_second.ipynb",
    ]
    assert sorted(path.name for path in (folder / "_run").glob("*.ipynb")) == ["01_tab_first.failed.ipynb"]
    states = json.loads((folder / "_run/pages.json").read_text())
    assert states["01_tab_first"]["state"] == "failed"
    assert "NameError" in states["01_tab_first"]["reason"]
    edit(project / "notebooks/01_tab_first.py", "{task}", "{Task}")
    assert run(project).returncode == 0
    assert json.loads((folder / "_run/pages.json").read_text())["01_tab_first"]["state"] == "current"
    edit(project / "notebooks/01_tab_first.py", "{Task}", "{Task!r}")
    assert run(project).returncode == 0
    assert not list((folder / "_run").glob("*.failed.*"))


def wait_for(path: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.05)


def start(project, *arguments):
    command = [sys.executable, "notebooks/run.py", *arguments]
    return subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_a_killed_run_leaves_no_half_file_and_goes_on_where_it_was(project):
    (project / "notebooks/02_tab_waits.py").write_text(HEAD + PARAMETERS + WAITS)
    first = start(project, "-j", "2")
    wait_for(project / "began")
    wait_for(project / "book/executed/01_tab_first.ipynb")
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert first.returncode == -signal.SIGKILL
    folder = project / "book/executed"
    assert [path.name for path in folder.glob("*.ipynb")] == ["01_tab_first.ipynb"]
    page(project)  # whole
    (project / "go").touch()
    second = run(project)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "1 of 2 pages cached, 1 to run" in second.stdout
    assert "02_tab_waits done" in second.stdout
    assert not list((folder / "_run").glob("*.part.ipynb"))


def test_of_two_runs_at_once_the_second_waits_and_takes_the_first_ones_page(project):
    (project / "notebooks/01_tab_first.py").write_text(HEAD + PARAMETERS + WAITS)
    first = start(project)
    wait_for(project / "began")
    (project / "began").unlink()
    second = start(project)
    while "is running" not in (line := second.stdout.readline()):
        assert line
    time.sleep(1)
    assert second.poll() is None
    (project / "go").touch()
    out, _ = first.communicate(timeout=60)
    assert "[1/1] 01_tab_first done" in out
    out, _ = second.communicate(timeout=60)
    assert "[1/1] 01_tab_first cached" in out
    assert (first.returncode, second.returncode) == (0, 0)
    assert not (project / "began").exists()
