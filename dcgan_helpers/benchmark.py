"""How fast this package trains, against the usual recipe and against the machine's limit.

steps     the step of equal networks: usual recipe, ours, and the machine's matrix product
tricks    speed-ups that one reads about, on the preset laptop
growth    a step's time against batch size, width and number of threads
overhead  loading, start-up, sampling, memory
quality   FID after 15 to 300 seconds of training, three seeds a recipe
ablation  one part of our recipe changed at a time, at equal steps, three seeds each

`python -m dcgan_helpers.benchmark [PART ...]` writes a CSV file a part, machine.json and
benchmark.png. All of it is measured on the CPU. `quality` takes an hour and a half, `ablation`
half an hour, each of the others minutes. Stopped at any time, these two go on where they were
when they are named again; the others begin anew.
"""

import argparse
import os
import statistics
import sys
from operator import itemgetter
from pathlib import Path

import matplotlib.pyplot as plt

from . import InputError, overhead, run_folder, speed, time_to_quality
from .time_to_quality import TIMES
from .trained import ASSETS
from .training import TrainingError

INTEL, AMD = (ASSETS / "benchmark" / name for name in ("intel-amx", "amd-avx512"))
"""What notebook 12 draws: the benchmark of two machines, of which neither has all parts."""
MACHINE, PICTURE = "machine.json", "benchmark.png"
TYPES = {
    "steps": {"round": int, "what": str, "unit": str},
    "tricks": {"round": int, "what": str, "unit": str},
    "growth": {"axis": str, "value": int, "precision": str, "round": int},
    "overhead": {"round": int, "what": str, "unit": str},
    "quality": time_to_quality.TYPES,
    "ablation": time_to_quality.ABLATION_TYPES,
}
"""For each part the columns of its table that hold no floating-point number."""


def read(part, folder):
    """The rows of a part's table; none if it was not run."""
    return run_folder.load_table(Path(folder) / f"{part}.csv", **TYPES[part])


def medians(rows, *columns, value="value"):
    """Median, lowest and highest `value` for each `what`, or for each tuple of the `columns`."""
    key_of, values = itemgetter(*columns or ("what",)), {}
    for row in rows:
        values.setdefault(key_of(row), []).append(row[value])
    return {key: (statistics.median(v), min(v), max(v)) for key, v in values.items()}


def report(part, rows):
    """A part's table as text: medians, and ranges behind them."""
    if part in ("steps", "tricks", "overhead"):
        units = {row["what"]: row["unit"] for row in rows}
        lines = [
            f"{what:30}{middle:12,.2f} ({low:,.2f} to {high:,.2f}) {units[what]}"
            for what, (middle, low, high) in medians(rows).items()
        ]
        return "\n".join(lines + (verdict(rows) if part == "steps" else []))
    names = {"growth": ("axis", "value", "precision"), "quality": ("recipe", "at")}
    columns = names.get(part, ("change", "step"))
    measure = "milliseconds" if part == "growth" else "fid"
    return "\n".join(
        f"{', '.join(map(str, key)):40}{middle:10,.1f} ({low:,.1f} to {high:,.1f}) {measure}"
        for key, (middle, low, high) in medians(rows, *columns, value=measure).items()
    )


def verdict(rows):
    """How many times faster than the usual recipe, and what share of the limit, as text."""
    middle = {what: value[0] for what, value in medians(rows).items()}
    lines = []
    for precision in ("bf16", "fp32"):
        ours = middle.get(f"ours, {precision}")
        if ours is None:
            continue
        rate = middle["needed"] / ours * 1000
        share = rate / middle[f"matrix product, {precision}"]
        lines.append(
            f"ours, {precision}: {middle['usual recipe'] / ours:.2f} times as fast as the usual "
            f"recipe; {share:.0%} of the rate of a matrix product in {precision}"
        )
    return lines


def show_quality(rows, axes):
    """FID against seconds of training: a line a recipe through the medians, all seeds as dots."""
    for recipe in dict.fromkeys(row["recipe"] for row in rows):
        own = [row for row in rows if row["recipe"] == recipe]
        times = sorted({row["at"] for row in own})
        middle = [statistics.median(r["fid"] for r in own if r["at"] == at) for at in times]
        (line,) = axes.loglog(times, middle, label=recipe)
        axes.plot([r["at"] for r in own], [r["fid"] for r in own], ".", color=line.get_color())
    axes.set(title="Quality against time", xlabel="seconds of training", ylabel="FID")
    axes.set_xticks(TIMES, TIMES)
    axes.minorticks_off()
    axes.legend()


def show_growth(rows, axes):
    """A step's time against one size each, on log axes; dotted, what is to be expected."""
    slopes = {"batch size": 1, "features": 2, "threads": -1}
    for ax, axis in zip(axes, slopes, strict=True):
        for precision in ("fp32", "bf16"):
            own = [r for r in rows if r["axis"] == axis and r["precision"] == precision]
            sizes = sorted({row["value"] for row in own})
            middle = [
                statistics.median(r["milliseconds"] for r in own if r["value"] == size)
                for size in sizes
            ]
            (line,) = ax.loglog(sizes, middle, "o-", label=precision)
            end = -1 if slopes[axis] > 0 else 0
            expected = [middle[end] * (size / sizes[end]) ** slopes[axis] for size in sizes]
            ax.plot(sizes, expected, ":", color=line.get_color())
        ax.set(title=f"dotted: slope {slopes[axis]}", xlabel=axis, ylabel="milliseconds a step")
        ax.set_xticks(sizes, sizes)
        ax.minorticks_off()
        ax.legend()


def picture(folder):
    """The figure of all parts that a folder holds."""
    figure, axes = plt.subplots(1, 4, figsize=(17, 4), layout="constrained")
    if rows := read("quality", folder):
        show_quality(rows, axes[0])
    if rows := read("growth", folder):
        show_growth(rows, axes[1:])
    return figure


def require_same_machine(output, found):
    """Raise InputError when a folder holds measurements of another machine."""
    path = output / MACHINE
    stored = run_folder.load_json(path) if path.exists() else found
    for name, value in found.items():
        if stored.get(name) != value:
            raise InputError(
                f"{output} was measured with {name} {stored.get(name)}, this is {value}; "
                "name another --output"
            )


def main():
    parser = argparse.ArgumentParser(
        prog="python -m dcgan_helpers.benchmark",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("part", nargs="*", metavar="PART", help="which; all when not given")
    parser.add_argument("--output", type=Path, default=Path("runs/benchmark"), help="folder")
    arguments = parser.parse_args()
    output, chosen = arguments.output, arguments.part or list(TYPES)
    for part in set(chosen) - set(TYPES):
        parser.error(f"PART is {part!r}; expected one of {', '.join(TYPES)}")
    os.environ["ACCELERATE_USE_CPU"] = "1"  # for this process and those that it starts
    try:
        output.mkdir(parents=True, exist_ok=True)
        found = speed.machine()
        print("\n".join(f"{name:13} {value}" for name, value in found.items()))
        require_same_machine(output, found)
        run_folder.save_json(output / MACHINE, found)
        for part in chosen:
            if part in ("quality", "ablation"):
                time_to_quality.measure(part, output)
            else:
                module = overhead if part == "overhead" else speed
                rows = getattr(module, f"measure_{part}")()
                run_folder.save_table(output / f"{part}.csv", rows)
            print(f"\n{part}\n{report(part, read(part, output))}")
        picture(output).savefig(output / PICTURE, dpi=100)
        print(f"\n{output / PICTURE}")
    except KeyboardInterrupt:
        sys.exit("stopped")
    except (InputError, TrainingError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
