"""The benchmark compares like with like, counts right, and goes on where it was."""

import math
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from judges import FakeJudge
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from dcgan_helpers import benchmark, run_folder
from dcgan_helpers.__main__ import main
from dcgan_helpers.benchmark import quality_time, startup, step_time, tricks
from dcgan_helpers.benchmark.usual_recipe import Pictures, UsualRecipe
from dcgan_helpers.data import InMemoryImages, load_dataset, original_digits, scale_images
from dcgan_helpers.hyperparameters import preset
from dcgan_helpers.quality import tables
from dcgan_helpers.quality.judge import judge_for
from dcgan_helpers.training import Trainer

CI = preset("ci")


@pytest.fixture(scope="module")
def images():
    return load_dataset("mnist-5k", max_images=64)


@pytest.fixture(scope="module")
def digits():
    return original_digits()


def test_usual_recipe_computes_what_ours_does(images, digits):
    ours, usual = Trainer(CI, images), UsualRecipe(CI, digits)
    for name in ("generator", "discriminator"):
        getattr(usual, name).load_state_dict(getattr(ours, name).state_dict())
        # In one layout, because two round differently.
        getattr(usual, name).to(memory_format=torch.channels_last)
    real = ours.to_network(images[range(0, 64, 2)])  # all kinds of digits
    usual.next_batch = lambda: real
    for step in range(3):
        torch.manual_seed(step)
        found = ours.step(real)
        torch.manual_seed(step)
        expected = usual.step()
        losses = found["loss_discriminator"], found["loss_generator"]
        assert losses == pytest.approx(expected, rel=1e-4)
    for name in ("generator", "discriminator"):
        for a, b in zip(
            getattr(ours, name).parameters(), getattr(usual, name).parameters(), strict=True
        ):
            # Adam's first steps have the size of the rate even where a gradient is rounding.
            assert torch.isclose(a, b, atol=1e-5).float().mean() > 0.999


def test_usual_recipe_loads_the_same_images(digits):
    ours = scale_images(InMemoryImages(digits)[[0, 7, 4999]])
    usual = torch.stack([Pictures(digits)[i] for i in (0, 7, 4999)])
    assert (ours - usual).abs().max() < 0.05  # Pillow rounds to bytes between its two passes
    recipe = UsualRecipe(replace(CI, batch_size=4), digits[:10])
    sizes = [len(recipe.next_batch()) for _ in range(5)]
    assert sizes == [4] * 5  # whole batches, epoch after epoch


def layers(network, x):
    """Multiply-adds of each convolution for one image, from its weight and its positions."""
    found, hooks = [], []
    for layer in network.modules():
        if isinstance(layer, (torch.nn.Conv2d, torch.nn.ConvTranspose2d)):
            transposed = isinstance(layer, torch.nn.ConvTranspose2d)
            hook = lambda m, i, o, t=transposed: found.append(  # noqa: E731
                m.weight.numel() * (i[0] if t else o)[0, 0].numel()
            )
            hooks.append(layer.register_forward_hook(hook))
    network(x)
    for hook in hooks:
        hook.remove()
    return found


def test_multiply_adds_of_a_step(images, digits):
    trainer = Trainer(CI, images)
    g = layers(trainer.generator, torch.zeros(2, 100, 1, 1))
    d = layers(trainer.discriminator, torch.zeros(2, 1, 64, 64))
    # Forward 1, weight gradient 1, input gradient 1, except where nobody asks for it.
    needed = 3 * sum(g) - g[0] + 8 * sum(d) - 2 * d[0]
    assert step_time.step_multiply_adds(trainer, images[range(4)]) == needed
    usual = UsualRecipe(replace(CI, batch_size=4), digits[:8])
    with FlopCounterMode(display=False) as counter:
        usual.step()
    assert counter.get_total_flops() / 2 / 4 == needed + sum(d)


@pytest.mark.parametrize("name", ["fused Adam", "first layer as a matrix product"])
def test_trick_changes_no_result(images, name):
    trainers = [Trainer(CI, images), tricks.TRICKS[name](CI, images)]
    real = trainers[0].to_network(images[range(16)])
    for step in range(2):
        losses = []
        for trainer in trainers:
            torch.manual_seed(step)
            losses.append(list(trainer.step(real).values()))
        assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    first, second = (t.generator.state_dict() for t in trainers)
    assert first.keys() == second.keys()
    assert all(torch.isclose(first[k], second[k], atol=1e-4).float().mean() > 0.999 for k in first)


