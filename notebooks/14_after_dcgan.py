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
# # 14 · After DCGAN: ten years of cures, and flow matching
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/14_after_dcgan.ipynb)
#
# The DCGAN is from 2015. Many cures for its faults have been published since, and most image generators of today are no GANs at all. Which of the cures help here? And what does the method of today do with the same digits in the same time? This notebook measures both.
#
# **In this notebook you will**
#
# 1. watch seven GANs learn points in a plane, where you can see every fake;
# 2. read each cure as a few changed lines of our loop;
# 3. compare the cures on digits at equal training time, with their seed spread;
# 4. write flow matching, and give it the same time;
# 5. decide from the tables what to use when.
#
# **You need** the loop (notebook 07), FID with its floor (08), mode collapse (11) and classes (13). **Time:** read 75 min, run 1 min on a laptop.

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
import base64
import inspect
import io
import re
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from IPython.display import HTML
from PIL import Image
from torchvision.utils import make_grid

from dcgan_helpers import benchmark, cures
from dcgan_helpers.hyperparameters import PRESETS, preset
from dcgan_helpers.quality.judge import judge_for
from dcgan_helpers.quality.tables import SEEDS, medians
from dcgan_helpers.studies import cures as study
from dcgan_helpers.studies import flow, points, read_results

is_small = preset() != preset("laptop")  # the tests do less of everything

# %% [markdown]
# ## The faults
#
# | fault | a cure | since |
# | --- | --- | --- |
# | The generator learns nothing where the discriminator is sure | the non-saturating loss | 2014 |
# | Fakes cover only a part of the real images | packing, relativistic pairing | 2018 |
# | The two networks circle and do not settle | a penalty on the discriminator's slope (R1) | 2018 |
# | The discriminator becomes too steep | spectral norm, gradient penalty | 2017 |
# | The discriminator memorises the training images | augmentation of what it sees | 2020 |
# | One network learns faster than the other | two learning rates | 2017 |
# | Checkerboards | resize, then convolve | 2016 |
#
# A cure acts on the loss, on the discriminator or on what it sees. All of them fit into the loop of notebook 07.

# %% [markdown]
# ## Seen in a plane
#
# Images have 4,096 pixels, so nobody can see how they are distributed. Points in a plane have two numbers. The real points lie around eight centres on a ring, as in [Metz et al. 2017](https://arxiv.org/abs/1611.02163), or around 25 centres on a grid. The two networks have two hidden layers of 128 units each. The noise has two numbers. Everything else is the loop that you know: this is its step.

# %%
print(inspect.getsource(points.PointTrainer.step))

# %% [markdown]
# <details><summary><b>Predict first:</b> how many of the eight clouds does a plain GAN cover after 2,000 steps? Which of the cures does the ring need?</summary>
#
# All eight, by the median of three seeds, with every loss and every cure tried here. The ring needs none of them.
# </details>
#
# Train three of them here: the plain GAN with the non-saturating loss, the same with R1, and the relativistic pairing with R1 and R2. (Their lines come below.)

# %%
snapshots = tuple(range(6)) if is_small else (0, 100, 250, 500, 1000, 2000)
three = ("non-saturating", "R1", "relativistic, R1 + R2")
clouds = {
    name: list(points.train(points.trainer_for(name, "ring", 1), snapshots))
    for name in three
}


def draw_points(ax, fakes, centres, title):
    """500 fakes of `N×2` as dots, and the centres of the real clouds as crosses."""
    ax.scatter(*fakes[:500].T, s=3, alpha=0.6, color="C0", linewidths=0)
    ax.scatter(*centres.T, marker="x", s=18, color="C3", linewidths=1)
    ax.set_title(title, fontsize=9)
    ax.set(xticks=[], yticks=[], xlim=(-3, 3), ylim=(-3, 3), aspect="equal")


# %%
figure, rows = plt.subplots(3, len(snapshots), figsize=(10, 5.4), layout="constrained")
for name, row in zip(three, rows, strict=True):
    row[0].set_ylabel(name.replace(", ", ",\n"), fontsize=9)
    for ax, step, fakes in zip(row, snapshots, clouds[name], strict=True):
        draw_points(ax, fakes, points.TARGETS["ring"], f"step {step:,}")
figure.suptitle(
    "Fakes (dots) of three GANs on the ring (crosses: centres of real clouds)"
)
plt.show()

# %% [markdown]
# All three find the ring within some hundred steps. Their fakes then gather at the clouds, and a few stay between them. In this run the plain GAN does it no worse than the others.
#
# The study `points` trained seven of them with three seeds for 10,000 steps on both targets. A fake is *good* within three standard deviations of a centre. A centre is *covered* when good fakes of its own are at least a tenth of its share.

