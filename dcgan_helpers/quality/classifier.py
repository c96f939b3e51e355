"""The classifier whose features and verdicts `metrics` measures with.

`python -m dcgan_helpers classifier` trains it on 4,000 of the embedded digits and writes
`assets/classifier/mnist-5k.safetensors`, which is shipped, so that scores compare between
machines. So is what `--dataset mnist-photos` makes, for digits in colour. `--dataset fashion-mnist`
makes one for garments, which is not shipped.
"""

import math
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.transforms.v2 import functional as transforms
from tqdm.auto import tqdm

from .. import InputError, reading
from ..data import IN_COLOR, distort, load_dataset, scale_images
from ..run_folder import ASSETS, atomic, make_folder

CLASSIFIERS = ASSETS / "classifier"
CLASSES = 10
SMALL = 28
"""Height and width in pixels that the classifier sees: those of MNIST itself."""
TRAINED_ON = ("mnist-5k", "fashion-mnist", "mnist-photos")
FOR_DATASET = {"mnist": "mnist-5k"}  # the same digits, so the same classifier


def shrink(images: Tensor) -> Tensor:
    """`N×C×64×64` to `N×C×28×28`, with antialiasing: the way back from `load_dataset`.

    Real images and fakes must both take it. MNIST that has been to 64 and back is not the
    MNIST it was, and the difference alone would move FID far more than bad fakes do
    (notebook 08 shows it; Parmar et al. 2022, arXiv 2104.11222, on Inception's resizing).
    """
    return transforms.resize(images, [SMALL, SMALL], antialias=True)


def channels_of(dataset: str) -> int:
    """The channels of the images that are measured: 3 for `mnist-photos`, else 1."""
    return 3 if dataset in IN_COLOR else 1


class Classifier(nn.Module):
    """Images `N×C×64×64` in [-1, 1] to logits `N×10`; `features` gives the 64 numbers before."""

    num_features = 64

    def __init__(self, image_channels: int = 1) -> None:
        super().__init__()
        self.image_channels = image_channels
        self.layers = nn.Sequential(
            # N × C × 28 × 28
            *_convolution(image_channels, 16),
            *_convolution(16, 16),
            nn.MaxPool2d(2),  # N × 16 × 14 × 14
            *_convolution(16, 32),
            *_convolution(32, 32),
            nn.MaxPool2d(2),  # N × 32 × 7 × 7
            nn.Flatten(),
            nn.Linear(32 * 7 * 7, self.num_features),
            nn.ReLU(),
        )
        self.last = nn.Linear(self.num_features, CLASSES)

    def features(self, images: Tensor) -> Tensor:
        """What the last layer sees of `N×C×64×64` images: `N×64`, at least 0."""
        return self.layers(shrink(images))

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.features(images))


def _convolution(in_channels: int, out_channels: int) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )


def train_classifier(
    images: Tensor, labels: Tensor, epochs: int, seed: int = 0, progress: bool = True
) -> Classifier:
    """A classifier trained on `uint8` images `N×C×64×64`, in `eval()` mode.

    Each image is turned, moved, stretched and slanted a little each time, because 4,000 are few.
    """
    torch.manual_seed(seed)
    channels = images.shape[1]
    classifier = Classifier(channels)
    optimizer = torch.optim.Adam(classifier.parameters(), 2e-3)
    batches = math.ceil(len(images) / 100)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, epochs * batches)
    for _ in tqdm(range(epochs), desc="classifier", unit="epoch", disable=not progress):
        for chosen in torch.randperm(len(images)).split(100):
            logits = classifier(distort(scale_images(images[chosen], channels), 0.08))
            loss = nn.functional.cross_entropy(logits, labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return classifier.eval()


@torch.no_grad()
def accuracy(classifier: nn.Module, images: Tensor, labels: Tensor) -> float:
    """The share of `uint8` images `N×C×64×64` that are put into their class."""
    right = [
        classifier(scale_images(images[chosen], images.shape[1])).argmax(1) == labels[chosen]
        for chosen in torch.arange(len(images)).split(500)
    ]
    return torch.cat(right).float().mean().item()


def load_classifier(
    path: Path | None = None, dataset: str = TRAINED_ON[0]
) -> tuple[Classifier, float]:
    """A classifier for `dataset` in `eval()` mode, and its accuracy on held-out images.

    Without a path it is the one in `assets/classifier`. Raises InputError, also when
    the file is for another data set.
    """
    path = path or CLASSIFIERS / f"{dataset}.safetensors"
    make = f"python -m dcgan_helpers classifier --dataset {dataset}"
    with reading(f"the classifier {path}", f"make it with {make}", f"make it with {make}"):
        with safe_open(path, "pt") as file:
            notes = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if not {"dataset", "accuracy"} <= set(notes):
            raise ValueError("no classifier of ours")
        classifier = Classifier(channels_of(notes["dataset"]))
        classifier.load_state_dict(weights)
    trained_on, share = notes["dataset"], float(notes["accuracy"])
    if trained_on != dataset:
        raise InputError(f"{path} was trained on {trained_on}; expected {dataset}: {make}")
    return classifier.eval().requires_grad_(False), share


def make_classifier(dataset: str, data_root: str | Path, epochs: int, output: Path | None) -> str:
    """Train a classifier, write it to `output` and say how good it is. Raises InputError."""
    output = output or CLASSIFIERS / f"{dataset}.safetensors"
    channels = channels_of(dataset)
    known, hidden = (
        load_dataset(dataset, data_root, channels, labels=True, held_out=h) for h in (False, True)
    )
    images, labels = known[:]
    classifier = train_classifier(images, labels, epochs)
    # As it will be loaded: in 16 bits, which halves the file.
    classifier.half().float()
    share = accuracy(classifier, *hidden[:])
    notes = {"dataset": dataset, "accuracy": f"{share:.4f}"}
    make_folder(output.parent)
    with atomic(output) as temporary:
        save_file(classifier.half().state_dict(), temporary, metadata=notes)
    return f"{output}: {share:.2%} of {len(hidden):,} held-out images are classified right"
