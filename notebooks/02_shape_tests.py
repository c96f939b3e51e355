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
# # 2 · Shape tests: the arithmetic first, the networks later
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/dcgan-notebooks/dcgan-notebooks/blob/main/notebooks/02_shape_tests.ipynb)
#
# Most errors in a network of convolutions are errors of size. There is one formula behind all the sizes. Once you can derive it, you can say what a network does to a shape before a line of it exists, and so the tests can come first.
#
# **In this notebook you will**
#
# 1. derive the output size of a convolution and of a transposed convolution, and confirm both on hundreds of cases;
# 2. work a transposed convolution by hand, and check it against PyTorch;
# 3. see that "deconvolution" gives back a shape, not the values;
# 4. find out why kernel 4, stride 2, padding 1 halves and doubles *exactly*;
# 5. write the tests for two networks that do not exist, watch them fail, and keep them.
#
# **You need** to have seen a convolution slide over an image. **Time:** read 20 min, run 1 min on a laptop.
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
import inspect
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
# Take one row of an image: $n$ numbers. A kernel of $k$ weights lies on $k$ neighbours and makes one output of them. Then it moves on by the *stride* $s$. Before that, $p$ zeros of *padding* are put at each end. How many places does it find?
#
# The padded row has $n + 2p$ cells. The kernel's first cell can stand at $0, s, 2s, \dots$, but no further right than $n + 2p - k$, or it would stick out. So
#
# $$n_\text{out} = \left\lfloor \frac{n + 2p - k}{s} \right\rfloor + 1.$$
#
# Here it is as a picture, for $n = 8$ and the numbers of our DCGAN and the article's, $k = 4$, $s = 2$, $p = 1$ (the paper's figure has kernels of 5):


# %%
def draw_windows(n, k, s, p, ax):
    for cell in range(-p, n + p):
        real = 0 <= cell < n
        face, text = ("#9dc3e6", f"$x_{cell}$") if real else ("white", "0")
        ax.add_patch(plt.Rectangle((cell, 0), 1, 1, fc=face, ec="black"))
        ax.text(cell + 0.5, 0.5, text, ha="center", va="center")
    starts = range(-p, n + p - k + 1, s)
    for row, start in enumerate(starts):
        y = -0.9 * row - 0.5
        ax.plot([start + 0.1, start + k - 0.1], [y, y], lw=7, solid_capstyle="butt")
        ax.text(n + p + 0.3, y, f"output {row}", va="center")
    ax.set(xlim=(-p - 0.5, n + p + 2.2), ylim=(-0.9 * len(starts) - 0.2, 1.2))
    ax.set(xlabel="position in the row (white: padding, zeros)", yticks=[])
    return len(starts)


figure, ax = plt.subplots(figsize=(9, 4), layout="constrained")
outputs = draw_windows(8, k=4, s=2, p=1, ax=ax)
ax.set_title("Kernel 4, stride 2, padding 1: eight inputs, four places for the kernel")
plt.show()
print("places:", outputs)


# %% [markdown]
# Rows and columns of an image do the same, each for itself. One formula, then, and PyTorch to judge it:


# %%
def conv_size(n, k, s, p):
    return (n + 2 * p - k) // s + 1


cases = agree = 0
for n, k, s, p in itertools.product(range(1, 13), range(1, 6), range(1, 4), range(3)):
    if n + 2 * p < k:  # the kernel does not fit even once
        continue
    out = functional.conv1d(
        torch.zeros(1, 1, n), torch.zeros(1, 1, k), stride=s, padding=p
    )
    cases += 1
    agree += out.shape[-1] == conv_size(n, k, s, p)
print(f"{agree} of {cases} cases agree")


# %% [markdown]
# ## How long is the output of a transposed convolution?
#
# A convolution *gathers*: each output collects from $k$ inputs. A transposed convolution *scatters*: each input is multiplied by the whole kernel, and the $k$ products are added into the output at a place that moves on by $s$ for every input. The first input writes to cells $0 \dots k-1$, the last of $n$ inputs starts at $(n-1)s$ and ends $k$ cells later. That makes $(n-1)s + k$ cells. Padding now works the other way round: $p$ cells are *cut off* at each end.
#
# $$n_\text{out} = (n - 1)\,s + k - 2p$$


