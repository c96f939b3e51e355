"""The studies behind the notebooks, three seeds a setting; what they find goes to `assets/`.

sensitivity  notebook 09: learning rate, beta1, width and initial weights, one at a time
choices      notebook 09: batch norm, losses, convolutions: the article's choices
noise        notebook 09: what instance noise changes in what the discriminator learns
stacked      notebook 11: how many of 1,000 kinds of image a generator draws
conditional  notebook 13: labels and clusters, by projection and by concatenation
points       notebook 14: what came after DCGAN, on points in a plane
cures        notebook 14: the same on digits, at equal training time
flow         notebook 14: flow matching, for the same time

A study is a file with a function `run_study(output)`, which fills `output/NAME.csv` and can be
stopped at any time: the same call goes on where it was. `python -m dcgan_helpers study NAME`
runs it. `show` and `show_points` are no studies: they hold notebook 14's figures and tables.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from ..data import load_images
from ..hyperparameters import PLAIN, PRESETS, Hyperparameters
from ..networks import generate
from ..quality import tables
from ..quality.cost import seconds_of
from ..quality.judge import table_row
from ..run_folder import ASSETS, save_grid
from ..training import Judge, Trainer

Change = tuple[type[Trainer], dict[str, Any]]
"""What a study compares: a `Trainer`, and the hyperparameters that it changes."""

PLAIN_LAPTOP = replace(PRESETS["laptop"], **PLAIN, generator_features=16, epochs=30)
"""Width 16, 30 epochs, the plainest loop: what these studies change one thing of."""
HALF_WIDTH = replace(PLAIN_LAPTOP, generator_features=8, discriminator_features=8, precision="fp32")
"""The same at width 8 and in 32 bits, so that the processor's kind does not matter."""
ROW_COUNT = 8
"""Fakes in a picture of a study."""
CLASS_ROW_COUNT = 10
"""Fakes in a picture of a study that may have classes: one of each digit, or ten."""


def read_results(study: str, folder: Path = ASSETS) -> pd.DataFrame:
    """The table of a study: a row for each setting, seed and scored step."""
    return tables.read(folder / f"{study}.csv")


def slug(name: str) -> str:
    """A name as it stands in a file's name: its letters and digits, joined by dashes."""
    return "-".join(re.findall("[a-z0-9]+", name.lower()))


def scores_at_end(trainer: Trainer, judge: Judge, picture: Path | None = None) -> dict[str, Any]:
    """Train for all steps of a trainer and return the scores; `picture` gets a row of fakes."""
    for _ in trainer.steps(trainer.total_steps):
        pass
    generator = trainer.moving_average.module.eval()
    if picture:
        known = trainer.class_count
        classes = torch.arange(CLASS_ROW_COUNT) % known if known else None
        fakes = generate(generator, CLASS_ROW_COUNT, classes=classes)
        save_grid(picture, fakes, CLASS_ROW_COUNT)
    return table_row(judge.score_generator(generator))


def step_times(
    changes: Mapping[str, Change],
    column: str,
    base: Hyperparameters,
    rounds: Iterable[int],
    steps: int,
) -> pd.DataFrame:
    """Milliseconds a step with each of the changes, one row a round; in a round they take turns.

    So another program's load meets all of them. Each time is taken after two steps that warm up.
    The changes' names go into `column`.
    """
    images, work = load_images(replace(base, max_images=base.batch_size), progress=False), {}
    for name, (trainer_class, changed) in changes.items():
        trainer = trainer_class(replace(base, **changed), images)
        work[name] = partial(trainer.step, trainer.to_network(next(trainer.batches())[1]))
    rows = [
        {column: name, "round": round_, "milliseconds": 1000 * seconds_of(step, steps)}
        for round_ in rounds
        for name, step in work.items()
    ]
    return pd.DataFrame(rows).round({"milliseconds": 2})
