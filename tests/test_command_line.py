"""The command line in real processes, and each kind of bad input."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from inputs import write_idx, write_picture
from PIL import Image
from torchvision.transforms.v2 import functional as transforms

import dcgan_helpers.benchmark
import dcgan_helpers.studies
from dcgan_helpers.__main__ import COMMANDS, Part, Study, main
from dcgan_helpers.data import load_dataset
from dcgan_helpers.files import IDX_IMAGES, IDX_LABELS


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


@pytest.fixture(scope="module")
def broken_folders(finished_run, tmp_path_factory):
    """Every kind of folder that cannot be used, once for all: no test may change any of it."""
    root = tmp_path_factory.mktemp("broken")
    for name in ("empty", "bad", "full", "locked"):
        (root / name).mkdir()
    (root / "bad" / "a.png").write_text("not a picture")
    (root / "full" / "file").write_text("something")
    write_idx(root / "idx" / IDX_IMAGES, np.zeros((2, 28, 28)))
    damage(root / "idx" / IDX_IMAGES, "cut")
    for name, file, how in [
        ("run", None, None),
        ("half", "generator.safetensors", "gone"),
        ("cut", "generator.safetensors", "cut"),
        ("text", "generator.safetensors", b"not weights"),
        ("json", "hyperparameters.json", b"{"),
        ("field", "hyperparameters.json", b'{"width": 3}'),
        ("other", None, None),
    ]:
        shutil.copytree(finished_run, root / name)
        if file:
            damage(root / name / file, how)
    other = root / "other" / "hyperparameters.json"
    other.write_text(
        other.read_text().replace('"generator_features": 4', '"generator_features": 8')
    )
    return root


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["train", "--preset", "huge"], "preset is 'huge'; expected one of laptop, digits"),
        (["train", "--dataset", "cifar"], "dataset is 'cifar'; expected 'mnist-5k'"),
        (["train", "--batch-size", "0"], "batch_size is 0; expected"),
        (["train", "--batch-size", "many"], "batch_size is 'many'; expected a valid integer"),
        (["train", "--generator-features", "-4"], "generator_features is -4; expected"),
        (
            ["train", "--image-size", "65"],
            "image_size is 65; expected 32, 64 or 128, a 4 that is",
        ),
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
        (
            ["train", "--run-dir", "run"],
            "`python -m dcgan_helpers resume run`",
        ),
        (["train", "--seed", "-1"], "seed is -1; expected a number greater than or equal to 0"),
        (["train", "--seed", str(2**32)], "seed is 4294967296; expected a number less than"),
        (["resume", "none"], "none is missing; make one"),
        (["resume", "full"], "hyperparameters.json is missing"),
        (["resume", "run", "--epochs", "1"], "run was made with 2, and it can only grow"),
        (["resume", "run", "--epochs", "0"], "epochs is 0; expected a number greater than"),
        (["figures", "none"], "none is missing; make one"),
        (["export", "none"], "none is missing; make one"),
        (["study", "mode"], "names[0] is 'mode'; expected 'sensitivity', 'choices', 'noise'"),
        (["benchmark", "sepeed"], "parts[0] is 'sepeed'; expected 'steps', 'tricks'"),
        (["benchmark", "growth", "--output", "full/file"], "the folder full/file cannot be made"),
        (["classifier", "--epochs", "0"], "epochs is 0; expected a number greater than"),
        (["sample", "none"], "none is missing; make one"),
        (["sample", "full"], "hyperparameters.json is missing"),
        (["sample", "half"], "generator.safetensors is missing"),
        (["sample", "other"], "does not fit hyperparameters.json"),
        (["sample", "cut"], "generator.safetensors is damaged"),
        (["sample", "text"], "generator.safetensors is damaged"),
        (["sample", "json"], "hyperparameters.json is damaged"),
        (["sample", "field"], "hyperparameters.json is not usable: unknown hyperparameter"),
        (
            ["sample", "run", "--count", "0"],
            "count is 0; expected a number greater",
        ),
        (["sample", "run", "--seed", "-1"], "seed is -1"),
        (["sample", "run", "--output", "a.jpg"], "expected a name that ends in .png or .npz"),
        (["sample", "run", "--output", "nowhere/a.png"], "nowhere/a.png is missing; make it"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_changes_nothing(
    arguments, said, broken_folders, monkeypatch, capsys
):
    monkeypatch.chdir(broken_folders)
    if "locked" in " ".join(arguments):
        # For root nothing is locked, so what is asked is answered here.
        monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "locked")
    before = snapshot(broken_folders)
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1, output.err
    assert said.replace("/", os.sep) in output.err or said in output.err
    assert snapshot(broken_folders) == before


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([], "Expected one of"),
        (["paint"], "Available subcommands: train, resume, sample"),
        (["sample"], "Missing"),
        (["train", "--optimizer", "sgd"], "Unrecognized options: --optimizer"),
        (["train", "--batchsize", "3"], "Perhaps you meant:"),
    ],
)
def test_bad_usage_is_tyros_own_message_and_exit_code_2(arguments, said, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_help_of_every_command_imports_nothing_slow():
    code = (
        "import sys; sys.argv = ['dcgan_helpers', *sys.argv[1:], '--help']\n"
        "from dcgan_helpers.__main__ import main\n"
        "try: main()\nexcept SystemExit as stop: assert not stop.code\n"
        "slow = {'torch', 'pandas', 'matplotlib', 'numpy'} & set(sys.modules)\n"
        "assert not slow, slow"
    )
    for command in ([], *([command.__name__] for command in COMMANDS)):
        shown = subprocess.run(
            [sys.executable, "-c", code, *command], capture_output=True, text=True, encoding="utf-8"
        )
        assert shown.returncode == 0, shown.stderr
        assert "--help" in shown.stdout


def test_every_study_and_part_is_a_command():
    files = Path(dcgan_helpers.studies.__file__).parent.glob("[a-z]*.py")
    studies = [path.stem for path in files if "\ndef run_study(" in path.read_text("utf-8")]
    assert sorted(studies) == sorted(get_args(Study))
    assert list(dcgan_helpers.benchmark.PARTS) == list(get_args(Part))


def test_exit_codes_and_lines_of_a_real_process(command_line, tmp_path):
    result = command_line("sample", tmp_path / "none")
    assert result.returncode == 2
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    result = command_line("sample", tmp_path / "none", "--debug")
    assert result.returncode == 2
    assert "Traceback" in result.stderr


@pytest.mark.parametrize(
    "arguments, place, said",
    [
        (["train"], "dcgan_helpers.training.train", "the command resume goes on from the last"),
        (
            ["study"],
            "dcgan_helpers.studies.sensitivity.run_study",
            "stopped; the same command continues it",
        ),
        (["export", "run"], "dcgan_helpers.run_folder.export", "error: stopped\n"),
    ],
)
def test_ctrl_c_says_how_to_go_on(arguments, place, said, monkeypatch, capsys):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(place, stopped)
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


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
        "resume", tmp_path / "run", "--epochs", "3",
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
    assert lines[0] == f"300 fakes of {run_dir} against as many real images"
    assert lines[2].split() == ["held-out", "trained-on", "floor", "(range)"]
    name, hidden, known, floor, *_ = lines[3].split()
    assert name == "FID" and min(float(hidden), float(known)) > float(floor)
    assert lines[-1].endswith(str(run_dir / "evaluation.json"))
    assert results[0].stdout == results[1].stdout != results[2].stdout
    found = json.loads((run_dir / "evaluation.json").read_text())
    assert (found["count"], found["seed"]) == (300, 1)
    assert f"{found['held_out']['fid']:.2f}" in results[2].stdout
    assert f"{found['trained_on']['fid']:.2f}" in results[2].stdout
    mean, low, high = found["floor"]["fid"]
    assert low < mean < high and len(found["held_out"]["frequencies"]) == 10


@pytest.mark.parametrize(
    "changed, expected",
    [
        ({"image_channels": 3}, "image_channels is 3; expected 1"),
        ({"image_size": 32}, "does not fit hyperparameters.json beside it"),
        ({"dataset": "folder"}, "dataset is 'folder'; expected mnist, mnist-5k, fashion-mnist"),
        ({"dataset": "fashion-mnist"}, "dcgan_helpers classifier --dataset fashion-mnist"),
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
        (["--count", "10"], "count is 10; expected a number greater than or equal to 200"),
        (["--seed", "-1"], "seed is -1"),
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
    write_idx(root / IDX_IMAGES, small)
    labels = np.arange(300) % 10
    write_idx(root / IDX_LABELS, labels)
    for name in (IDX_IMAGES, IDX_LABELS):  # other images would do as well
        shutil.copy(root / name, root / name.replace("train", "t10k"))
    command = ["classifier", "--dataset", "fashion-mnist", "--data-root", str(root)]
    assert main([*command, "--epochs", "1", "--output", str(tmp_path / "c.safetensors")]) == 0
    assert "of 300 held-out images" in capsys.readouterr().out
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
