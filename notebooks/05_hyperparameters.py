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
# A dozen numbers decide whether a DCGAN learns. Most tutorials hand them over like a family recipe. This page says where each comes from, and then turns the knobs and measures.
#
# **In this notebook you will**
#
# 1. follow the signal through both networks at their start, forwards and backwards, layer by layer;
# 2. see what batch normalisation rescues, and what the article's initialisation would do to it;
# 3. meet every hyperparameter of the article, and what the paper says about it;
# 4. compare learning rates, values of $\beta_1$, and widths, three seeds each, and judge by a number.
#
# **You need** the two networks (notebooks 03 and 04). **Time:** read 20 min, run 1 min on a laptop (the training runs behind it took half an hour; their results come with the package).

# %% [markdown]
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
import math
from statistics import median

import matplotlib.pyplot as plt
import torch
from torch import nn

from dcgan_helpers.data import load_dataset, scale_images
from dcgan_helpers.hyperparameters import PRESETS
from dcgan_helpers.networks import Discriminator, Generator, initialize_weights
from dcgan_helpers.quality.metrics import neighbour_accuracy
from dcgan_helpers.studies import read_results, sensitivity

# %% [markdown]
# ## Initial weights
#
# The paper (section 4) draws all weights from a normal distribution with mean 0 and standard deviation 0.02. Before you try it: what does a layer do to the size of a signal?
#
# An output of a convolution is a sum of $m$ products, weight times input. With independent weights of variance $0.02^2$, the variances add up, so the output's root mean square is $0.02\sqrt{m}$ times the input's. A ReLU then throws away about half of the mean square. So a layer multiplies the signal by about
#
# $$\text{gain} \approx 0.02\,\sqrt{m}\;\text{ at the first layer},\qquad 0.02\,\sqrt{m/2}\;\text{ after a ReLU}.$$

# %% [markdown]
# (He et al. 2015, [arXiv 1502.01852](https://arxiv.org/abs/1502.01852), choose the standard deviation so that this gain is 1.) In the generator $m$ is 100 for the first layer. For the others it is 4 times the number of input channels, since with kernel 4 and stride 2 each output pixel is a sum over 2×2 places of each input channel.
#
# <details><summary><b>Predict first:</b> five layers without batch normalisation. What size does the generator's output have at the start, at full width, when the noise has size 1?</summary>
#
# $0.2 \cdot 0.91 \cdot 0.64 \cdot 0.45 \cdot 0.32 \approx 0.017$. All pictures are grey, and their pixels differ by a few hundredths at most. At a quarter of the width four of the five gains are halved, so it is sixteen times less.
# </details>


# %%
def rms(x):
    return x.float().square().mean().sqrt().item()


def signal(features, batch_norm=False, batch_norm_mean=1.0, seed=0):
    """Root mean square of what each layer of a new generator hands to its ReLU."""
    torch.manual_seed(seed)
    generator = Generator(100, 1, features, batch_norm)
    initialize_weights(generator, batch_norm_mean=batch_norm_mean)
    nn.init.zeros_(generator.layers[-2].bias)  # it only shifts all pictures alike
    sizes = []
    for block in list(generator.layers)[:5]:
        last = block if not isinstance(block, nn.Sequential) else block[-2]
        last.register_forward_hook(lambda m, x, y: sizes.append(rms(y)))
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
    print(f"{f:8}     predicted  ", *(f"{x:8.4f}" for x in predicted))
    print(f"{f:8}     measured   ", *(f"{x:8.4f}" for x in signal(f)))

# %% [markdown]
# The formula holds, roughly. (The measured values lie somewhat lower, because pixels at the border are sums over fewer than 4 places, and small maps are mostly border. The last layer has a single channel, so its value varies most with the seed.) And it says something about the 0.02: for a wide layer it is nearly right (1,024 channels: a gain of 0.9), for a narrow one far too small. It belongs to networks with batch normalisation, which do not care.

