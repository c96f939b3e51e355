"""The command line: `python -m dcgan_helpers train`, `sample` and `evaluate`; see `--help`."""

import argparse
import io
import re
import sys
import threading
import traceback
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from . import InputError, run_folder
from .files import atomic
from .hyperparameters import SCORED_IMAGES, Hyperparameters, preset

PROGRAM = "python -m dcgan_helpers"


@dataclass
class Train:
    """Train a DCGAN and keep everything about it in a run folder.

    Without options: real digits, in minutes, on a laptop. The defaults shown below are
    those of the preset; the options after it change single values.
    """

    hyperparameters: tyro.conf.OmitArgPrefixes[Hyperparameters]
    preset: str = "laptop"
    """Where the other options start: laptop, ci, article or paper."""
    data_root: Path = Path("data")
    """Folder of the data set: pictures, IDX files, or where to download."""
    run_dir: Path | None = None
    """Folder to fill; `runs/DATASET-PRESET` when not given."""
    resume: tyro.conf.FlagCreatePairsOff[bool] = False
    """Go on with the run in the folder, from its last checkpoint."""
    overwrite: tyro.conf.FlagCreatePairsOff[bool] = False
    """Replace the run in the folder."""
    debug: tyro.conf.FlagCreatePairsOff[bool] = False
    """Show the traceback of an error."""

    def __call__(self):
        from .devices import this_process  # here, so that --help answers at once
        from .training import train

        run_dir = self.run_dir or default_run_dir(self.hyperparameters.dataset, self.preset)
        train(self.hyperparameters, run_dir, self.data_root, self.resume, self.overwrite)
        if not this_process().is_main_process:
            return
        print(f"samples:      {run_dir / run_folder.SAMPLES}")
        print(f"weights:      {run_dir / run_folder.GENERATOR}")
        print(f"TensorBoard:  {run_dir / run_folder.TENSORBOARD}")
        print("\nNext:")
        print(f"  {PROGRAM} sample {run_dir}")
        if self.hyperparameters.dataset in ("mnist-5k", "mnist"):
            print(f"  {PROGRAM} evaluate {run_dir}")
        print(f"  tensorboard --logdir {run_dir / run_folder.TENSORBOARD}")
        print("  jupyter lab notebooks")


@dataclass
class Sample:
    """Draw images from a trained generator."""

    run_dir: tyro.conf.Positional[Path]
    """Folder of a run."""
    count: int = 64
    """Number of images."""
    seed: int = 0
    """Start of the noise; the same seed gives the same images."""
    output: Path | None = None
    """FILE.png for a grid, FILE.npz for the array `images` (float32 N×C×64×64 in
    [-1, 1]); `RUN_DIR/sample-seed-SEED.png` when not given."""
    debug: tyro.conf.FlagCreatePairsOff[bool] = False
    """Show the traceback of an error."""

    def __call__(self):
        import numpy as np

        from .networks import generate

        output = self.output or self.run_dir / f"sample-seed-{self.seed}.png"
        if output.suffix not in (".png", ".npz"):
            raise InputError(f"--output is {output}; expected a name that ends in .png or .npz")
        if self.count < 1:
            raise InputError(f"--count is {self.count}; expected at least 1")
        require_seed(self.seed)
        generator = run_folder.load_generator(self.run_dir)
        if not output.parent.is_dir():
            raise InputError(f"the folder of --output {output} is missing; make it first")
        images = generate(generator, self.count, self.seed, progress=True)
        if output.suffix == ".png":
            run_folder.save_grid(output, images)
        else:
            with atomic(output) as temporary:
                np.savez(temporary, images=images.numpy())
        print(f"{self.count} images: {output}")


