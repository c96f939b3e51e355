"""How long a step takes: against the usual recipe and the machine's limit, and as it grows.

Parts of `python -m dcgan_helpers benchmark`. What is compared takes turns, so that another
program's load meets all of it.
"""

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from tqdm.auto import tqdm

from .. import one_line
from ..arithmetic import choose_precision
from ..data import InMemoryImages, original_digits
from ..hyperparameters import PRESETS, Hyperparameters
from ..quality import tables
from ..quality.cost import count_multiply_adds, seconds_of
from ..training import Trainer
from .tricks import TRICKS
from .usual_recipe import UsualRecipe

EQUAL = replace(PRESETS["paper"], dataset="mnist-5k")
"""The networks of the first question: full width, batches of 128."""
MATRIX = 2048
"""Size of the square matrices whose product is taken for the machine's limit."""
GROWTH = {
    "batch size": (8, 16, 32, 64, 128, 256),
    "features": (4, 8, 16, 32, 64),
    "threads": (1, 2, 4, 8, 16),
}


def machine() -> dict[str, Any]:
    """Processor, threads and versions, as a dictionary."""
    return {
        "processor": processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def processor() -> str:
    """The processor's own name, as far as the system tells."""
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def matrix_rate(dtype: torch.dtype, size: int = MATRIX, repeats: int = 3) -> float:
    """Multiply-adds a second of a product of two square matrices."""
    a, b = (torch.randn(size, size).to(dtype) for _ in range(2))
    return size**3 / min(seconds_of(lambda: a @ b) for _ in range(repeats))


def step_multiply_adds(trainer: Trainer, images: Tensor) -> int:
    """Multiply-adds of one `Trainer.step`, per image: all that its layers need, no more."""
    return count_multiply_adds(trainer.step, trainer.to_network(images))


def measure_steps(
    path: Path,
    base: Hyperparameters = EQUAL,
    rounds: int = 5,
    size: int = MATRIX,
    progress: bool = True,
) -> None:
    """Write the first question's table: milliseconds a step, 10⁹ multiply-adds a second."""
    images = InMemoryImages(original_digits())
    ours = {p: Trainer(replace(base, precision=p), images) for p in ("bf16", "fp32")}
    work: dict[str, Callable[[], Any]] = {"usual recipe": UsualRecipe(base, original_digits()).step}
    for p, trainer in ours.items():
        work[f"ours, {p}"] = partial(next, trainer.steps(10**9))
    per_image = step_multiply_adds(Trainer(replace(base, precision="fp32"), images), images[[0, 1]])
    needed = per_image * base.batch_size / 1e9
    rows = [{"round": 0, "what": "needed", "value": needed, "unit": "G multiply-adds"}]
    for round_ in tqdm(range(1, rounds + 1), desc="steps", unit="round", disable=not progress):
        found = [(name, 1000 * seconds_of(step, 2), "ms a step") for name, step in work.items()]
        for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
            rate = matrix_rate(dtype, size) / 1e9
            found.append((f"matrix product, {name}", rate, "G multiply-adds/s"))
        rows += [
            {"round": round_, "what": what, "value": value, "unit": unit}
            for what, value, unit in found
        ]
    tables.save(path, pd.DataFrame(rows).round({"value": 2}))


def measure_tricks(
    path: Path,
    base: Hyperparameters = PRESETS["laptop"],
    tricks: dict[str, type[Trainer]] = TRICKS,
    rounds: int = 7,
    steps: int = 4,
    progress: bool = True,
) -> None:
    """Write the milliseconds of a step with each trick, and the seconds of its first step."""
    images = InMemoryImages(original_digits())
    # Once for all, because near the limit two trainers might choose differently.
    base = replace(base, precision=choose_precision(base.precision, torch.device("cpu")))
    trainers = {name: trainer_class(base, images) for name, trainer_class in tricks.items()}
    real = trainers["as it is"].to_network(images[range(base.batch_size)])
    rows = []
    for name, trainer in list(trainers.items()):
        start = time.perf_counter()
        try:
            trainer.step(real)
        except Exception as error:  # whatever a compiler that is missing makes torch raise
            if name == "as it is":
                raise
            print(f"{name} does not work here: {one_line(error)}", file=sys.stderr)
            del trainers[name]
            continue
        first = round(time.perf_counter() - start, 4)
        rows.append({"round": 0, "what": f"{name}, first", "value": first, "unit": "s"})
    for round_ in tqdm(range(1, rounds + 1), desc="tricks", unit="round", disable=not progress):
        for name, trainer in trainers.items():
            took = round(1000 * seconds_of(partial(trainer.step, real), steps), 2)
            rows.append({"round": round_, "what": name, "value": took, "unit": "ms a step"})
    tables.save(path, pd.DataFrame(rows))


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Have torch use that many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def changed(base: Hyperparameters, axis: str, size: int) -> Hyperparameters:
    """`base` with a size of `GROWTH`; the number of threads is no hyperparameter."""
    if axis == "features":
        return replace(base, generator_features=size, discriminator_features=size)
    return replace(base, batch_size=size) if axis == "batch size" else base


def measure_growth(
    path: Path,
    base: Hyperparameters = PRESETS["laptop"],
    growth: dict[str, tuple[int, ...]] = GROWTH,
    rounds: int = 3,
    steps: int = 3,
    progress: bool = True,
) -> None:
    """Write the milliseconds of a step, one size changed from `base` at a time."""
    images, most = InMemoryImages(original_digits()), os.cpu_count() or 1
    cases = {
        (axis, size, p): Trainer(changed(replace(base, precision=p), axis, size), images)
        for axis, sizes in growth.items()
        for size in sizes
        if axis != "threads" or size <= most
        for p in ("fp32", "bf16")
    }
    rows = []
    for round_ in tqdm(range(1, rounds + 1), desc="growth", unit="round", disable=not progress):
        for (axis, size, precision), trainer in cases.items():
            real = trainer.to_network(images[range(trainer.hyperparameters.batch_size)])
            with threads(size if axis == "threads" else torch.get_num_threads()):
                took = 1000 * seconds_of(partial(trainer.step, real), steps)
            row = {"axis": axis, "value": size, "precision": precision, "round": round_}
            rows.append(row | {"milliseconds": round(took, 3)})
    tables.save(path, pd.DataFrame(rows))
