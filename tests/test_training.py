import csv
import json
import math
import os
import pickle
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState
from PIL import Image
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from dcgan_helpers import InputError, logger, run_folder
from dcgan_helpers.__main__ import main
from dcgan_helpers.arithmetic import choose_precision, memory_format
from dcgan_helpers.data import distort, load_dataset, load_images, make_loader, scale_images
from dcgan_helpers.hyperparameters import Hyperparameters, preset
from dcgan_helpers.networks import Discriminator, Generator, generate, initialize_weights
from dcgan_helpers.quality.classifier import load_classifier
from dcgan_helpers.quality.judge import judge_for
from dcgan_helpers.run_folder import read_scores, read_training
from dcgan_helpers.training import Trainer, TrainingError, resume, train

CI = preset("ci")


def plain_loop(h, steps):
    """The article's loop in plain PyTorch, independent of the helper's Trainer."""
    torch.manual_seed(h.seed)
    generator = Generator(h.latent_dim, 1, h.generator_features, h.batch_norm)
    discriminator = Discriminator(1, h.discriminator_features, h.batch_norm)
    for network in (generator, discriminator):
        initialize_weights(network)
        network.to(memory_format=memory_format(h.precision, torch.device("cpu")))
    opt_gen = torch.optim.Adam(generator.parameters(), h.learning_rate, h.betas)
    opt_disc = torch.optim.Adam(discriminator.parameters(), h.learning_rate, h.betas)
    bce, order, losses = nn.BCEWithLogitsLoss(), torch.Generator(), []
    loader = make_loader(load_dataset(h.dataset, max_images=h.max_images), h.batch_size, order)
    autocast = torch.autocast(
        "cpu", torch.bfloat16, enabled=h.precision == "bf16", cache_enabled=False
    )
    for epoch in range(h.epochs):
        order.manual_seed(h.seed + epoch)
        for images in loader:
            real = scale_images(images).contiguous(
                memory_format=memory_format(h.precision, torch.device("cpu"))
            )
            z = torch.randn(len(real), h.latent_dim, 1, 1)
            with autocast:
                fake = generator(z)
                yes, no = discriminator(real), discriminator(fake.detach())
                loss_disc = (bce(yes, torch.ones_like(yes)) + bce(no, torch.zeros_like(no))) / 2
            discriminator.zero_grad()
            loss_disc.backward()
            opt_disc.step()
            with autocast:
                output = discriminator(fake)
                loss_gen = bce(output, torch.ones_like(output))
            generator.zero_grad()
            loss_gen.backward()
            opt_gen.step()
            losses.append((loss_disc.item(), loss_gen.item()))
            if len(losses) == steps:
                return losses
    return losses


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_helpers_loop_is_the_articles(tmp_path, precision):
    h = replace(CI, precision=precision, log_every=1)
    train(h, tmp_path / "run", progress=False)
    rows = read_training(tmp_path / "run")
    assert [row["step"] for row in rows] == list(range(1, 33))
    helper = torch.tensor([[row["loss_discriminator"], row["loss_generator"]] for row in rows])
    torch.testing.assert_close(helper, torch.tensor(plain_loop(h, 32)))


def gradients(network):
    return [p.grad is not None and p.grad.any().item() for p in network.parameters()]


def test_one_step_moves_both_networks_and_no_gradient_goes_astray():
    trainer = Trainer(CI, load_dataset("mnist-5k", max_images=32))
    before = [
        {name: p.clone() for name, p in n.named_parameters()}
        for n in (trainer.generator, trainer.discriminator)
    ]
    own_gradients = []
    trainer.opt_disc.optimizer.register_step_post_hook(
        lambda *_: own_gradients.extend(p.grad.clone() for p in trainer.discriminator.parameters())
    )
    (real,) = map(trainer.to_network, trainer.loader)
    metrics = trainer.step(real)
    assert all(gradients(trainer.generator))
    assert all(gradients(trainer.discriminator))
    # The generator's backward has passed through the discriminator and left nothing there.
    for own, p in zip(own_gradients, trainer.discriminator.parameters(), strict=True):
        assert torch.equal(own, p.grad)
    for old, network in zip(before, (trainer.generator, trainer.discriminator), strict=True):
        for name, p in network.named_parameters():
            assert not torch.equal(old[name], p), f"{name} did not move"
            assert p.requires_grad
    assert set(metrics) == {
        "loss_discriminator", "loss_generator", "d_real", "d_fake_before", "d_fake_after",
    }  # fmt: skip
    # Untrained, the discriminator tosses a coin.
    assert abs(metrics["loss_discriminator"] - math.log(2)) < 0.2


