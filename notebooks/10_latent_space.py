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
# A generator turns 100 numbers into a picture. None of them has a name. This page walks among them, does sums with them, finds the 100 numbers of a digit that you choose, and puts two of the meanings it finds on sliders.
#
# **In this notebook you will**
#
# 1. find out where noise lives in 100 dimensions, and what the generator does elsewhere;
# 2. walk from one digit to another, straight and on the sphere, and measure whether it matters;
# 3. repeat the paper's vector arithmetic on digits, with a count of how often it works;
# 4. find the noise behind a given picture by gradient descent;
# 5. turn knobs in a panel, and see what `eval()` changes.
#
# **You need** the generator (notebook 03). Helpful: what FID, precision and recall are (08). **Time:** read 20 min, run 2 min on a laptop.
#
# *The paper* is [Radford, Metz and Chintala (2016)](https://arxiv.org/abs/1511.06434), which introduced the DCGAN; *the article* is the reader's notes that this series retells and corrects ([notebook 00](00_start_here.ipynb) says more). The article stops when training stops, so all of this goes beyond it.

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
import io
import math

import ipywidgets
import matplotlib.pyplot as plt
import torch
from IPython.display import display
from torch import nn

from dcgan_helpers import run_folder
from dcgan_helpers.data import load_dataset, scale_images
from dcgan_helpers.figures import show_images
from dcgan_helpers.hyperparameters import PRESETS
from dcgan_helpers.quality.judge import judge_for
from dcgan_helpers.run_folder import TRAINED

# %% [markdown]
# The generator comes trained with the package: it is that of `python -m dcgan_helpers train`, which has seen 4,000 digits. It stays in `eval()` mode here until the last section, which asks what that does.

# %%
generator = run_folder.load_generator(TRAINED)
generator.requires_grad_(False)


def draw(z):
    """Images N×1×64×64 in [-1, 1] of noise N×100."""
    return torch.cat([generator(part[:, :, None, None]) for part in z.split(250)])


def noise(count, seed):
    random = torch.Generator().manual_seed(seed)
    return torch.randn(count, generator.latent_dim, generator=random)


show_images(draw(noise(16, seed=0)), "Sixteen points of the latent space")
plt.show()

# %% [markdown]
# ## Where noise lives
#
# Each of the 100 numbers of $z$ is drawn from a normal distribution: most likely near 0, the bell's top. So the most likely *point* of all is the origin, where every number is 0.
#
# <details><summary><b>Predict first:</b> how far from the origin is a typical $z$, and how often does one come closer than half that far?</summary>
#
# About 10 away, since $\lVert z\rVert^2$ is a sum of 100 squares, each 1 on average; and never. Among 100,000 draws the nearest is some 7 away. A ball of half the radius has $2^{-100}$ of the volume: the density is highest at the origin, but there is no room there.
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
        f"{dimensions:3} dimensions: {length.mean():5.2f} ± {length.std():.2f}, "
        f"shortest {length.min():.1f}, √d = {math.sqrt(dimensions):.2f}"
    )
ax.set(title="Length of a normal random vector", xlabel="length", ylabel="density")
ax.legend(title="dimensions")
plt.show()

# %% [markdown]
# In 100 dimensions all noise lies in a thin shell of radius 10. Training has shown the generator nothing else. What does it draw inside the shell, and outside? The same four directions, at other lengths:

# %%
lengths = (0.1, 2, 5, 7, 10, 15, 25, 60)
direction = nn.functional.normalize(noise(4, seed=5), dim=1)
figure, axes = plt.subplots(4, 8, figsize=(10, 5.4), layout="constrained")
for row, d in zip(axes, direction, strict=True):
    for ax, image in zip(row, draw(torch.outer(torch.tensor(lengths), d)), strict=True):
        ax.imshow(image[0], cmap="gray", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[])
for ax, length in zip(axes[0], lengths, strict=True):
    ax.set_title(f"‖z‖ = {length}")
figure.suptitle("One direction a row, at eight distances from the origin")
plt.show()

# %% [markdown]
# Near the origin the canvas stays dark: $z$ says nothing yet. Further out there are digits, and beyond the shell their edges become ragged, and specks appear. A number for that: the quality measures of notebook 08, for a thousand directions at each length. FID compares the features of 1,000 fakes with those of 1,000 held-out digits, on which nothing has trained. Lower is better. The *floor* is what real digits get, 1,000 against 1,000: the mean of 20 random splits, and their range. (Recall is the share of real digits that some fake comes near.)

