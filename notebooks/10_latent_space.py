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
# # 10 · The latent space: what the hundred numbers mean
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/10_latent_space.ipynb)
#
# A generator turns 100 numbers into an image. Some directions have a meaning.
#
# **In this notebook you will**
#
# 1. find where noise lies;
# 2. walk between digits, straight and on the sphere;
# 3. find two directions, and put them on sliders;
# 4. do arithmetic on noise;
# 5. search for the noise behind an image.
#
# **You need** the generator (notebook 03) and FID (08). **Time:** read 52 min, run 2 min on a laptop.

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
import io

import ipywidgets
import matplotlib.pyplot as plt
import torch
from IPython.display import display
from torch import nn

from dcgan_helpers import exercises, run_folder
from dcgan_helpers.data import load_dataset, scale_images
from dcgan_helpers.figures import show_images
from dcgan_helpers.hyperparameters import PRESETS, preset
from dcgan_helpers.quality.judge import judge_for
from dcgan_helpers.run_folder import TRAINED

# %% [markdown]
# The article that this series retells stops when training stops. The [DCGAN paper](https://arxiv.org/abs/1511.06434) goes on.
#
# `python -m dcgan_helpers train` made this generator, from 4,000 digits. It stays in `eval()` mode, so an image depends on its own noise alone.


# %%
generator = run_folder.load_generator(TRAINED)
generator.requires_grad_(False)


def draw(z):
    """Images N×1×64×64 in [-1, 1] of noise N×100."""
    return torch.cat([generator(part[:, :, None, None]) for part in z.split(250)])


def noise(count, seed):
    """Noise N×100."""
    random = torch.Generator().manual_seed(seed)
    return torch.randn(count, generator.latent_dim, generator=random)


show_images(draw(noise(16, seed=0)), "Fakes of sixteen draws of noise")
plt.show()

# %% [markdown]
# ## Where noise lies
#
# The *latent space* is the space of all noise $z$. Each of its 100 numbers comes from a normal distribution. So the density of $z$ is highest at the origin, where every number is 0.
#
# <details><summary><b>Predict first:</b> how long is a typical $z$? How often is one less than half as long?</summary>
#
# About 10, because $\lVert z\rVert^2$ is a sum of 100 squares, and the mean of each is 1. In practice never, because a ball of half the radius has only $2^{-100}$ of the volume.
# </details>

# %%
figure, ax = plt.subplots(figsize=(9, 3.6), layout="constrained")
for dimensions in (1, 2, 10, 100):
    random = torch.Generator().manual_seed(0)
    length = torch.randn(100_000, dimensions, generator=random).norm(dim=1)
    ax.hist(
        length, bins=150, density=True, histtype="step", lw=2, label=f"{dimensions}"
    )
    print(
        f"{dimensions:3} dimensions: length {length.mean():5.2f} ± {length.std():.2f}, "
        f"shortest {length.min():.1f}"
    )
ax.set(title="Length of a normal random vector", xlabel="length", ylabel="density")
ax.legend(title="dimensions")
plt.show()

# %% [markdown]
# In 100 dimensions practically all noise lies in a thin *shell* around the sphere of radius 10. The shortest of 100,000 draws is 7.0<!--seen--> long. Training has shown the generator nothing else. What does it draw elsewhere?


# %%
def show_rows(rows, title, columns=()):
    """Draw a dictionary of images: a row each, with its key on the left."""
    count = len(next(iter(rows.values())))
    size = (1.6 + 0.95 * count, 0.7 + len(rows))
    figure, axes = plt.subplots(len(rows), count, figsize=size, layout="constrained")
    for row, (name, images) in zip(axes, rows.items(), strict=True):
        for ax, image in zip(row, images, strict=True):
            ax.imshow(image[0], cmap="gray", vmin=-1, vmax=1)
            ax.set(xticks=[], yticks=[])
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=12)
    for ax, name in zip(axes[0], columns, strict=False):
        ax.set_title(name, fontsize=12)
    figure.suptitle(title)
    plt.show()


