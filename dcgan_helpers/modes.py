"""Stacked MNIST: how many of its 1,000 kinds of image does a generator draw (notebook 11)?

`python -m dcgan_helpers.experiments modes` runs the study: a DCGAN, and the same with the remedy
of PacGAN.
"""

from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import nn

from . import run_folder
from .choices import BASE, SEEDS, endless
from .classifier import CLASSES, load_classifier
from .data import load_dataset
from .networks import Discriminator, generate, initialize_weights
from .trained import ASSETS
from .training import Trainer

MODES = CLASSES**3
STACKED = replace(BASE, dataset="stacked-mnist", image_channels=3)
"""The study of notebook 09 on stacked digits, which have three channels."""
COUNT = 26_000
"""Fakes to count modes in, as in Srivastava et al. 2017 and Lin et al. 2018."""
SCORED = (632, 1264)
TABLE = "modes.csv"
TYPES = {"setting": str, "seed": int, "step": int, "count": int, "modes": int}


@torch.no_grad()
def kinds(images, classifier):
    """The kind of each image `N×3×64×64` in [-1, 1]: 100 · red digit + 10 · green + blue."""
    digits = classifier(images.flatten(0, 1).unsqueeze(1)).argmax(dim=1)  # channel by channel
    return digits.reshape(-1, 3) @ torch.tensor([100, 10, 1])


def drawn_kinds(generator, count, classifier):
    """The kinds of `count` fakes; they are made 500 at a time, for all would take gigabytes."""
    sizes = [min(500, count - start) for start in range(0, count, 500)]
    drawn = [kinds(generate(generator, n, seed), classifier) for seed, n in enumerate(sizes)]
    return torch.cat(drawn)


def modes_and_kl(kinds):
    """How many of the 1,000 kinds occur, and the distance of their shares from equal ones.

    The distance is KL(shares ‖ uniform) in nats: 0 for equal shares, ln 1000 = 6.91 when
    all are of one kind. Lin et al. (2018, arXiv 1712.04086) call it reverse KL.
    """
    shares = torch.bincount(kinds, minlength=MODES).double() / len(kinds)
    present = shares[shares > 0]
    return len(present), (present * (present * MODES).log()).sum().item()


class PackedDiscriminator(nn.Module):
    """A discriminator that judges `pack` images together: `N×C×64×64` to `N/pack×1×1×1`.

    Their channels are stacked, so that only its first layer grows (PacGAN, Lin et al. 2018).
    """

    def __init__(self, pack, image_channels, features):
        super().__init__()
        self.pack = pack
        self.judge = Discriminator(pack * image_channels, features)

    def forward(self, images):
        whole = len(images) // self.pack * self.pack  # of a short last batch, whole packs only
        return self.judge(images[:whole].unflatten(0, (-1, self.pack)).flatten(1, 2))


class Packed(Trainer):
    """A DCGAN whose discriminator sees two images at a time."""

    def make_networks(self):
        generator, _ = super().make_networks()
        h = self.hyperparameters
        discriminator = PackedDiscriminator(2, h.image_channels, h.discriminator_features)
        initialize_weights(discriminator)
        return generator, discriminator


SETTINGS = {"DCGAN": Trainer, "packed": Packed}


def train_stacked(setting, seed, base=STACKED, scored=SCORED, count=COUNT):
    """Train in a setting; returns the generator's average and a row for each step in `scored`.

    Modes are counted among 5,000 fakes, and after the last step among `count`.
    """
    h = replace(base, seed=seed)
    images = load_dataset(h.dataset, image_channels=3, max_images=h.max_images)
    trainer = SETTINGS[setting](h, images)
    generator, (classifier, _) = trainer.moving_average.module, load_classifier()
    rows, last = [], max(scored)
    for step, batch in zip(range(1, last + 1), endless(trainer), strict=False):
        trainer.step(trainer.to_network(batch))
        if step in scored:
            drawn = min(count, COUNT if step == last else 5000)
            row = {"setting": setting, "seed": seed, "step": step, "count": drawn}
            modes, kl = modes_and_kl(drawn_kinds(generator.eval(), drawn, classifier))
            rows.append(row | {"modes": modes, "kl": round(kl, 4)})
    return generator, rows


def run_study(output=ASSETS, base=STACKED, seeds=SEEDS, scored=SCORED, progress=True):
    """Run what is missing in `output` and add it there. Raises InputError.

    The generators of the first seed are kept for notebook 11.
    """

    def run(setting, seed):
        generator, rows = train_stacked(setting, seed, base, scored)
        if seed == seeds[0]:
            save_generator(generator, setting, replace(base, seed=seed), output)
        return rows

    jobs = [{"setting": setting, "seed": seed} for seed in seeds for setting in SETTINGS]
    run_folder.complete_table(output / TABLE, jobs, run, progress, **TYPES)


def folder_of(setting, output=ASSETS):
    """Where the study keeps a setting's generator, in a form `load_generator` reads."""
    return Path(output) / "stacked" / setting.lower()


def save_generator(generator, setting, base, output):
    """Write a generator in 16 bits, with the hyperparameters that say what it is."""
    folder = folder_of(setting, output)
    folder.mkdir(parents=True, exist_ok=True)
    run_folder.save_json(folder / run_folder.HYPERPARAMETERS, asdict(base))
    run_folder.save_weights(folder / run_folder.GENERATOR, generator.half())


def read_results(folder=ASSETS):
    """The rows of the study: one for each setting, seed and scored step."""
    return run_folder.load_table(Path(folder) / TABLE, **TYPES)
