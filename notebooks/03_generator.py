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
# # 3 · The generator: from 100 random numbers to a picture
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/03_generator.ipynb)
#
# Four doublings lead from a 4×4 map to a 64×64 picture. On this page you build them, count every weight, look inside a trained generator at work, and measure the one fault that transposed convolutions are known for.
#
# **In this notebook you will**
#
# 1. build the generator block by block, with the shape beside each layer;
# 2. make the first shape test of notebook 02 pass;
# 3. derive its number of parameters, and confirm it;
# 4. measure checkerboards: transposed convolution beside resizing and convolving;
# 5. look at the feature maps of a trained generator, and see what `eval()` changes.
#
# **You need** the sizes of notebook 02: kernel 4, stride 2, padding 1 doubles. **Time:** read 20 min, run 1 min on a laptop.
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
from torch.utils.flop_counter import FlopCounterMode

from dcgan_helpers import InputError, networks
from dcgan_helpers.data import load_dataset, scale_images
from dcgan_helpers.exercises import check_generator
from dcgan_helpers.figures import show_images
from dcgan_helpers.figures.shapes import show_sizes
from dcgan_helpers.hyperparameters import Hyperparameters
from dcgan_helpers.run_folder import TRAINED, load_generator

# %% [markdown]
# ## The plan of channels
#
# The paper (figure 1) starts from 100 numbers, makes 1,024 maps of 4×4 of them, and from there on halves the number of maps each time their sides double: 1024, 512, 256, 128, and then the picture. The article names this plan and says that `features_g` "is therefore set to 64", which reads as if 64 were the width of a layer. It is the unit: the first layer has $16 \times 64 = 1024$ channels.

# %%
features = 64
print("channels:", [100] + [m * features for m in (16, 8, 4, 2)] + [1])

# %% [markdown]
# Where maps are small there are many of them: each of the 1,024 says something about the whole picture. Where they are large there are few: they are about strokes and edges.
#
# ## One block
#
# A transposed convolution doubles the sides, batch normalisation brings each channel to a common scale, ReLU cuts off what is negative. *Batch normalisation* does to each channel, over all pictures and places of the batch,
#
# $$y = \gamma\,\frac{x - \text{mean}}{\sqrt{\text{variance} + \varepsilon}} + \beta,$$
#
# with a scale $\gamma$ and a shift $\beta$ for each channel, both learnt. While it trains, it also keeps running averages of mean and variance, and after `eval()` it uses those instead. The article's code has the batch normalisation commented out, as the code it follows had at the time, and says nothing about it. The paper asks for it, in both networks, everywhere but at the generator's output and the discriminator's input (section 3). Without it our training collapses, which notebook 07 shows and notebook 05 explains, so here it is in.


