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
# # 11 · Mode collapse, seen and counted; and digits in colour
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/11_color_and_mode_collapse.ipynb)
#
# A generator can draw one good digit, always the same. How would you notice?
#
# **In this notebook you will**
#
# 1. define a mode, and see mode collapse in a plane and on digits;
# 2. count the modes of real stacks, of fakes, and of a control;
# 3. judge a published cure, packing;
# 4. train a DCGAN in colour.
#
# **You need** the two networks (notebooks 03, 04), the training loop (07) and FID (08). **Time:** read 35 min, run 1 min on a laptop.

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
import inspect
import math
import tempfile
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image

from dcgan_helpers import exercises, run_folder
from dcgan_helpers.data import StackedImages, load_dataset, scale_images
from dcgan_helpers.figures import show_images
from dcgan_helpers.files import photos
from dcgan_helpers.hyperparameters import PLAIN, preset
from dcgan_helpers.networks import Discriminator, Generator, generate
from dcgan_helpers.quality.classifier import load_classifier
from dcgan_helpers.quality.tables import SEEDS
from dcgan_helpers.studies import points, read_results
from dcgan_helpers.studies import stacked as study
from dcgan_helpers.studies.choices import picture as choice_image
from dcgan_helpers.training import train

h = preset()
is_small = h != preset("laptop")  # the tests do less of everything

# %% [markdown]
# ## What a mode is
#
# A *mode* is a place where a distribution is dense: many real examples lie there, and few around it. Each kind of digit is a mode of MNIST, roughly. *Mode collapse* means that the generator draws only some of the modes, at worst one image for all noise.
#
# In a plane one can see it. The real points lie around eight centres on a ring: the modes. The first row is a stored run of notebook 14. In the second the discriminator learns ten times more slowly, and Adam's momentum is 0.9 instead of 0.5.

# %% tags=["nbval-ignore-output"]
moments = (50, 100, 200, 300, 400, 500, 600, 800)
moments = tuple(range(1, 9)) if is_small else moments
slow = replace(points.PLANE, seed=1, betas=(0.9, 0.999))
trainer = points.PointTrainer(slow, points.ring())
trainer.opt_disc.param_groups[0]["lr"] = slow.learning_rate / 10
stored = np.load(points.shown("ring", "non-saturating"), allow_pickle=False)
rows = {"usual": zip(points.SNAPSHOTS[1:], stored[1:].astype(float), strict=True)}
rows["slow D"] = list(zip(moments, points.train(trainer, moments), strict=True))[4:]
figure, axes = plt.subplots(2, 4, figsize=(9, 5), layout="constrained")
for row, (name, fakes) in zip(axes, rows.items(), strict=True):
    for ax, (step, cloud) in zip(row, fakes, strict=True):
        covered = points.score(torch.as_tensor(cloud).float(), points.ring())["covered"]
        ax.scatter(*cloud[:500].T, s=4, color="C0")
        ax.scatter(*points.ring().T, marker="x", color="C3")
        ax.set(
            title=f"{name}, step {step:,}: {covered} of 8", xlim=(-4, 4), ylim=(-4, 4)
        )
        ax.set(xticks=[], yticks=[], aspect="equal", xlabel="first number")
    row[0].set_ylabel("second number")
figure.suptitle("Fakes (dots), centres of real points (crosses), centres covered")
plt.show()
assert trainer.steps_done == moments[-1]

# %% [markdown]
# With the usual settings the fakes find all eight centres. With the slow discriminator they lie together on a short line, and the line moves from place to place. A guess at the cause: the generator goes where the discriminator gives the highest logit, and moves on when the discriminator has learnt that this place is fake.

# %% [markdown]
# ## A collapsed generator of digits
#
# In notebook 09 a pair of fully connected networks collapses with all three seeds. Compare eight of its fakes with eight of the DCGAN, after as many steps (632). Recall is the share of held-out digits that have a fake near them (notebook 08).