# %%
in_plane = read_results("points")
figure, axes = plt.subplots(2, 2, figsize=(11, 6.4), layout="constrained", sharex=True)
for column, target in zip(axes.T, points.TARGETS, strict=True):
    for n, cure in enumerate(points.CURES):
        own = in_plane[(in_plane["target"] == target) & (in_plane["cure"] == cure)]
        for ax, value in zip(column, ("covered", "good"), strict=True):
            middle = medians(own, "step", value=value)
            style = {"ls": ("-", "--", ":", "-.")[n % 4], "marker": "osD^v*P"[n]}
            ax.plot(middle.index, middle["median"], label=cure, ms=5, **style)
    column[0].set(title=f"{target}: {len(points.TARGETS[target])} clouds")
    column[1].set(xscale="symlog", xlim=(0, 10500), xlabel="step", ylim=(0, 1))
axes[0, 0].set_ylabel("centres covered")
axes[1, 0].set_ylabel("share of good fakes")
figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside right center")
figure.suptitle("Seven GANs on points, medians of three seeds")
plt.show()

# %%
last = in_plane[in_plane["step"] == points.SNAPSHOTS[-1]]
plane = {}
for target, centres in points.TARGETS.items():
    for value, digits in (("covered", 0), ("good", 2)):
        own = last[last["target"] == target]
        found = medians(own, "cure", value=value).round(digits)
        name = f"{target}: {value}" + (
            f" of {len(centres)}" if value == "covered" else ""
        )
        plane[name] = [
            f"{m:g} ({low:g} to {high:g})" for m, low, high in found.to_numpy()
        ]
pd.DataFrame(plane, index=found.index)

# %%
figure, rows = plt.subplots(2, 7, figsize=(12, 3.9), layout="constrained")
for target, row in zip(points.TARGETS, rows, strict=True):
    for ax, cure in zip(row, points.CURES, strict=True):
        fakes = np.load(points.shown(target, cure), allow_pickle=False)[-1]
        draw_points(ax, fakes, points.TARGETS[target], cure if target == "ring" else "")
figure.suptitle("After 10,000 steps, seed 1: the ring above, the grid below")
plt.show()

# %% [markdown]
# The ring is easy: every GAN covers all eight centres, so no cure is needed to cover them. The grid is harder. Five of the seven cover all 25 centres by the median. The packed GAN and the Wasserstein loss cover fewer. By its share of good fakes no cure is better than the plain GAN on the grid: its lowest seed is above the highest of all other rows.
#
# So these points do not show what the cures are for. The networks, the rates and the noise of two numbers suit the plain GAN here. Papers show worse plain GANs on the same targets, with other networks.

# %% [markdown]
# ## On digits: the rules
#
# The same classes now change the training of the presets `laptop` (plain) and `digits` (with labels). Three seeds each, the same three for all. FID compares 1,000 fakes with the 1,000 held-out digits of notebook 08.
#
# **Equal time.** A cure with a dearer step gets fewer steps. Step times were measured in turns on one machine. The unchanged loop does 600 steps (`laptop`) or 400 (`digits`), which takes about half a minute on two cores; the learning rate falls to 0 at the end of each run, whatever its length.
#
# **Equal care.** Each cure got two to four trial runs with another seed and another classifier, and the study's setting was chosen from them. One was not the best of its two: resize-convolution with the rate 0.002 was slightly better in its one trial. Where nothing is said, the rest stays as in the preset, instance noise included.
#
# **Words.** "Effect" stands where all three paired differences have one sign and their median exceeds the seed spread of both. Else it is "no difference seen".

# %%
table, cost = read_results("cures"), study.costs()
floor = judge_for(PRESETS["digits"]).floor()["fid"]
mean, low, high = floor
print(f"floor of FID: {mean:.1f}, from {low:.1f} to {high:.1f}")


def fids(base, cure, equal="time", images=4000):
    """FID of the three seeds, in their order."""
    own = table[(table["base"] == base) & (table["cure"] == cure)]
    own = own[(own["equal"] == equal) & (own["images"] == images)]
    return own.sort_values("seed")["fid"].to_numpy()


# %%
def spread(values, form="{:.1f}"):
    """Median, lowest and highest as a text; nothing if there are no values."""
    found = [f(values) for f in (np.median, np.min, np.max)] if len(values) else []
    return "{} ({} to {})".format(*map(form.format, found)) if found else ""


def verdict(values, usual):
    """What paired FIDs of three seeds allow to say."""
    difference = values - usual
    widest = max(np.ptp(values), np.ptp(usual))
    if abs(np.sign(difference).sum()) < 3 or abs(np.median(difference)) <= widest:
        return "no difference seen"
    return "effect: better" if difference[0] < 0 else "effect: worse"


