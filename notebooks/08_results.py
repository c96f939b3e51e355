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
# # 8 · Results: a number for quality
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/08_results.ipynb)
#
# "They look good to me" is not a result. This page measures.
#
# **In this notebook you will**
#
# 1. read the curves of a run;
# 2. build FID, with its floor;
# 3. test each measure on spoilt digits;
# 4. follow quality over time;
# 5. test for copies of training digits, and for checkerboards.
#
# **You need** notebooks 03 and 07. **Time:** read 60 min, run 3 min on a laptop.

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
import itertools
from dataclasses import replace

import matplotlib.pyplot as plt
import torch
from torch import nn
from torchvision.transforms.v2 import functional as transforms

from dcgan_helpers import exercises, run_folder
from dcgan_helpers.data import load_dataset, original_digits, scale_images
from dcgan_helpers.figures import show_images, show_losses, show_moment
from dcgan_helpers.hyperparameters import PLAIN, preset
from dcgan_helpers.networks import initialize_weights
from dcgan_helpers.quality.classifier import load_classifier, shrink
from dcgan_helpers.quality.judge import Judge, judge_for, table
from dcgan_helpers.quality.metrics import fid
from dcgan_helpers.run_folder import TRAINED, read_scores, read_training
from dcgan_helpers.training import train

# %% [markdown]
# ## A run to look at
#
# This is the loop of notebook 07, as the helper runs it, with networks half as wide. Every 300 steps the helper scores 1,000 fakes of the moving average against the 1,000 held-out digits. Nothing trains on these (notebook 06).

# %% tags=["nbval-ignore-output"]
h = preset()
is_small = h != preset("laptop")  # the tests do less of everything
h = replace(h, **PLAIN, generator_features=8, discriminator_features=8)
epochs, every = (h.epochs, 16) if is_small else (31, 300)
h = replace(h, epochs=epochs, evaluate_every=every)
run_dir = train(h, "runs/08_results", overwrite=True, judge_for=judge_for)
rows, scores = read_training(run_dir), read_scores(run_dir)
assert len(scores) >= 2 and rows[-1]["step"] == scores[-1]["step"]

# %% tags=["nbval-ignore-output"]
show_losses(rows, "Losses and scores of the run")
plt.show()
half = len(rows) // 2
for name, part in (("first", rows[1:half]), ("second", rows[half:])):
    mean = {k: sum(row[k] for row in part) / len(part) for k in rows[0]}
    print(
        f"{name:6} half: loss of D {mean['loss_discriminator']:.2f}, "
        f"of G {mean['loss_generator']:.2f}, D(x) {mean['d_real']:.2f}, "
        f"D(G(z)) {mean['d_fake_before']:.2f}"
    )
assert all(0 <= row["d_real"] <= 1 for row in rows)

# %% [markdown]
# - If $D(x)$ is near 1 and $D(G(z))$ near 0, the discriminator tells real from fake. If both are near ½, it cannot.
# - The two lines for $D(G(z))$ are the same fakes, before and after the discriminator's update. Their score can fall or rise.
# - A loss of $D$ of ln 2 ≈ 0.69 can mean the game's equilibrium, or a discriminator that has learnt nothing. A loss that stays near 0 is a warning: look at the fakes (notebook 09).
#
# **The curves do not say how good the fakes are.** After step 500, $D(x)$ still goes up and down, but the real digits stay the same. So $D(x)$ tells about two networks, not only about images.

# %% [markdown]
# ## A distance between two sets of images
#
# We compare two *distributions*, real images and fakes, in the *features* of a classifier: the numbers before its last layer. [Heusel et al. (2017)](https://arxiv.org/abs/1706.08500) take Inception, which was trained on photographs. Ours is a small classifier of digits. It was trained on the same 4,000 digits as our generators. The 1,000 held-out digits are new to it.

# %%
known = load_dataset("mnist-5k").images  # the 4,000 digits to train with
held_out = load_dataset("mnist-5k", held_out=True).images  # 1,000 others
classifier, stated = load_classifier()
digits = scale_images(torch.cat([held_out, known]))  # all 5,000, held-out ones first
with torch.no_grad():
    parts = [classifier.features(part) for part in digits.split(500)]
