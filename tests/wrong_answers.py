"""Typical wrong answers to the exercises, each with a part of the message that it must get."""

import math

import pandas as pd
import torch
from torch import nn
from torch.nn import functional

from dcgan_helpers.exercises import EXERCISES
from dcgan_helpers.exercises.losses import bce
from dcgan_helpers.exercises.losses import our_discriminator_loss as right_loss
from dcgan_helpers.networks import Generator

OURS = {number: exercise.ours for number, exercise in EXERCISES.items()}
HALF = math.log(2) / 2


def block(*layers):
    """An answer to 03.1 that ignores nothing; layers take in, out, stride and padding."""
    return lambda *sizes: nn.Sequential(*(layer(*sizes) for layer in layers))


def conv(i, o, s, p):
    return nn.ConvTranspose2d(i, o, 4, s, p, bias=False)


def norm(i, o, s, p):
    return nn.BatchNorm2d(o)


def relu(i, o, s, p):
    return nn.ReLU()


def normed(change):
    """An answer to 03.2 whose layers are changed."""
    return lambda generator: nn.Sequential(*change(list(generator.layers)))


def initialize(kinds=(nn.Conv2d, nn.ConvTranspose2d), std=0.02, mean=1.0, shift=0.0, **how):
    """An answer to 05.1 with a mistake."""

    def answer(network):
        for module in getattr(network, how.get("modules", "modules"))():
            if isinstance(module, kinds):
                how.get("draw", nn.init.normal_)(module.weight, 0.0, std)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, mean, how.get("norm_std", std))
                nn.init.constant_(module.bias, shift)

    return answer


def step(order, detach=True):
    """An answer to 07.2: D and G in a wrong order."""

    def answer(generator, discriminator, opt_gen, opt_disc, real, z):
        fake = generator(z)
        shown = fake.detach() if detach else fake
        does = {
            "d": opt_disc.zero_grad,
            "g": opt_gen.zero_grad,
            "D": lambda: (
                (bce(discriminator(real), 1.0) + bce(discriminator(shown), 0.0)) / 2
            ).backward(),
            "G": lambda: bce(discriminator(fake), 1.0).backward(),
            "1": opt_disc.step,
            "2": opt_gen.step,
        }
        for letter in order:
            does[letter]()
        return 0.0, 0.0

    return answer


def returns_nothing(*game):
    OURS["07.2"](*game)


def returns_tensors_swapped(*game):
    return OURS["07.2"](*game)[::-1]


def halves(real_label, fake_label, detach=True):
    """An answer to 07.1 with other labels."""

    def answer(discriminator, real, fake):
        fake = fake.detach() if detach else fake
        return (bce(discriminator(real), real_label) + bce(discriminator(fake), fake_label)) / 2

    return answer


def no_grad_loss(discriminator, real, fake):
    with torch.no_grad():
        return right_loss(discriminator, real, fake)


def frechet(root, distance=lambda m: m.square().sum(), factor=2):
    """An answer to 08.1 with another root, distance or factor."""
    return lambda a, c, b, d: distance(a - b) + c.trace() + d.trace() - factor * root(c, d)


def root_of_product(c, d):
    return torch.linalg.eigvals(c @ d).real.clamp(min=0).sqrt().sum()


def root(matrix):
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag(values.sqrt()) @ vectors.T


def table(*rows):
    return pd.DataFrame(rows, columns=["choice", "seed", "fid"])


USUAL = [("usual", 1, 9.0), ("usual", 2, 9.5), ("usual", 3, 8.8)]
OWN = [("mine", 1, 8.0), ("mine", 2, 9.1), ("mine", 3, 8.9)]
RIGHT = dict(OURS, **{"09.1": table(*USUAL, *OWN)})


def careless_slerp(a, b, t):
    omega = functional.cosine_similarity(a, b, dim=-1)[..., None].clamp(-1, 1).arccos()
    return (((1 - t) * omega).sin() * a + (t * omega).sin() * b) / omega.sin()


def all_or_none_slerp(a, b, t):
    near = (functional.cosine_similarity(a, b, dim=-1) > 0.999999).any()
    return (1 - t) * a + t * b if near else careless_slerp(a, b, t)


def row_slerp(a, b, t):  # breaks for a column of t
    cosine = (functional.normalize(a, dim=0) * functional.normalize(b, dim=0)).sum()
    if a.dim() == 1:
        omega = cosine.arccos()
        return ((1 - t) * omega).sin()[0] / omega.sin() * a + (t * omega).sin()[0] * b
    return OURS["10.1"](a, b, t)


def whole_batch_slerp(a, b, t):
    omega = ((a * b).sum() / a.norm() / b.norm()).arccos()
    return (((1 - t) * omega).sin() * a + (t * omega).sin() * b) / omega.sin()


