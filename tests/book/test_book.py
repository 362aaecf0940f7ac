"""The built pages as files: links, sources, texts for images, errors."""

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from ledger import called
from runner import plan

import taskrel_core
from taskrel_core.analysis.verdicts import VERDICTS, split

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.py"))
pytestmark = pytest.mark.xdist_group("book")


@pytest.fixture(scope="module")
def pages(book):
    """Each html page by its path, parsed."""
    found = [path for path in sorted(book.rglob("*.html")) if "_static" not in path.parts]
    assert book / "index.html" in found
    return {path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in found}


def outside(link):
    return bool(urlsplit(link).scheme or urlsplit(link).netloc)


def target(page, link):
    """The file that a link of ``page`` leads to."""
    path = unquote(urlsplit(link).path)
    return (page.parent / path).resolve() if path else page


def test_every_link_and_anchor_resolves(book, pages):
    broken = []
    names = {page: {tag["id"] for tag in soup.find_all(id=True)} for page, soup in pages.items()}
    for page, soup in pages.items():
        for link in (a["href"] for a in soup.find_all("a", href=True)):
            if outside(link) or link == "#":
                continue
            goal, anchor = target(page, link), unquote(urlsplit(link).fragment)
            if not goal.is_file() or (anchor and goal in names and anchor not in names[goal]):
                broken.append(f"{page.relative_to(book)}: {link}")
    assert not broken


def test_everything_that_a_page_loads_is_local(book, pages):
    wrong = []
    for page, soup in pages.items():
        tags = soup.find_all(["script", "img", "link", "iframe", "source", "video"])
        for tag in tags:
            link = tag.get("src") or tag.get("href")
            if link and not link.startswith("data:") and (outside(link) or not target(page, link).is_file()):
                wrong.append(f"{page.relative_to(book)}: {link}")
        wrong += [
            f"{page.relative_to(book)}: thebe"
            for tag in soup.find_all("script")
            if "thebe" in str(tag).lower()
        ]
    for sheet in book.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        wrong += [f"{sheet.name}: {url}" for url in re.findall(r"url\([\"']?((?:https?:)?//[^)\"']+)", text)]
        wrong += [f"{sheet.name}: import" for _ in re.findall(r"@import\s+[\"'](?:https?:)?//", text)]
    assert not wrong


def test_every_image_says_what_it_shows(book, pages):
    silent = []
    for page, soup in pages.items():
        for image in soup.find_all("img"):
            alt = image.get("alt", "").strip()
            logo = "logo" in " ".join(image.get("class", []))
            if not alt or alt.startswith("<Figure") or re.search(r"[0-9a-f]{32}|\.(png|svg)$", alt):
                silent.append(f"{page.relative_to(book)}: {image.get('src')}: {alt!r}")
            elif not logo and len(alt.split()) < 3:
                silent.append(f"{page.relative_to(book)}: {image.get('src')}: too short, {alt!r}")
    assert not silent


def test_no_page_shows_an_error_or_a_path_of_this_machine(book, pages):
    for page, soup in pages.items():
        text = str(soup)
        for word in ("Traceback", "papermill-error", str(ROOT), str(Path.home()) + "/", str(book.parent)):
            assert word not in text, f"{page.relative_to(book)} holds {word!r}"


def test_every_notebook_is_in_the_table_of_contents_and_has_its_page(book, pages):
    links = {a["href"] for a in pages[book / "index.html"].find_all("a", href=True)}
    for source in SOURCES:
        assert f"executed/{source.stem}.html" in links
        page = pages[book / "executed" / f"{source.stem}.html"]
        assert "How this page was made" in page.get_text()
        assert page.find("figure") or page.find("table", id=re.compile("^tab-"))


def test_every_figure_and_table_comes_with_its_data(book, pages):
    for source in SOURCES:
        page = book / "executed" / f"{source.stem}.html"
        links = [a["href"] for a in pages[page].find_all("a", class_="download")]
        data = [link for link in links if link.endswith(".csv")]
        assert data, source.stem
        assert all("," in target(page, link).read_text().splitlines()[0] for link in data)


def test_every_figure_of_a_notebook_is_offered_as_svg_and_pdf(book, pages):
    seen = 0
    for source in SOURCES:
        page = book / "executed" / f"{source.stem}.html"
        for figure in pages[page].select("figure[id^=fig-]"):
            files = [target(page, a["href"]) for a in figure.select("a.download")]
            starts = {path.suffix: path.read_bytes()[:5] for path in files}
            assert starts[".pdf"] == b"%PDF-"
            assert starts[".svg"] == b"<?xml"
            seen += 1
    assert seen > 10


