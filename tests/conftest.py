"""Shared pieces of the tests: small runs, IDX files, pictures."""

import struct
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

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


def write_idx(path, images):
    """Write `N×H×W` bytes in the IDX format: a magic number, the sizes, the bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = struct.pack(">BBBB", 0, 0, 8, images.ndim) + struct.pack(
        f">{images.ndim}i", *images.shape
    )
    path.write_bytes(header + images.astype(np.uint8).tobytes())


def write_picture(path, mode="RGB", size=(80, 50), colour=None):
    """Write a picture of one colour, or of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if colour is None:
        pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
        image = Image.fromarray(pixels).convert(mode)
    else:
        image = Image.new(mode, size, colour)
    image.save(path)
