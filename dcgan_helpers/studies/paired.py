"""What runs with the same seeds allow to say about a choice."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..quality.judge import Floor
from ..quality.tables import spread


def seen(fid: np.ndarray, usual: np.ndarray) -> str:
    """What FIDs allow to say beside the usual ones of the same seeds, in the same order."""
    ratios = fid / usual
    all_on_one_side = (ratios > 1).all() or (ratios < 1).all()
    median = np.median(ratios)
    seed_spread = max(fid.max() / fid.min(), usual.max() / usual.min())
    if not all_on_one_side or max(median, 1 / median) <= seed_spread:
        return "no difference seen"
    return "effect: better" if median < 1 else "effect: worse"


def compared(
    found: Mapping[Any, pd.DataFrame], usual: Any, floor: Mapping[str, Floor]
) -> pd.DataFrame:
    """Scores of choices as median, lowest and highest of their seeds, and the floor below them.

    `found` has the rows of each choice by its name, sorted by seed, `usual` is the name of one.
    """
    base, lines = found[usual]["fid"].to_numpy(), {}
    for name, rows in found.items():
        fid = rows["fid"].to_numpy()
        lines[name] = {
            "FID": spread(fid, 0 if fid.min() >= 100 else 1),
            "times usual": "" if name == usual else spread(fid / base, 2),
            "seen": "" if name == usual else seen(fid, base),
            "precision": spread(rows["precision"], 2),
            "recall": spread(rows["recall"], 2),
        }
    real = {"FID": spread(floor["fid"], 1), "times usual": "", "seen": ""}
    real |= {name: spread(floor[name], 2) for name in ("precision", "recall")}
    return pd.DataFrame(lines | {"floor": real}).T
