"""The page that draws: its numbers are PyTorch's and notebook 00's, and it works for every reader.

What needs a browser runs in the system's Chromium, what needs none but JavaScript in Node; where
there is no Node, no Chromium or no Selenium (docs/requirements.txt has it), tests are skipped.
"""

import base64
import functools
import http.server
import json
import re
import shutil
import subprocess
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from checkout import ROOT
from PIL import Image
from torch import nn
from torch.distributions import Normal

from dcgan_helpers import InputError, exercises, networks, run_folder, web
from dcgan_helpers.__main__ import main

PAGE = ROOT / "docs" / "draw"
RUNS = ("digits", "laptop")
SCRIPTS = ("random", "generator", "weights", "state", "views", "game")
LOSSES = {"non-saturating": "non_saturating", "minimax": "minimax"}


# ---- helpers -----------------------------------------------------------------------------------


def in_node(code, *weights, **data):
    """What `code` returns, run in Node after the page's scripts and a file of weights, if any."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    scripts = [(PAGE / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    scripts += [path.read_bytes().decode("utf-16") for path in weights]
    body = f"const data = {json.dumps(data)};\nconst found = (() => {{ {code} }})();"
    source = "\n".join([*scripts, body, "console.log(JSON.stringify(found));"])
    result = subprocess.run([node, "-"], input=source, capture_output=True, encoding="utf-8")
    assert result.returncode == 0, result.stderr[-2000:]
    return json.loads(result.stdout)


def read_file(path):
    """The header and the numbers of a file of weights; its checksum is right."""
    parts = re.fullmatch(
        r"//.*?\nreceiveWeights\((\d+),\n'(.*?)',\n'(.*)'\);\n",
        path.read_bytes().decode("utf-16"),
        re.S,
    )
    checksum, header, data = parts.groups()
    data = re.sub(r"\\(.)", lambda m: {"n": "\n", "r": "\r"}.get(m[1], m[1]), data, flags=re.S)
    assert zlib.crc32((header + data).encode("utf-16-le")) == int(checksum)
    return json.loads(header), np.frombuffer(data.encode("utf-16-le"), "<f2")


def grey_levels(images):
    """Images in [-1, 1] as the bytes that `save_image` writes."""
    return ((images + 1) / 2 * 255 + 0.5).clamp(0, 255).byte()


def noise_and_classes(generator, count, every_class):
    """Noise N×100 and classes N (None without): each noise with one class, or with each of them."""
    random = torch.Generator().manual_seed(5)
    z = torch.randn(count, generator.latent_dim, generator=random)
    if not generator.classes:
        return z, None
    classes = torch.arange(10).repeat(count) if every_class else torch.arange(count) % 10
    return z.repeat_interleave(10, dim=0) if every_class else z, classes


def page_inputs(z, classes):
    """What the page's generator gets: noise, and one number for each class beside it."""
    if classes is not None:
        z = torch.cat([z, nn.functional.one_hot(classes, 10)], dim=1)
    return z.tolist()


def assert_same_pixels(encoded, generator, z, classes):
    """Images as base64 of their bytes are those of PyTorch, within one grey level."""
    batches = [z[:, :, None, None].split(100), *([] if classes is None else [classes.split(100)])]
    with torch.no_grad():
        expected = torch.cat([generator(*batch) for batch in zip(*batches, strict=True)])
    got = np.stack([np.frombuffer(base64.b64decode(text), np.uint8) for text in encoded])
    expected = grey_levels(expected).flatten(1).numpy()
    assert got.shape == expected.shape
    assert got.std() > 50  # digits, not a flat image
    assert np.abs(got.astype(int) - expected).max() <= 1


DRAW_IN_NODE = """
    const { layers } = readWeights(received);
    return data.inputs.map((input) => {
      const image = generate(layers, Float32Array.from(input)).pop();
      return Buffer.from(Array.from(image.values, grey)).toString("base64");
    });
"""


# ---- the file of weights -----------------------------------------------------------------------


