"""The studies behind notebooks 09, 11 and 13, in small, and the tables that they fill."""

import copy
from dataclasses import replace
from typing import get_args

import pytest
import torch
from judges import FakeJudge
from PIL import Image
from torch import nn

from dcgan_helpers import InputError, run_folder
from dcgan_helpers.__main__ import Study, main
from dcgan_helpers.data import load_dataset, scale_images
from dcgan_helpers.hyperparameters import preset
from dcgan_helpers.networks import Generator, generate
from dcgan_helpers.quality import tables
from dcgan_helpers.quality.classifier import load_classifier
from dcgan_helpers.quality.cost import count_multiply_adds, count_parameters
from dcgan_helpers.quality.tables import SEEDS
from dcgan_helpers.studies import (
    PLAIN_LAPTOP,
    choices,
    conditional,
    cures,
    flow,
    noise,
    points,
    read_results,
    sensitivity,
    stacked,
)
from dcgan_helpers.studies.unshared import (
    FullyConnectedDiscriminator,
    FullyConnectedGenerator,
    share_no_weights,
)
from dcgan_helpers.training import Trainer, train

TINY = replace(preset("ci"), max_images=64)


@pytest.fixture(scope="module")
def digits():
    return load_dataset("mnist-5k", max_images=64)


def make(choice, digits, **changed):
    return choices.CHOICES[choice](replace(TINY, **changed), digits)


def norms(network):
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


@pytest.mark.parametrize(
    "choice, in_generator, in_discriminator",
    [
        ("usual", 4, 3),
        ("no batch norm", 0, 0),
        ("batch norm only in G", 4, 0),
        ("batch norm only in D", 0, 3),
    ],
)
def test_batch_norm_is_where_the_choice_says(digits, choice, in_generator, in_discriminator):
    trainer = make(choice, digits)
    assert norms(trainer.generator) == in_generator
    assert norms(trainer.discriminator) == in_discriminator


def test_scales_of_the_article(digits):
    scales = [
        module.weight.detach()
        for module in make("scales N(0, 0.02)", digits).generator.modules()
        if isinstance(module, nn.BatchNorm2d)
    ]
    assert torch.cat(scales).abs().max() < 0.2


def test_usual_and_sigmoid_have_the_same_loss(digits):
    logits = torch.linspace(-5, 5, 11).reshape(-1, 1, 1, 1)
    usual, sigmoid = make("usual", digits), make("sigmoid + BCE", digits)
    for name, inputs in (("discriminator_loss", (logits, -logits)), ("generator_loss", (logits,))):
        a, b = (getattr(trainer, name)(*inputs) for trainer in (usual, sigmoid))
        torch.testing.assert_close(a, b)
    # They differ where a 32-bit sigmoid is exactly 1: notebook 04.
    extreme = torch.full((1, 1, 1, 1), -200.0)
    assert usual.generator_loss(extreme) == 200
    assert sigmoid.generator_loss(extreme) == 100


def test_minimax_loss_is_the_one_of_the_equation(digits):
    logits = torch.tensor([-3.0, 0.0, 2.0])
    expected = torch.log(1 - logits.sigmoid()).mean()
    torch.testing.assert_close(make("minimax loss", digits).generator_loss(logits), expected)


def test_label_smoothing_is_one_sided(digits):
    real, fake = torch.tensor([1.0, -2.0]), torch.tensor([0.5, 3.0])
    d = real.sigmoid()
    expected = -(0.9 * d.log() + 0.1 * (1 - d).log()).mean() - (1 - fake.sigmoid()).log().mean()
    loss = make("label smoothing", digits).discriminator_loss(real, fake)
    torch.testing.assert_close(loss, expected / 2)


def test_multiply_adds_of_known_layers():
    # 3 output channels of 8×8, each a sum over 2·3·3 weights; and a plain matrix.
    assert (
        count_multiply_adds(nn.Conv2d(2, 3, 3, padding=1), torch.zeros(4, 2, 8, 8)) == 64 * 3 * 18
    )
    assert count_multiply_adds(nn.Linear(10, 7), torch.zeros(4, 10)) == 70


