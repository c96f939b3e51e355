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
# # 13 · Draw me a 7: classes
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/13_conditional.ipynb)
#
# Nobody can ask a plain DCGAN for a 7. A class beside the noise changes that, with four lines in each network and a minute of training.
#
# **In this notebook you will**
#
# 1. tell both networks the class of an image;
# 2. draw the number that you ask for;
# 3. see what the class decides and what the noise decides;
# 4. compare labels, clusters and two discriminators;
# 5. let a classifier learn digits from fakes alone.
#
# **You need** the networks (03, 04), the loop (07), FID and its floor (08). **Time:** read 46 min, run 3 min on a laptop.

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
import io
from dataclasses import replace

import ipywidgets
import matplotlib.pyplot as plt
import torch
from IPython.display import HTML, display
from PIL import Image
from torch import nn
from torchvision.utils import make_grid

from dcgan_helpers import exercises, networks, run_folder
from dcgan_helpers.data import cluster, load_dataset, scale_images, to_bytes
from dcgan_helpers.figures import show_images
from dcgan_helpers.hyperparameters import PRESETS, preset
from dcgan_helpers.networks import Discriminator, Generator
from dcgan_helpers.quality.judge import judge_for, learning_from, table
from dcgan_helpers.studies import conditional, read_results
from dcgan_helpers.training import train

# %% [markdown]
# ## The generator: a one-hot vector beside the noise
#
# A class is a number, here from 0 to 9. The *one-hot vector* of class 7 has ten numbers: 1 at place 7 and 0 elsewhere. The generator gets it beside the noise, so its first layer has 110 input channels instead of 100. Nothing else changes. A GAN that is told a class is called *conditional* ([Mirza and Osindero 2014](https://arxiv.org/abs/1411.1784)).
#
# **Exercise 13.1.** Write `ClassGenerator`, a generator of `count` classes. Noise is `N×latent_dim×1×1`, and `classes` are `N` whole numbers. `sizes` go on to `Generator`.


# %% tags=["exercise"]
class ClassGenerator(Generator):
    """The generator of notebook 03, whose input is noise and a class."""

    def __init__(self, latent_dim, count, **sizes):
        # BEGIN SOLUTION
        super().__init__(latent_dim + count, **sizes)
        self.count = count
        # END SOLUTION

    def forward(self, z, classes):
        # BEGIN SOLUTION
        one_hot = nn.functional.one_hot(classes, self.count)[:, :, None, None]
        return super().forward(torch.cat([z, one_hot], dim=1))
        # END SOLUTION


ClassGenerator = exercises.class_generator(ClassGenerator)

# %%
torch.manual_seed(0)
mine, helper = ClassGenerator(100, 10, features=8), Generator(features=8, classes=10)
helper.layers.load_state_dict(mine.layers.state_dict())
z, classes = torch.randn(4, 100, 1, 1), torch.tensor([7, 7, 3, 0])
images = mine.eval()(z, classes)
print("images:", tuple(images.shape))
same = torch.equal(images, helper.eval()(z, classes))
print("the helper's generator does the same:", same)

# %% [markdown]
# ## The discriminator: a projection on the class
#
# The discriminator must judge two things: does this look like a real image, and does it fit the class? Without the second question the generator could ignore the class.
#
# The best possible logit is a sum of two terms ([Miyato and Koyama 2018](https://arxiv.org/abs/1802.05637)):
#
# $$\log\frac{q(x)}{p(x)} + \log\frac{q(y \mid x)}{p(y \mid x)}$$
#
# Here $x$ is the image, $y$ its class, $q$ the distribution of real images and $p$ that of fakes. The first term is the plain discriminator's logit. The second compares two classifiers. If both are linear in the same features $\phi(x)$, it is, up to a constant of each image, an inner product $\langle v_y, \phi(x)\rangle$: a *projection* on a learnt vector $v_y$ of the class. We take the last maps, $8f \times 4 \times 4$, for $\phi(x)$.


