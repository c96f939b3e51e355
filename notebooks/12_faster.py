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
# # 12 · Faster: where the time goes, and what buys quality
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/12_faster.ipynb)
#
# With the usual code on two CPU cores, the article's settings need about half a day. The recipe of this page is done in three to six minutes. Where does a factor of two hundred come from? Not from one trick, and mostly not from tricks at all. This page takes a step's time apart, finds the floor under it, and weighs every change by what it gains and what it costs.
#
# **In this notebook you will**
#
# 1. take a training step apart with PyTorch's profiler;
# 2. count the multiplications of a step by hand, and check the count against PyTorch's own;
# 3. measure your machine's two limits, arithmetic and memory, and place the layers between them;
# 4. judge speed-ups by a gain and a cost, each measured alone;
# 5. compare whole recipes by the quality they reach in one, two and three minutes.
#
# **You need** the two networks (notebooks 03, 04), the training loop (07), and what FID is (08). **Time:** read 25 min, run 2 min on a laptop (the benchmark behind it took two hours; its results come with the package).
#
# *The paper* is [Radford, Metz and Chintala (2016)](https://arxiv.org/abs/1511.06434), which introduced the DCGAN; *the article* is the reader's notes that this series retells and corrects ([notebook 00](00_start_here.ipynb)).

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
import os
import statistics
from dataclasses import replace

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from dcgan_helpers import benchmark, run_folder
from dcgan_helpers.benchmark import step_time
from dcgan_helpers.benchmark.usual_recipe import UsualRecipe
from dcgan_helpers.data import load_dataset, original_digits
from dcgan_helpers.hyperparameters import preset
from dcgan_helpers.networks import Discriminator, Generator
from dcgan_helpers.quality.cost import seconds_of
from dcgan_helpers.quality.tables import medians
from dcgan_helpers.training import Trainer

# This page is about CPUs, even where there is a GPU.
os.environ["ACCELERATE_USE_CPU"] = "1"

# %% [markdown]
# *The recipe of this page* is what the preset `laptop` was when all this was measured: both networks of width 16, batches of 64, 30 passes over 5,000 digits (2,370 steps), Adam without momentum at a rate that falls from 0.001 to 0, and instance noise of 0.4. `python -m dcgan_helpers train --help` shows what the preset is today.
#
# Whatever takes long here was measured beforehand, by `python -m dcgan_helpers benchmark`, on two machines of two cores each, one with unusually much 16-bit arithmetic and one without (and slower all round, for it was shared). No timing is worth anything without the machine it was taken on, so here they are:

# %%
machines = {"Intel": benchmark.INTEL, "AMD": benchmark.AMD}
for name, folder in machines.items():
    found = run_folder.load_json(folder / benchmark.MACHINE)
    print(name, "|", ", ".join(f"{key}: {value}" for key, value in found.items()))

# %% [markdown]
# (PyTorch calls both AVX512, after their widest instructions. The Intel processor has AMX besides, a unit for matrix products in 16 bits; the AMD has 16-bit instructions without such a unit. From the first there are the full-width step and the race of recipes at the end, from the second everything else and one recipe of the race in 32 bits.)
#
# ## A step, taken apart
#
# A profiler notes for every operation when it began and when it ended; what it spent in itself, without the operations that it called, is its *self* time. PyTorch's knows some forty kinds in our step; we sort them into a few bins. The step is that of the helper's `Trainer`: noise, fakes, two passes through the discriminator, its update, a third pass, the generator's update.
#
# <details><summary><b>Predict first:</b> the networks are convolutions, batch norms and activations, and there is an optimiser. What share of a step do the convolutions take?</summary>
#
# About three quarters at this page's width, in 32 and in 16 bits alike.
# </details>


