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
# The two networks are built and neither can do anything. The loop on this page teaches one of them to draw digits, within minutes on a laptop, although nobody ever tells it what a digit is.
#
# **In this notebook you will**
#
# 1. follow one training step and see which network each gradient reaches;
# 2. write the whole loop in plain PyTorch and run it on real digits;
# 3. read the samples, the losses and the scores that it leaves, also in TensorBoard;
# 4. take batch normalisation out, as the article's code does, and watch training fail;
# 5. check that the helper package's `train` is this same loop, step for step.
#
# **You need** the game (notebook 00), and the two networks (03, 04) and the data (06) as ideas; their code is imported. **Time:** read 25 min, run 4 min on a laptop.
#
# *The paper* is [Radford, Metz and Chintala (2016)](https://arxiv.org/abs/1511.06434), which introduced the DCGAN. *Goodfellow et al. (2014)* is [the paper that introduced GANs](https://arxiv.org/abs/1406.2661). *The article* is the one this series retells and corrects, [a reader's notes in Chinese](https://github.com/YuehChun/ithome_30days_2022_AI), day 28, on [a DCGAN for MNIST](https://github.com/aladdinpersson/Machine-Learning-Collection/tree/master/ML/Pytorch/GANs/2.%20DCGAN).
#
# **The game in four lines.** The *generator* $G$ turns noise $z$, 100 numbers drawn from a normal distribution, into an image $G(z)$, a *fake*. The *discriminator* $D$ looks at an image $x$ and gives the probability $D(x)$ that it is real. $D$ is trained to tell real from fake, $G$ is trained to make $D$ wrong. If $G$ drew exactly like the data, $D$ could only toss a coin: $D = \tfrac12$ everywhere, and the game would be over.

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

from dcgan_helpers.arithmetic import choose_precision, memory_format
from dcgan_helpers.data import load_dataset, make_loader, scale_images
from dcgan_helpers.figures import show_images, show_losses
from dcgan_helpers.hyperparameters import PLAIN, preset
from dcgan_helpers.networks import Discriminator, Generator, initialize_weights
from dcgan_helpers.run_folder import read_training
from dcgan_helpers.training import train

# %% [markdown]
# All numbers that decide how a run goes stand in one place. `preset()` gives the ones for a laptop, with 4,000 real MNIST digits to train with. (1,000 more are held out: nothing trains on them, and notebook 08 scores fakes with them.) `PLAIN` sets a constant learning rate of 0.0005 and the paper's momentum, shortens the moving average, and takes out the noise that the preset lays over the discriminator's pictures: what is left is the loop at its plainest. This page has both networks a quarter as wide as the paper's and trains for 31 epochs. (Notebook 05 takes the numbers one by one, and notebook 12 measures additions to them.)

# %% tags=["nbval-ignore-output"]
h = replace(preset(), **PLAIN)
if preset() == preset("laptop"):  # this page's widths and its number of epochs
    h = replace(h, generator_features=16, discriminator_features=16, epochs=31)
has_gpu = torch.accelerator.is_available()
device = torch.accelerator.current_accelerator() if has_gpu else torch.device("cpu")
precision = choose_precision(h.precision, device, report=print)
for name, value in asdict(h).items():
    print(f"{name:28}{value}")
assert precision in ("fp32", "bf16")

# %% [markdown]
# The line about the precision says how this computer likes to calculate. Many processors multiply 16-bit numbers (`bf16`) faster than 32-bit ones (`fp32`), and many others far slower, so the helper timed both. (*Channels-last*, a memory layout that keeps all channels of a pixel together, suits them.) The loop is the same either way.
#
# ## The real images
#
# A batch comes as bytes from 0 to 255. The generator ends in a Tanh, whose range is $[-1, 1]$, so the real images must be brought to that range before the discriminator sees them: bytes it would recognise at once by their size (notebook 06 shows what comes of that).

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
# Both networks start from random weights, drawn as in the paper: the convolutions' from a normal distribution of mean 0 and standard deviation 0.02. Seeding first makes the run repeatable on one machine; it does not promise the same numbers on another processor.


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
# Two optimisers, because the two players want opposite things. One optimiser over all the parameters would minimise a single sum; here each moves its own network and leaves the opponent as it is.
#
# ## One step, taken apart
#
# **First half: the discriminator learns.** It sees a batch of real images $x$ and as many fakes $G(z)$, and learns to score the real ones high and the fakes low. Its loss is binary cross-entropy with targets 1 and 0:
#
# $$L_D = -\tfrac12\,\Big(\operatorname{mean}\,\log D(x) + \operatorname{mean}\,\log\big(1 - D(G(z))\big)\Big)$$
#
# which is the objective of Goodfellow et al. (2014, equation 1), halved and with its sign turned, because optimisers minimise. $D(x)$ is a probability, the sigmoid of the network's output. The network returns the output before the sigmoid, the *logit*, and `BCEWithLogitsLoss` takes the sigmoid and the logarithm together, in a form that stays exact when the probability is so near 0 or 1 that it would be rounded to it.
#
# <details><summary><b>Predict first:</b> before any training, what is the discriminator's loss, roughly?</summary>
#
# It knows nothing, so it scores everything near one half: both logarithms are about $\log \tfrac12$, and the loss is about $\ln 2 \approx 0.69$. Remember this number. It is what a coin toss costs.
# </details>

