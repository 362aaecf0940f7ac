"""The built pages in Chromium, opened as files: light, dark, and on a phone."""

import json
import os
import re
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking --no-first-run "
    "--disable-sync --disable-component-update --hide-scrollbars --window-size=1280,1000"
)
AXE = (ROOT / "tests/axe/axe.min.js").read_text(encoding="utf-8")
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("book")]


def names():
    """Every page of the table of contents, without its ending."""
    toc = yaml.safe_load((ROOT / "book/_toc.yml").read_text())
    chapters = [chapter for part in toc["parts"] for chapter in part["chapters"]]
    executed = [f"executed/{path.stem}" for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.py"))]
    return [toc["root"], *(chapter["file"] for chapter in chapters if "file" in chapter), *executed, "runs/*"]


@pytest.fixture(scope="module", params=["light", "dark", "phone"])
def browser(request):
    """A Chromium in one of three modes."""
    programs = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    program, driver = next(filter(None, programs), None), shutil.which("chromedriver")
    if not (program and driver):
        message = "Chromium and chromedriver are not installed: the book is not tested in a browser"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)
    options = Options()
    options.binary_location = program
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    if request.param == "phone":
        screen = {"width": 390, "height": 844, "pixelRatio": 2}
        options.add_experimental_option("mobileEmulation", {"deviceMetrics": screen})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", media(request.param))
    chrome.mode = request.param
    yield chrome
    chrome.quit()


def media(mode):
    """What the page is told of the screen."""
    scheme = "dark" if mode == "dark" else "light"
    return {"media": "", "features": [{"name": "prefers-color-scheme", "value": scheme}]}


def visit(browser, url):
    """Open a page and wait until its mathematics is set and its images are there."""
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(url)
    ready = """
        const images = [...document.images].every(image => image.complete);
        const set = document.querySelectorAll('mjx-container').length;
        return document.readyState === 'complete' && images && set >= document.querySelectorAll('.math').length;"""
    WebDriverWait(browser, 30).until(lambda chrome: chrome.execute_script(ready))


@pytest.mark.parametrize("name", names())
def test_page(browser, book, name):
    (path,) = book.glob(f"{name}.html")
    visit(browser, path.as_uri())
    logged = [
        entry["message"] for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")
    ]
    assert not logged
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert asked
    assert not [url for url in asked if not url.startswith(("file:", "data:"))]
    assert not [event for event in events if event["method"] == "Network.loadingFailed"]
    broken = "return [...document.querySelectorAll('mjx-merror')].map(node => node.textContent)"
    assert browser.execute_script(broken) == []
    empty = "return [...document.images].filter(image => image.naturalWidth === 0).map(image => image.src)"
    assert browser.execute_script(empty) == []
    wide, screen = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= screen
    if browser.mode == "phone":
        assert screen == 390
    assert browser.execute_script("return document.documentElement.dataset.theme") == (
        "dark" if browser.mode == "dark" else "light"
    )
    ink = """return [...document.querySelectorAll('img.ink')].map(image => {
        const style = getComputedStyle(image);
        return [style.filter, style.backgroundColor]})"""
    expected = "invert(1) hue-rotate(180deg)" if browser.mode == "dark" else "none"
    assert all(style == [expected, "rgba(0, 0, 0, 0)"] for style in browser.execute_script(ink))
    assert serious(browser) == []


def test_every_equation_fits_its_column(browser, book):
    """The window is 1,280 wide, a phone 390; in a table maths may scroll with it."""
    wide = """
        const shown = [...document.querySelectorAll('article mjx-container')].filter(maths => !maths.closest('table'));
        return [shown.length, shown.filter(maths => {
            const column = maths.parentElement.closest('div.math, p, li, dd, section').getBoundingClientRect();
            const set = maths.querySelector('mjx-math').getBoundingClientRect();
            return set.left < column.left - 1 || set.right > column.right + 1;
        }).map(maths => maths.closest('[id]').id + ': ' + maths.innerText)]"""
    seen = 0
    for path in sorted(book.glob("*.html")) + sorted((book / "executed").glob("*.html")):
        if "tex-chtml.js" in path.read_text(encoding="utf-8"):
            visit(browser, path.as_uri())
            shown, clipped = browser.execute_script(wide)
            assert clipped == [], path.name
            seen += shown
    assert seen > 50


