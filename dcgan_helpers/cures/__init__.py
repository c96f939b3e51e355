"""What was proposed after the DCGAN, each cure as one change of our loop.

A cure is a `Trainer` with a method or two replaced, so that notebook 14 can show all of it. The
study `cures` compares them on digits, and `points` trains the same classes on points in a plane.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import relu, softplus
from torch.nn.utils.parametrizations import spectral_norm

from ..training import Trainer


def without_batch_norm(network: nn.Module) -> nn.Module:
    """The network with its batch norms taken out, and weights that do without them.

    He et al. 2015 (arXiv 1502.01852), for the slope 0.2 of LeakyReLU.
    """
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, a=0.2)
    return network


class NoNorm(Trainer):
    """No batch normalisation in the discriminator, so that it judges each image alone."""

    def make_networks(self) -> tuple[nn.Module, nn.Module]:
        generator, discriminator = super().make_networks()
        return generator, without_batch_norm(discriminator)


class Hinge(Trainer):
    """The hinge loss (Lim and Ye 2017, arXiv 1705.02894; Miyato et al. 2018, equation 16)."""

    def discriminator_loss(self, logits_real: Tensor, logits_fake: Tensor) -> Tensor:
        return relu(1 - logits_real).mean() + relu(1 + logits_fake).mean()

    def generator_loss(self, logits_fake: Tensor) -> Tensor:
        return -logits_fake.mean()


class SpectralNorm(Trainer):
    """Weights divided by their largest singular value (Miyato et al. 2018, arXiv 1802.05957)."""

    def make_networks(self) -> tuple[nn.Module, nn.Module]:
        generator, discriminator = super().make_networks()
        for module in discriminator.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                spectral_norm(module)
        return generator, discriminator


class OnlySpectralNorm(SpectralNorm, NoNorm):
    """Spectral norm in the place of batch norm, as in the paper."""


def squared_slope(logits: Tensor, images: Tensor) -> Tensor:
    """‖∇D(x)‖² of each image, `N`, through which can be differentiated once more."""
    total = logits.float().sum()
    (gradient,) = torch.autograd.grad(total, images, create_graph=True)
    return gradient.float().square().flatten(1).sum(dim=1)


class R1(Trainer):
    """A penalty on the slope at real images (Mescheder et al. 2018, arXiv 1801.04406)."""

    gamma = 0.1

    def discriminate(self, real: Tensor, fake: Tensor, *classes: Tensor) -> tuple[Tensor, Tensor]:
        real = real.detach().requires_grad_()
        logits = super().discriminate(real, fake, *classes)
        self.penalty = self.gamma / 2 * squared_slope(logits[0], real).mean()
        return logits

    def discriminator_loss(self, logits_real: Tensor, logits_fake: Tensor) -> Tensor:
        return super().discriminator_loss(logits_real, logits_fake) + self.penalty


class WassersteinGP(Trainer):
    """Wasserstein loss, gradient penalty (Gulrajani et al. 2017, arXiv 1704.00028).

    The paper does five critic steps for one of the generator; here it is one for one, as in all
    other runs.
    """

    weight = 10.0

    def discriminate(self, real: Tensor, fake: Tensor, *classes: Tensor) -> tuple[Tensor, Tensor]:
        share = torch.rand(len(real), *[1] * (real.dim() - 1), device=real.device)
        between = (real + share * (fake - real)).detach().requires_grad_()
        slope = squared_slope(self.discriminator(between, *classes), between).sqrt()
        self.penalty = self.weight * (slope - 1).square().mean()
        return super().discriminate(real, fake, *classes)

    def discriminator_loss(self, logits_real: Tensor, logits_fake: Tensor) -> Tensor:
        return logits_fake.mean() - logits_real.mean() + self.penalty

    def generator_loss(self, logits_fake: Tensor) -> Tensor:
        return -logits_fake.mean()


class Relativistic(Trainer):
    """Each fake against a real image, with R1 and R2: R3GAN's loss (Huang et al. 2024).

    arXiv 2501.05441. The pairing is that of Jolicoeur-Martineau 2018 (arXiv 1807.00734).
    """

    gamma = 0.1

    def discriminate(self, real: Tensor, fake: Tensor, *classes: Tensor) -> tuple[Tensor, Tensor]:
        real, fake = real.detach().requires_grad_(), fake.detach().requires_grad_()
        logits = super().discriminate(real, fake, *classes)
        slopes = squared_slope(logits[0], real) + squared_slope(logits[1], fake)
        self.penalty, self.logits_real = self.gamma / 2 * slopes.mean(), logits[0].detach()
        return logits

    def discriminator_loss(self, logits_real: Tensor, logits_fake: Tensor) -> Tensor:
        return softplus(logits_fake - logits_real).mean() + self.penalty

    def generator_loss(self, logits_fake: Tensor) -> Tensor:
        return softplus(self.logits_real - logits_fake).mean()


class Augmented(Trainer):
    """Random changes of all that the discriminator sees (Zhao et al. 2020, arXiv 2006.10738).

    The gradient of a fake passes through its change. `parts` are what is changed: brightness by
    up to 0.5, place by up to an eighth of the side, and a square of half the side that is cut
    out. What translation moves in is `border`: -1 is the digits' own background.
    """

    parts: tuple[str, ...] = ("brightness", "translation", "cutout")
    border = -1.0

    def seen(self, images: Tensor) -> Tensor:
        for part in self.parts:
            images = getattr(self, part)(images)
        return super().seen(images)

    def brightness(self, images: Tensor) -> Tensor:
        return images + torch.rand(len(images), 1, 1, 1, device=images.device) - 0.5

    def translation(self, images: Tensor) -> Tensor:
        count, _, side, _ = images.shape
        most = side // 8
        padded = nn.functional.pad(images, [most] * 4, value=self.border)
        moved = torch.randint(2 * most + 1, (2, count, 1), device=images.device)
        y, x = moved + torch.arange(side, device=images.device)
        every = torch.arange(count, device=images.device)[:, None, None]
        return padded[every, :, y[:, :, None], x[:, None, :]].permute(0, 3, 1, 2)

    def cutout(self, images: Tensor) -> Tensor:
        count, _, side, _ = images.shape
        first = torch.randint(-side // 4, 3 * side // 4 + 1, (2, count, 1), device=images.device)
        place = torch.arange(side, device=images.device)
        y, x = (place >= first) & (place < first + side // 2)
        return images.masked_fill((y[:, :, None] & x[:, None, :])[:, None], 0.0)


class OnlyBrightness(Augmented):
    parts = ("brightness",)


class OnlyTranslation(Augmented):
    parts = ("translation",)


class GreyTranslation(OnlyTranslation):
    border = 0.0


class OnlyCutout(Augmented):
    parts = ("cutout",)


class ResizeConvolution(Trainer):
    """Nearest-neighbour resizing and a 3×3 convolution for each transposed one of stride 2.

    Odena et al. 2016, "Deconvolution and checkerboard artifacts", distill.pub.
    """

    def make_networks(self) -> tuple[nn.Module, nn.Module]:
        generator, discriminator = super().make_networks()
        for module in list(generator.modules()):
            for name, child in module.named_children():
                if isinstance(child, nn.ConvTranspose2d) and child.stride == (2, 2):
                    sizes = child.in_channels, child.out_channels
                    new = nn.Conv2d(*sizes, 3, padding=1, bias=child.bias is not None)
                    nn.init.normal_(new.weight, 0.0, 0.02)
                    setattr(module, name, nn.Sequential(nn.UpsamplingNearest2d(None, 2), new))
        return generator, discriminator
