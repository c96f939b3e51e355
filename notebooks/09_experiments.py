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
# # 9 · Experiments: one change at a time
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/09_experiments.ipynb)
#
# Recipes for GANs are long. Which lines matter?
#
# **In this notebook you will**
#
# 1. compare runs in pairs;
# 2. vary learning rate, momentum and width;
# 3. test batch norm, initial weights and losses;
# 4. compare convolutions with layers that share no weights;
# 5. test instance noise, and tell failing from slow.
#
# **You need** FID, precision and recall (notebook 08), the losses (00) and batch norm (03). **Time:** read 50 min, run 2 min on a laptop.

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
from dataclasses import replace

import matplotlib.pyplot as plt
import pandas as pd
import torch
from torch import nn

from dcgan_helpers import exercises
from dcgan_helpers.data import load_images
from dcgan_helpers.figures.runs import show_choices, show_pairs, show_row, show_runs
from dcgan_helpers.hyperparameters import preset
from dcgan_helpers.quality.cost import count_multiply_adds, count_parameters
from dcgan_helpers.quality.judge import judge_for
from dcgan_helpers.quality.tables import spread
from dcgan_helpers.studies import HALF_WIDTH, choices, read_results, sensitivity
from dcgan_helpers.studies.paired import compared, seen
from dcgan_helpers.training import Trainer

# %% [markdown]
# ## A fair comparison
#
# The *usual* run is the plain loop of notebook 07: a constant learning rate of 0.0005, $\beta_1$ = 0.5, no instance noise. It has 8 features and computes in 32 bits. Each other run changes one thing, called a *choice*. The data and the number of steps stay.
#
# FID compares 1,000 fakes of the moving average with the 1,000 held-out digits, after 158, 316 and 632 steps. 632 steps are 10 epochs. Each choice has three seeds. The scores come with the package, because the runs took more than an hour. `python -m dcgan_helpers study choices` makes them again.
#
# In code, a choice is a `Trainer` with one part replaced:

# %%
for choice in ("minimax loss", "label smoothing"):
    print(inspect.getsource(choices.CHOICES[choice]))

# %% [markdown]
# | choice | what it is | whose |
# | --- | --- | --- |
# | no batch norm | in neither network | the article's code |
# | batch norm only in G, only in D | in one network | ours |
# | scales N(0, 0.02) | batch-norm scales drawn around 0 | the article's `initialize_weights`, if it had batch norm |
# | sigmoid + BCE | the usual loss, computed from probabilities | the article's code |
# | minimax loss | G minimises $\log(1 - D(G(z)))$ | [Goodfellow et al. 2014](https://arxiv.org/abs/1406.2661), equation 1 |
# | label smoothing | D's target for real images is 0.9 | [Salimans et al. 2016](https://arxiv.org/abs/1606.03498), section 3.4 |
# | locally connected, fully connected | no shared weights | the article's chapter before has fully connected layers |
# | instance noise | noise on all that D sees | [Sønderby et al. 2017](https://arxiv.org/abs/1610.04490) |
#
# <details><summary><b>Predict first:</b> which of the first six choices in the table fail altogether, and which make no difference?</summary>
#
# No batch norm and batch norm only in G fail in all seeds, the minimax loss in two of three. For label smoothing and sigmoid + BCE no difference is seen.
# </details>

# %% [markdown]
# **Pairs.** Two usual runs with different seeds differ already. So we compare in pairs: runs with the same seed get the images in the same order, and the same initial weights if their networks are alike. The number is the ratio of their FIDs.
#
# The *seed spread* of a choice is its largest FID divided by its smallest. We write *effect* if all three ratios are on one side of 1, and their median is further from 1 than the seed spread of both choices. Else we write *no difference seen*, which does not mean that there is none.
#
# Learning rate and initial weights were chosen for the usual networks, and nothing was tuned for the others. So a choice that fails here may work with other numbers.

# %%
print(inspect.getsource(seen))
table = read_results("choices")
judge = judge_for(HALF_WIDTH)
floor = judge.floor()
print("floor of FID, 1,000 real digits against 1,000:", spread(floor["fid"], 1))

# %% [markdown]
# ## Learning rate, momentum, width
#
# These runs have 16 features and 630 steps. Their usual values are a learning rate of 0.0005, $\beta_1$ = 0.5 and 16 features. (`python -m dcgan_helpers study sensitivity` makes them again.)
#
# The paper found 0.001 too high and took 0.0002. It writes that $\beta_1$ = 0.9 made training oscillate, and that 0.5 stabilised it (section 4).