# %%
class ClassDiscriminator(Discriminator):
    """The discriminator of notebook 04, which sees an image and its class."""

    def __init__(self, count, **sizes):
        super().__init__(**sizes)
        self.vectors = nn.Parameter(
            0.02 * torch.randn(count, 8 * sizes["features"], 4, 4)
        )

    def forward(self, images, classes):
        maps = self.layers[:-1](images)
        projection = (self.vectors[classes] * maps).sum(dim=(1, 2, 3), keepdim=True)
        return self.layers[-1](maps) + projection / 4


mine, helper = ClassDiscriminator(10, features=8), Discriminator(features=8, classes=10)
helper.layers.load_state_dict(mine.layers.state_dict())
helper.projections.weight.data = mine.vectors.data
images = torch.randn(4, 1, 64, 64)
logits = mine.eval()(images, classes)
print("logits:", tuple(logits.shape))
same = torch.allclose(logits, helper.eval()(images, classes), atol=1e-5)
print("the helper's discriminator does the same:", same)

# %% [markdown]
# The helper writes the projection as one more convolution with a filter for each class, of which it picks an image's own. The result is the same. The division by 4 slows the learning of the vectors down; other factors were tried, and no clear difference was seen.
#
# The loop of notebook 07 changes in one way. Each real image comes with its label. The fakes of a step get the same labels as its real images, so classes are as common among fakes as among real images.

# %% [markdown]
# ## Train it
#
# The preset `digits` has the networks of the preset `laptop` and these lines. Its recipe differs in three ways. Each real digit is stretched, slanted and moved at random, by about 4%, because 4,000 digits are few. The generator learns at a rate of 0.002 and the discriminator at 0.001. And 22 epochs are enough. These choices were made by trial, with other seeds and another classifier than those that judge below. `python -m dcgan_helpers train --preset digits` runs the same.

# %% tags=["nbval-ignore-output"]
is_small = preset() != preset("laptop")  # the tests do less of everything
h = replace(preset(), classes="labels") if is_small else PRESETS["digits"]
run_dir = train(h, "runs/13_conditional", overwrite=True)
generator = run_folder.load_generator(run_dir)
discriminator = run_folder.load_discriminator(run_dir)
seconds = sum(1 / r["images_per_second"] for r in run_folder.read_training(run_dir))
print("classes:", generator.classes)
assert generator.classes == discriminator.classes == 10 and seconds > 0

# %% [markdown]
# <details><summary><b>Predict first:</b> the table below has a row for each class and a column for each noise vector. What will the images of one column have in common?</summary>
#
# The style: slant, thickness, size. The class has taken over which digit it is, so the noise is left with the rest.
# </details>


# %%
def draw(z, classes):
    """Images N×1×64×64 of noise N×100 and classes N, without gradients."""
    with torch.no_grad():
        return generator(z[:, :, None, None], classes)


def noise(count, seed):
    random = torch.Generator().manual_seed(seed)
    return torch.randn(count, generator.latent_dim, generator=random)


columns, every_class = noise(8, seed=1), torch.arange(10)
grid = draw(columns.repeat(10, 1), every_class.repeat_interleave(8))
figure, ax = plt.subplots(figsize=(7, 8.6), layout="constrained")
show_images(grid, "A row has one class, a column has one noise vector", ax)
ax.set_yticks([33 + 66 * n for n in range(10)], range(10))
ax.set(ylabel="class", xlabel="noise")
plt.show()
assert grid.shape == (80, 1, 64, 64)

# %% [markdown]
# ## What the noise decides
#
# Is the style of a column really shared, or do we see what we expect? Measure the slant, as in notebook 10: how far the strokes lean, in pixels sideways for a pixel up. Draw a 1 and a 7 from the same noise, 500 times, and correlate their slants. The control draws the 7 from other noise.