# %%
def show_row(ax, picture, title):
    """Ten stored fakes as one row."""
    ax.imshow(np.asarray(Image.open(picture)), cmap="gray")
    ax.set_title(title, fontsize=8)
    ax.set(xticks=[], yticks=[])


def report(cure):
    """Pictures and numbers of a cure on both presets, beside the unchanged preset's."""
    bases = [base for base in study.BASES if len(fids(base, cure))]
    size = {"figsize": (9, 0.85 * len(bases)), "layout": "constrained"}
    _, axes = plt.subplots(len(bases), 2, squeeze=False, **size)
    for base, row in zip(bases, axes, strict=True):
        usual, values = fids(base, "as it is"), fids(base, cure)
        title = f"{base}, as it is: FID {spread(usual)}"
        show_row(row[0], study.picture(base, "as it is"), title)
        title = f"{base}, {cure}:\nFID {spread(values)}, {verdict(values, usual)}"
        show_row(row[1], study.picture(base, cure), title)
    plt.show()


# %% [markdown]
# ### Hinge loss
#
# *Fault:* the logistic loss never ends; it still pulls on images that the discriminator has long decided. *Change:* a real image whose logit is above 1, or a fake below -1, no longer counts ([Lim and Ye 2017](https://arxiv.org/abs/1705.02894)). The generator raises the logits of its fakes.

# %%
print(inspect.getsource(cures.Hinge))
report("hinge loss")

# %% [markdown]
# ### Spectral norm
#
# *Fault:* the logit of a steep discriminator changes over a tiny distance, and its gradient is useless to the generator. *Change:* every weight matrix is divided by its largest singular value, so no layer stretches a distance ([Miyato et al. 2018](https://arxiv.org/abs/1802.05957)). Here batch norm stays.

# %%
print(inspect.getsource(cures.SpectralNorm))
report("spectral norm")

# %% [markdown]
# The paper's discriminator has spectral norm in the place of batch norm. So two more runs: without batch norm, and with spectral norm instead.

# %%
print(inspect.getsource(cures.NoNorm))
report("no batch norm in D")
report("spectral norm, no batch norm in D")

# %% [markdown]
# Without batch norm in the discriminator FID is worse in all three seeds, and spectral norm in its place does not help. (On `laptop` its three seeds differ by more than they lose. So by our rule no difference is seen there, although all three are far worse.) So the missing batch norm accounts for a large part of the loss. With batch norm kept, no difference to the unchanged `laptop` could be seen in FID; on `digits` it is a little worse. Half a minute is short. We did not try networks that were made for spectral norm.

# %% [markdown]
# ### R1
#
# *Fault:* near the equilibrium an unregularised GAN can circle for ever; [Mescheder et al. 2018](https://arxiv.org/abs/1801.04406) prove it for a simple case. *Change:* the discriminator pays for its slope at real images, $\tfrac{\gamma}{2}\,\mathbb{E}\,\lVert\nabla_x D(x)\rVert^2$, where $D$ is the logit. At the equilibrium nothing tells real from fake, so the best slope there is 0.
#
# `create_graph=True` lets PyTorch differentiate a gradient once more. With it a step costs about one and a half times as much.

# %%
print(inspect.getsource(cures.squared_slope))
print(inspect.getsource(cures.R1))
report("R1")

# %% [markdown]
# ### Wasserstein loss with gradient penalty
#
# *Fault:* where real images and fakes do not overlap, the logistic loss says "fake" and not how far away. *Change:* the discriminator becomes a *critic* whose mean difference estimates a distance between the two distributions. This holds only if its slope is at most 1, so a penalty pulls the slope between a real image and a fake to 1 ([Gulrajani et al. 2017](https://arxiv.org/abs/1704.00028)).

# %%
print(inspect.getsource(cures.WassersteinGP))
report("WGAN-GP")

# %% [markdown]
# ### Relativistic pairing
#
# *Fault:* it is enough for the generator that its fakes pass, so all of them may pass in the same way. *Change:* each fake is compared with one real image, and only the difference of the two logits counts. With R1 at real images and R2, the same penalty at fakes, this is the loss of R3GAN ([Huang et al. 2024](https://arxiv.org/abs/2501.05441)), who show that it needs none of the older tricks. (Their networks are others, too. Here only the loss is tried.)

# %%
print(inspect.getsource(cures.Relativistic))
report("relativistic, R1 + R2")

# %% [markdown]
# ### Two rates
#
# *Fault:* one network learns faster than the other. *Change:* each gets its own rate ([Heusel et al. 2017](https://arxiv.org/abs/1706.08500), who give the discriminator the higher one). Here 0.002 for the generator and 0.001 for the discriminator did better than 0.001 and 0.004, in one trial each. The preset `digits` has two rates already.

