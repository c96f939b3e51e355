"""The studies behind the notebooks, three seeds a setting; what they find goes to `assets/`.

hyperparameters  notebook 05: learning rate, beta1, width and initial weights
choices          notebook 09: batch norm, losses, convolutions: the article's choices
modes            notebook 11: how many of 1,000 kinds of image a generator draws

`python -m dcgan_helpers.experiments STUDY` can be stopped at any time; the same command goes
on where it was.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch

from . import InputError, choices, modes, run_folder
from .choices import SEEDS, SHOWN, STUDIED
from .data import load_dataset, scale_images
from .files import remove
from .metrics import neighbour_accuracy
from .networks import generate
from .trained import ASSETS
from .training import TrainingError, train

USUAL = {
    "learning_rate": STUDIED.learning_rate,
    "beta1": STUDIED.betas[0],
    "features": STUDIED.generator_features,
    "start": "paper",
}
# What batch norm is at the start: as in the paper's code; its scales as the article's
# `initialize_weights` would draw them; none, as the article runs.
STARTS = {
    "paper": {"batch_norm": True, "batch_norm_mean": 1.0},
    "zero-scales": {"batch_norm": True, "batch_norm_mean": 0.0},
    "no-norm": {"batch_norm": False},
}
VALUES = {
    "learning_rate": (5e-5, 2e-4, 5e-4, 1e-3, 5e-3),
    "beta1": (0.0, 0.5, 0.9),
    "features": (4, 8, 16, 32),
    "start": tuple(STARTS),
}
COMPARED = 1000  # real images and as many fakes
TABLE, TYPES = "hyperparameters.csv", {"features": int, "start": str, "seed": int, "steps": int}


def settings():
    """Every setting of the study once, as dictionaries: one value differs from `USUAL`."""
    changed = [USUAL | {name: value} for name, values in VALUES.items() for value in values]
    return [setting for i, setting in enumerate(changed) if setting not in changed[:i]]


def hyperparameters(setting, seed, base):
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


def read_results(folder=ASSETS):
    """The rows of hyperparameters.csv, one a run, with numbers for values."""
    return run_folder.load_table(Path(folder) / TABLE, **TYPES)


def picture(setting, folder=ASSETS):
    """The path of a setting's picture: eight fakes in a row, made from the first seed."""
    name = "-".join(f"{name}={value}" for name, value in setting.items())
    return Path(folder) / "hyperparameters" / f"{name}.png"


def run_study(base, output, runs, seeds=SEEDS, progress=True):
    """Train what is missing in `output` and add it there. Raises InputError."""
    (output / "hyperparameters").mkdir(parents=True, exist_ok=True)
    images = load_dataset(base.dataset, max_images=base.max_images)
    chosen = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:COMPARED]
    real = scale_images(images[chosen])

    def run(seed, **setting):
        run_dir = runs / f"{picture(setting).stem}-seed={seed}"
        h = hyperparameters(setting, seed, base)
        train(h, run_dir, resume=(run_dir / run_folder.HYPERPARAMETERS).exists(), progress=False)
        fake = generate(run_folder.load_generator(run_dir), len(real))
        last = run_folder.step_of(run_folder.latest_checkpoint(run_dir))
        accuracy = round(neighbour_accuracy(real, fake), 4)
        if seed == seeds[0]:
            run_folder.save_grid(picture(setting, output), fake[:SHOWN])
        remove(run_dir)  # some 20 MB; the row holds what is wanted of it
        return [setting | {"seed": seed, "steps": last, "neighbour_accuracy": accuracy}]

    jobs = [setting | {"seed": seed} for setting in settings() for seed in seeds]
    run_folder.complete_table(output / TABLE, jobs, run, progress, **TYPES)


def main():
    parser = argparse.ArgumentParser(
        prog="python -m dcgan_helpers.experiments",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    studies = ("hyperparameters", "choices", "modes")
    parser.add_argument("study", nargs="*", metavar="STUDY", help="which; all when not given")
    parser.add_argument("--output", type=Path, default=ASSETS, help="folder (the package's assets)")
    parser.add_argument("--runs", type=Path, default=Path("runs/experiments"), help="folder")
    arguments = parser.parse_args()
    chosen = arguments.study or studies
    for study in set(chosen) - set(studies):
        parser.error(f"STUDY is {study!r}; expected one of {', '.join(studies)}")
    try:
        if "hyperparameters" in chosen:
            run_study(replace(STUDIED, epochs=8), arguments.output, arguments.runs)
        if "choices" in chosen:
            choices.run_study(arguments.output)
        if "modes" in chosen:
            modes.run_study(arguments.output)
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on where it was")
    except (InputError, TrainingError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
