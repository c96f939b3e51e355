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
# # 4 · The discriminator: from an image to one number
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/04_discriminator.ipynb)
#
# The generator learns from this network's gradient alone.
#
# **In this notebook you will**
#
# 1. build the discriminator, with all shapes;
# 2. pass the second shape test, count parameters;
# 3. see why it returns a logit and not a probability;
# 4. draw the gradient at a fake's pixels;
# 5. see what a trained discriminator takes for real.
#
# **You need** notebooks 02 and 03. **Time:** read 33 min, run 1 min on a laptop.

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
import matplotlib.pyplot as plt
import torch
from torch import nn

from dcgan_helpers import exercises, networks
from dcgan_helpers.data import load_dataset, scale_images
from dcgan_helpers.exercises import check_discriminator
from dcgan_helpers.figures.shapes import show_sizes
from dcgan_helpers.run_folder import (
    TRAINED,
    load_discriminator,
    load_generator,
    load_hyperparameters,
)

# %% [markdown]
# ## One block
#
# A convolution with stride 2 halves height and width. Batch norm and a LeakyReLU follow. There is no pooling: the [DCGAN paper](https://arxiv.org/abs/1511.06434) uses strides, so that the network learns its own downsampling (section 3). In the article that this series retells, batch norm is commented out.


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
# **Why leaky?** The paper found LeakyReLU to work well in the discriminator, especially at higher resolution (section 3). It gives no reason.
#
# One difference is certain. Where the input is negative, ReLU passes no gradient, and LeakyReLU passes a fifth. The generator's gradient comes back through these layers. That images become better by this is a guess: we have not measured it.

# %%
x = torch.linspace(-4, 4, 401, requires_grad=True)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for name, f, style in [
    ("ReLU", nn.ReLU(), "-"),
    ("LeakyReLU", nn.LeakyReLU(0.2), "--"),
]:
    (slope,) = torch.autograd.grad(f(x).sum(), x)
    axes[0].plot(x.detach(), f(x).detach(), style, label=name)
    axes[1].plot(x.detach(), slope, style, label=name)
axes[0].set(title="value", xlabel="input", ylabel="output")
axes[1].set(title="slope: the factor of the gradient", xlabel="input", ylabel="slope")
for ax in axes:
    ax.legend()
plt.show()

# %% [markdown]
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


check_discriminator(Discriminator)
print("notebook 02's test of the discriminator: passed")

# %% [markdown]
# MNIST has grey images of 28×28. Notebook 06 resizes them to 64×64.
#
# **Why no batch norm at the input?** With batch norm in all layers, the paper saw oscillating samples and an unstable model. Leaving it out of the discriminator's input layer and the generator's output layer avoided this (section 3).
#
# There is none at the last layer either. In training mode, it would give each batch the same mean logit, real or fake.
#
# **The parameters**, counted as in notebook 03, for width $f$ and $c$ image channels:
#
# $$16\,\big(c f + 2f^2 + 8 f^2 + 32 f^2 + 8f\big) + f + 1 + 2\,(2 + 4 + 8) f.$$


# %%
def count(f, c):
    return 16 * (c * f + (2 + 8 + 32) * f * f + 8 * f) + f + 1 + 28 * f


for f in (8, 16, 32, 64):
    real_count = sum(p.numel() for p in Discriminator(1, f).parameters())
    print(f"features {f:2}: {count(f, 1):9,} derived, {real_count:9,} counted")

# %% [markdown]
# At full width these are 2,763,585<!--seen-->; the generator has 12,654,337<!--seen: 03-->.
#
# ## Logit or probability?
#
# The article's last layer is a sigmoid, and its loss is `BCELoss`. Our network returns a logit, and the sigmoid is inside `BCEWithLogitsLoss`. In mathematics both are the same. A computer rounds, so they differ.
#
# A `float32` just below 1 has steps of $6 \cdot 10^{-8}$. So from a logit of 17 on, the sigmoid is exactly 1, and $\log(1 - D)$ is $\log 0$. [`BCELoss`](https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html) clamps it at $-100$.
#
# <details><summary><b>Predict first:</b> a fake has a logit of 30. What is the discriminator's loss, and what gradient should the logit get?</summary>
#
# The loss is $-\log(1 - \sigma(30)) \approx 30$, and the gradient is $\sigma(30) \approx 1$.
# </details>

