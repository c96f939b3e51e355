"""The students' copies: made of the notebooks, without an answer, and they run to their end."""

import re

import nbformat
import pytest
from checkout import ROOT
from jupytext.cli import jupytext as jupytext_command
from nbclient import NotebookClient
from test_notebooks import SOURCES, build, every_notebook

from dcgan_helpers.exercises import EXERCISES

student = build.student
# One always, the others where there is time.
RUN = [
    pytest.param(source, marks=[] if source.stem.startswith("02_") else pytest.mark.slow)
    for source in SOURCES
]

CONVERTED = {"00", "01", "02", "03", "04", "06", "10", "13", "14"}
"""Notebooks whose exercises stand in cells tagged `exercise`."""


def cells_of(source):
    """The cells of a notebook and of its student's copy."""
    copy = nbformat.reads(build.copy_of(source).read_text(encoding="utf-8"), as_version=4)
    return build.read(source).cells, copy.cells


def solutions(source):
    """The lines of all solutions of a notebook, without what stands around them."""
    for cell in build.read(source).cells:
        if student.has_tag(cell, "solution"):
            yield from cell.source.splitlines()
        for match in student.SOLUTION.finditer(cell.source):
            yield from match[2].splitlines()


@every_notebook
def test_copy_is_what_the_source_gives(source):
    text = student.student_edition(build.read(source), source.stem)
    assert build.copy_of(source).read_bytes() == text.encode(), "run notebooks/build.py --student"


def test_there_is_one_copy_of_each_notebook_and_no_other():
    copies = [path.name for path in sorted((ROOT / "docs" / "student").iterdir())]
    assert copies == [f"{source.stem}.ipynb" for source in SOURCES]


@every_notebook
def test_lines_are_those_of_the_source_in_order(source):
    ours, copy = cells_of(source)
    assert copy[0].source.startswith("**Save a copy first.**")
    left = iter(line for cell in ours for line in cell.source.splitlines())
    for cell in copy[1:]:
        for line in cell.source.splitlines():
            is_new = line.endswith("...  # your code") or "colab-badge.svg" in line
            assert is_new or line in left, line  # `in` moves on to the line


@every_notebook
def test_badge_and_links_lead_to_the_copy_and_to_files(source):
    _, copy = cells_of(source)
    badges = re.findall(r"github/[^)]+\.ipynb", "".join(cell.source for cell in copy))
    assert len(badges) == 1
    assert badges[0].endswith(f"/blob/main/docs/student/{source.stem}.ipynb")
    for cell in copy:
        if cell.cell_type == "markdown":
            for link in re.findall(r"\]\((?!http|#)([^)]+)\)", cell.source):
                assert (build.STUDENT / link).is_file(), link


@every_notebook
def test_no_answer_and_no_output_is_left(source):
    if source.stem[:2] not in CONVERTED:
        pytest.skip("its solutions are not marked yet")
    _, copy = cells_of(source)
    text = {line.strip() for cell in copy for line in cell.source.splitlines()}
    leaked = {line.strip() for line in solutions(source)} & text
    assert not {line for line in leaked if len(line) >= 12}
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in copy)
    assert not any("SOLUTION" in line or "Spoilers" in line for line in text)


@every_notebook
def test_exercise_cells_say_which_exercise_they_check(source):
    """Each has a stub in the copy, and hands the answer to a check of this notebook."""
    for cell in build.read(source).cells:
        if student.has_tag(cell, "exercise"):
            assert student.SOLUTION.search(cell.source), cell.source
            called = re.search(r"^(\w+) = exercises\.(\w+)\(\1\)$", cell.source, re.MULTILINE)
            assert called, cell.source
            number = next(n for n, e in EXERCISES.items() if e.name == called[1])
            assert source.stem.startswith(number[:2])
        else:
            assert "SOLUTION" not in cell.source


def test_saving_a_copy_in_jupyter_makes_no_pair(tmp_path):
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    copy = tmp_path / "copy.ipynb"
    copy.write_bytes(build.copy_of(SOURCES[2]).read_bytes())
    assert not jupytext_command(["--sync", "--quiet", str(copy)])
    assert {path.name for path in tmp_path.iterdir()} == {"pyproject.toml", "copy.ipynb"}


@pytest.mark.parametrize("source", RUN, ids=lambda path: path.stem)
def test_run_all_of_an_unanswered_copy_ends_well(source, tmp_path):
    notebook = nbformat.reads(build.copy_of(source).read_text(encoding="utf-8"), as_version=4)
    servers = build.tensorboard_servers()
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    try:
        client.execute(env=build.kernel_environment("ci"))
    finally:
        build.stop_tensorboard_servers(servers)
    for cell in notebook.cells:
        if student.has_tag(cell, "exercise"):
            printed = "".join(output.get("text", "") for output in cell.outputs)
            assert "not answered yet" in printed and "right" not in printed
