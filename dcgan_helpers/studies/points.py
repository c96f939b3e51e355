"""Notebook 14: the cures of `cures` where all can be seen: clouds of points in a plane.

The same classes as on digits, on two small fully connected networks. Real points lie around
eight centres on a ring, or around 25 on a grid, as Metz et al. 2017 (Unrolled GANs, arXiv
1611.02163) and Srivastava et al. 2017 (VEEGAN, arXiv 1705.07761) chose them.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .. import cures
from ..hyperparameters import PLAIN, Hyperparameters
from ..quality.tables import SEEDS, complete
from ..run_folder import ASSETS, make_folder
from ..training import Trainer
from . import Change, slug
from .choices import Minimax

SNAPSHOTS = (0, 100, 500, 2000, 10000)
"""Steps after which the fakes are looked at."""
DEVIATION = 0.1
"""Standard deviation of a cloud, in each direction."""
COUNT, SHOWN = 2500, 500
"""Fakes that are scored, and of these the ones that are kept to be drawn."""
PLANE = Hyperparameters(
    **PLAIN | {"learning_rate": 1e-3}, latent_dim=2, batch_size=128, precision="fp32"
)


def ring(count: int = 8, radius: float = 2.0) -> Tensor:
    """Centres on a circle, `count×2`."""
    angles = torch.arange(count) * (2 * math.pi / count)
    return radius * torch.stack([angles.cos(), angles.sin()], dim=1)


def grid(side: int = 5, spacing: float = 1.0) -> Tensor:
    """Centres on a square grid around 0, `side²×2`."""
    places = (torch.arange(side) - (side - 1) / 2) * spacing
    return torch.cartesian_prod(places, places)


TARGETS = {"ring": ring(), "grid": grid()}


class PointTrainer(Trainer):
    """The step of `Trainer` for points `N×2`: without data set, moving average and Accelerate."""

    def __init__(self, h: Hyperparameters, centres: Tensor):
        torch.manual_seed(h.seed)
        self.hyperparameters, self.centres, self.steps_done = h, centres, 0
        self.loss = nn.BCEWithLogitsLoss()
        self.generator, self.discriminator = self.make_networks()
        self.opt_gen, self.opt_disc = (
            torch.optim.Adam(network.parameters(), h.learning_rate, h.betas, fused=True)
            for network in (self.generator, self.discriminator)
        )

    def make_networks(self) -> tuple[nn.Module, nn.Module]:
        latent_dim = self.hyperparameters.latent_dim
        return fully_connected(latent_dim, 2), fully_connected(2, 1)

    def real(self, count: int) -> Tensor:
        """Points `count×2` around centres that are chosen at random."""
        chosen = torch.randint(len(self.centres), (count,))
        return self.centres[chosen] + DEVIATION * torch.randn(count, 2)

    def fake(self, count: int) -> Tensor:
        return self.generator(torch.randn(count, self.hyperparameters.latent_dim))

    def step(self, real: Tensor, *classes: Tensor) -> dict[str, float]:
        fake = self.fake(len(real))
        logits = self.discriminate(self.seen(real), self.seen(fake.detach()))
        self.opt_disc.zero_grad()
        self.discriminator_loss(*logits).backward()
        self.opt_disc.step()
        self.discriminator.requires_grad_(False)
        loss = self.generator_loss(self.discriminator(self.seen(fake)))
        self.opt_gen.zero_grad()
        loss.backward()
        self.opt_gen.step()
        self.discriminator.requires_grad_(True)
        self.steps_done += 1
        return {}


class Packed(Trainer):
    """The discriminator judges two at a time (Lin et al. 2018, PacGAN, arXiv 1712.04086)."""

    def make_networks(self) -> tuple[nn.Module, nn.Module]:
        generator, _ = super().make_networks()
        return generator, fully_connected(4, 1)

    def seen(self, images: Tensor) -> Tensor:
        return super().seen(images).unflatten(0, (-1, 2)).flatten(1)


class WassersteinGP(cures.WassersteinGP):
    """With a smaller weight than on images, the better one of two in trial runs."""

    weight = 1.0


CURES: dict[str, Change] = {
    "minimax": (Minimax, {}),
    "non-saturating": (Trainer, {}),
    "packed": (Packed, {}),
    "spectral norm": (cures.SpectralNorm, {"learning_rate": 2e-3, "betas": (0.0, 0.9)}),
    "WGAN-GP": (WassersteinGP, {}),
    "R1": (cures.R1, {}),
    "relativistic, R1 + R2": (cures.Relativistic, {}),
}
"""What is tried on points, the losses first: each with the hyperparameters that it changes.