# %%
knobs = read_results("sensitivity")
TITLES = {"learning_rate": "learning rate", "beta1": "beta1", "features": "features"}


def of_knob(name):
    """The rows of each value of one number, the others being usual."""
    others = [other for other in sensitivity.USUAL if other != name]
    usual = [sensitivity.USUAL[other] for other in others]
    rows = knobs[(knobs[others] == usual).all(axis=1)].sort_values("seed")
    return {v: rows[rows[name] == v] for v in sensitivity.VALUES[name]}


figure, axes = plt.subplots(1, 3, figsize=(11, 3.8), layout="constrained", sharey=True)
results = {}
for ax, (name, title) in zip(axes, TITLES.items(), strict=True):
    found = of_knob(name)
    show_pairs(ax, found, floor["fid"])
    ax.set(title=title, xlabel=title)
    results[title] = compared(found, sensitivity.USUAL[name], floor)
axes[2].legend()
figure.suptitle("FID after 630 steps, dots of one seed joined")
plt.show()
pd.concat(results)

# %%
figure, axes = plt.subplots(5, 3, figsize=(12, 4.4), layout="constrained")
for column, (name, title) in zip(axes.T, TITLES.items(), strict=True):
    for ax in column:
        ax.axis("off")
    for ax, value in zip(column, sensitivity.VALUES[name], strict=False):
        path = sensitivity.picture(sensitivity.USUAL | {name: value})
        show_row(ax, path, f"{title} {value:g}")
figure.suptitle("Eight fakes of the same runs, seed 1")
plt.show()

# %% [markdown]
# **Learning rate.** At 0.00005 and at the paper's 0.0002, FID is higher: an effect. From 0.0005 to 0.005, the highest rate that was run, no difference is seen. The paper's networks are wider and its runs longer, so its rate may be right there.
#
# **Momentum.** $\beta_1$ = 0.9, Adam's default, is worse in all seeds: FID is 10.42<!--seen--> to 15.80<!--seen--> times the usual one. Between 0 and 0.5 no difference is seen. A guess at the reason: Adam remembers gradients from about ten steps ago, and the opponent has changed since.
#
# **Width.** 4 and 8 features are worse than 16: effects. With 32 FID is lower in all three seeds, but by less than the seed spread: no difference seen.

# %% [markdown]
# ## Batch norm and initial weights


# %%
def chosen(choice, step=632):
    """The rows of a choice after a step, by seed."""
    rows = table[(table["choice"] == choice) & (table["step"] == step)]
    return rows.sort_values("seed")


def compare(title, *names):
    """FID by seed, eight fakes of seed 1 each, and the table."""
    found = {name: chosen(name) for name in ("usual", *names)}
    rows = {}
    for name in found:
        last = table[(table["choice"] == name) & (table["seed"] == 1)].iloc[-1]
        text = f"{name}, seed 1, step {last['step']:,}: FID {last['fid']:.0f}"
        rows[name] = choices.picture(name), text
    show_choices(found, rows, floor["fid"], f"{title}, 632 steps")
    plt.show()
    return compared(found, "usual", floor)


# %%
compare(
    "Batch norm and initial weights",
    "no batch norm",
    "batch norm only in G",
    "batch norm only in D",
    "scales N(0, 0.02)",
)

# %% [markdown]
# - **No batch norm**: an effect. FID is 1,548<!--seen--> in all three seeds, and the fakes are black.
# - **Only in G**: an effect. All seeds fail. Seed 1 draws one image, whatever the noise. Precision alone does not show it: the median is 0.99<!--seen-->, but recall is 0.
# - **Only in D**: an effect. All seeds learn, but their FID is 1.45<!--seen--> to 3.06<!--seen--> times the usual one.
# - **Scales N(0, 0.02)**: an effect. FID is 1.56<!--seen--> to 2.64<!--seen--> times the usual one.
#
# The paper has batch norm in both networks. It reports that without it the generator mapped all noise to one point (section 3). Here batch norm in D alone is enough to learn, and in G alone it is not.

# %% [markdown]
# ## Losses

# %%
compare("Three other losses", "sigmoid + BCE", "label smoothing", "minimax loss")