def test_fully_connected_rivals_are_as_large_as_they_say(digits):
    usual = make("usual", digits, generator_features=8, discriminator_features=8)
    noise, images = torch.zeros(2, 100, 1, 1), torch.zeros(2, 1, 64, 64)
    for choice, measure in (
        ("fully connected, equal parameters", lambda network, _: count_parameters(network)),
        ("fully connected, equal cost", count_multiply_adds),
    ):
        rival = make(choice, digits, generator_features=8, discriminator_features=8)
        for name, inputs in (("generator", noise), ("discriminator", images)):
            ours, theirs = (measure(getattr(t, name), inputs) for t in (usual, rival))
            assert theirs == pytest.approx(ours, rel=0.05)
    assert FullyConnectedGenerator(100, 8)(noise).shape == (2, 1, 64, 64)
    assert FullyConnectedDiscriminator(8)(images).shape == (2, 1, 1, 1)


def test_layers_that_share_nothing_join_what_the_convolutions_join(digits):
    """With the same weights at every place they are the convolutions, at the same cost."""
    usual, local = make("usual", digits), make("locally connected", digits)
    noise, images = torch.randn(3, 100, 1, 1), torch.randn(3, 1, 64, 64)
    for name, inputs in (("generator", noise), ("discriminator", images)):
        network, rival = (getattr(trainer, name).eval() for trainer in (usual, local))
        assert count_multiply_adds(rival, inputs) == count_multiply_adds(network, inputs)
        for ours, theirs in zip(network.layers.modules(), rival.layers.modules(), strict=True):
            if isinstance(ours, nn.Conv2d):
                theirs.weight.data[:] = ours.weight.data.flatten(1)
            elif isinstance(ours, nn.ConvTranspose2d):
                theirs.weight.data[:] = ours.weight.data.flatten(1).T
            elif isinstance(ours, nn.BatchNorm2d):
                theirs.load_state_dict(ours.state_dict())
            if getattr(ours, "bias", None) is not None:
                theirs.bias.data[:] = ours.bias.data
        torch.testing.assert_close(rival(inputs), network(inputs), atol=1e-5, rtol=1e-4)
        assert count_parameters(rival) > 10 * count_parameters(network)
    layers = nn.Sequential(nn.Conv2d(1, 2, 4, 2, 1), nn.BatchNorm2d(2))
    share_no_weights(layers, torch.ones(2, 1, 8, 8))
    assert (layers[1].running_mean == 0).all()  # the inputs that show the sizes teach nothing


def test_instance_noise_is_on_what_the_discriminator_sees(digits):
    trainer, black = make("instance noise", digits), -torch.ones(2, 1, 64, 64)
    assert trainer.seen(black).std().item() == pytest.approx(0.4, rel=0.05)
    assert torch.equal(make("usual", digits).seen(black), black)


def test_discriminator_is_asked_without_training_it(digits):
    trainer = Trainer(replace(TINY, instance_noise=0.2), digits)
    steps = trainer.steps(3)
    next(steps)
    before = copy.deepcopy((trainer.generator.state_dict(), trainer.discriminator.state_dict()))
    state = torch.get_rng_state()
    held_out = load_dataset("mnist-5k", held_out=True, max_images=50)[:]
    found = noise.mean_logits(trainer, held_out)
    assert found == noise.mean_logits(trainer, held_out)
    assert set(found) == {"logit_trained", "logit_held_out", "logit_fake"}
    assert len(set(found.values())) == 3
    assert torch.equal(state, torch.get_rng_state())
    after = trainer.generator.state_dict(), trainer.discriminator.state_dict()
    for old, new in zip(before, after, strict=True):
        assert all(torch.equal(old[key], new[key]) for key in old)


def test_study_of_noise_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(noise, "judge_for", lambda h: FakeJudge())
    small = {"base": replace(TINY, epochs=2), "seeds": (1,), "every": 3, "progress": False}
    noise.run_study(tmp_path, **small)
    table = read_results("noise", tmp_path)
    assert list(table["instance_noise"]) == [0.4, 0.4, 0, 0]
    assert list(table["step"]) == [3, 4] * 2  # every third, and the last
    tables.save(tmp_path / "noise.csv", table[:2])
    noise.run_study(tmp_path, **small)
    assert read_results("noise", tmp_path).equals(table)


def test_shipped_study_of_noise_is_complete():
    table = read_results("noise")
    for instance_noise in noise.NOISES:
        for seed in SEEDS:
            own = table[(table["instance_noise"] == instance_noise) & (table["seed"] == seed)]
            assert list(own["step"]) == list(range(210, 1891, 210))
    assert table.filter(like="logit_").notna().all().all()


