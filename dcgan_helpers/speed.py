"""How long a step takes: against the usual recipe and the machine's limit, and as it grows.

Parts of `python -m dcgan_helpers.benchmark`. What is compared takes turns, so that another
program's load meets all of it.
"""

import os
import platform
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from tqdm.auto import tqdm

from .choices import endless
from .data import load_dataset, original_digits
from .devices import choose_precision
from .fully_connected import multiply_adds
from .hyperparameters import PRESETS
from .training import Trainer
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


def machine():
    """Processor, threads and versions, as a dictionary."""
    return {
        "processor": processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def processor():
    """The processor's own name, as far as the system tells."""
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def step_multiply_adds(trainer, images):
    """Multiply-adds of one `Trainer.step`, per image: all that its layers need, no more."""
    return multiply_adds(trainer.step, trainer.to_network(images))


def matrix_rate(dtype, size=MATRIX, repeats=3):
    """Multiply-adds a second of a product of two square matrices."""
    a, b = (torch.randn(size, size).to(dtype) for _ in range(2))
    seconds = [seconds_of(lambda: a @ b) for _ in range(repeats)]
    return size**3 / min(seconds)


def seconds_of(work, repeats=1):
    """Seconds a call, the mean over `repeats` calls."""
    start = time.perf_counter()
    for _ in range(repeats):
        work()
    return (time.perf_counter() - start) / repeats


def measure_steps(base=EQUAL, rounds=5, size=MATRIX, progress=True):
    """Rows of the first question: milliseconds a step, and 10⁹ multiply-adds a second."""
    images = load_dataset("mnist-5k")
    ours = {p: Trainer(replace(base, precision=p), images) for p in ("bf16", "fp32")}
    usual = UsualRecipe(base, original_digits())
    batches = {p: endless(trainer) for p, trainer in ours.items()}
    work = {"usual recipe": usual.step}
    for p, trainer in ours.items():
        work[f"ours, {p}"] = lambda t=trainer, b=batches[p]: t.step(t.to_network(next(b)))
    per_image = step_multiply_adds(Trainer(replace(base, precision="fp32"), images), images[[0, 1]])
    needed = per_image * base.batch_size / 1e9
    rows = [{"round": 0, "what": "needed", "value": round(needed, 2), "unit": "G multiply-adds"}]
    for round_ in tqdm(range(rounds + 1), desc="steps", unit="round", disable=not progress):
        found = []
        for name, step in work.items():
            found.append((name, 1000 * seconds_of(step, 2), "ms a step"))
        for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
            rate = matrix_rate(dtype, size) / 1e9
            found.append((f"matrix product, {name}", rate, "G multiply-adds/s"))
        if round_:  # the first one warms up
            rows += [
                {"round": round_, "what": what, "value": round(value, 2), "unit": unit}
                for what, value, unit in found
            ]
    return rows


def measure_tricks(base=PRESETS["laptop"], tricks=TRICKS, rounds=7, steps=4, progress=True):
    """Rows with the milliseconds of a step with each trick, and seconds of its first step."""
    images = load_dataset("mnist-5k")
    # Once for all, for near the limit two trainers might choose differently.
    base = replace(base, precision=choose_precision(base.precision, torch.device("cpu")))
    trainers = {name: trainer_class(base, images) for name, trainer_class in tricks.items()}
    real = trainers["as it is"].to_network(images[range(base.batch_size)])
    rows = []
    for round_ in tqdm(range(rounds + 1), desc="tricks", unit="round", disable=not progress):
        for name, trainer in list(trainers.items()):
            try:
                took = seconds_of(lambda t=trainer: t.step(real), steps if round_ else 1)
            except Exception as error:  # whatever a compiler that is missing makes torch raise
                if trainer is trainers["as it is"]:
                    raise
                print(f"{name} does not work here: {str(error).splitlines()[0]}", file=sys.stderr)
                del trainers[name]
                continue
            if round_:
                found = {"what": name, "value": round(1000 * took, 2), "unit": "ms a step"}
            else:
                found = {"what": f"{name}, first", "value": round(took, 4), "unit": "s"}
            rows.append({"round": round_} | found)
    return rows


@contextmanager
def threads(count):
    """Have torch use that many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def measure_growth(base=PRESETS["laptop"], growth=GROWTH, rounds=3, steps=3, progress=True):
    """Rows with the milliseconds of a step, one size changed from `base` at a time."""
    images = load_dataset("mnist-5k")
    most = os.cpu_count() or 1
    cases = {}
    for axis, sizes in growth.items():
        for size in (size for size in sizes if axis != "threads" or size <= most):
            for precision in ("fp32", "bf16"):
                h = replace(base, precision=precision)
                if axis == "batch size":
                    h = replace(h, batch_size=size)
                if axis == "features":
                    h = replace(h, generator_features=size, discriminator_features=size)
                cases[axis, size, precision] = Trainer(h, images)
    rows = []
    for round_ in tqdm(range(rounds + 1), desc="growth", unit="round", disable=not progress):
        for (axis, size, precision), trainer in cases.items():
            real = trainer.to_network(images[range(trainer.hyperparameters.batch_size)])
            with threads(size if axis == "threads" else torch.get_num_threads()):
                took = 1000 * seconds_of(lambda t=trainer, x=real: t.step(x), steps)
            if round_:  # the first one warms up
                row = {"axis": axis, "value": size, "precision": precision, "round": round_}
                rows.append(row | {"milliseconds": round(took, 3)})
    return rows
