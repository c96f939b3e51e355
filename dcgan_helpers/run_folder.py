"""Everything a run leaves behind, in one folder that is never half-written.

hyperparameters.json       what was run
classes.json               the class of each image, if the run has classes
training.csv               one row a logged step
scores.csv                 one row a score, if hyperparameters ask for scores
evaluation.json            what `python -m dcgan_helpers evaluate` found
samples.png                the latest samples; progress/ has one grid a logged step
tensorboard/               event files, with real/ and fake/ images side by side
generator.safetensors      the moving average, for sampling; generator_raw is beside it
discriminator.safetensors  the discriminator, as it stood at the same step
checkpoints/step-.../      everything needed to go on from that step
"""

import csv
import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torchvision.utils import save_image

from . import InputError, reading
from .hyperparameters import Hyperparameters
from .networks import Discriminator, Generator, discriminator_for, generator_for

if TYPE_CHECKING:  # who only loads a generator does not wait for Accelerate
    from accelerate import Accelerator

HYPERPARAMETERS = "hyperparameters.json"
CLASSES = "classes.json"
TRAINING = "training.csv"
SCORES = "scores.csv"
EVALUATION = "evaluation.json"
SAMPLES = "samples.png"
PROGRESS = "progress"
TENSORBOARD = "tensorboard"
GENERATOR = "generator.safetensors"
RAW_GENERATOR = "generator_raw.safetensors"
DISCRIMINATOR = "discriminator.safetensors"
CHECKPOINTS = "checkpoints"
PARTS = (
    HYPERPARAMETERS, CLASSES, TRAINING, SCORES, EVALUATION, SAMPLES, PROGRESS, TENSORBOARD,
    GENERATOR, RAW_GENERATOR, DISCRIMINATOR, CHECKPOINTS,
)  # fmt: skip
OLD_TRAINING, OLD_EVALUATION = "metrics.csv", "metrics.json"  # in older folders, still read
MOVING_AVERAGE, POSITION = "moving_average.safetensors", "position.json"  # in a checkpoint

ASSETS = Path(__file__).with_name("assets")
"""Folder of everything that comes with the package."""
TRAINED = ASSETS / "laptop"
"""The run of `python -m dcgan_helpers train`, as far as it can be loaded: see `export`."""
GRID: dict[str, Any] = {"nrow": 8, "normalize": True, "value_range": (-1, 1)}
"""How images in [-1, 1] become one picture, wherever they are shown."""


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name when the block ends well.

    Whoever reads `path` finds the old content or the new one, never a part, also when
    the process is killed while it writes. Works for files and folders. Raises OSError.
    """
    temporary = path.with_name(f".writing-{path.name}")
    remove(temporary)
    try:
        yield temporary
        temporary.replace(path)
    except Exception as error:
        remove(temporary)
        raise OSError(f"{path} cannot be written ({error}); nothing was lost") from error
    except BaseException:
        remove(temporary)
        raise


def make_folder(path: Path) -> None:
    """Make a folder where there is none. Raises InputError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {path} cannot be made ({error}); name another") from error


def remove(path: Path) -> None:
    """Delete a file or a folder; nothing happens when there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def require_usable(run_dir: Path, overwrite: bool = False) -> None:
    """Raise InputError when a new run cannot go into `run_dir`; changes nothing."""
    there = next(path for path in (run_dir, *run_dir.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        reason = f"{there} is {'read-only' if there.is_dir() else 'a file'}"
        fix = f"because {reason}; name another with --run-dir"
        raise InputError(f"the run folder {run_dir} cannot be written, {fix}")
    if not run_dir.is_dir() or not any(run_dir.iterdir()):
        return
    if not (run_dir / HYPERPARAMETERS).is_file():
        raise InputError(f"{run_dir} is not empty and holds no run; choose another --run-dir")
    if not overwrite:
        resume = f"`python -m dcgan_helpers resume {run_dir}` goes on with it"
        ways = f"{resume}, --overwrite replaces it, another --run-dir keeps it"
        raise InputError(f"{run_dir} already holds a run; {ways}")


def prepare(
    run_dir: Path, h: Hyperparameters, overwrite: bool = False, classes: list[int] | None = None
) -> None:
    """Make the folders of a run and write its hyperparameters, and its classes if it has any.

    With `overwrite` the parts of the run that is there are deleted, and nothing else.
    Raises InputError when the folder cannot be written.
    """
    try:
        if overwrite:
            for part in (*PARTS, OLD_TRAINING, OLD_EVALUATION):
                remove(run_dir / part)
        for folder in (CHECKPOINTS, PROGRESS, TENSORBOARD):
            (run_dir / folder).mkdir(parents=True, exist_ok=True)
        save_json(run_dir / HYPERPARAMETERS, asdict(h))
        if classes is not None:
            save_json(run_dir / CLASSES, {"classes": classes})
    except OSError as error:
        reason = f"cannot be written ({error}); name another with --run-dir"
        raise InputError(f"the run folder {run_dir} {reason}") from error


def save_json(path: Path, values: dict[str, Any]) -> None:
    """Write a dictionary as JSON, atomically."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def load_json(path: Path) -> dict[str, Any]:
    """The dictionary in a JSON file. Raises InputError when it is missing or damaged."""
    with reading(path, "expected the folder of a run", "expected JSON as `train` writes it"):
        values = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise ValueError("not a dictionary")
    return values


