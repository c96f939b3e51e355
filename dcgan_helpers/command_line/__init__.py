"""How functions become commands: their options, and what is said at the end or of an error."""

import ast
import io
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any, Literal, get_args

import tyro
from pydantic import validate_call
from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

from .. import InputError, one_line
from ..hyperparameters import in_one_sentence

PROGRAM = "python -m dcgan_helpers"
GOES_ON = "; the command resume goes on from the last checkpoint"
SAME = "; the same command continues it"
AFTER_A_STOP = {"train": GOES_ON, "resume": GOES_ON, "study": SAME, "benchmark": SAME}

registry = ConstructorRegistry()


@registry.primitive_rule
def _number_or_choice(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    """What is no number or no choice goes on as text: all values are checked in one place."""
    choices = get_args(info.type) if info.type_origin is Literal else ()
    if not choices and info.type not in (int, float):
        return None

    def read(words: list[str]) -> Any:
        with suppress(ValueError, SyntaxError):
            return ast.literal_eval(words[0])
        return words[0]

    names = f"{{{','.join(map(str, choices))}}}" if choices else info.type.__name__.upper()
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=names,
        instance_from_str=read,
        is_instance=lambda value: value in choices or type(value) is info.type,
        str_from_instance=lambda value: [str(value)],
    )


def run(
    commands_for: Callable[[list[str]], dict[str, Callable[..., None]]],
    description: str,
    arguments: list[str],
) -> int:
    """Run the command that is named first; returns 0 done, 1 failure, 2 bad input.

    `commands_for(arguments)` gives the commands by name. Bad usage, such as an unknown option,
    ends in tyro, with exit code 2 and its suggestions.
    """
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    for stream in (sys.stdout, sys.stderr):  # a console that lacks a character is no failure
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if not debug:
        # TensorBoard writes in a thread; when that fails, its next call here raises the
        # same error, so the thread need not print it too.
        threading.excepthook = lambda _: None
    try:
        commands = commands_for(arguments)
        tyro.extras.subcommand_cli_from_dict(
            {name: _checked(command) for name, command in commands.items()},
            prog=PROGRAM,
            description=f"{description}\n\nAll take --debug, too: show the traceback of an error.",
            args=arguments,
            registry=registry,
        )
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            traceback.print_exc()
        if isinstance(error, KeyboardInterrupt):
            error = RuntimeError("stopped" + AFTER_A_STOP.get(arguments[0], ""))
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    return 0


def say_what_is_where(run_dir: Path, dataset: str) -> None:
    """Print what a run has left behind, and the commands that come next."""
    from .. import run_folder
    from ..arithmetic import this_process

    if not this_process().is_main_process:
        return
    logs = run_dir / run_folder.TENSORBOARD
    print(f"samples:      {run_dir / run_folder.SAMPLES}")
    print(f"weights:      {run_dir / run_folder.GENERATOR}")
    print(f"TensorBoard:  {logs}\n\nNext:\n  {PROGRAM} sample {run_dir}")
    if dataset in ("mnist-5k", "mnist"):
        print(f"  {PROGRAM} evaluate {run_dir}")
    print(f"  tensorboard --logdir {logs}\n  jupyter lab notebooks")


def _checked(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose values pydantic checks by their type hints."""

    @wraps(command)
    def call(*values: Any, **options: Any) -> None:
        with in_one_sentence():
            validate_call(command)(*values, **options)

    return call