# %% tags=["nbval-ignore-output"]
judge = judge_for(PRESETS["laptop"])  # 1,000 held-out digits
floor = "floor: FID {:.1f} ({:.1f} to {:.1f})".format(*judge.floor()["fid"])
print(floor)
directions = nn.functional.normalize(noise(1000, seed=1), dim=1)
by_length = {}
for length in (2, 5, 7, 10, 15, 40):
    by_length[length] = judge.score(draw(directions * length))
    s = by_length[length]
    print(f"‖z‖ = {length:2}: FID {s['fid']:7.1f}, recall {s['recall']:.2f}")
assert by_length[2]["fid"] > 10 * by_length[10]["fid"]
assert by_length[40]["fid"] < 3 * by_length[10]["fid"]

# %% [markdown]
# At length 2 FID is more than ten times that at length 10. At 7 it is 10.6, at 10 10.4, at 15 11.9, and even at 40 it is less than three times that at 10, although training has only ever shown the generator lengths near 10. (A difference that is smaller than the floor's range may be chance.) Remember this for the next section. It is no accident. The first layer, a transposed convolution of a 1×1 input, is just a matrix, so a $z$ twice as long gives an output twice as large; batch normalisation in `eval()` mode multiplies each channel by a fixed number and adds another; and a ReLU of twice the input is twice the output. Once the signal is large beside the added numbers, the length of $z$ changes the contrast along the way and little else, and the Tanh at the end caps that.
#
# ## From one digit to another
#
# Walk from $a$ to $b$ and draw what you pass. The paper did (section 6.1, figure 4), as a test: if the picture jumps, the generator may have memorised pictures; if it changes smoothly and stays plausible, it has learnt something that lies between them.
#
# A straight walk is *linear interpolation* (lerp), $(1-t)\,a + t\,b$. But halfway between two points of a shell one is inside it. Two random directions in 100 dimensions are nearly at right angles, so the middle has length $10/\sqrt2 \approx 7$, where in a hundred thousand draws there was hardly one point. Hence *spherical interpolation* (slerp), which walks along the shell ([White 2016](https://arxiv.org/abs/1609.04468)): with $\omega$ the angle between $a$ and $b$,
#
# $$\operatorname{slerp}(t) = \frac{\sin((1-t)\,\omega)}{\sin\omega}\,a + \frac{\sin(t\,\omega)}{\sin\omega}\,b .$$


# %%
def lerp(a, b, t):
    return (1 - t) * a + t * b


def slerp(a, b, t):
    cosine = nn.functional.cosine_similarity(a, b, dim=-1)[..., None]
    omega = torch.arccos(cosine.clamp(-1, 1))
    return (torch.sin((1 - t) * omega) * a + torch.sin(t * omega) * b) / torch.sin(
        omega
    )


a, b = noise(1000, seed=2), noise(1000, seed=3)
for name, walk in (("lerp", lerp), ("slerp", slerp)):
    lengths = [
        f"{walk(a, b, t).norm(dim=1).mean():.1f}" for t in (0, 0.25, 0.5, 0.75, 1)
    ]
    print(f"{name:5} mean length at t = 0, ¼, ½, ¾, 1:", *lengths)

# %%
t = torch.linspace(0, 1, 9)
figure, axes = plt.subplots(6, 9, figsize=(10, 7.2), layout="constrained")
for pair in range(3):
    for kind, walk in enumerate((lerp, slerp)):
        row = axes[2 * pair + kind]
        for ax, image in zip(
            row, draw(walk(a[pair], b[pair], t[:, None])), strict=True
        ):
            ax.imshow(image[0], cmap="gray", vmin=-1, vmax=1)
            ax.set(xticks=[], yticks=[])
        row[0].set_ylabel(walk.__name__, fontsize=12)
for ax, value in zip(axes[0], t.tolist(), strict=True):
    ax.set_title(f"t = {value:.2f}", fontsize=9)
figure.suptitle("Three walks, each straight and on the sphere")
plt.show()

# %% [markdown]
# One digit becomes the other step by step. Can you tell straight from spherical? A thousand midpoints of each kind, judged by 1,000 held-out digits:

# %% tags=["nbval-ignore-output"]
middles = {
    "fresh noise": noise(1000, seed=4),
    "lerp, t = ½": lerp(a, b, 0.5),
    "slerp, t = ½": slerp(a, b, 0.5),
    "lerp of 3": (a + b + noise(1000, seed=4)) / 3,
    "mean of 20": noise(20_000, seed=6).reshape(1000, 20, 100).mean(dim=1),
}
scores = {name: judge.score(draw(z)) for name, z in middles.items()}
print(floor)
for name, s in scores.items():
    length = middles[name].norm(dim=1).mean()
    print(
        f"{name:13} length {length:4.1f}: FID {s['fid']:7.1f}, recall {s['recall']:.2f}"
    )
assert scores["lerp, t = ½"]["fid"] < 2 * scores["fresh noise"]["fid"]
assert scores["mean of 20"]["fid"] > 10 * scores["fresh noise"]["fid"]

# %% [markdown]
# The argument about the shell is right, and yet the straight midpoint of *two* is no disaster. Its FID is 9.2, less than twice that of fresh noise, 10.6; the spherical midpoint has 8.3. Each is one draw of a thousand, so a difference smaller than the floor's range says nothing. Average twenty points and you are far enough inside that it does matter: FID is more than ten times that of fresh noise. (Recall is no praise there. Fakes that lie far apart get large balls, which take in real digits by accident.) Spherical interpolation costs nothing and cannot fall into the hole, so use it; but do not expect it to rescue a bad generator. (One generator and one data set; other architectures forgive less.)
#
# ## Arithmetic
#
# The paper's most famous figure (section 6.3.2): the mean $z$ of three smiling women, minus three neutral women, plus three neutral men, gives a smiling man. With a single face each it was "unstable", with means of three it worked. The paper shows a handful. Digits have an attribute that can be measured, so we can count.
#
# That attribute is *slant*: how far the strokes lean to the right, in pixels sideways for a pixel up. It is a ratio of two moments of the ink.


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
leaning, verdicts = slant(images), judge.classifier(images).softmax(dim=1)
confidence, digit = verdicts.max(dim=1)
show_images(images[leaning.argsort()][::333], "From leaning left to leaning right")
plt.show()


# %% [markdown]
# Now the sum. For two digits, say 7 and 1: a slanted 7, minus an upright 7, plus an upright 1. We hope for a slanted 1. "Slanted" and "upright" are the outer fifths of each digit's fakes (of those that the classifier is sure of).


# %%
def exemplars(which, side, count, random):
    """Noise vectors, means of `count` each, of a digit's slanted or upright fakes."""
    low, high = leaning[digit == which].quantile(torch.tensor([0.2, 0.8]))
    wanted = leaning > high if side == "slanted" else leaning < low
    found = torch.nonzero((digit == which) & wanted & (confidence > 0.9))[:, 0]
    chosen = torch.randint(len(found), (20, count), generator=random)
    return z[found[chosen]].mean(dim=1)


random = torch.Generator().manual_seed(3)
parts = [(7, "slanted"), (7, "upright"), (1, "upright")]
slanted_7, upright_7, upright_1 = (exemplars(*p, 3, random)[:8] for p in parts)
rows = [slanted_7, upright_7, upright_1, slanted_7 - upright_7 + upright_1]
figure, axes = plt.subplots(4, 8, figsize=(9, 5), layout="constrained")
names = ("slanted 7", "− upright 7", "+ upright 1", "=")
for row, name, points in zip(axes, names, rows, strict=True):
    for ax, image in zip(row, draw(points), strict=True):
        ax.imshow(image[0], cmap="gray", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=12)
figure.suptitle("Sums of noise vectors, each the mean of three")
plt.show()

# %% [markdown]
# Eight sums prove little, so count all 90 pairs of digits, 20 sums each. A sum is right if the classifier still sees the digit that was added to, *and* the slant has moved more than half of the way from upright to slanted. And a control that the paper did not have: single vectors give a sum of length $10\sqrt3 \approx 17$, means of three one of length 10, right on the shell. Is it the averaging that helps, or the length? So the sums of single vectors come also shortened to 10.


# %%
def share_right(count, length=None):
    """Of 1,800 sums, the shares with the right digit, the right slant, and both."""
    random, right = torch.Generator().manual_seed(count), []
    for first in range(10):
        for second in set(range(10)) - {first}:
            parts = [(first, "slanted"), (first, "upright"), (second, "upright")]
            plus, minus, start = (exemplars(*p, count, random) for p in parts)
            total = plus - minus + start
            if length:
                total = length * nn.functional.normalize(total, dim=1)
            result = draw(total)
            low, high = leaning[digit == second].quantile(torch.tensor([0.2, 0.8]))
            kept = judge.classifier(result).argmax(dim=1) == second
            right.append(torch.stack([kept, slant(result) > (low + high) / 2]))
    kept, leans = torch.cat(right, dim=1)
    return [x.float().mean().item() for x in (kept, leans, kept & leans)]