# %% [markdown]
# **Sigmoid + BCE** is the same loss in mathematics. Only the rounding differs. So its row shows how far two runs come apart by rounding alone: FID changes by a factor of up to 1.17<!--seen-->. For it and for **label smoothing** no difference is seen.
#
# **The minimax loss** learns from seed 1, and fails from seeds 2 and 3. There the loss of D is at most 0.0001<!--seen-->, so D is sure that the fakes are fake. In this case the minimax loss gives G almost no gradient (notebook 00). That this is why it fails is a guess: no control was run.

# %% [markdown]
# ## Convolutions
#
# The article closes with the remark that a DCGAN trains far better than a fully connected GAN. It gives no numbers. A convolution differs from a fully connected layer in two things. It joins each output with a few near pixels only. And it uses the same weights at every place.
#
# Three rivals separate them:
#
# - **locally connected**: the same layers, joined to the same pixels, with weights of their own at every place. Only the sharing is gone. A step has as many multiply-adds.
# - **fully connected, equal parameters**: two hidden layers, with as many weights as the usual networks.
# - **fully connected, equal cost**: the same, with as many multiply-adds for an image.

# %%
RIVALS = (
    "locally connected",
    "fully connected, equal parameters",
    "fully connected, equal cost",
)
few = load_images(replace(HALF_WIDTH, max_images=64), progress=False)
times = choices.read_times().pivot(
    index="round", columns="choice", values="milliseconds"
)
noise, pixels = torch.zeros(2, 100, 1, 1), torch.zeros(2, 1, 64, 64)
cost = {}
for name in ("usual", *RIVALS):
    g, d = choices.CHOICES[name](HALF_WIDTH, few).make_networks()
    work = count_multiply_adds(g, noise) + count_multiply_adds(d, pixels)
    cost[name] = {
        "weights of G": f"{count_parameters(g):,}",
        "weights of D": f"{count_parameters(d):,}",
        "multiply-adds of both": f"{work / 1e6:.1f} million",
        "time of a step": spread(times[name] / times["usual"], 2),
    }
pd.DataFrame(cost).T

# %%
compare("Convolutions and layers that share no weights", *RIVALS)

# %% [markdown]
# The **locally connected** networks have the same layers, joined to the same pixels, and do the same multiply-adds. Only the sharing of weights is missing, so they have 18 and 38 times as many weights. After the same steps their FID is 13.28<!--seen--> to 24.90<!--seen--> times the usual one, an effect. So the shared weights make this difference.
#
# The **fully connected** networks differ in more: depth, batch norm in D, dropout and initial weights. So their rows show no cause.
#
# <details><summary>How the fully connected networks were chosen</summary>
#
# Both have two hidden layers. G has batch norm, and D has dropout. At equal parameters this was the best of five set-ups, tried with one seed. At equal cost there was one. The hidden layers of D have 11 units at equal parameters, because each unit has 4,096 weights. So better fully connected GANs may exist.
# </details>

# %%
figure, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.2), sharey=True, layout="constrained"
)
for color, name in enumerate(("usual", *RIVALS[:2])):
    runs = table[table["choice"] == name]
    runs = runs.assign(seconds=runs["step"] * times[name].median() / 1000)
    show_runs(left, runs, "step", "fid", name, color=f"C{color}")
    show_runs(right, runs, "seconds", "fid", name, color=f"C{color}")
ticks = sorted(set(table["step"]))
left.set(
    title="at equal steps", xlabel="step", ylabel="FID", xscale="log", yscale="log"
)
left.minorticks_off()
left.set_xticks(ticks, ticks)
right.set(title="at equal time", xlabel="seconds of training", xscale="log")
right.minorticks_off()
right.set_xticks([5, 10, 20, 50, 100, 200], [5, 10, 20, 50, 100, 200])
for ax in (left, right):
    ax.axhspan(*floor["fid"][1:], color="0.85")
figure.suptitle("Three seeds each (marker); grey: the floor")
handles, labels = left.get_legend_handles_labels()
figure.legend(handles, labels, loc="outside lower center", ncols=3)
plt.show()

