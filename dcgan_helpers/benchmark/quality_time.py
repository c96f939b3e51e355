"""How good are the fakes after so many seconds, and what is each part of the recipe worth?

The second question of `python -m dcgan_helpers benchmark`; notebook 12 draws the answers.
"""

import copy
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from ..data import load_images
from ..hyperparameters import PRESETS, Hyperparameters
from ..quality.judge import judge_for, table_row
from ..quality.tables import SEEDS, complete
from ..training import Judge, Trainer
from .tricks import OneForward

Row = dict[str, Any]
TIMES = (15, 25, 35, 45, 60, 75, 90, 110, 120, 150, 180, 300)
"""Seconds of training after which fakes are scored. Scoring does not count."""
LAPTOP = PRESETS["laptop"]
"""Tuned for FID after one, two and three minutes on two CPU cores, with seeds 11 and 12."""
ARTICLE = replace(PRESETS["article"], dataset="mnist-5k")
# The article's two train with its numbers in our loop, which is the faster one (`step_time`).
RECIPES = {
    "laptop": LAPTOP,
    "digits": PRESETS["digits"],
    "clusters": PRESETS["clusters"],
    "laptop in fp32": replace(LAPTOP, precision="fp32"),
    "digits in fp32": replace(PRESETS["digits"], precision="fp32"),
    "article": ARTICLE,
    "article with batch norm": replace(ARTICLE, batch_norm=True),
}


def at_times(
    step: Callable[[], Any], is_over: Callable[[], bool], times: tuple[float, ...]
) -> Iterator[tuple[float, float]]:
    """Do steps, and yield each of the `times` with the seconds that they have taken by then.

    What is done between two values, such as scoring, does not count.
    """
    seconds = 0.0
    for at in times:
        while seconds < at and not is_over():
            start = time.perf_counter()
            step()
            seconds += time.perf_counter() - start
        yield at, seconds


def run_recipe(
    recipe: str,
    seed: int,
    judge: Judge,
    times: tuple[int, ...] = TIMES,
    recipes: dict[str, Hyperparameters] = RECIPES,
) -> list[Row]:
    """Train with a recipe and return its scores, one row for each of the `times`.

    `seconds` is when the step ended that reached the time. A recipe that is done before
    keeps its last score. Raises TrainingError when a loss is no longer finite.
    """
    h = replace(recipes[recipe], seed=seed)
    trainer = Trainer(h, load_images(h))
    steps, rows, scored_at = trainer.steps(trainer.total_steps), [], -1
    for at, seconds in at_times(
        partial(next, steps), lambda: trainer.steps_done == trainer.total_steps, times
    ):
        if scored_at != trainer.steps_done:
            scores = table_row(judge.score_generator(trainer.moving_average.module.eval()))
            scored_at = trainer.steps_done
        row: Row = {"recipe": recipe, "seed": seed, "arithmetic": trainer.precision, "at": at}
        rows.append(row | {"seconds": round(seconds, 1), "step": trainer.steps_done} | scores)
    return rows


TEN_SEEDS = tuple(range(1, 11))
TO_THE_END = {"laptop": TEN_SEEDS, "digits": TEN_SEEDS}
TO_THE_END |= {"laptop in fp32": SEEDS, "digits in fp32": SEEDS}
"""Recipes trained to their ends, and the seeds of each: is any run lost?"""


def run_to_the_end(recipe: str, seed: int, judge: Judge) -> list[Row]:
    """Train with a recipe to its end and return one row of scores, which no clock decides.

    Raises TrainingError when a loss is no longer finite.
    """
    (row,) = run_recipe(recipe, seed, judge, times=(sys.maxsize,))
    return [{name: value for name, value in row.items() if name not in ("at", "seconds")}]


TARGET_FLOORS, TARGET_SURE = 2.0, 0.95
"""What RECORDS.md races for: FID in floors at most, and the share of sure fakes at least."""


