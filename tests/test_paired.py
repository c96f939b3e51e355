"""What pairs of the same seed allow to say, and the figures that show them."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dcgan_helpers.figures import runs
from dcgan_helpers.quality.tables import spread
from dcgan_helpers.studies.paired import compared, seen

FLOOR = {"fid": (5.0, 3.0, 8.0), "precision": (0.9, 0.88, 0.92), "recall": (0.8, 0.75, 0.85)}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def rows(fids, step=632):
    """The rows of a choice, with the seeds 1, 2, 3."""
    measures = {"precision": 0.5, "recall": 0.25, "step": step}
    return pd.DataFrame({"seed": [1, 2, 3], "fid": fids}).assign(**measures)


@pytest.mark.parametrize(
    ("fid", "usual", "expected"),
    [
        ((200, 220, 240), (50, 55, 60), "effect: worse"),
        ((20, 22, 24), (50, 55, 60), "effect: better"),
        ((45, 56, 50), (50, 55, 60), "no difference seen"),  # two better, one worse
        ((52, 57, 63), (50, 55, 60), "no difference seen"),  # less than the usual seeds differ
        ((60, 300, 3000), (50, 55, 60), "no difference seen"),  # less than its own differ
        ((50, 55, 60), (50, 55, 60), "no difference seen"),
    ],
)
def test_effect_needs_all_seeds_and_more_than_their_spread(fid, usual, expected):
    assert seen(np.array(fid), np.array(usual)) == expected


def test_spread_is_median_lowest_and_highest():
    assert spread([3.04, 1.0, 8.06], 1) == "3.0 (1.0 to 8.1)"
    assert spread((4.9, 3.2, 8.3)) == "5 (3 to 8)"


def test_table_has_pairs_and_the_floor_below_them():
    found = {"usual": rows([50.0, 60.0, 70.0]), "other": rows([210.0, 150.0, 200.0])}
    table = compared(found, "usual", FLOOR)
    assert list(table.index) == ["usual", "other", "floor"]
    assert table.loc["usual", ["FID", "times usual", "seen"]].tolist() == [
        "60.0 (50.0 to 70.0)", "", "",
    ]  # fmt: skip
    assert table.loc["other", ["FID", "times usual", "seen"]].tolist() == [
        "200 (150 to 210)", "2.86 (2.50 to 4.20)", "effect: worse",
    ]  # fmt: skip
    assert table.loc["floor", ["FID", "recall"]].tolist() == [
        "5.0 (3.0 to 8.0)", "0.80 (0.75 to 0.85)",
    ]  # fmt: skip


def test_dots_of_one_seed_are_joined():
    _, ax = plt.subplots()
    found = {"usual": rows([50.0, 60.0, 70.0]), "a longer name": rows([200.0, 150.0, 210.0])}
    runs.show_pairs(ax, found, FLOOR["fid"])
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert list(lines) == ["seed 1", "seed 2", "seed 3"]
    assert lines["seed 2"].get_xydata().tolist() == [[0, 60], [1, 150]]
    assert len({line.get_color() for line in lines.values()}) == 3
    low, high = ax.patches[0].get_bbox().intervaly
    assert (low, high) == (3, 8) and ax.get_yscale() == "log"


def test_runs_of_one_label_share_it():
    _, ax = plt.subplots()
    both = pd.concat([rows([50.0, 60.0, 70.0], step) for step in (158, 316)])
    runs.show_runs(ax, both, "step", "fid", "noise", color="C5")
    assert [line.get_color() for line in ax.get_lines()] == ["C5"] * 3
    assert len({line.get_marker() for line in ax.get_lines()}) == 3
    assert ax.get_legend_handles_labels()[1] == ["noise"]
    assert ax.get_lines()[2].get_xydata().tolist() == [[158, 70], [316, 70]]


def test_choices_stand_beside_their_fakes(tmp_path):
    found = {"usual": rows([50.0, 60.0, 70.0]), "other": rows([200.0, 150.0, 210.0])}
    shown = {}
    for grey, name in enumerate(found):
        Image.new("L", (80, 10), 100 * grey).save(tmp_path / f"{name}.png")
        shown[name] = tmp_path / f"{name}.png", f"{name}, seed 1"
    figure = runs.show_choices(found, shown, FLOOR["fid"], "A comparison")
    pairs, *others = figure.axes
    assert figure.get_suptitle() == "A comparison" and len(pairs.get_lines()) == 3
    assert [ax.get_title() for ax in others] == ["usual, seed 1", "other, seed 1"]
    assert [int(ax.images[0].get_array()[0, 0, 0]) for ax in others] == [0, 100]