# %%
BINS = {
    "convolutions": ("conv",),
    "batch norm": ("batch_norm",),
    "activations": ("relu", "threshold", "clamp_min", "tanh", "sigmoid"),
    "optimisers, average": ("Optimizer", "lerp", "addcdiv", "addcmul", "sqrt"),
    "noise": ("normal_",),
}


def take_apart(trainer, real, steps=3):
    """Milliseconds a step in each of the bins, and in everything else."""
    trainer.step(real)  # the first one also sets up compiled routines
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        for _ in range(steps):
            trainer.step(real)
    spent = dict.fromkeys([*BINS, "all the rest"], 0.0)
    for operation in profiled.key_averages():
        matching = (
            b for b, parts in BINS.items() if any(p in operation.key for p in parts)
        )
        spent[next(matching, "all the rest")] += operation.self_cpu_time_total
    return {name: total / 1000 / steps for name, total in spent.items()}


# %% tags=["nbval-ignore-output"]
h = preset()
if h == preset("laptop"):  # the widths of this page's recipe
    h = replace(h, generator_features=16, discriminator_features=16)
images = load_dataset(h.dataset, max_images=h.max_images)
profiles = {}
for precision in ("fp32", "bf16"):
    trainer = Trainer(replace(h, precision=precision), images)
    real = trainer.to_network(images[range(h.batch_size)])
    profiles[precision] = take_apart(trainer, real)

figure, ax = plt.subplots(figsize=(9, 2.6), layout="constrained")
left = dict.fromkeys(profiles, 0.0)
for name in profiles["fp32"]:
    widths = [profiles[p][name] for p in profiles]
    ax.barh(list(profiles), widths, left=list(left.values()), label=name)
    left = {p: left[p] + profiles[p][name] for p in profiles}
ax.set(title=f"Where a step goes (width {h.generator_features}, batch {h.batch_size})")
ax.set(xlabel="milliseconds a step", ylabel="arithmetic")
ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()
for precision, spent in profiles.items():
    share = ", ".join(f"{n} {t / left[precision]:.0%}" for n, t in spent.items())
    print(f"{precision}: {left[precision]:.0f} ms; {share}")
assert all(t >= 0 for spent in profiles.values() for t in spent.values())

# %% [markdown]
# About three quarters are convolutions, in either arithmetic. So that is where 16 bits help: the blue bar becomes shorter by two fifths, and the others together hardly do. Batch norms, activations and noise multiply next to nothing, yet they have to touch every number. The last bin holds, among a hundred small things, the casts to 16 bits.
#
# ## The work that has to be done
#
# How long *must* the convolutions take? Count their multiply-adds. A kernel weight is used once for every place where the kernel is laid: a convolution has as many places as its output has pixels, a transposed convolution as many as its *input* (notebook 02). So a layer's forward pass needs, for one image,
#
# $$\text{weights} \times \text{places}$$
#
# multiply-adds. Its backward pass computes two gradients, one for the weights and one for its input, and each is again as much work as the forward pass. So a layer trained in the plain way costs three times that. Our loop is not quite plain:
#
# - the generator $G$ runs once, backward once: $3g$, less the gradient for the noise, which nobody needs;
# - the discriminator $D$ runs three times (real, fake, and fake again): $3d$;
# - its own update needs both gradients for real and for fake, $4d$, less those for the pixels of either, as the fakes are detached;
# - the generator's update needs the gradients for the inputs all the way to the pixels, $d$, and none for $D$'s weights.
#
# Altogether $3g - g_1 + 8d - 2d_1$, with $g_1, d_1$ for the first layers.


# %%
def layer_work(network, x):
    """Multiply-adds of each convolution's forward pass for one image, in order."""
    found = []

    def note(layer, inputs, output):
        transposed = isinstance(layer, nn.ConvTranspose2d)
        places = (inputs[0] if transposed else output)[0, 0].numel()
        found.append(layer.weight.numel() * places)

    layers = (m for m in network.modules() if hasattr(m, "stride"))
    hooks = [layer.register_forward_hook(note) for layer in layers]
    network(x)
    for hook in hooks:
        hook.remove()
    return found