# %%
bce = nn.BCEWithLogitsLoss()


def discriminator_loss(discriminator, real, fake):
    logits_real = discriminator(real)
    logits_fake = discriminator(fake)
    return (
        bce(logits_real, torch.ones_like(logits_real))
        + bce(logits_fake, torch.zeros_like(logits_fake))
    ) / 2


real = real.to(device)
z = torch.randn(len(real), h.latent_dim, 1, 1, device=device)
fake = generator(z)
print("noise N ×", tuple(z.shape[1:]), "becomes images N ×", tuple(fake.shape[1:]))
untrained = discriminator_loss(discriminator, real, fake).item()
print("untrained loss within 0.2 of ln 2:", abs(untrained - math.log(2)) < 0.2)


# %% [markdown]
# **What `detach` does.** The fakes came out of the generator, so they carry its history: a backward pass from the discriminator's loss would run on through them into the generator's weights, and compute gradients that say how to make the generator *easier to catch*. `fake.detach()` is the same images without the history. The gradient stops there.


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


fake = generator(z)
for name, shown in [("with detach:   ", fake.detach()), ("without detach:", fake)]:
    print(name, reached(discriminator_loss(discriminator, real, shown)))

# %% [markdown]
# Leaving `detach` out would not spoil the result by itself: only the discriminator's optimiser takes a step here, and the generator's gradients are cleared later. It costs time: a whole backward pass through the generator, thrown away. And it breaks the loop below, which uses the same fakes a second time: the first backward pass has freed their history (exercise 1).
#
# **Second half: the generator learns.** The discriminator, now one step wiser, scores the same fakes again. The generator wants them taken for real, so the targets are 1:
#
# $$L_G = -\operatorname{mean}\,\log D(G(z))$$
#
# Here the gradient must run through the discriminator, because that is the only way the generator learns what gives its images away. The article's comment writes `min log(1 - D(G(z))) <-> max log(D(G(z))` as if the two were one. They pull the same way and agree where the game ends, at $D = \tfrac12$, but Goodfellow et al. (2014, section 3) chose the second because early on, when $D(G(z))$ is near 0, the first is nearly flat. A cell shows by how much:

# %%
logit = torch.tensor([-8.0, -2.0, 0.0], requires_grad=True)
(minimax,) = torch.autograd.grad(torch.log(1 - logit.sigmoid()).sum(), logit)
(non_saturating,) = torch.autograd.grad(-torch.log(logit.sigmoid()).sum(), logit)

# minimax: the game's own loss for G. Non-saturating: the one in use. By logit:
print("D(G(z))   gradient of log(1 - D)   gradient of -log D")
for d, a, b in zip(logit.sigmoid(), minimax, non_saturating, strict=True):
    print(f"{d:7.4f} {a:20.4f} {b:20.4f}")


# %% [markdown]
# Both are negative: both say *raise the score*. But where the discriminator is sure that an image is fake, and the generator has most to learn, the first loss hands the discriminator's logit a gradient of 0.0003, the second nearly 1.
#
# On its way to the generator the gradient also reaches the discriminator's weights. Those gradients would teach it to be fooled. They must never be used: either clear them before the discriminator's next step (the article does), or do not compute them at all.


# %%
def generator_loss(discriminator, fake):
    logits = discriminator(fake)
    return bce(logits, torch.ones_like(logits))


print("as it is:          ", reached(generator_loss(discriminator, generator(z))))
discriminator.requires_grad_(False)
print("weights held fixed:", reached(generator_loss(discriminator, generator(z))))

