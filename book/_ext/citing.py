"""How to cite, print and run the book: ``{cite-this}``, ``{pdf}``, ``{launch}``, the footer, and what search engines read.

Names and versions come from ``CITATION.cff``. The addresses of repository and book stand in one place, ``[project.urls]``
of ``pyproject.toml``; where they are not there, nothing that needs them is shown.
"""

import json
import os
import time
import tomllib
from html import escape
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

ROOT = Path(os.environ.get("TASKREL_ROOT", Path(__file__).resolve().parents[2]))
LAUNCH = {
    "Codespaces": "https://codespaces.new/{name}",
    "Binder": "https://mybinder.org/v2/gh/{name}/HEAD?urlpath=lab/tree/notebooks",
    "Colab": "https://colab.research.google.com/github/{name}/blob/HEAD/.devcontainer/colab.ipynb",
}


def citation() -> dict[str, Any]:
    """CITATION.cff, read."""
    return yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def urls() -> dict[str, str]:
    """The addresses of the project: ``Repository`` and ``Documentation``, where they are known."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {name: address.rstrip("/") for name, address in project.get("urls", {}).items()}


def bibtex(entry: dict[str, Any], key: str, kind: str) -> str:
    """One entry of CITATION.cff in BibTeX."""
    authors = [one.get("name") or f"{one['family-names']}, {one['given-names']}" for one in entry["authors"]]
    names = " and ".join(f"{{{one}}}" if "," not in one else one for one in authors)
    fields = {"author": names, "title": "{" + entry["title"] + "}"}
    fields |= {"booktitle": entry.get("collection-title"), "volume": entry.get("volume")}
    fields |= {"year": entry.get("year"), "version": entry.get("version"), "note": entry.get("note")}
    fields["url"] = entry.get("url") or entry.get("repository-code")
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])


def launch_links(address: str) -> dict[str, str]:
    """Where the repository opens with one click, by the name of the service; all three know GitHub only."""
    host, _, name = address.removeprefix("https://").partition("/")
    return (
        {service: link.format(name=name) for service, link in LAUNCH.items()} if host == "github.com" else {}
    )


class CiteThis(SphinxDirective):
    """The paper and this companion, in BibTeX."""

    def run(self) -> list[nodes.Node]:
        companion = citation() | {"repository-code": urls().get("Repository")}
        entries = [bibtex(companion["references"][0], "mehra2024understanding", "inproceedings")]
        entries.append(bibtex(companion, "taskrel", "software"))
        return self.parse_text_to_nodes("\n".join(["```bibtex", *entries, "```"]))


class Launch(SphinxDirective):
    """Links that open the repository elsewhere; nothing where its address is not known."""

    def run(self) -> list[nodes.Node]:
        links = launch_links(urls().get("Repository", ""))
        text = " ".join(f"[{service}]({link})" for service, link in links.items())
        return self.parse_text_to_nodes(f"Open in: {text}") if links else []


class Pdf(SphinxDirective):
    """A link to the PDF of the book where ``make pdf`` has made one; nothing else, and nothing in the PDF itself."""

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()
        made = Path(self.env.srcdir) / "_build/taskrel.pdf"
        if not made.exists() or self.env.app.builder.name == "singlehtml":
            return []
        day = time.strftime("%Y-%m-%d", time.localtime(made.stat().st_mtime))
        return self.parse_text_to_nodes(
            f"{{download}}`The book as PDF <_build/taskrel.pdf>`, printed on {day}."
        )


def graph(title: str, page: str) -> dict[str, Any]:
    """A page, the companion and the paper in the words of schema.org."""
    about, known = citation(), urls()
    paper = about["references"][0]
    book, repository = known.get("Documentation"), known.get("Repository")
    code = {
        "@type": "SoftwareSourceCode",
        "@id": "#companion",
        "name": about["title"],
        "description": about["abstract"],
        "version": about["version"],
        "license": f"https://spdx.org/licenses/{about['license']}",
        "programmingLanguage": "Python",
        "author": [{"@type": "Organization", "name": one["name"]} for one in about["authors"]],
        "isBasedOn": {"@id": paper["url"]},
        **({"codeRepository": repository} if repository else {}),
    }
    names = [f"{one['given-names']} {one['family-names']}" for one in paper["authors"]]
    article = {
        "@type": "ScholarlyArticle",
        "@id": paper["url"],
        "headline": paper["title"],
        "datePublished": str(paper["year"]),
        "isPartOf": {"@type": "PublicationVolume", "name": paper["collection-title"]},
        "author": [{"@type": "Person", "name": name} for name in names],
    }
    shown = {"@type": "WebPage", "name": title, "mainEntity": {"@id": "#companion"}}
    if book:
        shown["url"] = f"{book}/{page}.html"
    return {"@context": "https://schema.org", "@graph": [shown, code, article]}


def configure(_app: Sphinx, config: Config) -> None:
    """Give the theme the addresses that are known."""
    known = urls()
    config.html_baseurl = f"{known['Documentation']}/" if "Documentation" in known else config.html_baseurl
    if "Repository" in known:
        options = {"repository_url": known["Repository"], "use_repository_button": True}
        config.html_theme_options = {**config.html_theme_options, **options}


def describe(app: Sphinx, page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    """Put OpenGraph and JSON-LD into the head of a page, and the way to cite it into its foot."""
    title = context.get("title") or app.config.project
    said = {"title": title, "type": "article", "site_name": app.config.html_title or app.config.project}
    said |= {"description": " ".join(citation()["abstract"].split()), "locale": "en"}
    if address := urls().get("Documentation"):
        said |= {"url": f"{address}/{page}.html", "image": f"{address}/_static/page.png"}
    tags = [f'<meta property="og:{name}" content="{escape(text)}" />' for name, text in said.items()]
    facts = json.dumps(graph(title, page)).replace("<", "\\u003c")
    tags.append(f'<script type="application/ld+json">{facts}</script>')
    context["metatags"] = context.get("metatags", "") + "\n".join(tags)
    if "pathto" in context:
        link = f"{context['pathto'](app.config.root_doc).rstrip('#')}#cite-this"  # "#" is the page itself
        context["theme_extra_footer"] = f'<a href="{link}">Cite this book</a>'


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("cite-this", CiteThis)
    app.add_directive("launch", Launch)
    app.add_directive("pdf", Pdf)
    app.connect("config-inited", configure)
    app.connect("html-page-context", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