# %%
def transposed_size(n, k, s, p):
    return (n - 1) * s + k - 2 * p


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
# (PyTorch's documentation of [`Conv2d`](https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html) and [`ConvTranspose2d`](https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html) has two more parameters that change the size: *dilation* (both) and *output padding* (the transposed one). Neither is used here.)
#
# ## One by hand
#
# Two by two numbers, a kernel of two by two, stride 1. Each input stamps its multiple of the kernel, and overlapping stamps add up:
#
# $$\begin{pmatrix}1&2\\3&4\end{pmatrix} \text{ with } \begin{pmatrix}1&10\\100&1000\end{pmatrix}: \qquad
# \begin{pmatrix}1&10&\cdot\\100&1000&\cdot\\\cdot&\cdot&\cdot\end{pmatrix} +
# \begin{pmatrix}\cdot&2&20\\\cdot&200&2000\\\cdot&\cdot&\cdot\end{pmatrix} +
# \begin{pmatrix}\cdot&\cdot&\cdot\\3&30&\cdot\\300&3000&\cdot\end{pmatrix} +
# \begin{pmatrix}\cdot&\cdot&\cdot\\\cdot&4&40\\\cdot&400&4000\end{pmatrix}$$
#
# <details><summary><b>Predict first:</b> what is the number in the middle?</summary>
#
# Every input reaches it, each through another weight: $1\cdot1000 + 2\cdot100 + 3\cdot10 + 4\cdot1 = 1234$. (That is what the kernel was chosen for: each digit tells where it came from.)
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
# Now with the DCGAN's numbers, kernel 4, stride 2, padding 1: two by two become four by four. In the picture each input has its own colour. The dashed frame is what remains after the padding is cut off.

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
colors = ["#4472c4", "#ed7d31", "#70ad47", "#ffc000"]
for color, (i, j) in zip(colors, itertools.product((0, 1), (0, 1)), strict=True):
    stamp = plt.Rectangle((2 * j, 2 * i), 4, 4, fc=color, alpha=0.35, ec="black")
    axes[0].add_patch(plt.Rectangle((j, i), 1, 1, fc=color, alpha=0.6, ec="black"))
    axes[1].add_patch(stamp)
frame = plt.Rectangle((1, 1), 4, 4, fill=False, ec="black", ls="--", lw=2.5)
axes[1].add_patch(frame)
for ax, size in zip(axes, (2, 6), strict=True):
    ax.set(xlim=(-0.2, size + 0.2), ylim=(size + 0.2, -0.2), aspect="equal")
    ax.set(xticks=range(size + 1), yticks=range(size + 1))
    ax.set(xlabel="column", ylabel="row")
axes[0].set_title("input, 2×2")
axes[1].set_title("four stamps of 4×4, and how many lie on each cell")
for i, j in itertools.product(range(6), range(6)):
    stamps = (2 if i in (2, 3) else 1) * (2 if j in (2, 3) else 1)
    axes[1].text(j + 0.5, i + 0.5, str(stamps), ha="center", va="center")
figure.suptitle("Transposed convolution, kernel 4, stride 2, padding 1: 2×2 to 4×4")
plt.show()
print("size by the formula:", transposed_size(2, k=4, s=2, p=1))

# %% [markdown]
# ## "Deconvolution" undoes the shape, not the values
#
# People, the article among them, call this layer a *deconvolution*, wrongly, as the caption of the paper's figure 1 already remarks. In signal processing that word means finding the input that a convolution was made of. This layer does nothing of the kind. Convolve a digit, and run the result back through the transposed convolution with the very same weights:

# %%
digit = scale_images(load_dataset("mnist-5k")[2500][None])  # 1×1×64×64
kernel = torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(0))
down = functional.conv2d(digit, kernel, stride=2, padding=1)
up = functional.conv_transpose2d(down, kernel, stride=2, padding=1)

figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), layout="constrained")
steps = ["a digit", "its convolution", "and back, transposed"]
for ax, picture, title in zip(axes, (digit, down, up), steps, strict=True):
    ax.imshow(picture[0, 0], cmap="gray")
    ax.set(title=f"{title}\n{tuple(picture.shape[-2:])}", xticks=[], yticks=[])
figure.suptitle("Same kernel there and back (contrast stretched)")
plt.show()
same = torch.corrcoef(torch.stack([digit.flatten(), up.flatten()]))[0, 1]
print("shape is back:", up.shape == digit.shape)
print(f"values: from {up.min():.0f} to {up.max():.0f}, correlation {same:.1f}")

