"""The training loop of the article, with the bookkeeping a long run needs around it.

`Trainer.step` is the loop's body as notebook 07 writes it out, and what hyperparameters add;
`Trainer.run` is the loop. Device, precision, processes and state go through HF Accelerate.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, Protocol

import torch
from accelerate import skip_first_batches
from accelerate.utils import set_seed
from torch import Tensor, nn

from . import InputError, networks, run_folder
from .arithmetic import choose_precision, make_accelerator, memory_format, this_process
from .data import Images, distort, load_images, make_loader, scale_images
from .hyperparameters import Hyperparameters
from .logger import Logger, Progress
from .networks import discriminator_for, generate, generator_for, initialize_weights

GRID_COUNT = 32  # images in a grid, as in the article


class TrainingError(RuntimeError):
    """Training cannot go on: says at which step, and which checkpoint is good."""


class Judge(Protocol):
    """What scores a generator's fakes; `quality.judge` has one."""

    def score_generator(self, generator: nn.Module, seed: int = 0) -> dict[str, Any]: ...


def train(
    hyperparameters: Hyperparameters,
    run_dir: str | Path,
    data_root: str | Path = "data",
    overwrite: bool = False,
    progress: bool = True,
    judge_for: Callable[[Hyperparameters, str | Path], Judge] | None = None,
    checkpoint: Path | None = None,
) -> Path:
    """Train a DCGAN and return the path of its run folder (see `run_folder`).

    Where `evaluate_every` asks for scores, `judge_for` (of `quality.judge`) makes what gives
    them. `resume` gives the `checkpoint` to go on from. Raises InputError, with nothing changed,
    when data or folder cannot be used, and TrainingError when a loss is not finite.
    """
    h, run_dir = hyperparameters, Path(run_dir)
    if checkpoint is None:
        run_folder.require_usable(run_dir, overwrite)
    processes = this_process()  # the only one, unless `accelerate launch` started more
    progress = progress and processes.is_main_process
    if h.evaluate_every and judge_for is None:
        raise InputError(f"evaluate_every is {h.evaluate_every}; expected judge_for beside it")
    scores = judge_for and h.evaluate_every and processes.is_main_process
    judge = judge_for(h, data_root) if judge_for and scores else None
    with processes.main_process_first():  # one downloads, the others find the files
        images = load_images(h, data_root, progress)
    position = run_folder.load_json(checkpoint / run_folder.POSITION) if checkpoint else {}
    if position.get("images", len(images)) != len(images):
        counts = f"{position['images']} images, {h.dataset} now has {len(images)}"
        raise InputError(f"{run_dir} was made with {counts}; name the same --data-root")
    if h.classes == "clusters" and "classes" in position:  # another machine may find others
        images.classes = torch.tensor(position["classes"])
    classes = None if images.classes is None else images.classes.tolist()
    if checkpoint and position.get("classes") != classes:
        raise InputError(f"{run_dir} was made with other classes; name the same --data-root")
    # A resumed run keeps the precision it began with, whatever would be measured now.
    used = replace(h, precision=position.get("precision", h.precision))
    trainer = Trainer(used, images, report=print if progress else None)
    if checkpoint:
        trainer.load(checkpoint)
    if processes.is_main_process:
        run_folder.prepare(run_dir, h, overwrite, classes)
    processes.wait_for_everyone()
    trainer.run(run_dir, progress, judge)
    return run_dir


def resume(run_dir: str | Path, epochs: int | None = None, **options: Any) -> Path:
    """Go on with a run from its last checkpoint, to its last epoch or, if given, to `epochs`.

    It ends with the weights that it would have had without a break (the same bits on one machine,
    CPU and fp32). Only a run with a constant learning rate can be made longer. Options
    (`data_root`, `progress`, `judge_for`) and errors are those of `train`.
    """
    h = run_folder.load_hyperparameters(run_dir)
    epochs = h.epochs if epochs is None else epochs
    can_grow = h.learning_rate_schedule == "constant"
    if epochs < h.epochs or (epochs > h.epochs and not can_grow):
        reason = "it can only grow" if can_grow else "its learning rate falls to 0 at its end"
        raise InputError(f"epochs is {epochs}; {run_dir} was made with {h.epochs}, and {reason}")
    checkpoint = run_folder.latest_checkpoint(run_dir)
    # Without a checkpoint there is nothing to go on from, and nothing to lose.
    options |= {"checkpoint": checkpoint, "overwrite": checkpoint is None}
    return train(replace(h, epochs=epochs), run_dir, **options)