@pytest.mark.parametrize("run", RUNS)
def test_shipped_weights_are_those_of_the_run(run):
    path = PAGE / "weights" / f"{run}.js"
    assert path.stat().st_size < 2.5e6
    header, numbers = read_file(path)
    generator = run_folder.load_generator(run_folder.ASSETS / run)
    position = 0
    for (name, tensor), (given, shape) in zip(
        ((n, t) for n, t in generator.layers.state_dict().items() if "num_batches" not in n),
        ((n, shape) for layer in header["layers"] for n, shape in layer["tensors"].items()),
        strict=True,
    ):
        assert name.split(".")[-1] == given and list(tensor.shape) == shape
        ours = numbers[position : position + tensor.numel()]
        assert (ours == tensor.half().flatten().numpy()).all(), name
        position += tensor.numel()
    assert header["directions"] == ["slant", "thickness"]
    ways = numbers[position:].astype(float).reshape(2, generator.latent_dim)
    assert np.linalg.norm(ways, axis=1) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("run", RUNS)
def test_directions_change_what_they_are_named_after(run):
    """As notebook 10 measures it: 2 steps along a direction, 2 steps back, fresh fakes."""
    header, numbers = read_file(PAGE / "weights" / f"{run}.js")
    generator = run_folder.load_generator(run_folder.ASSETS / run)
    ways = torch.from_numpy(numbers[-2 * generator.latent_dim :].astype(np.float32)).view(2, -1)
    z, classes = noise_and_classes(generator, 60, every_class=False)

    def draw(noise):
        with torch.no_grad():
            return generator(noise[:, :, None, None], *([] if classes is None else [classes]))

    for name, way, least in zip(header["directions"], ways, (0.4, 0.03), strict=True):
        measure = web.ATTRIBUTES[name]
        change = measure(draw(z + 2 * way)) - measure(draw(z - 2 * way))
        assert change.mean() > least, name


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS)
def test_the_command_makes_the_shipped_file(run, tmp_path):
    made = web.export(run_folder.ASSETS / run, tmp_path / "made.js")
    (header, numbers), (shipped, others) = read_file(made), read_file(PAGE / f"weights/{run}.js")
    assert header == shipped
    directions = 2 * header["latentDim"]
    assert (numbers[:-directions] == others[:-directions]).all()
    # Processors round differently.
    assert numbers[-directions:] == pytest.approx(others[-directions:], abs=2e-3)


def test_export_for_the_page_from_the_command_line(finished_run, tmp_path, capsys):
    output = tmp_path / "mine.js"
    assert main(["export", str(finished_run), "--web", "--output", str(output)]) == 0
    assert capsys.readouterr().out == f"{output}\n"
    generator = run_folder.load_generator(finished_run)
    z, classes = noise_and_classes(generator, 4, every_class=False)
    with torch.no_grad():
        expected = generator.half().float()(z[:, :, None, None])
    texts = in_node(DRAW_IN_NODE, output, inputs=page_inputs(z, classes))
    got = np.stack([np.frombuffer(base64.b64decode(text), np.uint8) for text in texts])
    assert np.abs(got.astype(int) - grey_levels(expected).flatten(1).numpy()).max() <= 1


@pytest.mark.parametrize("name", ["mine.txt", "missing/mine.js"])
def test_export_refuses_other_names(name, tmp_path, capsys):
    arguments = ["export", str(run_folder.TRAINED), "--web", "--output", str(tmp_path / name)]
    assert main(arguments) == 2
    assert "expected FILE.js in a folder that is there" in capsys.readouterr().err


@pytest.mark.parametrize("value", [70000.0, float("nan"), -130.0])
def test_weights_that_are_no_character_are_refused(value):
    with pytest.raises(InputError, match=f"a weight is {value:g}; expected numbers above -128"):
        web.as_script("{}", [torch.tensor([0.5, value])])


def test_every_number_survives_the_file(tmp_path):
    """All 16-bit numbers that may stand in a file, quotes and line ends among them."""
    halves = np.arange(2**16, dtype="<u2").view("<f2")
    allowed = np.isfinite(halves) & ~((halves <= -128) & (halves > -512))
    kept = torch.from_numpy(halves[allowed])
    layers = [{"kind": "ReLU", "tensors": {}}]
    header = {"latentDim": len(kept), "classes": 0, "directions": ["slant"], "layers": layers}
    path = tmp_path / "all.js"
    path.write_bytes(web.as_script(json.dumps(header), [kept]))
    code = "return Array.from(readWeights(received).directions.slant, String);"
    assert np.array_equal(np.array(in_node(code, path), np.float32), kept.float().numpy())


# ---- the same numbers as Python's --------------------------------------------------------------


