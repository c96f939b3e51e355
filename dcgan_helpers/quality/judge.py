"""Numbers for how good fakes are: alike, plausible, varied, recognisable, new.

Everything is measured on what the shipped classifier sees: pictures of 28×28, real and fake
by the same way (`classifier.shrink`), and the 64 features before its last layer. So a FID from here
compares with others from here, and with no FID that Inception's features gave. Fakes are compared
with as many real images that neither the generator nor the classifier has trained on.
"""

from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .. import InputError, run_folder
from ..data import InMemoryImages, evenly, load_dataset, scale_images, to_bytes
from ..hyperparameters import SCORE_COUNT, Hyperparameters
from ..networks import Generator, draw_classes, generate
from .classifier import (
    CLASSES,
    FOR_DATASET,
    SMALL,
    TRAINED_ON,
    Classifier,
    accuracy,
    channels_of,
    load_classifier,
    shrink,
    train_classifier,
)
from .metrics import fid, kid, precision_recall

Scores = dict[str, Any]
"""Measures by name: numbers, and under `frequencies` the share of each class."""
Floor = tuple[float, float, float]
"""Mean, lowest and highest of a measure among real images."""
Described = dict[str, Tensor]
SURE = 0.95
"""Probability of its class from which the classifier counts as sure of an image."""
FEWEST = 200
"""Images a side below which 64 features have no covariance to speak of."""
SPLITS = 20
"""Pairs of sets of real images that make the floor."""
LEARNT_COUNT = 4000
"""Images that the classifiers of `learning_from` learn from: the embedded digits to train with."""

MEASURES = {
    "fid": ("FID", "{:.2f}", "lower is better"),
    "kid": ("KID", "{:.4f}", "lower is better"),
    "kid_error": ("± (KID)", "{:.4f}", "its standard error"),
    "precision": ("precision", "{:.1%}", "plausible: fakes that lie among real images"),
    "recall": ("recall", "{:.1%}", "varied: real images that lie among fakes"),
    "sure": ("sure", "{:.1%}", f"of the class, says the classifier ({SURE} and more)"),
    "rarest": ("rarest class", "{:.1%}", "of all; 10% if all ten are equally common"),
    "distance": ("distance", "{:.2f}", "to the nearest image trained on (median)"),
    "near": ("too near", "{:.1%}", "nearer to it than 99% of held-out ones; copies are"),
    "right": ("right class", "{:.1%}", "read as the class that was asked for"),
    "learnt": ("learnt from", "{:.1%}", "held-out ones that a classifier gets right after them"),
}
"""For each measure its name in a table, how it is printed, and what it means."""


def table(held_out: Scores, trained_on: Scores, floor: dict[str, Floor]) -> str:
    """Fakes against held-out and against trained-on images, and the floor, as one text."""
    lines = [f"{'':14}{'held-out':>9}{'trained-on':>12}{'floor':>9}  (range)"]
    for key, (name, form, meaning) in MEASURES.items():
        if key not in held_out:
            continue
        known = form.format(trained_on[key]) if key in trained_on else ""
        mean, low, high = (form.format(x) for x in floor[key])
        spread = f"({low} to {high})" if low != high else ""
        lines.append(
            f"{name:14}{form.format(held_out[key]):>9}{known:>12}{mean:>9}  {spread:20}{meaning}"
        )
    return "\n".join(lines)


def table_row(scores: Scores) -> dict[str, float]:
    """What of a judge's scores goes into the table of a study."""
    return {name: round(x, 5) for name, x in scores.items() if isinstance(x, float)}


