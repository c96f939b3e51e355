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
# # 2 · Shape tests: first sizes, then networks
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/02_shape_tests.ipynb)
#
# Two formulas give every size before the network exists.
#
# **In this notebook you will**
#
# 1. derive both formulas;
# 2. compute a transposed convolution by hand;
# 3. see that shapes come back, and values do not;
# 4. see why kernel 4, stride 2, padding 1;
# 5. write tests, and see them fail.
#
# **You need** to have seen a convolution slide over an image. **Time:** read 30 min, run 1 min on a laptop.

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

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn import functional

from dcgan_helpers import exercises
from dcgan_helpers.data import load_dataset, scale_images

# %% [markdown]
# ## How long is the output of a convolution?
#
# Take a row of $n$ numbers, and put $p$ zeros of *padding* at each end. A kernel of $k$ weights lies on $k$ neighbours and makes one output. Then it moves on by the *stride* $s$.
#
# The padded row has $n + 2p$ cells. The kernel can begin at cell $0, s, 2s, \dots$, up to $n + 2p - k$. Our DCGAN has $k = 4$, $s = 2$, $p = 1$. It makes 4 numbers of 8:

# %%
n, k, s, p = 8, 4, 2, 1
figure, ax = plt.subplots(figsize=(9, 4), layout="constrained")
for cell in range(n + 2 * p):
    text, color = "0", "white"  # padding
    if p <= cell < n + p:
        text, color = f"$x_{cell - p}$", "#9dc3e6"
    ax.add_patch(plt.Rectangle((cell - 0.5, 0), 1, 1, fc=color, ec="black"))
    ax.text(cell, 0.5, text, ha="center", va="center", fontsize=13)
starts = range(0, n + 2 * p - k + 1, s)
for output, start in enumerate(starts):
    y = -0.9 * output - 0.5
    ax.plot([start - 0.4, start + k - 0.6], [y, y], lw=9, solid_capstyle="butt")
    ax.text(n + 2 * p, y, f"output {output}", va="center", fontsize=13)
ax.set(xlim=(-0.8, 11.8), ylim=(-3.8, 1.2), xticks=range(n + 2 * p), yticks=[])
ax.set_xlabel("cell of the padded row (white: zeros of the padding)")
ax.set_title("Kernel 4, stride 2, padding 1: eight inputs, four places for the kernel")
plt.show()
print("places:", len(starts))


# %% [markdown]
# **Exercise 02.1.** Write `conv_size(n, k, s, p)`: the number of places of the kernel, for all numbers.


# %% tags=["exercise"]
def conv_size(n, k, s, p):
    # BEGIN SOLUTION
    return (n + 2 * p - k) // s + 1
    # END SOLUTION


conv_size = exercises.conv_size(conv_size)

# %% [markdown] tags=["solution"]
# In one formula,
#
# $$n_\text{out} = \lfloor (n + 2p - k)/s \rfloor + 1.$$

# %% [markdown]
# Columns work alike. PyTorch agrees:

# %%
cases = agree = 0
for n, k, s, p in itertools.product(range(1, 13), range(1, 6), range(1, 4), range(3)):
    if n + 2 * p < k:  # the kernel does not fit even once
        continue
    row, kernel = torch.zeros(1, 1, n), torch.zeros(1, 1, k)
    out = functional.conv1d(row, kernel, stride=s, padding=p)
    cases += 1
    agree += out.shape[-1] == conv_size(n, k, s, p)
print(f"{agree} of {cases} cases agree")


# %% [markdown]
# ## How long is the output of a transposed convolution?
#
# A transposed convolution multiplies each input by the whole kernel. We call this product a *stamp*. All stamps are added into the output. Each stamp begins $s$ cells after the stamp before it.
#
# Padding now takes cells away, $p$ at each end. With our numbers, 4 becomes 8.
#
# The [DCGAN paper](https://arxiv.org/abs/1511.06434) says *fractional-strided convolution*: for one cell of output, the input moves on by $1/s$ of a cell.


# %% [markdown]
# **Exercise 02.2.** Write `transposed_size(n, k, s, p)`. Where does the last of $n$ stamps begin, and where does it end?


# %% tags=["exercise"]
def transposed_size(n, k, s, p):
    # BEGIN SOLUTION
    return (n - 1) * s + k - 2 * p
    # END SOLUTION


transposed_size = exercises.transposed_size(transposed_size)

# %% [markdown] tags=["solution"]
# The last stamp begins at cell $(n-1)s$ and has $k$ cells, so
#
# $$n_\text{out} = (n - 1)s + k - 2p.$$