def test_noise_is_pytorchs():
    code = (
        """return data.counts.map(([seed, count]) => Array.from(new Random(seed).normal(count)));"""
    )
    counts = [(0, 16), (1, 100), (3, 404), (2**32 - 1, 800)]
    for (seed, count), got in zip(counts, in_node(code, counts=counts), strict=True):
        expected = torch.randn(count, generator=torch.Generator().manual_seed(seed))
        assert got == pytest.approx(expected.tolist(), abs=2e-6)


@pytest.mark.parametrize("every_class", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("run", RUNS)
def test_pictures_equal_pytorchs_in_node(run, every_class):
    generator = run_folder.load_generator(run_folder.ASSETS / run)
    z, classes = noise_and_classes(generator, 100, every_class)
    path = PAGE / "weights" / f"{run}.js"
    encoded = in_node(DRAW_IN_NODE, path, inputs=page_inputs(z, classes))
    assert_same_pixels(encoded, generator, z, classes)


@pytest.mark.parametrize("shape", [(3, 32, True, 0), (1, 128, False, 4)])
def test_page_draws_other_generators(shape, tmp_path):
    """Colour, other sizes, no batch norm, other numbers of classes."""
    channels, size, batch_norm, classes = shape
    torch.manual_seed(0)
    generator = networks.Generator(12, channels, 2, batch_norm, size, classes).half().float().eval()
    layers = web.layers(generator)
    tensors = [tensor for layer in layers for tensor in layer["tensors"].values()]
    for layer in layers:
        layer["tensors"] = {name: list(t.shape) for name, t in layer["tensors"].items()}
    header = {"latentDim": 12, "classes": classes, "directions": [], "layers": layers}
    path = tmp_path / "other.js"
    path.write_bytes(web.as_script(json.dumps(header), tensors))
    z = torch.randn(1, 12)
    own = torch.tensor([2]) if classes else None
    inputs = z if own is None else torch.cat([z, nn.functional.one_hot(own, classes)], dim=1)
    code = "return Array.from(generate(readWeights(received).layers, data.input).pop().values);"
    got = torch.tensor(in_node(code, path, input=inputs[0].tolist())).view(size, size, channels)
    with torch.no_grad():
        expected = generator(z[:, :, None, None], own)[0]
    assert torch.allclose(got.permute(2, 0, 1), expected, atol=1e-4)


@functools.cache
def notebook_game(steps):
    """`play` and the losses out of notebook 00's cells, for so many steps."""
    source = (ROOT / "notebooks" / "00_start_here.py").read_text(encoding="utf-8")
    cells = [cell.partition("\n")[2] for cell in source.split("# %%")]
    found = {"torch": torch, "nn": nn, "Normal": Normal, "exercises": exercises}
    for wanted in (
        "class NumberGenerator",
        "bce = nn.BCEWithLogitsLoss()",
        "def non_saturating(",
        "def play(",
        "def minimax(",
    ):
        (cell,) = (cell for cell in cells if wanted in cell)
        cell = cell.partition("\n\n\nlogit = ")[0]  # the plot that follows minimax
        if wanted == "def play(":
            assert "range(801)" in cell
            cell = cell.replace("range(801)", f"range({steps + 1})")
        exec(cell, found)
    return found


@pytest.mark.parametrize("optimizer", ["SGD", "RMSprop", "Adam"])
@pytest.mark.parametrize("loss", LOSSES)
def test_game_has_the_numbers_of_notebook_00(loss, optimizer):
    found = notebook_game(200)
    rate = 0.03 if optimizer == "SGD" else 0.01
    expected = found["play"](found[LOSSES[loss]], 2, getattr(torch.optim, optimizer), rate)
    code = """
        const game = new Game({ seed: 2, ...data });
        const moments = [];
        for (let step = 0; step <= 200; step++) {
          if (step % 20 === 0) {
            const logits = [-4, 0, 2].map((x) => game.discriminator.logit(x));
            moments.push([step, game.mean, game.deviation, ...logits]);
          }
          game.step();
        }
        return moments;
    """
    got = in_node(code, loss=loss, optimizer=optimizer)
    assert len(got) == len(expected) == 11
    for ours, (step, mean, std, logits) in zip(got, expected, strict=True):
        at = [logits[(x + 8) * 100].item() for x in (-4, 0, 2)]
        # PyTorch has 24 bits, JavaScript 53: the rounding errors of 200 steps add up.
        assert ours == pytest.approx([step, mean, std, *at], abs=2e-4, rel=2e-4)


def test_a_link_holds_the_state():
    changed = {"run": "laptop", "digits": "2026", "seed": 12, "slant": -1.5, "thickness": 0.5}
    changed |= {"walk": 0.25, "digits2": "11", "seed2": 99, "crisp": 1}
    code = """
        const link = linkOf({ ...DEFAULTS, ...data.changed });
        return [link, readLink(link), linkOf(DEFAULTS), Object.keys(DEFAULTS)];
    """
    link, (read), shortest, names = in_node(code, changed=changed)
    assert read == {"state": changed, "problem": ""}
    assert sorted(names) == sorted(changed)
    assert link.startswith("#run=laptop&digits=2026&seed=12") and len(shortest) < 12


@pytest.mark.parametrize(
    "link, problem",
    [
        ("#seed=abc", "The link says seed=abc; expected a whole number from 0 to 4294967295."),
        ("#digits=20x6", "The link says digits=20x6; expected 1 to 8 digits."),
        ("#slant=9", "The link says slant=9; expected a number from -3 to 3."),
        ("#run=../x", "The link says run=../x; expected the name of a file in the folder weights."),
        ("#colour=1", "The link has the name “colour”; expected run, digits, seed, slant,"),
    ],
)
def test_a_wrong_link_is_one_sentence(link, problem):
    found = in_node("return [readLink(data.link), DEFAULTS];", link=link)
    assert found[0]["problem"].startswith(problem)
    assert found[0]["state"] == found[1]


def test_slerp_is_that_of_notebook_10():
    z = torch.randn(2, 100, generator=torch.Generator().manual_seed(0))
    a, b = z.tolist()
    omega = torch.arccos(nn.functional.cosine_similarity(z[0], z[1], dim=0))
    expected = (torch.sin(0.7 * omega) * z[0] + torch.sin(0.3 * omega) * z[1]) / torch.sin(omega)
    got = in_node("return [slerp(data.a, data.b, 0.3), slerp(data.a, data.a, 0.3)];", a=a, b=b)
    assert got[0] == pytest.approx(expected.tolist(), abs=1e-5)
    assert got[1] == pytest.approx(a)


def test_the_page_names_this_repository():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    address = re.search(r'^Repository = "(.+)"', project, re.M)[1]
    html = (PAGE / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'href="(https?://[^"]+)"', html)
    assert links and all(link.startswith(address) for link in links)
    for link in links:
        path = link.removeprefix(address).removeprefix("/blob/main/")
        assert (ROOT / path.lstrip("/")).exists(), link


# ---- in a browser ------------------------------------------------------------------------------


def start_browser(download=None):
    """A headless Chromium that reaches nothing but this machine; skips where there is none."""
    selenium = pytest.importorskip(
        "selenium.webdriver", reason="docs/requirements.txt has Selenium"
    )
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    binary = next(filter(None, map(shutil.which, names)), None)
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("no Chromium or Chrome with its chromedriver is installed")
    options = selenium.ChromeOptions()
    options.binary_location = binary
    for argument in (
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
        *("--disable-dev-shm-usage", "--window-size=1440,1000"),
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    if download:
        options.add_experimental_option("prefs", {"download.default_directory": str(download)})
    service = selenium.ChromeService(driver)
    browser = selenium.Chrome(options=options, service=service)
    browser.set_script_timeout(110)  # less than Selenium waits for an answer
    return browser


@pytest.fixture(scope="module")
def downloads(tmp_path_factory):
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def browser(downloads):
    started = start_browser(downloads)
    yield started
    started.quit()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Serves a copy of the page from this machine; returns its address and its folder."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(PAGE, folder / "draw")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/draw/index.html", folder / "draw"
    server.shutdown()


def wait_for(browser, script, timeout=300):
    """Wait until a JavaScript expression is true, and return its value."""
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, timeout).until(lambda b: b.execute_script(f"return {script}"))


def open_page(browser, address, wanted="document.getElementById('status').textContent"):
    browser.get("about:blank")  # so that a new #... is a new page
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.get(address)
    return wait_for(browser, wanted)


def console_errors(browser):
    return [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "ERROR")]


