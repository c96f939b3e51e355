"""Figures of a study's table: runs over steps, and choices in pairs of the same seed."""

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

MARKERS = "osD^v"
"""One for each seed, in all figures."""


def show_runs(ax: Axes, rows: pd.DataFrame, x: str, y: str, label: str = "", **style: Any) -> None:
    """Draw the column `y` over `x`, a line for each `seed`, whose marker is always the same.

    Without a colour in `style` each seed has its own. The `label` stands once for all lines;
    without it, each line is labelled with its seed.
    """
    for n, (seed, run) in enumerate(rows.groupby("seed")):
        name = f"seed {seed}" if not label else label if n == 0 else None
        options: dict[str, Any] = {"color": f"C{n}", "marker": MARKERS[n], "ms": 4, "label": name}
        ax.plot(run[x], run[y], **options | style)


def show_pairs(
    ax: Axes, found: Mapping[Any, pd.DataFrame], floor: tuple[float, float, float]
) -> None:
    """Draw the `fid` of choices side by side, the dots of each `seed` joined by a line.

    `found` has the rows of each choice by its name; `floor` is the mean, lowest and highest FID
    of real images, and its range is shaded.
    """
    together = pd.concat([rows.assign(place=n) for n, rows in enumerate(found.values())])
    show_runs(ax, together, "place", "fid")
    ax.axhspan(*floor[1:], color="0.85", label="floor")
    ax.set(yscale="log", ylabel="FID (logarithmic)")
    ax.set_xticks(range(len(found)), [textwrap.fill(str(name), 11) for name in found])
    ax.tick_params(axis="x", labelsize=8)


def show_row(ax: Axes, path: Path, title: str) -> None:
    """Draw a row of fakes that a study has stored."""
    with Image.open(path) as image:
        ax.imshow(np.asarray(image.convert("RGB")))
    ax.set_title(title, fontsize=9)
    ax.set(xticks=[], yticks=[])


def show_choices(
    found: Mapping[str, pd.DataFrame],
    rows: Mapping[str, tuple[Path, str]],
    floor: tuple[float, float, float],
    title: str,
) -> Figure:
    """Draw choices in pairs, as `show_pairs` does, and beside them a row of fakes of each.

    `rows` has the path of each choice's picture and what stands over it.
    """
    figure, axes = plt.subplot_mosaic(
        [["pairs", name] for name in found],
        figsize=(11, 0.95 * len(found) + 0.8),
        layout="constrained",
        width_ratios=(1, 1.2),
    )
    show_pairs(axes["pairs"], found, floor)
    axes["pairs"].set_title("FID, dots of one seed joined", fontsize=9)
    axes["pairs"].legend(fontsize=8)
    for name, (path, text) in rows.items():
        show_row(axes[name], path, text)
    figure.suptitle(title)
    return figure
