"""The article's three figures, re-made: both networks, early and later training."""

import math
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

from .. import run_folder
from ..networks import Discriminator, Generator
from . import show_moment, show_timeline
from .animation import save_animation
from .shapes import layer_stages


def save_figures(run_dir: str | Path, output: Path, animation: Path | None = None) -> list[Path]:
    """Write the article's figures and the timeline of a run, or an animation of it instead.

    Returns the paths. Raises InputError when the folder holds no run with pictures, and what
    `save_animation` raises.
    """
    run_folder.load_hyperparameters(run_dir)
    if animation:
        return [save_animation(run_dir, animation)]
    figures = {
        "architecture": show_architecture(Generator(), Discriminator()),  # the paper's width
        "early": show_moment(run_dir, 300),  # the article's first
        "later": show_moment(run_dir, math.inf),
        "timeline": show_timeline(run_dir),
    }
    run_folder.make_folder(output)
    for name, figure in figures.items():
        # An opaque background, so that the labels can be read on a dark page too.
        figure.savefig(output / f"{name}.png", dpi=150, facecolor="white")
    return [output / f"{name}.png" for name in figures]


def show_architecture(generator: Generator, discriminator: Discriminator) -> Figure:
    """Draw both networks, layer by layer, with the shape on every edge; returns the figure.

    Shapes come from running the modules, labels from their attributes. Heights grow with
    the size of the maps, widths with the number of channels, both by their logarithm.
    """
    figure, rows = plt.subplots(2, figsize=(14, 7.4), layout="constrained")
    parts: list[tuple[Generator | Discriminator, str]] = [
        (generator, "Generator: noise $z$ to image $G(z)$"),
        (discriminator, "Discriminator: image to logit"),
    ]
    for ax, (network, name) in zip(rows, parts, strict=True):
        _draw_network(ax, network)
        ax.set_title(name, fontsize=17, loc="left")
    return figure


def _draw_network(ax: Axes, network: Generator | Discriminator) -> None:
    x_left = 0.0
    for group, (channels, height, _) in layer_stages(network):
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


def _label(layer: nn.Module) -> str:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        kind = "transposed conv" if isinstance(layer, nn.ConvTranspose2d) else "convolution"
        kernel, stride, padding = layer.kernel_size[0], layer.stride[0], layer.padding[0]
        return f"{kind}\n{kernel}×{kernel}, stride {stride}\npadding {padding}"
    if isinstance(layer, nn.LeakyReLU):
        return f"LeakyReLU {layer.negative_slope}"
    return "batch norm" if isinstance(layer, nn.BatchNorm2d) else type(layer).__name__