def requests_of(browser):
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = (e for e in events if e["method"] == "Network.requestWillBeSent")
    return {e["params"]["request"]["url"] for e in sent}


def canvases(browser):
    """The grey levels of the large drawing, N×64×64."""
    script = """return Array.from(document.querySelectorAll("#drawing canvas"), (canvas) => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, 64, 64);
        return btoa(String.fromCharCode(...data.filter((_, i) => i % 4 === 0)));
    })"""
    texts = browser.execute_script(script)
    return [np.frombuffer(base64.b64decode(text), np.uint8).reshape(64, 64) for text in texts]


def problem(browser):
    return wait_for(browser, "document.getElementById('problem').textContent")


def test_a_file_on_a_stick_draws_what_the_command_line_draws(browser, tmp_path):
    """The pictures of `sample --classes 2026 --seed 1`; no request goes elsewhere, no error."""
    address = f"{PAGE.as_uri()}/index.html#digits=2026&seed=1"
    said = open_page(browser, address)
    assert said == "2026, from the noise of seed 1."
    generator = run_folder.load_generator(run_folder.ASSETS / "digits")
    expected = networks.generate(generator, 4, seed=1, classes=torch.tensor([2, 0, 2, 6]))
    drawn = canvases(browser)
    assert len(drawn) == 4
    for image, right in zip(drawn, grey_levels(expected)[:, 0].numpy(), strict=True):
        assert np.abs(image.astype(int) - right).max() <= 1
    assert browser.execute_script("return document.querySelectorAll('#maps canvas').length") == 6
    assert not browser.execute_script("return document.getElementById('problem').textContent")
    wait_for(browser, "document.querySelectorAll('#table canvas').length === 80")
    assert console_errors(browser) == []
    assert all(url.startswith((PAGE.as_uri(), "blob:", "data:")) for url in requests_of(browser))


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS)
def test_pictures_equal_pytorchs_in_the_browser(browser, site, run):
    """100 noise vectors, each with all classes, through the worker and a canvas."""
    open_page(browser, site[0] + f"#run={run}")
    generator = run_folder.load_generator(run_folder.ASSETS / run)
    z, classes = noise_and_classes(generator, 100, every_class=True)
    script = """
        const [run, inputs, done] = arguments;
        (async () => {
          const canvas = document.createElement("canvas");
          const encoded = [], times = [];
          for (const input of inputs) {
            const { image, time } = await painter.draw(run, Float32Array.from(input));
            paint(canvas, image);
            const { data } = canvas.getContext("2d").getImageData(0, 0, 64, 64);
            encoded.push(btoa(String.fromCharCode(...data.filter((_, i) => i % 4 === 0))));
            times.push(time);
          }
          done([encoded, times]);
        })();
    """
    inputs, encoded, times = page_inputs(z, classes), [], []
    for start in range(0, len(inputs), 50):  # a call may not take long
        some = browser.execute_async_script(script, run, inputs[start : start + 50])
        encoded += some[0]
        times += some[1]
    assert_same_pixels(encoded, generator, z, classes)
    print(f"{run}: {np.median(times):.1f} ms a drawing, the median of {len(times)}")
    wait_for(browser, "document.querySelectorAll('#table canvas').length === 80")
    assert console_errors(browser) == []
    host = site[0].rsplit("/", 2)[0]
    assert all(url.startswith((host, "blob:", "data:")) for url in requests_of(browser))