def test_public_names_come_first_and_link_their_source(book, pages):
    page = book / "api.html"
    names = [dt["id"] for dt in pages[page].select("dl.py > dt[id^=taskrel_core]")]
    mappings = {"BASELINES", "DATASETS", "ENCODERS"}
    assert names[0] == "taskrel_core.Task"
    fields = {dt.get_text().strip(":") for dt in pages[page].select("dl.field-list > dt")}
    assert "Raises" in fields
    assert "Type" not in fields  # what a property says before a colon is taken for one
    for name in (f"taskrel_core.{name}" for name in set(taskrel_core.__all__) - mappings):
        assert name in names
        link = (
            pages[page]
            .find("dt", id=name)
            .find("a", class_="reference internal", href=re.compile("_modules"))
        )
        source = target(page, link["href"])
        assert pages[source].find(id=urlsplit(link["href"]).fragment).get_text()
    rooms = {path.parent.name for path in (ROOT / "taskrel_core").glob("*/__init__.py")}
    assert rooms <= {path.stem.rpartition(".")[2] for path in pages if path.parent.name == "api"}


def test_every_page_opens_with_finding_and_verdict_and_ends_with_how_to_reproduce_it(book, pages):
    ledger = yaml.safe_load((ROOT / "book/ledger.yml").read_text())
    for source in SOURCES:
        page = pages[book / "executed" / f"{source.stem}.html"]
        text = " ".join(page.select_one(".admonition.tip").get_text().replace("’", "'").split())
        heads = [head.get_text().strip("#") for head in page.select("h2")]
        assert heads[-1] == "Reproduce"
        assert "Method and statistics" in heads
        head = next(head for head in page.select("h2") if head.get_text().startswith("Reproduce"))
        first = head.find_next("pre").get_text().split()
        assert first == ["make", "notebook", f"NB={source.stem}", "PROFILE=smoke"]
        folds = [fold.summary.get_text().strip() for fold in page.select("article details")]
        assert folds.count("All code of this page") == 1
        assert "Show code cell source" not in page.get_text()
        for entry in (entry for entry in ledger if entry.get("page") == source.stem and "claim" in entry):
            assert f"Claim ({entry['source']}): {' '.join(entry['claim'].split())}" in text
            assert "(" not in entry["source"]  # no brackets in brackets
            assert "Verdict: " in text


def test_each_claim_of_the_front_page_has_one_of_seven_verdicts(book, pages):
    cards = pages[book / "index.html"].select(".claims > .claim")
    ledger = yaml.safe_load((ROOT / "book/ledger.yml").read_text())
    assert len(cards) == len(ledger)
    for card, entry in zip(cards, ledger, strict=True):
        badges = [badge.get_text() for badge in card.select(".verdict")]
        assert bool(badges) == ("claim" in entry)
        assert all(verdict in VERDICTS for badge in badges for _, verdict in split(badge))
        assert card.select_one("p").select(".verdict") == card.select(".verdict")  # verdict first


def test_the_contents_have_four_groups_of_numbered_pages_with_a_dot_for_each_verdict(book, pages):
    page = pages[book / "index.html"]
    captions = [p.get_text() for p in page.select("nav.bd-links p.caption")]
    groups = ["Poster results", "Checks", "Beyond the poster", "Tools"]
    assert [caption for caption in captions if caption in groups] == groups
    for name, group in (
        ("14_tab_published_scores", "Poster results"),
        ("20_tab_packaged_encoders", "Beyond the poster"),
    ):
        (entry,) = page.select(f'nav.bd-links a[href="executed/{name}.html"]')
        assert entry.find_previous("p", class_="caption").get_text() == group
    (entry,) = page.select('nav.bd-links a[href="executed/06_tab_correlation.html"]')
    assert entry.get_text().strip().startswith("06 · ")
    assert entry.select("span.dot")


@pytest.fixture(scope="module")
def own(book, pages):
    """The page of a run with parameters of one's own, and its name."""
    (path,) = (path for path in pages if path.parent == book / "runs")
    return pages[path], path.stem


def test_a_run_of_ones_own_is_in_a_group_of_its_own_under_its_parameters(book, pages, own):
    page, name = own
    front = pages[book / "index.html"].select_one("nav.bd-links")
    captions = [p.get_text() for p in front.select("p.caption")]
    assert captions[-1] == "Your runs"
    (entry,) = front.select(f'a[href="runs/{name}.html"]')
    assert entry.get_text().strip() == page.select_one("h1").get_text().strip("#") == "13 with tau=0.5"
    assert entry.find_previous("p", class_="caption").get_text() == "Your runs"
    assert "tau=0.5" in " ".join(
        code.get_text() for code in page.select("pre")
    )  # the line that makes it again