# %%
classifier, accuracy = load_classifier()
choices = read_results("choices").query("step == 632")
shown = {"usual": "usual", "fully connected": "fully connected, equal cost"}
figure, axes = plt.subplots(
    2, 2, figsize=(10, 3.6), layout="constrained", width_ratios=(3, 1)
)
for (left, right), (name, choice) in zip(axes, shown.items(), strict=True):
    image = Image.open(choice_image(choice)).convert("L")
    row = torch.from_numpy(np.array(image)) / 127.5 - 1
    fakes = torch.stack([row[2:66, 2 + 66 * n :][:, :64] for n in range(8)])[:, None]
    counts = classifier(fakes).argmax(dim=1).bincount(minlength=10).tolist()
    show_images(fakes, f"Eight fakes: {name}", left)
    right.bar(range(10), counts, color="C0")
    right.set(title=f"Their classes: {name}", xlabel="class", ylabel="fakes")
    right.set(xticks=range(10), ylim=(0, 8))
    own = choices[choices["choice"] == choice]
    recall = ", ".join(f"{value:.3f}" for value in own["recall"])
    rarest = ", ".join(f"{value:.3f}" for value in own["rarest"])
    print(f"{name}: recall {recall}; share of the rarest class {rarest} (three seeds)")
plt.show()

# %% [markdown]
# The fully connected generator draws two images: a blurred loop and a short stroke. With every seed, no held-out digit has a fake near it, and some class never occurs. So look for equal fakes and few bars together: the classifier names a class for a bad fake, too.

# %% [markdown]
# ## A test with 1,000 modes
#
# *Stacked MNIST* has modes that can be counted ([Metz et al. 2017](https://arxiv.org/abs/1611.02163), section 3.3.1). Three random digits become the red, green and blue channel of one image. Each triple of digits is a mode, so there are 1,000.
#
# For three channels one value changes. The article calls it `CHANNELS_IMG`, so that the same code can train in colour later. Ours is `image_channels`:

# %%
for image_channels in (1, 3):
    networks = Generator(100, image_channels, 16), Discriminator(image_channels, 16)
    sizes = [sum(p.numel() for p in network.parameters()) for network in networks]
    print(f"{image_channels} channel(s): {sizes[0]:,} and {sizes[1]:,} parameters")
grey, color = Generator(100, 1, 16).state_dict(), Generator(100, 3, 16).state_dict()
for name in grey:
    if grey[name].shape != color[name].shape:
        print(name, tuple(grey[name].shape), "becomes", tuple(color[name].shape))

# %% [markdown]
# Only the last layer of the generator and the first of the discriminator change.
#
# The classifier of notebook 08 reads each channel by itself. First look at what it reads in real stacks and in fakes of a plain DCGAN.

# %%
digits = load_dataset("mnist-5k").images
stacked = StackedImages(digits, count=26_000)
print("a stack:", tuple(stacked[0].shape), stacked[0].dtype)


@torch.no_grad()
def read_stacks(stacks):
    """The digit in each channel of `N×3×64×64` stacks, and its probability."""
    channels = stacks.flatten(0, 1).unsqueeze(1)
    parts = [classifier(part).softmax(dim=1) for part in channels.split(500)]
    shares, found = torch.cat(parts).max(dim=1)
    return found.reshape(-1, 3), shares.reshape(-1, 3)


print(f"the classifier is right on {accuracy:.1%} of held-out digits")