lengths = torch.tensor([0.1, 2, 5, 10, 15, 25, 60])
unit = nn.functional.normalize(noise(4, seed=5), dim=1)
rows = {f"direction {k + 1}": draw(torch.outer(lengths, unit[k])) for k in range(4)}
titles = [f"length {x:g}" for x in lengths.tolist()]
show_rows(rows, "Four directions, at seven distances from the origin", titles)

# %% [markdown]
# Near the origin the image stays black. Then digits appear. Far outside the shell, edges become ragged, and specks appear.
#
# FID compares 1,000 fakes with 1,000 held-out digits, by a classifier's features. Lower is better. The *floor* is the FID of real digits against real digits: the mean of 20 splits, and their range. We score three draws of 1,000 directions:

# %% tags=["nbval-ignore-output"]
judge = judge_for(PRESETS["laptop"])  # has 1,000 held-out digits
floor = "floor: FID {:.1f} ({:.1f} to {:.1f})".format(*judge.floor()["fid"])
is_laptop = preset() == PRESETS["laptop"]
print(floor)
by_length = {}
for length in (2, 5, 10, 25, 60):
    found = []
    for seed in (1, 2, 3) if is_laptop else (1,):
        unit = nn.functional.normalize(noise(1000, seed), dim=1)
        found.append(judge.score(draw(length * unit))["fid"])
    mean = by_length[length] = sum(found) / len(found)
    print(f"length {length:2}: FID {mean:6.1f} ({min(found):.1f} to {max(found):.1f})")
assert by_length[2] > 10 * by_length[10] and by_length[60] < 3 * by_length[10]

# %% [markdown]
# At length 2 FID is 1,146<!--seen-->. At length 10 it is 9.2<!--seen-->. Far outside the shell, at 60, it is 19.7<!--seen-->, about twice as much. All three draws agree.
#
# <details><summary>Why does a large length change so little? The mathematics</summary>
#
# Twice the input gives twice the output in the first layer, which is a matrix, and in a ReLU. Batch normalisation in `eval()` mode multiplies by fixed numbers and adds others. Beside a large signal these are small. So a longer $z$ mostly changes the contrast, which the Tanh limits.
# </details>

# %% [markdown]
# ## From one digit to another
#
# We draw fakes on the way from noise $a$ to noise $b$. The paper does so in section 6.1. It reads sudden changes as a sign of memorising.
#
# The straight way is *linear interpolation* (lerp), $(1-t)\,a + t\,b$. But it leaves the shell. Two random directions in 100 dimensions are nearly at right angles, so halfway the length is only $10/\sqrt2 \approx 7$.
#
# *Spherical interpolation* (slerp) stays on the shell ([White 2016](https://arxiv.org/abs/1609.04468)). With $\omega$ the angle between $a$ and $b$,
#
# $$\operatorname{slerp}(t) = \frac{\sin((1-t)\,\omega)}{\sin\omega}\,a + \frac{\sin(t\,\omega)}{\sin\omega}\,b .$$


# %%
def lerp(a, b, t):
    return (1 - t) * a + t * b


# %% [markdown]
# **Exercise 10.1.** Write `slerp(a, b, t)` for batches of noise, `N×100`, or single noise. `t` is a number, or a column of numbers for many steps of one walk. Where the angle is nearly 0, as from a point to itself, $\sin\omega$ is too: use `lerp` there. (Leave opposite vectors: they have no shortest arc.)


# %% tags=["exercise"]
def slerp(a, b, t):
    # BEGIN SOLUTION
    cosine = nn.functional.cosine_similarity(a, b, dim=-1)[..., None]
    omega = torch.arccos(cosine.clamp(-1, 1))
    first, second = torch.sin((1 - t) * omega), torch.sin(t * omega)
    arc = (first * a + second * b) / torch.sin(omega)
    return torch.where(omega < 1e-3, lerp(a, b, t), arc)
    # END SOLUTION


