// Weights as `python -m dcgan_helpers export RUN --web` writes them: how they arrive, are checked
// and become layers.
//
// A file of weights is a script that calls `receiveWeights`, because a page that was opened from
// a stick may not fetch a file, but may load a script. The script is in UTF-16 and each of its
// characters is a number of 16 bits, so that it is no larger than the numbers are.
"use strict";

let received = null;

function receiveWeights(checksum, header, data) {
  received = { checksum, header, data };
}

// Resolves to { latentDim, classes, directions, layers }; rejects with a sentence for the reader.
// `name` is that of a file in the folder weights/, without its ending.
function loadWeights(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `weights/${name}.js`;
    script.onerror = () => {
      reject(new Error(`The file weights/${name}.js is missing; get the whole folder again.`));
    };
    script.onload = () => {
      try {
        resolve(readWeights(received));
      } catch {
        reject(new Error(`The file weights/${name}.js is damaged; get it again.`));
      }
      received = null;
      script.remove();
    };
    document.head.append(script);
  });
}

function readWeights({ checksum, header, data }) {
  if (crc32(header + data) !== checksum) throw new Error("another checksum");
  const { latentDim, classes, directions, layers } = JSON.parse(header);
  let position = 0;
  const next = (count) => {
    const numbers = new Float32Array(count);
    for (let i = 0; i < count; i++) numbers[i] = fromHalf(data.charCodeAt(position + i));
    position += count;
    return numbers;
  };
  return {
    latentDim,
    classes,
    layers: layers.map((layer) => {
      const tensors = Object.entries(layer.tensors).map(([tensor, shape]) => {
        return [tensor, next(shape.reduce((product, size) => product * size))];
      });
      return readLayer(layer, Object.fromEntries(tensors));
    }),
    directions: Object.fromEntries(directions.map((way) => [way, next(latentDim)])),
  };
}

// A layer as generator.js wants it.
function readLayer({ kind, stride, padding, epsilon, tensors }, numbers) {
  if (kind === "BatchNorm2d") {
    const { running_mean: runningMean, running_var: runningVar } = numbers;
    return { kind, epsilon, ...numbers, runningMean, runningVar };
  }
  if (kind !== "ConvTranspose2d") return { kind };
  const [inChannels, outChannels, kernel] = tensors.weight;
  const weight = new Float32Array(numbers.weight.length);
  const area = kernel * kernel;
  for (let from = 0, i = 0; i < inChannels; i++) { // [in][out][ky, kx] to [in][ky, kx][out]
    for (let out = 0; out < outChannels; out++) {
      for (let k = 0; k < area; k++) {
        weight[(i * area + k) * outChannels + out] = numbers.weight[from++];
      }
    }
  }
  return { kind, kernel, stride, padding, outChannels, weight, bias: numbers.bias };
}

// The value of a 16-bit floating-point number (IEEE 754: a sign, 5 bits of exponent, 10 of fraction).
const SCALES = Float64Array.from({ length: 32 }, (_, exponent) => 2 ** (exponent - 25));
function fromHalf(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  const size = exponent ? (1024 + fraction) * SCALES[exponent] : fraction * SCALES[1];
  return bits & 0x8000 ? -size : size;
}

// The checksum of zip files, of a text's 16-bit characters, low byte first.
function crc32(text) {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    for (let bit = 0; bit < 8; bit++) byte = (byte >>> 1) ^ (byte & 1 ? 0xedb88320 : 0);
    return byte;
  });
  let sum = 0xffffffff;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    sum = (sum >>> 8) ^ table[(sum ^ code) & 255];
    sum = (sum >>> 8) ^ table[(sum ^ (code >> 8)) & 255];
  }
  return ~sum >>> 0;
}
