"""Notebooks 00 and 07: the losses, and one training step."""

import copy
import math
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

LN2 = math.log(2)


def bce(logits: Tensor, label: float) -> Tensor:
    """Mean binary cross-entropy of logits with one label."""
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


@exercise("00.1", "best", (1, 0.5, 0, LN2 / 2))
def best(answer: Any, draw: Random) -> None:
    """(D*(0.5), D*(1.5), D*(2.5), loss) for uniform densities on [0, 2] and [1, 3]."""
    *d, loss = numbers_of(answer, 4, "four numbers: D* at three points, and the loss")
    if close(d, [0, 0.5, 1], 0.01):
        raise NotYet("D* is the probability of *real*: at 0.5 there are only real numbers")
    for point, found, wanted in zip((0.5, 1.5, 2.5), d, (1, 0.5, 0), strict=True):
        if not abs(found - wanted) <= 0.01:
            hint = "both densities are positive and equal there" if point == 1.5 else ""
            hint = hint or "only one of the densities is positive there"
            raise NotYet(f"D*({point}) is not {found:g}. Hint: {hint}")
    causes = {
        LN2: "0.69 is the price inside the overlap; half of the examples lie there",
        -LN2: "that is V = -2 L; the loss is positive",
        -LN2 / 2: "the sign: a loss of probabilities is positive",
        0.5: "0.5 is how many lie in the overlap; each of them costs ln 2",
        LN2 / 4: "L has one ½ for each half of the examples; here it is counted twice",
        0.25: "log with base 2 and a half too many; the series takes natural logarithms",
    }
    if not abs(loss - LN2 / 2) <= 0.01:
        for value, cause in causes.items():
            require(not abs(loss - value) <= 0.01, cause)
        raise NotYet(f"the loss is not {loss:g}. Hint: which examples cost something, and what?")


def our_non_saturating(logits: Tensor) -> Tensor:
    return bce(logits, 1.0)


@exercise("00.2", "non_saturating", our_non_saturating)
def non_saturating(answer: Any, draw: Random) -> None:
    """`non_saturating(logits)`: the generator's loss, one number; finite at −200."""
    require_callable(answer, "non_saturating")
    logits = 3 * torch.randn(draw.randint(5, 9), 1)
    found = answer(logits.clone())
    require_tensor(found, "the loss")
    wanted = our_non_saturating(logits)
    if not close(found, wanted):
        minus = -logits
        mistakes = {
            "a sum over the batch; expected the mean": functional.softplus(minus).sum(),
            "one loss for each fake; expected their mean": functional.softplus(minus),
            "the minimax loss: its gradient vanishes where D is near 0": -bce(logits, 0.0),
            "this is the loss of label 0, which lowers the logits; fakes have the label 1 in the "
            "loss of G": bce(logits, 0.0),
            "the sign: minimised, this lowers D at the fakes": -wanted,
            "a sigmoid before BCEWithLogitsLoss, which has its own": bce(logits.sigmoid(), 1.0),
            "the mean of -D; the loss is -log D": -logits.sigmoid().mean(),
            "the logarithm of the mean; expected the mean of the logarithms": -logits.sigmoid()
            .mean()
            .log(),
        }
        for cause, value in mistakes.items():
            require(not close(found, value), cause)
        if found.numel() > 1:
            raise NotYet(f"the loss is {shape(found)}; expected one number")
        raise NotYet(f"the loss of some logits is {found.item():.3f}; expected {wanted:.3f}")
    extreme = torch.tensor([[-200.0]], requires_grad=True)
    far = answer(extreme)
    if not far.isfinite().all():
        raise NotYet("at a logit of -200 it is inf: the sigmoid is rounded to 0. Hint: logsigmoid")
    if not close(far, 200.0):
        raise NotYet(f"at a logit of -200 it is {far.item():g}, not 200: BCELoss ends at 100")
    require(far.requires_grad, "the loss has no gradient; leave out item(), detach() and no_grad()")
    (slope,) = torch.autograd.grad(far.sum(), extreme)
    require(close(slope, [[-1.0]]), f"the gradient at a logit of -200 is {slope.item():g}, not -1")


