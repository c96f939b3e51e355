"""The figures and tables of notebook 14, by hand-made numbers and by the shipped tables."""

import base64
import io
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from dcgan_helpers import InputError, benchmark
from dcgan_helpers.quality.tables import medians
from dcgan_helpers.studies import cures, flow, points, read_results, show, show_points


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def milliseconds():
    return medians(flow.read_times(), "work", value="milliseconds")["median"]


def frames_of(text):
    with Image.open(io.BytesIO(base64.b64decode(re.search('base64,([^"]+)', text)[1]))) as gif:
        return gif.n_frames


def drawn(figure):
    """The axes that have data, without empty places of a grid."""
    return [ax for ax in figure.axes if ax.has_data()]


@pytest.mark.parametrize(
    "values, expected",
    [
        ([5.0, 6.0, 7.0], "effect: better"),  # by 5, and the spread of both is 2
        ([15.0, 16.0, 17.0], "effect: worse"),
        ([8.5, 9.5, 10.5], "no difference seen"),  # one sign, less than the spread
        ([8.0, 9.0, 10.0], "no difference seen"),  # as much as the spread
        ([0.0, 1.0, 12.1], "no difference seen"),  # two signs
        ([1.0, 2.0, 11.9], "no difference seen"),  # one sign, but its own spread is wide
    ],
)
def test_an_effect_needs_one_sign_and_more_than_the_spread_of_both(values, expected):
    assert show.difference_seen(np.array(values), np.array([10.0, 11.0, 12.0])) == expected


def test_two_seeds_show_no_effect_and_unequal_ones_are_told():
    assert show.difference_seen(np.zeros(2), np.ones(2) * 50) == "no difference seen"
    with pytest.raises(InputError, match=r"2 scores against 3; .* run the study to its end"):
        show.difference_seen(np.zeros(2), np.zeros(3))


def test_spread_is_median_and_ends():
    assert show.spread(np.array([3.0, 1.0, 2.26])) == "2.3 (1.0 to 3.0)"
    assert show.spread([0.5], "{:.0%}") == "50% (50% to 50%)"
    assert show.spread([]) == ""


def results(**fids):
    """A table of the study `cures` with three seeds, last seed first."""
    rows = [
        {"base": base, "cure": cure, "equal": "time", "images": 4000, "seed": seed, "fid": fid}
        for (base, cure), values in fids["fids"].items()
        for seed, fid in reversed(list(enumerate(values, 1)))
    ]
    return pd.DataFrame(rows)


def test_cures_table_pairs_the_seeds_and_says_what_is_seen():
    table = results(
        fids={
            ("laptop", "as it is"): (10.0, 11.0, 12.0),
            ("laptop", "hinge loss"): (5.0, 6.0, 7.0),
            ("laptop", "R1"): (20.0, 21.0, 22.0),
            ("digits", "as it is"): (4.0, 5.0, 6.0),
        }
    )
    assert show.fids(table, "laptop", "R1").tolist() == [20.0, 21.0, 22.0]
    cost = dict.fromkeys(cures.CURES, 1.0) | {"R1": 1.5}
    made = show.cures_table(table, cost)
    assert list(made.index) == list(cures.CURES)
    usual = "11.0 (10.0 to 12.0)"
    assert made.loc["as it is"].tolist() == ["1.00", usual, usual, "5.0 (4.0 to 6.0)"]
    better = "6.0 (5.0 to 7.0), effect: better"  # a cheap step: one run serves for both
    assert made.loc["hinge loss"].tolist() == ["1.00", better, better, ""]
    assert made.loc["R1"].tolist() == ["1.50", "21.0 (20.0 to 22.0), effect: worse", "", ""]


def test_few_table_has_a_column_for_each_number_of_images():
    made = show.few_table(read_results("cures"))
    assert list(made.columns) == ["500 images", "1,000 images", "4,000 images"]
    assert list(made.index) == list(cures.FEW[500])
    assert not made["500 images"].eq("").any() and made.loc["only cutout", "4,000 images"] == ""


def test_points_table_is_of_all_seeds():
    rows = [
        {"target": target, "cure": "R1", "seed": n, "step": 9, "covered": 6 + n, "good": n / 4}
        for target in points.TARGETS
        for n in range(3)
    ]
    made = show_points.points_table(pd.DataFrame(rows))
    assert made.loc["R1"].tolist() == ["7 (6 to 8)", "0.25 (0.00 to 0.50)"] * 2
    assert made.columns[0] == "ring: covered of 8" and made.columns[3] == "grid: good"


