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
# The losses no longer change, and the images still get better. "They look good to me" is not a result. This page measures quality, and says what each number shows and what it misses.
#
# **In this notebook you will**
#
# 1. read the curves of a run, and see why they do not say who draws better;
# 2. build the Fréchet distance step by step, with its floor, and test it on spoilt digits;
# 3. follow quality over time, with the moments of the article's two pictures marked on the curve;
# 4. spoil a run in five ways, and learn what each looks like;
# 5. check whether the generator copies the digits that it was trained on.
#
# **You need** the game (notebook 00) and the training loop (07) as ideas. **Time:** read 25 min, run 5 min on a laptop.

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
import time
from dataclasses import replace

import matplotlib.pyplot as plt
import torch
from torch import nn
from torchvision.transforms.v2 import functional as transforms
from tqdm.auto import tqdm

from dcgan_helpers import run_folder
from dcgan_helpers.data import load_dataset, original_digits, scale_images
from dcgan_helpers.figures import show_images, show_losses, show_moment
from dcgan_helpers.hyperparameters import PLAIN, preset
from dcgan_helpers.networks import generate, initialize_weights, with_noise
from dcgan_helpers.quality.classifier import load_classifier, shrink
from dcgan_helpers.quality.judge import Judge, judge_for, table
from dcgan_helpers.quality.metrics import fid
from dcgan_helpers.run_folder import TRAINED, read_scores, read_training
from dcgan_helpers.studies.choices import EqualParameters, NoBatchNorm, OnlyGenerator
from dcgan_helpers.training import Trainer, train

# %% [markdown]
# ## A run to look at
#
# This is the loop of notebook 07, as the helper runs it: 31 epochs of the 4,000 digits to train with. Narrow networks keep the time at a few minutes, even on a processor without fast 16-bit arithmetic. Every 300 steps the helper scores the generator's fakes against the 1,000 held-out digits, with which nothing is trained (notebook 06). This page explains these scores.

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
# How to read these curves:
#
# - $D(x)$ is the mean score of real images. $D(x)$ near 1 and $D(G(z))$ near 0: the discriminator tells real images from fakes. Both near ½: it cannot. In between: it can, but not always.
# - The two lines for $D(G(z))$ are the same fakes before and after the discriminator's update. Either line can be the higher one. An update teaches the discriminator to reject these fakes, but it can also move the scores of all images together, real and fake.
# - The discriminator's loss at ln 2 ≈ 0.69 with both scores at ½ is the equilibrium *or* a discriminator that has learnt nothing. The curve cannot tell which.

# %% [markdown]
# The curves do not say who draws better. Theory seems to promise more. For the *best possible* discriminator the loss is $\ln 2$ minus the Jensen–Shannon divergence of real and fake (notebook 00), and that would be a measure of quality. But this discriminator is not the best possible. It has learnt against one generator, and its loss is about that generator.
#
# So exchange the opponents. A second pair of networks comes with the package, trained by a better recipe. (`python -m dcgan_helpers train` makes it; notebook 12 explains the recipe. Its discriminator was trained on images with noise, and so it gets them with noise here.) All real digits in the next output are held-out ones.

# %% tags=["nbval-ignore-output"]
generators, discriminators, noise = {}, {}, {}
for name, folder in (("this run's", run_dir), ("the shipped", TRAINED)):
    generators[name] = run_folder.load_generator(folder)
    discriminators[name] = run_folder.load_discriminator(folder)
    noise[name] = run_folder.load_hyperparameters(folder).instance_noise
fakes = {name: generate(generator, 500) for name, generator in generators.items()}
known = load_dataset("mnist-5k").images  # the 4,000 digits to train with
held_out = load_dataset("mnist-5k", held_out=True).images  # 1,000 others
shown = {"held-out digits": scale_images(held_out[::2])}
shown |= {f"{name} fakes": images for name, images in fakes.items()}
with torch.no_grad():
    for name, discriminator in discriminators.items():
        text = []
        for kind, x in shown.items():
            logits = discriminator(with_noise(x, noise[name]))
            text.append(f"{kind} {logits.sigmoid().mean():.2f}")
        print(f"{name} discriminator gives {', '.join(text)}")