features = torch.cat(parts).double()
print(f"right on held-out digits: {stated:.1%}")
print("features of all digits: N × 64, from", tuple(digits.shape[1:]))
assert features.shape == (5000, 64)

# %% [markdown]
# Describe each set by the mean $\mu$ and the covariance $\Sigma$ of its features. FID is the squared *Fréchet distance* between two normal distributions with these values:
#
# $$\mathrm{FID} = \lVert \mu_r - \mu_f\rVert^2 + \operatorname{tr}\!\left(\Sigma_r + \Sigma_f - 2\,(\Sigma_r\Sigma_f)^{1/2}\right)$$
#
# In one dimension that is $(\mu_r-\mu_f)^2 + (\sigma_r-\sigma_f)^2$. So means must agree, and standard deviations too. The trace of the matrix root is the sum of the square roots of the eigenvalues of $\Sigma_r\Sigma_f$:
#
# **Exercise 08.1.** Write `frechet_distance(mean_1, cov_1, mean_2, cov_2)`, for means of $d$ numbers and covariances $d \times d$. `torch.linalg.eigvals` gives the eigenvalues, of which `.real` is taken. Rounding can make some slightly negative: `clamp(min=0)`.


# %% tags=["exercise"]
def frechet_distance(mean_1, cov_1, mean_2, cov_2):
    # BEGIN SOLUTION
    roots = torch.linalg.eigvals(cov_1 @ cov_2).real.clamp(min=0).sqrt().sum()
    means = (mean_1 - mean_2).square().sum()
    return means + cov_1.trace() + cov_2.trace() - 2 * roots
    # END SOLUTION


frechet_distance = exercises.frechet_distance(frechet_distance)


# %%
def feature_distance(a, b):
    """FID of two feature sets N×d."""
    a, b = a.double(), b.double()
    return float(frechet_distance(a.mean(dim=0), a.T.cov(), b.mean(dim=0), b.T.cov()))


shuffled = features[torch.randperm(5000, generator=torch.Generator().manual_seed(0))]
halves = shuffled[:2500], shuffled[2500:]
print(f"one half of the real digits against the other: {feature_distance(*halves):.1f}")
same = abs(feature_distance(*halves) - fid(*halves)) < 1e-3
print("torchmetrics, which the helper uses, agrees:", same)

# %% [markdown]
# Both halves are real digits, and FID is not 0. Means and covariances of 2,500 images are estimates, and their errors add to the distance. The FID of real images against other real images is the **floor**. Expect no generator of new digits below it.
#
# The floor depends on the number of images, and on the split. Here are 20 random splits for each number:

# %%
random, floors = torch.Generator().manual_seed(0), {}
print("images a side   mean of 20 FIDs   lowest to highest")
for count in (250, 500, 1000, 2500):
    splits = [features[torch.randperm(5000, generator=random)] for _ in range(20)]
    found = [feature_distance(s[:count], s[count : 2 * count]) for s in splits]
    floors[count] = mean, low, high = sum(found) / 20, min(found), max(found)
    print(f"{count:13,}{mean:18.1f}{low:12.1f} to {high:.1f}")
chosen = [1000 + torch.randperm(4000, generator=random)[:1000] for _ in range(20)]
found = [feature_distance(features[:1000], features[some]) for some in chosen]
mixed = sum(found) / 20, min(found), max(found)
print(
    "1,000 held-out against 1,000 trained-on: {:.1f} ({:.1f} to {:.1f})".format(*mixed)
)
assert floors[250][0] > floors[1000][0] > floors[2500][0]

# %%
figure, ax = plt.subplots(figsize=(6.5, 3.8), layout="constrained")
for places, found, label in (
    (list(floors), list(floors.values()), "random splits of all 5,000"),
    ([1080], [mixed], "held-out against trained-on"),
):
    mean, low, high = torch.tensor(found).T
    ax.errorbar(
        places, mean, (mean - low, high - mean), fmt="o", capsize=4, label=label
    )
ax.set(xscale="log", yscale="log", xlabel="images a side", ylabel="FID")
ax.set(title="The floor: real digits against real digits, mean and range")
ax.set_xticks(list(floors), [f"{count:,}" for count in floors], minor=False)
ax.minorticks_off()
ax.set_yticks([1, 2, 5, 10, 20, 50], [1, 2, 5, 10, 20, 50])
ax.legend()
plt.show()