slerp = exercises.slerp(slerp)

# %%
walks = {"lerp, straight": lerp, "slerp, spherical": slerp}
a, b, t = noise(1000, seed=2), noise(1000, seed=3), torch.linspace(0, 1, 9)
for name, walk in walks.items():
    middle = walk(a, b, 0.5).norm(dim=1)
    print(f"{name:16} mean length halfway {middle.mean():.1f}")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4.4), layout="constrained")
ring = {"width": 2.8, "color": "0.88", "label": "shell: mean ± 2 deviations"}
left.add_patch(plt.matplotlib.patches.Annulus((0, 0), 11.4, **ring))
corners = torch.tensor([[10.0, 0.0], [0.0, 10.0]])
for name, walk in walks.items():
    path = walk(*corners, torch.linspace(0, 1, 101)[:, None])
    left.plot(*path.T, lw=3, label=name)
    left.plot(*path[50], "ko", ms=8)
    right.plot(t, [walk(a, b, x).norm(dim=1).mean() for x in t], "o-", lw=3, label=name)
for corner, name in zip(corners, ("a", "b"), strict=True):
    left.plot(*corner, "ko", ms=8)
    left.annotate(f"${name}$", corner + 0.5, fontsize=15)
left.set(xlim=(-1, 13), ylim=(-1, 13), aspect="equal", title="The plane of a and b")
left.set(xlabel="coordinate along $a$", ylabel="coordinate along $b$")
right.set(
    ylim=(0, 11.5), title="1,000 pairs $a$ and $b$", xlabel="t", ylabel="mean length"
)
figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
figure.suptitle("The chord and the arc (black dots: start, end, halfway)")
plt.show()

# %%
rows = {}
for pair in range(3):
    for name, walk in walks.items():
        rows[f"{name.split(',')[0]} {pair + 1}"] = draw(
            walk(a[pair], b[pair], t[:, None])
        )
titles = [f"t = {x:.2f}" for x in t.tolist()]
show_rows(rows, "Three walks, each straight and on the sphere", titles)

# %% [markdown]
# One digit becomes the other step by step. Is one way better? We score 1,000 fakes halfway, for six draws of ends. *Sure* is the share of fakes in which that classifier gives one digit at least 0.95.

# %% tags=["nbval-ignore-output"]
print(floor)
table = []
for seed in range(6) if is_laptop else range(1):
    start, end = noise(1000, 100 + seed), noise(1000, 200 + seed)
    ways = {"ends": start} | {
        name: walk(start, end, 0.5) for name, walk in walks.items()
    }
    scores = {name: judge.score(draw(z)) for name, z in ways.items()}
    table.append([s["fid"] for s in scores.values()])
    print(f"draw {seed + 1}:", end="")
    for name, s in scores.items():
        print(f"  {name.split(',')[0]} {s['fid']:4.1f}, sure {s['sure']:.0%};", end="")
    print(f"  lerp − slerp {table[-1][1] - table[-1][2]:+.2f}")
means = noise(20_000, seed=6).reshape(1000, 20, 100).mean(dim=1)
far_inside = judge.score(draw(means))["fid"]
print(f"means of twenty: length {means.norm(dim=1).mean():.1f}, FID {far_inside:.0f}")
assert far_inside > 10 * max(max(row) for row in table)

# %%
figure, ax = plt.subplots(figsize=(8, 3.8), layout="constrained")
for seed, fids in enumerate(table, start=1):
    ax.plot(["ends", *walks], fids, "o-", ms=8, label=f"draw {seed}")
ax.axhline(judge.floor()["fid"][0], color="grey", ls="--", label="floor (mean)")
ax.set(title="FID of 1,000 fakes at the ends and halfway", xlabel="where the noise is")
ax.set(ylabel="FID (lower is better)", xmargin=0.1)
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

