"""Every number that decides how a run goes, in one frozen dataclass with named presets."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from . import InputError

IMAGE_SIZE: Final = 64
"""Height and width in pixels unless told otherwise: four doublings of 4."""
IMAGE_SIZES: Final = (32, 64, 128)

SCORE_COUNT = 1000
"""Images a side in a score, unless told otherwise: as many as there are held-out digits."""

Precision = Literal["auto", "fp32", "bf16", "fp16"]
DatasetName = Literal[
    "mnist-5k", "mnist", "fashion-mnist", "stacked-mnist", "mnist-photos", "folder"
]

# Strict, because `True` is no whole number and "3" no number.
Count = Annotated[int, Field(strict=True, ge=1)]
CountOrZero = Annotated[int, Field(strict=True, ge=0)]
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**32)]  # what NumPy takes, too
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
PositiveOrZero = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Share = Annotated[float, Field(strict=True, ge=0, lt=1, allow_inf_nan=False)]
Switch = Annotated[bool, Field(strict=True)]


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """Raise pydantic's first complaint as an InputError: which value, and what was expected."""
    try:
        yield
    except ValidationError as error:
        found = error.errors()[0]
        name, *place = found["loc"]
        if found["type"] == "unexpected_keyword_argument":
            raise InputError(f"unknown hyperparameter {name!r}") from None
        name = f"{name}{place}" if place else name  # such as betas[1]
        expected = found["msg"].replace("Input should be", "expected")
        if name == "image_size" and type(found["input"]) is int:
            nearest = next((size for size in IMAGE_SIZES if size >= found["input"]), 128)
            expected += f", a 4 that is doubled by every block; the next is {nearest}"
        for word in ("greater", "less"):
            expected = expected.replace(f"expected {word}", f"expected a number {word}")
        raise InputError(f"{name} is {found['input']!r}; {expected}") from None


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Hyperparameters:
    """What a run trains, on what, and how. The defaults are those of the preset `laptop`."""

    # A value that cannot work raises InputError, with the value and what was expected.

    dataset: DatasetName = "mnist-5k"
    """Images to imitate; `folder` takes any folder of pictures (--data-root)."""
    max_images: Count | None = None
    """Use only this many images, spread evenly over the data set (None: all)."""
    image_channels: Literal[1, 3] = 1
    """1 for grey, 3 for RGB, which `stacked-mnist` and `mnist-photos` need."""
    image_size: Literal[32, 64, 128] = IMAGE_SIZE
    """Height and width in pixels; each doubling is one block more in both networks."""
    classes: Literal["none", "labels", "clusters"] = "none"
    """What both networks are told of an image: nothing, its label, or its cluster of pixels."""
    cluster_count: Annotated[int, Field(strict=True, ge=2)] = 50
    """Number of clusters (only for `clusters`)."""
    latent_dim: Count = 100
    """Length of the noise vector z."""
    generator_features: Count = 16
    """Generator width: its first layer has 16 times as many channels."""
    discriminator_features: Count = 16
    """Discriminator width: its last hidden layer has 8 times as many channels."""
    batch_norm: Switch = True
    """Batch normalisation where the paper has it; off gives the article's networks."""
    batch_norm_mean: Number = 1.0
    """Mean of the initial batch-norm scales; the article's initialisation has 0."""
    learning_rate: Positive = 1e-3
    """Adam's step size, for both networks, at the first step."""
    discriminator_learning_rate: Positive | None = None
    """Adam's step size for the discriminator, if it is to be another (None: the same)."""
    learning_rate_schedule: Literal["constant", "linear"] = "linear"
    """`linear` lets the step size fall to 0 over the whole run; such a run cannot grow."""
    betas: tuple[Share, Share] = (0.0, 0.999)
    """Adam's decay rates for the mean and the square of the gradient."""
    instance_noise: PositiveOrZero = 0.4
    """Standard deviation of noise added to all that the discriminator sees."""
    distortion: Share = 0.0
    """How much each real image is stretched, slanted and moved at random (0.04: by about 4%)."""
    batch_size: Count = 64
    """Real images a step, over all processes; as many fakes are made."""
    epochs: Count = 30
    """Passes over the data set."""
    ema_decay: Share = 0.997
    """Share of the old value a step keeps in the generator's moving average."""
    precision: Precision = "auto"
    """Arithmetic of the networks; `auto` takes bf16 where it is measured to be faster."""
    seed: Seed = 0
    """Start of every random number: weights, order of the images, noise."""
    log_every: Count = 50
    """Steps between two log entries, image grids included."""
    checkpoint_every: Count = 200
    """Steps between two checkpoints, which is the most work a crash can cost."""
    evaluate_every: CountOrZero = 0
    """Steps between two scores of 1,000 fakes, as `evaluate` gives them; 0 for none."""
    workers: CountOrZero = 2
    """Processes that read image files (only for `folder`)."""

    @model_validator(mode="wrap")
    @classmethod
    def _check(cls, values: Any, handler: Any) -> Any:
        with in_one_sentence():
            return handler(values)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Hyperparameters":
        """The hyperparameters in a dictionary such as `asdict` gives. Raises InputError."""
        # A run folder from before these two were there was made without them.
        older: dict[str, Any] = {"learning_rate_schedule": "constant", "instance_noise": 0.0}
        return cls(**older | values)

    def learning_rates_at(self, step: int, total: int) -> tuple[float, float]:
        """Adam's step sizes after `step` of `total` steps: generator's and discriminator's."""
        left = max(0.0, 1 - step / total) if self.learning_rate_schedule == "linear" else 1.0
        other = self.discriminator_learning_rate or self.learning_rate
        return self.learning_rate * left, other * left