# %% [markdown]
# **Two losses, and neither measures progress.** In ordinary training the loss measures distance to a fixed goal, so lower is better. Here each loss is measured against the other player *as it is at this step*. If the generator's loss rises, the generator may have got worse, or the discriminator better. A discriminator loss near 0 is no triumph: it says that the fakes are easy to spot at this moment. What one hopes for is that neither side wins.
#
# **Both networks move on every batch.** The article says that a GAN runs a whole epoch before `backward` updates anything. Its code does otherwise, and so does ours: `backward` and both `step` calls stand inside the loop over batches. On its 60,000 images and batches of 128, that is 469 updates of each network an epoch, not one. The article's counter `step`, which labels its figures, is something else again: it counts the moments at which it logs, every 100 batches.

# %%
batches = math.ceil(60_000 / 128)
logged = len(range(0, batches, 100))
last = 60_000 - (batches - 1) * 128
print(f"{batches} batches an epoch, the last one of {last} images")
print(f"the counter moves {logged} times an epoch, every 100 batches from batch 0 on")
for counter in (3, 21, 39):
    epoch, batch_index = counter // logged, 100 * (counter % logged)
    update = epoch * batches + batch_index + 1
    print(f"step {counter}: epoch {epoch + 1}, batch {batch_index}, update {update:,}")

# %% [markdown]
# So the article's early picture, "3 steps", was taken after about 300 batches, and its late one, "39 steps", would be after nearly 3,700. Would be: in [its screenshot](https://github.com/YuehChun/ithome_30days_2022_AI/blob/main/Images/D28-3.png) the 39 stands over the *real* images, and the fakes above them are labelled step 21, update 1,977. This page trains for 31 epochs of 63 updates, which is 1,953. So both of our pictures are taken at nearly the same updates as the article's. (Our batches are half as large: 64 images, not 128.)
#
# The first line of that output shows one more thing: the last batch is short. The article draws noise for 128 images even then, so 96 real images meet 128 fakes. Each of the two losses is a mean of its own, so nothing breaks, but code that pairs real with fake would. Noise for `len(real)` images keeps the sides equal.
#
# ## The loop
#
# One step, as a function. It is the two halves from above with nothing added but `autocast`, which lets the networks calculate in the precision chosen at the top. (About `cache_enabled=False`: usually autocast makes one 16-bit copy of each weight and uses it for real and for fake, so the two gradients are added up in 16 bits, that is, in two to three digits. Without the cache they are added up in 32.)

# %%
autocast = torch.autocast(
    device.type, torch.bfloat16, enabled=precision == "bf16", cache_enabled=False
)


# %%
def train_step(generator, discriminator, opt_gen, opt_disc, real):
    z = torch.randn(len(real), h.latent_dim, 1, 1, device=device)

    # The discriminator: max log D(x) + log(1 - D(G(z)))
    with autocast:
        fake = generator(z)
        loss_disc = discriminator_loss(discriminator, real, fake.detach())
    opt_disc.zero_grad()
    loss_disc.backward()
    opt_disc.step()

    # The generator: max log D(G(z)), through the discriminator just updated
    discriminator.requires_grad_(False)
    with autocast:
        loss_gen = generator_loss(discriminator, fake)
    opt_gen.zero_grad()
    loss_gen.backward()
    opt_gen.step()
    discriminator.requires_grad_(True)
    return loss_disc.item(), loss_gen.item()


# %% [markdown]
# Next, something to watch. `fixed_noise` is drawn once: the same 32 noise vectors are turned into images again and again, so that any change in the pictures is the generator's doing. Two TensorBoard writers, one for real and one for fake, write under the *same* names, and TensorBoard lays what shares a name side by side.
#
# To draw pictures the generator is switched to `eval()` and back, so that a sample does not depend on the other 31 in its batch (notebook 03 shows what changes if you forget), and so is the discriminator for scoring them.

# %%
logs = Path("runs/07_training/plain")
shutil.rmtree(logs.parent, ignore_errors=True)
writer_real, writer_fake = SummaryWriter(logs / "real"), SummaryWriter(logs / "fake")
fixed_noise = torch.randn(
    32, h.latent_dim, 1, 1, generator=torch.Generator().manual_seed(h.seed)
).to(device)


# %%
@torch.no_grad()
def draw(generator):
    generator.eval()
    fake = generator(fixed_noise)
    generator.train()
    return fake


