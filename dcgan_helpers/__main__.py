"""The command line: `python -m dcgan_helpers train`, `sample`, `evaluate` and more."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field
from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, arg

# Everything else is imported by the command that needs it, so that --help answers at once.
from . import command_line
from .command_line import say_what_is_where
from .hyperparameters import PRESETS, SCORE_COUNT, Count, Hyperparameters, Seed
from .hyperparameters import preset as preset_called

Study = Literal[
    "sensitivity", "choices", "noise", "stacked", "conditional", "points", "cures", "flow"
]
Part = Literal["steps", "tricks", "growth", "startup", "quality", "seeds", "ablation", "peers"]
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
        preset: Where the other options start: laptop; digits, which then draws the digit that is
            asked for; clusters, the same for images without labels; ci, article or paper.
        run_dir: Folder to fill; `runs/DATASET-PRESET` when not given.
        overwrite: Replace the run in the folder.
    """
    from . import training

    h = hyperparameters
    run_dir = run_dir or Path("runs") / f"{h.dataset}-{preset}"
    training.train(h, run_dir, data_root, overwrite, judge_for=_judge_for)
    say_what_is_where(run_dir, h.dataset)


def resume(
    run_dir: RunDir, epochs: Count | None = None, data_root: DataRoot = Path("data")
) -> None:
    """Go on with a run from its last checkpoint: after a crash, or for more epochs.

    Args:
        epochs: Passes over the data in all; more than before only at a constant learning rate.
    """
    from . import run_folder, training

    training.resume(run_dir, epochs, data_root=data_root, judge_for=_judge_for)
    say_what_is_where(run_dir, run_folder.load_hyperparameters(run_dir).dataset)


def sample(
    run_dir: RunDir,
    count: Count = 64,
    classes: str | None = None,
    per_class: Count | None = None,
    seed: Seed = 0,
    output: Path | None = None,
) -> None:
    """Draw images from a trained generator; of a run with classes, such ones as are asked for.

    Args:
        count: Number of images, where neither classes nor per_class says it.
        classes: Draw these, such as 2026 for four digits in a row; from 10 on with commas: 9,10.
        per_class: So many images of each class, a row each.
        seed: Start of the noise; the same seed gives the same images.
        output: FILE.png for a grid, FILE.npz for the arrays `images` (float32 N×C×S×S in
            [-1, 1]) and, if there are classes, `labels` (N); `RUN_DIR/sample-seed-SEED.png` when
            not given.
    """
    from .command_line.sampling import draw

    output = output or run_dir / f"sample-seed-{seed}.png"
    print(draw(run_dir, count, classes, per_class, seed, output))


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
        count: Number of fakes, and of the held-out real images that they are compared with.
        seed: Start of the noise; the same seed gives the same numbers on one machine.
        classifier: FILE.safetensors to measure with; for digits it comes with the package, for
            garments `python -m dcgan_helpers classifier --dataset fashion-mnist` makes it.
    """
    from .quality.judge import evaluate_run

    print(evaluate_run(run_dir, count, seed, classifier, data_root))


def study(names: Positional[tuple[Study, ...]] = (), output: Path | None = None) -> None:
    """Run what notebooks 09, 11, 13 and 14 show, in this order: hours in all.

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
        epochs: Passes over the images to train with.
        output: FILE.safetensors; assets/classifier/DATASET.safetensors when not given.
    """
    from .quality.classifier import make_classifier

    print(make_classifier(dataset, data_root, epochs, output))


def figures(run_dir: RunDir, output: Path = Path("images"), animation: Path | None = None) -> None:
    """Draw the networks, early and later training, and the timeline of a run.

    Args:
        output: Folder of the pictures.
        animation: FILE.gif, FILE.mp4 or FILE.html; draw the run as an animation instead.
    """
    from .figures.article import save_figures

    print(*save_figures(run_dir, output, animation), sep="\n")


def export(
    run_dir: RunDir, output: Path | None = None, web: FlagCreatePairsOff[bool] = False
) -> None:
    """Copy a run's two networks in 16 bits, as they come with the package.

    Args:
        output: Folder to write; the package's own when not given. With --web, FILE.js to write;
            `RUN_DIR/generator.js` when not given.
        web: Write the generator alone, as one file for the page that draws (docs/draw).
    """
    from . import run_folder

    if web:
        from .web import export as export_page

        print(export_page(run_dir, output or run_dir / "generator.js"))
    else:
        print(run_folder.export(run_dir, output or run_folder.TRAINED))


COMMANDS = (train, resume, sample, evaluate, study, benchmark, classifier, figures, export)


def _judge_for(h: Hyperparameters, data_root: str | Path) -> Any:
    from .quality.judge import judge_for

    return judge_for(h, data_root)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 failure, 2 bad input or usage."""
    given = sys.argv[1:] if arguments is None else arguments
    return command_line.run(_commands, str(__doc__), given)


def _commands(arguments: list[str]) -> dict[str, Callable[..., None]]:
    """The commands by name. Raises InputError."""
    # `--preset` decides where the other values start, so it is read first.
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--preset", nargs="?")
    start = preset_called(first.parse_known_args(arguments)[0].preset or "laptop")
    train.__defaults__ = (start, *(train.__defaults__ or ())[1:])
    return {command.__name__: command for command in COMMANDS}


if __name__ == "__main__":
    sys.exit(main())
