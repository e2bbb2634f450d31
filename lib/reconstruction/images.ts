// Magnitude images from several coils or several sets of maps, in pieces that leave the event loop free.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ComplexArray, points, type RealArray, realZeros } from '../arrays/complex-array.js';
import { espirit } from '../calibration/espirit.js';
import type { RunOptions } from '../jobs.js';
import { Coils } from '../operators/coils.js';
import { ifft2 } from '../operators/fft2.js';

/** Root sum of squares over coils of the images of k-space [coil, ky, kx]: [y, x]. */
export async function rootSumOfSquares(kspace: ComplexArray, options: RunOptions = {}): Promise<RealArray> {
  return await combineComponents(await ifft2(kspace, options));
}

/** Magnitude [y, x] of fully sampled k-space [coil, ky, kx], combined with ESPIRiT maps from its own centre. */
export async function senseReference(kspace: ComplexArray, options: RunOptions = {}): Promise<RealArray> {
  const { maps } = await espirit(kspace, options);
  return await combineComponents(await new Coils(maps).adjoint(await ifft2(kspace, options), options));
}

/** Magnitude [y, x] of complex images [y, x] or [component, y, x], of coils or of sets of maps: their root sum of squares. */
export async function combineComponents(images: ComplexArray): Promise<RealArray> {
  const image = realZeros(images.shape.slice(-2));
  const sums = new Float64Array(image.data.length);
  for (let component = 0; component < points(images.shape) / sums.length; component += 1) {
    addSquares(images, component, sums);
    await nextTurn();
  }
  for (let i = 0; i < sums.length; i += 1) image.data[i] = Math.sqrt(sums[i]);
  return image;
}

/** Adds |x|^2 of image `index` of a stack to `sums`, which are double as squares of small units underflow in single. */
function addSquares({ data }: ComplexArray, index: number, sums: Float64Array): void {
  const from = 2 * sums.length * index;
  for (let i = 0; i < sums.length; i += 1) sums[i] += data[from + 2 * i] ** 2 + data[from + 2 * i + 1] ** 2;
}
