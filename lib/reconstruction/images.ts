// The coil combination that needs no maps, in pieces that leave the event loop free.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ComplexArray, points, type RealArray, realZeros } from '../arrays/complex-array.js';
import type { RunOptions } from '../jobs.js';
import { ifft2 } from '../operators/fft2.js';

/** Root sum of squares over coils of the images of k-space [coil, ky, kx]: [y, x]. */
export async function rootSumOfSquares(kspace: ComplexArray, options: RunOptions = {}): Promise<RealArray> {
  const { data, shape } = await ifft2(kspace, options);
  const result = realZeros(shape.slice(1));
  const n = points(result.shape);
  for (let coil = 0; coil < shape[0]; coil += 1) {
    const from = 2 * n * coil;
    for (let i = 0; i < n; i += 1) result.data[i] += data[from + 2 * i] ** 2 + data[from + 2 * i + 1] ** 2;
    await nextTurn();
  }
  for (let i = 0; i < n; i += 1) result.data[i] = Math.sqrt(result.data[i]);
  return result;
}
