"""The training loop of the article, with the bookkeeping a long run needs around it.

`Trainer.step` is the loop's body as notebook 07 writes it out, and has a falling learning rate
and instance noise if asked for. Device, precision, several processes and saved state go
through Hugging Face Accelerate.
"""

import math
import time
from dataclasses import replace
from pathlib import Path

import torch
from accelerate import skip_first_batches
from accelerate.utils import set_seed
from torch import nn
from tqdm.auto import tqdm

from . import InputError, checkpoints, run_folder
from .data import load_dataset, make_loader, scale_images
from .devices import choose_precision, make_accelerator, memory_format, this_process
from .networks import Discriminator, Generator, initialize_weights, moving_average, with_noise
from .watching import Watcher

SHOWN = 32  # images in a grid, as in the article


class TrainingError(RuntimeError):
    """Training cannot go on: says at which step, and which checkpoint is good."""


def train(hyperparameters, run_dir, data_root="data", resume=False, overwrite=False, progress=True):
    """Train a DCGAN and return the path of its run folder (see `run_folder`).

    Raises InputError, with nothing changed, when the hyperparameters, the data or the
    folder cannot be used, and TrainingError when a loss is no longer finite.
    """
    run_dir = Path(run_dir)
    run_folder.check(run_dir, hyperparameters, resume, overwrite)
    processes = this_process()  # the only one, unless `accelerate launch` started more
    progress = progress and processes.is_main_process
    h = hyperparameters
    with processes.main_process_first():  # one downloads, the others find the files
        images = load_dataset(h.dataset, data_root, h.image_channels, h.max_images, progress)
    checkpoint = run_folder.latest_checkpoint(run_dir) if resume else None
    position = checkpoints.load_position(checkpoint)
    if position and position["images"] != len(images):
        raise InputError(
            f"{run_dir} was made with {position['images']} images, {h.dataset} now has "
            f"{len(images)}; name the same --data-root"
        )
    judge = None
    if h.evaluate_every and processes.is_main_process:
        from .metrics import judge_for  # here, for only who measures needs torchmetrics

        judge = judge_for(h, data_root)
    # A resumed run keeps the precision it began with, whatever would be measured now.
    used = replace(h, precision=position.get("precision", h.precision))
    trainer = Trainer(used, images, report=print if progress else None)
    if checkpoint:
        checkpoints.load(trainer, checkpoint)
    if processes.is_main_process:
        run_folder.prepare(run_dir, h, overwrite)
    processes.wait_for_everyone()
    trainer.run(run_dir, progress, judge)
    return run_dir