@pytest.mark.slow
def test_everything_by_keyboard(browser, site):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    def press(*keys):
        ActionChains(browser).send_keys(*keys).perform()

    def state(name):
        return browser.execute_script(f"return state.{name}")

    def active(what):
        return browser.execute_script(f"return document.activeElement.{what}")

    def go_to(element):
        browser.execute_script(f"document.getElementById('{element}').focus()")

    open_page(browser, site[0] + "#digits=7&seed=4")
    press("3")
    assert state("digits") == "3"
    press("n")
    assert state("seed") != 4
    # Keys that the reader switches off do nothing.
    go_to("keys")
    press(Keys.SPACE, "8")
    assert state("digits") == "3"
    press(Keys.SPACE)
    go_to("digits")
    press(Keys.BACKSPACE, "42")
    assert state("digits") == "42"
    go_to("slant")
    press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert state("slant") == 0.2
    go_to("walk")
    press(Keys.END)
    assert state("walk") == 1
    go_to("reset")
    press(Keys.ENTER)
    assert browser.execute_script("return location.hash") == "#digits=7"
    # With Tab alone: every control is reached, in the order of the page, and has a name.
    open_page(browser, site[0])
    wait_for(browser, "document.querySelectorAll('#table canvas').length === 80")
    expected = browser.execute_script("""
        return Array.from(document.querySelectorAll("a[href], button, input, select"))
          .filter((e) => e.tabIndex >= 0 && !e.disabled && !(e.type === "radio" && !e.checked))
          .map((e) => e.id || e.textContent.trim() || e.ariaLabel || e.name);
    """)
    reached, names = [], []
    for _ in expected:
        press(Keys.TAB)
        script = "const e = document.activeElement; return e.id || e.textContent.trim()"
        reached.append(browser.execute_script(f"{script} || e.ariaLabel || e.name"))
        names.append(browser.switch_to.active_element.accessible_name)
    assert reached == expected
    assert all(names), [r for r, name in zip(reached, names, strict=True) if not name]
    # In the table the arrow keys go from drawing to drawing, and Enter chooses one.
    browser.execute_script("document.querySelector('#table [tabindex=\"0\"]').focus()")
    press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_RIGHT)
    assert (active("dataset.digit"), active("dataset.seed")) == ("2", str(state("seed") + 1))
    seed = state("seed") + 1
    press(Keys.ENTER)
    assert (state("digits"), state("seed")) == ("2", seed)
    # The game.
    go_to("step")
    press(Keys.ENTER, Keys.SPACE)
    wait_for(browser, "document.getElementById('numbers').textContent.includes('2 of 2000')")
    go_to("play")
    press(Keys.SPACE)
    assert active("textContent") == "Pause"
    press(Keys.SPACE)
    assert active("textContent") == "Play"
    assert console_errors(browser) == []


