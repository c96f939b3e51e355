"""What `pytest --nbval` sets for the notebooks, so that there is nothing to type."""

import os
import signal
import sys
from pathlib import Path

# The small preset: seconds instead of minutes. Kernels inherit the environment.
os.environ["DCGAN_PRESET"] = "ci"
# %tensorboard starts a program of this virtual environment, activated or not.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def pytest_sessionfinish():
    """Stop the TensorBoard servers that the notebooks have started; they outlive the kernels."""
    from tensorboard import manager

    for server in manager.get_all():
        if server.logdir.startswith("runs/"):
            os.kill(server.pid, signal.SIGTERM)
