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
# # 5 · Initial weights and hyperparameters: what each number does
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/05_hyperparameters.ipynb)
#
# A dozen numbers decide whether a DCGAN learns.
#
# **In this notebook you will**
#
# 1. meet the article's numbers, beside the paper's;
# 2. see what Adam does with a gradient;
# 3. follow the signal through a new generator, layer by layer;
# 4. compare three starts, forwards and backwards.
#
# **You need** the two networks (notebooks 03 and 04). **Time:** read 27 min, run 1 min on a laptop.

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
import math

import matplotlib.pyplot as plt
import torch
from torch import nn

from dcgan_helpers import exercises, networks
from dcgan_helpers.hyperparameters import PRESETS
from dcgan_helpers.networks import Discriminator, Generator

# %% [markdown]
# ## The article's numbers
#
# *The paper* is the [DCGAN paper](https://arxiv.org/abs/1511.06434), *the article* is the text that this series retells. Where no place is named, the paper's numbers are from its section 4.
#
# | in the article | value | what it sets | the paper |
# | --- | --- | --- | --- |
# | `LEARNING_RATE` | 2e-4 | the size of a step, for both networks | 0.0002; 0.001 was too high |
# | `betas` | (0.5, 0.999) | how long Adam remembers | 0.5; with 0.9 training oscillated |
# | `BATCH_SIZE` | 128 | real images in a step | 128 |
# | `IMAGE_SIZE` | 64 | height and width | 64 (figure 1) |
# | `CHANNELS_IMG` | 1 | 1 for grey, 3 for colour | 3 (figure 1) |
# | `NOISE_DIM` | 100 | length of the noise $z$ | 100 (figure 1) |
# | `NUM_EPOCHS` | 30 | the number of passes through all images | not given for MNIST |
# | `FEATURES_GEN` | 64 | the generator's width: its first layer has 16 times as many channels | 1,024 channels (figure 1) |
# | `FEATURES_DISC` | 64 | the discriminator's width: its last hidden layer has 8 times as many | 512 channels (section 5.1) |
# | kernel | 4 | the size of all kernels | 5 (figure 1) |
# | slope | 0.2 | LeakyReLU's factor below 0 | 0.2 |
# | weights | 0.02 | their standard deviation at the start | 0.02 |
# | batch norm | none | it is commented out | in all layers but two (section 3) |

# %% [markdown]
# The article notes that each network could have a learning rate of its own. [Heusel et al. 2017](https://arxiv.org/abs/1706.08500) train like that. The article's comment gives the discriminator's last hidden layer 1,024 channels, but its code makes $8 \cdot 64 = 512$.
#
# In this series all numbers of a run are in `dcgan_helpers/hyperparameters.py`. A *preset* is a named set of them:

# %%
fields = ("generator_features", "discriminator_features", "batch_norm", "learning_rate")
fields += ("learning_rate_schedule", "betas", "instance_noise", "batch_size", "epochs")
print(f"{'':24}{'laptop':>14}{'article':>14}{'paper':>14}")
for name in fields:
    values = [getattr(PRESETS[p], name) for p in ("laptop", "article", "paper")]
    print(f"{name:24}" + "".join(f"{value!s:>14}" for value in values))

# %% [markdown]
# Of these numbers, `article` and `paper` differ in batch norm and epochs.
#
# `laptop` is for a few minutes on a CPU. Its networks are narrower, and its learning rate is higher and falls linearly to 0 over the run. Notebooks 09 and 12 measure what it changes.
#
# ## Adam in one line
#
# Both networks are trained by Adam. With the gradient $g$ of a weight $w$ and the learning rate $\eta$, a step is
#
# $$w \leftarrow w - \eta\,\frac{m}{\sqrt{v} + \varepsilon}.$$
#
# $m$ is an average of the past gradients, $v$ of their squares, and $\varepsilon = 10^{-8}$ prevents a division by 0.