# %%
print("               sigmoid + BCELoss    BCEWithLogitsLoss")
print("logit target     loss   gradient      loss   gradient")
for value, target in [(2, 0), (10, 0), (20, 0), (30, 0), (-10, 1), (-30, 1), (-40, 1)]:
    logit = torch.tensor([float(value)], requires_grad=True)
    y = torch.tensor([float(target)])
    row = f"{value:5} {target:6}"
    for loss in (nn.BCELoss()(logit.sigmoid(), y), nn.BCEWithLogitsLoss()(logit, y)):
        (gradient,) = torch.autograd.grad(loss, logit)
        row += f"{loss.item():9.1f} {round(gradient.item(), 2) + 0.0:10.2f}"
    print(row)

# %% [markdown]
# Target 0 is the discriminator's loss for a fake. From a logit of 20 on, `BCELoss` gives no gradient, so the discriminator does not learn from its largest mistakes. Target 1 is the generator's loss. It gets no gradient from `BCELoss` at $-40$.
#
# `BCEWithLogitsLoss` computes $\max(l, 0) - l\,y + \log(1 + e^{-|l|})$ for logit $l$ and target $y$, which is right for every logit. The probability is `logits.sigmoid()`. Notebook 09 trains with both losses.
#
# <details><summary>With 16-bit numbers</summary>
#
# In `bfloat16` the sigmoid is exactly 1 from a logit of 7 on. On a GPU, [`autocast` refuses `BCELoss`](https://docs.pytorch.org/docs/stable/amp.html) with an error. On a CPU it runs without a message.
# </details>

# %% [markdown]
# ## The gradient at a fake's pixels
#
# The generator asks: *in which direction should each of my pixels change, so that you take this fake for real?* The answer is the gradient of the logit with respect to the pixels.
#
# `TRAINED` has both networks after training with the preset `laptop`. The generator's weights are a *moving average* over the last steps (notebook 07).
#
# In training the discriminator saw all images with noise added, *instance noise* (notebook 09). Its standard deviation is 0.4<!--seen-->; pixels range from -1 to 1. We add it too, and average over 64 draws.


# %%
generator, discriminator = load_generator(TRAINED), load_discriminator(TRAINED)
deviation = load_hyperparameters(TRAINED).instance_noise
print("instance noise:", deviation)


def mean_logits(images, seed, draws=64):
    """The logit of each image, averaged over draws of the instance noise."""
    torch.manual_seed(seed)
    noisy = [networks.with_noise(images, deviation) for _ in range(draws)]
    return torch.stack([discriminator(x).flatten() for x in noisy]).mean(0)


def length_one(x):
    return x / x.flatten(1).norm(dim=1)[:, None, None, None]


fakes = networks.generate(generator, 500)
chosen = fakes[[1, 15, 24]].requires_grad_()
(gradient,) = torch.autograd.grad(mean_logits(chosen, seed=1).sum(), chosen)
direction, chosen = length_one(gradient), chosen.detach()

# %%
figure, axes = plt.subplots(3, 4, figsize=(10, 7.6), layout="constrained")
moved = [chosen, direction] + [chosen + size * direction for size in (2, 8)]
names = ["fake", "direction", "after a step of 2", "after a step of 8"]
for column, name, images in zip(axes.T, names, moved, strict=True):
    for ax, image in zip(column, images, strict=True):
        if name == "direction":
            shown = ax.imshow(image[0], cmap="RdBu", vmin=-0.1, vmax=0.1)
        else:
            ax.imshow(image[0], cmap="gray", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[])
    column[0].set_title(name)
figure.colorbar(shown, ax=axes, label="direction: blue lighter, red darker", shrink=0.6)
figure.suptitle("In which direction should each pixel change?")
plt.show()

