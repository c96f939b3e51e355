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
# # 1 · Tools: imports, a device, seeds, and TensorBoard in the notebook
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/01_imports_and_tensorboard.ipynb)
#
# A GAN's losses say little about its pictures, so you will want to *look*, all the time, while it trains. At the end of this page you have a panel in your notebook in which you have put a curve, a picture and a histogram, and you know what to do when the panel stays empty.
#
# **In this notebook you will**
#
# 1. meet the main imports of the series and what each is for;
# 2. pick the device, the same way on a laptop and on a GPU;
# 3. seed the random numbers, and find out what a seed does not promise;
# 4. write a scalar, an image and a histogram for TensorBoard, and find them again;
# 5. repair an empty TensorBoard panel.
#
# **You need** Python and PyTorch tensors. **Time:** read 15 min, run 1 min on a laptop.
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


# %% [markdown]
# ## The imports, one by one
#
# In the middle are the article's imports; before and after them, what this page needs. (Two things we leave out. `torch.optim` needs no line of its own, since `torch.optim.Adam` is there after `import torch`. And `torchvision.transforms` has given way to its successor `transforms.v2`, which notebook 06 uses.)

# %%
import shutil  # to delete old logs
from pathlib import Path  # paths that work on every system

import matplotlib.pyplot as plt  # figures
import tensorboard.manager  # which TensorBoards are running
import torch  # tensors, gradients, optimisers
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn  # layers and losses: nn.Conv2d, nn.BCEWithLogitsLoss
from torch.utils.data import DataLoader  # shuffles a data set and cuts it into batches
from torch.utils.tensorboard import SummaryWriter  # writes what TensorBoard shows
from torchvision import datasets  # MNIST and others, by name
from torchvision.utils import make_grid  # 32 images into one picture

from dcgan_helpers.data import load_dataset, scale_images  # digits without a download
from dcgan_helpers.figures import show_images

for tool in (nn.ConvTranspose2d, DataLoader, datasets.MNIST, SummaryWriter):
    print(f"{tool.__module__.split('.')[0]:12} {tool.__name__}")

# %% [markdown]
# `dcgan_helpers` is the package of this series, small enough to read. Each notebook writes its subject out by hand first, then uses the helper's version, which has been shown to be the same.
#
# ## The device
#
# The article has `torch.device("cuda" if torch.cuda.is_available() else "cpu")`, which leaves an Apple laptop's GPU idle. PyTorch (2.6 and later) can be asked for whatever accelerator there is:

# %% tags=["nbval-ignore-output"]
has_gpu = torch.accelerator.is_available()
device = torch.accelerator.current_accelerator() if has_gpu else torch.device("cpu")
threads = torch.get_num_threads()
print(f"PyTorch {torch.__version__} on {device} with {threads} threads")
x = torch.ones(2, 3, device=device)
assert x.device.type == device.type

# %% [markdown]
# On most laptops this says `cpu`, and that is fine: the series is built so that two CPU cores are enough. What matters is that networks and data are on the *same* device. `network.to(device)` moves a network in place; `tensor.to(device)` returns the tensor there, a copy unless it was there already, so write `x = x.to(device)`.
#
# ## Seeds, and what they do not promise
#
# The weights at the start, the order of the images, the noise: all are drawn at random. Computers draw *pseudo*-random numbers, a fixed sequence that begins wherever the seed says.

# %%
torch.manual_seed(0)
first = torch.randn(3)
torch.manual_seed(0)
again = torch.randn(3)
third = torch.randn(3)
print("same seed, same numbers:           ", torch.equal(first, again))
print("the next three are others:         ", not torch.equal(again, third))

# %% [markdown]
# **One sequence, many takers.** Everything that draws takes its numbers from the same stream. Draw one number more, anywhere, and everything after it changes. So if two runs are to differ in one thing only, the things that should stay equal need a stream of their own. A `torch.Generator` is one. (No relation to the generator of a GAN: it generates random numbers.)