The last four had two trial runs on the grid, with another seed than those of the study.
"""


def fully_connected(inputs: int, outputs: int, width: int = 128) -> nn.Module:
    """Two hidden layers, with weights after He et al. 2015."""
    layers = nn.Sequential(
        nn.Linear(inputs, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, outputs),
    )
    return cures.without_batch_norm(layers)


def trainer_for(cure: str, target: str, seed: int) -> PointTrainer:
    """A `PointTrainer` with the methods of a cure."""
    kind, changes = CURES[cure]
    classes = (PointTrainer,) if kind is Trainer else (kind, PointTrainer)
    trainer: type[PointTrainer] = type(kind.__name__, classes, {})
    return trainer(replace(PLANE, seed=seed, **changes), TARGETS[target])


def score(points: Tensor, centres: Tensor) -> dict[str, float]:
    """`covered` centres and the share of `good` points of `N×2`.

    A point is good within three standard deviations of a centre. A centre is covered when a
    tenth of the points that it should have are good ones of its own.
    """
    distance, nearest = torch.cdist(points, centres).min(dim=1)
    good = distance < 3 * DEVIATION
    own = torch.bincount(nearest[good], minlength=len(centres))
    covered = (own >= len(points) / len(centres) / 10).sum().item()
    return {"covered": covered, "good": round(good.float().mean().item(), 4)}


def train(trainer: PointTrainer, snapshots: tuple[int, ...] = SNAPSHOTS) -> Iterator[Tensor]:
    """Train up to the last of the `snapshots`; yields `COUNT×2` fakes after each of them."""
    for end in snapshots:
        while trainer.steps_done < end:
            trainer.step(trainer.real(trainer.hyperparameters.batch_size))
        with torch.no_grad():
            fakes = trainer.fake(COUNT)
        yield fakes  # outside of `no_grad`, which would hold for the caller, too


def run_cure(
    cure: str, target: str, seed: int, snapshots: tuple[int, ...], path: Path | None = None
) -> list[dict[str, Any]]:
    """Train on points and return the scores, one row for each of the `snapshots`.

    The fakes go to `path`, as `snapshots×500×2` numbers of 16 bits.
    """
    trainer = trainer_for(cure, target, seed)
    fakes = list(train(trainer, snapshots))
    if path:
        np.save(path, torch.stack(fakes)[:, :SHOWN].half().numpy(), allow_pickle=False)
    return [
        {"target": target, "cure": cure, "seed": seed, "step": step}
        | score(points, trainer.centres)
        for step, points in zip(snapshots, fakes, strict=True)
    ]


def shown(target: str, cure: str, folder: Path = ASSETS) -> Path:
    """The path of the first seed's points."""
    return folder / "points" / f"{target}-{slug(cure)}.npy"


def run_study(
    output: Path = ASSETS,
    seeds: tuple[int, ...] = SEEDS,
    snapshots: tuple[int, ...] = SNAPSHOTS,
    progress: bool = True,
) -> None:
    """Run what is missing in `output` and add it there."""
    make_folder(output / "points")

    def run(target: str, cure: str, seed: int) -> list[dict[str, Any]]:
        path = shown(target, cure, output) if seed == seeds[0] else None
        return run_cure(cure, target, seed, snapshots, path)

    jobs = [
        {"target": target, "cure": cure, "seed": seed}
        for seed in seeds
        for target in TARGETS
        for cure in CURES
    ]
    complete(output / "points.csv", jobs, run, progress)
