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
# # 0 · Start here: two networks, and digits out of noise
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/00_start_here.ipynb)
#
# In minutes, a network on your computer learns to draw digits that it never sees.
#
# **In this notebook you will**
#
# 1. see digits come from noise;
# 2. follow a training step in a diagram;
# 3. derive the losses in logits;
# 4. play the game with single numbers;
# 5. choose where to run the series.
#
# **You need** PyTorch's basics, and probability densities. **Time:** read 36 min, run 4 min on a laptop.

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
from torch.distributions import Normal

from dcgan_helpers import exercises
from dcgan_helpers.data import load_dataset, scale_images
from dcgan_helpers.figures import show_images, show_timeline
from dcgan_helpers.figures.article import show_architecture
from dcgan_helpers.hyperparameters import preset
from dcgan_helpers.networks import Discriminator, Generator
from dcgan_helpers.training import train

# %% [markdown]
# ## Digits first
#
# This cell trains a *DCGAN*, a deep convolutional generative adversarial network, on 4,000 handwritten digits. Start it and read on. Your images will replace those below.

# %% tags=["nbval-ignore-output"]
run_dir = train(preset(), "runs/00_start_here", overwrite=True)
show_timeline(run_dir)
plt.show()
assert (run_dir / "generator.safetensors").is_file()

# %% [markdown]
# Each column is one *noise* $z$, 100 random numbers. A network turns it into an image, a *fake*. Each row is one moment of training. A *step* is one update of two networks, with 64 real images and 64 fakes.
#
# At the end most fakes can be read. Compare them with real digits:

# %%
real = load_dataset("mnist-5k")[torch.arange(250, 4000, 500)]
show_images(scale_images(real), "Eight real digits")
plt.show()

# %% [markdown]
# Could some fakes be copies of real digits? [Notebook 08](08_results.ipynb) tests it.
#
# <details><summary>How does this run differ from the DCGAN paper?</summary>
#
# The [paper](https://arxiv.org/abs/1511.06434) by Radford, Metz and Chintala (2016) has networks four times as wide and 5×5 kernels. It has batches of 128, the learning rate 0.0002, and Adam with $\beta_1 = 0.5$. Here the rate falls from 0.001 to 0, and $\beta_1 = 0$ (notebook 05). *Instance noise* is added to all images that $D$ sees (notebook 09). A *moving average* of the weights makes the fakes of the figure (notebook 07), in `eval()` mode. Only in this mode, step 0 is grey (notebook 03).
# </details>
#
# ## Two networks
#
# - The *generator* $G$ turns noise $z$ into a fake $G(z)$.
# - The *discriminator* $D$ turns an image $x$ into a *logit* $l(x)$, one number of any size. Its sigmoid $D(x) = \sigma(l(x))$ is the probability that $x$ is *real*, an image of the data.
#
# $D$ learns from images with the right answer, as every classifier does. $G$ never sees a real image. It learns one thing only: *in which direction should each of my pixels change, so that the logit grows?* Backpropagation through $D$ computes this direction, a gradient.
#
# Here are both networks at the paper's width. `1024 × 4 × 4` means 1,024 channels of 4×4 numbers. Boxes grow with their logarithm.

# %%
show_architecture(Generator(), Discriminator())
plt.show()

# %% [markdown]
# Notebooks 03 and 04 build them.
#
# ## One training step

# %%
# This cell only draws. Read its figure, and skip the code.
boxes = ["noise $z$", "generator", "fakes $G(z)$", "discriminator", "logits"]
halves = {3: "loss of $D$\nreal 1, fake 0", 1: "loss of $G$\nfake 1"}  # by updated box
middle = {"ha": "center", "va": "center", "fontsize": 13}
arrow = {"head_width": 0.1, "head_length": 0.06, "length_includes_head": True, "lw": 2}
figure, axes = plt.subplots(2, figsize=(12, 5), layout="constrained")
for ax, (updated, loss) in zip(axes, halves.items(), strict=True):
    for i, text in enumerate([*boxes, loss]):
        color = "#ffc285" if i == updated else "white"
        ax.add_patch(plt.Rectangle((i - 0.33, -0.3), 0.66, 0.6, fc=color, ec="black"))
        ax.text(i, 0, text, **middle)
        if i < 5:
            ax.arrow(i + 0.33, 0.1, 0.34, 0, color="black", **arrow)
        if i > updated:
            ax.arrow(i - 0.33, -0.1, -0.34, 0, color="C3", **arrow)
    ax.set(xlim=(-0.4, 5.4), ylim=(-1.1, 0.35))
    ax.set_title(f"The {boxes[updated]} is updated", loc="left", fontsize=14)
    ax.axis("off")