# %% [markdown]
# What it *is*: the transpose. A convolution is linear, so there is a matrix $A$ with $\operatorname{conv}(x) = Ax$, and the transposed convolution is $A^\top y$. (With padding and all: it is also exactly what backpropagation does to the gradient on its way back through a convolution.) A transpose is not an inverse, but it has a property that can be tested. Write $\langle a, b\rangle$ for the sum of the products of all elements; then $\langle Ax, y\rangle = \langle x, A^\top y\rangle$ for any $x$ and $y$.

# %%
torch.manual_seed(0)
x, y, w = torch.randn(1, 3, 8, 8), torch.randn(1, 5, 4, 4), torch.randn(5, 3, 4, 4)
left = (functional.conv2d(x, w, stride=2, padding=1) * y).sum()
right = (x * functional.conv_transpose2d(y, w, stride=2, padding=1)).sum()
print("transposed, indeed:", torch.allclose(left, right, rtol=1e-4))

x.requires_grad_()
(gradient,) = torch.autograd.grad(functional.conv2d(x, w, stride=2, padding=1), x, y)
same = functional.conv_transpose2d(y, w, stride=2, padding=1)
print("and the gradient of a convolution:", torch.allclose(gradient, same, atol=1e-4))

# %% [markdown]
# It also explains a thing that trips everybody once: `nn.ConvTranspose2d` keeps its weights as *in × out × k × k*, `nn.Conv2d` as *out × in × k × k*. It is the same weight, seen from the other end.
#
# ## Why 4, 2 and 1
#
# Put kernel 4, stride 2, padding 1 into both formulas:
#
# $$\left\lfloor\frac{n + 2 - 4}{2}\right\rfloor + 1 = \left\lfloor\frac{n}{2}\right\rfloor \qquad\text{and}\qquad (n - 1)\cdot 2 + 4 - 2 = 2n.$$
#
# Half and double, with nothing left over for even $n$. Not every choice does that. A kernel of 3 with stride 2 and padding 1, the usual choice in classifiers, halves as well, but doubles to $2n - 1$:

# %%
print("kernel stride padding   32, convolved   16, transposed   4, transposed 4 times")
for k, s, p in [(4, 2, 1), (3, 2, 1), (5, 2, 2), (2, 2, 0), (6, 2, 2)]:
    sizes = [4]
    for _ in range(4):
        sizes.append(transposed_size(sizes[-1], k, s, p))
    halved, doubled = conv_size(32, k, s, p), transposed_size(16, k, s, p)
    print(f"{k:6} {s:6} {p:7} {halved:15} {doubled:16}   {sizes}")

# %% [markdown]
# From 4 to 64 in four steps: only the kernels of even size manage. (An odd kernel needs `output_padding=1` to fix the missing row. Paddings of $\tfrac{k}{2} - 1$ work for every even $k$.) There is a second argument for 4: a kernel size that the stride does not divide puts unequal numbers of stamps on the pixels. Notebook 03 asks what comes of that.
#
# So here are both networks, as arithmetic, before they exist. The generator's first layer has stride 1 and padding 0, which turns 1×1 into the kernel's own size, 4×4:


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
# The discriminator's last layer, kernel 4 on a 4×4 map without padding, has stride 2 in the article. The kernel fits in one place only, so it never takes a stride at all. We keep the article's number, and here is the proof that it changes nothing:

# %%
x, w = torch.randn(2, 7, 4, 4), torch.randn(1, 7, 4, 4)
outputs = [functional.conv2d(x, w, stride=s) for s in (1, 2, 3)]
print(
    "stride 1, 2 and 3, one result:", all(torch.equal(o, outputs[0]) for o in outputs)
)


# %% [markdown]
# ## The tests come first
#
# Now the article's tests. It writes them after the networks and checks that all is well. We write them before: what must the networks do, whatever is inside? Noise `N×100×1×1` becomes images `N×3×64×64`, and such images become one logit each, `N×1×1×1`. Small widths are enough for that (`features=8`), and three channels are better than one, because a forgotten channel number would then show.


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
# A test that has never failed has not shown that it can. So run them on *stubs*, classes that have the right arguments and do nothing:


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
# Both fail, and say what they got instead. That is the state this notebook leaves behind, on purpose: notebook 03 makes the first line pass, notebook 04 the second.
#
# Do the tests notice *small* mistakes, too? Here is a chain of layers with one padding forgotten, and one with the channels of a grey image:


# %%
def chain(paddings, channels):
    class Candidate(nn.Sequential):
        def __init__(self, latent_dim, image_channels, features):
            layers, width = [], latent_dim
            for stride, padding in zip([1, 2, 2, 2, 2], paddings, strict=True):
                layers.append(nn.ConvTranspose2d(width, channels, 4, stride, padding))
                width = channels
            super().__init__(*layers)

    return Candidate