def counted(modes=None, kl=None):
    """An answer to 11.1 with one wrong part."""

    def answer(kinds, known):
        right = OURS["11.1"](kinds, known)
        shares = kinds.bincount(minlength=known).double() / len(kinds)
        return (modes(kinds) if modes else right[0], kl(shares, known) if kl else right[1])

    return answer


def conditional(code, extra=None):
    """An answer to 13.1; `code` makes what is put after the noise."""

    class ClassGenerator(Generator):
        def __init__(self, latent_dim, count, **sizes):
            super().__init__(latent_dim + (count if extra is None else extra), **sizes)
            self.count = count

        def forward(self, z, classes):
            return super().forward(torch.cat([z, code(classes, self.count)], dim=1))

    return ClassGenerator


class WithoutSuper(Generator):
    def __init__(self, latent_dim, count, **sizes):
        self.count = count

    def forward(self, z, classes):
        return self.layers(z)


class IgnoresClass(Generator):
    def __init__(self, latent_dim, count, **sizes):
        super().__init__(latent_dim, **sizes)

    def forward(self, z, classes):
        return super().forward(z)


def one_hot(classes, count):
    return functional.one_hot(classes, count)


def endless(*_, **__):
    while True:
        pass


WRONG = {
    "00.1": [
        ((1, 0.5, 0, 0.69), "half of the examples lie there"),
        ((0, 0.5, 1, HALF), "probability of *real*"),
        ((1, 0.25, 0, HALF), "both densities are positive"),
        ((1, 0.5, 0, -HALF), "the sign"),
        ((1, 0.5, 0, -2 * HALF), "V = -2 L"),
        ((1, 0.5, 0), "four numbers"),
        ((1, 0.5, 0, math.nan), "the loss is not nan"),
        ((1, 0.5, 0, 0.2), "which examples cost something"),
    ],
    "00.2": [
        (lambda x: torch.log(1 - x.sigmoid()).mean(), "the minimax loss"),
        (lambda x: -torch.log(x.sigmoid()).mean(), "inf: the sigmoid is rounded to 0"),
        (lambda x: nn.BCELoss()(x.sigmoid(), torch.ones_like(x)), "BCELoss ends at 100"),
        (lambda x: -functional.logsigmoid(x).sum(), "a sum over the batch"),
        (lambda x: -functional.logsigmoid(x), "one loss for each fake"),
        (lambda x: functional.logsigmoid(x).mean(), "the sign"),
        (lambda x: bce(x, 0.0), "the loss of label 0"),
        (lambda x: bce(x, 1.0).detach(), "has no gradient"),
        (lambda x: bce(x, 1.0).item(), "expected a tensor"),
    ],
    "02.1": [
        (lambda n, k, s, p: (n + 2 * p - k) // s, "the first place counts too"),
        (lambda n, k, s, p: (n + 2 * p - k) / s + 1, "round down"),
        (lambda n, k, s, p: (n + p - k) // s + 1, "both ends: 2p"),
        (lambda n, k, s, p: (n - 1) * s + k - 2 * p, "transposed convolution"),
        (lambda n, k, s, p: (n - k) // s + 1, "the padding p is not used"),
        (lambda n, k, s, p: n, "draw this row"),
    ],
    "02.2": [
        (lambda n, k, s, p: (n - 1) * s + k + 2 * p, "padding is cut off here"),
        (lambda n, k, s, p: n * s + k - 2 * p, "n - 1 distances"),
        (lambda n, k, s, p: (n + 2 * p - k) // s + 1, "the size of a convolution"),
        (lambda n, k, s, p: (n - 1) * s - 2 * p, "k cells of its own"),
        (lambda n, k, s, p: n * s, "right only where"),
        (lambda n, k, s, p: "16", "expected a whole number"),
    ],
    "02.3": [
        (lambda *x: OURS["02.3"](*x).T, "transpose"),
        (lambda k, *x: OURS["02.3"](k.flip(0), *x), "does not flip"),
        (lambda k, s, p, n: OURS["02.3"](k, s, 0, n), "the padding p is not used"),
        (lambda k, s, p, n: OURS["02.3"](k, 1, p, n), "the stride s is not used"),
        (lambda *x: 2 * OURS["02.3"](*x), "of the unit vector"),
        (lambda k, s, p, n: torch.zeros(2, 2), "expected outputs × n"),
    ],
    "03.1": [
        (block(conv, relu, norm), "the ReLU comes before batch norm"),
        (block(lambda i, o, s, p: nn.ConvTranspose2d(i, o, 4, s, p), norm, relu), "any bias again"),
        (block(lambda i, o, s, p: conv(i, o, s, 0), norm, relu), "8×8 became 18×18"),
        (block(conv, relu), "there is no batch normalisation"),
        (block(conv, norm), "there is no ReLU"),
        (block(lambda i, o, s, p: nn.Conv2d(i, o, 4, s, p), norm, relu), "a Conv2d"),
        (lambda *x: [conv(*x), norm(*x), relu(*x)], "put the layers into nn.Sequential"),
        (block(lambda i, o, s, p: conv(i, o, 2, p), norm, relu), "does not get the stride"),
        (block(conv, norm, lambda *_: nn.LeakyReLU(0.2)), "a ReLU as the last layer"),
        (lambda *x: OURS["03.1"](*x).to("meta"), "the device meta"),
        (lambda *x: nn.Sequential(OURS["03.1"](*x)), "the first layer of the nn.Sequential"),
    ],
    "03.2": [
        (normed(lambda x: x), "no batch norm before the Tanh"),
        (normed(lambda x: [*x, nn.BatchNorm2d(1)]), "pixels leave [-1, 1]"),
        (normed(lambda x: [*x[:-1], nn.BatchNorm2d(1)]), "pixels leave [-1, 1]"),
        (normed(lambda x: [*x[:-2], nn.BatchNorm2d(7), *x[-2:]]), "your code raises"),
        (lambda generator: list(generator.layers), "put the layers into nn.Sequential"),
        (normed(lambda x: x[:-2]), "the images are"),
    ],
    "04.1": [
        (13, "each stride doubles"),
        (94, "a fifth layer"),
        (22, "three layers"),
        (45, "begin with r = 1"),
        (46 * 46, "the area"),
    ],
    "04.2": [
        (lambda d, x: -OURS["04.2"](d, x), "the sign is that of log D"),
        (
            lambda d, x: torch.autograd.grad(d(x.requires_grad_()).sum(), x)[0],
            "gradient of the logit; the loss",
        ),
        (
            lambda d, x: torch.autograd.grad(-d(x.requires_grad_()).sum(), x)[0],
            "the factor 1 - D is missing",
        ),
        (lambda d, x: OURS["04.2"](d, x) / len(x), "divides each fake's gradient"),
        (lambda d, x: OURS["04.2"](d, x)[0], "expected that of the fakes"),
        (
            lambda d, x: torch.autograd.grad(d(x.requires_grad_()).sigmoid().sum(), x)[0],
            "gradient of D; the loss",
        ),
        (lambda d, x: torch.autograd.grad(d(x).sum(), x)[0], "your code raises"),
    ],
    "05.1": [
        (initialize(mean=0.0), "have the mean 0"),
        (initialize(std=0.02**2), "not a variance"),
        (initialize(std=0.02**0.5), "√0.02"),
        (initialize(modules="children"), "modules() finds layers inside blocks"),
        (initialize(kinds=(nn.Conv2d,)), "weights of ConvTranspose2d have not changed"),
        (initialize(shift=1.0), "shifts of batch norm"),
        (initialize(kinds=(nn.Linear,), modules="children"), "no weight has changed"),
        (initialize(norm_std=0.0), "all equal"),
        (
            initialize(draw=lambda w, mean, std: nn.init.uniform_(w, -std * 3**0.5, std * 3**0.5)),
            "a uniform draw",
        ),
    ],
    "06.1": [
        (lambda x: ((x + 1) * 127.5).to(torch.uint8), "63 of 256 bytes are wrong. Hint: round"),
        (lambda x: ((x + 1) * 127.5).round(), "expected torch.uint8"),
        (lambda x: ((x + 1) * 63.75).round().to(torch.uint8), "half as large"),
        (lambda x: (x * 255).round().to(torch.uint8), "-1 becomes 0, and 1 becomes 255"),
        (lambda x: ((x + 1) * 127.5).round().to(torch.uint8)[0], "the result is 1×"),
    ],
    "07.1": [
        (halves(1.0, 0.0, detach=False), "the gradient reaches the generator"),
        (lambda *x: 2 * right_loss(*x), "a coin toss costs ln 2"),
        (halves(0.0, 1.0), "the labels are swapped"),
        (lambda d, real, fake: bce(d(real), 1.0), "the fakes are missing"),
        (halves(1.0, 1.0), "both have the label 1"),
        (no_grad_loss, "has no gradient"),
        (lambda *x: -right_loss(*x), "the sign"),
        (
            lambda d, real, fake: halves(1.0, 0.0)(lambda x: d(x).sigmoid(), real, fake),
            "a sigmoid before",
        ),
        (
            lambda d, real, fake: halves(1.0, 0.0)(lambda x: d(x).detach(), real, fake),
            "has no gradient",
        ),
    ],
    "07.2": [
        (step("D1G2"), "gradients of earlier steps are added up"),
        (step("D1gG2"), "gradients of D are added up"),
        (step("dD1G2"), "gradients of G are added up"),
        (step("gG2dD1", detach=False), "detach() them in the loss of D"),
        (
            lambda g, d, og, od, real, z: OURS["07.2"](g, d, og, od, real, z) and step("gG2dD1"),
            "expected (loss of D, loss of G)",
        ),
        (step("dDgG12"), "after the backward pass of G"),
        (step("dDgG1"), "the weights of G have not changed"),
        (step("dD1gG"), "the weights of G have not changed"),
        (step("gG2"), "the weights of D have not changed"),
        (step(""), "no weight has changed"),
        (step("dD1gG2"), "the returned losses are not"),
        (returns_tensors_swapped, "the returned losses are not"),
        (returns_nothing, "The step returns None"),
    ],
    "08.1": [
        (frechet(lambda c, d: (c @ d).sqrt().trace()), "The root of a matrix is another"),
        (frechet(root_of_product, lambda m: m.square().sum().sqrt()), "is not squared"),
        (frechet(root_of_product, factor=1), "the factor 2"),
        (lambda a, c, b, d: (a - b).square().sum(), "the covariances are not used"),
        (frechet(root_of_product, lambda m: 0), "the means are not used"),
        (frechet(lambda c, d: (root(c) @ root(d)).trace()), "their product comes first"),
        (frechet(lambda c, d: torch.linalg.eigvals(c @ d).sqrt().sum()), "complex"),
        (lambda *x: OURS["08.1"](*x).sqrt(), "FID is not rooted"),
    ],
    "09.1": [
        (table(USUAL[0], OWN[0]), "one run is an anecdote"),
        (table(*USUAL), "all rows are of one choice"),
        (table(*OWN), "no row of the choice 'usual'"),
        (table(*USUAL, *OWN[:2], ("mine", 4, 9.0)), "other seeds than the usual"),
        (table(*USUAL[:2], *OWN[:2]), "three can show a spread"),
        (table(*USUAL, *OWN, OWN[0]), "a seed twice"),
        (table(*USUAL, *OWN[:2], ("mine", 3, "nan")), "no number"),
        (table(*USUAL, *OWN).drop(columns="fid"), "columns are missing: fid"),
    ],
    "10.1": [
        (lambda a, b, t: (1 - t) * a + t * b, "this is lerp"),
        (careless_slerp, "where ω is nearly 0, walk straight"),
        (lambda a, b, t: OURS["10.1"](b, a, t), "exchanged"),
        (whole_batch_slerp, "each pair has its own"),
        (
            lambda a, b, t: OURS["10.1"](functional.normalize(a), functional.normalize(b), t),
            "the result has length 1",
        ),
        (all_or_none_slerp, "choose by pair"),
        (row_slerp, "t may be a column"),
        (lambda a, b, t: a, "another point than on the arc"),
    ],
    "11.1": [
        (counted(modes=len), "that counts fakes, not kinds"),
        (counted(modes=lambda x: len(x.bincount())), "largest number plus one"),
        (counted(modes=lambda x: x.max().item()), "the largest kind"),
        (counted(kl=lambda p, n: (p * (p * n).log()).sum().item()), "nan: 0 · log 0"),
        (counted(kl=lambda p, n: -(p[p > 0] * p[p > 0].log()).sum().item()), "the entropy"),
        (counted(kl=lambda p, n: (p[p > 0] * (p[p > 0] * n).log2()).sum().item()), "base 2"),
        (counted(kl=lambda p, n: math.inf), "KL is inf"),
        (lambda kinds, known: 3, "two numbers"),
    ],
    "11.2": [
        (math.log(99), "that is ln 99"),
        (-math.log(1000 / 99), "KL is never negative"),
        (6.91, "one kind only"),
        (3.4, "the published value"),
        (math.log2(1000 / 99), "base 2"),
        (5.0, "99 kinds have the share 1/99"),
    ],
    "12.1": [
        (lambda share, gain: 1 - share + share / gain, "that is the new time"),
        (lambda share, gain: 1 - share + share * gain, "shares of time do"),
        (lambda share, gain: gain / share, "the other part of the time"),
        (lambda share, gain: gain, "the gain of the part"),
        (lambda share, gain: 1.01, "add the new times"),
    ],
    "13.1": [
        (
            conditional(lambda c, n: (c / n)[:, None, None, None], extra=1),
            "a 4 lies between 3 and 5: one-hot",
        ),
        (conditional(one_hot), "must be N×"),
        (conditional(lambda c, n: one_hot(c * 0, n)[:, :, None, None]), "the same class"),
        (WithoutSuper, "call super().__init__(...) first"),
        (IgnoresClass, "the first layer sees"),
        (
            conditional(lambda c, n: one_hot((c + 1) % n, n)[:, :, None, None]),
            "at its class's place",
        ),
        (conditional(lambda c, n: one_hot(c, n)[:, :, None, None], extra=3), "raises ValueError"),
        (lambda z, classes: z, "expected a class"),
        (nn.Linear, "does not inherit from Generator"),
    ],
}
