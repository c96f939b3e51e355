// The figure of the game: densities, what the discriminator says, and the fakes' mean step by step.
"use strict";

const X = { low: -8, high: 8 };
const GRID = 161; // numbers at which curves are computed
const LAST_STEP = 2000; // a game does not go on for ever

const density = (x, { mean, deviation }) => {
  return Math.exp(-(((x - mean) / deviation) ** 2) / 2) / (deviation * Math.sqrt(2 * Math.PI));
};
const logDensity = (x, { mean, deviation }) => {
  return -(((x - mean) / deviation) ** 2) / 2 - Math.log(deviation) - Math.log(2 * Math.PI) / 2;
};

// A plot on a canvas: from numbers to pixels, with axes.
class Plot {
  constructor(canvas, { x, y, xLabel, yLabel }) {
    Object.assign(this, { canvas, x, y });
    const ratio = window.devicePixelRatio || 1;
    const { width, height } = canvas.getBoundingClientRect();
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    this.pen = canvas.getContext("2d");
    this.pen.scale(ratio, ratio);
    this.box = { left: 48, right: width - 12, top: 26, bottom: height - 34 };
    this.style = getComputedStyle(canvas);
    this.axes(xLabel, yLabel);
  }

  colour(name) {
    return this.style.getPropertyValue(`--${name}`).trim();
  }

  at(x, y) {
    const { left, right, top, bottom } = this.box;
    return [
      left + ((x - this.x.low) / (this.x.high - this.x.low)) * (right - left),
      bottom - ((y - this.y.low) / (this.y.high - this.y.low)) * (bottom - top),
    ];
  }

  axes(xLabel, yLabel) {
    const { pen, box } = this;
    pen.font = `12px ${this.style.fontFamily}`;
    pen.strokeStyle = this.colour("line");
    pen.fillStyle = this.colour("faint");
    pen.lineWidth = 1;
    pen.strokeRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    pen.textAlign = "center";
    for (const x of this.x.ticks) pen.fillText(label(x), this.at(x, 0)[0], box.bottom + 15);
    pen.fillText(xLabel, (box.left + box.right) / 2, box.bottom + 30);
    pen.textAlign = "right";
    for (const y of this.y.ticks) pen.fillText(label(y), box.left - 6, this.at(0, y)[1] + 4);
    pen.textAlign = "left";
    pen.fillText(yLabel, 4, box.top - 10);
  }

  // Whatever `draw` draws stays inside the box.
  inside(draw) {
    const { left, right, top, bottom } = this.box;
    this.pen.save();
    this.pen.beginPath();
    this.pen.rect(left, top, right - left, bottom - top);
    this.pen.clip();
    draw();
    this.pen.restore();
  }

  // A line through [x, y] points; NaN interrupts it.
  line(points, colour, { width = 2, dash = [], area = false } = {}) {
    this.inside(() => {
      const { pen } = this;
      pen.beginPath();
      let moving = true;
      for (const [x, y] of points) {
        if (Number.isNaN(y)) moving = true;
        else pen[moving ? "moveTo" : "lineTo"](...this.at(x, y));
        if (!Number.isNaN(y)) moving = false;
      }
      pen.strokeStyle = pen.fillStyle = this.colour(colour);
      pen.lineWidth = width;
      pen.setLineDash(dash);
      pen.stroke();
      pen.globalAlpha = 0.25;
      if (area) pen.fill();
    });
  }

  dots(points, colour) {
    this.inside(() => {
      for (const point of points) {
        this.pen.beginPath();
        this.pen.arc(...this.at(...point), 4, 0, 2 * Math.PI);
        this.pen.fillStyle = this.colour(colour);
        this.pen.fill();
      }
    });
  }

  // Names of the lines, at the top on the right.
  legend(entries) {
    const { pen, box } = this;
    let right = box.right;
    pen.textAlign = "right";
    for (const [text, colour] of entries.reverse()) {
      pen.fillStyle = this.colour("faint");
      pen.fillText(text, right, box.top - 10);
      right -= pen.measureText(text).width + 6;
      pen.fillStyle = this.colour(colour);
      pen.fillRect(right - 12, box.top - 16, 12, 6);
      right -= 22;
    }
  }
}

const label = (number) => String(number).replace("-", "−");