# %%
def slant(images):
    """How far the ink of each image leans to the right, in pixels for a pixel up."""
    ink = (images[:, 0] + 1) / 2
    ink = ink / ink.sum(dim=(1, 2), keepdim=True).clamp(min=1e-6)
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    dx = x - (ink * x).sum(dim=(1, 2), keepdim=True)
    dy = y - (ink * y).sum(dim=(1, 2), keepdim=True)
    return -(ink * dx * dy).sum(dim=(1, 2)) / (ink * dy * dy).sum(dim=(1, 2))


def correlation(a, b):
    return torch.corrcoef(torch.stack([a, b]))[0, 1].item()


# %% tags=["nbval-ignore-output"]
z = noise(500, seed=2)
leaning = {n: slant(draw(z, torch.full((500,), n))) for n in range(10)}
pairs = [(a, b) for a in range(10) for b in range(a)]
same_noise = [correlation(leaning[a], leaning[b]) for a, b in pairs]
other_noise = [correlation(leaning[a], leaning[b].roll(1)) for a, b in pairs]
for name, found in (("the same", same_noise), ("other", other_noise)):
    low, middle, high = torch.tensor(found).quantile(torch.tensor([0.0, 0.5, 1.0]))
    print(f"{name:8} noise: slants correlate {middle:.2f} ({low:.2f} to {high:.2f})")
assert len(pairs) == 45 and max(map(abs, other_noise)) < 0.3

# %% [markdown]
# With the same noise the slants of two classes correlate 0.92, with other noise 0.13 (medians of the 45 pairs). So the noise carries the slant over from class to class, although nobody asked for that. (One training run. All pairs use the same 500 noise vectors, so the 45 values are not independent.)

# %% [markdown]
# ## Your number
#
# Any row of classes is a number. On the command line it is `python -m dcgan_helpers sample RUN_DIR --classes 2026`.

# %%
number = "2026"
digits = torch.tensor([int(digit) for digit in number])
figure, axes = plt.subplots(3, figsize=(6, 5.2), layout="constrained")
for seed, ax in enumerate(axes):
    show_images(draw(noise(len(digits), seed), digits), "", ax)
    ax.set_ylabel(f"seed {seed}", rotation=0, ha="right", va="center")
axes[0].set_title(f"{number}, from three seeds")
plt.show()

# %% [markdown]
# Now with buttons. Press a digit and it is added to the number; *other noise* draws all digits anew. Buttons work while the notebook runs, in JupyterLab, Colab and VS Code.


# %%
def as_png(images):
    """The bytes of a PNG with images in one row."""
    picture = make_grid(images, nrow=len(images), normalize=True, value_range=(-1, 1))
    buffer = io.BytesIO()
    Image.fromarray(to_bytes(2 * picture - 1).permute(1, 2, 0).numpy()).save(
        buffer, "png"
    )
    return buffer.getvalue()


shown = ipywidgets.Image(value=as_png(draw(noise(1, 0), torch.tensor([7]))), height=80)
state = {"digits": [7], "seed": 0}


def press(button):
    if button.description.isdigit():
        state["digits"] = [*state["digits"], int(button.description)][-8:]
    else:
        state["seed"] += 1
    images = draw(
        noise(8, state["seed"])[: len(state["digits"])], torch.tensor(state["digits"])
    )
    shown.value = as_png(images)


# %% tags=["nbval-ignore-output"]
buttons = [
    ipywidgets.Button(description=str(name), layout=ipywidgets.Layout(width=width))
    for name, width in [*((n, "40px") for n in range(10)), ("other noise", "100px")]
]
for button in buttons:
    button.on_click(press)
display(ipywidgets.VBox([ipywidgets.HBox(buttons), shown]))
buttons[3].click()
assert state["digits"] == [7, 3] and len(buttons) == 11

# %% [markdown]
# ## Between two classes, between two noise vectors
#
# Training has shown the generator one-hot vectors only. Nothing forbids others: half of a 3 and half of an 8 is a vector, too. So a walk from class to class needs no more than a mean of two vectors.


