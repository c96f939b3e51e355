"""Figures and tables of notebook 14, from what the studies `cures` and `flow` have measured.

No study: nothing here trains. A `table`, `flows` and a `race` have a row for each setting, seed
and score, as `read_results` and `benchmark.read` give them.
"""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor
from torchvision.utils import make_grid

from .. import InputError
from ..data import to_bytes
from ..networks import generate
from ..quality.tables import SEEDS, medians
from ..run_folder import ASSETS, GRID, load_generator
from . import CLASS_ROW_COUNT, cures, flow


def spread(values: Any, form: str = "{:.1f}") -> str:
    """Median, lowest and highest as `32.0 (27.9 to 40.3)`; an empty text without values."""
    found = [f(values) for f in (np.median, np.min, np.max)] if len(values) else []
    return "{} ({} to {})".format(*map(form.format, found)) if found else ""


def difference_seen(values: np.ndarray, usual: np.ndarray) -> str:
    """What FIDs of the same seeds, with a change and without, allow to say of the change.

    It has an effect where at least three paired differences have one sign and their median
    exceeds the spread of both. Raises InputError when there is not one value a seed in both.
    """
    if len(values) != len(usual):
        raise InputError(
            f"{len(values)} scores against {len(usual)}; expected one for each seed on both "
            "sides: run the study to its end"
        )
    change = values - usual
    widest = max(np.ptp(values), np.ptp(usual))
    one_sign = len(change) >= 3 and abs(np.sign(change).sum()) == len(change)
    if not one_sign or abs(np.median(change)) <= widest:
        return "no difference seen"
    return "effect: better" if change[0] < 0 else "effect: worse"


def fids(
    table: pd.DataFrame, base: str, cure: str, equal: str = "time", images: int = cures.ALL
) -> np.ndarray:
    """FID of a cure on a preset, in the order of the seeds; empty if that was not run."""
    own = table[(table["base"] == base) & (table["cure"] == cure)]
    own = own[(own["equal"] == equal) & (own["images"] == images)]
    return own.sort_values("seed")["fid"].to_numpy()


def score(values: np.ndarray, usual: np.ndarray) -> str:
    """FIDs as `55.1 (50.6 to 55.5), effect: worse`; an empty text without values."""
    return f"{spread(values)}, {difference_seen(values, usual)}" if len(values) else ""


def animate_rows(states: Sequence[Tensor], alt: str) -> str:
    """A row of images, `N×1×S×S` clipped to [-1, 1], as it changes: HTML with a GIF."""
    rows = [torch.cat(list(to_bytes(state.clamp(-1, 1))[:, 0]), dim=1).numpy() for state in states]
    return as_gif([Image.fromarray(row).quantize(16) for row in rows], alt, 840)


def as_gif(frames: Sequence[Image.Image], alt: str, width: int) -> str:
    """An `img` of HTML, `width` pixels wide, that holds the frames; the last one stays longer."""
    file, times = io.BytesIO(), [120] * (len(frames) - 1) + [2000]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=times, loop=0)
    text = base64.b64encode(file.getvalue()).decode()
    style = f"width:{width}px; image-rendering:pixelated"
    return f'<img alt="{html.escape(alt)}" style="{style}" src="data:image/gif;base64,{text}">'


def cure(table: pd.DataFrame, *names: str, folder: Path = ASSETS) -> Figure:
    """Ten fakes and FID of the unchanged presets, and of each named cure below them.

    Raises InputError for a name that is not in `cures.CURES`.
    """
    if unknown := set(names) - set(cures.CURES):
        raise InputError(f"no cure is called {unknown.pop()}; there are {', '.join(cures.CURES)}")
    shape, size = (1 + len(names), len(cures.BASES)), (9, 0.95 * (1 + len(names)))
    figure, rows = plt.subplots(*shape, figsize=size, layout="constrained", squeeze=False)
    for column, base in zip(rows.T, cures.BASES, strict=True):
        usual = fids(table, base, "as it is")
        for ax, name in zip(column, ("as it is", *names), strict=True):
            ax.set(xticks=[], yticks=[], frame_on=False)
            if not len(values := fids(table, base, name)):
                continue
            text = spread(usual) if name == "as it is" else score(values, usual)
            ax.imshow(np.asarray(Image.open(cures.picture(base, name, folder))), aspect="equal")
            ax.set_title(f"{base}, {name}\nFID {text}", fontsize=8)
    return figure


