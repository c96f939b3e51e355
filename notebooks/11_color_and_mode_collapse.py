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
# # 11 · Colour, and how to count what a generator forgets
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/11_color_and_mode_collapse.ipynb)
#
# Three channels instead of one: a single changed number. It also opens the best-known test of variety there is. Put three digits into one picture, as red, green and blue, and there are exactly 1,000 kinds of picture. How many does a generator draw?
#
# **In this notebook you will**
#
# 1. turn the DCGAN into one for colour by one changed value, and see what it costs;
# 2. build stacked MNIST and count the kinds in real data first;
# 3. count the kinds that trained generators draw, and compare with published figures;
# 4. try a published remedy for mode collapse, and measure it;
# 5. train on a folder of colour pictures, and know how to do it with CelebA.
#
# **You need** the two networks (notebooks 03, 04) and the training loop (07) as ideas. **Time:** read 20 min, run 3 min on a laptop (the study behind it took more than half an hour; its results come with the package).
#
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
import inspect
import math
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median

import matplotlib.cbook
import matplotlib.pyplot as plt
import torch
from PIL import Image

from dcgan_helpers import run_folder
from dcgan_helpers.data import StackedImages, load_dataset, scale_images
from dcgan_helpers.figures import show_images
from dcgan_helpers.hyperparameters import PLAIN, preset
from dcgan_helpers.networks import Discriminator, Generator, generate
from dcgan_helpers.quality.classifier import load_classifier
from dcgan_helpers.quality.tables import SEEDS
from dcgan_helpers.studies import read_results
from dcgan_helpers.studies import stacked as study
from dcgan_helpers.training import train

# %% [markdown]
# ## One changed value
#
# The article keeps the number of channels in one constant, `CHANNELS_IMG`, and says why: so that the same code can be trained on colour pictures later. Ours is `image_channels`. It changes the last layer of the generator and the first of the discriminator, and nothing else:

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
# A thousand more weights in more than a million: colour is nearly free. What it costs is data worth looking at.
#
# ## A thousand kinds of picture
#
# *Stacked MNIST* takes three digits at random and makes them the red, green and blue of one picture ([Metz et al. 2017](https://arxiv.org/abs/1611.02163), section 3.3.1). Where they overlap the colours mix: red and green give yellow, all three give white.

# %%
digits = load_dataset("mnist-5k").images
stacked = StackedImages(digits, count=26_000)
some = scale_images(stacked[list(range(16))], 3)
show_images(some, "Sixteen real stacks")
plt.show()
print("a stack:", tuple(stacked[0].shape), stacked[0].dtype)
print(
    "the same as the three digits:",
    torch.equal(stacked[0], digits[stacked.chosen[0], 0]),
)

# %% [markdown]
# The kind of a stack is a number from 0 to 999: its three digits, read red, green, blue. The classifier of notebook 08 reads them, one channel at a time. That is the whole measurement, and it has a weakness to keep in mind: a classifier always answers with some digit, also when there is none.

# %%
print(inspect.getsource(study.digit_triples))
classifier, accuracy = load_classifier()
print(f"the classifier is right on {accuracy:.1%} of held-out digits,", end=" ")
print(f"so on about {accuracy**3:.0%} of stacks")
print("kinds of the first eight:", study.digit_triples(some[:8], classifier).tolist())

# %% [markdown]
# Then two numbers for a set of pictures. *Modes covered*: how many of the 1,000 kinds occur at all. And, since one picture of a kind counts as much as fifty, the distance of the shares $p_k$ from equal ones:
#
# $$\mathrm{KL}(p \,\|\, \text{uniform}) = \sum_k p_k \ln \frac{p_k}{1/1000}$$
#
# It is 0 for equal shares, and $\ln 1000 = 6.91$ when all pictures are of one kind.
#
# <details><summary><b>Predict first:</b> what do 5,000 <em>real</em> stacks give: 1,000 modes and a KL of 0?</summary>
#
# Neither. With 5 pictures a kind on average, $e^{-5} = 0.7\%$ of the kinds do not come up, some 7 of 1,000. And random counts are uneven: KL is about $999/(2 \cdot 5000) = 0.10$. As ever, know the floor before you judge.
# </details>

# %% tags=["nbval-ignore-output"]
h = preset()
is_small = h != preset("laptop")  # the tests do less of everything
counts = (500, 1000) if is_small else (1000, 5000, 26_000)
kinds_of_real = torch.cat(
    [
        study.digit_triples(
            scale_images(stacked[torch.arange(start, start + 500)], 3), classifier
        )
        for start in range(0, max(counts), 500)
    ]
)
for count in counts:
    covered, kl = study.modes_and_kl(kinds_of_real[:count])
    print(f"{count:6,} real stacks: {covered:5,} modes, KL {kl:.3f}", end="")
    print(f"; roughly {999 / (2 * count):.3f} by chance alone")