# %%
def blend(z, first, second, share):
    """Images of noise z, between two classes: 0 is the first, 1 the second."""
    one_hot = nn.functional.one_hot(
        torch.tensor([first, second]), generator.classes
    ).float()
    mixed = torch.lerp(one_hot[:1], one_hot[1:], share).expand(len(z), -1)
    with torch.no_grad():
        return generator.layers(torch.cat([z, mixed], dim=1)[:, :, None, None])


shares = torch.linspace(0, 1, 9)
start, end = noise(2, seed=1)  # the first two columns of the table above
strips = {
    "3 to 8": torch.cat([blend(start[None], 3, 8, share) for share in shares]),
    "1 to 7": torch.cat([blend(start[None], 1, 7, share) for share in shares]),
    "4 to 9": torch.cat([blend(start[None], 4, 9, share) for share in shares]),
    "noise, all 5": draw(
        torch.stack([torch.lerp(start, end, share) for share in shares]),
        torch.full((9,), 5),
    ),
}

# %%
figure, axes = plt.subplots(4, 9, figsize=(9, 4.2), layout="constrained")
for row, (name, images) in zip(axes, strips.items(), strict=True):
    for ax, image in zip(row, images, strict=True):
        ax.imshow(image[0], cmap="gray", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name, rotation=0, ha="right", va="center")
figure.suptitle("Three walks between classes, and one between noise vectors")
plt.show()

# %% [markdown]
# No walk in the figure has a jump. Halfway between two classes stands a figure that is neither, and yet drawn in strokes. Between noise vectors the digit stays a 5 and its style changes.
#
# The same as an animation: through all ten classes and back to 0, eight noise vectors at once.

# %% tags=["nbval-ignore-output"]
eight = noise(8, seed=5)
frames = []
for first in range(10):
    for share in [0, 0, 0, 0.25, 0.5, 0.75]:
        images = blend(eight, first, (first + 1) % 10, share)
        frames.append(Image.open(io.BytesIO(as_png(images))).convert("P"))
buffer = io.BytesIO()
options = {"save_all": True, "append_images": frames[1:], "duration": 100, "loop": 0}
frames[0].save(buffer, "gif", **options)
text = base64.b64encode(buffer.getvalue()).decode()
words = "Eight digits that turn from 0 to 9 and back to 0, each in its own style"
display(HTML(f'<img src="data:image/gif;base64,{text}" alt="{words}" width="532">'))
assert len(frames) == 60 and len(text) < 600_000

# %% [markdown]
# ## How good are they?
#
# The table of notebook 08, with two rows more. *Right class*: the share of fakes that the classifier reads as the digit that was asked for. *Learnt from* is the *classification accuracy score* ([Ravuri and Vinyals 2019](https://arxiv.org/abs/1905.10887)). A new classifier learns from 4,000 fakes alone and never sees a real digit. Then it is tested on 1,000 held-out real digits. Beside it stands a classifier that learnt from as many real digits.

# %% tags=["nbval-ignore-output"]
judge = judge_for(h)
fakes, asked = judge.draw(generator)
scores, known, floor = (
    judge.score(fakes, asked),
    judge.against_known(fakes),
    judge.floor(),
)
scores["learnt"], floor["learnt"] = learning_from(generator, h, "data")
print(table(scores, known, floor))
assert 0 <= scores["right"] <= 1 and floor["right"][0] > 0.95
assert is_small or (scores["right"] > 0.97 and scores["learnt"] > 0.9)

# %% [markdown]
# (The values that follow are of the run stored here.) FID is 4.5, a little below the floor's mean of 4.9. The floor's range is wide, because random halves of the digits hold unequal numbers of each class. These fakes hold each class equally often, as the held-out digits do. Against trained-on digits FID is 4.3. That difference is smaller than the floor's range, so it may be chance. Recall is 83%, below the floor's 87% to 92%, so some variety is missing.

