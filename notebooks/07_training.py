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
# # 7 · Training: two networks, two optimisers, one loop
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/07_training.ipynb)
#
# The loop on this page teaches a network to draw digits.
#
# **In this notebook you will**
#
# 1. follow one training step and its gradients;
# 2. write the loop, and train;
# 3. average the generator's weights;
# 4. leave batch norm out, and see training fail;
# 5. test that the helper's loop is the same.
#
# **You need** notebooks 00, 03, 04 and 06. **Time:** read 56 min, run 5 min on a laptop.

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
import itertools
import math
import shutil
import traceback
from dataclasses import asdict, replace
from pathlib import Path

import matplotlib.pyplot as plt
import tensorboard.manager
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn
from torch.utils.tensorboard import SummaryWriter
from torchvision.utils import make_grid
from tqdm.auto import tqdm

from dcgan_helpers import exercises, run_folder
from dcgan_helpers.arithmetic import choose_precision, memory_format
from dcgan_helpers.data import load_dataset, make_loader, scale_images
from dcgan_helpers.figures import show_images
from dcgan_helpers.hyperparameters import PLAIN, preset
from dcgan_helpers.networks import Discriminator, Generator, initialize_weights
from dcgan_helpers.training import train

# %% [markdown]
# All numbers of a run are in one object. `preset()` gives the series' settings for a laptop. `PLAIN` changes them to the plainest loop. The cell prints what changes.

# %% tags=["nbval-ignore-output"]
usual, h = preset(), replace(preset(), **PLAIN)
is_small = usual != preset("laptop")  # the tests do less of everything
h = h if is_small else replace(h, epochs=31)
has_gpu = torch.accelerator.is_available()
device = torch.accelerator.current_accelerator() if has_gpu else torch.device("cpu")
precision = choose_precision(h.precision, device, report=print)
print(f"\n{'':24}{'preset':16}this page")
for (name, before), now in zip(asdict(usual).items(), asdict(h).values(), strict=True):
    if before != now:
        print(f"{name:24}{before!s:16}{now}")
assert precision in ("fp32", "bf16")

# %% [markdown]
# Some processors are faster with 16-bit numbers (`bf16`) than with 32-bit numbers (`fp32`). So the helper times both. *Channels-last* is a memory layout: all channels of a pixel are stored together. The loop is the same either way.
#
# ## The real images
#
# A batch comes as bytes from 0 to 255. The generator ends in a Tanh, so real images are scaled to $[-1, 1]$ too (notebook 06).

# %%
images = load_dataset(h.dataset, max_images=h.max_images)
order = torch.Generator()  # a source of random numbers for shuffling, not our generator
loader = make_loader(images, h.batch_size, order)

order.manual_seed(h.seed)
batch = next(iter(loader))
real = scale_images(batch)
print("as loaded:", batch.dtype, "N ×", tuple(batch.shape[1:]))
print("scaled:   ", real.dtype, "from", real.min().item(), "to", real.max().item())
show_images(real[:32], "32 real digits, 28×28 pixels resized to 64×64")
plt.show()


# %% [markdown]
# ## Two networks, two optimisers
#
# Both networks start with random weights, as in the [DCGAN paper](https://arxiv.org/abs/1511.06434). The seed makes a run repeatable on one machine. Another processor may round differently.


# %%
def new_players(seed=h.seed, batch_norm=True):
    torch.manual_seed(seed)
    generator = Generator(h.latent_dim, 1, h.generator_features, batch_norm)
    discriminator = Discriminator(1, h.discriminator_features, batch_norm)
    for network in (generator, discriminator):
        initialize_weights(network)
        network.to(device, memory_format=memory_format(precision, device))
    opt_gen = torch.optim.Adam(generator.parameters(), h.learning_rate, h.betas)
    opt_disc = torch.optim.Adam(discriminator.parameters(), h.learning_rate, h.betas)
    return generator, discriminator, opt_gen, opt_disc


generator, discriminator, opt_gen, opt_disc = new_players()

for name, network, optimizer in [
    ("generator", generator, opt_gen),
    ("discriminator", discriminator, opt_disc),
]:
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    own = {id(p) for p in network.parameters()}
    print(f"the {name}'s optimiser holds its parameters and no others:", held == own)

