"""The study of flow matching behind notebook 14, in small, and the tables that it fills."""

from functools import partial

import pytest
import torch
from judges import FakeJudge
from PIL import Image
from torch import nn

from dcgan_helpers.data import InMemoryImages, load_dataset, original_digits, scale_images
from dcgan_helpers.quality import tables
from dcgan_helpers.quality.tables import SEEDS
from dcgan_helpers.studies import flow, read_results
from dcgan_helpers.training import TrainingError


@pytest.fixture(scope="module")
def digits():
    return load_dataset("mnist-5k", max_images=64, image_size=28, labels=True)


def trainer(digits, total=40, classes=0, batch_size=32):
    made = flow.FlowTrainer(digits, 3, total, classes, "fp32")
    made.batch_size, made.warm_up = batch_size, 10
    return made


class Constant(nn.Module):
    """The same speed everywhere, counting how often it is asked."""

    def __init__(self, speed):
        super().__init__()
        self.speed, self.times = speed, []

    def forward(self, points, times, classes=None):
        self.times.append(times)
        return torch.full_like(points, self.speed)


class Growing(Constant):
    """A speed of 2t: the exact path adds 1, Euler adds less."""

    def forward(self, points, times, classes=None):
        return super().forward(points, times) * 2 * times[:, None, None, None]


@pytest.mark.parametrize("classes", [None, torch.tensor([0, 9, 3])])
def test_network_keeps_the_shape_and_starts_at_zero(classes):
    network = flow.UNet(0 if classes is None else 10)
    speeds = network(torch.randn(3, 1, 28, 28), torch.tensor([0.0, 0.5, 1.0]), classes)
    assert speeds.shape == (3, 1, 28, 28) and speeds.dtype == torch.float32
    assert (speeds == 0).all()


@torch.no_grad()
def test_speed_depends_on_time_and_class():
    torch.manual_seed(0)
    network = flow.UNet(10).eval()
    for values in network.parameters():
        values.add_(torch.randn_like(values) / 20)
    points, times = torch.randn(1, 1, 28, 28), torch.tensor([0.3])
    usual = network(points, times, torch.tensor([1]))
    assert not torch.allclose(usual, network(points, times + 0.5, torch.tensor([1])))
    assert not torch.allclose(usual, network(points, times, torch.tensor([2])))
    lower = points.clone()
    lower[..., -1, -1] += 1  # one corner reaches the other
    assert (network(lower, times, torch.tensor([1])) != usual)[0, 0, 0, 0]


@pytest.mark.parametrize("classes", [0, 10])
def test_network_learns(digits, classes):
    made = trainer(digits, classes=classes)
    before = [values.clone() for values in made.moving_average.parameters()]
    losses = list(made.steps())
    assert len(losses) == made.steps_done == 40
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])
    after = made.moving_average.parameters()
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_same_seed_same_run(digits):
    first, second = (list(trainer(digits, 3).steps()) for _ in range(2))
    assert first == second


def test_learning_rate_rises_and_falls_to_zero(digits):
    made, rates = trainer(digits, 20), []
    for _ in made.steps():
        rates.append(made.optimizer.param_groups[0]["lr"])
    assert rates[0] == pytest.approx(6e-3 / 10)
    assert max(rates) == pytest.approx(6e-3 * 0.55) and rates[-1] == pytest.approx(6e-3 / 20)


def test_loss_that_is_not_finite_ends_the_run(digits):
    made = trainer(digits)
    nn.init.constant_(made.network.last[-1].bias, float("nan"))
    with pytest.raises(TrainingError, match="not finite at step 1"):
        next(made.steps())


def test_noise_is_swapped_for_the_shortest_paths():
    torch.manual_seed(0)
    images = torch.randn(12, 1, 28, 28)
    order = torch.randperm(12)
    noise = (images + torch.randn_like(images) / 10)[order]
    assert torch.equal(flow.nearest(noise, images)[order], noise)
    # Within classes: in the last class nothing can be swapped, so a long path stays.
    classes = torch.tensor([0] * 6 + [1] * 5 + [2])
    swapped = flow.nearest(noise, images, classes)
    for own in (classes == 0, classes == 1, classes == 2):
        assert sorted(swapped[own].sum((1, 2, 3))) == sorted(noise[own].sum((1, 2, 3)))
    assert (swapped - images).square().sum() <= (noise - images).square().sum()


def test_sampling_repeats_by_seed_and_stays_in_range(digits):
    made = trainer(digits, 4)
    list(made.steps())
    network = made.moving_average.module.eval()
    draw = partial(flow.sample, network, 5, 3)
    fakes = draw(seed=1)
    assert fakes.shape == (5, 1, 28, 28) and fakes.min() >= -1 and fakes.max() <= 1
    assert torch.equal(fakes, draw(seed=1)) and not torch.equal(fakes, draw(seed=2))