@dataclass
class Evaluate:
    """Measure how good a run's fakes are, against real images.

    Prints a table and writes it to metrics.json in the run folder.
    """

    run_dir: tyro.conf.Positional[Path]
    """Folder of a run on mnist-5k, mnist or fashion-mnist."""
    count: int = SCORED_IMAGES
    """Number of fakes, and at most as many real images."""
    seed: int = 0
    """Start of the noise; the same seed gives the same numbers on one machine."""
    classifier: Path | None = None
    """FILE.safetensors to measure with; for digits it comes with the package, for
    garments `python -m dcgan_helpers.classifier --dataset fashion-mnist` makes it."""
    data_root: Path = Path("data")
    """Folder of the data set; the digits need none."""
    debug: tyro.conf.FlagCreatePairsOff[bool] = False
    """Show the traceback of an error."""

    def __call__(self):
        from .metrics import FEWEST, judge_for, table

        require_seed(self.seed)
        if self.count < FEWEST:
            raise InputError(f"--count is {self.count}; expected at least {FEWEST}")
        h = run_folder.load_hyperparameters(self.run_dir)
        judge = judge_for(h, self.data_root, self.classifier, self.count, self.seed)
        generator = run_folder.load_generator(self.run_dir)
        fake = judge.score_generator(generator, self.seed, self.count, progress=True)
        real = judge.floor()
        path = self.run_dir / run_folder.EVALUATION
        found = {"count": self.count, "seed": self.seed, "fake": fake, "real": real}
        run_folder.save_json(path, found)
        print(f"{self.count:,} fakes of {self.run_dir} against {len(judge):,} real images\n")
        print(table(fake, real))
        print(f"\nall numbers: {path}")


def require_seed(seed):
    """Raise InputError for a seed that PyTorch does not take."""
    if not 0 <= seed < 2**63:
        raise InputError(f"--seed is {seed}; expected a whole number of at least 0")


def default_run_dir(dataset, preset_name):
    """Where a run goes when the user names no folder."""
    return Path("runs") / f"{dataset}-{preset_name}"


def main(arguments=None):
    """Run the command line and return its exit code: 0 done, 1 failure, 2 bad input."""
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):  # a console that lacks a character is no failure
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    debug = "--debug" in arguments
    if not debug:
        # TensorBoard writes in a thread; when that fails, its next call here raises the
        # same error, so the thread need not print it too.
        threading.excepthook = lambda _: None
    try:
        parse(arguments)()
    except InputError as error:
        return report(error, 2, debug)
    except KeyboardInterrupt:
        return report("stopped; train --resume goes on from the last checkpoint", 1, debug)
    except Exception as error:
        return report(error, 1, debug)
    return 0


def report(error, code, debug):
    """Print an error on one line of stderr, after its traceback if `debug`; returns `code`."""
    if debug:
        traceback.print_exc()
    text = " ".join(str(error).split()) or type(error).__name__
    print(f"error: {text}", file=sys.stderr)
    return code


def parse(arguments):
    """The command that the arguments ask for, with its values. Raises InputError.

    `--preset` and `--resume` decide where the other values start, so they are read first.
    """
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--preset", nargs="?")
    first.add_argument("--run-dir", type=Path, nargs="?")
    first.add_argument("--dataset", nargs="?")
    first.add_argument("--resume", action="store_true")
    known, _ = _one_line(first.parse_known_args, arguments)
    name = known.preset or "laptop"
    start = preset(name)
    if known.resume and arguments[:1] == ["train"]:
        run_dir = known.run_dir or default_run_dir(known.dataset or start.dataset, name)
        stored = run_folder.load_hyperparameters(run_dir)
        start = stored if known.preset is None else start
    train = tyro.conf.subcommand("train", default=Train(start, name))
    commands = (
        Annotated[Train, train]
        | Annotated[Sample, tyro.conf.subcommand("sample")]
        | Annotated[Evaluate, tyro.conf.subcommand("evaluate")]
    )
    return _one_line(tyro.cli, commands, prog=PROGRAM, args=arguments)


def _one_line(parser, *arguments, **options):
    """Call a parser; what it would print in a frame on stderr becomes one InputError."""
    printed = io.StringIO()
    try:
        with redirect_stderr(printed):
            return parser(*arguments, **options)
    except SystemExit as stop:
        if stop.code in (0, None):
            raise
        # Between the frame's title and its first rule stands what is wrong.
        message = re.split("│ ─+ │", printed.getvalue().partition("\n")[2])[0]
        words = re.sub("[│╭╮╰╯─•]+", " ", message).split()
        raise InputError(f"{' '.join(words)} (see {PROGRAM} --help)") from None


if __name__ == "__main__":
    sys.exit(main())