# %% [markdown]
# There are two optimisers, because the two networks minimise different losses. Each optimiser changes its own network only.
#
# ## One step, taken apart
#
# **First half: the discriminator learns.** It sees a batch of real images $x$ and as many fakes $G(z)$. Its loss is binary cross-entropy on logits, with labels 1 and 0 (notebook 00):
#
# $$L_D = -\tfrac12\,\Big(\operatorname{mean}\,\log D(x) + \operatorname{mean}\,\log\big(1 - D(G(z))\big)\Big)$$
#
# <details><summary><b>Predict first:</b> what is this loss before any training, roughly?</summary>
#
# About $\ln 2 \approx 0.69$. An untrained discriminator can only guess, so $D$ is near ½ for all images.
# </details>

# %%
bce = nn.BCEWithLogitsLoss()
real = real.to(device)
z = torch.randn(len(real), h.latent_dim, 1, 1, device=device)
fake = generator(z)
print("noise N ×", tuple(z.shape[1:]), "becomes images N ×", tuple(fake.shape[1:]))


# %% [markdown]
# **What `detach` does.** PyTorch remembers how the generator made the fakes. So the backward pass of $L_D$ would also compute gradients for the generator. `fake.detach()` is the same images without this memory, and the gradient stops there.


# %%
def reached(loss):
    """Run the backward pass of a loss and name the networks that got gradients."""
    players = {"generator": generator, "discriminator": discriminator}
    for network in players.values():
        network.zero_grad()
    loss.backward()
    return [
        name
        for name, network in players.items()
        if any(p.grad is not None for p in network.parameters())
    ]


for name, shown in [("with detach:   ", fake.detach()), ("without detach:", fake)]:
    logits = discriminator(shown)
    print(name, reached(bce(logits, torch.zeros_like(logits))))

# %% [markdown]
# Without `detach`, a whole backward pass through the generator is computed and not used. It also frees the graph of the fakes, which the second half needs (exercise 07.3).
#
# **Exercise 07.1.** Write `discriminator_loss(discriminator, real, fake)`: the mean of both halves, one number. Let no gradient reach the generator.


# %% tags=["exercise"]
def discriminator_loss(discriminator, real, fake):
    # BEGIN SOLUTION
    logits_real = discriminator(real)
    logits_fake = discriminator(fake.detach())
    loss_real = bce(logits_real, torch.ones_like(logits_real))
    loss_fake = bce(logits_fake, torch.zeros_like(logits_fake))
    return (loss_real + loss_fake) / 2
    # END SOLUTION


discriminator_loss = exercises.discriminator_loss(discriminator_loss)

# %%
untrained = discriminator_loss(discriminator, real, fake).item()
print("untrained loss within 0.2 of ln 2:", abs(untrained - math.log(2)) < 0.2)

# %% [markdown]
# **Second half: the generator learns.** The updated discriminator sees the same fakes again, now with the label 1. This is the non-saturating loss (notebook 00):
#
# $$L_G = -\operatorname{mean}\,\log D(G(z))$$
#
# Its gradient must pass through the discriminator. It also reaches the discriminator's weights, and these gradients must not be used. Either clear them before the discriminator's next step, as the article does, or do not compute them.


# %%
def generator_loss(discriminator, fake):
    logits = discriminator(fake)
    return bce(logits, torch.ones_like(logits))


print("as it is:          ", reached(generator_loss(discriminator, generator(z))))
discriminator.requires_grad_(False)
print("weights held fixed:", reached(generator_loss(discriminator, generator(z))))

# %% [markdown]
# **Both networks are updated on every batch.** The article says that `backward` comes once an epoch. Its code calls it in every batch, as ours does.
#
# <details><summary>What the article's counter counts</summary>
#
# It grows each time the code logs: at batches 0, 100, 200, 300 and 400 of each epoch. An epoch of 60,000 images in batches of 128 has 469 batches. So "step 3" is batch 300 of the first epoch, and comes after 301 updates. "Step 21" is batch 100 of the fifth epoch, after $4 \cdot 469 + 101 = 1{,}977$ updates. In [the article's last figure](https://github.com/YuehChun/ithome_30days_2022_AI/blob/main/Images/D28-3.png) the fakes are labelled step 21. The 39 in the text is the label of the real images.
#
# The last batch of an epoch has 96 images, and the article's code still draws noise for 128. Ours draws noise for `len(real)`.
# </details>
#
# ## The loop
#
# One step is the two halves in a row, on the same fakes.
#
# **Exercise 07.2.** Write `training_step`: one update of both networks, first of $D$, then of $G$, on the same fakes. It returns both losses as numbers (`item()`).