axes[0].text(2, -0.8, "real images", bbox={"fc": "white", "pad": 9}, **middle)
axes[0].arrow(2.33, -0.75, 0.34, 0.5, color="black", **arrow)
axes[0].text(2.5, -0.1, "detach", color="C3", **middle)
figure.suptitle("Two halves of a step. Black: values. Red: gradients. Orange: updated")
plt.show()

# %% [markdown]
# 1. $G$ makes fakes from noise. $D$ gives a logit to each fake and to each real image.
# 2. **The discriminator is updated.** Its loss compares logits with labels, 1 for real and 0 for fake. `detach` stops the gradient at the fakes. Without it, PyTorch would compute gradients for $G$ that nobody uses, and free the graph of the fakes, which the second half needs.
# 3. **The generator is updated.** The updated $D$ gives new logits to the same fakes. They may be used again, because $z$ and the weights of $G$ are unchanged. In the loss of $G$, fakes have the label 1. Its gradient passes through $D$ to the pixels, and on to the weights of $G$.

# %% [markdown]
# ## The losses, in logits
#
# Both losses are *binary cross-entropy* (BCE), the negative natural logarithm of the probability that $D$ gives to the label:
#
# $$\mathrm{BCE}(l, 1) = -\log\sigma(l), \qquad \mathrm{BCE}(l, 0) = -\log(1 - \sigma(l)).$$
#
# **The loss of $D$.** Half of its images are real. With $\mathbb{E}$ for the mean over many draws,
#
# $$L_D = -\tfrac12\,\mathbb{E}[\log D(x)] - \tfrac12\,\mathbb{E}[\log(1 - D(G(z)))].$$
#
# It is near 0 if $D$ is right and sure. It is $\ln 2 \approx 0.69$ if all logits are 0, so that $D$ only guesses. [Goodfellow et al. (2014)](https://arxiv.org/abs/1406.2661), who introduced GANs, write the game as $\min_G \max_D V$, with $V = -2 L_D$ (equation 1).
#
# **The loss of $G$.** The *non-saturating loss* $L_G = -\mathbb{E}[\log D(G(z))]$ makes $G$ raise the logits of its fakes.

# %% [markdown]
# **The best discriminator.** Keep $G$ fixed. Let $p$ be the density of real images and $p_g$ that of fakes. At one $x$, $V$ contains $p \log\sigma(l) + p_g \log(1 - \sigma(l))$. At its maximum, the derivative with respect to $l$ is 0:
#
# $$p\,(1 - \sigma(l)) - p_g\,\sigma(l) = 0 \;\Longrightarrow\; D^* = \frac{p}{p + p_g}, \quad l^* = \log\frac{p}{p_g}.$$
#
# This is proposition 1 of Goodfellow et al. The best logit is positive where real images are more frequent than fakes.
#
# **Exercise 00.1.** Real numbers are uniform on $[0, 2]$, fakes on $[1, 3]$. What is $D^*$ at 0.5, 1.5 and 2.5? What is its loss $L_D$? Put four numbers into `best`.

# %% tags=["exercise"]
# BEGIN SOLUTION
best = (1, 0.5, 0, math.log(2) / 2)
# END SOLUTION
best = exercises.best(best)

# %% [markdown]
# <details><summary>Hint for the loss</summary>
#
# Where both densities are equal, each number costs $\ln 2$. Which share lies there?
# </details>
#
# ## The game with single numbers
#
# Nobody can draw a density of images, so play with numbers. The real ones are normal, with mean 2 and standard deviation 0.5. $G$ learns a mean and a standard deviation. It begins at mean −4.


# %%
bce = nn.BCEWithLogitsLoss()
real_data = Normal(2.0, 0.5)
x = torch.linspace(-8, 8, 1601)


class NumberGenerator(nn.Module):
    def __init__(self, mean, std=0.5):
        super().__init__()
        self.mean = nn.Parameter(torch.tensor(mean))
        self.log_std = nn.Parameter(torch.tensor(std).log())

    def forward(self, z):
        return self.mean + self.log_std.exp() * z


def number_discriminator():
    return nn.Sequential(
        *[nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)]
    )