assert set(generators) == set(discriminators)

# %% [markdown]
# A row has one discriminator and three sets of images. A column has one set of images and two discriminators. The same 500 held-out digits get 0.42 from one discriminator and 0.50 from the other. A score, and so a loss, is a statement about two opponents, not about images alone. (Each discriminator is taken as it stood after its last step. The curves above show that its scores change from step to step.)

# %% [markdown]
# ## A distance between two sets of images
#
# We want a measure that does not depend on the opponent. Comparing images pixel by pixel does not work: no fake is meant to equal a real digit. The two *distributions* should agree, in features that mean something. The field takes the features of a classifier: [Heusel et al. (2017)](https://arxiv.org/abs/1706.08500) those of Inception, which was trained on photographs. For digits a classifier of digits is more suitable ([Bińkowski et al. 2018](https://arxiv.org/abs/1801.01401) do the same). Ours has four convolutions. `python -m dcgan_helpers classifier` trains it on the 4,000 digits that generators are trained on, too. The 1,000 held-out digits are new to it.

# %%
classifier, stated = load_classifier()
digits = scale_images(torch.cat([held_out, known]))  # all 5,000, held-out ones first
with torch.no_grad():
    parts = [classifier.features(part) for part in digits.split(500)]
features = torch.cat(parts).double()
print(f"right on held-out digits: {stated:.1%}")
print("features of all digits: N × 64, from", tuple(digits.shape[1:]))
assert features.shape == (5000, 64)

# %% [markdown]
# Take both sets of 64 features for normal distributions, with means $\mu_r, \mu_f$ and covariances $\Sigma_r, \Sigma_f$. The *square* of the Fréchet distance of two normal distributions has a formula, and FID is this square:
#
# $$\mathrm{FID} = \lVert \mu_r - \mu_f\rVert^2 + \operatorname{tr}\!\left(\Sigma_r + \Sigma_f - 2\,(\Sigma_r\Sigma_f)^{1/2}\right)$$
#
# In one dimension that is $(\mu_r-\mu_f)^2 + (\sigma_r-\sigma_f)^2$: the means must agree, and the spreads. A generator that draws one perfect digit again and again has a spread of 0, and pays. The trace of the root is the sum of the roots of the eigenvalues of $\Sigma_r\Sigma_f$, so it is six lines:


# %%
def frechet_distance(a, b):
    """The formula above for two sets of features N×d."""
    mean = (a.mean(dim=0) - b.mean(dim=0)).square().sum()
    cov_a, cov_b = torch.cov(a.T), torch.cov(b.T)
    roots = torch.linalg.eigvals(cov_a @ cov_b).real.clamp(min=0).sqrt()
    return (mean + cov_a.trace() + cov_b.trace() - 2 * roots.sum()).item()


shuffled = features[torch.randperm(5000, generator=torch.Generator().manual_seed(0))]
halves = shuffled[:2500], shuffled[2500:]
print(f"one half of the real digits against the other: {frechet_distance(*halves):.1f}")
same = abs(frechet_distance(*halves) - fid(*halves)) < 1e-3
print("torchmetrics, which the helper uses, agrees:", same)

# %% [markdown]
# Two halves of the same digits, and yet FID is not 0. Means and covariances of 2,500 images are estimates, and their errors add to the distance. Another split gives another number. What real images get against other real images is the **floor**: no generator of *new* digits can be expected below it, and a score without its floor says little.
#
# The floor depends on the number of images, so FIDs compare at equal numbers only. And it has a spread. So take 20 random splits of all digits at each number, and note the mean, the lowest and the highest:

# %%
random, floors = torch.Generator().manual_seed(0), {}
print("images a side   mean of 20 FIDs   lowest to highest")
for count in (250, 500, 1000, 2500):
    splits = [features[torch.randperm(5000, generator=random)] for _ in range(20)]
    found = [frechet_distance(s[:count], s[count : 2 * count]) for s in splits]
    floors[count] = mean, low, high = sum(found) / 20, min(found), max(found)
    print(f"{count:13,}{mean:18.1f}{low:12.1f} to {high:.1f}")
