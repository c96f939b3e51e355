"""Fixtures that several test files share."""

import subprocess
import sys

import pytest

from dcgan_helpers.hyperparameters import preset
from dcgan_helpers.training import train


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """A run folder of the `ci` preset; tests read it and do not change it."""
    return train(preset("ci"), tmp_path_factory.mktemp("runs") / "finished", progress=False)


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
