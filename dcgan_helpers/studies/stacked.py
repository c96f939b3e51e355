"""Notebook 11: how many of the 1,000 kinds of stacked digits does a generator draw?

Stacked MNIST has three digits an image, one a channel. The study trains a DCGAN on it, and the
same with the remedy of PacGAN, at equal images a step and at equal packs a step.
"""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .. import run_folder
from ..data import load_images
from ..hyperparameters import Hyperparameters
from ..networks import Discriminator, generate, initialize_weights
from ..quality.classifier import CLASSES, Classifier, load_classifier
from ..quality.tables import SEEDS, complete
from ..run_folder import ASSETS
from ..training import Trainer
from . import HALF_WIDTH, Change

TRIPLE_COUNT = CLASSES**3
HALF_WIDTH_STACKED = replace(HALF_WIDTH, dataset="stacked-mnist", image_channels=3)
"""The study of notebook 09 on stacked digits, which have three channels."""
COUNT = 26_000
"""Fakes to count modes in, as in Srivastava et al. 2017 and Lin et al. 2018."""
SCORED_STEPS = (632, 1264)
PACK = 2
"""Images that the packed discriminator judges together."""
KEPT = ("DCGAN",)
"""The setting whose generator of the first seed is kept for notebook 11."""


@torch.no_grad()
def digit_triples(images: Tensor, classifier: Classifier) -> Tensor:
    """The kind of each image `N×3×64×64` in [-1, 1]: 100 · red digit + 10 · green + blue."""
    digits = classifier(images.flatten(0, 1).unsqueeze(1)).argmax(dim=1)  # channel by channel
    return digits.reshape(-1, 3) @ torch.tensor([100, 10, 1])


def drawn_triples(generator: nn.Module, count: int, classifier: Classifier) -> Tensor:
    """The kinds of `count` fakes, made 500 at a time because all would take gigabytes."""
    sizes = [min(500, count - start) for start in range(0, count, 500)]
    return torch.cat(
        [digit_triples(generate(generator, n, seed), classifier) for seed, n in enumerate(sizes)]
    )


def modes_and_kl(triples: Tensor) -> tuple[int, float]:
    """How many of the 1,000 kinds occur, and the distance of their shares from equal ones.

    The distance is KL(shares ‖ uniform) in nats: 0 for equal shares, ln 1000 = 6.91 when
    all are of one kind. Lin et al. (2018, arXiv 1712.04086) call it reverse KL.
    """
    shares = torch.bincount(triples, minlength=TRIPLE_COUNT).double() / len(triples)
    present = shares[shares > 0]
    return len(present), (present * (present * TRIPLE_COUNT).log()).sum().item()


class PackedDiscriminator(nn.Module):
    """A discriminator that judges `pack` images together: `N×C×64×64` to `N/pack×1×1×1`.

    Their channels are stacked, so that only its first layer grows (PacGAN, Lin et al. 2018).
    """

    def __init__(self, pack: int, image_channels: int, features: int):
        super().__init__()
        self.pack = pack
        self.discriminator = Discriminator(pack * image_channels, features)

    def forward(self, images: Tensor) -> Tensor:
        whole = len(images) // self.pack * self.pack  # of a short last batch, whole packs only
        return self.discriminator(images[:whole].unflatten(0, (-1, self.pack)).flatten(1, 2))


class Packed(Trainer):
    """A DCGAN whose discriminator sees `PACK` images at a time."""

    def make_networks(self) -> tuple[nn.Module, nn.Module]:
        generator, _ = super().make_networks()
        h = self.hyperparameters
        discriminator = PackedDiscriminator(PACK, h.image_channels, h.discriminator_features)
        initialize_weights(discriminator)
        return generator, discriminator


SETTINGS: dict[str, Change] = {
    "DCGAN": (Trainer, {}),
    "packed": (Packed, {}),
    "packed, equal verdicts": (Packed, {"batch_size": PACK * HALF_WIDTH_STACKED.batch_size}),
}
"""What is compared, each for as many steps. A batch of 64 is 32 packs of two: half the verdicts.

Lin et al. (2018) take as many packs a step as images without packing, as their code shows. So
does the last one: 64 packs, made of twice the real images and twice the fakes.
"""


def train_stacked(
    setting: str,
    seed: int,
    base: Hyperparameters = HALF_WIDTH_STACKED,
    scored_steps: tuple[int, ...] = SCORED_STEPS,
    count: int = COUNT,
) -> tuple[nn.Module, list[dict[str, Any]]]:
    """Train in a setting; returns the generator's average and a row for each scored step.

    Modes are counted among 5,000 fakes, and after the last step among `count`.
    """
    trainer_class, changes = SETTINGS[setting]
    h, last = replace(base, seed=seed, **changes), max(scored_steps)
    trainer = trainer_class(h, load_images(h))
    generator, (classifier, _) = trainer.moving_average.module, load_classifier()
    rows: list[dict[str, Any]] = []
    for _ in trainer.steps(last):
        step = trainer.steps_done
        if step in scored_steps:
            drawn = min(count, COUNT if step == last else 5000)
            modes, kl = modes_and_kl(drawn_triples(generator.eval(), drawn, classifier))
            row: dict[str, Any] = {"setting": setting, "seed": seed, "step": step, "count": drawn}
            rows.append(row | {"modes": modes, "kl": round(kl, 4)})
    return generator, rows


def run_study(
    output: Path = ASSETS,
    base: Hyperparameters = HALF_WIDTH_STACKED,
    seeds: tuple[int, ...] = SEEDS,
    scored_steps: tuple[int, ...] = SCORED_STEPS,
    progress: bool = True,
) -> None:
    """Run what is missing in `output` and add it there. Raises InputError."""

    def run(setting: str, seed: int) -> list[dict[str, Any]]:
        generator, rows = train_stacked(setting, seed, base, scored_steps)
        if seed == seeds[0] and setting in KEPT:
            save_generator(generator, setting, replace(base, seed=seed), output)
        return rows

    jobs = [{"setting": setting, "seed": seed} for seed in seeds for setting in SETTINGS]
    complete(output / "stacked.csv", jobs, run, progress)


def folder_of(setting: str, output: Path = ASSETS) -> Path:
    """Where the study keeps a setting's generator, in a form `load_generator` reads."""
    return output / "stacked" / setting.lower()


def save_generator(generator: nn.Module, setting: str, base: Hyperparameters, output: Path) -> None:
    """Write a generator in 16 bits, with the hyperparameters that say what it is."""
    folder = folder_of(setting, output)
    run_folder.make_folder(folder)
    run_folder.save_json(folder / run_folder.HYPERPARAMETERS, asdict(base))
    run_folder.save_weights(folder / run_folder.GENERATOR, generator.half())