assert covered > 300 and kl < 2
assert is_small or covered == 1000

# %% [markdown]
# Srivastava et al. and Lin et al. count 26,000 fakes (below), and so do we. There the floor is 1,000 modes and a KL of about 0.02.
#
# ## How many does a generator draw?
#
# The study trained on 25,600 stacks, with both networks of width 8, for 1,264 steps of 64 (a little more than three passes), three seeds each. It is older than the held-out digits: its stacks were made of all 5,000 embedded digits. Today `stacked-mnist` is made of the 4,000 to train with, as are the real stacks above. The command is `python -m dcgan_helpers study stacked`. The first line is the plain DCGAN; the second has a published remedy, of which more below.

# %%
table = read_results("stacked")
print(f"{'':8}{'632 steps':22}1,264 steps")
print(f"{'':8}{'modes in 5,000':22}{'modes in 26,000':22}KL")
for setting in study.SETTINGS:
    runs = table[table["setting"] == setting]
    early, last = (runs[runs["step"] == step] for step in (632, 1264))
    kl = ", ".join(f"{kl:.2f}" for kl in last["kl"])
    found = [part["modes"].tolist() for part in (early, last)]
    print(f"{setting:8}{found[0]!s:22}{found[1]!s:22}{kl}")

# %% [markdown]
# (Three seeds a cell, in the same order. The two columns of modes count different numbers of fakes, so compare down, not across.)
#
# So by this count the plain DCGAN has hardly any collapse to cure here: after three passes 969 to 980 of the 1,000 kinds occur. What is missing is in the shares: a KL of 0.5 instead of 0.02 means that some kinds are drawn far more often than others.
#
# The generators of the first seed come with the package. What they draw, and a count of your own:

# %% tags=["nbval-ignore-output"]
figure, axes = plt.subplots(2, figsize=(8, 5.6), layout="constrained")
count = 500 if is_small else 5000
for ax, setting in zip(axes, study.SETTINGS, strict=True):
    generator = run_folder.load_generator(study.folder_of(setting))
    kinds = study.drawn_triples(generator, count, classifier)
    covered, kl = study.modes_and_kl(kinds)
    title = f"{setting}: {covered} modes in {count:,} fakes, KL {kl:.2f}"
    fakes = generate(generator, 500)
    show_images(fakes[:16], title, ax)
    with torch.no_grad():
        verdicts = classifier(fakes.flatten(0, 1).unsqueeze(1)).softmax(dim=1)
    sure = (verdicts.max(dim=1).values > 0.9).reshape(-1, 3)
    print(f"{setting:7} sure of {sure.float().mean():.0%} of the single digits", end="")
    print(f", of all three in {sure.all(dim=1).float().mean():.0%} of the stacks")
plt.show()
assert 0 < covered <= 1000

# %% [markdown]
# Look before you trust a count. The classifier is sure of all three digits in 6% and 8% of these stacks. The others are counted as *some* kind all the same, and unclear pictures scatter over the kinds, which fills gaps and lowers KL. So 978 modes say "not collapsed"; they do not say "a thousand kinds of digits, well drawn". The published figures below are made in this way too, by the largest output with no threshold, as far as we could read the authors' code. That is one reason to read modes as a test of collapse (one kind, ten, a hundred), not as a measure of quality.
#
# ## Beside the published figures
#
# | source | DCGAN: modes | KL | with packing of two | set-up |
# | --- | --- | --- | --- | --- |
# | [Srivastava et al. 2017](https://arxiv.org/abs/1705.07761), table 2 | 99 | 3.4 | – | 28×28; five runs, no spread given |
# | [Lin et al. 2018](https://arxiv.org/abs/1712.04086), table 2 | 78.9 ± 6.5 | 4.50 ± 0.13 | 1000 ± 0, KL 0.06 | 28×28; 128,000 stacks, 50 epochs of batch 64, two generator steps a discriminator step; ten runs |
# | Lin et al. 2018, table 3 | 78.5 ± 17.6 | 5.21 ± 0.19 | 484.5 ± 33.0, KL 2.61 | tiny networks, discriminator ¼ of the generator, 500,000 steps; fifty runs |
# | Lin et al. 2018, table 3 | 487.7 ± 34.6 | 2.24 ± 0.15 | 840.7 ± 15.9, KL 1.00 | the same with a discriminator of ½ |
# | [Metz et al. 2017](https://arxiv.org/abs/1611.02163), ¼ and ½ | 30.6 ± 20.7, 628.0 ± 140.9 | 5.99, 2.58 | – | the same tiny networks; as quoted by Lin et al. |
#
# (± is the standard error of the mean in Lin et al. We read these tables in the authors' repositories, [PacGAN](https://github.com/fjxmlzn/PacGAN) and [VEEGAN](https://github.com/akashgit/VEEGAN); what ± means in Metz et al. we did not check.)
#
# "The DCGAN covers 99 modes" is quoted in many papers, and in this table alone the figures run from 31 to 628. They are not measurements of one thing. Size of the discriminator, steps for each player, resolution, range of the pixels, and budget all differ, and the spread over seeds is large. Ours differ too: 64×64 pixels, 5,000 digits (Lin et al., table 2: 70,000), one step for each player (there: two for the generator), a moving average, batch normalisation throughout, and 1,264 steps against 100,000 or 500,000. So compare our lines with each other, not with theirs.
#
# ## A published remedy: show the discriminator two at a time
#
# A discriminator that sees one picture at a time gives every copy the same score. Repetition shows only in what it has learnt over many steps; then it rejects that picture, all copies are pushed the same way together, and the generator hops to the next. *Packing* ([Lin et al. 2018](https://arxiv.org/abs/1712.04086)) gives it two pictures at once, either both real or both fake, as one picture of six channels. Two equal pictures side by side give repetition away at once. In code it is a new first layer and a reshape:

# %%
print(inspect.getsource(study.PackedDiscriminator.forward))
packed = study.PackedDiscriminator(2, 3, 8)
print("32 pictures give", packed(torch.zeros(32, 3, 64, 64)).shape[0], "logits")
plain = sum(p.numel() for p in Discriminator(3, 8).parameters())
both = sum(p.numel() for p in packed.parameters())
print(f"parameters: {plain:,} without packing, {both:,} with")

# %% tags=["nbval-ignore-output"]
last = table[table["step"] == max(study.SCORED_STEPS)]
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
for ax, column, limit in ((left, "modes", 1000), (right, "kl", math.log(1000))):
    for y, setting in enumerate(study.SETTINGS):
        values = last[last["setting"] == setting][column].tolist()
        ax.plot(values, [y] * len(values), "o", ms=9, alpha=0.7, color=f"C{y}")
        ax.plot(median(values), y, "|", ms=24, mew=2, color="black")
    ax.axvline(limit, color="grey", ls="--")
    ax.set_yticks(range(len(study.SETTINGS)), study.SETTINGS)
    ax.set_ylim(-0.5, len(study.SETTINGS) - 0.5)
left.set(title="Modes covered (dashed: all 1,000)", xlabel="modes", xlim=(-20, 1040))
right.set(title="KL to equal shares (dashed: one mode only)", xlabel="KL (nats)")
plt.show()
assert len(last) == len(study.SETTINGS) * len(SEEDS)

# %% [markdown]
# It does not help here. All three seeds with packing cover fewer kinds than all three without, with a KL that is larger, and at 632 steps they were far behind. There was no collapse to cure, and packing has a price: of 64 pictures the discriminator gives 32 verdicts a step, and its first layer must learn to look at two at a time. Lin et al. trained some eighty times as many steps, on a set-up that did collapse. Whether packing would overtake with more training we have not measured. A remedy is worth its price where there is a disease, so measure that first.
#
# ## Any folder of colour pictures
#
# You have one photograph installed: matplotlib ships a portrait of Grace Hopper. Three hundred random crops of it make a folder to train on. It is no substitute for a data set; it shows that the way works, from files to samples.

# %%
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name) / "pictures"
folder.mkdir()
photograph = Image.open(matplotlib.cbook.get_sample_data("grace_hopper.jpg"))
random = torch.Generator().manual_seed(0)
for i in range(300):
    side = int(torch.randint(120, 260, (1,), generator=random))
    x = int(torch.randint(photograph.width - side, (1,), generator=random))
    y = int(torch.randint(photograph.height - side, (1,), generator=random))
    photograph.crop((x, y, x + side, y + side)).resize((96, 96)).save(
        folder / f"{i:03}.png"
    )
print(
    photograph.mode,
    photograph.size,
    "cut into",
    len(list(folder.glob("*.png"))),
    "files",
)

# %% tags=["nbval-ignore-output"]
h = replace(
    h,
    **PLAIN,
    dataset="folder",
    image_channels=3,
    generator_features=8,
    discriminator_features=8,
)
h = replace(h, batch_size=30, epochs=1 if is_small else 25, workers=0, max_images=None)
run_dir = train(
    h, Path(temporary.name) / "run", data_root=folder, progress=not is_small
)
pictures = load_dataset("folder", folder, image_channels=3, progress=False)
real = scale_images(torch.stack([pictures[i] for i in range(16)]), 3)
figure, axes = plt.subplots(2, figsize=(8, 5.6), layout="constrained")
show_images(real, "Sixteen crops of the photograph", axes[0])
fakes = generate(run_folder.load_generator(run_dir), 16)
title = f"Sixteen fakes after {h.epochs} passes over 300 crops"
show_images(fakes, title, axes[1])
plt.show()
assert fakes.shape == (16, 3, 64, 64)

