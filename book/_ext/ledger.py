"""The directives ``{ledger}``, ``{measured}``, ``{shown}``, ``{claim}`` and ``{again}``, and the order of a notebook's page.

A page reads: finding, figures and tables, method and statistics, reproduce. The notebook keeps its own order.
"""

import json
import re
import shlex
from collections.abc import Container
from pathlib import Path
from typing import Any, ClassVar

import yaml
from docutils import nodes
from docutils.parsers.rst import directives
from runner.places import files_folder, page_folder, stem_of
from runner.reading import written
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from taskrel_core.analysis.verdicts import VERDICTS, split

ABSENT = "not run for this copy of the book"
DEFAULT = "embedded"  # profile that make takes if none is named
AGAIN = "With another value, as a page of its own beside this one:"
ORIGINS = {
    "computed": "computed for this page",
    "cached": "read from the cache",
    "shipped": "shipped with the repository",
}


class FromPages(SphinxDirective):
    """A directive whose text depends on what the pages measured, so that it is read again at each build."""

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()
        return self.parse_text_to_nodes(self.text(Path(self.env.srcdir)))

    def text(self, source: Path) -> str:
        """Return the MyST text; ``source`` is the folder of the book."""
        raise NotImplementedError


class Ledger(FromPages):
    """Cards of ``ledger.yml``: verdict, claim, what its page found, and a link."""

    def text(self, source: Path) -> str:
        cards = "\n\n".join(_card(source, entry) for entry in _entries(source))
        return f":::::{{div}} claims\n\n{cards}\n\n:::::"


class Verdicts(FromPages):
    """The seven verdicts and what each means."""

    def text(self, source: Path) -> str:  # noqa: ARG002
        return "\n".join(f"- {{verdict}}`{name}` {meaning}." for name, meaning in VERDICTS.items())


class Measured(FromPages):
    """Text with ``<page:name>`` replaced by what that page glued."""

    has_content = True

    def text(self, source: Path) -> str:
        return filled(source, "\n".join(self.content))


class Shown(FromPages):
    """A figure of another page, named by page and figure, over text filled as in Measured; the text alone if it was not run."""

    required_arguments = 2
    has_content = True
    option_spec: ClassVar = {"alt": directives.unchanged_required}

    def text(self, source: Path) -> str:
        page, name = self.arguments
        text = " ".join(filled(source, "\n".join(self.content)).split())
        if not (source / "_generated" / f"{name}.svg").exists():
            return text
        head = f":::{{figure}} _generated/{name}.svg\n:alt: {self.options['alt']}\n:class: ink\n"
        return f"{head}\n{text} ({link(source, page, f'page {page[:2]}')})\n:::"


class Claim(FromPages):
    """What the page found, the verdict with its rule, and what was claimed."""

    required_arguments = 1

    def text(self, source: Path) -> str:
        page = self.arguments[0]
        found = measured(source, page)
        entries = [entry for entry in _entries(source) if entry.get("page") == stem_of(page)]
        said = [f"{_sentence(found.get('answer', found.get('ours', ABSENT)))}"]
        if any("claim" in entry for entry in entries) and "verdict" in found:
            said.append(f"**Verdict**: {badges(found['verdict'])}{_rules(found.get('rule', ''))}")
        for entry in entries:
            kind = "claim" if "claim" in entry else "question"
            said.append(f"**{kind.title()}** ({entry['source']}): {_sentence(entry[kind])}")
        text = "\n\n".join(said)
        return f"::::{{admonition}} Finding\n:class: tip\n\n{text}\n::::"


class Again(FromPages):
    """The line that makes a page, what that took, and for a page of the book the line with another parameter."""

    required_arguments = 1

    def text(self, source: Path) -> str:
        return again(source, self.arguments[0])


class Verdict(SphinxRole):
    """A verdict as a badge, its colour by its class."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the badge."""
        _, verdict = split(self.text)[0]
        return [nodes.inline("", self.text, classes=["verdict", verdict.replace(" ", "-")])], []


def badges(text: str) -> str:
    """Return a verdict, or several, as badges; words of a page made before these verdicts stay plain text."""
    try:
        parts = split(text)
    except ValueError:
        return text
    return " ".join(f"{{verdict}}`{f'{aspect}: ' if aspect else ''}{verdict}`" for aspect, verdict in parts)


