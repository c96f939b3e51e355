"""Build the notebooks from their `.py` sources: `python notebooks/build.py [NAME ...]`.

Runs every source from top to bottom in a fresh kernel with the `laptop` preset and
writes the `.ipynb` beside it, outputs included. With `--check` nothing runs: it tells
which pairs and students' copies have drifted apart. With `--stamp` nothing runs either:
it puts the repository's address from pyproject.toml into both halves and the student's
copy. `--student` writes the students' copies in docs/student alone, which a build and
`--stamp` do as well. Without names: all, in order.
"""

import argparse
import os
import re
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import jupytext
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

import student
from dcgan_helpers.hyperparameters import PRESET_VARIABLE

NOTEBOOKS = Path(__file__).resolve().parent
STUDENT = NOTEBOOKS.parent / "docs" / "student"
# What every machine writes alike; versions, time stamps and widget state would churn.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def repository():
    """The repository's address; pyproject.toml is the one place that has it."""
    text = (NOTEBOOKS.parent / "pyproject.toml").read_text(encoding="utf-8")
    return re.search(r'^Repository = "(.+)"', text, re.MULTILINE)[1]


def stamp(text, name):
    """Either half of a pair with the repository's address in its badge and set-up cell."""
    owner_and_name = repository().removeprefix("https://github.com/")
    badge = f"colab.research.google.com/github/{owner_and_name}/blob/main/notebooks/{name}.ipynb"
    text = re.sub(r"colab\.research\.google\.com/github/[^)]+\.ipynb", badge, text)
    return re.sub(r'git\+https:[^"\\]+', f"git+{repository()}", text)


def read(source):
    """The notebook a source stands for, without outputs."""
    notebook = jupytext.reads(
        stamp(source.read_text(encoding="utf-8"), source.stem), fmt="py:percent"
    )
    notebook.metadata = {"jupytext": notebook.metadata["jupytext"], **METADATA}
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"  # random ids would change at every build
    return notebook


def execute(notebook):
    """Run all cells with the stored outputs' preset and keep what a page can show."""
    client = NotebookClient(
        notebook, timeout=None, kernel_name="python3",
        resources={"metadata": {"path": str(NOTEBOOKS)}}, store_widget_state=False,
        coalesce_streams=True,  # where the kernel happens to cut its text would churn
    )  # fmt: skip
    servers = tensorboard_servers()
    try:
        client.execute(env=kernel_environment("laptop"))
    finally:
        stop_tensorboard_servers(servers)
    notebook.metadata.update(METADATA)  # the kernel has added its version
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # time stamps
        if cell.cell_type == "code":
            cell.outputs = [
                output for output in cell.outputs if is_page_content(output)
            ]


def kernel_environment(preset):
    """The environment of a kernel that runs a notebook with a preset."""
    # %tensorboard starts a program of this virtual environment, activated or not.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {PRESET_VARIABLE: preset, "PATH": path}


def tensorboard_servers():
    """The notes that TensorBoard servers leave about themselves, where %tensorboard looks."""
    return set(Path(tempfile.gettempdir(), ".tensorboard-info").glob("pid-*.info"))


def stop_tensorboard_servers(spared):
    """End the servers that have come since `spared`, because they outlive their kernels."""
    for note in tensorboard_servers() - spared:
        with suppress(OSError):  # it has ended by itself
            os.kill(int(note.stem.removeprefix("pid-")), signal.SIGTERM)
        note.unlink(missing_ok=True)


def is_page_content(output):
    """False for progress bars and for TensorBoard's frame, which are dead on a page."""
    if output.output_type == "stream":
        return output.name == "stdout"
    data = output.get("data", {})
    is_frame = "tensorboard-frame" in "".join(data.get("text/html", ""))
    return "application/vnd.jupyter.widget-view+json" not in data and not is_frame


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", help="such as 07 or 07_training; all when left out"
    )
    parser.add_argument("--check", action="store_true", help="only compare the pairs")
    parser.add_argument(
        "--stamp", action="store_true", help="only put the repository's address in"
    )
    parser.add_argument(
        "--student", action="store_true", help="only write the students' copies"
    )
    arguments = parser.parse_args()
    sources = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.py"))
    if arguments.names:
        sources = [s for s in sources if s.stem.startswith(tuple(arguments.names))]
    if not sources:
        sys.exit(f"error: no notebook is called {' or '.join(arguments.names)}")
    failed = False
    for source in sources:
        notebook, built = read(source), source.with_suffix(".ipynb")
        if arguments.check:
            same = built.exists() and same_cells(notebook, jupytext.read(built))
            copied = copy_of(source).exists() and same_text(source, notebook)
            failed |= not (same and copied)
            says = "in step" if copied else "differs from the student's; --student"
            says = says if same else "differs from its .ipynb; build it"
            print(f"{source.stem}: {says}")
            continue
        if arguments.student:
            write_copy(source, notebook)
            continue
        for half in (source, built) if arguments.stamp else (source,):
            stamped = stamp(half.read_text(encoding="utf-8"), source.stem)
            half.write_text(stamped, encoding="utf-8", newline="\n")
        if arguments.stamp:
            write_copy(source, notebook)
            continue
        write_copy(source, notebook)
        start = time.perf_counter()
        try:
            execute(notebook)
        except CellExecutionError as error:
            print(f"{source.stem}: failed\n{error}", file=sys.stderr)
            failed = True
            continue
        jupytext.write(notebook, built, fmt="ipynb")
        print(f"{source.stem}: built in {time.perf_counter() - start:.0f} s")
    sys.exit(failed)


def copy_of(source):
    """The student's copy of a notebook."""
    return STUDENT / f"{source.stem}.ipynb"


def write_copy(source, notebook):
    """Write the student's copy of a notebook without outputs."""
    STUDENT.mkdir(parents=True, exist_ok=True)
    text = student.student_edition(notebook, source.stem)
    copy_of(source).write_text(text, encoding="utf-8", newline="\n")


def same_text(source, notebook):
    """True when the student's copy is what the source gives."""
    text = copy_of(source).read_text(encoding="utf-8")
    return text == student.student_edition(notebook, source.stem)


def same_cells(one, other):
    """True when two notebooks have the same cells: kind, text, tags and ids."""
    return [
        (cell.cell_type, cell.source, cell.metadata.get("tags"), cell.id)
        for cell in one.cells
    ] == [
        (cell.cell_type, cell.source, cell.metadata.get("tags"), cell.id)
        for cell in other.cells
    ]


if __name__ == "__main__":
    main()