@torch.no_grad()
def watch(step, real):
    fake = draw(generator)
    discriminator.eval()
    for writer, x in [(writer_real, real[:32]), (writer_fake, fake)]:
        writer.add_image(
            "images", make_grid(x, normalize=True, value_range=(-1, 1)), step
        )
        writer.add_scalar("score", discriminator(x).sigmoid().mean(), step)
    discriminator.train()
    return fake.cpu()


# %%
def to_network(batch):
    """A batch as the networks take it: scaled, on the device, in its memory layout."""
    return scale_images(batch.to(device)).contiguous(
        memory_format=memory_format(precision, device)
    )


# %% [markdown]
# And the loop itself. It starts from fresh networks, since the ones above have been experimented on.

# %% tags=["nbval-ignore-output"]
generator, discriminator, opt_gen, opt_disc = new_players()
total = h.epochs * len(loader)
early = min(300, total // 2)  # the article's first figure
history, pictures, step = [], {}, 0

with tqdm(total=total, unit="step") as bar:
    for epoch in range(h.epochs):
        order.manual_seed(h.seed + epoch)
        for batch in loader:
            real = to_network(batch)
            history.append(
                train_step(generator, discriminator, opt_gen, opt_disc, real)
            )
            step += 1
            if step % h.log_every == 0 or step in (early, total):
                pictures[step] = watch(step, real)
            bar.set_postfix_str("loss D {:.2f}, loss G {:.2f}".format(*history[-1]))
            bar.update()

writer_real.close()
writer_fake.close()
assert step == total and all(
    math.isfinite(value) for losses in history for value in losses
)
print(f"{total:,} updates of each network, {h.epochs} epochs")

# %% [markdown]
# ## What it learnt
#
# <details><summary><b>Predict first:</b> what will the generator draw after 300 updates, less than five passes over the digits?</summary>
#
# The size, the black border and the thickness of strokes come first, for every image shares them. Which strokes belong together comes later. The article could make out nothing in its picture at this point.
# </details>

# %% tags=["nbval-ignore-output"]
show_images(pictures[early], f"Early: fakes after {early:,} updates")
plt.show()
show_images(pictures[total], f"Late: fakes after {total:,} updates")
plt.show()
assert all(p.shape == (32, 1, 64, 64) and p.abs().max() <= 1 for p in pictures.values())

# %% [markdown]
# Early, there are strokes of the right thickness on a clean black background, and perhaps a third can be guessed at as digits. Late, most of the 32 can be read; the others are doubtful or no digit. Each place in the grid has the same noise in both pictures, so compare place by place: in several of them the early scribble is already the late digit.

# %% tags=["nbval-ignore-output"]
figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for name, losses in zip(
    ["discriminator", "generator"], zip(*history, strict=True), strict=True
):
    (line,) = ax.semilogy(range(1, total + 1), losses, lw=0.5, alpha=0.35)
    smooth = torch.tensor(losses).unfold(0, 25, 1).mean(dim=1)  # mean of 25 steps
    ax.semilogy(range(13, 13 + len(smooth)), smooth, color=line.get_color(), label=name)
ax.axhline(math.log(2), color="black", ls="--", label="ln 2: a coin toss")
ax.axvline(early, color="grey", ls=":", label="the early picture")
ax.set(xlabel="step (updates of both networks)", ylabel="loss (nats)")
ax.set_title("Both losses, step by step and as a running mean")
ax.legend(loc="lower right")
plt.show()

middle = (early + total) // 2
for name, part in [("before", history[early:middle]), ("after", history[middle:])]:
    disc, gen = (sum(losses) / len(part) for losses in zip(*part, strict=True))
    print(
        f"mean {name} update {middle:,}: discriminator {disc:.2f}, generator {gen:.2f}"
    )
assert len(history) == total

# %% [markdown]
# (A *nat* is the unit of a loss with natural logarithms.) In the first 40 updates the discriminator is far ahead: its loss is below 0.1 most of the time, the generator's around 6. Then the two close up. The printed means are those of the first and of the second half of what comes after the early picture: the discriminator's goes from 0.58 to 0.55, the generator's from 1.19 to 1.32. In just that time the scribbles became digits. The pictures show how much better the generator got; the losses do not, because they are measured against an opponent who changes as well.
#
# The article ends with two remarks. A little training gives rough shapes, and flawless ones take long: that is what you have just seen. And the training speed of a DCGAN is far better than that of the fully connected GAN of the chapter before it. For that the article gives no figure, and this page cannot either; [notebook 09](09_experiments.ipynb) puts both to the same test.
#
# ## The article's choice: no batch normalisation
#
# The article's code has both `BatchNorm2d` lines commented out, like [the code it follows](https://github.com/aladdinpersson/Machine-Learning-Collection/tree/master/ML/Pytorch/GANs/2.%20DCGAN) had at the time, and says nothing about it. (That code has them back today.) The paper asks for batch normalisation in both networks, though not at the generator's output nor at the discriminator's input (section 3); all of the above had it. The article shows digits all the same, and we do not know how it came to them: from its listing we got none, neither here nor in the first 60 steps at its own width, batch and rate. Here are the first 120 steps with and without, from three seeds each, everything else being equal: the narrow networks, the data and the learning rate of this page.
#
# <details><summary><b>Predict first:</b> without it, which network wins, and what do the fakes look like?</summary>
#
# The discriminator wins. All fakes turn into nearly the same picture, whatever the noise. Below are the losses, the pictures, and the size of the gradient that reaches the generator's first layer.
# </details>

# %%
STEPS = 120


def first_steps(batch_norm, seed):
    """Losses of the first steps, the fakes after them, and the generator itself."""
    players = new_players(seed, batch_norm)
    order.manual_seed(seed)
    endless = (batch for _ in itertools.count() for batch in loader)
    losses = [
        train_step(*players, to_network(batch))
        for batch in itertools.islice(endless, STEPS)
    ]
    return losses, draw(players[0]), players[0]


runs = {
    "with": [first_steps(True, seed) for seed in (1, 2, 3)],
    "without": [first_steps(False, seed) for seed in (1, 2, 3)],
}

# %% tags=["nbval-ignore-output"]
figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True, layout="constrained")
for ax, (name, results) in zip(axes, runs.items(), strict=True):
    for seed, (losses, _, _) in enumerate(results, start=1):
        ax.semilogy(range(1, STEPS + 1), [d for d, _ in losses], label=f"seed {seed}")
    ax.axhline(math.log(2), color="black", ls="--", label="ln 2")
    ax.set(title=f"{name} batch normalisation", xlabel="step")
