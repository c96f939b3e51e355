"""A GAN without convolutions, to compare with, and what a network costs."""

from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from .hyperparameters import IMAGE_SIZE


class FullyConnectedGenerator(nn.Module):
    """Noise `N×latent_dim×1×1` to images `N×1×64×64` through two hidden layers of `width`."""

    def __init__(self, latent_dim, width):
        super().__init__()
        self.latent_dim = latent_dim
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(latent_dim, width),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Linear(width, IMAGE_SIZE**2),
            nn.Tanh(),
            nn.Unflatten(1, (1, IMAGE_SIZE, IMAGE_SIZE)),
        )

    def forward(self, z):
        return self.layers(z)


class FullyConnectedDiscriminator(nn.Module):
    """Images `N×1×64×64` to logits `N×1×1×1` through two hidden layers of `width`."""

    def __init__(self, width):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(IMAGE_SIZE**2, width),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.3),
            nn.Linear(width, width),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.3),
            nn.Linear(width, 1),
            nn.Unflatten(1, (1, 1, 1)),
        )

    def forward(self, images):
        return self.layers(images)


def parameters(network):
    """How many numbers a network learns."""
    return sum(p.numel() for p in network.parameters())


def multiply_adds(work, inputs):
    """Multiply-adds of `work(inputs)`, of a network or a whole step, for one of the `inputs`."""
    with FlopCounterMode(display=False) as counter:
        work(inputs)
    return counter.get_total_flops() // 2 // len(inputs)
