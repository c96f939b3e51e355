"""Lectures, plans and homework: quotes find their cells, minutes and points add up, slides fit."""

import importlib.util
import re
import shlex
import subprocess
import sys

import browsers
import pytest
from checkout import ROOT
from test_language import IDIOMS, ONE_NAME, found

CLASSROOM = ROOT / "docs" / "classroom"
DECKS = sorted(CLASSROOM.glob("lecture-*.md"))
PAGES = sorted(CLASSROOM.glob("*.md"))
HOMEWORK = {"homework-1": 20, "homework-2": 40}
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
    assert (
        'src="data:image/png;base64,'
        in deck_from(fence(cell="figsize=(9, 4)", part="picture")).body
    )


def test_what_is_cut_from_students_copies_leaves_no_mark(build):
    text = "def f(x):\n    # BEGIN SOLUTION\n    return x\n    # END SOLUTION\n"
    assert build.cut(text, None, None, "a cell") == "def f(x):\n    return x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            fence(cell="no such text", part="code"),
            "0 code cells of 02_shape_tests contain 'no such",
        ),
        (
            fence(cell="torch", part="code"),
            r"\d+ code cells of 02_shape_tests contain 'torch'; exp",
        ),
        (
            fence(notebook="02_shapes", cell="x", part="code"),
            "from 02_shapes; expected one of 00_st",
        ),
        (
            fence(cell="def follow", part="figure"),
            "part is figure; expected picture, code or output",
        ),
        (fence(part="code"), "expected cell"),
        (fence(cell="def follow", part="code", lines="1"), "'lines'"),
        (fence(cell="def follow", part="picture"), "number: 1; the cell has 0 pictures"),
        (fence(cell="def follow", part="code", **{"from": "up ="}), "0 lines .* begin with 'up ='"),
        (fence(cell="def follow", part="code", to="no line"), "0 lines .* begin with 'no line'"),
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
    ids=lambda value: value[:30],
)
def test_a_quote_that_finds_nothing_says_so(text, message, build, deck_from):
    with pytest.raises(build.DeckError, match=rf"lecture-9.md, line 7: .*{message}"):
        deck_from(text)


def tables(name):
    """The tables of a page as lists of rows, each row a dictionary."""
    blocks, lines = [], (CLASSROOM / f"{name}.md").read_text(encoding="utf-8").splitlines()
    for line, before in zip(lines, ["", *lines], strict=False):
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            if not before.startswith("|"):
                blocks.append((cells, []))
            elif not line.startswith("| ---"):
                blocks[-1][1].append(dict(zip(blocks[-1][0], cells, strict=True)))
    return [rows for _, rows in blocks]


@pytest.fixture(scope="module")
def plans():
    """The plans for 90 minutes, the two lectures, and half a day."""
    return [rows for rows in tables("README") if "minutes" in rows[0]]


def test_minutes_add_up(plans):
    for rows, total in zip(plans, (90, 90, 90, 240), strict=True):
        passed = 0
        for row in rows:
            assert row["from"] == f"{passed // 60}:{passed % 60:02}", row
            assert int(row["minutes"]) > 0 and row["skip if late"], row
            passed += int(row["minutes"])
        assert passed == total


def test_plans_are_of_the_parts_that_the_decks_have(plans, parts_of):
    both = [[(part.name, part.minutes) for part in parts_of(deck)] for deck in DECKS]
    short, *lectures, half_day = plans
    for rows, parts in zip(lectures, both, strict=True):
        assert [(row["part"], int(row["minutes"])) for row in rows] == parts
    for row in short:
        number, name = row["slides"].split(": ")
        assert name in dict(both[int(number) - 1]), row
    halves = 0
    for row in half_day:
        if halve := re.fullmatch(r"Lecture (\d), from \*(.+)\* to \*(.+)\*", row["part"]):
            parts = both[int(halve[1]) - 1]
            first, last = ([name for name, _ in parts].index(halve[i]) for i in (2, 3))
            assert int(row["minutes"]) == sum(m for _, m in parts[first : last + 1]), row
            halves += 1
    assert halves == 4


@pytest.mark.parametrize("name", HOMEWORK)
def test_points_add_up(name):
    text = (CLASSROOM / f"{name}.md").read_text(encoding="utf-8")
    sections = [int(points) for points in re.findall(r"^## .* \((\d+) points\)$", text, re.M)]
    by_check, rubric = tables(name)
    assert sum(int(row["points"]) for row in by_check) == sections[0]
    assert sum(sections) == HOMEWORK[name] == int(re.search(r"\((\d+) points\)", text)[1])
    if "points" in rubric[0]:  # of two questions
        assert 2 * max(int(row["points"]) for row in rubric) == sections[1]
    else:
        assert 5 * len(rubric) == sections[1]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_pages_use_the_words_of_the_series(page):
    text = page.read_text(encoding="utf-8").replace("part: picture", "")
    for pattern, name in ONE_NAME.items():
        assert not found(pattern, text), f"{found(pattern, text)}: the series says {name}"
    assert not found(IDIOMS, text)


@pytest.mark.slow
def test_the_check_command_says_passed():
    text = (CLASSROOM / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^python (-m pytest .*)$", text, re.MULTILINE)
    done = subprocess.run(
        [sys.executable, *shlex.split(command)], cwd=ROOT, capture_output=True, text=True
    )
    last = done.stdout.strip().splitlines()[-1]
    assert "passed" in last and "failed" not in last, done.stdout


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
    from selenium.webdriver.support.wait import WebDriverWait

    # The driver waits for ever for this window, which is written by a script, so keep a reference.
    opened.execute_script("const o = open; window.open = (...a) => window.speaker = o(...a)")
    opened.find_element("tag name", "body").send_keys("s")
    note = opened.execute_script("return document.querySelector('aside.notes p').textContent")
    shown = "return speaker.document.querySelector('.speaker-controls-notes').textContent"
    try:
        WebDriverWait(opened, 60).until(lambda b: note in b.execute_script(shown))
    finally:
        opened.execute_script("speaker.close()")