# %%
print(study.CURES["two rates"][1])
report("two rates")

# %% [markdown]
# ### Instance noise, taken away
#
# Both presets hide what is finer than their noise of 0.4 from the discriminator (notebook 09). This run does without.

# %%
report("no instance noise")

# %% [markdown]
# ### Resize, then convolve
#
# *Fault:* the kernels of a transposed convolution overlap unevenly, or learn to, and leave a checkerboard ([Odena et al. 2016](https://distill.pub/2016/deconv-checkerboard/)). *Change:* nearest-neighbour resizing and a 3×3 convolution. A 4×4 kernel with stride 2 overlaps evenly, so our networks do not force a pattern; notebook 08 looks at the rest.

# %%
print(inspect.getsource(cures.ResizeConvolution))
report("resize-convolution")

# %% [markdown]
# ### Augmentation
#
# *Fault:* with few images the discriminator memorises them. *Change:* every image that it sees is changed at random, real or fake. The gradient of a fake passes through its change ([Zhao et al. 2020](https://arxiv.org/abs/2006.10738)). Augmenting the real images alone would teach the generator to draw the changes.

# %%
for part in ("seen", "brightness", "translation", "cutout"):
    print(inspect.getsource(getattr(cures.Augmented, part)))
report("augmentation")

# %% [markdown]
# ## All of them together


# %%
def show_differences(ax, base):
    """FID of each cure less that of the unchanged preset, a dot for each seed."""
    usual = fids(base, "as it is")
    names = [n for n in study.CURES if n != "as it is" and len(fids(base, n))]
    names.sort(key=lambda name: -np.median(fids(base, name) - usual))
    for y, name in enumerate(names):
        difference = fids(base, name) - usual
        ax.plot(difference, [y] * 3, "-", color="0.6", lw=1)
        for n, value in enumerate(difference):
            ax.plot(value, y, "osD"[n], ms=6, color=f"C{n}", label=f"seed {SEEDS[n]}")
    ax.axvspan(-np.ptp(usual), np.ptp(usual), color="0.9", zorder=0)
    ax.axvline(0, color="black", lw=1)
    ax.set(
        title=f"{base}: FID {np.median(usual):.1f} as it is", xlabel="difference in FID"
    )
    ax.set_yticks(range(len(names)), names)
    ax.set_xscale("symlog", linthresh=10)
    ax.margins(x=0.08)


# %%
figure, axes = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained")
for ax, base in zip(axes, study.BASES, strict=True):
    show_differences(ax, base)
handles, labels = axes[0].get_legend_handles_labels()
figure.legend(handles[:3], labels[:3], loc="outside lower center", ncols=3)
figure.suptitle("Left is better. Grey: the seed spread of the unchanged preset")
plt.show()


# %%
def line(cure):
    """One row of the table: a cure on both presets."""
    row = {"cost of a step": f"{cost[cure]:.2f}"}
    for base, equal in (("laptop", "time"), ("laptop", "images"), ("digits", "time")):
        values = fids(base, cure, equal)
        if equal == "images" and cost[cure] < 1.2:
            values = fids(base, cure)  # its step costs little, so it is the same run
        row[f"{base}, equal {equal}"] = spread(values)
    return row


pd.DataFrame({cure: line(cure) for cure in study.CURES}).T

# %% [markdown]
# (FID: median, lowest and highest of three seeds. Cost: a step's time, as a multiple of the unchanged step. Equal images: all did as many steps as the unchanged loop.)
#
# No cure beats the unchanged presets at equal time by more than the seed spread. For the hinge loss, for the loop without instance noise and for two rates on `laptop` no difference was seen. The rest is worse or level.
#
# A penalty makes a step dearer by half or more. At equal images no difference is seen for R1, the Wasserstein loss and the pairing. The Wasserstein loss has the lower FID in all three seeds there, but by less than the seed spread. So what they lose at equal time goes with the time of a step.
#
# Two limits. Half a minute shows how fast a GAN learns, and not whether it stays stable for hours, which is what most cures are for. And each cure had two to four trial runs here, the presets many more.

# %% [markdown]
# ## With few images
#
# Augmentation is a cure for few images. The same 600 steps with 500 and with 1,000 digits instead of 4,000, and each part of the augmentation alone:


# %%
pd.DataFrame(
    {
        f"{images:,} images": {
            cure: spread(fids("laptop", cure, images=images)) for cure in study.FEW[500]
        }
        for images in (500, 1000, 4000)
    }
)

# %% [markdown]
# With 500 images and so few steps the unchanged loop has hardly lost anything. The discriminator has had no time to memorise them. So augmentation has nothing to cure here, and it costs: of its parts translation is the one that hurts, in all three seeds. Brightness alone and cutout alone cost less.
#
# Why translation? A grey border, which would show where an image was moved, is not the reason: with it FID is about the same. A guess: the discriminator must learn each digit at 17 × 17 places, and half a minute is too short for that.