# %%
seconds = 632 * times["usual"].median() / 1000
print(f"scores nearest to the {seconds:.0f} seconds of 632 usual steps:")
for name in ("usual", *RIVALS[:2]):
    a_step = times[name].median() / 1000
    steps = sorted(set(table[table["choice"] == name]["step"]))
    nearest = min(steps, key=lambda step: abs(step * a_step - seconds))
    own, fid = chosen(name, nearest), chosen(name, nearest)["fid"].to_numpy()
    ratio = fid / chosen("usual")["fid"].to_numpy()
    print(f"{name:34}{nearest:6,} steps,{nearest * a_step:3.0f} s: ", end="")
    print(f"FID {spread(fid)}, {spread(ratio, 1)} times usual")
    print(f"{'':34} recall {spread(own['recall'], 2)}")

# %% [markdown]
# At equal time the locally connected networks are further behind, because a step takes 6.87<!--seen--> times as long. They reach step 158 only later.
#
# A step of the small fully connected pair takes 0.13<!--seen--> times as long. At equal time it is 4.0<!--seen--> times behind by the median, instead of 24.00<!--seen--> times at equal steps. Its strokes break up into single pixels. Its recall is 0.04<!--seen-->: hardly any real digit lies among its fakes.
#
# So the article's remark holds here, by both counts.

# %% [markdown]
# ## Instance noise
#
# Both kinds of images get fresh noise before the discriminator sees them: normal noise with standard deviation 0.4, as in the preset `laptop`. [Sønderby et al. 2017](https://arxiv.org/abs/1610.04490) propose it, so that real and fake images overlap.
#
# Does it also keep the discriminator from memorising? A discriminator that memorises gives higher logits to trained-on digits than to held-out digits. The study `noise` trains the preset `laptop` with and without the noise, three seeds each. Every 210 steps it measures the mean logits, under the noise of the training.

# %%
runs = read_results("noise")
gaps = ("trained", "held_out"), ("held_out", "fake")
for high, low in gaps:
    runs[f"{high} less {low}"] = runs[f"logit_{high}"] - runs[f"logit_{low}"]
figure, axes = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
for amount, ls in ((0.0, "--"), (0.4, "-")):
    own = runs[runs["instance_noise"] == amount]
    show_runs(axes[0], own, "step", "trained less held_out", ls=ls)
    show_runs(axes[1], own, "step", "held_out less fake", ls=ls)
    show_runs(axes[2], own, "step", "fid", f"noise {amount}", ls=ls)
axes[0].set(title="logit of trained-on less held-out digits", ylabel="difference")
axes[1].set(title="logit of held-out digits less fakes", ylabel="difference")
axes[2].set(title="FID", ylabel="FID", yscale="log")
axes[2].axhspan(*floor["fid"][1:], color="0.85", label="floor")
axes[2].legend()
for ax in axes:
    ax.set_xlabel("step")
figure.suptitle("The preset laptop without instance noise (dashed) and with it (solid)")
plt.show()

# %%
end, fid = runs[runs["step"] == 1890].sort_values("seed"), {}
for amount in (0.0, 0.4):
    own = end[end["instance_noise"] == amount]
    fid[amount] = own["fid"].to_numpy()
    print(f"instance noise {amount}, step 1,890: FID {spread(fid[amount], 1)}")
    for high, low in gaps:
        gap = spread(own[f"{high} less {low}"], 2)
        print(f"    logit of {high} less {low}: {gap}")
ratio = spread(fid[0.4] / fid[0.0], 2)
print(f"FID with noise: {ratio} times that without; {seen(fid[0.4], fid[0.0])}")
short = {name: chosen(name) for name in ("usual", "instance noise")}
compared(short, "usual", floor)

# %% [markdown]
# **Memorising.** With noise and without it, the logit of trained-on digits rises above that of held-out digits. At the end the difference is 0.56<!--seen--> without noise and 0.24<!--seen--> with it. But the noise also lowers the difference between held-out digits and fakes, from 1.29<!--seen--> to 0.53<!--seen-->. So these logits do not show that the discriminator memorises less.
#
# **FID.** With noise two seeds end at 0.54<!--seen--> to 0.59<!--seen--> times the FID, the third at 1.16<!--seen--> times. So no difference is seen. Without noise the FID of two seeds no longer falls over the last 600 steps (figure). For 632 steps with 8 features no difference is seen either (table), nor for 600 steps in notebook 14.

# %% [markdown]
# ## A gallery of failures
#
# How do you tell a failing run from a slow one? Five choices from above, with their FID over the steps, and the fakes of seed 1 after its last step.