# %% [markdown]
# The classifier reads 99.5% of the fakes as the digit that was asked for. That is more than of the real held-out digits (98.6%): the fakes are clearer than some real digits. A classifier that has learnt from fakes alone is right on 97.2% of the real ones, one that has learnt from real digits on 98.5%. So the fakes teach nearly all that there is to know, and not all.

# %% [markdown]
# ## A wrong class on purpose
#
# <details><summary><b>Predict first:</b> the discriminator has seen 4,000 digits with their labels for 22 epochs. Give it held-out digits with a wrong class. Does it call them fakes? And which of the ten projections of an image is the largest: that of its class?</summary>
#
# It hardly notices, and the largest projection is no classifier. The text below the output says why.
# </details>

# %% tags=["nbval-ignore-output"]
held_out = load_dataset("mnist-5k", labels=True, held_out=True)
real = networks.with_noise(scale_images(held_out.images), h.instance_noise)
with torch.no_grad():
    right = discriminator(real, held_out.classes).flatten()
    wrong = discriminator(real, (held_out.classes + 1) % 10).flatten()
    best = (
        discriminator.projections(discriminator.layers[:-1](real)).flatten(1).argmax(1)
    )
accuracy = (best == held_out.classes).float().mean()
for logits, words in ((right, "with their own class"), (wrong, "with the next class")):
    print(f"real digits called real {words}: {(logits > 0).float().mean():.0%}")
print(f"its largest projection is the right class for {accuracy:.0%}")
assert is_small or right.mean() > wrong.mean()

# %% [markdown]
# The formula explains it. The second term of the best logit compares two classifiers: one for real images, one for fakes. When fakes fit their classes as well as real images do, the two are equal, and the term is 0. ([Han et al. 2021](https://arxiv.org/abs/2108.09016) describe a projection as such a difference.) And wrong pairs never occur in training: real images come with their labels, and fakes with the class that was asked for. What the discriminator says of other pairs, nobody has taught it.

# %% [markdown]
# ## Two ways to tell the class, and none
#
# The older way gives the discriminator the class as ten channels more: the channel of an image's own class is all 1, the others are all 0 ([Mirza and Osindero 2014](https://arxiv.org/abs/1411.1784), for convolutions). Which is better? `python -m dcgan_helpers study conditional` trained both, and the same without classes, for the same number of steps in 32 bits, with three seeds.

# %%
results = read_results("conditional")
settings = list(conditional.SETTINGS)
figure, axes = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained", sharey=True)
floor_fid = judge_for(PRESETS["digits"]).floor()["fid"]
for ax, name in zip(axes, ("fid", "sure", "right"), strict=True):
    for seed, own in results.groupby("seed"):
        values = own.set_index("setting")[name].reindex(settings)
        ax.plot(values, range(len(settings)), "o-", label=f"seed {seed}", lw=0.8)
axes[0].axvspan(*floor_fid[1:], color="grey", alpha=0.3, label="floor")
axes[0].set(title="FID (lower is better)", xlabel="FID", xscale="log")
axes[1].set(title="Sure (higher is better)", xlabel="share of fakes")
axes[2].set(title="Right class", xlabel="share of fakes")
axes[0].set_xticks((5, 10, 20, 50), ("5", "10", "20", "50"))
axes[0].minorticks_off()
axes[0].set_yticks(range(len(settings)), settings)
axes[0].invert_yaxis()
axes[0].legend()
plt.show()

# %%
figure, axes = plt.subplots(4, figsize=(9, 4.6), layout="constrained")
for ax, setting in zip(axes, settings, strict=True):
    ax.imshow(plt.imread(conditional.picture(setting)))
    ax.set(xticks=[], yticks=[])
    ax.set_ylabel(setting.replace(", ", ",\n"), rotation=0, ha="right", va="center")
figure.suptitle("Ten fakes of the first seed each; with labels, from 0 to 9")
plt.show()
columns = ["fid", "recall", "sure", "right"]
print(results.groupby("setting", sort=False)[columns].median().round(3).to_string())