# %%
def up_block(in_channels, out_channels, stride, padding):
    """Transposed convolution, batch norm, ReLU: one step up in size."""
    return nn.Sequential(
        nn.ConvTranspose2d(in_channels, out_channels, 4, stride, padding, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )


x = torch.randn(8, 100, 1, 1)
for block in (up_block(100, 32, 1, 0), up_block(32, 16, 2, 1), up_block(16, 8, 2, 1)):
    y = block(x)
    print("N ×", tuple(x.shape[1:]), "becomes N ×", tuple(y.shape[1:]))
    x = y

# %% [markdown]
# **Why `bias=False`?** Batch normalisation subtracts each channel's mean over the batch. Whatever constant a bias adds to a channel is in that mean, and goes out with it:

# %%
torch.manual_seed(0)
x, norm = torch.randn(8, 16, 4, 4), nn.BatchNorm2d(16)
bias = torch.randn(1, 16, 1, 1)
print(
    "a bias before batch norm is lost:",
    torch.allclose(norm(x), norm(x + bias), atol=1e-5),
)

# %% [markdown]
# The batch norm has a shift of its own, so nothing is missing. The last layer has no batch norm, and keeps its bias.
#
# **Why these activations?** ReLU inside: it costs next to nothing, and where it is on, it passes the gradient unchanged. Tanh at the end: pictures have a darkest and a lightest value, and so has Tanh, as its limits. The paper reports that a bounded activation let the model learn faster to fill the colours of the training images (section 3).

# %%
x = torch.linspace(-4, 4, 401, requires_grad=True)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for ax, f, name in [
    (axes[0], nn.ReLU(), "ReLU: inside"),
    (axes[1], nn.Tanh(), "Tanh: at the end"),
]:
    (slope,) = torch.autograd.grad(f(x).sum(), x)
    ax.plot(x.detach(), f(x).detach(), label="value")
    ax.plot(x.detach(), slope, "--", label="slope (what comes back)")
    ax.set(title=name, xlabel="input", ylabel="output")
    ax.legend()
plt.show()

# %% [markdown]
# Look at the dashed line of the Tanh: at $\pm 4$ next to nothing comes back (a thousandth). A generator whose pixels are all near $\pm1$, *saturated*, hardly hears the discriminator any more.
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
# The first block deserves a second look. On a 1×1 input, a transposed convolution with kernel 4, stride 1 and no padding is nothing but a matrix: each of the 16·f·16 outputs is a weighted sum of the 100 noise numbers. The paper calls it "project and reshape". Here is the proof:

# %%
generator = Generator(features=8)
weight = generator.layers[0][0].weight  # 100 × 128 × 4 × 4: in, out, height, width
z = torch.randn(8, 100, 1, 1)
projected = (z.flatten(1) @ weight.flatten(1)).reshape(8, 128, 4, 4)
same = torch.allclose(generator.layers[0][0](z), projected, atol=1e-5)
print("the first layer is a matrix, reshaped:", same)

# %% [markdown]
# **The noise.** The paper's text draws $z$ from a uniform distribution; the authors' [later code](https://github.com/soumith/dcgan.torch), the article and this series draw it from a normal one. Whichever it is, sampling must use the one that training used.
#
# ## Counting its parameters
#
# A transposed convolution from $a$ to $b$ channels has $4 \cdot 4 \cdot a \cdot b$ weights. A batch norm has a scale and a shift for each of its channels. So, for latent size $d$, width $f$ and $c$ image channels:
#
# $$16\,\big(16\,d f + 128 f^2 + 32 f^2 + 8 f^2 + 2 f c\big) + c \;+\; 2\,(16 + 8 + 4 + 2) f$$
#
# <details><summary><b>Predict first:</b> half the width. How many of the parameters remain?</summary>
#
# Between a quarter and about a third, and nearer to a quarter the wider it is: most sit in the terms with $f^2$, the rest in the first layer. Work goes the same way, which is why the laptop preset, this series' settings for a CPU, is narrow.
# </details>


# %%
def count(d, f, c):
    return 16 * (16 * d * f + (128 + 32 + 8) * f * f + 2 * f * c) + c + 60 * f


for f in (8, 16, 32, 64):
    real_count = sum(p.numel() for p in Generator(100, 1, f).parameters())
    print(f"features {f:2}: {count(100, f, 1):10,} derived, {real_count:10,} counted")

# %% [markdown]
# The layer table, as torchinfo prints it, agrees. Two thirds of the parameters are in one layer, the second.

# %% tags=["nbval-ignore-output"]
columns = ("output_size", "num_params")
table = torchinfo.summary(
    Generator(), (1, 100, 1, 1), depth=3, verbose=0, device="cpu", col_names=columns
)
print(table)
assert table.total_params == count(100, 64, 1)

# %% [markdown]
# And the work? In a convolution each weight is used once for every *output* place. In a transposed convolution each weight is used once for every *input* place: it is multiplied with the input number, and the product added to a stamp. So the multiply-adds are weights times input places, and PyTorch's own counter agrees. (torchinfo, in its version 1.8, multiplies with the output places here too, and reports four times too much.)

# %%
total, size = 0, 1
for layer in [m for m in Generator().modules() if isinstance(m, nn.ConvTranspose2d)]:
    work = layer.weight.numel() * size**2
    print(
        f"{layer.in_channels:5} to {layer.out_channels:4} channels: {work / 1e6:4.0f} M"
    )
    total, size = total + work, 4 if size == 1 else 2 * size
with FlopCounterMode(display=False) as counter, torch.no_grad():
    Generator()(torch.randn(2, 100, 1, 1))
pytorch = counter.get_total_flops() / 2 / 2  # two images; a multiply-add is two FLOPs
print(f"together {total / 1e6:.0f} million multiply-adds, PyTorch {pytorch / 1e6:.0f}")
print(f"torchinfo {table.total_mult_adds / 1e6:.0f}")

# %% [markdown]
# Three layers share the work evenly, each with four times fewer weights and four times more places than the one before. The two at the ends cost next to nothing.
#
# ## Checkerboards
#
# Transposed convolutions are known for a fault. Where stamps overlap unevenly, some pixels get more ink than their neighbours, in a regular pattern ([Odena, Dumoulin and Olah 2016](https://distill.pub/2016/deconv-checkerboard/)). With all weights equal and an input of ones it can be seen directly:

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 3.7), layout="constrained")
ones = torch.ones(1, 1, 8, 8)
for ax, (k, p, extra) in zip(axes, [(3, 1, 1), (4, 1, 0), (5, 2, 1)], strict=True):
    layer = nn.ConvTranspose2d(1, 1, k, 2, p, output_padding=extra, bias=False)
    nn.init.ones_(layer.weight)
    with torch.no_grad():
        ink = layer(ones)[0, 0]
    inner = ink[3:-3, 3:-3]  # away from the border
    shown = ax.imshow(ink, cmap="viridis", vmin=0, vmax=9)
    ax.set(title=f"kernel {k}, stride 2", xlabel="column", ylabel="row")
    print(f"kernel {k}: {inner.min():.0f} to {inner.max():.0f} stamps on inner pixels")
