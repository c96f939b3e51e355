"""Build the decks: `python docs/classroom/build.py [--output FOLDER]`.

Each becomes one HTML file that needs no network. reveal.js comes with sphinx-revealjs.

A deck is a Markdown file, `lecture-N.md`. `## Name (minutes)` begins a part, `### Title` a slide.
Code fences carry what is not text. `{notes}` holds what the speaker says. `{quote} NOTEBOOK` takes
a picture, code or output from a cell of a built notebook:

    cell: a text that stands in exactly one code cell of the notebook
    part: picture, code or output
    from: the line of code or output to begin with (left out: the first)
    to: the line to end with, from there on (left out: the last; the same as from: one line)
    number: which picture, where the cell has several (left out: 1)

So a figure, a line of code or a number on a slide is the notebook's. A quote that finds nothing,
or more than one place, is an error.
"""

import argparse
import base64
import html
import io
import re
import struct
import sys
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import matplotlib
import nbformat
from markdown_it import MarkdownIt
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import math_to_image
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

CLASSROOM = Path(__file__).resolve().parent
NOTEBOOKS = CLASSROOM.parents[1] / "notebooks"
WIDTH, HEIGHT = 1200, 590
"""Pixels of a slide that a picture or code may fill: 1280 × 720 less the title and the margins."""
SMALLEST, LARGEST = 18, 34
"""Pixels of the text of code and output. A line is 1.3 times as high, a letter 0.61 as wide."""
SCALES = 0.7, 1.3
"""How far a picture may be made smaller or larger."""
SET, SHOWN = 50, 1.1
"""Points of a formula's letters when it is set (many, because Matplotlib rounds to whole points),
and how large they are shown beside the text's, whose small letters are larger."""
QUOTE_KEYS = {"cell", "part", "from", "to", "number"}
# Lines that mark what is cut from the students' copies.
MARKERS = re.compile(r"^\s*#+ *(BEGIN|END) SOLUTION")


class DeckError(ValueError):
    """A deck asks for what is not there, or does not fit a slide."""


@dataclass
class Slide:
    """One slide: its title, the HTML below it, and the Markdown of its notes."""

    title: str
    body: str = ""
    notes: str = ""
    quotes: list[dict] = field(default_factory=list)

    @property
    def is_vote(self):
        return self.title.startswith("Vote")


@dataclass
class Part:
    """A part of a lecture, as long as the plan in README.md says."""

    name: str
    minutes: int
    slides: list[Slide] = field(default_factory=list)


