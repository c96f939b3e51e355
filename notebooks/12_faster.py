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
# # 12 · Faster: where the time goes
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/12_faster.ipynb)
#
# On two CPU cores the article's 30 epochs take half a day, the preset `laptop` minutes. Why?
#
# **In this notebook you will**
#
# 1. take a step apart with PyTorch's profiler;
# 2. count the multiply-adds of a step;
# 3. time the same step in the usual code and in ours;
# 4. weigh each speed-up by its gain and its cost;
# 5. compare recipes at equal time, and split their difference into three factors.
#
# **You need** the two networks (notebooks 03, 04), the training loop (07) and FID (08). **Time:** read 46 min, run 2 min on a laptop.

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
import pandas as pd
import torch
from PIL import Image
from torch import nn
from torch.profiler import ProfilerActivity, profile

from dcgan_helpers import benchmark, exercises, run_folder
from dcgan_helpers.benchmark import step_time
from dcgan_helpers.benchmark.usual_recipe import UsualRecipe
from dcgan_helpers.data import load_dataset, original_digits
from dcgan_helpers.hyperparameters import preset
from dcgan_helpers.networks import Discriminator, Generator
from dcgan_helpers.quality.cost import seconds_of
from dcgan_helpers.quality.tables import medians
from dcgan_helpers.training import Trainer

# This notebook is about CPUs, even where there is a GPU.
os.environ["ACCELERATE_USE_CPU"] = "1"

# %% [markdown]
# The long measurements are stored tables of `python -m dcgan_helpers benchmark`, which takes hours. They come from three runs of it on machines with two cores:

# %%
folders = {"Intel": benchmark.INTEL, "AMD": benchmark.AMD}
folders["AMD, held-out"] = benchmark.HELD_OUT
for name, folder in folders.items():
    found = run_folder.load_json(folder / benchmark.MACHINE)
    print(name, "|", ", ".join(f"{key}: {value}" for key, value in found.items()))

# %% [markdown]
# PyTorch names both processors by their widest instructions. The Intel also has AMX, a unit for matrix products in 16 bits. The AMD has 16-bit instructions without such a unit.
#
# | table | trained on | FID against | floor of FID |
# | --- | --- | --- | --- |
# | Intel, AMD | all 5,000 digits | the same 5,000, with 5,000 fakes | 1.5 |
# | AMD, held-out | 4,000 digits | 1,000 held-out digits, with 1,000 fakes | 4.9 |
#
# The first two are older than the held-out digits. An FID of one kind must not be compared with an FID of the other kind.

# %% [markdown]
# ## A step, taken apart
#
# A profiler notes when each operation began and ended. The *self time* of an operation leaves out the operations that it called. We add up the self times of one `Trainer.step` by kind of work.
#
# <details><summary><b>Predict first:</b> the networks have convolutions, batch norm and activations, and there is an optimiser. What share of a step do the convolutions take?</summary>
#
# About three quarters at width 16, in 32 and in 16 bits.
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
# When this was stored, convolutions took 74%<!--seen--> of the time in 32 bits and 71%<!--seen--> in 16 bits. The 16 bits made the whole step shorter by a third, mostly in the convolutions. The other operations do little arithmetic, but each of them reads and writes every number. "All the rest" contains, among many small operations, the conversions to 16 bits.

# %% [markdown]
# ## The work of a step
#
# How much arithmetic do the convolutions need? Count their *multiply-adds*: one multiplication and one addition. Each weight of a kernel is used once at each place of the kernel. A convolution has as many places as its output has pixels. A transposed convolution has as many places as its *input* has pixels (notebook 02). So the forward pass of a layer needs, for one image,
#
# $$\text{weights} \times \text{places}$$
#
# multiply-adds. The backward pass computes two gradients, for the weights and for the input. Each of them needs as many multiply-adds as the forward pass.

# %% [markdown]
# Now count a whole step. Let $g$ and $d$ be the forward passes of the generator $G$ and of the discriminator $D$, and $g_1$ and $d_1$ their first layers.
#
# | part of the step | multiply-adds |
# | --- | --- |
# | $G$ forward once, and backward once, but no gradient for the noise | $3g - g_1$ |
# | $D$ forward three times: real, fake, and fake again | $3d$ |
# | $D$'s update: both gradients for real and for fake, but none for the pixels | $4d - 2d_1$ |
# | $G$'s update: gradients through $D$ to the pixels, but none for $D$'s weights | $d$ |
# | **together** | $3g - g_1 + 8d - 2d_1$ |


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
# The three large layers of the generator need equally many multiply-adds. From one to the next, the places become four times as many and the weights a quarter. In the discriminator each of the three needs a quarter of that, because it has half the channels on both sides. A step uses $D$ eight times, so $D$ still makes up two fifths of the work.
#
# The article computes the gradients of $D$'s weights also in $G$'s update. Nobody uses them, and the next `zero_grad` deletes them:

# %%
print(f"gradients thrown away: {sum(d) / (total + sum(d)):.1%} of the usual step")
for features in (16, 32, 64):
    g, d, total = step_work(features)
    print(f"width {features:2}: {total / 1e6:8,.1f} million an image")

# %% [markdown]
# `requires_grad_(False)` during $G$'s update saves 4.8%<!--seen--> of the work (`Trainer.step`). Narrower networks save more: half the width needs about a quarter of the multiply-adds. The networks of the preset `laptop`, of width 16, need a sixteenth of the article's.

# %% [markdown]
# ## The same step, faster
#
# Now time a whole step of networks of full width, with 128 images. *The usual recipe* is the loop of the article and of PyTorch's examples, written by us. It computes in 32 bits, transforms every image each time it is used, and computes the unused gradients. *Ours* does the same updates, up to rounding (a test compares them). It computes products in 16 bits (bf16), stores channels last, resizes each image once, and leaves out the unused gradients.
#
# The *limit* is the time that the multiply-adds of the step would take in one large matrix product, which processors do fast.

# %%
middles = {}
for name in ("Intel", "AMD"):
    table = benchmark.read("steps", folders[name])
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
figure.suptitle("A full-width step of 128 images; grey: the limit")
plt.show()

# %% [markdown]
# Our step is 3.12<!--seen--> times as fast on the Intel and 2.05<!--seen--> times on the AMD. On the AMD, 1.20<!--seen--> of this comes without 16 bits, so the 16 bits give a factor of 1.7. For the Intel we have no step of ours in 32 bits, so its factor cannot be split.
#
# On the AMD our step in 16 bits reaches 73%<!--seen--> of the limit's rate. In 32 bits it is even faster than the limit, so this limit is only approximate: the library's convolutions can be faster than its matrix product. On the Intel it is 27%<!--seen-->, so more than the products takes time there. What it is, we did not measure.
#
# And your machine? Both loops in turns, at width 16:

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
# When this was stored, ours took 51<!--seen--> ms and the usual recipe 97<!--seen--> ms. A processor without 16-bit instructions runs ours in 32 bits, and then the difference is smaller.

# %% [markdown]
# ## Four speed-ups with little gain
#
# <details><summary><b>Predict first:</b> which of these make a step 5% faster: a fused Adam, the first layer as a matrix product, real and fake in one batch, <code>torch.compile</code>?</summary>
#
# None, on the AMD. The compiler makes the step slower.
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
# These four change what the large convolutions do not do. *Fused* Adam updates all weights in one call. The first layer has a sixtieth of the forward work of $G$ at width 16. `torch.compile` tries to join small operations. The profile has shown how small these parts are. So read a profile before you try a speed-up.
#
# Real and fake in one batch saves 3%, but batch norm then takes its mean over both kinds together. The next section shows what this does.

# %% [markdown]
# ## The cost in quality
#
# Each change of the recipe was trained by itself with three seeds: width 8, 32 bits, 632 steps. Batches of 128 had 640 steps with twice the images. The figure compares each run with the unchanged run of the same seed. These runs were scored against the 5,000 digits that they trained on.

# %%
ablation = benchmark.read("ablation", benchmark.AMD)
short = ablation[(ablation["step"] < 1000) & ~ablation["change"].str.contains("noise")]
fids = short.pivot(index="change", columns="seed", values="fid")
ratio = fids.div(fids.loc["unchanged"]).drop("unchanged")
ratio = ratio.sort_values(1, ascending=False)
figure, ax = plt.subplots(figsize=(8, 3), layout="constrained")
for seed in ratio:
    ax.plot(ratio[seed], ratio.index, "o", alpha=0.7, label=f"seed {seed}")
ax.axvline(1, color="black", lw=1)
ax.set(title="One change at a time, against the same seed unchanged", xscale="log")
ax.set(xlabel="FID divided by the FID of the unchanged run (left of 1 is better)")
ticks = (0.5, 1, 2, 5, 10, 20, 50, 100)
ax.set_xticks(ticks, map(str, ticks))
ax.minorticks_off()
ax.legend()
plt.show()
shown = ratio.add_prefix("ratio, seed ").round(2)
shown["median FID"] = fids.median(axis=1).round(1)
shown["without the average"] = short.groupby("change")["raw_fid"].median().round(1)
shown

