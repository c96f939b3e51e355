"""The exercises' checks: ours are right, known mistakes get their own message, nothing raises."""

import re

import pytest
import torch
from wrong_answers import RIGHT, WRONG, endless

from dcgan_helpers.exercises import EXERCISES, name_failures, shuffled, verdicts
from dcgan_helpers.networks import Generator

every_exercise = pytest.mark.parametrize("number", EXERCISES)
SEEDS = range(3)


@pytest.mark.parametrize("seed", SEEDS)
@every_exercise
def test_our_answer_is_right(number, seed):
    verdict = EXERCISES[number].judge(RIGHT[number], seed)
    assert str(verdict) == "right"


@every_exercise
def test_mistakes_get_a_message_of_their_own(number):
    assert len(WRONG[number]) >= 4
    for seed in (0, 3):
        messages = []
        for answer, part in WRONG[number]:
            verdict = EXERCISES[number].judge(answer, seed)
            assert verdict.state == "not yet"
            assert part in verdict.cause, (part, verdict.cause)
            messages.append(part)
        assert len(set(messages)) >= 4


@every_exercise
def test_verdict_is_the_same_twice_and_leaves_the_random_numbers_alone(number):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    answers = [answer for answer, _ in WRONG[number][:4]]
    twice = [[str(EXERCISES[number].judge(a)) for a in answers] for _ in range(2)]
    assert twice[0] == twice[1]
    assert torch.equal(before, torch.get_rng_state())


def stub(a, b):
    """What is asked."""
    ...


@pytest.mark.parametrize("answer", [None, ..., stub, lambda *_: None, lambda: ...])
@every_exercise
def test_stub_is_open(number, answer):
    assert str(EXERCISES[number].judge(answer)) == "not answered yet"


def leaves(*_, **__):
    raise SystemExit("no")


class Odd:
    def __repr__(self):
        raise RuntimeError

    def __eq__(self, other):
        raise RuntimeError

    __hash__ = None


ODD = [0, "x", [], (), {}, lambda: 1, int, leaves, Odd(), torch.zeros(3), torch.nan]
ODD += [
    torch.nn.Linear(1, 1).to("meta"),
    lambda *_: Odd(),
    lambda *_: torch.zeros(2, device="meta"),
]


@pytest.mark.parametrize("answer", ODD, ids=range(len(ODD)))
@every_exercise
def test_nothing_raises(number, answer):
    assert EXERCISES[number].judge(answer).state == "not yet"


@pytest.mark.parametrize("number", ["00.2", "07.2", "13.1"])
def test_loop_without_an_end_is_ended(number):
    answer = type("Endless", (Generator,), {"__init__": endless, "forward": endless})
    answer = answer if number == "13.1" else endless
    verdict = EXERCISES[number].judge(answer, limit=0.5)
    assert verdict.state == "not yet" and "without an end" in verdict.cause


def test_loop_that_swallows_exceptions_is_ended():
    def stubborn(logits):
        while True:
            try:
                while True:
                    pass
            except Exception:
                pass

    assert "without an end" in EXERCISES["00.2"].judge(stubborn, limit=0.5).cause


def test_call_prints_the_verdict_and_goes_on_with_a_right_answer(capsys):
    check = EXERCISES["02.1"]
    mine = lambda n, k, s, p: (n + 2 * p - k) // s + 1  # noqa: E731
    assert check(mine) is mine
    assert capsys.readouterr().out == "exercise 02.1: right\n"
    assert check(stub) is check.ours
    printed = capsys.readouterr().out
    assert printed == "exercise 02.1: not answered yet\nThe notebook goes on with our answer.\n"
    assert check(lambda *_: 0, ours=stub) is stub
    assert capsys.readouterr().out.startswith("exercise 02.1: not yet: conv_size(n=8")


def test_failures_are_shuffled_by_name_and_named(capsys):
    names = ["no batch norm", "lr too high", "bytes", "one mode", "D wins"]
    order = shuffled("Ada", names)
    assert order == shuffled("Ada", reversed(names)) and sorted(order) == sorted(names)
    assert len({tuple(shuffled(f"student {i}", names)) for i in range(20)}) > 10

    def said(answer):
        assert name_failures(answer, order) == order
        return capsys.readouterr().out.strip().removeprefix("exercise 08.2: ")

    assert said(order) == "right"
    for is_open in (None, ..., [None] * 5, [...] * 5):
        assert said(is_open) == "not answered yet"
    assert "ln 2 is also the price" in said(["healthy", *order[1:]])
    swapped = said([order[1], order[0], *order[2:]])
    assert swapped.startswith("not yet: 3 of 5") and "picture 1" in swapped
    for odd in ("x", 0, order[:4], [*order[:4], "aliens"], torch.zeros(5)):
        assert said(odd).startswith("not yet: received")


def test_numbers_of_exercises_are_those_of_the_notebooks():
    assert all(re.fullmatch(r"\d\d\.\d", number) for number in EXERCISES)
    assert verdicts.TIME_LIMIT >= 10
    assert len(EXERCISES) >= 15
