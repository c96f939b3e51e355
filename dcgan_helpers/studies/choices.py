"""Notebook 09: the article's choices one at a time, everything else being equal.

A choice is a `Trainer` with one part replaced. What is not replaced is `HALF_WIDTH`: an hour and a
half of computing that does not depend on the processor's kind.
"""

import math
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from .. import InputError, studies
from ..data import load_images
from ..hyperparameters import IMAGE_SIZE, PRESETS, Hyperparameters
from ..networks import Discriminator, Generator, generate, initialize_weights
from ..quality import tables
from ..quality.cost import count_multiply_adds, count_parameters
from ..quality.judge import judge_for, table_row
from ..quality.tables import SEEDS
from ..run_folder import ASSETS, make_folder, save_grid
from ..training import Judge, Trainer
from . import HALF_WIDTH, ROW_COUNT, Change, slug
from .unshared import FullyConnectedDiscriminator, FullyConnectedGenerator, share_no_weights

SCORED_STEPS = (158, 316, 632)
"""Steps after which fakes are scored: about 2.5, 5 and 10 epochs."""


class NoBatchNorm(Trainer):
    """No batch normalisation in either network."""

    generator_norm = discriminator_norm = False

    def make_networks(self) -> tuple[nn.Module, nn.Module]:
        h = self.hyperparameters
        networks = (
            Generator(h.latent_dim, 1, h.generator_features, self.generator_norm),
            Discriminator(1, h.discriminator_features, self.discriminator_norm),
        )
        for network in networks:
            initialize_weights(network)
        return networks


class OnlyGenerator(NoBatchNorm):
    """Batch normalisation in the generator alone."""

    generator_norm = True


class OnlyDiscriminator(NoBatchNorm):
    """Batch normalisation in the discriminator alone."""

    discriminator_norm = True


class ZeroScales(Trainer):
    """Batch-norm scales drawn from N(0, 0.02), as the article's `initialize_weights` would."""

    def make_networks(self) -> tuple[nn.Module, nn.Module]:
        networks = super().make_networks()
        for network in networks:
            initialize_weights(network, batch_norm_mean=0.0)
        return networks