chosen = [1000 + torch.randperm(4000, generator=random)[:1000] for _ in range(20)]
found = [frechet_distance(features[:1000], features[some]) for some in chosen]
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
# Four times as many images have a floor of about a quarter. At 1,000 a side one split has three times the FID of another, so a single split is a poor yardstick.
#
# The last line answers a doubt. The classifier was trained on 4,000 of these digits, and scores compare fakes with the other 1,000. Are these far from the 4,000 in its features? No: their FID lies in the range of random splits. It is even below the mean, probably because each digit is exactly a tenth of the held-out ones.

# %% [markdown]
# **Both sides the same way.** MNIST has 28×28 pixels, our images have 64×64. The helper shrinks real images and fakes alike to 28×28 for the classifier. Suppose we compared fakes with MNIST as it came, without the detour over 64. Then we would measure the detour:

# %%
original = original_digits().unsqueeze(1)  # all 5,000, 28×28, never resized
with torch.no_grad():
    parts = [classifier.layers(scale_images(part)) for part in original.split(500)]
untouched = torch.cat(parts).double()
first = original[:1]
back = shrink(scale_images(transforms.resize(first, [64, 64], antialias=True)))
moved = (back - scale_images(first)).abs().mean()
print(f"a pixel of the first digit moves by {moved:.3f}")
detour = frechet_distance(features, untouched)
print(f"FID of the same 5,000 digits, with and without the detour: {detour:.0f}")
assert detour > 10 * floors[2500][2]

# %% [markdown]
# The digits are the same, and the distance is many times the floor. Resizing softens every edge a little, and that changes the features. ([Parmar et al. 2022](https://arxiv.org/abs/2104.11222) found that the choice of resizing code moves published scores, too.)
#
# ## What the numbers see
#
# FID is one number for everything. The helper's `Judge` adds others. Its `score` compares fakes with exactly as many held-out images, because the measures depend on the number. Its `against_known` compares them with as many trained-on images.

# %% [markdown]
# - **KID** is another distance of the features, about 0 for equal distributions at any number of images ([Bińkowski et al. 2018](https://arxiv.org/abs/1801.01401)). Within two of its standard errors of 0 it shows no difference.
# - **Precision** is the share of fakes that lie among real images: are they plausible? **Recall** is the share of real images that lie among fakes: are the fakes varied? Around every real image draw a ball of features that reaches to its third-nearest real neighbour. Precision is the share of fakes inside any ball. Recall exchanges the parts ([Kynkäänniemi et al. 2019](https://arxiv.org/abs/1904.06991)).
# - **Sure** is the share in which the classifier gives some digit a probability of 0.95 or more. **Rarest** is the share of the digit that occurs least.
# - **Near**, in pixels, is the share nearer to a trained-on digit than 99% of the held-out digits are: about 1% for new digits, more for copies.

# %% [markdown]
# Test the numbers on images about which we know. Three sets of 500 digits are needed. The first are held-out digits, the reference. The second are copied, as if they alone had been trained on. The third are spoilt. (Only 345 of the remaining digits are ones, so some of the 500 ones occur twice.)
#
# <details><summary><b>Predict first:</b> take real digits and spoil them: blur them; add noise; keep only the ones; copy the trained-on digits. Which number notices which?</summary>
#
# FID notices all but the copies. Against *held-out* digits, copies are as good as new digits. Against the digits that they copy, they are perfect. *Near* notices them. Under a little blur recall falls far, and precision does not. And the classifier is sure of every noisy image.
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
def line(name, s, known_fid=""):
    numbers = [s[k] for k in ("precision", "recall", "sure", "rarest", "near")]
    kid = f"{s['kid']:10.2f} ± {s['kid_error']:.2f}"
    return f"{name:17}{s['fid']:6.0f}{known_fid:>12}{kid}" + "".join(
        f"{x:10.2f}" for x in numbers
    )


def floor_line(floor):
    return line("floor, mean", {name: mean for name, (mean, _, _) in floor.items()})


