"""How fast the page that draws is, beside onnxruntime-web at the same weights.

    npm install --prefix FOLDER onnxruntime-web
    pip install -r docs/requirements.txt
    python docs/benchmark_draw.py FOLDER

Both draw one digit at a time on one thread of one Chromium, in turns, on its main thread. Printed
are medians and ranges of milliseconds, and how far the two drawings are apart.
"""

import functools
import http.server
import shutil
import sys
import tempfile
import threading
from pathlib import Path

import torch
from selenium import webdriver

from dcgan_helpers import run_folder

PAGE = Path(__file__).with_name("draw")
ROUNDS = 200
SCRIPT = """
const [rounds, done] = arguments;
(async () => {
  await new Promise((resolve) => {
    const script = Object.assign(document.createElement("script"), { src: "ort/ort.wasm.min.js" });
    script.onload = resolve;
    document.head.append(script);
  });
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create("generator.onnx");
  const { layers, latentDim } = await weightsOf("digits");
  const times = { page: [], onnx: [] };
  let apart = 0;
  for (let round = 0; round < rounds + 20; round++) { // the first twenty warm up
    const [input] = inputsOf({ ...DEFAULTS, seed: round, digits: String(round % 10) }, runs.digits);
    let start = performance.now();
    const image = generate(layers, input).pop().values;
    const page = performance.now() - start;
    start = performance.now();
    const feeds = { input: new ort.Tensor("float32", input, [1, input.length, 1, 1]) };
    const other = (await session.run(feeds)).image.data;
    const onnx = performance.now() - start;
    image.forEach((value, i) => { apart = Math.max(apart, Math.abs(value - other[i])); });
    if (round >= 20) { times.page.push(page); times.onnx.push(onnx); }
  }
  done([times, apart, navigator.userAgent]);
})().catch((error) => done(String(error)));
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def export_onnx(path: Path) -> None:
    generator = run_folder.load_generator(run_folder.ASSETS / "digits")
    example = torch.zeros(1, generator.latent_dim + generator.classes, 1, 1)
    names = {"input_names": ["input"], "output_names": ["image"]}
    torch.onnx.export(generator.layers, (example,), path, dynamo=False, **names)


def measure(npm_folder: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        site = Path(shutil.copytree(PAGE, Path(folder) / "site"))
        shutil.copytree(npm_folder / "node_modules/onnxruntime-web/dist", site / "ort")
        export_onnx(site / "generator.onnx")
        handler = functools.partial(Quiet, directory=site)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        options = webdriver.ChromeOptions()
        for argument in ("--headless", "--no-sandbox", "--disable-background-networking"):
            options.add_argument(argument)
        browser = webdriver.Chrome(options=options)
        try:
            browser.set_script_timeout(300)
            browser.get(f"http://127.0.0.1:{server.server_port}/index.html")
            found = browser.execute_async_script(SCRIPT, ROUNDS)
        finally:
            browser.quit()
    if isinstance(found, str):
        sys.exit(f"error: {found}")
    times, apart, agent = found
    print(agent)
    for name, label in (("page", "this page"), ("onnx", "onnxruntime-web, WebAssembly")):
        taken = sorted(times[name])
        low, middle, high = (taken[len(taken) * share // 10] for share in (1, 5, 9))
        print(f"{label:30} {middle:6.1f} ms a digit, eight in ten {low:.1f} to {high:.1f}")
    print(f"largest difference of a pixel in [-1, 1]: {apart:.1e}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    measure(Path(sys.argv[1]))