class Sigmoid(Trainer):
    """The article's loss: a sigmoid, and BCE on what it gives, in 32 bits."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        bce = nn.BCELoss()
        self.loss = lambda logits, targets: bce(logits.sigmoid(), targets)


class Minimax(Trainer):
    """The generator minimises log(1 - D(G(z))): Goodfellow et al. 2014, equation 1."""

    def generator_loss(self, logits_fake: Tensor) -> Tensor:
        return -nn.functional.softplus(logits_fake).mean()  # 1 - sigmoid(l) = sigmoid(-l)


class Smoothed(Trainer):
    """Real images to 0.9 instead of 1 (Salimans et al. 2016, arXiv 1606.03498, section 3.4)."""

    def discriminator_loss(self, logits_real: Tensor, logits_fake: Tensor) -> Tensor:
        loss_real = self.loss(logits_real, torch.full_like(logits_real, 0.9))
        return (loss_real + self.loss(logits_fake, torch.zeros_like(logits_fake))) / 2


class EqualParameters(Trainer):
    """Both networks fully connected, as wide as makes their parameters as many as before."""

    def budget(self, network: nn.Module, inputs: Tensor) -> int:
        return count_parameters(network)

    def make_networks(self) -> tuple[nn.Module, nn.Module]:
        latent_dim, pixels = self.hyperparameters.latent_dim, IMAGE_SIZE**2
        convolutional = super().make_networks()
        inputs = torch.zeros(2, latent_dim, 1, 1), torch.zeros(2, 1, IMAGE_SIZE, IMAGE_SIZE)
        budgets = [self.budget(*pair) for pair in zip(convolutional, inputs, strict=True)]
        # width² + width · (inputs + outputs) weights make up the budget.
        widths = [
            round((math.sqrt(ends**2 + 4 * budget) - ends) / 2)
            for budget, ends in zip(budgets, (latent_dim + pixels, pixels + 1), strict=True)
        ]
        # With PyTorch's own weights: N(0, 0.02) was chosen for the convolutions.
        return FullyConnectedGenerator(latent_dim, widths[0]), FullyConnectedDiscriminator(
            widths[1]
        )


class EqualCost(EqualParameters):
    """Both networks fully connected, with as many multiply-adds an image as before."""

    def budget(self, network: nn.Module, inputs: Tensor) -> int:
        return count_multiply_adds(network, inputs)


class LocallyConnected(Trainer):
    """Convolutions that share no weights: the control for what sharing is worth."""

    def make_networks(self) -> tuple[nn.Module, nn.Module]:
        generator, discriminator = super().make_networks()
        share_no_weights(generator, torch.zeros(2, self.hyperparameters.latent_dim, 1, 1))
        share_no_weights(discriminator, torch.zeros(2, 1, IMAGE_SIZE, IMAGE_SIZE))
        return generator, discriminator


class InstanceNoise(Trainer):
    """What the discriminator sees is under noise, as strong as the preset `laptop` has it."""

    def __init__(self, h: Hyperparameters, *arguments: Any, **options: Any):
        noise = PRESETS["laptop"].instance_noise
        super().__init__(replace(h, instance_noise=noise), *arguments, **options)


CHOICES: dict[str, type[Trainer]] = {
    "usual": Trainer,
    "no batch norm": NoBatchNorm,
    "batch norm only in G": OnlyGenerator,
    "batch norm only in D": OnlyDiscriminator,
    "scales N(0, 0.02)": ZeroScales,
    "sigmoid + BCE": Sigmoid,
    "minimax loss": Minimax,
    "label smoothing": Smoothed,
    "fully connected, equal parameters": EqualParameters,
    "fully connected, equal cost": EqualCost,
    "locally connected": LocallyConnected,
    "instance noise": InstanceNoise,
}
LONGER = {"fully connected, equal parameters": (1264, 2528, 5056)}
"""A choice with cheaper steps goes on, so that it can be compared at equal time too."""


def run_choice(
    choice: str,
    seed: int,
    base: Hyperparameters,
    judge: Judge,
    scored_steps: tuple[int, ...] = SCORED_STEPS,
    picture: Path | None = None,
) -> list[dict[str, Any]]:
    """Train with a choice and return its scores, one row for each of the `scored_steps`.

    `loss_discriminator` is its mean since the row before. Raises InputError.
    """
    if choice not in CHOICES:
        raise InputError(f"choice is {choice!r}; expected one of {', '.join(CHOICES)}")
    trainer = CHOICES[choice](replace(base, seed=seed), load_images(base))
    generator = trainer.moving_average.module
    rows: list[dict[str, Any]] = []
    losses = []
    for metrics in trainer.steps(max(scored_steps)):
        losses.append(metrics["loss_discriminator"])
        if trainer.steps_done in scored_steps:
            loss = round(statistics.mean(losses), 5)
            row: dict[str, Any] = {"choice": choice, "seed": seed, "step": trainer.steps_done}
            scores = table_row(judge.score_generator(generator.eval()))
            rows.append(row | {"loss_discriminator": loss} | scores)
            losses = []
    if picture:
        save_grid(picture, generate(generator, ROW_COUNT))
    return rows


def step_times(base: Hyperparameters = HALF_WIDTH, rounds: int = 7, steps: int = 5) -> pd.DataFrame:
    """Milliseconds a step of each choice, one row a round, by `studies.step_times`."""
    changes: dict[str, Change] = {name: (kind, {}) for name, kind in CHOICES.items()}
    return studies.step_times(changes, "choice", base, range(1, rounds + 1), steps)


def read_times(folder: Path = ASSETS) -> pd.DataFrame:
    """The `step_times` that the study measured on its machine."""
    return tables.read(folder / "choices-times.csv")


def picture(choice: str, folder: Path = ASSETS) -> Path:
    """The path of a choice's picture: eight fakes of the first seed, after its last step."""
    return folder / "choices" / f"{slug(choice)}.png"


def run_study(
    output: Path = ASSETS,
    base: Hyperparameters = HALF_WIDTH,
    seeds: tuple[int, ...] = SEEDS,
    scored_steps: tuple[int, ...] = SCORED_STEPS,
    progress: bool = True,
) -> None:
    """Run what is missing in `output` and add it there. Raises InputError."""
    make_folder(output / "choices")
    judge = judge_for(base)

    def run(choice: str, seed: int) -> list[dict[str, Any]]:
        path = picture(choice, output) if seed == seeds[0] else None
        return run_choice(choice, seed, base, judge, scored_steps + LONGER.get(choice, ()), path)

    # Seed by seed, so that a study that is stopped has something on every choice.
    jobs = [{"choice": choice, "seed": seed} for seed in seeds for choice in CHOICES]
    tables.complete(output / "choices.csv", jobs, run, progress)
    if read_times(output).empty:
        tables.save(output / "choices-times.csv", step_times(base))
