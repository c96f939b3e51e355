"""A reader on Colab: one `.ipynb` in an empty folder, the usual libraries, no helper package."""

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
from test_notebooks import build, every_notebook

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need a special right on Windows")

# What Colab has of itself, beside the libraries that the package says it needs.
COLAB = {"ipykernel", "ipywidgets", "setuptools"}


def closure(names):
    """The distributions with these names and all that they require, by name."""
    found, todo = {}, list(names)
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # optional, or part of something else
            continue
        wanted = map(Requirement, found[name].requires or [])
        todo += [r.name for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})]
    return found


@pytest.fixture(scope="module")
def colab(tmp_path_factory):
    """A Python like Colab's: what the package requires is there, as links; the package is not."""
    folder = tmp_path_factory.mktemp("colab")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.check_output([python, "-c", code], text=True).strip())
    distributions = closure({"dcgan-helpers", *COLAB})
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
    return folder, python


@every_notebook
def test_notebook_runs_alone_on_colab(source, colab, checkout_copy, tmp_path, monkeypatch):
    folder, python = colab
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
