"""What a run takes besides its steps: loading, start-up, sampling, memory.

A part of `python -m dcgan_helpers benchmark`. Whatever happens once in a process is measured
in processes of its own.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

from .. import InputError
from ..data import InMemoryImages, original_digits, scale_images
from ..files import IDX_IMAGES
from ..networks import Generator, generate
from ..quality import tables
from ..quality.cost import seconds_of
from .usual_recipe import Pictures

CLOCK = """
import time
start = time.perf_counter()
{}
print(time.perf_counter() - start)
"""
STATUS = Path("/proc/self/status")
"""Where Linux keeps a process's peak memory; elsewhere memory is not measured."""
PEAK = """
{}
with open("/proc/self/status") as file:
    peak = next(line for line in file if line.startswith("VmHWM"))
print(int(peak.split()[1]) / 1024)
"""
TRAIN = """
from dcgan_helpers.data import load_dataset
from dcgan_helpers.hyperparameters import PRESETS
from dcgan_helpers.training import Trainer
trainer = Trainer(PRESETS["laptop"], load_dataset("mnist-5k"))
for _ in trainer.steps({}):
    pass
"""
LOAD = """
import torch
from dcgan_helpers.data import load_dataset, make_loader
images = load_dataset("mnist", {!r}, progress=False)
next(iter(make_loader(images, 64, torch.Generator())))
"""


def in_a_new_process(code: str) -> float:
    """What a Python of its own prints as its last line, as a number."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if done.returncode:
        raise InputError(f"a measurement failed: {done.stderr.strip().splitlines()[-1]}")
    return float(done.stdout.strip().splitlines()[-1])


def loading(images: InMemoryImages, usual: Pictures, count: int = 2048) -> tuple[float, float]:
    """Images a second as floats in [-1, 1], in random order: ours and the usual recipe's."""
    chosen = torch.randint(len(images), (count,)).tolist()
    return (
        count / seconds_of(lambda: scale_images(images[chosen])),
        count / seconds_of(lambda: torch.stack([usual[i] for i in chosen])),
    )


def sampling(features: int, count: int) -> float:
    """Images a second that a generator of some width makes."""
    generator = Generator(features=features).eval()
    return count / seconds_of(lambda: generate(generator, count))


def measure_startup(
    path: Path,
    count: int = 60_000,
    steps: int = 100,
    sampled: int = 1000,
    rounds: int = 3,
    progress: bool = True,
) -> None:
    """Write `what`, `value` and `unit`, a row for each thing measured in each round."""
    images, usual = InMemoryImages(original_digits()), Pictures(original_digits())
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        write_digits(Path(folder) / IDX_IMAGES, count)
        load = LOAD.format(folder)
        for round_ in tqdm(range(1, rounds + 1), desc="rounds", disable=not progress):
            ours_a_second, usual_a_second = loading(images, usual)
            found = [
                ("loading, ours", ours_a_second, "images/s"),
                ("loading, usual recipe", usual_a_second, "images/s"),
                ("sampling, features 16", sampling(16, sampled), "images/s"),
                ("sampling, features 64", sampling(64, sampled), "images/s"),
            ]
            for what, code, unit in [
                ("import torch", CLOCK.format("import torch"), "s"),
                (
                    "import dcgan_helpers.networks",
                    CLOCK.format("import dcgan_helpers.networks"),
                    "s",
                ),
                ("start to first step", CLOCK.format(TRAIN.format(1)), "s"),
                (f"first batch of {count:,}", CLOCK.format(load), "s"),
                ("peak, import torch", PEAK.format("import torch"), "MB"),
                ("peak, training", PEAK.format(TRAIN.format(steps)), "MB"),
                (f"peak, loading {count:,}", PEAK.format(load), "MB"),
            ]:
                if unit == "s" or STATUS.exists():
                    found.append((what, in_a_new_process(code), unit))
            rows += [
                {"round": round_, "what": what, "value": round(value, 3), "unit": unit}
                for what, value, unit in found
            ]
    tables.save(path, pd.DataFrame(rows))


def write_digits(path: Path, count: int) -> None:
    """Write an IDX file of `count` images, the embedded digits over and over."""
    digits = original_digits().numpy()
    with path.open("wb") as file:
        file.write(np.array([2051, count, 28, 28], ">i4").tobytes())
        for start in range(0, count, len(digits)):
            file.write(digits[: count - start].tobytes())