PLAIN: dict[str, Any] = {
    "learning_rate": 5e-4,
    "discriminator_learning_rate": None,
    "learning_rate_schedule": "constant",
    "betas": (0.5, 0.999),
    "instance_noise": 0.0,
    "distortion": 0.0,
    "ema_decay": 0.99,
}
"""The plainest loop: a constant rate, the paper's momentum (Radford et al. 2016, section 4) and
no noise. Notebook 07 trains with it, and 05, 09 and 11 vary it; `laptop` is tuned beyond it."""

FULL_SIZE: dict[str, Any] = PLAIN | {
    "dataset": "mnist",
    "generator_features": 64,
    "discriminator_features": 64,
    "learning_rate": 2e-4,
    "batch_size": 128,
    "log_every": 100,
    "checkpoint_every": 469,  # steps of an epoch
}
"""What the article and the paper have in common."""

WITH_CLASSES: dict[str, Any] = {"distortion": 0.04, "epochs": 22}
WITH_CLASSES |= {"learning_rate": 2e-3, "discriminator_learning_rate": 1e-3}
"""What `digits` and `clusters` change in `laptop`, beside the classes."""

PRESETS = {
    # Minutes on two CPU cores; makes the outputs stored in the notebooks.
    "laptop": Hyperparameters(),
    # With classes: the digit that is asked for; without labels, groups of similar images.
    "digits": Hyperparameters(**WITH_CLASSES, classes="labels"),
    "clusters": Hyperparameters(**WITH_CLASSES, classes="clusters"),
    # Seconds; what the tests run.
    "ci": Hyperparameters(
        **PLAIN,
        max_images=500,
        generator_features=4,
        discriminator_features=4,
        batch_size=32,
        epochs=2,
        precision="fp32",
        log_every=8,
        checkpoint_every=10,
    ),
    # The article's numbers, batch normalisation commented out as it is there.
    "article": Hyperparameters(**FULL_SIZE, batch_norm=False, epochs=30, precision="fp32"),
    # Radford et al. 2016, section 4 (batch 128, Adam 0.0002 and 0.5), with the width of
    # its figure 1; 25 epochs as in the authors' code. For a GPU.
    "paper": Hyperparameters(**FULL_SIZE | {"ema_decay": 0.999}, epochs=25),
}

PRESET_VARIABLE = "DCGAN_PRESET"
"""Environment variable that names the preset the notebooks run with."""


def preset(name: str | None = None) -> Hyperparameters:
    """The preset called `name`; without a name, the one the environment asks for.

    Notebooks call it without a name: a reader gets `laptop`, the tests set the variable
    `DCGAN_PRESET` to `ci`. Raises InputError for an unknown name.
    """
    name = name or os.environ.get(PRESET_VARIABLE, "laptop")
    if name not in PRESETS:
        raise InputError(f"preset is {name!r}; expected one of {', '.join(PRESETS)}")
    return PRESETS[name]