# %% tags=["nbval-ignore-output"]
scored = {name: judge.score(images) for name, images in spoilt.items()}
perfect = {name: judge.against_known(images) for name, images in spoilt.items()}
print(f"{'':20}FID  trained-on    KID ± error precision    recall", end="")
print("      sure    rarest      near")
for name, s in scored.items():
    print(line(name, s, f"{perfect[name]['fid']:.0f}"))
print(floor_line(floor))
print("range of the floor of FID: {:.0f} to {:.0f}".format(*floor["fid"][1:]))
assert scored["blurred"]["recall"] < 0.1 and scored["noise added"]["sure"] > 0.95
assert scored["only ones"]["rarest"] == 0 and scored["copies"]["near"] > 0.99
assert scored["copies"]["fid"] < floor["fid"][2] and perfect["copies"]["fid"] < 1

# %%
figure, axes = plt.subplots(len(spoilt), 8, figsize=(8, 6.2), layout="constrained")
for row, (name, images) in zip(axes, spoilt.items(), strict=True):
    for ax, image in zip(row, images, strict=False):
        ax.imshow(image[0], cmap="gray", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[])
    label = f"{name}\nFID {scored[name]['fid']:.0f}"
    row[0].set_ylabel(label, rotation=0, ha="right", va="center")
figure.suptitle("Real digits, spoilt in five ways; FID against held-out digits")
plt.show()
assert scored["blurred"]["fid"] > scored["blurred a little"]["fid"]

# %% [markdown]
# Read the table by columns. Every row compares 500 images with the same 500 held-out digits. *Sure* alone would call noise perfect. *Precision* alone would accept strongly blurred digits, and a set of ones. FID alone cannot say whether images are blurred or a digit is missing. FID against held-out digits cannot tell copies from new digits. The column *trained-on* and *near* can.
#
# (New digits and copies get about the lowest FID of the floor's range. The likely reason: the 500 held-out digits hold each digit equally often, and the floor's random splits do not.)

# %% [markdown]
# ## Quality over time
#
# While the run above trained, it was scored every 300 steps: 1,000 fakes of the moving average against the 1,000 held-out digits. The grey band is the floor at that number. The dotted lines mark the article's two pictures. Its "step 3" is the 301st update, and its late fakes, "step 21", were made after the 1,977th (notebook 07 counts). Our run ends at step 1,953.

# %% tags=["nbval-ignore-output"]
mean, low, high = judge_for(h).floor()["fid"]
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
steps = [row["step"] for row in scores]
left.semilogy(steps, [row["fid"] for row in scores], "o-", label="this run")
left.axhline(mean, color="grey", ls="--", label="floor: real against real")
left.axhspan(low, high, color="grey", alpha=0.3)
left.set(title="FID against held-out digits", xlabel="step", ylabel="FID")
pace = scores[-1]["seconds"] / steps[-1]  # seconds a step
clock = left.secondary_xaxis("top", (lambda s: s * pace, lambda t: t / pace))
clock.set_xlabel("seconds of training")
for name, label in (("loss_generator", "G"), ("loss_discriminator", "D")):
    right.plot([r["step"] for r in rows], [r[name] for r in rows], label=label)
right.set(title="Losses of the same run", xlabel="step", ylabel="loss (nats)")
for ax in (left, right):
    ax.legend()
    for step in (301, 1977):
        ax.axvline(step, color="black", ls=":", lw=1)
plt.show()
for row in scores:
    shares = f"precision {row['precision']:.2f}, recall {row['recall']:.2f}"
    print(f"step {row['step']:5}: FID {row['fid']:6.1f}, {shares}")
print(f"floor of FID: {mean:.1f} ({low:.1f} to {high:.1f})")
assert is_small or scores[-1]["fid"] < 0.25 * scores[0]["fid"]

# %% [markdown]
# FID goes from 247 at the first dotted line to 25 at the second. The losses show no such change: the discriminator's has a mean of 0.48 over the first half of the run and of 0.59 over the second, the generator's of 1.42 and 1.04. Recall goes from 0.13 to 0.85 by step 900 and to 0.89 at the end, precision from 0.84 to 0.67 and 0.69. (One run, one seed. In notebook 09 are others.)
#
# The article shows two pictures, an early one in which "nothing can be seen", and a late one that is "not bad". Here are our counterparts, from a network with batch normalisation and a moving average, at about the same two updates, with their scores:

# %%
for step in (300, 1977):
    row = max(scores, key=lambda row: (row["step"] <= step) * row["step"])
    figure = show_moment(run_dir, step)
    fid_then, recall_then = row["fid"], row["recall"]
    figure.suptitle(f"Step {row['step']}: FID {fid_then:.0f}, recall {recall_then:.2f}")
    plt.show()
assert row == scores[-1]

# %% [markdown]
# And now the run that comes with the package. `python -m dcgan_helpers train` makes it, and `python -m dcgan_helpers evaluate RUN_DIR` prints this table for any run:

# %% tags=["nbval-ignore-output"]
started = time.perf_counter()
final = judge_for(run_folder.load_hyperparameters(TRAINED))
final_fakes, _ = final.draw(generators["the shipped"])
shipped, on_known = final.score(final_fakes), final.against_known(final_fakes)
final_floor = final.floor()
print(table(shipped, on_known, final_floor))
print(f"\nmeasured in {time.perf_counter() - started:.0f} s")
show_images(final_fakes[:32], "32 fakes of the shipped generator")
plt.show()
assert len(final) == 1000 and shipped["fid"] < 20 and shipped["recall"] > 0.6

# %% [markdown]
# FID against held-out digits is 9.5. Its floor at the same 1,000 a side, from 20 other splits than above, is 4.9 (3.2 to 8.3). KID is −0.0001 with a standard error of 0.0044.
#
# Precision and *sure* show one difference to real digits. 77% of the fakes lie among the held-out digits, against 90% of other real digits. The classifier is sure of 76% of the fakes, against 98% of real digits. Recall is 89%, against a floor of 90%. (A recall near its floor does not prove that nothing is missing: stray fakes have large balls, and can raise recall.)
#
# (The best precision is not 1: of two sets of *real* digits, too, some lie outside the other's balls. [Naeem et al. 2020](https://arxiv.org/abs/2002.09797) criticise the two measures for this among other things, and exercise 2 builds one of the two that they propose.)

# %% [markdown]
# ## A gallery of failures
#
# The first row below is the run above, for 200 steps and from another seed. Each other row changes one decision. (The fourth row, from notebook 09, exchanges both networks, and trains for 1,000 steps.) The curves are the discriminator's losses. The fakes are of the generator itself, not of its moving average.


# %%
class KernelThree(Trainer):
    """A generator with kernels of 3 instead of 4: stride 2 no longer divides them."""

    def make_networks(self):
        generator, discriminator = super().make_networks()
        for block in generator.layers:
            for parent in (block, generator.layers):
                for name, layer in list(parent.named_children()):
                    if isinstance(layer, nn.ConvTranspose2d) and layer.stride == (2, 2):
                        sizes = layer.in_channels, layer.out_channels, 3, 2, 1, 1
                        new = nn.ConvTranspose2d(*sizes, bias=layer.bias is not None)
                        setattr(parent, name, new)
        initialize_weights(generator)
        return generator, discriminator


base = replace(h, precision="fp32", seed=1)
failures = {
    "nothing changed": (Trainer, base, 200),
    "discriminator at 0": (NoBatchNorm, base, 200),
    "one picture for all": (OnlyGenerator, base, 200),
    "near ln 2": (EqualParameters, base, 1000),
    "momentum of 0.9": (Trainer, replace(base, betas=(0.9, 0.999)), 200),
    "checkerboard": (KernelThree, base, 200),
}


# %% tags=["nbval-ignore-output"]
def play(trainer_class, h, steps):
    """The discriminator's losses, step by step, and 500 fakes."""
    trainer = trainer_class(h, load_dataset(h.dataset, max_images=h.max_images))
    steps = 20 if is_small else steps
    losses = []
    for metrics in tqdm(trainer.steps(steps), total=steps, leave=False):
        losses.append(metrics["loss_discriminator"])
    generator = trainer.accelerator.unwrap_model(trainer.generator)
    return losses, generate(generator.eval(), 500)


gallery = {name: play(*failure) for name, failure in failures.items()}
assert all(len(losses) >= 20 for losses, _ in gallery.values())