# %% [markdown]
# ## Flow matching: no game at all
#
# Draw a noise image $x_0$ and take a real image $x_1$. Walk from one to the other on a straight line, from time $t = 0$ to $t = 1$:
#
# $$x_t = (1 - t)\,x_0 + t\,x_1, \qquad \frac{dx_t}{dt} = x_1 - x_0$$
#
# A network $v(x_t, t)$ learns to predict the speed $x_1 - x_0$ from the point and the time, by the mean squared error ([Lipman et al. 2023](https://arxiv.org/abs/2210.02747)). Many lines pass near a point, so the best prediction is their mean speed there. To draw an image, start at new noise and follow the predicted speed in small steps.
#
# There is one network, one loss that falls, and no opponent.

# %%
digits = flow.load_dataset("mnist-5k", image_size=28, labels=True)
x1 = flow.scale_images(digits[torch.tensor([700])][0])
x0 = torch.randn(x1.shape, generator=torch.Generator().manual_seed(0))
times = torch.linspace(0, 1, 7)
figure, axes = plt.subplots(1, 8, figsize=(12, 2.1), layout="constrained")
for ax, t in zip(axes, times, strict=False):
    ax.imshow(((1 - t) * x0 + t * x1)[0, 0], cmap="gray", vmin=-1, vmax=1)
    ax.set_title(f"t = {t:.2f}", fontsize=9)
axes[-1].imshow((x1 - x0)[0, 0], cmap="gray", vmin=-3, vmax=3)
axes[-1].set_title("speed $x_1 - x_0$", fontsize=9)
for ax in axes:
    ax.set(xticks=[], yticks=[])
figure.suptitle("One line from noise to a digit, and the speed that is to be learnt")
plt.show()

# %% [markdown]
# The network is a small U-Net ([Ronneberger et al. 2015](https://arxiv.org/abs/1505.04597)): maps of 14×14, of 7×7, and back, with a shortcut between maps of one size. It works at 28×28, the digits' own size, because that is cheaper; its fakes are then resized to 64×64 as the real digits are. Time, and the class if there is one, scale and shift the maps in each block.

# %%
source = inspect.getsource(flow.UNet)
print("    def __init__" + source.partition("def __init__")[2])

# %% [markdown]
# One step of its training. `nearest` pairs each image of a batch with noise that is near, so that fewer lines cross ([Tong et al. 2024](https://arxiv.org/abs/2302.00482)).

# %%
for function in (flow.FlowTrainer.step, flow.sample):
    source = inspect.getsource(function)
    print(re.sub(r'\n +""".*?"""', "", source, flags=re.DOTALL))  # the code alone

# %% [markdown]
# Train one here, with labels, for about half a minute. The trained network then draws your number by following the speed.

# %% tags=["nbval-ignore-output"]
start = time.perf_counter()
trainer = flow.FlowTrainer(digits, 1, 8 if is_small else 1000, classes=10)
losses = list(trainer.steps())
network = trainer.moving_average.module.eval()
print(f"{trainer.steps_done} steps in {time.perf_counter() - start:.0f} s")
print(f"loss: first {losses[0]:.2f}, last 50 on average {np.mean(losses[-50:]):.2f}")
assert trainer.steps_done == len(losses) and np.isfinite(losses).all()

# %% [markdown]
# <details><summary><b>Predict first:</b> what does a flow draw in one single step of size 1?</summary>
#
# One step goes from noise in the direction of the mean of all images that this noise may belong to. So it draws a blurred mean of many digits. This flow knows the class, so each mean is one of its class.
# </details>

# %%
number = torch.tensor([int(n) for n in "2026112026"])
rows = [flow.sample(network, 10, n, 1, number, "euler") for n in (1, 2, 5, 10, 50)]
figure, ax = plt.subplots(figsize=(7, 3.9), layout="constrained")
grid = flow.resized(torch.cat(rows))
ax.imshow(make_grid(grid, nrow=10, normalize=True, value_range=(-1, 1))[0], cmap="gray")
ax.set(xticks=[], title="The same noise, followed in 1, 2, 5, 10 and 50 steps")
ax.set_yticks([33 + 66 * n for n in range(5)], [1, 2, 5, 10, 50])
ax.set_ylabel("sampling steps")
plt.show()

# %% [markdown]
# The same as an animation: ten points on their way from noise to digits.

# %% tags=["nbval-ignore-output"]
frames, state = (
    [],
    torch.randn(10, 1, 28, 28, generator=torch.Generator().manual_seed(1)),
)
with torch.no_grad():
    for n in range(20):
        t = torch.full((10,), n / 20)
        frames.append(state.clamp(-1, 1))
        state = state + network(state, t, number) / 20
