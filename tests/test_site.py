"""The site as a reader meets it: its links, and its pages in a browser without a network."""

import importlib.util
import json
import shutil
import subprocess
import sys
from functools import partial
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import browsers
import pytest
from checkout import ROOT

NEEDED = ("myst_nb", "sphinx_book_theme", "sphinx-mathjax-offline")
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
OTHERS = ("using", "classroom/README", "classroom/homework-1", "classroom/homework-2")
PAGES = ["index", "glossary", "search", *(f"notebooks/{name}" for name in NOTEBOOKS)]
PAGES += [name for name in OTHERS if (ROOT / "docs" / f"{name}.md").is_file()]
WIDTHS = (375, 768, 1440)
AXE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
    # The theme and MyST-NB call the search button and a folded cell otherwise than they read.
    "rules": {"label-content-name-mismatch": {"enabled": False}},
}


@pytest.fixture(scope="module")
def pages():
    """The extension that makes pages of notebooks."""
    path = ROOT / "docs" / "notebook_pages.py"
    spec = importlib.util.spec_from_file_location("notebook_pages", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site, from a copy, because the build copies notebooks into docs/."""
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        pytest.skip("docs/requirements.txt is not installed")
    copy = tmp_path_factory.mktemp("site")
    for name in ("docs", "notebooks", "images"):
        shutil.copytree(ROOT / name, copy / name)
    shutil.copy(ROOT / "pyproject.toml", copy)
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-d", "doctrees", "docs", "site"]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return copy / "site"


@pytest.fixture(scope="module")
def browser():
    with browsers.opened() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(site):
    with browsers.served(site) as address:
        yield address


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """The source of axe-core, which finds what a reader who sees or hears little cannot use."""
    npm, folder = shutil.which("npm"), tmp_path_factory.mktemp("axe")
    if npm is None:
        pytest.skip("no npm on this machine to bring axe-core")
    command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "axe-core@4"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        pytest.skip(f"npm brought no axe-core: {done.stderr.strip().splitlines()[-1:]}")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def test_alternative_text_is_the_cells_own_or_what_the_figure_is_called(pages):
    text = partial(pages.alternative_text, section="The `loss` $L$")
    assert text('ax.set(title="Two losses")') == "Two losses (figure in “The loss L”)"
    assert text('show_images(x, f"{n:,} fakes of $G$")').startswith("… fakes of G (")
    code = '%matplotlib inline\na.set_title("b")\nfigure.suptitle("c")\nplt.show()'
    assert text(code).startswith("b; c (")
    assert text("ax.plot(y)") == "Figure in “The loss L”"
    picture = {"output_type": "display_data", "data": {"image/png": ""}}
    cells = [
        {"cell_type": "markdown", "source": ["# One\n", "\n", "## Two"]},
        {"cell_type": "code", "source": "f()", "metadata": {}, "outputs": [picture]},
        {"cell_type": "code", "source": "f()", "metadata": {"alt": "A ring"}, "outputs": [picture]},
        {"cell_type": "code", "source": "f()", "metadata": {}, "outputs": []},
    ]
    pages.add_page_parts({"cells": cells}, "name")
    alts = [cell["metadata"].get("mystnb", {}).get("image", {}).get("alt") for cell in cells[1:]]
    assert alts == ["Figure in “Two”", "A ring", None]


def test_badge_becomes_links_and_a_line_needs_what_it_links(pages, tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "DOCS", tmp_path)
    colab = "https://colab.research.google.com/github/a/b/blob/main/notebooks/00_x.ipynb"
    cell = {"cell_type": "markdown", "source": f"[![Open In Colab](https://c/d.svg)]({colab})\n"}
    notebook = {"cells": [cell]}
    pages.add_page_parts(notebook, "00_x")
    copy = '<a href="../_sources/notebooks/00_x.ipynb" download>Download</a>'
    assert cell["source"] == f"[Open in Colab]({colab}) · {copy}\n"
    (tmp_path / "student").mkdir()
    (tmp_path / "student" / "00_x.ipynb").touch()
    assert pages.links(colab, "00_x").endswith("/main/docs/student/00_x.ipynb)")
    content = ["kept <!-- needs: student/00_x.ipynb -->\ngone <!-- needs: draw/index.html -->\n"]
    pages.change_source(None, "index", content)
    assert content == ["kept\n"]
    content = ["generator\n  生成器. It draws.\n"]
    pages.change_source(None, "glossary", content)
    assert content == ['generator\n  <span lang="zh-Hant">生成器</span>. It draws.\n']


class Page(HTMLParser):
    """What a page links to, the places in it that can be linked to, and its pictures."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors, self.pictures = [], set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.anchors |= {values.get("id"), values.get("name")}
        self.links += [values[name] for name in ("href", "src", "srcset") if values.get(name)]
        if tag == "img":
            self.pictures.append(values)


@pytest.mark.slow
def test_every_link_and_anchor_leads_somewhere(site):
    """Nothing runs for this, and it is slow all the same, because the site must be built."""
    paths = [path for path in site.rglob("*.html") if not {"_static", "decks"} & {*path.parts}]
    found = {path: Page(path) for path in paths}
    assert {path.relative_to(site).with_suffix("").as_posix() for path in paths} >= set(PAGES)
    wrong, inside = [], 0
    for path, page in found.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            inside += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            is_there = target.is_file() and (target in found or not parts.fragment)
            if is_there and parts.fragment and parts.fragment not in found[target].anchors:
                is_there = False
            if not is_there:
                wrong.append(f"{path.relative_to(site)}: {link}")
    assert inside > 1000 and wrong == []


@pytest.mark.slow
def test_notebooks_are_whole_in_order_and_as_they_are_in_the_repository(site):
    for name, following in zip(NOTEBOOKS, [*NOTEBOOKS[1:], None], strict=True):
        copy, original = (
            folder / "notebooks" / f"{name}.ipynb" for folder in (site / "_sources", ROOT)
        )
        assert copy.read_bytes() == original.read_bytes()
        html = (site / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
        assert '<link rel="next" title="' in html
        if following:
            assert f'href="{following}.html" />' in html.partition('<link rel="next"')[2][:300]
        assert "colab-badge" not in html and f"/{name}.ipynb" in html
        assert "glossary.html#term-" in html
        cells = json.loads(original.read_text(encoding="utf-8"))["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        pictures = sum("image/png" in output.get("data", {}) for output in outputs)
        page = Page(site / "notebooks" / f"{name}.html")
        drawn = [values for values in page.pictures if "_images/" in values["src"]]
        assert len(drawn) == pictures > 0
        assert all(len(values["alt"]) > 10 for values in drawn)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_page_is_whole_without_a_network(page, address, browser):
    """Nothing from another host, no error, formulas set, pictures there, no sideways scrolling."""
    browsers.asked_for(browser), browsers.errors(browser)
    browser.get(f"{address}/{page}.html")
    browser.set_script_timeout(60)
    browser.execute_async_script(
        """const done = arguments[0], formulas = document.querySelector(".math");
        document.querySelectorAll("img").forEach(image => image.loading = "eager");
        const pictures = [...document.images].map(image => image.decode().catch(() => 0));
        const set = formulas ? MathJax.startup.promise : 0;
        Promise.all([set, ...pictures]).then(() => done());"""
    )
    outside = [a for a in browsers.asked_for(browser) if not a.startswith((address, "data:"))]
    assert outside == [] and browsers.errors(browser) == []
    unset = """return [...document.querySelectorAll(".math")].filter(
        formula => !formula.querySelector("mjx-container")).map(f => f.textContent)"""
    assert browser.execute_script(unset) == []
    wrong = "return [...document.querySelectorAll('mjx-merror')].map(e => e.textContent)"
    assert browser.execute_script(wrong) == []
    absent = "return [...document.images].filter(i => !i.naturalWidth).map(i => i.src)"
    assert browser.execute_script(absent) == []
    for width in WIDTHS:
        browsers.set_width(browser, width)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_page_can_be_read_by_all(page, address, browser, axe):
    """axe-core's rules of WCAG 2.1 A and AA, contrast and alternative texts among them."""
    browsers.set_width(browser, 1440)
    for theme in ("light", "dark"):
        browser.get(f"{address}/{page}.html")
        browser.execute_script(
            "for (const key of ['mode', 'theme']) localStorage.setItem(key, arguments[0])", theme
        )
        browser.refresh()
        assert browser.execute_script("return document.documentElement.dataset.theme") == theme
        browser.execute_script(axe)
        browser.set_script_timeout(120)
        found = browser.execute_async_script(
            """const [options, done] = arguments;
            axe.run(options).then(result => done(result.violations.flatMap(v =>
                v.nodes.map(n => `${v.id}: ${n.html.slice(0, 200)} ${n.failureSummary}`))));""",
            AXE,
        )
        assert found == [], theme


@pytest.mark.slow
def test_search_finds_and_the_keyboard_reaches_the_text(address, browser):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait

    browsers.set_width(browser, 1440)
    browser.get(f"{address}/search.html?q=slerp")
    results = "#search-results li a"
    WebDriverWait(browser, 20).until(lambda b: b.find_elements(By.CSS_SELECTOR, results))
    found = [a.get_attribute("href") for a in browser.find_elements(By.CSS_SELECTOR, results)]
    assert any("notebooks/10_latent_space.html" in link for link in found)
    browser.get(f"{address}/index.html")
    browser.switch_to.active_element.send_keys(Keys.TAB)
    # It slides into sight, and Selenium gives no text of what is out of sight.
    first = browser.switch_to.active_element.get_attribute("textContent").strip()
    assert first == "Skip to main content"
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert browser.current_url.endswith("#main-content")