@pytest.mark.parametrize("choice", choices.CHOICES)
def test_every_choice_trains(digits, choice):
    trainer = make(choice, digits)
    before = [p.clone() for p in trainer.generator.parameters()]
    metrics = trainer.step(trainer.to_network(digits.images[:16]))
    assert all(torch.isfinite(torch.tensor(list(metrics.values()))))
    after = trainer.generator.parameters()
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_study_of_choices_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(choices, "judge_for", lambda base: FakeJudge())
    monkeypatch.setattr(choices, "CHOICES", {"usual": Trainer, "minimax loss": choices.Minimax})
    monkeypatch.setattr(choices, "LONGER", {"minimax loss": (3,)})
    study = {"base": TINY, "seeds": (1, 2), "scored_steps": (1, 2), "progress": False}
    choices.run_study(tmp_path, **study)
    table = read_results("choices", tmp_path)
    found = list(table[["seed", "choice", "step"]].itertuples(index=False, name=None))
    assert found == [
        (seed, *rest)
        for seed in (1, 2)
        for rest in [("usual", 1), ("usual", 2)] + [("minimax loss", i) for i in (1, 2, 3)]
    ]
    assert choices.picture("usual", tmp_path).exists()
    times = choices.read_times(tmp_path)
    assert set(times["choice"]) == {"usual", "minimax loss"} and len(times) == 2 * 7
    assert (times["milliseconds"] > 0).all()

    tables.save(tmp_path / "choices.csv", table[:7])  # stopped before the last run
    monkeypatch.setattr(choices, "step_times", lambda base: pytest.fail("measured twice"))
    choices.run_study(tmp_path, **study)
    assert read_results("choices", tmp_path).equals(table)


def test_a_choice_is_the_loop_of_train(tmp_path):
    """The study's runs are those of `train`: same seed, same weights."""
    run_dir = train(replace(TINY, epochs=1), tmp_path / "run", progress=False)
    path = tmp_path / "eight.png"
    choices.run_choice("usual", TINY.seed, TINY, FakeJudge(), (2,), path)
    expected = tmp_path / "expected.png"
    run_folder.save_grid(expected, generate(run_folder.load_generator(run_dir), choices.ROW_COUNT))
    assert path.read_bytes() == expected.read_bytes()


def test_unknown_choice_is_one_line():
    with pytest.raises(InputError, match="choice is 'best'; expected one of usual, no batch norm"):
        choices.run_choice("best", 1, TINY, FakeJudge())


def test_shipped_choices_are_complete():
    table, times = read_results("choices"), choices.read_times()
    for choice in choices.CHOICES:
        for seed in SEEDS:
            own = table[(table["choice"] == choice) & (table["seed"] == seed)]
            assert list(own["step"]) == [*choices.SCORED_STEPS, *choices.LONGER.get(choice, ())]
        assert choices.picture(choice).exists()
        assert sum(times["choice"] == choice) >= 3
    assert set(choices.LONGER) < set(choices.CHOICES)


@pytest.fixture(scope="module")
def classifier():
    return load_classifier()[0]


def test_kinds_of_real_stacks(classifier):
    images, labels = load_dataset("mnist-5k", labels=True)[:]
    chosen = torch.arange(0, 4000, 14)[:270].reshape(-1, 3)
    stacks = scale_images(images[chosen, 0], 3)
    expected = labels[chosen] @ torch.tensor([100, 10, 1])
    assert (stacked.digit_triples(stacks, classifier) == expected).float().mean() > 0.95


def test_modes_and_kl_on_known_cases():
    assert stacked.modes_and_kl(torch.arange(1000).repeat(5)) == (1000, pytest.approx(0))
    assert stacked.modes_and_kl(torch.full((77,), 3)) == (1, pytest.approx(6.9078, abs=1e-4))
    half = torch.cat([torch.zeros(50, dtype=torch.long), torch.ones(50, dtype=torch.long)])
    assert stacked.modes_and_kl(half) == (2, pytest.approx(6.2146, abs=1e-4))  # ln 500


def test_packed_discriminator_sees_pairs():
    torch.manual_seed(0)
    packed = stacked.PackedDiscriminator(2, 3, 4).eval()
    images = torch.randn(7, 3, 64, 64)
    logits = packed(images)
    assert logits.shape == (3, 1, 1, 1)  # the seventh has no partner
    changed = images.clone()
    changed[2] = 0  # of the second pair
    assert ((packed(changed) != logits).flatten() == torch.tensor([False, True, False])).all()


