"""Fixtures that several test files share."""

import subprocess
import sys

import pytest
import workers  # noqa: F401  (before PyTorch)
from checkout import ROOT, copy_checkout

from dcgan_helpers.hyperparameters import preset
from dcgan_helpers.training import train


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """A run folder of the `ci` preset; tests read it and do not change it."""
    return train(preset("ci"), tmp_path_factory.mktemp("runs") / "finished", progress=False)


@pytest.fixture(scope="module")
def checkout_copy(tmp_path_factory):
    """A copy of the checkout to install from or to change, because both leave files behind."""
    return copy_checkout(ROOT, tmp_path_factory.mktemp("copy") / "dcgan")


@pytest.fixture
def command_line():
    """Runs `python -m dcgan_helpers ...` in a real process."""

    def run(*arguments, **options):
        return subprocess.run(
            [sys.executable, "-m", "dcgan_helpers", *map(str, arguments)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=300,
            **options,
        )

    return run