# %%
SHOWN = (
    "usual",
    "no batch norm",
    "batch norm only in G",
    "minimax loss",
    "fully connected, equal cost",
    "fully connected, equal parameters",
)
size = {"figsize": (10, 8), "layout": "constrained", "width_ratios": (1, 2)}
figure, axes = plt.subplots(len(SHOWN), 2, sharex="col", **size)
for (left, right), name in zip(axes, SHOWN, strict=True):
    show_runs(left, table[table["choice"] == name], "step", "fid")
    left.set(xscale="log", yscale="log", xlim=(140, 5600), ylim=(30, 6000))
    left.set(ylabel="FID", xticks=ticks)
    left.minorticks_off()
    left.set_xticklabels(ticks, fontsize=8)
    show_row(right, choices.picture(name), name)
axes[0, 0].legend(fontsize=7)
axes[-1, 0].set_xlabel("step")
figure.suptitle("Failing or slow? FID over the steps, and fakes of seed 1")
plt.show()

# %%
gallery = {}
for name in SHOWN:
    own = chosen(name)
    before = chosen(name, 316)["fid"].to_numpy()
    gallery[name] = {
        "loss of D": spread(own["loss_discriminator"], 4),
        "FID, step 316": spread(before),
        "FID, step 632": spread(own["fid"]),
        "precision": spread(own["precision"], 2),
        "recall": spread(own["recall"], 2),
        "rarest digit": spread(own["rarest"], 3),
    }
black = judge.score(torch.full((1000, 1, 64, 64), -1.0))
print(f"1,000 black images: FID {black['fid']:.0f}")
pd.DataFrame(gallery).T

# %% [markdown]
# Read the curve first. If FID still falls in all seeds, the run is *slow*. If not, the run is *failing*, as far as these steps show.
#
# - **One image.** Without batch norm all fakes are black: 1,000 black images have the same FID, 1,548<!--seen-->. With batch norm only in G the fakes of seed 1 all show the same three bars.
# - **It depends on the seed.** The minimax loss learns from one seed and fails from two.
# - **Few images.** Most fakes of the fully connected pair of equal cost show nearly the same 8. Such a lack of variety is *mode collapse* (notebook 11). Recall is 0.
# - **Slow.** The small fully connected pair looked like a failure at step 632, with FID 1,484<!--seen-->. At step 5,056 it draws digits.
#
# Losses do not tell them apart: D's loss is 0.50<!--seen--> in the pair that draws two images, and 0.55<!--seen--> in the usual run.

# %% [markdown]
# ## One pair, run by you
#
# The usual run and $\beta_1$ = 0.9, the same seed, 158 steps each. The first is the run of the table. On another processor its FID may differ, because the processor rounds otherwise.

# %% tags=["nbval-ignore-output"]
h = preset()
is_small = h != preset("laptop")  # the tests run with tiny networks, and less of them
base = replace(h, precision="fp32") if is_small else HALF_WIDTH
images, judge = load_images(base, progress=False), judge_for(base)
curves, found = {}, {}
for beta1 in (0.5, 0.9):
    trainer = Trainer(replace(base, betas=(beta1, 0.999), seed=1), images)
    curves[beta1] = pd.DataFrame(trainer.steps(16 if is_small else 158))
    generator = trainer.moving_average.module.eval()
    found[beta1] = judge.score_generator(generator)["fid"]
    low = (curves[beta1]["loss_discriminator"] < 0.01).sum()
    print(f"beta1 {beta1}: FID {found[beta1]:.0f}; loss of D below 0.01 in {low} steps")
known = chosen("usual", 158)["fid"].iloc[0]
print(f"usual, in the table: FID {known:.0f}")
assert is_small or 0.5 * known < found[0.5] < 2 * known

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained", sharey=True)
for ax, (beta1, curve) in zip(axes, curves.items(), strict=True):
    for name, label in (("d_real", "$D(x)$"), ("d_fake_before", "$D(G(z))$")):
        ax.plot(range(1, len(curve) + 1), curve[name], lw=1, label=label)
    ax.set(title=f"beta1 = {beta1}", xlabel="step", ylabel="mean of a batch")
axes[1].legend(loc="center")
figure.suptitle("Does it oscillate? Mean $D(x)$ and $D(G(z))$ at each step")
plt.show()

