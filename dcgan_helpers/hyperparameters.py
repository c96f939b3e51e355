"""Every number that decides how a run goes, in one frozen dataclass with named presets."""

import math
import os
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from . import InputError

IMAGE_SIZE = 64
"""Height and width in pixels that both networks are built for (four doublings of 4)."""

SCORED_IMAGES = 5000
"""Images a side in a score, unless told otherwise: as many as there are embedded digits."""

DatasetName = Literal["mnist-5k", "mnist", "fashion-mnist", "stacked-mnist", "folder"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]
Schedule = Literal["constant", "linear"]


@dataclass(frozen=True)
class Hyperparameters:
    """What a run trains, on what, and how. The defaults are those of the preset `laptop`."""

    # A value that cannot work raises InputError, with the value and what was expected.

    dataset: DatasetName = "mnist-5k"
    """Images to imitate; `folder` takes any folder of pictures (--data-root)."""
    max_images: int | None = None
    """Use only this many images, spread evenly over the data set (None: all)."""
    image_channels: int = 1
    """1 for grey, 3 for RGB; works for every data set."""
    image_size: int = IMAGE_SIZE
    """Height and width in pixels; the networks are built for 64."""
    latent_dim: int = 100
    """Length of the noise vector z."""
    generator_features: int = 16
    """Generator width: its first layer has 16 times as many channels."""
    discriminator_features: int = 16
    """Discriminator width: its last hidden layer has 8 times as many channels."""
    batch_norm: bool = True
    """Batch normalisation where the paper has it; off gives the article's networks."""
    batch_norm_mean: float = 1.0
    """Mean of the initial batch-norm scales; the article's initialisation has 0."""
    learning_rate: float = 1e-3
    """Adam's step size, for both networks, at the first step."""
    learning_rate_schedule: Schedule = "linear"
    """`linear` lets the step size fall to 0 over the whole run; such a run cannot grow."""
    betas: tuple[float, float] = (0.0, 0.999)
    """Adam's decay rates for the mean and the square of the gradient."""
    instance_noise: float = 0.4
    """Standard deviation of noise added to all that the discriminator sees."""
    batch_size: int = 64
    """Real images a step, over all processes; as many fakes are made."""
    epochs: int = 30
    """Passes over the data set."""
    ema_decay: float = 0.997
    """Share of the old value a step keeps in the generator's moving average."""
    precision: Precision = "auto"
    """Arithmetic of the networks; `auto` takes bf16 where it is measured to be faster."""
    seed: int = 0
    """Start of every random number: weights, order of the images, noise."""
    log_every: int = 50
    """Steps between two log entries, image grids included."""
    checkpoint_every: int = 200
    """Steps between two checkpoints, which is the most work a crash can cost."""
    evaluate_every: int = 0
    """Steps between two scores of 5,000 fakes, as `evaluate` gives them; 0 for none."""
    workers: int = 2
    """Processes that read image files (only for `folder`)."""

    def __post_init__(self):
        if isinstance(self.betas, list):  # JSON has no tuples
            object.__setattr__(self, "betas", tuple(self.betas))
        for name, (expected, is_valid) in RULES.items():
            value = getattr(self, name)
            if not is_valid(value):
                raise InputError(f"{name} is {value!r}; expected {expected}")

    @classmethod
    def from_dict(cls, values):
        """The hyperparameters in a dictionary such as `asdict` gives. Raises InputError."""
        # A run folder from before these two were there was made without them.
        values = {"learning_rate_schedule": "constant", "instance_noise": 0.0} | values
        unknown = set(values) - set(cls.__dataclass_fields__)
        if unknown:
            raise InputError(f"unknown hyperparameter {sorted(unknown)[0]!r}")
        return cls(**values)

    def learning_rate_at(self, step, total):
        """Adam's step size after `step` of `total` steps."""
        left = max(0.0, 1 - step / total) if self.learning_rate_schedule == "linear" else 1.0
        return self.learning_rate * left

    def differences(self, other):
        """Names and both values of the fields in which two sets differ, as one text."""
        mine, theirs = asdict(self), asdict(other)
        return ", ".join(
            f"{name} {theirs[name]} instead of {mine[name]}"
            for name in mine
            if mine[name] != theirs[name]
        )


