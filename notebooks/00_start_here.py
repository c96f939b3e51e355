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
# # 0 · Start here: a network that learns to draw by being caught
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/00_start_here.ipynb)
#
# Run the first cells now. In a few minutes, on the computer in front of you, a neural network will go from noise to handwritten digits. Nobody shows it how a digit is drawn. All it ever hears, from a second network, is how its fakes gave themselves away.
#
# **In this notebook you will**
#
# 1. train a DCGAN and see its pictures come out of noise;
# 2. watch the same game in one dimension, where every density can be drawn and theory checked;
# 3. derive the loss: from binary cross-entropy to the minimax value to what is used in practice;
# 4. see why the generator is given another loss than the one the theory names;
# 5. choose where to run the series, and in what order.
#
# **You need** Python, a little PyTorch (tensors, `nn.Module`, what `backward` does), and what a probability density is. **Time:** read 20 min, run 4 min on a laptop.
#
# Three sources are named throughout. *Goodfellow et al. (2014)* is [the paper that introduced GANs](https://arxiv.org/abs/1406.2661). *The paper* is [Radford, Metz and Chintala (2016)](https://arxiv.org/abs/1511.06434), which introduced the deep convolutional GAN, the DCGAN. *The article* is the one this series retells: day 28 of [a reader's notes in Chinese](https://github.com/YuehChun/ithome_30days_2022_AI), about [a DCGAN for MNIST](https://github.com/aladdinpersson/Machine-Learning-Collection/tree/master/ML/Pytorch/GANs/2.%20DCGAN). We keep every part of it, correct what it gets wrong, and measure what it only claims.

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

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.distributions import Normal

from dcgan_helpers.figures import show_timeline
from dcgan_helpers.figures.article import show_architecture
from dcgan_helpers.hyperparameters import preset
from dcgan_helpers.networks import Discriminator, Generator
from dcgan_helpers.training import train

# %% [markdown]
# ## What you will build
#
# One call does everything that the series takes apart afterwards. Start it and read on; the pictures below will be replaced by yours.

# %% tags=["nbval-ignore-output"]
run_dir = train(preset(), "runs/00_start_here", overwrite=True)
show_timeline(run_dir)
plt.show()
assert (run_dir / "generator.safetensors").is_file()

# %% [markdown]
# Each column is one *noise vector*, 100 random numbers, turned into a picture again and again as training goes on. At step 0 the network maps everything to grey. Then come blobs, strokes, and in the last row pictures most of which you can read. A *step* is one update of each of the two networks, from 64 real pictures and as many fakes.
#
# The network has drawn them without ever seeing a real one, and that is what makes the method worth a series. (Might some be copies of training digits all the same? A fair question; [notebook 08](08_results.ipynb) asks it. And the line about *precision* says in which kind of numbers this computer calculates fastest: notebook 07.)
#
# ## Two players
#
# There are two networks, and they are opponents.
#
# - The *generator* $G$ takes noise $z$ and returns a picture $G(z)$, a *fake*.
# - The *discriminator* $D$ takes a picture $x$ and returns the probability $D(x)$ that it is *real*, a picture from the data set.
#
# The discriminator sees real and fake pictures, in turn, with the answer attached, and learns to tell them apart: an ordinary classifier. The generator sees no picture at all. It is allowed to ask one thing: *in which direction should each of my pixels change, so that the discriminator takes this picture for real?* That direction is a gradient, and backpropagation through the discriminator gives it.
#
# Each makes the other's task harder. When it goes well, they get better together, and in the end the fakes cannot be told from the real.
#
# Here are both networks at the paper's full width, drawn from the code of this series. (The run above used narrower networks. The kernels are 4×4, as in the article and in [one author's later code](https://github.com/soumith/dcgan.torch); the paper's figure 1 has 5×5.) Follow the shapes: a first layer makes small maps out of noise, and four doublings make a picture of them; four halvings shrink the picture again, and a last layer makes one number. Notebooks 03 and 04 build them layer by layer.

# %%
show_architecture(Generator(), Discriminator())
plt.show()