@pytest.mark.parametrize("schedule, last", [("constant", 1.0), ("linear", 1 / 32)])
def test_learning_rate_over_a_run(schedule, last):
    h = replace(CI, learning_rate=0.01, learning_rate_schedule=schedule)
    trainer = Trainer(h, load_dataset("mnist-5k", max_images=CI.max_images))
    rates = []
    for _, images in trainer.batches(h.epochs * len(trainer.loader)):
        trainer.step(trainer.to_network(images[:4]))
        optimizers = trainer.opt_gen, trainer.opt_disc
        rates.append([group["lr"] for o in optimizers for group in o.param_groups])
    assert rates[0] == [0.01, 0.01]
    assert rates[16] == pytest.approx([0.01 * (1 if schedule == "constant" else 0.5)] * 2)
    assert rates[31] == pytest.approx([0.01 * last] * 2)


def test_run_cannot_be_made_to_end_before_it_began(finished_run):
    with pytest.raises(InputError, match=r"epochs is 0; .* was made with 2, and it can only grow"):
        resume(finished_run, epochs=0, progress=False)


def test_discriminator_may_have_a_rate_of_its_own():
    h = replace(CI, learning_rate=0.01, discriminator_learning_rate=0.004, max_images=32)
    trainer = Trainer(replace(h, learning_rate_schedule="linear"), load_images(h))
    trainer.steps_done = trainer.total_steps // 2
    trainer.step(trainer.to_network(trainer.images.images[:4]))
    rates = [o.param_groups[0]["lr"] for o in (trainer.opt_gen, trainer.opt_disc)]
    assert rates == pytest.approx([0.005, 0.002])


def test_distortion_is_of_real_images_and_of_none_without():
    images = load_dataset("mnist-5k", max_images=200)
    plain, distorting = (Trainer(replace(CI, distortion=d), images) for d in (0.0, 0.04))
    real, other = (t.to_network(images.images) for t in (plain, distorting))
    assert torch.equal(real, scale_images(images.images))
    assert other.shape == real.shape and other.min() >= -1 and other.max() <= 1
    # Stretched, slanted and moved a little: still the same digits, and black around them.
    assert 0.05 < (other - real).square().mean() / (real + 1).square().mean() < 0.4
    assert (other[:, :, 0] == -1).float().mean() > 0.99
    classifier, _ = load_classifier()
    same = classifier(other).argmax(dim=1) == classifier(real).argmax(dim=1)
    assert same.float().mean() > 0.97
    torch.manual_seed(0)
    first = distort(real, 0.04)
    torch.manual_seed(0)
    assert torch.equal(first, distort(real, 0.04)) and distort(real, 0.0) is real


def test_instance_noise_is_what_the_discriminator_sees():
    images = load_dataset("mnist-5k", max_images=8)
    trainer = Trainer(replace(CI, instance_noise=0.5), images)
    seen = []
    trainer.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    real = trainer.to_network(images[range(8)])
    trainer.step(real)
    added = (seen[0] - real).flatten()
    assert len(seen) == 3 and abs(added.std() - 0.5) < 0.02 and abs(added.mean()) < 0.02
    assert not torch.equal(seen[1], seen[2])  # the same fakes, other noise
    trainer = Trainer(replace(CI, instance_noise=0.0), images)
    trainer.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    trainer.step(real)
    assert torch.equal(seen[3], real) and torch.equal(seen[4], seen[5])


