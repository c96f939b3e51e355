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
from dcgan_helpers.data import evenly, load_dataset, original_digits, scale_images
from dcgan_helpers.files import photos
from dcgan_helpers.hyperparameters import preset
from dcgan_helpers.networks import Generator
from dcgan_helpers.quality import classifier
from dcgan_helpers.quality.judge import Judge, judge_for, learning_from, table
from dcgan_helpers.quality.metrics import fid, kid, neighbour_accuracy, precision_recall

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


def unbiased_mmd(real, fake, scale):
    """The formula of Bińkowski et al. 2018, written out."""

    def kernel(x, y):
        return (x @ y.T / scale + 1) ** 3

    def within(x):
        k = kernel(x, x)
        return (k.sum() - k.trace()) / (len(x) * (len(x) - 1))

    return (within(real) + within(fake) - 2 * kernel(real, fake).mean()).item()


def test_kid_is_the_formula():
    real, fake = (normal(600, [m, 0.0], [[1.0, 0.0], [0.0, 1.0]], s) for m, s in ((0.0, 0), (1, 1)))
    scale = real.square().sum(dim=1).mean()
    mean, error = kid(real, fake)
    # Halves of both: their mean is that of the whole but for chance, a fraction of the error.
    assert abs(mean - unbiased_mmd(real, fake, scale)) < 0.5 * error


def test_error_of_kid_is_what_new_samples_vary_by():
    unit = [[1.0, 0.0], [0.0, 1.0]]
    pairs = [
        (normal(300, [0.0, 0.0], unit, s), normal(300, [0.7, 0.0], unit, s + 99)) for s in range(30)
    ]
    scores = torch.tensor([kid(*pair) for pair in pairs])
    assert 0.7 < scores[:, 1].mean() / scores[:, 0].std() < 1.4


def test_precision_and_recall_by_hand():
    # Real 0, 1, 2, 3, 20 on a line. With one neighbour, balls reach 1, and 17 around the 20.
    real, fake = (torch.tensor(x).reshape(-1, 1) for x in ([0.0, 1, 2, 3, 20], [0.5, 1.5, -8, 50]))
    precision, recall = precision_recall(real, fake, neighbours=1)
    assert precision == 2 / 4  # -8 and 50 lie in no real ball
    assert recall == 5 / 5  # 50's ball reaches 48.5 to the left, and so to all but 0 and 1
    assert precision_recall(real, real + 0.1, neighbours=1) == (1, 1)


@pytest.fixture(scope="module")
def digits():
    """1,800 real digits: to measure against, to spoil, and to have been trained on."""
    images = load_dataset("mnist-5k", max_images=3 * COUNT)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    return images.images[order].split(COUNT)


@pytest.fixture(scope="module")
def judge(digits):
    network, _ = classifier.load_classifier()
    return Judge(digits[0], digits[2], network)


@pytest.fixture(scope="module")
def good(judge, digits):
    """The scores of real digits that are neither the held-out nor the known ones."""
    return judge.score(scale_images(digits[1]))


def test_same_numbers_as_torch_fidelity(judge, digits):
    real = judge.held_out["features"]
    fake = judge.describe(scale_images(digits[1]) * 0.7)["features"]
    statistics = [fid_features_to_statistics(x.double()) for x in (real, fake)]
    theirs = fid_statistics_to_metric(*statistics, verbose=False)
    assert fid(real, fake) == pytest.approx(theirs["frechet_inception_distance"], rel=1e-3)
    theirs = kid_features_to_metric(
        real,
        fake,
        kid_subset_size=COUNT // 2,
        kid_subsets=50,
        kid_kernel_poly_gamma=1 / real.square().sum(dim=1).mean().item(),
        verbose=False,
    )
    mean, error = kid(real, fake)  # other halves, drawn at random
    assert abs(mean - theirs["kernel_inception_distance_mean"]) < error
    assert error == pytest.approx(theirs["kernel_inception_distance_std"], rel=0.5)
    theirs = prc_features_to_metric(fake, real, verbose=False)
    ours = precision_recall(real, fake)
    assert ours == pytest.approx((theirs["precision"], theirs["recall"]), abs=1e-3)


