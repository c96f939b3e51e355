"""A reader on Colab: one `.ipynb` in an empty folder, the usual libraries, no helper package."""

import ast
import json
import os
import re
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from test_notebooks import SOURCES, build, every_notebook

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need a special right on Windows")

# What Colab has of itself, beside the libraries that the package says it needs.
COLAB = {"ipykernel", "ipywidgets", "setuptools"}
REQUIRED = {"dcgan-helpers", *COLAB}
# The one with TensorBoard always, the others where there is time.
ACTED = [
    pytest.param(source, marks=[] if source.stem.startswith("01_") else pytest.mark.slow)
    for source in SOURCES
]


def closure(names):
    """The distributions with these names and all that they require, by name."""
    found, seen, todo = {}, set(), [Requirement(name) for name in names]
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        if (name, *wanted.extras) in seen:
            continue
        seen.add((name, *wanted.extras))
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # optional, or part of something else
            continue
        for needed in map(Requirement, found[name].requires or []):
            # PyTorch names its CUDA libraries as extras of one package.
            extras = {"", *wanted.extras}
            if not needed.marker or any(needed.marker.evaluate({"extra": e}) for e in extras):
                todo.append(needed)
    return found


@pytest.fixture(scope="module")
def colab(tmp_path_factory):
    """A Python like Colab's: what the package requires is there, as links; the package is not."""
    folder = tmp_path_factory.mktemp("colab")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.check_output([python, "-c", code], text=True).strip())
    distributions = closure(REQUIRED)
    del distributions["dcgan-helpers"]
    for distribution in distributions.values():
        for file in distribution.files:
            # `google` is shared by several; Colab's own part is added to it below.
            depth = 2 if file.parts[0] == "google" else 1
            link = site.joinpath(*file.parts[:depth])
            if ".." not in file.parts and not link.exists():
                link.parent.mkdir(exist_ok=True)
                link.symlink_to(distribution.locate_file(Path(*file.parts[:depth])))
    (site / "google" / "colab").mkdir(parents=True)
    (site / "google" / "colab" / "__init__.py").touch()
    kernel = folder / "jupyter" / "kernels" / "colab"
    kernel.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Colab", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    return folder, python, site


def imported(source):
    """The top-level names that a notebook imports."""
    text = re.sub(r"^# %.*$|^%.*$", "", source.read_text(encoding="utf-8"), flags=re.MULTILINE)
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names)


@every_notebook
def test_what_a_notebook_imports_comes_with_the_package(source):
    installed = closure(REQUIRED)
    providers = metadata.packages_distributions()
    for name in imported(source) - {"dcgan_helpers", "google"}:
        assert any(canonicalize_name(p) in installed for p in providers[name]), name


def test_set_up_cells_are_the_same_in_all_notebooks():
    """So that the act of one stands for all; `pytest -m slow` acts the others."""
    cells = {
        cell.source
        for source in SOURCES
        for cell in nbformat.read(source.with_suffix(".ipynb"), as_version=4).cells
        if "setup" in cell.metadata.get("tags", [])
    }
    assert len(cells) == 1


@pytest.mark.parametrize("source", ACTED, ids=lambda path: path.stem)
def test_notebook_runs_alone_on_colab(source, colab, checkout_copy, tmp_path, monkeypatch):
    folder, python, site = colab
    subprocess.run(
        [python, "-m", "pip", "-q", "uninstall", "-y", "dcgan-helpers"], check=True,
        capture_output=True,
    )  # fmt: skip
    has_it = subprocess.run(
        [python, "-c", "import dcgan_helpers"], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    assert has_it.returncode, "the environment already has the package"

    notebook = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    setup = next(c for c in notebook.cells if "setup" in c.metadata.get("tags", []))
    assert f'"git+{build.repository()}"' in setup.source
    setup.source = setup.source.replace(f"git+{build.repository()}", str(checkout_copy))
    before = {path.name for path in site.iterdir()}
    where = "import dcgan_helpers; print(dcgan_helpers.__file__)"
    notebook.cells.append(nbformat.v4.new_code_cell(where, id="where"))
    monkeypatch.setenv("JUPYTER_PATH", str(folder / "jupyter"))
    servers = build.tensorboard_servers()
    client = NotebookClient(
        notebook, timeout=600, kernel_name="colab", resources={"metadata": {"path": str(tmp_path)}}
    )
    try:
        client.execute(env=build.kernel_environment("ci") | {"PYTHONPATH": ""})
    finally:
        build.stop_tensorboard_servers(servers)

    # Whatever else pip had written would be in the environment that runs these tests.
    added = {path.name for path in site.iterdir()} - before
    assert all(name.startswith("dcgan_helpers") for name in added), added

    outputs = [output for c in notebook.cells if c.cell_type == "code" for output in c.outputs]
    # One line may come in two messages, so the whole of the last cell is read.
    assert str(folder / "venv") in "".join(output.text for output in notebook.cells[-1].outputs)
    shown = [output for output in outputs if output.output_type == "display_data"]
    plots = sum(c.source.count("plt.show()") > 0 for c in notebook.cells if c.cell_type == "code")
    assert sum("image/png" in output.data for output in shown) >= plots > 0
    if "%tensorboard" in "".join(c.source for c in notebook.cells):
        scripts = "".join(output.data.get("application/javascript", "") for output in shown)
        assert "google.colab.kernel.proxyPort" in scripts, "TensorBoard has shown no frame"
    text = "".join(output.get("text", "") for output in outputs)
    assert "IProgress not found" not in text
    assert sys.executable not in text
