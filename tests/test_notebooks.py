"""Rules that every notebook pair keeps; that the notebooks run is for `pytest --nbval`."""

import ast
import base64
import inspect
import io
import math
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import jupytext
import nbformat
import pytest
from checkout import ROOT
from jupytext.cli import jupytext as jupytext_command
from PIL import Image

from dcgan_helpers import exercises

SOURCES = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.py"))
sys.path.insert(0, str(ROOT / "notebooks"))
import build  # noqa: E402

every_notebook = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


def built(source):
    return nbformat.read(source.with_suffix(".ipynb"), as_version=4)


def code_cells(source):
    return [cell for cell in built(source).cells if cell.cell_type == "code"]


def test_there_are_notebooks_and_each_has_its_other_half():
    assert SOURCES
    built_ones = (ROOT / "notebooks").glob("*.ipynb")
    assert sorted(path.stem for path in built_ones) == [path.stem for path in SOURCES]


@every_notebook
def test_pair_agrees(source):
    assert build.same_cells(build.read(source), jupytext.read(source.with_suffix(".ipynb")))


@every_notebook
def test_saving_in_jupyter_changes_nothing(source, tmp_path):
    """`jupytext --sync`, which JupyterLab does at every save, leaves both files alone."""
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    pair = [tmp_path / source.name, tmp_path / f"{source.stem}.ipynb"]
    for path in pair:
        path.write_bytes((source.parent / path.name).read_bytes())
    for newer in pair:
        newer.touch()
        assert not jupytext_command(["--sync", "--quiet", str(newer)])
        for path in pair:
            ours, theirs = (
                p.read_text(encoding="utf-8") for p in (path, source.parent / path.name)
            )
            assert ours == theirs, f"{path.name} changed"


@every_notebook
def test_metadata_is_the_same_on_every_machine(source):
    metadata = built(source).metadata
    assert {key: metadata[key] for key in build.METADATA} == build.METADATA
    assert set(metadata) == {*build.METADATA, "jupytext"}
    assert "jupytext_version" not in metadata["jupytext"].get("text_representation", {})


@every_notebook
def test_every_cell_ran_in_order_and_none_failed(source):
    cells = code_cells(source)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        assert not any(output.output_type == "error" for output in cell.outputs)


@every_notebook
def test_nothing_personal_is_stored(source):
    text = source.with_suffix(".ipynb").read_text(encoding="utf-8")
    for pattern in (r"/(home|root|Users|tmp|work|content)/\w", r"[A-Z]:\\\\", str(Path.home())):
        assert not re.search(pattern, text), pattern


@every_notebook
def test_cells_whose_output_is_ignored_assert_something(source):
    for cell in code_cells(source):
        if "nbval-ignore-output" in cell.metadata.get("tags", []):
            without_magics = re.sub(r"^%.*$", "", cell.source, flags=re.MULTILINE)
            nodes = ast.walk(ast.parse(without_magics))
            assert any(isinstance(node, ast.Assert) for node in nodes), cell.source


@every_notebook
def test_most_outputs_are_compared(source):
    cells = code_cells(source)
    ignored = ["nbval-ignore-output" in cell.metadata.get("tags", []) for cell in cells]
    assert 1 - sum(ignored) / len(cells) >= 0.6


@every_notebook
def test_code_fits_on_a_projector(source):
    for cell in code_cells(source):
        lines = cell.source.splitlines()
        assert len(lines) <= 26, cell.source
        assert max(map(len, lines)) <= 88, cell.source


@every_notebook
def test_address_is_the_one_of_the_project(source):
    text = source.read_text(encoding="utf-8")
    assert build.stamp(text, source.stem) == text
    assert build.repository() in text


def test_one_command_puts_another_address_into_both_halves(checkout_copy):
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = project.replace(build.repository(), "https://github.com/someone/else")
    (checkout_copy / "pyproject.toml").write_text(project, encoding="utf-8")
    command = [sys.executable, checkout_copy / "notebooks" / "build.py"]
    subprocess.run([*command, "--stamp"], check=True)
    subprocess.run([*command, "--check"], check=True, capture_output=True)
    for source in SOURCES:
        stamped = nbformat.read(checkout_copy / "notebooks" / f"{source.stem}.ipynb", as_version=4)
        text = "\n".join(cell.source for cell in stamped.cells)
        assert text.count("github.com/someone/else") >= 1
        assert f"github/someone/else/blob/main/notebooks/{source.stem}.ipynb" in text
        assert build.repository() not in text
        assert [c.get("outputs") for c in stamped.cells] == [
            c.get("outputs") for c in built(source).cells
        ]


@every_notebook
def test_links_to_files_lead_somewhere(source):
    for cell in built(source).cells:
        if cell.cell_type == "markdown":
            for link in re.findall(r"\]\((?!http|#)([^)]+)\)", cell.source):
                assert (source.parent / link).is_file(), link


@every_notebook
def test_pictures_are_drawn_by_the_notebook_itself(source):
    """Colab has the `.ipynb` alone, so a picture beside it would be missing there."""
    for cell in built(source).cells:
        if cell.cell_type == "markdown":
            for text, link in re.findall(r"!\[(.*?)\]\(([^)]+)\)", cell.source):
                assert link.startswith("https://") and len(text) > 10, link


