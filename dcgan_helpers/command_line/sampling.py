"""What `sample` does: fakes of a run, as a grid or as arrays."""

from pathlib import Path
from typing import Any

import numpy as np

from .. import InputError, networks, run_folder


def draw(
    run_dir: Path, count: int, classes: str | None, per_class: int | None, seed: int, output: Path
) -> str:
    """Draw fakes of a run, write them to `output`, and return a line that says so.

    The arguments are those of the command. Raises InputError.
    """
    if output.suffix not in (".png", ".npz"):
        raise InputError(f"--output is {output}; expected a name that ends in .png or .npz")
    generator = run_folder.load_generator(run_dir)
    if not output.parent.is_dir():
        raise InputError(f"the folder of --output {output} is missing; make it first")
    labels = networks.draw_classes(generator, count, seed)
    if classes is not None or per_class is not None:
        labels = networks.named_classes(generator, classes, per_class or 1)
    drawn = count if labels is None else len(labels)
    images = networks.generate(generator, drawn, seed, progress=True, classes=labels)
    if output.suffix == ".png":
        run_folder.save_grid(output, images, per_class or (drawn if classes else 8))
    else:
        arrays: Any = {"images": images.numpy()}
        arrays |= {} if labels is None else {"labels": labels.numpy()}
        with run_folder.atomic(output) as temporary:
            np.savez(temporary, **arrays)
    return f"{drawn} images: {output}"
