import subprocess
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch
from PIL import Image, ImageChops

from dcgan_helpers import InputError, figures, run_folder
from dcgan_helpers.__main__ import main
from dcgan_helpers.figures import animation, article, shapes
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


@pytest.mark.parametrize("kind", [Generator, Discriminator])
def test_sizes_are_drawn_from_the_networks_own_shapes(kind):
    networks = [kind(features=2, image_channels=3, image_size=size) for size in (32, 64, 128)]
    figure = shapes.show_sizes(networks, "Three sizes")
    assert figure.get_suptitle() == "Three sizes"
    expected = {
        Generator: [
            "3 × 32 × 32", "4 × 16 × 16", "8 × 8 × 8", "16 × 4 × 4", "100 × 1 × 1",
            "3 × 64 × 64", "4 × 32 × 32", "8 × 16 × 16", "16 × 8 × 8", "32 × 4 × 4",
            "100 × 1 × 1", "3 × 128 × 128", "4 × 64 × 64", "8 × 32 × 32", "16 × 16 × 16",
            "32 × 8 × 8", "64 × 4 × 4", "100 × 1 × 1",
        ],
        Discriminator: [
            "3 × 32 × 32", "2 × 16 × 16", "4 × 8 × 8", "8 × 4 × 4", "1 × 1 × 1",
            "3 × 64 × 64", "2 × 32 × 32", "4 × 16 × 16", "8 × 8 × 8", "16 × 4 × 4",
            "1 × 1 × 1", "3 × 128 × 128", "2 × 64 × 64", "4 × 32 × 32", "8 × 16 × 16",
            "16 × 8 × 8", "32 × 4 × 4", "1 × 1 × 1",
        ],
    }  # fmt: skip
    assert [text for text in texts(figure) if text.count("×") == 2] == expected[kind]
    boxes = figure.axes[0].patches
    hatched = [text for text, box in zip(expected[kind], boxes, strict=True) if box.get_hatch()]
    assert hatched == [next(s for s in expected[kind][n:] if "4 × 4" in s) for n in (5, 11)]
    # Below each other: the images, and maps with the same number of channels.
    middles = [round(box.get_x() + box.get_width() / 2, 6) for box in boxes]
    assert middles[0] == middles[5] == middles[11] and middles[3] == middles[8] == middles[14]
    # A step higher for twice the side: from 4×4 to 8×8 as from 64×64 to 128×128.
    heights = [box.get_height() for box in boxes]
    assert heights[14] - heights[15] == pytest.approx(heights[11] - heights[12]) == 1
    widths = [box.get_width() for box in boxes]
    assert (widths[14] > widths[13]) and widths[14] == widths[8] == widths[3]
    assert all(network.training for network in networks)


def test_stages_of_a_network_with_classes_begin_with_noise_and_class():
    assert shapes.layer_stages(Generator(7, 1, 2, classes=10))[0] == ([], (17, 1, 1))
    stages = shapes.layer_stages(Discriminator(1, 2, classes=10))
    assert [shape for _, shape in stages][-2:] == [(16, 4, 4), (1, 1, 1)]


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


def test_animation_shows_every_picture_with_its_step(finished_run, tmp_path):
    kept = sorted((finished_run / run_folder.PROGRESS).glob("step-*.png"))
    shown = animation.training_pictures(finished_run)
    assert len(shown) == len(kept) == 5
    for path, picture in zip(kept, shown, strict=True):
        with Image.open(path) as grid:
            below = (0, animation.CAPTION, grid.width, animation.CAPTION + grid.height)
            assert picture.crop(below).tobytes() == grid.convert("RGB").tobytes()
        assert picture.getpixel((0, 0)) == (255, 255, 255) and picture.height % 2 == 0
    captions = {picture.crop((0, 0, picture.width, 30)).tobytes() for picture in shown}
    assert len(captions) == len(kept)
    assert len(animation.training_pictures(finished_run, most=3)) == 3


@pytest.mark.parametrize("kind", ["gif", "html"])
def test_one_command_animates_a_run(kind, finished_run, tmp_path, capsys):
    path = tmp_path / f"training.{kind}"
    assert main(["figures", str(finished_run), "--animation", str(path)]) == 0
    assert capsys.readouterr().out.strip() == str(path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    if kind == "gif":
        with Image.open(path) as gif:
            assert gif.n_frames == 5 and gif.info["loop"] == 0
            gif.seek(4)
            assert gif.info["duration"] == 3000
            last = Image.open(sorted((finished_run / run_folder.PROGRESS).iterdir())[-1])
            drawn = gif.convert("L").crop((0, 30, last.width, 30 + last.height))
            assert ImageChops.difference(drawn, last.convert("L")).getextrema()[1] < 32
            assert len(gif.convert("RGB").getcolors()) <= animation.GREYS
    else:
        page = path.read_text(encoding="utf-8")
        assert page.count("data:image/png;base64,") == 5 and "http" not in page


def test_gif_of_colour_images_keeps_colours(tmp_path):
    noise = torch.randint(0, 256, (40, 40, 3), generator=torch.manual_seed(0), dtype=torch.uint8)
    animation._save_gif([Image.fromarray(noise.numpy())] * 2, tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as gif:
        assert len(gif.convert("RGB").getcolors()) > 100


def test_video_is_made_by_ffmpeg_and_its_absence_said(finished_run, tmp_path, monkeypatch):
    """The program itself is a stand-in that keeps what it is given."""
    path = tmp_path / "training.mp4"
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        with pytest.raises(InputError, match=r"an \.mp4 needs the program ffmpeg; install it"):
            animation.save_animation(finished_run, path)
    calls = []

    def ffmpeg(command, input, capture_output):
        calls.append((command, input))
        Path(command[-1]).write_bytes(b"video")
        return subprocess.CompletedProcess(command, 0, b"", b"")

    monkeypatch.setattr(animation.shutil, "which", lambda _: "ffmpeg")
    monkeypatch.setattr(animation.subprocess, "run", ffmpeg)
    assert animation.save_animation(finished_run, path).read_bytes() == b"video"
    ((command, frames),) = calls
    wide, high = map(int, command[command.index("-s") + 1].split("x"))
    assert wide % 2 == high % 2 == 0 and len(frames) == wide * high * 3 * (5 + 19)
    failed = subprocess.CompletedProcess([], 1, b"", b"no encoder")
    monkeypatch.setattr(animation.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(OSError, match="no encoder"):
        animation.save_animation(finished_run, path)


def test_animation_says_what_is_wrong(finished_run, tmp_path):
    def expect(message, run_dir, path):
        with pytest.raises(InputError, match=message):
            animation.save_animation(run_dir, path)

    gif = tmp_path / "a.gif"
    expect(r"is .*a\.avi; expected a name that ends in \.gif", finished_run, tmp_path / "a.avi")
    expect("is missing; make it first", finished_run, tmp_path / "no" / "a.gif")
    expect("has no pictures in progress/; train it first", tmp_path, gif)
    (tmp_path / run_folder.PROGRESS).mkdir()
    (tmp_path / run_folder.PROGRESS / "step-000000000.png").write_bytes(b"no picture")
    expect(r"step-000000000\.png is damaged .*; delete it", tmp_path, gif)
    assert not gif.exists()
