"""Everything a run leaves behind, in one folder that is never half-written.

hyperparameters.json       what was run
metrics.csv                one row a logged step
scores.csv                 one row a score, if hyperparameters ask for scores
metrics.json               what `python -m dcgan_helpers evaluate` found
samples.png                the latest samples; progress/ has one grid a logged step
tensorboard/               event files, with real/ and fake/ images side by side
generator.safetensors      the moving average, for sampling; generator_raw is beside it
discriminator.safetensors  the discriminator, as it stood at the same step
checkpoints/step-.../      everything needed to go on from that step
"""

import csv
import json
import os
from dataclasses import asdict, replace
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torchvision.utils import save_image
from tqdm.auto import tqdm

from . import InputError
from .files import atomic, remove
from .hyperparameters import Hyperparameters
from .networks import Discriminator, Generator

HYPERPARAMETERS = "hyperparameters.json"
METRICS = "metrics.csv"
SCORES = "scores.csv"
EVALUATION = "metrics.json"
SAMPLES = "samples.png"
PROGRESS = "progress"
TENSORBOARD = "tensorboard"
GENERATOR = "generator.safetensors"
RAW_GENERATOR = "generator_raw.safetensors"
DISCRIMINATOR = "discriminator.safetensors"
CHECKPOINTS = "checkpoints"
# How 32 images become one picture, wherever they are shown.
GRID = {"nrow": 8, "normalize": True, "value_range": (-1, 1)}
PARTS = (
    HYPERPARAMETERS, METRICS, SCORES, EVALUATION, SAMPLES, PROGRESS, TENSORBOARD, GENERATOR,
    RAW_GENERATOR, DISCRIMINATOR, CHECKPOINTS,
)  # fmt: skip


def check(run_dir, hyperparameters, resume=False, overwrite=False):
    """Raise InputError when `run_dir` cannot take this run; changes nothing.

    That is when it holds a run and neither `resume` nor `overwrite` is set, when it holds
    other things, when there is nothing to resume, and when the run to resume has other
    hyperparameters (only `epochs` may grow, and only at a constant learning rate).
    """
    run_dir = Path(run_dir)
    there = next(path for path in (run_dir, *run_dir.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise InputError(
            f"the run folder {run_dir} cannot be written, because {there} is "
            f"{'read-only' if there.is_dir() else 'a file'}; name another with --run-dir"
        )
    if resume and overwrite:
        raise InputError("--resume and --overwrite exclude each other; choose one")
    if resume:
        stored = load_hyperparameters(run_dir)
        is_constant = stored.learning_rate_schedule == "constant"
        if is_constant and hyperparameters.epochs > stored.epochs:
            stored = replace(stored, epochs=hyperparameters.epochs)
        if differences := stored.differences(hyperparameters):
            raise InputError(
                f"{run_dir} was made with other hyperparameters: {differences}; leave those "
                "options out, or train into another --run-dir"
            )
    elif run_dir.is_dir() and any(run_dir.iterdir()):
        if not (run_dir / HYPERPARAMETERS).is_file():
            raise InputError(f"{run_dir} is not empty and holds no run; choose another --run-dir")
        if not overwrite:
            raise InputError(
                f"{run_dir} already holds a run; add --resume to go on with it, --overwrite "
                "to replace it, or another --run-dir to keep it"
            )


def prepare(run_dir, hyperparameters, overwrite=False):
    """Make the folders of a run and write its hyperparameters.

    With `overwrite` the parts of the run that is there are deleted, and nothing else.
    Raises InputError when the folder cannot be written.
    """
    run_dir = Path(run_dir)
    try:
        if overwrite:
            for part in PARTS:
                remove(run_dir / part)
        for folder in (CHECKPOINTS, PROGRESS, TENSORBOARD):
            (run_dir / folder).mkdir(parents=True, exist_ok=True)
        save_json(run_dir / HYPERPARAMETERS, asdict(hyperparameters))
    except OSError as error:
        raise InputError(
            f"the run folder {run_dir} cannot be written ({error}); name another with --run-dir"
        ) from error


def latest_checkpoint(run_dir):
    """The newest complete checkpoint of a run, or None (one that is being written is hidden)."""
    return max((Path(run_dir) / CHECKPOINTS).glob("step-*"), default=None)


def checkpoint_path(run_dir, step):
    """Where the checkpoint of a step lies; names sort in the order of the steps."""
    return Path(run_dir) / CHECKPOINTS / f"step-{step:09d}"


def step_of(path):
    """The step in the name of a checkpoint or of a picture in `progress/`."""
    return int(path.stem.removeprefix("step-"))


def save_json(path, values):
    """Write a dictionary as JSON, atomically."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def load_json(path):
    """The dictionary in a JSON file. Raises InputError when it is missing or damaged."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise ValueError("not a dictionary")
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing; expected the folder of a run") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error})") from error
    return values


def save_table(path, rows):
    """Write dictionaries with the same keys as a CSV file, atomically."""
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)


