"""Figures and a table of notebook 14, of points in a plane; nothing here trains.

`Clouds` are the fakes `N×2` of some GANs by their names, after some steps. A `table` has a row
for each target, GAN, seed and step, as `read_results` gives it.
"""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from ..quality.tables import medians
from ..run_folder import ASSETS
from . import points, show

Clouds = Mapping[str, Mapping[int, Tensor]]


def draw_points(ax: Axes, fakes: Any, centres: Tensor, title: str) -> Any:
    """Draw fakes `N×2` as dots, and the centres of real clouds as crosses; returns the dots."""
    dots = ax.scatter(fakes[:, 0], fakes[:, 1], s=3, alpha=0.6, color="C0", linewidths=0)
    ax.scatter(centres[:, 0], centres[:, 1], marker="x", s=18, color="C3", linewidths=1)
    ax.set_title(title, fontsize=9)
    ax.set(xticks=[], yticks=[], xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
    return dots


def strip(clouds: Clouds, steps: Sequence[int], centres: Tensor) -> Figure:
    """A row for each GAN: its fakes after some of its steps."""
    size = (10, 1.8 * len(clouds))
    figure, rows = plt.subplots(
        len(clouds), len(steps), figsize=size, layout="constrained", squeeze=False
    )
    for (name, own), row in zip(clouds.items(), rows, strict=True):
        row[0].set_ylabel(name.replace(", ", ",\n"), fontsize=9)
        for ax, step in zip(row, steps, strict=True):
            draw_points(ax, own[step], centres, f"step {step:,}")
    figure.suptitle("The same noise, as training goes on (dots: fakes; crosses: real centres)")
    return figure


def animate_points(clouds: Clouds, centres: Tensor) -> str:
    """The fakes of GANs, side by side, as they move from step to step: HTML with a GIF."""
    figure, axes = plt.subplots(
        1, len(clouds), figsize=(3.2 * len(clouds), 3.5), layout="constrained", squeeze=False
    )
    first = [next(iter(own.values())) for own in clouds.values()]
    dots = [
        draw_points(ax, fakes, centres, name)
        for ax, fakes, name in zip(axes[0], first, clouds, strict=True)
    ]
    frames = []
    for step in next(iter(clouds.values())):
        for own, drawn in zip(clouds.values(), dots, strict=True):
            drawn.set_offsets(own[step])
        figure.suptitle(f"step {step:,}", fontsize=10)
        file = io.BytesIO()
        figure.savefig(file, dpi=90)
        frames.append(Image.open(file).convert("RGB").quantize(12))
    plt.close(figure)
    alt = f"Fakes of {' and '.join(clouds)} move in the plane, step {step:,} at the end"
    return show.as_gif(frames, alt, frames[0].width)


def over_steps(table: pd.DataFrame) -> Figure:
    """Centres covered and share of good fakes over steps, on each target, by the medians."""
    figure, axes = plt.subplots(
        2, len(points.TARGETS), figsize=(10, 4.8), layout="constrained", sharex=True
    )
    for column, (target, centres) in zip(axes.T, points.TARGETS.items(), strict=True):
        for n, cure in enumerate(points.CURES):
            own = table[(table["target"] == target) & (table["cure"] == cure)]
            for ax, value in zip(column, ("covered", "good"), strict=True):
                middle = medians(own, "step", value=value)
                style = {"ls": ("-", "--", ":", "-.")[n % 4], "marker": "osD^v*P"[n]}
                ax.plot(middle.index, middle["median"], label=cure, ms=5, **style)
        column[0].set(title=f"{target}: {len(centres)} clouds", ylim=(0, 1.06 * len(centres)))
        column[0].set_ylabel("centres covered")
        column[1].set(xscale="symlog", xlim=(0, 10500), ylim=(0, 1), xlabel="step")
        column[1].set_ylabel("share of good fakes")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside right center")
    figure.suptitle("Seven GANs on points, medians of three seeds")
    return figure


def last_points(folder: Path = ASSETS) -> Figure:
    """The first seed's fakes at the end of `points`, of all GANs on each target."""
    shape = len(points.TARGETS), len(points.CURES)
    figure, rows = plt.subplots(*shape, figsize=(12, 3.9), layout="constrained")
    for (target, centres), row in zip(points.TARGETS.items(), rows, strict=True):
        row[0].set_ylabel(target)
        for ax, cure in zip(row, points.CURES, strict=True):
            fakes = np.load(points.shown(target, cure, folder), allow_pickle=False)[-1]
            draw_points(ax, fakes, centres, cure if target == "ring" else "")
    figure.suptitle(f"After {points.SNAPSHOTS[-1]:,} steps, seed 1")
    return figure


def points_table(last: pd.DataFrame) -> pd.DataFrame:
    """Centres covered and share of good fakes, a row for each GAN; `last` has one step only."""
    columns = {}
    for target, centres in points.TARGETS.items():
        own = last[last["target"] == target].groupby("cure", sort=False)
        covered = f"{target}: covered of {len(centres)}"
        columns[covered] = own["covered"].apply(show.spread, form="{:.0f}")
        columns[f"{target}: good"] = own["good"].apply(show.spread, form="{:.2f}")
    return pd.DataFrame(columns)