@every_notebook
def test_form_is_that_of_the_series(source):
    markdown = [c.source for c in built(source).cells if c.cell_type == "markdown"]
    text = "\n".join(markdown)
    number = int(source.stem[:2])
    assert markdown[0].startswith(f"# {number} · ")
    for part in ("**In this notebook you will**", "**You need**", "**Time:** read "):
        assert part in markdown[0], part
    sections = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert sections[-3:] == ["Common mistakes", "Summary", "Exercises"]
    assert "<b>Predict first:</b>" in text and "**Next:**" in markdown[-1]
    promised = len(re.findall(r"^\d\. ", markdown[0], re.MULTILINE))
    summary = text.partition("## Summary\n")[2].partition("## Exercises")[0]
    assert 3 <= promised <= 5
    assert len(re.findall(r"^\d\. ", summary, re.MULTILINE)) == promised


@every_notebook
def test_figures_have_titles_and_are_shown(source):
    for cell in code_cells(source):
        if "plt.subplots(" in cell.source and "def " not in cell.source:
            assert "title" in cell.source and "plt.show()" in cell.source, cell.source


@every_notebook
def test_figures_can_be_read_on_a_dark_page(source):
    for cell in code_cells(source):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                png = base64.b64decode(output.data["image/png"])
                with Image.open(io.BytesIO(png)) as image:
                    assert image.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)
                    assert image.width >= 500, cell.source


def numbers(text):
    """All numbers of a text; percentages both as they stand and as shares."""
    for number, percent in re.findall(r"(\d[\d,]*(?:\.\d+)?(?:e-?\d+)?)(\s?%)?", text):
        value = float(number.replace(",", ""))
        yield from (value, value / 100) if percent else (value,)


@cache  # each quoted number asks again
def text_outputs(source):
    """What a notebook printed and tabled, as one text."""
    parts = []
    for cell in code_cells(source):
        for output in cell.outputs:
            data = output.get("data", {})
            parts += [output.get("text", ""), data.get("text/plain", "")]
            parts.append(re.sub(r"<style.*?</style>|<[^>]*>", " ", data.get("text/html", "")))
    return "\n".join(map(str, parts))


QUOTED = r"(\d[\d,]*(?:\.(\d+))?)(\s?%)?<!--seen(?:: (\d\d))?-->"


def wrongly_quoted(text, outputs_of):
    """Numbers with a hidden marker that no text output rounds to; `outputs_of(None or "08")`."""
    wrong = []
    for number, decimals, percent, elsewhere in re.findall(QUOTED, text):
        value = float(number.replace(",", "")) / (100 if percent else 1)
        half = 0.5 * 10 ** -(len(decimals) + (2 if percent else 0)) + 1e-9
        seen = numbers(outputs_of(elsewhere or None))
        if not any(abs(value - x) <= half for x in seen):
            wrong.append(number + percent)
    return wrong


@every_notebook
def test_quoted_numbers_are_those_of_the_outputs(source):
    """`14.1<!--seen-->` in the prose: a stored output of this notebook rounds to it."""
    markdown = "\n".join(c.source for c in built(source).cells if c.cell_type == "markdown")
    others = {path.stem[:2]: path for path in SOURCES}

    def outputs_of(number):
        return text_outputs(others[number] if number else source)

    assert markdown.count("<!--seen") == len(re.findall(QUOTED, markdown)), "a marker is misplaced"
    assert wrongly_quoted(markdown, outputs_of) == []


def test_wrongly_quoted_numbers_are_found():
    outputs = "FID 14.06, sure 71.4%, 1,890 steps, share 0.055"
    text = "14.1<!--seen--> and 71%<!--seen--> and 1,890<!--seen--> and 5.5%<!--seen-->, 30"
    assert wrongly_quoted(text, lambda _: outputs) == []
    text = "14.2<!--seen--> and 72%<!--seen--> and 1,891<!--seen: 08--> and 14.0<!--seen-->"
    assert wrongly_quoted(text, lambda _: outputs) == ["14.2", "72%", "1,891", "14.0"]


@every_notebook
def test_reading_time_is_counted(source):
    """120 words a minute, 6 s a line of code, 30 s a picture."""
    cells = built(source).cells
    markdown = [cell.source for cell in cells if cell.cell_type == "markdown"]
    code = [cell for cell in cells if cell.cell_type == "code"]
    words = sum(len(re.findall(r"\w+", text)) for text in markdown)
    lines = sum(bool(line.strip()) for cell in code for line in cell.source.splitlines())
    pictures = sum("image/png" in o.get("data", {}) for cell in code for o in cell.outputs)
    minutes = math.ceil(words / 120 + lines / 10 + pictures / 2)
    assert f"**Time:** read {minutes} min" in markdown[0], f"{minutes} minutes"


def test_shape_tests_of_notebook_02_are_those_of_the_package():
    source = next(path for path in SOURCES if path.stem.startswith("02_"))
    text = "\n".join(cell.source for cell in code_cells(source))
    for check in (exercises.check_generator, exercises.check_discriminator):
        written = next(
            node
            for node in ast.parse(text.replace("%", "#")).body
            if isinstance(node, ast.FunctionDef) and node.name == check.__name__
        )
        ours = ast.parse(inspect.getsource(check)).body[0]
        assert [ast.dump(x) for x in written.body] == [ast.dump(x) for x in ours.body]


def test_series_is_listed_in_full_wherever_it_is_listed():
    start = (ROOT / "notebooks" / "00_start_here.py").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for source in SOURCES:
        own = source.read_text(encoding="utf-8")
        read, run = re.search(r"\*\*Time:\*\* read (\d+) min, run (\d+) min", own).groups()
        assert f"(notebooks/{source.stem}.ipynb)" in readme
        row = next(line for line in readme.splitlines() if f"{source.stem}.ipynb)" in line)
        assert row.endswith(f"| read {read} min, run {run} min |"), row
        row = next(
            line for line in start.splitlines() if re.match(rf"# \| .*\b{source.stem[:2]}\b", line)
        )
        assert row.endswith(f"| {read} min | {run} min |"), row
