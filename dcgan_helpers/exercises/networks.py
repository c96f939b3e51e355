"""Notebooks 03, 05 and 13: lines of the two networks."""

from itertools import pairwise
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from ..networks import Generator
from ..networks import initialize_weights as our_initialize_weights
from .verdicts import (
    NotAnswered,
    NotYet,
    close,
    exercise,
    is_open,
    require,
    require_callable,
    require_tensor,
    shape,
    shown,
)

CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


def our_up_block(in_channels: int, out_channels: int, stride: int, padding: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(in_channels, out_channels, 4, stride, padding, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )


def _require_module(found: Any, what: str) -> None:
    if isinstance(found, list | tuple):
        raise NotYet(f"{what} is a {type(found).__name__}; put the layers into nn.Sequential(...)")
    require(found is not None, f"{what} is None; a return is missing")
    expected = "expected an nn.Module, such as an nn.Sequential"
    require(isinstance(found, nn.Module), f"{what} is {shown(found)}; {expected}")


@exercise("03.1", "up_block", our_up_block)
def up_block(answer: Any, draw: Random) -> None:
    """`up_block(in_channels, out_channels, stride, padding)`, a module."""
    require_callable(answer, "up_block")
    wide, narrow = draw.sample(range(3, 12), 2)
    for side, stride, padding in ((8, 2, 1), (5, 1, 0)):
        block, x = answer(wide, narrow, stride, padding), torch.randn(5, wide, side, side)
        _require_module(block, "the block")
        kinds = [m for m in block.modules() if not list(m.children())]
        found = [m for m in kinds if isinstance(m, nn.ConvTranspose2d)]
        if not found:
            has = "a Conv2d, which halves a size" if _has(block, nn.Conv2d) else "no convolution"
            raise NotYet(f"there is {has}; expected nn.ConvTranspose2d, which doubles it")
        convolution = found[0]
        y, wanted = block(x), our_up_block(wide, narrow, stride, padding)(x)
        if y.shape[2:] != wanted.shape[2:]:
            became = f"{side}×{side} became {y.shape[2]}×{y.shape[3]}"
            hint = "hand kernel 4, stride and padding on to the layer"
            if convolution.padding == (0, 0) and padding:
                hint = "the layer does not get the padding"
            elif convolution.stride != (stride, stride):
                hint = "the layer does not get the stride"
            raise NotYet(f"{became}; expected {wanted.shape[2]}×{wanted.shape[3]}. Hint: {hint}")
        if y.shape != wanted.shape:
            raise NotYet(f"the maps are {shape(y)}; expected {shape(wanted)}")
        require(convolution.kernel_size == (4, 4), "the kernel has another size than 4")
        lost = "batch normalisation subtracts any bias again: bias=False"
        if not _has(block, nn.BatchNorm2d):
            raise NotYet("there is no batch normalisation: nn.BatchNorm2d(out_channels)")
        require(convolution.bias is None, lost)
        norm = next(m for m in kinds if isinstance(m, nn.BatchNorm2d))
        right = nn.functional.relu(norm(convolution(x)))
        if close(y, right, 1e-3):
            first = next(block.children())
            place = "the first layer of the nn.Sequential is not the transposed convolution"
            require(isinstance(block, nn.Sequential) and first is convolution, place)
            continue
        if close(y, norm(convolution(x).relu()), 1e-3):
            raise NotYet("the ReLU comes before batch norm, whose output has negative values again")
        if close(y, norm(convolution(x)), 1e-3):
            raise NotYet("there is no ReLU after batch norm")
        if y.min() < 0:
            raise NotYet(f"values fall to {y.min():.2f}; a ReLU as the last layer sets them to 0")
        raise NotYet("the order is another: transposed convolution, batch norm, ReLU")


def _has(block: nn.Module, kind: type[nn.Module]) -> bool:
    return any(isinstance(module, kind) for module in block.modules())


def our_with_output_norm(generator: Any) -> nn.Sequential:
    return nn.Sequential(*generator.layers[:-1], nn.BatchNorm2d(1), nn.Tanh())


@exercise("03.2", "with_output_norm", our_with_output_norm)
def with_output_norm(answer: Any, draw: Random) -> None:
    """`with_output_norm(generator)`: its layers with a batch norm before the Tanh."""
    require_callable(answer, "with_output_norm")
    generator = Generator(features=draw.choice([2, 3]), latent_dim=draw.randint(10, 30))
    network = answer(generator)
    _require_module(network, "the network")
    batches = [torch.randn(8, generator.latent_dim, 1, 1) for _ in range(2)]
    one, two = (network(z) for z in batches)
    if one.shape != (8, 1, 64, 64):
        raise NotYet(f"the images are {shape(one)}; expected 8×1×64×64")
    require(one.abs().max() <= 1, "pixels leave [-1, 1]: the norm, not the Tanh, comes last")
    means = [x.clamp(-0.999999, 0.999999).atanh().mean().item() for x in (one, two)]
    if max(map(abs, means)) < 1e-3:
        return
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    if len(norms) == 4:
        raise NotYet("the generator is unchanged: no batch norm before the Tanh")
    told = f"the means of two batches before the Tanh are {means[0]:.3f} and {means[1]:.3f}, not 0"
    raise NotYet(f"{told}. Hint: the norm comes after the last transposed convolution")


class _Nested(nn.Module):
    """A network with layers of its own and layers inside blocks."""

    def __init__(self, f: int):
        super().__init__()
        self.first = nn.Conv2d(3, 16 * f, 4, bias=False)
        self.blocks = nn.Sequential(our_up_block(16 * f, 16 * f, 2, 1), nn.BatchNorm2d(400))
        self.last = nn.Conv2d(16 * f, 16, 4)


@exercise("05.1", "initialize_weights", our_initialize_weights)
def initialize_weights(answer: Any, draw: Random) -> None:
    """`initialize_weights(network)`: the DCGAN paper's starting weights, in place."""
    require_callable(answer, "initialize_weights")
    network = _Nested(draw.choice([2, 3]))
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:  # so that it is seen who sets the shift to 0
        nn.init.ones_(norm.bias)
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    answer(network)
    changed = {n for n, p in network.named_parameters() if not torch.equal(p, before[n])}
    if not changed:
        raise NotYet("no weight has changed. Hint: nn.init.normal_ changes a weight in place")
    inside = {name for name in changed if name.startswith("blocks")}
    if not inside:
        raise NotYet("only the outer layers changed: modules() finds layers inside blocks")
    for name, layer in network.named_modules():
        if isinstance(layer, CONVOLUTIONS):
            kind = type(layer).__name__
            require(f"{name}.weight" in changed, f"weights of {kind} have not changed")
            _require_normal(layer.weight, 0.0, f"the weights of {kind}")
    scales = torch.cat([norm.weight.detach() for norm in norms])
    _require_normal(scales, 1.0, "the scales of batch norm")
    for norm in norms:
        require(not norm.bias.any(), "the shifts of batch norm are not 0: nn.init.zeros_")


def _require_normal(weight: Tensor, mean: float, what: str) -> None:
    """Raise NotYet unless weights look like draws from N(mean, 0.02)."""
    is_at, std = weight.mean().item(), weight.std().item()
    if mean and abs(is_at) < 0.1:
        raise NotYet(f"{what} have the mean 0, so hardly any signal passes; their mean is 1")
    require(abs(is_at - mean) < 0.005, f"{what} have the mean {is_at:.3f}; expected {mean:g}")
    require(std > 1e-6, f"{what} are all equal; draw them with the deviation 0.02")
    if std < 0.001:
        raise NotYet(f"{what} have the deviation {std:.4f}: 0.02 is a deviation, not a variance")
    if abs(std - 0.02**0.5) < 0.02:
        raise NotYet(f"{what} have the deviation {std:.2f}, √0.02: normal_ takes the deviation")
    require(abs(std - 0.02) < 0.003, f"{what} have the deviation {std:.3f}; expected 0.02")
    farthest = (weight - mean).abs().max().item()
    require(farthest > 0.04, f"{what} end at ±{farthest:.3f}: a uniform draw, not a normal one")


class OurClassGenerator(Generator):
    """The generator of notebook 03, whose input is noise and a class."""

    def __init__(self, latent_dim: int, count: int, **sizes: Any):
        super().__init__(latent_dim + count, **sizes)
        self.count = count

    def forward(self, z: Tensor, classes: Tensor | None = None) -> Tensor:
        assert classes is not None
        one_hot = nn.functional.one_hot(classes, self.count)[:, :, None, None]
        return super().forward(torch.cat([z, one_hot], dim=1))


@exercise("13.1", "ClassGenerator", OurClassGenerator)
def class_generator(answer: Any, draw: Random) -> None:
    """`ClassGenerator(latent_dim, count, **sizes)`: its forward takes noise and classes."""
    require(isinstance(answer, type), f"ClassGenerator is {shown(answer)}; expected a class")
    require(issubclass(answer, Generator), "ClassGenerator does not inherit from Generator")
    if is_open(vars(answer).get("forward")) or is_open(vars(answer).get("__init__")):
        raise NotAnswered
    d, count = draw.randint(8, 20), draw.choice([5, 7, 10])
    network = answer(d, count, features=2)
    if "_modules" not in vars(network):
        raise NotYet("the parts of an nn.Module are missing: call super().__init__(...) first")
    first = next((m for m in network.modules() if isinstance(m, nn.ConvTranspose2d)), None)
    if first is None:
        raise NotYet("there is no transposed convolution; inherit from Generator")
    seen: list[Tensor] = []
    first.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    z, classes = torch.randn(6, d, 1, 1), torch.randint(count, (6,))
    classes[:2] = torch.tensor([0, count - 1])
    try:
        images = network(z, classes)
    except (ValueError, RuntimeError) as error:
        got = str(error)
        if "received" in got and "×" not in got.rpartition("received N×")[2]:
            raise NotYet(f"{got}. Hint: noise and class must be N×{count}×1×1 each") from None
        if "same number of dimensions" in got or "Tensors must have" in got:
            hint = f"the one-hot vectors are N×{count}, but must be N×{count}×1×1"
            raise NotYet(f"{hint}: [:, :, None, None]") from None
        raise
    require_tensor(images, "the fake")
    require(images.shape == (6, 1, 64, 64), f"the images are {shape(images)}; expected 6×1×64×64")
    given = seen[0]
    if given.shape[1] == d + 1:
        raise NotYet("one number for the class says that a 4 lies between 3 and 5: one-hot")
    if given.shape[1] != d + count:
        raise NotYet(f"the first layer sees {given.shape[1]} channels; expected {d} + {count}")
    one_hot = nn.functional.one_hot(classes, count)[:, :, None, None].float()
    if close(given, torch.cat([z, one_hot], dim=1)):
        return
    if close(given, torch.cat([one_hot, z], dim=1)):
        raise NotYet("the class comes before the noise; the series puts it after")
    if not close(given[:, :d], z):
        raise NotYet(f"the first {d} channels are not the noise")
    if all(close(a, b) for a, b in pairwise(given[:, d:])):
        raise NotYet("all images get the same class")
    raise NotYet(f"after the noise, each image needs 1 at its class's place of {count}, else 0")
