"""Notebooks 02 and 04: sizes of layers, and what a convolution is."""

from collections.abc import Callable
from random import Random
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .verdicts import (
    NotYet,
    close,
    exercise,
    numbers_of,
    require,
    require_callable,
    require_tensor,
    shape,
    shown,
)


def our_conv_size(n: int, k: int, s: int, p: int) -> int:
    return (n + 2 * p - k) // s + 1


def our_transposed_size(n: int, k: int, s: int, p: int) -> int:
    return (n - 1) * s + k - 2 * p


def our_conv_matrix(kernel: Tensor, s: int, p: int, n: int) -> Tensor:
    units = torch.eye(n)[:, None]  # n×1×n: each row is one unit vector
    return functional.conv1d(units, kernel[None, None], stride=s, padding=p)[:, 0].T


CONV_MISTAKES: dict[Callable[..., Any], str] = {
    lambda n, k, s, p: (n + 2 * p - k) // s: "one too few: the first place counts too",
    lambda n, k, s, p: (n + 2 * p - k) / s + 1: "not a whole number: where the stride does not "
    "fit, the kernel has no place; round down with //",
    lambda n, k, s, p: -(-(n + 2 * p - k) // s) + 1: "rounded up: the kernel has no place beyond "
    "the end; round down with //",
    lambda n, k, s, p: (n + p - k) // s + 1: "padding lies at both ends: 2p",
    lambda n, k, s, p: (n - k) // s + 1: "the padding p is not used",
    lambda n, k, s, p: (n + 2 * p) // s + 1: "the kernel must lie inside the row: its last place "
    "begins at cell n + 2p - k",
    lambda n, k, s, p: (n + 2 * p - k) + 1: "the stride s is not used",
    our_transposed_size: "this is the size of a transposed convolution",
}
TRANSPOSED_MISTAKES: dict[Callable[..., Any], str] = {
    lambda n, k, s, p: (n - 1) * s + k + 2 * p: "padding is cut off here: minus 2p",
    lambda n, k, s, p: (n - 1) * s + k - p: "padding is cut off at both ends: 2p",
    lambda n, k, s, p: (n - 1) * s + k: "the padding p is not used",
    lambda n, k, s, p: n * s + k - 2 * p: "n stamps have n - 1 distances between them",
    lambda n, k, s, p: n * s: "right only where k = s + 2p; the last stamp has k cells",
    lambda n, k, s, p: (n - 1) * s - 2 * p: "the last stamp has k cells of its own",
    lambda n, k, s, p: (n - 1) * k - 2 * p: "stamps begin s cells after one another, not k",
    our_conv_size: "this is the size of a convolution",
}


def _check_size(
    answer: Any, draw: Random, name: str, right: Any, mistakes: dict[Callable[..., Any], str]
) -> None:
    require_callable(answer, name)
    # Among them strides that do not fit, and no padding at all.
    cases = [(8, 4, 2, 1), (9, 4, 3, 1), (5, 3, 1, 0)]
    for _ in range(20):
        k, s = draw.randint(3, 6), draw.randint(1, 4)
        cases.append((draw.randint(7, 20), k, s, draw.randint(0, (k - 1) // 2)))
    found = [answer(*case) for case in cases]
    for case, value in zip(cases, found, strict=True):
        if not isinstance(value, int | float | Tensor):
            raise NotYet(f"{name}{case} is {shown(value)}; expected a whole number")
    wrong = [x for x in zip(cases, found, strict=True) if not close(x[1], right(*x[0]))]
    if not wrong:
        return
    (n, k, s, p), value = wrong[0]
    told = f"{name}(n={n}, k={k}, s={s}, p={p}) is {shown(value)}; expected {right(n, k, s, p)}"
    for mistake, cause in mistakes.items():
        if all(close(x, mistake(*case)) for case, x in zip(cases, found, strict=True)):
            raise NotYet(f"{told}. Hint: {cause}")
    raise NotYet(f"{told}. Hint: draw this row, and count the places of the kernel")


@exercise("02.1", "conv_size", our_conv_size)
def conv_size(answer: Any, draw: Random) -> None:
    """`conv_size(n, k, s, p)`: the outputs of a convolution of n numbers."""
    _check_size(answer, draw, "conv_size", our_conv_size, CONV_MISTAKES)


@exercise("02.2", "transposed_size", our_transposed_size)
def transposed_size(answer: Any, draw: Random) -> None:
    """`transposed_size(n, k, s, p)`: the outputs of a transposed convolution of n numbers."""
    _check_size(answer, draw, "transposed_size", our_transposed_size, TRANSPOSED_MISTAKES)


@exercise("02.3", "conv_matrix", our_conv_matrix)
def conv_matrix(answer: Any, draw: Random) -> None:
    """`conv_matrix(kernel, s, p, n)`: the matrix A of a convolution, outputs × n."""
    require_callable(answer, "conv_matrix")
    for s, p in ((2, 1), (draw.randint(1, 3), draw.randint(1, 2))):
        n, kernel = draw.randint(7, 10), torch.randn(4)
        found, wanted = answer(kernel, s, p, n), our_conv_matrix(kernel, s, p, n)
        require_tensor(found, "the matrix")
        if close(found, wanted):
            continue
        mistakes = {
            "these are the columns of A as rows; transpose": wanted.T,
            "the kernel is turned around: PyTorch does not flip it": our_conv_matrix(
                kernel.flip(0), s, p, n
            ),
            "the padding p is not used": our_conv_matrix(kernel, s, 0, n),
            "the stride s is not used": our_conv_matrix(kernel, 1, p, n),
        }
        for cause, matrix in mistakes.items():
            require(not close(found, matrix), cause)
        if found.shape != wanted.shape:
            raise NotYet(f"the matrix is {shape(found)}; expected outputs × n, {shape(wanted)}")
        column = int((found - wanted).abs().sum(0).argmax())
        raise NotYet(f"column {column} is not the convolution of the unit vector {column}")


@exercise("04.1", "patch", 46)
def patch(answer: Any, draw: Random) -> None:
    """The side of the receptive field of a number of the last 4×4 maps, in pixels."""
    (side,) = numbers_of(answer, 1, "one number, the side of the patch")
    causes = {
        13.0: "13 is right for stride 1; each stride doubles what lies before: (r - 1)s + k",
        94.0: "94 is what the logit sees: the vote is a fifth layer",
        22.0: "22 is what three layers see; between the image and the 4×4 maps there are four",
        64.0: "64 is a patch with the distances counted once too often: r cells have r - 1",
        16.0: "16 pixels lie between neighbours' patches, which overlap",
        10.0: "10 is what two layers see; between the image and the 4×4 maps there are four",
        2116.0: "that is the area; expected the side",
    }
    if side != 46:
        begin = "begin with r = 1 at the last maps, and go back through four layers"
        raise NotYet(causes.get(side, f"{side:g} is not the side. Hint: {begin}"))


class _Judge(nn.Module):
    """A discriminator that costs no time: a convolution, a LeakyReLU, a vote."""

    def __init__(self, size: int):
        super().__init__()
        self.maps = nn.Sequential(nn.Conv2d(1, 3, 4, 2, 1), nn.LeakyReLU(0.2))
        self.vote = nn.Conv2d(3, 1, size // 2)

    def forward(self, images: Tensor) -> Tensor:
        return self.vote(self.maps(images))


def our_loss_gradient(discriminator: nn.Module, fakes: Tensor) -> Tensor:
    fakes = fakes.detach().requires_grad_()
    loss = -functional.logsigmoid(discriminator(fakes)).sum()
    return torch.autograd.grad(loss, fakes)[0]


@exercise("04.2", "loss_gradient", our_loss_gradient)
def loss_gradient(answer: Any, draw: Random) -> None:
    """`loss_gradient(discriminator, fakes)`: the gradient of each fake's -log D at its pixels."""
    require_callable(answer, "loss_gradient")
    size, count = draw.choice([8, 16]), draw.randint(3, 6)
    judge, fakes = _Judge(size), torch.randn(count, 1, size, size)
    found = answer(judge, fakes.clone())
    wanted = our_loss_gradient(judge, fakes)
    require_tensor(found, "the gradient")
    if found.shape != fakes.shape:
        raise NotYet(f"the gradient is {shape(found)}; expected that of the fakes, {shape(fakes)}")
    if close(found, wanted, 1e-5):
        return
    leaf = fakes.clone().requires_grad_()
    (rising,) = torch.autograd.grad(judge(leaf).sum(), leaf)
    d = judge(fakes).sigmoid().detach()
    mistakes = {
        "the sign is that of log D; the loss is -log D": -wanted,
        "this is the gradient of the logit; the loss is -log D": rising,
        "this is the gradient of the logit, turned; the factor 1 - D is missing": -rising,
        "this is the gradient of D; the loss is -log D": rising * d * (1 - d),
        "a mean over the batch divides each fake's gradient by N; take the sum": wanted / count,
        "this is the gradient of -log(1 - D), the loss of label 0": rising * d,
    }
    for cause, gradient in mistakes.items():
        require(not close(found, gradient, 1e-5), cause)
    raise NotYet("other values. Hint: -log D is -logsigmoid(logit), and grad takes a sum")