def test_one_forward_mixes_real_and_fake_in_batch_norm(images):
    usual, one = Trainer(CI, images), tricks.OneForward(CI, images)
    one.discriminator.load_state_dict(usual.discriminator.state_dict())
    real, fake = usual.to_network(images[range(8)]), torch.zeros(8, 1, 64, 64)
    apart, together = usual.discriminate(real, fake), one.discriminate(real, fake)
    assert [x.shape for x in together] == [x.shape for x in apart]
    assert not torch.allclose(apart[0], together[0], atol=1e-3)
    for network in (usual.discriminator, one.discriminator):
        network.eval()  # with fixed statistics the two ways are one
    one.discriminator.load_state_dict(usual.discriminator.state_dict())
    for a, b in zip(usual.discriminate(real, fake), one.discriminate(real, fake), strict=True):
        assert torch.allclose(a, b, atol=1e-4)


def measure_small(part, path):
    """A part of the benchmark in seconds."""
    base = replace(CI, max_images=None)
    if part == "steps":
        step_time.measure_steps(path, base, rounds=2, size=64, progress=False)
    if part == "tricks":
        chosen = {k: v for k, v in tricks.TRICKS.items() if k != "torch.compile"}
        step_time.measure_tricks(path, base, chosen, rounds=2, steps=1, progress=False)
    if part == "growth":
        sizes = {"batch size": (4, 8), "features": (2, 4), "threads": (1, 999)}
        step_time.measure_growth(path, base, sizes, rounds=2, steps=1, progress=False)
    if part == "startup":
        startup.measure_startup(path, 200, 1, 50, 1, False)


@pytest.mark.parametrize("part", ["steps", "tricks", "growth", "startup"])
def test_part_measures_every_thing_in_every_round(part, tmp_path):
    measure_small(part, tmp_path / f"{part}.csv")
    table = benchmark.read(part, tmp_path)
    text = benchmark.report(part, table)
    if part == "growth":
        counts = table.groupby(["axis", "value", "precision"]).size()
        assert len(counts) == 10 and (counts == 2).all()
        assert ("threads", 1, "bf16") in counts and ("threads", 999, "bf16") not in counts
        assert (table["milliseconds"] > 0).all()
        return
    counts = table.groupby("what").size()
    once = {n for n in counts.index if n == "needed" or n.endswith(", first") or part == "startup"}
    assert all(count == (1 if name in once else 2) for name, count in counts.items())
    peaks = 3 if startup.STATUS.exists() else 0
    assert len(counts) == {"steps": 6, "tricks": 8, "startup": 8 + peaks}[part]
    assert (table["value"] > 0).all(), table
    if part == "steps":
        assert "times as fast as the usual recipe" in text and "ours, bf16" in text
    if part == "startup":
        assert "sampling, features 64" in text
        if peaks:
            middle = tables.medians(table, "what")["median"]
            assert 50 < middle["peak, import torch"] < middle["peak, training"]


def test_trick_that_does_not_work_here_is_left_out(tmp_path, capsys):
    class Broken(Trainer):
        def step(self, real):
            raise RuntimeError("no compiler\nfound")

    path, chosen = tmp_path / "tricks.csv", {"as it is": Trainer, "broken": Broken}
    step_time.measure_tricks(path, replace(CI, max_images=None), chosen, 1, 1, progress=False)
    assert "broken does not work here: no compiler found" in capsys.readouterr().err
    assert set(tables.read(path)["what"]) == {"as it is", "as it is, first"}
    with pytest.raises(RuntimeError):
        step_time.measure_tricks(path, CI, {"as it is": Broken}, 1, 1, progress=False)


ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def race():
    table = benchmark.read("quality", benchmark.HELD_OUT)
    return table, judge_for(preset("laptop")).floor()["fid"][0]