class Trainer:
    """Two networks, two optimisers and the data: all that changes while a run trains.

    A study replaces a method: `make_networks`, `discriminator_loss`, `generator_loss`.
    """

    def __init__(
        self, h: Hyperparameters, images: Images, report: Callable[[str], None] | None = None
    ):
        self.hyperparameters = h
        precision = self.precision = choose_precision(h.precision, this_process().device, report)
        accelerator = self.accelerator = make_accelerator(precision)
        if h.batch_size % accelerator.num_processes:
            sharing = f"the {accelerator.num_processes} processes that share it"
            raise InputError(f"batch_size is {h.batch_size}; expected a multiple of {sharing}")
        self.images, self.order = images, torch.Generator()
        self.class_count = 0 if images.classes is None else int(images.classes.max()) + 1
        # Each process draws its own noise; the weights of process 0 go to all of them.
        set_seed((h.seed + accelerator.process_index) % 2**32)
        layout = memory_format(precision, accelerator.device)
        generator, discriminator = (n.to(memory_format=layout) for n in self.make_networks())
        self.moving_average = networks.moving_average(generator, h.ema_decay, accelerator.device)
        opt_gen = torch.optim.Adam(generator.parameters(), h.learning_rate, h.betas)
        opt_disc = torch.optim.Adam(discriminator.parameters(), h.learning_rate, h.betas)
        loader = make_loader(images, h.batch_size, self.order, h.workers)
        prepared = accelerator.prepare(generator, discriminator, opt_gen, opt_disc, loader)
        self.generator, self.discriminator, self.opt_gen, self.opt_disc, self.loader = prepared
        self.loss: Callable[[Tensor, Tensor], Tensor] = nn.BCEWithLogitsLoss()
        self.total_steps, self.steps_done = h.epochs * len(self.loader), 0
        self.seconds = 0.0  # without the time for pictures and scores
        self.run_dir: Path | None = None

    def make_networks(self) -> tuple[nn.Module, nn.Module]:
        """A generator and a discriminator with their starting weights."""
        h = self.hyperparameters
        generator = generator_for(h, self.class_count)
        discriminator = discriminator_for(h, self.class_count)
        for network in (generator, discriminator):
            initialize_weights(network, batch_norm_mean=h.batch_norm_mean)
        if self.images.classes is not None:
            generator.class_shares[:] = self.images.classes.bincount() / len(self.images)
        return generator, discriminator

    def seen(self, images: Tensor) -> Tensor:
        """Images as the discriminator sees them, under instance noise if there is any."""
        return networks.with_noise(images, self.hyperparameters.instance_noise)

    def discriminate(self, real: Tensor, fake: Tensor, *classes: Tensor) -> tuple[Tensor, Tensor]:
        """The logits of both batches; batch norm takes the mean over each by itself."""
        return self.discriminator(real, *classes), self.discriminator(fake, *classes)

    def discriminator_loss(self, logits_real: Tensor, logits_fake: Tensor) -> Tensor:
        """Real images to 1, fakes to 0 (Goodfellow et al. 2014, algorithm 1; halved)."""
        loss_real = self.loss(logits_real, torch.ones_like(logits_real))
        loss_fake = self.loss(logits_fake, torch.zeros_like(logits_fake))
        return (loss_real + loss_fake) / 2

    def generator_loss(self, logits_fake: Tensor) -> Tensor:
        """The discriminator is to call fakes real: the non-saturating loss (section 3)."""
        return self.loss(logits_fake, torch.ones_like(logits_fake))

    def step(self, real: Tensor, *classes: Tensor) -> dict[str, float]:
        """One update of both networks, counted in `steps_done`; returns losses and scores.

        `real` is `N×C×S×S` in [-1, 1], with the `N` classes if there are any; fakes get the same.
        Algorithm 1 of Goodfellow et al. 2014 with one discriminator step and the non-saturating
        generator loss of its section 3.
        """
        h = self.hyperparameters
        rates = h.learning_rates_at(self.steps_done, self.total_steps)
        for optimizer, rate in zip((self.opt_gen, self.opt_disc), rates, strict=True):
            optimizer.param_groups[0]["lr"] = rate
        z = torch.randn(len(real), h.latent_dim, 1, 1, device=real.device)
        fake = self.generator(z, *classes)

        # The discriminator. `detach` keeps the generator out.
        seen = self.seen(real), self.seen(fake.detach())
        logits_real, logits_fake = self.discriminate(*seen, *classes)
        loss_disc = self.discriminator_loss(logits_real, logits_fake)
        self.opt_disc.zero_grad()
        self.accelerator.backward(loss_disc)
        self.opt_disc.step()

        # The generator, on the same fakes and the updated discriminator, whose own weights
        # need no gradient for that, so it is not computed.
        frozen = self.accelerator.unwrap_model(self.discriminator).requires_grad_(False)
        logits_after = frozen(self.seen(fake), *classes)
        loss_gen = self.generator_loss(logits_after)
        self.opt_gen.zero_grad()
        self.accelerator.backward(loss_gen)
        self.opt_gen.step()
        frozen.requires_grad_(True)

        self.moving_average.update_parameters(self.accelerator.unwrap_model(self.generator))
        self.steps_done += 1
        metrics = {"loss_discriminator": loss_disc, "loss_generator": loss_gen}
        scored = {"d_real": logits_real, "d_fake_before": logits_fake, "d_fake_after": logits_after}
        metrics |= {name: logits.sigmoid().mean() for name, logits in scored.items()}
        # One transfer from the device a step, for all the numbers together.
        numbers = torch.stack([value.detach() for value in metrics.values()])
        return dict(zip(metrics, self.accelerator.reduce(numbers, "mean").tolist(), strict=True))

    def run(self, run_dir: Path, progress: bool = True, judge: Judge | None = None) -> None:
        """Train from `steps_done` to the last epoch, filling `run_dir`."""
        h, self.run_dir = self.hyperparameters, run_dir
        clock = Progress(self.steps_done, self.total_steps, self.seconds, h.log_every, progress)
        logger = Logger(run_dir, h, self.steps_done) if self.accelerator.is_main_process else None
        with closing(clock.bar), closing(logger) if logger else nullcontext():
            if logger and self.steps_done == 0:
                with clock.paused():
                    logger.picture(0, self.samples())
            for epoch, images, *classes in self.batches(self.total_steps):
                real = self.to_network(images)
                metrics = self.step(real, *classes)
                self.require_finite(metrics)
                self.seconds = clock.step(metrics, len(real) * self.accelerator.num_processes)
                with clock.paused():
                    if logger and self.is_due(h.log_every):
                        row = {"epoch": epoch, **metrics}
                        logger.log(self.steps_done, row, real[:GRID_COUNT], self.samples())
                    if logger and judge and self.is_due(h.evaluate_every):
                        scores = judge.score_generator(self.moving_average.module.eval(), h.seed)
                        logger.score(self.steps_done, self.seconds, scores)
                    if self.is_due(h.checkpoint_every):
                        self.save(run_dir)
            if logger:
                logger.finish()

    def batches(self, total: float = math.inf) -> Iterator[Any]:
        """Epoch, images and any classes of each `step` left of `total`, in the seed's order."""
        while self.steps_done < total:
            epoch, done = divmod(self.steps_done, len(self.loader))
            self.order.manual_seed(self.hyperparameters.seed + epoch)
            for batch in skip_first_batches(self.loader, done):
                yield (epoch, batch) if isinstance(batch, Tensor) else (epoch, *batch)

    def steps(self, total: int) -> Iterator[dict[str, float]]:
        """Train up to step `total`, without a run folder; yields what each step returns."""
        for _, images, *classes in self.batches(total):
            metrics = self.step(self.to_network(images), *classes)
            self.require_finite(metrics)
            yield metrics
            if self.steps_done == total:
                return

    def is_due(self, every: int) -> bool:
        """True after every so many steps, and after the last one."""
        return self.steps_done % every == 0 or self.steps_done == self.total_steps

    def to_network(self, images: Tensor) -> Tensor:
        """A `uint8` batch scaled to [-1, 1], with distortion, channels and layout of the run."""
        real = scale_images(images, self.hyperparameters.image_channels)
        real = distort(real, self.hyperparameters.distortion)
        return real.contiguous(memory_format=memory_format(self.precision, real.device))

    def samples(self) -> Tensor:
        """The moving average's images of always the same noise, `32×C×S×S` in [-1, 1]."""
        generator, seed = self.moving_average.module.eval(), self.hyperparameters.seed
        classes = torch.arange(GRID_COUNT) % self.class_count if self.class_count else None
        return generate(generator, GRID_COUNT, seed, classes=classes).cpu()

    def require_finite(self, metrics: dict[str, float]) -> None:
        """Raise TrainingError when a loss is infinite or not a number."""
        losses = metrics["loss_discriminator"], metrics["loss_generator"]
        if not all(map(math.isfinite, losses)):
            self.stop("the losses are not finite (discriminator {}, generator {})".format(*losses))

    def stop(self, reason: str) -> NoReturn:
        """Raise TrainingError with the reason, the step and the last good checkpoint."""
        good = (self.run_dir and run_folder.latest_checkpoint(self.run_dir)) or "none yet"
        where = f"at step {self.steps_done}; last good checkpoint: {good}"
        raise TrainingError(f"{reason} {where}; try a lower --learning-rate or --precision fp32")

    def save(self, run_dir: Path) -> None:
        """Save the networks for sampling, then a checkpoint, which says that these are complete.

        Raises TrainingError rather than save weights that are not finite.
        """
        unwrap = self.accelerator.unwrap_model
        raw, discriminator = unwrap(self.generator), unwrap(self.discriminator)
        if not all(p.isfinite().all() for n in (raw, discriminator) for p in n.parameters()):
            self.stop("weights are not finite")
        if self.accelerator.is_main_process:
            run_folder.save_weights(run_dir / run_folder.GENERATOR, self.moving_average.module)
            run_folder.save_weights(run_dir / run_folder.RAW_GENERATOR, raw)
            run_folder.save_weights(run_dir / run_folder.DISCRIMINATOR, discriminator)
        position: dict[str, Any] = {"step": self.steps_done, "images": len(self.images)}
        position |= {"precision": self.precision, "seconds": self.seconds}
        if self.images.classes is not None:
            position["classes"] = self.images.classes.tolist()
        run_folder.save_checkpoint(run_dir, self.accelerator, self.moving_average, position)

    def load(self, checkpoint: Path) -> None:
        """Take the state that `save` left in a checkpoint. Raises InputError."""
        position = run_folder.load_checkpoint(checkpoint, self.accelerator, self.moving_average)
        self.steps_done, self.seconds = position["step"], position.get("seconds", 0.0)