# %% [markdown]
# Four times as many images have about a quarter of the floor. So FIDs are compared **at equal numbers only**. At 1,000 a side, one split has three times the FID of another, so a floor needs its range.
#
# Are the held-out digits different for the classifier, which was trained on the others? No difference is seen: the last FID lies in the range of random splits.

# %% [markdown]
# **Both sides the same way.** MNIST has 28×28 pixels, our images have 64×64. The helper shrinks real images and fakes alike to 28×28. What if only one side were resized?

# %%
original = original_digits().unsqueeze(1)  # all 5,000, 28×28, never resized
with torch.no_grad():
    parts = [classifier.layers(scale_images(part)) for part in original.split(500)]
detour = feature_distance(features, torch.cat(parts).double())
print(f"FID of the same 5,000 digits, resized and never resized: {detour:.0f}")
assert detour > 10 * floors[2500][2]

# %% [markdown]
# The digits are the same, and FID is many times the floor. So resizing changes the features ([Parmar et al. 2022](https://arxiv.org/abs/2104.11222) found it for published FIDs).
#
# ## What each measure sees
#
# FID is one number for everything. Other measures tell what is wrong.
#
# - **Precision** is the share of fakes that lie among real images: are they *plausible*? Around each real image draw a ball of features that reaches to its third-nearest real neighbour. Count the fakes inside any ball.
# - **Recall** is the share of real images that lie among fakes: are the fakes *varied*? Now the balls are around the fakes ([Kynkäänniemi et al. 2019](https://arxiv.org/abs/1904.06991)).
#
# Here they are in a plane, with 20 points instead of images:


# %%
def inside(points, centres, k=3):
    """Which points lie in a ball around a centre, and the balls' radii."""
    own = torch.cdist(centres, centres).fill_diagonal_(torch.inf)
    radius = own.kthvalue(k, dim=1).values
    return (torch.cdist(points, centres) <= radius).any(dim=1), radius


plane = torch.Generator().manual_seed(0)
real, *sets = (torch.randn(20, 2, generator=plane, dtype=torch.float64) for _ in "1234")
toys = {"like the real": sets[0], "all alike": real[3] + 0.15 * sets[1]}
toys["too varied"] = 3 * sets[2]

# %%
figure, axes = plt.subplots(2, 3, figsize=(10, 7), layout="constrained")
for column, (name, fake) in zip(axes.T, toys.items(), strict=True):
    for ax, points, centres, colors in (
        (column[0], fake, real, ("C1", "C0")),
        (column[1], real, fake, ("C0", "C1")),
    ):
        hit, radius = inside(points, centres)
        for centre, size in zip(centres, radius, strict=True):
            ax.add_patch(plt.Circle(centre, size, fc=colors[1], alpha=0.12))
        ax.plot(*centres.T, ".", color=colors[1])
        ax.plot(*points[hit].T, "o", color=colors[0])
        ax.plot(*points[~hit].T, "x", color=colors[0], ms=9, mew=2)
        ax.set(xlim=(-6, 6), ylim=(-6, 6), aspect="equal")
        ax.set(xlabel="feature 1", ylabel="feature 2")
    precision, recall = inside(fake, real)[0], inside(real, fake)[0]
    column[0].set_title(f"{name}: precision {precision.double().mean():.2f}")
    column[1].set_title(f"recall {recall.double().mean():.2f}")
    print(f"{name:14} FID {feature_distance(real, fake):5.2f}")
figure.suptitle(
    "Top: fakes in balls of real points. Bottom: real points in balls of fakes"
)
plt.show()

# %% [markdown]
# Blue points are real, orange points are fakes. A cross lies in no ball. Fakes that are all alike have a high precision and a low recall. Fakes that are too varied have a low precision and a high recall.

# %% [markdown]
# Three more measures:
#
# - **Sure**: the share of fakes in which the classifier gives one digit a probability of at least 0.95.
# - **Rarest**: the share of the digit that the classifier sees least often.
# - **Near**: the share of fakes whose pixels are nearer to a trained-on digit than those of 99% of the held-out digits. It is 1% for new digits, and more for copies.