# %% [markdown]
# In all six draws FID is higher straight than spherical, but only by 0.2<!--seen--> to 0.9<!--seen-->. So the shell matters, but little. Between halfway and the ends, the draws do not agree.
#
# Fakes halfway are about as clear as at the ends. The classifier is sure of 72%<!--seen--> to 75%<!--seen--> of the spherical ones, and of 73%<!--seen--> to 77%<!--seen--> of those at the ends.
#
# Means of twenty have length 2.2<!--seen-->, and FID 911<!--seen-->. So use slerp: it never goes near the origin. (This is one generator and one data set.)

# %% [markdown]
# ## Two directions with a meaning
#
# *Slant* says how far strokes lean to the right, in pixels sideways for a pixel up. It is a ratio of two moments of the ink:


# %%
def slant(images):
    """How far each image N×1×64×64 leans to the right: the slope of its strokes."""
    ink = (images[:, 0] + 1) / 2
    total = ink.sum(dim=(1, 2), keepdim=True)
    y, x = torch.arange(64.0).view(1, 64, 1), torch.arange(64.0).view(1, 1, 64)
    y = y - (ink * y).sum(dim=(1, 2), keepdim=True) / total
    x = x - (ink * x).sum(dim=(1, 2), keepdim=True) / total
    return -(ink * x * y).sum(dim=(1, 2)) / (ink * y * y).sum(dim=(1, 2))


z = noise(5000, seed=1)
images = draw(z)
leaning, ink = slant(images), (images.mean(dim=(1, 2, 3)) + 1) / 2
confidence, digit = judge.classifier(images).softmax(dim=1).max(dim=1)
show_images(images[leaning.argsort()][::333], "From leaning left to leaning right")
plt.show()

# %% [markdown]
# Is slant a linear function of $z$? We fit one by least squares on 4,000 fakes, and test it on 1,000 others. We do the same for *ink*, the mean brightness. The weights are a direction:


# %%
def direction_of(values):
    """The unit vector along which `values` grow, and R² on the last 1,000 fakes."""
    inputs = torch.cat([z, torch.ones(len(z), 1)], dim=1)
    weights = torch.linalg.lstsq(inputs[:4000], values[:4000, None]).solution[:, 0]
    error = (inputs[4000:] @ weights - values[4000:]).var() / values[4000:].var()
    return nn.functional.normalize(weights[:-1], dim=0), 1 - error.item()


directions = {}
for name, values in (("slant", leaning), ("ink", ink)):
    directions[name], explained = direction_of(values)
    print(f"{name:5} share of the variance that is linear in z: {explained:.0%}")
steps = torch.linspace(-2, 2, 9)
rows = {}
for name, way in directions.items():
    for label, start in (("a 7", 2), ("a 3", 6)):
        moved = noise(16, seed=0)[start] + torch.outer(steps, way)
        rows[f"{name}, {label}"] = draw(moved)
titles = [f"{x:+.1f}" for x in steps.tolist()]
show_rows(rows, "Two digits, moved along each of the two directions", titles)

# %% [markdown]
# The control: we move 1,000 other fakes by 2, along slant and along random directions:

# %% tags=["nbval-ignore-output"]
others = noise(1000, seed=7)
before, digit_before = slant(draw(others)), judge.classifier(draw(others)).argmax(dim=1)
found = {}
for name, way in (
    ("slant", directions["slant"]),
    ("random", nn.functional.normalize(noise(1000, seed=8), dim=1)),
):
    for step in (-2, 2):
        moved = draw(others + step * way)
        change = (slant(moved) - before).mean()
        kept = (judge.classifier(moved).argmax(dim=1) == digit_before).float().mean()
        found[name, step] = change
        print(f"{step:+} along {name:6}  slant {change:+.2f}, same digit in {kept:.0%}")
assert found["slant", 2] > 0.2 > abs(found["random", 2])
assert found["slant", -2] < -0.2

