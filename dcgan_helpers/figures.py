"""Figures for notebooks and README: image grids, curves, the timeline of a run.

`python -m dcgan_helpers.figures RUN_DIR` makes the files in `images/` from a run.
"""

import argparse
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from torchvision.utils import make_grid

from . import InputError, run_folder


def show_images(images, title, ax=None):
    """Draw `N×C×64×64` images in [-1, 1] as a grid, eight a row; returns the axes."""
    if ax is None:
        _, ax = plt.subplots(figsize=(8, 1 + len(images) / 8), layout="constrained")
    ax.imshow(make_grid(images.detach().float().cpu(), **run_folder.GRID).permute(1, 2, 0))
    ax.set(title=title, xticks=[], yticks=[])
    return ax


def show_losses(rows, title="Losses and scores"):
    """Draw what `read_metrics` returns: both losses, and D(x) beside D(G(z)); returns the figure.

    The dashed lines are the values at the game's equilibrium, where the discriminator
    can only guess: D = 1/2, so that both losses are ln 2 (Goodfellow et al. 2014, section 4).
    """
    steps = [row["step"] for row in rows]
    figure, (losses, scores) = plt.subplots(
        2, figsize=(8, 6), sharex=True, layout="constrained", height_ratios=(1, 1)
    )
    for column, label in [("loss_discriminator", "discriminator"), ("loss_generator", "generator")]:
        losses.plot(steps, [row[column] for row in rows], label=label, lw=1)
    losses.axhline(np.log(2), color="grey", ls="--", label="ln 2: a coin toss")
    losses.set(title=title, ylabel="loss (nats)")
    for column, label in [
        ("d_real", "$D(x)$"),
        ("d_fake_before", "$D(G(z))$, before $D$'s update"),
        ("d_fake_after", "$D(G(z))$, after $D$'s update"),
    ]:
        scores.plot(steps, [row[column] for row in rows], label=label, lw=1)
    scores.axhline(0.5, color="grey", ls="--", label="1/2: a coin toss")
    scores.set(xlabel="step (updates of both networks)", ylabel="mean score", ylim=(-0.03, 1.03))
    for ax in (losses, scores):
        ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def show_timeline(
    run_dir, moments=6, shown=8, title="The same eight noise vectors, as training goes on"
):
    """Draw the first `shown` images of a run's fixed noise at `moments` steps; returns the figure.

    The steps grow about evenly in ratio, for most happens early. Raises InputError when
    the run has kept no pictures.
    """
    paths = sorted((Path(run_dir) / run_folder.PROGRESS).glob("step-*.png"))
    if not paths:
        raise InputError(f"{run_dir} has no pictures in {run_folder.PROGRESS}/; train it first")
    last = len(paths) - 1
    wanted = {0, *np.geomspace(1, max(last, 1), moments - 1).round().astype(int).clip(0, last)}
    chosen = [paths[index] for index in sorted(wanted)]
    figure, rows = plt.subplots(
        len(chosen), figsize=(8, 1 + 0.95 * len(chosen)), layout="constrained", squeeze=False
    )
    for ax, path in zip(rows[:, 0], chosen, strict=True):
        with Image.open(path) as grid:
            cell = grid.width // run_folder.GRID["nrow"]
            ax.imshow(np.asarray(grid.convert("RGB"))[: cell + 1, : shown * cell + 2])
        ax.set(xticks=[], yticks=[])
        step = int(path.stem.removeprefix("step-"))
        ax.set_ylabel(f"step {step:,}", rotation=0, ha="right", va="center")
    figure.suptitle(title)
    return figure


def main():
    """Write the figures that README and notebooks show, from the run in RUN_DIR."""
    parser = argparse.ArgumentParser(
        prog="python -m dcgan_helpers.figures", description=main.__doc__
    )
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("--output", type=Path, default=Path("images"), help="folder (images)")
    arguments = parser.parse_args()
    try:
        run_folder.load_hyperparameters(arguments.run_dir)
        figures = {"timeline": show_timeline(arguments.run_dir)}
    except InputError as error:
        sys.exit(f"error: {error}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        path = arguments.output / f"{name}.png"
        # An opaque background, so that the labels can be read on a dark page too.
        figure.savefig(path, dpi=150, facecolor="white")
        print(path)


if __name__ == "__main__":
    main()