def load_table(path, **types):
    """The rows of a CSV file as dictionaries; `types` by column, float for the others.

    No rows if there is no file.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [
                {name: types.get(name, float)(x) for name, x in row.items()}
                for row in csv.DictReader(file)
            ]
    except FileNotFoundError:
        return []


def complete_table(path, jobs, run, progress=True, **types):
    """Add the rows of those `jobs` that a CSV file lacks, each as soon as it is there.

    A job is a dictionary, the columns that identify its rows; `run(**job)` returns these
    rows. Stopped at any time, the same call goes on where it was.
    """
    rows = load_table(path, **types)
    todo = [job for job in jobs if not any(job.items() <= row.items() for row in rows)]
    for job in tqdm(todo, desc="runs", unit="run", disable=not progress):
        rows += run(**job)
        save_table(path, rows)


def load_hyperparameters(run_dir):
    """The hyperparameters a run was made with. Raises InputError."""
    run_dir = Path(run_dir)
    if not run_dir.is_dir():
        raise InputError(f"the run folder {run_dir} is missing; make one with the command train")
    try:
        return Hyperparameters.from_dict(load_json(run_dir / HYPERPARAMETERS))
    except (InputError, TypeError) as error:
        if str(run_dir) in str(error):
            raise
        raise InputError(f"{run_dir / HYPERPARAMETERS} is not usable: {error}") from error


def save_weights(path, network):
    """Write the weights and buffers of a network as safetensors, atomically."""
    with atomic(path) as temporary:
        state = {name: tensor.contiguous().cpu() for name, tensor in network.state_dict().items()}
        save_file(state, temporary)


def save_networks(run_dir, averaged, raw, discriminator):
    """Write what a run has trained: both versions of its generator, and its discriminator."""
    for name, network in [
        (GENERATOR, averaged), (RAW_GENERATOR, raw), (DISCRIMINATOR, discriminator),
    ]:  # fmt: skip
        save_weights(run_dir / name, network)


def load_weights(path, network):
    """Read weights written by `save_weights` into `network`. Raises InputError."""
    try:
        network.load_state_dict(load_file(path))
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing; the run has not reached a checkpoint") from error
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is damaged ({error}); train the run again") from error
    except RuntimeError as error:  # load_state_dict lists every name that does not fit
        reason = str(error).splitlines()[1].strip()
        raise InputError(f"{path} does not fit {HYPERPARAMETERS} beside it ({reason})") from error


def save_grid(path, images):
    """Write `N×C×64×64` images in [-1, 1] as one picture, eight a row, atomically."""
    with atomic(path) as temporary:
        save_image(images, temporary, **GRID)


def load_generator(run_dir):
    """The generator a run saved for sampling, on the CPU and in `eval()` mode.

    Reads `generator.safetensors` and `hyperparameters.json` only. Raises InputError.
    """
    h = load_hyperparameters(run_dir)
    generator = Generator(h.latent_dim, h.image_channels, h.generator_features, h.batch_norm)
    load_weights(Path(run_dir) / GENERATOR, generator)
    return generator.eval()


def load_discriminator(run_dir):
    """The discriminator a run saved, on the CPU and in `eval()` mode. Raises InputError."""
    h = load_hyperparameters(run_dir)
    discriminator = Discriminator(h.image_channels, h.discriminator_features, h.batch_norm)
    load_weights(Path(run_dir) / DISCRIMINATOR, discriminator)
    return discriminator.eval()
