// The game with single numbers of notebook 00, with its gradients by hand: real numbers are normal
// with mean 2 and deviation 0.5, the generator learns a mean and a deviation, and the
// discriminator has 1, 32, 32 and 1 units. From the same seed come the notebook's numbers.
"use strict";

const HIDDEN = 32;
const BATCH = 128;
const REAL = { mean: 2, deviation: 0.5 };

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

// The derivative of a fake's loss with respect to its logit. Both losses make logits larger.
const SLOPES = {
  "non-saturating": (logit) => sigmoid(logit) - 1, // of -log D
  minimax: (logit) => -sigmoid(logit), // of log(1 - D)
};
const LOSSES = {
  "non-saturating": (logit) => softplus(-logit),
  minimax: (logit) => -softplus(logit),
};
// log(1 + e^x), also for large x.
const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

// How a gradient becomes a step, as in torch.optim; `rate` is the learning rate.
const OPTIMIZERS = {
  SGD: (rate) => (weights, gradient) => {
    for (let i = 0; i < weights.length; i++) weights[i] -= rate * gradient[i];
  },
  RMSprop: (rate, memory = 0.99) => {
    let squares;
    return (weights, gradient) => {
      squares ??= new Float64Array(weights.length);
      for (let i = 0; i < weights.length; i++) {
        squares[i] = memory * squares[i] + (1 - memory) * gradient[i] ** 2;
        weights[i] -= (rate * gradient[i]) / (Math.sqrt(squares[i]) + 1e-8);
      }
    };
  },
  Adam: (rate, [beta1, beta2] = [0.9, 0.999]) => {
    let means, squares, steps = 0;
    return (weights, gradient) => {
      means ??= new Float64Array(weights.length);
      squares ??= new Float64Array(weights.length);
      steps++;
      for (let i = 0; i < weights.length; i++) {
        means[i] = beta1 * means[i] + (1 - beta1) * gradient[i];
        squares[i] = beta2 * squares[i] + (1 - beta2) * gradient[i] ** 2;
        const mean = means[i] / (1 - beta1 ** steps);
        const square = squares[i] / (1 - beta2 ** steps);
        weights[i] -= (rate * mean) / (Math.sqrt(square) + 1e-8);
      }
    };
  },
};

// A fully connected layer with `weights` [output][input], its gradient beside them.
class Linear {
  constructor(random, inputs, outputs) {
    const bound = 1 / Math.sqrt(inputs); // PyTorch's initialisation
    Object.assign(this, { inputs, outputs });
    this.weights = Float64Array.from(random.uniform(inputs * outputs, -bound, bound));
    this.bias = Float64Array.from(random.uniform(outputs, -bound, bound));
    this.gradients = [new Float64Array(inputs * outputs), new Float64Array(outputs)];
  }

  forward(input) {
    const { inputs, outputs, weights, bias } = this;
    this.input = input;
    const output = new Float64Array(outputs);
    for (let out = 0, w = 0; out < outputs; out++) {
      let sum = bias[out];
      for (let i = 0; i < inputs; i++) sum += weights[w++] * input[i];
      output[out] = sum;
    }
    return output;
  }

  // From the gradient at the output: adds to the weights' gradients, returns that at the input.
  backward(gradient) {
    const { inputs, outputs, weights, input } = this;
    const [ofWeights, ofBias] = this.gradients;
    const below = new Float64Array(inputs);
    for (let out = 0, w = 0; out < outputs; out++) {
      ofBias[out] += gradient[out];
      for (let i = 0; i < inputs; i++, w++) {
        ofWeights[w] += gradient[out] * input[i];
        below[i] += gradient[out] * weights[w];
      }
    }
    return below;
  }
}

// Tanh of each number, and the gradient on its way back through it.
function tanhOf(numbers) {
  for (let i = 0; i < numbers.length; i++) numbers[i] = Math.tanh(numbers[i]);
  return numbers;
}

function throughTanh(gradient, output) {
  for (let i = 0; i < gradient.length; i++) gradient[i] *= 1 - output[i] * output[i];
  return gradient;
}

class NumberDiscriminator {
  constructor(random) {
    const sizes = [1, HIDDEN, HIDDEN, 1];
    this.layers = [0, 1, 2].map((i) => new Linear(random, sizes[i], sizes[i + 1]));
    this.optimizers = this.layers.map(() => [0, 1].map(() => OPTIMIZERS.Adam(0.01, [0.5, 0.999])));
  }

  // The logit of a number.
  logit(x) {
    const [first, second, last] = this.layers;
    this.lower = tanhOf(first.forward(Float64Array.of(x)));
    this.upper = tanhOf(second.forward(this.lower));
    return last.forward(this.upper)[0];
  }

  // After `logit(x)`: from the loss's derivative by the logit to that by x.
  backward(slope) {
    const [first, second, last] = this.layers;
    const upper = throughTanh(last.backward(Float64Array.of(slope)), this.upper);
    return first.backward(throughTanh(second.backward(upper), this.lower))[0];
  }

  forgetGradients() {
    for (const layer of this.layers) layer.gradients.forEach((gradient) => gradient.fill(0));
  }

  update() {
    this.layers.forEach((layer, i) => {
      this.optimizers[i][0](layer.weights, layer.gradients[0]);
      this.optimizers[i][1](layer.bias, layer.gradients[1]);
    });
  }
}

class Game {
  constructor({ seed = 1, loss = "non-saturating", optimizer = "SGD", start = -4 } = {}) {
    this.loss = loss;
    this.random = new Random(seed);
    this.discriminator = new NumberDiscriminator(this.random);
    this.parameters = Float64Array.of(start, Math.log(0.5)); // mean and log of the deviation
    this.update = OPTIMIZERS[optimizer](optimizer === "SGD" ? 0.03 : 0.01);
    this.steps = 0;
    this.losses = { discriminator: NaN, generator: NaN }; // of the latest step
  }

  get mean() {
    return this.parameters[0];
  }

  get deviation() {
    return Math.exp(this.parameters[1]);
  }

  step() {
    const real = this.random.normal(BATCH).map((z) => REAL.mean + REAL.deviation * z);
    const noise = this.random.normal(BATCH);
    const fakes = Array.from(noise, (z) => this.mean + this.deviation * z);

    // The discriminator: labels 1 for real, 0 for fake, and half the sum of both losses.
    const d = this.discriminator;
    d.forgetGradients();
    this.losses = { discriminator: 0, generator: 0 };
    const learn = (x, label) => {
      const logit = d.logit(x);
      this.losses.discriminator += softplus(label ? -logit : logit) / BATCH / 2;
      d.backward((sigmoid(logit) - label) / BATCH / 2);
    };
    real.forEach((x) => learn(x, 1));
    fakes.forEach((x) => learn(x, 0));
    d.update();

    // The generator: the updated discriminator gives new logits to the same fakes.
    const gradient = [0, 0];
    fakes.forEach((x, i) => {
      const logit = d.logit(x);
      this.losses.generator += LOSSES[this.loss](logit) / BATCH;
      const slope = d.backward(SLOPES[this.loss](logit) / BATCH);
      gradient[0] += slope;
      gradient[1] += slope * this.deviation * noise[i];
    });
    this.update(this.parameters, gradient);
    this.steps++;
  }
}