# %%
torch.manual_seed(0)
_ = torch.randn(1)  # someone else draws one number first
shifted = torch.randn(3)
own = torch.Generator().manual_seed(0)
_ = torch.randn(1)  # again, but this stream is not touched by it
private = torch.randn(3, generator=own)
print(
    "after another's draw, the shared stream differs:", not torch.equal(first, shifted)
)
print("a stream of one's own does not care:            ", torch.equal(first, private))


# %% [markdown]
# <details><summary><b>Predict first:</b> you give your seed to a friend with another processor, or a GPU. Same numbers?</summary>
#
# The random numbers on the CPU, usually yes. The results of the training, no. The next cell shows why.
# </details>

# %%
a, b, c = torch.tensor([1e8, -1e8, 1.0])
print("(a + b) + c =", ((a + b) + c).item())
print("a + (b + c) =", (a + (b + c)).item())

# %% [markdown]
# Thirty-two bits hold about seven digits, so sums are rounded, and the rounding depends on the order of adding. A processor with wider registers, another number of threads, a GPU: each adds in another order. PyTorch says it plainly: results are [not guaranteed to be reproducible](https://docs.pytorch.org/docs/stable/notes/randomness.html) across releases, platforms, or between CPU and GPU, even with equal seeds. A game between two networks amplifies such differences step by step. (On a GPU, some operations even add up in another order at each run, unless `torch.use_deterministic_algorithms(True)` forbids it.)
#
# So: a seed lets *you* repeat *your* run, on the CPU of *your* machine, with the same versions. It does not make one run into a fact. When this series claims that something helps, it shows at least three seeds.
#
# ## TensorBoard: write first
#
# TensorBoard is a web page that shows what a program has written into a folder. The program uses a `SummaryWriter`. Every entry has a *tag*, under which it will be found, and a *step*, its place on the time axis.

# %%
logs = Path("runs/01_imports_and_tensorboard")
shutil.rmtree(logs, ignore_errors=True)  # yesterday's curves would be mixed in
writer = SummaryWriter(logs / "first")

# %% [markdown]
# **A scalar** is one number a step: a curve. Ours is the average brightness of the digits seen so far, as more and more of them are looked at.

# %%
digits = load_dataset("mnist-5k")
order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(0))
batches = scale_images(digits[order]).split(100)
means = torch.tensor([batch.mean() for batch in batches])
so_far = means.cumsum(0) / torch.arange(1, len(means) + 1)
for step, value in enumerate(so_far):
    writer.add_scalar("brightness/so far", value, step)

figure, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
ax.plot(means, ".", label="of one batch")
ax.plot(so_far, label="so far")
ax.set(title="Brightness of each batch, and of all so far (the scalar)", xlabel="step")
ax.set_ylabel("mean pixel, in [-1, 1]")
ax.legend()
plt.show()
print(f"{len(so_far)} steps, the last mean is {so_far[-1]:.2f}")

# %% [markdown]
# ($-1$ is black, so these pictures are mostly background.)
#
# **An image** must be one picture, `C×H×W` (channels, height, width); a batch `N×C×H×W` of them is made into one by `make_grid`. With `value_range` the picture is scaled from the networks' $[-1, 1]$ to the screen's $[0, 1]$. The article leaves it out, so each grid is stretched between its own darkest and lightest pixel: faint grey then looks as contrasty as digits:

# %%
real = batches[0][:32]
writer.add_image("real", make_grid(real, normalize=True, value_range=(-1, 1)), 0)
show_images(real, "The image: 32 real digits")
plt.show()