# %% [markdown]
# Any class helps: without classes FID is twice as high as with clusters, in each seed. That is an effect by the rule of notebook 09. Projection has a lower FID than concatenation in each of the three seeds, 12.8 to 23.4 against 27.2 to 30.4: an effect, too, at these 504 steps. In the share of right classes no difference is seen: one seed of three goes the other way.
#
# What a class gives the discriminator is a guess. Among digits of one class, an unlikely stroke stands out more.

# %% [markdown]
# ## No labels? Clusters
#
# Photographs in a folder have no labels. But any partition into groups of similar images can be the class. The preset `clusters` shrinks each image to 16×16 pixels and lets k-means find 50 groups. What did it find? No label was used, so look, and then compare with the labels.

# %% tags=["nbval-ignore-output"]
images = load_dataset("mnist-5k", labels=True)
found = cluster(images, 50)
largest = found.bincount().argsort(descending=True)[::5].tolist()
figure, axes = plt.subplots(10, figsize=(7, 8.4), layout="constrained")
for ax, group in zip(axes, largest, strict=True):
    members = torch.nonzero(found == group)[:, 0]
    eight = members[
        torch.linspace(0, len(members) - 1, 8).long()
    ]  # all through the set
    show_images(scale_images(images.images[eight]), "", ax)
    ax.set_ylabel(f"{len(members)} images", rotation=0, ha="right", va="center")
figure.suptitle("Ten of the 50 clusters, eight images each")
plt.show()
purest = sum(images.classes[found == n].bincount().max().item() for n in range(50))
print(f"share of images with the commonest digit of their cluster: {purest / 4000:.0%}")
assert purest / 4000 > 0.7

# %% [markdown]
# K-means found shapes, not digits: how slanted, how thick, how round. Many clusters hold one digit in one style, and others mix digits of similar shape, such as 4 and 9. If each cluster were named after its commonest digit, 81% of the images would have the right name. The study above shows what that is worth to a generator.

# %% [markdown]
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | The class changes nothing | only the generator gets it | tell the discriminator, too |
# | Every class looks alike, and sharp | labels and images were shuffled apart | shuffle pairs; print a batch with its labels |
# | `one_hot` complains of a class | classes count from 1, or a class is missing in a small set | count from 0; give the number of classes |
# | Rare classes stay bad | the generator draws classes equally often, the data does not | draw classes as common as they are |
# | Fine images, FID far above the floor | each class has too little variety | look at recall; more images or distortion |
# | A digit cannot be asked for | the run has no classes | `train --preset digits` |

# %% [markdown]
# ## Summary
#
# 1. The generator gets a one-hot vector beside the noise. The discriminator adds a projection on the class to its logit. That is all.
# 2. The class decides which digit is drawn, and the noise decides its style: slants of two classes from the same noise correlate 0.92.
# 3. A mean of two one-hot vectors is a valid input, so walks between classes cost nothing. The images between are drawn in strokes and belong to neither class.
# 4. In this study projection had a lower FID than concatenation, and both a lower one than no classes. Clusters did no worse than labels by concatenation.
# 5. A classifier that learnt from fakes alone was right on 97% of held-out digits, one that learnt from real digits on 98.5%.

# %% [markdown]
# ## Exercises
#
# Exercise 13.1 stands above.
#
# **13.2.** *Explore.* Train with `--classes clusters --cluster-count 10` and with 200, three seeds each. What happens to FID, and why? Write down beforehand what you expect. (There is a floor for the size of a cluster.)

# %% [markdown] tags=["solution"]
# **What counts in an answer to 13.2** (we have not run it): a prediction with a reason, the table of six runs beside the floor, a difference only where all three seeds agree, and a guess that is called a guess.

# %% [markdown]
# **Next:** [notebook 14](14_after_dcgan.ipynb), what came after the DCGAN. Or train on your own images: `python -m dcgan_helpers train --preset clusters --dataset folder --data-root my_pictures`.
