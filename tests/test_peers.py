"""The race's recipes are the published ones, and it is run fairly."""

from dataclasses import replace
from functools import cache, partial

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dcgan_helpers.benchmark import peers, quality_time
from dcgan_helpers.benchmark.peers import KerasConditional, KerasMended, PyTorch, TensorFlow
from dcgan_helpers.data import load_dataset
from dcgan_helpers.hyperparameters import preset
from dcgan_helpers.quality import tables
from dcgan_helpers.quality.judge import judge_for

CI = preset("ci")
TUTORIALS = [TensorFlow, PyTorch, KerasConditional, KerasMended]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    """Batches of 8, and digits that are resized once for all peers."""
    for tutorial in TUTORIALS[:3]:
        monkeypatch.setattr(tutorial, "batch_size", 8)
    monkeypatch.setattr(peers, "load_dataset", cache(load_dataset))


@pytest.fixture(scope="module")
def judge():
    return judge_for(replace(CI, classes="labels"), count=200)


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


@pytest.mark.parametrize("options", peers.VARIANTS.values(), ids=["published", "bf16", "narrow"])
@pytest.mark.parametrize("tutorial", TUTORIALS)
def test_a_step_moves_both_networks_and_fakes_have_the_digits_shape(tutorial, options):
    peer = tutorial(seed=1, **options)
    before = [weights(network) for network in (peer.generator, peer.discriminator)]
    peer.step()
    after = [weights(network) for network in (peer.generator, peer.discriminator)]
    assert peer.steps_done == 1 and not peer.is_over
    for old, new in zip(before, after, strict=True):
        moved = (new - old).abs()
        # Adam's first step has the size of the rate, wherever there is a gradient.
        assert moved.max() == pytest.approx(peer.learning_rate, rel=0.02) and moved.mean() > 0
    images, classes = peer.draw(5, seed=2)
    size = 64 if tutorial is PyTorch else 28
    assert images.shape == (5, 1, size, size) and images.dtype == torch.float32
    assert images.min() >= -1 and images.max() <= 1 and images.std() > 0
    again, other = peer.draw(5, seed=2)[0], peer.draw(5, seed=3)[0]
    assert torch.equal(images, again) and not torch.equal(images, other)
    assert peer.generator.training  # it trains on as before
    if tutorial in (TensorFlow, PyTorch):
        assert classes is None
    else:
        assert classes.shape == (5,) and classes.dtype == torch.int64
        assert classes.min() >= 0 and classes.max() <= 9


def test_parameters_are_as_many_as_published():
    def count(network):
        return sum(p.numel() for p in network.parameters())

    peer = TensorFlow(0)
    dense = 100 * 12544 + 2 * 12544  # 7 · 7 · 256 and their batch norm
    layers = 25 * (256 * 128 + 128 * 64 + 64) + 2 * (128 + 64)
    assert count(peer.generator) == dense + layers == 2_305_472
    statistics = 2 * (12544 + 128 + 64)  # with these, it is what Keras's `summary` counts
    assert count(peer.generator) + statistics == 2_330_944
    assert count(peer.discriminator) == 25 * 64 + 64 + 25 * 64 * 128 + 128 + 128 * 49 + 1 == 212_865

    peer = PyTorch(0)
    inner = 16 * (512 * 256 + 256 * 128 + 128 * 64)
    norms = 2 * (512 + 256 + 128)
    assert count(peer.generator) == 16 * (100 * 512 + 64) + inner + norms + 2 * 64 == 3_574_656
    assert count(peer.discriminator) == 16 * (64 + 512) + inner + norms == 2_763_520

    peer = KerasConditional(0)
    dense, image = 138 * 6762 + 6762, 49 * 128 + 1
    ups = 16 * (138 * 128 + 128 * 128) + 2 * 128
    assert count(peer.generator) == dense + ups + image == 1_491_215
    downs = 9 * (11 * 64 + 64 * 128) + 64 + 128
    assert count(peer.discriminator) == downs + 128 + 1 == 80_385


def test_narrow_is_a_quarter_of_each_width():
    for tutorial in TUTORIALS:
        wide, narrow = tutorial(0), tutorial(0, bf16=True, features=16)
        for name in ("generator", "discriminator"):
            layers = [getattr(peer, name).modules() for peer in (wide, narrow)]
            widths = [[m.out_channels for m in own if hasattr(m, "out_channels")] for own in layers]
            hidden = [(a, b) for a, b in zip(*widths, strict=True) if a > 1]
            assert len(hidden) >= 2 and all(a == 4 * b for a, b in hidden)