random = length_one(torch.randn(chosen.shape))
steps = {"none": 0, "gradient, 2": 2 * direction, "gradient, 8": 8 * direction}
print("step         logits of the three fakes")
for name, step in (steps | {"random, 2": 2 * random}).items():
    with torch.no_grad():
        logits = mean_logits((chosen + step).clamp(-1, 1), seed=2)
    print(f"{name:12}", " ".join(f"{logit:6.2f}" for logit in logits))


# %% [markdown]
# Blue pixels should become lighter, red pixels darker. In the first fake the gradient darkens the left end of the stroke across the 7.
#
# A step of length 2 raises the logits by 0.5 to 0.6, and you hardly see it. A random step of this length changes them by less than 0.1. A step of 8 raises them further and adds faint patterns to the background: a higher logit is not always a better digit.
#
# The generator changes weights: backpropagation takes this gradient further.
#
# ## What a trained discriminator takes for real
#
# Here are 500 images of each of eight kinds. The first kind and the last five are not in the training data. Each image gets instance noise, drawn five times.

# %%
held_out = scale_images(
    load_dataset("mnist-5k", held_out=True)[torch.arange(0, 1000, 2)]
)
black = torch.full_like(held_out, -1)
kinds = {
    "digits, held out": held_out,
    "digits, trained on": scale_images(
        load_dataset("mnist-5k")[torch.arange(0, 4000, 8)]
    ),
    "fakes": fakes,
    "digits turned by 180°": held_out.rot90(2, (2, 3)),
    "digits 4 rows lower": torch.cat([black[:, :, :4], held_out[:, :, :-4]], 2),
    "negatives": -held_out,
    "black": black,
    "uniform noise": torch.rand(500, 1, 64, 64) * 2 - 1,
}
draws = {name: [] for name in kinds}
with torch.no_grad():
    for name, images in kinds.items():
        for seed in range(5):
            torch.manual_seed(seed)
            noisy = networks.with_noise(images, deviation)
            draws[name].append(discriminator(noisy).flatten())

# %%
figure, axes = plt.subplots(8, 4, figsize=(10, 10), layout="constrained")
axes[0, 0].get_gridspec().set_width_ratios((1, 1, 1, 5))
print("taken for real           lowest  highest draw   mean D(x)")
for row, (name, images) in zip(axes, kinds.items(), strict=True):
    noisy = networks.with_noise(images[50:350:100], deviation)
    for ax, image in zip(row[:3], noisy, strict=True):
        ax.imshow(image[0], cmap="gray", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[])
    logits, ax = torch.stack(draws[name]), row[3]
    ax.hist(logits.flatten(), bins=80, range=(-6, 2), color="tab:blue")
    ax.axvline(0, color="black", ls="--")
    ax.text(3.9, 0.4, name, ha="right", fontsize=12, transform=ax.get_xaxis_transform())
    ax.set(xticks=[], yticks=[], xlim=(-6, 4))
    real, mean = (logits > 0).float().mean(1), logits.sigmoid().mean()
    print(f"{name:24} {real.min():6.0%} {real.max():13.0%} {mean:11.2f}")
ax.set(xticks=range(-6, 3), xlabel="logit; right of the dashed line: taken for real")
figure.suptitle("Three images of each kind, as the discriminator sees them; logits")
plt.show()

# %% [markdown]
# The discriminator takes 47%<!--seen--> to 51%<!--seen--> of the held-out digits for real, but 68%<!--seen--> to 71%<!--seen--> of those that it was trained on. So it has partly memorised them. It takes 21%<!--seen--> to 23%<!--seen--> of the fakes.
#
# Digits 4 rows lower have nearly the same strokes, but it takes only 27%<!--seen--> to 30%<!--seen-->: the position counts. It takes 40%<!--seen--> to 46%<!--seen--> of the black images, more than of the fakes. Nobody trained it on these kinds.
#
# Another network may differ. This one shows that $D(x)$ does not measure how good a digit is.

# %% [markdown]
# ## 32, 64 or 128 pixels
#
# The next notebooks import `Discriminator` from `dcgan_helpers.networks`. With the same weights it returns the same logits as ours; the last cell tests it. It also takes other sizes. The boxes are drawn as in notebook 03. An arrow is one convolution, with what follows it.


