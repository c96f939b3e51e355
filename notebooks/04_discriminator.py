# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,-all
#     formats: ipynb,py:percent
#     notebook_metadata_filter: kernelspec,jupytext,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 4 · The discriminator: from a picture to one number
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/04_discriminator.ipynb)
#
# The generator learns from nobody but the discriminator. Everything it will ever know about digits has to pass through the one number that this network returns, so it matters how that number is made, and what is left of its gradient.
#
# **In this notebook you will**
#
# 1. build the discriminator, the generator's mirror image, with the shape beside each layer;
# 2. make the last shape test of notebook 02 pass, and count the parameters;
# 3. see why it should return a logit and not a probability: where a sigmoid breaks;
# 4. look through the eyes of a trained discriminator.
#
# **You need** the sizes of notebook 02. **Time:** read 15 min, run 1 min on a laptop.
#
# *The paper* is [Radford, Metz and Chintala (2016)](https://arxiv.org/abs/1511.06434), which introduced the DCGAN; *the article* is the reader's notes that this series retells and corrects ([notebook 00](00_start_here.ipynb) says more).

# %% tags=["setup"]
# On Colab this installs the helper package. Everywhere else it does nothing.
try:
    import google.colab  # noqa: F401
except ImportError:
    pass
else:
    import subprocess
    import sys

    address = "git+https://github.com/dcgan-notebooks/dcgan-notebooks"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", address], check=True)


# %%
import copy

import matplotlib.pyplot as plt
import torch
import torchinfo
from torch import nn

from dcgan_helpers import InputError, exercises, networks
from dcgan_helpers.data import load_dataset, scale_images
from dcgan_helpers.figures.shapes import show_sizes
from dcgan_helpers.hyperparameters import Hyperparameters
from dcgan_helpers.run_folder import (
    TRAINED,
    load_discriminator,
    load_generator,
    load_hyperparameters,
)

# %% [markdown]
# ## One block
#
# A convolution with stride 2 halves the sides; batch normalisation; and a LeakyReLU. There is no pooling: the paper (section 3) replaces it by strides, so that the network learns its own way of making maps smaller.


