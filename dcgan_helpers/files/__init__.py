"""Images out of files: IDX files as MNIST is published in, and pictures of any kind.

`photos` has digits on patches of photographs. Nothing here is about GANs. `data` calls it.
"""

import gzip
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torchvision import datasets
from torchvision.transforms.v2 import functional as transforms

from .. import InputError, one_line, reading

TORCHVISION_SETS = {"mnist": datasets.MNIST, "fashion-mnist": datasets.FashionMNIST}
IDX_IMAGES, IDX_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
"""The names under which both of these are published; of their test sets, with t10k for train."""


def idx_file(file: str, name: str, root: Path, held_out: bool) -> Path:
    """The path of a training file of a set, or its test file; downloaded if need be.

    Looked for, plain and gzipped, in torchvision's own folder and in `root` itself.
    """
    file = file.replace("train", "t10k") if held_out else file
    raw = root / TORCHVISION_SETS[name].__name__ / "raw"
    paths = [folder / ending for folder in (raw, root) for ending in (file, f"{file}.gz")]
    if path := next(filter(Path.is_file, paths), None):
        return path
    try:
        # Elsewhere first, so that a download that breaks off leaves nothing behind.
        with tempfile.TemporaryDirectory() as folder:
            TORCHVISION_SETS[name](folder, download=True)
            shutil.copytree(folder, root, dirs_exist_ok=True)
    except Exception as error:  # no network, no right to write, a mirror that is down
        raise InputError(
            f"no {file} in {root} and {name} cannot be downloaded ({one_line(error)}); "
            f"put {file}.gz there, or use --dataset mnist-5k, which needs no download"
        ) from error
    return raw / file


def read_set(name: str, root: Path, held_out: bool, labels: bool) -> tuple[Tensor, Tensor | None]:
    """Images of a set, `uint8` `N×28×28`, and with `labels` their classes. Raises InputError."""
    pixels = read_idx(idx_file(IDX_IMAGES, name, root, held_out), 3)
    if not labels:
        return pixels, None
    classes = read_idx(idx_file(IDX_LABELS, name, root, held_out), 1)
    if len(classes) != len(pixels):
        counts = f"{len(pixels)} images and {len(classes)} labels"
        raise InputError(f"{root} holds {counts} of {name}; expected as many")
    return pixels, classes


def read_idx(path: Path, dimensions: int) -> Tensor:
    """An IDX file of bytes, plain or gzipped, as `uint8` of so many dimensions.

    The format in which MNIST is published: two zero bytes, 8 for bytes, the number of
    dimensions, each size in four bytes, then the values. Raises InputError when it is damaged.
    """
    fix = f"expected an IDX file of {dimensions} dimensions; delete it, and it is downloaded again"
    with reading(path, fix, fix):
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read()
        if content[:4] != bytes([0, 0, 8, dimensions]):
            raise ValueError("its first bytes are not those of an IDX file")
        sizes = np.frombuffer(content, ">i4", dimensions, offset=4)
        values = np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions)
        if not len(values):
            raise ValueError("it holds nothing")
        return torch.from_numpy(values.reshape(sizes).copy())


def picture_paths(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"the folder of pictures {folder} is missing; name one with --data-root")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise InputError(f"the folder of pictures {folder} may not be read; check its permissions")
    endings = set(Image.registered_extensions())
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in endings and not path.name.startswith(".")
    )
    if not paths:
        raise InputError(f"no pictures in {folder}; expected files such as .jpg or .png below it")
    return paths


def read_picture(path: Path, mode: str, image_size: int) -> Tensor:
    """One picture as `uint8` `C×S×S`: upright, centre-cropped, resized with antialiasing.

    `mode` is `L` (grey) or `RGB`. Transparent parts become white.
    """
    with Image.open(path) as file:
        image: Image.Image = ImageOps.exif_transpose(file)
        if image.mode.startswith("I"):  # 16-bit grey, which Pillow would clip, not scale
            image = Image.fromarray((np.asarray(image) // 256).astype(np.uint8))
        if image.has_transparency_data:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        size, resampling = (image_size, image_size), Image.Resampling.BILINEAR
        return transforms.pil_to_tensor(ImageOps.fit(image.convert(mode), size, resampling))