# %% [markdown]
# (`1024 × 4 × 4` means 1,024 channels of 4×4 numbers each. The discriminator's last number is a *logit*, any number from $-\infty$ to $\infty$; its sigmoid is the probability, $D(x) = \sigma(\text{logit})$, which we call the *score* of a picture.)
#
# ## The game in one dimension
#
# Pictures have thousands of dimensions, and nobody can draw a density there. So play first with single numbers. The "real data" are numbers from a normal distribution with mean 2 and standard deviation 0.5. The generator knows only two things, a mean and a standard deviation of its own, and it starts far off. The discriminator is a small network.


# %%
bce = nn.BCEWithLogitsLoss()
real_data = Normal(2.0, 0.5)


class NumberGenerator(nn.Module):
    def __init__(self, mean=-4.0, std=0.5):
        super().__init__()
        self.mean = nn.Parameter(torch.tensor(mean))
        self.log_std = nn.Parameter(torch.tensor(std).log())

    def density(self):
        return Normal(self.mean, self.log_std.exp())

    def forward(self, z):
        return self.mean + self.log_std.exp() * z


def number_discriminator():
    return nn.Sequential(
        *[nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)]
    )


# %% [markdown]
# And this is the whole game. It is the loop of the article, and of notebook 07, at its smallest: a step for the discriminator, then a step for the generator. `generator_loss` and the generator's optimiser are left open, because we shall change both.


# %%
def play(generator_loss, seed, optimizer=torch.optim.SGD, lr=0.03, steps=800):
    torch.manual_seed(seed)
    generator, discriminator = NumberGenerator(), number_discriminator()
    opt_disc = torch.optim.Adam(discriminator.parameters(), 0.01, (0.5, 0.999))
    opt_gen = optimizer(generator.parameters(), lr)
    moments = []
    for step in range(steps + 1):
        if step % 20 == 0:
            moments.append((step, *snapshot(generator, discriminator)))
        real, fake = real_data.sample((128, 1)), generator(torch.randn(128, 1))

        logits_real, logits_fake = discriminator(real), discriminator(fake.detach())
        loss_real = bce(logits_real, torch.ones_like(logits_real))
        loss_fake = bce(logits_fake, torch.zeros_like(logits_fake))
        opt_disc.zero_grad()
        ((loss_real + loss_fake) / 2).backward()
        opt_disc.step()

        opt_gen.zero_grad()
        generator_loss(discriminator(fake)).backward()
        opt_gen.step()
    return moments


# %%
x = torch.linspace(-8, 8, 1601)


@torch.no_grad()
def snapshot(generator, discriminator):
    """On the grid x the fakes' density and D(x); the generator's mean and deviation."""
    density = generator.density()
    scores = discriminator(x[:, None]).sigmoid()[:, 0]
    return density.log_prob(x).exp(), scores, density.mean.item(), density.stddev.item()


def non_saturating(logits):  # derived below
    return -nn.functional.logsigmoid(logits).mean()


games = [play(non_saturating, seed) for seed in (1, 2, 3)]

# %% [markdown]
# <details><summary><b>Predict first:</b> at the end of a perfect game, what does the curve of $D(x)$ look like?</summary>
#
# Flat, at one half. Where real and fake are equally frequent, there is nothing to tell apart.
# </details>

# %%
p_real = real_data.log_prob(x).exp()
figure, axes = plt.subplots(2, 2, figsize=(10, 6.4), sharey=True, layout="constrained")
for ax, index in zip(axes.flat, (1, 10, 20, -1), strict=True):
    step, p_fake, learnt, *_ = games[0][index]
    seen = p_real + p_fake > 1e-4  # where there are numbers at all
    optimum = (p_real / (p_real + p_fake)).where(seen, torch.nan)  # derived below
    ax.fill_between(x, p_real, alpha=0.35, label="density of the real numbers")
    ax.fill_between(x, p_fake, alpha=0.35, label="density of the fakes")
    ax.plot(x, learnt, "k", label="$D(x)$, as learnt")
    ax.plot(x, optimum, "k:", lw=2, label="$D^*(x)$, the best possible")
    ax.set(title=f"step {step}", ylim=(0, 1.05))
