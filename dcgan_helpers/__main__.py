"""The command line: `python -m dcgan_helpers train`, `sample`, `evaluate` and more."""

import argparse
import ast
import io
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import tyro
from pydantic import Field, validate_call
from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, arg
from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

# Everything else is imported by the command that needs it, so that --help answers at once.
from . import InputError, one_line
from .hyperparameters import PRESETS, SCORE_COUNT, Count, Hyperparameters, Seed, in_one_sentence
from .hyperparameters import preset as preset_called

PROGRAM = "python -m dcgan_helpers"
Study = Literal["sensitivity", "choices", "stacked"]
Part = Literal["steps", "tricks", "growth", "startup", "quality", "ablation"]
RunDir = Annotated[Path, Positional, arg(help="Folder of a run.")]
DataRoot = Annotated[Path, arg(help="Folder of pictures or IDX files; where to download.")]


def train(
    hyperparameters: OmitArgPrefixes[Hyperparameters] = PRESETS["laptop"],
    preset: str = "laptop",
    data_root: DataRoot = Path("data"),
    run_dir: Path | None = None,
    overwrite: FlagCreatePairsOff[bool] = False,
) -> None:
    """Train a DCGAN and keep everything about it in a run folder.

    Without options: real digits, in minutes, on a laptop. The defaults shown below are
    those of the preset; the other options change single values.

    Args:
        preset: Where the other options start: laptop, ci, article or paper.
        run_dir: Folder to fill; `runs/DATASET-PRESET` when not given.
        overwrite: Replace the run in the folder.
    """
    from . import training

    h = hyperparameters
    run_dir = run_dir or Path("runs") / f"{h.dataset}-{preset}"
    training.train(h, run_dir, data_root, overwrite, judge_for=_judge_for)
    _say_what_is_where(run_dir, h.dataset)


def resume(
    run_dir: RunDir, epochs: Count | None = None, data_root: DataRoot = Path("data")
) -> None:
    """Go on with a run from its last checkpoint: after a crash, or for more epochs.

    Args:
        epochs: Passes over the data in all; more than before only at a constant learning rate.
    """
    from . import run_folder, training

    training.resume(run_dir, epochs, data_root=data_root, judge_for=_judge_for)
    _say_what_is_where(run_dir, run_folder.load_hyperparameters(run_dir).dataset)


def sample(run_dir: RunDir, count: Count = 64, seed: Seed = 0, output: Path | None = None) -> None:
    """Draw images from a trained generator.

    Args:
        count: Number of images.
        seed: Start of the noise; the same seed gives the same images.
        output: FILE.png for a grid, FILE.npz for the array `images` (float32 N×C×64×64 in
            [-1, 1]); `RUN_DIR/sample-seed-SEED.png` when not given.
    """
    import numpy as np

    from . import networks, run_folder

    output = output or run_dir / f"sample-seed-{seed}.png"
    if output.suffix not in (".png", ".npz"):
        raise InputError(f"--output is {output}; expected a name that ends in .png or .npz")
    generator = run_folder.load_generator(run_dir)
    if not output.parent.is_dir():
        raise InputError(f"the folder of --output {output} is missing; make it first")
    images = networks.generate(generator, count, seed, progress=True)
    if output.suffix == ".png":
        run_folder.save_grid(output, images)
    else:
        with run_folder.atomic(output) as temporary:
            np.savez(temporary, images=images.numpy())
    print(f"{count} images: {output}")


def evaluate(
    run_dir: RunDir,
    count: Annotated[int, Field(strict=True, ge=200)] = SCORE_COUNT,
    seed: Seed = 0,
    classifier: Path | None = None,
    data_root: DataRoot = Path("data"),
) -> None:
    """Measure how good a run's fakes are, against real images; for mnist-5k, mnist, fashion-mnist.

    Prints a table and writes it to evaluation.json in the run folder.

    Args:
        count: Number of fakes, and at most as many real images.
        seed: Start of the noise; the same seed gives the same numbers on one machine.
        classifier: FILE.safetensors to measure with; for digits it comes with the package, for
            garments `python -m dcgan_helpers classifier --dataset fashion-mnist` makes it.
    """
    from .quality.metrics import evaluate_run

    print(evaluate_run(run_dir, count, seed, classifier, data_root))


def study(names: Positional[tuple[Study, ...]] = (), output: Path | None = None) -> None:
    """Run what notebooks 05 (sensitivity), 09 (choices) and 11 (stacked) show: hours in all.

    It can be stopped at any time; the same command goes on where it was.

    Args:
        names: Which; all when not given.
        output: Folder of the tables and pictures; the package's assets when not given.
    """
    from importlib import import_module

    from .run_folder import ASSETS

    for name in names or get_args(Study):
        import_module(f".studies.{name}", __package__).run_study(output or ASSETS)


