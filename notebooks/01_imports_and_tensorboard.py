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
# # 1 · Tools: imports, device, seeds, TensorBoard
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/01_imports_and_tensorboard.ipynb)
#
# TensorBoard shows you the images of a GAN while it trains.
#
# **In this notebook you will**
#
# 1. meet the imports of the series;
# 2. pick the device;
# 3. see what a seed repeats, and what it does not;
# 4. write a curve, an image and a histogram for TensorBoard;
# 5. repair an empty panel.
#
# **You need** Python and PyTorch tensors. **Time:** read 24 min, run 1 min on a laptop.

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
# ## The imports
#
# Two imports of the *article*, the text that this series retells, are not here. `torch.optim` comes with `torch`. Notebook 06 uses `transforms.v2`, the successor of `transforms`.

# %%
import io  # an image's bytes as a file
import shutil  # to delete old logs
from pathlib import Path  # paths that work on every system

import matplotlib.pyplot as plt  # figures
import numpy as np  # to add up a histogram's counts
import tensorboard.manager  # which TensorBoards are running
import torch  # tensors, gradients, optimisers
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn  # layers and losses: nn.Conv2d, nn.BCEWithLogitsLoss
from torch.utils.data import DataLoader  # shuffles a data set and cuts it into batches
from torch.utils.tensorboard import SummaryWriter  # writes what TensorBoard shows
from torchvision import datasets  # MNIST and others, by name
from torchvision.utils import make_grid  # 32 images into one image

from dcgan_helpers.data import load_dataset, scale_images  # digits without a download

for tool in (nn.ConvTranspose2d, DataLoader, datasets.MNIST, SummaryWriter):
    print(f"{tool.__module__.split('.')[0]:12} {tool.__name__}")

# %% [markdown]
# `dcgan_helpers` is the package of this series. What one notebook writes by hand, later notebooks import from there.
#
# ## The device
#
# The article chooses between CUDA and the CPU. So it does not use the GPU of an Apple laptop. PyTorch 2.6 or later finds any accelerator:

# %% tags=["nbval-ignore-output"]
has_gpu = torch.accelerator.is_available()
device = torch.accelerator.current_accelerator() if has_gpu else torch.device("cpu")
threads = torch.get_num_threads()
print(f"PyTorch {torch.__version__} on {device} with {threads} threads")
x = torch.ones(2, 3, device=device)
assert x.device.type == device.type

# %% [markdown]
# Two CPU cores are enough for this series.
#
# Networks and data must be on the *same* device. `network.to(device)` moves the network itself. `x.to(device)` returns a tensor on the device, so write `x = x.to(device)`.
#
# ## Seeds
#
# Random numbers come from a fixed sequence, and the *seed* says where it begins. All draws share this sequence: the first weights, the order of the images, the noise. A `torch.Generator` is a sequence of its own, which other draws do not move. It is not the generator of a GAN.

# %%
torch.manual_seed(0)
first = torch.randn(3)
torch.manual_seed(0)
again = torch.randn(3)
own = torch.Generator().manual_seed(0)
_ = torch.randn(1)  # another draw
private = torch.randn(3, generator=own)
print("same seed, same numbers:   ", torch.equal(first, again))
print("own sequence, same numbers:", torch.equal(first, private))

# %% [markdown]
# <details><summary><b>Predict first:</b> a friend trains with your seed on another processor. Is the result the same?</summary>
#
# PyTorch [does not guarantee it](https://docs.pytorch.org/docs/stable/notes/randomness.html). The next cell shows one reason.
# </details>

# %%
a, b, c = torch.tensor([1e8, -1e8, 1.0])
print("(a + b) + c =", ((a + b) + c).item())
print("a + (b + c) =", (a + (b + c)).item())

# %% [markdown]
# A 32-bit number holds about seven digits, so sums are rounded, and the order of adding matters. Another processor, another number of threads or a GPU may add in another order.
#
# So a seed repeats *your* run, on the CPU of *your* machine, with the same versions. Where this series claims an effect, it shows three seeds or more.
#
# ## TensorBoard: write
#
# TensorBoard shows what a program has written into a folder. A `SummaryWriter` writes there. Each entry has a *tag*, its name, and a *step*, its place in time.

# %%
logs = Path("runs/01_imports_and_tensorboard")
shutil.rmtree(logs, ignore_errors=True)  # old curves would be mixed in
writer = SummaryWriter(logs / "first")

# %% [markdown]
# **A scalar** is one number a step. Ours is the mean pixel of all digits so far. In this series, −1 is black and 1 is white.