# %% tags=["nbval-ignore-output"]
generator = run_folder.load_generator(study.folder_of("DCGAN"))
count = 200 if is_small else 1000
fakes = generate(generator, count)
kinds, shares = read_stacks(fakes)
figure, axes = plt.subplots(4, 8, figsize=(10, 6), layout="constrained")
real = scale_images(stacked[list(range(4))], 3)
for row, stacks in enumerate((real, fakes[:4])):
    found, sure = read_stacks(stacks)
    for n, stack in enumerate(stacks):
        own = axes[2 * row + n // 2, 4 * (n % 2) :]
        own[0].imshow((stack.permute(1, 2, 0) + 1) / 2)
        own[0].set_title("fake" if row else "real", fontsize=9)
        for c in range(3):
            own[c + 1].imshow(stack[c], cmap="gray", vmin=-1, vmax=1)
            title = f"{'RGB'[c]}: {found[n, c]}, {sure[n, c]:.0%}"
            own[c + 1].set_title(title, fontsize=9)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
figure.suptitle("Stacks, their channels, and how the classifier reads each")
plt.show()
clear = (shares > 0.9).all(dim=1)
print(f"sure of a digit: {(shares > 0.9).float().mean():.0%};", end=" ")
print(f"of all three in a stack: {clear.float().mean():.0%}")
assert kinds.shape == (count, 3)

# %% [markdown]
# The classifier is sure of all three digits in few of the fakes, as the printed shares say. Unclear fakes fall into many modes. So a count of modes is a test of collapse, not a measure of quality.

# %% [markdown]
# *Modes covered* is how many of the 1,000 triples occur. A second number compares their shares $p_k$ with equal shares:
#
# $$\mathrm{KL}(p \,\|\, \text{uniform}) = \sum_k p_k \ln \frac{p_k}{1/1000}$$
#
# The Kullback-Leibler divergence KL is 0 for equal shares, and $\ln 1000 = 6.91$ if all images show one triple.
#
# <details><summary><b>Predict first:</b> what do 5,000 <em>real</em> stacks give: 1,000 modes and a KL of 0?</summary>
#
# Neither. With 5 images a mode on average, $e^{-5} = 0.7\%$ of the modes do not occur. Random counts are uneven, too: KL is about $999/(2 \cdot 5000) = 0.10$.
# </details>
#
# **Exercise 11.1.** Write `modes_and_kl(kinds, known)`. `kinds` are the modes of `N` fakes, whole numbers from 0 to `known` - 1. Return how many different ones occur, and KL. (Here $0 \ln 0$ is 0.)


# %% tags=["exercise"]
def modes_and_kl(kinds, known):
    # BEGIN SOLUTION
    shares = kinds.bincount(minlength=known).double() / len(kinds)
    present = shares[shares > 0]
    return len(present), (present * (present * known).log()).sum().item()
    # END SOLUTION


modes_and_kl = exercises.modes_and_kl(modes_and_kl)

# %% [markdown]
# Do the fakes miss *triples*, or do they only draw some digits too often? The control keeps how often each digit occurs in each channel, and draws the channels independently.

# %% tags=["nbval-ignore-output"]
known = digits[:300] if is_small else digits
with torch.no_grad():  # each digit once: a stack is three of them
    parts = [classifier(scale_images(part)).argmax(dim=1) for part in known.split(500)]
real_kinds = torch.cat(parts)[stacked.chosen % len(known)]
random = torch.Generator().manual_seed(0)
shuffled = [channel[torch.randperm(count, generator=random)] for channel in kinds.T]
compared = {"real stacks": real_kinds[:count], "fakes of the DCGAN": kinds}
compared["control"] = torch.stack(shuffled, dim=1)
compared["sure fakes only"] = kinds[clear]
compared["as many real stacks"] = real_kinds[: clear.sum()]
compared["26,000 real stacks"] = real_kinds
for name, found in compared.items():
    modes, kl = modes_and_kl(found @ torch.tensor([100, 10, 1]), 1000)
    print(f"{name:20} {len(found):6,} images: {modes:5,} modes, KL {kl:.3f}")
most = kinds.flatten().bincount(minlength=10) / (3 * count)
print("share of each digit:", ", ".join(f"{share:.0%}" for share in most.tolist()))
assert 0 < modes <= 1000

# %% [markdown]
# Compare the fakes with the control first. Fakes cover 499<!--seen--> modes, and the control 517<!--seen-->; real stacks cover 632<!--seen-->. So most of what is missing is missing in the control, too: the fakes draw some digits too often, and forget few triples. The next lines count the clear fakes alone: 52<!--seen--> modes in 57<!--seen--> of them, and 56<!--seen--> in as many real stacks. In 26,000 real stacks all 1,000<!--seen--> modes occur.

# %% [markdown]
# ## A published cure: two images at a time
#
# *Packing* ([Lin et al. 2018](https://arxiv.org/abs/1712.04086)) gives the discriminator two images at once, both real or both fake, as one image of six channels. So it can see that two fakes are equal. In code it is a new first layer and a reshape:

# %%
print(inspect.getsource(study.PackedDiscriminator.forward))
packed = study.PackedDiscriminator(2, 3, 8)
print("64 images give", packed(torch.zeros(64, 3, 64, 64)).shape[0], "logits")
plain = sum(p.numel() for p in Discriminator(3, 8).parameters())
both = sum(p.numel() for p in packed.parameters())
print(f"parameters: {plain:,} without packing, {both:,} with")

# %% [markdown]
# The study `stacked` trained both for 1,264 steps of 64 images, at width 8. Each list has three seeds in order. Its stacks, and the generator of the fakes above, are older than the held-out digits: they use all 5,000.

# %%
table = read_results("stacked")
for setting in table["setting"].unique():
    runs = table[table["setting"] == setting]
    early, last = (runs[runs["step"] == step] for step in study.SCORED_STEPS)
    print(f"{setting}: step 632, modes in 5,000 fakes: {early['modes'].tolist()}")
    kl = ", ".join(f"{kl:.2f}" for kl in last["kl"])
    print(f"   step 1,264, modes in 26,000: {last['modes'].tolist()}, KL {kl}")
assert len(last) == len(SEEDS)

# %% [markdown]
# With packing, all three seeds cover fewer modes at both steps, and their KL at the end is larger. But this does not test the published method. Lin et al. train with as many packs a step as images without packing, as their code shows. Here 64 images give 32<!--seen--> logits with packing and 64 without.
#
# With 64 packs a step it was not tried (`packed, equal verdicts` in `studies/stacked.py`).

# %% [markdown]
# ## Digits in colour
#
# The data set `mnist-photos` lays each embedded digit on a patch of a photograph. A value is the absolute difference $|\text{digit} - \text{patch}|$, so a stroke shows the negative of the patch. [MNIST-M](https://arxiv.org/abs/1505.07818) is made so, but this is not MNIST-M: its patches come from BSDS500, ours from the two photographs that scikit-learn ships. They are by danielbuechele and vultilion (Flickr, CC BY 2.0). A fifth of each photograph is held out, like 1,000 of the digits.

# %%
for held_out in (False, True):
    colored = load_dataset("mnist-photos", image_channels=3, held_out=held_out)
    where = "held out" if held_out else "to train with"
    parts = len(photos.blocks(held_out))
    print(f"{where}: {len(colored):,} images from {parts} blocks of the photographs")
real = scale_images(colored[list(range(0, 1000, 32))], 3)
_, ax = plt.subplots(figsize=(8, 4.4), layout="constrained")
show_images(real, "", ax)
ax.set(title="Held-out digits on held-out patches (mnist-photos)")
plt.show()

# %% [markdown]
# The digits have labels, so the preset `digits` works, and `evaluate` scores the run:
#
# ```
# python -m dcgan_helpers train --preset digits --dataset mnist-photos --image-channels 3
# python -m dcgan_helpers evaluate runs/mnist-photos-digits
# ```
#
# FID needs features for colour. A classifier of three channels comes with the package. This is one such run, seed 0, at its end, a row for each class:

# %%
_, share = load_classifier(dataset="mnist-photos")
print(f"the classifier for colour is right on {share:.1%} of held-out images")
scores = run_folder.load_json(run_folder.ASSETS / "photos" / "evaluation.json")
middle, low, high = scores["floor"]["fid"]
print(
    f"FID {scores['held_out']['fid']:.1f}, floor {middle:.1f} ({low:.1f} to {high:.1f})"
)
print(f"read as the class asked for: {scores['held_out']['right']:.0%}")
_, ax = plt.subplots(figsize=(6, 6.3), layout="constrained")
ax.imshow(Image.open(run_folder.ASSETS / "photos" / "digits.jpg"))
ax.set(title="Ten fakes of each class, 1,386 steps", xticks=[], yticks=[])
plt.show()

# %% [markdown]
# Both photographs can be recognised by their colours, and the strokes are negatives of their background. The classifier reads 89%<!--seen--> of the fakes as the class asked for. FID is 45.0<!--seen-->, about eight times the mean floor: the backgrounds have a fine grain that photographs do not have. On grey digits the same preset reaches its floor (notebook 13). Nothing was tuned for colour.

# %% [markdown]
# ## A folder of your own
#
# Any folder of images trains by the same command. Here patches of the photographs stand in for your images, for two steps:

# %%
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name) / "images"
folder.mkdir()
for i, patch in enumerate(photos.patches(60)):
    Image.fromarray(patch.permute(1, 2, 0).numpy()).save(folder / f"{i:03}.png")