# %% [markdown]
# A step updates both averages: $m \leftarrow \beta_1 m + (1 - \beta_1)\,g$, and $v$ likewise with $\beta_2$ and $g^2$. They start at 0, so Adam divides them by $1 - \beta_1^t$ and $1 - \beta_2^t$ after $t$ steps.
#
# So $m$ contains the gradient of $k$ steps ago with the weight $(1 - \beta_1)\,\beta_1^k$. This average is called *momentum*:

# %%
figure, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
ago = torch.arange(15)
for beta1, marker in ((0.0, "o"), (0.5, "s"), (0.9, "^")):
    share = (1 - beta1) * beta1**ago
    ax.plot(ago, share, marker=marker, label=rf"$\beta_1$ = {beta1}")
ax.set(title="What Adam remembers", xlabel="steps ago", ylabel="weight in the average")
ax.legend()
plt.show()


# %%
def first_step(gradient):
    """How far Adam's first step moves a weight, in learning rates."""
    weight = torch.zeros(1, requires_grad=True)
    weight.grad = torch.tensor([gradient])
    torch.optim.Adam([weight], lr=1.0).step()
    return -weight.item()


for gradient in (1.0, 1e-3, 1e-6, 1e-8):
    print(f"gradient {gradient:6.0e}: first step {first_step(gradient):.2f}")

# %% [markdown]
# The unit is one learning rate. Adam divides out the size of the gradient: 1 and a thousandth give the same first step. Only a gradient as small as $\varepsilon$ gives half of it.

# %% [markdown]
# ## Initial weights
#
# The paper draws all weights from $N(0, 0.02)$: a normal distribution with mean 0 and standard deviation 0.02. What does such a layer do to the size of a signal? *Size* means root mean square here.
#
# An output of a convolution is a sum of $m$ products, each a weight times an input. The weights are independent, so the variances add up. The size of the output is $0.02\sqrt{m}$ times that of the input. A ReLU sets about half of the values to 0, and with them half of the mean square. So a layer multiplies the size by its *gain*:
#
# $$0.02\,\sqrt{m}\;\text{ in the first layer},\qquad 0.02\,\sqrt{m/2}\;\text{ after a ReLU}.$$

# %% [markdown]
# In the generator's first layer $m$ is 100. In the others $m$ is 4 times the number of input channels: with kernel 4 and stride 2, each output pixel is a sum over 2×2 places.
#
# <details><summary><b>Predict first:</b> five layers without batch norm, full width, noise of size 1. What is the size of the generator's output before the Tanh?</summary>
#
# $0.2 \cdot 0.91 \cdot 0.64 \cdot 0.45 \cdot 0.32 \approx 0.017$. All images are nearly grey. At a quarter of the width four of the five gains are halved, so the size is a sixteenth of it.
# </details>


# %%
def rms(x):
    return x.float().square().mean().sqrt().item()


def signal(generator, seed=0):
    """Size of what each layer hands to its activation, after its batch norm if any."""
    nn.init.zeros_(generator.layers[-2].bias)  # it only shifts all images alike
    sizes, blocks = [], list(generator.layers)[:5]
    for block in blocks:
        last = block[-2] if isinstance(block, nn.Sequential) else block
        last.register_forward_hook(lambda m, x, y: sizes.append(rms(y)))
    torch.manual_seed(seed)
    with torch.no_grad():
        generator(torch.randn(32, 100, 1, 1))
    return sizes


# %%
print("features   after layer       1        2        3        4        5")
for f in (16, 64):
    predicted, size = [], 1.0
    for layer, m in enumerate([100, 4 * 16 * f, 4 * 8 * f, 4 * 4 * f, 4 * 2 * f]):
        size *= 0.02 * math.sqrt(m / 2 if layer else m)
        predicted.append(size)
    torch.manual_seed(0)
    new = Generator(100, 1, f, batch_norm=False)
    networks.initialize_weights(new)
    print(f"{f:8}     predicted  ", *(f"{x:8.4f}" for x in predicted))
    print(f"{f:8}     measured   ", *(f"{x:8.4f}" for x in signal(new)))

