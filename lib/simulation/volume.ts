// Simulated 3-D scans: the k-space of a stack of thin slices, encoded by a second phase encoding across them.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ComplexArray, complexZeros, type RealArray } from '../arrays/complex-array.js';
import { magnitude } from '../arrays/magnitude.js';
import type { RunOptions } from '../jobs.js';
import { Fft1 } from '../operators/fft1.js';
import { type SimulatedScan, type SimulationOptions, simulateScan } from './scan.js';

/** A 3-D scan as it was measured, and the truth behind it. */
export interface SimulatedVolume {
  /** Fully sampled and noisy: [coil, readout, kz, ky]. */
  readonly kspace: ComplexArray;
  /** What the coils see without noise: [position along the readout, z, y]. */
  readonly image: ComplexArray;
  /** Magnitude of `image`. */
  readonly reference: RealArray;
}

/**
 * Simulates a fully sampled multi-coil 3-D scan. The readout runs along the first axis within slices, the first phase encoding
 * along the second one, the second across the slices. Memory: three times its k-space.
 *
 * @param volume Magnitude [slice, y, x], as of `simulateScan`.
 * @throws as `simulateScan`.
 * @example const scan = await simulateVolume(await renderPhantom({ family: 'head', seed: 1, size: 128, slices: 32 }), { seed: 1 });
 */
export async function simulateVolume(
  volume: RealArray,
  options: SimulationOptions,
  { signal, onProgress, threads }: RunOptions = {},
): Promise<SimulatedVolume> {
  const stack = await simulateScan(volume, options, {
    signal,
    threads,
    onProgress: (done) => onProgress?.(0.9 * done),
  });
  const [slices, coils, rows, columns] = stack.kspace.shape;
  const kspace = complexZeros([coils, rows, slices, columns]);
  const across = new Fft1([slices, rows * columns], 0);
  for (let coil = 0; coil < coils; coil += 1) {
    const images = coilOf(stack, coil);
    const { data } = await across.apply(images, { signal, threads });
    turnRows(data, kspace.data.subarray(coil * data.length, (coil + 1) * data.length), [slices, rows, columns]);
    await nextTurn();
    onProgress?.(0.9 + (0.1 * (coil + 1)) / coils);
  }
  const image = complexZeros([rows, slices, columns]);
  turnRows(stack.image.data, image.data, [slices, rows, columns]);
  return { kspace, image, reference: magnitude(image) };
}

/** K-space [slice, point] of one coil. */
function coilOf({ kspace: { data, shape } }: SimulatedScan, coil: number): ComplexArray {
  const [slices, coils, rows, columns] = shape;
  const length = 2 * rows * columns;
  const own = complexZeros([slices, rows * columns]);
  for (let slice = 0; slice < slices; slice += 1) {
    const from = (slice * coils + coil) * length;
    own.data.set(data.subarray(from, from + length), slice * length);
  }
  return own;
}

/** [slice, row, column] to [row, slice, column]. */
function turnRows(
  from: Float32Array,
  to: Float32Array,
  [slices, rows, columns]: readonly [number, number, number],
): void {
  const length = 2 * columns;
  for (let slice = 0; slice < slices; slice += 1)
    for (let row = 0; row < rows; row += 1) {
      const source = (slice * rows + row) * length;
      to.set(from.subarray(source, source + length), (row * slices + slice) * length);
    }
}