def test_samplers_follow_known_speeds():
    noise = torch.randn(2, 1, 28, 28, generator=torch.Generator().manual_seed(4))
    for sampler, calls in (("euler", 4), ("heun", 7)):
        network = Constant(0.5)
        fakes = flow.sample(network, 2, 4, 4, sampler=sampler)
        torch.testing.assert_close(fakes, (noise + 0.5).clamp(-1, 1))
        assert len(network.times) == calls
        assert network.times[0].tolist() == [0, 0] and max(map(torch.max, network.times)) < 1
    # Heun's last step is Euler's: only that one is too short, by (1/4)².
    for sampler, added in (("euler", 0.75), ("heun", 1 - 1 / 16)):
        fakes = flow.sample(Growing(1.0), 2, 4, 4, sampler=sampler)
        torch.testing.assert_close(fakes, (noise + added).clamp(-1, 1))


def test_fakes_are_resized_as_the_real_digits():
    originals = InMemoryImages(original_digits()[:3], image_size=28)
    expected = InMemoryImages(original_digits()[:3])
    assert torch.equal(flow.resized(scale_images(originals.images)), scale_images(expected.images))


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(flow, "judge_for", lambda h: FakeJudge())
    monkeypatch.setattr(flow, "BUDGETS", (1, 2))
    monkeypatch.setattr(flow, "SCORED", (1, 2))
    monkeypatch.setattr(flow, "SAMPLINGS", [("euler", 1), ("heun", 2)])
    monkeypatch.setattr(flow, "STRIP_STEPS", (1, 2))
    monkeypatch.setattr(flow, "step_times", partial(flow.step_times, 1, 2))


def test_study_of_flow_goes_on_where_it_was(tmp_path, monkeypatch, small):
    flow.run_study(tmp_path, seeds=(1,), progress=False)
    table, times = read_results("flow", tmp_path), flow.read_times(tmp_path)
    found = table[["budget", "setting", "at", "sampler"]].itertuples(index=False, name=None)
    ends = [(1, "euler"), (1, "heun")], [(1, "heun"), (2, "euler"), (2, "heun")]
    assert list(found) == [
        (budget, setting, *row)
        for budget, rows in zip((1, 2), ends, strict=True)
        for setting in ("plain", "labels")
        for row in rows
    ]
    assert table["right"].notna().tolist() == (table["setting"] == "labels").tolist()
    assert len(times) == 3 + 1 + 2 and (times["milliseconds"] > 0).all()
    for row in table.itertuples():
        assert row.step == round(row.at * flow.steps_for_one(row.setting, tmp_path))
    assert Image.open(flow.picture("plain", tmp_path)).size == (10 * 66 + 2, 66 + 2)
    assert Image.open(flow.picture("labels-steps", tmp_path)).size == (10 * 66 + 2, 2 * 66 + 2)

    tables.save(tmp_path / "flow.csv", table[:7])  # stopped before the last run
    monkeypatch.setattr(flow, "step_times", lambda: pytest.fail("measured twice"))
    flow.run_study(tmp_path, seeds=(1,), progress=False)
    assert read_results("flow", tmp_path).equals(table)


def test_times_leave_the_threads_as_they_were(small):
    threads = torch.get_num_threads()
    found = flow.step_times()
    assert torch.get_num_threads() == threads
    steps = {f"step of {name}" for name in ("laptop", *flow.SETTINGS)}
    fakes = {"fake of laptop", *(f"fake in {n} {name}" for name, n in flow.SAMPLINGS)}
    assert set(found["work"]) == steps | fakes


def test_shipped_study_of_flow_is_complete():
    table = read_results("flow")
    expected = [
        (setting, seed, budget, at, *sampling)
        for setting in flow.SETTINGS
        for seed in SEEDS
        for budget in flow.BUDGETS
        for at in flow.SCORED
        if at <= budget
        for sampling in (flow.SAMPLINGS if at == budget else flow.SAMPLINGS[-1:])
    ]
    columns = ["setting", "seed", "budget", "at", "sampler", "sampling_steps"]
    assert sorted(table[columns].itertuples(index=False, name=None)) == sorted(expected)
    assert table[["fid", "loss"]].gt(0).all().all() and table["fid"].lt(2000).all()
    for share in ("precision", "recall", "sure", "rarest"):
        assert table[share].between(0, 1).all()
    labelled = table["setting"] == "labels"
    assert table[labelled]["right"].between(0.5, 1).all() and table[~labelled]["right"].isna().all()
    for row in table.itertuples():
        assert row.step == round(row.at * flow.steps_for_one(row.setting))
    rounds = flow.read_times().groupby("work")["round"].count()
    assert (rounds >= 9).all() and len(rounds) == 4 + len(flow.SAMPLINGS)
    for setting in flow.SETTINGS:
        assert flow.picture(setting).exists() and flow.picture(f"{setting}-steps").exists()