def our_discriminator_loss(discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    return (bce(discriminator(real), 1.0) + bce(discriminator(fake.detach()), 0.0)) / 2


class _Weights(nn.Module):
    """Both networks of a game that costs no time: one layer each."""

    def __init__(self, size: int, is_generator: bool):
        super().__init__()
        layer = nn.ConvTranspose2d(5, 1, size) if is_generator else nn.Conv2d(1, 1, size)
        self.layers = nn.Sequential(layer, nn.Tanh()) if is_generator else layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def _game(draw: Random) -> tuple[nn.Module, nn.Module, Tensor, Tensor]:
    """A generator, a discriminator, real images and noise."""
    size, count = draw.choice([4, 6]), draw.randint(4, 8)
    real = torch.randn(count, 1, size, size)
    return _Weights(size, True), _Weights(size, False), real, torch.randn(count, 5, 1, 1)


@exercise("07.1", "discriminator_loss", our_discriminator_loss)
def discriminator_loss(answer: Any, draw: Random) -> None:
    """`discriminator_loss(discriminator, real, fake)`: the mean of both halves, with detach."""
    require_callable(answer, "discriminator_loss")
    generator, discriminator, real, z = _game(draw)
    fake = generator(z)
    found = answer(discriminator, real, fake)
    require_tensor(found, "the loss")
    wanted = our_discriminator_loss(discriminator, real, fake)
    logits = discriminator(real), discriminator(fake)
    if not close(found, wanted):
        for_real, for_fake = bce(logits[0], 1.0), bce(logits[1], 0.0)
        squashed = bce(logits[0].sigmoid(), 1.0) + bce(logits[1].sigmoid(), 0.0)
        mistakes = {
            "twice too large: a coin toss costs ln 2, so the sum of both halves is divided by 2": 2
            * wanted,
            "the labels are swapped: real has 1, fake has 0": (
                bce(logits[0], 0.0) + bce(logits[1], 1.0)
            )
            / 2,
            "only the real half; the fakes are missing": for_real,
            "only the fake half; the real images are missing": for_fake,
            "both have the label 1; fakes have 0 in the loss of D": (for_real + bce(logits[1], 1.0))
            / 2,
            "a sigmoid before BCEWithLogitsLoss, which has its own": squashed / 2,
            "the sign: D minimises its loss": -wanted,
        }
        for cause, value in mistakes.items():
            require(not close(found, value), cause)
        if found.numel() > 1:
            raise NotYet(f"the loss is {shape(found)}; expected one number")
        raise NotYet(f"the loss of some images is {found.item():.3f}; expected {wanted:.3f}")
    require(found.requires_grad, "the loss has no gradient; leave out item() and no_grad()")
    found.backward()
    if any(p.grad is not None for p in generator.parameters()):
        raise NotYet("the gradient reaches the generator: fake.detach()")
    if any(p.grad is None for p in discriminator.parameters()):
        raise NotYet("no gradient reaches the discriminator: detach fakes, not logits")


def our_training_step(
    generator: Any, discriminator: Any, opt_gen: Any, opt_disc: Any, real: Tensor, z: Tensor
) -> tuple[float, float]:
    fake = generator(z)
    loss_disc = our_discriminator_loss(discriminator, real, fake)
    opt_disc.zero_grad()
    loss_disc.backward()
    opt_disc.step()

    loss_gen = bce(discriminator(fake), 1.0)
    opt_gen.zero_grad()
    loss_gen.backward()
    opt_gen.step()
    return loss_disc.item(), loss_gen.item()


def _variant(order: str) -> Callable[..., None]:
    """A step with a mistake: letters in the order of what is done.

    d, g: zero_grad of D's and G's optimiser; D, G: the loss and its backward pass; 1, 2: step of
    D's and of G's optimiser.
    """

    def step(generator: Any, discriminator: Any, gen: Any, disc: Any, real: Any, z: Any) -> None:
        def backward_of_g() -> None:
            bce(discriminator(generator(z)), 1.0).backward()

        def backward_of_d() -> None:
            our_discriminator_loss(discriminator, real, generator(z)).backward()

        does = {"d": disc.zero_grad, "g": gen.zero_grad, "D": backward_of_d, "G": backward_of_g}
        for letter in order:
            (does | {"1": disc.step, "2": gen.step})[letter]()

    return step


STEPS = {
    "D1G2": "gradients of earlier steps are added up: zero_grad() before each backward()",
    "D1gG2": "gradients of D are added up: opt_disc.zero_grad() before its backward()",
    "dD1G2": "gradients of G are added up: opt_gen.zero_grad() before its backward()",
    "gG2dD1": "G is updated first; the series updates D first",
    "dDgG12": "D takes its step after the backward pass of G, so with the gradient of G's loss too",
    "dDgG21": "D takes its step after the backward pass of G, so with the gradient of G's loss too",
    "dDgG1": "the weights of G have not changed: opt_gen.step()",
    "dD1gG": "the weights of G have not changed: opt_gen.step()",
    "gG2": "the weights of D have not changed: its loss, backward() and opt_disc.step()",
    "dD1": "the weights of G have not changed: its loss, backward() and opt_gen.step()",
    "dD1dG2": "gradients of G are added up: the second zero_grad() is that of opt_gen",
    "Dd1gG2": "zero_grad() comes after backward(), so D takes a step without a gradient",
    "dD1Gg2": "zero_grad() comes after backward(), so G takes a step without a gradient",
    "": "no weight has changed: each half is a loss, zero_grad(), backward() and step()",
}


@exercise("07.2", "training_step", our_training_step)
def training_step(answer: Any, draw: Random) -> None:
    """`training_step(generator, discriminator, opt_gen, opt_disc, real, z)`: both losses."""
    require_callable(answer, "training_step")
    generator, discriminator, real, z = _game(draw)
    batches = [(real, z), (torch.randn_like(real), torch.randn_like(z))]

    def weights_after(step: Callable[..., Any]) -> tuple[list[Any], Tensor]:
        game = copy.deepcopy((generator, discriminator))
        optimizers = [torch.optim.SGD(network.parameters(), 0.2) for network in game]
        returned = [step(*game, *optimizers, *batch) for batch in batches]
        weights = [p.detach().flatten() for network in game for p in network.parameters()]
        return returned, torch.cat(weights)

    returned, found = weights_after(answer)
    losses, wanted = weights_after(our_training_step)
    if not close(found, wanted, 1e-5):
        for order, cause in STEPS.items():
            require(not close(found, weights_after(_variant(order))[1], 1e-5), cause)
        raise NotYet("after two steps the weights differ from ours. Hint: labels, order, detach")
    if not isinstance(returned[0], tuple | list) or len(returned[0]) != 2:
        expected = "expected (loss of D, loss of G), two numbers"
        raise NotYet(f"the weights are right. The step returns {shown(returned[0])}; {expected}")
    if not all(close(list(map(float, a)), b) for a, b in zip(returned, losses, strict=True)):
        raise NotYet("the weights are right, the returned losses are not: (loss of D, loss of G)")