def test_real_digits_are_good(judge, good):
    again = judge.score(scale_images(load_dataset("mnist-5k", max_images=COUNT).images))
    middle = {name: mean for name, (mean, *_) in judge.floor().items()}
    for scores in (good, again, middle):
        assert scores["fid"] < 15
        assert abs(scores["kid"]) < 0.03
        assert min(scores["precision"], scores["recall"]) > 0.8
        assert scores["sure"] > 0.95
        assert scores["rarest"] > 0.07
    assert sum(good["frequencies"]) == pytest.approx(1)


def test_floor_has_a_mean_and_a_range(judge, good):
    floor = judge.floor()
    for name, (mean, low, high) in floor.items():
        assert low <= mean <= high and name in {*good, "right"}
    assert floor["fid"][1] < good["fid"] < floor["fid"][2] * 1.2
    assert floor["fid"][2] > 1.2 * floor["fid"][1]  # one split would not say much
    assert floor == judge.floor()
    assert floor["near"] == (0.01,) * 3 and floor["distance"][0] == pytest.approx(
        judge.own_distance.median().item()
    )


def test_the_same_images_have_no_distance(judge):
    features = judge.held_out["features"]
    assert fid(features, features) == pytest.approx(0, abs=1e-3)
    assert abs(kid(features, features)[0]) < 0.03
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
    images, labels = load_dataset("mnist-5k", labels=True)[:]
    ones = images[labels == 1]
    scores = judge.score(scale_images(torch.cat([ones, ones])[:COUNT]))
    assert scores["fid"] > 10 * good["fid"]
    assert scores["recall"] < 0.3 < scores["precision"]
    assert scores["rarest"] == 0
    assert scores["sure"] > 0.95


def test_copies_are_seen(judge, good, digits):
    copies = scale_images(digits[2]) * 0.99
    scores = judge.score(copies)
    assert scores["near"] == 1
    assert scores["distance"] < 0.1 * good["distance"]
    assert good["near"] < 0.05  # new digits are no copies
    half = torch.cat([copies[::2], scale_images(digits[1][::2])])
    assert judge.score(half)["near"] == pytest.approx(0.5, abs=0.03)
    # Against what was trained on, copies are perfect; new digits are as good as against others.
    assert judge.against_known(copies)["fid"] < 0.2 * scores["fid"]
    new = judge.against_known(scale_images(digits[1]))
    assert 0.5 < new["fid"] / good["fid"] < 2 and set(new) < set(good)


def test_resizing_alone_moves_fid(judge, digits):
    """Why both sides must take the same way: never resized against resized."""
    never = original_digits()[::5].unsqueeze(1)
    with torch.no_grad():
        features = judge.classifier.layers(scale_images(never))
    whole = judge_for(preset("laptop"))
    mean, *_ = whole.floor()["fid"]
    assert fid(whole.held_out["features"], features) > 10 * mean


def test_same_seed_same_scores(judge, digits):
    images = scale_images(digits[1]) * 0.8
    before = torch.random.get_rng_state()
    assert judge.score(images) == judge.score(images)
    assert torch.equal(torch.random.get_rng_state(), before)  # nobody else's noise is touched


def test_unequal_numbers_are_refused(judge, digits):
    for count in (10, COUNT - 1):
        some = scale_images(digits[1][:count])
        for score in (judge.score, judge.against_known):
            with pytest.raises(InputError, match=f"{count} fakes; expected 600, as many as real"):
                score(some)
    for held_out, known in ((10, 600), (600, 599)):
        expected = f"{held_out} held-out and {known} trained-on real images; expected at least 200"
        with pytest.raises(InputError, match=expected):
            Judge(digits[0][:held_out], digits[2][:known], judge.classifier)


def test_judge_has_what_nothing_has_trained_on(tmp_path):
    judge = judge_for(preset("laptop"))
    assert len(judge) == 1000 and len(judge.known_pixels) == 4000
    assert judge.own_distance.min() > 0.5  # none of the held-out digits is among the known ones
    small = judge_for(preset("ci"))
    assert len(small) == 500 and len(small.known_pixels) == 500  # as many as it trains with
    with pytest.raises(InputError, match="count is 1001; expected at most the 1000 held-out"):
        judge_for(preset("laptop"), count=1001)