print("as it should be:    ", report(check_generator, chain([0, 1, 1, 1, 1], 3)))
print("one padding missing:", report(check_generator, chain([0, 1, 0, 1, 1], 3)))
print("grey, not colour:   ", report(check_generator, chain([0, 1, 1, 1, 1], 1)))

# %% [markdown]
# They do. The two functions are kept in `dcgan_helpers/exercises`, from where notebooks 03 and 04 import them, and the repository's own test suite runs them on its networks at every change. They are these very lines, but for type hints in the first:


# %%
def body(function):
    return inspect.getsource(function).partition("\n")[2]


for mine, kept in [
    (check_generator, exercises.check_generator),
    (check_discriminator, exercises.check_discriminator),
]:
    print(mine.__name__, body(mine) == body(kept))

# %% [markdown]
# What they do *not* show: that the network can learn anything. Right shapes are the entrance fee. (That stub-like chain above has no activation at all between its layers, and passes.)
#
# ## Common mistakes
#
# | what you see | why | what to do |
# | --- | --- | --- |
# | `Kernel size can't be greater than actual input size` | the images are 28×28 and the network wants 64×64 | resize (notebook 06) |
# | The generator's output is smaller than 64×64: 49, 61, 63 | kernel 3 in one or more of its layers | kernel 4 |
# | It is larger | a padding left out | stride 2, padding 1 |
# | `Expected 3D (unbatched) or 4D (batched) input to conv_transpose2d` | noise is `N×100`, not `N×100×1×1` | `z[:, :, None, None]` |
# | Weights copied from a `Conv2d` do not fit | a transposed convolution keeps *in × out*, a convolution *out × in* | swap the first two dimensions |
#
# ## Summary
#
# 1. A convolution has $\lfloor (n + 2p - k)/s \rfloor + 1$ outputs, a transposed one $(n - 1)s + k - 2p$.
# 2. Transposed convolution is stamping and adding; by hand and by PyTorch, 1234 stands in the middle.
# 3. It is the transpose of a convolution, not its inverse: shapes come back, values do not.
# 4. Kernel 4, stride 2, padding 1 turns $n$ into $n/2$ and back into $n$, so 4 becomes 64 in four steps.
# 5. Two tests stand, and both fail.
#
# ## Exercises
#
# **1.** A generator for 96×96 pictures is to end with the same four doublings. What must the kernel of its first layer be (stride 1, padding 0, from 1×1)?

# %%
answer = None  # the kernel size


def check_96(kernel):
    if kernel is None:
        return "not answered yet"
    size = transposed_size(1, kernel, 1, 0)
    for _ in range(4):
        size = transposed_size(size, 4, 2, 1)
    return "right" if size == 96 else f"not yet: that gives {size}×{size}"


print("exercise 1:", check_96(answer))

# %% [markdown]
# **2.** Write `conv_matrix(kernel, s, p, n)`: the matrix $A$ of a convolution of a row of $n$ numbers with a kernel (a tensor of weights). Build it column by column: feed in the unit vectors. The check compares $A^\top y$ with PyTorch's transposed convolution.
#
# <details><summary>Answer</summary>
#
# It is in the last cell of this page.
# </details>


# %%
def conv_matrix(kernel, s, p, n):
    return None  # your code


def check_matrix(build):
    k, y = torch.randn(1, 1, 4), torch.randn(1, 1, 4)
    matrix = build(k[0, 0], 2, 1, 8)
    if matrix is None:
        return "not answered yet"
    expected = functional.conv_transpose1d(y, k, stride=2, padding=1)
    same = torch.allclose(matrix.T @ y[0, 0], expected[0, 0], atol=1e-5)
    return "right" if same else "not yet"


print("exercise 2:", check_matrix(conv_matrix))

# %% [markdown]
# **Next:** [notebook 03](03_generator.ipynb) builds the generator, and one of the two tests passes.


# %%
# Spoilers! For the tests: the checks above accept the right answers.
def solution(kernel, s, p, n):
    units = torch.eye(n)[:, None]  # n×1×n: each row is one unit vector
    return functional.conv1d(units, kernel[None, None], stride=s, padding=p)[:, 0].T


assert check_matrix(solution) == "right"
assert check_matrix(lambda *rest: 2 * solution(*rest)) == "not yet"
assert check_96(4).endswith("64×64") and check_96(6) == "right"