# %% tags=["nbval-ignore-output"]
sums = {}
for name, options in {
    "single": (1,),
    "single, length 10": (1, 10),
    "mean of 3": (3,),
    "mean of 10": (10,),
}.items():
    sums[name] = share_right(*options)
    print(
        f"{name:18} digit {{:.0%}}, slant {{:.0%}}, both {{:.0%}}".format(*sums[name])
    )
single, shortened, three, ten = (both for *_, both in sums.values())
assert single < three < ten and abs(single - shortened) < 0.1

# %% [markdown]
# 27% of the sums of single vectors come out right, 45% of the sums of means of three, 63% of those of ten. So the paper's advice holds: average. And it is not the length that helps: single sums shortened to 10 do about as badly as the long ones, and sums of means of ten, which are shorter than 10, do best of all.
#
# Our explanation, which we have not tested: what averaging removes is everything else. One slanted 7 differs from one upright 7 in its slant, and also in thickness, size and shape, and the sum carries all of that over to the 1. The slant mostly arrives, even from single vectors; it is the digit that gets lost on the way. So a few fine pictures in a paper show that it *can* work, and a count shows how often it does.
#
# ## Two directions with a name
#
# Why does it work at all? Because slant is, to a good part, a *linear* function of $z$. Fit a plane to it by least squares, on 4,000 fakes, and test on 1,000 others:


# %%
def direction_of(values):
    """The unit vector along which `values` grow, and R² on the last 1,000 fakes."""
    inputs = torch.cat([z, torch.ones(len(z), 1)], dim=1)
    weights = torch.linalg.lstsq(inputs[:4000], values[:4000, None]).solution[:, 0]
    error = (inputs[4000:] @ weights - values[4000:]).var() / values[4000:].var()
    return nn.functional.normalize(weights[:-1], dim=0), 1 - error.item()


ink = (images.mean(dim=(1, 2, 3)) + 1) / 2
directions = {"slant": direction_of(leaning), "ink": direction_of(ink)}
for name, (_, explained) in directions.items():
    print(f"{name:5} explained by a linear function of z: {explained:.0%}")

# %%
figure, axes = plt.subplots(4, 9, figsize=(10, 5), layout="constrained")
for k, (row, name) in enumerate(
    zip(axes, ["slant", "slant", "ink", "ink"], strict=True)
):
    steps = torch.linspace(-2, 2, 9)
    for ax, step, image in zip(
        row,
        steps.tolist(),
        draw(
            noise(16, seed=0)[[2, 9][k % 2]] + torch.outer(steps, directions[name][0])
        ),
        strict=True,
    ):
        ax.imshow(image[0], cmap="gray", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[], title=f"{step:+.1f}")
    row[0].set_ylabel(name, fontsize=12)
figure.suptitle("Two digits, moved along each of the two directions")
plt.show()

# %% [markdown]
# Of the slant's variance 73% is linear in $z$, of the ink's 73%. One step along a direction, in a space whose points are 10 away from the origin, is a change of handwriting. Two steps are a larger change, and may change the digit. Directions found by regression are not pure; they pass on whatever goes along with slant in these fakes, and nobody has trained the network to keep attributes apart.
#
# ## The noise behind a picture
#
# The generator goes from $z$ to picture. The way back is a search: start somewhere, and let gradient descent change $z$, not the weights, until $G(z)$ resembles the picture ([Creswell and Bharath 2016](https://arxiv.org/abs/1611.05644)). Eight targets are fakes, for which a perfect answer exists. Eight are real digits, held-out ones, for which perhaps none does. The search starts at the most similar of 5,000 fakes, which is also the number to beat.


# %%
def nearest_start(targets):
    """For each target the noise of the fake that is most similar, and that fake."""
    best = torch.cdist(targets.flatten(1), images.flatten(1)).argmin(dim=1)
    return z[best], images[best]


def invert(targets, start, steps=200):
    """Noise whose pictures resemble the targets, and the errors step by step."""
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
figure, axes = plt.subplots(3, 16, figsize=(13, 3.2), layout="constrained")
rows = {"target": targets, "nearest of 5,000": similar, "found": draw(found)}
for row, (name, pictures) in zip(axes, rows.items(), strict=True):
    for ax, image in zip(row, pictures, strict=True):
        ax.imshow(image[0], cmap="gray", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=11)