def test_right_class_is_scored_where_there_are_labels(digits):
    h = replace(preset("ci"), classes="labels", max_images=None)
    judge = judge_for(h, count=200)
    images, labels = load_dataset("mnist-5k", labels=True, max_images=200)[:]
    assert judge.score(scale_images(images), labels)["right"] > 0.95
    assert judge.score(scale_images(images), (labels + 1) % 10)["right"] < 0.05
    assert judge.floor()["right"][0] > 0.95
    assert "right" not in judge_for(preset("ci")).floor()
    generator = Generator(features=1, classes=10).eval()
    assert judge.score_generator(generator)["right"] < 0.5
    images, classes = judge.draw(generator, seed=3)
    assert images.shape == (200, 1, 64, 64) and classes.unique().tolist() == list(range(10))


def test_classifiers_learn_from_real_images_and_from_noise(digits):
    """The classification accuracy score: nothing is to be learnt from an untrained generator."""
    h = replace(preset("ci"), classes="labels", max_images=2000)
    generator = Generator(features=1, classes=10).eval()
    learnt, (real, *_) = learning_from(generator, h, "data", epochs=3)
    assert learnt < 0.4 < 0.7 < real


def test_digits_on_photographs_have_scores_of_their_own():
    h = replace(preset("ci"), dataset="mnist-photos", image_channels=3, classes="labels")
    judge = judge_for(replace(h, max_images=None))
    floor, known = judge.floor(), load_dataset("mnist-photos", image_channels=3)
    real = scale_images(known[evenly(4000, 1000)], 3)
    scores = judge.score(real, judge.labels)
    assert floor["right"][0] > 0.8 and scores["right"] > 0.9  # both in the order of the labels
    assert scores["fid"] < 5 * floor["fid"][0]
    patches = scale_images(photos.patches(1000), 3)  # photographs without digits
    assert judge.score(patches)["fid"] > 20 * floor["fid"][0]
    negative = judge.score(-real)
    assert negative["fid"] > scores["fid"]
    learnt, (share, *_) = learning_from(Generator(100, 3, 1, classes=10).eval(), h, "data", 1)
    assert 0 <= learnt <= 1 and share > learnt - 0.2


def test_table_has_the_floor_beside_every_score(judge, good, digits):
    known, floor = judge.against_known(scale_images(digits[1])), judge.floor()
    lines = table(good, known, floor).splitlines()
    assert lines[0].split() == ["held-out", "trained-on", "floor", "(range)"]
    assert [line.split()[0] for line in lines[1:5]] == ["FID", "KID", "±", "precision"]
    for number in (good["fid"], known["fid"], *floor["fid"]):
        assert f"{number:.2f}" in lines[1]


def test_runs_that_cannot_be_judged(tmp_path):
    laptop = preset("laptop")
    with pytest.raises(InputError, match="image_channels is 3; expected 1"):
        judge_for(replace(laptop, image_channels=3))
    with pytest.raises(InputError, match="image_channels is 1; expected 3"):
        judge_for(replace(laptop, dataset="mnist-photos"))
    with pytest.raises(InputError, match="dataset is 'folder'; expected mnist, mnist-5k, fashion"):
        judge_for(replace(laptop, dataset="folder"))
    with pytest.raises(InputError, match=r"fashion-mnist.safetensors is missing; make it with"):
        judge_for(replace(laptop, dataset="fashion-mnist"))


def test_shipped_classifier_is_as_good_as_it_says():
    network, share = classifier.load_classifier()
    hidden = load_dataset("mnist-5k", labels=True, held_out=True)
    assert share >= 0.98
    found = classifier.accuracy(network, *hidden[:])
    assert found == pytest.approx(share, abs=0.002)


def test_classifier_learns(digits):
    few = load_dataset("mnist-5k", labels=True, max_images=1000)
    hidden = load_dataset("mnist-5k", labels=True, held_out=True)
    network = classifier.train_classifier(*few[:], epochs=4, progress=False)
    assert classifier.accuracy(network, *hidden[::2]) > 0.8


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