@cache
def code_cells(notebook):
    """The code cells of a built notebook, such as 03_generator."""
    path = NOTEBOOKS / f"{notebook}.ipynb"
    if not path.is_file():
        names = ", ".join(sorted(p.stem for p in NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")))
        raise DeckError(f"a quote is from {notebook}; expected one of {names}")
    return [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]


def quoted_cell(notebook, text):
    """The one code cell of a notebook that contains a text."""
    found = [cell for cell in code_cells(notebook) if text in cell.source]
    if len(found) != 1:
        raise DeckError(
            f"{len(found)} code cells of {notebook} contain {text!r}; expected exactly one: name "
            "another line of the cell, or the title of its figure"
        )
    return found[0]


def cut(text, first, last, where):
    """The lines of a text from one that is given to another, both included; indentation goes."""
    lines = [line.rstrip() for line in text.splitlines() if not MARKERS.match(line)]
    ends = [0, len(lines) - 1]
    for index, wanted in enumerate((first, last)):
        if wanted is None:
            continue
        # A line may come again after the one that the quote begins with.
        places = [
            i for i in range(ends[0], len(lines)) if lines[i].strip().startswith(wanted.strip())
        ]
        if not places or (len(places) > 1 and index == 0):
            raise DeckError(
                f"{len(places)} lines of {where} begin with {wanted!r}; expected exactly one"
            )
        ends[index] = places[0]
    chosen = lines[ends[0] : ends[1] + 1]
    indent = min(len(line) - len(line.lstrip()) for line in chosen if line.strip())
    return "\n".join(line[indent:] for line in chosen)


def preformatted(content, text, kind):
    """Code or output in the largest letters that fit a slide."""
    lines = text.splitlines()
    size = min(LARGEST, HEIGHT / (1.3 * len(lines)), WIDTH / (0.61 * max(map(len, lines))))
    if size < SMALLEST:
        raise DeckError(
            f"{len(lines)} lines, the longest of {max(map(len, lines))} letters, would need "
            f"{size:.0f} pixels a letter; a slide takes {SMALLEST} or more: quote fewer lines"
        )
    return f'<pre class="{kind}" style="font-size: {size:.1f}px">{content}</pre>'


def picture(cell, number, text):
    """A picture among a cell's outputs, as large as a slide allows."""
    pictures = [o.data["image/png"] for o in cell.outputs if "image/png" in o.get("data", {})]
    if number not in map(str, range(1, len(pictures) + 1)):
        raise DeckError(f"number: {number}; the cell has {len(pictures)} pictures")
    data = re.sub(r"\s", "", pictures[int(number) - 1])
    width, height = struct.unpack(">II", base64.b64decode(data[:64])[16:24])  # PNG's header
    scale = min(WIDTH / width, HEIGHT / height, SCALES[1])
    if scale < SCALES[0]:
        raise DeckError(
            f"a picture of {width}×{height} pixels would be shown at {scale:.0%}; a slide takes "
            f"{SCALES[0]:.0%} or more: draw it wide in the notebook"
        )
    return (
        f'<img class="picture" src="data:image/png;base64,{data}" alt="{html.escape(text)}" '
        f'width="{width * scale:.0f}" height="{height * scale:.0f}">'
    )


def quote(notebook, keys):
    """The HTML of a quote; `keys` are the lines of its fence."""
    unknown = set(keys) - QUOTE_KEYS
    if unknown or "cell" not in keys:
        raise DeckError(f"a quote has {sorted(keys)}; expected cell, and of {sorted(QUOTE_KEYS)}")
    cell = quoted_cell(notebook, keys["cell"])
    where = f"{notebook}, the cell with {keys['cell']!r}"
    part = keys.get("part")
    try:
        if part == "picture":
            return picture(cell, keys.get("number", "1"), f"Figure of notebook {notebook}")
        if part == "code":
            text = cut(cell.source, keys.get("from"), keys.get("to"), where)
            colored = highlight(text, PythonLexer(), HtmlFormatter(nowrap=True))
            return preformatted(colored, text, "code")
        if part == "output":
            streams = [o.text for o in cell.outputs if o.output_type == "stream"]
            text = cut("".join(streams), keys.get("from"), keys.get("to"), where)
            return preformatted(html.escape(text), text, "output")
    except DeckError as error:
        raise DeckError(f"{where}: {error}") from None
    raise DeckError(f"{where}: part is {part}; expected picture, code or output")


def formula(tex, display):
    """A formula as a picture, set by Matplotlib, so that a deck needs neither network nor fonts."""
    file, font = io.BytesIO(), FontProperties(size=SET, math_fontfamily="stix")
    try:
        with matplotlib.rc_context({"svg.fonttype": "path"}):
            depth = math_to_image(f"${' '.join(tex.split())}$", file, font, 72, "svg")
    except ValueError as error:
        raise DeckError(f"the formula {tex} cannot be set: {str(error).splitlines()[-1]}") from None
    svg = re.sub(r"<metadata>.*?</metadata>", "", file.getvalue().decode(), flags=re.DOTALL)
    size = SHOWN / SET  # in the unit em: it follows the text around
    width, height = (
        size * float(re.search(rf'{side}="([\d.]+)pt"', svg)[1]) for side in ("width", "height")
    )
    return (
        f'<img class="{"formula display" if display else "formula"}" alt="{html.escape(tex)}" '
        f'style="width: {width:.3f}em; height: {height:.3f}em; '
        f'vertical-align: {-depth * size:.3f}em" '
        f'src="data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}">'
    )


def markdown():
    """Markdown with formulas between dollars."""

    def render(tex, options):
        return formula(tex, options["display_mode"])

    return MarkdownIt().enable("table").use(dollarmath_plugin, renderer=render)


def fence_keys(text):
    """`name: value` lines as a dictionary; values may stand in quotes."""
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def read_deck(path):
    """The title of a deck and its parts."""
    md, title, parts, slide = markdown(), None, [], None
    tokens = md.parse(path.read_text(encoding="utf-8"))
    position = 0
    while position < len(tokens):
        token = tokens[position]
        line = f"{path.name}, line {token.map[0] + 1 if token.map else '?'}"
        step = 1
        try:
            if token.type == "heading_open" and token.tag in ("h1", "h2", "h3"):
                text, step = tokens[position + 1].content, 3
                if token.tag == "h1":
                    title = text
                elif token.tag == "h2":
                    named = re.fullmatch(r"(.+) \((\d+)\)", text)
                    if not named:
                        raise DeckError(f"the part is called {text!r}; expected 'Name (minutes)'")
                    parts.append(Part(named[1], int(named[2])))
                    slide = None
                else:
                    if not parts:
                        raise DeckError("a slide stands before the first part; begin one with ##")
                    slide = Slide(text)
                    parts[-1].slides.append(slide)
            elif slide is None:
                raise DeckError(
                    "text stands before the first slide of its part; begin one with ###"
                )
            elif token.type == "fence" and token.info.strip() == "{notes}":
                slide.notes += token.content
            elif token.type == "fence" and token.info.startswith("{quote}"):
                keys = fence_keys(token.content)
                slide.quotes.append(keys)
                slide.body += quote(token.info.removeprefix("{quote}").strip(), keys)
            elif token.type == "fence" and token.info.startswith("{"):
                raise DeckError(f"{token.info}; expected {{notes}} or {{quote}} and a notebook")
            else:
                while True:  # one block, whatever it contains
                    depth = sum(t.nesting for t in tokens[position : position + step])
                    if depth == 0:
                        break
                    step += 1
                slide.body += md.renderer.render(tokens[position : position + step], md.options, {})
        except DeckError as error:
            raise DeckError(f"{line}: {error}") from None
        position += step
    if title is None:
        raise DeckError(f"{path.name} has no title; begin it with # and the title")
    return title, parts


def reveal():
    """The folder of reveal.js in the package that ships it."""
    spec = find_spec("sphinx_revealjs")
    if spec is None:
        raise DeckError("sphinx-revealjs is missing: pip install -r docs/requirements.txt")
    return Path(spec.origin).parent / "_static" / "revealjs"


def page(title, parts):
    """One HTML file that needs no other."""
    md, slides, lecture = markdown(), [], title.split(":")[0]
    for part in parts:
        for slide in part.slides:
            kind = "vote" if slide.is_vote else "quoted" if slide.quotes else "text"
            slides.append(
                f'<section class="{kind}"><h2>{md.renderInline(slide.title)}</h2>\n{slide.body}'
                f'<p class="part">{html.escape(lecture)} · {html.escape(part.name)}</p>'
                f'<aside class="notes">{md.render(slide.notes)}</aside></section>'
            )
    folder = reveal()
    styles = [
        folder / "dist" / "reset.css",
        folder / "dist" / "reveal.css",
        CLASSROOM / "slides.css",
    ]
    scripts = [folder / "dist" / "reveal.js", folder / "plugin" / "notes" / "notes.js"]
    style = "\n".join(path.read_text(encoding="utf-8") for path in styles)
    style += HtmlFormatter(style="default").get_style_defs("pre.code")
    script = "\n".join(path.read_text(encoding="utf-8") for path in scripts)
    script = re.sub(r"^//# sourceMappingURL=.*$", "", script, flags=re.MULTILINE)
    script = script.replace("</script", "<\\/script")  # would end the element
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>
<link rel="icon" href="data:,">
<style>{style}</style></head>
<body><div class="reveal"><div class="slides">
{"".join(slides)}
</div></div>
<script>{script}</script>
<script>
Reveal.initialize({{
    width: 1280, height: 720, margin: 0, minScale: 0.2, maxScale: 4, center: false,
    hash: true, slideNumber: "c/t", transition: "none", plugins: [RevealNotes],
}});
</script></body></html>
"""


def decks():
    """The sources of all decks."""
    return sorted(CLASSROOM.glob("lecture-*.md"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--output", type=Path, default=CLASSROOM / "decks", help="folder of the HTML files"
    )
    output = parser.parse_args().output
    try:
        output.mkdir(parents=True, exist_ok=True)
        for source in decks():
            built = output / f"{source.stem}.html"
            built.write_text(page(*read_deck(source)), encoding="utf-8", newline="\n")
            print(f"{built}: {built.stat().st_size / 1e6:.1f} MB")
    except (DeckError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