def test_a_run_of_ones_own_has_the_numbers_of_the_books_page_beside_its_own(book, smoke_folder, own):
    page, name = own
    assert page.select('article a[href="../executed/13_your_task.html"]')
    found = {
        row.td.get_text(): [cell.get_text() for cell in row.select("td")[1:]]
        for row in page.select_one("article table").select("tr")
        if row.td
    }
    assert found["tau"] == ["0.5", "0.2"]
    glued = [smoke_folder / "runs" / name, smoke_folder / "_generated"]
    expected = [json.loads((folder / "glue.13_your_task.json").read_text())["ours"] for folder in glued]
    assert expected[0] != expected[1]
    assert [text.replace("’", "'") for text in found["finding"]] == expected
    fold = next(fold for fold in page.select("article details") if "in brackets" in fold.summary.get_text())
    numbers = {row.td.get_text(): row.select("td")[1].get_text() for row in fold.select("tr") if row.td}
    assert re.fullmatch(r"[\d.]+ \([\d.]+\)", numbers["bound"])
    assert re.fullmatch(r"[\d.]+", numbers["log K"])  # the same in both


def test_a_run_of_ones_own_leaves_the_pages_of_the_book_alone(book, pages, own):
    _, name = own
    linked = {
        path.relative_to(book).as_posix()
        for path, page in pages.items()
        if page.select(f'article a[href*="{name}"]') and path.parent != book / "runs"
    }
    assert not linked - {"search.html", "genindex.html"}
    assert name not in pages[book / "status.html"].select_one("article").get_text()
    assert name not in (book / "explore-rows.js").read_text()
    text = pages[book / "executed/13_your_task.html"].select_one("article").get_text()
    assert "tau = 0.2" in text
    assert "tau = 0.5" not in text


