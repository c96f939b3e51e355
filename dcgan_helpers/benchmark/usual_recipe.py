"""DCGAN training as it is usually written: what `benchmark` compares this package with.

The same networks, images and losses; 32-bit arithmetic in the default memory layout, every
image read through its own chain of Pillow transforms each time, a sigmoid before BCE, and
in the generator's half of the step gradients for the discriminator's weights too, which the
next `zero_grad` throws away. So do the article and PyTorch's examples.
"""

from collections.abc import Iterator

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from ..hyperparameters import IMAGE_SIZE, Hyperparameters
from ..networks import Discriminator, Generator, initialize_weights


class Pictures(Dataset[Tensor]):
    """`uint8` images `N×28×28`, each given through a transform, as torchvision's MNIST does."""

    def __init__(self, images: Tensor):
        self.images = images
        self.transform = transforms.Compose(
            [
                transforms.Resize(IMAGE_SIZE),
                transforms.ToTensor(),
                transforms.Normalize(mean=[0.5], std=[0.5]),
            ]
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return self.transform(Image.fromarray(self.images[index].numpy()))


class UsualRecipe:
    """Networks, optimisers and data of the usual loop; `step()` is its body.

    `images` are `uint8`, `N×28×28`; `hyperparameters` as for a `Trainer`.
    """

    def __init__(self, hyperparameters: Hyperparameters, images: Tensor):
        h = self.hyperparameters = hyperparameters
        torch.manual_seed(h.seed)
        self.generator = Generator(h.latent_dim, 1, h.generator_features, h.batch_norm)
        self.discriminator = Discriminator(1, h.discriminator_features, h.batch_norm)
        for network in (self.generator, self.discriminator):
            initialize_weights(network)
        self.opt_gen, self.opt_disc = (
            torch.optim.Adam(network.parameters(), h.learning_rate, h.betas)
            for network in (self.generator, self.discriminator)
        )
        self.loader = DataLoader(Pictures(images), h.batch_size, shuffle=True, drop_last=True)
        self.batches: Iterator[Tensor] = iter(())
        self.criterion = nn.BCELoss()

    def next_batch(self) -> Tensor:
        """`N×1×64×64` in [-1, 1]; begins a new epoch when one is over."""
        batch = next(self.batches, None)
        if batch is None:
            self.batches = iter(self.loader)
            batch = next(self.batches)
        return batch

    def step(self) -> tuple[float, float]:
        """Load a batch and update both networks; returns both losses as numbers."""
        real = self.next_batch()
        fake = self.generator(torch.randn(len(real), self.hyperparameters.latent_dim, 1, 1))

        d_real = self.discriminator(real).sigmoid()
        d_fake = self.discriminator(fake.detach()).sigmoid()
        loss_real = self.criterion(d_real, torch.ones_like(d_real))
        loss_fake = self.criterion(d_fake, torch.zeros_like(d_fake))
        loss_disc = (loss_real + loss_fake) / 2
        self.discriminator.zero_grad()
        loss_disc.backward()
        self.opt_disc.step()

        d_after = self.discriminator(fake).sigmoid()
        loss_gen = self.criterion(d_after, torch.ones_like(d_after))
        self.generator.zero_grad()
        loss_gen.backward()
        self.opt_gen.step()
        return loss_disc.item(), loss_gen.item()
