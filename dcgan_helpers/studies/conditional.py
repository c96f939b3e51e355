"""Notebook 13: how should a discriminator be told the class, and what is a class worth?

The preset `digits`, at half its width, shortened, and in 32 bits, so that the processor's kind
does not matter: with the class by projection or by concatenation, with clusters in place of
labels, and without classes.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..data import load_images
from ..hyperparameters import PRESETS, Hyperparameters
from ..networks import Discriminator, initialize_weights
from ..quality.judge import judge_for
from ..quality.tables import SEEDS, complete
from ..run_folder import ASSETS, make_folder
from ..training import Judge, Trainer
from . import Change, scores_at_end, slug

SHORT_DIGITS = replace(
    PRESETS["digits"], generator_features=8, discriminator_features=8, epochs=8, precision="fp32"
)
"""What each run changes one thing of."""


class ConcatenatedDiscriminator(nn.Module):
    """Images `N×C×S×S` and their classes, `N`, to logits `N×1×1×1`.

    Each class is a channel more, all 1 for an image's own class and all 0 for the others (Mirza
    and Osindero 2014, arXiv 1411.1784, for convolutions).
    """

    def __init__(self, h: Hyperparameters, classes: int):
        super().__init__()
        self.classes = classes
        sizes = h.image_channels + classes, h.discriminator_features, h.batch_norm
        self.discriminator = Discriminator(*sizes, h.image_size)

    def forward(self, images: Tensor, classes: Tensor) -> Tensor:
        one_hot = nn.functional.one_hot(classes, self.classes).to(images.dtype)
        channels = one_hot[:, :, None, None].expand(-1, -1, *images.shape[2:])
        return self.discriminator(torch.cat([images, channels], dim=1))


class Concatenated(Trainer):
    """A conditional DCGAN whose discriminator gets the class as channels."""

    def make_networks(self) -> tuple[nn.Module, nn.Module]:
        generator, _ = super().make_networks()
        discriminator = ConcatenatedDiscriminator(self.hyperparameters, self.class_count)
        initialize_weights(discriminator)
        return generator, discriminator


SETTINGS: dict[str, Change] = {
    "labels, projection": (Trainer, {"classes": "labels"}),
    "labels, concatenation": (Concatenated, {"classes": "labels"}),
    "clusters, projection": (Trainer, {"classes": "clusters"}),
    "no classes": (Trainer, {"classes": "none"}),
}
"""What notebook 13 compares: each with a `Trainer` and the hyperparameters that it changes."""


def run_setting(
    setting: str, seed: int, base: Hyperparameters, judge: Judge, picture: Path | None = None
) -> list[dict[str, Any]]:
    """Train to the end in a setting; returns one row, the scores at the end."""
    trainer_class, changes = SETTINGS[setting]
    h = replace(base, seed=seed, **changes)
    trainer = trainer_class(h, load_images(h, progress=False))
    scores = scores_at_end(trainer, judge, picture)
    return [{"setting": setting, "seed": seed, "step": trainer.steps_done} | scores]


def picture(setting: str, folder: Path = ASSETS) -> Path:
    """The path of a setting's picture: ten fakes of the first seed, after its last step."""
    return folder / "conditional" / f"{slug(setting)}.png"


def run_study(
    output: Path = ASSETS,
    base: Hyperparameters = SHORT_DIGITS,
    seeds: tuple[int, ...] = SEEDS,
    progress: bool = True,
) -> None:
    """Run what is missing in `output` and add it there. Raises InputError."""
    make_folder(output / "conditional")
    judges = {name: judge_for(replace(base, **changed)) for name, (_, changed) in SETTINGS.items()}

    def run(setting: str, seed: int) -> list[dict[str, Any]]:
        path = picture(setting, output) if seed == seeds[0] else None
        return run_setting(setting, seed, base, judges[setting], path)

    # Seed by seed, so that a study that is stopped has something on every setting.
    jobs = [{"setting": setting, "seed": seed} for seed in seeds for setting in SETTINGS]
    complete(output / "conditional.csv", jobs, run, progress)