# %% [markdown]
# Three starts are to be compared:
#
# - `paper`: batch norm, with scales drawn from $N(1, 0.02)$. The 1 is not in the paper's text, but in [one author's code](https://github.com/soumith/dcgan.torch).
# - `zero-scales`: the article's `initialize_weights` treats batch norms like convolutions and would draw their scales from $N(0, 0.02)$, with mean 0. (*Would*: its batch norms are commented out.)
# - `no-norm`: no batch norm, as in the article's code (here at this page's width and rate).
#
# Forwards, the size of what each layer hands on (the last: before its Tanh). Backwards, the size of the generator's loss's gradient at the weights of each layer, after it has come through the discriminator.


# %%
def gradients(features, batch_norm, batch_norm_mean=1.0, seed=0):
    """Root mean square of the gradient at the weights of each generator layer."""
    torch.manual_seed(seed)
    generator = Generator(100, 1, features, batch_norm)
    discriminator = Discriminator(1, features, batch_norm)
    for network in (generator, discriminator):
        initialize_weights(network, batch_norm_mean=batch_norm_mean)
    logits = discriminator(generator(torch.randn(32, 100, 1, 1)))
    nn.BCEWithLogitsLoss()(logits, torch.ones_like(logits)).backward()
    layers = [m for m in generator.modules() if isinstance(m, nn.ConvTranspose2d)]
    return [rms(layer.weight.grad) for layer in layers]


# %%
figure, axes = plt.subplots(1, 2, figsize=(10.5, 4), layout="constrained")
layers, middle = range(1, 6), {}
for (name, start), marker in zip(sensitivity.STARTS.items(), "o^s", strict=True):
    for ax, measure in zip(axes, (signal, gradients), strict=True):
        runs = torch.tensor([measure(16, seed=seed, **start) for seed in (1, 2, 3)])
        middle[name, measure] = runs.median(dim=0).values
        ax.semilogy(layers, middle[name, measure], marker=marker, label=name)
        ax.fill_between(layers, runs.amin(0), runs.amax(0), alpha=0.3)
axes[0].set(title="Forwards: size of the signal", ylabel="root mean square")
axes[1].set(title="Backwards: gradient at the weights", ylabel="root mean square")
for ax in axes:
    ax.set(xlabel="layer of the generator", xticks=layers)
axes[0].legend(loc="lower left")
figure.suptitle(
    "A new generator, three starts (16 features; median and range of 3 seeds)"
)
plt.show()

for name in sensitivity.STARTS:
    picture, gradient = middle[name, signal][-1], middle[name, gradients][0]
    print(
        f"{name:12} picture {picture:.0e}, gradient at the first layer {gradient:.0e}"
    )

# %% [markdown]
# With batch norm the signal has size 1 at every layer that has one, whatever the weights are, and the gradient arrives in strength. Without it, the signal fades from layer to layer until it is about a thousandth in the picture, and the gradient at the first layer is nearly a million times smaller. Adam divides by the size of the gradient, so small alone need not be fatal; but here it has reached $10^{-8}$, the very number that Adam adds to the divisor so as not to divide by 0, and it is no longer scaled up fully. And the discriminator meets fakes that are all the same grey, whatever the noise: an easy task.

# %% [markdown]
# The article's scales sit in between. After each batch norm the signal is not 1 but about 0.02, because that is the size of the scales. It hardly fades any further, since the next batch norm looks at little but proportions; but the gradients at the weights are thousands of times smaller. Does that do harm in training, or does Adam repair it? That is the last of the comparisons below.