# %%
labels = load_dataset("mnist-5k", held_out=True, labels=True).classes
with torch.no_grad():
    probabilities = classifier.last(features[:1000].float()).softmax(dim=1)
sureness = probabilities.max(dim=1).values
images = {"surest held-out digit": probabilities[sureness.argmax()]}
images["least sure one"] = probabilities[sureness.argmin()]
shares = {"all held-out": labels, "without 8s": labels[labels != 8]}
for name, some in shares.items():
    shares[name] = some.bincount(minlength=10) / len(some)
    print(f"{name:12} rarest {shares[name].min():.2f}")

# %%
figure, axes = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
for ax, bars in zip(axes, (images, shares), strict=False):
    for shift, (name, heights) in enumerate(bars.items()):
        ax.bar(torch.arange(10) + 0.4 * shift, heights, 0.4, label=name)
axes[0].axhline(0.95, color="grey", ls="--", label="0.95")
axes[0].set(title="sure: one image", xlabel="digit", ylabel="probability")
axes[1].set(title="rarest: a set of images", xlabel="digit", ylabel="share")
axes[1].set_ylim(0, 0.16)
distance = torch.cdist(sets[0], real).min(dim=1).values
new, limit = sets[0][distance > 0.3], distance[distance > 0.3].min()
for point in real:
    axes[2].add_patch(plt.Circle(point, limit, fc="C0", alpha=0.3))
close = real[:3] + 0.5 * limit
for points, mark, name in (
    (real, "C0.", "trained-on"),
    (new, "C2.", "held-out"),
    (close, "C1x", "fakes, too near"),
):
    axes[2].plot(*points.T, mark, label=name)
axes[2].set(title="near: points in a plane", xlim=(-3, 4), ylim=(-3, 3))
axes[2].set(xlabel="pixel 1", ylabel="pixel 2", aspect="equal")
for ax in axes:
    ax.legend(fontsize=9)
figure.suptitle("Three more measures")
plt.show()

# %% [markdown]
# In the right panel, no held-out point lies inside a circle, and the three fakes do.
#
# <details><summary>KID</summary>
#
# The helper's table also has KID ([Bińkowski et al. 2018](https://arxiv.org/abs/1801.01401)). It is about 0 for equal distributions, at any number of images. Within two standard errors of 0, it shows no difference.
# </details>

# %% [markdown]
# ## A test on spoilt digits
#
# Spoil real digits, and see which measure notices. Each set has 500 images, compared with the same 500 held-out digits. Here, only the 500 digits of the row *copies* count as trained-on.
#
# <details><summary><b>Predict first:</b> blurred digits, noisy digits, only ones, copies: which measure notices which?</summary>
#
# FID notices all but the copies. *Near* notices the copies. A little blur lowers recall, but not precision. The classifier is sure of every noisy image.
# </details>

# %%
classes = load_dataset("mnist-5k", labels=True).classes
order = torch.randperm(4000, generator=torch.Generator().manual_seed(1))
copied, others = order[:500], order[500:]
judge = Judge(held_out[::2], known[copied], classifier)  # 500 held-out digits
floor = judge.floor()
real = scale_images(known[others[:500]])
static = torch.randn(real.shape, generator=torch.Generator().manual_seed(2))
ones = known[others[classes[others] == 1]]
spoilt = {
    "new real digits": real,
    "blurred a little": transforms.gaussian_blur(real, 15, 2.0),
    "blurred": transforms.gaussian_blur(real, 15, 4.0),
    "noise added": (real + static).clamp(-1, 1),
    "only ones": scale_images(torch.cat([ones, ones])[:500]),
    "copies": 0.99 * scale_images(known[copied]),
}
print("images of each kind:", {len(images) for images in spoilt.values()})
print("ones that can be had:", len(ones))

# %%
figure, axes = plt.subplots(len(spoilt), 8, figsize=(8, 6.2), layout="constrained")
for row, (name, images) in zip(axes, spoilt.items(), strict=True):
    for ax, image in zip(row, images, strict=False):
        ax.imshow(image[0], cmap="gray", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name, rotation=0, ha="right", va="center")