def benchmark(
    parts: Positional[tuple[Part, ...]] = (), output: Path = Path("runs/benchmark")
) -> None:
    """Measure how fast this trains, which notebook 12 shows: two hours and more in all.

    Args:
        parts: Which; all when not given.
        output: Folder of the tables and the figure, for one machine only.
    """
    from .benchmark import measure

    measure(list(parts or get_args(Part)), output)


def classifier(
    dataset: Literal["mnist-5k", "fashion-mnist"] = "mnist-5k",
    data_root: DataRoot = Path("data"),
    epochs: Count = 20,
    output: Path | None = None,
) -> None:
    """Train the classifier in whose features FID and the other measures are taken.

    Args:
        dataset: What it is to tell apart.
        epochs: Passes over four fifths of the data set.
        output: FILE.safetensors; assets/classifier/DATASET.safetensors when not given.
    """
    from .quality.classifier import make_classifier

    print(make_classifier(dataset, data_root, epochs, output))


def figures(run_dir: RunDir, output: Path = Path("images")) -> None:
    """Draw the networks, early and later training, and the timeline of a run.

    Args:
        output: Folder of the pictures.
    """
    from .figures.article import save_figures

    print(*save_figures(run_dir, output), sep="\n")


def export(run_dir: RunDir, output: Path | None = None) -> None:
    """Copy a run's two networks in 16 bits, as they come with the package.

    Args:
        output: Folder to write; the package's own when not given.
    """
    from . import run_folder

    print(run_folder.export(run_dir, output or run_folder.TRAINED))


COMMANDS = (train, resume, sample, evaluate, study, benchmark, classifier, figures, export)
GOES_ON = "; the command resume goes on from the last checkpoint"
AFTER_A_STOP = {"train": GOES_ON, "resume": GOES_ON, "study": "; the same command continues it"}


def _judge_for(h: Hyperparameters, data_root: str | Path) -> Any:
    from .quality.metrics import judge_for

    return judge_for(h, data_root)


def _say_what_is_where(run_dir: Path, dataset: str) -> None:
    from . import run_folder
    from .arithmetic import this_process

    if not this_process().is_main_process:
        return
    logs = run_dir / run_folder.TENSORBOARD
    print(f"samples:      {run_dir / run_folder.SAMPLES}")
    print(f"weights:      {run_dir / run_folder.GENERATOR}")
    print(f"TensorBoard:  {logs}\n\nNext:\n  {PROGRAM} sample {run_dir}")
    if dataset in ("mnist-5k", "mnist"):
        print(f"  {PROGRAM} evaluate {run_dir}")
    print(f"  tensorboard --logdir {logs}\n  jupyter lab notebooks")


registry = ConstructorRegistry()


@registry.primitive_rule
def _number_or_choice(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    """What is no number or no choice goes on as text: all values are checked in one place."""
    choices = get_args(info.type) if info.type_origin is Literal else ()
    if not choices and info.type not in (int, float):
        return None

    def read(words: list[str]) -> Any:
        with suppress(ValueError, SyntaxError):
            return ast.literal_eval(words[0])
        return words[0]

    names = f"{{{','.join(map(str, choices))}}}" if choices else info.type.__name__.upper()
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=names,
        instance_from_str=read,
        is_instance=lambda value: value in choices or type(value) is info.type,
        str_from_instance=lambda value: [str(value)],
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 failure, 2 bad input.

    Bad usage, such as an unknown option, ends in tyro, with exit code 2 and its suggestions.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    for stream in (sys.stdout, sys.stderr):  # a console that lacks a character is no failure
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if not debug:
        # TensorBoard writes in a thread; when that fails, its next call here raises the
        # same error, so the thread need not print it too.
        threading.excepthook = lambda _: None
    try:
        _run(arguments)
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            traceback.print_exc()
        if isinstance(error, KeyboardInterrupt):
            error = RuntimeError("stopped" + AFTER_A_STOP.get(arguments[0], ""))
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    return 0


def _run(arguments: list[str]) -> None:
    """Parse the arguments and run the command that they ask for. Raises InputError."""
    # `--preset` decides where the other values start, so it is read first.
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--preset", nargs="?")
    start = preset_called(first.parse_known_args(arguments)[0].preset or "laptop")
    train.__defaults__ = (start, *(train.__defaults__ or ())[1:])
    tyro.extras.subcommand_cli_from_dict(
        {command.__name__: _checked(command) for command in COMMANDS},
        prog=PROGRAM,
        description=f"{__doc__}\n\nEach takes --debug, too: show the traceback of an error.",
        args=arguments,
        registry=registry,
    )


def _checked(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose values pydantic checks by their type hints."""

    @wraps(command)
    def call(*values: Any, **options: Any) -> None:
        with in_one_sentence():
            validate_call(command)(*values, **options)

    return call


if __name__ == "__main__":
    sys.exit(main())