TABLES = """
    const boxes = [...document.querySelectorAll('article .pst-scrollable-table-container')];
    return boxes.filter(box => box.checkVisibility()).map(box => {
        box.scrollLeft = 60;
        const cell = box.querySelector('tr > *'), left = box.getBoundingClientRect().left;
        return {
            name: box.getAttribute('aria-label'),
            cut: box.scrollWidth > box.clientWidth + 1,
            reached: box.tabIndex === 0 && box.getAttribute('role') === 'group',
            shadows: getComputedStyle(box).backgroundImage.split('gradient').length - 1,
            columns: cell.parentElement.children.length,
            below: box.getBoundingClientRect().bottom - box.querySelector('table').getBoundingClientRect().bottom,
            stacked: [...box.querySelectorAll('tr:has(> [data-label])')].filter(row => {
                const cells = [...row.cells].filter(cell => cell.checkVisibility());
                const named = cells.slice(1).every(cell => getComputedStyle(cell, '::before').content.endsWith(': "'));
                return named && new Set(cells.map(cell => cell.getBoundingClientRect().left)).size === 1;
            }).length,
            words: box.querySelectorAll('tr:has(> [data-label])').length,
            moved: Math.abs(cell.getBoundingClientRect().left - left) > 2,
        }})"""
# Lines of code that are cut, Python that wraps or that no key reaches, and words of code in tables, hashes aside, and of links
# to the next page that stand on two lines. Folds are opened first.
CODE = """
    document.querySelectorAll('article details').forEach(fold => { fold.open = true; });
    const cut = [...document.querySelectorAll('article pre')].filter(code => code.scrollWidth > code.clientWidth + 1);
    const python = [...document.querySelectorAll('article .highlight-python pre')].map(code => code.querySelector('.python'));
    const wrapped = python.filter(code => !code || getComputedStyle(code).whiteSpace !== 'pre' || code.tabIndex !== 0);
    const found = [...cut, ...wrapped].map(code => code?.innerText.slice(0, 60)), line = document.createRange();
    for (const name of document.querySelectorAll('article td code, .prev-next-title')) {
        const walk = document.createTreeWalker(name, NodeFilter.SHOW_TEXT);
        for (let text; (text = walk.nextNode()); )
            for (const word of text.data.matchAll(/[A-Za-z0-9]{1,30}/g)) {
                line.setStart(text, word.index);
                line.setEnd(text, word.index + word[0].length);
                if (new Set([...line.getClientRects()].map(box => Math.round(box.top))).size > 1) found.push(word[0]);
            }
    }
    return found"""


def test_no_table_or_code_is_cut_on_a_screen_and_on_a_phone_each_table_says_that_it_scrolls(browser, book):
    """A screen is 1,300 px wide. What scrolls has shadows at its edges, and its first column of four or more stays.

    Names in tables break between their words only. Python keeps its lines; on a phone a row of words is one block.
    """
    if browser.mode != "phone":
        browser.set_window_size(1300, 1000)
    scrolled = words = 0
    for name in names():
        (path,) = book.glob(f"{name}.html")
        visit(browser, path.as_uri())
        tables = browser.execute_script(TABLES)
        assert all(table["reached"] and table["name"].startswith("Table") for table in tables), name
        cut = [table for table in tables if table["cut"]]
        assert browser.mode == "phone" or not cut, name
        assert all(table["shadows"] == 4 for table in cut), name
        assert not [table for table in cut if table["columns"] >= 4 and table["moved"]], name
        assert all(abs(table["below"]) < 2 for table in tables), name
        assert all(table["stacked"] == (browser.mode == "phone") * table["words"] for table in tables), name
        scrolled, words = scrolled + len(cut), words + sum(table["words"] for table in tables)
        assert browser.execute_script(CODE) == [], name
    assert words > 100
    assert browser.mode != "phone" or scrolled > 10