def differences(table: pd.DataFrame) -> Figure:
    """FID of each cure less that of the unchanged preset, a dot for each seed."""
    figure, axes = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained")
    for ax, base in zip(axes, cures.BASES, strict=True):
        usual = fids(table, base, "as it is")
        found = {name: fids(table, base, name) for name in cures.CURES if name != "as it is"}
        less = [(name, values - usual) for name, values in found.items() if len(values)]
        less.sort(key=lambda pair: -np.median(pair[1]))
        for y, (_, values) in enumerate(less):
            ax.plot(values, [y] * len(values), "-", color="0.6", lw=1)
            for n, (seed, value) in enumerate(zip(SEEDS, values, strict=True)):
                ax.plot(value, y, "osD"[n], ms=6, color=f"C{n}", label=f"seed {seed}")
        ax.axvspan(-np.ptp(usual), np.ptp(usual), color="0.9", zorder=0)
        ax.axvline(0, color="black", lw=1)
        ax.set(title=f"{base}: FID {np.median(usual):.1f} as it is", xlabel="difference in FID")
        ax.set_yticks(range(len(less)), [name for name, _ in less])
        ax.set_ylabel("change")
        ax.set_xscale("symlog", linthresh=10)
        ax.margins(x=0.08)
    handles, labels = axes[0].get_legend_handles_labels()
    count = len(SEEDS)
    figure.legend(handles[:count], labels[:count], loc="outside lower center", ncols=count)
    figure.suptitle("Left is better. Grey: the seed spread of the unchanged preset")
    return figure


def cures_table(table: pd.DataFrame, cost: Mapping[str, float]) -> pd.DataFrame:
    """FID of each cure and its difference; the cost of a step is that of `cures.costs`."""
    rows = {}
    for name in cures.CURES:
        row = {"cost of a step": f"{cost[name]:.2f}"}
        for base, equal in (("laptop", "time"), ("laptop", "images"), ("digits", "time")):
            # A step that costs little more does about as many: the same run serves for both.
            run = "time" if cost[name] < 1.2 else equal
            values, usual = fids(table, base, name, run), fids(table, base, "as it is")
            text = spread(values) if name == "as it is" else score(values, usual)
            row[f"{base}, equal {equal}"] = text
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def few_table(table: pd.DataFrame) -> pd.DataFrame:
    """FID of `laptop` with few images and with all, and the difference that a change makes."""
    columns = {}
    for images in (*sorted(cures.FEW), cures.ALL):
        usual = fids(table, "laptop", "as it is", images=images)
        columns[f"{images:,} images"] = {"as it is": spread(usual)} | {
            name: score(fids(table, "laptop", name, images=images), usual)
            for name in cures.FEW[500]
            if name != "as it is"
        }
    return pd.DataFrame(columns)


def image_rows(images: Mapping[Any, Tensor], title: str, label: str, columns: Any = ()) -> Figure:
    """A row for each name: images `N×1×S×S` in [-1, 1], or a grid `H×W` in [0, 1] of ten.

    `columns` are names below the images.
    """
    grids = [
        own if own.dim() == 2 else make_grid(own, **GRID | {"nrow": len(own)})[0]
        for own in images.values()
    ]
    height, width = grids[0].shape
    figure, ax = plt.subplots(figsize=(9, 0.8 + 0.9 * len(images)), layout="constrained")
    ax.imshow(torch.cat(grids), cmap="gray", vmin=0, vmax=1)
    ax.set(title=title, ylabel=label)
    ax.set_yticks([height * (n + 0.5) for n in range(len(images))], [str(name) for name in images])
    ax.set_xticks([width * (n + 0.5) / len(columns) for n in range(len(columns))], columns)
    return figure


def rivals(folder: Path = ASSETS) -> Figure:
    """Ten fakes each of flows and of the shipped GANs, without labels and with them."""
    found = {}
    for setting, recipe in (("plain", "laptop"), ("labels", "digits")):
        stored = np.array(Image.open(flow.picture(setting, folder)).convert("L"))
        found[f"flow, {setting}"] = torch.from_numpy(stored) / 255
        classes = torch.arange(CLASS_ROW_COUNT) if setting == "labels" else None
        generator = load_generator(folder / recipe).eval()
        found[f"GAN {recipe}"] = generate(generator, CLASS_ROW_COUNT, classes=classes)
    return image_rows(found, "Ten fakes of each, not chosen", "")


