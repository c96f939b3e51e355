"""How an answer is judged: with a time limit, a fixed seed, and never with an exception."""

import ctypes
import dis
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch

from .. import one_line

TIME_LIMIT = 20.0
"""Seconds after which a check gives up. A right answer needs less than two."""

# What PyTorch says, and what a student can do about it.
HINTS = {
    "backward through the graph a second time": "the first backward pass has freed the graph of "
    "the fakes; detach() them in the loss of D",
    "modified by an inplace operation": "a weight was changed between the forward and the backward "
    "pass; compute the logits again after each step()",
    "does not require grad": "the loss has no graph; look for detach(), item() or no_grad()",
    "meta": "the device meta keeps no numbers; use the device of the input",
    "same device": "move networks and data to one device",
    "must be the same as input size": "labels have the shape of the logits: torch.ones_like",
    "positional argument": "keep the arguments of the stub as they were",
    "unexpected keyword argument": "keep the arguments of the stub as they were",
    "unsupported operand type": "something here is not a tensor or a number",
    "Sizes of tensors must match": "torch.cat needs equal sizes in all but one dimension",
}
IDLE = {"RESUME", "NOP", "POP_TOP", "RETURN_VALUE", "CACHE", "RETURN_GENERATOR"}


class NotYet(Exception):
    """An answer is wrong; says the cause."""


class NotAnswered(Exception):
    """There is no answer."""


class TooLong(BaseException):
    """Ends an answer that takes too long. No `except Exception` of a student catches it."""


@dataclass(frozen=True)
class Verdict:
    """What a check says of an answer."""

    state: Literal["right", "not answered yet", "not yet"]
    cause: str = ""

    def __str__(self) -> str:
        return f"{self.state}: {self.cause}" if self.cause else self.state


class Exercise:
    """The check of one exercise; call it with an answer, and go on with what it returns."""

    def __init__(self, number: str, name: str, check: Callable[..., None], ours: Any):
        self.number, self.name, self.check, self.ours = number, name, check, ours
        self.__doc__ = check.__doc__
        if callable(ours):
            ours.__name__ = name  # the notebooks' labels and errors show it

    def __call__(self, answer: Any = None, ours: Any = None) -> Any:
        """Print the verdict; returns the answer if it is right, else `ours`."""
        verdict = self.judge(answer)
        print(f"exercise {self.number}: {verdict}")
        if verdict.state == "right":
            return answer
        print("The notebook goes on with our answer.")
        return self.ours if ours is None else ours

    def judge(self, answer: Any, seed: int = 0, limit: float | None = None) -> Verdict:
        """The verdict; `seed` varies shapes and values, `limit` is in seconds. Never raises."""
        if is_open(answer):
            return Verdict("not answered yet")
        found: list[Verdict] = []
        limit = TIME_LIMIT if limit is None else limit
        judging = threading.Thread(
            target=lambda: found.append(self._judge(answer, seed)), daemon=True
        )
        # Neither the answer nor the check may change what the notebook draws next.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            judging.start()
            judging.join(limit)
            is_late = judging.is_alive()
            for _ in range(20):  # it may swallow the first exceptions
                if judging.is_alive():
                    _raise_in(judging)
                    judging.join(0.1)
        if is_late or not found:
            late = f"no result after {limit:g} s; look for a loop without an end"
            return Verdict("not yet", late)
        return found[0]

    def _judge(self, answer: Any, seed: int) -> Verdict:
        try:
            self.check(answer, random.Random(seed))
        except NotAnswered:
            return Verdict("not answered yet")
        except NotYet as error:
            return Verdict("not yet", str(error))
        except TooLong:
            return Verdict("not yet", "too long")
        except BaseException as error:  # whatever a student's code raises, SystemExit too
            said = one_line(error)
            hint = next((HINTS[text] for text in HINTS if text in said), "")
            told = f"your code raises {type(error).__name__}: {said[:200]}"
            return Verdict("not yet", f"{told}. Hint: {hint}" if hint else told)
        return Verdict("right")


def exercise(number: str, name: str, ours: Any) -> Callable[[Callable[..., None]], Exercise]:
    """Make an `Exercise` of a check `(answer, draw)`, which raises NotYet for a wrong answer.

    `number` is that of the notebook and the exercise, such as 03.1; `name` is what a student
    defines; `draw` is a random.Random. PyTorch's own draws are seeded as well.
    """
    return lambda check: Exercise(number, name, check, ours)


def is_open(answer: Any) -> bool:
    """True for what a stub leaves: None, `...`, or a function that does and returns nothing."""
    if answer is None or answer is ...:
        return True
    code = getattr(answer, "__code__", None)
    return code is not None and all(
        step.opname in IDLE
        or ("CONST" in step.opname and (step.argval is None or step.argval is ...))
        for step in dis.get_instructions(code)
    )


def _raise_in(thread: threading.Thread) -> None:
    """Raise TooLong in another thread, at its next line of Python."""
    identity = ctypes.c_ulong(thread.ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, ctypes.py_object(TooLong))


def require(truth: Any, cause: str) -> None:
    """Raise NotYet with a cause unless something is true."""
    if not truth:
        raise NotYet(cause)


def require_callable(answer: Any, name: str) -> None:
    """Raise NotYet unless an answer can be called."""
    kind = type(answer).__name__
    require(callable(answer), f"{name} is {kind} {shown(answer)}; expected a function")


def require_tensor(found: Any, what: str) -> None:
    """Raise NotYet unless something is a tensor."""
    if found is None:
        raise NotYet(f"{what} is None; a return is missing")
    require(isinstance(found, torch.Tensor), f"{what} is {shown(found)}; expected a tensor")


def numbers_of(answer: Any, count: int, expected: str) -> list[float]:
    """An answer as so many numbers. Raises NotYet."""
    given = answer.tolist() if isinstance(answer, torch.Tensor) else answer
    given = [given] if isinstance(given, int | float) else given
    if not isinstance(given, list | tuple) or len(given) != count:
        raise NotYet(f"received {shown(answer)}; expected {expected}")
    if not all(isinstance(x, int | float | torch.Tensor) for x in given):
        raise NotYet(f"received {shown(answer)}; expected {expected}")
    return [float(x) for x in given]


def close(found: Any, wanted: Any, tolerance: float = 1e-4) -> bool:
    """True if two values are nearly equal, whatever they are."""
    try:
        one, other = (torch.as_tensor(x).detach().double().cpu() for x in (found, wanted))
    except (TypeError, ValueError, RuntimeError):
        return False
    return one.shape == other.shape and bool(
        torch.allclose(one, other, rtol=tolerance, atol=tolerance)
    )


def shape(tensor: torch.Tensor) -> str:
    """A shape as the series writes it: 8×1×64×64."""
    return "×".join(map(str, tensor.shape)) or "a single number"


def shown(value: Any) -> str:
    """A value on one short line."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # a student's own __repr__
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."