def test_moving_average_follows_the_generator_buffers_included():
    trainer = Trainer(replace(CI, ema_decay=0.15), load_dataset("mnist-5k", max_images=32))
    real = trainer.to_network(trainer.images.images)
    trainer.step(real)
    first = {k: v.clone() for k, v in trainer.generator.state_dict().items()}
    trainer.step(real)
    for name, average in trainer.moving_average.module.state_dict().items():
        if average.is_floating_point():
            expected = 0.15 * first[name] + 0.85 * trainer.generator.state_dict()[name]
            torch.testing.assert_close(average, expected)
    assert any("running_mean" in name for name in first)


def test_run_folder_holds_everything(finished_run):
    on_request = {run_folder.SCORES, run_folder.EVALUATION, run_folder.CLASSES}
    assert {p.name for p in finished_run.iterdir()} == set(run_folder.PARTS) - on_request
    assert (
        Hyperparameters.from_dict(run_folder.load_json(finished_run / "hyperparameters.json")) == CI
    )
    with (finished_run / "training.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["8", "16", "24", "32"]
    assert all(math.isfinite(float(value)) for row in rows for value in row.values())
    pictures = sorted(p.name for p in (finished_run / "progress").iterdir())
    assert pictures == [f"step-{n:09d}.png" for n in (0, 8, 16, 24, 32)]
    for picture in [finished_run / "samples.png", *(finished_run / "progress").iterdir()]:
        assert Image.open(picture).size == (8 * 66 + 2, 4 * 66 + 2)
    assert [p.name for p in (finished_run / "checkpoints").iterdir()] == ["step-000000032"]
    assert not list(finished_run.rglob(".writing-*"))


def test_saved_generators(finished_run):
    averaged, raw = (load_file(finished_run / f"generator{x}.safetensors") for x in ("", "_raw"))
    assert averaged.keys() == raw.keys()
    assert any(not torch.equal(averaged[name], raw[name]) for name in raw)
    images = generate(run_folder.load_generator(finished_run), 4)
    assert images.shape == (4, 1, 64, 64)
    assert images.isfinite().all()


def test_tensorboard_shows_real_beside_fake(finished_run):
    def tags(folder):
        return EventAccumulator(str(finished_run / "tensorboard" / folder)).Reload().Tags()

    assert tags("real")["images"] == tags("fake")["images"] == ["images"]
    scalars = tags(".")["scalars"]
    for tag in ("loss/discriminator", "loss/generator", "score/D(x)", "speed/images per second"):
        assert tag in scalars
    assert "final/loss_generator" in scalars  # what the HPARAMS tab compares runs by


def test_loss_that_is_not_finite_stops_the_run_and_names_the_good_checkpoint(tmp_path):
    h = replace(CI, learning_rate=1e-4, checkpoint_every=4)
    trainer = Trainer(h, load_dataset("mnist-5k", max_images=CI.max_images))
    run_folder.prepare(tmp_path / "run", h)
    real_step = trainer.step

    def step(real):
        if trainer.steps_done == 6:
            with torch.no_grad():
                next(trainer.discriminator.parameters()).fill_(math.nan)
        return real_step(real)

    trainer.step = step
    with pytest.raises(TrainingError, match=r"not finite .* at step 7; .*step-000000004") as caught:
        trainer.run(tmp_path / "run", progress=False)
    assert "\n" not in str(caught.value)
    assert run_folder.latest_checkpoint(tmp_path / "run").name == "step-000000004"


def test_steps_stop_where_asked_and_go_on_beyond_an_epoch():
    trainer = Trainer(CI, load_dataset("mnist-5k", max_images=64))  # two steps an epoch
    assert len(list(trainer.steps(3))) == trainer.steps_done == 3
    assert list(trainer.steps(3)) == []
    (metrics,) = trainer.steps(4)
    assert math.isfinite(metrics["loss_generator"]) and trainer.steps_done == 4
    with torch.no_grad():
        next(trainer.discriminator.parameters()).fill_(math.nan)
    with pytest.raises(TrainingError, match=r"not finite .* at step 5; last good checkpoint: none"):
        next(trainer.steps(9))


def test_clock_stands_still_while_something_is_recorded(monkeypatch):
    now = iter([0.0, 2.0, 10.0, 13.0])  # the start, a step, the end of a pause, a step
    monkeypatch.setattr(logger.time, "perf_counter", lambda: next(now))
    clock = logger.Progress(0, 4, 0.0, window=1, is_shown=False)
    metrics = {"loss_discriminator": 1.0, "loss_generator": 1.0}
    assert clock.step(metrics, 6) == 2 and metrics["images_per_second"] == 3
    with clock.paused():
        pass
    assert clock.step(metrics, 6) == 5 and metrics["images_per_second"] == 2


def test_two_precisions_in_one_process(tmp_path):
    for precision in ("bf16", "fp32"):
        train(replace(CI, epochs=1, precision=precision), tmp_path / precision, progress=False)
        assert AcceleratorState().mixed_precision == {"fp32": "no"}.get(precision, precision)


def test_auto_precision_is_measured_and_said_once():
    said = []
    assert choose_precision("auto", torch.device("cpu"), said.append) in ("fp32", "bf16")
    assert len(said) == 1
    assert "times as fast as fp32" in said[0]
    assert choose_precision("fp32", torch.device("cpu"), said.append) == "fp32"
    assert len(said) == 1


def test_any_data_set_in_colour(tmp_path):
    h = replace(CI, image_channels=3, epochs=1, max_images=64)
    run = train(h, tmp_path / "run", progress=False)
    assert generate(run_folder.load_generator(run), 2).shape == (2, 3, 64, 64)


def test_layout_is_channels_last_where_it_is_faster():
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    assert {memory_format(p, cpu) for p in ("fp32", "bf16")} == {torch.channels_last}
    assert memory_format("bf16", cuda) == torch.channels_last
    assert memory_format("fp32", cuda) == torch.contiguous_format
    trainer = Trainer(CI, load_dataset("mnist-5k", max_images=32))
    kernels = [m.weight for m in trainer.discriminator.modules() if isinstance(m, nn.Conv2d)]
    assert all(kernel.is_contiguous(memory_format=torch.channels_last) for kernel in kernels)
    assert not kernels[1].is_contiguous()


# Resuming. The command is the same for every run, so that only the kills differ.
RESUME = ("train", "--preset", "ci", "--log-every", "1", "--checkpoint-every", "3")
RESUME += ("--learning-rate-schedule", "linear")  # it must go on where it was, too


def start(run_dir):
    return run_command(*RESUME, "--run-dir", str(run_dir))


def go_on(run_dir):
    return run_command("resume", str(run_dir))


def run_command(*arguments):
    command = [sys.executable, "-m", "dcgan_helpers", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def wait_for(condition, process):
    while process.poll() is None and not condition():
        time.sleep(0.0005)


def kill(process):
    process.kill()  # SIGKILL; on Windows its like: no clean-up either way
    process.communicate()


@pytest.fixture(scope="module")
def never_stopped(tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("never_stopped") / "run"
    process = start(run_dir)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    return run_dir


@pytest.mark.slow
def test_killed_and_resumed_run_ends_like_the_one_never_stopped(never_stopped, tmp_path):
    run_dir = tmp_path / "run"
    checkpoints = run_dir / "checkpoints"
    kills = [
        # before the first checkpoint; while one is written; some time between two
        lambda: (run_dir / "progress" / "step-000000001.png").exists(),
        lambda: any(checkpoints.glob(".writing-*")),
        lambda: (run_dir / "progress" / "step-000000020.png").exists(),
    ]
    for number, moment in enumerate(kills):
        process = go_on(run_dir) if number else start(run_dir)
        wait_for(moment, process)
        assert process.poll() is None, "the run ended before it could be killed"
        kill(process)
        done = max((row["step"] for row in read_training(run_dir)), default=0)
        latest = run_folder.latest_checkpoint(run_dir)
        kept = json.loads((latest / "position.json").read_text())["step"] if latest else 0
        assert done - kept <= 3, "more than one interval would be done twice"
    process = go_on(run_dir)
    _, errors = process.communicate()
    assert process.returncode == 0, errors

    for name in ("generator.safetensors", "generator_raw.safetensors"):
        assert (run_dir / name).read_bytes() == (never_stopped / name).read_bytes()
    last = "checkpoints/step-000000032"
    for name in ("model.safetensors", "model_1.safetensors", "moving_average.safetensors"):
        ours, theirs = (load_file(run / last / name) for run in (run_dir, never_stopped))
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    for name in ("optimizer.bin", "optimizer_1.bin"):
        ours, theirs = (
            torch.load(run / last / name, weights_only=True)["state"]
            for run in (run_dir, never_stopped)
        )
        for key in theirs:
            assert all(torch.equal(ours[key][k], theirs[key][k]) for k in theirs[key])

    def without_speed(run):
        return [{**row, "images_per_second": 0} for row in read_training(run)]

    assert without_speed(run_dir) == without_speed(never_stopped)
    assert not list(run_dir.rglob(".writing-*"))


def test_resume_can_add_epochs(finished_run, tmp_path):
    run_dir = tmp_path / "run"
    shutil.copytree(finished_run, run_dir)
    with pytest.raises(InputError, match=r"epochs is 1; .* was made with 2, and it can only grow"):
        resume(run_dir, epochs=1, progress=False)
    resume(run_dir, epochs=3, progress=False)
    assert run_folder.load_hyperparameters(run_dir) == replace(CI, epochs=3)
    train(replace(CI, epochs=3), tmp_path / "at_once", progress=False)
    assert (run_dir / "generator.safetensors").read_bytes() == (
        tmp_path / "at_once" / "generator.safetensors"
    ).read_bytes()


def test_run_folder_with_the_old_names_is_read_and_goes_on(finished_run, tmp_path):
    """Made before `metrics.csv` became `training.csv`, and before two hyperparameters."""
    run_dir = tmp_path / "run"
    shutil.copytree(finished_run, run_dir)
    (run_dir / "training.csv").rename(run_dir / "metrics.csv")
    path = run_dir / "hyperparameters.json"
    values = json.loads(path.read_text())
    del values["learning_rate_schedule"], values["instance_noise"]
    path.write_text(json.dumps(values))
    assert read_training(run_dir) == read_training(finished_run)
    assert run_folder.load_hyperparameters(run_dir) == CI
    assert generate(run_folder.load_generator(run_dir), 2).isfinite().all()
    resume(run_dir, epochs=3, progress=False)
    assert [row["step"] for row in read_training(run_dir)] == [8, 16, 24, 32, 40, 48]
    train(replace(CI, epochs=1), run_dir, overwrite=True, progress=False)
    assert not (run_dir / "metrics.csv").exists()


def test_a_run_with_a_falling_rate_cannot_grow(tmp_path):
    h = replace(CI, epochs=1, max_images=64, learning_rate_schedule="linear")
    run_dir = train(h, tmp_path / "run", progress=False)
    with pytest.raises(InputError, match=r"epochs is 2; .* with 1, and its learning rate falls"):
        resume(run_dir, epochs=2, progress=False)


def test_resume_refuses_other_images_and_damaged_checkpoints(finished_run, tmp_path):
    run_dir = tmp_path / "run"
    shutil.copytree(finished_run, run_dir)
    position = run_folder.latest_checkpoint(run_dir) / "position.json"
    stored = json.loads(position.read_text())
    position.write_text(json.dumps({**stored, "images": 499}))
    with pytest.raises(InputError, match="made with 499 images, mnist-5k now has 500"):
        resume(run_dir, progress=False)
    position.write_text(json.dumps(stored))
    model = position.with_name("model.safetensors")
    model.write_bytes(model.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"step-000000032 is damaged .*--overwrite"):
        resume(run_dir, progress=False)


class Poison:
    """Unpickled without care, it writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["optimizer.bin", "optimizer_1.bin", "random_states_0.pkl"])
def test_a_poisoned_checkpoint_is_refused_in_one_line(finished_run, tmp_path, name, capsys):
    run_dir, poisoned = tmp_path / "run", tmp_path / "poisoned"
    shutil.copytree(finished_run, run_dir)
    path = run_folder.latest_checkpoint(run_dir) / name
    path.write_bytes(pickle.dumps(Poison(poisoned), protocol=2))
    assert main(["resume", str(run_dir), "--epochs", "3"]) == 2
    assert not poisoned.exists()
    (line,) = capsys.readouterr().err.splitlines()
    assert "step-000000032 holds what no run of ours writes; delete it" in line
    path.unlink()  # gone: random numbers must not silently be others
    assert main(["resume", str(run_dir), "--epochs", "3"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "step-000000032" in line and "delete it" in line


def test_overwrite_deletes_the_old_run_and_nothing_else(finished_run, tmp_path):
    run_dir = tmp_path / "run"
    shutil.copytree(finished_run, run_dir)
    (run_dir / "notes.txt").write_text("mine")
    (run_dir / "progress" / "step-000000999.png").touch()
    with pytest.raises(
        InputError,
        match=r"already holds a run; `python -m dcgan_helpers resume .*run` goes on with it",
    ):
        train(CI, run_dir, progress=False)
    train(replace(CI, epochs=1), run_dir, overwrite=True, progress=False)
    assert (run_dir / "notes.txt").read_text() == "mine"
    assert not (run_dir / "progress" / "step-000000999.png").exists()
    assert run_folder.load_hyperparameters(run_dir).epochs == 1


@pytest.mark.skipif(os.name == "nt", reason="gloo on Windows needs a PyTorch built with libuv")
def test_two_processes_share_a_run(tmp_path):
    """Two CPU processes: batch norm, two discriminator forwards and one backward."""
    result = subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
            "-m", "dcgan_helpers", *RESUME[:3], "--run-dir", str(tmp_path / "run"),
        ],
        capture_output=True, text=True, timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "1"},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert read_training(tmp_path / "run")[-1]["step"] == 32
    states = (tmp_path / "run" / "checkpoints" / "step-000000032").glob("random_states_*")
    assert len(list(states)) == 2
    assert result.stdout.count("samples:") == 1


def test_training_scores_itself(tmp_path):
    h = replace(CI, evaluate_every=10)
    run_dir = train(h, tmp_path / "run", progress=False, judge_for=judge_for)
    rows = read_scores(run_dir)
    assert [row["step"] for row in rows] == [10, 20, 30, 32]  # and at the end
    seconds = [row["seconds"] for row in rows]
    assert seconds == sorted(seconds) and seconds[0] > 0
    last = judge_for(h).score_generator(run_folder.load_generator(run_dir), h.seed)
    assert rows[-1]["fid"] == pytest.approx(last["fid"], rel=1e-4)
    events = EventAccumulator(str(run_dir / run_folder.TENSORBOARD)).Reload()
    shown = events.Scalars("quality/fid")
    assert [event.step for event in shown] == [10, 20, 30, 32]
    # Scoring changes nothing of what is trained.
    plain = train(CI, tmp_path / "plain", progress=False)
    for name in (run_folder.GENERATOR, run_folder.DISCRIMINATOR):
        assert (plain / name).read_bytes() == (run_dir / name).read_bytes()


def test_scores_of_a_resumed_run_go_on(tmp_path):
    h = replace(CI, evaluate_every=16, epochs=1)
    run_dir = train(h, tmp_path / "run", progress=False, judge_for=judge_for)
    first = read_scores(run_dir)
    resume(run_dir, epochs=2, progress=False, judge_for=judge_for)
    rows = read_scores(run_dir)
    assert rows[:1] == first and [row["step"] for row in rows] == [16, 32]
    assert rows[1]["seconds"] > rows[0]["seconds"]


def test_scores_are_refused_before_anything_is_made(tmp_path, capsys):
    with pytest.raises(InputError, match="evaluate_every is 10; expected judge_for beside it"):
        train(replace(CI, evaluate_every=10), tmp_path / "run", progress=False)
    options = [
        "--evaluate-every",
        "10",
        "--image-channels",
        "3",
        "--run-dir",
        str(tmp_path / "run"),
    ]
    assert main(["train", "--preset", "ci", *options]) == 2
    assert "image_channels is 3; expected 1" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