figure.suptitle("Real digits, spoilt in five ways")
plt.show()

# %% tags=["nbval-ignore-output"]
measures = "precision", "recall", "sure", "rarest", "near"
print(f"{'':20}FID" + "".join(f"{name:>11}" for name in measures))
scored = {name: judge.score(images) for name, images in spoilt.items()}
means = {name: mean for name, (mean, _, _) in floor.items()}
for name, s in (scored | {"floor, mean": means}).items():
    numbers = "".join(f"{s[measure]:11.2f}" for measure in measures)
    print(f"{name:17}{s['fid']:6.0f}{numbers}")
print("range of the floor of FID: {:.0f} to {:.0f}".format(*floor["fid"][1:]))
assert scored["blurred"]["recall"] < 0.1 and scored["noise added"]["sure"] > 0.95
assert scored["only ones"]["rarest"] == 0 and scored["copies"]["near"] > 0.99
assert scored["copies"]["fid"] < floor["fid"][2]

# %% [markdown]
# - FID is larger for blur, noise and missing digits, but does not say which it is. It cannot tell copies from new digits: both have 7<!--seen-->.
# - Precision is 0.92<!--seen--> for blurred digits and for ones.
# - Recall is 0.19<!--seen--> after a little blur.
# - *Sure* is 1.00<!--seen--> for noise.
# - *Near* is 1.00<!--seen--> for copies.
#
# ## Quality over time
#
# The run above was scored while it trained. The grey bands are the ranges of the floors. The dotted lines are the article's two figures, after updates 301 and 1,977 (notebook 07 counts).

# %% tags=["nbval-ignore-output"]
limits = judge_for(h).floor()
figure, axes = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
steps = [row["step"] for row in scores]
for ax, name in zip(axes, ("fid", "precision", "recall"), strict=True):
    mean, low, high = limits[name]
    ax.plot(steps, [row[name] for row in scores], "o-", label="this run")
    ax.axhline(mean, color="grey", ls="--", label="floor: real against real")
    ax.axhspan(low, high, color="grey", alpha=0.3)
    for step in (301, 1977):
        ax.axvline(step, color="black", ls=":", lw=1)
    title = name.upper() if name == "fid" else name
    ax.set(title=title, xlabel="step", ylabel=title, ylim=(0, 1))
axes[0].set(yscale="log", ylim=(2, 2000))
axes[0].legend()
figure.suptitle("1,000 fakes of the moving average against 1,000 held-out digits")
plt.show()
for row in scores:
    shares = f"precision {row['precision']:.2f}, recall {row['recall']:.2f}"
    print(f"step {row['step']:5}: FID {row['fid']:6.1f}, {shares}")
print("floor of FID: {:.1f} ({:.1f} to {:.1f})".format(*limits["fid"]))
assert is_small or scores[-1]["fid"] < 0.25 * scores[0]["fid"]

# %% [markdown]
# FID falls from 252<!--seen--> at step 300 to 21<!--seen--> at the end. The losses show no such change: the mean loss of $D$ is 0.53<!--seen--> in the first half and 0.59<!--seen--> in the second.
#
# Recall rises from 0.17<!--seen--> to 0.87<!--seen-->. Precision stays about the same: 0.75<!--seen--> and 0.72<!--seen-->. This is one run with one seed.
#
# In the article's early image, "nothing can be seen", and the late one is "not bad". Here are our fakes at about the same updates:

# %%
for step in (300, 1977):
    row = max(scores, key=lambda row: (row["step"] <= step) * row["step"])
    figure = show_moment(run_dir, step)
    fid_then, recall_then = row["fid"], row["recall"]
    figure.suptitle(f"Step {row['step']}: FID {fid_then:.0f}, recall {recall_then:.2f}")
    plt.show()
assert row == scores[-1]

# %% [markdown]
# `python -m dcgan_helpers evaluate RUN_DIR` prints the next table for any run. Here it is for the run of the preset `laptop`, which comes with the package:

# %% tags=["nbval-ignore-output"]
final = judge_for(run_folder.load_hyperparameters(TRAINED))
trained = run_folder.load_generator(TRAINED)
final_fakes, _ = final.draw(trained)
shipped, on_known = final.score(final_fakes), final.against_known(final_fakes)
print(table(shipped, on_known, final.floor()))
show_images(final_fakes[:32], "32 fakes of the preset laptop")
plt.show()
assert len(final) == 1000 and shipped["fid"] < 20 and shipped["recall"] > 0.6

# %% [markdown]
# FID is 9.5<!--seen-->. The range of its floor is 3.2<!--seen--> to 8.3<!--seen-->. So these fakes differ from real digits. Precision shows it too: 77%<!--seen--> against a floor of 90%<!--seen-->. The classifier is sure of 76%<!--seen--> of the fakes, and of 98%<!--seen--> of real digits.
#
# Recall is within the range of its floor. This does not prove that nothing is missing, because one fake far away has a huge ball and can raise recall ([Naeem et al. 2020](https://arxiv.org/abs/2002.09797)). Exercise 2 builds a measure without this fault.

# %% [markdown]
# ## Is it memorising?
#
# A generator that copies its training digits has learnt nothing new. FID against held-out digits does not notice it. So compare trained-on with held-out digits, 1,000 each: to which are the fakes nearer?
#
# *Nearest is trained-on* is the share of fakes that are nearer, in pixels, to a trained-on digit. It is a mean over the four quarters of the 4,000 trained-on digits. Without memory it is about 50%. Two quarters, compared in the same way, show how far from 50% chance goes.
#
# The controls are 1,000 copies, and the same copies moved sideways by one pixel of 64.


# %%
def nearest_is_known(images):
    pixels = final.describe(images)["pixels"]
    sets = [final.held_out["pixels"], *(final.known_pixels[i::4] for i in range(4))]
    held, *four = [torch.cdist(pixels, some).min(dim=1).values for some in sets]
    shares = [(distance < held).double().mean().item() for distance in four]
    pairs = [(a < b).double().mean().item() for a, b in itertools.combinations(four, 2)]
    return sum(shares) / 4, max(abs(pair - 0.5) for pair in pairs)


# %% tags=["nbval-ignore-output"]
random = torch.Generator().manual_seed(3)
copies = 0.99 * scale_images(known[torch.randperm(4000, generator=random)[:1000]])
moved = copies.roll(1, dims=-1)
print(f"{'':15}FID: held-out   trained-on   near   nearest is trained-on")
nearest = {}
for name, x in {"fakes": final_fakes, "copies": copies, "copies, moved": moved}.items():
    s, k = final.score(x), final.against_known(x)
    share, chance = nearest[name] = nearest_is_known(x)
    print(f"{name:15}{s['fid']:13.1f}{k['fid']:13.1f}{s['near']:7.1%}", end="")
    print(f"{share:14.1%}  (without memory 50.0% ± {chance:.1%})")
assert nearest["copies"][0] > 0.58 and nearest["copies, moved"][0] > 0.58

# %% [markdown]
# Each copy has its original in one of the four quarters, so about $(1 + 3 \cdot \tfrac12)/4$ = 62.5% is expected. The copies have 63%<!--seen-->, and so have the moved ones. The fakes have 52.7%<!--seen-->, and chance goes up to 3.6%<!--seen--> from 50%. So **no difference is seen**. A few copies among the fakes would not show in it.
#
# Other measures are weaker. *Near* finds the exact copies, but of the moved ones only 0.2%<!--seen-->. FID of the copies is in the range of the floor against both.

# %%
small = shrink(final_fakes).flatten(1)
distance, twin = torch.cdist(small, final.known_pixels).min(dim=1)
ranks, twins = torch.linspace(0, len(small) - 1, 10).long(), scale_images(known[twin])
figure, axes = plt.subplots(2, 10, figsize=(10, 2.6), layout="constrained")
for column, index in enumerate(distance.argsort()[ranks].tolist()):
    pair = final_fakes[index], twins[index]
    for ax, image in zip(axes[:, column], pair, strict=True):
        ax.imshow(image[0], cmap="gray", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[])
    axes[0, column].set_title(f"{distance[index]:.1f}")
