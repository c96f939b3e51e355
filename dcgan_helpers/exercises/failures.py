"""Notebook 08: failures to name, in an order that depends on a student's own name."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from .verdicts import is_open, shown

HEALTHY = "healthy"
HINT = "ln 2 is also the price of a D that has learnt nothing: look at the fakes"


def shuffled(student: str, names: Iterable[str]) -> list[str]:
    """Names in an order of this student's own, always the same."""
    return sorted(names, key=lambda name: sha256(f"{student}/{name}".encode()).digest())


def name_failures(answer: Any, order: list[str], number: str = "08.2") -> list[str]:
    """Print how many names of an answer are right, and a hint for the first wrong one.

    `order` has the right names, as `shuffled` gives them, and is returned. An answer is a list
    of these names, or "healthy". Never raises.
    """
    print(f"exercise {number}: {_verdict(answer, order)}")
    return order


def _verdict(answer: Any, order: list[str]) -> str:
    if is_open(answer) or (isinstance(answer, list | tuple) and all(map(is_open, answer))):
        return "not answered yet"
    known = sorted({*order, HEALTHY})
    given = [str(name) for name in answer] if isinstance(answer, list | tuple) else []
    if len(given) != len(order) or not set(given) <= set(known):
        expected = f"expected {len(order)} names among {', '.join(known)}"
        return f"not yet: received {shown(answer)}; {expected}"
    wrong = [i for i, (a, b) in enumerate(zip(given, order, strict=True)) if a != b]
    if not wrong:
        return "right"
    first = wrong[0]
    hint = HINT if HEALTHY in given else f"picture {first + 1} is no case of {given[first]!r}"
    return f"not yet: {len(order) - len(wrong)} of {len(order)} are right. Hint: {hint}"