for ax in axes[1]:
    ax.set_xlabel("$x$, a number")
for ax in axes[:, 0]:
    ax.set_ylabel("density, or $D(x)$")
figure.legend(
    *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2
)
figure.suptitle("A game of numbers: the fakes climb the discriminator's slope")
plt.show()

for seed, game in enumerate(games, start=1):
    *_, mean, deviation = game[-1]
    widest = max(moment[-1] for moment in game)
    print(f"seed {seed}: deviation up to {widest:.0f}, then mean {mean:.1f}, ", end="")
    print(f"deviation {deviation:.1f}")

# %% [markdown]
# The generator never saw a real number, and it ends with their mean and their standard deviation, from all three seeds. Watch how. At first the discriminator has an easy life: it says 0 on the left and 1 on the right. Its curve rises towards the real numbers, and the fakes are drawn up that slope. The quickest way for some of them to get there is to spread out, until at step 200 they are all over the axis and their density is hardly visible; then those on the right side are rewarded, and the whole gathers around 2. When the fakes have arrived, the slope is gone, and $D$ is nearly flat at one half wherever there is anything to see. Further out it still says 0, for the last thing it met there were the fakes of earlier steps.
#
# The dotted curve is the subject of the next section.
#
# ## The loss, derived
#
# (The article leaves this part to its chapter before. Here it is. All logarithms are natural.)
#
# **From a classifier's loss.** A classifier that gives probability $p$ to an example with label $y \in \{0, 1\}$ is charged the *binary cross-entropy*, which is the negative logarithm of the probability it gave to the truth:
#
# $$\mathrm{BCE}(p, y) = -\,y \log p - (1 - y)\log(1 - p).$$
#
# The discriminator's examples are real ones with $y = 1$ and fakes with $y = 0$, half and half. Write $\mathbb{E}$ for an average over many draws, and $p_\text{data}$ for the density of the real ones. So it minimises
#
# $$L_D = -\tfrac12\,\mathbb{E}_{x \sim p_\text{data}}\big[\log D(x)\big] - \tfrac12\,\mathbb{E}_{z}\big[\log\big(1 - D(G(z))\big)\big].$$
#
# **To the minimax value.** Change the sign and drop the half, and you have the value of the game in Goodfellow et al. (2014, equation 1):
#
# $$\min_G \max_D\; V(D, G) = \mathbb{E}_{x}\big[\log D(x)\big] + \mathbb{E}_{z}\big[\log\big(1 - D(G(z))\big)\big], \qquad V = -2 L_D.$$
#
# The discriminator pushes $V$ up. The generator, which enters only in the second term, pushes it down.
#
# **The best discriminator.** Hold $G$ fixed and write $p_g$ for the density of its fakes. At one point $x$, the value contains $p_\text{data}(x)\log D + p_g(x) \log(1 - D)$. Set the derivative with respect to $D$ to zero:
#
# $$\frac{p_\text{data}}{D} - \frac{p_g}{1 - D} = 0 \quad\Longrightarrow\quad D^*(x) = \frac{p_\text{data}(x)}{p_\text{data}(x) + p_g(x)}.$$
#
# (Goodfellow et al., proposition 1.) This is the dotted curve. The network knows no density, and still it comes close where there are numbers to learn from, as soon as the fakes change slowly: at steps 400 and 800, not yet at 200.
#
# **What the generator then minimises.** Put $D^*$ back into $V$, and what comes out measures how far the two densities are apart (their equation 6):
#
# $$V(D^*, G) = -\log 4 + 2\,\mathrm{JSD}(p_\text{data}, p_g), \qquad\text{so}\qquad L_{D^*} = \ln 2 - \mathrm{JSD},$$
#
# where JSD, the *Jensen-Shannon divergence*, is 0 for equal densities and $\ln 2$ for densities that do not overlap. The discriminator's loss therefore has two landmarks. At 0 it recognises every fake. At $\ln 2 \approx 0.69$, the price of a coin toss, it can tell nothing. In one dimension the formula can be checked by adding up over the grid:


# %%
def expected(density, values):
    return (density * values).sum().item() * 0.01  # an integral; x has steps of 0.01


def check_theorem(p_fake):
    p, q = (d.double().clamp(min=1e-300) for d in (p_real, p_fake))
    middle, best = (p + q) / 2, p / (p + q)
    loss = -(expected(p, best.log()) + expected(q, (1 - best).clamp(1e-300).log())) / 2
    jsd = (expected(p, (p / middle).log()) + expected(q, (q / middle).log())) / 2
    return loss, jsd


print("   distance of the means   best loss of D   ln 2 - JSD")
for mean in (-4.0, -3.0, 0.0, 1.0, 1.5, 2.0):
    loss, jsd = check_theorem(Normal(mean, 0.5).log_prob(x).exp())
    print(f"{2 - mean:24.1f} {loss:16.3f} {abs(math.log(2) - jsd):12.3f}")

# %% [markdown]
# The two columns agree, and at distance 0 both are $\ln 2$. Remember the first two lines as well. When the fakes are far off, the best discriminator has loss 0 and JSD is at its maximum, *whatever the distance*: coming closer, from 6 to 5, gains the generator nothing. So how did it cross that distance just now? The probability $D$ is flat there, but the logit behind it still has a slope. A loss that listens to the logit can use it.
#
# ## The loss that is used
#
# Theory gives the generator $\log(1 - D(G(z)))$ to minimise. Practice gives it another, the *non-saturating* loss $-\log D(G(z))$. The article's code has a comment, `min log(1 - D(G(z))) <-> max log(D(G(z))`, which reads as if the two were the same. Both do say "raise the score", and both leave the generator alone in the same place, where the logit is flat. But look at the gradients. With $D = \sigma(l)$, where $l$ is the logit, and $\sigma' = \sigma(1 - \sigma)$:
#
# $$\frac{d}{dl}\log(1 - \sigma(l)) = -\sigma(l) = -D, \qquad \frac{d}{dl}\big(-\log\sigma(l)\big) = -(1 - \sigma(l)) = -(1 - D).$$
#
# <details><summary><b>Predict first:</b> early in training the discriminator is sure: $D(G(z))$ is near 0. Which of the two gradients can the generator use?</summary>
#
# The first is then nearly 0, so the worst fakes teach it nothing. The second is nearly $-1$.
# </details>


# %%
def minimax(logits):
    return nn.functional.logsigmoid(-logits).mean()  # log(1 - D), never log 0


logit = torch.linspace(-6, 6, 241, requires_grad=True)
d = logit.sigmoid().detach()
figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for loss, name, formula in [
    (minimax, "minimax: log(1 - D)", -d),
    (non_saturating, "non-saturating: -log D", -(1 - d)),
]:
    values = torch.stack([loss(one) for one in logit])
    (gradient,) = torch.autograd.grad(values.sum(), logit)
    axes[0].plot(d, values.detach(), label=name)
    axes[1].plot(d, gradient, label=name)
    print(f"{name:24} autograd agrees:", torch.allclose(gradient, formula, atol=1e-6))
axes[0].set(title="The two losses", ylabel="loss of the generator (nats)")
axes[1].set(title="Their gradients", ylabel="gradient at the logit")
for ax in axes:
    ax.set_xlabel("$D(G(z))$, the score of a fake")
    ax.axvline(0.5, color="grey", ls=":")
axes[0].legend()
plt.show()

# %% [markdown]
# The gradients cross at $D = \tfrac12$, where the game ends. At the left edge, where it begins, one is 0 and the other $-1$. (The left panel hides this: as a function of $D$ the minimax loss has a slope there. But the generator moves $D$ through the logit, and at the left edge a large change of the logit hardly changes $D$. A *nat* is the unit of a loss with natural logarithms.)
#
# Is that a matter of taste, or can a game be lost by it? Play both, from three seeds each, once with plain gradient descent for the generator and once with Adam.