# %%
cases = agree = 0
for n, k, s, p in itertools.product(range(1, 13), range(1, 6), range(1, 4), range(3)):
    if transposed_size(n, k, s, p) < 1:  # everything would be cut off
        continue
    row, kernel = torch.zeros(1, 1, n), torch.zeros(1, 1, k)
    out = functional.conv_transpose1d(row, kernel, stride=s, padding=p)
    cases += 1
    agree += out.shape[-1] == transposed_size(n, k, s, p)
print(f"{agree} of {cases} cases agree")

# %% [markdown]
# ## A transposed convolution by hand
#
# Take stride 1, no padding, and
#
# $$\text{input } \begin{pmatrix}1&2\\3&4\end{pmatrix}, \quad \text{kernel } \begin{pmatrix}1&10\\100&1000\end{pmatrix}.$$
#
# <details><summary><b>Predict first:</b> the output is 3×3. What is the number in the middle?</summary>
#
# All four stamps reach it: $1\cdot1000 + 2\cdot100 + 3\cdot10 + 4\cdot1 = 1234$. Each digit comes from one input.
# </details>

# %%
image = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
kernel = torch.tensor([[1.0, 10.0], [100.0, 1000.0]])

by_hand = torch.zeros(3, 3)
for i, j in itertools.product(range(2), range(2)):
    by_hand[i : i + 2, j : j + 2] += image[i, j] * kernel

by_pytorch = functional.conv_transpose2d(image[None, None], kernel[None, None])[0, 0]
print(by_hand.int())
print("PyTorch says the same:", torch.equal(by_hand, by_pytorch))


# %% [markdown]
# Now kernel 4, stride 2, padding 1: 2×2 becomes 4×4. Each input has its colour. Padding cuts off all outside the dashed frame.

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 4.4), layout="constrained")
colors = ["#4472c4", "#ed7d31", "#70ad47", "#ffc000"]
for color, (i, j) in zip(colors, itertools.product((0, 1), (0, 1)), strict=True):
    axes[0].add_patch(plt.Rectangle((j, i), 1, 1, fc=color, alpha=0.6, ec="black"))
    stamp = plt.Rectangle((2 * j, 2 * i), 4, 4, fc=color, alpha=0.35, ec="black")
    axes[1].add_patch(stamp)
frame = plt.Rectangle((1, 1), 4, 4, fill=False, ec="black", ls="--", lw=2.5)
axes[1].add_patch(frame)
for i, j in itertools.product(range(6), range(6)):
    stamps = (2 if i in (2, 3) else 1) * (2 if j in (2, 3) else 1)
    axes[1].text(j + 0.5, i + 0.5, stamps, ha="center", va="center", fontsize=13)
for ax, size in zip(axes, (2, 6), strict=True):
    ax.set(xlim=(-0.2, size + 0.2), ylim=(size + 0.2, -0.2), aspect="equal")
    ax.set(xticks=range(size + 1), yticks=range(size + 1))
    ax.set(xlabel="column", ylabel="row")
axes[0].set_title("input, 2×2")
axes[1].set_title("output: stamps on each cell")
figure.suptitle("Transposed convolution, kernel 4, stride 2, padding 1: 2×2 to 4×4")
plt.show()
print("size by the formula:", transposed_size(2, k=4, s=2, p=1))

# %% [markdown]
# ## The shape comes back, the values do not
#
# Many people call this layer a *deconvolution*, and so does the article that this series retells. Figure 1 of the paper calls that name wrong. A deconvolution would recover the input of a convolution. Test it with a digit, and the same weights in both directions:

# %%
digit = scale_images(load_dataset("mnist-5k")[2500][None])  # 1×1×64×64
kernel = torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(0))
down = functional.conv2d(digit, kernel, stride=2, padding=1)
up = functional.conv_transpose2d(down, kernel, stride=2, padding=1)

figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), layout="constrained")
steps = ["a digit", "after the convolution", "after the transposed one"]
for ax, picture, title in zip(axes, (digit, down, up), steps, strict=True):
    ax.imshow(picture[0, 0], cmap="gray")
    ax.set(title=f"{title}\n{tuple(picture.shape[-2:])}", xticks=[], yticks=[])
figure.suptitle("The same kernel twice (each image from its own darkest to lightest)")
plt.show()
same = torch.corrcoef(torch.stack([digit.flatten(), up.flatten()]))[0, 1]
print("shape is back:", up.shape == digit.shape)
print(f"values: from {up.min():.0f} to {up.max():.0f}, correlation {same:.1f}")

