"""Networks without shared weights, which notebook 09 sets beside the convolutions."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import fold, unfold

from ..hyperparameters import IMAGE_SIZE


class FullyConnectedGenerator(nn.Module):
    """Noise `N×latent_dim×1×1` to images `N×1×64×64` through two hidden layers of `width`."""

    def __init__(self, latent_dim: int, width: int):
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

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


class FullyConnectedDiscriminator(nn.Module):
    """Images `N×1×64×64` to logits `N×1×1×1` through two hidden layers of `width`."""

    def __init__(self, width: int):
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

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


class LocalConvolution(nn.Module):
    """A `convolution` with weights of its own at every place: `N×C×S×S` to `N×O×S'×S'`.

    It joins the same pixels and does as many multiply-adds, but no two places share a weight.
    The weights start at N(0, 0.02), as the DCGAN's do.
    """

    def __init__(self, convolution: nn.Conv2d, side: int):
        super().__init__()
        (kernel, _), (stride, _) = convolution.kernel_size, convolution.stride
        (padding, _) = (int(p) for p in convolution.padding)
        self.window = {"kernel_size": kernel, "stride": stride, "padding": padding}
        self.side = (side + 2 * padding - kernel) // stride + 1
        shape = self.side**2, convolution.out_channels, convolution.in_channels * kernel**2
        self.weight, self.bias = nn.Parameter(0.02 * torch.randn(shape)), convolution.bias

    def forward(self, maps: Tensor) -> Tensor:
        windows = unfold(maps, **self.window).permute(2, 1, 0)  # places × C·16 × N
        values = (self.weight @ windows).permute(2, 1, 0)
        values = values.unflatten(2, (self.side, self.side))
        return values if self.bias is None else values + self.bias[:, None, None]


class LocalTransposed(nn.Module):
    """The same of a transposed `convolution`: each place stamps with weights of its own."""

    def __init__(self, convolution: nn.ConvTranspose2d, side: int):
        super().__init__()
        (kernel, _), (stride, _) = convolution.kernel_size, convolution.stride
        (padding, _) = (int(p) for p in convolution.padding)
        self.window = {"kernel_size": kernel, "stride": stride, "padding": padding}
        self.side = (side - 1) * stride - 2 * padding + kernel
        shape = side**2, convolution.out_channels * kernel**2, convolution.in_channels
        self.weight, self.bias = nn.Parameter(0.02 * torch.randn(shape)), convolution.bias

    def forward(self, maps: Tensor) -> Tensor:
        stamps = (self.weight @ maps.flatten(2).permute(2, 1, 0)).permute(2, 1, 0)
        values = fold(stamps, (self.side, self.side), **self.window)
        return values if self.bias is None else values + self.bias[:, None, None]


LOCAL: dict[type[nn.Module], Any] = {
    nn.Conv2d: LocalConvolution,
    nn.ConvTranspose2d: LocalTransposed,
}


def share_no_weights(network: nn.Module, inputs: Tensor) -> None:
    """Replace each convolution of a network, in place, by one that shares no weights.

    The `inputs` (of any number, zeros will do) show how large the maps are before each.
    """
    sides: dict[nn.Module, int] = {}

    def note(layer: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        sides[layer] = arguments[0].shape[-1]

    layers = [layer for layer in network.modules() if type(layer) in LOCAL]
    hooks = [layer.register_forward_pre_hook(note) for layer in layers]
    with torch.no_grad():
        network.eval()(inputs)  # eval, so that batch norm learns nothing from them
    network.train()
    for hook in hooks:
        hook.remove()
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if layer in sides:
                setattr(parent, name, LOCAL[type(layer)](layer, sides[layer]))