# %% tags=["exercise"]
def training_step(generator, discriminator, opt_gen, opt_disc, real, z):
    # BEGIN SOLUTION
    fakes = generator(z)
    loss_disc = discriminator_loss(discriminator, real, fakes)
    opt_disc.zero_grad()
    loss_disc.backward()
    opt_disc.step()

    loss_gen = generator_loss(discriminator, fakes)  # the discriminator just updated
    opt_gen.zero_grad()
    loss_gen.backward()
    opt_gen.step()
    return loss_disc.item(), loss_gen.item()
    # END SOLUTION


training_step = exercises.training_step(training_step)

# %% [markdown]
# The second backward pass leaves gradients in $D$ that nobody uses. `zero_grad` clears them before its next step. Around the step, `autocast` lets the networks compute in the precision chosen above.

# %%
autocast = torch.autocast(
    device.type, torch.bfloat16, enabled=precision == "bf16", cache_enabled=False
)


def train_step(generator, discriminator, opt_gen, opt_disc, real):
    z = torch.randn(len(real), h.latent_dim, 1, 1, device=device)
    with autocast:
        return training_step(generator, discriminator, opt_gen, opt_disc, real, z)


# %% [markdown]
# <details><summary>Why <code>cache_enabled=False</code>?</summary>
#
# By default, autocast makes one 16-bit copy of each weight and uses it for real images and for fakes. Then both gradients are added in 16 bits. Without the copy they are added in 32 bits.
# </details>
#
# ## The moving average
#
# Each step changes the generator, and so the image that it makes from one noise. A second copy of the weights, the *moving average* $\bar\theta$, changes more slowly. After each step with weights $\theta$,
#
# $$\bar\theta \leftarrow s\,\bar\theta + (1 - s)\,\theta,$$
#
# with $s$ = 0.99 here (`ema_decay`). The weights of $k$ steps ago then count with $(1 - s)\,s^k$. So $\bar\theta$ is a mean over about $1/(1 - s) = 100$ steps. The gradient never uses $\bar\theta$: it is for drawing only. In code these are three lines:


# %%
@torch.no_grad()
def update_average(average, generator, share):
    now = generator.state_dict().values()  # weights, and running statistics
    for old, new in zip(average.state_dict().values(), now, strict=True):
        if old.is_floating_point():  # all but batch norm's counter of batches
            old.lerp_(new, 1 - share)


# %% [markdown]
# The first weights are useless and should be forgotten soon. So the loop takes $s = n/(9 + n)$ at step $n$ while this is less than 0.99.
#
# ## Something to watch
#
# `fixed_noise` is drawn once. Each image made from it changes only if the generator changes. Two TensorBoard writers, for real and fake, use the same names, so TensorBoard shows their images side by side.
#
# `draw` switches to `eval()` and back. Then an image does not depend on the others of its batch (notebook 03).

# %%
logs = Path("runs/07_training/plain")
shutil.rmtree(logs.parent, ignore_errors=True)
writer_real, writer_fake = SummaryWriter(logs / "real"), SummaryWriter(logs / "fake")
random = torch.Generator().manual_seed(h.seed)
fixed_noise = torch.randn(32, h.latent_dim, 1, 1, generator=random).to(device)


@torch.no_grad()
def draw(generator):
    generator.eval()
    fake = generator(fixed_noise)
    generator.train()
    return fake


# %%
@torch.no_grad()
def watch(step, real):
    """Log images and scores; return fakes of the generator and of the average."""
    fake = draw(generator)
    discriminator.eval()
    for writer, x in [(writer_real, real[:32]), (writer_fake, fake)]:
        grid = make_grid(x, normalize=True, value_range=(-1, 1))
        writer.add_image("images", grid, step)
        writer.add_scalar("score", discriminator(x).sigmoid().mean(), step)
    discriminator.train()
    return fake.cpu(), draw(average).cpu()