# %% [markdown]
# For both attributes 73%<!--seen--> of the variance is linear in $z$. A move by +2 along slant adds 0.39<!--seen--> to it, and random moves add nothing.
#
# The digit can change on the way: it stays the same in 62%<!--seen--> to 67%<!--seen-->, and in 77%<!--seen--> to 79%<!--seen--> after random moves.
#
# ### On sliders
#
# The slider `walk` goes from one digit to the next. Sliders need a running notebook, in JupyterLab, Colab or VS Code.


# %%
def draw_point(seed=0, slant=0.0, ink=0.0, walk=0.0):
    """A figure of one fake, whose noise is moved along the two directions."""
    start = noise(2, int(seed))
    moved = slerp(start[0], start[1], walk)
    moved = moved + slant * directions["slant"] + ink * directions["ink"]
    image = draw(moved[None])
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 2.9), layout="constrained")
    left.imshow(image[0, 0], cmap="gray", vmin=-1, vmax=1)
    left.set(title=f"length of z: {moved.norm():.1f}", xticks=[], yticks=[])
    right.bar(range(10), judge.classifier(image).softmax(dim=1)[0])
    right.set(title="What the classifier sees", xlabel="digit", ylabel="probability")
    right.set(xticks=range(10), ylim=(0, 1))
    return figure


figure = draw_point(seed=0, slant=1.0)
plt.show()


# %% tags=["nbval-ignore-output"]
def as_png(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor="white")
    plt.close(figure)
    return buffer.getvalue()


def follow(_):
    panel.value = as_png(draw_point(**{name: s.value for name, s in sliders.items()}))


panel = ipywidgets.Image(value=as_png(draw_point()))
ranges = {"seed": (0, 99, 1), "slant": (-3, 3, 0.1), "ink": (-3, 3, 0.1)}
ranges["walk"] = (0, 1, 0.1)
sliders = {
    name: ipywidgets.FloatSlider(0, min=low, max=high, step=step, description=name)
    for name, (low, high, step) in ranges.items()
}
for slider in sliders.values():
    slider.observe(follow, "value")
display(ipywidgets.VBox([*sliders.values(), panel]))
before = panel.value
sliders["slant"].value = 1.0
assert panel.value != before  # the figure follows the slider

# %% [markdown]
# ## Arithmetic
#
# One figure of the paper (section 6.3.2) shows a sum of noise: smiling woman − neutral woman + neutral man = smiling man. Each term is the mean $z$ of three fakes. With one fake each the result was unstable.
#
# We use digits, because slant can be measured: slanted 7 − upright 7 + upright 1. We hope for a slanted 1. "Slanted" and "upright" are the outer fifths of each digit's fakes, if the classifier gives it more than 0.9.
#
# Would any difference of the same length do the same? We split the difference "slanted − upright", and add a control:


# %%
limits = {
    k: leaning[digit == k].quantile(torch.tensor([0.2, 0.8])).tolist()
    for k in range(10)
}


def exemplars(which, side, count, random, number=8):
    """Noise `number`×100: means of `count` slanted or upright fakes of one digit."""
    low, high = limits[which]
    wanted = leaning > high if side == "slanted" else leaning < low
    found = torch.nonzero((digit == which) & wanted & (confidence > 0.9))[:, 0]
    chosen = torch.randint(len(found), (number, count), generator=random)
    return z[found[chosen]].mean(dim=1)


def parts_of(difference, random):
    """A difference, N×100; its part along slant; the rest; a random one as long."""
    along = torch.outer(difference @ directions["slant"], directions["slant"])
    other = torch.randn(difference.shape, generator=random)
    other = nn.functional.normalize(other, dim=1) * difference.norm(dim=1)[:, None]
    parts = {"whole difference": difference, "its part along slant": along}
    return parts | {"the rest": difference - along, "random, as long": other}