def seconds_to_target(table: pd.DataFrame, recipe: str, floor: float) -> int | None:
    """The first of `TIMES` at which the medians of a recipe's seeds meet the target, or None."""
    own = table[table["recipe"] == recipe].groupby("at")[["fid", "sure"]].median()
    met = own[(own["fid"] <= TARGET_FLOORS * floor) & (own["sure"] >= TARGET_SURE)]
    return None if met.empty else int(met.index.min())


HALF_WIDTH_10_EPOCHS = replace(
    LAPTOP, generator_features=8, discriminator_features=8, precision="fp32", epochs=10
)
"""`LAPTOP` at half its width, in 32 bits and for 630 steps: what is changed below.

(In batches of 128 it is 640 steps, 20 whole epochs.)
"""
FULL_WIDTH_30_EPOCHS = {
    name: getattr(LAPTOP, name)
    for name in ("generator_features", "discriminator_features", "precision", "epochs")
}
"""What makes it the preset again; its unchanged counterpart is the recipe `laptop`."""
CHANGES: dict[str, tuple[type[Trainer], dict[str, Any]]] = {
    "unchanged": (Trainer, {}),
    "bf16": (Trainer, {"precision": "bf16"}),
    "one forward": (OneForward, {}),
    "batches of 128": (Trainer, {"batch_size": 128, "epochs": 20}),
    "momentum 0.5": (Trainer, {"betas": (0.5, 0.999)}),
    "constant rate": (Trainer, {"learning_rate_schedule": "constant"}),
    "no instance noise": (Trainer, {"instance_noise": 0.0}),
    "no instance noise, whole run": (Trainer, FULL_WIDTH_30_EPOCHS | {"instance_noise": 0.0}),
}
"""What notebook 12 weighs: each with a `Trainer` and the hyperparameters that it changes."""


def run_change(
    change: str, seed: int, judge: Judge, base: Hyperparameters = HALF_WIDTH_10_EPOCHS
) -> list[Row]:
    """Train to the end with one thing changed; returns one row, the scores at the end.

    `raw_fid` is that of the generator itself, the others are of its moving average. Raises
    TrainingError when a loss is no longer finite.
    """
    trainer_class, changes = CHANGES[change]
    h = replace(base, seed=seed, **changes)
    trainer = trainer_class(h, load_images(h))
    for _ in trainer.steps(trainer.total_steps):
        pass
    averaged = trainer.moving_average.module.eval()
    raw = copy.deepcopy(averaged)  # so that both sample in the same arithmetic
    raw.load_state_dict(trainer.accelerator.unwrap_model(trainer.generator).state_dict())
    scores, raw_scores = map(judge.score_generator, (averaged, raw))
    row: Row = {"change": change, "seed": seed, "step": trainer.steps_done}
    return [row | table_row(scores) | {"raw_fid": round(raw_scores["fid"], 5)}]


def measure_quality(path: Path, seeds: tuple[int, ...] = SEEDS, progress: bool = True) -> None:
    """Run what is missing in the table of `quality`. Raises InputError."""
    judges = {name: judge_for(h) for name, h in RECIPES.items()}
    jobs = [{"recipe": name, "seed": seed} for seed in seeds for name in RECIPES]
    complete(path, jobs, lambda recipe, seed: run_recipe(recipe, seed, judges[recipe]), progress)


def measure_seeds(path: Path, progress: bool = True) -> None:
    """Run what is missing in the table of `seeds`. Raises InputError."""
    judges = {name: judge_for(RECIPES[name]) for name in TO_THE_END}
    jobs = [{"recipe": name, "seed": seed} for name, own in TO_THE_END.items() for seed in own]
    complete(
        path, jobs, lambda recipe, seed: run_to_the_end(recipe, seed, judges[recipe]), progress
    )


def measure_ablation(path: Path, seeds: tuple[int, ...] = SEEDS, progress: bool = True) -> None:
    """Run what is missing in the table of `ablation`. Raises InputError."""
    judge = judge_for(LAPTOP)
    jobs = [{"change": name, "seed": seed} for seed in seeds for name in CHANGES]
    complete(path, jobs, lambda change, seed: run_change(change, seed, judge), progress)
