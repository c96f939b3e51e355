"""How fast this package trains, against the usual recipe and against the machine's limit.

steps     the step of equal networks: usual recipe, ours, and the machine's matrix product
tricks    speed-ups that one reads about, on the preset laptop
growth    a step's time against batch size, width and number of threads
startup   loading, start-up, sampling, memory
quality   FID after 15 to 300 seconds of training, three seeds a recipe
seeds     the presets trained to their ends: ten seeds each, three in 32 bits
ablation  one part of our recipe changed at a time, at equal steps, three seeds each
peers     the best-known tutorials' networks and ours, 30 to 300 seconds, three seeds each

`python -m dcgan_helpers benchmark [PART ...]` writes a CSV file a part, machine.json and
benchmark.png. All of it is measured on the CPU. `peers` takes four hours, `quality` an hour and a
half, `seeds` one, `ablation` half an hour, each of the others minutes. Stopped at any time, these
four go on where they were when they are named again; the others begin anew.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .. import InputError, run_folder
from ..quality import tables
from ..quality.tables import medians
from ..run_folder import ASSETS
from . import peers, quality_time, startup, step_time

INTEL, AMD = (ASSETS / "benchmark" / name for name in ("intel-amx", "amd-avx512"))
"""What notebook 12 draws: the benchmark of two machines, of which neither has all parts."""
HELD_OUT = ASSETS / "benchmark" / "amd-held-out"
"""The race and the peers, scored on held-out digits; the two above were scored on all 5,000."""
MACHINE, PICTURE = "machine.json", "benchmark.png"


@dataclass(frozen=True)
class Part:
    """One part: what writes its table, and the medians of which column say what of it."""

    measure: Callable[[Path], None]
    by: tuple[str, ...]
    value: str


PARTS = {
    "steps": Part(step_time.measure_steps, ("what", "unit"), "value"),
    "tricks": Part(step_time.measure_tricks, ("what", "unit"), "value"),
    "growth": Part(step_time.measure_growth, ("axis", "value", "precision"), "milliseconds"),
    "startup": Part(startup.measure_startup, ("what", "unit"), "value"),
    "quality": Part(quality_time.measure_quality, ("recipe", "at"), "fid"),
    "seeds": Part(quality_time.measure_seeds, ("recipe", "arithmetic"), "fid"),
    "ablation": Part(quality_time.measure_ablation, ("change", "step"), "fid"),
    "peers": Part(peers.measure_peers, ("peer", "at"), "fid"),
}


def read(part: str, folder: Path) -> pd.DataFrame:
    """A part's table; empty if it was not run."""
    return tables.read(folder / f"{part}.csv")


def report(part: str, table: pd.DataFrame) -> str:
    """A part's table as text: medians, and ranges beside them."""
    found = medians(table, *PARTS[part].by, value=PARTS[part].value)
    text = found.to_string(float_format="{:,.2f}".format)
    return "\n".join([f"{PARTS[part].value}:", text, *(verdict(table) if part == "steps" else [])])


def verdict(table: pd.DataFrame) -> list[str]:
    """How many times faster than the usual recipe, and what share of the limit, as text."""
    middle = medians(table, "what")["median"]
    lines = []
    for precision in ("bf16", "fp32"):
        if f"ours, {precision}" not in middle:
            continue
        ours = middle[f"ours, {precision}"]
        rate = middle["needed"] / ours * 1000
        share = rate / middle[f"matrix product, {precision}"]
        lines.append(
            f"ours, {precision}: {middle['usual recipe'] / ours:.2f} times as fast as the usual "
            f"recipe; {share:.0%} of the rate of a matrix product in {precision}"
        )
    return lines


def measure(parts: list[str], output: Path) -> None:
    """Measure these parts, fill the folder and print what was found. Raises InputError."""
    os.environ["ACCELERATE_USE_CPU"] = "1"  # for this process and those that it starts
    run_folder.make_folder(output)
    found = step_time.machine()
    print("\n".join(f"{name:13} {value}" for name, value in found.items()))
    require_same_machine(output, found)
    run_folder.save_json(output / MACHINE, found)
    for part in parts:
        PARTS[part].measure(output / f"{part}.csv")
        print(f"\n{part}\n{report(part, read(part, output))}")
    picture(output).savefig(output / PICTURE, dpi=100)
    print(f"\n{output / PICTURE}")


def require_same_machine(output: Path, found: dict[str, object]) -> None:
    """Raise InputError when a folder holds measurements of another machine."""
    path = output / MACHINE
    stored = run_folder.load_json(path) if path.exists() else found
    for name, value in found.items():
        if stored.get(name) != value:
            raise InputError(
                f"{output} was measured with {name} {stored.get(name)}, this is {value}; "
                "name another --output"
            )


def picture(folder: Path) -> Figure:
    """The figure of all parts that a folder holds."""
    figure, axes = plt.subplots(1, 4, figsize=(17, 4), layout="constrained")
    if len(table := read("quality", folder)):
        show_quality(table, axes[0])
    if len(table := read("growth", folder)):
        show_growth(table, axes[1:])
    return figure


def show_quality(table: pd.DataFrame, axes: Axes) -> None:
    """FID against seconds of training: a line a recipe through the medians, all seeds as dots.

    Lines and dots end where the runs do.
    """
    for recipe, own in table.groupby("recipe", sort=False):
        middle = own.groupby("at")[["seconds", "fid"]].median().drop_duplicates("seconds")
        (line,) = axes.loglog(middle["seconds"], middle["fid"], label=recipe)
        dots = own.drop_duplicates(["seed", "step"])
        axes.plot(dots["seconds"], dots["fid"], ".", color=line.get_color())
    axes.set(title="Quality against time", xlabel="seconds of training", ylabel="FID")
    ticks = (15, 30, 60, 120, 180, 300)
    axes.set_xticks(ticks, map(str, ticks))
    _set_yticks(axes)
    axes.legend()


def show_growth(table: pd.DataFrame, axes: np.ndarray) -> None:
    """A step's time against one size each, on log axes; dotted, what is to be expected."""
    slopes = {"batch size": 1, "features": 2, "threads": -1}
    expectations = {1: "in proportion", 2: "with the square", -1: "inversely"}
    middles = table.groupby(["axis", "precision", "value"])["milliseconds"].median()
    for ax, (axis, slope) in zip(axes, slopes.items(), strict=True):
        for precision in ("fp32", "bf16"):
            middle = middles[axis, precision]
            sizes = middle.index.to_numpy()
            (line,) = ax.loglog(sizes, middle, "o-", label=precision)
            end = -1 if slope > 0 else 0
            expected = middle.iloc[end] * (sizes / sizes[end]) ** float(slope)
            ax.plot(sizes, expected, ":", color=line.get_color())
        ax.set(title=f"{axis}; dotted: {expectations[slope]}")
        ax.set(xlabel=axis, ylabel="milliseconds a step")
        ax.set_xticks(sizes, sizes)
        _set_yticks(ax)
        ax.legend()


def _set_yticks(axes: Axes) -> None:
    """Ticks at 1, 2 and 5 of each decade of a log axis, because a short one would have one."""
    low, high = axes.get_ylim()
    ticks = [n * 10**k for k in range(5) for n in (1, 2, 5) if low < n * 10**k < high]
    axes.set_yticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