# %%
random = torch.Generator().manual_seed(3)
parts = [(7, "slanted"), (7, "upright"), (1, "upright")]
plus, minus, start = (exemplars(*part, 3, random) for part in parts)
rows = {"slanted 7": draw(plus), "− upright 7": draw(minus), "+ upright 1": draw(start)}
for name, added in parts_of(plus - minus, random).items():
    rows[f"= upright 1 +\n{name}"] = draw(start + added)
show_rows(rows, "Sums of noise: each term is the mean of three")

# %% [markdown]
# Eight sums prove little, so we count: all 90 pairs of digits, three draws of 720 sums. A sum is right if the classifier still sees the digit that was added to, and if its slant is more than halfway from upright to slanted.


# %%
def share_right(count, seed):
    """For each part: its mean length, and the shares with the right digit and both."""
    random = torch.Generator().manual_seed(seed)
    pairs = [(a, b) for a in range(10) for b in range(10) if a != b]
    plus = torch.cat([exemplars(a, "slanted", count, random) for a, _ in pairs])
    minus = torch.cat([exemplars(a, "upright", count, random) for a, _ in pairs])
    start = torch.cat([exemplars(b, "upright", count, random) for _, b in pairs])
    second = torch.tensor([b for _, b in pairs]).repeat_interleave(8)
    halfway = torch.tensor([sum(limits[b]) / 2 for _, b in pairs]).repeat_interleave(8)
    shares = {}
    for name, added in parts_of(plus - minus, random).items():
        result = draw(start + added)
        kept = judge.classifier(result).argmax(dim=1) == second
        both = kept & (slant(result) > halfway)
        length = added.norm(dim=1).mean()
        shares[name] = [x.float().mean().item() for x in (length, kept, both)]
    return shares


# %% tags=["nbval-ignore-output"]
right = {}
print("terms       added                 length  right digit  both right (three draws)")
for count in (1, 3, 10):
    runs = [share_right(count, seed) for seed in ((1, 2, 3) if is_laptop else (1,))]
    for name in runs[0]:
        length, kept, both = torch.tensor([run[name] for run in runs]).T
        right[count, name] = both.mean().item()
        print(
            f"means of {count:2} {name:22}{length.mean():6.1f} {kept.mean():10.0%}"
            f"{both.mean():12.0%} ({both.min():.0%} to {both.max():.0%})"
        )
for count in (1, 3, 10):
    whole, along, rest, random_one = (right[count, name] for name in runs[0])
    assert along > whole > random_one and along > whole > rest

# %% [markdown]
# The whole difference gives 27%<!--seen--> right sums from single fakes, 45%<!--seen--> from means of three, and 65%<!--seen--> from means of ten. So averaging helps, as the paper says.
#
# The controls say why:
#
# - Its part along slant alone is right more often: 49%<!--seen-->, 73%<!--seen--> and 84%<!--seen-->.
# - The rest alone, or a random difference, is almost never right.
# - Both lose the digit. From single fakes, only 38%<!--seen--> and 32%<!--seen--> keep it; from means of ten, 83%<!--seen--> and 79%<!--seen-->.
#
# Averaging shortens the rest, from 13.9<!--seen--> to 4.8<!--seen-->. The part along slant stays at 2.4<!--seen-->. So the slant comes along the direction, and the rest costs the digit.

# %% [markdown]
# ## The noise behind an image
#
# The generator goes from $z$ to an image. The way back is a search: gradient descent changes $z$, not the weights, until $G(z)$ resembles the image ([Creswell and Bharath 2016](https://arxiv.org/abs/1611.05644)).
#
# Eight targets are fakes, for which a perfect answer exists. Eight are held-out digits, for which perhaps none exists. The search starts at the nearest of 5,000 fakes.


# %%
def nearest_start(targets):
    """For each target the noise of the fake that is most similar, and that fake."""
    best = torch.cdist(targets.flatten(1), images.flatten(1)).argmin(dim=1)
    return z[best], images[best]


