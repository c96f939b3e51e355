"""Where a run can be watched: metrics.csv, image grids and TensorBoard."""

from dataclasses import asdict

from torch.utils.tensorboard import SummaryWriter
from torchvision.utils import make_grid

from . import run_folder

# The columns that go to TensorBoard, and the tag each has there.
TAGS = {
    "loss_discriminator": "loss/discriminator",
    "loss_generator": "loss/generator",
    "d_real": "score/D(x)",
    "d_fake_before": "score/D(G(z)) before the discriminator's update",
    "d_fake_after": "score/D(G(z)) after the discriminator's update",
    "images_per_second": "speed/images per second",
}


class Watcher:
    """Writes what `log` is given into the run folder; `first_step` is where a run goes on.

    What an interrupted run had logged after that step is dropped, for it comes again.
    """

    def __init__(self, run_dir, hyperparameters, first_step=0):
        self.run_dir, self.hyperparameters = run_dir, hyperparameters
        self.rows = [row for row in read_metrics(run_dir) if row["step"] <= first_step]
        self.scores = [row for row in read_scores(run_dir) if row["step"] <= first_step]
        logs = run_dir / run_folder.TENSORBOARD
        purge_step = first_step + 1 if first_step else 0
        self.writer = SummaryWriter(logs, purge_step=purge_step)
        # Two writers, one tag: TensorBoard shows real and fake side by side (the article's way).
        self.real_writer = SummaryWriter(logs / "real", purge_step=purge_step)
        self.fake_writer = SummaryWriter(logs / "fake", purge_step=purge_step)

    def log(self, step, epoch, metrics, real, fake):
        """Record one step: `metrics` by name, `real` and `fake` images in [-1, 1]."""
        self.rows.append({"step": step, "epoch": epoch, **metrics})
        run_folder.save_table(self.run_dir / run_folder.METRICS, self.rows)
        for name, value in metrics.items():
            self.writer.add_scalar(TAGS[name], value, step)
        self.real_writer.add_image("images", make_grid(real, **run_folder.GRID), step)
        self.picture(step, fake)

    def score(self, step, seconds, scores):
        """Record what a `Judge` found at a step, `seconds` of training after the start."""
        numbers = {name: value for name, value in scores.items() if isinstance(value, float)}
        self.scores.append({"step": step, "seconds": seconds, **numbers})
        run_folder.save_table(self.run_dir / run_folder.SCORES, self.scores)
        for name, value in numbers.items():
            self.writer.add_scalar(f"quality/{name}", value, step)

    def picture(self, step, fake):
        """Record the grid of fakes of a step: TensorBoard, progress/ and samples.png."""
        self.fake_writer.add_image("images", make_grid(fake, **run_folder.GRID), step)
        progress = self.run_dir / run_folder.PROGRESS
        for path in (progress / f"step-{step:09d}.png", self.run_dir / run_folder.SAMPLES):
            run_folder.save_grid(path, fake)

    def finish(self):
        """Record the hyperparameters beside the last metrics (TensorBoard's tab HPARAMS)."""
        values = {
            name: value if isinstance(value, bool | int | float | str) else str(value)
            for name, value in asdict(self.hyperparameters).items()
        }
        last = {f"final/{name}": self.rows[-1][name] for name in TAGS}
        self.writer.add_hparams(values, last, run_name=".")

    def close(self):
        """Flush and close the TensorBoard files."""
        for writer in (self.writer, self.real_writer, self.fake_writer):
            writer.close()


def read_metrics(run_dir):
    """The rows of a run's metrics.csv as dictionaries of numbers; none if there is no file."""
    return run_folder.load_table(run_dir / run_folder.METRICS, step=int, epoch=int)


def read_scores(run_dir):
    """The rows of a run's scores.csv as dictionaries of numbers; none if there is no file."""
    return run_folder.load_table(run_dir / run_folder.SCORES, step=int)
