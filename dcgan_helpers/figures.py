"""Figures for notebooks and README: networks, image grids, curves, the timeline of a run.

`python -m dcgan_helpers.figures RUN_DIR` makes the files in `images/` from a run.
"""

import argparse
import math
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from torch import nn
from torchvision.utils import make_grid

from . import InputError, run_folder
from .hyperparameters import IMAGE_SIZE
from .networks import Discriminator, Generator


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
    run_dir, moments=6, shown=8, title="The same eight noise vectors, as training goes on"
):
    """Draw the first `shown` images of a run's fixed noise at `moments` steps; returns the figure.

    The steps grow about evenly in ratio, for most happens early. Raises InputError when
    the run has kept no pictures.
    """
    paths = _progress(run_dir)
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


def show_moment(run_dir, step):
    """Draw all pictures that a run kept at `step`, or at the last one before it.

    Returns the figure; raises InputError when the run has kept no pictures.
    """
    paths = _progress(run_dir)
    path = max((path for path in paths if run_folder.step_of(path) <= step), default=paths[0])
    figure, ax = plt.subplots(figsize=(8, 4.2), layout="constrained")
    with Image.open(path) as grid:
        ax.imshow(np.asarray(grid.convert("RGB")))
    ax.set(title=f"32 fakes after {run_folder.step_of(path):,} updates", xticks=[], yticks=[])
    return figure


def _progress(run_dir):
    """The paths of the pictures a run has kept, in order."""
    paths = sorted((Path(run_dir) / run_folder.PROGRESS).glob("step-*.png"))
    if not paths:
        raise InputError(f"{run_dir} has no pictures in {run_folder.PROGRESS}/; train it first")
    return paths


def show_architecture(generator, discriminator):
    """Draw both networks, layer by layer, with the shape on every edge; returns the figure.

    Shapes come from running the modules, labels from their attributes. Heights grow with
    the size of the maps, widths with the number of channels, both by their logarithm.
    """
    noise = torch.zeros(2, generator.latent_dim, 1, 1)
    images = torch.zeros(2, discriminator.image_channels, IMAGE_SIZE, IMAGE_SIZE)
    figure, rows = plt.subplots(2, figsize=(14, 7.4), layout="constrained")
    for ax, network, name, inputs in [
        (rows[0], generator, "Generator: noise $z$ to image $G(z)$", noise),
        (rows[1], discriminator, "Discriminator: image to logit", images),
    ]:
        _draw_network(ax, network, inputs)
        ax.set_title(name, fontsize=17, loc="left")
    return figure


def _draw_network(ax, network, x):
    x_left, stages = 0.0, [(None, x.shape[1:])]
    was_training = network.training
    network.eval()  # in training mode, batch norm would count this run
    with torch.no_grad():
        for group in _grouped(network.layers):
            x = nn.Sequential(*group)(x)
            stages.append((group, x.shape[1:]))
    network.train(was_training)
    for group, (channels, height, _) in stages:
        wide, high = 0.25 + 0.11 * np.log2(channels), 0.35 + 0.4 * np.log2(height)
        if group:
            start, x_left = x_left, x_left + 2.0
            ax.annotate("", (x_left, 0), (start, 0), arrowprops={"arrowstyle": "-|>", "lw": 1.5})
            text = "\n".join(map(_label, group))
            ax.text((start + x_left) / 2, 0.12, text, ha="center", va="bottom", fontsize=12)
        # An image, or the single number at the end, is drawn in another colour.
        colour = "#f4b183" if channels <= 3 else "#9dc3e6"
        ax.add_patch(plt.Rectangle((x_left, -high / 2), wide, high, fc=colour, ec="black"))
        shape = f"{channels} × {height} × {height}"
        ax.text(x_left + wide / 2, -high / 2 - 0.12, shape, ha="center", va="top", fontsize=13)
        x_left += wide
    ax.set(xlim=(-0.4, x_left + 0.5), ylim=(-1.95, 1.85))
    ax.axis("off")


def _grouped(layers):
    """The layers, each convolution together with what follows it up to the next one."""
    flat = [m for m in layers.modules() if not list(m.children())]
    groups = []
    for layer in flat:
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            groups.append([])
        groups[-1].append(layer)
    return groups


def _label(layer):
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        kind = "transposed conv" if isinstance(layer, nn.ConvTranspose2d) else "convolution"
        kernel, stride, padding = layer.kernel_size[0], layer.stride[0], layer.padding[0]
        return f"{kind}\n{kernel}×{kernel}, stride {stride}\npadding {padding}"
    if isinstance(layer, nn.LeakyReLU):
        return f"LeakyReLU {layer.negative_slope}"
    return "batch norm" if isinstance(layer, nn.BatchNorm2d) else type(layer).__name__


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
        figures = {
            "architecture": show_architecture(Generator(), Discriminator()),  # the paper's width
            "early": show_moment(arguments.run_dir, 300),  # the article's first figure
            "later": show_moment(arguments.run_dir, math.inf),
            "timeline": show_timeline(arguments.run_dir),
        }
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
