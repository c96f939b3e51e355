"""The command line in real processes, and each kind of bad input."""

import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from inputs import write_idx, write_picture
from PIL import Image
from torchvision.transforms.v2 import functional as transforms

from dcgan_helpers import InputError
from dcgan_helpers.__main__ import main
from dcgan_helpers.classifier import load_labels
from dcgan_helpers.data import load_dataset
from dcgan_helpers.idx import IMAGES, LABELS


def snapshot(folder):
    """Names and contents of all files below a folder."""
    return {p: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_train_says_where_everything_is_and_what_comes_next(command_line, tmp_path):
    result = command_line("train", "--preset", "ci", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    run_dir = Path("runs", "mnist-5k-ci")
    for part in ("samples.png", "generator.safetensors", "tensorboard"):
        assert any(line.endswith(str(run_dir / part)) for line in lines)
        assert (tmp_path / run_dir / part).exists()
    assert f"  tensorboard --logdir {run_dir / 'tensorboard'}" in lines
    assert "  jupyter lab notebooks" in lines
    # The bar: losses, speed and time left.
    for word in ("loss D", "loss G", "images/s", "32/32"):
        assert word in result.stderr


def test_every_hyperparameter_is_an_option(command_line):
    result = command_line("train", "--help")
    assert result.returncode == 0
    for option in (
        "--preset",
        "--dataset",
        "--data-root",
        "--run-dir",
        "--resume",
        "--overwrite",
        "--betas",
        "--learning-rate",
        "--ema-decay",
        "--batch-norm",
        "--precision",
    ):
        assert option in result.stdout  # fmt: skip


def test_sample_writes_a_picture_and_an_array(command_line, finished_run, tmp_path):
    result = command_line("sample", finished_run, "--count", 10, "--output", tmp_path / "a.png")
    assert result.returncode == 0, result.stderr
    assert Image.open(tmp_path / "a.png").size == (8 * 66 + 2, 2 * 66 + 2)
    for name, seed in [("b", 1), ("c", 1), ("d", 2)]:
        options = ["--count", "3", "--seed", str(seed), "--output", str(tmp_path / f"{name}.npz")]
        assert main(["sample", str(finished_run), *options]) == 0
    b, c, d = (np.load(tmp_path / f"{name}.npz")["images"] for name in "bcd")
    assert b.shape == (3, 1, 64, 64)
    assert b.dtype == np.float32
    assert np.abs(b).max() <= 1
    assert np.array_equal(b, c)
    assert not np.array_equal(b, d)


def test_sample_reads_two_files_only(finished_run, tmp_path):
    for name in ("generator.safetensors", "hyperparameters.json"):
        shutil.copy(finished_run / name, tmp_path)
    assert main(["sample", str(tmp_path), "--count", "2"]) == 0
    assert (tmp_path / "sample-seed-0.png").exists()


def damage(path, how):
    if how == "cut":
        path.write_bytes(path.read_bytes()[:-1000])
    elif how == "gone":
        path.unlink()
    else:
        path.write_bytes(how)


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([], "Expected one of"),
        (["paint"], "paint"),
        (["train", "--preset", "huge"], "preset is 'huge'; expected one of laptop, ci"),
        (["train", "--dataset", "cifar"], "invalid choice 'cifar'"),
        (["train", "--optimizer", "sgd"], "Unrecognized options: --optimizer"),
        (["train", "--batch-size", "0"], "batch_size is 0; expected"),
        (["train", "--batch-size", "many"], "--batch-size"),
        (["train", "--generator-features", "-4"], "generator_features is -4; expected"),
        (["train", "--image-size", "32"], "image_size is 32; expected 64"),
        (["train", "--precision", "fp16"], "precision is 'fp16'; expected bf16 or fp32 on a CPU"),
        (["train", "--dataset", "folder"], "is missing; name one with --data-root"),
        (["train", "--dataset", "folder", "--data-root", "empty"], "no pictures in empty"),
        (["train", "--dataset", "folder", "--data-root", "bad"], "none of the 1 pictures in bad"),
        (["train", "--dataset", "mnist", "--data-root", "idx"], "is damaged"),
        (["train", "--run-dir", "full"], "full is not empty and holds no run"),
        (["train", "--run-dir", "full/file"], "full/file is a file; name another"),
        (["train", "--run-dir", "full/file/run"], "full/file is a file; name another"),
        (["train", "--run-dir", "locked/run"], "locked is read-only; name another"),
        (["train", "--dataset", "folder", "--data-root", "locked"], "locked may not be read"),
        (["train", "--run-dir", "run"], "already holds a run; add --resume"),
        (["train", "--run-dir", "run", "--resume", "--overwrite"], "exclude each other"),
        (["train", "--run-dir", "none", "--resume"], "none is missing; make one"),
        (["train", "--preset", "article", "--resume"], "runs/mnist-article is missing; make one"),
        (["train", "--run-dir", "full", "--resume"], "hyperparameters.json is missing"),
        (["train", "--run-dir", "run", "--resume", "--seed", "9"], "seed 9 instead of 0"),
        (["sample"], "Missing"),
        (["sample", "none"], "none is missing; make one"),
        (["sample", "full"], "hyperparameters.json is missing"),
        (["sample", "half"], "generator.safetensors is missing"),
        (["sample", "other"], "does not fit hyperparameters.json"),
        (["sample", "cut"], "generator.safetensors is damaged"),
        (["sample", "text"], "generator.safetensors is damaged"),
        (["sample", "json"], "hyperparameters.json cannot be read"),
        (["sample", "field"], "hyperparameters.json is not usable: unknown hyperparameter"),
        (["sample", "run", "--count", "0"], "--count is 0; expected at least 1"),
        (["sample", "run", "--seed", "-1"], "--seed is -1"),
        (["sample", "run", "--output", "a.jpg"], "expected a name that ends in .png or .npz"),
        (["sample", "run", "--output", "nowhere/a.png"], "nowhere/a.png is missing; make it"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_changes_nothing(
    arguments, said, finished_run, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.png").write_text("not a picture")
    (tmp_path / "full").mkdir()
    (tmp_path / "locked").mkdir()
    if "locked" in " ".join(arguments):
        # For root nothing is locked, so what is asked is answered here.
        monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "locked")
    (tmp_path / "full" / "file").write_text("something")
    write_idx(tmp_path / "idx" / IMAGES, np.zeros((2, 28, 28)))
    damage(tmp_path / "idx" / IMAGES, "cut")
    for name, file, how in [
        ("run", None, None),
        ("half", "generator.safetensors", "gone"),
        ("cut", "generator.safetensors", "cut"),
        ("text", "generator.safetensors", b"not weights"),
        ("json", "hyperparameters.json", b"{"),
        ("field", "hyperparameters.json", b'{"width": 3}'),
        ("other", None, None),
    ]:
        shutil.copytree(finished_run, tmp_path / name)
        if file:
            damage(tmp_path / name / file, how)
    other = tmp_path / "other" / "hyperparameters.json"
    other.write_text(
        other.read_text().replace('"generator_features": 4', '"generator_features": 8')
    )

    before = snapshot(tmp_path)
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1, output.err
    assert said.replace("/", os.sep) in output.err or said in output.err
    assert snapshot(tmp_path) == before


def test_exit_codes_and_lines_of_a_real_process(command_line, tmp_path):
    result = command_line("sample", tmp_path / "none")
    assert result.returncode == 2
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    result = command_line("sample", tmp_path / "none", "--debug")
    assert result.returncode == 2
    assert "Traceback" in result.stderr


def test_failure_while_training_is_exit_code_1(command_line, tmp_path):
    result = command_line("train", "--preset", "ci", "--learning-rate", 1e30,
                          "--run-dir", tmp_path / "run")  # fmt: skip
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("error: ")
    assert "not finite" in last
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files on Windows")
def test_full_disk_is_one_line_and_the_last_checkpoint_stays(command_line, finished_run, tmp_path):
    """A limit on the size of a file stands in for a full disk: writing fails in the middle."""
    import resource

    shutil.copytree(finished_run, tmp_path / "run")
    result = command_line(
        "train", "--run-dir", tmp_path / "run", "--resume", "--epochs", "3",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)),
    )  # fmt: skip
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in result.stderr
    kept = [p.name for p in (tmp_path / "run" / "checkpoints").iterdir()]
    assert kept == ["step-000000032"]
    for name in ("generator.safetensors", "hyperparameters.json"):
        same = (tmp_path / "run" / name).read_bytes() == (finished_run / name).read_bytes()
        assert same or name == "hyperparameters.json"


def test_folder_of_pictures_in_colour(command_line, tmp_path):
    for number in range(6):
        write_picture(tmp_path / "pictures" / f"{number}.png", size=(70 + number, 64))
    (tmp_path / "pictures" / "broken.png").touch()
    result = command_line(
        "train", "--preset", "ci", "--dataset", "folder", "--data-root", "pictures",
        "--image-channels", 3, "--epochs", 1, cwd=tmp_path,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "skipped 1 of 7 pictures" in result.stderr
    assert "broken.png" in result.stderr


def test_evaluate_prints_a_table_and_writes_it(command_line, finished_run, tmp_path):
    run_dir = tmp_path / "run"
    shutil.copytree(finished_run, run_dir)
    results = [
        command_line("evaluate", run_dir, "--count", 300, "--seed", seed, cwd=tmp_path)
        for seed in (0, 0, 1)
    ]
    assert [result.returncode for result in results] == [0, 0, 0], results[0].stderr
    lines = results[0].stdout.splitlines()
    assert lines[0] == f"300 fakes of {run_dir} against 300 real images"
    assert lines[2].split() == ["fakes", "real"]
    assert lines[3].split()[0] == "FID" and float(lines[3].split()[1]) > float(lines[3].split()[2])
    assert lines[-1].endswith(str(run_dir / "metrics.json"))
    assert results[0].stdout == results[1].stdout != results[2].stdout
    found = json.loads((run_dir / "metrics.json").read_text())
    assert (found["count"], found["seed"]) == (300, 1)
    assert f"{found['fake']['fid']:.2f}" in results[2].stdout
    assert len(found["real"]["classes"]) == 10


@pytest.mark.parametrize(
    "changed, expected",
    [
        ({"image_channels": 3}, "image_channels is 3; expected 1"),
        ({"image_size": 32}, "image_size is 32; expected 64"),
        ({"dataset": "folder"}, "dataset is 'folder'; expected mnist, mnist-5k, fashion-mnist"),
        ({"dataset": "fashion-mnist"}, "dcgan_helpers.classifier --dataset fashion-mnist"),
    ],
)
def test_evaluate_refuses_other_images(finished_run, tmp_path, capsys, changed, expected):
    run_dir = tmp_path / "run"
    shutil.copytree(finished_run, run_dir)
    path = run_dir / "hyperparameters.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    before = snapshot(run_dir)
    assert main(["evaluate", str(run_dir)]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1 and expected in errors[0]
    assert snapshot(run_dir) == before


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["--count", "10"], "--count is 10; expected at least 200"),
        (["--seed", "-1"], "--seed is -1"),
        (["--classifier", "nowhere"], "the classifier nowhere is missing"),
    ],
)
def test_evaluate_with_bad_values(finished_run, capsys, arguments, expected):
    assert main(["evaluate", str(finished_run), *arguments]) == 2
    assert expected in capsys.readouterr().err


