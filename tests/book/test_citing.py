"""How the book is cited and found: CITATION.cff, the entry to copy, head and foot of each page, the place of addresses."""

import json
import re
from types import SimpleNamespace

import citing
import pytest
import yaml
from bs4 import BeautifulSoup
from sphinx.config import Config

from tests.test_lock import PROJECT, ROOT

KNOWN = {"Repository": "https://github.com/someone/theirs", "Documentation": "https://someone.invalid/theirs"}


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setattr(citing, "urls", lambda: KNOWN)


def test_the_citation_and_the_package_agree():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(cited["version"]) == PROJECT["version"]
    assert cited["license"] == PROJECT["license"]
    assert cited.get("repository-code") == PROJECT.get("urls", {}).get("Repository")
    paper = (ROOT / "book/references.bib").read_text(encoding="utf-8")
    assert cited["references"][0]["title"] in " ".join(paper.replace("{", "").replace("}", "").split())


def test_the_entry_to_copy_names_authors_title_and_address():
    entry = citing.bibtex(citing.citation()["references"][0], "key", "inproceedings")
    assert entry.startswith(
        "@inproceedings{key,\n  author = {Mehra, Akshay and Zhang, Yunbei and Hamm, Jihun},"
    )
    assert "url = {https://arxiv.org/abs/2307.00823}," in entry
    assert "None" not in entry


def test_the_places_that_open_the_repository_are_those_of_its_address():
    links = citing.launch_links(KNOWN["Repository"])
    assert set(links) == {"Codespaces", "Binder", "Colab"}
    assert all("someone/theirs" in link for link in links.values())
    assert citing.launch_links("https://elsewhere.invalid/someone/theirs") == {}
    assert citing.launch_links("") == {}


def test_addresses_reach_theme_and_pages_where_they_are_known(known):
    config = Config({}, {})
    config.html_theme_options, config.html_baseurl = {"kept": 1}, ""
    citing.configure(None, config)
    assert config.html_theme_options == {
        "kept": 1,
        "repository_url": KNOWN["Repository"],
        "use_repository_button": True,
    }
    assert config.html_baseurl == "https://someone.invalid/theirs/"
    page, code, _ = citing.graph("A title", "a/page")["@graph"]
    assert page["url"] == "https://someone.invalid/theirs/a/page.html"
    assert code["codeRepository"] == KNOWN["Repository"]


def test_every_page_says_what_it_is_and_how_to_cite_it(book):
    for path in [book / "index.html", *sorted((book / "executed").glob("*.html"))]:
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        facts = json.loads(page.find("script", type="application/ld+json").string)
        kinds = [entity["@type"] for entity in facts["@graph"]]
        assert kinds == ["WebPage", "SoftwareSourceCode", "ScholarlyArticle"]
        title = page.find("meta", property="og:title")["content"]
        assert title == facts["@graph"][0]["name"]
        assert title in page.find("h1").get_text()
        assert re.fullmatch(r"(\.\./)*(index\.html)?#cite-this", page.select_one(".extra_footer a")["href"])


@pytest.mark.parametrize(("builder", "linked"), [("html", True), ("singlehtml", False)])
def test_the_pdf_is_linked_where_it_was_made_and_not_in_itself(tmp_path, builder, linked):
    texts = []
    directive = citing.Pdf.__new__(citing.Pdf)
    env = SimpleNamespace(
        srcdir=tmp_path, note_reread=lambda: None, app=SimpleNamespace(builder=SimpleNamespace(name=builder))
    )
    directive.state = SimpleNamespace(document=SimpleNamespace(settings=SimpleNamespace(env=env)))
    directive.parse_text_to_nodes = lambda text: texts.append(text) or [text]
    assert directive.run() == []
    (tmp_path / "_build").mkdir()
    (tmp_path / "_build/taskrel.pdf").write_bytes(b"%PDF-")
    assert bool(directive.run()) == linked
    assert not linked or "{download}`The book as PDF <_build/taskrel.pdf>`" in texts[0]


def test_the_front_page_holds_the_entry_and_no_button_without_an_address(book):
    page = BeautifulSoup((book / "index.html").read_text(encoding="utf-8"), "html.parser")
    assert page.find(id="cite-this")
    assert "@inproceedings{mehra2024understanding," in page.get_text()
    buttons = [a["href"] for a in page.find_all("a", href=True) if "mybinder" in a["href"]]
    assert bool(buttons) == ("github.com" in PROJECT.get("urls", {}).get("Repository", ""))
