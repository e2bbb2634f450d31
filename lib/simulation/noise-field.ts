// Smooth random fields in three dimensions: the raw material of tissue texture, organ outlines and brain folds.
import type { MT19937 } from '../arrays/mt19937.js';

/** Twelve gradients from the cube's centre to its edges, four repeated to make sixteen. */
const GRADIENTS = Float64Array.from(
  [
    [1, 1, 0, -1, 1, 0, 1, -1, 0, -1, -1, 0],
    [1, 0, 1, -1, 0, 1, 1, 0, -1, -1, 0, -1],
    [0, 1, 1, 0, -1, 1, 0, 1, -1, 0, -1, -1],
    [1, 1, 0, -1, 1, 0, 0, -1, 1, 0, -1, -1],
  ].flat(),
);

const fade = (t: number): number => t * t * t * (t * (6 * t - 15) + 10);

/**
 * Gradient noise: smooth, mean 0, within about -1..1, features of about one unit, period 256.
 *
 * @see Perlin, Improving noise, SIGGRAPH 2002.
 */
export class NoiseField {
  readonly #order: Uint8Array;

  constructor(random: MT19937) {
    const order = random.permutation(256);
    this.#order = Uint8Array.from({ length: 512 }, (_, i) => order[i & 255]);
  }

  at(x: number, y: number, z: number): number {
    const order = this.#order;
    const ix = Math.floor(x);
    const iy = Math.floor(y);
    const iz = Math.floor(z);
    const fx = x - ix;
    const fy = y - iy;
    const fz = z - iz;
    const a = order[ix & 255] + (iy & 255);
    const b = order[(ix + 1) & 255] + (iy & 255);
    const near = iz & 255;
    const far = (iz + 1) & 255;
    const a0 = order[a & 255];
    const a1 = order[(a + 1) & 255];
    const b0 = order[b & 255];
    const b1 = order[(b + 1) & 255];
    const u = fade(fx);
    const v = fade(fy);
    const w = fade(fz);
    const front =
      (1 - v) * ((1 - u) * corner(order[a0 + near], fx, fy, fz) + u * corner(order[b0 + near], fx - 1, fy, fz)) +
      v * ((1 - u) * corner(order[a1 + near], fx, fy - 1, fz) + u * corner(order[b1 + near], fx - 1, fy - 1, fz));
    const back =
      (1 - v) * ((1 - u) * corner(order[a0 + far], fx, fy, fz - 1) + u * corner(order[b0 + far], fx - 1, fy, fz - 1)) +
      v * ((1 - u) * corner(order[a1 + far], fx, fy - 1, fz - 1) + u * corner(order[b1 + far], fx - 1, fy - 1, fz - 1));
    return (1 - w) * front + w * back;
  }

  /** Two octaves: `at` with finer detail of half the height. */
  rough(x: number, y: number, z: number): number {
    return (this.at(x, y, z) + 0.5 * this.at(2 * x + 17.3, 2 * y + 5.1, 2 * z + 29.7)) / 1.5;
  }
}

function corner(hash: number, x: number, y: number, z: number): number {
  const g = 3 * (hash & 15);
  return GRADIENTS[g] * x + GRADIENTS[g + 1] * y + GRADIENTS[g + 2] * z;
}

/**
 * A sum of plane waves of nearly one wavelength in random directions. Its zero level sets are evenly spaced, winding
 * sheets, like the sulci of a brain.
 */
export class WaveField {
  readonly #waves: Float64Array;
  readonly #count: number;

  /** @param wavelength Mean wavelength; sheets lie about half of it apart. */
  constructor(random: MT19937, wavelength: number, count = 10) {
    this.#count = count;
    this.#waves = new Float64Array(4 * count);
    for (let i = 0; i < count; ++i) {
      const [x, y, z] = [random.normal(), random.normal(), random.normal()];
      const k = (2 * Math.PI * random.uniform(0.85, 1.15)) / wavelength / Math.hypot(x, y, z);
      this.#waves.set([k * x, k * y, k * z, random.uniform(0, 2 * Math.PI)], 4 * i);
    }
  }

  /** Distance to the nearest zero sheet, to first order. */
  distance(x: number, y: number, z: number): number {
    const waves = this.#waves;
    let value = 0;
    let gx = 0;
    let gy = 0;
    let gz = 0;
    for (let i = 0; i < 4 * this.#count; i += 4) {
      const phase = waves[i] * x + waves[i + 1] * y + waves[i + 2] * z + waves[i + 3];
      value += Math.cos(phase);
      const slope = Math.sin(phase);
      gx += slope * waves[i];
      gy += slope * waves[i + 1];
      gz += slope * waves[i + 2];
    }
    return Math.abs(value) / Math.hypot(gx, gy, gz, 1e-9);
  }
}
