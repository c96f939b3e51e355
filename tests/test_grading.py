"""`grade` gives a row to whatever students send."""

import csv
import json

import pytest

from dcgan_helpers import InputError
from dcgan_helpers.__main__ import main
from dcgan_helpers.exercises import EXERCISES, grading

RIGHT = """def whole_gain(share, gain):
    return 1 / (1 - share + share / gain)
whole_gain = exercises.whole_gain(whole_gain)"""
WRONG = RIGHT.replace("share / gain)", "gain)")
STUB = RIGHT.replace("return 1 / (1 - share + share / gain)", "...  # your code")
KL = """kl_of_99 = math.log(1000 / 99)
kl_of_99 = exercises.kl_of_99(kl_of_99)"""
# Nobody's thread can be interrupted in here: the process must end.
ENDLESS = RIGHT.replace("return 1", "return sum(9 ** 9 ** 9 for _ in [0])")
QUITS = RIGHT.replace("return 1", "import os; os._exit(0)")
STEP = """def training_step(generator, discriminator, opt_gen, opt_disc, real, z):
    fakes = generator(z)
    loss = discriminator_loss(discriminator, real, fakes)
    opt_disc.zero_grad(); loss.backward(); opt_disc.step()
    loss_gen = generator_loss(discriminator, fakes)
    opt_gen.zero_grad(); loss_gen.backward(); opt_gen.step()
    return loss.item(), loss_gen.item()
training_step = exercises.training_step(training_step)"""
HELPER = """%matplotlib inline
import math
def generator_loss(discriminator, fake):
    logits = discriminator(fake)
    return bce(logits, torch.ones_like(logits))
raise RuntimeError("training is not run")"""


def notebook(*cells):
    """A notebook as students send them: no metadata, no outputs."""
    return json.dumps({"cells": [{"cell_type": "code", "source": c} for c in cells]})


SENT = {
    "ada.ipynb": notebook(RIGHT, KL),
    "group/wrong (1).ipynb": notebook(WRONG, KL),
    "lines.ipynb": notebook("x = 1000\n" + KL.replace("1000 / 99", "x / 99")),
    "copied.ipynb": notebook(WRONG, KL, RIGHT),  # the last definition counts
    "untouched.ipynb": notebook(STUB),
    "no python.ipynb": notebook(RIGHT.replace("):", ")"), KL),
    "endless.ipynb": notebook(ENDLESS, KL),
    "quits.ipynb": notebook(QUITS, KL),
    "step.ipynb": notebook(HELPER, STEP),
    "truncated.ipynb": notebook(RIGHT)[:-20],
    "empty.ipynb": "",
    "other.ipynb": notebook("x = 1"),
}
ONE, TWO, THREE = (
    next(number for number, each in EXERCISES.items() if each.name == name)
    for name in ("whole_gain", "kl_of_99", "training_step")
)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sent")
    for name, text in SENT.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    output = folder / "table.csv"
    assert grading.grade_all(folder, output, seed=3, limit=2) == f"{len(SENT)} notebooks: {output}"
    with output.open(newline="", encoding="utf-8") as file:
        return {row["file"].replace("\\", "/"): row for row in csv.DictReader(file)}


def test_each_notebook_has_a_row(rows):
    assert set(rows) == set(SENT)
    for row in rows.values():
        assert set(row) == {"file", "points", "remark", *EXERCISES}


@pytest.mark.parametrize(
    "name, one, two, remark",
    [
        ("ada.ipynb", "1", "1", ""),
        ("group/wrong (1).ipynb", "0", "1", f"{ONE} not yet: "),
        ("lines.ipynb", "", "1", ""),
        ("copied.ipynb", "1", "1", ""),
        ("untouched.ipynb", "0", "", f"{ONE} not answered yet"),
        (
            "no python.ipynb",
            "0",
            "1",
            f"{ONE} not yet: the cell is no Python (expected ':', line 1)",
        ),
        ("endless.ipynb", "0", "1", f"{ONE} not yet: no result after 2 s"),
        ("quits.ipynb", "0", "1", f"{ONE} not yet: the code ends the program"),
        ("truncated.ipynb", "", "", "cannot be read ("),
        ("empty.ipynb", "", "", "cannot be read ("),
        ("other.ipynb", "", "", "has no exercise of the series"),
    ],
)
def test_points_and_remark(rows, name, one, two, remark):
    row = rows[name]
    assert (row[ONE], row[TWO]) == (one, two)
    assert row["points"] == str((one, two).count("1"))
    assert row["remark"].startswith(remark) and bool(row["remark"]) == bool(remark)


def test_an_answer_may_use_what_the_notebook_defines(rows):
    assert (rows["step.ipynb"][THREE], rows["step.ipynb"]["points"]) == ("1", "1")


def test_bad_input_is_one_line(tmp_path, capsys):
    for folder, text in ((tmp_path / "none", "is not a folder"), (tmp_path, "holds no notebook")):
        assert main(["grade", str(folder)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert text in line
    (tmp_path / "a.ipynb").write_text(notebook(KL), encoding="utf-8")
    with pytest.raises(InputError, match=r"the folder of --output .* is missing"):
        grading.grade_all(tmp_path, tmp_path / "no" / "t.csv", 0)