figure.suptitle("The search for z: eight fakes (left), eight real digits (right)")
plt.show()

for name, part in (("fakes", slice(0, 8)), ("real digits", slice(8, 16))):
    first, last = errors[0, part].median(), errors[-1, part].median()
    print(f"{name:12} median squared error {first:.3f} at the start, {last:.3f} found")
assert errors[-1].median() < 0.5 * errors[0].median()
lengths = found.norm(dim=1)
print(f"lengths of what was found: {lengths.min():.0f} to {lengths.max():.0f}")

# %% [markdown]
# For the fakes the median error falls from 0.103 to 0.002, for the real digits from 0.084 to 0.012. The generator has not trained on these eight digits, so it has not learnt them by heart. (They are eight, so this does not show that it can draw *any* digit.) Look at the middle row, too: the nearest of 5,000 random fakes differs from its target in strokes that the search then finds. Nothing tells the search to stay on the shell: it ends at lengths of 10 to 14.
#
# ## A panel
#
# The two directions on sliders, and a third slider to walk from one digit to the next. The first cell draws a figure in any case. The second shows it with sliders, where widgets work: in JupyterLab, Colab and VS Code, while the notebook runs.


# %%
def draw_point(seed=0, slant=0.0, ink=0.0, walk=0.0):
    """A figure of one point of the latent space, moved along the named directions."""
    start = noise(2, int(seed))
    point = slerp(start[0], start[1], walk)
    point = point + slant * directions["slant"][0] + ink * directions["ink"][0]
    image = draw(point[None])
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 2.9), layout="constrained")
    left.imshow(image[0, 0], cmap="gray", vmin=-1, vmax=1)
    left.set(title=f"length of z: {point.norm():.1f}", xticks=[], yticks=[])
    right.bar(range(10), judge.classifier(image).softmax(dim=1)[0])
    right.set(title="What the classifier sees", xlabel="digit", ylabel="probability")
    right.set(xticks=range(10), ylim=(0, 1))
    return figure


figure = draw_point(seed=0, slant=1.0)
plt.show()


# %%
def as_png(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor="white")
    plt.close(figure)
    return buffer.getvalue()


def slider(name, low, high, step):
    return ipywidgets.FloatSlider(0, min=low, max=high, step=step, description=name)


limits = [
    ("seed", 0, 99, 1),
    ("slant", -3, 3, 0.1),
    ("ink", -3, 3, 0.1),
    ("walk", 0, 1, 0.1),
]
sliders = {name: slider(name, *rest) for name, *rest in limits}
picture = ipywidgets.Image(value=as_png(draw_point()))


# %% tags=["nbval-ignore-output"]


def follow(_):
    values = {name: slider.value for name, slider in sliders.items()}
    picture.value = as_png(draw_point(**values))


for each in sliders.values():
    each.observe(follow, "value")
display(ipywidgets.VBox([*sliders.values(), picture]))
before = picture.value
sliders["slant"].value = 1.0
assert picture.value != before  # the picture follows the slider

# %% [markdown]
# ## What `eval()` does
#
# Everything above was drawn in `eval()` mode, where batch normalisation uses the averages that it kept in training. In training mode it takes mean and spread from the batch at hand, so a picture depends on its companions. (The article draws its samples in training mode, but has its batch norms commented out.) Does it show? The same 1,000 noise vectors, in batches of several sizes:

# %% tags=["nbval-ignore-output"]
training = copy.deepcopy(generator).train()


def draw_in_batches(z, size):
    return torch.cat([training(part[:, :, None, None]) for part in z.split(size)])


usual, found = draw(z[:1000]), {}
print(floor)
for size in (None, 2, 8, 32, 250):
    pictures = draw_in_batches(z[:1000], size) if size else usual
    moved = (pictures - usual).abs().mean().item()
    digits_kept = judge.classifier(pictures).argmax(1) == digit[:1000]
    found[size] = judge.score(pictures)["fid"], moved
    name = f"train(), batches of {size}" if size else "eval()"
    print(f"{name:23} FID {found[size][0]:5.1f}, a pixel moves by {moved:.3f}", end="")
    print(f", the same digit in {digits_kept.float().mean():.0%}")
assert found[2][1] > found[32][1] > found[250][1] > 0

