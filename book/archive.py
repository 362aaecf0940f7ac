"""Put the executed book into one zip, a Research Object Crate: ``python book/archive.py [--out DIR] [--to FILE]``.

The zip holds the built book (it opens without a network, ``book/index.html``), the executed pages with their records,
figures and tables, the rows that the project ships, and the sources; no runs of one's own.
``ro-crate-metadata.json`` names them, each file with its sha256, with the data, the software and the licences that they come
from.
"""

import argparse
import hashlib
import json
import sys
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

import yaml
from rocrate.model import ContextEntity, Person
from rocrate.rocrate import ROCrate

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "notebooks"))
from runner.places import published_folder  # noqa: E402

SOURCES = ("taskrel_core", "notebooks", "Makefile", "install.py", "pyproject.toml", "requirements.lock")
SOURCES += ("requirements.sha256", "environment.yml", "README.md", "CHANGELOG.md", "LICENSE", "CITATION.cff")
KINDS = {
    ".csv": "text/csv",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python",
    ".svg": "image/svg+xml",
}
ABOUT = {
    "book/": "The built book; open index.html",
    "pages/": "The executed notebooks, and for each the record of its run",
    "figures/": "Figures, tables and the numbers in the text, as the pages wrote them",
    "rows/": "Rows that take too long to compute by default, with their provenance",
    "source/": "What made it: the package, the notebooks, the lock",
}
Entity = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Write the archive and return 0, or 1 where there is no book."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", default=str(ROOT / "book"), help="book folder with executed/ and _build/")
    parser.add_argument(
        "--to", default="", help="the zip (default: _build/taskrel-VERSION.zip in the book folder)"
    )
    args = parser.parse_args(arguments)
    out, about = Path(args.out).resolve(), yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    target = Path(args.to or out / f"_build/taskrel-{about['version']}.zip").resolve()
    book = published_folder(out)
    if not (book / "_build/html/index.html").is_file():
        print(f"error: there is no built book in {book}; make it first: make reproduce", file=sys.stderr)
        return 1
    records = [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted((book / "executed").glob("*.json"))
    ]
    crate(book, about, records).write_zip(target)
    with zipfile.ZipFile(target, "a") as held:  # an entry for each folder too: validators look for it
        for folder in ABOUT:
            held.mkdir(folder)
    print(f"archive: {target}")
    return 0


def crate(out: Path, about: Entity, records: list[Entity]) -> ROCrate:
    """The crate of the book in ``out``, which ``about`` (CITATION.cff) and the records of the pages describe."""
    made = ROCrate(version="1.3")
    made.name, made.description = about["title"], " ".join(about["abstract"].split())
    made.keywords = about["keywords"]
    root = made.root_dataset
    root["version"] = about["version"]
    licence = f"https://spdx.org/licenses/{about['license']}"
    root["license"] = entity(
        made, licence, "CreativeWork", name=f"{about['license']} licence", identifier=licence
    )
    authors = [entity(made, "#authors", "Organization", name=one["name"]) for one in about["authors"]]
    root["author"] = root["publisher"] = authors
    root["isBasedOn"] = paper(made, about["references"][0])
    for name, path in files(out):
        made.add_file(path, name, properties=described(path))
    for folder, words in ABOUT.items():
        inside = [{"@id": one.id} for one in made.data_entities if one.id.startswith(folder)]
        made.add_dataset(
            dest_path=folder, properties={"name": words, "description": words, "hasPart": inside}
        )
    root["mainEntity"] = made.get("book/index.html")
    root["mentions"] = [*data(made, records), *runs(made, records, software(made, about, records))]
    return made


def files(out: Path) -> Iterator[tuple[str, Path]]:
    """What the archive holds: the name of each file there, and where it is now."""
    yield from below("book", out / "_build/html")
    yield from below("pages", out / "executed", ("*.ipynb", "*.json"))
    yield from below("figures", out / "_generated", ("*.csv", "*.png", "*.svg", "*.pdf", "*.json", "*.jsonl"))
    yield from below("rows", ROOT / "book/results")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            yield from below(f"source/{name}", ROOT / name)
        else:
            yield f"source/{name}", ROOT / name


