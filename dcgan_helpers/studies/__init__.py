"""The studies behind the notebooks, three seeds a setting; what they find goes to `assets/`.

sensitivity  notebook 05: learning rate, beta1, width and initial weights, one at a time
choices      notebook 09: batch norm, losses, convolutions: the article's choices
stacked      notebook 11: how many of 1,000 kinds of image a generator draws
conditional  notebook 13: labels and clusters, by projection and by concatenation
points       notebook 14: what came after DCGAN, on points in a plane
cures        notebook 14: the same on digits, at equal training time
flow         notebook 14: flow matching, for the same time

A study is a file with a function `run_study(output)`, which fills `output/NAME.csv` and can be
stopped at any time: the same call goes on where it was. `python -m dcgan_helpers study NAME`
runs it.
"""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from ..hyperparameters import PLAIN, PRESETS
from ..quality import tables
from ..run_folder import ASSETS

PLAIN_LAPTOP = replace(PRESETS["laptop"], **PLAIN, generator_features=16, epochs=30)
"""Width 16, 30 epochs, the plainest loop: what these studies change one thing of."""
HALF_WIDTH = replace(PLAIN_LAPTOP, generator_features=8, discriminator_features=8, precision="fp32")
"""The same at width 8 and in 32 bits, so that the processor's kind does not matter."""
ROW_COUNT = 8
"""Fakes in a picture of a study."""


def read_results(study: str, folder: Path = ASSETS) -> pd.DataFrame:
    """The table of a study: a row for each setting, seed and scored step."""
    return tables.read(folder / f"{study}.csv")