def test_every_setting_of_the_stacked_study_trains(tmp_path, monkeypatch):
    base = replace(TINY, dataset="stacked-mnist", image_channels=3)
    run = stacked.train_stacked

    def small(setting, seed, base, scored_steps):
        return run(setting, seed, base, scored_steps, count=20)

    monkeypatch.setattr(stacked, "train_stacked", small)
    stacked.run_study(tmp_path, base, seeds=(1,), scored_steps=(1, 2), progress=False)
    found = read_results("stacked", tmp_path)[["setting", "step", "count"]]
    assert list(found.itertuples(index=False, name=None)) == [
        (setting, step, 20) for setting in stacked.SETTINGS for step in (1, 2)
    ]
    for setting in stacked.SETTINGS:
        generator = run_folder.load_generator(stacked.folder_of(setting, tmp_path))
        assert generate(generator, 2).shape == (2, 3, 64, 64)


def test_kinds_drawn_are_as_many_as_asked_for(classifier):
    generator = copy.deepcopy(Generator(100, 3, 2)).eval()
    assert stacked.drawn_triples(generator, 503, classifier).shape == (503,)


def test_shipped_stacked_study_is_complete(classifier):
    table = read_results("stacked").set_index(["setting", "seed", "step"])
    assert sorted(table.index) == sorted(
        (setting, seed, step)
        for setting in stacked.SETTINGS
        for seed in SEEDS
        for step in stacked.SCORED_STEPS
    )
    # The shipped generators are those of the table: the counts agree, 16 bits or not.
    for setting in stacked.SETTINGS:
        generator = run_folder.load_generator(stacked.folder_of(setting))
        kinds = stacked.drawn_triples(generator, 2000, classifier)
        row = table.loc[(setting, 1, max(stacked.SCORED_STEPS))]
        # In fewer fakes fewer modes, and a KL larger by about 999 / (2 · 2000).
        covered, kl = stacked.modes_and_kl(kinds)
        assert covered <= row["modes"] + 5
        assert kl == pytest.approx(row["kl"] + 0.2, abs=0.25)


@pytest.fixture
def small_sensitivity(monkeypatch):
    monkeypatch.setattr(sensitivity, "judge_for", lambda base: FakeJudge())
    values = {"start": ("paper", "no-norm"), "features": (16, 4)}
    monkeypatch.setattr(sensitivity, "VALUES", values)
    return {"base": replace(TINY, epochs=1), "seeds": (1, 2), "progress": False}


def test_study_of_sensitivity_goes_on_where_it_was(small_sensitivity, tmp_path, monkeypatch):
    sensitivity.run_study(tmp_path / "whole", **small_sensitivity)
    whole = read_results("sensitivity", tmp_path / "whole")
    assert len(whole) == 3 * 2  # the usual setting, shared by both values, is run once
    assert whole["fid"].notna().all() and (whole["steps"] == 2).all()
    assert len(list((tmp_path / "whole" / "sensitivity").iterdir())) == 3

    calls = []

    def breaks(*arguments):
        calls.append(arguments)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return Trainer(*arguments)

    monkeypatch.setattr(sensitivity, "Trainer", breaks)
    with pytest.raises(KeyboardInterrupt):
        sensitivity.run_study(tmp_path / "output", **small_sensitivity)
    assert read_results("sensitivity", tmp_path / "output").equals(whole[:3])
    sensitivity.run_study(tmp_path / "output", **small_sensitivity)
    assert len(calls) == 4 + 3
    assert read_results("sensitivity", tmp_path / "output").equals(whole)


def test_each_setting_reaches_the_hyperparameters():
    settings = sensitivity.settings()
    made = [sensitivity.hyperparameters(s, 3, PLAIN_LAPTOP) for s in settings]
    by_start = {s["start"]: h for s, h in zip(settings, made, strict=True)}
    assert by_start["no-norm"].batch_norm is False
    assert by_start["zero-scales"].batch_norm_mean == 0
    for setting, h in zip(settings, made, strict=True):
        assert (h.learning_rate, h.betas[0]) == (setting["learning_rate"], setting["beta1"])
        assert h.generator_features == h.discriminator_features == setting["features"]
        assert h.seed == 3
    usual = sensitivity.hyperparameters(sensitivity.USUAL, PLAIN_LAPTOP.seed, PLAIN_LAPTOP)
    assert usual == PLAIN_LAPTOP


