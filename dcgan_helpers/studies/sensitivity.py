"""Notebook 09: how sensitive is training to learning rate, beta1, width and initial weights?"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from ..data import load_images
from ..hyperparameters import Hyperparameters
from ..networks import generate
from ..quality.judge import judge_for, table_row
from ..quality.tables import SEEDS, complete
from ..run_folder import ASSETS, make_folder, save_grid
from ..training import Trainer
from . import PLAIN_LAPTOP, ROW_COUNT

TEN_EPOCHS = replace(PLAIN_LAPTOP, epochs=10)
"""What each run changes one value of: 630 steps."""
Setting = dict[str, Any]
USUAL: Setting = {
    "learning_rate": PLAIN_LAPTOP.learning_rate,
    "beta1": PLAIN_LAPTOP.betas[0],
    "features": PLAIN_LAPTOP.generator_features,
    "start": "paper",
}
# What batch norm is at the start: as in the paper's code; its scales as the article's
# `initialize_weights` would draw them; none, as the article runs.
STARTS: dict[str, Setting] = {
    "paper": {"batch_norm": True, "batch_norm_mean": 1.0},
    "zero-scales": {"batch_norm": True, "batch_norm_mean": 0.0},
    "no-norm": {"batch_norm": False},
}
VALUES: dict[str, tuple[Any, ...]] = {
    "learning_rate": (5e-5, 2e-4, 5e-4, 1e-3, 5e-3),
    "beta1": (0.0, 0.5, 0.9),
    "features": (4, 8, 16, 32),
    "start": tuple(STARTS),
}


def settings() -> list[Setting]:
    """Every setting of the study once: one value differs from `USUAL`."""
    changed = [USUAL | {name: value} for name, values in VALUES.items() for value in values]
    return [setting for i, setting in enumerate(changed) if setting not in changed[:i]]


def hyperparameters(setting: Setting, seed: int, base: Hyperparameters) -> Hyperparameters:
    """The hyperparameters of one run: those of `base` with a setting's values."""
    return replace(
        base,
        learning_rate=setting["learning_rate"],
        betas=(setting["beta1"], base.betas[1]),
        generator_features=setting["features"],
        discriminator_features=setting["features"],
        seed=seed,
        **STARTS[setting["start"]],
    )


def picture(setting: Setting, folder: Path = ASSETS) -> Path:
    """The path of a setting's picture: eight fakes in a row, made from the first seed."""
    name = "-".join(f"{name}={value}" for name, value in setting.items())
    return folder / "sensitivity" / f"{name}.png"


def run_study(
    output: Path = ASSETS,
    base: Hyperparameters = TEN_EPOCHS,
    seeds: tuple[int, ...] = SEEDS,
    progress: bool = True,
) -> None:
    """Train what is missing in `output` and add it there. Raises InputError."""
    make_folder(output / "sensitivity")
    images, judge = load_images(base), judge_for(base)

    def run(seed: int, **setting: Any) -> list[dict[str, Any]]:
        trainer = Trainer(hyperparameters(setting, seed, base), images)
        for _ in trainer.steps(trainer.total_steps):
            pass
        generator = trainer.moving_average.module.eval()
        if seed == seeds[0]:
            save_grid(picture(setting, output), generate(generator, ROW_COUNT))
        ran = {"seed": seed, "steps": trainer.steps_done}
        return [setting | ran | table_row(judge.score_generator(generator))]

    jobs = [setting | {"seed": seed} for setting in settings() for seed in seeds]
    complete(output / "sensitivity.csv", jobs, run, progress)