# %%
players = {"plain gradient descent": torch.optim.SGD, "Adam": torch.optim.Adam}
rates = {torch.optim.SGD: 0.03, torch.optim.Adam: 0.01}
figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
for ax, (name, optimizer) in zip(axes, players.items(), strict=True):
    for loss, color in [(minimax, "C0"), (non_saturating, "C1")]:
        runs = [play(loss, seed, optimizer, rates[optimizer]) for seed in (1, 2, 3)]
        for run in runs:
            label = loss.__name__ if run is runs[0] else None
            steps, means = [m[0] for m in run], [m[3] for m in run]
            ax.plot(steps, means, color, label=label)
        ends = torch.tensor([run[-1][3:] for run in runs])  # means and deviations
        arrived = ((ends - torch.tensor([2, 0.5])).abs() < 0.2).all(dim=1).sum()
        print(f"{name:22} {loss.__name__:14} arrived from {arrived} of 3 seeds")
    ax.axhline(2, color="grey", ls="--", label="the real mean")
    ax.set(title=name, xlabel="step")
axes[0].set_ylabel("mean of the fakes")
axes[1].legend()
figure.suptitle("Two losses for the generator, two optimisers, three seeds each")
plt.show()

# %% [markdown]
# With plain gradient descent, at this learning rate, the theory's loss does not get off the ground from any seed: the discriminator is sure, so the gradient is practically 0, and 800 steps move the fakes by no more than a hundredth or so. The non-saturating loss arrives every time. This is why Goodfellow et al. (2014, end of section 3) propose it.
#
# And with Adam? Both arrive, though the minimax loss waits longer. Adam divides each step by the size of recent gradients, so a gradient that is small but points the right way is scaled up again. The difference that every textbook draws is real, and the optimiser that everybody uses hides much of it. For images it does not hide enough: [notebook 09](09_experiments.ipynb) measures it.
#
# ## The series
#
# | notebook | what you do there | read | run |
# | --- | --- | --- | --- |
# | **00** this one | the game and its loss | 20 min | 4 min |
# | [01](01_imports_and_tensorboard.ipynb) | imports, device, seeds; TensorBoard in the notebook | 24 min | 1 min |
# | [02](02_shape_tests.ipynb) | the arithmetic of convolutions; tests that fail on purpose | 31 min | 1 min |
# | [03](03_generator.ipynb) | the generator, block by block | 20 min | 1 min |
# | [04](04_discriminator.ipynb) | the discriminator; all shape tests pass | 15 min | 1 min |
# | [05](05_hyperparameters.ipynb) | initial weights and every hyperparameter, measured | 20 min | 1 min |
# | [06](06_data.ipynb) | digits, scaling, and any data set by one changed line | 32 min | 3 min |
# | [07](07_training.ipynb) | the loop, and what happens without batch normalisation | 25 min | 4 min |
# | [08](08_results.ipynb) | a number for quality; failures made on purpose; memorising | 25 min | 5 min |
# | [09](09_experiments.ipynb) | the article's choices, one at a time, three seeds each | 20 min | 1 min |
# | [10](10_latent_space.ipynb) | walks, sums and searches among the hundred numbers | 52 min | 2 min |
# | [11](11_color_and_mode_collapse.ipynb) | three channels; how many of 1,000 kinds are drawn | 20 min | 3 min |
# | [12](12_faster.ipynb) | where a step's time goes; each speed-up and what it costs | 25 min | 2 min |
# | [13](13_conditional.ipynb) | "Draw me a 7": a class beside the noise | 48 min | 3 min |
# | [14](14_after_dcgan.ipynb) | what came after the DCGAN, at equal time; flow matching | 75 min | 1 min |
#
# Each stands alone, in any order; in this order they make a course.
#
# `python -m dcgan_helpers train --preset digits` trains a generator that draws the digit that one asks for; notebook 13 shows how.
#
# ## How to run it
#
# **On Colab.** Click the badge at the top of a notebook. Its set-up cell installs the helper package; nothing else is needed, and no GPU either. (*Runtime → Change runtime type* gives you one for the larger presets.)
#
# **In JupyterLab.** In a copy of the repository and a virtual environment: `pip install -r requirements.txt`, then `jupyter lab notebooks`. The `.py` beside each notebook is the same notebook as a script: with jupytext installed, saving one updates the other.
#
# **In VS Code.** Open the folder, open a notebook, and choose that virtual environment as its kernel (*Select Kernel*, top right). VS Code also runs the `.py` file cell by cell (*Run Cell* above each `# %%`).
#
# **In a class.** Code cells are at most 26 lines of 88 characters, so that they fit on a projector. Most exercises have a check that says *right* or *not yet*. (The last cell of a notebook proves that its checks accept the right answers. It is a spoiler.) To step through quickly, set the environment variable `DCGAN_PRESET=ci` before Jupyter starts: the training cells then take seconds (and their pictures are poor). The other way round, `DCGAN_PRESET=paper` runs the paper's sizes and wants a GPU.
#
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | `No module named 'dcgan_helpers'` | the kernel is not the environment you installed into | choose that environment's kernel; on Colab, run the set-up cell |
# | Training takes several times as long as stated | another program uses the processor, or it has no fast 16-bit arithmetic: the run's first line says | close it; or be patient, the pictures will be as good |
# | Your pictures differ from those stored here | another processor rounds differently, and a game amplifies it | nothing: expect the same quality, not the same digits |
# | "The generator's loss rises, so it is getting worse" | its loss is measured against an opponent who gets better too | look at pictures; notebook 07 says more |
#
# ## Summary
#
# 1. A DCGAN went from noise to digits. Only its discriminator saw the 4,000 real ones.
# 2. In one dimension the fakes climbed the slope of $D(x)$ until it was flat at one half.
# 3. The discriminator's loss is binary cross-entropy, $-\tfrac12$ times the minimax value. At its best it is $\ln 2 - \mathrm{JSD}$: 0 when it recognises every fake, $\ln 2$ when it can only guess.
# 4. The minimax loss gives the generator a gradient of $-D$ at the logit, which vanishes when the fakes are bad; the non-saturating one gives $-(1 - D)$. With plain gradient descent at the rate we tried that decides the game; Adam hides much of it.
# 5. Everything runs on a CPU, on Colab, in JupyterLab or in VS Code.
#
# ## Exercises
#
# **1.** The real numbers are uniform on $[0, 2]$, the fakes uniform on $[1, 3]$. What is $D^*$ at 0.5, at 1.5 and at 2.5, and what is the best discriminator's loss, in nats?

