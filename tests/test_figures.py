import matplotlib.pyplot as plt
import pytest
import torch
from PIL import Image

from dcgan_helpers import InputError, figures, run_folder
from dcgan_helpers.__main__ import main
from dcgan_helpers.figures import article
from dcgan_helpers.hyperparameters import PRESETS
from dcgan_helpers.networks import Discriminator, Generator, generate


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def texts(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts if text.get_text()]


def test_architecture_has_the_modules_own_shapes_and_layers():
    generator, discriminator = Generator(7, 3, 2), Discriminator(3, 2, batch_norm=False)
    state = {name: value.clone() for name, value in generator.state_dict().items()}
    shown = texts(article.show_architecture(generator, discriminator))
    shapes = [text for text in shown if text.count("×") == 2]
    assert shapes == [
        "7 × 1 × 1", "32 × 4 × 4", "16 × 8 × 8", "8 × 16 × 16", "4 × 32 × 32", "3 × 64 × 64",
        "3 × 64 × 64", "2 × 32 × 32", "4 × 16 × 16", "8 × 8 × 8", "16 × 4 × 4", "1 × 1 × 1",
    ]  # fmt: skip
    layers = [text for text in shown if "stride" in text]
    assert layers[0].splitlines() == [
        "transposed conv", "4×4, stride 1", "padding 0", "batch norm", "ReLU",
    ]  # fmt: skip
    assert layers[4].endswith("Tanh")
    assert sum("batch norm" in text for text in layers) == 4  # the discriminator has none here
    assert all(torch.equal(value, state[name]) for name, value in generator.state_dict().items())
    assert generator.training


def test_moment_is_the_step_asked_for_or_the_one_before(finished_run):
    for step, shown in [(8, 8), (15, 8), (16, 16), (10**9, 32), (0, 0)]:
        (ax,) = figures.show_moment(finished_run, step).axes
        assert ax.get_title() == f"32 fakes after {shown} updates"


def test_one_command_makes_all_pictures(finished_run, tmp_path):
    assert main(["figures", str(finished_run), "--output", str(tmp_path / "images")]) == 0
    names = ["architecture.png", "early.png", "later.png", "timeline.png"]
    assert sorted(path.name for path in (tmp_path / "images").iterdir()) == names
    for name in names:
        with Image.open(tmp_path / "images" / name) as image:
            assert image.width >= 1000  # legible on a projector
            assert image.convert("RGBA").getpixel((1, 1)) == (255, 255, 255, 255)  # dark pages


def test_run_without_pictures_says_so(tmp_path):
    with pytest.raises(InputError, match="has no pictures in progress/; train it first"):
        figures.show_timeline(tmp_path)


def test_exported_networks_are_those_of_the_run(finished_run, tmp_path):
    assert main(["export", str(finished_run), "--output", str(tmp_path / "export")]) == 0
    ours, theirs = (run_folder.load_generator(f) for f in (tmp_path / "export", finished_run))
    difference = (generate(ours, 8) - generate(theirs, 8)).abs().max()
    assert 0 < difference < 2 / 255  # 16 bits instead of 32
    images = torch.rand(4, 1, 64, 64) * 2 - 1
    ours, theirs = (run_folder.load_discriminator(f) for f in (tmp_path / "export", finished_run))
    torch.testing.assert_close(ours(images), theirs(images), atol=0.02, rtol=0.02)


def test_shipped_networks_are_of_the_laptop_preset():
    assert run_folder.load_hyperparameters(run_folder.TRAINED) == PRESETS["laptop"]
    images = generate(run_folder.load_generator(run_folder.TRAINED), 100)
    assert images.shape == (100, 1, 64, 64)
    black = (images < -0.9).float().mean()
    assert 0.6 < black < 0.9  # digits on a black ground; the real ones have 0.78
    assert images.std(dim=0).mean() > 0.2  # and not all the same
    assert run_folder.load_discriminator(run_folder.TRAINED)(images).isfinite().all()
    size = sum(path.stat().st_size for path in run_folder.ASSETS.rglob("*") if path.is_file())
    assert size < 10e6
