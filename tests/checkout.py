"""The checkout that is tested, and copies of it."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]


def copy_checkout(source, target):
    """Copy a checkout without what its reader keeps in it: environments, runs, data, builds."""
    leave = {".git", "runs", "data", "build", "dist", "__pycache__"}

    def ignore(folder, names):
        return {
            name
            for name in names
            if name in leave
            or name.endswith((".egg-info", "_cache"))
            or (Path(folder) / name / "pyvenv.cfg").exists()
        }

    return shutil.copytree(source, target, ignore=ignore)
