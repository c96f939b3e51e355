// The page: what the controls do, and what is drawn when they change.
"use strict";

const $ = (id) => document.getElementById(id);
const COLUMNS = 8; // of the table
const WALK = 9; // drawings in the strip

let state = { ...DEFAULTS };
let selected = 0; // which digit's maps are shown
let painter = null;
const runs = {}; // by name, what loadWeights gave

function say(problem) {
  $("problem").textContent = problem;
  $("problem").hidden = !problem;
}

// ---- what is drawn -------------------------------------------------------------------------

// Runs `draw` again and again until it has seen the newest state, never two at a time.
function latestOnly(draw) {
  let running = false;
  let again = false;
  return async () => {
    again = true;
    if (running) return;
    running = true;
    while (again) {
      again = false;
      try {
        await draw(() => again);
      } catch (error) {
        say(error.message);
      }
    }
    running = false;
  };
}

async function weightsOf(run) {
  if (!runs[run]) {
    runs[run] = await loadWeights(run);
    painter.add(run, runs[run].layers);
  }
  return runs[run];
}

// A row of `count` canvases in `place`, each in an element that `wrapper` makes.
function canvasesIn(place, count, wrapper) {
  while (place.children.length > count) place.lastChild.remove();
  while (place.children.length < count) {
    const canvas = document.createElement("canvas");
    place.append(wrapper ? wrapper(canvas, place.children.length) : canvas);
  }
  return Array.from(place.querySelectorAll("canvas"));
}

function digitButton(canvas, index) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(canvas);
  button.addEventListener("click", () => {
    selected = index;
    redraw();
  });
  return button;
}

const redraw = latestOnly(async () => {
  const now = { ...state };
  const weights = await weightsOf(now.run);
  const most = weights.classes ? Math.min(weights.classes, 10) : 0;
  const unknown = weights.classes && Array.from(now.digits + now.digits2).find((d) => d >= most);
  if (unknown) throw new Error(`This generator has no class ${unknown}; choose one below ${most}.`);
  showControls(weights);
  const inputs = inputsOf(now, weights);
  selected = Math.min(selected, inputs.length - 1);
  const canvases = canvasesIn($("drawing"), inputs.length, digitButton);
  $("drawing").style.setProperty("--columns", Math.min(inputs.length, 4));
  let time = 0;
  for (const [i, input] of inputs.entries()) {
    const drawn = await painter.draw(now.run, input, i === selected);
    paint(canvases[i], drawn.image);
    const button = canvases[i].parentNode;
    const what = weights.classes ? now.digits[i] : "fake";
    button.setAttribute("aria-label", `Drawing of ${what}: show its maps`);
    button.setAttribute("aria-pressed", i === selected);
    if (i === selected) showLayers($("maps"), input, weights.latentDim, drawn.maps);
    time += drawn.time;
  }
  const what = weights.classes ? now.digits : "A fake";
  $("status").textContent = `${what}, from the noise of seed ${now.seed}.`;
  $("time").textContent =
    `Drawn in ${(time / inputs.length).toFixed(0)} ms${inputs.length > 1 ? " each" : ""}.`;
  showCommand(now, weights);
  redrawStrip();
  redrawTable();
});

// The same command draws the same pixels, because the noise is PyTorch's.
function showCommand(now, { classes }) {
  const own = now.run === "digits" || now.run === "laptop";
  $("command").hidden = !own || Boolean(now.slant || now.thickness || now.walk);
  const what = classes ? `--classes ${now.digits}` : "--count 1";
  $("command").lastChild.textContent =
    `python -m dcgan_helpers sample dcgan_helpers/assets/${now.run} ${what} --seed ${now.seed}`;
}

const redrawStrip = latestOnly(async (isOld) => {
  const now = { ...state };
  const weights = runs[now.run];
  if (!weights) return; // another run is on its way
  const canvases = canvasesIn($("strip"), WALK);
  for (const [i, canvas] of canvases.entries()) {
    if (isOld()) return;
    const walk = i / (WALK - 1);
    const input = inputsOf({ ...now, walk }, weights)[selected];
    canvas.classList.toggle("here", Math.abs(now.walk - walk) <= 0.5 / (WALK - 1));
    paint(canvas, (await painter.draw(now.run, input)).image);
  }
});

const table = new DrawingTable($("table"), (digit, seed) => {
  change({ seed, walk: 0, slant: 0, thickness: 0, ...(digit && { digits: digit }) });
  $("drawing").scrollIntoView({ block: "center" }); // CSS makes it smooth, or not
});