# %%
digits = load_dataset("mnist-5k")


def log_brightness(writer, seed):
    order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(seed))
    batches = scale_images(digits[order]).split(100)  # each 100×1×64×64
    means = torch.tensor([batch.mean() for batch in batches])
    so_far = means.cumsum(0) / torch.arange(1, len(means) + 1)
    for step, value in enumerate(so_far):
        writer.add_scalar("brightness/so far", value, step)
    print(f"{len(so_far)} steps, the last mean is {so_far[-1]:.2f}")
    return batches


batches = log_brightness(writer, seed=0)

# %% [markdown]
# Tags with the same word before the slash form a *group*, one section of the panel.
#
# **An image** is `C×H×W`: channels, height, width. `make_grid` makes one image of a batch, `N×C×H×W`. `value_range` scales all grids from $[-1, 1]$ to $[0, 1]$. The article leaves it out. Then each grid goes from its own darkest to its own lightest pixel:

# %%
real = batches[0][:32]
writer.add_image("real", make_grid(real, normalize=True, value_range=(-1, 1)), 0)

faint = real[:8] * 0.1  # nearly grey all over
same = {"normalize": True, "padding": 0}
grids = {
    "without value_range": make_grid(faint, **same),
    "with value_range": make_grid(faint, value_range=(-1, 1), **same),
}
figure, axes = plt.subplots(2, figsize=(8, 2.9), layout="constrained")
for ax, (name, grid) in zip(axes, grids.items(), strict=True):
    ax.imshow(grid.permute(1, 2, 0))
    ax.set(title=f"faint digits, {name}", xticks=[], yticks=[])
    print(f"{name:19} pixels from {grid.min():.2f} to {grid.max():.2f}")
plt.show()

# %% [markdown]
# Without `value_range` you cannot see that the digits are faint.
#
# **A histogram** is a whole distribution a step. Ours is noise, multiplied by a growing number, the gain. Then Tanh, a generator's last function, maps it to values between −1 and 1.

# %%
noise = torch.randn(1000, 100, generator=torch.Generator().manual_seed(0))
for step, gain in enumerate([0.2, 0.5, 1.0, 2.0, 5.0]):
    writer.add_histogram("tanh of noise", (gain * noise).tanh(), step)
writer.close()  # or flush(): until then, part of it may still be in memory

# %% [markdown]
# **Two runs, one tag.** Each sub-folder is a *run*. Scalars with equal tags share one chart. Images with equal tags lie side by side, as real and fake do in notebook 07. The article has two tags, and so two sections.
#
# The second run has the digits in another order. TensorBoard's own reader, the `EventAccumulator`, shows what is in the folder:

# %%
with SummaryWriter(logs / "second") as second:
    log_brightness(second, seed=1)


def read_run(name):
    all_steps = {"images": 0, "histograms": 0}  # else only the last few are kept
    return EventAccumulator(str(logs / name), size_guidance=all_steps).Reload()


runs = {name: read_run(name) for name in ("first", "second")}
for name, events in runs.items():
    for kind in ("scalars", "images", "histograms"):
        print(f"{name:6} {kind:10} {events.Tags()[kind]}")

# %% [markdown]
# ## TensorBoard: look
#
# The first line loads the command. The second line starts the server and shows its panel. The article does this before it trains, so its panel is empty at first.

# %% tags=["nbval-ignore-output"]
# %load_ext tensorboard
# %tensorboard --logdir runs/01_imports_and_tensorboard
assert any("01_imports" in server.logdir for server in tensorboard.manager.get_all())

# %% [markdown]
# In the panel, the runs are listed at the left, and the tabs are at the top. *Time Series* has all entries, the other tabs have one kind each.
#
# The panel is live, so a page on GitHub cannot show it. The next cell draws the same entries from the log files. It is not a screenshot:


# %%
def read_image(event):
    return plt.imread(io.BytesIO(event.encoded_image_string))


parts = [["curve", "histograms"], ["image", "image"]]
figure, axes = plt.subplot_mosaic(parts, figsize=(10, 8), layout="constrained")
for name, events in runs.items():
    curve = events.Scalars("brightness/so far")
    axes["curve"].plot([e.step for e in curve], [e.value for e in curve], label=name)