def step_work(features):
    """Both networks' layers, and the multiply-adds of a whole step, for one image."""
    g = layer_work(Generator(100, 1, features), torch.zeros(2, 100, 1, 1))
    d = layer_work(Discriminator(1, features), torch.zeros(2, 1, 64, 64))
    return g, d, 3 * sum(g) - g[0] + 8 * sum(d) - 2 * d[0]


# %%
g, d, total = step_work(64)
for name, work in (("G", g), ("D", d)):
    print(name, "  ".join(f"{n / 1e6:7.1f}" for n in work), "million multiply-adds")
print(f"a whole step: {total / 1e6:,.1f} million an image")
trainer = Trainer(replace(step_time.EQUAL, precision="fp32", batch_size=2), images)
counted = step_time.step_multiply_adds(trainer, images[[0, 1]])
print("PyTorch's counter says the same:", counted == total)

# %% [markdown]
# Look at the rows. In the generator the three large layers cost the same, one after the other: a doubling quadruples the places, and halving both channel counts divides the weights by four. (The first has hardly any places and the last hardly any channels.) The discriminator is the same thing run backwards with half the channels on either side of a layer, so each layer costs a quarter. Being in the step eight times, against the generator's three, it still makes up two fifths of it.
#
# And a first saving. The article leaves the discriminator's weights switched on while the generator learns. PyTorch then computes their gradients too, and the next `zero_grad` throws them away:

# %%
print(f"gradients thrown away: {sum(d) / (total + sum(d)):.1%} of the usual step")
for features in (16, 32, 64):
    g, d, total = step_work(features)
    print(f"width {features:2}: {total / 1e6:8,.1f} million an image")

# %% [markdown]
# `requires_grad_(False)` around the generator's half saves it (`Trainer.step`; notebook 07 has it too): one line, a twentieth of the work. The list says where the real savings are: half the width is a quarter of the work. The networks of this page's recipe, at 16, need about a sixteenth of the article's multiply-adds for each image.
#
# ## The limits of a machine
#
# A processor has two limits. It can multiply only so fast: a product of two large matrices is what processors and libraries are best at, so take its rate for the ceiling. And it can fetch only so many bytes a second from memory. An operation that does many multiply-adds for each byte it touches runs into the first limit, the flat part of the roof, one that does few into the second, its slope. The picture of both is called the *roofline* ([Williams, Waterman and Patterson 2009](https://doi.org/10.1145/1498765.1498785)). Here is that of your machine, with the first four convolutions of the full-width discriminator in it, and the last batch norm and LeakyReLU among them. (These two are small enough for the processor's cache, which is faster than memory, so they may pass the roof.)


# %%
def fastest(work, repeats=5):
    return min(seconds_of(work) for _ in range(repeats))


def bandwidth(megabytes=256):
    """Bytes a second, read and written, of a copy too large for the caches."""
    a = torch.zeros(megabytes * 2**18)
    b = torch.empty_like(a)
    return 2 * a.nbytes / fastest(lambda: b.copy_(a))


@torch.no_grad()
def point(layer, x, multiply_adds):
    """Multiply-adds a byte, and multiply-adds a second, of one layer's forward pass."""
    touched = sum(t.nbytes for t in (x, layer(x), *layer.parameters()))
    return multiply_adds / touched, multiply_adds / fastest(lambda: layer(x))


dtypes = {"fp32": torch.float32, "bf16": torch.bfloat16}
peaks = {precision: step_time.matrix_rate(dtype) for precision, dtype in dtypes.items()}
memory = bandwidth()

