"""Figures for notebooks and README: image grids, curves, the timeline of a run."""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor
from torchvision.utils import make_grid

from .. import InputError, run_folder


def show_images(images: Tensor, title: str, ax: Axes | None = None) -> Axes:
    """Draw `N×C×64×64` images in [-1, 1] as a grid, eight a row; returns the axes."""
    if ax is None:
        _, ax = plt.subplots(figsize=(8, 1 + len(images) / 8), layout="constrained")
    ax.imshow(make_grid(images.detach().float().cpu(), **run_folder.GRID).permute(1, 2, 0))
    ax.set(title=title, xticks=[], yticks=[])
    return ax


def show_losses(rows: list[dict[str, Any]], title: str = "Losses and scores") -> Figure:
    """Draw what `read_training` returns: both losses, and D(x) beside D(G(z)); returns the figure.

    The dashed lines are the values at the game's equilibrium, where the discriminator
    can only guess: D = 1/2, so that both losses are ln 2 (Goodfellow et al. 2014, section 4).
    """
    steps = [row["step"] for row in rows]
    figure, (losses, scores) = plt.subplots(
        2, figsize=(8, 6), sharex=True, layout="constrained", height_ratios=(1, 1)
    )
    for column, label in [("loss_discriminator", "discriminator"), ("loss_generator", "generator")]:
        losses.semilogy(steps, [row[column] for row in rows], label=label, lw=1)
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
    run_dir: str | Path,
    moments: int = 6,
    shown: int = 8,
    title: str = "The same eight noise vectors, as training goes on",
) -> Figure:
    """Draw the first `shown` images of a run's fixed noise at `moments` steps; returns the figure.

    The steps grow about evenly in ratio, because most happens early. Raises InputError when
    the run has kept no pictures.
    """
    paths = progress_paths(run_dir)
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
        ax.set_ylabel(f"step {run_folder.step_of(path):,}", rotation=0, ha="right", va="center")
    figure.suptitle(title)
    return figure


def show_moment(run_dir: str | Path, step: float) -> Figure:
    """Draw all pictures that a run kept at `step`, or at the last one before it.

    Returns the figure; raises InputError when the run has kept no pictures.
    """
    paths = progress_paths(run_dir)
    path = max((path for path in paths if run_folder.step_of(path) <= step), default=paths[0])
    figure, ax = plt.subplots(figsize=(8, 4.2), layout="constrained")
    with Image.open(path) as grid:
        ax.imshow(np.asarray(grid.convert("RGB")))
    ax.set(title=f"32 fakes after {run_folder.step_of(path):,} updates", xticks=[], yticks=[])
    return figure


def progress_paths(run_dir: str | Path) -> list[Path]:
    """The paths of the pictures a run has kept, in order. Raises InputError when there are none."""
    paths = sorted((Path(run_dir) / run_folder.PROGRESS).glob("step-*.png"))
    if not paths:
        raise InputError(f"{run_dir} has no pictures in {run_folder.PROGRESS}/; train it first")
    return paths
