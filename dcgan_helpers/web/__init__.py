"""A run's generator as one file for the page that draws (`docs/draw`).

The file is JavaScript in UTF-16: a call that hands over a checksum, a list of layers as JSON, and
the weights, a character for each 16-bit number. A browser reads such a file everywhere, also from
a stick, where it may not fetch others; and it is no larger than the numbers themselves.
"""

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .. import InputError
from ..networks import Generator, draw_classes, generate
from ..run_folder import atomic, load_generator

SURROGATES = range(0xD800, 0xE000)
"""What is no character in UTF-16, and as a 16-bit number lies between -512 and -128."""
FAKES, FITTED = 5000, 4000
"""Fakes that are drawn to find directions, and those of them that the fit sees."""


def slant(images: Tensor) -> Tensor:
    """How far images `N×C×S×S` in [-1, 1] lean to the right: the slope of their strokes, `N`.

    The ratio of two moments of the ink, as in notebook 10; 0 where there is no ink.
    """
    ink = (images.mean(dim=1) + 1) / 2
    total = ink.sum(dim=(1, 2), keepdim=True).clamp(min=1e-6)
    y, x = torch.meshgrid(*[torch.arange(float(images.shape[-1]))] * 2, indexing="ij")
    y = y - (ink * y).sum(dim=(1, 2), keepdim=True) / total
    x = x - (ink * x).sum(dim=(1, 2), keepdim=True) / total
    return -(ink * x * y).sum(dim=(1, 2)) / (ink * y * y).sum(dim=(1, 2)).clamp(min=1e-6)


def thickness(images: Tensor) -> Tensor:
    """How much ink images `N×C×S×S` in [-1, 1] have: their mean brightness in [0, 1], `N`."""
    return (images.mean(dim=(1, 2, 3)) + 1) / 2


ATTRIBUTES = {"slant": slant, "thickness": thickness}


def directions(generator: Generator) -> dict[str, Tensor]:
    """For each attribute the direction in which it grows: unit vectors of `latent_dim` numbers.

    Least squares on fakes, as in notebook 10. Of a generator with classes, each class has a
    constant of its own, so that the noise has to explain the differences within classes only.
    """
    random = torch.Generator().manual_seed(1)
    z = torch.randn(FAKES, generator.latent_dim, generator=random)[:FITTED]
    classes = draw_classes(generator, FAKES, seed=1)
    images = generate(generator, FAKES, seed=1, classes=classes)[:FITTED]
    if classes is None:
        constants = torch.ones(FITTED, 1)
    else:
        constants = nn.functional.one_hot(classes[:FITTED], generator.classes).float()
    inputs = torch.cat([z, constants], dim=1)
    found = {}
    for name, measure in ATTRIBUTES.items():
        # This driver also copes with a class that has no fakes.
        fit = torch.linalg.lstsq(inputs, measure(images)[:, None], driver="gelsd")
        found[name] = nn.functional.normalize(fit.solution[: generator.latent_dim, 0], dim=0)
    return found


def layers(generator: Generator) -> list[dict[str, Any]]:
    """The generator's layers in order: their kind, what the page must know, and their tensors."""
    found: list[dict[str, Any]] = []
    for module in generator.layers.modules():
        layer: dict[str, Any] = {"kind": type(module).__name__}
        if isinstance(module, nn.Sequential):
            continue
        if isinstance(module, nn.ConvTranspose2d):
            layer |= {"stride": module.stride[0], "padding": module.padding[0]}
        elif isinstance(module, nn.BatchNorm2d):
            layer["epsilon"] = module.eps
        state = module.state_dict()
        state.pop("num_batches_tracked", None)
        found.append(layer | {"tensors": state})
    return found


def export(run_dir: str | Path, output: Path) -> Path:
    """Write a run's generator and its directions as FILE.js; returns `output`.

    Raises InputError for another name, for a folder that is missing, and for weights that
    cannot be written in 16 bits.
    """
    if output.suffix != ".js" or not output.parent.is_dir():
        raise InputError(f"--output is {output}; expected FILE.js in a folder that is there")
    generator = load_generator(run_dir)
    found, ways = layers(generator), directions(generator)
    tensors = [tensor for layer in found for tensor in layer["tensors"].values()]
    header = {
        "latentDim": generator.latent_dim,
        "classes": generator.classes,
        "directions": list(ways),
        "layers": [
            layer | {"tensors": {name: list(t.shape) for name, t in layer["tensors"].items()}}
            for layer in found
        ],
    }
    with atomic(output) as temporary:
        temporary.write_bytes(as_script(json.dumps(header), [*tensors, *ways.values()]))
    return output


def as_script(header: str, tensors: list[Tensor]) -> bytes:
    """A script that hands a header and numbers to the page's `receiveWeights`.

    Raises InputError for numbers that have no 16-bit character.
    """
    numbers = torch.cat([tensor.detach().float().flatten() for tensor in tensors]).numpy()
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused
        halves = numbers.astype("<f2")
    bits = halves.view("<u2")
    refused = ~np.isfinite(halves) | ((bits >= SURROGATES.start) & (bits < SURROGATES.stop))
    if refused.any():
        value = float(numbers[refused][0])
        raise InputError(f"a weight is {value:g}; expected numbers above -128 and below 65,504")
    data = bits.tobytes().decode("utf-16-le")
    checksum = zlib.crc32((header + data).encode("utf-16-le"))
    for character, written in (("\\", "\\\\"), ("'", "\\'"), ("\n", "\\n"), ("\r", "\\r")):
        data = data.replace(character, written)
    comment = "// Made by `python -m dcgan_helpers export RUN --web`; dcgan_helpers/web says how."
    # The mark of UTF-16 at the start outweighs whatever a server says about the file.
    return f"{comment}\nreceiveWeights({checksum},\n'{header}',\n'{data}');\n".encode("utf-16")