# %% [markdown]
# With $\beta_1$ = 0.9 the discriminator is sure in most steps. Its loss is below 0.01 in 115<!--seen--> of them, against 7<!--seen--> with 0.5. Then $D(x)$ and $D(G(z))$ rise and fall together over several steps. With 0.5 they also jump, but from one step to the next. This is one pair: it shows what happens, and not how often.

# %% [markdown]
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | A trick helps in one run and not in the next | the seed spread is larger than its effect | three seeds, in pairs; show all |
# | Two tricks were added together, and FID improved | nobody knows which one did it | one change at a time |
# | A cheap network loses at equal steps and wins at equal time | a step does not cost the same | say which of the two you compare |
# | The new choice was tuned, the old one was not | tuning helps, too | equal effort for both ([Lucic et al. 2018](https://arxiv.org/abs/1711.10337)) |
# | `BCELoss` raises an error under autocast on a GPU | a sigmoid in 16 bits rounds to 0 or 1 (notebook 04) | logits and `BCEWithLogitsLoss` |

# %% [markdown]
# ## Summary
#
# 1. Runs with the same seed make a pair. An *effect* needs all three ratios on one side of 1, and a median beyond the seed spread.
# 2. A rate of 0.0002 and less is worse here in 630 steps, $\beta_1$ = 0.9 is far worse, and so are 4 and 8 features. No difference is seen between rates from 0.0005 to 0.005.
# 3. Batch norm in D decides: without it all runs fail. The minimax loss fails from two seeds of three. Scales around 0 slow learning down. For label smoothing and sigmoid + BCE no difference is seen.
# 4. Without shared weights the same layers learn far more slowly, at equal steps and at equal time. A small fully connected pair is far behind as well.
# 5. For instance noise no difference in FID is seen. A failing run's FID no longer falls; a slow run's FID does.
#
# ## Exercises
#
# **Exercise 09.1.** *Explore.* Test a choice of your own. Write a class like the two printed above, put it into `choices.CHOICES["mine"]`, and call `choices.run_choice("mine", seed, HALF_WIDTH, judge)` for the seeds 1, 2 and 3. A run takes some minutes. Put a table into `comparison`: columns `choice`, `seed` and `fid`, rows of "usual" and of your own choice at step 632. Then let `seen` say what your FIDs allow to say.

# %% tags=["exercise"]
# BEGIN SOLUTION
comparison = pd.concat([chosen("usual"), chosen("instance noise")])
# END SOLUTION
comparison = exercises.comparison(comparison)

# %% [markdown]
# **09.2.** *Two-sided* label smoothing also moves the target of the fakes, from 0 to 0.1. Write this loss of the discriminator as a function of the logits, halved like ours: `(real + fake) / 2`.
#
# <details><summary>Why do Salimans et al. (section 3.4) advise against it?</summary>
#
# With densities $p$ of the real images and $q$ of the fakes, the best discriminator is $D^* = (0.9\,p + 0.1\,q)/(p + q)$. Consider a place with many fakes and hardly any real images, $p \ll q$. One-sided, $D^* \approx 0.9\,p/q$, so $\log D^*$ still rises towards the real images. Two-sided, $D^* \approx 0.1$, which is flat: such fakes get no gradient.
# </details>


# %%
def two_sided(logits_real, logits_fake):
    return None  # your code


def check_two_sided(answer):
    if answer(torch.zeros(4), torch.zeros(4)) is None:
        return "not answered yet"
    real, fake = torch.tensor([2.0, -1.0]), torch.tensor([0.5, -3.0])
    expected = 0.0
    for logits, target in ((real, 0.9), (fake, 0.1)):
        d = logits.sigmoid()
        expected -= (target * d.log() + (1 - target) * (1 - d).log()).mean() / 2
    return "right" if torch.isclose(answer(real, fake), expected) else "not yet"


print("exercise 09.2:", check_two_sided(two_sided))

# %% [markdown]
# **Next:** [notebook 10](10_latent_space.ipynb) looks into the latent space of a trained generator.


# %% tags=["solution"]
# The check above accepts a right answer.
def right_two_sided(logits_real, logits_fake):
    bce = nn.functional.binary_cross_entropy_with_logits
    real = bce(logits_real, torch.full_like(logits_real, 0.9))
    return (real + bce(logits_fake, torch.full_like(logits_fake, 0.1))) / 2


assert check_two_sided(right_two_sided) == "right"
assert check_two_sided(lambda r, f: right_two_sided(f, r)) == "not yet"