def _rules(text: str) -> str:
    """The rule behind a verdict; a line each where it has parts such as "sign: ...; strength: ..." or "Sign, by ..."."""
    parts = re.split(r"[;.] (?=\w+(?:: |, by ))", text)
    if len(parts) == 1 or not all(re.match(r"\w+( \(\w+\))?(: |, by )", part) for part in parts):
        return f" {_sentence(text)}" if text else ""
    return "\n\n" + "\n".join(f"- {_sentence(part)}" for part in parts)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}{'' if text.endswith('?') else '.'}"


def _card(source: Path, entry: dict[str, Any]) -> str:
    page = entry.get("page", "")
    found = {"ours": ABSENT, **entry, **measured(source, page)}
    where = f" {link(source, page, f'Page {page[:2]}')}" if page else ""
    asked = "question" in entry
    head = "Question" if asked else badges(found["verdict"]) if "verdict" in found else ABSENT
    claim = entry["question"] if asked else entry["claim"]
    body = f"{head}\n\n**{claim}**\n\n{_sentence(str(found['ours']))}{where}\n\n*{entry['source']}*"
    return f"::::{{div}} claim\n\n{body}\n\n::::"


def again(source: Path, page: str) -> str:
    """Return the line that makes a page, what that took, and for a page of the book a line with another parameter."""
    made = _read(page_folder(page, source) / f"{page}.json")  # none if it was not run
    given = " ".join(f"{name}={written(value)}" for name, value in made.get("given", {}).items())
    line = _line(stem_of(page), given, made.get("profile", DEFAULT))
    text = f"{_fenced(line)}\n\n{_took(made, line, shipped_rows(source))}"
    if page != stem_of(page):
        return text
    other = next((e["again"] for e in _entries(source) if e.get("page") == page and "again" in e), "")
    other = other or _another(made.get("parameters", {}))
    return f"{text}\n\n{AGAIN}\n\n{_fenced(_line(page, other))}" if other else text


def _line(stem: str, given: str, profile: str = DEFAULT) -> str:
    """The command that makes a page."""
    words = [f"make notebook NB={stem}"]
    words += [f"PROFILE={profile}"] if profile != DEFAULT else []
    plain = not re.search(r'["$`!\\]', given)
    words += [f'P="{given}"' if plain else f"P={shlex.quote(given)}"] if given else []
    return " ".join(words)


def _fenced(line: str) -> str:
    """A line to copy."""
    return f"```bash\n{line}\n```"