axes[0, 0].set_ylabel("fake")
axes[1, 0].set_ylabel("nearest")
figure.suptitle("Fakes and their nearest trained-on digits, from nearest to farthest")
plt.show()
print(f"smallest distance of a fake: {distance.min():.1f}")
assert len(known) == len(final.known_pixels) == 4000
assert (distance > 0.5).all()  # no copy

# %% [markdown]
# No fake is an exact copy. All these distances are between pixels, and a copy that is turned or stretched would not be found. Notebook 10 adds walks between fakes.
#
# ## Checkerboards
#
# A transposed convolution adds stamps. Kernel 4 with stride 2 puts the same number of stamps on each pixel, and kernel 3 does not (notebook 03). But the four pixels of a 2×2 cell are made by four different parts of the kernel. With random weights these parts have different sums, so a regular grid is possible for kernel 4 too.
#
# The measure: take the mean of all upper left pixels of the cells, of all upper right pixels, and so on. Without a grid the four means are equal. So take their standard deviation, in grey levels of 256.


# %%
def checkerboard(images, cell=2):
    """The standard deviation between the places of a cell, in grey levels."""
    places = [images[:, :, i::cell, j::cell] for i in range(cell) for j in range(cell)]
    means = torch.stack([place.mean((2, 3)) for place in places])
    return 127.5 * means.std(dim=0, unbiased=False).mean().item()


def enlarge(kind, in_channels, out_channels):
    if kind == "resize + conv 3":
        conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        return nn.Sequential(nn.Upsample(scale_factor=2), conv)
    k, extra = (3, 1) if kind == "kernel 3" else (4, 0)
    return nn.ConvTranspose2d(in_channels, out_channels, k, 2, 1, extra, bias=False)


stripes = torch.tensor([-1.0, 1.0]).repeat(1, 1, 64, 32)
print(f"stripes of one pixel: {checkerboard(stripes):.1f} grey levels")
print(f"held-out digits:        {checkerboard(digits[:1000]):.1f}")

# %% [markdown]
# First, untrained generators of three kinds, five seeds each. The third kind repeats each pixel, and then has an ordinary convolution with stride 1.


# %%
def untrained(kind, seed, f=16):
    torch.manual_seed(seed)
    layers, widths = [nn.ConvTranspose2d(100, 16 * f, 4, bias=False)], [16, 8, 4, 2]
    for i in range(4):
        layers += [nn.BatchNorm2d(widths[i] * f), nn.ReLU()]
        layers.append(enlarge(kind, widths[i] * f, widths[i + 1] * f if i < 3 else 1))
    network = nn.Sequential(*layers, nn.Tanh())
    initialize_weights(network)
    with torch.no_grad():
        return network(torch.randn(16, 100, 1, 1))


kinds = "kernel 3", "kernel 4", "resize + conv 3"
figure, axes = plt.subplots(1, 3, figsize=(12, 4.4), layout="constrained")
for ax, kind in zip(axes, kinds, strict=True):
    drawn = sorted((untrained(kind, seed) for seed in range(5)), key=checkerboard)
    low, *_, high = found = [checkerboard(images) for images in drawn]
    print(f"{kind:16} median {found[2]:4.1f}, {low:.1f} to {high:.1f} grey levels")
    ax.imshow(drawn[2][0, 0], cmap="gray")
    ax.set(title=f"{kind}: {found[2]:.1f} grey levels", xlabel="column", ylabel="row")
figure.suptitle("An image of the median seed, before any training, contrast stretched")
plt.show()

# %% [markdown]
# Before training, the median of kernel 4 is 11.9<!--seen--> grey levels. Kernel 3 has a grid too. Resizing has nearly none, because the same weights make all pixels.
#
# Does training remove the grid? Measure 500 fakes of the preset `laptop`, before the Tanh and after it:

# %% tags=["nbval-ignore-output"]
noise = torch.randn(500, 100, 1, 1, generator=torch.Generator().manual_seed(0))
with torch.no_grad():
    before = torch.cat([trained.layers[:-1](part) for part in noise.split(100)])
sets = {"before the Tanh": before, "fakes, after it": before.tanh()}
sets["held-out digits"] = digits[:500]
for name, x in sets.items():
    print(f"{name:16}cells of 2×2: {checkerboard(x):4.1f}", end="")
    print(f", of 4×4: {checkerboard(x, cell=4):4.1f} grey levels")
