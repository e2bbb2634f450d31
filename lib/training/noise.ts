// Noise added to training examples, so that networks learn to leave it out: the target stays as it was scanned.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ComplexArray } from '../arrays/complex-array.js';
import type { MT19937 } from '../arrays/mt19937.js';
import type { SamplingMask } from '../sampling/mask.js';

/** Least and largest deviation of the real and the imaginary part of the noise, relative to the brightness of the image. */
export type NoiseRange = readonly [least: number, largest: number];

/** A level within the range, all orders of magnitude alike. */
export function drawNoiseLevel(random: MT19937, [least, largest]: NoiseRange): number {
  return Math.exp(random.uniform(Math.log(least), Math.log(largest)));
}

/**
 * Adds white Gaussian noise to the samples of k-space, in place.
 *
 * @param kspace [coil, ky, kx]. @param mask [kx] or [ky, kx]. @param deviation Of real and imaginary part, in the units of kspace: as the Fourier
 *   transform is unitary, also that of the noise in a coil's image.
 */
export async function addNoise(
  { data, shape: [coils, rows, columns] }: ComplexArray,
  mask: SamplingMask,
  deviation: number,
  random: MT19937,
): Promise<void> {
  for (let coil = 0; coil < coils; coil += 1) {
    await nextTurn();
    for (let i = coil * rows * columns; i < (coil + 1) * rows * columns; i += 1) {
      if (mask.data[i % mask.data.length] === 0) continue;
      data[2 * i] += deviation * random.normal();
      data[2 * i + 1] += deviation * random.normal();
    }
  }
}