# %% [markdown]
# The values do not come back: their correlation with the digit is 0.3<!--seen-->.
#
# The layer is the *transpose* of a convolution. A convolution is linear: it computes $Ax$ with a matrix $A$. The transposed convolution computes $A^\top y$. Write $\langle a, b\rangle$ for the sum of all products $a_i b_i$. Then $\langle Ax, y\rangle = \langle x, A^\top y\rangle$.
#
# So the gradient of $\langle Ax, y\rangle$ with respect to $x$ is $A^\top y$. Backpropagation through a convolution is a transposed convolution:

# %%
torch.manual_seed(0)
x, y = torch.randn(1, 3, 8, 8, requires_grad=True), torch.randn(1, 5, 4, 4)
w = torch.randn(5, 3, 4, 4)
left = (functional.conv2d(x, w, stride=2, padding=1) * y).sum()  # ⟨Ax, y⟩
back = functional.conv_transpose2d(y, w, stride=2, padding=1)  # Aᵀy
print("both sums are equal:", torch.allclose(left, (x * back).sum(), rtol=1e-4))

left.backward()
print("the gradient is Aᵀy:", torch.allclose(x.grad, back, atol=1e-4))

# %% [markdown]
# The same `w` fits both, because `nn.Conv2d` keeps weights as *out × in × k × k* and `nn.ConvTranspose2d` as *in × out × k × k*.
#
# ## Why kernel 4, stride 2, padding 1
#
# The formulas become
#
# $$\lfloor (n + 2 - 4)/2 \rfloor + 1 = \lfloor n/2 \rfloor, \qquad (n - 1)\cdot 2 + 4 - 2 = 2n.$$
#
# So an even $n$ is exactly halved, and every $n$ is exactly doubled. Kernel 3 with padding 1 gives only $2n - 1$:

# %%
print("kernel stride padding   32, convolved   16, transposed   4, transposed 4 times")
for k, s, p in [(4, 2, 1), (3, 2, 1), (5, 2, 2), (2, 2, 0), (6, 2, 2)]:
    sizes = [4]
    for _ in range(4):
        sizes.append(transposed_size(sizes[-1], k, s, p))
    halved, doubled = conv_size(32, k, s, p), transposed_size(16, k, s, p)
    print(f"{k:6} {s:6} {p:7} {halved:15} {doubled:16}   {sizes}")

# %% [markdown]
# Only the even kernels go from 4 to 64 in four steps. An odd kernel also needs `output_padding=1`.
#
# The kernel size should be a multiple of the stride. Then all inner pixels get equally many stamps (notebook 03).
#
# Now follow the sizes through both networks. The generator's first layer has stride 1 and padding 0, and makes $0\cdot1 + 4 - 0 = 4$ of 1.


# %%
def follow(layer, formula, size, plan):
    """All sizes along a chain of layers, and whether real layers agree with them."""
    x, sizes, agree = torch.zeros(1, 1, size, size), [size], True
    for k, s, p in plan:
        sizes.append(formula(sizes[-1], k, s, p))
        x = layer(1, 1, k, s, p)(x)
        agree &= x.shape[-1] == sizes[-1]
    return " → ".join(map(str, sizes)), agree


up, down = [(4, 1, 0)] + 4 * [(4, 2, 1)], 4 * [(4, 2, 1)] + [(4, 2, 0)]
for name, (sizes, agree) in {
    "generator": follow(nn.ConvTranspose2d, transposed_size, 1, up),
    "discriminator": follow(nn.Conv2d, conv_size, 64, down),
}.items():
    print(f"{name:13} {sizes}   PyTorch agrees at each layer: {agree}")

# %% [markdown]
# The discriminator's last layer has stride 2 in the article. Its kernel of 4 fits on the 4×4 input in one place only, so the stride changes nothing:

# %%
x, w = torch.randn(2, 7, 4, 4), torch.randn(1, 7, 4, 4)
outputs = [functional.conv2d(x, w, stride=s) for s in (1, 2, 3)]
same = all(torch.equal(output, outputs[0]) for output in outputs)
print("stride 1, 2 and 3, one result:", same)


# %% [markdown]
# ## The tests come first
#
# The article tests the shapes after it has written the networks. We write the tests first:
#
# - Noise, `N×100×1×1`, becomes images, `N×3×64×64`.
# - Each image becomes one *logit*, the discriminator's output: `N×1×1×1`.
#
# `latent_dim` is the number of noise values, 100. `features` is the *width*: inside a network, the channels of each layer are a multiple of it. For a test, 8 is enough.