def to_network(batch):
    """A batch as the networks take it: scaled, on the device, in its memory layout."""
    return scale_images(batch.to(device)).contiguous(
        memory_format=memory_format(precision, device)
    )


# %% [markdown]
# Now train, with new networks:

# %% tags=["nbval-ignore-output"]
players = generator, discriminator, opt_gen, opt_disc = new_players()
average = copy.deepcopy(generator)
total = h.epochs * len(loader)
early = min(300, total // 2)  # the article's first figure
history, pictures, step = [], {}, 0

with tqdm(total=total, unit="step") as bar:
    for epoch in range(h.epochs):
        order.manual_seed(h.seed + epoch)
        for batch in loader:
            real = to_network(batch)
            history.append(train_step(*players, real))
            step += 1
            update_average(average, generator, min(h.ema_decay, step / (9 + step)))
            if step % h.log_every == 0 or step in (early, len(loader), total):
                pictures[step] = watch(step, real)
            bar.set_postfix_str("loss D {:.2f}, loss G {:.2f}".format(*history[-1]))
            bar.update()

writer_real.close()
writer_fake.close()
assert step == total
assert all(math.isfinite(value) for losses in history for value in losses)
print(f"{total:,} updates of each network, {h.epochs} epochs")

# %% [markdown]
# ## What it learnt
#
# <details><summary><b>Predict first:</b> what do the fakes look like after 300 updates, less than five epochs?</summary>
#
# They have a black background and thick strokes, as all real images have. Few are digits. In the article's early image, "nothing can be seen".
# </details>

# %% tags=["nbval-ignore-output"]
for name, moment in [("Early", early), ("Late", total)]:
    show_images(pictures[moment][0], f"{name}: fakes after {moment:,} updates")
    plt.show()
assert all(
    x.shape == (32, 1, 64, 64) and x.abs().max() <= 1
    for pair in pictures.values()
    for x in pair
)

# %% [markdown]
# Early, the background is black and strokes are thick, and about a third of the fakes can be read. Late, most of the 32 can be read. Each place has the same noise in both grids.
#
# Now compare the generator with its moving average:

# %% tags=["nbval-ignore-output"]
moments = list(range(h.log_every, total + 1, h.log_every))
shown = [*moments[:6:2], *moments[-5:]]
figure, axes = plt.subplots(4, len(shown), figsize=(10, 5.2), layout="constrained")
for row, ax_row in enumerate(axes):
    which, kind = row // 2, ("generator", "average")[row % 2]
    for ax, moment in zip(ax_row, shown, strict=True):
        image = pictures[moment][row % 2][which, 0].float()
        ax.imshow(image, cmap="gray", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[])
    ax_row[0].set_ylabel(f"$z_{which + 1}$\n{kind}")
for ax, moment in zip(axes[0], shown, strict=True):
    ax.set_title(f"step {moment:,}", fontsize=11)
figure.suptitle(
    "Two noise vectors, early and late: the generator and its moving average"
)
plt.show()
changes = {}
for kind, name in enumerate(("generator", "moving average")):
    late = torch.stack([pictures[moment][kind].float() for moment in moments[-5:]])
    changes[name] = late.diff(dim=0).abs().mean()
    print(f"{name:15} mean change of a pixel, column to column: {changes[name]:.3f}")
assert is_small or changes["moving average"] < changes["generator"]

# %% [markdown]
# Late, the strokes of the generator's fakes change from column to column. Those of the moving average change less. The printed numbers say the same: pixels range from -1 to 1. How much it improves the fakes is exercise 3 of notebook 08.

# %% tags=["nbval-ignore-output"]
figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for name, losses in zip(
    ["discriminator", "generator"], zip(*history, strict=True), strict=True
):
    (line,) = ax.semilogy(range(1, total + 1), losses, lw=0.5, alpha=0.35)
    smooth = torch.tensor(losses).unfold(0, 25, 1).mean(dim=1)  # mean of 25 steps
    ax.semilogy(range(13, 13 + len(smooth)), smooth, color=line.get_color(), label=name)
ax.axhline(math.log(2), color="black", ls="--", label="ln 2: $D$ only guesses")
ax.axvline(early, color="grey", ls=":", label="the early fakes")
ax.set(xlabel="step", ylabel="loss (nats)")
ax.set_title("Both losses: each step, and the mean of 25 steps")
ax.legend(loc="lower right")
plt.show()

middle = (early + total) // 2
for first, last in ((1, 40), (early + 1, middle), (middle + 1, total)):
    part = torch.tensor(history[first - 1 : last]).mean(dim=0)
    print(f"steps {first:,} to {last:,}:", end=" ")
    print(
        "mean loss of the discriminator {:.2f}, of the generator {:.2f}".format(*part)
    )
assert len(history) == total

# %% [markdown]
# (*Nats* are the units of natural logarithms.) In the first 40 steps the discriminator is far ahead. Then the losses come closer. After the early fakes, the discriminator's mean loss goes from 0.58<!--seen--> to 0.55<!--seen-->, and the generator's from 1.19<!--seen--> to 1.32<!--seen-->. In the same time the fakes become readable. So **neither loss measures progress**: each is measured against a network that changes too.
#
# The article ends with two remarks. Rough shapes come soon, and good digits take long: so it is here. And a DCGAN trains better than a fully connected GAN. [Notebook 09](09_experiments.ipynb) tests that.

# %% [markdown]
# ## The article's choice: no batch normalisation
#
# In the article's code both `BatchNorm2d` lines are comments, and the text does not say why. The paper uses batch norm in both networks (section 3). Here are the first 120 steps with and without it, three seeds each. All else is equal.
#
# <details><summary><b>Predict first:</b> without it, which network is ahead, and what do the fakes look like?</summary>
#
# The discriminator. All fakes become nearly the same image, whatever the noise.
# </details>

# %%
STEPS = 120


def first_steps(batch_norm, seed):
    """The players, $D$'s losses, and the size of the gradient at $G$'s first layer."""
    players = new_players(seed, batch_norm)
    order.manual_seed(seed)
    endless = (batch for _ in itertools.count() for batch in loader)
    losses, sizes = [], []
    for batch in itertools.islice(endless, STEPS):
        losses.append(train_step(*players, to_network(batch))[0])
        sizes.append(next(players[0].parameters()).grad.norm().item())
    return players, losses, sizes


runs = {
    "with": [first_steps(True, seed) for seed in (1, 2, 3)],
    "without": [first_steps(False, seed) for seed in (1, 2, 3)],
}

# %% tags=["nbval-ignore-output"]
figure, axes = plt.subplots(2, 2, figsize=(10, 6), sharex=True, layout="constrained")
for column, (name, results) in zip(axes.T, runs.items(), strict=True):
    for seed, (_, losses, sizes) in enumerate(results, start=1):
        column[0].semilogy(range(1, STEPS + 1), losses, label=f"seed {seed}")
        share = torch.tensor(sizes) / max(sizes)
        column[1].semilogy(range(1, STEPS + 1), share, label=f"seed {seed}")
    column[0].axhline(math.log(2), color="black", ls="--", label="ln 2")
    column[0].set(title=f"{name} batch norm", ylim=(1e-4, 9))
    column[1].set(xlabel="step", ylim=(1e-5, 2))
axes[0, 0].set_ylabel("loss of $D$ (nats)")
axes[1, 0].set_ylabel("gradient at $G$'s first layer,\nshare of the run's largest")
axes[0, 0].legend()
figure.suptitle("The first 120 steps of three seeds")
plt.show()
assert all(losses[-1] < 0.05 for _, losses, _ in runs["without"])

# %% tags=["nbval-ignore-output"]
figure, axes = plt.subplots(2, 6, figsize=(9, 3.6), layout="constrained")
seen = {name: [draw(x[0][0]).float().cpu() for x in r] for name, r in runs.items()}
for row, (name, fakes) in zip(axes, seen.items(), strict=True):
    for i, ax in enumerate(row):
        ax.imshow(fakes[i // 2][i % 2, 0], cmap="gray", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[], title=f"seed {i // 2 + 1}, $z_{i % 2 + 1}$")
    row[0].set_ylabel(f"{name}\nbatch norm")
figure.suptitle(f"Fakes after {STEPS} steps: two noise vectors, three seeds")
plt.show()

real = to_network(next(iter(loader)))[:32].float().cpu()
for name, sets in [("real digits", [real]), *seen.items()]:
    spread = ", ".join(f"{x.std(dim=0).mean():.4f}" for x in sets)
    black = ", ".join(f"{(x.abs() > 0.95).float().mean():.1%}" for x in sets)
    print(f"{name:12} standard deviation {spread}; pixels beyond ±0.95: {black}")
for name, results in runs.items():
    left = ", ".join(f"{sum(s[-20:]) / 20 / max(s):.5f}" for *_, s in results)
    print(f"{name:12} gradient of the last 20 steps, share of the largest: {left}")
assert all(x.std(dim=0).mean() < 0.02 for x in seen["without"])
for *_, sizes in runs["without"]:
    assert is_small or sum(sizes[-20:]) / 20 < 0.01 * max(sizes)

# %% [markdown]
# With batch norm too, $D$ is ahead at first. After 35 to 50 steps the generator catches up. Without batch norm it does not: the loss of $D$ ends below 0.05 from all three seeds.
#
# The 32 fakes of a seed are then nearly one image. A pixel's standard deviation over them is at most 0.0008<!--seen-->, against 0.22<!--seen--> to 0.24<!--seen--> with batch norm. The paper reports the same, one point for all noise, and uses batch norm against it (section 3). Some call it collapse. It is not *mode collapse*, in which good images of a few kinds come out (notebook 11).

# %% [markdown]
# **Why does the generator not recover?** Its loss is large, and the derivative of $-\log D$ by the logit is near −1. Two measurements: where does the gradient get lost, and does the generator recover against a discriminator that no longer learns?


# %%
def gradient_sizes(generator, discriminator, *_):
    """Its norm at the pixels, before the Tanh, and at the generator's first layer."""
    before = generator.layers[:-1](fixed_noise)  # all layers but the Tanh
    pixels, first = before.tanh(), next(generator.parameters())
    loss = generator_loss(discriminator, pixels)
    gradients = torch.autograd.grad(loss, (pixels, before, first))
    return [gradient.norm().item() for gradient in gradients]


def train_alone(generator, discriminator, optimizer, _, steps=60):
    """Train the generator against a fixed discriminator: first and last loss."""
    discriminator.requires_grad_(False)
    losses = []
    for _ in range(steps):
        z = torch.randn(h.batch_size, h.latent_dim, 1, 1, device=device)
        loss = generator_loss(discriminator, generator(z))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses[0], losses[-1]


# %% tags=["nbval-ignore-output"]
print("batch norm   seed   at the pixels   before the Tanh   at the first layer")
passed, alone = {}, {}
for name, results in runs.items():
    sizes = [gradient_sizes(*players) for players, *_ in results]
    for seed, row in enumerate(sizes, start=1):
        print(f"{name:12}{seed:5}{row[0]:16.5f}{row[1]:18.5f}{row[2]:21.5f}")
    passed[name] = [before / pixels for pixels, before, _ in sizes]
print("\nloss of G, trained alone for 60 more steps against a fixed D:")
for name, results in runs.items():
    alone[name] = [train_alone(*players) for players, *_ in results]
    print(f"{name:12}", ", ".join(f"{a:.2f} to {b:.2f}" for a, b in alone[name]))
assert is_small or min(passed["with"]) > 0.1 > 0.01 > max(passed["without"])
assert is_small or max(last for _, last in alone["with"]) < 0.5
assert is_small or all(last > 0.8 * first for first, last in alone["without"])
assert len(passed) == len(alone) == 2

# %% [markdown]
# The gradient gets lost at the Tanh. At the pixels it is not small. Before the Tanh it is less than a hundredth of that, where with batch norm more than a tenth passes. Nearly all pixels are beyond ±0.95, where the slope of the Tanh is below 0.1. In real digits about four fifths are, so black pixels alone are no fault. But here hardly any others are left.
#
# The control: with batch norm, the generator soon has a small loss against the fixed discriminator. Without batch norm its loss hardly changes. So it is not the further learning of $D$ that holds the generator back. Why its fakes become black at all is not tested here.

# %% [markdown]
# ## TensorBoard
#
# The two writers have left their events on disk:

# %%
for side in ("real", "fake"):
    events = EventAccumulator(str(logs / side)).Reload()
    tags = events.Tags()
    print(f"{side}: images {tags['images']}, scalars {tags['scalars']}")
    assert [event.step for event in events.Images("images")][-1] == total

# %% [markdown]
# Because the names are the same, TensorBoard shows real beside fake under *Images*, and both scores in one chart under *Scalars*. The panel is empty in a notebook that is only read, as on GitHub. If it stays empty while you run, open its address in a browser tab.

# %% tags=["nbval-ignore-output"]
# %load_ext tensorboard
# %tensorboard --logdir runs/07_training
assert any("07_training" in server.logdir for server in tensorboard.manager.get_all())

# %% [markdown]
# ## The same loop, for long runs
#
# `python -m dcgan_helpers train` calls `dcgan_helpers.training.train`. Around the same step it has a run folder, checkpoints, several GPUs, and a stop when a loss is not finite. It also has what `PLAIN` switches off, such as a falling learning rate.
#
# From the same seed, it must give the same losses, and the same moving average:

# %%
run_dir = train(
    replace(h, epochs=1, log_every=1, precision=precision),
    logs.with_name("helper"),
    overwrite=True,
    progress=False,
)
names = "loss_discriminator", "loss_generator"
rows = run_folder.read_training(run_dir)
helper = torch.tensor([[row[name] for name in names] for row in rows])
print("one epoch of steps compared:", len(helper) == len(loader))
print("the same losses:", torch.allclose(helper, torch.tensor(history[: len(helper)])))
theirs = draw(run_folder.load_generator(run_dir).to(device)).cpu()
same = torch.allclose(theirs, pictures[len(loader)][1], atol=1e-3)
print("the same fakes of the moving average:", same)

# %% [markdown]
# In the run folder, `generator.safetensors` is the moving average. `generator_raw.safetensors` is the generator after the last step.
#
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | the loss of $D$ goes to 0, all fakes are the same | no batch norm, and weights of standard deviation 0.02 | put it in |
# | `Trying to backward through the graph a second time` | no `detach` in the loss of $D$ | `fake.detach()` |
# | the loss of $D$ never falls below 0.50 | a sigmoid in the network and in `BCEWithLogitsLoss` | return logits (next cell) |
# | `Target size (…) must be the same as input size (…)` | logits are `N×1×1×1`, labels `N` | `torch.ones_like(logits)` |
# | one noise vector gives different images | training mode | `eval()`, and back, as in `draw` |
# | fakes of the moving average stay grey or blurred | a short run, and `ema_decay` near 1 | a smaller decay, or smaller at first |
#
# The third row: with a second sigmoid, the "logit" is a probability. So it is at most 1 for a real image and at least 0 for a fake. The smallest possible loss is:

# %%
best_real = bce(torch.ones(1), torch.ones(1))
best_fake = bce(torch.zeros(1), torch.zeros(1))
print(f"({best_real:.2f} + {best_fake:.2f}) / 2 = {(best_real + best_fake) / 2:.2f}")


# %% [markdown]
# ## Summary
#
# 1. `detach` keeps the gradient of $L_D$ out of the generator. The gradient of $L_G$ passes through the discriminator, whose weights stay fixed.
# 2. The loop updates both networks on every batch: first the discriminator, then the generator, on the same fakes.
# 3. The moving average is for drawing. It changes less from step to step than the generator.
# 4. Without batch norm, $D$ stays ahead from each of three seeds, and all fakes of a seed are nearly the same. The gradient gets lost at the Tanh.
# 5. The helper's `train` gives the same losses and the same moving average.
#
# ## Exercises
#
# Exercises 07.1 and 07.2 stand above.
#
# **07.3.** *Explore.* This cell has both backward passes of a step, without `.detach()`. Which line raises an error? Decide before you look at the output.


# %%
def without_detach():
    generator, discriminator, _, _ = new_players()
    fake = generator(fixed_noise)
    logits = discriminator(fake)
    bce(logits, torch.zeros_like(logits)).backward()
    generator_loss(discriminator, fake).backward()


try:
    without_detach()
except RuntimeError as error:
    line = traceback.extract_tb(error.__traceback__)[1].line
    print(line, "raises:", str(error).split("(")[0])

# %% [markdown]
# **Next:** [notebook 08](08_results.ipynb) measures how good these digits are.