# Of each table that scrolls: its hint, and at four places the cells of which the first column or the right edge hides a part
# that are not hidden whole, and how far the nearest seen one stands from that column.
SCROLLED = """
    const done = arguments[0], wait = () => new Promise(next => setTimeout(next, 150));
    document.documentElement.style.scrollBehavior = 'auto';
    const boxes = [...document.querySelectorAll('article .pst-scrollable-table-container')];
    (async () => {
        const found = [];
        for (const box of boxes.filter(box => box.checkVisibility() && box.scrollWidth > box.clientWidth + 1)) {
            const table = box.querySelector('table'), caption = table.querySelector('caption');
            const hint = getComputedStyle(caption ?? table, caption ? '::after' : '::before').content;
            const columns = table.rows[0].cells.length, places = [];
            for (const place of columns < 4 ? [] : [0, 25, 70, 1e5]) {
                box.scrollLeft = place;
                await wait();
                const rows = [...table.rows].filter(row => row.cells.length === columns && row.checkVisibility());
                const stop = box.getBoundingClientRect().right + 3;
                const edge = rows[0].cells[0].getBoundingClientRect().right;
                const cells = rows.flatMap(row => [...row.cells].slice(1)).filter(cell => {
                    const { left, right } = cell.getBoundingClientRect();
                    return right > edge + 3 && getComputedStyle(cell).clipPath === 'none';
                });
                const late = cells.filter(cell => cell.tagName === 'TD' && cell.getBoundingClientRect().right > stop);
                const right = late.filter(cell => cell.getBoundingClientRect().left < stop - 6).length;
                const starts = cells.map(cell => cell.getBoundingClientRect().left - edge);
                const end = box.scrollLeft > box.scrollWidth - box.clientWidth - 2;
                places.push({ place, end, right, cut: starts.filter(start => start < -3).length, nearest: Math.min(...starts) });
            }
            found.push({ caption: Boolean(caption), hint, places });
        }
        done(found);
    })();"""


def test_on_a_phone_the_first_column_of_a_table_cuts_no_number_and_each_table_says_that_it_scrolls(
    browser, book
):
    """The minus of "-.87" would be what is left of "+.87". Tables without a caption say that they scroll, too."""
    if browser.mode != "phone":
        pytest.skip("it is asked of a phone")
    tables, places = [], []
    for name in names():
        (path,) = book.glob(f"{name}.html")
        visit(browser, path.as_uri())
        found = browser.execute_async_script(SCROLLED)
        tables += [(name, table["caption"], table["hint"]) for table in found]
        places += [(name, place) for table in found for place in table["places"]]
    assert {caption for _, caption, _ in tables} == {True, False}
    assert not [table for table in tables if "scrolls sideways" not in table[2]]
    assert len(places) > 30
    assert not [(name, place) for name, place in places if place["cut"] or place["right"]]
    assert not [(name, place) for name, place in places if not place["end"] and abs(place["nearest"]) > 3]


FOLD = """
    const table = document.querySelector('table[class*="fold-"]'), button = table.querySelector('button');
    const seen = [...table.tBodies[0].rows].filter(row => getComputedStyle(row).display !== 'none');
    return {
        rows: seen.filter(row => !row.contains(button)).map(row => row.innerText),
        all: table.tBodies[0].rows.length - 1,
        fold: /fold-(\\d+)-(\\d+)/.exec(table.className).slice(1).map(Number),
        grounds: seen.map(row => getComputedStyle(row).backgroundColor),
        said: button.textContent,
        open: button.getAttribute('aria-expanded'),
        offered: button.checkVisibility()}"""


