"""Distances between two sets of images, and tests for them.

All but the last take features, `N×d`; the `judge` takes them from a classifier.
"""

import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance


def fid(real: Tensor, fake: Tensor) -> float:
    """Squared Fréchet distance of two feature sets `N×d`; 0 for the same normal distribution.

    Both are taken for normal distributions: squared distance of the means, and what the
    covariances differ by (Heusel et al. 2017, arXiv 1706.08500, equation 6). It is the
    larger the fewer images there are, so compare at equal numbers only.
    """
    return _through(FrechetInceptionDistance, real.double(), fake.double()).item()


def kid(real: Tensor, fake: Tensor, seed: int = 0) -> tuple[float, float]:
    """Squared maximum mean discrepancy of two feature sets `N×d`, and its standard error.

    Unbiased, so about 0 at best and now and then below, at any number of images (Bińkowski et
    al. 2018, arXiv 1801.01401): the mean over 50 random halves of both sets. Their standard
    deviation is the error of the whole, because a half without replacement varies about the whole
    as the whole does about the truth. The kernel is (1 + x·y / s)³, s being the mean of the real
    |x|²; the paper's s is d, which suits Inception's features, whose numbers are about 1.
    """
    size, scale = min(len(real), len(fake)) // 2, real.square().sum(dim=1).mean().item()
    with torch.random.fork_rng(devices=[]):  # the halves are drawn from the global source
        torch.manual_seed(seed)
        options = {"subsets": 50, "subset_size": size, "gamma": 1 / scale}
        mean, deviation = _through(KernelInceptionDistance, real, fake, **options)
    return mean.item(), deviation.item()


class _AlreadyFeatures(nn.Identity):
    """What torchmetrics takes for its feature extractor: the features are computed once, before."""

    def __init__(self, count: int):
        super().__init__()
        self.num_features = count


def _through(metric_class: Any, real: Tensor, fake: Tensor, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # KID says that it keeps its features in memory
        metric = metric_class(feature=_AlreadyFeatures(real.shape[1]), **options)
    metric.update(real, real=True)
    metric.update(fake, real=False)
    return metric.compute()


def precision_recall(real: Tensor, fake: Tensor, neighbours: int = 3) -> tuple[float, float]:
    """Two shares for feature sets `N×d` and `M×d`: are the fakes plausible, are they varied?

    Around every real image lies a ball that reaches to its third-nearest real neighbour.
    Precision is the share of fakes inside any of these balls; recall is the same with the
    parts exchanged, the share of real images that the fakes' balls reach (Kynkäänniemi et
    al. 2019, arXiv 1904.06991, section 2).
    """
    between = torch.cdist(real, fake)
    real_radius = _others(real).kthvalue(neighbours, dim=1).values
    fake_radius = _others(fake).kthvalue(neighbours, dim=1).values
    precision = (between <= real_radius[:, None]).any(dim=0).float().mean().item()
    recall = (between <= fake_radius[None, :]).any(dim=1).float().mean().item()
    return precision, recall


def _others(points: Tensor) -> Tensor:
    """Distances `N×N` within a set; nobody is one's own neighbour."""
    return torch.cdist(points, points).fill_diagonal_(torch.inf)


def neighbour_accuracy(real: Tensor, fake: Tensor) -> float:
    """How well a nearest neighbour tells real from fake: 0.5 not at all, 1 every time.

    Both sets, `N×…` and equally many, are thrown together. For each image (or row of
    features) the most similar other one is looked up, by Euclidean distance; the result is
    the share whose neighbour is of its own kind. It falls towards 0.5 as the fakes spread
    among the real images, and below when they copy them. The 1-nearest-neighbour two-sample
    test of Lopez-Paz and Oquab (2017, arXiv 1610.06545); Xu et al. (2018, arXiv 1806.07755)
    compare it with other measures for GANs. Raises ValueError for unequal shapes.
    """
    if real.shape != fake.shape or len(real) < 2:
        raise ValueError(
            f"expected as many real images as fakes, at least 2, all of one shape; "
            f"received {tuple(real.shape)} and {tuple(fake.shape)}"
        )
    is_real = torch.arange(2 * len(real)) < len(real)
    nearest = _others(torch.cat([real, fake]).flatten(1)).argmin(dim=1)
    return (is_real[nearest] == is_real).float().mean().item()
