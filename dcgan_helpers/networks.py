"""The two networks of the DCGAN (Radford, Metz and Chintala 2016, arXiv 1511.06434).

Written for 64x64 images with the channel plan of the article that the series retells.
Kernel 4, stride 2, padding 1 doubles (or halves) height and width exactly.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from .hyperparameters import IMAGE_SIZE


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
    """Noise to image: `N×latent_dim×1×1` to `N×image_channels×64×64` in [-1, 1].

    Batch norm follows every transposed convolution but the last, as section 3 of the
    paper asks; `batch_norm=False` gives the article's network, which has it commented
    out. Raises ValueError for sizes below 1 and for noise of another shape.
    """

    def __init__(
        self,
        latent_dim: int = 100,
        image_channels: int = 1,
        features: int = 64,
        batch_norm: bool = True,
    ):
        super().__init__()
        _require_positive(latent_dim=latent_dim, image_channels=image_channels, features=features)
        self.latent_dim = latent_dim
        f = features
        self.layers = nn.Sequential(
            # N × latent_dim × 1 × 1
            up_block(latent_dim, 16 * f, 1, 0, batch_norm),  # N × 16f × 4 × 4
            up_block(16 * f, 8 * f, 2, 1, batch_norm),  # N × 8f × 8 × 8
            up_block(8 * f, 4 * f, 2, 1, batch_norm),  # N × 4f × 16 × 16
            up_block(4 * f, 2 * f, 2, 1, batch_norm),  # N × 2f × 32 × 32
            nn.ConvTranspose2d(2 * f, image_channels, 4, stride=2, padding=1),
            # N × image_channels × 64 × 64
            nn.Tanh(),
        )

    def forward(self, z: Tensor) -> Tensor:
        _require_shape("Generator", "noise", z, (self.latent_dim, 1, 1))
        return self.layers(z)


class Discriminator(nn.Module):
    """Image to score: `N×image_channels×64×64` in [-1, 1] to logits `N×1×1×1`.

    A logit is the score before the sigmoid: above 0 says "real", below 0 "fake". The
    article's last layer is the sigmoid itself; here it is part of the loss
    (`BCEWithLogitsLoss`), where it cannot saturate, and `logits.sigmoid()` gives D(x)
    when a probability is to be shown.

    Batch norm follows every convolution but the first and the last, as section 3 of the
    paper asks; `batch_norm=False` gives the article's network. Raises ValueError for
    sizes below 1 and for images of another shape.
    """

    def __init__(self, image_channels: int = 1, features: int = 64, batch_norm: bool = True):
        super().__init__()
        _require_positive(image_channels=image_channels, features=features)
        self.image_channels = image_channels
        f = features
        self.layers = nn.Sequential(
            # N × image_channels × 64 × 64
            nn.Conv2d(image_channels, f, 4, stride=2, padding=1),  # N × f × 32 × 32
            nn.LeakyReLU(0.2),
            down_block(f, 2 * f, batch_norm),  # N × 2f × 16 × 16
            down_block(2 * f, 4 * f, batch_norm),  # N × 4f × 8 × 8
            down_block(4 * f, 8 * f, batch_norm),  # N × 8f × 4 × 4
            # A 4×4 kernel fits a 4×4 map once, so this stride of 2 (the article's) is never used.
            nn.Conv2d(8 * f, 1, 4, stride=2, padding=0),  # N × 1 × 1 × 1
        )

    def forward(self, images: Tensor) -> Tensor:
        expected = (self.image_channels, IMAGE_SIZE, IMAGE_SIZE)
        _require_shape("Discriminator", "images", images, expected)
        return self.layers(images)


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
    generator: Any, count: int, seed: int = 0, batch_size: int = 250, progress: bool = False
) -> Tensor:
    """`count` images `N×C×64×64` in [-1, 1] from a generator, which is left in its mode.

    The noise is N(0, 1) and comes from `seed` alone, so the same seed gives the same
    images (in `eval()` mode, where they do not depend on what else is in the batch).
    """
    random = torch.Generator().manual_seed(seed)
    device = next(generator.parameters()).device
    noise = torch.randn(count, generator.latent_dim, 1, 1, generator=random).to(device)
    batches = tqdm(noise.split(batch_size), desc="sampling", disable=not progress, leave=False)
    return torch.cat([generator(z) for z in batches])


# Notebook 02 writes these two tests before there are networks; they hold ever since.


def check_generator(generator_class: Callable[..., nn.Module]) -> None:
    """`N×100×1×1` becomes `N×3×64×64`; raises AssertionError otherwise."""
    z = torch.randn(8, 100, 1, 1)
    images = generator_class(latent_dim=100, image_channels=3, features=8)(z)
    assert tuple(images.shape) == (8, 3, 64, 64), f"images are {tuple(images.shape)}"


def check_discriminator(discriminator_class: Callable[..., nn.Module]) -> None:
    """`N×3×64×64` becomes `N×1×1×1`; raises AssertionError otherwise."""
    images = torch.randn(8, 3, 64, 64)
    logits = discriminator_class(image_channels=3, features=8)(images)
    assert tuple(logits.shape) == (8, 1, 1, 1), f"logits are {tuple(logits.shape)}"


def _require_positive(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} is {size}; expected at least 1")


def _require_shape(network: str, what: str, tensor: Tensor, expected: tuple[int, ...]) -> None:
    if tuple(tensor.shape[1:]) != expected:
        want = "×".join(["N", *map(str, expected)])
        got = "×".join(map(str, tensor.shape)) or "a single number"
        raise ValueError(f"{network} expected {what} of shape {want}, received {got}")