def load_hyperparameters(run_dir: str | Path) -> Hyperparameters:
    """The hyperparameters a run was made with. Raises InputError."""
    path = Path(run_dir) / HYPERPARAMETERS
    if not path.parent.is_dir():
        raise InputError(f"the run folder {run_dir} is missing; make one with the command train")
    values = load_json(path)
    try:
        return Hyperparameters.from_dict(values)
    except InputError as error:
        raise InputError(f"{path} is not usable: {error}") from error


def save_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write dictionaries with the same keys as a CSV file, atomically."""
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)


def read_training(run_dir: str | Path) -> list[dict[str, Any]]:
    """The rows of a run's training.csv as dictionaries of numbers; none if there is no file."""
    path = Path(run_dir) / TRAINING
    return _load_rows(path if path.exists() else path.with_name(OLD_TRAINING))


def read_scores(run_dir: str | Path) -> list[dict[str, Any]]:
    """The rows of a run's scores.csv as dictionaries of numbers; none if there is no file."""
    return _load_rows(Path(run_dir) / SCORES)


def _load_rows(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    types = {"step": int, "epoch": int}
    fix = "delete it, or train the run again"
    with reading(path, fix, fix), path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        return [{name: types.get(name, float)(x) for name, x in row.items()} for row in rows]


def save_grid(path: Path, images: Tensor, columns: int = 8) -> None:
    """Write `N×C×S×S` images in [-1, 1] as one picture, so many a row, atomically."""
    with atomic(path) as temporary:
        save_image(images, temporary, **GRID | {"nrow": columns})


def save_weights(path: Path, network: nn.Module) -> None:
    """Write the weights and buffers of a network as safetensors, atomically."""
    with atomic(path) as temporary:
        state = {name: tensor.contiguous().cpu() for name, tensor in network.state_dict().items()}
        save_file(state, temporary)


def load_weights(path: Path, network: nn.Module) -> None:
    """Read weights written by `save_weights` into `network`. Raises InputError."""
    _load(path, lambda _: network)


def _load(path: Path, network_for: Callable[[dict[str, Tensor]], nn.Module]) -> Any:
    """A network with the weights in a file, from which it is made. Raises InputError."""
    with reading(path, "the run has not reached a checkpoint", "train the run again"):
        weights = load_file(path)
    network = network_for(weights)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:  # load_state_dict lists every name that does not fit
        reason = str(error).splitlines()[1].strip()
        raise InputError(f"{path} does not fit {HYPERPARAMETERS} beside it ({reason})") from error
    return network


def load_generator(run_dir: str | Path) -> Generator:
    """The generator a run saved for sampling, on the CPU and in `eval()` mode.

    Reads `generator.safetensors` and `hyperparameters.json` only. Raises InputError.
    """
    h = load_hyperparameters(run_dir)
    path = Path(run_dir) / GENERATOR
    return _load(path, lambda w: generator_for(h, len(w.get("class_shares", ())))).eval()


def load_discriminator(run_dir: str | Path) -> Discriminator:
    """The discriminator a run saved, on the CPU and in `eval()` mode. Raises InputError."""
    h = load_hyperparameters(run_dir)
    path = Path(run_dir) / DISCRIMINATOR
    return _load(path, lambda w: discriminator_for(h, len(w.get("projections.weight", ())))).eval()


def export(run_dir: str | Path, output: Path = TRAINED) -> Path:
    """Copy what is needed to load the two networks of a run, with weights in 16 bits.

    It halves the files and moves no pixel by more than a grey level. Raises InputError.
    """
    generator, discriminator = load_generator(run_dir), load_discriminator(run_dir)
    make_folder(output)
    save_weights(output / GENERATOR, generator.half())
    save_weights(output / DISCRIMINATOR, discriminator.half())
    shutil.copy(Path(run_dir) / HYPERPARAMETERS, output)
    return output


def step_of(path: Path) -> int:
    """The step in the name of a checkpoint or of a picture in `progress/`."""
    return int(path.stem.removeprefix("step-"))


def latest_checkpoint(run_dir: str | Path) -> Path | None:
    """The newest complete checkpoint of a run, or None (one that is being written is hidden)."""
    return max((Path(run_dir) / CHECKPOINTS).glob("step-*"), default=None)


def save_checkpoint(
    run_dir: Path, accelerator: "Accelerator", moving_average: nn.Module, position: dict[str, Any]
) -> None:
    """Save all that is needed to go on from `position["step"]`; older checkpoints go.

    Every process of a run calls it: each has random numbers of its own to save.
    """
    path = run_dir / CHECKPOINTS / f"step-{position['step']:09d}"  # names sort like the steps
    main, wait = accelerator.is_main_process, accelerator.wait_for_everyone
    hidden = path.with_name(f".writing-{path.name}")
    with atomic(path) if main else nullcontext(hidden) as temporary:
        wait()
        accelerator.save_state(str(temporary))
        if main:
            save_weights(temporary / MOVING_AVERAGE, moving_average)
            save_json(temporary / POSITION, position)
        wait()
    if main:
        for older in set(path.parent.glob("step-*")) - {path}:
            remove(older)


def load_checkpoint(
    path: Path, accelerator: "Accelerator", moving_average: nn.Module
) -> dict[str, Any]:
    """Bring the networks to a checkpoint's state; returns its position. Raises InputError."""
    from accelerate.utils import load

    fix = "delete it and train again with --overwrite"
    with reading(path, fix, fix), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, about files that it refuses
        load(path / "random_states_0.pkl")  # without it `load_state` goes on with other numbers
        accelerator.load_state(str(path))
    load_weights(path / MOVING_AVERAGE, moving_average)
    return load_json(path / POSITION)