# %%
faint = real[:8] * 0.1  # nearly grey all over
grids = {
    "normalize=True": make_grid(faint, normalize=True, padding=0),
    "with value_range": make_grid(
        faint, normalize=True, value_range=(-1, 1), padding=0
    ),
}
figure, axes = plt.subplots(2, figsize=(8, 2.9), layout="constrained")
for ax, (name, grid) in zip(axes, grids.items(), strict=True):
    ax.imshow(grid.permute(1, 2, 0))
    ax.set(title=f"faint digits, {name}", xticks=[], yticks=[])
    print(f"{name:17} pixels from {grid.min():.2f} to {grid.max():.2f}")
plt.show()

# %% [markdown]
# **A histogram** is a whole distribution a step. Here are a thousand noise vectors, multiplied by a growing number, the gain, and squeezed through a Tanh. You will meet this effect again (notebook 07): it is what happens to a generator's output when its last layer grows, and pixels pile up at $-1$ and $1$.

# %%
noise = torch.randn(1000, 100, generator=torch.Generator().manual_seed(0))
gains = [0.2, 0.5, 1.0, 2.0, 5.0]
for step, gain in enumerate(gains):
    writer.add_histogram("tanh of noise", (gain * noise).tanh(), step)
writer.close()  # or flush(): until then, part of it may still be in memory

figure, axes = plt.subplots(1, 5, figsize=(10, 2.6), sharey=True, layout="constrained")
for ax, gain in zip(axes, gains, strict=True):
    ax.hist((gain * noise).tanh().flatten(), bins=40, range=(-1, 1))
    ax.set(title=f"gain {gain}", xlabel="value")
axes[0].set_ylabel("count")
figure.suptitle("The histogram: tanh(gain × noise)")
plt.show()

# %% [markdown]
# What is in the folder now? TensorBoard's own Python reader can tell, which is also how you find out whether an empty panel is the writer's fault or the panel's:

# %%
events = EventAccumulator(str(logs / "first")).Reload()
for kind in ("scalars", "images", "histograms"):
    print(f"{kind:11} {events.Tags()[kind]}")
print("values in the curve:", len(events.Scalars("brightness/so far")))

# %% [markdown]
# **Two runs, one tag.** TensorBoard treats each sub-folder as a *run*, and draws equal scalar tags of different runs in one chart. An image keeps one card for each run; but if two writers, one for real images and one for fakes, use *one* tag, the two cards lie side by side. Notebook 07 does that. (The article has two tags, and gets two sections, one below the other.) A second run of our curve, in another order:

# %%
other_order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(1))
with SummaryWriter(logs / "second") as second:
    values = [b.mean() for b in scale_images(digits[other_order]).split(100)]
    for step in range(len(values)):
        second.add_scalar(
            "brightness/so far", sum(values[: step + 1]) / (step + 1), step
        )
print("runs:", sorted(path.name for path in logs.iterdir()))

# %% [markdown]
# ## TensorBoard: then look
#
# The first line below teaches the notebook the command, the second starts the server and shows it here. Find your three entries: *Scalars* (two curves that end at the same height: all 4,000 digits have one mean, whatever their order), *Images*, *Histograms* or *Distributions*.

# %% tags=["nbval-ignore-output"]
# %load_ext tensorboard
# %tensorboard --logdir runs/01_imports_and_tensorboard
assert any("01_imports" in server.logdir for server in tensorboard.manager.get_all())

