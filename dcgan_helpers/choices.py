"""The study of notebook 09: the article's choices one at a time, everything else being equal.

`python -m dcgan_helpers.experiments choices` runs it. A choice is a `Trainer` with one
part replaced. What is not replaced is `STUDIED`, at half its width and in 32 bits: an hour of
computing that does not depend on the processor's kind.
"""

import math
import re
import statistics
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from . import InputError, run_folder
from .data import load_dataset
from .fully_connected import (
    FullyConnectedDiscriminator,
    FullyConnectedGenerator,
    multiply_adds,
    parameters,
)
from .hyperparameters import IMAGE_SIZE, PLAIN, PRESETS
from .metrics import judge_for, numbers
from .networks import Discriminator, Generator, generate, initialize_weights
from .trained import ASSETS
from .training import Trainer

STUDIED = replace(PRESETS["laptop"], **PLAIN)
"""What the studies of notebooks 05, 09 and 11 change one thing of."""
BASE = replace(STUDIED, generator_features=8, discriminator_features=8, precision="fp32")
SEEDS = (1, 2, 3)
SCORED = (158, 316, 632)
"""Steps after which fakes are scored: 2, 4 and 8 epochs at the preset's batch size."""
SHOWN = 8


class Article(Trainer):
    """No batch normalisation in either network."""

    generator_norm = discriminator_norm = False

    def make_networks(self):
        h = self.hyperparameters
        networks = (
            Generator(h.latent_dim, 1, h.generator_features, self.generator_norm),
            Discriminator(1, h.discriminator_features, self.discriminator_norm),
        )
        for network in networks:
            initialize_weights(network)
        return networks


class OnlyGenerator(Article):
    """Batch normalisation in the generator alone."""

    generator_norm = True


class OnlyDiscriminator(Article):
    """Batch normalisation in the discriminator alone."""

    discriminator_norm = True


class ZeroScales(Trainer):
    """Batch-norm scales drawn from N(0, 0.02), as the article's `initialize_weights` would."""

    def make_networks(self):
        networks = super().make_networks()
        for network in networks:
            initialize_weights(network, batch_norm_mean=0.0)
        return networks


class Sigmoid(Trainer):
    """The article's loss: a sigmoid, and BCE on what it gives, in 32 bits."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        bce = nn.BCELoss()
        self.loss = lambda logits, targets: bce(logits.sigmoid(), targets)


class Minimax(Trainer):
    """The generator minimises log(1 - D(G(z))): Goodfellow et al. 2014, equation 1."""

    def generator_loss(self, logits_fake):
        return -nn.functional.softplus(logits_fake).mean()  # 1 - sigmoid(l) = sigmoid(-l)


class Smoothed(Trainer):
    """Real images to 0.9 instead of 1 (Salimans et al. 2016, arXiv 1606.03498, section 3.4)."""

    def discriminator_loss(self, logits_real, logits_fake):
        loss_real = self.loss(logits_real, torch.full_like(logits_real, 0.9))
        return (loss_real + self.loss(logits_fake, torch.zeros_like(logits_fake))) / 2


class EqualParameters(Trainer):
    """Both networks fully connected, as wide as makes their parameters as many as before."""

    def budget(self, network, inputs):
        return parameters(network)

    def make_networks(self):
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

    def budget(self, network, inputs):
        return multiply_adds(network, inputs)


CHOICES = {
    "usual": Trainer,
    "no batch norm": Article,
    "batch norm only in G": OnlyGenerator,
    "batch norm only in D": OnlyDiscriminator,
    "scales N(0, 0.02)": ZeroScales,
    "sigmoid + BCE": Sigmoid,
    "minimax loss": Minimax,
    "label smoothing": Smoothed,
    "fully connected, equal parameters": EqualParameters,
    "fully connected, equal cost": EqualCost,
}
LONGER = {"fully connected, equal parameters": (1264, 2528, 5056)}
"""A choice with cheaper steps goes on, so that it can be compared at equal time too."""
TABLE, TYPES = "choices.csv", {"choice": str, "seed": int, "step": int}
TIMES = "choices-times.csv"


def run_choice(choice, seed, base=BASE, judge=None, scored=SCORED, picture=None):
    """Train with a choice and return its scores, one row for each step in `scored`.

    `loss_discriminator` is its mean since the row before. Raises InputError.
    """
    if choice not in CHOICES:
        raise InputError(f"choice is {choice!r}; expected one of {', '.join(CHOICES)}")
    images = load_dataset(base.dataset, max_images=base.max_images)
    trainer = CHOICES[choice](replace(base, seed=seed), images)
    generator = trainer.moving_average.module
    rows, losses = [], []
    for step, batch in enumerate(endless(trainer), start=1):
        losses.append(trainer.step(trainer.to_network(batch))["loss_discriminator"])
        if step not in scored:
            continue
        scores = judge.score_generator(generator.eval())
        loss = round(statistics.mean(losses), 5)
        rows.append({"choice": choice, "seed": seed, "step": step, "loss_discriminator": loss})
        rows[-1] |= numbers(scores)
        losses = []
        if step == max(scored):
            break
    if picture:
        run_folder.save_grid(picture, generate(generator, SHOWN))
    return rows


def endless(trainer):
    """Batches without end, in the order in which `Trainer.run` takes them."""
    return (images for _, images in trainer.batches())


def step_times(base=BASE, rounds=7, steps=5):
    """Milliseconds a step of each choice, one row a round; in a round they take turns.

    So another program's load meets all of them. The first round, which also warms up, is
    left out.
    """
    images = load_dataset(base.dataset, max_images=base.batch_size)
    trainers = {name: CHOICES[name](base, images) for name in CHOICES}
    rows = []
    for round_ in range(rounds + 1):
        for name, trainer in trainers.items():
            real = trainer.to_network(next(endless(trainer)))
            start = time.perf_counter()
            for _ in range(steps):
                trainer.step(real)
            elapsed = 1000 * (time.perf_counter() - start) / steps
            rows.append({"choice": name, "round": round_, "milliseconds": round(elapsed, 2)})
    return [row for row in rows if row["round"] > 0]


def read_results(folder=ASSETS):
    """The rows of the study: one for each choice, seed and scored step."""
    return run_folder.load_table(Path(folder) / TABLE, **TYPES)


def read_times(folder=ASSETS):
    """The rows of `step_times` that the study measured on its machine."""
    return run_folder.load_table(Path(folder) / TIMES, choice=str, round=int)


def picture(choice, folder=ASSETS):
    """The path of a choice's picture: eight fakes of the first seed, after its last step."""
    return Path(folder) / "choices" / f"{'-'.join(re.findall('[a-z0-9]+', choice.lower()))}.png"


def run_study(output=ASSETS, base=BASE, seeds=SEEDS, scored=SCORED, progress=True):
    """Run what is missing in `output` and add it there. Raises InputError."""
    (output / "choices").mkdir(parents=True, exist_ok=True)
    judge = judge_for(base)

    def run(choice, seed):
        path = picture(choice, output) if seed == seeds[0] else None
        steps = (*scored, *LONGER.get(choice, ()))
        return run_choice(choice, seed, base, judge, steps, path)

    # Seed by seed, so that a study that is stopped has something on every choice.
    jobs = [{"choice": choice, "seed": seed} for seed in seeds for choice in CHOICES]
    run_folder.complete_table(output / TABLE, jobs, run, progress, **TYPES)
    if not (output / TIMES).exists():
        run_folder.save_table(output / TIMES, step_times(base))
