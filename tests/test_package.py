"""What is installed, and that the written requirements are one set."""

import re
import shutil
import subprocess
import sys

import pytest
from checkout import ROOT, copy_checkout


def test_requirements_and_package_agree():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    package = re.findall(
        r'"(.+)"', re.search(r"^dependencies = \[(.*?)^\]", project, re.M | re.S)[1]
    )
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    required = [line for line in lines if line and not line.startswith(("#", "-e"))]
    assert set(package) < set(required)
    assert all(re.fullmatch(r"[a-z-]+>=[\d.]+", line) for line in required)


def test_core_is_read_in_one_sitting():
    core = {
        path.name: sum(bool(line.strip()) for line in path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / "dcgan_helpers").glob("*.py")
    }
    assert len(core) <= 9, sorted(core)
    assert sum(core.values()) <= 1500, core  # without blank lines, with docstrings
    for path in (ROOT / "dcgan_helpers").rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path.name


def test_every_part_of_the_package_is_installed():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    named = re.findall(r'"(.+)"', re.search(r"^packages = \[\n(.*?)^\]", project, re.M | re.S)[1])
    folders = {path.parent for path in (ROOT / "dcgan_helpers").rglob("*.py")}
    assert sorted(".".join(f.relative_to(ROOT).parts) for f in folders) == sorted(named)


def test_what_a_reader_keeps_in_the_checkout_is_left_alone(tmp_path):
    """A virtual environment, runs and data: not copied, not linted, not collected."""
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "tests", checkout / "tests", ignore=lambda *_: {"__pycache__"})
    shutil.copy(ROOT / "pyproject.toml", checkout)
    bad = "import os, sys\ndef test_no( : pass"
    for folder in (".venv", "my-environment", "runs", "data"):
        path = checkout / folder / "test_bad.py"
        path.parent.mkdir()
        path.write_text(bad)
    for environment in (".venv", "my-environment"):
        (checkout / environment / "pyvenv.cfg").touch()
    copy = copy_checkout(checkout, tmp_path / "copy")
    assert {path.name for path in copy.iterdir()} == {"tests", "pyproject.toml"}
    shutil.rmtree(checkout / "my-environment")
    files = subprocess.check_output(
        [sys.executable, "-m", "ruff", "check", "--show-files"], cwd=checkout, text=True
    )
    assert "test_package.py" in files and "test_bad.py" not in files
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", "tests/test_data.py"],
        cwd=checkout,
        text=True,
        capture_output=True,
    )
    assert collected.returncode == 0 and "test_bad" not in collected.stdout, collected.stdout


@pytest.mark.slow
def test_wheel_works_away_from_the_checkout(tmp_path, checkout_copy):
    pip = [sys.executable, "-m", "pip", "--quiet"]
    wheels, site = tmp_path / "wheels", tmp_path / "site"
    subprocess.run([*pip, "wheel", checkout_copy, "--no-deps", "-w", wheels], check=True)
    (wheel,) = wheels.glob("dcgan_helpers-*.whl")
    subprocess.run([*pip, "install", wheel, "--no-deps", "--target", site], check=True)
    shutil.rmtree(checkout_copy)
    empty = tmp_path / "empty"
    empty.mkdir()
    # -I keeps the checkout and the environment's settings out; the copy goes first.
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r}); import dcgan_helpers; "
        "from dcgan_helpers.__main__ import main; print(dcgan_helpers.__file__); "
        "sys.exit(main(['train', '--preset', 'ci', '--epochs', '1', '--run-dir', 'run']) "
        "or main(['sample', 'run', '--count', '2']))"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=empty, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert str(site) in result.stdout.splitlines()[0]
    assert (empty / "run" / "sample-seed-0.png").exists()