# %% [markdown]
# **Exercise 00.2.** Write `non_saturating(logits)`: the loss $L_G$ of the logits of a batch of fakes, one number. It must be right at a logit of $-200$ too.


# %% tags=["exercise"]
def non_saturating(logits):
    # BEGIN SOLUTION
    return bce(logits, torch.ones_like(logits))
    # END SOLUTION


non_saturating = exercises.non_saturating(non_saturating)

# %% [markdown]
# This is the whole game:


# %%
def play(generator_loss, seed, optimizer=torch.optim.SGD, rate=0.03, start=-4.0):
    torch.manual_seed(seed)
    generator, discriminator = NumberGenerator(start), number_discriminator()
    opt_disc = torch.optim.Adam(discriminator.parameters(), 0.01, (0.5, 0.999))
    opt_gen = optimizer(generator.parameters(), rate)
    moments = []
    for step in range(801):
        if step % 20 == 0:  # step, mean, standard deviation, logits on the grid x
            gaussian = generator.mean.item(), generator.log_std.exp().item()
            moments.append((step, *gaussian, discriminator(x[:, None]).detach()[:, 0]))
        real, fake = real_data.sample((128, 1)), generator(torch.randn(128, 1))

        logits_real, logits_fake = discriminator(real), discriminator(fake.detach())
        loss_real = bce(logits_real, torch.ones_like(logits_real))
        loss_fake = bce(logits_fake, torch.zeros_like(logits_fake))
        opt_disc.zero_grad()
        ((loss_real + loss_fake) / 2).backward()
        opt_disc.step()

        opt_gen.zero_grad()
        generator_loss(discriminator(fake)).backward()
        opt_gen.step()
    return moments


# %% [markdown]
# <details><summary><b>Predict first:</b> what is the curve of the logit at the end of a perfect game?</summary>
#
# Flat, at 0. Real numbers and fakes are equally frequent everywhere, so $l^* = 0$.
# </details>

# %%
games = [play(non_saturating, seed) for seed in (1, 2, 3)]
size = {"figsize": (12, 5.6), "layout": "constrained"}
figure, axes = plt.subplots(2, 4, sharex=True, sharey="row", **size)
for (top, bottom), index in zip(axes.T, (1, 10, 20, 40), strict=True):
    step, mean, std, logits = games[0][index]
    log_real, log_fake = real_data.log_prob(x), Normal(mean, std).log_prob(x)
    top.fill_between(x, log_real.exp(), alpha=0.4, label="density of real numbers")
    top.fill_between(x, log_fake.exp(), alpha=0.4, label="density of fakes")
    best = (log_real - log_fake).where(log_real.maximum(log_fake) > -20, torch.nan)
    bottom.plot(x, logits, "k", label="logit, as learnt")
    bottom.plot(x, best, "C0:", lw=2.5, label="best logit $l^*$")
    nine = mean + std * torch.linspace(-2, 2, 9)
    nine = nine[nine.abs() < 8]
    bottom.plot(nine, logits[((nine + 8) * 100).long()], "C1o", label="nine fakes")
    bottom.axhline(0, color="grey", lw=0.8)
    top.set_title(f"step {step}")
    bottom.set(xlabel="$x$, a number", ylim=(-11, 11))
for ax, name, place in zip(
    axes[:, 0], ("density", "logit"), ("left", "right"), strict=True
):
    ax.set_ylabel(name)
    figure.legend(
        *ax.get_legend_handles_labels(), loc=f"outside lower {place}", ncols=3
    )
figure.suptitle("A game of numbers, seed 1: fakes move to where the logit is larger")
plt.show()

# %%
for seed, game in enumerate(games, start=1):
    logits, place = game[1][3], round((game[1][1] + 8) * 100)  # at the fakes' mean
    d, slope = logits[place].sigmoid(), (logits[place + 10] - logits[place - 10]) / 0.2
    print(
        f"seed {seed}, step 20: D {d:.2f}, slope of D {d * (1 - d) * slope:.2f}, ",
        end="",
    )
    print(f"slope of the logit {slope:.1f}; ", end="")
    print("step 800: mean {:.1f}, deviation {:.1f}".format(*game[-1][1:3]))

