"""What each process of pytest-xdist has for itself; import it before PyTorch.

One thread, because the processes share the cores: two times two threads on two cores are far
slower than two times one. And a folder for temporary files, because TensorBoard's servers leave
their notes there, and a process that ends its own must not end the other's.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ["OMP_NUM_THREADS"] = "1"
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", "")
    folder = Path(tempfile.gettempdir()) / f"dcgan-{run[:8]}-{worker}"
    folder.mkdir(exist_ok=True)
    os.environ.update(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder)))
    tempfile.tempdir = None  # it is looked up again
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