# %% [markdown]
# For the quality of the whole it matters little: FID is 10.4 in `eval()` mode, 9.3 to 9.7 in batches of 8 or more, and 9.9 in pairs. These differences are small beside the floor's range. For the single picture it does matter. In pairs the classifier reads 13% of the pictures as another digit, because of the companion; in batches of 250 it is 2%. So training mode costs less quality than meaning: the picture is no longer a function of $z$ alone, and no walk, sum or search on this page could be repeated exactly.
#
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | Interpolations pass through a grey or empty picture | the points are means of many, far inside the shell | slerp, or rescale to length $\sqrt{d}$ |
# | All samples of a trained generator look alike, or are black | a $z$ near 0, or `torch.rand` (0 to 1) instead of `torch.randn` | draw noise as in training |
# | A sum of noise vectors gives another digit | single exemplars carry everything else about their picture too | average several; check with a classifier |
# | Inverting a real picture ends in another digit | the search found a nearby valley | start from several points, keep the best |
# | The same noise gives another picture in another batch | training mode | `generator.eval()` |
# | The panel shows sliders, but nothing moves | the notebook is displayed, not run | run it; the kernel does the drawing |
#
# ## Summary
#
# 1. Noise of 100 dimensions lies in a shell of radius 10, practically nowhere else. Near the origin this generator draws nothing: FID is more than ten times as large at length 2 as at 10. Outside the shell it grows far less: less than threefold up to length 40.
# 2. Halfway, a straight walk is at length 7, a spherical one at 10. For this generator the straight midpoints have less than twice the FID of fresh noise, means of twenty points more than ten times.
# 3. Arithmetic on noise works for slant in 27% of the sums of single vectors and in 63% of those of means of ten. Averaging helps, the length does not. Slant is largely linear in $z$.
# 4. Gradient descent on $z$ comes much nearer to a picture than any of 5,000 samples: to a fiftieth of the error for fakes, to a seventh for held-out digits.
# 5. A slider is a direction. In training mode a picture depends on its companions: with one companion, 13% are read as another digit.
#
# ## Exercises
#
# **1.** What is the mean length of the mean of $n$ independent noise vectors in $d$ dimensions, for large $d$? Write it as a function; the check draws some.


# %%
def mean_length(n, d):
    return None  # your code


def check_length(answer):
    if answer(1, 100) is None:
        return "not answered yet"
    for n, d in ((1, 100), (2, 100), (3, 400), (20, 100)):
        drawn = torch.randn(500, n, d, generator=torch.Generator().manual_seed(n))
        if abs(answer(n, d) - drawn.mean(dim=1).norm(dim=1).mean()) > 0.03 * d**0.5:
            return f"not yet: {answer(n, d)} for n = {n}, d = {d}"
    return "right"


print("exercise 1:", check_length(mean_length))

# %% [markdown]
# **2.** `slerp` divides by $\sin\omega$. For which two kinds of pairs is that 0? Write `safe_slerp`, which falls back on `lerp` where the angle is nearly 0. (Opposite vectors have no shortest arc; leave them.) Like `slerp`, it should take batches.


# %%
def safe_slerp(a, b, t):
    return slerp(a, b, t)  # your code


def check_slerp(answer):
    same = answer(z[0], z[0], 0.5)
    if not torch.allclose(same, z[0], atol=1e-4):
        return "not yet: from a point to itself"
    usual = torch.allclose(answer(z[:4], z[4:8], 0.3), slerp(z[:4], z[4:8], 0.3))
    return "right" if usual else "not yet: elsewhere it must still be slerp"


print("exercise 2:", check_slerp(safe_slerp))

# %% [markdown]
# **3.** Find the direction of another attribute, for instance the height of the ink's centre of gravity, or the probability that the classifier sees a hole (a 0, 6, 8 or 9). Is it linear? `direction_of` tells.
#
# **Next:** [notebook 11](11_color_and_mode_collapse.ipynb) adds colour, and counts how many of a thousand kinds of picture a generator forgets.

# %%
# Spoilers! For the tests: the checks above accept the right answers.
assert check_length(lambda n, d: (d / n) ** 0.5) == "right"
assert check_length(lambda n, d: d**0.5).startswith("not yet")


def right_slerp(a, b, t):
    near = nn.functional.cosine_similarity(a, b, dim=-1)[..., None] > 0.9999
    return torch.where(near, lerp(a, b, t), slerp(a, b, t))


assert check_slerp(right_slerp) == "right"
assert check_slerp(lerp).startswith("not yet: elsewhere")