def same_time_table(flows: pd.DataFrame, race: pd.DataFrame) -> pd.DataFrame:
    """FID, sure and recall of flows at the ends of their time, and of GANs at the race's end."""
    sampler, steps = flow.SAMPLINGS[-1]
    at_end = flows[(flows["at"] == flows["budget"]) & (flows["sampler"] == sampler)]
    at_end = at_end[at_end["sampling_steps"] == steps]
    runs = {
        f"flow, {name}, {budget:,} steps' time": own
        for (budget, name), own in at_end.groupby(["budget", "setting"], sort=False)
    }
    for recipe in ("laptop", "digits"):
        own = race[(race["recipe"] == recipe) & (race["at"] == race["at"].max())]
        runs[f"GAN {recipe}, {own['step'].iloc[0]:,.0f} steps"] = own
    forms = {"fid": "{:.1f}", "sure": "{:.0%}", "recall": "{:.2f}"}
    return pd.DataFrame(
        {name: {k: spread(own[k], form) for k, form in forms.items()} for name, own in runs.items()}
    ).T.rename(columns={"fid": "FID"})


def sampling_table(end: pd.DataFrame, milliseconds: Mapping[str, float]) -> pd.DataFrame:
    """Cost of a fake and FID for each way to sample a flow; `end` has one moment only."""
    found = {}
    for sampler, n in flow.SAMPLINGS:
        own = end[(end["sampler"] == sampler) & (end["sampling_steps"] == n)]
        row = {"ms an image": f"{milliseconds[f'fake in {n} {sampler}']:.2f}"}
        for setting in flow.SETTINGS:
            row[f"FID, {setting}"] = spread(own[own["setting"] == setting]["fid"])
        found[f"{n} {sampler}"] = row
    found["GAN, one pass"] = {"ms an image": f"{milliseconds['fake of laptop']:.2f}"}
    return pd.DataFrame.from_dict(found, orient="index").fillna("")


def fid_against_time(
    flows: pd.DataFrame, race: pd.DataFrame, milliseconds: Mapping[str, float], floor: Any
) -> Figure:
    """FID against the time of training and of drawing; `floor` is the lowest and the highest.

    Times of training are in steps of `laptop`, which the race's seconds are divided by.
    """
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(11.5, 4.6), layout="constrained", sharey=True
    )
    longest, (best, steps) = flows[flows["budget"] == flows["budget"].max()], flow.SAMPLINGS[-1]
    for setting, color in zip(flow.SETTINGS, ("C0", "C1"), strict=True):
        own = longest[longest["setting"] == setting]
        on_way = own[(own["sampler"] == best) & (own["sampling_steps"] == steps)]
        fid = medians(on_way, "at", value="fid")["median"]
        left.plot(fid, "o-", color=color, label=f"flow, {setting}")
        end = own[own["at"] == own["budget"]]
        for sampler, style, y_offset in (("euler", "o-", 4), ("heun", "s--", -11)):
            fid = medians(end[end["sampler"] == sampler], "sampling_steps", value="fid")["median"]
            cost = [milliseconds[f"fake in {n} {sampler}"] for n in fid.index]
            right.plot(cost, fid, style, color=color, label=f"flow, {setting}, {sampler}")
            for x, (n, y) in zip(cost, fid.items(), strict=True):
                right.annotate(
                    str(n), (x, y), (4, y_offset), textcoords="offset points", fontsize=8
                )
    laptop = race[race["recipe"] == "laptop"]
    step_seconds = (laptop["seconds"] / laptop["step"]).median()
    for recipe, marker, color in (("laptop", "*", "C0"), ("digits", "P", "C1")):
        own = race[race["recipe"] == recipe].groupby("at")[["seconds", "fid"]].median()
        left.plot(own["seconds"] / step_seconds, own["fid"], f"{marker}:", color=color, ms=9)
        name = f"GAN {recipe}"
        x = milliseconds["fake of laptop"]
        right.plot(x, own["fid"].iloc[-1], marker, color=color, ms=13, label=name)
    for ax in (left, right):
        ax.axhspan(*floor, color="0.9", label="floor of real digits")
        ax.set(xscale="log", yscale="log", ylabel="FID")
    left.set(title="On the way", xlabel="training time, in steps of laptop")
    right.set(title="At the end (numbers: sampling steps)", xlabel="ms an image, one core")
    right.legend(fontsize=8)
    return figure
