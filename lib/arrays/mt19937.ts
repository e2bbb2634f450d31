// NumPy's legacy RandomState (Mersenne Twister): the same seed gives the same numbers, so masks equal fastMRI's.
import { LarmorError } from '../errors.js';

const LENGTH = 624;
const SHIFT = 397;

/** What `MT19937` accepts: an integer in 0..2^32-1, or a non-empty list of such integers. */
export type Seed = number | readonly number[];

/**
 * The seed fastMRI derives from a file's name: the code point of each character.
 *
 * @param name The file's base name, extension included, e.g. `file1000000.h5`.
 */
export function seedFromName(name: string): readonly number[] {
  return Array.from(name, (character) => character.codePointAt(0)!);
}

function expectSeedWord(word: number): void {
  if (!Number.isInteger(word) || word < 0 || word > 0xffffffff)
    throw new LarmorError('ERR_ARGUMENT', `MT19937: seed must hold integers in 0..4294967295, got ${word}`);
}

/**
 * Mersenne Twister with the draws of `numpy.random.RandomState`, bit for bit where only integers and sums are involved.
 *
 * @throws LarmorError `ERR_ARGUMENT` if the seed is not an integer in 0..2^32-1 or a non-empty list of them.
 * @see Matsumoto and Nishimura, ACM Trans Model Comput Simul 1998;8:3-30.
 * @example const random = new MT19937(seedFromName('file1000000.h5')); const u = random.uniform();
 */
export class MT19937 {
  readonly #state = new Uint32Array(LENGTH);
  #position = LENGTH;
  #spareNormal: number | undefined;

  constructor(seed: Seed) {
    if (typeof seed === 'number') {
      expectSeedWord(seed);
      this.#seedWord(seed);
    } else {
      if (seed.length === 0) throw new LarmorError('ERR_ARGUMENT', 'MT19937: seed list must not be empty');
      seed.forEach(expectSeedWord);
      this.#seedList(seed);
    }
  }

  /** Next 32 random bits as an unsigned integer. */
  uint32(): number {
    if (this.#position === LENGTH) this.#refill();
    let y = this.#state[this.#position++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** Uniform in [low, high), 53 random bits: `RandomState.uniform`, `random_sample`. */
  uniform(low = 0, high = 1): number {
    const upper = this.uint32() >>> 5;
    const lower = this.uint32() >>> 6;
    return low + (high - low) * ((upper * 67108864 + lower) / 9007199254740992);
  }

  /**
   * Integer in [low, high) by masked rejection: `RandomState.randint`. A range of one value draws nothing.
   *
   * @throws LarmorError `ERR_ARGUMENT` unless low < high and the range fits 32 bits.
   */
  integer(low: number, high: number): number {
    const range = high - 1 - low;
    if (!Number.isInteger(low) || !Number.isInteger(high) || range < 0 || range > 0xffffffff)
      throw new LarmorError('ERR_ARGUMENT', `MT19937: integer wants integers low < high, got [${low}, ${high})`);
    if (range === 0) return low;
    const mask = 0xffffffff >>> Math.clz32(range);
    for (;;) {
      const value = (this.uint32() & mask) >>> 0;
      if (value <= range) return low + value;
    }
  }

  /** One of `items`, each as likely. */
  pick<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length)];
  }

  /** 0..n-1 in random order: `RandomState.permutation(n)`. */
  permutation(n: number): Uint32Array {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; --i) {
      const j = this.integer(0, i + 1);
      const kept = order[i];
      order[i] = order[j];
      order[j] = kept;
    }
    return order;
  }

  /** Standard normal by the polar method: `RandomState.randn`, equal to NumPy's up to the last bits of log. */
  normal(): number {
    const spare = this.#spareNormal;
    if (spare !== undefined) {
      this.#spareNormal = undefined;
      return spare;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const squared = x * x + y * y;
      if (squared >= 1 || squared === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(squared)) / squared);
      this.#spareNormal = factor * x;
      return factor * y;
    }
  }

  #seedWord(seed: number): void {
    let word = seed;
    for (let i = 0; i < LENGTH; ++i) {
      this.#state[i] = word;
      word = (Math.imul(1812433253, word ^ (word >>> 30)) + i + 1) >>> 0;
    }
  }

  #seedList(seed: readonly number[]): void {
    const state = this.#state;
    this.#seedWord(19650218);
    let i = 1;
    const wrap = (): void => {
      if (++i < LENGTH) return;
      state[0] = state[LENGTH - 1];
      i = 1;
    };
    const mixed = (factor: number): number => {
      const previous = state[i - 1];
      return state[i] ^ Math.imul(previous ^ (previous >>> 30), factor);
    };
    for (let k = 0; k < Math.max(LENGTH, seed.length); ++k) {
      const j = k % seed.length;
      state[i] = mixed(1664525) + seed[j] + j;
      wrap();
    }
    for (let k = 0; k < LENGTH - 1; ++k) {
      state[i] = mixed(1566083941) - i;
      wrap();
    }
    state[0] = 0x80000000;
  }

  #refill(): void {
    const state = this.#state;
    for (let i = 0; i < LENGTH; ++i) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % LENGTH] & 0x7fffffff);
      state[i] = state[(i + SHIFT) % LENGTH] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#position = 0;
  }
}