def test_the_builder_says_where_the_pages_asked_for_are(book, smoke_folder, own):
    command = [
        sys.executable,
        "book/build.py",
        "--out",
        str(smoke_folder),
        "--page",
        f"13_your_task {own[1]}",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == [
        f"page: {book}/executed/13_your_task.html",
        f"page: {book}/runs/{own[1]}.html",
    ]


# Quaint words, and names of the code, that readers should not meet in prose.
BANNED = (
    "foretell|anew|put right|is not shown to|holds in sign|does not hold|guessing|paper's form|paper's setting|"
    "reweighted_loss|fixed_all|learned_all|one_sided|label_mismatch"
)
OTHERS = ("api", "theory", "assets", "status", "equations", "tutorial", "notation", "genindex", "search")


def test_prose_has_neither_banned_words_nor_raw_names(book, pages):
    found = []
    for path, soup in pages.items():
        name = path.relative_to(book).as_posix()
        if name.startswith(OTHERS) or "_generated" in name:
            continue
        article = BeautifulSoup(str(soup.select_one("article") or ""), "html.parser")
        for code in article.select("code, pre, details, script, table.provenance"):
            code.decompose()
        text = " ".join(article.get_text().replace("’", "'").split())
        found += [f"{name}: {match[0]}" for match in re.finditer(rf"\b({BANNED})\b", text)]
    assert not found


def test_the_line_on_a_page_is_one_that_the_runner_takes(book, pages):
    seen = 0
    for source in SOURCES:
        page = pages[book / "executed" / f"{source.stem}.html"]
        found = re.search(r'P="([a-z_]+)=([\d.]+)"', page.get_text())
        if found:
            given = plan.make(source.stem, "smoke", {found[1]: found[2]}).parts["parameters"]
            assert float(given[found[1]]) == float(found[2])
            seen += 1
    assert seen > 5


def test_words_of_the_glossary_show_their_meaning(book, pages):
    listed = [dt.get_text().strip("#") for dt in pages[book / "glossary.html"].select("dl.glossary dt")]
    assert listed == sorted(listed, key=str.lower)
    words = set(listed)
    linked = pages[book / "summary.html"].select("a.term")
    assert {"certified", "chance"} <= {a.get_text() for a in linked} <= words
    assert all(len(a["title"].split()) > 5 and a["href"].startswith("glossary.html#term-") for a in linked)
    assert len({a.get_text() for a in linked}) == len(linked)  # the first on the page only
    assert not pages[book / "references.html"].select("article a.term")
    assert not [path.name for path, page in pages.items() if page.select(".verdict a")]
    wrong = [
        a
        for page in pages.values()
        for a in page.select("a.term")
        if str(a.next_sibling).startswith(" alone")
    ]
    assert not wrong
    told = {a.get_text(): a["title"] for page in pages.values() for a in page.select("a.term")}
    assert told["LogME"].startswith("A published metric: the marginal likelihood")  # without its citation


def test_each_figure_of_the_summary_is_shown_with_what_was_found(book, pages):
    figures = pages[book / "summary.html"].find_all("figure")
    assert len(figures) == (ROOT / "book/summary.md").read_text(encoding="utf-8").count("{shown}") > 4
    assert all(figure.img["alt"] and "not run" not in figure.get_text() for figure in figures)
    assert all(re.search(r"\(page \d\d\)", figure.get_text()) for figure in figures)


def test_the_status_page_lists_every_notebook(book, pages):
    lines = pages[book / "status.html"].select("table.run-status tbody tr")
    assert [line.td.get_text() for line in lines] == [called(source.stem) for source in SOURCES]
    assert [line.a["href"] for line in lines] == [f"executed/{source.stem}.html" for source in SOURCES]
    said = pages[book / "status.html"].find(string=re.compile("All pages: state current, profile smoke"))
    assert said
    heads = {head.get_text() for head in pages[book / "status.html"].select("table.run-status th")}
    assert {"page", "seconds", "made"} <= heads
    assert not {"state", "profile"} & heads


def test_pages_load_what_folds_tables_only_where_one_is_long(book, pages):
    folded = {path for path, page in pages.items() if page.select('table[class*="fold-"]')}
    assert folded
    assert folded == {path for path, page in pages.items() if page.find("script", src=re.compile("fold.js"))}


def test_parameters_lead_to_the_names_that_they_take(book, pages):
    page = book / "executed/06_tab_correlation.html"
    heads = [head.get_text() for head in pages[page].select("table.provenance th")]
    assert heads == ["parameter", "meaning", "value", "allowed"]
    cells = {row.td.get_text(): row for row in pages[page].select("table.provenance tr") if row.td}
    for name, kind in {"targets": "data set", "rates": "encoder"}.items():
        link = cells[name].a
        assert link.get_text() == kind
        section = pages[target(page, link["href"])].find(id=urlsplit(link["href"]).fragment)
        assert section.h2.get_text().lower().startswith(kind)


def test_names_in_tables_may_break_between_their_words_and_are_copied_whole(book, pages):
    (cell,) = (td for td in pages[book / "assets.html"].select("td") if td.get_text() == "glyphs_greek")
    assert str(cell.code.span) == '<span class="pre">glyphs_<wbr/>greek</span>'


def test_each_labelled_equation_has_its_test_and_links_it(book, pages):
    text = (ROOT / "book/theory.md").read_text(encoding="utf-8")
    labels = re.findall(r"^\s*\$\$\s*\(([\w-]+)\)\s*$", text, re.MULTILINE)
    files = {path.stem for path in (ROOT / "tests/equations").glob("test_*.py")}
    assert files == {f"test_{label.replace('-', '_')}" for label in labels}
    for number, label in enumerate(labels, 1):
        (link,) = pages[book / "theory.html"].select(f'article a[href="equations.html#test-{label}"]')
        assert link.get_text() == f"test of ({number})"
    heads = [
        head.get_text() for head in pages[book / "equations.html"].select("article section > section > h2")
    ]
    numbers = [a.get_text() for a in pages[book / "equations.html"].select('article a[href*="#equation-"]')]
    assert [head.partition(" ")[0] for head in heads] == numbers == [f"({k + 1})" for k in range(len(labels))]


def test_no_line_breaks_inside_a_number_or_between_maths_and_its_punctuation(book, pages):
    seen, loose = 0, []
    for path, soup in pages.items():
        article = BeautifulSoup(str(soup.select_one("article") or ""), "html.parser")
        for code in article.select("code, pre, script, svg"):
            code.decompose()
        text = article.get_text()
        seen += len(re.findall(r"\d\N{NO-BREAK SPACE}%|\[[-+.\d]+,\N{NO-BREAK SPACE}", text))
        found = re.findall(r"\d[ \n]?%|%[ \n]CI|\[[-+]?[.\d]+,[ \n][-+]?[.\d]+\]", text)
        maths = [node for node in article.select("span.math") if "nobr" not in node.parent.get("class", [])]
        found += [f"{node.get_text()}," for node in maths if re.match("[,.;:)]", str(node.next_sibling))]
        loose += [f"{path.name}: {words}" for words in found]
    assert seen > 50
    assert not loose


@pytest.mark.parametrize("folder", ["book/_vendor/mathjax", "book/_vendor/vega", "tests/axe"])
def test_what_is_vendored_is_what_its_list_says(folder):
    folder = ROOT / folder
    done = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    listed = {line.split(maxsplit=1)[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == listed | {"SHA256SUMS"}
