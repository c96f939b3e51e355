"""What `pytest --nbval` sets for the notebooks, so that there is nothing to type."""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))
import workers  # noqa: F401

import build

# The small preset: seconds instead of minutes. Kernels inherit the environment.
os.environ.update(build.kernel_environment("ci"))
servers_before = build.tensorboard_servers()


def pytest_sessionfinish():
    """Leave no TensorBoard behind: a reader's notebook would find it and show its empty panel."""
    build.stop_tensorboard_servers(servers_before)
