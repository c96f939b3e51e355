"""The shape tests: notebook 02 writes them before there are networks; they hold ever since."""

from collections.abc import Callable

import torch
from torch import nn


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
