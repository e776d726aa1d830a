// NumPy's Mersenne Twister (Matsumoto and Nishimura, 1998) and the shuffle of its RandomState: the order of the batches.

const SIZE = 624;
const SHIFT = 397;

export class Twister {
  constructor({ key, position }) {
    this.key = Uint32Array.from(key);
    this.position = position;
  }

  next() {
    if (this.position === SIZE) this.renew();
    let y = this.key[this.position++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  renew() {
    const { key } = this;
    for (let i = 0; i < SIZE; i++) {
      const y = (key[i] & 0x80000000) | (key[(i + 1) % SIZE] & 0x7fffffff);
      key[i] = key[(i + SHIFT) % SIZE] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.position = 0;
  }

  /** A whole number from 0 to `largest`: too large ones are drawn again. */
  upTo(largest) {
    if (largest === 0) return 0;
    const mask = 2 ** (32 - Math.clz32(largest)) - 1;
    let value;
    do value = (this.next() & mask) >>> 0;
    while (value > largest);
    return value;
  }

  shuffle(values) {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.upTo(i);
      [values[i], values[j]] = [values[j], values[i]];
    }
  }
}

/** A generator of its own, where Python's cannot be followed. */
export function ownTwister() {
  const key = new Uint32Array(SIZE);
  key[0] = 1;
  for (let i = 1; i < SIZE; i++) key[i] = Math.imul(1812433253, key[i - 1] ^ (key[i - 1] >>> 30)) + i;
  return new Twister({ key, position: SIZE });
}
