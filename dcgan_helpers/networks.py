"""The two networks of the DCGAN (Radford, Metz and Chintala 2016, arXiv 1511.06434).

Written for 64×64 images with the channel plan of the article that the series retells; for
32×32 and 128×128 both have a block less or more at the end where maps are smallest.
Kernel 4, stride 2, padding 1 doubles (or halves) height and width exactly.
"""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from . import InputError
from .hyperparameters import IMAGE_SIZE, Hyperparameters

SIDES = (4, 8, 16, 32, 64)
"""Heights and widths of the maps between a network's ends, of those below its images'."""


def up_block(
    in_channels: int, out_channels: int, stride: int, padding: int, batch_norm: bool
) -> nn.Sequential:
    """Transposed convolution, batch norm, ReLU: one step up in size."""
    return nn.Sequential(
        nn.ConvTranspose2d(in_channels, out_channels, 4, stride, padding, bias=False),
        *([nn.BatchNorm2d(out_channels)] if batch_norm else []),
        nn.ReLU(),
    )


def down_block(in_channels: int, out_channels: int, batch_norm: bool) -> nn.Sequential:
    """Convolution with stride 2, batch norm, LeakyReLU: height and width are halved."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False),
        *([nn.BatchNorm2d(out_channels)] if batch_norm else []),
        nn.LeakyReLU(0.2),
    )


class Generator(nn.Module):
    """Noise to image: `N×latent_dim×1×1` to `N×image_channels×S×S` in [-1, 1].

    Batch norm follows every transposed convolution but the last, as section 3 of the
    paper asks; `batch_norm=False` gives the article's network, which has it commented
    out. `image_size` S is 64, or 32 or 128. With a number of `classes`, `N` of them come with
    the noise, from 0, one-hot beside it (Mirza and Osindero 2014, arXiv 1411.1784).
    Raises ValueError for sizes below 1 and for noise or classes of another shape.
    """

    class_shares: Tensor
    """How common each class is among the real images; `generate` draws classes by it."""

    def __init__(
        self,
        latent_dim: int = 100,
        image_channels: int = 1,
        features: int = 64,
        batch_norm: bool = True,
        image_size: int = IMAGE_SIZE,
        classes: int = 0,
    ):
        super().__init__()
        _require_positive(latent_dim=latent_dim, image_channels=image_channels, features=features)
        self.latent_dim, self.classes = latent_dim, classes
        if classes:
            self.register_buffer("class_shares", torch.full((classes,), 1 / classes))
        widths = [features * image_size // side for side in SIDES if side < image_size]
        self.layers = nn.Sequential(
            # N × (latent_dim + classes) × 1 × 1; for 64×64 images and f features to
            # N × 16f × 4 × 4, 8f × 8 × 8, 4f × 16 × 16 and 2f × 32 × 32
            up_block(latent_dim + classes, widths[0], 1, 0, batch_norm),
            *(up_block(wide, half, 2, 1, batch_norm) for wide, half in pairwise(widths)),
            nn.ConvTranspose2d(widths[-1], image_channels, 4, stride=2, padding=1),
            # N × image_channels × 64 × 64
            nn.Tanh(),
        )

    def forward(self, z: Tensor, classes: Tensor | None = None) -> Tensor:
        _require_shape("Generator", "noise", z, (self.latent_dim, 1, 1))
        _require_classes("Generator", classes, len(z), self.classes)
        if classes is not None:
            one_hot = nn.functional.one_hot(classes, self.classes).to(z.dtype)
            z = torch.cat([z, one_hot[:, :, None, None]], dim=1)
        return self.layers(z)


class Discriminator(nn.Module):
    """Image to score: `N×image_channels×S×S` in [-1, 1] to logits `N×1×1×1`.

    A logit is the score before the sigmoid: above 0 says "real", below 0 "fake". The
    article's last layer is the sigmoid itself; here it is part of the loss
    (`BCEWithLogitsLoss`), where it cannot saturate, and `logits.sigmoid()` gives D(x)
    when a probability is to be shown.

    Batch norm follows every convolution but the first and the last, as section 3 of the
    paper asks; `batch_norm=False` gives the article's network. `image_size` S is 64, or 32 or
    128. With a number of `classes`, `N` of them come with the images, from 0, and the last maps'
    projection on the class is added to the logit (Miyato and Koyama 2018, arXiv 1802.05637).
    Raises ValueError for sizes below 1 and for images or classes of another shape.
    """

    def __init__(
        self,
        image_channels: int = 1,
        features: int = 64,
        batch_norm: bool = True,
        image_size: int = IMAGE_SIZE,
        classes: int = 0,
    ):
        super().__init__()
        _require_positive(image_channels=image_channels, features=features)
        self.image_shape, self.classes = (image_channels, image_size, image_size), classes
        widths = [features * image_size // side // 2 for side in SIDES[::-1] if side < image_size]
        self.layers = nn.Sequential(
            # N × image_channels × 64 × 64, and with f features to
            # N × f × 32 × 32, 2f × 16 × 16, 4f × 8 × 8 and 8f × 4 × 4
            nn.Conv2d(image_channels, widths[0], 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            *(down_block(wide, double, batch_norm) for wide, double in pairwise(widths)),
            # A 4×4 kernel fits a 4×4 map once, so this stride of 2 (the article's) is never used.
            nn.Conv2d(widths[-1], 1, 4, stride=2, padding=0),  # N × 1 × 1 × 1
        )
        if classes:  # one more number for each class, of which an image's own is picked
            self.projections = nn.Conv2d(widths[-1], classes, 4, bias=False)

    def forward(self, images: Tensor, classes: Tensor | None = None) -> Tensor:
        _require_shape("Discriminator", "images", images, self.image_shape)
        _require_classes("Discriminator", classes, len(images), self.classes)
        if classes is None:
            return self.layers(images)
        maps = self.layers[:-1](images)
        own = self.projections(maps).gather(1, classes[:, None, None, None])
        return self.layers[-1](maps) + own / 4


def generator_for(h: Hyperparameters, classes: int = 0) -> Generator:
    """The generator that hyperparameters ask for, for a number of classes."""
    sizes = h.latent_dim, h.image_channels, h.generator_features
    return Generator(*sizes, h.batch_norm, h.image_size, classes)


def discriminator_for(h: Hyperparameters, classes: int = 0) -> Discriminator:
    """The discriminator that hyperparameters ask for, for a number of classes."""
    sizes = h.image_channels, h.discriminator_features
    return Discriminator(*sizes, h.batch_norm, h.image_size, classes)


def initialize_weights(network: nn.Module, std: float = 0.02, batch_norm_mean: float = 1.0) -> None:
    """Draw the starting weights of `network` in place, as the DCGAN paper does.

    Convolutions N(0, std), batch-norm scales N(batch_norm_mean, std), batch-norm shifts
    0. Section 4 of the paper gives the 0.02; the mean of 1 for the scales is in the
    authors' code. `batch_norm_mean=0` is the article's initialisation: every scale is
    nearly 0, so hardly any signal passes. The few biases keep PyTorch's own start.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, std)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, batch_norm_mean, std)
            nn.init.zeros_(module.bias)


