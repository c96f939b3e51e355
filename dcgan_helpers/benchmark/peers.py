"""A race: the DCGANs of the best-known tutorials and ours, on equal digits for equal seconds.

Each is our own PyTorch, written from the numbers that a page publishes and from Keras's defaults
where it leaves them. Digits lie in memory, losses take logits in 32 bits, and no gradient is
computed that nobody uses: where a page takes longer, its peer gains. On the CPU: as published (32
bits, default layout); `bf16` (autocast, channels last), so that nobody loses by arithmetic;
`narrow` (`bf16` with every width divided by four, as ours are).
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from ..data import InMemoryImages, load_dataset, load_images, scale_images, to_bytes
from ..hyperparameters import IMAGE_SIZE, Hyperparameters, preset
from ..networks import down_block, draw_classes, generate, initialize_weights, up_block
from ..quality.classifier import CLASSES, SMALL
from ..quality.judge import Judge, judge_for, table_row
from ..quality.tables import SEEDS, complete
from ..run_folder import make_folder, save_grid
from ..training import Trainer, TrainingError
from .quality_time import ARTICLE, Row, at_times

Times = tuple[float, ...]
TIMES: Times = (30, 60, 120, 180, 300)
"""Seconds of training after which fakes are scored. Scoring does not count."""
ONE_HOT = torch.eye(CLASSES)[:, :, None, None]


class Peer:
    """One recipe in the race; a subclass holds what one tutorial publishes."""

    image_size, batch_size, latent_dim = SMALL, 64, 100
    learning_rate, betas, epsilon = 1e-4, (0.9, 0.999), 1e-7  # the last two are Keras's
    black = -1.0  # a black pixel, as the networks see it; a white one is 1
    at_once = False  # both updates come from the same logits
    new_noise = False  # the generator's update has fakes of its own
    tables: tuple[Tensor, Tensor] | None = None  # channels that a class adds to noise and image
    steps_done, is_over = 0, False  # a tutorial never ends

    def __init__(self, seed: int, bf16: bool = False, features: int = 64):
        torch.manual_seed(seed)
        self.bf16, layout = bf16, torch.channels_last if bf16 else torch.contiguous_format
        self.generator, self.discriminator = networks = self.make_networks(features)
        for network in networks:
            self.initialize(network)
            network.to(memory_format=layout)
        adam = partial(torch.optim.Adam, lr=self.learning_rate, betas=self.betas, eps=self.epsilon)
        self.opt_gen, self.opt_disc = (adam(network.parameters()) for network in networks)
        pixels, self.classes = load_dataset("mnist-5k", image_size=self.image_size, labels=True)[:]
        self.images = self.black + (1 - self.black) * (pixels / 255)
        self.batches = self.shuffled()

    def make_networks(self, features: int) -> tuple[nn.Module, nn.Module]:
        """A generator of `N×latent_dim×1×1` noise and a discriminator that gives `N×1` logits."""
        raise NotImplementedError

    @staticmethod
    def initialize(network: nn.Module) -> None:
        """Draw the starting weights as Keras does: Glorot's uniform ones, and biases of 0."""
        for name, values in network.named_parameters():
            if values.dim() > 1:
                nn.init.xavier_uniform_(values)
            elif name.endswith("bias"):
                nn.init.zeros_(values)

    def shuffled(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Images and classes, epoch after epoch; the last batch of an epoch may be short."""
        while True:
            for chosen in torch.randperm(len(self.images)).split(self.batch_size):
                yield self.images[chosen], self.classes[chosen]

    def step(self) -> None:
        """Load a batch and update both networks. Raises TrainingError for losses not finite."""
        real, classes = next(self.batches)
        count = self.batch_size if self.at_once else len(real)  # TensorFlow's page does so
        with torch.set_grad_enabled(not self.new_noise):
            fake = self.fakes(count, classes)
        logits_real, logits_fake = self.logits(real, fake, classes)
        loss_disc = self.discriminator_loss(logits_real, logits_fake)
        if not self.at_once:
            update((self.opt_disc, loss_disc))
            fake = self.fakes(count, classes) if self.new_noise else fake
            logits_fake = self.run(self.discriminator, fake, classes)
        loss_gen = self.generator_loss(logits_fake)
        update((self.opt_gen, loss_gen), *([(self.opt_disc, loss_disc)] if self.at_once else []))
        self.steps_done += 1
        if not (loss_disc + loss_gen).isfinite():
            raise TrainingError(f"the losses are not finite at step {self.steps_done}")

    def discriminator_loss(self, logits_real: Tensor, logits_fake: Tensor) -> Tensor:
        """Real images to 1, fakes to 0: the sum of both cross-entropies."""
        return softplus(-logits_real).mean() + softplus(logits_fake).mean()

    def generator_loss(self, logits_fake: Tensor) -> Tensor:
        """The discriminator is to call fakes real."""
        return softplus(-logits_fake).mean()

    def logits(self, real: Tensor, fake: Tensor, classes: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.run(self.discriminator, images, classes) for images in (real, fake))

    def fakes(self, count: int, classes: Tensor) -> Tensor:
        return self.run(self.generator, torch.randn(count, self.latent_dim, 1, 1), classes)

    def run(self, network: nn.Module, inputs: Tensor, classes: Tensor) -> Tensor:
        """A network's output in 32 bits; in training it is computed as the variant says."""
        if self.tables:
            inputs = torch.cat([inputs, self.tables[network is self.discriminator][classes]], dim=1)
        # Autocast ends with each network, because until then it remembers weights as they were.
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16 and network.training):
            return network(inputs).float()

    @torch.no_grad()
    def draw(self, count: int, seed: int) -> tuple[Tensor, Tensor | None]:
        """Fakes `N×1×S×S` in [-1, 1], in `eval()` mode and 32 bits, and their classes, if any."""
        random = torch.Generator().manual_seed(seed)
        classes = torch.randint(CLASSES, (count,), generator=random)  # as common as in the digits
        noise = torch.randn(count, self.latent_dim, 1, 1, generator=random)
        run = partial(self.run, self.generator.eval())
        images = torch.cat([*map(run, noise.split(250), classes.split(250))])
        self.generator.train()
        return 2 * (images - self.black) / (1 - self.black) - 1, classes if self.tables else None


