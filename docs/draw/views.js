// How maps become pixels: one image, all maps of a layer, and several images as one PNG.
"use strict";

// From -1 (black) and 1 (white) to a grey level, rounded as torchvision's save_image does.
const grey = (number) => Math.min(255, Math.max(0, Math.floor((number + 1) * 127.5 + 0.5)));

// Draws an image, grey or RGB, at its own size; CSS makes it larger.
function paint(canvas, { side, channels, values }) {
  const pixels = new ImageData(side, side);
  for (let i = 0; i < side * side; i++) {
    for (let colour = 0; colour < 3; colour++) {
      pixels.data[4 * i + colour] = grey(values[i * channels + (channels === 3 ? colour : 0)]);
    }
    pixels.data[4 * i + 3] = 255;
  }
  canvas.width = canvas.height = side;
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

// Draws all maps of a layer on a grid, each from its lowest number (black) to its highest (white);
// single numbers, which have no lowest and highest, from those of the layer.
function paintMaps(canvas, { side, channels, values }, columns) {
  const rows = Math.ceil(channels / columns);
  const gap = side > 1 && channels > 1 ? 1 : 0;
  canvas.width = columns * (side + gap) - gap;
  canvas.height = rows * (side + gap) - gap;
  const lows = new Float32Array(channels).fill(Infinity);
  const highs = new Float32Array(channels).fill(-Infinity);
  values.forEach((value, i) => {
    lows[i % channels] = Math.min(lows[i % channels], value);
    highs[i % channels] = Math.max(highs[i % channels], value);
  });
  if (side === 1) {
    lows.fill(Math.min(...values));
    highs.fill(Math.max(...values));
  }
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(canvas.width, canvas.height);
  for (let channel = 0; channel < channels; channel++) {
    const [low, high] = [lows[channel], highs[channel]];
    const left = (channel % columns) * (side + gap);
    const top = Math.floor(channel / columns) * (side + gap);
    for (let i = 0; i < side * side; i++) {
      const share = (values[i * channels + channel] - low) / (high - low || 1);
      const to = 4 * ((top + Math.floor(i / side)) * canvas.width + left + (i % side));
      pixels.data.fill(Math.round(255 * share), to, to + 3);
      pixels.data[to + 3] = 255;
    }
  }
  context.putImageData(pixels, 0, 0);
}

// Shows each layer's maps in `place`: a figure with a caption for each.
function showLayers(place, input, latentDim, maps) {
  const noise = { side: 1, channels: input.length, values: input };
  const what = input.length > latentDim ? `${latentDim} random numbers and the class` : "the noise";
  const figures = [[noise, what, 10], ...maps.map((layer) => {
    const size = `${layer.side}×${layer.side}`;
    const text = layer.channels === 1 ? `the image of ${size}` : `${layer.channels} maps of ${size}`;
    // Wide enough to be nearly square for many maps, wider for few.
    return [layer, text, 2 ** Math.ceil(Math.log2(layer.channels) / 2)];
  })];
  while (place.children.length < figures.length) {
    const figure = document.createElement("figure");
    figure.append(document.createElement("figcaption"), document.createElement("canvas"));
    place.append(figure);
  }
  while (place.children.length > figures.length) place.lastChild.remove();
  figures.forEach(([layer, text, columns], i) => {
    const [caption, canvas] = place.children[i].children;
    paintMaps(canvas, layer, columns);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", text);
    caption.textContent = i === 0 ? `Input: ${text}` : `Layer ${i}: ${text}`;
  });
}

// A PNG of canvases side by side, each pixel `scale` pixels wide; resolves to a Blob.
function asPng(canvases, smooth, scale = 8) {
  const side = canvases[0].width * scale;
  const sheet = document.createElement("canvas");
  sheet.width = side * canvases.length;
  sheet.height = side;
  const context = sheet.getContext("2d");
  context.imageSmoothingEnabled = smooth;
  context.imageSmoothingQuality = "high";
  canvases.forEach((canvas, i) => context.drawImage(canvas, i * side, 0, side, side));
  return new Promise((resolve) => sheet.toBlob(resolve, "image/png"));
}

// A table "a row for each class, a column for each noise" of buttons with a canvas each. One of
// them can be reached with the Tab key, the others from there with the arrow keys.
class DrawingTable {
  constructor(table, choose) {
    this.table = table;
    table.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) choose(button.dataset.digit, Number(button.dataset.seed));
    });
    table.addEventListener("keydown", (event) => this.move(event));
    table.addEventListener("focusin", ({ target }) => this.reach(target));
  }

  // Makes empty cells; returns { canvas, digit, seed } of each. No digits: rows are noise, too.
  fill(digits, rows, columns, seed) {
    this.table.textContent = "";
    const cells = [];
    const head = this.table.createTHead().insertRow();
    head.append(Object.assign(document.createElement("td"), { textContent: "" }));
    if (digits) {
      for (let column = 0; column < columns; column++) {
        const title = Object.assign(document.createElement("th"), { scope: "col" });
        title.textContent = `seed ${seed + column}`;
        head.append(title);
      }
    }
    const body = this.table.createTBody();
    for (let row = 0; row < rows; row++) {
      const line = body.insertRow();
      const title = Object.assign(document.createElement("th"), { scope: "row" });
      title.textContent = digits ? digits[row] : `seeds from ${seed + row * columns}`;
      line.append(title);
      for (let column = 0; column < columns; column++) {
        const own = digits ? seed + column : seed + row * columns + column;
        const digit = digits ? digits[row] : "";
        const button = document.createElement("button");
        Object.assign(button, { type: "button", tabIndex: row + column ? -1 : 0 });
        Object.assign(button.dataset, { digit, seed: own });
        button.setAttribute("aria-label", `Draw ${digit && `a ${digit} `}from seed ${own}`);
        const canvas = document.createElement("canvas");
        button.append(canvas);
        line.insertCell().append(button);
        cells.push({ canvas, digit, seed: own });
      }
    }
    return cells;
  }

  reach(button) {
    if (button.tagName !== "BUTTON") return;
    this.table.querySelector("[tabindex='0']").tabIndex = -1;
    button.tabIndex = 0;
  }

  move(event) {
    const ways = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    if (!(event.key in ways)) return;
    event.preventDefault();
    const cell = event.target.closest("td");
    const [down, right] = ways[event.key];
    const row = this.table.rows[cell.parentNode.rowIndex + down];
    row?.cells[cell.cellIndex + right]?.querySelector("button")?.focus();
  }
}
