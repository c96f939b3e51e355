"""Small real inputs that the tests make: IDX files and pictures."""

import struct

import numpy as np
from PIL import Image


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