axes[0].set_ylabel("discriminator's loss (nats)")
axes[1].legend()
figure.suptitle("Without batch normalisation the discriminator's loss goes to 0")
plt.show()
assert all(losses[-1][0] < 0.05 for losses, _, _ in runs["without"])

# %% tags=["nbval-ignore-output"]
figure, axes = plt.subplots(2, 6, figsize=(9, 3.6), layout="constrained")
for row, (name, results) in zip(axes, runs.items(), strict=True):
    for i, ax in enumerate(row):
        image = results[i // 2][1][i % 2, 0].float().cpu()
        ax.imshow(image, cmap="gray", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[], title=f"seed {i // 2 + 1}, $z_{i % 2 + 1}$")
    row[0].set_ylabel(f"{name}\nbatch norm")
figure.suptitle(f"After {STEPS} steps: two noise vectors from each of three seeds")
plt.show()

real = to_network(next(iter(loader)))[:32]
for name, results in [("real digits", [(None, real, None)]), *runs.items()]:
    spread = ", ".join(f"{x.float().std(dim=0).mean():.4f}" for _, x, _ in results)
    print(f"{name:12} differ from each other by {spread}")
for name, results in runs.items():
    stuck = [f"{(x.abs() > 0.95).float().mean():.1%}" for _, x, _ in results]
    print(f"{name:12} pixels beyond ±0.95: {', '.join(stuck)}")
for name, results in runs.items():
    sizes = [f"{next(g.parameters()).grad.norm():.4f}" for _, _, g in results]
    print(f"{name:12} gradient at the generator's first layer {', '.join(sizes)}")
assert all(fakes.std(dim=0).mean() < 0.02 for _, fakes, _ in runs["without"])

# %% [markdown]
# With batch normalisation the discriminator also runs ahead at first, even faster, but then the generator gets back into the game. Without it, it does not: from all three seeds the discriminator's loss is below 0.05 at the end. (Nor does it in the 632 steps of notebook 05.) The fakes of one seed are then nearly one and the same picture, whatever the noise: measured over 32 of them, a pixel's standard deviation is below 0.02 on average, where black and white are 2 apart. With batch normalisation it is 0.22 to 0.24. This is what users of DCGAN code report as *collapse*, and the paper's reason for batch normalisation: without it, all samples fell together into a single point (section 3). (It is not the *mode collapse* of the textbooks, in which good pictures of a few kinds come out. Here the discriminator has won.)
#
# Why does the generator not recover, when its loss is large and $-\log D$ has a gradient near 1? Because that gradient still has to travel: through the discriminator's five layers, through a Tanh that is stuck at its ends, and through the generator's own layers, all of them with small weights. The printed lines show how many pixels are stuck (beyond ±0.95, where the slope of the Tanh is below a tenth), and what is left of the gradient at the generator's first layer, the one that reads the noise: a thousand to three thousand of times less than with batch normalisation. Batch normalisation rescales the signal at every layer, and so the gradient as well. Notebook 05 follows it layer by layer, and notebook 09 tests this choice of the article's beside the others, at equal time.
#
# ## TensorBoard
#
# The two writers have left their events on disk. Reading them back shows what TensorBoard will find:

# %%
for side in ("real", "fake"):
    events = EventAccumulator(str(logs / side)).Reload()
    tags = events.Tags()
    print(f"{side}: images {tags['images']}, scalars {tags['scalars']}")
    assert [event.step for event in events.Images("images")][-1] == total

# %% [markdown]
# The same names on both sides, which is why TensorBoard draws both in one place: under *Images* real beside fake, under *Scalars* $D(x)$ and $D(G(z))$ as two curves in one chart. (The panel is live: it is empty in a notebook that is only read, on GitHub for instance. If it stays empty while you run, open the address it prints in a browser tab.)

# %% tags=["nbval-ignore-output"]
# %load_ext tensorboard
# %tensorboard --logdir runs/07_training
assert any("07_training" in server.logdir for server in tensorboard.manager.get_all())

# %% [markdown]
# ## The same loop, ready for long runs
#
# `dcgan_helpers.training.train` is what `python -m dcgan_helpers train` runs. Its body is the step you have just written. Around it stands what a long run needs and a lesson does not: a folder that holds everything about the run, checkpoints to go on from after a crash (`resume`), a stop when a loss is no longer finite, several GPUs, and a moving average of the generator's weights, which draws its samples. What `PLAIN` has switched off is there as well: a learning rate that falls, and the noise.
#
# That it is the same loop is easily said. From the same seed, its losses must be the ones in `history`, to within rounding:

# %%
run_dir = train(
    replace(h, epochs=1, log_every=1, precision=precision),
    logs.with_name("helper"),
    overwrite=True,
    progress=False,
)
helper = [
    (row["loss_discriminator"], row["loss_generator"]) for row in read_training(run_dir)
]
plain = history[: len(helper)]
print("one epoch of steps compared:", len(helper) == len(loader))
print("the same losses:", torch.allclose(torch.tensor(helper), torch.tensor(plain)))

# %% [markdown]
# It has also kept the scores, which say more than the losses: $D(x)$ for the real images, and $D(G(z))$ for the same fakes twice, before and after the discriminator's update.

# %% tags=["nbval-ignore-output"]
rows = read_training(run_dir)
show_losses(rows, "The first epoch, step by step")
plt.show()
swing = max(rows, key=lambda row: row["d_fake_after"] - row["d_fake_before"])
print(f"step {swing['step']}: D(x) {swing['d_real']:.2f}, D(G(z)) from", end=" ")
print(f"{swing['d_fake_before']:.3f} before to {swing['d_fake_after']:.3f} after")
assert all(0 <= row["d_real"] <= 1 for row in rows)

# %% [markdown]
# Read the two lines for $D(G(z))$ together: they are the same fakes, scored before and after one step of the discriminator. Mostly the green line is below the orange one, which is what that step is for. In the step that is printed it is the reverse: there the discriminator's update has *raised* the score of the same fakes, by more than in any other step of this epoch. One update can move its verdict that far.
#
# And here is all that it has left behind. `generator.safetensors` is the moving average, to draw with; `generator_raw.safetensors` is the generator as it stood at the last step.

# %%
for path in sorted(run_dir.iterdir()):
    print(path.name + ("/" if path.is_dir() else ""))

# %% [markdown]
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | The discriminator's loss goes to 0, the generator's climbs, all fakes are the same | no batch normalisation, with weights of standard deviation 0.02 | put it in, as above |
# | `Trying to backward through the graph a second time` | the fakes went into the discriminator's loss without `detach` | `fake.detach()` (exercise 1) |
# | The discriminator's loss never falls below 0.50 | a sigmoid in the network *and* in `BCEWithLogitsLoss` | return logits (next cell) |
# | `Target size (…) must be the same as input size (…)` | logits are `N×1×1×1`, targets were made as `N` | `torch.ones_like(logits)` |
# | The picture made from one noise vector changes with its companions in the batch | `eval()` was forgotten when drawing | switch to it and back, as in `draw` |
#
# The third row, worked out. With a sigmoid too many, the "logit" is itself a probability and can reach 1 at most for a real image and 0 at least for a fake. Even a perfect discriminator then pays:

# %%
best_real = bce(torch.ones(1), torch.ones(1))
best_fake = bce(torch.zeros(1), torch.zeros(1))
print(f"({best_real:.2f} + {best_fake:.2f}) / 2 = {(best_real + best_fake) / 2:.2f}")


# %% [markdown]
# ## Summary
#
# 1. `detach` keeps the discriminator's loss out of the generator; the generator's loss must run through the discriminator, whose weights are held fixed meanwhile.
# 2. The loop updates both networks on every batch: first the discriminator, then the generator, on the same fakes.
# 3. The losses do not measure progress. Pictures from fixed noise say more; notebook 08 puts a number on them.
# 4. Without batch normalisation training collapses in this set-up: from each of three seeds the discriminator's loss is below 0.05 after 120 steps, and the fakes hardly depend on the noise.
# 5. The helper's `train` gives the same losses, step for step.
#
# ## Exercises
#
# **1.** A step without `.detach()`: the cell below has the two backward passes of a step in a row. Which of its lines raises, and why not the other? Decide before you look at the output.


# %%
def without_detach():
    generator, discriminator, _, _ = new_players()
    fake = generator(fixed_noise)
    discriminator_loss(discriminator, real[:32], fake).backward()
    generator_loss(discriminator, fake).backward()


try:
    without_detach()
except RuntimeError as error:
    line = traceback.extract_tb(error.__traceback__)[1].line
    print(line, "raises:", str(error).split("(")[0])


# %% [markdown]
# **2.** Write the loss that the article's comment names first, $\operatorname{mean}\,\log(1 - D(G(z)))$, as a function of the logits. Use no sigmoid, so that a logit of 200 does not give infinity. Replace `None`, and the check will tell.
#
# <details><summary>A hint, and the answer</summary>
#
# $1 - \sigma(l) = \sigma(-l)$, and `nn.functional.logsigmoid` is safe for any $l$: `return nn.functional.logsigmoid(-logits).mean()`.
# </details>
#
# Then train with it (in `generator_loss`) and compare the first 300 steps.


# %%
def saturating_loss(logits):
    return None  # your code


def check(answer):
    if answer(torch.zeros(4)) is None:
        return "not answered yet"
    for logits in torch.tensor([[0.0, 0.0], [1.0, -2.0], [-8.0, 3.0]]):
        expected = torch.log(1 - logits.sigmoid()).mean()
        if not torch.allclose(answer(logits), expected, atol=1e-5):
            return f"not yet: {answer(logits)} for {logits}, expected {expected}"
    finite = answer(torch.tensor([200.0])).isfinite()
    return "right" if finite else "not yet: infinite for a logit of 200"


print("exercise 2:", check(saturating_loss))

# %% [markdown]
# **3.** The article runs 30 epochs. What number does its counter show (it starts at 0) at the last picture in its TensorBoard, and after which update was that? Put both into `answer`.

# %%
answer = None  # (counter, update)
shown = [
    (epoch * batches + batch_index + 1)
    for epoch in range(30)
    for batch_index in range(0, batches, 100)
]
right = (len(shown) - 1, shown[-1])


def check_counter(answer):
    return {None: "not answered yet", right: "right"}.get(answer, "not yet")


print("exercise 3:", check_counter(answer))

# %% [markdown]
# **Next:** [notebook 08](08_results.ipynb) asks how good these digits are, and answers with a number.

# %%
# Spoilers! For the tests: the checks above accept the right answers.
assert check(lambda logits: nn.functional.logsigmoid(-logits).mean()) == "right"
assert check(lambda logits: torch.log(1 - logits.sigmoid()).mean()).endswith("of 200")
assert check_counter((149, 14_002)) == "right" and check_counter((0, 0)) == "not yet"
