// Random numbers as PyTorch makes them on a CPU, so that a seed means the same on this page, in
// the notebooks and on the command line: the Mersenne Twister of Matsumoto and Nishimura (1998),
// and normal numbers after Box and Muller (1958), sixteen at a time.
"use strict";

class Random {
  // The same numbers as after `torch.manual_seed(seed)`, for a whole seed from 0 to 4294967295.
  constructor(seed) {
    this.state = new Uint32Array(624);
    this.state[0] = seed;
    for (let i = 1; i < 624; i++) {
      const before = this.state[i - 1] ^ (this.state[i - 1] >>> 30);
      this.state[i] = Math.imul(1812433253, before) + i;
    }
    this.next = 624; // the state must be mixed before its first use
  }

  // Mixes the state: 624 new numbers of 32 bits.
  mix() {
    const state = this.state;
    for (let i = 0; i < 624; i++) {
      const bits = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7fffffff);
      state[i] = state[(i + 397) % 624] ^ (bits >>> 1) ^ (bits & 1 ? 0x9908b0df : 0);
    }
    this.next = 0;
  }

  // A whole number of 32 bits.
  bits() {
    if (this.next === 624) this.mix();
    let x = this.state[this.next++];
    x ^= x >>> 11;
    x ^= (x << 7) & 0x9d2c5680;
    x ^= (x << 15) & 0xefc60000;
    return (x ^ (x >>> 18)) >>> 0;
  }

  // `torch.empty(count).uniform_(low, high)`: 24 bits are all that a number of 32 bits can hold.
  uniform(count, low = 0, high = 1) {
    return Float32Array.from({ length: count }, () => {
      return ((this.bits() & 0xffffff) / 0x1000000) * (high - low) + low;
    });
  }

  // `torch.randn(count)`, for at least 16 numbers (for fewer PyTorch has another way).
  normal(count) {
    const numbers = this.uniform(count);
    for (let start = 0; start + 16 <= count; start += 16) {
      boxMuller(numbers.subarray(start, start + 16));
    }
    if (count % 16) { // what is left over is drawn anew, with some of its neighbours
      const last = numbers.subarray(count - 16);
      last.set(this.uniform(16));
      boxMuller(last);
    }
    return numbers;
  }
}

// Sixteen uniform numbers become sixteen normal ones: eight lengths, eight angles.
function boxMuller(numbers) {
  for (let i = 0; i < 8; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - numbers[i]));
    const angle = 2 * Math.PI * numbers[i + 8];
    numbers[i] = radius * Math.cos(angle);
    numbers[i + 8] = radius * Math.sin(angle);
  }
}
