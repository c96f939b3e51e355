"""Notebook 14: flow matching, a rival of the GANs at equal training time.

Lipman et al. 2023 (arXiv 2210.02747) with straight paths: x_t = (1 - t) · noise + t · image.
A network predicts the speed image - noise. It works at 28×28, the digits' own size; fakes are then
resized to 64×64 as the digits are. A run gets the training time of so many steps of `laptop`: how
many of its own that is, say the times in `flow-times.csv`, measured in turns.
Tuned with seeds 11 and 12 and another classifier than the shipped one.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice, pairwise, product
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn
from torch.nn.functional import mse_loss, pixel_shuffle, pixel_unshuffle, silu

from ..arithmetic import choose_precision
from ..data import InMemoryImages, load_dataset, load_images, scale_images, to_bytes
from ..hyperparameters import PRESETS, Precision
from ..networks import generate, moving_average
from ..quality import tables
from ..quality.classifier import CLASSES, SMALL
from ..quality.judge import Judge, judge_for, table_row
from ..run_folder import ASSETS, make_folder, save_grid
from ..training import Trainer, TrainingError
from . import CLASS_ROW_COUNT

SETTINGS = {"plain": 0, "labels": CLASSES}
"""What is compared, and how many classes the network is told of."""
BUDGETS, SCORED = (1000, 2000), (250, 583, 1000, 2000)
"""The time of a run, and when fakes are scored: 1,000 steps of `laptop` are about 60 seconds."""
SAMPLINGS = [("euler", n) for n in (1, 2, 5, 10, 20, 50)] + [("heun", n) for n in (2, 5, 10)]
"""How fakes are sampled, and each time scored, at the end of a run; on the way by the last."""
STRIP_STEPS = (1, 2, 5, 10, 50)
"""Euler steps of the rows in a setting's strip."""


def start_at_zero(layer: nn.Module) -> nn.Module:
    """The layer with all weights 0, so that its block first passes on what it gets."""
    for values in layer.parameters():
        nn.init.zeros_(values)
    return layer


class Block(nn.Module):
    """Two convolutions with a shortcut; time and class scale and shift the maps between them."""

    def __init__(self, in_channels: int, channels: int, embedding: int):
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(in_channels), nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.conv2 = start_at_zero(nn.Conv2d(channels, channels, 3, padding=1))
        self.condition = nn.Linear(embedding, 2 * channels)
        same = in_channels == channels
        self.shortcut = nn.Identity() if same else nn.Conv2d(in_channels, channels, 1)

    def forward(self, maps: Tensor, embedded: Tensor) -> Tensor:
        scale, shift = self.condition(embedded)[:, :, None, None].chunk(2, dim=1)
        hidden = self.conv1(silu(self.norm1(maps)))
        hidden = self.norm2(hidden) * (1 + scale) + shift
        return self.shortcut(maps) + self.conv2(silu(hidden))


class WholeImage(nn.Module):
    """Two fully connected layers over the smallest maps, so that each pixel sees all others."""

    def __init__(self, channels: int, side: int, hidden: int, embedding: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.inwards = nn.Linear(channels * side**2, hidden)
        self.outwards = start_at_zero(nn.Linear(hidden, channels * side**2))
        self.condition = nn.Linear(embedding, hidden)

    def forward(self, maps: Tensor, embedded: Tensor) -> Tensor:
        hidden = silu(self.inwards(self.norm(maps).flatten(1)) + self.condition(embedded))
        return maps + self.outwards(hidden).view(maps.shape)


class UNet(nn.Module):
    """Points `N×1×28×28` of paths, their times, `N`, and any classes, `N`, to speeds `N×1×28×28`.

    A U-Net (Ronneberger et al. 2015, arXiv 1505.04597), computed in `fp32` or `bf16`.
    """

    def __init__(self, class_count: int = 0, precision: str = "fp32", f: int = 32, e: int = 128):
        super().__init__()
        self.is_bf16 = precision == "bf16"
        self.embed_time = nn.Sequential(nn.Linear(64, e), nn.SiLU(), nn.Linear(e, e))
        self.embed_class = nn.Embedding(class_count, e) if class_count else None
        self.first = nn.Conv2d(4, f, 3, padding=1)  # N × f × 14 × 14
        self.before = Block(f, f, e)
        self.down = nn.Conv2d(f, 2 * f, 3, stride=2, padding=1)  # N × 2f × 7 × 7
        self.inner1, self.inner2 = Block(2 * f, 2 * f, e), Block(2 * f, 2 * f, e)
        self.whole = WholeImage(2 * f, 7, 4 * f, e)
        self.up = nn.ConvTranspose2d(2 * f, f, 2, stride=2)  # N × f × 14 × 14
        self.after = Block(2 * f, f, e)
        last = start_at_zero(nn.Conv2d(f, 4, 3, padding=1))
        self.last = nn.Sequential(nn.BatchNorm2d(f), nn.SiLU(), last)
        self.to(memory_format=torch.channels_last)

    def forward(self, points: Tensor, times: Tensor, classes: Tensor | None = None) -> Tensor:
        angles = times[:, None] * torch.logspace(0, 2, 32)  # frequencies from 1 to 100
        # Four neighbours become four channels, so each convolution costs a quarter.
        maps = pixel_unshuffle(points, 2).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.is_bf16):
            embedded = self.embed_time(torch.cat([angles.sin(), angles.cos()], dim=1))
            if self.embed_class is not None:
                embedded = embedded + self.embed_class(classes)
            embedded = silu(embedded)
            wide = self.before(self.first(maps), embedded)
            maps = self.inner1(self.down(wide), embedded)
            maps = self.inner2(self.whole(maps, embedded), embedded)
            maps = self.after(torch.cat([self.up(maps), wide], dim=1), embedded)
            return pixel_shuffle(self.last(maps), 2).float()