# %% [markdown]
# The formula holds roughly. The measured sizes are somewhat lower, because a pixel at the border is a sum over fewer than 4 places.
#
# So 0.02 is nearly right for 1,024 input channels, where the gain is 0.91. For narrow layers it is far too small. [He et al. 2015](https://arxiv.org/abs/1502.01852) choose the standard deviation $\sqrt{2/m}$ for each layer, so that every gain is 1. The paper can use one number for all layers, because its batch norm brings the signal back to size 1.

# %% [markdown]
# ## Three starts
#
# - **batch norm**: the batch-norm scales $\gamma$ are drawn from $N(1, 0.02)$. The 1 is not in the paper's text, but in [one author's code](https://github.com/soumith/dcgan.torch).
# - **scales N(0, 0.02)**: the article's `initialize_weights` treats batch norms like convolutions. So it would draw the scales around 0, if its batch norms were not commented out.
# - **no batch norm**: as in the article's code.
#
# **Exercise 05.1.** Write `initialize_weights(network)`, the first start. In place, it draws the weights of all convolutions, transposed ones too, from $N(0, 0.02)$ and the scales of all batch norms from $N(1, 0.02)$, and sets their shifts to 0. `network.modules()` and `network.children()` differ: which one finds layers inside blocks?


# %% tags=["exercise"]
def initialize_weights(network):
    # BEGIN SOLUTION
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
    # END SOLUTION


initialize_weights = exercises.initialize_weights(initialize_weights)

# %% [markdown]
# Forwards, we measure the signal after each layer. Backwards, we measure the gradient of the generator's loss at each layer's weights, after it has come through the discriminator.

# %%
STARTS = {
    "batch norm": {"batch_norm": True, "batch_norm_mean": 1.0},
    "scales N(0, 0.02)": {"batch_norm": True, "batch_norm_mean": 0.0},
    "no batch norm": {"batch_norm": False, "batch_norm_mean": 1.0},
}


def new_pair(batch_norm, batch_norm_mean, seed):
    """A new generator and discriminator with 16 features."""
    torch.manual_seed(seed)
    pair = Generator(100, 1, 16, batch_norm), Discriminator(1, 16, batch_norm)
    for network in pair:
        networks.initialize_weights(network, batch_norm_mean=batch_norm_mean)
    return pair


def gradients(generator, discriminator):
    """Size of the gradient at the weights of each generator layer."""
    logits = discriminator(generator(torch.randn(32, 100, 1, 1)))
    nn.BCEWithLogitsLoss()(logits, torch.ones_like(logits)).backward()
    layers = [m for m in generator.modules() if isinstance(m, nn.ConvTranspose2d)]
    return [rms(layer.weight.grad) for layer in layers]


# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4), layout="constrained")
numbers, middle = range(1, 6), {}
for (name, start), marker in zip(STARTS.items(), "o^s", strict=True):
    pairs = [new_pair(**start, seed=seed) for seed in (1, 2, 3)]
    forwards = torch.tensor([signal(generator) for generator, _ in pairs])
    backwards = torch.tensor([gradients(*pair) for pair in pairs])
    for ax, sizes in ((left, forwards), (right, backwards)):
        ax.semilogy(numbers, sizes.median(dim=0).values, marker=marker, label=name)
        ax.fill_between(numbers, sizes.amin(0), sizes.amax(0), alpha=0.3)
    middle[name] = forwards[:, -1].median(), backwards[:, 0].median()
right.axhline(1e-8, color="grey", ls="--", label=r"Adam's $\varepsilon$")
left.set(title="Forwards: the signal", xlabel="layer of the generator", ylabel="size")
right.set(title="Backwards: the gradient", xlabel="layer of the generator")
for ax in (left, right):
    ax.set_xticks(numbers)