def test_the_folded_rows_of_a_long_table_are_shown_by_keyboard_and_printed(browser, book, tmp_path):
    path = next(p for p in sorted((book / "executed").glob("*.html")) if 'class="fold-' in p.read_text())
    text = path.read_text(encoding="utf-8").replace("<head>", f'<head><base href="{path.as_uri()}">')
    copy = tmp_path / path.name  # whose fold leaves rows below it in view
    copy.write_text(re.sub(r'class="fold-\d+-\d+', 'class="fold-2-5', text), encoding="utf-8")
    visit(browser, copy.as_uri())
    closed = browser.execute_script(FOLD)
    start, stop = closed["fold"]
    number = stop - start
    assert len(closed["rows"]) == closed["all"] - number < closed["all"]
    assert (closed["said"], closed["open"]) == (f"{number} more rows", "false")
    browser.find_element(By.CSS_SELECTOR, "tr.unfold button").send_keys(Keys.ENTER)
    then = browser.execute_script(FOLD)
    assert len(then["rows"]) == then["all"]
    assert then["rows"][:start] + then["rows"][stop:] == closed["rows"]
    assert (then["said"], then["open"]) == ("Show fewer rows", "true")
    for state in (closed, then):  # stripes
        assert len(set(state["grounds"][::2])) == len(set(state["grounds"][1::2])) == 1
        assert state["grounds"][0] != state["grounds"][1]
    assert serious(browser) == []
    wide, screen = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= screen
    browser.find_element(By.CSS_SELECTOR, "tr.unfold button").send_keys(Keys.SPACE)
    assert browser.execute_script(FOLD) == closed
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    printed = browser.execute_script(FOLD)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media(browser.mode))
    assert (printed["rows"], printed["offered"]) == (then["rows"], False)


SMALLEST = 9  # px of a letter's size on a phone


def drawn_text(path, width):
    """Sizes in px of the texts of a figure, a file of outlines, where it is ``width`` px wide."""
    figure = path.read_text(encoding="utf-8")
    scale = width / float(re.search(r'viewBox="0 0 ([\d.]+) ', figure)[1])
    for text in figure.split('<g id="text_')[1:]:
        # Letters are drawn 100 units high and scaled; the largest of a text is its size, since indices are smaller.
        sizes = [float(size) for size in re.findall(r"scale\(([\d.]+) -", text)]
        yield 100 * scale * max(sizes)


def test_no_text_is_smaller_than_nine_pixels_on_a_phone(browser, book):
    if browser.mode != "phone":
        pytest.skip("it is asked of a phone")
    small = """
        const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = new Set();
        for (let node; (node = walk.nextNode()); ) {
            const parent = node.parentElement;
            if (!node.data.trim() || !parent.checkVisibility() || parent.closest('mjx-assistive-mml, script, style'))
                continue;
            if (parseFloat(getComputedStyle(parent).fontSize) < arguments[0]) found.add(node.data.trim());
        }
        return [...found]"""
    images = "return [...document.querySelectorAll('img.ink')].map(i => [i.currentSrc, i.getBoundingClientRect().width])"
    wrong = {}
    for name in names():
        visit(browser, (book / f"{name}.html").as_uri())
        wrong[name] = browser.execute_script(small, SMALLEST)
        for source, width in browser.execute_script(images):
            sizes = list(drawn_text(Path(unquote(urlsplit(source).path)), width))
            assert sizes, source
            wrong[name] += [f"{Path(source).name}: {min(sizes):.1f} px"] * (min(sizes) < SMALLEST - 0.05)
    assert not {name: texts for name, texts in wrong.items() if texts}


def serious(browser):
    """Serious and critical findings of axe-core on the page that is open: rule, what it says, where."""
    browser.execute_script(AXE)
    found = browser.execute_async_script(
        "axe.run({resultTypes: ['violations']}).then(result => arguments[0](result.violations))"
    )
    return [
        (finding["id"], finding["help"], [node["html"][:200] for node in finding["nodes"][:5]])
        for finding in found
        if finding["impact"] in ("serious", "critical")
    ]