class TensorFlow(Peer):
    """https://www.tensorflow.org/tutorials/generative/dcgan, with https://keras.io/api/layers."""

    batch_size, at_once = 256, True

    def make_networks(self, features: int) -> tuple[nn.Module, nn.Module]:
        f, leaky = features, nn.LeakyReLU(0.3)  # mirrored: Keras pads its odd row last, we first
        norm, flat = (partial(n, eps=1e-3, momentum=0.01) for n in (nn.BatchNorm2d, nn.BatchNorm1d))
        return nn.Sequential(
            nn.Flatten(), nn.Linear(100, 196 * f, bias=False), flat(196 * f), leaky,
            nn.Unflatten(1, (4 * f, 7, 7)),
            nn.ConvTranspose2d(4 * f, 2 * f, 5, 1, 2, bias=False), norm(2 * f), leaky,
            nn.ConvTranspose2d(2 * f, f, 5, 2, 2, 1, bias=False), norm(f), leaky,
            nn.ConvTranspose2d(f, 1, 5, 2, 2, 1, bias=False), nn.Tanh(),
        ), nn.Sequential(
            nn.Conv2d(1, f, 5, 2, 2), leaky, nn.Dropout(0.3), nn.Conv2d(f, 2 * f, 5, 2, 2), leaky,
            nn.Dropout(0.3), nn.Flatten(), nn.Linear(98 * f, 1),
        )  # fmt: skip


class PyTorch(Peer):
    """https://docs.pytorch.org/tutorials/beginner/dcgan_faces_tutorial.html, in one channel."""

    image_size, batch_size = IMAGE_SIZE, 128
    learning_rate, betas, epsilon = 2e-4, (0.5, 0.999), 1e-8
    initialize = staticmethod(initialize_weights)

    def make_networks(self, features: int) -> tuple[nn.Module, nn.Module]:
        f, widths = features, [features, 2 * features, 4 * features, 8 * features]
        return nn.Sequential(
            up_block(100, 8 * f, 1, 0, batch_norm=True),
            *(up_block(wide, half, 2, 1, batch_norm=True) for wide, half in pairwise(widths[::-1])),
            nn.ConvTranspose2d(f, 1, 4, 2, 1, bias=False), nn.Tanh(),
        ), nn.Sequential(
            nn.Conv2d(1, f, 4, 2, 1, bias=False), nn.LeakyReLU(0.2),
            *(down_block(wide, double, batch_norm=True) for wide, double in pairwise(widths)),
            nn.Conv2d(8 * f, 1, 4, bias=False), nn.Flatten(),
        )  # fmt: skip


class KerasConditional(Peer):
    """https://keras.io/examples/generative/conditional_gan (fakes are its 1, real images its 0).

    The discriminator gets ten more channels for the class. The page's code lists their values by
    class and reads them by pixel: in all ten the same band of 2.8 rows is 1, and its place is the
    class. It takes the mean over one batch of both kinds, half our sum, which is the same to Adam.
    """

    latent_dim, learning_rate, black, new_noise = 128, 3e-4, 0.0, True
    tables = ONE_HOT, ONE_HOT.repeat_interleave(784, 1).view(-1, 28, 28, 10).permute(0, 3, 1, 2)

    def make_networks(self, features: int) -> tuple[nn.Module, nn.Module]:
        f, maps, leaky = features, 138 * features // 64, nn.LeakyReLU(0.2)
        return nn.Sequential(
            nn.Flatten(), nn.Linear(138, 49 * maps), leaky, nn.Unflatten(1, (maps, 7, 7)),
            nn.ConvTranspose2d(maps, 2 * f, 4, 2, 1), leaky,
            nn.ConvTranspose2d(2 * f, 2 * f, 4, 2, 1), leaky,
            nn.Conv2d(2 * f, 1, 7, padding=3), nn.Sigmoid(),
        ), nn.Sequential(
            nn.Conv2d(11, f, 3, 2, 1), leaky, nn.Conv2d(f, 2 * f, 3, 2, 1), leaky,
            nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(2 * f, 1),
        )  # fmt: skip

    def logits(self, real: Tensor, fake: Tensor, classes: Tensor) -> tuple[Tensor, ...]:
        return self.run(self.discriminator, torch.cat([real, fake]), classes.repeat(2)).chunk(2)