# %% [markdown]
# ## The hyperparameters of the article
#
# | name in the article | value | what it does | what the paper says (section 4, if nothing else is named) | on this page |
# | --- | --- | --- | --- | --- |
# | `LEARNING_RATE` | 2e-4 | the size of a step, for both networks; the article notes that each could have its own, as in [Heusel et al. 2017](https://arxiv.org/abs/1706.08500) | 0.0002; Adam's usual 0.001 was too high | 5e-4 |
# | `betas` | (0.5, 0.999) | how long Adam remembers: $\beta_1$ the gradient, $\beta_2$ its square | $\beta_1$ = 0.5; 0.9 made training oscillate | the same |
# | `BATCH_SIZE` | 128 | images a step; also what batch norm averages over | 128 | 64 |
# | `IMAGE_SIZE` | 64 | four doublings from 4 (the helper can draw 32 and 128, too) | 64 (figure 1) | the same |
# | `CHANNELS_IMG` | 1 | 1 grey, 3 colour | 3 | 1 |
# | `NOISE_DIM` | 100 | length of $z$ | 100 (figure 1) | the same |
# | `NUM_EPOCHS` | 30 | passes over the data | not given for these images | 8 |
# | `FEATURES_GEN` | 64 | width: the first layer has 16 times as many channels | 1,024 at the first layer (figure 1) | 16 |
# | `FEATURES_DISC` | 64 | width: the last hidden layer has 8 times as many, 512 (not 1,024, as the article's comment has it) | 512 in the highest layer of its ImageNet model (section 5.1) | 16 |
# | (weights) | 0.02 | standard deviation at the start | 0.02 | the same |
# | (kernel) | 4 | size of the kernels | 5 (figure 1) | 4 |
# | (leak) | 0.2 | slope of the LeakyReLU | 0.2 | the same |

# %% [markdown]
# The last column is what the training runs of this page use. All numbers of the helper stand in one place, `dcgan_helpers/hyperparameters.py`, with what each means and which values it may have. Some of them, in three presets (`laptop` changes more than these; notebook 12 explains it):

# %%
fields = ("generator_features", "discriminator_features", "batch_norm", "learning_rate")
fields += ("learning_rate_schedule", "betas", "batch_size", "epochs")
print(f"{'':24}{'laptop':>14}{'article':>14}{'paper':>14}")
for name in fields:
    values = [getattr(PRESETS[p], name) for p in ("laptop", "article", "paper")]
    print(f"{name:24}" + "".join(f"{value!s:>14}" for value in values))

# %% [markdown]
# ## A number to judge by
#
# To compare settings we need to know which pictures are better, and not by taste. Here is a measure that needs no second network, and is again a coin toss at its best. Throw 1,000 real digits and 1,000 fakes together. For every image, look up the one most similar to it, pixel by pixel. Is it of the same kind, real or fake? If the fakes are spread among the digits as digits are, one can only guess: 0.5. If they keep to themselves, 1.

# %% [markdown]
# (This holds down to 0.5 only: below it, fakes are nearer to real digits than these are to each other, and that means copies. It is the *nearest-neighbour two-sample test*: [Lopez-Paz and Oquab 2017](https://arxiv.org/abs/1610.06545); [Xu et al. 2018](https://arxiv.org/abs/1806.07755) found it one of the better ways to judge a GAN, provided that the distance is taken between good features. Ours is between raw pixels, which is cruder; notebook 08 will bring features, and the measures of the field.) Some checks of it, on pictures about which we know:

# %%
held_out, digits = load_dataset("mnist-5k", held_out=True), load_dataset("mnist-5k")
order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(1))
real, others = scale_images(held_out.images), scale_images(digits[order[:1000]])
noise = torch.rand(1000, 1, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
known = {
    "other real digits": others,
    "the others, blurred": nn.functional.avg_pool2d(others, 9, stride=1, padding=4),
    "noise": noise,
    "slightly noisy copies": (real + 0.1 * noise).clamp(-1, 1),
}
for name, images in known.items():
    print(f"1,000 digits against {name:22} {neighbour_accuracy(real, images):.2f}")

# %% [markdown]
# ## Three knobs
#
# Each row of the table behind the next figures is one training run of 632 steps with the numbers of the last column above, one of them changed. It is judged by 1,000 fakes of the generator's moving average (of its weights over the steps, notebook 07). Three seeds each.
#
# The table was measured with all 5,000 digits (8 epochs), before 1,000 of them were held out (notebook 06), and is not measured again now. The command that made it takes about half an hour on two cores. It can be stopped, and goes on where it was. Today it trains with 4,000 digits for 10 epochs, which is 630 steps, so it finds other numbers:
#
# ```
# python -m dcgan_helpers study sensitivity
# ```

# %%
table = read_results("sensitivity")
names = {
    "learning_rate": "learning rate",
    "beta1": "beta1",
    "features": "features (width)",
    "start": "start",
}


def results(changed):
    """The sorted results of each value of one knob, the others as usual."""
    others = [name for name in sensitivity.USUAL if name != changed]
    same = table[others] == [sensitivity.USUAL[name] for name in others]
    by_value = table[same.all(axis=1)].groupby(changed)["neighbour_accuracy"]
    return {v: sorted(by_value.get_group(v)) for v in sensitivity.VALUES[changed]}


# %%
def show_knob(changed):
    _, ax = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
    found = results(changed)
    labels = [str(value) for value in found]
    for place, accuracies in enumerate(found.values()):
        ax.plot([place] * len(accuracies), accuracies, "o", color="C0", alpha=0.6)
    ax.plot(range(len(found)), [median(a) for a in found.values()], color="C0")
    ax.axhline(0.5, color="grey", ls="--", label="0.5: cannot be told apart")
    ax.set(title=f"{names[changed]}, three seeds each", xlabel=names[changed])
    ax.set_xticks(range(len(labels)), labels)
    ax.set(ylabel="neighbour accuracy (0.5 is best)", ylim=(0.45, 1.02))
    ax.legend(loc="lower right")
    plt.show()
    for label, a in zip(labels, found.values(), strict=True):
        print(f"{label:>11}: median {median(a):.2f} of {a[0]:.2f} to {a[-1]:.2f}")


# %%
def show_pictures(changed):
    values = sensitivity.VALUES[changed]
    figure, axes = plt.subplots(
        len(values), figsize=(7, 0.95 * len(values) + 0.5), layout="constrained"
    )
    for ax, value in zip(axes, values, strict=True):
        ax.imshow(plt.imread(sensitivity.picture(sensitivity.USUAL | {changed: value})))
        ax.set(xticks=[], yticks=[])
        ax.set_ylabel(str(value), rotation=0, ha="right", va="center")
    figure.suptitle(f"Fakes after 632 steps, by {names[changed]} (seed 1, same noise)")
    plt.show()


# %% [markdown]
# ### The learning rate
#
# <details><summary><b>Predict first:</b> the paper found Adam's usual 0.001 too high and took 0.0002. Will that hold here, with narrow networks, small batches and 632 steps only?</summary>
#
# Look below. With so few steps a small rate has another handicap: it does not get far.
# </details>

# %%
show_knob("learning_rate")
show_pictures("learning_rate")

# %% [markdown]
# A plateau, with a cliff on the left. At 0.00005 the generator has not got beyond blots in 632 steps; at the paper's 0.0002 it is on its way. From 0.0005 to 0.005 the medians differ by less than the seeds do. In particular the 0.001 that the paper found too high is no worse here. The paper's networks are four times as wide, its batches twice as large, its training far longer; a rate is good *for a set-up*, and we claim no more than that for ours.

# %% [markdown]
# ### Beta1
#
# Adam steps along an average of past gradients; $\beta_1$ says how slowly the past fades. At 0.9 it remembers about ten steps, at 0.5 two, at 0 none. For a fixed goal, memory is momentum, and welcome. In a game the goal moves: what was downhill ten steps ago was downhill against another opponent.

# %%
show_knob("beta1")
show_pictures("beta1")

# %% [markdown]
# In this set-up the paper's advice holds, and drastically: at 0.9, Adam's default, which is easily left in place, none of the three seeds has come near digits after 632 steps. Between 0.5 and 0 there is no difference beyond the seeds. So it is not that half a memory is best; the long memory is what hurts.

# %% [markdown]
# ### The width
#
# The parameters grow nearly with the square of the width, for wide networks, and so does the work of a step.

# %%
for f in sensitivity.VALUES["features"]:
    total = sum(
        p.numel()
        for n in (Generator(100, 1, f), Discriminator(1, f))
        for p in n.parameters()
    )
    print(f"features {f:2}: {total:10,} parameters in both networks")
show_knob("features")
show_pictures("features")

# %% [markdown]
# Wider is better, with falling returns: from 4 to 8 a leap, from 16 to 32 a step about as large as the spread of the seeds. A step at 32 does three to four times the work of a step at 16. That is why this page has 16, and why a GPU should have the paper's 64. (How a step's time grows with the width is measured in notebook 12.)

# %% [markdown]
# ### The start
#
# And the three starts of the first section, trained:

# %%
show_knob("start")
show_pictures("start")

# %% [markdown]
# The first section was no idle arithmetic. Without batch norm there are no digits at all, from any seed; the last row is the pattern of the transposed convolution, on all eight pictures the same. With the article's scales around 0 training does work, but each of the three seeds is behind every seed of the paper's start. The scales start around 0, and Adam moves a weight by about the learning rate a step: 632 steps of 0.0005 take them to about 0.3 at most.

# %% [markdown]
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | Training works, but is slow to begin | batch-norm scales drawn around 0 | around 1 |
# | Copied the paper's 0.0002 and a narrow network, and nothing happens | it takes more steps than you gave it | a higher rate, or patience |
# | After hundreds of steps still nothing but blots | $\beta_1$ = 0.9 (Adam's default), or too low a rate | 0.5; a higher rate |
# | Better result with a change, worse with the next seed | the difference is smaller than the spread | more seeds before more changes |

# %% [markdown]
# ## Summary
#
# 1. A layer multiplies the signal by about $0.02\sqrt{m/2}$: nearly 1 for wide layers, far less for narrow ones.
# 2. Batch norm brings the signal to 1 and keeps the gradient alive; scales drawn around 0 undo much of it, at the start and in the result.
# 3. The article has the paper's numbers, but for the kernel; ours has narrower networks, smaller batches and a higher rate. (The preset `laptop` goes further: a rate that falls, no momentum, and noise over the discriminator's pictures. Notebook 12 weighs each.)
# 4. In 632 steps, three seeds each: the learning rate has a broad plateau from 0.0005 up, $\beta_1$ = 0.9 ruins training, and width helps, with falling returns.

# %% [markdown]
# ## Exercises
#
# **1.** Which standard deviation instead of 0.02 would give the second layer of a generator with 16 features a gain of 1, without batch norm?

# %%
answer = None


def check(std):
    if std is None:
        return "not answered yet"
    gain = std * math.sqrt(4 * 16 * 16 / 2)
    return "right" if abs(gain - 1) < 0.03 else f"not yet: the gain is {gain:.2f}"


print("exercise 1:", check(answer))

# %% [markdown]
# **2.** Use it: `initialize_weights(generator, std=…)` has that parameter. Print the signal of a generator without batch norm, layer by layer, with your value for all layers. Which layers are still too small, and why?
#
# <details><summary>Answer</summary>
#
# The first, where $m$ is only 100: its gain is 0.44. The second about keeps what it is given (less what the border costs). Each one after it has half the channels of the one before, so its gain is $1/\sqrt{2}$ of it, and the picture ends at some hundredths. One number cannot suit all layers, which is why He et al. use $\sqrt{2/m}$ with each layer's own $m$.
# </details>
#
# **Next:** [notebook 06](06_data.ipynb) looks at the real images.

# %%
# Spoilers! For the tests: the checks above accept the right answers.
assert check(0.0442) == "right" and check(0.02).startswith("not yet")