# %% [markdown]
# Where all three seeds lie on one side of 1, we call it an effect.
#
# - **16 bits** are a little worse with every seed at equal steps: 1.02<!--seen--> to 1.07<!--seen--> times the FID. This is measured at width 8, where 16 bits gain no time. Their gain is at width 16 and above.
# - **Batches of 128** are worse with every seed, 1.09<!--seen--> to 1.16<!--seen--> times the FID, after as many steps on twice the images.
# - **Momentum of 0.5**, the paper's, is worse with every seed at this learning rate. The paper's learning rate is a fifth of it.
# - **A constant rate** is better with every seed at 632 steps. Without the moving average it is far worse. In a run as short as this, a rate that falls to 0 ends early. For the whole run we have no comparison of three seeds, so we claim nothing.
# - **Real and fake in one batch** fails with every seed.
#
# The figure leaves out instance noise: notebook 09 measures it.

# %% [markdown]
# ## Larger, wider, more threads
#
# How does the time of a step grow? The dotted lines are simple expectations: in proportion to the batch, with the square of the width, inversely with the threads. They start at the largest batch, the largest width and one thread. Other programs also used this machine, so compare within one panel only.

# %%
growth = benchmark.read("growth", benchmark.AMD)
figure, axes = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
benchmark.show_growth(growth, axes)
figure.suptitle("A step's time (AMD); where nothing else is said, batch 64, width 16")
plt.show()
grown = medians(growth, "axis", "value", "precision", value="milliseconds")["median"]
compared = [("batch size", 64, 128), ("features", 4, 8), ("features", 16, 64)]
for axis, low, high in [*compared, ("threads", 1, 2)]:
    for p in ("fp32", "bf16"):
        ratio = grown[axis, high, p] / grown[axis, low, p]
        print(f"{axis} from {low} to {high}, {p}: {ratio:.2f} times the time")

# %% [markdown]
# From 64 to 128 images the time grows less than twofold. A part of the step does not depend on the batch: hundreds of calls, and the updates of the weights. Four times the width takes 9 to 12 times the time instead of 16. Width 4 takes three quarters of the time of width 8, with a quarter of the multiply-adds. The second thread nearly halves the time. The 16 bits gain time from width 16 on, on this processor. That is why `--precision auto` measures before it chooses.

# %% [markdown]
# ## Quality against time
#
# Now whole recipes at equal time. First our presets on the AMD, with three seeds in 16 bits and one seed in 32 bits, against held-out digits. Scoring does not count as time.

# %%
quality = benchmark.read("quality", benchmark.HELD_OUT)
figure, ax = plt.subplots(figsize=(8, 4.4), layout="constrained")
benchmark.show_quality(quality, ax)
ax.axhline(4.9, color="grey", ls="--")
ax.set_title("FID on held-out digits against seconds (AMD); dashed: the floor")
plt.show()
shown = medians(quality, "recipe", "at", value="fid")["median"].unstack().round(1)
shown = shown[[15, 35, 60, 90, 120, 180]].add_prefix("FID, ").add_suffix(" s")
ends = quality[quality["at"] == 300].groupby("recipe", sort=False)
shown["seconds in all"] = ends["seconds"].median().round()
shown.loc[quality["recipe"].unique()]

# %% [markdown]
# `laptop` is at 14.1<!--seen--> after one minute and ends at 10.1<!--seen-->. `digits`, which is told the labels (notebook 13), is at 5.4<!--seen--> after one minute. A FID of real digits is 4.9 on average. In 32 bits both presets need more time. With one seed each, their final FIDs say little.
#
# What do the fakes look like after a minute? The images come from another run on the same machine, with one seed:

# %%
peers = benchmark.read("peers", benchmark.HELD_OUT).query("at == 60").set_index("peer")
shown = ("article", "laptop", "digits")
figure, axes = plt.subplots(len(shown), figsize=(7, 6.6), layout="constrained")
for ax, name in zip(axes, shown, strict=True):
    ax.imshow(Image.open(benchmark.HELD_OUT / "peers" / f"{name}.png"))
    step, fid = peers.loc[name, ["step", "fid"]]
    ax.set(title=f"{name}: {step:,.0f} steps in 60 s, FID {fid:,.1f}")
    ax.set(xticks=[], yticks=[])
    print(f"{name}: {step:,.0f} steps, FID {fid:,.1f}")
plt.show()

# %% [markdown]
# The article's settings made 37<!--seen--> steps, and their fakes are nearly black. They train in our loop, which is faster than the usual code. Here they are for five minutes, on the Intel, with batch norm as well. These FIDs are of the older kind:

# %%
older = benchmark.read("quality", benchmark.INTEL)
renamed = {"laptop": "laptop, as it was then"}
older = older.replace({"recipe": renamed})
shown = medians(older, "recipe", "at", value="fid")["median"].unstack().round(1)
shown = shown[[15, 60, 180, 300]].add_prefix("FID, ").add_suffix(" s")
minute = older[older["at"] == 60]
shown["steps after 60 s"] = minute.groupby("recipe")["step"].median().astype(int)
shown

# %% [markdown]
# The article's networks without batch norm stay above 1,500. With batch norm they reach 449<!--seen--> after three minutes and 461<!--seen--> after five. That is worse than `laptop` after 15 seconds.
#
# This is the choice of a reader without a GPU: same digits, same machine, same time. It does not judge the article's settings in a long run. `laptop` was tuned for this comparison, on the same digits and the same FID, and the article's settings were not. On a GPU the preset `paper` may be the better start; we have not measured it.

# %% [markdown]
# ## Three factors
#
# The preset as it was then takes minutes where the usual code would take half a day (Intel). The difference is a product of three factors:

# %%
ends = older[(older["at"] == 300) & (older["recipe"] == renamed["laptop"])]
images_ours = 64 * ends["step"].median()
images_article = 30 * 469 * 128
middle = middles["Intel"]
usual, full = middle["usual recipe"] / 128, middle["ours, bf16"] / 128
narrow = 1000 * ends["seconds"].median() / images_ours
rows = [
    ("fewer images", "images", images_article, images_ours),
    ("a faster step", "ms an image, width 64", usual, full),
    ("narrower networks", "ms an image, our step", full, narrow),
    ("together", "seconds", usual * images_article / 1000, narrow * images_ours / 1000),
]
factors = pd.DataFrame(rows, columns=["factor", "of", "article", "preset"])
factors["times"] = factors["article"] / factors["preset"]
assert abs(factors["times"][:3].prod() / factors["times"][3] - 1) < 1e-6
factors.round(2).set_index("factor")

# %% [markdown]
# The largest factor, 12, is fewer images. Narrower networks give about 7 and the faster step about 3. Width 16 needs a sixteenth of the multiply-adds but saves less time than that. A guess: narrow layers use the processor less well. The faster step changes only rounding. The other two factors change the recipe, and what they cost in quality after half a day is not measured.

# %% [markdown]
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | The first step is much slower | routines are chosen and compiled | do not count it; take medians of later steps |
# | A gain of 20% that is gone tomorrow | another program ran beside it | run both in turns, several times, and quote the ratio |
# | bf16 is slower than fp32 | no 16-bit instructions, or narrow networks | `--precision auto` measures first |
# | More threads, and slower | more threads than cores, or two trainings at once | `torch.set_num_threads`; one training at a time |
# | `loss.item()` seems to be the slowest line on a GPU | it waits for everything that started before it | read numbers seldom, all at once |
# | A faster step, and worse fakes at the same step | the change also changed the training | compare quality at equal *time*, with seeds |

# %% [markdown]
# ## Summary
#
# 1. Convolutions take about three quarters of a step at width 16. A change of the rest can gain little.
# 2. A step needs $3g - g_1 + 8d - 2d_1$ multiply-adds an image, 2,029<!--seen--> million at full width. Half the width needs about a quarter of that.
# 3. Our step at full width is two to three times as fast as the usual one. On the AMD most of that is 16 bits.
# 4. Four well-known speed-ups gain 3% at most. One of them makes the training fail. Products in 16 bits make the FID of short runs up to 1.07<!--seen--> times as large.
# 5. At equal time `laptop` and `digits` are far ahead of the article's settings on a CPU. The factor of about 250 is 12 for fewer images, 7 for narrower networks and 3 for the faster step.

# %% [markdown]
# ## Exercises
#
# **Exercise 12.1.** *Amdahl's law.* A part that takes the share `share` of a step becomes `gain` times as fast. The rest stays as it is. Write `whole_gain(share, gain)`: how many times as fast is the whole step? Then put in the share of your convolutions: how fast is a step if they take no time?


# %% tags=["exercise"]
def whole_gain(share, gain):
    # BEGIN SOLUTION
    return 1 / (1 - share + share / gain)
    # END SOLUTION


whole_gain = exercises.whole_gain(whole_gain)

# %% [markdown]
# **12.2.** *Explore.* Write a speed-up of your own: a `Trainer` with one method replaced, like those of `dcgan_helpers/benchmark/tricks.py`. One to try is `torch.set_flush_denormal(True)` in `__init__`. Add your class to `tricks.TRICKS`; `python -m dcgan_helpers benchmark tricks` times it beside the others.
#
# **Next:** [notebook 13](13_conditional.ipynb) tells both networks the class of an image, so that you can ask for a 7.
