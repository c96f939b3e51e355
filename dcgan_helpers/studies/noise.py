"""Notebook 09: what does instance noise change in what the discriminator learns?

The preset `laptop` with its noise and without. A discriminator that learns its images by heart
tells those that it trains on from those that it has never seen; one that learns what digits are
does not.
"""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..data import load_dataset, load_images
from ..hyperparameters import PRESETS, Hyperparameters
from ..quality import tables
from ..quality.judge import judge_for, table_row
from ..quality.tables import SEEDS
from ..run_folder import ASSETS, make_folder
from ..training import Judge, Trainer

LAPTOP = PRESETS["laptop"]
NOISES = (LAPTOP.instance_noise, 0.0)
SCORED_EVERY = 210
"""Steps between two rows, of 1,890."""


def mean_logits(trainer: Trainer, held_out: Tensor) -> dict[str, float]:
    """The discriminator's mean logit for images that it trains on, held-out ones and fakes.

    `held_out` is `uint8`, `N×1×S×S`; as many of the others are taken. All are under the noise of
    the training, and batch norm takes the mean over each of the three, as in training.
    """
    h, device, count = trainer.hyperparameters, trainer.accelerator.device, len(held_out)
    unwrap = trainer.accelerator.unwrap_model
    networks = copy.deepcopy((unwrap(trainer.generator), unwrap(trainer.discriminator)))
    generator, discriminator = (network.train() for network in networks)
    chosen = torch.linspace(0, len(trainer.images) - 1, count).long()
    with torch.random.fork_rng(), torch.no_grad():  # training is not to notice
        torch.manual_seed(0)
        seen = {
            "trained": trainer.to_network(trainer.images[chosen].to(device)),
            "held_out": trainer.to_network(held_out.to(device)),
            "fake": generator(torch.randn(count, h.latent_dim, 1, 1, device=device)),
        }
        return {
            f"logit_{name}": round(discriminator(trainer.seen(images)).mean().item(), 4)
            for name, images in seen.items()
        }


def run_noise(
    instance_noise: float, seed: int, base: Hyperparameters, judge: Judge, every: int
) -> list[dict[str, Any]]:
    """Train with this noise; a row of logits and scores after every so many steps."""
    trainer = Trainer(replace(base, instance_noise=instance_noise, seed=seed), load_images(base))
    held_out = load_dataset(base.dataset, held_out=True)[:]
    rows = []
    for _ in trainer.steps(trainer.total_steps):
        if trainer.is_due(every):
            scores = table_row(judge.score_generator(trainer.moving_average.module.eval()))
            row = {"instance_noise": instance_noise, "seed": seed, "step": trainer.steps_done}
            rows.append(row | mean_logits(trainer, held_out) | scores)
    return rows


def run_study(
    output: Path = ASSETS,
    base: Hyperparameters = LAPTOP,
    seeds: tuple[int, ...] = SEEDS,
    every: int = SCORED_EVERY,
    progress: bool = True,
) -> None:
    """Run what is missing in `output` and add it there. Raises InputError."""
    make_folder(output)
    judge = judge_for(base)
    jobs = [{"instance_noise": noise, "seed": seed} for seed in seeds for noise in NOISES]
    tables.complete(
        output / "noise.csv",
        jobs,
        lambda **job: run_noise(**job, base=base, judge=judge, every=every),
        progress,
    )
