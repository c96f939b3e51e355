"""What a machine can hold of plain English: lengths, sentences, one name for each thing."""

import re
from functools import cache

import nbformat
import pytest
from checkout import ROOT

SOURCES = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.py"))
every_notebook = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)

WORDS, WORDS_LISTED, WORDS_OPENING = 150, 250, 110
"""Words of a markdown cell at most; with a table, a folded box or a list; of the first cell."""
SENTENCE_WORDS, LONGER_SHARE = 30, 0.03
"""Words of a sentence at most, and the share of sentences that may be longer."""
ALL_WORDS = 21_000
"""Words of notebooks 00 to 12 at most; the aim is 19,500."""

ONE_NAME = {
    r"pictures?": "image, or figure",
    r"running averages?": "moving average (of weights), running statistics (of batch norm)",
    r"theory's loss|(?<!non-)saturating loss": "minimax loss",
    r"bfloat16": "bf16",
    r"pass(es)? over": "epoch",
    r"verdicts?": "logit, or class",
    r"ceilings?|roof(line)?s?": "limit",
    r"nearest-neighbour test": "neighbour accuracy",
    r"too near": "near",
    r"feature maps?": "maps",
}
"""Names that do not stand in the prose, and the one that the series uses."""

IDIOMS = (
    r"all but certain|all the same|as it were|at a glance|at first sight|at the end of the day|"
    r"back to square|black art|bottom line|by and large|by good luck|by heart|by leaps|cliffs?|"
    r"cut corners|diseases?|free lunch|from scratch|get off the ground|get the hang|give away|"
    r"good luck|hand in hand|in a nutshell|in the dark|in the long run|jump to conclusions|"
    r"keep an eye|keep in mind|leaves? no doubt|no praise|no wonder|off the shelf|on the fly|"
    r"on the other hand|once in a while|orders? of magnitude|out of the box|out of thin air|"
    r"pays? off|plays? a role|rule of thumb|silver bullet|so to speak|stands? to reason|"
    r"sweet spot|take for granted|the other way (a)?round|the same token|tip of|to its feet|"
    r"trial and error|turns? out|under the hood|up to scratch|voices?|yardsticks?"
)


@cache
def markdown_of(source):
    cells = nbformat.read(source.with_suffix(".ipynb"), as_version=4).cells
    return tuple(cell.source for cell in cells if cell.cell_type == "markdown")


def words(text):
    """How many words a reader sees: addresses of links and hidden markers are none."""
    return len(re.findall(r"\w+", re.sub(r"\]\([^)]*\)|<!--.*?-->", "] ", text)))


def sentences(text):
    """The sentences of a cell; code and formulas count as one word, tables not at all."""
    for pattern, instead in (
        (r"```.*?```|<!--.*?-->", " "),
        (r"\$\$.*?\$\$", " F. "),
        (r"\$[^$]*\$", "F"),
        (r"`[^`]*`", "C"),
        (r"!?\[([^\]]*)\]\([^)]*\)", r"\1"),
        (r"<[^>]+>", " "),
        (r"^\s*\|.*$", ""),
    ):
        text = re.sub(pattern, instead, text, flags=re.DOTALL if "." in pattern[:4] else re.M)
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-*#]|\d+\.) )", text):
        yield from re.split(r"(?<=[.!?:;])[\"”)*]*\s+(?=[A-Z\"“(])", " ".join(block.split()))


def without_code(text):
    return re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", " ", text, flags=re.DOTALL)


def found(patterns, text):
    """Where one of the patterns stands in the prose of a text, as whole words."""
    return [m.group() for m in re.finditer(rf"\b(?:{patterns})\b", without_code(text), re.I)]


@every_notebook
def test_cells_are_short(source):
    first, *others = markdown_of(source)
    assert words(first) <= WORDS_OPENING, words(first)
    for text in others:
        listed = re.search(r"<details|^\||^(?:[-*]|\d+\.) ", text, re.MULTILINE)
        assert words(text) <= (WORDS_LISTED if listed else WORDS), (words(text), text[:80])


@every_notebook
def test_sentences_are_short(source):
    all_of_them = [s for text in markdown_of(source) for s in sentences(text) if words(s)]
    longer = [s for s in all_of_them if len(re.findall(r"[\w'’]+", s)) > SENTENCE_WORDS]
    assert len(longer) <= LONGER_SHARE * len(all_of_them), longer


def test_long_sentences_are_found():
    text = "One two three.\n\n| a | b |\n\nA formula $x + y$ and `code of many words` here: Then."
    assert list(filter(words, sentences(text))) == [
        "One two three.",
        "A formula F and C here:",
        "Then.",
    ]


@every_notebook
def test_each_thing_has_one_name(source):
    text = "\n".join(markdown_of(source))
    for pattern, name in ONE_NAME.items():
        assert not found(pattern, text), f"{found(pattern, text)}: the series says {name}"


@every_notebook
def test_no_idioms(source):
    assert not found(IDIOMS, "\n".join(markdown_of(source)))


def test_names_and_idioms_are_found():
    assert found(next(iter(ONE_NAME)), "A picture, `picture` and Pictures.") == [
        "picture",
        "Pictures",
    ]
    assert found(IDIOMS, "It turns out well on the fly.") == ["turns out", "on the fly"]


def test_the_series_is_short():
    total = sum(words(text) for source in SOURCES[:13] for text in markdown_of(source))
    assert total <= ALL_WORDS, total


def test_readme_is_short():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert words(re.sub(r"^\|.*$", "", text, flags=re.MULTILINE)) <= 900