def test_shipped_sensitivity_is_complete():
    table = read_results("sensitivity")
    for setting in sensitivity.settings():
        own = table[(table[list(setting)] == list(setting.values())).all(axis=1)]
        assert tuple(own["seed"]) == SEEDS
        with Image.open(sensitivity.picture(setting)) as image:
            assert image.width > 8 * image.height * 0.9
    assert len(table) == len(sensitivity.settings()) * len(SEEDS)


def test_command_runs_the_named_studies_or_all(monkeypatch, tmp_path):
    ran = []
    for study in (sensitivity, choices, noise, stacked, conditional, points, cures, flow):
        name = study.__name__.rpartition(".")[2]
        monkeypatch.setattr(
            study, "run_study", lambda output, name=name: ran.append((name, output))
        )
    for named, expected in [
        ([], list(get_args(Study))),
        (["choices"], ["choices"]),
    ]:
        assert main(["study", *named, "--output", str(tmp_path)]) == 0
        assert ran == [(name, tmp_path) for name in expected]
        ran.clear()


def test_damaged_table_is_named(tmp_path):
    (tmp_path / "choices.csv").write_text('"')
    with pytest.raises(InputError, match=r"choices.csv is damaged .*delete it"):
        read_results("choices", tmp_path)
    assert read_results("stacked", tmp_path).empty


def test_table_keeps_every_number_as_it_was_written(tmp_path):
    rows = [{"seed": 1, "rate": 5e-05, "fid": 1 / 3}, {"seed": 2, "rate": 0.1, "fid": 2e-17}]
    path = tmp_path / "t.csv"
    tables.complete(path, [{"seed": 1}, {"seed": 2}], lambda seed: [rows[seed - 1]])
    for found, row in zip(tables.read(path).to_dict("records"), rows, strict=True):
        assert found == pytest.approx(row, rel=1e-14)
    middle = tables.medians(tables.read(path), "seed", value="fid")
    assert middle.loc[1].tolist() == pytest.approx([1 / 3] * 3, rel=1e-14)


def test_concatenation_gives_each_class_a_channel():
    h = replace(TINY, classes="labels")
    torch.manual_seed(0)
    network = conditional.ConcatenatedDiscriminator(h, 3)
    assert network.discriminator.image_shape == (1 + 3, 64, 64)
    images, seen = torch.randn(2, 1, 64, 64), []
    network.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    assert network(images, torch.tensor([2, 0])).shape == (2, 1, 1, 1)
    assert torch.equal(seen[0][:, :1], images)
    assert (seen[0][0, 1:].mean(dim=(1, 2)) == torch.tensor([0.0, 0.0, 1.0])).all()
    assert (seen[0][1, 1:].mean(dim=(1, 2)) == torch.tensor([1.0, 0.0, 0.0])).all()


@pytest.mark.parametrize("setting", conditional.SETTINGS)
def test_setting_of_classes_trains(setting, tmp_path):
    path = tmp_path / "ten.png"
    base = replace(TINY, epochs=1, cluster_count=5)
    (row,) = conditional.run_setting(setting, 3, base, FakeJudge(), path)
    assert (row["setting"], row["seed"], row["step"]) == (setting, 3, 2)
    assert Image.open(path).size == (10 * 66 + 2, 66 + 2)


def test_study_of_classes_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(conditional, "judge_for", lambda h: FakeJudge())
    base = replace(TINY, epochs=1, cluster_count=5)
    conditional.run_study(tmp_path, base, seeds=(1,), progress=False)
    table = read_results("conditional", tmp_path)
    assert list(table["setting"]) == list(conditional.SETTINGS)
    tables.save(tmp_path / "conditional.csv", table[:3])
    conditional.run_study(tmp_path, base, seeds=(1,), progress=False)
    assert read_results("conditional", tmp_path).equals(table)


def test_shipped_study_of_classes_is_complete():
    table = read_results("conditional")
    assert set(zip(table["setting"], table["seed"], strict=True)) == {
        (setting, seed) for setting in conditional.SETTINGS for seed in SEEDS
    }
    assert all(conditional.picture(setting).exists() for setting in conditional.SETTINGS)
    labelled = table["setting"].str.startswith("labels")
    assert table[labelled]["right"].between(0.5, 1).all() and table[~labelled]["right"].isna().all()