figure.colorbar(shown, ax=axes, label="stamps", shrink=0.8)
figure.suptitle("How many stamps fall on each pixel")
plt.show()

# %% [markdown]
# A kernel of 4 is a multiple of the stride, so every inner pixel gets the same number of stamps. That is the usual argument for the 4. But does it cure the fault? Even counts help only as long as the weights are equal. With other weights, the four pixels of each 2×2 cell are still made by four different parts of the kernel.
#
# The usual cure is to leave the transposed convolution: enlarge the map by repeating its pixels, and then use an ordinary convolution, in which all pixels are made by the same weights. So measure all three, in a generator at its start. The measure: of the variance between the pixels of a picture, which share is explained by *where in its 2×2 cell* a pixel is? No checkerboard, 0. Nothing but checkerboard, 1.


# %%
def checkerboard(images, cell=2):
    """The share of the pixels' variance that their place in the cell explains."""
    x = images - images.mean((2, 3), keepdim=True)
    places = [(i, j) for i in range(cell) for j in range(cell)]
    means = torch.stack([x[:, :, i::cell, j::cell].mean((2, 3)) for i, j in places])
    variance = x.var((2, 3), unbiased=False)
    lit = variance > 1e-8  # a map that is 0 all over has no pattern
    return (means.var(dim=0, unbiased=False)[lit] / variance[lit]).mean().item()


stripes = torch.tensor([-1.0, 1.0]).repeat(1, 1, 64, 32)
digits = scale_images(load_dataset("mnist-5k")[torch.arange(0, 4000, 80)])
print(f"stripes of one pixel {checkerboard(stripes):.3f}")
print(f"real digits          {checkerboard(digits):.3f}")


# %%
def enlarge(kind, in_channels, out_channels):
    if kind == "resize + conv 3":
        conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        return nn.Sequential(nn.Upsample(scale_factor=2), conv)
    k, extra = (3, 1) if kind == "transposed 3" else (4, 0)
    return nn.ConvTranspose2d(in_channels, out_channels, k, 2, 1, extra, bias=False)


def untrained(kind, seed, f=16):
    torch.manual_seed(seed)
    layers, widths = [nn.ConvTranspose2d(100, 16 * f, 4, bias=False)], [16, 8, 4, 2]
    for i in range(4):
        layers += [nn.BatchNorm2d(widths[i] * f), nn.ReLU()]
        layers.append(enlarge(kind, widths[i] * f, widths[i + 1] * f if i < 3 else 1))
    network = nn.Sequential(*layers, nn.Tanh())
    networks.initialize_weights(network)
    with torch.no_grad():
        return network(torch.randn(16, 100, 1, 1))


