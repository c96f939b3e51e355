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
# # 3 · The generator: from 100 random numbers to an image
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/03_generator.ipynb)
#
# Five layers make an image from noise.
#
# **In this notebook you will**
#
# 1. build the generator, with all shapes;
# 2. pass the first shape test of notebook 02;
# 3. count the parameters;
# 4. look at the maps of a trained generator;
# 5. see what `eval()` changes.
#
# **You need** notebook 02: kernel 4, stride 2, padding 1 doubles a size. **Time:** read 34 min, run 1 min on a laptop.

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
from dcgan_helpers.exercises import check_generator
from dcgan_helpers.figures.shapes import show_sizes
from dcgan_helpers.hyperparameters import Hyperparameters
from dcgan_helpers.run_folder import TRAINED, load_generator

# %% [markdown]
# ## The plan of channels
#
# The generator of the [DCGAN paper](https://arxiv.org/abs/1511.06434) makes 1,024 maps of 4×4 from 100 numbers, the noise $z$ (figure 1). A *map* is one channel, seen as an image. Then each doubling of the side halves the channels: 1024, 512, 256, 128. The last layer makes the image. It has one channel, because MNIST is grey.
#
# The article that this series retells sets `features_g` to 64. This is the unit of the plan: $16 \cdot 64 = 1024$.

# %%
features = 64
print("channels:", [100] + [m * features for m in (16, 8, 4, 2)] + [1])

# %% [markdown]
# ## One block
#
# A transposed convolution doubles height and width. Batch normalisation (batch norm) normalises each channel. ReLU sets negative values to 0.
#
# Batch norm takes mean and variance over all images and places of the batch:
#
# $$y = \gamma\,\frac{x - \text{mean}}{\sqrt{\text{variance} + \varepsilon}} + \beta.$$
#
# Each channel learns a scale $\gamma$ and a shift $\beta$. During training, batch norm also averages the means and variances of the batches. These averages are its *running statistics*. After `eval()` it uses them instead of the batch's own.
#
# The article's code has batch norm commented out, without a reason. Notebook 07 trains without it.
#
# **Exercise 03.1.** Write `up_block`: an `nn.Sequential` of a transposed convolution with kernel 4 and without a bias, a batch norm and a ReLU.


