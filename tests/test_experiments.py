import sys
from dataclasses import replace

import pytest
from PIL import Image

from dcgan_helpers import experiments
from dcgan_helpers.choices import STUDIED
from dcgan_helpers.hyperparameters import preset


@pytest.fixture
def small_study(monkeypatch):
    monkeypatch.setattr(experiments, "COMPARED", 20)
    monkeypatch.setattr(experiments, "VALUES", {"start": ("paper", "no-norm"), "features": (16, 4)})
    return replace(preset("ci"), max_images=64, epochs=1)


def test_study_goes_on_where_it_was(small_study, tmp_path, monkeypatch):
    output, runs = tmp_path / "output", tmp_path / "runs"
    whole = tmp_path / "whole"
    experiments.run_study(small_study, whole, runs, seeds=(1, 2), progress=False)
    rows = experiments.read_results(whole)
    assert len(rows) == 3 * 2  # the usual setting, shared by both knobs, is run once
    assert all(0 <= row["neighbour_accuracy"] <= 1 and row["steps"] == 2 for row in rows)
    assert not list(runs.iterdir())

    really, calls = experiments.train, []

    def breaks(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return really(*arguments, **options)

    monkeypatch.setattr(experiments, "train", breaks)
    with pytest.raises(KeyboardInterrupt):
        experiments.run_study(small_study, output, runs, seeds=(1, 2), progress=False)
    assert experiments.read_results(output) == rows[:3]
    experiments.run_study(small_study, output, runs, seeds=(1, 2), progress=False)
    assert len(calls) == 4 + 3
    assert experiments.read_results(output) == rows


def test_each_setting_reaches_the_hyperparameters():
    base = STUDIED
    by_name = {s["start"]: experiments.hyperparameters(s, 3, base) for s in experiments.settings()}
    assert by_name["no-norm"].batch_norm is False
    assert by_name["zero-scales"].batch_norm_mean == 0
    for setting in experiments.settings():
        h = experiments.hyperparameters(setting, 3, base)
        assert (h.learning_rate, h.betas[0]) == (setting["learning_rate"], setting["beta1"])
        assert h.generator_features == h.discriminator_features == setting["features"]
        assert h.seed == 3


def test_usual_setting_is_what_is_studied():
    h = experiments.hyperparameters(experiments.USUAL, STUDIED.seed, STUDIED)
    assert h == STUDIED


def test_shipped_results_are_complete():
    rows = experiments.read_results()
    for setting in experiments.settings():
        seeds = [r["seed"] for r in rows if all(r[name] == setting[name] for name in setting)]
        assert seeds == list(experiments.SEEDS)
        with Image.open(experiments.picture(setting)) as image:
            assert image.width > 8 * image.height * 0.9
    assert len(rows) == len(experiments.settings()) * len(experiments.SEEDS)


def test_command_runs_the_named_studies_or_all(monkeypatch, tmp_path, capsys):
    ran = []
    monkeypatch.setattr(experiments, "run_study", lambda *_: ran.append("hyperparameters"))
    monkeypatch.setattr(experiments.choices, "run_study", lambda _: ran.append("choices"))
    monkeypatch.setattr(experiments.modes, "run_study", lambda _: ran.append("modes"))
    for arguments, expected in [
        ([], ["hyperparameters", "choices", "modes"]),
        (["choices"], ["choices"]),
    ]:
        monkeypatch.setattr(sys, "argv", ["experiments", "--output", str(tmp_path), *arguments])
        experiments.main()
        assert ran == expected
        ran.clear()
    monkeypatch.setattr(sys, "argv", ["experiments", "mode"])
    with pytest.raises(SystemExit):
        experiments.main()
    assert "STUDY is 'mode'; expected one of hyperparameters" in capsys.readouterr().err