kinds = ["transposed 3", "transposed 4", "resize + conv 3"]
drawn = {kind: [untrained(kind, seed) for seed in range(5)] for kind in kinds}

# %% [markdown]
# <details><summary><b>Predict first:</b> which of the three shows a checkerboard before any training?</summary>
#
# Both transposed ones, and the 4 no less than the 3. Only resizing does not.
# </details>

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 4), layout="constrained")
for ax, (kind, pictures) in zip(axes, drawn.items(), strict=True):
    shares = sorted(checkerboard(x) for x in pictures)
    print(f"{kind:16} median {shares[2]:.2f}, {shares[0]:.2f} to {shares[-1]:.2f}")
    ax.imshow(pictures[2][0, 0, 24:40, 24:40], cmap="gray")
    ax.set(title=f"{kind}: {checkerboard(pictures[2]):.2f}")
    ax.set(xticks=[x - 0.5 for x in range(0, 17, 2)], xticklabels=range(0, 17, 2))
    ax.set(yticks=[y - 0.5 for y in range(0, 17, 2)], yticklabels=range(0, 17, 2))
    ax.grid(color="orange", lw=1)
    ax.set(xlabel="column", ylabel="row")
figure.suptitle(
    "16×16 pixels of an untrained picture in cells of 2×2, contrast stretched"
)
plt.show()

# %% [markdown]
# So the usual advice, a kernel that is a multiple of the stride, removes the pattern for equal weights only. (Odena and his co-authors say themselves that it can come back.) With the random weights of a real start, kernel 4 shows no less of it than kernel 3; resizing shows none. The pattern is what the generator *starts* from. Does training take it away? Here is a generator after the laptop preset's training, which comes with the package (made by `python -m dcgan_helpers train` and `python -m dcgan_helpers export`):

# %%
trained = load_generator(TRAINED)
torch.manual_seed(0)
with torch.no_grad():
    maps = trained.layers[:4](torch.randn(50, 100, 1, 1))  # 32×32
    fakes = trained.layers[4:](maps)
for name, images in [("real digits", digits), ("fakes", fakes), ("maps before", maps)]:
    print(f"{name:12} {checkerboard(images):.3f}")
show_images(fakes[:16], "Fakes of the trained generator")
plt.show()

# %% [markdown]
# By this measure the pattern is gone from the pictures, and not from the maps that they are made of, one layer before: there it still explains 0.11 of the variance. But a measure sees only what it is made for. Look at the slanting strokes, or enlarge one, and let a second measure look as well: how much of a picture's power is in waves of (nearly) two pixels' length, the finest there are?