# %%
figure, axes = plt.subplots(
    6, 2, figsize=(10, 11), layout="constrained", width_ratios=(1, 2)
)
for (left, right), (name, (losses, images)) in zip(axes, gallery.items(), strict=True):
    left.semilogy(range(1, len(losses) + 1), losses, lw=1)
    left.axhline(0.693, color="grey", ls="--", lw=1)
    left.set(title=name, ylim=(1e-4, 20), ylabel="loss of D")
    show_images(images[:16], "", right)
axes[-1, 0].set_xlabel("step")
axes[0, 1].set_title("sixteen fakes of the last step")
figure.suptitle("The run above after 200 steps, and five changes to it; dashed: ln 2")
plt.show()
assert is_small or gallery["discriminator at 0"][0][-1] < 0.01

# %% tags=["nbval-ignore-output"]
print(f"{'':20} loss of D  <0.01    FID  precision  recall  spread  grid in the dark")
grid, distances = {}, {}
for name, (losses, images) in gallery.items():
    s, dark = judge.score(images), images[:, :, 2:14, 2:14]
    grid[name] = dark.diff(dim=-1).abs().mean() + dark.diff(dim=-2).abs().mean()
    distances[name], low = s["fid"], sum(loss < 0.01 for loss in losses)
    print(
        f"{name:20} {sum(losses[-20:]) / 20:8.3f}{low:7}{s['fid']:8,.0f}"
        f"{s['precision']:10.2f}{s['recall']:8.2f}"
        f"{images.std(dim=0).mean():9.3f}{grid[name]:10.4f}"
    )
means = [floor[name][0] for name in ("fid", "precision", "recall")]
print(f"{'floor, mean':20}" + " " * 16 + "{:8,.0f}{:10.2f}{:8.2f}".format(*means))
changed = [distances[name] for name in failures if name != "nothing changed"]
assert is_small or min(changed) > distances["nothing changed"]
assert is_small or grid["checkerboard"] > grid["nothing changed"]

# %%
figure, axes = plt.subplots(2, figsize=(8, 4.6), layout="constrained")
for ax, name in zip(axes, ("nothing changed", "checkerboard"), strict=True):
    bright = (gallery[name][1][:16] + 1) * 3 - 1  # three times as bright
    title = f"{name}, three times as bright"
    show_images(bright.clamp(-1, 1), title, ax)
plt.show()

# %% [markdown]
# Each row is 500 fakes against the 500 held-out digits of the spoilt ones' table. *<0.01* counts the steps with a loss of D below 0.01. *Spread* is the standard deviation of the fakes, pixel by pixel.
#
# - **Discriminator at 0.** No batch normalisation, the article's listing. The loss ends at 0.002, and the spread is 0.000: all fakes are the same. If the loss stays below 0.01 for hundreds of steps, look at the images. (A few such steps prove nothing: the unchanged run has 7 of them.)
# - **One picture for all.** Batch normalisation in the generator alone. The loss ends at 0.059, and the spread is 0.003: the generator ignores $z$. This is collapse, and the loss does not name it.

# %% [markdown]
# - **Near ln 2.** A fully connected pair. The loss is 0.692, nearly the equilibrium's. FID is 882 and recall 0.00, but precision is 0.68: by this measure such a share of the fakes is plausible. The pair has not failed. It learns slowly: notebook 09 trains it for longer, and its FID goes on falling. So a loss near ln 2 tells neither success nor failure.
# - **Momentum of 0.9.** The paper blames $\beta_1 = 0.9$ for oscillation and instability (section 4). Here the loss is below 0.01 in 115 of the 200 steps, against 7 in the first row. In 200 steps the curve alone does not tell an oscillation from a hard start. The fakes do: they are all stripes of one kind.

