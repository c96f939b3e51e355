"""Speed-ups that one reads about, each a `Trainer` with one thing changed.

`step_time.measure_tricks` times them and `quality_time` measures what they cost; notebook 12
tells what came of it. None is switched on in a run.
"""

from typing import Any

import torch
from torch import Tensor, nn

from ..training import Trainer


class FusedAdam(Trainer):
    """All parameters updated in one kernel instead of one by one."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        for group in (*self.opt_gen.param_groups, *self.opt_disc.param_groups):
            group["fused"] = True


class FirstLayer(nn.ConvTranspose2d):
    """A transposed convolution of a 1×1 input, `N×C×1×1`, as the matrix product it is."""

    def forward(self, z: Tensor, output_size: list[int] | None = None) -> Tensor:
        channels, *kernel = self.weight.shape[1:]
        weight = self.weight.permute(0, 2, 3, 1).flatten(1)  # the result is channels-last
        return (z.flatten(1) @ weight).unflatten(1, (*kernel, channels)).permute(0, 3, 1, 2)


class MatrixProduct(Trainer):
    """The generator's first layer as a matrix product."""

    def make_networks(self) -> tuple[nn.Module, nn.Module]:
        generator, discriminator = super().make_networks()
        first_block: Any = generator.get_submodule("layers.0")
        old = first_block[0]
        new = FirstLayer(old.in_channels, old.out_channels, old.kernel_size, bias=False)
        new.weight = old.weight
        first_block[0] = new
        return generator, discriminator


class Compiled(Trainer):
    """Both networks through `torch.compile`, which fuses operations; it needs a compiler."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        for network in (self.generator, self.discriminator):
            network.compile()


class OneForward(Trainer):
    """Real images and fakes go through the discriminator in one batch, twice as large.

    So batch normalisation takes its means over both kinds together.
    """

    def discriminate(self, real: Tensor, fake: Tensor, *classes: Tensor) -> tuple[Tensor, Tensor]:
        twice = [own.repeat(2) for own in classes]
        return self.discriminator(torch.cat([real, fake]), *twice).chunk(2)


TRICKS: dict[str, type[Trainer]] = {
    "as it is": Trainer,
    "fused Adam": FusedAdam,
    "first layer as a matrix product": MatrixProduct,
    "one forward for real and fake": OneForward,
    "torch.compile": Compiled,
}