def test_a_run_on_fashion_is_judged_by_its_own_classifier(tmp_path, capsys, finished_run):
    """IDX files and a classifier made here: the way of the real Fashion-MNIST."""
    images = load_dataset("mnist-5k", max_images=300).images
    small = transforms.resize(images, [28, 28])[:, 0].numpy()
    root = tmp_path / "idx"
    write_idx(root / IMAGES, small)
    labels = np.arange(300) % 10
    (root / LABELS).write_bytes(struct.pack(">2i", 2049, 300) + labels.astype(np.uint8).tobytes())
    command = [sys.executable, "-m", "dcgan_helpers.classifier", "--dataset", "fashion-mnist"]
    options = ["--data-root", root, "--epochs", "1", "--output", tmp_path / "c.safetensors"]
    made = subprocess.run([*command, *options], capture_output=True, text=True, encoding="utf-8")
    assert made.returncode == 0, made.stderr
    assert "of 60 held-out images" in made.stdout
    run_dir = tmp_path / "run"
    shutil.copytree(finished_run, run_dir)
    path = run_dir / "hyperparameters.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"dataset": "fashion-mnist"}))
    options = ["--count", "200", "--data-root", str(root)]
    assert main(["evaluate", str(run_dir), *options]) == 2
    capsys.readouterr()
    assert (
        main(["evaluate", str(run_dir), "--classifier", str(tmp_path / "c.safetensors"), *options])
        == 0
    )
    assert "200 fakes" in capsys.readouterr().out
    (root / LABELS).write_bytes(b"1234")
    with pytest.raises(InputError, match="is damaged"):
        load_labels("fashion-mnist", root)