def test_readme_states_the_stored_quality(race):
    table, floor = race
    middle = tables.medians(table, "recipe", "at", value="fid")["median"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for recipe in ("laptop", "digits"):
        one, two, end = (f"{middle[recipe, at]:.1f}" for at in (35, 60, 300))
        assert f"FID {one} after 35 s, {two} after 60 s and {end} at its end" in readme
    assert f"floor of {floor:.1f}" in readme


def test_records_are_those_of_the_stored_race(race):
    text = (ROOT / "dcgan_helpers" / "benchmark" / "RECORDS.md").read_text(encoding="utf-8")
    for recipe in ("digits", "clusters", "laptop"):
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{recipe}`")]
        seconds = quality_time.seconds_to_target(race[0], recipe, race[1])
        assert row.split("|")[2].strip() == (f"{seconds} s" if seconds else "not reached")


def test_records_state_the_range_of_ten_seeds():
    text = (ROOT / "dcgan_helpers" / "benchmark" / "RECORDS.md").read_text(encoding="utf-8")
    table = benchmark.read("seeds", benchmark.HELD_OUT)
    for recipe in ("laptop", "digits"):
        own = table[table["recipe"] == recipe]
        assert tuple(own["seed"]) == quality_time.TEN_SEEDS
        low, high, sure = own["fid"].min(), own["fid"].max(), math.floor(100 * own["sure"].min())
        assert f"FID of `{recipe}` between {low:.1f} and {high:.1f}" in text
        assert f"sure of at least {sure}%" in text


def test_seconds_to_target_by_hand():
    rows = [(15, 30.0, 0.99), (35, 9.0, 0.9), (60, 9.0, 0.96), (90, 12.0, 0.99)]
    table = pd.DataFrame(
        {"recipe": "r", "seed": seed, "at": at, "fid": fid + spread, "sure": sure}
        for at, fid, sure in rows
        for seed, spread in ((1, -1.0), (2, 0.0), (3, 50.0))
    )
    assert quality_time.seconds_to_target(table, "r", 5.0) == 60
    assert quality_time.seconds_to_target(table, "r", 4.0) is None


def test_report_gives_median_and_range():
    table = pd.DataFrame([{"what": "x", "value": v, "unit": "s"} for v in (3.0, 1.0, 2.0)])
    assert tables.medians(table, "what").loc["x"].tolist() == [2.0, 1.0, 3.0]
    assert benchmark.report("startup", table).splitlines()[-1].split() == [
        "x", "s", "2.00", "1.00", "3.00",
    ]  # fmt: skip


STEPS = pd.DataFrame(
    {"round": 1} | row
    for row in (
        {"what": "needed", "value": 100.0, "unit": ""},
        {"what": "usual recipe", "value": 2000.0, "unit": ""},
        {"what": "ours, bf16", "value": 500.0, "unit": ""},
        {"what": "ours, fp32", "value": 1000.0, "unit": ""},
        {"what": "matrix product, bf16", "value": 400.0, "unit": ""},
        {"what": "matrix product, fp32", "value": 200.0, "unit": ""},
    )
)


def test_verdict_by_hand():
    first, second = benchmark.verdict(STEPS)
    assert "4.00 times" in first and "50%" in first  # 100 in half a second, of 400 a second
    assert "2.00 times" in second and "50%" in second
    without = STEPS[STEPS["what"] != "ours, fp32"]
    assert benchmark.verdict(without) == [first]


@pytest.mark.parametrize("folder", [benchmark.INTEL, benchmark.AMD])
def test_stored_benchmark_is_of_this_packages_recipes(folder):
    assert set(run_folder.load_json(folder / benchmark.MACHINE)) == set(step_time.machine())
    steps = benchmark.read("steps", folder)
    (needed,) = steps[steps["what"] == "needed"]["value"]
    h = replace(step_time.EQUAL, precision="fp32", batch_size=2)
    trainer = Trainer(h, load_dataset("mnist-5k"))
    work = step_time.step_multiply_adds(trainer, trainer.images[[0, 1]])
    assert needed == pytest.approx(work * step_time.EQUAL.batch_size / 1e9, abs=0.01)
    for part, column, known in (
        ("quality", "recipe", quality_time.RECIPES),
        ("ablation", "change", quality_time.CHANGES),
    ):
        table = benchmark.read(part, folder)
        for name, own in table.groupby(column) if len(table) else ():
            assert name in known and set(own["seed"]) == {1, 2, 3}
    quality = benchmark.read("quality", folder)
    finished = quality[(quality["recipe"] == "laptop") & (quality["at"] == 300)]["step"]
    assert (finished == 30 * 79).all()
    assert benchmark.picture(folder).axes[1].has_data() == (folder == benchmark.AMD)


@pytest.fixture(scope="module")
def judge():
    return judge_for(CI, count=200)


def test_quality_is_scored_at_every_time(judge):
    recipes = {"short": replace(CI, epochs=1)}  # 16 steps, and it is over
    rows = quality_time.run_recipe("short", 5, judge, (0, 1, 30), recipes)
    assert [row["at"] for row in rows] == [0, 1, 30]
    assert rows[0]["step"] == 0 and rows[-1]["step"] == 16 and rows[-1]["seconds"] < 30
    assert rows[0]["fid"] > 0 and {"recall", "precision", "kid"} < set(rows[0])
    assert rows[0]["seed"] == 5 and rows[0]["recipe"] == "short"


def test_scoring_does_not_count(judge, monkeypatch):
    clock = iter(float(i) for i in range(10**6))
    monkeypatch.setattr(quality_time.time, "perf_counter", lambda: next(clock))
    rows = quality_time.run_recipe("r", 0, judge, (3, 6), {"r": CI})
    assert [row["step"] for row in rows] == [3, 6]  # a second a step, by this clock
    assert [row["seconds"] for row in rows] == [3, 6]


@pytest.mark.parametrize("name", quality_time.CHANGES)
def test_change_is_scored_at_equal_steps(judge, monkeypatch, tmp_path, name):
    trainer_class, changed = quality_time.CHANGES[name]
    h = replace(quality_time.HALF_WIDTH_10_EPOCHS, **changed)
    steps = (1890,) if name.endswith("whole run") else (630, 640)
    assert h.epochs * math.ceil(4000 / h.batch_size) in steps
    small = {"generator_features": 4, "discriminator_features": 4, "precision": "fp32"}
    quick = changed | {"epochs": 1, "batch_size": 64} | (small if steps == (1890,) else {})
    monkeypatch.setitem(quality_time.CHANGES, name, (trainer_class, quick))
    path = tmp_path / "ablation" / "fakes.png"
    (row,) = quality_time.run_change(name, 1, judge, replace(CI, max_images=256), path)
    with Image.open(path) as image:  # eight of the moving average above eight of the generator
        pixels = np.asarray(image).astype(int)
        assert image.size == (530, 134)
        if name != "one forward":  # its four steps change no pixel by a grey level
            assert (pixels[2:66] != pixels[68:132]).any()
    assert (row["change"], row["seed"], row["step"]) == (name, 1, 4)
    assert row["fid"] != row["raw_fid"] > 0


def test_lines_of_quality_end_where_the_runs_end():
    quality = benchmark.read("quality", benchmark.HELD_OUT)
    _, ax = plt.subplots()
    benchmark.show_quality(quality, ax)
    ends = {line.get_label(): line.get_xdata()[-1] for line in ax.get_lines()}
    assert ends["laptop"] == pytest.approx(113.4) and ends["digits"] == pytest.approx(82.1)
    assert len(ax.get_yticks()) >= 3
    plt.close()


def test_quality_goes_on_where_it_was(tmp_path, monkeypatch):
    calls, path = [], tmp_path / "quality.csv"

    def run(recipe, seed, judge):
        calls.append((recipe, seed))
        return [{"recipe": recipe, "seed": seed, "at": 15, "seconds": 15.2, "step": 9, "fid": 3.0}]

    monkeypatch.setattr(quality_time, "run_recipe", run)
    monkeypatch.setattr(quality_time, "judge_for", lambda h: None)
    quality_time.measure_quality(path, seeds=(1,), progress=False)
    quality_time.measure_quality(path, seeds=(1, 2), progress=False)
    assert calls == [(recipe, seed) for seed in (1, 2) for recipe in quality_time.RECIPES]
    assert len(tables.read(path)) == 2 * len(quality_time.RECIPES)


def test_command_writes_tables_and_a_picture(tmp_path, monkeypatch, capsys):
    growth = pd.DataFrame(
        {"axis": axis, "value": v, "precision": p, "round": 1, "milliseconds": 2.0 * v}
        for axis in ("batch size", "features", "threads")
        for v in (1, 2)
        for p in ("fp32", "bf16")
    )
    ran = []

    def replaced(part):
        def measure(path):
            ran.append(part)
            tables.save(path, growth if part == "growth" else STEPS)

        return replace(benchmark.PARTS[part], measure=measure)

    for part in ("steps", "tricks", "growth", "startup"):
        monkeypatch.setitem(benchmark.PARTS, part, replaced(part))
    monkeypatch.delenv("ACCELERATE_USE_CPU", raising=False)
    folder = tmp_path / "new"
    assert main(["benchmark", "growth", "--output", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "processor" in shown and "threads" in shown
    names = {"growth.csv", "machine.json", "benchmark.png"}
    assert {p.name for p in folder.iterdir()} == names
    assert main(["benchmark", "steps", "tricks", "startup", "--output", str(folder)]) == 0
    assert ran == ["growth", "steps", "tricks", "startup"]
    monkeypatch.setattr(step_time, "processor", lambda: "another")
    assert main(["benchmark", "--output", str(folder)]) == 2  # all parts, of which none is run
    assert "this is another; name another --output" in capsys.readouterr().err
    assert len(ran) == 4


def test_seeds_are_trained_to_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(quality_time, "judge_for", lambda h: FakeJudge())
    monkeypatch.setattr(quality_time, "TO_THE_END", {"short": (4, 5)})
    monkeypatch.setitem(quality_time.RECIPES, "short", replace(CI, max_images=64, epochs=1))
    quality_time.measure_seeds(tmp_path / "seeds.csv", progress=False)
    table = tables.read(tmp_path / "seeds.csv")
    assert list(table["seed"]) == [4, 5] and (table["step"] == 2).all()
    assert not {"at", "seconds"} & set(table.columns)