class FlowTrainer:
    """A `UNet`, told of `classes` if there are any, and all that changes while it trains."""

    learning_rate, warm_up, batch_size, ema_decay = 6e-3, 100, 64, 0.999

    def __init__(
        self, images: Any, seed: int, total: int, classes: int = 0, precision: Precision = "auto"
    ):
        self.images, self.class_count, self.total_steps, self.steps_done = images, classes, total, 0
        self.precision = choose_precision(precision, torch.device("cpu"))
        torch.manual_seed(seed)
        self.network = UNet(classes, self.precision)
        self.moving_average = moving_average(self.network, self.ema_decay)
        self.optimizer = torch.optim.Adam(self.network.parameters(), betas=(0.9, 0.99))

    def step(self, images: Tensor, labels: Tensor) -> float:
        """One update with `uint8` images `N×1×28×28` and their labels; returns the loss.

        It is the mean squared error of the speed (Lipman et al., equation 23, σ_min = 0). Times
        are logit-normal, so most lie in the middle (Esser et al. 2024, arXiv 2403.03206). The
        learning rate rises for `warm_up` steps and falls to 0 over the run. Raises TrainingError.
        """
        left, risen = 1 - self.steps_done / self.total_steps, (self.steps_done + 1) / self.warm_up
        self.optimizer.param_groups[0]["lr"] = self.learning_rate * left * min(1, risen)
        images, classes = scale_images(images), labels if self.class_count else None
        noise = nearest(torch.randn_like(images), images, classes)
        t = torch.randn(len(images), 1, 1, 1).sigmoid()
        speeds = self.network((1 - t) * noise + t * images, t.flatten(), classes)
        loss = mse_loss(speeds, images - noise)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.moving_average.update_parameters(self.network)
        self.steps_done += 1
        if not loss.isfinite():
            raise TrainingError(f"the loss is not finite at step {self.steps_done}")
        return loss.item()

    def steps(self) -> Iterator[float]:
        """Train to the end, epoch after epoch in whole batches; yields each step's loss."""
        size = self.batch_size
        while True:
            for chosen in torch.randperm(len(self.images)).unfold(0, size, size):
                if self.steps_done == self.total_steps:
                    return
                yield self.step(*self.images[chosen])


def nearest(noise: Tensor, images: Tensor, classes: Tensor | None = None) -> Tensor:
    """The noise of a batch in another order, which makes the paths to its images shortest.

    Paths cross less, so fewer steps can follow them (Pooladian et al. 2023, arXiv 2304.14772). A
    class swaps noise only within itself; else the noise would tell the class.
    """
    lengths = torch.cdist(images.flatten(1), noise.flatten(1)).square()
    if classes is not None:
        lengths += 1e6 * (classes[:, None] != classes)
    return noise[linear_sum_assignment(lengths)[1]]


@torch.no_grad()
def sample(
    network: nn.Module, count: int, steps: int = 10, seed: int = 0,
    classes: Tensor | None = None, sampler: str = "heun",
) -> Tensor:  # fmt: skip
    """Fakes `count×1×28×28` in [-1, 1]: noise that follows the speed in so many equal steps.

    `euler` asks the network once a step. `heun` asks again where the step leads and takes the
    mean of both speeds, but not in the last step. The same seed gives the same fakes, from a
    network in `eval()` mode.
    """
    random = torch.Generator().manual_seed(seed)
    points = torch.randn(count, 1, SMALL, SMALL, generator=random)
    for start, end in pairwise(torch.linspace(0, 1, steps + 1)):
        speeds = network(points, start.expand(count), classes)
        if sampler == "heun" and end < 1:
            ahead = points + (end - start) * speeds
            speeds = (speeds + network(ahead, end.expand(count), classes)) / 2
        points = points + (end - start) * speeds
    return points.clamp(-1, 1)


def resized(fakes: Tensor) -> Tensor:
    """Fakes `N×1×28×28` in [-1, 1] as `N×1×64×64`, by the call that resizes the real digits."""
    return scale_images(InMemoryImages(to_bytes(fakes)[:, 0]).images)


