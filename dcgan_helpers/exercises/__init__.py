"""What the notebooks' exercises are checked with: `name = exercises.name(name)`.

A check prints a verdict and returns the answer if it is right, else ours. It never raises. Beside
them are the shape tests, which notebook 02 writes before there are networks.
"""

from collections.abc import Callable

import torch
from torch import nn

from .failures import name_failures, shuffled
from .losses import best, discriminator_loss, non_saturating, training_step
from .measures import (
    comparison,
    frechet_distance,
    kl_of_99,
    modes_and_kl,
    slerp,
    to_bytes,
    whole_gain,
)
from .networks import class_generator, initialize_weights, up_block, with_output_norm
from .sizes import conv_matrix, conv_size, loss_gradient, patch, transposed_size
from .verdicts import Exercise, Verdict

__all__ = ["EXERCISES", "Exercise", "Verdict", "check_discriminator", "check_generator"]
__all__ += ["name_failures", "shuffled"]

_ALL = [best, non_saturating, conv_size, transposed_size, conv_matrix, up_block, with_output_norm]
_ALL += [patch, loss_gradient, initialize_weights, to_bytes, discriminator_loss, training_step]
_ALL += [frechet_distance, comparison, slerp, modes_and_kl, kl_of_99, whole_gain, class_generator]
EXERCISES = {exercise.number: exercise for exercise in _ALL}
"""All that can be checked without more than the answer, by number, such as 03.1."""


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