# %%
points = {precision: {} for precision in peaks}
for precision, dtype in dtypes.items():
    x = torch.randn(32, 1, 64, 64)
    layers = [m for m in Discriminator().modules() if not list(m.children())]
    for layer in layers[:9]:
        layer.to(dtype=dtype, memory_format=torch.channels_last)
        x = x.to(dtype=dtype, memory_format=torch.channels_last)
        with torch.no_grad():
            y = layer(x)
        if isinstance(layer, nn.Conv2d):
            work = layer.weight.numel() * y[:, 0].numel()
            name = f"conv {layer.in_channels} → {layer.out_channels}"
        else:  # about one for each number
            name, work = type(layer).__name__, y.numel()
        points[precision][name] = point(layer, x, work)
        x = y
assert len(points["bf16"]) == len(points["fp32"]) == 6

# %% tags=["nbval-ignore-output"]
figure, ax = plt.subplots(figsize=(9, 4.6), layout="constrained")
intensity = torch.logspace(-1.5, 3.5, 100)
markers = dict(zip(points["fp32"], "os^DPX", strict=True))
for precision, peak in peaks.items():
    roof = (intensity * memory).clamp(max=peak) / 1e9
    (line,) = ax.loglog(intensity, roof, label=f"roof, {precision}")
    for name, (x, rate) in points[precision].items():
        label = name if precision == "fp32" else None
        ax.plot(x, rate / 1e9, markers[name], color=line.get_color(), ms=8, label=label)
ax.set(
    title="The roofline of this machine", xlabel="multiply-adds for each byte touched"
)
ax.set(ylabel="10⁹ multiply-adds a second")
ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()
print(f"memory: {memory / 1e9:.0f} GB a second")
for precision, found in points.items():
    conv = [
        rate / peaks[precision] for name, (_, rate) in found.items() if "conv" in name
    ]
    print(
        f"{precision}: {peaks[precision] / 1e9:.0f}·10⁹ multiply-adds a second;",
        end=" ",
    )
    print("convolutions reach", ", ".join(f"{share:.0%}" for share in conv), "of it")
assert memory > 0 and all(rate > 0 for f in points.values() for _, rate in f.values())

# %% [markdown]
# The wide convolutions are far to the right, under the flat part of their roof. Or rather, on it and above it: in 32 bits three of the four are about twice as fast as the matrix product that was to be the ceiling. This library's convolutions are simply better than its product of two 2,048×2,048 matrices on this processor. A measured roof is a yardstick, no law. The first convolution, with 16 weights for each output, and the two layers that go number by number lie near the slope. Memory is what limits those, and 16 bits help them by halving the bytes. (A LeakyReLU above the roof has found its numbers in the cache.)
#
# So the large layers are limited by arithmetic, and there are two ways to make them faster: cheaper multiplications, and fewer.
#
# ## The same step, faster
#
# Now the whole step, at equal networks: full width, batches of 128, the same number of images, layers and updates. *The usual recipe* is the loop as the article and PyTorch's own examples have it, written by us: 32 bits, the default memory layout, every image through its own chain of transforms each time it is used, weight gradients in both halves. *Ours* computes the same numbers, up to rounding (a test holds it), with what you have met: 16-bit products under autocast, the layout channels-last, images resized once for all, no gradient that nobody reads.

# %%
middles = {}
for name, folder in machines.items():
    table = benchmark.read("steps", folder)
    middles[name] = medians(table, "what")["median"]
    usual = middles[name]["usual recipe"]
    hours = 30 * 469 * usual / 3.6e6  # the article's epochs and steps an epoch
    print(
        f"{name}: usual {usual:,.0f} ms a step, the article's 30 epochs {hours:.0f} h"
    )
    for line in benchmark.verdict(table):
        print("  ", line)

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for ax, (name, middle) in zip(axes, middles.items(), strict=True):
    bars = {"usual recipe": middle["usual recipe"]}
    bars |= {what: ms for what, ms in middle.items() if what.startswith("ours")}
    for p in ("fp32", "bf16"):
        bars[f"limit, {p}"] = 1000 * middle["needed"] / middle[f"matrix product, {p}"]
    colors = ["C0" if "limit" not in what else "lightgrey" for what in bars]
    ax.barh(list(bars), list(bars.values()), color=colors)
    ax.invert_yaxis()
    ax.set(title=name, xlabel="milliseconds a step")