def below(name: str, folder: Path, patterns: Iterable[str] = ("**/*",)) -> Iterator[tuple[str, Path]]:
    """The files of a folder, under another name; nothing that Python compiled, and no failed page."""
    for path in sorted({path for pattern in patterns for path in folder.glob(pattern)}):
        if path.is_file() and "__pycache__" not in path.parts and not path.name.endswith(".failed.ipynb"):
            yield f"{name}/{path.relative_to(folder).as_posix()}", path


def described(path: Path) -> Entity:
    """Name, kind, size in bytes and sha256 of a file."""
    content = path.read_bytes()
    facts = {
        "name": path.name,
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return facts | ({"encodingFormat": KINDS[path.suffix]} if path.suffix in KINDS else {})


def entity(made: ROCrate, address: str, kind: str, **properties: Any) -> ContextEntity:
    """Something that the crate speaks of and does not hold."""
    return made.add(ContextEntity(made, address, properties={"@type": kind, **properties}))


def paper(made: ROCrate, cited: Entity) -> ContextEntity:
    """The paper that the book examines."""
    people = [
        made.add(
            Person(made, f"#{one['family-names']}", {"name": f"{one['given-names']} {one['family-names']}"})
        )
        for one in cited["authors"]
    ]
    facts = {"name": cited["title"], "author": people, "datePublished": str(cited["year"])}
    return entity(made, cited["url"], "ScholarlyArticle", **facts)


def data(made: ROCrate, records: list[Entity]) -> list[ContextEntity]:
    """The data sets and encoders that the pages used, each with its version (a sha256 of content, or a recipe)."""
    from taskrel_core import DATASETS, ENCODERS

    used = {name: version for record in records for name, version in record["parts"].get("data", {}).items()}
    found = []
    for name, version in sorted(used.items()):
        facts = {"name": name, "version": version}
        if name in DATASETS:
            facts |= {"description": DATASETS[name].origin, "license": DATASETS[name].licence}
        elif name in ENCODERS:
            facts |= {
                "description": f"encoder, {ENCODERS[name].source_task}",
                "license": ENCODERS[name].licence,
            }
        else:
            facts["description"] = "of the user's own"
        found.append(entity(made, f"#data-{name}", "CreativeWork", **facts))
    return found


def software(made: ROCrate, about: Entity, records: list[Entity]) -> list[ContextEntity]:
    """The package, Python, and the packages whose versions the pages recorded."""
    used = {("taskrel", about["version"])} | {("Python", record["python"]) for record in records}
    used |= {pair for record in records for pair in record["versions"].items()}
    found = []
    for name, version in sorted(used):
        facts = {"name": name, "softwareVersion": version, "version": version, "url": home(name)}
        found.append(entity(made, f"#software-{name}-{version}", "SoftwareApplication", **facts))
    return found


def home(name: str) -> str:
    """Where a program is described: the home page that its package names, or the paper for the companion itself."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return "https://www.python.org"
    pages = {
        label.lower(): address
        for label, _, address in (line.partition(", ") for line in said.get_all("Project-URL") or ())
    }
    paper = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["references"][0]["url"]
    return said.get("Home-page") or pages.get("homepage") or pages.get("repository") or paper


def runs(made: ROCrate, records: list[Entity], tools: list[ContextEntity]) -> list[Any]:
    """One action for each page: what ran it, on which source and data, when, and what it left."""
    found = []
    for record in records:
        began, used = (
            datetime.fromisoformat(record["started"]),
            record["versions"] | {"Python": record["python"]},
        )
        names = [f"pages/{record['stem']}.ipynb", *(f"figures/{name}" for name in record["files"])]
        read = [
            f"source/notebooks/{record['stem']}.py",
            *(f"#data-{name}" for name in record["parts"].get("data", {})),
        ]
        facts = {
            "name": f"{record['stem']}, profile {record['profile']}",
            "description": f"commit {record['commit']}, {record['cpu']}, device {record['device']}, key {record['key']}",
            "startTime": began.isoformat(),
            "endTime": (began + timedelta(seconds=record["seconds"])).isoformat(),
        }
        action = made.add_action(
            [
                one
                for one in tools
                if one["name"] == "taskrel" or used.get(one["name"]) == one["softwareVersion"]
            ],
            f"#run-{record['stem']}",
            object=[one for one in map(made.get, read) if one],
            result=[one for one in map(made.get, names) if one],
            properties=facts,
        )
        found.append(action)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
