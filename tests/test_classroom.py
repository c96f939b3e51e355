"""Lectures, plans and homework: quotes find their cells, minutes and points add up, slides fit."""

import importlib.util
import re

import browsers
import pytest
from checkout import ROOT

from dcgan_helpers import InputError

CLASSROOM = ROOT / "docs" / "classroom"
DECKS = sorted(CLASSROOM.glob("lecture-*.md"))
every_deck = pytest.mark.parametrize("deck", DECKS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def build():
    """The builder of the decks."""
    spec = importlib.util.spec_from_file_location("classroom_build", CLASSROOM / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def parts_of(build):
    """Reads a deck; every quote in it is looked up."""
    read = {}
    return lambda deck: read.setdefault(deck, build.read_deck(deck)[1])


@pytest.fixture(scope="module")
def deck_from(build, tmp_path_factory):
    """Reads a deck of one slide with a given text."""

    def read(text):
        path = tmp_path_factory.mktemp("deck") / "lecture-9.md"
        path.write_text(f"# Title\n\n## Part (5)\n\n### Slide\n\n{text}", encoding="utf-8")
        return build.read_deck(path)[1][0].slides[0]

    return read


def fence(notebook="02_shape_tests", **keys):
    lines = "".join(f"{name}: {value}\n" for name, value in keys.items())
    return f"```{{quote}} {notebook}\n{lines}```\n"


@every_deck
def test_each_slide_has_notes_and_one_thing_to_look_at(deck, parts_of):
    for part in parts_of(deck):
        assert part.slides, part.name
        for slide in part.slides:
            assert len(slide.notes.split()) >= 10, slide.title
            assert len(slide.quotes) <= 1, slide.title
            assert not (slide.is_vote and slide.quotes), slide.title


@every_deck
def test_votes_have_an_answer_and_come_twice_in_a_quarter_of_an_hour(deck, parts_of):
    parts = parts_of(deck)
    votes = [slide for part in parts for slide in part.slides if slide.is_vote]
    for vote in votes:
        options = vote.body.count("<li>")
        answer = re.search(r"\*\*Answer:\*\* ([A-D])", vote.notes)
        assert answer, vote.title
        assert 2 <= options <= 4 and "ABCD".index(answer[1]) < options, vote.title
    assert len(votes) >= 2 * sum(part.minutes for part in parts) / 15


def test_a_quote_is_what_the_cell_has(deck_from):
    cell = "by_hand = torch.zeros(3, 3)"
    code = deck_from(fence(cell=cell, part="code", **{"from": "image =", "to": "kernel ="})).body
    assert re.sub("<.*?>", "", code).splitlines() == [
        "image = torch.tensor([[1.0, 2.0], [3.0, 4.0]])",
        "kernel = torch.tensor([[1.0, 10.0], [100.0, 1000.0]])",
    ]
    output = deck_from(fence(cell=cell, part="output", **{"from": "PyTorch", "to": "PyTorch"})).body
    assert re.sub("<.*?>", "", output) == "PyTorch says the same: True"
    assert 'src="data:image/png;base64,' in deck_from(fence(cell="figsize=(9, 4)", part="picture")).body


def test_what_is_cut_from_students_copies_leaves_no_mark(build):
    text = "def f(x):\n    # BEGIN SOLUTION\n    return x\n    # END SOLUTION\n"
    assert build.cut(text, None, None, "a cell") == "def f(x):\n    return x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (fence(cell="no such text", part="code"), "0 code cells of 02_shape_tests contain 'no such"),
        (fence(cell="torch", part="code"), r"\d+ code cells of 02_shape_tests contain 'torch'; exp"),
        (fence(notebook="02_shapes", cell="x", part="code"), "from 02_shapes; expected one of 00_st"),
        (fence(cell="def follow", part="figure"), "part is figure; expected picture, code or output"),
        (fence(part="code"), "expected cell"),
        (fence(cell="def follow", part="code", lines="1"), "'lines'"),
        (fence(cell="def follow", part="picture"), "number: 1; the cell has 0 pictures"),
        (fence(cell="def follow", part="code", **{"from": "up ="}), "0 lines .* begin with 'up ='"),
        (fence(cell="def follow", part="code", to="no line"), "0 lines .* begin with 'no line'"),
        (fence(cell="def chain", part="code"), None),
        (
            fence("03_generator", cell="columns = (", part="output"),
            "pixels a letter; a slide takes 18 or more: quote fewer lines",
        ),
        (
            fence("04_discriminator", cell="kinds.items(), strict", part="picture"),
            "would be shown at .* draw it wide in the notebook",
        ),
        ("$\\nonsense{x}$", "the formula .* cannot be set"),
        ("```{figure} x\n```", "expected {notes} or {quote}"),
    ],
)
def test_a_quote_that_finds_nothing_says_so(text, message, deck_from):
    if message is None:
        return deck_from(text)
    with pytest.raises(InputError, match=rf"lecture-9.md, line 7: .*{message}"):
        deck_from(text)