small = {"generator_features": 8, "discriminator_features": 8, "precision": "fp32"}
small |= {"batch_size": 30, "epochs": 1, "workers": 0, "max_images": None}
own = replace(h, **PLAIN | small, dataset="folder", image_channels=3)
run_dir = train(own, Path(temporary.name) / "run", data_root=folder, progress=False)
fakes = generate(run_folder.load_generator(run_dir), 4)
print(len(list(folder.glob("*.png"))), "files became fakes of", tuple(fakes.shape))

# %% [markdown]
# On the command line: `python -m dcgan_helpers train --dataset folder --data-root FOLDER --image-channels 3`. For CelebA, add `--preset paper` and use a GPU (notebook 06). A folder has no score.

# %% [markdown]
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | `expected images of shape N×1×64×64, received …×3×64×64` | `image_channels` changed in one place only | one constant for data and networks |
# | `image_channels is 1; expected 3 for mnist-photos` | the data set has colours only | `--image-channels 3` |
# | Few modes, and the fakes are no digits | no collapse: it has not learnt yet | look at the fakes first |
# | All 1,000 modes, and poor fakes | unclear fakes fall into all modes | count the clear fakes alone |

# %% [markdown]
# ## Summary
#
# 1. A mode is a place where a distribution is dense. A collapsed generator draws few modes: equal fakes, and few bars in the histogram of classes.
# 2. In 26,000 real stacks all 1,000 modes occur. A control with independent channels tells whether fakes forget triples or draw some digits too often.
# 3. Packing covers fewer modes here with all three seeds, but at half the logits a step. The published setting was not tried.
# 4. Colour is one changed value, `image_channels`. `mnist-photos` has a score of its own; a folder trains by the same command.

# %% [markdown]
# ## Exercises
#
# Exercise 11.1 stands above.
#
# **Exercise 11.2.** A generator draws only 99 of the 1,000 modes, but these equally often. What is its KL? ([Srivastava et al. 2017](https://arxiv.org/abs/1705.07761) report 99 modes and a KL of 3.4 for a DCGAN. What does that say about its shares?)

# %% tags=["exercise"]
# BEGIN SOLUTION
kl_of_99 = math.log(1000 / 99)
# END SOLUTION
kl_of_99 = exercises.kl_of_99(kl_of_99)

# %% [markdown]
# **11.3.** *Explore.* Pack three instead of two: `PackedDiscriminator(3, …)`. How many logits does a batch of 64 give, and what happens to the 64th image?
#
# **Next:** [notebook 12](12_faster.ipynb) asks where the time goes, and what each speed-up costs.

# %%
temporary.cleanup()