# %% [markdown]
# - **Checkerboard.** Kernels of 3 with stride 2 overlap unevenly ([Odena et al. 2016](https://distill.pub/2016/deconv-checkerboard/); notebook 03). A woven grid covers the dark parts, and brightening shows it best. The last column is the mean difference of neighbouring pixels in a dark corner. It is 0.155, against 0.024 with the usual kernel of 4. The loss ends at 0.37, against 0.55. (The two runs are not equally far: their FIDs are 457 and 409. So a part of the difference may be lack of training.)
#
# FID is larger in all five rows than in the unchanged one, so it says *that* something is worse. The spread, the last column and the images say what. (One seed each, made to show what a failure looks like. How often a choice leads there is what notebook 09 counts.)

# %% [markdown]
# ## Is it memorising?
#
# Suppose that a generator stored its 4,000 trained-on digits and gave them back. Against held-out digits these copies would score like new digits. So compare the columns *held-out* and *trained-on* of the table above: the same fakes get an FID of 9.5 and of 10.5. Is a difference to be expected? Here is a control: 1,000 copies of trained-on digits, drawn at random, and the same copies moved sideways by one pixel of 64.

# %% tags=["nbval-ignore-output"]
random = torch.Generator().manual_seed(3)
copies = 0.99 * scale_images(known[torch.randperm(4000, generator=random)[:1000]])
tested = {
    "fakes": final_fakes,
    "copies": copies,
    "copies, moved": copies.roll(1, dims=-1),
}
near = {}
print(f"{'':15}FID: held-out  trained-on   KID: held-out      trained-on    near")
for name, images in tested.items():
    s, k = final.score(images), final.against_known(images)
    near[name] = s["near"]
    kids = [f"{x['kid']:9.4f} ± {x['kid_error']:.4f}" for x in (s, k)]
    print(f"{name:15}{s['fid']:13.1f}{k['fid']:12.1f}{''.join(kids)}{near[name]:8.1%}")
print("floor of FID: {:.1f} ({:.1f} to {:.1f})".format(*final_floor["fid"]))
assert near["copies"] > 0.99 and near["copies, moved"] < 0.05

# %% [markdown]
# For the copies the two FIDs differ by less than the floor's range, because the 1,000 trained-on digits of the comparison hold only a quarter of the copied ones. So this comparison is not sharp. *Near* finds all exact copies, and hardly any that are moved by a single pixel. Keep that in mind for what follows.
#
# Now look. Here are some fakes, and below each the most similar of all 4,000 trained-on digits:

# %%
small = shrink(final_fakes).flatten(1)
distance, nearest = torch.cdist(small, final.known_pixels).min(dim=1)
ranks, twins = (
    torch.linspace(0, len(small) - 1, 10).long(),
    scale_images(known[nearest]),
)
figure, axes = plt.subplots(2, 10, figsize=(10, 2.6), layout="constrained")
for column, index in enumerate(distance.argsort()[ranks].tolist()):
    pair = final_fakes[index], twins[index]
    for ax, image in zip(axes[:, column], pair, strict=True):
        ax.imshow(image[0], cmap="gray", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[])
    axes[0, column].set_title(f"{distance[index]:.1f}")
axes[0, 0].set_ylabel("fake")
axes[1, 0].set_ylabel("nearest")
figure.suptitle(
    "Fakes and their nearest trained-on digits, from the nearest pair to the farthest"
)
plt.show()
assert len(known) == len(final.known_pixels) == 4000
assert (distance > 0.5).all()  # no copy

# %% [markdown]
# How similar is too similar? The held-out digits are the yardstick: how far is each of them from its nearest trained-on digit? A generator that draws new digits is no nearer to the trained-on digits than a held-out digit is.

# %% tags=["nbval-ignore-output"]
own, bins = final.own_distance, torch.linspace(0, 16, 33).tolist()
options = {"density": True, "histtype": "step", "lw": 2}
figure, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
ax.hist(own, bins, label="held-out digits", **options)
ax.hist(distance, bins, label="fakes", **options)
ax.set(title="Distance to the nearest trained-on digit", xlabel="distance")
ax.set_ylabel("density")
ax.legend()
plt.show()
limit = own.quantile(0.01)
closest = load_dataset("mnist-5k", held_out=True, labels=True).classes[own < limit]
print(f"medians: held-out {own.median():.1f}, fakes {distance.median():.1f}")
print(f"smallest: held-out {own.min():.1f}, fakes {distance.min():.1f}")
print(f"nearer than 99% of the held-out: {shipped['near']:.1%} of the fakes")
print(f"that limit is {limit:.1f}; held-out digits below it: {closest.tolist()}")
assert shipped["near"] < 0.05 and set(closest.tolist()) == {1}