frames += [state.clamp(-1, 1)] * 8
bar = [((torch.cat(list(f[:, 0]), dim=1) + 1) * 127.5).byte().numpy() for f in frames]
pictures = [Image.fromarray(b) for b in bar]
file = io.BytesIO()
pictures[0].save(
    file, "GIF", save_all=True, append_images=pictures[1:], duration=120, loop=0
)
text = base64.b64encode(file.getvalue()).decode()
assert len(pictures) == 28
style = "width:840px; image-rendering:pixelated"
alt = "Noise becomes ten digits"
HTML(f'<img alt="{alt}" style="{style}" src="data:image/gif;base64,{text}">')

# %% [markdown]
# ## The same minutes
#
# The study `flow` gave the flow the time of 1,000 and of 2,000 steps of `laptop`: one and two minutes on two cores. Its settings were found in 28 trial runs with other seeds and another classifier. The GANs' presets were tuned over many more. The GANs' row is the race of notebook 12's benchmark with held-out digits: whole runs of the presets `laptop` and `digits`.

# %%
flows, race = read_results("flow"), benchmark.read("quality", benchmark.HELD_OUT)
best = flow.SAMPLINGS[-1]
end = flows[(flows["at"] == flows["budget"]) & (flows["sampler"] == best[0])]
end = end[end["sampling_steps"] == best[1]]


same_time = {}
for budget in flow.BUDGETS:
    for setting in flow.SETTINGS:
        own = end[(end["budget"] == budget) & (end["setting"] == setting)]
        row = {"FID": spread(own["fid"]), "sure": spread(own["sure"], "{:.0%}")}
        row["recall"] = spread(own["recall"], "{:.2f}")
        same_time[f"flow, {setting}, {budget:,} steps' time"] = row
for recipe in ("laptop", "digits"):
    own = race[(race["recipe"] == recipe) & (race["at"] == 300)]
    row = {"FID": spread(own["fid"]), "sure": spread(own["sure"], "{:.0%}")}
    row["recall"] = spread(own["recall"], "{:.2f}")
    same_time[f"GAN {recipe}, {own['step'].iloc[0]:,.0f} steps"] = row
pd.DataFrame(same_time).T

# %%
figure, axes = plt.subplots(2, 1, figsize=(7, 2.0), layout="constrained")
for ax, setting in zip(axes, flow.SETTINGS, strict=True):
    show_row(ax, flow.picture(setting), f"flow, {setting}: ten fakes of seed 1")
figure.suptitle("After the time of 2,000 steps of laptop")
plt.show()

# %% [markdown]
# Without labels no difference in FID is seen between the flow after two minutes and the GAN `laptop`. With labels, flow and GAN are both about at the floor. Their recall differs beyond the seed spread: the flow covers 0.89 of the held-out digits, the GAN `digits` 0.80. The classifier is sure of more of that GAN's fakes. (The GANs work at 64×64, the flow at 28×28. A GAN at 28×28 would be cheaper, too; that was not tried.)
#
# The floor comes from random splits, whose classes are uneven. Flow and GAN with labels draw each class equally often, as the held-out digits hold them, so they can be slightly below it.

# %% [markdown]
# ## Sampling costs, too
#
# A GAN draws in one pass. A flow asks its network once or twice a step.

# %%
milliseconds = medians(flow.read_times(), "work", value="milliseconds")["median"]
two_minutes = flows[(flows["budget"] == 2000) & (flows["at"] == 2000)]


def draw_sampling(ax, setting, color):
    """FID of a setting against the cost of an image, a line for each sampler."""
    for sampler, style in (("euler", "o-"), ("heun", "s--")):
        own = two_minutes[two_minutes["setting"] == setting]
        own = medians(own[own["sampler"] == sampler], "sampling_steps", value="fid")
        cost_ms = [milliseconds[f"fake in {n} {sampler}"] for n in own.index]
        label = f"flow, {setting}, {sampler}"
        ax.plot(cost_ms, own["median"], style, color=color, label=label)
        for x, y, n in zip(cost_ms, own["median"], own.index, strict=True):
            ax.annotate(
                n, (x, y), xytext=(4, 4), textcoords="offset points", fontsize=8
            )


# %%
figure, ax = plt.subplots(figsize=(9.5, 5), layout="constrained")
draw_sampling(ax, "plain", "C0")
draw_sampling(ax, "labels", "C1")
for recipe, marker in (("laptop", "*"), ("digits", "P")):
    values = race[(race["recipe"] == recipe) & (race["at"] == 300)]["fid"]
    ax.plot(
        milliseconds["fake of laptop"],
        values.median(),
        marker,
        ms=13,
        label=f"GAN {recipe}",
    )