figure.suptitle("A full-width step of 128 images; grey: its products at full speed")
plt.show()

# %% [markdown]
# Three times as fast on one machine and twice on the other, chiefly by 16-bit products (on the AMD they are 1.7 of the 2.05). The Intel's matrix unit makes its limit for 16 bits more than five times as high as for 32, the AMD's instructions, which do two products in the place of one, two and a half times. The nearer a step comes to the limit, the less there is left to gain: on the AMD three quarters of the rate of a pure matrix product are in use, so tricks with the same arithmetic can take off a quarter of the time at most, if that rate is the ceiling (the roofline says: nearly). On the Intel three quarters of the time are something else: convolutions that fall short of a matrix product, passes over memory, calls. Which of them, a profile of that machine would tell; we have none.
#
# In 32 bits the step on the AMD beats its "limit" a little. A large matrix product is a good yardstick and no law: convolutions have several algorithms, and a shared processor gives one minute more than the next. (The Intel's 32-bit step is missing because it was measured before channels-last was taken for 32 bits, too, which makes it about a tenth to a fifth faster.)
#
# And your machine? Both loops in turns, at the width of the profile above:

# %% tags=["nbval-ignore-output"]
usual = UsualRecipe(h, original_digits())
ours = Trainer(replace(h, instance_noise=0.0), images)  # the usual recipe has no noise
steps = ours.steps(10**6)
times = {"usual recipe": [], f"ours, {ours.precision}": []}
for _ in range(5):
    for taken, step in zip(
        times.values(), (usual.step, lambda: next(steps)), strict=True
    ):
        taken.append(1000 * seconds_of(step, 2))
for name, taken in times.items():
    low, *_, high = sorted(taken)
    print(f"{name:14}{statistics.median(taken):6.0f} ms ({low:.0f} to {high:.0f})")
assert all(len(taken) == 5 for taken in times.values())

# %% [markdown]
# Both loops compute the same losses on batches of as many digits. On a processor without 16-bit instructions *ours* runs in 32 bits, and the lead is what the layout, the loading and the gradients that nobody reads are worth.
#
# ## What did not pay
#
# Four speed-ups that one reads about, on a step of this page's recipe (AMD):
#
# <details><summary><b>Predict first:</b> which of them is worth switching on: a fused Adam, the generator's first layer as the matrix product it is, real and fake in one batch, <code>torch.compile</code>?</summary>
#
# None, on this machine. The largest gain is three per cent, and that one changes the game; the compiler makes the step slower.
# </details>

# %%
found = medians(benchmark.read("tricks", benchmark.AMD), "what")
base = found["median"]["as it is"]
print(f"as it is: {base:.0f} ms a step")
for what, middle, low, high in found.itertuples():
    if what.endswith("first"):
        continue
    if what != "as it is":
        first = found["median"][f"{what}, first"]
        print(f"{what:32}{middle / base:5.2f} of that", end="")
        print(f"  ({low / base:.2f} to {high / base:.2f}; first step {first:.1f} s)")

# %% [markdown]
# They aim at what is not the large convolutions: the optimiser (*fused* means all weights in one call), a first layer with a sixtieth of the generator's multiply-adds, the overhead of calls and the passes over memory between the layers, which `torch.compile` tries to merge. The profile has told how little all of this together is. Read a profile first, and tricks after.
#
# Real and fake in one batch is a special case. It is a few per cent faster, and it is no longer the same game: batch normalisation now takes its means over both kinds at once. What that does to the pictures is in the next table.
#
# ## What it costs
#
# A faster step is worth nothing if the digits get worse. So every change of the *recipe* was trained by itself, from three seeds, to the end of a short run: width 8, half of this page's, 32 bits unless said otherwise, 8 passes over the digits. All but one are of 632 steps; batches of 128 got 16 passes, which is 640 steps on twice the images. The bars are medians of FID, the dots are seeds.