# %% [markdown]
# (The panel is live: in a notebook that is only read, on GitHub for instance, there is nothing to see.)
#
# ### If the panel stays empty
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | *No dashboards are active* | nothing is in the folder, or the folder is another one: `--logdir` counts from where the kernel runs | look with the `EventAccumulator` above; give an absolute path |
# | Old curves, not yours | a server for this folder is running already and is shown again (*Reusing TensorBoard on port …*) | the reload arrow, top right; delete old runs as in the cell above |
# | *Could not bind to port 6006* | you gave `--port 6006`, and another program has it | leave `--port` out: then the next free one is taken |
# | A frame with *refused to connect* | the kernel runs on another machine (SSH, JupyterHub), and the frame asks *your* computer | forward the port: `ssh -L 6006:localhost:6006 machine`, then open `http://localhost:6006`; on JupyterHub use `…/proxy/6006/`, which needs `jupyter-server-proxy` |
# | *403* or nothing at all on Colab | the browser blocks third-party cookies, or the window is incognito; the frame needs both ([report](https://github.com/googlecolab/colabtools/issues/1577)) | allow them for `googleusercontent.com`, run the cell again; or try another browser |
# | Nothing in VS Code | the notebook frame may not load a local address | open the printed address in a browser |
# | The last steps are missing | the writer keeps them up to two minutes | `writer.flush()` |
#
# A server that was started from a notebook goes on after the notebook is closed. `tensorboard.notebook.list()` shows which are running. They listen on `localhost` only, so nobody else on the network can see them.
#
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | `Expected all tensors to be on the same device` | the network was moved, the data were not | `x = x.to(device)`, with the assignment |
# | Same seed, other result | something drew in between, or the cells ran in another order | restart the kernel and run all |
# | `add_image` raises | it got `N×C×H×W` or `H×W×C` | `make_grid`, or `dataformats="HWC"` |
# | Early, grey fakes have as much contrast as real digits | `normalize=True` without `value_range` | `value_range=(-1, 1)` |
#
# ## Summary
#
# 1. The imports are PyTorch, torchvision's data and grids, TensorBoard's writer, and this series' small package.
# 2. `torch.accelerator` finds the device; networks and data must both be on it.
# 3. A seed repeats a run on the CPU of one machine. It promises nothing on another, and one run is an anecdote.
# 4. `add_scalar`, `add_image` and `add_histogram` take a tag, a value and a step; equal tags of two runs are drawn together.
# 5. An empty panel is a wrong folder, an old server, a port, or a frame that asks the wrong machine; the `EventAccumulator` tells which side to look on.
#
# ## Exercises
#
# **1.** `left` has already given three numbers. Bring `right` to the same place, without `set_state`: the next five numbers of both must be equal.

# %%
left = torch.Generator().manual_seed(7)
_ = torch.randn(3, generator=left)
right = None  # your lines


def check_streams(left, right):
    if right is None:
        return "not answered yet"
    a, b = torch.randn(5, generator=left), torch.randn(5, generator=right)
    return "right" if torch.equal(a, b) else "not yet"


print("exercise 1:", check_streams(left, right))

# %% [markdown]
# **2.** Log each batch's *own* mean brightness (all 40 of `means`) in a run called `third`, under a tag that TensorBoard puts into the same group as `brightness/so far`. The check reads the folder.
#
# <details><summary>A hint</summary>
#
# What stands before the slash is the group. `with SummaryWriter(logs / "third") as third:` closes it for you.
# </details>


# %%
# your lines
def check_third():
    if not (logs / "third").is_dir():
        return "not answered yet"
    events = EventAccumulator(str(logs / "third")).Reload()
    for tag in events.Tags()["scalars"]:
        values = torch.tensor([event.value for event in events.Scalars(tag)])
        if tag.startswith("brightness/") and torch.equal(values, means):
            return "right"
    return f"not yet: found {events.Tags()['scalars']}"


print("exercise 2:", check_third())

# %% [markdown]
# **Next:** [notebook 02](02_shape_tests.ipynb) writes the tests for networks that do not exist yet.

# %%
# Spoilers! For the tests: the checks above accept the right answers.
left, right = torch.Generator().manual_seed(7), torch.Generator().manual_seed(7)
_ = torch.randn(3, generator=left), torch.randn(3, generator=right)
assert check_streams(left, right) == "right" and check_streams(left, own) == "not yet"
with SummaryWriter(logs / "third") as third:
    for step, value in enumerate(means):
        third.add_scalar("brightness/own", value, step)
assert check_third() == "right"
shutil.rmtree(logs / "third")
