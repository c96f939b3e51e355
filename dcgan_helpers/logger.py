"""What is kept of a run while it trains: training.csv, image grids, TensorBoard; and its bar."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from torchvision.utils import make_grid
from tqdm.auto import tqdm

from . import run_folder
from .hyperparameters import Hyperparameters

# The columns that go to TensorBoard, and the tag each has there.
TAGS = {
    "loss_discriminator": "loss/discriminator",
    "loss_generator": "loss/generator",
    "d_real": "score/D(x)",
    "d_fake_before": "score/D(G(z)) before the discriminator's update",
    "d_fake_after": "score/D(G(z)) after the discriminator's update",
    "images_per_second": "speed/images per second",
}


class Logger:
    """Writes what it is given into the run folder; `first_step` is where a run goes on.

    What an interrupted run had logged after that step is dropped, because it comes again.
    """

    def __init__(self, run_dir: Path, hyperparameters: Hyperparameters, first_step: int = 0):
        self.run_dir, self.hyperparameters = run_dir, hyperparameters
        self.rows = [row for row in run_folder.read_training(run_dir) if row["step"] <= first_step]
        self.scores = [row for row in run_folder.read_scores(run_dir) if row["step"] <= first_step]
        logs, purge_step = run_dir / run_folder.TENSORBOARD, first_step + 1 if first_step else 0
        self.writer = SummaryWriter(logs, purge_step=purge_step)
        # Two writers, one tag: TensorBoard shows real and fake side by side (the article's way).
        self.real_writer = SummaryWriter(logs / "real", purge_step=purge_step)
        self.fake_writer = SummaryWriter(logs / "fake", purge_step=purge_step)

    def log(self, step: int, row: dict[str, float], real: Tensor, fake: Tensor) -> None:
        """Record one step: numbers by name, `real` and `fake` images in [-1, 1]."""
        self.rows.append({"step": step, **row})
        run_folder.save_rows(self.run_dir / run_folder.TRAINING, self.rows)
        for name, tag in TAGS.items():
            self.writer.add_scalar(tag, row[name], step)
        self.real_writer.add_image("images", make_grid(real, **run_folder.GRID), step)
        self.picture(step, fake)

    def score(self, step: int, seconds: float, scores: dict[str, Any]) -> None:
        """Record what a judge found at a step, `seconds` of training after the start."""
        numbers = {name: value for name, value in scores.items() if isinstance(value, float)}
        self.scores.append({"step": step, "seconds": seconds, **numbers})
        run_folder.save_rows(self.run_dir / run_folder.SCORES, self.scores)
        for name, value in numbers.items():
            self.writer.add_scalar(f"quality/{name}", value, step)

    def picture(self, step: int, fake: Tensor) -> None:
        """Record the grid of fakes of a step: TensorBoard, progress/ and samples.png."""
        self.fake_writer.add_image("images", make_grid(fake, **run_folder.GRID), step)
        for path in (
            self.run_dir / run_folder.PROGRESS / f"step-{step:09d}.png",
            self.run_dir / run_folder.SAMPLES,
        ):
            run_folder.save_grid(path, fake)

    def finish(self) -> None:
        """Record the hyperparameters beside the last numbers (TensorBoard's tab HPARAMS)."""
        values = {
            name: value if isinstance(value, bool | int | float | str) else str(value)
            for name, value in asdict(self.hyperparameters).items()
        }
        last = {f"final/{name}": self.rows[-1][name] for name in TAGS}
        self.writer.add_hparams(values, last, run_name=".")

    def close(self) -> None:
        """Flush and close the TensorBoard files."""
        for writer in (self.writer, self.real_writer, self.fake_writer):
            writer.close()


class Progress:
    """A progress bar, and a clock that stands still while something is recorded.

    `images_per_second` is about the last `window` steps.
    """

    def __init__(self, step: int, total: int, seconds: float, window: int, is_shown: bool):
        self.bar = tqdm(total=total, initial=step, unit="step", disable=not is_shown)
        self.recent: deque[tuple[int, float]] = deque(maxlen=window)
        self.seconds, self.tick = seconds, time.perf_counter()

    def step(self, metrics: dict[str, float], images: int) -> float:
        """One more step is done, of so many images; adds its speed, returns all seconds so far."""
        took = time.perf_counter() - self.tick
        self.seconds += took
        self.recent.append((images, took))
        counts, times = zip(*self.recent, strict=True)
        metrics["images_per_second"] = speed = sum(counts) / sum(times)
        losses = "loss D {loss_discriminator:.3f}, loss G {loss_generator:.3f}".format(**metrics)
        self.bar.set_postfix_str(f"{losses}, {speed:.0f} images/s", refresh=False)
        self.bar.update()
        return self.seconds

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What is done in this block is no training, and takes no time."""
        yield
        self.tick = time.perf_counter()
