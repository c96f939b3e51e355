"""How good are the fakes after so many seconds, and what is each part of the recipe worth?

The second question of `python -m dcgan_helpers.benchmark`; notebook 12 draws the answers.
"""

import copy
import time
from dataclasses import replace

from . import run_folder
from .data import load_dataset
from .hyperparameters import PRESETS
from .metrics import judge_for, numbers
from .training import Trainer
from .tricks import OneForward

SEEDS = (1, 2, 3)
TIMES = (15, 30, 60, 120, 180, 300)
"""Seconds of training after which fakes are scored. Scoring does not count."""
LAPTOP = PRESETS["laptop"]
"""Tuned for FID after one, two and three minutes on two CPU cores, with seeds 11 and 12."""
ARTICLE = replace(PRESETS["article"], dataset="mnist-5k")
# The article's two train with its numbers in our loop, which is the faster one (see `speed`).
RECIPES = {
    "laptop": LAPTOP,
    "laptop in fp32": replace(LAPTOP, precision="fp32"),
    "article": ARTICLE,
    "article with batch norm": replace(ARTICLE, batch_norm=True),
}
TYPES = {"recipe": str, "seed": int, "arithmetic": str, "at": int, "step": int}


def run_recipe(recipe, seed, judge, times=TIMES, recipes=RECIPES):
    """Train with a recipe and return its scores, one row for each of the `times`.

    `seconds` is when the step ended that reached the time. A recipe that is done before
    keeps its last score. Raises TrainingError when a loss is no longer finite.
    """
    h = replace(recipes[recipe], seed=seed)
    trainer = Trainer(h, load_dataset(h.dataset, max_images=h.max_images))
    batches = trainer.batches(trainer.total_steps)
    rows, scores, seconds, is_done = [], {}, 0.0, False
    for at in times:
        while seconds < at and not is_done:
            start = time.perf_counter()
            _, images = next(batches, (None, None))
            is_done = images is None
            if not is_done:
                trainer.require_finite(trainer.step(trainer.to_network(images)))
                seconds += time.perf_counter() - start
                scores = {}
        scores = scores or numbers(judge.score_generator(trainer.moving_average.module.eval()))
        row = {"recipe": recipe, "seed": seed, "arithmetic": trainer.precision, "at": at}
        row |= {"seconds": round(seconds, 1), "step": trainer.steps_done}
        rows.append(row | scores)
    return rows


SHORT = replace(LAPTOP, generator_features=8, discriminator_features=8, precision="fp32", epochs=8)
"""`LAPTOP` at half its width, in 32 bits and for 632 steps: what is changed below.

(In batches of 128 it is 640 steps, 16 whole epochs.)
"""
WHOLE = {
    name: getattr(LAPTOP, name)
    for name in ("generator_features", "discriminator_features", "precision", "epochs")
}
"""What makes `SHORT` the preset again; its unchanged counterpart is the recipe `laptop`."""
CHANGES = {
    "unchanged": (Trainer, {}),
    "bf16": (Trainer, {"precision": "bf16"}),
    "one forward": (OneForward, {}),
    "batches of 128": (Trainer, {"batch_size": 128, "epochs": 16}),
    "momentum 0.5": (Trainer, {"betas": (0.5, 0.999)}),
    "constant rate": (Trainer, {"learning_rate_schedule": "constant"}),
    "no instance noise": (Trainer, {"instance_noise": 0.0}),
    "no instance noise, whole run": (Trainer, WHOLE | {"instance_noise": 0.0}),
}
"""What notebook 12 weighs: each with a `Trainer` and the hyperparameters that it changes."""
ABLATION_TYPES = {"change": str, "seed": int, "step": int}


def run_change(change, seed, judge, base=SHORT):
    """Train to the end with one thing changed; returns one row, the scores at the end.

    `raw_fid` is that of the generator itself, the others are of its moving average. Raises
    TrainingError when a loss is no longer finite.
    """
    trainer_class, changes = CHANGES[change]
    h = replace(base, seed=seed, **changes)
    trainer = trainer_class(h, load_dataset(h.dataset, max_images=h.max_images))
    for _, images in trainer.batches(trainer.total_steps):
        trainer.require_finite(trainer.step(trainer.to_network(images)))
    row = {"change": change, "seed": seed, "step": trainer.steps_done}
    averaged = trainer.moving_average.module.eval()
    raw = copy.deepcopy(averaged)  # so that both sample in the same arithmetic
    raw.load_state_dict(trainer.accelerator.unwrap_model(trainer.generator).state_dict())
    averaged, raw = map(judge.score_generator, (averaged, raw))
    return [row | numbers(averaged) | {"raw_fid": round(raw["fid"], 5)}]


def measure(part, output, seeds=SEEDS, progress=True):
    """Run what is missing in the table of `quality` or `ablation`. Raises InputError."""
    run, names, key, types = {
        "quality": (run_recipe, RECIPES, "recipe", TYPES),
        "ablation": (run_change, CHANGES, "change", ABLATION_TYPES),
    }[part]
    judge = judge_for(LAPTOP)
    jobs = [{key: name, "seed": seed} for seed in seeds for name in names]
    path = output / f"{part}.csv"
    run_folder.complete_table(path, jobs, lambda **job: run(**job, judge=judge), progress, **types)