axes["curve"].set(title="brightness/so far", xlabel="step", ylabel="mean pixel")
axes["curve"].legend(title="run")
for event in runs["first"].Histograms("tanh of noise"):
    h = event.histogram_value
    edges = np.linspace(h.min, h.max, 31)  # 30 equal bins, as in the panel
    counts = np.diff(np.interp(edges, h.bucket_limit, np.cumsum(h.bucket)))
    height = event.step - 0.85 * counts / counts.max()
    axes["histograms"].stairs(height, edges, baseline=event.step, fill=True, fc="C0")
axes["histograms"].set(title="tanh of noise (run first), equal heights")
axes["histograms"].set(xlabel="value", ylabel="step", ylim=(4.2, -1), yticks=range(5))
(event,) = runs["first"].Images("real")
axes["image"].imshow(read_image(event))
axes["image"].set(title="real (run first, step 0)", xticks=[], yticks=[])
figure.suptitle("What the panel shows, drawn from the log files")
plt.show()

# %% [markdown]
# Both curves end at the same height, because both runs contain the same digits. In the histograms, a larger gain moves values towards −1 and 1.
#
# ### If the panel stays empty
#
# If the `EventAccumulator` finds your entries, the folder is right, and the panel is the problem.
#
# <details><summary>What to do</summary>
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | *No dashboards are active* | wrong folder: `--logdir` counts from the kernel's folder | absolute path |
# | old curves (*Reusing TensorBoard*) | old server | reload arrow, top right |
# | *could not bind to port* | another program has it | no `--port` |
# | *refused to connect* | the kernel is on another machine | `ssh -L 6006:localhost:6006 machine`, then `http://localhost:6006` |
# | *403* on Colab | [blocked cookies](https://github.com/googlecolab/colabtools/issues/1577), private window | another browser |
# | nothing in VS Code | local addresses blocked | printed address in a browser |
# | last steps missing | the writer waits up to two minutes | `writer.flush()` |
#
# A server goes on after the notebook is closed. `tensorboard.notebook.list()` shows all servers.
#
# </details>

# %% [markdown]
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | `Expected all tensors to be on the same device` | the data were not moved | `x = x.to(device)` |
# | same seed, other result | another draw, or another order of cells | restart, run all |
# | `add_image` raises | it got `N×C×H×W` or `H×W×C` | `make_grid`, or `dataformats="HWC"` |
# | grey fakes look like clear digits | no `value_range` | `value_range=(-1, 1)` |
#
# ## Summary
#
# 1. The imports are PyTorch, torchvision, TensorBoard's writer and this series' package.
# 2. `torch.accelerator` finds the device. Networks and data must both be on it.
# 3. A seed repeats a run on the CPU of one machine. It promises nothing on another.
# 4. `add_scalar`, `add_image` and `add_histogram` take a tag, a value and a step.
# 5. An empty panel has a wrong folder, an old server or no way to its server.
#
# ## Exercises
#
# **1.** How does the mean of all digits so far look, as an image? For each of the 40 steps, write it in a run called `third`, with the tag `mean digit`. `batches` has values in $[-1, 1]$, and `add_image` needs $[0, 1]$.

# %%
# your lines


def check_third():
    if not (logs / "third").is_dir():
        return "not answered yet"
    events = read_run("third")
    if "mean digit" not in events.Tags()["images"]:
        return f"not yet: the tags of images are {events.Tags()['images']}"
    images = events.Images("mean digit")
    if len(images) != len(batches):
        return f"not yet: {len(images)} steps, not {len(batches)}"
    last = torch.tensor(read_image(images[-1]))[:, :, 0]
    mean = torch.cat(batches).mean(0)[0]
    if torch.allclose(last, mean.clamp(0, 1), atol=0.01):
        return "not yet: scale from [-1, 1] to [0, 1]"
    same = torch.allclose(last, (mean + 1) / 2, atol=0.01)
    return "right" if same else "not yet: the last image is not the mean of all digits"


print("exercise 1:", check_third())

# %% [markdown]
# **Next:** [notebook 02](02_shape_tests.ipynb) writes tests for networks that do not exist yet.


# %% tags=["solution"]
# The check above accepts the right answer.
def solution(scale):
    shutil.rmtree(logs / "third", ignore_errors=True)
    sums = torch.stack([batch.mean(0) for batch in batches]).cumsum(0)
    with SummaryWriter(logs / "third") as third:
        for step, total in enumerate(sums):
            third.add_image("mean digit", scale(total / (step + 1)), step)
    return check_third()


assert solution(lambda mean: (mean + 1) / 2) == "right"
assert solution(lambda mean: mean).endswith("scale from [-1, 1] to [0, 1]")
shutil.rmtree(logs / "third")