def shipped_rows(source: Path) -> dict[str, str]:
    """Return the file of ``book/results`` that holds each row, by the row's key."""
    found = {}
    for path in sorted((source / "results").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            found[re.match(r'\{"key": "(\w+)"', line)[1]] = path.name
    return found


def origins(made: dict[str, Any], shipped: Container[str]) -> dict[str, int]:
    """Return how many rows of a page have each origin; a shipped row that was read from the cache counts as shipped.

    Args:
        made: record of the page.
        shipped: keys of the rows that the repository has.
    """
    rows = dict.fromkeys(ORIGINS, 0) | made["rows"]
    known = sum(key in shipped for key in made.get("row_keys", []))
    both = min(rows["cached"], max(known - rows["shipped"], 0))
    return rows | {"cached": rows["cached"] - both, "shipped": rows["shipped"] + both}


def _took(made: dict[str, Any], line: str, shipped: Container[str]) -> str:
    """How long a page took, where its rows came from, and how to compute those that came from the repository."""
    if not made:
        return ""
    text = f"Making this page took {made['seconds']:.0f} s."
    rows = {ORIGINS[origin]: number for origin, number in origins(made, shipped).items() if number}
    if not rows:
        return text
    where = [f"{number:,} {words}" for words, number in rows.items()]
    said = f"{sum(rows.values()):,} rows: {', '.join(where)}"
    if len(rows) == 1:
        count = sum(rows.values())
        said = (
            f"Its {count:,} rows were all {next(iter(rows))}"
            if count > 1
            else f"Its row was {next(iter(rows))}"
        )
    return f"{text} {said}. With an empty `.cache/rows`, `` {line} FRESH=1 `` computes every row again."


def _another(parameters: dict[str, Any]) -> str:
    """The tau or the first number of a page, doubled."""
    numbers = {k: v for k, v in parameters.items() if type(v) in (int, float) and v}
    name = "tau" if "tau" in numbers else next(iter(numbers), None)
    return f"{name}={2 * numbers[name]:g}" if name else ""


def filled(source: Path, text: str) -> str:
    """Return the text with each ``<page:name>`` replaced by what that page glued; verdicts become badges, ``link`` a link."""

    def one(found: re.Match[str]) -> str:
        if found[2] == "link":
            return link(source, found[1], f"page {found[1][:2]}")
        value = measured(source, found[1]).get(found[2])
        if value is None:
            return f"({ABSENT})"
        return badges(value) if found[2] == "verdict" else value

    return re.sub(r"<([^<>:]+):([^<>]+)>", one, text)


def called(stem: str) -> str:
    """Return the name by which a reader knows a notebook: "03_fig_small_gap" is "03 · small gap"."""
    words = re.fullmatch(r"(\d\d)_(?:fig_|tab_)?(.+)", stem)
    return f"{words[1]} · {words[2].replace('_', ' ')}" if words else stem


def link(source: Path, page: str, text: str) -> str:
    """Return a link to a notebook's page; the text alone if it was not run, so that a part of the book builds too."""
    there = (source / "executed" / f"{page}.ipynb").exists()
    return f"{{doc}}`{text} <executed/{page}>`" if there else text


def measured(source: Path, page: str) -> dict[str, str]:
    """Return what a page glued, by name; empty if it was not run."""
    return _read(files_folder(page, source) / f"glue.{stem_of(page)}.json")


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _entries(source: Path) -> list[dict[str, Any]]:
    return yaml.safe_load((source / "ledger.yml").read_text(encoding="utf-8"))


def arranged(cells: list[dict[str, Any]], page: str) -> list[dict[str, Any]]:
    """Return the cells of an executed notebook in the order of a page, all code in one fold.

    Args:
        cells: of the notebook; the first holds the heading and the method, the last the provenance.
        page: name of the notebook.
    """
    title, _, method = _text(cells[0]).partition("\n")
    last = max((k for k, cell in enumerate(cells) if _shows(cell)), default=0)
    shown = [_without_code(cell) for cell in cells[1 : last + 1] if not _is_silent(cell)]
    after = [_without_code(cell) for cell in cells[last + 1 : -1] if not _is_silent(cell)]
    number, _, name = title.removeprefix("# ").rpartition(f"{page[:2]} · ")
    head = f"# {page[:2]} · {number}{name}" if page[:2].isdigit() else title
    code = "\n\n".join(_text(cell) for cell in cells if cell["cell_type"] == "code")
    code = re.sub(r"(?m)^\s*# fmt: (on|off)\n", "", code)
    reproduce = f"## Reproduce\n\n:::{{again}} {page}\n:::"
    fold = f"`````{{dropdown}} All code of this page\n```{{code-block}} python\n{code}\n```\n`````"
    return [
        _markdown("heading", head),
        _markdown("claim", f":::{{claim}} {page}\n:::"),
        *shown,
        _markdown("method", f"## Method and statistics\n\n{method.strip()}"),
        *after,
        _markdown("reproduce", reproduce),
        *cells[-1:],
        _markdown("code", fold),
    ]


def _text(cell: dict[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _markdown(name: str, text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text}


def _shows(cell: dict[str, Any]) -> bool:
    """Whether a cell shows a figure or a table."""
    return any("text/markdown" in output.get("data", {}) for output in cell.get("outputs", []))


def _is_silent(cell: dict[str, Any]) -> bool:
    return cell["cell_type"] == "code" and not cell.get("outputs")


def _without_code(cell: dict[str, Any]) -> dict[str, Any]:
    if cell["cell_type"] != "code":
        return cell
    return cell | {"metadata": cell["metadata"] | {"tags": ["remove-input"]}}


def arrange(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the cells of an executed notebook in the order of a page."""
    if docname.startswith("executed/"):
        notebook = json.loads(source[0])
        notebook["cells"] = arranged(notebook["cells"], docname.removeprefix("executed/"))
        source[0] = json.dumps(notebook)


def allow_missing_pages(_app: Sphinx, config: Any) -> None:
    """A page that was not made leaves its place in the contents empty; the status page says why."""
    config.suppress_warnings = [*config.suppress_warnings, "etoc.glob"]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives and the order of pages."""
    app.connect("source-read", arrange)
    app.connect("config-inited", allow_missing_pages)
    app.add_role("verdict", Verdict())
    for directive in (Ledger, Verdicts, Measured, Shown, Claim, Again):
        app.add_directive(directive.__name__.lower(), directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
