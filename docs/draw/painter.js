// Draws in a worker, so that the page answers while a network computes.
//
// A page that was opened from a stick may not load a worker from a file either. So the worker is
// made of the text of functions that are already here.
"use strict";

class Painter {
  constructor() {
    const parts = [transposedConvolution, batchNorm, relu, tanh, generate, work];
    const source = `"use strict";\n${parts.join("\n")}\nwork();`;
    this.worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    this.worker.onmessage = ({ data }) => {
      this.waiting.get(data.id)(data);
      this.waiting.delete(data.id);
    };
    this.waiting = new Map();
    this.asked = 0;
  }

  // From now on `run` can be drawn with these layers.
  add(run, layers) {
    this.worker.postMessage({ run, layers });
  }

  // Resolves to { image, maps, time }: the last maps, all maps if they are wanted, milliseconds.
  draw(run, input, wantsMaps = false) {
    const id = this.asked++;
    this.worker.postMessage({ id, run, input, wantsMaps });
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }
}

// All that the worker does; `generate` is defined beside it.
function work() {
  const runs = {};
  self.onmessage = ({ data: { id, run, layers, input, wantsMaps } }) => {
    if (layers) {
      runs[run] = layers;
      return;
    }
    const start = performance.now();
    const maps = generate(runs[run], input);
    const time = performance.now() - start;
    self.postMessage({ id, image: maps[maps.length - 1], maps: wantsMaps ? maps : [], time });
  };
}