def run_setting(
    setting: str, seed: int, budget: int, judge: Judge, ratio: float, pictures: Path | None = None
) -> list[dict[str, Any]]:
    """Train for the time of `budget` steps of `laptop`, each worth `ratio` own ones.

    Returns a row a score, at the time `at` in the same unit; `loss` is the mean since the last.
    """
    images = load_dataset("mnist-5k", image_size=SMALL, labels=True)
    trainer = FlowTrainer(images, seed, round(budget * ratio), SETTINGS[setting])
    classes = torch.arange(len(judge)) % CLASSES if trainer.class_count else None
    network, updates, rows = trainer.moving_average.module.eval(), trainer.steps(), []
    for at in (at for at in SCORED if at <= budget):
        loss = statistics.mean(islice(updates, round(at * ratio) - trainer.steps_done))
        for sampler, steps in SAMPLINGS if at == budget else SAMPLINGS[-1:]:
            row = {"setting": setting, "seed": seed, "budget": budget, "at": at}
            row |= {"arithmetic": trainer.precision, "step": trainer.steps_done}
            row |= {"loss": round(loss, 5), "sampler": sampler, "sampling_steps": steps}
            fakes = resized(sample(network, len(judge), steps, 0, classes, sampler))
            rows.append(row | table_row(judge.score(fakes, classes)))
    if pictures:
        own = None if classes is None else classes[:CLASS_ROW_COUNT]
        draw = partial(sample, network, CLASS_ROW_COUNT, classes=own)
        save_grid(picture(setting, pictures), resized(draw()), CLASS_ROW_COUNT)
        strip = torch.cat([draw(steps, sampler="euler") for steps in STRIP_STEPS])
        save_grid(picture(f"{setting}-steps", pictures), resized(strip), CLASS_ROW_COUNT)
    return rows


def step_times(rounds: int = 15, count: int = 50) -> pd.DataFrame:
    """Milliseconds of one core for a step and for a fake, of `laptop` and of the flow.

    One row a round; in a round all take turns. All work in one thread, and only what this
    process computes counts, so other programs hardly matter.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    gan = Trainer(PRESETS["laptop"], load_images(PRESETS["laptop"], progress=False))
    precision, images = gan.precision, load_dataset("mnist-5k", image_size=SMALL, labels=True)
    work: dict[str, Callable[[], Any]] = {}
    work["step of laptop"] = partial(gan.step, gan.to_network(next(gan.batches())[1]))
    for setting, class_count in SETTINGS.items():
        flow = FlowTrainer(images, 0, 10**6, class_count, precision)
        work[f"step of {setting}"] = partial(flow.step, *images[: flow.batch_size])
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16")
    work["fake of laptop"] = autocast(partial(generate, gan.moving_average.module.eval(), count))
    network = UNet(0, precision).eval()
    for name, n in SAMPLINGS:
        work[f"fake in {n} {name}"] = partial(sample, network, count, n, sampler=name)
    rows = []
    for round_, (name, call) in product(range(rounds + 1), work.items()):
        start = time.process_time()
        call()
        taken = 1000 * (time.process_time() - start) / (count if "fake" in name else 1)
        rows.append({"work": name, "round": round_, "milliseconds": round(taken, 4)})
    torch.set_num_threads(threads)
    return pd.DataFrame(rows[len(work) :])  # the first round warmed up


def read_times(folder: Path = ASSETS) -> pd.DataFrame:
    """The `step_times` that the study measured on its machine."""
    return tables.read(folder / "flow-times.csv")


def steps_for_one(setting: str, folder: Path = ASSETS) -> float:
    """How many steps a setting does in the time of one of `laptop`, by the medians."""
    median = tables.medians(read_times(folder), "work", value="milliseconds")["median"]
    return median["step of laptop"] / median[f"step of {setting}"]


def picture(name: str, folder: Path = ASSETS) -> Path:
    """The path of the first seed's fakes: by setting, or `SETTING-steps` for its strip."""
    return folder / "flow" / f"{name}.png"


def run_study(
    output: Path = ASSETS, seeds: tuple[int, ...] = tables.SEEDS, progress: bool = True
) -> None:
    """Run what is missing in `output` and add it there. Raises InputError."""
    make_folder(output / "flow")
    if read_times(output).empty:
        tables.save(output / "flow-times.csv", step_times())
    judge = judge_for(PRESETS["digits"])

    def run(setting: str, seed: int, budget: int) -> list[dict[str, Any]]:
        pictures = output if (seed, budget) == (seeds[0], BUDGETS[-1]) else None
        return run_setting(setting, seed, budget, judge, steps_for_one(setting, output), pictures)

    jobs = [{"setting": n, "seed": s, "budget": b} for s, b, n in product(seeds, BUDGETS, SETTINGS)]
    tables.complete(output / "flow.csv", jobs, run, progress)