# %% [markdown]
# All FIDs of this page are older than the held-out digits of notebook 08. Their runs trained on all 5,000 digits, and 5,000 fakes were scored against the same 5,000 digits, where the floor is 1.5. Today a run trains on 4,000, and 1,000 fakes are scored with 1,000 held-out digits. So compare the FIDs of this page with each other only.

# %%
ablation = benchmark.read("ablation", benchmark.AMD)
short = ablation[ablation["step"] < 1000]
found = medians(short, "change", value="fid").sort_values("median")
figure, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
ax.barh(found.index, found["median"], color="lightsteelblue")
ax.plot(short["fid"], short["change"], "k.")
ax.set(title="One thing changed at a time, three seeds", xlabel="FID after the run")
ax.set(xscale="log", xlim=(10, None))
ax.invert_yaxis()
plt.show()
shown = found.add_prefix("FID ")
shown["without averaging"] = short.groupby("change")["raw_fid"].median()
shown.round(1)

# %% [markdown]
# Mind the spread, then read:
#
# - **16 bits** are behind from every seed, by 2 to 7 %, which is far less than the seeds differ: a speed-up that is nearly free.
# - **Batches of 128** see twice the images, take more than half as long again a step (next figure), and are behind from every seed after as many steps. At this rate and time budget the small batch wins.
# - **Real and fake in one batch** ruins the game, from every seed, to save three per cent. The batch norms now measure both kinds together when the discriminator learns, and fakes alone when the generator does.
# - **Momentum of 0.5**, the paper's, is behind at this high rate; on the other hand it was chosen for a rate of a fifth of it.
# - **A constant rate** is *ahead*, from all three seeds: a rate that falls to 0 spends its last steps standing nearly still. But look at the column without averaging. At a constant rate the generator itself wanders about its goal, and it is the moving average that saves it, by a factor of two to eleven; with a falling rate the average has nothing left to do.
# - **Instance noise** makes no difference here that is larger than the spread.
#
# So why does this page's recipe let the rate fall, and add noise? A short run is not a long one. Here is the whole run at width 16, without the noise and with it, same seeds and steps (those with it are of the other machine):

# %%
without = ablation[ablation["step"] == 2370]["fid"]
renamed = {"laptop": "this page's recipe", "laptop in fp32": "this page's in fp32"}
quality = benchmark.read("quality", benchmark.INTEL).replace({"recipe": renamed})
whole = (quality["at"] == 300) & (quality["recipe"] == "this page's recipe")
with_noise = quality[whole]["fid"]
for name, fids in (("without noise", without), ("with it", with_noise)):
    low, middle, high = sorted(fids)
    print(f"{name:14} FID {middle:4.1f} ({low:.1f} to {high:.1f}) after 2,370 steps")

# %% [markdown]
# Over the whole run the noise halves the distance, and what made no difference after 632 steps is now plain from every seed. An explanation that fits: 5,000 digits are few, and a discriminator that sees them for the thirtieth time begins to know them one by one; under fresh noise none comes back the same. (We have not tested it. With all 60,000 digits the noise may be worth less.) The idea is older than this use of it: [Sønderby et al. (2017)](https://arxiv.org/abs/1610.04490) proposed it to make real and fake overlap. It has a cost that FID does not see: what the noise covers, the discriminator cannot teach. The teeth along the strokes that notebook 03 measures are finer than the classifier's 28×28 pixels.
#
# The falling rate we have compared in single runs only, when tuning, so nothing is claimed for it here.
#
# ## Larger, wider, more threads
#
# How does the step's time grow? The dotted lines are what one would expect: in proportion to the batch, with the square of the width, and inversely with the threads. They are drawn through the largest batch, the largest width and one thread. (The machine was shared, and not equally busy all the time: compare within a table, not across.)