def _is_int(value, low=-math.inf):
    return isinstance(value, int) and not isinstance(value, bool) and value >= low


def _is_number(value, low=-math.inf, high=math.inf):
    """True for a finite number in [low, high)."""
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and math.isfinite(value) and low <= value < high


def _one_of(type_of_choice):
    choices = get_args(type_of_choice)
    return f"one of {', '.join(choices)}", lambda value: value in choices


_POSITIVE = "a whole number of at least 1", lambda value: _is_int(value, low=1)
_NOT_NEGATIVE = "a whole number of at least 0", lambda value: _is_int(value, low=0)

# For each field what is expected, in words and as a test.
RULES = {
    "dataset": _one_of(DatasetName),
    "max_images": ("None or " + _POSITIVE[0], lambda v: v is None or _is_int(v, low=1)),
    "image_channels": ("1 (grey) or 3 (RGB)", lambda v: _is_int(v) and v in (1, 3)),
    "image_size": (f"{IMAGE_SIZE}", lambda v: _is_int(v) and v == IMAGE_SIZE),
    "latent_dim": _POSITIVE,
    "generator_features": _POSITIVE,
    "discriminator_features": _POSITIVE,
    "batch_norm": ("True or False", lambda v: isinstance(v, bool)),
    "batch_norm_mean": ("a finite number", _is_number),
    "learning_rate": ("a number above 0", lambda v: _is_number(v) and v > 0),
    "learning_rate_schedule": _one_of(Schedule),
    "betas": (
        "two numbers in [0, 1)",
        lambda v: isinstance(v, tuple) and len(v) == 2 and all(_is_number(b, 0, 1) for b in v),
    ),
    "instance_noise": ("a number of at least 0", lambda v: _is_number(v, 0)),
    "batch_size": _POSITIVE,
    "epochs": _POSITIVE,
    "ema_decay": ("a number in [0, 1)", lambda v: _is_number(v, 0, 1)),
    "precision": _one_of(Precision),
    "seed": _NOT_NEGATIVE,
    "log_every": _POSITIVE,
    "checkpoint_every": _POSITIVE,
    "evaluate_every": _NOT_NEGATIVE,
    "workers": _NOT_NEGATIVE,
}


PLAIN = {
    "learning_rate": 5e-4,
    "learning_rate_schedule": "constant",
    "betas": (0.5, 0.999),
    "instance_noise": 0.0,
    "ema_decay": 0.99,
}
"""The plainest loop: a constant rate, the paper's momentum (Radford et al. 2016, section 4) and
no noise. Notebook 07 trains with it, and 05, 09 and 11 vary it; `laptop` is tuned beyond it."""

PRESETS = {
    # Minutes on two CPU cores; makes the outputs stored in the notebooks.
    "laptop": Hyperparameters(),
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
    "article": Hyperparameters(
        dataset="mnist",
        generator_features=64,
        discriminator_features=64,
        batch_norm=False,
        **PLAIN | {"learning_rate": 2e-4},
        batch_size=128,
        epochs=30,
        precision="fp32",
        log_every=100,
        checkpoint_every=469,
    ),
    # Radford et al. 2016, section 4 (batch 128, Adam 0.0002 and 0.5), with the width of
    # its figure 1; 25 epochs as in the authors' code. For a GPU.
    "paper": Hyperparameters(
        dataset="mnist",
        generator_features=64,
        discriminator_features=64,
        **PLAIN | {"learning_rate": 2e-4, "ema_decay": 0.999},
        batch_size=128,
        epochs=25,
        log_every=100,
        checkpoint_every=469,
    ),
}

PRESET_VARIABLE = "DCGAN_PRESET"
"""Environment variable that names the preset the notebooks run with."""


def preset(name=None):
    """The preset called `name`; without a name, the one the environment asks for.

    Notebooks call it without a name: a reader gets `laptop`, the tests set the variable
    `DCGAN_PRESET` to `ci`. Raises InputError for an unknown name.
    """
    name = name or os.environ.get(PRESET_VARIABLE, "laptop")
    if name not in PRESETS:
        raise InputError(f"preset is {name!r}; expected one of {', '.join(PRESETS)}")
    return PRESETS[name]