# %%
def down_block(in_channels, out_channels):
    """Convolution with stride 2, batch norm, LeakyReLU: height and width are halved."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.LeakyReLU(0.2),
    )


x = torch.randn(8, 1, 64, 64)
for block in (down_block(1, 8), down_block(8, 16), down_block(16, 32)):
    y = block(x)
    print("N ×", tuple(x.shape[1:]), "becomes N ×", tuple(y.shape[1:]))
    x = y

# %% [markdown]
# **Why leaky?** A ReLU that is off passes no gradient, and the *generator's* gradient must come through here as well. A LeakyReLU lets a fifth of it pass. The paper found it to work well, above all at higher resolution (section 3), and says no more. People add: "so that more gradient reaches the generator".
#
# <details><summary><b>Predict first:</b> in a new network, is the gradient that arrives at the pixels larger with LeakyReLU than with ReLU?</summary>
#
# It is a little smaller. See below.
# </details>


# %%
def gradient_at_pixels(network, activation):
    """Size of the gradient of the scores at the pixels, with another activation."""
    network = copy.deepcopy(network)
    for parent in [network.layers, *network.layers.children()]:
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.LeakyReLU):
                setattr(parent, name, activation)
    pictures = digits[:64].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(network(pictures).sum(), pictures)
    return gradient.norm().item()


def new_network(seed):
    torch.manual_seed(seed)
    network = networks.Discriminator(1, 16)
    networks.initialize_weights(network)
    return network


digits = scale_images(load_dataset("mnist-5k", held_out=True)[torch.arange(0, 1000, 2)])
# %%
leaky, plain = nn.LeakyReLU(0.2), nn.ReLU()
x = torch.linspace(-4, 4, 401)
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
ax.plot(x, leaky(x), label="LeakyReLU, slope 0.2")
ax.plot(x, plain(x), "--", label="ReLU")
ax.set(title="LeakyReLU is never quite off", xlabel="input", ylabel="output")
ax.legend()
plt.show()

# %%
ratios = sorted(
    gradient_at_pixels(network, leaky) / gradient_at_pixels(network, plain)
    for network in map(new_network, range(5))
)
print("gradient at the pixels, LeakyReLU over ReLU")
print(
    f"new networks: {ratios[2]:.2f} (five seeds, {ratios[0]:.2f} to {ratios[-1]:.2f})"
)
trained = load_discriminator(TRAINED)
ratio = gradient_at_pixels(trained, leaky) / gradient_at_pixels(trained, plain)
print(f"trained:      {ratio:.2f} (the same weights with either activation)")

print("values below 0 before each LeakyReLU of the trained network, for real digits:")
with torch.no_grad():
    x = digits
    for layer in [m for m in trained.layers.modules() if not list(m.children())]:
        if isinstance(layer, nn.LeakyReLU):
            print(f"  N × {tuple(x.shape[1:])}: {(x < 0).float().mean():.0%}")
        x = layer(x)

# %% [markdown]
# In a new network of this width the folklore is wrong: the gradient that arrives at the pixels is even a little smaller with the leak, from every seed. (Batch norm rescales what passes, either way.) After training it is 0.74 of that with ReLU, in this network. (One network; another, trained otherwise, may say otherwise.) Of all values before the LeakyReLUs 45% to 57% are negative, and what would stop there under ReLU passes with a fifth of its size, so *something* gets through everywhere; but a larger gradient is not what it buys. Whether the pictures get better for it, these numbers do not say.
#
# ## The whole discriminator


# %%
class Discriminator(nn.Module):
    """Images `N×image_channels×64×64` in [-1, 1] to logits `N×1×1×1`."""

    def __init__(self, image_channels=1, features=64):
        super().__init__()
        f = features
        self.layers = nn.Sequential(
            # N × image_channels × 64 × 64
            nn.Conv2d(image_channels, f, 4, stride=2, padding=1),  # N × f × 32 × 32
            nn.LeakyReLU(0.2),
            down_block(f, 2 * f),  # N × 2f × 16 × 16
            down_block(2 * f, 4 * f),  # N × 4f × 8 × 8
            down_block(4 * f, 8 * f),  # N × 8f × 4 × 4
            nn.Conv2d(8 * f, 1, 4, stride=2, padding=0),  # N × 1 × 1 × 1
        )

    def forward(self, images):
        return self.layers(images)


exercises.check_discriminator(Discriminator)
exercises.check_generator(networks.Generator)
print("both shape tests of notebook 02: passed")

# %% [markdown]
# No batch norm in the first layer (the paper leaves it out at the discriminator's input, because with it everywhere training oscillated) and none in the last, which has one channel and decides. Neither is followed by a batch norm, so both keep their bias.
#
# **The parameters**, counted as in notebook 03: a convolution from $a$ to $b$ channels has $16ab$ weights.
#
# $$16\,\big(c f + 2f^2 + 8 f^2 + 32 f^2 + 8f\big) + f + 1 + 2\,(2 + 4 + 8) f$$


# %%
def count(f, c):
    return 16 * (c * f + (2 + 8 + 32) * f * f + 8 * f) + f + 1 + 28 * f


for f in (8, 16, 32, 64):
    real_count = sum(p.numel() for p in Discriminator(1, f).parameters())
    print(f"features {f:2}: {count(f, 1):9,} derived, {real_count:9,} counted")

# %% tags=["nbval-ignore-output"]
table = torchinfo.summary(
    Discriminator(), (1, 1, 64, 64), depth=3, verbose=0, device="cpu",
    col_names=("output_size", "num_params", "mult_adds"), col_width=16,
)  # fmt: skip
print(table)
assert table.total_params == count(64, 1)

# %% [markdown]
# Little more than a fifth of the generator's parameters, although both have the same widths in the middle. The generator's widest layer, from 1,024 to 512 channels, has no partner here: the discriminator ends at 512.
#
# ## Logit or probability?
#
# The article ends its discriminator in a sigmoid and trains with `BCELoss`. On paper that is the same as a logit and `BCEWithLogitsLoss`. In a computer it is not, for two reasons, and there is a convenience on top.
#
# **One: rounding.** A `float32` near 1 has steps of $6 \cdot 10^{-8}$. So from a logit of about 17 on, the sigmoid *is* 1, and $\log(1 - D)$ is $\log 0$. `BCELoss` [clamps its logarithms at $-100$](https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html) to stay finite. The loss is then wrong, and, worse, flat: the rounded sigmoid has slope 0, and no gradient gets past it.
#
# <details><summary><b>Predict first:</b> a fake has a logit of 30: the discriminator takes it for real, mistakenly. What is the discriminator's loss for it, and what gradient should the logit get?</summary>
#
# $-\log(1 - \sigma(30)) \approx 30$, and gradient $\sigma(30) \approx 1$: a large error, full correction.
# </details>

# %%
print("            sigmoid + BCELoss      BCEWithLogitsLoss")
print("   logit      loss   gradient       loss   gradient")
fake_target = torch.zeros(1)
for value in (2.0, 10.0, 15.0, 20.0, 30.0, 200.0):
    logit = torch.tensor([value], requires_grad=True)
    losses = (
        nn.BCELoss()(logit.sigmoid(), fake_target),
        nn.BCEWithLogitsLoss()(logit, fake_target),
    )
    row = f"{value:8.0f}"
    for loss in losses:
        (gradient,) = torch.autograd.grad(loss, logit)
        row += f"{loss.item():10.1f} {gradient.item() + 0.0:10.2f}"
    print(row)

# %% [markdown]
# From a logit of 20 on, the first pair reports a loss of 100 whatever the truth is, and no gradient at all: where the discriminator is most wrong, it learns nothing. `BCEWithLogitsLoss` takes sigmoid and logarithm together, as $\max(l, 0) - l\,y + \log(1 + e^{-|l|})$, which no $l$ can break.
#
# On the other side the discriminator is *right* and sure, and a gradient near 0 is what its own loss wants. But the generator uses the same logits with target 1, and needs its gradient just there:

# %%
print("logit   gradient through BCELoss   with logits")
for value in (-10.0, -20.0, -30.0, -40.0):
    logit, target = torch.tensor([value], requires_grad=True), torch.ones(1)
    (broken,) = torch.autograd.grad(nn.BCELoss()(logit.sigmoid(), target), logit)
    (sound,) = torch.autograd.grad(nn.BCEWithLogitsLoss()(logit, target), logit)
    print(f"{value:5.0f} {broken.item():25.2f} {sound.item():13.2f}")

# %% [markdown]
# The fakes that are furthest from passing get the least help.
#
# **Two: mixed precision.** Under `autocast` the networks calculate in 16 bits, which makes training several times faster on many machines. A `bfloat16` near 1 has steps of $4 \cdot 10^{-3}$, so now the sigmoid rounds to 1 at a logit that any confident discriminator reaches:

# %%
with torch.autocast("cpu", torch.bfloat16):
    for value in (5.0, 6.0, 7.0, 8.0):
        logit = torch.tensor([value], dtype=torch.bfloat16)
        target = torch.zeros_like(logit)
        broken = nn.BCELoss()(logit.sigmoid(), target)
        sound = nn.BCEWithLogitsLoss()(logit, target)
        print(f"logit {value:.0f}: sigmoid + BCELoss {broken:5.1f}, logits {sound:.1f}")

# %% [markdown]
# From 7 on, the same happens. On a CUDA GPU PyTorch does not let it come to that: there `autocast` [refuses `BCELoss`](https://docs.pytorch.org/docs/stable/amp.html#prefer-binary-cross-entropy-with-logits-over-binary-cross-entropy) with an error that names the cure. On a CPU it runs, and says nothing.
#
# **Three: your own eyes.** A probability of 0.9999 and one of 0.999999 look the same in a chart; as logits, 9 and 14, they do not. The score $D(x)$ for people to read is one call away: `logits.sigmoid()`.
#
# [Notebook 09](09_experiments.ipynb) measures what the choice does to the pictures.
#
# ## The last layer's stride
#
# Its 4×4 kernel meets a 4×4 map: there is one place to stand, and the article's stride of 2 is never taken. In the whole network as well:

# %%
network, images = Discriminator(features=8).eval(), torch.randn(4, 1, 64, 64)
other = copy.deepcopy(network)
other.layers[-1].stride = (1, 1)
with torch.no_grad():
    print("stride 1 and 2 agree:", torch.equal(network(images), other(images)))

# %% [markdown]
# So each of its $16 \cdot 8f$ weights belongs to one place of one map: the logit is a weighted vote over all of them.
#
# ## Inside a trained discriminator
#
# This one has been through the training of the laptop preset, this series' settings for a CPU (`python -m dcgan_helpers train`), with the generator of notebook 03 as its opponent. Over everything that it was shown there lay a little noise, which makes its task harder and the generator's lessons better (*instance noise*; notebook 12 measures it). What does its first layer look for, and what does it make of a digit?

# %%
digit = digits[160:161]
with torch.no_grad():
    first = trained.layers[:2](digit)[0]
kernels = trained.layers[0].weight.detach()[:, 0]
sizes = kernels.flatten(1).norm(dim=1)

figure, axes = plt.subplots(2, 9, figsize=(11, 3), layout="constrained")
axes[0, 0].imshow(digit[0, 0], cmap="gray", vmin=-1, vmax=1)
axes[0, 0].set_title("digit")
for column, index in enumerate(sizes.argsort(descending=True)[:8], start=1):
    axes[0, column].imshow(kernels[index], cmap="RdBu", vmin=-0.09, vmax=0.09)
    axes[1, column].imshow(first[index], cmap="magma")
    axes[0, column].set_title(f"channel {index}")
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
axes[1, 0].axis("off")
axes[0, 1].set_ylabel("kernel 4×4")
axes[1, 1].set_ylabel("map 32×32")
figure.suptitle("First layer: its eight largest kernels, and their maps of one digit")
plt.show()
new = new_network(0).layers[0].weight.detach().flatten(1).norm(dim=1)
print(f"size of its kernels: {sizes.min():.2f} to {sizes.max():.2f}")
print(f"in a new network:    {new.min():.2f} to {new.max():.2f}")

# %% [markdown]
# Each kernel is 4×4 numbers (blue positive, red negative), each map its answer at 32×32 places, on its own scale from dark to light. Some maps light up along the strokes' edges, some inside the strokes, some everywhere but there. Be careful with stories about that: random kernels of this size give maps of the same kinds. What is certain is that the largest is 1.6 times as large as any in a new network.
#
# Next its verdicts. We lay the same noise over all that we show it, since it has never seen a picture without. We show it real digits, held-out ones, on which it has not trained; fakes (of the running average of its opponent's weights, which is what one draws samples with, notebook 07); and four kinds of pictures that it has never met: real digits upside down, with their upper and lower halves exchanged, with black and white exchanged, and noise.

# %%
generator = load_generator(TRAINED)
deviation = load_hyperparameters(TRAINED).instance_noise
torch.manual_seed(0)
with torch.no_grad():
    sets = {
        "real digits": digits,
        "fakes": generator(torch.randn(500, 100, 1, 1)),
        "digits upside down": digits.flip(2),
        "halves exchanged": digits.roll(32, dims=2),
        "negatives of digits": -digits,
        "noise": torch.rand(500, 1, 64, 64) * 2 - 1,
    }
    noisy = {
        name: networks.with_noise(images, deviation) for name, images in sets.items()
    }
    verdicts = {name: trained(images).flatten() for name, images in noisy.items()}

# %%
figure, ax = plt.subplots(figsize=(8, 3.8), layout="constrained")
for name, logits in verdicts.items():
    label = f"{name}: mean $D$ {logits.sigmoid().mean():.2f}"
    ax.hist(logits, bins=80, range=(-5, 5), histtype="step", lw=2, label=label)
    fooled = (logits > 0).float().mean()
    print(f"{name:20} taken for real: {fooled:.0%}")
ax.axvline(0, color="black", ls="--")
ax.set(title="A trained discriminator's verdicts", xlabel="logit (right of 0: real)")
ax.set_ylabel("pictures")
ax.legend()
plt.show()

# %% [markdown]
# Real digits get a mean score of 0.50, the fakes one of 0.44, and the two curves overlap.
#
# The other four kinds it has never seen. Of noise it takes 0% for real, of the negatives 0%, of the digits with their halves exchanged 2%, and of the digits upside down 17%, beside 23% of the fakes. It was trained to tell real digits from the fakes of its opponent. What it says of other pictures follows from that training in ways that nobody chose. So do not take $D(x)$ of a finished discriminator for a measure of quality.
#
# ## The helper's discriminator is this one

# %%
mine, helper = Discriminator(features=8), networks.Discriminator(features=8)
shapes = [{name: p.shape for name, p in d.state_dict().items()} for d in (mine, helper)]
print("same parameters:", shapes[0] == shapes[1])
mine.load_state_dict(helper.state_dict())
print("same outputs:   ", torch.equal(mine(images), helper(images)))

# %% [markdown]
# ## 32, 64 or 128 pixels
#
# The helper's discriminator also takes images of 32×32 and of 128×128. The boxes are drawn as in notebook 03: one step higher for each doubling of the side, one step wider and darker for each doubling of the channels. An arrow is one convolution, with what follows it.

# %%
sizes = (32, 64, 128)
discriminators = [networks.Discriminator(features=8, image_size=size) for size in sizes]
title = "Discriminators of three sizes (features = 8): channels × height × width"
show_sizes(discriminators, title)
plt.show()

# %% [markdown]
# Follow one column of maps from top to bottom. The number of channels stays the same, and the side doubles. Follow one row from left to right. Between the first maps and the 4×4 maps, each block doubles the channels and halves the side. For these maps, channels times side is always half of `features` times the size of the image: for 64×64 it is $8 \cdot 64 / 2 = 256$.
#
# Twice the size needs one block more. It comes in where maps are smallest, and its maps are hatched. The last layer always gets 4×4 maps and makes one logit of them.
#
# The halvings must end at 4. Those of 28 give 14 and then 7, which has no exact half. So a run refuses 28.

# %%
try:
    Hyperparameters(image_size=28)
except InputError as error:
    print(error)

# %% [markdown]
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | `… are unsafe to autocast` (CUDA) | sigmoid and `BCELoss` under mixed precision | return logits, `BCEWithLogitsLoss` |
# | The discriminator's loss is stuck at 50 or 100, or jumps there | a saturated sigmoid, clamped at $-100$ | the same |
# | The loss never falls below 0.50 | a sigmoid *and* `BCEWithLogitsLoss` | take the sigmoid out of the network |
# | `Kernel size can't be greater than actual input size` | 28×28 images | resize to 64×64 (notebook 06) |
# | `Target size (…) must be the same as input size (…)` | logits are `N×1×1×1`, targets `N` | `torch.ones_like(logits)` |
#
# ## Summary
#
# 1. Four halvings and a vote: 64×64 becomes 4×4 becomes one logit. 32×32 takes three halvings, 128×128 five.
# 2. Both shape tests pass; 2.8 million parameters at full width.
# 3. A sigmoid in the network rounds to 1, and the loss is then a flat 100: in 32 bits from a logit of 17 on, in `bfloat16` from 7 on. Logits do nothing of the kind.
# 4. A trained discriminator has learnt what separates real digits from *its opponent's fakes*. Of other pictures it takes some kinds for real more often than others, and nobody has taught it which.
#
# ## Exercises
#
# **1.** There is a third format, `float16`, the one older GPUs train in. From which whole-numbered logit on does it round the sigmoid to exactly 1?

# %%
answer = None


def smallest(dtype):
    logits = torch.arange(0, 40, dtype=torch.float32).to(dtype)
    return int((logits.sigmoid() == 1).nonzero()[0])


def check_logit(answer):
    right = smallest(torch.float16)
    return {None: "not answered yet", right: "right"}.get(answer, "not yet")


print("exercise 1:", check_logit(answer))

# %% [markdown]
# **2.** How large a patch of the picture does one number of the last 4×4 map see (its *receptive field*)? Work backwards: a patch of $r$ cells after a layer with kernel $k$ and stride $s$ comes from $(r - 1)s + k$ cells before it.

# %%
answer = None  # the side of the patch, in pixels


def check(side):
    if side is None:
        return "not answered yet"
    patch = 1
    for _ in range(4):
        patch = (patch - 1) * 2 + 4
    return "right" if side == patch else "not yet"


print("exercise 2:", check(answer))

# %% [markdown]
# **Next:** [notebook 05](05_hyperparameters.ipynb) asks where the weights should start, and what each number in the recipe does.

# %%
# Spoilers! For the tests: the checks above accept the right answers.
assert check(46) == "right" and check(45) == "not yet"
assert check_logit(smallest(torch.float16)) == "right" and check_logit(17) == "not yet"
assert (smallest(torch.float32), smallest(torch.bfloat16)) == (17, 7)
