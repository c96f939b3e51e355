"""Numbers for how good fakes are: alike, sharp, varied, recognisable, new.

Everything is measured on what the shipped classifier sees: pictures of 28×28, real and fake
by the same way (`classifier.shrink`), and the 64 features before its last layer. So a FID from here
compares with others from here, and with no FID that Inception's features gave.
"""

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from .. import InputError, run_folder
from ..data import InMemoryImages, load_dataset, scale_images
from ..hyperparameters import SCORE_COUNT, Hyperparameters
from ..networks import generate
from .classifier import CLASSES, FOR_DATASET, TRAINED_ON, Classifier, load_classifier, shrink

Scores = dict[str, Any]
"""Measures by name: numbers, and under `classes` the share of each class."""

SURE = 0.9
"""Probability of its class from which the classifier counts as sure of an image."""
FEWEST = 200
"""Images a side below which 64 features have no covariance to speak of."""


def fid(real: Tensor, fake: Tensor) -> float:
    """Squared Fréchet distance of two feature sets `N×d`; 0 for the same normal distribution.

    Both are taken for normal distributions: squared distance of the means, and what the
    covariances differ by (Heusel et al. 2017, arXiv 1706.08500, equation 6). It is the
    larger the fewer images there are, so compare at equal numbers only.
    """
    return _through(FrechetInceptionDistance, real.double(), fake.double()).item()


def kid(real: Tensor, fake: Tensor, seed: int = 0) -> float:
    """Squared maximum mean discrepancy of two feature sets `N×d`; about 0 at best.

    Unbiased, and so now and then below 0, at any number of images (Bińkowski et al. 2018,
    arXiv 1801.01401). The mean over 50 random subsets of 1,000, or of all if there are
    fewer. The kernel is (1 + x·y / s)³, s being the mean of the real |x|²; the paper's s is
    d, which suits Inception's features, whose numbers are about 1.
    """
    size, scale = min(1000, len(real), len(fake)), real.square().sum(dim=1).mean().item()
    with torch.random.fork_rng(devices=[]):  # the subsets are drawn from the global source
        torch.manual_seed(seed)
        options = {"subsets": 50, "subset_size": size, "gamma": 1 / scale}
        mean, _ = _through(KernelInceptionDistance, real, fake, **options)
    return mean.item()


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
    """Two shares for feature sets `N×d` and `M×d`: are the fakes sharp, are they varied?

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


MEASURES = {
    "fid": ("FID", "{:.2f}", "lower is better"),
    "kid": ("KID", "{:.3f}", "lower is better"),
    "precision": ("precision", "{:.1%}", "sharp: fakes that lie among real images"),
    "recall": ("recall", "{:.1%}", "varied: real images that lie among fakes"),
    "sure": ("sure", "{:.1%}", "of the class, says the classifier (0.9 and more)"),
    "rarest": ("rarest class", "{:.1%}", "of all; 10% if all ten are equally common"),
    "distance": ("distance", "{:.2f}", "to the nearest real image (median)"),
    "near": ("too near", "{:.1%}", "nearer than 99% of real ones are; copies are"),
}
"""For each measure its name in a table, how it is printed, and what it means."""


def table(fake: Scores, real: Scores) -> str:
    """What `score` and `floor` gave, side by side as one text: the floor beside every score."""
    lines = [f"{'':14}{'fakes':>8}{'real':>8}"]
    for key, (name, form, meaning) in MEASURES.items():
        lines.append(f"{name:14}{form.format(fake[key]):>8}{form.format(real[key]):>8}  {meaning}")
    return "\n".join(lines)


def table_row(scores: Scores) -> dict[str, float]:
    """What of a judge's scores goes into the table of a study."""
    return {name: round(x, 5) for name, x in scores.items() if isinstance(x, float)}


