"""Notebook 14: what each cure of `dcgan_helpers.cures` does to a DCGAN on digits.

Every cure gets the same training time: as many steps as it can do while the unchanged loop does
`STEPS`, by the step times that `cures-times.csv` holds.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from .. import cures, studies
from ..data import load_images
from ..hyperparameters import PRESETS, Hyperparameters
from ..quality import tables
from ..quality.judge import judge_for
from ..quality.tables import SEEDS
from ..run_folder import ASSETS, make_folder
from ..training import Judge, Trainer
from . import Change, scores_at_end, slug

CURES: dict[str, Change] = {
    "as it is": (Trainer, {}),
    "no instance noise": (Trainer, {"instance_noise": 0.0}),
    "no batch norm in D": (cures.NoNorm, {}),
    "hinge loss": (cures.Hinge, {}),
    "spectral norm": (cures.SpectralNorm, {}),
    "spectral norm, no batch norm in D": (cures.OnlySpectralNorm, {}),
    "R1": (cures.R1, {}),
    "WGAN-GP": (cures.WassersteinGP, {"instance_noise": 0.0, "learning_rate": 2e-3}),
    "relativistic, R1 + R2": (cures.Relativistic, {}),
    "augmentation": (cures.Augmented, {}),
    "two rates": (Trainer, {"learning_rate": 2e-3, "discriminator_learning_rate": 1e-3}),
    "resize-convolution": (cures.ResizeConvolution, {}),
}
"""What is compared: each with its `Trainer` and the hyperparameters that it changes."""
BASES = {name: replace(PRESETS[name], precision="bf16") for name in ("laptop", "digits")}
"""What is cured: a plain DCGAN and one with classes. In 16 bits on every processor, so that a
table has one arithmetic."""
STEPS = {"laptop": 600, "digits": 400}
"""Steps of the base that make up the time of each run: about 36 and 24 s on two cores."""
FEW_CURES: dict[str, Change] = {
    name: CURES[name] for name in ("as it is", "no instance noise", "augmentation")
}
PARTS: dict[str, Change] = {
    "only brightness": (cures.OnlyBrightness, {}),
    "only cutout": (cures.OnlyCutout, {}),
    "only translation": (cures.OnlyTranslation, {}),
    "only translation, grey border": (cures.GreyTranslation, {}),
}
"""The augmentation's parts, each alone."""
PENALTIES = ("R1", "WGAN-GP", "relativistic, R1 + R2")
"""What is compared at equal images, too: a penalty's step costs half as much again, or more."""
ALL, FEW = 4000, {1000: FEW_CURES, 500: FEW_CURES | PARTS}
"""How many images, and what is compared with few of them: the cures that are about few data."""


def complete_times(path: Path, base: Hyperparameters) -> None:
    """Time the cures that a table lacks, in turns with the unchanged step."""
    times = tables.read(path)
    missing = [n for n in CURES | PARTS if times.empty or n not in set(times["cure"])]
    if missing:
        first = 1 if times.empty else times["round"].max() + 1
        names = dict.fromkeys(["as it is", *missing])
        changes = {name: (CURES | PARTS)[name] for name in names}
        more = studies.step_times(changes, "cure", base, range(first, first + 7), steps=2)
        tables.save(path, pd.concat([times, more]))


def costs(folder: Path = ASSETS) -> dict[str, float]:
    """A step's cost of each cure, in unchanged steps of the same round: the median."""
    times = tables.read(folder / "cures-times.csv").pivot(
        index="round", columns="cure", values="milliseconds"
    )
    ratios = times.div(times["as it is"], axis=0)
    return {str(cure): float(ratios[cure].median()) for cure in ratios}


def run_cure(
    cure: str, h: Hyperparameters, steps: int, judge: Judge, picture: Path | None = None
) -> dict[str, Any]:
    """Train for so many steps, at whose end the learning rate is 0; returns scores at the end."""
    trainer_class, changes = (CURES | PARTS)[cure]
    h = replace(h, **changes)
    trainer = trainer_class(h, load_images(h, progress=False))
    trainer.total_steps = steps
    return scores_at_end(trainer, judge, picture)


def picture(base: str, cure: str, folder: Path = ASSETS) -> Path:
    """The path of ten fakes of the first seed, after the last step of the equal time."""
    return folder / "cures" / f"{base}-{slug(cure)}.png"


def jobs(seeds: tuple[int, ...]) -> list[dict[str, Any]]:
    """All runs, most wanted first: equal time, then equal images, then few images.

    Seed by seed, so that a study that is stopped has something on every cure.
    """
    found = []
    for seed in seeds:
        for base in BASES:
            # The preset `digits` has two rates already.
            own = [name for name in CURES if (base, name) != ("digits", "two rates")]
            found += [(base, ALL, "time", name, seed) for name in own]
    found += [("laptop", ALL, "images", name, seed) for seed in seeds for name in PENALTIES]
    found += [
        ("laptop", images, "time", name, seed)
        for seed in seeds
        for images, names in FEW.items()
        for name in names
    ]
    columns = ("base", "images", "equal", "cure", "seed")
    return [dict(zip(columns, job, strict=True)) for job in found]


def run_study(
    output: Path = ASSETS,
    bases: dict[str, Hyperparameters] = BASES,
    steps: dict[str, int] = STEPS,
    seeds: tuple[int, ...] = SEEDS,
    progress: bool = True,
) -> None:
    """Run what is missing in `output` and add it there. Raises InputError."""
    make_folder(output / "cures")
    complete_times(output / "cures-times.csv", bases["laptop"])
    cost = costs(output)
    judges = {name: judge_for(h) for name, h in bases.items()}

    def run(base: str, images: int, equal: str, cure: str, seed: int) -> list[dict[str, Any]]:
        h = replace(bases[base], seed=seed, max_images=None if images == ALL else images)
        count = round(steps[base] / cost[cure]) if equal == "time" else steps[base]
        is_shown = seed == seeds[0] and equal == "time" and images == ALL
        path = picture(base, cure, output) if is_shown else None
        row = {"base": base, "images": images, "equal": equal, "cure": cure, "seed": seed}
        return [row | {"step": count} | run_cure(cure, h, count, judges[base], path)]

    tables.complete(output / "cures.csv", jobs(seeds), run, progress)