def with_noise(images: Tensor, deviation: float) -> Tensor:
    """Images as the discriminator is to see them: instance noise hides what is too fine.

    `deviation` is the noise's standard deviation, on the scale from -1 to 1. Sønderby et al.
    2017, arXiv 1610.04490; Arjovsky and Bottou 2017, arXiv 1701.04862.
    """
    return images + deviation * torch.randn_like(images) if deviation else images


def moving_average(
    generator: nn.Module, decay: float, device: torch.device | None = None
) -> AveragedModel:
    """An exponential moving average of a generator, batch-norm statistics included.

    Each `update_parameters(generator)` keeps the share `decay` of the old average. Early
    on it keeps less, (1 + n) / (10 + n) at update n, so that the first, useless weights
    are soon forgotten.
    """

    def average(averaged: Any, current: Any, updates: Any) -> None:
        share = min(decay, float((1 + updates) / (10 + updates)))
        get_ema_multi_avg_fn(share)(averaged, current, updates)

    return AveragedModel(generator, device, multi_avg_fn=average, use_buffers=True)


@torch.no_grad()
def generate(
    generator: Any,
    count: int,
    seed: int = 0,
    batch_size: int = 250,
    progress: bool = False,
    classes: Tensor | None = None,
) -> Tensor:
    """`count` images `N×C×S×S` in [-1, 1] from a generator, which is left in its mode.

    The noise is N(0, 1) and comes from `seed` alone, so the same seed gives the same
    images (in `eval()` mode, where they do not depend on what else is in the batch). A
    generator with classes gets `classes`, `N` of int64, or such as `draw_classes` gives.
    """
    random = torch.Generator().manual_seed(seed)
    device = next(generator.parameters()).device
    inputs = [torch.randn(count, generator.latent_dim, 1, 1, generator=random)]
    classes = draw_classes(generator, count, seed) if classes is None else classes
    inputs += [] if classes is None else [classes]
    parts = list(zip(*(x.to(device).split(batch_size) for x in inputs), strict=True))
    batches = tqdm(parts, desc="sampling", disable=not progress, leave=False)
    return torch.cat([generator(*batch) for batch in batches])


def draw_classes(generator: nn.Module, count: int, seed: int = 0) -> Tensor | None:
    """`count` classes, `N` of int64, as common as among real images, shuffled; None without."""
    shares = getattr(generator, "class_shares", None)
    if shares is None:
        return None
    random = torch.Generator().manual_seed(seed)
    evenly = (torch.arange(count) + torch.rand(1, generator=random)) / count
    drawn = torch.searchsorted(shares.cpu().cumsum(0), evenly).clamp(max=len(shares) - 1)
    return drawn[torch.randperm(count, generator=random)]


def named_classes(generator: nn.Module, text: str | None, each: int = 1) -> Tensor:
    """The classes that a text names, such as "2026" or "9,10", `each` so often; all if None.

    Raises InputError for a generator without classes, and for what is none of its classes.
    """
    known = len(getattr(generator, "class_shares", ()))
    if not known:
        raise InputError("the run has no classes; expected one of `train --preset digits`")
    names = list(map(str, range(known)))
    chosen = names if text is None else text.split(",") if "," in text else list(text)
    if not chosen or not set(chosen) <= set(names):
        reason = f"expected digits such as 2026 or, with commas, numbers from 0 to {known - 1}"
        raise InputError(f"classes is {text!r}; {reason}")
    return torch.tensor(list(map(int, chosen))).repeat_interleave(each)


def _require_positive(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} is {size}; expected at least 1")


def _require_shape(network: str, what: str, tensor: Tensor, expected: tuple[int, ...]) -> None:
    if tuple(tensor.shape[1:]) != expected:
        want = "×".join(["N", *map(str, expected)])
        got = "×".join(map(str, tensor.shape)) or "a single number"
        raise ValueError(f"{network} expected {what} of shape {want}, received {got}")


def _require_classes(network: str, classes: Tensor | None, count: int, known: int) -> None:
    got = None if classes is None else tuple(classes.shape)
    if got != ((count,) if known else None):
        want = f"{count} classes below {known}" if known else "no classes"
        raise ValueError(f"{network} expected {want}, received {got}")