# What can be measured on a slide that is shown: everything but the notes.
MEASURE = """
const slide = Reveal.getCurrentSlide(), faults = [], label = slide.querySelector("p.part");
const limit = label.getBoundingClientRect().top;
const seen = [...slide.querySelectorAll("*")].filter(e => !e.closest("aside"));
for (const e of seen) {
    const box = e.getBoundingClientRect(), name = e.tagName + " " + e.textContent.slice(0, 40);
    if (box.left < 0 || box.top < 0 || box.right > 1280 || box.bottom > 720)
        faults.push(name + ": from " + [box.left, box.top] + " to " + [box.right, box.bottom]);
    if (e !== label && box.bottom > limit) faults.push(name + ": over the name of the part");
    const text = [...e.childNodes].filter(n => n.nodeType === 3 && n.data.trim());
    if (text.length && parseFloat(getComputedStyle(e).fontSize) < 18)
        faults.push(name + ": letters of " + getComputedStyle(e).fontSize);
    if (text.some(n => n.data.includes("$")) && !e.closest("pre"))
        faults.push(name + ": a formula is not set");
    if (e.tagName === "IMG" && !(e.complete && e.naturalWidth)) faults.push(e.alt + ": not shown");
    if (e.matches("img.formula") && box.height < 8) faults.push(e.alt + ": " + box.height);
    if (e.matches("img.picture") && box.width < 0.7 * e.naturalWidth)
        faults.push(e.alt + ": " + box.width + " of " + e.naturalWidth + " pixels wide");
}
return faults;
"""


@pytest.fixture(scope="module")
def browser():
    with browsers.opened() as browser:
        yield browser


@pytest.fixture(scope="module")
def built(build, tmp_path_factory):
    """A folder with all decks, away from the checkout, so that nothing beside them helps."""
    if importlib.util.find_spec("sphinx_revealjs") is None:
        pytest.skip("docs/requirements.txt is not installed: no sphinx-revealjs")
    folder = tmp_path_factory.mktemp("decks")
    for deck in DECKS:
        (folder / f"{deck.stem}.html").write_text(
            build.page(*build.read_deck(deck)), encoding="utf-8"
        )
    return folder


@pytest.fixture
def opened(built, browser, request):
    """A deck, opened as a file in a window of 1280 × 720 pixels."""
    size = {"width": 1280, "height": 720, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get((built / f"{request.param.stem}.html").as_uri())
    return browser


opened_decks = pytest.mark.parametrize("opened", DECKS, indirect=True, ids=lambda path: path.stem)


@pytest.mark.slow
@opened_decks
def test_every_slide_fits_and_nothing_is_fetched(opened):
    count = opened.execute_script("return Reveal.getTotalSlides()")
    faults = {}
    for index in range(count):
        opened.execute_script("Reveal.slide(arguments[0])", index)
        if found := opened.execute_script(MEASURE):
            faults[index + 1] = found
    assert count >= 20 and not faults
    assert not browsers.errors(opened)
    addresses = browsers.asked_for(opened)
    assert addresses and all(a.startswith(("file:", "data:")) for a in addresses), addresses


@pytest.mark.slow
@opened_decks
def test_the_speaker_sees_the_notes(opened):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.wait import WebDriverWait

    deck = opened.current_window_handle
    note = opened.execute_script("return document.querySelector('aside.notes strong').textContent")
    opened.find_element(By.TAG_NAME, "body").send_keys("s")
    try:
        WebDriverWait(opened, 30).until(lambda b: len(b.window_handles) == 2)
        (speaker,) = set(opened.window_handles) - {deck}
        opened.switch_to.window(speaker)
        WebDriverWait(opened, 30).until(
            lambda b: note in b.find_element(By.CSS_SELECTOR, ".speaker-controls-notes").text
        )
        opened.close()
    finally:
        opened.switch_to.window(deck)