ax.axhspan(*floor[1:], color="0.9", label="floor of real digits")
ax.set(
    xscale="log", yscale="log", xlabel="milliseconds an image, one core", ylabel="FID"
)
ax.set(title="FID against the cost of an image (numbers: sampling steps)")
ax.legend()
plt.show()

# %%
sampling = {}
for sampler, n in flow.SAMPLINGS:
    own = two_minutes[two_minutes["sampler"] == sampler]
    own = own[own["sampling_steps"] == n]
    row = {"ms an image": f"{milliseconds[f'fake in {n} {sampler}']:.2f}"}
    for setting in flow.SETTINGS:
        row[f"FID, {setting}"] = spread(own[own["setting"] == setting]["fid"])
    sampling[f"{n} {sampler}"] = row
row = {"ms an image": f"{milliseconds['fake of laptop']:.2f}"}
pd.DataFrame(sampling | {"GAN, one pass": row}).T.fillna("")

# %% [markdown]
# In one step the flow draws a blurred mean, and its FID is more than twenty times that of twenty steps. From five steps on little changes with labels; without labels more steps still help. At the same milliseconds as the GAN's one pass, the flow has one or two steps, and the GAN is far better. Heun's method asks the network twice a step. At about the same cost it has the lower FID in all three seeds, but by less than the seed spread.

# %% [markdown]
# ## What the GAN still has, what it lost
#
# From the tables above, for these digits and these two cores:
#
# - **Still there:** one pass draws an image. The flow with labels needs three to six times as long an image for the same FID.
# - **Still there:** quality within seconds. `digits` reaches its level in about a minute, the flow with labels in two.
# - **Lost:** one loss that falls. The flow's loss tells whether it learns; a GAN's losses do not (notebook 08).
# - **Lost:** coverage. With labels the flow's recall is 0.89, that of the GAN 0.80.
#
# What is said of large images is not tested here.

# %% [markdown]
# ## Where GANs stand (November 2026)
#
# Most text-to-image models of today are diffusion or flow-matching models. GANs work inside and beside them:
#
# - **Decoders.** Latent diffusion ([Rombach et al. 2022](https://arxiv.org/abs/2112.10752)) draws in the code of an autoencoder. A patch discriminator helps to train that autoencoder.
# - **Few steps.** Adversarial Diffusion Distillation ([Sauer et al. 2023](https://arxiv.org/abs/2311.17042)) adds an adversarial loss to make a model draw in one to four steps.
# - **Upsamplers.** Real-ESRGAN ([Wang et al. 2021](https://arxiv.org/abs/2107.10833)) restores photographs, with a U-Net discriminator and spectral normalisation.
# - **Sound.** HiFi-GAN ([Kong et al. 2020](https://arxiv.org/abs/2010.05646)) turns spectrograms into speech; its small form is 13.4 times faster than real time on a CPU. EnCodec ([Défossez et al. 2022](https://arxiv.org/abs/2210.13438)) compresses sound and is trained against a spectrogram discriminator.
# - **GANs alone.** R3GAN ([Huang et al. 2024](https://arxiv.org/abs/2501.05441)) reports results that "compare favorably" with diffusion models on several data sets.
#
# In the first four a discriminator sharpens what another loss draws. (For this list we read the abstracts, and for Rombach a summary of its section 3.1, not the whole papers.)

# %% [markdown]
# ## A map
#
# | you have | use | because |
# | --- | --- | --- |
# | labels | classes first | FID 15.9 after 400 steps with labels, 32.0 after 600 without; no cure came near |
# | images without labels | clusters (notebook 13) | the same, to a lesser degree |
# | a minute of two cores, and no wish to tune | the preset as it is | no cure beat it at equal time |
# | much time and an unstable GAN | a penalty or spectral norm | not tested here; at equal images no difference was seen for the penalties |
# | 500 images | the preset as it is, for short runs | augmentation cost quality here; it was made for longer training, which is not tested here |
# | time for five to nine network calls an image | flow matching | one loss, and the same FID with labels |
# | a tiny device that must draw fast | a GAN | one pass |

# %% [markdown]
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | `grad requires non-empty inputs` or a penalty of exactly 0 | the images need no gradient | `real.detach().requires_grad_()` before the forward pass |
# | The penalty has no effect | `create_graph=True` is missing, so the penalty is a constant | add it |
# | Generator's fakes carry the augmentation | only real images were augmented | augment both, and let the gradient through |
# | WGAN losses far from 0, and no sense in them | the critic's mean is arbitrary; only its difference counts | plot the difference |
# | A cure from a paper makes it worse | it was made for other networks, rates and times | tune it before you judge, and say how long |
# | The flow draws grey clouds | too few sampling steps, or an untrained moving average | 20 steps or more; look at the raw network, too |