def test_tables_of_the_flow_have_a_row_for_each_run_and_sampler(milliseconds):
    flows, race = read_results("flow"), benchmark.read("quality", benchmark.HELD_OUT)
    made = show.same_time_table(flows, race)
    assert len(made) == len(flow.BUDGETS) * len(flow.SETTINGS) + 2
    assert list(made.columns) == ["FID", "sure", "recall"]
    own = race[(race["recipe"] == "digits") & (race["at"] == 300)]
    assert made.iloc[-1]["FID"] == show.spread(own["fid"])
    end = flows[(flows["budget"] == 2000) & (flows["at"] == 2000)]
    made = show.sampling_table(end, milliseconds)
    assert list(made.index) == [*(f"{n} {name}" for name, n in flow.SAMPLINGS), "GAN, one pass"]
    own = end[(end["sampler"] == "heun") & (end["sampling_steps"] == 5)]
    own = own[own["setting"] == "labels"]["fid"]
    assert made.loc["5 heun", "FID, labels"] == show.spread(own) and len(own) == 3


def test_plots_have_titles_and_axis_labels(milliseconds):
    flows, race = read_results("flow"), benchmark.read("quality", benchmark.HELD_OUT)
    over_steps = show_points.over_steps(read_results("points"))
    assert over_steps._suptitle.get_text()
    assert all(ax.get_ylabel() for ax in over_steps.axes)
    assert all(ax.get_title() or ax.get_xlabel() for ax in over_steps.axes)
    for figure in (
        show.differences(read_results("cures")),
        show.fid_against_time(flows, race, milliseconds, (3.0, 8.0)),
    ):
        for ax in figure.axes:
            assert ax.get_title() and ax.get_xlabel() and ax.get_ylabel()


def test_a_cure_stands_below_the_unchanged_presets():
    table = read_results("cures")
    figure = show.cure(table, "two rates", "R1")
    titles = [ax.get_title() for ax in drawn(figure)]
    names = [title.partition("\n")[0] for title in titles]
    assert names == [
        "laptop, as it is", "digits, as it is", "laptop, two rates", "laptop, R1", "digits, R1",
    ]  # fmt: skip
    assert titles[3].endswith(
        show.score(*(show.fids(table, "laptop", n) for n in ("R1", "as it is")))
    )
    with pytest.raises(InputError, match="no cure is called R9; there are as it is, "):
        show.cure(table, "R9")


def test_rows_of_images_are_labelled_in_their_middle():
    images = {1: torch.ones(10, 1, 8, 8), 2: -torch.ones(10, 1, 8, 8)}
    (ax,) = show.image_rows(images, "Title", "steps", list("abcdefghij")).axes
    picture = ax.images[0].get_array()
    assert [picture[int(y), 5] for y in ax.get_yticks()] == [1, 0]
    assert len(ax.get_xticklabels()) == 10 and ax.get_title() == "Title"
    (ax,) = show.rivals().axes
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["flow, plain", "GAN laptop", "flow, labels", "GAN digits"]


def test_points_are_drawn_after_some_steps_and_move():
    clouds = {name: {s: torch.rand(9, 2) + s for s in (0, 1, 2)} for name in ("one", "two")}
    figure = show_points.strip(clouds, (0, 2), points.TARGETS["ring"])
    assert [ax.get_title() for ax in figure.axes] == ["step 0", "step 2"] * 2
    assert figure._suptitle.get_text() and figure.axes[2].get_ylabel() == "two"
    offsets = figure.axes[1].collections[0].get_offsets()
    assert np.allclose(offsets, clouds["one"][2])
    text = show_points.animate_points(clouds, points.TARGETS["ring"])
    assert 'alt="Fakes of one and two move in the plane, step 2 at the end"' in text
    assert frames_of(text) == 3
    assert len(show_points.last_points().axes) == 2 * len(points.CURES)


def test_images_move_from_state_to_state():
    states = [torch.full((3, 1, 8, 8), value) for value in (-2.0, 0.0, 1.0)]
    text = show.animate_rows(states, 'a "quoted" name')
    assert 'alt="a &quot;quoted&quot; name"' in text and frames_of(text) == 3