# %% [markdown]
# The median distance of the fakes is 8.0, that of the held-out digits 7.4. Of the fakes, 0.2% lie below the limit, against 1% of the held-out digits. The smallest distance of a fake is 1.9, so none of them is an exact copy. In this distance the fakes are not nearer to the trained-on digits than held-out digits are.
#
# This distance misses much. All held-out digits below the limit are ones, which lie close together; for any other digit only an almost exact copy is that near. A moved copy passes, as the control shows. The paper (section 6) avoids nearest neighbours, because small shifts fool them. And blurred images are near to everything without copying anything. Notebook 10 adds what the paper uses instead: walks between fakes.

# %% [markdown]
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | "Loss of D is 0.69, so it has converged" | ln 2 is also the loss of a discriminator that has learnt nothing | look at images and FID |
# | FID is far higher than in papers, or far lower | other features, another number of images | compare only within one set-up, with its floor |
# | FID is nearly 0, below its floor | fakes compared with the digits that they copy | compare with held-out images |
# | FID jumped after an update of a library | another way of resizing | same code on both sides; score old runs again |
# | FID falls when more samples are drawn | its bias | fix the number; or use KID |
# | Precision is 1.0 | every fake is one good digit, or a copy | read it with recall and *near* |
# | FID of 200 samples of 2,048 features | a covariance of more numbers than data | thousands of samples, or fewer features |

# %% [markdown]
# ## Summary
#
# 1. Losses and scores are measured against an opponent who learns as well. Another opponent gives other numbers for the same images.
# 2. FID is the Fréchet distance of two normal distributions in a classifier's features. It needs held-out images, a floor with its spread, equal numbers, and the same resizing on both sides.
# 3. Between the moments of the article's two pictures FID went from 247 to 25. The losses show no such change.
# 4. A loss that stays near 0 warns of a failure. A loss near ln 2 proves neither success nor failure. One picture for all noise need not show in the loss. FID says that something is worse, and the images say what.
# 5. None of these 1,000 fakes is an exact copy of a trained-on digit. The test is coarse: copies moved by one pixel pass it.

# %% [markdown]
# ## Exercises
#
# **1.** Two normal distributions of one dimension, $N(0, 1)$ and $N(3, 2^2)$. What is their FID, by the formula above? Put it into `answer`; the check measures.

# %%
answer = None


def check_distance(answer):
    if answer is None:
        return "not answered yet"
    random = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 200_000, 1, generator=random, dtype=torch.float64)
    measured = fid(a, 3 + 2 * b)
    return "right" if abs(answer - measured) < 0.1 else "not yet"


print("exercise 1:", check_distance(answer))

# %% [markdown]
# **2.** *Coverage* ([Naeem et al. 2020](https://arxiv.org/abs/2002.09797)) is the share of real points within whose ball (to the `k`-th nearest real neighbour) some fake lies. Unlike recall it uses the real points' balls alone, so that a few wild fakes with huge balls cannot raise it. Write it.


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


print("exercise 2:", check_coverage(coverage))

# %% [markdown]
# **3.** Score the *raw* generator of the run (`generator_raw.safetensors`) beside the moving average (`run_folder.load_weights` puts it into a `Generator`). How much of the quality is the averaging?
#
# **Next:** [notebook 09](09_experiments.ipynb) uses the number: the article's choices, one at a time, three seeds each.

# %%
# Spoilers! For the tests: the checks above accept the right answers.
assert check_distance(9 + 1) == "right" and check_distance(3) == "not yet"


def right_coverage(real, fake, k=5):
    own = torch.cdist(real, real).fill_diagonal_(torch.inf)
    radius = own.kthvalue(k, dim=1).values
    return (torch.cdist(real, fake) <= radius[:, None]).any(dim=1).float().mean().item()


assert check_coverage(right_coverage) == "right"
assert check_coverage(lambda real, fake, k: 1.0).startswith("not yet: 1.0")
