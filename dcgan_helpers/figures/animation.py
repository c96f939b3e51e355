"""A run's training as an animation: images of the same noise, again and again as it trains."""

import base64
import io
import json
import shutil
import subprocess
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from .. import InputError, reading, run_folder
from . import progress_paths

SECONDS, REST = 0.15, 3.0
"""How long a picture is seen, and how long the last one."""
MOST = 60
"""Pictures at most: a long run keeps hundreds."""
GREYS, COLOURS = 12, 128
"""Grey levels or colours of a GIF: with 256 the file is several times as large."""
CAPTION = 30
"""Height of the line above the images, in pixels."""


def save_animation(run_dir: str | Path, path: Path) -> Path:
    """Write the pictures that a run has kept as FILE.gif, FILE.mp4 or FILE.html; returns `path`.

    Each has its step above it. An .mp4 needs the program ffmpeg; an .html is one file with a
    player, for a browser. Raises InputError: another ending, a folder that is missing, no ffmpeg,
    no pictures, or a damaged one.
    """
    savers = {".gif": _save_gif, ".mp4": _save_video, ".html": _save_player}
    if path.suffix not in savers:
        raise InputError(f"--animation is {path}; expected a name that ends in {', '.join(savers)}")
    if path.suffix == ".mp4" and shutil.which("ffmpeg") is None:
        raise InputError("an .mp4 needs the program ffmpeg; install it, or name a .gif or .html")
    if not path.parent.is_dir():
        raise InputError(f"the folder of --animation {path} is missing; make it first")
    pictures = training_pictures(run_dir)
    with run_folder.atomic(path) as temporary:
        savers[path.suffix](pictures, temporary)
    return path


def training_pictures(run_dir: str | Path, most: int = MOST) -> list[Image.Image]:
    """The pictures of a run's fixed noise in RGB, pixel by pixel, each with its step above it.

    Of more than `most` the early ones stay close together, because most happens early.
    Raises InputError when the run has kept no pictures, or one of them is damaged.
    """
    paths = progress_paths(run_dir)
    if len(paths) > most:
        spread = np.geomspace(1, len(paths), most).round().astype(int) - 1
        paths = [paths[index] for index in dict.fromkeys(spread)]
    grids = [_read(path) for path in paths]
    height, width = grids[0].shape[:2]
    # A video wants an even number of pixels.
    wide, high = width + width % 2, CAPTION + height + height % 2
    figure = plt.figure(figsize=(wide / 100, high / 100), dpi=100, facecolor="white")
    caption = figure.text(0.5, 1 - CAPTION / 2 / high, "", ha="center", va="center", fontsize=12)
    pictures = []
    for path, grid in zip(paths, grids, strict=True):
        caption.set_text(f"step {run_folder.step_of(path):,} of {run_folder.step_of(paths[-1]):,}")
        figure.canvas.draw()
        picture = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")  # type: ignore[attr-defined]
        picture.paste(Image.fromarray(grid), (0, CAPTION))
        pictures.append(picture)
    plt.close(figure)
    return pictures


def _read(path: Path) -> np.ndarray:
    with reading(path, "train the run again", "delete it"), Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def _save_gif(pictures: list[Image.Image], path: Path) -> None:
    # One table of colours for all of them, and no dither: both would be seen as flicker.
    is_grey = pictures[-1].getcolors(256) is not None
    colours = pictures[-1].quantize(GREYS if is_grey else COLOURS)
    first, *others = (p.quantize(palette=colours, dither=Image.Dither.NONE) for p in pictures)
    times = [round(1000 * SECONDS)] * len(others) + [round(1000 * REST)]
    first.save(path, save_all=True, append_images=others, duration=times, loop=0, optimize=True)


def _save_video(pictures: list[Image.Image], path: Path) -> None:
    seen = pictures + pictures[-1:] * round(REST / SECONDS - 1)
    wide, high = pictures[0].size
    given = f"-f rawvideo -pix_fmt rgb24 -s {wide}x{high} -r {1 / SECONDS} -i -".split()
    # The format of colours that every player knows.
    wanted = ["-loglevel", "error", "-y", "-pix_fmt", "yuv420p", str(path)]
    done = subprocess.run(
        ["ffmpeg", *given, *wanted], input=b"".join(p.tobytes() for p in seen), capture_output=True
    )
    if done.returncode:
        raise OSError(f"ffmpeg: {done.stderr.decode(errors='replace').strip()}")


def _save_player(pictures: list[Image.Image], path: Path) -> None:
    frames = []
    for picture in pictures:
        file = io.BytesIO()
        picture.quantize(256).save(file, "png", optimize=True)
        frames.append("data:image/png;base64," + base64.b64encode(file.getvalue()).decode())
    page = PLAYER.replace("FRAMES", json.dumps(frames)).replace("TIME", str(1000 * SECONDS))
    path.write_text(page.replace("LAST", str(len(frames) - 1)), encoding="utf-8")


PLAYER = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>A training run</title>
<style>
  body { color-scheme: light dark; margin: 1rem auto; max-width: 48rem; text-align: center }
  img { background: white; width: 100% }
  input { width: 70% }
</style>
<img id="picture" alt="Images of the same noise, as training goes on; the step stands above them">
<p><button id="play">Play</button>
<input id="place" type="range" min="0" max="LAST" value="0" aria-label="Place in the training run">
<script>
  const frames = FRAMES, picture = document.getElementById("picture");
  const play = document.getElementById("play"), place = document.getElementById("place");
  let clock = 0;
  function show() { picture.src = frames[place.value]; }
  function stop() { clearInterval(clock); clock = 0; play.textContent = "Play"; }
  function next() {
    place.value = Number(place.value) + 1;
    show();
    if (Number(place.value) === LAST) stop();
  }
  play.onclick = function () {
    if (clock) return stop();
    if (Number(place.value) === LAST) place.value = 0;
    clock = setInterval(next, TIME);
    play.textContent = "Pause";
  };
  place.oninput = function () { stop(); show(); };
  show();
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) play.click();
</script>
</html>
"""
