"""Reading the IDX files in which MNIST and Fashion-MNIST are published."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import torch

from . import InputError

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
"""The names under which both sets are published."""


def find(name, folders):
    """The first file of that name, plain or gzipped, in one of the folders, or None."""
    paths = [Path(folder) / file for folder in folders for file in (name, f"{name}.gz")]
    return next(filter(Path.is_file, paths), None)


def read_images(path, build):
    """What `build(count, parts)` makes of the images, `parts` being `n×H×W` of `uint8`.

    The parts are read while `build` takes them, so that the file need not be in memory
    whole. Raises InputError when the file is damaged.
    """
    try:
        with _open(path) as file:
            magic, count, *size = struct.unpack(">4i", file.read(16))
            if magic != 2051 or min(count, *size) < 1:  # three dimensions of unsigned bytes
                raise ValueError("its first bytes are not those of IDX images")
            return build(count, _parts(file, count, size))
    except (ValueError, OSError, EOFError, struct.error, zlib.error) as error:
        raise InputError(
            f"{path} is damaged ({error}); expected an IDX file of N×28×28 bytes; delete it, "
            "and it is downloaded again"
        ) from error


def read_labels(path):
    """The labels in a file, `N` of int64. Raises InputError when it is damaged."""
    try:
        with _open(path) as file:
            magic, count = struct.unpack(">2i", file.read(8))
            labels = np.frombuffer(file.read(), np.uint8)
        if magic != 2049 or len(labels) != count:
            raise ValueError("expected one byte for each label")
    except (ValueError, OSError, EOFError, struct.error, zlib.error) as error:
        raise InputError(f"{path} is damaged ({error}); expected IDX labels") from error
    return torch.from_numpy(labels.astype(np.int64))


def _open(path):
    return (gzip.open if path.suffix == ".gz" else open)(path, "rb")


def _parts(file, count, size, at_once=1000):
    for start in range(0, count, at_once):
        shape = (min(at_once, count - start), *size)
        part = file.read(math.prod(shape))
        if len(part) < math.prod(shape):
            raise ValueError(f"it ends before its {count} images do")
        yield torch.frombuffer(bytearray(part), dtype=torch.uint8).reshape(shape)
