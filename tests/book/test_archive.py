"""The archive: whole, as its description says, readable by a validator, and opened without a network."""

import hashlib
import json
import shutil
import zipfile

import archive
import build as builder
import pytest
from rocrate.rocrate import ROCrate

from tests.small_book import copied
from tests.test_lock import ROOT, uv

pytestmark = pytest.mark.xdist_group("book")


MANY = ("_static", "_modules", "_sources", "api", "mathjax", "vega", "runs")  # files that are alike


@pytest.fixture(scope="module")
def packed(smoke_folder, book, tmp_path_factory):
    """The zip of the smoke profile's book, with less beside its pages: a validator reads every file."""
    folder = tmp_path_factory.mktemp("archive")
    shutil.copytree(book, folder / "_build/html", ignore=shutil.ignore_patterns(*MANY))
    for name in ("executed", "_generated"):
        shutil.copytree(smoke_folder / name, folder / name)
    target = folder / "book.zip"
    assert archive.main(["--out", str(folder), "--to", str(target)]) == 0
    return target


def test_each_file_is_described_with_its_size_and_sha256(packed):
    with zipfile.ZipFile(packed) as held:
        graph = json.loads(held.read("ro-crate-metadata.json"))["@graph"]
        described = {entity["@id"]: entity for entity in graph if entity["@type"] == "File"}
        names = {name for name in held.namelist() if not name.endswith("/")}
        assert names - {"ro-crate-metadata.json"} == {name.replace("%20", " ") for name in described}
        for name, entity in described.items():
            content = held.read(name.replace("%20", " "))
            assert entity["sha256"] == hashlib.sha256(content).hexdigest()
            assert int(entity["contentSize"]) == len(content)


def test_it_holds_pages_rows_sources_and_says_what_they_come_from(packed, smoke_folder):
    graph = {one.id: one for one in ROCrate(packed).get_entities()}
    for path in (smoke_folder / "executed").glob("[0-9]*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        run = graph[f"#run-{record['stem']}"]
        results = {one.id for one in run["result"]}
        assert results == {f"pages/{record['stem']}.ipynb", *(f"figures/{name}" for name in record["files"])}
        assert {one["name"] for one in run["instrument"]} >= {"taskrel", "Python", "torch"}
        for name, version in record["parts"]["data"].items():
            assert graph[f"#data-{name}"]["version"] == version
    assert graph["#data-digits"]["license"]
    assert {f"rows/{path.name}" for path in (ROOT / "book/results").iterdir()} <= graph.keys()
    assert {"source/taskrel_core/task.py", "source/requirements.lock", "source/LICENSE"} <= graph.keys()
    assert graph["./"]["mainEntity"].id == "book/index.html"
    assert not [name for name in graph if "__pycache__" in name or name.endswith(".failed.ipynb")]


def test_a_validator_reads_it(packed):
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    carried = next(line for line in lock.splitlines() if line.startswith("rocrate=="))
    alone = ["run", "--quiet", "--no-project", "--no-config", "--isolated", "--with", "roc-validator==0.13.0"]
    told = uv(*alone, "--with", carried, "python", "tests/book/validate_crate.py", str(packed))
    assert int(told.partition("checks: ")[2]) > 50, told


def test_without_a_book_there_is_no_archive(tmp_path, capsys):
    assert archive.main(["--out", str(tmp_path)]) == 1
    assert "there is no built book in" in capsys.readouterr().err


OWN = "runs/13_your_task--tau-0-5--1a2b3c4d.ipynb"


def test_runs_of_ones_own_are_not_in_it(tmp_path):
    make = copied(tmp_path)
    (tmp_path / "book/runs").mkdir()
    (tmp_path / "book" / OWN).write_text("no notebook: a build that read it would fail")
    names = ("README.md", "CHANGELOG.md", "LICENSE", "environment.yml")
    for name in names:
        shutil.copy(ROOT / name, tmp_path)
    done = make("archive")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "left out, runs with parameters of your own: 1" in done.stdout
    (path,) = (tmp_path / "book/_build").glob("*.zip")
    with zipfile.ZipFile(path) as held:
        assert not [name for name in held.namelist() if "13_your_task--" in name]
        assert "Your runs" not in held.read("book/index.html").decode()
    assert (tmp_path / "book" / OWN).exists()


def test_the_pdf_is_printed_from_a_book_without_them(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(builder, "_build", lambda out, kind, _: asked.append((kind, out)) or 0)
    monkeypatch.setattr(builder, "_print", lambda page, target: asked.append((page, target)) or 0)
    (tmp_path / "runs").mkdir()
    (tmp_path / OWN).touch()
    assert builder.main(["--out", str(tmp_path), "--pdf"]) == 0
    part = tmp_path / "_build/published"
    assert asked == [
        ("singlehtml", part),
        (part / "_build/singlehtml/index.html", tmp_path / "_build/taskrel.pdf"),
        ("html", tmp_path),
    ]
    assert (part / "index.md").exists()
    assert not (part / "runs").exists()