# %%
def finest_waves(images):
    """The share of the power in waves of at most 16/7 pixels, across or along."""
    power = torch.fft.fft2(images - images.mean((2, 3), keepdim=True)).abs() ** 2
    n = images.shape[-1]
    high = (torch.arange(n) - n // 2).abs() <= n // 16
    share = (power * (high[:, None] | high)).sum((2, 3)) / power.sum((2, 3))
    return share.mean().item()


figure, axes = plt.subplots(1, 4, figsize=(10, 3.1), layout="constrained")
shown = [
    (digits[15], "real"),
    (digits[35], "real"),
    (fakes[0], "fake"),
    (fakes[10], "fake"),
]
for ax, (image, name) in zip(axes, shown, strict=True):
    ax.imshow(image[0, 14:46, 18:50], cmap="gray", vmin=-1, vmax=1)
    ax.set(title=name, xlabel="column", ylabel="row")
figure.suptitle("32×32 pixels from the middle of four pictures")
plt.show()
ratio = finest_waves(fakes) / finest_waves(digits)
print(f"finest waves: {finest_waves(digits):.4f} of the power of real digits")
print(
    f"              {finest_waves(fakes):.4f} of the fakes', {ratio:.0f} times as much"
)

# %% [markdown]
# There they are: teeth along the edges of the fakes' strokes and grains inside them, one pixel in size, and 26 times the power in the finest waves. They no longer form a regular grid, so the first measure is blind to them. A careful eye can tell the fakes by it.
#
# ## Inside a trained generator
#
# One noise vector, and what the blocks make of it. A *hook* is called after a module has run, and keeps a copy of what came out.


# %%
def noise(count, seed):
    random = torch.Generator().manual_seed(seed)
    return torch.randn(count, 100, 1, 1, generator=random)


# %%
maps = []
blocks = [trained.layers[i] for i in range(4)]
hooks = [b.register_forward_hook(lambda m, x, y: maps.append(y[0])) for b in blocks]
with torch.no_grad():
    picture = trained(noise(1, seed=3))
for hook in hooks:
    hook.remove()

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
axes[3, 8].imshow(picture[0, 0], cmap="gray", vmin=-1, vmax=1)
axes[3, 8].set_title("$G(z)$")
figure.suptitle("The eight strongest maps after each block, and the picture")
plt.show()

# %% [markdown]
# (Each map is scaled to its own darkest and lightest place; *strongest* means the largest mean, which favours maps that are lit all over.) The first row has 16 coarse places, and no eye can tell what they will become. In the second, whole borders light up: the network has found out where the edge is, and that nothing belongs there. In the third row the digit's stroke can be made out, and in the last it is plain, bright in some maps, in others a dark shape on a busy background. That busy background is the checkerboard, in full view. In the picture it is gone: there the last layer only has to push the Tanh far enough down.
#
# ## Drawing samples: `eval()`
#
# The article never calls `eval()`: it draws its samples in training mode. With its batch norms commented out that makes no difference. Put them back in, and it does: they now normalise with the mean and the variance *of the batch at hand*, so what a noise vector is turned into depends on its companions. After `eval()` they use their running averages, and each picture stands for itself. Same noise vector, three different sets of 31 companions, and a single one:

# %%
z = noise(1, seed=3)
companies = [noise(31, seed=1), noise(31, seed=2), noise(31, seed=4), noise(1, seed=1)]
figure, axes = plt.subplots(2, 4, figsize=(8, 4.6), layout="constrained")
for row, mode in zip(axes, ("train", "eval"), strict=True):
    network = copy.deepcopy(trained)  # running it in training mode changes averages
    network.train(mode == "train")
    with torch.no_grad():
        images = [network(torch.cat([z, others]))[0] for others in companies]
    for ax, image in zip(row, images, strict=True):
        ax.imshow(image[0], cmap="gray", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(f"{mode}()")
    moved = [(image - images[0]).abs().mean() for image in images]
    print(f"{mode}(): another 31 move a pixel by {moved[1]:.3f}, one by {moved[3]:.3f}")
for ax, company in zip(axes[0], ["31", "31 others", "31 more", "1"], strict=True):
    ax.set_title(f"with {company}")
figure.suptitle("The same noise vector in different batches")
plt.show()

# %% [markdown]
# In training mode other companions move the pixels (from black to white is a way of 2). After `eval()` they move nothing at all. Small or not, a grid drawn in training mode cannot be repeated picture by picture, and each such drawing also shifts the running averages.
#
# ## The helper's generator is this one
#
# From here on the series imports `Generator` from `dcgan_helpers.networks`. It adds messages for wrong shapes, the switch `batch_norm=False` for the article's network, other sizes (below) and classes (notebook 13). Otherwise it is the class above: same parameters, and with the same weights the same pictures.

# %%
mine, helper = Generator(features=8), networks.Generator(features=8)
shapes = [{name: p.shape for name, p in g.state_dict().items()} for g in (mine, helper)]
print("same parameters:", shapes[0] == shapes[1])
mine.load_state_dict(helper.state_dict())
z = torch.randn(8, 100, 1, 1)
print("same outputs:   ", torch.equal(mine(z), helper(z)))

# %% [markdown]
# ## 32, 64 or 128 pixels
#
# The helper's generator also makes images of 32×32 and of 128×128. Here are the generators of all three sizes, with the shapes that their layers return. A box is one step higher for each doubling of the side. It is one step wider, and darker, for each doubling of the channels. An arrow is one transposed convolution, with what follows it.

# %%
sizes = (32, 64, 128)
generators = [networks.Generator(features=8, image_size=size) for size in sizes]
title = "Generators of three sizes (features = 8): channels × height × width"
show_sizes(generators, title)
plt.show()

# %% [markdown]
# Follow one column of maps from top to bottom. The number of channels stays the same, and the side doubles. So the plan of channels is kept, counted from the image. Follow one row from left to right. Between the 4×4 maps and the last maps, each block halves the channels and doubles the side. For these maps, channels times side is always `features` times the size of the image: for 64×64 it is $8 \cdot 64 = 512$.
#
# Twice the size needs one block more. It comes in where maps are smallest, and its maps are hatched. They are again 4×4, with twice as many channels as the 4×4 maps of the row above.
#
# A size must be a 4 that is doubled by every block but the first. 28, the size of MNIST's own files, is no such number, so a run refuses it.

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
# | The output is 32×32 or 128×128 | a block too few or too many, or padding 1 in the first one | shapes beside each layer, and the test |
# | `Expected 3D (unbatched) or 4D (batched) input to conv_transpose2d` | noise of shape `N×100` | `N×100×1×1` |
# | Pictures are washed out, or the background is grey | Sigmoid at the end with data in [-1, 1], or no activation at all | Tanh |
# | A regular grid over every picture | the checkerboard of the start, not trained away yet | train longer; or resize and convolve |
# | One sample looks different each time | training mode while drawing | `generator.eval()`, and `train()` afterwards |
#
# ## Summary
#
# 1. Five layers for 64×64 pixels: a projection to 4×4, three doublings with batch norm and ReLU, and a last doubling with Tanh.
# 2. The first shape test passes.
# 3. About 12.7 million parameters at full width; less than a third of that for half the width.
# 4. Kernel 4 spreads its stamps evenly, and still starts with a checkerboard, since its weights are random; resizing does not. Training removes the pattern from the picture, all but fine teeth, and not from the maps inside.
# 5. Inside, coarse maps become the digit's stroke. `eval()` makes a picture independent of its batch.
#
# ## Exercises
#
# **1.** At full width, which layer has the most parameters, and what share of all is that, in percent?

# %%
answer = None  # (number of the block, counted from 1; percent)


def check(answer):
    sizes = [sum(p.numel() for p in block.parameters()) for block in Generator().layers]
    if answer is None:
        return "not answered yet"
    block, percent = answer
    share = 100 * sizes[block - 1] / sum(sizes)
    return (
        "right"
        if sizes[block - 1] == max(sizes) and abs(percent - share) < 1
        else "not yet"
    )


print("exercise 1:", check(answer))

# %% [markdown]
# **2.** Build `SmoothGenerator`, with `enlarge("resize + conv 3", …)` in place of the last transposed convolution only. Does the shape test pass, and what does `checkerboard` say for five seeds? (Mind the initial weights: `networks.initialize_weights`.) And with cells of 4×4?
#
# <details><summary>What we found</summary>
#
# The shape test passes. The 2×2 measure says 0.00 for all five seeds: the last layer makes all pixels with the same weights. But `checkerboard(images, cell=4)` says 0.04 to 0.29, by seed, where the original has 0.19 to 0.53. The layer before still stamps, and its pattern, enlarged, has a period of four. A cure for the last layer alone makes the squares bigger, and somewhat fainter.
# </details>
#
# **Next:** [notebook 04](04_discriminator.ipynb) builds the opponent.


# %%
# Spoilers! For the tests: the checks and what is said about exercise 2.
class SmoothGenerator(Generator):
    def __init__(self, latent_dim=100, image_channels=1, features=16):
        super().__init__(latent_dim, image_channels, features)
        self.layers[4] = enlarge("resize + conv 3", 2 * features, image_channels)


def smooth(seed):
    torch.manual_seed(seed)
    generator = SmoothGenerator()
    networks.initialize_weights(generator)
    with torch.no_grad():
        return generator(torch.randn(16, 100, 1, 1))


assert check((2, 66)) == "right" and check((1, 66)) == "not yet"
check_generator(SmoothGenerator)
assert all(checkerboard(smooth(seed)) < 0.005 for seed in range(5))
assert all(0.03 < checkerboard(smooth(seed), cell=4) < 0.3 for seed in range(5))
