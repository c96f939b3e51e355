"""What `grade` does: run the exercises of notebooks that students sent, and write a table.

An answer is the last definition of its name in a notebook. It runs in another process, which is
ended when it does not answer in time. That is no protection against code that means harm.
"""

import ast
import csv
import json
import math
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from .. import InputError, one_line
from . import EXERCISES
from .verdicts import TIME_LIMIT

START_LIMIT = 120.0
"""Seconds that a new process may take to import PyTorch."""


def grade_all(folder: Path, output: Path, seed: int, limit: float = TIME_LIMIT) -> str:
    """Run the exercises in all notebooks under `folder`; returns a line that says what came.

    `output` becomes a CSV file with a row a notebook: 1 for a right answer, 0 for another one,
    nothing for an exercise that it does not have. `limit` is in seconds an exercise. Raises
    InputError.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; expected the one of the notebooks")
    paths = [p for p in sorted(folder.rglob("*.ipynb")) if ".ipynb_checkpoints" not in p.parts]
    if not paths:
        raise InputError(f"{folder} holds no notebook; expected files that end in .ipynb")
    if not output.parent.is_dir():
        raise InputError(f"the folder of --output {output} is missing; make it first")
    print("This runs the code of all these notebooks: do it where it can do no harm.")
    rows = []
    for path in tqdm(paths, desc="notebooks", unit="notebook"):
        verdicts, remark = grade_notebook(path, seed, limit)
        points = {number: int(text == "right") for number, text in verdicts.items()}
        remarks = [f"{n} {text}" for n, text in verdicts.items() if text != "right"]
        row: dict[str, Any] = {
            "file": str(path.relative_to(folder)),
            "points": sum(points.values()),
        }
        rows.append(row | points | {"remark": "; ".join([remark, *remarks] if remark else remarks)})
    with output.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ["file", "points", *EXERCISES, "remark"], restval="")
        table.writeheader()
        table.writerows(rows)
    return f"{len(rows)} notebooks: {output}"


def grade_notebook(path: Path, seed: int, limit: float) -> tuple[dict[str, str], str]:
    """The verdict on each exercise that a notebook has, by number, and a remark on the file."""
    try:
        cells = code_of(path)
    except Exception as error:  # a damaged file raises almost anything
        return {}, f"cannot be read ({one_line(error)[:120]})"
    whole = "\n".join(cells)
    numbers = [n for n, each in EXERCISES.items() if f"{each.name} = exercises." in whole]
    verdicts: dict[str, str] = {}
    while left := [number for number in numbers if number not in verdicts]:
        for number, text in zip(left, _answers(cells, left, seed, limit), strict=False):
            verdicts[number] = text
    return verdicts, "" if numbers else "has no exercise of the series"


def code_of(path: Path) -> list[str]:
    """The code cells of a notebook, without lines that only Jupyter understands."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    lines = [[x for x in text.split("\n") if x.lstrip()[:1] not in ("%", "!")] for text in sources]
    return ["\n".join(kept) for kept in lines]


def _answers(cells: list[str], numbers: list[str], seed: int, limit: float) -> Iterator[str]:
    """Verdicts of another process in turn; the last one says that there was none in time."""
    command = [sys.executable, "-c", f"from {__name__} import child; child()"]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(command, **pipes, stderr=subprocess.DEVNULL, text=True)
    lines: queue.Queue[str] = queue.Queue()
    try:
        task = {"cells": cells, "numbers": numbers, "seed": seed, "limit": limit}
        process.stdin.write(json.dumps(task))  # type: ignore[union-attr]
        process.stdin.close()  # type: ignore[union-attr]
        # A thread reads, because a read has no time limit on every system.
        threading.Thread(target=_read, args=(process.stdout, lines), daemon=True).start()
        text = lines.get(timeout=START_LIMIT)  # it says that it has started
        for _ in numbers:
            text = text and lines.get(timeout=limit + 5)  # the check's own limit comes first
            if not text:
                yield "not yet: the code ends the program"
                return
            yield json.loads(text)
    except queue.Empty:
        yield f"not yet: no result after {limit:g} s; look for a loop without an end"
    finally:
        process.kill()
        process.wait()


def _read(stream: Any, lines: "queue.Queue[str]") -> None:
    for line in stream:
        lines.put(line)
    lines.put("")


def child() -> None:
    """Judge the answers that stand in a task on stdin; a line of JSON each on stdout."""
    task = json.loads(sys.stdin.read())
    # What an answer prints must not come between.
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    print('"started"', file=output, flush=True)
    for number in task["numbers"]:
        text = judge_in(task["cells"], number, task["seed"], task["limit"])
        print(json.dumps(text), file=output, flush=True)


def judge_in(cells: list[str], number: str, seed: int, limit: float) -> str:
    """The verdict on one exercise of a notebook's code cells. Never raises."""
    exercise = EXERCISES[number]
    names: dict[str, Any] = {"torch": torch, "nn": nn, "Tensor": Tensor, "math": math, "np": np}
    names |= {each.name: each.ours for each in EXERCISES.values()}
    names |= {"bce": nn.BCEWithLogitsLoss(), "__name__": "answer"}
    answer: list[ast.stmt] = []  # the whole cell, because a value may take several lines
    for cell in cells:
        try:
            statements = ast.parse(cell).body
        except SyntaxError as error:
            if f"{exercise.name} = exercises." in cell:
                return f"not yet: the cell is no Python ({error.msg}, line {error.lineno})"
            continue
        for statement in statements:
            if _defines(statement, exercise.name):
                answer = [each for each in statements if not _is_check(each)]
            elif isinstance(statement, ast.Import | ast.ImportFrom):
                with suppress(Exception):  # what is not installed is missed where it is used
                    _run(statement, names)
            elif isinstance(statement, ast.FunctionDef | ast.ClassDef):
                with suppress(Exception):
                    if statement.name not in {each.name for each in EXERCISES.values()}:
                        _run(statement, names)
    if not answer:
        return "not answered yet"
    try:
        for statement in answer:
            _run(statement, names)
    except BaseException as error:  # SystemExit too
        return f"not yet: the cell raises {type(error).__name__}: {one_line(error)[:200]}"
    return str(exercise.judge(names[exercise.name], seed, limit))


def _defines(statement: ast.stmt, name: str) -> bool:
    """True for a function, class or value of this name, but not for what a check returns."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return statement.name == name
    is_named = isinstance(statement, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == name for target in statement.targets
    )
    return is_named and not _is_check(statement)


def _is_check(statement: ast.stmt) -> bool:
    """True for `name = exercises.name(name)`."""
    return isinstance(statement, ast.Assign) and ast.unparse(statement.value).startswith(
        "exercises."
    )


def _run(statement: ast.stmt, names: dict[str, Any]) -> None:
    exec(compile(ast.Module([statement], []), "answer", "exec"), names)
