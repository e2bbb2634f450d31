// Mean and deviation of an image over many reconstructions, with memory for one.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ComplexArray, points, type RealArray, realZeros } from '../arrays/complex-array.js';
import { combineComponents } from './images.js';

const PIECE = 2 ** 16; // pixels in under a millisecond

/**
 * The noise of magnitude images: of Re(x conj(u)), where u is the direction of a reference image over its components. To first order this
 * is the deviation of the magnitude, without the bias that magnitudes have where there is little signal.
 *
 * Sums are Welford's, in double.
 */
export class ReplicaStatistics {
  readonly #reference: ComplexArray;
  readonly #magnitude: RealArray;
  readonly #mean: Float64Array;
  readonly #squares: Float64Array;
  #count = 0;

  private constructor(reference: ComplexArray, magnitude: RealArray) {
    this.#reference = reference;
    this.#magnitude = magnitude;
    this.#mean = new Float64Array(magnitude.data.length);
    this.#squares = new Float64Array(magnitude.data.length);
  }

  /** @param reference [component, y, x] or [y, x]: the image without added noise. */
  static async around(reference: ComplexArray): Promise<ReplicaStatistics> {
    return new ReplicaStatistics(reference, await combineComponents(reference));
  }

  /** Magnitude of the reference: [y, x]. */
  get magnitude(): RealArray {
    return this.#magnitude;
  }

  /** Takes in one more image of the reference's shape. */
  async add(image: ComplexArray): Promise<void> {
    this.#count += 1;
    const pixels = this.#magnitude.data.length;
    for (let start = 0; start < pixels; start += PIECE) {
      for (let i = start; i < Math.min(pixels, start + PIECE); i += 1) {
        const value = this.#projection(image, i, pixels);
        const difference = value - this.#mean[i];
        this.#mean[i] += difference / this.#count;
        this.#squares[i] += difference * (value - this.#mean[i]);
      }
      await nextTurn();
    }
  }

  #projection({ data }: ComplexArray, pixel: number, pixels: number): number {
    const magnitude = this.#magnitude.data[pixel];
    if (magnitude === 0) return 0;
    const reference = this.#reference.data;
    let sum = 0;
    for (let at = 2 * pixel; at < data.length; at += 2 * pixels)
      sum += data[at] * reference[at] + data[at + 1] * reference[at + 1];
    return sum / magnitude;
  }

  /** Standard deviation [y, x]; 0 where the reference is. */
  deviation(): RealArray {
    const result = realZeros(this.#magnitude.shape);
    for (let i = 0; i < points(result.shape); i += 1) result.data[i] = Math.sqrt(this.#squares[i] / (this.#count - 1));
    return result;
  }
}