# %% tags=["exercise"]
def up_block(in_channels, out_channels, stride, padding):
    """One step up in size."""
    # BEGIN SOLUTION
    return nn.Sequential(
        nn.ConvTranspose2d(in_channels, out_channels, 4, stride, padding, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )
    # END SOLUTION


up_block = exercises.up_block(up_block)

# %%
x = torch.randn(8, 100, 1, 1)
for block in (up_block(100, 32, 1, 0), up_block(32, 16, 2, 1), up_block(16, 8, 2, 1)):
    y = block(x)
    print("N ×", tuple(x.shape[1:]), "becomes N ×", tuple(y.shape[1:]))
    x = y

# %% [markdown]
# **Why no bias?** A bias adds a constant to a channel. Batch norm subtracts the channel's mean, and the constant with it:

# %%
torch.manual_seed(0)
x, norm = torch.randn(8, 16, 4, 4), nn.BatchNorm2d(16)
bias = torch.randn(1, 16, 1, 1)
print(
    "a bias before batch norm is lost:",
    torch.allclose(norm(x), norm(x + bias), atol=1e-5),
)

# %% [markdown]
# **Why no batch norm at the output?** The paper reports that batch norm in all layers made samples oscillate and the model unstable. Leaving it out of two layers avoided this: the generator's output layer and the discriminator's input layer (section 3).
#
# One effect is certain: with a batch norm before the Tanh, all batches have the same mean there in training mode (exercise 03.2). That this causes the oscillation is a guess.
#
# The output layer has no batch norm, so it keeps its bias.
#
# **Why these activations?** ReLU passes the gradient unchanged where its input is positive. Tanh limits the pixels to the range from -1 to 1. The paper found that a bounded activation learns faster to fill the colours of the training images (section 3).

# %%
x = torch.linspace(-4, 4, 401, requires_grad=True)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for ax, f, name in [
    (axes[0], nn.ReLU(), "ReLU: inside"),
    (axes[1], nn.Tanh(), "Tanh: at the output"),
]:
    (slope,) = torch.autograd.grad(f(x).sum(), x)
    ax.plot(x.detach(), f(x).detach(), label="value")
    ax.plot(x.detach(), slope, "--", label="slope: the factor of the gradient")
    ax.set(title=name, xlabel="input", ylabel="value, slope")
    ax.legend(loc="upper left")
axes[1].set_ylim(-1.1, 2.1)
plt.show()
print(f"slope of the Tanh at 4: {slope[-1]:.4f}")

# %% [markdown]
# At an input of 4 the Tanh passes 0.0013<!--seen--> of the gradient. So black and white pixels pass almost none.
#
# ## The whole generator


# %%
class Generator(nn.Module):
    """Noise `N×latent_dim×1×1` to images `N×image_channels×64×64` in [-1, 1]."""

    def __init__(self, latent_dim=100, image_channels=1, features=64):
        super().__init__()
        f = features
        self.layers = nn.Sequential(
            # N × latent_dim × 1 × 1
            up_block(latent_dim, 16 * f, 1, 0),  # N × 16f × 4 × 4
            up_block(16 * f, 8 * f, 2, 1),  # N × 8f × 8 × 8
            up_block(8 * f, 4 * f, 2, 1),  # N × 4f × 16 × 16
            up_block(4 * f, 2 * f, 2, 1),  # N × 2f × 32 × 32
            nn.ConvTranspose2d(2 * f, image_channels, 4, stride=2, padding=1),
            # N × image_channels × 64 × 64
            nn.Tanh(),
        )

    def forward(self, z):
        return self.layers(z)


check_generator(Generator)
print("notebook 02's test of the generator: passed")

# %% [markdown]
# On a 1×1 input, the first layer is a matrix: each output is a weighted sum of the 100 numbers. The paper's figure 1 calls this *project and reshape*:

# %%
generator = Generator(features=8)
weight = generator.layers[0][0].weight  # 100 × 128 × 4 × 4: in, out, height, width
z = torch.randn(8, 100, 1, 1)
projected = (z.flatten(1) @ weight.flatten(1)).reshape(8, 128, 4, 4)
same = torch.allclose(generator.layers[0][0](z), projected, atol=1e-5)
print("the first layer is a matrix, reshaped:", same)

# %% [markdown]
# **The noise.** The paper draws $z$ from a uniform distribution, the article and this series from a normal one. Sample with the distribution that training used.
#
# ## Counting the parameters
#
# A transposed convolution from $a$ to $b$ channels has $16ab$ weights. A batch norm has $\gamma$ and $\beta$ for each channel. With $d$ noise numbers, width $f$ and $c$ image channels, that is
#
# $$16\,\big(16\,d f + 128 f^2 + 32 f^2 + 8 f^2 + 2 f c\big) + c \;+\; 2\,(16 + 8 + 4 + 2) f.$$
#
# <details><summary><b>Predict first:</b> you halve the width. How many of the parameters remain?</summary>
#
# Between a quarter and about a third. Most parameters are in the terms with $f^2$, and these become a quarter. The first layer becomes a half.
# </details>


# %%
def count(d, f, c):
    return 16 * (16 * d * f + (128 + 32 + 8) * f * f + 2 * f * c) + c + 60 * f


for f in (8, 16, 32, 64):
    real_count = sum(p.numel() for p in Generator(100, 1, f).parameters())
    print(f"features {f:2}: {count(100, f, 1):10,} derived, {real_count:10,} counted")

# %% [markdown]
# torchinfo prints the layers as a table. Two thirds of the parameters are in the second transposed convolution:

# %% tags=["nbval-ignore-output"]
columns = ("output_size", "num_params")
table = torchinfo.summary(
    Generator(), (1, 100, 1, 1), depth=3, verbose=0, device="cpu", col_names=columns
)
print(table)
assert table.total_params == count(100, 64, 1)

# %% [markdown]
# ## Why kernel 4
#
# A transposed convolution adds stamps (notebook 02). If all weights and all inputs are 1, each output is the number of its stamps:

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 3.7), layout="constrained")
ones = torch.ones(1, 1, 8, 8)
for ax, (k, p, extra) in zip(axes, [(3, 1, 1), (4, 1, 0), (5, 2, 1)], strict=True):
    layer = nn.ConvTranspose2d(1, 1, k, 2, p, output_padding=extra, bias=False)
    nn.init.ones_(layer.weight)
    with torch.no_grad():
        stamps = layer(ones)[0, 0]
    inner = stamps[3:-3, 3:-3]  # away from the border
    shown = ax.imshow(stamps, cmap="viridis", vmin=0, vmax=9)
    ax.set(title=f"kernel {k}, stride 2", xlabel="column", ylabel="row")
    print(f"kernel {k}: {inner.min():.0f} to {inner.max():.0f} stamps on inner pixels")