def test_variants_start_alike_and_differ_in_arithmetic():
    plain, half = KerasConditional(3), KerasConditional(3, bf16=True)
    assert torch.equal(weights(plain.discriminator), weights(half.discriminator))
    noise, classes = torch.randn(4, 128, 1, 1), torch.arange(4)
    a, b = (peer.run(peer.generator, noise, classes) for peer in (plain, half))
    assert a.dtype == b.dtype == torch.float32
    assert not torch.equal(a, b) and torch.allclose(a, b, atol=0.02)
    layouts = [peer.discriminator[2].weight.is_contiguous() for peer in (plain, half)]
    assert layouts == [True, False]  # channels last
    drawn = [peer.draw(3, 0)[0] for peer in (plain, half)]
    assert torch.allclose(*drawn, atol=1e-5)  # in the same arithmetic


def test_keras_defaults():
    network = TensorFlow(0).generator
    dense, norm = network[1].weight, network[2]
    limit = (6 / (100 + 12544)) ** 0.5  # Glorot and Bengio 2010, equation 16
    assert 0.99 * limit < dense.abs().max() <= limit
    assert norm.eps == 1e-3 and norm.momentum == pytest.approx(0.01)
    assert (norm.weight == 1).all() and (norm.bias == 0).all()
    group = TensorFlow(0).opt_gen.param_groups[0]
    assert (group["lr"], group["betas"], group["eps"]) == (1e-4, (0.9, 0.999), 1e-7)


@pytest.mark.parametrize("tutorial", [TensorFlow, PyTorch, KerasConditional])
def test_only_tensorflow_updates_both_from_the_same_logits(tutorial):
    found = []
    for rate in (0.0, 0.1):  # of the discriminator
        peer = tutorial(0, features=8)
        peer.opt_disc.param_groups[0]["lr"] = rate
        peer.step()
        found.append(weights(peer.generator))
    assert torch.equal(*found) == (tutorial is TensorFlow)


def multiply_adds(network, inputs):
    """Those of each layer for one input, from its weight and its positions."""
    found = []

    def add(layer, given, result):
        maps = given[0] if isinstance(layer, nn.ConvTranspose2d) else result
        positions = maps[0, 0].numel()  # 1 for a dense layer
        found.append(layer.weight.numel() * positions)

    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            layer.register_forward_hook(add)
    network(inputs)
    return list(found)


@pytest.mark.parametrize("tutorial", [TensorFlow, PyTorch, KerasConditional])
def test_no_gradient_is_computed_that_nobody_uses(tutorial):
    peer, conditional = tutorial(0, features=4), tutorial is KerasConditional
    g = multiply_adds(peer.generator, torch.zeros(2, 138 if conditional else peer.latent_dim, 1, 1))
    size = peer.image_size
    d = multiply_adds(peer.discriminator, torch.zeros(2, 11 if conditional else 1, size, size))
    with FlopCounterMode(display=False) as counter:
        peer.step()
    # Forward 1, weights 1, inputs 1, but for the first layer's inputs, which are no weights.
    generator = 3 * sum(g) - g[0] + (sum(g) if conditional else 0)
    # Images and fakes both ways for its own update; fakes for the generator's, to their pixels.
    discriminator = 2 * (3 * sum(d) - d[0]) + (1 if tutorial is TensorFlow else 2) * sum(d)
    assert counter.get_total_flops() / 2 / peer.batch_size == generator + discriminator


def test_losses_are_cross_entropies_and_their_sum():
    peer = TensorFlow(0, features=8)
    real, fake = torch.randn(6, 1), torch.randn(4, 1)
    bce = nn.functional.binary_cross_entropy_with_logits
    expected = bce(real, torch.ones(6, 1)) + bce(fake, torch.zeros(4, 1))
    assert torch.isclose(peer.discriminator_loss(real, fake), expected)
    assert torch.isclose(peer.generator_loss(fake), bce(fake, torch.ones(4, 1)))


def test_class_channels_of_the_keras_page():
    one_hot = np.eye(10, dtype=np.float32)[:, :, None, None]
    as_its_code_does = np.repeat(one_hot, [28 * 28]).reshape(-1, 28, 28, 10)  # N×H×W×C
    bands = KerasConditional.tables[1]
    assert torch.equal(bands, torch.from_numpy(as_its_code_does).permute(0, 3, 1, 2))
    assert (bands == bands[:, :1]).float().mean() > 0.98  # alike in all ten, but for a band's ends
    mended = KerasMended.tables[1]
    assert (mended.sum(dim=1) == 1).all() and (mended[3, 3] == 1).all()


def test_digits_are_the_training_digits_in_the_networks_range():
    for tutorial, low in ((TensorFlow, -1), (KerasConditional, 0)):
        peer = tutorial(0, features=8)
        assert peer.images.shape == (4000, 1, 28, 28)
        assert peer.images.min() == low and peer.images.max() == 1
        assert peer.classes.bincount().tolist() == [400] * 10
    peer.batch_size = 1500
    sizes = [len(next(peer.batches)[0]) for _ in range(4)]
    assert sizes == [1500, 1500, 1000, 1500]