# %%
growth = benchmark.read("growth", benchmark.AMD)
figure, axes = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
benchmark.show_growth(growth, axes)
figure.suptitle("A step's time (AMD); where nothing else is said, batch 64, width 16")
plt.show()
grown = medians(growth, "axis", "value", "precision", value="milliseconds")["median"]
compared = [("batch size", 64, 128), ("batch size", 128, 256), ("features", 4, 8)]
compared += [("features", 16, 64), ("threads", 1, 2)]
for axis, low, high in compared:
    for p in ("fp32", "bf16"):
        ratio = grown[axis, high, p] / grown[axis, low, p]
        print(f"{axis} from {low} to {high}, {p}: {ratio:.2f} times the time")

# %% [markdown]
# Points above a dotted line on the left mean that time grows more slowly than expected. It does nearly everywhere, for the same reason: a step has fixed costs, hundreds of calls and the updates of the weights, and small work cannot fill two cores. From 64 to 128 the batch doubles and the time does not, so an image gets cheaper; 256 is dearer per image again. (Per unit of quality is another question; the table of costs has the answer.) Four times the width costs nine to twelve times instead of sixteen. And below a width of 8 little is gained: width 4 does a quarter of the multiply-adds in three quarters of the time.
#
# The second thread is worth nearly a factor of two. 16 bits pay more the wider the network is, on this processor from width 16 on: narrow layers are bound by memory and calls, and a cast costs time, too. That is why `--precision auto` measures.
#
# ## Quality against time
#
# What counts in the end: the fakes after so many seconds of training, scored against the 5,000 digits that they trained on (5,000 fakes; scoring does not count). Three recipes on the same 5,000 digits, three seeds each: this page's; the article's settings as they are; and those with batch normalisation put back. All three run in our loop, the article's two in 32 bits, as it has them.

# %%
figure, ax = plt.subplots(figsize=(8, 4.4), layout="constrained")
benchmark.show_quality(quality, ax)
ax.set_title("FID against seconds of training (Intel, three seeds)")
plt.show()
shown = medians(quality, "recipe", "at", value="fid")["median"].unstack().round(1)
shown.columns = [f"FID, {at} s" for at in shown.columns]
minute = quality[quality["at"] == 60]
shown["steps after 60 s"] = minute.groupby("recipe")["step"].median().astype(int)
shown

# %% [markdown]
# This page's recipe is at FID 16.5 after one minute, at 7.2 after two and, at its end before the third, at 5.9. The floor is 1.5. The article's settings have made 23 steps after that first minute, and their networks, without batch normalisation, go nowhere in five. With it they leave the thousands, are at 449 after three minutes and at 461 after five, and have not come as far as this page's recipe in its first fifteen seconds.
#
# Is the comparison fair? It is the one that a reader without a GPU faces: same digits, same machine, same clock. But this page's recipe was tuned for just this race (on other seeds, with the same digits and the same FID), the article's settings were not, and 16 bits, which they do not use, would give them nearly two to three times as many steps. It is *not* a statement about the article's recipe in the long run, or about wide networks. On a GPU, where a full-width step is cheap, the paper's settings (`--preset paper`) may well be the better start; we have not measured it.
#
# And without 16 bits? The same recipe, forced to 32, on the slower machine:

# %%
slower = benchmark.read("quality", benchmark.AMD).replace({"recipe": renamed})
shown = medians(slower, "recipe", "at", value="fid").add_prefix("FID ").round(1)
shown.insert(0, "steps", medians(slower, "recipe", "at", value="step")["median"])
shown