right.set_ylabel("size")
right.legend(fontsize=8)
figure.suptitle("New networks, 16 features: median and range of three seeds")
plt.show()
for name, (image, gradient) in middle.items():
    print(f"{name:18} image {image:.0e}, gradient at layer 1 {gradient:.0e}")

# %% [markdown]
# - **batch norm**: the signal has size 1 after each of the four batch norms, whatever the weights are.
# - **scales N(0, 0.02)**: after each batch norm the size is about 0.02, the size of the scales. The gradients are thousands of times smaller than in the first start.
# - **no batch norm**: the signal falls from layer to layer, to about a thousandth in the image. All first fakes are nearly the same grey. The gradient at layer 1 is nearly a million times smaller than in the first start.
#
# Small gradients alone need not harm, because Adam divides their size out. Only without batch norm is the gradient at layer 1 as small as $\varepsilon$, so that the first step there is about half as long. Which start learns? Notebook 09 trains all three.

# %% [markdown]
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | Momentum of 0.9 without having chosen it | Adam's default $\beta_1$ is 0.9 | `betas=(0.5, 0.999)` |
# | Without batch norm, all fakes of a new generator are the same grey | 0.02 is too small for narrow layers | batch norm, or $\sqrt{2/m}$ |
# | Batch-norm scales near 0 at the start | `nn.init.normal_(weight, 0.0, 0.02)` for batch norms, too | mean 1 for batch norms |
# | `unknown hyperparameter` | a name is misspelt | the names are in `hyperparameters.py` |

# %% [markdown]
# ## Summary
#
# 1. The article has the paper's numbers, except for the kernel, grey images and the missing batch norm.
# 2. Adam divides out the size of the gradient. $\beta_1$ says how long it remembers.
# 3. A layer multiplies the signal by about $0.02\sqrt{m/2}$: nearly 1 for wide layers, far less for narrow ones.
# 4. Batch norm keeps the signal at 1. With scales around 0 it is about 0.02. Without batch norm signal and gradient become smaller from layer to layer.
#
# ## Exercises
#
# Exercise 05.1 stands above.
#
# **05.2.** No single number suits all layers. Write `gain_one(layer, number)` for a generator without batch norm. It draws the weights of one transposed convolution anew, by `nn.init.normal_(layer.weight, 0, std)`, so that the layer has a gain of 1. `layer.in_channels` is the number of input channels, `number` counts the layers from 1. The check prints the size of the signal after each layer.


# %%
def gain_one(layer, number):
    pass  # your code


def check_gains(change):
    torch.manual_seed(0)
    generator = Generator(100, 1, 16, batch_norm=False)
    networks.initialize_weights(generator)
    layers = [m for m in generator.modules() if isinstance(m, nn.ConvTranspose2d)]
    before = [layer.weight.std().item() for layer in layers]
    for number, layer in enumerate(layers, 1):
        change(layer, number)
    if before == [layer.weight.std().item() for layer in layers]:
        return "not answered yet"
    sizes = signal(generator)
    text = ", ".join(f"{size:.2f}" for size in sizes)
    is_right = all(0.6 < size < 1.3 for size in sizes)
    return f"right: {text}" if is_right else f"not yet: {text}"


print("exercise 05.2:", check_gains(gain_one))

# %% [markdown]
# **Next:** [notebook 06](06_data.ipynb) looks at the real images.


# %% tags=["solution"]
# The check above accepts a right answer.
def right_gains(layer, number):
    m = 100 if number == 1 else 4 * layer.in_channels
    nn.init.normal_(layer.weight, 0, math.sqrt((1 if number == 1 else 2) / m))


assert check_gains(right_gains).startswith("right")
alike = check_gains(lambda layer, number: nn.init.normal_(layer.weight, 0, 0.0442))
assert alike.startswith("not yet")