# %%
sizes = (32, 64, 128)
discriminators = [networks.Discriminator(features=8, image_size=size) for size in sizes]
title = "Discriminators of three sizes (features = 8): channels × height × width"
show_sizes(discriminators, title)
plt.show()

# %% [markdown]
# In a column of maps, the channels stay the same, and the side doubles from row to row. In a row, each block doubles the channels and halves the side. So channels times side is half of `features` times the image size for all maps of a row.
#
# Twice the size needs one block more, where maps are smallest. Its maps are hatched. The last layer always gets 4×4 maps.

# %% [markdown]
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | `… are unsafe to autocast` | sigmoid and `BCELoss` in 16 bits | `BCEWithLogitsLoss` on logits |
# | the discriminator's loss is 50 or 100 | the sigmoid is exactly 0 or 1 | the same |
# | its loss never falls below 0.50 | a sigmoid *and* `BCEWithLogitsLoss` | remove the sigmoid |
# | `Kernel size can't be greater than actual input size` | 28×28 images | resize to 64×64 |
# | `Target size (…) must be the same as input size (…)` | logits are `N×1×1×1`, targets `N` | `torch.ones_like(logits)` |
#
# ## Summary
#
# 1. Four halvings make 4×4 maps, and a last convolution makes one logit. There is no batch norm at the input.
# 2. The second shape test passes; there are 2.8 million parameters at full width.
# 3. From a logit of 17 on, the sigmoid is rounded to 1, and `BCELoss` gives no gradient. `BCEWithLogitsLoss` does.
# 4. The gradient of the logit tells each pixel of a fake its direction.
# 5. Our trained discriminator takes black images for real more often than fakes, so $D(x)$ does not measure quality.
#
# ## Exercises
#
# **Exercise 04.1.** How large a patch of the image does one number of the last 4×4 maps see, its *receptive field*? Work backwards: $r$ cells after a layer with kernel $k$ and stride $s$ see $(r - 1)s + k$ cells before it. Put the side of the patch, in pixels, into `patch`.

# %% tags=["exercise"]
# BEGIN SOLUTION
patch = 1
for _ in range(4):
    patch = (patch - 1) * 2 + 4
# END SOLUTION
patch = exercises.patch(patch)

# %% [markdown]
# **Exercise 04.2.** The generator's loss for a fake is $-\log D(x)$. Write `loss_gradient(discriminator, fakes)`: the gradient of this loss at the pixels of each fake, without instance noise.


# %% tags=["exercise"]
def loss_gradient(discriminator, fakes):
    # BEGIN SOLUTION
    fakes = fakes.detach().requires_grad_()
    loss = -nn.functional.logsigmoid(discriminator(fakes)).sum()
    return torch.autograd.grad(loss, fakes)[0]
    # END SOLUTION


loss_gradient = exercises.loss_gradient(loss_gradient)

# %% [markdown]
# <details><summary>What is its direction?</summary>
#
# Opposite to the gradient of the logit, times $1 - D(x)$. A step against it raises the logit.
# </details>
#
# **Next:** [notebook 05](05_hyperparameters.ipynb) gives the weights their first values.


# %%
# The sigmoid is 1 where the text says so, and the helper's discriminator is the one above.
def first_rounded(dtype):
    return int((torch.arange(40.0).to(dtype).sigmoid() == 1).nonzero()[0])


assert (first_rounded(torch.float32), first_rounded(torch.bfloat16)) == (17, 7)
with torch.autocast("cpu", torch.bfloat16):
    seven = torch.tensor([7.0], dtype=torch.bfloat16).sigmoid()
    assert nn.BCELoss()(seven, torch.zeros_like(seven)) > 99
mine, helper = Discriminator(features=8), networks.Discriminator(features=8)
mine.load_state_dict(helper.state_dict())  # names and shapes must be the same
images = torch.randn(4, 1, 64, 64)
assert torch.equal(mine(images), helper(images))
