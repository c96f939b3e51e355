"""Presets, old run folders, and one sentence for a wrong value, wherever it comes from."""

import json
import math
from dataclasses import asdict, replace

import pytest

from dcgan_helpers import InputError, run_folder
from dcgan_helpers.__main__ import main
from dcgan_helpers.hyperparameters import PLAIN, PRESETS, Hyperparameters, preset

CI = preset("ci")


def test_article_and_paper_presets():
    article, paper = PRESETS["article"], PRESETS["paper"]
    for p in (article, paper):
        assert (p.generator_features, p.discriminator_features, p.batch_size) == (64, 64, 128)
        assert (p.learning_rate, p.betas, p.latent_dim) == (2e-4, (0.5, 0.999), 100)
        assert (p.learning_rate_schedule, p.instance_noise) == ("constant", 0)
    assert (article.batch_norm, article.epochs, paper.batch_norm) == (False, 30, True)


def test_run_folder_older_than_the_tuned_preset_means_what_it_meant():
    values = asdict(replace(PRESETS["laptop"], **PLAIN))
    older = {
        k: v for k, v in values.items() if k not in {"learning_rate_schedule", "instance_noise"}
    }
    assert Hyperparameters.from_dict(older) == Hyperparameters(**values) != PRESETS["laptop"]


@pytest.mark.parametrize(
    "values, message",
    [
        ({"batch_size": 0}, "batch_size is 0; expected a number greater than or equal to 1"),
        ({"epochs": -3}, "epochs is -3"),
        ({"latent_dim": 1.5}, "latent_dim is 1.5"),
        ({"image_size": 28}, "image_size is 28; expected 32, 64 or 128.*the next is 32"),
        ({"image_channels": 2}, "image_channels is 2; expected 1 or 3"),
        ({"learning_rate": math.nan}, "learning_rate is nan; expected a finite number"),
        ({"betas": (0.5, 1.0)}, r"betas\[1\] is 1.0; expected a number less than 1"),
        ({"ema_decay": 1}, "ema_decay is 1; expected"),
        ({"dataset": "cifar"}, "dataset is 'cifar'; expected 'mnist-5k', 'mnist'"),
        ({"precision": "int8"}, "precision is 'int8'"),
        ({"learning_rate_schedule": "cosine"}, "'cosine'; expected 'constant' or 'linear'"),
        ({"max_images": 0}, "max_images is 0"),
        ({"seed": True}, "seed is True; expected a valid integer"),
        ({"seed": -1}, "seed is -1; expected a number greater than or equal to 0"),
        ({"seed": 2**32}, "seed is 4294967296; expected a number less than 4294967296"),
        ({"learning_rate": True}, "learning_rate is True; expected a valid number"),
        ({"batch_norm": "yes"}, "batch_norm is 'yes'; expected a valid boolean"),
        ({"batch_size": "many"}, "batch_size is 'many'; expected a valid integer"),
        ({"width": 3}, "unknown hyperparameter 'width'"),
    ],
)
def test_bad_hyperparameters_are_named(values, message):
    with pytest.raises(InputError, match=message):
        Hyperparameters.from_dict(asdict(CI) | values)


@pytest.mark.parametrize(
    "name, value",
    [
        ("batch_size", 0), ("batch_size", "many"), ("seed", 2**32), ("dataset", "cifar"),
        ("image_channels", 2), ("learning_rate", "fast"), ("epochs", 1.5),
    ],
)  # fmt: skip
def test_one_sentence_from_python_json_and_the_command_line(name, value, tmp_path, capsys):
    with pytest.raises(InputError) as python:
        replace(CI, **{name: value})
    path = tmp_path / run_folder.HYPERPARAMETERS
    path.write_text(json.dumps(asdict(CI) | {name: value}))
    with pytest.raises(InputError) as file:
        run_folder.load_hyperparameters(tmp_path)
    assert main(["train", f"--{name.replace('_', '-')}", str(value)]) == 2
    sentence = str(python.value)
    assert sentence.startswith(f"{name} is {value!r}; expected ")
    assert str(file.value) == f"{path} is not usable: {sentence}"
    assert capsys.readouterr().err == f"error: {sentence}\n"


def test_notebooks_get_the_preset_that_the_environment_names(monkeypatch):
    monkeypatch.delenv("DCGAN_PRESET", raising=False)
    assert preset() is PRESETS["laptop"]
    monkeypatch.setenv("DCGAN_PRESET", "ci")
    assert preset() is PRESETS["ci"]