def test_axe_sees_what_is_wrong(browser, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text(
        '<html lang="en"><title>t</title><main><h1>t</h1><img src=""><button></button></main></html>'
    )
    browser.get(page.as_uri())
    assert {name for name, _, _ in serious(browser)} == {"image-alt", "button-name"}


def explored(browser):
    """What the explore page shows: choices, numbers, pictures, address."""
    return browser.execute_script("""
        const drawn = [...document.querySelectorAll('#explore-terms text')].map(mark => mark.textContent);
        return {
        choice: Object.fromEntries([...document.querySelectorAll('form.explore select')].map(s => [s.name, s.value])),
        numbers: [...document.querySelectorAll('#explore-numbers tbody tr')].map(row => row.innerText),
        pictures: document.querySelectorAll('.explore-chart:not([hidden]) svg').length,
        far: drawn.filter(text => text.endsWith('→')),
        ticks: drawn.map(Number).filter(Number.isFinite),
        said: document.getElementById('explore-said').textContent,
        address: location.href}""")


def test_a_row_is_explored_by_keyboard_and_its_address_brings_it_back(browser, book):
    visit(browser, (book / "explore.html").as_uri() + "?page=03_fig_small_gap")
    WebDriverWait(browser, 30).until(lambda chrome: explored(chrome)["pictures"] >= 1)
    first = explored(browser)
    assert first["choice"]["page"] == "03_fig_small_gap"
    assert any(line.startswith("bound (the sum)") for line in first["numbers"])
    choice = browser.find_element(By.CSS_SELECTOR, "#explore-page option:checked")
    assert choice.text == first["numbers"][-1].split("\t")[1] == "03 · small gap"
    for _ in range(200):
        if browser.switch_to.active_element.get_attribute("id") == "explore-transport":
            break
        ActionChains(browser).send_keys(Keys.TAB).perform()
    assert browser.switch_to.active_element.get_attribute("id") == "explore-transport"
    key = Keys.UP if first["choice"]["transport"] == "one-sided" else Keys.DOWN
    for _ in range(6):  # the shortest way to another row of the same page
        ActionChains(browser).send_keys(key).perform()
    then = explored(browser)
    assert then["choice"]["transport"] != first["choice"]["transport"]
    assert then["numbers"] != first["numbers"]
    assert then["address"] != first["address"]
    visit(browser, "about:blank")
    visit(browser, then["address"])
    WebDriverWait(browser, 30).until(lambda chrome: explored(chrome)["pictures"] >= 1)
    again = explored(browser)
    assert (again["choice"], again["numbers"]) == (then["choice"], then["numbers"])
    assert not [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def test_each_link_to_explore_opens_a_row_of_the_page_that_it_names(browser, book):
    texts = [path.read_text(encoding="utf-8") for path in (book / "executed").glob("*.html")]
    links = {link for text in texts for link in re.findall(r'href="\.\./(explore\.html\?page=\w+)"', text)}
    assert len(links) > 5
    for link in links:
        visit(browser, f"{book.as_uri()}/{link}")
        WebDriverWait(browser, 30).until(lambda chrome: explored(chrome)["pictures"] >= 1)
        shown = explored(browser)
        assert shown["choice"]["page"] == link.partition("?page=")[2]
        assert shown["said"].startswith("The bound is")  # nothing had to be changed


def test_the_explore_page_starts_with_a_telling_row_and_writes_numbers_alike(browser, book):
    visit(browser, (book / "explore.html").as_uri())
    WebDriverWait(browser, 30).until(lambda chrome: explored(chrome)["pictures"] >= 1)
    shown = explored(browser)
    assert {"bound (the sum)", "log K"} <= {line.split("\t")[0] for line in shown["numbers"]}
    values = [line.split("\t")[1] for line in shown["numbers"][:-1]]  # the last is the page's name
    numbers = [value for value in values if re.match(r"[−\d]", value)]
    assert len(numbers) > 6
    assert all(re.fullmatch(r"−?\d+\.\d{3}", value) for value in numbers)
    table = dict(line.split("\t") for line in shown["numbers"])
    assert f"bound, {shown['choice']['transport']} cost" not in table  # it is the sum
    end = 1.5 * float(table.get("chance", table["log K"]))
    losses = [float(value) for name, value in table.items() if name.startswith(("bound,", "loss"))]
    assert [float(text.removesuffix(" →")) for text in shown["far"]] == pytest.approx(
        [value for value in losses if value > end], abs=0.006
    )
    assert max(shown["ticks"]) <= end  # or three terms would be a sliver


def test_where_no_row_has_all_that_was_picked_the_page_says_what_changed(browser, book):
    visit(browser, (book / "explore.html").as_uri() + "#encoder=pixel+PCA&samples=60&page=06_tab_correlation")
    WebDriverWait(browser, 30).until(lambda chrome: explored(chrome)["pictures"] >= 1)
    shown = explored(browser)
    assert shown["said"].startswith("No row has all of that. Changed with it:")
    assert shown["choice"]["encoder"] == "pixel PCA"
    choose = browser.find_element(By.ID, "explore-page")
    assert choose.get_attribute("value") in shown["said"] or "samples" in shown["said"]


def slid(browser):
    """What the slider for tau shows: its value, the sentence, the table, and how many marks are drawn."""
    return browser.execute_script("""const at = selector => document.querySelector(`section.slider ${selector}`);
        return {
            tau: at('output').value,
            spoken: at('input').getAttribute('aria-valuetext'),
            said: at('.slider-said').textContent,
            numbers: [...document.querySelectorAll('section.slider tbody tr')].map(row => row.innerText),
            marks: document.querySelectorAll('section.slider circle').length}""")


# Colours of the marks and of the swatches in the sentence, and labels of the picture that a line or another label crosses.
LEGEND = """
    const all = selector => [...document.querySelectorAll(`section.slider ${selector}`)];
    const box = mark => mark.getBoundingClientRect(), [chance, best] = all('svg text').slice(-2);
    const others = [...all('svg line'), ...all('svg text'), ...all('svg circle')];
    const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
    const crosses = label => others.some(mark => mark !== label && meet(box(label), box(mark)));
    return {
        marks: [...new Set(all('circle').map(mark => getComputedStyle(mark).fill))].sort(),
        swatches: all('.slider-said .slider-swatch').map(mark => getComputedStyle(mark).backgroundColor).sort(),
        labels: [chance.textContent, best.textContent],
        crossed: [chance, best].filter(crosses).map(label => label.textContent),
        outside: [chance, best].filter(label => box(label).right > box(label.closest('svg')).right).length}"""


def test_the_picture_of_the_slider_has_its_legend_in_the_sentence_and_labels_that_nothing_crosses(
    browser, book
):
    visit(browser, (book / "executed/03_fig_small_gap.html").as_uri())
    for _ in range(3):
        found = browser.execute_script(LEGEND)
        assert found["swatches"] == found["marks"]
        assert len(found["marks"]) == 2
        assert found["labels"] == ["chance; beyond it, vacuous", "best head"]
        assert (found["crossed"], found["outside"]) == ([], 0)
        browser.find_element(By.ID, "slider-tau").send_keys(Keys.ARROW_RIGHT)


def test_the_slider_for_tau_is_moved_by_keyboard_and_text_follows(browser, book):
    visit(browser, (book / "executed/03_fig_small_gap.html").as_uri())
    assert browser.find_element(By.CSS_SELECTOR, "section.slider label").is_displayed()
    first = slid(browser)
    assert (first["tau"], first["spoken"]) == ("0.02", "tau = 0.02")
    assert re.fullmatch(
        r"Mean gap ratio: \d+\.\d\d with .*, \d+\.\d\d with the one-sided cost\.", first["said"]
    )
    browser.find_element(By.ID, "slider-tau").send_keys(Keys.ARROW_RIGHT)
    then = slid(browser)
    assert (then["tau"], then["spoken"]) == ("0.2", "tau = 0.2")
    assert then["said"] != first["said"]
    assert then["numbers"] != first["numbers"]
    assert then["marks"] == 2 * len(then["numbers"])  # two costs for each pair
    wide, screen = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= screen
    assert serious(browser) == []


def test_search_works_without_a_server(browser, book):
    visit(browser, (book / "search.html").as_uri() + "?q=status")
    found = "return document.querySelectorAll('#search-results li a').length"
    WebDriverWait(browser, 30).until(lambda chrome: chrome.execute_script(found) > 0)