@pytest.mark.slow
def test_the_address_follows_and_leads(browser, site):
    open_page(browser, site[0])
    browser.execute_script("document.getElementById('new-noise').click()")
    seed = browser.execute_script("return state.seed")
    assert browser.execute_script("return location.hash") == f"#seed={seed}"
    browser.execute_script("location.hash = '#digits=5&seed=3&crisp=1'")
    wait_for(browser, "document.getElementById('status').textContent.startsWith('5, from')")
    assert browser.execute_script("return document.body.className") == "crisp"
    assert browser.find_element("id", "seed").get_property("value") == "3"
    browser.execute_script("location.hash = '#game'")  # a place, not a drawing
    assert browser.execute_script("return state.digits") == "5"


@pytest.mark.slow
def test_what_sliders_draw(browser, site):
    """Slant and thickness change what they say; walk 1 is the second drawing; no classes."""
    images = {}
    for name, link in {
        "left": "seed=1&slant=-2",
        "right": "seed=1&slant=2",
        "thin": "seed=1&thickness=-2",
        "thick": "seed=1&thickness=2",
        "end": "seed=1&walk=1&seed2=9&digits2=3",
        "other": "seed=9&digits=3",
        "plain": "run=laptop&seed=1",
    }.items():
        open_page(browser, f"{site[0]}#{link}")
        (images[name],) = canvases(browser)
    measured = {k: torch.from_numpy(v / 127.5 - 1).float()[None, None] for k, v in images.items()}
    assert web.slant(measured["right"]) > web.slant(measured["left"]) + 0.2
    assert web.thickness(measured["thick"]) > web.thickness(measured["thin"]) + 0.01
    assert np.abs(images["end"].astype(int) - images["other"]).max() <= 1
    generator = run_folder.load_generator(run_folder.TRAINED)
    right = grey_levels(networks.generate(generator, 1, seed=1))[0, 0].numpy()
    assert np.abs(images["plain"].astype(int) - right).max() <= 1
    assert browser.find_element("id", "digits").get_property("disabled")


@pytest.mark.slow
def test_download_is_the_drawing(browser, site, downloads):
    open_page(browser, site[0] + "#digits=2026&seed=1&crisp=1")
    browser.execute_script("document.getElementById('download').click()")
    path = downloads / "2026-seed-1.png"
    for _ in range(600):
        if path.exists():
            break
        threading.Event().wait(0.1)
    with Image.open(path) as picture:
        assert picture.size == (4 * 512, 512)
        pixels = np.asarray(picture.convert("L"))[4::8, 4::8]
    assert (pixels == np.concatenate(canvases(browser), axis=1)).all()