# %% [markdown]
# ## Summary
#
# 1. On a ring and a grid of point clouds none of six others did better than the plain GAN by more than the seed spread.
# 2. Each cure is a method or two of the loop: a loss, a penalty on the slope, a normalisation, or a change of what the discriminator sees.
# 3. At half a minute's equal time none of the cures beat the presets. At equal images no difference was seen for the three penalties.
# 4. Flow matching with labels reached the floor in two minutes, with one loss and without a game. It needs five to nine network calls for each image.
# 5. Labels help most. A GAN suits fast drawing; a flow suits those who want one loss that falls.

# %% [markdown]
# ## Exercises
#
# **1.** Write `my_r1(discriminator, real, gamma)`: the penalty of R1, a single number that can be differentiated again.


# %%
def my_r1(discriminator, real, gamma):
    return None  # your code


def check_r1(function):
    weight = torch.full((4,), 2.0, requires_grad=True)  # D(x) = 2 (x1 + x2 + x3 + x4)
    found = function(lambda x: x.flatten(1) @ weight, torch.ones(3, 1, 2, 2), gamma=0.5)
    if found is None:
        return "not answered yet"
    if not found.requires_grad:
        return "not yet: create_graph=True keeps the way back to the weights"
    hints = {
        4.0: "right",
        8.0: "not yet: half of gamma",
        12.0: "not yet: mean, not sum",
    }
    return hints.get(
        round(found.item(), 4), "not yet: square, sum over the pixels, mean"
    )


print("exercise 1:", check_r1(my_r1))

# %% [markdown]
# **2.** Write `my_hinge(logits_real, logits_fake, margin)`: the discriminator's hinge loss that stops to pull at logits beyond a margin (the notebook's has the margin 1).


# %%
def my_hinge(logits_real, logits_fake, margin):
    return None  # your code


def check_hinge(function):
    logits = torch.tensor([3.0, 0.5]), torch.tensor([-1.0, -4.0])
    found = function(*logits, margin=2.0)
    if found is None:
        return "not answered yet"
    hints = {1.25: "right", 2.5: "not yet: a mean over each batch, not a sum"}
    reason = "not yet: real logits above the margin, and fakes below minus it, cost 0"
    return hints.get(round(float(found), 4), reason)


print("exercise 2:", check_hinge(my_hinge))

# %% [markdown]
# **3.** Which cures does the ring need? Put a list of names from `points.CURES` into `answer`: all that covered more centres of the ring after 10,000 steps than the plain GAN (`non-saturating`), by the medians.

# %%
answer = None


def check_cures(answer):
    if answer is None:
        return "not answered yet"
    if not set(answer) <= set(points.CURES):
        return f"not yet: expected names among {', '.join(points.CURES)}"
    ring = medians(last[last["target"] == "ring"], "cure", value="covered")["median"]
    needed = {name for name in points.CURES if ring[name] > ring["non-saturating"]}
    return (
        "right"
        if set(answer) == needed
        else "not yet: compare with the plain GAN's row"
    )


print("exercise 3:", check_cures(answer))

# %% [markdown]
# **4.** By which factor is the flow's FID at one Euler step higher than at 20, after the longer run without labels? Guess before you look at the table, then put your guess into `factor`.

# %%
factor = None


def check_factor(factor):
    if factor is None:
        return "not answered yet"
    own = two_minutes[two_minutes["setting"] == "plain"]
    fid = medians(own[own["sampler"] == "euler"], "sampling_steps", value="fid")[
        "median"
    ]
    true = fid[1] / fid[20]
    near = true / 2 <= factor <= true * 2
    return "right" if near else f"not yet: {'higher' if factor < true else 'lower'}"


print("exercise 4:", check_factor(factor))

# %% [markdown]
# **Next:** this is the last notebook. Train on your own images (`python -m dcgan_helpers train --dataset folder --data-root my_pictures`), or go back to [notebook 00](00_start_here.ipynb) for the map of the series.


# %%
# Spoilers! For the tests: the checks above accept the right answers.
def r1(discriminator, real, gamma):
    real = real.requires_grad_()
    return gamma / 2 * cures.squared_slope(discriminator(real), real).mean()


def hinge(real, fake, margin):
    return (margin - real).relu().mean() + (margin + fake).relu().mean()


assert check_r1(r1) == "right" and check_hinge(hinge) == "right"
assert check_r1(lambda *a, **k: r1(*a, **k).detach()).startswith("not yet")
assert check_hinge(lambda real, fake, margin: 2.5).startswith("not yet")
assert check_cures(["R1"]).startswith("not yet") and check_cures("x") != "right"
assert check_factor(1.0).startswith("not yet")