figure.colorbar(shown, ax=axes, label="stamps", shrink=0.8)
figure.suptitle("How many stamps fall on each pixel")
plt.show()

# %% [markdown]
# If the kernel size $k$ is a multiple of the stride $s$, each inner pixel gets $(k/s)^2$ stamps, here 4. Otherwise the number changes from pixel to pixel in a regular pattern ([Odena, Dumoulin and Olah 2016](https://distill.pub/2016/deconv-checkerboard/)). With trained weights such a pattern, a *checkerboard*, is possible for kernel 4 too, which notebook 08 measures.
#
# ## Inside a trained generator
#
# `TRAINED` is a run that comes with the package, trained with the preset `laptop`, this series' settings for a CPU. A *hook* is a function that PyTorch calls after a layer. Ours keep what each block returns for one noise vector.


# %%
def noise(count, seed):
    random = torch.Generator().manual_seed(seed)
    return torch.randn(count, 100, 1, 1, generator=random)


trained = load_generator(TRAINED)
maps = []
blocks = [trained.layers[i] for i in range(4)]
hooks = [b.register_forward_hook(lambda m, x, y: maps.append(y[0])) for b in blocks]
with torch.no_grad():
    image = trained(noise(1, seed=3))
for hook in hooks:
    hook.remove()

# %%
figure, axes = plt.subplots(4, 9, figsize=(11, 5.4), layout="constrained")
for row, channels in zip(axes, maps, strict=True):
    strongest = channels.mean((1, 2)).argsort(descending=True)[:8]
    for ax, channel in zip(row[:8], strongest, strict=True):
        ax.imshow(channels[channel], cmap="magma")
    row[0].set_ylabel(" × ".join(map(str, channels.shape)), fontsize=11)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
for ax in axes[:3, 8]:
    ax.axis("off")
axes[3, 8].imshow(image[0, 0], cmap="gray", vmin=-1, vmax=1)
axes[3, 8].set_title("$G(z)$")
figure.suptitle("The eight strongest maps after each block, and the image $G(z)$")
plt.show()

# %% [markdown]
# Each map has its own scale from dark to light. *Strongest* means the largest mean.
#
# The first row shows no digit. In the second, some maps are light along the border. In the third, some maps show the stroke, and in the last nearly all. The regular grid around it is a checkerboard.
#
# Does the light border come from training? Compare with new generators:


# %%
def border_over_inside(network):
    """Mean of the 8×8 maps at the border over their mean inside, for 64 images."""
    with torch.no_grad():
        means = network.layers[:2](noise(64, seed=1)).mean((0, 1))
    inside = means[1:-1, 1:-1]
    return (means.sum() - inside.sum()) / 28 / inside.mean()


print(f"trained: {border_over_inside(trained):.1f}")
torch.manual_seed(0)
for _ in range(3):
    new = networks.Generator(features=16)
    networks.initialize_weights(new)
    print(f"new:     {border_over_inside(new):.1f}")

# %% [markdown]
# The border has 1.5<!--seen--> times the mean of the inside after training, and 0.7<!--seen--> times in all three new generators. So it comes from training.
#
# ## Drawing samples: `eval()`
#
# The article draws samples in training mode. Without batch norm this changes nothing. With batch norm, each image depends on the others of its batch. After `eval()` batch norm uses its running statistics, and each image depends on its own noise only.
#
# Here is one noise vector in four batches: three times with 31 others, once with one other.