def damage_by_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut_in_half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage, said",
    [
        (damage_by_a_bit, "The file weights/digits.js is damaged; get it again."),
        (cut_in_half, "The file weights/digits.js is damaged; get it again."),
        (Path.unlink, "The file weights/digits.js is missing; get the whole folder again."),
    ],
)
def test_damaged_weights_are_one_sentence(browser, tmp_path, damage, said):
    folder = shutil.copytree(PAGE, tmp_path / "draw")
    damage(folder / "weights" / "digits.js")
    browser.get("about:blank")
    browser.get(f"{folder.as_uri()}/index.html")
    wait_for(browser, f"document.getElementById('problem').textContent === '{said}'")
    # The other generator and the game still work.
    browser.execute_script("document.querySelector('[value=laptop]').click()")
    wait_for(browser, "document.getElementById('status').textContent")
    assert not browser.execute_script("return document.getElementById('problem').textContent")


@pytest.mark.slow
@pytest.mark.parametrize(
    "link, said",
    [
        ("#seed=abc", "The link says seed=abc; expected a whole number from 0 to 4294967295."),
        ("#run=none", "The file weights/none.js is missing; get the whole folder again."),
    ],
)
def test_a_wrong_link_is_said_on_the_page(browser, site, link, said):
    browser.get("about:blank")
    browser.get(site[0] + link)
    assert problem(browser) != "" and wait_for(
        browser, f"document.getElementById('problem').textContent === '{said}'"
    )


@pytest.mark.slow
@pytest.mark.parametrize("old", ["no workers", "no such JavaScript"])
def test_an_old_browser_is_told(tmp_path, old):
    browser = start_browser()
    try:
        folder = shutil.copytree(PAGE, tmp_path / "draw")
        if old == "no workers":
            source = {"source": "delete window.Worker"}
            browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", source)
        else:  # what ?? is to a browser of 2019
            with (folder / "generator.js").open("a", encoding="utf-8") as script:
                script.write("const x = null ??? 1;")
        browser.get(f"{folder.as_uri()}/index.html")
        wait_for(browser, "document.readyState === 'complete'")
        shown = browser.find_element("id", "problem")
        assert shown.is_displayed()
        assert shown.text == "This page needs a newer browser, one from 2021 or later."
    finally:
        browser.quit()


@pytest.mark.slow
@pytest.mark.parametrize("width", [375, 768, 1440])
def test_no_horizontal_scrolling(browser, site, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        for link in ("#digits=20262026", "#run=laptop"):
            open_page(browser, site[0] + link)
            wait_for(browser, "document.querySelectorAll('#table canvas').length === 80")
            script = "return document.documentElement.scrollWidth"
            assert browser.execute_script(script) <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.slow
def test_light_dark_and_reduced_motion(browser, site):
    looks = {}
    for scheme in ("light", "dark"):
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        open_page(browser, site[0])
        looks[scheme] = browser.execute_script(
            "const style = getComputedStyle(document.body);"
            "return [style.backgroundColor, style.color,"
            " getComputedStyle(document.documentElement).scrollBehavior]"
        )
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    for scheme, (back, text, scrolling) in looks.items():
        levels = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (back, text)]
        assert (levels[0] > levels[1]) == (scheme == "light")
        assert abs(levels[0] - levels[1]) > 500
        assert scrolling == "auto"


@pytest.mark.slow
def test_game_on_the_page(browser, site):
    """Steps, both losses, both scales; the numbers shown are notebook 00's."""
    open_page(browser, site[0] + "#game")
    found = notebook_game(200)
    for loss, name in LOSSES.items():
        browser.execute_script(f"document.querySelector('[value={loss}]').click()")
        for _ in range(20):
            browser.execute_script("document.getElementById('step').click()")
        moments = found["play"](found[name], 1)
        shown = browser.find_element("id", "numbers").text.replace("−", "-")
        assert "20 of 2000" in shown
        assert f"{moments[1][1]:.3f}" in shown and f"{moments[1][2]:.3f}" in shown
    before = browser.find_element("id", "scores").get_attribute("aria-label")
    browser.execute_script("document.querySelector('[value=probability]').click()")
    after = browser.find_element("id", "scores").get_attribute("aria-label")
    assert "logit of D" in before and "D(x)" in after
    assert console_errors(browser) == []
