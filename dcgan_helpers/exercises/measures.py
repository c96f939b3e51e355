"""Notebooks 06, 08, 09, 10, 11 and 12: bytes, distances, interpolation, modes, gains."""

import math
from random import Random
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from ..data import scale_images
from ..data import to_bytes as our_to_bytes
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


@exercise("06.1", "to_bytes", our_to_bytes)
def to_bytes(answer: Any, draw: Random) -> None:
    """`to_bytes(scaled)`: uint8 of float in [-1, 1]; every byte comes back exactly."""
    require_callable(answer, "to_bytes")
    sides = draw.choice([(16, 16), (8, 32), (32, 8)])
    every_byte = torch.randperm(256).to(torch.uint8).reshape(1, 1, *sides)
    back = answer(scale_images(every_byte))
    require_tensor(back, "the result")
    require(back.dtype == torch.uint8, f"these are {back.dtype}; expected torch.uint8")
    if back.shape != every_byte.shape:
        raise NotYet(f"the result is {shape(back)}; expected {shape(every_byte)}")
    wrong = int((back != every_byte).sum())
    if not wrong:
        return
    off = (back.int() - every_byte.int()).abs().max()
    hint = "round first: a cast to uint8 cuts decimals off" if off == 1 else ""
    if (back.int() - every_byte.int() // 2).abs().max() <= 1:
        hint = "the values are half as large: [-1, 1] has length 2"
    hint = hint or "-1 becomes 0, and 1 becomes 255"
    raise NotYet(f"{wrong} of 256 bytes are wrong. Hint: {hint}")


def our_frechet_distance(mean_1: Tensor, cov_1: Tensor, mean_2: Tensor, cov_2: Tensor) -> Tensor:
    roots = torch.linalg.eigvals(cov_1 @ cov_2).real.clamp(min=0).sqrt().sum()
    return (mean_1 - mean_2).square().sum() + cov_1.trace() + cov_2.trace() - 2 * roots


def _root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T


@exercise("08.1", "frechet_distance", our_frechet_distance)
def frechet_distance(answer: Any, draw: Random) -> None:
    """`frechet_distance(mean_1, cov_1, mean_2, cov_2)`: FID of means (d) and covariances (d×d)."""
    require_callable(answer, "frechet_distance")
    d = draw.randint(3, 6)
    one = torch.randn(50, d).double() @ torch.randn(d, d).double()
    other = torch.randn(50, d).double() @ torch.randn(d, d).double() + 1
    m1, m2, c1, c2 = one.mean(0), other.mean(0), one.T.cov(), other.T.cov()
    found, wanted = answer(m1, c1, m2, c2), our_frechet_distance(m1, c1, m2, c2)
    if isinstance(found, complex) or (isinstance(found, Tensor) and found.is_complex()):
        raise NotYet(f"the distance is complex, {shown(found)}; take .real of the eigenvalues")
    if found is None or not isinstance(found, int | float | Tensor):
        raise NotYet(f"the distance is {shown(found)}; expected a number")
    if close(found, wanted, 1e-3):
        same = answer(m1, c1, m1, c1)
        return require(close(same, 0.0, 1e-2), f"of equal distributions it is {shown(same)}, not 0")
    squared, traces = (m1 - m2).square().sum(), c1.trace() + c2.trace()
    roots = (squared + traces - wanted) / 2
    product = c1 @ c2
    mistakes = {
        "nan: some entries of the product are negative. The root of a matrix is another: its "
        "eigenvalues' roots add up": squared + traces - 2 * product.sqrt().trace(),
        "the root of a matrix is not that of its entries: its eigenvalues' roots add up": squared
        + traces
        - 2 * product.diagonal().abs().sqrt().sum(),
        "the distance of the means is not squared": squared.sqrt() + traces - 2 * roots,
        "the means are not used": traces - 2 * roots,
        "the covariances are not used": squared,
        "the factor 2 before the root is missing": squared + traces - roots,
        "the roots of the two covariances are multiplied; their product comes first, then the "
        "root": squared + traces - 2 * (_root(c1) @ _root(c2)).trace(),
        "that is the root of the distance; FID is not rooted": wanted.sqrt(),
        "the eigenvalues are added without their roots": squared + traces - 2 * product.trace(),
    }
    for cause, value in mistakes.items():
        both_nan = math.isnan(float(value)) and math.isnan(float(found))
        require(not both_nan and not close(found, value, 1e-3), cause)
    raise NotYet(f"the distance is {float(found):.3f}; expected {float(wanted):.3f}")


@exercise("09.1", "comparison", None)
def comparison(answer: Any, draw: Random) -> None:
    """A table with the columns choice, seed and fid: the usual and your choice, each seed once."""
    if not isinstance(answer, pd.DataFrame):
        raise NotYet(f"received {shown(answer)}; expected a table, as read_csv gives")
    missing = {"choice", "seed", "fid"} - set(answer.columns)
    require(not missing, f"columns are missing: {', '.join(sorted(missing))}")
    require("usual" in set(answer["choice"]), "no row of the choice 'usual' to compare with")
    seeds = {name: sorted(rows["seed"]) for name, rows in answer.groupby("choice")}
    require(len(seeds) > 1, "all rows are of one choice; expected the usual and your own")
    for name, of_choice in seeds.items():
        require(len(of_choice) > 1, f"{name!r} has one seed: one run is an anecdote")
        require(len(of_choice) == len(set(of_choice)), f"{name!r} has a seed twice")
        require(len(of_choice) > 2, f"{name!r} has two seeds; three can show a spread")
        require(of_choice == seeds["usual"], f"{name!r} has other seeds than the usual")
    scores = pd.to_numeric(answer["fid"], errors="coerce")
    require(scores.notna().all() and (scores >= 0).all(), "some FID is no number of 0 or more")


def our_slerp(a: Tensor, b: Tensor, t: Any) -> Tensor:
    cosine = nn.functional.cosine_similarity(a, b, dim=-1)[..., None]
    omega = torch.arccos(cosine.clamp(-1, 1))
    first, second = torch.sin((1 - t) * omega), torch.sin(t * omega)
    arc = (first * a + second * b) / torch.sin(omega)
    return torch.where(omega < 1e-3, (1 - t) * a + t * b, arc)


@exercise("10.1", "slerp", our_slerp)
def slerp(answer: Any, draw: Random) -> None:
    """`slerp(a, b, t)` for noise `N×d` and t from 0 to 1; straight where the angle is nearly 0."""
    require_callable(answer, "slerp")
    n, t = draw.randint(4, 9), draw.choice([0.2, 0.3, 0.4])
    a, b = torch.randn(n, 100), torch.randn(n, 100)
    found, wanted = answer(a, b, t), our_slerp(a, b, t)
    require_tensor(found, "the result")
    if found.shape != wanted.shape:
        raise NotYet(f"the result is {shape(found)}; expected {shape(wanted)}")
    if not close(found, wanted, 1e-3):
        _diagnose_slerp(found, a, b, t)
    start, half = answer(a, b, 0.0), answer(a, b, 0.5)
    require(close(start, a, 1e-3), "at t = 0 it is not a")
    require(close(half, our_slerp(a, b, 0.5), 1e-3), "at t = 0.5 it is another point")
    steps = torch.linspace(0.1, 0.9, 5)[:, None]
    path, ours = answer(a[0], b[0], steps), our_slerp(a[0], b[0], steps)
    if not close(path, ours, 1e-3):
        hint = "the angle is taken along the last dimension, which is kept as 1"
        raise NotYet(f"t may be a column, for a walk from one point to one other. Hint: {hint}")
    c = b.clone()
    c[1] = a[1]
    same, mixed = answer(a, a, t), answer(a, c, t)
    if not same.isfinite().all() or not mixed[1].isfinite().all():
        raise NotYet("from a point to itself it is nan: where ω is nearly 0, walk straight")
    require(close(same, a, 1e-3), "from a point to itself it leaves the point")
    if not close(mixed, our_slerp(a, c, t), 1e-3):
        raise NotYet("one pair of equal points changes the others: choose by pair, torch.where")


def _diagnose_slerp(found: Tensor, a: Tensor, b: Tensor, t: float) -> None:
    if close(found, (1 - t) * a + t * b, 1e-3):
        raise NotYet("this is lerp: its middle has length 7, inside the shell")
    if close(found, our_slerp(b, a, t), 1e-3):
        raise NotYet("a and b are exchanged: t = 0 is a")
    require(found.isfinite().all(), "some values are nan or inf")
    unit_a, unit_b = (nn.functional.normalize(x, dim=-1) for x in (a, b))
    if close(found, our_slerp(unit_a, unit_b, t), 1e-3):
        raise NotYet("the result has length 1: use unit vectors for the angle only")
    cosine = nn.functional.cosine_similarity(a, b, dim=-1)[..., None]
    omega = cosine.arccos()
    top = torch.sin((1 - t) * omega) * a + torch.sin(t * omega) * b
    require(not close(found, top, 1e-3), "the division by sin ω is missing")
    whole = (a * b).sum() / a.norm() / b.norm()
    omega = whole.arccos()
    top = torch.sin((1 - t) * omega) * a + torch.sin(t * omega) * b
    if close(found, top / torch.sin(omega), 1e-3):
        raise NotYet("one angle for the whole batch; each pair has its own: dim=-1")
    raise NotYet("another point than on the arc. Hint: ω is the arccos of the cosine of a and b")


def our_modes_and_kl(kinds: Tensor, known: int) -> tuple[int, float]:
    shares = kinds.bincount(minlength=known).double() / len(kinds)
    present = shares[shares > 0]
    return len(present), (present * (present * known).log()).sum().item()


@exercise("11.1", "modes_and_kl", our_modes_and_kl)
def modes_and_kl(answer: Any, draw: Random) -> None:
    """`modes_and_kl(kinds, known)`: how many kinds occur, and KL(shares ‖ uniform) in nats."""
    require_callable(answer, "modes_and_kl")
    known = draw.choice([500, 1000])
    fakes = torch.tensor([3, 3, 7, known - 1, 3, 7] * draw.randint(1, 4))
    found, (modes, kl) = answer(fakes, known), our_modes_and_kl(fakes, known)
    got_modes, got_kl = numbers_of(found, 2, "two numbers: modes and KL")
    if got_modes != modes:
        causes = {
            len(fakes): "that counts fakes, not kinds",
            known: "largest number plus one: bincount has a place for kinds that do not occur",
            known - 1: "that is the largest kind; expected how many occur",
            0: "no kind at all; expected how many have a share above 0",
        }
        hint = causes.get(int(got_modes), "how many different numbers are there?")
        raise NotYet(f"{len(fakes)} fakes of {modes} kinds have {got_modes:g} modes. Hint: {hint}")
    if math.isnan(got_kl):
        raise NotYet("the modes are right. KL is nan: 0 · log 0; take the present kinds only")
    require(math.isfinite(got_kl), "the modes are right. KL is inf: it is KL(shares ‖ uniform)")
    shares = fakes.bincount().double() / len(fakes)
    shares = shares[shares > 0]
    entropy = -(shares * shares.log()).sum().item()
    counts = shares * len(fakes)
    mistakes = {
        "the logarithm has the base 2; expected nats": kl / math.log(2),
        "that is -KL": -kl,
        "that is the entropy; KL compares with shares of 1 / known": entropy,
        "that is -entropy; KL compares with shares of 1 / known": -entropy,
        "uniform is 1 / known, not 1 / modes": math.log(modes) - entropy,
        "counts are not divided by the number of fakes": (
            (counts * (counts * known).log()).sum().item()
        ),
        "a mean over the kinds; expected the sum": kl / modes,
    }
    if not close(got_kl, kl, 1e-3):
        for cause, value in mistakes.items():
            require(not close(got_kl, value, 1e-3), f"the modes are right. KL: {cause}")
        raise NotYet(f"the modes are right. KL is {got_kl:.3f}; expected {kl:.3f}")


@exercise("11.2", "kl_of_99", math.log(1000 / 99))
def kl_of_99(answer: Any, draw: Random) -> None:
    """The KL of a generator that draws 99 of 1,000 kinds equally often, in nats."""
    (found,) = numbers_of(answer, 1, "one number, the KL")
    wanted = math.log(1000 / 99)
    causes = {
        math.log(99): "that is ln 99; compare shares of 1/99 with 1/1000",
        -wanted: "the sign: KL is never negative",
        math.log(1000): "that is the KL of one kind only",
        math.log2(1000 / 99): "the logarithm has the base 2; expected nats",
        math.log10(1000 / 99): "the logarithm has the base 10; expected nats",
        0.0: "it would be 0 if all 1,000 kinds were equally frequent",
        3.4: "3.4 is the published value; its shares were not equal",
    }
    if not abs(found - wanted) <= 0.005:
        for value, cause in causes.items():
            require(not abs(found - value) <= 0.005, cause)
        raise NotYet(f"KL is not {found:g}. Hint: 99 kinds have the share 1/99, the others 0")


def our_whole_gain(share: float, gain: float) -> float:
    return 1 / (1 - share + share / gain)


@exercise("12.1", "whole_gain", our_whole_gain)
def whole_gain(answer: Any, draw: Random) -> None:
    """`whole_gain(share, gain)`: of the whole, if a share of its time becomes faster."""
    require_callable(answer, "whole_gain")
    for share, gain in ((draw.choice([0.3, 0.5]), draw.choice([2.0, 3.0])), (1.0, 4.0)):
        found, wanted = answer(share, gain), our_whole_gain(share, gain)
        if not isinstance(found, int | float | Tensor):
            raise NotYet(f"the gain is {shown(found)}; expected a number")
        mistakes = {
            "that is the new time; the gain is old time / new time": 1 / wanted,
            "shares of gains do not add up; shares of time do": 1 - share + share * gain,
            "the other part of the time, 1 - share, is missing": gain / share,
            "that is the gain of the part": gain,
        }
        if not close(found, wanted):
            told = f"whole_gain({share:g}, {gain:g}) is {float(found):.3f}; expected {wanted:.3f}"
            for cause, value in mistakes.items():
                require(not close(found, value), f"{told}. Hint: {cause}")
            raise NotYet(f"{told}. Hint: add the new times of both parts")
