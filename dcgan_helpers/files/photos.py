"""Digits on patches of photographs, in colour: the data set `mnist-photos`.

Made as MNIST-M was (Ganin et al. 2016, arXiv 1505.07818, section 5.2.2), which it is not: MNIST-M
takes its patches from the 500 photographs of BSDS500, this from the two that scikit-learn ships.
"""

from functools import cache

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as transforms

PATCH = 64
"""Height and width of a patch in pixels of a photograph."""
ROWS, COLUMNS = 4, 5
"""Blocks that a photograph is cut into; a patch lies within one of them."""


@cache
def blocks(held_out: bool = False) -> list[Tensor]:
    """Parts of the photographs, `uint8` `3×106×128`: those for held-out images or the others.

    One block in each row and about one in each column is held out, so that both have seen
    each kind of thing: sky, water, trees, roofs, leaves, petals.
    """
    from sklearn.datasets import load_sample_images  # here, because few data sets want it

    found = []
    for photograph in load_sample_images().images:
        pixels = torch.from_numpy(photograph.copy()).permute(2, 0, 1)
        height, width = pixels.shape[1] // ROWS, pixels.shape[2] // COLUMNS
        for row in range(ROWS):
            for column in range(COLUMNS):
                if ((2 * row + column) % COLUMNS == 0) == held_out:
                    y, x = row * height, column * width
                    found.append(pixels[:, y : y + height, x : x + width])
    return found


def patches(count: int, held_out: bool = False, seed: int = 0) -> Tensor:
    """`count` patches, `uint8` `N×3×64×64`, each at random in a block drawn at random."""
    parts, random = blocks(held_out), torch.Generator().manual_seed(seed)
    cut = []
    for chosen in torch.randint(len(parts), (count,), generator=random).tolist():
        free = [size - PATCH + 1 for size in parts[chosen].shape[1:]]
        y, x = (int(torch.randint(n, (1,), generator=random)) for n in free)
        cut.append(parts[chosen][:, y : y + PATCH, x : x + PATCH])
    return torch.stack(cut)


def blend(digits: Tensor, held_out: bool = False) -> Tensor:
    """Grey digits `uint8` `N×1×S×S` on patches, `N×3×S×S`: |digit - patch| in each channel.

    So the patch is left where there is no stroke, and is turned into its negative where the
    stroke is white. The same digits get the same patches each time.
    """
    size = list(digits.shape[-2:])
    behind = transforms.resize(patches(len(digits), held_out), size, antialias=True)
    return (digits.short() - behind.short()).abs().to(torch.uint8)