class Judge:
    """Real images and a classifier, ready to score fakes against them.

    `real` is `uint8`, `N×1×64×64`. Raises InputError for fewer than 200.
    """

    def __init__(self, real: Tensor, classifier: Classifier, seed: int = 0):
        if len(real) < FEWEST:
            raise InputError(f"{len(real)} real images; expected at least {FEWEST} to measure with")
        self.classifier, self.seed = classifier, seed
        self.real = self.describe(scale_images(real))
        self.own_distance = _others(self.real["pixels"]).min(dim=1).values

    def __len__(self) -> int:
        return len(self.own_distance)

    @torch.no_grad()
    def describe(self, images: Tensor) -> dict[str, Tensor]:
        """Pixels `N×784`, features `N×64` and class probabilities `N×10` of `N×1×64×64` images."""
        parts = []
        for part in images.split(500):
            small = shrink(part)
            features = self.classifier.layers(small)
            probabilities = self.classifier.last(features).softmax(dim=1)
            parts.append((small.flatten(1), features, probabilities))
        names = ("pixels", "features", "probabilities")
        return dict(zip(names, map(torch.cat, zip(*parts, strict=True)), strict=True))

    def score(self, fake: Tensor) -> Scores:
        """All measures of fakes, `N×1×64×64` in [-1, 1], by name. Raises InputError below 200.

        `fid`, `kid`, `precision`, `recall` as in the functions above. `sure` is the share
        the classifier gives at least 0.9 to a class. `classes` is how often it sees each
        digit, `rarest` the least of these shares. `distance` is the median distance to the
        nearest real image (Euclidean, 784 pixels in [-1, 1]) and `near` the share that
        is nearer than 99% of the real images are to one another: 0.01 if nothing is copied.
        """
        if len(fake) < FEWEST:
            raise InputError(f"{len(fake)} fakes; expected at least {FEWEST} to measure them")
        seen = self.describe(fake)
        distance = torch.cdist(seen["pixels"], self.real["pixels"]).min(dim=1).values
        return self._compare(self.real, seen, distance, seen["probabilities"])

    def score_generator(
        self, generator: nn.Module, seed: int = 0, count: int = SCORE_COUNT, progress: bool = False
    ) -> Scores:
        """`score` of the images that a generator in `eval()` mode makes of a seed's noise."""
        return self.score(generate(generator, count, seed, progress=progress).cpu())

    def floor(self) -> Scores:
        """What `score` gives for real images: the best that fakes can hope for.

        The first four compare one half of the real images with the other; for the
        distances each real image is held out in turn and compared with all others.
        """
        random = torch.Generator().manual_seed(self.seed)
        halves = torch.randperm(len(self), generator=random).chunk(2)
        first, second = ({k: v[half] for k, v in self.real.items()} for half in halves)
        return self._compare(first, second, self.own_distance, self.real["probabilities"])

    def _compare(
        self,
        real: dict[str, Tensor],
        seen: dict[str, Tensor],
        distance: Tensor,
        probabilities: Tensor,
    ) -> Scores:
        features = real["features"], seen["features"]
        precision, recall = precision_recall(*features)
        limit = self.own_distance.quantile(0.01)
        return {
            "fid": fid(*features),
            "kid": kid(*features, seed=self.seed),
            "precision": precision,
            "recall": recall,
            **self._verdicts(probabilities),
            "distance": distance.median().item(),
            "near": (distance < limit).float().mean().item(),
        }

    def _verdicts(self, probabilities: Tensor) -> Scores:
        share, label = probabilities.max(dim=1)
        classes = torch.bincount(label, minlength=CLASSES) / len(label)
        return {
            "sure": (share >= SURE).float().mean().item(),
            "rarest": classes.min().item(),
            "classes": classes.tolist(),
        }


def judge_for(
    hyperparameters: Hyperparameters,
    data_root: str | Path = "data",
    classifier_path: Path | None = None,
    count: int = SCORE_COUNT,
    seed: int = 0,
) -> Judge:
    """The judge for a run's data set, with at most `count` real images. Raises InputError.

    For `mnist` it needs the embedded digits only; for `fashion-mnist` that set and a
    classifier trained on it (`python -m dcgan_helpers classifier --dataset fashion-mnist`).
    """
    channels = hyperparameters.image_channels
    name = FOR_DATASET.get(hyperparameters.dataset, hyperparameters.dataset)
    if channels != 1:
        raise InputError(
            f"image_channels is {channels}; expected 1: the classifier looks at grey images "
            "(notebook 11 measures colour)"
        )
    if name not in TRAINED_ON:
        raise InputError(
            f"dataset is {name!r}; expected {', '.join([*FOR_DATASET, *TRAINED_ON])}: there is "
            "no classifier for other images"
        )
    classifier, _ = load_classifier(classifier_path, name)
    real = load_dataset(name, data_root, max_images=count, progress=False)
    assert isinstance(real, InMemoryImages), f"{name} has no images in memory"
    return Judge(real.images, classifier, seed)


def evaluate_run(
    run_dir: Path, count: int, seed: int, classifier_path: Path | None, data_root: str | Path
) -> str:
    """Score a run's fakes, write evaluation.json, return the table. Raises InputError."""
    h = run_folder.load_hyperparameters(run_dir)
    judge = judge_for(h, data_root, classifier_path, count, seed)
    generator = run_folder.load_generator(run_dir)
    fake, real = judge.score_generator(generator, seed, count, progress=True), judge.floor()
    path = run_dir / run_folder.EVALUATION
    run_folder.save_json(path, {"count": count, "seed": seed, "fake": fake, "real": real})
    title = f"{count:,} fakes of {run_dir} against {len(judge):,} real images"
    return f"{title}\n\n{table(fake, real)}\n\nall numbers: {path}"