# %% [markdown]
# At step 20, $D$ is 0.01<!--seen--> at the mean of the fakes, and its slope is 0.00<!--seen-->. The slope of the logit is 0.1<!--seen--> to 0.2<!--seen-->. At a fake $x$, the gradient of $L_G$ is $-(1 - D)\,l'(x)$. So the fakes move to larger logits.
#
# At step 200 they are spread over the whole axis. At step 800 they have the mean 2.0<!--seen--> and the standard deviation 0.5<!--seen--> of the real numbers, from all three seeds.
#
# At steps 400 and 800, the learnt logit is close to the best one where numbers are frequent. At steps 20 and 200 it is not.

# %% [markdown]
# ## Two losses for the generator
#
# Equation 1 gives $G$ the *minimax loss* $\log(1 - D(G(z)))$. A comment in the article that we retell, `min log(1 - D(G(z))) <-> max log(D(G(z))`, reads as if both losses were the same. Both raise the logits of fakes, but their gradients differ:
#
# $$\frac{d}{dl}\log(1 - \sigma(l)) = -D, \qquad \frac{d}{dl}\big(-\log\sigma(l)\big) = -(1 - D).$$
#
# <details><summary><b>Predict first:</b> early in training $D(G(z))$ is near 0. Which gradient can $G$ use?</summary>
#
# The second: it is near −1. The first is near 0.
# </details>


# %%
def minimax(logits):
    return -bce(logits, torch.zeros_like(logits))  # log(1 - D)


logit = torch.linspace(-6, 6, 241)
figure, ax = plt.subplots(figsize=(8, 3.8), layout="constrained")
ax.plot(logit, -logit.sigmoid(), label="minimax")
ax.plot(logit, logit.sigmoid() - 1, label="non-saturating")
ax.set(title="Gradients of both losses", xlabel="logit of a fake", ylabel="derivative")
ax.legend()
plt.show()

# %% [markdown]
# Play both losses with three optimisers for $G$. *RMSprop* divides each step by the recent size of the gradient. *Adam* also takes a mean of recent gradients.

# %%
players = {"plain gradient descent": torch.optim.SGD, "RMSprop": torch.optim.RMSprop}
players["Adam"] = torch.optim.Adam
figure, axes = plt.subplots(1, 3, figsize=(12, 4), sharey=True, layout="constrained")
for ax, (name, optimizer) in zip(axes, players.items(), strict=True):
    rate = 0.03 if optimizer is torch.optim.SGD else 0.01
    for loss, color in [(minimax, "C0"), (non_saturating, "C1")]:
        runs = [play(loss, seed, optimizer, rate) for seed in (1, 2, 3)]
        for run in runs:
            ax.plot(
                [m[0] for m in run], [m[1] for m in run], color, label=loss.__name__
            )
        ends = torch.tensor([run[-1][1:3] for run in runs])  # means, deviations
        arrived = ((ends - torch.tensor([2, 0.5])).abs() < 0.3).all(dim=1).sum()
        print(f"{name:22} {loss.__name__:14} arrived from {arrived} of 3 seeds")
    ax.axhline(2, color="grey", ls="--")
    ax.set(title=name, xlabel="step", ylabel="mean of the fakes")
axes[2].legend(handles=axes[2].lines[2:4], loc="lower right")
figure.suptitle("Two losses for the generator, three optimisers, three seeds each")
plt.show()

# %% [markdown]
# With plain gradient descent at this rate, the minimax loss arrives from 0<!--seen--> of 3 seeds, and the non-saturating loss from 3<!--seen-->. Goodfellow et al. propose it because of its larger gradients early in training (end of section 3).
#
# RMSprop adds only the division, and the minimax loss arrives. So the division is enough here. For images it is not: in [notebook 09](09_experiments.ipynb), with Adam, the minimax loss fails from every seed.
#
# <details><summary>What does each loss minimise? The Jensen-Shannon divergence</summary>
#
# Put $D^*$ into $V$ (equation 6):
#
# $$V(D^*, G) = -\log 4 + 2\,\mathrm{JSD}(p, p_g).$$
#
# The *Jensen-Shannon divergence* JSD is 0 for equal densities. Then $D^* = \tfrac12$ and $V = 2\log\tfrac12 = -\log 4$. The JSD is $\ln 2$ for densities that do not overlap. Because $V = -2L_D$, the loss of $D^*$ is $\ln 2 - \mathrm{JSD}$.
#
# With $D^*$, the minimax loss minimises the JSD. **The non-saturating loss does not minimise it.** With $D^*$ held fixed, its gradient is that of $\mathrm{KL}(p_g \,\|\, p) - 2\,\mathrm{JSD}(p, p_g)$ ([Arjovsky and Bottou, 2017](https://arxiv.org/abs/1701.04862)). KL is the mean of $\log(p_g / p)$ over fakes. The JSD has a minus sign there.
# </details>