# %%
def check_generator(generator_class):
    """`N×100×1×1` becomes `N×3×64×64`; raises AssertionError otherwise."""
    z = torch.randn(8, 100, 1, 1)
    images = generator_class(latent_dim=100, image_channels=3, features=8)(z)
    assert tuple(images.shape) == (8, 3, 64, 64), f"images are {tuple(images.shape)}"


def check_discriminator(discriminator_class):
    """`N×3×64×64` becomes `N×1×1×1`; raises AssertionError otherwise."""
    images = torch.randn(8, 3, 64, 64)
    logits = discriminator_class(image_channels=3, features=8)(images)
    assert tuple(logits.shape) == (8, 1, 1, 1), f"logits are {tuple(logits.shape)}"


# %% [markdown]
# Can the tests fail? Try them on *stubs*, classes that return their input:


# %%
class GeneratorStub(nn.Module):
    def __init__(self, latent_dim, image_channels, features):
        super().__init__()

    def forward(self, z):
        return z


class DiscriminatorStub(nn.Module):
    def __init__(self, image_channels, features):
        super().__init__()

    def forward(self, images):
        return images


def report(check, network_class):
    try:
        check(network_class)
    except AssertionError as error:
        return f"FAILED: {error}"
    return "passed"


print("generator:    ", report(check_generator, GeneratorStub))
print("discriminator:", report(check_discriminator, DiscriminatorStub))

# %% [markdown]
# Both fail, and print the shape that they got. Notebook 03 makes the first test pass, notebook 04 the second.
#
# Do the tests find *small* mistakes? Try layers with the right sizes, with one padding forgotten, and with one channel:


# %%
def chain(padding=1, channels=3):
    return nn.Sequential(
        nn.ConvTranspose2d(100, 8, 4, 1, 0),  # N×8×4×4
        nn.ConvTranspose2d(8, 8, 4, 2, 1),  # N×8×8×8
        nn.ConvTranspose2d(8, 8, 4, 2, padding),  # N×8×16×16
        nn.ConvTranspose2d(8, 8, 4, 2, 1),  # N×8×32×32
        nn.ConvTranspose2d(8, channels, 4, 2, 1),  # N×3×64×64
    )


# The check calls a class. A function that returns a network will do, too.
print("right sizes:        ", report(check_generator, lambda **_: chain()))
print("one padding missing:", report(check_generator, lambda **_: chain(padding=0)))
print("one channel:        ", report(check_generator, lambda **_: chain(channels=1)))

# %% [markdown]
# They do. Notebooks 03 and 04 import both tests from `dcgan_helpers.exercises`.
#
# The tests do not show that a network can learn: `chain()` has no activation, and passes.
#
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | `Kernel size can't be greater than actual input size` | images are 28×28, not 64×64 | resize (notebook 06) |
# | images of 49, 61 or 63 pixels | kernel 3 in some layers | kernel 4 |
# | images too large | padding missing | padding 1 |
# | `Expected 3D (unbatched) or 4D (batched) input to conv_transpose2d` | noise is `N×100` | `z[:, :, None, None]` |
# | weights of a `Conv2d` do not fit | *in* and *out* are swapped | `transpose(0, 1)` |
#
# ## Summary
#
# 1. A convolution has $\lfloor (n + 2p - k)/s \rfloor + 1$ outputs, a transposed convolution $(n - 1)s + k - 2p$.
# 2. A transposed convolution adds stamps: 1234, by hand and by PyTorch.
# 3. It is the transpose of a convolution, not its inverse: shapes come back, values do not.
# 4. Kernel 4, stride 2, padding 1 halves an even size and doubles every size.
# 5. Both tests are written, and both fail.
#
# ## Exercises
#
# Exercises 02.1 and 02.2 stand above.
#
# **Exercise 02.3.** Write `conv_matrix(kernel, s, p, n)`. It returns the matrix $A$ of a convolution of $n$ numbers with `kernel`, a row of weights. The convolution of a unit vector is a column of $A$.


# %% tags=["exercise"]
def conv_matrix(kernel, s, p, n):
    # BEGIN SOLUTION
    units = torch.eye(n)[:, None]  # n×1×n: each row is one unit vector
    return functional.conv1d(units, kernel[None, None], stride=s, padding=p)[:, 0].T
    # END SOLUTION


conv_matrix = exercises.conv_matrix(conv_matrix)

# %% [markdown]
# **Next:** [notebook 03](03_generator.ipynb) builds the generator, and the first test passes.