# %% [markdown]
# 34, 19 and 11 after one, two and three minutes: about twice the distance at equal time, with half as many steps behind it (the three minutes end before the run does). It is the same game, only later.
#
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | The first step is much slower | routines are chosen and compiled, memory is fetched | do not count it; take medians of later ones |
# | A speed-up of 20 % that is gone tomorrow | another program, or a processor that had been cold | both in turns, in one run, several times; quote the ratio |
# | bf16 is slower than fp32 | the processor has no instructions for it | `--precision auto` measures before it chooses |
# | More threads, and slower | more threads than cores, or several trainings beside each other | `torch.set_num_threads`, one training at a time |
# | `loss.item()` seems to be the slowest line on a GPU | it waits for all that was started before it | read numbers seldom, all at once |
# | A faster step, and worse pictures at the same step | batch size, width or precision have changed the game itself | compare quality at equal *time*, with seeds |
#
# ## Summary
#
# 1. Convolutions take about three quarters of a step at width 16. What is done to the rest can win little.
# 2. A step needs $3g - g_1 + 8d - 2d_1$ multiply-adds an image, two thousand million at full width, by hand as by PyTorch's counter. Half the width is a quarter of that.
# 3. Arithmetic and memory are the two limits. Our full-width step runs at 73 % of the rate of a 16-bit matrix product on one machine and, where these products are five times as cheap, at 27 % on the other.
# 4. Our step is two to three times as fast as the usual one at full width; 16 bits are most of that, and nearly free. Four well-known tricks gain three per cent at most, and one of them ruins the game. What a change is worth in a short run need not hold in a long one.
# 5. FID of this page's recipe is 16.5, 7.2 and 5.9 after one, two and three minutes; the article's settings stay above 1,000, and with batch normalisation put back are at 461 after five. Of the factor of some 250 between the two runs' lengths (Intel), twelve is fewer images, three is how the step is computed, and seven is left for narrower networks.
#
# ## Exercises
#
# **1.** By what factor do a step's multiply-adds grow from width 8 to width 32, for one image? Guess first; four times as wide would be 16 times the work if every layer grew with the square.

# %%
answer = None


def check_growth(answer):
    if answer is None:
        return "not answered yet"
    right = step_work(32)[2] / step_work(8)[2]
    return "right" if abs(answer - right) < 0.2 else "not yet"


print("exercise 1:", check_growth(answer))

# %% [markdown]
# **2.** *Amdahl's law.* A part that takes the share `share` of a step becomes `gain` times as fast, and the rest stays as it is. How many times as fast is the whole step? Write it, and put your profile's convolutions into it: how fast would a step be if they took no time at all?


# %%
def whole_gain(share, gain):
    return None  # your code


def check_amdahl(answer):
    if answer(0.5, 2) is None:
        return "not answered yet"
    for share, gain, right in (
        (0.5, 2, 4 / 3),
        (0, 9, 1),
        (1, 3, 3),
        (0.9, 10, 1 / 0.19),
    ):
        if abs(found := answer(share, gain) - right) > 1e-6:
            return f"not yet: wrong by {found:.3f} for a share of {share}, gain {gain}"
    return "right"


print("exercise 2:", check_amdahl(whole_gain))

# %% [markdown]
# **3.** Find the next one. A speed-up is a `Trainer` with a part replaced: look at `dcgan_helpers/benchmark/tricks.py`, write your own class, add it to `tricks.TRICKS`, and `python -m dcgan_helpers benchmark tricks` sets it beside the others. If it changes what is computed, put it into `quality_time.CHANGES`, too, and let it pay in FID.
#
# **Next:** [notebook 13](13_conditional.ipynb) tells both networks the class of an image, so that you can ask for a 7.

# %%
# Spoilers! For the tests: the checks above accept the right answers.
right = step_work(32)[2] / step_work(8)[2]
assert check_growth(right) == "right" and check_growth(4) == "not yet"
assert check_amdahl(lambda share, gain: 1 / (1 - share + share / gain)) == "right"
assert check_amdahl(lambda share, gain: share * gain).startswith("not yet")