class KerasMended(KerasConditional):
    """One channel a class, 1 at every pixel, as was surely meant."""

    tables = ONE_HOT, ONE_HOT.repeat(1, 1, SMALL, SMALL)


class Ours(Peer):
    """Hyperparameters of this package with its `Trainer`; the moving average draws."""

    def __init__(self, seed: int, hyperparameters: Hyperparameters):
        h = replace(hyperparameters, seed=seed)
        self.trainer = Trainer(h, load_images(h, progress=False))
        self.updates = self.trainer.steps(self.trainer.total_steps)

    def step(self) -> None:
        next(self.updates)
        self.steps_done = self.trainer.steps_done
        self.is_over = self.steps_done == self.trainer.total_steps

    def draw(self, count: int, seed: int) -> tuple[Tensor, Tensor | None]:
        generator = self.trainer.moving_average.module.eval()
        classes = draw_classes(generator, count, seed)
        return generate(generator, count, seed, classes=classes).cpu(), classes


def update(*pairs: tuple[torch.optim.Optimizer, Tensor]) -> None:
    """Take the gradients of all losses, of each for its optimiser's weights only; then step."""
    for optimizer, loss in pairs:
        optimizer.zero_grad()
        is_last = optimizer is pairs[-1][0]
        loss.backward(inputs=optimizer.param_groups[0]["params"], retain_graph=not is_last)
    for optimizer, _ in pairs:
        optimizer.step()


NARROW = {"bf16": True, "features": 16}
VARIANTS: dict[str, dict[str, Any]] = {"": {}, ", bf16": {"bf16": True}, ", narrow": NARROW}
ARTICLES = {"article": replace(ARTICLE, epochs=10**6)}  # a run that the race ends
ARTICLES["article, bf16"] = bf16 = replace(ARTICLES["article"], precision="bf16")
ARTICLES["article, narrow"] = replace(bf16, generator_features=16, discriminator_features=16)
TUTORIALS = {"tensorflow": TensorFlow, "pytorch": PyTorch, "keras conditional": KerasConditional}
PEERS: dict[str, Callable[[int], Peer]] = {
    **{n + v: partial(peer, **o) for n, peer in TUTORIALS.items() for v, o in VARIANTS.items()},
    "keras conditional, mended": partial(KerasMended, bf16=True),
    **{name: partial(Ours, hyperparameters=h) for name, h in ARTICLES.items()},
    "laptop": lambda seed: Ours(seed, preset("laptop")),
    "digits": lambda seed: Ours(seed, preset("digits")),
}
"""What makes each peer of a seed. The article trains with our loop, which is the faster one."""


def run_peer(
    peer: str, seed: int, judge: Judge, times: Times = TIMES, picture: Path | None = None
) -> list[Row]:
    """Train a peer and return its scores, one row for each of the `times`.

    `seconds` is when the step ended that reached the time. A run that is over keeps its last
    score. Into `picture` go 16 fakes of the first time from 60 on, else of the last. Raises
    TrainingError when a loss is not finite.
    """
    trained, rows, scored_at = PEERS[peer](seed), [], -1
    picture_at = next((at for at in times if at >= 60), times[-1])
    for at, seconds in at_times(trained.step, lambda: trained.is_over, times):
        if scored_at != trained.steps_done:
            drawn, classes = trained.draw(len(judge), seed=0)
            # As bytes of 64×64, which the real digits were made to by the same call.
            images = scale_images(InMemoryImages(to_bytes(drawn)[:, 0]).images)
            scores, scored_at = table_row(judge.score(images, classes)), trained.steps_done
        if picture and at == picture_at:
            make_folder(picture.parent)
            save_grid(picture, images[:16])
        row: Row = {"peer": peer, "seed": seed, "at": at, "seconds": round(seconds, 1)}
        rows.append(row | {"step": trained.steps_done} | scores)
    return rows


def measure_peers(
    path: Path, seeds: tuple[int, ...] = SEEDS, times: Times = TIMES, progress: bool = True
) -> None:
    """Run what is missing in the table of `peers`; pictures of the first seed go beside it."""
    judge = judge_for(preset("digits"))

    def run(peer: str, seed: int) -> list[Row]:
        picture = path.with_suffix("") / f"{peer.replace(',', '').replace(' ', '-')}.png"
        return run_peer(peer, seed, judge, times, picture if seed == seeds[0] else None)

    complete(path, [{"peer": name, "seed": s} for s in seeds for name in PEERS], run, progress)