class Judge:
    """Real images and a classifier, ready to score fakes against them.

    `held_out` and `known` are `uint8`, `N×C×S×S` and `M×C×S×S`: images that nobody has trained on,
    against which fakes are scored, and those that the generator has. `labels` are the classes of
    the held-out ones, if fakes have such. Raises InputError below 200, or if more than `known`.
    """

    def __init__(
        self,
        held_out: Tensor,
        known: Tensor,
        classifier: Classifier,
        seed: int = 0,
        labels: Tensor | None = None,
    ):
        self.classifier, self.seed, self.labels = classifier, seed, labels
        count = len(held_out)
        if count < FEWEST or len(known) < count:
            counts = f"{count} held-out and {len(known)} trained-on real images"
            raise InputError(f"{counts}; expected at least {FEWEST}, and not more held-out ones")
        some = known[evenly(len(known), 4 * count)]
        scale = partial(scale_images, image_channels=held_out.shape[1])
        self.held_out, self.some_known = (self.describe(scale(x)) for x in (held_out, some))
        self.known_pixels = torch.cat([_pixels(scale(part)) for part in known.split(500)])
        self.own_distance = self.distance(self.held_out["pixels"])

    def __len__(self) -> int:
        return len(self.own_distance)

    @torch.no_grad()
    def describe(self, images: Tensor) -> Described:
        """Pixels `N×784C`, features `N×64` and class probabilities `N×10` of `N×C×S×S` images."""
        parts = []
        for part in images.split(500):
            pixels = _pixels(part)
            features = self.classifier.layers(pixels.unflatten(1, (-1, SMALL, SMALL)))
            probabilities = self.classifier.last(features).softmax(dim=1)
            parts.append((pixels, features, probabilities))
        names = ("pixels", "features", "probabilities")
        return dict(zip(names, map(torch.cat, zip(*parts, strict=True)), strict=True))

    def distance(self, pixels: Tensor) -> Tensor:
        """Each image's distance to the nearest one trained on (Euclidean, 28×28 pixels)."""
        nearest = [torch.cdist(x, self.known_pixels).min(dim=1).values for x in pixels.split(250)]
        return torch.cat(nearest)

    def score(self, fake: Tensor, classes: Tensor | None = None) -> Scores:
        """All measures of fakes, `N×C×S×S` in [-1, 1], against the held-out images, by name.

        `fid`, `kid`, `precision`, `recall` as in the functions above. `sure` is the share
        the classifier gives at least 0.95 to a class. `frequencies` is how often it sees each
        digit, `rarest` the least of these shares. `distance` is the median distance to the
        nearest image trained on and `near` the share that is nearer than 99% of the held-out
        images are: 0.01 if nothing is copied. With `classes`, those that were asked for,
        `right` is the share in which the classifier sees them. Raises InputError unless fakes are
        as many as held-out images.
        """
        self._require_as_many(fake)
        seen = self.describe(fake)
        distance = self.distance(seen["pixels"])
        near = distance < self.own_distance.quantile(0.01)
        scores = self._compare(self.held_out, seen)
        scores |= {"distance": distance.median().item(), "near": near.float().mean().item()}
        if classes is not None and self.labels is not None:
            scores["right"] = _share_right(seen, classes)
        return scores

    def against_known(self, fake: Tensor) -> Scores:
        """FID, KID, precision and recall against as many images that the generator trained on.

        They are better than `score`'s only where fakes copy these. Raises InputError as it does.
        """
        self._require_as_many(fake)
        known = {name: x[evenly(len(x), len(self))] for name, x in self.some_known.items()}
        scores = self._compare(known, self.describe(fake))
        return {name: scores[name] for name in ("fid", "kid", "kid_error", "precision", "recall")}

    def draw(
        self, generator: nn.Module, seed: int = 0, progress: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """As many images as `score` wants, of a generator in `eval()` mode; and their classes."""
        classes = draw_classes(generator, len(self), seed)
        images = generate(generator, len(self), seed, progress=progress, classes=classes)
        return images.cpu(), classes

    def score_generator(self, generator: nn.Module, seed: int = 0) -> Scores:
        """`score` of the images that a generator in `eval()` mode makes of a seed's noise.

        Where there are labels, `right` is scored too.
        """
        images, classes = self.draw(generator, seed)
        return self.score(images, classes)

    def floor(self) -> dict[str, Floor]:
        """Mean, lowest and highest that real images get: the best that fakes can hope for.

        From 20 random splits of real images into two sets of as many as are held out; the
        distances are those of the held-out images themselves.
        """
        pool = {name: torch.cat([x, self.some_known[name]]) for name, x in self.held_out.items()}
        random = torch.Generator().manual_seed(self.seed)
        found = []
        for _ in range(SPLITS):
            order = torch.randperm(len(pool["pixels"]), generator=random)
            pair = (order[: len(self)], order[len(self) : 2 * len(self)])
            found.append(self._compare(*({k: v[half] for k, v in pool.items()} for half in pair)))
        floors = {}
        for name in table_row(found[0]):
            values = [scores[name] for scores in found]
            floors[name] = (sum(values) / SPLITS, min(values), max(values))
        whole = {"distance": self.own_distance.median().item(), "near": 0.01}
        if self.labels is not None:
            whole["right"] = _share_right(self.held_out, self.labels)
        return floors | {name: (value,) * 3 for name, value in whole.items()}

    def _require_as_many(self, fake: Tensor) -> None:
        if len(fake) != len(self):
            reason = "because the measures depend on the number"
            raise InputError(f"{len(fake)} fakes; expected {len(self)}, as many as real, {reason}")

    def _compare(self, real: Described, seen: Described) -> Scores:
        features = real["features"], seen["features"]
        precision, recall = precision_recall(*features)
        mean, error = kid(*features, seed=self.seed)
        share, label = seen["probabilities"].max(dim=1)
        frequencies = torch.bincount(label, minlength=CLASSES) / len(label)
        return {
            "fid": fid(*features),
            "kid": mean,
            "kid_error": error,
            "precision": precision,
            "recall": recall,
            "sure": (share >= SURE).float().mean().item(),
            "rarest": frequencies.min().item(),
            "frequencies": frequencies.tolist(),
        }


def _pixels(images: Tensor) -> Tensor:
    return shrink(images).flatten(1)


def _share_right(seen: Described, classes: Tensor) -> float:
    return (seen["probabilities"].argmax(dim=1) == classes).float().mean().item()


def judge_for(
    hyperparameters: Hyperparameters,
    data_root: str | Path = "data",
    classifier_path: Path | None = None,
    count: int = SCORE_COUNT,
    seed: int = 0,
) -> Judge:
    """The judge for a run's data set, with `count` held-out images. Raises InputError.

    They are at most as many as the run trains with, so that both can be compared with fakes.
    For `fashion-mnist` make a classifier first: `dcgan_helpers classifier --dataset fashion-mnist`.
    """
    h = hyperparameters
    name = FOR_DATASET.get(h.dataset, h.dataset)
    if name not in TRAINED_ON:
        names, reason = [*FOR_DATASET, *TRAINED_ON], "there is no classifier for other images"
        raise InputError(f"dataset is {h.dataset!r}; expected {', '.join(names)}: {reason}")
    if h.image_channels != (channels := channels_of(name)):
        reason = f"the classifier for {name} looks at so many"
        raise InputError(f"image_channels is {h.image_channels}; expected {channels}: {reason}")
    classifier, _ = load_classifier(classifier_path, name)
    load = partial(load_dataset, h.dataset, data_root, channels, image_size=h.image_size)
    held_out = load(held_out=True, labels=h.classes == "labels")
    count = min(count, h.max_images or count)
    if count > len(held_out):
        raise InputError(f"count is {count}; expected at most the {len(held_out)} held-out images")
    known = load(max_images=h.max_images)
    assert isinstance(held_out, InMemoryImages) and isinstance(known, InMemoryImages)
    chosen = evenly(len(held_out), count)
    classes = None if held_out.classes is None else held_out.classes[chosen]
    return Judge(held_out.images[chosen], known.images, classifier, seed, classes)


def evaluate_run(
    run_dir: Path, count: int, seed: int, classifier_path: Path | None, data_root: str | Path
) -> str:
    """Score a run's fakes, write evaluation.json, return the table. Raises InputError."""
    h = run_folder.load_hyperparameters(run_dir)
    judge = judge_for(h, data_root, classifier_path, count, seed)
    generator = run_folder.load_generator(run_dir)
    fake, classes = judge.draw(generator, seed, progress=True)
    held_out, trained_on = judge.score(fake, classes), judge.against_known(fake)
    floor = judge.floor()
    if h.classes == "labels":
        held_out["learnt"], floor["learnt"] = learning_from(generator, h, data_root)
    found: Scores = {"count": len(judge), "seed": seed, "held_out": held_out}
    found |= {"trained_on": trained_on, "floor": floor}
    run_folder.save_json(path := run_dir / run_folder.EVALUATION, found)
    title = f"{len(judge):,} fakes of {run_dir} against as many real images"
    return f"{title}\n\n{table(held_out, trained_on, floor)}\n\nall numbers: {path}"


def learning_from(
    generator: Generator, h: Hyperparameters, data_root: str | Path, epochs: int = 8
) -> tuple[float, Floor]:
    """Accuracies on held-out images of classifiers that learn from fakes and from real images.

    Both learn from as many, of the classes of the real ones: the classification accuracy score
    of Ravuri and Vinyals (2019, arXiv 1905.10887), and what it is to be compared with.
    """
    load = partial(load_dataset, h.dataset, data_root, h.image_channels, image_size=h.image_size)
    count = min(h.max_images or LEARNT_COUNT, LEARNT_COUNT)
    real, classes = load(max_images=count, labels=True)[:]
    hidden = load(held_out=True, labels=True)[:]
    fake = to_bytes(generate(generator, len(real), seed=1, classes=classes))
    shares = [
        accuracy(train_classifier(images, classes, epochs, progress=False), *hidden)
        for images in (fake, real)
    ]
    return shares[0], (shares[1],) * 3