let tableOf = "";
const redrawTable = latestOnly(async (isOld) => {
  const { run, seed } = state;
  if (!runs[run] || tableOf === `${run} ${seed}`) return;
  tableOf = `${run} ${seed}`;
  const { classes } = runs[run];
  const digits = classes ? Array.from({ length: Math.min(classes, 10) }, (_, k) => String(k)) : null;
  // The last columns must still have seeds.
  const first = Math.min(seed, LARGEST_SEED - 10 * COLUMNS);
  for (const { canvas, digit, seed: own } of table.fill(digits, digits?.length ?? 10, COLUMNS, first)) {
    if (isOld() && (state.run !== run || state.seed !== seed)) {
      tableOf = ""; // it is not complete
      return;
    }
    const [input] = inputsOf({ ...DEFAULTS, run, digits: digit || "0", seed: own }, runs[run]);
    paint(canvas, (await painter.draw(run, input)).image);
  }
});

// ---- controls ------------------------------------------------------------------------------

// Takes new values, puts them into the address and draws.
function change(values) {
  say("");
  Object.assign(state, values);
  history.replaceState(null, "", linkOf(state));
  redraw();
}

// Brings the controls to the state.
function showControls({ classes }) {
  for (const name of ["digits", "digits2", "seed", "seed2", "slant", "thickness", "walk"]) {
    if (document.activeElement !== $(name) || $(name).type === "range") $(name).value = state[name];
  }
  for (const output of document.querySelectorAll("#slant + output, #thickness + output")) {
    const value = state[output.htmlFor.value];
    output.textContent = `${value > 0 ? "+" : ""}${value.toFixed(1).replace("-", "−")}`;
  }
  document.querySelector("#walk + output").textContent = state.walk.toFixed(2);
  $("crisp").checked = Boolean(state.crisp);
  document.body.classList.toggle("crisp", Boolean(state.crisp));
  for (const radio of document.getElementsByName("run")) radio.checked = radio.value === state.run;
  for (const button of $("pad").children) {
    button.disabled = Number(button.textContent) >= classes;
    button.setAttribute("aria-pressed", classes > 0 && button.textContent === state.digits);
  }
  $("digits").disabled = $("digits2").disabled = !classes;
  $("digits-help").textContent = classes
    ? "Such as 2026: up to 8 digits."
    : "This generator knows no classes: the noise alone decides what it draws.";
  $("table-text").textContent = classes
    ? "Each column has one noise: its digits differ, and their style is alike."
    : "This generator has no classes, so here each drawing has noise of its own.";
}

const TYPED = "input:not([type=range], [type=radio], [type=checkbox]), select";
const anySeed = () => Math.floor(Math.random() * 10000); // short enough to say aloud

function listen() {
  for (let digit = 0; digit < 10; digit++) {
    const button = Object.assign(document.createElement("button"), { type: "button" });
    button.textContent = digit;
    button.setAttribute("aria-label", `Draw a ${digit}`);
    button.addEventListener("click", () => change({ digits: String(digit) }));
    $("pad").append(button);
  }
  for (const name of ["digits", "digits2", "seed", "seed2", "slant", "thickness", "walk"]) {
    $(name).addEventListener("input", () => {
      try {
        change({ [name]: checked(name, $(name).value, "The field") });
      } catch (error) {
        say(error.message);
      }
    });
  }
  for (const radio of document.getElementsByName("run")) {
    radio.addEventListener("change", () => change({ run: radio.value }));
  }
  $("crisp").addEventListener("change", () => change({ crisp: Number($("crisp").checked) }));
  $("new-noise").addEventListener("click", () => change({ seed: anySeed() }));
  $("new-noise2").addEventListener("click", () => change({ seed2: anySeed() }));
  $("reset").addEventListener("click", () => change({ ...DEFAULTS }));
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  $("download").addEventListener("click", async () => {
    const png = await asPng(Array.from($("drawing").querySelectorAll("canvas")), !state.crisp);
    const link = document.createElement("a");
    link.download = `${runs[state.run].classes ? state.digits : "fake"}-seed-${state.seed}.png`;
    link.href = URL.createObjectURL(png);
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
  $("copy").addEventListener("click", async () => {
    history.replaceState(null, "", linkOf(state));
    try {
      await navigator.clipboard.writeText(location.href);
      $("status").textContent = "The link is copied.";
    } catch { // not allowed, or not from a safe address
      $("status").textContent = "Copy the address of this page: it holds the drawing.";
    }
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches(TYPED);
    const held = event.ctrlKey || event.metaKey || event.altKey;
    if (!$("keys").checked || typing || held) return;
    if (/^\d$/.test(event.key) && runs[state.run]?.classes > Number(event.key)) {
      change({ digits: event.key });
    } else if (event.key === "n" || event.key === "N") change({ seed: anySeed() });
  });
  window.addEventListener("hashchange", openLink);
}

function openLink() {
  const link = readLink(location.hash);
  if (location.hash && !location.hash.includes("=")) {
    if (runs[state.run]) return; // a place on the page: the drawing stays
  }
  state = link.state;
  say(link.problem);
  redraw();
}

function start() {
  try {
    painter = new Painter();
  } catch {
    return; // the page still says that the browser is too old
  }
  painter.worker.onerror = () => say("Drawing has failed; load this page again.");
  listen();
  openLink();
  showGame();
}

start();
