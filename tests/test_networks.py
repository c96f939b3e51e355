import math
import subprocess
import sys
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dcgan_helpers.exercises import check_discriminator, check_generator
from dcgan_helpers.networks import (
    Discriminator,
    Generator,
    generate,
    initialize_weights,
    moving_average,
)
from dcgan_helpers.quality.cost import count_parameters

small = st.integers(1, 4)
boolean = st.booleans()


def conv_shapes(network):
    return [
        tuple(m.weight.shape)
        for m in network.modules()
        if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)
    ]


@settings(deadline=None, max_examples=15)
@given(n=st.integers(2, 4), latent_dim=st.integers(1, 20), c=small, f=small, batch_norm=boolean)
def test_shapes_and_ranges(n, latent_dim, c, f, batch_norm):
    images = Generator(latent_dim, c, f, batch_norm)(torch.randn(n, latent_dim, 1, 1))
    assert images.shape == (n, c, 64, 64)
    assert images.abs().max() <= 1
    assert Discriminator(c, f, batch_norm)(images).shape == (n, 1, 1, 1)


@settings(deadline=None, max_examples=15)
@given(latent_dim=st.integers(1, 20), c=small, f=small, batch_norm=boolean)
def test_parameter_counts_follow_the_formula(latent_dim, c, f, batch_norm):
    # 16 = 4×4 kernel; a batch norm has a scale and a shift a channel; only layers at the
    # image and the last one have biases.
    norms = 2 * f * (16 + 8 + 4 + 2) if batch_norm else 0
    expected = 16 * (latent_dim * 16 * f + f * f * (16 * 8 + 8 * 4 + 4 * 2) + 2 * f * c) + c
    assert count_parameters(Generator(latent_dim, c, f, batch_norm)) == expected + norms
    norms = 2 * f * (2 + 4 + 8) if batch_norm else 0
    expected = 16 * (c * f + f * f * (2 + 2 * 4 + 4 * 8) + 8 * f) + f + 1
    assert count_parameters(Discriminator(c, f, batch_norm)) == expected + norms


def test_shape_tests_of_notebook_02_pass_here_and_fail_for_stubs():
    check_generator(Generator)
    check_discriminator(Discriminator)

    with pytest.raises(AssertionError, match=r"images are \(8, 100, 1, 1\)"):
        check_generator(nn.Identity)
    with pytest.raises(AssertionError, match=r"logits are \(8, 3, 64, 64\)"):
        check_discriminator(nn.Identity)


def test_batch_norm_off_is_the_articles_network():
    generator = Generator(100, 1, 64, batch_norm=False)
    discriminator = Discriminator(1, 64, batch_norm=False)
    kinds = [type(m).__name__ for m in generator.modules() if not list(m.children())]
    assert kinds == ["ConvTranspose2d", "ReLU"] * 4 + ["ConvTranspose2d", "Tanh"]
    kinds = [type(m).__name__ for m in discriminator.modules() if not list(m.children())]
    assert kinds == ["Conv2d", "LeakyReLU"] * 4 + ["Conv2d"]
    assert conv_shapes(generator) == [
        (100, 1024, 4, 4), (1024, 512, 4, 4), (512, 256, 4, 4), (256, 128, 4, 4), (128, 1, 4, 4),
    ]  # fmt: skip
    assert conv_shapes(discriminator) == [
        (64, 1, 4, 4), (128, 64, 4, 4), (256, 128, 4, 4), (512, 256, 4, 4), (1, 512, 4, 4),
    ]  # fmt: skip


def test_batch_norm_is_where_the_paper_has_it():
    def neighbours(network):
        flat = [m for m in network.modules() if not list(m.children())]
        return [
            isinstance(after, nn.BatchNorm2d)
            for layer, after in pairwise(flat)
            if "Conv" in type(layer).__name__
        ]

    assert neighbours(Generator(features=2)) == [True, True, True, True, False]
    # The last convolution has no layer after it.
    assert neighbours(Discriminator(features=2)) == [False, True, True, True]


@pytest.mark.parametrize("mean", [1.0, 0.0])
def test_initial_statistics(mean):
    for network in (Generator(features=16), Discriminator(features=16)):
        initialize_weights(network, batch_norm_mean=mean)
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                n = module.weight.numel()
                assert abs(module.weight.mean()) < 5 * 0.02 / math.sqrt(n)
                assert abs(module.weight.std() - 0.02) < 5 * 0.02 / math.sqrt(2 * n)
            elif isinstance(module, nn.BatchNorm2d):
                n = module.weight.numel()
                assert abs(module.weight.mean() - mean) < 5 * 0.02 / math.sqrt(n)
                assert not module.bias.any()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: Generator(100)(torch.zeros(8, 100)), "noise of shape N×100×1×1, received 8×100$"),
        (lambda: Generator(100)(torch.zeros(8, 64, 1, 1)), "N×100×1×1, received 8×64×1×1$"),
        (lambda: Discriminator(1)(torch.zeros(8, 3, 64, 64)), "N×1×64×64, received 8×3×64×64$"),
        (lambda: Discriminator(1)(torch.zeros(8, 1, 28, 28)), "N×1×64×64, received 8×1×28×28$"),
        (lambda: Discriminator(1)(torch.tensor(0.0)), "N×1×64×64, received a single number$"),
        (lambda: Generator(0), "latent_dim is 0; expected at least 1"),
        (lambda: Discriminator(1, features=-1), "features is -1; expected at least 1"),
    ],
)
def test_wrong_shapes_and_sizes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_generate_depends_on_the_seed_and_not_on_the_batches():
    generator = Generator(8, 1, 2).eval()
    images = generate(generator, 7, seed=3)
    torch.testing.assert_close(images, generate(generator, 7, seed=3, batch_size=2))
    assert not torch.equal(images, generate(generator, 7, seed=4))


def test_networks_import_nothing_heavy_but_torch():
    code = "import sys, dcgan_helpers.networks; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "torch" in loaded
    for heavy in (
        "accelerate", "matplotlib", "mlxtend", "pandas", "tensorboard", "torchvision", "tyro",
    ):  # fmt: skip
        assert heavy not in loaded, heavy


def test_moving_average_starts_short_and_ends_at_its_decay():
    generator = Generator(2, 1, 1)
    average, weight = moving_average(generator, 0.9), generator.layers[4].weight
    for update in range(120):
        old = average.module.layers[4].weight.clone()
        with torch.no_grad():
            weight.add_(1)
        average.update_parameters(generator)
        share = min(0.9, (1 + update) / (10 + update)) if update else 0.0
        expected = share * old + (1 - share) * weight
        torch.testing.assert_close(average.module.layers[4].weight, expected)
    assert share == 0.9
