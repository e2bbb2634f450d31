// Magnitude images from several coils or several sets of maps, in pieces that leave the event loop free.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ComplexArray, points, type RealArray, realZeros, type Shape } from '../arrays/complex-array.js';
import { espirit } from '../calibration/espirit.js';
import type { RunOptions } from '../jobs.js';
import { Coils } from '../operators/coils.js';
import { ifft2 } from '../operators/fft2.js';

/** Root sum of squares over coils of the images of k-space [coil, ky, kx]: [y, x]. */
export async function rootSumOfSquares(kspace: ComplexArray, options: RunOptions = {}): Promise<RealArray> {
  const images = await ifft2(kspace, options);
  const [coils, ...shape] = images.shape;
  const sums = new Float64Array(points(shape));
  for (let coil = 0; coil < coils; coil += 1) {
    addSquares(images, coil, sums);
    await nextTurn();
  }
  return squareRoot(sums, shape);
}

/** Magnitude [y, x] of fully sampled k-space [coil, ky, kx], combined with ESPIRiT maps from its own centre. */
export async function senseReference(kspace: ComplexArray, options: RunOptions = {}): Promise<RealArray> {
  const { maps } = await espirit(kspace, options);
  return combineSets(await new Coils(maps).adjoint(await ifft2(kspace, options), options));
}

/** Magnitude [y, x] of an image [y, x] or [set, y, x], root sum of squares over sets. */
export function combineSets(image: ComplexArray): RealArray {
  const shape = image.shape.slice(-2);
  const sums = new Float64Array(points(shape));
  for (let set = 0; set < points(image.shape) / sums.length; set += 1) addSquares(image, set, sums);
  return squareRoot(sums, shape);
}

function squareRoot(sums: Float64Array, shape: Shape): RealArray {
  const image = realZeros(shape);
  for (let i = 0; i < sums.length; i += 1) image.data[i] = Math.sqrt(sums[i]);
  return image;
}

/** Adds |x|^2 of image `index` of a stack to `sums`, which are double as squares of small units underflow in single. */
function addSquares({ data }: ComplexArray, index: number, sums: Float64Array): void {
  const from = 2 * sums.length * index;
  for (let i = 0; i < sums.length; i += 1) sums[i] += data[from + 2 * i] ** 2 + data[from + 2 * i + 1] ** 2;
}