# %% [markdown]
# ## The series
#
# It retells *the article*, day 28 of [a reader's notes in Chinese](https://github.com/YuehChun/ithome_30days_2022_AI), on [a DCGAN for MNIST](https://github.com/aladdinpersson/Machine-Learning-Collection/tree/master/ML/Pytorch/GANs/2.%20DCGAN). We keep its parts, correct its errors and measure its claims.
#
# | notebook | what you do there | read | run |
# | --- | --- | --- | --- |
# | **00** this one | the game and its losses | 36 min | 4 min |
# | [01](01_imports_and_tensorboard.ipynb) | imports, seeds, TensorBoard | 24 min | 1 min |
# | [02](02_shape_tests.ipynb) | sizes of convolutions | 31 min | 1 min |
# | [03](03_generator.ipynb) | the generator | 36 min | 1 min |
# | [04](04_discriminator.ipynb) | the discriminator | 34 min | 1 min |
# | [05](05_hyperparameters.ipynb) | numbers; initial weights | 20 min | 1 min |
# | [06](06_data.ipynb) | digits, scaling, your images | 32 min | 3 min |
# | [07](07_training.ipynb) | the training loop | 25 min | 4 min |
# | [08](08_results.ipynb) | measures of quality | 25 min | 5 min |
# | [09](09_experiments.ipynb) | choices, one at a time | 20 min | 1 min |
# | [10](10_latent_space.ipynb) | directions and sums of noise | 52 min | 2 min |
# | [11](11_color_and_mode_collapse.ipynb) | colour; mode collapse | 20 min | 3 min |
# | [12](12_faster.ipynb) | speed-ups and their cost | 25 min | 2 min |
# | [13](13_conditional.ipynb) | "Draw me a 7" | 47 min | 3 min |
# | [14](14_after_dcgan.ipynb) | later cures; flow matching | 75 min | 1 min |
#
# Each runs alone, but uses terms of earlier ones.

# %% [markdown]
# ## How to run it
#
# - **Colab.** Click the badge at the top. You need no GPU.
# - **JupyterLab.** In a copy of the repository and a virtual environment: `pip install -r requirements.txt`, then `jupyter lab notebooks`. Each notebook has a `.py` with the same cells.
# - **VS Code.** Open a notebook, and choose that environment (*Select Kernel*).
# - **In a class.** Set `DCGAN_PRESET=ci` before Jupyter starts: training takes seconds, and fakes are poor. `DCGAN_PRESET=paper` needs a GPU.

# %% [markdown]
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | `No module named 'dcgan_helpers'` | the kernel has another environment | choose yours; on Colab, run the set-up cell |
# | your fakes differ from ours | processors round differently, and training amplifies it | nothing |
# | "the loss of $G$ grows, so $G$ gets worse" | $D$ improves too | look at fakes (notebook 07) |
#
# ## Summary
#
# 1. Digits came out of noise. Only $D$ saw real ones.
# 2. One gradient reaches the weights of $D$. Another passes through $D$ and the fakes to the weights of $G$.
# 3. Both losses are BCE. The best logit is $\log(p/p_g)$.
# 4. Fakes moved to larger logits until the densities agreed. At low logits, the minimax gradient is near 0.
# 5. The series runs on Colab, in JupyterLab and in VS Code.
#
# ## Exercises
#
# Exercises 00.1 and 00.2 stand above.
#
# **00.3.** *Explore.* With the minimax loss, plain gradient descent must start nearer to 2. Find the lowest whole number from which all three seeds arrive: `play(minimax, seed, start=-3.0)`.

# %% [markdown] tags=["solution"]
# **Answer to 00.3.** $-1$ (tested below). Nearer to 2, the discriminator is less sure of fakes, so the minimax gradient is not near 0.

# %% tags=["solution"]
for start, arrives in [(-1.0, True), (-2.0, False)]:
    ends = [play(minimax, seed, start=start)[-1][1] for seed in (1, 2, 3)]
    assert all((abs(end - 2) < 0.3) == arrives for end in ends)

# %% [markdown]
# **Next:** [notebook 01](01_imports_and_tensorboard.ipynb) sets up tools and TensorBoard.
