"""The shapes between a network's layers, and how they change with the size of its images."""

from collections.abc import Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from torch import nn

from ..networks import Discriminator, Generator

Shape = tuple[int, ...]
HATCH = "////"


def layer_stages(network: Generator | Discriminator) -> list[tuple[list[nn.Module], Shape]]:
    """What a network makes of its input: the layers of each step, and the shape `C×H×W` after it.

    A step is one convolution with what follows it up to the next one. The first entry is the
    input, without layers. The shapes come from running the layers, in `eval()` mode.
    """
    if isinstance(network, Generator):
        x = torch.zeros(1, network.latent_dim + network.classes, 1, 1)
    else:
        x = torch.zeros(1, *network.image_shape)
    stages: list[tuple[list[nn.Module], Shape]] = [([], tuple(x.shape[1:]))]
    was_training = network.training
    network.eval()  # in training mode, batch norm would count this run
    with torch.no_grad():
        for group in _grouped(network.layers):
            x = nn.Sequential(*group)(x)
            stages.append((group, tuple(x.shape[1:])))
    network.train(was_training)
    return stages


def show_sizes(networks: Sequence[Generator | Discriminator], title: str) -> Figure:
    """Draw networks for several sizes of image, one a row, with every shape; returns the figure.

    The images stand below each other, and so do maps as many layers away from them. Each
    doubling of the side makes a box one step higher, and each doubling of the channels one
    step wider and darker. Maps are hatched where the row above has no maps.
    """
    ends_with_image = isinstance(networks[0], Generator)
    rows = [[shape for _, shape in layer_stages(network)] for network in networks]
    if ends_with_image:  # counted from the image, too
        rows = [shapes[::-1] for shapes in rows]
    far_end = "noise" if ends_with_image else "logit"
    columns = max(map(len, rows))
    most = np.log2(max(channels for shapes in rows for channels, _, _ in shapes))
    figure, ax = plt.subplots(figsize=(12, 7), layout="constrained")
    bottom, above = 0.0, columns  # `above`: where the row above has its noise or logit
    for shapes in rows:
        bottom -= np.log2(shapes[0][1]) + 3.4
        boxes: list[tuple[float, float, float]] = []  # left end, right end, middle
        for place, (channels, height, width) in enumerate(shapes):
            middle = columns - 1 - place if ends_with_image else place
            wide, high = 0.1 + 0.6 * np.log2(channels) / most, 0.3 + np.log2(height)
            hatch = HATCH if above <= place < len(shapes) - 1 else None
            colour = plt.get_cmap("Blues")(0.65 * np.log2(channels) / most)
            corner = (middle - wide / 2, bottom)
            ax.add_patch(Rectangle(corner, wide, high, fc=colour, ec="black", hatch=hatch))
            shape = f"{channels} × {height} × {width}"
            ax.text(middle, bottom - 0.2, shape, ha="center", va="top", fontsize=13)
            name = {0: "image", len(shapes) - 1: far_end}.get(place, "")
            ax.text(middle, bottom + high + 0.15, name, ha="center", va="bottom", fontsize=14)
            boxes.append((middle - wide / 2, middle + wide / 2, bottom + high / 2))
        _draw_arrows(ax, sorted(boxes))
        size = f"{shapes[0][1]} × {shapes[0][2]}\npixels"
        ax.text(-0.65, bottom, size, ha="right", va="bottom", fontsize=15, weight="bold")
        above = len(shapes) - 1
    ax.set(xlim=(-1.45, columns - 0.4), ylim=(bottom - 1.3, 0))
    ax.axis("off")
    more = Patch(fc="white", ec="black", hatch=HATCH, label="one block more than above")
    ax.legend(handles=[more], loc="upper left" if ends_with_image else "upper right", fontsize=14)
    figure.suptitle(title, fontsize=17)
    return figure


def _draw_arrows(ax: Axes, boxes: list[tuple[float, float, float]]) -> None:
    """Arrows from each box to the next; a box is its left end, its right end and its middle."""
    for (_, start, one), (end, _, other) in pairwise(boxes):
        arrow = {"arrowstyle": "-|>", "lw": 1.2, "fc": "black", "shrinkA": 1, "shrinkB": 1}
        ax.annotate("", (end, min(one, other)), (start, min(one, other)), arrowprops=arrow)


def _grouped(layers: nn.Module) -> list[list[nn.Module]]:
    """Layers, each convolution together with what follows it up to the next one."""
    flat = [m for m in layers.modules() if not list(m.children())]
    groups: list[list[nn.Module]] = []
    for layer in flat:
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            groups.append([])
        groups[-1].append(layer)
    return groups
