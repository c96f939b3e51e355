"""What is installed, and that the written requirements are one set."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_requirements_and_package_agree():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    package = re.findall(
        r'"(.+)"', re.search(r"^dependencies = \[(.*?)^\]", project, re.M | re.S)[1]
    )
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    required = [line for line in lines if line and not line.startswith(("#", "-e"))]
    assert set(package) < set(required)
    assert all(re.fullmatch(r"[a-z-]+>=[\d.]+", line) for line in required)


def test_no_module_is_longer_than_one_sitting():
    for path in (ROOT / "dcgan_helpers").glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 250, path.name


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