# %% [markdown]
# Colours and patches of dark and light have come through from files to fakes; for anything one would call a picture this is far too little data and training.
#
# **CelebA, step by step**, for who has it (we did not, so nothing below has been run by us):
#
# 1. Read the terms on [its authors' page](https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html) (non-commercial research only) and get `img_align_celeba.zip`, 1.4 GB.
# 2. Unpack it into `data/celeba`. The depth of the folders does not matter.
# 3. `python -m dcgan_helpers train --preset paper --dataset folder --data-root data/celeba --image-channels 3`, on a GPU. Try `--max-images 2000 --epochs 2 --generator-features 16 --discriminator-features 16` first: it finds whatever is wrong in minutes.
# 4. Watch the samples in TensorBoard. After a disconnection, `python -m dcgan_helpers resume RUN_DIR --data-root data/celeba`.
# 5. `python -m dcgan_helpers sample RUN_DIR`. The command `evaluate` refuses colour: its classifier knows digits. For faces the field uses FID with Inception's features (`torchmetrics` has it, with `torch-fidelity` installed; it downloads them).
#
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | `expected images of shape N×1×64×64, received …×3×64×64` | `image_channels` was changed in one place only | one constant for data and both networks |
# | Colour pictures come out grey | `image_channels` is still 1: the folder is converted | `--image-channels 3` |
# | Few modes, and the pictures are no digits either | not collapse: it has not learnt yet. A classifier always answers with some digit | look at the pictures before you count |
# | All 1,000 modes, and poor pictures | one picture is enough for a mode, and unclear ones scatter over all kinds | count again among those that the classifier is sure of |
# | KL above 6.91 in a paper | another definition, or the other direction | compare only where both are stated |
# | A batch of odd size with packing | the last picture has no partner | leave it out, as here, or drop the last batch |
#
# ## Summary
#
# 1. Colour is one changed value: the last layer of the generator and the first of the discriminator.
# 2. In 26,000 real stacks all 1,000 kinds occur, with a KL of about 0.02; in fewer there are gaps by chance alone.
# 3. The plain DCGAN covers 969 to 980 kinds after 1,264 steps, with unequal shares, and in few of its stacks are all three digits clear: the count is a test of collapse, not of quality. Published figures for "the DCGAN" run from 31 to 628 in set-ups that all differ.
# 4. Packing two pictures for the discriminator does not help here: three seeds of three cover fewer kinds. There was no collapse to cure.
# 5. Any folder of pictures trains by the same command; for real photographs bring a GPU.
#
# ## Exercises
#
# **1.** A generator draws only 99 of the 1,000 kinds, but these equally often. What is its KL? Put it into `answer`. (The published pair is 99 and 3.4. What does that tell about its shares?)

# %%
answer = None


def check_kl(answer):
    if answer is None:
        return "not answered yet"
    _, kl = study.modes_and_kl(torch.arange(99).repeat(1000))
    return "right" if abs(answer - kl) < 0.005 else "not yet"


print("exercise 1:", check_kl(answer))

# %% [markdown]
# **2.** Write the number of kinds that $n$ draws leave out on average when all $K$ kinds are equally likely. Exactly, not as an approximation.


# %%
def left_out(n, K):
    return None  # your code


def check_left_out(answer):
    if answer(10, 10) is None:
        return "not answered yet"
    random = torch.Generator().manual_seed(0)
    for n, K in ((5, 2), (1000, 1000), (5000, 1000)):
        draws = torch.randint(K, (400, n), generator=random)
        missing = sum(K - len(draw.unique()) for draw in draws) / len(draws)
        if abs(answer(n, K) - missing) > max(0.05, 0.1 * missing):
            return f"not yet: {answer(n, K):.1f} for {n}, {K}; counted {missing:.1f}"
    return "right"


print("exercise 2:", check_left_out(left_out))

# %% [markdown]
# **3.** Pack three instead of two (`PackedDiscriminator(3, …)` in a `Trainer` of your own, after the pattern of `studies.stacked.Packed`). What happens to a batch of 64, and what to the modes?
#
# **Next:** that is the last of the experiments. [Notebook 12](12_faster.ipynb) asks where the time goes, and what each speed-up costs.

# %%
# Spoilers! For the tests: the checks above accept the right answers.
temporary.cleanup()
assert check_kl(math.log(1000 / 99)) == "right" and check_kl(3.4) == "not yet"
assert check_left_out(lambda n, K: K * (1 - 1 / K) ** n) == "right"
assert check_left_out(lambda n, K: K * math.exp(-n / K)).startswith("not yet")
assert check_left_out(lambda n, K: K - n if n < K else 0).startswith("not yet")
