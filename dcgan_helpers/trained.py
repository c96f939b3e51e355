"""A trained run that comes with the package, so that a notebook need not train its own.

`python -m dcgan_helpers.trained RUN_DIR` makes it from a finished run; the one that is
shipped is the run of `python -m dcgan_helpers train`. `load_generator(TRAINED)` and
`load_discriminator(TRAINED)` of `run_folder` read it.
"""

import argparse
import shutil
import sys
from pathlib import Path

from . import InputError, run_folder

ASSETS = Path(__file__).with_name("assets")
"""Folder of everything that is shipped."""
TRAINED = ASSETS / "laptop"
"""The part of a run folder that can be loaded: hyperparameters and both networks."""


def export(run_dir, output=TRAINED):
    """Copy what is needed to load the two networks of a run, with weights in 16 bits.

    Half precision halves the files and moves no pixel by more than one grey level.
    Raises InputError.
    """
    networks = {
        run_folder.GENERATOR: run_folder.load_generator(run_dir),
        run_folder.DISCRIMINATOR: run_folder.load_discriminator(run_dir),
    }
    output.mkdir(parents=True, exist_ok=True)
    for name, network in networks.items():
        run_folder.save_weights(output / name, network.half())
    shutil.copy(Path(run_dir) / run_folder.HYPERPARAMETERS, output)


def main():
    parser = argparse.ArgumentParser(
        prog="python -m dcgan_helpers.trained",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("--output", type=Path, default=TRAINED, help="folder (the package's)")
    arguments = parser.parse_args()
    try:
        export(arguments.run_dir, arguments.output)
    except (InputError, OSError) as error:
        sys.exit(f"error: {error}")
    print(arguments.output)


if __name__ == "__main__":
    main()