# %%
z = noise(1, seed=3)
others = [noise(31, seed=1), noise(31, seed=2), noise(31, seed=4), noise(1, seed=1)]
figure, axes = plt.subplots(2, 4, figsize=(10, 4.9), layout="constrained")
for row, mode in zip(axes, ("train", "eval"), strict=True):
    network = copy.deepcopy(trained)  # training mode changes the running statistics
    network.train(mode == "train")
    with torch.no_grad():
        images = [network(torch.cat([z, more]))[0, 0] for more in others]
    row[0].imshow(images[0], cmap="gray", vmin=-1, vmax=1)
    row[0].set(title="image, others: 31", ylabel=f"{mode}()")
    for ax, image, more in zip(row[1:], images[1:], others[1:], strict=True):
        change = image - images[0]
        shown = ax.imshow(change, cmap="RdBu", vmin=-0.5, vmax=0.5)
        ax.set_title(f"change, others: {len(more)}")
        print(f"{mode}(), others: {len(more):2}, change {change.abs().mean():.3f}")
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
figure.colorbar(shown, ax=axes, label="change of the pixel", shrink=0.8)
figure.suptitle("The same noise vector in different batches")
plt.show()

# %% [markdown]
# Pixels range from -1 to 1. In training mode, other images change them by up to 0.052<!--seen--> on average. After `eval()` nothing changes. Drawing in training mode also changes the running statistics.
#
# ## The helper's generator
#
# The next notebooks import `Generator` from `dcgan_helpers.networks`. With the same weights it makes the same images as ours; the last cell tests it. It adds error messages, `batch_norm=False`, classes (notebook 13) and other sizes.
#
# ## 32, 64 or 128 pixels
#
# The figure shows the helper's generators for three sizes, with all shapes. A box is one step higher for each doubling of the side. It is one step wider, and darker, for each doubling of the channels. An arrow is one transposed convolution, with what follows it.

# %%
sizes = (32, 64, 128)
generators = [networks.Generator(features=8, image_size=size) for size in sizes]
title = "Generators of three sizes (features = 8): channels × height × width"
show_sizes(generators, title)
plt.show()

# %% [markdown]
# In a column of maps, the channels stay the same, and the side doubles from row to row. In a row, each block halves the channels and doubles the side. So channels times side is `features` times the image size for all maps of a row: for 64×64 it is $8 \cdot 64 = 512$.
#
# Twice the size needs one block more, where maps are smallest. Its maps are hatched: again 4×4, with twice the channels.
#
# A size must be 4, doubled several times. MNIST's own 28 is no such size, so a run refuses it:

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
# | images of 32×32 or 128×128 | one block too few or too many | shapes beside each layer, and the test |
# | `Expected 3D (unbatched) or 4D (batched) input to conv_transpose2d` | noise of shape `N×100` | `N×100×1×1` |
# | a grey background | a sigmoid at the output, but data in [-1, 1] | Tanh |
# | a regular grid over every image | a checkerboard | notebook 08 |
# | one noise vector gives different images | training mode | `generator.eval()`, and `train()` afterwards |
#
# ## Summary
#
# 1. A projection to 4×4, three doublings with batch norm and ReLU, and a last doubling with Tanh and without batch norm.
# 2. The first shape test passes.
# 3. There are 12.7 million parameters at full width, and 3.6 million at half the width.
# 4. The maps become larger and fewer, and the stroke of the digit appears in them.
# 5. After `eval()` an image no longer depends on its batch.
#
# ## Exercises
#
# Exercise 03.1 stands above.
#
# **Exercise 03.2.** Write `with_output_norm(generator)`. It returns an `nn.Sequential` of the generator's layers, with an `nn.BatchNorm2d(1)` before the Tanh.


# %% tags=["exercise"]
def with_output_norm(generator):
    # BEGIN SOLUTION
    return nn.Sequential(*generator.layers[:-1], nn.BatchNorm2d(1), nn.Tanh())
    # END SOLUTION


with_output_norm = exercises.with_output_norm(with_output_norm)

# %% [markdown]
# The mean of the values before its Tanh, for two batches:

# %%
torch.manual_seed(0)
network = with_output_norm(Generator(features=8))
for _ in range(2):
    before = network[:-1](torch.randn(8, 100, 1, 1))
    print(f"mean before the Tanh: {before.mean().abs().item():.4f}")

# %% [markdown]
# Why is it the same? A generator that cannot change this mean cannot make a batch lighter or darker than another.
#
# **Next:** [notebook 04](04_discriminator.ipynb) builds the discriminator.

# %%
# The helper's generator has the parameters and the outputs of the one above.
mine, helper = Generator(features=8), networks.Generator(features=8)
weights = zip(mine.state_dict(), helper.state_dict().values(), strict=True)
mine.load_state_dict(dict(weights))  # shapes must be the same
z = torch.randn(8, 100, 1, 1)
assert torch.equal(mine(z), helper(z))