class RealDigits(peers.Peer):
    """Draws the first of the real digits, after three steps."""

    def __init__(self, seed):
        self.seed = seed

    def step(self):
        self.steps_done += 1
        self.is_over = self.steps_done == 3

    def draw(self, count, seed):
        digits, classes = load_dataset("mnist-5k", image_size=28, labels=True)[:]
        chosen = torch.arange(0, 4000, 4000 // count)
        return digits[chosen] / 127.5 - 1, classes[chosen]


def test_fakes_are_resized_as_the_real_digits_are(judge, monkeypatch):
    monkeypatch.setitem(peers.PEERS, "real", RealDigits)
    judged, score = [], judge.score
    monkeypatch.setattr(judge, "score", lambda *a: judged.append(a[0]) or score(*a))
    rows = peers.run_peer("real", 7, judge, (0, 100))
    expected = load_dataset("mnist-5k").images[::20] / 127.5 - 1
    assert torch.equal(judged[0], expected)
    assert len(judged) == 2  # before the first step, and after the last
    assert [row["step"] for row in rows] == [0, 3] and rows[1]["seconds"] < 100
    assert rows[0]["right"] > 0.9 and rows[0]["seed"] == 7


def test_race_of_a_peer(judge, monkeypatch, tmp_path):
    cheap = partial(KerasConditional, bf16=True, features=8)
    monkeypatch.setitem(peers.PEERS, "cheap", cheap)
    picture = tmp_path / "new" / "cheap.png"
    rows = peers.run_peer("cheap", 3, judge, (0.05, 0.1), picture)
    assert [(row["peer"], row["seed"], row["at"]) for row in rows] == [
        ("cheap", 3, 0.05),
        ("cheap", 3, 0.1),
    ]
    assert rows[0]["step"] >= 1 and rows[1]["step"] > rows[0]["step"]
    assert {"seconds", "fid", "precision", "recall", "right"} < set(rows[0])
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_scoring_does_not_count(judge, monkeypatch):
    monkeypatch.setitem(peers.PEERS, "cheap", partial(KerasConditional, features=8))
    clock = iter(float(i) for i in range(10**6))
    monkeypatch.setattr(quality_time.time, "perf_counter", lambda: next(clock))
    rows = peers.run_peer("cheap", 0, judge, (2, 4))
    assert [(row["step"], row["seconds"]) for row in rows] == [(2, 2), (4, 4)]


def test_scoring_changes_no_training(judge, monkeypatch):
    found = []
    for is_scored in (False, True):
        peer = TensorFlow(5, features=8)
        peer.step()
        if is_scored:
            peer.draw(20, seed=0)
        peer.step()
        found.append(weights(peer.generator))
    assert torch.equal(*found)


def test_ours_trains_and_draws(judge):
    peer = peers.Ours(4, replace(CI, max_images=64, epochs=1, classes="labels"))
    peer.step()
    assert peer.steps_done == 1 and not peer.is_over
    images, classes = peer.draw(200, seed=0)
    assert images.shape == (200, 1, 64, 64) and classes.min() >= 0 and classes.max() <= 9
    expected = judge.draw(peer.trainer.moving_average.module.eval(), seed=0)
    assert torch.equal(images, expected[0]) and torch.equal(classes, expected[1])
    peer.step()
    assert peer.steps_done == 2 and peer.is_over
    article = [peers.PEERS[f"article{v}"].keywords["hyperparameters"] for v in peers.VARIANTS]
    assert [(h.precision, h.generator_features) for h in article] == [
        ("fp32", 64),
        ("bf16", 64),
        ("bf16", 16),
    ]
    for h in article:
        assert (h.dataset, h.batch_size, h.learning_rate) == ("mnist-5k", 128, 2e-4)
        assert h.betas == (0.5, 0.999) and not h.batch_norm
        assert h.learning_rate_schedule == "constant"  # so that its end may be put off


def test_peers_go_on_where_they_were(judge, monkeypatch, tmp_path):
    made, path = [], tmp_path / "peers.csv"

    def make(seed):
        made.append(seed)
        return RealDigits(seed)

    monkeypatch.setattr(peers, "PEERS", {"real, bf16": make})
    monkeypatch.setattr(peers, "preset", lambda name: replace(CI, classes="labels"))
    monkeypatch.setattr(peers, "judge_for", lambda h: judge)
    peers.measure_peers(path, seeds=(1,), times=(1, 2), progress=False)
    peers.measure_peers(path, seeds=(1, 2), times=(1, 2), progress=False)
    assert made == [1, 2]
    table = tables.read(path)
    assert isinstance(table, pd.DataFrame) and list(table["seed"]) == [1, 1, 2, 2]
    assert list(table.columns[:5]) == ["peer", "seed", "at", "seconds", "step"]
    assert [p.name for p in (tmp_path / "peers").iterdir()] == ["real-bf16.png"]
