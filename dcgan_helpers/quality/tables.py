"""Tables of measurements, kept as CSV files: completed run by run, read and summed up by pandas."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm.auto import tqdm

from .. import reading
from ..run_folder import atomic

SEEDS = (1, 2, 3)
"""What each setting of a study is repeated with."""


def read(path: Path) -> pd.DataFrame:
    """A table; empty if there is no file. Raises InputError when it is damaged."""
    if not path.exists():
        return pd.DataFrame()
    fix = "delete it, and it is measured again"
    with reading(path, fix, fix):
        return pd.read_csv(path)


def save(path: Path, table: pd.DataFrame) -> None:
    """Write a table as a CSV file, atomically."""
    with atomic(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def complete(
    path: Path,
    jobs: Iterable[dict[str, Any]],
    run: Callable[..., list[dict[str, Any]]],
    progress: bool = True,
) -> None:
    """Add the rows of those `jobs` that a table lacks, each as soon as it is there.

    A job is a dictionary, the columns that identify its rows; `run(**job)` returns these
    rows. Stopped at any time, the same call goes on where it was.
    """
    rows: list[Any] = read(path).to_dict("records")
    todo = [job for job in jobs if not any(job.items() <= row.items() for row in rows)]
    for job in tqdm(todo, desc="runs", unit="run", disable=not progress):
        rows += run(**job)
        save(path, pd.DataFrame(rows))


def medians(table: pd.DataFrame, *by: str, value: str = "value") -> pd.DataFrame:
    """Median, lowest and highest `value` for each of the values, or tuples of them, in `by`."""
    groups = table.groupby(list(by) if len(by) > 1 else by[0], sort=False)
    return groups[value].agg(["median", "min", "max"])


def spread(values: Iterable[float], digits: int = 0) -> str:
    """Median, lowest and highest of some values as a text, such as `5 (3 to 8)`."""
    sizes = pd.Series(list(values))
    middle, low, high = (f"{x:.{digits}f}" for x in (sizes.median(), sizes.min(), sizes.max()))
    return f"{middle} ({low} to {high})"