def invert(targets, start, steps=200):
    """Noise whose images resemble the targets, and the errors step by step."""
    found = start.clone().requires_grad_()
    optimizer, errors = torch.optim.Adam([found], 0.1), []
    for _ in range(steps):
        error = (draw(found) - targets).square().mean(dim=(1, 2, 3))
        optimizer.zero_grad()
        error.sum().backward()
        optimizer.step()
        errors.append(error.detach())
    return found.detach(), torch.stack(errors)


held_out = load_dataset("mnist-5k", held_out=True)
digits = scale_images(held_out[torch.arange(50, 850, 100)])
targets = torch.cat([draw(noise(8, seed=77)), digits])
start, similar = nearest_start(targets)
found, errors = invert(targets, start)

# %% tags=["nbval-ignore-output"]
some = [0, 2, 3, 5, 10, 12, 13, 15]  # four fakes, four held-out digits
rows = {"target": targets, "nearest of 5,000": similar, "found": draw(found)}
rows = {name: part[some] for name, part in rows.items()}
show_rows(rows, "The search for z", ["fake"] * 4 + ["held-out"] * 4)

for name, part in (("fakes", slice(0, 8)), ("held-out digits", slice(8, 16))):
    first, last = errors[0, part].median(), errors[-1, part].median()
    print(f"{name:15} median squared error {first:.3f} at the start, {last:.3f} found")
assert errors[-1].median() < 0.5 * errors[0].median()
lengths = found.norm(dim=1)
print(f"lengths of what was found: {lengths.min():.0f} to {lengths.max():.0f}")

# %% [markdown]
# The median error falls from 0.103<!--seen--> to 0.002<!--seen--> for fakes, and from 0.084<!--seen--> to 0.012<!--seen--> for held-out digits. The generator has never seen these eight digits, so it has not memorised them. Eight digits do not show that it can draw *any* digit.
#
# Nothing keeps the search on the shell: it ends at lengths of 10<!--seen--> to 14<!--seen-->.

# %% [markdown]
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | interpolations pass through a black image | means of many $z$ lie far inside the shell | slerp, or rescale to length $\sqrt{d}$ |
# | all fakes are black, or alike | $z$ is near 0, or from `torch.rand` (0 to 1) | `torch.randn`, as in training |
# | a sum gives another digit | the difference has more in it than the attribute | average several, or use a direction |
# | a search ends in another digit | it found another minimum | start from several $z$, keep the best |
# | the same noise gives another image in another batch | training mode | `generator.eval()` |

# %% [markdown]
# ## Summary
#
# 1. Noise of 100 dimensions lies in a shell of radius 10. Near the origin this generator draws no digits; far outside the shell FID doubles.
# 2. Halfway, a straight walk is at length 7 and a spherical one at 10. The spherical one has a slightly lower FID in six of six draws.
# 3. Slant and ink are largely linear in $z$, so each has a direction. A slider is a step along it.
# 4. Sums of noise work through the part of the difference that lies along the direction. The rest costs the digit, and averaging shortens it.
# 5. Gradient descent on $z$ comes much nearer to an image than the nearest of 5,000 fakes, for held-out digits too.

# %% [markdown]
# ## Exercises
#
# Exercise 10.1 stands above.
#
# **10.2.** *Explore.* Find the direction of another attribute: the height of the ink's centre, or the probability of a hole (0, 6, 8 or 9).

# %% [markdown] tags=["solution"]
# **An answer to 10.2** (we have not run it). Write a function like `slant` that gives one number for each image: the mean row of the ink, or one minus the probability of the digits without a hole, from `judge.classifier`. Give its values for `images` to `direction_of`. What counts: the share of variance on the last 1,000 fakes, and a control with random directions.

# %% [markdown]
# **Next:** [notebook 11](11_color_and_mode_collapse.ipynb) adds colour, and counts how many of a thousand kinds of image a generator forgets.
