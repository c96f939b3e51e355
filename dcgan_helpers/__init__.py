"""A DCGAN, small enough to read in one sitting. What is where, each importing those above it:

hyperparameters       every number of a run, checked, with named presets
data                  images by name, as `uint8`, and their classes
networks              Generator and Discriminator, initial weights, moving average, sampling
run_folder            what a run leaves behind, and how it is read and written
logger                what is kept of a run while it trains: tables, image grids, TensorBoard
training              the loop, its arithmetic and its checkpoints
figures/              image grids, curves and timelines; web/ a file for the page that draws
quality/              FID and other measures, the classifier behind them, tables of measurements
cures/, studies/      what stands behind notebooks 09, 11, 13 and 14; benchmark/ behind 12
exercises/            the checks of the notebooks' exercises
files/                how images are read from files
command_line/         how functions become commands
__main__              one command line for all of it: `python -m dcgan_helpers --help`
"""

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pickle import UnpicklingError


class InputError(Exception):
    """What the user gave cannot be used: says which value, what was expected, what to do."""


@contextmanager
def reading(path: str | PathLike[str], missing: str, damaged: str) -> Iterator[None]:
    """Raise InputError where a file cannot be read; `missing` and `damaged` say what to do."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing; {missing}") from error
    except UnpicklingError as error:  # PyTorch's text advises to trust the file
        raise InputError(f"{path} holds what no run of ours writes; {damaged}") from error
    except Exception as error:  # decoders of damaged files raise almost anything
        raise InputError(f"{path} is damaged ({one_line(error)}); {damaged}") from error


def one_line(error: BaseException) -> str:
    """What an error says, on one line; its kind if it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__