function showGame() {
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const chosen = (name) => document.querySelector(`[name=${name}]:checked`).value;
  const xs = Array.from({ length: GRID }, (_, i) => X.low + ((X.high - X.low) * i) / (GRID - 1));
  const axis = { ...X, ticks: [-8, -4, 0, 4, 8] };
  let game, path, before = [], playing = false, owed = 0, last = 0, shown = 0;

  function restart() {
    const values = { loss: chosen("loss"), optimizer: $("optimizer").value };
    const fields = { seed: $("game-seed"), start: $("start") };
    const wrong = Object.values(fields).find((field) => !field.value || !field.checkValidity());
    if (wrong) return wrong.reportValidity(); // the browser says what is expected
    if (path?.length > 1) before = path;
    game = new Game({ ...values, seed: Number(fields.seed.value), start: Number(fields.start.value) });
    path = [[0, game.mean]];
    draw();
  }

  function advance(count) {
    for (let i = 0; i < count && game.steps < LAST_STEP; i++) {
      game.step();
      path.push([game.steps, game.mean]);
    }
    if (game.steps >= LAST_STEP) play(false);
  }

  function play(wanted) {
    if (wanted && game.steps >= LAST_STEP) restart();
    playing = wanted;
    $("play").textContent = playing ? "Pause" : "Play";
    last = shown = performance.now();
    if (playing) requestAnimationFrame(frame);
  }

  function frame(now) {
    if (!playing) return;
    owed += ((now - last) / 1000) * Number($("speed").value);
    last = now;
    const begun = performance.now();
    while (owed >= 1 && performance.now() - begun < 30) { // the page must still answer
      owed--;
      advance(1);
    }
    owed = Math.min(owed, 1); // what the machine cannot do is not kept
    if (!still.matches || now - shown > 1000 || !playing) { // reduced motion: a picture a second
      shown = now;
      draw();
    }
    requestAnimationFrame(frame);
  }

  function draw() {
    const fakes = { mean: game.mean, deviation: game.deviation };
    const asLogit = chosen("scale") === "logit";
    const score = (logit) => (asLogit ? logit : sigmoid(logit));
    drawDensities(fakes);
    drawScores(fakes, asLogit, score);
    drawHistory();
    showNumbers(fakes, score, asLogit);
  }

  function drawDensities(fakes) {
    const y = { low: 0, high: 1, ticks: [0, 0.5, 1] };
    const plot = new Plot($("densities"), { x: axis, y, xLabel: "x, a number", yLabel: "density" });
    plot.line(xs.map((x) => [x, density(x, REAL)]), "real", { area: true });
    plot.line(xs.map((x) => [x, density(x, fakes)]), "fake", { area: true });
    plot.legend([["real", "real"], ["fakes", "fake"]]);
    const both = `${places(fakes.mean)} and ${places(fakes.deviation)}`;
    const says = `Densities: real numbers have mean 2 and deviation 0.5, fakes ${both}.`;
    $("densities").setAttribute("aria-label", says);
  }

  function drawScores(fakes, asLogit, score) {
    const y = asLogit
      ? { low: -11, high: 11, ticks: [-10, 0, 10] }
      : { low: 0, high: 1, ticks: [0, 0.5, 1] };
    const yLabel = asLogit ? "logit of D" : "D(x)";
    const plot = new Plot($("scores"), { x: axis, y, xLabel: "x, a number", yLabel });
    plot.line([[X.low, score(0)], [X.high, score(0)]], "line", { width: 1 });
    const best = xs.map((x) => {
      const [real, fake] = [logDensity(x, REAL), logDensity(x, fakes)];
      return [x, Math.max(real, fake) > -20 ? score(real - fake) : NaN];
    });
    plot.line(best, "real", { dash: [3, 4] });
    plot.line(xs.map((x) => [x, score(game.discriminator.logit(x))]), "text");
    const nine = Array.from({ length: 9 }, (_, i) => fakes.mean + (i / 2 - 2) * fakes.deviation);
    plot.dots(nine.map((x) => [x, score(game.discriminator.logit(x))]), "fake");
    plot.legend([["learnt", "text"], ["best", "real"], ["nine fakes", "fake"]]);
    const there = score(game.discriminator.logit(fakes.mean));
    const says = `The discriminator's ${yLabel}: ${places(there)} at the fakes' mean.`;
    $("scores").setAttribute("aria-label", says);
  }

  function drawHistory() {
    const end = Math.max(800, Math.ceil(Math.max(path.length, before.length) / 400) * 400);
    const x = { low: 0, high: end, ticks: [0, end / 2, end] };
    const y = { low: -8, high: 8, ticks: [-8, -4, 0, 4, 8] };
    const plot = new Plot($("history"), { x, y, xLabel: "step", yLabel: "mean of the fakes" });
    plot.line([[0, REAL.mean], [end, REAL.mean]], "real", { width: 1, dash: [6, 4] });
    plot.line(before, "faint", { width: 1.5 });
    plot.line(path, "fake");
    const earlier = before.length ? [["the game before", "faint"]] : [];
    plot.legend([["this game", "fake"], ...earlier, ["real", "real"]]);
    const now = `${places(game.mean)} after ${game.steps} steps`;
    const says = `The fakes' mean: ${places(path[0][1])} at first, ${now}; real numbers have 2.`;
    $("history").setAttribute("aria-label", says);
  }

  function showNumbers(fakes, score, asLogit) {
    const at = (x) => score(game.discriminator.logit(x));
    const slope = (at(fakes.mean + 0.1) - at(fakes.mean - 0.1)) / 0.2; // as in notebook 00
    const entries = {
      Step: `${game.steps} of ${LAST_STEP}`,
      "Mean of the fakes": places(fakes.mean),
      "Deviation of the fakes": places(fakes.deviation),
      [asLogit ? "Logit at their mean" : "D at their mean"]: places(at(fakes.mean)),
      "Slope there": places(slope),
      "Loss of D": places(game.losses.discriminator),
      "Loss of G": places(game.losses.generator),
    };
    const rows = Object.entries(entries).map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`);
    $("numbers").innerHTML = rows.join("");
  }

  const places = (value) => (Number.isNaN(value) ? "none yet" : label(value.toFixed(3)));

  $("play").addEventListener("click", () => play(!playing));
  $("step").addEventListener("click", () => {
    play(false);
    advance(1);
    draw();
  });
  $("restart").addEventListener("click", restart);
  for (const id of ["optimizer", "start", "game-seed"]) $(id).addEventListener("change", restart);
  for (const radio of document.getElementsByName("loss")) radio.addEventListener("change", restart);
  for (const radio of document.getElementsByName("scale")) radio.addEventListener("change", draw);
  const showSpeed = () => (document.querySelector("#speed + output").textContent = $("speed").value);
  $("speed").addEventListener("input", showSpeed);
  $("game-controls").addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("resize", draw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  showSpeed();
  restart();
}