figure, axes = plt.subplots(1, 3, figsize=(12, 4.4), layout="constrained")
for ax, (name, x) in zip(axes, sets.items(), strict=True):
    low, high = (-6, 0) if x is before else (-1, 1)
    ax.imshow(x[0, 0], cmap="gray", vmin=low, vmax=high)
    ax.set(title=name, xlabel="column", ylabel="row")
figure.suptitle("Left: values from -6 (black) to 0 (white). Others: from -1 to 1")
plt.show()
assert checkerboard(sets["fakes, after it"]) < 2 < checkerboard(before)

# %% [markdown]
# **Does kernel 4 have a checkerboard after training?** Before the Tanh, yes: 11.4<!--seen-->, about as strong as at the start. In the fakes, hardly: 0.5<!--seen--> grey levels. The Tanh hides it, because it makes all low values black.
#
# The measure sees only a regular grid over the whole image. It does not see the grain at the edges of strokes.

# %% [markdown]
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | "the loss of $D$ is 0.69, so it has converged" | a $D$ that has learnt nothing has ln 2 too | look at fakes and FID |
# | FID is far from that of a paper | other features, another number of images | compare within one set-up, with its floor |
# | FID is below its floor | fakes compared with the digits that they copy | held-out images |
# | precision is 1.0 | every fake is one good digit, or a copy | read it with recall and *near* |
# | a regular grid over every image | a checkerboard, as before training | train longer; or resize and convolve |

# %% [markdown]
# ## Summary
#
# 1. Losses and $D(x)$ are about two networks that both change. They do not say how good the fakes are.
# 2. FID is the Fréchet distance of features. It needs held-out images, equal numbers, the same resizing, and a floor with its range.
# 3. No single measure sees everything: precision misses blur, sure misses noise, FID misses copies.
# 4. FID fell from 252<!--seen--> to 21<!--seen-->, and the losses showed no such change.
# 5. The fakes show no sign of copying, in a test that finds copies moved by one pixel. Kernel 4 starts with a checkerboard. After training, the Tanh hides it.

# %% [markdown]
# ## Exercises
#
# Exercise 08.1 stands above.
#
# **08.2.** One fake far away has a huge ball, and can raise recall. *Coverage* ([Naeem et al. 2020](https://arxiv.org/abs/2002.09797)) avoids this: it is the share of real points in whose ball, to the `k`-th nearest real neighbour, some fake lies. Write it; `inside` above is similar.


# %%
def coverage(real, fake, k=5):
    return None  # your code


def check_coverage(answer):
    real = torch.tensor([[0.0], [1.0], [2.0], [9.0], [11.0]])
    if answer(real, real, k=1) is None:
        return "not answered yet"
    if answer(real, real, k=1) != 1:
        return "not yet: of equal sets it is 1"
    fake = torch.tensor([[0.5], [-40.0], [12.9]])
    found = answer(real, fake, k=1)
    return "right" if abs(found - 3 / 5) < 1e-6 else f"not yet: {found}, expected 3/5"


print("exercise 08.2:", check_coverage(coverage))

# %% [markdown]
# **08.3.** *Explore.* How much of the quality is the moving average? `generator_raw.safetensors` in the run folder has the generator without it. Score it, and compare with the last row of scores:
#
# ```python
# raw = run_folder.load_generator(run_dir)
# run_folder.load_weights(run_dir / "generator_raw.safetensors", raw)
# judge_for(h).score_generator(raw)
# ```
#
# One run is one seed. Train two more (`replace(h, seed=1)`) before you call it an effect.
#
# **Next:** [notebook 09](09_experiments.ipynb) changes one choice at a time, with three seeds each.


# %% tags=["solution"]
# The check above accepts a right answer.
def right_coverage(real, fake, k=5):
    own = torch.cdist(real, real).fill_diagonal_(torch.inf)
    reach = own.kthvalue(k, dim=1).values
    return (torch.cdist(real, fake) <= reach[:, None]).any(dim=1).float().mean().item()


assert check_coverage(right_coverage) == "right"
assert check_coverage(lambda real, fake, k: 1.0).startswith("not yet: 1.0")
