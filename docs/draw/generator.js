// The generator of notebook 03, layer by layer, in plain JavaScript.
//
// Maps are kept as { side, channels, values }, with values[(y * side + x) * channels + channel].
// Every function here is complete without the rest of the page, because their text also becomes
// the worker (painter.js says why).
"use strict";

// Each number of the input stamps its kernel on the output, multiplied by it (notebook 02).
// Numbers that are 0, and ReLU leaves many, stamp nothing. The others stamp four at a time, which
// takes half the time, because each number of the output is read and written once for all four.
// `weight` lies as [in][ky][kx][out], so that the innermost loop walks through neighbours.
function transposedConvolution(input, { kernel, stride, padding, outChannels, weight, bias }) {
  const side = (input.side - 1) * stride - 2 * padding + kernel;
  const values = new Float32Array(side * side * outChannels);
  if (bias) for (let i = 0; i < values.length; i++) values[i] = bias[i % outChannels];
  const numbers = new Float64Array(input.channels + 3); // of one place, without zeros
  const kernels = new Int32Array(input.channels + 3); // where their weights begin
  for (let y = 0; y < input.side; y++) {
    for (let x = 0; x < input.side; x++) {
      let count = 0;
      for (let channel = 0; channel < input.channels; channel++) {
        const number = input.values[(y * input.side + x) * input.channels + channel];
        if (number === 0) continue;
        kernels[count] = channel * kernel * kernel * outChannels;
        numbers[count++] = number;
      }
      numbers.fill(0, count); // so that the last four are complete
      for (let ky = 0; ky < kernel; ky++) {
        const outY = y * stride - padding + ky;
        if (outY < 0 || outY >= side) continue;
        for (let kx = 0; kx < kernel; kx++) {
          const outX = x * stride - padding + kx;
          if (outX < 0 || outX >= side) continue;
          const to = (outY * side + outX) * outChannels;
          const from = (ky * kernel + kx) * outChannels;
          for (let i = 0; i < count; i += 4) {
            const [a, b, c, d] = [numbers[i], numbers[i + 1], numbers[i + 2], numbers[i + 3]];
            const ofA = kernels[i] + from;
            const ofB = kernels[i + 1] + from;
            const ofC = kernels[i + 2] + from;
            const ofD = kernels[i + 3] + from;
            for (let out = 0; out < outChannels; out++) {
              values[to + out] += a * weight[ofA + out] + b * weight[ofB + out]
                + c * weight[ofC + out] + d * weight[ofD + out];
            }
          }
        }
      }
    }
  }
  return { side, channels: outChannels, values };
}

// Batch normalisation in eval() mode: the running statistics are fixed numbers (notebook 03).
function batchNorm(input, { epsilon, weight, bias, runningMean, runningVar }) {
  const values = new Float32Array(input.values.length);
  for (let i = 0; i < values.length; i++) {
    const channel = i % input.channels;
    const deviation = Math.sqrt(runningVar[channel] + epsilon);
    const normalised = (input.values[i] - runningMean[channel]) / deviation;
    values[i] = normalised * weight[channel] + bias[channel];
  }
  return { ...input, values };
}

function relu(input) {
  return { ...input, values: input.values.map((number) => Math.max(number, 0)) };
}

function tanh(input) {
  return { ...input, values: input.values.map(Math.tanh) };
}

// Draws from `input`, the noise and, if there are classes, one number for each class beside it.
// Returns the maps after every ReLU, and the image last: numbers from -1 (black) to 1 (white).
function generate(layers, input) {
  const steps = { ConvTranspose2d: transposedConvolution, BatchNorm2d: batchNorm, ReLU: relu };
  let maps = { side: 1, channels: input.length, values: input };
  const shown = [];
  for (const layer of layers) {
    maps = layer.kind === "Tanh" ? tanh(maps) : steps[layer.kind](maps, layer);
    if (layer.kind === "ReLU" || layer.kind === "Tanh") shown.push(maps);
  }
  return shown;
}