# %%
answer = None  # (D*(0.5), D*(1.5), D*(2.5), loss)


def check(answer):
    if answer is None:
        return "not answered yet"
    expected_loss = math.log(2) / 2  # it can only guess about half of the examples
    right = (1, 0.5, 0, expected_loss)
    close = all(abs(a - b) < 0.01 for a, b in zip(answer, right, strict=True))
    return "right" if close else "not yet"


print("exercise 1:", check(answer))

# %% [markdown]
# <details><summary>Answer</summary>
#
# Both densities are ½ where they are not 0. So $D^*$ is 1, ½ and 0. Half of all examples fall into the overlap $[1, 2]$ and cost $\ln 2$ each, the others cost nothing: $\tfrac12 \ln 2 \approx 0.35$.
# </details>
#
# **2.** Give the minimax player a chance: a smaller distance at the start. Find a mean from which plain gradient descent *does* arrive with the minimax loss, from all three seeds. (In `NumberGenerator`, change the default of `mean`.) How does it depend on whether the densities overlap?
#
# <details><summary>What we found</summary>
#
# From $-1$ it arrives, from all three seeds; from $-2$ it has moved by less than 0.1 after 800 steps. At $-1$ the two densities share only 0.3 % of their area, six standard deviations apart, and that little is enough to keep the discriminator from being quite sure.
# </details>
#
# **Next:** [notebook 01](01_imports_and_tensorboard.ipynb) sets up the tools, and fills a TensorBoard.

# %%
# Spoilers! For the tests: the checks above accept the right answers.
assert check((1, 0.5, 0, 0.347)) == "right" and check((1, 0, 0, 0)) == "not yet"