class Trainer:
    """Two networks, two optimisers and the data: all that changes while a run trains.

    `make_networks`, `discriminator_loss` and `generator_loss` are what notebook 09 replaces.
    """

    def __init__(self, hyperparameters, images, report=None):
        h = self.hyperparameters = hyperparameters
        precision = self.precision = choose_precision(h.precision, this_process().device, report)
        accelerator = self.accelerator = make_accelerator(precision)
        if h.batch_size % accelerator.num_processes:
            raise InputError(
                f"batch_size is {h.batch_size}; expected a multiple of the "
                f"{accelerator.num_processes} processes that share it"
            )
        # Each process draws its own noise; the weights of process 0 go to all of them.
        set_seed(h.seed + accelerator.process_index)
        generator, discriminator = self.make_networks()
        for network in (generator, discriminator):
            network.to(memory_format=memory_format(precision, accelerator.device))
        self.moving_average = moving_average(generator, h.ema_decay, accelerator.device)
        self.images, self.order = images, torch.Generator()
        self.generator, self.discriminator, self.opt_gen, self.opt_disc, self.loader = (
            accelerator.prepare(
                generator,
                discriminator,
                torch.optim.Adam(generator.parameters(), h.learning_rate, h.betas),
                torch.optim.Adam(discriminator.parameters(), h.learning_rate, h.betas),
                make_loader(images, h.batch_size, self.order, h.workers),
            )
        )
        random = torch.Generator().manual_seed(h.seed)
        noise = torch.randn(SHOWN, h.latent_dim, 1, 1, generator=random)
        self.fixed_noise = noise.to(accelerator.device)
        self.loss = nn.BCEWithLogitsLoss()
        self.total_steps, self.steps_done = h.epochs * len(self.loader), 0
        self.run_dir, self.seconds = None, 0.0  # without the time for pictures and scores

    def make_networks(self):
        """A generator and a discriminator with their starting weights."""
        h = self.hyperparameters
        generator = Generator(h.latent_dim, h.image_channels, h.generator_features, h.batch_norm)
        discriminator = Discriminator(h.image_channels, h.discriminator_features, h.batch_norm)
        for network in (generator, discriminator):
            initialize_weights(network, batch_norm_mean=h.batch_norm_mean)
        return generator, discriminator

    def discriminate(self, real, fake):
        """The logits of both batches; batch norm takes the mean over each by itself."""
        return self.discriminator(real), self.discriminator(fake)

    def discriminator_loss(self, logits_real, logits_fake):
        """Real images to 1, fakes to 0 (Goodfellow et al. 2014, algorithm 1; halved)."""
        loss_real = self.loss(logits_real, torch.ones_like(logits_real))
        loss_fake = self.loss(logits_fake, torch.zeros_like(logits_fake))
        return (loss_real + loss_fake) / 2

    def generator_loss(self, logits_fake):
        """The discriminator is to call fakes real: the non-saturating loss (section 3)."""
        return self.loss(logits_fake, torch.ones_like(logits_fake))

    def step(self, real):
        """One update of both networks, counted in `steps_done`; returns losses and scores.

        `real` is `N×C×64×64` in [-1, 1]. Algorithm 1 of Goodfellow et al. 2014 with one
        discriminator step and the non-saturating generator loss of its section 3.
        """
        h = self.hyperparameters
        rate = h.learning_rate_at(self.steps_done, self.total_steps)
        for group in (*self.opt_gen.param_groups, *self.opt_disc.param_groups):
            group["lr"] = rate
        z = torch.randn(len(real), h.latent_dim, 1, 1, device=real.device)
        fake = self.generator(z)

        # The discriminator. `detach` keeps the generator out.
        seen = with_noise(real, h.instance_noise), with_noise(fake.detach(), h.instance_noise)
        logits_real, logits_fake = self.discriminate(*seen)
        loss_disc = self.discriminator_loss(logits_real, logits_fake)
        self.opt_disc.zero_grad()
        self.accelerator.backward(loss_disc)
        self.opt_disc.step()

        # The generator, on the same fakes and the updated discriminator, whose own weights
        # need no gradient for that, so it is not computed.
        judge = self.accelerator.unwrap_model(self.discriminator).requires_grad_(False)
        logits_after = judge(with_noise(fake, h.instance_noise))
        loss_gen = self.generator_loss(logits_after)
        self.opt_gen.zero_grad()
        self.accelerator.backward(loss_gen)
        self.opt_gen.step()
        judge.requires_grad_(True)

        self.moving_average.update_parameters(self.accelerator.unwrap_model(self.generator))
        self.steps_done += 1
        metrics = {
            "loss_discriminator": loss_disc,
            "loss_generator": loss_gen,
            "d_real": logits_real.sigmoid().mean(),
            "d_fake_before": logits_fake.sigmoid().mean(),
            "d_fake_after": logits_after.sigmoid().mean(),
        }
        # One transfer from the device a step, for all the numbers together.
        numbers = torch.stack([value.detach() for value in metrics.values()])
        return dict(zip(metrics, self.accelerator.reduce(numbers, "mean").tolist(), strict=True))

    def batches(self, total=math.inf):
        """Epoch and images of each `step` left of `total`, in an order fixed by the seed."""
        while self.steps_done < total:
            epoch, done = divmod(self.steps_done, len(self.loader))
            self.order.manual_seed(self.hyperparameters.seed + epoch)
            for images in skip_first_batches(self.loader, done):
                yield epoch, images

    def run(self, run_dir, progress=True, judge=None):
        """Train to the last epoch, filling `run_dir`, from wherever `steps_done` stands.

        A `judge` (see `metrics`) scores fakes every `evaluate_every` steps and at the end.
        """
        h, main = self.hyperparameters, self.accelerator.is_main_process
        total, self.run_dir = self.total_steps, run_dir
        watcher = Watcher(run_dir, h, self.steps_done) if main else None
        bar = tqdm(total=total, initial=self.steps_done, unit="step", disable=not progress)
        try:
            if main and self.steps_done == 0:
                watcher.picture(0, self.samples())
            started, images_seen, tick = self.seconds, 0, time.perf_counter()
            for epoch, images in self.batches(total):
                real = self.to_network(images)
                metrics = self.step(real)
                images_seen += len(real) * self.accelerator.num_processes
                self.require_finite(metrics)
                self.seconds += time.perf_counter() - tick
                speed = images_seen / (self.seconds - started)
                bar.set_postfix_str(
                    f"loss D {metrics['loss_discriminator']:.3f}, "
                    f"loss G {metrics['loss_generator']:.3f}, {speed:.0f} images/s",
                    refresh=False,
                )
                bar.update()
                last = self.steps_done == total
                if main and (self.steps_done % h.log_every == 0 or last):
                    metrics["images_per_second"] = speed
                    watcher.log(self.steps_done, epoch, metrics, real[:SHOWN], self.samples())
                if self.steps_done % h.log_every == 0:
                    started, images_seen = self.seconds, 0
                if judge and (self.steps_done % h.evaluate_every == 0 or last):
                    scores = judge.score_generator(self.moving_average.module.eval(), h.seed)
                    watcher.score(self.steps_done, self.seconds, scores)
                if self.steps_done % h.checkpoint_every == 0 or last:
                    checkpoints.save(self, run_dir)
                tick = time.perf_counter()
            if main:
                watcher.finish()
        finally:
            bar.close()
            if main:
                watcher.close()

    def to_network(self, images):
        """A `uint8` batch scaled to [-1, 1], with the channels and layout of the run."""
        real = scale_images(images, self.hyperparameters.image_channels)
        return real.contiguous(memory_format=memory_format(self.precision, real.device))

    @torch.no_grad()
    def samples(self):
        """The moving average's images of the fixed noise, `32×C×64×64` in [-1, 1]."""
        return self.moving_average.eval()(self.fixed_noise).cpu()

    def require_finite(self, metrics):
        """Raise TrainingError when a loss is infinite or not a number."""
        losses = metrics["loss_discriminator"], metrics["loss_generator"]
        if not all(map(math.isfinite, losses)):
            self.stop("the losses are not finite (discriminator {}, generator {})".format(*losses))

    def stop(self, reason):
        """Raise TrainingError with the reason, the step and the last good checkpoint."""
        good = (self.run_dir and run_folder.latest_checkpoint(self.run_dir)) or "none yet"
        raise TrainingError(
            f"{reason} at step {self.steps_done}; last good checkpoint: {good}; "
            "try a lower --learning-rate or --precision fp32"
        )
