// What is drawn, as a few values, and how they stand in the page's address: a link is a drawing.
"use strict";

const DEFAULTS = {
  run: "digits", // a file in weights/
  digits: "7", // a class each
  seed: 6, // of the noise
  slant: 0, // steps along the directions
  thickness: 0,
  walk: 0, // from the first drawing (0) to the second (1)
  digits2: "", // of the second drawing; empty: the same
  seed2: 10,
  crisp: 0, // 1: pixels with edges
};
const LARGEST_SEED = 2 ** 32 - 1;

const number = (low, high) => (text) => {
  const value = Number(text);
  return /^-?\d+(\.\d+)?$/.test(text) && value >= low && value <= high ? value : null;
};
const whole = (high) => (text) => (/^\d+$/.test(text) ? number(0, high)(text) : null);
const matching = (pattern) => (text) => (pattern.test(text) ? text : null);
const seeds = [whole(LARGEST_SEED), `a whole number from 0 to ${LARGEST_SEED}`];
const steps = [number(-3, 3), "a number from -3 to 3"];

// For each value: what makes it of a text (null if it cannot), and what was expected.
const RULES = {
  run: [matching(/^[\w-]{1,40}$/), "the name of a file in the folder weights"],
  digits: [matching(/^\d{1,8}$/), "1 to 8 digits"],
  seed: seeds,
  slant: steps,
  thickness: steps,
  walk: [number(0, 1), "a number from 0 to 1"],
  digits2: [matching(/^\d{0,8}$/), "at most 8 digits"],
  seed2: seeds,
  crisp: [whole(1), "0 or 1"],
};

// The value of a text under its rule; throws an Error with a sentence for the reader.
function checked(name, text, where) {
  if (!(name in RULES)) {
    const known = Object.keys(RULES).join(", ");
    throw new Error(`${where} has the name “${name}”; expected ${known}.`);
  }
  const [read, expected] = RULES[name];
  const value = read(text);
  if (value === null) throw new Error(`${where} says ${name}=${text}; expected ${expected}.`);
  return value;
}

// { state, problem }: of what cannot be read the default is taken, and `problem` is a sentence.
function readLink(hash) {
  const state = { ...DEFAULTS };
  let problem = "";
  if (!hash.includes("=")) return { state, problem }; // a place on the page, such as #game
  for (const [name, text] of new URLSearchParams(hash.replace(/^#/, ""))) {
    try {
      state[name] = checked(name, text, "The link");
    } catch (error) {
      problem ||= error.message;
    }
  }
  return { state, problem };
}

function linkOf(state) {
  const changed = Object.entries(state).filter(([name, value]) => value !== DEFAULTS[name]);
  // Never empty, so that the address does not keep an older drawing.
  const shown = changed.length ? changed : [["digits", state.digits]];
  return `#${new URLSearchParams(shown)}`;
}

// The way from a to b on the sphere (White 2016); straight where they have one direction.
function slerp(a, b, t) {
  const dot = (u, v) => u.reduce((sum, x, i) => sum + x * v[i], 0);
  const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const straight = Math.sin(angle) < 1e-3;
  const first = straight ? 1 - t : Math.sin((1 - t) * angle) / Math.sin(angle);
  const second = straight ? t : Math.sin(t * angle) / Math.sin(angle);
  return a.map((x, i) => first * x + second * b[i]);
}

// The inputs of the generator for a state, an array of numbers for each digit: the noise, and one
// number for each class beside it.
function inputsOf(state, { latentDim, classes, directions }) {
  const digits = classes ? state.digits : "0";
  const digits2 = state.digits2 || digits;
  const noises = [state.seed, state.seed2].map((seed) => {
    return new Random(seed).normal(Math.max(16, digits.length * latentDim));
  });
  return Array.from(digits, (digit, i) => {
    const [a, b] = noises.map((noise) => noise.slice(i * latentDim, (i + 1) * latentDim));
    const noise = state.walk ? slerp(a, b, state.walk) : a;
    const input = new Float32Array(latentDim + classes);
    input.set(noise.map((z, k) => {
      return z + state.slant * directions.slant[k] + state.thickness * directions.thickness[k];
    }));
    if (classes) {
      input[latentDim + Number(digit)] += 1 - state.walk;
      input[latentDim + Number(digits2[i % digits2.length])] += state.walk;
    }
    return input;
  });
}
